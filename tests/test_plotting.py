"""Displays draw what they were given, name it, and leave matplotlib's style alone."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from narxkit import (
    CMAES,
    NARX,
    GeneticSearchCV,
    Integer,
    Persistence,
    RollingOrigin,
    SeasonalNaive,
    ahead_scorer,
    backtest,
    skill_table,
)
from narxkit.datasets import make_narendra
from narxkit.diagnostics import stochasticity, validate_residuals
from narxkit.plotting import (
    ErrorAutocorrelationDisplay,
    ErrorHistogramDisplay,
    ForecastDisplay,
    HorizonDisplay,
    InputErrorCorrelationDisplay,
    ParetoDisplay,
    RegressionDisplay,
    ResponseDisplay,
    TrainingDisplay,
)
from narxkit.plotting.horizon import _spread

matplotlib = pytest.importorskip("matplotlib")
plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def untouched_style():
    before = matplotlib.rcParams.copy()
    yield
    plt.close("all")
    assert matplotlib.rcParams == before


@pytest.fixture
def y():
    index = pd.date_range("2024-05-01", periods=96, freq="h", name="time")
    return pd.Series(10 + np.sin(2 * np.pi * np.arange(96) / 24), index=index, name="power")


@pytest.fixture(scope="module")
def runs():
    y = np.random.default_rng(0).normal(size=200).cumsum()
    models = {"seasonal naive": SeasonalNaive(24), "persistence": Persistence()}
    return {name: backtest(m.fit(None, y), None, y, steps=12) for name, m in models.items()}


@pytest.fixture(scope="module")
def network():
    X, y = make_narendra(300, random_state=0)
    return NARX(early_stopping=True, max_iter=15, random_state=0).fit(X[:280], y[:280])


def drawn(line):
    return np.asarray(line.get_ydata(), dtype=float)


def texts(legend):
    return [text.get_text() for text in legend.get_texts()]


# --- forecasts ---------------------------------------------------------------------------------


def test_forecast_draws_history_forecast_and_truth(y):
    y_pred = y[72:] + 1
    display = ForecastDisplay.from_predictions(y[72:], y_pred, history=y[:72], unit="kW")
    np.testing.assert_array_equal(drawn(display.history_line_), y[:72])
    np.testing.assert_array_equal(drawn(display.true_line_), y[72:])
    np.testing.assert_array_equal(drawn(display.forecast_lines_["forecast"]), y_pred)
    assert display.ax_.get_title(loc="left") == "power, kW"
    assert display.ax_.get_xlabel() == "time"
    assert texts(display.legend_) == ["history", "measured", "forecast"]
    assert display.figure_ is display.ax_.figure


def test_forecast_draws_several_forecasts_onto_given_axes(y):
    _, ax = plt.subplots()
    forecasts = {"NARX": y[72:] + 1, "ridge": y[72:] - 1}
    display = ForecastDisplay.from_predictions(y[72:], forecasts, ax=ax, lw=3.5)
    assert display.ax_ is ax and display.history_line_ is display.origin_line_ is None
    assert list(display.forecast_lines_) == ["NARX", "ridge"]
    colours = {line.get_color() for line in display.forecast_lines_.values()}
    assert len(colours) == 2
    assert {line.get_linewidth() for line in display.forecast_lines_.values()} == {3.5}


def test_forecast_highlights_one_in_front_of_the_others(y):
    forecasts = {"ridge": y[72:] - 1, "NARX": y[72:] + 1, "naive": y[72:]}
    display = ForecastDisplay.from_predictions(y[72:], forecasts, highlight="NARX", history=y[:72])
    lines = display.forecast_lines_
    assert lines["NARX"].get_color() == "#0072b2" and lines["NARX"].get_linewidth() > 2
    for name in ("ridge", "naive"):
        assert lines[name].get_zorder() < lines["NARX"].get_zorder()
        assert lines[name].get_linewidth() < lines["NARX"].get_linewidth()
    assert texts(display.legend_) == ["history", "measured", "NARX", "ridge", "naive"]
    with pytest.raises(ValueError) as error:
        ForecastDisplay.from_predictions(y[72:], forecasts, highlight="ARX")
    assert str(error.value) == "highlight must be one of ridge, NARX, naive. Got 'ARX' instead."


def test_forecast_without_truth(y):
    display = ForecastDisplay.from_predictions(None, {"model": y[72:]}, target="wind", unit="m/s")
    assert display.true_line_ is None
    assert display.ax_.get_title(loc="left") == "wind, m/s"


def test_arrays_take_the_clock_beside_them(y):
    display = ForecastDisplay.from_predictions(y[72:], y[72:].to_numpy(), history=y[:72])
    assert display.y_pred["forecast"].index.equals(y.index[72:])


def test_arrays_are_counted_from_the_origin():
    display = ForecastDisplay.from_predictions([3.0, 4.0], [3.5, 4.5], history=[1.0, 2.0])
    assert display.history_line_.get_xdata().tolist() == [-1, 0]
    assert display.true_line_.get_xdata().tolist() == [1, 2]
    assert display.ax_.get_xlabel() == "steps from the origin"


@pytest.mark.parametrize("kind", ["zone", "period"])
def test_clocks_of_all_kinds(y, kind):
    y = y.tz_localize("Europe/Berlin") if kind == "zone" else y.to_period("h")
    display = ForecastDisplay.from_predictions(y[72:], y[72:], history=y[:72])
    display.figure_.canvas.draw()
    assert display.ax_.get_xlabel() == ("time, Europe/Berlin" if kind == "zone" else "time")


def test_forecast_from_an_estimator(y):
    model = SeasonalNaive(24).fit(None, y[:72])
    display = ForecastDisplay.from_estimator(model, y=y[72:], history=y[:72])
    np.testing.assert_allclose(drawn(display.forecast_lines_["SeasonalNaive"]), y[48:72])


def test_forecast_from_an_estimator_with_inputs(network):
    X, y = make_narendra(300, random_state=0)
    display = ForecastDisplay.from_estimator(network, X[280:], y[280:], name="network")
    np.testing.assert_array_equal(
        drawn(display.forecast_lines_["network"]), network.predict(X[280:])
    )


def test_two_outputs_at_once_are_refused():
    with pytest.raises(ValueError) as error:
        ForecastDisplay.from_predictions(None, np.zeros((5, 2)))
    assert str(error.value) == (
        "ForecastDisplay draws one series, but forecast has the shape (5, 2): give one output at "
        "a time."
    )


def test_an_array_of_another_length_is_refused(y):
    with pytest.raises(ValueError) as error:
        ForecastDisplay.from_predictions(y[72:], np.zeros(5))
    assert str(error.value) == (
        "forecast has 5 values where 24 were given beside it: give as many, or a Series with its "
        "own index."
    )


def test_clock_and_no_clock_are_refused(y):
    with pytest.raises(ValueError) as error:
        ForecastDisplay.from_predictions([1.0, 2.0], [1.0, 2.0], history=y)
    assert str(error.value) == (
        "some of history, y_true and y_pred have time stamps and others do not: give all of them "
        "as Series with time stamps, or none."
    )


# --- errors by horizon -------------------------------------------------------------------------


def test_horizons_draw_the_errors_of_backtests(runs):
    """Over the targets that all of them forecast, as in `skill_table`."""
    display = HorizonDisplay.from_backtests(runs, unit="kW", step="h")
    table = skill_table(runs, horizons=range(1, 13))
    origins = [set(run["origin"]) for run in runs.values()]
    assert origins[0] != origins[1]
    for name in runs:
        errors = table.loc[name, [f"RMSE h={h}" for h in range(1, 13)]]
        np.testing.assert_allclose(drawn(display.lines_[name]), errors.astype(float))
        assert display.labels_[name].get_text() == name
    assert display.ax_.get_title(loc="left") == "RMSE, kW"
    assert display.ax_.get_xlabel() == "horizon, h"


def test_the_highlighted_model_is_the_bold_one(runs):
    display = HorizonDisplay.from_backtests(runs, highlight="persistence")
    widths = {name: line.get_linewidth() for name, line in display.lines_.items()}
    assert widths["persistence"] > widths["seasonal naive"]
    assert display.labels_["persistence"].get_fontweight() == "bold"


def test_an_unknown_highlight_is_refused(runs):
    with pytest.raises(ValueError) as error:
        HorizonDisplay.from_backtests(runs, highlight="NARX")
    assert str(error.value) == (
        "highlight must be one of seasonal naive, persistence. Got 'NARX' instead."
    )


def test_names_stand_apart_even_where_lines_meet():
    names = list("abcde")
    rmse = pd.DataFrame(np.full((3, 5), [1.0, 1.0, 1.0, 2.0, 9.0]), [1, 2, 3], names)
    display = HorizonDisplay(rmse=rmse).plot()
    display.figure_.canvas.draw()
    boxes = sorted(label.get_window_extent().y0 for label in display.labels_.values())
    assert np.diff(boxes).min() > 1.2 * 9 * display.figure_.dpi / 72


@pytest.mark.filterwarnings("error")
def test_no_error_at_all_stands_at_the_bottom():
    rmse = pd.DataFrame({"model": [2.0, 3.0], "exact": [1.0, 0.0]}, [1, 2])
    display = HorizonDisplay(rmse=rmse).plot()
    low, _ = display.ax_.get_ylim()
    assert display.labels_["exact"].xy == (2, low) and display.labels_["model"].xy == (2, 3)


def test_lines_of_many_models_are_told_apart(y):
    """Behind the last colour lines are dashed, in both displays alike."""
    names = [f"model {i}" for i in range(11)]
    errors = HorizonDisplay(rmse=pd.DataFrame(1.0 + np.arange(11.0)[None], [1], names)).plot()
    ahead = ForecastDisplay.from_predictions(y, dict.fromkeys(names, y))
    styles = [
        [(line.get_color(), line.get_linestyle()) for line in lines.values()]
        for lines in (errors.lines_, ahead.forecast_lines_)
    ]
    assert styles[0] == styles[1] and len(set(styles[0])) == 11
    assert [dash for _, dash in styles[0]] == ["-"] * 6 + ["--"] * 5


def test_spread_moves_only_what_is_too_close():
    np.testing.assert_allclose(_spread(np.array([0.0, 10.0, 11.0, 30.0]), 3), [0, 9, 12, 30])


# --- training ----------------------------------------------------------------------------------


def test_training_draws_both_curves_and_the_reason(network):
    display = TrainingDisplay.from_estimator(network)
    np.testing.assert_array_equal(drawn(display.loss_line_), network.loss_curve_)
    np.testing.assert_array_equal(drawn(display.validation_line_), network.validation_curve_)
    assert drawn(display.best_)[0] == min(network.validation_curve_)
    assert display.stop_text_.get_text() == str(network.stop_)
    assert display.ax_.get_xlabel() == "iteration"
    assert display.ax_.get_title(loc="left") == "loss, standardised units"
    assert display.ax_.get_title(loc="right") == "NARX"
    assert texts(display.legend_) == ["training", "held out", "weights kept"]


def test_a_network_that_is_off_is_drawn_as_what_it_is():
    y = make_narendra(100, random_state=0)[1]
    model = NARX(hidden_layer_sizes=(), max_iter=5).fit(None, y[:80])
    display = TrainingDisplay.from_estimator(model)
    assert display.ax_.get_title(loc="right") == "linear (NARX, network off)"
    display = ForecastDisplay.from_estimator(model, y=y[80:])
    assert list(display.forecast_lines_) == ["linear (NARX, network off)"]


def test_training_without_held_out_rows():
    display = TrainingDisplay(loss_curve=[3.0, 2.0, 1.0]).plot()
    assert display.validation_line_ is None and display.stop_text_.get_text() == ""
    assert drawn(display.best_).tolist() == [1.0]


def test_training_draws_the_mean_of_a_population_and_where_its_polish_begins():
    X, y = make_narendra(120, random_state=0)
    model = NARX(1, 1, (2,), solver="ga", alpha=1e-3, max_iter=6, random_state=0).fit(X, y)
    display = TrainingDisplay.from_estimator(model)
    np.testing.assert_array_equal(drawn(display.population_line_), model.logbook_["mean"])
    assert display.polish_line_.get_xdata()[0] == model.logbook_["generation"].iloc[-1] == 3
    assert "mean of the population" in texts(display.legend_)
    assert display.ax_.get_yscale() == "log"
    alone = TrainingDisplay(loss_curve=model.loss_curve_[:4], logbook=model.logbook_).plot()
    assert alone.polish_line_ is None and alone.population_line_ is not None
    assert TrainingDisplay(loss_curve=[3.0, 2.0]).plot().population_line_ is None


def test_training_draws_a_loss_of_the_users_own():
    """Which may be negative, where no decade is."""
    X, y = make_narendra(120, random_state=0)
    solver = CMAES(population_size=6, loss=lambda y, y_hat: -float(np.corrcoef(y, y_hat)[0, 1]))
    model = NARX(1, 1, (2,), solver=solver, alpha=1e-3, max_iter=4, random_state=0).fit(X, y)
    display = TrainingDisplay.from_estimator(model)
    assert display.ax_.get_yscale() == "linear"
    assert display.unit == "that of the solver"


def search_of(best, mean):
    """Return what a genetic search has of its generations."""
    generations = np.arange(1, len(best) + 1)
    search = GeneticSearchCV(Persistence(), {})
    search.logbook_ = pd.DataFrame({"generation": generations, "best": best, "mean": mean})
    search.stop_ = "The time limit was reached."
    return search


def test_training_draws_the_generations_of_a_search():
    display = TrainingDisplay.from_estimator(search_of([0.5, 0.7, 0.7], [0.1, 0.4, 0.6]))
    assert display.loss_line_.get_xdata().tolist() == [1, 2, 3]
    assert drawn(display.loss_line_).tolist() == [0.5, 0.7, 0.7]
    assert drawn(display.population_line_).tolist() == [0.1, 0.4, 0.6]
    assert (display.best_.get_xdata().tolist(), drawn(display.best_).tolist()) == ([2], [0.7])
    assert texts(display.legend_) == ["best so far", "mean of the population", "configuration kept"]
    assert display.ax_.get_xlabel() == "generation" and display.ax_.get_yscale() == "linear"
    assert display.ax_.get_title(loc="left") == "score"
    assert display.ax_.get_title(loc="right") == "GeneticSearchCV"
    assert display.stop_text_.get_text() == "The time limit was reached."


def test_training_draws_negative_errors_of_a_search_as_errors():
    display = TrainingDisplay.from_estimator(search_of([-3.0, -1.0], [np.nan, -2.0]))
    assert drawn(display.loss_line_).tolist() == [3.0, 1.0]
    assert drawn(display.population_line_)[1] == 2.0 and drawn(display.best_).tolist() == [1.0]
    assert display.ax_.get_title(loc="left") == "error" and display.ax_.get_yscale() == "log"
    # nothing is no error, and has no place on a logarithmic axis
    exact = TrainingDisplay.from_estimator(search_of([-1.0, 0.0], [-2.0, -1.0]))
    assert exact.ax_.get_yscale() == "linear" and drawn(exact.best_).tolist() == [0.0]


def test_training_of_a_model_without_iterations_is_refused():
    with pytest.raises(ValueError) as error:
        TrainingDisplay.from_estimator(Persistence())
    assert str(error.value) == (
        "TrainingDisplay draws loss_curve_ or the logbook_ of a search, and this Persistence has "
        "neither: give a fitted network or a fitted GeneticSearchCV."
    )


# --- errors ------------------------------------------------------------------------------------


def test_response_draws_both_and_their_differences(y):
    display = ResponseDisplay.from_predictions(y, y + 1, unit="kW")
    np.testing.assert_array_equal(drawn(display.true_line_), y)
    np.testing.assert_array_equal(drawn(display.pred_line_), y + 1)
    assert len(display.error_lines_.get_segments()) == len(y)
    assert texts(display.legend_) == ["measured", "predicted", "error"]
    assert (display.ax_.get_title(loc="left"), display.ax_.get_xlabel()) == ("power, kW", "time")


@pytest.mark.parametrize("loop", ["open", "closed"])
def test_displays_of_errors_from_an_estimator(network, loop):
    X, y = make_narendra(300, random_state=0)
    if loop == "open":
        y_hat = network.predict_ahead(X, y)
    else:
        y_hat = network.simulate(X, y_init=y[: network.max_lag_])
    for kind in (ResponseDisplay, RegressionDisplay, ErrorHistogramDisplay):
        display = kind.from_estimator(network, X, y, loop=loop)
        np.testing.assert_array_equal(display.y_pred, y_hat)
    for kind in (ErrorAutocorrelationDisplay, InputErrorCorrelationDisplay):
        display = kind.from_estimator(network, X, y, loop=loop, n_lags=7)
        assert display.correlation.index[-1] == 7 and len(display.bars_) in (7, 15)
        assert display.band == pytest.approx(1.96 / np.sqrt(np.isfinite(y_hat).sum()), rel=1e-4)


def test_regression_fits_a_line(y):
    display = RegressionDisplay.from_predictions(y, 2 - 0.5 * y, unit="kW")
    assert (display.intercept_, display.slope_, display.r_) == pytest.approx((2, -0.5, -1))
    assert display.text_.get_text() == "R = -1.000, fit 2 - 0.5 y"
    assert display.ax_.get_xlabel() == "power, measured, kW"


def test_histogram_counts_rows(y):
    display = ErrorHistogramDisplay.from_predictions(y, y + 1 + (np.arange(96) % 2), bins=2)
    assert [bar.get_height() for bar in display.bars_] == [48, 48]
    assert display.text_.get_text() == "normal of mean -1.5 and std 0.5"
    assert ErrorHistogramDisplay.from_predictions(y, y).normal_line_ is None


def test_an_input_that_was_missed_leaves_the_band():
    u, noise = np.random.default_rng(0).normal(size=(2, 300))
    y, zero = pd.Series(np.roll(u, 2) + 0.1 * noise), np.zeros(300)
    display = InputErrorCorrelationDisplay.from_predictions(pd.Series(u, name="wind"), y, zero)
    assert display.correlation.idxmax() == 2 and display.correlation[2] > display.band
    assert display.ax_.get_title(loc="left") == "correlation of errors with wind"


@pytest.mark.parametrize(
    "call, sentence",
    [
        (
            lambda y: RegressionDisplay.from_predictions(y, y.shift(freq="h")),
            "RegressionDisplay compares the same rows, but the indexes of y_true and y_pred "
            "differ: give y_pred.loc[y_true.index].",
        ),
        (
            lambda y: ResponseDisplay.from_predictions(y, np.nan * y),
            "ResponseDisplay needs at least two rows that are measured and predicted: y_true and "
            "y_pred, of 96 rows, share 0.",
        ),
        (
            lambda y: ErrorAutocorrelationDisplay.from_predictions(y, y, n_lags=96),
            "n_lags must be an int from 1 to 95, fewer than the 96 rows that "
            "ErrorAutocorrelationDisplay draws. Got 96 instead.",
        ),
        (
            lambda y: InputErrorCorrelationDisplay.from_predictions([1.0], y, y),
            "InputErrorCorrelationDisplay draws one input with a value for each of the 96 rows of "
            "y_true, but u has the shape (1,): give one column of X.",
        ),
        (
            lambda y: InputErrorCorrelationDisplay.from_estimator(None, None, y),
            "InputErrorCorrelationDisplay draws an input, but X is None: give X.",
        ),
        (
            lambda y: InputErrorCorrelationDisplay.from_estimator(
                None, pd.DataFrame({"a": y}), y, column="b"
            ),
            "X has no column 'b': it has a.",
        ),
    ],
)
def test_sentences_of_displays_of_errors(y, call, sentence):
    with pytest.raises(ValueError) as error:
        call(y)
    assert str(error.value) == sentence


LONG = "global horizontal irradiation of the northern site"


def boxes_of_words(figure):
    """Return where titles, names of axes and legends stand, in pixels."""
    figure.canvas.draw()
    words = [ax.xaxis.label for ax in figure.axes]
    words += [
        text
        for ax in figure.axes
        for text in ax.findobj(matplotlib.text.Text)
        if text.get_text() and text.get_text() == ax.get_title(loc="left")
    ]
    words += [text for ax in figure.axes for text in ax.texts if text.get_text()]
    words += [ax.get_legend() for ax in figure.axes if ax.get_legend() is not None]
    return [word.get_window_extent() for word in words]


def overlaps(boxes):
    return [
        (a, b)
        for i, a in enumerate(boxes)
        for b in boxes[:i]
        if a.overlaps(b) and a.width * b.width
    ]


@pytest.mark.parametrize("name", ["u", LONG, LONG.replace(" ", "_")])
def test_words_of_long_names_do_not_touch(name):
    u, e = np.random.default_rng(0).normal(size=(2, 100))
    y = pd.Series(e, name=name)
    figure = validate_residuals(y, pd.DataFrame({name: u}), y, n_shuffles=139).plot(unit="W/m²")
    boxes = boxes_of_words(figure)
    assert len(boxes) == 9 * 2 + 3 and not overlaps(boxes)
    assert all(box.x0 > -1 and box.x1 < figure.bbox.width + 1 for box in boxes)
    boxes = boxes_of_words(ResponseDisplay.from_predictions(y, y / 2, unit="W/m²").figure_)
    assert len(boxes) == 3 and not overlaps(boxes)


@pytest.mark.parametrize("name", ["NARX", "linear (NARX, network off)"])
def test_names_of_many_forecasts_stay_in_the_figure(y, name):
    names = [name, "persistence", "smart persistence", "seasonal naive", "climatology", "ridge ARX"]
    forecasts = {one: y[72:] + i for i, one in enumerate(names)}
    figure = plt.figure(figsize=(11, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    right.set_title("RMSE", loc="left")
    style = {"weight": "bold", "fontsize": 9, "transform": right.transAxes}
    right.text(1.01, 0.5, "linear (NARX, network off)", **style)  # leaves less room beside it
    display = ForecastDisplay.from_predictions(y[72:], forecasts, history=y[:72], ax=left)
    figure.canvas.draw()
    box = display.legend_.get_window_extent()
    padding = 0.4 * 9 * figure.dpi / 72  # around the names, without ink
    assert len(texts(display.legend_)) == 8 and box.x0 >= -padding - 1


@pytest.mark.parametrize("kind", [RegressionDisplay, ErrorHistogramDisplay])
def test_words_on_a_fit_stand_off_what_is_drawn(kind):
    """Values of a skewed series lie low, those of its errors to the right or to the left."""
    y = np.random.default_rng(0).weibull(1.2, size=300)
    for y_pred in (y**0.5, 2 * y):
        display = kind.from_predictions(y, y_pred)
        display.figure_.canvas.draw()
        assert display.text_.get_window_extent().y0 >= display.ax_.bbox.y1


def test_series_of_a_panel_stand_apart_and_have_names():
    """Rows come time after time, as they may."""
    rows = [(name, t) for t in range(30) for name in ("north", "south")] + [("west", 0)]
    index = pd.MultiIndex.from_tuples(rows, names=["site", "hour"])
    y = pd.Series(np.arange(61.0), index)
    display = ResponseDisplay.from_predictions(y, y + 1)
    line = np.r_[np.arange(0, 60, 2), np.nan, np.arange(1, 60, 2), np.nan, 60]
    np.testing.assert_array_equal(drawn(display.true_line_), line)
    np.testing.assert_array_equal(drawn(display.pred_line_), line + 1)
    x = display.true_line_.get_xdata()
    np.testing.assert_array_equal(x[[29, 30, 31, -1]], [29, 29.5, 30, 60])
    marks = [c for c in display.ax_.collections if c is not display.error_lines_]
    assert [segment[0][0] for segment in marks[0].get_segments()] == [29.5, 59.5]
    shown = [label.get_text() for label in display.ax_.get_xticklabels()]
    assert shown == ["north", "south", "west"]
    assert display.ax_.get_xticks().tolist() == [14.5, 44.5, 60]
    assert display.ax_.get_xlabel() == "rows of each site, one after the other"


def test_names_of_many_series_do_not_touch():
    names = [f"station {i} in a valley with a long name" for i in range(30)]
    y = pd.Series(np.arange(300.0), pd.MultiIndex.from_product([names, range(10)]))
    display = ResponseDisplay.from_predictions(y, y + 1)
    display.figure_.canvas.draw()
    labels = display.ax_.get_xticklabels()
    assert labels[0].get_text() == "station 0 in a valley w…" and len(labels) > 1
    assert not overlaps([label.get_window_extent() for label in labels])


def test_no_words_stand_on_autocorrelations():
    y = np.random.default_rng(0).normal(size=300).cumsum()
    _, correlation, _ = stochasticity(y, random_state=0).plot()
    assert not correlation.texts
    assert correlation.get_xlabel() == "lag, rows; grey: 95 % band of white noise"


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_errors_of_any_size_are_drawn(scale):
    y, e = scale * np.random.default_rng(0).normal(size=(2, 50))
    for kind in (ResponseDisplay, RegressionDisplay, ErrorHistogramDisplay):
        kind.from_predictions(y, y + e).figure_.canvas.draw()
    fits = [RegressionDisplay.from_predictions(y / k, (y + e) / k) for k in (1, scale)]
    assert fits[0].r_ == pytest.approx(fits[1].r_) and fits[0].slope_ == pytest.approx(
        fits[1].slope_
    )
    assert fits[0].intercept_ == pytest.approx(scale * fits[1].intercept_, rel=1e-9, abs=0)
    text = ErrorHistogramDisplay.from_predictions(y, y + e).text_.get_text()
    assert f"std {scale * np.std(e / scale):.3g}" in text


# --- matplotlib --------------------------------------------------------------------------------


def test_without_matplotlib_a_sentence_says_how_to_get_it(monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError) as error:
        TrainingDisplay(loss_curve=[2.0, 1.0]).plot()
    assert str(error.value) == (
        "plots need matplotlib, which is not installed: pip install 'narxkit[plot]'."
    )


def test_the_module_imports_no_matplotlib(tmp_path):
    code = "import sys, narxkit.plotting, narxkit.evaluation; print('matplotlib' in sys.modules)"
    path = [entry for entry in sys.path if entry]
    answer = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {path!r}; {code}"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert answer.stdout.strip() == "False", answer.stderr


# --- fronts --------------------------------------------------------------------------------------


FRONT = pd.DataFrame({"score": [-2.0, -1.5, -1.4], "n_params_": [5.0, 12.0, 40.0]})


def test_a_front_is_drawn_as_errors_above_all_that_was_tried():
    scores, sizes = [-2.0, -1.5, -3.0, -1.4, -np.inf, np.nan], [5, 12, 20, 40, 50, 60]
    display = ParetoDisplay(front=FRONT[::-1], score=scores, n_params=sizes, unit="m/s").plot()
    np.testing.assert_array_equal(drawn(display.front_line_), [2.0, 1.5, 1.4])
    np.testing.assert_array_equal(display.front_line_.get_xdata(), [5, 12, 40])
    np.testing.assert_array_equal(drawn(display.evaluated_line_)[:4], [2.0, 1.5, 3.0, 1.4])
    assert np.isnan(drawn(display.evaluated_line_)[4:]).all()
    assert display.best_.get_xdata() == [40] and drawn(display.best_) == [1.4]
    assert texts(display.legend_) == ["front", "best", "tried"]
    ax = display.ax_
    assert (ax.get_title(loc="left"), ax.get_xlabel()) == ("error, m/s", "parameters")
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")


def test_a_front_of_scores_is_drawn_as_it_is():
    front = FRONT.assign(score=[0.1, 0.5, 0.6])
    display = ParetoDisplay(front=front).plot(lw=3.0)
    np.testing.assert_array_equal(drawn(display.front_line_), [0.1, 0.5, 0.6])
    assert display.front_line_.get_linewidth() == 3.0 and display.evaluated_line_ is None
    assert display.ax_.get_title(loc="left") == "score" and display.ax_.get_yscale() == "linear"


def test_an_empty_front_is_not_drawn():
    with pytest.raises(ValueError, match="the front is empty: no configuration has a finite"):
        ParetoDisplay(front=FRONT[:0]).plot()


def test_a_front_is_that_of_a_search(network):
    search = GeneticSearchCV(
        NARX(max_iter=3, alpha=1e-3, random_state=0),
        {"hidden_layer_sizes": Integer(1, 4)},
        objectives=("score", "n_params_"),
        population_size=4,
        generations=1,
        cv=RollingOrigin(1, test_size=40),
        scoring={"rmse": ahead_scorer(2), "mae": ahead_scorer(2, "mae")},
        refit="mae",
        random_state=0,
    ).fit(*make_narendra(120, random_state=0))
    display = ParetoDisplay.from_estimator(search)
    np.testing.assert_array_equal(drawn(display.front_line_), -search.pareto_front_["score"])
    np.testing.assert_array_equal(
        drawn(display.evaluated_line_), -search.cv_results_["mean_test_mae"]
    )
    with pytest.raises(ValueError) as caught:
        ParetoDisplay.from_estimator(network)
    assert str(caught.value) == (
        "ParetoDisplay draws pareto_front_, and this NARX has none: fit a GeneticSearchCV with "
        "objectives=('score', 'n_params_')."
    )
