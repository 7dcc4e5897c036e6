"""The genetic search: what it evaluates, what it keeps, and that a kill changes nothing."""

import json
import os
import random
import re
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sklearn
from joblib import parallel_config
from rich.console import Console
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    ParameterGrid,
    ShuffleSplit,
    cross_val_score,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from narxkit import (
    NARX,
    BlockedKFold,
    Categorical,
    Continuous,
    GeneticSearchCV,
    Integer,
    RollingOrigin,
    Subset,
    TransformedForecaster,
    ahead_scorer,
    backtest,
)
from narxkit.datasets import make_narendra
from narxkit.model_selection import _checkpoint
from narxkit.model_selection._evolution import Individual, make_toolbox
from narxkit.model_selection.search_space import Space

sys.path.append(str(Path(__file__).parents[1]))

LOG = {"distribution": "log-uniform"}
ALPHA = {"alpha": Continuous(1e-3, 1e3, **LOG)}


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 4))
    return X, X @ [1.0, 2.0, 0.0, -1.0] + rng.normal(size=60)


@pytest.fixture(scope="module")
def series():
    X, y = make_narendra(160, random_state=0)
    index = pd.date_range("2024", periods=160, freq="h")
    noise = np.random.default_rng(1).normal(size=160)
    frame = pd.DataFrame({"u": X.ravel(), "noise": noise}, index)
    return frame, pd.Series(y, index, name="y")


class Counting(RegressorMixin, BaseEstimator):
    """A model with an optimum at a = 0.3, b = 2, of size b, that counts its fits."""

    n_fits, interrupted = 0, None

    def __init__(self, a=0.0, b=0, thing=None):
        self.a, self.b, self.thing = a, b, thing

    def fit(self, X, y):
        Counting.n_fits += 1
        if Counting.n_fits == Counting.interrupted:
            raise KeyboardInterrupt
        if self.b == "fails":
            raise ValueError("no such b")
        self.n_params_, self.n_features_in_ = 3 + 2 * self.b, 1
        return self

    def score(self, X, y=None):
        return -abs(self.a - 0.3) - abs(self.b - 2)


@pytest.fixture(autouse=True)
def no_fits_yet():
    Counting.n_fits, Counting.interrupted = 0, None


AB = {"a": Continuous(0, 1), "b": Integer(0, 9)}
ROWS = (np.zeros((9, 1)), np.zeros(9))


def search(estimator=None, space=ALPHA, **params):
    defaults = {"population_size": 6, "generations": 3, "cv": 3, "random_state": 0}
    return GeneticSearchCV(estimator or Ridge(), space, **{**defaults, **params})


def scores_of(fitted):
    return fitted.cv_results_["mean_test_score"]


# --- spaces --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "dimension, values",
    [
        (Categorical(["lm", None, (3, 4)]), ["lm", None, (3, 4)]),
        (Integer(-3, 2), range(-3, 3)),
        (Integer(1, 40, **LOG), range(1, 41)),
        (Continuous(-1, 1), [-1.0, 0.1, 1.0]),
        (Continuous(1e-4, 100, **LOG), [1e-4, 0.3, 100.0]),
        (Subset([1, 2, 24], min=1), [[1], [2, 24], [1, 2, 24]]),
    ],
    ids=repr,
)
def test_values_are_encoded_and_decoded(dimension, values):
    for value in values:
        cells = dimension.encode(value)
        assert dimension.decode(cells) == value
        np.testing.assert_array_equal(dimension.snap(cells, None), cells)


def test_the_whole_range_is_drawn_and_logarithms_are_even():
    space = Space(
        {"i": Integer(2, 12), "c": Continuous(1e-4, 100, **LOG), "l": Integer(1, 99, **LOG)}
    )
    drawn = [space.decode(g) for g in space.sample(300, np.random.default_rng(0))]
    assert {params["i"] for params in drawn} == set(range(2, 13))
    # a Latin hypercube has a sixth of its rows in each decade, exactly
    assert sum(params["c"] < 1e-3 for params in drawn) == 50
    assert sum(params["l"] < 10 for params in drawn) == 150


def test_a_subset_has_its_fewest_candidates():
    dimension, rng = Subset(range(8), min=3), np.random.default_rng(0)
    sizes = [len(dimension.decode(dimension.snap(rng.random(8) * 0.6, rng))) for _ in range(50)]
    assert min(sizes) == 3 and max(sizes) <= 8


def test_dicts_of_dimensions_keep_what_is_fixed():
    space = Space({"lags": {"u": Subset([0, 1]), "v": [7]}, "alpha": Continuous(0, 1)})
    genome = space.encode({"lags": {"u": [1], "v": [7]}, "alpha": 0.25}, "it")
    assert space.decode(genome) == {"lags": {"u": [1], "v": [7]}, "alpha": 0.25}
    assert space.param_space["lags"]["u"] == Subset([0, 1])
    for lags in ({"u": [1], "v": [5]}, {"u": [1]}, {"u": [1], "v": [7], "w": [1]}, [1]):
        with pytest.raises(ValueError, match=re.escape(f"it has lags={lags!r}, which is outside")):
            space.encode({"lags": lags, "alpha": 0.25}, "it")


@pytest.mark.parametrize(
    "make, sentence",
    [
        (
            lambda: Integer(12, 2),
            "Integer(12, 2) is empty: lower must be less than upper.",
        ),
        (
            lambda: Continuous(1.0, 1.0),
            "Continuous(1.0, 1.0) is empty: lower must be less than upper.",
        ),
        (
            lambda: Integer(1.5, 2),
            "bounds of Integer must be ints. Got 1.5 and 2 instead.",
        ),
        (
            lambda: Continuous(0, np.inf),
            "bounds of Continuous must be finite numbers. Got 0 and inf instead.",
        ),
        (
            lambda: Continuous(0, 1, distribution="log-uniform"),
            "Continuous has no logarithm of 0: give a lower bound above 0, or "
            "distribution='uniform'.",
        ),
        (
            lambda: Continuous(0, 1, distribution="normal"),
            "distribution of Continuous must be 'uniform' or 'log-uniform'. Got 'normal' instead.",
        ),
        (
            lambda: Categorical([]),
            "choices of Categorical must be a sequence of one or more values. Got [] instead.",
        ),
        (
            lambda: Categorical("lm"),
            "choices of Categorical must be a sequence of one or more values. Got 'lm' instead.",
        ),
        (
            lambda: Categorical({1}),
            "choices of Categorical must be a sequence of one or more values. Got {1} instead.",
        ),
        (
            lambda: Categorical({0: 1}),
            "choices of Categorical must be a sequence of one or more values. Got {0: 1} instead.",
        ),
        (lambda: Subset({24}), "candidates of Subset must be a sequence. Got {24} instead."),
        (
            lambda: Subset([[1], [2]]),
            "candidates of Subset must be hashable, such as numbers, names or tuples. "
            "Got [[1], [2]] instead.",
        ),
        (lambda: Subset(24), "candidates of Subset must be a sequence. Got 24 instead."),
        (
            lambda: Subset([1, 1]),
            "candidates of Subset must be one or more values that differ. Got [1, 1] instead.",
        ),
        (
            lambda: Subset([1, 2], min=3),
            "min of Subset must be an int from 0 to the number of candidates, 2. Got 3 instead.",
        ),
    ],
)
def test_bad_dimensions_are_refused(make, sentence):
    with pytest.raises(ValueError) as caught:
        make()
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    "params, sentence",
    [
        (
            {"param_space": {}},
            "param_space must be a dict of one or more parameters and what they may be, such as "
            "{'alpha': Continuous(1e-4, 100, distribution='log-uniform')}. Got {} instead.",
        ),
        (
            {"param_space": {"alpha": [0.1, 1.0]}},
            "param_space['alpha'] must be a Categorical, Integer, Continuous or Subset, or a dict "
            "with them, as lags by column are. Got [0.1, 1.0] instead.",
        ),
        (
            {"param_space": {"alfa": Continuous(0, 1)}},
            "'alfa' of param_space is no parameter of this Ridge: choose from alpha, copy_X, "
            "fit_intercept, max_iter, positive, random_state, solver, tol.",
        ),
        (
            {"objectives": "size"},
            "The 'objectives' parameter of GeneticSearchCV must be a str among {'score'}, an "
            "instance of 'tuple' or an instance of 'list'. Got 'size' instead.",
        ),
        (
            {"objectives": ("n_params_", "score")},
            "objectives must be 'score' or ('score', 'n_params_'). Got ('n_params_', 'score') "
            "instead.",
        ),
        (
            {"objectives": ("score", "n_params_")},
            "objectives=('score', 'n_params_') needs the number of parameters of each fitted "
            "candidate, but Ridge has no n_params_: choose objectives='score', or an estimator "
            "that has it.",
        ),
        (
            {"warm_start_configs": [{"alpha": 1e4}]},
            "warm_start_configs[0] has alpha=10000.0, which is outside of param_space: "
            "Continuous(lower=0.001, upper=1000.0, distribution='log-uniform').",
        ),
        (
            {"warm_start_configs": [{}]},
            "warm_start_configs[0] must be a dict of the parameters of param_space, alpha. "
            "Got {} instead.",
        ),
        (
            {"checkpoint": "no/such/folder/it.json"},
            "checkpoint='no/such/folder/it.json' is in a folder that does not exist: create it, "
            "or give a file in another one.",
        ),
        (
            {"population_size": 1},
            "The 'population_size' parameter of GeneticSearchCV must be an int in the range "
            "[2, inf). Got 1 instead.",
        ),
    ],
    ids=lambda value: "_".join(value) if isinstance(value, dict) else "",
)
def test_bad_searches_are_refused_and_lose_nothing(data, params, sentence):
    fitted = search().fit(*data)
    before = dict(vars(fitted))
    with pytest.raises(ValueError) as caught:
        fitted.set_params(**params).fit(*data)
    assert str(caught.value) == sentence
    assert {k: v for k, v in vars(fitted).items() if k[-1] == "_"} == {
        k: v for k, v in before.items() if k[-1] == "_"
    }


def test_parameters_of_steps_and_of_objects_that_the_space_brings(data):
    pipe = make_pipeline(StandardScaler(), Ridge())
    with pytest.raises(ValueError, match=r"'ridge__alfa' .*: choose from ridge__alpha, ridge__cop"):
        search(pipe, {"ridge__alfa": Continuous(0, 1)}).fit(*data)
    space = {
        "standardscaler": Categorical([StandardScaler(), MinMaxScaler()]),
        "ridge__alpha": Continuous(1e-3, 1e3, **LOG),
        "standardscaler__copy": Categorical([True]),
    }
    fitted = search(pipe, space).fit(*data)
    kinds = {type(params["standardscaler"]) for params in fitted.cv_results_["params"]}
    assert kinds == {StandardScaler, MinMaxScaler}
    assert fitted.best_estimator_[0] is not fitted.best_params_["standardscaler"]


# --- a search of scikit-learn's kind -------------------------------------------------------------


SMALL = {"cv": 2, "error_score": "raise", "population_size": 2, "generations": 2}


@parametrize_with_checks(
    [
        search(Ridge(), {"alpha": Continuous(0.1, 1)}, **SMALL),
        search(LogisticRegression(), {"C": Continuous(0.1, 1)}, **SMALL),
        search(
            Pipeline([("scale", StandardScaler()), ("ridge", Ridge())]),
            {"ridge__alpha": Continuous(0.1, 1)},
            **SMALL,
        ),
    ],
    # of GridSearchCV scikit-learn says the same
    expected_failed_checks=lambda search: (
        {}
        if isinstance(search.estimator, LogisticRegression)
        else {"check_supervised_y_2d": "no DataConversionWarning"}
    ),
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_results_are_those_of_a_grid_search(data):
    scoring = {"r2": "r2", "mae": "neg_mean_absolute_error"}
    options = {"scoring": scoring, "refit": "mae", "return_train_score": True, "cv": 3}
    found = search(**options).fit(*data)
    params = found.cv_results_["params"]
    grid = GridSearchCV(Ridge(), [{"alpha": [p["alpha"]]} for p in params], **options).fit(*data)
    assert list(found.cv_results_) == list(grid.cv_results_)
    for name, column in grid.cv_results_.items():
        if "time" not in name and name != "params":
            np.testing.assert_array_equal(found.cv_results_[name], column)
    assert found.best_params_ == grid.best_params_ and found.best_score_ == grid.best_score_
    assert found.best_index_ == grid.best_index_ and found.multimetric_ is True
    assert found.score(*data) == grid.score(*data)
    np.testing.assert_array_equal(found.predict(data[0]), grid.predict(data[0]))
    assert set(vars(grid)) - set(vars(found)) <= {"param_grid", "_checked_cv_orig"} | {
        name for name in vars(grid) if "callback" in name
    }


def by_both(estimator, X, y):
    y_hat = estimator.predict(X)
    return {"r2": r2_score(y, y_hat), "mae": -mean_absolute_error(y, y_hat)}


def test_a_scorer_may_give_several_metrics(data):
    found = search(scoring=by_both, refit="mae").fit(*data)
    named = search(scoring={"mae": "neg_mean_absolute_error", "r2": "r2"}, refit="mae").fit(*data)
    assert found.best_params_ == named.best_params_
    with pytest.raises(ValueError, match="For multi-metric scoring, the parameter refit must be"):
        search(scoring=by_both).fit(*data)


def test_refit_is_that_of_scikit_learn(data):
    no = search(refit=False).fit(*data)
    assert (
        not hasattr(no, "best_estimator_") and no.best_params_ == search().fit(*data).best_params_
    )
    worst = search(refit=lambda results: int(results["rank_test_score"].argmax())).fit(*data)
    assert worst.best_estimator_.alpha == worst.best_params_["alpha"] != no.best_params_["alpha"]
    assert not hasattr(worst, "best_score_")
    several = search(scoring=["r2", "neg_max_error"], refit=False).fit(*data)
    assert not hasattr(several, "best_params_")


def test_lags_by_column_are_searched_on_a_frame(series):
    space = {
        "output_lags": Subset([1, 2, 3], min=1),
        "input_lags": {"u": Subset([0, 1, 2], min=1), "noise": []},
        "hidden_layer_sizes": Integer(1, 3),
        "solver": Categorical(["lm", "lbfgs"]),
    }
    model = NARX(max_iter=5, alpha=1e-3, random_state=0)
    found = search(model, space, cv=RollingOrigin(2, test_size=30), scoring=ahead_scorer(3))
    found.fit(*series)
    assert found.best_params_["input_lags"]["noise"] == []
    assert found.best_estimator_.get_params()["output_lags"] == found.best_params_["output_lags"]
    assert np.isfinite(scores_of(found)).all()
    runs = backtest(found, *series, steps=3)
    assert len(runs) and set(found.cv_results_["param_hidden_layer_sizes"]) <= {1, 2, 3}


def test_a_series_without_inputs_is_searched(series):
    y = series[1]
    model = NARX(hidden_layer_sizes=(), max_iter=5, random_state=0)
    found = search(model, {"output_lags": Integer(1, 4)}, cv=RollingOrigin(2, test_size=30))
    found.set_params(scoring=ahead_scorer(2), generations=1)
    with pytest.raises(ValueError) as caught:
        found.fit(None, y)
    assert str(caught.value) == (
        "X is None, which scikit-learn cannot split into folds: give a frame without columns, "
        "pd.DataFrame(index=y.index)."
    )
    found.fit(pd.DataFrame(index=y.index), y)
    alone = clone(model).set_params(**found.best_params_).fit(None, y)
    np.testing.assert_array_equal(found.best_estimator_.theta_, alone.theta_)


def test_groups_and_segments_reach_splitter_and_fit(series):
    X, y = (part.to_numpy() for part in series)
    cv = BlockedKFold(3)
    labels = cv.segments(X, y)
    model = NARX(hidden_layer_sizes=(), max_iter=5, alpha=1e-3, random_state=0)
    found = search(model, {"output_lags": Integer(1, 4)}, cv=cv, generations=1, population_size=2)
    found.set_params(scoring=ahead_scorer(2, warmup=4))
    with pytest.raises(ValueError, match="groups"):
        found.fit(X, y)
    found.fit(X, y, groups=labels, segments=labels)
    alone = clone(model).set_params(**found.best_params_).fit(X, y, segments=labels)
    np.testing.assert_array_equal(found.best_estimator_.theta_, alone.theta_)


def test_metadata_are_routed(series):
    X, y = series
    labels = np.repeat(["a", "b"], 80)
    with sklearn.config_context(enable_metadata_routing=True):
        model = NARX(hidden_layer_sizes=(), max_iter=5, alpha=1e-3, random_state=0)
        model.set_fit_request(segments=True, sample_weight=False)
        model.set_score_request(sample_weight=False)
        found = search(model, {"output_lags": Integer(1, 4)}, cv=RollingOrigin(2, test_size=30))
        found.set_params(generations=1, scoring=ahead_scorer(2)).fit(X, y, segments=labels)
    alone = clone(model).set_params(**found.best_params_).fit(X, y, segments=labels)
    np.testing.assert_array_equal(found.best_estimator_.theta_, alone.theta_)


def test_folds_that_are_drawn_are_the_same_for_all(data):
    found = search(cv=ShuffleSplit(2), generations=4).fit(*data)
    again = search(cv=ShuffleSplit(2, random_state=0), space={"alpha": Categorical([1.0])})
    assert again.fit(*data).stop_.name == "EXHAUSTED"
    # equal penalties would differ by their folds: neighbours lie on one smooth curve
    order = np.argsort(found.cv_results_["param_alpha"].astype(float))
    assert (np.diff(np.sign(np.diff(scores_of(found)[order]))) != 0).sum() <= 1


# --- evolution -----------------------------------------------------------------------------------


def test_no_configuration_is_evaluated_twice():
    found = search(Counting(), AB, population_size=10, generations=5, refit=False).fit(*ROWS)
    params = [tuple(p.values()) for p in found.cv_results_["params"]]
    assert len(params) == len(set(params)) == 50 and Counting.n_fits == 3 * 50
    assert found.logbook_["evaluations"].tolist() == [10] * 5


def test_a_space_that_is_small_is_exhausted():
    space = {"b": Integer(0, 2), "thing": Categorical(["x", "y"])}
    found = search(Counting(), space, generations=50, refit=False).fit(*ROWS)
    assert len(found.cv_results_["params"]) == 6 and Counting.n_fits == 18
    assert str(found.stop_) == "No configuration was found that is not evaluated yet."


def test_it_finds_what_chance_does_not():
    found = search(Counting(), AB, population_size=20, generations=10).fit(*ROWS)
    assert found.best_params_["b"] == 2 and found.best_score_ > -0.003
    # 200 points drawn at random have b = 2 twenty times, and err by 0.02 then
    assert found.best_score_ == scores_of(found).max() == found.logbook_["best"].iloc[-1]
    assert found.hof_ == [found.best_params_]


@pytest.mark.parametrize("elitism", [True, False])
def test_the_logbook_tells_of_the_population(elitism):
    found = search(Counting(), AB, elitism=elitism, keep_top_k=4).fit(*ROWS)
    scores, logbook = scores_of(found), found.logbook_
    assert list(logbook) == ["generation", "evaluations", "best", "mean", "spread"]
    assert logbook["generation"].tolist() == [1, 2, 3]
    np.testing.assert_array_equal(logbook["best"], [scores[:n].max() for n in (6, 12, 18)])
    last = np.sort(scores)[-6:] if elitism else scores[12:]
    assert logbook["mean"].iloc[-1] == pytest.approx(last.mean())
    assert logbook["spread"].iloc[-1] == pytest.approx(last.std())
    best = [found.cv_results_["params"][i] for i in np.argsort(-scores)[:4]]
    assert found.hof_ == best


@pytest.mark.parametrize("objectives", ["score", ("score", "n_params_")])
def test_infinite_scores_are_ranked_as_scikit_learn_ranks_them(objectives, tmp_path):
    """The first of the infinite ones is the best, and below all numbers is what has none."""
    odd = {2: np.inf, 3: -np.inf, 4: np.nan, 5: -1e305, 6: np.inf}

    def scorer(estimator, X, y=None):
        return odd.get(estimator.b, -float(estimator.b))

    given = [{"b": b} for b in range(8)]
    found = search(
        Counting(),
        {"b": Integer(0, 9)},
        scoring=scorer,
        warm_start_configs=given,
        generations=1,
        keep_top_k=8,
        objectives=objectives,
        checkpoint=tmp_path / "search.json",
    )
    with pytest.warns(UserWarning, match="test scores are non-finite"):
        found.fit(*ROWS)
    assert found.best_index_ == 2 and found.best_score_ == np.inf
    assert [params["b"] for params in found.hof_[:5]] == [2, 6, 0, 1, 7]
    last = found.logbook_.iloc[-1]
    assert last["best"] == np.inf and np.isfinite(last[["mean", "spread"]]).all()
    if objectives != "score":
        assert found.pareto_front_["score"].tolist() == [0.0, np.inf]
    with pytest.warns(UserWarning, match="non-finite"):
        again = clone(found).fit(*ROWS)
    assert again.hof_ == found.hof_ and again.logbook_["best"].iloc[-1] == np.inf


def test_given_configurations_come_first():
    given = [{"a": 0.3, "b": 2}, {"a": 0.9, "b": 9}]
    found = search(Counting(), AB, warm_start_configs=given).fit(*ROWS)
    assert list(found.cv_results_["params"][:2]) == given
    assert found.best_score_ == 0.0 and found.logbook_["evaluations"].tolist() == [6, 6, 6]


@pytest.mark.parametrize(
    "params, stop, n",
    [
        ({"threshold": -1e9}, "THRESHOLD", 1),
        ({"time_limit": 1e-9}, "TIME", 1),
        ({"patience": 2, "space": {"thing": Categorical(range(999))}}, "PATIENCE", 3),
        ({"callback": lambda row: row["generation"] == 2}, "CALLBACK", 2),
        ({"patience": 9, "time_limit": 99.0, "threshold": 1.0}, "GENERATIONS", 5),
    ],
)
def test_what_ends_a_search(params, stop, n):
    found = search(**{"estimator": Counting(), "space": AB, "generations": 5, **params}).fit(*ROWS)
    assert found.stop_.name == stop and len(found.logbook_) == n
    assert str(found.stop_).endswith(".")


def test_the_front_is_what_nothing_dominates():
    options = {"objectives": ("score", "n_params_"), "population_size": 12, "generations": 5}
    found = search(Counting(), AB, **options).fit(*ROWS)
    scores, sizes = scores_of(found), found.cv_results_["n_params_"]
    pairs = set(zip(scores, sizes))
    dominated = {
        (s, n) for s, n in pairs for t, m in pairs if t >= s and m <= n and (t, m) != (s, n)
    }
    front = found.pareto_front_
    assert list(front) == ["score", "n_params_", "params"]
    assert list(zip(front["score"], front["n_params_"])) == sorted(pairs - dominated)
    assert front["n_params_"].tolist() == [3.0, 5.0, 7.0]
    assert [p["b"] for p in front["params"]] == [0, 1, 2]
    # all along the front the search has come near a = 0.3
    assert (front["score"] + [2, 1, 0] > -0.1).all()
    assert found.best_score_ == scores.max()


def test_nothing_of_an_earlier_search_is_left():
    found = search(Counting(), AB, objectives=("score", "n_params_")).fit(*ROWS)
    assert hasattr(found, "pareto_front_") and hasattr(found, "best_estimator_")
    found.set_params(objectives="score", refit=False).fit(*ROWS)
    assert not hasattr(found, "pareto_front_") and not hasattr(found, "best_estimator_")


def test_of_a_front_the_loneliest_come_first():
    """Its ends, and then those with the most room around them; a second front follows."""
    toolbox = make_toolbox(Space(AB), None, (1.0, -1.0), (1.0, 0.1), 2)
    values = [(0, 0), (1, 1), (3, 3), (9, 9), (10, 10), (2, 5)]
    pool = [Individual(None, i, toolbox.fitness(pair)) for i, pair in enumerate(values)]
    ranked = [one.row for one in toolbox.rank(pool)]
    assert set(ranked[:2]) == {0, 4} and ranked[2:] == [2, 3, 1, 5]


def test_sizes_are_found_inside_pipelines(series):
    model = make_pipeline(StandardScaler(), NARX(max_iter=2, alpha=1e-3, random_state=0))
    found = search(
        model.set_output(transform="pandas"),
        {"narx__hidden_layer_sizes": Integer(1, 5)},
        objectives=["score", "n_params_"],
        generations=1,
        population_size=2,
        cv=RollingOrigin(1, test_size=20),
        scoring=ahead_scorer(2),
    ).fit(*series)
    assert found.cv_results_["n_params_"][found.best_index_] == found.best_estimator_[-1].n_params_


def test_sizes_are_found_under_transforms(series):
    X, y = series
    model = TransformedForecaster(NARX(max_iter=2, alpha=1e-3, random_state=0), difference=[1])
    found = search(
        model,
        {"forecaster__hidden_layer_sizes": Integer(1, 5)},
        objectives=["score", "n_params_"],
        generations=1,
        population_size=2,
        cv=RollingOrigin(1, test_size=20),
        scoring=ahead_scorer(2),
    ).fit(X, y)
    sizes = found.cv_results_["n_params_"]
    assert sizes[found.best_index_] == found.best_estimator_.forecaster_.n_params_


def test_fits_that_fail_are_the_worst_and_told_at_the_end():
    space = {"a": Continuous(0, 1), "b": Categorical(["fails", 0, 1, 2])}
    found = search(Counting(), space, population_size=8)
    with pytest.warns(FitFailedWarning, match=r"fits failed out of a total of 72(.|\n)*no such b"):
        found.fit(*ROWS)
    failed = found.cv_results_["param_b"] == "fails"
    assert np.isnan(scores_of(found)[failed]).all() and found.best_params_["b"] == 2
    assert failed[:8].any() and failed[8:].mean() < 0.25
    with pytest.raises(ValueError, match="no such b"):
        found.set_params(error_score="raise").fit(*ROWS)
    with pytest.raises(ValueError, match=r"All the 24 fits failed"):
        search(Counting(), {"a": Continuous(0, 1), "b": Categorical(["fails"])},
               population_size=8).fit(*ROWS)  # fmt: skip


def test_a_line_per_generation(capsys):
    search(Counting(), AB, verbose=1).fit(*ROWS)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert re.match(
        r"generation 2/3  12 configurations  best -\S+  mean -\S+  spread \S+$", lines[1]
    )


# --- randomness ----------------------------------------------------------------------------------


class Boom(Exception):
    pass


def boom(row):
    raise Boom


@pytest.mark.parametrize("seed", [0, None, np.random.RandomState(0)])
@pytest.mark.parametrize("callback", [None, boom])
def test_global_generators_are_left_alone(seed, callback):
    before = random.getstate(), np.random.get_state()
    options = {"random_state": seed, "callback": callback, "objectives": ("score", "n_params_")}
    try:
        search(Counting(), AB, **options).fit(*ROWS)
    except Boom:
        pass
    after = random.getstate(), np.random.get_state()
    assert after[0] == before[0]
    np.testing.assert_array_equal(after[1][1], before[1][1])
    assert after[1][2:] == before[1][2:]


def test_results_depend_on_the_seed_alone(series):
    space = {"output_lags": Subset([1, 2, 3], min=1), "alpha": Continuous(1e-3, 10, **LOG)}
    model = NARX(hidden_layer_sizes=2, max_iter=5, random_state=0)
    make = partial(search, model, space, cv=RollingOrigin(2, test_size=30), scoring=ahead_scorer(3))
    alone = make().fit(*series)
    with parallel_config("threading"):
        threads = make(n_jobs=2).fit(*series)
    processes = make(n_jobs=2, pre_dispatch=2).fit(*series)
    for other in (threads, processes):
        assert other.cv_results_["params"] == alone.cv_results_["params"]
        np.testing.assert_array_equal(scores_of(other), scores_of(alone))
        np.testing.assert_array_equal(other.best_estimator_.theta_, alone.best_estimator_.theta_)
        pd.testing.assert_frame_equal(other.logbook_, alone.logbook_)
    assert make(random_state=1).fit(*series).cv_results_["params"] != alone.cv_results_["params"]


# --- Ctrl-C --------------------------------------------------------------------------------------


def test_ctrl_c_keeps_the_best_so_far(tmp_path):
    file = tmp_path / "it.json"
    Counting.interrupted = 23
    found = search(Counting(), AB, refit=False, checkpoint=file).fit(*ROWS)
    assert found.stop_.name == "INTERRUPTED" and len(scores_of(found)) == 7
    assert found.best_score_ == scores_of(found).max() and len(found.logbook_) == 1
    Counting.interrupted = None
    whole = found.fit(*ROWS)
    assert Counting.n_fits == 23 + 3 * 11 and whole.stop_.name == "GENERATIONS"
    assert whole.cv_results_["params"] == search(Counting(), AB).fit(*ROWS).cv_results_["params"]


def test_ctrl_c_ends_what_is_around():
    Counting.interrupted = 2
    with pytest.raises(KeyboardInterrupt):  # nothing is there to be kept
        search(Counting(), AB).fit(*ROWS)
    Counting.interrupted = Counting.n_fits + 10
    with pytest.raises(KeyboardInterrupt):  # it would be scored as a whole search
        cross_val_score(search(Counting(), AB, cv=KFold(2)), *ROWS, cv=2)


# --- checkpoints ---------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path):
    return tmp_path / "search.json"


def unlike(things):
    """Objects that JSON cannot hold."""
    return {**AB, "thing": Categorical(things)}


def test_a_checkpoint_answers_for_what_was_evaluated(file):
    space = unlike([Ridge(), print, {1, 2}])
    first = search(Counting(), space, checkpoint=file, generations=2).fit(*ROWS)
    n_fits = Counting.n_fits
    again = search(Counting(), space, checkpoint=str(file), generations=2).fit(*ROWS)
    assert Counting.n_fits == n_fits + 1  # to all rows
    more = search(Counting(), space, checkpoint=file, generations=4).fit(*ROWS)
    whole = search(Counting(), space, generations=4).fit(*ROWS)
    for one, other in ((first, again), (more, whole)):
        np.testing.assert_array_equal(scores_of(one), scores_of(other))
        pd.testing.assert_frame_equal(one.logbook_, other.logbook_)
        assert repr(one.cv_results_["params"]) == repr(other.cv_results_["params"])
    assert more.cv_results_["params"][0]["thing"] is not None
    np.testing.assert_array_equal(
        first.cv_results_["mean_fit_time"], again.cv_results_["mean_fit_time"]
    )


def test_the_file_is_json_and_holds_the_state_of_the_generator(file):
    first = search(Counting(), AB, checkpoint=file, random_state=None).fit(*ROWS)
    state = json.loads(file.read_text())
    assert state["random_state"]["bit_generator"] == "PCG64" and len(state["records"]) == 18
    # without a seed the one of the first start goes on
    again = search(Counting(), AB, checkpoint=file, random_state=None, generations=4)
    assert again.fit(*ROWS).cv_results_["params"][:18] == first.cv_results_["params"]
    assert again.logbook_["evaluations"].sum() == 24
    assert sorted(path.name for path in file.parent.iterdir()) == [file.name, f"{file.name}.bak"]


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"random_state": 1}, "random_state was 0 and is 1"),
        ({"cv": 2}, "cv was 3 and is 2; choice of folds differs"),
        ({"scoring": "r2"}, "scoring was None and is 'r2'"),
        ({"population_size": 8}, "population_size was 6 and is 8"),
        ({"estimator": Ridge(tol=0.1)}, "estimator was Ridge() and is Ridge(tol=0.1); parameters "
                                        "of the estimator was"),
        ({"param_space": {"alpha": Integer(1, 2)}}, "param_space was {'alpha': Continuous(lower="),
        ({"X": np.ones((60, 4))}, "X differs. Give another file, or delete"),
        ({"y": np.ones(60)}, "y differs"),
        ({"sample_weight": np.ones(60)}, "sample_weight differs"),
    ],
    ids=lambda value: "_".join(value) if isinstance(value, dict) else "",
)  # fmt: skip
def test_a_checkpoint_of_another_problem_is_refused(data, file, change, sentence):
    search(checkpoint=file).fit(*data)
    before = file.read_text()
    rows = {"X": data[0], "y": data[1], **change}
    given = {name: rows[name] for name in rows if name in ("X", "y", "sample_weight")}
    params = {name: value for name, value in change.items() if name not in given}
    with pytest.raises(ValueError) as caught:
        search(checkpoint=file).set_params(**params).fit(**given)
    assert str(caught.value).startswith(f"The checkpoint {file} is of another problem: {sentence}")
    assert file.read_text() == before


def test_frames_are_known_by_their_values(series, file):
    X, y = series
    make = partial(search, cv=3, checkpoint=file)
    make().fit(X, y)
    make().fit(X.copy(), y.copy())
    for other in (X.assign(u=X["u"] + 1e-9), X.rename(columns={"u": "v"}), X.shift(freq="h")):
        with pytest.raises(ValueError, match="problem: X differs"):
            make().fit(other, y.set_axis(other.index))


@pytest.mark.parametrize("left", [0, 1, 200, -1])
def test_a_truncated_checkpoint_gives_way_to_the_one_before(file, left):
    whole = search(Counting(), AB, checkpoint=file).fit(*ROWS)
    content = file.read_bytes()
    file.write_bytes(content[:left])
    found = search(Counting(), AB, checkpoint=file)
    with pytest.warns(UserWarning) as caught:
        found.fit(*ROWS)
    assert str(caught[0].message) == (
        f"The checkpoint {file} is damaged: the search goes on from {file}.bak, which was written "
        "before it."
    )
    np.testing.assert_array_equal(scores_of(found), scores_of(whole))
    assert len(json.loads(file.read_text())["records"]) == 18


def test_a_kill_right_after_damage_leaves_a_whole_file(file, monkeypatch):
    """The damaged one is not kept in the place of the whole one."""
    search(Counting(), AB, checkpoint=file).fit(*ROWS)
    file.write_text("{")
    with monkeypatch.context() as patch:
        patch.setattr(_checkpoint, "_replace", lambda *_: (_ for _ in ()).throw(Boom))
        with pytest.warns(UserWarning, match="is damaged"), pytest.raises(Boom):
            search(Counting(), AB, checkpoint=file).fit(*ROWS)
    assert file.read_bytes() == file.with_name(file.name + ".bak").read_bytes() != b"{"


def test_a_folder_is_no_checkpoint(tmp_path):
    with pytest.raises(ValueError) as caught:
        search(Counting(), AB, checkpoint=tmp_path).fit(*ROWS)
    assert str(caught.value) == f"checkpoint={str(tmp_path)!r} is a folder: give a file in it."


HOLLOW = '{"format": "narxkit.GeneticSearchCV 1"}'


@pytest.mark.parametrize("content", ["time,wind\n1,2\n", "[1, 2]", "{}", HOLLOW, ""])
def test_a_file_that_is_no_checkpoint_is_left_alone(file, content):
    file.write_text(content)
    with pytest.raises(ValueError) as caught:
        search(Counting(), AB, checkpoint=file).fit(*ROWS)
    assert str(caught.value) == (
        f"{file} is no checkpoint of GeneticSearchCV, or a damaged one without the one before it: "
        "give another file, or delete this one to begin anew."
    )
    assert file.read_text() == content


def test_what_is_not_whole_never_takes_the_place_of_the_file(file, monkeypatch):
    """A kill between two steps of writing leaves the old file or the new one."""
    search(Counting(), AB, checkpoint=file, generations=1).fit(*ROWS)
    before = file.read_text()
    for step in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, step, lambda *_: (_ for _ in ()).throw(Boom))
            with pytest.raises(Boom):
                search(Counting(), AB, checkpoint=file).fit(*ROWS)
        assert file.read_text() == before
    found = search(Counting(), AB, checkpoint=file).fit(*ROWS)
    np.testing.assert_array_equal(scores_of(found), scores_of(search(Counting(), AB).fit(*ROWS)))


def test_time_goes_on_where_it_was(file):
    slow = search(Counting(), AB, checkpoint=file, generations=9, time_limit=0.05)
    slow.set_params(callback=lambda row: time.sleep(0.03)).fit(*ROWS)
    assert slow.stop_.name == "TIME" and 1 < len(slow.logbook_) < 9
    n_fits = Counting.n_fits
    again = clone(slow).set_params(callback=None).fit(*ROWS)
    assert Counting.n_fits == n_fits + 1
    pd.testing.assert_frame_equal(again.logbook_, slow.logbook_)


@pytest.mark.skipif(os.name != "posix", reason="sends signals")
def test_a_killed_search_ends_as_if_nothing_had_happened():
    benchmark = pytest.importorskip("benchmarks.genetic_search")
    kills, is_same = benchmark.kill_and_resume(3, 4, seed=time.time_ns())
    # a fresh process each time, which knows what the file tells it
    assert is_same and kills == sorted(kills)


# --- searches beside each other ------------------------------------------------------------------


def test_all_searches_draw_from_one_space():
    benchmark = pytest.importorskip("benchmarks.genetic_search")
    space, rng = Space(benchmark.SPACE), np.random.RandomState(0)
    problem = benchmark.PROBLEMS["wind, 8 h"]
    drawn = benchmark.randomized(problem, 0).param_distributions
    for params in [*ParameterGrid(benchmark.GRID), {k: v.rvs(rng) for k, v in drawn.items()}]:
        decoded = space.decode(space.encode(params, "it"))
        assert decoded == params or decoded["alpha"] == pytest.approx(params["alpha"])
    search = benchmark.genetic(problem, 0)
    assert search.population_size * search.generations == len(ParameterGrid(benchmark.GRID)) == 60


def test_the_first_of_each_seed_is_counted():
    benchmark = pytest.importorskip("benchmarks.genetic_search")
    errors = {"grid": (2.0, 1.0), "GeneticSearchCV": (1.0, 3.0)}
    rows = [
        {"problem": "wind, 8 h", "search": kind, "seed": str(seed), "unit": "m/s",
         "blocks": str(error), "test": "9", "seconds": "1", "params": "5"}
        for kind, two in errors.items() for seed, error in enumerate(two)
    ]  # fmt: skip
    firsts = benchmark.first_by_seed(rows)
    assert firsts == {("wind, 8 h", "0"): "GeneticSearchCV", ("wind, 8 h", "1"): "grid"}
    console = Console(record=True, width=200)
    console.print(benchmark.SUITE.table(rows))
    shown = console.export_text()
    assert "2 (1 to 3) m/s" in shown and shown.count("1 of 2") == 2
