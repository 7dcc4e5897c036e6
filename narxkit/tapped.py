"""Forecasters whose network reads taps: standardisation, and rollouts in standardised units."""

from dataclasses import dataclass

import numpy as np

from narxkit._warn import warn
from narxkit.forecaster import Forecaster


@dataclass(frozen=True)
class Scale:
    """Means and standard deviations of inputs and outputs."""

    u_mean: np.ndarray
    u_std: np.ndarray
    y_mean: np.ndarray
    y_std: np.ndarray

    @classmethod
    def of(cls, segments, rows, inputs=True):
        """Statistics of the rows of a mask, over all segments together."""
        u_mean, u_std = _statistics(segments.u[rows])
        if not inputs:
            u_mean, u_std = np.zeros_like(u_mean), np.ones_like(u_std)
        return cls(u_mean, u_std, *_statistics(segments.y[rows]))

    def apply(self, segments):
        """Segments in standardised units."""
        return segments.replace(
            u=(segments.u - self.u_mean) / self.u_std,
            y=self._y(segments.y),
            low=None if segments.low is None else self._y(segments.low),
            high=None if segments.high is None else self._y(segments.high),
        )

    def _y(self, values):
        return (values - self.y_mean) / self.y_std

    def undo(self, y_hat):
        """Outputs in their own units."""
        return y_hat * self.y_std + self.y_mean


def _statistics(values):
    """Mean and standard deviation of each column, without its missing values; 0 and 1 if empty."""
    there = np.isfinite(values)
    n = np.maximum(there.sum(axis=0), 1)
    mean = np.where(there, values, 0.0).sum(axis=0) / n
    spread = np.sqrt((np.where(there, values - mean, 0.0) ** 2).sum(axis=0) / n)
    constant = spread <= 10 * np.finfo(float).eps * np.abs(mean)
    return mean, np.where(constant, 1.0, spread)


def count_dropped(n_candidates, n_rows):
    """Count the rows that had the history but were lost to missing values; warn once."""
    n_dropped = n_candidates - n_rows
    if n_dropped:
        warn(
            f"{n_dropped} of {n_candidates} rows were left out of training because of missing "
            "values."
        )
    return n_dropped


class TappedForecaster(Forecaster):
    """Base class of forecasters with a `structure_`, its parameters `theta_` and a `_scale`."""

    def _run(self, segments, origins, lengths):
        scaled = self._scale.apply(segments)
        y_hat, bad = self.structure_.rollout(self.theta_, scaled, origins, lengths)
        y_hat = self._scale.undo(y_hat)
        return segments.clip(origins, y_hat), bad  # once more: undoing the scale rounds

    @property
    def coefs_(self):
        """Weights of each layer, (n_in, n_out), in standardised units."""
        return self.structure_.unpack(self.theta_).coefs

    @property
    def intercepts_(self):
        """Intercepts of each layer, in standardised units."""
        return self.structure_.unpack(self.theta_).intercepts

    @property
    def linear_coef_(self):
        """Weights (n_taps, n_outputs) of the linear term, or None."""
        return self.structure_.unpack(self.theta_).linear
