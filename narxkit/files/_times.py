"""The times of a table: which column holds them, and what its cells say."""

import re

import numpy as np
import pandas as pd

from ._words import listed, plain, words

TEXT = pd.StringDtype("python", na_value=np.nan)  # the same with and without pyarrow

TIME_NAMES = {
    "time", "date", "datetime", "timestamp", "ts", "ds", "zeit", "datum", "zeitstempel",
    "zeitpunkt", "zeitraum", "uhrzeit", "heure", "horodatage", "fecha", "hora", "data", "ora",
    "tijd", "tid", "interval", "period", "year", "jahr", "annee", "quarter", "quartal", "month",
    "monat", "mois", "mes", "mese", "day", "tag", "jour",
}  # fmt: skip
HOUR_NAMES = ("hour", "stunde", "heure", "hora", "ora", "uur", "timme")
# the months of English, German, French, Spanish, Italian, Portuguese and Dutch, without accents
MONTHS = (
    "jan gen ene", "feb fev", "mar maa mrz mrt", "apr avr abr", "mai may mag mei maj",
    "jun juin giu", "jul juil lug", "aug aou ago", "sep set", "oct okt ott out", "nov",
    "dec dez dic",
)  # fmt: skip
MONTH_OF = {name: i + 1 for i, names in enumerate(MONTHS) for name in names.split()}

CLOCK = r"(\d{1,2})(?:[:hH.](\d{2})?)(?::(\d{2})(?:[.,]\d+)?)?\s*([AaPp][Mm])?(?:\s*(?:Uhr|uhr|h))?"
DATE = re.compile(
    r"(\d{1,4})\s*[-./\s]\s*(\d{1,2})\s*[-./\s]\s*(\d{1,4})\.?"
    rf"(?:[T,\s]+(?:um|at|à)?\s*{CLOCK})?"
)
MONTH_FIRST = re.compile(r"^([^\W\d_]{3,})\.?\s*(?:(\d{1,2}),)?\s*(\d{4})")
MONTH_BETWEEN = re.compile(r"(\d{1,4})[-./\s]*(?:de\s+)?([^\W\d_]{3,})[-./\s]*(?:de\s+)?(\d{1,4})")
PLAIN_FORMS = (  # what is written around and in times, and plainer
    (re.compile(r"^[^\W\d_]{2,}\.?,?\s+(?=\d+[-./]\d+[-./])"), ""),  # the day of the week
    (re.compile(r"\s+[-–]\s+.*$"), ""),  # the end of an interval
    (re.compile(r"([AaPp])\.\s?[Mm]\."), r"\1m"),
    (re.compile(r"^(\d{1,2})[/.-](\d{4})$"), r"\2-\1-1"),
    (re.compile(r"^(\d{4})[-/ ]?[QqTt]([1-4])$"), r"\1-q\2"),
    (re.compile(r"^[QqTt]([1-4])[-/ ]?(\d{4})$"), r"\2-q\1"),
)
QUARTERS = {"q1": "1-1", "q2": "4-1", "q3": "7-1", "q4": "10-1"}
DIGITS = {4: "%Y", 6: "%Y%m", 8: "%Y%m%d", 10: "s", 12: "%Y%m%d%H%M", 13: "ms", 14: "%Y%m%d%H%M%S"}


def find_times(cells, time, name):
    """Time stamps of the rows, the columns they come from, and how they were read."""
    if time is not None and time not in cells:
        raise ValueError(f"{name} has no column {time!r}: it has {listed(cells.columns)}.")
    column = _time_column(cells) if time is None else time
    if column is None:
        return None, [], "it has no column of times, so the rows are taken to follow each other"
    values, columns = cells[column], [column]
    if values.dtype.kind == "M" or isinstance(values.dtype, pd.DatetimeTZDtype):
        return pd.DatetimeIndex(values), columns, f"column {column!r}"
    values = values.astype(TEXT)
    clock = _clock_column(cells, column)
    if clock is not None:
        hours = cells[clock].astype(TEXT)
        hours = hours.where(~hours.str.fullmatch(r"\d{1,2}"), hours + ":00")
        values, columns = values + " " + hours, [column, clock]
    index, how = _read_times(values, name, column)
    if isinstance(index, pd.DatetimeIndex) and index.tz is not None:
        how += ", as UTC"
    which = " and ".join(map(repr, columns))
    return index, columns, f"column{'s' * (len(columns) > 1)} {which}{how}"


def _time_column(cells):
    """The column of times, by type, by name or by what it holds."""
    for column in cells:
        if pd.api.types.is_datetime64_any_dtype(cells[column].dtype):
            return column
    named = [column for column in cells if set(words(column)) & TIME_NAMES]
    for column in [*named, *cells]:
        values = cells[column].dropna().head(50)
        if not len(values) or pd.api.types.is_float_dtype(values.dtype):
            continue
        dates = _parse(values.astype(TEXT))[0]
        is_plain = values.astype(TEXT).str.fullmatch(r"[+-]?\d+([.,]\d*)?").mean() > 0.5
        is_named = len(words(column)) == 1 and column in named
        if dates.notna().mean() > 0.8 and (is_named or not is_plain):
            return column
    texts = (c for c in named if cells[c].dtype == TEXT and _has_letters(cells[c]))
    return next(texts, None)  # its cells will be complained of


def _has_letters(values):
    return values.dropna().head(50).str.contains(r"[^\W\d_]|[/:.-]").mean() > 0.5


def _clock_column(cells, column):
    """A column of clock times beside one of dates."""
    days = cells[column].dropna().astype(TEXT).head(50)
    if days.str.contains(r"[:hH]").any():
        return None
    for other in cells.columns.drop(column):
        values = cells[other].dropna().head(50).astype(TEXT)
        if not len(values):
            continue
        if values.str.fullmatch(CLOCK).all() and values.str.contains(":").any():
            return other
        is_hour = values.str.fullmatch(r"\d{1,2}").all() and values.astype(int).max() <= 24
        if is_hour and set(words(other)) & set(HOUR_NAMES):
            return other
    return None


def _read_times(values, name, column):
    """Time stamps, and how they were read."""
    index, order = _parse(values)
    is_bad = index.isna() & values.notna().to_numpy()
    if is_bad.mean() > 0.2:
        first = values[is_bad].iloc[0]
        raise ValueError(
            f"{name}: the times in column {column!r} cannot be read, as {first!r} in line "
            f"{values.index[is_bad][0]}: write them like 2024-12-31 14:00, or name another column "
            "with --time."
        )
    return index, f", read as {order}" if order else ""


def _parse(values):
    """Time stamps of texts (NaT where there is none), and the order of day and month."""
    texts = values.str.strip()
    seen = texts.dropna()
    if len(seen) and seen.str.fullmatch(r"\d+").mean() > 0.8 and seen.str.len().max() > 3:
        return _digits(texts, int(seen.str.len().mode()[0])), ""
    if len(seen) and seen.str.fullmatch(r"[2-6]\d{4}[.,]\d+").mean() > 0.8:
        return _serial(texts.str.replace(",", ".")), ""
    has_zone = seen.str.contains(r":\d\d.*(?:[+-]\d\d:?\d\d|Z)$").any()
    iso = pd.to_datetime(texts, format="ISO8601", errors="coerce", utc=bool(has_zone))
    if has_zone or iso.notna().sum() == len(seen):
        return pd.DatetimeIndex(iso), ""
    for form, shorter in PLAIN_FORMS:
        texts = texts.str.replace(form, shorter, regex=True)
    if texts.str.contains("-q", na=False).any():
        texts = texts.str.replace(r"q[1-4]$", lambda found: QUARTERS[found[0]], regex=True)
    parts = _months_as_numbers(texts).str.extract(f"^{DATE.pattern}$")
    return _from_parts(parts)


def _serial(texts):
    """Time stamps of the days since the end of 1899, as spreadsheets count them."""
    days = pd.to_timedelta(pd.to_numeric(texts, errors="coerce"), unit="D")
    return pd.DatetimeIndex(pd.Timestamp("1899-12-30") + days).round("s")


def _digits(texts, n):
    """Time stamps of whole numbers: years, dates without signs, or seconds since 1970."""
    if n == 5:
        return _serial(texts)
    if n not in DIGITS:
        return pd.DatetimeIndex([pd.NaT] * len(texts))
    how = {"unit": DIGITS[n]} if n in (10, 13) else {"format": DIGITS[n]}
    numbers = pd.to_numeric(texts, errors="coerce") if "unit" in how else texts
    return pd.DatetimeIndex(pd.to_datetime(numbers, errors="coerce", **how))


def _months_as_numbers(texts):
    """Dates whose month is a word, as numbers: '3. März 2024' becomes '3-3-2024'."""
    if not texts.str.contains(r"[^\W\d_]{3,}", na=False).any():
        return texts
    texts = texts.str.replace(MONTH_FIRST, _year_first, regex=True)
    return texts.str.replace(MONTH_BETWEEN, _numbered, regex=True)


def _year_first(match):
    """'May 3, 2024' and 'Mai 2024' as numbers."""
    month = _month(match[1])
    return match[0] if month is None else f"{match[3]}-{month}-{match[2] or 1}"


def _numbered(match):
    month = _month(match[2])
    return match[0] if month is None else f"{match[1]}-{month}-{match[3]}"


def _month(word):
    letters = plain(word)
    return MONTH_OF.get(letters[:4]) or MONTH_OF.get(letters[:3])


def _from_parts(parts):
    """Time stamps of three numbers and a clock time, in the order of day and month that fits."""
    numbers = parts[[0, 1, 2, 3, 4, 5]].apply(pd.to_numeric).astype(float)
    a, b, c = (numbers[i] for i in range(3))
    if a.max() > 31:
        return _stamps(a, b, c, numbers, parts[6]), "year-month-day"
    c = c.where(c >= 100, c + 2000)
    orders = {"day.month.year": (c, b, a), "month/day/year": (c, a, b)}
    read = {name: _stamps(*order, numbers, parts[6]) for name, order in orders.items()}
    n_read = {name: stamps.notna().sum() for name, stamps in read.items()}
    best = [name for name in read if n_read[name] == max(n_read.values())]
    order = min(best, key=lambda name: len(np.unique(np.diff(read[name].dropna().asi8))))
    doubt = [f", though {other} is possible too" for other in best if other != order]
    return read[order], order + "".join(doubt)


def _stamps(year, month, day, numbers, half):
    hour = numbers[3].fillna(0)
    is_half = half.notna()
    hour = hour.where(~is_half, hour % 12 + 12 * half.str.lower().eq("pm"))
    next_day = hour == 24  # the end of a day, as power companies write it
    clock = {"hour": hour.where(~next_day, 0), "minute": numbers[4].fillna(0)}
    date = {"year": year, "month": month, "day": day}
    parts = pd.DataFrame(date | clock | {"second": numbers[5].fillna(0)})
    days = pd.to_timedelta(next_day.astype(int), unit="D")
    return pd.DatetimeIndex(pd.to_datetime(parts, errors="coerce") + days)
