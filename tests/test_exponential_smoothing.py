"""Exponential smoothing: its values by hand, those of statsmodels, and every verb."""

import numpy as np
import pandas as pd
import pytest

import reference
from narxkit import ExponentialSmoothing, Persistence, TransformedForecaster, backtest
from narxkit.forecasters.exponential_smoothing import SMOOTHINGS

DAYS = pd.date_range("2024-01-01", periods=400, freq="D")
nan = np.nan


def wander(n=200, slope=0.3, seed=0):
    """Return a level that follows half of each shock, and rises."""
    shocks = np.random.default_rng(seed).normal(size=n)
    y = 20 + slope * np.arange(n) + 0.5 * np.r_[0.0, np.cumsum(shocks)[:-1]] + shocks
    return pd.Series(y, DAYS[:n], name="y")


def slope_of(y):
    return np.polyfit(np.arange(len(y)), y, 1)[0]


# --- values --------------------------------------------------------------------------------------


@pytest.mark.parametrize("drift", [0.0, 0.5, -2.0])
@pytest.mark.parametrize("window", [1, 3, 20])
def test_geometric_weights_carry_a_line_forward(window, drift):
    y = wander()
    model = ExponentialSmoothing(drift, window).fit(None, y)
    slope = drift * slope_of(y)
    expected = reference.smoothed(y.to_numpy(), model.smoothing_, window, slope)
    np.testing.assert_allclose(model.predict_ahead(None, y), expected, rtol=1e-9)
    path = y.to_numpy()
    for _ in range(5):
        row = reference.smoothed(np.r_[path, nan], model.smoothing_, window, slope)[-1]
        path = np.r_[path, row]
    np.testing.assert_allclose(model.forecast(5), path[-5:], rtol=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_the_smoothing_has_the_smallest_squared_error(seed):
    y = wander(seed=seed).to_numpy()
    slope = 0.5 * slope_of(y)
    errors = [np.nansum((reference.smoothed(y, s, 66, slope) - y) ** 2) for s in SMOOTHINGS]
    assert ExponentialSmoothing().fit(None, y).smoothing_ == SMOOTHINGS[np.argmin(errors)]


def test_it_is_the_theta_method_of_statsmodels():
    from statsmodels.tsa.forecasting.theta import ThetaModel
    from statsmodels.tsa.holtwinters import SimpleExpSmoothing

    y = wander(400)
    model = ExponentialSmoothing(window=130).fit(None, y)
    theirs = SimpleExpSmoothing(y, initialization_method="known", initial_level=y.iloc[0])
    level = theirs.fit(smoothing_level=model.smoothing_, optimized=False).forecast(1).iloc[0]
    theta = ThetaModel(y, deseasonalize=False).fit()
    # they choose the smoothing without the drift
    theta._alpha, theta._one_step = model.smoothing_, level
    np.testing.assert_allclose(model.forecast(12), theta.forecast(12, theta=2), rtol=1e-9)
    plain = ExponentialSmoothing(drift=0, window=130).fit(None, y)
    level = theirs.fit(smoothing_level=plain.smoothing_, optimized=False).forecast(1).iloc[0]
    np.testing.assert_allclose(plain.forecast(3), level, rtol=1e-9)


def test_all_weight_on_the_last_row_is_persistence():
    y = np.cumsum(np.random.default_rng(0).normal(size=300))
    model = ExponentialSmoothing(drift=0, window=1).fit(None, y)
    np.testing.assert_allclose(model.forecast(3), Persistence().fit(None, y).forecast(3))


@pytest.mark.parametrize("n, window", [(3, 1), (5, 1), (6, 2), (31, 10), (404, 134), (600, 135)])
def test_the_window_is_a_third_of_the_series_at_most(n, window):
    y = np.random.default_rng(0).normal(size=n)
    assert ExponentialSmoothing().fit(None, y).max_lag_ == window


def test_a_line_goes_on():
    y = 7 - 0.25 * np.arange(60.0)
    for window in (None, 1, 5):
        model = ExponentialSmoothing(1.0, window).fit(None, y[:40])
        np.testing.assert_allclose(model.forecast(20), y[40:], rtol=1e-9)


@pytest.mark.parametrize("a, b", [(-700.0, 1e-3), (1e4, 20.0), (3.0, -1.0)])
def test_forecasts_shift_and_scale_with_the_series(a, b):
    y = wander()
    plain = ExponentialSmoothing().fit(None, y)
    moved = ExponentialSmoothing().fit(None, a + b * y)
    assert moved.smoothing_ == plain.smoothing_
    np.testing.assert_allclose((moved.forecast(9) - a) / b, plain.forecast(9), rtol=1e-7)


def test_a_constant_stays():
    assert ExponentialSmoothing().fit(None, np.full(9, 7.0)).forecast(2).tolist() == [7, 7]


# --- rows ----------------------------------------------------------------------------------------


def test_several_outputs_share_their_smoothing():
    one, other = wander(seed=1).to_numpy(), -40 * wander(seed=2).to_numpy()
    model = ExponentialSmoothing(window=9).fit(None, np.c_[one, other])
    errors, paths = 0.0, []
    for y in (one, other):
        ahead = np.array([reference.smoothed(y, s, 9, 0.5 * slope_of(y)) for s in SMOOTHINGS])
        errors += np.nansum((ahead - y) ** 2, axis=1) / y.var()
        paths.append(ahead[np.isclose(SMOOTHINGS, model.smoothing_)][0])
    assert model.smoothing_ == SMOOTHINGS[np.argmin(errors)]
    np.testing.assert_allclose(model.predict_ahead(None, np.c_[one, other]), np.transpose(paths))


@pytest.mark.filterwarnings("error")
def test_columns_of_x_are_not_read():
    y = wander()
    X = pd.DataFrame({"u": 0.0, "limit": 30.0}, DAYS)
    plain = ExponentialSmoothing().fit(None, y)
    model = ExponentialSmoothing().fit(X[:200], y)
    np.testing.assert_array_equal(model.predict(X[200:210] * nan), plain.forecast(10))
    bounded = ExponentialSmoothing(output_range=(None, "limit")).fit(X[:200], y)
    assert bounded.predict(X[200:202]).tolist() == [30, 30]


def test_weights_of_zero_make_rows_history():
    y, weight = wander().to_numpy(), np.r_[np.zeros(100), np.ones(100)]
    model = ExponentialSmoothing(window=10).fit(None, y, sample_weight=weight)
    slope = 0.5 * slope_of(y[100:])
    errors = [np.nansum((reference.smoothed(y, s, 10, slope) - y)[100:] ** 2) for s in SMOOTHINGS]
    assert model.smoothing_ == SMOOTHINGS[np.argmin(errors)]
    expected = reference.smoothed(y, model.smoothing_, 10, slope)
    np.testing.assert_allclose(model.predict_ahead(None, y), expected)


def test_a_missing_value_is_bridged():
    y = wander()
    model = ExponentialSmoothing(window=5).fit(None, y)
    holey, filled = y.copy(), y.copy()
    holey.iloc[150] = nan
    filled.iloc[150] = model.predict_ahead(None, y)[150]
    ahead = model.predict_ahead(None, filled, steps=[1, 4])
    np.testing.assert_allclose(model.predict_ahead(None, holey, steps=[1, 4]), ahead)
    assert np.isfinite(ExponentialSmoothing(window=5).fit(None, holey).forecast(3)).all()


def test_segments_and_series_share_slope_and_smoothing():
    y = wander().to_numpy()
    segments = np.repeat([0, 1], [140, 60])
    model = ExponentialSmoothing(drift=1.0)
    assert model.fit(None, y, segments=segments).max_lag_ == 140 // 3
    assert model.fit(None, y, segments=np.repeat(range(8), 25)).max_lag_ == 8
    line = pd.Series(2.0 * np.arange(30), DAYS[:30])
    panel = pd.concat({"a": line, "b": 500 + line[:20], "c": line[:2]})
    with pytest.warns(UserWarning, match=r"the series \['c'\] have no segment of 11 rows"):
        model.fit(None, panel)
    ahead = model.predict_ahead(None, panel)[10:30]
    np.testing.assert_allclose(ahead, line[10:])


def test_update_goes_on_where_a_longer_series_ends():
    y = wander()
    model = ExponentialSmoothing(window=20).fit(None, y[:150])
    straight = backtest(model, None, y, steps=3, origins=[179])["y_hat"]
    np.testing.assert_allclose(model.update(None, y[150:180]).forecast(3), straight)
    np.testing.assert_allclose(model.simulate(y_init=y[:180], steps=3)[-3:], straight)


def test_a_season_is_taken_out_before():
    t = np.arange(140)
    y = pd.Series(3 + 0.5 * t + 4 * np.sin(2 * np.pi * t / 7), DAYS[:140])
    model = TransformedForecaster(ExponentialSmoothing(drift=1.0), season=7).fit(None, y[:126])
    np.testing.assert_allclose(model.forecast(14), y[126:], rtol=1e-9)


# --- bad input -----------------------------------------------------------------------------------

Y = np.arange(30.0)
REFUSED = [
    ({"window": 0}, Y, "The 'window' parameter of ExponentialSmoothing must be an int in the range "
                       "[1, 1000000] or None. Got 0 instead."),
    ({"window": 2.0}, Y, "The 'window' parameter of ExponentialSmoothing must be an int in"),
    ({"window": 10**8}, Y, "The 'window' parameter of ExponentialSmoothing must be an int in"),
    ({"drift": nan}, Y, "The 'drift' parameter of ExponentialSmoothing must be a float in the "
                        "range (-inf, inf). Got nan instead."),
    ({"drift": "0.5"}, Y, "The 'drift' parameter of ExponentialSmoothing must be a float in"),
    ({"window": 29}, Y, "y has 30 rows, but a window of 29 rows needs at least 31: give a longer "
                        "series or a smaller window."),
    ({}, Y[:2], "y has 2 rows, but a window of 1 rows needs at least 3: give a longer series or"),
    ({}, np.where(Y % 5, Y, nan), "no row has its window and its target: too many values are "
                                  "missing. Fill gaps, or give a smaller window."),
    ({}, np.c_[Y, np.where(Y % 5, Y, nan)], "no row has its window and its target: too many"),
    ({}, np.full(30, nan), "y holds a column of missing values (NaN) only: give measured ones."),
]  # fmt: skip


@pytest.mark.parametrize("params, y, sentence", REFUSED)
def test_a_sentence_for_each_bad_input(params, y, sentence):
    model = ExponentialSmoothing().fit(None, Y)
    before = model.forecast(3)
    with pytest.raises(ValueError) as error:
        model.set_params(**params).fit(None, y)
    assert str(error.value).startswith(sentence)
    pd.testing.assert_series_equal(model.forecast(3), before)


def test_one_row_more_is_enough():
    assert ExponentialSmoothing(window=28).fit(None, Y).max_lag_ == 28
