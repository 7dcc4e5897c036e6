"""The command line: what it prints, what it writes, and how it ends."""

import os
import signal
import subprocess
import sys
import warnings
from dataclasses import replace

import pandas as pd
import pytest

import narxkit
from narxkit import study
from narxkit.cli import main

SHORT = replace(
    study.TASKS["solar"],
    training=("2017-05-01", "2017-05-12"),
    validation=None,
    test=("2023-05-01", "2023-05-08"),
)


@pytest.fixture(autouse=True)
def short_series(monkeypatch, tmp_path):
    monkeypatch.setitem(study.TASKS, "solar", SHORT)
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
    assert code == 2 and out == ""
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


def test_help_of_forecast_names_every_series_and_option(capsys):
    with pytest.raises(SystemExit):
        main(["forecast", "--help"])
    out = capsys.readouterr().out
    series = out.split("series:")[1].split("positional")[0]
    assert [line.split()[0] for line in series.strip().splitlines()] == list(study.TASKS)
    assert all(option in out for option in ("--out FILE", "--plot FILE", "--seed N"))
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
        "print([name for name in ('matplotlib', 'narxkit.study') if name in sys.modules])"
    )
    out, err = in_process(code, cwd=tmp_path).communicate(timeout=120)
    assert out.startswith("usage: narxkit") and out.endswith("\n[]\n"), err


# --- errors ------------------------------------------------------------------------------------


def test_an_unknown_series_lists_the_known_ones(capsys):
    sentence = ends_with_2(capsys, "forecast", "sonar")
    assert sentence == (
        "there is no series 'sonar': the shipped ones are solar. Your own data are forecast in "
        "Python: from narxkit import NARX."
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
    monkeypatch.setattr(study, "run", pytest.fail)
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
    monkeypatch.setattr(study, "run", pytest.fail)
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    sentence = ends_with_2(capsys, "forecast", "solar", "--plot", "forecast.png")
    assert sentence == "plots need matplotlib, which is not installed: pip install 'narxkit[plot]'."


def test_a_file_that_cannot_be_opened(capsys, monkeypatch):
    def refuse(*args):
        raise PermissionError(13, "Permission denied", "forecast.csv")

    monkeypatch.setattr(study, "run", refuse)
    sentence = ends_with_2(capsys, "forecast", "solar")
    assert sentence == "cannot use forecast.csv: Permission denied."


def test_a_warning_is_one_line(capsys, monkeypatch):
    def warn(*args):
        warnings.warn("the network\ndiverged.", UserWarning, stacklevel=1)
        raise KeyboardInterrupt

    monkeypatch.setattr(study, "run", warn)
    main(["forecast", "solar"])
    assert capsys.readouterr().err.splitlines()[0] == "narxkit: warning: the network diverged."


def test_ctrl_c_ends_with_130(capsys, monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(study, "run", interrupt)
    assert main(["forecast", "solar"]) == 130
    assert capsys.readouterr().err == "narxkit: interrupted.\n"


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_a_real_ctrl_c_in_training_ends_with_130_and_no_traceback(tmp_path):
    code = (
        "from narxkit import cli, study; from dataclasses import replace\n"
        "def network(seed):\n"
        "    return study.solar_network(seed).set_params(max_iter=10**6, tol=0, alpha=0.0)\n"
        "study.TASKS['solar'] = replace(study.TASKS['solar'], network=network)\n"
        "run = study.run\n"
        "def told(text, done, total):\n"
        "    if done == 1: print('at work', flush=True)\n"
        "study.run = lambda task, seed, progress: run(task, seed, told)\n"
        "sys.exit(cli.main(['forecast', 'solar']))"
    )
    process = in_process(code, cwd=tmp_path)
    assert process.stdout.readline() == "at work\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert (out, err, process.returncode) == ("", "narxkit: interrupted.\n", 130)


# --- the forecast ------------------------------------------------------------------------------


def test_the_table_names_models_columns_and_protocol(capsys):
    assert main(["forecast", "solar"]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert err == ""
    assert max(map(len, lines)) <= 80 and "…" not in out and "\x1b" not in out
    assert lines[0].strip() == "Solar irradiance in Colorado, 24 hours ahead, W/m²"
    first = [line.partition("  ")[0].strip() for line in lines]
    for name in SHORT.models():
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
    assert list(table) == ["origin", "horizon", "time", "ghi", *SHORT.models()]
    assert len(table) == 24 * 121


def test_no_file_unless_asked(capsys, tmp_path):
    assert main(["forecast", "solar"]) == 0
    assert list(tmp_path.iterdir()) == []
    assert "Written" not in capsys.readouterr().out


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_piped_output_is_plain(tmp_path, encoding):
    code = (
        "from narxkit import cli, study; from dataclasses import replace\n"
        "periods = {'training': ('2017-05-01', '2017-05-12'), 'validation': None,\n"
        "           'test': ('2023-05-01', '2023-05-08')}\n"
        "study.TASKS['solar'] = replace(study.TASKS['solar'], **periods)\n"
        "sys.exit(cli.main(['forecast', 'solar']))"
    )
    environment = {k: v for k, v in os.environ.items() if k not in ("FORCE_COLOR", "COLUMNS")}
    environment |= {"PYTHONIOENCODING": encoding, "TERM": "xterm-256color"}
    process = in_process(code, cwd=tmp_path, env=environment)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0 and err == ""
    assert "\x1b" not in out and "\r" not in out and "ridge ARX" in out
    assert max(map(len, out.splitlines())) <= 80
