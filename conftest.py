"""Which narxkit the tests see: the source tree where it is built in place, else the installed one.

pytest puts this folder on the path, and its bare ``narxkit/`` would hide an installed wheel.
``datasets/`` becomes ``narxkit.datasets`` on installing; after ``build_ext --inplace`` alone it
is found here.
"""

import os
import signal
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import spec_from_file_location
from pathlib import Path

import pytest

ROOT = Path(__file__).parent
os.environ.setdefault("MPLBACKEND", "Agg")
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it


class DatasetsFinder:
    """Finds ``datasets/`` under its installed name, where no finder before it did."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "narxkit.datasets":
            folder = ROOT / "datasets"
            return spec_from_file_location(
                name, folder / "__init__.py", submodule_search_locations=[str(folder)]
            )


sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != ROOT]
if any((ROOT / f"narxkit/_core{suffix}").exists() for suffix in EXTENSION_SUFFIXES):
    sys.path.insert(0, str(ROOT))
    sys.meta_path.append(DatasetsFinder)


@pytest.fixture(autouse=True)
def _each_test_starts_afresh():
    """Forget a Ctrl-C of the test before: each test is a statement of its own."""
    yield
    if "narxkit.solvers" in sys.modules:
        sys.modules["narxkit.solvers._interrupt"].forget()


@pytest.fixture(autouse=True)
def _doctests_write_elsewhere(request, monkeypatch):
    """Run doctests in a temporary folder, so that an example may write files."""
    if isinstance(request.node, pytest.DoctestItem):
        monkeypatch.chdir(request.getfixturevalue("tmp_path"))
