"""Several backtests side by side."""

from collections.abc import Hashable, Mapping
from numbers import Real

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state

from narxkit._checks import is_count
from narxkit.model_selection.interval_scores import crps

__all__ = ["skill_table"]

N_RESAMPLES = 2000  # the ends of an interval then scatter by about 2 % of its length
ROUNDING = 1e-6  # of the largest output: what single precision or an inverse transform may stray


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
    """Return errors of several backtests side by side, and their skill against the baselines.

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
        ``CRPS`` (see Notes), ``skill vs persistence``, ``skill vs naive``, ``ratio to ridge``,
        ``ratio 2.5 %``, ``ratio 97.5 %``, ``fit s``.

    Raises
    ------
    ValueError
        When the backtests have no target in common or differ in the outputs measured there, a
        horizon was not forecast, or the origins make no two blocks.

    See Also
    --------
    backtest : Forecasts from many origins.
    narxkit.diebold_mariano : Whether two forecasts differ by more than chance.

    Notes
    -----
    Backtests with `level` have a ``CRPS``, the mean over horizons of the weighted interval score

    .. math::

        \\frac{1}{K + 1/2} \\Big( \\frac{|y - \\hat y|}{2}
        + \\sum_{k=1}^K \\frac{\\alpha_k}{2} S_k \\Big)

    with S the `interval_score` of the level :math:`100 (1 - \\alpha_k)` and the forecast in the
    place of the median. With more levels, such as ``level=range(10, 100, 10)``, it comes closer to
    the continuous ranked probability score, the mean absolute error of a whole distribution;
    compare what has the same levels.

    References
    ----------
    Künsch 1989, "The jackknife and the bootstrap for general stationary observations", Annals of
    Statistics 17, 1217-1241. Bracher, Ray, Gneiting and Reich 2021, "Evaluating epidemic forecasts
    in an interval format", PLOS Computational Biology 17, e1008618.

    Examples
    --------
    >>> from narxkit import Persistence, SeasonalNaive, backtest, skill_table
    >>> y = [1.0, 2.0, 3.0, 1.0, 2.0, 3.0, 1.0, 2.0, 4.0]
    >>> models = {"persistence": Persistence(), "seasonal naive": SeasonalNaive(period=3)}
    >>> runs = {k: backtest(m.fit(None, y), None, y, steps=2) for k, m in models.items()}
    >>> skill_table(runs, horizons=[1]).round(3)["RMSE mean"].tolist()
    [1.636, 0.224]
    """
    names = {"persistence": persistence, "seasonal": seasonal, "ridge": ridge}
    _check_options(horizons, names, fit_seconds)
    errors, scores = _aligned_errors(backtests)
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
    # the mean over horizons, not over targets: late horizons have fewer
    table["RMSE mean"] = [rmse[name].mean() for name in backtests]
    table["MAE"] = [errors[name].abs().groupby(level="horizon").mean().mean() for name in backtests]
    if len(scores.columns):
        means = {name: s.groupby(level="horizon").mean().mean() for name, s in scores.items()}
        table["CRPS"] = [means.get(name, np.nan) for name in backtests]
    if persistence in rmse:
        table["skill vs persistence"] = 1 - table["RMSE mean"] / rmse[persistence].mean()
        if seasonal in rmse:
            # horizon by horizon: persistence is good near, the season far
            better = np.minimum(rmse[persistence], rmse[seasonal]).mean()
            table["skill vs naive"] = 1 - table["RMSE mean"] / better
    if ridge in rmse:
        table["ratio to ridge"] = table["RMSE mean"] / rmse[ridge].mean()
        if interval:
            means = _resampled_means(errors, block, check_random_state(random_state))
            # within each sample: the same blocks for both, or luck in days would widen the interval
            ratios = means / means[[ridge]].to_numpy()
            table["ratio 2.5 %"] = ratios.quantile(0.025)
            table["ratio 97.5 %"] = ratios.quantile(0.975)
    if fit_seconds is not None:
        table["fit s"] = [fit_seconds.get(name, np.nan) for name in backtests]
    return table


def _resampled_means(errors, block, rng):
    """Return the mean over horizons of the RMSE, for each model in each bootstrap sample of blocks.

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

    # drawing blocks with replacement is drawing how often each comes
    times_drawn = rng.multinomial(n_blocks, np.full(n_blocks, 1 / n_blocks), size=N_RESAMPLES)
    n = times_drawn @ summed()
    with np.errstate(invalid="ignore"):  # a sample may lack a horizon that few blocks have
        return pd.DataFrame(
            {
                name: np.nanmean(np.sqrt(times_drawn @ summed(e**2) / n), axis=1)
                for name, e in errors.items()
            }
        )


def _check_options(horizons, names, fit_seconds):
    """Refuse options of another type than documented."""
    if horizons is not None and not (np.iterable(horizons) and all(map(is_count, horizons))):
        raise ValueError(f"horizons must be a sequence of ints >= 1. Got {horizons!r} instead.")
    for option, name in names.items():
        if not isinstance(name, Hashable):
            raise ValueError(f"{option} must be the name of a backtest. Got {name!r} instead.")
    if fit_seconds is not None:
        is_dict = isinstance(fit_seconds, Mapping | pd.Series)
        if not is_dict or not all(isinstance(s, Real) for _, s in fit_seconds.items()):
            raise ValueError(f"fit_seconds must be a dict of name: s. Got {fit_seconds!r} instead.")


def _aligned_errors(backtests):
    """Return errors by (series, origin, horizon), on the targets that all of them have.

    And the scores of the intervals, of those that have any.
    """
    keys = ["series", "origin", "horizon"]
    frames = list(backtests.values()) if isinstance(backtests, Mapping) else []
    if not frames or not all({*keys, "y", "y_hat"} <= {*getattr(f, "columns", ())} for f in frames):
        raise ValueError("skill_table needs a dict of name: backtest, with at least one of them.")
    same = all(len(f) == len(frames[0]) and f[keys].equals(frames[0][keys]) for f in frames[1:])
    # backtests of one run share origins: no labels need to be joined, which is most of the time
    if same:
        shared = pd.MultiIndex.from_frame(frames[0][["origin", "horizon"]])
        indexes = [shared] * len(frames)
    else:
        indexes = [pd.MultiIndex.from_frame(f[keys].astype({"series": str})) for f in frames]
    parts = [_values(f).set_axis(index) for f, index in zip(frames, indexes)]
    table = pd.concat(parts, axis=1, join="inner", keys=range(len(parts)))
    truths, forecasts = (table.xs(column, axis=1, level=1) for column in ("y", "y_hat"))
    # a failed forecast is NaN, and its target is left out for all
    errors = (forecasts - truths).set_axis(list(backtests), axis=1)
    is_known = errors.notna().all(axis=1)
    if not is_known.any():
        raise ValueError("the backtests have no target in common: give them the same origins.")
    _refuse_other_truths(truths[is_known], list(backtests))
    names = dict(enumerate(backtests))
    scores = table.loc[:, table.columns.get_level_values(1) == "crps"].droplevel(1, axis=1)
    return errors[is_known], scores[is_known].rename(columns=names)


def _values(backtest):
    values, score = backtest[["y", "y_hat"]], crps(backtest)
    return values if score is None else values.assign(crps=score)


def _refuse_other_truths(truths, names):
    """Raise where the backtests measured other outputs at the same targets."""
    y = truths.to_numpy()
    differ = np.abs(y - y[:, :1]) > ROUNDING * np.abs(y).max()
    if differ.any():
        row, i = np.argwhere(differ)[0]
        place = ", ".join(f"{key} {k}" for key, k in zip(truths.index.names, truths.index[row]))
        raise ValueError(
            f"the backtests {names[0]!r} and {names[i]!r} are of different outputs: y is "
            f"{y[row, 0]:g} in one and {y[row, i]:g} in the other at {place}, the first "
            f"of {differ.any(axis=1).sum()} such targets: compare backtests of one y, in one unit."
        )
