"""From what users pass to checked arrays: the one door to scikit-learn's private helpers.

A `Table` holds rows as they were given and knows how they follow each other: which series they
belong to, and where a seam (a jump of the clock, another segment label, another series) ends a
segment.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from numbers import Integral, Real

import numpy as np
import pandas as pd
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_sample_weight, _num_samples, validate_data

from narxkit._clock import Clock, common_index, read_index
from narxkit._warn import warn
from narxkit.taps import Segments, is_int

__all__ = ["Interval", "Integral", "Real", "StrOptions", "Table", "read_table"]


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
            cut |= self.clocks[key].breaks(self.times[rows])
        if self.labels is not None:
            cut[1:] |= self.labels[rows[1:]] != self.labels[rows[:-1]]
        cut[:1] = True
        return cut

    def segments(self, inputs, low=None, high=None):
        """The rows in `order`, cut at the seams; `inputs` are the columns that taps may read."""
        order = self.order
        return Segments(
            u=np.ascontiguousarray(self.X[order][:, inputs]),
            y=np.ascontiguousarray(self.y[order]),
            edges=self.edges,
            low=None if low is None else low[order],
            high=None if high is None else high[order],
            times=None if self.times is None else self.times[order],
        )

    def replace(self, **changes):
        """A copy with other fields."""
        return replace(self, **changes)

    def first(self, n):
        """The first n rows of each series."""
        series = {key: np.arange(n) + i * n for i, key in enumerate(self.series)}
        keep = np.concatenate([rows[:n] for rows in self.series.values()])
        return self.replace(
            X=self.X[keep],
            index=self.index[keep],
            times=None if self.times is None else self.times[keep],
            series=series,
        )

    def label(self, row):
        """How to name a row to a reader."""
        return _label(row, self.index)

    def next_number(self, rows):
        """The number after the label of the last row, where labels are numbers."""
        if self.index is not None and self.times is None:
            label = self.index[rows[-1]]
            number = label[1] if isinstance(self.index, pd.MultiIndex) else label
            if is_int(number):
                return int(number) + 1
        return int(rows[-1]) + 1


def read_table(estimator, X, y=None, *, sample_weight=None, segments=None, reset=False):
    """Check what a verb was given.

    Parameters
    ----------
    estimator : Forecaster
        Its number and names of features are set (`reset`) or compared.
    X : array-like of shape (n, n_features) or None
        Inputs.
    y : array-like of shape (n,) or (n, n_outputs), optional
        Outputs.
    sample_weight : array-like of shape (n,), optional
        Weights of the rows.
    segments : array-like of shape (n,), optional
        Segment labels of the rows.
    reset : bool
        True in ``fit``.

    Returns
    -------
    Table
    """
    if reset and y is None:
        raise ValueError(
            f"{type(estimator).__name__} requires y to be passed, but the target y is None."
        )
    index, owner = common_index(X=X, y=y)
    columns = list(X.columns) if isinstance(X, pd.DataFrame) else None
    outputs, y_ndim = names_of_outputs(y)
    X = _read_X(estimator, X, y, reset)
    y = None if y is None else _read_y(y)
    refuse_infinite(X, "X", index, getattr(estimator, "feature_names_in_", None))
    if y is not None:
        check_consistent_length(X, y)
        refuse_infinite(y, "y", index, outputs)
    times, series = read_index(index, owner, len(X))
    if reset:
        _warn_of_text(index, owner)
    state = None if reset else estimator._state
    if times is not None and state is not None:
        times = state.in_zone(times)
    return Table(
        X=X,
        y=y,
        y_ndim=y_ndim,
        columns=columns,
        outputs=outputs,
        index=index,
        times=times,
        clocks={} if times is None else _read_clocks(state, times, series),
        series=series,
        weight=None if sample_weight is None else _read_weight(sample_weight, X),
        labels=None if segments is None else _read_labels(segments, X),
    )


def _read_X(estimator, X, y, reset):
    name = type(estimator).__name__
    has_columns = X is not None and not (isinstance(X, pd.DataFrame) and X.shape[1] == 0)
    if has_columns:
        _refuse_time_columns(X)
        return validate_data(
            estimator,
            X,
            reset=reset,
            dtype=np.float64,
            order="C",
            ensure_all_finite=False,
            ensure_min_samples=2 if reset else 1,
        )
    if reset:
        estimator.n_features_in_ = 0
        if hasattr(estimator, "feature_names_in_"):
            del estimator.feature_names_in_
    elif estimator.n_features_in_:
        columns = list(getattr(estimator, "feature_names_in_", range(estimator.n_features_in_)))
        raise ValueError(f"this {name} was fitted with the columns {columns} of X: give them.")
    return np.empty((_num_samples(y if X is None else X), 0))


def _refuse_time_columns(X):
    if isinstance(X, pd.DataFrame):
        stamps = [c for c, kind in X.dtypes.items() if pd.api.types.is_datetime64_any_dtype(kind)]
        if stamps:
            raise ValueError(
                f"the column {stamps[0]!r} of X holds time stamps: make it the index, "
                f"X.set_index({stamps[0]!r}), or leave it out."
            )


def _read_y(y):
    y = check_array(
        y,
        dtype=np.float64,
        ensure_2d=False,
        allow_nd=True,
        ensure_all_finite=False,
        input_name="y",
    )
    if y.ndim > 2:
        raise ValueError(f"y must have 1 or 2 dimensions. Got {y.ndim} instead.")
    return np.ascontiguousarray(y[:, None] if y.ndim == 1 else y)


def names_of_outputs(y):
    """Names of the columns of y (None where they have none), and its number of dimensions."""
    if y is None:
        return None, 1
    if isinstance(y, pd.DataFrame):
        return list(y.columns), 2
    if isinstance(y, pd.Series):
        return [y.name], 1
    y = np.asarray(y)
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
    return f"row {row}" if index is None else f"row {row} ({index[row]})"


def _warn_of_text(index, owner):
    """Dates that were not parsed are the likeliest labels of text."""
    level = index.levels[1] if isinstance(index, pd.MultiIndex) else index
    if level is not None and len(level) and isinstance(level[0], str):
        warn(
            f"the row labels of {owner} are text, such as {level[0]!r}, and taken to follow each "
            "other: read them with pandas.to_datetime to have gaps and order checked."
        )


def _read_clocks(state, times, series):
    """The clock of each series as seen before, or else read from its rows.

    A series too short to tell its step goes by the clock of the longest.
    """
    clocks = {
        key: (state and state.clock(key, times[rows])) or Clock.from_index(times[rows])
        for key, rows in series.items()
    }
    longest = clocks[max(series, key=lambda key: len(series[key]))]
    return {
        key: longest if len(series[key]) < 3 and clock.unit == "order" else clock
        for key, clock in clocks.items()
    }


def _read_weight(sample_weight, X):
    weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
    if not weight.any():  # scikit-learn refuses them from 1.9 on
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return weight


def _read_labels(segments, X):
    labels = np.asarray(segments)
    if labels.ndim != 1:
        raise ValueError(
            f"segments must be one label for each row, an array of shape ({len(X)},). "
            f"Got the shape {labels.shape}."
        )
    check_consistent_length(X, labels)
    missing = pd.isna(labels)
    if missing.any():
        raise ValueError(
            f"segments has no label (NaN) in row {int(np.argmax(missing))}: name each segment."
        )
    return labels
