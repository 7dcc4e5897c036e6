"""The clock of a time index: which row follows which, and which time stamps come next.

A clock counts the time from one label to the next in its own unit: periods, seconds, months,
working days, rows of a timetable or steps of an offset. A row *follows* the one before it if that
count is one step; otherwise a *seam* lies between them. How a clock is read from an index:

- A PeriodIndex says it itself: a period follows the one that ends where it begins.
- A DatetimeIndex with a ``freq`` goes by this offset: what it makes after a label follows, and
  nothing else. So "B" has rows on all days from Monday to Friday, and a holiday is a row of its own
  or is left out by the calendar of a ``CustomBusinessDay``. Fixed steps have the slack of rule 5,
  and of months, quarters and years any day will do, for no missing row fits into that.
- A DatetimeIndex without one is read from its rows, by the first of these rules that fits:

  1. Months: rows at least 26 days apart, all on the first, the last or the same day of their month
     (or, unevenly spaced, among its first or last four days, as business months are, or on the same
     weekday of the same week of their month). Consecutive months, quarters or years follow each
     other, whatever their length.
  2. Half months: on the first and the 15th, or on the 15th and the last day.
  3. Trading days: rows whole days apart, one or two days of the week seen less than a twentieth
     as often as the busiest: Saturday and Sunday over at least one weekend, any others over at
     least four weeks. Weekends and holidays are no seam; more than ``LONGEST_HOLIDAY`` missing
     working days are, and each one where a year of rows has not missed any.
  4. Trading and working hours: the same times of the day, or of the week, on nearly all days, and
     never any other: a :class:`~narxkit.rows.timetable.Timetable`, on the wall clock of the labels
     or of a market in another zone. Nights, weekends, holidays and early closes are no seam; a row
     missing within a session is.
  5. A fixed step: the most common difference if it stands twice and makes up a quarter of all
     (or is the only one), else, for jittering clocks, the rounded median if more than half lie
     near it. A row follows if it comes one step later, give or take a quarter of the step: no
     missing row fits into that, but jitter does, and so do the days of 23 and 25 hours. Seconds
     are counted in UTC; whole days are found and continued on the wall clock.
  6. Irregular: no step. All rows follow each other; only the order is known.

  Five rows from Monday to Friday are daily: that a weekend follows cannot be known from them.
"""

from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from narxkit._stored import stored
from narxkit.rows.calendar import (
    SECONDS,
    by_offset,
    by_rows,
    count_months,
    dates_of,
    in_words,
    labels_of_season,
    localized,
    names_of_days,
    next_labels,
    seconds_between,
)
from narxkit.rows.labels import has_clock
from narxkit.rows.timetable import DAY, EVERY_DAY, ONE_DAY, SLACK, WEEK, WORKING_WEEK, Timetable

UNDUE = 3  # labels at most that an offset makes before the first whole step
_MONTHS = {"year": 12, "month": 1}
_PERIODS = {
    "Y": "year",
    "YE": "year",
    "Q": "quarter",
    "QE": "quarter",
    "M": "month",
    "ME": "month",
    "W": "week",
    "D": "day",
    "B": "business-day",
    "h": "hour",
    "min": "minute",
    "s": "second",
    "ms": "millisecond",
    "us": "microsecond",
    "ns": "nanosecond",
}
_ADVERBS = {
    "year": "yearly",
    "quarter": "quarterly",
    "month": "monthly",
    "week": "weekly",
    "day": "daily",
    "hour": "hourly",
    "business-day": "business-day",
}


@stored
@dataclass(frozen=True)
class Clock:
    """The step of a time index.

    Parameters
    ----------
    unit : {"period", "second", "month", "trading day", "session", "offset", "order"}
        What the clock counts; "order" knows no step, only before and after.
    step : float, default=0
        Units from one row to the next; of sessions, seconds.
    offset : pandas.DateOffset, optional
        Makes the next labels; None if they are not known, or if none makes them.
    week : str, default="1111100"
        The working days of the week from Monday on, as in :func:`numpy.busday_count`.
    holiday : int, default=0
        Working days that may be missing between two rows.
    timetable : Timetable, optional
        Makes and counts the rows of sessions.

    Examples
    --------
    >>> import pandas as pd
    >>> index = pd.date_range("2017-01-01", periods=24, freq="h")
    >>> clock = Clock.from_index(index)
    >>> clock.describe()
    'hourly'
    >>> clock.breaks(index.delete(3)).nonzero()[0].tolist()
    [3]
    >>> clock.relation(index[-1], pd.Timestamp("2017-01-02 00:00"))
    'follows'
    >>> [str(label) for label in clock.after(index[-1], 2)]
    ['2017-01-02 00:00:00', '2017-01-02 01:00:00']
    """

    unit: str
    step: float = 0
    offset: pd.DateOffset | None = None
    week: str = WORKING_WEEK
    holiday: int = 0
    timetable: Timetable | None = None

    @classmethod
    def from_index(cls, index, shared=None):
        """Read the clock of a sorted index without NaT (see `narxkit.rows.labels.check_order`).

        Parameters
        ----------
        index : Index
            Labels of the rows.
        shared : Clock, optional
            The clock of all series of a panel, for an index that holds just the labels it makes.

        Returns
        -------
        Clock or None
            None if and only if the index carries no clock. Fewer than two time stamps without a
            ``freq`` give the irregular clock, which knows the order only.
        """
        if not has_clock(index):
            return None
        if isinstance(index, pd.PeriodIndex):
            return cls("period", index.freq.n, index.freq)
        if index.freq is not None:
            return cls(**by_offset(index.freq))
        if shared is not None and shared._makes(index):
            return shared
        return cls(**by_rows(index))

    @property
    def is_regular(self):
        """Whether the next labels are known."""
        return self.unit != "order"

    def season(self):
        """Return rows of a season: a day of shorter steps, a week of days, a year of longer ones.

        Returns
        -------
        int
            1 where there is none, or it is no whole number of rows.

        Examples
        --------
        >>> import pandas as pd
        >>> [Clock.from_index(pd.date_range("2024", periods=3, freq=f)).season()
        ...  for f in ("30min", "D", "B", "W", "MS", "QS")]
        [48, 7, 5, 52, 12, 4]
        """
        if self.unit == "period":
            return Clock(**by_offset(self.offset)).season()
        rows = self._rows_of_season()
        return int(rows) if rows == int(rows) else 1

    def _rows_of_season(self):
        if self.unit == "session":
            return self.timetable.season
        if self.unit == "offset":
            return max(1, labels_of_season(self.offset))
        if self.unit == "second":
            # a year of weeks has 52 rows, and a day that is left over
            season = 52 * WEEK if self.step % WEEK == 0 else WEEK if self.step == DAY else DAY
        else:
            season = {"month": 12, "trading day": self.week.count("1")}.get(self.unit, 0)
        # an irregular clock has neither season nor step
        return max(1, season / max(self.step, 1e-9))

    def breaks(self, index):
        """Return a mask, True at each row that does not follow the row before it; row 0 is False.

        Returns
        -------
        ndarray of bool, shape (len(index),)
        """
        seams = np.zeros(len(index), dtype=bool)
        if len(index) < 2:
            return seams
        if isinstance(index, pd.DatetimeIndex) and index.freq and index.freq == self.offset:
            return seams  # pandas has checked it
        low, high = self._bounds()
        elapsed = self._elapsed(index[:-1], index[1:])
        seams[1:] = (elapsed < low) | (elapsed > high)
        return seams

    @property
    def counts(self):
        """Whether rows can be counted from any label to any other."""
        return self.unit not in ("order", "offset", "session")

    def counts_like(self, other):
        """Return whether it counts rows as another clock does, whatever follows a holiday."""
        return (self.unit, self.step, self.week) == (other.unit, other.step, other.week)

    def count(self, first, index):
        """Count the rows from a label to each of an index, all of this clock and of one time zone.

        A label between two rows counts as the nearest one, halfway as the later one.

        Parameters
        ----------
        first : Timestamp or Period
            The label of row 0.
        index : Index
            Labels of rows.

        Returns
        -------
        ndarray of int, shape (len(index),)
            Negative before `first`.

        Examples
        --------
        >>> import pandas as pd
        >>> days = pd.date_range("2024-02-27", periods=5)
        >>> Clock.from_index(days).count(days[0], days[[1, 3]]).tolist()
        [1, 3]
        """
        # as the same kind of index, which pd.Index would have to find out
        earlier = type(index)([first]).repeat(len(index))
        # rint would round halves to the even number, and so count every other row twice
        return np.floor(self._elapsed(earlier, index) / self.step + 0.5).astype(int)

    def relation(self, last, first):
        """Return how new rows that begin at `first` relate to the `last` row seen.

        Returns
        -------
        {"follows", "overlaps", "gap"}
            "overlaps" if `first` is not later than `last` (of periods: begins before it ends),
            "gap" if it is later, but not by one step.

        Raises
        ------
        ValueError
            If one is a period and the other is not, their frequencies differ, or only one of them
            has a time zone.
        """
        _check_alike(last, first)
        low, high = self._bounds()
        # days are counted on the wall clock of the rows seen
        there = first.tz_convert(last.tz) if getattr(first, "tz", None) is not None else first
        if self.unit == "second":  # without indexes, which take longer than all else
            elapsed = (there - last) / pd.Timedelta(1, "s")  # to the nanosecond
        else:
            elapsed = self._elapsed(pd.Index([last]), pd.Index([there]))[0]
        if first <= last or (self.unit == "period" and elapsed < low):
            return "overlaps"
        return "follows" if low <= elapsed <= high else "gap"

    def after(self, last, n):
        """Return the `n` labels that follow `last`, in its time zone and unit.

        Days, months and trading days keep the hour of the wall clock. ``freq`` is set unless
        daylight saving skips or repeats that hour on one of the days.

        Raises
        ------
        ValueError
            If the clock is irregular.
        """
        if not self.is_regular:
            raise ValueError(
                f"the time stamps have no regular step, so those after {last} are not known: "
                "give X with its index, or a regular index."
            )
        if self.unit == "period":
            return pd.period_range(last + 1, periods=n)
        labels = self._labels_from(last, n)
        # date_range begins with `last` itself, or with an anchor less than a step behind it
        labels = labels[self._count_undue(last, labels[:UNDUE]) :][:n]
        if labels.freq is None:
            with suppress(Exception):  # daylight saving took the hour: ValueError, or pytz's own
                labels.freq = self.offset
        return labels

    def describe(self):
        """Name the step: "hourly", "every 30 minutes", "monthly", "2-hour periods", ..."""
        if self.unit == "order":
            return "irregular"
        if self.unit == "trading day":
            every = f"every {self.step} " if self.step > 1 else ""
            return f"{every}trading days{_describe_week(self.week)}"
        if self.unit == "offset":
            return f"in steps of '{self.offset.freqstr}'"
        if self.unit == "session":
            every, days = _describe_step(self.step, SECONDS), self.timetable.week
            days = "" if days == EVERY_DAY else f" ({names_of_days(days)})"
            return f"{every} {self.timetable.describe()}{days}"
        if self.unit == "period":
            noun = _PERIODS.get(self.offset.rule_code.split("-")[0], self.offset.rule_code)
            word = _ADVERBS.get(noun) if self.step == 1 else None
            return f"{word or f'{self.step}-{noun}'} periods"
        if self.step == 3 and self.unit == "month":
            return "quarterly"
        return _describe_step(self.step, _MONTHS if self.unit == "month" else SECONDS)

    def _makes(self, index):
        """Return whether an index of at least two rows holds just the labels after its first."""
        if len(index) < 2 or not self.is_regular:
            return False
        if self.unit == "session":
            # breaks lets holidays and early closes pass, whose labels the timetable makes
            return self.after(index[0], len(index) - 1).equals(index[1:])
        return not replace(self, holiday=0).breaks(index).any()  # no holiday is left out

    def _bounds(self):
        """Return the smallest and the largest count that is still one step."""
        if self.unit == "order":
            return 0, np.inf
        if self.unit == "trading day":
            return self.step, self.step + self.holiday
        if self.unit in ("session", "offset"):
            return 1, 1
        slack = SLACK * self.step if self.unit == "second" else 0
        return self.step - slack, self.step + slack

    def _elapsed(self, earlier, later):
        """Count the units between the labels of two indexes, pair by pair."""
        if self.unit == "period":
            return later.asi8 - earlier.asi8  # ordinals: a step of n periods is n
        if self.unit == "month":
            return count_months(later) - count_months(earlier)
        if self.unit == "trading day":
            return self._trading_days(dates_of(earlier), dates_of(later))
        if self.unit == "offset":
            # 1 on the label that the offset makes, 0 before it and 2 behind it
            return 1 + np.sign(seconds_between(next_labels(earlier, self.offset), later))
        elapsed = seconds_between(earlier, later)
        if self.unit == "session":
            return self.timetable.count(earlier, later, elapsed)
        return elapsed

    def _trading_days(self, earlier, later):
        # backwards numpy would count from the other side of a weekend
        is_back = later < earlier
        earlier, later = np.where(is_back, later, earlier), np.where(is_back, earlier, later)
        # numpy counts the days of [earlier, later); a step leads to those of (earlier, later]
        counted = np.busday_count(earlier + ONE_DAY, later + ONE_DAY, busdaycal=self._calendar)
        # rows alone make no rule: one on a stray Saturday follows all the same
        counted = np.maximum(counted, later > earlier) if self.holiday else counted
        return np.where(is_back, -counted, counted)

    @property
    def _calendar(self):
        """Working days and holidays, as numpy counts them."""
        if isinstance(self.offset, pd.offsets.CDay):
            return self.offset.calendar
        return np.busdaycalendar(weekmask=self.week)

    def _count_undue(self, last, labels):
        """Return how many labels come before the first that is a step later than the last row."""
        elapsed = self._elapsed(pd.DatetimeIndex([last] * len(labels)), labels)
        return int(np.sum((labels <= last) | (elapsed < self._bounds()[0])))

    def _labels_from(self, start, n):
        """Return the labels from `start` on, n of which are due: ticks in UTC, days by the wall."""
        if self.unit == "session":
            return self.timetable.labels_after(start, n)
        offset, n = self.offset, n + UNDUE  # as many as _count_undue may take away
        if isinstance(offset, pd.offsets.Tick) and not isinstance(offset, pd.offsets.Day):
            return pd.date_range(start, periods=n, freq=offset, unit=start.unit)
        wall = pd.date_range(start.tz_localize(None), periods=n, freq=offset, unit=start.unit)
        return localized(wall, start.tz)


def take(index, rows):
    """Return some rows of an index; its ``freq`` stays where they are consecutive.

    Examples
    --------
    >>> days = pd.date_range("2024-01-01", periods=5, freq="B")
    >>> take(days, np.array([1, 2, 3])).freqstr
    'B'
    """
    is_slice = len(rows) and rows[-1] - rows[0] == len(rows) - 1 and (np.diff(rows) == 1).all()
    if not is_slice:
        return index[rows]
    return index if len(rows) == len(index) else index[rows[0] : rows[-1] + 1]


def _describe_step(step, sizes):
    n, noun = in_words(step, sizes)
    return _ADVERBS.get(noun, f"every {noun}") if n == 1 else f"every {n:g} {noun}s"


def _describe_week(week):
    return "" if week == WORKING_WEEK else f" ({names_of_days(week)})"


def is_alike(label, other):
    """Return whether two labels are of one kind, so that they can be compared.

    Returns
    -------
    bool
    """
    try:
        _check_alike(label, other)
    except ValueError:
        return False
    return True


def _check_alike(last, first):
    """Refuse labels of different kinds, which cannot be compared."""
    if type(last) is not type(first):
        raise ValueError(
            f"the last row seen ({last}) is labelled by a {type(last).__name__}, but the new rows "
            f"begin with a {type(first).__name__} ({first}): give both the same kind of index, for "
            "example with to_timestamp() or to_period()."
        )
    if isinstance(last, pd.Period) and last.freq != first.freq:
        raise ValueError(
            f"the last row seen ({last}) is a period of '{last.freqstr}', but the new rows begin "
            f"with one of '{first.freqstr}' ({first}): give both the same with asfreq()."
        )
    if isinstance(last, pd.Timestamp) and (last.tz is None) != (first.tz is None):
        seen, new = ("no time zone", "one") if last.tz is None else ("a time zone", "none")
        raise ValueError(
            f"the last row seen ({last}) has {seen}, but the first new row ({first}) has {new}: "
            "give both a time zone with tz_localize()."
        )
