"""Judging forecasts: backtests from many origins, and tables of skill."""

from collections.abc import Hashable, Mapping

import numpy as np
import pandas as pd
from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from narxkit._validation import common_index, names_of_outputs
from narxkit.forecaster import Forecaster
from narxkit.taps import is_count

__all__ = ["backtest", "skill_table"]

N_RESAMPLES = 2000  # the ends of an interval then scatter by about 2 % of its length


def backtest(model, X, y, steps=24, origins=None, segments=None):
    """Forecast from many origins, without refitting.

    The forecast of origin o and horizon h is the prediction of row o + h from outputs up to row o
    and inputs up to row o + h, the model's own outputs in between.

    Parameters
    ----------
    model : Forecaster, Pipeline, TransformedTargetRegressor or a fitted search of one
        Fitted model. All steps of a pipeline but the last transform X; a transformed target is
        scored in its original units.
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

    Returns
    -------
    DataFrame
        One row per origin and horizon: ``series`` (name of the output, of the series, or both as
        ``"series/output"``), ``origin`` (label of the last known row), ``horizon`` (1..steps),
        ``y`` and ``y_hat``.

    Raises
    ------
    ValueError
        When an origin lacks history or targets.

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
    """
    if not is_count(steps):
        raise ValueError(f"steps must be an int >= 1. Got {steps!r} instead.")
    forecaster, X, inner_y, undo = unwrap(model, X, y)
    table = forecaster._read(X, y=inner_y, segments=segments)
    rows = forecaster._measured(table)
    first = _first_rows(forecaster, table, rows, steps, origins)
    y_hat = np.concatenate(
        [part for _, part in forecaster._rollouts(rows, first, np.full(len(first), steps), table)]
    )
    measured = table.y[table.order][first[:, None] + np.arange(steps)]
    outputs = names_of_outputs(y)[0]
    return _long(table, first, undo(measured), undo(y_hat), outputs)


def unwrap(model, X, y):
    """The forecaster inside a Pipeline or TransformedTargetRegressor, and what it sees.

    Returns
    -------
    forecaster : Forecaster
    X, y : array-like
        As they reach it, with their index.
    undo : callable
        Brings outputs (..., n_outputs) back to original units.
    """
    index, _ = common_index(X, y)
    if hasattr(model, "best_estimator_"):
        return unwrap(model.best_estimator_, X, y)
    if isinstance(model, Pipeline):
        check_is_fitted(model)
        if X is not None and len(model.steps) > 1:
            X = model[:-1].transform(X)
            y = _with_index(y, index)
        return unwrap(model.steps[-1][1], X, y)
    if isinstance(model, TransformedTargetRegressor):
        check_is_fitted(model)
        forward, back = model.transformer_.transform, model.transformer_.inverse_transform
        values = np.asarray(y, dtype=float)
        inner = _where_finite(forward, values.reshape(len(values), -1)).reshape(values.shape)
        forecaster, X, inner, undo = unwrap(model.regressor_, X, _with_index(inner, index))
        return forecaster, X, inner, lambda values: _where_finite(back, undo(values))
    if not isinstance(model, Forecaster):
        raise ValueError(
            "model must be a fitted forecaster, or a Pipeline, TransformedTargetRegressor or "
            f"search of one. Got {type(model).__name__} instead."
        )
    return model, X, y, lambda values: values


def _where_finite(transform, values):
    """A transformation of outputs (..., n_outputs) that leaves missing ones missing."""
    flat = values.reshape(-1, values.shape[-1])
    missing = ~np.isfinite(flat)
    stand_in = np.take_along_axis(flat, np.argmin(missing, axis=0)[None], axis=0)
    out = np.asarray(transform(np.where(missing, stand_in, flat)), dtype=float)
    return np.where(missing, np.nan, out).reshape(values.shape)


def _with_index(y, index):
    """y under the index that says most."""
    if index is None:
        return y
    if isinstance(y, (pd.Series, pd.DataFrame)):
        return y.set_axis(index, axis=0)
    return pd.Series(y, index=index) if np.ndim(y) == 1 else pd.DataFrame(y, index=index)


def _first_rows(forecaster, table, rows, steps, origins):
    """First predicted rows, in the order of the segments."""
    n = np.arange(len(rows))
    complete = rows.reachable(forecaster._taps)
    complete &= (n > rows.starts) & (n + steps + forecaster._taps.lead <= rows.stops)
    if origins is None:
        first = np.flatnonzero(complete)
        if not len(first):
            forecaster._check_rows(rows)
            raise ValueError(
                f"no row has {forecaster.max_lag_} rows of history and {steps} rows ahead of it: "
                "give a longer series or fewer steps."
            )
        return first
    place = np.empty(len(table), dtype=int)
    place[table.order] = n
    first = place[_positions(origins, table)] + 1
    bad = np.flatnonzero((first >= len(rows)) | ~complete[np.minimum(first, len(rows) - 1)])
    if len(bad):
        raise ValueError(
            f"origin {origins[bad[0]]} lacks {forecaster.max_lag_} rows of history up to it or "
            f"{steps + forecaster._taps.lead} rows after it in its segment: leave it out."
        )
    return first


def _positions(origins, table):
    """Row positions of origins given as such or as labels."""
    if not np.iterable(origins) or not len(origins) or not all(map(_is_label, origins)):
        raise ValueError(
            f"origins must be a sequence of at least one row position or label. Got {origins!r}."
        )
    origins = pd.Index(origins)
    index = pd.RangeIndex(len(table)) if table.index is None else table.index
    are_numbers = pd.api.types.is_integer_dtype(origins.dtype)
    if are_numbers and not pd.api.types.is_integer_dtype(index.dtype):
        outside = (origins < 0) | (origins >= len(table))
        if outside.any():
            raise ValueError(
                f"origin {origins[outside][0]} is no row of {len(table)}: give positions from 0."
            )
        return origins.to_numpy()
    positions = index.get_indexer(origins)
    if (positions < 0).any():
        unknown = origins[int(np.argmax(positions < 0))]
        raise ValueError(f"origin {unknown} is not in the index of y: give labels it holds.")
    return positions


def _is_label(origin):
    return isinstance(origin, Hashable)


def _long(table, first, y, y_hat, outputs):
    """One row per origin, horizon and output."""
    n, steps, p = y.shape
    origin = table.order[first - 1]
    labels = pd.RangeIndex(len(table)) if table.index is None else table.index
    if isinstance(labels, pd.MultiIndex):
        labels = labels.get_level_values(1)
    frames = [
        pd.DataFrame(
            {
                "series": _series_names(table, origin.repeat(steps), outputs, j),
                "origin": labels[origin].repeat(steps),
                "horizon": np.tile(np.arange(1, steps + 1), n),
                "y": y[:, :, j].ravel(),
                "y_hat": y_hat[:, :, j].ravel(),
            }
        )
        for j in range(p)
    ]
    return frames[0] if p == 1 else pd.concat(frames, ignore_index=True)


def _series_names(table, rows, outputs, j):
    """The series of each row: name of the output, key of the panel, or both."""
    is_alone = len(outputs) == 1
    name = ("y" if is_alone else f"y{j}") if outputs[j] is None else str(outputs[j])
    codes = np.empty(len(table), dtype=int)
    for code, members in enumerate(table.series.values()):
        codes[members] = code
    names = [
        name if key is None else str(key) if is_alone else f"{key}/{name}" for key in table.series
    ]
    return pd.Categorical.from_codes(codes[rows], names)


def skill_table(
    backtests,
    horizons=None,
    persistence="persistence",
    seasonal="seasonal naive",
    ridge="ridge ARX",
    fit_seconds=None,
    interval=False,
    block=168,
    random_state=0,
):
    """Errors of several backtests side by side, and their skill against the baselines.

    .. math::

        \\mathrm{RMSE}_h = \\sqrt{\\mathrm{mean}_o (\\hat y_{o+h} - y_{o+h})^2}, \\qquad
        \\mathrm{skill} = 1 - \\frac{\\mathrm{mean}_h \\mathrm{RMSE}_h}
        {\\mathrm{mean}_h \\mathrm{RMSE}_h^{\\mathrm{ref}}}

    Only the targets that every backtest predicts are compared.

    Parameters
    ----------
    backtests : dict of str to DataFrame
        Answers of `backtest` by name.
    horizons : sequence of int, default=None
        Horizons to show beside the mean over all; by default 1, 8, 24 as far as they were
        forecast, and the last.
    persistence, seasonal, ridge : str
        Names of the backtests to compare with; what is not among them gives no column. The
        better of persistence and seasonal naive is taken for each horizon.
    fit_seconds : dict of str to float, optional
        Seconds that each fit took.
    interval : bool, default=False
        Whether to give the 95 % interval of the ratio to the ridge. Blocks of successive origins
        are drawn with replacement, as many as there are, the same for both models, and the ratio
        computed anew, 2000 times; the interval lies between the 2.5 % and the 97.5 % quantile.
    block : int, default=168
        Origins in a block, a week of hours; the errors of one block should not depend on those of
        another. Where there are several series, a block holds the origins of all of them.
    random_state : int, RandomState or None, default=0
        Seed of the draws.

    Returns
    -------
    DataFrame
        A row for each backtest; columns ``RMSE h=1`` ..., ``RMSE mean``, ``MAE``,
        ``skill vs persistence``, ``skill vs naive``, ``ratio to ridge``, ``ratio 2.5 %``,
        ``ratio 97.5 %``, ``fit s``.

    Raises
    ------
    ValueError
        When the backtests have no target in common, a horizon was not forecast, or the origins
        make no two blocks.

    See Also
    --------
    backtest : Forecasts from many origins.
    narxkit.diebold_mariano : Whether two forecasts differ by more than chance.

    References
    ----------
    Künsch 1989, "The jackknife and the bootstrap for general stationary observations", Annals of
    Statistics 17, 1217-1241.

    Examples
    --------
    >>> from narxkit import Persistence, SeasonalNaive, backtest, skill_table
    >>> y = [1.0, 2.0, 3.0, 1.0, 2.0, 3.0, 1.0, 2.0, 4.0]
    >>> models = {"persistence": Persistence(), "seasonal naive": SeasonalNaive(period=3)}
    >>> runs = {k: backtest(m.fit(None, y), None, y, steps=2) for k, m in models.items()}
    >>> skill_table(runs, horizons=[1]).round(3)["RMSE mean"].tolist()
    [1.636, 0.224]
    """
    errors = _aligned_errors(backtests)
    rmse = {name: np.sqrt(e.pow(2).groupby(level="horizon").mean()) for name, e in errors.items()}
    known = next(iter(rmse.values())).index
    if horizons is None:
        horizons = [h for h in (1, 8, 24) if h < known.max()] + [known.max()]
    missing = [h for h in horizons if h not in known]
    if missing:
        raise ValueError(
            f"horizons {missing} were not forecast: the backtests have 1..{known.max()}."
        )
    table = pd.DataFrame(index=list(backtests))
    for h in horizons:
        table[f"RMSE h={h}"] = [rmse[name][h] for name in backtests]
    table["RMSE mean"] = [rmse[name].mean() for name in backtests]
    table["MAE"] = [errors[name].abs().groupby(level="horizon").mean().mean() for name in backtests]
    if persistence in rmse:
        table["skill vs persistence"] = 1 - table["RMSE mean"] / rmse[persistence].mean()
        if seasonal in rmse:
            better = np.minimum(rmse[persistence], rmse[seasonal]).mean()
            table["skill vs naive"] = 1 - table["RMSE mean"] / better
    if ridge in rmse:
        table["ratio to ridge"] = table["RMSE mean"] / rmse[ridge].mean()
        if interval:
            means = _resampled_means(errors, block, check_random_state(random_state))
            ratios = means / means[[ridge]].to_numpy()
            table["ratio 2.5 %"] = ratios.quantile(0.025)
            table["ratio 97.5 %"] = ratios.quantile(0.975)
    if fit_seconds is not None:
        table["fit s"] = [fit_seconds.get(name, np.nan) for name in backtests]
    return table


def _resampled_means(errors, block, rng):
    """The mean over horizons of the RMSE, for each model in each bootstrap sample of blocks.

    A sum over drawn blocks is a product with how often each was drawn, so that squares and counts
    are summed by (block, horizon) once.
    """
    if not is_count(block):
        raise ValueError(f"block must be an int >= 1. Got {block!r} instead.")
    origin, origins = errors.index.get_level_values("origin").factorize(sort=True)
    n_blocks = -(-len(origins) // block)
    if n_blocks < 2:
        raise ValueError(
            f"an interval needs at least 2 blocks of origins, but {len(origins)} origins make "
            f"{n_blocks} of {block}: give more origins, a smaller block or interval=False."
        )
    horizon, horizons = errors.index.get_level_values("horizon").factorize()
    shape = n_blocks, len(horizons)
    cell = origin // block * shape[1] + horizon

    def summed(values=None):
        return np.bincount(cell, values, minlength=n_blocks * shape[1]).reshape(shape)

    times_drawn = rng.multinomial(n_blocks, np.full(n_blocks, 1 / n_blocks), size=N_RESAMPLES)
    n = times_drawn @ summed()
    with np.errstate(invalid="ignore"):  # a sample may lack a horizon that few blocks have
        return pd.DataFrame(
            {
                name: np.nanmean(np.sqrt(times_drawn @ summed(e**2) / n), axis=1)
                for name, e in errors.items()
            }
        )


def _aligned_errors(backtests):
    """Errors by (series, origin, horizon), on the targets that all of them have."""
    if not isinstance(backtests, Mapping) or not backtests:
        raise ValueError("skill_table needs a dict of name: backtest, with at least one of them.")
    keys = ["series", "origin", "horizon"]
    frames = list(backtests.values())
    errors = {k: (f["y_hat"] - f["y"]).to_numpy() for k, f in backtests.items()}
    same = all(len(f) == len(frames[0]) and f[keys].equals(frames[0][keys]) for f in frames[1:])
    if same:
        index = pd.MultiIndex.from_frame(frames[0][["origin", "horizon"]])
        errors = pd.DataFrame(errors, index=index)
    else:
        parts = [
            pd.Series(e, index=pd.MultiIndex.from_frame(f[keys].astype({"series": str})), name=k)
            for (k, e), f in zip(errors.items(), frames)
        ]
        errors = pd.concat(parts, axis=1, join="inner")
    errors = errors.dropna()
    if not len(errors):
        raise ValueError("the backtests have no target in common: give them the same origins.")
    return errors
