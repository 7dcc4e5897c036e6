"""How good intervals are: how often they hold what comes, and how narrow they are."""

import re

import numpy as np
import pandas as pd

__all__ = ["coverage", "interval_score"]

LOWER = re.compile(r"y_hat-lo-(.+)")


def coverage(backtest):
    r"""Return the share of targets that intervals hold, by horizon and level.

    .. math::

        100 \, \mathrm{mean}_o [ l_{o+h} \le y_{o+h} \le u_{o+h} ]

    Parameters
    ----------
    backtest : DataFrame
        Answer of `backtest` with `level`.

    Returns
    -------
    DataFrame
        In per cent: a row for each horizon, a column for each level.

    Raises
    ------
    ValueError
        When the backtest has no intervals.

    See Also
    --------
    interval_score : Rewards narrow intervals, too.

    Examples
    --------
    >>> import numpy as np
    >>> from narxkit import Persistence, backtest, coverage
    >>> y = np.random.default_rng(0).normal(size=600).cumsum()
    >>> model = Persistence().fit(None, y[:400])
    >>> runs = backtest(model, None, y[400:], steps=2, level=[80, 95])
    >>> coverage(runs).round().loc[1].to_dict()
    {80.0: 81.0, 95.0: 97.0}
    """
    return by_horizon(backtest, lambda y, low, high, level: 100.0 * ((low <= y) & (y <= high)))


def interval_score(backtest):
    r"""Return the mean interval score, by horizon and level: smaller is better.

    .. math::

        S = u - l + \frac{2}{\alpha} \max(l - y, 0) + \frac{2}{\alpha} \max(y - u, 0), \qquad
        \alpha = 1 - \mathrm{level} / 100

    the width, and a fine for what lies outside: no other interval than that between the true
    quantiles has a smaller score in the mean.

    Parameters
    ----------
    backtest : DataFrame
        Answer of `backtest` with `level`.

    Returns
    -------
    DataFrame
        In the units of y: a row for each horizon, a column for each level.

    Raises
    ------
    ValueError
        When the backtest has no intervals.

    See Also
    --------
    coverage : The share of targets inside.

    References
    ----------
    Gneiting and Raftery 2007, "Strictly proper scoring rules, prediction, and estimation", Journal
    of the American Statistical Association 102, 359-378.

    Examples
    --------
    >>> import pandas as pd
    >>> from narxkit import interval_score
    >>> runs = pd.DataFrame({"horizon": [1, 1], "y": [1.0, 5.0], "y_hat": [1.0, 2.0]})
    >>> runs[["y_hat-lo-80", "y_hat-hi-80"]] = [[0.0, 2.0], [1.0, 3.0]]
    >>> interval_score(runs).round(6).loc[1].to_dict()
    {80.0: 12.0}
    """
    return by_horizon(backtest, _score)


def _score(y, low, high, level):
    fine = np.maximum(low - y, 0.0) + np.maximum(y - high, 0.0)
    return high - low + 2.0 / (1.0 - level / 100.0) * fine


def levels_of(backtest):
    """Return the levels of the intervals of a backtest, by the name of their lower end."""
    found = {name: LOWER.fullmatch(str(name)) for name in backtest.columns}
    return {name: float(match[1]) for name, match in found.items() if match}


def by_horizon(backtest, measure):
    """Return the mean of ``measure(y, low, high, level)`` by horizon and level."""
    is_backtest = {"horizon", "y", "y_hat"} <= {*getattr(backtest, "columns", ())}
    levels = levels_of(backtest) if is_backtest else {}
    if not levels:
        raise ValueError(
            "the backtest has no intervals: give the answer of backtest(..., level=[80, 95])."
        )
    columns = {}
    for low, level in levels.items():
        ends = backtest[low], backtest[low.replace("-lo-", "-hi-")]
        values = measure(backtest["y"], *ends, level) * 1.0
        # what was not measured, or not forecast, is neither in nor out
        is_known = backtest["y"].notna() & ends[0].notna() & ends[1].notna()
        columns[level] = values.where(is_known).groupby(backtest["horizon"]).mean()
    return pd.DataFrame(columns).rename_axis(columns="level")


def crps(backtest):
    r"""Return the weighted interval score of each target, which tends to the CRPS; None without.

    .. math::

        \frac{1}{K + 1/2} \Big( \frac{|y - \hat y|}{2} + \sum_k \frac{\alpha_k}{2} S_k \Big)

    (Bracher, Ray, Gneiting and Reich 2021, PLOS Computational Biology 17, e1008618).
    """
    levels = levels_of(backtest)
    if not levels:
        return None
    y = backtest["y"].to_numpy()
    total = np.abs(y - backtest["y_hat"].to_numpy()) / 2.0
    for low, level in levels.items():
        ends = (backtest[name].to_numpy() for name in (low, low.replace("-lo-", "-hi-")))
        total += (1.0 - level / 100.0) / 2.0 * _score(y, *ends, level)
    return total / (len(levels) + 0.5)
