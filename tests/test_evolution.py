"""Populations: generations, polish, draws and threads, and losses of the user's own."""

import pickle
import random
import re
import signal
import threading
import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import check_estimator

from narxkit import (
    CMAES,
    NARX,
    TDNN,
    Annealing,
    ElmanRegressor,
    GeneticAlgorithm,
    GRURegressor,
    LSTMRegressor,
    RollingOrigin,
)
from narxkit.datasets import make_narendra
from narxkit.solvers import LBFGS, LevenbergMarquardt, Monitor, Stop, make_solver
from narxkit.solvers._population import Population, _Space
from narxkit.solvers.genetic_algorithm import _best, _blend, _mutate, _tournaments, breed
from narxkit.training.objective import Objective
from nist import LeastSquares

NAMES = ("ga", "cmaes", "annealing")
SMALL = {
    "ga": GeneticAlgorithm(population_size=12),
    "cmaes": CMAES(population_size=8),
    "annealing": Annealing(n_chains=4, n_steps=3),
}
KINDS = {
    "NARX": NARX([1], 1, (3,)),
    "TDNN": TDNN([0, 1], (3,)),
    "Elman": ElmanRegressor([1], 1, window=4, hidden_layer_sizes=(2,)),
    "GRU": GRURegressor([1], 1, window=4, hidden_layer_sizes=(2,)),
    "LSTM": LSTMRegressor([1], 1, window=4, hidden_layer_sizes=(2,)),
}
GIVEN = {"alpha": 1e-3, "max_iter": 8, "random_state": 0}
every_name = pytest.mark.parametrize("name", NAMES)


def small(name, **params):
    """Return a solver of few individuals."""
    return clone(SMALL[name]).set_params(**params)


@pytest.fixture(scope="module")
def data():
    return make_narendra(120, random_state=0)


def objective_of(model, X, y, loop="open", **given):
    """Return the objective of a fitted model over its rows."""
    origins = model._origins(X, y, None)
    return Objective.over(
        model.structure_, model._scale.apply(origins.segments), loop, 1e-3, **given
    )


def asymmetric(y, y_hat):
    """Count what is too high three times."""
    e = y_hat - y
    return float(np.mean(np.where(e > 0, 3.0 * e, -e)))


# ---------------------------------------------------------------- draws and threads


@every_name
def test_the_number_of_threads_changes_no_bit(name, data):
    for loop in ("open", 3):
        models = [
            NARX([1], 2, (3,), solver=small(name), loop=loop, n_jobs=n, **GIVEN).fit(*data)
            for n in (1, 2)
        ]
        assert_array_equal(models[0].theta_, models[1].theta_)
        pd.testing.assert_frame_equal(models[0].logbook_, models[1].logbook_)


@every_name
def test_another_seed_gives_another_run(name, data):
    one, other = (
        NARX([1], 2, (3,), solver=small(name, polish=None), **GIVEN | {"random_state": seed})
        for seed in (0, 1)
    )
    assert one.fit(*data).logbook_["mean"].iloc[-1] != other.fit(*data).logbook_["mean"].iloc[-1]


@every_name
def test_the_global_random_states_stay(name, data):
    """Also after an error, and whatever they are they change nothing."""

    def break_off(iteration):
        raise OSError("no disk")

    model = NARX([1], 2, (3,), solver=small(name), **GIVEN)
    thetas = []
    for seed in (0, 1):
        random.seed(seed)
        np.random.seed(seed)
        before = random.getstate(), np.random.get_state()
        thetas.append(clone(model).fit(*data).theta_)
        with pytest.raises(OSError, match="no disk"):
            clone(model).set_params(callback=break_off).fit(*data)
        assert random.getstate() == before[0]
        assert_array_equal(np.random.get_state()[1], before[1][1])
        assert np.random.get_state()[2:] == before[1][2:]
    assert_array_equal(*thetas)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_threads", [1, 2])
def test_values_of_a_population_are_those_of_its_members(kind, n_threads, data):
    model = clone(KINDS[kind]).set_params(**GIVEN | {"max_iter": 1}).fit(*data)
    rng = np.random.default_rng(0)
    for loop in ("open", 3, "closed"):
        objective = objective_of(model, *data, loop)
        objective = objective.in_units(objective.units, n_threads)
        thetas = model.theta_ + 0.1 * rng.normal(size=(7, model.n_params_))
        thetas[3] = 1e6  # which may diverge
        losses = objective.population_values(thetas)
        assert_array_equal(losses, [objective.value(theta) for theta in thetas])
        own = objective.with_loss(asymmetric)
        losses = own.population_values(thetas)
        assert_array_equal(losses, [own.value(theta) for theta in thetas])


@pytest.mark.parametrize("fails", ["caller", "other"])
def test_an_error_in_any_thread_is_raised(fails, data):
    """Of the loss, which threads call side by side; none of them goes on behind the error."""
    model = clone(KINDS["NARX"]).set_params(**GIVEN | {"max_iter": 1}).fit(*data)
    objective = objective_of(model, *data)
    objective = objective.in_units(objective.units, 2)
    calls, failed = {"caller": 0, "other": 0}, threading.Event()

    def cost(y, y_hat):
        who = "caller" if threading.current_thread() is threading.main_thread() else "other"
        calls[who] += 1
        if who == fails:
            failed.set()
            raise OSError("no disk")
        failed.wait(10.0)  # or one of them might do all of the work itself
        return 0.0

    with pytest.raises(OSError, match="no disk"):
        objective.with_loss(cost).population_values(np.tile(model.theta_, (30, 1)))
    assert calls[fails] == 1 and sum(calls.values()) == 26  # the rest of a part of five is left


# ---------------------------------------------------------------- operators


def test_children_do_not_depend_on_how_their_parents_lie_in_memory():
    """As those of a mask of parameters do: numbers of an individual are not side by side."""
    rng = np.random.default_rng(0)
    thetas, losses = rng.normal(size=(20, 6)), rng.random(20)
    children, solver = [], GeneticAlgorithm(20, mutation_probability=0.5)
    for order in "CF":
        toolbox = solver._toolbox(_Space(rastrigin(6), thetas[0]), np.random.default_rng(0))
        parents = Population(np.array(thetas, order=order), losses)
        children.append(breed(toolbox, parents, 0.1))
    assert_array_equal(*children)


def test_operators_of_the_genetic_algorithm():
    rng, losses = np.random.default_rng(0), np.array([3.0, 1.0, np.inf, 2.0])
    assert _best(losses, 2).tolist() == [1, 3]
    assert set(_tournaments(losses, 50, 100, rng)) == {1}  # of so many rivals the best is one
    counts = np.bincount(_tournaments(losses, 40_000, 2, rng), minlength=4) / 40_000
    assert_allclose(counts, [3 / 16, 7 / 16, 1 / 16, 5 / 16], atol=0.01)
    parents = np.array([[0.0, 5.0], [1.0, 5.0], [1.0, 5.0]])
    children = _blend(np.tile(parents[:2], (1000, 1)).reshape(1000, 2, 2).transpose(1, 0, 2)
                      .reshape(2000, 2), 1.0, rng)  # fmt: skip
    assert_array_equal(children[:, 1], 5.0)  # where parents agree, so do children
    assert -0.5 <= children[:, 0].min() < -0.4 and 1.4 < children[:, 0].max() <= 1.5
    assert_allclose(children[:1000, 0] + children[1000:, 0], 1.0)
    assert_array_equal(_blend(parents.copy(), 0.0, rng), parents)
    assert_array_equal(_blend(parents.copy(), 1.0, rng)[2], parents[2])  # one has no partner
    moved = _mutate(np.zeros((1000, 20)), 2.0, 0.25, rng)
    assert np.mean(moved != 0) == pytest.approx(0.25, abs=0.01)
    assert moved[moved != 0].std() == pytest.approx(2.0, rel=0.05)


def test_the_elite_never_gets_worse(data):
    model = NARX([1], 2, (3,), solver=GeneticAlgorithm(population_size=10, polish=None), **GIVEN)
    best = model.set_params(max_iter=40).fit(*data).logbook_["best"]
    assert (np.diff(best) <= 0).all() and best.iloc[-1] < best.iloc[0]


# ---------------------------------------------------------------- answers


def rastrigin(n=3):
    """Return a bowl with a basin at each whole number."""

    class Rastrigin:
        def population_values(self, thetas):
            return np.sum(thetas**2 + 10 - 10 * np.cos(2 * np.pi * thetas), axis=1)

        def initial(self, rng):
            return rng.uniform(-3, 3, n)

    return Rastrigin()


@pytest.mark.parametrize(
    "solver",
    [
        GeneticAlgorithm(spread=1.0, polish=None),
        CMAES(population_size=100, spread=2.0, polish=None),
        Annealing(spread=1.0, temperature=1.0, polish=None),
    ],
    ids=repr,
)
def test_the_deepest_of_many_basins(solver):
    start = np.array([2.0, -2.0, 1.0])
    result = solver.solve(rastrigin(), start, Monitor(tol=0), np.random.default_rng(0))
    assert_allclose(result.theta, 0, atol=0.02)


@every_name
def test_a_polish_descends_where_the_population_ends(name):
    """In the same run: curves, counts and the callback go on."""
    seen, problem = [], valley()
    monitor = Monitor(max_iter=40, tol=0, callback=seen.append)
    result = small(name).solve(problem, [-1.2, 1.0], monitor, np.random.default_rng(0))
    assert_allclose(result.theta, 1.0, rtol=1e-6)
    assert result.logbook[-1]["generation"] == 20 < result.n_iter
    assert len(result.loss_curve) == result.n_iter + 1
    assert [iteration.n_iter for iteration in seen] == list(range(1, result.n_iter + 1))
    alone = small(name, polish=None)
    half = alone.solve(problem, [-1.2, 1.0], Monitor(20, tol=0), np.random.default_rng(0))
    assert half.loss_curve == result.loss_curve[:21] and half.logbook == result.logbook
    assert half.loss > 1e3 * result.loss


def test_progress_counts_on_while_polishing(capsys):
    monitor = Monitor(max_iter=40, tol=0, verbose=1)
    solver = small("ga", polish="irprop+")
    solver.solve(valley(), [-1.2, 1.0], monitor, np.random.default_rng(0))
    err = capsys.readouterr().err
    assert "iteration 10/20 " in err and "polish: iteration 30/40 " in err


def valley():
    """Return Rosenbrock's valley, as residuals."""
    return LeastSquares(
        lambda theta: np.stack([10 * (theta[1] - theta[0] ** 2), 1 - theta[0]]), np.zeros(2), [0, 0]
    )


def test_where_nothing_is_left_to_polish_with():
    result = small("ga").solve(valley(), [-1.2, 1.0], Monitor(max_iter=1), None)
    assert (result.n_iter, result.stop) == (1, Stop.MAX_ITER)


def test_a_polish_without_normal_equations_is_lbfgs():
    solver = GeneticAlgorithm()
    assert isinstance(solver._polisher(valley(), 2), LevenbergMarquardt)
    assert isinstance(solver._polisher(rastrigin(), 2), LBFGS)
    assert isinstance(solver._polisher(valley(), 1001), LBFGS)
    assert GeneticAlgorithm(polish=None)._polisher(valley(), 2) is None


def test_genes_find_a_basin_that_slopes_from_one_start_miss():
    """A wave of which the start sees the wrong one."""
    x = np.linspace(0, 1, 50)
    wave = LeastSquares(lambda theta: np.sin(theta[0] * x), np.sin(14 * x), [0.0])
    start = np.array([1.0])
    stuck = LevenbergMarquardt().solve(wave, start, Monitor())
    assert stuck.loss > 0.1
    solver = GeneticAlgorithm(population_size=30, spread=8.0)
    found = solver.solve(wave, start, Monitor(60), np.random.default_rng(0))
    assert found.loss < 1e-12
    assert_allclose(found.theta, 14.0)


def test_a_start_that_diverges_gives_way_to_one_that_does_not():
    cliff = LeastSquares(lambda theta: np.log(theta), [0.0], [0.0])
    result = GeneticAlgorithm(spread=1.0).solve(cliff, [-0.5], Monitor(), np.random.default_rng(0))
    assert_allclose(result.theta, 1.0)


def test_where_few_are_finite_cmaes_draws_nearer():
    cliff = LeastSquares(lambda theta: np.log(theta), [0.0], [0.0])
    solver = CMAES(spread=1e3, population_size=8, polish=None)
    result = solver.solve(cliff, [0.5], Monitor(tol=0), np.random.default_rng(0))
    assert_allclose(result.theta, 1.0, rtol=1e-6)


def test_a_generation_that_diverges_as_a_whole_is_no_warning():
    class Cliff:
        """Finite at the start alone."""

        def population_values(self, thetas):
            return np.where(thetas.any(axis=1), np.inf, 1.0)

        def initial(self, rng):
            return rng.normal(size=2)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = small("cmaes", polish=None).solve(Cliff(), [0.0, 0.0], Monitor(20), None)
    assert (result.loss, result.stop) == (1.0, Stop.MAX_ITER)


def test_cmaes_narrows_until_something_is_better_than_the_start():
    """A steep ravine beside the start, of which wide draws see nothing."""
    steep = LeastSquares(lambda theta: 1e3 * theta, np.full(2, 1.0), np.zeros(2))
    solver = CMAES(spread=1.0, population_size=6, polish=None)
    monitor = Monitor(max_iter=200, tol=0)
    result = solver.solve(steep, [0.0, 0.0], monitor, np.random.default_rng(0))
    assert_allclose(result.theta, 1e-3, rtol=1e-5)
    best = [entry["best"] for entry in result.logbook]
    narrowing = int(np.argmax(np.array(best[1:]) < best[0]))
    assert narrowing >= 4 and best[narrowing] > best[0]


def test_cmaes_looks_wide_again_where_the_start_is_a_minimum():
    bowl = LeastSquares(lambda theta: theta, np.zeros(2), np.zeros(2))
    solver = CMAES(spread=1.0, population_size=6, polish=None)
    monitor = Monitor(max_iter=11, tol=0)
    result = solver.solve(bowl, [0.0, 0.0], monitor, np.random.default_rng(0))
    mean = [entry["mean"] for entry in result.logbook]
    assert mean[10] < 1e-3 * mean[1] and mean[11] > 0.1 * mean[1]
    assert_array_equal(result.theta, 0.0)


def test_what_no_generation_can_be_made_of():
    with pytest.raises(ValueError, match="n_elites=8 of population_size=8 leave no room for chil"):
        GeneticAlgorithm(8, n_elites=8).solve(valley(), [1.0, 2.0], Monitor())
    with pytest.raises(ValueError, match="eigenvectors of 3,001 parameters .*the solver 'ga'."):
        CMAES(polish=None).solve(rastrigin(3001), np.zeros(3001), Monitor())


# ---------------------------------------------------------------- the estimator


def test_the_logbook_tells_of_each_generation(data):
    model = NARX([1], 2, (3,), solver=GeneticAlgorithm(12, n_elites=2), **GIVEN).fit(*data)
    logbook = model.logbook_
    assert list(logbook) == ["generation", "evaluations", "best", "mean", "spread"]
    assert logbook["generation"].tolist() == [0, 1, 2, 3, 4]
    assert logbook["evaluations"].tolist() == [12, 22, 32, 42, 52]
    assert_array_equal(logbook["best"].iloc[1:], model.loss_curve_[1:5])
    assert (logbook["mean"] >= logbook["best"]).all() and (logbook["spread"] > 0).all()
    assert NARX([1], 2, (3,), **GIVEN).fit(*data).logbook_ is None


@every_name
def test_ctrl_c_keeps_the_best_so_far(name, data):
    def press(iteration):
        if iteration.n_iter == 3:
            signal.raise_signal(signal.SIGINT)

    model = NARX([1], 2, (3,), solver=small(name), callback=press, **GIVEN)
    with pytest.warns(RuntimeWarning, match="^fit: Interrupted"):
        model.fit(*data)
    assert model.stop_ is Stop.INTERRUPTED and model.n_iter_ == 3
    assert model.loss_ == min(model.loss_curve_)


@every_name
def test_early_stopping_keeps_the_best_held_out(name, data):
    model = NARX([1], 2, (3,), solver=small(name), early_stopping=True, **GIVEN).fit(*data)
    assert len(model.validation_curve_) == len(model.loss_curve_) == model.n_iter_ + 1
    assert model.loss_ == model.loss_curve_[int(np.argmin(model.validation_curve_))]


@every_name
def test_a_warm_start_goes_on(name, data):
    model = NARX([1], 2, (3,), solver=small(name), warm_start=True, **GIVEN).fit(*data)
    before = model.loss_
    model.fit(*data)
    assert model.loss_curve_[0] == pytest.approx(before, rel=1e-12)
    assert model.loss_ <= before


@every_name
def test_clones_pickles_and_names(name):
    solver = make_solver(name)
    assert repr(solver) == f"{type(solver).__name__}()"
    changed = small(name, loss=asymmetric)
    for other in (clone(changed), pickle.loads(pickle.dumps(changed))):
        assert other.get_params() == changed.get_params()


def test_a_search_over_solvers(data):
    grid = {"solver": ["lm", *SMALL.values()]}
    search = GridSearchCV(NARX([1], 2, (3,), **GIVEN), grid, cv=RollingOrigin(2, test_size=10))
    search.fit(*data)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    search = GridSearchCV(
        NARX([1], 2, (3,), solver=small("ga"), **GIVEN),
        {"solver__polish": [None, "lbfgs"]},
        cv=RollingOrigin(2, test_size=10),
    ).fit(*data)
    assert len(set(search.cv_results_["mean_test_score"])) == 2


def test_scikit_learns_checks():
    expected = {
        name: "rows are a series"
        for name in (
            "check_methods_sample_order_invariance",
            "check_methods_subset_invariance",
            "check_sample_weight_equivalence_on_dense_data",
        )
    }
    model = NARX(hidden_layer_sizes=(2,), solver=small("ga"), alpha=1e-3, max_iter=4)
    check_estimator(model, expected_failed_checks=expected, on_skip=None)


# ---------------------------------------------------------------- a loss of the user's own


@pytest.mark.parametrize("loop", ["open", 3, "closed"])
@every_name
def test_a_loss_of_your_own_is_in_the_units_of_y(name, loop, data):
    """It sees y as it was measured, and the predictions of the model that is kept."""
    X, y = data
    y = np.round(1000.0 + 200.0 * y)
    seen = []

    def cost(y, y_hat):
        seen.append(y)
        return asymmetric(y, y_hat)

    given = GIVEN | {"alpha": 0.0, "linear_alpha": 0.0, "loop": loop}
    model = NARX([1], 1, (3,), solver=small(name, loss=cost), **given).fit(X, y)
    if loop == "open":
        paths = [(y[1:], model.predict_ahead(X, y)[1:])]
        assert_array_equal(seen[-1], y[1:])
    elif loop == "closed":
        paths = [(y[1:], model.simulate(X, y[:1])[1:])]
    else:
        ahead = model.predict_ahead(X, y, steps=[1, 2, 3])
        paths = [(y[o : o + 3], np.diag(ahead[o : o + 3])) for o in range(1, len(y))]
        paths = [(a, b[: len(a)]) for a, b in paths]
    y_all, y_hat = map(np.concatenate, zip(*paths))
    assert model.loss_ == pytest.approx(asymmetric(y_all, y_hat), rel=1e-9)
    if loop == "open":  # the population sets out from what squared errors choose
        squared = NARX([1], 1, (3,), **given).fit(X, y)
        assert model.loss_ <= asymmetric(y[1:], squared.predict_ahead(X, y)[1:])


def test_an_asymmetric_cost_moves_the_predictions(data):
    rng = np.random.default_rng(0)
    X, y = data[0], data[1] + 0.5 * rng.normal(size=len(data[1]))
    given = GIVEN | {"max_iter": 60}
    squared = NARX([1], 1, (3,), **given).fit(X, y)
    model = NARX([1], 1, (3,), solver=small("cmaes", loss=asymmetric), **given).fit(X, y)
    bias = [np.nanmean(one.predict_ahead(X, y) - y) for one in (squared, model)]
    assert bias[1] < bias[0] - 0.1
    costs = [asymmetric(y[1:], one.predict_ahead(X, y)[1:]) for one in (squared, model)]
    assert costs[1] < 0.95 * costs[0]


def test_a_penalty_is_as_strong_beside_a_loss_of_another_size(data):
    """The same network, whatever the unit of y: a power of two rounds nothing."""
    X, y = data[0], data[1] + 0.3 * np.random.default_rng(0).normal(size=len(data[1]))
    solver = small("cmaes", loss=asymmetric)
    given = {"max_iter": 20, "random_state": 0}
    one, other = (NARX([1], 1, (3,), solver=solver, **given).fit(X, k * y) for k in (1, 1024))
    assert one.alpha_ > 0
    assert other.alpha_ == one.alpha_
    ahead = other.predict_ahead(X, 1024 * y)[1:] / 1024
    assert_array_equal(ahead, one.predict_ahead(X, y)[1:])


def test_the_penalty_adds_to_a_loss_of_your_own(data):
    model = NARX([1], 2, (3,), **GIVEN).fit(*data)
    objective = objective_of(model, *data)
    own = objective.with_loss(asymmetric)
    bare = objective.with_penalty(np.zeros(model.n_params_)).with_loss(asymmetric)
    squares = np.sum(model.theta_[model.structure_.groups["weights"]] ** 2)
    added = 1e-3 * squares / (2 * objective.n)
    cost = bare.value(model.theta_)
    assert own.value(model.theta_) - cost == pytest.approx(added)
    scaled = objective.with_loss(asymmetric, model.theta_)
    squared = objective.with_penalty(np.zeros(model.n_params_)).value(model.theta_)
    assert scaled.value(model.theta_) - cost == pytest.approx(added * cost / squared)


def test_what_a_loss_of_your_own_sees(data):
    """Rows with a weight and all outputs measured; of several outputs a table."""
    X, y = data[0], np.column_stack([data[1], data[1][::-1]])
    y[50, 1] = np.nan
    weight = np.ones(len(y))
    weight[:30] = 0.0
    seen = []

    def cost(y, y_hat):
        seen.append(y)
        assert y.shape == y_hat.shape and not y.flags.writeable
        return np.mean((y - y_hat) ** 2)

    with pytest.warns(UserWarning, match="left out of training"):
        NARX([1], 1, (2,), solver=small("ga", loss=cost), **GIVEN).fit(X, y, sample_weight=weight)
    kept = np.r_[30:50, 52:120]  # row 51 lacks its history
    assert_array_equal(seen[-1], y[kept])


def test_a_held_out_part_is_judged_by_the_same_loss(data):
    X, y = data
    solver = small("cmaes", loss=asymmetric)
    model = NARX([1], 1, (3,), solver=solver, early_stopping=True, **GIVEN).fit(X, y)
    cost = asymmetric(y[108:], model.predict_ahead(X, y)[108:])
    assert min(model.validation_curve_) == pytest.approx(cost, rel=1e-9)


@pytest.mark.parametrize(
    "loss, sentence",
    [
        (lambda y, y_hat: np.abs(y - y_hat), "returned an array of shape (118,): return a mean"),
        (lambda y, y_hat: None, "of 118 rows, but returned None: return a mean or a sum"),
        (lambda y, y_hat: np.array("low"), "of 118 rows, but returned 'low': return a mean or a"),
        (lambda y, y_hat: np.array(1j), "of 118 rows, but returned 1j: return a mean or a sum"),
        (lambda y, y_hat: np.nan, "must return a number, but returned NaN for 118 rows of y betw"),
    ],
)
def test_a_loss_that_gives_no_number(loss, sentence, data):
    model = NARX([1], 2, (3,), solver=small("ga"), **GIVEN).fit(*data)
    before = model.predict(data[0][:5])
    model.set_params(solver=small("ga", loss=loss), n_jobs=2)
    with pytest.raises(ValueError, match=re.escape(sentence)):
        model.fit(*data)
    assert_array_equal(model.predict(data[0][:5]), before)


@every_name
def test_a_loss_that_is_nowhere_finite_is_told(name, data):
    """Such as percentages of rows that are 0: squared errors were minimised instead."""
    solver = small(name, loss=lambda y, y_hat: np.inf)
    with pytest.warns(RuntimeWarning, match="no network that was tried has a finite value of the"):
        model = NARX([1], 2, (3,), solver=solver, **GIVEN).fit(*data)
    assert model.stop_ is Stop.NOT_FINITE


def test_a_negative_loss_is_one_too(data):
    """Hits to be counted, and patience that still ends."""

    def misses(y, y_hat):
        return -float(np.mean(np.sign(np.diff(y)) == np.sign(np.diff(y_hat))))

    given = GIVEN | {"max_iter": 60, "n_iter_no_change": 3}
    solver = small("ga", loss=misses)
    model = NARX([1], 2, (3,), solver=solver, early_stopping=True, **given).fit(*data)
    assert -1.0 <= model.loss_ < -0.5
    assert model.stop_ is Stop.PATIENCE
