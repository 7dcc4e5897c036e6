"""Automatic forecasting: a pool of forecasters, judged from rolling origins and combined."""

from narxkit.auto.auto_narx import AutoNARX

__all__ = ["AutoNARX"]
