"""The whole shelf of solvers on the same problems, and what each of them promises beyond that."""

import numpy as np
import pytest
from scipy.optimize import minimize

from narxkit import ARX, NARX
from narxkit._blas import one_blas_thread
from narxkit.datasets import make_narendra
from narxkit.networks import TappedMLP, make_taps
from narxkit.rows.segments import Segments
from narxkit.solvers import (
    CMAES,
    LBFGS,
    SGD,
    SOLVERS,
    Adam,
    Annealing,
    BayesianRegularisation,
    GeneticAlgorithm,
    IRpropPlus,
    LevenbergMarquardt,
    Monitor,
    RMSprop,
    Stop,
    make_solver,
)
from narxkit.solvers._scipy import minimise
from narxkit.training.objective import Objective
from solver_problems import TARGETS, epochs_to, mse, parity, sine, static
from test_solvers import LeastSquares

STOCHASTIC = ("sgd", "rmsprop", "adam")
SMALL = {  # populations, which are polished anyway
    "ga": GeneticAlgorithm(population_size=20),
    "cmaes": CMAES(population_size=6),
    "annealing": Annealing(n_chains=3, n_steps=3),
}


@pytest.fixture(autouse=True, scope="module")
def _one_blas_thread():
    """Hold BLAS to one thread, as during a fit."""
    with one_blas_thread():
        yield


def autoregressive(alpha=1e-3):
    """Return a NAR network, open loop, on the logistic map: its error can vanish."""
    y = np.empty((300, 1))
    y[0] = 0.3
    for t in range(1, len(y)):
        y[t] = 3.9 * y[t - 1] * (1 - y[t - 1])
    y = (y - y.mean()) / y.std()
    segments = Segments(np.empty((len(y), 0)), y, np.array([0, len(y)]))
    return Objective.over(TappedMLP(make_taps([], 2), (5,)), segments, alpha=alpha)


def linear():
    rng = np.random.default_rng(0)
    X, noise = rng.normal(size=(60, 4)), rng.normal(size=60)
    return LeastSquares(
        lambda theta: X @ theta, X @ [1.0, -2.0, 0.5, 0.0] + 0.1 * noise, np.zeros(4)
    )


def decay():
    """Return Misra's saturation, b1 (1 - exp(-b2 x)), in units of order 1."""
    x = np.linspace(0.1, 4, 40)
    noise = np.random.default_rng(1).normal(size=40)
    y = 2 * (1 - np.exp(-0.7 * x)) + 0.02 * noise
    return LeastSquares(lambda b: b[0] * (1 - np.exp(-b[1] * x)), y, np.zeros(2))


# ---------------------------------------------------------------- the matrix

# Rosenbrock's valley runs askew, where steps along the axes are slow; 12.1 is where all start.
VALLEY = dict.fromkeys(SOLVERS, 1e-10) | {"irprop+": 0.01, "sgd": 0.01, "rmsprop": 0.1, "adam": 1.0}
NOISE_FLOOR = {"linear": 0.0107944, "decay": 0.000345503}


@pytest.mark.parametrize("name", SOLVERS)
def test_every_solver_descends_into_the_valley(name):
    objective = LeastSquares(
        lambda theta: np.stack([10 * (theta[1] - theta[0] ** 2), 1 - theta[0]] * 2), np.zeros(4)
    ).with_penalty(np.zeros(2))
    monitor = Monitor(max_iter=1000, tol=0)
    solver = make_solver(SMALL.get(name, name))
    result = solver.solve(objective, [-1.2, 1.0], monitor, np.random.default_rng(0))
    assert mse(objective, result.theta) < VALLEY[name]


@pytest.mark.parametrize("name", SOLVERS)
@pytest.mark.parametrize("problem", [linear, decay], ids=["linear", "decay"])
def test_every_solver_reaches_the_noise(name, problem):
    objective = problem()
    start = np.zeros(4) if problem is linear else np.ones(2)
    monitor = Monitor(max_iter=1000, tol=0)
    solver = make_solver(SMALL.get(name, name))
    result = solver.solve(objective, start, monitor, np.random.default_rng(0))
    floor = NOISE_FLOOR[problem.__name__]
    assert floor * (1 - 1e-5) < mse(objective, result.theta) < 1.01 * floor


@pytest.mark.parametrize("name", SOLVERS)
def test_every_solver_learns_the_logistic_map(name):
    objective = autoregressive()
    start = objective.network.initial(np.random.default_rng(0))
    monitor = Monitor(max_iter=1000, tol=0)
    solver = make_solver(SMALL.get(name, name))
    result = solver.solve(objective, start, monitor, np.random.default_rng(0))
    assert mse(objective, start) > 0.9
    assert mse(objective, result.theta) < 1e-3


# Of the variance, after 200 iterations in each stage.
PLANT = dict.fromkeys(SOLVERS, 1e-3) | {"irprop+": 0.01, "adam": 0.01, "sgd": 0.02, "rmsprop": 0.03}


def plant_error(model, loop, u, y):
    """Return the error of one step, of the fifth, or of a free run, in units of the variance."""
    if loop == "closed":
        y_hat = model.simulate(u, y[:1])
    else:
        y_hat = model.predict_ahead(u, y, steps=1 if loop == "open" else loop)
    return np.nanmean((y_hat - y) ** 2) / y.var()


@pytest.mark.parametrize("name", SOLVERS)
@pytest.mark.parametrize("loop", ["open", 5, "closed"])
@pytest.mark.parametrize("seed", range(2))
def test_every_solver_learns_a_plant_in_every_loop(name, loop, seed):
    u, y = make_narendra(300, amplitude=1.0, random_state=0)
    params = {"loop": loop, "solver": SMALL.get(name, name), "alpha": 1e-4, "linear_alpha": 0.0}
    model = NARX([1], 1, (5,), max_iter=200, random_state=seed, **params)
    assert plant_error(ARX([1], 1).fit(u, y), loop, u, y) > 0.05
    assert plant_error(model.fit(u, y), loop, u, y) < PLANT[name]
    assert model.loop_[-1].loop == loop


# Twice the most epochs that any of ten starts needed.
SINE = {
    "lm": 40,
    "br": 40,
    "lbfgs": 120,
    "tnc": 30,
    "cg": 170,
    "irprop+": 1200,
    "adam": 4000,
    "rmsprop": 2500,
    "sgd": 2400,
}
PARITY = {
    "lm": 10,
    "br": 20,
    "lbfgs": 35,
    "tnc": 20,
    "cg": 35,
    "irprop+": 60,
    "adam": 200,
    "rmsprop": 300,
    "sgd": 140,
}


# an epoch of a population is worth many of others
@pytest.mark.parametrize("name", SINE)
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("problem, limits", [(sine, SINE), (parity, PARITY)])
def test_epochs_to_the_target(problem, limits, name, seed):
    objective = problem()
    start = objective.network.initial(np.random.default_rng(seed))
    assert mse(objective, start) > 0.1
    assert epochs_to(TARGETS[problem], make_solver(name), objective, start, seed, limits[name])


@pytest.mark.parametrize("name", ["lbfgs", "tnc", "cg"])
@pytest.mark.parametrize("start", [(1, 1), (5, 0.1), (0.1, 4), (0.5, 0.5), (2, 20)])
def test_scipy_gives_up_only_where_nothing_is_left(name, start):
    objective = decay()
    result = make_solver(name).solve(objective, start, Monitor(max_iter=5000, tol=0))
    scale = np.sqrt(np.diagonal(objective.normal_equations(result.theta)[0]) / objective.size)
    assert result.stop is Stop.STALLED
    gradient = objective.value_and_grad(result.theta)[1]
    assert np.all(abs(gradient) <= 1e-6 * scale * np.sqrt(2 * result.loss) + 1e-12)


@pytest.mark.parametrize("method", ["L-BFGS-B", "CG"])
def test_limits_of_scipy_do_not_end_a_run(method):
    monitor = Monitor(max_iter=300, tol=0)
    result = minimise(decay(), np.ones(2), monitor, method, {"maxiter": 1, "gtol": 0.0})
    assert result.n_iter > 5
    assert 2 * result.loss == pytest.approx(NOISE_FLOOR["decay"], rel=1e-4)


def test_a_slope_out_of_all_proportion_is_not_believed():
    """The first trial in closed loop has a loss of 24 and a gradient of 5e50."""
    u, y = make_narendra(300, amplitude=1.0, random_state=0)
    params = {"alpha": 1e-4, "linear_alpha": 0.0, "max_iter": 160, "random_state": 2}
    model = NARX([1], 1, (5,), solver="lbfgs", **params).fit(u, y)
    segments = model._scale.apply(Segments(u, y[:, None], np.array([0, len(y)])))
    objective = Objective.over(model.structure_, segments, "closed", 1e-4)
    result = LBFGS().solve(objective, model.theta_, Monitor())
    assert result.loss < 0.9 * result.loss_curve[0]
    assert result.n_iter > 10


# ---------------------------------------------------------------- Bayesian regularisation


class Bumps(LeastSquares):
    """A linear model of Gaussian bumps on noisy points, with named groups of coefficients."""

    def __init__(self, J, y, groups=None, tau=None):
        super().__init__(lambda theta: J @ theta, y, np.zeros(J.shape[1]))
        self.J = J
        if groups is not None:
            self.groups = groups
        if tau is not None:
            self.correlation_time = lambda theta: tau


def bumps(n=40, noise=0.3):
    rng = np.random.default_rng(3)
    x = np.linspace(-1, 1, n)
    J = np.exp(-(((x[:, None] - np.linspace(-1, 1, 12)) / 0.3) ** 2))
    return J, np.sin(3 * x) + 0.5 + noise * rng.normal(size=n)


def log_evidence(J, y, alphas, beta):
    """Return the log density of y, normal with the covariance 1 / beta + J diag(1 / alphas) J'."""
    covariance = np.eye(len(y)) / beta + (J / alphas) @ J.T
    return -0.5 * (
        np.linalg.slogdet(2 * np.pi * covariance)[1] + y @ np.linalg.solve(covariance, y)
    )


def best_evidence(J, y, masks, flat=1e-6):  # flatter, rounding leads the search astray
    """Return alphas of the masks, and beta, by a search that knows no derivative and no gamma."""

    def loss(logs):
        alphas = np.full(J.shape[1], flat)
        for mask, log in zip(masks, logs):
            alphas[mask] = np.exp(log)
        return -log_evidence(J, y, alphas, np.exp(logs[-1]))

    options = {"xatol": 1e-9, "fatol": 1e-12, "maxiter": 10000, "maxfev": 10000}
    found = minimize(loss, np.zeros(len(masks) + 1), method="Nelder-Mead", options=options)
    return np.exp(found.x)


def effective(J, penalty):
    JtJ = J.T @ J
    return np.trace(np.linalg.solve(JtJ + np.diag(penalty), JtJ))


def regularised(objective, **options):
    start = np.zeros(objective.J.shape[1])
    return BayesianRegularisation().solve(objective, start, Monitor(max_iter=1000, **options))


def test_one_alpha_is_the_optimum_of_the_evidence():
    J, y = bumps()
    result = regularised(Bumps(J, y), tol=1e-13)
    alpha, beta = best_evidence(J, y, [slice(None)])
    np.testing.assert_allclose(result.penalty, alpha / beta, rtol=1e-4)
    assert result.n_effective_params == pytest.approx(effective(J, result.penalty), rel=1e-6)
    assert 4 < result.n_effective_params < 10
    exact = np.linalg.solve(J.T @ J + np.diag(result.penalty), J.T @ y)
    np.testing.assert_allclose(result.theta, exact, rtol=1e-4)


def test_each_group_has_its_own_alpha_and_intercepts_none():
    J, y = bumps()
    line = np.linspace(-1, 1, len(y))[:, None]
    J, y = np.hstack([J, line, np.ones_like(line)]), y + 3 * line[:, 0]
    names = np.array(["weights"] * 12 + ["linear", "intercepts"])
    groups = {name: names == name for name in ("weights", "intercepts", "linear", "empty")}
    result = regularised(Bumps(J, y, groups), tol=1e-13)
    weights, linear, beta = best_evidence(J, y, [groups["weights"], groups["linear"]])
    np.testing.assert_allclose(result.penalty[:12], weights / beta, rtol=1e-3)
    np.testing.assert_allclose(result.penalty[12], linear / beta, rtol=1e-3)
    assert result.penalty[13] == 0
    assert result.n_effective_params == pytest.approx(effective(J, result.penalty), rel=1e-6)


def test_the_curve_is_the_evidence_in_units_of_the_loss():
    J, y = bumps()
    result = regularised(Bumps(J, y))
    S = 2 * len(y) * Bumps(J, y).with_penalty(result.penalty).value(result.theta)
    beta = len(y) / S
    exact = log_evidence(J, y, beta * result.penalty, beta)
    n = len(y)
    assert -n / 2 * (np.log(4 * np.pi * result.loss) + 1) == pytest.approx(exact, rel=1e-5)
    assert result.loss == min(result.loss_curve)
    assert result.loss > S / (2 * n)


def test_correlated_residuals_count_less():
    """Every row three times tells as much as once."""
    J, y = bumps()
    once = regularised(Bumps(J, y), tol=1e-12)
    thrice = regularised(Bumps(np.repeat(J, 3, axis=0), np.repeat(y, 3), tau=3.0), tol=1e-12)
    naive = regularised(Bumps(np.repeat(J, 3, axis=0), np.repeat(y, 3)), tol=1e-12)
    np.testing.assert_allclose(thrice.theta, once.theta, rtol=1e-3)
    np.testing.assert_allclose(thrice.penalty, 3 * once.penalty, rtol=1e-3)
    assert thrice.n_effective_params == pytest.approx(once.n_effective_params, rel=1e-3)
    assert thrice.loss == pytest.approx(once.loss, rel=1e-3)
    assert naive.n_effective_params > 1.1 * once.n_effective_params


def test_noise_alone_determines_nothing():
    J, _ = bumps()
    y = np.random.default_rng(4).normal(size=len(J))
    result = regularised(Bumps(J, y))
    assert result.n_effective_params < 1.5
    assert np.linalg.norm(J @ result.theta) < 0.3 * np.linalg.norm(y)


@pytest.mark.parametrize("seed", range(5))
def test_it_generalises_where_least_squares_learns_the_noise(seed):
    """A noisy sine, 30 points for 61 parameters."""
    rng = np.random.default_rng(seed)
    x, fine = np.sort(rng.uniform(-1, 1, 30)), np.linspace(-0.95, 0.95, 200)
    objective = static(x[:, None], np.sin(3 * x) + 0.2 * rng.normal(size=30), (20,))
    truth = static(fine[:, None], np.sin(3 * fine), (20,))
    start = objective.network.initial(rng)
    free, bayes = (
        solver.solve(objective, start, Monitor(max_iter=300))
        for solver in (LevenbergMarquardt(), BayesianRegularisation())
    )
    assert np.sqrt(mse(truth, bayes.theta)) < 0.15
    assert np.sqrt(mse(truth, free.theta)) > 3 * np.sqrt(mse(truth, bayes.theta))
    assert bayes.n_effective_params < 30
    assert free.n_effective_params is free.penalty is None


def test_what_it_reports_belongs_to_the_parameters_kept():
    objective = sine()
    met = []
    start = objective.network.initial(np.random.default_rng(0))
    monitor = Monitor(
        validate=lambda theta: abs(len(met) - 5),  # the fifth is the best
        n_iter_no_change=3,
        callback=lambda iteration: met.append(iteration.theta),
    )
    result = BayesianRegularisation().solve(objective, start, monitor)
    falls = result.loss_curve  # by a tenth over the iterations of patience
    waited = (i for i in range(6 + 3, len(falls)) if falls[i] > 0.9 * falls[i - 3])
    assert (result.stop, result.n_iter) == (Stop.PATIENCE, next(waited))
    assert np.array_equal(result.theta, met[5])
    JtJ, *_ = objective.normal_equations(result.theta)
    floor = 1e-10 * np.diagonal(JtJ).max() * (result.penalty == 0)
    inverse = np.linalg.inv(JtJ + np.diag(result.penalty + floor))
    gamma = len(start) - result.penalty @ np.diagonal(inverse)
    assert result.n_effective_params == pytest.approx(gamma, rel=1e-6)


def test_fewer_rows_than_intercepts_still_end():
    x = np.linspace(-1, 1, 8)
    objective = static(x[:, None], np.sin(3 * x), (10,))
    start = objective.network.initial(np.random.default_rng(0))
    result = BayesianRegularisation().solve(objective, start, Monitor())
    assert np.isfinite(result.loss)
    assert np.isfinite(result.theta).all()


# ---------------------------------------------------------------- iRprop+


def test_irprop_by_hand():
    """On theta^2 / 2: back only where the loss rose, and shorter where the slope turned."""

    class Bowl:
        def value_and_grad(self, theta):
            return float(theta @ theta) / 2, theta.copy()

    met = []
    monitor = Monitor(max_iter=8, callback=lambda iteration: met.append(iteration.theta[0]))
    result = IRpropPlus(step=0.4).solve(Bowl(), [1.0], monitor)
    np.testing.assert_allclose(met, [0.6, 0.12, -0.456, 0.12, -0.168, 0.12, -0.024, 0.048])
    assert result.theta[0] == met[6]


def test_irprop_at_the_minimum_stalls():
    result = IRpropPlus().solve(linear(), np.zeros(4), Monitor(max_iter=5000, tol=0))
    again = IRpropPlus(step=1e-30).solve(linear(), result.theta, Monitor())
    assert (again.stop, again.n_iter) == (Stop.STALLED, 0)


def test_irprop_needs_bounds_the_right_way_round():
    with pytest.raises(ValueError) as error:
        IRpropPlus(step_min=1.0, step_max=0.1).solve(linear(), np.zeros(4), Monitor())
    assert str(error.value) == (
        "The bounds of the steps must have step_min <= step_max. Got step_min=1.0 and step_max=0.1 "
        "instead."
    )


# ---------------------------------------------------------------- batches


class Counted(LeastSquares):
    """One parameter per row, each with its own target; keeps the batches that it was asked for."""

    def __init__(self, n=450):
        super().__init__(lambda theta: theta[0] * np.ones(n), np.arange(n) / n, np.zeros(1))
        self.batches = []

    def value_and_grad(self, theta, batch=None):
        self.batches.append(batch)
        return super().value_and_grad(theta, batch)


@pytest.mark.parametrize("name", STOCHASTIC)
@pytest.mark.parametrize(
    "batch_size, sizes", [("auto", [200, 200, 50]), (150, [150] * 3), (1000, [450])]
)
def test_an_epoch_sees_every_unit_once(name, batch_size, sizes):
    objective = Counted()
    solver = make_solver(name).set_params(batch_size=batch_size)
    solver.solve(objective, [0.0], Monitor(max_iter=2), np.random.default_rng(0))
    assert [len(batch) for batch in objective.batches] == 2 * sizes
    first, second = np.split(np.concatenate(objective.batches), 2)
    np.testing.assert_array_equal(np.sort(first), np.arange(450))
    np.testing.assert_array_equal(np.sort(second), np.arange(450))
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("name", STOCHASTIC)
def test_the_seed_decides_the_run(name):
    objective = Counted()
    solver = make_solver(name).set_params(batch_size=32)
    first, again, other = (
        solver.solve(objective, [0.0], Monitor(max_iter=5), np.random.default_rng(seed))
        for seed in (1, 1, 2)
    )
    assert first.loss_curve == again.loss_curve
    assert first.loss_curve != other.loss_curve
    assert solver.solve(objective, [0.0], Monitor(max_iter=1)).n_iter == 1


@pytest.mark.parametrize("name", STOCHASTIC)
def test_the_curve_is_the_loss_of_the_whole(name):
    objective, met = linear(), []
    monitor = Monitor(max_iter=5, callback=lambda iteration: met.append(iteration.theta))
    solver = make_solver(name).set_params(batch_size=7)
    result = solver.solve(objective, np.zeros(4), monitor, np.random.default_rng(0))
    assert result.loss_curve[1:] == [objective.value(theta) for theta in met]


class Slope:
    """A loss with a slope of 2 everywhere."""

    size = 1

    def value(self, theta):
        return 2 * theta[0]

    def value_and_grad(self, theta, batch):
        return self.value(theta), np.array([2.0])


def steps_on_a_slope(solver, n=4):
    met = [np.zeros(1)]
    monitor = Monitor(max_iter=n, tol=0, callback=lambda iteration: met.append(iteration.theta))
    solver.solve(Slope(), met[0], monitor, np.random.default_rng(0))
    return np.diff(np.ravel(met))


@pytest.mark.parametrize(
    "solver, steps",
    [
        (SGD(0.1, momentum=0), [-0.2] * 4),
        (SGD(0.1, momentum=0.5, nesterov=False), [-0.2, -0.3, -0.35, -0.375]),
        (SGD(0.1, momentum=0.5), [-0.3, -0.35, -0.375, -0.3875]),
        (SGD(0.1, momentum=0, max_grad_norm=0.5), [-0.05] * 4),
        (SGD(0.1, momentum=0, max_grad_norm=3), [-0.2] * 4),
        (SGD(0.1, momentum=0, schedule="cosine"), [-0.2, -0.170710678, -0.1, -0.029289322]),
        (RMSprop(0.1, beta_2=0.75), -0.1 / np.sqrt(1 - 0.75 ** np.arange(1, 5))),
        (Adam(0.1), [-0.1] * 4),
    ],
    ids=repr,
)
def test_steps_by_hand(solver, steps):
    np.testing.assert_allclose(steps_on_a_slope(solver), steps, rtol=1e-7)


class Broken(LeastSquares):
    """The gradient of a batch is NaN the first few times, or where theta was moved too far."""

    def __init__(self, n_bad, n=40):
        super().__init__(lambda theta: theta[0] * np.ones(n), np.ones(n), np.zeros(1))
        self.n_bad, self.met = n_bad, []

    def value_and_grad(self, theta, batch=None):
        self.met.append(theta.copy())
        loss, grad = super().value_and_grad(theta, batch)
        return (loss, grad * np.nan) if len(self.met) <= self.n_bad else (loss, grad)


def test_a_batch_that_is_not_finite_halves_the_rate():
    solver = SGD(0.4, momentum=0)
    result = solver.solve(Broken(n_bad=2), [0.0], Monitor(max_iter=2))
    np.testing.assert_allclose(result.theta, 1 - 0.9**2)  # a quarter of 0.4, in force to the end


@pytest.mark.parametrize("name", STOCHASTIC)
def test_backing_off_is_bounded(name):
    objective = Broken(n_bad=np.inf)
    solver = make_solver(name).set_params(n_trials=6)
    result = solver.solve(objective, [0.5], Monitor())
    assert (result.stop, result.n_iter, len(objective.met)) == (Stop.STALLED, 0, 6)
    np.testing.assert_array_equal(result.theta, [0.5])


def test_backing_off_goes_to_the_best():
    """After an epoch that made it worse, the next one breaks: on from the better start."""
    objective = Broken(n_bad=0)
    solver = SGD(2.5, momentum=0, batch_size=40)  # from 0.5 below the answer to 0.75 above it

    def break_down(iteration):
        if iteration.n_iter == 1:
            objective.n_bad = len(objective.met) + 1

    solver.solve(objective, [0.5], Monitor(max_iter=2, callback=break_down))
    np.testing.assert_allclose(np.ravel(objective.met), [0.5, 1.75, 0.5])


def test_batches_stand_for_the_whole():
    """The mean over batches of one is the loss and gradient of all rows, in open loop."""
    objective = autoregressive(alpha=0.5)
    theta = objective.network.initial(np.random.default_rng(0)) + 0.1
    parts = [objective.value_and_grad(theta, np.array([i])) for i in range(objective.size)]
    loss, grad = objective.value_and_grad(theta)
    assert np.mean([part[0] for part in parts]) == pytest.approx(loss)
    np.testing.assert_allclose(np.mean([part[1] for part in parts], axis=0), grad, rtol=1e-9)
