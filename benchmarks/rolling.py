"""Accuracy: rolling-origin forecasts over 24 hours, networks trained one step and 24 steps ahead.

The protocols S0, S1, W1, T1 and T2 of `narxkit.study`, one recipe for all of them: the lags of the
task, six hidden units, a penalty of 3, the median of five restarts. Nothing was chosen on a test
period. The ratio to the ridge has its interval from weekly blocks of origins.
"""

import warnings
from dataclasses import replace

from rich.table import Table

from narxkit.study import TASKS, run

RECIPE = {
    "alpha": 3.0,
    "hidden_layer_sizes": (6,),
    "max_iter": 50,
    "n_restarts": 5,
    "combine": "median",
}
NAMES = ("solar", "solar-hindcast", "wind", "turbine", "turbine-hindcast")
ROWS = {"ridge ARX": "ridge ARX", "open": "NARX, one step", 24: "NARX, 24 steps"}
FIGURES = ("RMSE h=1", "RMSE h=8", "RMSE h=24", "RMSE mean", "ratio to ridge", "ratio 2.5 %",
           "ratio 97.5 %", "fit s")  # fmt: skip


class RollingSuite:
    """Every task with a network of each kind, with the verbs of `report.Suite`."""

    title = "Rolling origin, 24 hours ahead, one recipe for all series"
    packages = ()

    def rows(self, quick, announce):
        """One dict per task and model."""
        for name in NAMES[2:3] if quick else NAMES:
            for loop in ("open", 24):
                announce(f"{name}, loop={loop}")
                task = replace(TASKS[name], settings=RECIPE | {"loop": loop})
                with warnings.catch_warnings():
                    warnings.filterwarnings("ignore", ".* rows were left out of training")
                    table = run(task, random_state=0).table(interval=True)
                if loop == "open":
                    yield line(task, ROWS["ridge ARX"], table.loc["ridge ARX"])
                yield line(task, ROWS[loop], table.loc["NARX"])

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
