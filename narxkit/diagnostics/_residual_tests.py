"""Tests of residuals: their p-values are told by the same residuals in random order."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

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
        What 95 of 100 series in random order keep within at all lags and columns.
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
    """The correlation tests and Ljung and Box's, of a line of residuals.

    `inputs` and `others`, the other outputs, are the names of its columns.
    """
    others = [f"output {name}" if name == "e" else name for name in others]
    squares = [name for name, varies in zip(inputs, line.has_square) if varies]
    columns = {"phi_ee": ["e", *others], "phi_ue": inputs, "phi_u2e": squares}
    columns |= {"phi_e(eu)": inputs, "phi_u2e2": squares, "phi_e2e2": ["e"]}
    found = line.correlations(line.e[None])
    shuffled = line.shuffled(n_shuffles, _generator(random_state))
    chance = [_largest(line, correlations) for correlations in shuffled]
    tests = {
        name: _test(name, found[name][0], columns[name], np.concatenate([c[name] for c in chance]))
        for name in FIRST_LAGS
        if name in found
    }
    Q, others = _ljung_box(line, found)[0], np.concatenate([c["Ljung-Box"] for c in chance])
    return tests, Portmanteau(float(Q), _share(others, Q), line.n_lags)


def _largest(line, correlations):
    """What the tests ask for: the largest correlation of each series, and Ljung and Box's Q."""
    largest = {name: np.abs(r).max(axis=(1, 2)) for name, r in correlations.items()}
    return largest | {"Ljung-Box": _ljung_box(line, correlations)}


def _test(name, correlations, columns, chance):
    first = FIRST_LAGS[name]
    lags = pd.RangeIndex(first, first + len(correlations), name="lag")
    frame = pd.DataFrame(correlations, lags, columns)
    band = np.sort(chance)[-int(SIZE * (len(chance) + 1))]
    return CorrelationTest(name, frame, float(band), _share(chance, np.abs(correlations).max()))


def _ljung_box(line, correlations):
    """Q = n (n + 2) sum over k of r_k^2 / (number of pairs k apart)."""
    n, n_pairs = len(line.e), line.n_pairs
    r = correlations["phi_ee"][..., 0]
    return n * (n + 2) * np.sum(r**2 / np.maximum(n_pairs, 1), axis=1)


def _share(chance, value):
    """Share of values at least as large, the value itself among them."""
    return (1 + int(np.sum(chance >= value * (1 - 1e-12)))) / (len(chance) + 1)


def judge_normality(e):
    """Anderson and Darling's test of standardised residuals."""
    from statsmodels.stats.diagnostic import normal_ad

    statistic, pvalue = normal_ad(e)
    return Normality(
        float(statistic), float(pvalue), float(np.mean(e**3)), float(np.mean(e**4) - 3)
    )


def _generator(random_state):
    """A new generator of numpy, from a seed, an old one or another new one."""
    if isinstance(random_state, np.random.RandomState):
        random_state = random_state.randint(2**31)
    try:
        return np.random.default_rng(random_state)
    except (TypeError, ValueError):
        raise ValueError(
            "random_state must be None, an int >= 0, or a RandomState or Generator of numpy. Got "
            f"{random_state!r} instead."
        ) from None
