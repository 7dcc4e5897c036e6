"""Accuracy: rolling-origin forecasts over 24 hours, networks trained one step and 24 steps ahead.

The protocols S0, S1, W1, T1 and T2 of `narxkit.study`, one recipe for all of them: 24 lags, six
hidden units beside the linear term, a penalty of 100, the median of five restarts. To it comes what
a forecaster knows of a series:

- Solar: clouds take a share of the light. The network forecasts the clear-sky index, irradiance
  over clear sky, and each hour has the square of its clear sky as its weight, so that the loss is
  the squared error in W/m². Below a clear sky of 20 W/m² the index stays as it was, without weight.
- Turbine, a hindcast: its clock runs an hour or two early beside that of the reanalysis, whose wind
  is read from 3 hours before to 3 hours after the hour that is forecast. From every origin the wind
  is known up to the 24th hour, as the protocol has it, and taken to stay from there on.

Missing hours are carried forward as history and have no weight as targets. Beside these stand the
same networks without such knowledge, "plain", and the ridge of the protocol.

Nothing was chosen on a test period. Penalty, index and leads were chosen inside the training and
validation periods, by the errors of blocks that were left out: twelve blocks, every fourth of which
makes a fold (`ratio_by_blocks`), so that all seasons train and all are judged.
``python -m benchmarks.rolling`` shows them for three penalties. The ratio to the ridge has its
interval from weekly blocks of origins.
"""

import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np
import pandas as pd
from rich.table import Table

from narxkit import NARX, backtest
from narxkit.study import TASKS, Task, run

RECIPE = {
    "alpha": 100.0,
    "hidden_layer_sizes": (6,),
    "max_iter": 50,
    "n_restarts": 5,
    "combine": "median",
    "random_state": 0,
}
KNOWLEDGE = {
    "solar": {"output_range": (0, 1.3)},  # of the index
    "solar-hindcast": {"output_range": (0, 1.3)},
    "turbine-hindcast": {"input_lags": {"era5_ws100": range(-3, 4)}},
}
LOW_SUN = 20.0  # W/m²
N_BLOCKS, N_FOLDS = 12, 4
ALPHAS = (10.0, 30.0, 100.0)
NAMES = ("solar", "solar-hindcast", "wind", "turbine", "turbine-hindcast")
FIGURES = ("RMSE h=1", "RMSE h=8", "RMSE h=24", "RMSE mean", "ratio to ridge", "ratio 2.5 %",
           "ratio 97.5 %", "fit s")  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """A network for a task, and what it is shown.

    Parameters
    ----------
    task : Task
    loop : "open" or int
        The rollouts that training minimises.
    is_plain : bool
        Whether to leave out what is known of the series.
    settings : dict
        Parameters of the network.
    """

    task: Task
    loop: str | int
    is_plain: bool = False
    settings: dict = field(default_factory=RECIPE.copy)

    @property
    def label(self):
        """Its name in the table."""
        steps = "one step" if self.loop == "open" else f"{self.loop} steps"
        return f"NARX, {steps}" + ", plain" * self.is_plain

    @property
    def knowledge(self):
        """Parameters that come from what is known of the series."""
        return {} if self.is_plain else KNOWLEDGE.get(self.task.name, {})

    @property
    def has_index(self):
        """Whether the network forecasts the clear-sky index."""
        return bool(self.task.clear_sky) and not self.is_plain

    def network(self):
        """The network, not fitted."""
        task = self.task
        known = {"input_lags": dict(task.input_lags), "output_range": task.output_range}
        parameters = known | self.settings | self.knowledge
        return NARX(output_lags=task.output_lags, loop=self.loop, **parameters)

    def inputs(self, data):
        """Columns that the network is given; an index has a bound of its own."""
        return data[list(self.task.input_lags) if self.has_index else self.task.features]

    def sky(self, data):
        """The clear sky that outputs are divided by; 1 where they are not."""
        if not self.has_index:
            return pd.Series(1.0, data.index)
        return data[self.task.clear_sky["clear_sky"]]

    def outputs(self, data):
        """What the network forecasts, carried forward where it is missing, and its weight."""
        target, sky = data[self.task.target], self.sky(data)
        is_target = target.notna() & (sky > (LOW_SUN if self.has_index else 0.0))
        return (target / sky).where(is_target).ffill(), is_target * (sky / sky.max()) ** 2

    def fit(self, data, rows=slice(None)):
        """Fit a network on rows of the data."""
        y, weight = self.outputs(data)
        X = self.inputs(data)
        with told_of_missing_rows():
            return self.network().fit(X.iloc[rows], y.iloc[rows], sample_weight=weight.iloc[rows])

    def forecasts(self, model, data, origins):
        """Forecasts of shape (n_origins, steps), each from rows that end with its last target.

        Where inputs have leads, the rows after it repeat the last.
        """
        steps, lag, lead = self.task.steps, model.max_lag_, model.structure_.taps.lead
        last = data.index.get_indexer(origins)[:, None]
        window = last + np.minimum(np.arange(1 - lag, steps + lead + 1), steps)
        n, width = window.shape
        X, y = (
            rows.iloc[window.ravel()].reset_index(drop=True)
            for rows in (self.inputs(data), self.outputs(data)[0])
        )
        begins, labels = np.arange(n) * width, np.repeat(np.arange(n), width)
        y_hat = backtest(model, X, y, steps, begins + lag - 1, labels)["y_hat"].to_numpy()
        ahead = last + np.arange(1, steps + 1)
        bounds = (
            data[bound].to_numpy()[ahead] if isinstance(bound, str) else bound
            for bound in self.task.output_range
        )
        return np.clip(y_hat.reshape(n, steps) * self.sky(data).to_numpy()[ahead], *bounds)


@contextmanager
def told_of_missing_rows():
    """No warning of the rows that missing values leave out of training."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".* rows were left out of training")
        yield


def recipes(task):
    """The networks that stand in the table."""
    loops = ("open", task.steps)
    plain = [Recipe(task, loop, is_plain=True) for loop in loops] if task.name in KNOWLEDGE else []
    return [*(Recipe(task, loop) for loop in loops), *plain]


def ratio_by_blocks(recipe, n_blocks=N_BLOCKS, n_folds=N_FOLDS):
    """The mean RMSE of a network over that of the ridge, on blocks that were left out.

    Parameters
    ----------
    recipe : Recipe
    n_blocks : int
        Blocks of successive rows of the fitting period.
    n_folds : int
        Every block that is `n_folds` after another is left out with it.

    Returns
    -------
    ratio : float
    errors : ndarray of shape (steps,)
        RMSE of the network, by horizon, over all blocks.
    """
    task = recipe.task
    data = task.read().loc[slice(*task.fitting)]
    fold = np.arange(len(data)) * n_blocks // len(data) % n_folds
    squares = []
    for i in range(n_folds):
        train, held_out = np.flatnonzero(fold != i), data[fold == i]
        origins = task.origins(held_out)
        X, y = data[task.features], data[task.target]
        with told_of_missing_rows():
            ridge = task.ridge().fit(X.iloc[train], y.iloc[train])
        answers = backtest(ridge, X[fold == i], y[fold == i], task.steps, origins)
        y_hat = recipe.forecasts(recipe.fit(data, train), data, origins)
        pair = np.stack([answers["y_hat"].to_numpy().reshape(y_hat.shape), y_hat])
        squares.append((pair - answers["y"].to_numpy().reshape(y_hat.shape)) ** 2)
    errors = np.sqrt(np.nanmean(np.concatenate(squares, axis=1), axis=1))
    return errors[1].mean() / errors[0].mean(), errors[1]


class RollingSuite:
    """Every task with a network of each kind, with the verbs of `report.Suite`."""

    title = "Rolling origin, 24 hours ahead, one recipe for all series"
    packages = ()

    def rows(self, quick, announce):
        """One dict per task and model."""
        for name in NAMES[2:3] if quick else NAMES:
            task = TASKS[name]
            announce(f"{name}, ridge ARX")
            with told_of_missing_rows():
                study = run(task, learned=("arx",))
            data = task.read()
            fitting, test = (data.loc[slice(*period)] for period in (task.fitting, task.test))
            labels = ["ridge ARX"]
            for recipe in recipes(task):
                announce(f"{name}, {recipe.label}")
                start = perf_counter()
                model = recipe.fit(fitting)
                study.fit_seconds[recipe.label] = perf_counter() - start
                y_hat = recipe.forecasts(model, test, study.origins)
                answers = study.backtests["ridge ARX"].assign(y_hat=y_hat.ravel())
                study.backtests[recipe.label] = answers
                labels.append(recipe.label)
            table = study.table(interval=True)
            yield from (line(task, label, table.loc[label]) for label in labels)

    def table(self, rows):
        """One line per task and model."""
        table = Table("protocol", "model", title=self.title)
        for heading in FIGURES:
            table.add_column(heading.removeprefix("RMSE "), justify="right")
        for row in rows:
            table.add_row(row["protocol"], row["model"], *(row[figure] for figure in FIGURES))
        return table


def line(task, model, figures):
    """The figures of a model as a row of the file."""
    cells = {name: f"{figures[name]:.4g}" for name in FIGURES}
    return {"protocol": task.protocol, "unit": task.unit, "model": model} | cells


SUITE = RollingSuite()

if __name__ == "__main__":
    for alpha in ALPHAS:
        for name in NAMES:
            recipe = Recipe(TASKS[name], 24, settings=RECIPE | {"alpha": alpha})
            ratio, errors = ratio_by_blocks(recipe)
            print(f"alpha {alpha:g}, {name}: {ratio:.4f} of the ridge, h=1 {errors[0]:.4g}")
