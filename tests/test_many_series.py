"""Many series: long frames, one model for each series or for all, and backtests that refit."""

import re
import tracemalloc
import warnings
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

import narxkit
from narxkit import (
    ARX,
    NARX,
    AutoNARX,
    PerSeries,
    Persistence,
    ScaledPerSeries,
    SeasonalNaive,
    TransformedForecaster,
    ahead_scorer,
    backtest,
    from_long,
    simulation_scorer,
    to_long,
)
from narxkit.cli import main
from narxkit.evaluation import forecast_many
from narxkit.export import summary
from narxkit.files import read_panel
from narxkit.forecasters import per_series

SHARED = Path(__file__).resolve().parents[2] / "shared"
CASE = SHARED / "cases" / "two_series_long.csv"
HOURS = pd.date_range("2024-01-01", periods=120, freq="h")
NEXT = pd.date_range(HOURS[-1] + HOURS.freq, periods=2, freq="h")
SIZES = {"small": (1.0, 0.0), "large": (1000.0, 5000.0), "odd": (50.0, -20.0)}


def walk(seed, n=120, memory=0.8):
    """Return an autoregressive series."""
    noise = np.random.default_rng(seed).normal(size=n)
    y = np.zeros(n)
    for t in range(1, n):
        y[t] = memory * y[t - 1] + noise[t]
    return y


def panel(has_input=False):
    """Return X and y of three series of other sizes, which move alike."""
    waves = {key: size * walk(i) + level for i, (key, (size, level)) in enumerate(SIZES.items())}
    y = pd.concat({key: pd.Series(w, HOURS, name="y") for key, w in waves.items()})
    y.index.names = ["unique_id", "ds"]
    if not has_input:
        return None, y
    return pd.DataFrame({"u": np.sin(np.arange(len(y)))}, y.index), y


def long_frame():
    X, y = panel(has_input=True)
    return pd.concat([y, X], axis=1).reset_index()


def heads(values, n=100):
    return None if values is None else values.groupby(level=0, sort=False).head(n)


def tails(values, n=20):
    return None if values is None else values.groupby(level=0, sort=False).tail(n)


def arx():
    return ARX(output_lags=3)


def rows_of(keys, times):
    """Return rows without columns."""
    return pd.DataFrame(index=pd.MultiIndex.from_product([keys, times]))


def deviation(y):
    return y.std(ddof=0)


# --- long frames ---------------------------------------------------------------------------------


def test_a_long_frame_is_a_panel():
    X, y = from_long(long_frame())
    pd.testing.assert_series_equal(y, panel()[1], check_freq=False)
    pd.testing.assert_frame_equal(X, panel(has_input=True)[0], check_freq=False)


def test_rows_may_stand_in_any_order_and_columns_have_any_name():
    frame = long_frame().rename(columns={"unique_id": "shop", "ds": "day", "y": "sales"})
    shuffled = frame.sample(frac=1.0, random_state=0)
    X, y = from_long(shuffled, id="shop", time="day", target="sales")
    assert list(y.index.names) == ["shop", "day"] and y.name == "sales"
    for key in SIZES:
        np.testing.assert_array_equal(y[key], panel()[1][key])
        np.testing.assert_array_equal(X.loc[key, "u"], panel(has_input=True)[0].loc[key, "u"])


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame.set_index(["unique_id", "ds"]),
        lambda frame: frame.set_index("unique_id"),
        lambda frame: frame.astype({"unique_id": "category"}),
        lambda frame: frame.assign(ds=frame["ds"].astype(str)),
    ],
    ids=["levels", "index of names", "categories", "dates as text"],
)
def test_names_and_times_may_stand_elsewhere_or_be_of_other_types(change):
    X, y = from_long(change(long_frame()))
    np.testing.assert_array_equal(y, panel()[1])
    assert isinstance(y.index.levels[1], pd.DatetimeIndex)
    assert list(y.index.unique(level=0)) == list(SIZES)


def test_times_may_be_numbers_and_targets_several():
    frame = long_frame().assign(ds=np.tile(np.arange(120), 3))
    X, y = from_long(frame, target=["y", "u"])
    assert X is None and list(y) == ["y", "u"]
    assert PerSeries(Persistence()).fit(X, y).forecast(1).index[0] == ("small", 120)


def test_a_forecast_is_a_long_frame():
    X, y = from_long(long_frame().drop(columns="u"))
    found = to_long(ScaledPerSeries(arx()).fit(X, y).forecast(2))
    assert list(found) == ["unique_id", "ds", "y"] and len(found) == 6


def with_cell(column, rows, value):
    frame = long_frame().astype({"ds": object}) if column == "ds" else long_frame()
    frame.loc[rows, column] = value
    return frame


def of_two_steps():
    daily = pd.DataFrame({"unique_id": "d", "ds": HOURS[::24], "y": 1.0})
    return pd.concat([long_frame().drop(columns="u"), daily])


BAD_FRAMES = {
    "a time twice": (
        lambda: pd.concat([long_frame(), long_frame().iloc[[130]]]),
        "the time 2024-01-01 10:00:00 comes twice in the series 'large', in rows 130 and 360 (1 of "
        "361 rows are such): keep one row of each, for example by frame.drop_duplicates("
        "['unique_id', 'ds']).",
    ),
    "two frequencies": (
        of_two_steps,
        "the series 'small' is hourly, and 'd' is daily, but series of one panel share a "
        "frequency: give those of each frequency by themselves, or bring them to one by groupby "
        "and resample.",
    ),
    "two steps of numbers": (
        lambda: pd.DataFrame(
            {"unique_id": ["a"] * 5 + ["b"] * 5, "ds": [0, 1, 2, 3, 4, 0, 10, 20, 30, 40], "y": 1.0}
        ),
        "the series 'a' is in steps of 1, and 'b' is in steps of 10, but series of one panel",
    ),
    "no names": (
        lambda: long_frame().drop(columns="unique_id"),
        "the frame has no column 'unique_id', but 3 others ('ds', 'y', 'u'): name its columns by "
        "id='unique_id', time='ds' and target='y'; turn a wide table, a column for each series or "
        "time, by frame.melt(id_vars='ds', var_name='unique_id', value_name='y').",
    ),
    "a wide table of series in rows": (
        lambda: pd.DataFrame({"V1": ["H1", "H2"], "V2": [1.0, 2.0], "V3": [2.0, 3.0]}),
        "frame.melt(id_vars='V1', var_name='ds', value_name='y').",
    ),
    "names missing in rows": (
        lambda: with_cell("unique_id", [3, 7], None),
        "the name of a series is missing in 2 of 360 rows (column 'unique_id'), first in row 3: "
        "name it or leave them out, for example by frame.dropna(subset=['unique_id']).",
    ),
    "times missing in rows": (
        lambda: with_cell("ds", [5], pd.NaT),
        "a time is missing in 1 of 360 rows (column 'ds'), first in row 5: leave them out,",
    ),
    "text for times": (
        lambda: with_cell("ds", slice(None), "3rd of May"),
        "the column 'ds' holds text, such as '3rd of May', and no times: read them with",
    ),
    "no rows": (lambda: long_frame().iloc[:0], "the frame has no rows: give at least two of each"),
}


@pytest.mark.parametrize("kind", BAD_FRAMES)
def test_what_is_wrong_with_a_long_frame(kind):
    make, sentence = BAD_FRAMES[kind]
    with pytest.raises(ValueError) as error:
        from_long(make())
    assert sentence in str(error.value)


def test_what_is_no_frame():
    with pytest.raises(TypeError, match="a DataFrame of pandas is needed, .* Got ndarray instead"):
        from_long(np.zeros((3, 3)))


def in_library(frame, library):
    """Return a frame of another library, whose columns keep their types and time zones."""
    made = pytest.importorskip(library)
    pytest.importorskip("narwhals")
    if library == "pyarrow":
        return made.Table.from_pandas(frame, preserve_index=False)
    columns = {name: column.to_numpy() for name, column in frame.items()}
    zone = getattr(frame["ds"].dt, "tz", None)
    if zone is None:
        return made.DataFrame(columns)
    utc = frame["ds"].dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
    times = made.Series(utc).dt.replace_time_zone("UTC").dt.convert_time_zone(str(zone))
    return made.DataFrame(columns | {"ds": times})


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
@pytest.mark.parametrize("library", ["polars", "pyarrow"])
def test_frames_of_other_libraries_go_in_and_out(library, zone):
    frame = long_frame()
    frame["ds"] = frame["ds"].dt.tz_localize(zone)
    given = in_library(frame, library)
    X, y = from_long(given)
    expected = from_long(frame)
    np.testing.assert_array_equal(y, expected[1])
    assert (y.index == expected[1].index).all() and list(X) == ["u"]
    y_hat = PerSeries(arx()).fit(None, y).forecast(2)
    found = to_long(y_hat, like=given)
    assert type(found) is type(given)
    back = from_long(found)[1]
    np.testing.assert_array_equal(back, y_hat)
    assert (back.index == y_hat.index).all() and list(back.index.names) == ["unique_id", "ds"]
    assert str(back.index.levels[1].tz) == str(zone)


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
def test_one_series_of_another_library_has_names_and_times(library):
    frame = long_frame().iloc[:120].drop(columns="unique_id")
    given = in_library(frame, library)
    X, y = from_long(given, id=None)
    assert y.name == "y" and list(X) == ["u"] and (y.index == HOURS).all()
    found = to_long(arx().fit(None, y).forecast(2), like=given)
    assert list(from_long(found, id=None)[1].index) == list(NEXT)
    names = ["y", "u"]
    outputs = given.select(names)
    assert list(arx().fit(None, outputs).forecast(1)) == names
    assert list(backtest(arx().fit(None, outputs), None, outputs, 1)["series"].unique()) == names
    with pytest.raises(
        ValueError, match=r"'ds' of X holds time stamps: read .* by from_long\(frame"
    ):
        arx().fit(given, y.to_numpy())


def test_one_series_may_have_no_name_and_rows_no_target():
    frame = long_frame().iloc[:120].drop(columns="unique_id")
    X, y = from_long(frame.iloc[::-1], id=None)
    assert (y.index == HOURS).all() and y.index.name == "ds"
    np.testing.assert_array_equal(y, panel()[1]["small"])
    twice = pd.concat([frame, frame.iloc[:1]])
    with pytest.raises(
        ValueError, match=r"comes twice, in rows 0 and 120 .*drop_duplicates\(\['ds'"
    ):
        from_long(twice, id=None)
    with pytest.raises(
        ValueError, match=r"no column 'day', but 3 others .*: name its columns by time"
    ):
        from_long(frame, id=None, time="day")
    ahead = long_frame().drop(columns="y")
    X, y = from_long(ahead, target=None)
    assert y is None and list(X) == ["u"] and len(X) == 360


def test_a_forecast_of_no_names_gets_the_usual_ones():
    alone = Persistence().fit(None, [1.0, 2.0, 3.0]).forecast(1)
    assert to_long(alone).to_dict("list") == {"ds": [3], "y": [3.0]}
    several = pd.concat({"a": alone})
    assert list(to_long(several)) == ["unique_id", "ds", "y"]


# --- one model for each series -------------------------------------------------------------------


@pytest.mark.parametrize("has_input", [False, True])
def test_each_series_is_fitted_by_itself(has_input):
    X, y = panel(has_input)
    many = PerSeries(arx()).fit(heads(X), heads(y))
    rows = tails(X) if has_input else pd.DataFrame(index=tails(y).index)
    y_hat = pd.Series(many.predict(rows), rows.index)
    ahead = pd.Series(many.predict_ahead(X, y, 4), y.index)
    table = backtest(many, X, y, steps=4)
    for key in SIZES:
        one = None if X is None else X.loc[key]
        alone = arx().fit(heads(X).loc[key] if has_input else None, heads(y)[key])
        part = one.tail(20) if has_input else None
        expected = alone.forecast(20, X=part)
        np.testing.assert_array_equal(y_hat[key], expected)
        np.testing.assert_array_equal(many.forecast(20, X=tails(X))[key], expected)
        np.testing.assert_array_equal(ahead[key], alone.predict_ahead(one, y[key], 4))
        its_own = backtest(alone, one, y[key], 4)
        here = table[table["series"] == key].reset_index(drop=True)
        np.testing.assert_array_equal(here["y_hat"], its_own["y_hat"])
        np.testing.assert_array_equal(here["origin"], its_own["origin"])


def test_the_forecast_has_the_labels_of_the_panel():
    y = panel()[1]
    found = PerSeries(SeasonalNaive(period=24)).fit(None, heads(y)).forecast(2)
    assert found.name == "y" and list(found.index.names) == ["unique_id", "ds"]
    assert list(found.index) == [(key, hour) for key in SIZES for hour in HOURS[100:102]]


def test_rows_may_be_interleaved():
    X, y = panel(has_input=True)
    mixed = heads(y).sort_index(level=1, sort_remaining=False)
    one = PerSeries(arx()).fit(heads(X), heads(y))
    two = PerSeries(arx()).fit(heads(X).loc[mixed.index], mixed)
    ahead = tails(X).sort_index(level=1, sort_remaining=False)
    expected = pd.Series(one.predict(tails(X)), tails(X).index)
    np.testing.assert_array_equal(two.predict(ahead), expected.loc[ahead.index])


def test_several_outputs_and_a_series_alone():
    X, y = panel(has_input=True)
    both = pd.concat([y, X], axis=1)
    many = PerSeries(arx()).fit(None, heads(both))
    assert many.forecast(3).shape == (9, 2)
    assert many.predict_ahead(None, both, [1, 2]).shape == (360, 2, 2)
    alone = PerSeries(arx()).fit(None, y["small"].to_numpy())
    np.testing.assert_array_equal(
        alone.forecast(3), arx().fit(None, y["small"].to_numpy()).forecast(3)
    )


def test_weights_and_segments_go_along():
    X, y = panel()
    weight, segments = np.ones(len(y)), np.repeat(np.arange(6), 60)
    weight[130:140] = 0.0
    many = PerSeries(arx()).fit(None, y, weight, segments)
    alone = arx().fit(None, y["large"], weight[120:240], segments[120:240])
    np.testing.assert_array_equal(many.forecast(2)["large"], alone.forecast(2))


def test_update_moves_the_series_that_are_given():
    y = panel()[1]
    many = PerSeries(arx()).fit(None, heads(y))
    before = many.forecast(1)
    assert many.update(None, tails(y).loc[["odd"]]) is many
    after = many.forecast(1)
    assert after.index.tolist() == [*before.index[:2], ("odd", NEXT[0])]
    assert (after[["small", "large"]] == before[["small", "large"]]).all()


def test_a_refused_update_moves_no_series():
    y = panel()[1]
    many = PerSeries(arx()).fit(None, heads(y))
    late, early = tails(y).loc[["small"]], heads(y).loc[["odd"]]
    before = many.forecast(1)
    with pytest.raises(ValueError, match=r"series 'odd': the new rows begin at 2024-01-01 00:00"):
        many.update(None, pd.concat([late, early]))
    pd.testing.assert_series_equal(many.forecast(1), before)


def with_bad_series(y):
    """Return a panel with a series that is too short and one that holds an infinite value."""
    short = y["small"].iloc[:3]
    broken = y["small"].copy()
    broken.iloc[5] = np.inf
    return pd.concat(
        {"short": short, **{k: y[k] for k in SIZES}, "broken": broken}, names=y.index.names
    )


def fit_with_bad_series(**options):
    y = with_bad_series(panel()[1])
    with pytest.warns(UserWarning, match="2 of 5 series could not be fitted and forecast NaN"):
        return PerSeries(arx(), **options).fit(None, y), y


def test_a_series_that_cannot_be_fitted_costs_only_itself():
    many, y = fit_with_bad_series()
    assert list(many.models_) == list(SIZES)
    assert many.failed_["short"].startswith("y has 3 rows, but lags up to 3 need at least 5")
    assert many.failed_["broken"].startswith("y is infinite (inf) in row 5 (2024-01-01 05:00:00)")
    found = many.forecast(2)
    expected = PerSeries(arx()).fit(None, panel()[1]).forecast(2)
    np.testing.assert_array_equal(found.iloc[:6], expected)
    assert found.iloc[6:].isna().all()
    assert set(found.index[6:]) == {
        ("short", HOURS[3]), ("short", HOURS[4]),
        ("broken", NEXT[0]), ("broken", NEXT[1]),
    }  # fmt: skip


def test_the_verbs_answer_nan_for_it():
    many, y = fit_with_bad_series()
    y = y.replace(np.inf, 0.0)
    ahead = pd.Series(many.predict_ahead(None, y, 2), y.index)
    assert ahead[["short", "broken"]].isna().all() and ahead["odd"].notna().sum() == 116
    table = backtest(many, None, y, steps=2)
    gaps = table["y_hat"].isna().groupby(table["series"], observed=True).mean()
    assert gaps.to_dict() == {"broken": 1.0, "large": 0.0, "odd": 0.0, "short": 1.0, "small": 0.0}
    rows = pd.DataFrame(
        index=pd.MultiIndex.from_product([["short", "odd"], HOURS[-1:] + HOURS.freq])
    )
    with pytest.raises(ValueError, match="series 'odd'"):
        many.predict(rows.set_axis(rows.index.set_levels(HOURS[:1], level=1)))
    assert np.isnan(many.predict(rows)).tolist() == [True, False]
    more = pd.Series(0.0, pd.MultiIndex.from_product([["short"], HOURS[3:9]]))
    assert ("short", HOURS[9]) in many.update(None, more).forecast(1).index


def test_where_no_series_can_be_fitted_nothing_has_changed():
    many = PerSeries(arx()).fit(None, panel()[1])
    before = many.forecast(1)
    with pytest.raises(
        ValueError, match="none of 3 series can be fitted; 'small', the first: y has 3 rows"
    ):
        many.fit(None, heads(panel()[1], 3))
    pd.testing.assert_series_equal(many.forecast(1), before)


@pytest.mark.parametrize(
    "backend, n_jobs", [("loky", 2), ("threading", 2), ("threading", 3), ("sequential", 1)]
)
def test_the_weights_do_not_depend_on_the_workers(backend, n_jobs):
    network = NARX(output_lags=2, hidden_layer_sizes=(3,), max_iter=20, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = PerSeries(network).fit(None, panel()[1]).forecast(3)
        with joblib.parallel_config(backend, n_jobs=n_jobs):
            found = PerSeries(network).fit(None, panel()[1]).forecast(3)
    pd.testing.assert_series_equal(found, expected)


@pytest.mark.parametrize("callback", [None, lambda iteration: False])
def test_fits_come_back_from_processes_in_one_piece(callback):
    """Or, where a function of a script is among them, as joblib sends it."""
    model = NARX(output_lags=1, max_iter=2, alpha=0.1, callback=callback, random_state=0)
    fits = per_series._Fits({"a": model.fit(None, walk(0))}, {"b": "why"}, ["note"])
    rebuild, parts = fits.__reduce__()
    assert isinstance(parts[0], bytes) == (callback is None)
    models, failed, notes = rebuild(*parts)
    np.testing.assert_array_equal(models["a"].forecast(3), model.forecast(3))
    assert failed == {"b": "why"} and notes == ["note"]


def test_models_of_equal_structure_share_it():
    """So that it is sent between processes once."""
    models = PerSeries(arx()).fit(None, panel()[1]).models_
    assert len({id(model.structure_) for model in models.values()}) == 1
    assert len({id(model._history.reach) for model in models.values()}) == 1


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_series_are_fitted_on_a_cluster_of_dask():
    distributed = pytest.importorskip("dask.distributed")
    expected = PerSeries(arx()).fit(None, panel()[1]).forecast(3)
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": False}
    with distributed.LocalCluster(**options, dashboard_address=None) as cluster:
        with distributed.Client(cluster), joblib.parallel_config("dask"):
            found = PerSeries(arx()).fit(None, panel()[1]).forecast(3)
    pd.testing.assert_series_equal(found, expected)


@pytest.mark.parametrize("backend", ["sequential", "threading", "loky"])
def test_warnings_of_fits_are_told_once(backend):
    network = NARX(output_lags=2, hidden_layer_sizes=(2,), alpha=1e9, max_iter=3, random_state=0)
    with pytest.warns(UserWarning) as caught, joblib.parallel_config(backend, n_jobs=2):
        PerSeries(network).fit(None, panel()[1])
    (warning,) = caught
    assert "the fits of 3 series gave 3 warnings, the first: with alpha=" in str(warning.message)
    assert warning.filename == __file__


def test_progress_is_told_as_series_are_fitted(monkeypatch):
    told = []
    PerSeries(arx(), progress=lambda *call: told.append(call)).fit(None, panel()[1])
    assert told == [("fitting the series", done, 3) for done in range(4)]
    monkeypatch.setattr(per_series, "CHUNKS", 2)
    told.clear()
    PerSeries(arx(), progress=lambda *call: told.append(call)).fit(None, panel()[1])
    assert [done for _, done, _ in told] == [0, 1, 2, 3]


def short_and_long(has_input=False):
    """Return a panel whose first series has five rows, and inputs of the next two of each."""
    X, y = panel(has_input)
    keep = (y.index.get_level_values(0) != "small") | (y.groupby(level=0).cumcount() >= 115)
    index = pd.MultiIndex.from_product([SIZES, NEXT], names=y.index.names)
    return X if X is None else X[keep], y[keep], pd.DataFrame({"u": np.arange(6.0)}, index)


@pytest.mark.parametrize("has_input", [False, True])
def test_a_series_that_is_too_short_for_intervals_is_forecast_without(has_input):
    X, y, future = short_and_long(has_input)
    many = PerSeries(SeasonalNaive(period=2)).fit(X, y)
    ahead = {"X": future} if has_input else {}
    with pytest.warns(UserWarning, match="intervals are NaN of 1 of 3 series: 'small': level=80 "):
        fans = many.forecast(2, **ahead, level=80)
    assert fans.columns.tolist() == ["y", "y-lo-80", "y-hi-80"]
    assert fans.isna().any(axis=1).tolist() == [True, True, False, False, False, False]
    np.testing.assert_array_equal(fans["y"], many.forecast(2, **ahead))
    own = many.models_["odd"].forecast(2, X=future.loc["odd"] if has_input else None, level=80)
    np.testing.assert_array_equal(fans.loc["odd"], own)
    with pytest.raises(ValueError, match="level must be above 1 and below 100"):
        many.forecast(2, **ahead, level=0.8)
    with pytest.warns(UserWarning, match="intervals are NaN of 3 of 3 series"):
        fans = many.forecast(2, **ahead, level=99.9)
    assert fans.columns.tolist() == ["y", "y-lo-99.9", "y-hi-99.9"] and fans["y"].notna().all()
    alone = PerSeries(arx()).fit(None, walk(0, 20))
    with pytest.raises(ValueError, match="^level=99 needs 199 errors"):
        alone.forecast(1, level=99)


def test_progress_of_intervals_is_told():
    told = []
    many = PerSeries(arx(), progress=lambda *event: told.append(event)).fit(None, panel()[1])
    told.clear()
    many.forecast(1)
    assert not told
    many.forecast(1, level=80)
    assert told == [("forecasting the series", i, 3) for i in range(4)]


@pytest.mark.filterwarnings("ignore:the series .'small'. have no segment of 9 rows")
@pytest.mark.parametrize("has_input", [False, True])
def test_one_model_for_all_forecasts_nan_of_a_series_that_is_too_short(has_input):
    X, y, future = short_and_long(has_input)
    model = NARX(output_lags=8, alpha=0.1, max_iter=3, random_state=0)
    many = ScaledPerSeries(model).fit(X, y)
    ahead = {"X": future} if has_input else {}
    sentence = "NaN of 1 of 3 series, which have fewer than the 8 rows that lags up to 8 need; 'sma"
    with pytest.warns(UserWarning, match=sentence):
        y_hat = many.forecast(2, **ahead)
    assert y_hat.index.equals(pd.MultiIndex.from_product([["large", "odd", "small"], NEXT]))
    assert y_hat.isna().tolist() == [False] * 4 + [True] * 2
    with pytest.warns(UserWarning, match=sentence):
        predicted = many.predict(future if has_input else future[[]])
    np.testing.assert_array_equal(predicted, y_hat.loc[list(SIZES)])
    more = pd.Series([1.0, 2.0, 3.0], pd.date_range(NEXT[0], periods=3, freq="h"))
    more = pd.concat({"small": more}, names=y.index.names)
    many.update(pd.DataFrame({"u": 0.0}, more.index) if has_input else None, more)
    if not has_input:
        assert many.forecast(1).notna().all()


@pytest.mark.parametrize("has_input", [False, True])
def test_each_series_is_simulated_by_itself(has_input):
    X, y = panel(has_input)
    many = PerSeries(arx()).fit(X, y)
    starts = {"y_init": y.groupby(level=0, sort=False).head(4)}, {"y_init": "estimate", "y": y}
    for start, n in zip(starts, (34, 120)):
        steps = {} if has_input or n == 120 else {"steps": 30}
        run = many.simulate(X, **start, **steps)
        alone = []
        for key in SIZES:
            own = {k: v if isinstance(v, str) else v[key] for k, v in start.items()}
            alone.append(many.models_[key].simulate(X if X is None else X.loc[key], **own, **steps))
        np.testing.assert_array_equal(run, np.concatenate(alone))


@pytest.mark.filterwarnings("ignore:1 of 3 series could not be fitted")
def test_a_simulation_is_in_the_order_of_its_rows_and_nan_without_a_model():
    X, y = panel(has_input=True)
    many = PerSeries(arx()).fit(X, y.where(y.index.get_level_values(0) != "odd"))
    assert list(many.failed_) == ["odd"]
    starts = y.groupby(level=0, sort=False).head(4)
    expected = pd.Series(many.simulate(X, starts), X.index)
    assert expected["odd"].isna().all() and expected["large"].iloc[4:].notna().all()
    mixed = X.swaplevel().sort_index(kind="stable").swaplevel()
    found = pd.Series(many.simulate(mixed, starts), mixed.index)
    pd.testing.assert_series_equal(found.loc[list(SIZES)].reindex(X.index), expected)
    alone = PerSeries(arx()).fit(None, y.where(y.index.get_level_values(0) != "odd"))
    runs = alone.simulate(y_init=starts, steps=5)
    assert np.isnan(runs).reshape(3, 9)[:, 4:].all(axis=1).tolist() == [False, False, True]


def test_one_model_for_all_simulates_in_the_units_of_each_series():
    y = panel()[1]
    many = ScaledPerSeries(arx()).fit(None, y)
    starts = y.groupby(level=0, sort=False).head(4)
    run = many.simulate(y_init=starts, steps=116)
    assert np.isnan(run.reshape(3, 120)[:, :4]).all()
    for key, (mean, std) in many.scales_.items():
        z = (starts[key] - mean[0]) / std[0]
        alone = many.forecaster_.simulate(y_init=z, steps=116) * std[0] + mean[0]
        np.testing.assert_allclose(run.reshape(3, 120)[list(SIZES).index(key)], alone, rtol=1e-12)
    fitted = many.simulate(y_init="estimate", y=y)
    assert np.isfinite(fitted.reshape(3, 120)[:, 5:]).all()


@pytest.mark.parametrize("make", [PerSeries, ScaledPerSeries])
def test_what_simulations_of_many_series_refuse(make):
    X, y = panel(has_input=True)
    many = make(arx()).fit(X, y)
    starts = y.groupby(level=0, sort=False).head(4)
    for arguments, sentence in {
        "no rows": ((X, 5.0), "y_init must hold the measured outputs of the first rows of X"),
        "a series less": ((X, starts[["small"]]), "y_init lacks the series 'large' of X"),
        "no names": ((X, np.ones(4)), "y_init lacks the series 'small' of X"),
        "unknown": ((X.rename({"odd": "new"}, level=0), starts), "the series 'new'"),
        "another word": ((X, "guess"), "or 'estimate'. Got 'guess' instead."),
        "no X": ((None, starts), "simulate needs X"),
    }.values():
        with pytest.raises(ValueError, match=re.escape(sentence)):
            many.simulate(*arguments)


def test_scores_and_scorers_see_all_series():
    X, y = panel()
    many = PerSeries(arx()).fit(None, heads(y))
    assert many.score(None, tails(y)) > 0.9  # the levels differ
    for scorer in (ahead_scorer(4, "mae"), simulation_scorer("mae")):
        found = scorer(many, None, tails(y))
        alone = [scorer(many.models_[key], None, tails(y)[key]) for key in SIZES]
        assert found == pytest.approx(np.mean(alone), rel=1e-12)


def test_what_per_series_refuses():
    y = panel()[1]
    many = PerSeries(arx()).fit(None, heads(y))
    unknown = pd.concat({"new": tails(y)["odd"]})
    for call in (many.update, many.predict_ahead, lambda X, y: backtest(many, X, y, 2)):
        with pytest.raises(ValueError, match="the series 'new' has no model, for fit has seen 3"):
            call(None, unknown)
    with pytest.raises(
        ValueError, match="'forecaster' parameter of PerSeries must be a forecaster"
    ):
        PerSeries("arx").fit(None, y)
    with pytest.raises(ValueError, match="'progress' parameter of PerSeries must be a function"):
        PerSeries(arx(), progress=3).fit(None, y)
    with pytest.raises(ValueError, match="The 'output_lags'|output_lags"):
        PerSeries(ARX(output_lags=-1)).fit(None, y)
    with pytest.raises(ValueError, match="steps must be an int >= 1 where X is not given. Got 0."):
        many.forecast(0)
    with pytest.raises(ValueError, match="y has 360 rows, and the table beside it 100"):
        PerSeries(arx()).fit(np.zeros((100, 1)), y)


def test_automatic_models_stand_inside():
    y = heads(panel()[1], 60)[["small", "large"]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        many = PerSeries(AutoNARX(horizon=4, networks=False, random_state=0)).fit(None, y)
    found = many.forecast(4)
    assert np.isfinite(found).all() and not many.failed_
    expected = clone(many.forecaster).fit(None, y["large"]).forecast(4)
    np.testing.assert_array_equal(found["large"], expected)


# --- one model for all series --------------------------------------------------------------------


def test_series_of_all_sizes_train_together_as_if_they_had_one():
    X, y = panel(has_input=True)
    learn = heads(y)
    series = learn.groupby(level=0, sort=False)
    z = (learn - series.transform("mean")) / series.transform(deviation)
    model = ScaledPerSeries(arx(), season=None).fit(heads(X), learn)
    expected = arx().fit(heads(X), z).forecast(X=tails(X))
    keys = expected.index.get_level_values(0)
    expected *= series.agg(deviation)[keys].to_numpy()
    expected += series.mean()[keys].to_numpy()
    np.testing.assert_allclose(model.forecast(X=tails(X)), expected, rtol=1e-9)
    np.testing.assert_allclose(model.predict(tails(X)), expected, rtol=1e-9)


def test_the_size_of_a_series_does_not_matter():
    y = panel()[1]
    sizes = {"small": 1e-3, "large": 1e4, "odd": 7.0}
    other = pd.concat([y[[key]] * size - size for key, size in sizes.items()])
    one, two = (ScaledPerSeries(arx()).fit(None, heads(v)) for v in (y, other))
    runs = [backtest(model, None, v, 3) for model, v in ((one, y), (two, other))]
    factor = runs[0]["series"].astype(str).map(sizes)
    np.testing.assert_allclose(runs[1]["y_hat"], runs[0]["y_hat"] * factor - factor, rtol=1e-6)
    first = runs[0].iloc[0]
    assert first["y"] == y[first["series"], first["origin"] + HOURS.freq]


def test_series_are_scaled_by_their_changes_over_a_season():
    y = panel()[1]
    wave = pd.Series(np.tile(100 * np.sin(2 * np.pi * np.arange(120) / 24), 3), y.index)
    model = ScaledPerSeries(arx()).fit(None, y + wave)
    assert model.season_ == 24
    for key in SIZES:
        changes = (y[key] + wave[key]).diff(24).dropna()
        size = (y[key] + wave[key]).std(ddof=0)
        assert model.scales_[key][1][0] == pytest.approx(max(changes.std(ddof=0), 0.1 * size))
    alone = wave["small"].to_numpy()
    assert ScaledPerSeries(arx()).fit(None, alone).season_ == 1  # no clock
    exact = ScaledPerSeries(arx(), season=24).fit(None, alone)
    assert exact.scales_[None][1][0] == pytest.approx(0.1 * alone.std())
    short = ScaledPerSeries(arx(), season=70).fit(None, alone)
    assert short.scales_[None][1][0] == pytest.approx(alone.std())
    weight = np.r_[np.ones(60), np.zeros(60)]
    half = ScaledPerSeries(arx(), season=1).fit(None, alone + walk(0), weight)
    expected = np.diff((alone + walk(0))[:60]).std()
    assert half.scales_[None][1][0] == pytest.approx(expected)


def test_a_large_panel_is_learned_from_in_part():
    y = panel()[1]
    weights = []

    class Recorded(ARX):
        def fit(self, X, y=None, sample_weight=None, segments=None):
            weights.append(sample_weight)
            return super().fit(X, y, sample_weight, segments)

    given = np.where(np.arange(360) < 60, 0.0, 2.0)
    for weight in (None, given):
        ScaledPerSeries(Recorded(output_lags=3), max_rows=60).fit(None, y, weight)
    ScaledPerSeries(Recorded(output_lags=3), max_rows=None).fit(None, y)
    assert weights[2] is None
    for weight, n in ((weights[0], 360), (weights[1] / 2.0, 300)):
        rows = np.flatnonzero(weight)
        assert set(weight) == {0.0, 1.0} and abs(len(rows) - 60) <= 1
        assert np.diff(rows).max() <= 8 and rows[0] > 359 - n  # where 6, or 5, would be even
        assert len(set(rows % 24)) > 20  # all hours of the day
    whole, part = (ScaledPerSeries(arx(), max_rows=n).fit(None, y) for n in (None, 300))
    assert part.scales_["odd"][0] == whole.scales_["odd"][0]
    off = (part.forecast(1) - whole.forecast(1)).to_numpy()
    assert (np.abs(off) < 0.1 * y.groupby(level=0, sort=False).std().to_numpy()).all()


def test_a_large_panel_takes_a_few_times_its_memory():
    """Rows that stand series after series are read in place, and not copied by each reader."""
    rows = pd.date_range("2024-01-01", periods=500, freq="h")
    y = pd.concat({i: pd.Series(walk(i, 500), rows) for i in range(200)})
    model = ScaledPerSeries(NARX(output_lags=2, alpha=1e-2, max_iter=3), max_rows=5000)
    model.fit(None, y.loc[:9])  # what is imported and kept once
    tracemalloc.start()
    model.fit(None, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * y.to_numpy().nbytes  # 26 with a copy for each reader


def test_a_new_series_begins_with_an_update():
    y = panel()[1]
    model = ScaledPerSeries(arx()).fit(None, heads(y)[["small", "odd"]])
    new = heads(y)[["large"]]
    with pytest.raises(ValueError, match="the scale of the series 'large' is not known, for fit"):
        model.predict_ahead(None, new)
    found = model.update(None, new).forecast(1)["large"]
    assert abs(found.iloc[0] - 5000) < 5000


def test_it_holds_several_outputs_transforms_and_constant_series():
    X, y = panel(has_input=True)
    both = pd.concat([y, X], axis=1)
    both.loc["odd", "u"] = 3.0
    model = ScaledPerSeries(TransformedForecaster(arx(), difference=[1])).fit(None, both)
    found = model.forecast(3)
    assert list(found) == ["y", "u"] and np.isfinite(found).all().all()
    assert model.scales_["odd"][1][1] == 0.0 and (found.loc["odd", "u"] == 3.0).all()
    assert model.predict_ahead(None, both, [1, 5]).shape == (360, 2, 2)


def test_a_constant_series_of_a_panel_stays():
    """Whatever the others do; its intervals hold nothing else."""
    index = pd.date_range("2016-01-01", periods=96, freq="MS")
    rising = np.arange(96.0) + np.random.default_rng(0).normal(size=96)
    y = pd.concat({"a": pd.Series(rising, index), "c": pd.Series(5.0, index)})
    found = ScaledPerSeries(ARX(output_lags=12)).fit(None, y).forecast(3, level=80)
    assert np.allclose(found.loc["c"], 5.0)
    assert (found.loc["a"].iloc[:, 0] > 90).all()


def test_a_series_of_one_row_costs_only_itself():
    """Its next time stamp is not known, so that it has no rows in the forecast."""
    index = pd.date_range("2016-01-01", periods=96, freq="MS")
    y = pd.concat({"one": pd.Series([1.0], index[:1]), "a": pd.Series(np.arange(96.0), index)})
    with pytest.warns(UserWarning, match="one"):
        model = PerSeries(ARX(output_lags=12)).fit(None, y)
    with pytest.warns(UserWarning, match="1 series without a model have no rows in the forecast"):
        found = model.forecast(2)
    assert found.index.get_level_values(0).unique().tolist() == ["a"] and found.notna().all()


def test_what_scaled_per_series_refuses_loses_nothing():
    y = panel()[1]
    model = ScaledPerSeries(arx()).fit(None, heads(y))
    before, scales = model.forecast(1), model.scales_
    with pytest.raises(ValueError, match="the new rows begin at 2024-01-01 00:00:00"):
        model.update(None, pd.concat([tails(y)[["small"]], heads(y)[["odd"]]]))
    with pytest.raises(ValueError, match="lags up to 3 need at least 5"):
        model.fit(None, heads(y, 3))
    pd.testing.assert_series_equal(model.forecast(1), before)
    assert model.scales_ is scales
    with pytest.raises(ValueError, match="'forecaster' parameter of ScaledPerSeries must be a"):
        ScaledPerSeries(None).fit(None, y)
    with pytest.raises(ValueError, match="'season' parameter of ScaledPerSeries must be an int"):
        ScaledPerSeries(arx(), season=0).fit(None, y)
    with pytest.raises(ValueError, match="'max_rows' parameter of ScaledPerSeries must be an int"):
        ScaledPerSeries(arx(), max_rows=0).fit(None, y)
    with pytest.raises(ValueError, match="sample_weight.shape|sample_weight"):
        model.fit(None, y, np.ones(7))


# --- saved models --------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [PerSeries, ScaledPerSeries])
def test_a_saved_model_forecasts_the_same_bits(make, tmp_path):
    y = with_bad_series(panel()[1]).replace(np.inf, np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = make(arx()).fit(None, y)
    model.save(tmp_path / "m.narx")
    again = narxkit.load(tmp_path / "m.narx")
    steps, after = (rows_of(list(SIZES), NEXT[i : i + 1]) for i in range(2))
    pd.testing.assert_series_equal(again.forecast(X=steps), model.forecast(X=steps))
    for one in (again, model):
        one.update(None, pd.Series(1.0, steps.index))
    pd.testing.assert_series_equal(again.forecast(X=after), model.forecast(X=after))
    about = summary(model)
    assert about["model"] == make.__name__ and set(about["series"]) == {"short", *SIZES, "broken"}
    assert about["last"] == HOURS[-1] and about["outputs"] == ["y"]


def test_a_function_inside_is_refused_with_a_way_out(tmp_path):
    y = panel()[1]
    many = PerSeries(arx(), progress=print).fit(None, y)
    with pytest.raises(ValueError, match=r"set_params\(progress=None\)"):
        many.save(tmp_path / "m.narx")
    network = NARX(hidden_layer_sizes=(), callback=print_nothing, max_iter=2)
    for make in (PerSeries, ScaledPerSeries):
        model = make(clone(network)).fit(None, y)
        with pytest.raises(ValueError, match=r"set_params\(forecaster__callback=None\) and fit ag"):
            model.save(tmp_path / "m.narx")
        model.set_params(forecaster__callback=None)
        with pytest.raises(ValueError, match=r"set_params\(forecaster__callback=None\) and fit ag"):
            model.save(tmp_path / "m.narx")


def print_nothing(*_):
    """Stand for a function of a user."""


# --- backtests that refit ------------------------------------------------------------------------


def refitted_by_hand(model, X, y, origins, steps, every, window=None):
    """Return forecasts of a model that is fitted anew before origins, positions of one series."""
    found = []
    for i, origin in enumerate(origins):
        if i % every == 0:
            rows = slice(max(0, origin + 1 - (window or len(y))), origin + 1)
            fitted = clone(model).fit(None if X is None else X.iloc[rows], y.iloc[rows])
        part = None if X is None else X.iloc[: origin + steps + 1]
        found.append(fitted.predict_ahead(part, y.iloc[: origin + steps + 1], range(1, steps + 1)))
    return [run[-steps + h, h] for run in found for h in range(steps)]


@pytest.mark.parametrize("window", [None, 40])
@pytest.mark.parametrize("every", [1, 7])
@pytest.mark.parametrize("has_input", [False, True])
def test_a_model_is_fitted_again_as_origins_move_on(every, window, has_input):
    X, y = (None if v is None else v.loc["small"] for v in panel(has_input))
    options = {"window": window} if window else {}
    table = backtest(arx(), X, y, 3, refit=every, **options)
    origins = range(60, 117)
    assert list(table["origin"].unique()) == list(HOURS[60:117])
    expected = refitted_by_hand(arx(), X, y, origins, 3, every, window)
    np.testing.assert_allclose(table["y_hat"], expected, rtol=1e-9)
    named = backtest(arx(), X, y, 3, origins=HOURS[60:117], refit=every, **options)
    pd.testing.assert_frame_equal(named, table)


def test_a_refit_begins_at_the_first_origin():
    y = panel()[1]["odd"]
    table = backtest(arx(), None, y, 2, origins=[110, 80, 95], refit=20)
    by_hand = arx().fit(None, y[:81]), arx().fit(None, y[:101])
    for origin, model in ((110, by_hand[1]), (80, by_hand[0]), (95, by_hand[0])):
        expected = backtest(model, None, y, 2, origins=[origin])
        here = table[table["origin"] == HOURS[origin]].reset_index(drop=True)
        pd.testing.assert_frame_equal(here, expected)
    assert list(table["origin"][::2]) == list(HOURS[[110, 80, 95]])  # in the order given


def test_the_given_model_stays_as_it_is():
    y = panel()[1]["odd"]
    model = arx().fit(None, y[:50])
    backtest(model, None, y, 2, refit=20)
    assert model._trained_on.n_rows == 50


@pytest.mark.parametrize("make", [PerSeries, ScaledPerSeries])
def test_a_panel_is_fitted_again_at_the_same_moments(make):
    y = panel()[1]
    y = y.drop([("odd", hour) for hour in HOURS[:10]])  # one begins later
    table = backtest(make(arx()), None, y, 3, refit=30)
    for n in (61, 91):
        known = y[y.index.get_level_values(1) < HOURS[n]]
        model = make(arx()).fit(None, known)
        labels = [(key, hour) for key in SIZES for hour in HOURS[n - 1 : n + 5]]
        expected = backtest(model, None, y, 3, origins=pd.MultiIndex.from_tuples(labels))
        here = table[table["origin"].isin(HOURS[n - 1 : n + 5])].reset_index(drop=True)
        pd.testing.assert_frame_equal(here, expected)
    assert table.groupby("series", observed=True)["origin"].nunique().tolist() == [57] * 3


def test_pipelines_and_transformed_targets_are_fitted_again():
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    X, y = (v.loc["large"] for v in panel(has_input=True))
    scaler = StandardScaler().set_output(transform="pandas")
    model = TransformedTargetRegressor(make_pipeline(scaler, arx()), transformer=StandardScaler())
    table = backtest(model, X, y.to_frame(), 2, refit=25)
    plain = backtest(arx(), X, y, 2, refit=25)
    np.testing.assert_allclose(table["y_hat"], plain["y_hat"], rtol=1e-4)
    np.testing.assert_allclose(table["y"], plain["y"], rtol=1e-12)


BAD_REFITS = {
    "no number": ({"refit": 0}, "refit must be None or an int >= 1. Got 0 instead."),
    "no window": (
        {"refit": 5, "window": "sliding"},
        "window must be 'expanding' or an int >= 1. Got 'sliding' instead.",
    ),
    "a window alone": (
        {"window": 30},
        "window=30 says what a refit learns from, but refit is None: give refit, every how many "
        "rows to fit again.",
    ),
    "too few rows": ({"refit": 5, "window": 4}, "y has 4 rows, but lags up to 3 need at least 5"),
    "too many steps": (
        {"refit": 5, "steps": 100},
        "the first fit takes the first half of the rows, and none of the others has 100 rows",
    ),
}


@pytest.mark.parametrize("kind", BAD_REFITS)
def test_what_is_wrong_with_a_refit(kind):
    options, sentence = BAD_REFITS[kind]
    with pytest.raises(ValueError) as error:
        backtest(arx().fit(None, walk(0)), None, walk(0), **{"steps": 2, **options})
    assert sentence in str(error.value)


def test_lags_that_grow_with_a_refit_are_refused_where_they_have_no_history():
    class Growing(ARX):
        def fit(self, X, y=None, sample_weight=None, segments=None):
            self.output_lags = 3 if len(y) < 70 else 60
            return super().fit(X, y, sample_weight, segments)

    y, segments = np.r_[walk(0), walk(1)], np.repeat([0, 1], [100, 140])
    sentence = "has lags up to 60, and 2 origins, the first row 110, lack that history or 2 rows"
    with pytest.raises(ValueError, match=sentence):
        backtest(Growing(), None, y, 2, origins=[12, 110, 115], segments=segments, refit=60)


# --- files and the command -----------------------------------------------------------------------


def run(*arguments):
    return main(["forecast", *map(str, arguments)])


@pytest.fixture
def shops(tmp_path):
    """A long table of two weekly shops and one of two days."""
    days = pd.date_range("2024-01-01", periods=70)
    week = [1.0, 2, 3, 4, 5, 0, 0] * 10
    parts = {"north": pd.Series(week, days), "south": 10 * pd.Series(week, days)}
    parts["new"] = pd.Series([1.0, 2.0], days[-2:])
    frame = pd.concat(parts, names=["shop", "day"]).rename("sold").reset_index()
    frame["note"] = "fair"
    path = tmp_path / "shops.csv"
    frame.sample(frac=1.0, random_state=0).to_csv(path, index=False)
    return path


def test_a_file_of_many_series_is_forecast_in_one_run(shops, tmp_path, capsys):
    out = tmp_path / "next.csv"
    assert run(shops, "--id", "shop", "--model", "arx", "--horizon", 7, "--out", out) == 0
    said = capsys.readouterr()
    notes = " ".join(said.out.split())
    assert "shops.csv: 3 series (" in notes and "2 to 70 rows each, daily, from 2024-01-01" in notes
    assert "'note' holds text and is left out." in notes
    assert "Forecasts of 3 series, an ARX each" in notes
    assert "1 of 3 series could not be fitted and forecast NaN: 'new': y has 2 rows" in said.err
    found = pd.read_csv(out, parse_dates=["day"])
    assert list(found) == ["shop", "day", "sold"] and len(found) == 21
    expected = {"north": [1, 2, 3, 4, 5, 0, 0], "south": [10, 20, 30, 40, 50, 0, 0]}
    for shop, week in expected.items():
        rows = found[found["shop"] == shop]
        np.testing.assert_allclose(rows["sold"], week, atol=0.5)
        assert list(rows["day"]) == list(pd.date_range("2024-03-11", periods=7))
    assert found[found["shop"] == "new"]["sold"].isna().all()


def test_the_command_writes_intervals_of_many_series(shops, tmp_path):
    out, asked = tmp_path / "next.csv", ["--model", "arx", "--horizon", 3, "--level", 80]
    assert run(shops, "--id", "shop", *asked, "--out", out) == 0
    found = pd.read_csv(out, index_col="shop")
    assert list(found) == ["day", "sold", "sold-lo-80", "sold-hi-80"]
    for shop in ("north", "south"):
        rows = found.loc[shop]
        assert rows["sold"].between(rows["sold-lo-80"], rows["sold-hi-80"]).all()


def test_parquet_and_one_model_for_all(shops, tmp_path, capsys):
    pytest.importorskip("pyarrow")
    path, out = tmp_path / "shops.parquet", tmp_path / "next.csv"
    frame = pd.read_csv(shops, parse_dates=["day"])
    frame[frame["shop"] != "new"].to_parquet(path)
    options = ("--id", "shop", "--model", "arx", "--global", "--horizon", 5, "--out", out)
    assert run(path, *options) == 0
    assert "Forecasts of 2 series, one ARX for all" in capsys.readouterr().out
    found = pd.read_csv(out).groupby("shop")["sold"]
    np.testing.assert_allclose(found.get_group("north"), [1, 2, 3, 4, 5], atol=0.5)
    np.testing.assert_allclose(found.get_group("south"), [10, 20, 30, 40, 50], atol=5)


def test_monthly_series_of_a_competition_in_one_run(tmp_path, capsys):
    """Automatic models of series that end at other times, as in the M3 competition."""
    parts = {}
    for i in range(4):
        months = pd.date_range(f"{1980 + i}-0{1 + i}-01", periods=66 + 10 * i, freq="MS")
        wave = 1000 * (i + 1) + 100 * np.sin(2 * np.pi * np.arange(len(months)) / 12)
        parts[f"N{1402 + i}"] = pd.Series(wave + 5 * walk(i, len(months)), months.strftime("%Y-%m"))
    path, out = tmp_path / "m3.csv", tmp_path / "next.csv"
    pd.concat(parts, names=["unique_id", "ds"]).rename("y").to_csv(path)
    assert run(path, "--id", "unique_id", "--horizon", 18, "--out", out) == 0
    assert "Forecasts of 4 series, an AutoNARX each" in capsys.readouterr().out
    found = pd.read_csv(out, parse_dates=["ds"])
    for i, (key, rows) in enumerate(found.groupby("unique_id")):
        last = pd.Timestamp(parts[key].index[-1])
        expected = pd.date_range(last, periods=19, freq="MS")[1:]
        assert list(rows["ds"]) == list(expected)
        turn = 2 * np.pi * np.arange(len(parts[key]), len(parts[key]) + 18) / 12
        assert np.abs(rows["y"] - 1000 * (i + 1) - 100 * np.sin(turn)).max() < 60


@pytest.mark.skipif(not CASE.exists(), reason="shared cases are not here")
def test_two_series_are_not_averaged(tmp_path, capsys):
    out = tmp_path / "next.csv"
    assert run(CASE, "--id", "unique_id", "--model", "arx", "--horizon", 24, "--out", out) == 0
    capsys.readouterr()
    long = pd.read_csv(CASE, parse_dates=["ds"])
    for key, found in pd.read_csv(out, parse_dates=["ds"]).groupby("unique_id"):
        alone = long[long["unique_id"] == key].set_index("ds")["y"]
        expected = ARX(output_lags=24).fit(None, alone).forecast(24)
        np.testing.assert_allclose(found["y"], expected, rtol=1e-12)
        assert list(found["ds"]) == list(expected.index)


def test_known_inputs_go_on_after_the_target(tmp_path, capsys):
    price = np.tile([1.0, 3.0, 2.0, 5.0, 4.0], 16)
    rows = {"shop": np.repeat(["a", "b"], 80), "day": np.tile(np.arange(80), 2)}
    frame = pd.DataFrame({**rows, "price": np.tile(price, 2)})
    frame["sold"] = np.where(frame["shop"] == "a", 20 - frame["price"], 5 * frame["price"])
    frame.loc[frame["day"] >= 76, "sold"] = np.nan
    path, out = tmp_path / "shops.csv", tmp_path / "next.csv"
    frame.to_csv(path, index=False)
    options = ("--id", "shop", "--target", "sold", "--known-future", "price", "--model", "arx")
    assert run(path, *options, "--lags", 2, "--horizon", 4, "--out", out) == 0
    found = pd.read_csv(out).groupby("shop")["sold"]
    np.testing.assert_allclose(found.get_group("a"), 20 - price[76:], atol=0.1)
    np.testing.assert_allclose(found.get_group("b"), 5 * price[76:], atol=0.1)
    capsys.readouterr()
    assert run(path, *options, "--horizon", 6) == 2
    said = capsys.readouterr().err
    assert "2 series of shops.csv have fewer than 6 rows after their last value of the" in said


def test_gaps_are_filled_and_series_without_values_are_named(shops, capsys):
    frame = pd.read_csv(shops).sort_values(["shop", "day"])
    frame = frame[~((frame["shop"] == "south") & (frame["day"] == "2024-02-01"))]
    frame.loc[frame["shop"] == "new", "sold"] = np.nan
    frame.to_csv(shops, index=False)
    assert run(shops, "--id", "shop", "--model", "arx", "--horizon", 2) == 0
    said = capsys.readouterr()
    assert "1 missing row of 1 series: filled in as missing values." in said.out
    assert "1 series holds no value to learn from, the first 'new'." in said.out
    assert "the fits of 2 series gave 1 warning, the first: 8 of 63 rows were left" in said.err


def test_rows_that_count_on_in_each_series_are_times(tmp_path):
    path = tmp_path / "m4.csv"
    path.write_text("unique_id,ds,y\n" + "".join(f"{k},{t},{t}\n" for k in "ab" for t in range(9)))
    panel = read_panel(path, "unique_id")
    assert panel.frame.index.names == ["unique_id", "ds"] and list(panel.frame) == ["y"]
    assert "9 rows each, column 'ds', which counts on in each series." in panel.notes[0]
    assert read_panel(path, "unique_id", time=False).frame.index.names == ["unique_id", "row"]


def doubled(frame):
    return pd.concat([frame, frame.tail(1)])


def of_two_clocks(frame):
    daily = frame[frame["shop"] == "north"]
    months = pd.date_range("2024", periods=len(daily), freq="MS")
    return pd.concat([daily, daily.assign(shop="monthly", day=months)])


BAD_FILES = {
    "no such column": (
        lambda frame: frame,
        ("--id", "store"),
        "shops.csv has no column 'store' that names the series: it has 'shop', 'day', 'sold', "
        "'note'. A table with a column for each series needs none.",
    ),
    "names missing": (
        lambda frame: frame.assign(shop=frame["shop"].where(frame.index != 3)),
        ("--id", "shop"),
        "1 row of shops.csv has no name of a series in 'shop', the first in line 5: name it, or",
    ),
    "a time twice": (doubled, ("--id", "shop"), "(1 of 143 rows are such): keep one row of each."),
    "two frequencies": (
        of_two_clocks,
        ("--id", "shop"),
        "the series 'north' is daily, and 'monthly' is monthly, but series of one panel share a "
        "frequency: give those of each frequency by themselves, in a file of their own.",
    ),
    "inputs": (
        lambda frame: frame,
        ("--id", "shop", "--inputs", "sold"),
        "--inputs is for one series at a time; with --id name those that are known ahead by "
        "--known-future.",
    ),
    "holidays": (
        lambda frame: frame,
        ("--id", "shop", "--holidays", "DE"),
        "--holidays is for one series at a time; with --id give a column that is 1 on them by",
    ),
    "one AutoNARX for all": (
        lambda frame: frame,
        ("--id", "shop", "--model", "auto", "--global"),
        "AutoNARX chooses for each series by itself: leave out --global, or name another model.",
    ),
    "a picture": (
        lambda frame: frame,
        ("--id", "shop", "--plot", "x.png"),
        "--plot is for one series at a time; with --id draw what --out has written.",
    ),
    "one model without series": (
        lambda frame: frame,
        ("--global",),
        "--global is for many series in one table: name the column that tells them apart by --id",
    ),
    "a TDNN without inputs": (
        lambda frame: frame,
        ("--id", "shop", "--model", "tdnn"),
        "a TDNN forecasts from inputs alone: name some by --known-future",
    ),
    "without an id": (
        lambda frame: frame,
        (),
        "named by --id 'shop', all are forecast at once.",
    ),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_what_the_command_refuses(kind, shops, capsys):
    change, options, sentence = BAD_FILES[kind]
    frame = pd.read_csv(shops).sort_values(["shop", "day"], ignore_index=True)
    change(frame).to_csv(shops, index=False)
    assert run(shops, *options) == 2
    assert sentence in capsys.readouterr().err


def test_a_builtin_series_has_no_id(capsys):
    assert run("solar", "--id", "site") == 2
    assert "--id is for files of your own: solar is a built-in series" in capsys.readouterr().err


def test_progress_of_many_series_is_told(shops):
    told = []
    panel = read_panel(shops, "shop").frame.loc[["north", "south"]]
    options = {"model": "arx", "steps": 2, "progress": lambda *call: told.append(call)}
    forecast_many(panel, **options)
    assert told == [("fitting the series", done, 2) for done in range(3)]
    told.clear()
    forecast_many(panel, one_for_all=True, **options)
    assert told == [("fitting 140 rows", 0, 1)]
