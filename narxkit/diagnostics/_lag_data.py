"""What `suggest_lags` is given, read, and the table of candidates made of it."""

from numbers import Real

import numpy as np
import pandas as pd

from narxkit.diagnostics._series import check_count, is_int, read_series

N_ROWS = 40
N_COMPLETE = 30
MAX_LAG = 48
ROWS_PER_LAG = 5  # where no max_lag is given


def read_both(X, y):
    """The name of y, its values, and a dict of those of each input by name or position."""
    y = y.iloc[:, 0] if isinstance(y, pd.DataFrame) and y.shape[1] == 1 else y
    name = getattr(y, "name", None)
    name = "y" if name is None else name
    if isinstance(X, pd.DataFrame | pd.Series) and isinstance(y, pd.DataFrame | pd.Series):
        if len(X) == len(y) and not X.index.equals(y.index):
            raise ValueError(
                "X and y have the same number of rows, but their indexes differ: give both for "
                "the same times."
            )
    y = read_series(y, N_ROWS, "y", allow_nan=True)
    if X is None:
        return name, y, {}
    table = X if isinstance(X, pd.DataFrame) else pd.DataFrame(_as_table(X))
    if len(table) != len(y):
        raise ValueError(
            f"X has {len(table)} rows and y has {len(y)}: give one row of X for each of y."
        )
    if not table.columns.is_unique:
        raise ValueError(f"X has two columns of one name among {list(table)}: rename one of them.")
    inputs = {c: read_series(table[c], N_ROWS, f"X[{c!r}]", allow_nan=True) for c in table}
    return name, y, inputs


def _as_table(X):
    X = np.asarray(X)
    if X.ndim != 2:
        raise ValueError(
            f"X must be a table of shape (n, n_inputs). Got shape {X.shape} instead: give a "
            "single input as X[:, None]."
        )
    return X


def read_max_lag(max_lag, n, horizon):
    """The largest lag to look at: a quarter of the rows at most, so that far shifts are left."""
    check_count("horizon", horizon)
    if max_lag is None:
        return min(max(MAX_LAG, 2 * horizon), n // ROWS_PER_LAG)
    check_count("max_lag", max_lag)
    most = min(n - N_COMPLETE, n // 4)
    if max_lag > most:
        raise ValueError(
            f"max_lag={max_lag} is too much for {n} rows: give a longer series or a max_lag of at "
            f"most {most}, a quarter of them and so that {N_COMPLETE} have their history."
        )
    return int(max_lag)


def first_lags(inputs, horizon, known_ahead, max_lag):
    """The smallest lag of each input: 0, or the horizon for what is not known ahead."""
    if known_ahead is not None and (isinstance(known_ahead, str) or not np.iterable(known_ahead)):
        raise ValueError(
            f"known_ahead must be None or a sequence of columns. Got {known_ahead!r} instead."
        )
    columns = list(inputs)
    known = [
        columns[c] if is_int(c, 0) and c not in inputs and c < len(columns) else c
        for c in (columns if known_ahead is None else known_ahead)
    ]
    unknown = [column for column in known if column not in inputs]
    if unknown:
        raise ValueError(
            f"known_ahead names the columns {unknown}, but X has the columns {columns}: "
            "correct the names."
        )
    first = {column: 0 if column in known else int(horizon) for column in inputs}
    if max(first.values(), default=0) > max_lag:
        raise ValueError(
            f"horizon={horizon} is beyond max_lag={max_lag}, so that inputs not known ahead have "
            "no lag left: give a larger max_lag, or leave them out."
        )
    return first


def list_candidates(y_name, first, max_lag):
    """A frame of kind, column and lag of each tap to look at."""
    taps = [("output", y_name, lag) for lag in range(1, max_lag + 1)]
    taps += [("input", c, lag) for c in first for lag in range(first[c], max_lag + 1)]
    return pd.DataFrame(taps, columns=["kind", "column", "lag"])


def tabulate(candidates, y, inputs, max_lag):
    """Standardised taps (p, n) and centred target (n,) of the rows that miss nothing."""
    n = len(y)
    taps = np.empty((len(candidates), n - max_lag))
    for tap, (kind, column, lag) in zip(taps, candidates.itertuples(index=False)):
        values = y if kind == "output" else inputs[column]
        tap[:] = values[max_lag - lag : n - lag]
    target = y[max_lag:]
    complete = np.isfinite(target) & np.isfinite(taps).all(axis=0)
    n_min = max(N_COMPLETE, 3 * max_lag)
    if complete.sum() < n_min:
        raise ValueError(
            f"{complete.sum()} of {n - max_lag} rows have y and all candidates up to lag "
            f"{max_lag}, the others miss a value (NaN), but at least {n_min} are needed: fill the "
            "gaps or give a smaller max_lag."
        )
    if not complete.all():
        taps, target = taps[:, complete], target[complete]
    taps -= taps.mean(axis=1, keepdims=True)
    spread = taps.std(axis=1, keepdims=True)
    taps /= np.where(spread > 0, spread, 1.0)
    return taps, target - target.mean()


def check_min_gain(min_gain):
    """Raise unless it is a share."""
    if not isinstance(min_gain, Real) or not 0 <= min_gain < 1:
        raise ValueError(
            f"min_gain must be a float in the range [0.0, 1.0). Got {min_gain!r} instead."
        )
