"""Hurst exponents: twins of the kernels, exact noise, published bands, coverage, sentences."""

from math import gamma

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.fft import next_fast_len

from narxkit import _fractal
from narxkit.diagnostics import (
    _likelihood,
    _scaling,
    _wavelet,
    fgn,
    hurst,
    make_fbm,
    make_fgn,
    rolling_hurst,
)
from narxkit.diagnostics.hurst_exponent import METHODS
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
    surprise = _likelihood.exact(x)
    differences = [surprise(h) - restricted_surprise(x, h) for h in EXPONENTS]
    np.testing.assert_allclose(differences, differences[0], atol=1e-8)


@pytest.mark.parametrize("n, s", [(100, 10), (100, 33), (64, 64), (5000, 1250)])
def test_boxes_are_those_of_the_twins(n, s):
    x = make_fgn(n, 0.7, random_state=n)
    path = np.cumsum(x)
    found = _fractal.rescaled_range(x, np.r_[0.0, path], s)
    assert found == pytest.approx(rescaled_range(x, s), rel=1e-10)
    for order in (1, 2, 3):
        basis, box = _scaling.polynomials(s, order), np.empty(s)
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
    assert _scaling.expected_range(s) == pytest.approx(exact * (s - 0.5) / s)
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
        F = _scaling.rescaled_ranges(x, sizes[2:])
        slopes["rs"].append(_scaling.line(sizes[2:], F)[0])
        F = _scaling.detrended_fluctuations(x, sizes, 1)
        slopes["dfa to n / 2"].append(_scaling.line(sizes, F)[0])
        slopes["dfa to n / 4"].append(_scaling.line(sizes[:-1], F[:-1])[0])
    for name, (below, above) in published.items():
        low, high = np.quantile(slopes[name], [0.025, 0.975])
        assert high - low == pytest.approx(below + above, rel=0.12)
        assert 0.5 - low == pytest.approx(below, rel=0.2)
        assert high - 0.5 == pytest.approx(above, rel=0.2)


@pytest.mark.parametrize("exponent, published", [(0.5, 0.0194), (0.8, 0.0205)])
def test_the_standard_error_is_near_the_cramer_rao_bound(exponent, published):
    """The published bound knows the mean: without it 2 to 4 % are lost at 1,024 rows."""
    errors = _likelihood.fisher_errors(1024)
    assert np.interp(exponent, _likelihood.GRID, errors) == pytest.approx(published, rel=0.05)


@pytest.mark.parametrize("exponent", [0.2, 0.5, 0.8])
def test_fishers_information_is_near_the_exact_one(exponent):
    n, h, one = 256, 1e-5, np.ones(256)
    G = fgn_covariance(n, exponent)
    D = (fgn_covariance(n, exponent + h) - fgn_covariance(n, exponent - h)) / (2 * h)
    weight = np.linalg.solve(G, one)
    P = np.linalg.inv(G) - np.outer(weight, weight) / weight.sum()
    exact = 1 / np.sqrt(np.trace(P @ D @ P @ D) / 2 - np.trace(P @ D) ** 2 / (2 * n - 2))
    found = np.interp(exponent, _likelihood.GRID, _likelihood.fisher_errors(n))
    assert found == pytest.approx(exact, rel=0.02)


def test_exact_and_whittle_agree_where_they_meet(monkeypatch):
    x = make_fgn(4000, 0.7, random_state=0)
    exact = hurst(x)
    monkeypatch.setattr(_likelihood, "EXACT", 1000)
    whittle = hurst(x)
    assert abs(exact.estimate - whittle.estimate) < 0.1 * exact.stderr
    assert "Whittle's approximation" in whittle.notes[0]
    assert not exact.notes


def test_the_wavelet_is_orthonormal_and_blind_to_a_straight_line():
    assert _wavelet.SCALING @ _wavelet.SCALING == pytest.approx(1.0)
    assert _wavelet.SCALING[:2] @ _wavelet.SCALING[2:] == pytest.approx(0.0, abs=1e-15)
    for power in (0, 1):
        assert _wavelet.WAVELET @ np.arange(4.0) ** power == pytest.approx(0.0, abs=1e-12)
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
    covered = sum(r.confidence_interval[0] <= exponent <= r.confidence_interval[1] for r in results)
    least, most = stats.binom.ppf(5e-4, RUNS, 0.93), stats.binom.ppf(1 - 5e-4, RUNS, 0.97)
    assert least <= covered <= most
    assert abs(estimates.mean() - exponent) < (0.01 if method == "ml" else 0.05)
    assert np.std(estimates) == pytest.approx(np.median([r.stderr for r in results]), rel=0.2)


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


# ---------------------------------------------------------------- results
def test_levels_are_judged_by_their_differences():
    x = make_fgn(600, 0.7, random_state=0)
    levels = hurst(np.r_[3.0, 3.0 + x.cumsum()], kind="levels")
    assert levels.estimate == pytest.approx(hurst(x).estimate, abs=1e-4)
    assert levels.n == 600


@pytest.mark.parametrize("method", METHODS)
def test_units_and_offsets_do_not_matter(method):
    x = make_fgn(400, 0.7, random_state=0)
    moved = hurst(1e6 * x + 1e7, method)
    assert moved.estimate == pytest.approx(hurst(x, method).estimate, abs=1e-4)


def test_a_wrong_kind_is_said():
    path = make_fbm(1000, 0.7, random_state=0)
    for method in METHODS:
        assert any("as that of levels" in note for note in hurst(path, method).notes), method
        result = hurst(np.diff(path), method, kind="levels")
        assert any("looks like increments already" in note for note in result.notes), method
    assert not hurst(path, kind="levels").notes


def test_a_season_is_taken_away_when_asked_and_told_when_not():
    x = make_fgn(960, 0.7, random_state=0)
    seasonal = x + 3 * np.sin(2 * np.pi * np.arange(960) / 24)
    told = hurst(seasonal)
    assert any("a cycle of 24 rows holds" in note for note in told.notes)
    freed = hurst(seasonal, season=24)
    assert freed.season == 24 and not freed.notes
    assert freed.estimate == pytest.approx(hurst(x, season=24).estimate, abs=1e-4)
    assert "means of a season of 24 rows taken away" in str(freed)
    assert not hurst(x).notes


def test_a_trend_is_told():
    x = make_fgn(500, 0.5, random_state=0) + 0.02 * np.arange(500)
    assert any("a straight trend holds" in note for note in hurst(x).notes)


def test_sentences_say_what_the_interval_says():
    sentences = [hurst(make_fgn(1000, h, random_state=1)).sentence for h in (0.2, 0.5, 0.8)]
    assert sentences[0].startswith("Anti-persistent: H = 0.")
    assert sentences[1].startswith("No long memory is seen: H = 0.")
    assert sentences[2].startswith("Persistent: H = 0.")


def test_results_are_frozen_and_readable():
    x = make_fgn(500, 0.6, random_state=0)
    for result in (hurst(x), hurst(x, "all"), rolling_hurst(x, 200)):
        with pytest.raises(AttributeError):
            result.method = "rs"
        assert repr(result).startswith(result.sentence)
        assert "<table>" in result._repr_html_()
    assert "detrended fluctuations of order 2" in str(hurst(x, "dfa", order=2))
    low, high = hurst(x, confidence=0.5).confidence_interval
    wide = hurst(x).confidence_interval
    assert wide[0] < low < high < wide[1]


@pytest.mark.parametrize("method", METHODS)
def test_scales_fluctuations_and_fit_go_together(method):
    result = hurst(make_fgn(1000, 0.7, random_state=0), method)
    assert len(result.scales) == len(result.fluctuations) == len(result.fitted) >= 5
    seen, fitted = np.log(result.fluctuations), np.log(result.fitted)
    assert abs(np.mean(seen - fitted)) < 0.5
    ax = result.plot()
    assert ax.get_xscale() == ax.get_yscale() == "log"
    assert f"H = {result.estimate:.2f}" in ax.texts[0].get_text()


def test_all_methods_make_one_table_and_one_plot():
    table = hurst(make_fgn(1000, 0.7, random_state=0), "all")
    frame = table.to_frame()
    assert list(frame.index) == list(METHODS)
    assert ((frame["low"] < frame["estimate"]) & (frame["estimate"] < frame["high"])).all()
    labels = [label.get_text() for label in table.plot().get_yticklabels()]
    assert labels == list(METHODS)[::-1]


def test_windows_keep_the_index_and_the_numbers():
    days = pd.date_range("2024-01-01", periods=500, name="day")
    x = pd.Series(make_fgn(500, 0.6, random_state=0), index=days)
    rolling = rolling_hurst(x, 200, step=100)
    windows = rolling.windows
    assert list(windows.index) == [days[199], days[299], days[399], days[499]]
    alone = hurst(x[100:300])
    assert windows["estimate"].iloc[1] == alone.estimate
    assert tuple(windows[["low", "high"]].iloc[1]) == alone.confidence_interval
    ax = rolling.plot()
    assert ax.get_xlabel() == "day" and len(ax.collections) == 1
    levels = rolling_hurst(x.cumsum(), 200, step=100, kind="levels").windows
    assert levels.index[0] == days[200]
    assert len(rolling_hurst(x.to_numpy(), 200).windows) == 16


def test_a_constant_window_is_missing():
    x = np.r_[make_fgn(200, 0.5, random_state=0), np.zeros(200), make_fgn(200, 0.5, random_state=1)]
    estimates = rolling_hurst(x, 200, step=200).windows["estimate"]
    assert list(estimates.isna()) == [False, True, False]


@pytest.mark.parametrize("periods", ["period", "zone", "numbers"])
def test_rolling_plots_draw_any_index(periods):
    index = {
        "period": pd.period_range("2020-01", periods=300, freq="M"),
        "zone": pd.date_range("2020-01-01", periods=300, tz="Europe/Zurich"),
        "numbers": pd.RangeIndex(300),
    }[periods]
    ax = rolling_hurst(pd.Series(make_fgn(300, 0.5, random_state=0), index), 100).plot()
    ax.figure.canvas.draw()
    assert ax.lines


# ---------------------------------------------------------------- sentences
LONG = make_fgn(300, 0.5, random_state=0)


@pytest.mark.parametrize(
    "x, options, sentence",
    [
        (LONG[:50], {}, "x has 50 rows, but at least 64 are needed: give a longer series."),
        (
            LONG[:100],
            {"method": "all"},
            "x has 100 rows, but at least 128 are needed: give a longer series.",
        ),
        (
            LONG[:64],
            {"kind": "levels"},
            "x has 64 rows, but at least 65 are needed: give a longer series.",
        ),
        (
            np.r_[LONG, np.nan],
            {},
            "x has 1 missing or infinite values, the first in row 300: fill or drop them, or give "
            "the longest stretch without them.",
        ),
        (np.full(100, 2.0), {}, "x is constant, at 2: there is nothing to judge."),
        (
            np.arange(100.0),
            {"kind": "levels"},
            "diff(x) is constant, at 1: there is nothing to judge.",
        ),
        (
            np.tile([1.0, 5.0, 2.0], 100),
            {"season": 3},
            "x is nothing but its season of 3 rows: there is nothing to judge without it.",
        ),
        (
            LONG,
            {"season": 200},
            "x has 300 rows, but at least 400 are needed: give a longer series.",
        ),
        (LONG, {"season": 1}, "season must be None or an int >= 2, in rows. Got 1 instead."),
        (
            LONG,
            {"method": "hurst"},
            "method must be one of 'ml', 'rs', 'dfa', 'gph', 'local_whittle', 'wavelet', 'all'. "
            "Got 'hurst' instead.",
        ),
        (LONG, {"kind": "x"}, "kind must be one of 'increments', 'levels'. Got 'x' instead."),
        (LONG, {"order": 4}, "order must be one of 1, 2, 3. Got 4 instead."),
        (LONG, {"order": True}, "order must be one of 1, 2, 3. Got True instead."),
        (LONG, {"confidence": 95}, "confidence must be a number between 0 and 1. Got 95 instead."),
    ],
)
def test_what_cannot_be_judged_is_said(x, options, sentence):
    with pytest.raises(ValueError) as error:
        hurst(x, **options)
    assert str(error.value) == sentence


@pytest.mark.parametrize(
    "window, options, sentence",
    [
        (50, {}, "window must be an int >= 64, in rows, for 'ml'. Got 50 instead."),
        (
            100,
            {"method": "rs"},
            "window must be an int >= 128, in rows, for 'rs'. Got 100 instead.",
        ),
        (100.0, {}, "window must be an int >= 64, in rows, for 'ml'. Got 100.0 instead."),
        (100, {"step": 0}, "step must be None or an int >= 1. Got 0 instead."),
        (
            100,
            {"method": "all"},
            "method must be one of 'ml', 'rs', 'dfa', 'gph', 'local_whittle', 'wavelet'. Got 'all' "
            "instead.",
        ),
        (
            400,
            {},
            "x has 300 increments, fewer than a window of 400: give a longer series or a smaller "
            "window.",
        ),
    ],
)
def test_windows_that_cannot_be_are_told(window, options, sentence):
    with pytest.raises(ValueError) as error:
        rolling_hurst(LONG, window, **options)
    assert str(error.value) == sentence


def test_windows_without_an_exponent_are_not_counted():
    x = np.random.default_rng(0).normal(size=400)
    x[100:260] = 0.0
    windows = rolling_hurst(x, 100).windows["estimate"]
    assert windows.isna().any()
    assert f"of {windows.notna().sum()} windows" in rolling_hurst(x, 100).sentence
