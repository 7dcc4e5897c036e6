"""The rows of a table in the order of time: each once, short gaps filled."""

import numpy as np
import pandas as pd

from narxkit._clock import Clock

from ._words import said

LONGEST_FILLED = 200  # rows
MOST_SHARED = 0.2  # of the rows, may have the time of another


def in_order(frame, index):
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
