"""The layout of a table in text: its separator, its header, its first and its last row."""

import csv
import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import zip_longest

from narxkit._words import printable

from ._formatting import listed
from ._open import EMPTY

SEPARATORS = "\t;|,"
BLANK = " "  # one or more of them, where nothing else separates
SAMPLE = 200  # lines that tell the layout
MOST_SIGNS = 300_000  # of them, in wide tables
FEWEST = 8  # lines, whatever their length
MOST_FOOTERS = 20
UNNAMED = "Unnamed: "  # as pandas calls them
NEW = "column "
MISSING = {"", "-", "--", "na", "n/a", "nan", "#n/a", "null", "none", "nil", "?", "."}
# a number or a date, in any dialect: digits, and the signs that stand in and around them
VALUE = re.compile(
    r"[-+(\u2212]?[ ]?[$€£¥]?[ ]?(?=[.,]?\d)[\d.,:/'’\u00a0\u202f -]*(T[\d.:+-]+Z?)?"
    r"(e[+-]?\d+)?[ ]?[%)]?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class TableLayout:
    """Position of a table in a text.

    Parameters
    ----------
    separator : str
        The separator of cells, or a blank.
    names : list of str
        A name for each column.
    first : int
        How many lines stand before the first row.
    last : int or None
        Where the text of the table ends, None for the end of the file.
    notes : list of str
        Sentences on lines that are left out.
    n_new : int
        How many of the last names are not from the header.
    """

    separator: str
    names: list
    first: int
    last: int | None = None
    notes: list = field(default_factory=list)
    n_new: int = 0


def find_layout(text, name, header=True):
    """Find the layout of a table of the file `name`; without `header` columns have no names."""
    # Excel's mark and comments are no rows, but are counted
    lines = [re.sub(r"^sep=.|^#.*", "", line) for line in _first_lines(text)]
    if not any(map(str.strip, lines)):
        raise ValueError(EMPTY.format(name))
    separator, rows = _separated(lines)
    if not rows:
        raise ValueError(f"{name} is no table: its lines hold no cells, or one of endless length.")
    width = _usual(rows)
    # lines of prose above a table have other numbers of cells
    block = next((i for i, (_, row) in enumerate(rows) if len(row) == width), 0)
    if header:
        first, names, notes = _read_header(text, name, separator, rows, block, width)
    else:
        first, notes = rows[block - 1][0] if block else 0, []
        names = [f"c{i + 1}" for i in range(width)]
    last, more = _end(text, separator, width, first)
    n_new = max(0, width - len(names))
    return TableLayout(separator, _named(names, width), first, last, notes + more, n_new)


def _read_header(text, name, separator, rows, block, width):
    """Read the header: number of lines before the first row, names of columns, and notes."""
    head = block - _names_above(rows, block, width)
    end, names = rows[head]
    # numpy writes names as a comment above the values
    if _all_values(names) and (commented := _commented(text, separator, width)):
        end, names = end - 1, commented
    if _all_values(names):
        raise ValueError(
            f"the first line of {name} holds values, {listed(names)}, where the names of the "
            "columns should be: add a header line, or read it with header=False."
        )
    if separator == BLANK and len(names) != width:
        raise ValueError(
            f"{name} is separated by blanks, and its header has {len(names)} names for "
            f"{width} columns: write names without blanks, or separate by commas."
        )
    first, notes = _skip_units(rows[head:], end)
    return first, names, notes


def _first_lines(text):
    """Return the first lines of a text, fewer of a wide table than of others."""
    # enough for the layout, however wide the table
    end = max(line_start(text, FEWEST), MOST_SIGNS)
    lines = text[:end].split("\n", SAMPLE)[:SAMPLE]
    return lines[:-1] if end < len(text) and len(lines) < SAMPLE else lines


def line_start(text, n):
    """Find where the line after the first `n` begins."""
    at = 0
    for _ in range(n):
        at = text.find("\n", at) + 1 or len(text)
    return at


def _separated(lines):
    """Find the separator by which most cells are values; return rows and line numbers, too."""
    found = {}
    for sign in SEPARATORS:
        rows = _rows(lines, sign)
        if _usual(rows) > 1 and _share_of_usual(rows) >= 0.5:
            found[sign] = rows
    # a decimal comma splits cells, too, but into fewer values
    if len(found) > 1:
        sign = max(found, key=lambda sign: _n_values(found[sign]))
        return sign, found[sign]
    if found:
        return next(iter(found.items()))
    # blanks last and strictly: prose has blanks
    rows = _rows([" ".join(line.split()) for line in lines], BLANK)
    if _usual(rows) > 1 and _share_of_usual(rows) >= 0.8 and _n_values(rows[1:]) > len(rows) - 1:
        return BLANK, rows
    return ",", _rows(lines, ",")


def _share_of_usual(rows):
    width = _usual(rows)
    return sum(len(row) == width for _, row in rows) / max(1, len(rows))


def _n_values(rows):
    return sum(_is_value(cell) for _, row in rows for cell in row)


def _rows(lines, sign):
    """Split lines that are not blank into cells; return rows and the lines that end them."""
    reader = csv.reader((f"{line}\n" for line in lines), delimiter=sign, skipinitialspace=True)
    rows = []
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append((reader.line_num, [cell.strip() for cell in row]))
    except csv.Error:  # a cell of more than 100,000 characters: no row from here on
        pass
    return rows


def _usual(rows):
    """Return the most common number of cells."""
    counts = Counter(len(row) for _, row in rows)
    return max(counts, key=counts.get, default=0)


def _is_value(cell):
    return len(cell) < 80 and VALUE.fullmatch(cell) is not None


def _all_values(cells):
    cells = [cell for cell in cells if cell]
    return bool(cells) and all(map(_is_value, cells))


def _names_above(rows, block, width):
    """Tell whether the row above the first full one has names, fewer or more than cells."""
    if block == 0 or not any(map(_is_value, rows[block][1])):
        return False
    above = rows[block - 1][1]
    return len(above) >= max(2, 0.5 * width) and not any(map(_is_value, above))


def _commented(text, separator, width):
    """Read names from the last comment line, as numpy writes them."""
    comments = re.findall(r"^#(.*)", text[:MOST_SIGNS], re.MULTILINE)
    rows = _rows([" ".join(comments[-1].split())], separator) if comments else []
    is_header = bool(rows) and len(rows[0][1]) == width and not _all_values(rows[0][1])
    return rows[0][1] if is_header else None


def _skip_units(rows, end):
    """Find the first row: after a line of units between names and values, if any."""
    if len(rows) < 3:
        return end, []
    (line, units), (_, values) = rows[1:3]
    pairs = list(zip_longest(units, values, fillvalue=""))
    is_unit = [u.lower() not in MISSING and _is_value(v) for u, v in pairs]
    if any(map(_is_value, units)) or not any(is_unit):
        return end, []
    shown = listed(unit for unit, is_one in zip(units, is_unit) if is_one)
    return line, [f"Line {line} holds no values but {shown}, as units do; it is left out."]


def _end(text, separator, width, first):
    """Find the end of the rows: last lines with other numbers of cells are no rows."""
    start, end = line_start(text, first), len(text.rstrip())
    stop, left_out = None, []
    for _ in range(MOST_FOOTERS):
        begin = text.rfind("\n", 0, end) + 1
        line = text[begin:end].strip()
        if text.count("\n", 0, begin) <= first or not _is_footer(line, separator, width):
            break
        if text.count('"', start, begin) % 2:  # within a cell of several lines
            break
        left_out, stop = [line, *left_out], begin
        end = len(text[:begin].rstrip())
    if not left_out:
        return None, []
    shown, number = printable(left_out[0])[:60], text.count("\n", 0, stop) + 1
    if len(left_out) == 1:
        return stop, [f"Line {number}, {shown!r}, is no row of the table and is left out."]
    return stop, [
        f"The last {len(left_out)} lines, from line {number} on ({shown!r}), are no rows of the "
        "table and are left out."
    ]


def _is_footer(line, separator, width):
    rows = _rows([line], separator) if len(line) < 10_000 else []
    return bool(rows) and len(rows[0][1]) != width and not any(map(_is_value, rows[0][1][:1]))


def _named(names, width):
    """Name columns, each once and printable, and anew where the header lacks names."""
    names = [" ".join(printable(" ".join(name.split())).split()) for name in names]
    names += [f"{NEW}{i + 1}" for i in range(len(names), width)]
    names = [name or f"{UNNAMED}{i}" for i, name in enumerate(names)]
    return unique(names)


def unique(names):
    """Make names unique by a number behind those that recur."""
    seen = {}
    for name in names:
        once, n = name, 0
        while once in seen:
            n += 1
            once = f"{name}.{n}"
        seen[once] = None
    return list(seen)
