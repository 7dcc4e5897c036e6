"""Training on rollouts: sensitivities, backpropagation through time and the slow twin agree, and
what is trained in closed loop runs better in closed loop."""

import signal
import threading
from dataclasses import replace
from math import gcd

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

import reference
from narxkit import NARX, _core
from narxkit.datasets import make_narendra
from narxkit.forecasters.scaled import combined
from narxkit.networks import BidirectionalNetwork, TappedMLP, make_taps
from narxkit.rows.rollouts import Rollouts, lay_rollouts, stride
from narxkit.rows.segments import Segments
from narxkit.solvers import LevenbergMarquardt, Monitor, SolverResult, Stop, interruptible
from narxkit.training.objective import Objective
from narxkit.training.stages import Lesson, train
from reference import make_problem, relative_error

NO_STOP = np.zeros(1, dtype=np.int32)
FEEDBACK = [seed for seed in reference.PROBLEMS if make_problem(seed).network.taps.output_lags]


# --- the slow twin of where rollouts begin and end -----------------------------------------------


def steps_from(problem, t):
    """Count the steps of a rollout from row t, to the segment's end or the first missing value."""
    taps, segments = problem.network.taps, problem.segments
    stop, length = segments.stops[t] - taps.reach.lead, 0
    while t + length < stop and problem.targets[t + length]:
        if not all(np.isfinite(segments.u[t + length - lag, i]) for i, lag in taps.reach.inputs):
            break
        length += 1
    return length


def begins(problem, t):
    """Tell whether all of the history is measured."""
    taps, segments = problem.network.taps, problem.segments
    if t - taps.reach.history < segments.starts[t] or t + taps.reach.lead >= segments.stops[t]:
        return False
    return bool(np.isfinite(segments.y[t - taps.reach.feedback : t]).all())


def rollouts(problem, loop, washout=0):
    """Return [(origin, length)] of rollouts with something to be fitted behind the washout."""
    segments, counts = problem.segments, problem.weight * np.isfinite(problem.segments.y).sum(1)
    pairs, reached = [], -1
    for t in range(len(segments)):
        if not begins(problem, t) or not steps_from(problem, t) or t < reached:
            continue
        most, apart = (len(counts),) * 2 if loop == "closed" else (loop, stride(loop))
        pairs.append((t, min(most, steps_from(problem, t))))
        reached = t + min(apart, steps_from(problem, t))
    return [(t, n) for t, n in pairs if counts[t + washout : t + n].sum() > 0]


def objective_of(problem, loop, **kwargs):
    return Objective.over(
        problem.network, problem.segments, loop, sample_weight=problem.weight,
        targets=problem.targets, **kwargs,
    )  # fmt: skip


@pytest.mark.parametrize("loop", [2, 7, 24, "closed"])
@pytest.mark.parametrize("washout", [0, 3])
@pytest.mark.parametrize("seed", FEEDBACK, ids=reference.describe)
def test_rollouts_begin_and_end_where_they_should(seed, washout, loop):
    problem = make_problem(seed)
    objective = objective_of(problem, loop, washout=washout)
    pairs = rollouts(problem, loop, washout)
    assert list(zip(objective.rollouts.origins, objective.rollouts.lengths)) == pairs
    assert objective.longest == max([0, *(n for _, n in rollouts(problem, loop))])
    y, weight = problem.segments.y, problem.weight
    targets = [np.arange(t + washout, t + n) for t, n in pairs]
    counts = [np.sum(weight[t, None] * np.isfinite(y[t])) for t in targets]
    assert objective.n == pytest.approx(sum(counts)) and objective.size == len(pairs)


def test_one_step_is_open_loop():
    problem = make_problem(0)
    for loop in (1, "open"):
        objective = objective_of(problem, loop, washout=3)  # which says nothing here
        assert objective.n == objective_of(problem, loop).n
        assert objective.rollouts.is_measured
        assert_array_equal(objective.rollouts.origins, problem.rows)


def test_rollouts_are_no_longer_than_the_data():
    network = TappedMLP(make_taps(0, 1), (2,))
    segments = Segments(np.empty((30, 0)), np.ones((30, 1)), np.array([0, 30]))
    far, whole = (Objective.over(network, segments, loop) for loop in (10**30, 30))
    np.testing.assert_array_equal(far.rollouts.origins, whole.rollouts.origins)
    np.testing.assert_array_equal(far.rollouts.lengths, whole.rollouts.lengths)


@pytest.mark.parametrize("k", [2, 3, 4, 7, 10, 24, 48, 168])
def test_rollouts_visit_every_hour(k):
    s = stride(k)
    assert s >= k / 4 and gcd(s, k) == 1
    assert all(gcd(r, k) > 1 for r in range(-(-k // 4), s))


# --- derivatives ---------------------------------------------------------------------------------


def flat_residuals(problem, theta, origins, lengths, washout=0):
    """Return sqrt(w) (y_hat - y) of the slow twin, 0 in the washout, (steps of all rollouts, p)."""
    paths, bad = reference.rollout(problem.network, theta, problem.segments, origins, lengths)
    assert (bad < 0).all()
    errors = []
    for path, origin, length in zip(paths, origins, lengths):
        t = origin + np.arange(length)
        y = problem.segments.y[t]
        error = np.where(np.isnan(y), 0.0, path[:length] - y)
        weight = np.where(np.arange(length) < washout, 0.0, problem.weight[t])
        errors.append(np.sqrt(weight)[:, None] * error)
    return np.concatenate(errors)


@pytest.mark.parametrize("loop", [1, 2, 7, "closed"])
@pytest.mark.parametrize("seed", FEEDBACK[::2], ids=reference.describe)
def test_derivatives_agree_with_the_complex_step(seed, loop):
    """Sensitivities, backpropagation through time, and one of the other; two in three behind a
    washout."""
    problem = make_problem(seed)
    washout = {1: 0, 2: 1, 7: 4, "closed": 5}[loop] if seed % 3 else 0
    pairs = rollouts(problem, loop)[:: 2 if loop == "closed" else 5]
    if not pairs:
        pytest.skip("no rollout")
    network, theta = problem.network, problem.theta
    origins, lengths = (np.array(column, dtype=np.intp) for column in zip(*pairs))
    rolled = origins, lengths, washout
    e_exact = flat_residuals(problem, theta, *rolled)
    J_exact = reference.complex_step(lambda x: flat_residuals(problem, x, *rolled), theta)
    flat, sse = J_exact.reshape(-1, network.n_params), np.sum(e_exact**2)
    data = Rollouts(problem.segments, origins, lengths, "own", problem.weight, washout)
    e, J = network.residuals_and_jacobian(theta, data)
    assert relative_error(e, e_exact.T.ravel()) < 1e-12
    assert relative_error(J, J_exact.transpose(1, 0, 2).reshape(flat.shape)) < 1e-9
    value, g = network.gradient(theta, data, NO_STOP)
    assert value == pytest.approx(sse, rel=1e-12)
    assert relative_error(g, flat.T @ e_exact.ravel()) < 1e-9
    JtJ, Jte, value = network.normal_equations(theta, data, NO_STOP)
    assert value == pytest.approx(sse, rel=1e-12)
    assert relative_error(JtJ, flat.T @ flat) < 1e-9
    assert relative_error(Jte, g) < 1e-9
    values = network.sse(np.stack([theta, 0.5 * theta]), data, NO_STOP)
    half = np.sum(flat_residuals(problem, 0.5 * theta, *rolled) ** 2)
    np.testing.assert_allclose(values, [sse, half], rtol=1e-12)


def test_long_rollouts_go_on_from_block_to_block():
    """More rows than a block: what is kept between blocks is what the next one needs."""
    rng = np.random.default_rng(0)
    network = TappedMLP(make_taps([0, 3], [1, 5, 9], ["u"], n_outputs=2), (4, 3))
    segments = reference.make_segments(network.taps, rng, edges=(0, 700), missing=False)
    theta = reference.make_theta(network, rng)
    data = Rollouts(segments, np.array([9, 400]), np.array([691, 300]))
    e, J = network.residuals_and_jacobian(theta, data)
    JtJ, Jte, sse = network.normal_equations(theta, data, NO_STOP)
    value, g = network.gradient(theta, data, NO_STOP)
    assert relative_error(JtJ, J.T @ J) < 1e-12
    assert relative_error(Jte, J.T @ e) < 1e-12
    assert relative_error(g, J.T @ e) < 1e-10
    np.testing.assert_allclose([sse, value, *network.sse(theta[None], data, NO_STOP)], e @ e)


@pytest.mark.parametrize("loop, washout", [(7, 4), ("closed", 2)])
@pytest.mark.parametrize("seed", [1, 7, 15, 24])
def test_batches_of_rollouts_stand_for_the_whole(seed, loop, washout):
    """Each is scaled to all residuals; weighted by their share they average to the whole."""
    problem = make_problem(seed)
    objective = objective_of(problem, loop, alpha=0.3, washout=washout)
    theta, value, gradient = problem.theta, 0.0, 0.0
    y = problem.segments.y
    for batch in np.array_split(np.arange(objective.size)[::-1], 2):
        origins, lengths = objective.rollouts.origins[batch], objective.rollouts.lengths[batch]
        rows = [np.arange(t + washout, t + n) for t, n in zip(origins, lengths)]
        n = sum(np.sum(problem.weight[t, None] * np.isfinite(y[t])) for t in rows)
        part, slope = objective.value_and_grad(theta, batch)
        e = flat_residuals(problem, theta, origins, lengths, washout)
        penalty = objective.penalty @ theta**2 / objective.n
        assert part == pytest.approx((np.sum(e**2) / n + penalty) / 2, rel=1e-12)
        value, gradient = value + part * n / objective.n, gradient + slope * n / objective.n
    whole, slope = objective.value_and_grad(theta)
    assert value == pytest.approx(whole, rel=1e-12)
    assert relative_error(gradient, slope) < 1e-12


# --- the edges -----------------------------------------------------------------------------------


def unstable():
    """Make a model whose y doubles at each step."""
    network = TappedMLP(make_taps(0, 1), ())
    segments = Segments(np.empty((60, 0)), np.full((60, 1), 0.1), np.array([0, 60]))
    return Objective.over(network, segments, "closed"), np.array([2.0, 0.0])


def test_a_rollout_that_diverges_has_an_infinite_loss():
    objective, theta = unstable()
    assert objective.value(theta) == np.inf
    assert objective.value_and_grad(theta)[0] == np.inf
    assert objective.normal_equations(theta)[2] == np.inf
    assert np.isfinite(objective.value(0.5 * theta))
    with pytest.raises(FloatingPointError, match="a rollout diverges within its steps 0 to 59"):
        objective.residuals_and_jacobian(theta)


def test_a_chaotic_rollout_has_a_loss_and_no_gradient():
    """The logistic map stays within bounds while its sensitivities double at every step."""
    x = np.empty(4000)
    x[0] = 0.3
    for t in range(1, len(x)):
        x[t] = 4 * x[t - 1] * (1 - x[t - 1])
    network = TappedMLP(make_taps(0, 1), (8,), linear_term=False)
    segments = Segments(np.empty((len(x), 0)), x[:, None], np.array([0, len(x)]))
    theta = network.initial(np.random.default_rng(0))
    for loop in ("open", 5):
        objective = Objective.over(network, segments, loop)
        theta = LevenbergMarquardt().solve(objective, theta, Monitor(max_iter=300, tol=0)).theta
    assert Objective.over(network, segments, 5).is_smooth(theta)
    free_run = Objective.over(network, segments, "closed")
    assert np.isfinite(free_run.value(theta)) and not free_run.is_smooth(theta)


def test_a_stopped_kernel_says_so():
    objective, theta = unstable()
    objective.flag[0] = 1
    assert np.isnan(objective.normal_equations(theta)[2])
    assert objective.value(theta) == np.inf == objective.value_and_grad(theta)[0]


@pytest.mark.parametrize("origin, length", [(1, 5), (3, 7), (3, 0)])
def test_rollouts_outside_of_the_data_are_refused(origin, length):
    network = TappedMLP(make_taps(0, 2), (3,))
    data = Segments(np.empty((9, 0)), np.ones((9, 1)), np.array([0, 9])).measured
    runs = _core.Trajectories(data, np.array([origin]), np.array([length]), np.ones(9))
    thetas = np.zeros((1, network.n_params))
    sentence = f"rollout 0 does not fit: origin {origin}, {length} steps."
    with pytest.raises(IndexError, match=sentence):
        _core.closed_values(network.plan, thetas, runs, NO_STOP, np.empty(1))


def test_the_correlation_time_of_a_first_order_process():
    rng = np.random.default_rng(0)
    e = np.zeros(20_000)
    for t in range(1, len(e)):
        e[t] = 0.8 * e[t - 1] + rng.normal()
    network = TappedMLP(make_taps(0, 1), ())
    segments = Segments(np.empty((len(e), 0)), e[:, None], np.array([0, len(e)]))
    nothing = np.zeros(2)  # predicts zero, so that the series itself is the residual
    closed = Objective.over(network, segments, "closed").correlation_time(nothing)
    assert closed == pytest.approx((1 + 0.8) / (1 - 0.8), rel=0.15)
    assert Objective.over(network, segments).correlation_time(nothing) == 1.0
    swung_in = e.copy()
    swung_in[:500] += 100.0
    segments = segments.replace(y=swung_in[:, None])
    washed = Objective.over(network, segments, "closed", washout=499).correlation_time(nothing)
    assert washed == pytest.approx(closed, rel=0.15)
    assert Objective.over(network, segments, "closed").correlation_time(nothing) > 10 * closed


# --- staging -------------------------------------------------------------------------------------


class Parabola:
    """A loss (theta - best)^2, infinite where |theta| is above a limit."""

    longest = 1000

    def __init__(self, best=0.0, limit=np.inf):
        self.best, self.limit = best, limit

    def value(self, theta):
        return (theta - self.best) ** 2 if abs(theta) <= self.limit else np.inf

    def is_smooth(self, theta):
        return np.isfinite(self.value(theta))

    def without_flag(self):
        return self

    def with_alphas(self, alpha, linear_alpha):
        return self


ONE_WAY = TappedMLP(make_taps(0, 1, ["u"]))
BOTH_WAYS = BidirectionalNetwork(make_taps(0, [], ["u"]))


def lesson_of(ends, loops, held_out=None, network=ONE_WAY):
    """Return parabolas by rollouts, for the training rows and those held out."""

    def make(network, loop, targets, washout):
        return Parabola(*ends.get(loop, (0, 1))) if targets[0] else held_out

    rows = np.array([True, False])
    return Lesson(make, network, rows, ~rows if held_out else rows & ~rows, loops, 0)


def jump(objective, theta, validate, is_brief):
    """Solve at once."""
    return SolverResult(objective.best, objective.value(objective.best), 1, Stop.CONVERGED, [])


def test_stages_go_from_one_step_to_what_is_wanted():
    ends = {"open": (1.0,), 4: (3.0,), 24: (2.0,)}
    trained = train(lesson_of(ends, (24,)), 0.0, jump)
    assert trained.theta == 2.0 and trained.rank == 0.0
    assert [stage.loop for stage in trained.stages] == ["open", 4, 24]


def test_named_stages_are_gone_through():
    ends = {"open": (1.0,), 5: (2.0,), 20: (3.0,), "closed": (4.0,)}
    trained = train(lesson_of(ends, (5, 20, "closed")), 0.0, jump)
    assert [stage.loop for stage in trained.stages] == ["open", 5, 20, "closed"]
    assert trained.theta == 4.0


def test_what_reads_stretches_both_ways_begins_with_those_wanted():
    """No output is fed back in it, and one step is no easier than many."""
    ends = {"open": (1.0,), 4: (3.0,), 24: (2.0,), "closed": (4.0,)}
    for loops in ((24,), ("closed",), (4, "closed")):
        lesson = lesson_of(ends, loops, network=BOTH_WAYS)
        trained = train(lesson, 0.0, jump, lesson.first)
        assert [stage.loop for stage in trained.stages] == list(loops)
        assert trained.theta == ends[loops[-1]][0]


def test_named_stages_that_diverge_yet_are_left_out():
    ends = {"open": (10, np.inf), 5: (6, 8), 20: (4, 12), "closed": (3, 5)}
    trained = train(lesson_of(ends, (5, 20, "closed")), 9.0, jump)
    assert [stage.loop for stage in trained.stages] == ["open", 20, "closed"]


def test_an_estimator_takes_named_stages(noisy):
    u, y, _ = noisy
    model = NARX([1], 1, loop=("open", 5, 20, "closed"), max_iter=20, random_state=0).fit(u, y)
    assert [stage.loop for stage in model.loop_] == ["open", 5, 20, "closed"]


def test_only_the_last_stage_is_analysed_by_what_is_held_out():
    """One that has just begun to learn shorter rollouts says nothing yet of those wanted."""
    ends, seen = {"open": (5.0,), 4: (4.0,), 24: (2.0,)}, []

    def solve(objective, theta, validate, is_brief):
        seen.append((theta, validate is None, is_brief))
        return jump(objective, theta, validate, is_brief)

    trained = train(lesson_of(ends, (24,), Parabola(1.9)), 1.9, solve)
    assert seen == [(1.9, True, False), (5.0, True, True), (4.0, False, False)]
    assert trained.rank == pytest.approx(0.01)


def test_where_the_wanted_rollouts_diverge_shorter_ones_lead_there():
    """Longer rollouts bear less: each stage ends where the next one is finite."""
    ends = {"open": (10, np.inf), 2: (0, 20), 4: (7, 12), 8: (5.5, 8), 16: (4, 6), "closed": (3, 5)}
    trained = train(lesson_of(ends, ("closed",)), 10.0, jump)
    assert [stage.loop for stage in trained.stages] == ["open", 4, 8, 16, "closed"]
    assert trained.theta == 3 and trained.rank == 0


def test_where_what_was_learned_diverges_its_start_leads_on():
    ends = {"open": (9.0,), **dict.fromkeys((4, 16, 64, 256, "closed"), (2.0, 3.0))}
    trained = train(lesson_of(ends, ("closed",)), 1.0, jump)
    assert [stage.loop for stage in trained.stages] == ["open", 4, 16, 64, 256, "closed"]
    assert trained.theta == 2.0


def test_where_all_rollouts_diverge_the_best_of_one_step_stays():
    trained = train(lesson_of({"open": (9.0,)}, ("closed",)), 8.0, jump)
    assert trained.theta == 9.0 and trained.rank == np.inf
    assert [stage.loop for stage in trained.stages] == ["open"]


def test_the_answer_of_bayesian_regularisation_is_kept():
    """Its sum of squares is above that of the start, whose weights it shrinks for good reason."""
    rng = np.random.default_rng(0)
    u, y = rng.normal(size=(40, 1)), rng.normal(size=40)
    model = NARX([1, 2, 3], 4, solver="br", random_state=0, max_iter=300).fit(u, y)
    assert 0 < model.n_effective_params_ < model.n_params_
    ridge = NARX([1, 2, 3], 4, hidden_layer_sizes=(), alpha=0.0, max_iter=1).fit(u, y)
    assert np.linalg.norm(model.linear_coef_) < 0.5 * np.linalg.norm(ridge.coefs_[0])


def test_hidden_units_that_one_step_did_not_need_begin_anew():
    network = TappedMLP(make_taps(1, 2, ["u"]), (3, 2))
    start, theta = (np.random.default_rng(seed).normal(size=network.n_params) for seed in (0, 1))
    assert_array_equal(network.revive(theta, start), theta)
    dead = theta.copy()
    network.unpack(dead).coefs[-1][:] = 1e-9
    revived, first, last = (network.unpack(x) for x in (network.revive(dead, start), start, dead))
    for i in (0, 1):
        assert_array_equal(revived.coefs[i], first.coefs[i])
        assert_array_equal(revived.intercepts[i], first.intercepts[i])
    assert_array_equal(revived.coefs[-1], last.coefs[-1])
    assert_array_equal(revived.intercepts[-1], last.intercepts[-1])
    assert_array_equal(revived.linear, last.linear)


def test_a_linear_network_has_no_units_to_revive():
    network = TappedMLP(make_taps(0, 2), ())
    theta = np.zeros(network.n_params)
    assert_array_equal(network.revive(theta, np.ones_like(theta)), theta)


@pytest.mark.parametrize("loop", ["open", 5])
def test_an_interrupted_fit_keeps_the_best_so_far(loop):
    X, y = make_narendra(400, random_state=0)
    seen = []

    def interrupt(iteration):
        seen.append(iteration.theta)
        if len(seen) == 6:
            signal.raise_signal(signal.SIGINT)

    model = NARX([1], 2, loop=loop, alpha=1e-4, random_state=0, callback=interrupt)
    with pytest.warns(RuntimeWarning, match="Interrupted"):
        model.fit(X, y)
    assert model.stop_ is Stop.INTERRUPTED
    assert_array_equal(model.theta_, seen[-1])


def test_ctrl_c_reaches_a_kernel_at_work():
    """It returns before its end, which would be seconds away."""
    u, y = make_narendra(5000, random_state=0)
    network = TappedMLP(make_taps(2, 4, [0]), (12,))
    flag = np.zeros(1, dtype=np.int32)
    segments = Segments(u, y[:, None], np.array([0, 5000]))
    objective = Objective.over(network, segments, "closed", flag=flag)
    thetas = np.zeros((20_000, network.n_params))
    with interruptible(flag):
        threading.Timer(0.05, signal.raise_signal, [signal.SIGINT]).start()
        losses = objective.population_values(thetas)
    assert np.isfinite(losses[0]) and np.isinf(losses[-1])


def test_one_interrupted_restart_interrupts_the_fit():
    X, y = make_narendra(400, random_state=0)
    seen = []

    def interrupt(iteration):
        seen.append(iteration)
        if len(seen) == 25:
            signal.raise_signal(signal.SIGINT)

    settings = {"alpha": 1e-4, "n_restarts": 3, "max_iter": 20, "tol": 0, "random_state": 0}
    model = NARX([1], 2, callback=interrupt, **settings)
    with pytest.warns(RuntimeWarning, match="Interrupted"):
        model.fit(X, y)
    assert model.stop_ is Stop.INTERRUPTED


def test_a_warm_start_goes_on_with_the_rollouts_wanted(noisy):
    u, y, _ = noisy
    settings = {"hidden_layer_sizes": (3,), "loop": 10, "random_state": 0, "warm_start": True}
    model = NARX([1], alpha=1e-4, max_iter=3, **settings).fit(u, y)
    assert [stage.loop for stage in model.loop_] == ["open", 4, 10]
    reached = model.loss_
    model.fit(u, y)
    assert [stage.loop for stage in model.loop_] == [10]
    assert model.loss_curve_[0] == pytest.approx(reached) and model.loss_ < reached


@pytest.fixture(scope="module")
def noisy():
    """Return an oscillator seen through noise, which one-step training takes for dynamics."""
    rng = np.random.default_rng(0)
    n = 1200
    u, x = rng.normal(size=(n, 1)), np.zeros(n)
    for t in range(2, n):
        x[t] = 1.5 * np.tanh(x[t - 1]) - 0.7 * x[t - 2] + 0.5 * u[t - 1, 0]
    return u, x + 0.3 * rng.normal(size=n), x


@pytest.mark.parametrize("loop, share", [(5, 0.8), (20, 0.5), ("closed", 0.5)])
def test_training_what_is_deployed_runs_better_freely(noisy, loop, share):
    u, y, x = noisy
    settings = {"input_lags": [1], "hidden_layer_sizes": (5,), "random_state": 0, "max_iter": 100}
    errors = {}
    for mode in ("open", loop):
        model = NARX(loop=mode, alpha=1e-4, **settings).fit(u[:800], y[:800])
        run = model.simulate(u[800:], y[800:802])
        errors[mode] = np.sqrt(np.nanmean((run[20:] - x[820:]) ** 2))
    assert errors[loop] < share * errors["open"]
    way = {5: [], 20: [4], "closed": [4, 16, 64, 256]}[loop]
    assert [stage.loop for stage in model.loop_] == ["open", *way, loop]
    assert model.loop_[-1].loss == model.loss_


@pytest.mark.parametrize("washout", [0, 50])
def test_the_loss_of_a_free_run_is_that_of_simulate(noisy, washout):
    u, y, _ = noisy
    model = NARX([1], hidden_layer_sizes=(4,), loop="closed", washout=washout, alpha=0.0)
    model.set_params(linear_alpha=0.0, random_state=0).fit(u, y)
    errors = (model.simulate(u, y[:2]) - y)[2 + washout :] / y.std()
    assert model.loss_ == pytest.approx(np.mean(errors**2) / 2, rel=1e-9)


def test_a_washout_spares_the_weights_what_noise_in_the_first_rows_does():
    """Twenty records of an oscillator, of which only the first rows were measured badly."""
    rng = np.random.default_rng(0)
    u, y = rng.normal(size=(20, 80, 1)), np.zeros((20, 80))
    for t in range(2, 80):
        y[:, t] = 1.7 * y[:, t - 1] - 0.8 * y[:, t - 2] + u[:, t - 1, 0]
    X, X_new, y_new = u[1:].reshape(-1, 1), u[0], y[0].copy()
    y[:, :2] += 3.0 * rng.normal(size=(20, 2))
    errors = []
    for washout in (0, 40):
        model = NARX([1], hidden_layer_sizes=(), loop="closed", washout=washout, alpha=0.0)
        model.fit(X, y[1:].ravel(), segments=np.repeat(np.arange(19), 80))
        errors.append(np.nanstd(model.simulate(X_new, y_new[:2]) - y_new))
    assert errors[1] < 0.05 * errors[0]


def test_short_rollouts_on_the_way_to_longer_ones_have_no_washout(noisy, monkeypatch):
    u, y, _ = noisy
    washouts = {}

    def look(lesson, *args):
        loops = 2, 8, 16, *lesson.loops
        washouts.update({k: lesson.objective(k).rollouts.washout for k in loops})
        return train(lesson, *args)

    monkeypatch.setattr("narxkit.forecasters.network.train", look)
    NARX([1], hidden_layer_sizes=(2,), loop=(5, 30), washout=8, max_iter=2, random_state=0).fit(
        u, y
    )
    assert washouts == {2: 0, 5: 0, 8: 0, 16: 8, 30: 8}


def test_one_step_has_no_washout(noisy):
    u, y, _ = noisy
    for settings in ({}, {"loop": 1}, {"loop": "closed", "output_lags": []}):
        settings = {"hidden_layer_sizes": (2,), "max_iter": 3, "random_state": 0, **settings}
        first, second = (NARX(washout=washout, **settings).fit(u, y) for washout in (0, 9))
        assert_array_equal(first.theta_, second.theta_)


@pytest.mark.parametrize("washout", [0, 4])
def test_held_out_rollouts_start_from_training_rows(noisy, washout):
    u, y, _ = noisy
    model = NARX([1], hidden_layer_sizes=(4,), loop=10, washout=washout, early_stopping=True)
    model.set_params(random_state=0).fit(u, y)
    assert min(model.validation_curve_) < 1.0
    errors = []
    for origin in range(1080, 1200, stride(10)):
        length = min(10, 1200 - origin)
        run = model.simulate(u[origin - 2 : origin + length], y[origin - 2 : origin])
        errors += list((run[2:] - y[origin : origin + length])[washout:])
    expected = np.mean(np.square(errors)) / y[:1080].std() ** 2 / 2
    assert min(model.validation_curve_) == pytest.approx(expected, rel=1e-6)


def test_closed_loop_training_finds_a_system_without_noise():
    X, y = make_narendra(1000, amplitude=1.0, random_state=0)
    model = NARX([1], 1, loop="closed", random_state=0, alpha=0.0).fit(X[:700], y[:700])
    run = model.simulate(X[700:], y[700:701])
    assert np.nanmax(np.abs(run - y[700:])) < 5e-3 * y.std()


def test_several_threads_give_the_same_bits(noisy):
    u, y, _ = noisy
    settings = {"loop": 8, "n_restarts": 3, "random_state": 0, "max_iter": 15}
    models = [
        NARX([1], hidden_layer_sizes=(3,), n_jobs=n_jobs, **settings).fit(u, y) for n_jobs in (1, 3)
    ]
    assert_array_equal(models[0].theta_, models[1].theta_)


def test_a_network_without_feedback_is_trained_one_step_ahead(noisy):
    u, y, _ = noisy
    first, second = (
        NARX(2, [], hidden_layer_sizes=(3,), loop=loop, random_state=0).fit(u, y)
        for loop in ("open", "closed")
    )
    assert_array_equal(first.theta_, second.theta_)


def test_clipped_outputs_are_trained_as_they_run(noisy):
    u, y, _ = noisy
    y = np.clip(y, -0.5, 1.0)
    model = NARX([1], hidden_layer_sizes=(4,), loop="closed", output_range=(-0.5, 1.0), alpha=1e-4)
    model.set_params(linear_alpha=0.0)
    run = model.set_params(random_state=0).fit(u, y).simulate(u, y[:2])
    assert np.nanmin(run) >= -0.5 and np.nanmax(run) <= 1.0
    errors = (run - y)[2:] / y.std()
    assert model.loss_ == pytest.approx(np.mean(errors**2) / 2, rel=1e-3)


# --- ensembles -----------------------------------------------------------------------------------


@pytest.mark.parametrize("combine, average", [("mean", np.mean), ("median", np.median)])
def test_members_run_on_their_own_output_and_are_combined_step_by_step(noisy, combine, average):
    u, y, _ = noisy
    settings = {"hidden_layer_sizes": (3,), "max_iter": 10, "n_restarts": 4, "random_state": 0}
    model = NARX([1], combine=combine, n_members=3, **settings).fit(u, y)
    assert len(model.members_) == 3
    assert_array_equal(model.members_[0], model.theta_)
    best = NARX([1], **settings).fit(u, y)
    runs = []
    for theta in model.members_:
        best.theta_ = theta
        runs.append(best.simulate(u, y[:2]))
    np.testing.assert_allclose(model.simulate(u, y[:2]), average(runs, axis=0), rtol=1e-12)


def test_a_member_that_diverges_leaves_the_others_to_speak():
    good, lost = np.full((2, 5, 1), 2.0), np.full((2, 5, 1), 4.0)
    lost[0, 3:] = np.nan
    y_hat, bad = combined([(good, np.array([-1, -1])), (lost, np.array([3, -1]))], np.nanmean)
    assert_array_equal(y_hat[0, :, 0], [3, 3, 3, 2, 2])
    assert_array_equal(bad, [-1, -1])
    both = combined([(lost, np.array([3, -1])), (lost, np.array([3, -1]))], np.nanmedian)
    assert_array_equal(both[1], [3, -1])
    assert np.isnan(both[0][0, 3:]).all()


def test_without_a_number_all_restarts_are_members(noisy):
    u, y, _ = noisy
    model = NARX([1], 2, (2,), alpha=1e-4, max_iter=3, n_restarts=3, combine="mean")
    assert len(model.fit(u, y).members_) == 3


# --- longer segments -----------------------------------------------------------------------------


def test_segments_are_longer_by_the_last_inputs():
    u, y = np.arange(14.0).reshape(7, 2), 10.0 * np.arange(1, 8)[:, None]
    days = pd.date_range("2024-01-01", periods=7)
    segments = Segments(u, y, np.array([0, 3, 3, 7]), None, y + 1, days)
    rollouts = Rollouts(segments, np.array([1, 3, 5]), np.array([2, 4, 2]), weight=y[:, 0])
    longer = rollouts.lengthened(2)
    rows = [0, 1, 2, 2, 2, 2, 2, 3, 4, 5, 6, 6, 6]
    is_new = np.isin(np.arange(13), [3, 4, 5, 6, 11, 12])
    assert longer.segments.edges.tolist() == [0, 5, 7, 13]
    assert_array_equal(longer.segments.u, u[rows])
    assert_array_equal(longer.segments.high, y[rows] + 1)
    assert_array_equal(longer.segments.y[:, 0], np.where(is_new, np.nan, y[rows, 0]))
    assert longer.segments.low is None and longer.segments.times.equals(days[rows])
    assert longer.origins.tolist() == [1, 7, 9] and longer.lengths.tolist() == [2, 4, 2]
    assert_array_equal(longer.counts, rollouts.counts)
    assert rollouts.lengthened(0) is rollouts
    assert replace(rollouts, weight=None).lengthened(1).weight is None


@pytest.mark.parametrize("lead", [1, 3])
def test_longer_segments_let_leads_read_the_last_inputs(lead):
    rng = np.random.default_rng(0)
    segments = Segments(rng.normal(size=(60, 1)), rng.normal(size=(60, 1)), np.array([0, 20, 60]))
    network = TappedMLP(make_taps([-lead, 0], 2, ["u"]), (3,))
    theta = network.initial(rng)
    rollouts = Rollouts(segments, np.array([5, 12, 52]), np.array([8, 8, 8]))
    longer, _ = network.rollout(theta, rollouts.lengthened(lead))
    for i, (start, stop) in enumerate([(0, 20), (0, 20), (20, 60)]):
        u, y = (np.r_[v[start:stop], v[[stop - 1] * lead]] for v in (segments.u, segments.y))
        alone = Segments(u, y, np.array([0, len(y)]))
        by_hand, _ = network.rollout(
            theta, Rollouts(alone, rollouts.origins[[i]] - start, np.array([8]))
        )
        np.testing.assert_allclose(longer[i], by_hand[0], rtol=1e-12)


def test_every_other_rollout_is_one_too():
    """Parts are read by kernels, whatever names them."""
    rng = np.random.default_rng(0)
    segments = Segments(rng.normal(size=(60, 1)), rng.normal(size=(60, 1)), np.array([0, 60]))
    network = TappedMLP(make_taps(0, 1, ["u"]), (2,))
    theta = network.initial(rng)
    for loop in ("open", 3):
        rollouts = lay_rollouts(segments, network.reach, loop)
        whole, _ = network.rollout(theta, rollouts)
        part, _ = network.rollout(theta, rollouts.part(slice(None, None, 3)))
        np.testing.assert_allclose(part, whole[::3], rtol=1e-12)
