"""The seasons of a series, from its clock or from the series itself."""

from narxkit.diagnostics.seasons import N_MIN, find_season
from narxkit.rows.timetable import DAY

WEEK = 7  # days
YEAR = 365
SEEN = 3  # times that a season has to be seen


def periods_of(table, key):
    """Return the rows of the seasons of a series, the shortest first.

    Those of the clock: a day and a week of shorter steps, a week and a year of days, else a year.
    Without a clock one that `find_season` finds.
    """
    rows = table.series[key]
    clock = table.clocks.get(key) if table.times is not None else None
    if clock is None or not clock.is_regular:
        y = table.y[rows][:, 0]
        season = find_season(y) if len(y) >= N_MIN else None
        return [] if season is None else [season.period]
    season = clock.season()
    periods = [season, *_longer(clock, season)]
    return [period for period in periods if 1 < period <= len(rows) / SEEN]


def _longer(clock, season):
    if clock.unit == "session":
        return [season * clock.timetable.week.count("1")]
    if clock.unit != "second" or season == 1:
        return []
    return [WEEK * season] if clock.step < DAY else [YEAR] if clock.step == DAY else []
