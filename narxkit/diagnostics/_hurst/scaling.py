r"""Growth of a path with the size of the box: rescaled range and detrended fluctuations.

The path y_t = x_1 + ... + x_t of increments with the exponent H strays like s^H over s rows. Both
methods cut it into boxes of s rows and take the slope of log F(s) on log s.

**R/S.** The range of the path from the chord of its box, divided by the standard deviation of x in
the box, averaged over boxes. White noise has no straight line even so; Anis and Lloyd's expectation

    E_s = ((s - 1/2) / s) Gamma((s - 1)/2) / (sqrt(pi) Gamma(s/2)) sum_{i=1}^{s-1} sqrt((s - i) / i)

with Peters' factor in front is divided out and sqrt(s) put in its place:

    F(s) = (R/S)_s sqrt(s) / E_s.

**DFA of order n.** A polynomial of order n is taken out of each box; F(s) is the root of the mean
square of what is left. With orthonormal polynomials that is a few dot products for each row.

Both slopes are biased, and boxes share their rows across scales, so that no formula tells their
spread: means and standard deviations were simulated on exact fractional Gaussian noise
(`simulated`), and an estimate is the H whose mean slope is the one seen.

Prefer them to be comparable with what was published; the likelihood has a third of their spread.
DFA of order n does not see trends of order n - 1 in x.

Reference: Hurst 1951, Transactions of the American Society of Civil Engineers 116, 770-808; Anis
and Lloyd 1976, Biometrika 63, 111-116; Weron 2002, Physica A 312, 285-299; Peng et al. 1994,
Physical Review E 49, 1685-1689; Kantelhardt et al. 2001, Physica A 295, 441-454.
"""

from functools import cache

import numpy as np

from narxkit._fractal import detrended_variance, rescaled_range

from .law import Reading
from .simulated_law import note_extrapolation, simulated_law

N_SCALES = 20
SMALLEST = {"rs": 50, "dfa": 10}  # rows of a box
CONSTANT = 0.05  # share of boxes: at 0.08 R/S excludes 1/2 in 16 to 24 % of counts without memory


def box_sizes(method, n):
    """Return sizes of boxes, evenly spaced in their logarithm."""
    if method == "rs":
        # R/S is biased most in small boxes, DFA noisiest in large ones
        low, high = min(SMALLEST["rs"], n // 8), n // 2
    else:
        low, high = SMALLEST["dfa"], n // 4
    return np.unique(np.geomspace(low, high, N_SCALES).astype(np.intp))


def rescaled_ranges(x, scales):
    """Compute F(s) of R/S, Anis and Lloyd's expectation divided out."""
    x = np.ascontiguousarray(x - x.mean())
    path = np.concatenate([[0.0], np.cumsum(x)])
    ranges = np.array([rescaled_range(x, path, s) for s in scales])
    return ranges * np.sqrt(scales) / np.array([expected_range(s) for s in scales])


@cache
def expected_range(s):
    """Return Anis and Lloyd's E(R/S) over s rows of white noise, with Peters' factor."""
    from scipy.special import gammaln

    i = np.arange(1, s)
    gamma = np.exp(gammaln((s - 1) / 2) - gammaln(s / 2)) / np.sqrt(np.pi)
    return (s - 0.5) / s * gamma * np.sum(np.sqrt((s - i) / i))


def detrended_fluctuations(x, scales, order):
    """Compute F(s) of DFA."""
    path = np.cumsum(x - x.mean())
    box = np.empty(max(scales))
    return np.sqrt([detrended_variance(path, polynomials(s, order), box) for s in scales])


def polynomials(s, order):
    """Make orthonormal polynomials of degree 0 ... order on s points, by their recurrence."""
    t, q = np.linspace(-1.0, 1.0, s), np.zeros((order + 2, s))
    q[1] = s**-0.5
    for j in range(1, order + 1):
        np.multiply(t, q[j], out=q[j + 1])
        # t is odd and q_j has the parity of j: t q_j has no part along q_j, and one along q_{j-1}
        # alone
        q[j + 1] -= (q[j + 1] @ q[j - 1]) * q[j - 1]
        q[j + 1] /= np.sqrt(q[j + 1] @ q[j + 1])
    return q[1:]


def line(scales, fluctuations):
    """Fit a straight line to log F(s) on log s: slope and intercept."""
    return np.polyfit(np.log(scales), np.log(fluctuations), 1)


def read_rescaled_range(x):
    """Estimate H by rescaled ranges."""
    scales = box_sizes("rs", len(x))
    return scaling_reading("rs", x, scales, rescaled_ranges(x, scales), sparse(x, scales[0]))


def sparse(x, s):
    """Note where so many boxes are constant that the others mislead."""
    # counts with many zeros: R/S of a constant box is 0 / 0 and left out, which picks the lively
    # boxes
    share = np.mean(np.ptp(x[: len(x) // s * s].reshape(-1, s), axis=1) == 0.0)
    if share > CONSTANT:
        yield (
            f"x is constant in more than {CONSTANT * 100:.0f} % of the boxes of {s} rows, which "
            "'rs' leaves out, and its H misleads: trust 'dfa'"
        )


def read_detrended_fluctuations(x, order):
    """Estimate H by detrended fluctuations."""
    scales = box_sizes("dfa", len(x))
    fluctuations = detrended_fluctuations(x, scales, order)
    return scaling_reading(f"dfa{order}", x, scales, fluctuations)


def scaling_reading(name, x, scales, fluctuations, notes=()):
    """Gather the slope, its law, and the line beside the fluctuations."""
    if not np.all(fluctuations > 0.0):
        raise ValueError(
            f"x is constant in all boxes of {scales[np.argmin(fluctuations > 0.0)]} rows: there is "
            "no range to analyse."
        )
    slope, law = float(line(scales, fluctuations)[0]), simulated_law(name, len(x))
    # the line has the slope whose H is the estimate, within what the law knows
    away = np.log(scales) - np.mean(np.log(scales))
    fitted = np.exp(np.mean(np.log(fluctuations)) + law.nearest(slope) * away)
    notes = *notes, *note_extrapolation(len(x))
    return Reading(slope, law, "simulations", scales, fluctuations, fitted, notes)
