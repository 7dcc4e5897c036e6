"""Accuracy of recurrent networks: the rolling-origin protocols, beside NARX and the ridge.

The recipes of `benchmarks.rolling` with cells in the place of the multilayer perceptron: the same
24 lags and the same linear term, whose linear model is the row that a network has to beat, the
clear-sky index and the leads. Eight units read a window of 24 hours; networks are trained over 24
steps by L-BFGS. Penalties are chosen on the same blocks of the fitting period, by a living network
against the linear model. ``python -m benchmarks.recurrent`` chooses anew what `PENALTIES` holds.
"""

from benchmarks.rolling import (
    NAMES,
    Recipe,
    choose,
)
from narxkit import ElmanRegressor, GRURegressor, LSTMRegressor
from narxkit.evaluation import TASKS

CELLS = {"Elman": ElmanRegressor, "GRU": GRURegressor, "LSTM": LSTMRegressor}
RECIPE = {"hidden_layer_sizes": (8,), "linear_alpha": 0.0, "max_iter": 50}  # a window by default
PENALTIES = {}


def recipe_of(task, cell):
    """The recipe of a kind of cell."""
    return Recipe(task, task.steps, settings=RECIPE, estimator=CELLS[cell])


if __name__ == "__main__":
    for name in NAMES:
        for cell in CELLS:
            print(f"{cell}: chosen {choose(recipe_of(TASKS[name], cell)):g}", flush=True)
