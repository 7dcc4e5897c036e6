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

Prefer local Whittle of the two: its spread is smaller by a fifth. Prefer both to the likelihood
where short memory is added to the long.

Reference: Geweke and Porter-Hudak 1983, Journal of Time Series Analysis 4, 221-238; Robinson 1995,
Annals of Statistics 23, 1048-1072 and 1630-1661.
"""

import numpy as np

from ._law import Reading, SamplingLaw
from ._likelihood import minimise
from .fgn import fourier_frequencies, periodogram

POWER = 0.6  # of n, the number of frequencies
REACH = -0.5, 1.5  # values of H among which local Whittle looks


def read_gph(x, confidence):
    """H by regression of the log-periodogram."""
    frequencies, power = lowest(x)
    r = centred(np.log(2.0 * np.sin(frequencies / 2)))
    S = r @ r
    estimate = 0.5 - float(r @ np.log(power)) / (2.0 * S)
    level = np.exp(np.mean(np.log(power)))
    return reading(estimate, np.pi / np.sqrt(24.0 * S), confidence, frequencies, power, r, level)


def read_local_whittle(x, confidence):
    """H by the likelihood of the lowest frequencies."""
    frequencies, power = lowest(x)
    r = centred(np.log(frequencies))
    S, m = r @ r, len(r)

    def surprise(hurst):
        return np.log(np.mean(np.exp((2 * hurst - 1) * r) * power))

    estimate = minimise(surprise, *REACH)
    std, level = 0.5 / np.sqrt(S) * (1.0 + 2.0 / m), np.exp(surprise(estimate))
    return reading(estimate, std, confidence, frequencies, power, r, level)


def lowest(x):
    """Frequencies and periodogram, the m lowest of both."""
    m = int(len(x) ** POWER)
    return fourier_frequencies(len(x))[:m], periodogram(x)[:m]


def centred(values):
    return values - values.mean()


def reading(estimate, std, confidence, frequencies, power, r, level):
    """The root of the periodogram over periods, and the line level e^{(1 - 2H) r} beside it."""
    fitted = np.sqrt(level * np.exp((1 - 2 * estimate) * r))
    inference = SamplingLaw.unbiased(std).read(estimate, confidence)
    return Reading(inference, 2 * np.pi / frequencies, np.sqrt(power), fitted, "asymptotic theory")
