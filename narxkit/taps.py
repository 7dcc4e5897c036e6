"""Lag specifications, the taps they become, and the segments that taps read from.

A tap is one number that the network sees: a column of y or of X, some rows back. The lagged
vector of row t is

    z_t = [ y_{t-l} for every output and its lags,  u_{t-l} for every input and its lags ]

so ``output_lags=2, input_lags=1`` gives ``z_t = [y_{t-1}, y_{t-2}, u_t, u_{t-1}]``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from numbers import Integral

import numpy as np

from narxkit._core import Measured

MOST_LAGS = 10**6  # more than any network can read; a number of them stands for a tuple


@dataclass(frozen=True)
class Taps:
    """Which column is read how many rows back.

    Attributes
    ----------
    output_lags : tuple of int
        Lags of every output, at least 1 each; empty for a network without feedback.
    input_lags : tuple of tuple of int
        One tuple of lags for each input column; negative lags are leads.
    n_outputs : int
        Number of columns of y.
    """

    output_lags: tuple[int, ...]
    input_lags: tuple[tuple[int, ...], ...]
    n_outputs: int = 1

    @cached_property
    def outputs(self):
        """(column of y, lag) of each output tap, in the order of the lagged vector."""
        return tuple((j, lag) for j in range(self.n_outputs) for lag in self.output_lags)

    @cached_property
    def inputs(self):
        """(column of X, lag) of each input tap, in the order of the lagged vector."""
        return tuple((i, lag) for i, lags in enumerate(self.input_lags) for lag in lags)

    @property
    def n_taps(self):
        return len(self.outputs) + len(self.inputs)

    @property
    def n_inputs(self):
        return len(self.input_lags)

    @property
    def max_lag(self):
        """Rows of history that a prediction needs."""
        return max([self.max_output_lag, *(lag for _, lag in self.inputs)])

    @property
    def max_output_lag(self):
        return max(self.output_lags, default=0)

    @property
    def lead(self):
        """Rows after its own that a prediction needs."""
        return max([0, *(-lag for _, lag in self.inputs)])

    def names(self, inputs, outputs):
        """Readable names of the taps, such as ``"ghi[t-1]"``."""
        return [
            f"{name[column]}[t{-lag:+d}]" if lag else f"{name[column]}[t]"
            for name, taps in ((outputs, self.outputs), (inputs, self.inputs))
            for column, lag in taps
        ]


def make_taps(input_lags, output_lags, columns=(), n_outputs=1):
    """Read lag specifications.

    Parameters
    ----------
    input_lags : int, sequence of int or dict
        L means lags 0..L; a sequence means exactly those lags, negative ones are leads; a dict
        gives each column its own and must name every column (``[]`` removes one).
    output_lags : int or sequence of int
        K means lags 1..K; a sequence means exactly those lags, at least 1 each.
    columns : sequence
        Names of the input columns; positions for arrays.
    n_outputs : int
        Number of outputs.

    Returns
    -------
    Taps

    Raises
    ------
    ValueError
        When a lag is of the wrong kind or a column has no entry in the dict.

    Examples
    --------
    >>> make_taps({"sun": 1, "rain": [24]}, 2, columns=["sun", "rain"])
    Taps(output_lags=(1, 2), input_lags=((0, 1), (24,)), n_outputs=1)
    """
    outputs = _read_lags(output_lags, "output_lags", first=1)
    if isinstance(input_lags, Mapping):
        inputs = _read_each_column(input_lags, columns)
    else:
        inputs = (_read_lags(input_lags, "input_lags", first=0),) * len(columns)
    return Taps(outputs, inputs, n_outputs)


def _read_each_column(input_lags, columns):
    columns = list(columns)
    missing = [c for c in columns if c not in input_lags]
    unknown = [c for c in input_lags if c not in columns]
    if unknown:
        raise ValueError(
            f"input_lags names the columns {unknown}, but X has the columns {columns}: "
            "correct the names."
        )
    if missing:
        raise ValueError(
            f"input_lags gives no lags for the columns {missing} of X: name every column, "
            f"for example {missing[0]!r}: 1, or {missing[0]!r}: [] to leave it out."
        )
    return tuple(_read_lags(input_lags[c], f"input_lags[{c!r}]", first=0) for c in columns)


def _read_lags(lags, name, first):
    """0..L or 1..K from a number, exactly those from a sequence."""
    if is_int(lags) and lags >= 0:
        _refuse_endless(lags, name)
        return tuple(range(first, int(lags) + 1))
    is_sequence = isinstance(lags, Sequence) and not isinstance(lags, str)
    is_sequence |= isinstance(lags, np.ndarray) and lags.ndim == 1
    _refuse_endless(len(lags) if is_sequence else 0, name)
    if not is_sequence or not all(is_int(lag) for lag in lags):
        kinds = f"an int >= 0 (lags {first}..{'K' if first else 'L'}), a sequence of ints"
        kinds += " or a dict of column: lags" if name == "input_lags" else ""
        raise ValueError(f"{name} must be {kinds}. Got {lags!r} instead.")
    lags = tuple(int(lag) for lag in lags)
    if first and min(lags, default=first) < first:
        raise ValueError(
            f"{name} must be at least {first}: an output is not known at its own time. "
            f"Got {min(lags)}."
        )
    if len(set(lags)) < len(lags):
        raise ValueError(f"{name} holds a lag twice: {list(lags)}. Name each lag once.")
    return lags


def _refuse_endless(n_lags, name):
    if n_lags > MOST_LAGS:
        raise ValueError(
            f"{name} must hold at most {MOST_LAGS:,} lags. Got {n_lags:,}: give the lags that "
            "matter as a sequence."
        )


def is_int(value):
    """Whether a value is a whole number, which True is not."""
    return isinstance(value, Integral) and not isinstance(value, (bool, np.bool_))


def is_count(value):
    """Whether a value is a whole number from 1 on."""
    return is_int(value) and value >= 1


@dataclass(frozen=True)
class Segments:
    """Rows of a table, cut into segments that no lag, rollout or score crosses.

    Attributes
    ----------
    u : ndarray of shape (n, n_inputs)
        Inputs.
    y : ndarray of shape (n, n_outputs)
        Outputs, NaN where missing.
    edges : ndarray of shape (n_segments + 1,)
        First row of each segment, and n.
    low, high : ndarray of shape (n, n_outputs) or None
        Bounds of the outputs, NaN where there is none.
    times : pandas.Index or None
        Time stamps of the rows, where there is a clock.
    name_row : callable
        How to name a row to a reader, by its position.
    """

    u: np.ndarray
    y: np.ndarray
    edges: np.ndarray
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    times: object = None
    name_row: Callable = "row {}".format

    def __len__(self):
        return len(self.y)

    @cached_property
    def measured(self):
        """The same rows as kernels read them."""
        return Measured(self.u, self.y, self.low, self.high)

    @cached_property
    def starts(self):
        """First row of each row's segment."""
        return np.repeat(self.edges[:-1], np.diff(self.edges))

    @cached_property
    def stops(self):
        """First row after each row's segment."""
        return np.repeat(self.edges[1:], np.diff(self.edges))

    def reachable(self, taps):
        """Rows whose taps all lie inside their segment, as a mask."""
        t = np.arange(len(self))
        return (t - taps.max_lag >= self.starts) & (t + taps.lead < self.stops)

    def known(self, taps):
        """Reachable rows whose taps are all there (not NaN), as a mask."""
        return self.known_inputs(taps) & self._are_there(taps, self.y, taps.outputs)

    def known_inputs(self, taps):
        """Reachable rows whose input taps are all there, as a mask."""
        return self._are_there(taps, self.u, taps.inputs)

    def known_history(self, taps):
        """Reachable rows with all outputs there, back to the largest lag of an output."""
        lags = range(1, taps.max_output_lag + 1)
        pairs = [(column, lag) for column in range(taps.n_outputs) for lag in lags]
        return self._are_there(taps, self.y, pairs)

    def _are_there(self, taps, values, pairs):
        """Reachable rows of which these columns and lags are not NaN, as a mask."""
        there = self.reachable(taps)
        rows, finite = np.flatnonzero(there), np.isfinite(values)
        for column, lag in () if finite.all() else pairs:
            there[rows] &= finite[rows - lag, column]
        return there

    def tapped(self, taps, rows):
        """The lagged vectors of some rows, (len(rows), n_taps)."""
        columns = [self.y[rows - lag, column] for column, lag in taps.outputs]
        columns += [self.u[rows - lag, column] for column, lag in taps.inputs]
        return np.stack(columns, axis=1)

    def gaps(self, taps):
        """(start, length) of the rows to fill: reachable, with a missing output.

        Rows that follow each other and miss all outputs make one gap; a row that misses only
        some stands alone.
        """
        missing = np.isnan(self.y)
        rows = np.flatnonzero(missing.any(axis=1) & self.reachable(taps))
        alone = ~missing[rows].all(axis=1)
        begins = np.ones(len(rows), dtype=bool)
        begins[1:] = (np.diff(rows) > 1) | alone[1:] | alone[:-1]
        begins |= np.isin(rows, self.edges)
        at = np.append(np.flatnonzero(begins), len(rows))
        return list(zip(rows[at[:-1]].tolist(), np.diff(at).tolist()))

    def clip(self, origins, y_hat):
        """Predictions (n, steps, n_outputs) from the rows `origins` on, put between the bounds."""
        if self.low is None:
            return y_hat
        rows = origins[:, None] + np.arange(y_hat.shape[1])
        rows = np.minimum(rows, len(self) - 1)
        for bound, is_beyond in ((self.low[rows], np.less), (self.high[rows], np.greater)):
            y_hat = np.where(is_beyond(y_hat, bound), bound, y_hat)
        return y_hat

    def last_block(self, fraction):
        """The last rows of each segment, as a mask."""
        t, length = np.arange(len(self)), self.stops - self.starts
        return t >= self.stops - np.ceil(fraction * length).astype(int)

    def window(self, start, stop):
        """Some rows of one segment, as a segment of their own."""

        def cut(values):
            return None if values is None else values[start:stop]

        edges = np.array([0, stop - start])
        columns = (self.low, self.high, self.times)
        return Segments(cut(self.u), cut(self.y), edges, *map(cut, columns))

    def replace(self, **changes):
        """A copy with other fields."""
        return replace(self, **changes)
