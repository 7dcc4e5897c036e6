"""Speed: DFA and R/S over the same boxes as nolds, on 100,000 rows."""

from functools import partial

import numpy as np

from narxkit.diagnostics import hurst, make_fgn

from ..harness import Case, stopwatch
from ..report import Suite

ROWS = 100_000
EXPONENT = 0.7


def series():
    return make_fgn(ROWS, EXPONENT, random_state=0)


def beside_dfa():
    """Seconds of both; nolds averages the roots of the boxes, so its slope is only near."""
    import nolds

    x = series()
    result = hurst(x, "dfa")

    def theirs():
        return nolds.dfa(x, nvals=result.scales, overlap=False, order=1, fit_exp="poly")

    np.testing.assert_allclose(theirs(), slope(result), atol=0.02)
    return stopwatch(partial(hurst, x, "dfa")), stopwatch(theirs)


def beside_rescaled_range():
    """Seconds of both; nolds divides by the same expectation, above 340 rows by its limit."""
    x = series()
    result, theirs = hurst(x, "rs"), rescaled_range_of_nolds(x)
    np.testing.assert_allclose(theirs(), slope(result), atol=1e-3)
    return stopwatch(partial(hurst, x, "rs")), stopwatch(theirs)


def beside_one_sum():
    """Seconds of a single sum over the rows, with which every R/S begins, and of nolds."""
    x = series()
    return stopwatch(partial(np.cumsum, x)), stopwatch(rescaled_range_of_nolds(x))


def rescaled_range_of_nolds(x):
    """Its slope, over our boxes."""
    import nolds

    scales = hurst(x, "rs").scales
    return partial(nolds.hurst_rs, x, nvals=scales, fit="poly", corrected=True, unbiased=False)


def slope(result):
    """Of the line through the fluctuations, before its bias is taken away."""
    return np.polyfit(np.log(result.scales), np.log(result.fluctuations), 1)[0]


SUITE = Suite(
    "Hurst exponents beside nolds, one thread",
    [
        Case(name, "nolds", setup, target, "speed-up", repeats=5, needs="nolds")
        for name, setup, target in [
            (f"DFA of {ROWS:,} rows", beside_dfa, 100),
            (f"R/S of {ROWS:,} rows", beside_rescaled_range, 100),
            (f"numpy.cumsum of {ROWS:,} rows beside R/S", beside_one_sum, None),
        ]
    ],
    ("nolds",),
)
