"""Rollouts: runs of a network that start from rows with measured history."""

from dataclasses import dataclass, replace
from functools import cached_property
from math import gcd

import numpy as np

from narxkit._checks import is_count, is_int
from narxkit._core import Trajectories
from narxkit.rows.segments import Segments


@dataclass(frozen=True, eq=False)
class Rollouts:
    """Runs over measured rows.

    Parameters
    ----------
    segments : Segments
        The rows.
    origins : ndarray of int of shape (n,)
        The first row that each predicts.
    lengths : ndarray of int of shape (n,)
        The steps of each.
    source : {"own", "measured"}, default="own"
        What is read of the outputs from the origin on: the predictions before, or the measured ones
        (teacher forcing).
    weight : ndarray of shape (n_rows,) or None, default=None
        Weight of each row's squared error; None for 1.
    washout : int, default=0
        First steps of each that are run and have no weight.
    """

    segments: Segments
    origins: np.ndarray
    lengths: np.ndarray
    source: str = "own"
    weight: np.ndarray | None = None
    washout: int = 0

    @classmethod
    def one_step(cls, segments, rows, weight=None):
        """Predict each of some rows from measured history."""
        return cls(segments, rows, np.ones(len(rows), dtype=np.intp), "measured", weight)

    def __len__(self):
        return len(self.origins)

    @property
    def is_measured(self):
        """Whether measured outputs are read all along."""
        return self.source == "measured"

    @cached_property
    def trajectories(self):
        """The same as kernels read them; from measured outputs each step is a rollout itself."""
        measured = self.segments.measured
        if not self.is_measured:
            return Trajectories(measured, self.origins, self.lengths, self.weight, self.washout)
        steps = np.ones(len(self.targets), dtype=np.intp)
        return Trajectories(measured, self.targets, steps, self.weight)

    @cached_property
    def n_steps(self):
        """The most steps of a rollout."""
        return int(np.max(self.lengths, initial=0))

    @cached_property
    def is_step(self):
        """Which of (n, n_steps) steps belong to a rollout."""
        return np.arange(self.n_steps) < self.lengths[:, None]

    @cached_property
    def rows(self):
        """The row of each of (n, n_steps) steps; the last one of all for those behind the data."""
        rows = self.origins[:, None] + np.arange(self.n_steps)
        return np.minimum(rows, len(self.segments) - 1, out=rows)

    @cached_property
    def targets(self):
        """The rows of all steps behind the washout, rollout after rollout."""
        # the usual case of training, without tables of (n, n_steps)
        if self.n_steps == 1 and not self.washout:
            return self.origins
        return self.rows[self.is_step & (np.arange(self.n_steps) >= self.washout)]

    @cached_property
    def row_weights(self):
        """The weight of each row."""
        return self.segments.ones if self.weight is None else self.weight

    @cached_property
    def counts(self):
        """The weights of the residuals of each rollout, summed."""
        is_measured = np.isfinite(self.segments.y)
        if self.n_steps == 1 and not self.washout:
            return self.row_weights[self.origins] * is_measured[self.origins].sum(axis=1)
        counts = self.row_weights * is_measured.sum(axis=1)
        # sums over any run of rows are differences of one cumulative sum
        up_to = np.concatenate(([0.0], np.cumsum(counts)))
        begins = self.origins + np.minimum(self.washout, self.lengths)
        return up_to[self.origins + self.lengths] - up_to[begins]

    def clip(self, y_hat):
        """Put predictions (n, n_steps, n_outputs) between the bounds of their rows, in place."""
        low, high = self.segments.low, self.segments.high
        if low is None or not len(self):
            return y_hat
        for bounds, is_beyond in ((low, np.less), (high, np.greater)):
            # a NaN bound is beyond nothing, where np.clip would make the prediction NaN
            bound = bounds.take(self.rows, axis=0)
            np.copyto(y_hat, bound, where=is_beyond(y_hat, bound))
        return y_hat

    def is_clipped(self, y_hat):
        """Tell which predictions (n, n_steps, n_outputs) are beyond the bounds of their rows."""
        return self.clip(y_hat.copy()) != y_hat

    def part(self, which):
        """Return some of the rollouts: a mask, positions or a slice."""
        origins, lengths = self.origins[which], self.lengths[which]
        if not origins.flags.c_contiguous:  # every other one, which kernels do not read
            origins, lengths = origins.copy(), lengths.copy()
        return replace(self, origins=origins, lengths=lengths)

    def lengthened(self, lead):
        """Return the same over segments that are longer by so many rows, with their last inputs."""
        if not lead:
            return self
        rows = self.segments
        n, edges = len(rows), rows.edges + lead * np.arange(len(rows.edges))
        number = np.repeat(np.arange(len(edges) - 1), np.diff(rows.edges))
        at = np.arange(n) + lead * number
        source = np.repeat(rows.edges[1:] - 1, np.diff(edges))  # the last row, where none is
        source[at] = np.arange(n)
        return self._over_longer(source, at, edges)

    def _over_longer(self, source, at, edges):
        rows, y = self.segments, np.full((len(source), self.segments.y.shape[1]), np.nan)
        y[at] = rows.y
        longer = rows.replace(
            u=rows.u[source],
            y=y,
            edges=edges,
            low=None if rows.low is None else rows.low[source],
            high=None if rows.high is None else rows.high[source],
            times=None if rows.times is None else rows.times[source],
        )
        weight = None if self.weight is None else self.weight[source]
        return self.replace(segments=longer, origins=at[self.origins], weight=weight)

    def replace(self, **changes):
        """Return a copy with other fields."""
        return replace(self, **changes)


def lay_rollouts(segments, reach, loop="open", weight=None, targets=None, washout=0):
    """Lay rollouts over measured rows.

    Parameters
    ----------
    segments : Segments
        The rows.
    reach : Reach
        What a prediction reads.
    loop : "open", "closed" or int, default="open"
        One step from every row, as long as they can be, or k steps. Those of k steps begin every s
        rows, s the smallest integer from k / 4 on that is coprime with k, or at the next row whose
        history is known, and are shortened where the segment or its known inputs end.
    weight : ndarray of shape (n_rows,), optional
        Weight of the squared error of each row; 0 makes it history only.
    targets : ndarray of bool of shape (n_rows,), optional
        Rows that may be predicted. In open loop the rows whose taps are not all known are left out;
        rollouts begin where the whole history is known and end before a row whose inputs are not.
    washout : int, default=0
        First steps of each rollout that have no weight; none in open loop, where the history is
        measured.

    Returns
    -------
    Rollouts
        Those with nothing to be fitted included.

    Raises
    ------
    ValueError
        Where `loop` or `washout` is of another kind.
    """
    if loop not in ("open", "closed") and not is_count(loop):
        raise ValueError(f"loop must be 'open', 'closed' or an int k >= 1. Got {loop!r} instead.")
    if not is_int(washout) or washout < 0:
        raise ValueError(f"washout must be an int >= 0. Got {washout!r} instead.")
    targets = np.ones(len(segments), dtype=bool) if targets is None else targets
    if loop in ("open", 1) or not reach.carries:
        rows = np.flatnonzero(segments.known(reach) & targets)
        return Rollouts.one_step(segments, rows, weight)
    k = len(segments) if loop == "closed" else min(loop, len(segments))
    begins, lengths = _begins_and_lengths(segments, reach, targets, k)
    claimed = lengths if loop == "closed" else np.minimum(lengths, stride(k))
    at = one_after_another(begins, claimed)
    return Rollouts(segments, begins[at], lengths[at], "own", weight, washout)


def rollouts_from_everywhere(segments, reach, k, weight=None, targets=None):
    """Lay rollouts of k steps from every row whose history is known.

    They overlap, and are shortened as those of `lay_rollouts`; without feedback, or for one step,
    they read measured outputs.
    """
    if k == 1 or not reach.carries:
        return lay_rollouts(segments, reach, "open", weight, targets)
    return Rollouts(segments, *_begins_and_lengths(segments, reach, targets, k), "own", weight)


def _begins_and_lengths(segments, reach, targets, k):
    """Find where rollouts may begin, and how many steps, at most k, each may take."""
    is_step = segments.known_inputs(reach) & targets
    begins = np.flatnonzero(is_step & segments.known_history(reach))
    # where steps end, in place of an end for each row: panels may have millions
    ends = np.union1d(np.flatnonzero(is_step[:-1] & ~is_step[1:]) + 1, segments.edges)
    lengths = ends[np.searchsorted(ends, begins, side="right")]
    lengths -= begins
    return begins, np.minimum(lengths, k, out=lengths)


def one_after_another(begins, lengths):
    """Choose of what begins in order: each the first after the rows that the one before claims."""
    chosen, at = [], 0
    while at < len(begins):
        chosen.append(at)
        at = np.searchsorted(begins, begins[at] + lengths[at])
    return np.array(chosen, dtype=np.intp)


def stride(k):
    """Return rows from one rollout of k steps to the next.

    Examples
    --------
    >>> stride(24), stride(2), stride(10)
    (7, 1, 3)
    """
    s = -(-k // 4)
    while gcd(s, k) > 1:
        s += 1
    return s
