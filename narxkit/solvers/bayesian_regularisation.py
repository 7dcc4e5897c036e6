"""Bayesian regularisation: Levenberg-Marquardt under a penalty that the data choose.

It maximises the evidence: the probability of the data under a prior, all parameters integrated out.
Residuals are normal with variance 1 / beta, and the parameters of each group g are normal around
zero with variance 1 / alpha_g. With E_D = SSE / 2 and E_W(g) = sum theta_i^2 / 2 over g, the most
probable theta minimises beta E_D + sum_g alpha_g E_W(g): the loss of every solver, with::

    penalty_i = alpha_g / beta,    loss(theta) = (SSE + sum_i penalty_i theta_i^2) / (2 n)

An iteration is one accepted step of Levenberg-Marquardt on this loss, after the penalty was
estimated anew where it starts (MacKay 1992, with the Gauss-Newton Hessian of Foresee and Hagan
1997)::

    H = beta J'J + diag(alpha),                gamma_g = N_g - alpha_g tr_g(H^-1)
    alpha_g = gamma_g / (2 E_W(g)),            beta = (n_eff - gamma) / (2 E_D)

gamma_g, between 0 and N_g, counts the parameters of the group that the data determine and the
prior does not; their sum over all parameters, gamma, is ``n_effective_params`` of the result. The
formulas hold where theta is the most probable one. On the way there the penalty goes only half as
far, on a logarithmic scale: the whole way overshoots, as theta has not yet answered.

Groups. Each group of ``objective.groups`` has its own alpha: the weights of a network want a
different one than its linear term. "intercepts", and parameters in no group, have none: all of
them count as determined. Without ``groups`` all parameters form one group.

Correlated residuals. Along a rollout residuals are not white: n of them tell as much as
n_eff = n / tau independent ones, tau = ``objective.correlation_time(theta)``, 1 without that verb.

The loss curve. Neither the plain error nor the penalised loss can say which of two iterations is
better once penalties differ: both are lowest where nothing is penalised and noise is learned. The
curve is therefore the evidence itself, of the parameters in groups given the others. With A the
block of J'J + diag(penalty) that belongs to them, and the best beta put in::

    -2 log evidence = n_eff log(loss) + log(det A / prod penalty) + constant

It is told in units of the loss, as that of a model without parameters that would explain the data
equally well::

    loss exp(log(det A / prod penalty) / n_eff)

the penalised loss times Occam's factor, at least 1, for all that the data had to set. It falls as
the evidence grows, so that convergence, the best parameters and restarts are all analysed by
evidence; it need not fall in every single iteration. With a held-out set the held-out loss decides,
as everywhere.

When to prefer it. Few or noisy data and no wish to search for alpha: nothing need be held out, and
gamma tells how much of the network the data deserve. An iteration costs one more factor and one
more inverse than one of Levenberg-Marquardt, and more iterations are needed. Residuals that are far
from normal, or fewer data than intercepts, are outside of its theory; the estimate of the noise
then keeps one residual at least, so that the run ends all the same.

References
----------
MacKay 1992, "A practical Bayesian framework for backpropagation networks", Neural Computation 4,
448-472. Foresee and Hagan 1997, "Gauss-Newton approximation to Bayesian learning", International
Conference on Neural Networks, 1930-1935.
"""

from dataclasses import dataclass, replace
from numbers import Integral, Real

import numpy as np
from scipy.linalg import LinAlgError, cholesky, solve_triangular

from ._base import Solver
from ._damped import DampedSteps

# Bounds of the penalty, and the floor of what is unpenalised, in units of the largest of diag(J'J).
LEAST, MOST = 1e-10, 1e10
SETTLED = 1e-9


class BayesianRegularisation(Solver):
    """Levenberg-Marquardt under a penalty that is re-estimated by evidence.

    Each iteration estimates ``penalty = alpha / beta`` for each group of parameters, then takes one
    step of Levenberg-Marquardt under it.

    Parameters
    ----------
    damping : float, default=1e-3
        The first mu, in units of the diagonal of J'J: 1e-3 trusts the model, 1 is careful.
    damping_increase : float, default=1.5
        The factor on mu after a rejected trial.
    damping_decrease : float, default=4.0
        The divisor of mu after an accepted step that the quadratic model had foreseen.
    n_trials : int, default=100
        The most trials of one iteration; where all fail, the penalty is estimated anew.

    See Also
    --------
    narxkit.solvers.LevenbergMarquardt : Under the penalty given.

    Notes
    -----
    The objective's own penalty is where the estimate starts. The loss in the result and its curve
    is the evidence in units of the loss; ``penalty`` and ``n_effective_params`` of the result
    belong to its theta.

    References
    ----------
    MacKay 1992, Neural Computation 4, 448-472. Foresee and Hagan 1997, International Conference on
    Neural Networks, 1930-1935.

    Examples
    --------
    Forty bumps through 30 noisy points of a sine, which needs about seven of them:

    >>> import numpy as np
    >>> from narxkit.solvers import BayesianRegularisation, Monitor
    >>> x, centres = np.linspace(-1, 1, 30), np.linspace(-1, 1, 40)
    >>> y = np.sin(3 * x) + 0.1 * np.random.default_rng(0).normal(size=30)
    >>> class Bumps:
    ...     J = np.exp(-(((x[:, None] - centres) / 0.4) ** 2))
    ...     def __init__(self, penalty):
    ...         self.penalty = penalty
    ...     def with_penalty(self, penalty):
    ...         return Bumps(penalty)
    ...     def value(self, theta):
    ...         e = self.J @ theta - y
    ...         return (e @ e + self.penalty @ theta**2) / (2 * len(y))
    ...     def normal_equations(self, theta):
    ...         e = self.J @ theta - y
    ...         return self.J.T @ self.J, self.J.T @ e, e @ e, len(y)
    >>> solver = BayesianRegularisation()
    >>> result = solver.solve(Bumps(np.zeros(40)), np.zeros(40), Monitor())
    >>> round(result.n_effective_params)
    7
    """

    requires = ("penalty", "with_penalty", "value", "normal_equations")
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
        prior = _Prior(objective, len(theta))
        steps = DampedSteps(self, len(theta), monitor)
        steps.linearise(objective, theta)
        evidence = best = prior.weigh(steps, theta, prior.start(steps))
        stop, penalty = monitor.start(theta, evidence.loss), evidence.penalty
        while stop is None:
            # under a penalty that moves, losses of two iterations do not compare: the evidence does
            penalised = objective.with_penalty(penalty)
            steps.penalise(theta, penalty)
            descent = steps.descend(penalised.value, theta, steps.loss(theta, penalty))
            if descent is not None:
                theta, _ = descent
                steps.linearise(penalised, theta)
            elif monitor.interrupted or evidence.is_settled:
                stop = monitor.stall()
                break
            evidence = prior.weigh(steps, theta, penalty)
            if not np.isfinite(evidence.loss):
                stop = monitor.stall()
                break
            stop, penalty = monitor.step(theta, evidence.loss), evidence.next_penalty
            best = evidence if monitor.is_best else best
        return replace(
            monitor.result(stop),
            penalty=best.penalty,
            n_effective_params=best.n_effective_params,
        )


@dataclass(frozen=True, eq=False)
class _Evidence:
    """Evidence at one theta under one penalty; ``loss`` is the evidence in its units."""

    penalty: np.ndarray
    loss: float = np.nan
    n_effective_params: float = np.nan
    next_penalty: np.ndarray | None = None

    @property
    def is_settled(self):
        """Whether the estimate of the penalty no longer moves."""
        return np.allclose(self.next_penalty, self.penalty, rtol=SETTLED, atol=0.0)


class _Prior:
    """Groups of parameters that share an alpha, and their evidence."""

    def __init__(self, objective, n_params):
        named = getattr(objective, "groups", {"all": np.ones(n_params, dtype=bool)})
        self._groups = [m for name, m in named.items() if name != "intercepts" and m.any()]
        self._bound = np.any([np.zeros(n_params, dtype=bool), *self._groups], axis=0)
        self._order = np.argsort(~self._bound, kind="stable")  # the unpenalised last
        self._objective = objective

    def start(self, steps):
        """Return the objective's penalty, as one number for each group."""
        means = [self._objective.penalty[group].mean() for group in self._groups]
        return self._within_bounds(means, steps)

    def weigh(self, steps, theta, penalty):
        """Return the evidence at theta, from the normal equations there."""
        tau = getattr(self._objective, "correlation_time", lambda theta: 1.0)(theta)
        try:
            variance, occam = self._invert(steps, penalty)
        except LinAlgError:
            return _Evidence(penalty)
        # MacKay's number of well-determined parameters: P - alpha tr A^-1
        gammas = [g.sum() - penalty[g] @ variance[g] for g in self._groups]
        gamma = np.sum(~self._bound) + sum(gammas)
        # errors along a rollout depend on each other, and count for fewer
        n_eff = steps.n / tau
        # 1 / beta, with the parameters that the data paid for taken off
        noise = steps.sse / max(n_eff - gamma, 1.0)
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            loss = steps.loss(theta, penalty) * np.exp(occam / n_eff)
            # alpha / beta = gamma / |w|^2 times the noise
            ratios = [c * noise / np.sum(theta[g] ** 2) for c, g in zip(gammas, self._groups)]
            estimate = self._within_bounds(ratios, steps)
        # the geometric mean damps the fixed point
        return _Evidence(penalty, float(loss), float(gamma), np.sqrt(penalty * estimate))

    def _within_bounds(self, ratios, steps):
        """Return the penalty vector of one alpha / beta for each group."""
        scale = _scale(steps)
        penalty = np.zeros(len(self._bound))
        for group, ratio in zip(self._groups, ratios):
            penalty[group] = np.clip(np.nan_to_num(ratio), LEAST * scale, MOST * scale)
        return penalty

    def _invert(self, steps, penalty):
        """Return the diagonal of A^-1, and log(det A / prod penalty) of the penalised block."""
        if not np.isfinite(steps.sse):
            raise LinAlgError("the normal equations are not finite")
        A = steps.JtJ[np.ix_(self._order, self._order)]
        # unpenalised parameters need a little, or a tap without variance would fail Cholesky
        ridge = np.where(self._bound, penalty, LEAST * _scale(steps))[self._order]
        np.einsum("ii->i", A)[...] += ridge
        L = cholesky(A, lower=True, overwrite_a=True, check_finite=False)
        inverse = solve_triangular(L, np.eye(len(L)), lower=True, check_finite=False)
        variance = np.empty(len(penalty))
        variance[self._order] = np.einsum("ij,ij->j", inverse, inverse)
        bound = penalty[self._bound]
        # the leading block of the factor is that of the penalised parameters, ordered first
        occam = 2 * np.log(np.diagonal(L)[: len(bound)]).sum() - np.log(bound).sum()
        return variance, occam


def _scale(steps):
    return np.diagonal(steps.JtJ).max() or 1.0
