"""Two problems of MATLAB's comparison of training functions, and how many epochs a solver takes.

Beale, Hagan and Demuth, "Deep Learning Toolbox User's Guide", chapter "Choose a Multilayer Neural
Network Training Function".
"""

import numpy as np

from narxkit.networks import TappedMLP, make_taps
from narxkit.rows.segments import Segments
from narxkit.solvers import Monitor, Stop
from narxkit.training.objective import Objective


def static(X, y, hidden, alpha=0.0):
    """Return a network without memory."""
    X, y = np.ascontiguousarray(X, dtype=float), np.asarray(y, dtype=float)[:, None]
    taps = make_taps(0, [], range(X.shape[1]))
    segments = Segments(X, y, np.array([0, len(y)]))
    return Objective.over(TappedMLP(taps, hidden, linear_term=False), segments, alpha=alpha)


def sine():
    """Return one period of the sine for 5 hidden units."""
    x = np.linspace(-np.pi, np.pi, 41)
    return static(x[:, None], np.sin(x), (5,))


def parity():
    """Make the problem of whether an odd number of three bits is set, for two layers of 10."""
    X = np.array(list(np.ndindex(2, 2, 2))) * 2.0 - 1
    return static(X, X.prod(axis=1), (10, 10))


TARGETS = {sine: 2e-3, parity: 1e-3}  # mean squared errors


def mse(objective, theta):
    """Return the data's error, without penalty."""
    return 2 * objective.with_penalty(np.zeros(len(theta))).value(theta)


def epochs_to(target, solver, objective, theta, seed, max_iter):
    """Return iterations until the mean squared error is below the target, None if it never is."""

    def is_reached(iteration):
        return mse(objective, iteration.theta) < target

    monitor = Monitor(max_iter=max_iter, tol=0, callback=is_reached)
    result = solver.solve(objective, theta, monitor, np.random.default_rng(seed))
    return result.n_iter if result.stop is Stop.CALLBACK else None
