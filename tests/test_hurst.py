"""Hurst exponents: twins of the kernels, exact noise, published bands, coverage, sentences."""

from math import gamma

import numpy as np
import pytest
from scipy import stats
from scipy.fft import next_fast_len

from narxkit import _fractal
from narxkit.diagnostics import fgn, hurst, make_fbm, make_fgn, rolling_hurst
from narxkit.diagnostics._hurst import likelihood, scaling, simulated, wavelet
from narxkit.diagnostics._hurst.methods import METHODS
from narxkit.diagnostics._hurst.simulated_law import ENDS, simulated_law
from reference import detrended_variance, fgn_covariance, rescaled_range, restricted_surprise

EXPONENTS = 0.05, 0.2, 0.5, 0.8, 0.95


class Unit(np.random.RandomState):
    """Draws unit vectors in place of noise, so that what comes out is the matrix of the draw."""

    def standard_normal(self, size):
        assert size[0] == size[1]
        return np.eye(size[0])


# ---------------------------------------------------------------- noise
@pytest.mark.parametrize("exponent", EXPONENTS)
@pytest.mark.parametrize("n", [1, 2, 31, 32])
def test_noise_has_exactly_its_covariance(n, exponent):
    L = make_fgn(n, exponent, n_series=2 * next_fast_len(n, real=True), random_state=Unit())
    np.testing.assert_allclose(L.T @ L, fgn_covariance(n, exponent), atol=1e-12)


def test_eigenvalues_are_positive_for_long_series():
    for exponent in (0.01, *EXPONENTS, 0.99):
        row = fgn.autocovariance(2**18, exponent)
        eigenvalues = np.fft.rfft(np.r_[row, row[-2:0:-1]]).real
        assert eigenvalues.min() > -1e-9 * eigenvalues.max()


@pytest.mark.parametrize("exponent", EXPONENTS)
def test_autocovariance_is_sharp_at_long_lags(exponent):
    k = 10**6
    series = 1 + (2 * exponent - 2) * (2 * exponent - 3) / 12 / k**2
    expected = exponent * (2 * exponent - 1) * float(k) ** (2 * exponent - 2) * series
    assert fgn.autocovariance(k, exponent)[k] == pytest.approx(expected, rel=1e-8, abs=1e-18)


@pytest.mark.parametrize("exponent", [0.2, 0.5, 0.8])
def test_spectral_density_is_the_transform_of_the_autocovariance(exponent):
    u = np.linspace(0.0, 1.0, 20_001)[1:]  # frequencies crowd at 0, where f may be infinite
    frequencies = np.pi * u**6
    f = fgn.spectral_density(frequencies, exponent) * u**5
    moments = [np.trapezoid(f * np.cos(k * frequencies), u) for k in range(5)]
    expected = fgn.autocovariance(4, exponent)
    np.testing.assert_allclose(np.array(moments) / moments[0], expected, atol=1e-5)


def test_draws_repeat_by_seed_and_sum_to_motion():
    x = make_fgn(100, 0.3, n_series=2, random_state=1)
    assert x.shape == (2, 100)
    np.testing.assert_array_equal(x, make_fgn(100, 0.3, n_series=2, random_state=1))
    np.testing.assert_array_equal(x.cumsum(axis=1), make_fbm(100, 0.3, n_series=2, random_state=1))


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ((0, 0.5), "n must be an int >= 1. Got 0 instead."),
        ((10.0, 0.5), "n must be an int >= 1. Got 10.0 instead."),
        ((10, 1.0), "hurst must be a number between 0 and 1. Got 1.0 instead."),
        ((10, "0.5"), "hurst must be a number between 0 and 1. Got '0.5' instead."),
        ((10, np.nan), "hurst must be a number between 0 and 1. Got nan instead."),
    ],
)
def test_wrong_arguments_of_noise(arguments, sentence):
    for make in (make_fgn, make_fbm):
        with pytest.raises(ValueError) as error:
            make(*arguments)
        assert str(error.value) == sentence
    with pytest.raises(ValueError, match="n_series must be an int >= 1. Got -1 instead."):
        make_fgn(10, 0.5, n_series=-1)


# ---------------------------------------------------------------- kernels and their twins
@pytest.mark.parametrize("exponent", EXPONENTS)
@pytest.mark.parametrize("n", [2, 3, 9, 10, 17, 100])
def test_forms_are_those_of_the_dense_inverse(n, exponent):
    x, forms = np.random.default_rng(n).normal(size=n), np.empty(4)
    _fractal.toeplitz_forms(x, fgn.autocovariance(n, exponent), np.empty((2, n)), forms)
    G, one = fgn_covariance(n, exponent), np.ones(n)
    solved = np.linalg.solve(G, np.c_[x, one])
    expected = [x @ solved[:, 0], one @ solved[:, 0], one @ solved[:, 1], np.linalg.slogdet(G)[1]]
    np.testing.assert_allclose(forms, expected, rtol=1e-9, atol=1e-9)


def test_the_likelihood_is_that_of_contrasts():
    x = 5 + 3 * make_fgn(60, 0.7, random_state=0)
    surprise = likelihood.exact(x)
    differences = [surprise(h) - restricted_surprise(x, h) for h in EXPONENTS]
    np.testing.assert_allclose(differences, differences[0], atol=1e-8)


@pytest.mark.parametrize("n, s", [(100, 10), (100, 33), (64, 64), (5000, 1250)])
def test_boxes_are_those_of_the_twins(n, s):
    x = make_fgn(n, 0.7, random_state=n)
    path = np.cumsum(x)
    found = _fractal.rescaled_range(x, np.r_[0.0, path], s)
    assert found == pytest.approx(rescaled_range(x, s), rel=1e-10)
    for order in (1, 2, 3):
        basis, box = scaling.polynomials(s, order), np.empty(s)
        np.testing.assert_allclose(basis @ basis.T, np.eye(order + 1), atol=1e-12)
        found = _fractal.detrended_variance(path, basis, box)
        assert found == pytest.approx(detrended_variance(path, s, order), rel=1e-8)


def test_constant_boxes_are_left_out_of_the_range():
    x = np.r_[np.zeros(20), make_fgn(20, 0.5, random_state=0)]
    path = np.r_[0.0, np.cumsum(x)]
    assert _fractal.rescaled_range(x, path, 20) == pytest.approx(rescaled_range(x[20:], 20))
    assert np.isnan(_fractal.rescaled_range(np.zeros(20), np.zeros(21), 10))


def test_kernels_read_read_only_arrays():
    x = make_fgn(64, 0.5, random_state=0)
    x.setflags(write=False)
    assert hurst(x).n == 64


# ---------------------------------------------------------------- known values
def test_expected_range_is_that_of_anis_and_lloyd():
    s = 50
    i = np.arange(1, s)
    exact = gamma((s - 1) / 2) / (np.sqrt(np.pi) * gamma(s / 2)) * np.sqrt((s - i) / i).sum()
    assert scaling.expected_range(s) == pytest.approx(exact * (s - 0.5) / s)
    x = make_fgn(s * 4000, 0.5, random_state=0)
    seen = rescaled_range(x, s)
    assert seen == pytest.approx(exact, rel=0.01)


@pytest.mark.parametrize("n", [1024, 4096])
def test_bands_on_white_noise_are_those_of_weron(n):
    """Boxes are powers of two: from 64 to n / 2 of R/S, from 16 to n / 2 and to n / 4 of DFA.

    Weron's second band of DFA is printed for boxes above 50, though it is narrower than that for
    boxes above 10: fewer boxes cannot know more. Boxes from 16 to n / 4 have it.
    """
    M, sizes, runs = np.log2(n), 2 ** np.arange(4, int(np.log2(n))), 1000
    log_M = np.log(M)
    published = {
        "rs": (np.exp(-7.33 * np.log(log_M) + 4.21), np.exp(-7.20 * np.log(log_M) + 4.04)),
        "dfa to n / 2": (np.exp(-2.33 * log_M + 3.25), np.exp(-2.46 * log_M + 3.38)),
        "dfa to n / 4": (np.exp(-2.93 * log_M + 4.45), np.exp(-3.10 * log_M + 4.77)),
    }
    slopes = {name: [] for name in published}
    for x in make_fgn(n, 0.5, n_series=runs, random_state=0):
        F = scaling.rescaled_ranges(x, sizes[2:])
        slopes["rs"].append(scaling.line(sizes[2:], F)[0])
        F = scaling.detrended_fluctuations(x, sizes, 1)
        slopes["dfa to n / 2"].append(scaling.line(sizes, F)[0])
        slopes["dfa to n / 4"].append(scaling.line(sizes[:-1], F[:-1])[0])
    for name, (below, above) in published.items():
        low, high = np.quantile(slopes[name], [0.025, 0.975])
        assert high - low == pytest.approx(below + above, rel=0.12)
        assert 0.5 - low == pytest.approx(below, rel=0.2)
        assert high - 0.5 == pytest.approx(above, rel=0.2)


@pytest.mark.parametrize("exponent, published", [(0.5, 0.0194), (0.8, 0.0205)])
def test_the_standard_error_is_near_the_cramer_rao_bound(exponent, published):
    """The published bound knows the mean: without it 2 to 4 % are lost at 1,024 rows."""
    errors = likelihood.fisher_errors(1024)
    assert np.interp(exponent, likelihood.GRID, errors) == pytest.approx(published, rel=0.05)


@pytest.mark.parametrize("exponent", [0.2, 0.5, 0.8])
def test_fishers_information_is_near_the_exact_one(exponent):
    n, h, one = 256, 1e-5, np.ones(256)
    G = fgn_covariance(n, exponent)
    D = (fgn_covariance(n, exponent + h) - fgn_covariance(n, exponent - h)) / (2 * h)
    weight = np.linalg.solve(G, one)
    P = np.linalg.inv(G) - np.outer(weight, weight) / weight.sum()
    exact = 1 / np.sqrt(np.trace(P @ D @ P @ D) / 2 - np.trace(P @ D) ** 2 / (2 * n - 2))
    found = np.interp(exponent, likelihood.GRID, likelihood.fisher_errors(n))
    assert found == pytest.approx(exact, rel=0.02)


def test_exact_and_whittle_agree_where_they_meet(monkeypatch):
    x = make_fgn(4000, 0.7, random_state=0)
    exact = hurst(x)
    monkeypatch.setattr(likelihood, "EXACT", 1000)
    whittle = hurst(x)
    assert abs(exact.estimate - whittle.estimate) < 0.1 * exact.stderr
    assert "Whittle's approximation" in whittle.notes[0]
    assert not exact.notes


def test_fishers_information_grows_like_n():
    n = likelihood.ENOUGH
    np.testing.assert_allclose(likelihood.fisher_errors(4 * n), likelihood.fisher_errors(n) / 2)


def test_the_spread_of_local_whittle_knows_how_few_frequencies_there_are():
    n = 512
    r = np.log(np.arange(1, int(n**0.6) + 1))
    expected = 0.5 / np.sqrt(len(r) * r.var()) * (1 + 2 / len(r))
    result = hurst(make_fgn(n, 0.5, random_state=0), "local_whittle")
    assert result.stderr == pytest.approx(expected)


@pytest.mark.parametrize("name", simulated.MEANS)
def test_laws_are_those_of_the_table_and_go_on_beyond_it(name):
    *_, before, last = simulated.SIZES
    means, stds = np.array(simulated.MEANS[name]), np.array(simulated.STDS[name])
    law = simulated_law(name, 1024)
    row = simulated.SIZES.index(1024)
    np.testing.assert_allclose(law.mean[1:-1], means[row])
    np.testing.assert_allclose(law.std[1:-1], stds[row])
    beyond = simulated_law(name, last**2 / before)
    np.testing.assert_allclose(beyond.mean[1:-1], 2 * means[-1] - means[-2])
    np.testing.assert_allclose(beyond.std[1:-1], stds[-1] ** 2 / stds[-2])
    (low, high), steps = ENDS, np.diff(law.mean)
    assert (law.grid[0], law.grid[-1]) == (low, high)
    assert steps[0] / (0.05 - low) == pytest.approx(steps[1] / 0.15)
    assert steps[-1] / (high - 0.95) == pytest.approx(steps[-2] / 0.15)


def test_longer_series_than_were_simulated_are_told():
    x = make_fgn(simulated.SIZES[-1] + 1, 0.5, random_state=0)
    note = "above 262,144 rows the spread is extrapolated from that of shorter series"
    assert note in hurst(x, "wavelet").notes and note in hurst(x, "rs").notes
    assert not hurst(x[1:], "wavelet").notes


def test_the_wavelet_is_orthonormal_and_blind_to_a_straight_line():
    assert wavelet.SCALING @ wavelet.SCALING == pytest.approx(1.0)
    assert wavelet.SCALING[:2] @ wavelet.SCALING[2:] == pytest.approx(0.0, abs=1e-15)
    for power in (0, 1):
        assert wavelet.WAVELET @ np.arange(4.0) ** power == pytest.approx(0.0, abs=1e-12)
    x = make_fgn(512, 0.6, random_state=0)
    trend = 0.1 * np.arange(512)
    bent, plain = (hurst(v, method="wavelet").estimate for v in (x + trend, x))
    assert bent == pytest.approx(plain, abs=1e-6)


def test_dfa_of_order_two_is_blind_to_a_straight_line():
    x = make_fgn(512, 0.6, random_state=0)
    bent = hurst(x + 0.1 * np.arange(512), method="dfa", order=2)
    assert bent.estimate == pytest.approx(hurst(x, method="dfa", order=2).estimate, abs=1e-6)


# ---------------------------------------------------------------- what an interval is worth
RUNS = 300


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("exponent", [0.2, 0.5, 0.8])
def test_intervals_cover_and_estimates_hit(method, exponent):
    """Of 300 intervals as many hold the truth as with a chance of 93 to 97 %."""
    n = 512
    series = make_fgn(n, exponent, n_series=RUNS, random_state=int(exponent * 1000) + 7)
    results = [hurst(x, method) for x in series]
    estimates = np.array([r.estimate for r in results])
    assert is_covering(results, exponent)
    assert abs(estimates.mean() - exponent) < (0.01 if method == "ml" else 0.05)
    assert np.std(estimates) == pytest.approx(np.median([r.stderr for r in results]), rel=0.2)


def is_covering(results, exponent):
    """Tell whether as many intervals hold the truth as with a chance of 93 to 97 %."""
    covered = sum(r.confidence_interval[0] <= exponent <= r.confidence_interval[1] for r in results)
    least, most = stats.binom.ppf([5e-4, 1 - 5e-4], len(results), [0.93, 0.97])
    return least <= covered <= most


@pytest.mark.parametrize("method", ["gph", "local_whittle"])
@pytest.mark.parametrize("n, season", [(720, 24), (720, 168), (2400, 24), (2400, 168)])
def test_spectra_leave_out_what_a_season_emptied(n, season, method):
    for exponent in (0.5, 0.8):
        series = make_fgn(n, exponent, n_series=200, random_state=n + season)
        assert is_covering([hurst(x, method, season=season) for x in series], exponent)


@pytest.mark.parametrize("method", ["gph", "local_whittle"])
@pytest.mark.parametrize("n, season", [(720, 24), (720, 168), (2401, 168)])
def test_frequencies_within_a_row_of_the_season_are_left_out(n, season, method):
    result = hurst(make_fgn(n, 0.5, random_state=0), method, season=season)
    lowest = np.arange(1, int(n**0.6) + 1)
    turns = lowest * season / n
    is_beside = np.abs(turns - turns.round()) < season / n * (1 - 1e-9)
    assert 0 < is_beside.sum() < len(lowest) / 2
    np.testing.assert_allclose(n / result.scales, lowest[~is_beside])


@pytest.mark.parametrize("method", METHODS)
def test_intervals_are_wide_enough_for_the_rows_that_means_of_a_season_take(method):
    n, exponent = 512, 0.5
    series = make_fgn(n, exponent, n_series=RUNS, random_state=11)
    assert is_covering([hurst(x, method, season=n // 2) for x in series], exponent)


def test_windows_lose_no_more_rows_to_a_season_than_the_whole_series():
    x = make_fgn(2400, 0.5, random_state=0)
    whole = rolling_hurst(x, 100, step=100, season=24, method="ml").windows["stderr"].iloc[0]
    narrow = np.interp(0.5, likelihood.GRID, likelihood.fisher_errors(100))
    assert whole == pytest.approx(narrow * np.sqrt(2400 / (2400 - 24)), rel=0.05)
    assert whole < narrow * np.sqrt(100 / (100 - 24)) * 0.95


def test_the_likelihood_is_the_sharpest():
    errors = {name: hurst(make_fgn(1024, 0.5, random_state=0), name).stderr for name in METHODS}
    assert min(errors, key=errors.get) == "ml"
    assert errors["dfa"] > 2 * errors["ml"]


def test_the_pvalue_is_below_five_percent_where_the_interval_leaves_one_half_out():
    for seed in range(20):
        x = make_fgn(256, 0.55, random_state=seed)
        for name in METHODS:
            r = hurst(x, name)
            low, high = r.confidence_interval
            assert (r.pvalue < 0.05) == (not low <= 0.5 <= high), (seed, name)
