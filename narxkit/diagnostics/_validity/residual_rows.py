"""Rows to analyse: outputs, inputs of the same rows, and the segments."""

import numpy as np
import pandas as pd

from narxkit._words import counted
from narxkit.rows.clock import Clock, take
from narxkit.rows.labels import labels_of, read_index, read_segment_labels, refuse_other_labels
from narxkit.rows.masks import unmasked

FEWEST = 20  # residuals


def read_output_columns(values, name="y"):
    """Read columns as Series of floats, with an index that counts rows where they have none."""
    Y = _read_columns(values, name, "output")
    if not Y.shape[1]:
        raise ValueError(f"{name} must have at least one column. Got shape {Y.shape} instead.")
    if isinstance(values, pd.Series):
        Y.columns = [values.name]
    elif not isinstance(values, pd.DataFrame):
        Y.columns = [f"output {i}" for i in Y.columns] if Y.shape[1] > 1 else [None]
    if Y.columns.map(str).has_duplicates:
        raise ValueError(f"two columns of {name} have one name: give each output its own.")
    return [Y.iloc[:, i] for i in range(Y.shape[1])]


def read_inputs(X, n):
    """Read inputs as a frame of floats with names as text."""
    if X is None:
        return pd.DataFrame(np.empty((n, 0)))
    U = _read_columns(X, "X", "input")
    if len(U) != n:
        rows = counted(len(U), "row")
        raise ValueError(f"X has {rows}, but {n} are analysed: give the same rows.")
    refuse_infinite_residuals(U, "X holds", "an input is missing")
    is_named = isinstance(X, pd.DataFrame) or getattr(X, "name", None) is not None
    names = [str(c) if is_named else f"input {c}" for c in U.columns]
    if len(set(names)) < len(names):
        raise ValueError(f"X has two columns of one name among {names}: rename them.")
    return U.set_axis(names, axis=1)


def _read_columns(values, name, what):
    """Read a frame of floats, one column for each input or output."""
    try:
        is_pandas = isinstance(values, pd.Series | pd.DataFrame)
        table = values if is_pandas else np.asarray(unmasked(values))
        if table.ndim in (1, 2):
            frame = pd.DataFrame(table)
            if any(kind.kind in "mMc" for kind in frame.dtypes):
                raise TypeError("times and complex numbers are no measurements")
            return frame.astype(float)
    except (TypeError, ValueError) as error:
        why = str(error).rstrip(".")
        raise ValueError(f"{name} must hold numbers, one column for each {what}: {why}.") from None
    raise ValueError(
        f"{name} must have the shape (n,) or (n, n_{what}s). Got shape {table.shape} instead."
    )


def refuse_infinite_residuals(values, who_holds, when):
    """Refuse infinite values; the remedy says `when` NaN may stand for them."""
    if np.isinf(values.to_numpy()).any():
        raise ValueError(f"{who_holds} infinite values: give NaN where {when}.")


def constant_columns(U):
    """Find columns whose values differ by no more than rounding."""
    # relative to size: 1e-12 of a large constant is rounding
    scaled = U / U.abs().max()
    return ~(scaled.max() - scaled.min() > 1e-12)


def check_residuals(e, whose="", n_lost=0):
    """Refuse residuals that cannot be analysed; `whose` they are stands in the sentence.

    `n_lost` of the missing ones are the model's fault.
    """
    known = e.dropna()
    refuse_infinite_residuals(known, f"residuals{whose} hold", "a prediction is missing")
    if len(known) < FEWEST and n_lost:
        raise ValueError(
            f"the model predicts{whose} {len(known)} of {len(known) + n_lost} rows, but at least "
            f"{FEWEST} residuals are needed, and the other predictions are not finite: correct the "
            "model."
        )
    if len(known) < FEWEST:
        raise ValueError(
            f"{len(known)} of {len(e)} rows have a residual{whose}, but at least {FEWEST} are "
            "needed: give more rows."
        )
    if constant_columns(known.to_frame()).item():
        value = f"{known.iloc[0]:g}"
        raise ValueError(f"all residuals{whose} are {value}: there is nothing to analyse.")


def number_segments(index, owner, labels, n):
    """Number the segment of each row: by series, then jumps of its clock, then labels."""
    refuse_other_labels(index, owner, labels_of(labels, "segments"), "segments")
    labels = None if labels is None else read_segment_labels(labels, n)
    times, series = read_index(index, owner, n, labels)
    parts, n_parts = np.empty(n, dtype=int), 0
    for rows in series.values():
        begins = np.zeros(len(rows), dtype=bool)
        if times is not None:
            stamps = take(times, rows)
            begins |= Clock.from_index(stamps).breaks(stamps)
        if labels is not None:
            begins[1:] |= labels[rows[1:]] != labels[rows[:-1]]
        # of an empty series there is no first row
        begins[:1] = True
        parts[rows] = n_parts + np.cumsum(begins) - 1
        n_parts += int(begins.sum())
    return parts
