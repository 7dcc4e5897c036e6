"""Is a series forecastable, and is a model right? Arrays in, frozen results out."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from narxkit.diagnostics.chaos import (
        FalseNeighbours,
        Lyapunov,
        embedding_delay,
        false_neighbours,
        lyapunov,
    )
    from narxkit.diagnostics.entropy import permutation_entropy, spectral_entropy
    from narxkit.diagnostics.seasons import Season, find_season
    from narxkit.diagnostics.stochasticity_report import Stochasticity, stochasticity
    from narxkit.diagnostics.surrogates import SurrogateTest, iaaft, surrogate_test
    from narxkit.diagnostics.variance import VarianceRatio, variance_ratio

__all__ = [
    "FalseNeighbours",
    "Lyapunov",
    "Season",
    "Stochasticity",
    "SurrogateTest",
    "VarianceRatio",
    "embedding_delay",
    "false_neighbours",
    "find_season",
    "iaaft",
    "lyapunov",
    "permutation_entropy",
    "spectral_entropy",
    "stochasticity",
    "surrogate_test",
    "variance_ratio",
]

_HOMES = {
    "chaos": ("FalseNeighbours", "Lyapunov", "embedding_delay", "false_neighbours", "lyapunov"),
    "entropy": ("permutation_entropy", "spectral_entropy"),
    "seasons": ("Season", "find_season"),
    "stochasticity_report": ("Stochasticity", "stochasticity"),
    "surrogates": ("SurrogateTest", "iaaft", "surrogate_test"),
    "variance": ("VarianceRatio", "variance_ratio"),
}


def __getattr__(name):
    for module, names in _HOMES.items():
        if name in names:
            value = getattr(import_module(f"narxkit.diagnostics.{module}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module 'narxkit.diagnostics' has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *__all__})
