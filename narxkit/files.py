"""Series in files as people keep them: CSV in the dialects of many countries, and Parquet.

`read_series` answers with a frame of numbers over time and with sentences on everything that it
found and mended. What it takes for what:

- The **separator** is the first of tab, ``;``, ``|`` and ``,`` that most lines hold equally often;
  lines before the first of these are skipped. Numbers have a decimal comma where some can be read
  only so; where all could be either (``14.380``), the sign stands for thousands if plain numbers of
  up to three digits stand beside it.
- The **time column** is the one named, else one with the name of a time in one of several
  languages, else the first that holds dates. A column of clock times beside one of dates is joined
  to it. Dates are read day first or month first, whichever all of them allow, and where both are
  possible, whichever gives the evener steps.
- A **cell** that is no number is missing; so are ``NA``, ``-`` and their like. A column that holds
  mostly text is left out.
- Rows of the same time are averaged, unless they are many: then something tells them apart, an
  hour or a place, and that is refused. Missing rows of a regular clock are put in as missing,
  unless more than ``LONGEST_FILLED`` of them follow each other: such a gap stays a seam.
"""

import io
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from narxkit._clock import Clock

__all__ = ["SeriesFile", "read_series"]

TEXT = pd.StringDtype("python", na_value=np.nan)  # the same with and without pyarrow
LONGEST_FILLED = 200  # rows
MOST_SHARED = 0.2  # of the rows, may have the time of another
SEPARATORS = "\t;|,"
MISSING = {"", "-", "--", "na", "n/a", "nan", "#n/a", "null", "none", "nil", "?", "."}
TIME_NAMES = {
    "time", "date", "datetime", "timestamp", "ts", "ds", "zeit", "datum", "zeitstempel",
    "zeitpunkt", "zeitraum", "uhrzeit", "heure", "horodatage", "fecha", "hora", "data", "ora",
    "tijd", "tid", "interval", "period", "year", "jahr", "annee", "quarter", "quartal", "month",
    "monat", "mois", "mes", "mese", "day", "tag", "jour",
}  # fmt: skip
# the months of English, German, French, Spanish, Italian, Portuguese and Dutch, without accents
MONTHS = (
    "jan gen ene", "feb fev", "mar maa mrz mrt", "apr avr abr", "mai may mag mei maj",
    "jun juin giu", "jul juil lug", "aug aou ago", "sep set", "oct okt ott out", "nov",
    "dec dez dic",
)  # fmt: skip
MONTH_OF = {name: i + 1 for i, names in enumerate(MONTHS) for name in names.split()}

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
GROUPED = {  # numbers whose thousands stand apart, by their decimal sign
    ".": re.compile(r"[+-]?\d{1,3}([,'’]\d{3})+(\.\d*)?"),
    ",": re.compile(r"[+-]?\d{1,3}([.'’]\d{3})+(,\d*)?"),
}
WITH_COMMA = r"[+-]?(\d+,(\d{1,2}|\d{4,})|\d{1,3}([.'’\s]\d{3})+,\d+)"
WITH_POINT = r"[+-]?(\d+\.(\d{1,2}|\d{4,})|\d{1,3}(,\d{3})+\.\d+)"
CLOCK = r"(\d{1,2})(?:[:hH.](\d{2})?)(?::(\d{2})(?:[.,]\d+)?)?\s*([AaPp][Mm])?(?:\s*(?:Uhr|uhr|h))?"
DATE = re.compile(
    r"(\d{1,4})\s*[-./\s]\s*(\d{1,2})\s*[-./\s]\s*(\d{1,4})\.?"
    rf"(?:[T,\s]+(?:um|at|à)?\s*{CLOCK})?"
)
MONTH_FIRST = re.compile(r"^([^\W\d_]{3,})\.?\s*(?:(\d{1,2}),)?\s*(\d{4})")
MONTH_BETWEEN = re.compile(r"(\d{1,4})[-./\s]*(?:de\s+)?([^\W\d_]{3,})[-./\s]*(?:de\s+)?(\d{1,4})")
EITHER = r"[+-]?\d{1,3}(\.\d{3})+|[+-]?\d{1,3}(,\d{3})+"  # thousands, or three decimals
HOUR_NAMES = ("hour", "stunde", "heure", "hora", "ora", "uur", "timme")
PLAIN_FORMS = (  # what is written around and in times, and plainer
    (re.compile(r"^[^\W\d_]{2,}\.?,?\s+(?=\d+[-./]\d+[-./])"), ""),  # the day of the week
    (re.compile(r"\s+[-–]\s+.*$"), ""),  # the end of an interval
    (re.compile(r"([AaPp])\.\s?[Mm]\."), r"\1m"),
    (re.compile(r"^(\d{1,2})[/.-](\d{4})$"), r"\2-\1-1"),
    (re.compile(r"^(\d{4})[-/ ]?[QqTt]([1-4])$"), r"\1-q\2"),
    (re.compile(r"^[QqTt]([1-4])[-/ ]?(\d{4})$"), r"\2-q\1"),
)
QUARTERS = {"q1": "1-1", "q2": "4-1", "q3": "7-1", "q4": "10-1"}
STAND_INS = (-999, -9999, -99999)  # for missing values, in files of instruments
DIGITS = {4: "%Y", 6: "%Y%m", 8: "%Y%m%d", 10: "s", 12: "%Y%m%d%H%M", 13: "ms", 14: "%Y%m%d%H%M%S"}


@dataclass(frozen=True, eq=False)
class SeriesFile:
    """A table of numbers over time, and what was done to make it one.

    Parameters
    ----------
    name : str
        Name of the file.
    frame : DataFrame
        Columns of floats; a sorted DatetimeIndex, or row numbers from 0 where the file has no
        times.
    notes : tuple of str
        Sentences on what was found and mended, the first on rows, time and step.
    clock : Clock or None
        The step of the times.

    See Also
    --------
    read_series : Makes one.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from narxkit.files import read_series
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "load.csv"
    ...     _ = path.write_text("Datum;Last\\n30.12.2024;1,5\\n31.12.2024;2,5\\n01.01.2025;x\\n")
    ...     series = read_series(path)
    >>> series.frame["Last"].tolist()
    [1.5, 2.5, nan]
    >>> print(*series.notes, sep="\\n")
    load.csv: 3 rows, daily, from 2024-12-30 to 2025-01-01 (column 'Datum', read as day.month.year).
    Numbers are read with a decimal comma.
    Line 4: 'Last' holds 'x' instead of a number; it counts as missing.
    """

    name: str
    frame: pd.DataFrame
    notes: tuple
    clock: Clock | None


def read_series(path, time=None):
    """Read a file of numbers over time.

    Parameters
    ----------
    path : str or path
        A CSV file, also compressed (``.gz``, ``.zip``, ``.bz2``, ``.xz``), or a Parquet file.
    time : str, default=None
        Name of the time column; by default it is found.

    Returns
    -------
    SeriesFile
        The numbers, and sentences on what was found and mended.

    Raises
    ------
    ValueError
        When the file is no table, its times cannot be read, or no column holds numbers.
    ImportError
        When a Parquet file is given and pyarrow is missing.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from narxkit.files import read_series
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "load.csv"
    ...     _ = path.write_text("Date,Time,MW\\n3/14/2024,13:00,5\\n3/14/2024,14:00,6\\n")
    ...     read_series(path).frame.index[0]
    Timestamp('2024-03-14 13:00:00')
    """
    path = Path(path)
    if path.is_dir():
        raise ValueError(f"{path} is a folder: give a file in it.")
    cells = _parquet(path) if path.suffix.lower() in (".parquet", ".pq") else _csv(path)
    cells = cells.dropna(how="all")
    if not len(cells):
        raise ValueError(f"{path.name} has a header and no rows: nothing to forecast from.")
    index, columns, how = _times(cells, time, path.name)
    frame, notes = _numbers(cells.drop(columns=columns), path.name)
    frame, seen, clock = _in_order(frame, index)
    summary = _summary(path.name, frame, clock, how)
    return SeriesFile(path.name, frame, (summary, *notes, *seen), clock)


# ------------------------------------------------------------------------------------ cells


def _csv(path):
    """Cells as stripped text, missing ones as NaN; the index holds line numbers."""
    text = _decoded(path)
    separator, n_skipped = _layout(text)
    try:
        cells = pd.read_csv(
            io.StringIO(text),
            sep=separator,
            dtype=TEXT,
            keep_default_na=False,
            skip_blank_lines=False,
            skipinitialspace=True,
            index_col=False,
            skiprows=n_skipped,
        )
    except pd.errors.EmptyDataError as error:
        raise ValueError(f"{path.name} is empty: give a table with a header line.") from error
    except pd.errors.ParserError as error:
        found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
        if found is None:
            raise ValueError(f"{path.name} cannot be read as a table: {error}.") from error
        wanted, line, seen = found.groups()
        raise ValueError(
            f"{path.name} cannot be read: line {line} has {seen} cells, but the header has "
            f"{wanted}: correct the line."
        ) from error
    cells.columns = [str(name).strip() for name in cells.columns]
    if all(NUMBER.fullmatch(name.replace(",", ".")) or DATE.fullmatch(name) for name in cells):
        raise ValueError(
            f"the first line of {path.name} holds values, {_listed(cells.columns)}, where the "
            "names of the columns should be: add a header line."
        )
    cells = cells.apply(lambda column: column.str.strip().str.strip("\u00a0'\""))
    cells.index += 2 + n_skipped
    cells = cells.where(~cells.apply(lambda column: column.str.lower().isin(MISSING)))
    cells.attrs["separator"] = separator
    return cells


def _layout(text):
    """The separator of a table, and how many lines stand before its header."""
    lines = [re.sub(r'"[^"]*"|^sep=.|^#.*', "", line) for line in text.split("\n", 200)[:200]]
    filled = [line for line in lines if line.strip()]
    for sign in SEPARATORS:
        counts = [line.count(sign) for line in filled]
        usual = max(set(counts), key=counts.count, default=0)
        if usual and counts.count(usual) >= 0.5 * len(counts):
            least = max(1, usual - 1)  # rows may end in one separator more
            return sign, next(i for i, line in enumerate(lines) if line.count(sign) >= least)
    return ",", next((i for i, line in enumerate(lines) if line.strip()), 0)


def _decoded(path):
    """The text of a file, in the encoding that it is in."""
    if path.suffix.lower() in (".xlsx", ".xls", ".ods"):
        raise ValueError(f"{path.name} is a spreadsheet: save it as CSV and give that file.")
    with pd.io.common.get_handle(path, "rb", is_text=False, compression="infer") as file:
        content = file.handle.read()
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16")
    if b"\x00" in content[:4096]:
        raise ValueError(f"{path.name} is no text file: save the table as CSV and give that file.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _parquet(path):
    """The columns of a Parquet file, those of its index included."""
    try:
        frame = pd.read_parquet(path)
    except ImportError as error:
        raise ImportError(
            "reading Parquet needs pyarrow, which is not installed: pip install "
            "'narxkit[parquet]', or give a CSV file."
        ) from error
    except ValueError as error:  # pyarrow's own errors are such
        raise ValueError(f"{path.name} cannot be read as Parquet: {error}.") from error
    if not isinstance(frame.index, pd.RangeIndex):
        names = [name or "time" for name in frame.index.names]
        frame = frame.reset_index(names=names)
    frame.columns = frame.columns.astype(str)
    return frame.set_axis(np.arange(1, len(frame) + 1), axis=0)


# ------------------------------------------------------------------------------------ times


def _times(cells, time, name):
    """Time stamps of the rows, the columns they come from, and how they were read."""
    if time is not None and time not in cells:
        raise ValueError(f"{name} has no column {time!r}: it has {_listed(cells.columns)}.")
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
    named = [column for column in cells if set(_words(column)) & TIME_NAMES]
    for column in [*named, *cells]:
        values = cells[column].dropna().head(50)
        if not len(values) or pd.api.types.is_float_dtype(values.dtype):
            continue
        dates = _parse(values.astype(TEXT))[0]
        is_plain = values.astype(TEXT).str.fullmatch(r"[+-]?\d+([.,]\d*)?").mean() > 0.5
        is_named = len(_words(column)) == 1 and column in named
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
        if is_hour and set(_words(other)) & set(HOUR_NAMES):
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
    for form, plain in PLAIN_FORMS:
        texts = texts.str.replace(form, plain, regex=True)
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
    letters = _plain(word)
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


# ------------------------------------------------------------------------------------ numbers


def _numbers(cells, name):
    """Columns of numbers, and sentences on those that hold none and on cells that are text."""
    decimal, doubts = _decimal_sign(cells)
    columns, notes, texts = {}, [], []
    for column in cells:
        values, given = _column(cells[column], decimal), cells[column].notna()
        if not given.any():
            notes.append(f"Column {column!r} is empty and left out.")
            continue
        is_text = given & ~np.isfinite(values)
        if is_text.sum() > 0.5 * given.sum():
            texts.append(column)
            continue
        if is_text.any():
            notes.append(_note_text(cells[column][is_text], column))
        columns[column] = values.where(np.isfinite(values))
        notes += _note_stand_ins(values, column)
    if not columns:
        example = ""
        if texts:
            cell = cells[texts[0]].dropna()
            example = f", as {str(cell.iloc[0])!r} in line {cell.index[0]}"
        raise ValueError(
            f"{name} has no column of numbers beside its times: it has "
            f"{_listed(cells.columns) or 'no other column'}{example}."
        )
    if texts:
        verbs = ("holds", "is") if len(texts) == 1 else ("hold", "are")
        notes.append("{} {} text and {} left out.".format(_listed(texts), *verbs))
    if decimal == "," and not doubts:
        notes.insert(0, "Numbers are read with a decimal comma.")
    notes = doubts + notes
    return pd.DataFrame(columns, index=cells.index), notes


def _decimal_sign(cells):
    """The sign before decimals, and a sentence where it is in doubt."""
    surplus, either = 0, {}
    for column in cells:
        if cells[column].dtype.kind in "iufbM":
            continue
        texts = _plain_signs(cells[column].dropna())
        surplus += int(texts.str.fullmatch(WITH_COMMA).sum())
        surplus -= int(texts.str.fullmatch(WITH_POINT).sum())
        is_either = texts.str.fullmatch(EITHER)
        if is_either.any():
            sign = "," if "," in texts[is_either].iloc[0] else "."
            has_small = texts.str.fullmatch(r"[+-]?\d{1,3}").any()
            either[column] = sign, texts[is_either].iloc[0], has_small
    if surplus or not either:
        return "," if surplus > 0 else ".", []
    column, (sign, example, _) = next(iter(either.items()))
    other = {",": ".", ".": ","}[sign]
    is_quoted = sign == "," == cells.attrs.get("separator")  # who wrote 14,380 between commas
    if is_quoted or any(has_small for *_, has_small in either.values()):
        return other, [f"Numbers such as {example!r} in {column!r} are read as thousands."]
    return sign, [
        f"Numbers such as {example!r} in {column!r} are read as {example.replace(',', '.')}; if "
        f"thousands are meant, write them without {sign!r}."
    ]


def _plain_signs(texts):
    """Numbers as texts, without blanks, with their minus in front."""
    texts = texts.astype(TEXT).str.replace(r"[\s\u00a0\u202f]", "", regex=True)
    texts = texts.str.replace("\u2212", "-")
    return texts.str.replace(r"^\((\d.*)\)$|^(\d.*)-$", r"-\1\2", regex=True)


def _column(cells, decimal):
    """Cells as floats, NaN where they are no number."""
    if cells.dtype.kind in "iufb" or pd.api.types.is_numeric_dtype(cells.dtype):
        return cells.astype(float)
    texts = _plain_signs(cells)
    truths = texts.str.lower().map({"true": 1.0, "false": 0.0})
    if truths.notna().any():
        return truths
    is_grouped = texts.str.fullmatch(GROUPED[decimal].pattern)
    if is_grouped.any():
        grouping = r"[.'’]" if decimal == "," else r"[,'’]"
        texts = texts.where(~is_grouped, texts.str.replace(grouping, "", regex=True))
    if decimal == ",":
        texts = texts.str.replace(",", ".")
    return pd.to_numeric(texts, errors="coerce").astype(float)


def _note_stand_ins(values, column):
    return [
        f"{column!r} is {number} in {n:,} rows: if that means missing, empty these cells."
        for number in STAND_INS
        if (n := int((values == number).sum())) > 1
    ]


def _note_text(cells, column):
    first = f"{str(cells.iloc[0])!r} instead of a number"
    if len(cells) == 1:
        return f"Line {cells.index[0]}: {column!r} holds {first}; it counts as missing."
    return (
        f"{column!r} holds text in {len(cells)} cells, in line {cells.index[0]} {first}; they "
        "count as missing."
    )


# ------------------------------------------------------------------------------------ rows


def _in_order(frame, index):
    """Rows sorted, each time once and missing ones put in; sentences on it; the clock."""
    if index is None:
        return frame.reset_index(drop=True), [], None
    notes = []
    if index.hasnans:
        n, line = int(index.isna().sum()), frame.index[np.argmax(index.isna())]
        notes.append(
            f"Line {line} has no time that can be read; the row is left out."
            if n == 1
            else f"{n:,} rows have no time that can be read, the first in line {line}; they are "
            "left out."
        )
        frame, index = frame[index.notna()], index[index.notna()]
    frame = frame.set_axis(index.rename("time"), axis=0)
    if not index.is_monotonic_increasing:
        notes.append("The rows were not in the order of time and are sorted.")
        frame = frame.sort_index(kind="stable")
    twice = frame.index.duplicated()
    if twice.any():
        _refuse_many(frame, twice)
        n, first = int(twice.sum()), said(frame.index[twice][0])
        notes.append(
            f"The time {first} comes twice; its rows are averaged."
            if n == 1
            else f"{n:,} times come again, the first {first}; rows of the same time are averaged."
        )
        frame = frame.groupby(level=0).mean()
    clock = Clock.from_index(frame.index)
    frame, more = _filled(frame, clock)
    return frame, notes + more, clock


def _refuse_many(frame, twice):
    """Times shared by many different rows: something tells the rows apart."""
    others = twice & ~frame.reset_index().duplicated().to_numpy()
    if others.mean() > MOST_SHARED:
        first = frame.index[twice][0]
        raise ValueError(
            f"{int((frame.index == first).sum())} different rows have the time {said(first)}, and "
            f"{int(others.sum()):,} rows share theirs in all: if an hour stands in a column of its "
            "own, join it to the date; if there are several places or meters, keep one of them."
        )


def _filled(frame, clock):
    """Missing rows of a regular clock put in, but long gaps left."""
    index = frame.index
    if clock.unit not in ("second", "month") or not clock.breaks(index).any():
        return frame, []
    whole = clock.after(index[0], _count(clock, index)).insert(0, index[0])
    if not index.isin(whole).all():
        return frame, [
            f"Not all times are on one grid ({clock.describe()}): no forecast reaches across a gap."
        ]
    place = whole.get_indexer(index)
    n_missing = np.diff(place) - 1
    is_long = n_missing > LONGEST_FILLED
    notes = [
        f"A gap of {n_missing[row]:,} rows after {said(index[row])}: no forecast reaches across it."
        for row in np.flatnonzero(is_long)
    ]
    if n_filled := int(n_missing[~is_long].sum()):
        first = said(whole[place[np.argmax((n_missing > 0) & ~is_long)] + 1])
        notes.insert(
            0,
            f"The row of {first} is missing; it is filled in as missing values."
            if n_filled == 1
            else f"{n_filled:,} rows are missing, the first {first}; they are filled in as missing "
            "values.",
        )
    in_long_gap = np.repeat(is_long, np.diff(place))
    in_long_gap[place[:-1]] = False
    keep = whole[: place[-1]][~in_long_gap].append(index[-1:])
    return frame.reindex(keep).rename_axis("time"), notes


def _count(clock, index):
    """Steps from the first to the last time, at least."""
    days = (index[-1] - index[0]) / pd.Timedelta("1D")
    step = clock.step / 86400 if clock.unit == "second" else 28 * clock.step
    return int(days / step) + 2


def _summary(name, frame, clock, how):
    if clock is None:
        return f"{name}: {len(frame):,} rows; {how}."
    first, last = map(said, frame.index[[0, -1]])
    if (frame.index.normalize() == frame.index).all():
        first, last = first[:10], last[:10]
    return f"{name}: {len(frame):,} rows, {clock.describe()}, from {first} to {last} ({how})."


def said(label):
    """Write a time stamp without what is zero, or another label as it is.

    Parameters
    ----------
    label : Timestamp or int
        The label of a row.

    Returns
    -------
    str
        The label in words.

    Examples
    --------
    >>> import pandas as pd
    >>> said(pd.Timestamp("2024-01-01 07:00:00")), said(12)
    ('2024-01-01 07:00', 'row 12')
    """
    if not isinstance(label, pd.Timestamp):
        return f"row {label}"
    text = str(label)
    return text[:16] + text[19:] if text[16:].startswith(":00") else text


def _listed(names):
    return ", ".join(map(repr, map(str, names)))


def _plain(text):
    """Letters without accents, in lower case."""
    parts = unicodedata.normalize("NFD", text.lower())
    return "".join(sign for sign in parts if not unicodedata.combining(sign))


def _words(name):
    return re.findall(r"[a-z]+", _plain(name))
