"""The law of a simulated statistic at any length, read between the rows of its table."""

import numpy as np

from ._law import SamplingLaw
from ._simulated import HURSTS, MEANS, SIZES, STDS

ENDS = 0.01, 0.99  # values of H to which the tables are drawn out


def simulated_law(name, n):
    """Mean and standard deviation of a statistic from n rows, along H.

    Bias and log of the standard deviation are straight in log n between the sizes of the table;
    beyond the longest the bias stays and the standard deviation goes on as it went.
    """
    bias = np.array(MEANS[name]) - HURSTS
    mean, log_std = HURSTS + along(n, bias, False), along(n, np.log(STDS[name]), True)
    grid = np.array([ENDS[0], *HURSTS, ENDS[1]])
    return SamplingLaw(grid, drawn_out(mean), np.exp(drawn_out(log_std)))


def along(n, rows, goes_on):
    """A row for n between those of a table."""
    sizes = np.log(SIZES)
    i = min(max(np.searchsorted(sizes, np.log(n)), 1), len(sizes) - 1)
    share = (np.log(n) - sizes[i - 1]) / (sizes[i] - sizes[i - 1])
    share = share if goes_on else min(share, 1.0)
    return rows[i - 1] + share * (rows[i] - rows[i - 1])


def drawn_out(values):
    """Values along H, with one more at each end, straight on from the last two."""
    steps = [(HURSTS[i] - end) / (HURSTS[i] - HURSTS[j]) for end, i, j in
             ((ENDS[0], 0, 1), (ENDS[1], -1, -2))]  # fmt: skip
    low = values[0] + steps[0] * (values[1] - values[0])
    high = values[-1] + steps[1] * (values[-2] - values[-1])
    return np.array([low, *values, high])
