r"""Whether a network lives: what passes its hidden layers, and what the data determine of it."""

from typing import NamedTuple

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve, lstsq

from narxkit.rows.rollouts import Rollouts

NOTHING = 1e-12  # of the variance of the output: what rounding leaves
MOST_ROWS = 10_000
FLOOR = 1e-10  # of the largest of diag(J'J), for what is not penalised


class Life(NamedTuple):
    """The share that passes the hidden layers."""

    share: float
    is_over: bool


NO_LIFE = Life(0.0, True)


def life(objective, theta):
    r"""Measure what passes the hidden layers of a network.

    .. math::

        1 - R^2 = \frac{\min_{V, b} \sum_t (\hat y_t - z_t V - b)^2}{\sum_t (\hat y_t - \bar y)^2}

    with z the taps along the rollouts, and :math:`\hat y` before it is clipped: the share of the
    output's variance that no linear model of the same taps would give. Of a smooth series little
    remains to be said from one row to the next, though the loop lives by it, so that only what
    rounding leaves is nothing. Of several outputs the one of which most passes counts; of at most
    10,000 rows, drawn at random.
    """
    network = objective.network
    if not network.hidden_layer_sizes:
        return NO_LIFE
    rows, y = _followed(objective, theta)
    if len(rows) > MOST_ROWS:  # evenly spaced ones could all be of the same hour
        rows = np.sort(np.random.default_rng(0).choice(rows, MOST_ROWS, replace=False))
    segments = objective.rollouts.segments.replace(y=y, low=None, high=None)
    y_hat = network.rollout(theta, Rollouts.one_step(segments, rows))[0][:, 0]
    z = np.column_stack((np.ones(len(rows)), segments.tapped(network.taps, rows)))
    is_known = np.isfinite(np.hstack((y_hat, z))).all(axis=1)
    z, y_hat = z[is_known], y_hat[is_known]
    spread = np.maximum(y_hat.var(axis=0), NOTHING)  # a constant has no share to pass
    if len(z) <= z.shape[1]:  # a linear model of as many taps as rows says anything
        straight = network.unpack(theta).straight
        z, y_hat = z[:, :1], y_hat - (0.0 if straight is None else z[:, 1:] @ straight)
    left = y_hat - z @ lstsq(z, y_hat, check_finite=False)[0]
    share = np.mean(left**2, axis=0) / spread
    return Life(float(share.max(initial=0.0)), bool((share <= NOTHING).all()))


def _followed(objective, theta):
    """Return the rows of rollouts, and outputs with their own laid over the measured ones."""
    rollouts = objective.rollouts
    if rollouts.is_measured:
        return rollouts.origins, _bridged(objective, theta)
    y_hat, _ = objective.network.rollout(theta, rollouts)
    rows, y = rollouts.rows[rollouts.is_step], rollouts.segments.y.copy()
    y[rows] = y_hat[rollouts.is_step]
    return np.unique(rows), y


def _bridged(objective, theta):
    """Return the outputs, those that a state bridges laid over the missing ones."""
    network, segments = objective.network, objective.rollouts.segments
    if not network.reach.window or not network.taps.output_lags:
        return segments.y
    lacks = np.isnan(segments.y)
    rows = np.flatnonzero(lacks.any(axis=1) & segments.known(network.reach))
    if not len(rows):
        return segments.y
    y = segments.y.copy()
    y_hat = network.rollout(theta, Rollouts.one_step(segments, rows))[0][:, 0]
    y[rows] = np.where(lacks[rows], y_hat, y[rows])
    return y


def effective_params(objective, theta):
    r"""Return how many parameters the data determine, and the penalty does not.

    .. math:: \gamma = \mathrm{tr}\,\big( (J'J + \Pi)^{-1} J'J \big)

    None where the normal equations cannot be had.
    """
    JtJ, *_ = objective.normal_equations(theta)
    scale = np.diagonal(JtJ).max(initial=0.0)
    if not np.isfinite(JtJ).all() or scale == 0:
        return None
    H = JtJ + np.diag(np.maximum(objective.penalty, FLOOR * scale))
    try:
        return float(np.trace(cho_solve(cho_factor(H, overwrite_a=True), JtJ)))
    except LinAlgError:
        return None
