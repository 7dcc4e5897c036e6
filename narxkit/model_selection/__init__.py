"""Judging forecasts: backtests, tables of skill, scorers and splitters for scikit-learn's tools."""

from narxkit.model_selection.backtests import backtest
from narxkit.model_selection.skill_tables import skill_table

__all__ = ["backtest", "skill_table"]
