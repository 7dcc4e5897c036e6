"""Time-series forecasting with networks that feed their own output back.

The public names of the package; see the README for a first model.
"""

try:
    from narxkit import _core  # noqa: F401
except ImportError as error:
    raise ImportError(
        "narxkit's kernels are not built: this is its source folder, so go to another one to use "
        "the installed package, or build here with pip install --editable ."
    ) from error

from narxkit.baselines import ARX, Climatology, Persistence, SeasonalNaive, SmartPersistence
from narxkit.model_selection import backtest, skill_table
from narxkit.narx import NARX, TDNN
from narxkit.plotting import ForecastDisplay, HorizonDisplay, TrainingDisplay
from narxkit.skill import diebold_mariano, hit_rate
from narxkit.solvers import LBFGS, LevenbergMarquardt

__version__ = "0.1.0"

__all__ = [
    "ARX",
    "LBFGS",
    "NARX",
    "TDNN",
    "Climatology",
    "ForecastDisplay",
    "HorizonDisplay",
    "LevenbergMarquardt",
    "Persistence",
    "SeasonalNaive",
    "SmartPersistence",
    "TrainingDisplay",
    "backtest",
    "diebold_mariano",
    "hit_rate",
    "skill_table",
]
