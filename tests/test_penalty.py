"""Penalties chosen from the training rows, whether a network lives, and the way to rollouts."""

import signal
from functools import partial

import numpy as np
import pytest

import reference
from narxkit import NARX, TDNN, GRURegressor
from narxkit._naming import what_passes
from narxkit.datasets import make_henon, make_lorenz, make_narendra
from narxkit.networks import TappedMLP, make_taps
from narxkit.rows.segments import Segments
from narxkit.solvers import LevenbergMarquardt, Monitor, Stop
from narxkit.training.alive import FLOOR
from narxkit.training.objective import Objective
from narxkit.training.penalty import (
    EXACT,
    STRENGTHS,
    Errors,
    Noise,
    Patience,
    Runs,
    Search,
    holds,
    is_better,
    make_blocks,
    starts,
)
from narxkit.training.stages import Lesson, read_loops
from reference import make_problem

FOUND = "those of the best network of the search for penalties, which has learned from the earlier "
FOUND += "rows alone"
SHORT = {"max_iter": 30, "random_state": 0}
pytestmark = pytest.mark.filterwarnings("ignore:loop_gain_ is", "error:.*encountered")


def henon(n=250):
    return make_henon(n, random_state=0)


def lorenz(n=1500):
    return make_lorenz(n, random_state=0)[:, 0]


def autoregression(n=150, seed=0):
    """A linear system: there is nothing for a network to learn."""
    e, y = np.random.default_rng(seed).normal(size=n), np.zeros(n)
    for t in range(1, n):
        y[t] = 0.7 * y[t - 1] + e[t]
    return y


def make_lesson(network, segments, loop="open", weight=None):
    """All rows to train on, none held out."""
    every = np.ones(len(segments), dtype=bool)
    make = partial(Objective.over, segments=segments, sample_weight=weight)
    return Lesson(make, network, every, ~every, read_loops(loop), 0)


def scaled(model, X, y):
    """The rows in the units that a model learned in."""
    u = np.empty((len(y), 0)) if X is None else X
    return model._scale.apply(Segments(u, y[:, None], np.array([0, len(y)])))


# ---------------------------------------------------------------- whether a network earns its place


def test_a_linear_series_switches_the_network_off():
    y = autoregression()
    model = NARX(random_state=0).fit(None, y)
    linear = NARX(hidden_layer_sizes=()).fit(None, y)
    assert model.alpha_ == np.inf and model.is_linear_ and model.hidden_share_ < 1e-20
    assert model.linear_alpha_ == linear.linear_alpha_
    assert linear.is_linear_ and linear.hidden_share_ == 0.0
    np.testing.assert_allclose(model.forecast(50), linear.forecast(50), rtol=1e-12)


@pytest.mark.parametrize("loop", [5, "closed"])
def test_what_is_left_is_trained_over_the_same_rollouts(loop):
    y = autoregression(100)
    model = NARX(loop=loop, random_state=0).fit(None, y)
    linear = NARX(loop=loop, hidden_layer_sizes=()).fit(None, y)
    assert model.alpha_ == np.inf
    assert [stage.loop for stage in model.loop_] == [stage.loop for stage in linear.loop_]
    np.testing.assert_allclose(model.forecast(20), linear.forecast(20), rtol=1e-12)


def test_a_chaotic_map_keeps_it():
    y = henon()
    model = NARX(**SHORT).fit(None, y[:200])
    assert model.alpha_ < 0.01 and not model.is_linear_ and model.hidden_share_ > 0.8
    assert abs(np.ravel(model.forecast(2)) - y[200:202]).max() < 0.1


@pytest.mark.parametrize("seed", range(3))
def test_a_plant_keeps_it(seed):
    """Also where a network that hardly lives yet, under a strong penalty, is worse by chance."""
    model = NARX([1], 2, **SHORT).fit(*make_narendra(400, random_state=seed))
    assert model.alpha_ < 0.01 and not model.is_linear_ and model.hidden_share_ > 0.1


def test_a_constant_output_beside_it_does_not_matter():
    constant = np.full(250, 21.3)
    on = NARX(**SHORT).fit(None, np.column_stack([henon(), constant]))
    off = NARX(**SHORT).fit(None, np.column_stack([constant, autoregression(250)]))
    assert on.alpha_ < 0.01 and off.alpha_ == np.inf


def test_missing_rows_do_not_matter():
    y = henon(300)
    y[[50, 120, 121, 280]] = np.nan
    with pytest.warns(UserWarning, match="missing"):
        model = NARX(**SHORT).fit(None, y)
    assert model.alpha_ < 0.01 and model.hidden_share_ > 0.8


def test_too_few_rows_for_a_block_switch_it_off():
    model = NARX(**SHORT).fit(None, henon(6))
    assert model.alpha_ == np.inf and model.is_linear_


@pytest.mark.parametrize("y", [autoregression(), henon(6)], ids=["linear", "few rows"])
def test_without_a_linear_term_there_is_nothing_else(y):
    assert NARX(linear_term=False, **SHORT).fit(None, y).alpha_ < np.inf


def test_it_needs_no_feedback():
    rng = np.random.default_rng(0)
    u = rng.normal(size=(400, 1))
    bent, straight = np.tanh(2 * u[:, 0]), 2 * u[:, 0]
    noise = 0.1 * rng.normal(size=400)
    alive, dead = (TDNN(1, **SHORT).fit(u, y + noise) for y in (bent, straight))
    assert alive.alpha_ < np.inf and alive.hidden_share_ > 0.1
    assert dead.alpha_ == np.inf and dead.is_linear_


@pytest.mark.parametrize("power", [-30, 7])
@pytest.mark.parametrize("y", [henon(), autoregression()], ids=["on", "off"])
def test_units_of_y_change_no_bit(y, power):
    """Strengths are in units of the error variance."""
    plain = NARX(**SHORT).fit(None, y)
    moved = NARX(**SHORT).fit(None, 2.0**power * y)
    assert moved.theta_.tobytes() == plain.theta_.tobytes()
    np.testing.assert_array_equal(moved.forecast(9), 2.0**power * plain.forecast(9))


@pytest.mark.parametrize("y", [henon(), autoregression()], ids=["on", "off"])
def test_the_same_bits_for_any_n_jobs(y):
    params = {"n_restarts": 3, "combine": "mean", "max_iter": 10, "random_state": 1}
    fits = [NARX(n_jobs=n_jobs, **params).fit(None, y) for n_jobs in (None, None, 2)]
    for model in fits[1:]:
        assert (model.alpha_, model.linear_alpha_) == (fits[0].alpha_, fits[0].linear_alpha_)
        assert [m.tobytes() for m in model.members_] == [m.tobytes() for m in fits[0].members_]


# ---------------------------------------------------------------- the linear feedback


def test_linear_feedback_is_a_ridge_of_the_error_variance():
    y = autoregression()
    model = NARX(hidden_layer_sizes=()).fit(None, y)
    standard = (y - y.mean()) / y.std()
    Z = np.column_stack([standard[1:-1], standard[:-2], np.ones(148)])
    target = standard[2:]
    left = target - Z @ np.linalg.lstsq(Z, target)[0]
    variance = left @ left / (148 - 3)
    alpha = max(10 * variance, 148 * min(variance, 1e-4))
    ridge = np.linalg.solve(Z.T @ Z + alpha * np.diag([1.0, 1.0, 0.0]), Z.T @ target)
    assert model.linear_alpha_ == pytest.approx(alpha, rel=1e-9)
    np.testing.assert_allclose(model.theta_, ridge, rtol=1e-6)


def test_a_given_alpha_leaves_the_linear_model_alone():
    models = [NARX(hidden_layer_sizes=(), alpha=alpha).fit(None, henon()) for alpha in (0.0, 1e3)]
    np.testing.assert_array_equal(models[0].theta_, models[1].theta_)


@pytest.mark.parametrize("output_lags", [2, 4])
def test_lags_that_say_nearly_the_same_do_not_make_the_loop_unstable(output_lags):
    """Lorenz' system at steps of 0.01, exponent 0.906; without it four lags give 1.028."""
    model = NARX(output_lags=output_lags, max_iter=60, random_state=0).fit(None, lorenz())
    assert not model.is_linear_
    assert model.loop_gain_ == pytest.approx(np.exp(0.906 * 0.01), rel=0.01)


# ---------------------------------------------------------------- how models are compared


def slow_level(network, theta, runs, width):
    """The mean log of the mean squared errors of each group and step, and how many runs fail."""
    rollouts = runs.rollouts
    segments, weight, n = rollouts.segments, rollouts.weight, len(rollouts)
    y_hat, _ = reference.rollout(network, theta, segments, rollouts.origins, rollouts.lengths)
    first = [n * g // runs.n_groups for g in range(runs.n_groups)]
    terms, failed = [{} for _ in first], set()
    for i, (row, length) in enumerate(zip(rollouts.origins, rollouts.lengths)):
        group = terms[np.searchsorted(first, i, side="right") - 1]
        for s, j in np.ndindex(length, network.n_outputs):
            if weight[row + s] > 0 and np.isfinite(segments.y[row + s, j]):
                e = abs(y_hat[i, s, j] - segments.y[row + s, j])
                if not e < width[j]:  # too large, or NaN
                    failed.add(i)
                    e = width[j]
                square = segments.y[row + s, j] ** 2
                group.setdefault((s, j), []).append(weight[row + s] * np.array([e**2, square, 1.0]))
    levels, cells = [], sorted({cell for group in terms for cell in group})
    totals = {c: np.sum([sum(group.get(c, [np.zeros(3)])) for group in terms], 0) for c in cells}
    for group in terms:
        logs = {}
        for cell, one in group.items():
            e, of_mean, n = np.sum(one, axis=0)
            logs[cell] = np.log((e if totals[cell][0] < totals[cell][1] else of_mean) / n)
        levels.append(np.average([*logs.values()], weights=[1 / (1 + s) ** 0.5 for s, _ in logs]))
    return np.mean(levels), len(failed)


@pytest.mark.parametrize("growth", [1.0, 30.0], ids=["tame", "wild"])
@pytest.mark.parametrize("number", [1, 5, 8, 11, 18])
def test_errors_of_runs_equal_the_twin(number, growth):
    problem = make_problem(number)
    network, segments, weight = problem.network, problem.segments, problem.weight
    lesson = make_lesson(network, segments, weight=weight)
    runs = Runs(lesson, problem.targets, 4)
    width = np.nanmax(segments.y, axis=0) - np.nanmin(segments.y, axis=0)
    errors = runs.errors(network, growth * problem.theta)
    exact = slow_level(network, growth * problem.theta, runs, width)
    np.testing.assert_allclose((errors.level, errors.n_failed), exact, rtol=1e-9)


def errors_of(e, n_groups=10):
    """Errors of runs (n, steps) of one output, in groups of equal size."""
    squares = e.reshape(n_groups, -1, e.shape[1], 1) ** 2
    n = np.full_like(squares[:, 0], squares.shape[1])
    return Errors(squares.sum(axis=1), 9.0 * n, n, e.shape[1])


def test_better_is_better_by_more_than_chance():
    rng = np.random.default_rng(0)
    e, other = rng.normal(size=(2, 40, 5))
    assert is_better(errors_of(0.7 * e), errors_of(e))
    assert not is_better(errors_of(e), errors_of(0.7 * e))
    assert not is_better(errors_of(e), errors_of(e))
    assert not is_better(errors_of(0.95 * e), errors_of(other))
    assert not is_better(errors_of(0.1 * e[:4], 1), errors_of(e[:4], 1))


def test_models_as_good_as_each_other_are_rarely_told_apart():
    """Forecasts that are off by as much upwards as downwards, analysed by runs that share rows."""
    n_better = 0
    for seed in range(200):
        y = autoregression(300, seed)[:, None]
        segments = Segments(np.empty((300, 0)), y, np.array([0, 300]))
        network = TappedMLP(make_taps([], 1, []), ())
        runs = Runs(make_lesson(network, segments), np.ones(300, dtype=bool), 20)
        up, down = (runs.errors(network, np.array([0.7, offset])) for offset in (0.1, -0.1))
        n_better += is_better(up, down)
    assert n_better <= 6  # at 1 %, 6 or more of 200 come once in 60 times


def test_no_more_runs_fail_than_of_the_linear_model():
    e = np.random.default_rng(0).normal(size=(40, 5))
    wild = errors_of(0.1 * e)._replace(n_failed=1)
    assert not is_better(wild, errors_of(e)) and not holds(wild, errors_of(e))
    assert is_better(wild, errors_of(e)._replace(n_failed=1))


def test_runs_are_shortened_until_there_are_groups():
    segments = Segments(np.empty((300, 0)), np.zeros((300, 1)), np.array([0, 300]))
    lesson = make_lesson(TappedMLP(make_taps([], 1, []), ()), segments)
    last = lesson.last_rows(0.1)
    assert last.sum() == 30 and last[-30:].all()
    assert Runs(lesson, last, 20).steps < 20 and Runs(lesson, lesson.last_rows(0.5), 20).steps == 20


def test_blocks_are_cut_from_targets():
    """Missing rows and rows without a weight at the end are no block."""
    y, weight = henon(300), np.ones(300)
    y[250:] = np.nan
    weight[200:] = 0.0
    segments = Segments(np.empty((300, 0)), y[:, None], np.array([0, 300]))
    lesson = make_lesson(TappedMLP(make_taps([], 2, []), ()), segments, weight=weight)
    assert np.flatnonzero(lesson.last_rows(0.25))[0] == 150  # of 198 targets 50
    model = NARX(**SHORT).fit(None, y, sample_weight=weight)
    assert model.alpha_ < 0.01 and not model.is_linear_


# ---------------------------------------------------------------- how long a search takes


@pytest.fixture
def fits(monkeypatch):
    """Rows that networks learn from, fit by fit, those of the training included."""
    n_rows = []

    class Counting(LevenbergMarquardt):
        def _solve(self, objective, *args):
            if objective.network.hidden_layer_sizes:
                n_rows.append(objective.size)
            return super()._solve(objective, *args)

    monkeypatch.setattr("narxkit.forecasters.network.make_solver", lambda solver: Counting())
    return n_rows


@pytest.mark.parametrize("seed", range(6))
def test_four_strengths_in_vain_end_a_search(fits, seed):
    NARX(**SHORT).fit(None, autoregression(1000, seed))
    assert len(fits) == 4


@pytest.mark.parametrize("seed", range(6))
def test_of_two_blocks_the_smaller_sorts_out(fits, seed):
    """A network that is behind there is not learned from the rows before the other."""
    NARX(**SHORT).fit(None, autoregression(150, seed))
    small, large = (fits.count(n) for n in (88, 118))
    assert small == 4 and large <= 4 and len(fits) == small + large


def test_the_weights_of_a_state_are_searched_from_stronger_penalties_on(monkeypatch):
    first = []

    def learned(search, noise, alpha, share):
        first.append((type(search._network).__name__, alpha))
        search._flag[0] = 1
        return [], []

    monkeypatch.setattr(Search, "_learned", learned)
    with pytest.warns(RuntimeWarning, match="Interrupted"):
        for model in (NARX(), GRURegressor(window=4)):
            model.fit(None, autoregression(200, 0))
    assert first == [("TappedMLP", 10.0), ("CellNetwork", 1000.0)]


def test_a_search_takes_a_fit_for_each_strength_and_block_at_most(fits):
    NARX(**SHORT).fit(None, henon())
    assert len(fits) <= 2 * len(STRENGTHS) + 1


@pytest.mark.parametrize(
    "gains, n",
    [
        ([0.0, -1.0, 0.0, -1.0, 9.0], 4),  # none ahead
        ([-1.0, -0.5, 1.0, 0.5, 2.0, 1.0, 1.5, 1.0, 1.5, 9.0], 9),  # four that are behind the best
        ([1.0, 0.9, 0.8, 9.0], 3),  # two falls running
        ([1.0, 1.01, 1.015, 1.01, 1.015, 9.0], 5),  # what is less than 0.02 is none
        ([0.1, 0.2, 0.3, 0.4, 0.5], None),
    ],
)
def test_patience_ends(gains, n):
    patience = Patience()
    endings = [i for i, gain in enumerate(gains, 1) if patience.is_over(gain)]
    assert endings[:1] == ([] if n is None else [n])


def test_strengths_too_strong_to_tell_end_nothing_before_one_gains():
    strengths = 1000.0, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0, 0.3
    for gains, n in (
        ([0.0, -0.1, -0.2, -0.3, -0.4, -0.3, -0.4, -0.3], 8),  # the last four tell
        ([0.0, 0.5, -0.1, -0.4, 9.0], 4),  # two falls from what has been gained
    ):
        patience = Patience()
        ends = [patience.is_over(*pair) for pair in zip(gains, strengths)]
        assert ends.index(True) + 1 == n


@pytest.mark.parametrize("n", [2, 3])
def test_a_rival_has_to_be_beaten_soon(n):
    patience = Patience(1.0, n)
    assert [patience.is_over(gain) for gain in (0.7, 0.8, 0.9)[:n]] == [False] * (n - 1) + [True]


def test_a_network_whose_runs_fail_hides_none_that_is_sound(monkeypatch):
    """Of the first some runs fail, though its level is the lowest."""
    X, y = make_narendra(400, random_state=0)
    segments = Segments(X, y[:, None] / y.std(), np.array([0, 400]))
    network = TappedMLP(make_taps([1], 2, ["u"]), (4,))
    (block,) = make_blocks(make_lesson(network, segments), 4)
    start = starts(block.objective, [0])(EXACT).thetas[0]
    first = LevenbergMarquardt().solve(block.objective, start, Monitor(max_iter=30)).theta
    judge, answers = block.runs.errors, iter([first])

    def errors(network, theta):
        found = judge(network, theta)
        return found._replace(n_failed=7) if np.array_equal(theta, first) else found

    monkeypatch.setattr(block.runs, "errors", errors)
    flag = np.zeros(1, dtype=np.int32)
    search = Search([block], 0, lambda objective, theta: next(answers, first + 0.01), flag)
    (choice,) = search.choose([EXACT])
    assert errors(network, first).level < choice.errors.level
    assert choice.is_on and choice.errors.n_failed == 0


def test_starts_of_several_noises_share_one_pass():
    y = autoregression()[:, None]
    segments = Segments(np.empty((150, 0)), y, np.array([0, 150]))
    lesson = make_lesson(TappedMLP(make_taps([], 2, []), (3,)), segments)
    start = starts(lesson.objective("open"), [0, 1])
    free, bound = start(EXACT), start(Noise(alpha=100.0))
    assert free.variance == bound.variance and len(free.thetas) == 2
    assert abs(bound.linear[:2]).sum() < abs(free.linear[:2]).sum()
    for theta, other in zip(free.thetas, bound.thetas):
        straight = [lesson.network.unpack(one).straight.ravel() for one in (theta, other)]
        np.testing.assert_array_equal(straight, [free.linear[:2], bound.linear[:2]])


# ---------------------------------------------------------------- what could go wrong


@pytest.mark.parametrize("n", [*range(14, 31), 40])
def test_few_rows_are_held_by_the_penalty(n):
    """Least squares would fit any numbers: the feedback then diverges."""
    t = np.arange(n)
    y = np.sin(2 * np.pi * t / 12) + 0.1 * autoregression(n)
    model = NARX(output_lags=12, max_iter=5, random_state=0).fit(None, y)
    assert model.linear_alpha_ > 0.01 and model.loop_gain_ < 1.1
    assert np.abs(model.forecast(12)).max() < 2 and model.is_linear_ and model.hidden_share_ == 0.0


@pytest.mark.parametrize("y", [henon(), autoregression()], ids=["on", "off"])
@pytest.mark.parametrize("factor", [2.0**-20, 2.0**10])
def test_a_factor_of_all_weights_changes_nothing(y, factor):
    params = {"max_iter": 5, "random_state": 0}
    one, other = (
        NARX(**params).fit(None, y, sample_weight=np.full(len(y), w)) for w in (1.0, factor)
    )
    np.testing.assert_allclose(other.forecast(3), one.forecast(3), rtol=1e-6)
    assert other.linear_alpha_ == pytest.approx(factor * one.linear_alpha_)


@pytest.mark.parametrize("output_lags", [2, 24])
def test_a_noisy_map_keeps_it(output_lags):
    """Only the first step can be foretold, whatever the runs are."""
    y, e = np.zeros(1000), 0.1 * np.random.default_rng(0).normal(size=1000)
    for t in range(1, 1000):
        y[t] = 1.4 * np.sin(2.2 * y[t - 1]) + e[t]
    model = NARX(output_lags=output_lags, hidden_layer_sizes=(6,), random_state=1).fit(
        None, y[:800]
    )
    left = (np.ravel(model.predict_ahead(None, y)) - y)[800:]
    assert not model.is_linear_ and left.std() < 0.25 * y.std()


@pytest.mark.parametrize("seed", range(4))
def test_noise_of_changing_size_switches_it_off(seed):
    """Every network is better somewhere: by luck, which its worse places make up for."""
    rng = np.random.default_rng(seed)
    y = rng.normal(size=600) * np.exp(0.5 * np.sin(np.arange(600) / 50))
    assert NARX(output_lags=5, **SHORT).fit(None, y).alpha_ == np.inf


def test_exact_zeros_prove_nothing():
    """Of clipped outputs both models foretell the zeros; the rest is noise."""
    y = np.maximum(autoregression(400), 0.0)
    model = NARX(output_range=(0, None), **SHORT).fit(None, y)
    linear = NARX(output_range=(0, None), hidden_layer_sizes=()).fit(None, y)
    ahead = [np.ravel(m.predict_ahead(None, y, steps=3)) - y for m in (model, linear)]
    assert np.nanstd(ahead[0]) < 1.02 * np.nanstd(ahead[1])


def test_a_callback_that_ends_training_keeps_what_there_is():
    calls = []
    model = NARX([1], 2, callback=lambda iteration: calls.append(1) or True, random_state=0)
    model.fit(*make_narendra(400, random_state=0))
    assert len(calls) == 1 and model.stop_ is Stop.CALLBACK and model.alpha_ < np.inf


@pytest.mark.parametrize("moment", [1, 2, 5])
def test_an_interrupt_while_penalties_are_chosen_keeps_the_linear_model(moment, monkeypatch):
    n_solved = []

    class Interrupting(LevenbergMarquardt):
        def _solve(self, objective, *args):
            n_solved.append(1)
            if len(n_solved) == moment and objective.network.hidden_layer_sizes:
                signal.raise_signal(signal.SIGINT)
            return super()._solve(objective, *args)

    monkeypatch.setattr("narxkit.forecasters.network.make_solver", lambda solver: Interrupting())
    X, y = make_narendra(400, random_state=0)
    linear = NARX([1], 2, hidden_layer_sizes=(), solver=LevenbergMarquardt()).fit(X, y)
    n_solved.clear()
    with pytest.warns(RuntimeWarning, match="Interrupted"):
        model = NARX([1], 2, random_state=0).fit(X, y)
    assert model.stop_ is Stop.INTERRUPTED
    np.testing.assert_allclose(model.predict(X[:5]), linear.predict(X[:5]), rtol=1e-6)


@pytest.mark.parametrize(
    "kind, linear_term, moment, kept",
    [
        (NARX, True, 1, "those of the linear model that training begins with"),
        (NARX, True, 6, FOUND),
        (NARX, False, 1, "random, for no training had begun"),
        (NARX, False, 2, FOUND),
        (GRURegressor, True, 1, "those of the linear model that training begins with"),
        (GRURegressor, True, 8, FOUND),
        (GRURegressor, False, 6, FOUND),
    ],
)
def test_an_interrupted_search_keeps_its_best_and_says_so(
    kind, linear_term, moment, kept, monkeypatch
):
    """A network that has proven itself by then, or else what training begins with."""
    learned, n_strengths = Search._learned, []

    def interrupting(*args):
        n_strengths.append(1)
        if len(n_strengths) == moment:
            signal.raise_signal(signal.SIGINT)
        return learned(*args)

    monkeypatch.setattr(Search, "_learned", interrupting)
    X, y = make_narendra(400, random_state=0)
    size = {"window": 6, "hidden_layer_sizes": (4,)} if kind is GRURegressor else {}
    with pytest.warns(RuntimeWarning) as caught:
        model = kind([1], 2, linear_term=linear_term, random_state=0, **size).fit(X, y)
    assert [str(one.message) for one in caught] == [
        f"fit: Interrupted; the best parameters so far were kept. They are {kept}. A second Ctrl-C "
        "during a fit breaks it off, and a loop of fits ends where the next one begins."
    ]
    error = np.nanstd(model.predict_ahead(X, y) - y) / y.std()
    assert model.n_iter_ == 0 and model.loss_curve_ == [model.loss_]
    assert 0.4 * error**2 < model.loss_ < 1.0  # the penalty comes to the half of the error
    assert (error < 0.2) == (kept == FOUND)
    if kept.startswith("those of the linear"):
        assert what_passes(model) == "the fit was interrupted before the training of a network"


@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_warm_start_that_is_interrupted_keeps_what_it_had(early_stopping, monkeypatch):
    X, y = make_narendra(200, random_state=0)
    model = NARX([1], 2, alpha=1e-3, warm_start=True, early_stopping=early_stopping, random_state=0)
    before = model.fit(X, y).theta_

    def interrupting(*args):
        signal.raise_signal(signal.SIGINT)
        return starts(*args)

    monkeypatch.setattr("narxkit.forecasters.network.starts", interrupting)
    with pytest.warns(RuntimeWarning, match="They are those of the fit before"):
        model.fit(X, y)
    np.testing.assert_array_equal(model.theta_, before)
    curve = model.validation_curve_
    assert len(curve) == 1 and np.isfinite(curve[0]) if early_stopping else curve is None


def test_a_warm_start_after_a_network_was_off_begins_anew():
    model = NARX(warm_start=True, **SHORT).fit(None, autoregression())
    assert model.alpha_ == np.inf
    assert model.fit(None, henon()).alpha_ < 0.01


def test_off_networks_are_linear_whatever_the_rows():
    y = np.zeros(40)
    y[-1] = 1.0
    model = NARX(**SHORT).fit(None, y)
    assert model.alpha_ == np.inf and model.is_linear_ and model.hidden_share_ == 0.0


def test_a_constant_output_is_forecast():
    """There is no error, and so no unit of the penalty."""
    model = NARX(**SHORT).fit(None, np.full(60, 5.0))
    assert model.alpha_ == np.inf and model.linear_alpha_ == 0.0
    np.testing.assert_array_equal(model.forecast(3), 5.0)


# ---------------------------------------------------------------- what passes the hidden layers


@pytest.mark.parametrize("loop", ["open", "closed"])
def test_the_share_is_what_no_linear_model_of_the_taps_gives(loop):
    X, y = make_narendra(200, random_state=0)
    model = NARX([1], 2, (4,), loop=loop, alpha=1e-4, max_iter=20, random_state=0).fit(X, y)
    y_hat = model.predict_ahead(X, y)[2:] if loop == "open" else model.simulate(X, y[:2])[2:]
    fed_back = y if loop == "open" else np.r_[y[:2], y_hat]
    Z = np.column_stack([np.ones(198), fed_back[1:-1], fed_back[:-2], X[1:-1]])
    left = y_hat - Z @ np.linalg.lstsq(Z, y_hat)[0]
    assert model.hidden_share_ == pytest.approx(left.var() / y_hat.var(), rel=1e-6)
    assert 0.01 < model.hidden_share_ < 1 and not model.is_linear_


def test_the_share_of_members_is_the_largest():
    X, y = make_narendra(200, random_state=0)
    params = {"alpha": 1e-4, "n_restarts": 3, "max_iter": 5, "random_state": 0}
    shares = [
        NARX([1], 2, (4,), combine=combine, **params).fit(X, y).hidden_share_
        for combine in ("best", "mean")
    ]
    assert shares[1] >= shares[0]


def test_nothing_passes_a_dead_network():
    X, y = make_narendra(200, random_state=0)
    with pytest.warns(UserWarning, match="with alpha=1e.09 nothing passes the hidden layers"):
        model = NARX([1], 2, (4,), alpha=1e9, linear_alpha=0.0, random_state=0).fit(X, y)
    assert model.is_linear_ and model.hidden_share_ < 1e-12
    assert model.n_effective_params_ == pytest.approx(4, abs=0.01)  # the linear term and a bias


@pytest.mark.parametrize("loop", ["open", 5])
def test_effective_parameters_are_the_trace(loop):
    X, y = make_narendra(200, random_state=0)
    alphas = {"alpha": 0.01, "linear_alpha": 2.0}
    model = NARX([1], 2, (3,), loop=loop, max_iter=20, random_state=0, **alphas).fit(X, y)
    objective = Objective.over(model.structure_, scaled(model, X, y), loop)
    _, J = objective.residuals_and_jacobian(model.theta_)
    groups, feedback = model.structure_.groups, model.structure_.linear_feedback
    pi = 0.01 * groups["weights"] + 2.0 * feedback
    assert feedback.sum() == 2 and not (groups["weights"] & (feedback > 0)).any()
    pi = np.maximum(pi, FLOOR * np.diag(J.T @ J).max())
    gamma = np.trace(np.linalg.solve(J.T @ J + np.diag(pi), J.T @ J))
    assert model.n_effective_params_ == pytest.approx(gamma, rel=1e-6)
    assert 4 < gamma < model.n_params_ - 0.1


def test_nobody_who_has_pressed_ctrl_c_waits_for_what_the_data_determine():
    """Whose normal equations take a second at a thousand weights."""
    X, y = make_narendra(200, random_state=0)

    def press(iteration):
        if iteration.n_iter == 2:
            signal.raise_signal(signal.SIGINT)

    model = NARX([1], 2, alpha=0.01, max_iter=9, tol=0.0, random_state=0, callback=press)
    with pytest.warns(RuntimeWarning, match="Interrupted"):
        model.fit(X, y)
    assert model.n_effective_params_ is None


# ---------------------------------------------------------------- the way to rollouts


@pytest.mark.parametrize(
    "loop, n, stages",
    [
        ("closed", 600, (4, 16, 64, 256, "closed")),
        ("closed", 100, (4, 16, "closed")),
        (24, 600, (4, 24)),
        (7, 600, (7,)),
        ("open", 600, ("open",)),
        ((5, 20, "closed"), 600, (5, 20, "closed")),
    ],
)
def test_stages_lead_to_the_rollouts_wanted(loop, n, stages):
    network = TappedMLP(make_taps([], 1, []), (2,))
    segments = Segments(np.empty((n, 0)), np.zeros((n, 1)), np.array([0, n]))
    lesson = make_lesson(network, segments, loop)
    assert lesson.stages == stages and lesson.wanted == stages[-1]
    on_the_way = [stage for stage in stages if lesson.is_on_the_way(stage)]
    assert on_the_way == ([] if isinstance(loop, tuple) else list(stages[:-1]))


def test_a_network_that_lives_holds_over_more_runs_than_are_judged():
    """More than 2,000 rows: every other run is compared again, after training."""
    X, y = make_narendra(2400, random_state=0)
    model = NARX([1], 1, (3,), max_iter=20, random_state=0).fit(X, y)
    assert not model.is_linear_ and np.isfinite(model.alpha_)


def test_what_is_dead_under_a_penalty_that_was_chosen_is_off():
    """Alive on the blocks, it leaves nothing of itself over all rows."""
    X, y = make_narendra(300, noise=0.05, random_state=0)
    Y = np.column_stack((y, np.roll(y, 3) ** 2))
    settings = {"loop": 5, "output_range": (-1, [1.5, 2.0]), "max_iter": 25, "random_state": 0}
    model = NARX([1], 2, (4,), **settings).fit(X, Y)
    assert model.is_linear_ and model.alpha_ == np.inf
    assert what_passes(model).startswith("no network has proven better")
