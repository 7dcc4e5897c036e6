"""The clock of a time index: which row follows which, and which time stamps come next.

A clock counts the time from one label to the next in its own unit: periods, seconds, months or
working days. A row *follows* the one before it if that count is one step; otherwise a *seam* lies
between them. How a clock is read from an index:

- A PeriodIndex says it itself: a period follows the one that ends where it begins.
- A DatetimeIndex with a ``freq`` is read from the rows that this ``freq`` makes, otherwise from its
  own rows, by the first of these rules that fits:

  1. Months: rows at least 26 days apart, all on the first, the last or the same day of their month
     (or, unevenly spaced, among its first or last four days, as business months are). Consecutive
     months, quarters or years follow each other, whatever their length.
  2. Trading days: rows whole days apart, one or two days of the week seen less than a twentieth
     as often as the busiest: Saturday and Sunday over at least one week, any others over at least
     four. Weekends and holidays are no seam; more than ``LONGEST_HOLIDAY`` missing working days
     are.
  3. A fixed step: the most common difference if it stands twice and makes up a quarter of all
     (or is the only one), else, for jittering clocks, the rounded median if more than half lie
     near it. A row follows if it comes one step later, give or take a quarter of the step: no
     missing row fits into that, but jitter does, and so do the days of 23 and 25 hours. Seconds
     are counted in UTC; whole days are found and continued on the wall clock.
  4. Irregular: no step. All rows follow each other; only the order is known.
"""

from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset

from narxkit._labels import has_clock

LONGEST_HOLIDAY = 7  # working days: golden week and lunar new year close markets for six
SLACK = 0.25  # of a fixed step
DAY = 86400  # seconds
WORKING_WEEK = "1111100"

_SECONDS = {
    "week": 7 * DAY,
    "day": DAY,
    "hour": 3600,
    "minute": 60,
    "second": 1,
    "millisecond": 1e-3,
    "microsecond": 1e-6,
    "nanosecond": 1e-9,
}
_MONTHS = {"year": 12, "month": 1}
_PER_SECOND = {"s": 1, "ms": 1e3, "us": 1e6, "ns": 1e9}
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
_MONTH_NAMES = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()
_DAY_NAMES = "Mon Tue Wed Thu Fri Sat Sun".split()


@dataclass(frozen=True)
class Clock:
    """The step of a time index.

    Parameters
    ----------
    unit : {"period", "second", "month", "trading day", "order"}
        What the clock counts; "order" knows no step, only before and after.
    step : float, default=0
        Units from one row to the next.
    offset : pandas.DateOffset, optional
        Makes the next labels; None if they are not known.
    week : str, default="1111100"
        The working days of the week from Monday on, as in :func:`numpy.busday_count`.

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

    @classmethod
    def from_index(cls, index):
        """Read the clock of a sorted index without NaT (see `narxkit._labels.check_order`).

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
        if index.freq is None:
            return _read(index)
        ideal = pd.date_range("2001-01-01", periods=32, freq=index.freq)
        return replace(_read(ideal), offset=index.freq)

    def breaks(self, index):
        """True at each row that does not follow the row before it; row 0 is False.

        Returns
        -------
        ndarray of bool, shape (len(index),)
        """
        low, high = self._bounds()
        elapsed = self._elapsed(index[:-1], index[1:])
        seams = np.zeros(len(index), dtype=bool)
        seams[1:] = (elapsed < low) | (elapsed > high)
        return seams

    def relation(self, last, first):
        """How new rows that begin at `first` relate to the `last` row seen.

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
        elapsed = self._elapsed(pd.Index([last]), pd.Index([first]))[0]
        if first <= last or (self.unit == "period" and elapsed < low):
            return "overlaps"
        return "follows" if low <= elapsed <= high else "gap"

    def after(self, last, n):
        """The `n` labels that follow `last`, in its time zone and unit.

        Days, months and trading days keep the hour of the wall clock. ``freq`` is set unless
        daylight saving skips or repeats that hour on one of the days.

        Raises
        ------
        ValueError
            If the clock is irregular.
        """
        if self.offset is None:
            raise ValueError(
                f"the time stamps have no regular step, so those after {last} are not known: "
                "give X with its index, or a regular index."
            )
        if self.unit == "period":
            return pd.period_range(last + 1, periods=n)
        labels = self._labels_from(last, n + 3)
        begin = next(i for i, label in enumerate(labels) if self._is_due(last, label))
        labels = labels[begin : begin + n]
        with suppress(Exception):  # daylight saving took the hour: ValueError, or pytz's own
            labels.freq = self.offset
        return labels

    def describe(self):
        """The step in words: "hourly", "every 30 minutes", "monthly", "2-hour periods", ..."""
        if self.unit == "order":
            return "irregular"
        if self.unit == "trading day":
            every = f"every {self.step} " if self.step > 1 else ""
            return f"{every}trading days{_describe_week(self.week)}"
        if self.unit == "period":
            noun = _PERIODS.get(self.offset.rule_code.split("-")[0], self.offset.rule_code)
            word = _ADVERBS.get(noun) if self.step == 1 else None
            return f"{word or f'{self.step}-{noun}'} periods"
        if self.step == 3 and self.unit == "month":
            return "quarterly"
        n, noun = _in_words(self.step, _MONTHS if self.unit == "month" else _SECONDS)
        return _ADVERBS.get(noun, f"every {noun}") if n == 1 else f"every {n:g} {noun}s"

    def _bounds(self):
        """The smallest and the largest count that is still one step."""
        if self.unit == "order":
            return 0, np.inf
        if self.unit == "trading day":
            return self.step, self.step + LONGEST_HOLIDAY
        slack = SLACK * self.step if self.unit == "second" else 0
        return self.step - slack, self.step + slack

    def _elapsed(self, earlier, later):
        """Count the units between the labels of two indexes, pair by pair."""
        if self.unit == "period":
            return later.asi8 - earlier.asi8
        if self.unit == "month":
            return _months(later) - _months(earlier)
        if self.unit == "trading day":
            earlier, later = _dates(earlier), _dates(later)
            counted = np.busday_count(earlier, later, weekmask=self.week)
            return np.maximum(counted, later > earlier)  # from a stray Saturday to Monday is a step
        return _seconds(earlier, later)

    def _is_due(self, last, label):
        elapsed = self._elapsed(pd.Index([last]), pd.Index([label]))[0]
        return label > last and elapsed >= self._bounds()[0]

    def _labels_from(self, start, n):
        """Labels on the grid of the offset, from `start` on: ticks in UTC, days by the wall."""
        offset = self.offset
        if isinstance(offset, pd.offsets.Tick) and not isinstance(offset, pd.offsets.Day):
            return pd.date_range(start, periods=n, freq=offset, unit=start.unit)
        wall = pd.date_range(start.tz_localize(None), periods=n, freq=offset, unit=start.unit)
        is_summer = np.ones(n, dtype=bool)  # of an hour that comes twice, the first
        return wall.tz_localize(start.tz, ambiguous=is_summer, nonexistent="shift_forward")


def _read(index):
    """The clock of a DatetimeIndex by its rows alone."""
    if len(index) < 2:
        return Clock("order")
    wall = index.tz_localize(None)
    apart = _seconds(wall[:-1], wall[1:])
    return _monthly(wall, apart) or _trading(wall, apart) or _fixed(index, apart) or Clock("order")


def _monthly(wall, apart):
    """The calendar clock, if all rows stand in the same place of their month."""
    if apart.min() < 26 * DAY:
        return None
    step = int(_most_common(np.diff(_months(wall)))[0])
    day, length = wall.day, wall.days_in_month
    is_varied = np.ptp(apart) > 0  # four-weekly rows may stand at the end of some months, too
    if day.max() == 1:
        place = "S"
    elif (day == length).all():
        place = "E"
    elif (day == np.minimum(day.max(), length)).all():
        return Clock("month", step, pd.DateOffset(months=step, day=int(day.max())))
    elif is_varied and day.max() <= 4:
        place = "BS"
    elif is_varied and (length - day).max() < 4:
        place = "BE"
    else:
        return None
    return Clock("month", step, _month_offset(step, place, wall[0].month))


def _month_offset(step, place, month):
    """The pandas offset of months, quarters or years that start (S) or end (E), B for business."""
    business, edge = place[:-1], place[-1]
    if step == 12:
        return to_offset(f"{business}Y{edge}-{_MONTH_NAMES[month - 1]}")
    if step == 3:
        anchor = (month - 1) % 3 + (9 if edge == "E" else 0)
        return to_offset(f"{business}Q{edge}-{_MONTH_NAMES[anchor]}")
    return to_offset(f"{step}{business}M{edge}")


def _trading(wall, apart):
    """The clock of working days, if rows are whole days apart and some weekdays never come."""
    usual = _most_common(apart)[0]
    if usual <= 0 or usual % DAY:
        return None
    counts = np.bincount(wall.day_of_week, minlength=7)
    seen = counts > 0.05 * counts.max()
    week = "".join("1" if day else "0" for day in seen)
    n_weeks = (wall[-1] - wall[0]).days // 7
    if seen.sum() not in (5, 6) or n_weeks < (1 if week == WORKING_WEEK else 4):
        return None
    dates = _dates(wall)
    step = int(_most_common(np.busday_count(dates[:-1], dates[1:], weekmask=week))[0])
    if week == WORKING_WEEK:
        return Clock("trading day", step, pd.offsets.BDay(step))
    weekdays = pd.offsets.CDay(step, weekmask=" ".join(np.array(_DAY_NAMES)[seen]))
    return Clock("trading day", step, weekdays, week)


def _fixed(index, apart):
    """The clock of a fixed step, if one difference prevails."""
    step = _prevailing(apart)
    if step is None or step % DAY:
        step = _prevailing(_seconds(index[:-1], index[1:]))
    if step is None:
        return None
    if step == 7 * DAY:
        return Clock("second", step, to_offset(f"W-{_DAY_NAMES[index[0].day_of_week].upper()}"))
    if step % DAY == 0:
        return Clock("second", step, pd.offsets.Day(int(step // DAY)))
    return Clock("second", step, to_offset(pd.Timedelta(seconds=step)))


def _prevailing(apart):
    """The most common difference, else a round number near the median, else None."""
    step, count = _most_common(apart)
    if count < max(0.25 * len(apart), min(len(apart), 2)):
        step = np.median(apart)
        if step <= 0 or np.mean(np.abs(apart - step) <= SLACK * step) <= 0.5:
            return None
        n, noun = _in_words(step, _SECONDS, tolerance=0.02)
        step = n * _SECONDS[noun]
    return float(step) if step > 0 else None


def _most_common(values):
    """The most common value (the smallest of equals) and its count."""
    found, counts = np.unique(values, return_counts=True)
    return found[counts.argmax()], counts.max()


def _seconds(earlier, later):
    if earlier.unit == later.unit:  # many times faster than a TimedeltaIndex of a short series
        return (later.asi8 - earlier.asi8) / _PER_SECOND[later.unit]
    return (later - earlier).total_seconds().to_numpy()


def _months(index):
    return (12 * index.year + index.month).to_numpy()


def _dates(index):
    return index.tz_localize(None).to_numpy().astype("datetime64[D]")


def _in_words(step, sizes, tolerance=1e-9):
    """The count and the noun of the largest size that divides the step: 1800 -> 30, "minute"."""
    counts = ((step / size, noun) for noun, size in sizes.items())
    return next((round(n), noun) for n, noun in counts if abs(n - round(n)) <= tolerance * round(n))


def _describe_week(week):
    if week == WORKING_WEEK:
        return ""
    return f" ({' '.join(name for name, day in zip(_DAY_NAMES, week, strict=True) if day == '1')})"


def is_alike(label, other):
    """Whether two labels are of one kind, so that they can be compared.

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
    """Two labels must be of one kind before they can be compared."""
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
