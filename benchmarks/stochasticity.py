"""Verdicts of `stochasticity` and exponents of `lyapunov` on series of known kind; speed."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed
from rich.table import Table
from scipy.signal import lfilter
from scipy.stats import binomtest

from narxkit.datasets import load_solar, make_henon, make_lorenz, make_mackey_glass
from narxkit.diagnostics import hurst, lyapunov, make_fgn, stochasticity
from narxkit.diagnostics._stochasticity.tests import N_HURST

from .harness import Case, stopwatch
from .report import Suite

NOISE, OTHER, FLOW = {500: 200, 2000: 200}, {500: 50, 2000: 20}, {2000: 20, 5000: 20}
N_SEEDS = 20  # of exponents
QUICK = 10  # times fewer runs
SEED = 1000  # far from those of the tests
N_JOBS = 2
LEAST = 0.95
SETTLING = 500  # rows
N_HOURS = 17_520  # two years


class Kind(NamedTuple):
    """A kind of series ``make(n, seed)``, what its report is asked to be, runs by rows."""

    make: Callable
    asked: "Asked"
    runs: dict[int, int]
    least: float | None = None


class Asked(NamedTuple):
    """What a report is asked to be, in words and as a test."""

    words: str
    is_told: Callable


def called(verdict):
    return Asked(f"called {verdict}", lambda report: report.verdict == verdict)


NOT_DETERMINISTIC = Asked("not called deterministic", lambda r: r.verdict != "deterministic")
AUTOREGRESSIVE = Asked(
    "an autoregression describes it better", lambda report: report.is_autoregressive
)
LONG = Asked("no autoregression describes it better", lambda report: not report.is_autoregressive)


class System(NamedTuple):
    """A chaotic system ``make(n, seed)``, its known exponent and how near an estimate must be."""

    make: Callable
    exponent: float
    tolerance: float
    sizes: tuple[int, ...]
    step: float = 1.0


def normal(n, seed):
    return np.random.default_rng(seed).normal(size=n)


def uniform(n, seed):
    return np.random.default_rng(seed).uniform(size=n)


def heavy_tailed(n, seed):
    return np.random.default_rng(seed).standard_t(4, n)


def walk(n, seed):
    return normal(n, seed).cumsum()


def autoregressive(*weights):
    """y_t = sum_k weights_k y_{t-k} + e_t."""

    def make(n, seed):
        e = normal(SETTLING + n, seed)
        return lfilter([1.0], [1.0, *(-w for w in weights)], e)[SETTLING:]

    return make


def fractional(H):
    """Fractional Gaussian noise."""
    return lambda n, seed: make_fgn(n, H, random_state=seed)


def sine(period):
    """A sine of amplitude 1 under noise of standard deviation 1."""
    return lambda n, seed: np.sin(2 * np.pi * np.arange(n) / period) + normal(n, seed)


def logistic(n, seed):
    """x_{t+1} = 4 x_t (1 - x_t)."""
    x = np.empty(SETTLING + n)
    x[0] = np.random.default_rng(seed).uniform(0.1, 0.9)
    for t in range(1, len(x)):
        x[t] = 4 * x[t - 1] * (1 - x[t - 1])
    return x[SETTLING:]


def henon(n, seed):
    return make_henon(n, random_state=seed)


def mackey_glass(n, seed):
    return make_mackey_glass(n, random_state=seed)


def lorenz(column, keep_every=1):
    """x, y or z of Lorenz, every 0.01 or so many times that."""
    return lambda n, seed: make_lorenz(n, keep_every=keep_every, random_state=seed)[:, column]


KINDS = {
    "white noise, normal": Kind(normal, called("random"), NOISE, LEAST),
    "white noise, uniform": Kind(uniform, called("random"), NOISE, LEAST),
    "white noise, Student's t(4)": Kind(heavy_tailed, called("random"), NOISE, LEAST),
    "random walk": Kind(walk, NOT_DETERMINISTIC, OTHER, LEAST),
    "AR(1) of 0.5": Kind(autoregressive(0.5), called("persistent"), OTHER),
    "AR(1) of 0.5, memory": Kind(autoregressive(0.5), AUTOREGRESSIVE, OTHER),
    "AR(1) of 0.9, memory": Kind(autoregressive(0.9), AUTOREGRESSIVE, OTHER),
    "fractional noise, H = 0.3, memory": Kind(fractional(0.3), LONG, OTHER, LEAST),
    "fractional noise, H = 0.7, memory": Kind(fractional(0.7), LONG, OTHER, LEAST),
    "fractional noise, H = 0.9, memory": Kind(fractional(0.9), LONG, OTHER, LEAST),
    "AR(2), damped cycle": Kind(autoregressive(1.8, -0.95), NOT_DETERMINISTIC, OTHER, LEAST),
    "sine of 12 rows, noise": Kind(sine(12), called("seasonal"), OTHER),
    "sine of 24 rows, noise": Kind(sine(24), called("seasonal"), OTHER),
    "sine of 50 rows, noise": Kind(sine(50), called("seasonal"), OTHER),
    "logistic map": Kind(logistic, called("deterministic"), OTHER),
    "Henon map": Kind(henon, called("deterministic"), OTHER),
    "Lorenz, x every 0.05": Kind(lorenz(0, 5), called("deterministic"), FLOW),
    "Mackey-Glass": Kind(mackey_glass, called("deterministic"), FLOW),
}
SYSTEMS = {
    "logistic map": System(logistic, np.log(2), 0.02, (500, 1000, 5000)),
    "Henon map": System(henon, 0.419, 0.05, (1000, 2000, 5000)),
    "Lorenz, x every 0.01": System(lorenz(0), 0.906, 0.1, (10_000, 20_000), 0.01),
    "Lorenz, z every 0.01": System(lorenz(2), 0.906, 0.1, (10_000, 20_000), 0.01),
}


class StochasticitySuite:
    """Verdicts and exponents, with the verbs of `report.Suite`."""

    title = "Verdicts and Lyapunov exponents on series of known kind, 95 % intervals"
    packages = ("statsmodels",)

    def rows(self, quick, announce):
        """One dict per kind and length, and per system and length."""
        fewer = QUICK if quick else 1
        for name, kind in KINDS.items():
            for n, runs in list(kind.runs.items())[: 1 if quick else None]:
                announce(f"{name}, n = {n:,}")
                series = drawn(kind.make, n, runs // fewer)
                told = [kind.asked.is_told(report) for report in each(stochasticity, series)]
                yield line(name, n, kind.asked.words, told, kind.least)
        for name, system in SYSTEMS.items():
            for n in system.sizes[:1] if quick else system.sizes:
                announce(f"exponent of {name}, n = {n:,}")
                series = drawn(system.make, n, N_SEEDS // fewer)
                found = [result.estimate for result in each(lyapunov, series, step=system.step)]
                errors = np.array(found) / system.exponent - 1
                asked = f"within {system.tolerance:.0%} of {system.exponent:.3f}"
                is_near = np.abs(errors) <= system.tolerance
                yield line(name, n, asked, is_near, LEAST) | spread(found)

    def table(self, rows):
        """One line per kind or system, and length."""
        table = Table("series", "asked", title=self.title)
        headings = "rows", "runs", "share", "low", "high", "least", "met", "median", "from", "to"
        for heading in headings:
            table.add_column(heading, justify="right")
        for row in rows:
            table.add_row(*(row[heading] for heading in ("series", "asked", *headings)))
        return table


def drawn(make, n, runs):
    """Independent series of one kind."""
    return [make(n, SEED + run) for run in range(runs)]


def each(function, series, **settings):
    """What a function says of each series."""
    return Parallel(n_jobs=N_JOBS)(delayed(function)(y, **settings) for y in series)


def line(name, n, asked, answers, least):
    """The share of true answers with Wilson's interval, as cells; exponents have their own."""
    runs, true = len(answers), int(np.sum(answers))
    low, high = binomtest(true, runs).proportion_ci(method="wilson")
    return {
        "series": name,
        "asked": asked,
        "rows": str(n),
        "runs": str(runs),
        "share": f"{true / runs:.3f}",
        "low": f"{low:.3f}",
        "high": f"{high:.3f}",
        "least": "" if least is None else f"{least:g}",
        "met": "" if least is None else "yes" if true >= least * runs else "no",
    } | dict.fromkeys(("median", "from", "to"), "")


def spread(found):
    """Median and range of exponents, as cells."""
    figures = {"median": np.median(found), "from": np.min(found), "to": np.max(found)}
    return {name: f"{figure:.4f}" for name, figure in figures.items()}


# ---------------------------------------------------------------- speed
def timed(make):
    """Seconds of the report, and of the Hurst exponent in it."""

    def setup():
        y = np.asarray(make())
        return stopwatch(lambda: stochasticity(y)), stopwatch(lambda: hurst(y[-N_HURST:]))

    return setup


def two_years(make):
    """A setup of N_HOURS rows of one kind."""
    return timed(lambda: make(N_HOURS, SEED))


VERDICTS = StochasticitySuite()
SPEED = Suite(
    "Reports of 17,520 rows, one thread",
    [
        Case(name, f"Hurst exponent of {N_HURST:,} rows", setup, 10, unit="s", repeats=5)
        for name, setup in {
            "hourly irradiance": timed(lambda: load_solar()["ghi"]),
            "white noise": two_years(normal),
            "random walk": two_years(walk),
            "integrated walk": two_years(lambda n, seed: walk(n, seed).cumsum()),
            "Lorenz, x every 0.01": two_years(lorenz(0)),
        }.items()
    ],
    ("statsmodels",),
)
