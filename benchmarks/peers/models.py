"""The peers behind one face: fit one step ahead, then run freely from measured history.

Each is set up as a careful user would: standardised data, the lags of the task, ten tanh units or
a short polynomial, its own training with its defaults. A package is imported where it is used.
"""

import io
import warnings
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

import narxkit

HIDDEN = 10
EPOCHS, BATCH, RATE = 200, 100, 0.01  # of Adam; the defaults of NARXNN


class Peer:
    """A model of one input and one output; subclasses train and run it in standard units.

    Parameters
    ----------
    input_lags : int
        Lags 0 to this of the input; less than `output_lags`.
    output_lags : int
        Lags 1 to this of the output.
    degree, n_terms : int
        Degree and number of terms of a polynomial.
    seed : int
        Seed of a network's weights and batches.
    """

    needs = ("narxkit",)

    def __init__(self, input_lags, output_lags, degree=2, n_terms=30, seed=0):
        self.input_lags = input_lags
        self.output_lags = output_lags
        self.degree = degree
        self.n_terms = n_terms
        self.seed = seed

    @property
    def n_taps(self):
        return self.output_lags + self.input_lags + 1

    def fit(self, u, y):
        """Learn from an input (n,) and an output (n,)."""
        self.u_scale, self.y_scale = Scale.of(u), Scale.of(y)
        self.train(self.u_scale.apply(u), self.y_scale.apply(y))
        return self

    def take_over(self, narx):
        """Become the same network as a `Narx` without a linear term."""
        self.u_scale, self.y_scale = narx.u_scale, narx.y_scale
        self.load(*narx.model.coefs_, *narx.model.intercepts_)
        return self

    def free_run(self, u, y_init):
        """Outputs of the rows of u after those of y_init, on the model's own output."""
        start = len(y_init) - self.output_lags
        y_hat = self.run(self.u_scale.apply(u[start:]), self.y_scale.apply(y_init[start:]))
        return self.y_scale.undo(np.asarray(y_hat, dtype=float).ravel())

    def input_taps(self, u):
        """The input's part of the lagged vectors, one row for each that has all of it."""
        L = self.input_lags
        return np.column_stack([u[L - lag : len(u) - lag] for lag in range(L + 1)])

    def taps(self, u, y):
        """Lagged vectors (n - output_lags, T): outputs, the latest first, then inputs."""
        K = self.output_lags
        past = [y[K - lag : len(y) - lag] for lag in range(1, K + 1)]
        return np.column_stack((*past, self.input_taps(u)[K - self.input_lags :]))


@dataclass(frozen=True)
class Scale:
    """Mean and standard deviation."""

    mean: float
    std: float

    @classmethod
    def of(cls, values):
        return cls(values.mean(), values.std())

    def apply(self, values):
        return (values - self.mean) / self.std

    def undo(self, values):
        return values * self.std + self.mean


class Narx(Peer):
    name = "narxkit NARX"
    training = "one step ahead, Levenberg-Marquardt"
    options = {}

    def make(self):
        lags = self.input_lags, self.output_lags
        penalties = {"alpha": 1e-4, "linear_alpha": 0.0}  # fixed, as those of the peers are
        return narxkit.NARX(*lags, (HIDDEN,), random_state=self.seed, **penalties, **self.options)

    def train(self, u, y):
        self.model = self.make().fit(u[:, None], y)

    def run(self, u, y_init):
        return self.model.simulate(u[:, None], y_init)[len(y_init) :]


class NarxStoppedEarly(Narx):
    name = "narxkit NARX, early_stopping"
    options = {"early_stopping": True}


class Ridge(Narx):
    name = "ridge ARX"
    training = "one step ahead, linear"

    def make(self):
        return narxkit.ARX(self.input_lags, self.output_lags)


class Persistence(Narx):
    name = "persistence"
    training = "none"

    def make(self):
        return narxkit.Persistence()


class Skforecast(Peer):
    needs = ("skforecast",)
    name = "skforecast + MLPRegressor"
    training = "one step ahead, Adam"
    options = {"hidden_layer_sizes": (HIDDEN,), "activation": "tanh"}

    def train(self, u, y, max_iter=2000):
        from skforecast.recursive import ForecasterRecursive

        network = MLPRegressor(**self.options, max_iter=max_iter, random_state=self.seed)
        self.model = ForecasterRecursive(network, lags=self.output_lags)
        exog = self.exog(u)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.model.fit(pd.Series(y, name="y")[self.input_lags :], exog)

    def load(self, W, w, b, c):
        rng = np.random.default_rng(0)
        self.train(rng.normal(size=100), rng.normal(size=100), max_iter=1)
        self.model.estimator.coefs_ = [W, w]
        self.model.estimator.intercepts_ = [b, c]

    def run(self, u, y_init):
        steps = len(u) - len(y_init)
        return self.model.predict(steps, pd.Series(y_init, name="y"), self.exog(u)[-steps:])

    def exog(self, u):
        """Inputs have no lags of their own there: lagged columns, each row under its number."""
        taps = self.input_taps(u)
        rows = pd.RangeIndex(self.input_lags, len(u))
        return pd.DataFrame(taps, rows, [f"lag {lag}" for lag in range(taps.shape[1])])


class SkforecastLbfgs(Skforecast):
    training = "one step ahead, L-BFGS"
    options = Skforecast.options | {"solver": "lbfgs"}


class SysIdentPy(Peer):
    """It has no lag 0 of the input: it is given the input one row early, as its lag 1."""

    needs = ("sysidentpy",)

    def train(self, u, y, **options):
        self.model = self.make(**options)
        self.model.fit(X=early(u), y=y[:, None])

    def run(self, u, y_init):
        return self.model.predict(X=early(u), y=y_init[:, None])[len(y_init) :]

    def settings(self, degree):
        from sysidentpy.basis_function import Polynomial

        lags = {"ylag": self.output_lags, "xlag": self.input_lags + 1}
        return lags | {"basis_function": Polynomial(degree=degree)}


def early(u):
    """An input (n,) as a column, each value one row early; the last is not used."""
    return np.append(u[1:], u[-1])[:, None]


class Narxnn(SysIdentPy):
    name = "SysIdentPy NARXNN"
    training = "one step ahead, Adam"
    needs = ("sysidentpy", "torch")

    def make(self, epochs=EPOCHS):
        from sysidentpy.neural_network import NARXNN

        training = {"epochs": epochs, "shuffle_batches": True, "random_state": self.seed}
        return NARXNN(net=torch_network(self.n_taps), **training, **self.settings(degree=1))

    def load(self, *weights):
        rng = np.random.default_rng(0)
        self.train(rng.normal(size=100), rng.normal(size=100), epochs=1)
        load_weights(self.model.net, *weights)


class Frols(SysIdentPy):
    name = "SysIdentPy FROLS"
    training = "one step ahead, polynomial"

    def make(self):
        from sysidentpy.model_structure_selection import FROLS
        from sysidentpy.parameter_estimation import LeastSquares

        chosen = {"order_selection": False, "n_terms": self.n_terms, "estimator": LeastSquares()}
        return FROLS(**chosen, **self.settings(self.degree))


class Fastcan(Peer):
    """Its terms take any lag up to the longest of the output, of the input too."""

    needs = ("fastcan",)
    name = "fastcan NARX"
    training = "one step ahead, polynomial"

    def train(self, u, y):
        from fastcan.narx import make_narx

        data = u[:, None], y
        lags = {"max_delay": self.output_lags, "poly_degree": self.degree}
        self.model = make_narx(*data, self.n_terms, **lags, refine_verbose=0, verbose=0).fit(*data)

    def run(self, u, y_init):
        start = len(y_init) - self.model.max_delay_  # it runs from this row of y_init on
        return self.model.predict(u[start:, None], y_init[start:])[self.model.max_delay_ :]


class Pyrenn(Peer):
    """Trained as a network of lagged vectors; its weights are then those of a recurrent one."""

    needs = ("pyrenn",)
    name = "pyrenn, open loop"
    training = "one step ahead, Levenberg-Marquardt"

    def train(self, u, y, k_max=100):
        import pyrenn

        with seeded(self.seed):
            network = pyrenn.CreateNN([self.n_taps, HIDDEN, 1])
        targets = y[self.output_lags :]
        with quiet():
            network = pyrenn.train_LM(self.taps(u, y).T, targets[None], network, k_max=k_max)
        IW, LW, b = pyrenn.w2Wb(network)
        W = IW[1, 1, 0] / network["normP"]
        self.load(W.T, LW[2, 1, 0].T, b[1], b[2], network["normY"])

    def load(self, W, w, b, c, unit=1.0):
        """Take weights W (T, H), w (H, 1), b (H,), c (1,) whose result is in this unit."""
        import pyrenn

        K = self.output_lags
        self.model = self.recurrent()
        inputs = {(1, 1, lag): W[K + lag][:, None] for lag in range(self.input_lags + 1)}
        layers = {(1, 2, lag): W[lag - 1][:, None] * unit for lag in range(1, K + 1)}
        w = pyrenn.Wb2w(self.model, inputs, layers | {(2, 1, 0): w.T}, {1: b, 2: c})
        self.model |= {"w": w, "normP": np.ones(1), "normY": np.ones(1) * unit}

    def recurrent(self):
        import pyrenn

        lags = {"dIn": [*range(self.input_lags + 1)], "dOut": [*range(1, self.output_lags + 1)]}
        with seeded(self.seed):
            return pyrenn.CreateNN([1, HIDDEN, 1], **lags)

    def run(self, u, y_init):
        import pyrenn

        known = len(y_init)
        start = {"P0": u[None, :known], "Y0": y_init[None]}
        return pyrenn.NNOut(u[None, known:], self.model, **start)


class PyrennClosed(Pyrenn):
    """Trained on its own output over the whole series, which starts from zeros there."""

    name = "pyrenn, closed loop"
    training = "closed loop, Levenberg-Marquardt"

    def train(self, u, y, k_max=100):
        import pyrenn

        with quiet():
            self.model = pyrenn.train_LM(u[None], y[None], self.recurrent(), k_max=k_max)


@contextmanager
def seeded(seed):
    """pyrenn draws from NumPy's global generator, which is left as it was."""
    state = np.random.get_state()
    np.random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(state)


def quiet():
    """pyrenn prints how its training ended."""
    return redirect_stdout(io.StringIO())


class Torch(Peer):
    """The network, its training and its loop written by hand."""

    needs = ("torch",)
    name = "PyTorch by hand"
    training = "one step ahead, Adam"

    def train(self, u, y):
        import torch

        torch.manual_seed(self.seed)
        self.model = torch_network(self.n_taps)
        z, target = (torch.tensor(v, dtype=torch.float32) for v in (self.taps(u, y), y[:, None]))
        target = target[self.output_lags :]
        adam = torch.optim.Adam(self.model.parameters(), lr=RATE)
        for _ in range(EPOCHS):
            for batch in torch.randperm(len(z)).split(BATCH):
                adam.zero_grad()
                torch.nn.functional.mse_loss(self.model(z[batch]), target[batch]).backward()
                adam.step()

    def load(self, *weights):
        self.model = torch_network(self.n_taps)
        load_weights(self.model, *weights)

    def run(self, u, y_init):
        import torch

        K, steps = self.output_lags, len(u) - len(y_init)
        known = torch.tensor(self.input_taps(u)[-steps:], dtype=torch.float32)
        path = torch.empty(K + steps)
        path[:K] = torch.tensor(y_init)
        with torch.inference_mode():
            for t in range(steps):
                path[K + t] = self.model(torch.cat((path[t : t + K].flip(0), known[t])))[0]
        return path[K:]


def torch_network(n_taps):
    """One hidden layer of tanh units, on one thread."""
    import torch
    from torch.nn import Linear, Sequential, Tanh

    torch.set_num_threads(1)
    return Sequential(Linear(n_taps, HIDDEN), Tanh(), Linear(HIDDEN, 1))


def load_weights(network, W, w, b, c):
    """Put weights into `torch_network`, rounded to its single precision."""
    import torch

    keys = ("0.weight", "0.bias", "2.weight", "2.bias")
    network.load_state_dict({k: torch.tensor(v.copy()) for k, v in zip(keys, (W.T, b, w.T, c))})


MODELS = (
    Narx,
    NarxStoppedEarly,
    Ridge,
    Persistence,
    Skforecast,
    SkforecastLbfgs,
    Narxnn,
    Torch,
    Pyrenn,
    PyrennClosed,
    Frols,
    Fastcan,
)
PACKAGES = ("fastcan", "pyrenn", "skforecast", "sysidentpy", "torch")


def missing(packages):
    """The first of some packages that is not here, or None."""
    return next((name for name in packages if find_spec(name) is None), None)
