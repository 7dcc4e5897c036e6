"""The Python of the README and of docs/ runs, page by page, and prints what the pages show."""

import contextlib
import io
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LANGUAGES = {"python", "text", "matlab"}  # a block in any other would be run by nobody
DECIMAL = re.compile(r"\d+\.\d+")
SPREAD = 0.1  # relative, of decimals: machines round differently, and training carries that on

pytestmark = pytest.mark.skipif(not PAGES[0].exists(), reason=f"the pages are not in {ROOT}")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page: its language, its first line and its text."""

    language: str
    line: int
    text: str


def blocks(page):
    """Return all fenced blocks of a page."""
    found, fence = [], None
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        is_fence = line.lstrip().startswith(("```", "~~~"))
        if is_fence and fence is None:
            fence = Block(line.strip()[3:], number + 1, "")
        elif is_fence:
            found.append(fence)
            fence = None
        elif fence is not None:
            fence = Block(fence.language, fence.line, f"{fence.text}{line}\n")
    assert fence is None, f"{page.name}: the block from line {fence.line} on has no end"
    return found


def examples(page):
    """Return each block of Python and what it shall print, the text block that follows."""
    found = blocks(page)
    for block, after in zip(found, [*found[1:], Block("", 0, "")]):
        if block.language == "python":
            end = block.line + block.text.count("\n")
            is_shown = after.language == "text" and after.line == end + 3
            yield block, after.text if is_shown else ""


def run(page, block, names):
    """Return the output of a block; a traceback shows the lines of the page."""
    code = compile("\n" * (block.line - 1) + block.text, str(page), "exec")
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(code, names)
    return printed.getvalue()


def decimals(text):
    """Return all numbers with a decimal point."""
    return [float(number) for number in DECIMAL.findall(text)]


def words(text):
    """Return all the rest, which must be the same to the letter."""
    return DECIMAL.sub("0.0", text).split()


def follow(page):
    """Run the blocks of a page in one namespace, and compare what they print."""
    names = {"__name__": page.stem}
    for block, shown in examples(page):
        printed = run(page, block, names)
        where = f"after line {block.line} of {page.name}"
        assert words(printed) == words(shown), where
        assert decimals(printed) == pytest.approx(decimals(shown), rel=SPREAD), where


WITH_PYTHON = [page for page in PAGES if page.exists() and "```python" in page.read_text("utf-8")]


def test_finds_the_pages_that_show_python():
    assert {"README.md", "coming-from-narxnet.md"} <= {page.name for page in WITH_PYTHON}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_blocks_name_their_language(page):
    """No block of Python is passed over for a misspelt name, or for none."""
    for block in blocks(page):
        assert block.language in LANGUAGES, f"line {block.line - 1} of {page.name}"


@pytest.mark.parametrize("page", WITH_PYTHON, ids=lambda page: page.name)
@pytest.mark.filterwarnings("error::UserWarning", "error::RuntimeWarning")
def test_runs_and_prints_what_it_shows(page, tmp_path, monkeypatch):
    """Without a warning, and in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    follow(page)


@pytest.mark.parametrize(
    ("code", "shown", "error"),
    [
        ("a = 1.5\n```\n\n```python\nprint('loss', a, 7)", "loss 1.51 7", None),
        ("print('loss', 1.5)", "loss 1.8", AssertionError),
        ("print('loss', 7)", "loss 8", AssertionError),
        ("print('loss')", "", AssertionError),
        ("a = 1", "loss", AssertionError),
        ("1 / 0", "", ZeroDivisionError),
    ],
)
def test_a_page_that_is_wrong_is_found(code, shown, error, tmp_path):
    page = tmp_path / "page.md"
    output = f"\n```text\n{shown}\n```\n" if shown else ""
    page.write_text(f"Text\n\n```python\n{code}\n```\n{output}", encoding="utf-8")
    with contextlib.nullcontext() if error is None else pytest.raises(error):
        follow(page)


def test_an_error_shows_the_line_of_the_page(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("Text\n\n```python\na = 0\n1 / a\n```\n", encoding="utf-8")
    with pytest.raises(ZeroDivisionError) as error:
        follow(page)
    last = error.traceback[-1]
    assert (Path(last.path), last.lineno + 1) == (page, 5)
