"""numpydoc's checks on every public name of narxkit; ends with 1 where one fails.

Public are the names in ``__all__`` of narxkit and of its modules without an underscore, and the
methods of such classes that narxkit itself defines; a method without a docstring has that of the
base class which documents it. The checks stand in pyproject.toml.
"""

import importlib
import inspect
import pkgutil
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

from numpydoc.validate import validate

import narxkit
import narxkit.datasets

CONFIG = Path(__file__).parents[1] / "pyproject.toml"
CHECKS = set(tomllib.loads(CONFIG.read_text())["tool"]["numpydoc_validation"]["checks"])
NOT_FOR_METHODS = {"EX01"}  # the example of the class shows them


def public_modules():
    yield narxkit
    yield narxkit.datasets
    for _, name, _ in pkgutil.walk_packages(narxkit.__path__, "narxkit."):
        is_private = any(part.startswith("_") for part in name.split("."))
        if not is_private and (name != "narxkit.sktime" or find_spec("sktime")):
            yield importlib.import_module(name)


def own_methods(owner):
    for name, member in vars(owner).items():
        function = inspect.unwrap(getattr(member, "__func__", getattr(member, "fget", member)))
        if not name.startswith("_") and inspect.isfunction(function):
            is_inherited = not function.__doc__ and inspect.getdoc(member)
            if function.__module__.startswith("narxkit") and not is_inherited:
                yield name


def findings(path, checks):
    return [f"{path}: {code} {text}" for code, text in validate(path)["errors"] if code in checks]


def failures():
    seen = set()
    for module in public_modules():
        for name in getattr(module, "__all__", ()):
            member = getattr(module, name)
            if not callable(member) or id(member) in seen:
                continue
            seen.add(id(member))
            path = f"{module.__name__}.{name}"
            yield from findings(path, CHECKS)
            if inspect.isclass(member):
                for method in own_methods(member):
                    yield from findings(f"{path}.{method}", CHECKS - NOT_FOR_METHODS)


if __name__ == "__main__":
    found = list(failures())
    print("\n".join(found) or "All public docstrings pass numpydoc's checks.")
    sys.exit(bool(found))
