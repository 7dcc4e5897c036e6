"""What a solver may ask: the training loss over a flat parameter vector."""

from copy import copy

import numpy as np


class Objective:
    """Penalised least squares over rollouts.

    .. math::

        F(\\theta) = \\frac{1}{2n} \\Big( \\sum_t w_t \\lVert \\hat y_t(\\theta) - y_t \\rVert^2
        + \\sum_i \\pi_i \\theta_i^2 \\Big), \\qquad n = \\sum_t w_t

    The sum runs over the observed outputs of the target rows, n counts each of them with its
    weight, and everything is in the units of `segments` (standardised ones during training).
    The objective is immutable; all verbs may be called from several threads.

    Parameters
    ----------
    network : TappedMLP
        Structure with the kernels.
    segments : Segments
        Measured rows, of which the target rows are predicted.
    loop : "open"
        Length of the rollouts: one step from every row.
    alpha : float
        Penalty of the weights; intercepts and the linear term are free.
    sample_weight : ndarray of shape (n_rows,), optional
        Weight of the squared error of each target row; 0 makes it history only.
    targets : ndarray of bool of shape (n_rows,), optional
        Rows that may be targets. The rows whose taps are not all known are left out.
    flag : ndarray of int32 of shape (1,), optional
        Kernels return early, and values are infinite, once it is set.

    Attributes
    ----------
    rows : ndarray
        The target rows.
    n : float
        Summed weights of the residuals.
    penalty : ndarray of shape (n_params,)
        The vector pi.
    """

    def __init__(
        self, network, segments, loop="open", alpha=0.0, sample_weight=None, targets=None, flag=None
    ):
        if loop != "open":
            raise ValueError(f"loop must be 'open'. Got {loop!r} instead.")
        self.network = network
        self.segments = segments
        self.penalty = alpha * network.groups["weights"]
        self.weight = np.ones(len(segments)) if sample_weight is None else sample_weight
        self.flag = np.zeros(1, dtype=np.int32) if flag is None else flag
        observed = np.isfinite(segments.y)
        mask = segments.known(network.taps) & (self.weight > 0) & observed.any(axis=1)
        self.rows = np.flatnonzero(mask if targets is None else mask & targets)
        self.n = float(self.weight[self.rows] @ observed[self.rows].sum(axis=1))

    @property
    def n_params(self):
        return self.network.n_params

    def with_penalty(self, penalty):
        """The same data under another penalty vector."""
        other = copy(self)
        other.penalty = np.asarray(penalty, dtype=float)
        return other

    def _loss(self, theta, sse):
        with np.errstate(over="ignore", invalid="ignore"):
            loss = (sse + self.penalty @ theta**2) / (2.0 * self.n)
        return float(loss) if np.isfinite(loss) else np.inf

    def value(self, theta):
        """The loss, infinite where the network is not finite."""
        return self.population_values(theta[None])[0]

    def population_values(self, thetas):
        """The loss of each row of `thetas`, in one call."""
        sse = self.network.sse(thetas, self.segments, self.rows, self.weight, self.flag)
        return np.array([self._loss(*pair) for pair in zip(thetas, sse)])

    def value_and_grad(self, theta, rows=None):
        """The loss and its gradient, over all target rows or a batch of them.

        A batch stands for the whole: its error is scaled to all n residuals.
        """
        scale = 1.0
        if rows is None:
            rows = self.rows
        else:
            observed = np.isfinite(self.segments.y[rows]).sum(axis=1)
            scale = self.n / float(self.weight[rows] @ observed)
        sse, Jte = self.network.gradient(theta, self.segments, rows, self.weight, self.flag)
        with np.errstate(over="ignore", invalid="ignore"):
            grad = (scale * Jte + self.penalty * theta) / self.n
        return self._loss(theta, scale * sse), grad

    def normal_equations(self, theta):
        """J'J, J'e, the sum of squared errors and n: the data's part, without the penalty."""
        parts = self.network.normal_equations(
            theta, self.segments, self.rows, self.weight, self.flag
        )
        return *parts, self.n

    def residuals_and_jacobian(self, theta):
        """Weighted residuals and their whole Jacobian."""
        return self.network.residuals_and_jacobian(theta, self.segments, self.rows, self.weight)
