"""Networks that read both ways: the slow twin, PyTorch, and what stretches make of rollouts."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from narxkit.networks import BidirectionalNetwork, both_ways, make_taps
from narxkit.rows.rollouts import Rollouts, lay_rollouts
from narxkit.rows.segments import Segments
from narxkit.training.objective import Objective
from reference import clip
from reference_cells import Cells, advance
from test_cells import directions, residuals, slopes
from test_recurrent_kernels import from_torch

GO = np.zeros(1, dtype=np.int32)
KINDS = {
    "lstm": {"cell": "lstm"},
    "peepholes": {"cell": "lstm", "peepholes": True, "hidden_layer_sizes": (2, 3)},
    "gru": {"cell": "gru", "hidden_layer_sizes": (3, 2, 2)},
    "tanh": {"cell": "tanh", "linear_term": False},
    "relu": {"cell": "relu", "hidden_layer_sizes": (4, 2)},
}
LOOPS = [("open", 0), (4, 1), ("closed", 2)]


def make_network(n_outputs=2, **params):
    """Two inputs, one with a lag and one with a lead."""
    taps = make_taps({"u": [0, 2], "v": [-1]}, [], ["u", "v"], n_outputs)
    return BidirectionalNetwork(taps, **{"hidden_layer_sizes": (3,), "window": 5, **params})


def make_segments(seed=0, n_outputs=2):
    """Three segments; outputs and two inputs are missing, some outputs are bounded."""
    rng = np.random.default_rng(seed)
    u, y = rng.normal(size=(48, 2)), rng.normal(size=(48, n_outputs))
    y[13, 0] = y[30, -1] = y[20:22] = np.nan
    u[[9, 38], 0] = np.nan
    low, high = (np.where(rng.uniform(size=y.shape) < 0.3, b, np.nan) for b in (-0.2, 0.3))
    return Segments(u, y, np.array([0, 26, 33, 48]), low, high)


def make_problem(kind, loop="open", washout=0):
    network, segments = make_network(**KINDS[kind]), make_segments()
    rng = np.random.default_rng(1)
    weight = rng.uniform(0.5, 2.0, len(segments))
    weight[[15, 40]] = 0.0
    rollouts = lay_rollouts(segments, network.reach, loop, weight, washout=washout)
    return network, rng.normal(scale=0.5, size=network.n_params), rollouts


# ---------------------------------------------------------------- the slow twin, row by row
def stretch_of(network, rollouts, i, row):
    """First row and the one behind the last of what is read with a row for a rollout."""
    segments, origin = rollouts.segments, rollouts.origins[i]
    low, high = segments.starts[row], segments.stops[row]
    if not rollouts.is_measured:
        low = max(low, origin - network.window)
        high = min(high, origin + rollouts.lengths[i] + network.window)
    known = segments.known_inputs(network.reach)
    begin, end = row, row + 1
    while begin > low and known[begin - 1]:
        begin -= 1
    while end < high and known[end]:
        end += 1
    return begin, end


def read(network, theta, x):
    """What the outputs see of a stretch: the last layer in both directions, (n, 2 H)."""
    at = 0
    for H in network.hidden_layer_sizes:
        cells = Cells(network.cell, x.shape[1], (H,), H, peepholes=network.peepholes, head=False)
        n, both = cells.plan.n_params, []
        for order in (range(len(x)), range(len(x))[::-1]):
            layer = cells.split(theta[at : at + n])[0][0]
            states = np.empty((len(x), H), np.result_type(theta, x))
            h = c = np.zeros(H)
            for row in order:
                h, c = advance(network.cell, layer, x[row], h, c)
                states[row] = h
            both.append(states)
            at += n
        x = np.concatenate(both, axis=1)
    return x


def outputs(network, theta, x):
    """Outputs (n, p) of a stretch."""
    H, m, p = 2 * network.hidden_layer_sizes[-1], x.shape[1], network.n_outputs
    n_straight = m * p if network.linear_term else 0
    V, b, U = np.split(theta[len(theta) - (H + 1) * p - n_straight :], [H * p, (H + 1) * p])
    y = read(network, theta, x) @ V.reshape(H, p) + b
    return y + x @ U.reshape(m, p) if network.linear_term else y


def follow(network, theta, rollouts):
    """Outputs (n, n_steps, p), NaN where an input is missing; theta may be complex."""
    segments, done = rollouts.segments, {}
    known = segments.known_inputs(network.reach)
    y_hat = np.full((*rollouts.is_step.shape, network.n_outputs), np.nan, theta.dtype)
    for i, step in zip(*np.nonzero(rollouts.is_step)):
        row = rollouts.origins[i] + step
        if not known[row]:
            continue
        begin, end = stretch_of(network, rollouts, i, row)
        if (begin, end) not in done:
            rows = range(begin, end)
            x = [[segments.u[r - lag, j] for j, lag, _ in network.taps.inputs] for r in rows]
            done[begin, end] = outputs(network, theta, np.array(x))
        y = done[begin, end][row - begin]
        y_hat[i, step] = clip(y, segments.low[row], segments.high[row])
    return y_hat


# ---------------------------------------------------------------- values and derivatives
@pytest.mark.parametrize("loop, washout", LOOPS)
@pytest.mark.parametrize("kind", KINDS)
def test_rollouts_are_those_of_the_twin(kind, loop, washout):
    network, theta, rollouts = make_problem(kind, loop, washout)
    assert len(rollouts) and (rollouts.n_steps > 1) == (loop != "open")
    y_hat, bad = network.rollout(theta, rollouts)
    assert_allclose(y_hat, follow(network, theta, rollouts), rtol=0, atol=1e-12)
    assert (bad == -1).all()
    e, half = (residuals(network, each, rollouts, follow) for each in (theta, 0.5 * theta))
    sse = network.sse(np.array([theta, 0.5 * theta]), rollouts, GO)
    assert_allclose(sse, [e @ e, half @ half], rtol=1e-12)


@pytest.mark.parametrize("loop, washout", LOOPS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_gradient_is_that_of_the_complex_step(kind, loop, washout):
    """Through both directions of all layers, gaps and bounds, in every part of theta."""
    network, theta, rollouts = make_problem(kind, loop, washout)
    along = directions(network)
    sse, Jte = network.gradient(theta, rollouts, GO)
    e = residuals(network, theta, rollouts, follow)
    expected = slopes(network, theta, rollouts, along, follow).T @ e
    assert sse == pytest.approx(e @ e, rel=1e-12)
    assert_allclose(along @ Jte, expected, rtol=0, atol=1e-9 * np.abs(expected).max())
    assert (np.abs(expected) > 1e-6).all()


def test_the_problem_has_what_stretches_meet():
    """Gaps within segments, rows of no rollout that are read, and outputs at their bounds."""
    network, theta, rollouts = make_problem("lstm", 4)
    stretches = both_ways.Stretches.of(rollouts, network.reach, network.window)
    assert_array_equal(stretches.rows[stretches.places[:, 0]], rollouts.origins)
    for i, origin in enumerate(rollouts.origins):
        at = np.searchsorted(stretches.begins, stretches.places[i, 0], side="right") - 1
        rows = stretches.rows[stretches.begins[at] :][: stretches.lengths[at]]
        assert stretches.owners[at] == i
        assert (rows[0], rows[-1] + 1) == stretch_of(network, rollouts, i, origin)
    assert len(set(stretches.lengths.tolist())) > 3
    y_hat = follow(network, theta, rollouts)
    assert (y_hat[rollouts.is_step] == rollouts.segments.low[rollouts.rows[rollouts.is_step]]).any()


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_equal_weights_give_what_torch_gives(cell):
    """Two layers of PyTorch under a head that hands their states through: values and slopes."""
    case = from_torch(cell, "both")
    (n, n_steps, m), p = case["x"].shape, case["h"].shape[2]
    taps = make_taps(0, [], range(m), n_outputs=p)
    network = BidirectionalNetwork(taps, cell, (p // 2,) * 2, linear_term=False)
    names = [f"{l}{way}" for l in (0, 1) for way in ("", "_reverse")]
    layers = np.concatenate([case[f"theta{name}"] for name in names])
    theta = np.concatenate((layers, np.eye(p).ravel(), np.zeros(p)))
    rows = n * n_steps
    segments = Segments(
        case["x"].reshape(rows, m), np.zeros((rows, p)), np.arange(0, rows + 1, n_steps)
    )
    for loop in ("open", "closed"):
        rollouts = lay_rollouts(segments, network.reach, loop)
        y_hat, _ = network.rollout(theta, rollouts)
        assert_allclose(y_hat.reshape(case["h"].shape), case["h"], rtol=1e-10, atol=1e-10)
        sse, Jte = network.gradient(theta, rollouts, GO)  # of half the sum of squares, as there
        assert sse == pytest.approx(np.sum(case["h"] ** 2), rel=1e-10)
        expected = np.concatenate([case[f"g{name}"] for name in names])
        assert_allclose(Jte[: len(expected)], expected, rtol=1e-10, atol=1e-10)


def test_masks_are_kept_along_a_sequence():
    """As if the weights from the masked units did not exist, in that sequence alone."""
    network, theta, rollouts = make_problem("peepholes", loop=4)
    masks = np.ones((len(rollouts), 4))
    masks[0, 1] = masks[0, 2] = 0.0  # a unit of each direction
    masks[1:, 3] = 2.0
    sse, Jte = network.gradient(theta, rollouts, GO, masks)
    expected = 0.0, np.zeros_like(theta)
    for part, mask in ((slice(0, 1), masks[0]), (slice(1, None), masks[1])):
        masked = theta.copy()
        for way in (2, 3):
            network.unpack(masked).layers[way]["inward"][:] *= mask[:, None]
        one, slope = network.gradient(masked, rollouts.part(part), GO)
        for way in (2, 3):
            network.unpack(slope).layers[way]["inward"][:] *= mask[:, None]
        expected = expected[0] + one, expected[1] + slope
    assert sse == pytest.approx(expected[0], rel=1e-12)
    assert_allclose(Jte, expected[1], rtol=1e-9, atol=1e-12)


# ---------------------------------------------------------------- stretches
@pytest.mark.parametrize("kind", KINDS)
def test_segments_as_a_whole_are_their_rows_one_by_one(kind):
    """Of what reads no output an open loop and a closed one are the same, gaps or not."""
    network, theta, rows = make_problem(kind, "open")
    _, _, runs = make_problem(kind, "closed")
    # each missing input is read at two lags, with a row between them
    assert len(runs) == 7 and len(rows) == runs.lengths.sum()
    (sse, Jte), (expected, slope) = (network.gradient(theta, r, GO) for r in (runs, rows))
    assert sse == pytest.approx(expected, rel=1e-12)
    assert_allclose(Jte, slope, rtol=1e-10, atol=1e-12)


def test_a_row_that_lacks_an_input_parts_what_stands_around_it():
    """It alone is not predicted; what is read before and behind it are stretches of their own."""
    network, theta, _ = make_problem("gru")
    segments = make_segments()
    run = Rollouts(segments, np.array([2]), np.array([23]))
    y_hat, bad = network.rollout(theta, run)
    assert np.flatnonzero(np.isnan(y_hat[0]).any(axis=1)).tolist() == [7, 9] and bad.tolist() == [7]
    for first, stop in ((2, 9), (12, 25)):
        alone = segments.replace(edges=np.array([0, first - 2, stop + 1, 48]))
        part = Rollouts(alone, np.array([first]), np.array([stop - first]))
        expected, _ = network.rollout(theta, part)
        assert_allclose(y_hat[0, first - 2 : stop - 2], expected[0], rtol=0, atol=1e-12)


def test_no_row_beyond_the_window_is_read():
    """Beside a run: as many rows before it as after it."""
    network, theta, _ = make_problem("lstm")
    u = np.random.default_rng(3).normal(size=(40, 2))

    def run(u):
        segments = Segments(u, np.zeros((40, 2)), np.array([0, 40]))
        return network.rollout(theta, Rollouts(segments, np.array([15]), np.array([4])))[0]

    for row, column, is_read in [(7, 0, False), (8, 0, True), (24, 1, True), (25, 1, False)]:
        other = u.copy()
        other[row, column] += 1.0
        assert np.array_equal(run(other), run(u)) != is_read, row


def test_batches_give_the_same_sums(monkeypatch):
    """However many stretches are run together."""
    network, theta, rollouts = make_problem("gru", loop=4)
    masks = network.draw_masks(len(rollouts), np.random.default_rng(0))
    assert masks is None
    masks = np.full((len(rollouts), network.n_masks), 2.0)

    def answers():
        yield from network.rollout(theta, rollouts)
        yield network.sse(np.array([theta, -theta]), rollouts, GO)
        yield from network.gradient(theta, rollouts, GO, masks)

    whole = list(answers())
    monkeypatch.setattr(both_ways, "NUMBERS_AT_ONCE", 600)
    stretches = both_ways.Stretches.of(rollouts, network.reach, network.window)
    batches = list(stretches.batches(network.taps.n_taps + 14))
    assert len(batches) > 2 and len(batches[0]) > 1
    assert_array_equal(np.sort(np.concatenate(batches)), np.arange(len(stretches.lengths)))
    for one, other in zip(whole, answers(), strict=True):
        assert_allclose(other, one, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_single_precision_is_near(kind):
    network, theta, rollouts = make_problem(kind, loop=4)
    single = make_network(**KINDS[kind], dtype="float32")
    y_hat, _ = single.rollout(theta, rollouts)
    exact, _ = network.rollout(theta, rollouts)
    assert y_hat.dtype == np.float64 and not np.array_equal(y_hat, exact)
    assert_allclose(y_hat, exact, atol=1e-4)
    (sse, Jte), (expected, slope) = (one.gradient(theta, rollouts, GO) for one in (single, network))
    assert sse == pytest.approx(expected, rel=1e-4)
    assert_allclose(Jte, slope, atol=1e-4 * np.abs(slope).max())


def test_what_diverges_is_nan_there_alone():
    """Nothing is fed back, so that later rows are what they are; the loss is infinite."""
    network = make_network(cell="relu", linear_term=True)
    segments = make_segments().replace(low=None, high=None)
    segments.u[16, 0] = 1e6
    theta = np.zeros(network.n_params)
    network.unpack(theta).straight[0] = 1.0  # u at lag 0
    rollouts = Rollouts(segments, np.array([14, 17]), np.array([6, 3]))
    y_hat, bad = network.rollout(theta, rollouts)
    assert bad.tolist() == [2, -1]
    assert np.flatnonzero(np.isnan(y_hat[0]).any(axis=1)).tolist() == [2]
    assert network.sse(theta[None], rollouts, GO)[0] == np.inf
    assert network.gradient(theta, rollouts, GO)[0] == np.inf
    assert np.isfinite(network.sse(theta[None], rollouts.part([1]), GO)[0])


def test_nothing_to_read_gives_nothing():
    """No rollout at all, and one over a single row that lacks its input."""
    network, theta, rollouts = make_problem("lstm", "closed")
    none = rollouts.part(np.empty(0, dtype=int))
    assert network.rollout(theta, none)[0].shape == (0, 0, 2)
    assert network.sse(theta[None], none, GO)[0] == 0.0
    unread = Rollouts(rollouts.segments, np.array([9]), np.array([1]))
    y_hat, bad = network.rollout(theta, unread)
    assert np.isnan(y_hat).all() and bad.tolist() == [0]


def test_a_flag_stops_the_kernels():
    network, theta, rollouts = make_problem("lstm", loop=4)
    stop = np.ones(1, dtype=np.int32)
    assert np.isnan(network.sse(theta[None], rollouts, stop)).all()
    assert np.isnan(network.gradient(theta, rollouts, stop)[0])


# ---------------------------------------------------------------- structure and starts
@pytest.mark.parametrize("kind", KINDS)
def test_parts_of_theta(kind):
    """Views, in groups that share them out; each layer reads both directions of the one below."""
    network = make_network(**KINDS[kind])
    theta = np.zeros(network.n_params)
    weights = network.unpack(theta)
    sizes, below = network.hidden_layer_sizes, network.taps.n_taps
    h, b, x = {"lstm": (4, 4, 4), "gru": (3, 4, 3)}.get(network.cell, (1, 1, 1))
    pairs = zip(weights.layers[::2], weights.layers[1::2], sizes, strict=True)
    for *both, H in pairs:
        shapes = {"recurrent": (H, h * H), "bias": (b * H,), "inward": (below, x * H)}
        shapes |= {"peepholes": (3, H)} if network.peepholes else {}
        for layer in both:
            assert {name: part.shape for name, part in layer.items()} == shapes
            layer["bias"][:] = 1.0
        below = 2 * H
    assert weights.outward.shape == (2 * sizes[-1], 2)
    weights.intercept[:] = 1.0
    if network.linear_term:
        weights.straight[:] = 2.0
    groups = network.groups
    for number, name in enumerate(("weights", "intercepts", "linear")):
        assert_array_equal(groups[name], theta == number)
    start = network.initial(np.random.default_rng(0))
    forwards, backwards = network.unpack(start).layers[:2]
    assert not np.allclose(forwards["recurrent"], backwards["recurrent"])
    assert network.is_linear(start) == network.linear_term


def test_gates_of_both_directions_begin_with_memories_of_their_own():
    network = make_network(cell="gru", hidden_layer_sizes=(40, 30), chrono_t_max=50)
    layers = network.unpack(network.initial(np.random.default_rng(0))).layers
    times = np.concatenate([np.exp(layer["bias"].reshape(4, -1)[2]) for layer in layers])
    assert len(np.unique(times)) == 140 and np.ptp(times) > 40.0
    assert times.min() >= 1.0 and times.max() <= 49.0


def test_what_it_cannot_do_is_missing():
    """And so no solver that needs it takes the network."""
    network, _, rollouts = make_problem("lstm")
    for verb in ("normal_equations", "residuals_and_jacobian", "gain", "input_gradient"):
        assert not hasattr(network, verb)
    assert not hasattr(Objective(network, rollouts), "normal_equations")
    assert network.describe()["bidirectional"] is True
    twin = pickle.loads(pickle.dumps(network))
    assert twin == network and twin.n_params == network.n_params
