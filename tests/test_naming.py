"""A network is called by its name where it lives, and a penalty that switches it off is told."""

import signal
import warnings

import numpy as np
import pytest

from narxkit import (
    ARX,
    NARX,
    TDNN,
    ElmanRegressor,
    GRURegressor,
    LSTMRegressor,
    Persistence,
)
from narxkit._naming import fitted_name, is_off, what_passes
from narxkit.datasets import make_narendra
from narxkit.diagnostics import validate
from narxkit.evaluation._base import LEARNED, NETWORKS
from narxkit.solvers import SGD, Adam, RMSprop, Stop
from narxkit.training import alive

X, Y = make_narendra(250, random_state=0)
NOISE = np.random.default_rng(0).normal(size=(2, 200))


def fitted(kind=NARX, **params):
    """Fit a small network; what is warned is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return small(kind, **params).fit(X, Y)


def small(kind=NARX, **params):
    params = {"hidden_layer_sizes": (3,), "max_iter": 20, "random_state": 0, **params}
    return kind(input_lags=[1], **params)


@pytest.mark.parametrize("kind", [NARX, TDNN])
def test_a_network_that_lives_has_its_name(kind):
    model = fitted(kind, alpha=0.01)
    assert not model.is_linear_ and model.hidden_share_ > 0.01
    assert fitted_name(model) == kind.__name__ and fitted_name(model, "mine") == "mine"
    assert what_passes(model) == (
        f"{100 * model.hidden_share_:.3g} % of the variance of its output passes the hidden layers "
        "and is no linear function of the lags"
    )


@pytest.mark.parametrize("loop", ["open", "closed"])
def test_of_many_rows_some_tell_what_passes(loop, monkeypatch):
    share = fitted(alpha=0.01, loop=loop).hidden_share_
    monkeypatch.setattr(alive, "MOST_ROWS", 100)
    assert fitted(alpha=0.01, loop=loop).hidden_share_ == pytest.approx(share, rel=0.3)


def test_without_hidden_layers_it_is_linear():
    model = fitted(hidden_layer_sizes=())
    assert fitted_name(model) == "linear (NARX, network off)"
    assert fitted_name(model, "mine") == "linear (mine, network off)"
    assert what_passes(model) == "it has no hidden layers"


def test_switched_off_by_the_training_rows_it_is_linear():
    model = NARX(input_lags=[1], output_lags=1, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(NOISE[0, :, None], NOISE[1])
    assert model.alpha_ == np.inf and is_off(model)
    assert what_passes(model) == (
        "no network has proven better than the linear model, beyond chance, on blocks of the "
        "training rows"
    )


@pytest.mark.parametrize("kind", [ElmanRegressor, GRURegressor, LSTMRegressor])
def test_recurrent_kinds_have_one_name_everywhere(kind):
    """That of tables: in legends as in the evaluations."""
    model = kind(input_lags=[1], hidden_layer_sizes=(2,), window=3, alpha=0.01, max_iter=5).fit(
        X, Y
    )
    name = kind.__name__.removesuffix("Regressor")
    assert fitted_name(model) == name and NETWORKS[name.lower()] is kind
    assert LEARNED[name.lower()] == name
    model.is_linear_ = True
    assert fitted_name(model) == f"linear ({name}, network off)"


@pytest.mark.parametrize(
    "kind, params",
    [(NARX, {}), (TDNN, {}), (GRURegressor, {"window": 3, "alpha": 0.01}), (NARX, {"alpha": 1e5})],
)
def test_a_progress_line_ends_with_what_passes(kind, params, capsys):
    """Whether the network lives, may hang on the seed."""
    y = NOISE[1] if kind is TDNN else Y[:200]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = small(kind, verbose=True, **params).fit(X[:200], y)
    assert is_off(model) == (kind is TDNN or params.get("alpha") == 1e5)
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == f"{fitted_name(model)}: {what_passes(model)}."
    small(kind, **params).set_params(alpha=0.01).fit(X[:200], y)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("model", [ARX(input_lags=1), Persistence()])
def test_other_models_keep_their_names(model):
    model.fit(X, Y)
    assert fitted_name(model) == type(model).__name__ and what_passes(model) == ""


@pytest.mark.parametrize("kind", [NARX, TDNN])
def test_a_penalty_that_switches_the_network_off_is_warned_of(kind):
    with pytest.warns(UserWarning) as caught:
        model = small(kind, alpha=1e5).fit(X, Y)
    assert [str(warning.message) for warning in caught] == [
        "with alpha=100000 nothing passes the hidden layers: what is left is a linear model. Give "
        "a smaller alpha, or alpha='auto', which chooses one from the training rows."
    ]
    assert caught[0].filename == __file__
    assert model.is_linear_ and what_passes(model) == (
        "under alpha=1e+05 nothing passes the hidden layers"
    )


def test_a_penalty_is_not_blamed_for_what_it_did_not_do():
    assert fitted(alpha=1.0, hidden_layer_sizes=()).is_linear_
    assert fitted(alpha=1.0, activation="identity").is_linear_
    assert fitted(alpha=1e5, callback=lambda iteration: True).stop_ is Stop.CALLBACK


@pytest.mark.filterwarnings("error:overflow")
@pytest.mark.parametrize(
    "kind, solver, left",
    [
        (NARX, SGD(learning_rate=100.0), "a linear model"),
        (GRURegressor, Adam(learning_rate=50.0), "a linear model"),
        (GRURegressor, RMSprop(learning_rate=1e300), "a linear model"),
        (LSTMRegressor, SGD(learning_rate=1e300), "random"),
    ],
)
@pytest.mark.parametrize("alpha", [1e-3, "auto"])
def test_a_training_that_diverges_blames_its_learning_rate(kind, solver, left, alpha):
    """Not the penalty, which was given or chosen by another solver."""
    size = {"max_iter": 20} if kind is NARX else {"window": 3, "max_iter": 50}
    size["linear_term"] = left != "random"
    with pytest.warns(RuntimeWarning) as caught:
        model = small(kind, alpha=alpha, solver=solver, **size).fit(X, Y)
    name, rate = type(solver).__name__, solver.learning_rate
    assert [str(one.message) for one in caught] == [
        f"no iteration with learning_rate={rate:g} came below the loss of the start: what is left "
        f"is {left}. Give a solver with a smaller one, such as "
        f"{name}(learning_rate={type(solver)().learning_rate:g}), or a larger max_iter."
    ]
    assert model.alpha_ < np.inf and model.is_linear_ == (left != "random")


def test_a_rate_is_not_blamed_for_what_it_did_not_do():
    model = fitted(alpha=1e-3, solver="adam", warm_start=True, max_iter=200)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.set_params(solver=SGD(learning_rate=1e3), max_iter=2).fit(X, Y)
        NARX([1], 1, random_state=0, solver="adam").fit(NOISE[0, :, None], NOISE[1])
    with pytest.warns(UserWarning, match="with alpha=100000 nothing passes the hidden layers"):
        small(alpha=1e5, solver="adam", max_iter=60).fit(X, Y)


def test_an_interrupted_fit_is_warned_of_as_such():
    def press(iteration):
        signal.raise_signal(signal.SIGINT)

    with pytest.warns(RuntimeWarning, match="Interrupted") as caught:
        small(alpha=1e5, callback=press).fit(X, Y)
    assert len(caught) == 1


@pytest.mark.parametrize("alpha", [0.01, "auto"])
def test_pictures_of_its_validity_call_it_so(alpha):
    pytest.importorskip("matplotlib")
    y = Y if alpha == 0.01 else X[:, 0] + 0.1 * np.random.default_rng(0).normal(size=250)
    model = small(alpha=alpha).fit(X[:150], y[:150])
    assert is_off(model) == (alpha == "auto")
    figure = validate(model, X, y).plot()
    names = {line.get_label() for ax in figure.axes for line in ax.get_lines()}
    assert fitted_name(model) in names and "model" not in names
