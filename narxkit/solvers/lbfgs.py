"""L-BFGS: quasi-Newton steps from the last few gradients.

It minimises any smooth loss. The update is ``theta + s d`` along ``d = -H g``, where H
approximates the inverse Hessian from the last ``memory`` pairs of steps and gradient changes, in
``O(memory P)`` operations and numbers, and s meets the strong Wolfe conditions. SciPy's L-BFGS-B
does this (Byrd, Lu, Nocedal and Zhu 1995; Morales and Nocedal 2011), here without bounds.

Backing away. The line search of L-BFGS-B interpolates, and one infinite loss would turn it to NaN.
So where the loss at a trial is not finite, the search is shown a parabola in its place: it leaves
the accepted theta with the true slope and has its minimum at a tenth of the trial step, which is
therefore tried next. With ``d`` the trial step from there and ``c = |g'd|``, the parabola gives
``loss + 4 c`` at the trial, with the gradient ``9 c d / d'd``.

When to prefer it. Thousands of parameters, many outputs, or a first polish of a large network: an
iteration costs one or two gradients and no matrix. On least squares with fewer than a thousand
parameters Levenberg-Marquardt gets further.

References
----------
Liu and Nocedal 1989, Mathematical Programming 45, 503-528. Byrd, Lu, Nocedal and Zhu 1995, SIAM
Journal on Scientific Computing 16, 1190-1208. Morales and Nocedal 2011, ACM Transactions on
Mathematical Software 38, 7.
"""

from numbers import Integral

import numpy as np
from scipy.optimize import minimize

from ._base import Solver, Stop


class LBFGS(Solver):
    """Limited-memory BFGS through SciPy's L-BFGS-B.

    Each iteration steps along ``-H g``, H built from the last ``memory`` gradients.

    Parameters
    ----------
    memory : int, default=10
        How many pairs of steps and gradient changes to remember.
    n_trials : int, default=30
        The most trials of one line search; where all fail, the run ends with Stop.STALLED.

    See Also
    --------
    narxkit.solvers.LevenbergMarquardt : For least squares of up to about a thousand parameters.

    References
    ----------
    Byrd, Lu, Nocedal and Zhu 1995, SIAM Journal on Scientific Computing 16, 1190-1208.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.optimize import rosen, rosen_der
    >>> from narxkit.solvers import LBFGS, Monitor
    >>> class Rosenbrock:
    ...     def value_and_grad(self, theta):
    ...         return rosen(theta), rosen_der(theta)
    >>> result = LBFGS().solve(Rosenbrock(), [-1.2, 1.0], Monitor(tol=0))
    >>> result.theta.round(6)
    array([1., 1.])
    """

    requires = ("value_and_grad",)
    ranges = {"memory": (Integral, 1), "n_trials": (Integral, 1)}

    def __init__(self, memory=10, n_trials=30):
        self.memory = memory
        self.n_trials = n_trials

    def _solve(self, objective, theta, monitor, rng):
        run = _Run(objective, monitor, theta)
        stop = monitor.start(theta, run.loss)
        if stop is None:
            stop = self._minimise(run, theta, monitor)
        return monitor.result(stop)

    def _minimise(self, run, theta, monitor):
        # Tolerances are the Monitor's: SciPy is left only the endings where nothing moves.
        options = {
            "maxcor": self.memory,
            "maxls": self.n_trials,
            "maxiter": monitor.max_iter,
            "maxfun": np.inf,
            "ftol": 0.0,
            "gtol": 0.0,
        }
        try:
            minimize(
                run.value_and_grad,
                theta,
                jac=True,
                method="L-BFGS-B",
                callback=run.accept,
                options=options,
            )
        except _Interrupted:
            return Stop.INTERRUPTED
        return run.stop or monitor.stall()


class _Interrupted(Exception):
    """The stop flag was seen inside SciPy's loop."""


class _Run:
    """The objective and the Monitor as SciPy wants to see them: two functions.

    ``theta``, ``loss`` and ``grad`` belong to the last accepted point, ``_last`` to the last point
    with a finite loss, which is the one that SciPy accepts next.
    """

    def __init__(self, objective, monitor, theta):
        self._objective = objective
        self._monitor = monitor
        self.stop = None
        self._last = (theta, *objective.value_and_grad(theta))
        self.theta, self.loss, self.grad = self._last

    def value_and_grad(self, theta):
        loss, grad = self._objective.value_and_grad(theta)
        if self._monitor.interrupted:
            raise _Interrupted
        if not (np.isfinite(loss) and np.isfinite(grad).all()):
            return self._parabola(theta - self.theta)
        self._last = theta, loss, grad
        return loss, grad

    def accept(self, intermediate_result):
        self.theta, self.loss, self.grad = self._last
        self.stop = self._monitor.step(intermediate_result.x, intermediate_result.fun)
        if self.stop is not None:
            raise StopIteration

    def _parabola(self, d):
        c = abs(self.grad @ d)
        return self.loss + 4 * c, 9 * c / (d @ d) * d
