"""The law of a simulated statistic at any length, read between the rows of its table."""

from functools import lru_cache

import numpy as np
from scipy.interpolate import make_interp_spline

from .law import SamplingDistribution
from .simulated import HURSTS, MEANS, SIZES, STDS

ENDS = 0.01, 0.99  # values of H to which the tables are extrapolated


@lru_cache(maxsize=64)
def simulated_law(name, n):
    """Return the mean and standard deviation of a statistic from n rows, along H.

    Bias and log of the standard deviation are straight in log n and in H between the cells of the
    table, and go on beyond its ends as they went.
    """
    grid = np.array([ENDS[0], *HURSTS, ENDS[1]])
    bias = np.array(MEANS[name]) - HURSTS
    # bias, not the mean, and the log of the spread: both are nearly straight, so few cells suffice
    bias, log_std = (
        straight(HURSTS, straight(np.log(SIZES), rows, np.log(n)), grid)
        for rows in (bias, np.log(STDS[name]))
    )
    return SamplingDistribution(grid, grid + bias, np.exp(log_std))


def straight(x, rows, at):
    """Interpolate rows between those at x, and extrapolate beyond them."""
    return make_interp_spline(x, rows, k=1)(at)


def note_extrapolation(n):
    """Note that a series is longer than those that were simulated."""
    if n > SIZES[-1]:
        yield f"above {SIZES[-1]:,} rows the spread is extrapolated from that of shorter series"
