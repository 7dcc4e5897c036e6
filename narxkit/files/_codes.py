"""Codes for missing values: those named, and those that numbers show."""

import re

import numpy as np

from narxkit._words import counted

from ._formatting import listed

NINES = re.compile(r"-?(99+(\.9+)?|9+\.9+)")
SURE = re.compile(r"-999+(\.9+)?")  # whatever the other values are
MOST_CODES = 3  # of one column
FEWEST = 3  # rows with a code that is not made of nines
LEAST_VARIED = 5  # other values


def read_missing(missing):
    """Read the codes of missing values as a list of numbers and texts."""
    if isinstance(missing, str) or not np.iterable(missing):
        missing = [missing]
    return [_number_or_text(code) for code in missing]


def _number_or_text(code):
    try:
        return float(code)
    except (TypeError, ValueError):
        return str(code).strip()


def empty_codes(frame, missing):
    """Empty the numbers that are missing-value codes; note each."""
    notes = []
    for code in missing:
        if not isinstance(code, float):
            continue
        is_code = frame == code
        n = int(is_code.to_numpy().sum())
        notes.append(f"{code:.10g} counts as missing, in {counted(n, 'cell')}.")
        frame = frame.mask(is_code)
    return frame, notes


def empty_texts(cells, missing):
    """Empty the cells of text that are missing-value codes."""
    codes = [code for code in missing if not isinstance(code, float)]
    if not codes:
        return cells, []
    is_code = cells.isin(codes)
    counts = [f"{code!r} counts as missing." for code in codes]
    return cells.mask(is_code), counts


def note_codes(frame):
    """Note values that recur and lie far from all others, as codes do."""
    found, values = {}, frame.to_numpy()
    for column in np.flatnonzero(_has_lone_edge(values) | _has_lone_edge(-values)):
        for code, n in _codes(values[:, column]):
            found.setdefault(code, []).append((frame.columns[column], n))
    return [_note(code, *zip(*columns)) for code, columns in found.items()]


def _note(code, columns, counts):
    verb, what = ("is", "row") if len(columns) == 1 else ("are", "cell")
    return (
        f"{listed(columns)} {verb} {code:.10g} in {counted(sum(counts), what)}: if that means "
        f"missing, read it so with missing={code:.10g}."
    )


def _has_lone_edge(values):
    """Find columns whose least value recurs, further from the others than they spread."""
    low, high = np.fmin.reduce(values), np.fmax.reduce(values)
    # a code lies beyond one edge of the values, and comes again
    is_low = values == low
    after = np.fmin.reduce(np.where(is_low, np.nan, values))
    return (is_low.sum(axis=0) > 1) & ~(after - low <= high - after)


def _codes(values):
    """Find the codes of a column, and count their rows."""
    values = values[np.isfinite(values)]
    for _ in range(MOST_CODES):
        edges = (values.min(), values.max()) if len(values) else ()
        code = next((edge for edge in edges if _is_code(edge, values)), None)
        if code is None:
            return
        yield float(code), int((values == code).sum())
        # behind one code there may be another, such as -999 and -9999
        values = values[values != code]


def _is_code(code, values):
    others, text = values[values != code], f"{code:.10g}"
    n = len(values) - len(others)
    if n < 2 or SURE.fullmatch(text):
        return n > 1
    if len(np.unique(others)) < LEAST_VARIED or np.abs(others - code).min() <= np.ptp(others):
        return False
    # a round number may be a measurement: it has to be frequent, and rarer than the others
    is_round = code % 10 == 0 and FEWEST <= n < len(others)
    return is_round or NINES.fullmatch(text) is not None
