"""The methods for the Hurst exponent, and their settings."""

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import NamedTuple

import numpy as np

from narxkit.diagnostics.values import choose, is_row_count, read_values, without_season

from .likelihood import GRID, read_likelihood
from .scaling import read_detrended_fluctuations, read_rescaled_range
from .simulated_law import ENDS
from .spectral import GPH_ENDS, WHITTLE_ENDS, read_gph, read_local_whittle
from .wavelet import read_wavelet

NEAR = 1e-4  # to an end, where a search stops short of it


class Method(NamedTuple):
    """A method: its function, least rows, range of H, name and arguments."""

    read: Callable
    n_min: int
    ends: tuple
    name: str
    options: tuple = ()  # of Settings

    def cuts(self, estimates):
        """Return the ends of the range of the method that estimates reach."""
        return [end for end in self.ends if np.any(np.abs(estimates - end) < NEAR)]


METHODS = {
    "ml": Method(
        read_likelihood, 64, (GRID[0], GRID[-1]), "likelihood of fractional Gaussian noise"
    ),
    "rs": Method(read_rescaled_range, 128, ENDS, "rescaled range, Anis and Lloyd's correction"),
    "dfa": Method(
        read_detrended_fluctuations, 128, ENDS, "detrended fluctuations", options=("order",)
    ),
    "gph": Method(read_gph, 64, GPH_ENDS, "log-periodogram regression", options=("season",)),
    "local_whittle": Method(
        read_local_whittle, 64, WHITTLE_ENDS, "local Whittle likelihood", options=("season",)
    ),
    "wavelet": Method(
        read_wavelet, 128, ENDS, "wavelet spectrum, Daubechies with 2 vanishing moments"
    ),
}
AT_LONG_TIMES = "gph", "local_whittle"  # blind to memory over few rows
KINDS = "increments", "levels"
ORDERS = 1, 2, 3


@dataclass(frozen=True)
class Settings:
    """Checked arguments of `hurst`."""

    method: str
    kind: str
    order: int
    season: int | None
    confidence: float

    def __post_init__(self):
        choose("method", self.method, [*METHODS, "all"])
        choose("kind", self.kind, KINDS)
        choose("order", self.order, ORDERS)
        if self.season is not None and not is_row_count(self.season, 2):
            raise ValueError(
                f"season must be None or an int >= 2, in rows. Got {self.season!r} instead."
            )
        if not isinstance(self.confidence, Real) or not 0.0 < self.confidence < 1.0:
            raise ValueError(
                f"confidence must be a number between 0 and 1. Got {self.confidence!r} instead."
            )

    @property
    def names(self):
        """The methods asked for."""
        return list(METHODS) if self.method == "all" else [self.method]

    def order_of(self, name):
        """Return the order of the polynomials, of a method that has any."""
        return self.order if "order" in METHODS[name].options else None

    @property
    def n_min(self):
        """Increments that are needed."""
        return max(max(METHODS[name].n_min for name in self.names), 2 * (self.season or 0))

    def increments(self, x):
        """Return the increments of a series without its season."""
        x = read_values(x, self.n_min + (self.kind == "levels"))
        if self.kind == "levels":
            x, rounding = np.diff(x), rounding_of(x)
            if np.ptp(x) <= rounding:
                raise ValueError(f"diff(x) is constant, at {x[0]:g}: there is nothing to analyse.")
        if self.season is None:
            return x
        rest = without_season(x, self.season)
        if rest.std() <= 1e-9 * x.std():
            raise ValueError(
                f"x is nothing but its season of {self.season} rows: there is nothing to analyse "
                "without it."
            )
        return rest

    def spread(self, name, n):
        """Return the factor by which removed seasonal means widen a statistic of n increments."""
        if self.season is None or "season" in METHODS[name].options:
            return 1.0
        return np.sqrt(n / (n - self.season))


def rounding_of(x):
    """Return the difference that rounding alone makes between values of x."""
    return 1e-12 * np.abs(np.asarray(x, dtype=float)).max()
