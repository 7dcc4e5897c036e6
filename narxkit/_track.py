"""Measured rows and the rollouts that can start from them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from narxkit.rows.rollouts import Rollouts
from narxkit.rows.segments import Segments
from narxkit.rows.table import Table

ROLLOUT_CELLS = 2**22  # numbers in the paths of one batch of rollouts: 32 MB


@dataclass(frozen=True)
class Track:
    """Measured rows of a fitted forecaster, and the rollouts that can start from them.

    The rows stand series after series, cut at the seams. A rollout starts from the first row that
    it predicts.

    Attributes
    ----------
    forecaster : Forecaster
        Runs the rollouts.
    table : Table
        The rows as they were given.
    segments : Segments
        The same with missing outputs filled, and perhaps rows of the state before them.
    place : ndarray of int, shape (n,)
        Which row of the table each one is; -1 for a row of the state.
    """

    forecaster: object
    table: Table
    segments: Segments
    place: np.ndarray

    @cached_property
    def past(self):
        """How many rows of its segment stand before each row."""
        return np.arange(len(self.segments)) - self.segments.starts

    @cached_property
    def room(self):
        """How many steps a rollout from each row may take in its segment."""
        return self.segments.stops - self.lead - np.arange(len(self.segments))

    @property
    def max_lag(self):
        """Rows of history that a prediction needs."""
        return self.forecaster.max_lag_

    @property
    def lead(self):
        """Rows after its own that a prediction needs."""
        return self.forecaster.lead_

    @property
    def has_new_clock(self):
        """Whether these rows have time stamps, but those of ``fit`` had none."""
        tails = self.forecaster._history.tails.values()
        return self.table.times is not None and all(tail.times is None for tail in tails)

    @property
    def n_outputs(self):
        """Number of columns of y."""
        return self.forecaster._roles.n_outputs

    def can_run(self, steps=1):
        """From which rows a rollout of so many steps can start, as a mask."""
        return (self.past >= self.max_lag) & (self.room >= steps)

    def reaching(self, horizons):
        """The rollouts that reach one of these horizons, each as long as the last that it reaches.

        Returns
        -------
        origins : ndarray of int
            Rows to start from.
        lengths : ndarray of int
            Steps of each.
        """
        horizons = np.sort(horizons)
        origins = np.flatnonzero(self.can_run(horizons[0]))
        last = np.searchsorted(horizons, self.room[origins], side="right") - 1
        return origins, horizons[last]

    def check(self):
        """Refuse rows of which no segment is as long as the lags need."""
        self.forecaster._check_rows(self.segments, self.table)

    def label(self, row):
        """How to name a row to a reader."""
        return self.table.label(self.place[row])

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
        model = self.forecaster
        cells = (self.max_lag + int(np.max(lengths, initial=1))) * self.n_outputs
        size = max(1, ROLLOUT_CELLS // cells)
        has_warned = False
        for at in range(0, len(origins), size):
            part = slice(at, at + size)
            rollouts = Rollouts(self.segments, origins[part], lengths[part])
            y_hat, bad = model._run(rollouts)
            has_diverged = model._has_diverged(rollouts, bad)
            if has_diverged.any() and not has_warned:
                first = np.argmax(has_diverged)
                model._warn_of_divergence(self.label(origins[part][first] + bad[first]))
                has_warned = True
            yield part, y_hat, has_diverged
