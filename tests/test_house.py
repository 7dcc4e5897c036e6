"""The floors of the house: imports go strictly downwards, and two walls stand."""

import ast
import re
from pathlib import Path

import pytest

import narxkit

PACKAGE = Path(narxkit.__file__).parent
FLOORS = [
    {"_core", "_fractal", "_recurrent", "_checks", "_blas", "_lazy", "_moments", "_naming"}
    | {"_atomic", "_progress", "_stored", "_warn", "_words"},
    {"rows", "solvers"},
    {"networks"},
    {"training"},
    {"export"},
    {"forecasters"},
    {"model_selection", "significance", "plotting", "datasets", "files", "sktime"},
    {"diagnostics"},
    {"auto"},
    {"evaluation"},
    {"report"},
    {"_console", "_writing"},
    {"cli"},
    {"__main__"},
]
OF_ARRAYS = {"plotting", "diagnostics", "significance", "rows", "_fractal", "_checks"}
OF_ARRAYS |= {"_lazy", "_warn", "_words", "_naming"}
BEHIND = {  # folders of diagnostics, and the file that opens each
    "_hurst": "hurst_exponent.py",
    "_lags": "lags.py",
    "_stochasticity": "stochasticity_report.py",
    "_validity": "residuals.py",
}
FLOOR = {room: i for i, rooms in enumerate(FLOORS) for room in rooms}
FILES = sorted(p for p in PACKAGE.rglob("*.py") if p != PACKAGE / "__init__.py")


def room(path):
    """Return the name of a module's room: its file, or its folder."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported(path):
    """Return the full names of what a file imports, wherever the import stands."""
    package = ["narxkit", *path.relative_to(PACKAGE).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            module = ".".join(filter(None, [*above, node.module]))
            yield from (f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def imports(path):
    """Return rooms of narxkit that a file imports."""
    return {name.split(".")[1] for name in imported(path) if name.startswith("narxkit.")}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_downwards(path):
    """A room imports from lower floors, or from itself."""
    here = room(path)
    for there in imports(path) - {here}:
        assert FLOOR[there] < FLOOR[here], f"{here} imports {there}"


def test_solvers_know_no_network():
    """Solvers import nothing of ours but their own contract."""
    for path in (PACKAGE / "solvers").glob("*.py"):
        assert imports(path) <= {"solvers"}


def test_plots_and_diagnostics_know_no_estimator():
    """They take arrays, or use public verbs of what they are given."""
    walled = [path for path in FILES if room(path) in {"plotting", "diagnostics"}]
    for path in walled:
        assert imports(path) <= OF_ARRAYS


def test_scorers_and_backtests_use_one_door():
    """Backtests and scorers reach into a forecaster by `_origins` alone.

    The search takes the constraints of the class of scikit-learn that it extends.
    """
    for path in (PACKAGE / "model_selection").glob("*.py"):
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        attributes = [node for node in nodes if isinstance(node, ast.Attribute)]
        of_others = {node.attr for node in attributes if ast.unparse(node.value) != "self"}
        assert {n for n in of_others if n.startswith("_") and n[-2:] != "__"} <= {
            "_origins",
            "_parameter_constraints",
        }


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_options_of_the_command_are_known_to_the_command_alone(path):
    """The library names parameters, ``horizon=3``, which the command translates."""
    if room(path) in {"cli", "_console", "__main__"} or path.name == "rebuild.py":
        return  # the last is a command of its own, and in the package where that is installed
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            assert not re.search(r"(?<!-)--(?!editable)[a-z]", node.value), node.value


def underscored(name):
    return name.startswith("_") and not name.startswith("__")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_room_reaches_into_another(path):
    """Underscored modules and names of a room are its own."""
    for name in imported(path):
        first, there, *inside = name.split(".") + [""]
        if first == "narxkit" and there != room(path):
            assert not list(filter(underscored, inside)), f"{name} is not {room(path)}'s"


def test_a_folder_of_diagnostics_stands_behind_one_file():
    """It is private to that file, and names without an underscore are all that the file takes."""
    home = PACKAGE / "diagnostics"
    assert {path.parent.name for path in home.glob("*/__init__.py")} == set(BEHIND)
    for path in home.rglob("*.py"):
        for name in imported(path):
            folder, *inside = name.removeprefix("narxkit.diagnostics.").split(".")
            if folder in BEHIND:
                assert home / folder == path.parent or home / BEHIND[folder] == path, name
                assert not list(filter(underscored, inside)), name


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_helpers_are_given_what_they_need(path):
    """Not an ``object``, of which nobody could say what is read."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
            assert ast.unparse(node.annotation) != "object"
