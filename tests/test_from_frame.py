"""Series that users bring: how a task is made of them, and what is refused."""

import csv
import re
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from narxkit import ARX, AutoNARX
from narxkit.evaluation import heading, look_ahead, run, side_by_side, task_from_frame, write_csv
from narxkit.files import label_writer, read_series

RNG = np.random.default_rng(0)
CASES = Path(__file__).parents[2] / "shared" / "cases"
OFF = "linear (NARX, network off)"


def frame(n, freq="h", **columns):
    """Return a noisy season of 24 rows."""
    index = pd.date_range("2024-01-01", periods=n, freq=freq)
    load = np.sin(2 * np.pi * np.arange(n) / 24) + 0.1 * RNG.normal(size=n)
    return pd.DataFrame({"load": load, **columns}, index=index)


def refused(*args, **kwargs):
    with pytest.raises(ValueError) as error:
        task_from_frame(*args, **kwargs)
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
    task = task_from_frame(frame(n, freq), horizon=6).test
    assert (task.season, task.output_lags, task.climate, task.step) == (season, lags, climate, step)


def test_working_hours_have_the_season_of_their_days():
    data = frame(2000, "h")
    data = data[(data.index.day_of_week < 5) & (data.index.hour >= 8) & (data.index.hour < 18)]
    task = task_from_frame(data, horizon=6).test
    assert (task.season, task.output_lags, task.climate, task.step) == (10, 10, ("hour",), "h")
    months = frame(240, "MS").to_period("M")
    assert task_from_frame(months, horizon=6).test.season == 12


def test_hours_that_are_no_whole_hours_have_a_forecast():
    data = frame(9000, "30min")
    minutes = 60 * data.index.hour + data.index.minute
    market = data[(data.index.day_of_week < 5) & (minutes >= 570) & (minutes <= 930)]
    y_hat = look_ahead(task_from_frame(market[:1300], horizon=15), model="arx").y_hat
    assert y_hat.index.equals(market.index[1300:1315])


def test_the_last_fifth_is_held_out_and_rows_follow_each_other():
    task = task_from_frame(frame(1000)).test
    data = task.read()
    fitting, test = (data.loc[slice(*period)] for period in (task.fitting, task.test))
    assert len(test) == 200 and len(fitting) == 800
    assert test.index[0] - fitting.index[-1] == pd.Timedelta("1h")


def test_a_short_series_holds_out_enough_for_as_many_origins_as_steps():
    task = task_from_frame(frame(200), horizon=12).test
    test = task.read().loc[slice(*task.test)]
    assert len(test) == 24 + 2 * 12 - 1 and len(task.origins(test)) == 12


def test_inputs_not_known_ahead_get_lags_of_the_horizon():
    data = frame(600, wind=RNG.normal(size=600), sun=RNG.normal(size=600))
    task = task_from_frame(data, "load", inputs=["wind"], known_future=["sun"], horizon=6).test
    assert task.input_lags == {"wind": [6, 7], "sun": [0, 1]}


def test_an_input_that_leads_is_used():
    wind = RNG.normal(size=800)
    data = frame(800, wind=wind)
    data["load"] = np.roll(wind, 3)  # the load of three rows ahead is the wind of now
    outlook = look_ahead(task_from_frame(data, "load", inputs=["wind"], horizon=3), model="arx")
    np.testing.assert_allclose(outlook.y_hat[:2], wind[-3:-1], atol=0.02)
    assert outlook.evaluation.table()["RMSE h=3"]["ridge ARX"] < 0.02


def test_the_forecast_starts_after_the_last_value_of_the_target():
    sun = np.sin(np.arange(610) / 5)
    data = frame(610, sun=sun)
    data["load"] += 3 * sun
    data.loc[data.index[600:], "load"] = np.nan
    outlook = look_ahead(
        task_from_frame(data, "load", known_future=["sun"], horizon=10), model="arx"
    )
    assert outlook.y_hat.index.equals(data.index[600:])
    expected = np.sin(2 * np.pi * np.arange(600, 610) / 24) + 3 * sun[600:]
    assert np.abs(outlook.y_hat - expected).max() < 0.5


def test_the_usual_error_is_that_of_the_test():
    outlook = look_ahead(task_from_frame(frame(600), horizon=4), model="arx")
    run = outlook.evaluation.backtests["ridge ARX"].query("horizon == 3")
    rmse = np.sqrt(((run["y"] - run["y_hat"]) ** 2).mean())
    assert outlook.to_frame()["load RMSE"].iloc[2] == pytest.approx(rmse)


def test_rows_without_a_clock():
    data = frame(300).reset_index(drop=True)
    outlook = look_ahead(task_from_frame(data, horizon=5), model="arx")
    assert outlook.y_hat.index.tolist() == [300, 301, 302, 303, 304]
    assert list(outlook.evaluation.models) == ["persistence", "ridge ARX"]


def test_targets_that_end_at_different_rows_stand_side_by_side():
    data = frame(400, wind=RNG.normal(size=400))
    data.loc[data.index[-5:], "load"] = np.nan
    forecasts = [look_ahead(task_from_frame(data, c, horizon=3), "arx") for c in ("load", "wind")]
    table = side_by_side(forecasts)
    assert list(table) == ["load", "load RMSE", "wind", "wind RMSE"]
    assert table.index.is_monotonic_increasing
    assert table["load"].first_valid_index() == data.index[-5]
    assert table["wind"].first_valid_index() > data.index[-1]


def test_no_origin_looks_across_a_gap():
    data = frame(1000)
    later = data.iloc[900:].copy()
    later.index += pd.Timedelta("40D")
    task = task_from_frame(pd.concat([data.iloc[:900], later]), horizon=6).test
    test = task.read().loc[slice(*task.test)]
    place = test.index.get_indexer(task.origins(test))
    assert len(place) == 2 * (100 - 23 - 6)
    assert not ((place >= 100 - 6) & (place < 100 + 23)).any()
    evaluation = look_ahead(
        task_from_frame(pd.concat([data.iloc[:900], later]), horizon=6), "arx"
    ).evaluation
    assert np.isfinite(evaluation.table()["RMSE mean"]).all()


def under(alpha, task, **kwargs):
    """Test and forecast with a penalty that is given, where its choice is not the topic."""
    test = replace(task.test, settings={"alpha": alpha, "max_iter": 20})
    return look_ahead(replace(task, test=test), **kwargs)


def test_the_model_asked_for_forecasts():
    data = frame(300, wind=RNG.normal(size=300))
    names = {"narx": "NARX", "tdnn": "TDNN", "arx": "ridge ARX", "elman": "Elman", "gru": "GRU"}
    for model, name in names.items():
        task = task_from_frame(data, "load", inputs=["wind"], horizon=3)
        outlook = under(3.0, task, model=model)
        assert name in outlook.evaluation.chosen and np.isfinite(outlook.y_hat).all()


# --- the winner --------------------------------------------------------------------------------


def week(n=250):
    """Return a day of the week and noise: its mean is the best forecast."""
    index = pd.date_range("2024-01-01", periods=n)
    noise = np.random.default_rng(3).normal(size=n)
    return pd.DataFrame({"load": 5 * index.day_of_week % 7 + noise}, index=index)


def walk(n=400):
    """Return a random walk of rows: the last value is the best forecast."""
    return pd.DataFrame({"price": np.random.default_rng(1).normal(size=n).cumsum()})


@pytest.mark.parametrize("data", [week(150), walk(120), frame(180)])
def test_autonarx_forecasts_by_default(data):
    outlook = look_ahead(task_from_frame(data, horizon=7), rivals=True)
    errors, target = outlook.evaluation.errors, data.columns[0]
    assert outlook.evaluation.chosen == list(outlook.evaluation.models)[0] == "AutoNARX"
    assert heading([outlook]).startswith("Forecast by AutoNARX, fitted on all rows")
    best = errors.index[0]
    why = "the winner of the test" if best == "AutoNARX" else f"as no other is named; {best} won"
    assert outlook.reason.startswith(f"{target!r} is forecast by AutoNARX, {why}")
    assert set(outlook.rivals) == set(errors.index) - {"AutoNARX"}
    assert all(len(y_hat) == 7 for y_hat in outlook.rivals.values())
    by_hand = AutoNARX(7, random_state=0).fit(None, data[target])
    np.testing.assert_array_equal(outlook.y_hat, by_hand.forecast(7))
    assert outlook.about == by_hand.describe()


def test_a_baseline_that_won_by_luck_is_named():
    outlook = look_ahead(task_from_frame(walk(150), horizon=3))
    errors = outlook.evaluation.errors
    more = 100 * (errors["AutoNARX"] / errors["persistence"] - 1)
    assert more > 1 and outlook.reason == (
        "'price' is forecast by AutoNARX, as no other is named; persistence won the test, AutoNARX "
        f"errs by {more:.1f} % more."
    )


def test_a_forecast_that_breaks_off_is_replaced_by_that_of_the_winner(monkeypatch):
    forecast = AutoNARX.forecast
    monkeypatch.setattr(
        AutoNARX, "forecast", lambda self, steps, X: np.nan * forecast(self, steps, X)
    )
    data = walk(150)
    outlook = look_ahead(task_from_frame(data, horizon=3))
    assert outlook.reason == "'price' is forecast by persistence, the winner of the test."
    assert outlook.y_hat.tolist() == [data["price"].iloc[-1]] * 3 and outlook.about == ""


def test_autonarx_forecasts_inputs_that_are_not_known_ahead():
    data = frame(190, wind=RNG.normal(size=190), sun=RNG.normal(size=190), unused=0.0)
    data["load"] += data["sun"] + 3.0 * data["wind"].shift(1, fill_value=0.0)
    data.loc[data.index[189:], ["load", "wind"]] = np.nan
    task = task_from_frame(data, "load", ["wind"], ["sun"], horizon=1)
    assert task.notes[-1] == (
        "'load' is forecast without 'unused': give inputs=unused to have a column read, or "
        "known_future=unused where it is known for the rows to forecast."
    )
    assert (task.test.features, task.test.past_inputs) == (["wind", "sun"], ["wind"])
    outlook = look_ahead(task, model="auto", rivals=True)
    assert "wind beside them" in outlook.about
    assert np.isfinite(outlook.y_hat).all() and len(outlook.rivals) == 4
    # the wind of the row before tells most of the load
    alone = run(task_from_frame(data, "load", [], ["sun"], horizon=1).test, ("auto",))
    errors = [one.table().loc["AutoNARX"].iloc[0] for one in (outlook.evaluation, alone)]
    assert errors[0] < 0.5 * errors[1]
    assert outlook.evaluation.notes()[-2] == (
        "'wind' is not known ahead: networks and ridge ARX read lags of 1 h and more, and AutoNARX "
        "tries to forecast it beside 'load'."
    )
    assert run(task.test, ("arx",)).of_past_inputs == ""


def test_origins_behind_a_gap_wait_for_the_history_that_autonarx_reads():
    data = frame(200)
    later = data[140:].set_axis(data.index[140:] + pd.Timedelta("40D"))
    evaluation = run(task_from_frame(pd.concat([data[:140], later]), horizon=6).test, ("auto",))
    lag = evaluation.models["AutoNARX"].max_lag_
    runs = evaluation.backtests
    assert (runs["AutoNARX"]["origin"] == runs["ridge ARX"]["origin"]).all()
    np.testing.assert_array_equal(runs["AutoNARX"]["y"], runs["ridge ARX"]["y"])
    lost = runs["AutoNARX"].query("y_hat.isna()")["origin"].unique()
    # the test begins 20 rows behind the gap, and its first origin after a day
    assert lag > 45 and list(lost) == list(later.index[20 + 23 : lag - 1])


def test_holidays_are_read_by_what_learns():
    days_off = pytest.importorskip("holidays").country_holidays("DE", subdiv="BY", years=2023)
    index = pd.date_range("2023-01-01", periods=180)
    off = np.array([day in days_off for day in index])
    data = pd.DataFrame({"load": 10 - 5.0 * off + 0.1 * RNG.normal(size=180)}, index)
    task = task_from_frame(data, horizon=2, holidays=("DE", "BY"))
    models = run(task.test, ("auto", "narx")).models
    fields = [{"holiday": ("DE", "BY")}]
    assert models["AutoNARX"].fields == ["day_of_week", *fields]
    assert models[OFF if OFF in models else "NARX"].calendar == fields
    ridge = clone(models["ridge ARX"]).fit(None, data["load"][:157])
    assert ridge.forecast(2).iloc[1] < 7 < ridge.forecast(1).iloc[0]  # Corpus Christi
    assert task_from_frame(data, horizon=2).test.ridge().calendar is None


def test_a_model_that_lost_says_by_how_much():
    outlook = under(1e6, task_from_frame(week(), horizon=7), model="narx")
    errors = outlook.evaluation.table()["RMSE mean"]
    name = outlook.evaluation.chosen
    more = 100 * (errors[name] / errors["climatology"] - 1)
    assert name == OFF and more > 1
    assert outlook.reason == (
        f"'load' is forecast by {OFF}, as asked; climatology won the test, {OFF} errs by "
        f"{more:.1f} % more."
    )


def henon(n=300):
    """Return a map that bends: a network is far better than a line."""
    y = [0.1, 0.3]
    for _ in range(n + 18):
        y.append(1 - 1.4 * y[-1] ** 2 + 0.3 * y[-2])
    return pd.DataFrame({"y": y[20:]})


def bent(alpha, **kwargs):
    return under(alpha, task_from_frame(henon(), lags=2, horizon=2), **kwargs)


def test_the_penalty_is_chosen_from_the_rows():
    assert task_from_frame(henon()).test.network().alpha == "auto"


def test_a_network_has_its_name_where_it_lives():
    outlook = bent(0.01, model="narx", rivals=True)
    share = 100 * outlook.evaluation.models["NARX"].hidden_share_
    assert outlook.evaluation.table().index[0] == outlook.evaluation.chosen == "NARX" and share > 50
    assert outlook.reason == "'y' is forecast by NARX, as asked; it won the test too."
    assert outlook.heading == "Forecast by NARX, fitted on all rows up to row 299"
    told = f"{share:.3g} % of the variance of its output passes the hidden layers and is no "
    assert f"NARX: {told}linear function of the lags." in outlook.evaluation.notes()


def test_elsewhere_it_is_called_linear():
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # the notes say it
        outlook = bent(1e6, model="narx")
    assert outlook.evaluation.chosen == OFF and OFF in outlook.evaluation.to_frame()
    assert OFF in outlook.heading and OFF in outlook.reason and OFF in outlook.evaluation.verdict
    told = [note for note in outlook.evaluation.notes() if note.startswith("linear")]
    assert told == [f"{OFF}: under alpha=1e+06 nothing passes the hidden layers."]


NOISE = pd.DataFrame(np.random.default_rng(0).normal(size=(200, 2)), columns=["y", "x"])


def test_networks_that_left_one_linear_model_share_a_row():
    """Of the same lags without an input; a TDNN reads others, and keeps a row of its own."""
    task = task_from_frame(NOISE, "y", inputs=["x"], horizon=2, lags=2).test
    evaluation = run(task, ("gru", "narx", "tdnn", "lstm"))
    one, other = "linear (GRU and 2 more, network off)", "linear (TDNN, network off)"
    assert list(evaluation.table().index) == [one, other, "persistence", "ridge ARX"]
    assert evaluation.chosen == one
    assert evaluation.stands_for == {one: ["GRU", "NARX", "LSTM"]}
    why = "no network has proven better than the linear model, beyond chance"
    starts = (f"{one} is one model of GRU, NARX and LSTM: {why}", f"{other}: {why}")
    told = [note for note in evaluation.notes() if note.startswith("linear")]
    assert len(told) == 2 and all(map(str.startswith, told, starts))
    apart = run(task, ("narx",)).backtests["linear (NARX, network off)"]["y_hat"]
    np.testing.assert_allclose(evaluation.backtests[one]["y_hat"], apart, atol=1e-9)


def test_networks_that_were_switched_off_otherwise_have_their_own_row():
    """By a penalty that was given, or with other forecasts."""
    task = replace(task_from_frame(NOISE[["y"]], lags=2, horizon=2).test, settings={"alpha": 1e6})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        evaluation = run(task, ("narx", "gru"))
    assert list(evaluation.table().index)[:2] == [OFF, "linear (GRU, network off)"]
    assert evaluation.stands_for == {}


def test_a_network_that_lives_on_all_rows_alone_says_so():
    pytest.importorskip("matplotlib")
    outlook = bent(1e6, model="narx", rivals=True)
    outlook = replace(outlook, is_named=False, names={OFF: "NARX"})
    assert outlook.heading.startswith("Forecast by NARX, ")
    assert outlook.reason.startswith("'y' is forecast by NARX, ")
    assert outlook.reason.endswith("; in the test its network was off.")
    rivals = {k: y_hat for k, y_hat in outlook.rivals.items() if k != OFF}
    left, right = replace(outlook, rivals=rivals).plot().axes
    assert "NARX" in [line.get_label() for line in left.lines]
    assert OFF in [text.get_text() for text in right.texts]


def test_a_network_that_is_off_on_all_rows_alone_says_so():
    outlook = replace(bent(0.01, model="narx"), names={"NARX": OFF})
    assert outlook.reason == (
        f"'y' is forecast by {OFF}, as asked; it won the test too; in the test its network lived."
    )


def test_a_winner_that_breaks_off_is_followed_by_the_next():
    outlook = replace(look_ahead(task_from_frame(week(), horizon=7), "arx"), is_named=False)
    evaluation = outlook.evaluation
    run = evaluation.backtests["climatology"]
    cut = run.assign(y_hat=run["y_hat"].where(run.index % 50 > 0))
    evaluation = replace(evaluation, backtests=evaluation.backtests | {"climatology": cut})
    assert evaluation.errors.index[0] == "climatology" and "climatology" not in evaluation.ranked
    second = replace(outlook, evaluation=replace(evaluation, chosen=evaluation.ranked[0]))
    assert second.reason == (
        f"'load' is forecast by {evaluation.ranked[0]}, the best in the test of those whose "
        "forecasts do not break off, as those of climatology do."
    )


def test_a_network_that_diverges_everywhere_leaves_the_others_their_test():
    pytest.importorskip("matplotlib")
    outlook = under(1e6, task_from_frame(week(), horizon=7), model="narx", rivals=True)
    evaluation, run = outlook.evaluation, outlook.evaluation.backtests[OFF]
    lost = replace(evaluation, backtests=evaluation.backtests | {OFF: run.assign(y_hat=np.nan)})
    assert list(lost.table().index) == list(evaluation.table().index)
    assert lost.table().loc[OFF].isna().all() and OFF not in lost.ranked
    rest = evaluation.table()["RMSE mean"].drop(OFF)
    pd.testing.assert_series_equal(lost.table()["RMSE mean"].drop(OFF), rest)
    assert lost.verdict.startswith("On the mean over the horizons climatology is best; ")
    named = replace(outlook, evaluation=replace(lost, chosen=OFF), is_named=True)
    assert named.reason == (
        f"'load' is forecast by {OFF}, as asked; climatology won the test, {OFF} diverged in it."
    )
    replace(outlook, evaluation=lost).plot().draw_without_rendering()


def test_missing_inputs_do_not_count_against_models_that_read_them():
    data = frame(600, wind=RNG.normal(size=600))
    data["load"] = data["wind"].shift(2) + 0.01 * data["load"]
    data.iloc[[520, 560], 1] = np.nan
    task = task_from_frame(data, "load", inputs=["wind"], horizon=2)
    assert under(3.0, task, model="narx").evaluation.ranked[0] in ("NARX", OFF, "ridge ARX")


def test_of_equals_a_network_comes_last():
    data = week().assign(load=5.0)
    task = task_from_frame(data, horizon=2)
    assert run(task.test, ("narx",)).errors.index[-1] == OFF
    with pytest.warns(UserWarning, match="y is constant"):
        outlook = look_ahead(task)
    assert outlook.evaluation.errors.index[-1] == "AutoNARX"
    assert outlook.reason == (
        "'load' is forecast by AutoNARX, as no other is named; persistence won the test, AutoNARX "
        "errs no more."
    )
    assert outlook.y_hat.tolist() == pytest.approx([5.0, 5.0])


def test_a_picture_without_an_error_needs_no_warning():
    pytest.importorskip("matplotlib")
    outlook = look_ahead(task_from_frame(week().assign(load=5.0), horizon=2), "narx")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outlook.plot().draw_without_rendering()


@pytest.mark.skipif(not CASES.exists(), reason="shared cases are missing")
def test_a_network_that_drifts_in_its_test_does_not_win_it():
    data = read_series(CASES / "daily_pageviews.csv").frame
    task = task_from_frame(data, horizon=30)
    fixed = replace(task.test, settings={"alpha": 3.0, "max_iter": 100})
    evaluation = run(fixed, ("narx",))
    errors = evaluation.table()["RMSE mean"]
    assert errors["NARX"] > 1.3 * errors["climatology"]
    assert evaluation.ranked[0] == "climatology"


def test_the_picture_has_a_title_and_rivals_behind():
    pytest.importorskip("matplotlib")
    data = week(150).rename(columns={"load": "cost $, in $"})
    outlook = look_ahead(task_from_frame(data, horizon=7), rivals=True)
    figure = outlook.plot()
    title = figure.get_suptitle()
    assert title == r"cost \$, in \$, 7 d ahead: forecast by AutoNARX, the winner of the test"
    left, right = figure.axes
    lines = {line.get_label(): line for line in left.lines}
    assert set(outlook.evaluation.backtests) <= set(lines)
    front = lines["AutoNARX"]
    assert all(
        lines[name].get_zorder() < front.get_zorder()
        and lines[name].get_linewidth() < front.get_linewidth()
        for name in outlook.rivals
    )
    colours = {line.get_label(): line.get_color() for line in right.lines}
    assert all(lines[name].get_color() == colour for name, colour in colours.items())
    figure.draw_without_rendering()


# --- words and files ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("freq", "label"),
    [
        ("YS", "2024"),
        ("YE-JUN", "2024"),
        ("QS", "2024Q1"),
        ("QE", "2024Q1"),
        ("QS-FEB", "2024-02"),
        ("MS", "2024-01"),
        ("ME", "2024-01"),
        ("2MS", "2024-01"),
        ("W-MON", "2024-01-01"),
        ("B", "2024-01-01"),
        ("D", "2024-01-01"),
        ("12h", "2024-01-01 00:00"),
        ("s", "2024-01-01 00:00"),
    ],
)
@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_labels_are_as_short_as_their_clock(freq, label, zone):
    index = pd.date_range("2024-01-01", periods=40, freq=freq, tz=zone)
    written = label_writer(index)(index[0])
    assert written.removesuffix("+01:00") == label


def test_labels_without_a_calendar():
    assert label_writer(pd.RangeIndex(3))(2) == "row 2"
    months = pd.period_range("2024-01", periods=3, freq="M")
    assert label_writer(months)(months[1]) == "2024-02"


def test_months_are_told_as_months():
    index = pd.date_range("2004-01-01", periods=120, freq="MS")
    y = 10 + np.sin(2 * np.pi * np.arange(120) / 12) + 0.1 * RNG.normal(size=120)
    data = pd.DataFrame({"load": y, "wind": y}, index=index)
    outlook = look_ahead(task_from_frame(data, "load", horizon=1), "arx")
    assert outlook.heading == "Forecast by ridge ARX, fitted on all rows up to 2013-12"
    assert (
        "fitted on 2004-01 to 2011-12, tested on 2012-01 to 2013-12" in outlook.evaluation.protocol
    )
    with pytest.raises(ValueError, match="the forecast from 2014-01 to 2014-02 needs the input"):
        look_ahead(task_from_frame(data, "load", known_future=["wind"], horizon=2), "arx")


def test_no_two_columns_have_one_name():
    data = frame(400)
    data["load RMSE"], data["time"] = data["load"] + 1, data["load"] - 1
    data.index.name = "time"
    forecasts = [look_ahead(task_from_frame(data, c, horizon=2), "arx") for c in data]
    table = side_by_side(forecasts)
    assert list(table) == [
        "load", "load RMSE of the test", "load RMSE", "load RMSE RMSE", "time", "time RMSE"
    ]  # fmt: skip
    assert table.index.name == "time_"
    np.testing.assert_allclose(table["load RMSE"], forecasts[1].y_hat)


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(tmp_path, sign):
    name = f"{sign}cmd|' /C calc'!A0"
    table = pd.DataFrame({name: [-1.5, 2.0], "text": [name, "x"]}, index=[-1, 0])
    write_csv(table.rename_axis(name), tmp_path / "f.csv")
    with open(tmp_path / "f.csv", newline="") as file:
        cells = list(csv.reader(file))
    safe = f"'{name}".replace("\r", " ")
    assert cells == [
        [safe, safe, "text"],
        ["-1", "-1.5", safe],
        ["0", "2.0", "x"],
    ]


def test_names_that_are_no_text_are_written_as_they_are(tmp_path):
    write_csv(pd.DataFrame({0: [1.0], 1: [-2.0]}), tmp_path / "f.csv", index=False)
    assert (tmp_path / "f.csv").read_text() == "0,1\n1.0,-2.0\n"


# --- what is refused ---------------------------------------------------------------------------


def test_a_short_series():
    assert refused(frame(100), name="load.csv") == (
        "load.csv has 100 rows of 'load', but a forecast of 24 steps with a season or lags of 24 "
        "needs at least 119 to learn from and to be tested on: give a longer series, a smaller "
        "horizon or smaller lags."
    )


@pytest.mark.parametrize("huge", [10**6, 10**30])
def test_a_horizon_or_lags_beyond_all_rows(huge):
    assert f"forecast of {huge} steps" in refused(frame(300), horizon=huge)
    assert f"season or lags of {huge} needs" in refused(frame(300), lags=[1, huge])
    assert task_from_frame(frame(300), lags=[1, (1, 30)]).test.history == 30
    assert refused(frame(300), lags=[1, (2,)]).startswith("lags must be an int >= 0 (lags 1..K)")
    task = task_from_frame(frame(300)).test
    for options in ({"horizon": huge}, {"lags": huge}):
        with pytest.raises(
            ValueError, match="holds no origin with .* or a smaller horizon or lags"
        ):
            task.with_options(**options).origins(task.read())


def test_the_number_of_rows_named_is_enough():
    assert task_from_frame(frame(119)).test.steps == 24
    with pytest.raises(ValueError):
        task_from_frame(frame(118))


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


def test_times_without_a_step():
    data = frame(300)
    data.index += pd.to_timedelta(RNG.integers(0, 10**6, 300).cumsum(), "s")
    with pytest.raises(ValueError) as error:
        look_ahead(task_from_frame(data, horizon=2, name="load.csv"), "arx")
    assert re.fullmatch(
        "the times of load.csv have no regular step, so that those after 2028-.* are not known: "
        "give rows at even steps, such as the mean of each hour or day.",
        str(error.value),
    )


def test_an_unknown_model():
    with pytest.raises(ValueError) as error:
        look_ahead(task_from_frame(frame(300)), model="rnn")
    choices = "auto, narx, tdnn, arx, elman, gru, lstm"
    assert str(error.value) == f"there is no model 'rnn': choose from {choices}."


def test_short_gaps_are_history_and_no_targets():
    """A value missing now and then does not cost the rows whose lags reach it."""
    load = 10 + 5 * np.sin(2 * np.pi * np.arange(486) / 24)
    data = pd.DataFrame({"load": load[:480]}, pd.date_range("2024-01-01", periods=480, freq="h"))
    data.iloc[::15] = np.nan
    outlook = look_ahead(task_from_frame(data, horizon=6), model="arx")
    assert outlook.evaluation.models["ridge ARX"].n_dropped_ == 0
    np.testing.assert_allclose(outlook.y_hat, load[480:], atol=0.1)
    assert any("straight lines over" in note for note in outlook.evaluation.notes())


def test_bridged_rows_have_no_weight():
    """No model learns to forecast values in the rows that were missing."""
    data = pd.DataFrame({"load": np.random.default_rng(0).normal(size=300)})
    data.iloc[40:43] = np.nan
    task = task_from_frame(data, horizon=3, lags=1)
    learnt = look_ahead(task, model="arx").evaluation.models["ridge ARX"]
    fitted = data["load"].loc[slice(*task.test.training)]
    weight = fitted.notna().astype(float)
    by_hand = ARX([], 1).fit(None, fitted.interpolate(), sample_weight=weight)
    np.testing.assert_array_equal(learnt.theta_, by_hand.theta_)
    assert not np.array_equal(learnt.theta_, ARX([], 1).fit(None, fitted.interpolate()).theta_)


def test_blank_cells_of_the_target_are_told_and_where_it_ends():
    data = pd.DataFrame({"load": np.arange(60.0)}, pd.date_range("2024-01-01", periods=60))
    data.iloc[[20, 21, 40]] = np.nan
    data.iloc[50:] = np.nan
    assert task_from_frame(data, horizon=2, name="load.csv").notes == [
        "'load' is blank in 3 of the 50 rows from its first value to its last, the longest gap 2 "
        "rows, from 2024-01-21 to 2024-01-22.",
        "'load' ends at 2024-02-19, 10 rows before the end of load.csv: the forecast begins there.",
    ]
    assert task_from_frame(data.interpolate(), horizon=2).notes == []


def test_forecasts_with_known_inputs_keep_the_name_of_their_times():
    index = pd.date_range("2024-01-01", periods=103, name="time")
    data = pd.DataFrame({"load": np.arange(103.0), "holiday": np.arange(103) % 7 == 0}, index)
    data.loc[index[100:], "load"] = np.nan
    task = task_from_frame(data.astype(float), "load", known_future=["holiday"], horizon=3)
    assert side_by_side([look_ahead(task, model="arx")]).index.name == "time"


def test_a_table_of_inputs_has_nothing_to_forecast():
    with pytest.raises(ValueError, match="data has no column to forecast: all of its columns, 'a'"):
        task_from_frame(pd.DataFrame({"a": np.arange(50.0)}), inputs=["a"])


def test_a_picture_says_why_this_model_forecasts():
    data = pd.DataFrame({"load": np.random.default_rng(0).normal(size=120).cumsum()})
    outlook = look_ahead(task_from_frame(data, horizon=2))
    assert list(outlook.evaluation.errors.index) == ["persistence", "ridge ARX", "AutoNARX"]
    first, last = (
        replace(outlook, evaluation=replace(outlook.evaluation, chosen=name))
        for name in ("persistence", "ridge ARX")
    )
    assert "AutoNARX, as no other is named" in outlook.plot().get_suptitle()
    assert "the winner of the test" in first.plot().get_suptitle()
    assert "the best in the test of those whose forecasts do not" in last.plot().get_suptitle()
    assert last.reason.endswith("do not break off, as those of persistence do.")
