"""The cells of a table: numbers where pandas sees nothing else in a column, text otherwise."""

import io
import re
import warnings
from itertools import count

import numpy as np
import pandas as pd

from narxkit._words import printable

from ._dates import TEXT
from ._formatting import listed
from ._numbers import OTHER, dotted_times, doubtful_sign, find_decimal, settle_sign
from ._open import read_text
from ._table_layout import BLANK, MISSING, NEW, UNNAMED, find_layout, line_start, unique

SAMPLE = 10_000  # cells that tell the decimal sign
MOST_BLANK = 10_000_000  # cells that rows lack
MARKS = sorted({form(mark) for mark in MISSING for form in (str, str.upper, str.title)} | {"NaN"})


def read_csv(path, encoding=None, header=True):
    """Read columns of numbers or of stripped text; the index holds line numbers.

    Its ``attrs`` hold the ``separator``, the ``decimal`` sign (None where text must tell), the
    ``doubts`` about it, and ``notes``.
    """
    name = printable(path.name)
    text, notes = read_text(path, encoding)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")  # lines end where pandas ends them
    layout = find_layout(text, name, header)
    start = line_start(text, layout.first)
    table = text[start : layout.last] if start or layout.last else text
    _refuse_sparse(table, layout, name)
    cells, decimal, doubts = _read_table(table, layout, name)
    cells.index = np.arange(layout.first + 1, layout.first + 1 + len(cells))
    cells = _stripped(cells)
    cells.columns = layout.names
    cells, more = _without_unnamed(cells, layout)
    notes += layout.notes + more + _note_short(table, layout, cells)
    cells.attrs |= {"separator": layout.separator, "decimal": decimal, "doubts": doubts}
    cells.attrs["notes"] = notes
    return cells


def _refuse_sparse(table, layout, name):
    """Refuse rows of few cells below a header of very many: each would be filled up to them."""
    n_lines, width = table.count("\n") + 1, len(layout.names)
    if n_lines * width > MOST_BLANK + 2 * len(table):
        raise ValueError(
            f"{name} is no table: it has {width:,} columns, and most of its {n_lines:,} lines have "
            "far fewer cells: correct the header."
        )


def _read_table(table, layout, name):
    """Read columns of numbers where all cells are such, and the decimal sign or None."""
    # as text: the sign before decimals must be known before numbers are made of cells
    sample = _parse(table, layout, name, dtype=object, nrows=max(8, SAMPLE // len(layout.names)))
    times = dotted_times(sample)
    decimal, doubts = find_decimal(sample), []
    # months such as 01.2010 stay text, or pandas would make decimals of them
    sign, texts = decimal or doubtful_sign(sample), dict.fromkeys(times, TEXT)
    cells = _parse(table, layout, name, decimal=sign, low_memory=False, dtype=texts)
    if decimal is None and any(dtype.kind == "f" for dtype in cells.dtypes):
        # read both ways: where both give numbers, their ratio tells which sign it is
        options = {"decimal": OTHER[sign], "thousands": sign, "low_memory": False, "dtype": texts}
        grouped = _parse(table, layout, name, **options)
        if sign != layout.separator:
            decimal, doubts = settle_sign(cells.set_axis(layout.names, axis=1), grouped, sign)
        if decimal is None:  # 14.380: only text tells what it is
            cells = _parse(table, layout, name, dtype=TEXT)
    return _with_infinite_as_text(cells, table, layout, name), decimal, doubts


def _without_unnamed(cells, layout):
    """Drop columns that have neither a name nor a value; note new names."""
    # a comma at the end of each line makes a column of its own
    is_new = cells.columns.str.match(f"{UNNAMED}|{NEW}")
    is_left = np.array([is_one and cells[c].isna().all() for c, is_one in zip(cells, is_new)])
    if is_left.any():
        cells = cells.loc[:, ~is_left]
    n, n_new = len(layout.names), layout.n_new
    if not n_new or is_left[-n_new:].all():
        return cells, []
    new = listed(layout.names[-n_new:])
    return cells, [f"Rows have {n} cells, but the header names {n - n_new}; the last: {new}."]


def _note_short(table, layout, cells):
    """Note lines with fewer cells than columns, where quotes leave no doubt."""
    last = len(layout.names) - 1
    while last and layout.names[last] != cells.columns[-1]:
        last -= 1
    if layout.separator == BLANK or '"' in table or not cells.iloc[:, -1].isna().any():
        return []
    # counting separators is right only where no quotes hide one
    lines = enumerate(table.split("\n"), layout.first + 1)
    short = [n for n, line in lines if line.count(layout.separator) < last and line.strip()]
    if not short:
        return []
    what = f"Line {short[0]} has" if len(short) == 1 else f"{len(short):,} lines have"
    first = "" if len(short) == 1 else f", the first line {short[0]}"
    return [f"{what} fewer cells than the {last + 1} columns{first}; the others count as missing."]


def _parse(table, layout, name, **options):
    """Read the table with pandas, its columns numbered."""
    options |= {
        "sep": r"\s+" if layout.separator == BLANK else layout.separator,
        "header": None,
        "names": range(len(layout.names)),
        "index_col": False,
        "keep_default_na": False,
        "na_values": MARKS,
        "skip_blank_lines": False,
        "skipinitialspace": True,
    }
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # of cells that it would drop
            return pd.read_csv(io.StringIO(table), **options)
    except pd.errors.ParserWarning as error:
        raise ValueError(
            f"{name} cannot be read: line {layout.first + 1} has more cells than the header has "
            f"names, {len(layout.names)}: correct the line."
        ) from error
    except pd.errors.EmptyDataError:
        return pd.DataFrame(columns=range(len(layout.names)), dtype=float)
    except (pd.errors.ParserError, UnicodeError, OverflowError) as error:
        raise ValueError(_format_parser_error(error, layout, name)) from error


def _format_parser_error(error, layout, name):
    """Format the error of a table that pandas cannot read."""
    found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
    if found is None:
        reason = printable(" ".join(str(error).split())).removesuffix(".")
        return f"{name} cannot be read ({reason}): correct the line, or save the table again."
    wanted, line, seen = map(int, found.groups())
    return (
        f"{name} cannot be read: line {line + layout.first} has {seen} cells, but the header has "
        f"{wanted}: correct the line."
    )


def _with_infinite_as_text(cells, table, layout, name):
    """Restore the text of cells that pandas took for infinite, such as 'inf' and 1e999."""
    numbers = cells.select_dtypes(float)
    # a word such as "inf" in a column of numbers is text, and reported as such
    is_infinite = np.isinf(numbers.to_numpy()).any(axis=0) if len(numbers.columns) else []
    columns = list(numbers.columns[is_infinite]) if np.any(is_infinite) else []
    if columns:
        texts = _parse(table, layout, name, dtype=TEXT, usecols=columns)
        cells[columns] = texts[columns]
    return cells


def _stripped(cells):
    """Strip blanks and quotes around texts, and empty marks of missing values."""
    texts = [c for c, dtype in cells.dtypes.items() if dtype.kind not in "iufb"]
    if not texts:
        return cells
    block = cells[texts].to_numpy(dtype=object)
    # all columns of text in one pass: string methods cost most by call
    text = pd.Series(block.ravel(order="F")).astype(TEXT).str.strip().str.strip("\u00a0'\"")
    text = text.where(~text.str.lower().isin(MISSING)).array
    n = len(cells)
    columns = {c: text[i * n : (i + 1) * n] for i, c in enumerate(texts)}
    columns = {c: columns.get(c, cells[c]) for c in cells}
    return pd.DataFrame(columns, index=cells.index)


def read_parquet(path):
    """Read the columns of a Parquet file, those of its index included."""
    name = printable(path.name)
    try:
        frame = pd.read_parquet(path)
    except ImportError as error:
        raise ImportError(
            "reading Parquet needs pyarrow, which is not installed: pip install "
            "'narxkit[parquet]', or give a CSV file."
        ) from error
    except (MemoryError, PermissionError):
        raise
    except Exception as error:  # what a damaged file raises depends on where it is damaged
        reason = printable(" ".join(str(error).split())).removesuffix(".")
        raise ValueError(
            f"{name} cannot be read as Parquet: {reason}; give an undamaged file, or the table as "
            "CSV."
        ) from error
    if _holds_labels(frame):
        frame = frame.reset_index(names=_index_names(frame))
    # names go to the terminal and into keys: none may command the one or double the other
    frame.columns = unique(map(printable, frame.columns))
    odd = [column for column, dtype in frame.dtypes.items() if dtype.kind not in "iufbM"]
    frame = frame.astype(dict.fromkeys(odd, TEXT))  # decimals, dates, categories, lists
    return frame.set_axis(np.arange(1, len(frame) + 1), axis=0)


def _holds_labels(frame):
    """Tell whether the index says more than which row it was, before some were left out."""
    index = frame.index
    is_number = index.nlevels == 1 and index.name is None and index.dtype.kind in "iu"
    has_times = any(dtype.kind == "M" for dtype in frame.dtypes)
    return not isinstance(index, pd.RangeIndex) and not (is_number and has_times)


def _index_names(frame):
    """Name the columns of an index, none of them like another column."""
    unnamed = ["time"] if frame.index.nlevels == 1 else map("level {}".format, count())
    names = [name if name is not None else new for name, new in zip(frame.index.names, unnamed)]
    return unique([*map(str, frame.columns), *map(str, names)])[-len(names) :]
