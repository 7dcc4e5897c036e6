"""Minimisers of SciPy as solvers: one wrapper for L-BFGS-B, CG and TNC.

Tolerances are the Monitor's. SciPy's own are set to zero, which leaves it the endings where nothing
moves: a line search that failed, or a gradient of zero. A line search may also fail because what it
remembers of the past misleads it, or at a point far lower that misses one of its conditions. Such
a point is taken all the same, and SciPy is started afresh from the last accepted one. Only a start
that does not lower the loss ends the run, with Stop.STALLED.

Backing away. The line searches interpolate, and one infinite loss would turn them to NaN. A finite
one misleads them as badly where the gradient has grown along a chaotic rollout, by many decades
more than the loss: the minimum that it suggests is no step at all. So where the loss at a trial is
not finite, or the slope more than ``STEEPEST`` times what the losses can tell of it, the search is
shown a parabola in its place: it leaves the accepted theta with the true slope and has its minimum
at a tenth of the trial step, which is therefore tried next. With ``d`` the trial step from there
and ``c = |g'd|``, the parabola gives ``loss + 4 c`` at the trial, with the gradient
``9 c d / d'd``.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

EPS = np.finfo(float).eps
STEEPEST = 1e3  # along a power of the step the factor is the exponent


def minimise(objective, theta, monitor, method, options):
    """Minimise ``objective.value_and_grad`` by a method of ``scipy.optimize.minimize``.

    Parameters
    ----------
    objective : object
        Anything with ``value_and_grad``.
    theta : ndarray of shape (P,)
        The start.
    monitor : Monitor
        Counts, remembers the best, and says when to stop.
    method : str
        Its name in SciPy.
    options : dict
        Its options; tolerances and limits belong among them, as each method has its own names.

    Returns
    -------
    SolverResult
        The best parameters met.
    """
    run = _Run(objective, monitor, theta)
    stop = monitor.start(theta, run.accepted.loss)
    # SciPy gives up after a line search that fails: it starts afresh from the last accepted point,
    # as long as that gains
    while stop is None:
        before = run.accepted.loss
        try:
            minimize(
                run.value_and_grad,
                run.accepted.theta,
                jac=True,
                method=method,
                callback=run.accept,
                options=options,
            )
            # the last line search may have met a lower point that SciPy did not take
            run.accept_lowest()
        except _Ended as end:
            stop = end.stop
        else:
            stop = None if run.accepted.loss < before else monitor.stall()
    return monitor.result(stop)


class _Ended(Exception):
    """The Monitor or the stop flag ended the run inside SciPy's loop."""

    def __init__(self, stop):
        super().__init__(stop)
        self.stop = stop


class _Point(NamedTuple):
    theta: np.ndarray
    loss: float
    grad: np.ndarray


class _Run:
    """The objective and the Monitor as SciPy wants to see them: two functions.

    ``accepted`` is the last accepted point. ``_tried`` holds the trials since then that had a
    finite loss: SciPy accepts one of them, and not always the last.
    """

    def __init__(self, objective, monitor, theta):
        self._objective = objective
        self._monitor = monitor
        self.accepted = _Point(theta, *objective.value_and_grad(theta))
        self._tried = [self.accepted]

    def value_and_grad(self, theta):
        loss, grad = self._objective.value_and_grad(theta)
        if self._monitor.interrupted:
            raise _Ended(self._monitor.stall())
        d = theta - self.accepted.theta
        # a chaotic rollout: SciPy's searches would follow the slope into nowhere
        if not self._is_sound(loss, grad, d):
            return self._parabola(d)
        self._tried.append(_Point(theta.copy(), loss, grad))
        return loss, grad

    def accept(self, theta):
        # SciPy passes theta alone: its loss and gradient are looked up, not computed again
        self.accepted = min(self._tried, key=lambda point: np.abs(point.theta - theta).max())
        self._tried = [self.accepted]
        stop = self._monitor.step(self.accepted.theta, self.accepted.loss)
        if stop is not None:
            raise _Ended(stop)

    def accept_lowest(self):
        lowest = min(self._tried, key=lambda point: point.loss)
        if lowest.loss < self.accepted.loss:
            self.accept(lowest.theta)

    def _is_sound(self, loss, grad, d):
        """Return whether loss and gradient are finite, and the slope fits to the losses."""
        if not (np.isfinite(loss) and np.isfinite(grad).all()):
            return False
        last = self.accepted
        # what the losses and the slope at the start say of the change along d
        change = abs(loss - last.loss) + abs(last.grad @ d) + EPS * abs(last.loss)
        return abs(grad @ d) <= STEEPEST * change

    def _parabola(self, d):
        # f(s) = f0 - c s + 5 c s^2 along s d: true slope at 0, least at s = 0.1
        c = abs(self.accepted.grad @ d)
        return self.accepted.loss + 4 * c, 9 * c / (d @ d) * d
