"""Evaluation of forecasts: backtests, tables of skill, scorers and splitters."""

from narxkit.model_selection.backtests import backtest
from narxkit.model_selection.scorers import ahead_scorer, simulation_scorer
from narxkit.model_selection.skill_tables import skill_table
from narxkit.model_selection.splitters import BlockedKFold, RollingOrigin

__all__ = [
    "BlockedKFold",
    "RollingOrigin",
    "ahead_scorer",
    "backtest",
    "simulation_scorer",
    "skill_table",
]
