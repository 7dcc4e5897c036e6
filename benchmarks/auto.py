"""AutoNARX on series with inputs, over 24 hours, and on systems that run freely.

The protocols S0, S1, W1, T1 and T2 of `narxkit.evaluation`: AutoNARX is told the horizon, the
bounds of the output, and for irradiance the column that divides it, the clear sky; it is given the
columns of the protocol. From every origin it sees what the protocol allows: rows up to the 24th
hour of the inputs that are known ahead, which stay as they are from there on. Origins whose
history, a week and two days, reaches before the test period are left out. Missing hours of the
output are carried forward as history and have no weight as targets.

Systems: the plants of `../shared/protocol/plants.py`, the Cascaded Tanks and Silverbox, by
``AutoNARX(horizon="simulation")``, free runs over the test rows after those that start them. It is
told that the tanks overflow at 10 V, as the recipes beside it are.

The targets of the systems are a tenth above the best documented recipe. Nothing was chosen on a
test period.
"""

import sys
import time
import warnings
from statistics import median

import numpy as np
import pandas as pd
from rich.table import Table

from narxkit import AutoNARX, backtest
from narxkit.evaluation import TASKS

from . import accuracy
from .report import short
from .rolling import LONGEST_NIGHT

SEEDS, SEEDS_OF_SYSTEMS = range(1), range(10)  # a fit of a protocol takes a minute
SLOW = "Silverbox"  # several minutes a fit: one seed, too
TARGETS = {  # the best row of README.md, one per cent above, and the aim
    "solar": (88.2, 86.0),
    "solar-hindcast": (85.4, 83.7),
    "wind": (1.257, 1.26),
    "turbine": (373.6, 369.7),
    "turbine-hindcast": (247.8, 235.3),
}
COLUMNS = ("set", "unit", "seeds", "error", "least", "most", "errors", "must", "aim", "met",
           "network_weight", "fit_s", "said")  # fmt: skip


def task_trial(task, seed, every=1):
    """Fit on the fitting period and forecast the test: the error, the model and its seconds."""
    data = task.read()
    bounds = [bound for bound in task.output_range if isinstance(bound, str)]
    columns = list(dict.fromkeys([*task.input_lags, *bounds]))
    y, X = data[task.target], data[columns] if columns else None
    fitting = data.loc[slice(*task.fitting)].index
    model = AutoNARX(
        horizon=task.steps,
        divide_by=task.clear_sky.get("clear_sky"),
        output_range=task.output_range,
        random_state=seed,
    )
    begin = time.perf_counter()
    model.fit(None if X is None else X.loc[fitting], y.loc[fitting])
    seconds = time.perf_counter() - begin
    origins = data.index.get_indexer(task.origins(data.loc[slice(*task.test)]))[::every]
    origins = origins[has_history(data.index, origins, rows_before(model), task.steps)]
    y_hat = forecasts(model, X, y.ffill(), origins, task.steps)
    truth = y.to_numpy()[origins[:, None] + np.arange(1, task.steps + 1)]
    error = np.sqrt(np.nanmean((y_hat - truth) ** 2, axis=0)).mean()
    return float(error), model, seconds


def rows_before(model):
    """Return the rows that a forecast may read: its lags, and a night whose end it carries on."""
    return model.max_lag_ + 2 * LONGEST_NIGHT


def has_history(index, origins, lag, steps):
    """Return which origins have these rows up to them and behind them without a gap."""
    first, last = origins + 1 - lag, origins + steps
    inside = (first >= 0) & (last < len(index))
    hours = np.zeros(len(origins))
    hours[inside] = (index[last[inside]] - index[first[inside]]) / pd.Timedelta(hours=1)
    return hours == lag + steps - 1


def forecasts(model, X, y, origins, steps):
    """Forecast from each origin, with no row of X behind the last step."""
    lag = rows_before(model)
    rows = (origins[:, None] + np.arange(1 - lag, steps + 1)).ravel()
    n, width = len(origins), lag + steps
    names = np.repeat(np.arange(n), width)
    index = pd.MultiIndex.from_arrays([names, y.index[rows]])
    X = None if X is None else X.iloc[rows].set_axis(index)
    at = [index[i * width + lag - 1] for i in range(n)]
    answers = backtest(model, X, y.iloc[rows].set_axis(index), steps, at)
    return answers["y_hat"].to_numpy().reshape(n, steps)


def systems():
    """Systems by name: rows of training and of the test, rows left out, unit, bounds, a target."""
    sys.path.append(str(accuracy.FOLDER.parents[1] / "protocol"))
    from plants import levitation, narendra

    X, y = levitation()
    table, test = pd.read_csv(accuracy.FOLDER / "cascaded_tanks.csv"), narendra(2000, 1)
    tanks = [_record(table, part) for part in ("train", "test")]
    box = accuracy.read("silverbox.csv.gz")
    learned, multisine, arrow = (
        _record(box, part) for part in ("train", "test_multisine", "test_arrow")
    )
    quiet = tuple(column[:32_000] for column in arrow)  # no louder than what was learned from
    return {
        "Narendra, clean": (narendra(3000, 0), test, 10, test[1].std(), None, 0.056),
        "Narendra, noise 0.1": (narendra(600, 0, 0.1), test, 10, test[1].std(), None, 0.263),
        "levitation": ((X[:3400], y[:3400]), (X[3400:], y[3400:]), 10, 1.0, None, 0.061),
        "Cascaded Tanks, V": (*tanks, 50, 1.0, (0.0, 10.0), 0.431),
        "Silverbox, multisine, mV": (learned, multisine, 50, 1e-3, None, 0.221),
        "Silverbox, arrow, mV": (learned, arrow, 50, 1e-3, None, 0.334),
        "Silverbox, arrow, no extrapolation, mV": (learned, quiet, 50, 1e-3, None, 0.226),
    }


def _record(table, part):
    """Return inputs and outputs of one part of a table."""
    rows = table[table["split"] == part]
    return rows[["u"]].to_numpy(), rows["y"].to_numpy()


def system_trial(system, seed):
    """Fit on the training rows and run freely over the test rows."""
    (X, y), (X_test, y_test), skip, unit, bounds, _ = system
    begin = time.perf_counter()
    model = AutoNARX("simulation", output_range=bounds, random_state=seed).fit(X, y)
    seconds = time.perf_counter() - begin
    y_hat = model.simulate(X_test, y_test[: model.max_lag_])
    error = np.sqrt(np.nanmean((y_hat - y_test)[skip:] ** 2)) / unit
    return float(error), model, seconds


class AutoSuite:
    """Protocols and systems, with the verbs of `report.Suite`."""

    title = "AutoNARX with inputs: mean RMSE over 1 to 24 hours, and free runs of systems"
    packages = ()

    def rows(self, quick, announce):
        """Yield one dict per set."""
        for name in ("wind",) if quick else TARGETS:
            task = TASKS[name]
            announce(name)
            seeds = SEEDS[:1] if quick else SEEDS
            trials = [self.quiet(task_trial, task, seed, 50 if quick else 1) for seed in seeds]
            yield self.row(task.protocol, task.unit, trials, *TARGETS[name])
        for name, system in systems().items():
            if quick and name != "Narendra, noise 0.1":
                continue
            announce(name)
            is_short = quick or name.startswith(SLOW)
            seeds = SEEDS_OF_SYSTEMS[:1] if is_short else SEEDS_OF_SYSTEMS
            trials = [self.quiet(system_trial, system, seed) for seed in seeds]
            yield self.row(name, "", trials, system[-1], "")

    @staticmethod
    def quiet(trial, *arguments):
        """Run a trial without the warnings of its candidates."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return trial(*arguments)

    @staticmethod
    def row(name, unit, trials, must, aim):
        """Return the row of a set: medians over seeds."""
        errors = [error for error, _, _ in trials]
        weights = [network_weight(model) for _, model, _ in trials]
        figures = (median(errors), min(errors), max(errors))
        return dict(
            zip(
                COLUMNS,
                (
                    name, unit, str(len(trials)), *(f"{value:.4g}" for value in figures),
                    " ".join(f"{error:.4g}" for error in errors), str(must), str(aim),
                    "yes" if median(errors) <= must else "no", f"{median(weights):.2f}",
                    f"{median(seconds for _, _, seconds in trials):.3g}", trials[0][1].describe(),
                ),
            )
        )  # fmt: skip

    def table(self, rows):
        """Make a table of one line per set."""
        table = Table("set", title=self.title)
        for heading in (
            "error (least to most)",
            "must",
            "aim",
            "met",
            "weight of networks",
            "fit s",
        ):
            table.add_column(heading, justify="right")
        for row in rows:
            errors = f"{row['error']} ({row['least']} to {row['most']}) {row['unit']}"
            table.add_row(row["set"], errors, row["must"], row["aim"], row["met"],
                          row["network_weight"], short(row["fit_s"]))  # fmt: skip
        return table


def network_weight(model):
    """Return the summed weight of members in which a network lives."""
    table = model.candidates_
    return float(table["weight"][table["network_lives"]].sum())


SUITE = AutoSuite()
