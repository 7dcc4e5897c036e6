"""Tests of residuals, with p-values from the same residuals in random order."""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd

from .shuffles import in_random_order, with_memory, with_random_phases

SIZE = 0.05  # of each test, and of the verdict over all of them
FEWEST_SHUFFLES = 139  # with which the least p of seven tests can fail at SIZE / 7
FIRST_LAGS = {  # of the tests, in the order in which they are shown
    "phi_ee": 1,
    "phi_ue": 0,
    "phi_u2e": 0,
    "phi_e(eu)": 1,
    "phi_u2e2": 0,
    "phi_e2e2": 1,
}
OF_INPUTS = "phi_ue", "phi_u2e"  # that a right model passes in any loop


@dataclass(frozen=True, eq=False)
class CorrelationTest:
    """One test: correlations by lag, what chance keeps within, and a p-value for all of them.

    Parameters
    ----------
    name : str
        The test, such as "phi_ue".
    correlations : DataFrame of shape (n_lags, n_columns)
        Correlations; the index holds the lags, the columns are the inputs, or "e", the residuals
        themselves, and in phi_ee those of other outputs.
    band : float
        The bound that 95 of 100 series in random order keep within at all lags and columns.
    pvalue : float
        Share of series in random order with a correlation as large as the largest, at any lag and
        in any column.

    See Also
    --------
    validate : Makes them.

    Examples
    --------
    >>> import numpy as np
    >>> from narxkit.diagnostics import validate_residuals
    >>> test = validate_residuals(np.random.default_rng(0).normal(size=300)).tests["phi_ee"]
    >>> bool(test.correlations.abs().max().max() < test.band) is (test.pvalue > 0.05)
    True
    """

    name: str
    correlations: pd.DataFrame
    band: float
    pvalue: float

    @property
    def peak(self):
        """Column, lag and value of the largest correlation."""
        lag, column = self.correlations.abs().stack().idxmax()
        return column, int(lag), float(self.correlations.loc[lag, column])

    @property
    def excess(self):
        """The largest correlation, in bands."""
        return abs(self.peak[2]) / self.band


class Portmanteau(NamedTuple):
    """Ljung and Box's statistic, and the share of series in random order that reach it."""

    statistic: float
    pvalue: float
    n_lags: int


class Normality(NamedTuple):
    """Anderson and Darling's statistic of a normal distribution, and what differs from one."""

    statistic: float
    pvalue: float
    skewness: float
    excess_kurtosis: float


def run_tests(line, inputs, others, n_shuffles, random_state):
    """Run the correlation tests and Ljung and Box's on residuals one step ahead.

    `inputs` and `others`, the other outputs, are the names of its columns.
    """
    rng, columns = _generator(random_state), _columns(line, inputs, others)
    found = line.correlations(line.e[None])
    chance = _by_chance(line, n_shuffles, partial(in_random_order, rng=rng))
    tests = {
        name: _test(name, found[name][0], columns[name], chance[name])
        for name in FIRST_LAGS
        if name in found
    }
    Q = _ljung_box(line, found)[0]
    return tests, Portmanteau(float(Q), _share(chance["Ljung-Box"], Q), line.n_lags)


def run_tests_of_rollouts(line, inputs, others, n_shuffles, random_state, steps):
    """Run the tests that a right model passes `steps` ahead, or in a free run (infinite).

    Its errors are independent of the inputs, whatever their own memory; errors k steps ahead share
    noise over k - 1 rows, and know nothing of those k rows before and farther.
    """
    rng, columns = _generator(random_state), _columns(line, inputs, others)
    found = {name: r[0] for name, r in line.correlations(line.e[None]).items()}
    chance = _by_chance(line, n_shuffles, partial(with_random_phases, rng=rng))
    tests = {
        name: _test(name, found[name], columns[name], chance[name])
        for name in OF_INPUTS
        if name in found
    }
    if steps > line.n_lags:
        return tests
    near = found["phi_ee"][: steps - 1, 0]
    draw = partial(with_memory, rng=rng, autocorrelations=near)
    # beyond the steps ahead, errors that share no noise may not correlate; nearer lags are kept as
    # they are
    chance = _by_chance(line, n_shuffles, draw, first=steps)
    of_past = found["phi_ee"][steps - 1 :]
    return {"phi_ee": _test("phi_ee", of_past, columns["phi_ee"], chance["phi_ee"], steps)} | tests


def _columns(line, inputs, others):
    """Return the names of the columns of each test."""
    others = [f"output {name}" if name == "e" else name for name in others]
    squares = [name for name, varies in zip(inputs, line.has_square) if varies]
    columns = {"phi_ee": ["e", *others], "phi_ue": inputs, "phi_u2e": squares}
    return columns | {"phi_e(eu)": inputs, "phi_u2e2": squares, "phi_e2e2": ["e"]}


def _by_chance(line, n_series, draw, first=1):
    """Return each test's statistic in drawn residuals, phi_ee from its `first` lag on."""
    found = [_largest(line, r, first) for r in line.by_chance(n_series, draw)]
    return {name: np.concatenate([block[name] for block in found]) for name in found[0]}


def _largest(line, correlations, first):
    """Return the largest correlation of each series, and Ljung and Box's Q."""
    Q = _ljung_box(line, correlations)
    correlations = correlations | {"phi_ee": correlations["phi_ee"][:, first - 1 :]}
    return {name: np.abs(r).max(axis=(1, 2)) for name, r in correlations.items()} | {"Ljung-Box": Q}


def _test(name, correlations, columns, chance, first=None):
    first = FIRST_LAGS[name] if first is None else first
    lags = pd.RangeIndex(first, first + len(correlations), name="lag")
    frame = pd.DataFrame(correlations, lags, columns)
    # the largest over lags and columns: one band holds them all together
    band = np.sort(chance)[-int(SIZE * (len(chance) + 1))]
    return CorrelationTest(name, frame, float(band), _share(chance, np.abs(correlations).max()))


def _ljung_box(line, correlations):
    """Compute Q = n (n + 2) sum over k of r_k^2 / (number of pairs k apart)."""
    n, n_pairs = len(line.e), line.n_pairs
    r = correlations["phi_ee"][..., 0]
    return n * (n + 2) * np.sum(r**2 / np.maximum(n_pairs, 1), axis=1)


def _share(chance, value):
    """Return the share of values at least as large, the value itself among them."""
    return (1 + int(np.sum(chance >= value * (1 - 1e-12)))) / (len(chance) + 1)


def measure_normality(e):
    """Run Anderson and Darling's test on standardised residuals."""
    from statsmodels.stats.diagnostic import normal_ad

    statistic, pvalue = normal_ad(e)
    return Normality(
        float(statistic), float(pvalue), float(np.mean(e**3)), float(np.mean(e**4) - 3)
    )


def _generator(random_state):
    """Make a NumPy Generator from a seed, a RandomState or a Generator."""
    if isinstance(random_state, np.random.RandomState):
        random_state = random_state.randint(2**31)
    try:
        return np.random.default_rng(random_state)
    except (TypeError, ValueError):
        raise ValueError(
            "random_state must be None, an int >= 0, or a RandomState or Generator of numpy. Got "
            f"{random_state!r} instead."
        ) from None
