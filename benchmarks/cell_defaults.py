"""What the defaults of the recurrent regressors are worth: one of them changed at a time.

Each kind of cell learns the first three quarters of the fitting period of S0 and W1, with the
inputs and the range of the protocol, and forecasts 24 hours from every origin of the last quarter:
the error is the mean over the horizons of the RMSE. No test year is read, so that defaults may be
chosen by this table. "now" are the defaults; other settings change one of them. Beside each stands
the linear model of the same taps.

Errors are the median of three seeds, to save time of one in the settings of `ONCE`. A network whose
hidden part is dead does not live. Seconds are those of the processor for a fit in one thread.
"""

import time
import warnings
from statistics import median
from typing import NamedTuple

from joblib import Parallel, delayed
from rich.table import Table

from narxkit import NARX, ElmanRegressor, GRURegressor, LSTMRegressor
from narxkit.evaluation import TASKS

from .defaults import lives, rolling_error, written

N_JOBS = 2
SEEDS = range(3)
LEARNED = 0.75  # of the fitting period
NAMES = "solar", "wind"
CELLS = {"Elman": ElmanRegressor, "GRU": GRURegressor, "LSTM": LSTMRegressor}
SETTINGS = {
    "now": {},
    "solver adam": {"solver": "adam"},
    "solver irprop+": {"solver": "irprop+"},
    "alpha 1": {"alpha": 1.0},
    "alpha 10": {"alpha": 10.0},
    "alpha 100": {"alpha": 100.0},
    "8 units": {"hidden_layer_sizes": (8,)},
    "32 units": {"hidden_layer_sizes": (32,)},
    "window 12": {"window": 12},
    "window 48": {"window": 48},
    "24 lags": {"output_lags": 24},
}
ONCE = ("solver adam", "solver irprop+", "alpha 1", "32 units", "window 48", "24 lags")
HEADINGS = "error (min to max)", "to now", "to linear", "lives", "fit s"


class Trial(NamedTuple):
    """The error of one fit, its seconds, and whether a network lives in it."""

    error: float
    seconds: float
    lives: bool


def trial(name, estimator, parameters, seed):
    """Learn the first rows of a fitting period and forecast the last ones."""
    task = TASKS[name]
    data = task.read().loc[slice(*task.fitting)]
    n = int(LEARNED * len(data))
    known = {"input_lags": dict(task.input_lags), "output_range": task.output_range}
    model = estimator(random_state=seed, **known | parameters)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        start = time.process_time()
        model.fit(data[task.features].iloc[:n], data[task.target].iloc[:n])
        seconds = time.process_time() - start
        return Trial(rolling_error(model, task, data.iloc[n:]), seconds, lives(model))


def each_trial(name, estimator, quick):
    """By setting, a trial for each seed."""
    n_seeds = {key: 1 if quick or key in ONCE else len(SEEDS) for key in SETTINGS}
    tasks = [(key, seed) for key, n in n_seeds.items() for seed in SEEDS[:n]]
    made = Parallel(n_jobs=N_JOBS)(
        delayed(trial)(name, estimator, SETTINGS[key], seed) for key, seed in tasks
    )
    trials = {key: [] for key in SETTINGS}
    for (key, _), one in zip(tasks, made):
        trials[key].append(one)
    return trials


def linear_error(name, parameters):
    """The error of the linear model of the same taps."""
    lags = {"output_lags": parameters.get("output_lags", CELLS["GRU"]().output_lags)}
    return trial(name, NARX, {"hidden_layer_sizes": (), **lags}, seed=0).error


def row(name, cell, setting, trials, now, linear):
    """The trials of a setting, and how they compare, as a row of the file."""
    errors = [one.error for one in trials]
    return {
        "set": f"{TASKS[name].protocol}, {name}",
        "unit": TASKS[name].unit,
        "cell": cell,
        "setting": setting,
        "error": written(median(errors)),
        "min": written(min(errors)),
        "max": written(max(errors)),
        "errors": written(errors),
        "ratio_to_now": written(median(errors) / now),
        "ratio_to_linear": written(median(errors) / linear),
        "network_lives": f"{sum(one.lives for one in trials)} of {len(trials)}",
        "fit_s": written(median(one.seconds for one in trials)),
    }


class CellDefaultsSuite:
    """Settings of all cells, with the verbs of `report.Suite`."""

    title = "Defaults of recurrent networks, the last quarter of the fitting period"
    packages = ()

    def rows(self, quick, announce):
        """One dict per task, cell and setting; a quick run has one seed."""
        for name in NAMES:
            linear = {key: linear_error(name, changed) for key, changed in SETTINGS.items()}
            for cell, estimator in CELLS.items():
                announce(f"{name} by {cell}")
                trials = each_trial(name, estimator, quick)
                now = median(one.error for one in trials["now"])
                for setting, some in trials.items():
                    yield row(name, cell, setting, some, now, linear[setting])

    def table(self, rows):
        """One line per task, cell and setting."""
        table = Table("set", "cell", "setting", title=self.title)
        for heading in HEADINGS:
            table.add_column(heading, justify="right")
        for one in rows:
            error = f"{one['error']} {one['unit']} ({one['min']} to {one['max']})"
            plain = ("ratio_to_now", "ratio_to_linear", "network_lives", "fit_s")
            table.add_row(
                one["set"], one["cell"], one["setting"], error, *(one[key] for key in plain)
            )
        return table


SUITE = CellDefaultsSuite()
