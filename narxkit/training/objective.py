"""The objective of solvers: the training loss over a flat parameter vector."""

from concurrent.futures import ThreadPoolExecutor
from copy import copy

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from sklearn.utils.metaestimators import available_if

from narxkit.networks.base import LONG
from narxkit.rows.rollouts import lay_rollouts, one_after_another
from narxkit.training.own_loss import STANDARDISED, OwnLoss

WINDOW = 5  # correlation times
PARTS = 3  # of a population in each thread: one that diverges early leaves its thread time


def _network_has(verb):
    """Tell whether the network has a verb: what it lacks, its objective lacks too."""
    return lambda objective: hasattr(objective.network, verb)


class Objective:
    """Penalised least squares over rollouts.

    .. math::

        F(\\theta) = \\frac{1}{2n} \\Big( \\sum_t w_t \\lVert \\hat y_t(\\theta) - y_t \\rVert^2
        + \\sum_i \\pi_i \\theta_i^2 \\Big), \\qquad n = \\sum_t w_t

    or with :math:`(1 - \\rho) \\theta_i^2 + 2 \\rho |\\theta_i|` in the place of
    :math:`\\theta_i^2`. The sum runs over the observed outputs of all steps of all rollouts but the
    first `washout` of each, n counts each of them with its weight, and everything is in the units
    of the segments (standardised ones during training). The objective is immutable; all verbs may
    be called from several threads. What a network cannot do, its objective lacks too.

    Parameters
    ----------
    network : Network
        Structure with the kernels.
    rollouts : Rollouts
        What is predicted; those with nothing to be fitted are left out.
    penalty : ndarray of shape (n_params,), optional
        The vector pi; 0 by default.
    flag : ndarray of int32 of shape (1,), optional
        Kernels return early, and values are infinite, once it is set.

    Attributes
    ----------
    longest : int
        The most steps of a rollout, also of those with nothing to be fitted.
    n : float
        Summed weights of the residuals.
    free : ndarray of bool of shape (n_params,) or None
        The parameters that are trained; None for all.
    l1_ratio : float
        The part :math:`\\rho` of the penalty of the weights that is paid for absolute values.
    rng : numpy.random.Generator or None
        Where masks of dropout come from, in the slope of a batch.
    units : Units
        What leads back to the units of the user.
    n_threads : int
        Threads that share a population, that of the caller among them.
    """

    free = None
    l1_ratio = 0.0
    rng = None
    units = STANDARDISED
    n_threads, _pool = 1, None

    def __init__(self, network, rollouts, penalty=None, flag=None):
        has_targets = rollouts.counts > 0
        self.network = network
        self.rollouts = rollouts.part(has_targets).replace(weight=rollouts.row_weights)
        self.penalty = np.zeros(network.n_params) if penalty is None else penalty
        self.flag = np.zeros(1, dtype=np.int32) if flag is None else flag
        # of all rollouts, for a sentence where the washout leaves no target
        self.longest = rollouts.n_steps
        self._counts = rollouts.counts[has_targets]
        self.n = float(self._counts.sum())

    @classmethod
    def over(
        cls,
        network,
        segments,
        loop="open",
        alpha=0.0,
        sample_weight=None,
        targets=None,
        flag=None,
        washout=0,
    ):
        """Lay rollouts over measured rows.

        Parameters
        ----------
        network : Network
            Structure with the kernels.
        segments : Segments
            Measured rows.
        loop : "open", "closed" or int, default="open"
            Length of the rollouts, as in `lay_rollouts`.
        alpha : float, default=0.0
            Penalty of the weights; intercepts and the linear term are free.
        sample_weight : ndarray of shape (n_rows,), optional
            Weight of the squared error of each target row; 0 makes it history only.
        targets : ndarray of bool of shape (n_rows,), optional
            Rows that may be targets.
        flag : ndarray of int32 of shape (1,), optional
            Stops the kernels.
        washout : int, default=0
            First steps of each rollout that are run and have no weight; none in open loop.

        Returns
        -------
        Objective
        """
        if loop == "open" and sample_weight is not None:  # what is history only has no rollout
            has_weight = sample_weight > 0
            targets = has_weight if targets is None else targets & has_weight
        rollouts = lay_rollouts(segments, network.reach, loop, sample_weight, targets, washout)
        return cls(network, rollouts, alpha * network.groups["weights"], flag)

    @property
    def name(self):
        """The name for a sentence: that of the network, whose verbs it has."""
        return type(self.network).__name__

    @property
    def n_params(self):
        return self.network.n_params

    @property
    def groups(self):
        """Masks over the parameters by name, as in the network."""
        return self.network.groups

    @property
    def size(self):
        """Number of rollouts, of which a batch is a part."""
        return len(self.rollouts)

    def with_penalty(self, penalty):
        """Return the same data under another penalty vector."""
        other = copy(self)
        other.penalty = self._of_free(np.asarray(penalty, dtype=float))
        return other

    def with_alphas(self, alpha, linear_alpha):
        """Return the same data under other penalties of the weights and of the linear feedback."""
        network = self.network
        return self.with_penalty(
            alpha * network.groups["weights"] + linear_alpha * network.linear_feedback
        )

    def with_free(self, free):
        """Return the same, with only the parameters of a mask trained: no other has a slope.

        Nor has any other a penalty, which is a constant where nothing moves.
        """
        other = copy(self)
        other.free = free
        return other.with_penalty(self.penalty)

    def with_dropout(self, rng):
        """Return the same data; the slope of a batch is that under new masks of dropout."""
        other = copy(self)
        other.rng = rng
        return other

    def with_l1_ratio(self, l1_ratio):
        """Return the same data, with a part of the penalty paid for absolute values."""
        other = copy(self)
        other.l1_ratio = l1_ratio
        return other

    def in_units(self, units, n_threads=1):
        """Return the same data for a user: with the units of the outputs, and threads to use."""
        other = copy(self)
        other.units, other.n_threads = units, n_threads
        # threads start as populations need them, those of other restarts too, and end with the last
        # objective that has them
        other._pool = ThreadPoolExecutor() if n_threads > 1 else None
        return other

    def with_loss(self, loss, start=None):
        """Return the same data under a loss of the user's own, which has no slope."""
        return OwnLoss(self, loss, start)

    def without_flag(self):
        """Return the same data under a flag that nobody sets: what is there can still be ranked."""
        other = copy(self)
        other.flag = np.zeros(1, dtype=np.int32)
        return other

    def value(self, theta):
        """Return the loss, infinite where a rollout diverges."""
        return self._loss(theta, self.network.sse(theta[None], self.rollouts, self.flag)[0])

    def is_smooth(self, theta):
        """Tell whether loss and gradient are finite: over chaotic rollouts only the loss may be."""
        loss, grad = self.value_and_grad(theta)
        return bool(np.isfinite(loss) and np.isfinite(grad).all())

    def population_values(self, thetas):
        """Return the loss of each row of `thetas`, in one call of the kernel in each thread.

        No sum runs over several rows: the number of threads changes no bit.
        """
        return self.in_threads(self._values, thetas)

    def _values(self, thetas):
        sse = self.network.sse(thetas, self.rollouts, self.flag)
        with np.errstate(over="ignore", invalid="ignore"):
            # row by row, so that the bits are those of a row alone
            sizes = np.vecdot(self._size_of_weights(thetas), self.penalty)
            losses = (sse + sizes) / (2.0 * self.n)
        return np.where(np.isfinite(losses), losses, np.inf)

    def in_threads(self, function, thetas):
        """Return an array of the numbers that a function of some rows gives for all of `thetas`."""
        if self.n_threads == 1 or len(thetas) == 1:
            return function(thetas)
        n_parts = min(PARTS * self.n_threads, len(thetas))
        edges = [len(thetas) * i // n_parts for i in range(n_parts + 1)]
        values, left = np.empty(len(thetas)), iter([*map(slice, edges, edges[1:])])

        def work():
            for part in left:
                values[part] = function(thetas[part])

        # the caller works too: while it holds a core the others wake up on theirs, but where all
        # slept, all may wake up on one
        others = [self._pool.submit(work) for _ in range(self.n_threads - 1)]
        try:
            work()
        finally:
            # also after an error of the caller's own no thread is left at work
            errors = [other.exception() for other in others]
        for error in filter(None, errors):
            raise error
        return values

    def initial(self, rng):
        """Draw a random start of the network."""
        return self.network.initial(rng)

    def predictions(self, thetas):
        """Return what each row of `thetas` predicts, in the units of the outputs.

        Parameters
        ----------
        thetas : ndarray of shape (k, n_params)
            Parameters.

        Returns
        -------
        ndarray of shape (k, n_targets, n_outputs)
            One row for each of ``rollouts.targets``; NaN where a rollout has diverged.
        """
        rollouts, paths = self.rollouts, []
        is_target = rollouts.is_step & (np.arange(rollouts.n_steps) >= rollouts.washout)
        for theta in thetas:
            y_hat, _ = self.network.rollout(theta, rollouts)
            paths.append(self.units.undo(y_hat[is_target]))
        return np.stack(paths)

    def value_and_grad(self, theta, batch=None):
        """Return the loss and its gradient, over all rollouts or a batch (positions from 0).

        A batch stands for the whole: its error is scaled to all n residuals.
        """
        rollouts = self.rollouts if batch is None else self.rollouts.part(batch)
        scale = 1.0 if batch is None else self.n / float(self._counts[batch].sum())
        masks = {}
        if batch is not None and self.rng is not None:
            masks = {"masks": self.network.draw_masks(len(rollouts), self.rng)}
        sse, Jte = self.network.gradient(theta, rollouts, self.flag, **masks)
        with np.errstate(over="ignore", invalid="ignore"):  # a diverged loss is an answer
            grad = (scale * Jte + self._slope_of_penalty(theta)) / self.n
        return self._loss(theta, scale * sse), self._of_free(grad)

    @available_if(_network_has("normal_equations"))
    def normal_equations(self, theta):
        """Return J'J, J'e, the sum of squared errors and n, without the penalty."""
        JtJ, Jte, sse = self.network.normal_equations(theta, self.rollouts, self.flag)
        if self.free is not None:
            JtJ = np.where(np.outer(self.free, self.free), JtJ, 0.0)
        return JtJ, self._of_free(Jte), sse, self.n

    @available_if(_network_has("residuals_and_jacobian"))
    def residuals_and_jacobian(self, theta):
        """Return weighted residuals and their whole Jacobian."""
        return self.network.residuals_and_jacobian(theta, self.rollouts)

    def correlation_time(self, theta):
        r"""Tell how many residuals in a row say as much as one: 1 in open loop (white).

        .. math:: \tau = 1 + 2 \sum_{k \ge 1} \rho_k

        up to the first lag that is at least five times the sum so far (Sokal 1997): farther lags
        add only noise.
        """
        rollouts = self.rollouts
        if rollouts.is_measured:
            return 1.0
        y_hat, _ = self.network.rollout(theta, rollouts)
        is_weighed = rollouts.row_weights[rollouts.rows][:, :, None] > 0
        e = np.where(is_weighed, y_hat - rollouts.segments.y[rollouts.rows], np.nan)
        e = e[:, rollouts.washout :]
        e = np.nan_to_num(e - np.nanmean(e))
        products = _autocorrelation(e)
        if not products[0] > 0:
            return 1.0
        taus = 2.0 * np.cumsum(products / products[0]) - 1.0
        is_enough = np.arange(1, len(taus)) >= WINDOW * taus[:-1]
        return max(float(taus[np.argmax(is_enough) if is_enough.any() else -1]), 1.0)

    @available_if(_network_has("gain"))
    def loop_gain(self, theta):
        """Return the largest growth per step of a small perturbation of the fed-back output.

        Rollouts that follow one another without an overlap make a chain, along which the
        perturbation goes as in `TappedMLP.gain`; in open loop it goes along the measured rows. A
        chain ends with a segment, but no chain is shorter than 1000 steps where there are as many:
        over a few steps the growth of a passing moment hides that of the loop.
        """
        rollouts = self.rollouts
        if not rollouts.is_measured:
            rollouts = rollouts.part(one_after_another(rollouts.origins, rollouts.lengths))
        starts = rollouts.segments.starts_of(rollouts.origins)
        return max(
            self.network.gain(theta, rollouts.part(chain))
            for chain in _chains(starts, rollouts.lengths)
        )

    def _of_free(self, values):
        """Return values of the parameters, 0 for those that are not trained."""
        return values if self.free is None else np.where(self.free, values, 0.0)

    def _slope_of_penalty(self, theta):
        """Return half the derivative of the penalty, 0 where an absolute value has none."""
        if not self.l1_ratio:
            return self.penalty * theta
        share = self.l1_ratio * self.groups["weights"]  # the linear feedback has a ridge
        return self.penalty * ((1.0 - share) * theta + share * np.sign(theta))

    def _size_of_weights(self, theta):
        """Return what the penalty is paid for: squares, and the part of absolute values."""
        if not self.l1_ratio:
            return theta**2
        share = self.l1_ratio * self.groups["weights"]
        return (1.0 - share) * theta**2 + 2.0 * share * np.abs(theta)

    def penalty_of(self, theta):
        """Return what the penalty adds to the loss."""
        return float(self.penalty @ self._size_of_weights(theta)) / (2.0 * self.n)

    def _loss(self, theta, sse):
        with np.errstate(over="ignore", invalid="ignore"):
            loss = (sse + self.penalty @ self._size_of_weights(theta)) / (2.0 * self.n)
        return float(loss) if np.isfinite(loss) else np.inf


def _chains(starts, lengths):
    """Return slices of rollouts that end with a segment, each of LONG steps or all there are."""
    done = np.concatenate(([0], np.cumsum(lengths)))
    edges = [0]
    for edge in np.flatnonzero(np.diff(starts)) + 1:
        if min(done[edge] - done[edges[-1]], done[-1] - done[edge]) >= LONG:
            edges.append(edge)
    return map(slice, edges, [*edges[1:], len(lengths)])


def _autocorrelation(e):
    """Sum ``e_t e_{t+lag}`` for lags 0, 1, ... along the second axis, over all others."""
    n = e.shape[1]
    size = next_fast_len(2 * n, real=True)  # room for every lag: the ends do not meet
    power = np.abs(rfft(e, size, axis=1)) ** 2
    return irfft(power.sum(axis=(0, 2)), size)[:n]
