"""The command `diagnose`: what it prints, what it refuses, and the page it writes."""

import io
import json
import re
import shutil
import subprocess
import warnings
from contextlib import redirect_stdout
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from narxkit import NARX, evaluation
from narxkit.cli import main
from narxkit.diagnostics import suggest_lags, validate_residuals
from narxkit.report import Failure, builtin_subject, diagnose, subject_from_frame, write_page
from narxkit.report._advice import advise_on_lags, advise_on_network
from narxkit.solvers import Stop

N = 1200
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SOLAR = evaluation.TASKS["solar"]
SHORT = replace(SOLAR, load=lambda: SOLAR.load().loc["2023-05":"2023-06"])
VOID = {"meta", "img", "br"}


def make_table():
    """Return hours of a load that follows the wind, with a season, a short gap and a long one."""
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
    monkeypatch.setitem(evaluation.TASKS, "solar", SHORT)


@pytest.fixture(scope="module")
def answer(tmp_path_factory):
    """Run the command on a file; return its output and the page."""
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


def test_help_names_its_options(capsys):
    with pytest.raises(SystemExit):
        main(["diagnose", "--help"])
    out = capsys.readouterr().out
    options = "--target --inputs --known-future --horizon --time --seed --max-lag --model --html"
    assert all(option in out for option in options.split())
    assert max(map(len, out.splitlines())) <= 80


# --- text ----------------------------------------------------------------------------------------


def test_a_built_in_series(capsys):
    assert main(["diagnose", "solar"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert out.startswith("Solar irradiance in Colorado, ghi, W/m² Seasonal: a season of 24 rows")
    assert "Ljung-Box, 20 lags" in out
    assert "Hurst exponent" in out and "local_whittle" in out
    assert "of clear_sky" in out
    assert "residuals are" not in out and "Written" not in out


def test_a_file_with_its_gaps(answer):
    text = " ".join(answer[0].split())
    assert "Analysed are the 1,150 rows from 2024-01-03 02:00 to 2024-02-19 23:00" in text
    assert "the longest stretch without a gap; the series has 1,200." in text
    assert (
        "'load' is blank in 13 of the 1,200 rows from its first value to its last, the longest gap "
        "10 rows, from 2024-01-02 16:00 to 2024-01-03 01:00."
    ) in text
    assert "Of the rows analysed 3 are bridged by straight lines, 3 at most in a row." in text
    assert text.index("'load' is blank") < text.index("Analysed are") < text.index("Of the rows")
    assert "load.csv, load" in text
    assert "season, rows 24" in text
    assert re.search(r"output_lags \[1\b", text)
    assert re.search(r"input_lags \[0\b.* of wind", text)
    assert "The residuals are" in text and "skill, 12 steps ahead" in text
    assert re.search(r"RMSE \S+; persistence \S+, historical mean \S+, seasonal naive", text)
    assert text.endswith("Written: report.html.")


def test_progress_is_told():
    told = []
    subject = subject_from_frame(make_table(), "load", horizon=2)
    diagnose(subject, progress=lambda text, done, total: told.append(text))
    assert told[0] == "season" and told[-2:] == ["Hurst exponents", "lags"]


# --- what is analysed ----------------------------------------------------------------------------


def test_short_gaps_are_filled_by_straight_lines():
    table = make_table()
    subject = subject_from_frame(table, "load")
    assert subject.y.notna().all()
    steps = np.diff(subject.y.loc[table.index[299] : table.index[302]])
    np.testing.assert_allclose(steps, steps[0])


def test_a_jump_of_the_clock_ends_a_stretch():
    table = make_table().drop(columns="flat").iloc[60:].drop(make_table().index[400:420])
    subject = subject_from_frame(table, "load", ["wind"])
    assert subject.y.index[0] == make_table().index[420]
    assert list(subject.X.index) == list(subject.y.index)


def test_nothing_is_filled_at_a_jump_of_the_clock():
    table = make_table().drop(make_table().index[400:420])
    table.loc[make_table().index[420], "load"] = np.nan
    assert subject_from_frame(table, "load").y.index[0] == make_table().index[421]


def test_what_is_known_ahead_of_a_built_in_series():
    assert builtin_subject(evaluation.find_task("solar")).known_ahead == ["clear_sky"]
    stock = builtin_subject(evaluation.find_task("stock"))
    assert stock.known_ahead == [] and "SP" in stock.X


def test_blank_inputs_are_told_and_not_bridged():
    table = make_table().drop(columns="flat")
    table.iloc[[100, 102, 900], 1] = np.nan
    table.iloc[45, 1] = np.nan  # outside of the stretch
    subject = subject_from_frame(table, "load", ["wind"])
    assert subject.notes[-2:] == [
        "'wind' is blank in 3 of the 1,150 rows analysed, never two in a row, the last 2024-02-07 "
        "12:00.",
        "Inputs are not bridged: rows that need a blank one are left out.",
    ]
    assert subject.X["wind"].isna().sum() == 3


def test_nothing_is_told_where_nothing_is_missing():
    assert subject_from_frame(make_table().iloc[701:], "load", ["wind"]).notes == []


# --- advice --------------------------------------------------------------------------------------


def make_delayed():
    """Return a load that follows the wind of three rows before."""
    wind, noise = np.random.default_rng(0).normal(size=(2, 600))
    return pd.DataFrame({"load": np.roll(wind, 3) + 0.3 * noise, "wind": wind})


def test_advice_names_no_lag_that_the_horizon_bars(capsys):
    make_delayed().to_csv("load.csv", index=False)
    command = "diagnose load.csv --target load --inputs wind --model --horizon".split()
    barred = "can use 'wind' of 3 rows before, which is not known then: name it in --known-future "
    assert main([*command, "6", "--html", "a.html"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "'wind' is not known ahead, so that lags begin at the horizon, 6." in out
    assert "a smaller horizon lets lags begin earlier." in out
    assert f"No forecast 6 rows ahead {barred}" in out
    assert "its future is known, or give --horizon 3 or less. Lags and hidden units are set" in out
    with open("a.html", encoding="utf-8") as file:
        page = unescape(file.read())
    assert f"<p>No forecast 6 rows ahead {barred}" in page
    assert "<p>'wind' is not known ahead, so that" in page
    assert main([*command, "3"]) == 0  # the advice, followed
    assert "[3]" in (out := capsys.readouterr().out) and "No forecast" not in out


def barred(lag, known_future=(), horizon=6):
    """Return advice where the residuals go with the wind some rows before."""
    rng = np.random.default_rng(0)
    wind, noise = rng.normal(size=(2, 600))
    table = pd.DataFrame({"load": noise, "wind": wind})
    subject = subject_from_frame(table, "load", ["wind"], known_future, horizon)
    return advise_on_network(
        subject, validate_residuals(noise + np.roll(wind, lag), table[["wind"]])
    )


def test_advice_fits_the_lag():
    assert barred(0)[0].endswith(
        "can use 'wind' of the same row, which is not known then: name it in known_future if its "
        "future is known."
    )
    assert barred(1)[0].endswith("or give horizon=1.")
    for allowed in (barred(6), barred(3, ["wind"]), barred(3, horizon=2)):
        assert len(allowed) == 1 and allowed[0].startswith(
            "Lags and hidden units are set in Python"
        )


def test_no_advice_where_there_is_nothing_to_mend():
    noise = np.random.default_rng(0).normal(size=600)
    white = validate_residuals(noise)
    assert white.is_white
    assert advise_on_network(subject_from_frame(pd.DataFrame({"load": noise})), white) == []
    assert advise_on_lags(subject_from_frame(make_delayed(), "load", [], ["wind"])) == []


def test_of_a_built_in_series_nothing_more_can_be_known_ahead():
    told = advise_on_lags(builtin_subject(evaluation.find_task("stock")))
    assert len(told) == 1 and told[0].endswith(
        "are not known ahead, so that lags begin at the horizon, 1."
    )


def test_the_largest_lag_can_be_asked_for(capsys):
    make_delayed().to_csv("load.csv", index=False)
    command = "diagnose load.csv --target load --inputs wind --horizon 2 --max-lag".split()
    assert main([*command, "4"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert re.search(r"input_lags \[3\] of wind", out) and "rows 596 complete" in out


# --- parts that fail ---------------------------------------------------------------------------


def make_months(n=144):
    """Return months with a season and a trend, as of passengers."""
    index = pd.date_range("1949-01-01", periods=n, freq="MS", name="month")
    noise = np.random.default_rng(0).normal(size=n)
    y = 100 + 2.5 * np.arange(n) + 20 * np.sin(2 * np.pi * np.arange(n) / 12) + 5 * noise
    return pd.DataFrame({"passengers": y, "fares": noise}, index=index)


def test_a_part_that_fails_takes_no_other_with_it(capsys):
    make_months().to_csv("months.csv")
    argv = "diagnose months.csv --target passengers --model --html page.html".split()
    assert main(argv) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert (
        "months.csv, passengers Left out: 'passengers' has 144 rows, but at least 250 are needed: "
        "give a longer series. Hurst exponent, season and trend included Persistent: H = "
    ) in out
    assert re.search(r"output_lags \[.*1[12]", out)
    off = "linear (NARX, network off)"
    assert re.search(rf"Network .* model network off {re.escape(off)}: no network has proven", out)
    assert re.search(r"Network .* residuals \d\d measured and predicted rows", out)
    with open("page.html", encoding="utf-8") as file:
        page = unescape(file.read())
    assert "<h2>Lags</h2>" in page and "'passengers' has 144 rows, but at least 250" in page
    assert "<h2>A network</h2>" in page and page.count("<img") > 3
    assert f"<p>{off} with input_lags=" in page and "NARX" not in page.replace(off, "")


def test_a_network_that_cannot_be_analysed_takes_no_other_with_it(capsys):
    make_months().iloc[:60].to_csv("months.csv")
    argv = "diagnose months.csv --target passengers --model --html page.html".split()
    assert main(argv) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert re.search(r"Network Left out: \d+ of 30 rows have a residual, but at least 20 are", out)
    page = Path("page.html").read_text(encoding="utf-8")
    assert "<h2>A network</h2>" in page and "have a residual, but at least 20" in unescape(page)
    assert page.count("<img") == 2  # the series and lags: too few rows for Hurst exponents


def test_lags_of_144_months_are_those_of_suggest_lags():
    y = make_months()["passengers"]
    found = diagnose(subject_from_frame(y.to_frame()))
    assert found.lags.output_lags == suggest_lags(None, y, horizon=24).output_lags
    assert isinstance(found.stochasticity, Failure) and found.validity is None


@pytest.mark.parametrize("failing", ["stochasticity", "hurst", "suggest_lags", "NARX", "validate"])
def test_each_part_can_fail_by_itself(monkeypatch, failing):
    def fail(*args, **kwargs):
        raise ValueError("y cannot be analysed: give another one.")

    if failing == "NARX":
        monkeypatch.setattr(NARX, "fit", fail)
    else:
        monkeypatch.setattr(f"narxkit.report._base.{failing}", fail)
    table = pd.DataFrame({"load": make_table()["load"].iloc[60:660].to_numpy()})
    found = diagnose(subject_from_frame(table, horizon=4), model=True)
    parts = [found.stochasticity, found.hurst, found.lags, found.validity]
    names = ["stochasticity", "hurst", "suggest_lags", "validate"]
    failed = {name for name, part in zip(names, parts) if isinstance(part, Failure)}
    assert failed == {
        "suggest_lags": {"suggest_lags", "validate"}, "NARX": {"validate"}
    }.get(failing, {failing})  # fmt: skip
    sentence = next(part.sentence for part in parts if isinstance(part, Failure))
    assert sentence == "Left out: 'load' cannot be analysed: give another one."
    write_page(found, "page.html")


def test_where_nothing_can_be_analysed_the_command_fails(capsys, monkeypatch):
    def fail(*args, **kwargs):
        raise ValueError("y cannot be analysed: give another one.")

    for name in ("stochasticity", "hurst", "suggest_lags"):
        monkeypatch.setattr(f"narxkit.report._base.{name}", fail)
    make_months().to_csv("months.csv")
    sentence = ends_with_2(capsys, "months.csv", "--target", "passengers")
    assert sentence == "'passengers' cannot be analysed: give another one."


def test_a_network_whose_training_was_interrupted_is_not_analysed(monkeypatch):
    fit = NARX.fit
    monkeypatch.setattr(
        NARX, "fit", lambda self, *args: setattr(fit(self, *args), "stop_", Stop.INTERRUPTED)
    )
    table = pd.DataFrame({"load": make_table()["load"].iloc[60:360].to_numpy()})
    with pytest.raises(KeyboardInterrupt):
        diagnose(subject_from_frame(table), model=True)


def test_the_horizon_is_smaller_where_the_series_is_short():
    assert subject_from_frame(make_months(100)[["passengers"]]).horizon == 20
    assert subject_from_frame(make_months()[["passengers"]]).horizon == 24


def test_months_are_told_as_months():
    months = make_months()
    months.iloc[10:15, 0] = np.nan
    assert subject_from_frame(months, "passengers").notes == [
        "'passengers' is blank in 5 of the 144 rows from its first value to its last, the longest "
        "gap 5 rows, from 1949-11 to 1950-03.",
        "Analysed are the 129 rows from 1950-04 to 1960-12, the longest stretch without a gap; the "
        "series has 144.",
    ]


# --- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["load.csv", "--target", "lode"], "load.csv has no column of numbers 'lode'"),
        (["load.csv"], "load.csv has 5 columns that could be forecast, 'load', 'wind', "),
        (["load.csv", "--target", "flat"], "'flat' is constant, at 1: there is nothing to analyse"),
        (["load.csv", "--target", "load,wind"], "diagnose analyses one column at a time: give"),
        (["short.csv", "--target", "load"], "'load' has 30 rows, but at least 40 are needed"),
        (
            ["cut.csv", "--target", "load"],
            "'load' is blank in 8 of 90 rows, and its longest stretch without a gap of more than "
            "3 rows has 30, but at least 40 are needed: fill the gaps or give a longer series.",
        ),
        (
            ["load.csv", "--target", "load", "--inputs", "flat"],
            "the input 'flat' is constant, at 1, in all 1,150 rows analysed: leave it out.",
        ),
        (
            ["load.csv", "--target", "load", "--known-future", "early"],
            "the input 'early' has 0 values in the 1,150 rows analysed, but at least 40 are needed"
            ": fill it or leave it out.",
        ),
        (
            ["load.csv", "--target", "load", "--known-future", "wind", "--horizon", "231"],
            "a horizon of 231 rows is too far for the 1,150 rows analysed: give at most "
            "--horizon 230, a fifth of them, or a longer series.",
        ),
        (
            ["load.csv", "--target", "load", "--inputs", "wind", "--max-lag", "9"],
            "--horizon 24 is beyond --max-lag 9, so that inputs not known ahead have no lag left: "
            "give a --max-lag of at least 24, a smaller horizon, or leave them out.",
        ),
        (
            ["load.csv", "--target", "load", "--max-lag", "300"],
            "--max-lag 300 is too much for 1150 rows: give a longer series or a --max-lag of at "
            "most 287",
        ),
        (["load.csv", "--target", "load", "--inputs", "huge"], "the input 'huge' is at most"),
        (["load.csv", "--target", "load", "--inputs", "load"], "'load' is the target and cannot"),
        (["load.csv", "--html", "a.pdf"], "cannot write a.pdf: the report is a page; end its name"),
        (["load.csv", "--html", "no/a.html"], "cannot write no/a.html: there is no folder no."),
        (["solar", "--target", "dhi"], "solar forecasts 'ghi'"),
        (["sonar"], "there is no series 'sonar'"),
    ],
)  # fmt: skip
def test_errors_are_one_line(capsys, argv, sentence):
    table = make_table()
    table.assign(huge=1e200 * table["wind"], early=table["wind"].iloc[:40]).to_csv("load.csv")
    table.iloc[:30].to_csv("short.csv")
    cut = table.iloc[50:140].copy()
    cut.iloc[[*range(28, 32), *range(62, 66)], 0] = np.nan
    cut.to_csv("cut.csv")
    assert ends_with_2(capsys, *argv).startswith(sentence)


def test_a_column_without_a_number():
    with pytest.raises(ValueError, match="the column 'load' of the data holds no number"):
        subject_from_frame(make_table().assign(load=np.nan), "load")


def test_a_horizon_is_a_whole_number():
    with pytest.raises(ValueError, match="horizon must be an int >= 1. Got 0 instead"):
        subject_from_frame(make_table(), "load", horizon=0)


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

    before = pyplot.get_fignums()
    table = pd.DataFrame({"load": make_table()["load"].iloc[60:360].to_numpy()})
    write_page(diagnose(subject_from_frame(table)), "page.html")
    assert pyplot.get_fignums() == before


def test_names_are_text_and_no_markup():
    table = pd.DataFrame({'<b>"load"</b>': make_table()["load"].iloc[60:360].to_numpy()})
    write_page(diagnose(subject_from_frame(table)), "page.html")
    with open("page.html", encoding="utf-8") as file:
        page = file.read()
    assert "<b>" not in page and "&lt;b&gt;" in page


LONG = "Lufttemperatur_in_zwei_Metern_Höhe_an_der_Wetterstation_Hannover_Flughafen"


@pytest.fixture(scope="module")
def long_names():
    """Diagnose columns with long names and letters that the font of pictures lacks."""
    wind, noise = np.random.default_rng(0).normal(size=(2, 300))
    table = pd.DataFrame({"gesamte Wirkleistung des Umspannwerks Nordwest, in MW": wind + noise})
    table[LONG], table["入力"] = wind, noise
    return diagnose(
        subject_from_frame(table, table.columns[0], ["入力"], [LONG], horizon=3), model=True
    )


def test_long_and_foreign_names_are_drawn_without_a_warning(long_names):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # an older matplotlib calls a newer pyparsing by its old names
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="matplotlib|pypars")
        write_page(long_names, "page.html")


def test_names_of_axes_are_broken_where_they_are_longer_than_the_axes():
    from matplotlib import pyplot

    from narxkit.report._page import _break_lines

    figure, ax = pyplot.subplots(figsize=(3, 2), layout="constrained")
    ax.set_ylabel("a name of many words that is longer than its axis")
    ax.set_title("short", loc="left")
    ax.set_xlabel(LONG)
    _break_lines(figure)
    assert ax.get_ylabel().count("\n") >= 1 and ax.get_xlabel().count("\n") >= 1
    assert ax.get_title(loc="left") == "short"
    figure.draw_without_rendering()
    assert ax.xaxis.label.get_window_extent().width <= 1.1 * ax.get_window_extent().width
    pyplot.close(figure)


def test_long_names_are_whole_in_a_terminal(long_names, capsys):
    from narxkit._console import show_result

    show_result("Lags", long_names.lags)
    out = capsys.readouterr().out
    assert "…" not in out and LONG in "".join(out.split())


def test_a_network_without_a_row_to_compare(long_names):
    from narxkit.report._page import _errors

    assert "No row of the last fifth" in _errors(None, "NARX")
    told = _errors(long_names.validity.skill, "linear (NARX, network off)")
    assert "rows compared" in told and "the error of linear (NARX, network off) / the" in told
    assert '<th scope="col">linear (NARX, network off)</th>' in told


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
    """Return a page as a browser leaves it, and what the browser says."""
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
@pytest.mark.parametrize("names", ["short", "long"])
def test_a_browser_draws_all_and_finds_no_fault(answer, long_names, tmp_path, width, names):
    if names == "long":
        write_page(long_names, tmp_path / "page.html")
    page = answer[1] if names == "short" else tmp_path / "page.html"
    page = page.read_text(encoding="utf-8")
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
