"""Is a series forecastable? A season, unit roots, memory, noise or chaos: one report, one verdict.

In this order:

1. A season is looked for, or taken as given, and its means are removed; but not one without a clock
   where neighbouring states of y part exponentially, since chaotic cycles have peaks as sharp.
2. Levels or increments: augmented Dickey-Fuller (null: a unit root) and KPSS (null: stationary).
   Only where both speak for a unit root, the first by p > 5 % and the second by p < 5 %, the rest
   of the report judges increments.
3. What is left is held against white noise by four tests of dependence: Ljung-Box on 20 lags,
   the Hurst exponent against 1/2, variance ratios whatever the changing variance, and BDS on the
   residuals of an autoregression. Bonferroni's four times the least p value decides, at 2 %.
   Entropies describe, and the test for ARCH effects tells of changing variance.
4. Linear surrogates and the largest Lyapunov exponent tell determinism from persistence.

The verdict is the first that fits:

- *deterministic*: neighbouring states part exponentially, and no surrogate is as predictable;
- *random*: the tests find no dependence, or it explains less than 2 % of the variance (*random
  walk* where increments were judged, *seasonal* where a season was removed);
- *seasonal*: the season explains at least half of the variance;
- *persistent* or *anti-persistent*: by the Hurst exponent where it differs from 1/2 at 5 %, else by
  the variance ratio of the longest span.

What grows faster than the rows is done on the last of them, and the table says on how many.
"""

import sys
import warnings
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view
from scipy.signal import lfilter

from narxkit.diagnostics._result import Figure, Result
from narxkit.diagnostics._series import check_count, index_of, read_series, without_season
from narxkit.diagnostics.chaos import FalseNeighbours, Lyapunov, false_neighbours, lyapunov
from narxkit.diagnostics.entropy import permutation_entropy, spectral_entropy
from narxkit.diagnostics.seasons import Season, find_season, measure_season, period_of_clock
from narxkit.diagnostics.surrogates import SurrogateTest, surrogate_test
from narxkit.diagnostics.variance import VarianceRatio, variance_ratio

__all__ = ["Stochasticity", "stochasticity"]

N_MIN = 250
LEVEL = 0.05  # of single tests
LEVEL_OF_NOISE = 0.02  # of the four tests of dependence together
NEGLIGIBLE = 0.02  # share of variance that no forecaster would miss
N_HURST, N_BDS, N_SURROGATE, N_CHAOS = 10_000, 2000, 2000, 5000  # the last rows, for each
N_LAGS = 20  # of Ljung-Box
N_ARCH = 10  # lags
ORDER = 5  # of the permutation entropy
N_PARTS = 7  # that are told of
FEW = 10  # different values, of which BDS says nothing
FAINT = 0.2  # an autocorrelation that leaves 4 % to be explained


class Finding(NamedTuple):
    """A line of the report; NaN where there is no statistic or no test."""

    name: str
    statistic: float
    pvalue: float
    meaning: str


class Autoregression(NamedTuple):
    """A linear model of the next value: its order, the share it explains, its residuals."""

    order: int
    explained: float
    residuals: np.ndarray


@dataclass(frozen=True, repr=False)
class Stochasticity(Result):
    """What `stochasticity` found.

    Parameters
    ----------
    verdict : str
        One of "random", "random walk", "seasonal", "persistent", "anti-persistent" and
        "deterministic".
    findings : tuple of Finding
        The tests and figures that were gathered: name, statistic, p value, meaning.
    kind : {"levels", "increments"}
        What was judged, once the season was removed.
    season : Season or None
        The season whose means were removed.
    order : int
        Lags of the autoregression that the residuals come from.
    explained : float
        Share of the variance of what was judged that lags explain, by autoregression or by
        neighbours.
    reach : int
        The last lag with an autocorrelation of 0.2 or more in size, before 20 lags without.
    least_pvalue : float
        Of the four tests of dependence, four times the least.
    hurst : Hurst
        Of what was judged.
    variance_ratio : VarianceRatio
        Of what was judged.
    surrogates : SurrogateTest
        Prediction by neighbours against linear surrogates.
    lyapunov : Lyapunov
        How neighbouring states part.
    false_neighbours : FalseNeighbours
        How many lags make a state.
    series : Series
        What came in.
    judged : ndarray
        What was judged.

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

    verdict: str
    findings: tuple[Finding, ...]
    kind: str
    season: Season | None
    order: int
    explained: float
    reach: int
    least_pvalue: float
    hurst: Result
    variance_ratio: VarianceRatio
    surrogates: SurrogateTest
    lyapunov: Lyapunov
    false_neighbours: FalseNeighbours
    series: pd.Series = field(compare=False)
    judged: np.ndarray = field(compare=False)

    @property
    def lags(self):
        """Output lags to begin with; `suggest_lags` weighs them.

        Returns
        -------
        list of int
            None of them where nothing is to be gained from lags.
        """
        season = [self.season.period] if self.season else []
        if self.verdict == "deterministic":
            return self.false_neighbours.lags or list(range(1, self.lyapunov.dimension + 1))
        if self._is_noise:
            return [1, *season] if self.kind == "increments" else season
        order = self.order + (self.kind == "increments")
        return sorted({*range(1, max(order, 1) + 1), *season})

    @property
    def sentence(self):
        """The verdict in one sentence."""
        return f"{self.verdict.capitalize()}: {_REASONS[self.verdict](self)}."

    @property
    def figures(self):
        """The lines of the table."""
        return [Figure(f.name, _value(f), f.meaning) for f in self.findings]

    def to_frame(self):
        """Gather the findings as a frame of numbers.

        Returns
        -------
        DataFrame
            One row per finding, with the columns "statistic", "pvalue" and "meaning".
        """
        frame = pd.DataFrame(self.findings, columns=Finding._fields)
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
            What was drawn on.
        """
        from narxkit.diagnostics._stochasticity_plot import draw

        return draw(self, axes)

    @property
    def _is_noise(self):
        return self.least_pvalue >= LEVEL_OF_NOISE or self.explained < NEGLIGIBLE


def stochasticity(y, season=None, *, random_state=0, verbose=False, callback=None):
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
        Tell on stderr what is being worked on.
    callback : callable, default=None
        Called with (number of parts done, number of parts, name of the part that begins).

    Returns
    -------
    Stochasticity
        Verdict, sentence, table and picture.

    Raises
    ------
    ValueError
        When y cannot be read, or `season` is out of range.

    See Also
    --------
    find_season : The season alone.
    lyapunov, surrogate_test, variance_ratio : Single parts, with their settings.

    Notes
    -----
    Of 1,200 series of white noise (normal, uniform, Student's t with 4 degrees of freedom; 500 and
    2,000 rows) 1,198 were called random. Chaos of a flow takes some 100 cycles to be told: that of
    Mackey and Glass was called deterministic in 20 of 20 series of 5,000 rows, and in 11 of 20 of
    2,000. A trend reads as a unit root, and its increments as anti-persistent: take it away first.

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
    values = read_series(y, N_MIN, "y")
    tell = _teller(verbose, callback)

    tell("season")
    season = _season(y, values, season)
    left = values if season is None else _rest(values, season.period)
    tell("unit roots")
    adf, kpss = _unit_roots(left)
    kind = "increments" if adf[1] > LEVEL and kpss[1] < LEVEL else "levels"
    judged = left if kind == "levels" else read_series(np.diff(left), 2, "the increments of y")
    tell("memory")
    memory = _hurst(judged)
    ratios = variance_ratio(judged)
    tell("autoregression")
    linear = _autoregression(judged)
    box, arch = _ljung_box(judged), _arch(linear.residuals)
    tell("BDS")
    bds = _bds(judged, linear.residuals)
    tell("surrogates")
    false = false_neighbours(judged[-N_CHAOS:])
    recent = read_series(judged[-N_SURROGATE:], 2, f"y in its last {N_SURROGATE:,} rows")
    delay = min(false.delay, len(recent) // 12)
    surrogates = surrogate_test(recent, delay=delay, random_state=random_state)
    tell("chaos")
    parting = lyapunov(
        judged[-N_CHAOS:], false.dimension or int(np.argmin(false.shares)) + 1, false.delay
    )
    tell("verdict")
    if season is not None and kind == "increments":
        season = measure_season(np.diff(values), season.period)
    report = {
        "kind": kind,
        "season": season,
        "order": linear.order,
        "explained": max(linear.explained, surrogates.explained, 0.0),
        "reach": _reach(judged),
        "least_pvalue": min(1.0, 4 * min(box[1], memory.pvalue, ratios.pvalue, bds[1])),
        "hurst": memory,
        "variance_ratio": ratios,
        "surrogates": surrogates,
        "lyapunov": parting,
        "false_neighbours": false,
        "series": pd.Series(values, index_of(y), name=getattr(y, "name", None)),
        "judged": judged,
    }
    tests = {"adf": adf, "kpss": kpss, "box": box, "arch": arch, "bds": bds}
    return Stochasticity(
        verdict=_verdict(**report), findings=_findings(tests, linear, **report), **report
    )


def _teller(verbose, callback):
    """A function that tells the part that begins, to stderr and to the callback."""
    done = iter(range(N_PARTS + 1))

    def tell(name):
        i = next(done)
        if verbose:
            print(f"{i}/{N_PARTS} {name}", file=sys.stderr, flush=True)
        if callback is not None:
            callback(i, N_PARTS, name)

    return tell


# --- parts ---------------------------------------------------------------------------------------


def _season(y, values, season):
    """The season asked for or found, or None."""
    if season is None:
        found = find_season(y)
        has_clock = found and found.period == period_of_clock(index_of(y))
        is_chaos = found and not has_clock and lyapunov(values[-N_CHAOS:]).is_exponential
        return None if is_chaos else found
    check_count("season", season, 1)
    if season == 1:
        return None
    longest = (len(values) - 1) // 3
    if not 3 <= season <= longest:
        raise ValueError(
            f"season must be 1, for none, or between 3 and {longest} rows, a third of all. Got "
            f"{season} instead: give another one, or a longer series."
        )
    return measure_season(values, season)


def _rest(values, period):
    """What the season leaves."""
    left = without_season(values, period)
    if left.std() < 1e-9 * values.std():
        raise ValueError(
            f"y is a season of {period} rows and nothing else: there is nothing left to judge, and "
            f"lag {period} forecasts it."
        )
    return left


def _unit_roots(values):
    """Statistic and p value of ADF and KPSS, with a constant."""
    from statsmodels.tsa.stattools import adfuller, kpss

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # p values at the ends of tables; results that change type
        order = _order_of_increments(values)
        return tuple(adfuller(values, order, autolag=None))[:2], tuple(kpss(values))[:2]


def _order_of_increments(values):
    """How many lags of the increments Dickey and Fuller's regression takes: the least AIC.

    One QR decomposition of all regressors and the target knows the squares that every order leaves,
    where a regression for each would cost half the report.
    """
    steps, longest = np.diff(values), int(np.ceil(12 * (len(values) / 100) ** 0.25))
    level, lags = values[longest:-1], sliding_window_view(steps, longest + 1)[:, ::-1]
    regressors = np.column_stack([np.ones(len(level)), level, lags[:, 1:], lags[:, 0]])
    rotated = np.linalg.qr(regressors, mode="r")[2:, -1]
    left = np.cumsum(rotated[::-1] ** 2)[::-1]
    return int(np.argmin(len(level) * np.log(left) + 2 * np.arange(longest + 1)))


def _hurst(values):
    from narxkit.diagnostics import hurst

    return hurst(values[-N_HURST:], kind="increments")


def _ljung_box(values):
    from statsmodels.stats.diagnostic import acorr_ljungbox

    return tuple(acorr_ljungbox(values, [N_LAGS]).iloc[0])


def _arch(residuals):
    from statsmodels.stats.diagnostic import het_arch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return tuple(het_arch(residuals, nlags=N_ARCH))[:2]


def _bds(values, residuals):
    from statsmodels.tsa.stattools import bds

    if len(np.unique(values)) < FEW:  # its variance takes distances for continuous
        return np.nan, 1.0
    return tuple(map(float, bds(residuals[-N_BDS:], max_dim=2)))


def _autoregression(values):
    """By Yule and Walker, of the order with the least AIC."""
    from statsmodels.tsa.stattools import levinson_durbin

    n, centred = len(values), values - values.mean()
    longest = int(10 * np.log10(n))
    covariances = _autocovariances(centred, longest)
    pacf = levinson_durbin(covariances, longest, isacov=True)[2][1:]
    left = np.concatenate([[1.0], np.cumprod(1 - pacf**2)])  # of the variance, by order
    order = int(np.argmin(n * np.log(left) + 2 * np.arange(longest + 1)))
    weights = levinson_durbin(covariances, order, isacov=True)[1] if order else np.empty(0)
    return Autoregression(
        order=order,
        explained=float(1 - left[order] * (n - 1) / (n - order - 1)),
        residuals=lfilter(np.concatenate([[1.0], -weights]), 1, centred)[order:],
    )


def _autocovariances(centred, longest):
    n = len(centred)
    power = np.abs(np.fft.rfft(centred, 2 * n)) ** 2
    return np.fft.irfft(power)[: longest + 1] / n


def autocorrelations(values, longest):
    """Autocorrelations from lag 0 on.

    Parameters
    ----------
    values : ndarray of shape (n,)
        A series.
    longest : int
        The last lag.

    Returns
    -------
    ndarray of shape (longest + 1,)
        1 at lag 0.
    """
    covariances = _autocovariances(values - values.mean(), longest)
    return covariances / covariances[0]


def _reach(values):
    """The last lag with an autocorrelation that counts, before N_LAGS in a row that do not."""
    lags = np.flatnonzero(np.abs(autocorrelations(values, len(values) // 2)) >= FAINT)
    is_last = np.append(np.diff(lags) > N_LAGS, True)
    return int(lags[np.argmax(is_last)])


# --- verdict -------------------------------------------------------------------------------------


def _verdict(*, kind, season, explained, least_pvalue, hurst, variance_ratio, surrogates,
             lyapunov, **_):  # fmt: skip
    """The first that fits."""
    if lyapunov.is_exponential and surrogates.statistic < surrogates.surrogates.min():
        return "deterministic"
    if least_pvalue >= LEVEL_OF_NOISE or explained < NEGLIGIBLE:
        return "seasonal" if season else "random walk" if kind == "increments" else "random"
    if season and season.share >= 0.5:
        return "seasonal"
    is_above = variance_ratio.estimate[-1] > 1
    if hurst.pvalue < LEVEL:
        is_above = hurst.estimate > 0.5
    return "persistent" if is_above else "anti-persistent"


def _noise(report):
    """The numbers behind noise."""
    if report.least_pvalue >= LEVEL_OF_NOISE:
        return f"no test finds dependence (p = {report.least_pvalue:.2g}, of four)"
    return (
        f"tests find dependence (p = {report.least_pvalue:.1g}), but lags explain "
        f"{report.explained:.1%} of the variance"
    )


def _memory(report):
    """The numbers behind memory, and what they mean for lags and horizon."""
    of = "the increments" if report.kind == "increments" else "the variance"
    reach = (
        f"reaches {FAINT} in size up to lag {report.reach}, after which"
        if report.reach
        else f"stays below {FAINT} in size, so that"
    )
    explain = f"{report.order} lag{'s explain' if report.order != 1 else ' explains'}"
    best = "last value" if report.kind == "increments" else "mean"
    return (
        f"H = {report.hurst.estimate:.2f}, and {explain} {report.explained:.0%} of {of} one row "
        f"ahead; the autocorrelation {reach} the {best} forecasts about as well"
    )


def _of_increments(kind):
    return " of the increments" if kind == "increments" else ""


def _round_season(report):
    if report.season is None:
        return ""
    return f", round a season of {report.season.period} rows ({report.season.share:.0%})"


def _random(report):
    return f"{_noise(report)}; no lags help, and the mean is the best forecast at any horizon"


def _random_walk(report):
    return (
        f"levels have a unit root, and of the increments {_noise(report)}; the last value is the "
        "best forecast at any horizon, so that a model must be held against persistence"
    )


def _seasonal(report):
    period, of = report.season.period, _of_increments(report.kind)
    seasonal = (
        f"a season of {period} rows explains {report.season.share:.0%} of the variance{of} "
        f"(p = {report.season.pvalue:.1g})"
    )
    if not report._is_noise:
        return f"{seasonal}, and of the rest {_memory(report)}; add lag {period}"
    best = "the last value and the season" if report.kind == "increments" else "the season"
    return (
        f"{seasonal}, and of the rest {_noise(report)}; the best forecast at any horizon is "
        f"{best}, at lag {period}"
    )


def _persistent(report):
    return f"{_memory(report)}{_round_season(report)}"


def _deterministic(report):
    rows = 1 / report.lyapunov.estimate
    false = report.false_neighbours
    return (
        f"over about {rows:.2g} rows, in which an error grows by a factor e (Lyapunov exponent "
        f"{report.lyapunov.estimate:.2g} a row), and no one of "
        f"{len(report.surrogates.surrogates)} linear surrogates is as predictable; begin with "
        f"{'lags' if len(report.lags) > 1 else 'lag'} {', '.join(map(str, report.lags))}"
        f"{'' if false.dimension else ', though some neighbours stay false'}"
        f"{_round_season(report)}"
    )


_REASONS = {
    "random": _random,
    "random walk": _random_walk,
    "seasonal": _seasonal,
    "persistent": _persistent,
    "anti-persistent": _persistent,
    "deterministic": _deterministic,
}


# --- table ---------------------------------------------------------------------------------------


def _value(finding):
    """Statistic and p value as text."""
    value = "" if np.isnan(finding.statistic) else f"{finding.statistic:.4g}"
    return value if np.isnan(finding.pvalue) else f"{value} (p = {finding.pvalue:.2g})"


def _findings(tests, linear, *, kind, season, hurst, variance_ratio, surrogates, lyapunov,
              false_neighbours, judged, **_):  # fmt: skip
    """The lines of the report, in the order of the work."""
    n, nan = len(judged), np.nan

    def either(pvalue, yes, no):
        return yes if pvalue < LEVEL else no

    def last(most, what):
        return f"the last {most:,} {what}" if n > most else f"{n:,} {what}"

    adf, kpss, box, arch, bds = (tests[name] for name in ("adf", "kpss", "box", "arch", "bds"))
    low, high = hurst.confidence_interval
    dimension = false_neighbours.dimension
    return (
        Finding("season, rows", season.period if season else nan, season.pvalue if season else nan,
                f"means removed, {season.share:.0%} of the variance{_of_increments(kind)}"
                if season else "none"),
        Finding("Dickey-Fuller", *adf, either(adf[1], "no unit root", "a unit root is possible")),
        Finding("KPSS", *kpss, either(kpss[1], "not stationary", "stationary")
                + f"; judged: {kind}"),
        Finding("Hurst exponent", hurst.estimate, hurst.pvalue,
                f"{low:.2f} to {high:.2f}; {last(N_HURST, 'rows')}"),
        Finding(f"variance ratio, {variance_ratio.spans[-1]} steps", variance_ratio.estimate[-1],
                variance_ratio.pvalue, f"p of the spans {_listed(variance_ratio.spans)}"),
        Finding(f"Ljung-Box, {N_LAGS} lags", *box,
                either(box[1], "autocorrelated", "no autocorrelation seen")),
        Finding("explained by lags", linear.explained, nan,
                f"autoregression of {linear.order} lags, by AIC"),
        Finding(f"ARCH, {N_ARCH} lags", *arch,
                either(arch[1], "the variance of residuals changes", "constant variance")),
        Finding("BDS", *bds, f"fewer than {FEW} different values" if np.isnan(bds[0]) else
                either(bds[1], "residuals depend on each other", "no dependence seen")
                + f"; {last(N_BDS, 'residuals')}"),
        Finding("permutation entropy", permutation_entropy(judged, ORDER), nan,
                f"1: all orders of {ORDER} rows alike"),
        Finding("spectral entropy", spectral_entropy(judged), nan,
                f"white noise: {1 - 0.42 / np.log(n // 2):.2f}"),
        Finding("error of neighbours", surrogates.statistic, surrogates.pvalue,
                either(surrogates.pvalue, "nonlinear, or changing", "as of linear surrogates")
                + f"; {last(N_SURROGATE, 'rows')}"),
        Finding("values of a state", dimension or nan, nan,
                (f"{false_neighbours.delay} rows apart" if dimension else "no number is enough")
                + f"; {last(N_CHAOS, 'rows')}"),
        Finding("Lyapunov exponent", lyapunov.estimate, nan,
                ("exponential: chaos" if lyapunov.is_exponential else "no chaos seen")
                + f"; {last(N_CHAOS, 'rows')}"),
    )  # fmt: skip


def _listed(numbers):
    *first, final = map(str, numbers)
    return f"{', '.join(first)} and {final}" if first else final
