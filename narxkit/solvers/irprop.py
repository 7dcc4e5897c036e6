"""iRprop+: each parameter its own step, of which the gradient decides only the sign.

It minimises any smooth loss. With g the gradient, every parameter i moves by a step Delta_i of its
own, against the sign of g_i. Where that sign is the same as in the iteration before, the step was
too short; where it changed, a minimum was jumped over::

    same sign:     Delta_i = min(increase Delta_i, step_max),   theta_i -= sign(g_i) Delta_i
    sign changed:  Delta_i = max(decrease Delta_i, step_min),   and theta_i stays; but where the
                   loss rose, its last move is taken back
    after that:    theta_i -= sign(g_i) Delta_i

Taking moves back only where the loss rose is the "+" and the "i" of the name (Igel and Huesken
2003): a changed sign alone does not tell whether the jump did harm.

Backing away. Where the loss or the gradient is not finite, the whole move is taken back and all its
steps shrink by ``decrease``, until one succeeds.

When to prefer it. Full-batch training where the loss is rough or the gradient's size says little
(saturated units, long rollouts, many parameters): an iteration costs one gradient, there is nothing
to tune, and units of the parameters do not matter. It is slow in valleys that run askew, and the
loss may rise from one iteration to the next; the best parameters are kept.

References
----------
Igel and Huesken 2003, "Empirical evaluation of the improved Rprop learning algorithms",
Neurocomputing 50, 105-123. Riedmiller and Braun 1993, IEEE International Conference on Neural
Networks, 586-591.
"""

from numbers import Integral, Real

import numpy as np

from ._base import Solver


class IRpropPlus(Solver):
    """Resilient backpropagation with error-dependent weight backtracking.

    Each iteration moves every parameter by its own adaptive step against the sign of its slope.

    Parameters
    ----------
    step : float, default=0.0125
        The first step of every parameter.
    step_min, step_max : float, default=1e-10, 50.0
        The bounds of the steps.
    increase : float, default=1.2
        The factor on a step after a slope of the same sign.
    decrease : float, default=0.5
        The factor on a step after a slope of changed sign.
    n_trials : int, default=100
        The most trials of one iteration; where all fail, the run ends with Stop.STALLED.

    See Also
    --------
    narxkit.solvers.LBFGS : Goes further where the loss is smooth.

    References
    ----------
    Igel and Huesken 2003, Neurocomputing 50, 105-123.

    Examples
    --------
    A bowl a million times steeper in one direction than in the other:

    >>> import numpy as np
    >>> from narxkit.solvers import IRpropPlus, Monitor
    >>> steepness = np.array([1.0, 1e6])
    >>> class Bowl:
    ...     def value_and_grad(self, theta):
    ...         return steepness @ (theta - 3) ** 2 / 2, steepness * (theta - 3)
    >>> IRpropPlus().solve(Bowl(), [0.0, 0.0], Monitor(tol=0)).theta.round(6)
    array([3., 3.])
    """

    requires = ("value_and_grad",)
    ranges = {
        "step": (Real, 0.0),
        "step_min": (Real, 0.0),
        "step_max": (Real, 0.0),
        "increase": (Real, 1.0),
        "decrease": (Real, 0.1, 1.0),
        "n_trials": (Integral, 1),
    }

    def __init__(
        self, step=0.0125, step_min=1e-10, step_max=50.0, increase=1.2, decrease=0.5, n_trials=100
    ):
        self.step = step
        self.step_min = step_min
        self.step_max = step_max
        self.increase = increase
        self.decrease = decrease
        self.n_trials = n_trials

    def _solve(self, objective, theta, monitor, rng):
        if self.step_min > self.step_max:
            raise ValueError(
                "The bounds of the steps must have step_min <= step_max. Got "
                f"step_min={self.step_min} and step_max={self.step_max} instead."
            )
        loss, grad = objective.value_and_grad(theta)
        steps = np.full(len(theta), float(self.step))
        last_move, last_grad, rose = np.zeros_like(theta), np.zeros_like(theta), False
        stop = monitor.start(theta, loss)
        while stop is None:
            # same sign: go on, longer; other sign: a minimum was jumped over
            agreement = last_grad * grad
            turned = agreement < 0
            # so that the next iteration neither lengthens nor shortens this step
            last_grad = np.where(turned, 0.0, grad)
            steps = self._adapt(steps, agreement)
            move = -np.sign(grad) * steps
            # the "+": a jump is taken back only if the loss rose
            move[turned] = -last_move[turned] if rose else 0.0
            if turned.any() and not move.any():
                continue  # all jumped over their minima and gained: shorter steps from here
            trial = self._try(objective, theta, move, steps, monitor)
            if trial is None:
                stop = monitor.stall()
            else:
                before, (theta, last_move, steps, loss, grad) = loss, trial
                rose = loss > before
                stop = monitor.step(theta, loss)
        return monitor.result(stop)

    def _adapt(self, steps, agreement):
        longer = np.minimum(self.increase * steps, self.step_max)
        shorter = np.maximum(self.decrease * steps, self.step_min)
        return np.where(agreement > 0, longer, np.where(agreement < 0, shorter, steps))

    def _try(self, objective, theta, move, steps, monitor):
        """Return the move, shortened until the loss is finite: (theta, move, steps, loss, grad)."""
        for _ in range(self.n_trials):
            trial = theta + move
            # steps below rounding move nothing
            if np.array_equal(trial, theta):
                return None
            loss, grad = objective.value_and_grad(trial)
            if monitor.interrupted:
                return None
            if np.isfinite(loss) and np.isfinite(grad).all():
                return trial, move, steps, loss, grad
            move, steps = self.decrease * move, self.decrease * steps
        return None
