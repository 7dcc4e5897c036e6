"""The study of the solar series keeps its protocol, and its answers agree with each other."""

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from narxkit import NARX, skill_table
from narxkit.solvers import Stop
from narxkit.study import TASKS, Study, find_task, run

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
def study():
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


def test_training_uses_nothing_of_the_test(study):
    def spoiled():
        data = SHORT.load()
        data.loc["2023", "ghi"] = 0.1 * data.loc["2023", "ghi"][::-1].to_numpy()
        return data

    other = run(replace(SHORT, load=spoiled))
    np.testing.assert_array_equal(other.models["NARX"].theta_, study.models["NARX"].theta_)
    np.testing.assert_array_equal(
        other.models["ridge ARX"].theta_, study.models["ridge ARX"].theta_
    )
    assert not np.allclose(other.backtests["NARX"]["y_hat"], study.backtests["NARX"]["y_hat"])


def test_a_rehearsal_never_sees_the_test():
    rehearsal = SOLAR.rehearsal()
    assert rehearsal.fitting == SOLAR.training and rehearsal.test == SOLAR.validation
    table = run(SHORT.rehearsal()).table()
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


def test_every_model_forecasts_from_the_same_origins(study):
    assert study.n_origins == 8 * 24 - 47 - 24
    for backtest in study.backtests.values():
        assert backtest["origin"].drop_duplicates().tolist() == study.origins.tolist()
        assert len(backtest) == 24 * study.n_origins


def test_the_table_is_that_of_the_backtests(study):
    expected = skill_table(study.backtests, (1, 8, 24), fit_seconds=study.fit_seconds)
    pd.testing.assert_frame_equal(study.table(), expected)


def test_the_typical_forecast_begins_at_midnight_and_has_a_median_error(study):
    origin = study.typical_origin()
    assert origin.hour == 23
    run = study.backtests["NARX"].query("origin.dt.hour == 23")
    errors = ((run["y_hat"] - run["y"]) ** 2).groupby(run["origin"]).mean()
    assert (errors < errors[origin]).sum() == len(errors) // 2


def test_a_forecast_has_the_time_stamps_ahead(study):
    origin = study.origins[5]
    rows = study.forecast(origin)
    assert rows.index[0] == origin + pd.Timedelta("1h") and len(rows) == 24
    np.testing.assert_array_equal(rows["y"], study.y[rows.index])
    persistence = study.forecast(origin, "persistence")["y_hat"]
    assert persistence.max() <= study.y[origin]


def test_the_frame_holds_every_forecast_of_every_model(study):
    frame = study.to_frame()
    assert list(frame) == ["origin", "horizon", "time", "ghi", *study.models]
    ahead = pd.to_timedelta(frame["horizon"], unit="h")
    assert (frame["time"] - frame["origin"] == ahead).all()
    np.testing.assert_array_equal(frame["ghi"], study.y[frame["time"]])


def test_the_file_reads_back(study, tmp_path):
    study.to_csv(tmp_path / "forecast.csv.gz")
    read = pd.read_csv(tmp_path / "forecast.csv.gz", parse_dates=["origin", "time"])
    frame = study.to_frame()
    assert list(read) == list(frame)
    assert (read["time"] == frame["time"]).all()
    np.testing.assert_allclose(read["NARX"], frame["NARX"], atol=0.051)


def test_the_plot_shows_a_week_one_forecast_and_all_models(study):
    pytest.importorskip("matplotlib")
    left, right = study.plot().axes
    lengths = [len(line.get_xdata()) for line in left.lines if line.get_label()[0] != "_"]
    assert lengths[1:] == [24, 24] and lengths[0] <= 7 * 24
    assert left.get_title(loc="left") == "ghi, W/m²"
    assert sorted(text.get_text() for text in right.texts) == sorted(study.models)


def test_progress_is_told_and_the_callback_taken_back():
    seen = []
    study = run(SHORT, progress=lambda *told: seen.append(told))
    assert seen[0] == ("training NARX", 0, 200)
    assert seen[1] == ("training NARX", 1, 200)
    assert seen[-1] == ("forecasting with ridge ARX", 0, 1)
    assert study.models["NARX"].callback is None


def test_the_seed_decides():
    first, again, other = (
        run(SHORT, random_state=seed).models["NARX"].theta_ for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_an_interrupted_training_ends_the_study(monkeypatch):
    def network(self, model, random_state):
        return Interrupted(random_state=random_state)

    class Interrupted(NARX):
        def fit(self, X, y):
            super().fit(X, y).stop_ = Stop.INTERRUPTED
            return self

    monkeypatch.setattr(type(SHORT), "network", network)
    with pytest.raises(KeyboardInterrupt):
        run(SHORT)


def test_a_study_pickles(study):
    copy = pickle.loads(pickle.dumps(study))
    assert isinstance(copy, Study) and copy.protocol == study.protocol


def test_a_short_test_is_refused():
    with pytest.raises(ValueError) as error:
        run(replace(SHORT, test=("2023-05-01", "2023-05-02")))
    assert str(error.value) == (
        "a test of 48 rows holds no origin with 48 rows up to it and 24 after it: give a longer "
        "period."
    )


def test_an_unknown_series_is_refused():
    with pytest.raises(ValueError) as error:
        find_task("sonar")
    assert str(error.value) == (
        "there is no series 'sonar': the shipped ones are solar, solar-hindcast, wind, turbine, "
        "turbine-hindcast, fx, stock; a file of your own is named with its ending, .csv or "
        ".parquet."
    )
