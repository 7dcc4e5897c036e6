"""TransformedForecaster: what one would do by hand with pandas, and the verbs of the forecaster."""

import pickle
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import reference
from narxkit import (
    ARX,
    NARX,
    TDNN,
    Climatology,
    GRURegressor,
    LSTMRegressor,
    Persistence,
    RollingOrigin,
    SeasonalNaive,
    SmartPersistence,
    TransformedForecaster,
    ahead_scorer,
    backtest,
    simulation_scorer,
)
from narxkit.forecasters.inner import union_of
from narxkit.rows.reach import Reach

EXACT = {"rtol": 1e-12, "atol": 1e-12}
N, N_TRAIN = 300, 250
AHEAD = slice(N_TRAIN, None)
PAIR = (np.arcsinh, np.sinh)


def hourly(n=N, gap=False):
    """Return two inputs, and a positive output that follows one of them."""
    rng = np.random.default_rng(0)
    index = pd.date_range("2024-01-01", periods=n, freq="h")
    X = pd.DataFrame(rng.normal(size=(n, 2)), index, columns=["u", "v"])
    daily = np.sin(2 * np.pi * np.arange(n) / 24)
    steps = 0.1 * np.cumsum(rng.normal(size=n))
    y = pd.Series(20 + daily + steps + X["u"].shift(1, fill_value=0.0), index, name="y")
    if gap:
        y.iloc[50:53] = np.nan
    return X, y


def airline():
    """Return the monthly passengers of Box and Jenkins, 1949 to 1960, in thousands."""
    passengers = """
        112 118 132 129 121 135 148 148 136 119 104 118 115 126 141 135 125 149 170 170 158 133 114
        140 145 150 178 163 172 178 199 199 184 162 146 166 171 180 193 181 183 218 230 242 209 191
        172 194 196 196 236 235 229 243 264 272 237 211 180 201 204 188 235 227 234 264 302 293 259
        229 203 229 242 233 267 269 270 315 364 347 312 274 237 278 284 277 317 313 318 374 413 405
        355 306 271 306 315 301 356 348 355 422 465 467 404 347 305 336 340 318 362 348 363 435 491
        505 404 359 310 337 360 342 406 396 420 472 548 559 463 407 362 405 417 391 419 461 472 535
        622 606 508 461 390 432
    """
    values = np.array(passengers.split(), dtype=float)
    index = pd.period_range("1949-01", periods=len(values), freq="M")
    return pd.Series(values, index, name="passengers")


def integrated(z, y, lags):
    """Return y from differences z that follow it, one row after another."""
    signs = np.array([1.0])
    for lag in lags:
        signs = np.convolve(signs, np.r_[1.0, np.zeros(lag - 1), -1.0])
    values = list(np.asarray(y, dtype=float))
    for step in np.asarray(z):
        values.append(step - signs[1:] @ values[: -len(signs) : -1])
    return np.array(values[len(y) :])


# --- nothing is transformed ----------------------------------------------------------------------

FORECASTERS = [
    ARX(),
    ARX(input_lags={"u": 2, "v": [0, -1]}),
    ARX(input_lags=[1], output_range=("v", 20.5)),
    ARX(input_lags={"u": 1, "v": []}, calendar=["hour"]),
    NARX(hidden_layer_sizes=(3,), max_iter=5, random_state=0),
    TDNN(hidden_layer_sizes=(3,), max_iter=5, random_state=0),
    GRURegressor(hidden_layer_sizes=(3,), window=8, max_iter=3, random_state=0),
    Persistence(),
    SeasonalNaive(24),
    Climatology(by=("hour",)),
    SmartPersistence("u", threshold=0, memory=30),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("forecaster", FORECASTERS, ids=repr)
def test_without_transformations_all_verbs_give_the_bits_of_the_forecaster(forecaster):
    X, y = hourly(gap=True)
    plain = clone(forecaster).fit(X[:N_TRAIN], y[:N_TRAIN])
    model = TransformedForecaster(forecaster).fit(X[:N_TRAIN], y[:N_TRAIN])
    n = plain.max_lag_ or 1
    for verb in (
        lambda m: (m.max_lag_, m.lead_, m.n_features_in_),
        lambda m: m.predict(X[AHEAD]),
        lambda m: m.forecast(X=X[AHEAD]),
        lambda m: m.predict_ahead(X, y, steps=[1, 5]),
        lambda m: m.simulate(X[:100], y[:n]),
        lambda m: m.simulate(X[:100], "estimate", y=y[:40]),
        lambda m: m.score(X[AHEAD], y[AHEAD]),
        lambda m: backtest(m, X, y, steps=5)["y_hat"],
        lambda m: ahead_scorer(3)(m, X[AHEAD], y[AHEAD]),
        lambda m: simulation_scorer(warmup=30)(m, X, y),
        lambda m: m.update(X[N_TRAIN:260], y[N_TRAIN:260]).predict(X[260:]),
    ):
        np.testing.assert_array_equal(verb(model), verb(plain))
    np.testing.assert_array_equal(model.forecaster_.predict(X[260:]), plain.predict(X[260:]))


def test_without_transformations_inputs_that_are_not_needed_stay_away():
    X, y = hourly()
    lags = {"u": [5], "v": [7]}
    plain, model = ARX(lags), TransformedForecaster(ARX(lags))
    answers = [m.fit(X, y).forecast(5) for m in (plain, model)]
    pd.testing.assert_series_equal(*answers)
    with pytest.raises(ValueError, match=r"6 steps need the columns \['u'\]"):
        model.forecast(6)
    bounded = TransformedForecaster(ARX({"u": [5]}, output_range=(None, "v"))).fit(X, y + 9)
    with pytest.raises(ValueError, match=r"5 steps need the columns \['v'\]"):
        bounded.forecast(5)


# --- by hand -------------------------------------------------------------------------------------


@pytest.mark.parametrize("forecaster", [ARX(input_lags=[1]), SeasonalNaive(24)], ids=repr)
@pytest.mark.parametrize("lags", [[1], [24], [1, 24], [2, 2]], ids=repr)
def test_differences_are_those_of_pandas(forecaster, lags):
    X, y = hourly()
    model = TransformedForecaster(forecaster, difference=lags).fit(X[:N_TRAIN], y[:N_TRAIN])
    z, n = y, sum(lags)
    for lag in lags:
        z = z.diff(lag)
    by_hand = clone(forecaster).fit(X[n:N_TRAIN], z[n:N_TRAIN])
    z_hat = by_hand.predict(X[AHEAD])
    y_hat = integrated(z_hat, y[:N_TRAIN], lags)
    assert model.max_lag_ == by_hand.max_lag_ + n
    np.testing.assert_allclose(model.predict(X[AHEAD]), y_hat, **EXACT)
    np.testing.assert_array_equal(model.forecaster_.predict(X[AHEAD]), z_hat)
    ahead = by_hand.predict_ahead(X[n:], z[n:])
    expected = y[n:] - z[n:] + ahead
    np.testing.assert_allclose(model.predict_ahead(X, y)[n:], expected, **EXACT)


@pytest.mark.parametrize("transform", ["log", "boxcox", PAIR], ids=["log", "boxcox", "pair"])
def test_transforms_are_those_of_numpy_and_scipy(transform):
    X, y = hourly()
    train = X[:N_TRAIN], y[:N_TRAIN]
    model = TransformedForecaster(ARX(), transform=transform).fit(*train)
    lambda_ = stats.boxcox(y[:N_TRAIN])[1]
    forward, inverse = {
        "log": (np.log, np.exp),
        "boxcox": (
            lambda values: special.boxcox(values, lambda_),
            lambda values: special.inv_boxcox(values, lambda_),
        ),
    }.get(transform, PAIR)
    by_hand = ARX().fit(X[:N_TRAIN], forward(y[:N_TRAIN]))
    assert hasattr(model, "lambda_") == (transform == "boxcox")
    if transform == "boxcox":
        np.testing.assert_allclose(model.lambda_, [lambda_], **EXACT)
    np.testing.assert_allclose(model.predict(X[AHEAD]), inverse(by_hand.predict(X[AHEAD])), **EXACT)
    np.testing.assert_allclose(
        model.predict_ahead(X, y, steps=[1, 3]),
        inverse(by_hand.predict_ahead(X, forward(y), steps=[1, 3])),
        **EXACT,
    )


def test_each_output_has_a_lambda():
    _, y = hourly()
    y = pd.DataFrame({"a": y, "b": y**3})
    model = TransformedForecaster(ARX(), transform="boxcox", difference=[1]).fit(None, y[:N_TRAIN])
    expected = [stats.boxcox(y[name][:N_TRAIN])[1] for name in "ab"]
    np.testing.assert_allclose(model.lambda_, expected, **EXACT)
    z = pd.DataFrame({c: special.boxcox(y[c], lam) for c, lam in zip("ab", expected)}).diff()
    z_hat = ARX().fit(None, z[1:N_TRAIN]).forecast(20)
    answer = model.forecast(20)
    for name, lam in zip("ab", expected):
        w = special.boxcox(y[name].iloc[N_TRAIN - 1], lam) + z_hat[name].cumsum()
        np.testing.assert_allclose(answer[name], special.inv_boxcox(w, lam), **EXACT)


@pytest.mark.parametrize("level", [50.0, 1e6, 1e-4])
def test_powers_of_a_narrow_range_stay_within_floats(level):
    """Its likelihood is highest for a lambda in the thousands, or as far below zero."""
    noise = np.random.default_rng(0).normal(size=60)
    for y in (level * (1 + 1e-4 * noise), level / (1 - 1e-4 * noise)):
        model = TransformedForecaster(ARX(), transform="boxcox", difference=[1]).fit(None, y)
        np.testing.assert_allclose(model.forecast(5), level, rtol=1e-3)


def test_a_constant_has_the_lambda_1_and_a_forecast_below_the_image_of_0_is_0():
    model = TransformedForecaster(ARX(), transform="boxcox").fit(None, np.full(20, 3.0))
    assert model.lambda_ == 1
    np.testing.assert_allclose(model.forecast(2), 3.0)
    falling = np.linspace(100, 1, 40)
    model = TransformedForecaster(Persistence(), transform="boxcox", difference=[1])
    answer = model.fit(None, falling).forecast(10)
    assert model.lambda_ > 0 and (answer[1:] == 0).all()


def solar(n=24 * 12):
    """Return a clear sky that begins and ends by night, and an output with clouds."""
    rng = np.random.default_rng(2)
    index = pd.date_range("2024-06-01", periods=n, freq="h")
    sky = np.maximum(900 * np.sin(np.pi * (np.arange(n) % 24 - 6) / 12), 0) + 1e-3
    clouds = 0.7 + 0.2 * np.sin(0.13 * np.arange(n)) + 0.05 * rng.normal(size=n)
    X = pd.DataFrame({"sky": sky, "t": rng.normal(size=n)}, index)
    return X, pd.Series(sky * clouds, index, name="ghi")


@pytest.mark.parametrize("difference", [(), (1,)])
def test_a_divisor_makes_an_index_with_the_weight_of_its_square(difference):
    X, y = solar()
    train, ahead = slice(None, 240), slice(240, None)
    sky, weight = X["sky"], np.random.default_rng(0).uniform(0.5, 2, size=240)
    is_day = sky > 0.02 * sky.max()
    first = int(np.argmax(is_day))
    index = (y / sky).where(is_day).ffill()
    squares = weight * np.where(is_day, (sky / sky.max()) ** 2, 0)[train]
    forecaster = ARX({"sky": 1, "t": [0]}, [1, 2, 24], alphas=[0.1])
    model = TransformedForecaster(forecaster, divide_by="sky", difference=difference)
    model.fit(X[train], y[train], sample_weight=weight)
    z, n = index, first
    if difference:
        z, n = index.diff(), first + 1
    by_hand = clone(forecaster).fit(X[n:240], z[n:240], sample_weight=squares[n:])
    np.testing.assert_allclose(model.forecaster_.coef_, by_hand.coef_, **EXACT)
    q_hat = by_hand.predict(X[ahead])
    if difference:
        q_hat = index.iloc[239] + q_hat.cumsum()
    np.testing.assert_allclose(model.predict(X[ahead]), q_hat * sky[ahead], **EXACT)
    # later rows, whose first ones have no index behind them
    later = backtest(model, X, y, steps=5).set_index(["origin", "horizon"])["y_hat"]
    assert np.isfinite(later).all()
    expected = backtest(by_hand, X[n:], z[n:], steps=5).set_index(["origin", "horizon"])
    expected, origins = expected["y_hat"].unstack(), expected.index.levels[0]
    if difference:
        expected = expected.cumsum(axis=1).add(index[origins], axis=0)
    target = sky.to_numpy()[X.index.get_indexer(origins)[:, None] + np.arange(1, 6)]
    both = later.unstack().loc[origins]
    np.testing.assert_allclose(both, expected * target, rtol=1e-10, atol=1e-10)


def test_the_index_of_the_evening_is_read_behind_the_lags():
    """Of a state with two lags: the last sun stood ten hours before."""
    X, y = solar()
    model = TransformedForecaster(ARX([], 2), divide_by="sky").fit(X[:240], y[:240])
    assert model.max_lag_ == 2
    state = pickle.loads(pickle.dumps(model))
    ahead = model.predict_ahead(X, y, steps=range(1, 11))
    steps = np.arange(10)
    np.testing.assert_allclose(state.predict(X[240:250]), ahead[240 + steps, steps], **EXACT)
    index = (y / X["sky"])[:240][X["sky"] > 0.02 * X["sky"].max()].iloc[-1]
    assert model.forecaster_._history.tails[None].y[-1] == pytest.approx(index)


def test_where_the_divisor_is_zero_so_is_the_forecast_and_no_row_counts():
    X, y = solar()
    X["sky"] = X["sky"].where(X["sky"] > 1, 0.0)
    model = TransformedForecaster(ARX(0, 2), divide_by="sky").fit(X[:240], y[:240])
    is_dark = X["sky"] == 0
    assert (model.predict(X[240:])[is_dark[240:]] == 0).all()
    other = y.where(~is_dark, 777.0)
    again = clone(model).fit(X[:240], other[:240])
    np.testing.assert_array_equal(again.predict(X[240:]), model.predict(X[240:]))
    missing = y.where(~is_dark)
    again = clone(model).fit(X[:240], missing[:240])
    np.testing.assert_array_equal(again.predict(X[240:]), model.predict(X[240:]))


def test_division_transform_and_difference_come_in_this_order():
    _, y = hourly()
    capacity = pd.DataFrame({"capacity": np.linspace(10, 60, N)}, y.index)
    y = y * capacity["capacity"]
    model = TransformedForecaster(
        ARX([], 2), transform="log", difference=[1], divide_by="capacity"
    ).fit(capacity[:N_TRAIN], y[:N_TRAIN])
    w = np.log(y / capacity["capacity"])
    weight = (capacity["capacity"] / capacity["capacity"].iloc[N_TRAIN - 1]) ** 2
    by_hand = ARX([], 2).fit(
        capacity[1:N_TRAIN], w.diff()[1:N_TRAIN], sample_weight=weight[1:N_TRAIN]
    )
    w_hat = w.iloc[N_TRAIN - 1] + by_hand.predict(capacity[AHEAD]).cumsum()
    expected = np.exp(w_hat) * capacity["capacity"][AHEAD]
    np.testing.assert_allclose(model.predict(capacity[AHEAD]), expected, **EXACT)


def test_a_small_plant_of_a_panel_keeps_its_quotients():
    _, y = hourly()
    sizes = {"large": 1000.0, "small": 1.0}
    X = pd.concat({key: pd.DataFrame({"capacity": size}, y.index) for key, size in sizes.items()})
    y = pd.concat({key: y * size for key, size in sizes.items()})
    model = TransformedForecaster(ARX([], 2), divide_by="capacity").fit(X, y)
    ahead = model.predict_ahead(X, y).reshape(2, N)
    np.testing.assert_allclose(ahead[0], 1000 * ahead[1], rtol=1e-12)


# --- histories -----------------------------------------------------------------------------------

ALL = {"transform": "log", "difference": [1, 24]}


def recurrent(**params):
    return LSTMRegressor(
        [0], 1, hidden_layer_sizes=(3,), window=6, max_iter=3, random_state=0, **params
    )


@pytest.mark.parametrize("forecaster", [ARX([1]), SeasonalNaive(24), recurrent()], ids=repr)
def test_predict_is_predict_ahead_step_by_step(forecaster):
    X, y = hourly()
    model = TransformedForecaster(forecaster, **ALL).fit(X[:N_TRAIN], y[:N_TRAIN])
    ahead = model.predict_ahead(X, y, steps=range(1, 51))
    steps = np.arange(50)
    np.testing.assert_allclose(model.predict(X[AHEAD]), ahead[N_TRAIN + steps, steps], rtol=1e-12)
    run = model.simulate(X[100:], y[100:200])
    answers = backtest(model, X, y, steps=50, origins=[y.index[199]])["y_hat"]
    np.testing.assert_allclose(run[100:150], answers, rtol=1e-9)


@pytest.mark.parametrize("forecaster", [ARX({"u": [0, -1], "v": [3]}), TDNN(3, (2,))], ids=repr)
@pytest.mark.parametrize("lags", [[2], [1, 24]], ids=repr)
def test_leads_and_inputs_alone_go_with_differences(forecaster, lags):
    X, y = hourly()
    y = pd.DataFrame({"a": y, "b": 2 * y + 1})
    model = TransformedForecaster(forecaster, difference=lags).fit(X[:N_TRAIN], y[:N_TRAIN])
    assert model.max_lag_ == max(3, sum(lags) + 2 * isinstance(forecaster, ARX))
    ahead = model.predict_ahead(X, y, steps=range(1, 41))
    steps, future = np.arange(40), X[N_TRAIN : N_TRAIN + 40 + model.lead_]
    answer = model.forecast(X=future)
    np.testing.assert_allclose(answer, ahead[N_TRAIN + steps, :, steps], rtol=1e-9)
    z_hat = model.forecaster_.forecast(X=future)
    np.testing.assert_allclose(answer["a"], integrated(z_hat["a"], y["a"][:N_TRAIN], lags), **EXACT)


@pytest.mark.parametrize("forecaster", [ARX([1]), recurrent()], ids=repr)
def test_update_moves_the_state(forecaster):
    X, y = hourly()
    model = TransformedForecaster(forecaster, **ALL).fit(X[:N_TRAIN], y[:N_TRAIN])
    for row in range(N_TRAIN, N_TRAIN + 5):  # one by one, with a missing output
        at = y[row : row + 1] if row != N_TRAIN + 2 else y[row : row + 1] * np.nan
        model.update(X[row : row + 1], at)
    gap = y.where(np.arange(N) != N_TRAIN + 2)
    answers = backtest(model, X, gap, steps=20, origins=[y.index[N_TRAIN + 4]])["y_hat"]
    answer = model.forecast(X=X[N_TRAIN + 5 : N_TRAIN + 25])
    np.testing.assert_allclose(answer, answers, rtol=1e-9)
    assert answer.name == "y" and answer.index[0] == y.index[N_TRAIN + 5]
    inner = model.forecaster_.forecast(X=X[N_TRAIN + 5 : N_TRAIN + 25])
    filled = np.append(y[: N_TRAIN + 5], answer)
    z = pd.Series(np.log(filled)).diff().diff(24)[N_TRAIN + 5 :]
    np.testing.assert_allclose(inner, z, atol=1e-9)


def test_later_rows_change_nothing():
    X, y = solar()
    model = TransformedForecaster(ARX(0, [1, 24]), divide_by="sky", **ALL).fit(X[:240], y[:240])
    before = model.predict_ahead(X, y, steps=[1, 6])
    changed = y.where(np.arange(len(y)) < 255, 3 * y)
    after = model.predict_ahead(X, changed, steps=[1, 6])
    np.testing.assert_array_equal(after[:256, 0], before[:256, 0])
    np.testing.assert_array_equal(after[:261, 1], before[:261, 1])
    assert (after[256:] != before[256:]).any()
    X_changed = pd.concat([X[:270], 2 * X[270:]])
    after = model.predict_ahead(X_changed, y, steps=[1, 6])
    np.testing.assert_array_equal(after[:270], before[:270])


def test_a_difference_with_a_missing_row_is_missing_in_training():
    X, y = hourly(gap=True)
    model = TransformedForecaster(ARX([1], 1), difference=[1])
    by_hand = ARX([1], 1)
    with pytest.warns(UserWarning, match="rows were left out"):
        model.fit(X[:N_TRAIN], y[:N_TRAIN])
    with pytest.warns(UserWarning, match="rows were left out"):
        by_hand.fit(X[1:N_TRAIN], y.diff()[1:N_TRAIN])
    assert model.forecaster_.n_dropped_ == by_hand.n_dropped_ == 5
    np.testing.assert_array_equal(model.forecaster_.coef_, by_hand.coef_)
    # as history the gap is bridged: behind it the level is the measured one
    ahead = model.predict_ahead(X, y)
    assert np.isfinite(ahead[2:]).all()
    assert abs(ahead[54] - y.iloc[54]) < 3 * np.nanstd(ahead - y)


def test_no_difference_crosses_a_seam():
    X, y = hourly()
    keep = np.r_[:100, 130:N]
    X, y = X.iloc[keep], y.iloc[keep]
    model = TransformedForecaster(ARX([1], 2), difference=[1]).fit(X, y)
    by_clock = model.predict_ahead(X, y)
    assert np.isnan(by_clock[[*range(3), *range(100, 103)]]).all()
    assert np.isfinite(by_clock[3:100]).all() and np.isfinite(by_clock[103:]).all()
    parts = [slice(None, 100), slice(100, None)]
    alone = np.concatenate([model.predict_ahead(X[part], y[part]) for part in parts])
    np.testing.assert_allclose(by_clock, alone, **EXACT)
    labels = np.repeat([0, 1], [100, len(y) - 100])
    arrays = TransformedForecaster(ARX([1], 2), difference=[1])
    arrays.fit(X.to_numpy(), y.to_numpy(), segments=labels)
    np.testing.assert_array_equal(arrays.forecaster_.coef_, model.forecaster_.coef_)
    by_label = arrays.predict_ahead(X.to_numpy(), y.to_numpy(), segments=labels)
    np.testing.assert_array_equal(by_label, by_clock)
    z = y.diff().where(np.arange(len(y)) != 100)
    cut = np.arange(len(y)) % 100 > 0
    cut[200:] = True
    by_hand = ARX([1], 2).fit(X[cut], z[cut])
    np.testing.assert_array_equal(model.forecaster_.coef_, by_hand.coef_)


def test_series_of_a_panel_have_states_of_their_own():
    frames = [hourly(), hourly(200)]
    X, y = (pd.concat(dict(zip("ab", parts)), names=["site", "time"]) for parts in zip(*frames))
    y["b"] = y["b"].to_numpy() * 3
    part = y.groupby(level=0).cumcount() < 150
    model = TransformedForecaster(ARX([1]), **ALL).fit(X[part], y[part])
    answer = model.forecast(X=X[~part])
    for key in "ab":
        alone = model.predict_ahead(X.loc[key], y.loc[key], steps=range(1, 51))
        steps = np.arange(50)
        np.testing.assert_allclose(answer[key][:50], alone[150 + steps, steps], rtol=1e-12)
    inner = model.forecaster_.forecast(X=X[~part])
    pd.testing.assert_index_equal(inner.index, answer.index)
    run = model.simulate(X[part], y[part].groupby(level=0).head(30))
    assert np.isnan(run.reshape(2, 150)[:, :30]).all() and np.isfinite(run[30:150]).all()


def test_after_a_gap_the_state_begins_anew():
    X, y = hourly()
    model = TransformedForecaster(ARX([1]), difference=[1]).fit(X[:200], y[:200])
    model.update(X[210:212], y[210:212])
    with pytest.raises(ValueError, match="has 2 rows, but lags up to 3 need 3"):
        model.predict(X[212:])
    assert model.forecaster_.max_lag_ == 2
    model.update(X[212:213], y[212:213])
    expected = model.predict_ahead(X[210:], y[210:])[3]
    assert model.predict(X[213:214])[0] == pytest.approx(expected, rel=1e-12)


def test_a_calendar_is_that_of_the_forecaster():
    X, y = solar()
    forecaster = ARX({"sky": [], "t": [0]}, [1, 24], calendar=["hour"])
    model = TransformedForecaster(forecaster, divide_by="sky", difference=[1])
    model.fit(X[:240], y[:240])
    index = (y / X["sky"]).where(X["sky"] > 0.02 * X["sky"].max()).ffill()
    first = int(np.argmax(index.notna())) + 1
    weight = (X["sky"] / X["sky"].max()).where(X["sky"] > 0.02 * X["sky"].max(), 0.0) ** 2
    by_hand = clone(forecaster).fit(
        X[first:240], index.diff()[first:240], sample_weight=weight[first:240]
    )
    np.testing.assert_allclose(model.forecaster_.coef_, by_hand.coef_, **EXACT)
    w_hat = index.iloc[239] + by_hand.predict(X[240:]).cumsum()
    np.testing.assert_allclose(model.predict(X[240:]), w_hat * X["sky"][240:], **EXACT)
    ahead = model.predict_ahead(X, y, steps=range(1, 11))
    steps = np.arange(10)
    np.testing.assert_allclose(model.predict(X[240:250]), ahead[240 + steps, steps], **EXACT)
    alone = TransformedForecaster(ARX(calendar=["hour"]), **ALL).fit(None, y + 1)
    assert np.isfinite(alone.forecast(24)).all()
    np.testing.assert_array_equal(alone.forecaster_.forecast(24).index, alone.forecast(24).index)
    with pytest.raises(ValueError, match="calendar"):
        model.predict_ahead(X.to_numpy(), y.to_numpy())
    with pytest.raises(ValueError, match="calendar"):
        TransformedForecaster(forecaster).fit(X.to_numpy(), y.to_numpy())
    with pytest.raises(ValueError, match="'hour_sin'"):
        clone(model).fit(X.assign(hour_sin=0.0), y)


# --- accuracy ------------------------------------------------------------------------------------


def test_logs_and_differences_beat_levels_where_the_season_grows():
    y, origins = airline(), range(84, 121, 6)
    model = TransformedForecaster(ARX(), transform="log", difference=[1, 12])
    levels, logs = (
        [np.sqrt(np.mean((m.fit(None, y[:n]).forecast(24) - y[n : n + 24]) ** 2)) for n in origins]
        for m in (ARX(), model)
    )
    assert np.mean(logs) < 0.5 * np.mean(levels)


# --- an estimator of scikit-learn ----------------------------------------------------------------


def by_nature(estimator):
    """List checks that no forecaster can pass."""
    if isinstance(estimator.forecaster, SeasonalNaive):
        return {}
    return {
        "check_methods_sample_order_invariance": "rows of a series have an order",
        "check_methods_subset_invariance": "a prediction depends on the rows before it",
        "check_sample_weight_equivalence_on_dense_data": "a row of weight 0 is still history",
    }


@parametrize_with_checks(
    [
        TransformedForecaster(ARX()),
        TransformedForecaster(ARX(), transform=PAIR, difference=[1]),
        TransformedForecaster(SeasonalNaive(2), transform=PAIR),
    ],
    expected_failed_checks=by_nature,
)
def test_checks_of_sklearn(estimator, check):
    check(estimator)


def test_parameters_are_nested_and_kept():
    model = TransformedForecaster(ARX(alphas=[1.0]), transform="log", difference=[1, 12])
    assert model.get_params(deep=False) == {
        "forecaster": model.forecaster,
        "transform": "log",
        "difference": [1, 12],
        "divide_by": None,
        "season": None,
        "regression": None,
    }
    assert model.get_params()["forecaster__alphas"] == [1.0]
    model.set_params(forecaster__output_lags=3, transform=PAIR, divide_by="u")
    assert model.forecaster.output_lags == 3 and model.get_params()["transform"] == PAIR
    copy = clone(model)
    assert copy.forecaster is not model.forecaster and copy.get_params()["difference"] == [1, 12]
    with pytest.raises(ValueError, match="Invalid parameter 'lags'"):
        model.set_params(lags=[1])
    assert repr(TransformedForecaster(ARX(), transform="log")) == (
        "TransformedForecaster(forecaster=ARX(), transform='log')"
    )


def test_a_parameter_named_transform_makes_no_transformer():
    """Pipelines go by the name alone, and would ask for its output."""
    X, y = hourly()
    model = TransformedForecaster(ARX(), transform="log")
    with pytest.raises(AttributeError, match=r"get_params\(\)\['transform'\]"):
        model.transform  # noqa: B018
    pipe = make_pipeline(StandardScaler(), model).set_output(transform="pandas")
    pipe.fit(X[:N_TRAIN], y[:N_TRAIN])
    assert not hasattr(pipe, "transform")
    bare = clone(model).fit(X[:N_TRAIN], y[:N_TRAIN])
    np.testing.assert_allclose(pipe.predict(X[AHEAD]), bare.predict(X[AHEAD]), rtol=1e-9)
    answers = [backtest(m, X, y, steps=3)["y_hat"] for m in (pipe, bare)]
    np.testing.assert_allclose(*answers, rtol=1e-9)


def test_a_fit_trains_a_clone_and_a_refused_one_leaves_all_as_it_was():
    X, y = hourly()
    forecaster = ARX()
    model = TransformedForecaster(forecaster, transform="boxcox").fit(X, y)
    assert not hasattr(forecaster, "theta_")
    state, before = dict(vars(model)), model.forecast(X=X.shift(N, freq="h"))
    with pytest.raises(ValueError, match="needs outputs above 0"):
        model.fit(X, y - 20)
    assert vars(model) == state
    pd.testing.assert_series_equal(model.forecast(X=X.shift(N, freq="h")), before)
    model.set_params(transform=None).fit(X, y)
    assert not hasattr(model, "lambda_")


def test_every_verb_but_fit_needs_a_fitted_model():
    X, y = hourly()
    model = TransformedForecaster(ARX(), transform="log")
    assert not hasattr(model, "forecaster_")
    for verb in (
        lambda: model.predict(X),
        lambda: model.forecast(3),
        lambda: model.predict_ahead(X, y),
        lambda: model.simulate(X, y),
        lambda: model.update(X, y),
        lambda: model.score(X, y),
        lambda: model.forecaster_,
    ):
        with pytest.raises(NotFittedError):
            verb()


@pytest.mark.parametrize("transform", ["log", "boxcox", PAIR], ids=["log", "boxcox", "pair"])
def test_pickle_keeps_every_answer(transform):
    X, y = solar()
    params = {"transform": transform, "difference": [1], "divide_by": "sky"}
    model = TransformedForecaster(ARX(0), **params).fit(X[:240], y[:240])
    copy = pickle.loads(pickle.dumps(model))
    for m in (model, copy):
        m.update(X[240:250], y[240:250])
    np.testing.assert_array_equal(copy.predict(X[250:]), model.predict(X[250:]))


def test_searches_score_in_the_units_of_y():
    y = airline()
    X = pd.DataFrame(index=y.index)
    model = TransformedForecaster(ARX(output_lags=[1, 12]), transform="log")
    grid = {"difference": [(), [12], [1, 12]], "forecaster__output_lags": [2, [1, 12]]}
    search = GridSearchCV(
        model, grid, scoring=ahead_scorer(12), cv=RollingOrigin(2, test_size=24),
        error_score="raise",
    ).fit(X, y)  # fmt: skip
    assert search.best_params_["difference"]
    train, test = y[:-24], y[-24:]
    score = ahead_scorer(12)(clone(model).fit(None, train), X[-24:], test)
    errors = backtest(clone(model).fit(None, train), None, y, 12)
    errors = errors[errors["origin"] >= train.index[-1]]
    by_horizon = ((errors["y_hat"] - errors["y"]) ** 2).groupby(errors["horizon"]).mean()
    assert -score == pytest.approx(np.sqrt(by_horizon).mean(), rel=1e-9)
    scores = cross_val_score(
        model, X, y, scoring=simulation_scorer(), cv=TimeSeriesSplit(2), error_score="raise"
    )
    assert np.isfinite(scores).all()


def test_one_around_another_is_both():
    X, y = hourly()
    train = X[:N_TRAIN], y[:N_TRAIN]
    outer = TransformedForecaster(
        TransformedForecaster(ARX([1]), difference=[24]), transform="log", difference=[1]
    ).fit(*train)
    both = TransformedForecaster(ARX([1]), transform="log", difference=[1, 24]).fit(*train)
    assert outer.max_lag_ == both.max_lag_ == 27
    np.testing.assert_allclose(outer.predict(X[AHEAD]), both.predict(X[AHEAD]), rtol=1e-9)


def test_an_interrupted_fit_is_told():
    X, y = hourly()
    model = TransformedForecaster(NARX(hidden_layer_sizes=(2,), max_iter=2, random_state=0))
    model.fit(X[:N_TRAIN], y[:N_TRAIN])
    inner = model._inner.forecaster
    inner.stop_ = type(inner.stop_).INTERRUPTED
    with pytest.warns(RuntimeWarning, match="the fit of this NARX was interrupted"):
        backtest(model, X, y, steps=2)


# --- seasons -------------------------------------------------------------------------------------

LINE = ARX(output_lags=1, level=1, drift=1.0, alphas=[1.0])  # goes on as a line


def wave(n, period=7, start=0):
    """Return a line and a season of no simple form, which forecasts can go on with exactly."""
    t = np.arange(start, start + n)
    shape = np.random.default_rng(period).normal(size=period)
    return 50 + 0.25 * t + 4 * shape[t % period]


@pytest.mark.parametrize("periods", [7, 24, (24, 72), (2, 4, 12)], ids=repr)
def test_seasons_are_means_of_what_moving_averages_leave(periods):
    _, y = hourly()
    model = TransformedForecaster(ARX(), season=periods).fit(None, y[:N_TRAIN])
    nested = np.atleast_1d(periods)
    season = reference.seasons(y[:N_TRAIN], np.arange(N_TRAIN) % nested[-1], nested)
    season = season.to_numpy()[np.arange(N) % nested[-1]]
    by_hand = ARX().fit(None, (y - season)[:N_TRAIN])
    expected = by_hand.forecast(N - N_TRAIN) + season[AHEAD]
    np.testing.assert_allclose(model.forecast(N - N_TRAIN), expected, **EXACT)
    np.testing.assert_allclose(
        model.predict_ahead(None, y, steps=[1, 30]),
        by_hand.predict_ahead(None, y - season, steps=[1, 30]) + season[:, None],
        **EXACT,
    )


CLOCKS = {
    "half hours": (48, pd.date_range("2024-01-01", periods=300, freq="30min")),
    "hours": (24, pd.date_range("2024-03-28", periods=160, freq="h", tz="Europe/Berlin")),
    "days": (7, pd.date_range("2024-03-20", periods=60, freq="D", tz="Europe/Berlin")),
    "weeks": (4, pd.date_range("2024-01-03", periods=60, freq="W-WED")),
    "months": (12, pd.date_range("2010-01-31", periods=60, freq="ME")),
    "quarters": (4, pd.date_range("2010-01-01", periods=40, freq="QS")),
    "periods": (12, pd.period_range("2010-01", periods=60, freq="M")),
    "trading days": (5, pd.bdate_range("2024-01-04", periods=60)),
    "elapsed times": (10, pd.timedelta_range("5s", periods=60, freq="3s")),
}


@pytest.mark.parametrize("period, index", CLOCKS.values(), ids=CLOCKS)
@pytest.mark.parametrize("has_freq", [True, False])
def test_seasons_go_on_by_the_clock(period, index, has_freq):
    n = len(index)
    labels = index if has_freq or isinstance(index, pd.PeriodIndex) else index[np.arange(n) < n]
    y = pd.Series(wave(n, period), labels, name="y")
    model = TransformedForecaster(LINE, season=period).fit(None, y[: n - 20])
    forecast = model.forecast(20)
    np.testing.assert_allclose(forecast, y[n - 20 :], rtol=1e-9)
    assert forecast.index.equals(y.index[n - 20 :])
    np.testing.assert_allclose(model.predict_ahead(None, y[n - 20 :])[1:], y[n - 19 :], rtol=1e-9)
    model.update(None, y[n - 20 : n - 9])
    np.testing.assert_allclose(model.forecast(9), y[n - 9 :], rtol=1e-9)


def test_rows_far_behind_and_before_those_of_fit_keep_their_places():
    index = pd.bdate_range("2020-01-01", periods=700)
    y = pd.Series(wave(700, 5), index)
    model = TransformedForecaster(LINE, season=5).fit(None, y[300:340])
    for part in (y[3:50], y[600:650]):
        np.testing.assert_allclose(model.predict_ahead(None, part)[1:], part[1:], rtol=1e-9)
    model.update(None, y[500:502])
    np.testing.assert_allclose(model.forecast(9), y[502:511], rtol=1e-9)


def test_rows_of_another_zone_are_those_of_fit():
    index = pd.date_range("2010-01-01", periods=60, freq="MS", tz="Europe/Berlin")
    y = pd.Series(wave(60, 12), index)
    model = TransformedForecaster(LINE, season=12).fit(None, y[:40])
    ahead = model.predict_ahead(None, y[40:].tz_convert("UTC"))
    np.testing.assert_allclose(ahead[1:], y[41:], rtol=1e-9)


def test_series_that_start_at_other_times_share_their_seasons():
    hours = pd.date_range("2024-01-01", periods=200, freq="h")
    half = pd.Timedelta("30min")
    parts = {
        "a": pd.Series(wave(150, 24), hours[:150]),
        "b": pd.Series(1e3 + wave(60, 24, 37), hours[37:97]),
        "late": pd.Series(wave(60, 24, 11), hours[10:70] + half),
    }
    model = TransformedForecaster(LINE, season=24).fit(None, pd.concat(parts))
    forecast = model.forecast(30)
    np.testing.assert_allclose(forecast["a"], wave(30, 24, 150), rtol=1e-9)
    np.testing.assert_allclose(forecast["b"], 1e3 + wave(30, 24, 97), rtol=1e-9)
    np.testing.assert_allclose(forecast["late"], wave(30, 24, 71), rtol=1e-9)
    new = pd.concat({"new": pd.Series(wave(3, 24, 180), hours[180:183])})
    np.testing.assert_allclose(model.update(None, new).forecast(5)["new"], wave(5, 24, 183))


@pytest.mark.parametrize("freqs, period", [(("W-WED", "W-FRI"), 4), (("MS", "ME"), 12)])
def test_series_on_other_days_of_the_week_or_month_share_their_seasons(freqs, period):
    one, other = (pd.date_range("2020-01-01", periods=n, freq=f) for f, n in zip(freqs, (60, 50)))
    parts = {"a": pd.Series(wave(60, period), one), "b": pd.Series(wave(50, period), other)}
    model = TransformedForecaster(LINE, season=period).fit(None, pd.concat(parts))
    forecast = model.forecast(period)
    np.testing.assert_allclose(forecast["a"], wave(period, period, 60), rtol=1e-9)
    np.testing.assert_allclose(forecast["b"], wave(period, period, 50), rtol=1e-9)


def test_series_that_close_on_other_holidays_share_their_seasons():
    days = pd.bdate_range("2019-01-01", periods=600)
    y = pd.Series(np.tile([5.0, 1, 2, 3, 4], 120), days)
    open_days = days.delete([30, 90, 150])
    panel = pd.concat({"holidays": y[open_days], "none": y[100:]})
    model = TransformedForecaster(Persistence(), season=5).fit(None, panel)
    expected = np.tile([5.0, 1, 2, 3, 4], 2)
    for key in ("holidays", "none"):
        np.testing.assert_allclose(model.forecast(10)[key], expected, atol=0.05)


def test_gaps_and_nights_leave_the_season_as_it_is():
    index = pd.date_range("2024-01-01", periods=24 * 40, freq="h")
    rng, t = np.random.default_rng(0), np.arange(24 * 40)
    y = pd.Series(30 + 5 * np.sin(2 * np.pi * t / 24), index)
    for holes in (rng.choice(900, 180, replace=False), np.arange(200, 500), np.arange(7, 800, 24)):
        holey = y[:-24].copy()
        holey.iloc[holes] = np.nan
        with pytest.warns(UserWarning, match="left out of training"):
            model = TransformedForecaster(ARX([], 1), season=24).fit(None, holey)
        np.testing.assert_allclose(model._chain.seasons.of(Rows(y.index))[:, 0],
                                   y - 30, atol=0.35)  # fmt: skip
    sky = pd.DataFrame({"sky": np.maximum(np.sin(2 * np.pi * (t - 6) / 24), 0)}, index)
    model = TransformedForecaster(Persistence(), divide_by="sky", season=24)
    bright = y * sky["sky"]
    model.fit(sky[:-24], bright[:-24])
    np.testing.assert_allclose(model.predict(sky[-24:]), bright[-24:], rtol=1e-9, atol=1e-9)


class Rows:
    """Rows of which the time stamps alone are read."""

    def __init__(self, times):
        self.times = times


def test_a_place_that_no_row_has_is_at_the_level():
    days = pd.date_range("2024-01-01", periods=70)
    y = pd.Series(
        np.where(days.day_of_week < 5, np.tile([1.0, 5, 1, 5, 3, 0, 0], 10), np.nan), days
    )
    model = TransformedForecaster(ARX([], [7], level=0), season=7)
    profile = model.fit(None, y)._chain.seasons.profile
    np.testing.assert_allclose(profile[:, 0], [-2, 2, -2, 2, 0, 0, 0], atol=1e-9)


def test_rows_without_weight_say_nothing_of_a_season():
    days = pd.date_range("2024-01-01", periods=84)
    y, weight = pd.Series(wave(84), days), np.ones(84)
    wild = y.copy()
    wild[20:27], weight[20:27] = -1e3, 0
    model = TransformedForecaster(Persistence(), season=7).fit(None, wild, sample_weight=weight)
    alone = TransformedForecaster(Persistence(), season=7).fit(None, y)
    np.testing.assert_allclose(model.forecast(14), alone.forecast(14), rtol=1e-2)


def test_each_output_has_its_season():
    days = pd.date_range("2024-01-01", periods=80)
    y = pd.DataFrame({"p": wave(80), "q": -3 * wave(80, start=2)}, days)
    model = TransformedForecaster(LINE, season=[7]).fit(None, y[:60])
    np.testing.assert_allclose(model.forecast(20), y[60:], rtol=1e-9)
    model = TransformedForecaster(LINE, "log", season=7).fit(None, np.exp(y[:60] / 100))
    np.testing.assert_allclose(model.forecast(20), np.exp(y[60:] / 100), rtol=1e-9)


@pytest.mark.parametrize("a, b", [(-700.0, 1e-3), (3.0, -20.0)])
def test_seasonal_forecasts_shift_and_scale_with_the_series(a, b):
    _, y = hourly()
    model = TransformedForecaster(ARX(level=3, drift=0.5), season=(12, 24))
    plain = model.fit(None, y).forecast(30)
    moved = model.fit(None, a + b * y).forecast(30)
    np.testing.assert_allclose((moved - a) / b, plain, rtol=1e-7)


def test_seasons_come_before_differences_and_segments_share_them():
    days = pd.date_range("2024-01-01", periods=90)
    y = pd.Series(wave(90), days)
    model = TransformedForecaster(ARX(output_lags=1), difference=[1], season=7)
    model.fit(None, y[:70], segments=np.repeat([0, 1], [30, 40]))
    assert model.max_lag_ == 2
    np.testing.assert_allclose(model.forecast(20), y[70:], rtol=1e-9)
    run = backtest(model, None, y, steps=5)
    np.testing.assert_allclose(run["y_hat"], run["y"], rtol=1e-9)


def test_rows_without_labels_go_on_where_the_clock_says_so():
    X, y = hourly()
    model = TransformedForecaster(ARX(), season=24).fit(X[:200], y[:200])
    ahead = model.predict(X[200:250])
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict(X[200:250].to_numpy()), ahead)
    copy.update(X[200:210].to_numpy(), y[200:210].to_numpy())
    later = model.update(X[200:210], y[200:210]).predict(X[210:])
    np.testing.assert_array_equal(copy.predict(X[210:].to_numpy()), later)


@pytest.mark.filterwarnings("ignore:.*feature names")
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda v: v.to_numpy(), "season=[24] is counted by the clock of the rows of fit, and "
         "these rows have no time stamps: give X or y their index."),
        (lambda v: v.tz_localize("UTC"), "season=[24] is counted from Timestamp('2024-01-01 "
         "00:00:00'), the first row of fit, but these rows begin at Timestamp('2024-01-05 "
         "04:00:00+0000', tz='UTC'): give them an index of the same kind."),
        (lambda v: v.to_period(), "season=[24] is counted from Timestamp('2024-01-01 00:00:00'), "
         "the first row of fit, but these rows begin at Period('2024-01-05 04:00', 'h'): give"),
        (lambda v: v.set_axis(v.index - v.index[0]), "the rows are labelled by elapsed times, but "
         "the last rows seen by time stamps: give both the same kind of index"),
    ],
    ids=["arrays", "a zone", "periods", "elapsed times"],
)  # fmt: skip
def test_rows_that_the_clock_cannot_count_are_refused(change, sentence):
    X, y = hourly()
    model = TransformedForecaster(ARX(), season=24).fit(X, y)
    for verb in (model.predict_ahead, lambda X, y: backtest(model, X, y, steps=2)):
        with pytest.raises(ValueError) as error:
            verb(change(X[100:]), change(y[100:]))
        assert str(error.value).startswith(sentence)


HOURS = pd.date_range("2024-01-01", periods=60, freq="h")
NOT_COUNTED = [
    *(
        (wrong, HOURS, {}, "season must be a number of rows, an int >= 2, or a sequence of them "
         f"such as (24, 168). Got {wrong!r} instead.")
        for wrong in (1, 0, -7, 24.0, True, "24", (), (1, 24), [24, None])
    ),
    ((4, 6), HOURS, {}, "each season must be a multiple of the shorter ones, but season holds "
     "[4, 6], in which 6 is no multiple of 4: leave one out."),
    ((24, 2), None, {}, "season=[2, 24] is counted by a clock with a fixed step, but the rows "
     "have none: give X or y a regular index of time stamps, or leave season out."),
    (4, pd.date_range("2020", periods=60, freq="SME"), {}, "season=[4] is counted by a clock with "
     "a fixed step, but the rows are in steps of 'SME-15': give X or y a regular index"),
    (4, HOURS[0] + pd.to_timedelta(np.arange(60) ** 3, "s"), {}, "season=[4] is counted by a "
     "clock with a fixed step, but the rows are irregular: give X or y a regular index"),
    (4, pd.MultiIndex.from_tuples([*zip("a" * 30, HOURS[:30]),
                                   *zip("b" * 30, pd.date_range("2024", periods=30))]), {},
     "season=[4] is counted by a clock with a fixed step, but the rows have several: give"),
    ((6, 36), HOURS, {}, "season=[6, 36] needs 72 rows, two of the longest season, but the longest "
     "series has 60: give more rows or a shorter season."),
    (24, HOURS, {"segments": np.repeat([0, 1], 30)}, "season=[24] needs 48 rows, two of the "
     "longest season, but the longest segment has 30: give more rows or a shorter season."),
    (24, HOURS, {"sample_weight": np.arange(60) < 9}, "season=[24] finds no 24 rows on end of "
     "which enough are measured and have a weight: fill gaps, or give more rows or a shorter"),
]  # fmt: skip


@pytest.mark.parametrize(("season", "index", "rows", "sentence"), NOT_COUNTED)
def test_a_sentence_for_each_season_that_is_none(season, index, rows, sentence):
    y = pd.Series(wave(60), index)
    model = TransformedForecaster(ARX(), season=12).fit(None, pd.Series(wave(60), HOURS))
    before = model.forecast(3)
    with pytest.raises(ValueError) as error:
        model.set_params(season=season).fit(None, y, **rows)
    assert str(error.value).startswith(sentence)
    pd.testing.assert_series_equal(model.forecast(3), before)
    model.set_params(season=None).fit(None, wave(60))
    assert model.forecast(1).index.tolist() == [60]


def test_seasons_of_a_forecaster_inside_are_those_outside():
    _, y = hourly()
    outer = TransformedForecaster(TransformedForecaster(ARX(), season=24), transform="log")
    both = TransformedForecaster(ARX(), transform="log", season=24)
    answers = [model.fit(None, y).forecast(30) for model in (outer, both)]
    pd.testing.assert_series_equal(*answers, rtol=1e-12)


def test_a_season_named_twice_counts_once():
    _, y = hourly()
    once, twice = (TransformedForecaster(ARX(), season=s) for s in (24, [24, 24]))
    pd.testing.assert_series_equal(once.fit(None, y).forecast(9), twice.fit(None, y).forecast(9))


def test_seasonally_adjusted_logarithms_forecast_the_airline():
    y = airline()
    model = TransformedForecaster(ARX(level=1, drift=1.0), "log", season=12)
    models = model, SeasonalNaive(12)
    errors = [one.fit(None, y[:120]).forecast(24) - y[120:] for one in models]
    ours, naive = (np.sqrt(np.mean(error**2)) for error in errors)
    assert ours < 0.6 * naive


# --- forecasters side by side --------------------------------------------------------------------


def test_the_reach_of_several_is_that_of_all():
    one = Reach(outputs=((0, 1), (0, 7)), inputs=((1, 0),), window=4)
    other = Reach(outputs=((0, 1), (1, 2)), inputs=((0, -2), (1, 0)), carry=3)
    both = union_of(iter([one, other]))
    assert both == Reach(((0, 1), (0, 7), (1, 2)), ((0, -2), (1, 0)), 4, False, 3)
    assert (both.history, both.lead) == (7, 2) and both.memory >= max(one.memory, other.memory)
    assert union_of([one]) == one and union_of([replace(one, both_ways=True), one]).both_ways


# --- what diverges, and what is missing ----------------------------------------------------------


def test_a_rollout_that_leaves_all_bounds_in_units_of_y_has_diverged():
    y = np.exp(np.arange(1, 30) ** 2 / 50)
    model = TransformedForecaster(ARX([], 1, alphas=[0.0]), transform="log", difference=[1])
    model.fit(None, y)
    with pytest.warns(RuntimeWarning, match=r"the rollout diverged at row \d+ \(33\)"):
        answer = model.forecast(20)
    assert np.isfinite(answer[:4]).all() and answer[4:].isna().all()


@pytest.mark.parametrize("lags", [[], 2], ids=["no lag", "two lags"])
def test_what_is_missing_ahead_is_named(lags):
    X, y = solar()
    model = TransformedForecaster(ARX({"sky": [], "t": 0}, lags), divide_by="sky")
    model.fit(X[:240], y[:240])
    ahead = X[240:].copy()
    ahead.iloc[3, 0] = np.nan
    with pytest.warns(UserWarning, match="prediction of row 3 .* column 'sky' of X") as caught:
        answer = model.predict(ahead)
    assert len(caught) == 1
    assert np.isnan(answer[3]) and np.isfinite(answer[:3]).all()
    # what feeds back its own output cannot go on
    assert np.isnan(answer[4:]).all() if lags else np.isfinite(answer[4:]).all()


def test_an_estimated_start_may_not_be_a_logarithm_of_nothing():
    y = np.exp(np.cos(0.3 * np.arange(200)) - 3)
    measured = y + 0.005 * np.random.default_rng(0).normal(size=200)
    model = TransformedForecaster(ARX(output_lags=2, alphas=[0.0]), transform="log").fit(None, y)
    off = model.simulate(y_init=measured[:2], steps=198) - y
    fitted = model.simulate(y_init="estimate", y=measured) - y
    assert np.nanstd(fitted) < 0.5 * np.nanstd(off)


# --- bad input -----------------------------------------------------------------------------------

SERIES = np.arange(1.0, 40.0)
REFUSED = [
    (
        {"transform": "log"}, None, SERIES - 3,
        "transform='log' needs outputs above 0, but 3 of 39 measured rows are zero or negative, "
        "the least -2: give transform=(np.log1p, np.expm1) for zeros, (np.arcsinh, np.sinh) for "
        "negative numbers, add a constant to y, or give NaN for what is no measurement.",
    ),
    (
        {"transform": "boxcox"}, None, SERIES - 1,
        "transform='boxcox' needs outputs above 0, but 1 of 39 measured rows are zero or negative, "
        "the least 0: give",
    ),
    (
        {"transform": "sqrt"}, None, SERIES,
        "transform must be None, 'log', 'boxcox' or a pair (forward, inverse) of functions. Got "
        "'sqrt' instead.",
    ),
    (
        {"transform": (np.sqrt, 2)}, None, SERIES,
        "transform must be None, 'log', 'boxcox' or a pair (forward, inverse) of functions. Got",
    ),
    (
        {"transform": (np.sqrt, np.sqrt)}, None, SERIES,
        "inverse of transform=(forward, inverse) does not undo forward: 38 of 39 values come back "
        "as others, such as 2 by 1.41421 as 1.18921: give functions that undo each other.",
    ),
    (
        {"transform": (np.sqrt, np.square)}, None, SERIES - 3,
        "forward of transform=(forward, inverse) gives numbers that are not finite for 2 of 39 "
        "values, such as -2: give functions that take all values of y.",
    ),
    (
        {"transform": (np.sum, np.square)}, None, SERIES,
        "forward of transform=(forward, inverse) must give one number for each of an array, but "
        "returns the shape () for (39,): give a function of single values.",
    ),
    *(
        (
            {"difference": wrong}, None, SERIES,
            "difference must be a sequence of ints >= 1, such as [1, 12]. Got "
            f"{wrong!r} instead.",
        )
        for wrong in (12, [1, 0], [1.5], [True], "12", None)
    ),
    (
        {"difference": [1, 36]}, None, SERIES,
        "y has 39 rows, but lags up to 2 and differences of 37 rows need at least 41: give a "
        "longer series or smaller lags or differences.",
    ),
    (
        {"divide_by": "c"}, None, SERIES,
        "divide_by='c' names a column of X, but there is no X: give X with this column.",
    ),
    (
        {"divide_by": "c"}, pd.DataFrame({"a": SERIES, "b": SERIES}), SERIES,
        "divide_by names the column 'c', but X has the columns ['a', 'b']: correct the name.",
    ),
    (
        {"divide_by": 1}, SERIES[:, None], SERIES,
        "divide_by names the column 1, but X has the columns [0]: correct the name.",
    ),
    (
        {"divide_by": 0}, SERIES[:, None] - 3, SERIES,
        "divide_by=0 must name a column of numbers >= 0, but it is -2 in row 0: clip it at 0, or "
        "divide by another column.",
    ),
    (
        {"divide_by": 0}, np.zeros((39, 1)), SERIES,
        "divide_by=0 names a column that is zero or missing in all training rows: give rows in "
        "which it is above 0.",
    ),
    (
        {"divide_by": 0}, (SERIES[:, None] > 30) * 5.0, np.where(SERIES > 30, np.nan, 1.0),
        "no measured row with a weight has a divisor above 0.1, 2% of the largest: give measured "
        "rows with such ones.",
    ),
    (
        {"divide_by": 0, "difference": [12]}, (SERIES[:, None] > 30) * 1.0, SERIES,
        "differences of 12 rows leave no row to train on in any segment: give longer segments or "
        "smaller lags of difference.",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("params", "X", "y", "sentence"), REFUSED)
def test_a_sentence_for_each_bad_input(params, X, y, sentence):
    with pytest.raises(ValueError) as error:
        TransformedForecaster(ARX(), **params).fit(X, y)
    assert str(error.value).startswith(sentence)


@pytest.mark.parametrize(
    "wrong", ["ARX", None, ARX, make_pipeline(StandardScaler(), ARX())], ids=repr
)
def test_what_is_no_forecaster_is_refused(wrong):
    with pytest.raises(ValueError, match="must be a forecaster such as ARX.. or NARX... Got"):
        TransformedForecaster(wrong).fit(None, SERIES)
    with pytest.raises(ValueError, match="A Pipeline goes around a TransformedForecaster"):
        TransformedForecaster(wrong).fit(None, SERIES)


@pytest.mark.parametrize(
    "verb",
    [
        lambda m: m.update(None, [41.0, 0.0]),
        lambda m: m.predict_ahead(None, SERIES - 3),
        lambda m: backtest(m, None, SERIES - 3, steps=2),
        lambda m: m.simulate(y_init=[0.0, 1.0], steps=3),
        lambda m: ahead_scorer(2, warmup=4)(m, None, SERIES - 3),
    ],
)
def test_logarithms_of_later_rows_are_refused(verb):
    for transform in ("log", "boxcox", (np.log, np.exp)):
        model = TransformedForecaster(ARX(), transform=transform).fit(None, SERIES)
        before = model.forecast(3)
        with pytest.raises(ValueError, match="needs outputs above 0|that are not finite"):
            verb(model)
        pd.testing.assert_series_equal(model.forecast(3), before)


@pytest.mark.parametrize("share", [1e-5, 1e-7, 1e-9])
@pytest.mark.parametrize("level", [1e5, 1e-5])
@pytest.mark.parametrize("side", [1, -1])
def test_boxcox_tells_a_narrow_range_apart(share, level, side):
    """Over so few per mille any power is a straight line, which a difference of 7 rows undoes."""
    y = level * (1 + side * share * np.random.default_rng(0).exponential(size=60))
    models = [TransformedForecaster(ARX(), t, [7]).fit(None, y) for t in (None, "boxcox")]
    plain, bent = (model.forecast(7).to_numpy() for model in models)
    assert np.abs(bent - plain).max() < 1e-3 * y.std()


@pytest.mark.parametrize(
    "verb",
    [
        lambda m, X, y: m.predict(X),
        lambda m, X, y: m.forecast(X=X),
        lambda m, X, y: m.update(X, y),
        lambda m, X, y: m.score(X, y),
        lambda m, X, y: m.predict_ahead(X, y),
        lambda m, X, y: m.simulate(X, y[:2]),
        lambda m, X, y: backtest(m, X, y, steps=2),
    ],
)
def test_negative_divisors_of_later_rows_are_refused(verb):
    days = pd.date_range("2024-01-01", periods=50)
    X = pd.DataFrame({"c": np.arange(1.0, 51)}, days)
    model = TransformedForecaster(ARX([], 1), divide_by="c").fit(X[:40], 2 * X.c[:40])
    later, y = X[40:].copy(), 2 * X.c[40:]
    later.loc[days[42], "c"] = -5
    said = "divide_by='c' must name a column of numbers >= 0, but it is -5 in row 2 .2024-02-12"
    with pytest.raises(ValueError, match=said):
        verb(model, later, y)
    assert model.forecast(X=X[40:]).to_numpy() == pytest.approx(y)


def test_targets_of_a_score_and_own_forecasts_may_be_zero():
    """They are not transformed, or come from below the image of 0."""
    y = np.linspace(100, 10, 40)
    model = TransformedForecaster(Persistence(), transform="boxcox", difference=[1]).fit(None, y)
    assert model.lambda_ > 0
    ahead = pd.DataFrame(index=range(40, 60))
    assert np.isfinite(model.score(ahead, np.zeros(20) + [0, 1] * 10))
    model.update(None, np.full(20, np.nan))
    assert (model.update(None, np.full(2, np.nan)).forecast(3) == 0).all()


def test_a_fit_warns_of_nothing_that_is_by_design():
    X, y = solar()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = TransformedForecaster(ARX(0), divide_by="sky", **ALL).fit(X, y)
        model.predict_ahead(X, y, steps=3)


def test_the_parameters_of_the_forecaster_are_checked():
    with pytest.raises(ValueError, match="'validation_fraction' parameter of ARX"):
        TransformedForecaster(ARX(validation_fraction=2)).fit(None, SERIES)
    with pytest.raises(ValueError, match="a season of 12 rows and differences of 30 rows need"):
        TransformedForecaster(SeasonalNaive(12), difference=[30]).fit(None, SERIES)
