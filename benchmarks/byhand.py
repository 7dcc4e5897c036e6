"""The same network written by hand, in NumPy and in PyTorch: what to measure beside.

All are written for one output and one hidden layer of tanh units beside a linear term, the
`Weights` of `TappedMLP`. Taps come in its order: outputs, the latest first, then inputs.
"""

import numpy as np

from narxkit.rows.segments import Segments


def forward(weights, z):
    """Outputs (...) of lagged vectors z (..., T)."""
    (W, w), (b, c) = weights.coefs, weights.intercepts
    return np.tanh(z @ W + b) @ w[:, 0] + z @ weights.linear[:, 0] + c[0]


def input_taps(taps, u, rows):
    """The inputs' part (..., n_input_taps) of the lagged vectors of some rows."""
    return np.stack([u[rows - lag, column] for column, lag in taps.reach.inputs], axis=-1)


def numpy_free_run(network, theta, segments, origin, steps):
    """A step-by-step run (steps,) in NumPy; input taps are gathered beforehand."""
    weights, K = network.unpack(theta), network.taps.reach.feedback
    known = input_taps(network.taps, segments.u, origin + np.arange(steps))
    z = np.empty(network.taps.n_taps)
    path = np.concatenate((segments.y[origin - K : origin, 0], np.empty(steps)))
    for t in range(steps):
        z[:K] = path[t : t + K][::-1]
        z[K:] = known[t]
        path[K + t] = forward(weights, z)
    return path[K:]


def torch_free_run(make_step, network, theta, segments, origin, steps):
    """The same in PyTorch, eager and without gradients.

    A tensor cannot be read backwards, so the weights of the output taps are reversed instead.
    """
    import torch

    weights, K = network.unpack(theta), network.taps.reach.feedback
    order = [*reversed(range(K)), *range(K, network.taps.n_taps)]
    W, w, v = (
        torch.tensor(np.ascontiguousarray(matrix.T))
        for matrix in (weights.coefs[0][order], weights.coefs[1], weights.linear[order])
    )
    step = make_step(torch, W, *map(torch.tensor, weights.intercepts), w, v)
    known = torch.tensor(input_taps(network.taps, segments.u, origin + np.arange(steps)))
    path = torch.empty(K + steps, dtype=torch.float64)
    path[:K] = torch.tensor(segments.y[origin - K : origin, 0])
    with torch.inference_mode():
        for t in range(steps):
            path[K + t] = step(torch.cat((path[t : t + K], known[t])))[0]
    return path[K:].numpy()


def torch_functions(torch, W, b, c, w, v):
    """A step of bare functions, the leanest there is."""
    linear = torch.nn.functional.linear
    return lambda z: linear(torch.tanh(linear(z, W, b)), w, c) + linear(z, v)


def torch_modules(torch, W, b, c, w, v):
    """A step of modules, as networks are usually written."""

    def layer(weight, bias=None):
        module = torch.nn.Linear(*weight.shape[::-1], bias=bias is not None, dtype=weight.dtype)
        state = {"weight": weight} if bias is None else {"weight": weight, "bias": bias}
        module.load_state_dict(state)
        return module

    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden = torch.nn.Sequential(layer(W, b), torch.nn.Tanh(), layer(w, c))
            self.direct = layer(v)

        def forward(self, z):
            return self.hidden(z) + self.direct(z)

    return Network()


def torch_gradient(network, theta, segments, origin, steps):
    """Half the squared error of a free run and its gradient, by autograd through an eager loop."""
    import torch

    weights, K = network.unpack(theta), network.taps.reach.feedback
    parts = [weights.coefs[0], weights.intercepts[0], weights.coefs[1], weights.intercepts[1]]
    W, b, w, c, V = (
        torch.tensor(np.ascontiguousarray(part), requires_grad=True)
        for part in (*parts, weights.linear)
    )
    known = torch.tensor(input_taps(network.taps, segments.u, origin + np.arange(steps)))
    y = torch.tensor(segments.y[:, 0])
    path = list(y[origin - K : origin].unbind())
    for t in range(steps):
        z = torch.cat((torch.stack(path[-1 : -K - 1 : -1]), known[t]))
        path.append((torch.tanh(z @ W + b) @ w + z @ V + c)[0])
    loss = 0.5 * ((torch.stack(path[K:]) - y[origin : origin + steps]) ** 2).sum()
    loss.backward()
    grads = np.concatenate([part.grad.numpy().ravel() for part in (W, b, w, c, V)])
    return loss.item(), grads


def numpy_rollouts(network, theta, segments, first, steps):
    """Predictions (len(first), steps) of many rollouts that take each step together."""
    weights, K = network.unpack(theta), network.taps.reach.feedback
    path = np.empty((len(first), K + steps))
    path[:, :K] = segments.y[first[:, None] + np.arange(-K, 0), 0]
    for h in range(steps):
        known = input_taps(network.taps, segments.u, first + h)
        z = np.concatenate((path[:, h : h + K][:, ::-1], known), axis=1)
        low, high = segments.low[first + h, 0], segments.high[first + h, 0]
        path[:, K + h] = np.clip(forward(weights, z), low, high)
    return path[:, K:]


def random_series(n, n_inputs, seed=0):
    """Rows of random inputs and outputs in one segment."""
    rng = np.random.default_rng(seed)
    return Segments(rng.normal(size=(n, n_inputs)), rng.normal(size=(n, 1)), np.array([0, n]))


def contraction(network, seed=0):
    """Random parameters, so small that a free run forgets its start."""
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, network.n_params) / network.taps.n_taps
