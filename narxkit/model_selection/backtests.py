"""Forecasts from many origins, by one model or by one that is fitted again as origins move on."""

from collections.abc import Hashable

import numpy as np
import pandas as pd

from narxkit._checks import is_count
from narxkit.model_selection.refits import Refits, check_refit
from narxkit.model_selection.wrappers import unwrap
from narxkit.rows.labels import read_labels
from narxkit.rows.table import names_of_outputs

__all__ = ["backtest"]


def backtest(
    model,
    X,
    y,
    steps=24,
    origins=None,
    segments=None,
    level=None,
    refit=None,
    window="expanding",
):
    """Forecast from many origins, without refitting or with.

    The forecast of origin o and horizon h is the prediction of row o + h from outputs up to row o
    and inputs up to row o + h, the model's own outputs in between.

    Parameters
    ----------
    model : Forecaster, PerSeries, Pipeline, TransformedTargetRegressor or a fitted search of one
        Fitted model; to be refitted, it may be fitted or not. All steps of a pipeline but the last
        transform X; a transformed target is scored in its original units.
    X : array-like of shape (n, n_features) or None
        Inputs.
    y : array-like of shape (n,) or (n, n_outputs)
        Measured outputs; a missing one is history that the model fills by its one-step
        prediction, and a target that stays NaN.
    steps : int, default=24
        Number of horizons.
    origins : sequence, default=None
        Last known rows to forecast from, as labels of the index or, where those are not numbers
        themselves, as row positions; by default all rows that have the model's history behind
        them and all targets ahead of them.
    segments : array-like of shape (n,), optional
        Segment labels, as in ``fit``.
    level : float or sequence of float, optional
        Intervals that hold so many per cent of what comes, as in ``forecast``: each from the errors
        that were known at its origin, as if all rows up to there had been given to ``update``.
    refit : int, optional
        Every how many rows, from the first origin on, a clone of the model is fitted to the rows up
        to the origin; never by default. Of a panel they are moments, at which all series are
        fitted again. Without `origins` they then begin in the middle of the rows.
    window : "expanding" or int, default="expanding"
        What a refit learns from: all rows up to its origin, or so many last ones.

    Returns
    -------
    DataFrame
        One row per origin and horizon: ``series`` (name of the output, of the series, or both as
        ``"series/output"``), ``origin`` (label of the last known row), ``horizon`` (1..steps),
        ``y`` and ``y_hat``; with `level` also ``y_hat-lo-80``, ``y_hat-hi-80`` and so on.

    Raises
    ------
    ValueError
        When an origin lacks history or targets, the first refit has too few rows, a level is out
        of range, or there are too few errors to tell it from.

    See Also
    --------
    skill_table : Summarise several backtests.

    Examples
    --------
    >>> from narxkit import Persistence, backtest
    >>> y = [1.0, 2.0, 4.0, 7.0]
    >>> backtest(Persistence().fit(None, y), None, y, steps=2)[["origin", "horizon", "y", "y_hat"]]
       origin  horizon    y  y_hat
    0       0        1  2.0    1.0
    1       0        2  4.0    1.0
    2       1        1  4.0    2.0
    3       1        2  7.0    2.0

    A model that learns as it goes:

    >>> from narxkit import ARX
    >>> y = [float(t % 7) for t in range(60)]
    >>> table = backtest(ARX(output_lags=7), None, y, steps=1, refit=10, window=20)
    >>> int(table["origin"].iloc[0]), len(table)
    (30, 29)
    """
    if not is_count(steps):
        raise ValueError(f"steps must be an int >= 1. Got {steps!r} instead.")
    check_refit(refit, window)
    if refit is not None and level is not None:
        raise ValueError(
            f"level={level!r} needs the errors of one model, but refit={refit} fits it again and "
            "again: give one of them."
        )
    tables = {"X": X, "y": y, "segments": segments}
    refits = None if refit is None else Refits.read(model, tables, refit, window)
    if refits is not None:
        begin = None if origins is None else _positions(_read_origins(origins), refits.index)
        refits, model = refits.begun(begin)
    rows, undo = _open(model, **tables)
    first = _first_rows(rows, steps, origins)
    if refits is None:
        ahead = _run(rows, first, steps)
        y_hat = undo(ahead)
    else:
        first = refits.chosen(rows, first, steps) if origins is None else first
        y_hat = _run_refitted(refits, rows, first, steps)
    # as it was measured: the segments have missing outputs filled
    measured = rows.table.y[rows.table_row].take(first[:, None] + np.arange(steps), axis=0)
    columns = {"y": undo(measured), "y_hat": y_hat}
    if level is not None:
        sides = rows.fans(rows, first, ahead, level)
        columns |= _undone({f"y_hat-{name}": side for name, side in sides.items()}, undo)
    return _long(rows, first, columns, names_of_outputs(y)[0])


def _open(model, X, y, segments):
    """Return measured rows of a fitted model, and what brings its outputs to original units."""
    forecaster, X, y, undo = unwrap(model, X, y)
    return forecaster._origins(X, y, segments), undo


def _run(rows, first, steps):
    y_hat = np.empty((len(first), steps, rows.n_outputs))
    for part, values, _ in rows.rollouts(first, np.full(len(first), steps)):
        y_hat[part] = values
    return y_hat


def _run_refitted(refits, rows, first, steps):
    """Forecast from each origin by the model that was fitted last before it."""
    y_hat = np.empty((len(first), steps, rows.n_outputs))
    for which, model in refits.models(rows.table_row[first - 1]):
        its_rows, undo = _open(model, **refits.tables)
        _refuse_incomplete(its_rows, first[which], steps)
        y_hat[which] = undo(_run(its_rows, first[which], steps))
    return y_hat


def _refuse_incomplete(rows, first, steps):
    """Refuse origins from which a model, fitted again, lacks history that the first one had."""
    lacking = ~rows.can_run(steps)[first]
    if lacking.any():
        origin = first[int(np.argmax(lacking))] - 1
        raise ValueError(
            f"the model that was fitted again has lags up to {rows.max_lag}, and {lacking.sum()} "
            f"origins, the first {rows.label(origin)}, lack that history or {steps + rows.lead} "
            "rows ahead: give later origins."
        )


def _undone(sides, undo):
    """Bring intervals back; an inverse that falls turns them round."""
    sides = {name: undo(side) for name, side in sides.items()}
    for low in [name for name in sides if "-lo-" in name]:
        high = low.replace("-lo-", "-hi-")
        pair = sides[low], sides[high]
        sides[low], sides[high] = np.minimum(*pair), np.maximum(*pair)
    return sides


def _first_rows(rows, steps, origins):
    """Return first predicted rows, in the order of the segments."""
    # an origin is a row, also of a model that needs no history
    complete = rows.can_run(steps) & (rows.n_history > 0)
    n = len(complete)
    if origins is None:
        first = np.flatnonzero(complete)
        if not len(first):
            rows.check()  # refuses, and says why
            raise ValueError(
                f"no row has {rows.max_lag} rows of history and {steps} rows ahead of it: "
                "give a longer series or fewer steps."
            )
        return first
    # where each row of the table stands among the segments
    row = np.empty(n, dtype=int)
    row[rows.table_row] = np.arange(n)
    origins = _read_origins(origins)
    index = pd.RangeIndex(n) if rows.table.index is None else rows.table.index
    first = row[_positions(origins, index)] + 1
    bad = np.flatnonzero((first >= n) | ~complete[np.minimum(first, n - 1)])
    if len(bad):
        raise ValueError(
            f"origin {origins[bad[0]]} lacks {rows.max_lag} rows of history up to it or "
            f"{steps + rows.lead} rows after it in its segment: leave it out."
        )
    return first


def _read_origins(origins):
    """Return origins as an index, their times read."""
    if _are_labels(origins):
        return read_labels(pd.Index(origins), "origins")
    values = list(origins) if np.iterable(origins) and not isinstance(origins, str) else []
    if not values or not all(map(_is_label, values)):
        raise ValueError(
            f"origins must be a sequence of at least one row position or label. Got {origins!r}."
        )
    return read_labels(pd.Index(values), "origins")


def _positions(origins, index):
    """Return row positions of origins given as such or as labels."""
    are_numbers = pd.api.types.is_integer_dtype(origins.dtype)
    # integers are positions, unless the labels are integers too
    if are_numbers and not pd.api.types.is_integer_dtype(index.dtype):
        outside = (origins < 0) | (origins >= len(index))
        if outside.any():
            raise ValueError(
                f"origin {origins[outside][0]} is no row of {len(index)}: give positions from 0."
            )
        return origins.to_numpy()
    if not index.is_unique:
        raise ValueError(
            "origins are labels of the index of y, but it holds some of them twice: give it labels "
            "of its own for each row, such as y.reset_index(drop=True)."
        )
    positions = index.get_indexer(origins)
    if (positions < 0).any():
        unknown = origins[int(np.argmax(positions < 0))]
        raise ValueError(f"origin {unknown} is not in the index of y: give labels it holds.")
    return positions


def _are_labels(origins):
    """Tell by the dtype whether all are numbers or time stamps, without a look at each."""
    is_array = isinstance(origins, (pd.Index, np.ndarray)) and origins.ndim == 1
    if not is_array or not len(origins):
        return False
    dtype = origins.dtype
    return isinstance(dtype, (np.dtype, pd.DatetimeTZDtype)) and dtype.kind in "iufM"


def _is_label(origin):
    return isinstance(origin, Hashable)


def _long(rows, first, columns, outputs):
    """Return one row per origin, horizon and output."""
    n, steps, p = columns["y"].shape
    table, origin = rows.table, rows.table_row[first - 1]
    labels = pd.RangeIndex(len(table)) if table.index is None else table.index
    if isinstance(labels, pd.MultiIndex):
        labels = labels.get_level_values(1)
    # every column is an array of its own already: to copy them would take as long as to make them
    frames = [
        pd.DataFrame(
            {
                "series": _series_names(table, origin, outputs, j).repeat(steps),
                "origin": labels[origin].repeat(steps),
                "horizon": np.tile(np.arange(1, steps + 1), n),
                **{name: values[:, :, j].ravel() for name, values in columns.items()},
            },
            copy=False,
        )
        for j in range(p)
    ]
    return frames[0] if p == 1 else pd.concat(frames, ignore_index=True)


def _series_names(table, rows, outputs, j):
    """Return the series of each row: name of the output, key of the panel, or both."""
    is_alone = len(outputs) == 1
    name = ("y" if is_alone else f"y{j}") if outputs[j] is None else str(outputs[j])
    codes = np.empty(len(table), dtype=int)
    for code, members in enumerate(table.series.values()):
        codes[members] = code
    names = [
        name if key is None else str(key) if is_alone else f"{key}/{name}" for key in table.series
    ]
    return pd.Categorical.from_codes(codes[rows], names)
