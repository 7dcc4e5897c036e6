"""Input of diagnostics: one series as floats, and errors for what cannot be analysed."""

from numbers import Integral

import numpy as np
import pandas as pd
from scipy.sparse import issparse

from narxkit._warn import warn
from narxkit.rows.clock import Clock
from narxkit.rows.labels import as_clock, check_order, read_labels
from narxkit.rows.masks import unmasked

ROUNDING = 16 * np.finfo(float).eps  # of its size: what a constant may stray
MOST = 2**31 - 1  # of anything that is counted
SMALLEST, LARGEST = 1e-60, 1e60  # sums of fourth powers stay far from the ends of floats

N_ROWS = 40  # that lags are suggested from, at least


def read_values(x, n_min, name="x", allow_nan=False, allow_constant=False):
    """Read a series.

    Parameters
    ----------
    x : array-like of shape (n,) or (n, 1)
        Values in the order of time; what an array masks is missing.
    n_min : int
        The fewest that can be analysed.
    name : str
        How to call it in a sentence.
    allow_nan : bool
        Whether values may be missing, and the clock may jump.
    allow_constant : bool
        Whether all values may be the same.

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

    Warns
    -----
    UserWarning
        When its clock jumps: the rows are analysed as if evenly spaced.
    """
    _check_index(x, name, may_jump=allow_nan)
    values = _as_floats(x, name)
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
    size = np.abs(known).max()
    if is_constant(known):
        if allow_constant:
            return values
        raise ValueError(f"{name} is constant, at {known[0]:g}: there is nothing to analyse.")
    if not SMALLEST < size < LARGEST:
        raise ValueError(
            f"{name} is at most {size:.0e} in size, but powers of it are only exact between "
            f"{SMALLEST:.0e} and {LARGEST:.0e}: give it in another unit."
        )
    return values


def is_constant(values):
    """Tell whether finite values differ by no more than rounding.

    Examples
    --------
    >>> import numpy as np
    >>> is_constant(np.array([0.3, 0.1 + 0.2])), is_constant(np.array([0.3, 0.31]))
    (True, False)
    """
    return bool(np.ptp(values) <= ROUNDING * np.abs(values).max())


def _check_index(x, name, may_jump):
    """Refuse a panel and a clock that runs backwards; warn of one that jumps."""
    if not isinstance(x, pd.Series | pd.DataFrame):
        return
    n_series = x.index.droplevel(-1).nunique() if x.index.nlevels > 1 else 1
    if n_series > 1:
        raise ValueError(
            f"{name} holds {n_series} series: give one at a time, such as "
            f"{name}.loc[{x.index[0][0]!r}]."
        )
    index = index_of(x, name)
    check_order(index, name)
    jumps = jumps_of(index)
    if len(jumps) and not may_jump:
        row = jumps[0]
        warn(
            f"the clock of {name} jumps {len(jumps)} time{'s' if len(jumps) > 1 else ''}, first "
            f"from {index[row - 1]} to {index[row]}: rows are analysed as if evenly spaced. Fill "
            "what is missing, or give the longest stretch."
        )


def jumps_of(index):
    """Find the rows that do not follow the row before them.

    Parameters
    ----------
    index : Index or None
        The clock, if it is one.

    Returns
    -------
    ndarray of int
        Their positions; none where they come at even distances, as the mornings of opening hours.
    """
    times = as_clock(index)
    clock = None if index is None else Clock.from_index(times)
    jumps = np.empty(0, int) if clock is None else np.flatnonzero(clock.breaks(times))
    is_rhythm = len(jumps) > 2 and np.ptp(np.diff(jumps)) == 0
    return jumps[:0] if is_rhythm else jumps


def _as_floats(x, name):
    """Return values as floats of shape (n,), NaN where masked."""
    refuse_sparse(x, name)
    try:
        is_pandas = isinstance(x, pd.DataFrame | pd.Series)
        values = x.to_numpy() if is_pandas else np.asarray(unmasked(x))
    except ValueError:
        raise ValueError(
            f"{name} must be one series, but its parts have different lengths: give one at a time."
        ) from None
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
        return values.astype(float)
    except OverflowError:
        raise ValueError(f"{name} holds integers that are too large for a float.") from None
    except (TypeError, ValueError):
        raise ValueError(f"{name} must hold numbers. Got dtype {values.dtype} instead.") from None


def refuse_sparse(x, name):
    """Refuse a sparse array, of which NumPy makes no table."""
    if issparse(x):
        raise ValueError(f"{name} is sparse: give {name}.toarray() instead.")


def index_of(y, name="y"):
    """Return the index of a series in pandas, times read, without its name in a panel, or None."""
    if not isinstance(y, pd.Series | pd.DataFrame):
        return None
    return read_labels(y.index.get_level_values(-1), name)


def name_of(y):
    """Return the name of a series or of the one column of a frame, or None."""
    return y.columns[0] if isinstance(y, pd.DataFrame) else getattr(y, "name", None)


def without_season(values, period):
    """Subtract the mean of each place in the season.

    Parameters
    ----------
    values : ndarray of shape (n,)
        A series.
    period : int
        Rows of a season.

    Returns
    -------
    ndarray of shape (n,)
        The values without the season, with mean zero.

    Examples
    --------
    >>> import numpy as np
    >>> without_season(np.array([1.0, 5.0, 3.0, 7.0]), 2)
    array([-1., -1.,  1.,  1.])
    """
    place = np.arange(len(values)) % period
    means = np.bincount(place, values) / np.bincount(place)
    return values - means[place]


def is_row_count(value, least=1):
    """Tell whether a value is an integer of at least `least` that can count rows."""
    return isinstance(value, Integral) and not isinstance(value, bool) and least <= value <= MOST


def check_count(name, value, least=1):
    """Refuse what is no integer, or one that is too small.

    Parameters
    ----------
    name : str
        How to call it in a sentence.
    value : object
        The value given.
    least : int, default=1
        The smallest that is allowed.

    Raises
    ------
    ValueError
        When it is no int, or below `least`.
    """
    if not is_row_count(value, least):
        is_huge = isinstance(value, Integral) and value > MOST
        rule = f"from {least} to {MOST}" if is_huge else f">= {least}"
        raise ValueError(f"{name} must be an int {rule}. Got {value!r} instead.")


def choose(name, value, choices):
    """Refuse what is none of the choices."""
    scalar = isinstance(value, str | Integral) and not isinstance(value, bool)
    if not scalar or value not in choices:
        listed = ", ".join(map(repr, choices))
        raise ValueError(f"{name} must be one of {listed}. Got {value!r} instead.")
