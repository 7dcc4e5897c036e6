"""Training in stages: one step ahead first, longer rollouts from there.

A network that starts at random diverges within a few steps on its own output, and the gradient of
a long rollout says little about how to mend that. One step ahead the problem is easy, and its
answer is a good place to start from. So training with ``loop=k`` or ``"closed"`` goes

    start (the ARX model, where there is a linear term)  ->  open loop  ->  rollouts

and where the rollouts wanted diverge at first, over the longest of 2, 4, 8, ... steps that do not.
Between the stages parameters are ranked by the loss that counts in the end, the held-out one or
else that of the rollouts wanted, and a stage that makes it worse is not kept; the last stage can
only improve on its start by the solver's own measure.
"""

from typing import NamedTuple

import numpy as np

from narxkit.solvers import SolverResult, Stop

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


def train(objective, loop, theta, solve, held_out=None, first="open", revive=None):
    """Train in stages.

    Parameters
    ----------
    objective : callable
        ``objective(loop)`` gives the objective of rollouts of this length.
    loop : "open", "closed" or int
        What is wanted in the end.
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
    rank = held_out or objective(loop).without_flag().value
    best, best_rank, stages, here = theta, np.inf if first == loop else rank(theta), [], first
    while here is not None:
        start = revive(best) if stages and revive else best
        result = solve(objective(here), start)
        stages.append(Stage(here, result.loss, result.n_iter))
        is_wanted = here == loop
        new_rank = rank(result.theta) if held_out or not is_wanted else result.loss
        if is_wanted or new_rank < best_rank or not np.isfinite(best_rank):
            best, best_rank = result.theta, new_rank
        is_last = is_wanted or result.stop in LAST_WORDS
        here = None if is_last else _next_loop(objective, loop, here, best)
    return Trained(best, best_rank, result, stages)


def _next_loop(objective, loop, here, theta):
    """The rollouts wanted, or the longest that do not diverge; None where all do."""
    if objective(loop).is_smooth(theta):
        return loop
    done = 1 if here == "open" else here
    longer = (k for k in reversed(LADDER) if k > done and (loop == "closed" or k < loop))
    return next((k for k in longer if objective(k).is_smooth(theta)), None)
