"""Tests of residuals: how often they reject white residuals, and how often others.

White residuals are rejected 5 times in 100 by a test of that size, whatever their distribution and
their input. The others are of a model that has missed something; what was missed makes up 4 % of
their variance, or changes their strength.
"""

import numpy as np
from rich.table import Table

from narxkit.diagnostics import validate_residuals

N_ROWS = 500
N_SHUFFLES = 199
RUNS = {"size": 10_000, "power": 2_000}
QUICK = 20  # times fewer runs
NOMINAL, SLACK = 5.0, 1.0  # per cent
MISSED = np.sqrt(0.04 / 0.96)  # standard deviation, of noise with 1


def normal_noise(rng):
    """Normal residuals and a white input."""
    return rng.normal(size=(2, N_ROWS))


def heavy_tails(rng):
    """Student's t with 4 degrees of freedom, and an input with the memory of an AR(1) of 0.9."""
    return rng.standard_t(4, N_ROWS), autoregression(rng.normal(size=N_ROWS), 0.9)


def autoregressive(rng):
    """An AR(1) of 0.2."""
    e, u = rng.normal(size=(2, N_ROWS))
    return autoregression(e, 0.2), u


def missing_lag(rng):
    """The input of two rows before."""
    e, u = rng.normal(size=(2, N_ROWS))
    return e + MISSED * np.roll(u, 2), u


def missing_square(rng):
    """The square of the input of the row before."""
    e, u = rng.normal(size=(2, N_ROWS))
    return e + MISSED * (np.roll(u, 1) ** 2 - 1) / np.sqrt(2), u


def missing_product(rng):
    """The product of noise and input of the row before."""
    e, u = rng.normal(size=(2, N_ROWS))
    return e + MISSED * np.roll(e * u, 1), u


def strength_by_input(rng):
    """Noise whose variance is 0.8 + 0.2 times the square of the input."""
    e, u = rng.normal(size=(2, N_ROWS))
    return e * np.sqrt(0.8 + 0.2 * u**2), u


def strength_by_past(rng):
    """Noise whose variance is 0.8 + 0.2 times the square of the residual before: ARCH."""
    e, u = rng.normal(size=(2, N_ROWS))
    for t in range(1, N_ROWS):
        e[t] *= np.sqrt(0.8 + 0.2 * e[t - 1] ** 2)
    return e, u


def autoregression(noise, coefficient):
    """x_t = coefficient x_{t-1} + noise_t, from its own distribution on."""
    x = noise.copy()
    x[0] /= np.sqrt(1 - coefficient**2)
    for t in range(1, len(x)):
        x[t] += coefficient * x[t - 1]
    return x


CASES = {
    "white, normal": ("size", normal_noise),
    "white, Student's t(4); input AR(1) 0.9": ("size", heavy_tails),
    "AR(1) 0.2": ("power", autoregressive),
    "missing input": ("power", missing_lag),
    "missing square": ("power", missing_square),
    "missing product": ("power", missing_product),
    "strength by input": ("power", strength_by_input),
    "strength by past": ("power", strength_by_past),
}


class ValiditySuite:
    """Every kind of residuals before every test, with the verbs of `report.Suite`."""

    title = f"Rejections of {N_ROWS} residuals at 5 %, in per cent"
    packages = ("statsmodels",)

    def rows(self, quick, announce):
        """One dict per kind of residuals and test."""
        for name, (kind, make) in CASES.items():
            n_runs = RUNS[kind] // (QUICK if quick else 1)
            announce(f"{name}, {n_runs:,} runs")
            for test, share in rejections(make, n_runs).items():
                yield line(name, kind, n_runs, test, 100 * share)

    def table(self, rows):
        """One line per kind of residuals, one column per test."""
        tests = list(dict.fromkeys(row["test"] for row in rows))
        table = Table("residuals", "of", title=self.title)
        for test in tests:
            table.add_column(test, justify="right")
        for name, (kind, _) in CASES.items():
            cells = {row["test"]: row["rejected"] for row in rows if row["residuals"] == name}
            table.add_row(name, kind, *(cells[test] for test in tests))
        return table


def rejections(make, n_runs):
    """Share of runs in which each test, and the verdict over all of them, rejects."""
    rng, counts = np.random.default_rng(0), {}
    for run in range(n_runs):
        e, u = make(rng)
        result = validate_residuals(e, u[:, None], n_shuffles=N_SHUFFLES, random_state=run)
        pvalues = result.pvalues.to_dict() | {"normality": result.normality.pvalue}
        rejects = {test: p <= NOMINAL / 100 for test, p in pvalues.items()}
        for test, is_rejected in (rejects | {"verdict": bool(result.failures)}).items():
            counts[test] = counts.get(test, 0) + is_rejected
    return {test: count / n_runs for test, count in counts.items()}


def line(name, kind, n_runs, test, rejected):
    """A row of the file: a size is met within a per cent, a verdict's where it is no larger."""
    is_a_size = kind == "size" and not (test == "normality" and "normal" not in name)
    excess = rejected - NOMINAL
    is_met = excess <= SLACK if test == "verdict" else abs(excess) <= SLACK
    return {
        "residuals": name,
        "of": kind,
        "rows": N_ROWS,
        "runs": n_runs,
        "shuffles": N_SHUFFLES,
        "test": test,
        "rejected": f"{rejected:.2f}",
        "standard_error": f"{np.sqrt(max(rejected, 1e-9) * (100 - rejected) / n_runs):.2f}",
        "met": ("yes" if is_met else "no") if is_a_size else "",
    }


SUITE = ValiditySuite()
