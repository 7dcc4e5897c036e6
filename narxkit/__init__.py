"""Time-series forecasting with networks that feed their own output back.

The public names of the package; see the README for a first model.
"""

from narxkit.baselines import ARX, Climatology, Persistence, SeasonalNaive
from narxkit.model_selection import backtest, skill_table
from narxkit.narx import NARX, TDNN
from narxkit.solvers import LBFGS, LevenbergMarquardt

__version__ = "0.1.0"

__all__ = [
    "ARX",
    "LBFGS",
    "NARX",
    "TDNN",
    "Climatology",
    "LevenbergMarquardt",
    "Persistence",
    "SeasonalNaive",
    "backtest",
    "skill_table",
]
