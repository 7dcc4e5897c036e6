"""Speed of recurrent cells: a training step, and one row of a stream, beside PyTorch."""

from functools import partial

import numpy as np
from scipy.linalg.blas import dgemm, sgemm

from narxkit._recurrent import CellPlan, Stream, Windows, gradient
from narxkit.solvers import Adam

from .harness import Case, constant, stopwatch
from .memory import traced_peak
from .report import Suite

RATE = 1e-3
GO = np.zeros(1, dtype=np.int32)
SHAPES = {  # cell, hidden, window, batch, inputs: speed-ups to reach in single and double precision
    ("lstm", 16, 24, 32, 3): (7, 10),
    ("lstm", 32, 48, 64, 3): (2.2, 4),
    ("lstm", 64, 48, 128, 3): (1.5, 2.3),
    ("lstm", 128, 96, 128, 8): (1.4, 1.9),
    ("gru", 64, 64, 32, 64): (3, 2.3),
}
STREAMS = {16: 0.3, 32: 0.8, 64: 2.7}  # hidden and inputs: microseconds to keep
ROWS = 10_000
# One thread works: the time of others on the machine is none of it
processor_time = partial(stopwatch, clock="process_time")
ADAMS = {"fused": True}, {"foreach": True}, {"foreach": False}


class Problem:
    """Random windows with a target after each, and a network's weights."""

    def __init__(self, shape, dtype):
        cell, H, T, N, m = shape
        rng = np.random.default_rng(0)
        self.cell, self.H = cell, H
        self.x = rng.normal(size=(N, T, m)).astype(dtype)
        self.y = rng.normal(size=(N, 1, 1)).astype(dtype)
        self.plan = CellPlan(cell, m, (H,), 1)
        self.theta = rng.uniform(-1, 1, self.plan.n_params) / np.sqrt(H)
        self.windows = Windows(self.plan, self.x, first=T - 1, y=self.y)

    def gradient(self, theta):
        g = np.empty_like(theta)
        sse = gradient(self.plan, theta, self.windows, GO, g)
        return sse / len(self.x), g * (2 / len(self.x))

    def parts(self, theta):
        return {
            name: theta[at : at + np.prod(shape)].reshape(shape)
            for name, _, at, shape in self.plan.parts
        }

    def operations(self):
        """Of the products alone: forwards, by the weights, and by h, since nobody asks for x."""
        N, T, m = self.x.shape
        columns = self.H * {"lstm": 4, "gru": 3}[self.cell]
        return 2 * N * T * columns * (2 * (self.H + m) + self.H)


def torch_network(problem):
    """The same network in PyTorch, with the same weights."""
    import torch

    torch.set_num_threads(1)
    parts, H = problem.parts(problem.theta), problem.H
    kind = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[problem.cell]
    dtype = torch.from_numpy(problem.x).dtype
    layer = kind(problem.x.shape[2], H, batch_first=True, dtype=dtype)
    W_h, b = parts["recurrent"], parts["bias"]
    b_h, b_x = np.zeros(W_h.shape[1]), b
    if problem.cell == "gru":  # what the reset gate multiplies has a bias of its own
        W_h, b_h[2 * H :], b_x = np.roll(W_h, -H, axis=1), b[:H], b[H:]
    values = (parts["inward"].T, W_h.T, b_x, b_h)
    head = torch.nn.Linear(H, 1, dtype=dtype)
    with torch.no_grad():
        for parameter, value in zip(layer.parameters(), values):
            parameter.copy_(torch.tensor(value))
        head.weight.copy_(torch.tensor(parts["outward"].T))
        head.bias.copy_(torch.tensor(parts["intercept"]))
    return torch, layer, head


def our_step(problem):
    """Gradient and Adam, as the solver does it."""
    theta, step = problem.theta.copy(), Adam()._stepper(problem.plan.n_params)

    def train():
        nonlocal theta
        _, g = problem.gradient(theta)
        theta = theta + step(g, RATE)

    return train


def torch_step(problem, options):
    torch, layer, head = torch_network(problem)
    x, y = torch.from_numpy(problem.x), torch.from_numpy(problem.y[:, 0])
    adam = torch.optim.Adam([*layer.parameters(), *head.parameters()], lr=RATE, **options)

    def train():
        adam.zero_grad()
        h, _ = layer(x)
        torch.nn.functional.mse_loss(head(h[:, -1]), y).backward()
        adam.step()

    return train


def check(problem):
    """Both have the same loss and the same gradient by x, up to rounding."""
    torch, layer, head = torch_network(problem)
    x = torch.from_numpy(problem.x)
    h, _ = layer(x)
    loss = torch.nn.functional.mse_loss(head(h[:, -1]), torch.from_numpy(problem.y[:, 0]))
    loss.backward()
    ours, g = problem.gradient(problem.theta)
    bound = 1e-4 if problem.x.dtype == np.float32 else 1e-10
    np.testing.assert_allclose(ours, loss.item(), rtol=bound)
    theirs = layer.weight_ih_l0.grad.numpy().T
    np.testing.assert_allclose(problem.parts(g)["inward"], theirs, rtol=bound, atol=bound)


def beside_torch(shape, dtype):
    """Seconds of a training step, and of PyTorch's with the fastest of its Adams."""
    problem = Problem(shape, dtype)
    check(problem)
    gauges = [processor_time(torch_step(problem, options)) for options in ADAMS]
    times = [min(gauge() for _ in range(3)) for gauge in gauges]
    return processor_time(our_step(problem)), gauges[int(np.argmin(times))]


def beside_products(shape, dtype):
    """Seconds of a training step, and of its products at the speed of one large product."""
    problem, n = Problem(shape, dtype), 1000
    A = np.asfortranarray(np.random.default_rng(0).normal(size=(n, n)), dtype=dtype)
    gemm = sgemm if dtype == np.float32 else dgemm
    per = 2 * n**3 / problem.operations()
    return processor_time(our_step(problem)), processor_time(lambda: gemm(1.0, A, A), per)


def memory(shape, dtype):
    """Bytes of a training step, and of its activations: h, c and the gates of every row."""
    problem = Problem(shape, dtype)
    N, T, _ = problem.x.shape
    per_unit = {"lstm": 6, "gru": 5}[problem.cell]
    activations = N * T * problem.H * per_unit * problem.x.itemsize
    return lambda: traced_peak(our_step(problem)), constant(activations)


def stream(H):
    """Seconds per row with carried state, and of PyTorch's cell."""
    import torch

    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    plan = CellPlan("lstm", H, (H,), 1)
    theta = rng.uniform(-1, 1, plan.n_params) / np.sqrt(H)
    x, y_hat = rng.normal(size=(ROWS, H)).astype(np.float32), np.empty((ROWS, 1), np.float32)
    own, cell, head = (
        Stream(plan, theta, np.float32),
        torch.nn.LSTMCell(H, H),
        torch.nn.Linear(H, 1),
    )
    rows = torch.from_numpy(x[:100])

    def looped():
        with torch.inference_mode():
            h = c = torch.zeros(1, H)
            for row in rows:
                h, c = cell(row[None], (h, c))
                head(h)

    return processor_time(lambda: own.walk(x, y_hat), ROWS), processor_time(looped, len(rows))


def named(shape, dtype):
    cell, H, T, N, m = shape
    return f"{cell.upper()} {np.dtype(dtype).name}, {H} hidden, window {T}, batch {N}, {m} in"


def step_cases(shape, dtype, target):
    name = f"training step, {named(shape, dtype)}"
    product = "sgemm" if dtype == np.float32 else "dgemm"
    setups = {
        "PyTorch": (beside_torch, target),
        f"its products as one {product}": (beside_products, None),
    }
    return [
        Case(
            name,
            reference,
            partial(setup, shape, dtype),
            bound,
            "speed-up",
            repeats=15,
            needs="torch" if reference == "PyTorch" else "narxkit",
        )
        for reference, (setup, bound) in setups.items()
    ]


SUITE = Suite(
    "Recurrent cells, one thread",
    [
        *(
            case
            for i, dtype in enumerate((np.float32, np.float64))
            for shape, targets in SHAPES.items()
            for case in step_cases(shape, dtype, targets[i])
        ),
        *(
            Case(
                f"memory of a training step, {named(shape, np.float32)}",
                "its activations",
                partial(memory, shape, np.float32),
                2.0,
                "ratio",
                "MB",
                repeats=1,
            )
            for shape in list(SHAPES)[1::2]
        ),
        *(
            Case(
                f"step of a stream, LSTM float32, {H} hidden, {H} inputs",
                "PyTorch's cell",
                partial(stream, H),
                target,
                unit="us",
                needs="torch",
            )
            for H, target in STREAMS.items()
        ),
    ],
    packages=("torch",),
)
