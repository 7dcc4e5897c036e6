"""Text of a report of stochasticity: the verdict in one sentence, and its table."""

from typing import NamedTuple

import numpy as np

from narxkit._words import counted
from narxkit.diagnostics.entropy import permutation_entropy, spectral_entropy

from .tests import (
    FAINT,
    FEW,
    LEVEL,
    LEVEL_OF_NOISE,
    N_ARCH,
    N_BDS,
    N_CHAOS,
    N_HURST,
    N_LAGS,
    N_SURROGATE,
    autocorrelations,
)

LEVEL_OF_STRENGTH = 0.01  # of ARCH effects that are worth a word
BENT = 0.2  # exponents of increments below it are those of too many differences
ORDER = 5  # of the permutation entropy


class Finding(NamedTuple):
    """A line of the report; NaN where there is no statistic or no test."""

    name: str
    statistic: float
    pvalue: float
    meaning: str


# --- the sentence --------------------------------------------------------------------------------


def reason(report):
    """Explain the verdict, and its consequences for lags and horizon."""
    return f"{_round(report)}{REASONS[report.verdict](report)}"


def _random(report):
    return (
        f"{_noise(report)}; no lags help, and the best forecast at any horizon is {_best(report)}"
        f"{_of_strength(report)}"
    )


def _random_walk(report):
    return (
        f"a unit root is not refused, and of the increments {_noise(report)}; the best forecast at "
        f"any horizon is {_best(report)}, so that a model must be held against it"
        f"{_of_strength(report)}"
    )


def _noise(report):
    """Write the numbers behind noise."""
    if report.least_pvalue >= LEVEL_OF_NOISE:
        return (
            f"four tests together find no dependence at {LEVEL_OF_NOISE:.0%} "
            f"(p = {report.least_pvalue:.2g})"
        )
    return (
        f"tests find dependence (p = {report.least_pvalue:.1g}), but lags explain "
        f"{report.explained:.1%} of the variance"
    )


def _seasonal(report):
    period = report.season.period
    seasonal = (
        f"a season of {period} rows explains {report.season.share:.0%} of the variance"
        f"{_of_increments(report)} ({_p(report.season.pvalue)})"
    )
    if not report.is_noise:
        return f"{seasonal}, and of the rest {_memory(report)}{_add_lag(report)}"
    return (
        f"{seasonal}, and of the rest {_noise(report)}; the best forecast at any horizon is "
        f"{_best(report)}: the mean of each of its places, or of lags {period}, {2 * period}, "
        f"{3 * period} and so on{_of_strength(report)}"
    )


def _add_lag(report):
    period = report.season.period
    is_covered = period <= report.order or _is_felt_a_season_later(report)
    return "" if is_covered else f"; add lag {period}"


def _remembering(report):
    bent = ""
    if _is_root(report) and report.hurst.estimate < BENT:
        bent = "; a trend that bends or a level that shifts looks like this too"
    return f"{_root(report)}{_memory(report)}{_of_residuals_left(report)}{bent}"


def _root(report):
    return "a unit root is not refused, and of the increments " if _is_root(report) else ""


def _of_residuals_left(report):
    if report.tests["BDS"].pvalue >= LEVEL_OF_STRENGTH:
        return ""
    return "; what lags leave still depends on its past, in strength or nonlinearly (BDS)"


def _nonlinear(report):
    n = len(report.surrogates.surrogates)
    return (
        f"{_root(report)}{_explain(report)}, and no one of {n} linear surrogates is as "
        f"predictable; an autoregression explains {max(report.autoregression.explained, 0.0):.0%}"
    )


def _memory(report):
    """Write the numbers behind memory, and what they mean for lags and horizon."""
    return f"{_exponent(report)} {_explain(report)}; {_horizon(report)}"


def _exponent(report):
    hurst = report.hurst
    if hurst.pvalue >= LEVEL:
        return f"H = {hurst.estimate:.2f} does not differ from 1/2 (p = {hurst.pvalue:.2g}), but"
    if report.is_autoregressive:
        return (
            f"H = {hurst.estimate:.2f}, and {report.long_hurst.estimate:.2f} by the longest "
            f"periods alone, but an autoregression describes the spectrum better than fractional "
            f"noise (AIC lower by {report.lead_of_autoregression:.0f}):"
        )
    return f"H = {hurst.estimate:.2f}, and"


def _explain(report):
    of = "their variance" if _is_root(report) else "the variance"
    if report.is_nonlinear:
        lags, rows = join_numbers(report.surrogates.lags), report.surrogates.delay
        who, ahead = f"neighbours in lags {lags} explain", f"{rows} rows" if rows > 1 else "one row"
    else:
        who, ahead = (
            f"{report.order} lag{'s explain' if report.order != 1 else ' explains'}",
            "one row",
        )
    return f"{who} {report.explained:.0%} of {of} {ahead} ahead"


def _horizon(report):
    """Write how far lags help."""
    if report.is_nonlinear:
        linear = max(report.autoregression.explained, 0.0)
        return f"an autoregression explains {linear:.0%}, so that it takes a nonlinear model"
    if _is_root(report) and report.verdict == "anti-persistent":
        return "moves are undone, so that a smoothed level forecasts better than the last value"
    return f"{_reach(report)}{_near_persistence(report)}"


def _is_felt_a_season_later(report):
    period = report.season.period if report.season else 0
    return 0 < period <= report.reach and _a_season_later(report) >= FAINT


def _a_season_later(report):
    return autocorrelations(report.analysed, report.season.period)[-1]


def _reach(report):
    reach = report.reach
    if _is_felt_a_season_later(report):
        return (
            f"a season later the autocorrelation is still {_a_season_later(report):.2f}, so that "
            f"lag {report.season.period} helps"
        )
    size = f"{FAINT} in size"
    if not reach:
        return (
            f"the autocorrelation stays below {size}, so that {_best(report)} will do about as well"
        )
    least = " at least" if reach > len(report.analysed) // 2 - N_LAGS else ""
    return (
        f"the autocorrelation reaches {size} up to lag {reach}{least}, after which "
        f"{_best(report)} will do about as well"
    )


def _near_persistence(report):
    if _is_root(report) or not report.is_near_persistence:
        return ""
    return "; one row ahead the last value nearly does, so that a model must be held against it"


def _best(report):
    """Write which forecast needs no lags."""
    if _is_root(report):
        drift = f" plus {report.drift:.3g} a row" if report.drift else ""
        parts = [f"the last value{drift}"]
    elif report.trend:
        parts = ["the trend"]
    else:
        parts = []
    if report.has_season:
        parts.append("the season")
    return " and ".join(parts or ["the mean"])


def _of_strength(report):
    arch = report.tests["ARCH"]
    if arch.pvalue >= LEVEL_OF_STRENGTH:
        return ""
    return f"; how far it strays can be forecast (ARCH, p = {arch.pvalue:.1g})"


def _deterministic(report):
    rows = 1 / report.lyapunov.estimate
    about = f"{rows:,.0f}" if rows >= 10 else f"{rows:.2g}"
    return (
        f"over about {about} rows, in which an error grows by a factor e (Lyapunov exponent "
        f"{report.lyapunov.estimate:.2g} a row), and no one of "
        f"{len(report.surrogates.surrogates)} linear surrogates is as predictable; begin with "
        f"{'lags' if len(report.lags) > 1 else 'lag'} {', '.join(map(str, report.lags))}"
        f"{'' if report.false_neighbours.dimension else ', though some neighbours stay false'}"
    )


def _is_root(report):
    return report.kind == "increments"


def _of_increments(report):
    return " of the increments" if _is_root(report) else ""


def _round(report):
    """Write what was removed before, but for a season that the verdict names."""
    of = "what the season leaves" if report.season else "the variance"
    parts = [f"a straight trend ({report.trend:.0%} of {of})"] if report.trend else []
    if report.has_season and report.verdict != "seasonal":
        parts.append(f"a season of {report.season.period} rows ({report.season.share:.0%})")
    return f"round {' and '.join(parts)}, " if parts else ""


REASONS = {
    "random": _random,
    "random walk": _random_walk,
    "seasonal": _seasonal,
    "nonlinear": _nonlinear,
    "short memory": _remembering,
    "persistent": _remembering,
    "anti-persistent": _remembering,
    "deterministic": _deterministic,
}


# --- the table -----------------------------------------------------------------------------------


def value(finding):
    """Format statistic and p-value."""
    text = "" if np.isnan(finding.statistic) else f"{finding.statistic:.4g}"
    return text if np.isnan(finding.pvalue) else f"{text} ({_p(finding.pvalue)})"


def _p(pvalue):
    return f"p = {pvalue:.2g}" if pvalue > 0 else "p < 1e-300"


def findings(report):
    """Yield the lines of the report, in the order of the work."""
    return [
        _of_season(report),
        *_of_unit_roots(report),
        *_of_memory(report),
        *_of_residuals(report),
        *_of_entropy(report),
        *_of_chaos(report),
    ]


def _of_season(report):
    season = report.season
    if season is None:
        return Finding("season, rows", np.nan, np.nan, "none")
    removed = f"means removed, {season.share:.0%} of the variance{_of_increments(report)}"
    return Finding("season, rows", season.period, season.pvalue, removed)


def _of_unit_roots(report):
    adf, trend, kpss = map(report.tests.get, ("Dickey-Fuller", "Dickey-Fuller, trend", "KPSS"))
    yield Finding("Dickey-Fuller", *adf, _either(adf, "no unit root", "a unit root is possible"))
    line = f"; removed, {report.trend:.0%} of the rest" if report.trend else ""
    round_line = _either(trend, "no unit root round a line", "a unit root round a line is possible")
    yield Finding("Dickey-Fuller, trend", *trend, f"{round_line}{line}")
    stationary = _either(kpss, "not stationary", "stationary")
    drift = f", {report.drift:.3g} a row on average" if report.drift else ""
    yield Finding("KPSS", *kpss, f"{stationary}; analysed: {report.kind}{drift}")


def _of_memory(report):
    hurst, ratio = report.hurst, report.variance_ratio
    low, high = hurst.confidence_interval
    within = f"{low:.2f} to {high:.2f}; {_last(N_HURST, report)}"
    yield Finding("Hurst exponent", hurst.estimate, hurst.pvalue, within)
    long = report.long_hurst
    low, high = long.confidence_interval
    within = f"{low:.2f} to {high:.2f}; the longest periods alone, local Whittle"
    yield Finding("Hurst exponent, long times", long.estimate, long.pvalue, within)
    yield Finding(
        "AIC, long memory less lags", report.lead_of_autoregression, np.nan,
        "the autoregression describes the spectrum better" if report.is_autoregressive
        else "fractional noise describes the spectrum as well or better",
    )  # fmt: skip
    furthest = np.argmax(np.abs(ratio.statistic))
    yield Finding(
        f"variance ratio, {ratio.spans[furthest]} steps", ratio.estimate[furthest], ratio.pvalue,
        f"the furthest from 1; p of the spans {join_numbers(ratio.spans)}",
    )  # fmt: skip
    box = report.tests["Ljung-Box"]
    seen = _either(box, "autocorrelated", "no autocorrelation seen")
    yield Finding(f"Ljung-Box, {N_LAGS} lags", *box, seen)


def _of_residuals(report):
    linear, neighbours = report.autoregression.explained, report.surrogates.explained
    lags = f"autoregression of {report.order} lag{'' if report.order == 1 else 's'}, by BIC"
    yield Finding("explained by lags", linear, np.nan, f"{lags}, of rows outside its fit")
    lags = f"means of like states of lags {join_numbers(report.surrogates.lags)}"
    yield Finding("explained by neighbours", neighbours, np.nan, lags)
    arch, bds = report.tests["ARCH"], report.tests["BDS"]
    changing = _either(arch, "the variance of residuals changes", "constant variance")
    yield Finding(f"ARCH, {N_ARCH} lags", *arch, changing)
    if np.isnan(bds.statistic):
        yield Finding("BDS", *bds, f"fewer than {FEW} different values; {_last(N_BDS, report)}")
    else:
        seen = _either(bds, "residuals depend on each other", "no dependence seen")
        yield Finding("BDS", *bds, f"{seen}; {_last(N_BDS, report, 'residuals')}")


def _of_entropy(report):
    analysed = report.analysed
    orders = f"1: all orders of {ORDER} rows alike"
    yield Finding("permutation entropy", permutation_entropy(analysed, ORDER), np.nan, orders)
    white = f"white noise: {1 - 0.42 / np.log(len(analysed) // 2):.2f}"
    yield Finding("spectral entropy", spectral_entropy(analysed), np.nan, white)


def _of_chaos(report):
    surrogates, false, parting = report.surrogates, report.false_neighbours, report.lyapunov
    alike = _either(surrogates, "nonlinear, or changing", "as of linear surrogates")
    rows = _last(N_SURROGATE, report)
    yield Finding(
        "error of neighbours", surrogates.statistic, surrogates.pvalue, f"{alike}; {rows}"
    )
    apart = f"{counted(false.delay, 'row')} apart" if false.dimension else "no number is enough"
    rows = _last(N_CHAOS, report)
    yield Finding("values of a state", false.dimension or np.nan, np.nan, f"{apart}; {rows}")
    chaos = "exponential: chaos" if parting.is_exponential else "no chaos seen"
    yield Finding("Lyapunov exponent", parting.estimate, np.nan, f"{chaos}; {rows}")


def _either(test, yes, no):
    return yes if test.pvalue < LEVEL else no


def _last(most, report, what="rows"):
    """Write on how many of the rows analysed a number rests."""
    n = len(report.analysed)
    return f"the last {most:,} {what}" if n > most else f"{n:,} {what}"


def join_numbers(numbers):
    """Join numbers as in a sentence."""
    *first, final = map(str, numbers)
    return f"{', '.join(first)} and {final}" if first else final
