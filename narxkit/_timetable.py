"""The timetable of a week: trading hours, working hours, and every other rhythm of hours.

A clock that rests each night or each weekend does not jump there. Its timetable holds the times of
the week, on the wall clock, at which rows come; what it counts is rows of the timetable.

- *From rows.* Steps are below a day. A time of the week is *open* if a row stands there on more
  than ``USUAL`` of the days that are in the index, and *closed* if on at most ``RARE`` of them.
  Where more than a few times lie in between, as those about sunrise do over the seasons, there is
  no timetable; a few, as the first hour of a market in another zone, are left out. Within less
  than four weeks, with three days at least, all days share their times; from four weeks on each
  day of the week has its own. Working days are those of rule 3 in :mod:`narxkit._clock`.
- *What follows.* The next row of the timetable, and any row one step later. A day's first row also
  follows where the sessions before it were short or missing, as before holidays and on them: up to
  ``LONGEST_HOLIDAY`` whole days, after an early close or none. An early close needs a pause before
  that first row: where trading goes on past midnight, only whole days may be missing. A row that is
  missing within a session, or at its beginning, is a seam.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

LONGEST_HOLIDAY = 7  # working days: golden week and lunar new year close markets for six
SLACK = 0.25  # of a fixed step
HOUR = 3600  # seconds
DAY = 24 * HOUR
WEEK = 7 * DAY
WORKING_WEEK = "1111100"
EVERY_DAY = "1111111"
USUAL = 0.7
RARE = 0.2
DOUBTFUL = 0.05  # of the open times: a weekend that begins an hour later in winter
RARE_DAY = 0.05  # of the rows of the busiest day of the week
FEWEST_DAYS = 3  # two nights
FEWEST_WEEKS = 4  # until each day of the week can be told from the others

_MONDAY = 4 * DAY  # 1970-01-05, as seconds since 1970
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


@dataclass(frozen=True)
class Timetable:
    """The times of the week at which rows come.

    Parameters
    ----------
    step : int
        Seconds from row to row within a session.
    sessions : tuple of tuple (first, last)
        First and last row of each session, in seconds since Monday 00:00 on the wall clock; each
        ends before midnight.

    Examples
    --------
    >>> import pandas as pd
    >>> mornings = Timetable(3600, tuple((day * DAY + 8 * HOUR, day * DAY + 11 * HOUR)
    ...                                  for day in range(5)))
    >>> mornings.describe()
    'from 08:00 to 11:00'
    >>> [str(label) for label in mornings.labels_after(pd.Timestamp("2024-01-05 10:00"), 2)[:2]]
    ['2024-01-05 11:00:00', '2024-01-08 08:00:00']
    """

    step: int
    sessions: tuple

    @classmethod
    def from_rows(cls, wall, apart, counts):
        """Read the timetable of sorted time stamps on the wall clock.

        Parameters
        ----------
        wall : DatetimeIndex
            Without a zone.
        apart, counts : ndarray
            The distinct seconds from row to row, and how often each comes.

        Returns
        -------
        Timetable or None
            None where there is none.
        """
        step, n = apart[counts.argmax()], counts.sum()
        n_gaps, n_weeks = counts[apart > step].sum(), n * step // WEEK
        has_pauses = n_gaps > 1 and n_gaps >= USUAL * n_weeks  # each week has one at least
        if not has_pauses or counts.max() < n / 4 or not 0 < step < DAY or (apart % 1).any():
            return None
        grid = int(np.gcd.reduce(apart.astype(np.int64)))
        if DAY % grid or wall.asi8[0] % _PER_SECOND[wall.unit]:
            return None
        share, phase = _shares(_since_monday(wall), grid)
        if share is None:
            return None
        opened, seen = (np.flatnonzero(share > least) * grid + phase for least in (USUAL, RARE))
        pauses = np.diff(seen, append=seen[:1] + WEEK) > step
        if not pauses.any() or len(seen) - len(opened) > DOUBTFUL * len(opened):
            return None
        return cls(int(step), _runs(opened, int(step)))

    @cached_property
    def slots(self):
        """Seconds since Monday of all rows of a week."""
        runs = [np.arange(first, last + 1, self.step) for first, last in self.sessions]
        return np.concatenate(runs)

    @cached_property
    def week(self):
        """The days that have rows, as in :func:`numpy.busday_count`."""
        days = set((self.slots // DAY).tolist())
        return "".join("1" if day in days else "0" for day in range(7))

    @cached_property
    def _firsts(self):
        """Positions of the first rows of each day."""
        return np.flatnonzero(np.diff(self.slots // DAY, prepend=-1))

    @property
    def season(self):
        """Rows of a day where all open days have as many, else of a week."""
        rows = np.diff(self._firsts, append=len(self.slots))
        return int(rows[0] if np.ptp(rows) == 0 else rows.sum())

    def hours(self):
        """Beginnings and last rows of the sessions, in seconds of the day; None if days differ."""
        days = {}
        for first, last in self.sessions:
            days.setdefault(first // DAY, []).append((first % DAY, last % DAY))
        hours = list(days.values())
        return hours[0] if all(other == hours[0] for other in hours) else None

    def describe(self):
        """The sessions in words: "from 09:00 to 16:00"."""
        hours = self.hours()
        if hours is None:
            return "in the same hours of every week"
        return "from " + " and ".join(f"{clock_time(a)} to {clock_time(b)}" for a, b in hours)

    def count(self, earlier, later, elapsed):
        """Count the rows from the earlier to the later labels; 1 is what follows.

        Parameters
        ----------
        earlier, later : DatetimeIndex
            On the wall clock, without a zone.
        elapsed : ndarray
            True seconds between them.

        Returns
        -------
        ndarray of int
        """
        rows = np.ones(len(elapsed), dtype=np.int64)
        other = np.flatnonzero(np.abs(elapsed - self.step) > SLACK * self.step)
        earlier, later = earlier[other], later[other]
        counted = self._position(later) - self._position(earlier)
        counted = np.maximum(counted, elapsed[other] > self.step)  # to a row beside the timetable
        counted[self._reopens(earlier, later) & (counted > 1)] = 1
        rows[other] = counted
        return rows

    def labels_after(self, last, n):
        """The n labels after the last one, and some more, in its time zone and unit.

        Parameters
        ----------
        last : Timestamp
        n : int

        Returns
        -------
        DatetimeIndex
        """
        per_hour = -(-HOUR // self.step)
        n_skipped = per_hour * (1 + n // (26 * len(self.slots)))  # by spring, once in 26 weeks
        begin = pd.DatetimeIndex([last.tz_localize(None) - pd.Timedelta(hours=1)])  # of autumn
        place = self._position(begin) + np.arange(per_hour + n + n_skipped)
        weeks, rows = np.divmod(place, len(self.slots))
        wall = (_MONDAY + WEEK * weeks + self.slots[rows]).astype("datetime64[s]")
        labels = _showing(pd.DatetimeIndex(wall).as_unit(last.unit), last.tz)
        return labels[labels > last]

    def _position(self, wall):
        """Rows of the timetable up to and with each label."""
        weeks, second = np.divmod(_since_monday(wall), WEEK)
        return weeks * len(self.slots) + np.searchsorted(self.slots, second, side="right")

    def _reopens(self, earlier, later):
        """Whether a day begins, and only holidays and early closes lie before it."""
        closed, opened = _since_monday(earlier), _since_monday(later)
        is_after_pause = np.diff(self.slots, prepend=self.slots[-1] - WEEK) > self.step
        firsts, lasts = self.slots[self._firsts], self.slots[self._firsts - 1]
        openings = firsts[is_after_pause[self._firsts]]
        begins = np.isin(opened % WEEK, openings)
        begins |= np.isin(opened % WEEK, firsts) & np.isin(closed % WEEK, lasts)
        days = np.busday_count(_date(closed) + 1, _date(opened), weekmask=self.week)
        return begins & (days <= LONGEST_HOLIDAY)


def _showing(wall, zone):
    """When the clock of a zone shows these times: never in spring's hour, twice in autumn's."""
    if zone is None:
        return wall
    first, second = (
        wall.tz_localize(zone, ambiguous=np.full(len(wall), is_summer), nonexistent="NaT").dropna()
        for is_summer in (True, False)
    )
    return first.union(second)


def _since_monday(wall):
    """Whole seconds since the first Monday of 1970."""
    return wall.asi8 // _PER_SECOND[wall.unit] - _MONDAY


def _date(seconds):
    return ((seconds + _MONDAY) // DAY).astype("datetime64[D]")


def _shares(seconds, grid):
    """On which part of the days that are there each time of the week has a row; the first time."""
    day, time = np.divmod(seconds, DAY)
    days = day[np.flatnonzero(np.diff(day, prepend=day[0] - 1))]
    if len(days) < FEWEST_DAYS:
        return None, None
    per_day = DAY // grid
    rows = np.bincount(day % 7 * per_day + time // grid, minlength=7 * per_day)
    rows = rows.reshape(7, per_day)
    n_days = np.bincount(days % 7, minlength=7)
    due = np.repeat(n_days[:, None], per_day, axis=1)
    due[days[0] % 7, : time[0] // grid] -= 1  # the first and the last day may be cut
    due[days[-1] % 7, time[-1] // grid + 1 :] -= 1
    week = working_week(n_days, days[0], days[-1])
    is_open = np.array([day == "1" for day in week])[:, None]
    if days[-1] - days[0] < 7 * FEWEST_WEEKS:
        rows, due = (np.sum(x, axis=0, where=is_open, keepdims=True) for x in (rows, due))
    else:
        due[n_days < USUAL * n_days.max()] = n_days.max()  # more than holidays
    share = np.where(is_open, rows / np.maximum(due, 1), 0)
    return share.ravel(), int(time[0] % grid)


def working_week(counts, first, last):
    """The days of the week that have rows; all, unless it is seen for long enough that some rest.

    Saturday and Sunday must have been left out once, other days over four weeks.

    Parameters
    ----------
    counts : ndarray of shape (7,)
        Rows, or days with rows, on each day of the week, from Monday on.
    first, last : int
        Days from some Monday to the first and to the last row.

    Returns
    -------
    str
        As in :func:`numpy.busday_count`.

    Examples
    --------
    >>> import numpy as np
    >>> working_week(np.array([2, 1, 1, 1, 1, 0, 0]), 0, 7)
    '1111100'
    """
    if last - first < 7:
        is_working = last // 7 > first // 7 and not counts[5:].any()
        return WORKING_WEEK if is_working else EVERY_DAY
    week = "".join("1" if n > RARE_DAY * max(counts) else "0" for n in counts)
    is_seen = week == WORKING_WEEK or last - first >= 7 * FEWEST_WEEKS
    return week if is_seen else EVERY_DAY


def _runs(slots, step):
    """First and last of each run of slots one step apart, within a day."""
    is_end = (np.diff(slots) != step) | (np.diff(slots // DAY) > 0)
    ends = np.flatnonzero(is_end)
    firsts, lasts = slots[np.append(0, ends + 1)], slots[np.append(ends, len(slots) - 1)]
    return tuple(zip(firsts.tolist(), lasts.tolist(), strict=True))


def clock_time(second):
    """The time of the day in words: 34200 -> "09:30"."""
    hours, rest = divmod(second, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours:02d}:{minutes:02d}" + (f":{seconds:02d}" if seconds else "")
