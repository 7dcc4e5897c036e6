"""Damaged files through the command, sixty of those of ``make fuzz``; what counts as a fault."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mutations import clean_files, judge, make_case

SCRIPT = Path(__file__).with_name("mutations.py")


@pytest.mark.skipif(sys.platform != "linux", reason="forks and limits processes")
def test_sixty_damaged_files_are_forecast_or_refused_in_a_sentence(tmp_path):
    pytest.importorskip("matplotlib")
    path = os.pathsep.join(entry for entry in sys.path if entry)
    run = subprocess.run(
        [sys.executable, SCRIPT, "--first", "60", "--cases", "60", "--keep", tmp_path / "failed"],
        capture_output=True, text=True, encoding="utf-8", timeout=600,
        env={**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    assert run.returncode == 0 and run.stderr == "", run.stdout + run.stderr
    assert run.stdout.startswith("60 cases: ") and run.stdout.endswith(" 0 failed.\n")


def test_a_case_is_its_number():
    files = clean_files()
    assert make_case(7, files) == make_case(7, files)
    cases = [make_case(number, files) for number in range(100)]
    assert len({content for _, content, _, _ in cases}) > 95
    assert {name for name, *_ in cases} == set(files)
    assert {argv[0] for _, _, argv, _ in cases} == {"forecast", "diagnose"}


ERROR = "narxkit: it is so: do that.\n"


@pytest.mark.parametrize(
    ("code", "err", "out", "faults"),
    [
        (2, ERROR, "", []),
        (0, "narxkit: warning: it is so.\n", "", []),
        (2, f"narxkit: warning: it is so.\n{ERROR}", "", []),
        (1, ERROR, "", ["exit code 1", "not one line for an error"]),
        (2, "", "", ["not one line for an error"]),
        (2, 2 * ERROR, "", ["not one line for an error"]),
        (0, ERROR, "", ["not one line for an error"]),
        (2, "Traceback (most recent call last):\n", "", ["a line that is no sentence of narxkit"]),
        (0, "narxkit: warning: overflow in x\n", "", ["a line that is no sentence of narxkit"]),
        (2, "narxkit: unexpected X, a defect of narxkit: x.\n", "", ["a defect"]),
        (2, "narxkit: there is not enough memory: x.\n", "", ["out of memory"]),
        (2, ERROR, "a\x1bb", ["control characters"]),
    ],
)
def test_what_counts_as_a_fault(tmp_path, code, err, out, faults):
    (tmp_path / "stderr").write_text(err)
    (tmp_path / "stdout").write_text(out)
    assert judge(tmp_path, ["diagnose"], code, 1.0, 0.1) == faults


def test_too_slow_too_large_and_half_written(tmp_path):
    (tmp_path / "stderr").write_text("")
    (tmp_path / "stdout").write_text("")
    (tmp_path / ".part-x").mkdir()
    faults = judge(tmp_path, ["forecast", "--out", "out.csv"], 0, 61.0, 2.5)
    assert faults == ["61 seconds of processor time", "2.5 GB", "a part of a file", "no forecast"]
    (tmp_path / ".part-x").rmdir()
    (tmp_path / "out.csv").write_text("time,y\n1,1\n2,2\n3,nan\n")
    assert judge(tmp_path, ["forecast", "--out", "out.csv"], 0, 1.0, 0.1) == ["no forecast"]
    (tmp_path / "out.csv").write_text("time,y\n1,1\n2,2\n3,3\n")
    assert judge(tmp_path, ["forecast", "--out", "out.csv"], 0, 1.0, 0.1) == []
