"""Errors by horizon, of a model and of naive forecasts of the same rows."""

import numpy as np
import pandas as pd

from narxkit.diagnostics._result import Row
from narxkit.diagnostics.values import is_row_count

ROWS_PER_STEP = 30  # of a horizon: with fewer the variance of h dependent errors is a guess
EXPLODED = 1e70  # times the errors of a naive forecast: below it fourth powers are numbers


def skill_by_horizon(ahead, y, parts, horizons, season, forecastable):
    """Compare a model with naive forecasts, over rows that all of them reach.

    Parameters
    ----------
    ahead : ndarray of shape (n, n_horizons)
        Predictions of the model.
    y : Series of shape (n,)
        Measured values.
    parts : ndarray of int, shape (n,)
        Number of the segment of each row.
    horizons : list of int
        Steps ahead.
    season : int or None
        Rows of a season.
    forecastable : ForecastableRows
        Which rows the model must reach.

    Returns
    -------
    dict
        The fields `skill`, `naive_pvalues`, `lost` and `notes` of a Validity.

    Raises
    ------
    ValueError
        When no row can be compared at any horizon.
    """
    notes, given = [], (ahead, y, parts, horizons)
    errors, lost = _errors(*given, season, forecastable)
    # a season longer than the segments would leave nothing to compare at all
    if season is not None and not lost:
        errors, lost = _errors(*given, None, forecastable)
        notes = [Row("not compared", "seasonal naive", _why(horizons[0], season, forecastable))]
        season = None
    left_out = [h for h in horizons if h not in lost]
    if not lost:
        why = _why(left_out[0], season, forecastable)
        raise ValueError(f"no row can be compared {_ahead(left_out)}: {why}.")
    if left_out:
        notes += [Row("not compared", _ahead(left_out), _why(left_out[0], season, forecastable))]
    return {
        "skill": _by_horizon(errors, _rmse),
        "naive_pvalues": _by_horizon(errors, _naive_pvalues),
        "lost": pd.Series(lost, name="lost").rename_axis("horizon"),
        "notes": notes,
    }


def _errors(ahead, y, parts, horizons, season, forecastable):
    """Return errors of compared rows, NaN elsewhere, and the number lost, by horizon."""
    measured, mean = y.groupby(parts), _mean_so_far(y).groupby(parts)
    step = _mean_so_far(measured.diff()).fillna(0)
    order = np.argsort(parts, kind="stable")
    found, lost = {}, {}
    for h, y_hat in zip(horizons, ahead.T):
        naive = {"persistence": measured.shift(h), "historical mean": mean.shift(h)}
        if season is not None:
            naive["seasonal naive"] = measured.shift(_seasons(h, season))
        # mean step so far, from the origin, h rows before the target
        naive["drift"] = (y + h * step).groupby(parts).shift(h)
        errors = pd.DataFrame({"model": y_hat} | naive, index=y.index).sub(y, axis=0)
        # one set of rows for all, or each forecast would be measured on days of its own
        can_compare = errors[list(naive)].notna().all(axis=1)
        is_finite = np.isfinite(errors["model"])
        # a forecast that diverged is a loss; one that no model could make, at the begin of a
        # segment, is not
        n_lost = int((can_compare & ~is_finite & forecastable.reaches(h)).sum())
        errors = errors.where(can_compare & is_finite).iloc[order]
        if n_lost or errors["model"].count():
            found[h], lost[h] = errors, n_lost
    return found, lost


def _by_horizon(errors, measure):
    """Measure the errors of each horizon that has any; return None without."""
    rows = {h: measure(e, h) for h, e in errors.items() if e["model"].count()}
    return pd.DataFrame.from_dict(rows, "index").rename_axis(index="horizon") if rows else None


def _rmse(errors, h):
    size = errors.abs().max().replace(0, 1)  # so that no square is too large or too small
    rmse = np.sqrt(((errors / size) ** 2).mean()) * size
    return {"rows": int(errors["model"].count())} | rmse.to_dict()


def _naive_pvalues(errors, h):
    naive = errors.drop(columns="model")
    return {name: _by_chance(errors["model"], of_naive, h) for name, of_naive in naive.items()}


def _by_chance(errors, of_naive, h):
    """Return Diebold and Mariano's one-sided p-value; 1 of too few rows, 0 of an overflow."""
    from narxkit.significance import diebold_mariano

    # the statistic is free of scale, its fourth powers are not
    size = of_naive.abs().max() or errors.abs().max() or 1.0
    errors, of_naive = errors / size, of_naive / size
    if errors.abs().max() > EXPLODED:
        return 0.0
    if errors.count() < ROWS_PER_STEP * h:
        return 1.0
    test = diebold_mariano(errors, of_naive, horizon=h)
    # one-sided: only a naive forecast that is better counts
    return test.pvalue / 2 if test.estimate > 0 else 1 - test.pvalue / 2


def _mean_so_far(y):
    """Return the mean of each row's series from its first row to this one."""
    if y.index.nlevels == 1:
        return y.expanding().mean()
    return y.groupby(level=0).transform(lambda series: series.expanding().mean())


def _seasons(h, season):
    """Return the rows of as many whole seasons as reach h steps back."""
    return season * -(-h // season)


def _why(h, season, forecastable):
    """Explain why no row can be compared h steps ahead, and what to do."""
    needed = max(forecastable.needed(h), 1 + (h if season is None else _seasons(h, season)))
    if needed > forecastable.longest:
        remedies = "nearer horizons" if season is None else "nearer horizons, a shorter season"
        return (
            f"a segment of {needed:,} rows is needed, and the longest has {forecastable.longest:,}"
            f": give {remedies} or more rows"
        )
    return "no row has all the measured values that are needed: give rows with fewer missing ones"


def _ahead(horizons):
    """Format horizons, such as "4 to 6 steps ahead"."""
    first, last = horizons[0], horizons[-1]
    is_run = len(horizons) > 2 and last - first == len(horizons) - 1
    steps = f"{first} to {last}" if is_run else ", ".join(map(str, horizons))
    return f"{steps} step{'' if horizons == [1] else 's'} ahead"


def read_horizons(horizons):
    """Read steps ahead, ascending."""
    steps = range(1, horizons + 1) if is_row_count(horizons) else horizons
    if not np.iterable(steps) or not len(steps) or not all(map(is_row_count, steps)):
        raise ValueError(
            f"horizons must be an int >= 1 or a sequence of them. Got {horizons!r} instead."
        )
    return sorted(set(steps))
