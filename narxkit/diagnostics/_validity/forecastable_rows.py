"""Rows that a model can be asked to forecast."""

import numpy as np
import pandas as pd


class ForecastableRows:
    """Rows that a model must forecast: all rows it needs are there, and none lacks a value.

    Missing outputs of the past are no excuse: a model puts its own predictions in their place,
    where it can.

    Parameters
    ----------
    model : estimator
        Fitted; `max_lag_` tells the rows that it needs before the first one it forecasts, `lead_`
        those after the last one. Without them it needs none.
    U : DataFrame of shape (n, n_features)
        Inputs.
    outputs : list of Series of shape (n,)
        Measured values.
    parts : ndarray of int, shape (n,)
        Number of the segment of each row.
    """

    def __init__(self, model, U, outputs, parts):
        self.max_lag, self.lead = getattr(model, "max_lag_", 0), getattr(model, "lead_", 0)
        self.order = np.argsort(parts, kind="stable")
        parts = parts[self.order]
        self.begins = np.searchsorted(parts, parts)
        self.ends = np.searchsorted(parts, parts, side="right")
        lacks_u, lacks_y = (
            frame.isna().any(axis=1).to_numpy()[self.order]
            for frame in (U, pd.concat(outputs, axis=1))
        )
        # in the order of time: an output that the model itself can fill in is not lacking for those
        # after it
        for row in np.flatnonzero(lacks_y):
            first, end = row - self.max_lag, row + self.lead + 1
            is_there = self.begins[row] <= first and end <= self.ends[row]
            lacks_y[row] = not is_there or lacks_u[first:end].any() or lacks_y[first:row].any()
        self.n_without = [np.cumsum(np.r_[0, lacks]) for lacks in (lacks_u, lacks_y)]

    @property
    def longest(self):
        """Rows of the longest segment."""
        return int(np.max(self.ends - self.begins))

    def needed(self, steps):
        """Return the rows of the shortest segment with a forecast so many steps ahead."""
        return self.max_lag + self.lead + steps

    def reaches(self, steps):
        """Return a mask of the rows that a forecast so many steps ahead must reach."""
        rows = np.arange(len(self.order))
        origin, end = rows - steps + 1, rows + self.lead + 1
        first = origin - self.max_lag
        fits = (first >= self.begins) & (end <= self.ends)
        first, origin, end = (np.clip(at, 0, len(rows)) for at in (first, origin, end))
        of_inputs, of_outputs = self.n_without
        # counts of missing rows up to each place: a window is free of them where the counts agree
        n_missing = of_inputs[end] - of_inputs[first] + of_outputs[origin] - of_outputs[first]
        return self._in_place(fits & (n_missing == 0))

    def runs(self):
        """Return a mask of the rows that a free run over each segment must reach."""
        steps = np.arange(len(self.order)) - self.begins - self.max_lag + 1
        return self.reaches(steps) & self._in_place(steps > 0)

    def _in_place(self, mask):
        placed = np.empty_like(mask)
        placed[self.order] = mask
        return placed
