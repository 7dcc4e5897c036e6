"""Compiled kernels against their slow twin in `reference`, and the promises around them."""

import ast
import copy
import os
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import reference
from narxkit import _core
from narxkit._blas import one_blas_thread
from narxkit.networks import Taps, make_taps
from narxkit.networks.tapped_mlp import ACTIVATIONS, TappedMLP
from narxkit.rows.rollouts import Rollouts
from narxkit.rows.segments import Segments

every_problem = pytest.mark.parametrize("seed", reference.PROBLEMS, ids=reference.describe)
FEW, MANY = 5, 20  # trajectories on either side of where the kernel changes its ways
GO = np.zeros(1, dtype=np.int32)


@pytest.fixture(autouse=True, scope="module")
def _one_blas_thread():
    """Hold BLAS to one thread, as during a fit."""
    with one_blas_thread():
        yield


def one_step(network, theta, segments, rows):
    """Return predictions of rows, each from measured history."""
    y_hat = np.empty((len(rows), network.n_outputs))
    _core.open_loop(network.plan, theta, segments.measured, rows, y_hat)
    return y_hat


def one_segment(n, n_inputs=1, n_outputs=1, seed=0):
    rng = np.random.default_rng(seed)
    u, y = rng.normal(size=(n, n_inputs)), rng.normal(size=(n, n_outputs))
    return Segments(u, y, np.array([0, n]))


def a_network(hidden=(9, 3), n_outputs=2, activation="tanh", linear_term=True, seed=0):
    network = TappedMLP(make_taps(1, 2, ["u"], n_outputs), hidden, activation, linear_term)
    return network, reference.make_theta(network, np.random.default_rng(seed))


def read_only(*arrays):
    arrays = [None if x is None else x.copy() for x in arrays]
    for x in arrays:
        if x is not None:
            x.setflags(write=False)
    return arrays


def draw_origins(network, segments, n, rng, longest=15):
    """Return random starts with history, each with some room to run within its segment."""
    taps = network.taps
    starts = np.flatnonzero(segments.reachable(taps.reach))
    origins = rng.choice(starts, n)
    room = segments.stops[origins] - taps.reach.lead - origins
    return origins, np.minimum(rng.integers(0, longest + 1, n), room)


# ---------------------------------------------------------------- against the twin
@every_problem
def test_one_step_equals_the_twin(seed):
    """Predictions of every reachable row, missing values included."""
    problem = reference.make_problem(seed)
    network, theta, segments = problem.network, problem.theta, problem.segments
    rows = np.flatnonzero(segments.reachable(network.taps.reach))
    y_hat = one_step(network, theta, segments, rows)
    assert np.isfinite(y_hat).mean() > 0.2
    exact = reference.one_step(network, theta, segments, rows)
    assert_allclose(y_hat, exact, rtol=1e-12, atol=1e-12)


@every_problem
@pytest.mark.parametrize("n", [FEW, MANY])
def test_rollouts_equal_the_twin(seed, n):
    """Free runs of mixed lengths: predictions, NaN tails and first bad steps."""
    problem = reference.make_problem(seed)
    network, theta, rng = problem.network, problem.theta, np.random.default_rng(seed)
    segments = problem.segments.replace(y=np.nan_to_num(problem.segments.y))
    origins, lengths = draw_origins(network, segments, n, rng)
    y_hat, bad = network.rollout(theta, Rollouts(segments, origins, lengths))
    exact, exact_bad = reference.rollout(network, theta, segments, origins, lengths)
    assert_allclose(y_hat, exact, rtol=1e-12, atol=1e-12)
    assert_array_equal(bad, exact_bad)


def test_rollouts_of_the_problems_are_mostly_finite():
    """Guards the test above against comparing NaN with NaN only."""
    finite = []
    for seed in reference.PROBLEMS:
        problem = reference.make_problem(seed)
        segments = problem.segments.replace(y=np.nan_to_num(problem.segments.y))
        origins, lengths = draw_origins(problem.network, segments, MANY, np.random.default_rng(0))
        y_hat, _ = problem.network.rollout(problem.theta, Rollouts(segments, origins, lengths))
        finite.append(np.isfinite(y_hat).sum() / (lengths.sum() * y_hat.shape[2]))
    assert np.mean(finite) > 0.7


@pytest.mark.parametrize("n", [FEW, MANY])
def test_rollout_of_one_step_is_the_one_step_prediction(n):
    """The same prediction, whether it starts a trajectory or stands alone."""
    network, theta = a_network()
    segments = one_segment(60, n_outputs=2)
    origins = np.arange(2, 2 + n)
    y_hat, bad = network.rollout(theta, Rollouts(segments, origins, np.ones(n, dtype=np.intp)))
    assert_allclose(
        y_hat[:, 0], one_step(network, theta, segments, origins), rtol=1e-14, atol=1e-14
    )
    assert np.all(bad == -1)


@pytest.mark.parametrize("n", [FEW, MANY])
def test_rollout_reads_no_measurement_from_its_origin_on(n):
    """Values after the origin may be missing; the history alone decides."""
    network, theta = a_network()
    segments = one_segment(40, n_outputs=2)
    origins, lengths = np.full(n, 10), np.full(n, 30)
    hidden = segments.y.copy()
    hidden[10:] = np.nan
    y_hat, bad = network.rollout(theta, Rollouts(segments.replace(y=hidden), origins, lengths))
    assert np.isfinite(y_hat).all() and np.all(bad == -1)
    assert_array_equal(y_hat, network.rollout(theta, Rollouts(segments, origins, lengths))[0])


@pytest.mark.parametrize("n_rows", [1, 255, 256, 257, 513])
def test_one_step_crosses_the_borders_of_blocks(n_rows):
    """Whole blocks, one row less, one row more."""
    network, theta = a_network()
    segments = one_segment(600, n_outputs=2)
    rows = np.random.default_rng(1).permutation(np.arange(2, 600))[:n_rows]
    exact = reference.one_step(network, theta, segments, rows)
    assert_allclose(one_step(network, theta, segments, rows), exact, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("n", [1, 7, 8, 9, 255, 256, 257, 513])
def test_rollouts_cross_the_borders_of_blocks(n):
    """Numbers of trajectories around the change from few to many, and around whole blocks."""
    network, theta = a_network()
    segments = one_segment(600, n_outputs=2)
    rng = np.random.default_rng(n)
    origins, lengths = rng.integers(2, 590, n), rng.integers(0, 6, n)
    y_hat, bad = network.rollout(theta, Rollouts(segments, origins, lengths))
    exact, exact_bad = reference.rollout(network, theta, segments, origins, lengths)
    assert_allclose(y_hat, exact, rtol=1e-12, atol=1e-12)
    assert_array_equal(bad, exact_bad)


@pytest.mark.parametrize("hidden", [(), (4,), (17, 9, 8)], ids=str)
@pytest.mark.parametrize("n_rows", [1, 31, 32, 33, 255, 256, 257, 511, 512, 513])
def test_sums_over_rows_cross_the_borders_of_blocks(n_rows, hidden):
    """SSE, J'e and J'J agree with the whole Jacobian wherever the blocks end."""
    network, theta = a_network(hidden)
    segments = one_segment(600, n_outputs=2)
    rows, weight = np.arange(2, 2 + n_rows), np.random.default_rng(0).uniform(0.1, 2, 600)
    e, J = network.residuals_and_jacobian(theta, Rollouts.one_step(segments, rows, weight))
    JtJ, Jte, sse = network.normal_equations(theta, Rollouts.one_step(segments, rows, weight), GO)
    sse_again, g = network.gradient(theta, Rollouts.one_step(segments, rows, weight), GO)
    assert_allclose(
        [sse, sse_again, *network.sse(theta[None], Rollouts.one_step(segments, rows, weight), GO)],
        e @ e,
        rtol=1e-13,
    )
    assert reference.relative_error(JtJ, J.T @ J) < 1e-13
    assert reference.relative_error(Jte, J.T @ e) < 1e-12
    assert reference.relative_error(g, J.T @ e) < 1e-12
    assert_array_equal(JtJ, JtJ.T)


def test_nothing_to_do_is_done():
    """No rows, no trajectories, no steps: empty answers and zero sums."""
    network, theta = a_network()
    segments, none = one_segment(20, n_outputs=2), np.empty(0, dtype=np.intp)
    weight = np.ones(20)
    assert one_step(network, theta, segments, none).shape == (0, 2)
    y_hat, bad = network.rollout(theta, Rollouts(segments, none, none))
    assert y_hat.shape == (0, 0, 2) and bad.shape == (0,)
    y_hat, bad = network.rollout(theta, Rollouts(segments, np.array([5, 6]), np.array([0, 0])))
    assert y_hat.shape == (2, 0, 2) and np.all(bad == -1)
    sse, g = network.gradient(theta, Rollouts.one_step(segments, none, weight), GO)
    JtJ, Jte, same = network.normal_equations(theta, Rollouts.one_step(segments, none, weight), GO)
    assert sse == same == 0.0 and not g.any() and not Jte.any() and not JtJ.any()
    assert_array_equal(
        network.sse(theta[None], Rollouts.one_step(segments, none, weight), GO), [0.0]
    )


# ---------------------------------------------------------------- bad steps
def doubling(n_outputs=1, gain=2.0):
    """Make y_t = gain y_{t-1} for the first output; the others stay at 1."""
    network = TappedMLP(Taps((1,), (), n_outputs), ())
    W, b = np.diag([gain] + [0.0] * (n_outputs - 1)), np.array([0.0] + [1.0] * (n_outputs - 1))
    segments = one_segment(50, n_inputs=0, n_outputs=n_outputs)
    return network, np.concatenate([W.ravel(), b]), segments.replace(y=np.ones((50, n_outputs)))


@pytest.mark.parametrize("n", [FEW, MANY])
@pytest.mark.parametrize("gain", [2.0, -2.0])
def test_divergence_ends_a_rollout(n, gain):
    """NaN in every output from the first step beyond 1e3, whose number is returned."""
    network, theta, segments = doubling(n_outputs=2, gain=gain)
    y_hat, bad = network.rollout(theta, Rollouts(segments, np.full(n, 1), np.full(n, 20)))
    assert np.all(bad == 9)  # 2^10 is the first power of two above 1e3
    assert_array_equal(y_hat[:, :9, 0], np.tile(gain ** np.arange(1, 10), (n, 1)))
    assert_array_equal(y_hat[:, :9, 1], np.ones((n, 9)))
    assert np.isnan(y_hat[:, 9:]).all()


@pytest.mark.parametrize("n", [FEW, MANY])
def test_the_limit_itself_has_not_diverged(n):
    """1e3 is the last accepted value."""
    network, theta, segments = doubling(gain=10.0)
    y_hat, bad = network.rollout(theta, Rollouts(segments, np.full(n, 1), np.full(n, 5)))
    assert np.all(bad == 3) and np.all(y_hat[:, 2] == _core.DIVERGED)


@pytest.mark.parametrize("n", [FEW, MANY])
def test_one_diverging_trajectory_leaves_the_others_alone(n):
    """Each trajectory has its own first bad step."""
    network, theta, segments = doubling()
    start = np.zeros(50)
    start[::2] = 1.0
    segments = segments.replace(y=start[:, None])
    origins = np.arange(1, n + 1)
    y_hat, bad = network.rollout(theta, Rollouts(segments, origins, np.full(n, 20)))
    assert_array_equal(bad, np.where(origins % 2, 9, -1))
    assert_array_equal(y_hat[origins % 2 == 0], 0.0)


@pytest.mark.parametrize("n", [FEW, MANY])
def test_overflow_is_a_bad_step(n):
    """Infinite predictions end a rollout as large ones do."""
    network, theta, segments = doubling(gain=1e308)
    segments = segments.replace(y=np.full((50, 1), 100.0))
    y_hat, bad = network.rollout(theta, Rollouts(segments, np.full(n, 1), np.full(n, 3)))
    assert np.all(bad == 0) and np.isnan(y_hat).all()


@pytest.mark.parametrize("n", [FEW, MANY])
def test_overflow_between_hidden_layers_is_clipped_like_any_other(n):
    """An infinite output has a bound; few and many trajectories agree with the twin on that."""
    network = TappedMLP(Taps((1,), ()), (1, 1, 1), "relu", linear_term=False)
    theta = np.array([1.0, 1e308, 10.0, 0.0, 1.0, 0.0, 1.0, 0.0])
    segments = one_segment(20, n_inputs=0).replace(y=np.zeros((20, 1)))
    segments = segments.replace(low=np.full((20, 1), -1.0), high=np.full((20, 1), 1.0))
    origins, lengths = np.full(n, 1), np.full(n, 3)
    with np.errstate(over="ignore"):
        exact, exact_bad = reference.rollout(network, theta, segments, origins, lengths)
    y_hat, bad = network.rollout(theta, Rollouts(segments, origins, lengths))
    assert_array_equal(bad, exact_bad)
    assert_array_equal(y_hat, exact)


@pytest.mark.parametrize("n", [FEW, MANY])
def test_bounds_keep_a_rollout_from_diverging(n):
    """Outputs are clipped before they are analysed and fed back."""
    network, theta, segments = doubling()
    segments = segments.replace(low=np.full((50, 1), np.nan), high=np.full((50, 1), 5.0))
    y_hat, bad = network.rollout(theta, Rollouts(segments, np.full(n, 1), np.full(n, 6)))
    assert np.all(bad == -1)
    assert_array_equal(y_hat[0, :, 0], [2, 4, 5, 5, 5, 5])


@pytest.mark.parametrize("n", [FEW, MANY])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_missing_input_gives_nan_from_there_on(n, activation):
    """Also where no tap reads it later: what it made cannot be known."""
    network, theta = a_network(activation=activation)
    segments = one_segment(40, n_outputs=2)
    segments.u[12] = np.nan
    y_hat, bad = network.rollout(theta, Rollouts(segments, np.full(n, 5), np.full(n, 30)))
    assert np.all(bad == 7)
    assert np.isfinite(y_hat[:, :7]).all() and np.isnan(y_hat[:, 7:]).all()


def test_without_feedback_a_missing_input_costs_only_the_rows_that_read_it():
    """A network without output taps has no path to remember it by."""
    network = TappedMLP(Taps((), ((0, 2),)), (4,))
    theta = reference.make_theta(network, np.random.default_rng(0))
    segments = one_segment(40)
    segments.u[12] = np.nan
    y_hat, bad = network.rollout(theta, Rollouts(segments, np.full(MANY, 10), np.full(MANY, 8)))
    assert_array_equal(np.flatnonzero(np.isnan(y_hat[0, :, 0])), [2, 4])
    assert np.all(bad == 2)


def test_missing_value_makes_the_sum_of_squares_nan():
    """Kernels hide nothing: choosing rows whose taps are known is the caller's work."""
    network, theta = a_network()
    segments = one_segment(40, n_outputs=2)
    segments.u[12] = np.nan
    rows, weight = np.arange(2, 40), np.ones(40)
    assert np.isnan(network.sse(theta[None], Rollouts.one_step(segments, rows, weight), GO)[0])
    assert np.isnan(network.gradient(theta, Rollouts.one_step(segments, rows, weight), GO)[0])


@pytest.mark.parametrize("n", [FEW, MANY])
@pytest.mark.parametrize(
    "origin, length",
    [(1, 3), (0, 0), (18, 3), (20, 1), (21, 0), (-1, 2)],
    ids=["history", "history of no step", "end", "after the end", "far after", "negative"],
)
def test_rollout_that_does_not_fit_is_an_index_error(n, origin, length):
    """Named by its number, its origin and its length, before anything is read."""
    network, theta = a_network()
    segments = one_segment(20, n_outputs=2)
    origins, lengths = np.full(n, 5), np.full(n, length)
    origins[n - 1] = origin
    message = rf"^rollout {n - 1} does not fit: origin {origin}, {length} steps\.$"
    with pytest.raises(IndexError, match=message):
        network.rollout(theta, Rollouts(segments, origins, lengths))


@pytest.mark.parametrize("origin, length", [(1, 1), (18, 3), (-1, 2)])
def test_rollout_without_feedback_that_does_not_fit_is_an_index_error(origin, length):
    """So is a row that a network without output taps cannot reach."""
    network = TappedMLP(Taps((), ((0, 2),)), (4,))
    theta = reference.make_theta(network, np.random.default_rng(0))
    with pytest.raises(IndexError, match=r"^row -?\d+ of 20 lacks history or leads\.$"):
        network.rollout(theta, Rollouts(one_segment(20), np.array([origin]), np.array([length])))


def test_rollout_leaves_room_for_leads():
    """The last step may read inputs `lead` rows ahead, and no further."""
    network = TappedMLP(Taps((1,), ((-2, 0),)), (3,))
    theta = reference.make_theta(network, np.random.default_rng(0))
    segments = one_segment(20)
    y_hat, bad = network.rollout(theta, Rollouts(segments, np.array([10]), np.array([8])))
    assert np.isfinite(y_hat).all() and bad[0] == -1
    with pytest.raises(IndexError, match=r"^rollout 0 does not fit: origin 10, 9 steps\.$"):
        network.rollout(theta, Rollouts(segments, np.array([10]), np.array([9])))


@pytest.mark.parametrize(
    "lengths, sentence",
    [
        ([2] * 7 + [3], r"rollouts of up to 3 steps must have room for them, here 5, and none may"),
        ([-1] * 8, r"rollout 0 does not fit: origin 5, -1 steps\."),
        ([9] * 8, r"rollouts of up to 9 steps must have room for them, here 5, "),
    ],
    ids=["order", "negative", "room"],
)
def test_kernel_refuses_lengths_that_it_cannot_run(lengths, sentence):
    """Increasing or negative lengths, or more steps than the path has room for."""
    network, theta = a_network()
    s = one_segment(40, n_outputs=2)
    path, bad = np.empty((8, network.plan.history + 5, 2)), np.empty(8, dtype=np.intp)
    runs = _core.Trajectories(s.measured, np.full(8, 5), np.array(lengths))
    with pytest.raises(IndexError, match=sentence):
        _core.rollout(network.plan, theta, runs, path, bad)


def test_trajectories_know_their_steps_and_are_checked_for_each_network():
    network, theta = a_network()
    s = one_segment(40, n_outputs=2)
    arrays = np.array([5, 30, 2]), np.array([4, 3, 7])
    runs = pickle.loads(pickle.dumps(_core.Trajectories(s.measured, *arrays, np.ones(40), 2)))
    assert (runs.n, runs.n_steps, runs.longest, runs.washout) == (3, 14, 7, 2)
    assert not runs.is_falling
    deeper = TappedMLP(make_taps(1, 3, ["u"], 2), ())
    path, bad = np.empty((3, 3 + 7, 2)), np.empty(3, dtype=np.intp)
    _core.rollout(network.plan, theta, runs, path, bad)
    with pytest.raises(IndexError, match=r"^rollout 2 does not fit: origin 2, 7 steps\.$"):
        _core.rollout(deeper.plan, np.zeros(deeper.n_params), runs, path, bad)
    wider = TappedMLP(make_taps(1, 2, ["u"], 1), ())
    with pytest.raises(ValueError, match="the data do not have the columns of the network"):
        _core.rollout(wider.plan, np.zeros(wider.n_params), runs, path, bad)


def test_trajectories_need_a_length_each_and_a_weight_for_each_row():
    s = one_segment(40)
    with pytest.raises(ValueError, match=r"^2 rollouts need as many lengths, not 3\.$"):
        _core.Trajectories(s.measured, np.array([5, 6]), np.ones(3, dtype=int))
    with pytest.raises(ValueError, match=r"^40 rows need as many weights, not 39\.$"):
        _core.Trajectories(s.measured, np.array([5]), np.array([1]), np.ones(39))


def test_no_weights_are_weights_of_one():
    network, theta = a_network()
    s = one_segment(40, n_outputs=2)
    for source in ("own", "measured"):
        answers = [
            network.normal_equations(
                theta, Rollouts(s, np.arange(5, 30), np.full(25, 4), source, weight, 1), GO
            )
            for weight in (None, np.ones(40))
        ]
        assert_same_bits(*answers)


@pytest.mark.skipif(
    os.environ.get("NARXKIT_BOUNDSCHECK", "0") in ("", "0"), reason="built without index checks"
)
def test_a_checked_build_finds_an_index_out_of_bounds():
    """A write behind an output array, where there is room that other builds would write to."""
    network, theta = a_network()
    s, room = one_segment(40, n_outputs=2), np.zeros((1, 2))
    with pytest.raises(IndexError, match="Out of bounds"):
        _core.open_loop(network.plan, theta, s.measured, np.array([5]), room[:0])
    assert not room.any()


def test_path_begins_with_the_measured_history():
    """The kernel's path holds what the first step read, then the predictions."""
    network, theta = a_network()
    s = one_segment(40, n_outputs=2)
    path, bad = np.empty((1, 2 + 4, 2)), np.empty(1, dtype=np.intp)
    runs = _core.Trajectories(s.measured, np.array([7]), np.array([3]))
    _core.rollout(network.plan, theta, runs, path, bad)
    assert_array_equal(path[0, :2], s.y[5:7])
    assert np.isfinite(path[0, 2:5]).all() and np.isnan(path[0, 5]).all()


# ---------------------------------------------------------------- arrays, bits, threads
def every_kernel(network, theta, s, weight):
    """Call each verb of the network; return one list of arrays."""
    rows = np.flatnonzero(s.reachable(network.taps.reach))
    origins, lengths = rows[:MANY], np.minimum(7, len(s) - rows[:MANY] - network.taps.reach.lead)
    return [
        one_step(network, theta, s, rows),
        *network.rollout(theta, Rollouts(s, origins, lengths)),
        *network.rollout(theta, Rollouts(s, origins[:FEW], lengths[:FEW])),
        network.sse(np.stack([theta, 0.5 * theta]), Rollouts.one_step(s, rows, weight), GO),
        *network.gradient(theta, Rollouts.one_step(s, rows, weight), GO),
        *network.normal_equations(theta, Rollouts.one_step(s, rows, weight), GO),
        *network.residuals_and_jacobian(theta, Rollouts.one_step(s, rows, weight)),
    ]


@pytest.fixture(scope="module")
def busy():
    """Return a network and data that keep every kernel busy for several blocks."""
    network, theta = a_network((17, 8))
    rng = np.random.default_rng(5)
    segments = reference.make_segments(network.taps, rng, edges=(0, 300, 700), missing=False)
    return network, theta, segments, rng.uniform(0.1, 2.0, 700)


def assert_same_bits(answers, others):
    for a, b in zip(answers, others, strict=True):
        assert np.asarray(a).tobytes() == np.asarray(b).tobytes()


def test_kernels_take_read_only_arrays(busy):
    """They write to nothing but their outputs."""
    network, theta, s, weight = busy
    u, y, edges, low, high, theta_, weight_ = read_only(
        s.u, s.y, s.edges, s.low, s.high, theta, weight
    )
    locked = Segments(u, y, edges, low, high)
    answers = every_kernel(network, theta_, locked, weight_)
    assert_same_bits(answers, every_kernel(network, theta, s, weight))

    rows, origins, lengths, go = read_only(np.arange(2, 50), np.arange(2, 22), np.full(20, 3), GO)
    runs = _core.Trajectories(locked.measured, origins, lengths, weight_)
    _core.open_loop(network.plan, theta_, locked.measured, rows, np.empty((48, 2)))
    _core.rollout(network.plan, theta_, runs, np.empty((20, 5, 2)), np.empty(20, dtype=np.intp))
    thetas = read_only(np.stack([theta, theta]))[0]
    _core.population_values(network.plan, thetas, runs, go, np.empty(2))


def test_same_call_same_bits(busy):
    """Nothing is left over from the call before."""
    assert_same_bits(every_kernel(*busy), every_kernel(*busy))


def test_threads_share_a_network(busy):
    """Several threads at once on one network get the bits of one thread alone."""
    alone = every_kernel(*busy)
    network = copy.copy(busy[0])
    network.__dict__.pop("plan", None)  # threads meet before the plan is made
    with ThreadPoolExecutor(4) as pool:
        for answers in pool.map(lambda _: every_kernel(network, *busy[1:]), range(8)):
            assert_same_bits(answers, alone)


def test_a_trajectory_does_not_see_the_others(busy):
    """Other data in other rows change no bit of it."""
    network, theta, s, _ = busy
    origins, lengths = np.arange(2, 302), np.full(300, 5)
    y_hat, _ = network.rollout(theta, Rollouts(s, origins, lengths))
    other = s.replace(y=np.where(np.arange(700)[:, None] < 100, s.y, 0.3))
    assert_array_equal(
        network.rollout(theta, Rollouts(other, origins, lengths))[0][:90], y_hat[:90]
    )


def test_plan_and_network_pickle_and_copy(busy):
    """A plan is what it was made from; a network takes its own along."""
    network, theta, s, weight = busy
    for twin in (pickle.loads(pickle.dumps(network)), copy.deepcopy(network)):
        assert twin == network and twin.plan is not network.plan
        assert twin.plan.args == network.plan.args and twin.n_params == network.n_params
        assert_same_bits(every_kernel(twin, theta, s, weight), every_kernel(*busy))


@pytest.mark.parametrize("seed", range(len(reference.LAGS)), ids=list(reference.LAGS))
def test_plan_knows_history_lead_and_parameters(seed):
    """As the taps do, and as the twin counts."""
    network = reference.make_problem(seed).network
    assert network.plan.history == network.taps.reach.history
    assert network.plan.lead == network.taps.reach.lead
    layers, V = reference.split(network, np.zeros(network.n_params))
    n_params = sum(W.size + b.size for W, b in layers) + (0 if V is None else V.size)
    assert network.n_params == n_params


@pytest.mark.parametrize("n_layers", [30, 31])
def test_thirty_one_hidden_layers_run(n_layers):
    """As many as the sentence of the next test promises."""
    network, theta = a_network((1,) * n_layers, n_outputs=1, linear_term=False)
    segments, rows = one_segment(20), np.arange(2, 20)
    exact = reference.one_step(network, theta, segments, rows)
    assert_allclose(one_step(network, theta, segments, rows), exact, rtol=1e-12, atol=1e-12)


def test_more_than_thirty_one_hidden_layers_are_refused():
    """With a sentence, when the network is first used."""
    network = TappedMLP(make_taps(1, 2, ["u"]), (1,) * 32)
    with pytest.raises(ValueError, match=r"^at most 31 hidden layers are supported\.$"):
        _ = network.plan


def test_stub_and_module_have_the_same_names():
    """Every public name of `_core.pyi` is there, and nothing public is left out."""
    stub = Path(_core.__file__).parent / "_core.pyi"
    stubbed = set()
    for node in ast.parse(stub.read_text()).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            stubbed.add(node.name)
        elif isinstance(node, ast.AnnAssign):
            stubbed.add(node.target.id)
    public = {name for name in vars(_core) if not name.startswith("_")} - {"np"}
    assert public == {name for name in stubbed if not name.startswith("_")}


# ---------------------------------------------------------------- the network around the kernels
def test_parameters_unpack_in_the_documented_order():
    """W_1, b_1, ..., W_L, b_L, V in C order, as views."""
    network, _ = a_network((3,), n_outputs=2)  # 6 taps
    theta = np.arange(float(network.n_params))
    coefs, intercepts, linear = network.unpack(theta)
    assert_array_equal(np.r_[coefs[0].ravel(), intercepts[0]], np.arange(21))
    assert_array_equal(np.r_[coefs[1].ravel(), intercepts[1]], np.arange(21, 29))
    assert_array_equal(linear.ravel(), np.arange(29, 41))
    coefs[0][1, 0] = -1.0
    assert theta[3] == -1.0


def test_groups_part_the_parameters():
    """Each parameter is a weight, an intercept or of the linear term."""
    network, _ = a_network((3,), n_outputs=2)
    assert {group: mask.sum() for group, mask in network.groups.items()} == {
        "weights": 6 * 3 + 3 * 2,
        "intercepts": 3 + 2,
        "linear": 6 * 2,
    }
    assert_array_equal(np.sum(list(network.groups.values()), axis=0), 1)


def test_a_network_without_hidden_layers_takes_no_linear_term():
    """It is such a path already, with the weights of one."""
    network = TappedMLP(make_taps(1, 2, ["u"]), (), linear_term=True)
    assert not network.has_linear_term and network.n_params == 5
    assert network.unpack(np.zeros(5)).linear is None
    assert {group: mask.sum() for group, mask in network.groups.items()} == {
        "weights": 0,
        "intercepts": 1,
        "linear": 4,
    }


def test_a_linear_term_without_taps_is_empty():
    """Intercepts alone make a network too, asked for a linear term or not."""
    network = TappedMLP(Taps((), ()), (3,), linear_term=True)
    assert network.n_params == 3 + 3 + 1
    assert network.unpack(np.zeros(7)).linear.shape == (0, 1)
    assert not network.groups["linear"].any()
    assert network.initial(np.random.default_rng(0)).shape == (7,)


def test_linear_part_is_an_arx_model_on_the_same_taps():
    """One layer from taps to outputs."""
    network, _ = a_network()
    part = network.linear_part()
    assert part.taps == network.taps and part.layer_sizes == (6, 2) and part.n_params == 14


def test_initial_parameters_follow_the_generator():
    """The same numbers for the same seed; beside a linear term training starts from zero."""
    network, _ = a_network((9, 3))
    theta = network.initial(np.random.default_rng(3))
    assert_array_equal(theta, network.initial(np.random.default_rng(3)))
    segments, rows = one_segment(30, n_outputs=2), np.arange(2, 30)
    assert not one_step(network, theta, segments, rows).any()
    coefs, intercepts, linear = network.unpack(theta)
    assert not coefs[-1].any() and not intercepts[-1].any() and not linear.any()
    for W in coefs[:-1]:
        assert 0 < np.abs(W).max() <= np.sqrt(6.0 / sum(W.shape))
    for b in intercepts[:-1]:
        assert len(np.unique(b)) == len(b)


def test_initial_output_layer_is_random_without_a_linear_term():
    """Something must reach the output."""
    network, _ = a_network((9, 3), linear_term=False)
    assert network.unpack(network.initial(np.random.default_rng(3))).coefs[-1].all()


def test_structure_is_frozen_and_compares_by_value():
    """Two networks of the same structure are the same network."""
    network, _ = a_network()
    assert network == a_network()[0] and hash(network) == hash(a_network()[0])
    for field in fields(network):
        with pytest.raises(AttributeError):
            setattr(network, field.name, None)


# ---------------------------------------------------------------- elementary functions
EXACT = {
    "tanh": np.tanh,
    "logistic": lambda x: np.where(x < 0, np.exp(-np.abs(x)), 1) / (1 + np.exp(-np.abs(x))),
    "softplus": lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))),
}


def activation(name, x):
    """Return f(x) of the compiled code: one tap, one hidden unit, weights 1 and intercepts 0."""
    network = TappedMLP(Taps((), ((0,),)), (1,), name, linear_term=False)
    x = np.array(x, dtype=float)
    segments = Segments(x[:, None], np.zeros((len(x), 1)), np.array([0, len(x)]))
    return one_step(network, np.array([1.0, 0.0, 1.0, 0.0]), segments, np.arange(len(x)))[:, 0]


def ulps(name, x):
    """Return distance of f(x) from its value in extended precision, in units of the last place."""
    exact = EXACT[name](x.astype(np.longdouble))
    spacing = np.spacing(np.abs(exact).astype(float))
    return np.abs((activation(name, x) - exact) / spacing).astype(float)


def arguments(lowest):
    """Return every order of magnitude of both signs, dense where the functions bend."""
    rng = np.random.default_rng(0)
    small = np.exp(rng.uniform(np.log(1e-300), 0, 5000))
    large = np.exp(rng.uniform(0, np.log(-lowest), 5000))
    steps = np.arange(1, 64) * np.log(2) / 2  # where the reduction changes its multiple of ln 2
    near = np.concatenate([steps, np.nextafter(steps, 0), np.nextafter(steps, 99)])
    x = np.concatenate([small, large, near, near / 2, rng.uniform(0, 25, 20000)])
    return np.concatenate([x, -x])


@pytest.mark.parametrize("name", EXACT)
def test_activations_are_within_four_ulp(name):
    """Wherever exp(-|x|) is a normal number."""
    assert ulps(name, arguments(-708.0)).max() <= 4


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_of_nan_are_nan(name):
    """A missing value stays one."""
    assert np.isnan(activation(name, [np.nan, -np.nan])).all()


@pytest.mark.parametrize(
    "name, at_minus_infinity, at_zero, at_infinity",
    [
        ("tanh", -1, 0, 1),
        ("logistic", 0, 0.5, 1),
        ("softplus", 0, np.log(2), np.inf),
        ("relu", 0, 0, np.inf),
        ("identity", -np.inf, 0, np.inf),
    ],
)
def test_activations_have_their_limits(name, at_minus_infinity, at_zero, at_infinity):
    """At infinity, at huge arguments and at both zeros; what underflows may end at 1e-307."""
    limits = np.array([at_minus_infinity, at_infinity], dtype=float)
    assert_allclose(activation(name, [-np.inf, np.inf]), limits, rtol=0, atol=1e-307)
    assert_array_equal(activation(name, [0.0, -0.0]), [at_zero] * 2)
    for huge in (1e3, 1e10, 1e300, np.finfo(float).max):
        far = np.clip(limits, -huge, huge)
        assert_allclose(activation(name, [-huge, huge]), far, rtol=0, atol=1e-307)


@pytest.mark.parametrize("name", ["tanh", "logistic", "softplus"])
def test_activations_of_a_single_trajectory_are_those_of_a_batch(name):
    """The two ways through the kernels give the same function, to the last bits of the sums."""
    network = TappedMLP(Taps((1,), ((0,),)), (1,), name, linear_term=False)
    theta, x = np.array([0.0, 1.0, 0.0, 1.0, 0.0]), np.linspace(-30, 30, 400)
    segments = Segments(x[:, None], np.zeros((400, 1)), np.array([0, 400]))
    alone, _ = network.rollout(theta, Rollouts(segments, np.array([1]), np.array([399])))
    assert_array_equal(alone[0, :, 0], activation(name, x[1:]))
