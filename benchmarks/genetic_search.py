"""Searches of a NARX beside each other: 60 configurations each, of one space, scored alike.

Irradiance in Colorado and wind speed with air temperature as the input, 8 and 24 hours ahead (Di
Piazza, Di Piazza and Vitale 2016, Renewable Energy 96, 1-9, forecast so by NARX networks). The
space is that of `SPACE`: output lags any subset of eight, temperature lags any of four, 2 to 12
hidden units, penalties from 1e-4 to 100. The grid is that of `GRID`; `GeneticSearchCV` has a
population of 12 and five generations, all else by default, and so have scikit-learn's
RandomizedSearchCV and Optuna's TPE, where that is installed.

Configurations are scored by the mean RMSE of the first 8, or 24, hours from every hour of four
blocks of 2017, each left out once; the best one is fitted to all of 2017 and forecasts 2023, which
nothing was chosen on. A seed is that of the search and of the networks. "first of" counts the seeds
in which a search has the least error on the blocks.

A killed search is started until it ends: `RESUMED` kills one with SIGKILL at ten random moments,
and compares scores, generations and weights, bit by bit, with one that nothing disturbed.
"""

import importlib.util
import json
import multiprocessing
import random
import tempfile
import time
import warnings
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed
from rich.table import Table
from sklearn.model_selection import GridSearchCV, ParameterGrid, RandomizedSearchCV, cross_val_score

from narxkit import (
    NARX,
    BlockedKFold,
    Continuous,
    GeneticSearchCV,
    Integer,
    RollingOrigin,
    Subset,
    ahead_scorer,
)
from narxkit.datasets import load_solar, load_wind, make_narendra

N_JOBS = 2
SEEDS, QUICK_SEEDS = range(10), range(1)
N_FITS, POPULATION = 60, 12
OUTPUT_LAGS, INPUT_LAGS = (1, 2, 3, 6, 12, 23, 24, 25), (0, 1, 3, 24)
SPACE = {
    "output_lags": Subset(OUTPUT_LAGS),
    "input_lags": {"temp_air": Subset(INPUT_LAGS)},
    "hidden_layer_sizes": Integer(2, 12),
    "alpha": Continuous(1e-4, 100, distribution="log-uniform"),
}
GRID = {
    "output_lags": [
        [1, 2, 3],
        [1, 24],
        [1, 2, 3, 24],
        [1, 2, 3, 23, 24, 25],
        list(OUTPUT_LAGS),
    ],
    "input_lags": [{"temp_air": [0]}, {"temp_air": list(INPUT_LAGS)}],
    "hidden_layer_sizes": [4, 10],
    "alpha": [1e-3, 0.3, 30.0],
}
assert len(ParameterGrid(GRID)) == N_FITS


class Problem(NamedTuple):
    """A series, the hours ahead, and the unit of its errors."""

    load: callable
    target: str
    steps: int
    unit: str

    def rows(self, year):
        data = self.load().loc[year]
        return data[["temp_air"]], data[self.target]

    @property
    def scoring(self):
        """The first hours of a block are history, for all lags alike."""
        return ahead_scorer(self.steps, warmup=max(OUTPUT_LAGS))


PROBLEMS = {
    f"{name}, {steps} h": Problem(load, target, steps, unit)
    for name, load, target, unit in (
        ("solar", load_solar, "ghi", "W/m²"),
        ("wind", load_wind, "wind_speed", "m/s"),
    )
    for steps in (8, 24)
}


class Drawn:
    """A dimension as scikit-learn draws from it."""

    def __init__(self, *dimension, key=None):
        (self.dimension,), self.key = dimension, key

    def rvs(self, random_state=None):
        cells = random_state.random_sample(self.dimension.n_cells)
        value = self.dimension.decode(cells)
        return value if self.key is None else {self.key: value}


def network(seed):
    return NARX(max_iter=30, random_state=seed)


def settings(problem):
    return {"scoring": problem.scoring, "cv": BlockedKFold(4)}


def genetic(problem, seed):
    return GeneticSearchCV(
        network(seed),
        SPACE,
        population_size=POPULATION,
        generations=N_FITS // POPULATION,
        random_state=seed,
        **settings(problem),
    )


def by_grid(problem, seed):
    return GridSearchCV(network(seed), GRID, **settings(problem))


def randomized(problem, seed):
    space = {
        name: Drawn(*value.values(), key="temp_air") if isinstance(value, dict) else Drawn(value)
        for name, value in SPACE.items()
    }
    return RandomizedSearchCV(
        network(seed), space, n_iter=N_FITS, random_state=seed, **settings(problem)
    )


class ByOptuna:
    """Optuna's tree of Parzen estimators, with its defaults, as a search."""

    def __init__(self, problem, seed):
        self.problem, self.seed = problem, seed

    def fit(self, X, y):
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(
            direction="maximize", sampler=optuna.samplers.TPESampler(seed=self.seed)
        )

        def score(trial):
            model = network(self.seed).set_params(**self.suggested(trial))
            # a diverging or empty candidate is the worst; the study takes no infinite values
            mean = cross_val_score(model, X, y, **settings(self.problem)).mean()
            return float(np.nan_to_num(mean, nan=-1e6, neginf=-1e6))

        study.optimize(score, n_trials=N_FITS)
        self.best_score_ = study.best_value
        self.best_estimator_ = network(self.seed).set_params(**self.suggested(study.best_trial))
        self.best_estimator_.fit(X, y)
        return self

    @staticmethod
    def suggested(trial):
        def subset(name, candidates):
            asked = {lag: trial.suggest_categorical(f"{name} {lag}", [False, True])
                     for lag in candidates}  # fmt: skip
            return [lag for lag, is_chosen in asked.items() if is_chosen]

        return {
            "output_lags": subset("y", OUTPUT_LAGS),
            "input_lags": {"temp_air": subset("u", INPUT_LAGS)},
            "hidden_layer_sizes": trial.suggest_int("hidden", 2, 12),
            "alpha": trial.suggest_float("alpha", 1e-4, 100, log=True),
        }


SEARCHES = {
    "GeneticSearchCV": genetic,
    "grid": by_grid,
    "RandomizedSearchCV": randomized,
    "Optuna TPE": ByOptuna,
}
NEEDS = {"Optuna TPE": "optuna"}


def searched(name, kind, seed):
    """Run one search and test what it has found: a row of the file."""
    problem = PROBLEMS[name]
    begin = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of candidates: their scores tell
        search = SEARCHES[kind](problem, seed).fit(*problem.rows("2017"))
        seconds = time.perf_counter() - begin
        error = -problem.scoring(search.best_estimator_, *problem.rows("2023"))
    return {
        "problem": name,
        "search": kind,
        "seed": str(seed),
        "unit": problem.unit,
        "blocks": f"{-search.best_score_:.4f}",
        "test": f"{error:.4f}",
        "seconds": f"{seconds:.1f}",
        "params": str(search.best_estimator_.n_params_),
    }


class SearchSuite:
    """Searches side by side, with the verbs of `report.Suite`."""

    title = "Searches of 60 configurations: RMSE on blocks and on 2023, medians over seeds"
    packages = ("optuna", "deap")

    def rows(self, quick, announce):
        """One dict per problem, search and seed."""
        seeds = QUICK_SEEDS if quick else SEEDS
        for name in PROBLEMS:
            announce(name)
            kinds = [kind for kind in SEARCHES if is_there(NEEDS.get(kind, "narxkit"))]
            jobs = (delayed(searched)(name, kind, seed) for seed in seeds for kind in kinds)
            yield from Parallel(n_jobs=N_JOBS)(jobs)

    def table(self, rows):
        """One line per problem and search: medians and ranges, and how often it was first."""
        table = Table("problem", "search", title=self.title)
        for heading in ("blocks", "test", "first of", "seconds", "parameters"):
            table.add_column(heading, justify="right")
        firsts = first_by_seed(rows)
        for name in PROBLEMS:
            for kind in SEARCHES:
                some = [r for r in rows if (r["problem"], r["search"]) == (name, kind)]
                if some:
                    seeds = {row["seed"] for row in some}
                    n_first = sum(firsts[name, seed] == kind for seed in seeds)
                    errors = (ranged(some, key, some[0]["unit"]) for key in ("blocks", "test"))
                    others = (f"{median(float(row[key]) for row in some):g}"
                              for key in ("seconds", "params"))  # fmt: skip
                    table.add_row(name, kind, *errors, f"{n_first} of {len(seeds)}", *others)
        return table


def is_there(package):
    return importlib.util.find_spec(package) is not None


def first_by_seed(rows):
    """The search with the least error on the blocks, by problem and seed."""
    firsts = {}
    for row in sorted(rows, key=lambda row: float(row["blocks"])):
        firsts.setdefault((row["problem"], row["seed"]), row["search"])
    return firsts


def ranged(rows, key, unit):
    """The median of a column, and its range."""
    values = [float(row[key]) for row in rows]
    return f"{median(values):.4g} ({min(values):.4g} to {max(values):.4g}) {unit}"


# ---------------------------------------------------------------- killed
N_KILLS = 10


def kept(path, generations):
    """Run a search of a small network with a checkpoint; all of its result as text."""
    X, y = make_narendra(300, random_state=0)
    search = GeneticSearchCV(
        NARX(hidden_layer_sizes=4, max_iter=10, random_state=0),
        {
            "output_lags": Subset([1, 2, 3, 4, 5], min=1),
            "alpha": Continuous(1e-4, 100, distribution="log-uniform"),
        },
        scoring=ahead_scorer(steps=4),
        cv=RollingOrigin(2, test_size=60),
        population_size=10,
        generations=generations,
        random_state=0,
        checkpoint=path,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search.fit(X, y)
    results = {key: list(map(repr, column)) for key, column in search.cv_results_.items()
               if "time" not in key}  # fmt: skip
    weights = search.best_estimator_.theta_.tolist()
    return json.dumps([weights, results, search.logbook_.to_json(double_precision=15)])


def begun(path, generations):
    """Start the search in a process of its own; it, and where its result comes from."""
    context = multiprocessing.get_context("fork")  # with its modules, to begin at once
    end, other = context.Pipe(duplex=False)
    process = context.Process(target=lambda: other.send(kept(path, generations)))
    process.start()
    return process, end


def ended(path, generations):
    """The result of the search, run to its end."""
    process, end = begun(path, generations)
    result = end.recv()
    process.join()
    return result


def kill_and_resume(n_kills, generations, seed=0):
    """Kill a search at random moments, start it again each time, and compare the end.

    Returns
    -------
    kills : list of int
        Configurations that were in the file at each kill.
    is_same : bool
        Whether the last run, which was not killed, ended as an undisturbed one.
    """
    with tempfile.TemporaryDirectory() as folder:
        whole, killed = Path(folder) / "whole.json", Path(folder) / "killed.json"
        begin = time.perf_counter()
        expected = ended(whole, generations)
        # a part of what the whole takes, so that later kills fall into later generations
        part = 1.5 * (time.perf_counter() - begin) / n_kills
        rng, kills = random.Random(seed), []
        for _ in range(n_kills):
            process, _ = begun(killed, generations)
            time.sleep(rng.uniform(0.0, part))
            process.kill()
            process.join()
            kills.append(n_in_file(killed))
        return kills, ended(killed, generations) == expected


def n_in_file(path):
    return len(json.loads(path.read_text())["records"]) if path.exists() else 0


class ResumedSuite:
    """Kills at random moments, with the verbs of `report.Suite`."""

    title = "A search that is killed with SIGKILL and started again"
    packages = ()

    def rows(self, quick, announce):
        """One dict for all kills."""
        announce("kills")
        kills, is_same = kill_and_resume(3 if quick else N_KILLS, 3 if quick else 20)
        yield {
            "kills": str(len(kills)),
            "configurations at the kills": " ".join(map(str, kills)),
            "same result": "yes" if is_same else "no",
        }

    def table(self, rows):
        """The one line."""
        table = Table(*rows[0], title=self.title)
        for row in rows:
            table.add_row(*row.values())
        return table


SUITE, RESUMED = SearchSuite(), ResumedSuite()
