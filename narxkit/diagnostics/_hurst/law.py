"""Inference on H from a statistic whose mean and spread are known for every H.

A statistic r (a slope, or an estimate already) has the mean m(H) and the standard deviation s(H),
and is close to normal. Everything follows by reading these curves backwards:

    estimate: m(H) = r,    interval: |r - m(H)| <= z s(H),    p-value: |r - m(1/2)| / s(1/2),

so that 1/2 is in the interval exactly where the p-value is above its level.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri

NO_POWER = 1e-24  # of the variance: rounding


class Inference(NamedTuple):
    """Estimate of H, its standard error, interval and p-value."""

    estimate: float
    stderr: float
    confidence_interval: tuple
    pvalue: float


@dataclass(frozen=True)
class SamplingDistribution:
    """Mean and standard deviation of a statistic along a grid of H.

    Parameters
    ----------
    grid : ndarray of shape (k,)
        Values of H, ascending.
    mean, std : ndarray of shape (k,)
        Of the statistic, between them straight; the mean ascends.
    """

    grid: np.ndarray
    mean: np.ndarray
    std: np.ndarray

    @classmethod
    def unbiased(cls, std, ends):
        """Make the law of an estimate between two ends whose spread does not depend on H."""
        return cls(np.array(ends), np.array(ends), np.full(2, std))

    def wider(self, factor):
        """Return the law of a statistic that spreads more."""
        return replace(self, std=factor * self.std)

    def nearest(self, statistic):
        """Clip the statistic to the range of means."""
        return float(np.clip(statistic, self.mean[0], self.mean[-1]))

    def read(self, statistic, level):
        """Infer H from a value of the statistic, with an interval of this level."""
        z = ndtri((1.0 + level) / 2)
        low, estimate, high = (
            # the ends are where statistic = mean -+ z std: the curves cross them at other H than at
            # the estimate
            float(np.interp(statistic, self.mean + side * z * self.std, self.grid))
            for side in (1, 0, -1)
        )
        # under the null H = 1/2 the spread is that at 1/2, not that at the estimate
        mean, std = (np.interp(0.5, self.grid, curve) for curve in (self.mean, self.std))
        pvalue = 2.0 * float(ndtr(-abs(statistic - mean) / std))
        return Inference(estimate, self._stderr(estimate), (low, high), pvalue)

    def _stderr(self, estimate):
        # the delta method: s(H) in units of H is s(H) / m'(H)
        slope = np.interp(estimate, self.grid, np.gradient(self.mean, self.grid))
        return float(np.interp(estimate, self.grid, self.std) / slope)


class Reading(NamedTuple):
    """Statistic of a method, its law, and the fluctuations with the fitted line."""

    statistic: float
    law: SamplingDistribution
    source: str  # of the law
    scales: np.ndarray  # rows
    fluctuations: np.ndarray
    fitted: np.ndarray
    notes: tuple = ()
