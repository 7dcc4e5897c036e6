"""Series that users bring: how a task is made of them, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from narxkit.study import look_ahead, own_task, side_by_side

RNG = np.random.default_rng(0)


def frame(n, freq="h", **columns):
    """A noisy season of 24 rows."""
    index = pd.date_range("2024-01-01", periods=n, freq=freq)
    load = np.sin(2 * np.pi * np.arange(n) / 24) + 0.1 * RNG.normal(size=n)
    return pd.DataFrame({"load": load, **columns}, index=index)


def refused(*args, **kwargs):
    with pytest.raises(ValueError) as error:
        own_task(*args, **kwargs)
    return str(error.value)


# --- the task ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "freq, n, season, lags, climate, step",
    [
        ("h", 500, 24, 24, ("hour",), "h"),
        ("h", 12000, 24, 24, ("month", "hour"), "h"),
        ("15min", 2000, 96, [*range(1, 25), 96], ("hour", "minute"), "steps"),
        ("min", 9000, 1440, [*range(1, 25), 1440], ("hour", "minute"), "min"),
        ("D", 300, 7, 7, ("day_of_week",), "d"),
        ("D", 1000, 7, 7, ("month", "day_of_week"), "d"),
        ("B", 400, 5, 5, (), "d"),
        ("W", 400, 52, [*range(1, 25), 52], ("month",), "wk"),
        ("W", 150, 1, 5, ("month",), "wk"),
        ("MS", 240, 12, 12, ("month",), "mo"),
        ("QS", 160, 4, 4, ("month",), "steps"),
        ("YS", 200, 1, 5, (), "y"),
    ],
)
def test_season_lags_and_climate_follow_from_the_clock(freq, n, season, lags, climate, step):
    task = own_task(frame(n, freq), horizon=6).test
    assert (task.season, task.output_lags, task.climate, task.step) == (season, lags, climate, step)


def test_working_hours_have_the_season_of_their_days():
    data = frame(2000, "h")
    data = data[(data.index.day_of_week < 5) & (data.index.hour >= 8) & (data.index.hour < 18)]
    task = own_task(data, horizon=6).test
    assert (task.season, task.output_lags, task.climate, task.step) == (10, 10, ("hour",), "h")
    months = frame(240, "MS").to_period("M")
    assert own_task(months, horizon=6).test.season == 12


def test_the_last_fifth_is_held_out_and_rows_follow_each_other():
    task = own_task(frame(1000)).test
    data = task.read()
    fitting, test = (data.loc[slice(*period)] for period in (task.fitting, task.test))
    assert len(test) == 200 and len(fitting) == 800
    assert test.index[0] - fitting.index[-1] == pd.Timedelta("1h")


def test_a_short_series_holds_out_enough_for_as_many_origins_as_steps():
    task = own_task(frame(200), horizon=12).test
    test = task.read().loc[slice(*task.test)]
    assert len(test) == 24 + 2 * 12 - 1 and len(task.origins(test)) == 12


def test_inputs_not_known_ahead_get_lags_of_the_horizon():
    data = frame(600, wind=RNG.normal(size=600), sun=RNG.normal(size=600))
    task = own_task(data, "load", inputs=["wind"], known_future=["sun"], horizon=6).test
    assert task.input_lags == {"wind": [6, 7], "sun": [0, 1]}


def test_an_input_that_leads_is_used():
    wind = RNG.normal(size=800)
    data = frame(800, wind=wind)
    data["load"] = np.roll(wind, 3)  # the load of three rows ahead is the wind of now
    outlook = look_ahead(own_task(data, "load", inputs=["wind"], horizon=3), model="arx")
    np.testing.assert_allclose(outlook.y_hat[:2], wind[-3:-1], atol=0.02)
    assert outlook.study.table()["RMSE h=3"]["ridge ARX"] < 0.02


def test_the_forecast_starts_after_the_last_value_of_the_target():
    sun = np.sin(np.arange(610) / 5)
    data = frame(610, sun=sun)
    data["load"] += 3 * sun
    data.loc[data.index[600:], "load"] = np.nan
    outlook = look_ahead(own_task(data, "load", known_future=["sun"], horizon=10), model="arx")
    assert outlook.y_hat.index.equals(data.index[600:])
    expected = np.sin(2 * np.pi * np.arange(600, 610) / 24) + 3 * sun[600:]
    assert np.abs(outlook.y_hat - expected).max() < 0.5


def test_the_usual_error_is_that_of_the_test():
    outlook = look_ahead(own_task(frame(600), horizon=4), model="arx")
    run = outlook.study.backtests["ridge ARX"].query("horizon == 3")
    rmse = np.sqrt(((run["y"] - run["y_hat"]) ** 2).mean())
    assert outlook.to_frame()["load RMSE"].iloc[2] == pytest.approx(rmse)


def test_rows_without_a_clock():
    data = frame(300).reset_index(drop=True)
    outlook = look_ahead(own_task(data, horizon=5), model="arx")
    assert outlook.y_hat.index.tolist() == [300, 301, 302, 303, 304]
    assert list(outlook.study.models) == ["persistence", "ridge ARX"]


def test_targets_that_end_at_different_rows_stand_side_by_side():
    data = frame(400, wind=RNG.normal(size=400))
    data.loc[data.index[-5:], "load"] = np.nan
    outlooks = [look_ahead(own_task(data, c, horizon=3), "arx") for c in ("load", "wind")]
    table = side_by_side(outlooks)
    assert list(table) == ["load", "load RMSE", "wind", "wind RMSE"]
    assert table.index.is_monotonic_increasing
    assert table["load"].first_valid_index() == data.index[-5]
    assert table["wind"].first_valid_index() > data.index[-1]


def test_no_origin_looks_across_a_gap():
    data = frame(1000)
    later = data.iloc[900:].copy()
    later.index += pd.Timedelta("40D")
    task = own_task(pd.concat([data.iloc[:900], later]), horizon=6).test
    test = task.read().loc[slice(*task.test)]
    place = test.index.get_indexer(task.origins(test))
    assert len(place) == 2 * (100 - 23 - 6)
    assert not ((place >= 100 - 6) & (place < 100 + 23)).any()
    study = look_ahead(own_task(pd.concat([data.iloc[:900], later]), horizon=6), "arx").study
    assert np.isfinite(study.table()["RMSE mean"]).all()


def test_the_model_asked_for_forecasts():
    data = frame(300, wind=RNG.normal(size=300))
    for model, name in (("narx", "NARX"), ("tdnn", "TDNN"), ("arx", "ridge ARX")):
        outlook = look_ahead(own_task(data, "load", inputs=["wind"], horizon=3), model)
        assert outlook.study.chosen == name and np.isfinite(outlook.y_hat).all()


# --- what is refused ---------------------------------------------------------------------------


def test_a_short_series():
    assert refused(frame(100), name="load.csv") == (
        "load.csv has 100 rows of 'load', but a forecast of 24 steps with a season or lags of 24 "
        "needs at least 119 to learn from and to be tested on: give a longer series, a smaller "
        "horizon or smaller lags."
    )


def test_the_number_of_rows_named_is_enough():
    assert own_task(frame(119)).test.steps == 24
    with pytest.raises(ValueError):
        own_task(frame(118))


def test_a_target_without_numbers():
    data = frame(300, empty=np.full(300, np.nan))
    assert refused(data, "empty") == "the column 'empty' of the data holds no number."


def test_a_target_among_the_inputs():
    data = frame(300, wind=0.0)
    assert refused(data, "load", inputs=["load"]) == (
        "'load' is the target and cannot be an input: its lags are used anyhow."
    )


def test_unknown_columns():
    sentence = "the data has no column of numbers 'sun': it has 'load'."
    assert refused(frame(300), "load", inputs=["sun"]) == sentence
    assert refused(frame(300), "sun") == sentence


def test_an_unknown_model():
    with pytest.raises(ValueError) as error:
        look_ahead(own_task(frame(300)), model="gru")
    assert str(error.value) == "there is no model 'gru': choose from narx, tdnn, arx."
