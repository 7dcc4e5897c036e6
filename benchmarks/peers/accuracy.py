"""Accuracy and training time: every package learns the same series and is run from the same rows.

narxkit trains one step ahead here, as all peers but one do: training in closed loop is not built
yet. Each model runs unbounded and is clipped afterwards, because the peers cannot bound the loop.
Fits take turns, each with its own seed, and medians count; a fit within `PATIENCE` is repeated, and
then the seconds of its first turn, which also imports, do not count.
"""

import time
from dataclasses import dataclass
from statistics import median

import numpy as np
from rich.table import Table

from narxkit.datasets import make_narendra
from narxkit.evaluation import find_task

from ..report import short
from .models import MODELS, PACKAGES, Narx, PyrennClosed, Ridge, missing

TURNS = 3  # and seeds
PATIENCE = 20.0  # seconds
STRIDE = 25  # hours between origins, so that they visit every hour of the day
HORIZONS = (1, 8, 24)
TRIAL = ("2017-06", "2017-06")  # what --quick learns from


class Contest:
    """Models on one task, with the verbs of `report.Suite`.

    Parameters
    ----------
    title : str
        Heading of the table.
    make_task : callable
        ``make_task(quick)`` gives a `Task`.
    models : sequence of type
        Classes of `models.Peer`, `Narx` and `Ridge` among them.
    """

    packages = PACKAGES

    def __init__(self, title, make_task, models):
        self.title = title
        self.make_task = make_task
        self.models = models

    def rows(self, quick, announce):
        """One dict per model; one whose package is missing has no figures."""
        task = self.make_task(quick)
        here = [kind for kind in self.models if not missing(kind.needs)]
        trials = {kind: [] for kind in here}
        for seed in range(2 if quick else TURNS):
            for kind in here:
                if not trials[kind] or trials[kind][0].seconds <= PATIENCE:
                    announce(f"{kind.name}, seed {seed}")
                    trials[kind].append(Trial.of(kind(**task.shape, seed=seed), task))
        figures = {kind: summary(trials[kind], task.verdict) for kind in here}
        for kind in self.models:
            label = {"model": kind.name, "training": kind.training}
            if kind in figures:
                own, ridge, narx = (figures[k] for k in (kind, Ridge, Narx))
                ratios = {
                    "ratio_to_ridge": own[task.verdict] / ridge[task.verdict],
                    "fit_ratio": own["fit_s"] / narx["fit_s"],
                }
                yield label | {k: f"{v:.4g}" for k, v in (own | ratios).items()}
            else:
                label["training"] = f"needs {missing(kind.needs)}"
                yield label | dict.fromkeys((*figures[Ridge], "ratio_to_ridge", "fit_ratio"), "")

    def table(self, rows):
        """One line per model."""
        table = Table("model", "trained", title=self.title)
        for heading in list(rows[0])[2:]:
            table.add_column(heading.replace("_", " "), justify="right")
        for model, training, *figures in map(dict.values, rows):
            table.add_row(model, training, *(short(v) if v else "" for v in figures))
        return table


@dataclass(frozen=True)
class Trial:
    """One fit: its seconds, and the RMSE of the model by name."""

    seconds: float
    errors: dict

    @classmethod
    def of(cls, model, task):
        start = time.perf_counter()
        model.fit(*task.fitting)
        return cls(time.perf_counter() - start, task.errors(model))


def summary(trials, verdict):
    """Medians over the trials, and the range of the verdict."""
    by_name = {name: [trial.errors[name] for trial in trials] for name in trials[0].errors}
    seconds = [trial.seconds for trial in trials]
    return {name: median(errors) for name, errors in by_name.items()} | {
        f"{verdict}_min": min(by_name[verdict]),
        f"{verdict}_max": max(by_name[verdict]),
        "seeds": len(trials),
        "fit_s": median(seconds[1:] or seconds),
    }


@dataclass(frozen=True, eq=False)
class Task:
    """What is learned, and how it is judged.

    Parameters
    ----------
    shape : dict
        Arguments of a `models.Peer`.
    fitting : tuple of ndarray
        Input and output to learn from.
    errors : callable
        ``errors(model)`` gives RMSE by name.
    verdict : str
        The one of them that is held against the ridge's.
    """

    shape: dict
    fitting: tuple
    errors: callable
    verdict: str


def solar(quick):
    """Protocol S0: irradiation 24 hours ahead, known ahead is the clear sky."""
    task = find_task("solar")
    data = task.read()
    train, test = (data.loc[slice(*rows)] for rows in (TRIAL if quick else task.fitting, task.test))
    lags = {"input_lags": 1, "output_lags": 24}
    u, y, limit = (test[name].to_numpy() for name in ("clear_sky", task.target, "limit"))
    first = test.index.get_indexer(task.origins(test))[::STRIDE] + 1
    ahead = first[:, None] + np.arange(task.steps)

    def errors(model):
        history = lags["output_lags"]
        runs = [model.free_run(u[t - history : t + task.steps], y[t - history : t]) for t in first]
        y_hat = np.clip(runs, 0, limit[ahead])
        rmse = np.sqrt(np.mean((y_hat - y[ahead]) ** 2, axis=0))
        return {f"{h}_h": rmse[h - 1] for h in HORIZONS} | {"mean": rmse.mean()}

    series = train["clear_sky"].to_numpy(), train[task.target].to_numpy()
    return Task(lags, series, errors, "mean")


def narendra(quick):
    """A known system without noise: learned under one input, run freely under a fresh one."""
    u, y = series(300 if quick else 1000, random_state=0)
    fresh, truth = series(5000, random_state=1)
    lags = {"input_lags": 1, "output_lags": 2, "degree": 3}
    history = lags["output_lags"]

    def errors(model):
        y_hat = model.free_run(fresh, truth[:history])
        return {"free_run": np.sqrt(np.mean((y_hat - truth[history:]) ** 2))}

    return Task(lags, (u, y), errors, "free_run")


def series(n, random_state):
    X, y = make_narendra(n, random_state=random_state)
    return X[:, 0], y


SOLAR = Contest(
    "Solar irradiance (protocol S0), RMSE in W/m² from every 25th hour of 2023, clipped afterwards",
    solar,
    [kind for kind in MODELS if kind is not PyrennClosed],  # hours of training
)
NARENDRA = Contest("A plant of Narendra, RMSE of a free run of 5,000 steps", narendra, MODELS)
