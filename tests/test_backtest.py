"""Backtests are what forecasting by hand from each origin gives, and tables of skill add up."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from narxkit import ARX, NARX, TDNN, Climatology, Persistence, SeasonalNaive, backtest, skill_table

HOURS = pd.date_range("2024-01-01", periods=300, freq="h")
COLUMNS = ["series", "origin", "horizon", "y", "y_hat"]
N_TRAIN, STEPS = 150, 5


def frames(n=240, seed=0, n_outputs=1):
    rng = np.random.default_rng(seed)
    u = rng.normal(size=(n, 2))
    y = np.zeros((n, n_outputs))
    for t in range(1, n):
        push = np.tanh(u[t, 0]) + 0.5 * u[t - 1, 1]
        y[t] = 0.7 * y[t - 1, ::-1] + push + 0.1 * rng.normal(size=n_outputs)
    X = pd.DataFrame(u, HOURS[:n], ["a", "b"])
    if n_outputs == 1:
        return X, pd.Series(20 + 3 * y[:, 0], X.index, name="load")
    return X, pd.DataFrame(20 + 3 * y, X.index, ["load", "price"])


def small(**params):
    defaults = {"input_lags": 1, "hidden_layer_sizes": (3,), "max_iter": 10, "random_state": 0}
    return NARX(**{**defaults, **params})


@pytest.fixture(scope="module")
def data():
    return frames()


@pytest.fixture(scope="module")
def fitted(data):
    X, y = data
    return small().fit(X[:N_TRAIN], y[:N_TRAIN])


def by_hand(model, X, y, origins):
    """Return forecasts (origins, steps) of a model that is updated up to each origin."""
    forecasts = []
    for origin in origins:
        at_origin = copy.deepcopy(model)
        if origin >= N_TRAIN:
            at_origin.update(X[N_TRAIN : origin + 1], y[N_TRAIN : origin + 1])
        forecasts.append(at_origin.forecast(X=X[origin + 1 : origin + 1 + STEPS]).to_numpy())
    return np.array(forecasts)


def table_of(run, value="y_hat"):
    """Return values by origin and horizon."""
    return run.pivot(index="origin", columns="horizon", values=value).to_numpy()


# --- one series ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "model",
    [
        small(),
        small(output_lags=[1, 24], output_range=(15.0, 25.0)),
        TDNN(input_lags=2, hidden_layer_sizes=(3,), max_iter=10, random_state=0),
        ARX(),
        Persistence(),
        SeasonalNaive(24),
        Climatology(by=("hour",)),
    ],
    ids=lambda model: type(model).__name__,
)
def test_equals_updating_and_predicting_by_hand(model, data):
    X, y = data
    model = copy.deepcopy(model).fit(X[:N_TRAIN], y[:N_TRAIN])
    origins = np.arange(N_TRAIN - 1, 230, 7)
    run = backtest(model, X, y, STEPS, origins)
    expected = by_hand(model, X, y, origins)
    np.testing.assert_allclose(table_of(run), expected, rtol=0, atol=1e-12 * np.abs(y).max())


def test_is_a_long_frame_with_a_row_for_each_origin_and_horizon(fitted, data):
    X, y = data
    run = backtest(fitted, X, y, STEPS, origins=[160, 170])
    assert list(run.columns) == COLUMNS
    assert len(run) == 2 * STEPS and run.index.equals(pd.RangeIndex(2 * STEPS))
    assert run["series"].astype(str).unique().tolist() == ["load"]
    assert run["origin"].tolist() == [HOURS[160]] * STEPS + [HOURS[170]] * STEPS
    assert run["horizon"].tolist() == [1, 2, 3, 4, 5] * 2
    assert run["y"].tolist() == [*y[161:166], *y[171:176]]


def test_horizon_h_is_predict_ahead_by_h(fitted, data):
    X, y = data
    run = backtest(fitted, X, y, STEPS)
    ahead = fitted.predict_ahead(X, y, steps=range(1, STEPS + 1))
    origin = X.index.get_indexer(run["origin"])
    np.testing.assert_array_equal(run["y_hat"], ahead[origin + run["horizon"], run["horizon"] - 1])


def test_by_default_all_origins_with_history_and_targets(fitted, data):
    X, y = data
    run = backtest(fitted, X, y, STEPS)
    # lags up to 2: the first origin is row 1; the last one has 5 targets after it
    assert run["origin"].unique().tolist() == HOURS[1 : 240 - STEPS].tolist()
    np.testing.assert_array_equal(run["y"], y.to_numpy()[
        X.index.get_indexer(run["origin"]) + run["horizon"]])  # fmt: skip


@pytest.mark.parametrize(
    "model",
    [Climatology(by=("hour",)), TDNN(input_lags=0, hidden_layer_sizes=(2,), max_iter=3)],
    ids=lambda model: type(model).__name__,
)
def test_every_origin_is_a_row_even_without_lags(model, data):
    """A model without history could predict row 0, but no row is known before it."""
    X, y = data
    run = backtest(copy.deepcopy(model).fit(X, y), X, y, 2)
    assert run["origin"].unique().tolist() == HOURS[:238].tolist()
    assert run["y"].iloc[:2].tolist() == y[1:3].tolist()


def test_leads_need_rows_after_the_last_horizon(data):
    X, y = data
    model = small(input_lags=[-2, 0]).fit(X[:N_TRAIN], y[:N_TRAIN])
    run = backtest(model, X, y, STEPS)
    assert run["origin"].iloc[-1] == HOURS[240 - STEPS - 2 - 1]
    assert np.isfinite(run["y_hat"]).all()


def test_arrays_give_positions(data):
    X, y = data
    model = small().fit(X[:N_TRAIN].to_numpy(), y[:N_TRAIN].to_numpy())
    run = backtest(model, X.to_numpy(), y.to_numpy(), STEPS, [160, 170])
    assert run["origin"].unique().tolist() == [160, 170]
    assert run["series"].astype(str).unique().tolist() == ["y"]


def test_lists_and_frames_of_one_column(fitted, data):
    X, y = data
    model = small().fit(X[:N_TRAIN], y[:N_TRAIN].to_frame())
    run = backtest(model, X, y.to_frame(), STEPS)
    pd.testing.assert_frame_equal(run, backtest(fitted, X, y, STEPS))
    values = [1.0, 2.0, 4.0, 7.0]
    assert len(backtest(Persistence().fit(None, values), None, values, 2)) == 4


def test_a_model_of_y_alone(data):
    _, y = data
    model = small().fit(None, y[:N_TRAIN])
    run = backtest(model, None, y, STEPS, [N_TRAIN - 1])
    np.testing.assert_allclose(run["y_hat"], model.forecast(STEPS), rtol=1e-12)


# --- origins -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "origins",
    [
        [160, 170],
        np.array([160, 170]),
        pd.Index([160, 170]),
        HOURS[[160, 170]],
        list(HOURS[[160, 170]]),
        pd.Series(HOURS[[160, 170]]),
        [str(stamp) for stamp in HOURS[[160, 170]]],
    ],
    ids=["list", "array", "index", "stamps", "list of stamps", "series of stamps", "strings"],
)
def test_origins_are_positions_or_labels(origins, fitted, data):
    run = backtest(fitted, *data, STEPS, origins)
    pd.testing.assert_frame_equal(run, backtest(fitted, *data, STEPS, [160, 170]))


def test_origins_keep_their_order(fitted, data):
    run = backtest(fitted, *data, STEPS, [170, 160])
    assert run["origin"].unique().tolist() == [HOURS[170], HOURS[160]]


@pytest.mark.filterwarnings("ignore:the row labels of X are text")
@pytest.mark.parametrize("index", ["zoned", "periods", "words"])
def test_origins_by_labels_of_other_indexes(index, data):
    X, y = data
    labels = {
        "zoned": X.index.tz_localize("UTC").tz_convert("Europe/Berlin"),
        "periods": X.index.to_period("h"),
        "words": pd.Index([f"row {i}" for i in range(len(X))]),
    }[index]
    X, y = X.set_axis(labels), y.set_axis(labels)
    model = small().fit(X[:N_TRAIN], y[:N_TRAIN])
    run = backtest(model, X, y, STEPS, labels[[160, 170]])
    assert run["origin"].unique().tolist() == labels[[160, 170]].tolist()
    pd.testing.assert_frame_equal(run, backtest(model, X, y, STEPS, [160, 170]))


# --- what it leaves alone ------------------------------------------------------------------------


def test_changes_neither_model_nor_data(fitted, data):
    X, y = data[0].copy(), data[1].copy()
    before = pickle.dumps(fitted)
    backtest(fitted, X, y, STEPS)
    assert pickle.dumps(fitted) == before
    pd.testing.assert_frame_equal(X, data[0])
    pd.testing.assert_series_equal(y, data[1])


def test_does_not_look_beyond_its_origins(fitted, data):
    """Outputs after an origin change the targets only, inputs after a target nothing."""
    X, y = data[0].copy(), data[1].copy()
    run = backtest(fitted, X, y, STEPS, [160])
    y.iloc[161:] = 99.0
    X.iloc[160 + STEPS + 1 :] = 99.0
    other = backtest(fitted, X, y, STEPS, [160])
    np.testing.assert_array_equal(other["y_hat"], run["y_hat"])
    assert (other["y"] == 99).all()


def test_an_unfitted_model_is_refused(data):
    with pytest.raises(NotFittedError):
        backtest(small(), *data, STEPS)


# --- seams, missing values -----------------------------------------------------------------------


def test_no_origin_stands_before_a_seam(fitted, data):
    X, y = (v.drop(HOURS[100:110]) for v in data)
    run = backtest(fitted, X, y, STEPS)
    first, second = (backtest(fitted, *(v[s] for v in data), STEPS)
                     for s in (slice(0, 100), slice(110, 240)))  # fmt: skip
    pd.testing.assert_frame_equal(run, pd.concat([first, second], ignore_index=True))


def test_segments_end_rollouts(fitted, data):
    X, y = data
    run = backtest(fitted, X, y, STEPS, segments=np.repeat(["a", "b"], [100, 140]))
    first, second = (backtest(fitted, X[s], y[s], STEPS) for s in (slice(0, 100), slice(100, 240)))
    pd.testing.assert_frame_equal(run, pd.concat([first, second], ignore_index=True))


def test_a_missing_y_is_filled_as_history_and_stays_nan_as_target(fitted, data):
    X, y = data[0], data[1].copy()
    y.iloc[170] = np.nan
    filled = y.copy()
    filled.iloc[170] = fitted.predict_ahead(X, y)[170]
    run, expected = backtest(fitted, X, y, STEPS), backtest(fitted, X, filled, STEPS)
    np.testing.assert_allclose(run["y_hat"], expected["y_hat"], rtol=1e-12)
    target = X.index.get_indexer(run["origin"]) + run["horizon"]
    assert run["y"].isna().equals(target == 170)
    assert run["y"].isna().sum() == STEPS


def test_a_missing_input_makes_the_rollouts_that_need_it_nan(fitted, data):
    X, y = data[0].copy(), data[1]
    X.iloc[170, 0] = np.nan
    run = backtest(fitted, X, y, STEPS)
    origin = X.index.get_indexer(run["origin"])
    target = origin + run["horizon"]
    # rows 170 and 171 read it: a rollout that passes one of them is NaN from there on
    assert run["y_hat"].isna().equals((target >= 170) & (origin < 171))


# --- several outputs, several series -------------------------------------------------------------


def test_several_outputs_are_series_of_their_own():
    X, y = frames(n_outputs=2)
    model = small().fit(X[:N_TRAIN], y[:N_TRAIN])
    run = backtest(model, X, y, STEPS, [160, 170])
    assert run["series"].astype(str).unique().tolist() == ["load", "price"]
    ahead = by_hand(model, X, y, [160, 170])
    for j, name in enumerate(y.columns):
        part = run[run["series"] == name]
        np.testing.assert_allclose(table_of(part), ahead[..., j], rtol=1e-12)
        assert part["y"].tolist() == [*y[name][161:166], *y[name][171:176]]
    unnamed = small().fit(X[:N_TRAIN].to_numpy(), y[:N_TRAIN].to_numpy())
    run = backtest(unnamed, X.to_numpy(), y.to_numpy(), STEPS)
    assert run["series"].astype(str).unique().tolist() == ["y0", "y1"]


def panel(n_outputs=1):
    """Return two series of different lengths, hour by hour."""
    parts = [frames(n, seed, n_outputs) for n, seed in ((120, 1), (90, 2))]
    X, y = (pd.concat(p, keys=["east", "west"]) for p in zip(*parts))
    order = np.argsort(X.index.get_level_values(1), kind="stable")
    return X.iloc[order], y.iloc[order]


def test_a_panel_is_its_series_one_by_one():
    X, y = panel()
    model = small().fit(X, y)
    run = backtest(model, X, y, STEPS)
    assert set(run["series"].astype(str)) == {"east", "west"}
    for name in ("east", "west"):
        part = run[run["series"] == name].reset_index(drop=True)
        alone = backtest(model, X.xs(name), y.xs(name), STEPS)
        pd.testing.assert_frame_equal(part[COLUMNS[1:]], alone[COLUMNS[1:]])


@pytest.mark.parametrize("model", [Climatology(by=("hour",)), Persistence()], ids=str)
def test_no_series_has_an_origin_in_another(model):
    X, y = panel()
    model = copy.deepcopy(model).fit(X, y)
    run = backtest(model, X, y, 1)
    for name, n in (("east", 120), ("west", 90)):
        part = run[run["series"] == name]
        assert part["origin"].tolist() == HOURS[: n - 1].tolist()
        assert part["y"].tolist() == y.xs(name)[1:].tolist()


def test_origins_of_a_panel():
    X, y = panel()
    model = small().fit(X, y)
    labels = pd.MultiIndex.from_tuples([("west", HOURS[50]), ("east", HOURS[60])])
    run = backtest(model, X, y, STEPS, labels)
    assert run["series"].astype(str).unique().tolist() == ["west", "east"]
    assert run["origin"].unique().tolist() == [HOURS[50], HOURS[60]]
    for origins in (list(labels), X.index.get_indexer(labels)):
        pd.testing.assert_frame_equal(backtest(model, X, y, STEPS, origins), run)


def test_a_panel_of_several_outputs_names_both():
    X, y = panel(n_outputs=2)
    run = backtest(small().fit(X, y), X, y, STEPS)
    assert set(run["series"].astype(str)) == {
        "east/load", "east/price", "west/load", "west/price",
    }  # fmt: skip


# --- pipelines and transformed targets -----------------------------------------------------------


def test_a_pipeline_is_transformed_by_all_steps_but_the_last(data):
    X, y = data
    pipe = make_pipeline(StandardScaler(), FunctionTransformer(np.tanh), small())
    pipe.fit(X[:N_TRAIN], y[:N_TRAIN])
    run = backtest(pipe, X, y, STEPS, [N_TRAIN - 1, 170])
    np.testing.assert_allclose(
        run["y_hat"][:STEPS], pipe.predict(X[N_TRAIN : N_TRAIN + STEPS]), rtol=1e-9
    )
    assert run["origin"].unique().tolist() == HOURS[[N_TRAIN - 1, 170]].tolist()
    transformed = pipe[:-1].transform(X)
    inner = backtest(pipe[-1], transformed, y, STEPS, [N_TRAIN - 1, 170])
    pd.testing.assert_frame_equal(run, inner)


@pytest.mark.parametrize("target", ["series", "array"])
@pytest.mark.parametrize("output", ["default", "pandas"])
def test_a_pipeline_keeps_the_index(data, output, target):
    """Its steps may drop the index, and y may have none: a gap in X is still a seam."""
    X, y = (v.drop(HOURS[200:205]) for v in data)
    y = y if target == "series" else y.to_numpy()
    pipe = make_pipeline(StandardScaler(), small()).set_output(transform=output)
    pipe.fit(X[:N_TRAIN], y[:N_TRAIN])
    run = backtest(pipe, X, y, STEPS)
    assert not run["origin"].isin(HOURS[195:200]).any()
    assert run["origin"].isin(HOURS[[194, 206]]).sum() == 2 * STEPS


def test_a_clock_of_X_alone_is_kept_beside_a_y_with_plain_numbers(data):
    X, y = (v.drop(HOURS[200:205]) for v in data)
    y = y.reset_index(drop=True)
    bare = small().fit(X[:N_TRAIN], y[:N_TRAIN])
    pipe = make_pipeline(StandardScaler(), small()).fit(X[:N_TRAIN], y[:N_TRAIN])
    outer = TransformedTargetRegressor(small(), transformer=StandardScaler())
    outer.fit(X[:N_TRAIN], y[:N_TRAIN])
    expected = backtest(bare, X, y, STEPS)["origin"]
    for model in (pipe, outer):
        pd.testing.assert_series_equal(backtest(model, X, y, STEPS)["origin"], expected)


def test_a_clock_of_y_alone_is_kept_beside_an_X_with_plain_numbers(data):
    X, y = (v.drop(HOURS[200:205]) for v in data)
    X = X.reset_index(drop=True)
    bare = small().fit(X[:N_TRAIN], y[:N_TRAIN])
    pipe = make_pipeline(StandardScaler(), small()).fit(X[:N_TRAIN], y[:N_TRAIN])
    outer = TransformedTargetRegressor(small(), transformer=StandardScaler())
    outer.fit(X[:N_TRAIN], y[:N_TRAIN])
    expected = backtest(bare, X, y, STEPS)["origin"]
    for model in (pipe, outer):
        pd.testing.assert_series_equal(backtest(model, X, y, STEPS)["origin"], expected)


@pytest.mark.parametrize(
    "transform",
    [{"transformer": StandardScaler()}, {"func": np.log, "inverse_func": np.exp}],
    ids=["scaler", "logarithm"],
)
def test_a_transformed_target_is_scored_in_original_units(data, transform):
    X, y = data
    outer = TransformedTargetRegressor(small(), **transform).fit(X[:N_TRAIN], y[:N_TRAIN])
    run = backtest(outer, X, y, STEPS, [N_TRAIN - 1])
    np.testing.assert_allclose(run["y"], y[N_TRAIN : N_TRAIN + STEPS], rtol=1e-12)
    np.testing.assert_allclose(run["y_hat"], outer.predict(X[N_TRAIN : N_TRAIN + STEPS]), rtol=1e-9)
    assert run["series"].astype(str).unique().tolist() == ["load"]


def test_a_scaled_target_gives_what_the_bare_model_gives(fitted, data):
    X, y = data
    outer = TransformedTargetRegressor(
        make_pipeline(StandardScaler(), small()), transformer=StandardScaler()
    ).fit(X[:N_TRAIN], y[:N_TRAIN])
    run = backtest(outer, X, y, STEPS)
    bare = backtest(fitted, X, y, STEPS)
    pd.testing.assert_frame_equal(run, bare, rtol=1e-6)


def test_a_missing_target_of_a_transformed_target_stays_nan(data):
    X, y = data[0], data[1].copy()
    outer = TransformedTargetRegressor(small(), func=np.log, inverse_func=np.exp)
    outer.fit(X[:N_TRAIN], y[:N_TRAIN])
    y.iloc[170] = np.nan
    run = backtest(outer, X, y, STEPS)
    assert run["y"].isna().sum() == STEPS and run["y_hat"].notna().all()


def test_a_transformed_target_of_several_outputs():
    X, y = frames(n_outputs=2)
    outer = TransformedTargetRegressor(small(), transformer=StandardScaler())
    outer.fit(X[:N_TRAIN], y[:N_TRAIN])
    run = backtest(outer, X, y, STEPS, [N_TRAIN - 1])
    expected = outer.predict(X[N_TRAIN : N_TRAIN + STEPS])
    np.testing.assert_allclose(run["y_hat"], expected.T.ravel(), rtol=1e-9)


# --- many origins --------------------------------------------------------------------------------


def test_many_origins_in_one_call_equal_few_at_a_time(fitted):
    """Batches are bounded in memory; where one ends must not show."""
    n, steps = 4_200, 2_100
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(n, 2)), rng.normal(size=n)
    model = small(input_lags=0, hidden_layer_sizes=()).fit(X, y)
    run = backtest(model, X, y, steps)
    assert run["origin"].iloc[-1] == 2_099  # 4.4 million rows
    for origin in (1, 1_000, *range(1_990, 2_000), 2_099):
        alone = backtest(model, X, y, steps, [origin])
        part = run.iloc[(origin - 1) * steps : origin * steps].reset_index(drop=True)
        pd.testing.assert_frame_equal(part, alone)


@pytest.mark.parametrize("n_rest", [0, 3, 255])
def test_batches_give_the_same_bits_as_one_call(n_rest, fitted, monkeypatch):
    """Fewer than eight rollouts go through another kernel, so a rest joins the batch before it."""
    X, y = frames(300)
    first = fitted.max_lag_ - 1
    origins = np.tile(np.arange(first, first + 256), 2)[: 256 + n_rest]
    whole = backtest(fitted, X, y, STEPS, origins)
    monkeypatch.setattr("narxkit.forecasters.origins.FAST_CELLS", 256 * (first + 1 + STEPS))
    pd.testing.assert_frame_equal(backtest(fitted, X, y, STEPS, origins), whole, check_exact=True)


# --- skill ---------------------------------------------------------------------------------------


def run_of(errors, origins, name="y"):
    """Return a backtest with given errors (origins, horizons) against targets of 10."""
    errors = np.asarray(errors, dtype=float)
    n, steps = errors.shape
    return pd.DataFrame(
        {
            "series": pd.Categorical([name] * errors.size),
            "origin": np.repeat(origins, steps),
            "horizon": np.tile(np.arange(1, steps + 1), n),
            "y": 10.0,
            "y_hat": 10.0 + errors.ravel(),
        }
    )


class TestSkillTable:
    RUNS = {
        "network": run_of([[1, -2], [-1, 2]], [0, 1]),  # RMSE 1 and 2
        "persistence": run_of([[3, 0], [-3, 8]], [0, 1]),  # 3 and sqrt(32)
        "seasonal naive": run_of([[4, 4], [4, -4]], [0, 1]),  # 4 and 4
        "ridge ARX": run_of([[2, 2], [2, 2]], [0, 1]),  # 2 and 2
    }

    def test_by_hand(self):
        table = skill_table(self.RUNS, horizons=(1, 2), fit_seconds={"network": 1.5})
        assert list(table.index) == list(self.RUNS)
        assert list(table.columns) == [
            "RMSE h=1", "RMSE h=2", "RMSE mean", "MAE", "skill vs persistence", "skill vs naive",
            "ratio to ridge", "fit s",
        ]  # fmt: skip
        root = np.sqrt(32)
        np.testing.assert_allclose(table["RMSE h=1"], [1, 3, 4, 2])
        np.testing.assert_allclose(table["RMSE h=2"], [2, root, 4, 2])
        mean = np.array([1.5, (3 + root) / 2, 4, 2])
        np.testing.assert_allclose(table["RMSE mean"], mean)
        np.testing.assert_allclose(table["MAE"], [1.5, 3.5, 4, 2])
        np.testing.assert_allclose(table["skill vs persistence"], 1 - mean / mean[1])
        better = (3 + 4) / 2  # persistence at one step, the season at two
        np.testing.assert_allclose(table["skill vs naive"], 1 - mean / better)
        np.testing.assert_allclose(table["ratio to ridge"], mean / 2)
        np.testing.assert_array_equal(table["fit s"], [1.5, np.nan, np.nan, np.nan])

    def test_columns_need_their_baselines(self):
        table = skill_table({"network": self.RUNS["network"]}, horizons=[2])
        assert list(table.columns) == ["RMSE h=2", "RMSE mean", "MAE"]
        runs = {"n": self.RUNS["network"], "last": self.RUNS["persistence"]}
        assert "skill vs persistence" in skill_table(runs, [1], persistence="last")

    def test_only_common_targets_are_compared(self):
        shorter = run_of([[5, 5]], [1])
        table = skill_table({"network": self.RUNS["network"], "other": shorter}, horizons=(1, 2))
        np.testing.assert_allclose(table["RMSE h=1"], [1, 5])
        partly = run_of([[5, 5], [7, np.nan]], [1, 0])  # other order, one target missing
        table = skill_table({"persistence": self.RUNS["persistence"], "other": partly}, (1, 2))
        np.testing.assert_allclose(table["RMSE h=1"], [3, np.sqrt((25 + 49) / 2)])
        np.testing.assert_allclose(table["RMSE h=2"], [8, 5])

    def test_a_forecast_that_is_missing_is_left_out_for_all(self):
        holey = run_of([[1, np.nan], [1, 1]], [0, 1])
        table = skill_table({"holey": holey, "persistence": self.RUNS["persistence"]}, (1, 2))
        np.testing.assert_allclose(table["RMSE h=2"], [1, 8])

    def test_fewer_horizons_are_aligned(self):
        one_step = run_of([[1], [3]], [0, 1])
        table = skill_table({"one": one_step, "two": self.RUNS["network"]}, horizons=[1])
        np.testing.assert_allclose(table["RMSE mean"], [np.sqrt(5), 1])

    def test_series_are_told_apart(self):
        two = pd.concat([run_of([[1.0]], [0], "a"), run_of([[3.0]], [0], "b")])
        one = run_of([[4.0]], [0], "b")
        table = skill_table({"two": two, "one": one}, horizons=[1])
        np.testing.assert_allclose(table["RMSE h=1"], [3, 4])
        both = skill_table({"two": two}, horizons=[1])
        assert both.loc["two", "RMSE h=1"] == pytest.approx(np.sqrt(5))

    def test_backtests_of_models_with_other_lags_are_aligned(self, data):
        X, y = data
        models = {"persistence": Persistence(), "seasonal naive": SeasonalNaive(), "ridge": ARX()}
        runs = {k: backtest(m.fit(X[:150], y[:150]), X, y, 3) for k, m in models.items()}
        assert len({len(run) for run in runs.values()}) == 3
        table = skill_table(runs, horizons=(1, 3))
        common = {k: r[r["origin"] >= HOURS[23]] for k, r in runs.items()}
        pd.testing.assert_frame_equal(table, skill_table(common, horizons=(1, 3)))
        assert table.loc["persistence", "skill vs persistence"] == 0


class TestIntervalOfTheRatio:
    @staticmethod
    def noisy(n=200, name="y", scale=1.0, seed=0, start=0):
        """Return errors of a ridge and of a model that shares most of them."""
        rng = np.random.default_rng(seed)
        ridge = rng.normal(size=(n, 3)) * [1, 2, 3]
        other = scale * (ridge + 0.3 * rng.normal(size=(n, 3)))
        origins = np.arange(start, start + n)
        return {"ridge ARX": run_of(ridge, origins, name), "other": run_of(other, origins, name)}

    def test_gives_two_more_columns_beside_the_ratio(self):
        runs = self.noisy()
        plain = skill_table(runs, [1], fit_seconds={})
        table = skill_table(runs, [1], fit_seconds={}, interval=True, block=10)
        assert list(table.columns) == [
            "RMSE h=1", "RMSE mean", "MAE", "ratio to ridge", "ratio 2.5 %", "ratio 97.5 %",
            "fit s",
        ]  # fmt: skip
        pd.testing.assert_frame_equal(table[plain.columns], plain)
        assert table.loc["ridge ARX", ["ratio 2.5 %", "ratio 97.5 %"]].tolist() == [1, 1]
        low, ratio, high = table.loc["other", ["ratio 2.5 %", "ratio to ridge", "ratio 97.5 %"]]
        assert 0.9 < low < ratio < high < 1.2

    def test_is_the_plain_bootstrap_by_a_loop(self):
        runs, block = self.noisy(95), 10  # the last block is shorter
        squares = {k: (r["y_hat"] - r["y"]).to_numpy().reshape(-1, 3) ** 2 for k, r in runs.items()}
        rng = np.random.default_rng(1)
        ratios = []
        for _ in range(4000):
            drawn = rng.integers(0, 10, size=10)
            rows = np.concatenate([np.arange(95)[b * block : (b + 1) * block] for b in drawn])
            mean = {k: np.sqrt(e[rows].mean(axis=0)).mean() for k, e in squares.items()}
            ratios.append(mean["other"] / mean["ridge ARX"])
        expected = np.quantile(ratios, [0.025, 0.975])
        ours = skill_table(runs, [1], interval=True, block=block).loc["other"]
        width = np.diff(expected)[0]
        given = ours[["ratio 2.5 %", "ratio 97.5 %"]].to_numpy(dtype=float)
        np.testing.assert_allclose(given, expected, atol=0.1 * width)

    def test_the_seed_decides(self):
        runs = self.noisy()
        first, same, other = (
            skill_table(runs, [1], interval=True, block=10, random_state=seed) for seed in (0, 0, 1)
        )
        pd.testing.assert_frame_equal(first, same)
        assert first.loc["other", "ratio 2.5 %"] != other.loc["other", "ratio 2.5 %"]

    def test_holds_the_true_ratio_in_about_95_of_100_cases(self):
        """Errors that live for a few origins: blocks of 20 know it, single origins do not."""
        held = {20: 0, 1: 0}
        for seed in range(60):
            noise = np.random.default_rng(seed).normal(size=(2, 205))
            errors = np.lib.stride_tricks.sliding_window_view(noise, 6, axis=1).sum(axis=2)
            runs = {
                name: run_of(e[:, None], np.arange(200))
                for name, e in zip(("ridge ARX", "other"), errors)
            }
            for block in held:
                table = skill_table(runs, [1], interval=True, block=block).loc["other"]
                held[block] += table["ratio 2.5 %"] <= 1 <= table["ratio 97.5 %"]
        assert held[20] >= 50 and held[1] <= 0.85 * held[20]

    def test_series_share_their_blocks(self):
        """The same errors in a second series are no more evidence."""
        one, two = self.noisy(name="a"), self.noisy(name="b")
        both = {k: pd.concat([one[k], two[k]]) for k in one}
        alone = skill_table(one, [1], interval=True, block=10)
        pd.testing.assert_frame_equal(skill_table(both, [1], interval=True, block=10), alone)

    def test_the_order_of_the_rows_does_not_count(self):
        runs = self.noisy()
        mixed = {k: r.sample(frac=1, random_state=i) for i, (k, r) in enumerate(runs.items())}
        pd.testing.assert_frame_equal(
            skill_table(mixed, [1], interval=True, block=10),
            skill_table(runs, [1], interval=True, block=10),
        )

    def test_missing_targets_are_left_out(self):
        runs = self.noisy()
        cut = runs["other"].copy()
        cut.loc[cut["origin"] >= 100, "y_hat"] = np.nan
        table = skill_table({**runs, "other": cut}, [1], interval=True, block=10)
        short = {k: r[r["origin"] < 100] for k, r in runs.items()}
        pd.testing.assert_frame_equal(table, skill_table(short, [1], interval=True, block=10))

    def test_needs_the_ridge(self):
        table = skill_table({"other": self.noisy()["other"]}, [1], interval=True)
        assert list(table.columns) == ["RMSE h=1", "RMSE mean", "MAE"]

    def test_needs_two_blocks(self):
        with pytest.raises(ValueError, match="2 blocks of origins, but 100 origins make 1 of 168"):
            skill_table(self.noisy(100), [1], interval=True)
        with pytest.raises(ValueError, match="block must be an int >= 1. Got 0 instead."):
            skill_table(self.noisy(), [1], interval=True, block=0)
