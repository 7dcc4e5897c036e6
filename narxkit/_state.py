"""The last rows of every series: what predictions continue from."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from narxkit._clock import Clock
from narxkit._validation import Table


@dataclass(frozen=True)
class Tail:
    """The last rows of one series, missing outputs filled.

    Attributes
    ----------
    X : ndarray of shape (k, n_features)
        Inputs.
    y : ndarray of shape (k, n_outputs)
        Outputs.
    times : pandas.Index or None
        Time stamps, where there is a clock.
    next_number : int
        What the next row is called where there is none.
    """

    X: np.ndarray
    y: np.ndarray
    times: pd.Index | None
    next_number: int

    @property
    def last(self):
        return None if self.times is None else self.times[-1]

    def followed_by(self, table, rows):
        """Inputs, outputs (NaN where not measured) and time stamps of tail and new rows."""
        y = np.full((len(rows), self.y.shape[1]), np.nan) if table.y is None else table.y[rows]
        has_times = self.times is not None and table.times is not None
        return (
            np.concatenate([self.X, table.X[rows]]),
            np.concatenate([self.y, y]),
            self.times.append(table.times[rows]) if has_times else None,
        )


@dataclass
class State:
    """Tails by series, and the clock that says what follows them.

    Attributes
    ----------
    clock : Clock or None
        The clock of the rows.
    max_lag : int
        Rows of history that a prediction needs.
    lead : int
        Rows after its own that it needs: a missing output is filled that much later.
    tails : dict
        The `Tail` of each series; its key is None without a MultiIndex.
    """

    clock: Clock | None
    max_lag: int
    lead: int
    tails: dict = field(default_factory=dict)

    def continued(self, key, table, rows):
        """The tail and the new rows after it, which must follow it directly."""
        tail = self._known(key)
        self._check_follows(tail, table, rows)
        refuse_seams(table, rows)
        return len(tail.y), *tail.followed_by(table, rows)

    def extended(self, key, table, rows):
        """The segment that the new measured rows end in: with the tail if they join it."""
        start = int(np.flatnonzero(table.cuts(rows))[-1])
        if start == 0 and key in self.tails and self._joins(key, table, rows):
            return self.tails[key].followed_by(table, rows)
        times = None if table.times is None else table.times[rows[start:]]
        return table.X[rows[start:]], table.y[rows[start:]], times

    def tail(self, key, X, y, times, n_new, label):
        """The last rows of a segment, one at least for its time stamp, as a new tail."""
        at = max(0, len(y) - max(self.max_lag + self.lead, 1))
        old = self.tails.get(key)
        number = label if old is None else old.next_number + n_new
        return Tail(X[at:], y[at:], None if times is None else times[at:], number)

    def _joins(self, key, table, rows):
        """Whether new measured rows follow the tail directly."""
        last = self.tails[key].last
        if last is None or table.times is None:
            return True
        first = table.times[rows[0]]
        relation = self.clock.relation(last, first)
        if relation == "overlaps":
            raise ValueError(
                f"the new rows begin at {first}, but rows up to {last} have been seen: give "
                "update only rows after those."
            )
        return relation == "follows"

    def _known(self, key):
        if key not in self.tails:
            rows = "the rows" if key is None else f"series {key!r}"
            known = [known for known in self.tails if known is not None]
            seen = f"the series {known}" if known else "one series without a name"
            raise ValueError(
                f"{rows} cannot be continued, for the model has seen {seen}: use "
                "simulate(X, y_init) to run from given initial conditions."
            )
        tail = self.tails[key]
        if len(tail.y) < self.max_lag:
            raise ValueError(
                f"the last segment seen has {len(tail.y)} rows, but lags up to {self.max_lag} "
                f"need {self.max_lag} of history: give more rows to update(X, y)."
            )
        return tail

    def _check_follows(self, tail, table, rows):
        if tail.last is None or table.times is None:
            return
        first = table.times[rows[0]]
        relation = self.clock.relation(tail.last, first)
        if relation == "overlaps":
            raise ValueError(
                f"X begins at {first}, but rows up to {tail.last} have been seen, and predict "
                "continues after them: use predict_ahead(X, y) for rows with measured outputs, "
                "or simulate(X, y_init) to run from given initial conditions."
            )
        if relation == "gap":
            raise ValueError(
                f"X begins at {first}, but the last row seen is {tail.last} and the clock is "
                f"{self.clock.describe()}: give the rows in between to update(X, y), or use "
                "simulate(X, y_init)."
            )

    # ------------------------------------------------------------ rows that nobody has given
    def future(self, n, n_features):
        """The next n rows of every series, of which nothing is known."""
        tails = list(self.tails.values())
        series = {key: np.arange(n) + i * n for i, key in enumerate(self.tails)}
        has_times = tails[0].times is not None
        labels = [self._labels(tail, n) for tail in tails]
        index = labels[0].append(labels[1:]) if labels[1:] else labels[0]
        times = index if has_times else None
        if None not in self.tails:
            index = pd.MultiIndex.from_arrays([np.repeat(list(self.tails), n), index])
        X = np.full((n * len(tails), n_features), np.nan)
        return Table(X, None, 1, None, index, times, self.clock if has_times else None, series)

    def labelled(self, table):
        """A table whose rows have labels: those that follow the tail, where they bring none."""
        if table.times is not None or None not in table.series:
            return table
        tail = self._known(None)
        if tail.times is not None and self.clock.offset is not None:
            times = self.clock.after(tail.last, len(table))
            return table.replace(index=times, times=times, clock=self.clock)
        if table.index is None:
            return table.replace(index=self._labels(tail, len(table)))
        return table

    def _labels(self, tail, n):
        if tail.times is None:
            return pd.RangeIndex(tail.next_number, tail.next_number + n)
        return self.clock.after(tail.last, n)


def refuse_seams(table, rows):
    """Raise where rows that one free run shall cross do not follow each other."""
    if table.times is None or table.clock is None:
        return
    breaks = np.flatnonzero(table.clock.breaks(table.times[rows]))
    if len(breaks):
        raise ValueError(
            f"X jumps at {table.label(rows[breaks[0]])}, which does not follow the row before it "
            f"(the clock is {table.clock.describe()}): a free run has no history there; give rows "
            "without a gap."
        )


def next_number(index, rows):
    """The number after the label of the last row, where labels are numbers."""
    if isinstance(index, pd.MultiIndex):
        index = index.get_level_values(1)
    if index is not None and pd.api.types.is_integer_dtype(index.dtype):
        return int(index[rows[-1]]) + 1
    return int(rows[-1]) + 1
