"""Means and standard deviations that are exact for constants, of any size and number of rows."""

import numpy as np


def moments(values):
    r"""Return mean and standard deviation of each column, without its missing values.

    .. math::

        m + s \bar d, \qquad s \sqrt{\overline{(d - \bar d)^2}}, \qquad d_t = (x_t - m) / s

    with m the middle of the column's range and s half its width. So d is exactly 0 in a constant
    column, and at most 1 in any other: a sum over many rows cannot make a spread where there is
    none, and the square of a very large or very small number is never taken.

    Parameters
    ----------
    values : ndarray of shape (n, k)
        Numbers, NaN where missing.

    Returns
    -------
    mean, std : ndarray of shape (k,)
        Both 0 for a column without numbers; std is 0 if and only if all numbers are equal.

    Examples
    --------
    >>> import numpy as np
    >>> moments(np.full((100_000, 1), 21.3))
    (array([21.3]), array([0.]))
    >>> mean, std = moments(np.array([[1e200], [3e200], [np.nan]]))
    >>> float(mean[0]), float(std[0])
    (2e+200, 1e+200)
    """
    there = np.isfinite(values)
    n = np.maximum(there.sum(axis=0), 1)
    low, high = extremes(values, there)
    middle = np.where(low == high, low, low / 2 + high / 2)  # their sum could overflow
    half = np.where(low == high, 1.0, np.maximum(high / 2 - low / 2, np.finfo(float).tiny))
    d = np.zeros(values.shape)  # the only array of the size of the data, 0 where missing
    np.subtract(values, middle, out=d, where=there)
    d /= half
    # a second pass around it: a sum of squares less a squared mean loses all digits where the
    # spread is small
    mean = d.sum(axis=0) / n
    np.subtract(d, mean, out=d, where=there)
    square = np.square(d, out=d).sum(axis=0) / n
    return middle + half * mean, half * np.sqrt(square)


def extremes(values, there):
    """Return smallest and largest number of each column, 0 and 0 where a mask leaves none."""
    low = np.min(values, axis=0, initial=np.inf, where=there)
    high = np.max(values, axis=0, initial=-np.inf, where=there)
    is_empty = low > high
    return np.where(is_empty, 0.0, low), np.where(is_empty, 0.0, high)


def buried(values, std):
    """Return where a few numbers are so far out that, beside them, the others are one and the same.

    Parameters
    ----------
    values : ndarray of shape (n, k)
        Numbers, NaN where missing.
    std : ndarray of shape (k,)
        Standard deviation of each column.

    Returns
    -------
    list of tuple (column, row)
        A column whose numbers, but the hundredth of them that is farthest from the median, vary by
        less than a hundredth of the standard deviation; and the row of the farthest. Not those
        whose other numbers are equal: a rare event is such a column.

    Examples
    --------
    >>> import numpy as np
    >>> values = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [1e9, 1.0]])
    >>> buried(values, values.std(axis=0))
    [(0, 3)]
    """
    found = []
    for column in np.flatnonzero(std):
        x = values[:, column]
        rows = np.flatnonzero(np.isfinite(x))
        distance = np.abs(x[rows] - np.median(x[rows]))
        n_far = max(1, len(rows) // 100)
        # the nearest 99 of 100, without sorting them
        near = np.argpartition(distance, len(rows) - n_far - 1)[: len(rows) - n_far]
        spread = np.ptp(x[rows[near]])
        if 0 < spread < 0.01 * std[column]:
            found.append((int(column), int(rows[np.argmax(distance)])))
    return found
