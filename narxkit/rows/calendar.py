"""The clock of an index of time stamps: by its ``freq``, or by its rows.

The rules stand at the head of :mod:`narxkit.rows.clock`, whose fields `by_offset` and `by_rows`
return.
"""

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset

from narxkit.rows.timetable import (
    DAY,
    HOUR,
    LONGEST_HOLIDAY,
    ONE_DAY,
    PER_SECOND,
    SLACK,
    WEEK,
    WORKING_WEEK,
    Timetable,
    clock_time,
    working_week,
)

SECONDS = {
    "week": WEEK,
    "day": DAY,
    "hour": HOUR,
    "minute": 60,
    "second": 1,
    "millisecond": 1e-3,
    "microsecond": 1e-6,
    "nanosecond": 1e-9,
}
MANY = 100  # labels, more than a week has hours of work
_MONTH_NAMES = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()
_DAY_NAMES = "Mon Tue Wed Thu Fri Sat Sun".split()


def by_offset(offset):
    """Return the clock that a freq says."""
    offset = _simplified(offset)
    if isinstance(offset, pd.offsets.Day):  # a Tick in pandas 2, but not in pandas 3
        return dict(unit="second", step=float(offset.n * DAY), offset=offset)
    if isinstance(offset, pd.offsets.Tick):
        return dict(unit="second", step=offset.nanos / PER_SECOND["ns"], offset=offset)
    if isinstance(offset, pd.offsets.Week):
        return dict(unit="second", step=float(offset.n * WEEK), offset=offset)
    if isinstance(offset, pd.offsets.CDay):  # a BDay too, so it is asked for first
        week = "".join("1" if day else "0" for day in offset.calendar.weekmask)
        return dict(unit="trading day", step=offset.n, offset=offset, week=week)
    if isinstance(offset, pd.offsets.BDay):
        return dict(unit="trading day", step=offset.n, offset=offset)
    months = _months_of(offset)
    unit, step = ("month", months) if months else ("offset", 1)
    return dict(unit=unit, step=step, offset=offset)


def _simplified(offset):
    """Return a DateOffset of days or of less as the fixed step that it is; any other as it is."""
    # months have no fixed length: they stand for all that stays as it is
    parts = set(offset.kwds) if type(offset) is pd.DateOffset else {"months"}
    if parts <= {"weeks", "days"}:
        step = pd.Timedelta(**(offset.kwds or {"days": 1}))  # DateOffset() is a day
        return pd.offsets.Day(offset.n * step.days)
    shorter = {f"{noun}s" for noun in SECONDS} - {"weeks", "days"}
    return to_offset(offset.n * pd.Timedelta(**offset.kwds)) if parts <= shorter else offset


def _months_of(offset):
    """Count the months from label to label of an offset, None where they are not always as many."""
    first = pd.Timestamp("2001-01-31") + offset
    if first + offset - first < pd.Timedelta(days=26):
        return None
    # in seconds, for 32 steps of ten years end after the last year that nanoseconds reach
    ideal = pd.date_range(first, periods=32, freq=offset, unit="s")
    months = np.unique(np.diff(count_months(ideal)))
    return int(months[0]) if len(months) == 1 else None


def labels_of_season(offset):
    """Return how many labels an offset makes in a day, or else in a year."""
    first = pd.Timestamp("2001-01-01") + offset
    if first + offset - first < pd.Timedelta(days=1):
        # the usual day of four weeks, of which midnight cuts the last one short
        labels = pd.date_range("2001-01-08", "2001-02-05", freq=offset)
        return _most_common(*_distinct(np.unique(labels.normalize(), return_counts=True)[1]))[0]
    n_years = 28  # until the days of the week come again
    rows = len(pd.date_range("2001-01-01", f"{2000 + n_years}-12-31", freq=offset)) / n_years
    # the ends of the years may cost or bring one label of all
    return round(rows) if abs(rows - round(rows)) <= 1 / n_years else 1


def next_labels(index, offset):
    """Return the labels that an offset makes after others."""
    wall = index.tz_localize(None)
    if len(wall) > MANY and isinstance(offset, pd.offsets.BusinessHour):  # pandas takes seconds
        following = _next_hours(wall, offset)
    else:
        following = [label + offset for label in wall]
    return localized(pd.DatetimeIndex(following), index.tz)


def _next_hours(wall, offset):
    """Return the next business hours: one for each time of the week, and those about holidays."""
    times = wall.asi8 % (WEEK * PER_SECOND[wall.unit])
    _, rows, places = np.unique(times, return_index=True, return_inverse=True)
    weekly = _without_holidays(offset)
    steps = np.array([(wall[row] + weekly - wall[row]).to_timedelta64() for row in rows])
    following = wall.to_numpy() + steps[places]
    for row in np.flatnonzero(_is_about_holidays(offset, wall, following)):
        following[row] = (wall[row] + offset).to_datetime64()
    return following


def _without_holidays(offset):
    if not isinstance(offset, pd.offsets.CustomBusinessHour):
        return offset
    hours = {name: offset.kwds[name] for name in ("start", "end", "offset")}
    days = names_of_days("".join("1" if day else "0" for day in offset.calendar.weekmask))
    return pd.offsets.CustomBusinessHour(offset.n, offset.normalize, weekmask=days, **hours)


def _is_about_holidays(offset, earlier, later):
    """Return whether a holiday lies between two labels, or before hours that last past midnight."""
    holidays = offset.kwds.get("calendar", np.busdaycalendar()).holidays
    first = np.searchsorted(
        holidays, earlier.to_numpy().astype("datetime64[D]") - ONE_DAY, side="left"
    )
    return np.searchsorted(holidays, later.astype("datetime64[D]"), side="right") > first


def localized(wall, zone):
    """Return labels of the wall clock in a zone: of an hour that comes twice, the first."""
    is_summer = np.ones(len(wall), dtype=bool)
    # an hour that spring skips is the first one behind it
    return wall.tz_localize(zone, ambiguous=is_summer, nonexistent="shift_forward")


def by_rows(index):
    """Return the clock of a DatetimeIndex by its rows alone."""
    if len(index) < 2:
        return dict(unit="order")
    wall = index.tz_localize(None)
    apart = seconds_between(wall[:-1], wall[1:])
    # 13 days are from the 15th to the end of February
    if apart.min() >= 13 * DAY and (clock := _monthly(wall, apart) or _half_monthly(wall)):
        return clock
    steps = _distinct(apart)
    return (
        _trading(wall, steps)
        or _in_sessions(index, steps)
        or _fixed(index, apart, steps)
        or dict(unit="order")
    )


def _monthly(wall, apart):
    """Return the calendar clock, if all rows stand in the same place of their month."""
    months = count_months(wall)
    if apart.min() < 26 * DAY or np.diff(months).min() < 1:
        return None
    step = _step_of_months(months)
    day, length = wall.day, wall.days_in_month
    is_varied = np.ptp(apart) > 0  # four-weekly rows may stand at the end of some months, too
    if day.max() == 1:
        place = "S"
    elif (day == length).all():
        place = "E"
    # such as the 30th of every month, and the last of February
    elif (day == np.minimum(day.max(), length)).all():
        return dict(unit="month", step=step, offset=pd.DateOffset(months=step, day=int(day.max())))
    elif is_varied and day.max() <= 4:
        place = "BS"
    elif is_varied and (length - day).max() < 4:
        place = "BE"
    else:
        offset = _weekday_of_month(wall, step) if is_varied else None
        return offset and dict(unit="month", step=step, offset=offset)
    return dict(unit="month", step=step, offset=_month_offset(step, place, wall[-1].month))


def _step_of_months(months):
    """Return the most common step or, with many rows off its grid, the largest that reaches all."""
    steps = np.diff(months)
    step = int(_most_common(*_distinct(steps))[0])
    is_on_grid = months % step == months[-1] % step
    return step if np.mean(is_on_grid) >= 0.75 else int(np.gcd.reduce(steps))


def _weekday_of_month(wall, step):
    """Return the pandas offset of a third Friday or a last Monday, or None."""
    weekday, week = wall.day_of_week, (wall.day - 1) // 7
    if np.ptp(weekday) > 0:
        return None
    # a fifth Friday does not come in every month
    if np.ptp(week) == 0 and week[0] < 4:
        return pd.offsets.WeekOfMonth(step, week=int(week[0]), weekday=int(weekday[0]))
    if (wall.days_in_month - wall.day).max() < 7:
        return pd.offsets.LastWeekOfMonth(step, weekday=int(weekday[0]))
    return None


def _month_offset(step, place, month):
    """Return the offset of months, quarters or years that start (S) or end (E), B for business."""
    business, edge = place[:-1], place[-1]
    if step == 12:
        return to_offset(f"{business}Y{edge}-{_MONTH_NAMES[month - 1]}")
    if step == 3:
        # pandas has several names of the same quarters, as QE-MAR and QE-DEC: one is taken
        anchor = (month - 1) % 3 + (9 if edge == "E" else 0)
        return to_offset(f"{business}Q{edge}-{_MONTH_NAMES[anchor]}")
    return to_offset(f"{step}{business}M{edge}")


def _half_monthly(wall):
    """Return the clock of half months, if the rows stand at both of its places."""
    middle, day = wall.day == 15, wall.day
    if not 0 < middle.sum() < len(wall):
        return None
    if (day[~middle] == 1).all():
        return dict(unit="offset", step=1, offset=pd.offsets.SemiMonthBegin())
    if (day[~middle] == wall.days_in_month[~middle]).all():
        return dict(unit="offset", step=1, offset=pd.offsets.SemiMonthEnd())
    return None


def _trading(wall, steps):
    """Return the clock of working days, if rows are days apart and some weekdays never come."""
    usual = _most_common(*steps)[0]
    if usual <= 0 or usual % DAY:
        return None
    dates = dates_of(wall)
    # a Monday, as the days of working_week are counted
    first, last = (dates[[0, -1]] - np.datetime64("1970-01-05")).astype(int)
    week = working_week(np.bincount(wall.day_of_week, minlength=7), first, last)
    # two rows on Friday and Monday may be three days apart, or one working day
    is_too_short = last - first < 7 and usual > DAY
    # seven days are a fixed step
    if week.count("1") not in (5, 6) or is_too_short:
        return None
    apart = np.busday_count(dates[:-1], dates[1:], weekmask=week)
    step = int(_most_common(*_distinct(apart))[0])
    # nobody keeps holidays where a year has missed none, so a missing row is a seam
    has_rows_on_holidays = last - first > 366 and (apart == step).all()
    holiday = 0 if has_rows_on_holidays else LONGEST_HOLIDAY
    if week == WORKING_WEEK:
        offset = pd.offsets.BDay(step)
    else:
        offset = pd.offsets.CDay(step, weekmask=names_of_days(week))
    return dict(unit="trading day", step=step, offset=offset, week=week, holiday=holiday)


def _in_sessions(index, steps):
    """Return the clock of trading or working hours, if the same times come on nearly all days."""
    timetable = Timetable.from_index(index, *steps)
    return timetable and dict(
        unit="session",
        step=timetable.step,
        offset=_business_hour(timetable),
        timetable=timetable,
    )


def _business_hour(timetable):
    """Return the pandas offset that makes the labels of a timetable of whole hours, or None."""
    # BusinessHour counts whole hours, on the wall clock of the labels
    is_hourly = timetable.step == HOUR and timetable.zone is None
    hours = timetable.hours() if is_hourly else None
    begins = [first for first, _ in hours or ()][1:] + [DAY]
    # pandas refuses hours that touch, and an end at 24:00
    if not hours or any(last + HOUR >= first for (_, last), first in zip(hours, begins)):
        return None
    start = [clock_time(first) for first, _ in hours]
    end = [clock_time(last + HOUR) for _, last in hours]
    if timetable.week == WORKING_WEEK:
        return pd.offsets.BusinessHour(start=start, end=end)
    week = names_of_days(timetable.week)
    return pd.offsets.CustomBusinessHour(weekmask=week, start=start, end=end)


def _fixed(index, apart, steps):
    """Return the clock of a fixed step, if one difference prevails."""
    step = _prevailing(apart, steps)
    # hours go on through a change of the clock, which the wall clock skips or repeats
    if index.tz is not None and (step is None or step % DAY):
        apart = seconds_between(index[:-1], index[1:])
        step = _prevailing(apart, _distinct(apart))
    if step is None:
        return None
    if step == WEEK:
        offset = pd.offsets.Week(weekday=index[0].day_of_week)
    elif step % DAY == 0:
        offset = pd.offsets.Day(int(step // DAY))
    else:
        offset = to_offset(pd.Timedelta(round(step * PER_SECOND["ns"]), unit="ns"))
    return dict(unit="second", step=step, offset=offset)


def _prevailing(apart, steps):
    """Return the most common difference, else a round number near the median, else None."""
    step, count = _most_common(*steps)
    # rule 5: a step has to stand twice, unless it is the only one
    if count < max(0.25 * len(apart), min(len(apart), 2)):
        step = np.median(apart)
        if step <= 0 or np.mean(np.abs(apart - step) <= SLACK * step) <= 0.5:
            return None
        n, noun = in_words(step, SECONDS, tolerance=0.02)
        step = n * SECONDS[noun]
    return float(step) if step > 0 else None


def _distinct(values):
    """Return the distinct values, and how often each comes."""
    if values.min() == values.max():  # many times faster than sorting
        return values[:1], np.array([len(values)])
    return np.unique(values, return_counts=True)


def _most_common(found, counts):
    """Return the most common value (the smallest of equals) and its count."""
    return found[counts.argmax()], counts.max()


def seconds_between(earlier, later):
    """Return seconds from the labels of one index to those of another, pair by pair."""
    if earlier.unit == later.unit:  # many times faster than a TimedeltaIndex of a short series
        return (later.asi8 - earlier.asi8) / PER_SECOND[later.unit]
    return (later - earlier).total_seconds().to_numpy()


def count_months(index):
    """Return months since year 0."""
    return (12 * index.year + index.month).to_numpy()


def dates_of(index):
    """Return days on the wall clock, as numpy counts them."""
    return index.tz_localize(None).to_numpy().astype("datetime64[D]")


def in_words(step, sizes, tolerance=1e-9):
    """Return count and noun of the largest size that divides the step: 1800 -> 30, "minute"."""
    counts = ((step / size, noun) for noun, size in sizes.items())
    return next((round(n), noun) for n, noun in counts if abs(n - round(n)) <= tolerance * round(n))


def names_of_days(week):
    """Return the names of days of the week: "1111100" -> "Mon Tue Wed Thu Fri"."""
    return " ".join(name for name, day in zip(_DAY_NAMES, week, strict=True) if day == "1")
