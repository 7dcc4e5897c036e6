"""Is a series forecastable, and is a model right? Arrays in, frozen results out.

A name is imported when it is first asked for.
"""

from typing import TYPE_CHECKING

from narxkit._lazy import load_lazily

if TYPE_CHECKING:
    from narxkit.diagnostics.chaos import (
        FalseNeighbours,
        Lyapunov,
        embedding_delay,
        false_neighbours,
        lyapunov,
    )
    from narxkit.diagnostics.entropy import permutation_entropy, spectral_entropy
    from narxkit.diagnostics.fgn import make_fbm, make_fgn
    from narxkit.diagnostics.hurst_exponent import (
        Hurst,
        HurstTable,
        RollingHurst,
        hurst,
        rolling_hurst,
    )
    from narxkit.diagnostics.lags import LagSuggestion, suggest_lags
    from narxkit.diagnostics.memory import MemoryProfile, memory_profile
    from narxkit.diagnostics.residuals import (
        CorrelationTest,
        Validity,
        ValidityTable,
        validate,
        validate_residuals,
    )
    from narxkit.diagnostics.seasons import Season, find_season
    from narxkit.diagnostics.stochasticity_report import Stochasticity, stochasticity
    from narxkit.diagnostics.surrogates import SurrogateTest, iaaft, surrogate_test
    from narxkit.diagnostics.variance import VarianceRatio, variance_ratio

__all__ = [
    "CorrelationTest",
    "FalseNeighbours",
    "Hurst",
    "HurstTable",
    "LagSuggestion",
    "Lyapunov",
    "MemoryProfile",
    "RollingHurst",
    "Season",
    "Stochasticity",
    "SurrogateTest",
    "Validity",
    "ValidityTable",
    "VarianceRatio",
    "embedding_delay",
    "false_neighbours",
    "find_season",
    "hurst",
    "iaaft",
    "lyapunov",
    "make_fbm",
    "make_fgn",
    "memory_profile",
    "permutation_entropy",
    "rolling_hurst",
    "spectral_entropy",
    "stochasticity",
    "suggest_lags",
    "surrogate_test",
    "validate",
    "validate_residuals",
    "variance_ratio",
]

_HOMES = {
    "chaos": ("FalseNeighbours", "Lyapunov", "embedding_delay", "false_neighbours", "lyapunov"),
    "entropy": ("permutation_entropy", "spectral_entropy"),
    "fgn": ("make_fbm", "make_fgn"),
    "hurst_exponent": ("Hurst", "HurstTable", "RollingHurst", "hurst", "rolling_hurst"),
    "lags": ("LagSuggestion", "suggest_lags"),
    "memory": ("MemoryProfile", "memory_profile"),
    "residuals": ("CorrelationTest", "Validity", "ValidityTable", "validate", "validate_residuals"),
    "seasons": ("Season", "find_season"),
    "stochasticity_report": ("Stochasticity", "stochasticity"),
    "surrogates": ("SurrogateTest", "iaaft", "surrogate_test"),
    "variance": ("VarianceRatio", "variance_ratio"),
}

__getattr__, __dir__ = load_lazily(__name__, _HOMES)
