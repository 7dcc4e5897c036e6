"""The command `diagnose`: what it prints, what it refuses, and the page it writes."""

import io
import json
import re
import shutil
import subprocess
from contextlib import redirect_stdout
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from narxkit import study
from narxkit.cli import main
from narxkit.diagnosis import own_subject, shipped_subject

N = 1200
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SOLAR = study.TASKS["solar"]
SHORT = replace(SOLAR, load=lambda: SOLAR.load().loc["2023-05":"2023-06"])
VOID = {"meta", "img", "br"}


def make_table():
    """Hours of a load that follows the wind, with a season, a short gap and a long one."""
    rng = np.random.default_rng(0)
    wind = rng.normal(size=N)
    load = np.zeros(N)
    for t in range(1, N):
        load[t] = 0.6 * load[t - 1] + wind[t] + 0.3 * rng.normal()
    load += 10 + 3 * np.sin(2 * np.pi * np.arange(N) / 24)
    index = pd.date_range("2024-01-01", periods=N, freq="h", name="time")
    table = pd.DataFrame({"load": load, "wind": wind, "flat": 1.0}, index=index)
    table.iloc[40:50, 0] = np.nan
    table.iloc[[300, 301, 700], 0] = np.nan
    return table


@pytest.fixture(autouse=True)
def in_a_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(study.TASKS, "solar", SHORT)


@pytest.fixture(scope="module")
def answer(tmp_path_factory):
    """What the command says of a file, and the page it writes."""
    folder = tmp_path_factory.mktemp("diagnose")
    make_table().to_csv(folder / "load.csv")
    command = ["diagnose", "load.csv", "--target", "load", "--known-future", "wind"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        out = io.StringIO()
        with redirect_stdout(out):
            code = main([*command, "--horizon", "12", "--model", "--html", "report.html"])
    assert code == 0
    return out.getvalue(), folder / "report.html"


def ends_with_2(capsys, *argv):
    assert main(["diagnose", *argv]) == 2
    err = capsys.readouterr().err
    assert err.startswith("narxkit: ") and err.count("\n") == 1
    return err.removeprefix("narxkit: ").rstrip("\n")


# --- text ----------------------------------------------------------------------------------------


def test_a_shipped_series(capsys):
    assert main(["diagnose", "solar"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert out.startswith("Solar irradiance in Colorado, ghi, W/m² Seasonal: a season of 24 rows")
    assert "Ljung-Box, 20 lags" in out
    assert "Hurst exponent" in out and "local_whittle" in out
    assert "of clear_sky" in out
    assert "residuals are" not in out and "Written" not in out


def test_a_file_with_its_gaps(answer):
    text = " ".join(answer[0].split())
    assert "Judged are the 1,150 rows from 2024-01-03 02:00 to 2024-02-19 23:00" in text
    assert "the longest stretch without a gap; the series has 1,200." in text
    assert "3 missing rows of 'load' are filled by straight lines, 3 at most in a row." in text
    assert "load.csv, load" in text
    assert "season, rows 24" in text
    assert re.search(r"output_lags \[1\b", text)
    assert re.search(r"input_lags \[0\b.* of wind", text)
    assert "The residuals are" in text and "skill, 12 steps ahead" in text
    assert re.search(r"RMSE \S+; persistence \S+, historical mean \S+, seasonal naive", text)
    assert text.endswith("Written: report.html.")


def test_progress_is_told():
    from narxkit.diagnosis import diagnose

    told = []
    subject = own_subject(make_table(), "load", horizon=2)
    diagnose(subject, progress=lambda text, done, total: told.append(text))
    assert told[0] == "season" and told[-2:] == ["Hurst exponents", "lags"]


# --- what is judged ------------------------------------------------------------------------------


def test_short_gaps_are_filled_by_straight_lines():
    table = make_table()
    subject = own_subject(table, "load")
    assert subject.y.notna().all()
    steps = np.diff(subject.y.loc[table.index[299] : table.index[302]])
    np.testing.assert_allclose(steps, steps[0])


def test_a_jump_of_the_clock_ends_a_stretch():
    table = make_table().drop(columns="flat").iloc[60:].drop(make_table().index[400:420])
    subject = own_subject(table, "load", ["wind"])
    assert subject.y.index[0] == make_table().index[420]
    assert list(subject.X.index) == list(subject.y.index)


def test_nothing_is_filled_at_a_jump_of_the_clock():
    table = make_table().drop(make_table().index[400:420])
    table.loc[make_table().index[420], "load"] = np.nan
    assert own_subject(table, "load").y.index[0] == make_table().index[421]


def test_what_is_known_ahead_of_a_shipped_series():
    assert shipped_subject(study.find_task("solar")).known_ahead == ["clear_sky"]
    stock = shipped_subject(study.find_task("stock"))
    assert stock.known_ahead == [] and "SP" in stock.X


# --- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["load.csv", "--target", "lode"], "load.csv has no column of numbers 'lode'"),
        (["load.csv"], "load.csv has 3 columns that could be forecast, 'load', 'wind', 'flat'"),
        (["load.csv", "--target", "flat"], "'flat' is constant, at 1: there is nothing to judge."),
        (["load.csv", "--target", "load,wind"], "diagnose judges one column at a time: give"),
        (["short.csv", "--target", "load"], "'load' has 40 rows, but at least 250 are needed"),
        (["cut.csv", "--target", "load"], "the longest stretch of 'load' has 200 rows, but at"),
        (["load.csv", "--target", "load", "--inputs", "flat"], "X['flat'] is constant, at 1"),
        (["load.csv", "--target", "load", "--inputs", "load"], "'load' is the target and cannot"),
        (["load.csv", "--html", "a.pdf"], "cannot write a.pdf: the report is a page; end its name"),
        (["load.csv", "--html", "no/a.html"], "cannot write no/a.html: there is no folder no."),
        (["solar", "--target", "dhi"], "solar forecasts 'ghi'"),
        (["sonar"], "there is no series 'sonar'"),
    ],
)  # fmt: skip
def test_errors_are_one_line(capsys, argv, sentence):
    table = make_table()
    table.to_csv("load.csv")
    table.iloc[:40].to_csv("short.csv")
    cut = table.iloc[50:450].copy()
    cut.iloc[200:204, 0] = np.nan
    cut.to_csv("cut.csv")
    assert ends_with_2(capsys, *argv).startswith(sentence)


def test_a_column_without_a_number():
    with pytest.raises(ValueError, match="the column 'load' of the data holds no number"):
        own_subject(make_table().assign(load=np.nan), "load")


# --- the page ------------------------------------------------------------------------------------


class Reader(HTMLParser):
    """Tags, pictures and headings of a page; each tag is closed in its order."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.images, self.headings = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "h2":
            self.headings.append(data)


def test_the_page_is_whole_and_needs_nothing_else(answer):
    page = answer[1].read_text(encoding="utf-8")
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    assert reader.headings == [
        "The series", "Hurst exponent", "Is it forecastable?", "Lags", "A network"
    ]  # fmt: skip
    images = [attrs for tag, attrs in reader.tags if tag == "img"]
    assert len(images) == 5
    assert all(image["src"].startswith("data:image/png;base64,") for image in images)
    assert all(len(image["alt"]) > 20 for image in images)
    assert not {"script", "link", "iframe"} & {tag for tag, _ in reader.tags}
    assert "http" not in page and "url(" not in page
    assert '<th scope="col">historical mean</th>' in page
    assert ("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}) in (
        reader.tags
    )


def test_no_figure_stays_open():
    from matplotlib import pyplot

    from narxkit.diagnosis import diagnose, write_page

    before = pyplot.get_fignums()
    table = pd.DataFrame({"load": make_table()["load"].iloc[60:360].to_numpy()})
    write_page(diagnose(own_subject(table)), "page.html")
    assert pyplot.get_fignums() == before


def test_names_are_text_and_no_markup():
    from narxkit.diagnosis import diagnose, write_page

    table = pd.DataFrame({'<b>"load"</b>': make_table()["load"].iloc[60:360].to_numpy()})
    write_page(diagnose(own_subject(table)), "page.html")
    with open("page.html", encoding="utf-8") as file:
        page = file.read()
    assert "<b>" not in page and "&lt;b&gt;" in page


# --- in a browser --------------------------------------------------------------------------------

# A window may not become as narrow as a phone, a frame in it does; the page tells it its measures.
FRAME = """<!DOCTYPE html><body><script>
addEventListener("message", event => {{ document.body.dataset.measured = event.data; }});
</script><iframe src="copy.html" style="width: {width}px; height: 2000px; border: 0"></iframe>"""
MEASURE = """<script>addEventListener("load", () => {
  const images = [...document.images];
  parent.postMessage(JSON.stringify({
    drawn: images.map(image => image.naturalWidth), shown: images.map(image => image.clientWidth),
    width: innerWidth, needed: document.documentElement.scrollWidth}), "*");
})</script></body>"""


def browse(page, folder):
    """A page as a browser leaves it, and what the browser says."""
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        f"--user-data-dir={folder / 'profile'}", "--enable-logging=stderr", "--dump-dom",
        "--virtual-time-budget=5000", "--window-size=1400,2000", page.as_uri(),
    ]  # fmt: skip
    return subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", timeout=120, check=True
    )


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed")
@pytest.mark.parametrize("width", [390, 1200])
def test_a_browser_draws_all_and_finds_no_fault(answer, tmp_path, width):
    page = answer[1].read_text(encoding="utf-8")
    copy, frame = tmp_path / "copy.html", tmp_path / "frame.html"
    copy.write_text(page.replace("</body>", MEASURE), encoding="utf-8")
    frame.write_text(FRAME.format(width=width), encoding="utf-8")
    browser = browse(frame, tmp_path)
    assert "CONSOLE" not in browser.stderr
    seen = json.loads(unescape(re.search(r'data-measured="([^"]*)"', browser.stdout)[1]))
    assert seen["width"] == width
    assert len(seen["drawn"]) == 5 and min(seen["drawn"]) > 500
    assert min(seen["shown"]) > 300
    assert seen["needed"] <= width
