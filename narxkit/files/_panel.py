"""A file as many series: a long table, whose rows a column of names tells apart."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from narxkit._words import counted, printable
from narxkit.rows.clock import Clock
from narxkit.rows.long_frames import from_long

from ._codes import read_missing
from ._formatting import listed, words
from ._gaps import filled
from ._label_writer import label_writer
from ._numbers import find_numbers
from ._rows import with_times
from ._series import read_cells, without_counter
from ._times import ELAPSED_NAMES, TIME_NAMES, Times, find_times

SHOWN = 3  # names of series in a sentence


@dataclass(frozen=True, eq=False)
class PanelFile:
    """A table of numbers over series and time, and what was done to make it one.

    Parameters
    ----------
    name : str
        Name of the file.
    frame : DataFrame
        Columns of floats under a MultiIndex (series, time), named as in the file.
    notes : tuple of str
        Sentences on what was found and mended, the first on series, rows and times.

    See Also
    --------
    read_panel : Makes one.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from narxkit.files import read_panel
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "shops.csv"
    ...     _ = path.write_text("shop,day,sold\\na,2024-05-01,3\\na,2024-05-02,4\\n")
    ...     panel = read_panel(path, id="shop")
    >>> panel.frame.loc["a", "sold"].tolist()
    [3.0, 4.0]
    """

    name: str
    frame: pd.DataFrame
    notes: tuple


def read_panel(path, id, time=None, encoding=None, missing=(), header=True):
    """Read a file of many series, one row for each series and time.

    Parameters
    ----------
    path : str or path
        A CSV file, also compressed, or a Parquet file, as `read_series` takes them.
    id : str
        Name of the column that names the series.
    time : str or False, default=None
        Name of the time column; by default it is found. False where there is none: the rows of each
        series then follow each other.
    encoding : str, default=None
        Encoding of a text; by default it is found.
    missing : float, str or list of them, default=()
        Codes that stand for missing values.
    header : bool, default=True
        Whether a line holds the names of the columns; without one they are c1, c2, ...

    Returns
    -------
    PanelFile
        The numbers, and sentences on what was found and mended.

    Raises
    ------
    ValueError
        When the file cannot be read, a row has no name, a time comes twice in a series, or series
        have different steps.
    ImportError
        When a package is missing that reads the file.
    OSError
        When the file is not there or may not be read.

    See Also
    --------
    read_series : Reads a file of one series.
    narxkit.from_long : Reads a frame.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from narxkit.files import read_panel
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "shops.csv"
    ...     _ = path.write_text("shop;n\\na;1,5\\na;2,5\\nb;7,5\\n")
    ...     read_panel(path, "shop", time=False).frame.index.tolist()
    [('a', 0), ('a', 1), ('b', 0)]
    """
    name = printable(Path(path).name)
    cells, notes, of_codes = read_cells(path, encoding, missing, header)
    _refuse_names(cells, id, name)
    names = cells[id]
    times = find_times(cells.drop(columns=id), time, name)
    if time is None and times.index is None:
        times = _counted(cells, names, times)
    cells, index, lost = with_times(cells.drop(columns=id), times)
    cells, of_counter = without_counter(cells, times)
    names = names[cells.index]
    numbers, found = find_numbers(cells.drop(columns=times.columns), name, read_missing(missing))
    label = times.columns[0] if times.columns else "row"
    index = names.groupby(names).cumcount().to_numpy() if index is None else index
    columns = {id: names.to_numpy(), label: index} | dict(numbers.items())
    _, frame = from_long(_in_order(columns, label), id, label, list(numbers))
    frame, of_gaps = _without_gaps(frame)
    summary = _summary(name, frame, times.how)
    return PanelFile(
        name, frame, (summary, *notes, *of_codes, *of_counter, *found, *lost, *of_gaps)
    )


def _in_order(columns, label):
    """Make a frame; times elapsed that are whole are integers, which series count on in."""
    frame = pd.DataFrame(
        {name: np.asarray(v) if name != label else v for name, v in columns.items()}
    )
    values = frame[label]
    if values.dtype.kind == "f" and (values % 1 == 0).all():
        frame[label] = values.astype(int)
    return frame


def _refuse_names(cells, id, name):
    if id not in cells:
        raise ValueError(
            f"{name} has no column {id!r} that names the series: it has {listed(cells.columns)}. A "
            "table with a column for each series needs none."
        )
    is_blank = cells[id].isna()
    if is_blank.any():
        n, line = int(is_blank.sum()), cells.index[int(np.argmax(is_blank))]
        verb = "has" if n == 1 else "have"
        raise ValueError(
            f"{counted(n, 'row')} of {name} {verb} no name of a series in {id!r}, the first in "
            f"line {line}: name it, or leave these rows out."
        )


def _counted(cells, names, times):
    """Find a column with the name of a time that counts on in each series, where one does."""
    for column, values in cells.items():
        is_named = set(words(column)) & (TIME_NAMES | ELAPSED_NAMES)
        if is_named and values.dtype.kind in "iuf":
            if (values.groupby(names).diff().dropna() > 0).all():
                how = f"column {column!r}, which counts on in each series"
                return Times(pd.Index(values, dtype=float), [column], how)
    return times


def _without_gaps(frame):
    """Fill short gaps of each series; return a note, too."""
    if not isinstance(frame.index.levels[1], pd.DatetimeIndex):
        return frame, []
    parts, n_gaps = {}, 0
    for key, part in frame.groupby(level=0, sort=False):
        part = part.droplevel(0)
        parts[key], _ = filled(part, Clock.from_index(part.index))
        n_gaps += len(parts[key]) > len(part)
    if not n_gaps:
        return frame, []
    whole = pd.concat(parts, names=frame.index.names)
    n = counted(len(whole) - len(frame), "missing row")
    return whole, [f"{n} of {n_gaps:,} series: filled in as missing values."]


def _summary(name, frame, how):
    counts = frame.groupby(level=0, sort=False).size()
    rows = counted(counts.max(), "row")
    each = f"{rows} each" if counts.min() == counts.max() else f"{counts.min():,} to {rows} each"
    times = frame.index.levels[1]
    if isinstance(times, pd.DatetimeIndex):
        first, last = map(label_writer(times), (times.min(), times.max()))
        longest = frame.loc[counts.idxmax()].index
        how = f"{Clock.from_index(longest).describe()}, from {first} to {last} ({how})"
    shown = listed(counts.index[:SHOWN]) + (", ..." if len(counts) > SHOWN else "")
    return f"{name}: {len(counts):,} series ({shown}), {each}, {how}."
