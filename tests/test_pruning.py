"""Pruning: what goes is what costs least, what stays predicts as well, and nothing else changes."""

import re
import signal
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from narxkit import ARX, NARX, TDNN, LSTMRegressor, Persistence, prune
from narxkit.forecasters.pruning import _Surgery
from narxkit.training.objective import Objective


def plant(n=400, noise=0.02, seed=0):
    """A plant that saturates in its input one row back, beside one that it does not read."""
    rng = np.random.default_rng(seed)
    X, y = rng.uniform(-2, 2, (n, 2)), np.zeros(n)
    for t in range(1, n):
        y[t] = 0.5 * y[t - 1] + np.tanh(2.0 * X[t - 1, 0])
    return X, y + noise * rng.normal(size=n)


GIVEN = {"alpha": 1e-3, "linear_alpha": 0.0, "random_state": 0, "max_iter": 60}


@pytest.fixture(scope="module")
def data():
    return plant()


@pytest.fixture(scope="module", params=["open", 4, "closed"])
def pruned(request, data):
    model = NARX([1, 2], 2, (4,), loop=request.param, **GIVEN).fit(*data)
    before = model.theta_.copy()
    answer = prune(model, *data)
    assert_array_equal(model.theta_, before)
    return answer


def test_the_taps_that_drive_the_plant_stay_and_others_go(pruned):
    assert not {"y[t-1]", "0[t-1]"} & set(pruned.lost_taps)
    assert {"1[t-1]", "1[t-2]"} <= set(pruned.lost_taps)
    weights = pruned.model.structure_.unpack(pruned.model.theta_)
    names = pruned.model.structure_.taps.names([0, 1], ["y"])
    for name, hidden, straight in zip(names, weights.coefs[0], weights.straight):
        if not hidden.any() and not straight.any():
            assert name in pruned.lost_taps


def test_sizes_and_errors_before_and_after(pruned, data):
    assert pruned.n_after <= 0.7 * pruned.n_before
    assert pruned.error_after <= pruned.error_before
    assert np.count_nonzero(pruned.model.theta_) == pruned.n_after == pruned.kept.sum()
    path = pruned.path
    assert (np.diff(path["n_left"]) == -1).all()
    assert path["n_left"].iloc[0] == pruned.n_before
    chosen = path[path["error"] <= path["error"].iloc[0]].iloc[-1]
    assert chosen["n_left"] >= pruned.n_after  # a refit may leave an exact zero
    assert chosen["error"] == pruned.error_after
    assert re.match(r"\d+ of \d+ parameters are left; the held-out error went from", repr(pruned))


def test_the_held_out_error_is_that_of_its_rollouts(data):
    model = NARX([1, 2], 2, (4,), **GIVEN).fit(*data)
    answer = prune(model, *data, validation_fraction=0.25)
    X, y = data
    errors = (answer.model.predict_ahead(X, y) - y)[300:] / y.std()
    assert answer.error_after == pytest.approx(np.sqrt(np.mean(errors**2)), rel=1e-9)
    assert np.isfinite(answer.model.predict(X[:5])).all()


def test_the_weight_that_goes_is_the_one_that_costs_least(data):
    """Of a linear network the cost is exact: the error of least squares without that tap."""
    X, y = data
    model = TDNN([0, 1, 2], hidden_layer_sizes=(), alpha=0.0).fit(X, y)
    segments = model._scale.apply(model._origins(X, y).segments)
    objective = Objective.over(model.structure_, segments)
    surgery = _Surgery(objective, model.theta_, np.ones(model.n_params_, dtype=bool))
    rows = objective.rollouts.targets
    z = np.column_stack([segments.tapped(model.structure_.taps, rows), np.ones(len(rows))])
    best = tuple(range(6))
    for n in (5, 4, 3):
        surgery.cut()
        errors = {
            some: np.linalg.lstsq(z[:, (*some, 6)], segments.y[rows, 0])[1][0]
            for some in combinations(best, n)
        }
        best = min(errors, key=errors.get)
        assert tuple(np.flatnonzero(surgery.theta[:6])) == best
        expected = np.linalg.lstsq(z[:, (*best, 6)], segments.y[rows, 0])[0]
        assert_allclose(surgery.theta[[*best, 6]], expected, atol=1e-9)


def test_a_recurrent_network_and_several_outputs():
    X, y = plant(200, noise=0.3)
    two = np.column_stack([y, -y])
    given = GIVEN | {"max_iter": 10}
    model = LSTMRegressor([1], 1, window=3, hidden_layer_sizes=(2,), **given).fit(X, two)
    answer = prune(model, X, two)
    assert answer.n_after < answer.n_before and answer.error_after <= answer.error_before
    assert answer.model.predict(X[:4]).shape == (4, 2)


def test_a_network_that_is_off_loses_linear_weights_alone():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, 1)), np.zeros(200)
    for t in range(1, 200):
        y[t] = 0.5 * y[t - 1] + X[t - 1, 0]
    y += 0.01 * rng.normal(size=200)
    model = NARX([1, 2, 3], 1, (3,), random_state=0).fit(X, y)
    assert model.alpha_ == np.inf
    answer = prune(model, X, y)
    assert answer.n_before == 5 and answer.model.structure_.is_linear(answer.model.theta_)


def test_missing_values_are_no_targets(data):
    X, y = data
    y = y.copy()
    y[[100, 350]] = np.nan
    with pytest.warns(UserWarning, match="left out of training"):
        model = NARX([1], 1, (3,), **GIVEN).fit(X, y)
    assert np.isfinite(prune(model, X, y).error_after)


def test_a_row_without_weight_neither_refits_nor_judges(data):
    """Whatever is measured there; rows without history on either side would be others."""
    X, y = data
    weight, spoiled = np.ones(400), y.copy()
    weight[100:120] = weight[350:360] = 0.0
    spoiled[[110, 355]] = 50.0
    model = TDNN([0, 1], (3,), alpha=1e-3, random_state=0, max_iter=60)
    model.fit(X, y, sample_weight=weight)
    answers = [prune(model, X, rows, sample_weight=weight) for rows in (y, spoiled)]
    assert_array_equal(answers[0].model.theta_, answers[1].model.theta_)
    assert answers[0].error_after == answers[1].error_after < prune(model, X, spoiled).error_after


def test_weights_multiply_the_squared_errors_that_judge(data):
    X, y = data
    weight = np.random.default_rng(0).uniform(0.5, 2.0, 400)
    model = NARX([1, 2], 2, (4,), **GIVEN).fit(X, y, sample_weight=weight)
    answer = prune(model, X, y, weight, validation_fraction=0.25)
    deviation = np.diff(model._scale.undo(np.array([[0.0], [1.0]])).ravel())
    errors = ((answer.model.predict_ahead(X, y) - y) / deviation)[300:]
    expected = np.sqrt(np.average(errors**2, weights=weight[300:]))
    assert answer.error_after == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("at", [0, 6])
def test_ctrl_c_keeps_the_smallest_network_so_far(at, data, monkeypatch):
    """Also before the whole network is refitted; and the whole search has no other way so far."""
    model = NARX([1, 2], 2, (4,), **GIVEN).fit(*data)
    path = prune(model, *data).path
    refit, calls = _Surgery._refit, []

    def press(surgery, *args):
        if len(calls) == at:
            signal.raise_signal(signal.SIGINT)
        calls.append(at)
        refit(surgery, *args)

    monkeypatch.setattr(_Surgery, "_refit", press)
    sentence = f"^prune: interrupted after {at} weights of {path['n_left'][0]} parameters: the smal"
    with pytest.warns(RuntimeWarning, match=sentence):
        answer = prune(model, *data)
    assert len(calls) == at + 1 == len(answer.path)
    assert np.isfinite(answer.path["error"]).all() and np.isfinite(answer.model.loss_)
    pd.testing.assert_frame_equal(answer.path[1:at], path[1:at])
    assert path["n_left"][0] - at <= answer.n_after <= path["n_left"][0]
    assert answer.error_after <= answer.error_before


def test_weights_that_were_pruned_do_not_come_back(pruned, data):
    again, is_weight = prune(pruned.model, *data), ~pruned.model.structure_.groups["intercepts"]
    assert not again.model.theta_[~pruned.kept & is_weight].any()
    assert again.n_before <= pruned.n_after + (~is_weight).sum()


def test_what_is_measured_is_that_of_the_pruned_network(pruned, data):
    whole = NARX([1, 2], 2, (4,), loop=pruned.model.loop, **GIVEN).fit(*data)
    assert pruned.model.n_effective_params_ <= pruned.n_after
    for name in ("loss_", "hidden_share_", "loop_gain_"):
        assert getattr(pruned.model, name) != getattr(whole, name)


def test_what_cannot_be_pruned(data):
    X, y = data
    model = NARX([1], 1, (2,), **GIVEN).fit(X, y)
    baseline = Persistence().fit(None, y)
    given = GIVEN | {"max_iter": 1, "solver": "lbfgs", "initial_state": "trained"}
    trained = LSTMRegressor([1], 1, window=3, hidden_layer_sizes=(2,), **given).fit(X, y)
    for other in (baseline, NARX(), ARX(1, 1).fit(X, y), trained):
        with pytest.raises(TypeError, match="prune needs a fitted network with normal equations"):
            prune(other, X, y)
    for fraction in (0.0, 1.0, -1, "a fifth"):
        with pytest.raises(ValueError, match=f"between 0 and 1. Got {fraction!r}"):
            prune(model, X, y, validation_fraction=fraction)
    with pytest.raises(ValueError, match="no row is left to judge by: .*of 400 rows"):
        prune(model, X, np.where(np.arange(400) < 390, y, np.nan), validation_fraction=0.01)
