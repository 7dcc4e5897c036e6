"""Measured rows and the rollouts that can start from them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from narxkit.forecasters.runner import Runner, warn_of_divergence
from narxkit.rows.rollouts import Rollouts
from narxkit.rows.segments import Segments
from narxkit.rows.table import Table

BLOCK = 256  # rollouts that a kernel takes on together: whole blocks are the same in every batch
FAST_CELLS = 2**17  # numbers in the paths of one batch of rollouts: 1 MB stays in the cache
MOST_CELLS = 2**22  # where those are fewer than a block of rollouts: 32 MB


@dataclass(frozen=True)
class Origins:
    """Measured rows of a fitted forecaster, and the rollouts that can start from them.

    The rows stand series after series, cut at the seams. A rollout starts from the first row that
    it predicts.

    Attributes
    ----------
    runner : Runner
        Runs the rollouts.
    table : Table
        The rows as they were given.
    segments : Segments
        The same with missing outputs filled, and perhaps rows of the state before them.
    table_row : ndarray of int, shape (n,)
        Which row of the table each one is; -1 for a row of the state.
    has_new_clock : bool
        Whether these rows have time stamps, but those of ``fit`` had none.
    check : callable
        Refuses rows of which no segment is as long as the lags need.
    fans : callable
        ``fans(origins, first, y_hat, level)`` gives intervals around rollouts.
    """

    runner: Runner
    table: Table
    segments: Segments
    table_row: np.ndarray
    has_new_clock: bool
    check: Callable
    fans: Callable

    @cached_property
    def n_history(self):
        """How many rows of its segment stand before each row."""
        return np.arange(len(self.segments)) - self.segments.starts

    @cached_property
    def max_steps(self):
        """How many steps a rollout from each row may take in its segment."""
        return self.segments.stops - self.lead - np.arange(len(self.segments))

    @property
    def max_lag(self):
        """Rows of history that a prediction needs."""
        return self.runner.reach.history

    @property
    def lead(self):
        """Rows after its own that a prediction needs."""
        return self.runner.reach.lead

    @property
    def n_outputs(self):
        """Number of columns of y."""
        return self.segments.y.shape[1]

    def can_run(self, steps=1):
        """Return from which rows a rollout of so many steps can start, as a mask."""
        return (self.n_history >= self.max_lag) & (self.max_steps >= steps)

    def reaching(self, horizons):
        """Find the rollouts that reach a horizon, each as long as the last that it reaches.

        Returns
        -------
        origins : ndarray of int
            Rows to start from.
        lengths : ndarray of int
            Steps of each.
        """
        horizons = np.sort(horizons)
        origins = np.flatnonzero(self.can_run(horizons[0]))
        # the longest horizon that ends in the segment
        last = np.searchsorted(horizons, self.max_steps[origins], side="right") - 1
        return origins, horizons[last]

    def label(self, row):
        """Return how to name a row to a reader."""
        return self.table.label(self.table_row[row])

    def rollouts(self, origins, lengths):
        """Run rollouts, in batches that bound the memory; warn of the first that diverges.

        Yields
        ------
        part : slice
            Of the origins.
        y_hat : ndarray of shape (n, max(lengths), n_outputs)
            Their predictions, NaN after their lengths.
        has_diverged : ndarray of bool, shape (n,)
            Which of them left all bounds.
        """
        cells = (self.max_lag + int(np.max(lengths, initial=1))) * self.n_outputs
        has_warned = False  # one warning stands for all batches
        for part in batches(len(origins), cells):
            rollouts = Rollouts(self.segments, origins[part], lengths[part])
            y_hat, bad = self.runner.run(rollouts)
            has_diverged = self.runner.has_diverged(rollouts, bad)
            if has_diverged.any() and not has_warned:
                first = np.argmax(has_diverged)
                warn_of_divergence(self.label(origins[part][first] + bad[first]))
                has_warned = True
            yield part, y_hat, has_diverged

    def one_step(self):
        """Return predictions of all rows one step ahead (n, n_outputs), NaN without history."""
        y_hat = np.full_like(self.segments.y, np.nan)
        first = np.flatnonzero(self.can_run())
        for part, values, _ in self.rollouts(first, np.ones(len(first), dtype=np.intp)):
            y_hat[first[part]] = values[:, 0]
        return y_hat


def batches(n, cells):
    """Return slices of n rollouts with so many numbers each; the last one takes the rest along."""
    # whole blocks in the cache, or else one block, or as many rollouts as memory allows
    size = FAST_CELLS // cells // BLOCK * BLOCK or min(BLOCK, MOST_CELLS // cells) or 1
    edges = [*range(0, max(n - size, 0) + 1, size), n]
    return [slice(*edge) for edge in zip(edges[:-1], edges[1:]) if n]
