"""The training loss and its derivatives against the slow twin in `reference`."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import reference
from narxkit._blas import one_blas_thread
from narxkit.networks import make_taps
from narxkit.networks.tapped_mlp import TappedMLP
from narxkit.rows.rollouts import Rollouts
from narxkit.rows.segments import Segments
from narxkit.training.objective import Objective

every_problem = pytest.mark.parametrize("seed", reference.PROBLEMS, ids=reference.describe)
ALPHA = 0.3


@pytest.fixture(autouse=True, scope="module")
def _one_blas_thread():
    """Hold BLAS to one thread, as during a fit."""
    with one_blas_thread():
        yield


def objective_of(problem, alpha=ALPHA, **options):
    return Objective.over(
        problem.network,
        problem.segments,
        alpha=alpha,
        sample_weight=problem.weight,
        targets=problem.targets,
        **options,
    )


def some_problem(seed=17):
    """Return three hidden layers, weights, missing values and bounds."""
    problem = reference.make_problem(seed)
    return problem, objective_of(problem)


# ---------------------------------------------------------------- derivatives
@every_problem
def test_derivatives_equal_the_complex_step(seed):
    """Jacobian, J'J, J'e and gradient within 1e-9 of the twin's, by the norm."""
    problem = reference.make_problem(seed)
    objective, theta = objective_of(problem), problem.theta
    data = problem.network, theta, problem.segments, problem.rows, problem.weight
    exact_e, exact_J = reference.residuals(*data), reference.jacobian(*data)
    exact_g = reference.gradient(*data, reference.penalty(problem.network, ALPHA))

    e, J = objective.residuals_and_jacobian(theta)
    JtJ, Jte, sse, n = objective.normal_equations(theta)
    value, g = objective.value_and_grad(theta)
    assert reference.relative_error(e, exact_e) < 1e-12
    assert reference.relative_error(J, exact_J) < 1e-9
    assert reference.relative_error(JtJ, exact_J.T @ exact_J) < 1e-9
    assert reference.relative_error(Jte, exact_J.T @ exact_e) < 1e-9
    assert reference.relative_error(g, exact_g) < 1e-9
    assert reference.relative_error(JtJ, J.T @ J) < 1e-12
    assert reference.relative_error((Jte + objective.penalty * theta) / n, g) < 1e-12
    assert_allclose(sse, exact_e @ exact_e, rtol=1e-12)


@every_problem
def test_the_loss_equals_the_twin_in_every_verb(seed):
    """`value`, `population_values`, `value_and_grad` and the twin agree on the formula."""
    problem = reference.make_problem(seed)
    objective, rng = objective_of(problem), np.random.default_rng(seed)
    thetas = problem.theta + rng.normal(scale=0.1, size=(3, len(problem.theta)))
    pi = reference.penalty(problem.network, ALPHA)
    data = problem.segments, problem.rows, problem.weight, pi
    exact = [reference.loss(problem.network, theta, *data) for theta in thetas]
    assert_allclose(objective.population_values(thetas), exact, rtol=1e-12)
    assert_allclose([objective.value(theta) for theta in thetas], exact, rtol=1e-12)
    assert_allclose([objective.value_and_grad(theta)[0] for theta in thetas], exact, rtol=1e-12)


def test_the_problems_cover_what_they_should():
    """Every structure has residuals to fit, some have clipped outputs and missing targets."""
    clipped = missing = zero_weight = 0
    for seed in reference.PROBLEMS:
        problem = reference.make_problem(seed)
        rows, s = problem.rows, problem.segments
        assert len(rows) >= 5
        y_hat = problem.network.rollout(problem.theta, Rollouts.one_step(s, rows))[0][:, 0]
        assert np.isfinite(y_hat).all()
        if s.low is not None:
            at_bound = (y_hat == s.low[rows]) | (y_hat == s.high[rows])
            assert not at_bound.all()
            clipped += at_bound.sum()
        missing += np.isnan(s.y[rows]).sum()
        zero_weight += np.sum(problem.weight == 0)
    assert clipped > 100 and missing > 10 and zero_weight > 100


@pytest.mark.parametrize("activation", reference.ACTIVATIONS)
def test_a_clipped_output_has_no_derivative(activation):
    """It contributes its residual and zeros."""
    network = TappedMLP(make_taps(1, 2, ["u"]), (4,), activation)
    rng = np.random.default_rng(0)
    segments = reference.make_segments(network.taps, rng, missing=False, bounded=False)
    high = np.full((60, 1), np.nan)
    high[::2] = -50.0
    objective = Objective.over(network, segments.replace(low=np.full((60, 1), np.nan), high=high))
    theta = reference.make_theta(network, rng)
    e, J = objective.residuals_and_jacobian(theta)
    clipped = objective.rollouts.origins % 2 == 0
    assert_array_equal(e[clipped], -50.0 - segments.y[objective.rollouts.origins[clipped], 0])
    assert not J[clipped].any() and J[~clipped].any(axis=1).all()


# ---------------------------------------------------------------- rows, weights, n
@every_problem
def test_rows_and_their_number_equal_the_twin(seed):
    """Target rows have known taps in their segment, weight, and something to be fitted."""
    problem = reference.make_problem(seed)
    objective = objective_of(problem)
    assert_array_equal(objective.rollouts.origins, problem.rows)
    n = reference.count(problem.segments, problem.rows, problem.weight)
    assert_allclose(objective.n, n, rtol=1e-14)
    assert objective.normal_equations(problem.theta)[3] == objective.n


def test_n_counts_observed_outputs_with_their_weights():
    """Two outputs of weight 2, one missing: six of eight."""
    network = TappedMLP(make_taps(0, 0, ["u"], n_outputs=2), ())
    y = np.ones((4, 2))
    y[1, 0] = np.nan
    y[3] = np.nan
    segments = Segments(np.ones((4, 1)), y, np.array([0, 4]))
    objective = Objective.over(network, segments, sample_weight=np.array([2.0, 2.0, 0.0, 2.0]))
    assert_array_equal(objective.rollouts.origins, [0, 1])
    assert objective.n == 6.0


def test_weight_zero_is_history_and_not_target():
    """Its error does not count, its value still feeds the taps of others."""
    network = TappedMLP(make_taps([], 1, [], 1), ())
    segments = Segments(np.empty((4, 0)), np.array([[0.0], [1.0], [5.0], [2.0]]), np.array([0, 4]))
    objective = Objective.over(network, segments, sample_weight=np.array([1.0, 1.0, 0.0, 1.0]))
    assert_array_equal(objective.rollouts.origins, [1, 3])
    e, J = objective.residuals_and_jacobian(np.array([1.0, 0.0]))
    assert_array_equal(e, [-1.0, 3.0])
    assert_array_equal(J, [[0.0, 1.0], [5.0, 1.0]])


def test_weight_two_is_two_copies():
    """A weight multiplies the squared error, in the loss and in n."""
    problem = reference.make_problem(4)
    network, s = problem.network, problem.segments
    rows = Objective.over(network, s).rollouts.origins
    e, J = Objective.over(network, s).residuals_and_jacobian(problem.theta)
    doubled = Objective.over(network, s, sample_weight=np.full(len(s), 2.0))
    e2, J2 = doubled.residuals_and_jacobian(problem.theta)
    assert_allclose(e2, np.sqrt(2) * e, rtol=1e-14)
    assert_allclose(J2, np.sqrt(2) * J, rtol=1e-14)
    assert_array_equal(doubled.rollouts.origins, rows)
    same = Objective.over(network, s)
    assert_allclose(doubled.value(problem.theta), same.value(problem.theta), rtol=1e-14)
    assert_allclose(doubled.n, 2 * same.n, rtol=1e-14)


@pytest.mark.parametrize("seed", [1, 7, 18, 24])
def test_batches_stand_for_the_whole(seed):
    """Each is scaled to all residuals; weighted by their share they average to the whole."""
    problem = reference.make_problem(seed)
    objective, theta = objective_of(problem), problem.theta
    pi = reference.penalty(problem.network, ALPHA)
    value, gradient = 0.0, np.zeros_like(theta)
    for batch in np.array_split(np.random.default_rng(0).permutation(objective.size), 3):
        part, slope = objective.value_and_grad(theta, batch)
        rows = objective.rollouts.origins[batch]
        count = reference.count(problem.segments, rows, problem.weight)
        data = problem.segments, rows, problem.weight, pi * count / objective.n
        assert_allclose(part, reference.loss(problem.network, theta, *data), rtol=1e-12)
        exact = reference.gradient(problem.network, theta, *data)
        assert reference.relative_error(slope, exact) < 1e-9
        value += part * count / objective.n
        gradient += slope * count / objective.n
    whole, slope = objective.value_and_grad(theta)
    assert_allclose(value, whole, rtol=1e-12)
    assert reference.relative_error(gradient, slope) < 1e-12


# ---------------------------------------------------------------- penalty
def test_alpha_penalises_weights_only():
    """Intercepts and the linear term are free."""
    problem, objective = some_problem(8)
    assert problem.network.has_linear_term
    assert_array_equal(objective.penalty, reference.penalty(problem.network, ALPHA))
    groups = problem.network.groups
    assert np.all(objective.penalty[groups["weights"]] == ALPHA)
    assert not objective.penalty[groups["intercepts"] | groups["linear"]].any()


def test_with_penalty_changes_the_penalty_alone():
    """A new objective over the same rows; the old one stays as it was."""
    problem, objective = some_problem()
    theta, pi = problem.theta, np.linspace(0.1, 2.0, len(problem.theta))
    before, penalty = objective.value(theta), objective.penalty.copy()
    other = objective.with_penalty(list(pi))
    assert (
        other is not objective and other.rollouts is objective.rollouts and other.n == objective.n
    )
    data = problem.segments, problem.rows, problem.weight, pi
    assert_allclose(other.value(theta), reference.loss(problem.network, theta, *data), rtol=1e-12)
    exact = reference.gradient(problem.network, theta, *data)
    assert reference.relative_error(other.value_and_grad(theta)[1], exact) < 1e-9
    assert objective.value(theta) == before
    assert_array_equal(objective.penalty, penalty)


def test_normal_equations_leave_the_penalty_to_the_solver():
    """They are the data's part, whatever the penalty."""
    problem, objective = some_problem()
    parts = objective.normal_equations(problem.theta)
    free = objective.with_penalty(np.zeros(objective.n_params)).normal_equations(problem.theta)
    for a, b in zip(parts, free, strict=True):
        assert_array_equal(a, b)


def test_the_verbs_change_nothing():
    """An objective answers the same after any questions, and leaves its arrays as they were."""
    problem, objective = some_problem()
    s, theta = problem.segments, problem.theta.copy()
    held = [
        s.u,
        s.y,
        s.low,
        s.high,
        objective.rollouts.weight,
        objective.penalty,
        objective.rollouts.origins,
        theta,
    ]
    copies = [x.copy() for x in held]
    for x in held:
        x.setflags(write=False)
    first = objective.value_and_grad(theta)
    objective.value(0.1 * theta)
    objective.population_values(np.stack([theta, 0.1 * theta]))
    objective.value_and_grad(0.1 * theta, np.arange(3))
    objective.normal_equations(0.1 * theta)
    objective.residuals_and_jacobian(0.1 * theta)
    again = objective.value_and_grad(theta)
    assert first[0] == again[0]
    assert_array_equal(first[1], again[1])
    for x, same in zip(held, copies):
        assert_array_equal(x, same)


# ---------------------------------------------------------------- infinity
def test_a_set_flag_makes_every_value_infinite():
    """Kernels return early, and no value that they leave half done looks like a loss."""
    problem = reference.make_problem(17)
    flag = np.zeros(1, dtype=np.int32)
    objective, theta = objective_of(problem, flag=flag), problem.theta
    before = objective.value(theta)
    flag[0] = 1
    assert objective.value(theta) == np.inf
    assert_array_equal(objective.population_values(np.stack([theta, theta])), [np.inf, np.inf])
    assert objective.value_and_grad(theta)[0] == np.inf
    assert np.isnan(objective.normal_equations(theta)[2])
    flag[0] = 0
    assert objective.value(theta) == before


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("parameter", [np.nan, np.inf, 1e300])
def test_a_network_that_is_not_finite_has_an_infinite_loss(parameter):
    """So that a solver backs away from it, and only from it."""
    network, rng = TappedMLP(make_taps(1, 2, ["u"]), (4, 3), "relu"), np.random.default_rng(0)
    objective = Objective.over(network, reference.make_segments(network.taps, rng, bounded=False))
    theta = reference.make_theta(network, rng)
    thetas = np.stack([theta, np.full_like(theta, parameter)])
    values = objective.population_values(thetas)
    assert np.isfinite(values[0]) and values[1] == np.inf
    assert objective.value(thetas[1]) == np.inf
    assert objective.value_and_grad(thetas[1])[0] == np.inf


def test_blocks_do_not_show():
    """Many rows in several blocks give the loss and gradient of the twin."""
    network = TappedMLP(make_taps(0, 1, ["u"]), (3,))
    rng = np.random.default_rng(0)
    segments = reference.make_segments(network.taps, rng, edges=(0, 400, 700))
    assert len(segments) > 512
    objective, theta = (
        Objective.over(network, segments, alpha=ALPHA),
        reference.make_theta(network, rng),
    )
    data = (
        segments,
        objective.rollouts.origins,
        objective.rollouts.weight,
        reference.penalty(network, ALPHA),
    )
    value, g = objective.value_and_grad(theta)
    assert_allclose(value, reference.loss(network, theta, *data), rtol=1e-12)
    assert reference.relative_error(g, reference.gradient(network, theta, *data)) < 1e-9
