"""The face of recurrent networks: what windows, gaps, bounds and loops make of the kernels."""

from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import kstest, uniform
from sklearn.linear_model import LinearRegression

from narxkit.networks import CellNetwork, cells, make_taps
from narxkit.rows.rollouts import Rollouts, lay_rollouts
from narxkit.rows.segments import Segments
from narxkit.training.objective import Objective
from narxkit.training.penalty import EXACT, starts
from narxkit.training.stages import Lesson
from reference import STEP, clip
from reference_cells import Cells, advance

GO = np.zeros(1, dtype=np.int32)
KINDS = {
    "lstm": {"cell": "lstm"},
    "peepholes": {"cell": "lstm", "peepholes": True, "hidden_layer_sizes": (2, 3)},
    "gru": {"cell": "gru", "hidden_layer_sizes": (3, 2)},
    "tanh": {"cell": "tanh", "linear_term": False},
    "relu": {"cell": "relu", "hidden_layer_sizes": (4, 2)},
    "trained state": {"cell": "lstm", "hidden_layer_sizes": (2, 2), "trains_state": True},
    "trained gru": {"cell": "gru", "trains_state": True},
}
LOOPS = [("open", 0), (4, 1), ("closed", 2)]


def make_network(window=5, n_outputs=2, output_lags=(1, 3), **params):
    """Two inputs, one of them with a lead."""
    lags = {"u": [0, 2], "v": [-1]}
    taps = make_taps(lags, list(output_lags), ["u", "v"], n_outputs)
    return CellNetwork(taps, **{"hidden_layer_sizes": (3,), "window": window, **params})


def make_segments(seed=0, n_outputs=2):
    """Three segments, one shorter than a window; outputs and an input missing, some bounds."""
    rng = np.random.default_rng(seed)
    u, y = rng.normal(size=(48, 2)), rng.normal(size=(48, n_outputs))
    y[13, 0] = y[30, -1] = y[20:22] = np.nan
    u[36, 0] = np.nan
    low, high = (np.where(rng.uniform(size=y.shape) < 0.3, b, np.nan) for b in (-0.2, 0.3))
    return Segments(u, y, np.array([0, 26, 33, 48]), low, high)


def make_problem(kind, loop="open", washout=0):
    network, segments = make_network(**KINDS[kind]), make_segments()
    rng = np.random.default_rng(1)
    weight = rng.uniform(0.5, 2.0, len(segments))
    weight[[9, 40]] = 0.0
    rollouts = lay_rollouts(segments, network.reach, loop, weight, washout=washout)
    return network, rng.normal(scale=0.5, size=network.n_params), rollouts


# ---------------------------------------------------------------- the slow twin, row by row
def begin_of(network, segments, origin):
    """The row that a run begins with, to bring about the state: all outputs before it are there.

    The first of the window, or else one before it, as far as the lags reach, or else one behind.
    """
    start, feedback = segments.starts[origin] + network.reach.history, network.reach.feedback
    first = max(start, origin - network.window)
    earlier = range(first, max(start, first - feedback) - 1, -1)
    for row in (*earlier, *range(first + 1, origin)):
        if np.isfinite(segments.y[row - feedback : row]).all():
            return row
    return origin


def follow(network, theta, rollouts):
    """Outputs (n, n_steps, p) of rollouts; theta may be complex."""
    y_hat = np.full((len(rollouts), rollouts.n_steps, network.n_outputs), np.nan, theta.dtype)
    for i, (origin, length) in enumerate(zip(rollouts.origins, rollouts.lengths)):
        path = follow_one(network, theta, rollouts, origin, length)
        y_hat[i, :length] = [path[origin + step] for step in range(length)]
    return y_hat


def follow_one(network, theta, rollouts, origin, length):
    """Outputs of one rollout by row, those of its window included."""
    segments, taps, plan = rollouts.segments, network.taps, network.plan
    twin = Cells(*plan.args)
    layers, (V, b, U) = twin.split(theta[: plan.n_params])
    begin, path = begin_of(network, segments, origin), {}
    state = theta[plan.n_params :] if network.trains_state else np.zeros(network.n_state)

    def output(row, column):
        is_ahead = row >= origin and not rollouts.is_measured
        is_own = row >= begin and (is_ahead or np.isnan(segments.y[row, column]))
        return path[row][column] if is_own else segments.y[row, column]

    for row in range(begin, origin + length):
        z = [output(row - lag, column) for column, lag, _ in taps.outputs]
        z = np.array(z + [segments.u[row - lag, column] for column, lag, _ in taps.inputs])
        below, new = z, []
        for layer, H in zip(layers, network.hidden_layer_sizes):
            h, state = state[:H], state[H:]
            c, state = (state[:H], state[H:]) if network.cell == "lstm" else (None, state)
            h, c = advance(network.cell, layer, below, h, c)
            new += [h] if c is None else [h, c]
            below = h
        state = np.concatenate(new)
        y = below @ V + b + (0 if U is None else z @ U)
        path[row] = clip(y, segments.low[row], segments.high[row])
    return path


def residuals(network, theta, rollouts, follow=follow):
    """Weighted, of all measured outputs of all steps behind the washout."""
    y_hat, rows = follow(network, theta, rollouts), rollouts.rows
    e = np.sqrt(rollouts.row_weights[rows])[..., None] * (y_hat - rollouts.segments.y[rows])
    counts = rollouts.is_step & (np.arange(rollouts.n_steps) >= rollouts.washout)
    return e[counts[..., None] & np.isfinite(rollouts.segments.y[rows])]


def directions(network, seed=2):
    """Random directions, one within each part of theta."""
    rng, parts = np.random.default_rng(seed), []
    for _, _, at, shape in network.parts:
        direction, size = np.zeros(network.n_params), int(np.prod(shape))
        direction[at : at + size] = rng.normal(size=size)
        parts.append(direction)
    return np.array(parts)


def slopes(network, theta, rollouts, along, follow=follow):
    """Derivatives of the residuals along some directions, (n_residuals, n_directions)."""
    moved = (theta + 1j * STEP * d for d in along)
    columns = [residuals(network, one, rollouts, follow).imag / STEP for one in moved]
    return np.transpose(columns)


# ---------------------------------------------------------------- values and derivatives
@pytest.mark.parametrize("loop, washout", LOOPS)
@pytest.mark.parametrize("kind", KINDS)
def test_rollouts_are_those_of_the_twin(kind, loop, washout):
    network, theta, rollouts = make_problem(kind, loop, washout)
    assert len(rollouts) and (rollouts.n_steps > 1) == (loop != "open")
    y_hat, bad = network.rollout(theta, rollouts)
    assert_allclose(y_hat, follow(network, theta, rollouts), rtol=0, atol=1e-12)
    assert (bad == -1).all()
    e = residuals(network, theta, rollouts)
    thetas = np.array([theta, 0.5 * theta])
    sse = network.sse(thetas, rollouts, GO)
    assert sse[0] == pytest.approx(e @ e, rel=1e-12)
    half = residuals(network, 0.5 * theta, rollouts)
    assert sse[1] == pytest.approx(half @ half, rel=1e-12)


def test_the_problem_has_what_windows_meet():
    """Windows that a segment's start shortens and a gap lengthens, and rows at their bounds."""
    network, theta, rollouts = make_problem("lstm")
    segments = rollouts.segments
    begins = np.array([begin_of(network, segments, row) for row in rollouts.origins])
    lengths = rollouts.origins - begins
    assert {0, 1, 2, 3, 4, 5, 6, 7, 8} == set(lengths.tolist())
    has_gap = [np.isnan(segments.y[b:row]).any() for b, row in zip(begins, rollouts.origins)]
    assert any(has_gap) and not all(has_gap)
    y_hat = follow(network, theta, rollouts)
    assert (y_hat[:, 0] == segments.low[rollouts.origins]).any()
    assert_array_equal(segments.window_begins(network.reach)[rollouts.origins], begins)


@pytest.mark.parametrize("loop, washout", LOOPS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_gradient_is_that_of_the_complex_step(kind, loop, washout):
    """Through windows, gaps, bounds and steps on own outputs, in every part of theta."""
    network, theta, rollouts = make_problem(kind, loop, washout)
    along = directions(network)
    sse, Jte = network.gradient(theta, rollouts, GO)
    e = residuals(network, theta, rollouts)
    expected = slopes(network, theta, rollouts, along).T @ e
    assert sse == pytest.approx(e @ e, rel=1e-12)
    assert_allclose(along @ Jte, expected, rtol=0, atol=1e-9 * np.abs(expected).max())
    assert (np.abs(expected) > 1e-6).all()


@pytest.mark.parametrize("loop, washout", LOOPS)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if not kind.startswith("trained")])
def test_normal_equations_are_those_of_the_complex_step(kind, loop, washout):
    network, theta, rollouts = make_problem(kind, loop, washout)
    along = directions(network)
    JtJ, Jte, sse = network.normal_equations(theta, rollouts, GO)
    J = slopes(network, theta, rollouts, along)
    assert_allclose(along @ JtJ @ along.T, J.T @ J, rtol=0, atol=1e-9 * np.abs(J.T @ J).max())
    expected_sse, expected = network.gradient(theta, rollouts, GO)
    assert sse == pytest.approx(expected_sse, rel=1e-12)
    assert_allclose(Jte, expected, rtol=0, atol=1e-10 * np.abs(expected).max())


def test_a_trained_state_has_no_normal_equations():
    """And so no solver that needs them takes the network."""
    assert hasattr(make_network(), "normal_equations")
    network, _, rollouts = make_problem("trained state")
    assert not hasattr(network, "normal_equations")
    assert not hasattr(Objective(network, rollouts), "normal_equations")


def test_masks_are_kept_along_a_sequence():
    """As if the weights from the masked units did not exist, in that sequence alone."""
    network, theta, rollouts = make_problem("gru", loop=4)
    masks = np.ones((len(rollouts), 3))
    masks[0, 1] = 0.0
    masks[1:, 2] = 2.0
    sse, Jte = network.gradient(theta, rollouts, GO, masks)
    expected = 0.0, np.zeros_like(theta)
    for part, mask in ((slice(0, 1), masks[0]), (slice(1, None), masks[1])):
        masked = theta.copy()
        network.unpack(masked).layers[1]["inward"][:] *= mask[:, None]
        one, slope = network.gradient(masked, rollouts.part(part), GO)
        network.unpack(slope).layers[1]["inward"][:] *= mask[:, None]
        expected = expected[0] + one, expected[1] + slope
    assert sse == pytest.approx(expected[0], rel=1e-12)
    assert_allclose(Jte, expected[1], rtol=1e-9, atol=1e-12)


def test_input_gradient_is_that_of_the_taps():
    """Of the last step of each rollout, by what each step read; own outputs pass it on."""
    network, theta, rollouts = make_problem("lstm")
    segments = rollouts.segments.replace(low=None, high=None, y=np.nan_to_num(rollouts.segments.y))
    rows = np.array([20, 24, 31])
    rollouts = Rollouts.one_step(segments, rows)
    by_taps = network.input_gradient(theta, rollouts, 1)
    assert by_taps.shape == (3, network.window + 1, network.taps.n_taps)
    z = segments.lagged(network.taps)
    for i, row in enumerate(rows):
        for step in range(network.window + 1):
            for k in range(network.taps.n_taps):
                moved = []
                for e in (1e-6, -1e-6):
                    segments.lagged(network.taps)[row - network.window + step, k] += e
                    moved.append(network.rollout(theta, rollouts.part([i]))[0][0, 0, 1])
                    segments.lagged(network.taps)[row - network.window + step, k] -= e
                slope = (moved[0] - moved[1]) / 2e-6
                assert by_taps[i, step, k] == pytest.approx(slope, abs=1e-8)
    assert z is segments.lagged(network.taps)


# ---------------------------------------------------------------- states
def test_the_state_before_an_origin_is_what_the_rollout_continues():
    """Begun with it and without a window, a rollout is the same."""
    network, theta, rollouts = make_problem("gru", loop=4)
    state = network.observe(theta, rollouts)
    assert state.shape == (len(rollouts), network.n_state)
    trained = make_network(**KINDS["gru"], trains_state=True, window=1)
    n_compared = 0
    for i in range(len(rollouts)):
        one = rollouts.part([i])
        first = one.origins[0]
        behind = one.segments.edges[one.segments.edges <= first].max()
        cut = one.segments.window(first - 3, one.segments.stops[first])
        cut = one.replace(segments=cut, origins=np.array([3]), weight=None)
        if first - 3 < behind or np.isnan(cut.segments.y[:3]).any():
            continue
        n_compared += 1
        y_hat, _ = trained.rollout(np.append(theta, state[i]), cut)
        assert_allclose(y_hat, network.rollout(theta, one)[0], rtol=0, atol=1e-12)
    assert n_compared > 5


def test_the_first_row_of_a_segment_begins_with_the_trained_state():
    network, theta, rollouts = make_problem("trained state")
    first = np.flatnonzero(rollouts.origins == network.reach.history)
    state = network.observe(theta, rollouts.part(first))
    assert_array_equal(state[0], network.unpack(theta).state)
    plain = make_network(cell="lstm", hidden_layer_sizes=(2, 2))
    at_zero = plain.observe(theta[: plain.n_params], rollouts.part(first))
    assert_array_equal(at_zero, 0.0)


def test_a_window_that_no_row_has_whole_is_as_long_as_it_can_be():
    """Beyond the longest segment more rows change nothing."""
    segments = make_segments()
    for loop in ("open", 4):
        values = []
        for window in (22, 10**9):
            network = make_network(window=window)
            theta = np.random.default_rng(0).normal(scale=0.3, size=network.n_params)
            rollouts = lay_rollouts(segments, network.reach, loop)
            values.append((*network.gradient(theta, rollouts, GO), len(rollouts)))
        assert values[0][0] == pytest.approx(values[1][0], rel=1e-12)
        assert_allclose(values[0][1], values[1][1], rtol=1e-9, atol=1e-12)
        assert values[0][2] == values[1][2] > 20


@pytest.mark.parametrize("kind", KINDS)
def test_the_whole_jacobian_makes_the_normal_equations(kind):
    network, theta, rollouts = make_problem(kind, 4, 1)
    if network.trains_state:
        assert not hasattr(network, "residuals_and_jacobian")
        return
    e, J = network.residuals_and_jacobian(theta, rollouts)
    JtJ, Jte, sse = network.normal_equations(theta, rollouts, GO)
    assert_allclose(J.T @ J, JtJ, rtol=1e-10, atol=1e-12)
    assert_allclose(J.T @ e, Jte, rtol=1e-10, atol=1e-12)
    assert e @ e == pytest.approx(sse, rel=1e-12)


# ---------------------------------------------------------------- parts, precision, divergence
@pytest.mark.parametrize("kind", ["peepholes", "trained gru"])
def test_parts_give_the_same_sums(kind, monkeypatch):
    network, theta, rollouts = make_problem(kind, loop=4)

    def answers():
        masks = np.full((len(rollouts), network.plan.n_masks), 2.0)
        yield from network.rollout(theta, rollouts)
        yield network.observe(theta, rollouts)
        yield network.sse(np.array([theta, -theta]), rollouts, GO)
        yield from network.gradient(theta, rollouts, GO, masks)
        yield network.input_gradient(theta, rollouts, 1)
        if hasattr(network, "normal_equations"):
            yield from network.normal_equations(theta, rollouts, GO)

    whole = list(answers())
    assert len(network._parts(rollouts)) == 1
    monkeypatch.setattr(cells, "NUMBERS_AT_ONCE", 3 * 9 * network.taps.n_taps)
    assert len(network._parts(rollouts)) > 2
    for one, other in zip(whole, answers(), strict=True):
        assert_allclose(other, one, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_single_precision_is_near(kind):
    network, theta, rollouts = make_problem(kind, loop=4)
    single = make_network(**KINDS[kind], dtype="float32")
    y_hat, _ = single.rollout(theta, rollouts)
    assert y_hat.dtype == np.float64
    assert_allclose(y_hat, network.rollout(theta, rollouts)[0], atol=1e-4)
    (sse, Jte), (expected, slope) = (one.gradient(theta, rollouts, GO) for one in (single, network))
    assert sse == pytest.approx(expected, rel=1e-4)
    assert_allclose(Jte, slope, atol=1e-4 * np.abs(slope).max())
    if hasattr(network, "normal_equations"):
        for one, other in zip(*(each.normal_equations(theta, rollouts, GO)
                                for each in (single, network))):  # fmt: skip
            assert_array_equal(one, other)  # in double precision whatever the kernels


def test_tables_are_converted_once_for_all_batches(monkeypatch):
    """Of one precision each; other weights are others, and a double is itself."""
    network, theta, rollouts = make_problem("gru", loop=4)
    segments = rollouts.segments
    single = make_network(**KINDS["gru"], dtype="float32")
    other = rollouts.replace(weight=2.0 * rollouts.row_weights)
    fresh = other.replace(segments=segments.replace())
    sse, Jte = single.gradient(theta, fresh, GO)
    converted = []

    class Counting(np.ndarray):
        def astype(self, *args, **kwargs):
            converted.append(self)
            return np.ndarray.astype(self.view(np.ndarray), *args, **kwargs)

    counted = {k: getattr(segments, k).view(Counting) for k in ("y", "low", "high")}
    rollouts = rollouts.replace(segments=segments.replace(**counted))
    other = other.replace(segments=rollouts.segments)
    for batch in ([0, 2], [1, 3], slice(None)):
        single.gradient(theta, rollouts.part(batch), GO)
    answer = single.gradient(theta, other, GO)
    assert len(converted) == 3
    assert answer[0] == sse and (answer[1] == Jte).all()
    assert segments.in_precision(segments.y, "float64") is segments.y
    assert segments.in_precision(None, "float32") is None


def test_what_diverges_is_nan_from_there_on():
    network = make_network(cell="relu", linear_term=False)
    segments = make_segments().replace(low=None, high=None)
    theta = np.zeros(network.n_params)
    weights = network.unpack(theta)
    weights.layers[0]["bias"][:] = 1.0
    weights.layers[0]["recurrent"][:] = 10.0 * np.eye(3)
    weights.outward[:] = 1.0
    rollouts = Rollouts(segments, np.array([3, 4]), np.array([6, 2]))
    y_hat, bad = network.rollout(theta, rollouts)
    assert_array_equal(y_hat[0, :3], [[3.0] * 2, [33.0] * 2, [333.0] * 2])
    assert bad.tolist() == [3, -1] and np.isnan(y_hat[0, 3:]).all()
    assert np.isnan(y_hat[1, 2:]).all() and np.isfinite(y_hat[1, :2]).all()
    assert network.sse(theta[None], rollouts, GO)[0] == np.inf


def test_a_missing_input_goes_through_relu_and_bounds():
    """What compares must not take NaN for a number."""
    for bounds in ({}, {"low": np.full((12, 1), -1.0), "high": np.full((12, 1), 1.0)}):
        network = make_network(cell="relu", n_outputs=1, output_lags=())
        rng = np.random.default_rng(0)
        u = rng.normal(size=(12, 2))
        u[6, 0] = np.nan
        segments = Segments(u, rng.normal(size=(12, 1)), np.array([0, 12]), **bounds)
        theta = rng.normal(size=network.n_params)
        y_hat, bad = network.rollout(theta, Rollouts(segments, np.array([3]), np.array([8])))
        assert bad.tolist() == [3]
        assert np.isfinite(y_hat[0, :3]).all() and np.isnan(y_hat[0, 3:]).all()


def test_a_flag_stops_the_kernels():
    network, theta, rollouts = make_problem("lstm", loop=4)
    stop = np.ones(1, dtype=np.int32)
    assert np.isnan(network.sse(theta[None], rollouts, stop)).all()
    assert np.isnan(network.gradient(theta, rollouts, stop)[0])
    assert np.isnan(network.normal_equations(theta, rollouts, stop)[2])


# ---------------------------------------------------------------- structure and starts
@pytest.mark.parametrize("kind", KINDS)
def test_parts_of_theta(kind):
    """Views, in groups that share them out."""
    network = make_network(**KINDS[kind])
    theta = np.zeros(network.n_params)
    weights = network.unpack(theta)
    sizes, below = network.hidden_layer_sizes, network.taps.n_taps
    h, b, x = {"lstm": (4, 4, 4), "gru": (3, 4, 3)}.get(network.cell, (1, 1, 1))
    for layer, H in zip(weights.layers, sizes, strict=True):
        shapes = {"recurrent": (H, h * H), "bias": (b * H,), "inward": (below, x * H)}
        shapes |= {"peepholes": (3, H)} if network.peepholes else {}
        assert {name: part.shape for name, part in layer.items()} == shapes
        layer["bias"][:] = 1.0
        below = H
    assert weights.outward.shape == (sizes[-1], 2)
    weights.intercept[:] = 1.0
    if network.linear_term:
        weights.straight[:] = 2.0
    if network.trains_state:
        weights.state[:] = 1.0
    groups = network.groups
    assert_array_equal(groups["intercepts"], theta == 1.0)
    assert_array_equal(groups["linear"], theta == 2.0)
    assert_array_equal(groups["weights"], theta == 0.0)


@pytest.mark.parametrize("kind", KINDS)
def test_where_training_begins(kind):
    network = make_network(**KINDS[kind])
    theta = network.initial(np.random.default_rng(0))
    assert_array_equal(network.initial(np.random.default_rng(0)), theta)
    weights, below = network.unpack(theta), network.taps.n_taps
    for layer, H in zip(weights.layers, network.hidden_layer_sizes):
        for gate in np.split(layer["recurrent"], layer["recurrent"].shape[1] // H, axis=1):
            assert_allclose(gate.T @ gate, np.eye(H), atol=1e-12)
        gates = layer["bias"].reshape(-1, H)
        kept = {"lstm": 1, "gru": 2}.get(network.cell)
        expected = np.zeros_like(gates)
        expected[slice(0, 0) if kept is None else kept] = 1.0
        assert_array_equal(gates, expected)
        assert 0.0 < np.abs(layer["inward"]).max() <= np.sqrt(6 / (below + H))
        below = H
    assert network.is_linear(theta) == network.linear_term
    assert_array_equal(weights.intercept, 0.0)
    if network.trains_state:
        assert_array_equal(weights.state, 0.0)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_gates_begin_with_memories_up_to_the_longest_dependency(cell):
    """Chrono initialisation: b_f = log U(1, T_max - 1) and b_i = -b_f, all else as without it."""
    sizes = {"cell": cell, "hidden_layer_sizes": (300, 200), "linear_term": False}
    network = make_network(**sizes, chrono_t_max=50)
    theta = network.initial(np.random.default_rng(0))
    gates = [layer["bias"].reshape(4, -1) for layer in network.unpack(theta).layers]
    kept = np.concatenate([biases[{"lstm": 1, "gru": 2}[cell]] for biases in gates])
    assert kstest(np.exp(kept), uniform(1.0, 48.0).cdf).pvalue > 0.05
    assert len(np.unique(kept)) == 500
    plain = make_network(**sizes).initial(np.random.default_rng(0))
    for biases, layer in zip(gates, network.unpack(plain).layers):
        expected = layer["bias"].reshape(4, -1)
        if cell == "lstm":
            expected[0] = -biases[1]
        expected[{"lstm": 1, "gru": 2}[cell]] = biases[{"lstm": 1, "gru": 2}[cell]]
    assert_array_equal(theta, plain)


def test_the_gate_that_begins_open_is_the_one_that_keeps_the_state():
    """With it wide open and all else at rest a state stays."""
    for cell, gate in (("lstm", 1), ("gru", 2)):
        network = make_network(cell=cell, trains_state=True, n_outputs=1, linear_term=False)
        theta = np.zeros(network.n_params)
        weights = network.unpack(theta)
        weights.layers[0]["bias"].reshape(4, 3)[gate] = 50.0
        weights.state[:] = 0.5
        rollouts = lay_rollouts(make_segments(n_outputs=1), network.reach)
        kept = slice(3, 6) if cell == "lstm" else slice(0, 3)
        assert_allclose(network.observe(theta, rollouts)[:, kept], 0.5)


def test_a_linear_model_takes_the_place_of_the_linear_term():
    network, _, rollouts = make_problem("gru")
    part = network.linear_part()
    rng = np.random.default_rng(0)
    start, linear = network.initial(rng), rng.normal(size=part.n_params)
    theta = network.with_linear(start, linear)
    assert network.is_linear(theta) and not np.array_equal(theta, start)
    known = rollouts.segments.known(part.reach)[rollouts.origins]
    rollouts = rollouts.part(known)
    expected, _ = part.rollout(linear, rollouts)
    assert_allclose(network.rollout(theta, rollouts)[0], expected, rtol=0, atol=1e-12)


def test_the_linear_start_is_fitted_to_the_rows_that_it_can_predict():
    """Those whose lags are all measured; what the state bridges is none of them."""
    network, _, rollouts = make_problem("gru")
    segments = rollouts.segments.replace(low=None, high=None)
    objective = Objective(network, rollouts.replace(segments=segments))
    z = segments.tapped(network.taps, rollouts.origins)
    start = starts(objective, [0])(EXACT)
    weights = network.unpack(start.thetas[0])
    assert not np.isfinite(z).all()
    for j in range(2):
        y, weight = segments.y[rollouts.origins, j], rollouts.row_weights[rollouts.origins]
        rows = np.isfinite(z).all(axis=1) & np.isfinite(y)
        plain = LinearRegression().fit(z[rows], y[rows], sample_weight=weight[rows])
        assert_allclose(weights.straight[:, j], plain.coef_, atol=1e-9)
        assert weights.intercept[j] == pytest.approx(plain.intercept_, abs=1e-9)


@pytest.mark.parametrize("steps", [1, 4])
def test_runs_that_choose_penalties_begin_where_the_linear_model_can(steps):
    """Both are judged by the same runs, none of which lacks an output that a lag reads."""
    network, _, rollouts = make_problem("gru")
    segments = rollouts.segments
    everywhere = np.ones(len(segments), dtype=bool)
    make = partial(Objective.over, segments=segments)
    lesson = Lesson(make, network, everywhere, ~everywhere, ("open",), 0)
    runs = lesson.runs(steps, everywhere)
    part = network.linear_part()
    y_hat, _ = part.rollout(np.ones(part.n_params), runs)
    assert np.isfinite(y_hat[runs.is_step]).all()
    assert 10 < len(runs) < len(rollouts)


def test_a_dead_network_gets_its_layers_back():
    network = make_network(cell="gru")
    rng = np.random.default_rng(0)
    start, theta = network.initial(rng), rng.normal(size=network.n_params)
    assert network.revive(theta, start) is theta
    network.unpack(theta).outward[:] = 0.0
    revived = network.revive(theta, start)
    for name, part in network.unpack(revived).layers[0].items():
        assert_array_equal(part, network.unpack(start).layers[0][name])
    assert_array_equal(network.unpack(revived).straight, network.unpack(theta).straight)
    assert_array_equal(network.unpack(revived).intercept, network.unpack(theta).intercept)


def test_a_mask_is_of_a_sequence_and_one_on_average():
    network = make_network(hidden_layer_sizes=(4, 3, 2), dropout=0.25)
    masks = network.draw_masks(20_000, np.random.default_rng(0))
    assert masks.shape == (20_000, 7)
    assert_array_equal(np.unique(masks), [0.0, 4 / 3])
    assert_allclose(masks.mean(axis=0), 1.0, atol=0.02)
    assert abs(np.corrcoef(masks.T)[0, 1]) < 0.03
    assert make_network(dropout=0.25).draw_masks(3, np.random.default_rng(0)) is None
    assert make_network(hidden_layer_sizes=(4, 3)).draw_masks(3, None) is None


def test_dropout_disturbs_the_slope_of_a_batch_alone():
    """On average by little; the loss and the slope of all are those of the whole network."""
    network, theta, rollouts = make_problem("gru")
    network = make_network(**KINDS["gru"], dropout=0.2)
    objective = Objective(network, rollouts)
    disturbed = objective.with_dropout(np.random.default_rng(0))
    batch = np.arange(objective.size)
    assert_array_equal(disturbed.value_and_grad(theta)[1], objective.value_and_grad(theta)[1])
    assert disturbed.value(theta) == objective.value(theta)
    slopes = [disturbed.value_and_grad(theta, batch)[1] for _ in range(2)]
    assert not np.array_equal(*slopes)


def test_what_makes_networks_differ():
    network = make_network(cell="gru")
    parts = network.describe()
    assert parts["cell"] == "gru" and parts["window"] == 5 and parts["trains_state"] is False
    assert parts["output_lags"] == (1, 3) and parts["input_lags"] == ((0, 2), (-1,))
    assert network == make_network(cell="gru") != make_network(cell="gru", window=6)
    reach = network.reach
    assert (reach.history, reach.lead, reach.memory) == (3, 1, 8)


def test_feedback_of_the_linear_term_alone_passes_noise():
    network = make_network(cell="gru")
    expected = np.zeros(network.n_params)
    network.unpack(expected).straight[:4] = 1.0  # two outputs, each at two lags
    assert_array_equal(network.linear_feedback, expected)
    assert not make_network(linear_term=False).linear_feedback.any()
