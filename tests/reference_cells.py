"""The slow, obvious twin of the kernels of recurrent cells, and random problems for both.

Written from the formulas in the docstring of `_recurrent.pyx`, one sequence and one step after
another. Parameters, states and x may be complex, for the complex step (see `reference`).
"""

from dataclasses import dataclass, field, replace

import numpy as np

from narxkit import _recurrent
from reference import DIVERGED, STEP, clip, logistic, relu


@dataclass(frozen=True)
class Cells:
    """Sizes of a network of cells, and the parameters by name."""

    cell: str
    n_inputs: int
    hidden: tuple
    n_outputs: int = 1
    linear: bool = False
    peepholes: bool = False
    outputs: tuple = ()
    head: bool = True

    @property
    def plan(self):
        return _recurrent.CellPlan(*vars(self).values())

    @property
    def n_state(self):
        return sum(self.hidden) * (2 if self.cell == "lstm" else 1)

    def split(self, theta):
        """Layers [(recurrent, bias, inward, peepholes)], and (V, b, U)."""
        rest, below, layers = theta, self.n_inputs, []
        n_h, n_b, n_x = {"lstm": (4, 4, 4), "gru": (3, 4, 3)}.get(self.cell, (1, 1, 1))

        def take(*shape):
            nonlocal rest
            part, rest = rest[: np.prod(shape)], rest[np.prod(shape) :]
            return part.reshape(shape)

        for H in self.hidden:
            layer = [take(H, n_h * H), take(n_b * H), take(below, n_x * H)]
            layers.append([*layer, take(3, H) if self.peepholes else np.zeros((3, H))])
            below = H
        if not self.head:
            assert len(rest) == 0
            return layers, (np.eye(below), np.zeros(below), None)
        head = take(below, self.n_outputs), take(self.n_outputs)
        U = take(self.n_inputs, self.n_outputs) if self.linear else None
        assert len(rest) == 0
        return layers, (*head, U)


def advance(cell, layer, x, h, c):
    """The next h and c of a layer."""
    recurrent, bias, inward, (p_i, p_f, p_o) = layer
    if cell == "gru":
        m_h, r_h, z_h = np.split(h @ recurrent, 3)
        m_b, r_b, z_b, n_b = np.split(bias, 4)
        r_x, z_x, n_x = np.split(x @ inward, 3)
        r, z = logistic(r_h + r_b + r_x), logistic(z_h + z_b + z_x)
        n = np.tanh(n_x + n_b + r * (m_h + m_b))
        return (1 - z) * n + z * h, c
    sums = h @ recurrent + bias + x @ inward
    if cell != "lstm":
        return (np.tanh(sums) if cell == "tanh" else relu(sums)), c
    i, f, g, o = np.split(sums, 4)
    c_new = logistic(f + p_f * c) * c + logistic(i + p_i * c) * np.tanh(g)
    return logistic(o + p_o * c_new) * np.tanh(c_new), c_new


@dataclass(frozen=True)
class Batch:
    """The arrays of `Windows`, for the twin."""

    x: np.ndarray
    begins: np.ndarray | None = None
    ends: np.ndarray | None = None
    first: int = 0
    y: np.ndarray | None = None
    weight: np.ndarray | None = None
    own: np.ndarray | None = None
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    shocks: np.ndarray | None = None
    state: np.ndarray | None = None
    masks: np.ndarray | None = None

    def windows(self, plan, dtype=np.float64):
        """As the kernels take them."""
        arrays = {
            name: array.astype(dtype) if getattr(array, "dtype", None) == np.float64 else array
            for name, array in vars(self).items()
        }
        return _recurrent.Windows(plan, **arrays)

    def span(self, i):
        begin = 0 if self.begins is None else self.begins[i]
        return begin, self.x.shape[1] if self.ends is None else self.ends[i]


def run(cells, theta, batch):
    """Outputs (N, S, p), first bad steps (N,) and last states (N, n_state)."""
    N, T, _ = batch.x.shape
    number = np.result_type(theta, batch.x, 0.0 if batch.state is None else batch.state)
    y_hat = np.full((N, T, cells.n_outputs), np.nan, dtype=number)
    bad, end = np.full(N, -1), np.full((N, cells.n_state), np.nan, dtype=number)
    for i in range(N):
        bad[i] = run_one(cells, theta, batch, i, y_hat[i], end[i])
    return y_hat[:, batch.first :], bad, end


def run_one(cells, theta, batch, i, y_hat, end):
    """Fill the outputs and the last state of a sequence; its first bad step."""
    layers, (V, b, U) = cells.split(theta)
    is_lstm, (begin, stop) = cells.cell == "lstm", batch.span(i)
    state = np.zeros_like(end) if batch.state is None else batch.state[i].astype(end.dtype)
    bad, edges = -1, np.cumsum([0, *cells.hidden])
    masks = np.ones(edges[-2]) if batch.masks is None else batch.masks[i]
    masks = np.concatenate((masks, np.ones(cells.hidden[-1])))  # none on the way to the outputs
    for t in range(begin, stop):
        x = read(cells, batch, i, t, begin, y_hat)
        below, new = x, []
        for layer, H, at in zip(layers, cells.hidden, edges):
            h, c = np.split(state[2 * at :][: 2 * H], 2) if is_lstm else (state[at:][:H], None)
            h, c = advance(cells.cell, layer, below, h, c)
            new += [h, c] if is_lstm else [h]
            below = h * masks[at:][:H]
        state = np.concatenate(new)
        y = h @ V + b + (0 if U is None else x @ U)
        y = y if batch.shocks is None else y + batch.shocks[i, t]
        y = y if batch.low is None else clip(y, batch.low[i, t], batch.high[i, t])
        if t >= batch.first or batch.own is not None:
            is_bad = ~(np.abs(y.real) <= DIVERGED)
            y_hat[t] = np.where(is_bad, np.nan, y)
            bad = t if bad < 0 and is_bad.any() else bad
            if bad >= 0 and batch.own is not None:
                y_hat[t] = np.nan
                return bad
    end[:] = state
    return bad


def read(cells, batch, i, t, begin, y_hat):
    """x of step t, with own outputs in their places."""
    x = batch.x[i, t].astype(np.result_type(batch.x, y_hat))
    for k, (column, lag) in enumerate(cells.outputs):
        if batch.own is not None and t - lag >= begin and batch.own[i, t - lag, column]:
            x[k] = y_hat[t - lag, column]
    return x


def counted(batch):
    """Which of (N, S, p) outputs have a target that counts."""
    counts = np.isfinite(batch.y)
    if batch.weight is not None:
        counts &= (batch.weight > 0)[..., None]
    for i in range(len(counts)):
        begin, end = batch.span(i)
        counts[i, : max(0, begin - batch.first)] = False
        counts[i, max(0, end - batch.first) :] = False
    return counts


def residuals(cells, theta, batch):
    """Weighted residuals of all sequences, steps and outputs that count, as one vector."""
    y_hat, _, _ = run(cells, theta, batch)
    weight = np.ones(batch.y.shape[:2]) if batch.weight is None else batch.weight
    return (np.sqrt(weight)[..., None] * (y_hat - batch.y))[counted(batch)]


def along(cells, theta, batch, d_theta=0.0, **directions):
    """The derivative of the residuals along a direction of theta, x and state: a complex step."""
    moved = {name: getattr(batch, name) + 1j * STEP * d for name, d in directions.items()}
    theta = theta + 1j * STEP * d_theta
    return residuals(cells, theta, replace(batch, **moved)).imag / STEP


# ---------------------------------------------------------------- random problems
KINDS = [("lstm", False), ("lstm", True), ("gru", False), ("tanh", False), ("relu", False)]
SHAPES = {"one layer": (5,), "a whole vector": (8,), "three layers": (9, 3, 4)}


@dataclass(frozen=True)
class Problem:
    cells: Cells
    theta: np.ndarray
    batch: Batch = field(repr=False)


def make_problem(cell, peepholes, hidden, own, seed=0, n=7, steps=6):
    """Everything at once: two outputs and their taps, bounds, weights, gaps, dropout, states."""
    rng = np.random.default_rng(seed)
    outputs = ((0, 1), (1, 1), (0, 3))
    cells = Cells(cell, 3 + 2, hidden, 2, seed % 2 == 0, peepholes, outputs)
    theta = rng.normal(scale=0.5, size=cells.plan.n_params)
    begins = rng.integers(0, 2, n) * rng.integers(0, steps - 1, n)
    ends = np.minimum(steps, begins + rng.integers(1, steps + 3, n))
    first = 0 if own else 2
    y = rng.normal(size=(n, steps - first, 2))
    y[rng.uniform(size=y.shape) < 0.2] = np.nan
    weight = rng.uniform(0.5, 2.0, size=(n, steps - first))
    weight[rng.uniform(size=weight.shape) < 0.2] = 0.0
    low = np.where(rng.uniform(size=(n, steps, 2)) < 0.2, -0.3, np.nan)
    high = np.where(rng.uniform(size=(n, steps, 2)) < 0.2, 0.4, np.nan)
    batch = Batch(
        rng.normal(size=(n, steps, 5)), begins, ends, first, y, weight,
        (rng.uniform(size=(n, steps, 2)) < 0.6).astype(np.uint8) if own else None,
        low, high, rng.normal(scale=0.1, size=(n, steps, 2)) if own else None,
        rng.normal(scale=0.5, size=(n, cells.n_state)),
        2.0 * (rng.uniform(size=(n, sum(hidden[:-1]))) < 0.6),
    )  # fmt: skip
    return Problem(cells, theta, batch)
