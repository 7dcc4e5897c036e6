"""The last rows of every series: what predictions continue from."""

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from narxkit._stored import stored
from narxkit.rows.clock import Clock, is_alike, take
from narxkit.rows.labels import as_clock, as_elapsed, numbers_from
from narxkit.rows.reach import Reach
from narxkit.rows.table import Table, advise_asfreq


@stored
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
    clock : Clock or None
        What says which time stamps follow.
    next_number : int or float
        What the next row is called where there is no clock.
    number_step : int or float
        How much more the row after that is called.
    is_elapsed : bool
        Whether the labels are elapsed times.
    last : Timestamp, Period or None
        The last time stamp, read once: every short call asks for it.
    """

    X: np.ndarray
    y: np.ndarray
    times: pd.Index | None
    clock: Clock | None
    next_number: float
    number_step: float
    is_elapsed: bool
    last: pd.Timestamp | pd.Period | None = field(init=False)

    def __post_init__(self):
        object.__setattr__(self, "last", None if self.times is None else self.times[-1])

    @property
    def last_label(self):
        """The label of the last row, or None without a clock."""
        return None if self.times is None else self.label(-1)

    def label(self, i):
        """Return the time stamp of a row, as it was given."""
        return self._as_given(self.times[[i]])[0]

    def _as_given(self, times):
        return as_elapsed(times) if self.is_elapsed else times

    def followed_by(self, table, rows, with_times=True):
        """Return inputs, outputs (NaN where not measured) and time stamps of tail and new rows."""
        y = np.full((len(rows), self.y.shape[1]), np.nan) if table.y is None else table.y[rows]
        has_times = with_times and self.times is not None and table.times is not None
        return (
            np.concatenate([self.X, table.X[rows]]),
            np.concatenate([self.y, y]),
            self.times.append(table.times[rows]) if has_times else None,
        )

    def relation(self, table, rows):
        """Return how new rows relate to the last one: "follows", "overlaps" or "gap"."""
        if self.last is None or table.times is None:
            return "follows"
        return self.clock.relation(self.last, table.times[rows[0]])

    def number_after(self, n):
        """Return the number of the row after the next n ones, and the step."""
        return self.next_number + n * self.number_step, self.number_step

    def labels(self, n):
        """Return labels of the next n rows: times, or numbers that count on."""
        if self.times is None:
            return numbers_from(self.next_number, self.number_step, n)
        return self._as_given(self.clock.after(self.last, n))


@stored
@dataclass(frozen=True)
class History:
    """Tails by series.

    Attributes
    ----------
    reach : Reach
        What a prediction reads; with a lead a missing output is filled that much later.
    names : list
        Names of the levels of the index of ``fit``.
    tails : dict
        The `Tail` of each series; its key is None without a MultiIndex.
    """

    reach: Reach
    names: list
    tails: dict

    @property
    def short(self):
        """The series that have fewer rows than a prediction needs."""
        return [key for key, tail in self.tails.items() if len(tail.y) < self.reach.history]

    def without(self, keys):
        """Return the history of all other series."""
        return replace(self, tails={k: tail for k, tail in self.tails.items() if k not in keys})

    def clock(self, key, times):
        """Return the clock of a series, or else of any; None for time stamps of another kind."""
        tail = self.tails.get(key, next(iter(self.tails.values())))
        return tail.clock if tail.clock is not None and is_alike(tail.last, times[0]) else None

    def in_zone(self, times):
        """Return time stamps in the time zone that was seen before, where both have one."""
        zone = getattr(next(iter(self.tails.values())).times, "tz", None)
        has_other = getattr(times, "tz", None) is not None and zone is not None
        return times.tz_convert(zone) if has_other else times

    def continued(self, key, table, rows, with_times):
        """Return the tail and the new rows after it, which must follow it directly."""
        tail = self._known(key)
        _check_follows(tail, table, rows)
        refuse_seams(table, key)
        return len(tail.y), *tail.followed_by(table, rows, with_times)

    def extended(self, key, table):
        """Return the segment that the new measured rows end in: with the tail if they join it."""
        rows = table.series[key]
        tail = self.tails.get(key)
        if self.tails and (key is None) != (None in self.tails):
            raise ValueError(
                "the model has seen "
                f"{'one series' if key is not None else f'the series {list(self.tails)}'}: "
                f"give {'no' if key is not None else 'a'} MultiIndex (series, time)."
            )
        # behind a seam inside the new rows nothing of the tail is read any more
        start = int(np.flatnonzero(table.cuts[key])[-1])
        if start == 0 and tail is not None:
            relation = tail.relation(table, rows)
            if relation == "overlaps":
                raise ValueError(
                    f"the new rows begin at {table.row_labels(rows[:1])[0]}, but rows up to "
                    f"{tail.last_label} have been seen: give update only rows after those."
                )
            if relation == "follows":
                return tail.followed_by(table, rows)
        rows = rows[start:]
        return table.X[rows], table.y[rows], None if table.times is None else table.times[rows]

    def tail(self, key, table, X, y, times):
        """Return a new tail: the last rows of a segment, one at least for its time stamp."""
        # with a lead, the last missing outputs are filled later, and from as many rows before
        at = max(0, len(y) - max(self.reach.memory + self.reach.lead, 1))
        old = self.tails.get(key)
        rows = table.series[key]
        number, step = table.next_number(rows) if old is None else old.number_after(len(rows))
        return Tail(
            # copies, for views would keep all rows of a fit in memory
            X=X[at:].copy(),
            y=y[at:].copy(),
            times=None if times is None else times[at:],
            # the clock of the fit stays: a few new rows may not show their step
            clock=table.clocks.get(key) if old is None or old.clock is None else old.clock,
            next_number=number,
            number_step=step,
            is_elapsed=table.is_elapsed,
        )

    def name_row(self, key, table, i):
        """Name a row of what `continued` returns: new ones by their place in X."""
        tail = self.tails[key]
        n_before = len(tail.y) - i
        if n_before <= 0:
            return table.label(table.series[key][-n_before])
        place = f"row {-n_before} of those seen before"
        return place if tail.times is None else f"{place} ({tail.label(i)})"

    def _known(self, key):
        name = "the rows" if key is None else f"series {key!r}"
        if key not in self.tails:
            known = [known for known in self.tails if known is not None]
            seen = f"the series {known}" if known else "one series without a name"
            raise ValueError(
                f"{name} cannot be continued, for the model has seen {seen}: use "
                "simulate(X, y_init) to run from given initial conditions."
            )
        tail, history = self.tails[key], self.reach.history
        if len(tail.y) < history:
            raise ValueError(
                f"the last segment seen{'' if key is None else f' of {name}'} has {len(tail.y)} "
                f"rows, but lags up to {history} need {history} of history: give more "
                "rows to update(X, y), or rows of missing values (NaN) for those that a gap left "
                f"out{self._advise_rows(key, tail)}: they are bridged."
            )
        return tail

    @staticmethod
    def _advise_rows(key, tail):
        """Advise asfreq, which pandas has neither for a panel nor for elapsed times."""
        has_asfreq = key is None and not tail.is_elapsed
        return advise_asfreq(tail.clock, tail.times) if has_asfreq else ""

    # ------------------------------------------------------------ rows that nobody has given
    def future(self, n, n_features):
        """Return the next n rows of every series, of which nothing is known."""
        tails = list(self.tails.values())
        series = {key: np.arange(n) + i * n for i, key in enumerate(self.tails)}
        labels = [tail.labels(n) for tail in tails]
        index = labels[0].append(labels[1:]) if labels[1:] else labels[0]
        times = None if tails[0].times is None else as_clock(index)
        if None not in self.tails:
            keys = np.repeat(list(self.tails), n)
            index = pd.MultiIndex.from_arrays([keys, index], names=self.names)
        else:
            index = index.rename(self.names[-1])
        clocks = {key: tail.clock for key, tail in self.tails.items()}
        X = np.full((n * len(tails), n_features), np.nan)
        return Table(X, None, 1, None, None, index, times, clocks, series)

    def labelled(self, table):
        """Give the rows of a table labels: those that follow the tail, where they bring none."""
        tail = self.tails.get(None)
        if tail is None or None not in table.series or table.times is not None:
            return table
        if tail.times is None:
            index = tail.labels(len(table)) if table.index is None else table.index
            return table.replace(index=index)
        if not tail.clock.is_regular:
            return table
        index = tail.labels(len(table)).rename(self.names[-1])
        return table.replace(index=index, times=as_clock(index), clocks={None: tail.clock})


def _check_follows(tail, table, rows):
    relation = tail.relation(table, rows)
    if relation == "follows":
        return
    begin = table.row_labels(rows[:1])[0]
    if relation == "overlaps":
        raise ValueError(
            f"X begins at {begin}, but rows up to {tail.last_label} have been seen, and predict "
            "continues after them: use predict_ahead(X, y) for rows with measured outputs, or "
            "simulate(X, y_init) to run from given initial conditions; cross-validate with "
            "TimeSeriesSplit or RollingOrigin."
        )
    raise ValueError(
        f"X begins at {begin}, but the last row seen is {tail.last_label} and the clock is "
        f"{tail.clock.describe()}: give the rows in between to update(X, y), or use "
        "simulate(X, y_init); cross-validate with TimeSeriesSplit or RollingOrigin, without gap."
    )


def refuse_seams(table, key):
    """Raise where rows that one free run shall cross do not follow each other."""
    clock, rows = table.clocks.get(key), table.series[key]
    if table.times is None or clock is None:
        return
    breaks = np.flatnonzero(clock.breaks(take(table.times, rows)))
    if len(breaks):
        raise ValueError(
            f"X jumps at {table.label(rows[breaks[0]])}, which does not follow the row before it "
            f"(the clock is {clock.describe()}): a free run does not cross a gap; give rows "
            "without a gap."
        )
