r"""Likelihood of fractional Gaussian noise: the exponent that makes a series least surprising.

With the covariance sigma^2 G(H) and an unknown mean, the restricted likelihood (that of all
contrasts of x, which know no mean), with sigma^2 at its best, is

    -2 l(H) = (n - 1) log Q + log det G + log(1'G^-1 1),
    Q = x'G^-1 x - (1'G^-1 x)^2 / (1'G^-1 1),

maximised over H by Brent's method. Durbin and Levinson's recursion gives the three forms and the
determinant in O(n^2), in one pass for both right-hand sides: 10 to 15 likelihoods in all. Above
`EXACT` points Whittle's approximation takes its place,

    -2 l(H) / n ~ log mean_j(I_j / f_j) + mean_j log f_j

over the Fourier frequencies, in O(n log n). On 40 series each of 4,096 rows with H = 0.2, 0.5 and
0.8 the two estimates were 0.17, 0.03 and 0.07 standard errors apart (root mean square); on two of
20,000 rows with H = 0.7, 0.02. Both are normal around H, with Fisher's information

    1 / s(H)^2 = sum_j (g_j - mean g)^2,    g = d log f / d H;

the mean of g is what the unknown sigma^2 takes away. This sum is within 2 % of the exact one,
tr(P G' P G') / 2 - tr(P G')^2 / (2 n - 2), from 256 points on.

Prefer it to all other methods where the series may be fractional Gaussian noise: no unbiased
estimate has a smaller spread. Where short memory is added (an AR part, noise of measurement) it
is biased, and methods that look at long times alone are not: `local_whittle`, `gph`, `wavelet`.

Reference: Robinson 2003, "Time Series with Long Memory", chapter 1; Beran 1994, "Statistics for
Long-Memory Processes", chapters 5 and 6; Whittle 1953.
"""

from functools import lru_cache

import numpy as np

from narxkit._fractal import toeplitz_forms
from narxkit.diagnostics.fgn import (
    autocovariance,
    fourier_frequencies,
    periodogram,
    spectral_density,
)

from .law import Reading, SamplingDistribution

EXACT = 20_000  # points up to which the likelihood is the exact one
GRID = np.linspace(0.001, 0.999, 41)
TOLERANCE = 1e-5
STEP = 1e-4  # of the central difference for g
N_BINS = 20
ENOUGH = 8192  # points from which Fisher's information grows like n


def read_likelihood(x):
    """Estimate H by its likelihood; return the spectrum as seen and as fitted, too."""
    n = len(x)
    estimate = minimise_scalar(exact(x) if n <= EXACT else whittle(x), GRID[0], GRID[-1])
    law = SamplingDistribution(GRID, GRID, fisher_errors(n))
    notes = () if n <= EXACT else (
        f"above {EXACT:,} points the likelihood is Whittle's approximation",
    )  # fmt: skip
    return Reading(estimate, law, "Fisher's information", *spectra(x, estimate), notes)


def exact(x):
    """Return -2 l as a function of H, but for a constant."""
    n, work, forms = len(x), np.empty((2, len(x))), np.empty(4)
    # the forms are free of location and scale, and numbers near 1 lose the fewest digits
    x = np.ascontiguousarray((x - x.mean()) / x.std())

    def surprise(hurst):
        # x'G^-1 x, x'G^-1 1, 1'G^-1 1 and log det G, in one pass of Durbin and Levinson
        toeplitz_forms(x, autocovariance(n, hurst), work, forms)
        xx, x1, ones, log_det = forms
        return (n - 1) * np.log(xx - x1 * x1 / ones) + log_det + np.log(ones)

    return surprise


def whittle(x):
    """Return -2 l / n by Whittle's approximation as a function of H, but for a constant."""
    frequencies, power = fourier_frequencies(len(x)), periodogram(x / x.std())

    def surprise(hurst):
        f = spectral_density(frequencies, hurst)
        return np.log(np.mean(power / f)) + np.mean(np.log(f))

    return surprise


@lru_cache(maxsize=64)
def fisher_errors(n):
    """Return s(H), the least standard deviation of an unbiased estimate, along the grid."""
    frequencies = fourier_frequencies(min(n, ENOUGH))
    errors = []
    for hurst in GRID:
        up, down = (np.log(spectral_density(frequencies, hurst + h)) for h in (STEP, -STEP))
        # std(g) is the root of mean (g - mean g)^2, so that s = 1 / (sqrt(m) std(g)), g a
        # difference over 2 STEP
        errors.append(2 * STEP / (np.sqrt(len(up)) * np.std(up - down)))
    # the sum over frequencies grows like n: longer ones would cost time for the same number
    return np.array(errors) * np.sqrt(min(n, ENOUGH) / n)


def minimise_scalar(function, low, high):
    """Minimise a function of one variable between two bounds."""
    from scipy.optimize import minimize_scalar

    options = {"xatol": TOLERANCE}
    return float(minimize_scalar(function, bounds=(low, high), method="bounded", options=options).x)


def spectra(x, hurst):
    """Return periods in rows, and the roots of the periodogram and of f over bins of them."""
    frequencies, power = fourier_frequencies(len(x)), periodogram(x)
    f = spectral_density(frequencies, hurst)
    # sigma^2 at its best, so that the line lies among the points
    f *= np.mean(power / f)
    edges = np.unique(np.geomspace(1, len(power) + 1, N_BINS + 1).astype(np.intp)) - 1
    counts = np.diff(edges)
    frequencies, power, f = (
        np.add.reduceat(values, edges[:-1]) / counts for values in (frequencies, power, f)
    )
    return 2 * np.pi / frequencies, np.sqrt(power), np.sqrt(f)
