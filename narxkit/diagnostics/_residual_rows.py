"""What is judged: outputs, inputs of the same rows, and where segments begin."""

import numpy as np
import pandas as pd

from narxkit._clock import Clock, check_order

FEWEST = 20  # residuals


def read_outputs(values, name="y"):
    """Series of floats, each with its index or one that counts rows from 0."""
    shape = np.shape(values)
    if len(shape) not in (1, 2) or 0 in shape[1:]:
        raise ValueError(
            f"{name} must have the shape (n,) or (n, n_outputs). Got shape {shape} instead."
        )
    if isinstance(values, pd.Series):
        return [values.astype(float)]
    Y = pd.DataFrame(values, dtype=float)
    if not isinstance(values, pd.DataFrame):
        Y.columns = [f"output {i}" for i in Y.columns] if Y.shape[1] > 1 else [None]
    if Y.columns.map(str).has_duplicates:
        raise ValueError(f"two columns of {name} have one name: give each output its own.")
    return [Y.iloc[:, i] for i in range(Y.shape[1])]


def read_inputs(X, n):
    """Inputs as a frame of floats with names as text."""
    if X is None:
        return pd.DataFrame(np.empty((n, 0)))
    named = isinstance(X, pd.DataFrame)
    try:
        U = X.astype(float) if named else pd.DataFrame(np.asarray(X, dtype=float))
    except (TypeError, ValueError) as error:
        raise ValueError(f"X must hold numbers, one column for each input: {error}.") from None
    if len(U) != n:
        raise ValueError(f"X has {len(U)} rows, but {n} are judged: give the same rows.")
    if np.isinf(U.to_numpy()).any():
        raise ValueError("X holds infinite values: give NaN where an input is missing.")
    names = [str(c) if named else f"input {c}" for c in U.columns]
    if len(set(names)) < len(names):
        raise ValueError(f"X has two columns of one name among {names}: rename them.")
    return U.set_axis(names, axis=1)


def check_residuals(e, whose=""):
    """Refuse residuals that cannot be judged; `whose` they are stands in the sentence."""
    known = e.dropna().to_numpy()
    if np.isinf(known).any():
        raise ValueError(
            f"residuals{whose} hold infinite values: give NaN where a prediction is missing."
        )
    if len(known) < FEWEST:
        raise ValueError(
            f"{len(known)} of {len(e)} rows have a residual{whose}, but at least {FEWEST} are "
            "needed: give more rows."
        )
    if np.ptp(known) <= 1e-12 * np.abs(known).max():
        raise ValueError(f"all residuals{whose} are {known[0]:g}: there is nothing to judge.")


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
