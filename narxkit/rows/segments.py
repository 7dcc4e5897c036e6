"""Rows of a table, cut into segments."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from narxkit._core import Measured


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
    times: pd.Index | None = None
    name_row: Callable = "row {}".format

    def __len__(self):
        return len(self.y)

    @cached_property
    def measured(self):
        """The same rows as kernels read them."""
        return Measured(self.u, self.y, self.low, self.high)

    @cached_property
    def is_missing(self):
        """Which outputs are NaN."""
        return np.isnan(self.y)

    @cached_property
    def ones(self):
        """The weights of rows that have none of their own."""
        return np.ones(len(self))

    @cached_property
    def starts(self):
        """First row of each row's segment."""
        return np.repeat(self.edges[:-1], np.diff(self.edges))

    def starts_of(self, rows):
        """Return the first row of the segment of some rows."""
        return self.edges[np.searchsorted(self.edges, rows, side="right") - 1]

    @cached_property
    def stops(self):
        """First row after each row's segment."""
        return np.repeat(self.edges[1:], np.diff(self.edges))

    def reachable(self, reach):
        """Return rows whose taps all lie inside their segment, as a mask."""
        return self.between(self.edges[:-1] + reach.history, self.edges[1:] - reach.lead)

    def between(self, begins, stops):
        """Return rows from a first to the one before a last of each segment, as a mask."""
        # numbers of rows would take eight times the memory of a mask, and rows may be millions
        change, are_some = np.zeros(len(self) + 1, dtype=np.int8), begins < stops
        change[begins[are_some]] += 1
        change[stops[are_some]] -= 1
        return np.cumsum(change[:-1], dtype=np.int8).view(bool)

    def known(self, reach):
        """Return reachable rows whose taps are all there (not NaN), as a mask.

        Of what has a window the rows that may begin on their own output: a missing output is then
        one that was predicted before.
        """
        if reach.window:
            return self.known_inputs(reach) & self.known_history(reach)
        return self.known_inputs(reach) & self._are_there(reach, self.y, reach.outputs)

    def known_inputs(self, reach):
        """Return reachable rows whose input taps are all there, as a mask."""
        return self._are_there(reach, self.u, reach.inputs)

    def known_history(self, reach):
        """Return reachable rows with all outputs there, back to the largest lag of an output.

        Of what has a window the rows whose window can begin, and has all its inputs.
        """
        if not reach.window:
            return self._have_outputs(reach)
        t, begins = np.arange(len(self)), self.window_begins(reach)
        # a window has all inputs where none is missing from its first row to its last
        n_missing = np.concatenate(([0], np.cumsum(~self.known_inputs(reach))))
        has_window = begins <= t
        has_window[has_window] = n_missing[begins[has_window]] == n_missing[t[has_window]]
        return self.reachable(reach) & has_window

    def window_begins(self, reach):
        """Return the first row that is run before each row, to bring about the state there.

        Of the rows of the window, which a segment's start may shorten, it is the first with all
        outputs of its history measured: what is missing behind it is predicted by the run itself.
        A run over a missing output begins before it, up to the largest lag of an output earlier.
        Where there is none, it is a row behind. Computed once: every batch of a training asks.
        """
        begins = self._window_begins.get(reach)
        if begins is None:
            t, n, may_begin = np.arange(len(self)), len(self), self._have_outputs(reach)
            start = self.starts + reach.history
            first = np.minimum(np.maximum(t - reach.window, start), n)
            last_begin = np.maximum.accumulate(np.where(may_begin, t, -1))
            next_begin = np.minimum.accumulate(np.where(may_begin, t, n)[::-1])[::-1]
            before, behind = np.append(last_begin, -1)[first], np.append(next_begin, n)[first]
            # a run from before the gap bridges it: the state behind it is as old as any other
            bridges = before >= np.maximum(first - reach.feedback, start)
            begins = self._window_begins[reach] = np.where(bridges, before, behind)
        return begins

    @cached_property
    def _window_begins(self):
        return {}

    def _have_outputs(self, reach):
        """Return reachable rows with all outputs there, back to the largest lag of an output."""
        lags = range(1, reach.feedback + 1)
        pairs = [(column, lag) for column in range(self.y.shape[1]) for lag in lags]
        return self._are_there(reach, self.y, pairs)

    def _are_there(self, reach, values, pairs):
        """Return reachable rows of which these columns and lags are not NaN, as a mask."""
        there, finite = self.reachable(reach), np.isfinite(values)
        if finite.all():  # as mostly: no need to look at each lag
            return there
        rows = np.flatnonzero(there)
        for column, lag in pairs:
            there[rows] &= finite[rows - lag, column]
        return there

    def first_missing(self, reach, origin, row):
        """Return the first missing value that the prediction of a row needs, from an origin on.

        Returns
        -------
        tuple of (row, column, is_input) or None
            An output only where no input is missing, for missing inputs cost outputs, too.
        """
        begin, before = row, row
        if reach.window:
            begin, before = min(self.window_begins(reach)[origin], origin), origin - reach.window
        inputs = self._missing(self.u, reach.inputs, begin, row)
        outputs = self._missing(self.y[:origin], reach.outputs, before, row)
        found = [(*cell, True) for cell in inputs] or [(*cell, False) for cell in outputs]
        return min(found, default=None)

    @staticmethod
    def _missing(values, pairs, first, last):
        """Yield (row, column) of what is NaN at these columns and lags of some rows."""
        for column, lag in pairs:
            start = max(first - lag, 0)
            for i in np.flatnonzero(np.isnan(values[start : last - lag + 1, column])):
                yield start + int(i), column

    def lagged(self, taps, dtype=float):
        """Return the lagged vectors of all rows, (n, n_taps), NaN where a lag leaves the rows."""
        key = taps, np.dtype(dtype)
        z = self._lagged.get(key)
        if z is None:
            t, n = np.arange(len(self)), len(self)
            z = np.full((n, taps.n_taps), np.nan, dtype)
            inside = (t >= taps.reach.history) & (t + taps.reach.lead < n)
            z[inside] = self.tapped(taps, t[inside])
            self._lagged[key] = z
        return z

    @cached_property
    def _lagged(self):
        return {}

    def in_precision(self, table, dtype):
        """Return a table of all rows, or None, in a precision: converted once, for all batches."""
        if table is None or table.dtype == dtype:
            return table
        key = id(table), np.dtype(dtype)
        if key not in self._converted:
            # the table is kept too, so that no other one gets its id
            self._converted[key] = table, table.astype(dtype)
        return self._converted[key][1]

    @cached_property
    def _converted(self):
        return {}

    def tapped(self, taps, rows):
        """Return the lagged vectors of some rows, (len(rows), n_taps)."""
        columns = [_mean_back(self.y, rows, *tap) for tap in taps.outputs]
        columns += [_mean_back(self.u, rows, *tap) for tap in taps.inputs]
        return np.stack(columns, axis=1)

    def gaps(self, reach):
        """Return (start, length) of the rows to fill: reachable, with a missing output.

        Rows that follow each other and miss all outputs make one gap; a row that misses only
        some stands alone.
        """
        missing = np.isnan(self.y)
        rows = np.flatnonzero(missing.any(axis=1) & self.reachable(reach))
        alone = ~missing[rows].all(axis=1)
        begins = np.ones(len(rows), dtype=bool)
        begins[1:] = (np.diff(rows) > 1) | alone[1:] | alone[:-1]
        # the rows of two segments are two gaps, also where they follow each other
        begins |= np.isin(rows, self.edges)
        at = np.append(np.flatnonzero(begins), len(rows))
        return list(zip(rows[at[:-1]].tolist(), np.diff(at).tolist()))

    def last_block(self, fraction):
        """Return the last rows of each segment, as a mask."""
        stops = self.edges[1:]
        return self.between(stops - np.ceil(fraction * np.diff(self.edges)).astype(int), stops)

    def window(self, start, stop):
        """Return some rows of one segment, as a segment of their own."""

        def cut(values):
            return None if values is None else values[start:stop]

        edges = np.array([0, stop - start])
        columns = (self.low, self.high, self.times)
        return Segments(cut(self.u), cut(self.y), edges, *map(cut, columns))

    def replace(self, **changes):
        """Return a copy with other fields."""
        new, known = replace(self, **changes), vars(self)
        if "edges" not in changes:  # what follows from them alone is as long as the data
            vars(new).update((name, known[name]) for name in ("starts", "stops") if name in known)
        return new


def _mean_back(values, rows, column, first, last):
    """Return the mean of a column from the first lag of each row to the last."""
    # a cumulative sum would carry one NaN on to all rows behind it
    return sum(values[rows - lag, column] for lag in range(first, last + 1)) / (last - first + 1)
