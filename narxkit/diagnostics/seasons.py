"""Seasons: is there one, of how many rows, and how much of the variance is it?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from narxkit.diagnostics._result import Result, Row
from narxkit.diagnostics.values import check_count, index_of, read_values, without_season
from narxkit.rows.labels import as_clock
from narxkit.rows.timetable import DAY

__all__ = ["Season", "find_season"]

N_MIN = 50
LEVEL = 0.01  # of the season of a clock, or one that is asked for
LEVEL_OF_PEAK = 1e-9  # of one that was searched for: chaos and oscillations have sharp peaks too
ROUNDING = 1e-24  # of all power: less than that is none
N_BESIDE = 8  # frequencies on each side that a harmonic is held against
N_HARMONICS = 12  # the first ones, of a long season
N_PEAKS = 5  # of the periodogram that are tried
NEARLY = 0.9  # of the largest share: a shorter period with this much is taken
LONG_PERIODS = {7: 52, 30: 12, 31: 12, 91: 4, 92: 4}  # rows of a year by days of a row


@dataclass(frozen=True, repr=False, eq=False)
class Season(Result):
    """A season and its share of the variance, the result of `find_season`.

    Parameters
    ----------
    period : int
        Rows of the season.
    pvalue : float
        Of its harmonics, for all periods that were tried.
    share : float
        Share of the variance that the means of its places explain, adjusted for their number.
    n : int
        Rows of the series.
    means : ndarray of shape (period,)
        The mean of each place, the first of which is that of row 0.
    stderrs : ndarray of shape (period,)
        Their standard errors, were the rows independent.

    See Also
    --------
    find_season : Find one.

    Examples
    --------
    >>> import numpy as np
    >>> from narxkit.diagnostics import find_season
    >>> find_season(np.tile([1.0, 3.0, 2.0, 8.0, 5.0], 20)).period
    5
    """

    period: int
    pvalue: float
    share: float
    n: int
    means: np.ndarray
    stderrs: np.ndarray

    @property
    def sentence(self):
        """The result in one sentence."""
        return (
            f"A season of {self.period} rows explains {self.share:.0%} of the variance "
            f"(p = {self.pvalue:.2g})."
        )

    @property
    def figures(self):
        """The lines of the table."""
        return [
            Row("period", f"{self.period}", "rows"),
            Row("share of variance", f"{self.share:.1%}", f"{self.n} rows"),
            Row("p value", f"{self.pvalue:.2g}", "harmonics against their neighbours"),
        ]

    def plot(self, ax=None):
        """Draw the mean of each place, and two standard errors beside it.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; by default on a new figure.

        Returns
        -------
        matplotlib Axes
            The axes drawn on.
        """
        from narxkit.diagnostics._draw import COLOURS, PALE, open_axes

        ax, places = open_axes(ax), np.arange(self.period)
        half = 2 * self.stderrs
        ax.fill_between(places, self.means - half, self.means + half, color=PALE, lw=0)
        ax.plot(places, self.means, color=COLOURS[0])
        ax.set_xlabel("place in the season, rows from the first")
        ax.set_ylabel("mean, and two standard errors")
        return ax


def find_season(y, period=None):
    r"""Look for a season.

    A season of P rows has its variance at the frequencies j / P. Each of them is tested against the
    frequencies beside it, which hold what a series without a season has there, trend and memory
    included,

    .. math::

        F_j = I(j / P) \Big/ \frac{1}{2m} \sum_{0 < |i| \le m} I(j / P + i / n)
        \sim F(2, 4m),

    with I the periodogram of the increments over a whole number of seasons (differences, so that
    a trend does not leak), j up to 12 and m at most 8. Twice the smaller of two p values counts:
    Fisher's, of -2 sum ln p_j, sees a season of many harmonics, and Bonferroni's, the least p_j
    times their number, one that is a sine and nearly nothing at the others.

    Periods tried: where y has a clock, its own (day and week of steps below a day, in rows as they
    are; 7 and 365 of days or 5 of working days, 52 of weeks, 12 of months, 4 of quarters), with p
    values times their number; where that fails, or there is none,
    once, twice and three times the periods of the five peaks of the periodogram that stand out most
    from what lies beside them, with p values times the number of periods that could have been
    tried, and a level of 1e-9: oscillations without a clock, chaotic ones among them, have peaks
    nearly as sharp. Of those that pass, the shortest wins that explains at least 0.9 of what any
    explains.

    Parameters
    ----------
    y : array-like of shape (n,)
        A series; the index of a Series or DataFrame is its clock.
    period : int, default=None
        Try this one alone.

    Returns
    -------
    Season or None
        None where no season passes, at 1 % with a clock or a given period.

    Raises
    ------
    ValueError
        When y cannot be read, or `period` is below 3 or leaves fewer than three seasons.

    Notes
    -----
    Periods are whole rows, at least 3, seen at least three times. A cycle of wandering length, as
    that of sunspots, is no season. Without a clock a faint season has to be seen more often: a sine
    with the amplitude of the noise's standard deviation was found in 19 of 50 series that hold it
    10 times, in 40 of 50 that hold it 20 times, and in all of 20 from 40 times on.

    References
    ----------
    Thomson 1982, "Spectrum estimation and harmonic analysis", Proceedings of the IEEE 70,
    1055-1096, for the F test of a line against what surrounds it.

    Examples
    --------
    >>> from narxkit.datasets import load_solar
    >>> from narxkit.diagnostics import find_season
    >>> find_season(load_solar()["ghi"].loc["2023"]).period
    24
    """
    values = read_values(y, N_MIN, "y")
    longest = len(values) // 3
    if period is not None:
        check_count("period", period, 3)
        if period > longest:
            raise ValueError(
                f"period must be at most {longest}, a third of the rows, to be seen three times. "
                f"Got {period} instead: give a longer series."
            )
        return _best(values, [period], 1, LEVEL)
    clock = [p for p in periods_of_clock(index_of(y)) if 3 <= p <= longest]
    # a calendar's periods are few and come first; a search among all pays for its size
    return _best(values, clock, len(clock), LEVEL) or _best(
        values, _peaks(values, longest), longest, LEVEL_OF_PEAK
    )


def measure_season(values, period, n_tries=1):
    """Measure a season, whether it passes or not.

    Parameters
    ----------
    values : ndarray of shape (n,)
        A series.
    period : int
        Rows of the season.
    n_tries : int
        Periods that could have been tried.

    Returns
    -------
    Season
        With 1 - (RSS / (n - period)) / (TSS / (n - 1)) as its share, at least 0.
    """
    n, left = len(values), without_season(values, period)
    # period means were estimated
    variance = left @ left / (n - period)
    return Season(
        period=period,
        # steps, not levels: a random walk has peaks at low frequencies by chance
        pvalue=min(1.0, n_tries * _pvalue(np.diff(values, prepend=values[0]), period)),
        share=float(max(0.0, 1 - variance / values.var(ddof=1))),
        n=n,
        means=(values - left)[:period],
        stderrs=np.sqrt(variance / np.bincount(np.arange(n) % period)),
    )


def _best(values, periods, n_tries, level):
    """Return the shortest significant period that explains nearly as much as any, or None."""
    seasons = [measure_season(values, period, n_tries) for period in sorted(periods)]
    found = [season for season in seasons if season.pvalue < level]
    most = max((season.share for season in found), default=0)
    return next((season for season in found if season.share >= NEARLY * most), None)


def _pvalue(steps, period):
    """Return the p-value of the harmonics of a period, joined by Fisher or Bonferroni."""
    n_seasons = len(steps) // period
    # whole seasons, so that the harmonics are Fourier frequencies and do not leak
    power = np.abs(np.fft.rfft(steps[-n_seasons * period :])) ** 2
    harmonics = n_seasons * np.arange(1, min((period - 1) // 2, N_HARMONICS) + 1)
    m = min(N_BESIDE, n_seasons - 1)
    beside = np.concatenate([np.arange(-m, 0), np.arange(1, m + 1)])
    around = harmonics[:, None] + beside
    # the spectrum is mirrored at the highest frequency
    around = np.where(around < len(power), around, 2 * (len(power) - 1) - around)
    rounding = max(np.finfo(float).tiny, ROUNDING * power.sum())
    ratios = power[harmonics] / np.maximum(power[around].mean(axis=1), rounding)
    logs = stats.f.logsf(ratios, 2, 4 * m)
    # Fisher sees many faint harmonics, Bonferroni one strong; twice the smaller pays for the choice
    of_all = stats.chi2.sf(-2 * logs.sum(), 2 * len(logs))
    of_one = len(logs) * np.exp(logs.min())
    return float(min(1.0, 2 * min(of_all, of_one)))


def _peaks(values, longest):
    """Return once, twice and three times the periods of the most prominent peaks."""
    size = np.abs(np.fft.rfft(np.diff(values)))
    window = np.ones(2 * N_BESIDE + 1)
    window[N_BESIDE - 1 : N_BESIDE + 2] = 0  # a line between two frequencies is in both
    beside = np.convolve(size**2, window, "same") / np.convolve(np.ones(len(size)), window, "same")
    ratios = size[1:-1] ** 2 / np.maximum(beside[1:-1], np.finfo(float).tiny)
    # periods of the whole series, or of half of it, are trends
    ratios[:2] = 0
    k = np.argsort(ratios)[-N_PEAKS:] + 1
    # a line at k + d, in a window without taper, stands in k and k + 1 as 1 / d to 1 / (1 - d)
    left, right = size[k - 1], size[k + 1]
    exact = k + np.where(right > left, right / (size[k] + right), -left / (size[k] + left))
    periods = np.unique(np.rint((len(values) - 1) * np.outer([1, 2, 3], 1 / exact)).astype(int))
    return [int(p) for p in periods if 3 <= p <= longest]


def periods_of_clock(index):
    """Return the rows of the seasons that a clock suggests, ascending.

    Parameters
    ----------
    index : Index or None
        The clock, if it is one.

    Returns
    -------
    list of int
        Of steps below a day: a day and a week, of as many rows as days have and as many days as
        weeks have; of days: a week and a year, of working days a week; else a year.
    """
    if isinstance(index, pd.PeriodIndex):
        index = index.to_timestamp()
    index = as_clock(index)
    if not isinstance(index, pd.DatetimeIndex):
        return []
    seconds = pd.Series(index).diff().dt.total_seconds().median()
    if not seconds > 0:
        return []
    # a market's days
    week = 7 if (index.day_of_week >= 5).any() else 5
    if seconds < DAY:
        rows = _rows_of_a_day(index, DAY / seconds)
        return [rows, rows * week] if rows else []
    if seconds == DAY:
        return [7, 365] if week == 7 else [5]
    rows = LONG_PERIODS.get(round(seconds / DAY))
    return [rows] if rows else []


def _rows_of_a_day(index, rows):
    """Return the rows of nearly all days, such as opening hours, else of a whole day, or None."""
    counts = np.unique(index.normalize(), return_counts=True)[1][1:-1]
    usual = int(np.median(counts)) if len(counts) else 0
    if usual and np.mean(counts == usual) >= NEARLY:
        return usual
    return round(rows) if abs(rows - round(rows)) < 1e-6 * rows else None
