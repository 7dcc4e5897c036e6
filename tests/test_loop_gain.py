"""The gain of the loop: the slow twin, systems whose gain is known, and when fit warns of it."""

import re
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import reference
from narxkit import NARX, TDNN
from narxkit.datasets import make_henon, make_narendra
from narxkit.networks import TappedMLP, make_taps
from narxkit.networks.tapped_mlp import LONG
from narxkit.rows.rollouts import Rollouts
from narxkit.rows.segments import Segments
from narxkit.training.objective import Objective, _chains
from reference import make_problem

FEEDBACK = [seed for seed in reference.PROBLEMS if make_problem(seed).network.taps.output_lags]
TOO_FAST = (
    "loop_gain_ is 2: a small error of the output that is fed back grows by this factor with each "
    "step. A chaotic system does that; for any other try a larger alpha, longer rollouts (loop=k), "
    "fewer hidden units or an output_range."
)


def linear_loop(coef, n=3000, n_outputs=1):
    """Make a linear network of coefficients (n_outputs * lags, n_outputs), and noise to run on."""
    coef = np.asarray(coef, dtype=float).reshape(-1, n_outputs)
    network = TappedMLP(make_taps([], len(coef) // n_outputs, (), n_outputs), (), "tanh", False)
    theta = np.concatenate((coef.ravel(), np.zeros(n_outputs)))
    y = np.random.default_rng(0).normal(size=(n, n_outputs))
    return network, theta, Segments(np.empty((n, 0)), y, np.array([0, n]))


def logistic_map(n, start=0.3):
    y = np.empty(n)
    y[0] = start
    for t in range(1, n):
        y[t] = 4.0 * y[t - 1] * (1.0 - y[t - 1])
    return y


def unstable():
    """Return a NAR model and the logistic map."""
    return NARX(output_lags=1, random_state=0), logistic_map(600)


# --- against the twin ----------------------------------------------------------------------------


@pytest.mark.parametrize("loop", ["open", 2, 7, "closed"])
@pytest.mark.parametrize("seed", FEEDBACK[::2], ids=reference.describe)
def test_gain_equals_the_twin(seed, loop):
    """Clipped outputs, gaps, several segments, several outputs."""
    problem = make_problem(seed)
    network, theta, segments = problem.network, problem.theta, problem.segments
    objective = Objective.over(network, segments, loop, targets=problem.targets)
    rows, lengths = objective.rollouts.origins[:12], np.ones(min(objective.size, 12), dtype=np.intp)
    lengths = lengths if objective.rollouts.is_measured else objective.rollouts.lengths[:12]
    if not len(rows):
        pytest.skip("no rollout")
    matrices = reference.companions(network, theta, segments, rows, lengths)
    n_rounds = -(-LONG // len(matrices))
    exact = reference.loop_gain(matrices, network.n_outputs, n_rounds)
    assert network.gain(theta, Rollouts(segments, rows, lengths)) == pytest.approx(exact, rel=1e-9)


# --- systems whose gain is known -----------------------------------------------------------------


@pytest.mark.parametrize("loop", ["open", 2, 24, "closed"])
@pytest.mark.parametrize("coef", [0.9, -0.5, 1.0, 1.0005])
def test_gain_of_a_first_order_loop_is_its_coefficient(coef, loop):
    network, theta, segments = linear_loop([coef])
    assert Objective.over(network, segments, loop).loop_gain(theta) == pytest.approx(
        abs(coef), abs=1e-12
    )


@pytest.mark.parametrize("loop", ["open", 2, 24, "closed"])
@pytest.mark.parametrize("radius", [0.5, 0.95, 1.0])
def test_gain_of_linear_loops_is_their_spectral_radius(radius, loop):
    network, theta, segments = linear_loop([radius + 0.3, -radius * 0.3])  # roots radius and 0.3
    assert Objective.over(network, segments, loop).loop_gain(theta) == pytest.approx(
        radius, abs=1e-9
    )
    network, theta, segments = linear_loop([2 * radius * np.cos(0.5), -(radius**2)])
    assert Objective.over(network, segments, loop).loop_gain(theta) == pytest.approx(
        radius, abs=1e-3
    )


def test_gain_of_short_segments_is_that_of_the_loop():
    """Over three steps alone a perturbation of this loop grows, though in the end it dies."""
    network, theta, segments = linear_loop([1.8 * np.cos(0.2), -0.81])
    cut = Segments(segments.u, segments.y, np.arange(0, 3001, 5))
    for loop in ("open", 2, "closed"):
        assert Objective.over(network, cut, loop).loop_gain(theta) == pytest.approx(0.9, abs=2e-3)


def test_gain_is_that_of_the_largest_of_several_outputs():
    network, theta, segments = linear_loop(np.diag([0.3, 0.8]), n_outputs=2)
    assert Objective.over(network, segments).loop_gain(theta) == pytest.approx(0.8, abs=1e-9)
    turn = 0.7 * np.array([[np.cos(1.0), np.sin(1.0)], [-np.sin(1.0), np.cos(1.0)]])
    network, theta, segments = linear_loop(turn, n_outputs=2)
    assert Objective.over(network, segments, "closed").loop_gain(theta) == pytest.approx(
        0.7, abs=1e-9
    )


def test_gain_is_that_of_the_largest_of_several_segments():
    """Two long segments on either side of a bend of the network."""
    network = TappedMLP(make_taps([], 1, ()), (1,), "relu", True)
    theta = np.array([1.0, 0.0, 0.4, 0.0, 0.5])  # 0.9 above zero, 0.5 below
    y = np.concatenate((np.full(1500, -1.0), np.full(1500, 1.0), np.full(1500, -1.0)))[:, None]
    segments = Segments(np.empty((4500, 0)), y, np.array([0, 1500, 3000, 4500]))
    assert Objective.over(network, segments).loop_gain(theta) == pytest.approx(0.9, abs=1e-12)
    joined = Segments(segments.u, y, np.array([0, 4500]))
    mean = np.exp((2 * np.log(0.5) + np.log(0.9)) / 3)
    assert Objective.over(network, joined).loop_gain(theta) == pytest.approx(mean, rel=1e-3)


def test_chains_are_long_and_end_with_segments():
    starts = np.repeat([0, 600, 1200, 1300, 2400, 2500], [600, 600, 100, 1100, 100, 100])
    slices = list(_chains(starts, np.ones(len(starts), dtype=np.intp)))
    assert [(s.start, s.stop) for s in slices] == [(0, 1200), (1200, 2600)]
    assert [(s.start, s.stop) for s in _chains(np.zeros(3), np.full(3, 5))] == [(0, 3)]


def test_a_perturbation_dies_where_all_outputs_are_clipped():
    network, theta, segments = linear_loop([1.5, 0.2])
    low = np.full((3000, 1), np.nan)
    low[100:102] = 50.0
    bounded = segments.replace(low=low, high=np.full((3000, 1), np.nan))
    assert Objective.over(network, bounded).loop_gain(theta) == 0.0
    low[101] = np.nan
    bounded = segments.replace(low=low, high=np.full((3000, 1), np.nan))
    assert Objective.over(network, bounded).loop_gain(theta) > 1.5


def test_gain_of_rollouts_that_diverge_is_infinite():
    network, theta, segments = linear_loop([1.5])
    assert Objective.over(network, segments, "closed").loop_gain(theta) == np.inf
    assert Objective.over(network, segments, 4).loop_gain(theta) == pytest.approx(1.5)


@pytest.mark.filterwarnings("ignore:loop_gain_ is")
def test_gain_of_chaotic_systems_is_their_exponent():
    """exp(ln 2) of the logistic map, exp(0.419) of the Henon map (Sprott 2003)."""
    model, y = unstable()
    assert model.fit(None, y).loop_gain_ == pytest.approx(2.0, abs=0.02)
    assert model.set_params(loop=3).fit(None, y).loop_gain_ == pytest.approx(2.0, abs=0.02)
    y = make_henon(2000)
    model = NARX(random_state=0, max_iter=100).fit(None, y)
    assert model.loop_gain_ == pytest.approx(np.exp(0.419), abs=0.03)


# --- fit -----------------------------------------------------------------------------------------


def test_fit_warns_once_of_errors_that_grow():
    model, y = unstable()
    with pytest.warns(RuntimeWarning, match="^" + re.escape(TOO_FAST) + "$") as caught:
        model.fit(None, y)
    assert len(caught) == 1 and caught[0].filename == __file__


@pytest.mark.parametrize("n", [60, 2000])
def test_fit_does_not_warn_of_an_integrator(n):
    y = np.cumsum(np.cumsum(np.random.default_rng(0).normal(size=n)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = NARX(hidden_layer_sizes=(), linear_alpha=0.0).fit(None, y)
    assert model.loop_gain_ == pytest.approx(1.0, abs=0.01)


def test_without_feedback_nothing_grows():
    X, y = make_narendra(200, random_state=0)
    assert TDNN(random_state=0, max_iter=5).fit(X, y).loop_gain_ == 0.0
    assert NARX(output_lags=[], random_state=0, max_iter=5).fit(X, y).loop_gain_ == 0.0


def test_gain_of_members_is_the_largest_of_those_that_predict():
    X, y = make_narendra(300, random_state=0)
    params = {"n_restarts": 3, "alpha": 1e-4, "random_state": 0, "max_iter": 10}
    model = NARX(combine="median", **params).fit(X, y)
    segments = model._scale.apply(Segments(X, y[:, None], np.array([0, len(y)])))
    gains = [
        Objective.over(model.structure_, segments).loop_gain(theta) for theta in model.members_
    ]
    assert model.loop_gain_ == max(gains) > min(gains)
    assert model.set_params(combine="best").fit(X, y).loop_gain_ == gains[0]


def test_gain_has_the_same_bits_in_any_thread():
    problem = make_problem(0)
    objective = Objective.over(problem.network, problem.segments, 7, targets=problem.targets)
    alone = objective.loop_gain(problem.theta)
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(objective.loop_gain, [problem.theta] * 40)) == {alone}
    X, y = make_narendra(200, random_state=0)
    model = NARX(n_restarts=4, combine="mean", random_state=0, max_iter=5)
    gains = {model.set_params(n_jobs=n).fit(X, y).loop_gain_ for n in (None, 2, 4)}
    assert len(gains) == 1
