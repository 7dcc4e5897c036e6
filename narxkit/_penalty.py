r"""The penalty that a network deserves, chosen from the training rows alone.

A penalty alpha on the weights, beside squared errors of variance :math:`\sigma^2`,
says that weights are normal around zero with the variance :math:`\sigma^2 / \alpha`. The unit of
alpha is therefore the error variance of the data; the linear model of the same taps, from which the
network starts, tells it. Strengths, penalties in this unit, are tried from the strongest to the
weakest on blocks at the end of the training rows: a network learns from the rows before a block and
runs on its own output through it, from many origins. Where the errors have risen for a second time
the search ends.

A network has to prove itself. It forecasts only where its free runs beat those of its linear start
by three standard errors of the difference, origin by origin; three, since the runs overlap and the
best of several strengths was taken. Otherwise it is switched off, and what is left is the linear
model.
"""

import numpy as np
from scipy.stats import t

from narxkit._linear import count_targets

STRENGTHS = 30.0, 10.0, 3.0, 1.0, 0.3, 0.1, 1e-2, 1e-3, 1e-4
OFF = np.inf  # the strength that leaves nothing of a network
BLOCKS = 0.2, 0.3  # of each segment, its last part
ENOUGH = 40  # runs, so that one block can tell
LEVEL = 0.01  # of the test that a network is better than its linear start
OVERLAP = 2  # runs that tell as much as one
PATIENCE = 1  # strengths that are no better than the best
MAX_ITER, TOL = 100, 1e-7


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

    def __len__(self):
        return self._objective.size

    def errors(self, theta):
        """The root mean square error of each run, infinite where it diverges."""
        objective, segments = self._objective, self._objective.segments
        is_fed_back = objective.lengths is not None
        rows = objective.rows
        lengths = objective.lengths if is_fed_back else np.ones(len(rows), dtype=np.intp)
        y_hat, bad = objective.network.rollout(theta, segments, rows, lengths)
        steps = np.arange(y_hat.shape[1])
        at = np.minimum(rows[:, None] + steps, len(segments) - 1)
        y = segments.y[at]
        weight = (objective.weight[at] * (steps < lengths[:, None]))[:, :, None] * np.isfinite(y)
        squares = weight * np.where(weight > 0, y_hat - y, 0.0) ** 2
        squares[bad >= 0] = np.inf
        first = np.arange(0, len(rows), 1 if is_fed_back else self._steps)
        sums, counts = (np.add.reduceat(v.sum(axis=(1, 2)), first) for v in (squares, weight))
        return np.sqrt(sums / counts)


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
    first, second = (Block(lesson, fraction, steps) for fraction in BLOCKS)
    blocks = (first,) if len(first.runs) >= ENOUGH else (first, second)
    return [block for block in blocks if block.is_usable]


def choose_strength(blocks, begin, solve, flag):
    """Choose the penalty of a network by its free runs through blocks that it did not learn from.

    Parameters
    ----------
    blocks : sequence of Block
        What is learned and judged.
    begin : callable
        ``begin(objective)`` gives the start of a network, and the error variance of its linear part
        on these rows.
    solve : callable
        ``solve(objective, theta)`` gives parameters; a few iterations are enough.
    flag : ndarray of int32 of shape (1,)
        Ends the search once it is set.

    Returns
    -------
    float
        The strength; `OFF` where the linear part does as well.
    """
    if not blocks:
        return OFF
    starts, variances = zip(*(begin(block.objective, i) for i, block in enumerate(blocks)))
    linear = _errors(blocks, starts)
    best, errors, n_worse, left = OFF, linear, 0, np.array(variances)
    for strength in STRENGTHS:
        thetas = [
            solve(block.objective.with_alpha(strength * variance), start)
            for block, start, variance in zip(blocks, starts, left)
        ]
        if flag[0]:
            break
        if all(map(blocks[0].objective.network.is_linear, thetas)):
            continue
        found = _errors(blocks, thetas)
        left = np.minimum(left, [2.0 * b.objective.value(t) for b, t in zip(blocks, thetas)])
        if found.mean() < errors.mean():
            best, errors, n_worse = strength * np.mean(left / variances), found, 0
        elif n_worse + 1 < PATIENCE:
            n_worse += 1
        else:
            break
    return best if _is_better(errors, linear) else OFF


def _errors(blocks, thetas):
    return np.concatenate([block.runs.errors(theta) for block, theta in zip(blocks, thetas)])


def _is_better(errors, others):
    """Whether errors are smaller than others by more than chance, run by run."""
    if not np.isfinite(others).all():
        return bool(np.isfinite(errors).all())
    gain, n = others - errors, len(errors) / OVERLAP
    if n <= 1 or not gain.mean() > 0:
        return False
    return bool(gain.mean() >= t.isf(LEVEL, n - 1) * gain.std(ddof=1) / np.sqrt(n))
