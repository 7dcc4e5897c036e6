"""Base of the solvers: the contract, the endings, and the Monitor that watches a run.

A solver sees a flat parameter vector and an *objective*: any object with the verbs that the
solver lists in ``requires``. With residuals ``e = y_hat - y``, ``SSE`` their weighted sum of
squares and ``n`` the sum of the weights, the loss is::

    loss(theta) = (SSE + sum_i penalty_i theta_i^2) / (2 n)

and the verbs are

``penalty``
    (P,), not negative.
``value(theta)``
    The loss. Where the model diverges, or the stop flag cut the work short, it is inf or NaN, and
    the solver backs away.
``value_and_grad(theta)``
    The loss and its gradient (P,).
``normal_equations(theta)``
    ``J'J`` (P, P) full and symmetric, ``J'e`` (P,), ``SSE`` and ``n``, where J is the derivative of
    y_hat. The data part only: a solver adds the penalty itself.
``with_penalty(penalty)``
    The same data under another penalty.
``groups``, ``correlation_time(theta)``, ``name``
    Not required of anyone. A dict of boolean masks (P,), for solvers that treat parameters of
    different kinds differently; the number of residuals that tell as much as one independent one,
    for those that weigh evidence; and what a sentence calls it.
``population_values(thetas)``, ``initial(rng)``
    The loss of each row of a matrix (k, P), as ``value`` gives it, and a random place to start
    from, for solvers that move many parameter vectors at once. ``free``, a boolean mask (P,), may
    tell which parameters move.
``with_loss(loss, start)``
    The same data under a loss of the user's own, as an objective with these verbs and no others;
    its penalty is as strong as beside the squared error at the start.
``size``, and ``value_and_grad(theta, batch)``
    The number of independent units (rows, or whole rollouts), and an unbiased estimate of loss and
    gradient from some of them, an int array of positions in ``range(size)``.

Nothing here knows a network, so a solver also runs on Rosenbrock's valley.
"""

import enum
from abc import ABC, abstractmethod
from copy import copy
from dataclasses import dataclass
from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator

# One small step proves little: Levenberg-Marquardt makes one whenever its damping was just raised.
N_SMALL_STEPS = 3
STILL_FALLING = 0.9  # of the loss, over the iterations of patience
PROBABILITY = (Real, 0.0, 1.0, True)


class Stop(enum.Enum):  # numpydoc ignore=PR01
    """Reason for the end of a run; ``str(stop)`` is the sentence.

    Examples
    --------
    >>> from narxkit.solvers import Stop
    >>> print(Stop.MAX_ITER)
    The number of iterations reached max_iter.
    """

    CONVERGED = "The relative decrease of the loss stayed below tol."
    STALLED = "No step from here reduces the loss any further."
    MAX_ITER = "The number of iterations reached max_iter."
    PATIENCE = "The held-out loss did not improve for n_iter_no_change iterations."
    CALLBACK = "The callback asked to stop."
    INTERRUPTED = "Interrupted; the best parameters so far were kept."
    NOT_FINITE = "The loss at the starting parameters is not finite."

    def __str__(self):
        return self.value


@dataclass(frozen=True, eq=False)
class SolverResult:
    """The end of a run.

    Parameters
    ----------
    theta : ndarray of shape (P,)
        The best parameters met: by the held-out loss where there is one, else by the loss.
    loss : float
        The loss at ``theta``.
    n_iter : int
        Accepted iterations.
    stop : Stop
        Why the run ended.
    loss_curve : list of float
        The loss at the start and after each iteration, ``n_iter + 1`` numbers.
    validation_curve : list of float or None
        The held-out loss at the same moments; None without validation.
    penalty : ndarray of shape (P,) or None
        The penalty that the solver settled on; None where it takes the objective's.
    n_effective_params : float or None
        How many parameters the data determine; None where the solver does not estimate it.
    logbook : list of dict or None
        What became of a population, generation by generation: ``generation``, ``evaluations`` so
        far, and the losses' ``best``, ``mean`` and ``spread``; None where there was none.

    Examples
    --------
    >>> import numpy as np
    >>> from narxkit.solvers import SolverResult, Stop
    >>> result = SolverResult(np.ones(2), 0.5, 1, Stop.CONVERGED, [0.8, 0.5])
    >>> print(result.stop)
    The relative decrease of the loss stayed below tol.
    """

    theta: np.ndarray
    loss: float
    n_iter: int
    stop: Stop
    loss_curve: list
    validation_curve: list | None = None
    penalty: np.ndarray | None = None
    n_effective_params: float | None = None
    logbook: list | None = None


@dataclass(frozen=True, eq=False)
class Iteration:
    """State that a callback receives after each accepted iteration.

    Parameters
    ----------
    n_iter : int
        Accepted iterations so far, from 1.
    loss : float
        The loss at ``theta``.
    validation_loss : float or None
        The held-out loss at ``theta``; None without validation.
    theta : ndarray of shape (P,)
        A copy of the parameters, free to keep.

    Examples
    --------
    A callback that ends the run once the loss is low enough:

    >>> from narxkit.solvers import Iteration
    >>> def good_enough(iteration):
    ...     return iteration.loss < 0.1
    >>> good_enough(Iteration(n_iter=3, loss=0.05, validation_loss=None, theta=None))
    True
    """

    n_iter: int
    loss: float
    validation_loss: float | None
    theta: np.ndarray


class Monitor:
    """Watcher of a run: it counts, remembers the best, shows progress, and says when to stop.

    Parameters
    ----------
    max_iter : int, default=200
        The largest number of accepted iterations.
    tol : float, default=1e-7
        The run has converged when the relative change of the loss, ``|before - after| / before``,
        stays below ``tol`` for three iterations running. With 0 it ends only where nothing
        improves any more, or at ``max_iter``.
    n_iter_no_change : int, default=10
        Patience: how many iterations may pass without a new lowest held-out loss, once the loss
        itself no longer falls by a tenth over as many.
    validate : callable, default=None
        ``validate(theta)`` gives the held-out loss. The best parameters are then those with the
        lowest held-out loss, the start included.
    callback : callable, default=None
        ``callback(iteration)`` is called with an :class:`Iteration` after each accepted iteration;
        returning True ends the run.
    verbose : bool, default=False
        Show a progress line on stderr, or every tenth iteration where stderr is not a terminal.
    flag : ndarray of shape (1,) and dtype int32, default=None
        The stop flag. Kernels may poll the same array; once it is set they return values that are
        not finite, and the run ends with the best parameters so far.
    title : str, default=""
        The beginning of the progress line.

    Attributes
    ----------
    n_iter : int
        Accepted iterations so far.
    loss_curve, validation_curve : list of float
        As in :class:`SolverResult`.

    Notes
    -----
    A solver's loop reads::

        stop = monitor.start(theta, loss)
        while stop is None:
            theta, loss = ...                   # one accepted step
            stop = monitor.step(theta, loss)
        return monitor.result(stop)

    ``start`` forgets any run before it, so that one monitor may serve several in turn.

    Examples
    --------
    >>> from narxkit.solvers import Monitor
    >>> monitor = Monitor(max_iter=2)
    >>> monitor.start([1.0], 4.0)
    >>> monitor.step([0.5], 1.0)
    >>> stop = monitor.step([0.75], 2.25)
    >>> result = monitor.result(stop)
    >>> result.theta, result.loss, result.stop.name
    (array([0.5]), 1.0, 'MAX_ITER')
    """

    def __init__(
        self,
        max_iter=200,
        tol=1e-7,
        n_iter_no_change=10,
        validate=None,
        callback=None,
        verbose=False,
        flag=None,
        title="",
    ):
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.validate = validate
        self.callback = callback
        self.verbose = verbose
        self.title = title
        self.flag = np.zeros(1, dtype=np.int32) if flag is None else flag
        self.n_before = 0

    def part(self, max_iter, n_before=0, title=""):
        """Make a monitor for a part of a run.

        Parameters
        ----------
        max_iter : int
            The largest number of iterations of the part.
        n_before : int, default=0
            Those of the parts before, from which a callback counts on.
        title : str, default=""
            Added to the beginning of the progress line.

        Returns
        -------
        Monitor
            All else is as here.
        """
        other = copy(self)
        other.max_iter, other.n_before, other.title = max_iter, n_before, self.title + title
        return other

    @property
    def interrupted(self):
        """Whether the stop flag is set."""
        return bool(self.flag[0])

    @property
    def is_best(self):
        """Whether the parameters last recorded are the best so far."""
        return self._n_since_best == 0

    def start(self, theta, loss):
        """Open a run.

        Parameters
        ----------
        theta : array-like of shape (P,)
            The starting parameters.
        loss : float
            The loss there.

        Returns
        -------
        Stop or None
            Why the run cannot even begin: its loss is not finite, the flag is set, or no iteration
            is allowed.
        """
        self.n_iter = 0
        self.loss_curve = []
        self.validation_curve = None if self.validate is None else []
        self._best_theta, self._best_loss = np.array(theta, dtype=float), float(loss)
        self._best_score = (np.inf, np.inf)
        self._n_since_best = self._n_small_steps = 0
        self._progress = _ProgressLine(self.title) if self.verbose else None
        self._record(theta, loss)
        if self.interrupted:
            return Stop.INTERRUPTED
        if not np.isfinite(loss):
            return Stop.NOT_FINITE
        return Stop.MAX_ITER if self.max_iter <= 0 else None

    def step(self, theta, loss, is_small=None):
        """Take note of an accepted iteration.

        Parameters
        ----------
        theta : array-like of shape (P,)
            The parameters now.
        loss : float
            The loss there.
        is_small : bool, default=None
            Whether the step was a small one; by default where the loss hardly changed.

        Returns
        -------
        Stop or None
            Why this iteration was the last one, if it was.
        """
        self.n_iter += 1
        validation_loss = self._record(theta, loss)
        before, after = self.loss_curve[-2:]
        if is_small is None:
            # relative: a loss has no natural size
            is_small = abs(before - after) < self.tol * abs(before)
        self._n_small_steps = self._n_small_steps + 1 if is_small else 0
        n_iter = self.n_before + self.n_iter
        iteration = Iteration(n_iter, after, validation_loss, np.array(theta, dtype=float))
        if self._progress:
            self._progress.show(iteration, self.n_before + self.max_iter)
        return self._ending(iteration)

    def stall(self):
        """Name the ending of a solver that found no better step.

        Returns
        -------
        Stop
            STALLED, or INTERRUPTED where the flag is what made every trial fail.
        """
        return Stop.INTERRUPTED if self.interrupted else Stop.STALLED

    def result(self, stop):
        """Close the run with the best parameters met.

        Parameters
        ----------
        stop : Stop
            Why it ends.

        Returns
        -------
        SolverResult
            The best parameters, their loss, and the curves.
        """
        if self._progress:
            self._progress.close(self.n_iter, self._best_loss, stop)
        return SolverResult(
            self._best_theta,
            self._best_loss,
            self.n_iter,
            stop,
            self.loss_curve,
            self.validation_curve,
        )

    def _record(self, theta, loss):
        loss, validation_loss = float(loss), None
        score = (loss, loss)
        self.loss_curve.append(loss)
        if self.validate is not None:
            validation_loss = float(self.validate(theta))
            score = (validation_loss, loss)  # where all held-out losses are infinite, the loss says
            self.validation_curve.append(validation_loss)
        if score < self._best_score:
            self._best_theta, self._best_loss = np.array(theta, dtype=float), loss
            self._best_score, self._n_since_best = score, 0
        else:
            self._n_since_best += 1
        return validation_loss

    def _ending(self, iteration):
        # the callback hears of every iteration, the last one too
        asked_to_stop = self.callback is not None and self.callback(iteration)
        if self.interrupted:
            return Stop.INTERRUPTED
        if asked_to_stop:
            return Stop.CALLBACK
        if self.validate is not None and self._has_waited:
            return Stop.PATIENCE
        if self._n_small_steps >= N_SMALL_STEPS:
            return Stop.CONVERGED
        return Stop.MAX_ITER if self.n_iter >= self.max_iter else None

    @property
    def _has_waited(self):
        """Whether patience is at its end: a loss that still falls fast has more to teach."""
        if self._n_since_best < self.n_iter_no_change:
            return False
        # held-out loss is noisy; a training loss that falls by a tenth has not settled
        before, after = self.loss_curve[-1 - self.n_iter_no_change], self.loss_curve[-1]
        return before - after < (1 - STILL_FALLING) * abs(before)  # a loss may be negative


class _ProgressLine:
    """One line on stderr, rewritten in place; where stderr is no terminal, a line now and then."""

    def __init__(self, title):
        from rich.console import Console

        self._title = title
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)

    def show(self, iteration, max_iter):
        text = f"{self._title}iteration {iteration.n_iter}/{max_iter}  loss {iteration.loss:.6g}"
        if iteration.validation_loss is not None:
            text += f"  held-out loss {iteration.validation_loss:.6g}"
        if self._console.is_terminal:
            self._console.print(text.ljust(self._console.width - 1), end="\r")
        elif iteration.n_iter % 10 == 0:
            self._console.print(text)

    def close(self, n_iter, loss, stop):
        text = f"{self._title}{n_iter} iterations, loss {loss:.6g}. {stop}"
        if self._console.is_terminal:
            text = text.ljust(self._console.width - 1)
        self._console.print(text)


class Solver(BaseEstimator, ABC):
    """The base of all solvers: hyper-parameters, and one verb, :meth:`solve`.

    A subclass gives its hyper-parameters in ``__init__`` (kept as they are, so that ``clone`` and
    ``get_params`` work), the verbs it needs in ``requires``, what its hyper-parameters may be in
    ``ranges`` and ``choices``, and its algorithm in ``_solve(objective, theta, monitor, rng)``.
    Solving never changes the solver: one object may serve many threads.

    Attributes
    ----------
    requires : tuple of str
        Methods that the objective must offer.
    ranges : dict
        ``{name: (kind, low)}``: an int >= ``low``, or a float above ``low``.
        ``{name: (kind, low, high)}``: from ``low``, included, to ``high``, excluded, or
        included where ``True`` follows.
    choices : dict
        ``{name: values}``: values allowed beside the range, or alone where there is none; among
        them ``callable`` stands for any function.
    takes_batches : bool
        Whether it goes by the slopes of batches, which dropout may disturb.
    takes_kinks : bool
        Whether it needs no smooth loss: absolute values of weights may be penalised.

    See Also
    --------
    narxkit.solvers.make_solver : A solver from its name.

    Examples
    --------
    Gradient descent with steps of fixed length:

    >>> import numpy as np
    >>> from narxkit.solvers import Monitor, Solver
    >>> class GradientDescent(Solver):
    ...     requires = ("value_and_grad",)
    ...     def __init__(self, rate=0.4):
    ...         self.rate = rate
    ...     def _solve(self, objective, theta, monitor, rng):
    ...         loss, grad = objective.value_and_grad(theta)
    ...         stop = monitor.start(theta, loss)
    ...         while stop is None:
    ...             theta = theta - self.rate * grad
    ...             loss, grad = objective.value_and_grad(theta)
    ...             stop = monitor.step(theta, loss)
    ...         return monitor.result(stop)
    >>> class Bowl:
    ...     def value_and_grad(self, theta):
    ...         return theta @ theta, 2 * theta
    >>> GradientDescent().solve(Bowl(), [1.0, -2.0], Monitor(max_iter=9)).theta.round(5)
    array([ 0., -0.])
    """

    requires = ()
    ranges = {}
    choices = {}
    takes_batches = False
    takes_kinks = False

    def solve(self, objective, theta, monitor, rng=None):
        """Minimise the objective from ``theta``.

        Parameters
        ----------
        objective : object
            Anything that has the verbs in ``requires``.
        theta : array-like of shape (P,)
            The start; it is left as it was.
        monitor : Monitor
            Counts, remembers the best, and says when to stop.
        rng : numpy.random.Generator, default=None
            For solvers that draw; the others ignore it.

        Returns
        -------
        SolverResult
            The best parameters, their loss, and why the run ended.

        Raises
        ------
        TypeError
            Where the objective lacks a verb that the solver needs.
        ValueError
            Where a hyper-parameter is out of its range.
        """
        self._check_objective(objective)
        self._check_ranges()
        return self._solve(objective, np.array(theta, dtype=float), monitor, rng)

    @abstractmethod
    def _solve(self, objective, theta, monitor, rng):
        """Run the algorithm, on checked arguments; ``theta`` is its own copy."""

    def _check_objective(self, objective):
        missing = [verb for verb in self.requires if not hasattr(objective, verb)]
        if missing:
            name = getattr(objective, "name", type(objective).__name__)
            raise TypeError(
                f"{type(self).__name__} needs an objective with {_listed(self.requires)}, but "
                f"{name} has no {_listed(missing)}: choose another solver."
            )

    def _check_ranges(self):
        for name in {**self.ranges, **self.choices}:
            value, choices = getattr(self, name), self.choices.get(name, ())
            bounds = self.ranges.get(name)
            if any(_is_choice(value, choice) for choice in choices):
                continue
            if bounds is None or not _is_within(value, *bounds):
                rules = [] if bounds is None else [_range(*bounds)]
                rule = _either([*rules, *map(_name_choice, choices)])
                raise ValueError(
                    f"The {name!r} parameter of {type(self).__name__} must be {rule}. "
                    f"Got {value!r} instead."
                )


def _is_choice(value, choice):
    if choice is callable:
        return callable(value)
    # by type too: True is no 1, and 1.0 no count
    return type(value) is type(choice) and value == choice


def _name_choice(choice):
    return "a callable" if choice is callable else repr(choice)


def _is_within(value, kind, low, high=None, is_closed=False):
    if not isinstance(value, kind) or isinstance(value, bool):
        return False
    if high is None and kind is Real:
        return low < value < np.inf
    return low <= value < (np.inf if high is None else high) or is_closed and value == high


def _range(kind, low, high=None, is_closed=False):
    bracket = "(" if high is None and kind is Real else "["
    noun = "a float" if kind is Real else "an int"
    end = "]" if is_closed else ")"
    return f"{noun} in the range {bracket}{low}, {'inf' if high is None else high}{end}"


def _either(rules):
    """Join rules: a, b or c."""
    *others, last = rules
    return f"{', '.join(others)} or {last}" if others else last


def _listed(words):
    return ", ".join(repr(word) for word in words)
