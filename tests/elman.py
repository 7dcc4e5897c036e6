"""A recurrent cell in NumPy: a second kind of network, of which narxkit knows nothing.

.. math:: h_t = tanh(x_t A + h_{t-1} B + b), \\qquad \\hat y_t = h_t V + c

with x the lagged values. The state begins at zero, `window` rows before the origin or with the
segment; before the origin the cell reads measured outputs, after it its own.
"""

from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from narxkit.forecasters.network import NetworkForecaster
from narxkit.networks import Network, TappedMLP, Taps, make_taps

LIMIT = 1e3  # standard deviations: what leaves them has diverged


class Weights(NamedTuple):
    """Views of a parameter vector."""

    inward: np.ndarray
    recurrent: np.ndarray
    bias: np.ndarray
    outward: np.ndarray
    intercept: np.ndarray
    straight: None = None

    @property
    def intercepts(self):
        return [self.bias, self.intercept]


@dataclass(frozen=True)
class Elman(Network):
    """Structure of an Elman network that reads taps."""

    taps: Taps
    n_hidden: int = 4
    window: int = 8

    @property
    def reach(self):
        return replace(self.taps.reach, window=self.window)

    @property
    def hidden_layer_sizes(self):
        return (self.n_hidden,)

    @property
    def n_outputs(self):
        return self.taps.n_outputs

    @cached_property
    def shapes(self):
        T, H, p = self.taps.n_taps, self.n_hidden, self.n_outputs
        return (T, H), (H, H), (H,), (H, p), (p,)

    @property
    def n_params(self):
        return sum(map(np.prod, self.shapes))

    def unpack(self, theta):
        edges = np.cumsum([np.prod(shape) for shape in self.shapes])[:-1]
        parts = np.split(theta, edges)
        return Weights(*(part.reshape(shape) for part, shape in zip(parts, self.shapes)))

    def initial(self, rng):
        return self.groups["weights"] * rng.normal(scale=0.4, size=self.n_params)

    def linear_part(self):
        return TappedMLP(self.taps, ())

    def is_linear(self, theta):
        return not self.unpack(theta).outward.any()

    def revive(self, theta, start):
        return theta

    def describe(self):
        return asdict(self)

    # ------------------------------------------------------------ one rollout
    def _walk(self, w, segments, rollouts, i):
        """Return steps from the start of the window on, the origin's, and which y are its own."""
        origin, length, taps = rollouts.origins[i], rollouts.lengths[i], self.taps
        first = max(origin - self.window, segments.starts[origin] + self.reach.history)
        y, h = segments.y.copy(), np.zeros(self.n_hidden)
        is_own, steps = np.zeros(y.shape, dtype=bool), []
        for t in range(first, origin + length):
            x = [y[t - lag, j] for j, lag in taps.reach.outputs]
            x = np.nan_to_num(x + [segments.u[t - lag, j] for j, lag in taps.reach.inputs])
            before, h = h, np.tanh(x @ w.inward + h @ w.recurrent + w.bias)
            y_hat = h @ w.outward + w.intercept
            steps.append((t, x, before, h, y_hat))
            is_own[t] = np.isnan(y[t]) | (t >= origin and not rollouts.is_measured)
            y[t] = np.where(is_own[t], y_hat, y[t])
        return steps, origin - first, is_own

    def rollout(self, theta, rollouts):
        w = self.unpack(theta)
        y_hat = np.full((*rollouts.is_step.shape, self.n_outputs), np.nan)
        bad = np.full(len(rollouts), -1)
        for i in range(len(rollouts)):
            steps, at, _ = self._walk(w, rollouts.segments, rollouts, i)
            own = np.array([y for *_, y in steps[at:]]).reshape(-1, self.n_outputs)
            is_bad = ~(np.abs(own) <= LIMIT).all(axis=1)
            if is_bad.any():
                bad[i] = np.argmax(is_bad)
                own[bad[i] :] = np.nan
            y_hat[i, : len(own)] = own
        return rollouts.clip(y_hat), bad

    def gradient(self, theta, rollouts, stop):
        """Return the gradient through time, from the last step back to the start of the window."""
        w, g = self.unpack(theta), np.zeros_like(theta)
        dw, sse, lags = self.unpack(g), 0.0, self.taps.reach.outputs
        for i in range(len(rollouts)):
            steps, at, is_own = self._walk(w, rollouts.segments, rollouts, i)
            dh, fed_back = np.zeros(self.n_hidden), {}
            for s, (t, x, before, h, y_hat) in reversed(list(enumerate(steps))):
                dy = fed_back.pop(t, np.zeros(self.n_outputs))
                if s >= at + rollouts.washout:
                    e = np.nan_to_num(y_hat - rollouts.segments.y[t])
                    sse += rollouts.row_weights[t] * e @ e
                    dy = dy + rollouts.row_weights[t] * e
                dw.outward[:] += np.outer(h, dy)
                dw.intercept[:] += dy
                da = (dh + w.outward @ dy) * (1.0 - h**2)
                dw.inward[:] += np.outer(x, da)
                dw.recurrent[:] += np.outer(before, da)
                dw.bias[:] += da
                dh, dx = w.recurrent @ da, w.inward @ da
                for (column, lag), d in zip(lags, dx):
                    if is_own[t - lag, column]:
                        fed_back.setdefault(t - lag, np.zeros(self.n_outputs))[column] += d
        return (sse, g) if np.isfinite(sse) else (np.inf, g)

    def sse(self, thetas, rollouts, stop):
        return np.array([self.gradient(theta, rollouts, stop)[0] for theta in thetas])


class ElmanRegressor(NetworkForecaster):
    """An Elman network with the verbs of all forecasters."""

    _parameter_constraints: dict = {
        **NetworkForecaster._parameter_constraints,
        "input_lags": "no_validation",
        "output_lags": "no_validation",
        "hidden_layer_sizes": "no_validation",
        "window": "no_validation",
        "loop": "no_validation",
        "output_range": "no_validation",
    }
    combine, n_members, n_restarts, warm_start, n_jobs = "best", None, 1, False, None
    scale, early_stopping, validation_fraction, n_iter_no_change = True, False, 0.1, 10
    callback, tol, output_range = None, 1e-7, None

    def __init__(
        self,
        input_lags=1,
        output_lags=1,
        hidden_layer_sizes=(4,),
        window=8,
        loop="open",
        solver="lbfgs",
        alpha=1e-3,
        max_iter=40,
        random_state=0,
        verbose=False,
    ):
        self.input_lags = input_lags
        self.output_lags = output_lags
        self.hidden_layer_sizes = hidden_layer_sizes
        self.window = window
        self.loop = loop
        self.solver = solver
        self.alpha = alpha
        self.max_iter = max_iter
        self.random_state = random_state
        self.verbose = verbose

    def _make_network(self, columns, n_outputs):
        taps = make_taps(self.input_lags, self.output_lags, columns, n_outputs)
        return Elman(taps, *self.hidden_layer_sizes, self.window)
