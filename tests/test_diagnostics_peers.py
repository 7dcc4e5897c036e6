"""The diagnostics beside other packages, where definitions agree; each is left out if missing."""

import numpy as np
import pytest

from narxkit.diagnostics import hurst, make_fgn, permutation_entropy, spectral_entropy


@pytest.fixture
def x():
    return make_fgn(2001, 0.7, random_state=0)


def slope(result):
    """Return the slope of the line through the fluctuations, before its bias is removed."""
    return np.polyfit(np.log(result.scales), np.log(result.fluctuations), 1)[0]


def test_rescaled_range_is_that_of_nolds(x):
    nolds = pytest.importorskip("nolds")
    result = hurst(x, "rs")
    options = {"fit": "poly", "corrected": True, "unbiased": False}
    theirs = nolds.hurst_rs(x, nvals=result.scales, **options)
    assert slope(result) == pytest.approx(theirs, abs=0.002)


def test_fluctuations_are_those_of_nolds(x):
    nolds = pytest.importorskip("nolds")
    result = hurst(x, "dfa")
    options = {"overlap": False, "order": 1, "fit_exp": "poly", "debug_data": True}
    _, (log_scales, theirs, _) = nolds.dfa(x, nvals=result.scales, **options)
    np.testing.assert_allclose(np.exp(log_scales), result.scales, rtol=1e-12)
    # theirs is the mean of the boxes' roots, ours the root of their mean square
    np.testing.assert_array_less(theirs, np.log(result.fluctuations) + 1e-12)
    assert slope(result) == pytest.approx(np.polyfit(log_scales, theirs, 1)[0], abs=0.02)


@pytest.mark.parametrize(("order", "delay"), [(3, 1), (4, 2), (5, 3)])
def test_permutation_entropy_is_that_of_antropy_and_neurokit(x, order, delay):
    antropy = pytest.importorskip("antropy")
    theirs = antropy.perm_entropy(x, order=order, delay=delay, normalize=True)
    assert permutation_entropy(x, order, delay) == pytest.approx(theirs, rel=1e-12)
    neurokit = pytest.importorskip("neurokit2")
    theirs, _ = neurokit.entropy_permutation(x, delay=delay, dimension=order, corrected=True)
    assert permutation_entropy(x, order, delay) == pytest.approx(theirs, rel=1e-12)


def test_spectral_entropy_is_that_of_antropy(x):
    antropy = pytest.importorskip("antropy")
    theirs = antropy.spectral_entropy(x, sf=1, method="fft", normalize=False)
    n_frequencies = len(x) // 2
    assert spectral_entropy(x) == pytest.approx(theirs / np.log2(n_frequencies), rel=1e-12)
