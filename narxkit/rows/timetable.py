"""The timetable of a week: trading hours, working hours, and every other rhythm of hours.

A clock that rests each night or each weekend does not jump there. Its timetable holds the times of
the week, on the wall clock, at which rows come; what it counts is rows of the timetable.

- *From rows.* Steps are below a day. A time of the week is *open* if a row stands there on more
  than ``USUAL`` of the days that are in the index, and *closed* if on at most ``RARE`` of them.
  Where more than a few times lie in between, as those about sunrise do over the seasons, there is
  no timetable; a few are left out. Within less than four weeks, with three days at least, all days
  share their times; from four weeks on each day of the week has its own. Working days are those of
  rule 3 in :mod:`narxkit.rows.clock`.
- *Whose wall clock.* That of the labels. A market whose labels are in UTC, or in any zone that is
  not its own, opens an hour earlier or later after a change of the clock. So rows that do not stand
  exactly so are also read on the wall clocks of ``ZONES``, one for each rule of daylight saving, if
  they change within the index; labels without a zone are taken as UTC. A zone must explain half of
  the rows that are missing or beside the open times. Of zones that change together one stands for
  all: Frankfurt opens at eight, London time.
- *What follows.* The next row of the timetable, and any row one step later. A day's first row also
  follows where the sessions before it were short or missing, as before holidays and on them: up to
  ``LONGEST_HOLIDAY`` whole days, after an early close or none. An early close needs a pause before
  that first row: where trading goes on past midnight, only whole days may be missing. A row that is
  missing within a session, or at its beginning, is a seam.
"""

import math
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from narxkit._stored import stored

PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
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
MISFIT = 0.5  # of that on the wall clock of the labels: what another zone must explain
ZONES = "America/New_York", "Europe/London", "Australia/Sydney"
FEWEST_DAYS = 3  # two nights
FEWEST_WEEKS = 4  # until each day of the week can be told from the others

ONE_DAY = np.timedelta64(1, "D")
_MONDAY = 4 * DAY  # 1970-01-05, as seconds since 1970


@stored
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
    zone : str, optional
        Where the clock hangs: a name of the time zone database, or None for that of the labels.

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
    zone: str | None = None

    @classmethod
    def from_index(cls, index, apart, counts):
        """Read the timetable of sorted time stamps.

        Parameters
        ----------
        index : DatetimeIndex
        apart, counts : ndarray
            The distinct seconds from row to row on its wall clock, and how often each comes.

        Returns
        -------
        Timetable or None
            None where there is none.
        """
        step, n = apart[counts.argmax()], counts.sum()
        n_gaps, n_weeks = counts[apart > step].sum(), n * step // WEEK
        has_pauses = n_gaps > 1 and n_gaps >= USUAL * n_weeks  # each week has one at least
        # times of the week are counted in whole seconds, on a grid that is the same each day
        if not has_pauses or counts.max() < n / 4 or not 0 < step < DAY or (apart % 1).any():
            return None
        grid = int(np.gcd.reduce(apart.astype(np.int64)))
        if DAY % grid or index.asi8[0] % PER_SECOND[index.unit]:
            return None
        plain = _read(wall_clock(index), int(step), grid)
        readings = [plain] if plain else []
        if plain and plain.may_move:  # zones cost a reading each
            readings += _readings_in_zones(index, plain)
        fitting = [reading for reading in readings if reading.is_timetable]
        best = min(fitting, key=lambda reading: reading.misfit, default=None)
        return best and cls(best.step, _runs(best.opened, best.step), best.zone)

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
        """Return first and last row of the sessions, in seconds of the day; None if days differ."""
        days = {}
        for first, last in self.sessions:
            days.setdefault(first // DAY, []).append((first % DAY, last % DAY))
        hours = list(days.values())
        return hours[0] if all(other == hours[0] for other in hours) else None

    def describe(self):
        """Name the sessions: "from 09:00 to 16:00", "from 09:30 to 16:00 New York time"."""
        place = f" {self.zone.split('/')[-1].replace('_', ' ')} time" if self.zone else ""
        hours = self.hours()
        if hours is None:
            return f"in the same hours of every week{place and ','}{place}"
        spans = " and ".join(f"{clock_time(a)} to {clock_time(b)}" for a, b in hours)
        return f"from {spans}{place}"

    def count(self, earlier, later, elapsed):
        """Count the rows from the earlier to the later labels; 1 is what follows.

        Parameters
        ----------
        earlier, later : DatetimeIndex
        elapsed : ndarray
            True seconds between them.

        Returns
        -------
        ndarray of int
        """
        rows = np.ones(len(elapsed), dtype=np.int64)
        # most rows are one step apart, and need no timetable
        other = np.flatnonzero(np.abs(elapsed - self.step) > SLACK * self.step)
        earlier, later = (wall_clock(index[other], self.zone) for index in (earlier, later))
        counted = self._position(later) - self._position(earlier)
        counted = np.maximum(counted, elapsed[other] > self.step)  # to a row beside the timetable
        counted[self._reopens(earlier, later) & (counted > 1)] = 1
        rows[other] = counted
        return rows

    def labels_after(self, last, n):
        """Return the n labels after the last one, and some more, in its time zone and unit.

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
        begin = wall_clock(pd.DatetimeIndex([last]), self.zone) - pd.Timedelta(hours=1)  # of autumn
        place = self._position(begin) + np.arange(per_hour + n + n_skipped)
        weeks, rows = np.divmod(place, len(self.slots))
        wall = (_MONDAY + WEEK * weeks + self.slots[rows]).astype("datetime64[s]")
        labels = _labels_of(pd.DatetimeIndex(wall).as_unit(last.unit), self.zone, last.tz)
        return labels[labels > last]

    def _position(self, wall):
        """Return rows of the timetable up to and with each label."""
        weeks, second = np.divmod(_since_monday(wall), WEEK)
        return weeks * len(self.slots) + np.searchsorted(self.slots, second, side="right")

    def _reopens(self, earlier, later):
        """Return whether a day begins, and only holidays and early closes lie before it."""
        closed, opened = _since_monday(earlier), _since_monday(later)
        is_after_pause = np.diff(self.slots, prepend=self.slots[-1] - WEEK) > self.step
        firsts, lasts = self.slots[self._firsts], self.slots[self._firsts - 1]
        openings = firsts[is_after_pause[self._firsts]]
        # after an early close, if a pause comes before the opening
        begins = np.isin(opened % WEEK, openings)
        # or from the last row of one day to the first of another
        begins |= np.isin(opened % WEEK, firsts) & np.isin(closed % WEEK, lasts)
        days = np.busday_count(_date(closed) + ONE_DAY, _date(opened), weekmask=self.week)
        return begins & (days <= LONGEST_HOLIDAY)


def wall_clock(index, zone=None):
    """Read the wall clock at each label; that of a zone, where naive labels are UTC.

    Examples
    --------
    >>> str(wall_clock(pd.DatetimeIndex(["2024-07-01 13:30"]), "America/New_York")[0])
    '2024-07-01 09:30:00'
    """
    if zone is not None:
        index = (index.tz_localize("UTC") if index.tz is None else index).tz_convert(zone)
    return index.tz_localize(None)


def _labels_of(wall, zone, tz):
    """Return when the clock shows these times: never in spring's hour, twice in autumn's."""
    here = zone or tz
    if here is None:
        return wall
    first, second = (
        wall.tz_localize(here, ambiguous=np.full(len(wall), is_summer), nonexistent="NaT").dropna()
        for is_summer in (True, False)
    )
    return first.union(second).tz_convert(tz)  # to UTC for naive labels


def _since_monday(wall):
    """Return whole seconds since the first Monday of 1970."""
    return wall.asi8 // PER_SECOND[wall.unit] - _MONDAY


def _date(seconds):
    return ((seconds + _MONDAY) // DAY).astype("datetime64[D]")


@dataclass(frozen=True, eq=False)
class _Reading:
    """How the rows of an index stand on the times of the week, on the wall clock of a zone."""

    step: int
    grid: int  # seconds from one time to the next
    opened: np.ndarray  # seconds since Monday
    seen: np.ndarray  # those, and the doubtful ones
    misfit: float  # rows beside the open times, and those missing there, for each row
    zone: str | None

    @property
    def may_move(self):
        """Whether another clock may explain what is off: of each session, an hour at both ends."""
        n_pauses = self._is_pause(self.opened).sum()
        doubtful = (len(self.seen) - len(self.opened)) * self.grid
        return self.misfit > 0 and n_pauses > 0 and doubtful <= 2 * HOUR * n_pauses

    @property
    def is_timetable(self):
        """Whether some times are closed, and only few neither open nor closed."""
        is_clear = len(self.seen) - len(self.opened) <= DOUBTFUL * len(self.opened)
        return bool(is_clear and self._is_pause(self.seen).any())

    def _is_pause(self, slots):
        return np.diff(slots, append=slots[:1] + WEEK) > self.step


def _readings_in_zones(index, plain):
    """Return the better readings, on the wall clocks of zones that change within the index.

    The last year decides, for it holds all changes.
    """
    begin = index.searchsorted(index[-1] - pd.Timedelta(days=366))
    if begin:
        index = index[begin:]
        plain = _read(wall_clock(index), plain.step, plain.grid) or plain
    for zone in ZONES:
        with suppress(KeyError):  # a system without the time zone database
            wall = wall_clock(index, zone)
            is_changed = np.ptp(wall.asi8 - index.asi8) > 0
            reading = is_changed and _read(wall, plain.step, math.gcd(plain.grid, HOUR), zone)
            if reading and reading.misfit < MISFIT * plain.misfit:
                yield reading


def _read(wall, step, grid, zone=None):
    """Count the rows of each time of the week; None of less than three days."""
    day, time = np.divmod(_since_monday(wall), DAY)
    days = day[np.flatnonzero(np.diff(day, prepend=day[0] - 1))]
    if len(days) < FEWEST_DAYS:
        return None
    rows = np.bincount(day % 7 * (DAY // grid) + time // grid, minlength=7 * (DAY // grid))
    rows = rows.reshape(7, -1)
    due = _days_of(days, time[[0, -1]] // grid, rows.shape[1])
    share = _shares(rows, due, days)
    opened, seen = (
        np.flatnonzero(share > least) * grid + int(time[0] % grid) for least in (USUAL, RARE)
    )
    misfit = np.where(share > USUAL, np.abs(due - rows), rows).sum() / len(wall)
    return _Reading(step, grid, opened, seen, misfit, zone)


def _days_of(days, ends, per_day):
    """Count the days that are there on which each time of the week comes."""
    due = np.repeat(np.bincount(days % 7, minlength=7)[:, None], per_day, axis=1)
    due[days[0] % 7, : ends[0]] -= 1  # the first and the last day may be cut
    due[days[-1] % 7, ends[1] + 1 :] -= 1
    return due


def _shares(rows, due, days):
    """Return the part of its days on which each time of the week has a row."""
    n_days = np.bincount(days % 7, minlength=7)
    week = working_week(n_days, days[0], days[-1])
    is_open = np.array([day == "1" for day in week])[:, None]
    # too few to tell the days of the week apart: all share their times
    if days[-1] - days[0] < 7 * FEWEST_WEEKS:
        rows, due = (np.sum(x, axis=0, where=is_open) for x in (rows, due))
    else:
        is_rare = n_days < USUAL * n_days.max()  # more than holidays
        due = np.where(is_rare[:, None], n_days.max(), due)
    return np.where(is_open, rows / np.maximum(due, 1), 0)  # 0 of 0 is none


def working_week(counts, first, last):
    """Return the days of the week that have rows; all, unless seen long enough that some rest.

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
        is_working = last // 7 > first // 7 and not counts[5:].any()  # over a weekend
        return WORKING_WEEK if is_working else EVERY_DAY
    week = "".join("1" if n > RARE_DAY * max(counts) else "0" for n in counts)
    is_seen = week == WORKING_WEEK or last - first >= 7 * FEWEST_WEEKS
    return week if is_seen else EVERY_DAY


def _runs(slots, step):
    """Return first and last of each run of slots one step apart, within a day."""
    is_end = (np.diff(slots) != step) | (np.diff(slots // DAY) > 0)
    ends = np.flatnonzero(is_end)
    firsts, lasts = slots[np.append(0, ends + 1)], slots[np.append(ends, len(slots) - 1)]
    return tuple(zip(firsts.tolist(), lasts.tolist(), strict=True))


def clock_time(second):
    """Return the time of the day in words: 34200 -> "09:30"."""
    hours, rest = divmod(second, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours:02d}:{minutes:02d}" + (f":{seconds:02d}" if seconds else "")
