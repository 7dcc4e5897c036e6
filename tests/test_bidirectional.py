"""Recurrent regressors that read both ways: what they learn, how they are used, what is refused."""

import copy
import pickle
import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from narxkit import (
    BlockedKFold,
    ElmanRegressor,
    GRURegressor,
    LSTMRegressor,
    RollingOrigin,
    ahead_scorer,
    backtest,
    simulation_scorer,
)
from narxkit.diagnostics import memory_profile
from narxkit.networks import BidirectionalNetwork
from narxkit.solvers import Adam, Stop
from network_family import HOURS, LAST, N, as_panel, caught, make_data

SMALL = {
    "output_lags": [],
    "input_lags": 1,
    "hidden_layer_sizes": (3,),
    "window": 5,
    "bidirectional": True,
    "alpha": 1e-3,
    "max_iter": 8,
    "random_state": 0,
}
X, Y = make_data()


def make(regressor=GRURegressor, **params):
    return regressor(**{**SMALL, **params})


@pytest.fixture(scope="module")
def fitted():
    """Shared: nothing may change it."""
    return make().fit(X[:N], Y[:N])


# ---------------------------------------------------------------- what they learn
def make_echo(n):
    """An output that says what came three rows ago, and what is to come in two."""
    u = np.random.default_rng(0).normal(size=(n + 5, 1))
    return u[3:-2], np.tanh(u[5:, 0]) + np.where(u[3:-2, 0] > 0, u[:-5, 0], 0.0)


@pytest.mark.parametrize("regressor", [ElmanRegressor, GRURegressor, LSTMRegressor])
def test_an_output_that_needs_what_is_to_come(regressor):
    """One direction learns the past half of it at most."""
    u, y = make_echo(900)
    errors = []
    for both in (False, True):
        model = regressor(output_lags=[], bidirectional=both, alpha=1e-3, random_state=0)
        path = model.fit(u[:600], y[:600]).simulate(u[600:])
        errors.append(np.mean((path - y[600:]) ** 2) / y[600:].var())
    assert errors[0] > 0.5 and errors[1] < 0.4


def test_defaults_learn_it():
    """A penalty chosen from the training rows; the segment is read as a whole."""
    u, y = make_echo(1200)
    model = LSTMRegressor(output_lags=[], bidirectional=True, random_state=0).fit(u[:900], y[:900])
    assert np.mean((model.simulate(u[900:]) - y[900:]) ** 2) < 0.3 * y[900:].var()
    assert isinstance(model.structure_, BidirectionalNetwork)
    assert [stage.loop for stage in model.loop_] == ["closed"] and 0 < model.alpha_ < np.inf
    assert not model.is_linear_ and model.hidden_share_ > 0.5 and model.loop_gain_ is None


def test_dropout_and_batches_of_segments_learn_it():
    u, y = make_echo(900)
    labels = np.arange(900) // 30
    model = make(
        hidden_layer_sizes=(8, 8), input_lags=0, dropout=0.1, solver=Adam(batch_size=5), max_iter=60
    ).fit(u, y, segments=labels)
    path = np.concatenate([model.simulate(u[labels == i]) for i in range(30)])
    assert np.mean((path - y) ** 2) < 0.5 * y.var()


# ---------------------------------------------------------------- what is read
def test_training_reads_what_simulate_reads():
    """The loss is that of the run over the training rows, from their first row with its lags."""
    model = make(alpha=0.0).fit(X[:N], Y[:N])
    run = model.simulate(X[:N])
    assert np.isnan(run[:1]).all() and np.isfinite(run[1:]).all()  # the largest lag
    errors = (run - Y[:N])[1:] / Y[:N].to_numpy().std()
    assert model.loss_ == pytest.approx(np.mean(errors**2) / 2, rel=1e-9)


def test_every_row_reaches_every_other(fitted):
    path = fitted.simulate(X[:40])
    for moved in (1, 39):
        other = X[:40].copy()
        other.iloc[moved] += 5.0
        assert (np.abs(fitted.simulate(other) - path)[1:] > 0).all()


def test_open_and_closed_loops_are_one():
    """Nothing is fed back; one-row runs have no name of their own."""
    first = make(loop="open").fit(X[:N], Y[:N])
    for loop in (1, "closed"):
        assert_array_equal(make(loop=loop).fit(X[:N], Y[:N]).theta_, first.theta_)


@pytest.mark.parametrize("loop", [12, (6, "closed")])
def test_shorter_runs(loop):
    model = make(loop=loop).fit(X[:N], Y[:N])
    assert [stage.loop for stage in model.loop_] == list(
        np.atleast_1d(np.array(loop, dtype=object))
    )
    assert model.loss_ < model.loss_curve_[0]
    wide, wider = (make(loop=12, window=w).fit(X[:N], Y[:N]).theta_ for w in (N, 2 * N))
    assert_array_equal(wide, wider)
    assert not np.allclose(wide, make(loop=12).fit(X[:N], Y[:N]).theta_)


def test_outputs_of_the_first_rows_are_a_window(fitted):
    """Where they are given the run begins behind them; they themselves are not read."""
    path = fitted.simulate(X[:40], Y[:4])
    assert np.isnan(path[:4]).all()
    assert_array_equal(path[4:], fitted.simulate(X[:40])[4:])
    assert_array_equal(path, fitted.simulate(X[:40], Y[:4] + 100.0))


def test_seams_part_stretches():
    """A jump, a label and a series are the same seam, and each segment is read alone."""
    rows, y = (table.drop(table.index[50:60]) for table in (X, Y))
    labels = np.repeat(["first", "second"], [50, LAST - 60])
    several = [labels, rows.index]
    fits = [
        make().fit(rows, y),
        make().fit(rows.to_numpy(), y.to_numpy(), segments=labels),
        make().fit(rows.set_axis(several), y.set_axis(several)),
    ]
    for other in fits[1:]:
        assert_array_equal(other.theta_, fits[0].theta_)
    panel = as_panel(X)
    both = pd.Series(fits[2].simulate(panel), panel.index)
    for key in ("forth", "back"):
        alone = fits[0].simulate(panel.loc[key])
        assert_allclose(both[key].to_numpy(), alone, rtol=0, atol=1e-12)


def test_what_missing_values_cost():
    """An input its rows, which part a stretch; an output itself alone."""
    holey, y = X.copy(), Y.copy()
    holey.iloc[40, 1] = np.nan
    y.iloc[60] = np.nan
    model, told = caught(lambda: make().fit(holey[:N], y[:N]))
    assert model.n_dropped_ == 3
    assert told == [f"3 of {N - 1} rows were left out of training because of missing values."]
    path, told = caught(lambda: model.simulate(holey))
    assert np.flatnonzero(np.isnan(path)).tolist() == [0, 40, 41]
    assert told == [
        f"a value that the prediction of row 40 ({HOURS[40]}) needs is missing, that of the column "
        f"'b' of X in row 40 ({HOURS[40]}): predictions of rows that need such a value are NaN."
    ]
    assert_allclose(path[:40], model.simulate(X[:40]), rtol=0, atol=1e-12)
    assert_allclose(path[42:], model.simulate(X[41:])[1:], rtol=0, atol=1e-12)


def test_leads_outputs_bounds():
    """A lead takes the last row; two outputs at once; no output leaves its range."""
    x, y = make_data(n_outputs=2)
    model = make(input_lags=[-1, 0], output_range=(-0.5, 0.5)).fit(x[:N], y[:N])
    path, told = caught(lambda: model.simulate(x[N:]))
    assert path.shape == (LAST - N, 2) and len(told) == 1 and "leads up to 1" in told[0]
    assert np.isnan(path[-1]).all() and np.isfinite(path[:-1]).all()
    assert path[:-1].min() == -0.5 and path[:-1].max() == 0.5


# ---------------------------------------------------------------- an estimator
def test_pickle_copy_clone_and_units(fitted):
    expected = fitted.simulate(X[N:])
    for twin in (pickle.loads(pickle.dumps(fitted)), copy.deepcopy(fitted)):
        assert_array_equal(twin.simulate(X[N:]), expected)
    again = clone(fitted).fit(X[:N], Y[:N])
    assert again.get_params() == fitted.get_params()
    assert_array_equal(again.theta_, fitted.theta_)
    moved = make().fit(X[:N] * 40.0 + 3.0, Y[:N] * 20.0 - 50.0)
    path = moved.simulate(X[N:] * 40.0 + 3.0)
    assert_allclose((path + 50.0) / 20.0, expected, atol=1e-6)


@pytest.mark.parametrize("solver", ["lbfgs", Adam(batch_size=4), "irprop+"])
def test_the_same_bits_for_any_number_of_jobs(solver):
    given = {"solver": solver, "n_restarts": 3, "combine": "mean", "max_iter": 4, "loop": 8}
    first, again, threads = (make(n_jobs=k, **given).fit(X, Y) for k in (1, 1, 2))
    for other in (again, threads):
        assert_array_equal(other.members_, first.members_)
        assert other.loss_curve_ == first.loss_curve_
    assert len({member.tobytes() for member in first.members_}) == 3
    members = [first.structure_.unpack(theta).intercept for theta in first.members_]
    assert np.isfinite(members).all() and np.isfinite(first.simulate(X)[1:]).all()


def test_single_precision_is_near(fitted):
    model = make(dtype="float32", max_iter=3).fit(X[:N], Y[:N])
    double = make(max_iter=3).fit(X[:N], Y[:N])
    path = model.simulate(X[N:])
    assert path.dtype == model.theta_.dtype == np.float64
    assert_allclose(path[1:], double.simulate(X[N:])[1:], atol=1e-2)
    assert not np.array_equal(model.theta_, double.theta_)


def test_early_stopping_scores_the_last_block():
    """Its inputs are read with those of the training rows, its outputs are not."""
    given = {"early_stopping": True, "validation_fraction": 0.2, "alpha": 0.0, "max_iter": 15}
    model = make(**given).fit(X[:100], Y[:100])
    best = int(np.argmin(model.validation_curve_))
    assert model.loss_ == model.loss_curve_[best]
    y = Y.copy()
    y[80:100] += 50.0
    other = make(**given).fit(X[:100], y[:100])
    assert other.loss_curve_[: best + 1] == model.loss_curve_[: best + 1]


def test_weights_callbacks_and_warm_starts():
    weight = np.repeat([0.0, 1.0], [50, N - 50])
    y = Y[:N].copy()
    y[:50] = -4.0
    trained = [make().fit(X[:N], each, sample_weight=weight) for each in (Y[:N], y)]
    assert_array_equal(trained[0].theta_, trained[1].theta_)
    ended = make(callback=lambda iteration: True).fit(X[:N], Y[:N])
    assert ended.stop_ is Stop.CALLBACK and ended.n_iter_ == 1
    warm = make(max_iter=4, warm_start=True).fit(X[:N], Y[:N])
    first = warm.loss_
    warm.fit(X[:N], Y[:N])
    assert warm.loss_curve_[0] == pytest.approx(first, rel=1e-9) and warm.loss_ < first
    sentence = "this is another one, with bidirectional from True to False"
    with pytest.raises(ValueError, match=sentence):
        warm.set_params(bidirectional=False).fit(X[:N], Y[:N])


# ---------------------------------------------------------------- searches
@pytest.mark.parametrize(
    "cv, warmup",
    [(RollingOrigin(2, test_size=20), None), (BlockedKFold(3), 1)],
    ids=["after the training rows", "anywhere"],
)
def test_a_search_scores_runs(cv, warmup):
    """One direction or both is a parameter like others."""
    grid = {"bidirectional": [False, True], "hidden_layer_sizes": [(2,), (3,)]}
    scorer = simulation_scorer(warmup=warmup)
    search = GridSearchCV(make(max_iter=3), grid, cv=cv, scoring=scorer).fit(X, Y)
    scores = search.cv_results_["mean_test_score"]
    assert np.isfinite(scores).all() and len(set(scores)) == len(scores)


def test_the_score_is_that_of_simulate(fitted):
    """Of a fold alone, and of one with the last row of fit as its history; in a pipeline too."""
    run = fitted.simulate(X[N:])[1:]
    score = simulation_scorer(warmup=1)(fitted, X[N:], Y[N:])
    assert score == pytest.approx(-np.sqrt(np.mean((run - Y[N + 1 :]) ** 2)), rel=1e-9)
    run = fitted.simulate(X[N - 1 :])[1:]
    score = simulation_scorer()(fitted, X[N:], Y[N:])
    assert score == pytest.approx(-np.sqrt(np.mean((run - Y[N:]) ** 2)), rel=1e-9)
    scaler = StandardScaler().set_output(transform="pandas")
    pipe = make_pipeline(scaler, make()).fit(X[:N], Y[:N])
    assert simulation_scorer()(pipe, X[N:], Y[N:]) == pytest.approx(score, rel=1e-4)


# ---------------------------------------------------------------- what is refused
NO_FORECAST = (
    "this GRURegressor was fitted with bidirectional=True and reads the rows after the one that it "
    "predicts, so that it has no forecast: give all rows of a stretch to simulate(X), score by "
    "scoring=simulation_scorer(warmup=1), or fit with bidirectional=False."
)
VERBS = {
    "predict": lambda model: model.predict(X[N:]),
    "forecast": lambda model: model.forecast(X=X[N:]),
    "forecast without inputs": lambda model: model.forecast(3),
    "predict_ahead": lambda model: model.predict_ahead(X, Y, steps=2),
    "update": lambda model: model.update(X[N:], Y[N:]),
    "score": lambda model: model.score(X[N:], Y[N:]),
    "input_gradient": lambda model: model.input_gradient(X, Y),
    "memory_profile": lambda model: memory_profile(model, X, Y),
    "backtest": lambda model: backtest(model, X[N:], Y[N:], steps=3),
    "ahead_scorer": lambda model: ahead_scorer(3)(model, X[N:], Y[N:]),
}


@pytest.mark.parametrize("verb", VERBS)
def test_what_forecasts_is_refused(verb, fitted):
    with pytest.raises(ValueError, match="^" + re.escape(NO_FORECAST)):
        VERBS[verb](fitted)
    assert np.isfinite(fitted.simulate(X)[1:]).all()


REFUSED = [
    (
        {"output_lags": 1},
        "bidirectional=True reads rows whose outputs are not known yet, but output_lags=1 asks for "
        "them: give output_lags=[], and the inputs that tell of the output as X.",
    ),
    (
        {"initial_state": "trained"},
        "bidirectional=True reads a stretch from a state of zero at both of its ends: give "
        "initial_state='zero'.",
    ),
    *(
        (
            {"solver": solver},
            f"{name} builds normal equations, for which cells that read both ways have no "
            "derivatives: give the solver 'lbfgs' or 'adam', or bidirectional=False.",
        )
        for solver, name in [("lm", "LevenbergMarquardt"), ("br", "BayesianRegularisation")]
    ),
    (
        {"dropout": 0.2, "solver": "adam"},
        "dropout=0.2 leaves out units between layers, and there is only one layer: give "
        "dropout=0, or more layers.",
    ),
    (
        {"bidirectional": "both"},
        "The 'bidirectional' parameter of GRURegressor must be an instance of 'bool' or an "
        "instance of 'numpy.bool'. Got 'both' instead.",
    ),
]


@pytest.mark.parametrize("params, sentence", REFUSED, ids=lambda one: str(one)[:40])
def test_what_cannot_be_fitted_is_refused(params, sentence):
    """And leaves the model as it was."""
    model = make(max_iter=2).fit(X[:N], Y[:N])
    before = model.simulate(X)
    with pytest.raises(ValueError, match="^" + re.escape(sentence)):
        model.set_params(**params).fit(X[:N], -Y[:N])
    assert_array_equal(model.simulate(X), before)


def test_a_model_of_y_alone_has_nothing_to_read():
    with pytest.raises(ValueError, match="neither output lags nor inputs: give X, a cal"):
        make().fit(None, Y[:N])
