"""Checkpoints of a search: what was evaluated, written so that a kill at any moment loses nothing.

A search draws from one generator, and what it does next follows from that and from the scores so
far. So its state is the state of the generator at the start and the evaluations in their order: a
search that begins anew and finds its evaluations in the file takes the same way, in no time, to
where it ended. The file is JSON, which runs nothing when it is read; genomes stand for values of
any kind.

A file is written beside the old one and takes its place in one step, and the old one is kept as
``<file>.bak``: at any moment there is a whole one, and another where that is damaged later.
"""

import json
import re
import shutil
import time
from pathlib import Path

import joblib
import pandas as pd

from narxkit._atomic import whole
from narxkit._warn import warn

FORMAT = "narxkit.GeneticSearchCV 1"
SHARE = 0.05  # of the time, at most, that saving takes: large states are saved less often
SHOWN = 60  # letters of what differs
DIGEST = "digest "  # begins the text of what is too long to be kept


class Checkpoint:
    """Evaluations of a search and the state of its generator, kept in a file.

    Parameters
    ----------
    path : str, path or None
        The file; None keeps nothing.
    problem : dict of str to str
        What the evaluations are of: they are refused where it differs.
    rng : numpy.random.Generator
        Set to the state that the file holds.

    Attributes
    ----------
    records : dict of tuple to dict
        What is known of a configuration by its genome, in the order of evaluation.
    """

    def __init__(self, path, problem, rng):
        self.path = None if path is None else Path(path)
        self.problem, self.records, self._due = problem, {}, 0.0
        self._refuse_place()
        state = None if path is None else self._read()
        if state is not None:
            self._refuse_other(state["problem"])
            rng.bit_generator.state = state["random_state"]
            self.records = {tuple(record["genome"]): record for record in state["records"]}
        self.random_state = rng.bit_generator.state
        # a file that cannot be written is refused before there is anything to lose
        self.save()

    def append(self, record):
        """Keep what was found of a configuration."""
        self.records[tuple(record["genome"])] = record
        if time.monotonic() >= self._due:
            self.save()

    def save(self):
        """Write the file: whatever happens meanwhile, there is a whole one."""
        if self.path is None:
            return
        begin = time.monotonic()
        state = {"format": FORMAT, "problem": self.problem, "random_state": self.random_state}
        text = json.dumps({**state, "records": list(self.records.values())}, default=_plain)
        _replace(self.path, text)
        self._due = time.monotonic() + (time.monotonic() - begin) / SHARE

    def _refuse_place(self):
        """Raise where no file can be."""
        if self.path is None:
            return
        if self.path.is_dir():
            raise ValueError(f"checkpoint={str(self.path)!r} is a folder: give a file in it.")
        if not self.path.parent.is_dir():
            raise ValueError(
                f"checkpoint={str(self.path)!r} is in a folder that does not exist: create it, or "
                "give a file in another one."
            )

    def _read(self):
        """Return the state in the file, or of the one before where it is damaged."""
        if not self.path.exists():
            return None
        before = _beside(self.path, ".bak")
        for path in (self.path, before):
            try:
                state = _parse(path)
            except (OSError, ValueError):
                continue
            if path is before:
                warn(
                    f"The checkpoint {self.path} is damaged: the search goes on from {before}, "
                    "which was written before it."
                )
                # or the next save would keep the damaged one in the place of the whole one
                _copy(before, self.path)
            return state
        raise ValueError(
            f"{self.path} is no checkpoint of GeneticSearchCV, or a damaged one without the one "
            "before it: give another file, or delete this one to begin anew."
        )

    def _refuse_other(self, problem):
        names = [name for name in self.problem if self.problem[name] != problem.get(name)]
        if names:
            raise ValueError(
                f"The checkpoint {self.path} is of another problem: "
                f"{'; '.join(_difference(n, problem.get(n), self.problem[n]) for n in names)}. "
                "Give another file, or delete this one to begin anew."
            )


def _difference(name, was, now):
    if now.startswith(DIGEST):  # which tells nobody anything
        return f"{name} differs"
    return f"{name} was {_shortened(was)} and is {_shortened(now)}"


def _shortened(text):
    text = str(text)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def _beside(path, suffix):
    return path.with_name(path.name + suffix)


def _parse(path):
    state = json.loads(path.read_text(encoding="utf-8"))
    is_ours = isinstance(state, dict) and state.get("format") == FORMAT
    if not is_ours or not {"problem", "random_state", "records"} <= set(state):
        raise ValueError(f"{path} has another format.")
    return state


def _replace(path, text):
    """Write a file in one step, and keep the one before."""
    if path.exists():
        _copy(path, _beside(path, ".bak"))
    with whole(path) as part:
        part.write_text(text, encoding="utf-8")


def _copy(old, path):
    """Put a copy in the place of a file, in one step."""
    with whole(path) as part:
        shutil.copyfile(old, part)


def _plain(number):
    """Return a number of NumPy as one of Python."""
    return number.item()


def without_addresses(value):
    """Return a repr that is the same in every process."""
    return re.sub(r" at 0x[0-9a-fA-F]+", "", repr(value))


def digest(value):
    """Return a text that differs where data differ, and is the same in every process."""
    if isinstance(value, pd.DataFrame | pd.Series):
        names = value.columns if isinstance(value, pd.DataFrame) else [value.name]
        # joblib pickles, and equal frames may be pickled differently
        rows = pd.util.hash_pandas_object(value).to_numpy()
        return DIGEST + joblib.hash((rows, [repr(name) for name in names]))
    return DIGEST + joblib.hash(value)
