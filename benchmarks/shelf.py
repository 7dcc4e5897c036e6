"""The shelf of solvers on two problems of MATLAB's comparison: epochs and time to a target.

There Levenberg-Marquardt is more than four times as fast as the next on the sine, and on parity
resilient backpropagation is the fastest and Levenberg-Marquardt takes 3.5 times as long.
"""

import sys
import time
from pathlib import Path

import numpy as np
from rich.table import Table

from narxkit.solvers import SOLVERS as ALL
from narxkit.solvers import Monitor, make_solver

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

from solver_problems import TARGETS, epochs_to, parity, sine  # noqa: E402

COLUMNS = ("problem", "solver", "reached", "seeds", "epochs", "epochs_max", "time_ms", "ratio")
NAMES = {sine: "sine, 1-5-1", parity: "parity, 3-10-10-1"}
SOLVERS = [name for name in ALL if "population_values" not in ALL[name].requires]  # with slopes
SEEDS = range(10)
MAX_ITER = 10_000
REPEATS = range(5)


def seconds(problem, solver, seed, epochs):
    """Of a training of so many epochs, without a look at its error."""
    objective = problem()
    theta, rng = initial(objective, seed), np.random.default_rng(seed)
    monitor = Monitor(max_iter=epochs, tol=0)
    start = time.perf_counter()
    make_solver(solver).solve(objective, theta, monitor, rng)
    return time.perf_counter() - start


def initial(objective, seed):
    return objective.network.initial(np.random.default_rng(seed))


def runs(problem, seed, repeats):
    """Epochs and seconds of each solver that reaches the target from this seed.

    Solvers take turns, so that a busy moment hits all alike, and the fastest of their turns counts.
    """
    objective, target = problem(), TARGETS[problem]
    theta = initial(objective, seed)
    epochs = {
        name: epochs_to(target, make_solver(name), objective, theta, seed, MAX_ITER)
        for name in SOLVERS
    }
    reached = {name: count for name, count in epochs.items() if count}
    turns = [[seconds(problem, name, seed, reached[name]) for name in reached] for _ in repeats]
    return {name: (reached[name], min(own)) for name, own in zip(reached, zip(*turns))}


def compare(problem, seeds, repeats):
    """One dict per solver; medians are of the seeds that reach the target."""
    found = [runs(problem, seed, repeats) for seed in seeds]
    ends = {name: [run[name] for run in found if name in run] for name in SOLVERS}
    medians = {name: np.median(own, axis=0) for name, own in ends.items() if own}
    fastest = min(elapsed for _, elapsed in medians.values())
    for name, own in ends.items():
        row = dict.fromkeys(COLUMNS, "") | {"problem": NAMES[problem], "solver": name}
        row |= {"reached": str(len(own)), "seeds": str(len(seeds))}
        if own:
            epochs, elapsed = medians[name]
            row |= {"epochs": f"{epochs:g}", "epochs_max": str(max(own)[0])}
            row |= {"time_ms": f"{1e3 * elapsed:.3g}", "ratio": f"{elapsed / fastest:.3g}"}
        yield row


class ShelfSuite:
    """Both problems for every solver, with the verbs of `report.Suite`."""

    title = "Training to a mean squared error of 0.002 (sine) and 0.001 (parity)"
    packages = ()

    def rows(self, quick, announce):
        """One dict per problem and solver."""
        for problem, name in NAMES.items():
            announce(name)
            yield from compare(problem, *((SEEDS[:3], REPEATS[:1]) if quick else (SEEDS, REPEATS)))

    def table(self, rows):
        """One line per problem and solver."""
        table = Table("problem", "solver", title=self.title)
        headings = ("seeds that reach it", "epochs (most)", "time", "in units of the fastest")
        for heading in headings:
            table.add_column(heading, justify="right")
        for row in rows:
            epochs, most, elapsed, ratio = list(row.values())[4:]
            figures = (f"{epochs} ({most})", f"{elapsed} ms", f"{ratio} x") if epochs else ()
            seeds = f"{row['reached']} of {row['seeds']}"
            table.add_row(row["problem"], row["solver"], seeds, *figures)
        return table


SUITE = ShelfSuite()
