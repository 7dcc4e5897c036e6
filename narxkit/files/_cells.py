"""The cells of a table: of CSV files as text, of Parquet files as they are."""

import io
import re

import numpy as np
import pandas as pd

from ._times import DATE, TEXT
from ._words import listed

SEPARATORS = "\t;|,"
MISSING = {"", "-", "--", "na", "n/a", "nan", "#n/a", "null", "none", "nil", "?", "."}
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)


def read_csv(path):
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
            f"the first line of {path.name} holds values, {listed(cells.columns)}, where the "
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


def read_parquet(path):
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
