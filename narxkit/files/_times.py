"""The times of a table: which columns hold them, and what they say."""

import re
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ._dates import CLOCK, TEXT, after_midnight, holds_months, month_number, parse, parse_clock
from ._formatting import listed, words
from ._gaps import even_step
from ._table_layout import UNNAMED
from ._wide import counts_steps

TIME_NAMES = {
    "time", "date", "datetime", "timestamp", "ts", "ds", "zeit", "datum", "zeitstempel",
    "zeitpunkt", "zeitraum", "uhrzeit", "heure", "horodatage", "fecha", "hora", "data", "ora",
    "tijd", "tid", "interval", "period", "year", "jahr", "annee", "quarter", "quartal", "month",
    "monat", "mois", "mes", "mese", "day", "tag", "jour", "yyyymm", "yyyymmdd",
}  # fmt: skip
HOUR_NAMES = {"hour", "hr", "he", "hh", "stunde", "heure", "hora", "ora", "uur", "timme"}
CLOCK_NAMES = HOUR_NAMES | {"time", "clock", "uhrzeit", "zeit", "tijd", "tid", "hrmn", "hhmm"}
PERIOD_NAMES = {"period"}  # of half an hour, as markets number them
ELAPSED_NAMES = {"time", "t", "elapsed", "seconds", "second", "sec", "s", "zeit", "temps"}
COUNTED_NAMES = {"hour", "day", "week", "month", "quarter", "stunde", "tag", "woche", "monat"}
YEAR_NAMES = {"decimal", "year", "date", "yr"}
FIELDS = {  # of a calendar, in columns of their own
    "year": {"year", "yr", "yyyy", "jahr", "annee", "ano", "anno", "jaar"},
    "month": {"month", "mo", "mon", "mm", "monat", "mois", "mes", "mese", "maand"},
    "day": {"day", "dy", "dd", "tag", "jour", "dia", "giorno", "dag"},
    "day of year": {"doy", "dayofyear", "jday", "yday", "julian"},
    "quarter": {"quarter", "qtr", "q", "quartal", "trimestre", "kwartaal"},
    "week": {"week", "weeknumber", "weekno", "wk", "isoweek", "epiweek", "woche", "kw", "semaine"},
}
RANGES = {
    "year": (1000, 2300), "month": (1, 12), "day": (1, 31), "day of year": (1, 366),
    "quarter": (1, 4), "week": (1, 53),
}  # fmt: skip
LETTERS = {"month": "[Mm]", "quarter": "[QqTt]", "week": "[Kk]?[Ww]"}  # before numbers, as M01
CALENDARS = (
    ("year", "month", "day"), ("year", "month"), ("year", "day of year"), ("year", "quarter"),
    ("year", "week"),
)  # fmt: skip
MINUTE_NAMES = {"minute", "minuten", "min"}
LEAST_EPOCH = 1e8  # spring of 1973 in seconds
SAMPLE = 50  # cells that tell what a column holds
MOST_LOOKED = 200  # columns that may hold times
MONTH_SLACK = 0.02  # 1949.083 is February


@dataclass(frozen=True)
class Times:
    """The times of rows.

    Parameters
    ----------
    index : DatetimeIndex, Index of float, or None
        Time stamps, or time elapsed; None where rows follow each other.
    columns : list of str
        The columns they come from.
    how : str
        How they were read, for a sentence.
    """

    index: pd.Index | None
    columns: list = field(default_factory=list)
    how: str = ""


def find_times(cells, time, name):
    """Find the times of rows; `time` names their column, None finds it, False means none."""
    if time is False:
        return Times(None, [], "no column is taken for times, so the rows follow each other")
    if time is not None and time not in cells:
        raise ValueError(f"{name} has no column {time!r}: it has {listed(cells.columns)}.")
    parts = _calendar_columns(cells)
    column = _time_column(cells, parts) if time is None else time
    if parts and column in parts.values():
        return _from_fields(cells, parts)
    if column is None:
        column = _elapsed_column(cells)
        if column is not None:
            return _elapsed(cells, column)
        how = "it has no column of times, so the rows are taken to follow each other"
        return Times(None, [], how)
    if time is not None and pd.api.types.is_numeric_dtype(cells[column].dtype):
        if parse(cells[column].dropna().head(SAMPLE))[0].isna().mean() > 0.2:
            return _elapsed(cells, column)
    return _from_dates(cells, column, name)


def _from_dates(cells, column, name):
    """Parse a column of dates, with the clock times beside it."""
    values = cells[column]
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return Times(pd.DatetimeIndex(values), [column], f"column {column!r}")
    if not pd.api.types.is_numeric_dtype(values.dtype):
        values = values.astype(TEXT)
    index, how = _read_times(values, name, column)
    if index.tz is not None:
        how += ", as UTC"
    clock, columns = None, [column]
    # midnights alone: the clock may stand in a column beside
    if index.tz is None and (index.dropna() == index.dropna().normalize()).all():
        clock, more = _clock(cells, [column], values)
        columns += more
        index = index if clock is None else after_midnight(index, clock)
    which = " and ".join(map(repr, columns))
    noun = "column" if len(columns) == 1 else "columns"
    return Times(index, columns, f"{noun} {which}{how}")


def _time_column(cells, parts):
    """Find the column of times by type, by name or by its cells."""
    for column, dtype in cells.dtypes.items():
        if pd.api.types.is_datetime64_any_dtype(dtype):
            return column
    named = [column for column in cells if set(words(column)) & TIME_NAMES]
    texts = [c for c, dtype in cells.dtypes.items() if not pd.api.types.is_numeric_dtype(dtype)]
    # names first: a column of notes may hold dates, too
    for column in [*named[:MOST_LOOKED], *texts[:MOST_LOOKED]]:
        if column not in parts.values() and _holds_dates(cells[column], column, column in named):
            return column
    for column in () if parts else cells:
        if set(words(column)[:1]) & ELAPSED_NAMES and _is_epoch(cells[column]):
            return column
    if parts:
        return parts["year"]
    wordy = (c for c in named if cells[c].dtype == TEXT and _has_letters(cells[c]))
    wordy = (c for c in wordy if not counts_steps(cells[c]))
    return next(wordy, None)  # its cells will be complained of


def _holds_dates(values, column, is_named):
    values = values.dropna().head(SAMPLE)
    if not len(values):
        return False
    dates = parse(values if pd.api.types.is_numeric_dtype(values.dtype) else values.astype(TEXT))[0]
    if dates.notna().mean() <= 0.8:
        return False
    # 2024 is a date or a load of 2024 MW: its name decides
    numbers = pd.to_numeric(values, errors="coerce").dropna()
    if len(numbers) <= 0.5 * len(values) or (values.dtype == TEXT and holds_months(values)):
        return True
    return is_named and (len(words(column)) == 1 or numbers.min() > LEAST_EPOCH)


def _is_epoch(values):
    """Tell whether numbers are so large that they are epochs, or dates without separators."""
    values = _numbers(values.dropna().head(SAMPLE))
    return len(values) > 0 and values.min() > LEAST_EPOCH and parse(values)[0].notna().mean() > 0.8


def _has_letters(values):
    return values.dropna().head(SAMPLE).str.contains(r"[^\W\d_]|[/:.-]").mean() > 0.5


def _read_times(values, name, column):
    """Parse time stamps, and note how."""
    index, how = parse(values)
    # some bad cells are faults of the file; many say that it is read the wrong way
    is_bad = index.isna() & values.notna().to_numpy()
    if is_bad.mean() > 0.2:
        first = values[is_bad].iloc[0]
        raise ValueError(
            f"{name}: the times in column {column!r} cannot be read, as {str(first)[:80]!r} in "
            f"line {values.index[is_bad][0]}: write them like 2024-12-31 14:00, name another "
            "column with time=NAME, or none with time=False."
        )
    return index, how


# --- clock times and calendars in columns of their own ------------------------------------------


def _clock(cells, taken, days):
    """Find times since midnight in columns beside the dates, and their names, or None."""
    if not pd.api.types.is_numeric_dtype(days.dtype):
        if days.dropna().head(SAMPLE).str.contains(r"\d[:hH]\d").any():
            return None, []
    texts = [c for c, dtype in cells.dtypes.items() if not pd.api.types.is_numeric_dtype(dtype)]
    for column in cells.columns.drop([*taken, *texts[MOST_LOOKED:]], errors="ignore"):
        since = _since_midnight(cells[column], set(words(column)))
        if since is not None:
            minutes, more = _minutes(cells, [*taken, column], since)
            return since + minutes, [column, *more]
    return None, []


def _since_midnight(values, named):
    """Parse a column of times of day, or return None where it holds something else."""
    is_number = pd.api.types.is_numeric_dtype(values.dtype)
    if is_number and not named & (CLOCK_NAMES | PERIOD_NAMES):
        return None
    given = values.dropna()
    if not len(given):
        return None
    if is_number:
        return _of_numbers(values, given, named)
    some = given.head(SAMPLE).astype(TEXT)
    is_clock = some.str.fullmatch(CLOCK)
    if is_clock.all() and some.str.contains(r":|\d[.]\d\d[.]\d").any():
        return parse_clock(values)
    if named & CLOCK_NAMES and is_clock.all():
        return parse_clock(values)
    if named & HOUR_NAMES and some.str.fullmatch(r"(HE|he|H|h)?\s?\d{1,2}(:00)?").all():
        hours = values.astype(TEXT).str.extract(r"([0-9]+)", expand=False).astype(float)
        return pd.TimedeltaIndex(pd.to_timedelta(hours, unit="h"))
    return None


def _of_numbers(values, given, named):
    """Parse hours, half hours of a market, or hours and minutes such as 1830."""
    if (given % 1 != 0).any() or given.min() < 0:
        return None
    if named & HOUR_NAMES and given.max() <= 24:
        return pd.TimedeltaIndex(pd.to_timedelta(values, unit="h"))
    # half hours of a market's day, 46 and 50 when clocks change
    if named & PERIOD_NAMES and 46 <= given.max() <= 50 and given.min() == 1:
        return pd.TimedeltaIndex(pd.to_timedelta(30 * (values - 1), unit="min"))
    if named & CLOCK_NAMES and 24 < given.max() <= 2400 and (given % 100 < 60).all():
        minutes = values // 100 * 60 + values % 100
        return pd.TimedeltaIndex(pd.to_timedelta(minutes, unit="min"))
    return None


def _minutes(cells, taken, hours):
    """Find the minutes beside a column of whole hours, and its name, if any."""
    nothing = pd.Timedelta(0), []
    if (hours.dropna() % pd.Timedelta("1h") != pd.Timedelta(0)).any():
        return nothing
    for column in cells.columns.drop(taken):
        values = cells[column]
        if set(words(column)) & MINUTE_NAMES and _is_within(values, 0, 59):
            return pd.TimedeltaIndex(pd.to_timedelta(values, unit="min")), [column]
    return nothing


def _is_within(values, low, high):
    if not pd.api.types.is_numeric_dtype(values.dtype):
        return False
    given = values.dropna()
    return len(given) > 0 and bool((given.between(low, high) & (given % 1 == 0)).mean() > 0.8)


def _calendar_columns(cells):
    """Find columns of a year and of its parts, if any.

    Of several calendars, as of months and weeks, the one that tells most rows apart.
    """
    parts = {}
    for column in cells:
        named = words(column)
        for part, names in FIELDS.items() if len(named) == 1 else ():
            if named[0] in names | PERIOD_NAMES and _holds_field(cells[column], part, named[0]):
                parts.setdefault(part, column)
    found = [calendar for calendar in CALENDARS if parts.keys() >= set(calendar)]
    if len(found) > 1:
        n_twice = [cells[[parts[p] for p in calendar]].duplicated().sum() for calendar in found]
        found = [found[int(np.argmin(n_twice))]]
    return {part: parts[part] for part in found[0]} if found else {}


def _holds_field(values, part, name):
    """Tell whether a column holds a part of a calendar; a period has a letter for its kind."""
    if name in PERIOD_NAMES:
        if part not in LETTERS or pd.api.types.is_numeric_dtype(values.dtype):
            return False
        if not values.dropna().astype(TEXT).str.match(LETTERS[part]).all():
            return False
    return _is_within(_field(values, part), *RANGES[part])


def _field(values, part):
    """Convert a part of a calendar to numbers, texts such as January, M01 and Q1, too."""
    if pd.api.types.is_numeric_dtype(values.dtype) or part not in LETTERS:
        return values
    known = {}
    for text in values.dropna().unique():
        digits = re.fullmatch(rf"(?:{LETTERS[part]})?\s?(\d{{1,2}})", str(text))
        if digits:
            known[text] = int(digits[1])
        elif part == "month" and re.fullmatch(r"[^\W\d_]{3,}\.?", str(text)):
            known[text] = month_number(text)
    return values.map(known).astype(float)


def _from_fields(cells, parts):
    """Combine columns of year, month, day and clock time into time stamps."""
    fields = pd.DataFrame({part: _field(cells[column], part) for part, column in parts.items()})
    fields["year"] = fields["year"].where(fields["year"].between(*RANGES["year"]))
    index = _of_calendar(fields)
    columns = list(parts.values())
    clock, more = _clock(cells, columns, fields["year"])
    columns += more
    index = index if clock is None else after_midnight(index, clock)
    which = ", ".join(map(repr, columns[:-1])) + f" and {columns[-1]!r}"
    return Times(index, columns, f"columns {which}")


def _of_calendar(fields):
    """Combine year, month and day, or find the first day of a quarter or ISO week."""
    if "week" in fields:
        texts = fields.dropna().astype(int).astype(str)
        texts = (texts["year"] + "-W" + texts["week"]).reindex(fields.index)
        return parse(texts)[0]
    # first month of the quarter
    month = 3 * fields["quarter"] - 2 if "quarter" in fields else fields.get("month", 1)
    dates = {"year": fields["year"], "month": month, "day": fields.get("day", 1)}
    index = pd.DatetimeIndex(pd.to_datetime(pd.DataFrame(dates), errors="coerce"))
    if "day of year" not in fields:
        return index
    return after_midnight(index, pd.TimedeltaIndex(pd.to_timedelta(fields["day of year"] - 1, "D")))


# --- time elapsed --------------------------------------------------------------------------------


def _elapsed_column(cells):
    """Find a column that counts time or rows: by its name, else the first without one."""
    if len(cells) < 3:
        return None
    for column in cells:
        named = set(words(column)[:1])
        if named & ELAPSED_NAMES and _is_rising(cells[column]):
            return column
        is_counted = named & COUNTED_NAMES and len(words(column)) == 1
        if is_counted and _is_rising(cells[column], True):
            return column
        if named & YEAR_NAMES and _is_rising(cells[column]):
            if _numbers(cells[column]).between(1000, 2300).all():
                return column
    first = cells.columns[0]
    return (
        first if counts_rows(cells) or (first == "c1" and _is_rising(cells[first], True)) else None
    )


def counts_rows(cells):
    """Tell whether the first column has no name and counts, as the rows of pandas do."""
    first = cells.columns[0]
    return first.startswith(UNNAMED) and len(cells) > 2 and _is_rising(cells[first], True)


def _is_rising(values, is_even=False):
    steps = np.diff(_numbers(values))
    return bool((steps > 0).all()) and (not is_even or even_step(steps) is not None)


def _numbers(values):
    """Convert to numbers, also text whose decimal sign is in doubt."""
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values.astype(float)
    return pd.to_numeric(values.str.replace(",", "."), errors="coerce").astype(float)


def _elapsed(cells, column):
    """Read elapsed time as numbers, or the months of decimal years."""
    values = _numbers(cells[column])
    # 1990.083 is February, whatever its rounding
    months = np.floor(12 * values + MONTH_SLACK)
    is_monthly = values.between(1000, 2300).all() and (values % 1 != 0).any()
    if is_monthly and len(values) > 2 and even_step(np.diff(months)):
        dates = pd.DataFrame({"year": months // 12, "month": months % 12 + 1, "day": 1})
        index = pd.DatetimeIndex(pd.to_datetime(dates))
        return Times(index, [column], f"column {column!r}, read as years with decimals")
    return Times(pd.Index(values), [column], f"column {column!r}")
