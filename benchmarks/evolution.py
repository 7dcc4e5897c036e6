"""Populations: what a generation costs, and what evolution is worth beside restarts.

Throughput: a generation of the genetic algorithm, 200 networks of 121 weights over a free run of
500 rows, beside stock DEAP: list individuals, its own operators, and a NumPy forward pass for each.
DEAP's share is what is not the judging of a generation: selection, crossover and mutation, or the
update of the distribution.

Worth: the solvers "ga", "cmaes" and "annealing" with their polish and without, and
Levenberg-Marquardt from as many starts as fit into the seconds of the slowest of them, the lowest
loss being kept. All are fits of one seed and one thread, with the defaults of the solvers; seconds
are those of the processor.
"Evaluations" are networks judged by the population in the last stage of training, with the
iterations of its polish; of Levenberg-Marquardt they are iterations, each of which builds J'J.

- narendra: open loop, 3,000 rows without noise; RMSE of a free run over 2,000 others.
- Cascaded Tanks: closed loop; RMSE in V of the free run over the test record.
- sin(14 u): a static network of twelve tanh, 800 rows; RMSE over 2,000 others.
- W1, an asymmetric cost: wind speed one step ahead, where too high is three times as costly as too
  low, in m/s; "lm" minimises the squared error, and of its restarts the one with the lowest cost
  over the training rows is kept. There loss is that cost, and its error that over the test period.
"""

import random
import sys
import time
import warnings
from dataclasses import dataclass
from functools import partial

import numpy as np
from rich.table import Table

from narxkit import CMAES, NARX, TDNN, Annealing, GeneticAlgorithm
from narxkit.evaluation import TASKS
from narxkit.networks import TappedMLP, make_taps
from narxkit.rows.segments import Segments
from narxkit.solvers import Monitor
from narxkit.solvers._population import _Space
from narxkit.solvers._strategy import Strategy
from narxkit.solvers.genetic_algorithm import breed
from narxkit.training.objective import Objective

from . import accuracy
from .accuracy import free_run_error, rms
from .harness import Case, stopwatch
from .report import Suite, short

N_ROWS, LAGS, HIDDEN, POPULATION = 500, 5, 10, 200
UNITS = Objective.units
POPULATIONS = {"ga": GeneticAlgorithm, "cmaes": CMAES, "annealing": Annealing}
SEEDS = range(10)
QUICK_SEEDS = 2


# ---------------------------------------------------------------- throughput
def plant():
    """Inputs and outputs in standardised units."""
    rng = np.random.default_rng(0)
    u, y = rng.normal(size=N_ROWS), np.zeros(N_ROWS)
    for t in range(2, N_ROWS):
        y[t] = 0.5 * y[t - 1] - 0.2 * y[t - 2] + np.tanh(u[t - 1])
    return u, (y - y.mean()) / y.std()


def objective(n_threads=1):
    """A free run of the plant, for a network of 121 weights."""
    u, y = plant()
    network = TappedMLP(make_taps(range(1, LAGS + 1), LAGS, ["u"]), (HIDDEN,), linear_term=False)
    assert network.n_params == 121
    segments = Segments(u[:, None], y[:, None], np.array([0, N_ROWS]))
    return Objective.over(network, segments, "closed").in_units(UNITS, n_threads)


def numpy_value(theta, u, y):
    """The same loss by a loop over steps of NumPy, as one would write it for stock DEAP."""
    n_taps = 2 * LAGS
    theta = np.asarray(theta)
    W = theta[: n_taps * HIDDEN].reshape(n_taps, HIDDEN)
    b, v, c = theta[n_taps * HIDDEN : -HIDDEN - 1], theta[-HIDDEN - 1 : -1], theta[-1]
    path = y[:LAGS].tolist()
    for t in range(LAGS, len(y)):
        taps = np.concatenate((path[: t - LAGS - 1 : -1] if t > LAGS else path[::-1],
                               u[t - LAGS : t][::-1]))  # fmt: skip
        path.append(float(np.tanh(taps @ W + b) @ v + c))
    e = np.array(path[LAGS:]) - y[LAGS:]
    return e @ e / (2 * len(e))


def generations(n_threads=1):
    """The generations of the genetic algorithm, endless."""
    judged = objective(n_threads)
    rng, monitor = np.random.default_rng(0), Monitor(max_iter=10**6)
    theta = judged.initial(rng)
    monitor.start(theta, judged.value(theta))
    solver = GeneticAlgorithm(population_size=POPULATION)
    return solver._generations(_Space(judged, theta), monitor, rng)


def generation(n_threads=1):
    """A gauge of one generation."""
    own = generations(n_threads)
    return stopwatch(partial(next, own))


def stock_generation():
    """A gauge of one generation of stock DEAP."""
    from deap import base, creator, tools

    if not hasattr(creator, "StockIndividual"):
        creator.create("StockFitness", base.Fitness, weights=(-1.0,))
        creator.create("StockIndividual", list, fitness=creator.StockFitness)
    u, y = plant()
    random.seed(0)
    toolbox = base.Toolbox()
    toolbox.register("mate", tools.cxBlend, alpha=0.5)
    toolbox.register("mutate", tools.mutGaussian, mu=0.0, sigma=0.1, indpb=0.1)
    toolbox.register("select", tools.selTournament, tournsize=5)
    draws = np.random.default_rng(0).normal(scale=0.3, size=(POPULATION, 121))
    population = [creator.StockIndividual(one.tolist()) for one in draws]
    for one in population:
        one.fitness.values = (numpy_value(one, u, y),)

    def step():
        nonlocal population
        children = [toolbox.clone(one) for one in toolbox.select(population, POPULATION)]
        for a, b in zip(children[::2], children[1::2]):
            if random.random() < 0.9:
                toolbox.mate(a, b)
        for one in children:
            toolbox.mutate(one)
            one.fitness.values = (numpy_value(one, u, y),)
        population = children

    return stopwatch(step)


def beside_stock():
    """Both generations, once both give the same loss."""
    theta = 0.3 * np.random.default_rng(1).normal(size=121)
    assert np.isclose(numpy_value(theta, *plant()), objective().value(theta), rtol=1e-9)
    return generation(), stock_generation()


def operators():
    """The operators of a generation, and the generation."""
    judged, rng = objective(), np.random.default_rng(0)
    space = _Space(judged, judged.initial(rng))
    toolbox = GeneticAlgorithm(population_size=POPULATION)._toolbox(space, rng)
    population = toolbox.evaluate(toolbox.population())
    return stopwatch(lambda: breed(toolbox, population, 0.1)), generation()


def update():
    """The strategy of CMA-ES in a generation, and the generation."""
    judged, rng = objective(), np.random.default_rng(0)
    space = _Space(judged, judged.initial(rng))
    strategy = Strategy(space.start, 0.1, rng, lambda_=POPULATION)

    def alone():
        population = space.judge(strategy.generate())
        start = time.perf_counter()
        strategy.update(population)
        strategy.generate()
        return time.perf_counter() - start

    def whole():
        start = time.perf_counter()
        strategy.update(space.judge(strategy.generate()))
        return time.perf_counter() - start

    return alone, whole


THROUGHPUT = Suite(
    f"A generation: {POPULATION} networks, 121 weights, a free run of {N_ROWS} rows",
    [
        Case("generation, ga", "stock DEAP, NumPy", beside_stock, 20, "speed-up", repeats=5),
        Case(
            "generation, two threads",
            "one thread",
            lambda: (generation(2), generation(1)),
            1.8,
            "speed-up",
        ),
        Case("operators of ga", "its generation", operators, 0.4, "ratio"),
        Case("strategy of cmaes", "its generation", update, 0.4, "ratio"),
    ],
    packages=("deap",),
)


# ---------------------------------------------------------------- worth
def asymmetric(y, y_hat):
    """Mean absolute error, too high three times as costly."""
    e = y_hat - y
    return float(np.mean(np.where(e > 0, 3.0 * e, -e)))


def cost(model, X, y):
    """The asymmetric cost of one step ahead."""
    y_hat, y = model.predict_ahead(X, y), np.asarray(y, dtype=float)
    is_known = np.isfinite(y_hat) & np.isfinite(y)
    return asymmetric(y[is_known], y_hat[is_known])


@dataclass(frozen=True)
class Problem:
    """A record to learn, and how it is judged.

    Parameters
    ----------
    name, unit : str
    model : estimator
        Without a solver and a seed.
    fitting : tuple (X, y)
        Training rows.
    error : callable
        ``error(model)`` on rows that were not learned.
    own_loss : callable, default=None
        Of the populations.
    loss : callable, default=None
        ``loss(model)`` chooses among restarts; by default the loss of training.
    """

    name: str
    unit: str
    model: object
    fitting: tuple
    error: callable
    own_loss: callable = None
    loss: callable = lambda model: model.loss_

    @property
    def solvers(self):
        """Populations by name."""
        return {
            f"{name}{'' if polish else ', no polish'}": kind(polish=polish, loss=self.own_loss)
            for name, kind in POPULATIONS.items()
            for polish in ("lm", None)
        }

    def fit(self, solver, seed):
        """A fitted model and its seconds."""
        model = type(self.model)(**self.model.get_params()).set_params(
            solver=solver, random_state=seed
        )
        start = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(*self.fitting)
        return model, time.process_time() - start

    def restarts(self, seed, seconds):
        """The best of as many fits by "lm" as there is time for, one at least; their figures."""
        best, spent, n, n_iter = None, 0.0, 0, 0
        while not n or spent * (n + 1) / n <= seconds:
            model, taken = self.fit("lm", 1000 * seed + n)
            spent, n, n_iter = spent + taken, n + 1, n_iter + model.n_iter_
            if best is None or self.loss(model) < self.loss(best):
                best = model
        return best, spent, n_iter, n

    def trials(self, seed):
        """Figures by solver, of one seed."""
        found = {}
        for name, solver in self.solvers.items():
            model, seconds = self.fit(solver, seed)
            last = model.logbook_.iloc[-1]
            polish = len(model.loss_curve_) - 1 - int(last["generation"])
            found[name] = self.figures(model, seconds, int(last["evaluations"]) + polish, 1)
        one, seconds, n_iter, _ = self.restarts(seed, 0.0)
        found["lm"] = self.figures(one, seconds, n_iter, 1)
        longest = max(figures["seconds"] for figures in found.values())
        best, *spent = self.restarts(seed, longest)
        found["lm, restarts"] = self.figures(best, *spent)
        return found

    def figures(self, model, seconds, evaluations, starts):
        return {
            "loss": self.loss(model),
            "error": self.error(model),
            "evaluations": evaluations,
            "starts": starts,
            "seconds": seconds,
        }


def narendra():
    """Open loop without noise, judged in free run."""
    sys.path.append(str(accuracy.FOLDER.parents[1] / "protocol"))
    from plants import narendra as simulated

    X, y = simulated(2000, 1)
    model = NARX([1], 2, (10,), alpha=1e-4, linear_alpha=0.0)
    error = partial(free_run_error, X=X, y=y, skip=10)
    return Problem("narendra", "-", model, simulated(3000, 0), error)


def tanks():
    """Closed loop, one of the candidates of `accuracy.tanks`."""
    record = accuracy.tanks()
    (test,) = (judge for name, judge in record.tests.items() if name.endswith("all"))
    shared = {"loop": "closed", "alpha": 0.2, "output_range": (0.0, 10.0)}
    model = NARX(8, 3, (4,), linear_alpha=0.0, **shared)
    return Problem("Cascaded Tanks", "V", model, record.fitting, test)


def fast_sine():
    """A wave of nine periods, where most starts end in a poor basin."""

    def draw(n, seed):
        u = np.random.default_rng(seed).uniform(-2.0, 2.0, n)
        return u[:, None], np.sin(14.0 * u)

    X, y = draw(2000, 1)
    model = TDNN([0], (12,), alpha=0.0, linear_term=False)
    return Problem("sin(14 u)", "-", model, draw(800, 0), lambda m: rms(m.predict_ahead(X, y) - y))


def wind():
    """W1 one step ahead, under an asymmetric cost."""
    task = TASKS["wind"]
    data = task.read()
    fitting, test = (data.loc[slice(*period)] for period in (task.training, task.test))
    fitting, test = ((rows[task.features], rows[task.target]) for rows in (fitting, test))
    model = NARX(
        dict(task.input_lags),
        task.output_lags,
        (6,),
        alpha=0.3,
        linear_alpha=0.0,
        output_range=task.output_range,
        max_iter=60,
    )
    return Problem(
        "W1, asymmetric cost",
        task.unit,
        model,
        fitting,
        lambda m: cost(m, *test),
        asymmetric,
        lambda m: cost(m, *fitting),
    )


class WorthSuite:
    """Problems one after another, with the verbs of `report.Suite`.

    Parameters
    ----------
    makers : sequence of callable
        Each gives a `Problem`; FileNotFoundError or ImportError say that its file is not here.
    """

    title = "Evolution beside restarts of Levenberg-Marquardt in the same seconds, medians"
    packages = ("deap",)

    def __init__(self, makers):
        self.makers = makers

    def rows(self, quick, announce):
        """One dict per problem and solver."""
        for make in self.makers:
            try:
                problem = make()
            except (FileNotFoundError, ImportError):
                continue
            trials = []
            for seed in SEEDS[: QUICK_SEEDS if quick else None]:
                announce(f"{problem.name}, seed {seed}")
                trials.append(problem.trials(seed))
            for name in trials[0]:
                yield self.row(problem, name, trials)

    @staticmethod
    def row(problem, name, trials):
        """Medians of a solver, and how often it is below the restarts, as a row of the file."""
        own = {key: [trial[name][key] for trial in trials] for key in trials[0][name]}
        others = {key: [trial["lm, restarts"][key] for trial in trials] for key in own}
        below = {key: int(np.sum(np.less(own[key], others[key]))) for key in ("loss", "error")}
        return {
            "problem": problem.name,
            "unit": problem.unit,
            "solver": name,
            "seeds": str(len(trials)),
            **{key: f"{np.median(values):.4g}" for key, values in own.items()},
            "error_min": f"{min(own['error']):.4g}",
            "error_max": f"{max(own['error']):.4g}",
            "loss_below_restarts": str(below["loss"]),
            "error_below_restarts": str(below["error"]),
            "losses": " ".join(f"{value:.4g}" for value in own["loss"]),
            "errors": " ".join(f"{value:.4g}" for value in own["error"]),
        }

    def table(self, rows):
        """One line per problem and solver."""
        table = Table("problem", "solver", title=self.title)
        for heading in ("loss", "error (min to max)", "evaluations", "starts", "s", "below lm"):
            table.add_column(heading, justify="right")
        for row in rows:
            least, middle, most = (short(row[key]) for key in ("error_min", "error", "error_max"))
            table.add_row(
                row["problem"],
                row["solver"],
                row["loss"],
                f"{middle} {row['unit']} ({least} to {most})",
                row["evaluations"],
                row["starts"],
                short(row["seconds"]),
                f"{row['error_below_restarts']} of {row['seeds']}",
            )
        return table


WORTH = WorthSuite((narendra, tanks, fast_sine, wind))
