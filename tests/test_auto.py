"""AutoNARX: what it tries, how it judges, combines and tells."""

import signal
import warnings
from copy import copy
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import TimeSeriesSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import narxkit
from narxkit import (
    AutoNARX,
    PerSeries,
    ScaledPerSeries,
    SeasonalNaive,
    TransformedForecaster,
    ahead_scorer,
    backtest,
)
from narxkit.auto import judging
from narxkit.auto.judging import Judge, blocked_folds, first_origin, is_long, rolling_folds
from narxkit.auto.pool import is_seasonal
from narxkit.auto.selection import Selection
from narxkit.auto.weights import (
    weighted_mean,
    weighted_median,
    weights_by_errors,
    weights_by_fit,
)
from narxkit.datasets import make_narendra
from narxkit.forecasters.inner import Inner
from narxkit.forecasters.network import NetworkForecaster
from narxkit.rows.segments import Segments


def monthly(n=96, seed=0, freq="MS"):
    """A trend and a season that grow, with noise."""
    t = np.arange(n)
    noise = 0.02 * np.random.default_rng(seed).normal(size=n)
    y = np.exp(5 + 0.01 * t + 0.2 * np.sin(np.pi * t / 6) + noise)
    return pd.Series(y, pd.date_range("2010-01-01", periods=n, freq=freq), name="sales")


def hourly(n=600, seed=0):
    """A load that temperature bends, with a day."""
    rng = np.random.default_rng(seed)
    index = pd.date_range("2024-01-01", periods=n, freq="h")
    temp = 10 + 8 * np.sin(2 * np.pi * np.arange(n) / 24 + 1) + 3 * rng.normal(size=n)
    day = np.sin(2 * np.pi * np.arange(n) / 24)
    y = 100 + 10 * day + 0.3 * (temp - 10) ** 2 + rng.normal(size=n)
    return pd.DataFrame({"temp": temp}, index), pd.Series(y, index, name="load")


def later_rows(X, y, n=5):
    """The first rows of X once more, at the times that follow."""
    return X[:n].set_index(y.index[-n:] + pd.Timedelta(hours=n))


def quick(**parameters):
    return AutoNARX(**({"horizon": 6, "networks": False, "random_state": 0} | parameters))


Y = monthly()
MODEL = quick().fit(None, Y[:84])


# ---------------------------------------------------------------- the whole
def test_it_beats_the_seasonal_naive_it_holds():
    y_hat = MODEL.forecast(12)
    naive = SeasonalNaive().fit(None, Y[:84]).forecast(12)
    assert (y_hat - Y[84:]).abs().mean() < 0.5 * (naive - Y[84:]).abs().mean()
    assert y_hat.index.equals(Y.index[84:])
    assert y_hat.name == "sales"


def test_the_table_tells_what_was_tried():
    table = MODEL.candidates_
    assert list(table) == ["candidate", "error", "weight", "network_lives", "seconds"]
    assert table["candidate"][0] == "seasonal naive"
    assert table["candidate"].is_unique
    assert table["weight"].sum() == pytest.approx(1.0)
    assert not table["network_lives"].any()
    # what errs least weighs most
    assert table["weight"].idxmax() == table["error"].idxmin()


def test_forecasts_are_the_weighted_means_of_the_members():
    members = [member.inner.continuing(MODEL._history.names, MODEL._history.tails)
               for member in MODEL._members]  # fmt: skip
    expected = sum(m.weight * one.forecast(6) for m, one in zip(MODEL._members, members))
    pd.testing.assert_series_equal(MODEL.forecast(6), expected, check_names=False)


def test_the_same_seed_gives_the_same_bits():
    X, y = hourly(400)
    fits = [AutoNARX(4, random_state=3).fit(X[:390], y[:390]) for _ in range(2)]
    first, second = (fit.forecast(X=X[390:]) for fit in fits)
    assert (first == second).all()
    pd.testing.assert_frame_equal(*(fit.candidates_.drop(columns="seconds") for fit in fits))


def test_later_rows_change_no_earlier_forecast():
    changed = Y.copy()
    changed.iloc[90:] *= 3
    ahead = [MODEL.predict_ahead(None, y, steps=6) for y in (Y, changed)]
    assert (ahead[0][:90] == ahead[1][:90])[84:90].all()


def test_units_of_y_do_not_matter():
    scaled = quick().fit(None, 1000 * Y[:84]).forecast(6)
    np.testing.assert_allclose(scaled, 1000 * MODEL.forecast(6), rtol=1e-6)


def test_predictions_go_on_beyond_the_horizon():
    assert np.isfinite(MODEL.forecast(40)).all()
    assert MODEL.forecast(40)[:6].equals(MODEL.forecast(6))


def test_forecasts_are_as_long_as_the_horizon():
    pd.testing.assert_series_equal(MODEL.forecast(), MODEL.forecast(6))
    around = TransformedForecaster(quick(), "log").fit(None, Y[:84])
    pd.testing.assert_series_equal(around.forecast(), around.forecast(6))
    each = PerSeries(quick()).fit(None, pd.concat({"a": Y[:84], "b": 2 * Y[:84]}))
    pd.testing.assert_series_equal(each.forecast(), each.forecast(6))
    system = quick(horizon="simulation").fit(*make_narendra(200, random_state=0))
    with pytest.raises(ValueError, match="forecast needs a number of steps, or X"):
        system.forecast()


def test_forecasts_stay_in_range():
    y = pd.Series(np.exp(0.3 * np.arange(40)), pd.date_range("2020", periods=40, freq="MS"))
    y_hat = quick(horizon=4).fit(None, y).forecast(60)
    assert (y_hat <= y.max() + np.ptp(y)).all()
    assert (y_hat >= 0).all()


# ---------------------------------------------------------------- verbs
def test_update_moves_on():
    model = clone(MODEL).fit(None, Y[:84])
    model.update(None, Y[84:90])
    table = backtest(MODEL, None, Y, 6, origins=[Y.index[89]])
    np.testing.assert_allclose(model.forecast(6), table["y_hat"], rtol=1e-10)
    assert model.forecast(1).index[0] == Y.index[90]


def test_backtests_and_scorers_take_it():
    table = backtest(MODEL, None, Y, steps=6)
    origin = table["origin"] == Y.index[83]
    np.testing.assert_allclose(table[origin]["y_hat"], MODEL.forecast(6), rtol=1e-10)
    assert ahead_scorer(6)(MODEL, None, Y[84:]) < 0


def test_it_goes_into_pipelines_and_cross_validation():
    X, y = hourly(300)
    model = make_pipeline(StandardScaler().set_output(transform="pandas"), quick(horizon=3))
    scores = cross_val_score(model, X, y, cv=TimeSeriesSplit(2, test_size=24))
    assert (scores > 0.2).all()


@pytest.mark.parametrize("transforms", [{}, {"transform": "log"}, {"difference": [24]}])
def test_it_goes_into_transformations(transforms, tmp_path):
    """Though it finds fields of the calendar in the rows, and lags in its training alone."""
    X, y = hourly(400)
    model = TransformedForecaster(quick(), **transforms).fit(X[:390], y[:390])
    y_hat = model.forecast(X=X[390:])
    assert model.max_lag_ > 24
    assert (y_hat / y[390:] - 1).abs().mean() < 0.15
    at = backtest(model, X, y, 6, origins=[y.index[389]])
    np.testing.assert_allclose(at["y_hat"], y_hat[:6], rtol=1e-9)
    model.save(tmp_path / "m.narx")
    assert narxkit.load(tmp_path / "m.narx").forecast(X=X[390:]).equals(y_hat)


def test_it_is_saved_and_loaded(tmp_path):
    X, y = hourly(400)
    model = AutoNARX(4, random_state=0).fit(X[:390], y[:390])
    model.save(tmp_path / "m.narx")
    loaded = narxkit.load(tmp_path / "m.narx")
    assert (loaded.forecast(X=X[390:]) == model.forecast(X=X[390:])).all()
    assert loaded.describe() == model.describe()


@pytest.mark.parametrize(
    "around",
    [
        lambda model: model,
        lambda model: TransformedForecaster(model, transform="log"),
        lambda model: PerSeries(model),
        lambda model: ScaledPerSeries(model),
    ],
    ids=["alone", "transformed", "per series", "scaled per series"],
)
def test_intervals_refit_what_was_chosen_and_search_no_more(around, monkeypatch):
    y = pd.concat({"a": monthly(200), "b": 3 * monthly(200, seed=1)})
    model = around(quick()).fit(None, y)
    monkeypatch.setattr(Selection, "run", lambda self: pytest.fail("searched again"))
    fan = model.forecast(6, level=80)
    name, low, high = fan.columns
    assert name == "sales" and (fan[low] < fan[name]).all() and (fan[name] < fan[high]).all()


def test_refits_fit_the_members_anew_under_their_weights(monkeypatch):
    model, fit, refits = clone(MODEL).fit(None, Y[:84]), Selection.fit, []
    before = model.forecast(6)

    def recorded(selection):
        refits.append(selection.chosen)
        return fit(selection)

    monkeypatch.setattr(Selection, "fit", recorded)
    model.forecast(6, level=80)
    assert len(refits) > 1
    for members in refits:
        assert [m.name for m in members] == [m.name for m in model._members]
        assert [m.weight for m in members] == [m.weight for m in model._members]
        assert not {m.inner for m in members} & {m.inner for m in model._members}
    assert model.forecast(6).equals(before)


def test_ctrl_c_in_a_refit_is_no_error_of_forecasts(undisturbed, monkeypatch):
    """The last refit, whose network would be cut short; the next call begins afresh."""
    model = copy(undisturbed[0])
    press = Press(monkeypatch)
    copy(model).forecast(X=X_BENT[300:], level=80)
    Press(monkeypatch, press.n)
    with pytest.raises(KeyboardInterrupt):
        model.forecast(X=X_BENT[300:], level=80)


def by_nature(estimator):
    """List checks that no forecaster can pass."""
    return {
        "check_methods_sample_order_invariance": "rows of a series have an order",
        "check_methods_subset_invariance": "a prediction depends on the rows before it",
        "check_sample_weight_equivalence_on_dense_data": "a row of weight 0 is still history",
    }


@parametrize_with_checks([AutoNARX(networks=False)], expected_failed_checks=by_nature)
def test_checks_of_sklearn(estimator, check):
    check(estimator)


# ---------------------------------------------------------------- series of all kinds
@pytest.mark.parametrize(
    ("n", "freq", "seasons"),
    [(60, "MS", [12]), (40, "QS", [4]), (200, "W", [52]), (100, "D", [7]), (200, "B", [5]),
     (100, "h", [24]), (600, "h", [24, 168]), (300, "30min", [48]), (30, "h", []),
     (20, "YS", [])],
)  # fmt: skip
def test_seasons_come_from_the_clock(n, freq, seasons):
    y = pd.Series(
        np.random.default_rng(0).normal(size=n), pd.date_range("2020", periods=n, freq=freq)
    )
    assert quick(horizon=1).fit(None, y).seasons_ == seasons


def test_a_season_without_a_clock_is_found():
    y = np.tile([0.0, 3, 1, 7, 2, 9, 4], 30) + 0.1 * np.random.default_rng(0).normal(size=210)
    model = quick(horizon=7).fit(None, y[:203])
    assert model.seasons_ == [7]
    np.testing.assert_allclose(model.forecast(7), y[203:], atol=0.5)


def test_a_season_may_be_given():
    assert quick(season=(4, 12)).fit(None, Y).seasons_ == [4, 12]
    assert quick(season=None).fit(None, Y).seasons_ == []


def test_missing_values_are_bridged():
    y = Y.copy()
    y.iloc[[20, 21, 60, 83]] = np.nan
    y_hat = quick().fit(None, y[:84]).forecast(12)
    assert (y_hat / Y[84:] - 1).abs().max() < 0.2


def test_gaps_that_leave_no_rows_are_told():
    """A month that is missing every year is among the lags of all others."""
    y = monthly(120)
    with pytest.warns(UserWarning, match="candidates cannot be fitted, because missing values"):
        quick(horizon=12).fit(None, y.where(y.index.month != 7))


def test_panels_and_several_outputs():
    one, two = monthly(), 3 * monthly(seed=1)
    panel = pd.concat({"a": one[:84], "b": two[:84]})
    y_hat = quick().fit(None, panel).forecast(6)
    assert (y_hat["b"] / two[84:90] - 1).abs().max() < 0.2
    both = pd.DataFrame({"a": one, "b": two})
    y_hat = quick().fit(None, both[:84]).forecast(6)
    assert (y_hat / both[84:90] - 1).abs().to_numpy().max() < 0.2


def test_inputs_are_read_where_they_help():
    X, y = hourly()
    model = AutoNARX(24, random_state=0).fit(X[:576], y[:576])
    error = (model.forecast(X=X[576:]) - y[576:]).abs().mean()
    assert error < 3  # the noise has a deviation of 1, the bend of the temperature one of 14
    assert "A network lives in it" in model.describe() or "A network lives in" in model.describe()
    best = model.best_network_
    assert np.isfinite(best.forecast(X=X[576:])).all()


def led(n=300, seed=0, n_columns=1):
    """A series that follows a column of the row before, beside columns that say nothing."""
    rng = np.random.default_rng(seed)
    index = pd.date_range("2024-01-01", periods=n, freq="D")
    X = pd.DataFrame(rng.normal(size=(n, n_columns)), index).add_prefix("v")
    y = 50 + 3 * X["v0"].shift(1, fill_value=0.0) + 0.3 * rng.normal(size=n)
    return X, y.rename("y")


@pytest.mark.parametrize("n_columns", [1, 6])
def test_past_inputs_are_forecast_beside_the_outputs(n_columns, tmp_path):
    X, y = led(n_columns=n_columns)
    model = quick(horizon=1, past_inputs=list(X)).fit(X[:280], y[:280])
    first = backtest(model, X, y, 1, origins=y.index[279:299])
    assert (first["y_hat"] - first["y"]).std() < 0.2 * y.std()
    names = model.candidates_["candidate"][model.candidates_["weight"] > 0]
    # of many those that help alone
    assert names.str.contains("of v0.* beside them").any()
    assert n_columns == 1 or not names.str.contains("of v5 beside them").any()
    # with rows of the inputs to come, with none, or with other ones: they are not known
    y_hat = model.forecast(5)
    pd.testing.assert_series_equal(y_hat, model.forecast(X=X[280:285]), rtol=1e-12)
    model.save(tmp_path / "m.narx")
    assert narxkit.load(tmp_path / "m.narx").forecast(5).equals(y_hat)
    fan = model.forecast(1, level=80)
    assert (fan["y-hi-80"] - fan["y-lo-80"]).iloc[0] < 0.5 * y.std()


def test_rows_of_past_inputs_behind_the_origin_are_not_read():
    X, y = led()
    X["known"] = np.random.default_rng(1).normal(size=len(y))
    model = quick(horizon=3, past_inputs=["v0"]).fit(X[:280], y[:280])
    changed = X.copy()
    changed.loc[y.index[285] :, "v0"] = 99.0
    asked = [backtest(model, one, y, 3, origins=[y.index[284]]) for one in (X, changed)]
    assert (asked[0]["y_hat"] == asked[1]["y_hat"]).all()
    y_hat = model.forecast(X=X[["known"]][280:283])
    model.update(X[280:285], y[280:285])
    assert not np.allclose(model.forecast(X=X[["known"]][285:288]), y_hat)


def test_past_inputs_that_say_nothing_have_no_weight():
    X, y = led(n_columns=2)
    y = 50 + np.random.default_rng(5).normal(size=len(y)) + 0 * y
    model = quick(horizon=2, past_inputs=["v0", "v1"]).fit(X, y)
    alone = quick(horizon=2).fit(None, y)
    pd.testing.assert_series_equal(model.forecast(2), alone.forecast(2))


def test_missing_past_inputs_are_carried_on():
    X, y = led()
    X.iloc[[20, 279], 0] = np.nan
    model = quick(horizon=2, past_inputs=["v0"]).fit(X[:280], y[:280])
    carried = quick(horizon=2, past_inputs=["v0"]).fit(X[:280], y[:280])
    carried.update(X[280:282].fillna(0.0), y[280:282])
    assert np.isfinite(model.forecast(2)).all() and np.isfinite(carried.forecast(2)).all()
    member = next(m.inner for m in model._members if "beside them" in m.name)
    one = member.continuing(model._history.names, model._history.tails)
    before = X["v0"].iloc[278]
    np.testing.assert_allclose(one.forecast(1), 50 + 3 * before, atol=1.0)


def test_leads_are_read_and_rows_behind_the_known_ones_stay():
    rng = np.random.default_rng(0)
    u = rng.normal(size=700)
    y = np.roll(u, -2) + 0.01 * rng.normal(size=700)
    X = pd.DataFrame({"u": u})
    model = quick(horizon=5).fit(X[:690], y[:690])
    assert model.lead_ == 0
    y_hat = model.predict(X[690:])
    np.testing.assert_allclose(y_hat[:8], y[690:698], atol=0.2)
    assert np.isfinite(y_hat).all()


def test_a_divisor_scales_the_forecast():
    X, y = hourly(400)
    X["capacity"] = np.where(np.arange(400) < 380, 1.0, 2.0)
    model = quick(horizon=10, divide_by="capacity").fit(X[:380], y[:380] * X["capacity"][:380])
    y_hat = model.forecast(10, X=X[380:390])
    assert (y_hat / (2 * y[380:390]) - 1).abs().mean() < 0.25


def test_holidays_and_bounds():
    pytest.importorskip("holidays")
    index = pd.date_range("2023-01-01", periods=700)
    X = pd.DataFrame({"top": np.full(700, 5.0)}, index)
    y = pd.Series(np.random.default_rng(0).normal(size=700), index)
    model = quick(horizon=7, holidays="DE", output_range=(0, "top")).fit(X, y.clip(lower=0))
    names = model.candidates_["candidate"]
    assert names.str.contains("calendar").any()
    later = pd.DataFrame({"top": np.full(7, 0.1)}, pd.date_range("2024-12-01", periods=7))
    assert (model.forecast(X=later) <= 0.1).all()


@pytest.mark.parametrize(
    ("parameters", "n", "n_tried", "reads_calendar"),
    [
        ({}, 600, 2, False),
        ({"calendar": ["hour", "month"]}, 600, 2, True),
        ({"calendar": {"hour": 2}}, 600, 2, True),
        ({"season": 24}, 600, 1, True),
        ({"calendar": None}, 600, 0, False),
        ({}, 450, 0, True),
    ],
)
def test_weights_vary_with_the_hour_of_enough_rows(parameters, n, n_tried, reads_calendar):
    _, y = hourly(n)
    names = quick(horizon=6, **parameters).fit(None, y).candidates_["candidate"]
    assert names.str.contains("weights by the hour").sum() == n_tried
    assert names.str.contains("reading the calendar").any() == reads_calendar


def test_a_week_that_no_season_tells_is_read_from_the_calendar():
    """Weights of the hour know nothing of weekends, nor do lags of a day."""
    _, y = hourly(900)
    y = y - 30.0 * (y.index.day_of_week >= 5)
    model = quick(horizon=24, season=24).fit(None, y[:840])
    names = model.candidates_["candidate"]
    assert names.str.contains("reading the calendar").any()
    assert names[names.str.contains("by the hour")].str.contains("reading").sum() == 0


def test_a_memory_of_the_hour_is_found():
    """By day a value stays, by night it is forgotten: only weights of the hour know."""
    index, rng = pd.date_range("2024-01-01", periods=1200, freq="h"), np.random.default_rng(0)
    slope, y = np.where((index.hour > 6) & (index.hour < 19), 0.98, 0.1), np.zeros(1200)
    for t in range(1, 1200):
        y[t] = slope[t] * y[t - 1] + rng.normal()
    table = quick(horizon=3).fit(None, pd.Series(y, index)).candidates_.set_index("candidate")
    is_periodic = table.index.str.contains("by the hour")
    assert table.error[is_periodic].max() < 0.95 * table.error[~is_periodic].min()


# ---------------------------------------------------------------- networks
def test_systems_run_freely():
    X, y = make_narendra(800, random_state=0)
    model = AutoNARX("simulation", random_state=0).fit(X[:600], y[:600])
    y_hat = model.simulate(X[600:], y[600 : 600 + model.max_lag_])
    error = np.sqrt(np.nanmean((y_hat - y[600:])[20:] ** 2)) / y.std()
    assert error < 0.25
    assert model.candidates_["network_lives"].any()
    assert "A network lives in" in model.describe()


def test_where_none_is_good_enough_no_network_lives():
    X = None
    y = pd.Series(np.random.default_rng(0).normal(size=300).cumsum())
    model = AutoNARX(5, random_state=0).fit(X, y)
    alive = model.candidates_["network_lives"] & (model.candidates_["weight"] > 0)
    assert (model.best_network_ is None) == (not alive.any())
    assert "." in model.describe()


# ---------------------------------------------------------------- time and interruption
def test_a_time_limit_ends_the_trials():
    X, y = hourly(500)
    limited = AutoNARX(24, random_state=0, time_limit=1e-6).fit(X, y)
    assert list(limited.candidates_["candidate"]) == ["seasonal naive"]
    assert np.isfinite(
        limited.forecast(X=X[:5].set_index(y.index[-5:] + pd.Timedelta(hours=5)))
    ).all()


def test_ctrl_c_keeps_what_was_judged(monkeypatch):
    def interrupted(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(Selection, "_try_networks", interrupted)
    with pytest.warns(RuntimeWarning, match="interrupted after 1. candidates"):
        model = AutoNARX(3, random_state=0).fit(None, monthly(240))
    assert np.isfinite(model.forecast(3)).all()


class Press:
    """Presses Ctrl-C as a network begins to learn: the one of this number, in trials and last fits.

    Attributes
    ----------
    n_trials : int
        Networks that have learned before the last fits.
    """

    def __init__(self, monkeypatch, number=None):
        self.number, self.n, self.n_trials = number, 0, None
        learn, fit = NetworkForecaster._learn, Selection.fit

        def learned(network, *args):
            self.n += 1
            if self.n == self.number:
                signal.raise_signal(signal.SIGINT)
            return learn(network, *args)

        def fitted(selection):
            self.n_trials = self.n
            return fit(selection)

        monkeypatch.setattr(NetworkForecaster, "_learn", learned)
        monkeypatch.setattr(Selection, "fit", fitted)


X_BENT, Y_BENT = hourly(310)


def with_networks():
    """Fit to a series whose best members hold networks."""
    return AutoNARX(4, random_state=0).fit(X_BENT[:300], Y_BENT[:300])


@pytest.fixture(scope="module")
def undisturbed():
    """The fit that nobody interrupts, and its networks in trials."""
    with pytest.MonkeyPatch.context() as context:
        press = Press(context)
        return with_networks(), press.n_trials


def test_ctrl_c_in_the_last_network_ends_the_trials(undisturbed, monkeypatch):
    """The network keeps its best, as always; but it is not judged by that."""
    whole, n_trials = undisturbed
    Press(monkeypatch, n_trials)
    n = len(whole.candidates_) - 1
    with pytest.warns(RuntimeWarning, match=f"interrupted after {n} candidates") as told:
        model = with_networks()
    assert len(told) == 1
    columns = ["candidate", "error"]
    pd.testing.assert_frame_equal(model.candidates_[columns], whole.candidates_[columns][:n])
    assert np.isfinite(model.forecast(X=X_BENT[300:])).all()


def test_ctrl_c_in_the_last_fits_keeps_those_that_were_made(undisturbed, monkeypatch):
    whole, n_trials = undisturbed
    assert sum(member.lives for member in whole._members) > 1
    Press(monkeypatch, n_trials + 1)
    with pytest.warns(RuntimeWarning, match="interrupted after . of . fits to all rows"):
        model = with_networks()
    assert model.candidates_["weight"].sum() == pytest.approx(1.0)
    assert 0 < len(model._members) < len(whole._members)
    assert np.isfinite(model.forecast(X=X_BENT[300:])).all()


def test_a_loop_of_fits_ends_at_the_one_after_ctrl_c(monkeypatch):
    with monkeypatch.context() as context, pytest.warns(RuntimeWarning, match="interrupted after"):
        Press(context, 1)
        with_networks()
    with pytest.raises(KeyboardInterrupt):
        quick().fit(None, Y)
    quick().fit(None, Y)


def test_a_search_scores_no_fit_that_was_cut_short(monkeypatch):
    Press(monkeypatch, 1)
    model, cv = AutoNARX(4, random_state=0), TimeSeriesSplit(2, test_size=24)
    with pytest.raises(KeyboardInterrupt):
        cross_val_score(model, X_BENT, Y_BENT, cv=cv)


def test_progress_is_printed(capsys):
    quick(verbose=True).fit(None, Y)
    assert "seasonal naive" in capsys.readouterr().out


# ---------------------------------------------------------------- sentences
@pytest.mark.parametrize(
    ("parameters", "y", "sentence"),
    [
        ({"horizon": 40}, Y[:40], "horizon=40 needs at least 46 rows, .* has 40: give a longer"),
        ({}, Y[:1], "horizon=6 needs at least 12 rows"),
        ({"horizon": 0}, Y, "The 'horizon' parameter of AutoNARX must be"),
        ({"season": 40}, Y, "season=40 must be seen 3 times, in 120 rows, .* has 96"),
        ({"season": "yearly"}, Y, "season must be a number of rows"),
        ({"calendar": ["hour"]}, Y.to_numpy(), "calendar fields .* time stamps"),
        ({"divide_by": "sky"}, Y, "divide_by"),
        ({}, Y * np.nan, "missing values"),
        ({"past_inputs": "temp"}, Y, "past_inputs must be a sequence of columns"),
        ({"past_inputs": ["temp"]}, Y, "past_inputs name 'temp', which is no column of X"),
        ({"time_limit": 0}, Y, "The 'time_limit' parameter of AutoNARX must be"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(parameters, y, sentence):
    with pytest.raises(ValueError, match=sentence):
        quick(**parameters).fit(None, y)


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"divide_by": "temp"}, "those that divide or bound the output must be known ahead"),
        ({"horizon": "simulation"}, "past_inputs are read up to an origin, and a free run"),
    ],
)
def test_past_inputs_that_cannot_be_are_refused(parameters, sentence):
    with pytest.raises(ValueError, match=sentence):
        quick(past_inputs=["temp"], **parameters).fit(*hourly(60))


def test_an_unknown_country_is_refused():
    pytest.importorskip("holidays")
    daily = pd.Series(np.arange(100.0), pd.date_range("2024", periods=100))
    with pytest.raises(ValueError, match="XX"):
        quick(holidays="XX").fit(None, daily)


def test_holidays_need_a_clock():
    with pytest.raises(ValueError, match="holidays='DE' .* time stamps"):
        quick(holidays="DE").fit(None, Y.to_numpy())


def test_constant_series_are_told_and_repeated():
    with pytest.warns(UserWarning, match="y is constant"):
        model = quick().fit(None, pd.Series(np.full(60, 7.0), Y.index[:60]))
    np.testing.assert_allclose(model.forecast(3), 7.0)


def test_candidates_warn_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        quick().fit(None, Y).forecast(3)


# ---------------------------------------------------------------- parts
def test_folds_lie_one_after_another_inside_the_rows():
    rows = Segments(np.empty((100, 0)), np.zeros((100, 1)), np.array([0, 100]))
    folds = rolling_folds(rows, 10)
    heads = [len(fold.head) for fold in folds]
    assert heads == sorted(heads)
    assert heads[0] == first_origin(0, 100, 10)
    for fold in folds:
        assert fold.origins.min() == len(fold.head)
        assert fold.origins.max() + fold.length <= 100


def test_no_fold_fits_a_short_series():
    rows = Segments(np.empty((20, 0)), np.zeros((20, 1)), np.array([0, 20]))
    assert rolling_folds(rows, 15) == []


def test_blocks_of_a_long_series_are_left_out_in_turn():
    n, history, horizon = 2400, 60, 12
    rows = Segments(np.empty((n, 0)), np.zeros((n, 1)), np.array([0, n]))
    assert is_long(rows, horizon) and not is_long(rows, 2 * horizon)
    folds = blocked_folds(rows, horizon, history, 1)
    left_out = np.concatenate([fold.left_out for fold in folds])
    assert sorted(left_out) == [*range(history, n)]  # each once
    for fold in folds:
        targets = fold.origins[:, None] + np.arange(horizon)
        assert np.isin(targets, fold.left_out).all()
        assert fold.head[-1] not in fold.left_out  # what ends a head counts
        assert np.ptp(fold.origins) > n / 2


def test_short_rollouts_begin_at_all_rows_of_a_season():
    rows = Segments(np.empty((3000, 0)), np.zeros((3000, 1)), np.array([0, 3000]))
    for fold in blocked_folds(rows, 1, 250, 7):
        assert len(set(fold.origins % 7)) == 7


def test_blocks_without_an_origin_are_none():
    rows = Segments(np.empty((2016, 0)), np.zeros((2016, 1)), np.array([0, 2016]))
    assert blocked_folds(rows, 4, 2040, 96) == []
    t = np.arange(2016)
    y = 50 + 10 * np.sin(2 * np.pi * t / 96) + np.random.default_rng(0).normal(size=2016)
    y = pd.Series(y, pd.date_range("2024", periods=2016, freq="15min"))
    assert np.isfinite(AutoNARX(horizon=4, networks=False).fit(None, y).forecast(4)).all()


def test_a_linear_system_without_noise_is_one():
    rng = np.random.default_rng(0)
    u, y = rng.normal(size=(300, 1)), np.zeros(300)
    for t in range(2, 300):
        y[t] = 1.5 * y[t - 1] - 0.7 * y[t - 2] + u[t - 1, 0]
    model = AutoNARX(horizon="simulation", random_state=0).fit(u, y)
    y_hat = model.simulate(u, y[: model.max_lag_])
    assert np.nanmax(np.abs(y_hat - y)) < 0.01 * y.std()


def test_rows_without_a_weight_judge_nobody():
    rng = np.random.default_rng(0)
    u, y, weight = rng.normal(size=(200, 1)), rng.normal(size=200), np.ones(200)
    weight[:150] = 0.0
    with pytest.raises(ValueError, match="candidates could be judged"):
        AutoNARX(horizon="simulation", random_state=0).fit(u, y, sample_weight=weight)
    with pytest.raises(ValueError, match="needs at least 16 rows, but"):
        AutoNARX(horizon="simulation").fit(u[:8], y[:8])


def test_intervals_of_a_saved_model_are_its_own(tmp_path):
    rng = np.random.default_rng(0)
    y = 5 + np.sin(0.5 * np.arange(60)) + 0.3 * rng.normal(size=60)
    y = pd.Series(y, pd.date_range("2020", periods=60, freq="MS"))
    model = quick(horizon=2).fit(None, y)
    model.save(tmp_path / "m.narx")
    loaded = narxkit.load(tmp_path / "m.narx")
    pd.testing.assert_frame_equal(loaded.forecast(2, level=80), model.forecast(2, level=80))


def test_a_short_series_of_a_panel_has_no_intervals():
    rng = np.random.default_rng(0)

    def series(n):
        values = 50 + 10 * np.sin(np.arange(n) * np.pi / 12) + rng.normal(size=n)
        return pd.Series(values, pd.date_range("2024", periods=n, freq="h"))

    y = pd.concat({"a": series(300), "b": series(100)})
    model = quick(horizon=3).fit(None, y)
    with pytest.warns(UserWarning, match=r"the series \['b'\] have fewer"):
        answer = model.forecast(2, level=80)
    ends = answer.filter(like="-80")
    assert np.isfinite(ends.loc["a"]).all(axis=None) and np.isfinite(answer.iloc[:, 0]).all()
    b = ends.loc["b"]
    assert (b.isna() | (b > 1.0)).all(axis=None)  # not what bounds the forecasts


def test_what_is_left_out_is_not_learned():
    n, rng = 2000, np.random.default_rng(0)
    rows = Segments(np.empty((n, 0)), rng.normal(size=(n, 1)), np.array([0, n]))
    fold, seen = blocked_folds(rows, 1, 10, 1)[1], {}

    class Spy:
        reach = SimpleNamespace(lead=0)

        def train(self, segments, weight, which):
            seen.update(weight=weight, which=which)

        def run(self, rollouts):
            return np.zeros((len(rollouts), 1, 1)), None

    Judge(rows, np.ones(n), [fold], 1.0, (-9.0, 9.0), True).judge(Spy(), 0, np.ones(n))
    assert not seen["weight"][fold.left_out].any()
    assert seen["weight"].sum() == n - len(fold.left_out)


def test_rollouts_behind_a_gap_are_not_judged():
    n = 2000
    y = np.zeros((n, 1))
    y[500:900] = np.nan
    rows = Segments(np.empty((n, 0)), y, np.array([0, n]))
    folds = blocked_folds(rows, 4, 10, 1)
    judge = Judge(rows, np.ones(n), folds, 1.0, (-1.0, 1.0), True)
    for fold, count in zip(folds, judge.counts):
        is_measured = np.isfinite(y[fold.origins - 1, 0])
        assert not count[~is_measured].any() and count[is_measured].any()


def test_weights_by_errors_are_powers():
    weights = weights_by_errors(np.array([1.0, 2.0, np.inf]), n=120, horizon=10)
    np.testing.assert_allclose(weights, [0.8, 0.2, 0.0])  # to the power of 2
    short = weights_by_errors(np.array([1.0, 4.0]), n=10, horizon=10)
    np.testing.assert_allclose(short, [2 / 3, 1 / 3])  # and of one half


def test_weights_by_fit_find_the_mixture():
    rng = np.random.default_rng(0)
    forecasts = rng.normal(size=(4000, 3))
    y = forecasts @ [0.7, 0.3, 0.0]
    weights = weights_by_fit(forecasts, y, np.full(3, 1 / 3))
    assert weights.sum() == pytest.approx(1.0)
    assert weights[0] > weights[1] > weights[2] >= 0.0


def test_runs_are_combined_under_weights():
    """A value that is missing has no weight; what is out of bounds is at the bound."""
    nan = np.nan
    y_hats = np.array([[1.0, nan, nan, -9.0], [2.0, 5.0, nan, 3.0], [90.0, 6.0, nan, 4.0]])
    runs = [(y_hat.reshape(1, 4, 1), np.array([k])) for k, y_hat in enumerate(y_hats)]
    given = [0.2, 0.5, 0.3], (0.0, 10.0)
    y_hat, bads = weighted_mean(runs, *given)
    mean = [0.2 * 1 + 0.5 * 2 + 0.3 * 10, (0.5 * 5 + 0.3 * 6) / 0.8, nan, 0.5 * 3 + 0.3 * 4]
    np.testing.assert_allclose(y_hat.ravel(), mean)
    assert bads.tolist() == [[0], [1], [2]]
    y_hat, bads = weighted_median(runs, *given)
    np.testing.assert_array_equal(y_hat.ravel(), [2.0, 5.0, nan, 3.0])
    assert bads.tolist() == [[0], [1], [2]]
    assert weighted_median(runs, [0.2, 0.2, 0.6], (0.0, 10.0))[0].ravel()[0] == 10.0
    assert weighted_median(runs[:2], [0.5, 0.5], (0.0, 10.0))[0].ravel()[0] == 1.5  # a tie
    runs[1][0][0, 1] = np.inf
    for combine in (weighted_mean, weighted_median):
        assert combine(runs[:2], [0.1, 0.9], (0.0, 10.0))[0].ravel()[0] != 10.0
        assert np.isnan(combine(runs[:2], [0.1, 0.9], (0.0, 10.0))[0].ravel()[1])


def test_free_runs_learn_from_the_last_rows_of_a_long_segment(monkeypatch):
    """Both before they are judged, over the last quarter, and in the end."""
    monkeypatch.setattr(judging, "MOST_OF_RUN", 100)
    learned, train = [], Inner.train

    def kept(inner, segments, weight, y=None, which=None):
        learned.append((which[0], which[-1], len(which)))
        return train(inner, segments, weight, y, which)

    monkeypatch.setattr(Inner, "train", kept)
    quick(horizon="simulation").fit(*make_narendra(400, random_state=0))
    assert set(learned) == {(200, 299, 100), (300, 399, 100)}


def test_free_runs_learn_from_rows_that_count(monkeypatch):
    """However many behind them have no weight; where none is before the fold none is judged."""
    monkeypatch.setattr(judging, "MOST_OF_RUN", 100)
    X, y = make_narendra(400, random_state=0)
    for n in (250, 60):
        weight = np.arange(400) < n
        model = quick(horizon="simulation").fit(X, y, sample_weight=weight.astype(float))
        assert np.isfinite(model.simulate(X, y[: model.max_lag_])[model.max_lag_ :]).all()


def test_a_season_is_told_by_its_autocorrelation():
    t = np.arange(60)
    noise = np.random.default_rng(0).normal(size=60)
    assert is_seasonal(np.sin(np.pi * t / 6) + 0.3 * noise, 12)
    assert not is_seasonal(noise, 12)
    assert not is_seasonal(np.ones(60), 12)
    assert not is_seasonal(t[:30] % 12.0, 12)  # not seen three times
