r"""The slope of the spectrum at its lowest frequencies: log-periodogram and local Whittle.

Whatever a series does at short times, with long memory its spectral density goes like

    f(l) ~ l^{1 - 2H}    as l -> 0,

and the m lowest Fourier frequencies tell H, m = n^0.6 here. Geweke and Porter-Hudak regress the
logarithm of the periodogram on log 4 sin^2(l / 2); the local Whittle estimate minimises

    log mean_j(l_j^{2H-1} I_j) - (2H - 1) mean_j log l_j,    j = 1 ... m.

As m grows both are normal around H, with the standard deviations pi / sqrt(24 m) and
1 / (2 sqrt m); for a finite m, as here,

    pi / sqrt(24 S),    1 / (2 sqrt S),    S = sum_j (r_j - mean r)^2,

with r_j = log 2 sin(l_j / 2) and log l_j: S is m but for terms of log^2 m. The spread of local
Whittle is above its limit by another factor of about 1 + 2 / m, measured on white noise.

Means of a season, where they were taken away, took the power at its frequencies along: those within
1 / n of a multiple of 1 / season are left out, and m, S and the spread follow. So are those without
any power, as of a series that repeats itself.

Prefer local Whittle of the two: its spread is smaller by a fifth. Prefer both to the likelihood
where short memory is added to the long.

Reference: Geweke and Porter-Hudak 1983, Journal of Time Series Analysis 4, 221-238; Robinson 1995,
Annals of Statistics 23, 1048-1072 and 1630-1661.
"""

import numpy as np

from narxkit.diagnostics.fgn import periodogram

from .law import NO_POWER, Reading, SamplingDistribution
from .likelihood import minimise_scalar

POWER = 0.6  # of n, the number of frequencies
FEWEST = 5  # frequencies
GPH_ENDS, WHITTLE_ENDS = (-1.0, 2.0), (-0.5, 1.5)  # the range of H


def read_gph(x, season=None):
    """Estimate H by regression of the log-periodogram."""
    frequencies, power = lowest(x, season)
    # log I = c + (1 - 2H) r + noise, so that the slope on r is 1 - 2H
    r = centred(np.log(2.0 * np.sin(frequencies / 2)))
    S = r @ r
    estimate = 0.5 - float(r @ np.log(power)) / (2.0 * S)
    level = np.exp(np.mean(np.log(power)))
    law = SamplingDistribution.unbiased(np.pi / np.sqrt(24.0 * S), GPH_ENDS)
    return spectral_reading(estimate, law, frequencies, power, r, level)


def read_local_whittle(x, season=None):
    """Estimate H by the likelihood of the lowest frequencies."""
    frequencies, power = lowest(x, season)
    # centred logs leave the minimum where it is, and no power of a frequency overflows
    r = centred(np.log(frequencies))
    S, m = r @ r, len(r)

    def surprise(hurst):
        return np.log(np.mean(np.exp((2 * hurst - 1) * r) * power))

    estimate = minimise_scalar(surprise, *WHITTLE_ENDS)
    law = SamplingDistribution.unbiased(0.5 / np.sqrt(S) * (1.0 + 2.0 / m), WHITTLE_ENDS)
    return spectral_reading(estimate, law, frequencies, power, r, np.exp(surprise(estimate)))


def lowest(x, season):
    """Return the m lowest frequencies and their periodogram, without those of no power."""
    n, x = len(x), x - x.mean()
    j = np.arange(1, int(n**POWER) + 1)
    power = periodogram(x)[: len(j)]
    # log of a power of rounding would decide the regression
    is_left = power > NO_POWER * np.mean(x**2)
    if season is not None:
        beside = j * season % n  # j / n is beside / (n season) above a multiple of 1 / season
        is_left &= (season <= beside) & (beside <= n - season)
    if is_left.sum() < FEWEST:
        raise ValueError(
            f"x has power at {is_left.sum()} of its {len(j)} lowest frequencies, but 'gph' and "
            f"'local_whittle' need {FEWEST}: give another series or another method."
        )
    return 2 * np.pi * j[is_left] / n, power[is_left]


def centred(values):
    return values - values.mean()


def spectral_reading(estimate, law, frequencies, power, r, level):
    """Gather the root of the periodogram over periods, and the line level e^{(1 - 2H) r}."""
    fitted = np.sqrt(level * np.exp((1 - 2 * estimate) * r))
    periods = 2 * np.pi / frequencies
    return Reading(estimate, law, "asymptotic theory", periods, np.sqrt(power), fitted)
