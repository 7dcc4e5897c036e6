"""The report: verdicts on series of known kind, the numbers of statsmodels, and every sentence."""

import sys
import warnings
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pandas as pd
import pytest
from scipy.signal import lfilter

from narxkit.datasets import load_solar, load_wind, make_henon, make_mackey_glass
from narxkit.diagnostics import (
    false_neighbours,
    find_season,
    hurst,
    lyapunov,
    make_fgn,
    permutation_entropy,
    rolling_hurst,
    spectral_entropy,
    stochasticity,
    surrogate_test,
    validate_residuals,
    variance_ratio,
)
from narxkit.diagnostics._stochasticity.tests import lead_of_autoregression
from narxkit.diagnostics.seasons import measure_season


def noise(n=1000, seed=0):
    return np.random.default_rng(seed).normal(size=n)


def logistic(n, x=0.3):
    values = [x]
    for _ in range(n + 99):
        values.append(4 * values[-1] * (1 - values[-1]))
    return np.array(values[-n:])


def sine(n=1000, period=12, seed=0):
    return np.sin(2 * np.pi * np.arange(n) / period) + noise(n, seed)


# --- seasons -------------------------------------------------------------------------------------


class TestFindSeason:
    @pytest.mark.parametrize("period", [5, 7, 12, 24, 50])
    def test_finds_a_sine_under_noise(self, period):
        found = [find_season(sine(1000, period, seed)) for seed in range(10)]
        assert [season and season.period for season in found].count(period) >= 9
        assert found[0].share == pytest.approx(1 / 3, abs=0.08)

    @pytest.mark.parametrize(
        "freq, period", [("h", 24), ("15min", 96), ("D", 7), ("B", 5), ("W", 52), ("MS", 12),
                         ("QS", 4)]
    )  # fmt: skip
    def test_asks_the_clock_first(self, freq, period):
        n = 6 * period + 48
        index = pd.date_range("2000-01-03", periods=n, freq=freq)
        pattern = np.random.default_rng(1).normal(size=period)
        y = pd.Series(pattern[np.arange(n) % period] + 0.3 * noise(n), index)
        assert find_season(y).period == period
        assert find_season(y.to_period() if freq in ("h", "D", "MS", "QS") else y).period == period

    @pytest.mark.parametrize(
        "make",
        [
            noise,
            lambda n, seed: noise(n, seed).cumsum(),
            lambda n, seed: lfilter([1], [1, -0.9], noise(n, seed)),
            lambda n, seed: lfilter([1], [1, -1.8, 0.95], noise(n, seed)),
            lambda n, seed: 0.05 * np.arange(n) + noise(n, seed),
        ],
    )
    def test_finds_none_where_there_is_none(self, make):
        assert not any(find_season(make(300, seed)) for seed in range(30))
        assert sum(find_season(make(300, seed), 12) is not None for seed in range(100)) <= 4

    def test_a_clock_has_more_than_one_season(self):
        hours = pd.date_range("2024-01-01", periods=20 * 168, freq="h")
        works = (hours.day_of_week < 5) & (hours.hour >= 8) & (hours.hour < 18)
        office = pd.Series(10.0 * works + noise(len(hours)), hours)
        assert find_season(office).period == 168 and find_season(office).share > 0.9
        days = pd.date_range("2015", periods=6 * 365, freq="D")
        year = 5 * np.sin(2 * np.pi * np.arange(len(days)) / 365.25) + noise(len(days))
        assert find_season(pd.Series(year, days)).period == 365
        opening = office[(hours.day_of_week < 5) & (hours.hour >= 8) & (hours.hour < 16)]
        opening = opening + 3 * np.sin(2 * np.pi * np.asarray(opening.index.hour) / 8)
        assert find_season(opening).period == 8

    @pytest.mark.parametrize("n", [3 * 365, 4 * 365 + 1])
    def test_three_years_of_days_are_enough_for_a_year(self, n):
        days = pd.date_range("2015", periods=n, freq="D")
        year = 3 * np.cos(2 * np.pi * np.arange(n) / 365.25)
        found = [find_season(pd.Series(year + noise(n, seed), days)) for seed in range(5)]
        assert [season.period for season in found] == [365] * 5

    @pytest.mark.parametrize("n, period", [(1461, 365), (300, 12), (500, 168)])
    def test_its_size(self, n, period):
        walks = np.random.default_rng(0).normal(size=(400, n)).cumsum(axis=1)
        rejected = np.mean([measure_season(walk, period).pvalue < 0.05 for walk in walks])
        assert 0.02 < rejected < 0.08

    def test_the_shortest_that_explains_nearly_as_much(self):
        y = np.tile(np.arange(6.0), 60) + 0.35 * np.tile(np.arange(12) >= 6, 30) + noise(360)
        assert find_season(y).period == 6
        both = [find_season(y, period).share for period in (6, 12)]
        assert 0.9 < both[0] / both[1] < 1

    def test_tries_are_paid_for(self):
        y = sine(200, 8)
        p = measure_season(y, 8).pvalue
        assert measure_season(y, 8, 50).pvalue == pytest.approx(50 * p)

    def test_draws_the_mean_of_each_place(self):
        y = sine(1200, 12)
        found = find_season(y)
        expected = [y[place::12].mean() for place in range(12)]
        assert found.means == pytest.approx(np.array(expected))
        ax = found.plot()
        assert ax.lines[0].get_ydata() == pytest.approx(found.means)

    def test_solar_and_wind_have_days(self):
        ghi = load_solar()["ghi"].loc["2023"]
        solar, wind = find_season(ghi), find_season(load_wind()["wind_speed"])
        assert (solar.period, wind.period) == (24, 24)
        assert solar.share > 0.7 > 0.3 > wind.share
        assert find_season(ghi.to_numpy()).period == 24

    def test_says_what_it_found(self):
        found = find_season(sine())
        assert found.sentence.startswith("A season of 12 rows explains 3")
        assert list(found.to_frame().index) == ["period", "share of variance", "p value"]

    @pytest.mark.parametrize(
        "period, sentence",
        [
            (2, "period must be an int >= 3. Got 2 instead."),
            (400, "period must be at most 333, a third of the rows, to be seen three times. Got"),
        ],
    )
    def test_refuses(self, period, sentence):
        with pytest.raises(ValueError, match=sentence):
            find_season(noise(), period)


# --- entropies and variance ratios ---------------------------------------------------------------


def test_permutation_entropy_is_that_of_bandt_and_pompe():
    """Their example: 1, 2, 2 of 5 windows of three give 1.522 bit; 4 of 6 pairs rise: 0.918."""
    x = [4, 7, 9, 10, 6, 11, 3]
    assert permutation_entropy(x, 3) * np.log2(6) == pytest.approx(1.5219, abs=1e-4)
    assert permutation_entropy(x, 2) == pytest.approx(0.9183, abs=1e-4)
    assert permutation_entropy(np.arange(20.0), 4, delay=2) == 0


def test_entropies_of_noise_and_of_a_sine():
    x = noise(20_000)
    assert permutation_entropy(x, 4) > 0.999
    assert spectral_entropy(x) == pytest.approx(1 - 0.4228 / np.log(10_000), abs=0.002)
    assert spectral_entropy(np.sin(2 * np.pi * np.arange(1200) / 12)) < 1e-12


@pytest.mark.parametrize(
    "call, sentence",
    [
        (lambda: permutation_entropy([1, 2, 3, 4], 1), "order must be an int >= 2. Got 1"),
        (lambda: permutation_entropy([1, 2, 3, 4], 3, 0), "delay must be an int >= 1. Got 0"),
        (lambda: permutation_entropy([1, 2, 3], 3), "y has 3 rows, but at least 4 are needed"),
        (lambda: spectral_entropy([1, np.nan, 2, 3]), "y has 1 missing or infinite values"),
        (lambda: variance_ratio(noise(), kind="x"), "kind must be 'increments' or 'levels'."),
        (lambda: variance_ratio(noise(), spans=()), "spans must be a sequence of numbers of st"),
        (lambda: variance_ratio(noise(), spans=2), "such as \\(2, 4\\). Got 2 instead."),
        (lambda: variance_ratio(noise(), spans=[1]), "each of spans must be an int >= 2. Got 1"),
        (lambda: variance_ratio(noise(30)), "x has 30 rows, but at least 32 are needed"),
        (lambda: variance_ratio(np.arange(99.0), kind="levels"), "the increments of x is constant"),
    ],
)
def test_entropies_and_ratios_refuse(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


class TestVarianceRatio:
    def test_is_the_formula_of_lo_and_mackinlay(self):
        x, q = noise(200), 4
        n, mean, path = 200, x.mean(), np.concatenate([[0], x.cumsum()])
        single = sum((x[t] - mean) ** 2 for t in range(n)) / (n - 1)
        m = q * (n - q + 1) * (1 - q / n)
        long = sum((path[t] - path[t - q] - q * mean) ** 2 for t in range(q, n + 1)) / m
        total = sum((x[t] - mean) ** 2 for t in range(n)) ** 2
        theta = sum(
            (2 * (q - j) / q) ** 2
            * sum((x[t] - mean) ** 2 * (x[t - j] - mean) ** 2 for t in range(j, n)) / total
            for j in range(1, q)
        )  # fmt: skip
        found = variance_ratio(x, [q])
        assert found.estimate[0] == pytest.approx(long / single, rel=1e-12)
        assert found.statistic[0] == pytest.approx((long / single - 1) / np.sqrt(theta), rel=1e-12)
        assert found.pvalue == pytest.approx(found.pvalues[0])
        levels = variance_ratio(path, [q], kind="levels")
        assert levels.estimate == pytest.approx(found.estimate)

    def test_its_size_under_changing_variance(self):
        rng = np.random.default_rng(0)
        scale = np.exp(np.sin(np.arange(1000) / 50))
        rejected = [variance_ratio(scale * rng.normal(size=1000)).pvalue < 0.05
                    for _ in range(500)]  # fmt: skip
        assert 0.01 < np.mean(rejected) < 0.07

    def test_says_which_way(self):
        up, down = (lfilter([1], [1, -phi], noise()) for phi in (0.5, -0.5))
        assert variance_ratio(up).sentence.startswith("The steps persist: over ")
        assert variance_ratio(down).sentence.startswith("The steps revert: over ")
        assert "uncorrelated" in variance_ratio(noise()).sentence
        assert len(variance_ratio(up).to_frame()) == 5
        variance_ratio(up).plot()


# --- the report ----------------------------------------------------------------------------------


class TestStochasticity:
    def test_white_noise_is_random(self):
        verdicts = [stochasticity(noise(300, seed)).verdict for seed in range(20)]
        assert verdicts.count("random") >= 19

    @pytest.mark.parametrize(
        "y, verdict, kind, lags, says",
        [
            (noise().cumsum(), "random walk", "increments", [1],
             "of the increments four tests together find no dependence at 2%"),
            (sine(), "seasonal", "levels", [12], "the best forecast at any horizon is the season"),
            (logistic(1000), "deterministic", "levels", [1], "over about 1.4 rows"),
            (make_henon(1000, random_state=0), "deterministic", "levels", [1, 2],
             "no one of 39 linear surrogates is as predictable; begin with lags 1, 2"),
            (lfilter([1], [1, -0.7], noise()), "persistent", "levels", [1],
             "1 lag explains 49% of the variance one row ahead"),
            (lfilter([1], [1, 0.6], noise()), "anti-persistent", "levels", [1], "H = 0."),
            (noise(), "random", "levels", [],
             "no lags help, and the best forecast at any horizon is the mean."),
        ],
        ids=["walk", "sine", "logistic", "henon", "AR(1)", "reverting", "noise"],
    )  # fmt: skip
    def test_verdicts(self, y, verdict, kind, lags, says):
        report = stochasticity(y)
        assert (report.verdict, report.kind, report.lags) == (verdict, kind, lags)
        assert report.sentence.startswith(f"{verdict.capitalize()}: ") and says in report.sentence

    def test_a_season_on_a_walk(self):
        y = noise(1200).cumsum() + 5 * np.sin(2 * np.pi * np.arange(1200) / 12)
        report = stochasticity(y)
        assert (report.verdict, report.kind, report.lags) == ("seasonal", "increments", [1, 12])
        assert "forecast at any horizon is the last value and the season" in report.sentence

    def test_a_dependence_too_small_to_matter(self):
        report = stochasticity(lfilter([1], [1, -0.12], noise(4000, 1)))
        assert report.verdict == "random" and report.least_pvalue < 0.02
        assert "tests find dependence" in report.sentence and "but lags explain" in report.sentence

    @pytest.mark.parametrize("weight", [0.7, 0.95])
    def test_an_autoregression_is_no_long_memory(self, weight):
        report = stochasticity(lfilter([1], [1, -weight], noise(1500)))
        assert report.verdict == "persistent" and report.lead_of_autoregression > 10
        long = report.long_hurst.estimate
        assert f"H = 1.00, and {long:.2f} by the longest periods alone, but an" in report.sentence
        assert "describes the spectrum better than fractional noise (AIC lower" in report.sentence

    @pytest.mark.parametrize("H, verdict", [(0.2, "anti-persistent"), (0.8, "persistent")])
    def test_fractional_noise_is_long_memory(self, H, verdict):
        report = stochasticity(make_fgn(1500, H, random_state=0))
        assert report.verdict == verdict and report.lead_of_autoregression < 10
        assert report.sentence.startswith(f"{verdict.capitalize()}: H = {H:.2f}, and ")

    def test_the_lead_is_a_difference_of_whittles_criteria(self):
        x, H = lfilter([1], [1, -0.5], noise(300)), 0.7
        report = stochasticity(x, season=1)
        a, n = report.autoregression.weights, len(x)
        akaike = []
        for p, spectrum in (
            (1, lambda w: (2 - 2 * np.cos(w)) * sum(
                abs(w + 2 * np.pi * j) ** (-2 * H - 1) for j in range(-2000, 2001))),
            (len(a), lambda w: abs(1 - sum(a[k] * np.exp(-1j * w * (k + 1)) for k in range(len(a))))
             ** -2),
        ):  # fmt: skip
            ratios, logs = [], []
            for j in range(1, (n - 1) // 2 + 1):
                w = 2 * np.pi * j / n
                ratios.append(abs(sum(x * np.exp(-1j * w * np.arange(n)))) ** 2 / spectrum(w))
                logs.append(np.log(spectrum(w)))
            akaike.append(2 * len(logs) * (np.log(np.mean(ratios)) + np.mean(logs)) + 2 * p)
        lead = lead_of_autoregression(x, a, H)
        assert lead == pytest.approx(akaike[0] - akaike[1], abs=0.02)

    def test_short_memory_without_a_sign(self):
        report = stochasticity(lfilter([1], [1, 0, 0, 0, 0, -0.4], noise(1500, 2)))
        assert report.verdict == "short memory" and report.hurst.pvalue > 0.05
        assert "does not differ from 1/2 (p = " in report.sentence
        assert report.lags == [1, 2, 3, 4, 5]

    def test_a_dependence_that_only_neighbours_see(self):
        e, y = noise(1600), np.zeros(1600)
        for t in range(1, 1600):
            y[t] = 0.8 - 1.2 * abs(y[t - 1]) + 0.5 * e[t]
        report = stochasticity(y[100:])
        assert report.is_nonlinear and report.explained == report.surrogates.explained > 0.2
        assert "neighbours in lags 1, 2 and 3 explain" in report.sentence
        assert report.verdict == "nonlinear" and "an autoregression explains " in report.sentence
        assert set(report.lags) >= {1, 2, 3}

    def test_noisy_chaos_is_nonlinear(self):
        y = logistic(1500)
        report = stochasticity(y + 0.1 * y.std() * noise(1500))
        assert report.verdict == "nonlinear" and report.explained > 0.8
        assert report.autoregression.explained < 0.1 and report.lags[0] == 1
        table = report.to_frame()["statistic"]
        assert table["explained by neighbours"] == report.explained
        assert table["explained by lags"] == report.autoregression.explained

    def test_a_walk_that_drifts(self):
        report = stochasticity(np.cumsum(2 + noise(1000)))
        assert report.drift == pytest.approx(2, abs=0.1)
        assert "is the last value plus 1.95 a row" in report.sentence
        assert stochasticity(noise(1000).cumsum()).drift == 0.0

    def test_a_season_is_measured_beside_its_trend(self):
        t = np.arange(1500)
        e = lfilter([1], [1, -0.5], noise(1500))
        report = stochasticity(0.02 * t + 3 * np.sin(2 * np.pi * t / 12) + e)
        assert (report.verdict, report.kind, report.season.period) == ("seasonal", "levels", 12)
        assert report.season.share == pytest.approx(4.5 / (4.5 + 4 / 3), abs=0.05)
        assert "of what the season leaves), a season of 12 rows explains 7" in report.sentence

    def test_a_growing_month_has_its_year(self):
        t = np.arange(360)
        y = np.exp(4 + 0.005 * t + 0.15 * np.sin(2 * np.pi * t / 12) + 0.05 * noise(360))
        report = stochasticity(
            pd.Series(np.log(y), pd.period_range("1990-01", periods=360, freq="M"))
        )
        assert report.has_season and report.season.period == 12 and 12 in report.lags

    @pytest.mark.parametrize("weight, slope, is_removed", [(0.5, 0.002, True), (0.5, 0, False),
                                                           (0.9, 0, False)])  # fmt: skip
    def test_a_line_is_removed_where_memory_alone_would_not_draw_it(
        self, weight, slope, is_removed
    ):
        lines = [
            stochasticity(slope * np.arange(1500) + lfilter([1], [1, -weight], noise(1500, seed)),
                          season=1).trend > 0
            for seed in range(2)
        ]  # fmt: skip
        assert lines == [is_removed] * 2

    def test_a_season_that_is_not_felt_later_is_not_said_to_be(self):
        days = pd.date_range("2015", periods=4 * 365 + 1, freq="D")
        year = 3 * np.cos(2 * np.pi * np.asarray(days.day_of_year) / 365.25)
        report = stochasticity(pd.Series(year + 2 * (days.day_of_week >= 5) + noise(1461), days))
        assert report.season.period == 365
        assert "still" not in report.sentence

    def test_half_a_cycle_is_no_end_of_reach(self):
        y = np.sin(2 * np.pi * np.arange(1000) / 400) + 0.3 * noise(1000)
        report = stochasticity(y, season=1)
        assert report.reach > 400

    def test_a_bend_looks_like_too_many_differences(self):
        y = np.where(np.arange(1000) < 500, 0, 4) + noise(1000)
        sentence = stochasticity(y).sentence
        assert sentence.startswith("Anti-persistent: a unit root is not refused, and of the incr")
        assert "a trend that bends or a level that shifts looks like this too" in sentence

    def test_what_bds_sees_is_told(self):
        e, y = noise(2100), np.zeros(2100)
        for t in range(1, 2100):
            y[t] = 0.4 * y[t - 1] + 0.4 * y[t - 1] * e[t - 1] + e[t]
        assert "in strength or nonlinearly (BDS)" in stochasticity(y[100:]).sentence
        assert "BDS" not in stochasticity(lfilter([1], [1, -0.5], noise(1000))).sentence

    def test_refuses_what_has_nothing_to_analyse(self):
        sentence = "y is a straight line and nothing else: there is nothing left to"
        with pytest.raises(ValueError, match=sentence):
            stochasticity(np.arange(400.0))

    @pytest.mark.parametrize("y", [np.tile([0.0, 1.0], 200), np.exp(np.arange(400.0) / 5)])
    def test_extremes_do_not_warn(self, y):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert stochasticity(y).sentence

    @pytest.mark.parametrize("e", [3 * noise(1000), lfilter([1], [1, -0.8], noise(1000))])
    def test_noise_round_a_trend_is_no_unit_root(self, e):
        report = stochasticity(0.02 * np.arange(1000) + e)
        assert report.kind == "levels" and report.trend > 0.7
        assert report.verdict in ("random", "persistent")
        assert ": round a straight trend (" in report.sentence and "the trend" in report.sentence
        assert abs(np.polyfit(np.arange(1000), report.analysed, 1)[0]) < 1e-12

    def test_a_smoothed_level_beats_the_last_value(self):
        report = stochasticity(noise(2000).cumsum() + 3 * noise(2000, 1))
        assert (report.verdict, report.kind) == ("anti-persistent", "increments")
        assert "a smoothed level forecasts better than the last value" in report.sentence

    def test_a_strong_autoregression_is_near_persistence(self):
        near = "one row ahead the last value nearly does"
        assert near in stochasticity(lfilter([1], [1, -0.97], noise(1500))).sentence
        assert near not in stochasticity(lfilter([1], [1, -0.7], noise(1500))).sentence

    def test_a_season_that_is_chance_is_no_verdict(self):
        report = stochasticity(noise(1000), season=24)
        assert report.verdict == "random" and report.season.period == 24 and report.lags == []
        assert "season" not in report.sentence
        faint = noise(20_000) + 0.08 * np.sin(np.pi * np.arange(20_000) / 12)
        hours = pd.date_range("2020", periods=20_000, freq="h")
        assert find_season(pd.Series(faint, hours)).share < 0.02
        report = stochasticity(pd.Series(faint, hours))
        assert (report.verdict, report.has_season, report.lags) == ("random", False, [])

    def test_strength_that_can_be_forecast_is_told(self):
        e, y, h = np.random.default_rng(0).standard_t(6, 2500), np.zeros(2500), 1.0
        for t in range(1, 2500):
            h = 0.05 + 0.1 * y[t - 1] ** 2 + 0.85 * h
            y[t] = np.sqrt(h / 1.5) * e[t]
        report = stochasticity(y[500:])
        assert report.verdict == "random"
        assert "; how far it strays can be forecast (ARCH, p = " in report.sentence
        assert "strays" not in stochasticity(noise()).sentence

    def test_what_lags_explain_is_of_rows_outside_the_fit(self):
        x = lfilter([1], [1, -0.5], noise(500))
        parts = np.array_split(np.arange(500), 5)
        left = total = 0.0
        for part in parts:
            rest = np.delete(x, part)
            mean = rest.mean()
            c = rest - mean
            weight = (c[1:] @ c[:-1]) / (c @ c)  # Yule and Walker's, of order 1
            before = np.r_[0.0, x[:-1] - mean]
            left += np.sum((x[part] - mean - weight * before[part]) ** 2)
            total += np.sum((x[part] - mean) ** 2)
        report = stochasticity(x, season=1)
        assert report.order == 1
        assert report.autoregression.explained == pytest.approx(1 - left / total)

    def test_of_four_tests_four_times_the_least_counts(self):
        report = stochasticity(lfilter([1], [1, -0.5], noise(600)), season=1)
        four = (report.hurst, report.variance_ratio, report.tests["Ljung-Box"],
                report.tests["BDS"])  # fmt: skip
        assert report.least_pvalue == 4 * min(test.pvalue for test in four)

    def test_the_seed_is_that_of_the_surrogates(self):
        one, same, other = (stochasticity(noise(300), random_state=seed) for seed in (1, 1, 2))
        assert (one.surrogates.surrogates == same.surrogates.surrogates).all()
        assert (one.surrogates.surrogates != other.surrogates.surrogates).any()

    def test_chaos_needs_surrogates_that_are_less_predictable(self):
        report = stochasticity(make_henon(600, random_state=0))
        assert report.verdict == "deterministic"
        worse = replace(report.surrogates, surrogates=report.surrogates.surrogates * 0)
        assert replace(report, surrogates=worse).verdict != "deterministic"

    def test_the_exponent_gives_the_sign(self):
        report = stochasticity(lfilter([1], [1, -0.7], noise()))
        for H, p, verdict in (
            (0.7, 0.01, "persistent"), (0.3, 0.01, "anti-persistent"), (0.7, 0.2, "short memory")
        ):  # fmt: skip
            changed = replace(report.hurst, estimate=H, pvalue=p)
            assert replace(report, hurst=changed).verdict == verdict

    def test_lags_of_increments_reach_one_further(self):
        report = stochasticity(lfilter([1], [1, -0.6], noise(2000)).cumsum())
        assert report.kind == "increments" and report.order == 1 and report.lags == [1, 2]

    def test_a_season_of_increments_is_measured_on_them(self):
        y = noise(1200).cumsum() + 5 * np.sin(2 * np.pi * np.arange(1200) / 12)
        report = stochasticity(y)
        steps = np.diff(y)
        means = np.array([steps[place::12].mean() for place in range(12)])
        left = steps - means[np.arange(len(steps)) % 12]
        share = 1 - (left @ left / (len(steps) - 12)) / steps.var(ddof=1)
        assert report.season.share == pytest.approx(share)

    def test_a_cycle_of_chaos_is_no_season(self):
        y = make_mackey_glass(1500, random_state=30)
        assert find_season(y).period == 99
        report = stochasticity(y)
        assert report.verdict == "deterministic" and report.season is None

    def test_persistent_round_a_season(self):
        y = 3 * lfilter([1], [1, -0.8], noise(2000)) + 2 * np.sin(np.arange(2000) * np.pi / 12)
        report = stochasticity(y, season=24)
        assert report.verdict == "persistent"
        assert "Persistent: round a season of 24 rows (" in report.sentence
        assert 24 in report.lags and 1 in report.lags

    def test_wind_and_solar(self):
        wind = stochasticity(load_wind()["wind_speed"][:2500])
        solar = stochasticity(load_solar()["ghi"][:2500])
        assert wind.verdict == "persistent" and wind.season.period == 24
        assert solar.verdict == "seasonal" and "so that lag 24 helps" in solar.sentence

    def test_the_numbers_of_statsmodels(self):
        from statsmodels.stats.diagnostic import acorr_ljungbox, het_arch
        from statsmodels.tsa.ar_model import ar_select_order
        from statsmodels.tsa.stattools import acf, adfuller, bds, kpss

        y = lfilter([1], [1, -0.5], noise(600))
        report = stochasticity(y, season=1)
        table = report.to_frame()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = {"Dickey-Fuller": adfuller(y), "KPSS": kpss(y)}
        expected["Ljung-Box, 20 lags"] = tuple(acorr_ljungbox(y, [20]).iloc[0])
        for name, answer in expected.items():
            assert table.loc[name, "statistic"] == pytest.approx(answer[0], rel=1e-12)
            assert table.loc[name, "pvalue"] == pytest.approx(answer[1], rel=1e-12)
        assert report.order == max(ar_select_order(y, 27, ic="bic").ar_lags)
        weight = acf(y, nlags=1)[1]  # of order 1, Yule and Walker's weight is the autocorrelation
        centred = y - y.mean()
        residuals = centred[1:] - weight * centred[:-1]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            arch = het_arch(residuals, nlags=10)
        assert table.loc["ARCH, 10 lags", "statistic"] == pytest.approx(arch[0])
        assert table.loc["BDS", "statistic"] == pytest.approx(float(bds(residuals)[0]))

    def test_says_on_what_each_number_rests(self):
        meanings = stochasticity(noise(6000)).to_frame()["meaning"]
        assert meanings["BDS"].endswith("the last 2,000 residuals")
        assert meanings["error of neighbours"].endswith("the last 2,000 rows")
        assert meanings["Lyapunov exponent"].endswith("the last 5,000 rows")
        assert meanings["Hurst exponent"].endswith("6,000 rows")

    def test_is_frozen_readable_and_repeatable(self):
        y = pd.Series(sine(400), pd.date_range("2024-01-01", periods=400, freq="D"), name="load")
        report, again = stochasticity(y, season=12), stochasticity(y, season=12)
        with pytest.raises(FrozenInstanceError):
            report.verdict = "random"
        assert repr(report) == repr(again) and repr(report).startswith(report.sentence)
        assert "<table>" in report._repr_html_()
        assert list(report.to_frame().columns) == ["statistic", "pvalue", "meaning"]
        assert report.to_frame()["statistic"].dtype == float

    @pytest.mark.parametrize("index", [None, "time", "period"])
    def test_draws_series_correlation_and_spectrum(self, index):
        times = {"time": pd.date_range("2024-01-01", periods=400, freq="h"),
                 "period": pd.period_range("2024-01", periods=400, freq="M")}  # fmt: skip
        report = stochasticity(pd.Series(sine(400), times.get(index), name="load"), season=12)
        top, middle, bottom = report.plot()
        assert top.get_ylabel() == "load" and top.get_title("left") == "seasonal"
        assert middle.get_ylabel() == "autocorrelation"
        assert any("season, 12 rows" in text.get_text() for text in bottom.texts)
        given = report.plot(top.figure.axes)
        assert list(given) == top.figure.axes

    def test_tells_what_it_is_at(self, capsys):
        told = []
        stochasticity(noise(300), verbose=True, progress=lambda *args: told.append(args))
        out, err = capsys.readouterr()
        assert not out and err.splitlines()[0] == "0/7 season" and len(err.splitlines()) == 8
        assert told[0] == ("season", 0, 7) and told[-1] == ("verdict", 7, 7)

    @pytest.mark.parametrize(
        "y, season, sentence",
        [
            (noise(100), None, "y has 100 rows, but at least 250 are needed"),
            (np.ones(300), None, "y is constant, at 1"),
            (np.r_[noise(300), np.nan], None, "y has 1 missing or infinite values, the first in"),
            (noise(300), 2, "season must be 1, for none, or between 3 and 100 rows, a third of"),
            (noise(300), 0, "season must be an int >= 1. Got 0 instead."),
            (np.tile([1.0, 3, 2, 5], 100), 4, "y is a season of 4 rows and nothing else: there"),
        ],
    )
    def test_refuses(self, y, season, sentence):
        with pytest.raises(ValueError, match=sentence):
            stochasticity(y, season)

    def test_refuses_a_progress_that_cannot_be_called(self):
        with pytest.raises(ValueError, match="progress must be callable, as .* Got 3 instead."):
            stochasticity(noise(), progress=3)


def test_importing_diagnostics_loads_no_statsmodels():
    import subprocess

    code = (
        "import sys, narxkit.diagnostics.stochasticity_report as report\n"
        "print({'statsmodels', 'matplotlib'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr


def test_a_list_is_analysed_like_an_array():
    x = np.random.default_rng(0).normal(size=300)
    assert stochasticity(list(x)).sentence == stochasticity(x).sentence


@pytest.mark.parametrize("y", [np.arange(1000.0), np.tile([0.0, 1.0], 500)])
def test_rounding_is_no_season(y):
    assert find_season(y) is None
    assert find_season(y + np.sin(2 * np.pi * np.arange(1000) / 20)).period == 20


@pytest.mark.parametrize("judge", [find_season, hurst, lyapunov, stochasticity, variance_ratio])
@pytest.mark.parametrize("scale, size", [(1e200, "4e\\+200"), (1e-200, "4e-200")])
def test_values_whose_powers_no_float_holds_are_refused(judge, scale, size):
    with pytest.raises(ValueError, match=f"is at most {size} in size, but powers of it are"):
        judge(scale * noise())


def test_pictures_of_one_span_and_of_one_window_have_a_band():
    ratio = variance_ratio(noise(), [4])
    (band,) = ratio.plot().collections
    assert np.ptp(band.get_paths()[0].vertices[:, 0]) > 0
    rolling = rolling_hurst(noise(300), window=300, step=300)
    (line,) = rolling.plot().collections
    assert np.ptp(line.get_segments()[0][:, 1]) == pytest.approx(
        rolling.windows["high"].iloc[0] - rolling.windows["low"].iloc[0]
    )
    assert variance_ratio(noise(), [8, 2, 2]).spans == (2, 8)


@pytest.mark.parametrize("judge", [find_season, hurst, lyapunov])
def test_a_panel_and_a_clock_that_runs_backwards_are_refused(judge):
    days = pd.date_range("2024", periods=300)
    y = pd.Series(np.random.default_rng(0).normal(size=600))
    panel = y.set_axis(pd.MultiIndex.from_product([["a", "b"], days]))
    with pytest.raises(ValueError, match=r"[xy] holds 2 series: give one at a time, such as"):
        judge(panel)
    with pytest.raises(ValueError, match="the index of [xy] is not sorted"):
        judge(panel.loc["a"][::-1])
    with pytest.raises(ValueError, match="must hold numbers. Got dtype datetime64"):
        judge(days)


def test_a_clock_that_jumps_is_told():
    hours = pd.date_range("2024", periods=600, freq="h")
    y = pd.Series(noise(600), hours)
    with pytest.warns(UserWarning, match="the clock of x jumps 1 time, first from 2024-01-05 03"):
        hurst(y.drop(hours[100:107]))
    days = pd.bdate_range("2024", periods=600)
    opening = hours[(hours.hour >= 9) & (hours.hour < 17)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for even in (y, y.set_axis(days), y[opening]):  # weekends and nights are no jumps
            hurst(even)


def test_what_an_array_masks_is_missing():
    y = noise(300)
    y[[10, 20]] = -9999
    with pytest.raises(ValueError, match="x has 2 missing or infinite values, the first in row 10"):
        hurst(np.ma.array(y, mask=y < -9000))


def test_a_small_change_on_a_large_value_is_no_constant():
    assert hurst(1e9 + 1e-4 * noise()).estimate == pytest.approx(hurst(noise()).estimate, abs=1e-3)


def test_a_panel_of_one_series_and_a_frame_of_one_column():
    hours = pd.date_range("2024", periods=400, freq="h", name="time")
    y = pd.Series(sine(400, 24), hours, name="load")
    panel, frame = pd.concat({"a": y}), y.to_frame()
    for one in (panel, frame):
        report = stochasticity(one)
        assert report.season.period == 24 and report.series.name == "load"
        assert report.plot()[0].get_ylabel() == "load"


@pytest.mark.parametrize("seed", [3, 8])
def test_counts_with_few_events(seed):
    r = np.random.default_rng(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = stochasticity((r.random(1000) < 0.05) * r.poisson(5, 1000))
        with pytest.warns(UserWarning, match="the value in row 50 carries 97 % of the variance"):
            stochasticity(np.arange(300) % 7 + (np.arange(300) == 50))
    assert report.verdict in ("random", "short memory", "persistent", "anti-persistent")


def test_a_tail_that_is_constant_is_named():
    y = np.r_[np.random.default_rng(0).normal(size=500), np.zeros(2500)]
    with pytest.raises(ValueError, match="y in its last 2,000 rows is constant, at 0"):
        stochasticity(y)


def test_a_fair_coin_is_random():
    report = stochasticity((np.random.default_rng(0).random(500) < 0.5) * 1.0)
    assert report.verdict == "random" and "tests together find no dependence" in report.sentence
    assert "fewer than 10 different values" in str(report)


def test_a_far_lag_counts():
    x = lfilter([1.0], [1, 0, 0, 0, 0, -0.4], noise(1500))
    report = stochasticity(x)
    assert report.reach == 5
    assert "reaches 0.2 in size up to lag 5, after which the mean" in report.sentence


@pytest.mark.parametrize("row", [0, 1, 200, 399])
def test_one_value_that_carries_the_variance_is_named_wherever_it_stands(row):
    y = noise(400)
    y[row] += 1e3
    with pytest.warns(UserWarning, match=f"^the value in row {row} carries 99 % .* sensor") as told:
        report = stochasticity(y, season=1)
    assert len(told) == 1
    assert report.outlier.row == row and report.outlier.share > 0.99
    assert report.sentence.endswith(f"; but the value in row {row} carries 99 % of the variance.")


@pytest.mark.parametrize("row", [0, 1, 2, 3, 200, 398, 399])
def test_a_constant_but_for_one_value_is_random_wherever_that_stands(row):
    """Surrogates with matching ends, which are cut off, must not lose all that varies."""
    y = np.full(400, 21.3)
    y[row] = 22.0
    with pytest.warns(UserWarning, match=f"^the value in row {row} carries 99 %"):
        report = stochasticity(y)
    assert report.verdict == "random" and report.lags == []


def test_of_stretches_whose_ends_match_the_longest_is_taken():
    assert surrogate_test(np.tile([0.0, 1.0, 1.0], 100)).n == 299  # all but the first row
    y = np.full(400, 21.3)
    y[200] = 22.0
    assert surrogate_test(y).n == 400


def test_a_shift_of_level_is_named_by_the_row_that_it_leads_to():
    y = noise(400).cumsum() / 10
    y[150:] += 20
    with pytest.warns(UserWarning, match="^the step to row 150 carries 9. %"):
        stochasticity(y, season=1)


@pytest.mark.parametrize(
    "ask, sentence",
    [
        (
            lambda y: make_fgn(10**30, 0.5),
            f"n must be an int from 1 to 2147483647. Got {10**30} instead.",
        ),
        (
            lambda y: surrogate_test(y, pd.Series(["prediction"])),
            "kind must be 'prediction' or 'asymmetry'. Got 0    prediction\ndtype: str instead.",
        ),
        (
            lambda y: variance_ratio(y, kind=pd.NA),
            "kind must be 'increments' or 'levels'. Got <NA> instead.",
        ),
        (
            lambda y: false_neighbours(y, tolerance=pd.NA),
            "tolerance must be a share in [0, 1). Got <NA> instead.",
        ),
        (
            lambda y: false_neighbours(y, max_dimension=200),
            "states of 200 values need at least 800 rows. Got 300 instead: give a longer series "
            "or a smaller max_dimension.",
        ),
        (
            lambda y: validate_residuals(y, n_shuffles=10**30),
            f"n_shuffles must be an int from 139 to 2147483647. Got {10**30} instead.",
        ),
    ],
)
def test_wrong_things_are_refused_with_a_sentence(ask, sentence):
    with pytest.raises(ValueError) as error:
        ask(noise(300))
    assert str(error.value).replace("dtype: object", "dtype: str") == sentence
