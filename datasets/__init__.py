"""Series to forecast: measured ones with their provenance, and simulated systems.

Measured series are DataFrames with a clock, units and source in ``attrs``. Simulated ones are
ndarrays, inputs ``X`` and output ``y`` as from scikit-learn's ``make_*``, and state their equation.
"""

from ._generators import (
    make_henon,
    make_lorenz,
    make_mackey_glass,
    make_narendra,
    make_narma10,
    make_wiener_hammerstein,
)
from ._loaders import load_fx, load_solar, load_sp500, load_stock, load_turbine, load_wind
from ._sun import clear_sky

__all__ = [
    "clear_sky",
    "load_fx",
    "load_solar",
    "load_sp500",
    "load_stock",
    "load_turbine",
    "load_wind",
    "make_henon",
    "make_lorenz",
    "make_mackey_glass",
    "make_narendra",
    "make_narma10",
    "make_wiener_hammerstein",
]
