"""What a report of stochasticity says: the verdict in one sentence, and its table."""

from typing import NamedTuple

import numpy as np

from narxkit.diagnostics._stochasticity_tests import (
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
)
from narxkit.diagnostics.entropy import permutation_entropy, spectral_entropy

ORDER = 5  # of the permutation entropy


class Finding(NamedTuple):
    """A line of the report; NaN where there is no statistic or no test."""

    name: str
    statistic: float
    pvalue: float
    meaning: str


# --- the sentence --------------------------------------------------------------------------------


def reason(report):
    """What the verdict rests on, and what follows for lags and horizon."""
    return REASONS[report.verdict](report)


def _random(report):
    return f"{_noise(report)}; no lags help, and the mean is the best forecast at any horizon"


def _random_walk(report):
    return (
        f"levels have a unit root, and of the increments {_noise(report)}; the last value is the "
        "best forecast at any horizon, so that a model must be held against persistence"
    )


def _noise(report):
    """The numbers behind noise."""
    if report.least_pvalue >= LEVEL_OF_NOISE:
        return f"no test finds dependence (p = {report.least_pvalue:.2g}, of four)"
    return (
        f"tests find dependence (p = {report.least_pvalue:.1g}), but lags explain "
        f"{report.explained:.1%} of the variance"
    )


def _seasonal(report):
    period = report.season.period
    seasonal = (
        f"a season of {period} rows explains {report.season.share:.0%} of the variance"
        f"{_of_increments(report)} (p = {report.season.pvalue:.1g})"
    )
    if not report.is_noise:
        return f"{seasonal}, and of the rest {_memory(report)}; add lag {period}"
    best = "the last value and the season" if report.kind == "increments" else "the season"
    return (
        f"{seasonal}, and of the rest {_noise(report)}; the best forecast at any horizon is "
        f"{best}, at lag {period}"
    )


def _remembering(report):
    root = (
        "levels have a unit root, and of their increments " if report.kind == "increments" else ""
    )
    return f"{root}{_memory(report)}{_round_season(report)}"


def _memory(report):
    """The numbers behind memory, and what they mean for lags and horizon."""
    of = "the increments" if report.kind == "increments" else "the variance"
    return (
        f"{_exponent(report)} {_explain(report)} {report.explained:.0%} of {of} "
        f"{_ahead(report)}; {_horizon(report)}"
    )


def _exponent(report):
    hurst = report.hurst
    if hurst.pvalue >= LEVEL:
        return f"H = {hurst.estimate:.2f} is not told from 1/2 (p = {hurst.pvalue:.2g}), but"
    if report.is_autoregressive:
        return (
            f"H = {hurst.estimate:.2f}, though an autoregression describes the spectrum better "
            f"than long memory (AIC lower by {report.lead_of_autoregression:.0f}):"
        )
    return f"H = {hurst.estimate:.2f}, and"


def _explain(report):
    if report.is_nonlinear:
        return f"neighbours in lags {listed(report.surrogates.lags)} explain"
    return f"{report.order} lag{'s explain' if report.order != 1 else ' explains'}"


def _horizon(report):
    if report.is_nonlinear:
        linear = max(report.autoregression.explained, 0.0)
        return f"an autoregression explains {linear:.0%}, so that it takes a nonlinear model"
    best = "last value" if report.kind == "increments" else "mean"
    reach = (
        f"reaches {FAINT} in size up to lag {report.reach}, after which"
        if report.reach
        else f"stays below {FAINT} in size, so that"
    )
    return f"the autocorrelation {reach} the {best} forecasts about as well"


def _ahead(report):
    rows = report.surrogates.delay if report.is_nonlinear else 1
    return f"{rows} rows ahead" if rows > 1 else "one row ahead"


def _deterministic(report):
    rows = 1 / report.lyapunov.estimate
    return (
        f"over about {rows:.2g} rows, in which an error grows by a factor e (Lyapunov exponent "
        f"{report.lyapunov.estimate:.2g} a row), and no one of "
        f"{len(report.surrogates.surrogates)} linear surrogates is as predictable; begin with "
        f"{'lags' if len(report.lags) > 1 else 'lag'} {', '.join(map(str, report.lags))}"
        f"{'' if report.false_neighbours.dimension else ', though some neighbours stay false'}"
        f"{_round_season(report)}"
    )


def _of_increments(report):
    return " of the increments" if report.kind == "increments" else ""


def _round_season(report):
    if report.season is None:
        return ""
    return f", round a season of {report.season.period} rows ({report.season.share:.0%})"


REASONS = {
    "random": _random,
    "random walk": _random_walk,
    "seasonal": _seasonal,
    "short memory": _remembering,
    "persistent": _remembering,
    "anti-persistent": _remembering,
    "deterministic": _deterministic,
}


# --- the table -----------------------------------------------------------------------------------


def value(finding):
    """Statistic and p value as text."""
    text = "" if np.isnan(finding.statistic) else f"{finding.statistic:.4g}"
    return text if np.isnan(finding.pvalue) else f"{text} (p = {finding.pvalue:.2g})"


def findings(report):
    """The lines of the report, in the order of the work."""
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
    adf, kpss = report.tests["Dickey-Fuller"], report.tests["KPSS"]
    yield Finding("Dickey-Fuller", *adf, _either(adf, "no unit root", "a unit root is possible"))
    stationary = _either(kpss, "not stationary", "stationary")
    yield Finding("KPSS", *kpss, f"{stationary}; judged: {report.kind}")


def _of_memory(report):
    hurst, ratio = report.hurst, report.variance_ratio
    box, linear = report.tests["Ljung-Box"], report.autoregression
    low, high = hurst.confidence_interval
    rows = _last(N_HURST, report)
    yield Finding(
        "Hurst exponent", hurst.estimate, hurst.pvalue, f"{low:.2f} to {high:.2f}; {rows}"
    )
    yield Finding(
        "AIC, long memory less lags", report.lead_of_autoregression, np.nan,
        "the autoregression describes the spectrum better" if report.is_autoregressive
        else "long memory describes the spectrum as well",
    )  # fmt: skip
    yield Finding(
        f"variance ratio, {ratio.spans[-1]} steps", ratio.estimate[-1], ratio.pvalue,
        f"p of the spans {listed(ratio.spans)}",
    )  # fmt: skip
    seen = _either(box, "autocorrelated", "no autocorrelation seen")
    yield Finding(f"Ljung-Box, {N_LAGS} lags", *box, seen)
    order = f"autoregression of {report.order} lags, by AIC"
    yield Finding("explained by lags", linear.explained, np.nan, order)


def _of_residuals(report):
    arch, bds = report.tests["ARCH"], report.tests["BDS"]
    changing = _either(arch, "the variance of residuals changes", "constant variance")
    yield Finding(f"ARCH, {N_ARCH} lags", *arch, changing)
    if np.isnan(bds.statistic):
        yield Finding("BDS", *bds, f"fewer than {FEW} different values; {_last(N_BDS, report)}")
    else:
        seen = _either(bds, "residuals depend on each other", "no dependence seen")
        yield Finding("BDS", *bds, f"{seen}; {_last(N_BDS, report, 'residuals')}")


def _of_entropy(report):
    judged = report.judged
    orders = f"1: all orders of {ORDER} rows alike"
    yield Finding("permutation entropy", permutation_entropy(judged, ORDER), np.nan, orders)
    white = f"white noise: {1 - 0.42 / np.log(len(judged) // 2):.2f}"
    yield Finding("spectral entropy", spectral_entropy(judged), np.nan, white)


def _of_chaos(report):
    surrogates, false, parting = report.surrogates, report.false_neighbours, report.lyapunov
    alike = _either(surrogates, "nonlinear, or changing", "as of linear surrogates")
    rows = _last(N_SURROGATE, report)
    yield Finding(
        "error of neighbours", surrogates.statistic, surrogates.pvalue, f"{alike}; {rows}"
    )
    apart = f"{false.delay} rows apart" if false.dimension else "no number is enough"
    rows = _last(N_CHAOS, report)
    yield Finding("values of a state", false.dimension or np.nan, np.nan, f"{apart}; {rows}")
    chaos = "exponential: chaos" if parting.is_exponential else "no chaos seen"
    yield Finding("Lyapunov exponent", parting.estimate, np.nan, f"{chaos}; {rows}")


def _either(test, yes, no):
    return yes if test.pvalue < LEVEL else no


def _last(most, report, what="rows"):
    """On how much of what was judged a number rests."""
    n = len(report.judged)
    return f"the last {most:,} {what}" if n > most else f"{n:,} {what}"


def listed(numbers):
    """Numbers as in a sentence."""
    *first, final = map(str, numbers)
    return f"{', '.join(first)} and {final}" if first else final
