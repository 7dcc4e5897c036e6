"""Solvers on problems with known answers, and every way in which a run may end."""

import ast
import copy
import inspect
import signal
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

from narxkit import solvers
from narxkit.solvers import (
    CMAES,
    LBFGS,
    SGD,
    SOLVERS,
    Adam,
    Annealing,
    BayesianRegularisation,
    ConjugateGradient,
    GeneticAlgorithm,
    IRpropPlus,
    LevenbergMarquardt,
    Monitor,
    RMSprop,
    Solver,
    SolverResult,
    Stop,
    TruncatedNewton,
    interruptible,
    make_solver,
)
from narxkit.solvers._population import POLISHERS
from nist import LeastSquares as AllRows

# Rates for Rosenbrock's valley, which is steeper than the loss of a network; populations alone, for
# a polish is a run of its own.
SETTINGS = {
    "sgd": SGD(learning_rate=3e-3),
    "rmsprop": RMSprop(learning_rate=0.02),
    "ga": GeneticAlgorithm(population_size=20, polish=None),
    "cmaes": CMAES(polish=None),
    "annealing": Annealing(polish=None),
}


def solvers_named(*names):
    chosen = [make_solver(SETTINGS.get(name, name)) for name in names]
    return pytest.mark.parametrize("solver", chosen, ids=repr)


POPULATIONS = ("ga", "cmaes", "annealing")
every_solver = solvers_named(*SOLVERS)
stepping_solver = solvers_named(*(name for name in SOLVERS if name not in POPULATIONS))
population_solver = solvers_named(*POPULATIONS)
exact_solver = solvers_named("lm", "lbfgs", "tnc", "cg")
descending_solver = solvers_named("lm", "lbfgs", "tnc", "cg", "irprop+")


class LeastSquares(AllRows):
    """The same, also under another penalty and in batches of rows."""

    @property
    def size(self):
        return len(self.y)

    def with_penalty(self, penalty):
        other = copy.copy(self)
        other.penalty = penalty
        return other

    def value_and_grad(self, theta, batch=None):
        if batch is None:
            return super().value_and_grad(theta)
        e, J = self.residuals(theta)[batch], self.jacobian(theta)[batch]
        scale = self.size / len(batch)
        with np.errstate(all="ignore"):
            loss = (scale * (e @ e) + np.sum(self.penalty * theta**2)) / (2 * self.size)
            return loss, (scale * (J.T @ e) + self.penalty * theta) / self.size


START = np.array([-1.2, 1.0])


def rosenbrock(penalty=(0.0, 0.0)):
    """Make residuals 10 (b - a^2) and 1 - a, ten times each: zero at (1, 1)."""
    return LeastSquares(
        lambda theta: np.repeat([10 * (theta[1] - theta[0] ** 2), 1 - theta[0]], 10),
        np.zeros(20),
        penalty,
    )


def linear(penalty):
    """Make a problem of least squares and its exact answer."""
    rng = np.random.default_rng(0)
    X, y, penalty = rng.normal(size=(30, 4)), rng.normal(size=30), np.asarray(penalty, dtype=float)
    exact = np.linalg.solve(X.T @ X + np.diag(penalty), X.T @ y)
    return LeastSquares(lambda theta: X @ theta, y, penalty), exact


def logarithm():
    """Make a loss, zero at 0.1, NaN below 0, where the first long step from 0.5 leads."""
    return LeastSquares(lambda theta: np.log(10 * theta), [0.0], [0.0])


PROBLEMS = {
    "Rosenbrock": (rosenbrock(), START, np.ones(2)),
    "linear": (linear(np.zeros(4))[0], np.zeros(4), linear(np.zeros(4))[1]),
    "linear with penalty": (linear([1, 0, 10, 3])[0], np.ones(4), linear([1, 0, 10, 3])[1]),
    "logarithm": (logarithm(), np.array([0.5]), np.array([0.1])),
    "a parameter without effect": (
        LeastSquares(lambda theta: theta[0] * np.arange(3.0), [0, 2, 4], np.zeros(2)),
        np.array([0.0, 5.0]),
        np.array([2.0, 5.0]),
    ),
}


@exact_solver
@pytest.mark.parametrize("problem", PROBLEMS)
def test_finds_the_known_answer(solver, problem):
    objective, start, answer = PROBLEMS[problem]
    before = start.copy()
    result = solver.solve(objective, start, Monitor(tol=0, max_iter=1000))
    np.testing.assert_allclose(result.theta, answer, rtol=1e-5)
    np.testing.assert_array_equal(start, before)
    assert result.loss == pytest.approx(objective.value(result.theta), rel=1e-9, abs=1e-15)
    assert result.loss == min(result.loss_curve)
    assert len(result.loss_curve) == result.n_iter + 1
    assert result.validation_curve is None
    assert result.stop is Stop.STALLED


@descending_solver
def test_penalty_shrinks_a_nonlinear_answer(solver):
    objective = rosenbrock(penalty=[5.0, 1.0])
    result = solver.solve(objective, START, Monitor(tol=0, max_iter=2000))
    _, gradient = objective.value_and_grad(result.theta)
    np.testing.assert_allclose(gradient, 0, atol=1e-5)
    assert result.theta[0] < 0.9


@every_solver
def test_the_same_run_gives_the_same_bits(solver):
    first, second = (
        solver.solve(rosenbrock(), START, Monitor(), np.random.default_rng(3)) for _ in range(2)
    )
    np.testing.assert_array_equal(first.theta, second.theta)
    assert first.loss_curve == second.loss_curve


# Endings


@every_solver
def test_ends_at_max_iter(solver):
    result = solver.solve(rosenbrock(), START, Monitor(max_iter=3))
    assert (result.stop, result.n_iter) == (Stop.MAX_ITER, 3)


@every_solver
def test_max_iter_zero_returns_the_start(solver):
    result = solver.solve(rosenbrock(), START, Monitor(max_iter=0))
    assert (result.stop, result.n_iter) == (Stop.MAX_ITER, 0)
    np.testing.assert_array_equal(result.theta, START)


@stepping_solver
def test_ends_converged_after_three_small_steps(solver):
    result = solver.solve(rosenbrock(), START, Monitor(tol=1.0))
    assert (result.stop, result.n_iter) == (Stop.CONVERGED, 3)


@population_solver
def test_a_population_has_converged_when_its_losses_are_alike(solver):
    """In three generations running: that of the best alone may rest and fall again."""
    level = LeastSquares(lambda theta: 1.0 + 1e-3 * np.tanh(theta), [0.0], [0.0])
    result = solver.solve(level, [0.0], Monitor(tol=0.1))
    assert (result.stop, result.n_iter) == (Stop.CONVERGED, 3)
    assert solver.solve(level, [0.0], Monitor(max_iter=5, tol=0)).stop is Stop.MAX_ITER


def test_one_small_step_is_not_convergence():
    monitor = Monitor(tol=0.01)
    stops = [monitor.start([0.0], 10.0)]
    stops += [monitor.step([0.0], loss) for loss in (9.99, 9.98, 5, 4.999, 4.998, 4.997)]
    assert stops == [None] * 6 + [Stop.CONVERGED]


def test_tol_zero_never_converges():
    monitor = Monitor(tol=0)
    monitor.start([0.0], 1.0)
    assert all(monitor.step([0.0], 1.0) is None for _ in range(20))


@every_solver
def test_patience_restores_the_best_held_out_parameters(solver):
    met = [START]
    monitor = Monitor(
        n_iter_no_change=3,
        validate=lambda theta: abs(theta[0]),
        callback=lambda iteration: met.append(iteration.theta),
    )
    result = solver.solve(rosenbrock(), START, monitor, np.random.default_rng(0))
    best = int(np.argmin(result.validation_curve))
    assert 0 < best < result.n_iter
    loss = result.loss_curve  # which still falls by a tenth over three iterations, or not
    ends = [i for i in range(best + 3, result.n_iter + 1) if loss[i] > 0.9 * loss[i - 3]]
    assert ends == ([result.n_iter] if result.stop is Stop.PATIENCE else [])
    np.testing.assert_array_equal(result.theta, met[best])
    assert result.loss == result.loss_curve[best] > min(result.loss_curve)


def test_a_held_out_loss_that_is_nan_is_never_the_best():
    scores = iter([np.nan, np.nan, 2.0, np.nan])
    monitor = Monitor(validate=lambda theta: next(scores))
    monitor.start([0.0], 4.0)
    for theta, loss in zip((1.0, 2.0, 3.0), (3.0, 2.0, 1.0)):
        monitor.step([theta], loss)
    result = monitor.result(Stop.MAX_ITER)
    assert (result.theta[0], result.loss) == (2.0, 2.0)


@every_solver
def test_callback_sees_every_iteration_and_may_stop(solver):
    seen = []

    def callback(iteration):
        seen.append(iteration)
        return iteration.n_iter == 4

    result = solver.solve(rosenbrock(), START, Monitor(callback=callback))
    assert (result.stop, result.n_iter) == (Stop.CALLBACK, 4)
    assert [iteration.n_iter for iteration in seen] == [1, 2, 3, 4]
    assert [iteration.loss for iteration in seen] == result.loss_curve[1:]
    assert seen[0].validation_loss is None
    met = [START, *(iteration.theta for iteration in seen)]
    np.testing.assert_array_equal(met[int(np.argmin(result.loss_curve))], result.theta)


@every_solver
@pytest.mark.parametrize("loss", [np.inf, np.nan])
def test_a_start_without_a_finite_loss_is_an_ending(solver, loss):
    objective = LeastSquares(lambda theta: theta * loss, [0.0], [0.0])
    result = solver.solve(objective, [1.0], Monitor())
    assert (result.stop, result.n_iter) == (Stop.NOT_FINITE, 0)
    np.testing.assert_array_equal(result.theta, [1.0])


def test_stops_are_sentences():
    for stop in Stop:
        assert str(stop) == stop.value
        assert stop.value[0].isupper() and stop.value.endswith(".")


def test_a_monitor_may_be_used_again():
    monitor = Monitor(max_iter=3)
    first, second = (LBFGS().solve(rosenbrock(), START, monitor) for _ in range(2))
    assert first.loss_curve == second.loss_curve
    assert second.n_iter == 3


# Interruption


class Interruptible(LeastSquares):
    """A kernel that polls the flag: once it is set, nothing finite comes out any more.

    The flag is set during evaluation number ``after``.
    """

    def __init__(self, flag, after):
        problem = rosenbrock()
        super().__init__(problem.model, problem.y, problem.penalty)
        self.flag, self.left = flag, np.array([after])  # shared by copies

    def residuals(self, theta):
        e = super().residuals(theta)
        if np.isrealobj(theta):
            self.left -= 1
            self.flag |= self.left <= 0
        return np.full_like(e, np.nan) if self.flag[0] else e


@every_solver
@pytest.mark.parametrize("after", [1, 2, 3, 7, 12, 13, 14, 15])
def test_a_flag_set_midway_keeps_the_best_so_far(solver, after):
    flag = np.zeros(1, dtype=np.int32)
    result = solver.solve(Interruptible(flag, after), START, Monitor(flag=flag))
    assert result.stop is Stop.INTERRUPTED
    assert np.isfinite(result.theta).all()
    if after > 2:
        assert result.loss == min(result.loss_curve)
    if after > 2 and not isinstance(solver, BayesianRegularisation):
        assert rosenbrock().value(result.theta) == pytest.approx(result.loss)


@every_solver
def test_ctrl_c_ends_the_run_gently(solver):
    flag = np.zeros(1, dtype=np.int32)

    def callback(iteration):
        if iteration.n_iter == 2:
            signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with interruptible(flag):
        result = solver.solve(rosenbrock(), START, Monitor(flag=flag, callback=callback))
    assert (result.stop, result.n_iter) == (Stop.INTERRUPTED, 2)
    assert result.loss == min(result.loss_curve)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_ctrl_c_raises():
    def callback(iteration):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    flag = np.zeros(1, dtype=np.int32)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), interruptible(flag):
        LevenbergMarquardt().solve(rosenbrock(), START, Monitor(flag=flag, callback=callback))
    assert signal.getsignal(signal.SIGINT) is before


def test_interruptible_does_nothing_outside_the_main_thread():
    handlers = []

    def work():
        with interruptible(np.zeros(1, dtype=np.int32)):
            handlers.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert handlers == [signal.getsignal(signal.SIGINT)]


def test_interruptible_leaves_an_ignored_signal_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interruptible(np.zeros(1, dtype=np.int32)) as flag:
            signal.raise_signal(signal.SIGINT)
        assert flag[0] == 0
    finally:
        signal.signal(signal.SIGINT, before)


# Steps


class Recorder(LeastSquares):
    """Keeps every loss that it gave, and where the normal equations were asked for."""

    def __init__(self, problem, bad=np.nan):
        super().__init__(problem.model, problem.y, problem.penalty)
        self.bad, self.losses, self.expansions = bad, [], []

    def value(self, theta):
        loss = super().value(theta)
        self.losses.append(loss if np.isfinite(loss) else self.bad)
        return self.losses[-1]

    def normal_equations(self, theta):
        self.expansions.append(theta.copy())
        return super().normal_equations(theta)


@pytest.mark.parametrize(
    "solver",
    [
        LevenbergMarquardt(),
        BayesianRegularisation(),
        LBFGS(),
        TruncatedNewton(),
        ConjugateGradient(),
        IRpropPlus(step=0.6),
        Adam(learning_rate=0.6, beta_2=0.9, schedule="cosine"),
        RMSprop(learning_rate=1.0, schedule="cosine"),
        SGD(learning_rate=1.0, schedule="cosine"),
        GeneticAlgorithm(spread=1.0, polish="lm"),
        CMAES(spread=1.0, polish="lm"),
        Annealing(spread=1.0, polish="lm"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_backs_away_from_losses_that_are_not_finite(solver, bad):
    objective = Recorder(logarithm(), bad)
    result = solver.solve(objective, [0.5], Monitor(tol=0), np.random.default_rng(0))
    assert not np.isfinite(objective.losses).all()
    assert np.isfinite(result.loss_curve).all()
    np.testing.assert_allclose(result.theta, [0.1], rtol=1e-4)


def test_a_rejected_step_is_never_in_force():
    accepted = [START]
    objective = Recorder(rosenbrock())
    monitor = Monitor(callback=lambda iteration: accepted.append(iteration.theta))
    result = LevenbergMarquardt().solve(objective, START, monitor)
    assert len(objective.losses) > result.n_iter + 1
    assert np.all(np.diff(result.loss_curve) < 0)
    for expansion, theta in zip(objective.expansions, accepted):
        np.testing.assert_array_equal(expansion, theta)


@pytest.mark.parametrize("elsewhere", [2.0, np.nan])
def test_where_every_step_is_worse_the_start_stays(elsewhere):
    class Worse(LeastSquares):
        def value(self, theta):
            return 1.0 if np.array_equal(theta, START) else elsewhere

    problem = rosenbrock()
    objective = Worse(problem.model, problem.y, problem.penalty)
    result = LevenbergMarquardt().solve(objective, START, Monitor())
    assert (result.stop, result.n_iter, result.loss) == (Stop.STALLED, 0, 1.0)
    np.testing.assert_array_equal(result.theta, START)


def test_a_failed_cholesky_is_a_rejected_trial():
    class Indefinite(LeastSquares):
        def normal_equations(self, theta):
            JtJ, Jte, sse, n = super().normal_equations(theta)
            return JtJ + np.array([[0, 500.0], [500.0, 0]]), Jte, sse, n

    problem = rosenbrock()
    objective = Indefinite(problem.model, problem.y, problem.penalty)
    JtJ = objective.normal_equations(START)[0]
    assert np.linalg.eigvalsh(JtJ)[0] < 0
    result = LevenbergMarquardt().solve(objective, START, Monitor())
    assert result.loss < 0.01 * result.loss_curve[0]


def test_levenberg_marquardt_ignores_the_units_of_the_parameters():
    units = np.array([0.1, 100.0])
    plain = rosenbrock()
    scaled = LeastSquares(lambda theta: plain.model(theta * units), plain.y, plain.penalty)
    first = LevenbergMarquardt().solve(plain, START, Monitor())
    second = LevenbergMarquardt().solve(scaled, START / units, Monitor())
    np.testing.assert_allclose(second.loss_curve[:10], first.loss_curve[:10], rtol=1e-6)


# The contract


@every_solver
def test_get_params_and_clone(solver):
    names = set(inspect.signature(type(solver)).parameters)
    assert set(solver.get_params()) == names == {*solver.ranges, *solver.choices}
    changed = clone(solver).set_params(**{min(names): 7})
    assert clone(changed).get_params() == changed.get_params() != solver.get_params()


@every_solver
def test_solving_changes_nothing_in_the_solver(solver):
    before = dict(vars(solver))
    solver.solve(rosenbrock(), START, Monitor(max_iter=5))
    assert vars(solver) == before


def test_a_missing_verb_is_refused_before_work_starts():
    class ValueOnly:
        penalty = np.zeros(2)

        def value(self, theta):
            raise AssertionError("work started")

    with pytest.raises(TypeError) as error:
        LevenbergMarquardt().solve(ValueOnly(), START, Monitor())
    assert str(error.value) == (
        "LevenbergMarquardt needs an objective with 'penalty', 'value', 'normal_equations', but "
        "ValueOnly has no 'normal_equations': choose another solver."
    )
    for name, needs, missing in [
        ("lbfgs", "'value_and_grad'", "'value_and_grad'"),
        ("tnc", "'value_and_grad'", "'value_and_grad'"),
        ("cg", "'value_and_grad'", "'value_and_grad'"),
        ("irprop+", "'value_and_grad'", "'value_and_grad'"),
        (
            "br",
            "'penalty', 'with_penalty', 'value', 'normal_equations'",
            "'with_penalty', 'normal_equations'",
        ),
        ("sgd", "'size', 'value', 'value_and_grad'", "'size', 'value_and_grad'"),
        ("rmsprop", "'size', 'value', 'value_and_grad'", "'size', 'value_and_grad'"),
        ("adam", "'size', 'value', 'value_and_grad'", "'size', 'value_and_grad'"),
        *((name, *["'population_values', 'initial'"] * 2) for name in POPULATIONS),
    ]:
        solver = make_solver(name)
        with pytest.raises(TypeError) as error:
            solver.solve(ValueOnly(), START, Monitor())
        assert str(error.value) == (
            f"{type(solver).__name__} needs an objective with {needs}, but ValueOnly has no "
            f"{missing}: choose another solver."
        )


@pytest.mark.parametrize(
    "solver, rule",
    [
        (LevenbergMarquardt(damping=-1), "a float in the range (0.0, inf). Got -1"),
        (LevenbergMarquardt(damping_increase=1), "a float in the range (1.0, inf). Got 1"),
        (LevenbergMarquardt(damping=True), "a float in the range (0.0, inf). Got True"),
        (BayesianRegularisation(n_trials=0), "an int in the range [1, inf). Got 0"),
        (LBFGS(memory=2.5), "an int in the range [1, inf). Got 2.5"),
        (TruncatedNewton(n_products=0), "an int in the range [1, inf). Got 0"),
        (ConjugateGradient(curvature=1.0), "a float in the range [0.0002, 1.0). Got 1.0"),
        (IRpropPlus(increase=1.0), "a float in the range (1.0, inf). Got 1.0"),
        (IRpropPlus(decrease=1), "a float in the range [0.1, 1.0). Got 1"),
        (IRpropPlus(step_max=np.inf), "a float in the range (0.0, inf). Got inf"),
        (SGD(momentum=1.0), "a float in the range [0.0, 1.0). Got 1.0"),
        (SGD(nesterov="no"), "True or False. Got 'no'"),
        (SGD(schedule="linear"), "'constant' or 'cosine'. Got 'linear'"),
        (RMSprop(batch_size=0), "an int in the range [1, inf) or 'auto'. Got 0"),
        (RMSprop(epsilon=0), "a float in the range (0.0, inf). Got 0"),
        (Adam(beta_2=1), "a float in the range [0.0, 1.0). Got 1"),
        (Adam(max_grad_norm="auto"), "a float in the range (0.0, inf) or None. Got 'auto'"),
        (Adam(learning_rate=np.nan), "a float in the range (0.0, inf). Got nan"),
        (GeneticAlgorithm(population_size=3), "an int in the range [4, inf). Got 3"),
        (GeneticAlgorithm(crossover_probability=1.1), "a float in the range [0.0, 1.0]. Got 1.1"),
        (CMAES(polish="br"), f"{', '.join(map(repr, POLISHERS))} or None. Got 'br'"),
        (CMAES(loss="mape"), "None or a callable. Got 'mape'"),
        (Annealing(n_steps=0), "an int in the range [1, inf). Got 0"),
    ],
    ids=repr,
)
def test_a_hyper_parameter_out_of_range_is_refused(solver, rule):
    with pytest.raises(ValueError) as error:
        solver.solve(rosenbrock(), START, Monitor())
    name = repr(solver).split("(")[1].split("=")[0]
    owner = f"The {name!r} parameter of {type(solver).__name__}"
    assert str(error.value) == f"{owner} must be {rule} instead."


def test_what_stands_beside_a_range_is_allowed():
    for solver in (Adam(max_grad_norm=1), SGD(momentum=0), SGD(batch_size=1, nesterov=False)):
        assert solver.solve(rosenbrock(), START, Monitor(max_iter=1)).n_iter == 1


def test_make_solver():
    assert isinstance(make_solver("lm"), LevenbergMarquardt)
    assert isinstance(make_solver("lbfgs"), LBFGS)
    given = LevenbergMarquardt(damping=1e-2)
    made = make_solver(given)
    assert made is not given
    assert made.damping == 1e-2


@pytest.mark.parametrize("unknown", ["xyz", 3, None, LevenbergMarquardt])
def test_an_unknown_solver_is_refused_with_the_known_ones(unknown):
    with pytest.raises(ValueError) as error:
        make_solver(unknown)
    assert str(error.value) == (
        "solver must be one of 'adam', 'annealing', 'br', 'cg', 'cmaes', 'ga', 'irprop+', 'lbfgs', "
        f"'lm', 'rmsprop', 'sgd', 'tnc' or a solver object. Got {unknown!r} instead."
    )


def test_a_solver_of_the_user_needs_one_method():
    class Stay(Solver):
        requires = ("value",)

        def _solve(self, objective, theta, monitor, rng):
            stop = monitor.start(theta, objective.value(theta))
            while stop is None:
                stop = monitor.step(theta, objective.value(theta))
            return monitor.result(stop)

    result = make_solver(Stay()).solve(rosenbrock(), START, Monitor())
    assert isinstance(result, SolverResult)
    assert (result.stop, result.n_iter) == (Stop.CONVERGED, 3)


@every_solver
def test_progress_in_a_pipe_is_plain_lines_on_stderr(solver, capfd):
    objective, start, _ = PROBLEMS["Rosenbrock"]
    solver.solve(objective, start, Monitor(max_iter=20, tol=0, verbose=True))
    out, err = capfd.readouterr()
    first, *_, last = err.splitlines()
    assert out == ""
    assert first.startswith("iteration 10/20  loss ")
    assert str(Stop.MAX_ITER) in last or str(Stop.STALLED) in last
    assert "\r" not in err and "\x1b" not in err


@every_solver
def test_nothing_is_printed_unless_asked(solver, capfd):
    solver.solve(rosenbrock(), START, Monitor())
    assert capfd.readouterr() == ("", "")


THIRD_PARTY = {"numpy", "scipy", "sklearn", "rich", "deap"}


def test_solvers_import_nothing_of_ours_but_base():
    files = sorted(Path(solvers.__file__).parent.glob("*.py"))
    own, shared = {path.stem for path in files}, {"_base", "_damped", "_scipy"}
    for path in files:
        # a population is polished by any of the others
        is_open = path.stem in ("__init__", "_population")
        allowed = own if is_open else shared | {"_population", "_strategy"}
        for module, level in _imports(path):
            assert level <= 1, f"{path.name} imports from above solvers/"
            if level == 1:
                assert module in allowed, f"{path.name} imports .{module}"
            else:
                assert module in THIRD_PARTY | sys.stdlib_module_names


def _imports(path):
    """Return top-level names that a file imports, each with the number of leading dots."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name.split(".")[0], 0) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names = [node.module] if node.module else [alias.name for alias in node.names]
            yield from ((name.split(".")[0], node.level) for name in names)
