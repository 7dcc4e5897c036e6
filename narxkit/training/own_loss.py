"""A loss of the user's own over the predictions of an objective, in the units of y."""

from collections.abc import Callable
from copy import copy
from functools import cached_property
from numbers import Real
from typing import NamedTuple

import numpy as np


class Units(NamedTuple):
    """The way from standardised outputs back to those of the user.

    Parameters
    ----------
    y : ndarray of shape (n_rows, n_outputs) or None
        Outputs as measured: undone they would be off by rounding, and a zero no longer one. None
        where those of the segments are.
    undo : callable
        ``undo(y_hat)`` gives standardised outputs (..., n_outputs) in these units.
    """

    y: np.ndarray | None
    undo: Callable


def _as_they_are(y_hat):
    return y_hat


STANDARDISED = Units(None, _as_they_are)


class OwnLoss:
    r"""An objective judged by a function of measured and predicted outputs.

    .. math::

        F(\theta) = \ell(y, \hat y(\theta)) + \frac{c}{2n} \sum_i \pi_i \theta_i^2

    infinite where a rollout diverges. With a start, c is :math:`|\ell|` there over the squared
    error's part of the loss, so that a penalty is as strong beside the one as beside the other,
    whatever the unit of y. The function sees the steps of all rollouts, behind the
    washout, whose row has a weight and all outputs measured; in k-step rollouts a row as often as
    rollouts reach it. It has no slope, so that neither has this objective.

    Parameters
    ----------
    objective : Objective
        Network, rollouts and penalty.
    loss : callable
        ``loss(y, y_hat)`` gives a number; both are (n,), or (n, n_outputs) of several outputs.
    start : ndarray of shape (n_params,), default=None
        Where training starts; without it c is 1.
    """

    def __init__(self, objective, loss, start=None):
        self.loss = loss
        self._objective = objective
        self._scale = 1.0 if start is None else self._scale_at(start)

    @property
    def name(self):
        """The name for a sentence."""
        return f"{self._objective.name} under a loss of your own"

    @property
    def size(self):
        """Number of rollouts."""
        return self._objective.size

    @property
    def free(self):
        """The parameters that are trained; None for all."""
        return self._objective.free

    def initial(self, rng):
        """Draw a random start of the network."""
        return self._objective.initial(rng)

    def without_flag(self):
        """Return the same under a flag that nobody sets."""
        other = copy(self)
        other._objective = self._objective.without_flag()
        return other

    def value(self, theta):
        """Return the loss, infinite where a rollout diverges."""
        return float(self._values(theta[None])[0])

    def population_values(self, thetas):
        """Return the loss of each row of `thetas`; threads share the rollouts."""
        return self._objective.in_threads(self._values, thetas)

    def _values(self, thetas):
        # one by one: the predictions of a whole population may be larger than memory
        return np.array([self._value(theta) for theta in thetas])

    def _value(self, theta):
        if self._objective.flag[0]:
            return np.inf
        return self._judged(theta) + self._scale * self._objective.penalty_of(theta)

    def _scale_at(self, start):
        bare = self._objective.with_penalty(np.zeros(len(start)))
        own, squared = abs(self._judged(start)), bare.value(start)
        # a loss of zero, or none at all, has no size
        has_size = 0.0 < own < np.inf and 0.0 < squared < np.inf
        return own / squared if has_size else 1.0

    def _judged(self, theta):
        """Return the loss without the penalty."""
        y, y_hat = self._y, self._objective.predictions(theta[None])[0][self._is_seen]
        if not np.isfinite(y_hat).all():
            return np.inf
        loss = self.loss(y, y_hat[:, 0] if y.ndim == 1 else y_hat)
        if isinstance(loss, np.ndarray) and loss.ndim == 0:
            loss = loss.item()
        if not isinstance(loss, Real):
            got = f"an array of shape {np.shape(loss)}" if np.ndim(loss) else repr(loss)
            raise ValueError(
                f"loss must return one number for y and y_hat of {len(y)} rows, but returned "
                f"{got}: return a mean or a sum, such as np.mean(np.abs(y - y_hat))."
            )
        if np.isnan(loss):
            raise ValueError(
                f"loss must return a number, but returned NaN for {len(y)} rows of y between "
                f"{y.min():g} and {y.max():g}: leave out the rows it cannot judge, or return inf."
            )
        return float(loss)

    @cached_property
    def _is_seen(self):
        """Which of the targets the loss sees."""
        rollouts = self._objective.rollouts
        is_known = np.isfinite(rollouts.segments.y).all(axis=1) & (rollouts.row_weights > 0)
        return is_known[rollouts.targets]

    @cached_property
    def _y(self):
        """Measured outputs of the targets seen, read-only: the function shall not change them."""
        rollouts, units = self._objective.rollouts, self._objective.units
        y = rollouts.segments.y if units.y is None else units.y
        y = y[rollouts.targets[self._is_seen]]
        if not len(y):
            raise ValueError(
                "no target row has a weight and all outputs measured, and a loss of your own sees "
                "no others: fill gaps, or train each output on its own."
            )
        y = y[:, 0] if y.shape[1] == 1 else y
        y.flags.writeable = False
        return y
