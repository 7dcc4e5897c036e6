"""Forecasters are scikit-learn estimators: its checks, its tools, and the same bits each time."""

import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone, is_regressor
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import NotFittedError
from sklearn.metrics import r2_score
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    TimeSeriesSplit,
    cross_validate,
    train_test_split,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from narxkit import (
    ARX,
    NARX,
    TDNN,
    ElmanRegressor,
    ExponentialSmoothing,
    GRURegressor,
    LevenbergMarquardt,
    LSTMRegressor,
    Persistence,
    SeasonalNaive,
    SmartPersistence,
)
from narxkit.datasets import make_narendra

SMALL = {"alpha": 1e-4, "hidden_layer_sizes": (3,), "max_iter": 30}
SHORT = {"hidden_layer_sizes": (3,), "max_iter": 5}  # for checks, which do not ask how well


class EveryColumn(dict):
    """A dict of lags that has the same ones for every column, for checks of any width."""

    def __contains__(self, column):
        return True

    def __missing__(self, column):
        return self["*"]

    def __iter__(self):
        return iter(())


ORDER = {
    "check_methods_sample_order_invariance": "rows of a series have an order",
    "check_methods_subset_invariance": "a prediction depends on the rows before it",
}
WEIGHT = {
    "check_sample_weight_equivalence_on_dense_data": "a row of weight 0 is still history",
}


def by_nature(estimator):
    """List checks that no forecaster can pass; one that looks up ignores the order of rows."""
    if isinstance(estimator, (Persistence, SeasonalNaive)):
        return {}
    if isinstance(estimator, SmartPersistence):
        return WEIGHT
    return {**ORDER, **WEIGHT}


@pytest.mark.filterwarnings("ignore:inputs have leads")
@parametrize_with_checks(
    [
        NARX(max_iter=5),
        NARX(input_lags=0, output_lags=[1, 3], **SHORT),
        NARX(input_lags=[0, 2], output_lags=1, **SHORT),
        NARX(input_lags=[0, -1, 1], **SHORT),
        NARX(input_lags=EveryColumn({"*": [0, 1]}), **SHORT),
        TDNN(hidden_layer_sizes=(5,), max_iter=5),
        ElmanRegressor(max_iter=5),
        GRURegressor(max_iter=5),
        LSTMRegressor(max_iter=5),
        ARX(),
        ARX(level=0),
        ARX(level=3, drift=0.5),
        ExponentialSmoothing(),
        ExponentialSmoothing(window=2),
        Persistence(),
        SeasonalNaive(period=2),
        SmartPersistence(clear_sky=0, threshold=0, memory=2),
    ],
    expected_failed_checks=by_nature,
)
def test_checks_of_sklearn(estimator, check):
    check(estimator)


# --- data ----------------------------------------------------------------------------------------


def small(**params):
    return NARX(**{"input_lags": [1], "output_lags": 1, **SMALL, "random_state": 0, **params})


@pytest.fixture(scope="module")
def arrays():
    return make_narendra(240, noise=0.05, random_state=0)


@pytest.fixture(scope="module")
def frames(arrays):
    X, y = arrays
    index = pd.date_range("2024-01-01", periods=len(y), freq="h")
    return pd.DataFrame(X, index=index, columns=["u"]), pd.Series(y, index=index, name="y")


@pytest.fixture(params=["arrays", "frames"])
def data(request):
    return request.getfixturevalue(request.param)


# --- parameters ----------------------------------------------------------------------------------


def test_parameters_and_their_defaults():
    assert NARX().get_params() == {
        "input_lags": 2, "output_lags": 2, "hidden_layer_sizes": (10,), "activation": "tanh",
        "loop": "open", "washout": 0, "linear_term": True, "output_range": None, "calendar": None,
        "scale": True, "solver": "lm", "alpha": "auto", "linear_alpha": "auto", "max_iter": 200,
        "tol": 1e-7, "early_stopping": False, "validation_fraction": 0.1, "n_iter_no_change": 10,
        "n_restarts": 1, "combine": "best", "n_members": None, "warm_start": False,
        "random_state": None, "n_jobs": None, "verbose": False, "callback": None,
    }  # fmt: skip
    of_feedback = ("output_lags", "loop", "washout", "linear_alpha")
    without = {k: v for k, v in NARX().get_params().items() if k not in of_feedback}
    assert TDNN().get_params() == without


def test_parameters_of_the_solver_are_parameters_of_the_model():
    model = NARX(solver=LevenbergMarquardt(damping=0.5))
    assert model.get_params()["solver__damping"] == 0.5
    model.set_params(solver__damping=0.25, output_lags=[1, 24])
    assert (model.solver.damping, model.output_lags) == (0.25, [1, 24])
    with pytest.raises(ValueError, match="Invalid parameter 'lags'"):
        model.set_params(lags=3)


def test_fit_changes_no_parameter(frames):
    lags = {"u": [1]}
    solver = LevenbergMarquardt()
    model = small(input_lags=lags, solver=solver)
    before = dict(model.get_params())
    assert model.fit(*frames) is model
    assert model.get_params() == before
    assert model.input_lags is lags and model.solver is solver and lags == {"u": [1]}


def test_clone_is_unfitted_with_the_same_parameters(frames):
    X, y = frames
    model = small(solver=LevenbergMarquardt(damping=0.5)).fit(X[:200], y[:200])
    copy = clone(model)
    assert not hasattr(copy, "theta_")
    assert copy.solver is not model.solver and copy.solver.damping == 0.5
    copy.fit(X[:200], y[:200])
    np.testing.assert_array_equal(copy.theta_, model.theta_)


def test_tags():
    for model in (NARX(), TDNN(), ARX(), Persistence(), SmartPersistence()):
        tags = sklearn.utils.get_tags(model)
        assert is_regressor(model)
        assert tags.input_tags.allow_nan and tags.target_tags.multi_output
        assert not tags.non_deterministic


@pytest.mark.parametrize("model", [NARX(), TDNN(), ARX(), Persistence(), SmartPersistence()])
def test_every_verb_but_fit_needs_a_fitted_model(model, arrays):
    X, y = arrays
    for verb in (
        lambda: model.predict(X),
        lambda: model.forecast(3),
        lambda: model.predict_ahead(X, y),
        lambda: model.simulate(X, y),
        lambda: model.update(X, y),
        lambda: model.score(X, y),
    ):
        with pytest.raises(NotFittedError):
            verb()


def test_names_and_number_of_features(arrays, frames):
    model = small().fit(*arrays)
    assert model.n_features_in_ == 1 and not hasattr(model, "feature_names_in_")
    model.fit(*frames)
    assert list(model.feature_names_in_) == ["u"]
    model.fit(None, frames[1])
    assert model.n_features_in_ == 0 and not hasattr(model, "feature_names_in_")


# --- the same bits -------------------------------------------------------------------------------


@pytest.mark.parametrize("solver", ["lm", "lbfgs"])
def test_the_same_random_state_gives_the_same_bits_for_any_n_jobs(arrays, solver):
    fits = [
        small(solver=solver, n_restarts=3, n_jobs=n_jobs, max_iter=10).fit(*arrays)
        for n_jobs in (None, 1, 2, 2)
    ]
    for model in fits[1:]:
        assert model.theta_.tobytes() == fits[0].theta_.tobytes()
        assert model.loss_curve_ == fits[0].loss_curve_
        assert model.forecast(X=np.ones((5, 1))).equals(fits[0].forecast(X=np.ones((5, 1))))


def test_another_random_state_gives_other_weights(arrays):
    params = {"alpha": 1e-4, "max_iter": 3}  # a network that is on
    first, second = (small(random_state=seed, **params).fit(*arrays) for seed in (0, 1))
    assert not np.array_equal(first.theta_, second.theta_)


def test_a_generator_as_random_state_moves_on(arrays):
    rng, params = np.random.RandomState(0), {"alpha": 1e-4, "max_iter": 3}
    first, second = (small(random_state=rng, **params).fit(*arrays) for _ in range(2))
    assert not np.array_equal(first.theta_, second.theta_)
    again = small(random_state=np.random.RandomState(0), **params).fit(*arrays)
    np.testing.assert_array_equal(again.theta_, first.theta_)


def test_the_global_random_state_is_left_alone(arrays):
    np.random.seed(0)
    expected = np.random.RandomState(0).normal(size=3)
    small().fit(*arrays)
    np.testing.assert_array_equal(np.random.normal(size=3), expected)


@pytest.mark.parametrize(
    "model",
    [
        small(),
        TDNN(**SMALL),
        ARX(),
        ARX(level=2, drift=0.5),
        ExponentialSmoothing(),
        Persistence(),
        SeasonalNaive(2),
        SmartPersistence("u", threshold=0),
    ],
    ids=repr,
)
def test_pickle_keeps_every_answer(model, frames):
    X, y = frames
    model = clone(model).fit(X[:200], y[:200])
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict(X[200:]), model.predict(X[200:]))
    pd.testing.assert_series_equal(copy.forecast(X=X[200:]), model.forecast(X=X[200:]))
    for m in (copy, model):
        m.update(X[200:210], y[200:210])
    np.testing.assert_array_equal(copy.predict(X[210:]), model.predict(X[210:]))


def test_warm_start_goes_on_from_the_last_weights(arrays):
    model = small(warm_start=True, max_iter=3).fit(*arrays)
    reached = model.loss_
    model.fit(*arrays)
    assert model.loss_curve_[0] == pytest.approx(reached, rel=1e-12)
    assert model.loss_ <= reached


# --- pipelines and transformed targets -----------------------------------------------------------


def test_a_scaler_in_a_pipeline_changes_nothing(data):
    X, y = data
    bare = small(alpha=1e-4).fit(X[:200], y[:200])
    pipe = make_pipeline(StandardScaler(), small(alpha=1e-4)).fit(X[:200], y[:200])
    np.testing.assert_allclose(pipe.predict(X[200:]), bare.predict(X[200:]), rtol=1e-6)
    assert pipe.score(X[200:], y[200:]) == pytest.approx(bare.score(X[200:], y[200:]), rel=1e-6)


def test_a_scaler_drops_the_clock_unless_it_sets_pandas_output(frames):
    X, y = frames
    y = y.to_numpy()
    plain = make_pipeline(StandardScaler(), small()).fit(X[:200], y[:200])
    assert np.isfinite(plain.predict(X[:40])).all()  # taken to follow
    pipe = make_pipeline(StandardScaler(), small()).set_output(transform="pandas")
    pipe.fit(X[:200], y[:200])
    np.testing.assert_array_equal(pipe.predict(X[200:]), plain.predict(X[200:]))
    with pytest.raises(ValueError, match="predict_ahead"):
        pipe.predict(X[:40])
    with pytest.raises(ValueError, match="update"):
        pipe.predict(X[210:])


def test_a_transformed_target_changes_nothing(data):
    X, y = data
    bare = small(alpha=1e-4).fit(X[:200], y[:200])
    outer = TransformedTargetRegressor(small(alpha=1e-4), transformer=StandardScaler())
    outer.fit(X[:200], y[:200])
    np.testing.assert_allclose(outer.predict(X[200:]), bare.predict(X[200:]), rtol=1e-6)
    assert outer.score(X[200:], y[200:]) == pytest.approx(bare.score(X[200:], y[200:]), rel=1e-6)


def test_a_transformed_target_around_a_pipeline(frames):
    X, y = frames
    outer = TransformedTargetRegressor(
        make_pipeline(StandardScaler(), small()), func=np.arcsinh, inverse_func=np.sinh
    )
    outer.fit(X[:200], y[:200])
    inner = small().fit(X[:200], np.arcsinh(y[:200]))
    np.testing.assert_allclose(outer.predict(X[200:]), np.sinh(inner.predict(X[200:])), rtol=1e-6)


# --- searching and validating --------------------------------------------------------------------


def test_cross_validate_scores_the_continuation_of_each_fold(data):
    X, y = data
    folds = TimeSeriesSplit(3)
    result = cross_validate(small(), X, y, cv=folds, error_score="raise", return_estimator=True)
    values = np.asarray(y)
    for (train, test), model, score in zip(
        folds.split(X), result["estimator"], result["test_score"]
    ):
        rows = X.iloc if hasattr(X, "iloc") else X
        assert score == pytest.approx(r2_score(values[test], model.predict(rows[test])))
        assert score > 0.5, train


def test_cross_validate_gives_the_same_on_arrays_and_frames(arrays, frames):
    on_arrays, on_frames = (
        cross_validate(small(), *data, cv=TimeSeriesSplit(3), error_score="raise")["test_score"]
        for data in (arrays, frames)
    )
    np.testing.assert_array_equal(on_arrays, on_frames)


def test_labels_of_other_kinds_pass_through_its_tools(frames):
    """Dates in an index of objects, and rows that train_test_split left in their order."""
    X, y = frames
    X_dates, y_dates = (v.set_axis(pd.Index(v.index.to_pydatetime(), dtype=object)) for v in (X, y))
    pipe = make_pipeline(StandardScaler(), small()).set_output(transform="pandas")
    outer = TransformedTargetRegressor(pipe, transformer=StandardScaler())
    grid = {"regressor__narx__input_lags": [[1], 1]}
    for model in (pipe, outer, GridSearchCV(outer, grid, cv=TimeSeriesSplit(2))):
        scores = [
            cross_validate(model, *pair, cv=TimeSeriesSplit(2), error_score="raise")["test_score"]
            for pair in ((X, y), (X_dates, y_dates))
        ]
        np.testing.assert_array_equal(*scores)
    X_train, X_test, y_train, y_test = train_test_split(X_dates, y_dates, shuffle=False)
    assert small().fit(X_train, y_train).score(X_test, y_test) > 0.5


def test_series_of_labels_and_weights_are_cut_with_the_rows(routing, frames, labels):
    """Their labels still agree in every fold."""
    model = small().set_fit_request(segments=True, sample_weight=True)
    model.set_score_request(sample_weight=True)
    for X, y in (frames, [v.reset_index(drop=True) for v in frames]):
        params = {"segments": labels, "sample_weight": np.ones(len(y))}
        scores = [
            cross_validate(model, X, y, cv=TimeSeriesSplit(2), params=given, error_score="raise")
            for given in (params, {name: pd.Series(v, X.index) for name, v in params.items()})
        ]
        np.testing.assert_array_equal(*(score["test_score"] for score in scores))


def test_other_scorers_and_pipelines_in_cross_validate(data):
    X, y = data
    pipe = make_pipeline(StandardScaler(), small()).set_output(transform="pandas")
    result = cross_validate(
        pipe, X, y, cv=TimeSeriesSplit(3), scoring=["r2", "neg_root_mean_squared_error"],
        error_score="raise",
    )  # fmt: skip
    assert np.isfinite(result["test_r2"]).all()
    assert (result["test_neg_root_mean_squared_error"] < 0).all()


@pytest.mark.parametrize("folds", [KFold(3), TimeSeriesSplit(3, gap=5)], ids=repr)
def test_the_clock_refuses_folds_that_do_not_follow(frames, folds):
    with pytest.raises(ValueError, match="X begins at .* update|predict_ahead"):
        cross_validate(small(), *frames, cv=folds, error_score="raise")


GRID = {
    "input_lags": [[1], 2],
    "hidden_layer_sizes": [(), (3,)],
    "solver__damping": [1e-2, 1.0],
}


def test_grid_search_over_lags_sizes_and_damping(data):
    X, y = data
    model = small(solver=LevenbergMarquardt(), alpha=1e-4, max_iter=15)
    search = GridSearchCV(model, GRID, cv=TimeSeriesSplit(3), error_score="raise").fit(X, y)
    assert len(search.cv_results_["params"]) == 8
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_params_["hidden_layer_sizes"] == (3,)  # the system is not linear
    assert search.best_estimator_.solver.damping == search.best_params_["solver__damping"]
    ahead = X[-5:]
    if isinstance(X, pd.DataFrame):
        ahead = ahead.set_index(ahead.index + 5 * X.index.freq)
    np.testing.assert_array_equal(search.predict(ahead), search.best_estimator_.predict(ahead))


def test_grid_search_through_pipeline_and_transformed_target(frames):
    outer = TransformedTargetRegressor(
        make_pipeline(StandardScaler(), small(max_iter=10)).set_output(transform="pandas"),
        transformer=StandardScaler(),
    )
    grid = {"regressor__narx__input_lags": [[1], 1]}
    search = GridSearchCV(outer, grid, cv=TimeSeriesSplit(3), error_score="raise").fit(*frames)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_grid_search_over_lag_dicts(frames):
    X, y = frames
    X = X.assign(noise=0.0)
    grid = {"input_lags": [{"u": [1], "noise": []}, {"u": 2, "noise": [3]}]}
    search = GridSearchCV(small(), grid, cv=TimeSeriesSplit(3), error_score="raise").fit(X, y)
    assert search.best_params_["input_lags"] in grid["input_lags"]


# --- metadata routing ----------------------------------------------------------------------------


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.fixture(scope="module")
def labels():
    return np.repeat(["a", "b", "c"], 80)


def test_segments_and_weights_are_routed_through_a_pipeline(routing, arrays, labels):
    X, y = arrays
    weight = np.random.default_rng(0).uniform(0.5, 2, len(y))
    model = small().set_fit_request(segments=True, sample_weight=True)
    scaler = StandardScaler().set_fit_request(sample_weight=False)
    pipe = make_pipeline(scaler, model).fit(X, y, segments=labels, sample_weight=weight)
    scaled = scaler.fit_transform(X)
    bare = small().fit(scaled, y, sample_weight=weight, segments=labels)
    np.testing.assert_array_equal(pipe[-1].theta_, bare.theta_)
    unrouted = small().fit(scaled, y)
    assert not np.array_equal(unrouted.theta_, bare.theta_)


def test_segments_and_weights_are_routed_through_cross_validate(routing, arrays, labels):
    X, y = arrays
    weight = np.random.default_rng(0).uniform(0.5, 2, len(y))
    model = small().set_fit_request(segments=True, sample_weight=True)
    model.set_score_request(sample_weight=True)
    folds = TimeSeriesSplit(2)
    result = cross_validate(
        model, X, y, cv=folds, params={"segments": labels, "sample_weight": weight},
        return_estimator=True, error_score="raise",
    )  # fmt: skip
    for (train, test), fitted, score in zip(
        folds.split(X), result["estimator"], result["test_score"]
    ):
        bare = small().fit(X[train], y[train], weight[train], labels[train])
        np.testing.assert_array_equal(fitted.theta_, bare.theta_)
        assert score == bare.score(X[test], y[test], sample_weight=weight[test])


def test_segments_are_routed_through_grid_search(routing, arrays, labels):
    X, y = arrays
    model = small().set_fit_request(segments=True, sample_weight=False)
    model.set_score_request(sample_weight=False)
    search = GridSearchCV(model, {"hidden_layer_sizes": [(), (3,)]}, cv=TimeSeriesSplit(2))
    search.fit(X, y, segments=labels)
    bare = small(**search.best_params_).fit(X, y, segments=labels)
    np.testing.assert_array_equal(search.best_estimator_.theta_, bare.theta_)


def test_segments_must_be_requested(routing, arrays, labels):
    with pytest.raises(sklearn.exceptions.UnsetMetadataPassedError, match="segments"):
        cross_validate(small(), *arrays, cv=TimeSeriesSplit(2), params={"segments": labels})
