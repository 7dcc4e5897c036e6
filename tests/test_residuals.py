"""Residual tests find what a model has missed, and say what cannot be analysed."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.signal import lfilter
from sklearn.linear_model import LinearRegression

from narxkit import (
    ARX,
    NARX,
    TDNN,
    ExponentialSmoothing,
    Persistence,
    SeasonalNaive,
    SmartPersistence,
)
from narxkit.diagnostics import validate, validate_residuals
from narxkit.diagnostics._validity.forecastable_rows import ForecastableRows
from narxkit.diagnostics._validity.naive_comparison import skill_by_horizon
from narxkit.diagnostics._validity.residual_tests import run_tests_of_rollouts
from narxkit.diagnostics._validity.shuffles import PaddedRows
from narxkit.solvers import Stop

N = 400


@pytest.fixture
def noise():
    return np.random.default_rng(0).normal(size=(2, N))


@pytest.fixture(scope="module")
def system():
    u, e = np.random.default_rng(1).normal(size=(2, 900))
    y = np.zeros(900)
    for t in range(1, 900):
        y[t] = 0.6 * y[t - 1] + u[t - 1] + 0.3 * e[t]
    return u[:, None], y


@pytest.fixture(scope="module")
def model(system):
    X, y = system
    return ARX(input_lags=1, output_lags=1).fit(X[:600], y[:600])


def shifted(u, k):
    return np.r_[np.zeros(k), u[:-k]]


# --- the numbers -------------------------------------------------------------------------------


def test_the_numbers_are_those_of_statsmodels(noise):
    from statsmodels.stats.diagnostic import acorr_ljungbox
    from statsmodels.tsa.stattools import acf, ccf

    e, u = noise
    result = validate_residuals(e, u[:, None])
    tests = {name: test.correlations.iloc[:, 0] for name, test in result.tests.items()}
    squares, of_u = (e - e.mean()) ** 2, (u - u.mean()) ** 2
    np.testing.assert_allclose(tests["phi_ee"], acf(e, nlags=20)[1:], atol=1e-12)
    np.testing.assert_allclose(tests["phi_e2e2"], acf(squares, nlags=20)[1:], atol=1e-12)
    for name, x in {"phi_ue": u, "phi_u2e": of_u}.items():
        np.testing.assert_allclose(tests[name], ccf(e, x, adjusted=False)[:21], atol=1e-12)
    np.testing.assert_allclose(tests["phi_u2e2"], ccf(squares, of_u, adjusted=False)[:21])
    table = acorr_ljungbox(e, [20])
    assert result.ljung_box.statistic == pytest.approx(table["lb_stat"].item())
    assert result.ljung_box.pvalue == pytest.approx(table["lb_pvalue"].item(), abs=0.05)


def test_products_of_residual_and_input_as_they_are_written(noise):
    e, u = ((x - x.mean()) / x.std() for x in noise)
    r = validate_residuals(e, u[:, None], n_lags=3).tests["phi_e(eu)"].correlations
    by_hand = [np.sum(e[k:] * (e * u)[:-k]) / N for k in (1, 2, 3)]
    np.testing.assert_allclose(r.iloc[:, 0], by_hand)
    assert r.index.tolist() == [1, 2, 3]


@pytest.mark.parametrize("kind", ["labels", "clock", "series", "missing"])
def test_no_pair_crosses_a_seam(noise, kind):
    e = pd.Series(noise[0])
    segments = None
    if kind == "labels":
        segments = np.repeat([0, 1], [150, 250])
    elif kind == "clock":
        hours = pd.date_range("2024", periods=N + 90, freq="h")
        e.index = hours[:150].append(hours[-250:])
    elif kind == "series":
        hours = pd.date_range("2024", periods=250, freq="h")
        names = np.repeat(["a", "b"], [150, 250])
        e.index = pd.MultiIndex.from_arrays([names, hours[:150].append(hours)])
    else:
        e[150:160] = np.nan
    r = validate_residuals(e, segments=segments, n_lags=9).tests["phi_ee"].correlations["e"]
    known = (e - e.mean()).to_numpy()
    begins = 160 if kind == "missing" else 150
    parts = known[:150], known[begins:]
    by_hand = [sum(p[k:] @ p[:-k] for p in parts) / np.nansum(known**2) for k in range(1, 10)]
    np.testing.assert_allclose(r, by_hand)


def test_the_band_is_where_the_test_fails(noise):
    for e in np.random.default_rng(5).normal(size=(12, 60)):
        for test in validate_residuals(e, noise[0, :60, None], n_shuffles=139).tests.values():
            assert (test.correlations.abs().max().max() > test.band) == (test.pvalue <= 0.05)


def test_white_residuals_are_rejected_about_five_times_in_a_hundred():
    """The quick version of benchmarks/validity: 400 runs, four standard errors."""
    rng, rejected = np.random.default_rng(0), 0
    for run in range(400):
        e, u = rng.standard_t(4, 80), rng.normal(size=80).cumsum()
        result = validate_residuals(e, u[:, None], n_lags=5, n_shuffles=139, random_state=run)
        rejected = rejected + (result.pvalues <= 0.05)
    assert rejected.between(3, 37).all(), rejected


# --- what was missed ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "missed, test, words",
    [
        (lambda e, u: e + 0.4 * shifted(e, 1), "phi_ee", "those of 1 row before"),
        (lambda e, u: e + 0.4 * shifted(u, 2), "phi_ue", "input 0 of 2 rows before"),
        (lambda e, u: e + 0.4 * u**2, "phi_u2e", "the square of input 0 of the same row"),
        (lambda e, u: e + 0.5 * shifted(e * u, 1), "phi_e(eu)", "product of residual and input 0"),
    ],
)
def test_what_is_missing_is_named(noise, missed, test, words):
    result = validate_residuals(missed(*noise), noise[1][:, None])
    assert test in result.failures and not result.is_white
    assert words in result.sentence


def test_a_change_of_strength_leaves_them_white(noise):
    e, u = noise
    result = validate_residuals(e * np.sqrt(0.1 + 2 * u**2), pd.DataFrame({"wind": u}))
    assert result.is_white and "phi_u2e2" in result.failures
    assert "their strength goes with the square of wind of the same row" in result.sentence
    assert "intervals must not be of one width" in result.sentence


def autoregression(noise, coefficients):
    return lfilter([1.0], np.r_[1.0, -np.asarray(coefficients)], noise)


def test_the_test_furthest_beyond_its_band_is_named(noise):
    """A missing lag of the output is seen in the inputs too; it is the larger fault."""
    e, u = noise
    y = autoregression(0.5 * shifted(u, 1) + 0.3 * e, [0.9, -0.8])
    X, model = u[:, None], ARX(input_lags=[1], output_lags=1)
    result = validate(model.fit(X, y), X, y, horizons=1)
    assert {"phi_ee", "phi_ue"} <= set(result.failures)
    assert result.tests["phi_ee"].excess > 1.2 * result.tests["phi_ue"].excess > 1.2
    assert "they go with those of 3 rows before (phi_ee, p = 0.001, and phi_ue" in result.sentence
    mended = ARX(input_lags=[1], output_lags=3).fit(X, y)
    assert validate(mended, X, y, horizons=1).is_white


def test_ljung_box_is_named_only_where_nothing_else_fails(noise):
    result = validate_residuals(autoregression(noise[0], [0.5]))
    alone = replace(result, tests={k: replace(t, pvalue=1.0) for k, t in result.tests.items()})
    assert "1 row before (phi_ee, p = 0.001, and phi_e2e2, Ljung-Box" in result.sentence
    assert "they go with those before, a little at many lags (Ljung-Box" in alone.sentence


@pytest.mark.parametrize(
    "level", [np.arange(N) >= N // 2, np.linspace(-1, 1, N), np.linspace(-3, 3, N)]
)
def test_a_level_that_moves_is_no_lag(noise, level):
    result = validate_residuals(noise[0] + level - np.mean(level))
    assert "not white: their level moves (phi_ee, p = 0.001, and " in result.sentence
    assert "refit on newer rows, or give a trend or the missing input" in result.sentence
    assert "output_lags" not in result.sentence and "biased" not in result.sentence


@pytest.mark.parametrize("coefficient", [0.5, 0.9, 0.98])
def test_an_autoregression_is_no_level_that_moves(noise, coefficient):
    sentence = validate_residuals(autoregression(noise[0], [coefficient])).sentence
    assert "they go with those of 1 row before (phi_ee" in sentence and "level" not in sentence
    few = validate_residuals(autoregression(noise[0], [coefficient]), n_lags=2).sentence
    assert "level" not in few


# --- how far the lags reach --------------------------------------------------------------------


def test_a_season_is_within_the_lags():
    """The largest correlation is at lag 24, beyond the 20 lags of a series without a season."""
    y = autoregression(np.random.default_rng(0).normal(size=1600), np.r_[np.zeros(23), 0.6])
    model = ARX(output_lags=3).fit(None, y[:800])
    result = validate(model, None, y[800:], season=24, horizons=1)
    assert result.ljung_box.n_lags == 28
    assert "they go with those of 24 rows before" in result.sentence
    assert validate(model, None, y[800:], season=24, horizons=1, n_lags=5).ljung_box.n_lags == 5


@pytest.mark.parametrize("freq, n, n_lags", [("h", 400, 28), ("h", 100, 25), ("h", 90, 20)])
def test_the_season_of_a_clock_is_within_the_lags(freq, n, n_lags):
    e = np.random.default_rng(0).normal(size=n)
    hours = pd.date_range("2024", periods=n, freq=freq)
    assert validate_residuals(pd.Series(e, hours)).ljung_box.n_lags == n_lags
    assert validate_residuals(pd.Series(e, hours.to_period())).ljung_box.n_lags == n_lags
    panel = pd.MultiIndex.from_product([["a", "b"], hours[: n // 2]])
    assert validate_residuals(pd.Series(e, panel)).ljung_box.n_lags == n_lags
    assert validate_residuals(e).ljung_box.n_lags == 20


def test_the_lags_of_a_long_season_do_not_take_minutes():
    from narxkit.diagnostics.residuals import _reach

    assert [_reach(9_000, 168), _reach(90_000, 24), _reach(6_000, 1440)] == [172, 28, 20]
    assert [_reach(40, 4), _reach(400, None)] == [10, 20]


def test_a_season_beyond_the_lags_is_told():
    y = np.random.default_rng(0).normal(size=91)
    result = validate(Persistence().fit(None, y), None, y, horizons=1, season=24)
    assert result.to_frame().loc["not tested"].tolist() == [
        "the season of 24 rows",
        "the lags reach 20: give n_lags=28 and at least 56 residuals",
    ]


# --- from a model ------------------------------------------------------------------------------


def test_a_right_model_is_right(model, system):
    X, y = system
    result = validate(model, X[600:], y[600:], horizons=3)
    assert result.failures == []
    assert result.sentence.startswith("The residuals are white: none of 7 tests")
    np.testing.assert_allclose(result.residuals, y[600:] - model.predict_ahead(X[600:], y[600:]))
    assert "phi_ue" in repr(result) and "<table>" in result._repr_html_()
    assert result.to_frame().loc["residuals", "value"] == "299"


def test_a_free_run_says_so(model, system):
    X, y = system
    result = validate(model, X[600:], y[600:], loop="closed", horizons=2)
    free = model.simulate(X[600:], y_init=y[600:601])
    np.testing.assert_allclose(result.residuals, y[600:] - free)
    assert result.failures == [] and "phi_ee" not in result.tests
    assert result.sentence.startswith(
        "The residuals of the free run are independent of the inputs, by 2 tests on 299 of them"
    )
    assert result.to_frame().loc["not tested"].tolist() == [
        "the residuals' own past",
        "errors of a free run have the memory of the noise; loop='open' asks for it",
    ]
    fit = 1 - np.sqrt(np.mean((y[601:] - free[1:]) ** 2)) / y[601:].std()
    assert result.to_frame().loc["fit", "value"] == f"{fit:.1%}"


# --- of what a model was trained for -----------------------------------------------------------


@pytest.fixture(scope="module")
def curved():
    """Make a system in which the square of the input matters and noise is inside the loop."""
    u, e = np.random.default_rng(2).normal(size=(2, 1500))
    y = np.zeros(1500)
    for t in range(2, 1500):
        y[t] = 0.6 * y[t - 1] - 0.2 * y[t - 2] + u[t - 1] + 0.2 * u[t - 1] ** 2 + 0.3 * e[t]
    return u[:, None], y


def analysed(curved, loop, hidden, **options):
    X, y = curved
    network = NARX([1], 2, hidden, loop=loop, max_iter=50, random_state=0)
    network.fit(X[:1000], y[:1000])
    return network, validate(network, X[1000:], y[1000:], horizons=[1, 6], **options)


def test_a_model_of_several_steps_is_analysed_by_errors_of_as_many(curved):
    network, result = analysed(curved, 5, (4,))
    y_hat = network.predict_ahead(curved[0][1000:], curved[1][1000:], steps=5)
    np.testing.assert_allclose(result.residuals, curved[1][1000:] - y_hat)
    assert result.loop == 5 and result.failures == [] and result.ljung_box is None
    assert result.tests["phi_ee"].correlations.index.tolist() == list(range(5, 25))
    assert abs(result.memory[0]) > 0.3 and len(result.memory) == 24
    assert result.sentence.startswith(
        "The residuals 5 steps ahead are independent of the inputs and of those of 5 rows before "
        "and farther, by 3 tests on 494 of them"
    )
    one_step = validate(network, curved[0][1000:], curved[1][1000:], loop="open", horizons=[1])
    assert one_step.sentence.startswith("The residuals are ") and len(one_step.tests) == 6


def test_the_report_names_the_model(curved, model, system):
    X, y = system
    first = [validate(model, X[600:], y[600:], horizons=[1]), analysed(curved, "open", ())[1]]
    assert [report.figures[0] for report in first] == [
        ("model", "ARX", ""),
        ("model", "network off", "linear (NARX, network off): it has no hidden layers"),
    ]
    assert "linear (NARX, network off)" in repr(first[1])
    assert validate_residuals(first[0].residuals).figures[0].name == "residuals"


@pytest.mark.parametrize("loop, whose", [(5, "5 steps ahead"), ("closed", "of the free run")])
def test_a_model_trained_over_rollouts_that_misses_something_is_told_what(curved, loop, whose):
    _, result = analysed(curved, loop, ())
    assert "phi_u2e" in result.failures
    assert result.sentence.startswith(
        f"The residuals {whose} are not right: they go with the square of input 0 of 1 row before "
        "(phi_u2e, p = 0.001"
    )
    assert "the loop misses a curvature" in result.sentence
    assert "reach lag" not in result.sentence and "loop='open'" not in result.sentence


def test_a_model_of_a_free_run_is_analysed_by_it_in_each_segment(curved):
    X, y = curved
    labels = np.repeat([0, 1, 2], [300, 198, 2])
    network, result = analysed(curved, ("open", "closed"), (4,), segments=labels)
    parts = slice(1000, 1300), slice(1300, 1498)
    free = [y[part] - network.simulate(X[part], y[part][:2]) for part in parts]
    np.testing.assert_allclose(result.residuals, np.r_[*free, np.nan, np.nan])
    assert result.n_lost == 0 and result.loop == "closed"


def test_a_free_run_without_inputs_is_asked_nothing(curved):
    y = curved[1]
    network = NARX(0, 2, (), loop="closed", max_iter=20, random_state=0).fit(None, y[:1000])
    result = validate(network, None, y[1000:], horizons=[1])
    assert result.tests == {} and result.failures == [] and len(result.pvalues) == 0
    assert result.sentence.startswith("No test can ask of the residuals of the free run: ")
    assert "fit" in result.to_frame().index and result.plot() is not None


def test_lags_that_end_before_the_steps_are_told(curved):
    _, result = analysed(curved, 5, (4,), n_lags=4)
    assert "phi_ee" not in result.tests
    assert result.to_frame().loc["not tested", "meaning"] == (
        "errors 5 steps ahead share noise over 4 rows, and the lags reach 4: give n_lags=25 and "
        "at least 50 residuals"
    )


def test_right_rollouts_are_rejected_about_five_times_in_a_hundred():
    """Errors 6 steps ahead of a right model, beside an input with the memory of an AR(1)."""
    n, rejected = 300, np.zeros(3)
    for seed in range(60):
        e, u = np.random.default_rng(seed).normal(size=(2, n + 5))
        e = np.convolve(e, 0.9 ** np.arange(6), "valid")
        u = lfilter([1.0], [1.0, -0.9], u)[5:, None]
        line = PaddedRows(e, u, np.zeros(n, int), 26)
        tests = run_tests_of_rollouts(line, ["u"], [], 139, seed, 6)
        rejected += [tests[name].pvalue <= 0.05 for name in ("phi_ee", "phi_ue", "phi_u2e")]
    assert (rejected <= 8).all() and rejected.sum() >= 2


def test_what_rollouts_leave_unused_is_found():
    """Errors 6 steps ahead that the sixth row before could have told."""
    e = np.random.default_rng(0).normal(size=600)
    e = np.convolve(e, np.r_[1.0, 0.8, 0.6, 0.4, 0.2, 0.1, 0.9], "valid")
    line = PaddedRows(e, np.empty((len(e), 0)), np.zeros(len(e), int), 26)
    test = run_tests_of_rollouts(line, [], [], 139, 0, 6)["phi_ee"]
    assert test.pvalue < 0.01 and test.peak[1] == 6


def test_a_truncated_fit_says_so_to_who_validates_it(curved):
    network, _ = analysed(curved, "open", ())
    network.stop_ = Stop.INTERRUPTED
    with pytest.warns(RuntimeWarning, match="the fit of this NARX was interrupted after"):
        validate(network, curved[0][1000:], curved[1][1000:], horizons=[1])


def test_skill_is_that_of_a_backtest(model, system):
    X, y = system
    skill = validate(model, X[600:], y[600:], horizons=[1, 5], season=4).skill
    for name, naive in {"persistence": Persistence(), "seasonal naive": SeasonalNaive(4)}.items():
        y_hat = naive.fit(None, y).predict_ahead(None, y[600:], steps=[1, 5])
        assert skill["rows"].tolist() == [296, 292]
        for i, h in enumerate(skill.index):
            first = 300 - skill.loc[h, "rows"]
            errors = (y_hat[:, i] - y[600:])[first:]
            assert skill.loc[h, name] == pytest.approx(np.sqrt(np.mean(errors**2)))


class Zero:
    """Predicts zero."""

    def predict_ahead(self, X, y, steps=1, segments=None):
        return np.zeros((len(y), np.size(steps)))


class Odd:
    """Nine tenths of the last value, but `value` in some rows."""

    max_lag_ = 1

    def __init__(self, rows, value=np.nan, from_step=1):
        self.rows, self.value, self.from_step = rows, value, from_step

    def predict_ahead(self, X, y, steps=1, segments=None):
        y_hat = np.transpose([0.9 * pd.Series(y).shift(h) for h in np.atleast_1d(steps)])
        y_hat[self.rows, np.atleast_1d(steps) >= self.from_step] = self.value
        return y_hat if np.ndim(steps) else y_hat[:, 0]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_forecasts_that_are_not_finite_are_a_fault(value):
    y = np.random.default_rng(0).normal(size=301)
    result = validate(Odd(slice(100, 130), value), None, y, horizons=[2, 5])
    assert result.n_lost == 30 and result.lost.to_dict() == {2: 30, 5: 30}
    assert result.skill["rows"].to_dict() == {2: 269, 5: 266} and result.has_fault
    assert result.sentence.startswith("The residuals are ")
    told = "; but 30 of 296 forecasts 5 steps ahead are not finite and count in no error"
    assert told in result.sentence
    figures = result.to_frame()
    assert figures.loc["skill, 2 steps ahead", "value"].endswith("% where finite")
    assert figures.loc["skill, 2 steps ahead", "meaning"].startswith(
        "269 rows, 30 without a finite forecast: RMSE "
    )


def test_the_horizon_that_loses_most_is_told_even_where_nothing_is_left():
    y = np.random.default_rng(0).normal(size=301)
    result = validate(Odd(slice(None), from_step=4), None, y, horizons=6)
    assert "; but 297 of 297 forecasts 4 steps ahead are not finite" in result.sentence
    assert list(result.skill.index) == [1, 2, 3]
    assert result.to_frame().loc["skill, 6 steps ahead"].tolist() == [
        "none",
        "0 rows, 295 without a finite forecast",
    ]
    assert "one-step" not in result.sentence and result.n_lost == 0


def test_a_free_run_that_breaks_off_is_a_fault():
    y = np.random.default_rng(0).normal(size=300)
    model = Odd(slice(0))
    model.simulate = lambda X, y_init: np.where(np.arange(300) < 200, 0.0, np.nan)
    result = validate(model, None, y, loop="closed", horizons=[3])
    assert result.n_lost == 100 and result.has_fault
    told = "; but 100 of 300 values of the free run are not finite and count in no error"
    assert told in result.sentence and "forecasts" not in result.sentence


def test_a_model_with_few_finite_predictions_is_refused():
    with pytest.raises(ValueError) as error:
        validate(Odd(slice(20, None)), None, np.random.default_rng(0).normal(size=300))
    assert str(error.value) == (
        "the model predicts 19 of 299 rows, but at least 20 residuals are needed, and the other "
        "predictions are not finite: correct the model."
    )


LACKING = [
    ARX(input_lags=3, output_lags=[2, 5]),
    ARX(input_lags={"a": [-2, 0], "b": []}, output_lags=2),
    TDNN(input_lags=2, hidden_layer_sizes=2, max_iter=2, random_state=0),
    Persistence(),
    SeasonalNaive(7),
    SmartPersistence(clear_sky="a", threshold=0.5, memory=3),
    ExponentialSmoothing(window=12),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("model", LACKING, ids=lambda model: str(model))
def test_what_lacks_a_value_or_history_is_no_loss(model):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(400, 2)), columns=["a", "b"])
    y = X["a"].shift(1, fill_value=0) + 0.3 * pd.Series(rng.normal(size=400))
    model.fit(X, y)
    X, y = X.mask(rng.random(X.shape) < 0.01), y.mask(rng.random(400) < 0.1)
    labels = np.repeat([0, 1, 2], [150, 90, 160])
    result = validate(model, X, y, segments=labels, horizons=[1, 4, 30], season=12)
    assert result.n_lost == 0 and result.lost.to_dict() == {1: 0, 4: 0, 30: 0}
    X, y[:20] = X.bfill(), y[:20].fillna(0)
    X.loc[350, "a"] = np.nan
    assert validate(model, X, y, loop="closed", horizons=1).n_lost == 0


def test_rows_that_a_model_must_forecast():
    U = pd.DataFrame({"u": [0.0] * 12}).mask(np.arange(12)[:, None] == 10)
    y = pd.Series(np.zeros(12)).mask(np.isin(np.arange(12), [1, 5]))
    model = ARX(input_lags=[-1, 0], output_lags=2)
    model.max_lag_, model.lead_ = 2, 1
    history = ForecastableRows(model, U, [y], np.zeros(12, dtype=int))
    # row 1 cannot be filled, row 5 can; rows 9 to 12 read the input of row 10
    assert np.flatnonzero(history.reaches(1)).tolist() == [4, 5, 6, 7, 8]
    assert np.flatnonzero(history.reaches(3)).tolist() == [6, 7, 8]
    assert not history.runs().any()
    assert (history.longest, history.needed(3)) == (12, 6)
    whole = ForecastableRows(model, U, [y.fillna(0)], np.repeat([0, 1], 6))
    assert np.flatnonzero(whole.runs()).tolist() == [2, 3, 4, 8]


# --- what cannot be compared or tested ---------------------------------------------------------


def test_horizons_beyond_the_rows_are_told():
    y = np.random.default_rng(0).normal(size=60)
    result = validate(Persistence().fit(None, y), None, y, horizons=[1, 58, 61, 62, 63])
    assert list(result.skill.index) == [1, 58]
    assert result.to_frame().loc["not compared"].tolist() == [
        "61 to 63 steps ahead",
        "a segment of 62 rows is needed, and the longest has 60: give nearer horizons or more rows",
    ]
    assert result.to_frame().loc["skill, 58 steps ahead", "meaning"].startswith("2 rows: RMSE ")


def test_a_season_beyond_the_rows_is_told():
    y = np.random.default_rng(0).normal(size=60)
    result = validate(Persistence().fit(None, y), None, y, horizons=2, season=60)
    assert list(result.skill) == ["rows", "model", "persistence", "historical mean", "drift"]
    assert result.to_frame().loc["not compared"].tolist() == [
        "seasonal naive",
        "a segment of 61 rows is needed, and the longest has 60: give nearer horizons, a shorter "
        "season or more rows",
    ]
    partly = validate(Persistence().fit(None, y), None, y, horizons=[1, 31], season=30)
    assert "seasonal naive" in partly.skill and list(partly.skill.index) == [1]
    assert partly.to_frame().loc["not compared", "value"] == "31 steps ahead"


@pytest.mark.parametrize(
    "horizons, y, sentence",
    [
        (
            [60, 70],
            np.arange(60.0) % 7,
            "no row can be compared 60, 70 steps ahead: a segment of 61 rows is needed, and the "
            "longest has 60: give nearer horizons or more rows.",
        ),
        (
            [1],
            np.where(np.arange(60) % 2, np.arange(60) % 7, np.nan),
            "no row can be compared 1 step ahead: no row has all the measured values that are "
            "needed: give rows with fewer missing ones.",
        ),
    ],
)
def test_no_horizon_left_is_an_error(horizons, y, sentence):
    with pytest.raises(ValueError) as error:
        validate(Zero(), None, y, horizons=horizons)
    assert str(error.value) == sentence


def test_constant_inputs_are_not_tested(noise):
    e, u = noise
    X = pd.DataFrame({"wind": u, "tilt": 30.0, "lost": np.nan, "tank": 1e9 + 1e-4 * (u > 0)})
    result = validate_residuals(e, X, n_shuffles=139)
    alone = validate_residuals(e, X[["wind"]], n_shuffles=139)
    assert all(list(t.correlations) in (["wind"], ["e"]) for t in result.tests.values())
    pd.testing.assert_series_equal(result.pvalues, alone.pvalues)
    assert result.to_frame().loc["not tested"].tolist() == [
        "tilt, lost, tank",
        "constant or missing: nothing can go with it",
    ]
    assert alone.notes == []
    only = validate_residuals(e, X[["tilt"]], n_shuffles=139)
    assert list(only.pvalues.index) == ["phi_ee", "phi_e2e2", "Ljung-Box"]


def test_squares_that_do_not_vary_are_not_tested(noise):
    switch = np.tile([0.0, 1.0], N // 2)
    X = pd.DataFrame({"valve": switch, "wind": noise[1]})
    result = validate_residuals(noise[0], X, n_shuffles=139)
    assert list(result.tests["phi_ue"].correlations) == ["valve", "wind"]
    assert list(result.tests["phi_u2e"].correlations) == ["wind"]
    assert result.to_frame().loc["not tested", "value"] == "valve squared"
    signs = np.random.default_rng(0).permutation(2 * switch - 1)
    result = validate_residuals(signs, X, n_shuffles=139)
    assert list(result.tests) == ["phi_ee", "phi_ue", "phi_u2e", "phi_e(eu)"]
    assert result.to_frame().loc["not tested", "value"] == "valve squared, residuals squared"


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1e200])
def test_the_verdict_does_not_depend_on_the_unit(noise, scale):
    e, u = noise
    model = Persistence().fit(None, e)
    for judge in (
        lambda k: validate_residuals(k * e, k * u, n_shuffles=139),
        lambda k: validate_residuals(k * (e + 1), k * u, n_shuffles=139),
        lambda k: validate(model, None, k * e, horizons=2, season=3),
    ):
        result, of_one = judge(scale), judge(1.0)
        pd.testing.assert_series_equal(result.pvalues, of_one.pvalues)
        assert result.failures == of_one.failures and result.has_fault == of_one.has_fault
        assert "nan" not in repr(result) and "inf" not in repr(result)
    values = [
        float(result.to_frame().loc[name, "value"]) for name in ("mean", "standard deviation")
    ]
    np.testing.assert_allclose(
        np.array(values) / scale, [result.residuals.mean() / scale, np.std(np.diff(e))], rtol=1e-3
    )
    np.testing.assert_allclose(
        result.skill.drop(columns="rows") / scale, of_one.skill.drop(columns="rows")
    )
    np.testing.assert_allclose(result.naive_pvalues, of_one.naive_pvalues)


def test_a_skill_far_below_zero_is_told_in_times():
    y = np.random.default_rng(0).normal(size=200)
    result = validate(Odd(slice(50, 51), 1e200), None, y, horizons=1)
    skill = result.to_frame().loc["skill, 1 step ahead", "value"]
    assert skill.startswith("none, ") and skill.endswith("e+198 times the error")
    assert "1 step ahead a naive forecast is better" in result.sentence


# --- clocks of tables --------------------------------------------------------------------------


def test_inputs_of_other_times_are_refused(noise):
    days = pd.date_range("2024", periods=N)
    e, X = pd.Series(noise[0], days), pd.DataFrame({"u": noise[1]}, days)
    with pytest.raises(ValueError) as error:
        validate_residuals(e, X.shift(freq="D"))
    assert str(error.value) == (
        "the indexes of residuals and X differ, first in row 0 (2024-01-01 00:00:00 and "
        "2024-01-02 00:00:00): align them, for example residuals, X = residuals.align(X, "
        "join='inner', axis=0)."
    )
    with pytest.raises(ValueError, match="the indexes of residuals and y differ, first in row 0"):
        validate_residuals(e, X, e.shift(freq="D"))
    with pytest.raises(ValueError, match="the index of X is not sorted: row 1"):
        validate_residuals(e, X.set_axis(np.arange(N)[::-1]))
    by_position = validate_residuals(e, X.set_axis(np.arange(N)), n_shuffles=139)
    pd.testing.assert_series_equal(
        by_position.pvalues, validate_residuals(e, X, n_shuffles=139).pvalues
    )


@pytest.mark.parametrize("owner", ["residuals", "X", "y"])
def test_a_clock_counts_whoever_has_it(noise, owner):
    hours = pd.date_range("2024", periods=N + 90, freq="h").delete(range(150, 240))
    tables = {"residuals": noise[0], "X": noise[1][:, None], "y": noise[0]}
    kind = pd.DataFrame if owner == "X" else pd.Series
    result = validate_residuals(
        **tables | {owner: kind(tables[owner], index=hours)}, n_shuffles=139
    )
    cut = validate_residuals(
        *tables.values(), segments=np.arange(N) < 150, n_lags=28, n_shuffles=139
    )
    pd.testing.assert_series_equal(result.pvalues, cut.pvalues)
    assert result.residuals.index.equals(hours) and result.y.index.equals(hours)


def test_the_clock_of_the_inputs_cuts_the_naive_forecasts_too(model, system):
    X, y = system[0][600:], system[1][600:]
    hours = pd.date_range("2024", periods=390, freq="h").delete(range(100, 190))
    with_clock = validate(model, pd.DataFrame(X, index=hours), y, horizons=3)
    cut = validate(model, X, y, segments=np.arange(300) < 100, horizons=3)
    pd.testing.assert_frame_equal(with_clock.skill, cut.skill)
    assert with_clock.lost.sum() == 0 and with_clock.residuals.index.equals(hours)


# --- skill -------------------------------------------------------------------------------------


def test_of_noise_persistence_knows_less_than_the_mean():
    y = np.random.default_rng(0).normal(size=3000)
    result = validate(Zero(), None, y, horizons=2)
    skill = 1 - (result.skill["model"] / result.skill.drop(columns="rows").T).T ** 2
    np.testing.assert_allclose(skill["persistence"], 0.5, atol=0.03)
    np.testing.assert_allclose(skill["historical mean"], 0, atol=0.005)
    assert "naive" not in result.sentence
    biased = validate(Zero(), None, y + 0.3, horizons=2)
    assert "; 1 step ahead a naive forecast is better (historical mean, p = " in biased.sentence


@pytest.mark.parametrize("kind", ["series", "labels"])
def test_the_mean_is_that_of_the_rows_of_its_series_before(kind):
    y = pd.Series(np.random.default_rng(0).normal(size=60))
    segments, begins = np.repeat([0, 1], 30), [0, 0]
    if kind == "series":
        y.index = pd.MultiIndex.from_arrays([list("ab") * 30, np.arange(60) // 2])
        parts, segments = [y.iloc[::2].to_numpy(), y.iloc[1::2].to_numpy()], None
    else:
        parts, begins = [y[:30].to_numpy(), y.to_numpy()], [0, 30]
    skill = validate(Zero(), None, y, segments=segments, horizons=[4]).skill
    errors = [
        part[: t - 3].mean() - part[t]
        for part, first in zip(parts, begins)
        for t in range(first + 4, len(part))
    ]
    assert skill.loc[4, "rows"] == len(errors) == 52
    assert skill.loc[4, "historical mean"] == pytest.approx(np.sqrt(np.mean(np.square(errors))))


@pytest.mark.parametrize("kind", ["series", "labels"])
def test_the_drift_goes_on_by_the_mean_step_of_the_rows_before(kind):
    y = pd.Series(np.random.default_rng(0).gamma(2, size=60).cumsum())
    segments, n_parts = np.repeat([0, 1], 30), 1
    if kind == "series":
        y.index = pd.MultiIndex.from_arrays([np.repeat(["a", "b"], 30), np.r_[:30, :30]])
        segments, n_parts = None, 2
    skill = validate(Zero(), None, y, segments=segments, horizons=[4]).skill
    first, second = (y.iloc[rows].to_numpy() for rows in (slice(30), slice(30, 60)))
    before = np.diff(first) if n_parts == 1 else np.empty(0)
    errors = []
    for part, steps in ((first, np.empty(0)), (second, before)):
        for t in range(26):
            so_far = np.r_[steps, np.diff(part[: t + 1])]
            step = so_far.mean() if len(so_far) else 0.0
            errors.append(part[t] + 4 * step - part[t + 4])
    assert skill.loc[4, "drift"] == pytest.approx(np.sqrt(np.mean(np.square(errors))))


def test_a_model_that_only_repeats_a_meter_is_beaten_by_the_drift():
    y = np.random.default_rng(0).gamma(2, size=400).cumsum()
    result = validate(Persistence().fit(None, y), None, y, horizons=[1, 4])
    assert (result.skill["drift"] < 0.7 * result.skill["persistence"]).all()
    assert "ahead a naive forecast is better (drift, p = " in result.sentence


def test_a_model_that_persistence_beats_is_told_so(system):
    y = np.random.default_rng(2).normal(size=300).cumsum()
    late = SeasonalNaive(9).fit(None, y)
    told = "; 1 step ahead a naive forecast is better (persistence, p = "
    assert told in validate(late, None, y).sentence


def test_all_pictures_stand_on_one_figure(model, system):
    pytest.importorskip("matplotlib.pyplot").close("all")
    X, y = system
    figure = validate(model, X[600:], y[600:], horizons=3).plot(unit="kW")
    drawn = [ax for ax in figure.axes if ax.has_data()]
    assert len(drawn) == 10
    assert all(ax.get_xlabel() and ax.get_title(loc="left") for ax in drawn)
    assert sum("kW" in ax.get_xlabel() + ax.get_title(loc="left") for ax in drawn) == 4
    assert len(validate_residuals(y).plot().axes) == 3


# --- several outputs ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tanks():
    """Make two outputs, the second of which follows the first of three rows before."""
    u, *noise = np.random.default_rng(4).normal(size=(3, 900))
    y = np.zeros((900, 2))
    for t in range(3, 900):
        y[t, 0] = 0.6 * y[t - 1, 0] + u[t - 1] + 0.3 * noise[0][t]
        y[t, 1] = 0.5 * y[t - 1, 1] + noise[0][t - 3] + noise[1][t]
    Y = pd.DataFrame(y, columns=["upper", "lower"])
    X = u[:, None]
    return X, Y, ARX(input_lags=1, output_lags=1).fit(X[:600], Y[:600])


def test_each_output_has_its_verdict(tanks):
    X, Y, model = tanks
    result = validate(model, X[600:], Y[600:], horizons=2)
    y_hat = model.predict_ahead(X[600:], Y[600:])
    for i, name in enumerate(Y):
        np.testing.assert_allclose(result.outputs[name].residuals, Y[name][600:] - y_hat[:, i])
    assert result.failures == {"lower": ["phi_ee"]} and not result.is_white
    assert result.sentence.startswith(
        "The residuals of 1 of 2 outputs are white. lower: The residuals are not white: they go "
        "with those of upper of 3 rows before (phi_ee, p = "
    )
    naive = Persistence().fit(None, Y[:600]).predict_ahead(None, Y[600:], steps=[2])[:, 1, 0]
    errors = (naive - Y["lower"][600:]).iloc[2:]
    skill = result.outputs["lower"].skill.loc[2, "persistence"]
    assert skill == pytest.approx(np.sqrt(np.mean(errors**2)))


def test_outputs_of_a_right_model_are_all_white(noise):
    u = np.random.default_rng(1).normal(size=(N, 1))
    result = validate_residuals(np.transpose(noise), u)
    assert result.is_white and result.failures == {}
    assert result.sentence == "The residuals of all 2 outputs are white."


def test_residuals_of_outputs_are_correlated_as_they_are_written(noise):
    E = np.transpose(noise)
    E = pd.DataFrame((E - E.mean(axis=0)) / E.std(axis=0), columns=["a", "b"])
    result = validate_residuals(E, segments=np.repeat([0, 1], [150, 250]), n_lags=3)
    r = result.outputs["b"].tests["phi_ee"].correlations
    parts = E[:150].to_numpy(), E[150:].to_numpy()
    by_hand = [sum(p[k:, 1] @ p[:-k, 0] for p in parts) / N for k in (1, 2, 3)]
    assert list(r) == ["e", "a"]
    np.testing.assert_allclose(r["a"], by_hand)
    alone = validate_residuals(E["b"], segments=np.repeat([0, 1], [150, 250]), n_lags=3)
    np.testing.assert_allclose(r["e"], alone.tests["phi_ee"].correlations["e"])
    assert result.outputs["b"].ljung_box.statistic == pytest.approx(alone.ljung_box.statistic)


def test_outputs_stand_side_by_side(tanks):
    X, Y, model = tanks
    result = validate(model, X[600:], Y[600:].to_numpy(), horizons=2, loop="closed")
    assert list(result.pvalues) == ["output 0", "output 1"]
    assert list(result.pvalues.index) == ["phi_ue", "phi_u2e"]  # of a free run
    assert result.sentence.startswith("The residuals of all 2 outputs are those of a right model")
    frame = result.to_frame()
    assert frame.loc[("output 1", "residuals"), "value"] == "299"
    assert "<th>output 1: phi_ue</th>" in result._repr_html_() and result.sentence in repr(result)


def test_pictures_of_all_outputs_stand_on_one_figure(noise):
    pytest.importorskip("matplotlib.pyplot").close("all")
    E = pd.DataFrame(np.transpose(noise), columns=["a", "b"])
    figure = validate_residuals(E, y=E, n_shuffles=139).plot(unit={"b": "kW"})
    assert len(figure.axes) == 10 and all(ax.has_data() for ax in figure.axes)
    assert [part.get_suptitle() for part in figure.subfigs] == ["a", "b"]
    of_b = figure.subfigs[1].axes
    told = [ax for ax in figure.axes if "kW" in ax.get_xlabel() + ax.get_title(loc="left")]
    assert len(told) == 3 and set(told) <= set(of_b)


# --- what cannot be analysed ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (
            ([1.0, 2.0] * 5,),
            "10 of 10 rows have a residual, but at least 20 are needed: give more rows.",
        ),
        ((np.ones(30),), "all residuals are 1: there is nothing to analyse."),
        (
            (np.r_[np.inf, np.arange(30.0)],),
            "residuals hold infinite values: give NaN where a prediction is missing.",
        ),
        (
            (np.zeros((30, 2, 1)),),
            "residuals must have the shape (n,) or (n, n_outputs). Got shape (30, 2, 1) instead.",
        ),
        (
            (np.transpose([np.arange(30.0), np.ones(30)]),),
            "all residuals of output 1 are 1: there is nothing to analyse.",
        ),
        (
            (pd.DataFrame(np.eye(30)[:, :2], columns=["a", "a"]),),
            "two columns of residuals have one name: give each output its own.",
        ),
        (
            (np.arange(60.0).reshape(30, 2), None, np.arange(30.0)),
            "y and residuals must have the same outputs. Got 1 and 2 instead.",
        ),
        (
            (np.arange(30.0), np.zeros((29, 1))),
            "X has 29 rows, but 30 are analysed: give the same rows.",
        ),
        (
            (np.arange(30.0), np.full((30, 1), np.inf)),
            "X holds infinite values: give NaN where an input is missing.",
        ),
        (
            (np.arange(30.0), None, np.arange(29.0)),
            "y has 29 rows, but residuals have 30: give the same rows.",
        ),
        (([],), "0 of 0 rows have a residual, but at least 20 are needed: give more rows."),
        ((3.0,), "residuals must have the shape (n,) or (n, n_outputs). Got shape () instead."),
        (
            (np.empty((30, 0)),),
            "residuals must have at least one column. Got shape (30, 0) instead.",
        ),
        (
            (["a"] * 30,),
            "residuals must hold numbers, one column for each output: could not convert string to "
            "float: 'a'.",
        ),
        (
            (1j * np.arange(30),),
            "residuals must hold numbers, one column for each output: times and complex numbers "
            "are no measurements.",
        ),
        (
            (pd.date_range("2024", periods=30),),
            "residuals must hold numbers, one column for each output: times and complex numbers "
            "are no measurements.",
        ),
        (
            (np.arange(30.0), np.zeros((30, 2, 2))),
            "X must have the shape (n,) or (n, n_inputs). Got shape (30, 2, 2) instead.",
        ),
        (
            (np.arange(30.0), 1j * np.ones((30, 1))),
            "X must hold numbers, one column for each input: times and complex numbers are no "
            "measurements.",
        ),
        (
            (np.arange(30.0), None, np.full(30, np.inf)),
            "y holds infinite values: give NaN where an output is missing.",
        ),
        (
            (pd.Series(np.arange(30.0), pd.date_range("2024", periods=30)[::-1]),),
            "the index of residuals is not sorted: row 1 (2024-01-29 00:00:00) comes before row 0 "
            "(2024-01-30 00:00:00) in time: sort it with residuals.sort_index().",
        ),
        (
            (pd.Series(np.arange(30.0), pd.MultiIndex.from_product([[0], [1], range(30)])),),
            "a MultiIndex must have two levels (series, time). Got 3.",
        ),
    ],
)
def test_sentences_on_rows(arguments, sentence):
    with pytest.raises(ValueError) as error:
        validate_residuals(*arguments)
    assert str(error.value) == sentence


@pytest.mark.parametrize(
    "options, sentence",
    [
        (
            {"n_lags": 16},
            "n_lags must be an int from 1 to 15, half of the 30 residuals. Got 16 instead.",
        ),
        ({"n_shuffles": 138}, "n_shuffles must be an int >= 139. Got 138 instead."),
        (
            {"segments": [1, 2]},
            "segments must be one label for each row, of shape (30,). Got shape (2,) instead.",
        ),
        (
            {"segments": 3},
            "segments must be one label for each row, of shape (30,). Got shape () instead.",
        ),
        (
            {"segments": [[0], [0, 1]]},
            "segments must be one label for each row, of shape (30,). Got lists of several lengths "
            "instead.",
        ),
        (
            {"segments": [0.0] * 29 + [np.nan]},
            "segments has no label (NaN) in row 29: name each segment.",
        ),
        (
            {"random_state": "a"},
            "random_state must be None, an int >= 0, or a RandomState or Generator of numpy. Got "
            "'a' instead.",
        ),
    ],
)
def test_sentences_on_parameters(options, sentence):
    with pytest.raises(ValueError) as error:
        validate_residuals(np.arange(30.0), **options)
    assert str(error.value) == sentence


@pytest.mark.parametrize(
    "options, sentence",
    [
        (
            {"loop": "half"},
            "loop must be None, 'open', 'closed' or an int >= 1, in steps. Got 'half' instead.",
        ),
        (
            {"loop": 0},
            "loop must be None, 'open', 'closed' or an int >= 1, in steps. Got 0 instead.",
        ),
        ({"horizons": 0}, "horizons must be an int >= 1 or a sequence of them. Got 0 instead."),
        ({"season": 0}, "season must be None or an int >= 1, in rows. Got 0 instead."),
    ],
)
def test_sentences_on_models(model, system, options, sentence):
    with pytest.raises(ValueError) as error:
        validate(model, *system, **options)
    assert str(error.value) == sentence


def test_a_bias_is_told():
    e = np.random.default_rng(0).normal(size=400)
    assert "biased" not in validate_residuals(e).sentence
    result = validate_residuals(e - e.mean() + 0.3 * e.std())
    assert result.is_white and result.has_fault
    assert "but their mean, 0.299, is 6 standard errors from 0: the model is biased" in (
        result.sentence
    )


@pytest.mark.parametrize("of_output, of_input, is_told", [(-0.4, 0.0, True), (0.0, 0.6, False)])
def test_a_missing_output_lag_is_named_beside_an_input(of_output, of_input, is_told):
    """Where the past of the residuals is nearly as far beyond its band as the input."""
    u, e = np.random.default_rng(1).normal(size=(2, 1500))
    y = np.zeros(1500)
    for t in range(3, 1500):
        y[t] = 0.5 * y[t - 1] + of_output * y[t - 3] + u[t - 1] + of_input * u[t - 3] + 0.3 * e[t]
    model = ARX(input_lags=[1], output_lags=[1]).fit(u[:1000, None], y[:1000])
    sentence = validate(model, u[1000:, None], y[1000:], horizons=2).sentence
    assert "they go with input 0 of" in sentence
    assert ("; or let output_lags reach lag 3, and keep what leaves less" in sentence) == is_told


@pytest.mark.parametrize("errors, is_told", [(3.2, False), (3.4, True)])
def test_a_bias_of_one_right_model_in_a_thousand_is_told(errors, is_told):
    e = np.random.default_rng(3).normal(size=400)
    e += errors * e.std(ddof=1) / 20 - e.mean()
    assert ("biased" in validate_residuals(e).sentence) == is_told


def test_naive_forecasts_share_the_level_of_all_horizons(model, system):
    X, y = system
    result = validate(model, X[600:], y[600:], horizons=3)
    n = result.naive_pvalues.size
    for p, is_told in ((0.049 / n, True), (0.051 / n, False), (0.02, False)):
        pvalues = result.naive_pvalues * 0 + 1.0
        pvalues.iloc[0, 0] = p
        sentence = replace(result, naive_pvalues=pvalues).sentence
        assert ("a naive forecast is better" in sentence) == is_told


def test_the_error_of_a_mean_knows_of_memory():
    """The long-run standard deviation of an AR(1) of 0.5 is twice that of its noise."""
    e = autoregression(np.random.default_rng(1).normal(size=4000), [0.5])
    e += 0.5 - e.mean()
    told = float(re.search(r"is ([\d.]+) standard errors", validate_residuals(e).sentence)[1])
    assert told == pytest.approx(0.5 * np.sqrt(4000) / 2, rel=0.1)
    assert "biased" not in validate_residuals(e[:500] - e[:500].mean() + 0.2).sentence
    alternating = autoregression(np.random.default_rng(1).normal(size=4000), [-0.5])
    alternating += 0.1 - alternating.mean()
    mean, std = np.mean(alternating), np.std(alternating)
    assert f"is {mean / std * np.sqrt(4000):.2g} standard errors" in (
        validate_residuals(alternating).sentence
    )


def test_few_rows_for_a_horizon_blame_no_model():
    y = pd.Series(np.random.default_rng(0).normal(size=59))
    parts = np.zeros(59, dtype=int)
    bad = np.full((59, 1), 100.0)
    history = ForecastableRows(None, pd.DataFrame(index=y.index), [y], parts)

    def pvalues(horizon):
        return skill_by_horizon(bad, y, parts, [horizon], None, history)["naive_pvalues"]

    assert pvalues(1).max(axis=None) < 1e-6
    assert (pvalues(2) == 1).all(axis=None)
    bad[40] = 1e200
    assert (pvalues(1) == 0).all(axis=None)


def test_an_exact_naive_forecast_leaves_no_skill():
    y = pd.Series(np.tile([1.0, 3, 2, 8, 5], 20))
    parts = np.zeros(100, dtype=int)
    history = ForecastableRows(None, pd.DataFrame(index=y.index), [y], parts)
    known = skill_by_horizon(np.zeros((100, 1)), y, parts, [5], 5, history)
    result = replace(validate_residuals(np.random.default_rng(0).normal(size=100)), **known)
    assert "none beside an exact naive forecast" in str(result)


@pytest.mark.parametrize(
    "model, given",
    [
        (LinearRegression(), "LinearRegression"),
        (ARX, "the class ARX"),
        (None, "NoneType"),
        (np.zeros((300, 2)), "ndarray"),
    ],
)
def test_who_is_no_forecaster_is_sent_on(model, given):
    with pytest.raises(ValueError) as error:
        validate(model, None, np.arange(50.0))
    assert str(error.value) == (
        f"model must be a fitted forecaster of narxkit. Got {given} instead: validate the "
        "residuals of any other with validate_residuals."
    )


@pytest.mark.parametrize("kind", [np.asarray, pd.Series, list])
def test_inputs_and_outputs_in_each_others_place_are_told(model, system, kind):
    X, y = system
    with pytest.raises(ValueError) as error:
        validate(model, kind(y), X)
    assert str(error.value) == (
        "X must have the shape (n, n_features). Got shape (900,) instead: the order is "
        "validate(model, X, y)."
    )


def test_values_under_a_mask_are_missing(model, system):
    X, y = (values[600:].copy() for values in system)
    gaps = np.arange(300) % 40 == 7
    X[gaps], y[gaps] = np.nan, np.nan
    masked = [np.ma.array(np.where(gaps.reshape(-1, *[1] * (a.ndim - 1)), 1e6, a)) for a in (X, y)]
    for values in masked:
        values[gaps] = np.ma.masked
    result = validate(model, *masked, horizons=2)
    of_nan = validate(model, X, y, horizons=2)
    pd.testing.assert_series_equal(result.residuals, of_nan.residuals)
    pd.testing.assert_frame_equal(result.skill, of_nan.skill)
    pd.testing.assert_series_equal(
        validate_residuals(masked[1], masked[0]).pvalues, validate_residuals(y, X).pvalues
    )
    assert (
        validate_residuals(np.ma.array(np.arange(50), mask=np.arange(50) < 9))
        .residuals[:9]
        .isna()
        .all()
    )


def test_one_is_told_in_the_singular():
    y = np.random.default_rng(0).normal(size=301)
    told = validate(Odd(slice(100, 101)), None, y, horizons=2).sentence
    assert "; but 1 of 299 forecasts 2 steps ahead is not finite and counts in no error" in told
    with pytest.raises(ValueError, match="^X has 1 row, but 30 are analysed: give the same rows"):
        validate_residuals(np.arange(30.0), np.zeros((1, 1)))
    with pytest.raises(ValueError, match="^y has 1 row, but residuals have 30"):
        validate_residuals(np.arange(30.0), None, [1.0])


def test_an_output_may_be_called_e():
    E = pd.DataFrame(np.random.default_rng(0).normal(size=(200, 2)), columns=["e", "f"])
    result = validate_residuals(E)
    assert list(result.outputs["f"].tests["phi_ee"].correlations) == ["e", "output e"]
    assert "of output e" in str(result) or result.is_white


@pytest.mark.parametrize(
    ("X", "sentence"),
    [
        (pd.DataFrame(np.ones((40, 2)), columns=["a", "a"]), "X has two columns of one name"),
        (np.full((40, 1), "x"), "X must hold numbers, one column for each input: .*x"),
    ],
)
def test_inputs_that_cannot_be_told_apart_or_read(X, sentence):
    with pytest.raises(ValueError, match=sentence):
        validate_residuals(np.random.default_rng(0).normal(size=40), X)
