"""A file as a series: its cells, their times and numbers, in order."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from narxkit._words import counted, printable
from narxkit.rows.clock import Clock

from ._cells import read_csv, read_parquet
from ._codes import empty_texts, read_missing
from ._gaps import even_step
from ._label_writer import label_writer
from ._numbers import find_numbers
from ._open import refuse_odd
from ._rows import in_order, with_times
from ._times import counts_rows, find_times
from ._wide import note_hours, refuse_wide


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


def read_series(path, time=None, encoding=None, missing=(), header=True):
    """Read a file of numbers over time.

    Parameters
    ----------
    path : str or path
        A CSV file, also compressed (``.gz``, ``.zip``, ``.bz2``, ``.xz``, ``.zst``), or a Parquet
        file.
    time : str or False, default=None
        Name of the time column; by default it is found. False where there is none: the rows then
        follow each other.
    encoding : str, default=None
        Encoding of a text, such as ``"gb18030"``; by default it is found.
    missing : float, str or list of them, default=()
        Codes that stand for missing values, such as -200.
    header : bool, default=True
        Whether a line holds the names of the columns; without one they are c1, c2, ...

    Returns
    -------
    SeriesFile
        The numbers, and sentences on what was found and mended.

    Raises
    ------
    ValueError
        When the file is damaged or no table, its times cannot be read, it holds several series, or
        no column holds numbers.
    ImportError
        When a Parquet file is given and pyarrow is missing, or a package that unpacks the file.
    OSError
        When the file is not there or may not be read.

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
    name = printable(Path(path).name)
    cells, notes, of_codes = read_cells(path, encoding, missing, header)
    times = find_times(cells, time, name)
    # before numbers: a table of series in rows has columns of numbers all the same
    if time is None and times.index is None:
        refuse_wide(cells, name)
    cells, index, lost = with_times(cells, times)
    cells, of_counter = without_counter(cells, times)
    frame, found = find_numbers(cells.drop(columns=times.columns), name, read_missing(missing))
    frame, seen, clock = in_order(frame, index, cells, times.columns)
    seen += note_hours(frame, clock)
    summary = _summary(name, frame, index, clock, times.how)
    return SeriesFile(
        name, frame, (summary, *notes, *of_codes, *of_counter, *found, *lost, *seen), clock
    )


def without_counter(cells, times):
    """Leave out the counter that to_csv of pandas writes, which would become an input."""
    if not times.columns or times.columns[0] == cells.columns[0] or not counts_rows(cells):
        return cells, []
    note = "The first column has no name and counts rows; it is left out."
    return cells.drop(columns=cells.columns[0]), [note]


def read_cells(path, encoding=None, missing=(), header=True):
    """Read the cells of a file, blank lines left out; return notes on them and on codes, too."""
    path = Path(path)
    name = printable(path.name)
    refuse_odd(path)
    is_parquet = path.suffix.lower() in (".parquet", ".pq")
    cells = read_parquet(path) if is_parquet else read_csv(path, encoding, header)
    notes = cells.attrs.pop("notes", [])
    has_value = cells.notna().to_numpy().any(axis=1)
    # blank lines keep their numbers in the file
    cells = cells if has_value.all() else cells.loc[has_value]
    if not len(cells):
        raise ValueError(f"{name} has a header and no rows: nothing to forecast from.")
    cells, of_codes = empty_texts(cells, read_missing(missing))
    return cells, notes, of_codes


def _summary(name, frame, index, clock, how):
    rows = counted(len(frame), "row")
    if index is None:
        return f"{name}: {rows}; {how}."
    if clock is None:
        step = even_step(np.diff(np.sort(index)))
        step = "" if step is None else f"a step of {step:.10g}, "
        span = f"from {min(index):.10g} to {max(index):.10g}"
        return f"{name}: {rows}, {step}{span} ({how})."
    first, last = map(label_writer(frame.index), frame.index[[0, -1]])
    return f"{name}: {rows}, {clock.describe()}, from {first} to {last} ({how})."
