r"""The slope of the wavelet spectrum, octave by octave.

Daubechies' wavelet with two vanishing moments splits a series into octaves j = 1, 2, ... of n_j
coefficients d_{j,k}, blind to any straight trend. For fractional Gaussian noise they are nearly
uncorrelated, with the variance

    E d_{j,k}^2 ~ 2^{j (2H - 1)},

so that y_j = log2 mean_k(d_{j,k}^2) - b_j is a straight line in j, with

    b_j = psi(n_j / 2) / ln 2 - log2(n_j / 2),    var y_j = zeta(2, n_j / 2) / ln^2 2:

bias and variance of the logarithm of a chi-squared variable. A weighted regression gives its slope
2H - 1. Coefficients that the ends of the series reach are not used; the first octave, where the
sampling shows, is left out.

Sampled noise with H below 1/2 still bends this line at the next octaves: the plain slope is too
small by 0.06 at H = 0.2, whatever the length, and an interval around it misses. So mean and spread
of (1 + slope) / 2 were simulated on exact fractional Gaussian noise (`simulated`), and an estimate
is the H whose mean is the one seen.

Prefer it where the series has a trend or slow swings.

Reference: Abry and Veitch 1998, "Wavelet analysis of long-range-dependent traffic", IEEE
Transactions on Information Theory 44, 2-15; Daubechies 1992, "Ten Lectures on Wavelets".
"""

import numpy as np

from .law import NO_POWER, Reading
from .simulated_law import note_extrapolation, simulated_law

ROOT3 = np.sqrt(3.0)
SCALING = np.array([1 + ROOT3, 3 + ROOT3, 3 - ROOT3, 1 - ROOT3]) / (4 * np.sqrt(2.0))
WAVELET = SCALING[::-1] * [1, -1, 1, -1]
FIRST = 2  # octave
FEWEST = 4  # coefficients of an octave


def wavelet_spectrum(x):
    """Return mean squares and number of the coefficients of each octave."""
    energy, counts = [], []
    approximation = x - x.mean()
    # an octave of fewer coefficients has no variance to speak of; "valid" drops those that the ends
    # reach
    while len(approximation) >= 2 * FEWEST + len(SCALING) - 2:
        details = np.convolve(approximation, WAVELET[::-1], "valid")[::2]
        approximation = np.convolve(approximation, SCALING[::-1], "valid")[::2]
        energy.append(np.mean(details**2))
        counts.append(len(details))
    return np.array(energy), np.array(counts)


def wavelet_line(x):
    """Return octaves, their y_j, the line through them, and the weights of its regression."""
    from scipy.special import psi, zeta

    energy, counts = (values[FIRST - 1 :] for values in wavelet_spectrum(x))
    octaves, half = np.arange(FIRST, FIRST + len(counts)), counts / 2
    # an octave without power is refused by name in read_wavelet
    with np.errstate(divide="ignore"):
        energy = np.log2(energy)
    # E log2 of a mean square of n_j coefficients is off by b_j < 0: without it few coefficients, so
    # long octaves, would bend the line down
    y = energy - (psi(half) / np.log(2) - np.log2(half))
    deviations = np.sqrt(zeta(2, half)) / np.log(2)
    return octaves, y, np.polyfit(octaves, y, 1, w=1 / deviations), deviations**-2


def wavelet_statistic(line):
    """Return (1 + slope) / 2, H but for its bias."""
    return float((1.0 + line[0]) / 2)


def read_wavelet(x):
    """Estimate H by the wavelet spectrum."""
    octaves, y, line, weights = wavelet_line(x)
    is_empty = np.exp2(y) <= NO_POWER * np.var(x)
    if is_empty.any():
        raise ValueError(
            f"x has no power at octave {octaves[is_empty.argmax()]}, but 'wavelet' needs some at "
            "each: give another series or another method."
        )
    statistic, law = wavelet_statistic(line), simulated_law("wavelet", len(x))
    # the picture shows the slope of the estimate, not the biased one that was seen, through the
    # same centre
    centre = np.average(octaves, weights=weights)
    fitted = np.polyval(line, centre) + (2 * law.nearest(statistic) - 1) * (octaves - centre)
    roots = (2.0 ** (values / 2) for values in (y, fitted))
    notes = tuple(note_extrapolation(len(x)))
    return Reading(statistic, law, "simulations", 2**octaves, *roots, notes)
