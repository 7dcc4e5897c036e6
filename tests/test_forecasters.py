"""The promises of the verbs: one class for each promise, on data small enough to check by hand."""

import copy
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from sklearn.model_selection import TimeSeriesSplit, cross_val_score

from narxkit import (
    ARX,
    NARX,
    TDNN,
    Climatology,
    ExponentialSmoothing,
    Persistence,
    SeasonalNaive,
    SmartPersistence,
)
from narxkit.datasets import make_narendra

HOURS = pd.date_range("2024-01-01", periods=400, freq="h")


def system(n=200, seed=0, n_outputs=1):
    """Return two inputs and outputs that depend on their own last two values and on the inputs."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 2))
    y = np.zeros((n, n_outputs))
    for t in range(2, n):
        push = np.tanh(X[t, 0]) + 0.5 * X[t - 1, 1]
        y[t] = 0.6 * y[t - 1] - 0.2 * y[t - 2, ::-1] + push + 0.05 * rng.normal(size=n_outputs)
    return X, y if n_outputs > 1 else y[:, 0]


def frames(n=200, seed=0, index=HOURS, n_outputs=1):
    X, y = system(n, seed, n_outputs)
    X = pd.DataFrame(X, index=index[:n], columns=["a", "b"])
    if n_outputs > 1:
        return X, pd.DataFrame(y, index=X.index, columns=[f"y{j}" for j in range(n_outputs)])
    return X, pd.Series(y, index=X.index, name="y")


def small(**params):
    defaults = {"input_lags": 1, "hidden_layer_sizes": (4,), "max_iter": 20, "random_state": 0}
    return NARX(**{"alpha": 1e-4, **defaults, **params})  # no choice, whose outcome may jump


def linear_nar(weights, intercept=0.0, index=None, **params):
    """Make y_t = weights . (y_{t-1}, ...) + intercept after 1, -1, ...: mean 0, deviation 1."""
    y = pd.Series(np.tile([1.0, -1.0], 10), index=index, name="y")
    model = NARX(output_lags=len(weights), hidden_layer_sizes=(), **params).fit(None, y)
    model.theta_ = np.array([*weights, intercept], dtype=float)
    return model


def one_by_one(model, X, y, n):
    """Return the last n rows, predicted one step at a time, each prediction fed back by hand."""
    y = np.array(y, dtype=float)
    y[-n:] = np.nan
    for t in range(len(y) - n, len(y)):
        window = slice(t - model.max_lag_, t + 1)
        y[t] = model.predict_ahead(X[window], y[window], steps=1)[-1]
    return y[-n:]


def caught(call):
    """Return the answer of a call and its warnings."""
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        return call(), record


def one_warning(call, category=UserWarning):
    """Return the answer of a call and its only warning."""
    answer, record = caught(call)
    assert [w.category for w in record] == [category], [str(w.message) for w in record]
    return answer, str(record[0].message)


class TestLags:
    """Which rows the taps read, whichever way the lags are given."""

    @staticmethod
    def rows_read(input_lags, output_lags, column=0):
        """Return lags of y and of a column of X that a prediction of row 20 depends on."""
        X, y = system(60)
        params = {"input_lags": input_lags, "output_lags": output_lags, "hidden_layer_sizes": (2,)}
        model = NARX(max_iter=3, random_state=0, **params).fit(X, y)
        before = model.predict_ahead(X, y)[20]
        lags = []
        for values in (y, X[:, column]):
            found = []
            for row in range(10, 30):
                old = values[row]
                values[row] += 1.0
                if model.predict_ahead(X, y)[20] != before:
                    found.append(20 - row)
                values[row] = old
            lags.append(sorted(found))
        return lags

    def test_numbers_mean_all_lags_up_to_them(self):
        assert self.rows_read(2, 3) == [[1, 2, 3], [0, 1, 2]]
        assert self.rows_read(0, 1) == [[1], [0]]

    def test_sequences_mean_exactly_those_lags(self):
        assert self.rows_read([1, 4], (2, 5)) == [[2, 5], [1, 4]]
        assert self.rows_read(np.array([3]), range(1, 3)) == [[1, 2], [3]]
        assert self.rows_read(1, []) == [[], [0, 1]]
        assert self.rows_read(1, 0) == [[], [0, 1]]

    def test_negative_input_lags_are_leads(self):
        assert self.rows_read([-2, 0], 1) == [[1], [-2, 0]]

    def test_a_dict_gives_each_column_its_own(self):
        lags = {0: [], 1: [0, 3]}
        assert self.rows_read(lags, 1, column=0) == [[1], []]
        assert self.rows_read(lags, 1, column=1) == [[1], [0, 3]]

    def test_a_dict_names_the_columns_of_a_frame(self):
        X, y = frames()
        by_name = small(input_lags={"b": [2], "a": 1}).fit(X, y)
        by_position = small(input_lags={0: 1, 1: [2]}).fit(X.to_numpy(), y.to_numpy())
        np.testing.assert_array_equal(by_name.theta_, by_position.theta_)

    def test_without_X_it_is_a_model_of_y_alone(self):
        X, y = frames()
        model = small().fit(None, y)
        ignoring = small(input_lags=[]).fit(X, y)
        np.testing.assert_array_equal(model.theta_, ignoring.theta_)
        assert model.n_features_in_ == 0
        pd.testing.assert_series_equal(model.forecast(5), ignoring.forecast(5))

    @pytest.mark.parametrize(
        "params, history",
        [({"input_lags": 3, "output_lags": 2}, 3), ({"input_lags": [-1], "output_lags": [7]}, 7)],
    )
    def test_max_lag_is_the_history_that_a_prediction_needs(self, params, history):
        X, y = system()
        model = small(**params).fit(X, y)
        assert model.max_lag_ == history
        ahead = model.predict_ahead(X, y)
        assert np.isnan(ahead[:history]).all() and np.isfinite(ahead[history:-1]).all()

    @pytest.mark.parametrize("kind", ["list", "array", "series", "frame", "two"])
    def test_predictions_have_the_dimensions_of_y(self, kind):
        X, y = frames(n_outputs=2 if kind == "two" else 1)
        y = {
            "list": lambda: list(y),
            "array": lambda: y.to_numpy(),
            "series": lambda: y,
            "frame": lambda: y.to_frame(),
            "two": lambda: y,
        }[kind]()
        shape = {"frame": (1,), "two": (2,)}.get(kind, ())
        model = small().fit(X[:150], y[:150])
        predicted = model.predict(X[150:])
        assert isinstance(predicted, np.ndarray) and predicted.shape == (50, *shape)
        assert model.predict_ahead(X, y).shape == (200, *shape)
        assert model.predict_ahead(X, y, steps=[1, 3]).shape == (200, *shape, 2)
        assert model.simulate(X, y[:5]).shape == (200, *shape)
        forecast = model.forecast(X=X[150:])
        assert isinstance(forecast, pd.DataFrame if shape else pd.Series)
        np.testing.assert_array_equal(forecast.to_numpy(), predicted)

    def test_each_of_several_outputs_reads_the_lags_of_all(self):
        X, y = frames(n_outputs=2)
        model = small().fit(X[:150], y[:150])
        assert model.structure_.taps.reach.outputs == ((0, 1), (0, 2), (1, 1), (1, 2))
        history = y[:150].to_numpy()
        expected = one_by_one(model, X[:170], np.concatenate([history, np.zeros((20, 2))]), 20)
        np.testing.assert_allclose(model.predict(X[150:170]), expected, rtol=1e-12)


class TestWhichInputsAreKnown:
    def test_lag_0_is_used(self):
        X, y = frames()
        model = small().fit(X[:150], y[:150])
        other = X[150:].copy()
        other.iloc[0] += 1.0
        assert model.predict(other)[0] != model.predict(X[150:])[0]

    def test_lags_of_at_least_the_horizon_need_no_future_rows(self):
        X, y = frames()
        model = small(input_lags=[6, 7]).fit(X[:150], y[:150])
        expected = model.predict(X[150:156])
        np.testing.assert_array_equal(model.forecast(6), expected)
        with pytest.raises(ValueError, match=r"7 steps need the columns \['a', 'b'\] of X"):
            model.forecast(7)

    def test_only_the_columns_that_are_needed_need_be_given(self):
        X, y = frames()
        model = small(input_lags={"a": [6], "b": 1}).fit(X[:150], y[:150])
        ahead = model.forecast(X=X.loc[X.index[150:156], ["b"]])
        np.testing.assert_array_equal(ahead, model.predict(X[150:156]))
        with pytest.raises(ValueError, match=r"7 steps need the columns \['a'\] of X"):
            model.forecast(X=X.loc[X.index[150:157], ["b"]])

    def test_predict_ahead_uses_X_up_to_its_target_row(self):
        X, y = system()
        model = small().fit(X, y)
        other = X.copy()
        other[101:] += 1.0
        for steps in (1, 5):
            ahead, changed = (model.predict_ahead(x, y, steps) for x in (X, other))
            np.testing.assert_array_equal(ahead[:101], changed[:101])
            assert ahead[101] != changed[101]

    def test_with_leads_the_last_rows_of_predict_are_nan_with_one_warning(self):
        X, y = frames()
        model = small(input_lags=[-2, 0]).fit(X[:150], y[:150])
        predicted, message = one_warning(lambda: model.predict(X[150:]))
        assert message.startswith("inputs have leads up to 2, so the last 2 rows of X cannot be")
        assert np.isfinite(predicted[:-2]).all() and np.isnan(predicted[-2:]).all()

    def test_forecast_leaves_out_the_rows_that_leads_cannot_reach(self):
        X, y = frames()
        model = small(input_lags=[-2, 0]).fit(X[:150], y[:150])
        forecast, record = caught(lambda: model.forecast(X=X[150:]))
        assert not record
        assert forecast.index.equals(X.index[150:198]) and np.isfinite(forecast).all()
        exactly = model.forecast(10, X=X[150:])
        pd.testing.assert_series_equal(exactly, forecast[:10], check_freq=False)
        with pytest.raises(ValueError, match="10 steps need 12 rows"):
            model.forecast(10, X=X[150:161])

    def test_scores_skip_the_rows_that_leads_cannot_reach(self):
        X, y = frames()
        model = small(input_lags=[-2, 0]).fit(X[:150], y[:150])
        with pytest.warns(UserWarning, match="leads"):
            score = model.score(X[150:], y[150:])
        assert score == pytest.approx(r2_score(y[150:198], model.forecast(X=X[150:])))

    def test_predict_ahead_reads_leads_where_there_are_later_rows(self):
        X, y = system()
        model = small(input_lags=[-2, 0]).fit(X, y)
        ahead = model.predict_ahead(X, y, steps=3)
        assert np.isfinite(ahead[4:-2]).all()
        assert np.isnan(ahead[:4]).all() and np.isnan(ahead[-2:]).all()


class TestLoop:
    def test_open_is_one_step(self):
        X, y = system()
        first, second = (small(loop=loop).fit(X, y) for loop in ("open", 1))
        np.testing.assert_array_equal(first.theta_, second.theta_)

    def test_each_stage_is_recorded_with_its_loss(self):
        model = small().fit(*system())
        assert [tuple(stage) for stage in model.loop_] == [("open", model.loss_, model.n_iter_)]

    def test_the_loss_is_that_of_one_step_predictions(self):
        X, y = system()
        model = small(alpha=0.0, linear_alpha=0.0).fit(X, y)
        errors = (model.predict_ahead(X, y) - y)[2:] / y.std()
        assert model.loss_ == pytest.approx(np.mean(errors**2) / 2, rel=1e-9)

    def test_a_tdnn_has_no_loop(self):
        assert "loop" not in TDNN().get_params()
        X, y = frames()
        model = TDNN(input_lags=2, hidden_layer_sizes=(4,), max_iter=20, random_state=0)
        model.fit(X[:150], y[:150])
        expected = model.predict_ahead(X, y)[150:]
        np.testing.assert_allclose(model.predict(X[150:]), expected, rtol=1e-12)


class TestPredict:
    @pytest.mark.parametrize(
        "params",
        [
            {},
            {"output_lags": [1, 5], "input_lags": [0, 3]},
            {"hidden_layer_sizes": (4, 3), "activation": "softplus", "linear_term": False},
            {"hidden_layer_sizes": (), "output_lags": 3},
            {"scale": False, "output_range": (-1.0, 1.5)},
        ],
        ids=str,
    )
    def test_equals_one_step_predictions_fed_back_by_hand(self, params):
        X, y = frames()
        model = small(**params).fit(X[:150], y[:150])
        expected = one_by_one(model, X, y, 50)
        np.testing.assert_allclose(model.predict(X[150:]), expected, rtol=0, atol=1e-12)

    def test_returns_an_ndarray_and_forecast_the_same_as_pandas(self):
        X, y = frames()
        model = small().fit(X[:150], y[:150])
        predicted, forecast = model.predict(X[150:]), model.forecast(X=X[150:])
        assert type(predicted) is np.ndarray
        pd.testing.assert_series_equal(
            forecast, pd.Series(predicted, X.index[150:], name="y"), check_freq=False
        )

    @pytest.mark.parametrize("shift, factor", [(10.0, 1.0), (0.0, 1e4), (-1e3, 1e-2)])
    def test_shift_and_scaling_of_y_change_forecasts_by_that_alone(self, shift, factor):
        X, y = frames()
        plain = small().fit(X[:150], y[:150])
        moved = small().fit(X[:150], shift + factor * y[:150])
        back = (moved.predict(X[150:]) - shift) / factor
        np.testing.assert_allclose(back, plain.predict(X[150:]), rtol=0, atol=1e-6)
        score = moved.score(X[150:], shift + factor * y[150:])
        assert score == pytest.approx(plain.score(X[150:], y[150:]), abs=1e-6)

    @pytest.mark.parametrize("shift", [0.0, 100.0])
    def test_starts_from_history_not_from_zeros(self, shift):
        X, y = frames()
        model = small().fit(X[:150], y[:150] + shift)
        errors = model.predict(X[150:]) - y[150:] - shift
        assert np.abs(errors[:3]).max() < 0.5

    def test_never_echoes_targets_nor_pads_edges(self):
        """A row that cannot be predicted is NaN, and every other is the network's own."""
        X, y = system()
        model = small(output_lags=5).fit(X, y)
        for answer in (model.predict_ahead(X, y), model.simulate(X, y[:5])):
            assert np.isnan(answer[:5]).all()
            assert np.isfinite(answer[5:]).all() and not np.isin(answer[5:], y).any()

    def test_few_rows_are_continued_from_the_state(self):
        X, y = frames()
        model = small(input_lags=5).fit(X[:150], y[:150])
        np.testing.assert_array_equal(model.predict(X[150:151]), model.predict(X[150:])[:1])

    def test_a_model_without_inputs_names_forecast(self):
        model = small().fit(None, system()[1])
        with pytest.raises(ValueError, match=r"fitted without it: use forecast\(steps\)"):
            model.predict(None)


class TestForecast:
    @pytest.mark.filterwarnings("ignore:loop_gain_ is")  # 24 lags of 200 rows
    def test_without_inputs_it_needs_only_a_number(self):
        _, y = frames()
        model = small(output_lags=24).fit(None, y)
        forecast = model.forecast(24)
        assert forecast.index.equals(pd.date_range(y.index[-1], periods=25, freq="h")[1:])
        assert forecast.name == "y" and np.isfinite(forecast).all()

    def test_without_a_clock_the_index_counts_on(self):
        X, y = system()
        model = small().fit(X[:150], y[:150])
        forecast = model.forecast(X=X[150:])
        assert forecast.index.equals(pd.RangeIndex(150, 200)) and forecast.name is None
        model.update(X[150:160], y[150:160])
        assert model.forecast(X=X[160:]).index.equals(pd.RangeIndex(160, 200))

    def test_a_plain_integer_index_is_continued(self):
        y = pd.Series(system()[1], index=np.arange(1000, 1200))
        assert small().fit(None, y).forecast(2).index.tolist() == [1200, 1201]

    def test_inputs_without_an_index_get_the_time_stamps_that_follow(self):
        X, y = frames()
        model = small().fit(X[:150].to_numpy(), y[:150])
        forecast = model.forecast(X=X[150:].to_numpy())
        assert forecast.index.equals(X.index[150:])
        np.testing.assert_array_equal(forecast, model.predict(X[150:].to_numpy()))

    def test_several_outputs_come_as_a_frame(self):
        X, y = frames(n_outputs=2)
        forecast = small().fit(X[:150], y[:150]).forecast(X=X[150:])
        assert list(forecast.columns) == ["y0", "y1"] and forecast.index.equals(X.index[150:])
        unnamed = small().fit(*system(n_outputs=2)).forecast(X=np.zeros((3, 2)))
        assert list(unnamed.columns) == [0, 1]

    def test_steps_choose_the_first_rows_of_X(self):
        X, y = frames()
        model = small().fit(X[:150], y[:150])
        whole = model.forecast(X=X[150:])
        pd.testing.assert_series_equal(model.forecast(7, X=X[150:]), whole[:7], check_freq=False)


class TestPredictAhead:
    @pytest.mark.parametrize("steps", [1, 4])
    def test_row_t_is_a_rollout_from_outputs_up_to_t_minus_k(self, steps):
        X, y = system()
        model = small().fit(X, y)
        ahead = model.predict_ahead(X, y, steps)
        assert ahead.shape == y.shape
        assert np.isnan(ahead[: 2 + steps - 1]).all()
        for t in (2 + steps - 1, 50, 199):
            rolled = one_by_one(model, X[: t + 1], y[: t + 1], steps)
            assert ahead[t] == pytest.approx(rolled[-1], abs=1e-12)

    def test_a_sequence_of_steps_adds_a_last_axis(self):
        X, y = system()
        model = small().fit(X, y)
        several = model.predict_ahead(X, y, steps=[6, 1, 3])
        for i, k in enumerate((6, 1, 3)):
            np.testing.assert_array_equal(several[..., i], model.predict_ahead(X, y, steps=k))
        assert model.predict_ahead(X, y, steps=[2]).shape == (200, 1)

    def test_never_across_a_seam(self):
        X, y = frames()
        model = small().fit(X, y)
        gap = np.r_[0:80, 90:200]
        ahead = model.predict_ahead(X.iloc[gap], y.iloc[gap], steps=3)
        parts = [model.predict_ahead(X[:80], y[:80], 3), model.predict_ahead(X[90:], y[90:], 3)]
        np.testing.assert_array_equal(ahead, np.concatenate(parts))
        assert np.isnan(ahead[80:84]).all()

    def test_uses_only_its_arguments(self):
        X, y = frames()
        model = small().fit(X[:150], y[:150])
        before = model.predict_ahead(X, y, steps=2)
        model.update(X[150:170], y[150:170] + 5)
        np.testing.assert_array_equal(model.predict_ahead(X, y, steps=2), before)

    def test_history_of_other_rows_is_welcome(self):
        X, y = frames()
        model = small().fit(X[:150], y[:150])
        elsewhere = model.predict_ahead(X[20:60].set_index(HOURS[20:60] - pd.Timedelta("300D")),
                                        y[20:60].to_numpy())  # fmt: skip
        np.testing.assert_array_equal(elsewhere, model.predict_ahead(X[20:60], y[20:60]))

    def test_more_steps_than_rows_are_all_nan(self):
        X, y = system()
        model = small().fit(X, y)
        assert np.isnan(model.predict_ahead(X[:10], y[:10], steps=9)).all()
        assert np.isfinite(model.predict_ahead(X[:10], y[:10], steps=8)[-1])


class TestSimulate:
    def test_runs_freely_after_y_init(self):
        X, y = system()
        model = small().fit(X, y)
        for k in (2, 7):
            free = model.simulate(X, y_init=y[:k])
            assert len(free) == 200 and np.isnan(free[:k]).all()
            np.testing.assert_allclose(free[k:], one_by_one(model, X, y, 200 - k), atol=1e-12)

    def test_scores_start_at_the_first_free_step(self):
        X, y = system()
        model = small().fit(X, y)
        y_far = y[:5] + 100  # were it echoed, a score would see it
        free = model.simulate(X, y_init=y_far)
        assert not np.isin(free, y_far).any()

    def test_needs_history_of_inputs_too(self):
        X, y = system()
        model = small(input_lags=6, output_lags=2).fit(X, y)
        free = model.simulate(X, y_init=y[:6])
        assert np.isnan(free[:6]).all() and np.isfinite(free[6:]).all()

    def test_uses_only_its_arguments_and_the_weights(self):
        X, y = frames()
        model = small().fit(X[:150], y[:150])
        before = model.simulate(X, y[:2])
        model.update(X[150:], y[150:])
        np.testing.assert_array_equal(model.simulate(X, y[:2]), before)

    def test_without_feedback_no_initial_outputs_are_needed(self):
        X, y = system()
        model = TDNN(input_lags=2, hidden_layer_sizes=(3,), max_iter=5, random_state=0).fit(X, y)
        free = model.simulate(X)
        np.testing.assert_array_equal(free, model.predict_ahead(X, y))


class TestUpdate:
    def test_moves_the_state_and_keeps_the_weights(self):
        X, y = frames()
        model = small().fit(X[:150], y[:150])
        theta = model.theta_.copy()
        assert model.update(X[150:170], y[150:170]) is model
        np.testing.assert_array_equal(model.theta_, theta)
        expected = one_by_one(model, X, y, 30)
        np.testing.assert_allclose(model.predict(X[170:]), expected, atol=1e-12)

    def test_row_by_row_equals_all_at_once(self):
        X, y = frames()
        at_once = small(output_lags=4).fit(X[:150], y[:150])
        by_row = copy.deepcopy(at_once)
        at_once.update(X[150:170], y[150:170])
        for t in range(150, 170):
            by_row.update(X[t : t + 1], y[t : t + 1])
        np.testing.assert_array_equal(by_row.predict(X[170:]), at_once.predict(X[170:]))

    def test_after_a_gap_the_state_starts_anew(self):
        X, y = frames()
        model = small().fit(X[:150], y[:150])
        model.update(X[160:170], y[160:170])
        np.testing.assert_allclose(model.predict(X[170:]), one_by_one(model, X, y, 30), atol=1e-12)
        model.update(X[175:176], y[175:176])
        with pytest.raises(ValueError, match="the last segment seen has 1 rows, but lags up to 2"):
            model.predict(X[176:])
        model.update(X[176:177], y[176:177])
        assert np.isfinite(model.predict(X[177:])).all()

    def test_refuses_rows_it_has_seen(self):
        X, y = frames()
        model = small().fit(X[:150], y[:150])
        with pytest.raises(ValueError, match="give update only rows after those"):
            model.update(X[149:160], y[149:160])

    def test_of_a_model_of_y_alone(self):
        _, y = frames()
        model = small().fit(None, y[:150]).update(None, y[150:160])
        assert model.forecast(3).index[0] == y.index[160]

    def test_a_clock_may_come_later_than_fit(self):
        """Rows without a clock are taken to follow, and rows with one are checked from there."""
        X, y = frames()
        model = small().fit(X[:150].to_numpy(), y[:150].to_numpy())
        X = X.set_axis([0, 1], axis=1)
        expected = copy.deepcopy(model).update(X[150:170].to_numpy(), y[150:170].to_numpy())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # names of features that fit did not see
            model.update(X[150:160], y[150:160])
            model.update(X[160:170], y[160:170])
            predicted = model.predict(X[170:])
        np.testing.assert_array_equal(predicted, expected.predict(X[170:].to_numpy()))


class TestState:
    def test_only_fit_and_update_move_it(self):
        X, y = frames()
        model = small().fit(X[:150], y[:150])
        before = model.predict(X[150:])
        model.predict(X[150:160])
        model.forecast(X=X[150:160])
        model.simulate(X, y[:4])
        model.predict_ahead(X, y, steps=3)
        model.score(X[150:], y[150:])
        np.testing.assert_array_equal(model.predict(X[150:]), before)

    def test_holds_the_last_rows_given_validation_rows_included(self):
        X, y = frames()
        model = small(early_stopping=True, validation_fraction=0.3).fit(X[:150], y[:150])
        np.testing.assert_allclose(model.predict(X[150:]), one_by_one(model, X, y, 50), atol=1e-12)

    def test_is_a_copy(self):
        X, y = system()
        model = small().fit(X[:150], y[:150])
        before = model.predict(X[150:])
        X[:150], y[:150] = 1e6, 1e6
        np.testing.assert_array_equal(model.predict(X[150:]), before)

    @pytest.mark.parametrize("how", ["segments", "seam"])
    def test_is_that_of_the_last_row(self, how):
        X, y = frames()
        if how == "seam":
            X, y = X.drop(X.index[100:110]), y.drop(y.index[100:110])
            model = small().fit(X[:140], y[:140])
        else:
            model = small().fit(X[:140], y[:140], segments=np.repeat([1, 2], [100, 40]))
        expected = one_by_one(model, X[100:], y[100:], len(X) - 140)
        np.testing.assert_allclose(model.predict(X[140:]), expected, atol=1e-12)


class TestScore:
    def test_is_R2_of_predict(self):
        X, y = frames()
        model = small().fit(X[:150], y[:150])
        weight = np.linspace(0, 1, 50)
        predicted = model.predict(X[150:])
        assert model.score(X[150:], y[150:]) == r2_score(y[150:], predicted)
        weighted = r2_score(y[150:], predicted, sample_weight=weight)
        assert model.score(X[150:], y[150:], sample_weight=weight) == pytest.approx(weighted)

    def test_leaves_out_missing_targets(self):
        X, y = frames()
        model = small().fit(X[:150], y[:150])
        holey = y[150:].copy()
        holey.iloc[::3] = np.nan
        keep = holey.notna().to_numpy()
        expected = r2_score(y[150:][keep], model.predict(X[150:])[keep])
        assert model.score(X[150:], holey) == pytest.approx(expected)

    def test_on_training_rows_it_raises_and_names_predict_ahead(self):
        X, y = frames()
        model = small().fit(X[:150], y[:150])
        for rows in (slice(0, 150), slice(149, 200)):
            with pytest.raises(ValueError, match=r"use predict_ahead\(X, y\)"):
                model.score(X[rows], y[rows])

    def test_of_several_outputs(self):
        X, y = frames(n_outputs=2)
        model = small().fit(X[:150], y[:150])
        assert model.score(X[150:], y[150:]) == r2_score(y[150:], model.predict(X[150:]))


def panel(lengths=(90, 60, 75), seed=0):
    """Return three series in interleaved rows: X and y with a MultiIndex (series, time)."""
    parts = [frames(n, seed=i, index=HOURS[10 * i :]) for i, n in enumerate(lengths)]
    names = ["east", "north", "west"]
    X, y = (pd.concat(p, keys=names, names=["series", "time"]) for p in zip(*parts))
    y += np.repeat([0.0, 3.0, -2.0], lengths)  # levels differ
    order = np.argsort(X.index.get_level_values(1), kind="stable")  # hour by hour
    return X.iloc[order], y.iloc[order]


def split_panel(X, y, n_ahead=20):
    """Return the rows but the last ones of each series, and those."""
    from_end = X.groupby(level=0).cumcount(ascending=False).to_numpy()
    ahead = from_end < n_ahead
    return X[~ahead], y[~ahead], X[ahead], y[ahead]


class TestPanels:
    def test_each_series_is_continued_from_its_own_state(self):
        X, y, X_ahead, _ = split_panel(*panel())
        model = small().fit(X, y)
        predicted = pd.Series(model.predict(X_ahead), X_ahead.index)
        for name in ("east", "north", "west"):
            whole = pd.concat([X.xs(name), X_ahead.xs(name)])
            known = np.r_[y.xs(name), np.zeros(20)]
            expected = one_by_one(model, whole, known, 20)
            np.testing.assert_allclose(predicted.xs(name), expected, atol=1e-12)

    def test_answers_come_in_the_order_of_X(self):
        X, y, X_ahead, _ = split_panel(*panel())
        model = small().fit(X, y)
        predicted = pd.Series(model.predict(X_ahead), X_ahead.index)
        by_series = X_ahead.sort_index(level=0)
        again = pd.Series(model.predict(by_series), by_series.index)
        pd.testing.assert_series_equal(predicted.sort_index(), again.sort_index())
        ahead = pd.Series(model.predict_ahead(X, y, steps=2), X.index)
        sorted_ahead = model.predict_ahead(X.sort_index(), y.sort_index(), steps=2)
        np.testing.assert_array_equal(ahead.sort_index(), sorted_ahead)

    def test_rows_may_be_interleaved(self):
        X, y = panel()
        weight = pd.Series(np.random.default_rng(0).uniform(0.5, 2, len(y)), y.index)
        model = small().fit(X, y, sample_weight=weight)
        X_sorted, y_sorted, weight = (
            pd.concat([v.xs(k, drop_level=False) for k in ("east", "north", "west")])
            for v in (X, y, weight)
        )
        in_blocks = small().fit(X_sorted, y_sorted, sample_weight=weight)
        np.testing.assert_array_equal(model.theta_, in_blocks.theta_)

    def test_a_series_ends_a_segment(self):
        X, y = panel()
        model = small().fit(X, y)
        X, y = (pd.concat([v.xs(k) for k in ("east", "north", "west")]) for v in (X, y))
        labels = np.repeat([0, 1, 2], [90, 60, 75])
        by_label = small().fit(X.to_numpy(), y.to_numpy(), segments=labels)
        np.testing.assert_array_equal(model.theta_, by_label.theta_)

    def test_an_unseen_series_is_refused_and_simulated(self):
        X, y, X_ahead, _ = split_panel(*panel())
        seen = X.index.get_level_values(0) != "north"
        model = small().fit(X[seen], y[seen])
        with pytest.raises(ValueError, match=r"series 'north' cannot .* use simulate\(X, y_init\)"):
            model.predict(X_ahead)
        free = pd.Series(model.simulate(X, y.groupby(level=0).head(3)), X.index)
        assert np.isnan(free.xs("north")[:3]).all() and np.isfinite(free.xs("north")[3:]).all()
        alone = model.simulate(X.xs("north"), y.xs("north")[:3])
        np.testing.assert_array_equal(free.xs("north"), alone)

    def test_some_of_the_series_may_be_predicted(self):
        X, y, X_ahead, _ = split_panel(*panel())
        model = small().fit(X, y)
        all_of_them = pd.Series(model.predict(X_ahead), X_ahead.index)
        one = X_ahead[X_ahead.index.get_level_values(0) == "west"]
        np.testing.assert_array_equal(model.predict(one), all_of_them.xs("west"))

    def test_update_moves_each_series(self):
        X, y, X_ahead, y_ahead = split_panel(*panel())
        model = small().fit(X, y)
        first = X_ahead.groupby(level=0).cumcount().to_numpy() < 5
        model.update(X_ahead[first], y_ahead[first])
        predicted = pd.Series(model.predict(X_ahead[~first]), X_ahead[~first].index)
        for name in ("east", "north", "west"):
            whole = pd.concat([X.xs(name), X_ahead.xs(name)])
            known = np.r_[y.xs(name), y_ahead.xs(name)]
            expected = one_by_one(model, whole, known, 15)
            np.testing.assert_allclose(predicted.xs(name), expected, atol=1e-12)

    def test_forecast_names_series_and_times(self):
        X, y, X_ahead, _ = split_panel(*panel())
        model = small().fit(X, y)
        forecast = model.forecast(X=X_ahead)
        expected = pd.Series(model.predict(X_ahead), X_ahead.index, name="y")
        pd.testing.assert_series_equal(forecast.sort_index(), expected.sort_index())
        alone = small().fit(None, y)
        ahead = alone.forecast(4)
        for name in ("east", "north", "west"):
            last = y.xs(name).index[-1]
            hours = pd.date_range(last, periods=5, freq="h")[1:]
            assert list(ahead.xs(name).index) == list(hours)

    def test_score_is_over_all_rows(self):
        X, y, X_ahead, y_ahead = split_panel(*panel())
        model = small().fit(X, y)
        assert model.score(X_ahead, y_ahead) == r2_score(y_ahead, model.predict(X_ahead))

    def test_the_clock_of_each_series_is_checked(self):
        X, y, X_ahead, _ = split_panel(*panel())
        model = small().fit(X, y)
        with pytest.raises(ValueError, match="predict_ahead"):
            model.predict(X)
        with pytest.raises(ValueError, match="the last row seen is"):
            model.predict(X_ahead.drop(X_ahead.xs("east", drop_level=False).index[0]))

    @pytest.mark.parametrize(
        "hours",
        [
            pd.date_range("2024-03-29", periods=400, freq="h", tz="Europe/Berlin"),
            pd.date_range("2024-11-01", periods=400, freq="h", tz="America/Denver"),
            HOURS.to_period("h"),
            HOURS.as_unit("us"),
            HOURS.as_unit("ns"),
        ],
        ids=["spring", "autumn", "periods", "us", "ns"],
    )
    def test_series_with_other_clocks(self, hours):
        """The change to or from daylight saving time is in the training rows of each series."""
        parts = split_panel(*panel())
        times = [hours[HOURS.get_indexer(v.index.get_level_values(1))] for v in parts]
        X, y, X_ahead, y_ahead = (
            v.set_axis([v.index.get_level_values(0), t]) for v, t in zip(parts, times)
        )
        model = small(max_iter=3).fit(X, y)
        plain = small(max_iter=3).fit(*parts[:2])
        np.testing.assert_array_equal(model.theta_, plain.theta_)
        np.testing.assert_array_equal(model.predict(X_ahead), plain.predict(parts[2]))
        ahead = small(max_iter=1).fit(None, y).forecast(20)
        for name in ("east", "north", "west"):
            there = ahead.xs(name).index
            assert there.equals(X_ahead.xs(name).index) and there.dtype == hours.dtype
        with pytest.raises(ValueError, match="the last row seen is .* and the clock is hourly"):
            model.predict(X_ahead.groupby(level=0).tail(19))
        with pytest.raises(ValueError, match="give update only rows after those"):
            model.update(X_ahead, y_ahead).update(X_ahead, y_ahead)

    def test_series_without_a_clock(self):
        X, y, X_ahead, _ = split_panel(*panel())

        def numbered(v):
            numbers = v.groupby(level=0).cumcount().to_numpy()
            return v.set_axis([v.index.get_level_values(0), numbers])

        clocked, plain = small().fit(X, y), small().fit(numbered(X), numbered(y))
        np.testing.assert_array_equal(plain.theta_, clocked.theta_)
        np.testing.assert_array_equal(plain.predict(numbered(X_ahead)), clocked.predict(X_ahead))


class TestClock:
    @pytest.mark.parametrize("owner", ["X", "y", "both"])
    def test_is_that_of_X_or_else_of_y(self, owner):
        X, y = frames()
        given = X if owner != "y" else X.reset_index(drop=True)
        target = y if owner != "X" else y.reset_index(drop=True)
        model = small().fit(given[:150], target[:150])
        assert np.isfinite(model.predict(X[150:])).all()
        with pytest.raises(ValueError, match="X begins at 2024-01-07 07:00:00, but the last row"):
            model.predict(X[151:])

    @pytest.mark.parametrize("index", [None, pd.RangeIndex(50, 250), np.arange(200) * 3.5])
    def test_plain_numbers_carry_none_and_are_taken_to_follow(self, index):
        X, y = system()
        if index is not None:
            X, y = pd.DataFrame(X, index, ["a", "b"]), pd.Series(y, index)
        model = small().fit(X[:150], y[:150])
        assert np.isfinite(model.predict(X[:10])).all()
        assert np.isfinite(model.predict(X[190:])).all()

    def test_an_overlap_names_predict_ahead_and_simulate(self):
        X, y = frames()
        model = small().fit(X[:150], y[:150])
        with pytest.raises(
            ValueError,
            match="X begins at 2024-01-07 05:00:00, but rows up to 2024-01-07 05:00:00 have been "
            r"seen, and predict continues after them: use predict_ahead\(X, y\)",
        ):
            model.predict(X[149:])

    def test_a_gap_names_update_and_simulate(self):
        X, y = frames()
        model = small().fit(X[:150], y[:150])
        for verb in (model.predict, lambda X: model.forecast(X=X)):
            with pytest.raises(
                ValueError,
                match="the last row seen is 2024-01-07 05:00:00 and the clock is hourly: "
                r"give the rows in between to update\(X, y\), or use simulate\(X, y_init\)",
            ):
                verb(X[160:])

    def test_a_jump_inside_a_free_run_is_refused(self):
        X, y = frames()
        model = small().fit(X[:150], y[:150])
        for verb in (model.predict, lambda X: model.simulate(X, y[:2])):
            with pytest.raises(ValueError, match="X jumps at row 5 .* give rows without a gap"):
                verb(X[150:].drop(X.index[155]))

    @pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Denver", "UTC"])
    @pytest.mark.parametrize("start", ["2024-03-29", "2024-10-25", "2024-03-08", "2024-11-01"])
    def test_daylight_saving_is_no_seam(self, zone, start):
        index = pd.date_range(start, periods=120, freq="h", tz=zone)
        X, y = frames(120, index=index)
        plain = small(max_iter=3).fit(X.to_numpy()[:60], y.to_numpy()[:60])
        model = small(max_iter=3).fit(X[:60], y[:60])
        np.testing.assert_array_equal(model.theta_, plain.theta_)
        for cut in (20, 36, 50, 60):  # one of them at the change of the clock
            model = small(max_iter=1).fit(X[:cut], y[:cut])
            assert np.isfinite(model.predict(X[cut:])).all()
        ahead = small(max_iter=1).fit(None, y[:60]).forecast(60)
        assert ahead.index.equals(index[60:]) and str(ahead.index.tz) == zone

    def test_days_of_23_and_25_hours_follow_each_other(self):
        index = pd.date_range("2024-01-01", periods=366, freq="D", tz="Europe/Berlin")
        _, y = frames(366, index=index)
        model = small(max_iter=2).fit(None, y[:80])
        assert model.forecast(200).index.equals(index[80:280])
        assert np.isnan(model.predict_ahead(None, y)).sum() == 2

    @pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
    def test_every_unit_works(self, unit):
        X, y = frames(index=HOURS.as_unit(unit))
        model = small(max_iter=2).fit(X[:150], y[:150])
        assert model.forecast(X=X[150:]).index.equals(X.index[150:])
        assert model.fit(None, y[:150]).forecast(2).index.unit == unit

    def test_a_forgotten_freq_is_found(self):
        index = pd.DatetimeIndex(HOURS.to_list())
        assert index.freq is None
        X, y = frames(index=index)
        model = small(max_iter=2).fit(X[:150], y[:150])
        assert np.isfinite(model.predict(X[150:])).all()
        assert model.fit(None, y[:150]).forecast(3).index.tolist() == index[150:153].tolist()

    @pytest.mark.parametrize("freq", ["h", "M", "Q", "W"])
    def test_periods(self, freq):
        index = pd.period_range("2000-01", periods=200, freq=freq)
        X, y = frames(index=index)
        model = small(max_iter=2).fit(X[:150], y[:150])
        forecast = model.forecast(X=X[150:])
        assert forecast.index.equals(index[150:])
        with pytest.raises(ValueError, match="predict_ahead"):
            model.predict(X[140:])
        with pytest.raises(ValueError, match="update"):
            model.predict(X[151:])
        assert model.fit(None, y[:150]).forecast(2).index.equals(index[150:152])

    @pytest.mark.parametrize("freq", ["MS", "ME", "QS", "B", "15min", "W-SUN", "D"])
    def test_months_business_days_and_minutes(self, freq):
        index = pd.date_range("2000-01-01", periods=200, freq=freq)
        X, y = frames(index=index)
        for X_, y_ in ((X, y), (X.set_axis(pd.DatetimeIndex(index, freq=None)), y.to_numpy())):
            model = small(max_iter=2).fit(X_[:150], y_[:150])
            assert np.isfinite(model.predict(X_[150:])).all()
            with pytest.raises(ValueError, match="give the rows in between"):
                model.predict(X_[165:])


class TestSeams:
    def test_a_jump_a_label_and_a_series_are_the_same_seam(self):
        X, y = frames()
        keep = np.r_[0:80, 90:200]
        X, y = X.iloc[keep], y.iloc[keep]
        labels = np.repeat(["first", "second"], [80, 110])
        several = [labels, X.index]
        fits = [
            small().fit(X, y),
            small().fit(X.to_numpy(), y.to_numpy(), segments=labels),
            small().fit(X, y, segments=labels),
            small().fit(X.set_axis(several), y.set_axis(several)),
        ]
        for model in fits[1:]:
            np.testing.assert_array_equal(model.theta_, fits[0].theta_)
        assert {model.n_dropped_ for model in fits} == {0}

    def test_no_lag_crosses_one(self):
        """The end of one segment does not touch what is learnt of the next."""
        X, y = system()
        labels = np.repeat([0, 1], 100)
        weight = np.repeat([0.0, 1.0], 100)
        model = small().fit(X, y, sample_weight=weight, segments=labels)
        other_X, other_y = X.copy(), y.copy()
        other_X[:100], other_y[:100] = 7.0, -3.0
        other = small().fit(other_X, other_y, sample_weight=weight, segments=labels)
        np.testing.assert_array_equal(model.theta_, other.theta_)

    def test_without_it_the_lags_do_cross(self):
        X, y = system()
        cut = small().fit(X, y, segments=np.repeat([0, 1], 100))
        whole = small().fit(X, y)
        assert not np.array_equal(cut.theta_, whole.theta_)

    def test_a_label_that_comes_back_is_another_segment(self):
        X, y = system()
        model = small().fit(X, y, segments=np.repeat(["a", "b", "a"], [60, 70, 70]))
        other = small().fit(X, y, segments=np.repeat([1, 2, 3], [60, 70, 70]))
        np.testing.assert_array_equal(model.theta_, other.theta_)

    def test_segments_are_a_parameter_of_predict_ahead_too(self):
        X, y = system()
        model = small().fit(X, y)
        ahead = model.predict_ahead(X, y, steps=2, segments=np.repeat([0, 1], 100))
        halves = [model.predict_ahead(X[i : i + 100], y[i : i + 100], steps=2) for i in (0, 100)]
        np.testing.assert_array_equal(ahead, np.concatenate(halves))


class TestMissingAndBadValues:
    def test_a_missing_output_costs_the_rows_that_need_it(self):
        X, y = system()
        y[50] = np.nan
        model, message = one_warning(lambda: small().fit(X, y))
        assert model.n_dropped_ == 3  # its own row and those with lags 1 and 2
        assert message == "3 of 198 rows were left out of training because of missing values."

    def test_a_missing_input_costs_the_rows_that_need_it(self):
        X, y = system()
        X[50, 0] = np.nan
        model, message = one_warning(lambda: small().fit(X, y))
        assert model.n_dropped_ == 2 and message.startswith("2 of 198 rows")

    def test_a_missing_input_of_no_tap_costs_nothing(self):
        X, y = frames()
        X.iloc[50, 0] = np.nan
        model, record = caught(lambda: small(input_lags={"a": [], "b": 1}).fit(X, y))
        assert not record and model.n_dropped_ == 0

    def test_a_missing_target_only_loses_its_residual(self):
        X, y = system(n_outputs=2)
        y[50, 1] = np.nan
        model = TDNN(input_lags=1, hidden_layer_sizes=(), alpha=0.0)
        _, record = caught(lambda: model.fit(X, y))
        assert not record and model.n_dropped_ == 0
        taps = np.column_stack([X[1:], X[:-1]])
        for j, keep in enumerate((np.ones(199, bool), np.arange(199) != 49)):
            plain = LinearRegression().fit(taps[keep], y[1:, j][keep])
            ahead = model.predict_ahead(X, np.nan_to_num(y))[1:, j]
            np.testing.assert_allclose(ahead, plain.predict(taps), atol=1e-6)

    def test_rows_left_out_do_not_matter_to_the_others(self):
        """The model learnt is the least-squares model of the rows that are complete."""
        X, y = system()
        X[50, 0] = y[120] = np.nan
        model, _ = one_warning(lambda: small(hidden_layer_sizes=(), linear_alpha=0.0).fit(X, y))
        taps = np.column_stack([y[1:-1], y[:-2], X[2:], X[1:-1]])
        keep = np.isfinite(taps).all(axis=1) & np.isfinite(y[2:])
        plain = LinearRegression().fit(taps[keep], y[2:][keep])
        ahead = model.predict_ahead(X, y)[2:]
        np.testing.assert_allclose(ahead[keep], plain.predict(taps[keep]), atol=1e-6)

    def test_a_missing_y_of_a_history_is_the_one_step_prediction(self):
        X, y = frames()
        model = small().fit(X[:150], y[:150])
        holey = y.copy()
        holey.iloc[[160, 168, 169]] = np.nan
        filled = y.copy()
        for t in (160, 168, 169):
            filled.iloc[t] = model.predict_ahead(X[t - 2 : t + 1], filled[t - 2 : t + 1])[-1]
        ahead = model.predict_ahead(X, holey, steps=[1, 4])
        np.testing.assert_allclose(ahead, model.predict_ahead(X, filled, steps=[1, 4]), atol=1e-12)
        with_holes, without = copy.deepcopy(model), copy.deepcopy(model)
        with_holes.update(X[150:170], holey[150:170])
        without.update(X[150:170], filled[150:170])
        np.testing.assert_allclose(
            with_holes.predict(X[170:]), without.predict(X[170:]), atol=1e-12
        )

    def test_a_missing_y_at_the_end_of_fit_is_filled(self):
        X, y = frames()
        y.iloc[148:150] = np.nan
        model, _ = one_warning(lambda: small().fit(X[:150], y[:150]))
        expected = one_by_one(model, X, y, 52)
        np.testing.assert_allclose(model.predict(X[150:]), expected[2:], atol=1e-12)

    def test_a_missing_y_of_y_init_is_filled(self):
        X, y = system()
        model = small().fit(X, y)
        holey = y[:6].copy()
        holey[4] = np.nan
        filled = y[:6].copy()
        filled[4] = model.predict_ahead(X[:5], y[:5])[-1]
        np.testing.assert_allclose(model.simulate(X, holey), model.simulate(X, filled), atol=1e-12)

    def test_one_missing_output_of_two_is_filled_alone(self):
        X, y = frames(n_outputs=2)
        model = small().fit(X[:150], y[:150])
        holey, filled = y.copy(), y.copy()
        holey.iloc[168, 1] = np.nan
        filled.iloc[168, 1] = model.predict_ahead(X, y)[168, 1]
        np.testing.assert_allclose(
            model.predict_ahead(X, holey), model.predict_ahead(X, filled), atol=1e-12
        )

    def test_a_missing_y_is_filled_with_leads_once_its_inputs_are_known(self):
        X, y = frames()
        model = small(input_lags=[-1, 0]).fit(X[:150], y[:150])
        holey = y.copy()
        holey.iloc[159] = np.nan
        model.update(X[150:160], holey[150:160])
        filled = y.copy()
        filled.iloc[159] = model.predict_ahead(X[:161], holey[:161])[159]
        expected = model.predict_ahead(X[:162], filled[:162])[160]
        assert model.forecast(X=X[160:170]).iloc[0] == pytest.approx(expected, abs=1e-12)

    def test_history_that_cannot_be_filled_gives_nan(self):
        X, y = system()
        model = small().fit(X, y)
        y[:2] = np.nan
        ahead = model.predict_ahead(X[:10], y[:10])
        assert np.isnan(ahead[:4]).all()

    def test_a_missing_input_gives_nan_from_there_on_with_one_warning(self):
        X, y = frames()
        model = small().fit(X[:150], y[:150])
        holey = X[150:].copy()
        holey.iloc[7, 0] = np.nan
        predicted, message = one_warning(lambda: model.predict(holey))
        np.testing.assert_array_equal(predicted[:7], model.predict(X[150:])[:7])
        assert np.isnan(predicted[7:]).all()
        assert message == (
            "a value that the prediction of row 7 (2024-01-07 13:00:00) needs is missing, that of "
            "the column 'a' of X in row 7 (2024-01-07 13:00:00): predictions are NaN from there "
            "on."
        )

    def test_a_missing_input_of_the_history_gives_nan(self):
        X, y = frames()
        model = small().fit(X[:150], y[:150])
        holey = X[150:160].copy()
        holey.iloc[-1, 0] = np.nan
        model.update(holey, y[150:160])
        predicted, message = one_warning(lambda: model.predict(X[160:]))
        assert (
            np.isnan(predicted).all()
            and "the prediction of row 0 (2024-01-07 16:00:00) needs" in message
        )
        assert "column 'a' of X in row -1 of those seen before (2024-01-07 15:00:00):" in message

    def test_predict_ahead_is_nan_where_its_rollout_needs_a_missing_input(self):
        X, y = system()
        model = small().fit(X, y)
        X[100, 0] = np.nan
        ahead = model.predict_ahead(X, y, steps=3)
        assert np.flatnonzero(np.isnan(ahead[4:])).tolist() == [96, 97, 98, 99]  # 100..103

    def test_without_feedback_only_the_rows_that_need_it_are_nan(self):
        X, y = frames()
        model = TDNN(input_lags=1, hidden_layer_sizes=(3,), max_iter=5, random_state=0)
        model.fit(X[:150], y[:150])
        holey = X[150:].copy()
        holey.iloc[7, 0] = np.nan
        predicted, message = one_warning(lambda: model.predict(holey))
        assert np.flatnonzero(np.isnan(predicted)).tolist() == [7, 8]
        assert "row 7 (2024-01-07 13:00:00) needs is missing" in message
        assert "from there on" not in message

    def test_read_only_values_are_left_as_they_are(self):
        """Frames hand out read-only arrays, and a missing y is filled in a copy."""
        X, y = frames()
        y.iloc[[60, 140, 170]] = np.nan

        def answers(X, y):
            model, _ = caught(lambda: small(max_iter=3).fit(X[:150], y[:150]))
            first = model.predict(X[150:])
            ahead, free = model.predict_ahead(X, y, steps=[1, 4]), model.simulate(X, y[:70])
            model.update(X[150:180], y[150:180])
            return first, ahead, free, model.predict(X[180:]), model.score(X[180:], y[180:])

        expected = answers(X.to_numpy().copy(), y.to_numpy().copy())
        locked = X.to_numpy().copy(), y.to_numpy().copy()
        for values in locked:
            values.setflags(write=False)
        in_frames = pd.DataFrame(locked[0], X.index, copy=False), pd.Series(locked[1], X.index)
        assert not in_frames[0].to_numpy().flags.writeable
        for given in (locked, in_frames):
            for answer, other in zip(answers(*given), expected):
                np.testing.assert_array_equal(answer, other)
        np.testing.assert_array_equal(locked[0], X)
        np.testing.assert_array_equal(locked[1], y)

    def test_infinite_values_name_row_and_column(self):
        X, y = frames()
        X.iloc[3, 1] = np.inf
        match = r"X is infinite \(inf\) in row 3 \(2024-01-01 03:00:00\), column 'b'"
        with pytest.raises(ValueError, match=match):
            small().fit(X, y)


class TestSampleWeight:
    def test_multiplies_the_squared_error_of_its_row(self):
        X, y = system()
        weight = np.random.default_rng(0).uniform(0, 2, 200)
        model = small(hidden_layer_sizes=(), linear_alpha=0.0).fit(X, y, sample_weight=weight)
        taps = np.column_stack([y[1:-1], y[:-2], X[2:], X[1:-1]])
        plain = LinearRegression().fit(taps, y[2:], sample_weight=weight[2:])
        np.testing.assert_allclose(model.predict_ahead(X, y)[2:], plain.predict(taps), atol=1e-6)

    def test_ones_are_no_weights(self):
        X, y = system()
        weighted = small().fit(X, y, sample_weight=np.ones(200))
        np.testing.assert_allclose(weighted.theta_, small().fit(X, y).theta_, rtol=1e-9)

    def test_two_is_twice_the_segment(self):
        X, y = system(80)
        twice = np.concatenate([X, X]), np.concatenate([y, y])
        given = {"max_iter": 5, "alpha": 0.01, "linear_alpha": 0.1}
        model = small(**given).fit(*twice, segments=np.repeat([0, 1], 80))
        weighted = small(**given).fit(X, y, sample_weight=np.full(80, 2.0))
        np.testing.assert_allclose(model.theta_, weighted.theta_, atol=1e-6)

    def test_zero_is_history_not_target(self):
        X, y = system()
        weight = np.ones(200)
        weight[:100] = 0
        model = small(hidden_layer_sizes=(), linear_alpha=0.0).fit(X, y, sample_weight=weight)
        taps = np.column_stack([y[1:-1], y[:-2], X[2:], X[1:-1]])[98:]  # rows 100 on
        plain = LinearRegression().fit(taps, y[100:])
        np.testing.assert_allclose(model.predict_ahead(X, y)[100:], plain.predict(taps), atol=1e-6)

    def test_scaling_ignores_rows_of_weight_0(self):
        X, y = system()
        X[:100] *= 1e4
        y[:100] += 1e6
        weight = np.repeat([0.0, 1.0], 100)
        model = small().fit(X, y, sample_weight=weight, segments=np.repeat([0, 1], 100))
        alone = small().fit(X[100:], y[100:])
        np.testing.assert_allclose(model.theta_, alone.theta_, rtol=1e-9, atol=1e-12)

    def test_rows_of_weight_0_are_no_dropped_rows(self):
        X, y = system()
        X[50] = np.nan
        weight = np.ones(200)
        weight[45:60] = 0
        model, record = caught(lambda: small().fit(X, y, sample_weight=weight))
        assert not record and model.n_dropped_ == 0


class TestValidation:
    def test_without_early_stopping_nothing_is_held_out(self):
        model = small().fit(*system())
        assert model.validation_curve_ is None

    def test_the_last_block_of_each_segment_is_held_out(self):
        """Scaling, weights and loss come from the rest, whatever the held-out values are."""
        X, y = system()
        labels = np.repeat([0, 1], 100)
        params = {"early_stopping": True, "validation_fraction": 0.2, "n_iter_no_change": 100}
        model = small(**params).fit(X, y, segments=labels)
        held_out = np.arange(200) % 100 >= 80
        X[held_out] *= 3
        y[held_out] += 50
        other = small(**params).fit(X, y, segments=labels)
        assert other.loss_curve_ == model.loss_curve_
        assert other.validation_curve_ != model.validation_curve_

    def test_the_score_is_the_one_step_loss_with_training_rows_as_history(self):
        X, y = system()
        model = small(early_stopping=True, validation_fraction=0.2).fit(X, y)
        errors = (model.predict_ahead(X, y) - y)[160:] / y[:160].std()
        best = min(model.validation_curve_)
        assert best == pytest.approx(np.mean(errors**2) / 2, rel=1e-9)

    def test_the_best_weights_are_kept_without_refit(self):
        X, y = system(120)
        y = y + np.random.default_rng(0).normal(scale=0.1 * y.std(), size=y.shape)
        model = small(
            hidden_layer_sizes=(5,), alpha=0.0, linear_alpha=0.0, max_iter=100,
            early_stopping=True, n_iter_no_change=5, validation_fraction=0.3,
        ).fit(X, y)  # fmt: skip
        best = int(np.argmin(model.validation_curve_))
        assert model.loss_ == model.loss_curve_[best]
        falls = model.loss_curve_  # by a tenth over the iterations of patience
        waited = (i for i in range(best + 5, 101) if falls[i] > 0.9 * falls[i - 5])
        assert model.n_iter_ == next(waited)
        assert str(model.stop_) == (
            "The held-out loss did not improve for n_iter_no_change iterations."
        )

    def test_restarts_are_ranked_by_training_loss(self):
        X, y = system()
        model = small(n_restarts=4, max_iter=5).fit(X, y)
        again = small(n_restarts=1, max_iter=5).fit(X, y)
        assert model.loss_ <= again.loss_

    def test_restarts_are_ranked_by_held_out_loss_where_there_is_one(self):
        X, y = system()
        params = {"max_iter": 5, "early_stopping": True, "validation_fraction": 0.2}
        several = small(n_restarts=4, **params).fit(X, y)
        single = small(n_restarts=1, **params).fit(X, y)
        assert min(several.validation_curve_) <= min(single.validation_curve_)

    def test_rows_are_never_drawn_at_random(self):
        X, y = system()
        params = {"early_stopping": True, "hidden_layer_sizes": (), "alpha": 0.0}
        first, second = (small(random_state=seed, **params).fit(X, y) for seed in (0, 1))
        assert first.validation_curve_ == second.validation_curve_


class TestScaling:
    def test_the_units_of_X_do_not_matter(self):
        X, y = frames()
        plain = small().fit(X[:150], y[:150]).predict(X[150:])
        other = 1e3 * X + 5e4
        moved = small().fit(other[:150], y[:150]).predict(other[150:])
        np.testing.assert_allclose(moved, plain, atol=1e-6)

    def test_scale_false_leaves_X_as_it_is(self):
        X, y = frames()
        params = {"scale": False, "alpha": 1e-4, "max_iter": 2}
        model = small(**params).fit(X[:150], y[:150])
        rescaled = small(**params).fit(3 * X[:150], y[:150])
        assert not np.allclose(model.predict(X[150:]), rescaled.predict(3 * X[150:]), atol=1e-6)
        by_hand = (X - X[:150].mean()) / X[:150].std(ddof=0)
        unscaled = small(scale=False).fit(by_hand[:150], y[:150]).predict(by_hand[150:])
        scaled = small(scale=True).fit(X[:150], y[:150]).predict(X[150:])
        np.testing.assert_allclose(unscaled, scaled, atol=1e-6)

    def test_is_over_all_series_together(self):
        X, y, X_ahead, _ = split_panel(*panel())
        model = small(max_iter=5).fit(X, y)
        z = (y - y.to_numpy().mean()) / y.to_numpy().std()
        on_z = small(max_iter=5).fit(X, z)
        np.testing.assert_allclose(model.theta_, on_z.theta_, rtol=1e-6, atol=1e-9)

    def test_a_constant_output_and_a_constant_input_are_no_error(self):
        X, y = frames()
        X["b"] = 3.0
        model = small().fit(X[:150], 0 * y[:150] + 7.0)
        np.testing.assert_allclose(model.predict(X[150:]), 7.0, atol=1e-6)


class TestLinearTerm:
    def test_starts_from_the_least_squares_arx_fit(self):
        X, y = system()
        model = small(alpha=0.0, linear_alpha=0.0, linear_term=True).fit(X, y)
        taps = np.column_stack([y[1:-1], y[:-2], X[2:], X[1:-1]])
        errors = (LinearRegression().fit(taps, y[2:]).predict(taps) - y[2:]) / y.std()
        assert model.loss_curve_[0] == pytest.approx(np.mean(errors**2) / 2, rel=1e-9)
        assert model.linear_coef_.shape == (6, 1)

    def test_extrapolates_like_it(self):
        """Far out the hidden units are saturated: the slope is that of the linear term."""
        X, y = system()
        model = small(hidden_layer_sizes=(3,)).fit(X, y)
        far, farther = np.full((12, 2), 300.0), np.full((12, 2), 600.0)
        slope = model.predict_ahead(farther, y[:12]) - model.predict_ahead(far, y[:12])
        # taps are y[t-1], y[t-2], a[t], a[t-1], b[t], b[t-1]
        per_unit = model.linear_coef_[2:, 0].reshape(2, 2).sum(axis=1) / X.std(axis=0)
        assert slope[5] == pytest.approx(300 * y.std() * per_unit.sum(), rel=1e-3)

    def test_can_be_left_out(self):
        X, y = system()
        model = small(linear_term=False).fit(X, y)
        assert model.linear_coef_ is None
        assert model.n_params_ == small(linear_term=True).fit(X, y).n_params_ - 6


class TestOutputRange:
    def test_clips_in_the_loop(self):
        model = linear_nar([1.5], 0.0, output_range=(-3.0, 2.0))
        # -1 -> -1.5 -> -2.25 -> -3.375, clipped, and the clipped value is fed back
        np.testing.assert_allclose(model.forecast(5), [-1.5, -2.25, -3.0, -3.0, -3.0])
        model.update(None, [4.0 / 3])
        np.testing.assert_allclose(model.forecast(3), [2.0, 2.0, 2.0])

    def test_one_bound_may_be_none(self):
        np.testing.assert_allclose(
            linear_nar([2.0], output_range=(None, 0.0)).forecast(3), [-2.0, -4.0, -8.0]
        )
        np.testing.assert_allclose(
            linear_nar([2.0], output_range=(-5.0, None)).forecast(3), [-2.0, -4.0, -5.0]
        )

    def test_is_one_number_per_output(self):
        X, y = frames(n_outputs=2)
        model = small(output_range=([-0.5, -1.0], [0.5, 2.0])).fit(X[:150], y[:150])
        predicted = model.predict(X[150:])
        assert (predicted.min(axis=0) == [-0.5, -1.0]).all()
        assert predicted[:, 0].max() == 0.5 and predicted[:, 1].max() <= 2.0

    def test_is_in_the_units_of_y(self):
        X, y = frames()
        model = small(output_range=(1e6, 1e6 + 100)).fit(X[:150], 1e6 + 100 * y[:150])
        predicted = model.predict(X[150:])
        assert predicted.min() == pytest.approx(1e6) and predicted.max() <= 1e6 + 100

    def test_may_be_a_column_of_X_that_is_no_input(self):
        X, y = frames()
        X["limit"] = np.linspace(0.2, 1.0, 200)
        model = small(output_range=(-1.0, "limit")).fit(X[:150], y[:150])
        predicted = model.predict(X[150:])
        assert (predicted <= X["limit"][150:] + 1e-12).all() and predicted.min() == -1.0
        assert np.isclose(predicted, X["limit"][150:]).any()
        bare = small(output_range=(-1.0, 1.0)).fit(X[["a", "b"]][:150], y[:150])
        assert model.n_params_ == bare.n_params_

    def test_is_an_input_too_if_input_lags_names_it(self):
        X, y = frames()
        X["limit"] = np.linspace(0.2, 1.0, 200)
        lags = {"a": 1, "b": 1}
        without = small(output_range=(None, "limit"), input_lags=lags).fit(X, y)
        named = small(output_range=(None, "limit"), input_lags={**lags, "limit": 0}).fit(X, y)
        assert named.structure_.taps.n_inputs == without.structure_.taps.n_inputs + 1

    def test_a_missing_bound_of_a_row_does_not_count(self):
        X, y = frames()
        X["limit"] = 0.1
        X.iloc[150:160, 2] = np.nan
        model = small(output_range=(None, "limit")).fit(X[:150], y[:150])
        predicted = model.predict(X[150:])
        assert np.isfinite(predicted).all()
        assert predicted[:10].max() > 0.1 and predicted[10:].max() == pytest.approx(0.1)

    def test_counts_in_every_verb(self):
        X, y = frames()
        model = small(output_range=(-0.5, 0.5)).fit(X[:150], y[:150])
        for answer in (
            model.predict(X[150:]),
            model.predict_ahead(X, y)[2:],
            model.predict_ahead(X, y, steps=3)[4:],
            model.simulate(X, y[:2])[2:],
        ):
            assert answer.min() == pytest.approx(-0.5) and answer.max() == pytest.approx(0.5)

    def test_counts_in_training(self):
        """With the bound a linear model finds the slope that the clipped outputs hide."""
        rng = np.random.default_rng(0)
        u = rng.normal(size=(300, 1))
        y = np.maximum(2.0 * u[:, 0] - 0.5, 0.0)
        params = {"input_lags": 0, "output_lags": [], "hidden_layer_sizes": (), "alpha": 0.0}
        bounded = NARX(output_range=(0.0, None), **params).fit(u, y)
        np.testing.assert_allclose(bounded.predict(u), y, atol=1e-3)
        assert np.abs(NARX(**params).fit(u, y).predict(u) - y).max() > 0.5

    @pytest.mark.parametrize(
        "model",
        [
            Persistence(),
            SeasonalNaive(24),
            ExponentialSmoothing(),
            SmartPersistence("a", threshold=0),
            ARX(1, 2),
            ARX(level=3),
            ARX(calendar={"hour": 2}, periodic=True),
        ],
        ids=repr,
    )
    def test_baselines_have_it_too(self, model):
        X, y = frames()
        model.set_params(output_range=(-0.1, 0.1)).fit(X[:150], y[:150])
        assert np.abs(model.predict(X[150:])).max() <= 0.1 + 1e-12


class TestDivergence:
    """Twice the last value each step: after 10 steps from -1 it is below -1000."""

    def test_is_nan_from_the_first_step_beyond_1000_deviations(self):
        model = linear_nar([2.0], index=HOURS[:20])
        forecast, message = one_warning(lambda: model.forecast(15), RuntimeWarning)
        np.testing.assert_allclose(forecast[:9], -(2.0 ** np.arange(1, 10)))
        assert np.isnan(forecast[9:]).all()
        assert message.startswith("the rollout diverged at row 9 (2024-01-02 05:00:00): it left")

    def test_is_named_by_every_verb(self):
        model = linear_nar([2.0])
        y = np.ones(20)
        ahead, message = one_warning(lambda: model.predict_ahead(None, y, steps=12), RuntimeWarning)
        assert np.isnan(ahead).all() and "diverged at row 10" in message  # 2^10 from row 0

    def test_with_inputs(self):
        X, y = frames()
        model = small(hidden_layer_sizes=(), output_lags=1).fit(X[:150], y[:150])
        model.theta_[0] = 4.0
        for verb in (lambda: model.predict(X[150:]), lambda: model.simulate(X, y[:1])):
            answer, message = one_warning(verb, RuntimeWarning)
            first = np.flatnonzero(np.isfinite(answer))[-1] + 1
            assert np.isnan(answer[first:]).all() and f"diverged at row {first} (" in message

    def test_warns_once_for_many_rollouts(self):
        model = linear_nar([2.0])
        _, message = one_warning(
            lambda: model.predict_ahead(None, np.ones(5000), steps=2000), RuntimeWarning
        )
        assert "diverged at row 10:" in message

    def test_in_training_it_is_backed_away_from(self):
        X, y = system()
        model = small(solver="lbfgs", max_iter=50, linear_term=False).fit(X, 1e8 * y)
        assert np.isfinite(model.loss_) and np.isfinite(model.theta_).all()
        assert model.loss_ <= model.loss_curve_[0]

    def test_the_model_is_none_the_worse(self):
        model = linear_nar([2.0])
        caught(lambda: model.forecast(20))
        np.testing.assert_allclose(model.forecast(3), [-2.0, -4.0, -8.0])


class TestRecovery:
    def test_the_plant_of_narendra_is_found(self):
        X, y = make_narendra(1000, random_state=0)
        model = NARX(
            input_lags=[1], output_lags=1, hidden_layer_sizes=(10,), alpha=0.0, max_iter=500,
            random_state=0,
        ).fit(X, y)  # fmt: skip
        X_new, y_new = make_narendra(1000, random_state=1)
        free = model.simulate(X_new, y_init=y_new[:1])
        rmse = np.sqrt(np.mean((free - y_new)[1:] ** 2))
        assert rmse < 1e-3 * y_new.std()

    def test_a_linear_system_is_found_exactly(self):
        rng = np.random.default_rng(0)
        u, y = rng.normal(size=(100, 1)), np.zeros(100)
        for t in range(2, 100):
            y[t] = 1.2 * y[t - 1] - 0.5 * y[t - 2] + 0.3 * u[t, 0] - 0.7 * u[t - 1, 0] + 2.0
        model = NARX(input_lags=1, hidden_layer_sizes=(), alpha=0.0).fit(u[:50], y[:50])
        np.testing.assert_allclose(model.predict(u[50:]), y[50:], atol=1e-6)


class TestDefectsOfOthers:
    """Defects of other packages that no class above rules out."""

    @pytest.mark.parametrize("shift, factor", [(10.0, 1.0), (1e4, 1.0), (0.0, 1e-3), (-5.0, 1e3)])
    @pytest.mark.parametrize("model, atol", [(small(), 1e-3), (ARX(1, 2), 1e-8)], ids=repr)
    def test_folds_score_the_same_after_shift_or_scaling_of_y(self, model, atol, shift, factor):
        """The ridge to the last digits, a network as far as its training amplifies rounding."""
        X, y = frames()
        scores, moved = (
            cross_val_score(model, X, target, cv=TimeSeriesSplit(4), error_score="raise")
            for target in (y, shift + factor * y)
        )
        assert scores.min() > 0.8
        np.testing.assert_allclose(moved, scores, rtol=0, atol=atol)

    def test_missing_future_inputs_are_an_error_naming_columns_and_rows(self):
        X, y = frames()
        model = small().fit(X, y)
        with pytest.raises(
            ValueError,
            match=r"24 steps need the columns \['a', 'b'\] of X in the 24 rows after "
            "2024-01-09 07:00:00",
        ):
            model.forecast(24)

    def test_too_few_future_inputs_are_an_error_not_padded(self):
        X, y = frames()
        model = small().fit(X[:150], y[:150])
        with pytest.raises(ValueError, match="24 steps need 24 rows .* but it has 10"):
            model.forecast(24, X=X[150:160])

    def test_missing_values_in_training_leave_forecasts_whole(self):
        X, y = frames()
        y.iloc[20:30] = np.nan
        model, message = one_warning(lambda: small().fit(X[:150], y[:150]))
        assert model.n_dropped_ == 12 and message.startswith("12 of 148 rows")
        assert np.isfinite(model.predict(X[150:])).all()

    def test_training_says_why_it_ended(self, capsys):
        model = small(alpha=1e-4, max_iter=3).fit(*system())
        assert str(model.stop_) == "The number of iterations reached max_iter."
        assert (model.n_iter_, len(model.loss_curve_)) == (3, 4)
        assert capsys.readouterr() == ("", "")

    def test_training_that_cannot_get_better_ends_and_says_so(self):
        """No tolerance and no end of iterations: only the bounded search for a step ends it."""
        X, y = system()
        model = small(hidden_layer_sizes=(), alpha=0.0, tol=0.0, max_iter=10**6).fit(X, y)
        assert model.stop_.name == "STALLED" and model.n_iter_ < 1000
        assert model.loss_ == model.loss_curve_[-1] == min(model.loss_curve_)

    def test_the_transient_starts_from_measured_history(self):
        X, y = system()
        model = small(alpha=0.0, linear_alpha=0.0).fit(X, y + 100)
        errors = (model.predict_ahead(X, y + 100) - y - 100)[2:]
        assert np.abs(errors[:5]).max() < 1.0
        assert model.loss_ == pytest.approx(np.mean((errors / y.std()) ** 2) / 2, rel=1e-6)

    def test_a_climatology_without_a_value_has_not_diverged(self):
        y = pd.Series(1.0, index=pd.date_range("2024-01-01", periods=31 * 24, freq="h"))
        model = Climatology().fit(None, y)
        forecast, record = caught(lambda: model.forecast(24))
        assert np.isnan(forecast).all()
        assert not any("diverged" in str(w.message) for w in record)
