"""Data given side by side must fit: clocks, time zones, names, series, states."""

import copy
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from narxkit import ARX, NARX, Climatology, Persistence, backtest
from narxkit.rows.segments import Segments

FEW = {"hidden_layer_sizes": (3,), "max_iter": 5, "random_state": 0}
HOURS = pd.date_range("2024-01-01", periods=300, freq="h")


@pytest.fixture(scope="module")
def data():
    u = np.random.default_rng(0).normal(size=300)
    y = np.sin(np.arange(300) / 4) + u
    return pd.DataFrame({"u": u}, index=HOURS), pd.Series(y, index=HOURS, name="y")


def panel(**series):
    """Return a random panel from the time index of each series."""
    rng = np.random.default_rng(0)
    parts = [
        pd.Series(rng.normal(size=len(index)), pd.MultiIndex.from_product([[key], index]))
        for key, index in series.items()
    ]
    return pd.concat(parts)


class TestScore:
    """`score` looks at the clock of X or else of y, as `predict` does."""

    def test_training_rows_behind_a_scaler_are_refused(self, data):
        pipeline = make_pipeline(StandardScaler(), NARX(**FEW)).fit(*data)
        with pytest.raises(ValueError, match="use predict_ahead"):
            pipeline.score(*data)

    def test_a_gap_that_only_y_knows_is_refused(self, data):
        X, y = data
        model = NARX(**FEW).fit(X[:200].to_numpy(), y[:200])
        with pytest.raises(ValueError, match="give the rows in between to update"):
            model.score(X[250:].to_numpy(), y[250:])

    def test_rows_of_other_times_are_refused(self, data):
        X, y = data
        with pytest.raises(ValueError, match="the indexes of X and y differ, first in row 0"):
            NARX(**FEW).fit(X[:200], y[:200]).score(X[200:], y[100:200])

    def test_a_model_without_inputs_is_scored_without_X(self, data):
        _, y = data
        assert ARX(output_lags=24).fit(None, y[:250]).score(None, y[250:]) < 1


class TestNames:
    def test_outputs_in_another_order_are_refused(self, data):
        X, y = data
        Y = pd.DataFrame({"a": y, "b": 10 * y})
        model = NARX(**FEW).fit(X[:200], Y[:200])
        sentence = r"y has the columns \['b', 'a'\], but the model was fitted with \['a', 'b'\]"
        for verb in (model.predict_ahead, model.update, model.score):
            with pytest.raises(ValueError, match=sentence):
                verb(X[200:], Y[["b", "a"]][200:])
        with pytest.raises(ValueError, match="y_init has the columns"):
            model.simulate(X, Y[["b", "a"]][:5])

    def test_numbers_as_names_of_columns_are_names(self, data):
        X = pd.DataFrame(np.random.default_rng(0).normal(size=(300, 2)), columns=[20, 10])
        model = NARX(input_lags={10: [5], 20: [7]}, **FEW).fit(X, data[1].to_numpy())
        assert model.structure_.taps.input_lags == ((7,), (5,))
        with pytest.raises(ValueError, match=r"X has the columns \[10, 20\]"):
            model.predict(X[[10, 20]])


class TestTime:
    def test_calendar_fields_are_read_in_the_zone_of_fit(self):
        berlin = pd.date_range("2024-01-01", periods=300, freq="h", tz="Europe/Berlin")
        y = pd.Series(np.arange(300) % 24 * 1.0, index=berlin)
        model = Climatology(("hour",)).fit(None, y)
        assert_array_equal(model.predict_ahead(None, y.tz_convert("UTC")), y)
        assert_array_equal(model.update(None, y[-1:].shift(freq="h").tz_convert("UTC")), model)
        assert_array_equal(model.forecast(3), [13, 14, 15])

    def test_each_series_of_a_panel_has_its_own_clock(self):
        y = panel(
            a=pd.date_range("2014-01-06", periods=90, freq="W-MON"),
            b=pd.date_range("2014-01-07", periods=80, freq="W-TUE"),
            c=pd.date_range("2014-01-01", periods=70, freq="h"),
        )
        index = Persistence().fit(None, y).forecast(1).index
        assert [str(time) for _, time in index] == [
            "2015-09-28 00:00:00",
            "2015-07-21 00:00:00",
            "2014-01-03 22:00:00",
        ]

    def test_update_with_arrays_keeps_the_clock(self, data):
        X, y = data
        model = NARX(**FEW).fit(X[:200].to_numpy(), y[:200])
        model.update(X[200:290].to_numpy(), y[200:290].to_numpy())
        assert_array_equal(model.forecast(X=X[290:].to_numpy()).index, HOURS[290:])

    def test_an_irregular_clock_predicts_arrays_and_refuses_to_name_their_times(self, data):
        X, y = data
        seconds = np.cumsum(np.random.default_rng(0).integers(1, 10**6, 300))
        times = pd.Timestamp("2024-01-01") + pd.to_timedelta(seconds, unit="s")
        X, y = X.set_axis(times), y.set_axis(times)
        pipeline = make_pipeline(StandardScaler(), NARX(**FEW)).fit(X[:200], y[:200])
        assert np.isfinite(pipeline.predict(X[200:])).all()
        with pytest.raises(ValueError, match="the time stamps have no regular step"):
            pipeline[-1].forecast(X=X[200:].to_numpy())

    def test_predict_ahead_reads_an_index_of_another_kind(self, data):
        X, y = data
        model = NARX(**FEW).fit(X, y)
        periods = HOURS.to_period("h")
        ahead = model.predict_ahead(X.set_axis(periods), y.set_axis(periods))
        assert_array_equal(ahead, model.predict_ahead(X, y))

    def test_y_init_of_other_rows_is_refused(self, data):
        X, y = data
        with pytest.raises(ValueError, match="y_init holds the outputs of other rows"):
            NARX(**FEW).fit(X, y).simulate(X[250:], y[:24])


class TestState:
    def test_a_panel_and_a_single_series_do_not_mix(self, data):
        y = panel(a=HOURS, b=HOURS)
        with pytest.raises(ValueError, match=r"seen the series \['a', 'b'\]: give a MultiIndex"):
            Persistence().fit(None, y).update(None, data[1])
        with pytest.raises(ValueError, match="seen one series: give no MultiIndex"):
            Persistence().fit(None, data[1]).update(None, y)

    def test_a_shallow_copy_keeps_its_own_state(self, data):
        X, y = data
        model = NARX(**FEW).fit(X[:200], y[:200])
        before = model.predict(X[200:])
        shallow = copy.copy(model)
        model.update(X[200:], y[200:])
        assert_array_equal(shallow.predict(X[200:]), before)

    def test_a_fitted_model_does_not_hold_its_training_data(self, data):
        tail = NARX(**FEW).fit(*data)._history.tails[None]
        assert tail.X.base is None and tail.y.base is None

    def test_a_short_tail_names_its_series(self):
        y = panel(a=HOURS, b=HOURS[:1])
        with pytest.warns(UserWarning, match=r"the series \['b'\] have no segment of 3 rows"):
            model = NARX(**FEW).fit(None, y)
        with pytest.raises(ValueError, match="the last segment seen of series 'b' has 1 rows"):
            model.forecast(2)

    def test_a_series_without_a_name_is_refused(self):
        y = panel(a=HOURS)
        y.index = pd.MultiIndex.from_arrays([[np.nan] + ["a"] * 299, HOURS])
        with pytest.raises(ValueError, match="the series of row 0 has no name"):
            Persistence().fit(None, y)


class TestTraining:
    @pytest.mark.filterwarnings("ignore:.*left out of training")
    @pytest.mark.parametrize("lost", ["missing", "without weight"])
    def test_a_held_out_block_that_says_nothing_is_refused(self, data, lost):
        """Be it that its targets are missing or that they have no weight."""
        X, y = data
        weight = np.ones(300)
        if lost == "missing":
            y = y.where(np.arange(300) < 240)
        else:
            weight[-60:] = 0
        with pytest.raises(ValueError, match="the last 10% of each segment, held out for early"):
            NARX(early_stopping=True, **FEW).fit(X, y, sample_weight=weight)

    def test_an_error_in_one_restart_ends_the_others(self, data):
        calls = []

        def callback(iteration):
            calls.append(iteration.n_iter)
            raise RuntimeError("enough")

        with pytest.raises(RuntimeError, match="enough"):
            NARX(n_restarts=4, n_jobs=2, callback=callback, max_iter=1000, tol=0).fit(*data)
        assert len(calls) <= 4

    def test_an_interrupted_fit_says_so(self, data):
        import signal

        def interrupt(iteration):
            signal.raise_signal(signal.SIGINT)

        sentence = "^fit: Interrupted; the best parameters so far .* A second Ctrl-C during a fit"
        with pytest.warns(RuntimeWarning, match=sentence):
            model = NARX(callback=interrupt, random_state=0).fit(*data)
        assert model.stop_.name == "INTERRUPTED" and np.isfinite(model.theta_).all()


class TestBacktest:
    def test_labels_that_are_numbers_are_labels(self, data):
        y = data[1].set_axis(range(1000, 1300))
        model = Persistence().fit(None, y)
        run = backtest(model, None, y, 3)
        again = backtest(model, None, y, 3, origins=run["origin"].unique()[:4])
        pd.testing.assert_frame_equal(again, run[:12])

    def test_a_search_stands_for_its_best_model(self, data):
        search = GridSearchCV(NARX(**FEW), {"alpha": [1e-4]}, cv=TimeSeriesSplit(2)).fit(*data)
        pd.testing.assert_frame_equal(
            backtest(search, *data, 2), backtest(search.best_estimator_, *data, 2)
        )


def test_warnings_name_the_line_of_the_user(data):
    X, y = data
    model = NARX(**FEW).fit(X, y)
    model.theta_ = np.full_like(model.theta_, 50.0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.simulate(X, y[:4])
        model.predict_ahead(X, y, steps=9)
    assert [warning.filename for warning in caught] == [__file__] * 2


@pytest.mark.parametrize("n_inputs", [0, 2])
def test_segments_pickle_with_their_kernel_view(n_inputs):
    segments = Segments(np.ones((5, n_inputs)), np.ones((5, 1)), np.array([0, 5]))
    assert segments.measured.n == pickle.loads(pickle.dumps(segments)).measured.n == 5


class TestIndex:
    def test_a_frame_without_columns_stands_for_no_inputs(self, data):
        """So that models of y alone can be searched, scored and simulated."""
        _, y = data
        X = pd.DataFrame(index=y.index)
        search = GridSearchCV(ARX(), {"output_lags": [2, 24]}, cv=TimeSeriesSplit(2)).fit(X, y)
        model = search.best_estimator_
        assert np.isfinite(search.best_score_)
        assert_array_equal(model.forecast(3), ARX(**model.get_params()).fit(None, y).forecast(3))
        simulated = model.simulate(X, y[:24])
        assert np.isfinite(simulated[24:]).all() and simulated.shape == y.shape

    def test_a_forecast_keeps_the_names_of_the_index(self, data):
        _, y = data
        assert Persistence().fit(None, y.rename_axis("time")).forecast(2).index.name == "time"
        shops = panel(a=HOURS, b=HOURS).rename_axis(["shop", "time"])
        assert list(Persistence().fit(None, shops).forecast(2).index.names) == ["shop", "time"]

    def test_time_stamps_as_a_column_are_refused(self, data):
        X, y = data
        with pytest.raises(ValueError, match=r"the column 'time' of X holds time stamps: make it"):
            NARX(**FEW).fit(X.rename_axis("time").reset_index(), y.to_numpy())

    def test_labels_of_text_are_warned_of(self, data):
        y = data[1].set_axis(HOURS.strftime("%d.%m.%Y %H:%M"))
        with pytest.warns(UserWarning, match=r"the row labels of y are text, such as '01.01.2024"):
            Persistence().fit(None, y)

    def test_levels_the_wrong_way_round_are_refused(self, data):
        y = panel(a=HOURS, b=HOURS).swaplevel()
        with pytest.raises(ValueError, match=r"must be \(series, time\), but the first holds time"):
            Persistence().fit(None, y)

    def test_many_gaps_are_warned_of(self, data):
        X, y = data
        keep = np.random.default_rng(0).random(300) > 0.1
        with pytest.warns(UserWarning, match=r"segments, cut by gaps, labels or series, leave"):
            ARX(output_lags=14).fit(None, y[keep])


def test_backtest_names_what_it_was_given_instead_of_a_model(data):
    with pytest.raises(ValueError, match="model must be a fitted forecaster.*Got DataFrame"):
        backtest(data[0], NARX(), data[1])
