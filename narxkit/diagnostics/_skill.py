"""Errors by horizon, of a model and of naive forecasts of the same rows."""

import numpy as np
import pandas as pd

from narxkit.diagnostics._series import is_int

ROWS_PER_STEP = 30  # of a horizon: with fewer the variance of h dependent errors is a guess


def skill_by_horizon(ahead, y, parts, horizons, season):
    """Compare a model with naive forecasts, over rows that all of them reach.

    Parameters
    ----------
    ahead : ndarray of shape (n, n_horizons)
        What the model predicts.
    y : Series of shape (n,)
        Measured values.
    parts : ndarray of int, shape (n,)
        Number of the segment of each row.
    horizons : list of int
        Steps ahead.
    season : int or None
        Rows of a season.

    Returns
    -------
    dict of str to DataFrame or None
        The fields `skill` and `naive_pvalues` of a Validity; None where no row is compared.
    """
    measured, mean = y.groupby(parts), _historical_mean(y).groupby(parts)
    order = np.argsort(parts, kind="stable")
    rmse, pvalues = {}, {}
    for h, y_hat in zip(horizons, ahead.T):
        naive = {"persistence": measured.shift(h), "historical mean": mean.shift(h)}
        if season is not None:
            naive["seasonal naive"] = measured.shift(season * -(-h // season))
        errors = pd.DataFrame({"model": y_hat} | naive, index=y.index).sub(y, axis=0).iloc[order]
        errors[errors.isna().any(axis=1)] = np.nan
        n = int(errors["model"].notna().sum())
        if n:
            rmse[h] = {"rows": n} | np.sqrt((errors**2).mean()).to_dict()
            pvalues[h] = {name: _by_chance(errors["model"], errors[name], h, n) for name in naive}
    return {"skill": _by_horizon(rmse), "naive_pvalues": _by_horizon(pvalues)}


def _by_horizon(rows):
    return pd.DataFrame.from_dict(rows, "index").rename_axis(index="horizon") if rows else None


def _historical_mean(y):
    """At each row, the mean of its series from the first row to this one."""
    if y.index.nlevels == 1:
        return y.expanding().mean()
    return y.groupby(level=0).transform(lambda series: series.expanding().mean())


def _by_chance(errors, of_naive, h, n):
    """One-sided p-value of Diebold and Mariano's test; 1 where there are too few rows for it, 0
    where the model's squares are no numbers."""
    from narxkit.skill import diebold_mariano

    if errors.abs().max() > np.sqrt(np.finfo(float).max):
        return 0.0
    if n < ROWS_PER_STEP * h:
        return 1.0
    test = diebold_mariano(errors, of_naive, horizon=h)
    return test.pvalue / 2 if test.estimate > 0 else 1 - test.pvalue / 2


def read_horizons(horizons):
    """Steps ahead, ascending."""
    steps = range(1, horizons + 1) if is_int(horizons) else horizons
    if not np.iterable(steps) or not len(steps) or not all(map(is_int, steps)):
        raise ValueError(
            f"horizons must be an int >= 1 or a sequence of them. Got {horizons!r} instead."
        )
    return sorted(set(steps))
