"""Series to forecast: measured ones with their provenance, and simulated systems.

Measured series are DataFrames with a clock, units and source in ``attrs``. Simulated ones are
ndarrays, inputs ``X`` and output ``y`` as from scikit-learn's ``make_*``, and state their equation.
"""

from ._generators import make_mackey_glass, make_narendra, make_narma10
from ._loaders import load_solar
from ._sun import clear_sky

__all__ = ["clear_sky", "load_solar", "make_mackey_glass", "make_narendra", "make_narma10"]
