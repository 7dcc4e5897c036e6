"""What comes in: one series as floats, and sentences on what cannot be judged."""

from numbers import Integral

import numpy as np
import pandas as pd

from narxkit._clock import check_order

SMALLEST, LARGEST = 1e-60, 1e60  # sums of fourth powers stay far from the ends of floats


def read_series(x, n_min, name="x", allow_nan=False):
    """Read a series.

    Parameters
    ----------
    x : array-like of shape (n,) or (n, 1)
        Values in the order of time.
    n_min : int
        The fewest that can be judged.
    name : str
        How to call it in a sentence.
    allow_nan : bool
        Whether values may be missing.

    Returns
    -------
    ndarray of shape (n,)
        Floats, all finite, or some of them NaN.

    Raises
    ------
    ValueError
        When it has another shape, is too short, is constant, or holds an infinite value, or a
        missing one that may not be, is too small or large for its powers, when its clock runs
        backwards, or it is a panel.
    """
    index = index_of(x)
    if index is not None:
        n_series = index.droplevel(-1).nunique() if index.nlevels > 1 else 1
        if n_series > 1:
            raise ValueError(
                f"{name} holds {n_series} series: give one at a time, such as "
                f"{name}.loc[{index[0][0]!r}]."
            )
        check_order(index.get_level_values(-1), name)
    values = np.asarray(x.to_numpy() if isinstance(x, pd.DataFrame | pd.Series) else x)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise ValueError(
            f"{name} must be one series of shape (n,). Got shape {values.shape} instead: give one "
            "column at a time."
        )
    try:
        if values.dtype.kind in "mMc":
            raise TypeError("times and complex numbers are no measurements")
        values = values.astype(float)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must hold numbers. Got dtype {values.dtype} instead.") from None
    bad = np.flatnonzero(np.isinf(values) if allow_nan else ~np.isfinite(values))
    if len(bad):
        what = "infinite" if allow_nan else "missing or infinite"
        raise ValueError(
            f"{name} has {len(bad)} {what} values, the first in row {bad[0]}: fill "
            "or drop them, or give the longest stretch without them."
        )
    known = values[np.isfinite(values)]
    if len(known) < n_min:
        rows = "rows" if len(known) == len(values) else "rows with a value"
        raise ValueError(
            f"{name} has {len(known)} {rows}, but at least {n_min} are needed: give a longer "
            "series."
        )
    if np.ptp(known) <= 1e-12 * np.abs(known).max():
        raise ValueError(f"{name} is constant, at {known[0]:g}: there is nothing to judge.")
    if not SMALLEST < np.abs(known).max() < LARGEST:
        raise ValueError(
            f"{name} is at most {np.abs(known).max():.0e} in size, but powers of it are only exact "
            f"between {SMALLEST:.0e} and {LARGEST:.0e}: give it in another unit."
        )
    return values


def index_of(y):
    """The index of what has one in pandas, or None."""
    return y.index if isinstance(y, pd.Series | pd.DataFrame) else None


def without_season(values, period):
    """Take the mean of each place in the season away.

    Parameters
    ----------
    values : ndarray of shape (n,)
        A series.
    period : int
        Rows of a season.

    Returns
    -------
    ndarray of shape (n,)
        What is left, with mean zero.

    Examples
    --------
    >>> import numpy as np
    >>> without_season(np.array([1.0, 5.0, 3.0, 7.0]), 2)
    array([-1., -1.,  1.,  1.])
    """
    place = np.arange(len(values)) % period
    means = np.bincount(place, values) / np.bincount(place)
    return values - means[place]


def is_int(value, least=1):
    """Whether a value is a whole number from `least` on."""
    return isinstance(value, Integral) and not isinstance(value, bool) and value >= least


def check_count(name, value, least=1):
    """Refuse what is no whole number, or too small a one.

    Parameters
    ----------
    name : str
        How to call it in a sentence.
    value : object
        What was given.
    least : int, default=1
        The smallest that is allowed.

    Raises
    ------
    ValueError
        When it is no int, or below `least`.
    """
    if not is_int(value, least):
        raise ValueError(f"{name} must be an int >= {least}. Got {value!r} instead.")
