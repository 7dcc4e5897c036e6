"""Time-series forecasting with networks that feed their own output back.

The public names of the package; see the README for a first model. A name is imported when it is
first asked for, so that ``import narxkit`` and the command line's help cost nothing.
"""

from importlib.util import find_spec
from typing import TYPE_CHECKING

from narxkit._lazy import load_lazily

if TYPE_CHECKING:
    from narxkit.auto import AutoNARX
    from narxkit.export import load
    from narxkit.forecasters.baselines import (
        ARX,
        Climatology,
        Persistence,
        SeasonalNaive,
        SmartPersistence,
    )
    from narxkit.forecasters.exponential_smoothing import ExponentialSmoothing
    from narxkit.forecasters.narx import NARX, TDNN
    from narxkit.forecasters.per_series import PerSeries
    from narxkit.forecasters.pruning import prune
    from narxkit.forecasters.recurrent import ElmanRegressor, GRURegressor, LSTMRegressor
    from narxkit.forecasters.scaled_per_series import ScaledPerSeries
    from narxkit.forecasters.transformed import TransformedForecaster
    from narxkit.model_selection import (
        BlockedKFold,
        Categorical,
        Continuous,
        GeneticSearchCV,
        Integer,
        RollingOrigin,
        Subset,
        ahead_scorer,
        backtest,
        coverage,
        interval_score,
        simulation_scorer,
        skill_table,
    )
    from narxkit.plotting import (
        ErrorAutocorrelationDisplay,
        ErrorHistogramDisplay,
        ForecastDisplay,
        HorizonDisplay,
        InputErrorCorrelationDisplay,
        ParetoDisplay,
        RegressionDisplay,
        ResponseDisplay,
        TrainingDisplay,
    )
    from narxkit.rows.long_frames import from_long, to_long
    from narxkit.significance import diebold_mariano, hit_rate
    from narxkit.solvers import (
        CMAES,
        LBFGS,
        SGD,
        Adam,
        Annealing,
        BayesianRegularisation,
        ConjugateGradient,
        GeneticAlgorithm,
        IRpropPlus,
        LevenbergMarquardt,
        RMSprop,
        TruncatedNewton,
    )

if find_spec("narxkit._core") is None:
    raise ImportError(
        "narxkit's kernels are not built: this is its source folder, so go to another one to use "
        "the installed package, or build here with pip install --editable ."
    )

__version__ = "0.1.0"

__all__ = [
    "ARX",
    "CMAES",
    "LBFGS",
    "NARX",
    "SGD",
    "TDNN",
    "Adam",
    "Annealing",
    "AutoNARX",
    "BayesianRegularisation",
    "BlockedKFold",
    "Categorical",
    "Climatology",
    "ConjugateGradient",
    "Continuous",
    "ElmanRegressor",
    "ErrorAutocorrelationDisplay",
    "ErrorHistogramDisplay",
    "ExponentialSmoothing",
    "ForecastDisplay",
    "GRURegressor",
    "GeneticSearchCV",
    "GeneticAlgorithm",
    "HorizonDisplay",
    "IRpropPlus",
    "InputErrorCorrelationDisplay",
    "Integer",
    "LSTMRegressor",
    "LevenbergMarquardt",
    "ParetoDisplay",
    "PerSeries",
    "Persistence",
    "RMSprop",
    "RegressionDisplay",
    "ResponseDisplay",
    "RollingOrigin",
    "ScaledPerSeries",
    "SeasonalNaive",
    "SmartPersistence",
    "Subset",
    "TrainingDisplay",
    "TransformedForecaster",
    "TruncatedNewton",
    "ahead_scorer",
    "backtest",
    "coverage",
    "diebold_mariano",
    "from_long",
    "hit_rate",
    "interval_score",
    "load",
    "prune",
    "simulation_scorer",
    "skill_table",
    "to_long",
]

_HOMES = {
    "auto": ("AutoNARX",),
    "export": ("load",),
    "forecasters.baselines": (
        "ARX",
        "Climatology",
        "Persistence",
        "SeasonalNaive",
        "SmartPersistence",
    ),
    "model_selection": (
        "BlockedKFold",
        "Categorical",
        "Continuous",
        "GeneticSearchCV",
        "Integer",
        "RollingOrigin",
        "Subset",
        "ahead_scorer",
        "backtest",
        "coverage",
        "interval_score",
        "simulation_scorer",
        "skill_table",
    ),
    "forecasters.exponential_smoothing": ("ExponentialSmoothing",),
    "forecasters.narx": ("NARX", "TDNN"),
    "forecasters.per_series": ("PerSeries",),
    "forecasters.pruning": ("prune",),
    "forecasters.recurrent": ("ElmanRegressor", "GRURegressor", "LSTMRegressor"),
    "forecasters.scaled_per_series": ("ScaledPerSeries",),
    "forecasters.transformed": ("TransformedForecaster",),
    "plotting": (
        "ErrorAutocorrelationDisplay",
        "ErrorHistogramDisplay",
        "ForecastDisplay",
        "HorizonDisplay",
        "InputErrorCorrelationDisplay",
        "ParetoDisplay",
        "RegressionDisplay",
        "ResponseDisplay",
        "TrainingDisplay",
    ),
    "rows.long_frames": ("from_long", "to_long"),
    "significance": ("diebold_mariano", "hit_rate"),
    "solvers": (
        "CMAES",
        "LBFGS",
        "SGD",
        "Adam",
        "Annealing",
        "BayesianRegularisation",
        "ConjugateGradient",
        "GeneticAlgorithm",
        "IRpropPlus",
        "LevenbergMarquardt",
        "RMSprop",
        "TruncatedNewton",
    ),
}

__getattr__, __dir__ = load_lazily(__name__, _HOMES)
