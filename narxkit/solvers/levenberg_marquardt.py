"""Levenberg-Marquardt: Gauss-Newton steps, held short by a damping that learns.

It minimises the penalised sum of squares::

    loss(theta) = (e'e + sum_i penalty_i theta_i^2) / (2 n),    e = y_hat(theta) - y

With J the derivative of y_hat, Lambda = diag(penalty) and g = J'e + Lambda theta, a trial step is
the solution of::

    (J'J + Lambda + mu D) delta = -g

For small mu this is Gauss-Newton, which converges fast where the residuals are small or nearly
linear; for large mu it is a short step down the scaled gradient, which always lowers the loss in
the end. D, the running maximum of diag(J'J + Lambda), makes the steps indifferent to the units of
the parameters (More 1978), within the four decades that its floor leaves: 1e-8 of the largest
entry, so that parameters which the data do not see stay where they are.

Acceptance. A trial stands only if it lowers the loss; otherwise mu grows and the next trial starts
from the same theta. The gain ratio of an accepted step compares what it brought with what the
quadratic model had promised::

    rho = (loss(theta) - loss(theta + delta)) / ((mu delta'D delta - g'delta) / (2 n))

and mu shrinks only where the model held, rho > 3/4. Raising mu in small steps and lowering it in
larger ones ("delayed gratification", Transtrum and Sethna 2012) finds nearly the longest step that
still descends; on the NIST problems it ends in fewer traps than rules that jump to heavy damping
after a failure. A failed trial is cheap, one Cholesky and one forward pass, no J'J, and shrinking
mu only where the model held saves about half of them.

When to prefer it. Least squares with up to about a thousand parameters, where it reaches far lower
losses than first-order methods. An iteration costs n P^2 / 2 + P^3 / 6 multiplications: beyond that
size L-BFGS is the better choice.

References
----------
Levenberg 1944, Quarterly of Applied Mathematics 2, 164-168. Marquardt 1963, SIAM Journal on Applied
Mathematics 11, 431-441. More 1978, "The Levenberg-Marquardt algorithm: implementation and theory",
Lecture Notes in Mathematics 630, 105-116. Transtrum and Sethna 2012, "Improvements to the
Levenberg-Marquardt algorithm for nonlinear least-squares minimization", arXiv:1201.5885.
"""

from numbers import Integral, Real

from ._base import Solver
from ._damped import DampedSteps


class LevenbergMarquardt(Solver):
    """Levenberg-Marquardt with Cholesky factors and a scaled, adaptive damping.

    Each iteration solves ``(J'J + Lambda + mu D) delta = -g`` and raises mu until the step lowers
    the loss.

    Parameters
    ----------
    damping : float, default=1e-3
        The first mu, in units of the diagonal of J'J: 1e-3 trusts the model, 1 is careful.
    damping_increase : float, default=1.5
        The factor on mu after a rejected trial.
    damping_decrease : float, default=4.0
        The divisor of mu after an accepted step that the quadratic model had foreseen.
    n_trials : int, default=100
        The most trials of one iteration; where all fail, the run ends with Stop.STALLED.

    See Also
    --------
    narxkit.solvers.LBFGS : For more parameters than J'J can hold.

    References
    ----------
    Transtrum and Sethna 2012, arXiv:1201.5885. More 1978, Lecture Notes in Mathematics 630,
    105-116.

    Examples
    --------
    The lowest point of Rosenbrock's valley, as residuals ``10 (b - a^2)`` and ``1 - a``:

    >>> import numpy as np
    >>> from narxkit.solvers import LevenbergMarquardt, Monitor
    >>> class Rosenbrock:
    ...     penalty = np.zeros(2)
    ...     def residuals(self, theta):
    ...         a, b = theta
    ...         return np.array([10 * (b - a**2), 1 - a])
    ...     def value(self, theta):
    ...         e = self.residuals(theta)
    ...         return e @ e / 4
    ...     def normal_equations(self, theta):
    ...         e, J = self.residuals(theta), np.array([[-20 * theta[0], 10.0], [-1.0, 0.0]])
    ...         return J.T @ J, J.T @ e, e @ e, 2
    >>> result = LevenbergMarquardt().solve(Rosenbrock(), [-1.2, 1.0], Monitor())
    >>> result.theta.round(6)
    array([1., 1.])
    """

    requires = ("penalty", "value", "normal_equations")
    ranges = {
        "damping": (Real, 0.0),
        "damping_increase": (Real, 1.0),
        "damping_decrease": (Real, 1.0),
        "n_trials": (Integral, 1),
    }

    def __init__(self, damping=1e-3, damping_increase=1.5, damping_decrease=4.0, n_trials=100):
        self.damping = damping
        self.damping_increase = damping_increase
        self.damping_decrease = damping_decrease
        self.n_trials = n_trials

    def _solve(self, objective, theta, monitor, rng):
        loss = float(objective.value(theta))
        steps = DampedSteps(self, len(theta), monitor)
        stop = monitor.start(theta, loss)
        while stop is None:
            # J'J once an iteration; trials of damping share it
            steps.linearise(objective, theta)
            descent = steps.descend(objective.value, theta, loss)
            if descent is None:
                stop = monitor.stall()
            else:
                theta, loss = descent
                stop = monitor.step(theta, loss)
        return monitor.result(stop)
