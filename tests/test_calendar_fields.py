"""``calendar``: fields of the clock as inputs, known ahead, and every sentence about them."""

import datetime as dt
import pickle
import sys
import types

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer, StandardScaler

from narxkit import ARX, NARX, TDNN, ElmanRegressor, GRURegressor, LSTMRegressor, backtest
from narxkit.datasets import load_wind
from narxkit.diagnostics import memory_profile
from narxkit.rows import public_holidays
from narxkit.rows.calendar_fields import Calendar, Flag, Harmonics, Splines, turns

RNG = np.random.default_rng(0)
CALENDAR = ["hour", {"day_of_week": 2}, "weekend"]
NETWORKS = {
    "ARX": ARX(input_lags=1),
    "NARX": NARX(input_lags=1, hidden_layer_sizes=(3,), alpha=1e-3, max_iter=5, random_state=0),
    "TDNN": TDNN(input_lags=1, hidden_layer_sizes=(3,), alpha=1e-3, max_iter=5, random_state=0),
    "Elman": ElmanRegressor(1, hidden_layer_sizes=(3,), window=4, alpha=0.1, max_iter=5),
    "GRU": GRURegressor(1, hidden_layer_sizes=(3,), window=4, alpha=0.1, max_iter=5),
    "LSTM": LSTMRegressor(1, hidden_layer_sizes=(3,), window=4, alpha=0.1, max_iter=5),
}
RECURRENT = "Elman", "GRU", "LSTM"


def exact(**parameters):
    """Return an unpenalised linear model."""
    return ARX(output_lags=1, alphas=[0.0], **parameters)


def hourly(n=24 * 21, start="2024-01-05", **options):
    """Return a frame of one input, and an output with a day and a weekend, by the hour."""
    index = pd.date_range(start, periods=n, freq="h", **options)
    X = pd.DataFrame({"a": RNG.normal(size=n)}, index)
    day = np.sin(2 * np.pi * index.hour / 24) + (index.day_of_week >= 5)
    return X, pd.Series(day + 0.3 * X["a"] + 0.1 * RNG.normal(size=n), index, name="y")


def by_hand(index):
    """Return the columns that `CALENDAR` makes."""
    hour, day = 2 * np.pi * index.hour / 24, 2 * np.pi * index.day_of_week / 7
    columns = {}
    for name, angle, n in (("hour", hour, 6), ("day_of_week", day, 2)):
        for k in range(1, n + 1):
            number = "" if k == 1 else k
            columns[f"{name}_sin{number}"] = np.sin(k * angle)
            columns[f"{name}_cos{number}"] = np.cos(k * angle)
    return pd.DataFrame({**columns, "weekend": 1.0 * (index.day_of_week >= 5)}, index)


def message(call, *args, **kwargs):
    with pytest.raises(ValueError) as error:
        call(*args, **kwargs)
    return str(error.value)


def names_of(calendar, index):
    """Return the columns that a calendar makes of these rows."""
    y = pd.Series(RNG.normal(size=len(index)), index)
    columns = exact(calendar=calendar).fit(None, y).input_gradient(None, y).columns
    return columns[:-1]


# --- the same as columns made by hand ------------------------------------------------------------


@pytest.mark.parametrize("name", NETWORKS)
def test_columns_made_by_hand_forecast_the_same(name):
    X, y = hourly()
    columns = by_hand(X.index)
    joined = pd.concat([X, columns], axis=1)
    lags = {"a": 1, **dict.fromkeys(columns, [0])}
    options = {"random_state": 0} if name in RECURRENT else {}
    model = clone(NETWORKS[name]).set_params(calendar=CALENDAR, **options).fit(X[:-24], y[:-24])
    other = clone(NETWORKS[name]).set_params(input_lags=lags, **options)
    other.fit(joined[:-24], y[:-24])
    for verb, rows in (("predict", [slice(-24, None)]), ("simulate", [slice(None), slice(4)])):
        ours = getattr(model, verb)(*(table[part] for table, part in zip((X, y), rows)))
        theirs = getattr(other, verb)(*(table[part] for table, part in zip((joined, y), rows)))
        assert_allclose(ours, theirs, rtol=0, atol=1e-12)
    ahead = model.predict_ahead(X, y, steps=[1, 5])
    assert_allclose(ahead, other.predict_ahead(joined, y, steps=[1, 5]), rtol=0, atol=1e-12)
    columns_read = model.input_gradient(X, y).columns
    assert columns_read == [*joined.columns, "y"]
    assert model.n_features_in_ == 1
    assert list(model.feature_names_in_) == ["a"]


def test_the_sines_of_the_wind_data_are_those_of_the_clock():
    data = load_wind()[:500]
    known = ["hour_sin", "hour_cos", "day_sin", "day_cos"]
    codes = Harmonics("hour", 1, False), Harmonics("day_of_year", 1, False)
    assert_array_equal(Calendar(codes).columns(data.index), data[known])


@pytest.mark.parametrize("name", ["ARX", "NARX"])
def test_a_calendar_of_nothing_is_none(name):
    X, y = hourly(100)
    a, b = (clone(NETWORKS[name]).set_params(calendar=c).fit(X, y) for c in (None, []))
    assert_array_equal(a.theta_, b.theta_)


def test_lags_of_columns_are_those_of_X_alone():
    X, y = hourly()
    model = exact(input_lags={"a": [3]}, calendar={"hour": 1}).fit(X, y)
    assert model.structure_.taps.input_lags == ((3,), (0,), (0,))
    bounded = exact(input_lags=[0, -1], calendar={"hour": 1}).fit(X, y)
    assert bounded.structure_.taps.input_lags == ((0, -1), (0,), (0,))
    assert bounded.lead_ == 1


def test_profiles_name_the_fields():
    X, y = hourly(200)
    profile = memory_profile(exact(calendar={"hour": 1}).fit(X, y), X, y)
    assert {"hour_sin", "hour_cos", "a"} <= set(profile.norms.columns)


# --- the clock alone ------------------------------------------------------------------------------


@pytest.mark.parametrize("coding", [["day_of_week"], {"day_of_week": "spline"}])
def test_the_forecast_knows_monday_from_sunday(coding):
    days = pd.date_range("2024-01-01", periods=70)
    y = pd.Series(np.array([5.0, 6, 9, 7, 4, 1, 0])[days.day_of_week], days, name="load")
    forecast = exact(calendar=coding).fit(None, y[:60]).forecast(10)
    assert_allclose(forecast, y[60:], atol=1e-6)
    assert forecast.index.equals(y.index[60:])
    # without outputs, from the calendar alone
    still = TDNN(calendar=coding, hidden_layer_sizes=(), alpha=0).fit(None, y[:60])
    assert_allclose(still.forecast(10), y[60:], atol=1e-6)


def test_arrays_go_on_with_the_clock():
    X, y = hourly()
    model = exact(input_lags=1, calendar=CALENDAR).fit(X[:-24], y[:-24])
    labelled = model.predict(X[-24:])
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        assert_array_equal(model.predict(X[-24:].to_numpy()), labelled)
    assert_array_equal(model.forecast(X=X[-24:]), labelled)
    moved = pickle.loads(pickle.dumps(model)).update(X[-24:-12], y[-24:-12])
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        also = clone(model).fit(X[:-24], y[:-24]).update(X[-24:-12].to_numpy(), y[-24:-12].values)
    assert_array_equal(moved.predict(X[-12:]), also.predict(X[-12:]))


def test_updates_move_the_calendar_on():
    _, y = hourly()
    model = exact(calendar=CALENDAR).fit(None, y[:-30]).update(None, y[-30:-24])
    refitted = model.predict_ahead(None, y, steps=24)[-1]
    assert_allclose(model.forecast(24).iloc[-1], refitted, atol=1e-12)


def test_hours_move_within_the_hour():
    index = pd.date_range("2024-01-01", periods=96 * 4, freq="15min")
    assert_allclose(turns("hour", index[:3]) * 24, [0, 0.25, 0.5])
    y = pd.Series(np.cos(2 * np.pi * np.arange(96 * 4) / 96), index)
    forecast = exact(calendar={"hour": 1}).fit(None, y[:-96]).forecast(96)
    assert_allclose(forecast, y[-96:], atol=1e-6)


@pytest.mark.parametrize("change", ["2024-03-31", "2024-10-27"])
def test_hours_are_those_of_the_time_zone(change):
    index = pd.date_range(end=f"{change} 23:00", periods=24 * 20, freq="h", tz="Europe/Berlin")
    y = pd.Series((index.hour == 7) * 1.0, index, name="y")
    calendar = {"hour": 12}
    model = exact(calendar=calendar).fit(None, y[:-24])
    assert_allclose(model.forecast(24), y[-24:], atol=1e-6)
    # rows in UTC are read in the zone of the fit
    utc = y.tz_convert("UTC")
    assert_allclose(model.predict_ahead(None, utc), model.predict_ahead(None, y), atol=1e-12)
    astray = exact(calendar=calendar).fit(None, utc[:-24]).forecast(24)
    assert np.abs(astray.to_numpy() - y[-24:].to_numpy()).max() > 0.5


def test_fields_are_those_of_pandas():
    for index in (
        pd.date_range("1995-12-20", periods=5000, freq="D"),
        pd.date_range("2019-01-01 00:10", periods=9000, freq="97min"),
        pd.date_range("2019-01-01", periods=500, freq="977ms"),
    ):
        hour = index.hour + index.minute / 60 + (index.second + index.microsecond / 1e6) / 3600
        expected = {
            "minute": hour % 1,
            "hour": hour / 24,
            "day_of_week": index.day_of_week / 7,
            "week": index.isocalendar()["week"].to_numpy(float) * 7 / 365.25,
            "day_of_year": index.day_of_year / 365.25,
            "month": index.month / 12,
        }
        for field, values in expected.items():
            assert_allclose(turns(field, index), values, rtol=0, atol=1e-12, err_msg=field)


# --- coding ---------------------------------------------------------------------------------------


CLOCKS = {
    "months": (pd.date_range("2015-01", periods=72, freq="MS"), ["month"], 11),
    "month periods": (pd.period_range("2015-01", periods=72, freq="M"), ["month"], 11),
    "ends of months": (pd.date_range("2015-01", periods=72, freq="ME"), ["month"], 11),
    "quarters": (pd.date_range("2000-01", periods=48, freq="QS"), ["month"], 3),
    "weeks of months": (pd.date_range("2010-01", periods=96, freq="MS"), ["week"], 11),
    "weeks": (pd.date_range("2015-01-04", periods=160, freq="W"), ["week"], 6),
    "days": (pd.date_range("2024-01-01", periods=60), ["day_of_week"], 6),
    "working days": (pd.bdate_range("2024-01-01", periods=60), ["day_of_week"], 4),
    "three months": (pd.date_range("2024-01-01", "2024-03-31"), ["month"], 2),
    "twelve hours": (pd.date_range("2024-01-01", periods=60, freq="12h"), ["hour"], 1),
    "six hours": (pd.date_range("2024-01-01 03:00", periods=60, freq="6h"), ["hour"], 3),
    "hours": (pd.date_range("2024-01-01", periods=200, freq="h"), ["hour"], 12),
    "all harmonics": (pd.date_range("2024-01-01", periods=200, freq="h"), {"hour": 99}, 23),
    "minutes": (pd.date_range("2024-01-01", periods=300, freq="5min"), ["minute", "hour"], 23),
    "splines": (pd.date_range("2024-01-01", periods=200, freq="h"), {"hour": "spline"}, 11),
    "splines of days": (pd.date_range("2024", periods=60), {"day_of_week": "spline"}, 6),
    "splines of quarters": (pd.date_range("2000", periods=48, freq="QS"), {"month": "spline"}, 3),
    "splines of noons": (pd.date_range("2024", periods=60, freq="12h"), {"hour": "spline"}, 1),
}


@pytest.mark.parametrize("clock", CLOCKS)
def test_columns_are_as_many_as_rows_tell_apart(clock):
    index, calendar, n_columns = CLOCKS[clock]
    y = pd.Series(RNG.normal(size=len(index)), index)
    model = TDNN(calendar=calendar, hidden_layer_sizes=(), alpha=0).fit(None, y)
    names = model.input_gradient(None, y).columns[:-1]
    assert len(set(names)) == n_columns
    u = model._origins(None, y).segments.u
    standardised = (u - u.mean(axis=0)) / u.std(axis=0)
    assert np.linalg.cond(standardised) < 1e4


def test_harmonics_come_in_order():
    index = pd.date_range("2000", periods=48, freq="QS")
    assert names_of(["month"], index) == ["month_sin", "month_cos", "month_cos2"]
    noons = pd.date_range("2024", periods=60, freq="12h")
    assert names_of(["hour"], noons) == ["hour_cos"]
    hours = pd.date_range("2024", periods=400, freq="h")
    expected = ["hour_sin", "hour_cos", "hour_sin2", "hour_cos2", "weekend"]
    assert names_of([{"hour": 2}, "weekend"], hours) == expected


def test_a_level_for_each_month():
    """Twelve rows of a cycle have twelve means."""
    months = pd.date_range("2015-01", periods=84, freq="MS")
    y = pd.Series(RNG.normal(size=12)[months.month - 1], months)
    assert_allclose(exact(calendar=["month"]).fit(None, y[:72]).forecast(12), y[72:], atol=1e-6)


def test_splines_are_periodic_cubic_ones():
    index = pd.date_range("2024-01-01", periods=200, freq="37min")
    ours = Splines("hour", 12, tuple(range(12))).columns(index)
    knots = np.linspace(0, 1, 13)[:, None]
    theirs = SplineTransformer(knots=knots, extrapolation="periodic").fit_transform(
        turns("hour", index)[:, None]
    )
    assert_allclose(ours.sum(axis=1), 1)
    # the first of theirs lies one knot earlier
    assert_allclose(np.roll(ours, 1, axis=1), theirs, atol=1e-12)


def test_splines_that_sessions_never_reach_are_left_out():
    index = pd.date_range("2024-01-01", periods=24 * 40, freq="h")
    index = index[(index.hour >= 9) & (index.hour <= 16) & (index.day_of_week < 5)]
    names = names_of({"hour": "spline"}, index)
    assert 2 < len(names) < 7


def test_irregular_clocks_show_any_hour():
    stamps = pd.Timestamp("2024-01-01") + pd.to_timedelta(
        np.cumsum(RNG.integers(300, 9000, size=200)), unit="min"
    )
    assert len(names_of(["hour"], stamps)) == 12


# --- panels, gaps, several outputs, searches ------------------------------------------------------


def test_a_panel_of_two_clocks():
    hours = pd.date_range("2024-01-01", periods=200, freq="h")
    days = pd.date_range("2024-01-01", periods=60)
    index = pd.MultiIndex.from_arrays(
        [np.repeat(["a", "b"], [200, 60]), hours.append(days)], names=["series", "time"]
    )
    y = pd.Series(RNG.normal(size=260), index, name="y")
    model = exact(calendar={"hour": 2, "day_of_week": 1}).fit(None, y)
    columns = by_hand(index.get_level_values(1)).set_axis(index)
    taken = ["hour_sin", "hour_cos", "hour_sin2", "hour_cos2", "day_of_week_sin", "day_of_week_cos"]
    other = exact(input_lags=[0]).fit(columns[taken], y)
    assert_allclose(model.theta_, other.theta_, atol=1e-10)
    forecast = model.forecast(3)
    future = by_hand(forecast.index.get_level_values(1)).set_axis(forecast.index)
    assert_allclose(forecast, other.predict(future[taken]), atol=1e-10)


@pytest.mark.filterwarnings("ignore:11 of 472 rows were left out")
def test_gaps_and_missing_values():
    _, y = hourly()
    y.iloc[100:110] = np.nan
    cut = y.drop(y.index[200:230])
    model = exact(calendar=CALENDAR).fit(None, cut)
    other = exact(input_lags=[0]).fit(by_hand(cut.index), cut)
    assert_allclose(
        model.forecast(24), other.predict(by_hand(model.forecast(24).index)), atol=1e-12
    )
    assert_allclose(
        model.predict_ahead(None, cut, steps=12),
        other.predict_ahead(by_hand(cut.index), cut, steps=12),
        atol=1e-12,
    )


def test_several_outputs():
    X, y = hourly()
    both = pd.DataFrame({"y": y, "z": y.shift(1).bfill()})
    model = NARX(hidden_layer_sizes=(), calendar=CALENDAR, alpha=0).fit(None, both[:-24])
    assert model.forecast(24).shape == (24, 2)
    assert (model.forecast(24)["y"] - both["y"][-24:]).std() < 0.5


def test_searches_backtests_and_pipelines():
    X, y = hourly()
    grid = {"calendar": [None, ["hour"], ["hour", "weekend"]]}
    search = GridSearchCV(exact(), grid, cv=TimeSeriesSplit(3, test_size=24)).fit(X, y)
    assert search.best_params_["calendar"] == ["hour", "weekend"]
    pipeline = make_pipeline(StandardScaler().set_output(transform="pandas"), exact())
    pipeline.set_params(arx__calendar=CALENDAR)
    plain = exact(calendar=CALENDAR).fit(X[:-24], y[:-24])
    assert_allclose(pipeline.fit(X[:-24], y[:-24]).predict(X[-24:]), plain.predict(X[-24:]))
    judged = [backtest(m, X, y, steps=24, origins=[99, 450]).y_hat for m in (plain, pipeline)]
    assert_allclose(*judged)


def test_simulations_read_the_clock():
    _, y = hourly(200)
    model = exact(calendar=CALENDAR).fit(None, y)
    free = model.simulate(y_init=y[:5], steps=50)
    other = exact(input_lags=[0]).fit(by_hand(y.index), y)
    assert_allclose(free, other.simulate(by_hand(y.index[:55]), y[:5]), atol=1e-12)
    assert_array_equal(model.simulate(pd.DataFrame(index=y.index[:55]), y[:5]), free)


def test_cells_that_read_both_ways():
    X, y = hourly(200)
    model = GRURegressor(
        0, [], (2,), bidirectional=True, calendar={"hour": 1}, alpha=0.1, max_iter=3, random_state=0
    ).fit(X, y)
    assert np.isfinite(model.simulate(X)).all()


def test_constant_fields_are_named_as_those_of_the_calendar():
    _, y = hourly(48, start="2024-01-09")
    with pytest.warns(UserWarning, match=r"^calendar has constant columns .*'month_cos', 'weekend"):
        model = exact(calendar=["hour", "month", "weekend"]).fit(None, y)
    assert np.isfinite(model.forecast(24)).all()


# --- holidays -------------------------------------------------------------------------------------


@pytest.fixture
def fake(monkeypatch):
    """Put a package in the place of ``holidays`` that knows one country."""
    asked = []

    def country_holidays(country, subdiv=None, years=None):
        asked.append((country, subdiv, years))
        if subdiv not in (None, "N"):
            raise NotImplementedError
        return {dt.date(years, 1, 6): "", **({dt.date(years, 1, 9): ""} if subdiv else {})}

    module = types.ModuleType("holidays")
    module.country_holidays = country_holidays
    module.list_supported_countries = lambda: {"QQ": ["N", "S"], "QR": []}
    monkeypatch.setitem(sys.modules, "holidays", module)
    public_holidays._holidays_of.cache_clear()
    yield asked
    public_holidays._holidays_of.cache_clear()


def holidays_of(place, index):
    return Flag("holiday", public_holidays.read_place(place)).columns(index)[:, 0]


@pytest.mark.parametrize("place, expected", [("QQ", [6]), ("QQ-N", [6, 9]), (("qq", "N"), [6, 9])])
def test_holidays_of_country_and_region(fake, place, expected):
    days = pd.date_range("2024-01-01", periods=20, freq="D")
    assert days.day[holidays_of(place, days) > 0].tolist() == expected
    asked = len(fake)
    holidays_of(place, days)
    assert len(fake) == asked == 1  # once a year


def test_forecasts_know_holidays(fake):
    index = pd.date_range("2020-12-01", "2022-01-12", freq="D")
    y = pd.Series(1.0 * ((index.month == 1) & (index.day == 6)), index)
    model = exact(calendar={"holiday": "QQ"}).fit(None, y[:-12])
    assert_allclose(model.forecast(12), y[-12:], atol=1e-9)
    assert {years for *_, years in fake} == {2020, 2021, 2022}


def test_holidays_begin_at_midnight_of_the_zone(fake):
    index = pd.date_range("2024-01-05", periods=72, freq="h", tz="Asia/Tokyo")
    there = by_hand(index).index.day == 6
    y = pd.Series(1.0 * there, index)
    assert_allclose(exact(calendar={"holiday": "QQ"}).fit(None, y).coef_[-1, 0], 1, atol=1e-9)


def test_the_package_knows_the_holidays_of_bavaria():
    pytest.importorskip("holidays")
    days = pd.date_range("2024-12-20", "2025-01-10", freq="h")
    marked = days[holidays_of("DE-BY", days) > 0].normalize().unique()
    assert marked.strftime("%m-%d").tolist() == ["12-25", "12-26", "01-01", "01-06"]
    assert holidays_of("DE", days).sum() == 3 * 24


@pytest.mark.parametrize(
    "place, said",
    [
        (
            "XX",
            "calendar['holiday'] names the country 'XX', but it must be one of 2 codes of ISO "
            "3166, such as 'DE', 'FR', 'GB', 'IT', 'JP' or 'US': correct it.",
        ),
        (
            "QQ-X",
            "calendar['holiday'] names the region 'X', but those of 'QQ' are N, S: correct it or "
            "leave it out.",
        ),
        (
            "QR-X",
            "calendar['holiday'] names the region 'X', but 'QR' has none: correct it or leave it "
            "out.",
        ),
    ],
)
def test_unknown_places(fake, place, said):
    _, y = hourly(60)
    assert message(exact(calendar={"holiday": place}).fit, None, y) == said


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "holidays", None)
    public_holidays._holidays_of.cache_clear()
    _, y = hourly(60)
    with pytest.raises(ImportError) as error:
        exact(calendar={"holiday": "DE"}).fit(None, y)
    assert str(error.value) == (
        "holidays of a calendar need the package holidays, which is not installed: pip install "
        "'narxkit[holidays]', or give a column of X that is 1 on them."
    )


# --- refusals -------------------------------------------------------------------------------------


KINDS = "must be None, an int >= 1 (harmonics) or 'spline'."
PLACE = (
    "calendar['holiday'] must name a country, for holidays differ from one to another: give "
    "{'holiday': 'DE'}, or with a region {'holiday': ('DE', 'BY')}, in the place of 'holiday'. Got "
)
REFUSED = [
    *(
        (
            calendar,
            "calendar must be a sequence of names of fields, such as ['hour', 'day_of_week'], or a "
            f"dict from their names to their coding. Got {calendar!r} instead.",
        )
        for calendar in ("hour", 3, True)
    ),
    *(
        (
            [name],
            f"calendar names the field {name!r}, but the fields are 'minute', 'hour', "
            "'day_of_week', 'week', 'day_of_year', 'month', 'weekend', 'holiday': correct the "
            "name.",
        )
        for name in ("dayofweek", ["hour"], None, 0, np.array(["hour"]))
    ),
    (
        ["hour", {"weekend": None, "hour": 2}],
        "calendar names the field 'hour' twice: name each once.",
    ),
    *(
        ({"hour": coding}, f"calendar['hour'] {KINDS} Got {coding!r} instead.")
        for coding in (0, -1, 1.5, True, "onehot", ["spline"])
    ),
    ({"weekend": 2}, "calendar['weekend'] must be None. Got 2 instead."),
    (["holiday"], f"{PLACE}no country."),
    ({"holiday": 49}, f"{PLACE}49."),
    ({"holiday": ("DE", "BY", "M")}, f"{PLACE}('DE', 'BY', 'M')."),
]


@pytest.mark.parametrize("calendar, said", REFUSED)
def test_fields_that_are_refused(calendar, said):
    _, y = hourly(60)
    model = exact().fit(None, y)
    before = model.forecast(3)
    assert message(model.set_params(calendar=calendar).fit, None, y) == said
    assert_array_equal(model.forecast(3), before)


@pytest.mark.parametrize(
    "index, field, cycle, clock",
    [
        (pd.date_range("2020", periods=60, freq="MS"), "hour", "a day", "monthly"),
        (pd.date_range("2020", periods=60, freq="MS"), "day_of_week", "a week", "monthly"),
        (pd.period_range("2020", periods=60, freq="M"), "weekend", "a week", "monthly periods"),
        (pd.date_range("2020", periods=60, freq="YS"), "month", "a year", "yearly"),
        (pd.date_range("2020", periods=60, freq="D"), "hour", "a day", "daily"),
        (pd.date_range("2020", periods=60, freq="D", tz="Europe/Berlin"), "hour", "a day", "daily"),
        (pd.date_range("2020", periods=60, freq="W"), "day_of_week", "a week", "weekly"),
        (pd.date_range("2020", periods=60, freq="h"), "minute", "an hour", "hourly"),
        (pd.bdate_range("2020", periods=60), "hour", "a day", "trading days"),
    ],
)
def test_fields_within_a_step_are_refused(index, field, cycle, clock):
    y = pd.Series(RNG.normal(size=60), index)
    assert message(exact(calendar=[field]).fit, None, y) == (
        f"calendar names the field {field!r}, which changes within {cycle}, but the clock is "
        f"{clock}: leave the field out, or give rows of shorter steps."
    )


NO_TIMES = (
    "the calendar fields ['hour', 'weekend'] are read from the time stamps of the rows, and these "
    "rows {}: give X or y a DatetimeIndex or a PeriodIndex, or calendar=None."
)


def test_rows_without_time_stamps_are_refused():
    _, y = hourly(60)
    model = exact(calendar=["hour", "weekend"])
    assert message(model.fit, None, y.to_numpy()) == NO_TIMES.format("have none")
    assert message(model.fit, None, y.reset_index(drop=True)) == NO_TIMES.format("have none")
    elapsed = y.set_axis(y.index - y.index[0])
    said = NO_TIMES.format("are labelled by elapsed times")
    assert message(model.fit, None, elapsed) == said
    model.fit(None, y)
    assert message(model.predict_ahead, None, elapsed) == said
    assert message(model.predict_ahead, None, y.to_numpy()) == NO_TIMES.format("have none")
    assert message(model.simulate, y_init=y.to_numpy()[:2], steps=3) == NO_TIMES.format("have none")


@pytest.mark.parametrize("lags", [1, []])
def test_a_single_row_is_too_few_as_without_a_calendar(lags):
    _, y = hourly(1)
    panel = pd.concat({"a": y, "b": y})
    for rows in (y, panel):
        said = [message(ARX(0, lags, calendar=c).fit, None, rows) for c in (None, ["hour"])]
        assert said[0] == said[1]


@pytest.mark.parametrize("zone, other", [(None, "Asia/Tokyo"), ("Asia/Tokyo", None)])
def test_wall_clocks_of_who_knows_where_are_refused(zone, other):
    _, y = hourly(72)
    model = exact(calendar=["hour"]).fit(None, y.tz_localize(zone))
    seen, new = ("no time zone", "one") if zone is None else ("a time zone", "none")
    said = (
        "the calendar fields ['hour'] are read from the wall clock, but the rows of fit have "
        f"{seen} and these have {new}: give both a time zone with tz_localize()."
    )
    rows, later = y.tz_localize(other), y.shift(freq="72h").tz_localize(other)
    assert message(model.predict_ahead, None, rows) == said
    assert message(model.simulate, rows.to_frame()[[]], rows[:2]) == said
    assert message(model.update, None, later) == said


def test_columns_of_one_name_are_refused():
    X, y = hourly(60)
    X["hour_sin"] = np.sin(X.index.hour)
    assert message(exact(calendar=["hour"]).fit, X, y) == (
        "calendar makes the columns ['hour_sin'], but X has them too: leave them out of X or out "
        "of calendar, or rename those of X."
    )


def test_input_lags_do_not_name_fields():
    X, y = hourly(60)
    model = exact(input_lags={"a": 1, "hour_sin": [0]}, calendar=["hour"])
    assert message(model.fit, X, y) == (
        "input_lags names the columns ['hour_sin'], but X has the columns ['a']: correct the names."
    )


def test_a_tdnn_of_nothing_names_the_calendar():
    _, y = hourly(60)
    assert "give X with input_lags, or a calendar, or use NARX" in message(TDNN().fit, None, y)
