"""Hurst exponents: bias, spread and coverage on exact noise of known H; speed."""

import numpy as np
from rich.table import Table
from scipy.linalg import solve_toeplitz

from narxkit.diagnostics import hurst, make_fgn
from narxkit.diagnostics._hurst import scaling
from narxkit.diagnostics.fgn import autocovariance
from narxkit.diagnostics.hurst_exponent import METHODS

from .harness import Case, stopwatch
from .report import Suite

SIZES = 256, 1024, 4096
HURSTS = 0.2, 0.5, 0.8
RUNS, QUICK_RUNS = 2500, 100
SEED = 1_000_000  # far from the seeds of the simulated laws
LIMITS = 0.93, 0.97  # of a coverage
FIGURES = "bias", "spread", "spread / bound", "stderr", "coverage"
VARIANTS = {name: {} for name in METHODS} | {"dfa, order 2": {"order": 2}}
MILLION = 10**6


class CoverageSuite:
    """Every method at every length and H, with the verbs of `report.Suite`.

    The bound is that of Cramer and Rao for an unknown mean, from the exact information.
    """

    title = "Hurst exponents of exact fractional Gaussian noise, 95 % intervals"
    packages = ()

    def rows(self, quick, announce):
        """One dict per length, H and method."""
        for n in SIZES[:1] if quick else SIZES:
            for exponent in HURSTS:
                seed, bound = SEED + 10 * n + int(10 * exponent), cramer_rao(n, exponent)
                series = make_fgn(n, exponent, n_series=RUNS, random_state=seed)
                for name, options in VARIANTS.items():
                    announce(f"{name}, n = {n}, H = {exponent}")
                    runs = QUICK_RUNS if quick else RUNS
                    method = name.partition(",")[0]
                    results = [hurst(x, method, **options) for x in series[:runs]]
                    label = {"method": name, "n": str(n), "H": str(exponent), "runs": str(runs)}
                    yield label | line(results, exponent, bound)

    def table(self, rows):
        """One line per length, H and method."""
        table = Table("method", title=self.title)
        for heading in ("n", "H", *FIGURES, "met"):
            table.add_column(heading, justify="right")
        for row in rows:
            table.add_row(*(row[name] for name in ("method", "n", "H", *FIGURES, "met")))
        return table


def line(results, exponent, bound):
    """The figures of many results of one kind as cells; met where the coverage is in its limits."""
    estimates, errors = (np.array([getattr(r, k) for r in results]) for k in ("estimate", "stderr"))
    low, high = np.array([r.confidence_interval for r in results]).T
    spread, coverage = estimates.std(), np.mean((low <= exponent) & (exponent <= high))
    return {
        "bias": f"{estimates.mean() - exponent:.4f}",
        "spread": f"{spread:.4f}",
        "spread / bound": f"{spread / bound:.3f}",
        "stderr": f"{np.median(errors):.4f}",
        "coverage": f"{coverage:.4f}",
        "met": "yes" if LIMITS[0] <= coverage <= LIMITS[1] else "no",
    }


def cramer_rao(n, exponent, step=1e-5):
    """Least standard deviation of an unbiased H where mean and variance are unknown.

    1 / s^2 = tr(P D P D) / 2 - tr(P D)^2 / (2 n - 2), with D = dG / dH and P the inverse of G on
    contrasts, by columns of P D.
    """
    lags = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    up, down = (autocovariance(n - 1, exponent + h) for h in (step, -step))
    D = ((up - down) / (2 * step))[lags]
    gamma = autocovariance(n - 1, exponent)
    weight = solve_toeplitz(gamma, np.ones(n))
    PD = np.linalg.solve(gamma[lags], D) - np.outer(weight, weight @ D) / weight.sum()
    return 1.0 / np.sqrt(np.sum(PD * PD.T) / 2 - np.trace(PD) ** 2 / (2 * n - 2))


# ---------------------------------------------------------------- speed
def numpy_fluctuations(x, scales, order):
    """F(s) of DFA by one product of matrices for each scale."""
    path, answers = np.cumsum(x - x.mean()), []
    for s in scales:
        boxes = path[: len(path) // s * s].reshape(-1, s)
        boxes = boxes - boxes[:, :1]
        basis = scaling.polynomials(s, order)
        rest = boxes - (boxes @ basis.T) @ basis
        answers.append(np.sqrt(np.mean(rest**2)))
    return np.array(answers)


def numpy_ranges(x, scales):
    """R/S by one table of boxes for each scale."""
    answers = []
    for s in scales:
        boxes = x[: len(x) // s * s].reshape(-1, s)
        boxes = boxes - boxes.mean(axis=1, keepdims=True)
        path = np.cumsum(boxes, axis=1)
        spans = np.maximum(path.max(axis=1), 0.0) - np.minimum(path.min(axis=1), 0.0)
        answers.append(np.mean(spans / boxes.std(axis=1)))
    return np.array(answers)


def fluctuations():
    """Seconds of ``hurst(x, "dfa")``, and of its fluctuations by NumPy."""
    x = make_fgn(MILLION, 0.7, random_state=0)
    scales = scaling.box_sizes("dfa", len(x))
    ours = hurst(x, "dfa").fluctuations
    np.testing.assert_allclose(ours, numpy_fluctuations(x, scales, 1), rtol=1e-8)
    return (
        stopwatch(lambda: hurst(x, "dfa")),
        stopwatch(lambda: numpy_fluctuations(x, scales, 1)),
    )


def ranges():
    """Seconds of ``hurst(x, "rs")``, and of its ranges by NumPy."""
    x = make_fgn(MILLION, 0.7, random_state=0)
    scales = scaling.box_sizes("rs", len(x))
    expected = np.array([scaling.expected_range(s) for s in scales])
    ours = hurst(x, "rs").fluctuations * expected / np.sqrt(scales)
    np.testing.assert_allclose(ours, numpy_ranges(x, scales), rtol=1e-8)
    return stopwatch(lambda: hurst(x, "rs")), stopwatch(lambda: numpy_ranges(x, scales))


def likelihood(n=10_000):
    """Seconds of ``hurst(x)``, and of one of its likelihoods by SciPy, without the determinant."""
    x = make_fgn(n, 0.7, random_state=0)
    gamma, right = autocovariance(n - 1, 0.7), np.c_[x, np.ones(n)]
    return stopwatch(lambda: hurst(x)), stopwatch(lambda: solve_toeplitz(gamma, right))


def whittle():
    """Seconds of ``hurst(x)`` above the exact likelihood's limit, and of one Fourier transform."""
    x = make_fgn(MILLION, 0.7, random_state=0)
    return stopwatch(lambda: hurst(x)), stopwatch(lambda: np.fft.rfft(x))


COVERAGE = CoverageSuite()
SPEED = Suite(
    "Hurst exponents, one thread",
    [
        Case("DFA of 1,000,000 rows", "NumPy, scale by scale", fluctuations, 300, repeats=7),
        Case("R/S of 1,000,000 rows", "NumPy, scale by scale", ranges, 300, repeats=7),
        Case(
            "likelihood of 10,000 rows, maximised",
            "SciPy's solve_toeplitz, once",
            likelihood,
            1500,
            repeats=5,
        ),
        Case("Whittle's of 1,000,000 rows, maximised", "one transform", whittle, repeats=3),
    ],
)
