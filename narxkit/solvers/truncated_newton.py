"""Truncated Newton: Newton's step, solved for no longer than it is worth.

It minimises any smooth loss. The step d of Newton's method solves::

    H d = -g

with H the Hessian. Truncated Newton solves it by preconditioned linear conjugate gradients, which
need H only as a product with a vector, and that is the difference of two gradients::

    H v = (g(theta + h v) - g(theta)) / h

It stops early: at a direction of negative curvature, when the quadratic model gains little more, or
after ``n_products`` products. A line search follows. SciPy's TNC does this (Nash 1984), here
without bounds.

When to prefer it. Thousands of parameters whose valleys are so curved that the few pairs of L-BFGS
do not describe them: an iteration sees the curvature of today, at the price of a gradient for each
product. Counted in iterations it is short, counted in gradients often not.

References
----------
Nash 1984, "Newton-type minimization via the Lanczos method", SIAM Journal on Numerical Analysis 21,
770-788. Dembo and Steihaug 1983, Mathematical Programming 26, 190-212.
"""

from numbers import Integral

from ._base import Solver
from ._scipy import minimise

UNLIMITED = 2**31 - 1  # SciPy counts gradients in a C int


class TruncatedNewton(Solver):
    """Truncated Newton steps through SciPy's TNC.

    Each iteration solves ``H d = -g`` by at most ``n_products`` steps of conjugate gradients.

    Parameters
    ----------
    n_products : int, default=50
        The most products of H with a vector in one iteration, a gradient each.

    See Also
    --------
    narxkit.solvers.LBFGS : Spends one or two gradients on an iteration.

    References
    ----------
    Nash 1984, SIAM Journal on Numerical Analysis 21, 770-788.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.optimize import rosen, rosen_der
    >>> from narxkit.solvers import Monitor, TruncatedNewton
    >>> class Rosenbrock:
    ...     def value_and_grad(self, theta):
    ...         return rosen(theta), rosen_der(theta)
    >>> result = TruncatedNewton().solve(Rosenbrock(), [-1.2, 1.0], Monitor(tol=0))
    >>> result.theta.round(6)
    array([1., 1.])
    """

    requires = ("value_and_grad",)
    ranges = {"n_products": (Integral, 1)}

    def __init__(self, n_products=50):
        self.n_products = n_products

    def _solve(self, objective, theta, monitor, rng):
        options = {
            "maxCGit": self.n_products,
            "maxfun": UNLIMITED,
            "ftol": 0.0,
            "xtol": 0.0,
            "gtol": 0.0,
        }
        return minimise(objective, theta, monitor, "TNC", options)
