"""Which narxkit the tests see: the source tree where it is built in place, else the installed one.

pytest puts this folder on the path, and its bare ``narxkit/`` would hide an installed wheel.
``datasets/`` becomes ``narxkit.datasets`` on installing; after ``build_ext --inplace`` alone it
is mapped here.
"""

import importlib.util
import os
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

ROOT = Path(__file__).parent
os.environ.setdefault("MPLBACKEND", "Agg")


def _built_in_place():
    return any((ROOT / f"narxkit/_core{suffix}").exists() for suffix in EXTENSION_SUFFIXES)


def _map_datasets():
    """Import ``datasets/`` under the name that it has when installed."""
    import narxkit

    folder = ROOT / "datasets"
    spec = importlib.util.spec_from_file_location(
        "narxkit.datasets", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    narxkit.datasets = sys.modules["narxkit.datasets"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(narxkit.datasets)


sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != ROOT]
if _built_in_place():
    sys.path.insert(0, str(ROOT))
    if importlib.util.find_spec("narxkit.datasets") is None:
        _map_datasets()


@pytest.fixture(autouse=True)
def _doctests_write_elsewhere(request, monkeypatch):
    """Doctests run in a temporary folder, so that an example may write files."""
    if isinstance(request.node, pytest.DoctestItem):
        monkeypatch.chdir(request.getfixturevalue("tmp_path"))
