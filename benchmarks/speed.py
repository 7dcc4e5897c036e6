"""Speed: a step of a free run, an iteration of training, a whole backtest."""

from functools import partial

import numpy as np
from scipy.linalg.blas import dsyrk
from sklearn.base import clone

from narxkit import NARX, LevenbergMarquardt, backtest
from narxkit.datasets import make_narendra
from narxkit.evaluation import find_task
from narxkit.networks import TappedMLP, make_taps
from narxkit.rows.rollouts import Rollouts
from narxkit.rows.segments import Segments
from narxkit.solvers import Monitor
from narxkit.training.objective import Objective

from .byhand import (
    contraction,
    numpy_free_run,
    numpy_rollouts,
    random_series,
    torch_free_run,
    torch_functions,
    torch_gradient,
    torch_modules,
)
from .harness import Case, stopwatch
from .report import Suite

STEPS = 10_000
LOOP_STEPS = 1_000  # of the slow loops, whose time per step is the same in a longer run
ROWS = 8_760
N_PATHS, HORIZON = 1_000, 24


def small_network():
    """2 + 2 taps and 10 hidden units."""
    return TappedMLP(make_taps(1, 2, [0]), (10,))


def large_network(linear_term=True):
    """24 + 48 taps and 10 hidden units."""
    return TappedMLP(make_taps(23, 24, [0, 1]), (10,), linear_term=linear_term)


def free_run(make_network, loop):
    """Seconds per step: one call of the kernel, and a loop that gives the same numbers."""
    network = make_network()
    origin = network.taps.reach.history
    segments = random_series(origin + STEPS, network.taps.n_inputs)
    theta = contraction(network)
    origins, lengths = np.array([origin]), np.array([STEPS])

    def compiled():
        return network.rollout(theta, Rollouts(segments, origins, lengths))[0]

    def looped():
        return loop(network, theta, segments, origin, LOOP_STEPS)

    np.testing.assert_allclose(looped(), compiled()[0, :LOOP_STEPS, 0], rtol=1e-9, atol=1e-12)
    return stopwatch(compiled, STEPS), stopwatch(looped, LOOP_STEPS)


def simulation():
    """Seconds per step: ``NARX.simulate`` with all its checks, and the bare kernel below it."""
    network = small_network()
    segments = random_series(2 * STEPS, 1)
    model = NARX(1, 2, alpha=1e-4, linear_alpha=0.0, max_iter=5, random_state=0)
    model.fit(segments.u[:STEPS], segments.y[:STEPS, 0])
    X, y_init = segments.u[STEPS:], segments.y[STEPS : STEPS + 2, 0]
    origins, lengths = np.array([STEPS]), np.array([STEPS])
    return (
        stopwatch(lambda: model.simulate(X, y_init), STEPS),
        stopwatch(
            lambda: network.rollout(model.theta_, Rollouts(segments, origins, lengths)), STEPS
        ),
    )


def sample_paths():
    """Sample paths of a forecast, and the forecast alone."""
    X, y = make_narendra(1_000, random_state=0)
    model = NARX([1, 2], 2, (10,), alpha=1e-3, random_state=0).fit(X[:900], y[:900])
    future = X[900 : 900 + HORIZON]
    model.forecast(X=future, n_paths=1)  # learns how far the model errs
    paths = partial(model.forecast, X=future, n_paths=N_PATHS)
    return stopwatch(paths), stopwatch(partial(model.forecast, X=future))


def training_problem(n_rows):
    """An objective with `n_rows` target rows and 741 parameters, and where to start."""
    network = large_network(linear_term=False)
    segments = random_series(n_rows + network.taps.reach.history, network.taps.n_inputs)
    objective = Objective.over(network, segments, alpha=1e-4)
    return objective, network.initial(np.random.default_rng(0))


def iterate(objective, theta):
    """One iteration of Levenberg-Marquardt from start to end: J'J, a factor, a trial step."""
    return LevenbergMarquardt().solve(objective, theta, Monitor(max_iter=1), None)


def training_iteration():
    """Seconds of an iteration, and of J'J alone by BLAS from a Jacobian that is there already."""
    objective, theta = training_problem(ROWS)
    _, J = objective.residuals_and_jacobian(theta)
    JtJ = np.zeros((objective.n_params, objective.n_params), order="F")

    def bare():
        return dsyrk(1.0, J.T, beta=0.0, c=JtJ, overwrite_c=True)

    np.testing.assert_allclose(np.triu(bare()), np.triu(objective.normal_equations(theta)[0]))
    return stopwatch(lambda: iterate(objective, theta)), stopwatch(bare)


def closed_problem(n_rows):
    """A free run over `n_rows` rows, 4 + 3 taps and 12 hidden units, and where to start."""
    network = TappedMLP(make_taps(2, 4, [0]), (12,))
    segments = random_series(n_rows + network.taps.reach.history, 1)
    return network, segments, contraction(network)


def closed_iteration(n_rows):
    """Seconds of an iteration over one free run, and of one over single steps."""
    network, segments, theta = closed_problem(n_rows)
    closed, single = (
        Objective.over(network, segments, loop, alpha=1e-4) for loop in ("closed", "open")
    )
    return (
        stopwatch(lambda: iterate(closed, theta)),
        stopwatch(lambda: iterate(single, theta)),
    )


def closed_growth():
    """Seconds per row of derivatives and one trial, over 20,000 rows and over 2,000.

    Not of an iteration: how many trials it takes depends on the data, not on their length.
    """
    theta = closed_problem(10)[2]

    def gauge(n_rows):
        objective = Objective.over(*closed_problem(n_rows)[:2], "closed")
        work = (objective.normal_equations, objective.value)
        return stopwatch(lambda: [verb(theta) for verb in work], n_rows)

    return gauge(20_000), gauge(2_000)


def restarts(n_rows):
    """Seconds of four restarts in two threads and in one, which end at the same weights."""
    u, y = make_narendra(n_rows, random_state=0)
    penalty = {"alpha": 1e-4, "linear_alpha": 0.0}  # given, so that training alone is measured
    model = NARX(2, 4, (12,), loop="closed", n_restarts=4, max_iter=10, tol=0, random_state=0)
    model.set_params(**penalty)

    def fit(n_jobs):
        return clone(model).set_params(n_jobs=n_jobs).fit(u, y)

    np.testing.assert_array_equal(fit(2).theta_, fit(1).theta_)
    return stopwatch(lambda: fit(2)), stopwatch(lambda: fit(1))


def closed_gradient(n_rows=500):
    """Seconds per step of the gradient through time, and by PyTorch's eager loop."""
    network, segments, theta = closed_problem(n_rows)
    objective = Objective.over(network, segments, "closed")
    origin = int(objective.rollouts.origins[0])

    def compiled():
        return objective.value_and_grad(theta)

    def looped():
        return torch_gradient(network, theta, segments, origin, n_rows)

    np.testing.assert_allclose(looped()[1] / n_rows, compiled()[1], rtol=1e-8, atol=1e-12)
    return stopwatch(compiled, n_rows), stopwatch(looped, n_rows)


def solar_backtest():
    """Seconds of ``backtest`` over the solar test year, and of its rollouts by NumPy."""
    task = find_task("solar")
    data = task.read()
    train, test = data.loc["2017"], data.loc["2023"]
    X, y = test[task.features], test[task.target]
    model = task.network(random_state=0).set_params(max_iter=10, early_stopping=False)
    model.fit(train[task.features], train[task.target])
    mean, std = train.mean(), train.std(ddof=0)
    standardised = standardise(test, mean, std)
    origins = task.origins(test)
    first = test.index.get_indexer(origins) + 1

    def public():
        return backtest(model, X, y, steps=task.steps, origins=origins)

    def by_hand():
        network, theta = model.structure_, model.theta_
        y_hat = numpy_rollouts(network, theta, standardised, first, task.steps)
        return y_hat * std[task.target] + mean[task.target]

    np.testing.assert_allclose(public()["y_hat"], by_hand().ravel(), rtol=1e-9, atol=1e-6)
    return stopwatch(public), stopwatch(by_hand)


def standardise(solar, mean, std):
    """Solar rows as one segment, in standard deviations from the mean."""
    z = (solar - mean) / std
    limits = solar["limit"].to_numpy()[:, None] * [0.0, 1.0]
    low, high = np.hsplit((limits - mean["ghi"]) / std["ghi"], 2)
    edges = np.array([0, len(solar)])
    return Segments(z[["clear_sky"]].to_numpy(), z[["ghi"]].to_numpy(), edges, low, high)


SUITE = Suite(
    "Speed, one thread",
    [
        Case(
            "step of a free run, 2 + 2 taps, 10 hidden",
            "NumPy loop",
            partial(free_run, small_network, numpy_free_run),
            target=100,
            unit="ns",
        ),
        Case(
            "step of a free run, 24 + 48 taps, 10 hidden",
            "NumPy loop",
            partial(free_run, large_network, numpy_free_run),
            target=500,
            unit="ns",
        ),
        Case(
            "step of a free run, 2 + 2 taps, 10 hidden",
            "NumPy loop",
            partial(free_run, small_network, numpy_free_run),
            target=30,
            figure="speed-up",
            unit="ns",
        ),
        Case(
            "step of a free run, 2 + 2 taps, 10 hidden",
            "PyTorch loop of modules",
            partial(free_run, small_network, partial(torch_free_run, torch_modules)),
            target=300,
            figure="speed-up",
            unit="ns",
            needs="torch",
        ),
        Case(
            "step of a free run, 2 + 2 taps, 10 hidden",
            "PyTorch loop of functions",
            partial(free_run, small_network, partial(torch_free_run, torch_functions)),
            target=300,
            figure="speed-up",
            unit="ns",
            needs="torch",
        ),
        Case(
            "step of NARX.simulate, 2 + 2 taps, 10 hidden",
            "its kernel alone",
            simulation,
            figure="excess",
            unit="ns",
        ),
        Case(
            f"{N_PATHS:,} sample paths of {HORIZON} steps, 2 + 2 taps, 10 hidden",
            "the forecast alone",
            sample_paths,
            target=5,
        ),
        Case(
            "iteration of training, 8,760 rows, 741 weights",
            "dsyrk of its Jacobian",
            training_iteration,
            target=1.3,
            figure="ratio",
            repeats=9,
        ),
        Case(
            "iteration of closed-loop training, 20,000 rows, 116 weights",
            "the same one step ahead",
            partial(closed_iteration, 20_000),
            target=40,
            repeats=9,
        ),
        Case(
            "its derivatives and a trial, per row",
            "the same at 2,000 rows",
            closed_growth,
            target=1.12,  # a growth with the 1.05th power of the rows
            figure="ratio",
            unit="us",
            repeats=9,
        ),
        Case(
            "four restarts in two threads, closed loop, 20,000 rows",
            "in one thread",
            partial(restarts, 20_000),
            target=1.8,
            figure="speed-up",
            unit="s",
            repeats=5,
        ),
        Case(
            "gradient through time of a step, 4 + 3 taps, 12 hidden",
            "PyTorch, eager loop",
            closed_gradient,
            target=200,
            figure="speed-up",
            unit="ns",
            repeats=5,
            needs="torch",
        ),
        Case(
            "backtest, 8,689 origins x 24 steps",
            "its rollouts in NumPy",
            solar_backtest,
            target=200,
            repeats=9,
        ),
    ],
)
