"""Measured rows and the rollouts that can start from them."""

from abc import ABC, abstractmethod
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


class AnyOrigins(ABC):
    """Measured rows, and the rollouts that can start from them.

    The rows stand series after series, cut at the seams. A rollout starts from the first row that
    it predicts. A final class has `table`, the rows as they were given; `table_row`, which of them
    each row is (-1 for a row of the state); `has_new_clock`, whether these have time stamps, but
    those of ``fit`` had none; and ``check()``, which refuses rows of which no segment is as long as
    the lags need.
    """

    @property
    @abstractmethod
    def n_history(self):
        """How many rows of its segment stand before each row."""

    @property
    @abstractmethod
    def max_steps(self):
        """How many steps a rollout from each row may take in its segment."""

    @property
    @abstractmethod
    def max_lag(self):
        """Rows of history that a prediction needs."""

    @property
    @abstractmethod
    def lead(self):
        """Rows after its own that a prediction needs."""

    @property
    @abstractmethod
    def n_outputs(self):
        """Number of columns of y."""

    @abstractmethod
    def can_run(self, steps=1):
        """Return from which rows a rollout of so many steps can start, as a mask."""

    @abstractmethod
    def rollouts(self, origins, lengths):
        """Run rollouts, in batches that bound the memory; warn of the first that diverges.

        Yields
        ------
        part : slice or ndarray of int
            Of the origins.
        y_hat : ndarray of shape (n, max(lengths), n_outputs)
            Their predictions, NaN after their lengths.
        has_diverged : ndarray of bool, shape (n,)
            Which of them left all bounds.
        """

    @property
    def starts(self):
        """First row of each row's segment."""
        return np.arange(len(self.n_history)) - self.n_history

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

    def ahead(self, horizons):
        """Predict each row of the table from so many rows before it; NaN where none can run.

        Returns
        -------
        ndarray of shape (n_rows, n_outputs, len(horizons))
        """
        if not self.can_run().any():
            self.check()  # refuses, and says why
        origins, lengths = self.reaching(horizons)
        ahead = np.full((len(self.table), self.n_outputs, len(horizons)), np.nan)
        for part, y_hat, _ in self.rollouts(origins, lengths):
            for i, h in enumerate(horizons):
                long = lengths[part] >= h
                if not long.any():
                    continue
                # step h of a rollout that starts at row o predicts row o + h - 1
                ahead[self.table_row[origins[part][long] + h - 1], :, i] = y_hat[long, h - 1]
        return ahead

    def label(self, row):
        """Return how to name a row to a reader."""
        return self.table.label(self.table_row[row])


@dataclass(frozen=True)
class Origins(AnyOrigins):
    """Measured rows of a fitted forecaster.

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
        return np.arange(len(self.segments)) - self.segments.starts

    @cached_property
    def max_steps(self):
        return self.segments.stops - self.lead - np.arange(len(self.segments))

    @property
    def max_lag(self):
        return self.runner.reach.history

    @property
    def lead(self):
        return self.runner.reach.lead

    @property
    def n_outputs(self):
        return self.segments.y.shape[1]

    def can_run(self, steps=1):
        return (self.n_history >= self.max_lag) & (self.max_steps >= steps)

    def rollouts(self, origins, lengths):
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


@dataclass(frozen=True)
class ManyOrigins(AnyOrigins):
    """Measured rows of several series, each with a forecaster of its own.

    Attributes
    ----------
    table : Table
        The rows of all series as they were given.
    parts : list of Origins
        Those of each series.
    table_row : ndarray of int, shape (n,)
        Which row of the table each one is; -1 for a row of the state.
    """

    table: Table
    parts: list
    table_row: np.ndarray

    @cached_property
    def n_history(self):
        return np.concatenate([part.n_history for part in self.parts])

    @cached_property
    def max_steps(self):
        return np.concatenate([part.max_steps for part in self.parts])

    @property
    def max_lag(self):
        return max(part.max_lag for part in self.parts)

    @property
    def lead(self):
        return max(part.lead for part in self.parts)

    @property
    def n_outputs(self):
        return self.parts[0].n_outputs

    @property
    def has_new_clock(self):
        """Whether these rows have time stamps, but those of ``fit`` had none."""
        return any(part.has_new_clock for part in self.parts)

    def can_run(self, steps=1):
        return np.concatenate([part.can_run(steps) for part in self.parts])

    def check(self):
        """Refuse rows of which no segment is as long as the lags need."""
        for part in self.parts:
            part.check()

    def rollouts(self, origins, lengths):
        for at, which, first in self._by_part(origins):
            rollouts = self.parts[at].rollouts(first, lengths[which])
            for part, y_hat, has_diverged in rollouts:
                yield which[part], y_hat, has_diverged

    def fans(self, origins, first, y_hat, level):
        """Return intervals around rollouts, NaN for a series without a model."""
        sides = {}
        for at, which, its_first in self._by_part(first):
            part = self.parts[at]
            for name, side in part.fans(part, its_first, y_hat[which], level).items():
                sides.setdefault(name, np.full_like(y_hat, np.nan))[which] = side
        return sides

    def _by_part(self, origins):
        """Yield each part, which of the origins are its, and its rows of them."""
        begins = np.cumsum([0] + [len(part.n_history) for part in self.parts])
        number = np.searchsorted(begins, origins, side="right") - 1
        order = np.argsort(number, kind="stable")
        cuts = np.flatnonzero(np.diff(number[order])) + 1
        for which in np.split(order, cuts) if len(order) else ():
            at = number[which[0]]
            yield at, which, origins[which] - begins[at]


def batches(n, cells):
    """Return slices of n rollouts with so many numbers each; the last one takes the rest along."""
    # whole blocks in the cache, or else one block, or as many rollouts as memory allows
    size = FAST_CELLS // cells // BLOCK * BLOCK or min(BLOCK, MOST_CELLS // cells) or 1
    edges = [*range(0, max(n - size, 0) + 1, size), n]
    return [slice(*edge) for edge in zip(edges[:-1], edges[1:]) if n]
