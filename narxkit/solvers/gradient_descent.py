"""Stochastic gradient descent, RMSprop and Adam: many cheap steps on batches.

They minimise any smooth loss that is a mean over independent units (rows in open loop, rollouts in
closed loop). Each epoch shuffles the units and takes them in batches of ``batch_size``; a batch
gives an unbiased estimate g of the gradient, and theta takes a step of the rate r::

    SGD        v = m v - r g,    theta += v          (Nesterov: theta += m v - r g)
    RMSprop    s = b2 s + (1 - b2) g^2,    theta -= r g / (sqrt(s) + epsilon)
    Adam       s as above,  v = b1 v + (1 - b1) g,
               theta -= r v^ / (sqrt(s^) + epsilon),    v^ = v / (1 - b1^k),  s^ = s / (1 - b2^k)

with k the number of steps so far. SGD follows the slope, smoothed over about 1 / (1 - m) steps;
RMSprop and Adam divide each coordinate by its typical size, so that all move by about r.

One iteration is one epoch, and its loss is that of the whole objective, evaluated after the epoch.
The mean of the batch losses would cost nothing, but belongs to no theta: it averages over all that
the epoch passed through, so that the best parameters, the convergence test and the comparison with
other solvers would all rest on a number that is not the loss of anything. The price is one forward
pass in an epoch that makes one forward and one backward pass anyway.

The rate is constant, or falls along half a cosine from ``learning_rate`` to zero at max_iter, which
lets the noise of the batches die out.

Backing away. Where a batch, or the loss after an epoch, is not finite, the epoch is begun anew from
the best parameters so far, with all memory v and s cleared and half the rate, until one succeeds.
The halving stays in force.

When to prefer it. More data or parameters than the full-batch solvers can pass through often
enough. On problems of a few thousand parameters Levenberg-Marquardt or L-BFGS ends lower and
sooner.

References
----------
Sutskever, Martens, Dahl and Hinton 2013, "On the importance of initialization and momentum in deep
learning", ICML 28, 1139-1147. Tieleman and Hinton 2012, "Lecture 6.5: RMSprop", Coursera: Neural
Networks for Machine Learning. Kingma and Ba 2015, "Adam: a method for stochastic optimization",
arXiv:1412.6980. Loshchilov and Hutter 2017, "SGDR", arXiv:1608.03983, for the cosine. Pascanu,
Mikolov and Bengio 2013, arXiv:1211.5063, for gradients cut to a norm.
"""

from abc import abstractmethod
from numbers import Integral, Real

import numpy as np

from ._base import Solver

LARGEST_AUTO_BATCH = 200


class _BatchedDescent(Solver):
    """The epochs; a subclass gives the step of one batch."""

    requires = ("size", "value", "value_and_grad")
    takes_batches = takes_kinks = True
    ranges = {
        "learning_rate": (Real, 0.0),
        "batch_size": (Integral, 1),
        "max_grad_norm": (Real, 0.0),
        "n_trials": (Integral, 1),
        "stride": (Integral, 1),
    }
    choices = {
        "batch_size": ("auto",),
        "schedule": ("constant", "cosine"),
        "max_grad_norm": (None,),
    }

    @abstractmethod
    def _stepper(self, n_params):
        """Return a function ``step(grad, rate)`` with the memory of one run."""

    def _solve(self, objective, theta, monitor, rng):
        rng = np.random.default_rng() if rng is None else rng
        step = self._stepper(len(theta))
        best, slowdown = theta, 1.0
        stop = monitor.start(theta, objective.value(theta))
        while stop is None:
            rate = self.learning_rate * self._schedule(monitor)
            for _ in range(self.n_trials):
                trial, loss = self._epoch(objective, theta, step, slowdown * rate, rng)
                if np.isfinite(loss) or monitor.interrupted:
                    break
                # back to the best with half the rate and no momentum: what exploded would do so
                # again
                theta, step, slowdown = best, self._stepper(len(theta)), slowdown / 2
            if np.isfinite(loss) and not monitor.interrupted:
                theta = trial
                stop = monitor.step(theta, loss)
                best = theta if monitor.is_best else best
            else:
                stop = monitor.stall()
        return monitor.result(stop)

    def _schedule(self, monitor):
        if self.schedule == "constant":
            return 1.0
        return (1 + np.cos(np.pi * monitor.n_iter / monitor.max_iter)) / 2

    def _epoch(self, objective, theta, step, rate, rng):
        """Return the parameters after one pass through all units, and their loss."""
        order = self._order(objective.size, rng)
        batch_size = LARGEST_AUTO_BATCH if self.batch_size == "auto" else self.batch_size
        # the same batches in each epoch would pull in the same directions, one after the other
        for at in range(0, len(order), batch_size):
            _, grad = objective.value_and_grad(theta, order[at : at + batch_size])
            if not np.isfinite(grad).all():
                return theta, np.inf
            with np.errstate(over="ignore", invalid="ignore"):  # of a rate far too large
                theta = theta + step(self._cut(grad), rate)
        # the loss of one theta, not the mean of the batches' while it moved
        return theta, float(objective.value(theta))

    def _order(self, size, rng):
        """Return the units that an epoch visits, one after another."""
        if self.stride == 1:
            return rng.permutation(size)
        first = rng.integers(min(self.stride, size))
        return rng.permutation(np.arange(first, size, self.stride))

    def _cut(self, grad):
        if self.max_grad_norm is None:
            return grad
        norm = np.linalg.norm(grad)
        return grad * (self.max_grad_norm / norm) if norm > self.max_grad_norm else grad


class SGD(_BatchedDescent):
    """Stochastic gradient descent with momentum.

    Each batch moves ``v = momentum v - rate g`` and theta by v, or by ``momentum v - rate g`` with
    Nesterov's look ahead.

    Parameters
    ----------
    learning_rate : float, default=0.05
        The rate at the start.
    batch_size : int or "auto", default="auto"
        Units in a batch; "auto" means 200, or all where there are fewer.
    momentum : float in [0, 1), default=0.9
        Share of the last step that is kept.
    nesterov : bool, default=True
        Whether the step looks ahead.
    schedule : {"constant", "cosine"}, default="constant"
        How the rate falls.
    max_grad_norm : float or None, default=None
        Longer gradients are cut to this norm.
    n_trials : int, default=30
        The most trials of one epoch; where none stays finite, the run ends with Stop.STALLED.
    stride : int, default=1
        An epoch visits every stride-th unit, from a random one of the first: of windows that follow
        one another closely, each tells much the same.

    See Also
    --------
    narxkit.solvers.Adam : A rate for each parameter.

    References
    ----------
    Sutskever, Martens, Dahl and Hinton 2013, ICML 28, 1139-1147.

    Examples
    --------
    >>> import numpy as np
    >>> from narxkit.solvers import SGD, Monitor
    >>> class Line:
    ...     x, size = np.linspace(-1, 1, 1000), 1000
    ...     def value(self, theta):
    ...         return self.value_and_grad(theta)[0]
    ...     def value_and_grad(self, theta, batch=slice(None)):
    ...         e = (theta[0] - 3) * self.x[batch]
    ...         return np.mean(e**2) / 2, np.array([np.mean(e * self.x[batch])])
    >>> SGD().solve(Line(), [0.0], Monitor(), np.random.default_rng(0)).theta.round(3)
    array([3.])
    """

    ranges = {**_BatchedDescent.ranges, "momentum": (Real, 0.0, 1.0)}
    choices = {**_BatchedDescent.choices, "nesterov": (True, False)}

    def __init__(
        self,
        learning_rate=0.05,
        batch_size="auto",
        momentum=0.9,
        nesterov=True,
        schedule="constant",
        max_grad_norm=None,
        n_trials=30,
        stride=1,
    ):
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.momentum = momentum
        self.nesterov = nesterov
        self.schedule = schedule
        self.max_grad_norm = max_grad_norm
        self.n_trials = n_trials
        self.stride = stride

    def _stepper(self, n_params):
        v = np.zeros(n_params)

        def step(grad, rate):
            v[:] = self.momentum * v - rate * grad
            # the step as seen from the next lookahead point: no second gradient
            return self.momentum * v - rate * grad if self.nesterov else v

        return step


class RMSprop(_BatchedDescent):
    """Gradient descent with each slope divided by its typical size.

    Each batch moves theta by ``-rate g / (sqrt(s) + epsilon)``, s the running mean of ``g^2``.

    Parameters
    ----------
    learning_rate : float, default=3e-3
        The rate at the start: about how far a parameter moves in one step.
    batch_size : int or "auto", default="auto"
        Units in a batch; "auto" means 200, or all where there are fewer.
    beta_2 : float in [0, 1), default=0.9
        Share of the mean square that is kept in each step.
    epsilon : float, default=1e-8
        Keeps the division finite.
    schedule : {"constant", "cosine"}, default="constant"
        How the rate falls.
    max_grad_norm : float or None, default=None
        Longer gradients are cut to this norm.
    n_trials : int, default=30
        The most trials of one epoch; where none stays finite, the run ends with Stop.STALLED.
    stride : int, default=1
        An epoch visits every stride-th unit, from a random one of the first: of windows that follow
        one another closely, each tells much the same.

    See Also
    --------
    narxkit.solvers.Adam : The same with momentum and without its bias at the start.

    References
    ----------
    Tieleman and Hinton 2012, "Lecture 6.5: RMSprop", Coursera: Neural Networks for Machine
    Learning.

    Examples
    --------
    >>> import numpy as np
    >>> from narxkit.solvers import Monitor, RMSprop
    >>> class Line:
    ...     x, size = np.linspace(-1, 1, 1000), 1000
    ...     def value(self, theta):
    ...         return self.value_and_grad(theta)[0]
    ...     def value_and_grad(self, theta, batch=slice(None)):
    ...         e = (theta[0] - 3) * self.x[batch]
    ...         return np.mean(e**2) / 2, np.array([np.mean(e * self.x[batch])])
    >>> solver = RMSprop(learning_rate=0.05, schedule="cosine")
    >>> solver.solve(Line(), [0.0], Monitor(), np.random.default_rng(0)).theta.round(3)
    array([3.])
    """

    ranges = {**_BatchedDescent.ranges, "beta_2": (Real, 0.0, 1.0), "epsilon": (Real, 0.0)}

    def __init__(
        self,
        learning_rate=3e-3,
        batch_size="auto",
        beta_2=0.9,
        epsilon=1e-8,
        schedule="constant",
        max_grad_norm=None,
        n_trials=30,
        stride=1,
    ):
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.schedule = schedule
        self.max_grad_norm = max_grad_norm
        self.n_trials = n_trials
        self.stride = stride

    def _stepper(self, n_params):
        s = np.zeros(n_params)

        def step(grad, rate):
            nonlocal s
            s *= self.beta_2
            s += (1 - self.beta_2) * grad**2
            return -rate * grad / (np.sqrt(s) + self.epsilon)

        return step


class Adam(_BatchedDescent):
    """Gradient descent with momentum and a rate for each parameter.

    Each batch moves theta by ``-rate v / (sqrt(s) + epsilon)``, v and s the running means of the
    gradient and of its square, freed of their bias towards zero.

    Parameters
    ----------
    learning_rate : float, default=0.01
        The rate at the start: about how far a parameter moves in one step.
    batch_size : int or "auto", default="auto"
        Units in a batch; "auto" means 200, or all where there are fewer.
    beta_1, beta_2 : float in [0, 1), default=0.9, 0.999
        Share of the means that is kept in each step.
    epsilon : float, default=1e-8
        Keeps the division finite.
    schedule : {"constant", "cosine"}, default="constant"
        How the rate falls.
    max_grad_norm : float or None, default=None
        Longer gradients are cut to this norm.
    n_trials : int, default=30
        The most trials of one epoch; where none stays finite, the run ends with Stop.STALLED.
    stride : int, default=1
        An epoch visits every stride-th unit, from a random one of the first: of windows that follow
        one another closely, each tells much the same.

    See Also
    --------
    narxkit.solvers.LBFGS : For problems that whole passes suit.

    References
    ----------
    Kingma and Ba 2015, arXiv:1412.6980.

    Examples
    --------
    >>> import numpy as np
    >>> from narxkit.solvers import Adam, Monitor
    >>> class Line:
    ...     x, size = np.linspace(-1, 1, 1000), 1000
    ...     def value(self, theta):
    ...         return self.value_and_grad(theta)[0]
    ...     def value_and_grad(self, theta, batch=slice(None)):
    ...         e = (theta[0] - 3) * self.x[batch]
    ...         return np.mean(e**2) / 2, np.array([np.mean(e * self.x[batch])])
    >>> solver = Adam(learning_rate=0.1)
    >>> solver.solve(Line(), [0.0], Monitor(), np.random.default_rng(0)).theta.round(3)
    array([3.])
    """

    ranges = {
        **_BatchedDescent.ranges,
        "beta_1": (Real, 0.0, 1.0),
        "beta_2": (Real, 0.0, 1.0),
        "epsilon": (Real, 0.0),
    }

    def __init__(
        self,
        learning_rate=0.01,
        batch_size="auto",
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        schedule="constant",
        max_grad_norm=None,
        n_trials=30,
        stride=1,
    ):
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.schedule = schedule
        self.max_grad_norm = max_grad_norm
        self.n_trials = n_trials
        self.stride = stride

    def _stepper(self, n_params):
        v, s = np.zeros(n_params), np.zeros(n_params)
        power_1 = power_2 = 1.0

        def step(grad, rate):
            nonlocal v, s, power_1, power_2
            power_1, power_2 = power_1 * self.beta_1, power_2 * self.beta_2
            v *= self.beta_1  # in place: small arrays cost as much as their arithmetic
            v += (1 - self.beta_1) * grad
            s *= self.beta_2
            s += (1 - self.beta_2) * grad**2
            # v and s start at 0: divided by 1 - beta^t they have no bias
            return -rate * v / (1 - power_1) / (np.sqrt(s / (1 - power_2)) + self.epsilon)

        return step
