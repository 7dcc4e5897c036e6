"""What a solver may ask: the training loss over a flat parameter vector."""

from copy import copy
from math import gcd

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

from narxkit.networks.tapped_mlp import LONG
from narxkit.taps import is_count, is_int

WINDOW = 5  # correlation times


class Objective:
    """Penalised least squares over rollouts.

    .. math::

        F(\\theta) = \\frac{1}{2n} \\Big( \\sum_t w_t \\lVert \\hat y_t(\\theta) - y_t \\rVert^2
        + \\sum_i \\pi_i \\theta_i^2 \\Big), \\qquad n = \\sum_t w_t

    The sum runs over the observed outputs of all steps of all rollouts but the first `washout` of
    each, n counts each of them with its weight, and everything is in the units of `segments`
    (standardised ones during training). The objective is immutable; all verbs may be called from
    several threads.

    Parameters
    ----------
    network : TappedMLP
        Structure with the kernels.
    segments : Segments
        Measured rows, of which the target rows are predicted.
    loop : "open", "closed" or int
        Length of the rollouts: one step from every row, as long as they can be, or k steps. Those
        of k steps begin every s rows, s the smallest integer from k / 4 on that is coprime with k,
        or at the next row whose history is known, and are shortened where the segment or its known
        inputs end.
    alpha : float
        Penalty of the weights; intercepts and the linear term are free.
    sample_weight : ndarray of shape (n_rows,), optional
        Weight of the squared error of each target row; 0 makes it history only.
    targets : ndarray of bool of shape (n_rows,), optional
        Rows that may be targets. In open loop the rows whose taps are not all known are left out;
        rollouts begin where the whole history is known and end before a row whose inputs are not.
    flag : ndarray of int32 of shape (1,), optional
        Kernels return early, and values are infinite, once it is set.
    washout : int, default=0
        First steps of each rollout that are run and have no weight; none in open loop, where the
        history is measured. Rollouts that are no longer, or have no target behind them, are left
        out.

    Attributes
    ----------
    rows : ndarray
        The first row of each rollout: in open loop, the target rows.
    lengths : ndarray or None
        The steps of each rollout; None in open loop.
    longest : int
        The most steps of a rollout, also of those without a target behind the washout.
    n : float
        Summed weights of the residuals.
    penalty : ndarray of shape (n_params,)
        The vector pi.
    """

    def __init__(
        self,
        network,
        segments,
        loop="open",
        alpha=0.0,
        sample_weight=None,
        targets=None,
        flag=None,
        washout=0,
    ):
        if loop not in ("open", "closed") and not is_count(loop):
            raise ValueError(
                f"loop must be 'open', 'closed' or an int k >= 1. Got {loop!r} instead."
            )
        if not is_int(washout) or washout < 0:
            raise ValueError(f"washout must be an int >= 0. Got {washout!r} instead.")
        self.network = network
        self.segments = segments
        self.penalty = alpha * network.groups["weights"]
        self.weight = np.ones(len(segments)) if sample_weight is None else sample_weight
        self.flag = np.zeros(1, dtype=np.int32) if flag is None else flag
        self.washout = washout
        targets = np.ones(len(segments), dtype=bool) if targets is None else targets
        self._counts = self.weight * np.isfinite(segments.y).sum(axis=1)
        self.longest = 1
        is_open = loop == "open" or loop == 1 or not network.taps.output_lags
        find = self._find_rows if is_open else self._find_rollouts
        self.rows, self.lengths = find(targets, loop)
        self.n = float(self._summed_counts().sum())

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
        return len(self.rows)

    def with_penalty(self, penalty):
        """The same data under another penalty vector."""
        other = copy(self)
        other.penalty = np.asarray(penalty, dtype=float)
        return other

    def with_alphas(self, alpha, linear_alpha):
        """The same data under other penalties of the weights and of the linear feedback."""
        network = self.network
        return self.with_penalty(
            alpha * network.groups["weights"] + linear_alpha * network.linear_feedback
        )

    def without_flag(self):
        """The same data under a flag that nobody sets: what is there can still be ranked."""
        other = copy(self)
        other.flag = np.zeros(1, dtype=np.int32)
        return other

    def value(self, theta):
        """The loss, infinite where a rollout diverges."""
        return self.population_values(theta[None])[0]

    def is_smooth(self, theta):
        """Whether loss and gradient are finite: over long chaotic rollouts only the loss may be."""
        loss, grad = self.value_and_grad(theta)
        return bool(np.isfinite(loss) and np.isfinite(grad).all())

    def population_values(self, thetas):
        """The loss of each row of `thetas`, in one call."""
        sse = self.network.sse(thetas, *self._data(), self.flag, self.washout)
        return np.array([self._loss(*pair) for pair in zip(thetas, sse)])

    def value_and_grad(self, theta, batch=None):
        """The loss and its gradient, over all rollouts or a batch of them (positions from 0).

        A batch stands for the whole: its error is scaled to all n residuals.
        """
        scale = 1.0 if batch is None else self.n / float(self._summed_counts(batch).sum())
        sse, Jte = self.network.gradient(theta, *self._data(batch), self.flag, self.washout)
        with np.errstate(over="ignore", invalid="ignore"):
            grad = (scale * Jte + self.penalty * theta) / self.n
        return self._loss(theta, scale * sse), grad

    def normal_equations(self, theta):
        """J'J, J'e, the sum of squared errors and n: the data's part, without the penalty."""
        data = *self._data(), self.flag, self.washout
        return *self.network.normal_equations(theta, *data), self.n

    def residuals_and_jacobian(self, theta):
        """Weighted residuals and their whole Jacobian."""
        return self.network.residuals_and_jacobian(theta, *self._data(), self.washout)

    def correlation_time(self, theta):
        r"""How many residuals in a row say as much as one: 1 in open loop, where they are white.

        .. math:: \tau = 1 + 2 \sum_{k \ge 1} \rho_k

        up to the first lag that is at least five times the sum so far (Sokal 1997): farther lags
        add only noise.
        """
        if self.lengths is None:
            return 1.0
        y_hat, _ = self.network.rollout(theta, self.segments, self.rows, self.lengths)
        steps = np.arange(y_hat.shape[1])
        rows = np.minimum(self.rows[:, None] + steps, len(self.segments) - 1)
        e = np.where(self.weight[rows][:, :, None] > 0, y_hat - self.segments.y[rows], np.nan)
        e = e[:, self.washout :]
        e = np.nan_to_num(e - np.nanmean(e))
        products = _autocorrelation(e)
        if not products[0] > 0:
            return 1.0
        taus = 2.0 * np.cumsum(products / products[0]) - 1.0
        is_enough = np.arange(1, len(taus)) >= WINDOW * taus[:-1]
        return max(float(taus[np.argmax(is_enough) if is_enough.any() else -1]), 1.0)

    def loop_gain(self, theta):
        """The largest growth per step of a small perturbation of the fed-back output.

        Rollouts that follow one another without an overlap make a chain, along which the
        perturbation goes as in `TappedMLP.loop_gain`; in open loop it goes along the measured
        rows. A chain ends with a segment, but no chain is shorter than 1000 steps where there are
        as many: over a few steps the growth of a passing moment hides that of the loop.
        """
        rows, lengths = self.rows, self.lengths
        if lengths is None:
            lengths = np.ones(len(rows), dtype=np.intp)
        else:
            steps = np.zeros(len(self.segments), dtype=np.intp)
            steps[rows] = lengths
            rows = _one_after_another(rows, steps)
            lengths = steps[rows]
        return max(
            self.network.loop_gain(theta, self.segments, rows[chain], lengths[chain])
            for chain in _chains(self.segments.starts[rows], lengths)
        )

    def _data(self, batch=None):
        """What all kernels are given: segments, rollouts and weights."""
        rows, lengths = self.rows, self.lengths
        if batch is not None:
            rows, lengths = rows[batch], None if lengths is None else lengths[batch]
        return self.segments, rows, lengths, self.weight

    def _loss(self, theta, sse):
        with np.errstate(over="ignore", invalid="ignore"):
            loss = (sse + self.penalty @ theta**2) / (2.0 * self.n)
        return float(loss) if np.isfinite(loss) else np.inf

    def _summed_counts(self, batch=slice(None)):
        """The weights of the residuals of each rollout, summed."""
        if self.lengths is None:
            return self._counts[self.rows[batch]]
        return self._counts_of_rollouts(self.rows[batch], self.lengths[batch])

    def _counts_of_rollouts(self, begins, lengths):
        up_to = np.concatenate(([0.0], np.cumsum(self._counts)))
        return up_to[begins + lengths] - up_to[begins + np.minimum(self.washout, lengths)]

    def _find_rows(self, targets, loop):
        """Every target row with its taps, a weight and something to be fitted."""
        mask = self.segments.known(self.network.taps) & targets & (self._counts > 0)
        return np.flatnonzero(mask), None

    def _find_rollouts(self, targets, loop):
        """Where rollouts begin, and how many steps they take."""
        segments, taps = self.segments, self.network.taps
        is_step = segments.known_inputs(taps) & targets
        n = np.arange(len(segments))
        ends = np.minimum.accumulate(np.where(is_step, len(segments), n)[::-1])[::-1]
        lengths = np.minimum(ends, segments.stops) - n
        begins = np.flatnonzero(is_step & segments.known_history(taps))
        if loop == "closed":
            begins = _one_after_another(begins, lengths)
        else:
            k = min(loop, len(segments))
            begins = _one_after_another(begins, np.minimum(lengths, stride(k)))
            lengths = np.minimum(lengths, k)
        lengths = lengths[begins]
        self.longest = int(np.max(lengths, initial=0))
        has_targets = self._counts_of_rollouts(begins, lengths) > 0
        return begins[has_targets], lengths[has_targets]


def _one_after_another(begins, lengths):
    """Rows to begin from: each the first one after the rows that the one before claims."""
    chosen, at = [], 0
    while at < len(begins):
        chosen.append(begins[at])
        at = np.searchsorted(begins, begins[at] + lengths[begins[at]])
    return np.array(chosen, dtype=np.intp)


def _chains(starts, lengths):
    """Slices of rollouts that end with a segment, each of LONG steps or all there are."""
    done = np.concatenate(([0], np.cumsum(lengths)))
    edges = [0]
    for edge in np.flatnonzero(np.diff(starts)) + 1:
        if min(done[edge] - done[edges[-1]], done[-1] - done[edge]) >= LONG:
            edges.append(edge)
    return map(slice, edges, [*edges[1:], len(lengths)])


def stride(k):
    """Rows from one rollout of k steps to the next.

    Examples
    --------
    >>> stride(24), stride(2), stride(10)
    (7, 1, 3)
    """
    s = -(-k // 4)
    while gcd(s, k) > 1:
        s += 1
    return s


def _autocorrelation(e):
    """Sums of ``e_t e_{t+lag}`` for lags 0, 1, ... along the second axis, over all others."""
    n = e.shape[1]
    size = next_fast_len(2 * n, real=True)  # room for every lag: the ends do not meet
    power = np.abs(rfft(e, size, axis=1)) ** 2
    return irfft(power.sum(axis=(0, 2)), size)[:n]
