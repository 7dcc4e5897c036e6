"""Is a series forecastable, and is a model right? Arrays in, frozen results out.

A name is imported when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from narxkit.diagnostics.residuals import (
        CorrelationTest,
        Validity,
        validate,
        validate_residuals,
    )

__all__ = ["CorrelationTest", "Validity", "validate", "validate_residuals"]

_HOMES = {
    "residuals": ("CorrelationTest", "Validity", "validate", "validate_residuals"),
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
