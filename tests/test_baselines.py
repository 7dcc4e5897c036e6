"""Baselines: their values by hand, every verb, and the published figures of the solar protocol."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import reference
from narxkit import (
    ARX,
    Climatology,
    Persistence,
    SeasonalNaive,
    SmartPersistence,
    backtest,
    skill_table,
)
from narxkit.datasets import load_solar, make_narma10
from narxkit.rows.segments import Segments
from narxkit.training.linear import slopes_of_lines

FIGURES = Path(__file__).parents[2] / "shared" / "protocol" / "rolling_origin_baselines.csv"
DAYS = pd.date_range("2024-01-01", periods=40, freq="D")
nan = np.nan


def daily(values, name="y"):
    return pd.Series(np.asarray(values, dtype=float), DAYS[: len(values)], name=name)


# --- persistence ---------------------------------------------------------------------------------


class TestPersistence:
    def test_the_last_value_stays(self):
        y = daily([1, 5, 2, 4])
        model = Persistence().fit(None, y)
        expected = pd.Series([4.0] * 3, DAYS[4:7], name="y")
        pd.testing.assert_series_equal(model.forecast(3), expected, check_freq=False)

    def test_predict_with_inputs_that_it_does_not_read(self):
        model = Persistence().fit(np.zeros((4, 2)), [1, 5, 2, 4])
        assert model.predict(np.ones((3, 2))).tolist() == [4, 4, 4]

    def test_predict_ahead_is_the_value_k_rows_ago(self):
        model = Persistence().fit(None, [1.0, 2.0, 3.0])
        ahead = model.predict_ahead(None, [1, 5, 2, 4], steps=[1, 2])
        np.testing.assert_array_equal(ahead, [[nan, nan], [1, nan], [5, 1], [2, 5]])

    def test_simulate_holds_the_last_of_y_init(self):
        model = Persistence().fit(np.zeros((4, 1)), [1, 5, 2, 4])
        free = model.simulate(np.zeros((5, 1)), [7.0, 8.0])
        np.testing.assert_array_equal(free, [nan, nan, 8, 8, 8])

    def test_update_moves_the_value(self):
        y = daily([1, 5, 2, 4, 9, 3])
        model = Persistence().fit(None, y[:4])
        assert model.update(None, y[4:5]).forecast(2).tolist() == [9, 9]
        assert model.update(None, y[5:6]).forecast(1).index[0] == DAYS[6]

    def test_a_missing_value_is_the_one_before_it(self):
        model = Persistence().fit(None, daily([1, 5, nan, nan]))
        assert model.forecast(2).tolist() == [5, 5]
        ahead = model.predict_ahead(None, [1, nan, nan, 4, 2])
        np.testing.assert_array_equal(ahead, [nan, 1, 1, 1, 4])

    def test_output_range_clips(self):
        model = Persistence(output_range=(0, 3)).fit(None, [1, 2, 5])
        assert model.forecast(2).tolist() == [3, 3]
        assert model.update(None, [-2]).forecast(1).tolist() == [0]

    def test_output_range_by_a_column(self):
        X = pd.DataFrame({"limit": [9.0, 9.0, 9.0, 2.0, 7.0, nan]}, DAYS[:6])
        model = Persistence(output_range=(None, "limit")).fit(X[:3], daily([1, 2, 5]))
        assert model.predict(X[3:]).tolist() == [2, 5, 5]

    def test_several_outputs(self):
        y = pd.DataFrame({"p": [1.0, 2.0, 3.0], "q": [4.0, 5.0, 6.0]}, DAYS[:3])
        expected = pd.DataFrame({"p": [3.0] * 2, "q": [6.0] * 2}, DAYS[3:5])
        pd.testing.assert_frame_equal(
            Persistence().fit(None, y).forecast(2), expected, check_freq=False
        )

    def test_each_series_has_its_own(self):
        y = pd.concat([daily([1, 2, 3]), daily([7, 8])], keys=["a", "b"])
        forecast = Persistence().fit(None, y).forecast(2)
        assert forecast["a"].tolist() == [3, 3] and forecast["b"].tolist() == [8, 8]
        assert forecast["b"].index[0] == DAYS[2]

    def test_a_seam_ends_its_knowledge(self):
        y = daily([1, 5, 2, 4, 9, 3]).drop(DAYS[3])
        ahead = Persistence().fit(None, y).predict_ahead(None, y)
        np.testing.assert_array_equal(ahead, [nan, 1, 5, nan, 9])


# --- seasonal naive ------------------------------------------------------------------------------


class TestSeasonalNaive:
    Y = daily([1, 2, 3, 4, 5, 6, 7])

    def test_the_last_season_again_and_again(self):
        assert SeasonalNaive(3).fit(None, self.Y).forecast(7).tolist() == [5, 6, 7, 5, 6, 7, 5]

    def test_the_default_is_a_day_of_hours(self):
        y = np.arange(60.0)
        assert SeasonalNaive().fit(None, y).forecast(26).tolist() == [*range(36, 60), 36, 37]

    @pytest.mark.parametrize(
        ("freq", "period"), [("MS", 12), ("QE", 4), ("D", 7), ("h", 24), ("B", 5), ("YS", 1)]
    )
    def test_the_season_comes_from_the_clock(self, freq, period):
        index = pd.date_range("2000-01-01", periods=60, freq=freq)
        for labels in (index, index[np.ones(60, dtype=bool)]):
            y = pd.Series(np.arange(60.0), labels)
            model = SeasonalNaive().fit(None, y)
            assert model.period_ == model.max_lag_ == period
            assert model.forecast(2).tolist() == [y.iloc[-period], y.iloc[-period + (period > 1)]]
            assert SeasonalNaive(6).fit(None, y).period_ == 6
        assert clone(model).period is None

    def test_the_season_of_periods_and_of_the_clock_of_X(self):
        y = np.arange(60.0)
        months = pd.period_range("2000-01", periods=60, freq="M")
        assert SeasonalNaive().fit(None, pd.Series(y, months)).period_ == 12
        X = pd.DataFrame({"a": y}, pd.date_range("2000", periods=60, freq="QS"))
        assert SeasonalNaive().fit(X, y).period_ == 4

    def test_the_season_of_a_panel_is_that_of_its_longest_series(self):
        parts = {"a": ("MS", 20), "b": ("D", 40)}
        y = pd.concat(
            {
                key: pd.Series(1.0, pd.date_range("2000", periods=n, freq=freq))
                for key, (freq, n) in parts.items()
            }
        )
        assert SeasonalNaive().fit(None, y).period_ == 7

    def test_a_series_shorter_than_the_season_of_its_clock_is_refused_in_words_of_seasons(self):
        minutes = pd.date_range("2024-01-01", periods=500, freq="min")
        with pytest.raises(ValueError) as error:
            SeasonalNaive().fit(None, pd.Series(1.0, minutes))
        assert str(error.value) == (
            "y has 500 rows, but the clock's season of 1440 rows needs at least 1442: give a "
            "longer series or a smaller period."
        )

    def test_without_a_step_the_season_is_24_rows(self):
        y = np.arange(60.0)
        irregular = pd.Timestamp("2000") + pd.to_timedelta(np.arange(60) ** 2, unit="s")
        for values in (y, pd.Series(y), pd.Series(y, irregular)):
            assert SeasonalNaive().fit(None, values).period_ == 24

    def test_predict_ahead_repeats_what_was_measured_by_then(self):
        ahead = SeasonalNaive(3).fit(None, self.Y).predict_ahead(None, self.Y, steps=[1, 3, 4])
        # row 6 (value 7), 4 steps ahead: origin row 2, the season is rows 0, 1, 2, its first again
        np.testing.assert_array_equal(ahead[6], [4, 4, 1])
        np.testing.assert_array_equal(ahead[3], [1, nan, nan])
        np.testing.assert_array_equal(ahead[5], [3, 3, nan])
        assert np.isnan(ahead[:3]).all()

    def test_simulate_and_update(self):
        model = SeasonalNaive(2).fit(np.zeros((7, 1)), self.Y)
        free = model.simulate(np.zeros((6, 1)), [8.0, 9.0, 10.0])
        np.testing.assert_array_equal(free, [nan, nan, nan, 9, 10, 9])
        model.update(np.zeros((1, 1)), [0.0])
        assert model.predict(np.zeros((3, 1))).tolist() == [7, 0, 7]

    def test_a_missing_value_is_that_of_the_season_before(self):
        y = self.Y.copy()
        y.iloc[[4, 6]] = nan  # 2 and 4 took their place
        assert SeasonalNaive(3).fit(None, y).forecast(3).tolist() == [2, 6, 4]

    def test_a_value_that_was_never_measured_is_missing(self):
        y = self.Y.copy()
        y.iloc[[0, 3, 6]] = nan
        with pytest.warns(UserWarning, match="missing"):
            forecast = SeasonalNaive(3).fit(None, y).forecast(6)
        np.testing.assert_array_equal(forecast, [5, 6, nan, 5, 6, nan])

    def test_output_range_clips(self):
        model = SeasonalNaive(3, output_range=(5.5, 6.5)).fit(None, self.Y)
        assert model.forecast(3).tolist() == [5.5, 6, 6.5]


# --- climatology ---------------------------------------------------------------------------------


HOUR = pd.Timedelta(1, "h")


class TestClimatology:
    HOURS = pd.date_range("2023-01-31", periods=48, freq="h")  # a day of January, one of February
    Y = pd.Series(np.arange(48.0), HOURS, name="y")

    def test_the_mean_of_the_same_month_and_hour(self):
        index = pd.date_range("2023-01-01", periods=24 * 59, freq="h")
        y = pd.Series(np.random.default_rng(0).normal(size=len(index)), index)
        model = Climatology().fit(None, y)
        ahead = model.predict_ahead(None, y, steps=5)
        for row in (4, 100, 1000):
            alike = (index.month == index[row].month) & (index.hour == index[row].hour)
            assert ahead[row] == pytest.approx(y[alike].mean())
        assert np.isnan(ahead[:4]).all() and np.isfinite(ahead[4:]).all()

    def test_forecast_and_predict_by_their_time_stamps(self):
        weekly = daily([0, 0, 0, 0, 0, 7, 7] * 2)
        model = Climatology(by=("day_of_week",)).fit(None, weekly)
        expected = pd.Series([0.0, 0, 0, 0, 0, 7, 7, 0], DAYS[14:22], name="y")
        pd.testing.assert_series_equal(model.forecast(8), expected, check_freq=False)
        X = pd.DataFrame({"x": 0.0}, DAYS)
        model.fit(X[:14], weekly)
        assert model.predict(X[14:22]).tolist() == expected.tolist()

    def test_arrays_are_taken_to_follow_on_the_clock(self):
        y = daily([0, 1, 2, 3, 4, 5, 6] * 2)
        model = Climatology(by=("day_of_week",)).fit(np.zeros((14, 1)), y)
        assert model.forecast(X=np.zeros((3, 1))).tolist() == [0, 1, 2]
        assert model.predict(np.zeros((3, 1))).tolist() == [0, 1, 2]

    def test_simulate_needs_no_initial_outputs(self):
        X = pd.DataFrame({"x": 0.0}, DAYS)
        model = Climatology(by=("day_of_week",)).fit(X[:14], daily([0, 0, 0, 0, 0, 7, 7] * 2))
        assert model.simulate(X[5:8]).tolist() == [7, 7, 0]
        np.testing.assert_array_equal(model.simulate(X[5:8], [3.0]), [nan, 7, 0])

    def test_update_moves_the_clock_not_the_means(self):
        weekly = daily([0, 0, 0, 0, 0, 7, 7] * 2 + [100])
        model = Climatology(by=("day_of_week",)).fit(None, weekly[:14])
        model.update(None, weekly[14:])
        assert model.forecast(1).index[0] == DAYS[15]
        assert model.forecast(7).tolist() == [0, 0, 0, 0, 7, 7, 0]

    def test_missing_values_and_weights_count_in_the_mean(self):
        y = daily([1, 2, 3, 4, 5, 6, 7, nan, 4, 5, 8, 7, 8, 9])
        weight = np.repeat([1.0, 3.0], 7)
        means = Climatology(by=("day_of_week",)).fit(None, y).means_[0]
        assert means.tolist() == [1, 3, 4, 6, 6, 7, 8]
        weighted = Climatology(by=("day_of_week",)).fit(None, y, sample_weight=weight).means_[0]
        assert weighted.tolist() == [1, 3.5, 4.5, 7, 6.5, 7.5, 8.5]

    def test_what_was_never_seen_is_missing(self):
        model = Climatology(by=("hour",)).fit(None, self.Y[:12])
        with pytest.warns(UserWarning):
            forecast = model.forecast(14)
        assert np.isnan(forecast[:12]).all() and forecast[12:].tolist() == [0, 1]

    def test_output_range_clips(self):
        weekly = daily([0, 0, 0, 0, 0, 7, 7] * 2)
        model = Climatology(by=("day_of_week",), output_range=(1, 5)).fit(None, weekly)
        assert model.forecast(7).tolist() == [1, 1, 1, 1, 1, 5, 5]

    def test_periods_have_fields_too(self):
        y = pd.Series(np.arange(24.0), pd.period_range("2020-01", periods=24, freq="M"))
        forecast = Climatology(by=("month",)).fit(None, y).forecast(3)
        assert forecast.tolist() == [6, 7, 8]
        assert forecast.index.equals(pd.period_range("2022-01", periods=3, freq="M"))

    def test_an_output_without_a_weight_is_named(self):
        two = pd.DataFrame({"p": self.Y, "q": self.Y.where(np.arange(48) < 24)})
        with pytest.raises(ValueError, match="no measured row has a weight for output 'q': give"):
            Climatology().fit(None, two, sample_weight=np.arange(48) >= 24)

    @pytest.mark.parametrize("by", [("month", "hour"), ("hour",)])
    def test_elapsed_times_have_no_calendar(self, by):
        elapsed = self.Y.set_axis(pd.timedelta_range(0, periods=48, freq="h"))
        panel = pd.concat({"a": elapsed, "b": elapsed})
        for y in (elapsed, panel):
            with pytest.raises(ValueError, match="labelled by elapsed times, which have no cal"):
                Climatology(by=by).fit(None, y)
        dated = elapsed.set_axis(self.HOURS[0] + elapsed.index)  # the remedy
        assert Climatology(by=by).fit(None, dated).forecast(1).index[0] == self.HOURS[-1] + HOUR

    def test_elapsed_times_have_no_calendar_later_either(self):
        y = daily([0, 0, 0, 0, 0, 7, 7] * 2)
        model = Climatology(by=("day_of_week",)).fit(None, y)
        with pytest.raises(ValueError, match="labelled by elapsed times, but the last rows seen"):
            model.predict_ahead(None, y.set_axis(y.index - y.index[0]))

    @pytest.mark.parametrize("by", [[1], [None, "month"], [["month"]], [["month"], "hour"]])
    def test_fields_have_names(self, by):
        with pytest.raises(ValueError, match=r"by must be a sequence of names of fields, such as"):
            Climatology(by=by).fit(None, self.Y)


# --- smart persistence ---------------------------------------------------------------------------

SUN = np.array([0.0, 100, 400, 100] * 3)  # four rows a day, the first of them night


def sunny(values=SUN, name="sun"):
    return pd.DataFrame({"other": nan, name: values}, DAYS[: len(values)])


def smart(**params):
    return SmartPersistence(**{"clear_sky": "sun", "memory": 4, **params})


class TestSmartPersistence:
    X = sunny()
    Y = daily([0, 50, 300, 80, 0, 90, 100, 20, 0, 0, 0, 0])  # indices .5 .75 .8 | .9 .25 .2 | 0 0 0

    def test_the_last_index_times_the_clear_sky(self):
        model = smart().fit(self.X[:7], self.Y[:7])
        expected = pd.Series(0.25 * SUN[7:], DAYS[7:12], name="y")
        pd.testing.assert_series_equal(model.forecast(X=self.X[7:]), expected, check_freq=False)
        np.testing.assert_array_equal(model.predict(self.X[7:]), expected)

    def test_is_kept_through_the_night(self):
        model = smart().fit(self.X[:9], self.Y[:9])
        np.testing.assert_allclose(model.predict(self.X[9:]), 0.2 * SUN[9:])

    def test_predict_ahead_by_hand(self):
        ahead = smart().fit(self.X, self.Y).predict_ahead(self.X, self.Y, steps=[1, 3])
        index = [0.5, 0.75, 0.8, 0.8, 0.9, 0.25, 0.2, 0.2, 0, 0, 0]  # after rows 1..11
        expected = [SUN[t] * index[t - 2] for t in range(4, 12)]
        np.testing.assert_allclose(ahead[4:, 0], expected)
        np.testing.assert_allclose(ahead[6:, 1], [SUN[t] * index[t - 4] for t in range(6, 12)])
        assert np.isnan(ahead[:4]).all() and np.isnan(ahead[4:6, 1]).all()

    def test_predict_ahead_reads_no_output_of_the_steps_between(self):
        rng = np.random.default_rng(0)
        model = smart().fit(self.X, self.Y)
        for t in range(6, 12):
            y = self.Y.copy()
            y.iloc[t - 2 :] = rng.normal(size=len(y) - t + 2)
            ahead = [model.predict_ahead(self.X, values, steps=3)[t] for values in (self.Y, y)]
            assert ahead[0] == ahead[1]

    def test_simulate_and_update(self):
        model = smart().fit(self.X[:8], self.Y[:8])
        free = model.simulate(self.X, self.Y[:5])
        np.testing.assert_allclose(free[5:], 0.8 * SUN[5:])
        assert np.isnan(free[:5]).all()
        model.update(self.X[8:9], [0.0])
        np.testing.assert_allclose(model.predict(self.X[9:]), 0.2 * SUN[9:])
        model.update(self.X[9:10], [70.0])
        np.testing.assert_allclose(model.predict(self.X[10:]), 0.7 * SUN[10:])

    def test_backtest(self):
        run = backtest(smart().fit(self.X, self.Y), self.X, self.Y, steps=2)
        assert run["origin"].unique().tolist() == DAYS[3:10].tolist()
        first = run[run["origin"] == DAYS[4]]
        np.testing.assert_allclose(first["y_hat"], [80, 320])

    @pytest.mark.parametrize("threshold, index", [(50, 0.2), (99.9, 0.2), (100, 0.25), (300, 0.25)])
    def test_the_threshold_is_exceeded(self, threshold, index):
        model = smart(threshold=threshold).fit(self.X[:8], self.Y[:8])
        np.testing.assert_allclose(model.predict(self.X[8:]), index * SUN[8:])

    def test_after_a_longer_night_than_its_memory_the_index_is_the_mean_one(self):
        sun = np.array([100.0, 400, 0, 0, 0, 0, 200, 300])
        X, y = sunny(sun), daily([50, 350, 0, 0, 0, 0, 20, 90])
        model = smart(memory=3).fit(X[:5], y[:5])
        assert model.index_ == pytest.approx([0.8])
        np.testing.assert_allclose(model.predict(X[5:]), 0.8 * sun[5:])

    def test_the_mean_index_heeds_weights_and_missing_values(self):
        X, y = sunny([100, 400, 0, 200, 100, nan]), daily([50, nan, 0, 20, 100, 300])
        weight = [1.0, 1, 1, 2, 0, 1]
        model = smart(memory=1).fit(X, y, sample_weight=weight)
        assert model.index_ == pytest.approx([(50 + 2 * 20) / (100 + 2 * 200)])

    def test_a_missing_value_leaves_the_index_before_it(self):
        y = self.Y.copy()
        y.iloc[[6, 7]] = nan
        model = smart().fit(self.X[:8], y[:8])
        np.testing.assert_allclose(model.predict(self.X[8:]), 0.9 * SUN[8:])
        y.iloc[1] = nan  # before it could be filled: no index
        ahead = smart(memory=3).fit(self.X, y).predict_ahead(self.X, y, steps=1)
        assert ahead[5] == pytest.approx(0.8 * 100)

    def test_a_missing_clear_sky_costs_its_own_rows(self):
        X = self.X.copy()
        X.iloc[[6, 10], 1] = nan
        model = smart().fit(X[:7], self.Y[:7])
        with pytest.warns(UserWarning, match="missing"):
            answer = model.predict(X[7:])
        np.testing.assert_allclose(answer, 0.9 * np.array([100, 0, 100, nan, 100]))

    def test_arrays_name_it_by_position(self):
        X, y = self.X.to_numpy(), self.Y.to_numpy()
        model = smart(clear_sky=1).fit(X[:7], y[:7])
        np.testing.assert_array_equal(model.predict(X[7:]), 0.25 * SUN[7:])

    def test_output_range_by_the_clear_sky_itself(self):
        model = smart(output_range=(0, "sun")).fit(self.X[:7], 8 * self.Y[:7])
        np.testing.assert_array_equal(model.predict(self.X[7:]), SUN[7:])

    def test_several_outputs_have_an_index_each(self):
        y = pd.DataFrame({"p": self.Y, "q": 2 * self.Y})
        y.iloc[6, 1] = nan
        forecast = smart().fit(self.X[:7], y[:7]).forecast(X=self.X[7:])
        np.testing.assert_allclose(forecast["p"], 0.25 * SUN[7:])
        np.testing.assert_allclose(forecast["q"], 1.8 * SUN[7:])

    def test_each_series_has_its_own(self):
        X = pd.concat([self.X[:7], self.X[:6]], keys=["a", "b"])
        y = pd.concat([self.Y[:7], self.Y[:6]], keys=["a", "b"])
        later = pd.concat([self.X[7:9], self.X[6:8]], keys=["a", "b"])
        forecast = smart(memory=3).fit(X, y).forecast(X=later)
        np.testing.assert_allclose(forecast["a"], [25, 0])
        np.testing.assert_allclose(forecast["b"], [360, 90])

    def test_a_seam_ends_its_memory(self):
        X, y = self.X.drop(DAYS[5]), self.Y.drop(DAYS[5])
        ahead = smart(memory=2).fit(X, y).predict_ahead(X, y)
        assert np.isnan(ahead[[0, 1, 5, 6]]).all()
        np.testing.assert_allclose(ahead[7:9], [0, 20])

    @pytest.mark.parametrize(
        "params, sentence",
        [
            ({"clear_sky": "moon"}, "clear_sky names the column 'moon', but X has the columns"),
            ({"clear_sky": 1}, "clear_sky names the column 1, but X has the columns"),
            ({"clear_sky": None}, "The 'clear_sky' parameter of SmartPersistence must be"),
            ({"threshold": -1}, "The 'threshold' parameter of SmartPersistence must be a float"),
            ({"threshold": 400}, "above the threshold of 400, .* the highest is 400: give rows"),
            ({"memory": 0}, "The 'memory' parameter of SmartPersistence must be an int"),
            (
                {"memory": 11},
                "y has 12 rows, but a memory of 11 rows needs at least 13: give a longer series or "
                "a smaller memory.",
            ),
        ],
    )
    def test_refuses(self, params, sentence):
        with pytest.raises(ValueError, match=sentence):
            smart(**params).fit(self.X, self.Y)

    def test_an_output_that_is_measured_by_night_alone_is_named(self):
        two = pd.DataFrame({"p": self.Y, "q": np.where(self.X["sun"] > 50, nan, self.Y)})
        with pytest.raises(ValueError, match="no measured row for output 'q' has a clear sky abo"):
            smart().fit(self.X, two)

    def test_needs_the_clear_sky_ahead_and_nothing_else(self):
        model = smart().fit(self.X[:8], self.Y[:8])
        with pytest.raises(ValueError, match=r"3 steps need the columns \['sun'\] of X"):
            model.forecast(3, X=self.X[8:][["other"]])
        forecast = model.forecast(X=self.X[8:][["sun"]])
        np.testing.assert_allclose(forecast, 0.2 * SUN[8:])

    def test_needs_inputs(self):
        with pytest.raises(ValueError, match=r"but X has the columns \[\]"):
            smart().fit(None, self.Y)


# --- ARX -----------------------------------------------------------------------------------------


def narma(n=300):
    X, y = make_narma10(n, random_state=0)
    index = pd.date_range("2024-01-01", periods=n, freq="h")
    return pd.DataFrame(X, index, ["u"]), pd.Series(y, index, name="y")


def taps_of(X, y, output_lags, input_lags):
    n, first = len(y), max(*output_lags, *input_lags)
    y, X = np.asarray(y), np.asarray(X)[:, 0]
    return np.column_stack(
        [y[first - lag : n - lag] for lag in output_lags]
        + [X[first - lag : n - lag] for lag in input_lags]
    )


def ridge(alpha):
    return make_pipeline(StandardScaler(), Ridge(alpha))


class TestARX:
    @pytest.mark.parametrize("alpha", [1e-2, 10.0, 1e4])
    def test_is_ridge_regression_on_standardised_taps(self, alpha):
        X, y = narma()
        model = ARX(input_lags=1, output_lags=3, alphas=[alpha]).fit(X, y)
        Z = taps_of(X, y, [1, 2, 3], [0, 1])
        expected = ridge(alpha).fit(Z, y[3:]).predict(Z)
        np.testing.assert_allclose(model.predict_ahead(X, y)[3:], expected, atol=1e-9)
        assert model.alpha_ == alpha and model.coef_.shape == (5, 1)

    def test_its_penalty_is_chosen_on_the_last_block(self):
        X, y = narma()
        noise = np.random.default_rng(0).normal(size=(300, 30))
        wide = pd.DataFrame(np.column_stack([X, noise]), X.index).set_axis([*range(31)], axis=1)
        wide.columns = [f"x{i}" for i in range(31)]
        model = ARX(input_lags=0, output_lags=1, validation_fraction=0.25).fit(wide, y)
        Z = np.column_stack([y[:-1], wide[1:]])
        first, last = slice(0, 224), slice(224, 299)  # rows 1..224 and the last 75
        errors = {
            alpha: np.mean((ridge(alpha).fit(Z[first], y[1:][first]).predict(Z[last])
                            - y[1:][last]) ** 2)
            for alpha in (1e-2, 1e-1, 1.0, 1e1, 1e2, 1e3, 1e4)
        }  # fmt: skip
        best = min(errors, key=errors.get)
        assert model.alpha_ == best and best not in (1e-2, 1e4)
        expected = ridge(best).fit(Z, y[1:]).predict(Z)
        np.testing.assert_allclose(model.predict_ahead(wide, y)[1:], expected, atol=1e-9)

    def test_free_run_feeds_back_its_own_output(self):
        X, y = narma()
        model = ARX(input_lags=1, output_lags=3, alphas=[1.0]).fit(X[:250], y[:250])
        Z = taps_of(X[:250], y[:250], [1, 2, 3], [0, 1])
        plain = ridge(1.0).fit(Z, y[3:250])
        path, u = y[:250].tolist(), X["u"].to_numpy()
        for t in range(250, 270):
            path.append(plain.predict([[path[-1], path[-2], path[-3], u[t], u[t - 1]]])[0])
        np.testing.assert_allclose(model.predict(X[250:270]), path[250:], atol=1e-9)
        pd.testing.assert_series_equal(
            model.forecast(X=X[250:270]), pd.Series(path[250:], X.index[250:270], name="y"),
            check_freq=False, rtol=1e-9,
        )  # fmt: skip

    def test_simulate_and_update(self):
        X, y = narma()
        model = ARX(input_lags=1, output_lags=3).fit(X[:250], y[:250])
        free = model.simulate(X[200:], y[200:250])
        np.testing.assert_allclose(free[50:], model.predict(X[250:]), atol=1e-12)
        assert np.isnan(free[:50]).all()
        alpha, theta = model.alpha_, model.theta_.copy()
        model.update(X[250:260], y[250:260])
        assert model.alpha_ == alpha and (model.theta_ == theta).all()
        free = model.simulate(X[200:], y[200:260])
        np.testing.assert_allclose(free[60:], model.predict(X[260:]), atol=1e-12)

    def test_output_range_clips_in_the_loop(self):
        y = 1.1 ** np.arange(40)
        model = ARX(output_lags=1, alphas=[1e-9], output_range=(None, 50.0)).fit(None, y)
        forecast = model.forecast(5).to_numpy()
        np.testing.assert_allclose(forecast, np.minimum(1.1 ** np.arange(40, 45), 50), rtol=1e-6)

    def test_rows_with_missing_values_are_left_out(self):
        X, y = narma()
        X, y = X.copy(), y.copy()
        X.iloc[50], y.iloc[120] = nan, nan
        with pytest.warns(UserWarning, match="3 of 299 rows were left out"):
            model = ARX(input_lags=0, output_lags=[1], alphas=[1.0]).fit(X, y)
        Z = taps_of(X, y, [1], [0])
        keep = np.isfinite(Z).all(axis=1) & np.isfinite(y[1:]).to_numpy()
        assert (~keep).sum() == 3
        plain = make_pipeline(StandardScaler(), Ridge(1.0)).fit(Z[keep], y[1:][keep])
        ahead = model.predict_ahead(X, y)[1:]
        np.testing.assert_allclose(ahead[keep], plain.predict(Z[keep]), atol=1e-9)

    @pytest.mark.parametrize("params", [{}, {"input_lags": [1], "output_lags": []}])
    def test_an_output_without_a_complete_row_is_named(self, params):
        X, y = narma()
        rare = np.full(len(y), nan)
        rare[:20] = y[:20]
        two, weight = pd.DataFrame({"p": y, "q": rare}), np.arange(len(y)) >= 20
        sentence = "no row has all its taps and its target for output 'q': too many values are"
        with pytest.raises(ValueError, match=sentence):
            ARX(**params).fit(X, two, sample_weight=weight)
        with pytest.raises(ValueError, match="its target for output 1: too many"):
            ARX(**params).fit(X, two.to_numpy(), sample_weight=weight)

    def test_an_output_that_is_measured_at_the_end_alone(self):
        """The penalty cannot be chosen on rows that the training of one output lacks."""
        X, y = narma()
        late = np.where(np.arange(len(y)) < len(y) - 20, nan, y)
        params = {"input_lags": [0, 1], "output_lags": [], "alphas": [1.0, 10.0]}
        model = ARX(**params).fit(X, np.c_[y, late])
        assert model.alpha_ == 1.0
        alone = ARX(**{**params, "alphas": [1.0]}).fit(X[-21:], y[-21:])
        np.testing.assert_allclose(model.predict_ahead(X, np.c_[y, late])[-9:, 1],
                                   alone.predict_ahead(X, y)[-9:])  # fmt: skip

    def test_missing_history_is_filled_by_its_own_prediction(self):
        X, y = narma()
        model = ARX(input_lags=1, output_lags=3).fit(X[:250], y[:250])
        holey, filled = y.copy(), y.copy()
        holey.iloc[255] = nan
        filled.iloc[255] = model.predict_ahead(X, y)[255]
        np.testing.assert_allclose(
            model.predict_ahead(X, holey, 4), model.predict_ahead(X, filled, 4), atol=1e-12
        )

    def test_several_outputs_are_ridge_regressions_side_by_side(self):
        X, y = narma()
        two = pd.DataFrame({"p": y, "q": np.sin(20 * y)})
        model = ARX(input_lags=0, output_lags=1, alphas=[1.0]).fit(X, two)
        Z = np.column_stack([two["p"][:-1], two["q"][:-1], X[1:]])
        expected = ridge(1.0).fit(Z, two[1:]).predict(Z)
        np.testing.assert_allclose(model.predict_ahead(X, two)[1:], expected, atol=1e-9)

    def test_weights_are_those_of_ridge(self):
        """Taps are standardised and errors are summed with the weights of the rows."""
        X, y = narma()
        weight = np.random.default_rng(0).uniform(0.1, 3, 300)
        model = ARX(input_lags=0, output_lags=1, alphas=[1e-9]).fit(X, y, sample_weight=weight)
        Z = taps_of(X, y, [1], [0])
        plain = Ridge(1e-9).fit(Z, y[1:], sample_weight=weight[1:])
        np.testing.assert_allclose(model.predict_ahead(X, y)[1:], plain.predict(Z), atol=1e-8)

    def test_units_do_not_matter(self):
        X, y = narma()
        plain = ARX(1, 3).fit(X[:250], y[:250]).predict(X[250:])
        moved = ARX(1, 3).fit(1e3 * X[:250] - 7, 1e5 * y[:250] + 1e6).predict(1e3 * X[250:] - 7)
        np.testing.assert_allclose((moved - 1e6) / 1e5, plain, atol=1e-6)

    def test_the_last_block_of_each_segment_chooses_the_penalty(self):
        X, y = narma()
        labels, alphas = np.repeat([0, 1], 150), 10.0 ** np.arange(-2, 7)
        y = y + np.repeat([0.0, 0.3], 150)
        model = ARX(input_lags=0, output_lags=1, alphas=alphas, validation_fraction=0.3)
        model.fit(X, y, segments=labels)
        Z = np.concatenate([taps_of(X[s], y[s], [1], [0]) for s in (slice(150), slice(150, 300))])
        t = np.concatenate([y[1:150], y[151:300]])
        last = np.tile(np.arange(1, 150) >= 105, 2)
        errors = [
            np.mean((ridge(alpha).fit(Z[~last], t[~last]).predict(Z[last]) - t[last]) ** 2)
            for alpha in alphas
        ]
        assert model.alpha_ == alphas[np.argmin(errors)]
        expected = ridge(model.alpha_).fit(Z, t).predict(Z)
        ahead = model.predict_ahead(X, y, segments=labels)
        np.testing.assert_allclose(ahead[np.isfinite(ahead)], expected, atol=1e-9)


# --- ARX about a level ---------------------------------------------------------------------------


def wander(n=120, n_outputs=1, seed=0):
    """Return outputs that wander far from their mean, and inputs that move them."""
    rng = np.random.default_rng(seed)
    u = 3 + rng.normal(size=(n, 2))
    return u, 50 + np.cumsum(rng.normal(size=(n, n_outputs)), axis=0) + u[:, [0]]


class TestLevel:
    @pytest.mark.parametrize("alpha", [1e-2, 10.0, 1e4])
    @pytest.mark.parametrize("lags", [[1], [1, 2, 3], [2, 5]], ids=repr)
    @pytest.mark.parametrize("level", [0, 1, 2, 5, 9])
    def test_is_ridge_regression_of_deviations(self, level, lags, alpha):
        _, y = wander()
        model = ARX(output_lags=lags, alphas=[alpha], level=level).fit(None, y)
        expected = reference.levelled_ridge(y, lags, level, alpha)
        assert model.max_lag_ == max(*lags, level)
        np.testing.assert_allclose(model.predict_ahead(None, y), expected, rtol=1e-8)

    @pytest.mark.parametrize("level", [0, 1, 4])
    def test_two_outputs_with_inputs_weights_and_gaps(self, level):
        u, y = wander(n_outputs=2)
        y[40, 0] = y[70:73] = nan
        weight = np.random.default_rng(1).uniform(0, 3, len(y))
        weight[10:20] = 0
        model = ARX(input_lags=[0], output_lags=2, alphas=[5.0], level=level)
        with pytest.warns(UserWarning, match="left out of training"):
            model.fit(u, y, sample_weight=weight)
        expected = reference.levelled_ridge(y, [1, 2], level, 5.0, u, weight)
        known = np.isfinite(expected).all(axis=1)
        ahead = model.predict_ahead(u, y)
        np.testing.assert_allclose(ahead[known], expected[known], rtol=1e-8)

    def test_a_large_penalty_leaves_the_level(self):
        _, y = wander()
        for level, left in ((0, 0.0), (1, y[-1, 0]), (4, y[-4:, 0].mean())):
            model = ARX(output_lags=2, alphas=[1e15], level=level).fit(None, y)
            assert model.forecast(1).to_numpy() == pytest.approx(left, abs=1e-6)

    def test_a_level_that_is_the_only_tap(self):
        _, y = wander()
        for lags, level in (([1], 1), ([(1, 3)], 3), ([], 3)):
            model = ARX(output_lags=lags, level=level).fit(None, y)
            assert model.forecast(1).to_numpy() == pytest.approx(y[-level:].mean())
        none = ARX(output_lags=[], level=0).fit(None, y)
        np.testing.assert_allclose(none.forecast(3), 0, atol=1e-12)

    @pytest.mark.parametrize("params", [{"level": 1}, {"level": 3, "drift": 1.0}, {"level": 12}])
    @pytest.mark.parametrize("a, b", [(-700.0, 1e-3), (1e4, 20.0), (3.0, -1.0)])
    def test_forecasts_shift_and_scale_with_the_series(self, params, a, b):
        u, y = wander()
        model = ARX(input_lags=[1], output_lags=3, **params)
        plain = model.fit(u[:100], y[:100]).predict(u[100:])
        moved = model.fit(u[:100], a + b * y[:100]).predict(u[100:])
        np.testing.assert_allclose((moved - a) / b, plain, rtol=1e-6)

    def test_forecasts_about_zero_scale_and_do_not_shift(self):
        _, y = wander()
        model = ARX(output_lags=3, level=0, alphas=[10.0])
        plain = model.fit(None, y).forecast(9)
        pd.testing.assert_frame_equal(model.fit(None, -7 * y).forecast(9) / -7, plain)
        assert (model.fit(None, y + 100).forecast(9) - 100 - plain).abs().to_numpy().max() > 1e-3

    def test_its_penalty_is_chosen_on_the_last_block(self):
        _, y = wander(n_outputs=1, seed=3)
        alphas = (1e-2, 1.0, 1e2, 1e4)
        model = ARX(output_lags=5, level=3, alphas=alphas, validation_fraction=0.25).fit(None, y)
        first = np.arange(len(y)) < 90
        ahead = [reference.levelled_ridge(y, range(1, 6), 3, a, weight=1.0 * first) for a in alphas]
        assert model.alpha_ == alphas[np.argmin([np.mean((f - y)[90:] ** 2) for f in ahead])]

    def test_deviations_that_are_zero_but_for_rounding(self):
        """What is left of their squares may be negative, and then has no root."""
        segments = np.repeat([0, 1], [2, 20])
        for value in np.linspace(0.1, 5, 100):
            y = np.r_[1.0, 5.7, np.full(20, value)]
            with warnings.catch_warnings():
                warnings.simplefilter("error", RuntimeWarning)
                warnings.filterwarnings("ignore", "y is 5.7 in row 1")
                model = ARX(output_lags=[1, 2, 4], level=3).fit(None, y, segments=segments)
            np.testing.assert_allclose(model.forecast(2), value)

    # --- drift
    @pytest.mark.parametrize("level, lags", [(1, [1]), (4, 1), (2, [1, 3, 7]), (12, 3)])
    def test_lines_of_several_outputs_go_on(self, level, lags):
        t = np.arange(60.0)[:, None]
        y = np.hstack([5 + 2 * t, 1e3 - 0.3 * t])
        model = ARX(output_lags=lags, level=level, drift=1.0).fit(None, y[:40])
        np.testing.assert_allclose(model.forecast(20), y[40:], rtol=1e-9)
        rises = model.set_params(drift=0.25).fit(None, y[:40]).forecast(2)
        if level == 1 and lags == [1]:
            np.testing.assert_allclose(rises, y[39] + [[0.5, -0.075], [1.0, -0.15]])

    def test_the_slope_is_that_of_polyfit_within_each_segment(self):
        rng = np.random.default_rng(0)
        t, series = np.arange(50.0), np.repeat([0.0, 300.0], 25)
        y, weight = 0.7 * t + series + rng.normal(size=50), rng.uniform(0, 2, 50)
        y[7], weight[30:33] = nan, 0
        known = np.isfinite(y)
        means = np.stack([series == 0, series > 0], axis=1)
        lines = (np.c_[t, means] * np.sqrt(weight)[:, None])[known]
        slope = np.linalg.lstsq(lines, (y * np.sqrt(weight))[known])[0][0]
        segments = Segments(np.empty((50, 0)), y[:, None], np.array([0, 25, 50]))
        np.testing.assert_allclose(slopes_of_lines(segments, weight), [slope])

    def test_rows_without_two_labels_have_no_slope(self):
        segments = Segments(np.empty((3, 0)), np.array([[1.0], [nan], [9.0]]), np.array([0, 2, 3]))
        assert slopes_of_lines(segments, np.ones(3)).tolist() == [0]

    def test_each_series_of_a_panel_has_its_level(self):
        y = pd.concat({"a": daily(np.arange(30.0)), "b": daily(1e3 + np.arange(20.0))})
        model = ARX(output_lags=1, level=2, drift=1.0).fit(None, y)
        np.testing.assert_allclose(model.forecast(2), [30, 31, 1020, 1021])
        model.update(None, pd.concat({"b": daily(np.arange(25.0))[20:]}))
        np.testing.assert_allclose(model.forecast(2), [30, 31, 25, 26])

    REFUSED = [
        ({"level": -1}, "The 'level' parameter of ARX must be an int in the range [0, 1000000] or "
                        "None. Got -1 instead."),
        ({"level": 2.0}, "The 'level' parameter of ARX must be an int in the range [0, 1000000] or "
                         "None. Got 2.0 instead."),
        ({"level": 10**7}, "The 'level' parameter of ARX must be an int in the range"),
        ({"level": 2, "drift": nan}, "The 'drift' parameter of ARX must be a float in the range "
                                     "(-inf, inf). Got nan instead."),
        ({"drift": 0.5}, "drift=0.5 needs a level that rises, but level is None: give a level of "
                         "at least 1 row, or no drift."),
        ({"level": 0, "drift": 1}, "drift=1 needs a level that rises, but level is 0: give"),
        ({"level": 39}, "y has 40 rows, but a level of 39 rows needs at least 41: give a longer "
                        "series or a smaller level."),
        ({"level": 39, "output_lags": 50}, "y has 40 rows, but lags up to 50 need at least 52"),
    ]  # fmt: skip

    @pytest.mark.parametrize("params, sentence", REFUSED)
    def test_a_sentence_for_each_bad_input(self, params, sentence):
        model = ARX(level=2).fit(None, np.arange(40.0))
        before = model.forecast(3)
        with pytest.raises(ValueError) as error:
            model.set_params(level=None).set_params(**params).fit(None, np.arange(40.0))
        assert str(error.value).startswith(sentence)
        pd.testing.assert_series_equal(model.forecast(3), before)

    def test_one_row_more_is_enough(self):
        assert ARX(output_lags=1, level=38).fit(None, np.arange(40.0)).max_lag_ == 38


# --- the published figures -----------------------------------------------------------------------


@pytest.mark.skipif(not FIGURES.is_file(), reason=f"the figures are not in {FIGURES.parent}")
@pytest.mark.parametrize("task, known", [("S0", "clear_sky"), ("S1", "ghi_clear")])
def test_the_figures_of_the_rolling_origin_protocol(task, known):
    """Train on 2017, forecast 24 hours from every hour of 2023; errors within 1 %."""
    data = load_solar()
    data["limit"] = 1.3 * data["ghi_clear"]
    train, test = (data[data.index.year == year] for year in (2017, 2023))
    columns, bounds = [known, "limit"], (0, "limit")
    models = {
        "persistence": Persistence(bounds),
        "seasonal_naive_24h": SeasonalNaive(24, bounds),
        "climatology": Climatology(output_range=bounds),
        "smart_persistence": SmartPersistence(known, output_range=bounds),
        "ridge_arx": ARX(1, 24, validation_fraction=61 / 365, output_range=bounds),
    }
    origins = np.arange(47, len(test) - 24)
    runs = {
        name: backtest(
            model.fit(train[columns], train["ghi"]), test[columns], test["ghi"], 24, origins
        )
        for name, model in models.items()
    }
    assert {len(run) for run in runs.values()} == {8_689 * 24}
    table = skill_table(runs, ridge="ridge_arx", seasonal="seasonal_naive_24h")
    published = pd.read_csv(FIGURES).query("task == @task").set_index("model")
    ours = table[["RMSE h=1", "RMSE h=8", "RMSE h=24", "RMSE mean", "MAE"]]
    theirs = published[["rmse_h1", "rmse_h8", "rmse_h24", "rmse_mean", "mae_mean"]]
    np.testing.assert_allclose(ours, theirs.loc[list(models)], rtol=0.01)
    skill = table.loc["ridge_arx", "skill vs persistence"]
    assert skill == pytest.approx(published.loc["ridge_arx", "skill_p_mean"], abs=0.005)
    naive = table.loc["ridge_arx", "skill vs naive"]
    assert naive == pytest.approx(published.loc["ridge_arx", "skill_b_mean"], abs=0.005)
    assert table.loc["ridge_arx", "ratio to ridge"] == 1
    naive = runs["persistence"].copy()  # the better of the two at each horizon
    is_season = naive["horizon"].isin(range(2, 24))
    naive["y_hat"] = naive["y_hat"].where(~is_season, runs["seasonal_naive_24h"]["y_hat"])
    pair = {"naive": naive, "climatology": runs["climatology"]}
    ours = skill_table(pair, ridge="naive", interval=True).loc["climatology"]
    theirs = published.loc["climatology", ["ratio_b_lo", "ratio_b_hi"]].to_numpy(dtype=float)
    np.testing.assert_allclose(ours[["ratio 2.5 %", "ratio 97.5 %"]], theirs, atol=0.005)


def test_arx_counts_the_rows_that_it_leaves_out():
    y = np.random.default_rng(0).normal(size=60)
    assert ARX(output_lags=2).fit(None, y).n_dropped_ == 0
    y[20] = np.nan
    with pytest.warns(UserWarning) as seen:
        model = ARX(output_lags=2).fit(None, y)
    assert model.n_dropped_ == 3  # the target itself and the two rows that it is history of
    assert [str(w.message) for w in seen] == [
        "3 of 58 rows were left out of training because of missing values."
    ]
