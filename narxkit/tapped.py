"""Forecasters whose network reads taps: standardisation, and rollouts in standardised units."""

import warnings
from dataclasses import dataclass

import numpy as np

from narxkit._warn import warn
from narxkit.forecaster import Forecaster

COMBINE = {"mean": np.nanmean, "median": np.nanmedian}


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


def combined(runs, average):
    """Average the trajectories of several members, each of which ran on its own output.

    A member that diverges says nothing from there on; all of them have diverged when the last has.
    """
    y_hats, bads = map(np.stack, zip(*runs))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All-NaN slice|Mean of empty slice")
        y_hat = average(y_hats, axis=0)
    return y_hat, np.where((bads < 0).any(axis=0), -1, bads.max(axis=0))


class TappedForecaster(Forecaster):
    """Base class of forecasters with a `structure_`, its parameters `theta_` and a `_scale`."""

    combine = "best"

    def _run(self, segments, origins, lengths):
        scaled = self._scale.apply(segments)
        runs = [self.structure_.rollout(theta, scaled, origins, lengths) for theta in self._thetas]
        y_hat, bad = runs[0] if len(runs) == 1 else combined(runs, COMBINE[self.combine])
        y_hat = self._scale.undo(y_hat)
        return segments.clip(origins, y_hat), bad  # once more: undoing the scale rounds

    def _units(self, y):
        return self._scale.y_mean, self._scale.y_std

    @property
    def _thetas(self):
        """The parameters that predict."""
        return [self.theta_] if self.combine == "best" else self.members_

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
