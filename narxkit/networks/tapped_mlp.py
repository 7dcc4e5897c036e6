"""The tapped multilayer perceptron: a static network over lagged values."""

from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import NamedTuple

import numpy as np
from scipy.special import expit

from narxkit import _core
from narxkit._blas import one_blas_thread
from narxkit._stored import stored
from narxkit.networks.base import LONG, Network, OverTaps, glorot
from narxkit.networks.taps import Taps

ACTIVATIONS = tuple(_core.ACTIVATIONS)
ACTIVATION = {
    "identity": lambda x: x,
    "tanh": np.tanh,
    "logistic": expit,
    "relu": partial(np.maximum, 0.0),
    "softplus": partial(np.logaddexp, 0.0),
}
SLOPE = {  # at an activation a
    "identity": np.ones_like,
    "tanh": lambda a: 1.0 - a**2,
    "logistic": lambda a: a * (1.0 - a),
    "relu": lambda a: (a > 0.0).astype(float),
    # 1 - exp(-log(1 + exp(x))) is the logistic function of x
    "softplus": lambda a: -np.expm1(-a),
}
DEAD = 1e-6  # weight at the outputs, in standard deviations


class Weights(NamedTuple):
    """Views of a parameter vector, with the shapes of scikit-learn's MLP.

    Parameters
    ----------
    coefs : list of ndarray of shape (n_in, n_out)
        Weights of each layer.
    intercepts : list of ndarray of shape (n_out,)
        Intercepts of each layer.
    linear : ndarray of shape (n_taps, n_outputs) or None
        Weights of the linear term.

    Examples
    --------
    >>> import numpy as np
    >>> from narxkit.networks import TappedMLP
    >>> from narxkit.networks import make_taps
    >>> network = TappedMLP(make_taps(0, 1, ["u"]), (3,), linear_term=False)
    >>> [W.shape for W in network.unpack(np.zeros(network.n_params)).coefs]
    [(2, 3), (3, 1)]
    """

    coefs: list
    intercepts: list
    linear: np.ndarray | None

    @property
    def intercept(self):
        """Intercepts of the outputs."""
        return self.intercepts[-1]

    @property
    def straight(self):
        """Weights from the taps straight to the outputs; None where hidden layers are between."""
        return self.coefs[0] if len(self.coefs) == 1 else self.linear


@stored
@dataclass(frozen=True)
class TappedMLP(OverTaps, Network):
    """Structure of a multilayer perceptron that reads taps.

    .. math::

        a_0 = z_t, \\quad a_l = f(a_{l-1} W_l + b_l), \\quad
        \\hat y_t = a_{L-1} W_L + b_L + z_t V

    The parameter vector holds :math:`W_1, b_1, \\dots, W_L, b_L, V`, each in C order.

    Parameters
    ----------
    taps : Taps
        The lagged vector z, of length T.
    hidden_layer_sizes : tuple of int
        Widths of the hidden layers; none gives a linear network.
    activation : {"identity", "tanh", "logistic", "relu", "softplus"}
        The function f.
    linear_term : bool
        Whether there is a direct path V from the taps to the outputs. A network without hidden
        layers is such a path already and takes no second one.

    Examples
    --------
    >>> from narxkit.networks import make_taps
    >>> network = TappedMLP(make_taps(2, 2, ["sun"]), (10,))
    >>> network.layer_sizes, network.n_params
    ((5, 10, 1), 76)
    """

    taps: Taps
    hidden_layer_sizes: tuple[int, ...] = (10,)
    activation: str = "tanh"
    linear_term: bool = True

    @property
    def layer_sizes(self):
        """Taps, hidden layers, outputs."""
        return (self.taps.n_taps, *self.hidden_layer_sizes, self.n_outputs)

    @property
    def has_linear_term(self):
        """Whether the parameters hold a linear term."""
        return self.linear_term and len(self.hidden_layer_sizes) > 0

    @property
    def can_bend(self):
        """Whether any parameters make more than a linear model of it."""
        return bool(self.hidden_layer_sizes) and self.activation != "identity"

    @property
    def holds_linear_model(self):
        """Whether there is a path from the taps straight to the outputs."""
        return self.linear_term or not self.hidden_layer_sizes

    @cached_property
    def plan(self):
        """The structure as the kernels know it."""
        return _core.Plan(
            self.layer_sizes,
            self.activation,
            self.has_linear_term,
            self.taps.outputs,
            self.taps.inputs,
            self.taps.n_inputs,
        )

    @property
    def n_params(self):
        return self.plan.n_params

    def unpack(self, theta):
        """Return weights and intercepts as views of a parameter vector.

        Parameters
        ----------
        theta : ndarray of shape (n_params,)
            Parameters.

        Returns
        -------
        Weights
            Writing to them writes to `theta`.
        """
        coefs, intercepts, at = [], [], 0
        for n_in, n_out in zip(self.layer_sizes, self.layer_sizes[1:]):
            coefs.append(theta[at : at + n_in * n_out].reshape(n_in, n_out))
            intercepts.append(theta[at + n_in * n_out : at + (n_in + 1) * n_out])
            at += (n_in + 1) * n_out
        linear = (
            theta[at:].reshape(self.taps.n_taps, self.n_outputs) if self.has_linear_term else None
        )
        return Weights(coefs, intercepts, linear)

    def initial(self, rng):
        """Draw random starting parameters.

        Weights are uniform within :math:`\\pm\\sqrt{6 / (n_{in} + n_{out})}` (Glorot and Bengio
        2010), intercepts and the linear term zero. Beside a linear term the output layer starts
        at zero too, so that training starts from what the linear term alone achieves; hidden
        intercepts are then drawn like weights, so that hidden units differ.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        ndarray of shape (n_params,)
            Parameters.
        """
        theta = np.zeros(self.n_params)
        coefs, intercepts, linear = self.unpack(theta)
        for W, b in zip(coefs, intercepts):
            bound = glorot(W.shape)
            W[:] = rng.uniform(-bound, bound, W.shape)
            if W is not coefs[-1]:
                b[:] = rng.uniform(-bound, bound, b.shape)
        if linear is not None or len(coefs) == 1:
            coefs[-1][:] = 0.0
        return theta

    def is_linear(self, theta):
        last = self.unpack(theta).coefs[-1]
        return not self.hidden_layer_sizes or np.abs(last).max(initial=0.0) <= DEAD

    def linear_part(self):
        """Leave out the hidden layers: an ARX model of the same taps.

        Returns
        -------
        TappedMLP
            A linear network.
        """
        return shared_mlp(self.taps, (), self.activation, False)

    def revive(self, theta, start):
        """Give hidden units back to a network that has lost them.

        Under a penalty that suits rollouts, one step ahead the linear term can be all that is worth
        its weight. The hidden units are then gone, on a saddle that training leaves by rounding
        alone; so they begin anew as they did at the start, with no weight at the output.

        Parameters
        ----------
        theta : ndarray of shape (n_params,)
            Parameters.
        start : ndarray of shape (n_params,)
            Those that training began with.

        Returns
        -------
        ndarray of shape (n_params,)
            `theta` where something passes the hidden layers, else with hidden units of `start`.
        """
        if not self.is_linear(theta):
            return theta
        hidden = np.zeros(self.n_params, dtype=bool)
        weights = self.unpack(hidden)
        for layer in (*weights.coefs[:-1], *weights.intercepts[:-1]):
            layer[:] = True
        return np.where(hidden, start, theta)

    # The face of the kernels.

    def rollout(self, theta, rollouts, shocks=None):
        if rollouts.is_measured or not self.takes_shocks:
            return self._row_by_row(theta, rollouts)
        runs = rollouts.trajectories
        if runs.n < _core.FEW:
            return self._roll(theta, runs, shocks)
        with one_blas_thread():
            if runs.is_falling:
                return self._roll(theta, runs, shocks)
            # the kernel steps a block of them together, and lets go of the last ones as they end
            order = np.argsort(-rollouts.lengths, kind="stable")
            sorted_shocks = None if shocks is None else shocks[order]
            y_hat, bad = self._roll(theta, rollouts.part(order).trajectories, sorted_shocks)
        back = np.argsort(order)
        return y_hat[back], bad[back]

    def _roll(self, theta, runs, shocks):
        """Return predictions and first bad steps; few trajectories are run without BLAS."""
        path = np.empty((runs.n, self.plan.history + runs.longest, self.n_outputs))
        bad = np.empty(runs.n, dtype=np.intp)
        _core.rollout(self.plan, theta, runs, path, bad, shocks)
        return path[:, self.plan.history :], bad

    def _row_by_row(self, theta, rollouts):
        """Predict every row on its own: a bad one says nothing of those after it."""
        y_hat = np.full((*rollouts.is_step.shape, self.n_outputs), np.nan)
        i, s = np.nonzero(rollouts.is_step)
        # rollouts overlap: each row is computed once
        rows, at = np.unique(rollouts.origins[i] + s, return_inverse=True)
        one_step = np.empty((len(rows), self.n_outputs))
        with one_blas_thread():
            _core.open_loop(self.plan, theta, rollouts.segments.measured, rows, one_step)
        is_bad = ~(np.abs(one_step) <= _core.DIVERGED).all(axis=1)  # NaN as well
        one_step[is_bad] = np.nan
        y_hat[i, s] = one_step[at]
        bad = np.full(len(y_hat), -1)
        # backwards, so that the first bad step of each is the last one written
        bad[i[is_bad[at]][::-1]] = s[is_bad[at]][::-1]
        return y_hat, bad

    def sse(self, thetas, rollouts, stop):
        sse = np.empty(len(thetas))
        if rollouts.is_measured:
            _core.population_values(self.plan, thetas, rollouts.trajectories, stop, sse)
        else:
            _core.closed_values(self.plan, thetas, rollouts.trajectories, stop, sse)
        return sse

    def gradient(self, theta, rollouts, stop):
        g = np.empty(self.n_params)
        if rollouts.is_measured:
            return _core.gradient(self.plan, theta, rollouts.trajectories, stop, g), g
        return _core.closed_gradient(self.plan, theta, rollouts.trajectories, stop, g), g

    def normal_equations(self, theta, rollouts, stop):
        """Accumulate the normal equations, block by block.

        Parameters
        ----------
        theta : ndarray of shape (n_params,)
            Parameters.
        rollouts : Rollouts
            What is predicted.
        stop : ndarray of int32 of shape (1,)
            Return early once it is set.

        Returns
        -------
        JtJ : ndarray of shape (n_params, n_params)
            J'J, J the derivative of the weighted predictions.
        Jte : ndarray of shape (n_params,)
            J'e.
        sse : float
            Sum of squared errors, infinite where a rollout diverges, NaN when stopped.
        """
        JtJ, Jte = np.empty((self.n_params, self.n_params)), np.empty(self.n_params)
        is_measured = rollouts.is_measured
        kernel = _core.normal_equations if is_measured else _core.closed_normal_equations
        sse = kernel(self.plan, theta, rollouts.trajectories, stop, JtJ, Jte)
        return JtJ, Jte, sse

    def residuals_and_jacobian(self, theta, rollouts):
        """Return weighted residuals and their whole Jacobian, output after output.

        Parameters
        ----------
        theta : ndarray of shape (n_params,)
            Parameters.
        rollouts : Rollouts
            What is predicted.

        Returns
        -------
        e : ndarray of shape (n * n_outputs,)
            Residuals of all steps, rollout after rollout.
        J : ndarray of shape (n * n_outputs, n_params)
            Jacobian.
        """
        n = rollouts.trajectories.n_steps
        e, J = np.empty((n, self.n_outputs)), np.empty((self.n_outputs, n, self.n_params))
        if rollouts.is_measured:
            _core.residuals_and_jacobian(self.plan, theta, rollouts.trajectories, e, J)
        else:
            _core.closed_residuals_and_jacobian(self.plan, theta, rollouts.trajectories, e, J)
        return e.T.ravel(), J.reshape(-1, self.n_params)

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
        weights = self.unpack(theta)
        z = rollouts.segments.tapped(self.taps, rollouts.origins)
        layers = [z]
        for W, b in zip(weights.coefs[:-1], weights.intercepts[:-1]):
            layers.append(ACTIVATION[self.activation](layers[-1] @ W + b))
        last = weights.coefs[-1]
        y_hat = layers[-1] @ last + weights.intercepts[-1]
        # the value is needed to know where it is clipped
        y_hat += 0.0 if weights.linear is None else z @ weights.linear
        g = np.tile(last[:, output], (len(z), 1))
        for a, W in zip(layers[:0:-1], weights.coefs[-2::-1]):
            g = (g * SLOPE[self.activation](a)) @ W.T
        if weights.linear is not None:
            g = g + weights.linear[:, output]
        is_clipped = rollouts.is_clipped(y_hat[:, None])[..., output]
        return np.where(is_clipped, 0.0, g)[:, None]

    def gain(self, theta, rollouts):
        r"""Measure the growth per step of a small perturbation of the fed-back output.

        A perturbation d of the last K outputs, in standardised units, follows the tangent of the
        loop along the trajectory,

        .. math::

            d_t = \sum_k \frac{\partial \hat y_t}{\partial y_{t-k}} \, d_{t-k}, \qquad
            D_t = (d_t, \dots, d_{t-K+1}), \qquad
            g = \Big( \frac{\lVert D_{RN} \rVert}{\lVert D_0 \rVert} \Big)^{1 / RN},

        handed on from each rollout to the next, N steps in all, and at the end to the first again:
        R rounds, as many as make 1000 steps, that turn it into the direction that grows most, and
        R rounds that count. So g is the exponential of the largest Lyapunov exponent over a
        finite time (Benettin, Galgani, Giorgilli and Strelcyn 1980, Meccanica 15, 9-30); it tends
        to the spectral radius of a linear loop and to :math:`\rho(A_N \cdots A_1)^{1/N}` with the
        companion matrices :math:`A_t` of any loop. The derivative of a clipped output is 0: a
        perturbation of which nothing is left has the gain 0.

        Parameters
        ----------
        theta : ndarray of shape (n_params,)
            Parameters.
        rollouts : Rollouts
            What the perturbation goes along; one step each follows the measured rows.

        Returns
        -------
        float
            The gain, infinite where a rollout diverges, 0 without feedback.
        """
        runs = rollouts.trajectories
        n_rounds = -(-LONG // max(runs.n_steps, 1))
        with one_blas_thread():
            return _core.loop_gain(self.plan, theta, runs, n_rounds)


@lru_cache(maxsize=64, typed=True)
def shared_mlp(*structure):
    """Return the one network of a structure: its plan and its reach are made once.

    Models of many series have the same, and are sent between processes in half the time.
    """
    return TappedMLP(*structure)
