"""Training in stages: one step ahead first, longer rollouts from there.

A network that starts at random diverges within a few steps on its own output, and the gradient of
a long rollout says little about how to mend that. One step ahead the problem is easy, and its
answer is a good place to start from. So training with ``loop=k`` or ``"closed"`` goes

    start (the ARX model, where there is a linear term)  ->  open loop  ->  rollouts

through the stages that are named, such as ``loop=(5, 20, "closed")``, as far as they do not diverge
yet, and where the rollouts wanted diverge at first, over the longest of 2, 4, 8, ... steps that do
not.
Between the stages parameters are ranked by the loss that counts in the end, the held-out one or
else that of the rollouts wanted, and a stage that makes it worse is not kept; the last stage can
only improve on its start by the solver's own measure.
"""

from typing import NamedTuple

import numpy as np

from narxkit.solvers import SolverResult, Stop
from narxkit.taps import is_count

LADDER = tuple(2**i for i in range(1, 13))  # steps
LAST_WORDS = (Stop.INTERRUPTED, Stop.CALLBACK, Stop.NOT_FINITE)


class Stage(NamedTuple):
    """A stage of training: its rollout length, its loss and its iterations."""

    loop: str | int
    loss: float
    n_iter: int


class Trained(NamedTuple):
    """The end of a training: the best parameters and their rank, what the last stage said."""

    theta: np.ndarray
    rank: float
    result: SolverResult
    stages: list


def read_loops(loop):
    """Rollouts to train over, one stage after another, as ``loop`` names them.

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
    """How many steps a rollout takes, infinitely many in closed loop."""
    return {"open": 1, "closed": np.inf}.get(loop, loop)


def train(objective, loops, theta, solve, held_out=None, first="open", revive=None):
    """Train in stages.

    Parameters
    ----------
    objective : callable
        ``objective(loop)`` gives the objective of rollouts of this length.
    loops : sequence of "open", "closed" or int
        Rollouts of growing length; the last are wanted in the end.
    theta : ndarray of shape (n_params,)
        Where to start.
    solve : callable
        ``solve(objective, theta)`` gives a SolverResult.
    held_out : callable, default=None
        ``held_out(theta)`` is the held-out loss.
    first : "open", "closed" or int, default="open"
        The first stage: what is wanted, where `theta` is trained already.
    revive : callable, default=None
        ``revive(theta)`` mends what a stage should not hand on to the next.

    Returns
    -------
    Trained
        The best parameters; their rank is the held-out loss, or else what the last stage minimised.
    """
    wanted = loops[-1]
    rank = held_out or objective(wanted).without_flag().value
    best, best_rank, stages, here = theta, np.inf if first == wanted else rank(theta), [], first
    while here is not None:
        start = revive(best) if stages and revive else best
        result = solve(objective(here), start)
        stages.append(Stage(here, result.loss, result.n_iter))
        is_wanted = here == wanted
        new_rank = rank(result.theta) if held_out or not is_wanted else result.loss
        if is_wanted or new_rank < best_rank or not np.isfinite(best_rank):
            best, best_rank = result.theta, new_rank
        is_last = is_wanted or result.stop in LAST_WORDS
        here = None if is_last else _next_loop(objective, loops, here, best)
    return Trained(best, best_rank, result, stages)


def _next_loop(objective, loops, here, theta):
    """The next rollouts named, or else the longest, that do not diverge; None where all do."""
    wanted = n_steps(loops[-1])
    ladder = (k for k in reversed(LADDER) if k < wanted)
    longer = (loop for loop in (*loops, *ladder) if n_steps(loop) > n_steps(here))
    return next((loop for loop in longer if objective(loop).is_smooth(theta)), None)
