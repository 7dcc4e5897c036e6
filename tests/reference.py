"""The slow, obvious twin of the compiled kernels, and random problems to compare both on.

Written from the formulas in the docstrings of `TappedMLP` and `Objective`, with no thought for
speed. Parameters may be complex, so derivatives come from the complex step

    dF / d theta_i = Im F(theta + i h e_i) / h,

which has no difference to cancel and is exact to rounding (Squire and Trapp 1998). Whatever is
decided by comparing (relu, clipping, divergence) is decided by the real part.
"""

from dataclasses import dataclass

import numpy as np

from narxkit.networks import Taps
from narxkit.networks.periodic_linear import PeriodicLinear
from narxkit.networks.tapped_mlp import TappedMLP
from narxkit.rows.segments import Segments

DIVERGED = 1e3
STEP = 1e-30


# ---------------------------------------------------------------- the network
def logistic(x):
    small = np.exp(np.where(x.real > 0, -x, x))  # never overflows
    return np.where(x.real > 0, 1.0, small) / (1.0 + small)


def relu(x):
    return np.where(x.real > 0, x, np.where(np.isnan(x), np.nan, 0.0))


def softplus(x):
    return relu(x) + np.log1p(np.exp(np.where(x.real > 0, -x, x)))


ACTIVATIONS = {
    "identity": lambda x: x,
    "tanh": np.tanh,
    "logistic": logistic,
    "relu": relu,
    "softplus": softplus,
}


def n_taps(taps):
    return taps.n_outputs * len(taps.output_lags) + sum(len(lags) for lags in taps.input_lags)


def each(lag):
    """The lags of a tap, which is a lag or a pair (first, last)."""
    first, last = (lag, lag) if isinstance(lag, int) else lag
    return range(first, last + 1)


def spans(taps):
    """(column, lags) of every output tap, then of every input tap, each the mean over its lags."""
    lags = [(column, lag) for column in range(taps.n_outputs) for lag in taps.output_lags]
    inputs = [(column, lag) for column, own in enumerate(taps.input_lags) for lag in own]
    return tuple([(column, each(lag)) for column, lag in some] for some in (lags, inputs))


def lagged_vector(taps, u, y, t):
    """z_t: every output at its lags, then every input at its own; t is one row or several."""
    outputs, inputs = spans(taps)
    lags = [lag for _, own in outputs + inputs for lag in own]
    if not lags:
        return np.empty((*np.shape(t), 0))
    assert len(u) == len(y) and np.all((t >= max(lags)) & (t < len(y) + min(lags)))
    values = [(y, *tap) for tap in outputs] + [(u, *tap) for tap in inputs]
    return np.array([np.mean([v[t - lag, j] for lag in own], axis=0) for v, j, own in values]).T


def split(network, theta):
    """[(W_1, b_1), ..., (W_L, b_L)] and V, which is None where there is no linear term."""
    sizes = [n_taps(network.taps), *network.hidden_layer_sizes, network.taps.n_outputs]
    layers, rest = [], theta
    for n_in, n_out in zip(sizes, sizes[1:]):
        W, b = rest[: n_in * n_out], rest[n_in * n_out :][:n_out]
        layers.append((W.reshape(n_in, n_out), b))
        rest = rest[n_in * n_out + n_out :]
    if not network.linear_term or not network.hidden_layer_sizes:
        assert len(rest) == 0
        return layers, None
    return layers, rest.reshape(sizes[0], sizes[-1])


def forward(network, theta, z):
    """Outputs of one lagged vector (T,), or of one in each row (n, T), before clipping."""
    if isinstance(network, PeriodicLinear):
        return periodic(network, theta, z)
    f = ACTIVATIONS[network.activation]
    layers, V = split(network, theta)
    a = z
    for W, b in layers[:-1]:
        a = f(a @ W + b)
    W, b = layers[-1]
    y_hat = a @ W + b
    return y_hat if V is None else y_hat + z @ V


def periodic(network, theta, z):
    """Weights W_ji of each tap and 1, under each of the last inputs and under 1."""
    n_own = n_taps(network.taps) - network.n_modulators
    W = theta.reshape(network.n_modulators + 1, n_own + 1, network.taps.n_outputs)
    y_hat = np.zeros((*np.shape(z)[:-1], network.taps.n_outputs), np.result_type(theta, z))
    for j in range(network.n_modulators + 1):
        for i in range(n_own + 1):
            c = z[..., n_own + j] if j < network.n_modulators else np.ones(np.shape(z)[:-1])
            own = z[..., i] if i < n_own else np.ones(np.shape(z)[:-1])
            y_hat += (c * own)[..., None] * W[j, i]
    return y_hat


def clip(y_hat, low, high):
    """Outputs within their bounds; NaN is no bound."""
    if low is not None:
        y_hat = np.where(y_hat.real < low, low, y_hat)
        y_hat = np.where(y_hat.real > high, high, y_hat)
    return y_hat


def bounds(segments, t):
    return (None, None) if segments.low is None else (segments.low[t], segments.high[t])


def one_step(network, theta, segments, rows):
    """Predictions (len(rows), p) of single rows from measured history."""
    z = lagged_vector(network.taps, segments.u, segments.y, rows)
    return clip(forward(network, theta, z), *bounds(segments, rows))


def rollout(network, theta, segments, origins, lengths):
    """Trajectories (n, max(lengths), p) on their own output, and the first bad step of each."""
    p = network.taps.n_outputs
    number = np.result_type(theta, float)
    paths = np.full((len(origins), max(lengths, default=0), p), np.nan, dtype=number)
    bad = np.full(len(origins), -1)
    for i, (origin, length) in enumerate(zip(origins, lengths)):
        y = segments.y.astype(number)
        y[origin:] = np.nan  # the future is not known
        for s in range(length):
            t = origin + s
            z = lagged_vector(network.taps, segments.u, y, t)
            y[t] = clip(forward(network, theta, z), *bounds(segments, t))
            if np.all(np.abs(y[t].real) <= DIVERGED):
                paths[i, s] = y[t]
                continue
            bad[i] = s if bad[i] < 0 else bad[i]
            if network.taps.output_lags:
                break
    return paths, bad


def companions(network, theta, segments, origins, lengths):
    """A_t of every step of rollouts: D_t = A_t D_{t-1}, D_t the perturbations of y_t, y_{t-1}, ...

    Its first rows are the derivatives of one step by each value of the history, the others move
    the history on.
    """
    p, K = network.taps.n_outputs, max(max(own) for _, own in spans(network.taps)[0])
    paths, bad = rollout(network, theta, segments, origins, lengths)
    assert (bad < 0).all()
    matrices = []
    for path, origin, length in zip(paths, origins, lengths):
        y = np.array(segments.y)
        y[origin : origin + length] = path[:length]
        for t in range(origin, origin + length):

            def step(history, t=t, y=y):
                moved = y.astype(complex)
                moved[t - K : t] = history.reshape(K, p)[::-1]
                z = lagged_vector(network.taps, segments.u, moved, t)
                return clip(forward(network, theta, z), *bounds(segments, t))

            newest_first = y[t - K : t][::-1].ravel()
            A = np.eye(K * p, k=-p)
            A[:p] = complex_step(step, newest_first)
            matrices.append(A)
    return matrices


def loop_gain(matrices, n_outputs, n_rounds):
    """Growth per step over the second n_rounds of rounds through the matrices."""
    size = len(matrices[0])
    D = (1.0 / np.arange(size + n_outputs, n_outputs, -1)).reshape(-1, n_outputs)[::-1].ravel()
    growth = 0.0
    for i in range(2 * n_rounds):
        for A in matrices:
            D = A @ D
            norm = np.linalg.norm(D)
            if norm == 0.0:
                return 0.0
            D /= norm
            growth += np.log(norm) if i >= n_rounds else 0.0
    return np.exp(growth / (n_rounds * len(matrices)))


# ---------------------------------------------------------------- the loss
def target_rows(taps, segments, weight, targets):
    """Rows whose taps are known and within their segment, and that have something to be fitted."""
    rows = []
    for start, stop in zip(segments.edges, segments.edges[1:]):
        for t in range(start, stop):
            outputs, inputs = spans(taps)
            pairs = [(segments.y, j, lag) for j, own in outputs for lag in own]
            pairs += [(segments.u, i, lag) for i, own in inputs for lag in own]
            inside = all(start <= t - lag < stop for _, _, lag in pairs)
            if (
                inside
                and all(np.isfinite(values[t - lag, column]) for values, column, lag in pairs)
                and weight[t] > 0
                and targets[t]
                and np.any(np.isfinite(segments.y[t]))
            ):
                rows.append(t)
    return np.array(rows, dtype=np.intp)


def residuals(network, theta, segments, rows, weight):
    """sqrt(w) (y_hat - y), output after output; 0 where y is missing."""
    y = segments.y[rows]
    error = np.where(np.isnan(y), 0.0, one_step(network, theta, segments, rows) - y)
    return (np.sqrt(weight[rows])[:, None] * error).T.ravel()


def sse(network, theta, segments, rows, weight):
    e = residuals(network, theta, segments, rows, weight)
    return np.sum(e * e)


def count(segments, rows, weight):
    """n: the summed weights of the residuals."""
    return np.sum(weight[rows][:, None] * np.isfinite(segments.y[rows]))


def penalty(network, alpha):
    """The vector pi: alpha for the weights, 0 for intercepts and a path past hidden layers."""
    layers, V = split(network, np.zeros(network.n_params))
    alpha = alpha if network.hidden_layer_sizes else 0.0
    parts = [np.r_[np.full(W.size, alpha), np.zeros(b.size)] for W, b in layers]
    return np.concatenate(parts + ([] if V is None else [np.zeros(V.size)]))


def loss(network, theta, segments, rows, weight, pi):
    n = count(segments, rows, weight)
    return (sse(network, theta, segments, rows, weight) + np.sum(pi * theta * theta)) / (2 * n)


def complex_step(function, theta):
    """The derivative of `function` by each parameter, as the last axis."""
    columns = []
    for i in range(len(theta)):
        moved = theta.astype(complex)
        moved[i] += 1j * STEP
        columns.append(np.imag(function(moved)) / STEP)
    return np.stack(columns, axis=-1)


def jacobian(network, theta, segments, rows, weight):
    return complex_step(lambda x: residuals(network, x, segments, rows, weight), theta)


def gradient(network, theta, segments, rows, weight, pi):
    return complex_step(lambda x: loss(network, x, segments, rows, weight, pi), theta)


# ---------------------------------------------------------------- random problems
HIDDEN = [(), (1,), (8,), (9,), (17,), (3, 7), (8, 1), (7, 8, 3), (17, 9), (1, 1, 1)]
LAGS = {  # output lags, and the lags of each input
    "plain": ((1, 2), ((0, 1),)),
    "holes": ((1, 3, 7), ((0, 2, 5), (1,))),
    "leads": ((2,), ((-2, 0), (-1, 3), (0,))),
    "no inputs": ((1, 2, 3), ()),
    "no output lags": ((), ((0, 1, 4), (2,))),
    "unordered, one input left out": ((5, 1), ((), (3, 0))),
    "intercepts only": ((), ()),
}
WINDOWS = {
    "windows": ((1, (1, 3), (2, 5)), ((0, (0, 2)),)),
    "one window": (((2, 4),), ((1, (-2, 1)), ((3, 4),))),
    "windows of inputs": ((), ((0, (0, 3)), ((-1, 1),))),
}


@dataclass(frozen=True)
class Problem:
    """A structure, parameters and data for it."""

    network: TappedMLP
    theta: np.ndarray
    segments: Segments
    weight: np.ndarray
    targets: np.ndarray

    @property
    def rows(self):
        return target_rows(self.network.taps, self.segments, self.weight, self.targets)


def make_theta(network, rng):
    """Parameters under which free runs stay tame."""
    theta = rng.normal(scale=0.3, size=network.n_params)
    weights = network.unpack(theta)
    for W in weights.coefs:
        W[:] = rng.normal(size=W.shape) / np.sqrt(max(W.shape[0], 1))
    weights.coefs[-1][:] *= 0.7
    if weights.linear is not None:
        weights.linear[:] *= 0.5
    return theta


def make_segments(taps, rng, edges=(0, 25, 25, 31, 60), missing=True, bounded=True):
    """Noise in segments of several lengths, one of them empty."""
    n, p = edges[-1], taps.n_outputs
    u, y = rng.normal(size=(n, taps.n_inputs)), rng.normal(size=(n, p))
    low = high = None
    if missing:
        y[rng.random(y.shape) < 0.05] = np.nan
        u[rng.random(u.shape) < 0.02] = np.nan
    if bounded:
        low, high = rng.normal(-0.6, 0.2, (n, p)), rng.normal(0.8, 0.2, (n, p))
        low[rng.random(low.shape) < 0.3] = np.nan
        high[rng.random(high.shape) < 0.3] = np.nan
    return Segments(u, y, np.array(edges), low, high)


def lags_of(seed):
    """The lags of a problem, with their name."""
    lags = list((LAGS if seed < 50 else WINDOWS).items())
    return lags[seed % len(lags)]


def make_problem(seed):
    """The problem of a number: 50 in a row meet every pair of widths and activation.

    From the 50th on taps are means over windows.
    """
    rng = np.random.default_rng(seed)
    name, (output_lags, input_lags) = lags_of(seed)
    network = TappedMLP(
        Taps(output_lags, input_lags, n_outputs=1 + seed % 3),
        hidden_layer_sizes=HIDDEN[seed % 10],
        activation=list(ACTIVATIONS)[(seed + seed // 10) % 5],
        linear_term=seed % 4 < 2 and name != "intercepts only",  # there must be taps for it
    )
    segments = make_segments(network.taps, rng, missing=seed % 8 < 5, bounded=seed % 5 < 3)
    weight = rng.uniform(0.2, 3.0, len(segments)) * (rng.random(len(segments)) > 0.1)
    targets = rng.random(len(segments)) > 0.1
    return Problem(network, make_theta(network, rng), segments, weight, targets)


PROBLEMS = range(74)


def describe(seed):
    """A readable name of a problem."""
    network = make_problem(seed).network
    widths = "x".join(map(str, network.hidden_layer_sizes)) or "linear"
    return f"{seed}: {widths} {network.activation}, {lags_of(seed)[0]}, {network.n_outputs} out"


def relative_error(got, exact):
    """Difference by the norm of the exact answer."""
    return np.linalg.norm(got - exact) / max(np.linalg.norm(exact), np.finfo(float).tiny)


# ---------------------------------------------------------------- Hurst exponents
def fgn_covariance(n, hurst):
    """G_ij = (|k + 1|^2H - 2 |k|^2H + |k - 1|^2H) / 2 with k = i - j."""
    k = np.abs(np.subtract.outer(np.arange(n), np.arange(n))).astype(float)
    return ((k + 1) ** (2 * hurst) - 2 * k ** (2 * hurst) + np.abs(k - 1) ** (2 * hurst)) / 2


def restricted_surprise(x, hurst):
    """-2 log likelihood of the contrasts A'x, whose covariance is A'GA, sigma^2 at its best."""
    n = len(x)
    A = np.linalg.svd(np.ones((n, 1)))[0][:, 1:]  # orthonormal, and to 1 as well
    covariance = A.T @ fgn_covariance(n, hurst) @ A
    w = A.T @ x
    Q = w @ np.linalg.solve(covariance, w)
    return (n - 1) * np.log(Q) + np.linalg.slogdet(covariance)[1]


def rescaled_range(x, s):
    """Mean of R/S over the boxes of s rows."""
    ratios = []
    for start in range(0, len(x) - s + 1, s):
        box = x[start : start + s]
        path = np.r_[0.0, np.cumsum(box - box.mean())]
        if box.std() > 0:
            ratios.append((path.max() - path.min()) / box.std())
    return np.mean(ratios)


def detrended_variance(path, s, order):
    """Mean square of what np.polyfit leaves of a path in the boxes of s rows."""
    t, squares = np.arange(s), []
    for start in range(0, len(path) - s + 1, s):
        box = path[start : start + s]
        squares.append(np.mean((box - np.polyval(np.polyfit(t, box, order), t)) ** 2))
    return np.mean(squares)


# ---------------------------------------------------------------- forecasters
def levelled_ridge(y, lags, level, alpha, u=None, weight=None, c=None):
    """One-step predictions by least squares of deviations from a level, penalties as rows.

    Where columns c are given the weights vary with them.
    """
    n, weight = len(y), np.ones(len(y)) if weight is None else weight
    t = np.arange(max(*lags, level), n)
    back = [y[t - k] for k in range(1, level + 1)]
    m = np.mean(back, axis=0) if level else np.zeros_like(y[t])
    taps = [y[t - lag] - m for lag in lags]
    Z = np.hstack(taps if u is None else [*taps, u[t] - u[weight > 0].mean(axis=0)])
    if c is not None:
        c = c[t] - c[weight > 0].mean(axis=0)
        Z = np.hstack([Z, c, *(c[:, [j]] * Z for j in range(c.shape[1]))])
    y_hat = np.full_like(y, np.nan)
    for j in range(y.shape[1]):
        e = y[t, j] - m[:, j]
        known = np.isfinite(Z).all(axis=1) & np.isfinite(e) & (weight[t] > 0)
        w = weight[t][known]
        size = np.sqrt(w @ Z[known] ** 2 / w.sum())
        rows = np.vstack([np.sqrt(w)[:, None] * Z[known], np.diag(np.sqrt(alpha) * size)])
        targets = np.r_[np.sqrt(w) * e[known], np.zeros(Z.shape[1])]
        y_hat[t, j] = m[:, j] + Z @ np.linalg.lstsq(rows, targets)[0]
    return y_hat


def smoothed(y, smoothing, window, slope):
    """One-step predictions (n,): geometric weights of rows that a line carries forward."""
    w = (1 - smoothing) ** np.arange(window)
    lags = np.arange(1, window + 1)
    means = [w @ (y[t - lags] + lags * slope) / w.sum() for t in range(window, len(y))]
    return np.r_[np.full(window, np.nan), means]


def seasons(y, places, periods):
    """Season of each row of a series of pandas without gaps, from centred moving averages."""
    total = 0.0 * y
    for period in periods:
        left = y - total
        if period % 2:
            level = left.rolling(period, center=True).mean()
        else:
            level = left.rolling(period).mean().rolling(2).mean().shift(-period // 2)
        means = (left - level).groupby(places % period).mean()
        total += (means - means.mean())[places % period].to_numpy()
    return total
