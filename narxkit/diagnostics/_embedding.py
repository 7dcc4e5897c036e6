"""States of a series: vectors of delayed values, and their neighbours at other times."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def delay_vectors(values, dimension, delay):
    """Line up delayed values: row i holds the values at i, i + delay, ... i + span.

    Parameters
    ----------
    values : ndarray of shape (n,)
        A series.
    dimension : int
        Values in a vector.
    delay : int
        Rows from one of them to the next.

    Returns
    -------
    ndarray of shape (n - span, dimension)
        A view; span = (dimension - 1) delay.

    Examples
    --------
    >>> import numpy as np
    >>> delay_vectors(np.arange(5.0), 2, 3)
    array([[0., 3.],
           [1., 4.]])
    """
    return sliding_window_view(values, (dimension - 1) * delay + 1)[:, ::delay]


def distinct(vectors, most):
    """Pick the last rows that differ from all rows before them.

    Parameters
    ----------
    vectors : ndarray of shape (n, dimension)
        Rows in the order of time.
    most : int
        The most that are taken.

    Returns
    -------
    ndarray of int
        Their positions, ascending. Without twins every distance has a logarithm.
    """
    return np.sort(np.unique(vectors, axis=0, return_index=True)[1])[-most:]


def neighbours(vectors, times, queries, apart, n_neighbours=1):
    """Find the nearest rows that are more than `apart` away in time.

    Parameters
    ----------
    vectors : ndarray of shape (n, dimension)
        States.
    times : ndarray of shape (n,)
        The row of the series that each belongs to.
    queries : ndarray of int
        Positions of the states whose neighbours are sought.
    apart : int
        Theiler's window, in rows: states as near in time as that are the same piece of path.
    n_neighbours : int
        How many.

    Returns
    -------
    ndarray of shape (n_queries, n_neighbours)
        Positions, nearest first; -1 where there are too few.
    """
    from scipy.spatial import cKDTree

    tree = cKDTree(vectors)
    found = np.full((len(queries), n_neighbours), -1)
    todo = np.arange(len(queries))
    # so many near rows hold all that are too near in time, and the neighbours
    enough = min(len(vectors), n_neighbours + 2 * apart + 1)
    # few neighbours do for nearly all queries; the rest ask for four times as many
    k = min(4 * (n_neighbours + 1), enough)
    while len(todo):
        rows = queries[todo]
        _, near = tree.query(vectors[rows], np.arange(1, k + 1))
        is_apart = np.abs(times[near] - times[rows, None]) > apart
        is_done = is_apart.sum(axis=1) >= n_neighbours
        # a stable sort puts those apart first and keeps their order by distance
        nearest = np.argsort(~is_apart, axis=1, kind="stable")[:, :n_neighbours]
        found[todo[is_done]] = np.take_along_axis(near, nearest, axis=1)[is_done]
        todo = todo[~is_done]
        if k == enough:
            break
        k = min(4 * k, enough)
    return found
