"""Files that are whole or not there: one writer for forecasts, checkpoints and models."""

import errno
import os
import subprocess
import sys
import time

import pytest

from narxkit import _atomic
from narxkit._atomic import AGE, PART, whole

NEEDS_POSIX = pytest.mark.skipif(os.name != "posix", reason="sends signals and locks folders")


def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    steps = []
    for step in ("fsync", "replace"):
        do = getattr(os, step)
        monkeypatch.setattr(os, step, lambda *a, s=step, do=do: (steps.append(s), do(*a)))
    with whole(tmp_path / "a.txt") as part:
        part.write_text("new")
    assert steps == ["fsync", "replace", "fsync"]  # the last one is that of the folder
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_full_disk_leaves_the_earlier_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(OSError) as caught, whole(path) as part:
        part.write_text("ne")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert caught.value.filename == str(path)
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["a.txt"]


@NEEDS_POSIX
def test_what_a_kill_leaves_is_removed_by_the_next_file(tmp_path):
    code = (
        "import sys, time\n"
        "from narxkit._atomic import whole\n"
        "with whole(sys.argv[1]) as part:\n"
        "    part.write_text('half')\n"
        "    print('writing', flush=True); time.sleep(60)\n"
    )
    path = tmp_path / "a.txt"
    process = subprocess.Popen(
        [sys.executable, "-c", code, path], stdout=subprocess.PIPE, text=True
    )
    process.stdout.readline()
    (left,) = tmp_path.glob(f"{PART}*")
    os.utime(left, (time.time() - 2 * AGE,) * 2)
    for is_killed in (False, True):  # as long as it runs the folder is its own
        with whole(path) as part:
            part.write_text("new")
        assert left.exists() != is_killed
        process.kill()
        process.wait()
    process.stdout.close()
    assert path.read_text() == "new" and os.listdir(tmp_path) == ["a.txt"]


def test_a_folder_that_was_just_made_is_left_alone(tmp_path):
    """It is not locked yet."""
    (tmp_path / f"{PART}x").mkdir()
    with whole(tmp_path / "a.txt") as part:
        part.write_text("new")
    assert len(os.listdir(tmp_path)) == 2


def test_without_locks_nothing_is_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(_atomic, "fcntl", None)
    (tmp_path / f"{PART}x").mkdir()
    os.utime(tmp_path / f"{PART}x", (0, 0))
    with whole(tmp_path / "a.txt") as part:
        part.write_text("new")
    assert len(os.listdir(tmp_path)) == 2
