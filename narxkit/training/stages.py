"""Training in stages: one step ahead first, longer rollouts from there.

A network that starts at random diverges within a few steps on its own output, and the gradient of
a long rollout says little about how to mend that. One step ahead the problem is easy, and its
answer is a good place to start from. So training with ``loop=k`` or ``"closed"`` goes

    start (the ARX model, where there is a linear term)  ->  open loop  ->  rollouts

and reaches the rollouts wanted by shorter ones, of 4, 16, 64 and 256 steps, in a few iterations
each: in one leap, most starts of a smooth system end in a valley that is far from the deepest.
A sequence such as ``loop=(5, 20, "closed")`` names other stages. What diverges yet is left out, and
where nothing else is left, the longest of 2, 4, 8, ... steps that do not diverge are taken. Rows
held out judge the last stage alone: a network that has just begun to learn shorter rollouts says
nothing yet of the longer.
"""

from copy import copy
from functools import cached_property
from typing import NamedTuple

import numpy as np

from narxkit._checks import is_count
from narxkit._stored import stored
from narxkit.rows.rollouts import rollouts_from_everywhere
from narxkit.solvers import SolverResult, Stop
from narxkit.training.linear import count_targets

LADDER = tuple(2**i for i in range(1, 13))  # steps, where those wanted diverge
WAY = (4, 16, 64, 256)  # steps on the way to those wanted
stored(Stop)  # for solvers know nothing of ours

LAST_WORDS = (Stop.INTERRUPTED, Stop.CALLBACK, Stop.NOT_FINITE)


@stored
class Stage(NamedTuple):
    """A stage of training: its rollout length, its loss and its iterations."""

    loop: str | int
    loss: float
    n_iter: int


class Trained(NamedTuple):
    """The end of a training: the best parameters and their rank, what the last stage said.

    Where it never began, `kept` says whose parameters these are; where no iteration came below the
    loss that it began with, it `went_nowhere`.
    """

    theta: np.ndarray
    rank: float
    result: SolverResult
    stages: list
    kept: str = ""
    went_nowhere: bool = False


def read_loops(loop):
    """Read the rollouts to train over, one stage after another, as ``loop`` names them.

    Parameters
    ----------
    loop : "open", "closed", int or sequence of them
        One kind of rollouts, or several of growing length.

    Returns
    -------
    tuple
        What is wanted, the last, and the stages before it, without the open loop before longer
        rollouts: training begins with it anyway.

    Raises
    ------
    ValueError
        For anything else.

    Examples
    --------
    >>> read_loops("open"), read_loops(24), read_loops(("open", 5, 20, "closed"))
    (('open',), (24,), (5, 20, 'closed'))
    """
    loops = tuple(loop) if isinstance(loop, list | tuple) else (loop,)
    are_known = all(
        is_count(one) or isinstance(one, str) and one in ("open", "closed") for one in loops
    )
    if not loops or not are_known:
        raise ValueError(
            "loop must be 'open', 'closed', an int k >= 1 or a sequence of them. "
            f"Got {loop!r} instead."
        )
    lengths = [n_steps(one) for one in loops]
    if any(later <= earlier for earlier, later in zip(lengths, lengths[1:])):
        raise ValueError(
            f"a sequence of stages must grow, but loop={loop!r} does not: order it from short to "
            "long rollouts, such as (5, 20, 'closed')."
        )
    return tuple(one for one in loops if n_steps(one) > 1) or ("open",)


def n_steps(loop):
    """Count the steps of a rollout, infinitely many in closed loop."""
    return {"open": 1, "closed": np.inf}.get(loop, loop)


class Lesson:
    """The task of a network: its objectives, by the rollouts they take.

    Parameters
    ----------
    make : callable
        ``make(network, loop=, targets=, washout=)`` gives an objective.
    network : Network
        The network.
    training, held_out : ndarray of bool of shape (n_rows,)
        Target rows.
    loops : tuple
        The rollouts named, as `read_loops` gives them.
    washout : int
        First steps of each rollout that have no weight.
    loss : callable, default=None
        The user's own, by which the network is judged in the place of its squared errors.
    """

    alphas = 0.0, 0.0

    def __init__(self, make, network, training, held_out, loops, washout, loss=None):
        self.network = network
        self.loops = loops
        self.loss = loss
        self._make = make
        self._rows = {"training": training, "held out": held_out}
        self._washout = washout
        self._objectives = {}  # shared by copies under other penalties: rollouts are laid once

    def of_linear_part(self):
        """Return the same for the linear part of the network."""
        rows = self._rows["training"], self._rows["held out"]
        how = self.loops, self._washout, self.loss
        other = Lesson(self._make, self.network.linear_part(), *rows, *how)
        return other.penalised(0.0, self.alphas[1])

    @cached_property
    def has_linear_part(self):
        """Whether there is a linear part, and rows to fit it: missing outputs may leave none."""
        if not self.network.holds_linear_model:
            return False
        return bool(count_targets(self.of_linear_part().objective("open")).min() >= 2)

    def penalised(self, alpha, linear_alpha):
        """Return the same under penalties of the weights and of the linear feedback."""
        other = copy(self)
        other.alphas = alpha, linear_alpha
        return other

    @property
    def first(self):
        """The rollouts to begin with: one step ahead, but of what reads stretches those named."""
        return self.loops[0] if self.network.reach.both_ways else "open"

    @property
    def wanted(self):
        """The rollouts that count in the end."""
        return self.loops[-1]

    @cached_property
    def stages(self):
        """The rollouts named, with the way to them where only one is."""
        if len(self.loops) > 1 or self.network.reach.both_ways:
            return self.loops
        longest = min(n_steps(self.wanted), self.objective(self.wanted).longest)
        return (*(k for k in WAY if 2 * k <= longest), self.wanted)

    def is_on_the_way(self, loop):
        """Return whether these rollouts only lead to those that were named."""
        return loop in self.stages and loop not in self.loops

    def objective(self, loop):
        """Return rollouts of the training rows."""
        return self._made("training", loop).with_alphas(*self.alphas)

    def held_out(self, loop):
        """Return rollouts of the rows held out, without a penalty; None where there are none."""
        if not self._rows["held out"].any():
            return None
        return self.judged(self._made("held out", loop))

    def judged(self, objective):
        """Return an objective under the loss that counts."""
        return objective if self.loss is None else objective.with_loss(self.loss)

    def over(self, loop, targets):
        """Return rollouts of some of the training rows, without a penalty or a washout."""
        return self._make(self.network, loop=loop, targets=self._rows["training"] & targets)

    def runs(self, steps, targets):
        """Return runs of some steps from everywhere in some of the training rows.

        They begin where the linear part can begin too, so that both are judged by the same rows.
        """
        rollouts = self.objective("open").rollouts
        targets = self._rows["training"] & targets
        data = rollouts.segments, self.network.reach, steps, rollouts.weight, targets
        runs = rollouts_from_everywhere(*data)
        if self.network.reach.window:
            runs = runs.part(rollouts.segments.known_history(self.network.taps.reach)[runs.origins])
        return runs

    def last_rows(self, fraction):
        """Return a mask of the rows from the last part of each segment's training targets on."""
        rollouts = self.objective("open").rollouts
        rows, segments = rollouts.origins, rollouts.segments
        behind = np.searchsorted(rows, segments.edges)
        n_last = np.ceil(fraction * np.diff(behind)).astype(int)
        begins = np.append(rows, len(segments))[behind[1:] - n_last]
        return segments.between(begins, segments.edges[1:])  # none without a target

    def last_targets(self, n, mask):
        """Return the last n training targets among the rows of a mask, as a mask."""
        rows = self.objective("open").rollouts.origins
        chosen = np.zeros(len(mask), dtype=bool)
        chosen[rows[mask[rows]][-n:]] = True
        return chosen

    @property
    def n_targets(self):
        """Rows that can be learned one step ahead."""
        return self.objective("open").size

    @cached_property
    def range_of_outputs(self):
        """The lowest and the highest output of the training rows."""
        y = self.objective("open").rollouts.segments.y[self._rows["training"]]
        return np.nanmin(y, axis=0), np.nanmax(y, axis=0)

    def _made(self, name, loop):
        # stages on the way may be no longer than the washout
        washout = self._washout if n_steps(loop) > self._washout else 0
        if (name, loop) not in self._objectives:
            self._objectives[name, loop] = self._make(
                self.network, loop=loop, targets=self._rows[name], washout=washout
            )
        return self._objectives[name, loop]

    def rank(self, theta):
        """Return the loss that counts in the end, also where training was interrupted."""
        judge = self.held_out(self.wanted) or self.judged(self.objective(self.wanted))
        return judge.without_flag().value(theta)


def train(lesson, theta, solve, first="open", revive=None):
    """Train in stages.

    Parameters
    ----------
    lesson : Lesson
        What is to be learned.
    theta : ndarray of shape (n_params,)
        Where to start.
    solve : callable
        ``solve(objective, theta, validate, is_brief)`` gives a SolverResult; ``validate(theta)`` is
        the held-out loss or None, and a brief stage only leads to the next.
    first : "open", "closed" or int, default="open"
        The first stage: what is wanted, where `theta` is trained already.
    revive : callable, default=None
        ``revive(theta)`` mends what a stage should not hand on to the next.

    Returns
    -------
    Trained
        The parameters of the last stage; their rank is the held-out loss of the rollouts wanted,
        or else what the last stage minimised.
    """
    stages, here, begin = [], first, theta
    while here is not None:
        start = revive(begin) if stages and revive else begin
        held_out = lesson.held_out(here) if here == lesson.wanted else None
        validate = None if held_out is None else held_out.value
        result = solve(lesson.objective(here), start, validate, lesson.is_on_the_way(here))
        stages.append(Stage(here, result.loss, result.n_iter))
        if here == lesson.wanted or result.stop in LAST_WORDS:
            break
        here, begin = _next_stage(lesson, here, (result.theta, begin))
    is_wanted = stages[-1].loop == lesson.wanted and lesson.held_out(lesson.wanted) is None
    rank = result.loss if is_wanted else lesson.rank(result.theta)
    # by its held-out loss a training may keep its start, and yet have learned
    is_lowest = not any(loss < result.loss_curve[0] for loss in result.loss_curve)
    went_nowhere = is_lowest and np.array_equal(result.theta, theta)
    return Trained(result.theta, rank, result, stages, went_nowhere=went_nowhere)


def untrained(lesson, theta, kept):
    """Take parameters as they are, where Ctrl-C has come before their training."""
    first = lesson.first
    loss = lesson.judged(lesson.objective(first)).without_flag().value(theta)
    held_out = lesson.held_out(first) if lesson.wanted == first else None
    curve = None if held_out is None else [held_out.without_flag().value(theta)]
    result = SolverResult(theta, loss, 0, Stop.INTERRUPTED, [loss], curve)
    return Trained(theta, lesson.rank(theta), result, [Stage(first, loss, 0)], kept)


def _next_stage(lesson, here, thetas):
    """Return the next rollouts that do not diverge, and from where; None where all do.

    In the order of the stages, or else the longest; from what was learned, or else from where it
    began.
    """
    ladder = (k for k in reversed(LADDER) if k < n_steps(lesson.wanted))
    longer = [loop for loop in (*lesson.stages, *ladder) if n_steps(loop) > n_steps(here)]
    for theta in thetas:
        for loop in longer:
            if lesson.objective(loop).is_smooth(theta):
                return loop, theta
    return None, thetas[0]
