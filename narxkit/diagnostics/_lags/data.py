"""Arguments of `suggest_lags`, read, and the table of candidates made of them."""

from collections.abc import Hashable
from numbers import Real

import numpy as np
import pandas as pd

from narxkit._warn import warn
from narxkit.diagnostics.values import (
    N_ROWS,
    check_count,
    is_constant,
    is_row_count,
    read_values,
    refuse_sparse,
)
from narxkit.rows.labels import common_index

N_COMPLETE = 30
MAX_LAG = 48
ROWS_PER_LAG = 5  # where no max_lag is given


def read_both(X, y):
    """Read the name of y, its values, and a dict of those of each input by name or position."""
    y = y.iloc[:, 0] if isinstance(y, pd.DataFrame) and y.shape[1] == 1 else y
    name = getattr(y, "name", None)
    name = "y" if name is None else name
    common_index(X=X, y=y)
    shape = _shape(y, "y")
    if len(shape) == 2 and shape[1] > 1:
        raise ValueError(
            f"y has {shape[1]} columns, but lags are suggested for one output: call suggest_lags "
            "once for each, with the others in X and not in known_ahead."
        )
    y = read_values(y, N_ROWS, "y", allow_nan=True)
    if X is None:
        return name, y, {}
    table = X if isinstance(X, pd.DataFrame) else pd.DataFrame(_as_table(X))
    if len(table) != len(y):
        raise ValueError(
            f"X has {len(table)} rows and y has {len(y)}: give one row of X for each of y."
        )
    if not table.columns.is_unique:
        raise ValueError(f"X has two columns of one name among {list(table)}: rename one of them.")
    inputs = {c: read_values(table[c], N_ROWS, f"X[{c!r}]", True, True) for c in table}
    return name, y, inputs


def leave_out_constants(inputs):
    """Leave out inputs that do not vary, and warn of them."""
    varying = {c: u for c, u in inputs.items() if not is_constant(u[np.isfinite(u)])}
    constant = [c for c in inputs if c not in varying]
    if constant:
        warn(f"the columns {constant} of X are constant and explain nothing: they get no lags.")
    return varying


def _shape(values, name):
    try:
        return np.shape(values)
    except ValueError:
        raise ValueError(
            f"{name} has rows of different lengths: give the same number of columns in each."
        ) from None


def _as_table(X):
    shape = _shape(X, "X")
    if len(shape) != 2:
        single = "X.to_frame()" if isinstance(X, pd.Series) else "X[:, None]"
        remedy = f"a single input as {single}" if len(shape) == 1 else "a column for each input"
        raise ValueError(
            f"X must be a table of shape (n, n_inputs). Got shape {shape} instead: give {remedy}."
        )
    refuse_sparse(X, "X")
    try:
        return np.asanyarray(X)  # pandas knows what a masked array hides
    except TypeError:  # columns of types that no array can hold
        raise ValueError(
            "X must hold numbers in all of its columns: leave the others out."
        ) from None


def read_max_lag(max_lag, max_lead, n, horizon):
    """Read the largest lag: with the leads, a quarter of the rows, so that far shifts are left."""
    check_count("horizon", horizon)
    check_count("max_lead", max_lead, least=0)
    if max_lag is None:
        max_lag = min(max(MAX_LAG, 2 * horizon), n // ROWS_PER_LAG)
    check_count("max_lag", max_lag)
    most = min(n - N_COMPLETE, n // 4)
    if max_lag + max_lead > most:
        what = f"max_lag={max_lag} is"
        allowed = f"a max_lag of at most {most}"
        if max_lead:
            what = f"max_lag={max_lag} and max_lead={max_lead} are"
            allowed = f"both of at most {most} together"
        raise ValueError(
            f"{what} too much for {n} rows: give a longer series or {allowed}, a quarter of them "
            f"and so that {N_COMPLETE} have their history."
        )
    return int(max_lag)


def _are_columns(names):
    """Tell whether these can be names or positions of columns."""
    is_sequence = np.iterable(names) and not isinstance(names, str)
    return is_sequence and all(isinstance(name, Hashable) for name in names)


def first_lags(inputs, horizon, known_ahead, max_lag, max_lead):
    """Return each input's smallest lag: minus the lead, or the horizon if not known ahead."""
    if known_ahead is not None and not _are_columns(known_ahead):
        raise ValueError(
            f"known_ahead must be None or a sequence of columns. Got {known_ahead!r} instead."
        )
    columns = list(inputs)
    known = [
        # a number is a position, unless a column has it for a name
        columns[c] if is_row_count(c, 0) and c not in inputs and c < len(columns) else c
        for c in (columns if known_ahead is None else known_ahead)
    ]
    unknown = [column for column in known if column not in inputs]
    if unknown:
        raise ValueError(
            f"known_ahead names the columns {unknown}, but X has the columns {columns}: "
            "correct the names."
        )
    first = {column: -max_lead if column in known else int(horizon) for column in inputs}
    if max(first.values(), default=0) > max_lag:
        raise ValueError(
            f"horizon={horizon} is beyond max_lag={max_lag}, so that inputs not known ahead have "
            f"no lag left: give a max_lag of at least {horizon}, a smaller horizon, or leave them "
            "out."
        )
    return first


def list_candidates(y_name, first, max_lag):
    """List kind, column and lag of each tap to look at."""
    taps = [("output", y_name, lag) for lag in range(1, max_lag + 1)]
    taps += [("input", c, lag) for c in first for lag in range(first[c], max_lag + 1)]
    return pd.DataFrame(taps, columns=["kind", "column", "lag"])


def tabulate(candidates, y, inputs, max_lag, max_lead):
    """Tabulate standardised taps (p, n) and centred target (n,) of the complete rows."""
    stop, reach = len(y) - max_lead, max_lag + max_lead
    taps = np.empty((len(candidates), len(y) - reach))
    for tap, (kind, column, lag) in zip(taps, candidates.itertuples(index=False)):
        values = y if kind == "output" else inputs[column]
        # every tap over the rows of the target, max_lag .. n - max_lead
        tap[:] = values[max_lag - lag : stop - lag]
    target = y[max_lag:stop]
    complete = np.isfinite(target) & np.isfinite(taps).all(axis=0)
    # a third of them must remain as shifts too far to matter, for the band of the information
    n_min = max(N_COMPLETE, 3 * reach)
    if complete.sum() < n_min:
        raise ValueError(
            f"{complete.sum()} of {len(target)} rows have y and all candidates up to lag "
            f"{max_lag}, the others miss a value (NaN), but at least {n_min} are needed: fill the "
            "gaps, give a smaller max_lag, or leave out the input that misses most."
        )
    if not complete.all():
        taps, target = taps[:, complete], target[complete]
    if is_constant(target):
        raise ValueError(
            f"y is constant, at {target[0]:g}, in the {len(target)} rows that have y and all "
            f"candidates up to lag {max_lag}: there is nothing to analyse; give a longer series or "
            "a smaller max_lag."
        )
    taps -= taps.mean(axis=1, keepdims=True)
    spread = taps.std(axis=1, keepdims=True)
    # a tap may be constant in the complete rows alone: it stays zero and explains nothing
    taps /= np.where(spread > 0, spread, 1.0)
    return taps, target - target.mean()


def check_min_gain(min_gain):
    """Raise unless it is a share."""
    if not isinstance(min_gain, Real) or not 0 <= min_gain < 1:
        raise ValueError(
            f"min_gain must be a float in the range [0.0, 1.0). Got {min_gain!r} instead."
        )
