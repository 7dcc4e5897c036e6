"""L-BFGS: quasi-Newton steps from the last few gradients.

It minimises any smooth loss. The update is ``theta + s d`` along ``d = -H g``, where H
approximates the inverse Hessian from the last ``memory`` pairs of steps and gradient changes, in
``O(memory P)`` operations and numbers, and s meets the strong Wolfe conditions. SciPy's L-BFGS-B
does this (Byrd, Lu, Nocedal and Zhu 1995; Morales and Nocedal 2011), here without bounds.

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

from ._base import Solver
from ._scipy import minimise


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
        options = {
            "maxcor": self.memory,
            "maxls": self.n_trials,
            "maxiter": monitor.max_iter,
            "maxfun": np.inf,
            "ftol": 0.0,
            "gtol": 0.0,
        }
        return minimise(objective, theta, monitor, "L-BFGS-B", options)
