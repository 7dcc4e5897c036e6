"""The calendar as columns of numbers: the hour, the day of the week, the month, holidays.

A field such as the hour turns once in its cycle. With p the turns since its cycle began, it is
coded by harmonics or by periodic cubic B-splines B around m places of the cycle,

    sin(2 pi k p), cos(2 pi k p),  k = 1, 2, ...          B(m p - j),  j = 0 ... m - 2

Both join the end of a cycle to its begin. Columns that the values of a field cannot tell apart from
others are left out: of n values, harmonics above n / 2; of the harmonic n / 2, which alternates
from value to value, one of two columns; and of splines, which add up to 1, the last.

All is read from the wall clock of the labels. In a time zone the hour that autumn repeats has its
number twice, and the one that spring skips does not come.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from narxkit._checks import is_count
from narxkit._stored import stored
from narxkit.rows.calendar import dates_of, seconds_between
from narxkit.rows.public_holidays import is_holiday, read_place
from narxkit.rows.timetable import DAY, HOUR, PER_SECOND, WEEK

YEAR = 365.25  # days
CYCLES = {  # seconds
    "minute": HOUR,
    "hour": DAY,
    "day_of_week": WEEK,
    "week": YEAR * DAY,
    "day_of_year": YEAR * DAY,
    "month": YEAR * DAY,
}
FLAGS = {"weekend": WEEK, "holiday": WEEK}
IN_WORDS = {HOUR: "an hour", DAY: "a day", WEEK: "a week", YEAR * DAY: "a year"}
FIELDS = *CYCLES, *FLAGS
FEW = 12  # rows of a cycle, each of which has a level of its own: the months of a year
OF_A_DAY = 6  # harmonics: two peaks of a load take five
OF_LONGER_CYCLES = 3  # the days of a week have no more; a year is not seen often
N_SPLINES = 12  # of a cycle
FEWEST_FOR_SPLINES = 4  # one reaches over four places
_MONDAY = np.datetime64("1970-01-05")


@stored
@dataclass(frozen=True)
class Harmonics:
    """A field as sines and cosines.

    Parameters
    ----------
    field : str
        Its name.
    n : int
        Harmonics with a sine and a cosine.
    alternates : bool
        Whether one more follows, with a single column.
    """

    field: str
    n: int
    alternates: bool

    @classmethod
    def within(cls, field, n, n_values):
        """Take n harmonics, or as many as so many values can tell apart."""
        return cls(field, min(n, (n_values - 1) // 2), n_values % 2 == 0 and n_values // 2 <= n)

    @property
    def names(self):
        """One name for each column."""
        numbers = ["", *range(2, self.n + 2)]
        whole = [f"{self.field}_{wave}{k}" for k in numbers[: self.n] for wave in ("sin", "cos")]
        return [*whole, f"{self.field}_cos{numbers[self.n]}"] if self.alternates else whole

    def columns(self, wall):
        """Return the columns, (n, n_columns), of time stamps of the wall clock."""
        angles = np.outer(2 * np.pi * turns(self.field, wall), np.arange(1, self.n + 2))
        whole = angles[:, : self.n]
        waves = np.stack([np.sin(whole), np.cos(whole)], axis=2).reshape(len(wall), 2 * self.n)
        # wherever in their cycle the rows stand, a phase of 1 is no zero of theirs
        return np.c_[waves, np.cos(angles[:, self.n] - 1)] if self.alternates else waves


@stored
@dataclass(frozen=True)
class Splines:
    """A field as periodic cubic B-splines.

    Parameters
    ----------
    field : str
        Its name.
    n : int
        Splines in a cycle, at least `FEWEST_FOR_SPLINES`.
    taken : tuple of int
        Those that are columns.
    """

    field: str
    n: int
    taken: tuple[int, ...]

    @classmethod
    def varying(cls, field, n, wall):
        """Take the splines that vary in these rows, but for the last: all add up to 1."""
        values = cls(field, n, tuple(range(n))).columns(wall)
        return cls(field, n, tuple(np.flatnonzero(np.ptp(values, axis=0))[:-1].tolist()))

    @property
    def names(self):
        """One name for each column."""
        return [f"{self.field}_spline{j}" for j in self.taken]

    def columns(self, wall):
        """Return the columns, (n, n_columns), of time stamps of the wall clock."""
        place = self.n * turns(self.field, wall)[:, None] - np.array(self.taken)
        distance = np.abs((place + self.n / 2) % self.n - self.n / 2)  # the shorter way round
        inside = 2 / 3 - distance**2 + distance**3 / 2
        return np.where(distance < 1, inside, np.maximum(2 - distance, 0) ** 3 / 6)


@stored
@dataclass(frozen=True)
class Flag:
    """Whether a row lies on a weekend, or on a public holiday: 1 or 0.

    Parameters
    ----------
    field : {"weekend", "holiday"}
        Which of both.
    place : tuple of (str, str or None), default=()
        Country and region of the holidays.
    """

    field: str
    place: tuple = ()

    @property
    def names(self):
        """The name of the column."""
        return [self.field]

    def columns(self, wall):
        """Return the column, (n, 1), of time stamps of the wall clock."""
        days = dates_of(wall)
        is_on = is_holiday(days, *self.place) if self.place else _day_of_week(days) >= 5
        return is_on[:, None].astype(float)


@stored
@dataclass(frozen=True)
class Calendar:
    """The fields that are read of the time stamps of rows.

    Parameters
    ----------
    codes : tuple of Harmonics, Splines or Flag
        One for each field.
    in_zone : bool, default=False
        Whether the rows of ``fit`` have a time zone.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.date_range("2024-01-05", periods=3)
    >>> calendar = Calendar((Flag("weekend"), Harmonics("day_of_week", 1, False)))
    >>> calendar.names, calendar.columns(days)[:, 0].tolist()
    (['weekend', 'day_of_week_sin', 'day_of_week_cos'], [0.0, 1.0, 1.0])
    """

    codes: tuple
    in_zone: bool = False

    @cached_property
    def names(self):
        """One name for each column."""
        return [name for code in self.codes for name in code.names]

    def columns(self, times):
        """Return the columns, (n, n_columns), of rows with these time stamps."""
        if times is None:
            self._refuse("have none")
        wall = _wall_clock(times)
        return np.concatenate([code.columns(wall) for code in self.codes], axis=1)

    def check(self, table):
        """Refuse elapsed times, which have no calendar, and wall clocks of who knows where."""
        if table.is_elapsed:
            self._refuse("are labelled by elapsed times")
        if table.times is not None and _has_zone(table.times) != self.in_zone:
            seen, new = ("a time zone", "none") if self.in_zone else ("no time zone", "one")
            raise ValueError(
                f"the calendar fields {self._fields} are read from the wall clock, but the rows of "
                f"fit have {seen} and these have {new}: give both a time zone with tz_localize()."
            )

    @property
    def _fields(self):
        return [code.field for code in self.codes]

    def _refuse(self, what):
        raise ValueError(refusal(self._fields, what))


def refusal(fields, what):
    """Write the sentence for rows that have no time stamps."""
    return (
        f"the calendar fields {list(fields)} are read from the time stamps of the rows, and these "
        f"rows {what}: give X or y a DatetimeIndex or a PeriodIndex, or calendar=None."
    )


def read_calendar(calendar, table):
    """Read the fields that are asked for, as far as the rows tell their values apart.

    Parameters
    ----------
    calendar : sequence, dict or None
        Names of fields; dicts give their coding, or where their holidays are.
    table : Table
        The rows of ``fit``.

    Returns
    -------
    Calendar or None
        None where no field is asked for.

    Raises
    ------
    ValueError
        When a field or coding is unknown, the rows have no time stamps, or the step from one to
        the next is as long as the cycle of a field.
    """
    fields = {} if calendar is None else _read_fields(calendar)
    if not fields:
        return None
    if table.times is None or table.is_elapsed:
        elapsed = "are labelled by elapsed times"
        raise ValueError(refusal(fields, elapsed if table.is_elapsed else "have none"))
    step, clock = _shortest_step(table)
    wall = _wall_clock(table.times)
    for name in fields:
        _refuse_long_steps(name, step, clock)
    codes = tuple(_code(name, coding, step, wall) for name, coding in fields.items())
    return Calendar(codes, _has_zone(table.times))


def _read_fields(calendar):
    """Return a dict from the name of each field to its coding, None where none is given."""
    if isinstance(calendar, str) or not np.iterable(calendar):
        raise ValueError(
            "calendar must be a sequence of names of fields, such as ['hour', 'day_of_week'], or "
            f"a dict from their names to their coding. Got {calendar!r} instead."
        )
    fields = {}
    for part in [calendar] if isinstance(calendar, Mapping) else calendar:
        for name, coding in part.items() if isinstance(part, Mapping) else [(part, None)]:
            if not isinstance(name, str) or name not in FIELDS:
                raise ValueError(
                    f"calendar names the field {name!r}, but the fields are "
                    f"{', '.join(map(repr, FIELDS))}: correct the name."
                )
            if name in fields:
                raise ValueError(f"calendar names the field {name!r} twice: name each once.")
            fields[str(name)] = _read_coding(name, coding)
    return fields


def _read_coding(name, coding):
    if name == "holiday":
        return read_place(coding)
    if coding is None or name in CYCLES and (is_count(coding) or _is_spline(coding)):
        return coding
    kinds = "None, an int >= 1 (harmonics) or 'spline'" if name in CYCLES else "None"
    raise ValueError(f"calendar[{name!r}] must be {kinds}. Got {coding!r} instead.")


def _is_spline(coding):
    return isinstance(coding, str) and coding == "spline"


def _refuse_long_steps(name, step, clock):
    cycle = (CYCLES | FLAGS)[name]
    if step and round(cycle / step) < 2:
        raise ValueError(
            f"calendar names the field {name!r}, which changes within {IN_WORDS[cycle]}, but the "
            f"clock is {clock.describe()}: leave the field out, or give rows of shorter steps."
        )


def _code(name, coding, step, wall):
    """Return how a field is coded, given the seconds from row to row of ``fit``."""
    if name in FLAGS:
        return Flag(name, coding or ())
    n_rows = round(CYCLES[name] / step) if step else len(wall)  # of a cycle
    # those of a leap year stand a little beside the others, which makes no values of their own
    n_values = min(len(np.unique(turns(name, wall))), n_rows)
    if _is_spline(coding) and n_values >= FEWEST_FOR_SPLINES:
        return Splines.varying(name, min(n_values, N_SPLINES), wall)
    default = OF_A_DAY if CYCLES[name] <= DAY else OF_LONGER_CYCLES
    if n_rows <= FEW:
        default = FEW // 2
    # of one value a constant column is left, of which a forecaster warns as of any
    return Harmonics.within(name, coding if is_count(coding) else default, max(n_values, 2))


def _shortest_step(table):
    """Return seconds from row to row, of the series where they are fewest, and its clock.

    None of both where a clock has no step, or no row follows another: its rows may show any value
    of a field.
    """
    steps = {}
    for key, rows in table.series.items():
        if len(rows) == 1:
            continue
        if not table.clocks[key].is_regular:
            return None, None
        wall = _wall_clock(table.times[rows])
        steps[key] = float(np.median(seconds_between(wall[:-1], wall[1:])))
    if not steps:
        return None, None
    key = min(steps, key=steps.get)
    return steps[key], table.clocks[key]


def _has_zone(times):
    return getattr(times, "tz", None) is not None


def _wall_clock(times):
    """Return the time stamps of the wall clock; of periods, where they begin."""
    return times.to_timestamp() if isinstance(times, pd.PeriodIndex) else times.tz_localize(None)


def turns(field, wall):
    """Return how far a field has come in its cycle, from 0 to 1.

    Examples
    --------
    >>> import pandas as pd
    >>> turns("hour", pd.DatetimeIndex(["2024-01-05 18:00", "2024-01-05 18:45"])).tolist()
    [0.75, 0.78125]
    """
    if field in ("minute", "hour"):
        ticks = CYCLES[field] * PER_SECOND[wall.unit]
        return wall.asi8 % ticks / ticks
    days = dates_of(wall)
    if field == "day_of_week":
        return _day_of_week(days) / 7
    if field == "month":
        return (days.astype("datetime64[M]").astype(int) % 12 + 1) / 12
    if field == "week":
        # a week of ISO 8601 is of the year of its Thursday
        thursdays = days + (3 - _day_of_week(days)).astype("timedelta64[D]")
        return ((_day_of_year(thursdays) - 1) // 7 + 1) * 7 / YEAR
    return _day_of_year(days) / YEAR


def _day_of_week(days):
    return (days - _MONDAY).astype(int) % 7


def _day_of_year(days):
    return (days - days.astype("datetime64[Y]")).astype(int) + 1
