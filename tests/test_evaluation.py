"""The evaluation of the solar series keeps its protocol, and its answers agree with each other."""

import pickle
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from narxkit import NARX, diebold_mariano, skill_table
from narxkit.datasets import load_fx
from narxkit.evaluation import TASKS, Evaluation, find_task, run
from narxkit.solvers import Stop

SOLAR = TASKS["solar"]
SHORT = replace(
    SOLAR,
    training=("2017-05-01", "2017-05-09"),
    validation=("2017-05-10", "2017-05-13"),
    test=("2023-05-01", "2023-05-08"),
)


@pytest.fixture(scope="module")
def solar():
    return SOLAR.read()


@pytest.fixture(scope="module")
def evaluation():
    return run(SHORT)


# --- the protocol ------------------------------------------------------------------------------


def test_origins_are_all_hours_with_48_before_and_24_after(solar):
    test = solar.loc[slice(*SOLAR.test)]
    origins = SOLAR.origins(test)
    assert len(origins) == 8_689
    assert origins[0] == pd.Timestamp("2023-01-02 23:00")
    assert origins[-1] == pd.Timestamp("2023-12-30 23:00")
    assert (test.index < origins[0]).sum() + 1 == 48
    assert (test.index > origins[-1]).sum() == 24


def test_periods_are_the_months_of_the_protocol(solar):
    months = {
        name: solar.loc[slice(*period)].index.to_period("M").unique()
        for name, period in vars(SOLAR).items()
        if name in ("training", "validation", "test")
    }
    assert [str(m) for m in months["training"]] == [f"2017-{m:02}" for m in range(1, 11)]
    assert [str(m) for m in months["validation"]] == ["2017-11", "2017-12"]
    assert [str(m) for m in months["test"]] == [f"2023-{m:02}" for m in range(1, 13)]
    assert len(solar.loc[slice(*SOLAR.fitting)]) == 8_760


def test_the_ridge_chooses_its_penalty_on_the_validation_months():
    ridge = SOLAR.models()["ridge ARX"]
    assert ridge.validation_fraction == (30 + 31) / 365
    assert ridge.output_lags == 24 and ridge.input_lags == {"clear_sky": 1}


def test_ghi_clear_is_no_input_but_a_bound(solar):
    assert SOLAR.features == ["clear_sky", "limit"]
    np.testing.assert_array_equal(solar["limit"], 1.3 * solar["ghi_clear"])
    for model in SOLAR.models().values():
        assert model.output_range == (0, "limit")
        assert "limit" not in getattr(model, "input_lags", {})
    assert "ghi_clear carries the haze" in SOLAR.why


def test_training_uses_nothing_of_the_test(evaluation):
    def spoiled():
        data = SHORT.load()
        data.loc["2023", "ghi"] = 0.1 * data.loc["2023", "ghi"][::-1].to_numpy()
        return data

    other = run(replace(SHORT, load=spoiled))
    np.testing.assert_array_equal(
        other.models[other.chosen].theta_, evaluation.models[evaluation.chosen].theta_
    )
    np.testing.assert_array_equal(
        other.models["ridge ARX"].theta_, evaluation.models["ridge ARX"].theta_
    )
    y_hat = [one.backtests[one.chosen]["y_hat"] for one in (other, evaluation)]
    assert not np.allclose(*y_hat)


def test_a_rehearsal_never_sees_the_test():
    validation_task = SOLAR.validation_task()
    assert validation_task.fitting == SOLAR.training and validation_task.test == SOLAR.validation
    table = run(SHORT.validation_task()).table()
    assert np.isfinite(table["RMSE mean"]).all()


def test_the_baselines_reach_the_published_errors():
    table = run(SOLAR, learned=("arx",)).table()
    published = {
        "persistence": [92.6, 335, 114, 268.7],
        "smart persistence": [55.3, 118.7, 114.4, 111.7],
        "seasonal naive": [114.4, 114.4, 114.4, 114.4],
        "climatology": [103.4, 103.4, 103.4, 103.4],
        "ridge ARX": [54.7, 90.7, 91.3, 88.0],
    }
    for name, errors in published.items():
        np.testing.assert_allclose(table.loc[name].iloc[:4].astype(float), errors, rtol=0.01)


# --- the answers -------------------------------------------------------------------------------


def test_every_model_forecasts_from_the_same_origins(evaluation):
    assert evaluation.n_origins == 8 * 24 - 47 - 24
    for backtest in evaluation.backtests.values():
        assert backtest["origin"].drop_duplicates().tolist() == evaluation.origins.tolist()
        assert len(backtest) == 24 * evaluation.n_origins


def test_the_table_is_that_of_the_backtests(evaluation):
    expected = skill_table(evaluation.backtests, (1, 8, 24), fit_seconds=evaluation.fit_seconds)
    pd.testing.assert_frame_equal(evaluation.table(), expected)


def test_the_typical_forecast_begins_at_midnight_and_has_a_median_error(evaluation):
    origin = evaluation.typical_origin()
    assert origin.hour == 23
    run = evaluation.backtests[evaluation.chosen].query("origin.dt.hour == 23")
    errors = ((run["y_hat"] - run["y"]) ** 2).groupby(run["origin"]).mean()
    assert (errors < errors[origin]).sum() == len(errors) // 2


def test_a_forecast_has_the_time_stamps_ahead(evaluation):
    origin = evaluation.origins[5]
    rows = evaluation.forecast(origin)
    assert rows.index[0] == origin + pd.Timedelta("1h") and len(rows) == 24
    np.testing.assert_array_equal(rows["y"], evaluation.y[rows.index])
    persistence = evaluation.forecast(origin, "persistence")["y_hat"]
    assert persistence.max() <= evaluation.y[origin]


def test_the_frame_holds_every_forecast_of_every_model(evaluation):
    frame = evaluation.to_frame()
    assert list(frame) == ["origin", "horizon", "time", "ghi", *evaluation.models]
    ahead = pd.to_timedelta(frame["horizon"], unit="h")
    assert (frame["time"] - frame["origin"] == ahead).all()
    np.testing.assert_array_equal(frame["ghi"], evaluation.y[frame["time"]])


def test_the_file_reads_back(evaluation, tmp_path):
    evaluation.to_csv(tmp_path / "forecast.csv.gz")
    read = pd.read_csv(tmp_path / "forecast.csv.gz", parse_dates=["origin", "time"])
    frame = evaluation.to_frame()
    assert list(read) == list(frame)
    assert (read["time"] == frame["time"]).all()
    np.testing.assert_allclose(read[evaluation.chosen], frame[evaluation.chosen], atol=0.051)


def test_the_plot_shows_a_week_one_forecast_and_all_models(evaluation):
    pytest.importorskip("matplotlib")
    left, right = evaluation.plot().axes
    lengths = [len(line.get_xdata()) for line in left.lines if line.get_label()[0] != "_"]
    models = len(evaluation.backtests)  # rivals are drawn behind
    assert lengths[1:] == [24] * (1 + models) and lengths[0] <= 7 * 24
    assert left.get_title(loc="left") == "ghi, W/m²"
    assert sorted(text.get_text() for text in right.texts) == sorted(evaluation.models)


def test_progress_is_told_and_the_callback_taken_back():
    seen = []
    evaluation = run(SHORT, progress=lambda *told: seen.append(told))
    total = SHORT.settings["max_iter"]
    assert seen[:2] == [("training NARX", 0, total), ("training NARX", 1, total)]
    assert seen[-1] == ("forecasting with ridge ARX", 0, 1)
    assert evaluation.models[evaluation.chosen].callback is None


def test_the_seed_decides():
    evaluations = [run(SHORT, random_state=seed) for seed in (1, 1, 2)]
    first, again, other = (
        evaluation.models[evaluation.chosen].theta_ for evaluation in evaluations
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_autonarx_of_a_built_in_series_has_its_seed_horizon_and_bounds():
    model = SOLAR.automatic(random_state=3)
    assert (model.horizon, model.random_state, model.output_range) == (24, 3, (0, "limit"))
    assert SOLAR.features == ["clear_sky", "limit"] and model.past_inputs == []
    evaluation = run(SHORT, ("auto",))
    assert evaluation.chosen == "AutoNARX" and evaluation.errors["AutoNARX"] < 150
    # the first days of the test are too few for the week that it reads
    y_hat = evaluation.backtests["AutoNARX"]["y_hat"].dropna()
    assert y_hat.between(0, SHORT.read()["limit"].max()).all() and len(y_hat) > 24


def test_the_history_of_autonarx_may_lie_before_the_test():
    """The week that it reads; other models begin with the test's own rows, as the protocol says."""
    task = replace(SHORT, test=("2017-05-14", "2017-05-18"))
    evaluation = run(task, ("auto",))
    assert evaluation.models["AutoNARX"].max_lag_ > task.history
    ours, ridge = (evaluation.backtests[name] for name in ("AutoNARX", "ridge ARX"))
    assert np.isfinite(ours["y_hat"]).all()
    assert (ours["origin"] == ridge["origin"]).all()


def test_an_interrupted_training_ends_the_evaluation(monkeypatch):
    def network(self, model, random_state):
        return Interrupted(random_state=random_state)

    class Interrupted(NARX):
        def fit(self, X, y, sample_weight=None):
            super().fit(X, y, sample_weight).stop_ = Stop.INTERRUPTED
            return self

    monkeypatch.setattr(type(SHORT), "network", network)
    with pytest.raises(KeyboardInterrupt):
        run(SHORT)


def test_a_evaluation_pickles(evaluation):
    copy = pickle.loads(pickle.dumps(evaluation))
    assert isinstance(copy, Evaluation) and copy.protocol == evaluation.protocol


def test_a_short_test_is_refused():
    with pytest.raises(ValueError) as error:
        run(replace(SHORT, test=("2023-05-01", "2023-05-02")))
    assert str(error.value) == (
        "a test of 48 rows holds no origin with 48 rows up to it and 24 after it: give a longer "
        "period, or a smaller horizon or lags."
    )


def test_an_unknown_series_is_refused():
    with pytest.raises(ValueError) as error:
        find_task("sonar")
    assert str(error.value) == (
        "there is no series 'sonar': the built-in ones are solar, solar-hindcast, wind, turbine, "
        "turbine-hindcast, fx, stock; a file of your own is named with its ending, .csv or "
        ".parquet."
    )


# --- the other series --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def linear_evaluations():
    """Return every task with its linear model and baselines."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".* rows were left out of training")
        return {name: run(task, learned=("arx",)) for name, task in TASKS.items()}


@pytest.mark.parametrize(
    "name, published",
    [  # the rolling-origin yardstick of S1, W1, T1 and T2: RMSE h = 1, 8, 24 and mean
        ("solar-hindcast", {"ridge ARX": [54.28, 88.27, 88.81, 85.80],
                            "smart persistence": [54.76, 113.62, 112.09, 107.80]}),
        ("wind", {"ridge ARX": [0.2948, 1.3561, 1.4925, 1.3068],
                  "persistence": [0.5066, 2.2525, 1.8356, 2.0353],
                  "climatology": [1.5297, 1.5300, 1.5309, 1.5304]}),
        ("turbine", {"ridge ARX": [167.6, 370, 422, 371.8], "persistence": [171.6, 427, 509, 438.3],
                     "seasonal naive": [508, 508, 508, 508], "climatology": [475, 475, 475, 475]}),
        ("turbine-hindcast", {"ridge ARX": [164.1, 299, 308, 290.4]}),
    ],
)  # fmt: skip
def test_the_baselines_of_every_series_reach_the_published_errors(
    linear_evaluations, name, published
):
    table = linear_evaluations[name].table()
    for model, errors in published.items():
        np.testing.assert_allclose(table.loc[model].iloc[:4].astype(float), errors, rtol=3e-3)


def test_origins_of_the_turbine_are_those_of_the_protocol(linear_evaluations):
    assert linear_evaluations["turbine"].n_origins == 4_345
    assert linear_evaluations["wind"].n_origins == 8_689


def test_hindcasts_are_called_so():
    for task in TASKS.values():
        is_hindcast = bool({"ghi_clear", "era5_ws100"} & set(task.input_lags))
        assert is_hindcast == ("hindcast" in task.name)
        assert is_hindcast == ("hindcast" in task.title) == task.why.startswith("A hindcast: ")


def test_the_bounds_of_the_turbine_know_nothing_of_the_test():
    data = TASKS["turbine"].read()
    seen = data.loc[:"2015-06", "power_kw"]
    assert (data["lowest"] == seen.min()).all() and (data["highest"] == seen.max()).all()


def test_the_random_walk_of_exchange_rates(linear_evaluations):
    evaluation = linear_evaluations["fx"]
    rates = load_fx()["USD"]
    changes = 100 * np.log(rates).diff()
    np.testing.assert_allclose(evaluation.y, changes.loc["2019":])
    table = evaluation.table()
    targets = changes.loc["2019":].iloc[6:]
    assert table["RMSE"]["random walk"] == pytest.approx(np.sqrt((targets**2).mean()))
    walk, ridge = 0 - targets, evaluation.backtests["ridge ARX"]["y_hat"].to_numpy() - targets
    test = diebold_mariano(ridge, walk)
    assert table.loc["ridge ARX", ["DM", "p"]].tolist() == [test.statistic, test.pvalue]
    assert table["ratio to random walk"]["ridge ARX"] == pytest.approx(0.9995, abs=2e-4)
    assert 47.4 < table["hits %"]["ridge ARX"] < 52


def test_no_market_is_said_to_be_beaten(linear_evaluations):
    for name in ("fx", "stock"):
        assert linear_evaluations[name].verdict == (
            "Nothing here beats the random walk beyond its band, in size or in sign."
        )


def test_a_market_that_can_be_beaten_is_said_to_be():
    rng = np.random.default_rng(0)
    index = pd.bdate_range("2000-01-03", periods=3000)
    wave = np.zeros(3000)
    for t in range(1, 3000):
        wave[t] = 0.5 * wave[t - 1] + rng.normal()
    task = replace(
        TASKS["fx"],
        load=pd.DataFrame({"USD": wave}, index).copy,
        training=("2000", "2004"),
        validation=None,
        test=("2005", "2011"),
    )
    verdict = run(task, learned=("arx",)).verdict
    assert verdict == (
        "Beyond chance (p < 5 %) better than the random walk: ridge ARX; of 2 models, one in "
        "forty would look so by chance."
    )


def test_hits_without_smaller_errors_are_told_apart():
    evaluation = run(replace(TASKS["stock"], test=("2010-10", "2011-02")), learned=("arx",))
    runs = dict(evaluation.backtests)
    y = runs["ridge ARX"]["y"]
    runs["ridge ARX"] = runs["ridge ARX"].assign(y_hat=9 * np.sign(y))  # right signs, far too far
    assert replace(evaluation, backtests=runs).verdict == (
        "Nothing here beats the random walk beyond its band in size; in signs there are more hits "
        "than chance explains for ridge ARX."
    )


def test_the_band_of_chance_is_that_of_the_commoner_sign(linear_evaluations):
    evaluation = linear_evaluations["stock"]
    up = (evaluation.backtests["ridge ARX"]["y"] > 0).mean()
    assert evaluation.chance == pytest.approx(max(up, 1 - up))
    assert f"hits {100 * evaluation.chance:.1f} %" in evaluation.notes()[0]


@pytest.mark.parametrize("name", ["wind", "turbine", "fx", "stock"])
def test_every_evaluation_can_be_drawn(linear_evaluations, name):
    pytest.importorskip("matplotlib")
    left, right = linear_evaluations[name].plot().axes
    assert left.get_title(loc="left").startswith(TASKS[name].target)
    assert right.lines or right.patches


def test_rehearsals_forecast_the_validation_period():
    with pytest.warns(UserWarning, match="258 of 11616 rows were left out"):
        table = run(TASKS["turbine-hindcast"].validation_task(), learned=("arx",)).table()
    assert table["RMSE mean"]["ridge ARX"] == pytest.approx(264.7, rel=0.01)


def test_every_model_of_every_task_can_be_made():
    for task in TASKS.values():
        names = list(task.models(task.learnable))
        assert ("TDNN" in names) == bool(task.input_lags)
        assert {"AutoNARX", "NARX", "ridge ARX", "Elman", "GRU", "LSTM"} <= set(names)
        assert "auto" in task.learnable  # of hours over years it takes a minute
        assert set(task.quick) == set(task.learnable) - {"auto", "elman", "gru", "lstm"}


# --- other options ------------------------------------------------------------------------------


def test_without_wishes_a_task_stays_what_it_is():
    for task in TASKS.values():
        assert task.with_options() is task


def test_other_lags_ask_for_their_history():
    task = SOLAR.with_options(lags=[1, 2, 72], horizon=6)
    assert (task.output_lags, task.steps, task.history, task.protocol) == ([1, 2, 72], 6, 72, "")
    assert TASKS["fx"].with_options(lags=20).history == 21
    assert TASKS["fx"].with_options(lags=[1, (2, 30)]).history == 31
    assert SOLAR.with_options(lags=[1, (1, 72)]).history == 72


def test_another_market_can_be_chosen():
    task = TASKS["stock"].with_options("DAX")
    assert task.target == "DAX" and "DAX" not in task.input_lags
    assert TASKS["fx"].with_options("JPY").title == "fx JPY"


@pytest.mark.parametrize(
    "name, option, sentence",
    [
        ("solar", {"target": "dni"}, "solar forecasts 'ghi': its inputs and bounds are chosen "
         "for it."),
        ("fx", {"horizon": 5}, "fx is forecast one day ahead: returns of the days after are no "
         "easier."),
        ("stock", {"target": "DOW"}, "stock has no column 'DOW': it has ISE_TL, ISE_USD, SP, DAX, "
         "FTSE, NIKKEI, BOVESPA, EU, EM."),
    ],
)  # fmt: skip
def test_wishes_that_cannot_be_granted(name, option, sentence):
    with pytest.raises(ValueError) as error:
        TASKS[name].with_options(**option)
    assert str(error.value) == sentence
