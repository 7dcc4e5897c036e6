"""The command line: what it prints, what it writes, and how it ends."""

import ast
import os
import re
import signal
import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import narxkit
from narxkit import evaluation
from narxkit._atomic import whole
from narxkit._writing import check_files
from narxkit.cli import main

SHORT = replace(
    evaluation.TASKS["solar"],
    training=("2017-05-01", "2017-05-12"),
    validation=None,
    test=("2023-05-01", "2023-05-08"),
)
OFF = "linear (NARX, network off)"


@pytest.fixture(autouse=True)
def short_series(monkeypatch, tmp_path):
    monkeypatch.setitem(evaluation.TASKS, "solar", SHORT)
    monkeypatch.chdir(tmp_path)


def in_process(code, *, cwd, **kwargs):
    """Run Python code in a new process that finds the same narxkit."""
    path = [entry for entry in sys.path if entry]
    code = f"import sys; sys.path[:0] = {path!r}; {code}"
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=cwd, text=True, encoding="utf-8",
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kwargs,
    )  # fmt: skip


def ends_with_2(capsys, *argv):
    try:
        code = main(list(argv))
    except SystemExit as end:
        code = end.code
    out, err = capsys.readouterr()
    assert code == 2
    assert out == "" or out.startswith("werk.csv: 72")  # what was found in a file
    assert err.startswith("narxkit: ") and err.count("\n") == 1
    return err.removeprefix("narxkit: ").rstrip("\n")


# --- help --------------------------------------------------------------------------------------


def test_help_explains_itself_with_examples(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    out = capsys.readouterr().out
    assert end.value.code == 0
    assert "narxkit forecast solar --plot forecast.png" in out
    assert max(map(len, out.splitlines())) <= 80


def test_without_arguments_it_helps(capsys):
    assert main([]) == 0
    assert "examples:" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["forecast", "fit", "compare"])
def test_help_of_a_command_names_its_options(capsys, command):
    with pytest.raises(SystemExit):
        main([command, "--help"])
    out = capsys.readouterr().out
    options = (
        "--target A,B|--inputs A,B|--known-future A|--horizon N|--lags L|--time COLUMN|--seed N"
    )
    options += "|--holidays DE"
    own = {"forecast": "|--model|--out FILE|--plot FILE", "fit": "|--model|--save FILE"}
    own = own.get(command, "")
    assert all(option in out for option in (options + own).split("|"))
    assert max(map(len, out.splitlines())) <= 80


def test_version(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"narxkit {narxkit.__version__}\n"


def test_as_a_module_and_light(tmp_path):
    code = (
        "import runpy; sys.argv = ['narxkit']\n"
        "try: runpy.run_module('narxkit', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "print([name for name in ('matplotlib', 'narxkit.evaluation') if name in sys.modules])"
    )
    out, err = in_process(code, cwd=tmp_path).communicate(timeout=120)
    assert out.startswith("usage: narxkit") and out.endswith("\n[]\n"), err


# --- errors ------------------------------------------------------------------------------------


def test_an_unknown_series_lists_the_known_ones(capsys):
    sentence = ends_with_2(capsys, "forecast", "sonar")
    assert sentence == (
        "there is no series 'sonar': the built-in ones are solar, solar-hindcast, wind, turbine, "
        "turbine-hindcast, fx, stock; a file of your own is named with its ending, .csv or "
        ".parquet."
    )


@pytest.mark.parametrize("seed", ["-1", "one", "4294967296"])
def test_a_bad_seed(capsys, seed):
    # '-1' could be an option: argparse takes it for a number
    sentence = ends_with_2(capsys, "forecast", "solar", "--seed", seed)
    assert sentence == (
        f"argument --seed: must be an int in the range [0, 2**32). Got {seed!r}. "
        "(see narxkit forecast --help)"
    )


def test_no_series(capsys):
    sentence = ends_with_2(capsys, "forecast")
    assert sentence == (
        "the following arguments are required: SERIES (see narxkit forecast --help)"
    )


@pytest.mark.parametrize("option", ["--out", "--plot"])
def test_a_missing_folder_is_told_before_the_work(capsys, option, monkeypatch):
    monkeypatch.setattr(evaluation, "run", pytest.fail)
    name = os.path.join("nowhere", "file.png")
    sentence = ends_with_2(capsys, "forecast", "solar", option, name)
    assert sentence == f"cannot write {name}: there is no folder nowhere."


def test_a_folder_is_no_file(capsys, tmp_path):
    (tmp_path / "folder").mkdir()
    sentence = ends_with_2(capsys, "forecast", "solar", "--out", "folder")
    assert sentence == "cannot write folder: it is a folder; give the name of a file."


@pytest.mark.parametrize("name", ["forecast", "forecast.foo"])
def test_an_unknown_kind_of_picture(capsys, name):
    pytest.importorskip("matplotlib")
    sentence = ends_with_2(capsys, "forecast", "solar", "--plot", name)
    assert sentence == f"cannot draw {name}: give a name that ends in .png, .pdf or .svg."


def test_a_plot_without_matplotlib_is_told_before_the_work(capsys, monkeypatch):
    monkeypatch.setattr(evaluation, "run", pytest.fail)
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    sentence = ends_with_2(capsys, "forecast", "solar", "--plot", "forecast.png")
    assert sentence == "plots need matplotlib, which is not installed: pip install 'narxkit[plot]'."


def test_a_file_that_cannot_be_opened(capsys, monkeypatch):
    def refuse(*args):
        raise PermissionError(13, "Permission denied", "forecast.csv")

    monkeypatch.setattr(evaluation, "run", refuse)
    sentence = ends_with_2(capsys, "forecast", "solar")
    assert sentence == "cannot use forecast.csv: Permission denied."


def test_a_warning_is_one_line(capsys, monkeypatch):
    def warn(*args):
        warnings.warn("the network\ndiverged.", UserWarning, stacklevel=1)
        raise KeyboardInterrupt

    monkeypatch.setattr(evaluation, "run", warn)
    main(["forecast", "solar"])
    assert capsys.readouterr().err.splitlines()[0] == "narxkit: warning: the network diverged."


def test_ctrl_c_ends_with_130(capsys, monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(evaluation, "run", interrupt)
    assert main(["forecast", "solar"]) == 130
    assert capsys.readouterr().err == "narxkit: interrupted.\n"


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_a_real_ctrl_c_in_training_ends_with_130_and_no_traceback(tmp_path):
    code = (
        "from narxkit import cli, evaluation; from dataclasses import replace\n"
        "endless = {'max_iter': 10**6, 'tol': 0, 'alpha': 0.0}\n"
        "evaluation.TASKS['solar'] = replace(evaluation.TASKS['solar'], settings=endless)\n"
        "run = evaluation.run\n"
        "def told(text, done, total):\n"
        "    if done == 1: print('at work', flush=True)\n"
        "evaluation.run = lambda task, learned, seed, progress: run(task, learned, seed, told)\n"
        "sys.exit(cli.main(['forecast', 'solar']))"
    )
    process = in_process(code, cwd=tmp_path)
    assert process.stdout.readline() == "at work\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert (out, err, process.returncode) == ("", "narxkit: interrupted.\n", 130)


WRITING = (
    "import time; from pathlib import Path\n"
    "from narxkit import cli, evaluation\n"
    "def write_csv(frame, path):\n"
    "    Path(path).write_text('half')\n"
    "    print('writing', flush=True); time.sleep(60)\n"
    "evaluation.write_csv = write_csv\n"
    "sys.exit(cli.main('forecast f.csv --horizon 2 --model arx --out out.csv'.split()))"
)


@pytest.fixture
def days(tmp_path):
    """Return a file of days, whose week is known."""
    index = pd.date_range("2024-01-01", periods=100, name="day")
    pd.DataFrame({"load": np.arange(100) % 7.0}, index=index).to_csv("f.csv")
    return tmp_path


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
@pytest.mark.parametrize(
    ("name", "code", "sentence"),
    [
        ("SIGTERM", 143, "ended by a signal."),
        ("SIGINT", 130, "interrupted."),
    ],
)
def test_a_signal_leaves_no_half_written_file(days, name, code, sentence):
    process = in_process(WRITING, cwd=days)
    while process.stdout.readline() not in ("writing\n", ""):
        pass
    assert len(list(days.glob(".part-*/out.csv"))) == 1
    process.send_signal(getattr(signal, name))
    err = process.communicate(timeout=120)[1]
    assert (err, process.returncode) == (f"narxkit: {sentence}\n", code)
    assert os.listdir(days) == ["f.csv"]


def test_a_signal_that_is_ignored_stays_so(monkeypatch):
    from narxkit.cli import ended_by_signals

    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with ended_by_signals():
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


# --- what cannot be written --------------------------------------------------------------------


def on(output, command, monkeypatch):
    """Return exit code of a command whose standard output is this file."""
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", output)
        try:
            return main(command.split())
        except SystemExit as end:
            return end.code
        finally:
            output.close()  # as Python does at its end: what is left cannot be written


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device")
@pytest.mark.parametrize("command", ["datasets", "--help", ""])
def test_an_output_without_room(capsys, monkeypatch, command):
    assert on(open("/dev/full", "w"), command, monkeypatch) == 2
    sentence = "narxkit: cannot use standard output: No space left on device.\n"
    assert capsys.readouterr().err == sentence


@pytest.mark.skipif(os.name != "posix", reason="needs a pipe")
@pytest.mark.parametrize("command", ["datasets", "--help", ""])
def test_a_reader_that_leaves_ends_the_command_quietly(capsys, monkeypatch, command):
    reader, writer = os.pipe()
    os.close(reader)
    assert on(open(writer, "w"), command, monkeypatch) == 141
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(os.name != "posix", reason="closes descriptors")
def test_closed_streams_are_nobodys_and_no_error(days):
    command = "forecast f.csv --model arx --horizon 2 --out out.csv"
    assert ends(days, command, closed=(0, 1, 2)) == (0, "")
    assert pd.read_csv("out.csv")["load"].round(2).tolist() == [2, 3]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device")
def test_nothing_is_left_for_the_end_of_python(days):
    sentence = "narxkit: cannot use standard output: No space left on device.\n"
    with open("/dev/full", "w") as full:
        assert ends(days, "", stdout=full) == (2, sentence)


def ends(folder, command, stdout=None, closed=()):
    """Return exit code and complaints of a command of its own process."""
    path = [entry for entry in sys.path if entry]
    code = (
        f"import os, sys; sys.path[:0] = {path!r}; from narxkit import cli\n"
        f"sys.exit(cli.main({command.split()!r}))"
    )

    def close():
        for descriptor in closed:
            os.close(descriptor)

    run = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, text=True, timeout=120, stdin=subprocess.DEVNULL,
        stdout=stdout, stderr=subprocess.PIPE, preexec_fn=close if closed else None,
        env={**os.environ, "PYTHONUNBUFFERED": ""},
    )  # fmt: skip
    return run.returncode, run.stderr


def test_no_room_names_the_file(capsys, days, monkeypatch):
    def fill(frame, path):
        path.write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(evaluation, "write_csv", fill)
    argv = "forecast f.csv --horizon 2 --model arx --out out.csv".split()
    assert main(argv) == 2
    assert capsys.readouterr().err == "narxkit: cannot use out.csv: No space left on device.\n"
    assert os.listdir(days) == ["f.csv"]


def test_two_runs_to_one_name_do_not_meet(tmp_path):

    path = tmp_path / "out.csv"
    with whole(path) as first:
        first.write_text("first")
        with whole(path) as second:
            second.write_text("second")
        assert path.read_text() == "second"
    assert path.read_text() == "first" and os.listdir(tmp_path) == ["out.csv"]


@pytest.mark.skipif(os.name != "posix", reason="links and modes")
def test_a_link_stays_and_modes_are_the_usual_ones(tmp_path):

    (tmp_path / "there").mkdir()
    link, target = tmp_path / "out.csv", tmp_path / "there" / "real.csv"
    link.symlink_to(target)
    before = os.umask(0o027)
    try:
        for text in ("new", "again"):
            with whole(link) as part:
                part.write_text(text)
            assert link.is_symlink() and target.read_text() == text
            assert target.stat().st_mode & 0o777 == (0o640 if text == "new" else 0o604)
            target.chmod(0o604)  # a mode that was chosen is kept
    finally:
        os.umask(before)
    assert sorted(os.listdir(tmp_path / "there")) == ["real.csv"]


@pytest.mark.skipif(os.name != "posix", reason="links")
def test_a_link_is_analysed_by_what_it_points_to(capsys, days):
    links = {"loop.csv": "f.csv", "away.csv": "nowhere/x.csv", "full.csv": "/dev/full"}
    for name, target in links.items():
        os.symlink(target, name)
    sentences = {
        name: ends_with_2(capsys, *f"forecast f.csv --out {name}".split()) for name in links
    }
    assert sentences == {
        "loop.csv": "cannot write loop.csv: it is the file to read; give another name.",
        "away.csv": f"cannot write away.csv: there is no folder {days / 'nowhere'}.",
        "full.csv": "cannot write full.csv: it is no ordinary file.",
    }


def test_a_protected_file_is_not_replaced(capsys, days, monkeypatch):
    (days / "out.csv").write_text("mine")
    monkeypatch.setattr(os, "access", lambda path, mode: "out" not in str(path))
    sentence = ends_with_2(capsys, *"forecast f.csv --out out.csv".split())
    assert sentence == "cannot write out.csv: it is write-protected."


# --- names that command a terminal, a spreadsheet or a typesetter --------------------------------

WILD = "\x1b]0;owned\x07[red]a[/b] :smile: $x_$\x9b31m\u202e"


@pytest.mark.skipif(os.name != "posix", reason="such names of files")
def test_no_control_character_reaches_the_terminal(capsys, tmp_path):
    pytest.importorskip("matplotlib")
    index = pd.date_range("2024-01-01", periods=300, name="day")
    name = "\x1b[2Jf\udcff.csv"
    pd.DataFrame({WILD: np.arange(300) % 7.0}, index=index).to_csv(name)
    files = ["--out", "\x1b.csv", "--plot", "\x1b.png"]
    assert main(["forecast", name, "--horizon", "2", "--model", "arx", *files]) == 0
    assert main(["diagnose", name, "--horizon", "2", "--html", "\x1b.html"]) == 0
    assert main(["forecast", f"no{name}"]) == 2
    assert main(["forecast", name, "--target", f"no{WILD}"]) == 2
    for text in capsys.readouterr():
        controls = {c for c in text if c != "\n" and (ord(c) < 32 or 126 < ord(c) < 160)}
        assert not controls and not set(text) & {"\u202e", "\udcff"}
        assert "[red]a[/b] :smile: $x_$" in " ".join(text.split())
        assert r"\x1b[2Jf\udcff.csv" in text
    assert "[red]a[/b] :smile: $x_$" in Path("\x1b.csv").read_text(encoding="utf-8")


def test_progress_names_files_as_they_are(monkeypatch):
    import io

    from rich.console import Console

    from narxkit._console import progress_shown

    terminal = io.StringIO()
    monkeypatch.setattr(
        "rich.console.Console", lambda **kwargs: Console(file=terminal, force_terminal=True)
    )
    with progress_shown() as progress:
        progress("writing [/x]\x07.csv", 0, 1)
    assert r"writing [/x]\x07.csv" in terminal.getvalue()


def test_written_names_are_no_formulas(days, capsys):
    pd.read_csv("f.csv").rename(columns={"load": "=1+1"}).to_csv("g.csv", index=False)
    assert main("forecast g.csv --horizon 2 --model arx --out out.csv".split()) == 0
    assert (days / "out.csv").read_text().startswith("time,'=1+1,'=1+1 RMSE\n2024-04-10,")


# --- what nobody expected -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (MemoryError(), "there is not enough memory: give fewer rows or columns, smaller"),
        (OSError("the disk is gone"), "the disk is gone."),
        (np.linalg.LinAlgError("SVD did not converge"), "least squares do not converge: the "),
        (
            ValueError("max_lag=9 is less than horizon=12: give a max_lag of 12"),
            "--max-lag 9 is less than --horizon 12: give a --max-lag of 12",
        ),
        (
            RecursionError("maximum recursion depth exceeded"),
            "unexpected RecursionError, a defect of narxkit: maximum recursion depth exceeded. "
            "Please report it with the command and the file; python -X dev -m narxkit",
        ),
        (ValueError("x" * 10**5), "xxx"),
    ],
)
def test_every_error_is_one_line(capsys, monkeypatch, error, sentence):
    def fail(*args):
        raise error

    monkeypatch.setattr(evaluation, "run", fail)
    told = ends_with_2(capsys, "forecast", "solar")
    assert told.startswith(sentence) and len(told) < 2100


def test_developers_see_where_a_defect_lies(monkeypatch):
    def fail(*args):
        raise KeyError("x")

    monkeypatch.setattr(evaluation, "run", fail)
    monkeypatch.setattr("narxkit.cli.sys.flags", SimpleNamespace(dev_mode=True), raising=False)
    with pytest.raises(KeyError):
        main(["forecast", "solar"])


@pytest.mark.parametrize(
    ("warning", "sentence"),
    [
        (
            "loop_gain_ is 1.23: a small error of the output that is fed back grows by this factor "
            "with each step. A chaotic system does that; for any other try a loop=k.",
            "a small error that is fed back grows by a factor of 1.23 with each step. A chaotic "
            "system or a growing series does that; of any other fewer lags make it smaller.",
        ),
        (
            "training ended with loop='open': longer rollouts diverge",
            "the network is trained on short rollouts only, as long ones diverge: fewer lags may "
            "help.",
        ),
        (
            "2 segments leave 3 rows: fill gaps with rows of missing values (NaN), such as "
            "y.asfreq('h') makes, or use smaller lags.",
            "2 segments leave 3 rows: fill the gaps in the file, or give smaller lags.",
        ),
        (
            "2 segments leave 3 rows: fill gaps with rows of missing values (NaN), or use smaller "
            "lags.",
            "2 segments leave 3 rows: fill the gaps in the file, or give smaller lags.",
        ),
        (
            "the clock (daily) is cut once: if the clock is that of a week, use y.asfreq(pd.offsets"
            ".CustomBusinessDay(weekmask='Mon Wed')), and so of X, or else give smaller lags, rows "
            "for those that are left out, or numbers in place of times where the rows follow.",
            "the clock (daily) is cut once: give smaller lags, rows for those that are left out, "
            "or --time none where the rows follow.",
        ),
    ],
)
def test_advice_is_what_the_command_can_do(capsys, warning, sentence):
    from narxkit._console import plain_warnings

    with plain_warnings():
        warnings.warn(warning, stacklevel=1)
    assert capsys.readouterr().err == f"narxkit: warning: {sentence}\n"


@pytest.mark.parametrize(
    "sentence, translated",
    [
        ("give horizon=3 or time=False.", "give --horizon 3 or --time none."),
        ("a max_lag of 12, max_lag=12", "a --max-lag of 12, --max-lag 12"),
        ("read it with header=False.", "read it with --no-header."),
        (
            "at the horizon, input_lags=[1], known_future",
            "at the horizon, input_lags=[1], --known-future",
        ),
    ],
)
def test_parameters_become_options(sentence, translated):
    from narxkit._console import in_options

    assert in_options(sentence) == translated


def test_what_is_put_into_other_words_is_said_by_the_library():
    """Where the library words it anew, the command must too."""
    from narxkit._console import REMEDIES

    folder = Path(narxkit.__file__).parent
    files = "forecasters/network.py", "forecasters/base.py", "model_selection/skill_tables.py"
    nodes = [node for file in files for node in ast.walk(ast.parse((folder / file).read_text()))]
    said = [
        "".join(
            getattr(part, "value", "") for part in node.values if isinstance(part, ast.Constant)
        )
        for node in nodes
        if isinstance(node, ast.JoinedStr)
    ]
    said += [str(node.value) for node in nodes if isinstance(node, ast.Constant)]
    for pattern, _ in REMEDIES[:4]:
        assert any(re.search(pattern.replace(r"(\S+)", ""), text) for text in said), pattern


# --- files of one's own ---------------------------------------------------------------------


@pytest.fixture
def messy(tmp_path):
    """Write German dates and commas, text in a cell, a time twice, a missing hour, a gap."""
    hours = pd.date_range("2024-01-01", periods=24 * 30, freq="h")
    noise = np.random.default_rng(0).normal(size=(2, len(hours)))
    load = 1500 + 300 * np.sin(2 * np.pi * hours.hour / 24) + 5 * noise[0]
    wind = 6 + np.cos(2 * np.pi * np.arange(len(hours)) / 50) + 0.2 * noise[1]
    lines = [
        f"{t:%d.%m.%Y %H:%M};{a:,.1f};{b:.2f};Ulm".replace(",", "'")
        .replace(".", ",")
        .replace(f"{t:%d,%m,%Y}", f"{t:%d.%m.%Y}")
        for t, a, b in zip(hours, load, wind)
    ]
    lines[100] = lines[100].split(";")[0] + ";defekt;6,00;Ulm"
    lines[5] = lines[4]
    del lines[300:310], lines[200]
    path = tmp_path / "werk.csv"
    path.write_text("\n".join(["Zeit;Last (kW);Wind;Ort", *lines]), encoding="cp1252")
    return path


def test_a_messy_file_goes_through_with_plain_sentences(capsys, messy):
    assert main(["forecast", "werk.csv", "--target", "Last (kW),Wind", "--out", "f.csv"]) == 0
    out, err = capsys.readouterr()
    told = " ".join(out.split())
    for sentence in (
        "werk.csv: 720 rows, hourly, from 2024-01-01 00:00 to 2024-01-30 23:00 (column 'Zeit', "
        "read as day.month.year).",
        "Numbers are read with a decimal comma.",
        "Line 102: 'Last (kW)' holds 'defekt' instead of a number; it counts as missing.",
        "'Ort' holds text and is left out.",
        "The time 2024-01-01 04:00 appears twice; its rows are averaged.",
        "12 rows are missing, the first 2024-01-01 05:00; they are filled in as missing values.",
        "Last (kW), 24 h ahead",
        "Wind, 24 h ahead",
        "Forecast by AutoNARX, fitted on all rows up to 2024-01-30 23:00",
        "'Last (kW)' is forecast by AutoNARX, as no other is named; climatology won the test, "
        "AutoNARX errs by ",
        "'Wind' is forecast by AutoNARX, the winner of the test. ",
        " candidates are combined by their errors over ",
        " network lives in it: ",
        "Written: f.csv.",
    ):
        assert sentence in told
    assert told.index("Wind, 24 h ahead") < told.index("Forecast by Auto")  # the test comes first
    assert max(map(len, out.splitlines())) <= 85 and "…" not in out
    assert all(line.startswith("narxkit: warning: ") for line in err.splitlines())
    table = pd.read_csv("f.csv", index_col="time", parse_dates=True)
    assert list(table) == ["Last (kW)", "Last (kW) RMSE", "Wind", "Wind RMSE"]
    assert table.index[0] == pd.Timestamp("2024-01-31 00:00") and len(table) == 24
    measured = 1500 + 300 * np.sin(2 * np.pi * table.index.hour / 24)
    assert np.abs(table["Last (kW)"] - measured).max() < 20


def test_of_several_columns_the_target_is_asked_for(capsys, messy):
    sentence = ends_with_2(capsys, "forecast", "werk.csv")
    assert sentence == (
        "werk.csv has 2 columns that could be forecast, 'Last (kW)', 'Wind': name one, as in "
        '--target "Last (kW)".'
    )


def test_an_unknown_target(capsys, messy):
    sentence = ends_with_2(capsys, "forecast", "werk.csv", "--target", "Ort")
    assert sentence == ("werk.csv has no column of numbers 'Ort': it has 'Last (kW)', 'Wind'.")


def test_missing_future_inputs_are_asked_for_by_name(capsys, messy):
    options = "--target", "Last (kW)", "--known-future", "Wind"
    sentence = ends_with_2(capsys, "forecast", "werk.csv", *options)
    assert sentence == (
        "the forecast from 2024-01-31 00:00 to 2024-01-31 23:00 needs the input 'Wind' in each of "
        "its 24 rows, and werk.csv lacks it from 2024-01-31 00:00 on: add rows with 'Wind' and an "
        "empty target, or leave it out of --known-future."
    )
    ahead = pd.date_range("2024-01-31", periods=6, freq="h")
    with messy.open("a") as file:
        file.writelines(f"\n{t:%d.%m.%Y %H:%M};;6,5;Ulm" for t in ahead)
    sentence = ends_with_2(capsys, "forecast", "werk.csv", *options)
    assert "lacks it from 2024-01-31 06:00 on" in sentence and ", give --horizon 6," in sentence
    assert main(["forecast", "werk.csv", *options, "--horizon", "6", "--model", "arx"]) == 0
    out = capsys.readouterr().out
    assert "Forecast by ridge ARX" in out and "2024-01-31 05:00" in out


def test_what_is_read_is_never_overwritten(capsys, messy):
    sentence = ends_with_2(capsys, "forecast", "werk.csv", "--target", "Wind", "--out", "werk.csv")
    assert sentence == "cannot write werk.csv: it is the file to read; give another name."
    assert len(messy.read_text(encoding="cp1252")) > 10_000


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device")
def test_a_device_is_not_replaced(capsys, messy):
    sentence = ends_with_2(capsys, "forecast", "werk.csv", "--out", "/dev/full")
    assert sentence == "cannot write /dev/full: it is no ordinary file."


def test_one_name_for_two_files(capsys, messy):
    pytest.importorskip("matplotlib")
    sentence = ends_with_2(capsys, *"forecast werk.csv --out f.png --plot f.png".split())
    assert sentence == "--out f.png and --plot f.png are one file: give two names."


def test_forecasts_are_written_as_csv(capsys, messy):
    sentence = ends_with_2(capsys, *"forecast werk.csv --out f.xlsx".split())
    assert sentence == "cannot write f.xlsx: forecasts are written as CSV; end it in .csv."


def test_a_folder_that_cannot_be_written(capsys, messy, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    sentence = ends_with_2(capsys, *"forecast werk.csv --out f.csv".split())
    assert sentence == "cannot write f.csv: the folder . is not writable."


def test_a_folder_instead_of_a_file(capsys, tmp_path):
    (tmp_path / "data").mkdir()
    assert ends_with_2(capsys, "forecast", "data") == "data is a folder: give a file in it."


def test_a_name_may_hold_a_comma_and_stand_twice(capsys, tmp_path):
    days = pd.date_range("2024-01-01", periods=60)
    pd.DataFrame({"time": days, "load, MW": np.arange(60) % 7.0}).to_csv("f.csv", index=False)
    assert (
        main(["forecast", "f.csv", "--target", "load, MW", "--horizon", "1", "--model", "arx"]) == 0
    )
    pd.DataFrame({"time": days, "load": np.arange(60) % 7.0}).to_csv("f.csv", index=False)
    assert main(["forecast", "f.csv", "--target", "load,load", "--horizon", "1"]) == 0
    assert capsys.readouterr().out.count("load, 1 d ahead") == 1


def test_a_constant_is_level_with_itself(capsys, tmp_path):
    days = pd.date_range("2024-01-01", periods=60)
    pd.DataFrame({"time": days, "load": 5.0}).to_csv("f.csv", index=False)
    assert main(["forecast", "f.csv", "--horizon", "2", "--model", "arx"]) == 0
    out, err = capsys.readouterr()
    assert "are level." in out and "nan %" not in out


def test_a_file_can_be_compared(capsys, messy):
    assert main(["compare", "werk.csv", "--target", "Wind", "--inputs", "Last (kW)"]) == 0
    first = [line.partition("  ")[0] for line in capsys.readouterr().out.splitlines()]
    names = ["AutoNARX", "linear (NARX,", "linear (TDNN,", "persistence", "seasonal naive"]
    names += ["climatology"]
    assert [line for line in first if line in (*names, "ridge ARX")] == [*names, "ridge ARX"]


def test_a_file_is_drawn(capsys, messy):
    pytest.importorskip("matplotlib")
    argv = "forecast werk.csv --target Wind --horizon 5 --model arx --plot f.png".split()
    assert main(argv) == 0
    assert messy.with_name("f.png").read_bytes().startswith(b"\x89PNG")


def test_a_long_forecast_is_cut_on_the_screen_and_whole_in_the_file(capsys, messy):
    argv = "forecast werk.csv --target Wind --horizon 60 --model arx --out f.csv".split()
    assert main(argv) == 0
    out = capsys.readouterr().out
    assert "36 rows follow: --out FILE writes all." in out
    assert len(pd.read_csv("f.csv")) == 60


def test_a_file_that_is_not_there(capsys):
    sentence = ends_with_2(capsys, "forecast", "nowhere.csv")
    assert sentence == "cannot use nowhere.csv: No such file or directory."


def test_parquet_goes_the_same_way(capsys, tmp_path):
    pytest.importorskip("pyarrow")
    days = pd.date_range("2024-01-01", periods=100, name="day")
    pd.DataFrame({"load": np.arange(100) % 7.0}, index=days).to_parquet("load.parquet")
    assert main("forecast load.parquet --horizon 3 --model arx".split()) == 0
    out = capsys.readouterr().out
    assert "load.parquet: 100 rows, daily, from 2024-01-01 to 2024-04-09 (column 'day')." in out


# --- options -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "option, given, sentence",
    [
        ("--horizon", "0", "argument --horizon: must be a positive integer. Got '0'."),
        ("--lags", "1,a", "argument --lags: must be a positive integer. Got 'a'."),
        (
            "--model",
            "rnn",
            "argument --model: there is no model 'rnn': choose from auto, narx, tdnn, arx, elman, "
            "gru, lstm, or name a file that narxkit fit has saved.",
        ),
    ],
)
def test_bad_options(capsys, option, given, sentence):
    told = ends_with_2(capsys, "forecast", "solar", option, given)
    for model in ("auto", "narx", "tdnn", "arx", "elman", "gru", "lstm"):  # as older Pythons do
        told = told.replace(f"'{model}'", model)
    assert told == f"{sentence} (see narxkit forecast --help)"


@pytest.mark.parametrize("option", ["--inputs", "--known-future", "--time", "--holidays"])
def test_options_of_files_are_refused_for_built_in_series(capsys, option):
    sentence = ends_with_2(capsys, "forecast", "solar", option, "ghi")
    assert sentence == (
        f"{option} is for files of your own: the columns of solar and what is known of them ahead "
        "are part of its protocol."
    )


def test_lags_and_horizon_of_a_built_in_series(capsys):
    argv = "forecast solar --horizon 6 --lags 1,2,24 --model arx".split()
    assert main(argv) == 0
    out = capsys.readouterr().out
    assert "Solar irradiance in Colorado, 6 h ahead, W/m²" in out
    assert "Rolling origin: ghi" in out  # no longer the protocol S0


def test_a_network_without_inputs_is_refused_before_the_work(capsys):
    sentence = ends_with_2(capsys, "forecast", "turbine", "--model", "tdnn")
    assert sentence == (
        "a TDNN forecasts from inputs alone, and turbine has none: choose narx or arx, or name "
        "inputs."
    )


# --- lists and comparisons ---------------------------------------------------------------------


def test_datasets_lists_every_series(capsys):
    assert main(["datasets"]) == 0
    out = capsys.readouterr().out
    first = [line.split()[0] for line in out.splitlines() if line.strip()]
    assert [name for name in first if name in evaluation.TASKS] == list(evaluation.TASKS)
    assert "…" not in out and "a hindcast" in out


def test_compare_trains_the_models_named(capsys, messy):
    compare = ["compare", "werk.csv", "--target", "Wind", "--models"]
    assert main([*compare, "elman,narx"]) == 0
    out = capsys.readouterr().out
    assert "Elman" in out and "NARX" in out and "GRU" not in out
    assert "there is no model 'rnn': choose from auto, narx, " in ends_with_2(
        capsys, *compare, "rnn"
    )


def test_compare_shows_all_models(capsys):
    assert main(["compare", "solar"]) == 0
    out = capsys.readouterr().out
    first = [line.partition("  ")[0] for line in out.splitlines()]
    off = ["linear (NARX,", "linear (TDNN,"]
    baselines = list(SHORT.baselines())
    assert [line for line in first if line in (*off, "NARX", *baselines)] == [*off, *baselines]
    told = " ".join(out.split())
    for name in ("NARX", "TDNN"):
        why = "under alpha=300 nothing passes the hidden layers."
        assert told.count(f"linear ({name}, network off): {why}") == 1


def test_compare_shows_a_linear_model_once(capsys):
    assert main(["compare", "stock", "--models", "narx,gru,lstm"]) == 0
    lines = capsys.readouterr().out.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("linear (NARX"))
    row = [line.partition("  ")[0].rstrip() for line in lines[at : at + 3]]
    assert row == ["linear (NARX", " and 2 more,", " network off)"]
    told = " ".join(" ".join(lines).split())
    assert "linear (NARX and 2 more, network off) is one model of NARX, GRU and LSTM: no" in told


def test_returns_are_told_apart_from_luck(capsys):
    assert main(["compare", "stock"]) == 0
    out = capsys.readouterr().out
    assert "Nothing here beats the random walk beyond its band" in out
    assert max(map(len, out.splitlines())) <= 80 and "…" not in out


# --- the forecast ------------------------------------------------------------------------------


def test_the_table_names_models_columns_and_protocol(capsys):
    assert main(["forecast", "solar"]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert err == ""
    assert max(map(len, lines)) <= 80 and "…" not in out and "\x1b" not in out
    assert lines[0].strip() == "Solar irradiance in Colorado, 24 h ahead, W/m²"
    first = [line.partition("  ")[0].strip() for line in lines]
    for name in ("linear (NARX,", "network off)", *SHORT.baselines()):
        assert first.count(name) == 1
    assert [words for words in map(str.split, lines) if words[:1] == ["model"]] == [
        "model 1 h 8 h 24 h mean MAE pers. naive ridge s".split()
    ]
    caption = " ".join(out.split())
    assert "Rolling origin S0: ghi in W/m²" in caption and "from 121 origins" in caption
    assert SHORT.why in caption


def test_files_are_written_and_named(capsys, tmp_path):
    pytest.importorskip("matplotlib")
    assert main("forecast solar --out f.csv --plot f.png --seed 3".split()) == 0
    assert capsys.readouterr().out.endswith("Written: f.csv, f.png.\n")
    assert (tmp_path / "f.png").read_bytes().startswith(b"\x89PNG")
    table = pd.read_csv(tmp_path / "f.csv")
    assert list(table) == ["origin", "horizon", "time", "ghi", OFF, *SHORT.baselines()]
    assert len(table) == 24 * 121


def test_no_file_unless_asked(capsys, tmp_path):
    assert main(["forecast", "solar"]) == 0
    assert list(tmp_path.iterdir()) == []
    assert "Written" not in capsys.readouterr().out


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_piped_output_is_plain(tmp_path, encoding):
    code = (
        "from narxkit import cli, evaluation; from dataclasses import replace\n"
        "periods = {'training': ('2017-05-01', '2017-05-12'), 'validation': None,\n"
        "           'test': ('2023-05-01', '2023-05-08')}\n"
        "evaluation.TASKS['solar'] = replace(evaluation.TASKS['solar'], **periods)\n"
        "sys.exit(cli.main(['forecast', 'solar']))"
    )
    environment = {k: v for k, v in os.environ.items() if k not in ("FORCE_COLOR", "COLUMNS")}
    environment |= {"PYTHONIOENCODING": encoding, "TERM": "xterm-256color"}
    process = in_process(code, cwd=tmp_path, env=environment)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0 and err == ""
    assert "\x1b" not in out and "\r" not in out and "ridge ARX" in out
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize("name", ["next.json", "next.png", "next.csv.parquet", "next.html"])
def test_forecasts_are_written_as_csv_only(capsys, name):
    assert main(["forecast", "stock", "--out", name]) == 2
    assert f"cannot write {name}: forecasts are written as CSV" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["next.csv", "next.CSV", "next.txt", "next", "next.csv.gz"])
def test_names_of_tables(name, tmp_path):
    check_files("stock", out=tmp_path / name)


def test_an_error_of_another_file_keeps_its_name(tmp_path):
    with pytest.raises(FileNotFoundError) as caught, whole(tmp_path / "out.png"):
        open(tmp_path / "no_such_font.ttf")
    assert caught.value.filename == str(tmp_path / "no_such_font.ttf")
    with pytest.raises(OSError) as caught, whole(tmp_path / "out.png") as part:
        open(part)
    assert caught.value.filename == str(tmp_path / "out.png")


def test_a_short_test_keeps_the_columns_that_an_interval_would_displace(capsys, tmp_path):
    years = pd.Series(np.arange(30.0) ** 2, pd.RangeIndex(1990, 2020, name="Year"), name="GDP")
    years.to_csv(tmp_path / "years.csv")
    assert main(["compare", str(tmp_path / "years.csv"), "--horizon", "3"]) == 0
    out = capsys.readouterr().out
    assert "pers." in out and "low" not in out
    assert "Skill: 1 - mean RMSE / that of persistence. Ratio" in out


# --- models that are kept ------------------------------------------------------------------------


@pytest.fixture
def kept(capsys, days):
    """Return the folder of a file of days, of a model of it, and of a file that goes on."""
    index = pd.date_range("2024-01-01", periods=115, name="day")
    table = pd.DataFrame({"load": np.arange(115) % 7.0}, index=index)
    table.to_csv("g.csv")
    table[:50].to_csv("early.csv")
    assert main("fit f.csv --horizon 3 --model arx --save m.narx".split()) == 0
    out = capsys.readouterr().out
    assert "'load' is forecast by ridge ARX, as asked; " in out
    assert out.endswith("Written: m.narx.\n")
    return days


def test_a_model_that_was_fitted_forecasts_rows_that_go_on(capsys, kept):
    pytest.importorskip("matplotlib")
    argv = "forecast g.csv --model m.narx --horizon 3 --out out.csv --plot out.png".split()
    assert main(argv) == 0
    out, err = capsys.readouterr()
    assert err == "" and "Forecast by ARX, trained on 100 rows up to 2024-04-09" in out
    assert "The 100 rows up to 2024-04-09 have been seen before; the 15 rows after" in out
    assert out.endswith("Written: out.csv, out.png.\n")
    table = pd.read_csv("out.csv")
    assert table["time"].tolist() == ["2024-04-25", "2024-04-26", "2024-04-27"]
    np.testing.assert_allclose(table["load"], [3, 4, 5], atol=1e-3)
    assert Path("out.png").stat().st_size > 10_000
    # the model is that of its own rows again
    assert main("forecast f.csv --model m.narx --horizon 60".split()) == 0
    assert "36 rows follow: --out FILE writes all." in capsys.readouterr().out


def test_autonarx_is_kept_by_default(capsys, days):
    assert main("fit f.csv --horizon 3 --save m.narx".split()) == 0
    model, told = narxkit.load("m.narx"), " ".join(capsys.readouterr().out.split())
    assert type(model) is narxkit.AutoNARX
    assert "'load' is forecast by AutoNARX, " in told and f"{model.describe()} Written:" in told
    assert main("forecast f.csv --horizon 3 --out a.csv".split()) == 0
    assert main("forecast f.csv --model m.narx --out b.csv".split()) == 0  # its own horizon
    assert pd.read_csv("a.csv")["load"].tolist() == pd.read_csv("b.csv")["load"].tolist()


def test_holidays_are_read_by_every_command(capsys, days):
    pytest.importorskip("holidays")
    for command in ("fit f.csv --save m.narx", "compare f.csv --models narx"):
        assert main([*command.split(), "--horizon", "3", "--holidays", "DE,BY"]) == 0
    assert narxkit.load("m.narx").holidays == ("DE", "BY")


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("XX", "--holidays names the country 'XX', but it must be one of "),
        ("DE,XX", "--holidays names the region 'XX', but those of 'DE' are BB, "),
        ("DE,BY,M", "argument --holidays: must be a country and at most one region, as in DE,BY. "
                    "Got 'DE,BY,M'. (see narxkit forecast --help)"),
    ],
)  # fmt: skip
def test_holidays_of_nowhere(capsys, days, place, sentence):
    pytest.importorskip("holidays")
    assert refusal_of(capsys, f"forecast f.csv --holidays {place}").startswith(sentence)


def test_holidays_without_their_package(capsys, days, monkeypatch):
    from narxkit.rows.public_holidays import _holidays_of

    _holidays_of.cache_clear()
    monkeypatch.setitem(sys.modules, "holidays", None)
    assert refusal_of(capsys, "forecast f.csv --holidays DE").startswith(
        "holidays of a calendar need the package holidays, which is not installed: pip install "
    )


OF_DAYS = (
    "--holidays are looked up by day, and the rows have no time stamps in steps of a day or less: "
    "give a file with a column of times, or leave out --holidays."
)


@pytest.mark.parametrize(
    ("model", "freq", "sentence"),
    [
        ("auto", "MS", OF_DAYS),
        ("auto", None, OF_DAYS),
        ("arx", "MS", "--holidays names days, a field that changes within a week, but the clock is "
                      "monthly: leave the field out, or give rows of shorter steps."),
        ("arx", None, "the calendar fields ['holiday'] are read from the time stamps of the rows, "
                      "and these rows have none: give a file with a column of times, or leave out "
                      "--holidays."),
    ],
)  # fmt: skip
def test_holidays_without_days(capsys, days, model, freq, sentence):
    table = pd.DataFrame({"load": np.arange(100) % 7.0})
    if freq:
        table.insert(0, "time", pd.date_range("2010-01-01", periods=100, freq=freq))
    table.to_csv("f.csv", index=False)
    command = f"forecast f.csv --horizon 2 --holidays DE --model {model}"
    assert refusal_of(capsys, command) == sentence


def refusal_of(capsys, command):
    """Return the sentence that a command on a file ends with."""
    try:
        assert main(command.split()) == 2
    except SystemExit as end:
        assert end.code == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    return err.removeprefix("narxkit: ").rstrip("\n")


def test_ctrl_c_among_candidates_ends_the_command(capsys, days, monkeypatch):
    """In Python AutoNARX keeps what was judged by then; a table of it would mislead."""
    from narxkit.auto.judging import Judge

    judge, calls = Judge.judge, []

    def press(*args):
        calls.append(args)
        if len(calls) == 20:
            raise KeyboardInterrupt
        return judge(*args)

    monkeypatch.setattr(Judge, "judge", press)
    assert main("forecast f.csv --horizon 3".split()) == 130
    assert capsys.readouterr().err == "narxkit: interrupted.\n"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("fit solar --save m.narx", "narxkit fit trains on files of your own, and solar is no "
                                    "file: narxkit forecast evaluates built-in series."),
        ("fit f.csv --save f.csv", "cannot write f.csv: it is the file to read; give another "
                                    "name."),
        ("fit f.csv --save no/m.narx", "cannot write no/m.narx: there is no folder no."),
        ("forecast g.csv --model m.narx --lags 3", "--lags is for a model that is yet to be "
                                    "trained: m.narx has its own; leave it out."),
        ("forecast g.csv --model m.narx --holidays DE", "--holidays is for a model that is yet to "
                                    "be trained: m.narx has its own; leave it out."),
        ("forecast solar --model m.narx", "m.narx forecasts rows that go on from where it was "
                                    "trained, and solar is a built-in series: give a file."),
        ("forecast g.csv --model g.csv", "g.csv is no model that narxkit has saved: give the file "
                                    "that save has written."),
        ("forecast g.csv --model no.narx", "cannot use no.narx: No such file or directory."),
    ],
)  # fmt: skip
def test_what_cannot_be_kept_or_taken_on(capsys, kept, line, sentence):
    assert ends_with_2(capsys, *line.split()) == sentence
    assert sorted(os.listdir(kept)) == ["early.csv", "f.csv", "g.csv", "m.narx"]


def test_a_file_that_ends_too_early(capsys, kept):
    assert main("forecast early.csv --model m.narx".split()) == 2
    assert capsys.readouterr().err == (
        "narxkit: early.csv ends at 2024-02-19, and the model has seen rows up to 2024-04-09: give "
        "a file with the rows after that.\n"
    )


def test_two_targets_need_two_models(capsys, days):
    pd.read_csv("f.csv").assign(wind=1.0).to_csv("two.csv", index=False)
    assert main("fit two.csv --target load,wind --horizon 3 --save m.narx".split()) == 2
    assert capsys.readouterr().err == (
        "narxkit: a file holds one model, and 2 targets need one each: give one --target.\n"
    )


def test_inputs_that_the_file_lacks_are_asked_for(capsys, days):
    table = pd.read_csv("f.csv").assign(sun=np.arange(100) % 5)
    table[:90].to_csv("f.csv", index=False)
    table.assign(load=table["load"].where(table.index < 95)).to_csv("known.csv", index=False)
    argv = "fit f.csv --target load --known-future sun --horizon 3 --model arx --save m.narx"
    assert main(argv.split()) == main("forecast known.csv --model m.narx --horizon 5".split()) == 0
    capsys.readouterr()
    assert main("forecast known.csv --model m.narx --horizon 6".split()) == 2
    assert capsys.readouterr().err == (
        "narxkit: 6 steps need the columns ['sun'] in the 6 rows after 2024-04-04 00:00:00: add "
        "rows with them and an empty target to the end of the file.\n"
    )
