"""The contract of networks: a kind of which the library knows nothing has every verb."""

import re

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

import reference
from elman import Elman, ElmanRegressor
from narxkit import RollingOrigin, ahead_scorer, backtest
from narxkit.datasets import make_narendra
from narxkit.networks import make_taps
from narxkit.rows.segments import Segments
from narxkit.solvers import SOLVERS, Monitor, make_solver
from narxkit.training.objective import Objective

X, Y = make_narendra(140, noise=0.05, random_state=0)
N = 100


@pytest.fixture(scope="module")
def fitted():
    return ElmanRegressor(solver="irprop+").fit(X[:N], Y[:N])


def problem(loop, washout=0):
    """Return rows of two segments with a missing output, and an Elman network over them."""
    rng = np.random.default_rng(0)
    y = rng.normal(size=(40, 2))
    y[13, 0] = np.nan
    segments = Segments(rng.normal(size=(40, 1)), y, np.array([0, 25, 40]))
    network = Elman(make_taps([0, 1], 2, ["u"], n_outputs=2), n_hidden=3, window=4)
    weight = rng.uniform(0.5, 2.0, size=40)
    objective = Objective.over(network, segments, loop, 0.1, weight, washout=washout)
    return objective, rng.normal(scale=0.3, size=network.n_params)


@pytest.mark.parametrize("loop, washout", [("open", 0), (5, 0), ("closed", 2)])
def test_its_gradient_goes_through_time(loop, washout):
    objective, theta = problem(loop, washout)
    _, grad = objective.value_and_grad(theta)
    step = 1e-6 * np.eye(len(theta))
    differences = [(objective.value(theta + e) - objective.value(theta - e)) / 2e-6 for e in step]
    assert reference.relative_error(grad, np.array(differences)) < 1e-7


@pytest.mark.parametrize("solver", ["lbfgs", "adam", "irprop+"])
@pytest.mark.parametrize("loop", ["open", 3])
def test_solvers_train_it(solver, loop):
    params = {"solver": solver, "loop": loop}
    start = ElmanRegressor(max_iter=1, **params).fit(X[:60], Y[:60])
    model = ElmanRegressor(max_iter=8, **params).fit(X[:60], Y[:60])
    assert model.loss_ < start.loss_ and model.n_params_ == len(model.theta_)
    assert isinstance(model.structure_, Elman) and not model.is_linear_
    assert model.loop_gain_ is None and model.hidden_share_ > 0.0
    again = clone(model).fit(X[:60], Y[:60])
    np.testing.assert_array_equal(again.theta_, model.theta_)


def test_predictions_are_those_of_its_rows(fitted):
    """From the same origin, whichever verb runs: rows are the state, as far as the window."""
    ahead = fitted.predict_ahead(X, Y, steps=range(1, 9))
    path = [ahead[N + h, h] for h in range(8)]
    np.testing.assert_allclose(fitted.predict(X[N : N + 8]), path, rtol=1e-12)
    np.testing.assert_array_equal(fitted.forecast(X=X[N : N + 8]), fitted.predict(X[N : N + 8]))
    history = fitted.structure_.reach.memory
    run = fitted.simulate(X[N - history : N + 8], Y[N - history : N])
    np.testing.assert_allclose(run[history:], path, rtol=1e-12)


def test_an_update_moves_the_window(fitted):
    moved = clone(fitted).fit(X[:N], Y[:N]).update(X[N : N + 5], Y[N : N + 5])
    ahead = fitted.predict_ahead(X, Y, steps=1)
    np.testing.assert_allclose(moved.predict(X[N + 5 : N + 6]), ahead[N + 5], rtol=1e-12)


def test_a_missing_output_is_its_own_prediction(fitted):
    gaps = Y[:N].copy()
    gaps[N - 3] = np.nan
    filled = gaps.copy()
    filled[N - 3] = fitted.predict_ahead(X[:N], gaps, steps=1)[N - 3]
    model = clone(fitted).fit(X[:N], Y[:N])
    answers = [model.update(X[:N], y).predict_ahead(X[:N], y, steps=1)[-1] for y in (gaps, filled)]
    assert answers[0] == pytest.approx(answers[1], rel=1e-12)


def test_it_is_analysed_and_searched(fitted):
    answers = backtest(fitted, X[N:], Y[N:], 3)
    assert np.isfinite(answers["y_hat"]).all() and set(answers["horizon"]) == {1, 2, 3}
    search = GridSearchCV(
        ElmanRegressor(max_iter=3),
        {"window": [0, 6], "solver": ["irprop+", "lbfgs"]},
        cv=RollingOrigin(2),
        scoring=ahead_scorer(2),
    ).fit(X[:60], Y[:60])
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize("solver", ["lm", "br"])
def test_a_solver_that_it_cannot_serve_is_refused(solver):
    name = type(make_solver(solver)).__name__
    sentence = "but Elman has no 'normal_equations': choose another solver."
    with pytest.raises(TypeError, match=f"{name} needs .*{re.escape(sentence)}"):
        ElmanRegressor(solver=solver).fit(X[:60], Y[:60])


@pytest.mark.parametrize("solver", [name for name in SOLVERS if name not in ("lm", "br")])
def test_parameters_that_are_not_free_stay(solver):
    objective, theta = problem(3)
    free = np.arange(len(theta)) % 2 == 0
    some = objective.with_free(free)
    monitor, rng = Monitor(max_iter=4), np.random.default_rng(0)
    result = make_solver(solver).solve(some, theta, monitor, rng)
    np.testing.assert_array_equal(result.theta[~free], theta[~free])
    assert (result.theta[free] != theta[free]).any()
