"""Compiled kernels of cells against their slow twin, PyTorch, and the promises around them."""

import ast
import importlib.util
import pickle
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import reference_cells
from narxkit import _recurrent
from narxkit._blas import one_blas_thread
from reference import STEP, relative_error
from reference_cells import KINDS, SHAPES, Batch, Cells

GO = np.zeros(1, dtype=np.int32)
HALT = np.ones(1, dtype=np.int32)
DATA = Path(__file__).parent / "data"
PROBLEMS = list(product(KINDS, SHAPES, (False, True)))
BLOCKS = [1, 3, 8]  # by hand, several, all

every_problem = pytest.mark.parametrize(
    "which", PROBLEMS, ids=lambda w: f"{w[0][0]}{'-peepholes' * w[0][1]}-{w[1]}-{w[2]}"
)
every_block = pytest.mark.parametrize("block", BLOCKS)


@pytest.fixture(autouse=True, scope="module")
def _one_blas_thread():
    """As during a fit."""
    with one_blas_thread():
        yield


@cache
def problem(which):
    (cell, peepholes), shape, own = which
    return reference_cells.make_problem(cell, peepholes, SHAPES[shape], own, seed=2 + own)


@cache
def exact(which):
    """Residuals of the twin, and directions with the derivatives along them."""
    p, rng = problem(which), np.random.default_rng(0)
    e = reference_cells.residuals(p.cells, p.theta, p.batch)
    directions = rng.normal(size=(6, len(p.theta)))
    along = [reference_cells.along(p.cells, p.theta, p.batch, d) for d in directions]
    return e, directions, np.array(along)


# ---------------------------------------------------------------- the kernels, with their arrays
def run(cells, theta, batch, block=0, dtype=np.float64, stop=GO):
    plan, (N, T, _) = cells.plan, batch.x.shape
    y_hat = np.empty((N, T - batch.first, cells.n_outputs), dtype)
    bad, end = np.empty(N, dtype=np.intp), np.empty((N, cells.n_state), dtype)
    windows = batch.windows(plan, dtype)
    assert _recurrent.run(plan, theta, windows, stop, y_hat, bad, end, block)
    return y_hat, bad, end


def gradient(cells, theta, batch, block=0, dtype=np.float64, adjoint=None, stop=GO):
    plan = cells.plan
    g, dx = np.empty(plan.n_params), np.empty(batch.x.shape, dtype)
    dstate = np.empty((len(batch.x), plan.n_state), dtype)
    windows = batch.windows(plan, dtype)
    sse = _recurrent.gradient(plan, theta, windows, stop, g, dstate, dx, adjoint, block)
    return sse, g, dstate, dx


def sse(cells, thetas, batch, block=0, stop=GO):
    answer = np.empty(len(thetas))
    windows = batch.windows(cells.plan)
    _recurrent.sums_of_squares(cells.plan, thetas, windows, stop, answer, block)
    return answer


def normal_equations(cells, theta, batch, forwards=None, block=0, stop=GO):
    P = len(theta)
    JtJ, Jte = np.empty((P, P)), np.empty(P)
    windows = batch.windows(cells.plan)
    answer = _recurrent.normal_equations(
        cells.plan, theta, windows, stop, JtJ, Jte, forwards, block
    )
    return answer, JtJ, Jte


def jacobian(cells, theta, batch, forwards=None, block=0):
    e = np.empty((len(batch.x), batch.x.shape[1] - batch.first, cells.n_outputs))
    J, windows = np.empty((*e.shape, len(theta))), batch.windows(cells.plan)
    _recurrent.residuals_and_jacobian(cells.plan, theta, windows, GO, e, J, forwards, block)
    return e, J


def every_kernel(p, dtype=np.float64):
    """What all of them answer."""
    thetas = np.stack([p.theta, 0.5 * p.theta])
    return [
        *run(p.cells, p.theta, p.batch, dtype=dtype),
        *gradient(p.cells, p.theta, p.batch, dtype=dtype),
        sse(p.cells, thetas, p.batch),
        *normal_equations(p.cells, p.theta, p.batch, False),
        *normal_equations(p.cells, p.theta, p.batch, True),
    ]


# ---------------------------------------------------------------- against the twin
@every_block
@every_problem
def test_outputs_equal_the_twin(which, block):
    """Outputs, first bad steps and last states; NaN where a sequence is not."""
    p = problem(which)
    y_hat, bad, end = run(p.cells, p.theta, p.batch, block)
    exact_y, exact_bad, exact_end = reference_cells.run(p.cells, p.theta, p.batch)
    assert np.isfinite(y_hat).mean() > 0.2
    assert_allclose(y_hat, exact_y, rtol=1e-12, atol=1e-12)
    assert_allclose(end, exact_end, rtol=1e-12, atol=1e-12)
    assert_array_equal(bad, exact_bad)


@every_block
@every_problem
def test_gradients_equal_the_complex_step(which, block):
    """By the parameters, by the states before and by x, all of the same sum of squares."""
    p, (e, directions, along) = problem(which), exact(which)
    sse, g, dstate, dx = gradient(p.cells, p.theta, p.batch, block)
    assert sse == pytest.approx(e @ e, rel=1e-12)
    assert_allclose(directions @ g, along @ e, rtol=1e-11, atol=1e-11)
    rng = np.random.default_rng(1)
    for name, by in (("state", dstate), ("x", dx)):
        d = rng.normal(size=by.shape)
        step = reference_cells.along(p.cells, p.theta, p.batch, **{name: d})
        assert np.sum(d * by) == pytest.approx(step @ e, rel=1e-11, abs=1e-11)


@pytest.mark.parametrize("forwards", [False, True])
@every_problem
def test_normal_equations_equal_the_complex_step(which, forwards):
    """Backwards from each output, and forwards with the state; J'e is the gradient."""
    p, (e, directions, along) = problem(which), exact(which)
    sse, JtJ, Jte = normal_equations(p.cells, p.theta, p.batch, forwards, block=3)
    assert sse == pytest.approx(e @ e, rel=1e-12)
    assert_allclose(directions @ JtJ @ directions.T, along @ along.T, rtol=1e-10, atol=1e-10)
    assert relative_error(Jte, gradient(p.cells, p.theta, p.batch)[1]) < 1e-12
    assert_array_equal(JtJ, JtJ.T)


@pytest.mark.parametrize("forwards", [False, True])
@every_problem
def test_rows_of_the_jacobian_stand_where_their_targets_do(which, forwards):
    p, (e, directions, along) = problem(which), exact(which)
    residuals, J = jacobian(p.cells, p.theta, p.batch, forwards, block=3)
    counts = reference_cells.counted(p.batch)
    assert not residuals[~counts].any() and not J[~counts].any()
    assert_allclose(residuals[counts], e, rtol=1e-12, atol=1e-12)
    assert_allclose(J[counts] @ directions.T, along.T, rtol=1e-10, atol=1e-10)


@every_problem
def test_a_step_is_linearised_as_the_complex_step_says(which):
    """Outputs and state after a few steps, by the parameters and by the state before them."""
    p, rng = problem(which), np.random.default_rng(2)
    cells, P, n = p.cells, len(p.theta), p.cells.n_state
    names = ("x", "own", "low", "high", "shocks", "state", "masks")
    arrays = {name: getattr(p.batch, name) for name in names}
    batch = Batch(**{k: v if v is None else v[:1].copy() for k, v in arrays.items()})
    y_hat, end = np.empty(2), np.empty(n)
    d_y, d_end = np.empty((2, P + n)), np.empty((n, P + n))
    _recurrent.linearise(cells.plan, p.theta, batch.windows(cells.plan), y_hat, end, d_y, d_end)
    d = rng.normal(size=P + n)
    state = batch.state + 1j * STEP * d[P:]
    path, _, last = reference_cells.run(
        cells, p.theta + 1j * STEP * d[:P], replace(batch, state=state)
    )
    assert_allclose(y_hat, path[0, -1].real, rtol=1e-12, atol=1e-12)
    assert_allclose(end, last[0].real, rtol=1e-12, atol=1e-12)
    assert_allclose(d_y @ d, path[0, -1].imag / STEP, rtol=1e-11, atol=1e-11)
    assert_allclose(d_end @ d, last[0].imag / STEP, rtol=1e-11, atol=1e-11)


@every_problem
def test_sums_of_squares_are_those_of_the_residuals(which):
    p = problem(which)
    thetas = np.stack([p.theta, 0.5 * p.theta, 0.0 * p.theta])
    residuals = [reference_cells.residuals(p.cells, theta, p.batch) for theta in thetas]
    assert_allclose(sse(p.cells, thetas, p.batch), [e @ e for e in residuals], rtol=1e-12)


@every_problem
def test_single_precision_is_close_to_the_twin(which):
    p = problem(which)
    y_hat, _, end = run(p.cells, p.theta, p.batch, 3, np.float32)
    exact_y, _, exact_end = reference_cells.run(p.cells, p.theta, p.batch)
    assert_allclose(y_hat, exact_y, rtol=1e-5, atol=1e-5)
    assert_allclose(end, exact_end, rtol=1e-5, atol=1e-5)
    singles, doubles = (
        gradient(p.cells, p.theta, p.batch, 3, dtype) for dtype in (np.float32, np.float64)
    )
    for single, double in zip(singles, doubles):
        assert relative_error(np.asarray(single), np.asarray(double)) < 1e-5


@pytest.mark.parametrize("dtype, bound", [(np.float64, 1e-15), (np.float32, 5e-7)])
def test_tanh_and_sigmoid_have_all_their_digits(dtype, bound):
    """Relative errors over all that a gate may see, saturation and tiny values included."""
    x = np.linspace(-30, 30, 2001)
    x = np.r_[x, np.geomspace(1e-20, 1.0, 101)].astype(dtype)
    elman, lstm = Cells("tanh", 1, (1,)), Cells("lstm", 1, (1,))
    _, _, tanh = run(elman, np.array([0.0, 0.0, 1.0, 0.0, 0.0]), Batch(x[:, None, None]), 3, dtype)
    exact = np.tanh(x.astype(float))
    assert np.max(np.abs(tanh[:, 0] - exact) / np.abs(exact + (exact == 0))) < bound
    # i = sigmoid(x) and g = tanh(30) = 1: c is the sigmoid
    theta = np.array([0, 0, 0, 0, 0, 0, 30, 0, 1, 0, 0, 0, 0, 0], dtype=float)
    _, _, end = run(lstm, theta, Batch(x[:, None, None]), 3, dtype)
    exact = 1 / (1 + np.exp(-x.astype(float)))
    assert np.max(np.abs(end[:, 1] - exact) / exact) < bound


# ---------------------------------------------------------------- against PyTorch
@cache
def fixture():
    with np.load(DATA / "torch_cells.npz") as file:
        return dict(file)


def from_torch(cell, layers):
    prefix = f"{cell}-{layers}-"
    return {name[len(prefix) :]: a for name, a in fixture().items() if name.startswith(prefix)}


@pytest.mark.parametrize("cell", ["lstm", "gru", "tanh", "relu"])
@pytest.mark.parametrize("layers", [1, 2])
def test_equal_weights_give_what_torch_gives(cell, layers):
    """Outputs, last states and gradients by parameters, inputs and states."""
    case = from_torch(cell, layers)
    cells = Cells(cell, 2, (4,) * layers, 2)
    batch = Batch(case["x"], y=case["y"], state=case["state"])
    y_hat, _, end = run(cells, case["theta"], batch)
    _, g, dstate, dx = gradient(cells, case["theta"], batch)
    for ours, theirs in zip((y_hat, end, g, dstate, dx), ("y_hat", "end", "g", "dstate", "dx")):
        assert_allclose(ours, case[theirs], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_layers_that_read_both_ways_give_what_torch_gives(cell):
    """Put together of networks without a head, one of which reads backwards in time."""
    case, WAYS = from_torch(cell, "both"), {"": slice(None), "_reverse": slice(None, None, -1)}
    x, read = case["x"], []
    for l in range(2):
        cells = Cells(cell, x.shape[2], (4,), 4, head=False)
        read.append((cells, x))
        x = np.concatenate(
            [
                run(cells, case[f"theta{l}{way}"], Batch(x[:, order].copy()))[0][:, order]
                for way, order in WAYS.items()
            ],
            axis=2,
        )
    assert_allclose(x, case["h"], rtol=1e-10, atol=1e-10)
    adjoint = x
    for l, (cells, x) in reversed(list(enumerate(read))):
        below = np.zeros_like(x)
        for part, (way, order) in zip(np.split(adjoint, 2, axis=2), WAYS.items()):
            batch, part = Batch(x[:, order].copy()), part[:, order].copy()
            _, g, _, dx = gradient(cells, case[f"theta{l}{way}"], batch, adjoint=part)
            assert_allclose(g, case[f"g{l}{way}"], rtol=1e-10, atol=1e-10)
            below += dx[:, order]
        adjoint = below
    assert_allclose(adjoint, case["dx"], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("cell, peepholes", KINDS)
def test_without_a_head_the_outputs_are_the_last_units(cell, peepholes):
    """Also where they are large: they are no predictions."""
    rng = np.random.default_rng(0)
    cells = Cells(cell, 2, (3, 5), 5, False, peepholes, head=False)
    theta = rng.normal(scale=0.5, size=cells.plan.n_params)
    batch = Batch(rng.normal(size=(4, 6, 2)), y=rng.normal(size=(4, 6, 5)))
    y_hat, bad, end = run(cells, theta, batch, 3)
    exact_y, _, exact_end = reference_cells.run(cells, theta, batch)
    assert_allclose(y_hat, exact_y, rtol=1e-12, atol=1e-12)
    assert_allclose(end, exact_end, rtol=1e-12, atol=1e-12)
    d = rng.normal(size=len(theta))
    e = reference_cells.residuals(cells, theta, batch)
    along = reference_cells.along(cells, theta, batch, d)
    assert gradient(cells, theta, batch, 3)[1] @ d == pytest.approx(along @ e, rel=1e-11)
    large = run(cells, theta, Batch(1e6 * batch.x), 3)
    assert np.isfinite(large[0]).all() and (large[1] == -1).all()
    with pytest.raises(ValueError, match="a Jacobian needs the outputs of a network with a head"):
        normal_equations(cells, theta, batch)


def test_the_stored_answers_are_those_of_torch():
    pytest.importorskip("torch")
    path = DATA / "make_torch_cells.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, array in module.make_all().items():
        assert_allclose(fixture()[name], array, rtol=1e-10, atol=1e-10)


# ---------------------------------------------------------------- sequences
@every_block
def test_a_sequence_is_alone(block):
    """Neither the others of its block nor what stands outside its steps change its answers."""
    p = problem((("lstm", False), "three layers", True))
    y_hat, _, end = run(p.cells, p.theta, p.batch, block)
    outside = np.ones(p.batch.x.shape[:2], dtype=bool)
    for i, (begin, stop) in enumerate(zip(p.batch.begins, p.batch.ends)):
        outside[i, begin:stop] = False
    x = np.where(outside[..., None], np.nan, p.batch.x)
    again, _, end_again = run(p.cells, p.theta, replace(p.batch, x=x), block)
    assert_array_equal(again, y_hat)
    assert_array_equal(end_again, end)
    assert np.isfinite(gradient(p.cells, p.theta, replace(p.batch, x=x), block)[1]).all()
    for i, (begin, stop) in enumerate(zip(p.batch.begins, p.batch.ends)):
        names = ("x", "y", "weight", "own", "low", "high", "shocks")
        cut = {name: getattr(p.batch, name)[i : i + 1, begin:stop].copy() for name in names}
        cut |= {name: getattr(p.batch, name)[i : i + 1] for name in ("state", "masks")}
        single, _, last = run(p.cells, p.theta, Batch(**cut))
        assert_allclose(single[0], y_hat[i, begin:stop], rtol=1e-13, atol=1e-13)
        assert_allclose(last[0], end[i], rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_windows_into_tables_are_those_cut_out_of_them(dtype):
    """The same bits, overlapping windows and one that begins behind the start of the table."""
    rng, n, T = np.random.default_rng(0), 30, 8
    cells = Cells("lstm", 3, (5,), 2, True, outputs=((0, 1),))
    plan, theta = cells.plan, rng.normal(scale=0.5, size=cells.plan.n_params)
    tables = {"x": (n, 3), "y": (n, 2), "weight": (n,), "low": (n, 2), "high": (n, 2)}
    tables = {name: rng.normal(size=shape).astype(dtype) for name, shape in tables.items()}
    tables["weight"] **= 2
    tables["low"] -= 1.5
    tables["high"] += 1.5
    starts, begins, ends = np.array([4, 5, -3, 22]), np.array([0, 1, 3, 0]), np.array([8, 8, 7, 8])
    shared = {"begins": begins, "ends": ends, "first": 2}
    shared["own"] = (rng.uniform(size=(4, T, 2)) < 0.5).astype(np.uint8)
    rows = np.maximum(starts[:, None] + np.arange(T), 0)
    cut = {name: table[rows] for name, table in tables.items()}
    cut |= {name: np.ascontiguousarray(cut[name][:, 2:]) for name in ("y", "weight")}
    answers = []
    for windows in (
        _recurrent.Windows(plan, **cut, **shared),
        _recurrent.Windows(plan, **tables, **shared, starts=starts, steps=T),
    ):
        g, dx = np.empty(plan.n_params), np.empty((4, T, 3), dtype)
        sse = _recurrent.gradient(plan, theta, windows, GO, g, None, dx)
        y_hat, bad, end = np.empty((4, 6, 2), dtype), np.empty(4, np.intp), np.empty((4, 10), dtype)
        _recurrent.run(plan, theta, windows, GO, y_hat, bad, end)
        answers.append([sse, g, dx, y_hat, bad, end])
    assert np.isfinite(answers[0][0]) and answers[0][1].all()
    assert_same_bits(*answers)


@pytest.mark.parametrize("cell, peepholes", KINDS)
def test_a_run_goes_on_from_its_last_state(cell, peepholes):
    """Two halves, and a stream, are the whole."""
    rng = np.random.default_rng(0)
    cells = Cells(cell, 3, (5, 4), 2, True, peepholes)
    theta = rng.normal(scale=0.5, size=cells.plan.n_params)
    x = rng.normal(size=(4, 9, 3))
    whole, _, end = run(cells, theta, Batch(x))
    first, _, middle = run(cells, theta, Batch(x[:, :5].copy()))
    second, _, last = run(cells, theta, Batch(x[:, 5:].copy(), state=middle))
    assert_allclose(np.concatenate((first, second), axis=1), whole, rtol=1e-14, atol=1e-14)
    assert_allclose(last, end, rtol=1e-14, atol=1e-14)
    for dtype, bound in ((np.float64, 1e-13), (np.float32, 1e-5)):
        streamed, rows = np.empty((9, 2), dtype), x[0].astype(dtype)
        stream = _recurrent.Stream(cells.plan, theta, dtype)
        stream.walk(rows[:4], streamed[:4])
        other = _recurrent.Stream(cells.plan, theta, dtype, stream.state)
        other.walk(rows[4:], streamed[4:])
        assert_allclose(streamed, whole[0], rtol=bound, atol=bound)
        assert_allclose(other.state, end[0], rtol=bound, atol=bound)


def test_teacher_forcing_is_a_run_on_outputs_that_were_put_in():
    """With its own path as the taps, an open run gives that path again."""
    p = problem((("gru", False), "one layer", True))
    own = np.ones_like(p.batch.own)
    batch = replace(p.batch, own=own, masks=None, begins=None, ends=None)
    y_hat, _, _ = run(p.cells, p.theta, batch)
    x = batch.x.copy()
    for k, (column, lag) in enumerate(p.cells.outputs):
        x[:, lag:, k] = y_hat[:, :-lag, column]
    forced, _, _ = run(p.cells, p.theta, replace(batch, x=x, own=None))
    assert_allclose(forced, y_hat, rtol=1e-14, atol=1e-14)


def test_an_adjoint_takes_the_place_of_the_residuals():
    """With that of the residuals, the gradient is the same; nothing needs targets."""
    p = problem((("lstm", True), "one layer", True))
    batch = replace(p.batch, begins=None, ends=None)
    y_hat, _, _ = run(p.cells, p.theta, batch)
    adjoint = np.nan_to_num(batch.weight[..., None] * (y_hat - batch.y))
    expected = gradient(p.cells, p.theta, batch)[1:]
    answers = gradient(p.cells, p.theta, replace(batch, y=None, weight=None), adjoint=adjoint)
    assert answers[0] == 0.0
    for ours, theirs in zip(answers[1:], expected):
        assert_allclose(ours, theirs, rtol=1e-13, atol=1e-13)


def doubling():
    """y_t = 2 y_{t-1}, by the linear path."""
    cells = Cells("lstm", 1, (1,), 1, True, outputs=((0, 1),))
    theta = np.zeros(cells.plan.n_params)
    theta[-1] = 2.0
    return cells, theta


@every_block
def test_a_run_that_diverges_ends_with_its_first_bad_step(block):
    cells, theta = doubling()
    x = np.zeros((3, 8, 1))
    x[:, 0, 0] = [1e2, 1.0, 1e3]
    own = np.ones((3, 8, 1), dtype=np.uint8)
    batch = Batch(x, own=own, y=np.zeros((3, 8, 1)))
    y_hat, bad, end = run(cells, theta, batch, block)
    assert_array_equal(bad, [3, -1, 0])
    assert_allclose(y_hat[0, :4, 0], [200, 400, 800, np.nan])
    assert np.isnan(y_hat[0, 3:]).all() and np.isfinite(y_hat[1]).all()
    assert_array_equal(np.isnan(end).any(axis=1), [True, False, True])
    assert gradient(cells, theta, batch, block)[0] == np.inf
    assert_array_equal(sse(cells, np.stack([theta, 0 * theta]), batch, block), [np.inf, 0.0])
    for forwards in (False, True):
        assert normal_equations(cells, theta, batch, forwards, block)[0] == np.inf


def test_a_bad_step_on_measured_outputs_stays_alone():
    cells, theta = doubling()
    x = np.ones((1, 5, 1))
    x[0, 2] = 1e3
    y_hat, bad, end = run(cells, theta, Batch(x))
    assert_allclose(y_hat[0, :, 0], [2, 2, np.nan, 2, 2])
    assert bad[0] == 2 and np.isfinite(end).all()


@pytest.mark.parametrize("cell", ["lstm", "relu"])
def test_long_runs_go_forwards_and_short_ones_backwards(cell):
    """The choice changes no number, and is left to the cost."""
    cells, rng = Cells(cell, 2, (3,), outputs=((0, 1),)), np.random.default_rng(0)
    theta = rng.normal(scale=0.3, size=cells.plan.n_params)
    for steps, forwards in ((3, False), (200, True)):
        x, y = rng.normal(size=(2, steps, 2)), rng.normal(size=(2, steps, 1))
        batch = Batch(x, y=y, own=np.ones((2, steps, 1), dtype=np.uint8))
        chosen = normal_equations(cells, theta, batch)
        same, other = (normal_equations(cells, theta, batch, f) for f in (forwards, not forwards))
        assert_array_equal(chosen[1], same[1])
        assert relative_error(other[1], same[1]) < 1e-11


def test_no_sequences_no_errors():
    cells = Cells("gru", 2, (3,))
    theta, none = np.ones(cells.plan.n_params), Batch(np.empty((0, 4, 2)), y=np.empty((0, 4, 1)))
    assert run(cells, theta, none)[0].shape == (0, 4, 1)
    assert gradient(cells, theta, none)[0] == 0.0 and not gradient(cells, theta, none)[1].any()
    assert normal_equations(cells, theta, none)[0] == 0.0
    assert_array_equal(sse(cells, theta[None], none), [0.0])


# ---------------------------------------------------------------- bits, threads, the stop flag
@pytest.fixture(scope="module")
def busy():
    """A problem of several blocks."""
    return reference_cells.make_problem("lstm", True, (9, 4), True, n=40, steps=9)


def assert_same_bits(answers, others):
    for a, b in zip(answers, others, strict=True):
        assert np.asarray(a).tobytes() == np.asarray(b).tobytes()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_same_call_same_bits_in_any_thread(busy, dtype):
    alone = every_kernel(busy, dtype)
    with ThreadPoolExecutor(4) as pool:
        for answers in pool.map(lambda _: every_kernel(busy, dtype), range(6)):
            assert_same_bits(answers, alone)


def test_kernels_take_read_only_arrays(busy):
    arrays = {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in vars(busy.batch).items()}
    for array in arrays.values():
        if isinstance(array, np.ndarray):
            array.setflags(write=False)
    theta = busy.theta.copy()
    theta.setflags(write=False)
    locked = replace(busy, theta=theta, batch=Batch(**arrays))
    assert_same_bits(every_kernel(locked), every_kernel(busy))


def test_memory_is_that_of_a_block():
    """Ten times as many sequences need no byte more."""
    cells = Cells("lstm", 2, (6,))
    theta, peaks = np.ones(cells.plan.n_params), []
    for n in (50, 500):
        windows = Batch(np.ones((n, 7, 2)), y=np.ones((n, 7, 1))).windows(cells.plan)
        g = np.empty(len(theta))
        tracemalloc.start()
        _recurrent.gradient(cells.plan, theta, windows, GO, g, block=8)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 1000


def test_a_raised_flag_stops_every_kernel(busy):
    cells, theta, batch = busy.cells, busy.theta, busy.batch
    assert np.isnan(gradient(cells, theta, batch, stop=HALT)[0])
    assert np.isnan(sse(cells, theta[None], batch, stop=HALT)[0])
    for forwards in (False, True):
        assert np.isnan(normal_equations(cells, theta, batch, forwards, stop=HALT)[0])
    with pytest.raises(AssertionError):
        run(cells, theta, batch, stop=HALT)


def test_another_thread_may_stop_a_long_run():
    """Which needs the interpreter while the kernel runs: it does not hold the lock."""
    cells, steps = Cells("lstm", 2, (32,)), 20_000
    batch = Batch(np.zeros((64, steps, 2)), y=np.zeros((64, 1, 1)), first=steps - 1)
    stop = np.zeros(1, dtype=np.int32)
    thetas = np.zeros((100, cells.plan.n_params))  # minutes
    answers = np.empty(100)
    args = cells.plan, thetas, batch.windows(cells.plan), stop, answers
    worker = threading.Thread(target=_recurrent.sums_of_squares, args=args, daemon=True)
    worker.start()
    time.sleep(0.05)
    stop[0] = 1
    worker.join(10)
    assert not worker.is_alive() and np.isnan(answers[-1])


# ---------------------------------------------------------------- the plan, and what is refused
@every_problem
def test_parts_follow_each_other(which):
    """Blocks by name fill theta without a gap."""
    plan, at = problem(which).cells.plan, 0
    for _, _, offset, shape in plan.parts:
        assert offset == at
        at += int(np.prod(shape))
    assert at == plan.n_params


def test_a_plan_is_what_it_was_made_from():
    plan = Cells("lstm", 4, (5, 3), 2, True, True, ((0, 1), (1, 2))).plan
    twin = pickle.loads(pickle.dumps(plan))
    assert twin.args == plan.args and twin.parts == plan.parts
    assert (twin.n_params, twin.n_state, twin.n_masks) == (plan.n_params, 16, 5)


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"x": np.zeros((2, 3, 4))}, r"x must be a contiguous array of shape \(2, 3, 2\)"),
        (
            {"x": np.zeros((2, 3, 2), int)},
            "x must be an array of dtype float64 or float32, not int64",
        ),
        ({"x": [[[0.0, 0.0]]]}, "x must be an array of dtype float64 or float32, not list"),
        ({"x": np.zeros((2, 2, 3)).transpose(0, 2, 1)}, "x must be a contiguous array"),
        ({"y": np.zeros((2, 3, 2))}, r"y must be .* of shape \(2, 3, 1\)"),
        ({"state": np.zeros((2, 3))}, r"state must be .* of shape \(2, 6\)"),
        ({"own": np.zeros((2, 3, 1))}, "own must be .* dtype uint8"),
        ({"low": np.zeros((2, 3, 1))}, "low and high bounds come together"),
        ({"ends": np.array([3, 4])}, "must begin and end, in this order, within 3 steps"),
        ({"begins": np.array([2, 0]), "ends": np.array([1, 3])}, "must begin and end"),
        ({"x": np.zeros((9, 2)), "starts": np.array([0, 7]), "steps": 3}, "within the 9 rows"),
        ({"x": np.zeros((9, 2)), "starts": np.array([-1, 5]), "steps": 3}, "within the 9 rows"),
        ({"first": 4}, "outputs from step 4 on need as many steps, not 3"),
    ],
)
def test_windows_that_do_not_fit_are_refused(change, sentence):
    arrays = {"x": np.zeros((2, 3, 2))} | change
    with pytest.raises(ValueError, match=sentence):
        _recurrent.Windows(Cells("lstm", 2, (3,)).plan, **arrays)


def test_outputs_and_parameters_that_do_not_fit_are_refused():
    cells = Cells("lstm", 2, (3,))
    batch, theta = Batch(np.zeros((2, 3, 2))), np.zeros(cells.plan.n_params)
    with pytest.raises(ValueError, match="has 76 parameters, not 75"):
        run(cells, theta[1:], batch)
    with pytest.raises(ValueError, match="windows without targets have no errors"):
        gradient(cells, theta, batch)
    with pytest.raises(ValueError, match=r"contiguous, of shape \(2, 3, 1\) and of dtype float64"):
        args = cells.plan, theta, batch.windows(cells.plan), GO
        _recurrent.run(*args, np.empty((2, 3, 2)), np.empty(2, np.intp), np.empty((2, 6)))
    singles = replace(batch, y=np.zeros((2, 3, 1))).windows(cells.plan, np.float32)
    with pytest.raises(ValueError, match="a Jacobian needs x in double precision"):
        JtJ = np.empty((76, 76))
        _recurrent.normal_equations(cells.plan, theta, singles, GO, JtJ, JtJ[0])
    with pytest.raises(ValueError, match=r"J'J and J'e of 76 parameters have shapes \(76, 76\)"):
        _recurrent.normal_equations(cells.plan, theta, singles, GO, JtJ[:75], JtJ[0])
    with pytest.raises(ValueError, match=r"e has shape \(2, 3, 1\), and J one more axis, of 76"):
        J = np.empty((2, 3, 1, 75))
        _recurrent.residuals_and_jacobian(cells.plan, theta, singles, GO, J[..., 0].copy(), J)
    answers = np.empty(1), np.empty(6), np.empty((1, 82)), np.empty((6, 82))
    with pytest.raises(ValueError, match="one sequence in double precision"):
        _recurrent.linearise(cells.plan, theta, batch.windows(cells.plan), *answers)
    one = Batch(np.zeros((1, 3, 2)), ends=np.array([0])).windows(cells.plan)
    with pytest.raises(ValueError, match="without a last step, or without its output, has none"):
        _recurrent.linearise(cells.plan, theta, one, *answers)
    with pytest.raises(ValueError, match="y_hat, end and their derivatives have shapes"):
        _recurrent.linearise(cells.plan, theta, one, *answers[:3], answers[3][:5])
    with pytest.raises(ValueError, match="a stream needs contiguous rows of 2 numbers"):
        _recurrent.Stream(cells.plan, theta).walk(np.zeros((3, 3)), np.zeros((3, 1)))
    with pytest.raises(ValueError, match=r"the state has shape \(6,\), not \(5,\)"):
        _recurrent.Stream(cells.plan, theta, state=np.zeros(5))


def test_cells_and_layers_that_there_are_not_are_refused():
    with pytest.raises(ValueError, match="between 1 and 32 layers are supported, not 33"):
        _ = Cells("gru", 1, (1,) * 33).plan
    with pytest.raises(ValueError, match="peepholes belong to an LSTM: a cell 'gru' has none"):
        _ = Cells("gru", 1, (1,), peepholes=True).plan
    with pytest.raises(ValueError, match="without a head the outputs are the 3 units of the last"):
        _ = Cells("gru", 1, (4, 3), 1, head=False).plan
    with pytest.raises(ValueError, match="'rnn' is no cell: choose from lstm, gru, tanh, relu"):
        _ = Cells("rnn", 1, (1,)).plan


def test_stub_and_module_have_the_same_names():
    tree = ast.parse((Path(_recurrent.__file__).parent / "_recurrent.pyi").read_text())
    stubbed = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    stubbed |= {node.target.id for node in tree.body if isinstance(node, ast.AnnAssign)}
    public = {name for name in vars(_recurrent) if not name.startswith("_")}
    imported = {"np", "cache", "threadpool_info"}
    assert public - imported == {name for name in stubbed if not name.startswith("_")}
