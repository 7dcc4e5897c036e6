"""Weights of forecasters, from their errors or forecasts, and forecasts combined under them."""

import numpy as np
from scipy.optimize import nnls

SHARPEST, FLATTEST = 3.0, 0.5  # powers of the errors that weights go by
ROWS_PER_STEP = 6  # of the horizon, for each power
LEAST = 0.01  # of the weights: what has less is left out
PRIOR = 0.02  # how much weights by errors count beside those horizons, as a share of the variance
TINY = 1e-12
HEAVY = 1e4  # on the sum of the weights


def weights_by_errors(errors, n, horizon):
    """Return weights that are powers of errors: the longer the series, the sharper.

    Parameters
    ----------
    errors : ndarray of shape (m,)
        Infinite where a forecaster failed.
    n : int
        Rows of the series.
    horizon : int
        Steps ahead.

    Returns
    -------
    ndarray of shape (m,)
        They sum to 1.
    """
    power = np.clip(n / (ROWS_PER_STEP * horizon), FLATTEST, SHARPEST)
    relative = errors / max(np.min(errors), TINY)
    return _normalised(np.maximum(relative, 1.0) ** -power)


def weights_by_fit(forecasts, y, prior):
    r"""Return the weights of least squares that are not negative and sum to 1.

    .. math::

        \min_w \frac{1}{N} \sum_i (y_i - f_i^T w)^2 + \lambda |w - w_0|^2

    Parameters
    ----------
    forecasts : ndarray of shape (N, m)
        Forecasts of m forecasters.
    y : ndarray of shape (N,)
        What came.
    prior : ndarray of shape (m,)
        The weights :math:`w_0` that these are drawn to.

    Returns
    -------
    ndarray of shape (m,)
    """
    if not len(y):
        return prior
    errors = forecasts - y[:, None]
    # normal equations: few forecasters, many rows
    products = errors.T @ errors / len(y)
    products[np.diag_indices_from(products)] += TINY
    strength = PRIOR * np.diag(products).min()
    upper = np.linalg.cholesky(products + 1e-9 * np.trace(products) * np.eye(len(products))).T
    n = len(prior)
    rows = np.vstack([upper, np.sqrt(strength) * np.eye(n), HEAVY * np.ones((1, n))])
    target = np.concatenate([np.zeros(n), np.sqrt(strength) * prior, [HEAVY]])
    return _normalised(nnls(rows, target)[0])


def weighted_mean(runs, weights, bounds):
    """Return the mean of rollouts, of each step that of the forecasters that have a value there.

    Parameters
    ----------
    runs : iterable of (y_hat, bad)
        Forecasts (n, n_steps, n_outputs) and first bad steps (n,) of each forecaster.
    weights : sequence of float
        Their weights.
    bounds : tuple (low, high)
        What each forecast is kept between.

    Returns
    -------
    y_hat : ndarray of shape (n, n_steps, n_outputs)
        NaN where none has a value.
    bads : ndarray of shape (m, n)
        First bad steps of each.
    """
    total = there = 0.0
    bads = []
    for (y_hat, bad), weight in zip(runs, weights):  # one after another: a backtest may be large
        is_there = np.isfinite(y_hat)
        total += np.where(is_there, weight * np.clip(y_hat, *bounds), 0.0)
        there += is_there * weight
        bads.append(bad)
    with np.errstate(invalid="ignore"):
        return total / there, np.stack(bads)


def weighted_median(runs, weights, bounds):
    """Return the weighted median of rollouts, which one that goes astray does not carry along.

    Parameters and results are those of `weighted_mean`.
    """
    y_hats, bads = map(np.stack, zip(*runs))
    order = np.argsort(y_hats, axis=0)  # NaN last
    values = np.take_along_axis(y_hats, order, axis=0)
    share = np.cumsum(np.asarray(weights)[order] * np.isfinite(values), axis=0)
    values, half = np.clip(values, *bounds), share[-1] / 2
    # two different ones where the share of those up to one is a half
    at = np.stack([share >= (1 - TINY) * half, share > (1 + TINY) * half]).argmax(axis=1)
    y_hat = np.take_along_axis(values, at, axis=0).mean(axis=0)
    return np.where(half > 0, y_hat, np.nan), bads


def _normalised(weights):
    weights = weights / weights.sum()
    weights[weights < LEAST] = 0.0
    return weights / weights.sum()
