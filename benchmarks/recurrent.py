"""Accuracy of recurrent networks: the rolling-origin protocols, beside NARX and the ridge.

The recipes of `benchmarks.rolling` with cells in the place of the multilayer perceptron: the same
24 lags and the same linear term, whose linear model is the row that a network has to beat, the
clear-sky index and the leads. Eight units read a window of 24 hours; networks are trained over 24
steps by L-BFGS. Penalties are chosen on the same blocks of the fitting period, by a living network
against the linear model; two in vain end the search, for the errors of single networks scatter.
``python -m benchmarks.recurrent`` chooses anew what `PENALTIES` holds.
"""

import sys

from benchmarks import rolling
from benchmarks.rolling import NAMES, OFF, Recipe, RollingSuite, choose
from narxkit import ElmanRegressor, GRURegressor, LSTMRegressor
from narxkit.evaluation import TASKS

CELLS = {"Elman": ElmanRegressor, "GRU": GRURegressor, "LSTM": LSTMRegressor}
RECIPE = {"hidden_layer_sizes": (8,), "linear_alpha": 0.0}
ALPHAS = 300.0, 100.0, 30.0, 10.0, 3.0, 1.0, 0.3
PATIENCE = 2
PENALTIES = {}


def recipe_of(task, cell, alpha=OFF):
    """The recipe of a kind of cell; the linear model of its taps without a penalty."""
    return Recipe(task, task.steps, alpha=alpha, settings=RECIPE, estimator=CELLS[cell])


def recipes(task):
    """The cells that live, and beside them NARX and the linear model of the same taps."""
    cells = [recipe_of(task, cell, alpha) for cell, alpha in PENALTIES[task.name].items()]
    static = [recipe for recipe in rolling.recipes(task) if recipe.kind == cells[0].kind]
    return [recipe for recipe in cells if recipe.alpha < OFF] + static


SUITE = RollingSuite(
    "Recurrent networks, rolling origin, 24 hours ahead, the median of ten; beside it each alone",
    recipes,
)

if __name__ == "__main__":
    for name in sys.argv[1:] or NAMES:
        for cell in CELLS:
            linear = recipe_of(TASKS[name], cell)
            print(f"{name}, {cell}: chosen {choose(linear, ALPHAS, PATIENCE):g}", flush=True)
