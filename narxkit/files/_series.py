"""A file as a series: its cells, their times and numbers, in order."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from narxkit._clock import Clock

from ._cells import read_csv, read_parquet
from ._numbers import find_numbers
from ._rows import in_order
from ._times import find_times
from ._words import said


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
    cells = read_parquet(path) if path.suffix.lower() in (".parquet", ".pq") else read_csv(path)
    cells = cells.dropna(how="all")
    if not len(cells):
        raise ValueError(f"{path.name} has a header and no rows: nothing to forecast from.")
    index, columns, how = find_times(cells, time, path.name)
    frame, notes = find_numbers(cells.drop(columns=columns), path.name)
    frame, seen, clock = in_order(frame, index)
    summary = _summary(path.name, frame, clock, how)
    return SeriesFile(path.name, frame, (summary, *notes, *seen), clock)


def _summary(name, frame, clock, how):
    if clock is None:
        return f"{name}: {len(frame):,} rows; {how}."
    first, last = map(said, frame.index[[0, -1]])
    if (frame.index.normalize() == frame.index).all():
        first, last = first[:10], last[:10]
    return f"{name}: {len(frame):,} rows, {clock.describe()}, from {first} to {last} ({how})."
