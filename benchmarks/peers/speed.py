"""Speed: a step of a free run through the public verb of each package, an iteration of training."""

from functools import partial

import numpy as np

from narxkit.datasets import make_narendra
from narxkit.networks import TappedMLP, make_taps
from narxkit.rows.segments import Segments
from narxkit.solvers import LevenbergMarquardt, Monitor
from narxkit.training.objective import Objective

from ..harness import Case, stopwatch
from ..report import Suite
from .models import (
    HIDDEN,
    PACKAGES,
    Fastcan,
    Frols,
    Narx,
    Narxnn,
    Pyrenn,
    Skforecast,
    Torch,
    missing,
    quiet,
)

LAGS = 1, 2  # of the input from 0, of the output from 1
LENGTHS = {10_000: "a long run", 24: "a run of 24 steps"}
TERMS = 10  # of a polynomial
ITERATIONS = 10  # of a training
SINGLE = 1e-4  # agreement of a run in single precision
SAME = {Pyrenn: 1e-9, Skforecast: 1e-9, Narxnn: SINGLE, Torch: SINGLE}  # the same weights
OTHER = (Fastcan, Frols)


class Network(Narx):
    """Without the linear term, which no peer has."""

    options = {"linear_term": False, "max_iter": 20}


def beside(model, steps):
    """Seconds per step of narxkit, and of a peer with its weights or its own polynomial."""
    u, y = (np.ravel(v) for v in make_narendra(1000, random_state=0))
    narx = Network(*LAGS).fit(u, y)
    if model in SAME:
        peer = model(*LAGS).take_over(narx)
    else:
        peer = model(*LAGS, n_terms=TERMS).fit(u, y)
    fresh, truth = (np.ravel(v) for v in make_narendra(LAGS[1] + steps, random_state=1))
    runs = [partial(m.free_run, fresh, truth[: LAGS[1]]) for m in (narx, peer)]
    if model in SAME:
        ours, theirs = (run() for run in runs)
        np.testing.assert_allclose(theirs, ours, rtol=0, atol=SAME[model] * truth.std())
    return [stopwatch(run, steps) for run in runs]


def training(input_lags, n_rows=1000):
    """Seconds per iteration of closed-loop Levenberg-Marquardt from the same weights, and pyrenn's.

    One free run from a history of zeros, which is where pyrenn starts, in units in which neither
    scales. The input comes one row late, so that its lag 0 is what drives the plant. Each accepts
    its own steps; ten in a row are timed, with what comes before the first.
    """
    import pyrenn

    K = LAGS[1]
    u, y = (np.ravel(v) / np.abs(v).max() for v in make_narendra(n_rows, random_state=0))
    u = np.concatenate(([0.0], u[:-1]))
    history = [np.concatenate((np.zeros(K), v))[:, None] for v in (u, y)]
    network = TappedMLP(make_taps(input_lags, K, [0]), (HIDDEN,), linear_term=False)
    objective = Objective.over(network, Segments(*history, np.array([0, K + n_rows])), "closed")
    theta = network.initial(np.random.default_rng(0))
    peer = Pyrenn(input_lags, K)
    peer.load(*network.unpack(theta).coefs, *network.unpack(theta).intercepts)

    data, model = pyrenn.prepare_data(u[None], y[None], peer.model)
    J, sse, e = pyrenn.RTRL(model, data)
    JtJ, Jte, ours, _ = objective.normal_equations(theta)
    np.testing.assert_allclose(ours, sse, rtol=1e-9)
    np.testing.assert_allclose(*(np.sort(np.diagonal(A)) for A in (JtJ, J.T @ J)), rtol=1e-8)
    np.testing.assert_allclose(*(np.sort(np.abs(g)) for g in (Jte, J.T @ e)), rtol=1e-6)

    def compiled():
        monitor = Monitor(max_iter=ITERATIONS, tol=0)
        assert LevenbergMarquardt().solve(objective, theta, monitor).n_iter == ITERATIONS

    def looped():
        with quiet():
            pyrenn.train_LM(u[None], y[None], dict(peer.model), k_max=ITERATIONS)

    return stopwatch(compiled, ITERATIONS), stopwatch(looped, ITERATIONS)


def training_case(input_lags, n_params):
    taps = f"{input_lags + 1} + {LAGS[1]} taps, {HIDDEN} hidden, {n_params} weights"
    return Case(
        f"iteration of closed-loop training, 1,000 rows, {taps}",
        "pyrenn, the same network",
        partial(training, input_lags),
        target=300,
        figure="speed-up",
        unit="ms",
        repeats=5,
        needs=missing(Pyrenn.needs) or "narxkit",
    )


def cases(steps, where):
    """One for each peer."""
    kinds = dict.fromkeys(SAME, "the same weights") | dict.fromkeys(OTHER, f"its own {TERMS} terms")
    return [
        Case(
            f"step of {where}, 2 + 2 taps, 10 hidden",
            f"{package(model)}, {kind}",
            partial(beside, model, steps),
            figure="speed-up",
            unit="us",
            repeats=7,
            needs=missing(model.needs) or "narxkit",
        )
        for model, kind in kinds.items()
    ]


def package(model):
    """Its name without how it is trained."""
    return model.name.partition(",")[0]


SUITE = Suite(
    "Speed beside other packages, one thread",
    [
        *(case for length in LENGTHS.items() for case in cases(*length)),
        training_case(0, 51),
        training_case(1, 61),
    ],
    PACKAGES,
)
