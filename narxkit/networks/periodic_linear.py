"""The periodic linear model: an autoregression whose weights turn with the calendar."""

from dataclasses import dataclass, replace

import numpy as np

from narxkit._core import DIVERGED
from narxkit._stored import stored
from narxkit.networks.base import OverTaps
from narxkit.networks.tapped_mlp import Weights
from narxkit.networks.taps import Taps
from narxkit.rows.rollouts import Rollouts

BLOCK = 4096  # rows, whose features are in memory at once


@stored
@dataclass(frozen=True)
class PeriodicLinear(OverTaps):
    r"""Structure of a linear model of taps whose weights vary with the last inputs.

    .. math::

        \hat y_t = \sum_{j=0}^q \sum_{i=0}^n \tilde c_{t,j} \, \tilde z_{t,i} W_{ji}, \qquad
        \tilde c = [c, 1], \quad \tilde z = [z, 1]

    with c the last q inputs, such as sines and cosines of the hour, and z the n other taps. The
    parameter vector holds W in C order, so that the intercept stands last. Least squares find it in
    one step: a structure without the slopes of rollouts that a network has. Over
    a season such as a day this is the periodic autoregression (Franses and Paap 2004, "Periodic
    Time Series Models", Oxford).

    Parameters
    ----------
    taps : Taps
        The lagged vector [z, c].
    n_modulators : int
        The number q of inputs at the end of X that the weights vary with; each has the lag 0 alone.

    Examples
    --------
    >>> from narxkit.networks import Taps
    >>> network = PeriodicLinear(Taps((1, 2, 3), ((0,), (0,))), 2)
    >>> network.n_own, network.n_params
    (3, 12)
    """

    taps: Taps
    n_modulators: int

    hidden_layer_sizes = ()
    can_bend = False

    @property
    def n_own(self):
        """Taps that are not modulators."""
        return self.taps.n_taps - self.n_modulators

    @property
    def n_params(self):
        return (self.n_modulators + 1) * (self.n_own + 1) * self.n_outputs

    def unpack(self, theta):
        W = theta.reshape(-1, self.n_outputs)
        return Weights([W[:-1]], [W[-1]], None)

    def split(self, z):
        """Return the factors [z, 1] and [c, 1] of lagged vectors.

        Parameters
        ----------
        z : ndarray of shape (n, n_taps)
            Taps.

        Returns
        -------
        ndarray of shape (n, n_own + 1)
        ndarray of shape (n, n_modulators + 1)
        """
        ones = np.ones((len(z), 1))
        return np.hstack((z[:, : self.n_own], ones)), np.hstack((z[:, self.n_own :], ones))

    def predict(self, theta, z):
        """Return the predictions (n, n_outputs) from lagged vectors, not clipped.

        Parameters
        ----------
        theta : ndarray of shape (n_params,)
            Parameters.
        z : ndarray of shape (n, n_taps)
            Taps.

        Returns
        -------
        ndarray of shape (n, n_outputs)
        """
        own, modulators = self.split(z)
        weights = modulators @ theta.reshape(self.n_modulators + 1, -1)
        weights = weights.reshape(len(z), self.n_own + 1, self.n_outputs)
        return np.einsum("ti,tio->to", own, weights)

    # ------------------------------------------------------------ the face of the kernels
    def rollout(self, theta, rollouts, shocks=None):
        """Run trajectories, all of them one step after another.

        Parameters
        ----------
        theta : ndarray of shape (n_params,)
            Parameters.
        rollouts : Rollouts
            Where they start, and what they read.
        shocks : ndarray of shape (n, n_steps, n_outputs), optional
            What is added to the outputs before they are clipped and fed back.

        Returns
        -------
        y_hat : ndarray of shape (n, n_steps, n_outputs)
            Predictions, NaN after a trajectory's length and in bad steps; where outputs are fed
            back, from the first bad step on.
        bad : ndarray of shape (n,)
            First step that is not finite or leaves 1000 standard deviations, -1 where there is
            none.
        """
        if not rollouts.n_steps:
            return np.empty((len(rollouts), 0, self.n_outputs)), np.full(len(rollouts), -1)
        if rollouts.is_measured:
            y_hat = self._row_by_row(theta, rollouts)
        else:
            y_hat = self._run_freely(theta, rollouts, shocks)
        is_bad = rollouts.is_step & ~(np.abs(y_hat) <= DIVERGED).all(axis=2)  # NaN as well
        bad = np.where(is_bad.any(axis=1), is_bad.argmax(axis=1), -1)
        if self.takes_shocks and not rollouts.is_measured:  # what is bad is fed back
            is_bad = np.logical_or.accumulate(is_bad, axis=1)
        y_hat[is_bad | ~rollouts.is_step] = np.nan
        return y_hat, bad

    def _row_by_row(self, theta, rollouts):
        """Predict every row from measured outputs."""
        rows = self._safe_rows(rollouts)
        y_hat = self.predict(theta, rollouts.segments.tapped(self.taps, rows.ravel()))
        return rollouts.clip(y_hat.reshape(*rows.shape, -1))

    def _run_freely(self, theta, rollouts, shocks):
        """Feed the outputs back, under shocks."""
        rows, history = self._safe_rows(rollouts), self.reach.history
        of_inputs = replace(self.taps, output_lags=())
        inputs = rollouts.segments.tapped(of_inputs, rows.ravel()).reshape(*rows.shape, -1)
        path = np.empty((len(rows), history + rollouts.n_steps, self.n_outputs))
        path[:, :history] = rollouts.segments.y[rows[:, :1] - np.arange(history, 0, -1)]
        taps = np.array(self.taps.outputs, dtype=int).reshape(-1, 3).T
        with np.errstate(over="ignore", invalid="ignore"):  # what diverges is told
            for step in range(rollouts.n_steps):
                now = history + step
                z = np.hstack((_outputs_before(path, now, *taps), inputs[:, step]))
                y_hat = self.predict(theta, z)
                if shocks is not None:
                    y_hat += shocks[:, step]
                alone = Rollouts.one_step(rollouts.segments, rows[:, step])
                path[:, now] = alone.clip(y_hat[:, None])[:, 0]
        return path[:, history:]

    @staticmethod
    def _safe_rows(rollouts):
        """Return the rows of all steps (n, n_steps), the origin for those behind the last."""
        return np.where(rollouts.is_step, rollouts.rows, rollouts.origins[:, None])

    def sse(self, thetas, rollouts, stop):
        """Sum the squared errors of many parameter vectors.

        Parameters
        ----------
        thetas : ndarray of shape (k, n_params)
            One parameter vector in each row.
        rollouts : Rollouts
            What is predicted.
        stop : ndarray of int32 of shape (1,)
            Not looked at: this is done before anyone can set it.

        Returns
        -------
        ndarray of shape (k,)
            Sums, infinite where a rollout diverges.
        """
        y = rollouts.segments.y[rollouts.rows]
        counts = rollouts.is_step & (np.arange(rollouts.n_steps) >= rollouts.washout)
        weight = (counts * rollouts.row_weights[rollouts.rows])[..., None] * np.isfinite(y)
        sums = np.empty(len(thetas))
        for i, theta in enumerate(thetas):
            if rollouts.is_measured:  # one that is far off makes no other so
                y_hat = self._row_by_row(theta, rollouts)
            else:
                y_hat, _ = self.rollout(theta, rollouts)
            total = np.where(weight > 0, weight * (y_hat - y) ** 2, 0.0).sum()
            sums[i] = total if np.isfinite(total) else np.inf
        return sums

    def normal_equations(self, theta, rollouts, stop):
        """Accumulate the normal equations of one-step predictions, block by block.

        Parameters
        ----------
        theta : ndarray of shape (n_params,)
            Parameters.
        rollouts : Rollouts
            What is predicted, from measured outputs.
        stop : ndarray of int32 of shape (1,)
            Not looked at, as in `sse`.

        Returns
        -------
        JtJ : ndarray of shape (n_params, n_params)
            J'J, J the derivative of the weighted predictions.
        Jte : ndarray of shape (n_params,)
            J'e.
        sse : float
            Sum of squared errors.
        """
        JtJ, Jte, sse = np.zeros((self.n_params,) * 2), np.zeros(self.n_params), 0.0
        segments, n_blocks = rollouts.segments, -(-len(rollouts.targets) // BLOCK)
        for rows in np.array_split(rollouts.targets, max(n_blocks, 1)):
            own, modulators = self.split(segments.tapped(self.taps, rows))
            products = (modulators[:, :, None] * own[:, None, :]).reshape(len(rows), -1)
            roots = np.sqrt(rollouts.row_weights[rows, None] * np.isfinite(segments.y[rows]))
            for output, (root, y) in enumerate(zip(roots.T, segments.y[rows].T)):
                at = slice(output, None, self.n_outputs)
                J = products if (root == 1).all() else root[:, None] * products
                e = root * np.nan_to_num(products @ theta[at] - y)
                JtJ[at, at] += J.T @ J
                Jte[at] += J.T @ e
                sse += e @ e
        return JtJ, Jte, sse

    def input_gradient(self, theta, rollouts, output=0):
        """Differentiate one step from each origin by its taps.

        Parameters
        ----------
        theta : ndarray of shape (n_params,)
            Parameters.
        rollouts : Rollouts
            One step each.
        output : int, default=0
            Which output is differentiated.

        Returns
        -------
        ndarray of shape (n, 1, n_taps)
            By the taps, 0 where the output is clipped.
        """
        z = rollouts.segments.tapped(self.taps, rollouts.origins)
        own, modulators = self.split(z)
        W = theta.reshape(self.n_modulators + 1, self.n_own + 1, -1)[:, :, output]
        g = np.hstack(((modulators @ W)[:, :-1], (own @ W.T)[:, :-1]))
        y_hat = self.predict(theta, z)
        is_clipped = rollouts.is_clipped(y_hat[:, None])[..., output]
        return np.where(is_clipped, 0.0, g)[:, None]


def _outputs_before(path, now, column, first, last):
    """Return the taps of outputs (n, n_output_taps) before a step of paths."""
    taps = path[:, now - first, column]
    for i in np.flatnonzero(first < last):
        taps[:, i] = path[:, now - last[i] : now - first[i] + 1, column[i]].mean(axis=1)
    return taps
