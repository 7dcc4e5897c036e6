"""The seasons of a series and the fields of its calendar, from its clock or from itself."""

from narxkit.diagnostics.seasons import N_MIN, find_season
from narxkit.rows.timetable import DAY

DAYS = 7  # of a week
YEAR = 365  # days
SEEN = 3  # times that a season has to be seen


def periods_of(table, key):
    """Return the rows of the seasons of a series, the shortest first.

    Those of the clock: a day and a week of shorter steps, a week and a year of days, else a year.
    Without a clock one that `find_season` finds.
    """
    rows = table.series[key]
    clock = _clock_of(table, key)
    if clock is None:
        y = table.y[rows][:, 0]
        season = find_season(y) if len(y) >= N_MIN else None
        return [] if season is None else [season.period]
    season = clock.season()
    periods = [season, *_longer(clock, season)]
    return [period for period in periods if 1 < period <= len(rows) / SEEN]


def fields_of(table, calendar, holidays):
    """Return the fields of the calendar that may be read, or None.

    Chosen of steps up to a day: the time of the day and the day of the week, as far as there are
    any. To those come holidays of a country, where one is named.
    """
    if not (isinstance(calendar, str) and calendar == "auto"):
        if holidays is not None:
            raise ValueError(
                f"holidays={holidays!r} go with calendar='auto': name them in the calendar, as in "
                f"calendar=['day_of_week', {{'holiday': {holidays!r}}}]."
            )
        return calendar
    clock = _clock_of(table, max(table.series, key=lambda key: len(table.series[key])))
    if clock is None or table.is_elapsed or clock.unit not in ("second", "session", "trading day"):
        if holidays is not None:
            raise ValueError(
                f"holidays={holidays!r} are looked up by day, and the rows have no time stamps in "
                "steps of a day or less: give X or y such an index, or holidays=None."
            )
        return None
    days = 1 if clock.unit == "trading day" else clock.step / DAY
    fields = ["hour"] if days < 1 else []
    fields += ["day_of_week"] if days <= 1 else []
    # what X has already
    given = [str(name) for name in table.columns or ()]
    fields = [field for field in fields if not any(name.startswith(field) for name in given)]
    fields += [{"holiday": holidays}] if holidays is not None else []
    return fields or None


def _clock_of(table, key):
    clock = table.clocks.get(key) if table.times is not None else None
    return clock if clock is not None and clock.is_regular else None


def _longer(clock, season):
    if clock.unit == "session":
        return [season * clock.timetable.week.count("1")]
    if clock.unit != "second" or season == 1:
        return []
    return [DAYS * season] if clock.step < DAY else [YEAR] if clock.step == DAY else []
