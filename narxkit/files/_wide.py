"""Tables whose rows are series: they have to be turned."""

import re

import numpy as np
import pandas as pd

from ._dates import TEXT, parse
from ._formatting import listed, reading_options

LEAST_COLUMNS = 4
STEPS = {"v", "t", "time", "step", "row", "obs", "period", "hour", "day", "week", "month", "year"}
PER_DAY = (24, 25, 48, 96)


def refuse_wide(cells, name):
    """Refuse a table without times whose columns are numbered or dated, and its rows named."""
    columns = list(cells.columns)
    label = columns[0]
    if pd.api.types.is_numeric_dtype(cells[label].dtype) or not cells[label].is_unique:
        return
    run = _run_of_steps(columns)
    if len(run) < LEAST_COLUMNS or counts_steps(cells[label]):
        return
    are_times = parse(pd.Series(run, dtype=TEXT))[0].notna().all()
    index = "index_label='time'" if are_times else "index=False"
    raise ValueError(
        f"the rows of {name} look like series, one each ({listed(cells[label].head(3))}, ...), "
        f"with their values in the columns from {run[0]!r} to {run[-1]!r}: turn the table, so that "
        f"each is a column, in pandas pandas.read_csv({name!r}, index_col={label!r}"
        f"{reading_options(cells)}).loc[:, {run[0]!r}:].T.to_csv('turned.csv', {index})."
    )


def counts_steps(labels):
    """Tell whether texts such as V2, V3 and t1, t2 count the rows, as names of steps do."""
    parts = labels.astype(TEXT).str.extract(r"^([^\W\d_]+)[ _.-]?(\d{1,8})$")
    prefixes = parts[0].str.lower().unique()
    if len(labels) < 2 or len(prefixes) > 1 or prefixes[0] not in STEPS:
        return False
    return bool((np.diff(parts[1].astype(int)) == 1).all())


def note_hours(frame, clock):
    """Note days whose columns look like their hours."""
    run = _run_of_steps(["", *frame.columns]) if len(frame.columns) >= PER_DAY[0] else []
    if clock is None or clock.describe() != "daily" or len(run) not in PER_DAY:
        return []
    return [
        f"The columns from {run[0]!r} to {run[-1]!r} look like the hours of a day; each is read "
        "as a daily series: stack them for one series over all hours."
    ]


def _run_of_steps(columns):
    """Return the last columns named by consecutive numbers or dates."""
    numbers = [re.search(r"(\d+)\D*$", column) for column in columns[1:]]
    found = [int(match[1]) if match and len(match[1]) < 9 else -1 for match in numbers]
    # 1, 2, 3, ... up to the last column
    is_step = np.diff(found) == 1
    n = len(is_step) - (np.flatnonzero(~is_step)[-1] + 1 if not is_step.all() else 0)
    if n + 1 >= LEAST_COLUMNS:
        return columns[-n - 1 :]
    dates = parse(pd.Series(columns[1:], dtype=TEXT))[0] if len(columns) > LEAST_COLUMNS else []
    n = int(np.cumprod(pd.notna(dates)[::-1]).sum()) if len(dates) else 0
    return columns[len(columns) - n :]
