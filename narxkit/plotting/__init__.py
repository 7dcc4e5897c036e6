"""Plots of forecasts, errors, training and searches, in scikit-learn's Display form.

A display keeps arrays; its class methods take them from a model, from predictions or from
backtests, and ``plot`` draws them onto any axes and keeps the artists. The global style of
matplotlib is never touched, and matplotlib itself is imported when something is drawn.
"""

from narxkit.plotting.correlation import ErrorAutocorrelationDisplay, InputErrorCorrelationDisplay
from narxkit.plotting.forecast import ForecastDisplay
from narxkit.plotting.horizon import HorizonDisplay
from narxkit.plotting.pareto import ParetoDisplay
from narxkit.plotting.response import ErrorHistogramDisplay, RegressionDisplay, ResponseDisplay
from narxkit.plotting.training import TrainingDisplay

__all__ = [
    "ErrorAutocorrelationDisplay",
    "ErrorHistogramDisplay",
    "ForecastDisplay",
    "HorizonDisplay",
    "InputErrorCorrelationDisplay",
    "ParetoDisplay",
    "RegressionDisplay",
    "ResponseDisplay",
    "TrainingDisplay",
]
