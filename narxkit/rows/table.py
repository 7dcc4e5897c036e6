"""From what users pass to checked arrays: the one door to scikit-learn's private helpers.

A `Table` holds rows as they were given and knows how they follow each other: which series they
belong to, and where a seam (a jump of the clock, another segment label, another series) ends a
segment.
"""

from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from numbers import Integral, Number, Real

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.validation import (
    _check_sample_weight,
    _num_samples,
    validate_data,
)

from narxkit._checks import is_int
from narxkit._stored import stored
from narxkit._warn import warn
from narxkit.rows.calendar import dates_of, names_of_days
from narxkit.rows.clock import Clock, take
from narxkit.rows.labels import (
    as_clock,
    common_index,
    is_elapsed,
    labels_of,
    no_date_among,
    read_index,
    read_segment_labels,
    refuse_other_labels,
    step_of_numbers,
)
from narxkit.rows.masks import unmasked
from narxkit.rows.segments import Segments

_REAL = "iufb"  # kinds of dtypes
_TIMES = {
    "datetime": "time stamps",
    "datetime64": "time stamps",
    "date": "dates",
    "time": "times of day",
    "period": "periods of time",
    "timedelta": "durations",
    "timedelta64": "durations",
}


@stored
@dataclass(frozen=True)
class Table:
    """Checked rows.

    Attributes
    ----------
    X : ndarray of shape (n, n_features)
        Inputs as given; no columns without X.
    y : ndarray of shape (n, n_outputs) or None
        Outputs as given.
    y_ndim : int
        1 or 2: how y was given.
    columns : list or None
        Names of the columns of X, where it is a frame.
    outputs : list
        Names of the outputs (None for arrays).
    index : pandas.Index or None
        Labels of the rows.
    times : pandas.Index or None
        Their time stamps, where there is a clock.
    clocks : dict
        The clock of each series, which tells seams; empty where there is none.
    series : dict
        Key of each series (None without a MultiIndex) and the positions of its rows.
    weight : ndarray of shape (n,) or None
        Sample weights.
    labels : ndarray of shape (n,) or None
        Segment labels.
    """

    X: np.ndarray
    y: np.ndarray | None
    y_ndim: int
    columns: list | None
    outputs: list | None
    index: pd.Index | None
    times: pd.Index | None
    clocks: dict
    series: dict
    weight: np.ndarray | None = None
    labels: np.ndarray | None = None

    def __len__(self):
        return len(self.X)

    @property
    def order(self):
        """Positions of the rows, series after series."""
        return np.concatenate(list(self.series.values()))

    @property
    def edges(self):
        """Edges of the segments, in `order`."""
        cuts = np.concatenate(list(self.cuts.values()))
        return np.append(np.flatnonzero(cuts), len(self))

    @cached_property
    def cuts(self):
        """Which rows of each series begin a segment."""
        return {key: self._cuts_of(key, rows) for key, rows in self.series.items()}

    def _cuts_of(self, key, rows):
        cut = np.zeros(len(rows), dtype=bool)
        if key in self.clocks:
            cut |= self.clocks[key].breaks(take(self.times, rows))
        if self.labels is not None:
            cut[1:] |= self.labels[rows[1:]] != self.labels[rows[:-1]]
        cut[:1] = True
        return cut

    def in_order(self, values):
        """Return values of the rows in `order`; the same ones, no copy, where they stand so."""
        return values if values is None or self._is_in_order else values[self.order]

    @cached_property
    def _is_in_order(self):
        """Whether the rows stand series after series."""
        stop = 0
        for rows in self.series.values():
            stop += len(rows)
            if rows[0] != stop - len(rows) or rows[-1] != stop - 1:
                return False
        return True

    def segments(self, inputs, low=None, high=None):
        """Take the rows in `order`, cut at the seams; `inputs` are columns for taps, ascending."""
        X = self.X if len(inputs) == self.X.shape[1] else self.X[:, inputs]
        return Segments(
            u=np.ascontiguousarray(self.in_order(X)),
            y=np.ascontiguousarray(self.in_order(self.y)),
            edges=self.edges,
            low=self.in_order(low),
            high=self.in_order(high),
            times=self.in_order(self.times),
            name_row=lambda row: self.label(self.order[row]),
        )

    def replace(self, **changes):
        """Return a copy with other fields."""
        return replace(self, **changes)

    def first(self, n):
        """Return the first n rows of each series."""
        series = {key: np.arange(n) + i * n for i, key in enumerate(self.series)}
        keep = np.concatenate([rows[:n] for rows in self.series.values()])
        return self.replace(
            X=self.X[keep],
            index=take(self.index, keep),
            times=None if self.times is None else take(self.times, keep),
            series=series,
        )

    def kept(self):
        """Return a copy that keeps no memory of others, and of labels where they change."""
        labels = None if self.labels is None else pd.factorize(self.labels)[0]
        y = None if self.y is None else self.y.copy()
        return self.replace(X=self.X.copy(), y=y, labels=labels)

    def label(self, row):
        """Return how to name a row to a reader."""
        return _label(row, self.index)

    def times_of(self, rows):
        """Return the time stamps of some rows, or None where there is no clock."""
        return None if self.times is None else take(self.times, rows)

    def row_labels(self, rows):
        """Return the labels of some rows inside their series, or None where rows have none."""
        return None if self.index is None else self._labels_inside[rows]

    @cached_property
    def _labels_inside(self):
        """The labels of all rows, without the names of the series."""
        is_panel = isinstance(self.index, pd.MultiIndex)
        return self.index.get_level_values(-1) if is_panel else self.index

    @property
    def is_elapsed(self):
        """Whether the rows are labelled by elapsed times."""
        return is_elapsed(self.index)

    def next_number(self, rows):
        """Return the number after the label of the last row, and the step to the one after that."""
        labels = None if self.times is not None else self.row_labels(rows)
        if labels is not None:
            step, last = step_of_numbers(labels), labels[-1]
            if step is not None:
                return type(step)(last) + step, step
            if is_int(last):
                return int(last) + 1, 1
        return int(rows[-1]) + 1, 1


def read_table(estimator, X, y=None, *, sample_weight=None, segments=None, history=None):
    """Check what a verb was given.

    Parameters
    ----------
    estimator : Forecaster
        Its number and names of features are compared, or set where there is no history.
    X : array-like of shape (n, n_features) or None
        Inputs.
    y : array-like of shape (n,) or (n, n_outputs), optional
        Outputs.
    sample_weight : array-like of shape (n,), optional
        Weights of the rows.
    segments : array-like of shape (n,), optional
        Segment labels of the rows.
    history : History, optional
        The rows seen before, whose clocks these rows go on with; none in ``fit``.

    Returns
    -------
    Table
    """
    reset = history is None
    if reset and y is None:
        raise ValueError(
            f"{type(estimator).__name__} requires y to be passed, but the target y is None. "
            "Give fit(X, y), or fit(None, y) for a series without inputs."
        )
    # the labels come first, so that what is refused below is named by them
    index, owner = common_index(X=X, y=y)
    columns = _names_of_inputs(X)
    X = _read_X(estimator, X, y, reset, index)
    given, y = y, None if y is None else read_outputs(y, index=index)
    outputs, y_ndim = names_of_outputs(given)
    # NaN is a missing value, which has a meaning; an infinite one has none
    refuse_infinite(X, "X", index, getattr(estimator, "feature_names_in_", None))
    if y is not None:
        check_consistent_length(X, y)
        refuse_infinite(y, "y", index, outputs)
    labels = None if segments is None else read_segment_labels(segments, len(X))
    refuse_other_labels(index, owner, labels_of(segments, "segments"), "segments")
    refuse_other_labels(index, owner, labels_of(sample_weight, "sample_weight"), "sample_weight")
    times, series = read_index(index, owner, len(X), labels)
    if reset:
        _warn_of_text(index, owner)
    if times is not None and history is not None:
        times = history.in_zone(times)
    return Table(
        X=X,
        y=y,
        y_ndim=y_ndim,
        columns=columns,
        outputs=outputs,
        index=index,
        times=times,
        clocks={} if times is None else _read_clocks(history, index, times, series),
        series=series,
        weight=None if sample_weight is None else _read_weight(sample_weight, X),
        labels=labels,
    )


def _refuse_no_table(values, name):
    """Raise for what is no table of numbers: recordings in a list, times, columns of one name."""
    if isinstance(values, (list, tuple)):
        _refuse_recordings(values, name)
    if isinstance(values, pd.DataFrame):
        _refuse_columns(values, name)
    elif not issparse(values) and not isinstance(values, Number) and not _is_frame(values):
        _refuse_no_array(np.asarray(values), name, type(values).__name__)
    for column, part in _odd_columns(values):
        # a categorical column is what its categories are
        kind = pd.api.types.infer_dtype(getattr(part.dtype, "categories", part), skipna=True)
        whose = name if column is None else f"the column {column!r} of {name}"
        if kind in _TIMES:
            is_other = _is_frame(values) and not isinstance(values, pd.DataFrame)
            refusal = _refusal_in_other_frame if is_other else _refusal_of_times
            raise ValueError(refusal(name, column, whose, _TIMES[kind]))
        if kind == "complex":
            raise ValueError(
                f"Complex data not supported: {whose} holds complex numbers. Give real and "
                "imaginary part as columns of their own."
            )


def _is_frame(values):
    """Return whether the columns have names, so that each is read by itself."""
    return not isinstance(values, pd.Series) and _names_of_inputs(values) is not None


def _refuse_no_array(array, name, kind):
    if array.ndim == 0:
        raise TypeError(f"{name} must be an array or a frame of numbers. Got {kind} instead.")
    if array.dtype.names:
        raise TypeError(f"{name} is a structured array: give pd.DataFrame({name}) instead.")


def _refuse_columns(frame, name):
    if name != "X" and not frame.shape[1]:
        raise ValueError(f"{name} has no columns: give a frame with at least one, or an array.")
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise ValueError(
            f"{name} has {(frame.columns == twice).sum()} columns named {twice!r}: rename them "
            "or leave all but one out."
        )


def _refuse_recordings(values, name):
    """Raise where a list holds tables, or parts of different lengths."""
    no_parts = (str, bytes, type(np.ma.masked))
    sizes = [len(v) for v in values if hasattr(v, "__len__") and not isinstance(v, no_parts)]
    first = values[0] if len(values) else None
    if len(set(sizes)) > 1 or getattr(first, "ndim", 0) == 2:
        shown = ", ".join(map(str, sizes[:3])) + (", ..." if len(sizes) > 3 else "")
        raise ValueError(
            f"{name} is a list of {len(values)} parts (of {shown} rows), but it must be one table: "
            "join recordings, for example with np.concatenate, and tell them apart by segments, "
            "one label for each row, or join frames with pd.concat(..., keys=names), a MultiIndex "
            "(series, time)."
        )


def _odd_columns(values):
    """Return name and values of each column of another type than real numbers."""
    if isinstance(values, pd.DataFrame):
        odd = [i for i, dtype in enumerate(values.dtypes) if dtype.kind not in _REAL]
        return [(values.columns[i], values.iloc[:, i]) for i in odd]
    if isinstance(values, (pd.Series, pd.Index)):
        return [] if values.dtype.kind in _REAL else [(None, values)]
    if (names := _names_of_inputs(values)) is not None:
        columns = [(name, np.asarray(values[name])) for name in names]
        return [pair for pair in columns if pair[1].dtype.kind not in _REAL]
    array = np.asarray(values)
    if array.dtype.kind in _REAL or array.ndim not in (1, 2):
        return []
    return [(None, array)] if array.ndim == 1 else list(enumerate(array.T))


def _refusal_in_other_frame(name, column, whose, what):
    """Refuse times in a frame that has no index to hold them."""
    if what == "durations":
        return _refusal_of_times(name, column, whose, what)
    return (
        f"{whose} holds {what}: read the whole table by from_long(frame, id=None, "
        f"time={column!r}, target=...), which makes them the index, or leave it out."
    )


def _refusal_of_times(name, column, whose, what):
    if what == "durations":
        return f"{whose} holds durations: give them as numbers, for example of seconds or hours."
    if name == "X" and isinstance(column, str):
        return f"{whose} holds {what}: make it the index, X.set_index({column!r}), or leave it out."
    return f"{whose} holds {what}, which are no measurements: give numbers, and times as the index."


@contextmanager
def _naming_text(values, name, index):
    """Name row and column of the text, or of another thing, that scikit-learn stumbles over."""
    try:
        yield
    except (TypeError, ValueError, OverflowError) as error:
        # errors of shape or size say what is wrong; those of a cell do not say where
        if isinstance(error, ValueError) and not _is_of_a_value(error):
            raise
        for column, part in _odd_columns(values):
            cells = np.asarray(part, dtype=object)
            row = next((i for i, cell in enumerate(cells) if not _is_float(cell)), None)
            if row is not None:
                where = _label(row, index) + ("" if column is None else f", column {column!r}")
                raise _refusal_of_cell(name, cells[row], where) from None
        raise


def _is_of_a_value(error):
    return any(said in str(error) for said in ("could not convert string", "setting an array"))


def _is_float(cell):
    """Return whether a cell can be read as a float or is missing."""
    if np.ndim(cell):
        return False
    try:
        float(cell)
    except (TypeError, ValueError, OverflowError):
        return pd.isna(cell) is True
    return True


def _refusal_of_cell(name, cell, where):
    if isinstance(cell, str):
        return ValueError(
            f"{name} holds text in {where}: could not convert string to float: {str(cell)!r}. Give "
            "numbers, NaN for a missing value, and words as numbers, for example by pd.get_dummies."
        )
    if isinstance(cell, Integral):
        return ValueError(
            f"{name} holds an int of {cell.bit_length()} bits in {where}, but floats end at 1024 "
            f"({np.finfo(float).max:.1e}): give it in another unit."
        )
    return TypeError(
        f"{name} holds {cell!r:.80} in {where}: the argument must be a string or a real number, "
        f"not {type(cell).__name__!r}. Give numbers, NaN for a missing value."
    )


def _names_of_inputs(X):
    """Return the names of X's columns, in any frame (Arrow: column_names); None of arrays."""
    if isinstance(X, pd.DataFrame):
        return list(X.columns)
    names = getattr(X, "column_names", getattr(X, "columns", None))
    is_named = names is not None and all(isinstance(name, str) for name in names)
    return list(names) if is_named else None


def _read_X(estimator, X, y, reset, index):
    name = type(estimator).__name__
    # a frame without columns brings labels alone
    has_columns = X is not None and not (isinstance(X, pd.DataFrame) and X.shape[1] == 0)
    floats = None if reset else _floats_as_fitted(estimator, X)
    if floats is not None:
        return floats
    if has_columns:
        _refuse_no_table(X, "X")
        with _naming_text(X, "X", index):
            return validate_data(
                estimator,
                unmasked(X),
                reset=reset,
                dtype=np.float64,
                order="C",
                ensure_all_finite=False,
                ensure_min_samples=2 if reset else 1,
            )
    if reset:
        estimator.n_features_in_ = 0
        if hasattr(estimator, "feature_names_in_"):
            del estimator.feature_names_in_  # of an earlier fit, with X
    elif estimator.n_features_in_:
        columns = list(getattr(estimator, "feature_names_in_", range(estimator.n_features_in_)))
        raise ValueError(f"this {name} was fitted with the columns {columns} of X: give them.")
    return np.empty((count_rows(y, "y") if X is None else count_rows(X, "X"), 0))


def _floats_as_fitted(estimator, X):
    """Return floats under just the columns of ``fit``, with nothing left to check; else None.

    scikit-learn takes most of the time of a short forecast to say so.
    """
    names = getattr(estimator, "feature_names_in_", None)
    if type(X) is pd.DataFrame and names is not None and X.columns.tolist() == names.tolist():
        X = X.to_numpy()
    elif type(X) is not np.ndarray or names is not None:
        return None
    is_checked = X.dtype == np.float64 and X.ndim == 2 and len(X)
    has_columns = is_checked and 0 < X.shape[1] == estimator.n_features_in_
    return np.ascontiguousarray(X) if has_columns else None


def count_rows(values, name):
    """Return the number of rows of an array or a frame, at least one."""
    n = _num_samples(values)
    if not n:
        raise ValueError(f"{name} has no rows: give at least one.")
    return n


def take_rows(values, rows):
    """Return rows of an array or a frame by their positions; None of None."""
    if values is None:
        return None
    return values.iloc[rows] if hasattr(values, "iloc") else np.asarray(values)[rows]


def read_outputs(y, name="y", index=None, min_samples=1):
    """Return outputs as floats of shape (n, n_outputs), NaN where they are missing or masked."""
    _refuse_no_table(y, name)
    # check_array takes most of the time of a short call, and finds nothing here
    if type(y) is pd.Series and y.dtype == np.float64 and len(y) >= max(min_samples, 1):
        return np.ascontiguousarray(y.to_numpy()[:, None])
    with _naming_text(y, name, index):
        y = check_array(
            unmasked(y),
            dtype=np.float64,
            ensure_2d=False,
            allow_nd=True,
            ensure_all_finite=False,
            ensure_min_samples=min_samples,
            input_name=name,
        )
    if y.ndim > 2:
        raise ValueError(f"{name} must have 1 or 2 dimensions. Got {y.ndim} instead.")
    return np.ascontiguousarray(y[:, None] if y.ndim == 1 else y)


def names_of_outputs(y):
    """Return the names of y's columns (None where there are none), and its number of dimensions."""
    if y is None:
        return None, 1
    if isinstance(y, pd.DataFrame):
        return list(y.columns), 2
    if isinstance(y, pd.Series):
        return [y.name], 1
    if _is_frame(y):  # of another library
        return _names_of_inputs(y), 2
    name, y = getattr(y, "name", None), np.asarray(y)
    if y.ndim == 1 and isinstance(name, str):
        return [name], 1
    return [None] * (y.shape[1] if y.ndim == 2 else 1), y.ndim


def refuse_infinite(values, name, index=None, columns=None):
    """Raise where a value is infinite, naming row and column."""
    bad = np.isinf(values)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        where = _label(row, index)
        if columns is not None and columns[column] is not None:
            where += f", column {columns[column]!r}"
        elif values.shape[1] > 1:
            where += f", column {column}"
        raise ValueError(
            f"{name} is infinite (inf) in {where}: give a number, or NaN for a missing value."
        )


def _label(row, index):
    if index is None:
        return f"row {row}"
    label = index[row]
    return f"row {row} ({', '.join(map(str, label)) if isinstance(label, tuple) else label})"


def _warn_of_text(index, owner):
    """Warn that labels of text, most likely dates that were not parsed, carry no clock."""
    level = index.levels[1] if isinstance(index, pd.MultiIndex) else index
    if level is not None and len(level) and isinstance(level[0], str):
        label, remedy = no_date_among(level)
        warn(
            f"the row labels of {owner} are text, such as {label!r}, and taken to follow each "
            f"other: {remedy} to have gaps and order checked."
        )


# --- seams of the clock --------------------------------------------------------------------------


def describe_seams(table, remedy):
    """Say how often the clock cuts the rows, where first, and what to do; "" where it does not."""
    seams = {
        key: table.series[key][clock.breaks(take(table.times, table.series[key]))]
        for key, clock in table.clocks.items()
    }
    cut = [key for key, rows in seams.items() if len(rows)]
    if not cut:
        return ""
    n = sum(len(seams[key]) for key in cut)
    return (
        f"the clock ({table.clocks[cut[0]].describe()}) is cut {'once' if n == 1 else f'{n} times'}"
        f", first before {table.label(seams[cut[0]][0])}: {_advise_week(table)}give {remedy}, "
        "rows for those that are left out, or numbers in place of times where the rows follow each "
        "other all the same"
    )


def _advise_week(table):
    """Return the freq of rows on some days of the week only, or ""."""
    is_one = len(table.series) == 1 and isinstance(table.index, pd.DatetimeIndex)
    week = _week_of(table.times) if is_one else None
    if week is None:
        return ""
    offset = f"pd.offsets.CustomBusinessDay(weekmask={names_of_days(week)!r})"
    return f"if the clock is that of a week, use y.asfreq({offset}), and so of X, or else "


def _week_of(times):
    """Return the days of the week that nearly always, and alone, have a row, or None."""
    wall = times.tz_localize(None)
    counts = np.bincount(wall.day_of_week, minlength=7)
    n_days = np.count_nonzero(counts)
    is_daily = (wall - wall.normalize()).nunique() == 1
    if not 2 <= n_days < 7 or len(wall) < 3 * n_days or not is_daily:
        return None
    week = "".join(np.where(counts > 0, "1", "0"))
    expected = np.busday_count(*dates_of(wall[[0, -1]]), weekmask=week) + 1
    return week if len(wall) > 0.8 * expected else None


def advise_asfreq(clock, times):
    """Say which asfreq makes the rows that a gap left out, where one does without harm; or ""."""
    is_known = clock is not None and times is not None and _is_on_grid(clock, times)
    return f", such as y.asfreq({clock.offset.freqstr!r}) makes" if is_known else ""


def _is_on_grid(clock, times):
    """Return whether the times are those that the name of a freq makes, wherever the series begins.

    Those of sessions and trading days are not: nights, weekends and holidays would be filled. Nor
    are days two apart, whose grid hangs on the first, or steps that jitter.
    """
    if clock.unit not in ("second", "month", "offset") or type(clock.offset) is pd.DateOffset:
        return False
    is_fixed = clock.unit == "second" and not isinstance(clock.offset, pd.offsets.Week)
    day, wall = pd.Timedelta(days=1), times.tz_localize(None)
    step = pd.Timedelta(seconds=clock.step) if is_fixed else day
    if step > day or day % step or ((wall - wall.normalize()) % step).any():
        return False
    return is_fixed or all(map(clock.offset.is_on_offset, wall))


def _read_clocks(state, index, times, series):
    """Return the clock of each series as seen before, or else read from its rows.

    A series too short to tell its step goes by the clock of the longest.
    """
    known = {key: state and state.clock(key, times[rows[:1]]) for key, rows in series.items()}
    shared = None if all(known.values()) else _shared_clock(index)
    clocks = {
        key: known[key] or Clock.from_index(take(times, rows), shared)
        for key, rows in series.items()
    }
    longest = clocks[max(series, key=lambda key: len(series[key]))]
    return {
        key: longest if len(series[key]) < 3 and clock.unit == "order" else clock
        for key, clock in clocks.items()
    }


def _shared_clock(index):
    """Return the clock of the time stamps of all series of a panel."""
    if not isinstance(index, pd.MultiIndex):
        return None
    level = as_clock(index.levels[1])
    # the levels of an index may stand in any order
    return Clock.from_index(level if level.is_monotonic_increasing else level.sort_values())


def _read_weight(sample_weight, X):
    if np.ma.is_masked(sample_weight):
        row = int(np.argmax(np.ma.getmaskarray(sample_weight)))
        raise ValueError(
            f"sample_weight is masked in row {row}: give each row a weight, 0 where it shall be "
            "history only."
        )
    if not isinstance(sample_weight, Real):
        _refuse_no_table(sample_weight, "sample_weight")
    with _naming_text(sample_weight, "sample_weight", None):
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
    if not weight.any():  # scikit-learn refuses them from 1.9 on
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return weight
