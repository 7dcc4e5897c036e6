"""Files that are whole or not there at all, whatever happens while they are written.

A file is made in a folder of its own beside the one that it replaces, put on the disk, and takes
its place in one step. A full disk or a kill leaves the earlier file; the folder that a kill leaves
is removed by the next file that is written beside it.
"""

import os
import shutil
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

try:
    import fcntl
except ImportError:  # Windows, where nobody can tell a folder in use from one that was left
    fcntl = None

PART = ".part-"  # how the folder begins that holds a file until it is whole
AGE = 60  # seconds of a folder, after which it is in use or left: it is locked much sooner


@contextmanager
def whole(path):
    """Give a name to write to that becomes a file when all is written, and vanishes otherwise.

    A link stays: what it points to is written. The name lies in a folder of its own beside the
    file, so that runs side by side do not share it, and keeps all endings, by which writers know
    how to pack.

    Parameters
    ----------
    path : path
        The file.

    Yields
    ------
    Path
        The name to write to.

    Raises
    ------
    OSError
        When it cannot be written; ``filename`` is the file that was asked for.
    """
    target = behind_links(path)
    try:
        _remove_left(target.parent)
        with TemporaryDirectory(prefix=PART, dir=target.parent) as folder, _locked(folder):
            part = Path(folder, target.name)
            yield part
            # or after a power cut the name could stand for nothing
            _sync(part, os.O_RDWR)
            if target.exists():
                shutil.copymode(target, part)
            os.replace(part, target)
            with suppress(OSError):  # some systems know no disk of a folder
                _sync(target.parent, os.O_RDONLY)
    except OSError as error:
        if error.filename is None or Path(os.fsdecode(error.filename)).parent.name.startswith(PART):
            error.filename = str(path)  # not of another file, such as a font, that was missed
        raise


def behind_links(path):
    """Return where a file lies, behind all links."""
    return Path(os.path.realpath(path))


def _sync(path, mode):
    """Have the disk take what the system still keeps in memory."""
    number = os.open(path, mode)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@contextmanager
def _locked(folder):
    """Lock a folder, which a kill unlocks."""
    number = _lock(folder)
    try:
        yield
    finally:
        if number is not None:
            os.close(number)


def _lock(folder):
    """Return the number of a locked folder, None where it is in use or locks are unknown."""
    if fcntl is None:
        return None
    number = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(number)
        return None
    return number


def _remove_left(parent):
    """Remove the folders that killed processes have left."""
    with suppress(OSError):  # another process may do the same
        for folder in parent.glob(f"{PART}*"):
            if time.time() - folder.stat().st_mtime > AGE and (number := _lock(folder)) is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(number)
