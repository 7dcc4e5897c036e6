"""Tests of skill: formulas by hand, other implementations, and their size under the null."""

from dataclasses import FrozenInstanceError

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from narxkit import diebold_mariano, hit_rate

nan = np.nan


def refuses(sentence):
    return pytest.raises(ValueError, match=sentence)


def errors(n=80, seed=0, rho=0):
    """Return errors of two forecasts, each the sum of 1 + rho successive innovations."""
    noise = np.random.default_rng(seed).normal(size=(2, n + rho))
    return np.lib.stride_tricks.sliding_window_view(noise, rho + 1, axis=1).sum(axis=2)


# --- Diebold-Mariano -----------------------------------------------------------------------------


def by_the_book(e, other, h, power=2, bartlett=False):
    """Compute Diebold and Mariano's statistic with Harvey's factor, as R's dm.test does."""
    d = np.abs(e) ** power - np.abs(other) ** power
    n, mean = len(d), np.mean(d)
    total = 0.0
    for k in range(-(h - 1), h):
        gamma = sum((d[t] - mean) * (d[t - abs(k)] - mean) for t in range(abs(k), n)) / n
        total += gamma * (1 - abs(k) / h if bartlett else 1.0)
    return mean / np.sqrt(total / n) * np.sqrt((n + 1 - 2 * h + h * (h - 1) / n) / n)


class TestDieboldMariano:
    @pytest.mark.parametrize("horizon", [1, 2, 5])
    @pytest.mark.parametrize("power", [1, 2])
    def test_is_the_formula_of_the_paper(self, horizon, power):
        e, other = errors(rho=horizon - 1)
        found = diebold_mariano(e, 1.2 * other, horizon, power)
        expected = by_the_book(e, 1.2 * other, horizon, power)
        assert found.weights == "equal"
        assert found.statistic == pytest.approx(expected, rel=1e-12)
        assert found.pvalue == pytest.approx(2 * stats.t.sf(abs(expected), 79), rel=1e-12)
        assert found.estimate / found.stderr == pytest.approx(found.statistic)

    def test_one_step_ahead_it_is_the_paired_t_test(self):
        e, other = errors()
        found, t = diebold_mariano(e, other), stats.ttest_rel(e**2, other**2)
        assert found.statistic == pytest.approx(t.statistic, rel=1e-12)
        assert found.pvalue == pytest.approx(t.pvalue, rel=1e-12)
        assert found.n == 80 and found.horizon == 1

    def test_below_zero_the_first_is_better(self):
        e, other = errors()
        found, swapped = diebold_mariano(e, 3 * other), diebold_mariano(3 * other, e)
        assert found.statistic < 0 and "the first forecast is better" in repr(found)
        assert swapped.statistic == -found.statistic and swapped.pvalue == found.pvalue
        assert "the second forecast is better" in repr(swapped)

    def test_a_variance_below_zero_takes_the_weights_of_bartlett(self):
        e = np.sqrt(2 + np.tile([1.0, -1.0], 10) + 0.1 * errors(20)[0])
        other = np.full(20, np.sqrt(2.0))
        found = diebold_mariano(e, other, horizon=2)
        assert found.weights == "bartlett" and "Bartlett's weights" in repr(found)
        assert found.statistic == pytest.approx(by_the_book(e, other, 2, bartlett=True))

    def test_missing_pairs_are_left_out_and_distances_kept(self):
        e, other = errors()
        holey, whole = e.copy(), np.delete(e, [5, 40])
        holey[5], other[40] = nan, nan
        found = diebold_mariano(holey, other)
        assert found.n == 78
        expected = diebold_mariano(whole, np.delete(other, [5, 40]))
        assert found.statistic == pytest.approx(expected.statistic)
        sparse = np.full((2, 160), nan)
        sparse[:, ::2] = errors(rho=3)
        alone = diebold_mariano(*sparse, horizon=2)  # no two of them are one row apart
        assert alone.stderr**2 == pytest.approx(
            np.var(np.diff(errors(rho=3) ** 2, axis=0)) * 80 / (78 * 79)
        )

    def test_forecasts_that_err_alike(self):
        e, _ = errors()
        found = diebold_mariano(e, -e, horizon=3)
        assert (found.statistic, found.pvalue) == (0, 1)
        assert "no forecast is better beyond chance" in repr(found)

    def test_a_difference_without_spread_is_certain(self):
        found = diebold_mariano(np.ones(10), np.zeros(10))
        assert (found.statistic, found.pvalue) == (np.inf, 0)

    @pytest.mark.parametrize("n, horizon", [(30, 1), (50, 2), (100, 4), (400, 24)])
    def test_its_size_under_the_null(self, n, horizon):
        """Equal forecasts whose h-step errors are sums of h innovations: 5 % rejected at 5 %."""
        pvalues = [
            diebold_mariano(*errors(n, seed, horizon - 1), horizon).pvalue for seed in range(1000)
        ]
        assert 0.03 < np.mean(np.array(pvalues) < 0.05) < 0.11

    def test_a_horizon_that_is_denied_finds_too_much(self):
        pairs = [errors(100, seed, 3) for seed in range(500)]
        rejected = [np.mean([diebold_mariano(*p, h).pvalue < 0.05 for p in pairs]) for h in (1, 4)]
        assert rejected[0] > 2 * rejected[1]

    def test_is_frozen_and_readable(self):
        found = diebold_mariano([1.0, -2.0, 1.0, 2.0], [2.0, -3.0, 1.0, 3.0])
        with pytest.raises(FrozenInstanceError):
            found.pvalue = 0.0
        assert repr(found) == (
            "Diebold-Mariano -2.75, p = 0.071: no forecast is better beyond chance at 5 % "
            "(horizon 1, 4 errors)"
        )

    @pytest.mark.parametrize(
        "arguments, sentence",
        [
            (([1, 2], [1, 2, 3]), r"errors and other_errors must be series of one length. Got the"),
            (([[1, 2]], [[1, 2]]), r"Got the shapes \(1, 2\) and \(1, 2\)"),
            (([1, np.inf], [1, 2]), r"errors is infinite \(inf\) in row 1: give a number, or NaN"),
            (([1, 2, nan], [1, 2, 3], 2), "there are 2 pairs of errors, but a horizon of 2 needs"),
            (([1, 2], [1, 2], 0), "horizon must be an int >= 1. Got 0 instead."),
            (([1, 2], [1, 2], 1, 0), "power must be a number above 0. Got 0 instead."),
            (([1, 2], [1, 2], 1, [2]), r"power must be a number above 0. Got \[2\] instead."),
            (([1, 2], [1, 2], 1, np.inf), "power must be a number above 0. Got inf instead."),
        ],
    )
    def test_refuses(self, arguments, sentence):
        with refuses(sentence):
            diebold_mariano(*arguments)


# --- hit rate ------------------------------------------------------------------------------------


class TestHitRate:
    def test_by_hand(self):
        found = hit_rate([1, -1, 2, 1, 0, nan, 3], [5, -1, -1, 1, 1, 1, 0])
        assert found.estimate == 0.75 and found.n == 4  # zeros and NaN say nothing
        assert found.band == (0.0, 1.0)  # four coins may all fall alike: 1 in 8
        assert found.pvalue == pytest.approx(2 * 5 / 16)

    @pytest.mark.parametrize("chance", [0.5, 0.56])
    @pytest.mark.parametrize("n", [1, 5, 20, 501])
    def test_the_band_is_what_the_exact_test_does_not_reject(self, n, chance):
        for hits in range(0, n + 1, max(1, n // 50)):
            found = hit_rate(np.ones(n), np.where(np.arange(n) < hits, 1, -1), chance)
            tails = [stats.binomtest(hits, n, chance, alternative=a).pvalue
                     for a in ("less", "greater")]  # fmt: skip
            assert found.pvalue == pytest.approx(min(1, 2 * min(tails)))
            is_inside = found.band[0] <= found.estimate <= found.band[1]
            assert is_inside == (found.pvalue >= 0.05)

    def test_for_many_returns_it_is_the_normal_band(self):
        n = 1959
        found = hit_rate(np.ones(n), np.ones(n))
        half = 1.96 * np.sqrt(0.25 / n)  # 2.2 %
        np.testing.assert_allclose(found.band, [0.5 - half, 0.5 + half], atol=1 / n)

    def test_its_size_under_the_null(self):
        rng = np.random.default_rng(0)
        outside = [hit_rate(*rng.normal(size=(2, 300))).pvalue < 0.05 for _ in range(1000)]
        assert 0.03 < np.mean(outside) < 0.065

    def test_a_drift_is_no_skill(self):
        """Always naming the commoner sign passes for skill, unless its share is given."""
        returns = np.random.default_rng(0).normal(0.3, 1, size=1000)
        always_up = np.ones(1000)
        assert hit_rate(returns, always_up).pvalue < 1e-3
        assert hit_rate(returns, always_up, chance=np.mean(returns > 0)).pvalue > 0.9

    @pytest.mark.parametrize("hits, place", [(38, "below"), (50, "inside"), (62, "above")])
    def test_says_where_the_share_lies(self, hits, place):
        found = hit_rate(np.ones(100), np.where(np.arange(100) < hits, 1, -1))
        assert repr(found).startswith(f"Hit rate {hits}.0 % of 100, {place} the 95 % band")
        with pytest.raises(FrozenInstanceError):
            found.estimate = 1.0

    @pytest.mark.parametrize(
        "arguments, sentence",
        [
            (([1, 2], [1]), "returns and forecasts must be series of one length"),
            (([1, np.inf], [1, 2]), r"returns is infinite \(inf\) in row 1"),
            (([0, nan, 1], [1, 1, 0]), "no pair of return and forecast has two signs"),
            (([1], [1], 1.0), r"chance must be a float in the range \(0.0, 1.0\). Got 1.0"),
            (([1], [1], [0.5]), r"chance must be a float in the range .* Got \[0.5\] instead"),
            (([1], [1], "half"), r"chance must be a float in the range .* Got 'half' instead"),
        ],
    )
    def test_refuses(self, arguments, sentence):
        with refuses(sentence):
            hit_rate(*arguments)


@pytest.mark.parametrize("judge, names", [(diebold_mariano, ("errors", "other_errors")),
                                          (hit_rate, ("returns", "forecasts"))])  # fmt: skip
def test_series_of_different_rows_are_not_paired(judge, names):
    values = pd.Series([1.0, -1, 2, -2], pd.date_range("2024-01-01", periods=4))
    with pytest.raises(ValueError) as error:
        judge(values, values[::-1])
    first, other = names
    assert str(error.value).startswith(
        f"the indexes of {first} and {other} differ, first in row 0 (2024-01-01 00:00:00 and "
        "2024-01-04 00:00:00): align them, for example "
    )
    judge(values, values.to_numpy()[::-1])  # an array is taken as it stands
    panel = values.set_axis(pd.MultiIndex.from_product([["a"], range(4)]))
    with refuses(f"the indexes of {first} and {other} differ, first in row 0"):
        judge(panel, values.set_axis([*"abcd"]))


DAYS = pd.date_range("2024-01-01", periods=4)


@pytest.mark.parametrize("judge", [diebold_mariano, hit_rate])
@pytest.mark.parametrize(
    "values, sentence",
    [
        (DAYS, "holds time stamps, which are no measurements"),
        (pd.Series(DAYS), "holds time stamps, which are no measurements"),
        (DAYS.to_numpy(), "holds time stamps, which are no measurements"),
        (DAYS - DAYS[1], "holds durations: give them as numbers"),
        (pd.Series(DAYS - DAYS[1]).astype(object), "holds durations: give them as numbers"),
        (np.ones(4) + 1j, "holds complex numbers"),
        (["a", "b", "c", "d"], "holds text in row 0.*could not convert string to float: 'a'"),
    ],
)
def test_what_is_no_number_is_refused(judge, values, sentence):
    """On either side."""
    for pair in ((values, np.ones(4)), (np.ones(4), values)):
        with refuses(sentence):
            judge(*pair)


def test_masked_values_are_left_out():
    returns = np.ma.masked_array([1.0, -1, 1, 1], mask=[False, True, False, False])
    assert hit_rate(returns, np.ones(4)).n == 3
