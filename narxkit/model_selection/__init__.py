"""Evaluation of forecasts: backtests, tables of skill, scorers, splitters, genetic search."""

from narxkit.model_selection.backtests import backtest
from narxkit.model_selection.genetic_search import GeneticSearchCV
from narxkit.model_selection.interval_scores import coverage, interval_score
from narxkit.model_selection.scorers import ahead_scorer, simulation_scorer
from narxkit.model_selection.search_space import Categorical, Continuous, Integer, Subset
from narxkit.model_selection.skill_tables import skill_table
from narxkit.model_selection.splitters import BlockedKFold, RollingOrigin

__all__ = [
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
]
