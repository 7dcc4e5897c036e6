"""How sure forecasts are: coverage, paths, updates, panels, transformations, saved models."""

import copy
import pickle
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import narxkit
from narxkit import (
    ARX,
    NARX,
    AutoNARX,
    Climatology,
    ExponentialSmoothing,
    ForecastDisplay,
    GRURegressor,
    LSTMRegressor,
    Persistence,
    SeasonalNaive,
    SmartPersistence,
    TransformedForecaster,
    backtest,
    coverage,
    interval_score,
    skill_table,
)
from narxkit.cli import main
from narxkit.forecasters.errors import Errors
from narxkit.forecasters.intervals import errors_for
from narxkit.networks import TappedMLP, make_taps
from narxkit.rows.rollouts import Rollouts
from narxkit.rows.segments import Segments
from reference import rollout as slow_rollout

N, AHEAD = 300, 8
HOURS = pd.date_range("2024-01-01", periods=N + 100, freq="h", name="time")


def walk(n, seed=0, share=0.8):
    """Return an AR(1) series of unit innovations, from its stationary law."""
    e = np.random.default_rng(seed).normal(size=n + 50)
    y = np.zeros(n + 50)
    for t in range(1, n + 50):
        y[t] = share * y[t - 1] + e[t]
    return y[50:]


def hourly(n=N, **options):
    """Return a positive series with a day, and what drives it."""
    rng = np.random.default_rng(1)
    X = pd.DataFrame({"u": rng.normal(size=len(HOURS))}, index=HOURS)
    X["clear_sky"] = 100 * np.maximum(np.sin(np.arange(len(HOURS)) * np.pi / 12), 0)
    waves = 10 + 4 * np.sin(np.arange(len(HOURS)) * np.pi / 12) + X["u"]
    return X[:n], (waves + rng.normal(size=len(HOURS)))[:n].rename("load")


def quick(kind=NARX, **params):
    return kind(**{"max_iter": 5, "hidden_layer_sizes": (3,), "random_state": 0} | params)


FORECASTERS = {
    "ARX": ARX(),
    "NARX": quick(),
    "median": quick(n_restarts=2, combine="median"),
    "GRU": quick(GRURegressor, window=6),
    "LSTM": quick(LSTMRegressor, window=6),
    "Persistence": Persistence(),
    "SeasonalNaive": SeasonalNaive(),
    "Climatology": Climatology(by=("hour",)),
    "SmartPersistence": SmartPersistence(),
    "ExponentialSmoothing": ExponentialSmoothing(),
    "log": TransformedForecaster(ARX(input_lags=0), transform="log", difference=[24]),
    "boxcox": TransformedForecaster(ARX(), transform="boxcox", season=24),
    "divided": TransformedForecaster(ARX(), divide_by="clear_sky"),
    "leads": ARX(input_lags=[-1, 0]),
    "AutoNARX": AutoNARX(horizon=AHEAD, networks=False),
}


# --- every forecaster ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", FORECASTERS)
def test_every_forecaster_says_how_sure_it_is(name):
    X, y = hourly()
    later, _ = hourly(N + AHEAD + 1)
    later = later[N:] if name == "leads" else later[N:-1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = FORECASTERS[name].fit(X, y)
        plain = model.forecast(X=later)
        fan = model.forecast(X=later, level=[80, 90], quantiles=0.5, n_paths=50)
    sides = ["load-lo-80", "load-hi-80", "load-lo-90", "load-hi-90", "load-q-0.5"]
    assert fan.columns.tolist() == ["load", *sides, *(f"load-path-{i}" for i in range(50))]
    pd.testing.assert_series_equal(fan["load"], plain)
    assert np.isfinite(fan).all(axis=None) and fan.index.name == "time"
    ordered = fan[["load-lo-90", "load-lo-80", "load-q-0.5", "load-hi-80", "load-hi-90"]]
    assert (np.diff(ordered, axis=1) >= -1e-12).all()
    # under log and Box-Cox nothing is below 0, and AutoNARX has seen nothing there
    if name in ("log", "boxcox", "AutoNARX"):
        assert (fan > 0).all(axis=None)


@pytest.mark.parametrize("steps", [1, 5])
@pytest.mark.parametrize("kind", [ARX(output_lags=1), quick(output_lags=1)], ids=["ARX", "NARX"])
def test_intervals_of_an_autoregression_are_those_of_its_law(kind, steps):
    """The quantiles of y_{o+h} are 0.8^h y_o and z times its known deviation."""
    y = walk(6000)
    fan = kind.fit(None, y).forecast(steps, level=[80, 95]).iloc[-1]
    std = np.sqrt(sum(0.64**k for k in range(steps)))
    middle = 0.8**steps * y[-1]
    sides = np.array([-1.2816, 1.2816, -1.96, 1.96]) * std
    assert_allclose(fan.iloc[1:].to_numpy(dtype=float) - middle, sides, rtol=0.12)


def test_backtests_hold_what_they_promise():
    y = walk(5000, seed=3)
    runs = backtest(ARX(output_lags=1).fit(None, y[:2000]), None, y[2000:], 6, level=[50, 80, 95])
    share = coverage(runs)
    assert share.index.tolist() == [1, 2, 3, 4, 5, 6] and share.columns.tolist() == [50, 80, 95]
    assert_allclose(share - [50, 80, 95], 0, atol=3)


def test_a_level_that_depends_on_the_forecast_is_followed():
    """Where the deviation grows with the level, so do the intervals."""
    rng = np.random.default_rng(0)
    y = 5 + 4 * np.sin(np.arange(3000) * np.pi / 50)
    y *= 1 + 0.1 * rng.normal(size=3000)
    model = SeasonalNaive(period=100).fit(None, y[:2925])  # at the top
    width = model.forecast(75, level=80).eval("`y-hi-80` - `y-lo-80`").to_numpy()
    assert width[:5].mean() > 3 * width[45:55].mean()


def test_intervals_are_wide_after_large_errors():
    rng = np.random.default_rng(0)
    swarm = np.repeat(rng.choice([0.2, 3.0], size=60), 50)
    y = swarm * rng.normal(size=3000)
    calm, wild = np.flatnonzero(np.diff(swarm) > 0)[-1], np.flatnonzero(np.diff(swarm) < 0)[-1]
    widths = [
        ARX(output_lags=1).fit(None, y[:end]).forecast(1, level=80).eval("`y-hi-80` - `y-lo-80`")
        for end in (calm, wild)
    ]
    assert widths[1].item() > 4 * widths[0].item()


def test_forecasts_without_doubt_have_no_width():
    fan = SeasonalNaive(period=3).fit(None, [1.0, 2.0, 4.0] * 60).forecast(3, level=80, n_paths=2)
    assert_array_equal(fan, np.repeat([[1.0], [2.0], [4.0]], 5, axis=1))


def test_bounds_of_the_output_bound_all_that_is_around_it():
    X, y = hourly()
    fan = ARX(output_range=(9.0, 11.0)).fit(X, y.clip(9.0, 11.0))
    fan = fan.forecast(X=hourly(N + 5)[0][N:], level=99, quantiles=0.05, n_paths=200)
    assert fan.min(axis=None) == 9.0 and fan.max(axis=None) == 11.0


# --- paths ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ARX", "NARX", "median", "log", "SeasonalNaive"])
def test_paths_have_the_quantiles_of_the_intervals(name):
    X, y = hourly()
    later = hourly(N + AHEAD)[0][N:]
    model = FORECASTERS[name].fit(X, y)
    fan = model.forecast(X=later, quantiles=[0.1, 0.5, 0.9], n_paths=1000)
    paths = fan.filter(like="-path-")
    assert_allclose(paths.quantile([0.1, 0.5, 0.9], axis=1).T, fan.iloc[:, 1:4], atol=0.1)


def test_paths_depend_on_their_last_step():
    """Successive values of an autoregression have the correlation of its law."""
    y = walk(3000)
    for kind in (ARX(output_lags=1), Persistence()):
        paths = kind.fit(None, y).forecast(6, n_paths=2000).iloc[:, 1:].to_numpy()
        assert (
            abs(np.corrcoef(paths[-2], paths[-1])[0, 1] - 0.8 if kind.__class__ is ARX else 0)
            < 0.08
        )
        assert np.corrcoef(paths[-2], paths[-1])[0, 1] > 0.6


def test_outputs_are_drawn_together():
    rng = np.random.default_rng(0)
    noise = rng.multivariate_normal([0, 0], [[1, -0.9], [-0.9, 1]], size=800)
    y = pd.DataFrame(noise, columns=["a", "b"])
    for model in (ARX(output_lags=1), Persistence()):
        fan = model.fit(None, y).forecast(3, level=80, n_paths=500)
        names = ["a", "a-lo-80", "a-hi-80", *(f"a-path-{i}" for i in range(500))]
        assert fan.columns.tolist() == [*names, *(name.replace("a", "b", 1) for name in names)]
        a, b = (fan.filter(like=f"{name}-path").to_numpy() for name in "ab")
        assert all(np.corrcoef(a[h], b[h])[0, 1] < -0.7 for h in range(3))


def test_the_same_seed_gives_the_same_bits():
    y = walk(400)
    one, two = (ARX().fit(None, y) for _ in range(2))
    first = one.forecast(5, level=80, n_paths=20)
    pd.testing.assert_frame_equal(first, two.forecast(5, level=80, n_paths=20), check_exact=True)
    other = one.forecast(5, level=80, n_paths=20, random_state=1)
    assert_array_equal(first.iloc[:, :3], other.iloc[:, :3])
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("n_runs", [3, 40], ids=["one after another", "together"])
def test_shocks_are_added_before_they_are_fed_back(n_runs):
    rng = np.random.default_rng(0)
    network = TappedMLP(make_taps([0], 2, ["u"], 2), (4,))
    theta = 0.3 * rng.normal(size=network.n_params)
    rows = Segments(rng.normal(size=(90, 1)), rng.normal(size=(90, 2)), np.array([0, 90]))
    origins, lengths = rng.integers(2, 80, size=n_runs), rng.integers(1, 8, size=n_runs)
    runs, shocks = Rollouts(rows, origins, lengths), rng.normal(size=(n_runs, lengths.max(), 2))
    paths, _ = network.rollout(theta, runs, shocks)
    for i in range(n_runs):
        y = rows.y.copy()
        for s in range(lengths[i]):
            at = origins[i] + s
            step = slow_rollout(network, theta, rows.replace(y=y), [at], [1])[0][0]
            y[at] = np.ravel(step)[-2:] + shocks[i, s]
            assert_allclose(paths[i, s], y[at], rtol=1e-9)
        assert np.isnan(paths[i, lengths[i] :]).all()
    with pytest.raises(IndexError, match="need as many shocks"):
        network.rollout(theta, runs, shocks[:, 1:].copy())


# --- rows that come in ---------------------------------------------------------------------------


def test_intervals_widen_where_forecasts_get_worse():
    y = walk(1200)
    y[600:] *= 4
    model = ARX(output_lags=1).fit(None, y[:600])
    widths = []
    for end in range(600, 1200, 100):
        fan = model.forecast(3, level=80)
        widths.append(float(fan.iloc[-1, 2] - fan.iloc[-1, 1]))
        model.update(None, y[end : end + 100])
    assert min(widths[1:]) > 2.5 * widths[0]  # of 4 times


@pytest.mark.parametrize("lead", [0, 2])
def test_rows_one_by_one_tell_the_same_as_all_at_once(lead):
    X, y = hourly(N + 40)
    model = ARX(input_lags=[-lead, 0]) if lead else quick()
    one, all_at_once = (clone(model).fit(X[:N], y[:N]) for _ in range(2))
    for model in (one, all_at_once):
        model.forecast(X=X[N : N + 5], level=80)
    all_at_once.update(X[N : N + 30], y[N : N + 30])
    for t in range(N, N + 30):
        one.update(X[t : t + 1], y[t : t + 1])
    later = X[N + 30 : N + 35]
    known = [model._calibration.errors[None].errors for model in (one, all_at_once)]
    # of each row the first times that it is forecast may lie before the rows that were kept
    assert np.isfinite(known[0][-20:]).all()
    assert_allclose(known[0][-20:], known[1][-20:], rtol=1e-9)
    pair = (model.forecast(X=later, level=[80, 90]) for model in (one, all_at_once))
    pd.testing.assert_frame_equal(*pair, rtol=1e-9)


def test_errors_of_new_rows_are_those_of_predict_ahead():
    X, y = hourly(N + 40)
    model = ARX().fit(X[:N], y[:N])
    model.forecast(X=X[N : N + 4], level=80)
    model.update(X[N:], y[N:])
    known = model._calibration.errors[None]
    ahead = model.predict_ahead(X, y, steps=[1, 2, 3, 4])
    expected = y.to_numpy()[:, None] - ahead
    # the first new rows are not so many steps behind those from which they are forecast
    assert_allclose(known.errors[-30:, :, 0], expected[-30:], rtol=1e-9)
    assert_array_equal(known.numbers[-40:], np.arange(N, N + 40))


def test_backtests_know_at_each_origin_what_updates_would_have_told():
    y = walk(1500, seed=4)
    model = ARX(output_lags=1).fit(None, y[:1000])
    runs = backtest(model, None, y[1000:], 3, origins=[299], level=80)
    # errors up to the origin count, and others do not
    changed = y.copy()
    changed[1303:] *= 5
    again = backtest(model, None, changed[1000:], 3, level=80)
    pd.testing.assert_frame_equal(
        runs.iloc[:, 3:].drop(columns="y"),
        again[again["origin"] == 299].iloc[:, 3:].drop(columns="y").reset_index(drop=True),
        atol=0.2,
    )
    width = again.eval("`y_hat-hi-80` - `y_hat-lo-80`").groupby(again["origin"]).mean()
    assert width.iloc[-1] > 1.1 * width[299]


def test_a_refused_update_leaves_all_as_it_was():
    X, y = hourly()
    model = ARX().fit(X, y)
    before = model.forecast(X=hourly(N + 3)[0][N:], level=80)
    with pytest.raises(ValueError, match="give update only rows after those"):
        model.update(X[-5:], y[-5:])
    pd.testing.assert_frame_equal(model.forecast(X=hourly(N + 3)[0][N:], level=80), before)


# --- several series, gaps, arrays ----------------------------------------------------------------


def panel(n=N):
    X, y = hourly(n)
    return tuple(pd.concat({"a": v, "b": 10 * v}, names=["id"]) for v in (X, y))


@pytest.mark.parametrize("kind", [ARX(), Persistence(), quick()], ids=lambda m: type(m).__name__)
def test_each_series_has_its_own_spread(kind):
    X, y = panel()
    model = kind.fit(X, y)
    later = panel(N + 3)[0].groupby(level=0).tail(3)
    fan = model.forecast(X=later, level=80, n_paths=10)
    pd.testing.assert_index_equal(fan.index, later.index)
    width = (fan["load-hi-80"] - fan["load-lo-80"]).groupby(level=0).mean()
    assert 5 < width["b"] / width["a"] < 20
    runs = backtest(model, X, y, 3, level=80)
    assert set(runs["series"]) == {"a", "b"} and runs.notna().all(axis=None)
    model.update(*(part.groupby(level=0).tail(5) for part in _moved(X, y)))
    assert np.isfinite(model.forecast(X=_moved(later)[0], level=80)).all(axis=None)


def _moved(*frames):
    """Return frames of later rows."""

    def move(frame):
        times = frame.index.get_level_values(1) + pd.Timedelta("5h")
        return frame.set_axis(pd.MultiIndex.from_arrays([frame.index.get_level_values(0), times]))

    return [move(frame) for frame in frames]


def test_short_series_among_others_are_named():
    X, y = panel()
    short = pd.concat([y["a"].to_frame("load"), y["b"][:12].to_frame("load")], keys=["a", "b"])
    model = ARX(output_lags=1).fit(None, short["load"])
    with pytest.warns(UserWarning, match=r"level=80 needs 9 errors .* the series \['b'\] have few"):
        fan = model.forecast(4, level=80)
    assert np.isfinite(fan.loc["a"]).all(axis=None) and fan.loc["b"]["load-lo-80"].isna().all()


def test_gaps_and_missing_rows_cost_their_errors():
    X, y = hourly()
    y[100:110] = np.nan
    X, y = (part.drop(part.index[180:200]) for part in (X, y))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = ARX().fit(X, y)
    fan = model.forecast(X=hourly(N + 4)[0][N:], level=80, n_paths=5)
    known = model._calibration.errors[None]
    assert np.isfinite(fan).all(axis=None) and np.isnan(known.errors[98:108, 0, 0]).all()


def test_arrays_and_outputs_without_names():
    y = walk(200)
    assert ARX().fit(None, y).forecast(2, level=80).columns.tolist() == ["y", "y-lo-80", "y-hi-80"]
    fan = ARX().fit(None, np.stack([y, y**2], axis=1)).forecast(2, quantiles=[0.25])
    assert fan.columns.tolist() == ["y0", "y0-q-0.25", "y1", "y1-q-0.25"]
    assert fan.index.tolist() == [200, 201]


# --- no weight has seen the errors ---------------------------------------------------------------


def test_errors_are_those_of_rows_that_no_weight_was_fitted_to():
    """A network that learns its rows by heart is as unsure as it is on others."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(160, 6)), rng.normal(size=160)
    model = NARX(0, 1, (30,), alpha=0.0, max_iter=100, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X[:150], y[:150])
        learned = np.nanstd(model.predict_ahead(X[:150], y[:150]) - y[:150])
        fan = model.forecast(1, X=X[150:], level=80)
    assert learned < 0.5 and (fan["y-hi-80"] - fan["y-lo-80"]).item() > 2.5


def test_each_fit_is_asked_once_and_says_nothing():
    calls = []
    model = quick(callback=lambda iteration: calls.append(1), verbose=False)
    model.fit(None, walk(300))
    n = len(calls)
    first = model.forecast(4, level=80)
    assert len(calls) == n
    known = model._calibration
    model.forecast(3, quantiles=[0.3])
    assert model._calibration is known
    assert_array_equal(first, model.forecast(4, level=80))
    model.forecast(5, level=80)
    assert model._calibration.steps == 5


# --- kept ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ARX", "NARX", "GRU", "log", "SeasonalNaive"])
@pytest.mark.parametrize("is_asked_before", [False, True])
def test_a_saved_model_is_as_sure(name, is_asked_before, tmp_path):
    X, y = hourly(N + 20)
    ask = {"X": X[N : N + 4], "level": 80, "n_paths": 3}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = FORECASTERS[name].fit(X[:N], y[:N])
        if is_asked_before:
            model.forecast(**ask)
        model.save(tmp_path / "m.narx")
        twin = narxkit.load(tmp_path / "m.narx")
        pair = model.forecast(**ask), twin.forecast(**ask)
        pd.testing.assert_frame_equal(*pair, check_exact=True)
        ask["X"] = X[N + 10 : N + 14]
        pair = (m.update(X[N : N + 10], y[N : N + 10]).forecast(**ask) for m in (model, twin))
        pd.testing.assert_frame_equal(*pair, check_exact=True)


def test_panels_pickles_and_copies(tmp_path):
    X, y = panel()
    model = ARX().fit(X, y)
    later = panel(N + 3)[0].groupby(level=0).tail(3)
    expected = model.forecast(X=later, level=80)
    model.save(tmp_path / "m.narx")
    for twin in (narxkit.load(tmp_path / "m.narx"), pickle.loads(pickle.dumps(model)),
                 copy.deepcopy(model)):  # fmt: skip
        pd.testing.assert_frame_equal(twin.forecast(X=later, level=80), expected)


def test_a_model_of_an_earlier_version_says_what_it_lacks():
    model = ARX().fit(None, walk(60))
    del model._fitted_to, model._calibration
    assert len(model.update(None, walk(5)).forecast(2)) == 2
    with pytest.raises(ValueError, match="does not have the rows that it was fitted to, .* again"):
        model.forecast(2, level=80)


def test_rows_are_kept_as_they_were_fitted():
    y = walk(200)
    model = ARX().fit(None, y)
    expected = ARX().fit(None, y.copy()).forecast(2, level=80)
    y[:] = 0.0
    pd.testing.assert_frame_equal(model.forecast(2, level=80), expected)


# --- scores --------------------------------------------------------------------------------------


def test_scores_of_intervals():
    runs = pd.DataFrame({"horizon": [1, 1, 2], "y": [1.0, 5.0, np.nan], "y_hat": [1.0, 2.0, 0.0]})
    runs[["y_hat-lo-80", "y_hat-hi-80"]] = [[0.0, 2.0], [1.0, 3.0], [0.0, 1.0]]
    assert coverage(runs)[80.0].tolist()[0] == 50.0 and np.isnan(coverage(runs)[80.0][2])
    assert_allclose(interval_score(runs)[80.0][1], np.mean([2.0, 2.0 + 10.0 * 2.0]))
    for score in (coverage, interval_score):
        with pytest.raises(
            ValueError, match=r"no intervals: give the answer of backtest\(..., lev"
        ):
            score(runs[["horizon", "y", "y_hat"]])


def test_the_crps_of_a_normal_law():
    """That of N(0, 1) around its mean is 2 / sqrt(pi) less 1 / sqrt(pi), in the mean 0.564."""
    y = np.random.default_rng(0).normal(size=6000)
    model = ARX(output_lags=1).fit(None, y[:3000])
    runs = {
        "with": backtest(model, None, y[3000:], 2, level=range(5, 100, 5)),
        "without": backtest(model, None, y[3000:], 2),
    }
    table = skill_table(runs)
    assert_allclose(table.loc["with", "CRPS"], 1 / np.sqrt(np.pi), atol=0.02)
    assert np.isnan(table.loc["without", "CRPS"])
    assert "CRPS" not in skill_table({"without": runs["without"]})


def test_pipelines_and_transformed_targets():
    X, y = hourly()
    scaler = StandardScaler().set_output(transform="pandas")
    inside = TransformedTargetRegressor(ARX(), func=np.negative, inverse_func=np.negative)
    runs = backtest(make_pipeline(scaler, inside).fit(X, y), X, y, 2, level=80)
    plain = backtest(ARX().fit(X, y), X, y, 2, level=80)
    assert (runs["y_hat-lo-80"] < runs["y_hat-hi-80"]).all()
    # signs turned round, and the two ends with them
    assert_allclose(runs["y_hat-hi-80"], plain["y_hat-hi-80"], rtol=0.05)


# --- what cannot be told -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"level": 0.8}, r"level must be above 1 and below 100. Got 0.8 instead: level is in per "
                         r"cent, 80 and not 0.8."),
        ({"level": 1}, "level must be above 1 and below 100. Got 1 instead, such as"),
        ({"level": [80, 100]}, "level must be above 1 and below 100. Got 100 instead"),
        ({"level": "80"}, "Got '80' instead"),
        ({"level": np.nan}, "Got nan instead"),
        ({"level": [True]}, "Got True instead"),
        ({"quantiles": [0.1, 1.0]}, r"quantiles must lie between 0 and 1, such as \[0.1, 0.9\]. "
                                    "Got 1.0 instead"),
        ({"quantiles": 80}, "Got 80 instead"),
        ({"quantiles": 0}, "Got 0 instead"),
        ({"n_paths": 0}, "n_paths must be an int >= 1. Got 0 instead"),
        ({"n_paths": 2.5}, "Got 2.5 instead"),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_out_of_range_is_told(asked, message):
    model = ARX().fit(None, walk(60))
    with pytest.raises(ValueError, match=message):
        model.forecast(2, **asked)
    if "level" in asked:
        with pytest.raises(ValueError, match=message):
            backtest(model, None, walk(60), 2, **asked)
    assert model._calibration is None


@pytest.mark.parametrize(
    ("asked", "needed", "missing", "name"),
    [
        ({"level": [80, 95]}, 39, 11, "level=95"),
        ({"level": 99}, 199, 171, "level=99"),
        ({"quantiles": [0.1, 0.99]}, 99, 71, "quantiles=0.99"),
    ],
    ids=str,
)
def test_too_few_errors_are_told_with_the_rows_that_are_needed(asked, needed, missing, name):
    y = walk(400)
    with pytest.raises(ValueError) as error:
        ARX(output_lags=1).fit(None, y[:32]).forecast(4, **asked)
    assert str(error.value) == (
        f"{name} needs {needed} errors of each number of steps, but the rows that the model was "
        f"fitted to leave 28 of 4 steps ahead: fit it to at least {missing} rows more, or ask for "
        "fewer steps or for what is nearer to the middle."
    )
    ARX(output_lags=1).fit(None, y[: 32 + missing]).forecast(4, **asked)


def test_too_few_errors_for_paths():
    with pytest.raises(ValueError, match="n_paths needs 20 errors .* or ask for fewer steps.$"):
        ARX(output_lags=1).fit(None, walk(15)).forecast(3, n_paths=2)


def test_how_many_errors_a_quantile_needs():
    assert [errors_for(q) for q in (0.5, 0.1, 0.9, 0.05, 0.025, 0.975, 0.005)] == [
        1, 9, 9, 19, 39, 39, 199
    ]  # fmt: skip
    # one of 39 errors lies below 0.025 of what comes: the quantile is the smallest
    errors = np.random.default_rng(0).normal(size=(39, 1, 1))
    known = Errors(errors, np.zeros((39, 1, 1)), np.zeros(39, dtype=int), 1)
    assert_allclose(
        known.quantiles([0.025, 0.975])[:, 0, 0], np.sort(known.scaled, 0)[[0, -1], 0, 0]
    )


# --- pictures and the command --------------------------------------------------------------------


def test_intervals_are_drawn_as_a_fan():
    X, y = hourly(N + AHEAD)
    model = ARX().fit(X[:N], y[:N])
    display = ForecastDisplay.from_estimator(model, X[N:], y[N:], level=[50, 95], history=y[:N])
    (bands,) = display.bands_.values()
    tops = [band.get_paths()[0].vertices[:, 1].max() for band in bands]
    fan = model.forecast(X=X[N:], level=[50, 95])
    assert_allclose(tops, [fan["load-hi-95"].max(), fan["load-hi-50"].max()])
    assert list(display.forecast_lines_) == ["ARX"]
    again = ForecastDisplay.from_predictions(None, {"a": fan, "b": y[N:]})
    assert list(again.bands_) == ["a"] and list(again.forecast_lines_) == ["a", "b"]
    assert not ForecastDisplay.from_predictions(None, fan["load"]).bands_


def test_several_outputs_are_drawn_one_at_a_time():
    fan = ARX().fit(None, np.stack([walk(99), walk(99)], axis=1)).forecast(3, level=80)
    with pytest.raises(ValueError, match="give one output at a time"):
        ForecastDisplay.from_predictions(None, fan)


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    load = hourly()[1].rename("load").to_frame()
    load.assign(gas=2 * load["load"]).to_csv("f.csv")
    return load


def test_the_command_writes_and_draws_intervals(file, capsys):
    command = "forecast f.csv --target load,gas --model arx --horizon 2 --level 80,90.5"
    assert main([*command.split(), "--out", "o.csv", "--plot", "o.svg"]) == 0
    ends = ["lo-80", "hi-80", "lo-90.5", "hi-90.5"]
    columns = [
        name for of in ("load", "gas") for name in (of, *(f"{of}-{e}" for e in ends), f"{of} RMSE")
    ]
    frame = pd.read_csv("o.csv", index_col="time")
    assert frame.columns.tolist() == columns and frame.notna().all(axis=None)
    assert ((frame["gas-lo-80"] < frame["gas"]) & (frame["gas"] < frame["gas-hi-80"])).all()
    assert "load-lo-80" in capsys.readouterr().out and Path("o.svg").stat().st_size > 1000


def test_a_saved_model_gives_the_command_its_intervals(file, capsys):
    assert main("fit f.csv --target load --model arx --save m.narx".split()) == 0
    command = "forecast f.csv --model m.narx --horizon 2 --level 80 --out o.csv --plot o.png"
    assert main(command.split()) == 0
    expected = narxkit.load("m.narx").forecast(2, level=80)
    assert_allclose(pd.read_csv("o.csv", index_col="time"), expected)
    assert pd.read_csv("o.csv").columns.tolist() == ["time", "load", "load-lo-80", "load-hi-80"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("f.csv --target load --level 0.8", "level must be above 1 and below 100. Got 0.8"),
        ("f.csv --target load --level a", "must be numbers in per cent, such as 80 or 80,95"),
        ("f.csv --target load --model arx --level 99.9", "--level 99.9 needs 1999 errors"),
        ("solar --level 80", "--level is for forecasts past the end of a file"),
    ],
)
def test_the_command_refuses_levels(file, capsys, options, message):
    try:
        code = main(["forecast", *options.split()])
    except SystemExit as end:
        code = end.code
    assert code == 2 and message in capsys.readouterr().err
