"""How rollouts are run: all that is needed of a forecaster by what only runs it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from narxkit._warn import warn
from narxkit.rows.reach import Reach


@dataclass(frozen=True)
class Runner:
    """Runs rollouts.

    Attributes
    ----------
    reach : Reach
        What a prediction reads.
    run : callable
        ``run(rollouts)`` gives predictions (n, n_steps, n_outputs) and the first bad step of each.
    units : callable
        ``units(y)`` gives the mean and the standard deviation of each output.
    """

    reach: Reach
    run: Callable
    units: Callable

    def has_diverged(self, rollouts, bad):
        """Return which rollouts went bad at a row where no missing value explains it."""
        segments, i = rollouts.segments, np.flatnonzero(bad >= 0)
        rows, origins = (rollouts.origins + bad)[i], rollouts.origins[i]
        lacks = np.zeros(len(rows), dtype=bool)
        for column, lag in self.reach.inputs:
            lacks |= np.isnan(segments.u[rows - lag, column])
        for column, lag in self.reach.outputs:
            # from the origin on the rollout reads its own output, which is never missing
            lacks |= (rows - lag < origins) & np.isnan(segments.y[rows - lag, column])
        if self.reach.window:
            # any row of a window reaches all steps
            lacks |= ~segments.known_history(self.reach)[origins]
        has_diverged = np.zeros(len(bad), dtype=bool)
        has_diverged[i] = ~lacks
        return has_diverged


def warn_of_divergence(label):
    """Name the row at which a rollout left all bounds."""
    warn(
        f"the rollout diverged at {label}: it left 1000 standard deviations of the training "
        "outputs and is NaN from there on.",
        RuntimeWarning,
    )
