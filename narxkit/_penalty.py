r"""The penalties that a network deserves, chosen from the training rows alone.

A penalty alpha on the weights, beside squared errors of variance :math:`\sigma^2`, says that the
weights are normal around zero with the variance :math:`\sigma^2 / \alpha`. The unit of alpha is
therefore the error variance: that of the linear model from which a network starts, and then what
the network before has left of it. Strengths, penalties in this unit, are tried from the strongest
on, until the errors rise (twice running while no network is proven), on blocks at the end of the
training rows: a network learns from the rows before a block and runs on its own output through it,
from many origins.

The linear feedback has a penalty of its own. Its weights v are taken to have a variance of a tenth,
a ridge of :math:`10 \sigma^2 |v|^2`, which short series need. And in a free run the outputs that
are fed back carry the errors of the model, of variance :math:`\sigma^2` at least; read with such
errors, n targets cost :math:`n \sigma^2 |v|^2`. Without that lags that say nearly the same get
large weights of opposite signs, and a loop that is right to ten digits one step ahead falls apart
within a hundred. Errors above a hundredth of the spread are not borne this way: a model that
foretells no better would lose more than it gains. The larger of both counts.

Weights of the rows count as often as a row is there: with all of them alike nothing changes.

Both have to be earned. A network is switched off, and the linear model forecasts, unless its free
runs are better by more than chance; and the feedback is taken to be exact only where that is better
by more than chance. Two models are compared by the geometric mean of their errors (Armstrong and
Collopy 1992): of a chaotic series only the first steps can be foretold, and there the ratio of
errors says what a sum over the whole run would hide behind those of its end. A run that leaves the
range of the training rows by half its width, beyond all that was ever seen, has no error that a
mean could bear: it has failed.

References
----------
Bishop 1995, "Training with noise is equivalent to Tikhonov regularization", Neural Computation 7,
108-116. Armstrong and Collopy 1992, "Error measures for generalizing about forecasting methods",
International Journal of Forecasting 8, 69-80.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.stats import t

from narxkit._linear import count_targets, ridge
from narxkit.objective import Objective

STRENGTHS = 30.0, 10.0, 3.0, 1.0, 0.3, 0.1, 1e-2, 1e-3, 1e-4
OFF = np.inf  # the strength that leaves nothing of a network
BLOCKS = 0.2, 0.3  # of each segment, its last part
ENOUGH = 40  # runs, so that one block can tell
LEVEL = 0.01  # of the test whether one model is better than another
OVERLAP = 2  # runs that tell as much as one
PRIOR = 10.0  # over the variance that weights of the linear feedback are expected to have
FED_BACK = 1e-4  # largest variance of the errors that the linear feedback is made to bear
PATIENCE = 2  # rises running, while no network is proven: one that hardly lives rises by chance
RISE = 0.01  # of the errors, by a hundredth: what is less is none
LEAST = 1e-9  # of an error, in standard deviations
BEYOND = 0.5  # of the width of the training rows: a run that leaves them farther has failed


class Runs:
    """Free runs from many origins over the rows of a mask.

    Parameters
    ----------
    lesson : Lesson
        Where the rows are from.
    targets : ndarray of bool of shape (n_rows,)
        The rows.
    steps : int
        Length of the runs; without feedback, rows that are judged together.
    """

    def __init__(self, lesson, targets, steps):
        self._objective = lesson.over(steps, targets)
        self._steps = steps
        low, high = lesson.range_of_outputs
        margin = BEYOND * (high - low)
        self._low, self._high = low - margin, high + margin

    def __len__(self):
        return self._objective.size

    def errors(self, theta):
        """The mean logarithm of the errors of each run, infinite where it fails."""
        objective, segments = self._objective, self._objective.segments
        is_fed_back = objective.lengths is not None
        rows = objective.rows
        lengths = objective.lengths if is_fed_back else np.ones(len(rows), dtype=np.intp)
        y_hat, bad = objective.network.rollout(theta, segments, rows, lengths)
        steps = np.arange(y_hat.shape[1])
        at = np.minimum(rows[:, None] + steps, len(segments) - 1)
        y = segments.y[at]
        weight = (objective.weight[at] * (steps < lengths[:, None]))[:, :, None] * np.isfinite(y)
        logs = np.log(np.maximum(np.abs(np.where(weight > 0, y_hat - y, 1.0)), LEAST))
        is_beyond = (y_hat < self._low) | (y_hat > self._high)  # not what is NaN, behind the end
        logs[(bad >= 0) | is_beyond.any(axis=(1, 2))] = np.inf
        logs = weight * np.where(weight > 0, logs, 0.0)  # 0 times infinity is no number
        first = np.arange(0, len(rows), 1 if is_fed_back else self._steps)
        sums, counts = (np.add.reduceat(v.sum(axis=(1, 2)), first) for v in (logs, weight))
        return sums / counts


class Block:
    """Rows that a network learns from, and the rows behind them that judge it.

    Parameters
    ----------
    lesson : Lesson
        Where the rows are from.
    fraction : float
        Part of each segment that judges.
    steps : int
        Length of the free runs.
    """

    def __init__(self, lesson, fraction, steps):
        behind = lesson.last_rows(fraction)
        self.objective = lesson.over("open", ~behind)
        self.runs = Runs(lesson, behind, steps)

    @property
    def is_usable(self):
        """Whether there is something to learn from and to be judged by."""
        has_targets = self.objective.size and count_targets(self.objective).min() >= 2
        return bool(has_targets and len(self.runs) >= 2)


def make_blocks(lesson, steps):
    """Cut blocks off the end of the training rows: one where it has runs enough."""
    blocks = []
    for fraction in BLOCKS:
        blocks.append(Block(lesson, fraction, steps))
        if len(blocks[0].runs) >= ENOUGH:
            break
    return [block for block in blocks if block.is_usable]


class Noise(NamedTuple):
    """The error that fed-back outputs are taken to carry, and what it costs the linear feedback.

    Parameters
    ----------
    share : float
        Its variance, in that of the errors of one step.
    alpha : float or None
        A penalty that is given, in the place of that which follows from the variance.
    """

    share: float = 1.0
    alpha: float | None = None

    def penalty(self, objective, variance):
        """The penalty of the linear feedback where the errors of one step have this variance."""
        if self.alpha is not None:
            return self.alpha
        n, weight = _count(objective) / objective.network.n_outputs, _mean_weight(objective)
        return self.share * max(PRIOR * variance, n * min(variance, FED_BACK * weight))


EXACT = Noise(0.0)


def penalised(objective, strength, noise, variance):
    """The objective under both penalties, where the errors of one step have this variance."""
    return objective.with_alphas(strength * variance, noise.penalty(objective, variance))


def start(objective, noise, seeds):
    """Starts beside one linear model of the same taps, and the error variance of least squares."""
    network, linear = objective.network, _linear_part(objective)
    thetas, solve = [network.initial(np.random.default_rng(seed)) for seed in seeds], ridge(linear)
    free = solve(0.0)
    variance = _unbiased_variance(linear, free)
    if not network.holds_linear_model:
        return thetas, variance
    penalty = np.zeros(network.taps.n_taps)
    penalty[: len(network.taps.outputs)] = noise.penalty(objective, variance)
    bound = solve(penalty) if penalty.any() else free
    return [network.with_linear(theta, bound) for theta in thetas], variance


def _unbiased_variance(objective, theta):
    """The error variance behind least squares; that of y, 1, where they fit any numbers."""
    n, weight = _count(objective), _mean_weight(objective)
    n_left = n - objective.network.n_params
    return _variance(objective, theta) * n / n_left if n_left > 0 else weight


def _variance(objective, theta):
    """The mean square of the errors of one step, times the mean weight of the rows."""
    return float(2.0 * objective.value(theta)) * _mean_weight(objective)


def _mean_weight(objective):
    return objective.n / _count(objective)


def _count(objective):
    return int(count_targets(objective).sum())


def _linear_part(objective):
    """The same targets for the linear model of the same taps, without bounds."""
    targets = np.zeros(len(objective.segments), dtype=bool)
    targets[objective.rows] = True
    return Objective(
        objective.network.linear_part(),
        objective.segments.replace(low=None, high=None),
        sample_weight=objective.weight,
        targets=targets,
        flag=objective.flag,
    )


class Choice(NamedTuple):
    """Penalties, and the errors of the free runs that chose them.

    Parameters
    ----------
    noise : Noise
        The error that fed-back outputs are taken to carry.
    strength : float
        Of the penalty of the weights; `OFF` where the linear model forecasts as well.
    share : float
        The part of the linear model's error variance that the network leaves.
    errors : ndarray
        Of each free run.
    """

    noise: Noise
    strength: float = OFF
    share: float = 1.0
    errors: np.ndarray | None = None

    @property
    def is_on(self):
        """Whether a network has proven itself."""
        return self.strength < OFF


class Search:
    """A search for penalties on blocks of the training rows.

    Parameters
    ----------
    blocks : sequence of Block
        What is learned and judged.
    seed : int
        Of the start in the first block; the others have the next ones.
    solve : callable
        ``solve(objective, theta)`` gives the parameters of a network.
    flag : ndarray of int32 of shape (1,)
        Ends the search once it is set.
    """

    def __init__(self, blocks, seed, solve, flag):
        self._blocks, self._solve, self._flag = blocks, solve, flag
        self._seeds = range(seed, seed + len(blocks))
        self._starts, self.linear = cache(self._starts), cache(self.linear)

    def choose(self, noises, judge):
        """Choose by linear models or networks; what comes later has to be better than the first.

        Parameters
        ----------
        noises : sequence of Noise
            The errors that fed-back outputs may carry.
        judge : callable
            ``judge(noise)`` gives a `Choice`: `linear` or `network`.

        Returns
        -------
        Choice
            What forecasts best.
        """
        first, *others = noises
        if not self._blocks:
            return Choice(first)
        best = judge(first)
        for noise in others:
            if _is_better(self.linear(noise).errors, self.linear(first).errors):
                other = judge(noise)
                best = other if _is_better(other.errors, best.errors) else best
        return best

    def linear(self, noise):
        """The linear model of the same taps."""
        starts, _ = self._starts(noise)
        return Choice(noise, errors=self._errors(starts))

    def network(self, noise):
        """The best network along the strengths, where it is better than the linear model."""
        starts, variances = self._starts(noise)
        linear = best = self.linear(noise)
        left, before, n_rises, is_proven = variances, np.inf, 0, False
        for strength in STRENGTHS:
            thetas = [
                self._solve(penalised(one.objective, strength, noise, variance), theta)
                for one, theta, variance in zip(self._blocks, starts, left)
            ]
            if self._flag[0]:
                break
            if all(map(self._network.is_linear, thetas)):
                continue
            errors = self._errors(thetas)
            left = np.minimum(left, self._variances(thetas))
            if errors.mean() < best.errors.mean():
                best = Choice(noise, strength, float(np.mean(left / variances)), errors)
            n_rises = n_rises + 1 if errors.mean() > before + RISE else 0
            is_proven = _is_better(best.errors, linear.errors)
            if n_rises == (1 if is_proven else PATIENCE):
                break
            before = errors.mean()
        return best if is_proven else linear

    @property
    def _network(self):
        return self._blocks[0].objective.network

    def _starts(self, noise):
        pairs = [start(one.objective, noise, [i]) for one, i in zip(self._blocks, self._seeds)]
        return [theta for (theta,), _ in pairs], np.array([variance for _, variance in pairs])

    def _errors(self, thetas):
        return np.concatenate([one.runs.errors(theta) for one, theta in zip(self._blocks, thetas)])

    def _variances(self, thetas):
        return [_variance(one.objective, theta) for one, theta in zip(self._blocks, thetas)]


def _is_better(errors, others):
    """Whether errors are smaller than others by more than chance, run by run."""
    if not np.isfinite(others).all():
        return bool(np.isfinite(errors).all())
    gain, n = others - errors, len(errors) / OVERLAP
    if n <= 1 or not gain.mean() > 0:
        return False
    return bool(gain.mean() >= t.isf(LEVEL, n - 1) * gain.std(ddof=1) / np.sqrt(n))
