"""Scorers ask all candidates the same; folds respect time, and no lag crosses their holes."""

import pickle
from functools import partial

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from narxkit import (
    ARX,
    NARX,
    TDNN,
    BlockedKFold,
    Climatology,
    LevenbergMarquardt,
    Persistence,
    RollingOrigin,
    SeasonalNaive,
    ahead_scorer,
    backtest,
    simulation_scorer,
    skill_table,
)

N, N_TRAIN, STEPS = 240, 160, 5
HOURS = pd.date_range("2024-01-01", periods=N, freq="h")


def frames(seed=0, n_outputs=1, n=N):
    rng = np.random.default_rng(seed)
    u = rng.normal(size=(n, 2))
    y = np.zeros((n, n_outputs))
    for t in range(2, n):
        push = np.tanh(2 * u[t, 0]) + 0.5 * u[t - 1, 1]
        y[t] = 0.8 * y[t - 1, ::-1] - 0.5 * y[t - 2] + push + 0.05 * rng.normal(size=n_outputs)
    X = pd.DataFrame(u, HOURS[:n], ["a", "b"])
    if n_outputs == 1:
        return X, pd.Series(20 + 3 * y[:, 0], X.index, name="load")
    return X, pd.DataFrame(20 + 3 * y, X.index, ["load", "price"])


def small(**params):
    defaults = {"input_lags": 1, "hidden_layer_sizes": (3,), "max_iter": 10, "random_state": 0}
    defaults |= {"alpha": 0.01, "linear_alpha": 0.01}  # what is chosen may hang on rounding
    return NARX(**{**defaults, **params})


@pytest.fixture(scope="module")
def data():
    return frames()


@pytest.fixture(scope="module")
def arrays(data):
    return tuple(v.to_numpy() for v in data)


@pytest.fixture(scope="module")
def fitted(data):
    X, y = data
    return small().fit(X[:N_TRAIN], y[:N_TRAIN])


def ahead_by_backtest(model, X, y, steps=STEPS, start=N_TRAIN):
    """Return the table of skill of origins from the last training row on, targets in the fold."""
    origins = np.arange(start - 1, len(y) - steps)
    return skill_table({"it": backtest(model, X, y, steps, origins)}, horizons=[1]).loc["it"]


class Asked:
    """A metric that keeps the targets it is asked about."""

    def __init__(self):
        self.targets = []

    def __call__(self, y_true, y_pred):
        assert np.isfinite(y_pred).all()
        self.targets.append(y_true.tolist())
        return mean_absolute_error(y_true, y_pred)


MODELS = [
    small(),
    small(output_lags=[1, 24]),
    TDNN(input_lags=2, hidden_layer_sizes=(3,), max_iter=10, random_state=0),
    ARX(),
    Persistence(),
    SeasonalNaive(24),
    Climatology(by=("hour",)),
]
each_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)


# --- forecasts from every row --------------------------------------------------------------------


@each_model
def test_ahead_is_what_the_table_of_skill_says(model, data):
    X, y = data
    model = clone(model).fit(X[:N_TRAIN], y[:N_TRAIN])
    score = ahead_scorer(STEPS)(model, X[N_TRAIN:], y[N_TRAIN:])
    table = ahead_by_backtest(model, X, y)
    assert score == pytest.approx(-table["RMSE mean"], rel=1e-9)
    mae = ahead_scorer(STEPS, "mae")(model, X[N_TRAIN:], y[N_TRAIN:])
    assert mae == pytest.approx(-table["MAE"], rel=1e-9)


@each_model
def test_ahead_with_a_warmup_uses_the_rows_of_the_fold_alone(model, data):
    X, y = data
    model = clone(model).fit(X[80:], y[80:])  # the fold comes before what was fitted
    score = ahead_scorer(STEPS, warmup=24)(model, X[:80], y[:80])
    table = ahead_by_backtest(model, X[:80], y[:80], start=24)
    assert score == pytest.approx(-table["RMSE mean"], rel=1e-9)


def test_ahead_on_arrays_is_ahead_on_frames(data, arrays, fitted):
    X, y = arrays
    model = small().fit(X[:N_TRAIN], y[:N_TRAIN])
    for scorer in (ahead_scorer(STEPS), ahead_scorer(STEPS, warmup=9), simulation_scorer("mae")):
        expected = scorer(fitted, *(v[N_TRAIN:] for v in data))
        assert scorer(model, X[N_TRAIN:], y[N_TRAIN:]) == expected


@pytest.mark.parametrize("warmup", [None, 48])
def test_candidates_of_all_lags_are_asked_the_same(warmup, data):
    X, y = data
    asked = []
    for lags in (1, 2, [1, 24], 48):
        model = small(output_lags=lags).fit(X[:N_TRAIN], y[:N_TRAIN])
        metric = Asked()
        scorer = ahead_scorer([1, 3], metric, warmup, greater_is_better=False)
        scorer(model, X[N_TRAIN:], y[N_TRAIN:])
        asked.append(metric.targets)
    first = N_TRAIN + (warmup or 0)
    one, three = y[first : N - 2].tolist(), y[first + 2 :].tolist()
    assert asked == [[one, three]] * 4


def test_a_sequence_asks_for_exactly_its_horizons(data, fitted):
    X, y = data
    ahead = fitted.predict_ahead(X, y, steps=[2, 5])
    rmse = [
        root_mean_squared_error(y[rows], ahead[rows, i])
        for i, rows in enumerate([slice(N_TRAIN + 1, N - 3), slice(N_TRAIN + 4, N)])
    ]
    for steps in ([2, 5], (2, 5), np.array([2, 5]), pd.Index([2, 5])):
        score = ahead_scorer(steps)(fitted, X[N_TRAIN:], y[N_TRAIN:])
        assert score == pytest.approx(-np.mean(rmse), rel=1e-9)


def test_r2_and_metrics_of_ones_own(data, fitted):
    X, y = data
    fold = X[N_TRAIN:], y[N_TRAIN:]
    true, predicted = y[N_TRAIN + 1 :], fitted.predict_ahead(X, y, steps=2)[N_TRAIN + 1 :]
    r2 = r2_score(true, predicted)
    assert 0 < r2 < 1
    assert ahead_scorer([2], "r2")(fitted, *fold) == pytest.approx(r2)
    assert ahead_scorer([2], r2_score, greater_is_better=True)(fitted, *fold) == pytest.approx(r2)
    error = ahead_scorer([2], mean_absolute_error, greater_is_better=False)(fitted, *fold)
    assert error == pytest.approx(-np.abs(true - predicted).mean())


def test_missing_targets_are_skipped_and_filled_as_history(data, fitted):
    X, y = data[0], data[1].copy()
    y.iloc[[N_TRAIN + 3, N_TRAIN + 20, N_TRAIN + 21]] = np.nan
    score = ahead_scorer(STEPS)(fitted, X[N_TRAIN:], y[N_TRAIN:])
    assert score == pytest.approx(-ahead_by_backtest(fitted, X, y)["RMSE mean"], rel=1e-9)
    assert score != ahead_scorer(STEPS)(fitted, X[N_TRAIN:], data[1][N_TRAIN:])


def test_predictions_without_inputs_are_skipped(data, fitted):
    X, y = data[0].copy(), data[1]
    X.iloc[N_TRAIN + 30, 0] = np.nan
    score = ahead_scorer(STEPS)(fitted, X[N_TRAIN:], y[N_TRAIN:])
    assert score == pytest.approx(-ahead_by_backtest(fitted, X, y)["RMSE mean"], rel=1e-9)


def test_leads_shorten_the_fold_at_its_end(data):
    X, y = data
    model = small(input_lags=[-2, 0]).fit(X[:N_TRAIN], y[:N_TRAIN])
    metric = Asked()
    ahead_scorer([1], metric, greater_is_better=False)(model, X[N_TRAIN:], y[N_TRAIN:])
    assert metric.targets == [y[N_TRAIN:-2].tolist()]


def test_a_missing_output_before_a_fold_with_leads_is_filled(data):
    """Its one-step prediction needs inputs of the fold's first rows."""
    X, y = data[0], data[1].copy()
    y.iloc[N_TRAIN - 1] = np.nan
    model = small(input_lags=[-2, 0]).fit(X[:N_TRAIN], y[:N_TRAIN])
    score = ahead_scorer([1])(model, X[N_TRAIN:], y[N_TRAIN:])
    ahead = model.predict_ahead(X, y)
    rmse = root_mean_squared_error(y[N_TRAIN:-2], ahead[N_TRAIN:-2])
    assert score == pytest.approx(-rmse, rel=1e-9)


def test_a_model_of_y_alone(data):
    X, y = data
    X = X[[]]
    model = small().fit(X[:N_TRAIN], y[:N_TRAIN])
    expected = pytest.approx(-ahead_by_backtest(model, None, y)["RMSE mean"], rel=1e-9)
    for fold in (X[N_TRAIN:], None):
        assert ahead_scorer(STEPS)(model, fold, y[N_TRAIN:]) == expected
    scores = cross_val_score(small(), X, y, cv=RollingOrigin(2), scoring=ahead_scorer(STEPS))
    assert (scores < 0).all()


def test_the_split_of_sklearn_serves_too(data):
    ours, theirs = (
        cross_val_score(small(), *data, cv=cv, scoring=ahead_scorer(STEPS))
        for cv in (RollingOrigin(3), TimeSeriesSplit(3))
    )
    np.testing.assert_array_equal(ours, theirs)


def test_a_fold_in_another_time_zone(data):
    X, y = (v.tz_localize("UTC") for v in data)
    model = small().fit(X[:N_TRAIN], y[:N_TRAIN])
    fold = [v[N_TRAIN:] for v in (X, y)]
    score = ahead_scorer(STEPS)(model, *(v.tz_convert("Asia/Tokyo") for v in fold))
    assert score == ahead_scorer(STEPS)(model, *fold)


# --- free runs -----------------------------------------------------------------------------------


@each_model
def test_a_simulation_goes_on_from_the_training_rows(model, data):
    X, y = data
    model = clone(model).fit(X[:N_TRAIN], y[:N_TRAIN])
    fold, true = X[N_TRAIN:], y[N_TRAIN:]
    free = model.predict(fold)
    rmse = root_mean_squared_error(true, free)
    assert simulation_scorer()(model, fold, true) == pytest.approx(-rmse)
    later = simulation_scorer("r2", washout=20)(model, fold, true)
    assert later == pytest.approx(r2_score(true[20:], free[20:]))


@each_model
def test_a_simulation_from_the_first_rows_of_the_fold(model, data):
    X, y = data
    model = clone(model).fit(X[80:], y[80:])
    free = model.simulate(X[:80], y[:24])
    score = simulation_scorer("mae", washout=6, warmup=24)(model, X[:80], y[:80])
    assert score == pytest.approx(-np.abs(free - y[:80])[30:].mean())


def test_a_simulation_of_two_segments_is_scored_together(data, fitted):
    X, y = (v[N_TRAIN:].drop(HOURS[190:200]) for v in data)
    free = [fitted.simulate(X[s], y[s][:3]) for s in (slice(0, 30), slice(30, None))]
    errors = np.concatenate([free[0][5:] - y[5:30], free[1][5:] - y[35:]])
    score = simulation_scorer(washout=2, warmup=3)(fitted, X, y)
    assert score == pytest.approx(-np.sqrt(np.mean(errors**2)))


def test_a_segment_shorter_than_warmup_and_washout_is_left_out(data, fitted):
    X, y = (v[N_TRAIN:].drop([HOURS[164], HOURS[N - 2]]) for v in data)  # 4, 73 and 1 rows
    metric = Asked()
    simulation_scorer(metric, washout=2, warmup=3, greater_is_better=False)(fitted, X, y)
    assert metric.targets == [y[4 + 5 : -1].tolist()]


# --- divergence ----------------------------------------------------------------------------------


class Amplified(ARX):
    """An ARX that is multiplied after its fit."""

    _parameter_constraints = {**ARX._parameter_constraints, "factor": "no_validation"}

    def __init__(self, input_lags=1, output_lags=1, factor=5.0):
        super().__init__(input_lags, output_lags)
        self.factor = factor

    def _train(self, segments, weight):
        super()._train(segments, weight)
        self.theta_ = self.factor * self.theta_


@pytest.mark.parametrize("scorer", [ahead_scorer(24), simulation_scorer("r2")], ids=repr)
def test_a_rollout_that_diverges_scores_minus_infinity(scorer, data):
    X, y = data
    model = Amplified().fit(X[:N_TRAIN], y[:N_TRAIN])
    with pytest.warns(RuntimeWarning, match=r"diverged at row 10 \(2024-01-08 02:00"):
        assert scorer(model, X[N_TRAIN:], y[N_TRAIN:]) == -np.inf


@pytest.mark.filterwarnings("ignore:the rollout diverged")
def test_a_search_does_not_choose_what_diverges(data):
    """A candidate of which one fold diverges comes last."""
    search = GridSearchCV(
        Amplified(), {"factor": [5.0, 1.0]}, cv=RollingOrigin(2), scoring=ahead_scorer(24)
    )
    with pytest.warns(UserWarning, match="non-finite"), np.errstate(invalid="ignore"):
        search.fit(*data)
    assert search.best_params_ == {"factor": 1.0}
    assert search.cv_results_["rank_test_score"].tolist() == [2, 1]


# --- several series, several outputs -------------------------------------------------------------


def test_several_outputs_have_equal_weights():
    X, y = frames(n_outputs=2)
    y["price"] *= 1000
    model = small().fit(X[:N_TRAIN], y[:N_TRAIN])
    ahead = model.predict_ahead(X, y)[N_TRAIN:]
    rmse = root_mean_squared_error(y[N_TRAIN:], ahead, multioutput="raw_values")
    score = ahead_scorer(1)(model, X[N_TRAIN:], y[N_TRAIN:])
    assert score == pytest.approx(-rmse.mean(), rel=1e-9)
    free = simulation_scorer("r2")(model, X[N_TRAIN:], y[N_TRAIN:])
    assert free == pytest.approx(r2_score(y[N_TRAIN:], model.predict(X[N_TRAIN:])))


def panel():
    """Return two series of the same hours, hour by hour."""
    X, y = (pd.concat(p, keys=["east", "west"]) for p in zip(frames(1), frames(2)))
    order = np.argsort(X.index.get_level_values(1), kind="stable")
    return X.iloc[order], y.iloc[order]


def test_the_series_of_a_panel_are_scored_together():
    X, y = panel()
    is_train = X.index.get_level_values(1) < HOURS[N_TRAIN]
    model = small().fit(X[is_train], y[is_train])
    fold = X[~is_train], y[~is_train]
    run = backtest(model, X, y, STEPS)
    run = run[run["origin"] >= HOURS[N_TRAIN - 1]]
    table = skill_table({"it": run}, horizons=[1])
    assert ahead_scorer(STEPS)(model, *fold) == pytest.approx(-table.loc["it", "RMSE mean"])
    rmse = root_mean_squared_error(fold[1], model.predict(fold[0]))
    assert simulation_scorer()(model, *fold) == pytest.approx(-rmse)


def test_a_series_that_was_not_seen_needs_a_warmup():
    X, y = panel()
    model = small().fit(X.loc[["east"]], y.loc[["east"]])
    west = X.loc[["west"]], y.loc[["west"]]
    with pytest.raises(ValueError, match="lacks the history"):
        ahead_scorer(STEPS)(model, *west)
    alone = ahead_by_backtest(model, *west, start=10)["RMSE mean"]
    assert ahead_scorer(STEPS, warmup=10)(model, *west) == pytest.approx(-alone)


# --- pipelines, transformed targets, searches ----------------------------------------------------


@pytest.mark.parametrize(
    "scorer",
    [ahead_scorer(STEPS), ahead_scorer(STEPS, warmup=8), simulation_scorer(washout=3)],
    ids=repr,
)
def test_wrapped_models_are_scored_in_original_units(scorer, data, fitted):
    X, y = data
    pipe = make_pipeline(StandardScaler(), small()).set_output(transform="pandas")
    wrapped = [
        make_pipeline(StandardScaler(), small()),
        TransformedTargetRegressor(small(), transformer=StandardScaler()),
        TransformedTargetRegressor(pipe, transformer=StandardScaler()),
        GridSearchCV(pipe, {"narx__max_iter": [10]}, cv=RollingOrigin(2), scoring=scorer),
    ]
    expected = scorer(fitted, X[N_TRAIN:], y[N_TRAIN:])
    for model in wrapped:
        model.fit(X[:N_TRAIN], y[:N_TRAIN])
        assert scorer(model, X[N_TRAIN:], y[N_TRAIN:]) == pytest.approx(expected, rel=1e-5)
    assert model.score(X[N_TRAIN:], y[N_TRAIN:]) == scorer(model, X[N_TRAIN:], y[N_TRAIN:])


# --- scorers are objects -------------------------------------------------------------------------


def test_scorers_show_how_they_were_made():
    assert repr(ahead_scorer()) == "ahead_scorer(steps=24, metric='rmse')"
    assert repr(ahead_scorer([1, 24], "r2", 48)) == (
        "ahead_scorer(steps=[1, 24], warmup=48, metric='r2')"
    )
    assert repr(simulation_scorer(max, 5, greater_is_better=False)) == (
        "simulation_scorer(washout=5, greater_is_better=False, metric=max)"
    )


@pytest.mark.parametrize(
    "scorer",
    [ahead_scorer(3), simulation_scorer(mean_absolute_error, greater_is_better=False)],
    ids=repr,
)
def test_scorers_can_be_pickled_and_compared(scorer, data, fitted):
    copy = pickle.loads(pickle.dumps(scorer))
    assert copy == scorer and copy != ahead_scorer(4)
    fold = [v[N_TRAIN:] for v in data]
    assert copy(fitted, *fold) == scorer(fitted, *fold)


def test_several_scorers_at_once_in_other_processes(data):
    scoring = {"ahead": ahead_scorer(STEPS), "free": simulation_scorer("r2")}
    one, two = (
        cross_validate(small(), *data, cv=RollingOrigin(2), scoring=scoring, n_jobs=n_jobs)
        for n_jobs in (1, 2)
    )
    for name in ("test_ahead", "test_free"):
        assert np.isfinite(one[name]).all()
        np.testing.assert_array_equal(one[name], two[name])


def test_training_rows_are_scored_with_a_warmup(data):
    X, y = data
    cv, scorer = BlockedKFold(3), ahead_scorer(STEPS, warmup=10)
    run = cross_validate(
        small(), X, y, cv=cv, scoring=scorer, return_train_score=True, return_estimator=True
    )
    train, _ = list(cv.split(X, y))[1]
    before, after = (v[v.index < HOURS[80]] for v in data), (v[v.index >= HOURS[160]] for v in data)
    model = run["estimator"][1]
    table = skill_table(
        {
            "it": pd.concat(
                backtest(model, *part, STEPS, np.arange(9, 80 - STEPS)) for part in (before, after)
            )
        },
        horizons=[1],
    )
    assert len(train) == 160
    assert run["train_score"][1] == pytest.approx(-table.loc["it", "RMSE mean"], rel=1e-9)


def test_scoring_changes_nothing(data, fitted):
    before = pickle.dumps(fitted)
    ahead_scorer(STEPS)(fitted, *(v[N_TRAIN:] for v in data))
    simulation_scorer()(fitted, *(v[N_TRAIN:] for v in data))
    assert pickle.dumps(fitted) == before


# --- what scorers refuse -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (partial(ahead_scorer, 0), "steps must be an int >= 1 or a sequence of them. Got 0"),
        (partial(ahead_scorer, []), r"a sequence of them. Got \[\] instead"),
        (partial(ahead_scorer, [1, 2.5]), r"a sequence of them. Got \[1, 2.5\] instead"),
        (partial(ahead_scorer, True), "a sequence of them. Got True instead"),
        (partial(ahead_scorer, None), "a sequence of them. Got None instead"),
        (partial(ahead_scorer, [[1]]), r"a sequence of them. Got \[\[1\]\] instead"),
        (partial(ahead_scorer, metric="mse"), r"one of \['rmse', 'mae', 'r2'\] .* Got 'mse'"),
        (partial(ahead_scorer, metric=[1]), r"or a function \(y_true, y_pred\). Got \[1\] instead"),
        (partial(ahead_scorer, metric=max), "must be True or False where the metric is a function"),
        (partial(ahead_scorer, greater_is_better=True), "left out where it is one of .* Got True"),
        (partial(simulation_scorer, greater_is_better="no"), "left out where .* Got 'no' instead"),
        (partial(ahead_scorer, warmup=-1), "warmup must be None or an int >= 0. Got -1 instead"),
        (partial(simulation_scorer, warmup=2.0), "warmup must be None or an int >= 0. Got 2.0"),
        (partial(simulation_scorer, washout=-2), "washout must be an int >= 0. Got -2 instead"),
    ],
)
def test_parameters_of_scorers(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()


@pytest.mark.parametrize("maker", [ahead_scorer, simulation_scorer])
class TestRefusals:
    def test_a_fold_that_does_not_follow(self, maker, data, fitted):
        for fold in (slice(N_TRAIN - 1, None), slice(N_TRAIN + 5, None), slice(0, 60)):
            X, y = (v[fold] for v in data)
            with pytest.raises(ValueError, match=rf"row 0 \({X.index[0]}\) of the fold lacks .* "
                               "lags up to 2 need, for the fold does not follow .* a warmup of at "
                               "least the largest lag"):  # fmt: skip
                maker()(fitted, X, y)

    def test_a_seam_in_the_fold(self, maker, data, fitted):
        X, y = (v[N_TRAIN:].drop(HOURS[200]) for v in data)
        with pytest.raises(ValueError, match=r"row 40 \(2024-01-09 09:00:00\) .* or a seam"):
            maker()(fitted, X, y)

    def test_a_state_that_is_too_short(self, maker, data):
        X, y = (v.drop(HOURS[N_TRAIN - 2]) for v in data)  # one row after the seam
        model = small().fit(X[: N_TRAIN - 1], y[: N_TRAIN - 1])
        with pytest.raises(ValueError, match="row 0 .* lacks the history that lags up to 2 need"):
            maker()(model, X[N_TRAIN - 1 :], y[N_TRAIN - 1 :])

    def test_a_warmup_less_than_the_lags(self, maker, data, fitted):
        fold = [v[N_TRAIN:] for v in data]
        with pytest.raises(ValueError, match="warmup=1 rows are not the history that lags up to 2"):
            maker(warmup=1)(fitted, *fold)

    def test_a_fold_without_measured_rows(self, maker, data, fitted):
        X, y = data[0][N_TRAIN:], data[1][N_TRAIN:] * np.nan
        with pytest.raises(ValueError, match="nothing is left to score in the fold"):
            maker()(fitted, X, y)

    def test_a_fold_without_inputs(self, maker, data):
        X, y = data[0][N_TRAIN:] * np.nan, data[1][N_TRAIN:]
        for transform in (
            {"transformer": StandardScaler()},
            {"func": np.log, "inverse_func": np.exp},
        ):
            model = TransformedTargetRegressor(small(), **transform)
            model.fit(*(v[:N_TRAIN] for v in data))
            with pytest.raises(ValueError, match="all of its predictions, for lack of inputs"):
                maker()(model, X, y)

    def test_no_forecaster_and_no_fit(self, maker, data):
        with pytest.raises(ValueError, match="model must be a fitted forecaster.* Got Ridge"):
            maker()(Ridge().fit(*data), *data)
        with pytest.raises(NotFittedError):
            maker()(small(), *data)


def test_folds_that_are_too_short(data, fitted):
    X, y = (v[N_TRAIN : N_TRAIN + 20] for v in data)
    with pytest.raises(ValueError, match="24 steps do not fit into the fold, which has at most 20"):
        ahead_scorer(24)(fitted, X, y)
    sentence = (
        "at most 11 rows to predict in a segment after a warmup of 9: give larger folds, or a "
        "scorer of fewer steps or less washout"
    )
    with pytest.raises(ValueError, match=sentence):
        ahead_scorer(12, warmup=9)(fitted, X, y)
    with pytest.raises(ValueError, match="at most 0 rows to predict"):
        ahead_scorer(1, warmup=30)(fitted, X, y)
    with pytest.raises(ValueError, match="21 steps do not fit into the fold"):
        simulation_scorer(washout=20)(fitted, X, y)


# --- rolling origins -----------------------------------------------------------------------------


def folds(cv, n=20, **more):
    return [(train.tolist(), test.tolist()) for train, test in cv.split(np.zeros(n), **more)]


@pytest.mark.parametrize(("n", "n_splits"), [(20, 5), (23, 4), (7, 1), (6, 5)])
def test_rolling_origin_is_by_default_the_split_of_sklearn(n, n_splits):
    expected = TimeSeriesSplit(n_splits).split(np.zeros(n)) if n_splits > 1 else None
    ours = folds(RollingOrigin(n_splits), n)
    assert ours == (
        [(a.tolist(), b.tolist()) for a, b in expected] if expected else [([0, 1, 2, 3], [4, 5, 6])]
    )


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"test_size": 3}, [((0, 14), (14, 17)), ((0, 17), (17, 20))]),
        ({"test_size": 3, "window": 5}, [((9, 14), (14, 17)), ((12, 17), (17, 20))]),
        ({"test_size": 4, "step": 2}, [((0, 14), (14, 18)), ((0, 16), (16, 20))]),
        ({"test_size": 2, "step": 5}, [((0, 13), (13, 15)), ((0, 18), (18, 20))]),
        ({"test_size": 3, "gap": 2}, [((0, 12), (14, 17)), ((0, 15), (17, 20))]),
        ({"test_size": 3, "gap": 2, "window": 4}, [((8, 12), (14, 17)), ((11, 15), (17, 20))]),
        ({"min_train_size": 10}, [((0, 10), (10, 15)), ((0, 15), (15, 20))]),
        ({"min_train_size": 9, "gap": 1}, [((0, 9), (10, 15)), ((0, 14), (15, 20))]),
        ({"min_train_size": 10, "step": 2}, [((0, 10), (10, 18)), ((0, 12), (12, 20))]),
    ],
    ids=str,
)
def test_rolling_origin_by_hand(params, expected):
    cv = RollingOrigin(2, **params)
    assert cv.get_n_splits() == 2
    assert folds(cv) == [(list(range(*a)), list(range(*b))) for a, b in expected]


def test_splitters_take_whatever_carries_the_rows(data):
    X, y = data
    rolling, blocked = RollingOrigin(2), BlockedKFold(3)
    for cv in (rolling, blocked):
        expected = list(cv.split(X, y))
        for rows in ((X,), (X.to_numpy(), y), (None, y), (X[[]], y), (y.tolist(), y)):
            for ours, theirs in zip(cv.split(*rows), expected):
                np.testing.assert_array_equal(ours[0], theirs[0])
                np.testing.assert_array_equal(ours[1], theirs[1])


@pytest.mark.parametrize("cv", [RollingOrigin(3), BlockedKFold(3)], ids=repr)
@pytest.mark.parametrize("order", ["by time", "by series"])
def test_panels_are_split_at_the_same_moments(cv, order):
    X, y = panel() if order == "by time" else (v.sort_index() for v in panel())
    times = X.index.get_level_values(1)
    for (train, test), (one_train, one_test) in zip(cv.split(X, y), cv.split(None, frames()[1])):
        assert set(times[test]) == set(HOURS[one_test]) and len(test) == 2 * len(one_test)
        assert set(times[train]) == set(HOURS[one_train]) and len(train) == 2 * len(one_train)


def test_splitters_are_values():
    assert repr(BlockedKFold()) == "BlockedKFold(n_splits=5)"
    assert RollingOrigin(3) == pickle.loads(pickle.dumps(RollingOrigin(3))) != RollingOrigin(4)
    search = clone(GridSearchCV(small(), {}, cv=RollingOrigin(3, window=9)))
    assert search.cv == RollingOrigin(3, window=9)


# --- blocks --------------------------------------------------------------------------------------


def test_blocks_are_tested_once_and_all_others_train():
    index = pd.date_range("2024", periods=11, freq="D")
    blocks = list(BlockedKFold(3).split(pd.Series(0.0, index)))
    assert BlockedKFold(3).get_n_splits() == 3
    assert [test.tolist() for _, test in blocks] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10]]
    for train, test in blocks:
        assert sorted([*train, *test]) == list(range(11))


def sides(train):
    """Return labels of the training rows before and after the hole."""
    return np.concatenate([[0], np.cumsum(np.diff(train) > 1)])


@pytest.mark.parametrize("index", ["hours", "periods", "zoned"])
def test_no_lag_crosses_the_hole_of_a_clock(index, data, arrays):
    labels = {
        "hours": HOURS,
        "periods": HOURS.to_period("h"),
        "zoned": HOURS.tz_localize("Europe/Berlin"),
    }[index]
    X, y = (v.set_axis(labels, axis=0) for v in data)
    cv = BlockedKFold(4)
    model = small(output_lags=[1, 5])
    run = cross_validate(
        model, X, y, cv=cv, scoring=ahead_scorer(3, warmup=5), return_estimator=True,
        error_score="raise",
    )  # fmt: skip
    X, y = arrays
    for i, (train, _) in enumerate(cv.split(*data)):
        by_segments = clone(model).fit(X[train], y[train], segments=sides(train))
        np.testing.assert_array_equal(run["estimator"][i].theta_, by_segments.theta_)
        across = clone(model).fit(X[train], y[train])
        assert np.array_equal(across.theta_, by_segments.theta_) == (i in (0, 3))


def test_no_lag_crosses_the_hole_of_a_panel():
    X, y = panel()
    run = cross_validate(
        small(), X, y, cv=BlockedKFold(3), scoring=ahead_scorer(3, warmup=5),
        return_estimator=True, error_score="raise",
    )  # fmt: skip
    train, _ = list(BlockedKFold(3).split(X, y))[1]
    X, y = X.iloc[train].sort_index(), y.iloc[train].sort_index()  # series after series
    is_late = X.index.get_level_values(1) > HOURS[100]
    labels = 2 * (X.index.get_level_values(0) == "west") + is_late
    by_segments = small().fit(X.to_numpy(), y.to_numpy(), segments=labels)
    np.testing.assert_array_equal(run["estimator"][1].theta_, by_segments.theta_)


def blocked_by_hand(model, X, y, cv, scorer):
    scores = []
    labels = cv.segments(X, y)
    for train, test in cv.split(X, y, groups=labels):
        fold = clone(model).fit(X[train], y[train], segments=labels[train])
        scores.append(scorer(fold, X[test], y[test]))
    return scores


def test_arrays_are_validated_by_labels_of_their_blocks(arrays):
    X, y = arrays
    cv, scorer = BlockedKFold(4), ahead_scorer(3, warmup=2)
    labels = cv.segments(X)
    assert labels.tolist() == np.repeat([0, 1, 2, 3], 60).tolist()
    expected = blocked_by_hand(small(), X, y, cv, scorer)
    run = cross_validate(
        small(), X, y, groups=labels, params={"segments": labels}, cv=cv, scoring=scorer,
        error_score="raise",
    )  # fmt: skip
    np.testing.assert_array_equal(run["test_score"], expected)
    search = GridSearchCV(small(), {"max_iter": [10]}, cv=cv, scoring=scorer, error_score="raise")
    search.fit(X, y, groups=labels, segments=labels)
    assert search.best_score_ == pytest.approx(np.mean(expected))
    again = small().fit(X, y, segments=labels)
    np.testing.assert_array_equal(search.best_estimator_.theta_, again.theta_)


def test_labels_of_blocks_are_routed(arrays):
    X, y = arrays
    cv, scorer = BlockedKFold(4), ahead_scorer(3, warmup=2)
    labels = cv.segments(X)
    with sklearn.config_context(enable_metadata_routing=True):
        model = small().set_fit_request(segments=True)
        run = cross_validate(
            model, X, y, params={"segments": labels, "groups": labels}, cv=cv, scoring=scorer,
            error_score="raise",
        )  # fmt: skip
        rolling = cross_val_score(model, X, y, cv=RollingOrigin(2), scoring=scorer)
    np.testing.assert_array_equal(run["test_score"], blocked_by_hand(small(), X, y, cv, scorer))
    np.testing.assert_array_equal(
        rolling, cross_val_score(small(), X, y, cv=RollingOrigin(2), scoring=scorer)
    )


def test_a_hole_that_no_clock_shows_is_refused(data, arrays):
    X, y = data
    plain = X.reset_index(drop=True), y.reset_index(drop=True)
    for rows in (arrays, plain):
        with pytest.raises(ValueError, match=r"hole in the training rows, from row 59 to row 120, "
                           r"and X and y have no clock .* pd.date_range\('2000', periods=240, "
                           r"freq='h'\), or labels=cv.segments\(X, y\)"):  # fmt: skip
            list(BlockedKFold(4).split(*rows))
    assert len(list(BlockedKFold(2).split(*arrays))) == 2  # two blocks leave no hole


def test_sparse_rows_are_counted(arrays):
    """As scikit-learn splits them: what a forecaster makes of them is for `fit` to tell."""
    cv, sparse = BlockedKFold(4), csr_matrix(arrays[0])
    labels = cv.segments(sparse)
    folds = list(cv.split(sparse, groups=labels))
    for (train, test), (rows, block) in zip(folds, cv.split(*arrays, groups=labels), strict=True):
        assert train.tolist() == rows.tolist() and test.tolist() == block.tolist()
    with pytest.raises(ValueError, match="hole in the training rows, from row 59 to row 120"):
        list(cv.split(sparse))
    with pytest.raises(ValueError, match="groups must be one label for each row, an array of"):
        list(cv.split(arrays[0], groups=sparse))


def test_a_hole_that_its_clock_does_not_show_is_refused(data):
    _, y = data
    days = pd.bdate_range("2024-01-01", periods=40)
    short = pd.Series(0.0, days)
    with pytest.raises(ValueError, match=r"row 3 to row 8, and their clock \(trading days\) does"):
        list(BlockedKFold(10).split(short))
    assert len(list(BlockedKFold(4).split(short))) == 4  # ten working days are no holiday
    irregular = y.set_axis(HOURS[0] + pd.to_timedelta(np.cumsum(np.arange(N) ** 2 + 1), "min"))
    with pytest.raises(ValueError, match=r"their clock \(irregular\) does not show it"):
        list(BlockedKFold(4).split(irregular))
    labels = BlockedKFold(4).segments(irregular)
    assert len(list(BlockedKFold(4).split(irregular, groups=labels))) == 4


def test_a_clock_that_a_pipeline_drops_is_told(data):
    X, y = data
    pipe = make_pipeline(StandardScaler(), small())
    model = TransformedTargetRegressor(pipe, transformer=StandardScaler())
    scorer = ahead_scorer(3, warmup=2)
    train, test = list(BlockedKFold(4).split(X, y))[1]
    model.fit(X.iloc[train], y.iloc[train])
    with pytest.warns(UserWarning, match="none reached the model in fit.*set_output"):
        scorer(model, X.iloc[test], y.iloc[test])
    model.set_params(regressor=pipe.set_output(transform="pandas"))
    model.fit(X.iloc[train], y.iloc[train])
    assert np.isfinite(scorer(model, X.iloc[test], y.iloc[test]))


# --- what splitters refuse -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (partial(RollingOrigin, 0), "n_splits must be an int >= 1. Got 0 instead"),
        (partial(RollingOrigin, test_size=0.2), "test_size must be an int >= 1. Got 0.2 instead"),
        (partial(RollingOrigin, step=0), "step must be an int >= 1. Got 0 instead"),
        (partial(RollingOrigin, window=True), "window must be an int >= 1. Got True instead"),
        (partial(RollingOrigin, min_train_size=-1), "min_train_size must be an int >= 1. Got -1"),
        (partial(RollingOrigin, gap=-1), "gap must be an int >= 0. Got -1 instead"),
        (partial(RollingOrigin, window=4, min_train_size=5), "window=4 gives no fold min_train_size"
         "=5 rows: give a larger window"),
        (partial(BlockedKFold, 1), "n_splits must be an int >= 2. Got 1 instead"),
        (partial(BlockedKFold, "5"), "n_splits must be an int >= 2. Got '5' instead"),
    ],
)  # fmt: skip
def test_parameters_of_splitters(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()


def test_too_few_rows_to_split():
    sentence = (
        "5 folds of 1 test rows, 1 rows apart, after at least 1 training rows and a gap of 0 need "
        "6 rows, but there are 5: give more rows, or fewer or smaller folds"
    )
    with pytest.raises(ValueError, match=sentence):
        folds(RollingOrigin(), 5)
    with pytest.raises(ValueError, match="need 21 rows, but there are 20"):
        folds(RollingOrigin(3, test_size=4, min_train_size=7, gap=2))
    assert len(folds(RollingOrigin(3, test_size=4, min_train_size=6, gap=2))) == 3
    with pytest.raises(ValueError, match="5 blocks need at least as many rows, but there are 4"):
        folds(BlockedKFold(), 4)
    for cv in (RollingOrigin(), BlockedKFold()):
        with pytest.raises(ValueError, match="X and y are None, but rows are needed to split"):
            list(cv.split(None))
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            list(cv.split(np.zeros(9), np.zeros(8)))


# --- searches ------------------------------------------------------------------------------------

GRIDS = {
    "lags": ({}, {"output_lags": [1, 2, [1, 24]], "input_lags": [[1], 1]}),
    "dicts": ({}, {"input_lags": [{"a": [0], "b": [1]}, {"a": 1, "b": []}]}),
    "sizes": (
        {},
        [
            {"hidden_layer_sizes": [()]},  # a linear model, which alpha leaves free
            {"hidden_layer_sizes": [(3,), (3, 2)], "alpha": [1e-4, 1e-1]},
        ],
    ),
    "stopping": ({"max_iter": 20}, {"early_stopping": [True, False]}),
    "solver": ({"solver": LevenbergMarquardt()}, {"solver__damping": [1e-3, 1.0]}),
}


@pytest.mark.parametrize("cv", [RollingOrigin(2, test_size=60), BlockedKFold(3)], ids=repr)
@pytest.mark.parametrize("maker", [partial(ahead_scorer, 4), simulation_scorer], ids=["k", "free"])
@pytest.mark.parametrize("name", GRIDS)
def test_grid_searches(name, maker, cv, data):
    params, grid = GRIDS[name]
    scorer = maker(warmup=None if isinstance(cv, RollingOrigin) else 24)
    search = GridSearchCV(small(**params), grid, cv=cv, scoring=scorer, error_score="raise")
    search.fit(*data)
    scores = search.cv_results_["mean_test_score"]
    assert np.isfinite(scores).all() and (scores < 0).all()
    assert len(set(scores)) == len(scores)
    train, test = list(cv.split(*data))[-1]
    X, y = data
    by_hand = small(**params).set_params(**search.best_params_).fit(X.iloc[train], y.iloc[train])
    score = scorer(by_hand, X.iloc[test], y.iloc[test])
    last = search.cv_results_[f"split{cv.get_n_splits() - 1}_test_score"][search.best_index_]
    assert score == pytest.approx(last, rel=1e-9)


@pytest.mark.parametrize("cv", [RollingOrigin(3), BlockedKFold(4)], ids=repr)
def test_the_search_finds_the_lags_of_the_system(cv, data):
    """Outputs of two lags, inputs a now and b one row ago."""
    grid = {"output_lags": [1, 2], "input_lags": [{"a": [0], "b": [1]}, {"a": [1], "b": [0]}]}
    warmup = None if isinstance(cv, RollingOrigin) else 2
    search = GridSearchCV(small(), grid, cv=cv, scoring=ahead_scorer(4, warmup=warmup)).fit(*data)
    assert search.best_params_ == {"output_lags": 2, "input_lags": {"a": [0], "b": [1]}}
