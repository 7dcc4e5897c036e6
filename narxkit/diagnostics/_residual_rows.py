"""What is judged: one output, inputs of the same rows, and where segments begin."""

import numpy as np
import pandas as pd

from narxkit._clock import Clock, check_order

FEWEST = 20  # residuals


def read_output(values, name="y"):
    """One series of floats, with its index or one that counts rows from 0."""
    shape = np.shape(values)
    if len(shape) == 2 and shape[1] != 1 or len(shape) not in (1, 2):
        raise ValueError(
            f"{name} must be one output of shape (n,). Got shape {shape} instead: judge outputs "
            "one at a time, from their residuals with validate_residuals."
        )
    if isinstance(values, pd.DataFrame):
        values = values.iloc[:, 0]
    if isinstance(values, pd.Series):
        return values.astype(float)
    return pd.Series(np.asarray(values, dtype=float).reshape(len(values)))


def read_inputs(X, n):
    """Inputs as a frame of floats with names as text."""
    if X is None:
        return pd.DataFrame(np.empty((n, 0)))
    named = isinstance(X, pd.DataFrame)
    U = X.astype(float) if named else pd.DataFrame(np.asarray(X, dtype=float))
    if len(U) != n:
        raise ValueError(f"X has {len(U)} rows, but {n} are judged: give the same rows.")
    if np.isinf(U.to_numpy()).any():
        raise ValueError("X holds infinite values: give NaN where an input is missing.")
    return U.set_axis([str(c) if named else f"input {c}" for c in U.columns], axis=1)


def check_residuals(e):
    """The number of residuals, if they can be judged."""
    known = e.dropna().to_numpy()
    if np.isinf(known).any():
        raise ValueError("residuals hold infinite values: give NaN where a prediction is missing.")
    if len(known) < FEWEST:
        raise ValueError(
            f"{len(known)} of {len(e)} rows have a residual, but at least {FEWEST} are needed: "
            "give more rows."
        )
    if np.ptp(known) <= 1e-12 * np.abs(known).max():
        raise ValueError(f"all residuals are {known[0]:g}: there is nothing to judge.")
    return len(known)


def number_segments(index, labels):
    """The number of each row's segment: series, then jumps of its clock, then labels."""
    n = len(index)
    keys = [pd.factorize(index.get_level_values(0))[0]] if index.nlevels > 1 else [np.zeros(n, int)]
    times = index.get_level_values(-1) if index.nlevels > 1 else index
    begins = np.zeros(n, dtype=bool)
    if labels is not None and len(labels) != n:
        raise ValueError(f"segments have {len(labels)} labels, but {n} rows are judged.")
    for key in np.unique(keys[0]):
        rows = np.flatnonzero(keys[0] == key)
        begins[rows[0]] = True
        begins[rows] |= _jumps(times[rows])
        if labels is not None:
            own = pd.factorize(np.asarray(labels)[rows], use_na_sentinel=False)[0]
            begins[rows[1:]] |= own[1:] != own[:-1]
    order = np.argsort(keys[0], kind="stable")
    parts = np.empty(n, dtype=int)
    parts[order] = np.cumsum(begins[order]) - 1
    return parts


def _jumps(times):
    """Where the clock, if there is one, jumps."""
    check_order(times, "y")
    clock = Clock.from_index(times)
    return np.zeros(len(times), dtype=bool) if clock is None else clock.breaks(times)
