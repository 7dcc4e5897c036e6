"""Forecasters inside sktime: its checks, and the same numbers as outside.

Only the first test runs where sktime is missing.
"""

import doctest
import importlib
import re
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from narxkit import (
    ARX,
    NARX,
    TDNN,
    AutoNARX,
    GRURegressor,
    PerSeries,
    Persistence,
    SeasonalNaive,
    TransformedForecaster,
)

try:
    from sktime.forecasting.base import ForecastingHorizon
    from sktime.utils.estimator_checks import check_estimator

    from narxkit.sktime import SktimeForecaster
except ImportError:
    SktimeForecaster = None

needs_sktime = pytest.mark.skipif(SktimeForecaster is None, reason="sktime is not installed")
N = 120
LINEAR = ARX(input_lags=1, output_lags=2)
FORECASTERS = [
    LINEAR,
    NARX(hidden_layer_sizes=(2,), max_iter=5, random_state=0),
    TDNN(input_lags=1, hidden_layer_sizes=(2,), max_iter=5, random_state=0),
    GRURegressor(output_lags=1, window=4, hidden_layer_sizes=2, max_iter=2, random_state=0),
    TransformedForecaster(LINEAR, difference=[1]),
    AutoNARX(horizon=5, season=None, networks=False, random_state=0),
    Persistence(),
    SeasonalNaive(period=12),
]
INDICES = [
    pd.RangeIndex(7, 7 + N),
    pd.period_range("2015-01", periods=N, freq="M"),
    pd.date_range("2015-01-31", periods=N, freq="ME"),
    pd.date_range("2024-03-29", periods=N, freq="h", tz="Europe/Berlin"),
]


def make_data(index=INDICES[1]):
    """Return two inputs and an output that follows them at once and one row later."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(N, 2)), index, ["a", "b"])
    y = X["a"] + 0.5 * X["b"].shift(fill_value=0.0) + 0.3 * rng.normal(size=N).cumsum()
    return X, y.rename("y")


X, Y = make_data()
PAST, NEXT = slice(None, 100), slice(100, 105)


def fitted(forecaster=LINEAR):
    return SktimeForecaster(forecaster).fit(Y[PAST], X[PAST])


def test_says_what_is_missing(monkeypatch):
    """Everywhere: the import of the adapter, and of nothing else, needs sktime."""
    monkeypatch.setitem(sys.modules, "sktime", None)
    monkeypatch.delitem(sys.modules, "narxkit.sktime", raising=False)
    for name in [name for name in sys.modules if name.startswith("sktime.")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(ImportError) as error:
        importlib.import_module("narxkit.sktime")
    assert str(error.value) == (
        "narxkit.sktime needs the package sktime, which is not installed: pip install "
        "'narxkit[sktime]'."
    )


@needs_sktime
@pytest.mark.parametrize(
    "forecaster", [ARX(output_lags=1), SeasonalNaive(period=2)], ids=lambda f: type(f).__name__
)
def test_passes_all_checks_of_sktime(forecaster):
    results = check_estimator(SktimeForecaster(forecaster), verbose=False)
    assert {name: result for name, result in results.items() if result != "PASSED"} == {}
    assert len(results) > 300


@needs_sktime
def test_its_own_example_runs():
    module = importlib.import_module("narxkit.sktime")
    outcome = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert outcome.attempted > 0 and outcome.failed == 0


# --- the same numbers as outside ---------------------------------------------------------------


@needs_sktime
@pytest.mark.parametrize("forecaster", FORECASTERS, ids=lambda f: type(f).__name__)
def test_forecasts_and_interval_ends_are_those_of_the_bare_forecaster(forecaster):
    ours = fitted(forecaster)
    bare = clone(forecaster).fit(X[PAST], Y[PAST])
    expected = bare.forecast(5, X=X[NEXT], level=[80], quantiles=[0.3])
    steps, rows = [2, 5], [1, 4]
    pd.testing.assert_series_equal(
        ours.predict(steps, X), expected["y"].iloc[rows], check_freq=False
    )
    interval = ours.predict_interval(steps, X, coverage=[0.8])
    assert interval.columns.tolist() == [("y", 0.8, "lower"), ("y", 0.8, "upper")]
    np.testing.assert_array_equal(interval, expected[["y-lo-80", "y-hi-80"]].iloc[rows])
    quantiles = ours.predict_quantiles(steps, X, alpha=[0.3])
    np.testing.assert_array_equal(quantiles, expected[["y-q-0.3"]].iloc[rows])


@needs_sktime
def test_reads_inputs_at_the_rows_that_are_forecast():
    y = X["a"].rename("y")
    model = SktimeForecaster(ARX(input_lags=0, output_lags=[], alphas=[0.0])).fit(y[PAST], X)
    np.testing.assert_allclose(model.predict([2, 5], X), y.iloc[[101, 104]], atol=1e-12)


@needs_sktime
def test_reads_inputs_beyond_the_horizon_where_they_lead():
    y = X["a"].shift(-2).rename("y")
    leads = {"a": [-2], "b": []}
    model = SktimeForecaster(ARX(input_lags=leads, output_lags=[], alphas=[0.0])).fit(y[PAST], X)
    np.testing.assert_allclose(model.predict([3], X), X["a"].iloc[[104]], atol=1e-12)


@needs_sktime
@pytest.mark.parametrize("index", INDICES, ids=lambda index: str(index.dtype))
def test_horizons_are_counted_or_named(index):
    X, y = make_data(index)
    model = SktimeForecaster(LINEAR).fit(y[PAST], X[PAST])
    expected = model.forecaster_.forecast(X=X[NEXT])
    assert expected.index.equals(index[NEXT])
    for fh in ([1, 4], ForecastingHorizon(index[[100, 103]], is_relative=False)):
        forecast = model.predict(fh, X)
        assert forecast.index.equals(index[[100, 103]]) and forecast.name == "y"
        np.testing.assert_array_equal(forecast, expected.iloc[[0, 3]])


@needs_sktime
def test_horizons_may_be_spans_of_time():
    X, y = make_data(INDICES[-1])
    model = SktimeForecaster(LINEAR).fit(y[PAST], X[PAST])
    forecast = model.predict(pd.to_timedelta(["2h", "5h"]), X)
    pd.testing.assert_series_equal(forecast, model.predict([2, 5], X))


@needs_sktime
def test_horizons_behind_a_gap_of_the_clock():
    """Sktime finds no frequency there; the clock goes on as it does for the bare forecaster."""
    rows = np.delete(np.arange(N), [50, 51])
    X, y = make_data(pd.date_range("2024", periods=N))
    X, y = X.iloc[rows], y.iloc[rows]
    model = SktimeForecaster(LINEAR).fit(y[PAST], X[PAST])
    expected = model.forecaster_.forecast(X=X[NEXT])
    pd.testing.assert_series_equal(
        model.predict([1, 3], X), expected.iloc[[0, 2]], check_freq=False
    )


@needs_sktime
@pytest.mark.parametrize("y", [Y, pd.DataFrame({"p": Y, "q": Y**2})], ids=["one", "two"])
def test_in_sample_rows_are_predicted_one_step_ahead(y):
    model = SktimeForecaster(LINEAR).fit(y[PAST], X[PAST])
    ahead = model.forecaster_.predict_ahead(X[PAST], y[PAST])
    expected = np.concatenate([ahead, model.forecaster_.forecast(X=X[NEXT])])
    forecast = model.predict([-99, -3, 0, 2], X)
    assert type(forecast) is type(y) and forecast.index.equals(y.index[[0, 96, 99, 101]])
    np.testing.assert_array_equal(forecast, expected[[0, 96, 99, 101]])
    assert np.isnan(expected[0]).all() and np.isfinite(expected[96:]).all()


@needs_sktime
def test_several_outputs_keep_their_names():
    y = pd.DataFrame({"p": Y, "q": Y**2})
    model = SktimeForecaster(LINEAR).fit(y[PAST], X)
    expected = model.forecaster_.forecast(X=X[NEXT])
    pd.testing.assert_frame_equal(model.predict([1, 2, 3, 4, 5], X), expected)
    expected = model.forecaster_.forecast(X=X[NEXT], level=[50, 90])
    interval = model.predict_interval([1, 2, 3, 4, 5], X, coverage=[0.5, 0.9])
    for name, level, end in interval:
        column = f"{name}-{'lo' if end == 'lower' else 'hi'}-{100 * level:g}"
        np.testing.assert_array_equal(interval[name, level, end], expected[column])


# --- update ------------------------------------------------------------------------------------


@needs_sktime
def test_update_moves_the_state_or_fits_anew():
    moved = fitted().update(Y[NEXT], X[NEXT], update_params=False)
    bare = fitted().forecaster_.update(X[NEXT], Y[NEXT])
    later = bare.forecast(X=X[105:110])
    pd.testing.assert_series_equal(moved.predict([1, 2, 3, 4, 5], X), later)
    np.testing.assert_array_equal(moved.forecaster_.coefs_, bare.coefs_)
    anew = fitted().update(Y[NEXT], X[NEXT])
    whole = SktimeForecaster(LINEAR).fit(Y[:105], X)
    pd.testing.assert_series_equal(anew.predict([1, 2], X), whole.predict([1, 2], X))
    assert (anew.predict([1, 2], X) != later[:2]).all()


@needs_sktime
def test_update_passes_over_rows_that_come_again():
    """Growing windows of sktime's splitters begin with rows that were given before."""
    again = fitted().update(Y[:105], X[:105], update_params=False)
    once = fitted().update(Y[NEXT], X[NEXT], update_params=False)
    pd.testing.assert_series_equal(again.predict([1, 2], X), once.predict([1, 2], X))


@needs_sktime
def test_a_refused_update_loses_nothing():
    model = fitted()
    before = model.predict([1, 2], X)
    with pytest.raises(ValueError, match="fitted with the columns"):
        model.update(Y[NEXT])
    assert model.cutoff[0] == Y.index[99]
    pd.testing.assert_series_equal(model.predict([1, 2], X), before)


@needs_sktime
def test_inputs_are_passed_over_by_what_was_fitted_without():
    model = SktimeForecaster(ARX(output_lags=1)).fit(Y[PAST]).update(Y[NEXT], X[NEXT])
    assert np.isfinite(model.predict([1], X[PAST])).all()  # those of no row ahead


# --- parameters and tags -----------------------------------------------------------------------


@needs_sktime
def test_parameters_reach_inside():
    model = SktimeForecaster(TransformedForecaster(ARX(), difference=[1]))
    model.set_params(forecaster__forecaster__output_lags=3)
    assert model.get_params()["forecaster__forecaster__output_lags"] == 3
    assert model.fit(Y).forecaster_.max_lag_ == 4


@needs_sktime
def test_an_open_seed_is_told():
    tags = [
        SktimeForecaster(NARX(random_state=seed)).get_tag("property:randomness")
        for seed in (None, 0)
    ]
    assert tags == ["stochastic", "deterministic"]


# --- bad input ---------------------------------------------------------------------------------


def refused(sentence):
    return pytest.raises(ValueError, match=f"^{re.escape(sentence)}$")


@needs_sktime
@pytest.mark.parametrize("other", [3, ARX, PerSeries(ARX())], ids=["number", "class", "panel"])
def test_refuses_what_is_no_forecaster(other):
    with refused(
        "The 'forecaster' parameter of SktimeForecaster must be a narxkit forecaster of one "
        f"series, such as ARX() or NARX(). Got {other!r} instead."
    ):
        SktimeForecaster(other).fit(Y)


@needs_sktime
def test_refuses_inputs_that_are_missing():
    with refused(
        "5 steps need the columns ['a', 'b'] of X in the 5 rows after 2023-04: give them as "
        "predict(fh, X=...), or use lags of at least the number of steps for a column that is not "
        "known ahead."
    ):
        fitted().predict([2, 5])


@needs_sktime
@pytest.mark.parametrize(
    ("rows", "missing"),
    [([101, 104], "2023-05 and 2 more"), ([100, 101, 102, 103], "2023-09")],
    ids=["between", "behind"],
)
def test_refuses_inputs_that_do_not_cover_the_horizon(rows, missing):
    with refused(
        "a horizon of 5 steps needs the 5 rows of X from 2023-05 to 2023-09, those between the "
        f"steps of fh included, but X lacks {missing}: give them in predict(fh, X)."
    ):
        fitted().predict([2, 5], X.iloc[rows])


@needs_sktime
def test_refuses_rows_before_the_first():
    with refused("fh begins 2 rows before 2015-01, the first row that was given: leave those out."):
        fitted().predict([-101, 1], X)


@needs_sktime
def test_refuses_times_between_rows():
    y = pd.Series(np.arange(40.0), pd.date_range("2024", periods=40))
    model = SktimeForecaster(ARX(output_lags=1)).fit(y)
    with refused(
        "fh holds 2024-02-10 05:00:00, which is no row: the nearest is 2024-02-10 00:00:00."
    ):
        model.predict(pd.DatetimeIndex(["2024-02-10 05:00"]))


@needs_sktime
@pytest.mark.parametrize(
    "fh", [pd.DatetimeIndex(["2024-02-15"]), pd.PeriodIndex(["2024-02-15"], freq="D")]
)
def test_refuses_times_that_cannot_be_counted(fh):
    index = pd.date_range("2024", periods=40).delete(7)
    y = pd.Series(np.arange(39.0), index)
    with refused(
        f"fh holds {fh[0]!r}, and no steps can be counted to it from {index[-1]!r}, the last row "
        "of y: give numbers of steps, such as fh=[1, 2], or labels of the kind of y's, whose gaps "
        "y.asfreq(...) fills with NaN."
    ):
        SktimeForecaster(ARX(output_lags=1)).fit(y).predict(fh)


@needs_sktime
def test_refuses_numbers_that_do_not_count_on():
    y = pd.Series(np.arange(40.0), pd.RangeIndex(40))
    model = SktimeForecaster(ARX(output_lags=1))
    sentence = (
        "the index of y jumps from {} to {}, but a step of fh is 1: number the rows on, or give "
        "missing ones as NaN, y.reindex(range(0, {}))."
    )
    with refused(sentence.format(6, 8, 40)):
        model.fit(y.drop(7))
    model.fit(y[:30])
    with refused(sentence.format(29, 31, 40)):
        model.update(y[31:])


@needs_sktime
def test_refuses_to_forecast_from_an_earlier_row():
    model = fitted().update(Y[90:95], X[90:95], update_params=False)
    with refused(
        "the cutoff is 2022-11, but rows up to 2023-04 have been given, and forecasts continue "
        "after those: give update later rows, or fit to earlier ones."
    ):
        model.predict([1], X)
