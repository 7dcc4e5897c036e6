"""Weights of forecasters, from their errors or from their forecasts."""

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


def _normalised(weights):
    weights = weights / weights.sum()
    weights[weights < LEAST] = 0.0
    return weights / weights.sum()
