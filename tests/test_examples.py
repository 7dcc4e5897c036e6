"""The examples have the form of a gallery and stay short; .ci/run runs them."""

import ast
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "examples"
EXAMPLES = sorted(FOLDER.glob("*.py"))
MAX_LINES = 59

pytestmark = pytest.mark.skipif(not EXAMPLES, reason=f"the examples are not in {FOLDER}")
each_example = pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)


def read(path):
    return path.read_text(encoding="utf-8")


def test_the_gallery_finds_all_of_them():
    """Sphinx-gallery runs what is named so."""
    assert all(path.name.startswith("plot_") for path in EXAMPLES)


@each_example
def test_is_short(path):
    assert len(read(path).splitlines()) <= MAX_LINES


@each_example
def test_opens_with_a_title_and_a_text(path):
    lines = ast.get_docstring(ast.parse(read(path))).splitlines()
    above, title, below, empty, *text = lines
    assert set(above) == {"="} and above == below and len(above) >= len(title)
    assert empty == "" and text


@each_example
def test_is_told_in_cells_with_headings(path):
    cells = re.split(r"^# %%\n", read(path), flags=re.M)[1:]
    assert cells
    for cell in cells:
        title, rule = cell.splitlines()[:2]
        assert re.fullmatch(r"# \S.*", title)
        assert rule == "# " + "-" * (len(title) - 2)


@each_example
def test_uses_public_names_only(path):
    for node in ast.walk(ast.parse(read(path))):
        if isinstance(node, ast.ImportFrom) and node.module.startswith("narxkit"):
            # one of an optional package is not there without it
            public = pytest.importorskip(node.module, exc_type=ImportError).__all__
            assert {name.name for name in node.names} <= set(public)
        if isinstance(node, ast.Attribute):
            assert not node.attr.startswith("_")
