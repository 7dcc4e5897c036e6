"""Nonlinear conjugate gradients: directions that do not undo one another, from two vectors.

It minimises any smooth loss. With g the gradient, the step runs along::

    d_k = -g_k + beta_k d_{k-1},    beta_k = max(0, g_k'(g_k - g_{k-1}) / g_{k-1}'g_{k-1})

(Polak and Ribiere, with the restart of Powell where beta would be negative), to a point that meets
the strong Wolfe conditions and from which the next direction descends (Gilbert and Nocedal 1992).
On a quadratic of P parameters with exact steps it ends after P iterations. SciPy's CG does this.

When to prefer it. Where even the ten pairs of vectors of L-BFGS are too many, or as the classical
yardstick. It remembers one direction only and needs more line searches than L-BFGS, which is
usually the better choice.

References
----------
Polak and Ribiere 1969, Revue francaise d'informatique et de recherche operationnelle 3 (R1), 35-43.
Gilbert and Nocedal 1992, "Global convergence properties of conjugate gradient methods for
optimization", SIAM Journal on Optimization 2, 21-42.
"""

from numbers import Real

import numpy as np

from ._base import Solver
from ._scipy import minimise


class ConjugateGradient(Solver):
    """Nonlinear conjugate gradients of Polak and Ribiere through SciPy's CG.

    Each iteration steps along ``-g + beta d``, d the direction before.

    Parameters
    ----------
    curvature : float, default=0.4
        How far a line search must flatten the slope, a fraction of at least 2e-4 and
        below 1: smaller means more exact, and longer, searches.

    See Also
    --------
    narxkit.solvers.LBFGS : Remembers more of the past.

    References
    ----------
    Gilbert and Nocedal 1992, SIAM Journal on Optimization 2, 21-42.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.optimize import rosen, rosen_der
    >>> from narxkit.solvers import ConjugateGradient, Monitor
    >>> class Rosenbrock:
    ...     def value_and_grad(self, theta):
    ...         return rosen(theta), rosen_der(theta)
    >>> result = ConjugateGradient().solve(Rosenbrock(), [-1.2, 1.0], Monitor(tol=0))
    >>> result.theta.round(6)
    array([1., 1.])
    """

    requires = ("value_and_grad",)
    ranges = {"curvature": (Real, 2e-4, 1.0)}

    def __init__(self, curvature=0.4):
        self.curvature = curvature

    def _solve(self, objective, theta, monitor, rng):
        options = {"gtol": 0.0, "norm": np.inf, "maxiter": monitor.max_iter, "c2": self.curvature}
        return minimise(objective, theta, monitor, "CG", options)
