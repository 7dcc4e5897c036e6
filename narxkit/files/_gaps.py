"""Missing rows of a regular clock: short gaps are filled, long ones stay."""

import numpy as np
import pandas as pd

from narxkit._words import counted
from narxkit.rows.timetable import DAY, PER_SECOND

from ._label_writer import label_writer

LONGEST_FILLED = 200  # rows
MOST_TOLD = 3  # long gaps
SLACK = 0.01  # of a step of elapsed time


def filled(frame, clock):
    """Insert missing rows of a regular clock, but leave long gaps; note both.

    Rows are counted and never listed: a gap may be as long as one wrong date makes it.
    """
    index = frame.index
    if clock.unit not in ("second", "month") or not clock.breaks(index).any():
        return frame, []
    # whole steps from the first row, so that gaps are differences
    place = _places(index, clock)
    if place is None:
        return frame, [
            f"Not all times are on one grid ({clock.describe()}): no forecast reaches across a gap."
        ]
    n_missing = np.diff(place) - 1
    is_long = n_missing > LONGEST_FILLED
    notes = _note_long(index, n_missing, is_long)
    is_short = (n_missing > 0) & ~is_long
    if not is_short.any():
        return frame, notes
    new = _between(place, is_short)
    labels = _labels(index, clock, new)
    whole = index.append(labels).sort_values()
    n, first = len(new), label_writer(index)(labels[0])
    notes.insert(
        0,
        f"The row of {first} is missing; it is filled in as missing values."
        if n == 1
        else f"{n:,} rows are missing, the first {first}; they are filled in as missing values.",
    )
    return frame.reindex(whole).rename_axis("time"), notes


def renumbered(frame):
    """Number rows of elapsed time, insert missing ones, and note the steps."""
    elapsed = frame.index.to_numpy(dtype=float)
    step = even_step(np.diff(elapsed))
    if step is None:
        steps = np.diff(elapsed)
        return frame.reset_index(drop=True), [
            f"Its steps differ, from {steps.min():.10g} to {steps.max():.10g}; the rows are taken "
            "to follow each other."
        ] if len(steps) else []
    place = np.round((elapsed - elapsed[0]) / step).astype(np.int64)
    n_missing = np.diff(place) - 1
    is_short = (n_missing > 0) & (n_missing <= LONGEST_FILLED)
    notes = [
        f"A gap of {n_missing[row]:,} rows after {elapsed[row]:.10g}: the next is taken to follow."
        for row in np.flatnonzero(n_missing > LONGEST_FILLED)[:MOST_TOLD]
    ]
    if n := int(n_missing[is_short].sum()):
        verb = "is" if n == 1 else "are"
        notes.insert(0, f"{counted(n, 'missing row')} {verb} filled in as missing values.")
    whole = np.sort(np.append(place, _between(place, is_short)))
    frame = frame.set_axis(place, axis=0).reindex(whole)
    return frame.set_axis(pd.RangeIndex(len(frame)), axis=0), notes


def even_step(steps):
    """Find the step that all steps are integer multiples of, or None.

    Examples
    --------
    >>> float(even_step(np.array([0.5, 0.5, 1.5])))
    0.5
    """
    # a gap makes a long step, not a typical one
    step = np.median(steps) if len(steps) else 0.0
    if not step > 0:
        return None
    counts = steps / step
    is_whole = (np.abs(counts - np.round(counts)) < SLACK).all() and (counts > 0.5).all()
    return step if is_whole else None


def _places(index, clock):
    """Count the steps from the first label to each, or return None where one is off the grid."""
    if clock.unit == "month":
        # months differ in days: they are counted, not measured
        months = (12 * index.year + index.month).to_numpy(dtype=np.int64)
        place, rest = np.divmod(months - months[0], int(clock.step))
        is_on_grid = not rest.any() and (_labels(index, clock, place[1:]) == index[1:]).all()
        return place if is_on_grid else None
    step = round(clock.step * PER_SECOND[index.unit])
    if step < 1:
        return None
    # integers: floats of nanoseconds would miss rows
    ticks = _grid(index, clock).asi8
    place, rest = np.divmod(ticks - ticks[0], step)
    return None if rest.any() else place


def _grid(index, clock):
    """Convert time stamps to the clock of their steps: days on the wall clock, others UTC."""
    return index if clock.step % DAY else index.tz_localize(None)


def _labels(index, clock, place):
    """Return the labels so many steps behind the first."""
    if clock.unit == "month":  # at most some hundred thousand: years have four digits
        return clock.after(index[0], int(place[-1]))[place - 1]
    grid = _grid(index, clock)
    ticks = grid.asi8[0] + place * round(clock.step * PER_SECOND[index.unit])
    labels = pd.DatetimeIndex(ticks.view(f"datetime64[{index.unit}]"))
    if index.tz is None:
        return labels
    if grid.tz is not None:
        return labels.tz_localize("UTC").tz_convert(index.tz)
    # midnights that summer time skips or doubles are still one a day
    return labels.tz_localize(index.tz, ambiguous=True, nonexistent="shift_forward")


def _between(place, is_short):
    """Return the places within short gaps."""
    rows = np.flatnonzero(is_short)
    n = place[rows + 1] - place[rows] - 1
    # 1 .. n behind each gap's begin, without a loop over gaps
    starts = np.repeat(place[rows] + 1, n)
    return starts + np.arange(len(starts)) - np.repeat(np.cumsum(n) - n, n)


def _note_long(index, n_missing, is_long):
    rows, write = np.flatnonzero(is_long), label_writer(index)
    if len(rows) <= MOST_TOLD:
        return [
            f"A gap of {n_missing[row]:,} rows after {write(index[row])}: no forecast reaches "
            "across it."
            for row in rows
        ]
    longest = rows[np.argmax(n_missing[rows])]
    return [
        f"{len(rows):,} gaps of more than {LONGEST_FILLED} rows, the longest of "
        f"{n_missing[longest]:,} rows after {write(index[longest])}: no forecast reaches across "
        "them."
    ]
