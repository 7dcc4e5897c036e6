"""Damped Gauss-Newton steps: what Levenberg-Marquardt and Bayesian regularisation share.

The mathematics stands in :mod:`narxkit.solvers.levenberg_marquardt`.
"""

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotrs

EPS = np.finfo(float).eps
SCALE_FLOOR = 1e-8
MODEL_HELD = 0.75
LEAST_DAMPING = 1e-20


class DampedSteps:
    """The steps of one run: the damping mu and the scale D live on from one theta to the next.

    One (P, P) buffer takes every factor of ``(J'J + Lambda + mu D) delta = -g``.

    Parameters
    ----------
    solver : Solver
        It gives ``damping``, ``damping_increase``, ``damping_decrease`` and ``n_trials``.
    n_params : int
        P.
    monitor : Monitor
        Its flag ends a search.
    """

    def __init__(self, solver, n_params, monitor):
        self._solver = solver
        self._monitor = monitor
        self._mu = solver.damping
        self._A = np.empty((n_params, n_params), order="F")
        self._diagonal_of_A = np.einsum("ii->i", self._A)
        self._D = np.zeros(n_params)
        self.JtJ = None

    def linearise(self, objective, theta):
        """Take the data's part and the penalty at theta."""
        self.JtJ = None  # so that two never stand in memory at once
        self.JtJ, self._Jte, self.sse, self.n = objective.normal_equations(theta)
        self.penalise(theta, objective.penalty)

    def penalise(self, theta, penalty):
        """Take the gradient under a penalty, and widen D."""
        self._g = self._Jte + penalty * theta
        self._diagonal = np.diagonal(self.JtJ) + penalty
        # More's scaling never shrinks: a parameter that once mattered is not let loose where its
        # slope vanishes
        D = np.maximum(self._D, self._diagonal)
        self._D = np.maximum(D, SCALE_FLOOR * D.max())

    def loss(self, theta, penalty):
        """Return the loss under a penalty, where the data's part was taken."""
        return float(self.sse + penalty @ theta**2) / (2 * self.n)

    def descend(self, value, theta, loss):
        """Return the first trial that lowers the loss, as (theta, loss); None if none does."""
        mu = self._mu
        for _ in range(self._solver.n_trials):
            if self._monitor.interrupted:
                return None
            delta, promised = self._step(mu)
            if np.isfinite(promised):
                # a value costs a fraction of the Jacobian, so that trials are cheap
                trial = float(value(theta + delta))
                if trial < loss:
                    self._mu = self._next(mu, (loss - trial) / promised)
                    return theta + delta, trial
                if promised <= EPS * loss:
                    return None  # shorter steps promise even less: only rounding is left
            mu *= self._solver.damping_increase
        return None

    def _next(self, mu, gain):
        # damping falls only where the model foretold the gain: elsewhere it would soon rise again
        model_held = gain > MODEL_HELD
        return max(mu / self._solver.damping_decrease, LEAST_DAMPING) if model_held else mu

    def _step(self, mu):
        """Return delta and the decrease of the loss it promises; (None, inf) if Cholesky fails."""
        A, D, g = self._A, self._D, self._g
        # JtJ is C-ordered and symmetric: its transpose is the Fortran order that LAPACK factors in
        # place
        A.T[...] = self.JtJ
        self._diagonal_of_A[...] = self._diagonal + mu * D
        factor, failed = dpotrf(A, lower=True, overwrite_a=True, clean=False)
        if failed:
            return None, np.inf
        delta = -dpotrs(factor, g, lower=True)[0]
        # the decrease of the quadratic model: (mu d'Dd - g'd) / 2, per row
        return delta, float(mu * delta @ (D * delta) - g @ delta) / (2 * self.n)
