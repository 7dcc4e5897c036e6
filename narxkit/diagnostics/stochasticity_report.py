"""Is a series forecastable? A season, unit roots, memory, noise or chaos: one report, one verdict.

In this order:

1. A season is looked for, or taken as given, and its means are removed; but not one without a clock
   where neighbouring states of y part exponentially, since chaotic cycles have peaks as sharp.
2. A straight line is removed where KPSS (null: stationary) fails at 5 %, augmented Dickey-Fuller
   with a trend refuses a unit root at 1 %, and the slope is 4 standard errors from 0, with the
   variance of an autoregression at frequency 0.
3. Levels or increments: only where no line is removed, and Dickey-Fuller with a constant (null: a
   unit root) and KPSS both speak for a unit root, the first by p > 5 % and the second by p < 5 %,
   the rest of the report analyses increments.
4. What is left is held against white noise by four tests of dependence: Ljung-Box on 20 lags,
   the Hurst exponent against 1/2, variance ratios whatever the changing variance, and BDS on the
   residuals of an autoregression. Bonferroni's four times the least p value decides, at 2 %.
   Entropies describe, and the test for ARCH effects tells of changing variance.
5. Linear surrogates and the largest Lyapunov exponent tell determinism from persistence.

The verdict is the first that fits:

- *deterministic*: neighbouring states part exponentially, and no surrogate is as predictable;
- *random*: the tests find no dependence, or lags explain less than 2 % of the variance of rows left
  out of their fit (*random walk* where increments were analysed, *seasonal* where a season of 2 %
  or more was removed);
- *seasonal*: the season explains at least half of the variance;
- *nonlinear*: no surrogate is as predictable, and neighbours explain 2 % of the variance more than
  an autoregression;
- *persistent* or *anti-persistent*: where the Hurst exponent differs from 1/2 at 5 %. Short memory
  moves it too, and the sentence says so where an autoregression describes the spectrum better than
  fractional Gaussian noise, with an AIC lower by 10, beside the exponent of the longest periods;
- *short memory*: lags help all the same.

What grows faster than the rows is done on the last of them, and the table says on how many.
"""

import sys
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats
from scipy.signal import detrend

from narxkit._warn import warn
from narxkit.diagnostics._outlier import SEE, Outlier, find_outlier_of_levels
from narxkit.diagnostics._result import Result, Row
from narxkit.diagnostics._stochasticity import tests as parts
from narxkit.diagnostics._stochasticity import words
from narxkit.diagnostics._stochasticity.tests import (
    LEVEL,
    LEVEL_OF_NOISE,
    N_CHAOS,
    N_HURST,
    N_SURROGATE,
)
from narxkit.diagnostics.chaos import FalseNeighbours, Lyapunov, false_neighbours, lyapunov
from narxkit.diagnostics.hurst_exponent import Hurst, exponent
from narxkit.diagnostics.seasons import Season, find_season, measure_season, periods_of_clock
from narxkit.diagnostics.surrogates import SurrogateTest, surrogate_test
from narxkit.diagnostics.values import (
    check_count,
    index_of,
    name_of,
    read_values,
    without_season,
)
from narxkit.diagnostics.variance import VarianceRatio, variance_ratio

__all__ = ["Stochasticity", "stochasticity"]

N_MIN = 250
NEGLIGIBLE = 0.02  # share of variance that no forecaster would miss
N_PARTS = 7  # as progress counts them
NEARLY = 0.95  # of the squares that the last value leaves
LEVEL_OF_TREND = 0.01  # at which a straight line takes the place of a unit root
STEEP = 4.0  # standard errors of its slope
EXACT = 1e-9  # of the standard deviation: what rounding leaves
SURE = 2.58  # standard errors of a drift
BETTER = 10.0  # of AIC: hardly anything speaks for what is worse by more


@dataclass(frozen=True, repr=False, eq=False)
class Stochasticity(Result):
    """Verdict, tests and picture of a series, the result of `stochasticity`.

    Parameters
    ----------
    kind : {"levels", "increments"}
        Whether levels or increments were analysed, without the season.
    season : Season or None
        The season whose means were removed.
    trend : float
        Share of the variance of a straight line that was removed; 0 where none was.
    tests : dict of str to Answer
        Statistic and p value of "Dickey-Fuller", "Dickey-Fuller, trend" and "KPSS", before, and of
        "Ljung-Box", "ARCH" and "BDS", of what was analysed.
    autoregression : Autoregression
        A linear model of what was analysed: weights, share explained outside the rows of the fit,
        residuals.
    lead_of_autoregression : float
        AIC of fractional Gaussian noise less that of the autoregression.
    hurst : Hurst
        Of the values analysed, by likelihood.
    long_hurst : Hurst
        The same by its longest periods alone, local Whittle's.
    variance_ratio : VarianceRatio
        Of the values analysed.
    surrogates : SurrogateTest
        Prediction by neighbours against linear surrogates.
    lyapunov : Lyapunov
        How neighbouring states part.
    false_neighbours : FalseNeighbours
        How many lags make a state.
    series : Series
        The series given.
    analysed : ndarray
        The values analysed.
    outlier : Outlier or None
        Row and share of the variance of a value, or of a step, that carries more than a third of
        it.

    Attributes
    ----------
    verdict : str
        One of "random", "random walk", "seasonal", "nonlinear", "short memory", "persistent",
        "anti-persistent" and "deterministic".
    findings : list of Finding
        The lines of the table: name, statistic, p value, meaning.
    order : int
        Lags of the autoregression.
    explained : float
        Share of the variance of what was analysed that lags explain, by neighbours where these see
        more than an autoregression.
    drift : float
        Mean of the increments where they were analysed and it is 2.58 standard errors from 0,
        else 0.
    reach : int
        The last lag with an autocorrelation of 0.2 or more in size, before 20 lags without.
    least_pvalue : float
        Of the four tests of dependence, four times the least.

    See Also
    --------
    stochasticity : Make the report.

    Examples
    --------
    >>> import numpy as np
    >>> from narxkit.diagnostics import stochasticity
    >>> noise = np.random.default_rng(0).normal(size=500)
    >>> stochasticity(noise).verdict
    'random'
    """

    kind: str
    season: Season | None
    trend: float
    tests: dict[str, parts.Answer]
    autoregression: parts.Autoregression
    lead_of_autoregression: float
    hurst: Hurst
    long_hurst: Hurst
    variance_ratio: VarianceRatio
    surrogates: SurrogateTest
    lyapunov: Lyapunov
    false_neighbours: FalseNeighbours
    series: pd.Series
    analysed: np.ndarray
    outlier: Outlier | None = None

    @property
    def verdict(self):
        """The first word that fits."""
        if self.lyapunov.is_exponential and self.surrogates.is_below_all:
            return "deterministic"
        if self.is_noise:
            walk = "random walk" if self.kind == "increments" else "random"
            return "seasonal" if self.has_season else walk
        if self.has_season and self.season.share >= 0.5:
            return "seasonal"
        if self.is_nonlinear:
            return "nonlinear"
        if self.hurst.pvalue >= LEVEL:
            return "short memory"
        return "persistent" if self.hurst.estimate > 0.5 else "anti-persistent"

    @property
    def has_season(self):
        """Whether the season that was removed is more than chance, and not negligible."""
        season = self.season
        return season is not None and season.pvalue < LEVEL and season.share >= NEGLIGIBLE

    @property
    def order(self):
        """Number of lags of the autoregression."""
        return len(self.autoregression.weights)

    @property
    def explained(self):
        """The share that lags explain."""
        linear = max(self.autoregression.explained, 0.0)
        return self.surrogates.explained if self.is_nonlinear else linear

    @property
    def is_nonlinear(self):
        """Whether neighbours explain what no linear model would."""
        gain = self.surrogates.explained - max(self.autoregression.explained, 0.0)
        return self.surrogates.is_below_all and gain >= NEGLIGIBLE

    @property
    def drift(self):
        """The mean step, where there is one."""
        mean = float(self.analysed.mean())
        is_significant = abs(mean) > SURE * stats.sem(self.analysed)
        return mean if self.kind == "increments" and is_significant else 0.0

    @property
    def is_near_persistence(self):
        """Whether the last value does nearly as well as the autoregression, one row ahead."""
        of_last = np.mean(np.diff(self.analysed) ** 2)
        return bool(self.autoregression.residuals.var() > NEARLY * of_last)

    @property
    def is_autoregressive(self):
        """Whether an autoregression describes the spectrum better than fractional noise."""
        return self.lead_of_autoregression > BETTER

    @property
    def reach(self):
        """The last lag with an autocorrelation that counts."""
        return parts.reach(self.analysed)

    @property
    def least_pvalue(self):
        """Bonferroni's, of the four tests of dependence."""
        others = self.hurst, self.variance_ratio, self.tests["Ljung-Box"], self.tests["BDS"]
        return min(1.0, 4 * min(test.pvalue for test in others))

    @property
    def is_noise(self):
        """Whether tests see no dependence, or one that is negligible."""
        return self.least_pvalue >= LEVEL_OF_NOISE or self.explained < NEGLIGIBLE

    @property
    def lags(self):
        """Output lags to begin with; `suggest_lags` weighs them.

        Returns
        -------
        list of int
            None of them where nothing is to be gained from lags.
        """
        season = [self.season.period] if self.has_season else []
        if self.verdict == "deterministic":
            false = self.false_neighbours
            return [1 + false.delay * i for i in range(false.best)]
        if self.is_noise:
            return [1, *season] if self.kind == "increments" else season
        order = self.order + (self.kind == "increments")
        of_states = self.surrogates.lags if self.is_nonlinear else []
        return sorted({*range(1, max(order, 1) + 1), *of_states, *season})

    @property
    def sentence(self):
        """The verdict in one sentence."""
        but = f"; but {self.outlier}" if self.outlier else ""
        return f"{self.verdict.capitalize()}: {words.reason(self)}{but}."

    @property
    def findings(self):
        """The lines of the table as numbers."""
        return words.findings(self)

    @property
    def figures(self):
        """The lines of the table."""
        return [Row(f.name, words.value(f), f.meaning) for f in self.findings]

    def to_frame(self):
        """Gather the findings as a frame of numbers.

        Returns
        -------
        DataFrame
            One row per finding, with the columns "statistic", "pvalue" and "meaning".
        """
        frame = pd.DataFrame(self.findings, columns=words.Finding._fields)
        return frame.set_index("name").rename_axis("finding")

    def plot(self, axes=None):
        """Draw what a forecaster looks at first: series, autocorrelation and spectrum.

        Parameters
        ----------
        axes : sequence of three matplotlib Axes, default=None
            Where to draw; by default on a new figure, one above the other.

        Returns
        -------
        sequence of three matplotlib Axes
            The axes drawn on.
        """
        from narxkit.diagnostics._stochasticity.plot import draw_report

        return draw_report(self, axes)


def stochasticity(y, season=None, *, random_state=0, verbose=False, progress=None):
    """Report whether a series can be forecast, and from what.

    Season, unit roots, memory, dependence, entropy, nonlinearity and chaos, with a verdict in one
    sentence; the head of `narxkit.diagnostics.stochasticity_report` has the order and the rules.

    Parameters
    ----------
    y : array-like of shape (n,)
        A series of at least 250 rows; the index of a Series or DataFrame is its clock.
    season : int, default=None
        Rows of a season to remove; 1 removes none. By default that of `find_season`, if any, and if
        it is no cycle of chaos.
    random_state : int, RandomState instance or None, default=0
        Seed of the surrogates.
    verbose : bool, default=False
        Whether to print the part that begins on stderr.
    progress : callable, default=None
        ``progress(text, done, total)`` is called with the name of the part that begins, the number
        of parts done and the number of parts.

    Returns
    -------
    Stochasticity
        Verdict, sentence, table and picture.

    Raises
    ------
    ValueError
        When y cannot be read, or `season` is out of range.

    Warns
    -----
    UserWarning
        When one value, or one step, carries more than a third of the variance: verdicts then tell
        of it.

    See Also
    --------
    find_season : The season alone.
    lyapunov, surrogate_test, variance_ratio : Single parts, with their settings.

    Notes
    -----
    Of 1,200 series of white noise (normal, uniform, Student's t with 4 degrees of freedom; 500 and
    2,000 rows) 1,199 were called random. Chaos of a flow takes some 100 cycles to be detected: that
    of Mackey and Glass was called deterministic in 20 of 20 series of 5,000 rows, and in 11 of 20
    of 2,000.

    Hurst exponents are read from the last 10,000 rows, BDS from the last 2,000 residuals,
    surrogates from the last 2,000 rows, and false neighbours and Lyapunov exponents from the last
    5,000, which keeps the report to seconds and BDS to a matrix of 2,000 by 2,000.

    References
    ----------
    Dickey and Fuller 1979, Journal of the American Statistical Association 74, 427-431;
    Kwiatkowski, Phillips, Schmidt and Shin 1992, Journal of Econometrics 54, 159-178; Ljung and
    Box 1978, Biometrika 65, 297-303; Engle 1982, Econometrica 50, 987-1007; Broock, Scheinkman,
    Dechert and LeBaron 1996, Econometric Reviews 15, 197-235.

    Examples
    --------
    >>> from narxkit.datasets import make_henon
    >>> from narxkit.diagnostics import stochasticity
    >>> report = stochasticity(make_henon(1000, random_state=0))
    >>> report.verdict, report.lags
    ('deterministic', [1, 2])
    """
    values = read_values(y, N_MIN, "y")
    if progress is not None and not callable(progress):
        raise ValueError(
            f"progress must be callable, as progress(text, done, total). Got {progress!r} instead."
        )
    begin = _part_counter(verbose, progress)
    begin("season")
    season = _season(y, values, season)
    left = values if season is None else _rest(values, season.period)
    # rounding alone is left, and every test below would describe it
    if detrend(left).std() < EXACT * left.std():
        raise ValueError(
            "y is a straight line and nothing else: there is nothing left to analyse, and the line "
            "forecasts it."
        )
    outlier = find_outlier_of_levels(left)
    if outlier:
        warn(f"{outlier}, and the verdict reflects it more than y: {SEE}.")
    begin("unit roots")
    answers = parts.unit_roots(left)
    kind, trend, analysed = _stationary_part(left, answers)
    period = None if season is None else season.period
    # without the trend or in increments the share of the season is another one
    if season is not None:
        season = measure_season(_without(values, kind, trend), period)
    begin("memory")
    # the likelihood is sharp but trusts short times; the lowest frequencies do not
    memory, of_long = (exponent(_recent(analysed, N_HURST), method, period)
                       for method in ("ml", "local_whittle"))  # fmt: skip
    ratios = variance_ratio(analysed)
    begin("autoregression")
    linear = parts.autoregression(analysed)
    answers["Ljung-Box"], answers["ARCH"] = parts.ljung_box(analysed), parts.arch(linear.residuals)
    begin("BDS")
    answers["BDS"] = parts.bds(analysed, linear.residuals)
    begin("surrogates")
    false = false_neighbours(_recent(analysed, N_CHAOS))
    recent = _recent(analysed, N_SURROGATE)
    # three values of a state may span a quarter of the rows at most
    delay = min(false.delay, len(recent) // 12)
    surrogates = surrogate_test(recent, delay=delay, random_state=random_state)
    begin("chaos")
    # the states that false neighbours found to be enough
    parting = lyapunov(analysed[-N_CHAOS:], false.best, false.delay)
    begin("verdict")
    return Stochasticity(
        kind=kind,
        season=season,
        trend=trend,
        tests=answers,
        autoregression=linear,
        lead_of_autoregression=parts.lead_of_autoregression(
            analysed, linear.weights, memory.estimate
        ),
        hurst=memory,
        long_hurst=of_long,
        variance_ratio=ratios,
        surrogates=surrogates,
        lyapunov=parting,
        false_neighbours=false,
        series=pd.Series(values, index_of(y), name=name_of(y)),
        analysed=analysed,
        outlier=outlier,
    )


def _part_counter(verbose, progress):
    """Return a function that reports the part that begins, to stderr and to the caller."""
    done = iter(range(N_PARTS + 1))

    def begin(name):
        i = next(done)
        if verbose:
            print(f"{i}/{N_PARTS} {name}", file=sys.stderr, flush=True)
        if progress is not None:
            progress(name, i, N_PARTS)

    return begin


def _season(y, values, season):
    """Measure the season given, or find one; None without."""
    if season is None:
        found = find_season(y)
        has_clock = found and found.period in periods_of_clock(index_of(y))
        # the loops of an attractor look like a season; a calendar's season is taken for one
        is_chaos = found and not has_clock and lyapunov(values[-N_CHAOS:]).is_exponential
        return None if is_chaos else found
    check_count("season", season, 1)
    if season == 1:
        return None
    longest = len(values) // 3
    if not 3 <= season <= longest:
        raise ValueError(
            f"season must be 1, for none, or between 3 and {longest} rows, a third of all. Got "
            f"{season} instead: give another one, or a longer series."
        )
    return measure_season(values, season)


def _rest(values, period):
    """Return the values without their season."""
    left = without_season(values, period)
    if left.std() < EXACT * values.std():
        raise ValueError(
            f"y is a season of {period} rows and nothing else: there is nothing left to analyse, "
            f"and lag {period} forecasts it."
        )
    return left


def _stationary_part(left, answers):
    """Choose levels, levels round a line, or increments; the line's share of the variance."""
    # KPSS and Dickey-Fuller have opposite nulls: a root needs both to say so
    if answers["KPSS"].pvalue >= LEVEL:
        return "levels", 0.0, left
    if answers["Dickey-Fuller, trend"].pvalue < LEVEL_OF_TREND and _has_slope(left):
        rest = detrend(left)
        return "levels", float(1 - rest.var() / left.var()), rest
    if answers["Dickey-Fuller"].pvalue > LEVEL:
        return "increments", 0.0, read_values(np.diff(left), 2, "diff(y)")
    return "levels", 0.0, left


def _has_slope(values):
    """Tell whether a straight line rises or falls by more than memory alone would let it."""
    rest, t = detrend(values), np.arange(len(values)) - (len(values) - 1) / 2
    weights, _, residuals = parts.autoregression(rest)
    # standard error of a slope under the long-run spread sigma / |1 - sum w|
    error = residuals.std() / abs(1 - weights.sum()) / np.sqrt(t @ t)
    return abs(t @ values / (t @ t)) > STEEP * error


def _without(values, kind, trend):
    """Return the values whose season is measured: without their line, or as increments."""
    if kind == "increments":
        return np.diff(values)
    return detrend(values) if trend else values


def _recent(analysed, n):
    """Return the last of the rows analysed."""
    name = "y" if n >= len(analysed) else f"y in its last {n:,} rows"
    return read_values(analysed[-n:], 2, name)
