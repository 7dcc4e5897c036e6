"""The pool: what is tried of a series, from the seasonal naive up to networks."""

from dataclasses import dataclass

import numpy as np

from narxkit.forecasters.base import Forecaster
from narxkit.forecasters.baselines import ARX, SeasonalNaive
from narxkit.forecasters.exponential_smoothing import ExponentialSmoothing
from narxkit.forecasters.transformed import TransformedForecaster

ALPHAS = (0.1, 1.0, 10.0, 30.0, 100.0)
STRONG = 100.0  # a penalty that leaves little but the level
N_SHORT = 13  # lags of a row and a year of months before it, or half a day of hours
N_WITHOUT_SEASON = 4
DAY = 24  # rows of a season that are all read
AROUND = 2  # rows on each side of a season ago
LEVEL = 12  # rows whose mean is the level, where no shorter season says otherwise
SEEN = 3  # times that a season has to be seen
ROWS_PER_LAG = 2.5
CRITICAL = 1.645  # of the autocorrelation at the season, 90 %


@dataclass(frozen=True)
class Candidate:
    """A forecaster that is tried.

    Attributes
    ----------
    name : str
        What it is, for a table.
    forecaster : Forecaster
        Not fitted.
    """

    name: str
    forecaster: Forecaster


@dataclass(frozen=True)
class Series:
    """What is known of the outputs before anything is fitted.

    Attributes
    ----------
    n : int
        Rows of the longest segment.
    periods : tuple of int
        Rows of its seasons, the shortest first.
    adjusted : tuple of int
        Those of them that an autocorrelation tells, and a clock counts.
    is_positive : bool
        Whether all outputs are above 0.
    """

    n: int
    periods: tuple[int, ...]
    adjusted: tuple[int, ...]
    is_positive: bool

    @property
    def short(self):
        """Rows of the shortest season, 1 without any."""
        return self.periods[0] if self.periods else 1

    @property
    def long(self):
        """Rows of the longest season, 1 without any."""
        return self.periods[-1] if self.periods else 1

    @property
    def level(self):
        """Rows whose mean is the level."""
        rows = self.short if 1 < self.short <= 2 * LEVEL else LEVEL
        return max(min(rows, self.n // SEEN), 2)

    def recent(self, n):
        """Return lags of the rows just before, for n rows to learn from."""
        most = N_SHORT if self.periods else N_WITHOUT_SEASON
        return [lag for lag in range(1, most + 1) if lag < n / SEEN] or [1]

    def lags(self, n):
        """Return lags of the rows just before and of those one season ago, for n rows."""
        first = self.short + 1 if self.short <= DAY else N_SHORT
        lags = set(range(1, (first if self.periods else N_WITHOUT_SEASON) + 1))
        if self.periods:
            lags |= set(range(max(self.long - AROUND, 1), self.long + AROUND + 1))
        return sorted(lag for lag in lags if lag < n / ROWS_PER_LAG) or [1]


def linear_pool(series, **inputs):
    """Return linear models of levels, logarithms, differences and adjusted series.

    Parameters
    ----------
    series : Series
    **inputs : dict
        Parameters ``input_lags`` and ``calendar`` of those that read inputs.

    Returns
    -------
    list of Candidate
        The seasonal naive first.
    """
    n, long = series.n, series.long
    lags, recent = series.lags(n), series.recent(n)
    log = {"transform": "log"} if series.is_positive else {}
    season = {"season": series.adjusted} if series.adjusted else {}
    of = "logarithms" if log else "levels"
    adjusted = f"adjusted {of}" if season else of

    def around(forecaster, **transforms):
        return TransformedForecaster(forecaster, **transforms) if transforms else forecaster

    def arx(output_lags, alphas=ALPHAS, **parameters):
        alphas = list(np.atleast_1d(alphas))
        return ARX(output_lags=output_lags, alphas=alphas, **inputs, **parameters)

    pool = [
        Candidate("seasonal naive" if long > 1 else "last value", SeasonalNaive(long)),
        Candidate(f"theta of {adjusted}", around(ExponentialSmoothing(), **log, **season)),
        Candidate(f"ARX of {of}", around(arx(lags), **log)),
        Candidate(
            f"ARX of {of} about their level", around(arx(lags, 1, level=series.level), **log)
        ),
        Candidate(
            f"ARX of {of} about their level, with drift",
            around(arx(lags, 10, level=series.level, drift=0.5), **log),
        ),
        Candidate(
            f"ARX of {adjusted} about their level, with drift, recent lags",
            around(arx(recent, STRONG, level=series.level, drift=0.5), **log, **season),
        ),
        Candidate(
            f"ARX of changes of {of}", around(arx(series.lags(n - 1), 1), difference=[1], **log)
        ),
    ]
    if log:
        pool.append(Candidate("ARX of levels", arx(lags)))
    if season:
        pool.append(Candidate(f"ARX of {adjusted}", around(arx(recent), **log, **season)))
    if long > 1 and n > 2 * long + 2 * LEVEL:
        pool.append(
            Candidate(
                f"ARX of {of} about the level of a season", around(arx(lags, 1, level=long), **log)
            )
        )
        changes = arx(series.recent(n - long), STRONG, level=0)
        name = f"ARX of changes over a season of {of}"
        pool.append(Candidate(name, around(changes, difference=[long], **log)))
    return pool


def is_seasonal(y, period):
    """Tell whether the autocorrelation at a period is beyond what chance makes of those before."""
    y = y[np.isfinite(y)]
    if len(y) < SEEN * period:
        return False
    left = y - y.mean()
    total = left @ left
    if not total > 0:
        return False
    rho = np.array([left[lag:] @ left[:-lag] for lag in range(1, period + 1)]) / total
    return bool(abs(rho[-1]) > CRITICAL * np.sqrt((1 + 2 * (rho[:-1] ** 2).sum()) / len(y)))
