"""What recurrent regressors refuse, by which sentence, and what they take although it looks odd."""

import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from narxkit import (
    ARX,
    NARX,
    ElmanRegressor,
    GRURegressor,
    LSTMRegressor,
    Persistence,
    RollingOrigin,
    ahead_scorer,
    backtest,
)
from narxkit.diagnostics import memory_profile
from narxkit.diagnostics.memory import MemoryProfile, _growth
from narxkit.networks import CellNetwork, make_taps
from narxkit.rows.segments import Segments
from narxkit.solvers import Adam
from narxkit.training.alive import life
from narxkit.training.objective import Objective
from network_family import N, caught, make_data

X, Y = make_data()
SMALL = {
    "output_lags": 2,
    "input_lags": 1,
    "hidden_layer_sizes": (3,),
    "window": 5,
    "alpha": 1e-3,
    "linear_alpha": 1e-3,
    "max_iter": 4,
    "random_state": 0,
}


def make(regressor=GRURegressor, **params):
    return regressor(**{**SMALL, **params})


TWO = {"hidden_layer_sizes": (3, 2)}
FULL = ["lbfgs", "lm", "br", "cg", "tnc", "irprop+"]  # solvers that rely on every slope
NAMES = {
    "lbfgs": "LBFGS",
    "lm": "LevenbergMarquardt",
    "br": "BayesianRegularisation",
    "cg": "ConjugateGradient",
    "tnc": "TruncatedNewton",
    "irprop+": "IRpropPlus",
}
OF_KIND = "The {!r} parameter of GRURegressor must be {}. Got {!r} instead."
REFUSED = [
    *(
        ({name: value}, OF_KIND.format(name, what, value))
        for name, what, value in [
            ("window", "an int in the range [1, inf)", 0),
            ("window", "an int in the range [1, inf)", 2.5),
            ("dtype", "a str among {'float32', 'float64'}", "float16"),
            ("dropout", "a float in the range [0.0, 1.0)", 1.0),
            ("dropout", "a float in the range [0.0, 1.0)", -0.1),
            ("l1_ratio", "a float in the range [0.0, 1.0]", 1.5),
            ("initial_state", "a str among {'trained', 'zero'}", "random"),
            ("washout", "an int in the range [0, inf)", -1),
            ("chrono_t_max", "a float in the range [2.0, inf) or None", 1.5),
            ("chrono_t_max", "a float in the range [2.0, inf) or None", np.inf),
        ]
    ),
    *(
        (
            {"dropout": 0.2, "solver": solver, **TWO},
            f"dropout=0.2 disturbs every slope, and {NAMES[solver]} relies on slopes that are "
            "those of the loss: give dropout=0, or a solver of batches such as 'adam'.",
        )
        for solver in FULL
    ),
    (
        {"dropout": 0.2, "solver": "adam"},
        "dropout=0.2 leaves out units between layers, and there is only one layer: give "
        "dropout=0, or more layers.",
    ),
    *(
        (
            {"l1_ratio": 0.5, "solver": solver},
            f"l1_ratio=0.5 penalises absolute values, at whose kinks {NAMES[solver]} stops: give "
            "l1_ratio=0, or one of the solvers 'adam', 'rmsprop', 'sgd' and 'irprop+'.",
        )
        for solver in FULL
        if solver != "irprop+"
    ),
    *(
        (
            {"solver": solver, "hidden_layer_sizes": (30,)},
            f"{NAMES[solver]} carries the derivatives of the state by all 3,397 weights through "
            "time, and at most 2,000 are allowed: give smaller layers, or the solver 'adam' or "
            "'lbfgs'.",
        )
        for solver in ("lm", "br")
    ),
    *(
        (
            {"solver": solver, "initial_state": "trained", **TWO},
            f"{NAMES[solver]} has no derivatives by the 5 numbers of a trained initial state: give "
            "initial_state='zero', or the solver 'adam' or 'lbfgs'.",
        )
        for solver in ("lm", "br")
    ),
    (
        {"output_lags": [1, (2, 5)]},
        "output_lags holds the mean over the lags (2, 5), but a recurrent network remembers by its "
        "state: give single lags and a window, or use NARX.",
    ),
    *(
        (
            {"hidden_layer_sizes": sizes},
            "hidden_layer_sizes must hold at least one layer, and ints >= 1. Got "
            f"{sizes!r} instead.",
        )
        for sizes in ((), (3, 0), (2.5,))
    ),
    (
        {"input_lags": [], "output_lags": []},
        "the model has neither output lags nor input lags: give at least one lag.",
    ),
    (
        {"loop": 0},
        "loop must be 'open', 'closed', an int k >= 1 or a sequence of them. Got 0 instead.",
    ),
    (
        {"loop": "closed", "washout": N - 2},
        "washout=88 leaves no residual: the longest rollout of loop='closed' has 88 steps, and "
        "none has a measured target with a weight behind the washout: give a smaller washout or "
        "longer segments.",
    ),
]


@pytest.mark.parametrize("params, sentence", REFUSED, ids=lambda one: str(one)[:60])
def test_what_is_refused(params, sentence):
    """By a sentence with the rule, the number and the remedy; the model stays as it was."""
    model = make().fit(X[:N], Y[:N])
    before = model.predict(X[N:])
    with pytest.raises(ValueError) as refusal:
        model.set_params(**params).fit(X[:N], -Y[:N])
    said = str(refusal.value)
    assert said == sentence or sorted(said) == sorted(sentence)  # options stand in any order
    assert_array_equal(model.predict(X[N:]), before)


@pytest.mark.parametrize(
    "regressor, params, sentence",
    [
        (ElmanRegressor, {"activation": "gelu"}, "'activation' parameter of ElmanRegressor must"),
        (LSTMRegressor, {"peepholes": 1}, "'peepholes' parameter of LSTMRegressor must be an"),
        (LSTMRegressor, {"chrono_t_max": 1}, "'chrono_t_max' parameter of LSTMRegressor must be"),
        (GRURegressor, {"dtype": np.float32}, "'dtype' parameter of GRURegressor must be a str"),
    ],
)
def test_parameters_of_one_kind(regressor, params, sentence):
    with pytest.raises(ValueError, match=sentence):
        make(regressor, **params).fit(X[:N], Y[:N])


def test_an_unknown_cell():
    with pytest.raises(ValueError, match="'qrnn'"):
        _ = CellNetwork(make_taps(0, 1, ["u"]), "qrnn").plan
    with pytest.raises(ValueError, match="peepholes belong to an LSTM: a cell 'gru' has none."):
        _ = CellNetwork(make_taps(0, 1, ["u"]), "gru", peepholes=True).plan


def test_rows_fewer_than_the_lags():
    """The window asks for no row; the lags do."""
    sentence = "y has 3 rows, but lags up to 2 need at least 4: give a longer series or smaller"
    with pytest.raises(ValueError, match=sentence):
        make().fit(X[:3], Y[:3])
    with pytest.raises(ValueError, match="neither output lags nor inputs: give X, a cal"):
        make(output_lags=0).fit(None, Y[:N])


# ---------------------------------------------------------------- windows longer than the data
@pytest.mark.parametrize("window", [N, 10**9])
def test_a_window_longer_than_the_data_is_as_long_as_they_are(window):
    """Every verb then reads each row back to the first, whatever the number."""
    longest = make(window=N - 2).fit(X[:N], Y[:N])
    model, told = caught(lambda: make(window=window).fit(X[:N], Y[:N]))
    assert told == []
    assert_allclose(model.theta_, longest.theta_, atol=1e-9)
    ahead = model.predict_ahead(X[:N], Y[:N], steps=[1, 5])
    assert_allclose(ahead, longest.predict_ahead(X[:N], Y[:N], steps=[1, 5]), atol=1e-9)
    assert_allclose(model.predict(X[N:]), longest.predict(X[N:]), atol=1e-9)
    model.update(X[N : N + 3], Y[N : N + 3])
    path = model.predict_ahead(X, Y, steps=range(1, 6))[np.arange(N + 3, N + 8), np.arange(5)]
    assert_allclose(model.predict(X[N + 3 : N + 8]), path, rtol=0, atol=1e-12)
    assert np.isfinite(backtest(model, X[N + 3 :], Y[N + 3 :], 2)["y_hat"]).all()
    gradient = model.input_gradient(X[:N], Y[:N])
    assert gradient.lags == list(range(N)) and np.isfinite(gradient.values[2:]).all()
    assert memory_profile(model, X[:N], Y[:N]).n == N - 2


def test_windows_of_short_segments_begin_with_the_segment():
    labels = np.arange(N) // 6
    model = make(window=50).fit(X[:N], Y[:N], segments=labels)
    alone = model.predict_ahead(X[6:12], Y[6:12])
    ahead = model.predict_ahead(X[:N], Y[:N], segments=labels)
    assert_allclose(ahead[6:12], alone, rtol=0, atol=1e-12)
    assert np.isfinite(ahead[np.arange(N) % 6 >= 2]).all()


# ---------------------------------------------------------------- missing outputs
@pytest.mark.parametrize("alpha", ["auto", 1e-3])
@pytest.mark.parametrize("loop", ["open", 4])
def test_every_other_output_is_missing(alpha, loop):
    """No lag has its output where there is a target; the state bridges it, and learns."""
    y = Y.copy()
    y.iloc[::2] = np.nan
    given = {"alpha": alpha, "linear_alpha": "auto", "loop": loop, "max_iter": 30}
    model, told = caught(lambda: make(output_lags=1, **given).fit(X[:N], y[:N]))
    assert told == ["45 of 89 rows were left out of training because of missing values."]
    assert np.isfinite(model.loss_) and not model.is_linear_ and model.hidden_share_ > 0.0
    error = model.predict_ahead(X, y) - Y
    assert np.nanmean(error**2) < 0.7 * Y.var()


@pytest.mark.parametrize(("output_lags", "n_predicted"), [([], 30), (1, 30 + 60)])
def test_only_lags_of_outputs_have_missing_ones_bridged(monkeypatch, output_lags, n_predicted):
    """What no tap reads need not be predicted to measure what passes the hidden layers."""
    y = Y[:N].copy()
    y.iloc[np.arange(N) % 3 > 0] = np.nan
    model, _ = caught(lambda: make(output_lags=output_lags, solver="adam").fit(X[:N], y))
    segments = Segments(X[:N].to_numpy(), y.to_numpy()[:, None], np.array([0, N]))
    objective = Objective.over(model.structure_, model._scale.apply(segments))
    predicted, rollout = [], CellNetwork.rollout

    def counted(network, theta, rollouts):
        predicted.append(len(rollouts))
        return rollout(network, theta, rollouts)

    monkeypatch.setattr(CellNetwork, "rollout", counted)
    life(objective, model.theta_)
    assert abs(sum(predicted) - n_predicted) <= 3  # the first rows have no lag


def test_no_window_begins_without_its_lags():
    """What the first row of a window reads must be measured."""
    y = Y.copy()
    y.iloc[::2] = np.nan
    sentence = (
        "0 of 88 rows can be trained on, the others have missing values (NaN) in their window, "
        "taps or targets, or no weight: at least 2 are needed; give smaller lags, a smaller window "
        "or fill the gaps."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        make(output_lags=2).fit(X[:N], y[:N])


# ---------------------------------------------------------------- what else may be asked
def test_dropout_and_l1_train():
    """They change the weights, and the same seed gives the same bits."""
    plain = make(solver="adam", **TWO).fit(X[:N], Y[:N])
    for params in ({"dropout": 0.3}, {"l1_ratio": 1.0}):
        model, again = (make(solver="adam", **TWO, **params).fit(X[:N], Y[:N]) for _ in range(2))
        assert_array_equal(model.theta_, again.theta_)
        assert not np.array_equal(model.theta_, plain.theta_)


def test_strides_visit_fewer_origins():
    """An epoch of every third one is as random as its seed."""
    solver = Adam(0.02, stride=3, batch_size=8, schedule="cosine", max_grad_norm=1.0)
    model, again = (make(solver=solver, linear_term=False).fit(X[:N], Y[:N]) for _ in range(2))
    assert_array_equal(model.theta_, again.theta_)
    assert model.loss_ < model.loss_curve_[0]


def test_memory_asks_for_a_network():
    with pytest.raises(TypeError, match="Persistence has no input_gradient, which the memory is"):
        memory_profile(Persistence().fit(None, Y), None, Y)
    model = make().fit(X[:N], Y[:N])
    with pytest.raises(ValueError, match="none of the 2 rows can be predicted"):
        memory_profile(model, X[:2], Y[:2])


def test_the_memory_of_a_linear_model():
    """Derivatives of ARX are its weights, whatever the row."""
    model = ARX([0, 1], 2, alphas=[1.0]).fit(X[:N], Y[:N])
    weights = np.abs(model.coef_[:, 0])
    norms = memory_profile(model, X[:N], Y[:N]).norms
    assert_allclose(norms["y"], [0.0, *weights[:2]], rtol=1e-12)
    assert_allclose(norms.iloc[:, 0], [*weights[2:4], 0.0], rtol=1e-12)


def test_the_memory_of_what_wraps_a_network():
    """A Pipeline's last step sees transformed inputs, and the labels of what it was given."""
    frame = X[:N].iloc[np.r_[:40, 50:N]]  # with a seam, that an array of y does not tell
    pipeline = make_pipeline(StandardScaler(), make()).fit(frame, Y[frame.index])
    scaled = pipeline[:-1].transform(frame)
    expected = memory_profile(pipeline[-1], scaled, Y[frame.index])
    assert expected.n == N - 10 - 2 * pipeline[-1].max_lag_
    search = GridSearchCV(pipeline, {}, cv=[(np.arange(30), np.arange(30, 35))])
    search.set_params(scoring=ahead_scorer(1)).fit(frame, Y[frame.index])
    for wrapped in (pipeline, search):
        memory = memory_profile(wrapped, frame, Y[frame.index].to_numpy())
        assert_array_equal(memory.norms.to_numpy(), expected.norms.to_numpy())
        assert memory.n == expected.n
    alone = make_pipeline(make(input_lags=0)).fit(None, Y[:N])
    assert memory_profile(alone, None, Y[:N]).n == N - 2


def test_the_picture_of_many_columns_tells_the_largest_apart():
    pytest.importorskip("matplotlib")
    sizes = 2.0 ** -np.arange(20.0)
    norms = pd.DataFrame(np.outer([1.0, 0.5], sizes), columns=range(20))
    ax = MemoryProfile(norms, 0, 1, np.nan, 10).plot()
    named = [line for line in ax.lines if not line.get_label().startswith("_")]
    assert [line.get_label() for line in named] == [*map(str, range(12)), "8 smaller"]
    assert len({(line.get_color(), line.get_linestyle()) for line in named}) == 13
    assert len(ax.lines) == 20 + 2  # beside the limit, and the sample of the smaller ones
    ax.figure.clear()


def test_the_memory_of_what_moves_nothing():
    model = make().fit(X[:N], Y[:N])
    model.theta_ = np.zeros_like(model.theta_)
    memory = memory_profile(model, X[:N], Y[:N])
    assert (memory.span, memory.reach) == (0, 0) and np.isnan(memory.growth)
    assert memory.sentence == "Nothing that was measured moves a prediction."


def test_the_memory_of_a_known_recurrence():
    """h_t = relu(u_t / 2 + r h_{t-1}): derivatives change by r with every row.

    The first rows have shorter windows, so that the mean over rows does by a little less.
    """
    u = np.ones((60, 1)) + 0.1 * np.random.default_rng(0).normal(size=(60, 1))
    y = u[:, 0] + 5.0
    for r, words in ((0.5, "Nine tenths of what moves a prediction lie within 1 row"),
                     (1.5, "Derivatives grow by the factor 1.49 with every row")):  # fmt: skip
        model = ElmanRegressor(
            0, [], (1,), window=6, activation="relu", linear_term=False, scale=False, max_iter=1,
            alpha=0.0,
        ).fit(u, y)  # fmt: skip
        parts = model.structure_.unpack(model.theta_)
        parts.layers[0]["inward"][:], parts.layers[0]["recurrent"][:] = 0.5, r
        parts.layers[0]["bias"][:], parts.outward[:] = 0.0, 1.0
        memory = memory_profile(model, u, y)
        assert memory.growth == pytest.approx(r, rel=0.05) and memory.sentence.startswith(words)
        values = model.input_gradient(u, y).values[30, 0, 0]
        assert_allclose(values, 0.5 * r ** np.arange(7) * y.std(), rtol=1e-9)


def test_kinds_are_compared_by_changing_one_name():
    """The same scorer and splitter take all of them."""
    scorer, cv = ahead_scorer(3), RollingOrigin(2, test_size=10)
    for regressor in (ElmanRegressor, GRURegressor, LSTMRegressor):
        model = make(regressor)
        for train, test in cv.split(X, Y):
            model.fit(X.iloc[train], Y.iloc[train])
            score = scorer(model, X.iloc[test], Y.iloc[test])
            assert np.isfinite(score)
    shared = set(NARX().get_params()) & set(LSTMRegressor().get_params())
    assert {"input_lags", "output_lags", "loop", "solver", "alpha", "output_range"} <= shared


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_dropout_ends_with_the_cells_that_are_switched_off(solver):
    """The linear part, which is trained then, has no units to do without."""
    noise = np.random.default_rng(0).normal(size=200)
    model = GRURegressor(hidden_layer_sizes=(3, 3), dropout=0.2, solver=solver, max_iter=3,
                         random_state=0).fit(None, noise)  # fmt: skip
    assert model.is_linear_ and np.isfinite(model.forecast(3)).all()


def test_a_washout_as_long_as_the_rollouts_is_refused():
    with pytest.raises(ValueError, match="washout=5 leaves nothing of rollouts of loop=5 steps"):
        GRURegressor(loop=5, washout=5).fit(None, np.arange(50.0) % 7)


def test_an_absolute_penalty_leaves_the_linear_feedback_a_ridge():
    y = np.random.default_rng(0).normal(size=60)
    model = GRURegressor(hidden_layer_sizes=(2,), window=3, alpha=0.1, max_iter=1).fit(None, y)
    segments = Segments(np.empty((60, 0)), y[:, None], np.array([0, 60]))
    plain = Objective.over(model.structure_, segments).with_alphas(0.0, 10.0)
    part = plain.with_l1_ratio(1.0)
    assert part.value(model.theta_) == plain.value(model.theta_)
    kinked = plain.with_alphas(1.0, 0.0).with_l1_ratio(1.0)
    weights = model.theta_[model.structure_.groups["weights"]]
    free = plain.with_alphas(0.0, 0.0).value(model.theta_)
    assert kinked.value(model.theta_) - free == pytest.approx(np.abs(weights).sum() / kinked.n)


def test_columns_of_derivatives_are_told_apart():
    y = np.random.default_rng(0).normal(size=(80, 2))
    model = GRURegressor(hidden_layer_sizes=(2,), window=3, alpha=0.1, max_iter=1).fit(y, y)
    assert model.input_gradient(y, y).columns == [0, 1, "y0", "y1"]
    assert "of y1" in repr(memory_profile(model, y, y))


def test_growth_is_that_of_a_row_whatever_lags_are_read():
    sizes = np.array([0.0, 0.4, 0.0, 0.2, 0.0, 0.1])
    assert _growth(sizes) == pytest.approx(np.sqrt(0.5))
    assert np.isnan(_growth(np.array([0.0, 0.4, 0.0, 0.9])))  # of lags 1 and 3 alone
    assert _growth(2.0 ** np.arange(5)) == pytest.approx(2.0)
    # a hump fades in the end, a rise before the largest does not count
    assert _growth(np.array([0.1, 0.2, 0.4, 0.8, 0.4, 0.2])) == pytest.approx(0.5)
    assert _growth(np.array([0.8, 0.1, 0.9])) == pytest.approx(np.sqrt(0.9 / 0.8))  # all three
