r"""The penalties that a network deserves, chosen from the training rows alone.

A penalty alpha on the weights, beside squared errors of variance :math:`\sigma^2`, says that the
weights are normal around zero with the variance :math:`\sigma^2 / \alpha`. The unit of alpha is
therefore the error variance: that of the linear model from which a network starts, and then what
the network before has left of it. Strengths, penalties in this unit, are tried from the first that
leaves anything of such a network on (the weights of a state act at every row of its window, and
bear a hundred times that of others), until the errors rise twice running or four strengths bring
nothing better, on blocks at the end of the training rows: a network learns one step ahead from the
rows before a block, and runs on its own output through it, from many origins. Of two blocks the
earlier comes first, which has fewer rows to learn from. A network that is worse there than the
linear model ends with it: what one block loses and the other gains is no more than chance.

The linear feedback has a penalty of its own. Its weights v are taken to have a variance of a tenth,
a ridge of :math:`10 \sigma^2 |v|^2`, which short series need. And in a free run the outputs that
are fed back carry the errors of the model, of variance :math:`\sigma^2` at least; read with such
errors, n targets cost :math:`n \sigma^2 |v|^2`. Without that lags that say nearly the same get
large weights of opposite signs, and a loop that is right to ten digits one step ahead falls apart
within a hundred. Errors of more than a hundredth of the spread count as a hundredth: a model that
foretells no better would lose more than it gains. The larger of both counts. A common factor of the
weights of rows is one of the penalties too.

Both have to be earned. A network is switched off, and the linear model forecasts, unless its free
runs are better by more than chance; and the feedback is taken to be exact only where that is better
by more than chance and, of two networks, which hang on how far training went, by half of the
squared errors. What is compared is a mean over groups g of runs, each from as many rows as a run is
long, and over the steps h of the runs,

.. math::

    \ell = \frac{1}{G \sum_h h^{-1/2}} \sum_{g, h} h^{-1/2}
    \log \frac{\sum e_{gh}^2}{n_{gh}}

of the logarithm of the mean squared error. At steps at which a model is no better, over all groups,
than the mean of the training rows, the errors of that mean stand in their place: of a chaotic
series only the first steps can be foretold, and what lies behind them shall count for neither
model. The weights stand between steps alike, among which a single step that can be foretold is
lost, and octaves alike, which forget the far ones. The logarithm lets quiet times count as loud
ones. No error counts as more than the width of the training rows, and a run with such an error has
failed: of a better network no more do so than of the linear model. Chance is told by a paired t
test over the groups, for runs that begin within one run of each other share rows.

References
----------
Bishop 1995, "Training with noise is equivalent to Tikhonov regularization", Neural Computation 7,
108-116.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.stats import t

from narxkit.training.linear import count_targets, ridge
from narxkit.training.objective import Objective

STRENGTHS = 1000.0, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0, 0.3, 0.1, 1e-2, 1e-3, 1e-4
OFF = np.inf  # the strength that leaves nothing of a network
BLOCKS = 0.2, 0.4  # of the training targets of each segment: where the blocks begin, from the end
ENOUGH = 10  # groups of runs, so that one block can tell
LEVEL = 0.01  # of the test whether one model is better than another
FEWEST_GROUPS, MOST_GROUPS = 4, 20  # of runs, in a block
MOST_RUNS, LONGEST = 2000, 200  # and steps
MOST_ROWS = 10_000  # that are learned from before a block
ROWS_OF_GROUP = 5  # at least
PRIOR = 10.0  # over the variance that weights of the linear feedback are expected to have
FED_BACK = 1e-4  # largest variance of the errors that the linear feedback is made to bear
MOST_FALLS = 2  # running, of what strengths gain: one may come by chance
MOST_IN_VAIN = 4  # strengths running that gain no more than the best before
IN_EARNEST = 10.0  # the strength from which on those that gain nothing tell
MOST_BESIDE = 2  # the same, beside a network that has proven itself already
STEP = 0.1  # of the penalty before, at least: what is learned at once may be too much
MARGIN = np.log(2.0)  # by which a network has to be better that takes its feedback to be exact
RISE = 0.02  # of the mean logarithm; what is less is none
LEAST = 1e-12  # of a mean squared error, in variances of the outputs


# ---------------------------------------------------------------- errors of free runs
class Errors(NamedTuple):
    """Squared errors of free runs, summed in groups of runs.

    Parameters
    ----------
    sums, of_mean, weights : ndarray of shape (n_groups, n_steps, n_outputs)
        Weighted squared errors of each step, those of the mean of the training rows, and weights.
    n_tested : int
        First steps that tell whether a model is better by more than chance.
    n_failed : int
        Runs with an error as large as the width of the training rows.
    """

    sums: np.ndarray
    of_mean: np.ndarray
    weights: np.ndarray
    n_tested: int
    n_failed: int = 0

    @classmethod
    def joined(cls, several):
        """Put the groups of several blocks side by side."""
        n_steps = max(one.sums.shape[1] for one in several)

        def stack(arrays):
            wide = [np.pad(a, ((0, 0), (0, n_steps - a.shape[1]), (0, 0))) for a in arrays]
            return np.concatenate(wide)

        *arrays, n_tested, n_failed = zip(*several)
        return cls(*map(stack, arrays), min(n_tested), sum(n_failed))

    def levels(self, n_steps=None):
        """Take the mean log of the mean squared error of each group, near steps before far."""
        sums, of_mean, weights = (values[:, :n_steps] for values in self[:3])
        # of all groups: one by one, the lucky half of nothing but noise would count
        is_foretold = sums.sum(axis=0) < of_mean.sum(axis=0)
        is_there, squares = weights > 0, np.where(is_foretold, sums, of_mean)
        mean = np.divide(squares, weights, out=np.ones_like(squares), where=is_there)
        shares = is_there / np.sqrt(np.arange(1, mean.shape[1] + 1))[:, None]
        logs = shares * np.log(np.maximum(mean, LEAST))
        return logs.sum(axis=(1, 2)) / np.maximum(shares.sum(axis=(1, 2)), LEAST)

    @property
    def level(self):
        """The mean of all groups."""
        return float(self.levels().mean())


def holds(errors, others):
    """Tell whether errors are no larger than others of the same runs, and no more runs fail."""
    return errors.n_failed <= others.n_failed and errors.level <= others.level


def is_better(errors, others, margin=0.0):
    """Tell whether the level of errors is lower than another by a margin and more than chance."""
    gains = others.levels(errors.n_tested) - errors.levels(errors.n_tested)
    n = len(gains)
    if n < 2 or not holds(errors, others) or errors.level > others.level - margin:
        return False
    return bool(gains.mean() > t.isf(LEVEL, n - 1) * gains.std(ddof=1) / np.sqrt(n))


class Runs:
    """Free runs over the rows of a mask, from every row that has its history, or from 2000 of them.

    Parameters
    ----------
    lesson : Lesson
        Where the rows are from.
    targets : ndarray of bool of shape (n_rows,)
        The rows.
    steps : int
        First steps that test; halved as long as they make too few groups, down to one step from
        measured history. The runs go on as long as ten of them have room in the first block, or
        200 steps.

    Attributes
    ----------
    n_groups : int
        Groups of runs, each from as many rows as there are steps that test.
    """

    def __init__(self, lesson, targets, steps):
        n_groups, room = 0, min(int(BLOCKS[0] * lesson.n_targets) // ENOUGH, LONGEST)
        while n_groups < FEWEST_GROUPS and steps:
            rollouts = lesson.runs(max(steps, room) if steps > 1 else 1, targets)
            n_groups, self.steps = len(rollouts) // max(steps, ROWS_OF_GROUP), steps
            steps //= 2
        self.n_groups = min(n_groups, MOST_GROUPS)
        self.rollouts = rollouts.part(slice(None, None, -(-len(rollouts) // MOST_RUNS) or 1))
        low, high = lesson.range_of_outputs
        self._width = high - low

    def errors(self, network, theta):
        """Return the squared errors of a network that reads the same rows."""
        rollouts = self.rollouts
        y = rollouts.segments.y[rollouts.rows]
        weight = (rollouts.row_weights[rollouts.rows] * rollouts.is_step)[:, :, None]
        weight = weight * np.isfinite(y)
        e = self._absolute(network.rollout(theta, rollouts)[0], y)
        has_failed = ((e >= self._width) & (weight > 0) & (self._width > 0)).any(axis=(1, 2))
        first = np.linspace(0, len(rollouts), self.n_groups, endpoint=False).astype(int)
        # one after another, for each is as large as the runs
        of_model, of_mean = (np.add.reduceat(_squares(v, weight), first) for v in (e, y))
        weights = np.add.reduceat(weight, first)
        return Errors(of_model, of_mean, weights, self.steps, int(has_failed.sum()))

    def _absolute(self, y_hat, y):
        """Return absolute errors in the place of predictions, none above the width."""
        y_hat -= y
        np.nan_to_num(y_hat, copy=False, nan=np.inf)
        return np.minimum(np.abs(y_hat, out=y_hat), self._width, out=y_hat)


def _squares(values, weight):
    """Return weighted squares, 0 without a weight."""
    squares = np.where(weight > 0, values, 0.0)
    np.square(squares, out=squares)
    squares *= weight
    return squares


class Block:
    """Rows that a network learns from, and the rows behind them that judge it.

    Parameters
    ----------
    lesson : Lesson
        Where the rows are from.
    before, judged : ndarray of bool of shape (n_rows,)
        The rows that are learned from, and those that judge.
    steps : int
        Length of the free runs.
    """

    def __init__(self, lesson, before, judged, steps):
        self.objective = lesson.over("open", before)
        self.runs = Runs(lesson, judged, steps)

    @property
    def is_usable(self):
        """Whether there is something to learn from and to be judged by."""
        has_targets = self.objective.size and count_targets(self.objective).min() >= 2
        return bool(has_targets and self.runs.n_groups)


def make_blocks(lesson, steps):
    """Cut blocks off the end of the training rows: one where it has groups enough."""
    blocks, later = [], False
    for fraction in BLOCKS:
        behind = lesson.last_rows(fraction)
        judged = behind & np.logical_not(later)
        blocks.append(Block(lesson, lesson.last_targets(MOST_ROWS, ~behind), judged, steps))
        later = behind
        if blocks[0].runs.n_groups >= ENOUGH:
            break
    return [block for block in reversed(blocks) if block.is_usable]


# ---------------------------------------------------------------- penalties and starts
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
        """Return the penalty of linear feedback where the errors of one step have this variance."""
        if self.alpha is not None:
            return self.alpha
        n, weight = _count(objective) / objective.network.n_outputs, _mean_weight(objective)
        return self.share * max(PRIOR * variance, n * min(variance, FED_BACK * weight))


EXACT = Noise(0.0)


class Start(NamedTuple):
    """Where training begins.

    Parameters
    ----------
    thetas : list of ndarray
        Random starts, beside the linear model where the network holds one.
    linear : ndarray
        Parameters of the linear model of the same taps.
    variance : float
        Of the errors of one step of least squares, times the mean weight of the rows.
    found : ndarray or None, default=None
        Parameters of the network that a search has found: for where Ctrl-C leaves no time to train.
    """

    thetas: list
    linear: np.ndarray
    variance: float
    found: np.ndarray | None = None


def starts(objective, seeds):
    """Make starts beside linear models of the same taps, as a function of the noise.

    Parameters
    ----------
    objective : Objective
        One-step predictions.
    seeds : sequence of int
        One start each.

    Returns
    -------
    callable
        ``start(noise)`` gives a `Start`; all share one pass over the data.
    """
    network, part = objective.network, _linear_part(objective)
    thetas, solve = [network.initial(np.random.default_rng(seed)) for seed in seeds], ridge(part)
    free = solve(0.0)
    variance = _unbiased_variance(part, free) if part.size else _mean_weight(objective)
    spans = network.taps.output_spans

    def start(noise):
        penalty = np.zeros(network.taps.n_taps)
        penalty[: len(spans)] = noise.penalty(objective, variance) / spans
        linear = solve(penalty) if penalty.any() else free
        if not network.holds_linear_model:
            return Start(thetas, linear, variance)
        return Start([network.with_linear(one, linear) for one in thetas], linear, variance)

    return start


def _linear_part(objective):
    """Lay the same targets before the linear model of the same taps, without bounds or a flag."""
    segments = objective.rollouts.segments.replace(low=None, high=None)
    linear, rollouts = objective.network.linear_part(), objective.rollouts
    if objective.network.reach.window:  # which bridges missing outputs, as taps alone cannot
        rollouts = rollouts.part(segments.known(linear.reach)[rollouts.origins])
    return Objective(linear, rollouts.replace(segments=segments))


def _unbiased_variance(objective, theta):
    """Return the error variance behind least squares; that of y, 1, where they fit any numbers."""
    n, weight = _count(objective), _mean_weight(objective)
    n_left = n - objective.network.n_params
    return _variance(objective, theta) * n / n_left if n_left > 0 else weight


def _variance(objective, theta):
    """Return the mean square of the errors of one step, times the mean weight of the rows."""
    return float(2.0 * objective.value(theta)) * _mean_weight(objective)


def _mean_weight(objective):
    return objective.n / _count(objective)


def _count(objective):
    return int(count_targets(objective).sum())


# ---------------------------------------------------------------- the choice
class Choice(NamedTuple):
    """Penalties, and the errors of the free runs that chose them.

    Parameters
    ----------
    noise : Noise
        The error that fed-back outputs are taken to carry.
    alpha : float
        Penalty of the weights, in units of the linear model's error variance; `OFF` where that
        model forecasts as well.
    share : float
        The part of that error variance that the network leaves.
    errors : Errors or None
        Of the free runs.
    theta : ndarray or None
        The network as it has learned from the rows before the last block.
    """

    noise: Noise
    alpha: float = OFF
    share: float = 1.0
    errors: Errors | None = None
    theta: np.ndarray | None = None

    @property
    def is_on(self):
        """Whether a network has proven itself."""
        return self.alpha < OFF


class Patience:
    """How long strengths are tried that bring nothing better.

    Those above `IN_EARNEST` may leave too little of a network to tell, until one of them gains.

    Parameters
    ----------
    least_gain : float, default=0.0
        The gain on the linear model, of the mean logarithm, that counts as the first.
    most_in_vain : int, default=MOST_IN_VAIN
        Strengths running that gain no more than the best before.
    """

    def __init__(self, least_gain=0.0, most_in_vain=MOST_IN_VAIN):
        self._best, self._n_in_vain, self._most_in_vain = least_gain, 0, most_in_vain
        self._before, self._n_falls, self._has_begun = -np.inf, 0, False

    def is_over(self, gain, strength=IN_EARNEST):
        """Take note of the gain of a network, and say whether it was the last."""
        gains = gain > self._best + RISE
        self._has_begun |= gains or strength <= IN_EARNEST
        if not self._has_begun:
            return False
        self._n_falls = self._n_falls + 1 if gain < self._before - RISE else 0
        self._n_in_vain = 0 if gains else self._n_in_vain + 1
        self._before, self._best = gain, gain if gains else self._best
        return self._n_falls == MOST_FALLS or self._n_in_vain == self._most_in_vain


def _rank(choice, linear):
    """Rank no more failed runs than those of the linear model first, then by level."""
    return choice.errors.n_failed > linear.errors.n_failed, choice.errors.level


class Search:
    """A search for penalties on blocks of the training rows.

    Parameters
    ----------
    blocks : sequence of Block
        What is learned and judged.
    seed : int
        Of the start in the last block; the one before has the next.
    solve : callable
        ``solve(objective, theta)`` gives the parameters of a network.
    flag : ndarray of int32 of shape (1,)
        Ends the search once it is set.
    """

    def __init__(self, blocks, seed, solve, flag):
        self._blocks, self._solve, self._flag = blocks, solve, flag
        seeds = range(seed, seed + len(blocks))[::-1]
        self._begins = [starts(one.objective, [s]) for one, s in zip(blocks, seeds)]
        self._starts, self._linear_errors = cache(self._starts), cache(self._linear_errors)

    def choose(self, noises, with_networks=True):
        """Choose by networks, or by linear models alone; what comes later has to be better.

        Parameters
        ----------
        noises : sequence of Noise
            The errors that fed-back outputs may carry.
        with_networks : bool, default=True
            Whether the penalty of the weights is to be chosen as well.

        Returns
        -------
        list of Choice
            What forecasts best, and what is left where that does not hold.
        """
        first, *others = noises
        if not self._blocks:
            return [Choice(first)]
        choices = [self.network(first) if with_networks else self.linear(first)]
        for noise in others:
            if is_better(self.linear(noise).errors, self.linear(first).errors):
                other = self.network(noise, choices[0]) if with_networks else self.linear(noise)
                if is_better(other.errors, choices[0].errors, MARGIN if other.is_on else 0.0):
                    choices = [other, *choices] if other.is_on else [other]
        return choices

    def linear(self, noise):
        """Return the linear model of the same taps."""
        return Choice(noise, errors=Errors.joined(self._linear_errors(noise)))

    def network(self, noise, rival=None):
        """Choose the best network along the strengths, where it beats the linear model.

        A network that holds no linear model cannot be switched off: the best is as good as it gets.

        Parameters
        ----------
        noise : Noise
            The error that fed-back outputs are taken to carry.
        rival : Choice, default=None
            What has to be beaten by a margin as well, or else it is not worth the time.
        """
        linear, best = self.linear(noise), None
        patience = self._patience(linear, rival)
        for strength, trial, gain in self._trials(noise):
            if trial and (best is None or _rank(trial, linear) < _rank(best, linear)):
                best = trial
            if patience.is_over(gain, strength):
                break
        if best is None or not self._network.holds_linear_model:
            return best or linear
        return best if is_better(best.errors, linear.errors) else linear

    def _patience(self, linear, rival):
        if not self._network.holds_linear_model:
            return Patience(-np.inf)
        if rival is None:
            return Patience()
        least_gain = max(linear.errors.level - rival.errors.level + MARGIN, 0.0)
        return Patience(least_gain, MOST_BESIDE if rival.is_on else MOST_IN_VAIN)

    def _trials(self, noise):
        """Yield each strength, the network under it, and what it gains on the linear model.

        None in its place where it is behind before all blocks have judged it.
        """
        variances = np.array([one.variance for one in self._starts(noise)])
        linear, share, alpha = self._linear_errors(noise), 1.0, 0.0
        for strength in STRENGTHS:
            if strength > self._network.first_strength:
                continue
            alpha = max(strength * share, STEP * alpha)
            thetas, errors = self._learned(noise, alpha, share)
            if self._flag[0]:
                break
            if all(map(self._network.is_linear, thetas)):
                continue
            n = len(thetas)
            share = min(share, float(np.mean(self._variances(thetas) / variances[:n])))
            joined = Errors.joined(errors)
            gain = Errors.joined(linear[:n]).level - joined.level
            penalty = max(strength * share, STEP * alpha)
            is_whole = n == len(self._blocks)
            choice = Choice(noise, penalty, share, joined, thetas[-1]) if is_whole else None
            yield strength, choice, gain

    def _learned(self, noise, alpha, share):
        """Train under one strength, up to the first block where it is behind."""
        thetas, errors = [], []
        for block, start, linear in zip(
            self._blocks, self._starts(noise), self._linear_errors(noise)
        ):
            units = alpha * start.variance, share * start.variance
            thetas.append(self._solve(self._penalised(block, noise, *units), start.thetas[0]))
            if self._flag[0]:
                break
            errors.append(block.runs.errors(self._network, thetas[-1]))
            if self._is_behind(thetas[-1], errors[-1], linear):
                break
        return thetas, errors

    def _is_behind(self, theta, errors, linear):
        """Tell whether a living network that can be switched off is worse than the linear model."""
        can_be_off = self._network.holds_linear_model and not self._network.is_linear(theta)
        return can_be_off and not holds(errors, linear)

    @property
    def _network(self):
        return self._blocks[0].objective.network

    @staticmethod
    def _penalised(block, noise, alpha, variance):
        """Return the objective of a block under both penalties, where errors have this variance."""
        objective = block.objective
        return objective.with_alphas(alpha, noise.penalty(objective, variance))

    def _starts(self, noise):
        return [start(noise) for start in self._begins]

    def _linear_errors(self, noise):
        """Measure the errors of the linear model, block by block."""
        part, pairs = self._network.linear_part(), zip(self._blocks, self._starts(noise))
        return [block.runs.errors(part, start.linear) for block, start in pairs]

    def _variances(self, thetas):
        pairs = zip(self._blocks, thetas)
        return np.array([_variance(one.objective, theta) for one, theta in pairs])
