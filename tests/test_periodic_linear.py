"""The periodic linear model: against its twin, and as ARX trains it."""

import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import reference
from narxkit import ARX, TransformedForecaster, backtest
from narxkit.networks import Taps, periodic_linear
from narxkit.networks.periodic_linear import PeriodicLinear
from narxkit.rows.rollouts import Rollouts
from narxkit.training.objective import Objective

HOURS = 24
STRUCTURES = {
    "plain": PeriodicLinear(Taps((1, 2), ((0,), (0,))), 2),
    "means": PeriodicLinear(Taps((1, (1, 4)), ((0, 3), (0,)), 2), 1),
    "leads": PeriodicLinear(Taps((3,), ((-2, 0), (0,), (0,)), 3), 2),
    "no feedback": PeriodicLinear(Taps((), ((0, 1), (0,))), 1),
    "only the calendar": PeriodicLinear(Taps((1,), ((0,),)), 1),
}
every_structure = pytest.mark.parametrize("name", STRUCTURES)


def problem(name, missing=False):
    network, rng = STRUCTURES[name], np.random.default_rng(len(name))
    segments = reference.make_segments(network.taps, rng, missing=missing)
    return network, rng.normal(0.0, 0.3, network.n_params), segments, rng


def a_day(n=480, seed=0):
    """Return a series whose memory is that of the hour, and the weights of its last value."""
    rng = np.random.default_rng(seed)
    index = pd.date_range("2024-01-01", periods=n, freq="h")
    slope = 0.6 + 0.35 * np.cos(2 * np.pi * index.hour / HOURS)
    y = np.zeros(n)
    for t in range(1, n):
        y[t] = slope[t] * y[t - 1] + rng.normal()
    return pd.Series(5 + y, index), np.asarray(slope)


def turns(index):
    angle = 2 * np.pi * np.asarray(index.hour) / HOURS
    return np.column_stack((np.sin(angle), np.cos(angle)))


# ---------------------------------------------------------------- against the twin
@every_structure
def test_one_step_equals_the_twin(name):
    """Rows with missing values among them."""
    network, theta, segments, _ = problem(name, missing=True)
    rows = np.flatnonzero(segments.reachable(network.reach))
    y_hat, bad = network.rollout(theta, Rollouts.one_step(segments, rows))
    exact = reference.one_step(network, theta, segments, rows)
    assert_allclose(y_hat[:, 0], np.where(np.isfinite(exact).all(1)[:, None], exact, np.nan))
    assert_array_equal(bad, np.where(np.isfinite(exact).all(axis=1), -1, 0))
    assert np.isfinite(exact).mean() > 0.5


@every_structure
@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_rollouts_equal_the_twin(name, scale):
    """Lengths are mixed; under large weights some diverge, though bounds hold most of them."""
    network, theta, segments, rng = problem(name)
    if scale > 1:
        segments = segments.replace(low=None, high=None)
    origins = rng.choice(np.flatnonzero(segments.reachable(network.reach)), 30)
    room = segments.stops[origins] - network.reach.lead - origins
    lengths = np.minimum(rng.integers(0, 12, len(origins)), room)
    y_hat, bad = network.rollout(scale * theta, Rollouts(segments, origins, lengths))
    exact, exact_bad = reference.rollout(network, scale * theta, segments, origins, lengths)
    assert_allclose(y_hat, exact, rtol=1e-10, atol=1e-12)
    assert_array_equal(bad, exact_bad)
    assert (bad >= 0).any() == (scale > 1 and network.takes_shocks)


def test_shocks_enter_the_loop():
    """A shock moves what follows; none of them changes nothing."""
    network, theta, segments, _ = problem("plain")
    rollouts = Rollouts(segments.replace(low=None, high=None), np.array([5, 40]), np.array([6, 6]))
    plain, _ = network.rollout(theta, rollouts)
    shocks = np.zeros((2, 6, 1))
    assert_array_equal(network.rollout(theta, rollouts, shocks)[0], plain)
    shocks[1, 2] = 0.5
    moved = network.rollout(theta, rollouts, shocks)[0] - plain
    assert_array_equal(moved[0], 0), assert_array_equal(moved[1, :2], 0)
    assert_allclose(moved[1, 2], 0.5)
    assert (moved[1, 3:] != 0).all()


@every_structure
def test_normal_equations_equal_the_complex_step(name, monkeypatch):
    """Blocks of rows add up to the whole, under weights and with missing outputs."""
    monkeypatch.setattr(periodic_linear, "BLOCK", 7)
    network, theta, segments, rng = problem(name, missing=True)
    segments = segments.replace(low=None, high=None)
    weight = rng.uniform(0.2, 3.0, len(segments))
    objective = Objective.over(network, segments, sample_weight=weight)
    rows = objective.rollouts.targets
    JtJ, Jte, sse, _ = objective.normal_equations(theta)
    J = reference.jacobian(network, theta, segments, rows, weight)
    e = reference.residuals(network, theta, segments, rows, weight)
    assert_allclose(JtJ, J.T @ J, rtol=1e-10, atol=1e-10)
    assert_allclose(Jte, J.T @ e, rtol=1e-10, atol=1e-10)
    assert_allclose(sse, e @ e)
    assert_allclose(objective.value(theta), e @ e / (2 * objective.n))


@every_structure
def test_input_gradient_equals_the_complex_step(name):
    network, theta, segments, _ = problem(name)
    rows = np.flatnonzero(segments.reachable(network.reach))
    rollouts = Rollouts.one_step(segments, rows)
    z = segments.tapped(network.taps, rows)
    y_hat = network.predict(theta, z)
    is_inside = rollouts.clip(y_hat[:, None].copy())[:, 0] == y_hat
    for output in range(network.n_outputs):
        slopes = np.stack(
            [
                reference.periodic(network, theta, z + 1e-30j * unit)[:, output].imag / 1e-30
                for unit in np.eye(z.shape[1])
            ],
            axis=1,
        )
        got = network.input_gradient(theta, rollouts, output)[:, 0]
        assert_allclose(got, slopes * is_inside[:, [output]], rtol=1e-12, atol=1e-14)


def test_no_rollouts_are_none():
    """Nor is anything predicted in those of no steps."""
    network, theta, segments, _ = problem("means")
    none = np.array([], dtype=np.intp)
    for origins, lengths in ((none, none), (np.array([5, 40]), np.array([0, 0]))):
        y_hat, bad = network.rollout(theta, Rollouts(segments, origins, lengths))
        assert y_hat.shape == (len(origins), 0, 2) and bad.tolist() == [-1] * len(origins)
    assert network.input_gradient(theta, Rollouts.one_step(segments, none)).shape == (0, 1, 7)


@pytest.mark.parametrize("periodic", [True, False])
def test_gradients_of_rows_that_cannot_be_predicted_are_missing(periodic):
    y, _ = a_day(200)
    given = {"calendar": {"hour": 1}, "periodic": periodic, "output_range": (0, None)}
    model = ARX(output_lags=2, alphas=[1.0], **given).fit(None, y)
    holey = y.where(np.arange(len(y)) % 2 == 0)
    assert np.isnan(model.input_gradient(None, holey).values).all()


# ---------------------------------------------------------------- as ARX trains it
@pytest.mark.parametrize("alpha", [1e-2, 10.0])
@pytest.mark.parametrize("level", [0, 1, 5])
def test_is_ridge_regression_of_products(level, alpha):
    y, _ = a_day(200)
    u = np.random.default_rng(1).normal(size=(200, 1))
    given = {"alphas": [alpha], "calendar": {"hour": 1}, "periodic": True, "level": level}
    model = ARX(0, [1, 3], **given).fit(pd.DataFrame(u, y.index), y)
    ahead = model.predict_ahead(pd.DataFrame(u, y.index), y)
    expected = reference.levelled_ridge(
        y.to_numpy()[:, None], [1, 3], level, alpha, u, c=turns(y.index)
    )
    assert_allclose(ahead, expected[:, 0], rtol=1e-8)


def test_weights_of_the_hour_are_found():
    """Those that the series was made with, to what 20,000 rows say of them."""
    y, slope = a_day(20_000)
    model = ARX(output_lags=1, alphas=[1e-6], calendar={"hour": 1}, periodic=True).fit(None, y)
    by_hour = model.input_gradient(None, y).values[:, 0, -1, -1]
    assert_allclose(by_hour[1:], slope[1:], atol=0.03)
    plain = ARX(output_lags=1, calendar={"hour": 1}).fit(None, y)
    errors = [np.nanmean((m.predict_ahead(None, y) - y) ** 2) for m in (model, plain)]
    assert errors[0] < 1.02 < 1.04 < errors[1]


def test_verbs_agree():
    """Free runs, steps ahead, backtests and forecasts after update are one model."""
    y, _ = a_day()
    model = ARX(
        output_lags=[1, 2, 24], level=24, alphas=[0.1], calendar={"hour": 2}, periodic=True
    ).fit(None, y[:400])
    run = model.forecast(12)
    assert_allclose(model.predict(pd.DataFrame(index=y.index[400:412])), run, atol=1e-12)
    ahead = [model.predict_ahead(None, y, steps=k)[399 + k] for k in range(1, 13)]
    assert_allclose(run, ahead, atol=1e-12)
    table = backtest(model, None, y, 12, y.index[[399]])
    assert_allclose(table["y_hat"], run, atol=1e-12)
    updated = model.update(None, y[400:412]).forecast(3)
    assert_allclose(
        updated, backtest(model, None, y, 3, y.index[[411]])["y_hat"].to_numpy(), atol=1e-12
    )


def test_units_change_nothing():
    y, _ = a_day()
    model = ARX(output_lags=3, level=6, alphas=[1.0], calendar={"hour": 2}, periodic=True)
    plain = model.fit(None, y).forecast(24)
    moved = model.fit(None, 1e4 - 300 * y).forecast(24)
    assert_allclose(moved, 1e4 - 300 * plain, rtol=1e-9)


def test_intervals_and_transforms():
    """Paths run through the loop, and what is transformed comes back."""
    y, _ = a_day(1000)
    model = ARX(output_lags=2, alphas=[1.0], calendar={"hour": 1}, periodic=True)
    table = model.fit(None, y).forecast(6, level=[80], random_state=0)
    low, high = table.iloc[:, 1], table.iloc[:, 2]
    assert (low < table.iloc[:, 0]).all() and (table.iloc[:, 0] < high).all()
    logs = TransformedForecaster(model, transform="log").fit(None, np.exp(y)).forecast(6)
    assert_allclose(np.log(logs), model.fit(None, y).forecast(6), rtol=1e-9)


def test_a_large_penalty_leaves_the_level():
    y, _ = a_day(200)
    model = ARX(output_lags=2, level=4, alphas=[1e15], calendar={"hour": 2}, periodic=True)
    assert_allclose(model.fit(None, y).forecast(1), y[-4:].mean())


@pytest.mark.parametrize(
    ("params", "index", "sentence"),
    [
        ({"calendar": None}, True, "periodic=True lets the weights vary with the calendar, but "
         "calendar is None: name its fields, such as calendar={'hour': 3}."),
        ({"calendar": []}, True, "but calendar is []: name its fields"),
        ({"level": 2, "drift": 0.5}, True, "drift=0.5 needs weights that stay, but periodic=True "
         "lets them vary: leave one of both out."),
        ({}, False, "time stamps"),
        ({"periodic": 2}, True, "The 'periodic' parameter of ARX must be"),
    ],
)  # fmt: skip
def test_what_is_refused(params, index, sentence):
    y, _ = a_day(100)
    model = ARX(**{"calendar": {"hour": 1}, "periodic": True, **params})
    with pytest.raises(ValueError, match=re.escape(sentence)):
        model.fit(None, y if index else y.to_numpy())
