"""Saved models and tables that go on from where they were trained."""

import numpy as np
import pandas as pd
import pytest

from narxkit import ARX, NARX, SeasonalNaive
from narxkit.evaluation import continue_saved, fit_chosen, task_from_frame


def table(n=200, **options):
    index = pd.date_range("2024-01-01", periods=n, **{"freq": "h", "name": "time"} | options)
    rng = np.random.default_rng(0)
    load = 50 + 10 * np.sin(np.arange(n) * 2 * np.pi / 24) + rng.normal(size=n)
    return pd.DataFrame({"load": load, "sun": rng.normal(size=n), "wind": 1.0}, index=index)


@pytest.fixture
def data():
    return table()


@pytest.fixture
def model(data):
    return ARX(output_lags=24).fit(None, data["load"][:100])


@pytest.mark.parametrize("begin", [0, 90, 100])
def test_the_rows_after_the_last_one_seen_move_the_model_on(data, model, begin):
    found = continue_saved(model, data[begin:], 5)
    expected = ARX(output_lags=24).fit(None, data["load"][:100])
    expected = expected.update(None, data["load"][100:]).forecast(5)
    pd.testing.assert_series_equal(found.y_hat["load"], expected, check_names=False)
    assert found.y_hat.index.name == "time" and found.history.shape == (200 - begin, 1)
    assert model.forecast(1).index[0] == data.index[100]  # it is left as it is
    seen = f"The {100 - begin} rows up to 2024-01-05 03:00 have been seen before; the 100 rows "
    assert found.notes == (
        (f"{seen}after them move the model on.",) if begin < 100
        else ("The 100 rows of the data follow those seen before and move the model on.",)
    )  # fmt: skip


def test_a_table_that_ends_with_the_model_moves_nothing(data, model):
    found = continue_saved(model, data[:100], 2)
    assert found.y_hat["load"].tolist() == model.forecast(2).tolist()
    assert found.notes == ("the data ends where the model was trained: the forecast begins there.",)


@pytest.mark.parametrize(
    "rows",
    [range(120, 200), [*range(50), *range(120, 200)], [*range(110), *range(120, 200)]],
    ids=["later", "lacks rows", "within"],
)
def test_after_a_gap_the_new_rows_stand_alone(data, model, rows):
    found = continue_saved(model, data.iloc[rows], 3)
    assert found.notes == (
        "the data has a gap before 2024-01-06 00:00, behind 2024-01-05 03:00, the last row that "
        "the model has seen: the forecast rests on the 80 rows from there on alone.",
    )
    longer = ARX(output_lags=24).fit(None, data["load"][:100]).update(None, data["load"][120:])
    assert found.y_hat["load"].tolist() == longer.forecast(3).tolist()
    with pytest.raises(ValueError, match="the last segment seen has 9 rows, but lags up to 24"):
        continue_saved(model, data[120:129], 3)


def test_columns_are_found_by_name_and_inputs_go_on(data):
    X, y = data[["sun", "wind"]].assign(wind=data["sun"] ** 2), data[["load"]]
    model = NARX(1, 3, (2,), max_iter=5, random_state=0).fit(X[:100], y[:100])
    whole = pd.concat([y, X[["wind"]], X[["sun"]]], axis=1)
    whole.loc[whole.index[150:], "load"] = np.nan  # inputs are known ahead
    found = continue_saved(model, whole, 8)
    expected = model.update(X[100:150], y[100:150]).forecast(X=X[150:158])
    np.testing.assert_array_equal(found.y_hat["load"], expected["load"])
    with pytest.raises(ValueError, match=r"8 steps need the columns \['sun', 'wind'\] of X"):
        continue_saved(model, whole[:155], 8)


def test_times_of_other_kinds(data):
    y = data["load"]
    months = table(60, freq="MS")
    by_month = SeasonalNaive(12).fit(None, months["load"][:40].to_period())
    found = continue_saved(by_month, months, 2)
    assert isinstance(found.y_hat.index, pd.PeriodIndex)
    assert found.y_hat["load"].tolist() == months["load"][-12:-10].tolist()
    plain = ARX().fit(None, pd.Series(y.to_numpy()[:100], name="load"))
    rows = data.reset_index(drop=True)
    found = continue_saved(plain, rows[100:], 2)
    assert found.y_hat.index.tolist() == [200, 201]
    assert found.notes == (
        "Without times, the 100 rows of the data are taken to follow those seen before.",
    )
    berlin = ARX().fit(None, y[:100].tz_localize("Europe/Berlin"))
    found = continue_saved(berlin, data.tz_localize("Europe/Berlin").tz_convert("UTC"), 2)
    assert str(found.y_hat.index.tz) == "Europe/Berlin"


@pytest.mark.parametrize(
    ("fit_to", "rows", "sentence"),
    [
        (lambda d: d["load"], lambda d: d[["sun"]], "f.csv has no column of numbers 'load', with "
         "which the model was trained: it has 'sun'; give a file with 'load'."),
        (lambda d: d["load"], lambda d: d[:50], "f.csv ends at 2024-01-03 01:00, and the model has "
         "seen rows up to 2024-01-05 03:00: give a file with the rows after that."),
        (lambda d: d["load"], lambda d: d.reset_index(drop=True), "f.csv has row numbers alone, "
         "and the model was trained on rows with times: give a file with a column of times."),
        (lambda d: d["load"].reset_index(drop=True), lambda d: d, "f.csv has times, and the model "
         "was trained on rows with row numbers alone: read it with time=False."),
        (lambda d: d["load"], lambda d: d.tz_localize("UTC"), "the time zone of f.csv is UTC, and "
         "that of the rows that the model was trained on is none: give times of the same kind."),
        (lambda d: d["load"], lambda d: d.resample("D").mean()[-3:], "f.csv is daily, and the "
         "model was trained on rows that are hourly: give rows at that step, and as many as its "
         "lags need."),
        (lambda d: d["load"], lambda d: d.assign(load=np.nan), "the columns 'load' of f.csv "
         "hold no number."),
        (lambda d: d["load"].to_numpy(), lambda d: d, "the model was trained on arrays, so that it "
         "does not know which columns of f.csv are meant: train it on a DataFrame with names."),
        (lambda d: pd.concat({"p": d["load"]}), lambda d: d, "the model was trained on the series "
         "'p', and f.csv is one series: use narxkit.load(...).update(X, y) with a MultiIndex "
         "(series, time)."),
        (lambda d: d["load"].set_axis(d.index - d.index[0]), lambda d: d, "the model was trained "
         "on elapsed times, which f.csv has not: use narxkit.load(...).update(X, y) with a "
         "TimedeltaIndex."),
    ],
    ids=["column", "early", "numbers", "times", "zone", "step", "empty", "arrays", "panel",
         "elapsed"],
)  # fmt: skip
def test_tables_that_do_not_go_on(data, fit_to, rows, sentence):
    model = ARX(output_lags=24).fit(None, fit_to(data[:100]))
    with pytest.raises(ValueError) as caught:
        continue_saved(model, rows(data), 3, "f.csv")
    assert str(caught.value) == sentence


def test_the_picture_has_a_panel_for_each_output(data):
    pytest.importorskip("matplotlib")
    model = NARX([], 3, (2,), max_iter=3, random_state=0).fit(None, data[["load", "sun"]][:100])
    figure = continue_saved(model, data, 4).plot()
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["load", "sun"]


def test_the_model_of_a_test_is_fitted_on_all_rows(data):
    task = task_from_frame(data[["load"]], horizon=6)
    fitted = fit_chosen(task, model="arx")
    assert fitted.model.forecast(1).index[0] == data.index[-1] + pd.Timedelta("1h")
    assert fitted.reason.startswith("'load' is forecast by ridge ARX, as asked")
    winner = fit_chosen(task)
    assert winner.reason.startswith(f"'load' is forecast by {winner.forecaster}, the winner")
