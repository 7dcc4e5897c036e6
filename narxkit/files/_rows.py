"""The rows of a table in the order of time: each once, none far from all others."""

from itertools import combinations

import numpy as np
import pandas as pd

from narxkit._words import counted
from narxkit.rows.clock import Clock

from ._formatting import format_label, listed
from ._gaps import filled, renumbered

MOST_SHARED = 0.2  # of the rows, may have the time of another
MOST_SHARED_BY_SERIES = 0.05  # the same, where a column tells them apart
LAST_HOUR = 3  # in which clocks are put back
MOST_KEYS = 3  # columns that together tell series apart
MOST_LOOKED = 6  # columns that may be among several such
FAR = 10  # times as long as all rows would take
FEW = 0.01  # of the rows


def with_times(cells, times):
    """Keep the rows that have a time; note the others."""
    index = times.index
    if index is None or not index.hasnans:
        return cells, index, []
    n, line = int(index.isna().sum()), cells.index[np.argmax(index.isna())]
    note = (
        f"Line {line} has no time that can be read; the row is left out."
        if n == 1
        else f"{n:,} rows have no time that can be read, the first in line {line}; they are "
        "left out."
    )
    attrs, cells = cells.attrs, cells[index.notna()]
    cells.attrs = attrs
    return cells, index[index.notna()], [note]


def in_order(frame, index, cells, columns):
    """Sort rows, each time once and short gaps filled; return notes and the clock, too.

    `cells` are the rows as they were read and `columns` those of their times, for a sentence on
    tables of several series.
    """
    if index is None:
        return frame.reset_index(drop=True), [], None
    notes, lines = [], frame.index.to_numpy()
    frame = frame.set_axis(index.rename("time"), axis=0)
    if not index.is_monotonic_increasing:
        notes.append("The rows were not in the order of time and are sorted.")
        # stable: rows of one time keep their order
        order = np.argsort(index.to_numpy(), kind="stable")
        frame, lines, cells = frame.iloc[order], lines[order], cells.iloc[order]
    frame, lines, more = _each_once(frame, lines, cells, columns)
    notes += more
    if not isinstance(frame.index, pd.DatetimeIndex):
        frame, more = renumbered(frame)
        return frame, notes + more, None
    frame, strays = _without_strays(frame, lines)
    clock = Clock.from_index(frame.index)
    frame, more = filled(frame, clock)
    return frame, notes + strays + more, clock


def _each_once(frame, lines, cells, columns):
    """Average rows of the same time, or refuse them where something tells them apart."""
    twice = frame.index.duplicated()
    if not twice.any():
        return frame, lines, []
    _refuse_series(cells, frame, twice, columns)
    _refuse_many(frame, twice)
    n, first = int(twice.sum()), _label(frame.index[twice][0])
    note = (
        f"The time {first} appears twice; its rows are averaged."
        if n == 1
        else f"{n:,} times are repeated, the first {first}; rows of the same time are averaged."
    )
    if _ends_summer(frame.index[twice]):
        note += (
            " This is the hour that comes again at the end of summer time, so two hours become "
            "one: give times in UTC or with their offset, as 2024-10-27T02:30+02:00, to keep both."
        )
    return frame.groupby(level=0).mean(), lines[~twice], [note]


def _ends_summer(times):
    """Tell whether all times lie in the hours in which clocks are put back.

    They are the last Sunday of October in Europe, the first of November in America and of April in
    the south.
    """
    if not isinstance(times, pd.DatetimeIndex) or times.tz is not None:
        return False
    is_night = (times.day_of_week == 6) & (times.hour <= LAST_HOUR)
    is_europe = (times.month == 10) & (times.day > 24)
    is_first = times.month.isin([4, 11]) & (times.day <= 7)
    # one hour of the night comes twice, not two
    hours = pd.Series(times.hour).groupby(times.normalize().to_numpy()).nunique()
    return bool((is_night & (is_europe | is_first)).all() and (hours == 1).all())


def _label(time):
    return format_label(time) if isinstance(time, pd.Timestamp) else f"{time:.10g}"


def _refuse_series(cells, frame, twice, columns):
    """Refuse rows of one time that columns tell apart: they belong to several series."""
    if twice.mean() <= MOST_SHARED_BY_SERIES:
        return
    cells_beside = cells.drop(columns=columns)
    keys = _find_keys(cells_beside, pd.factorize(frame.index)[0])
    if not keys:
        return
    which = f"column {keys[0]!r} tells" if len(keys) == 1 else f"columns {listed(keys)} tell"
    series = cells_beside[keys].dropna().drop_duplicates().astype(str)
    shown = listed(map(" ".join, series.itertuples(index=False)))
    raise ValueError(
        f"the {which} several series apart ({shown}), which share times such as "
        f"{_label(frame.index[twice][0])}: keep the rows of one, or give each a column of its own, "
        f"in pandas {_pivot(frame, keys, columns)}; in Python forecasters take them all, indexed "
        f"by frame.set_index({[*keys, columns[0]]!r}){_advise_panel(keys)}."
    )


def _advise_panel(keys):
    return f"; named by id={keys[0]!r}, all are forecast at once" if len(keys) == 1 else ""


def _find_keys(cells, times):
    """Find the fewest columns that tell rows of one time apart, if any."""
    most, found = np.bincount(times).max(), {}
    for column, values in cells.items():
        # as many keys as rows share a time
        if values.dtype.kind in "iufb" and values.nunique() > 2 * most:
            continue  # a quantity, not the number of a place
        codes, keys = pd.factorize(values)
        # a key comes again: a text of its own in each row tells nothing
        if 1 < len(keys) <= 0.5 * len(codes):
            found[column] = codes
    # one column before two
    for n in range(1, MOST_KEYS + 1):
        for columns in combinations(list(found)[:MOST_LOOKED] if n > 1 else found, n):
            codes, series = pd.factorize(_together([found[column] for column in columns]))
            if len(series) <= 0.5 * len(codes) and not _comes_again(times, codes, len(series)):
                return list(columns)
    return []


def _together(columns):
    """Combine columns of codes into one."""
    codes = columns[0]
    for more in columns[1:]:
        codes = codes * (more.max() + 2) + more + 1  # -1 where a cell is missing
    return codes


def _pivot(frame, keys, columns):
    """Write code that gives each series a column of its own."""
    values = _quantity(frame, keys)
    index = columns[0] if len(columns) == 1 else columns
    if len(keys) == 1:
        series, joined = keys[0], ""
    else:
        texts = " + ' ' + ".join(f"frame[{key!r}].astype(str)" for key in keys)
        series, joined = "series", f".assign(series={texts})"
    return (
        f"frame{joined}.pivot(index={index!r}, columns={series!r}, values={values!r})"
        ".to_csv('wide.csv')"
    )


def _quantity(frame, keys):
    """Find the first column of numbers that is neither a key nor a counter of rows."""
    others = frame.columns.drop(keys, errors="ignore")
    counts = [frame[c].is_unique and set(np.diff(np.sort(frame[c]))) <= {1.0} for c in others]
    return next(iter([*others[~np.array(counts, dtype=bool)], *others, *keys]))


def _comes_again(times, codes, n_keys):
    return pd.Series(times * (n_keys + 1) + codes).duplicated().mean() > FEW


def _refuse_many(frame, twice):
    """Refuse times shared by many different rows: something tells the rows apart."""
    # the same row twice is a copy and no second series
    others = twice & ~frame.reset_index().duplicated().to_numpy()
    if others.mean() > MOST_SHARED:
        first, n = frame.index[twice][0], int(others.sum())
        share = "shares its" if n == 1 else "share theirs"
        raise ValueError(
            f"{int((frame.index == first).sum())} different rows have the time {_label(first)}, "
            f"and {counted(n, 'row')} {share} in all: if an hour stands in a column of its own, "
            "join it to the date; if there are several places or meters, keep one of them."
        )


def _without_strays(frame, lines):
    """Drop a few rows at either end whose times no others come near."""
    n = len(frame)
    apart = np.diff(frame.index.asi8.astype(float))
    few = max(1, int(FEW * n))
    if n < FAR:
        return frame, []
    # further than FAR times the whole series is long: a wrong year, not a gap
    gaps = np.flatnonzero(apart > FAR * n * np.median(apart))
    start = max((gap + 1 for gap in gaps if gap < few), default=0)
    stop = min((gap + 1 for gap in gaps if gap >= n - 1 - few), default=n)
    is_stray = np.ones(n, dtype=bool)
    is_stray[start:stop] = False
    if not is_stray.any():
        return frame, []
    strays, first = frame.index[is_stray], format_label(frame.index[is_stray][0])
    line = lines[is_stray][0]
    between = " to ".join(map(format_label, frame.index[[start, stop - 1]]))
    note = (
        f"Line {line} has the time {first}, far from all others ({between}); the row is left out."
        if len(strays) == 1
        else f"{len(strays):,} rows have times far from all others ({between}), such as {first} "
        f"in line {line}; they are left out."
    )
    return frame[~is_stray], [note]
