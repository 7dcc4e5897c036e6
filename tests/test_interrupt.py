"""Ctrl-C, sent for real to a process: who keeps what, and where what is around a fit ends.

One child process plays the prompt: it runs statements one after another, as a terminal or a
notebook does. Signals go to its whole group, as those of a terminal. Nothing depends on how fast
it runs: it leaves a sign where a press shall come, and after each press that a fit has met.
"""

import json
import os
import select
import signal
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends signals")

PROMPT = r"""
import json, signal, sys, time, warnings
from pathlib import Path
import numpy as np
from narxkit import NARX, ahead_scorer, backtest, RollingOrigin
from narxkit.datasets import make_narendra
from narxkit.solvers import _interrupt
from sklearn.model_selection import GridSearchCV, cross_val_score

signal.signal(signal.SIGINT, signal.default_int_handler)
folder = Path(sys.argv[1])
X, y = make_narendra(400, random_state=0)
seen = []

def leave(sign):
    (folder / sign).touch()

def wait_for(sign):
    while not (folder / sign).exists():
        pass

class Presses(_interrupt._Presses):
    def __call__(self, *args):
        try:
            super().__call__(*args)
        finally:
            leave(f"press {self.n}")

_interrupt._Presses = Presses
_interrupt.STUCK = 1e9  # no press is late, if no statement says otherwise

def begun(iteration):
    leave("begun")

def model(**settings):
    endless = {"alpha": 1e-4, "solver": "adam", "max_iter": 10**9, "tol": 0.0, "callback": begun}
    return NARX(2, 2, (3,), random_state=0, **endless | settings)

NARX(2, 2, (3,), max_iter=3, random_state=0).fit(X, y)  # everything is imported
for line in sys.stdin:
    outcome = "done"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            exec(compile(json.loads(line), "<stdin>", "exec"))
        except BaseException as error:
            outcome = type(error).__name__
            if type(error) is not KeyboardInterrupt:
                raise
    told = [str(w.message) for w in caught]
    print(json.dumps([outcome, told, repr(seen)]), flush=True)
    seen.clear()
"""


PATIENCE = 120  # seconds after which a child is taken to hang


def wait_for(sign, process):
    """Wait until a process has left a sign."""
    end = time.monotonic() + PATIENCE
    while not sign.exists():
        assert process.poll() is None, "the process has ended"
        assert time.monotonic() < end, f"no {sign.name} in {PATIENCE} seconds"
        time.sleep(0.01)


class Prompt:
    """A child process that runs statements."""

    def __init__(self, folder):
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROMPT, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, statement, *signs):
        """Run a statement with a press after each of these signs: outcome, warnings and `seen`."""
        for sign in self.folder.iterdir():
            sign.unlink()
        self.process.stdin.write(json.dumps(statement) + "\n")
        self.process.stdin.flush()
        for sign in signs:
            wait_for(self.folder / sign, self.process)
            os.killpg(self.process.pid, signal.SIGINT)
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE)
        assert ready, f"the statement has not ended in {PATIENCE} seconds"
        return json.loads(self.process.stdout.readline())

    def close(self):
        """End the process, whatever it does."""
        self.process.stdin.close()
        try:
            self.process.wait(10)
        finally:
            self.process.kill()


@pytest.fixture(scope="module")
def prompt(tmp_path_factory):
    prompt = Prompt(tmp_path_factory.mktemp("prompt"))
    yield prompt
    prompt.close()


WHOLE = "[('MAX_ITER', 3)]"
AFTERWARDS = "m = model(max_iter=3).fit(X, y); seen.append((m.stop_.name, m.n_iter_))"


@pytest.fixture(autouse=True)
def the_next_statement_starts_afresh(prompt):
    yield
    assert prompt.run(AFTERWARDS)[::2] == ["done", WHOLE]


def test_a_lone_fit_keeps_its_best_and_says_so(prompt):
    lone = """
m = model().fit(X, y)
seen.append(m.stop_.name)
seen.append(bool(np.isfinite(m.simulate(X, y[:4])[4:]).all()))
"""
    outcome, told, seen = prompt.run(lone, "begun")
    assert (outcome, len(told)) == ("done", 1)
    assert "of at most 1000000000 iterations of loop='open'" in told[0]
    assert seen == "['INTERRUPTED', True]"


@pytest.mark.parametrize(
    "search",
    [
        "GridSearchCV(model(), {'alpha': [1e-4, 1e-3]}, cv=RollingOrigin(2, test_size=30), "
        "scoring=ahead_scorer(3)).fit(X, y)",
        "GridSearchCV(model(), {'alpha': [1e-4]}, refit=False, cv=RollingOrigin(1, test_size=30), "
        "scoring=ahead_scorer(3)).fit(X, y)",
        "cross_val_score(model(), X, y, cv=RollingOrigin(1, test_size=30))",
        "GridSearchCV(model(), {'alpha': [1e-4, 1e-3]}, cv=RollingOrigin(2, test_size=30), "
        "n_jobs=2).fit(X, y)",
    ],
    ids=["two candidates", "one fit", "cross_val_score", "two processes"],
)
def test_one_press_ends_a_search_and_no_truncated_fit_is_scored(prompt, search):
    outcome, told, _ = prompt.run(f"seen.append({search})", "begun")
    assert (outcome, told) == ("KeyboardInterrupt", [])


def test_a_loop_of_fits_ends_where_the_next_begins(prompt):
    loop = """
for alpha in (1e-4, 1e-3, 1e-2):
    m = model(alpha=alpha).fit(X, y)
    seen.append(m.stop_.name)
    m.predict_ahead(X, y)
"""
    outcome, told, seen = prompt.run(loop, "begun")
    assert (outcome, len(told), seen) == ("KeyboardInterrupt", 1, "['INTERRUPTED']")


def test_functions_around_fits_are_of_the_statement_that_calls_them(prompt):
    evaluation = """
def one():
    seen.append(model().fit(X, y).stop_.name)

def two():
    one()
    one()

two()
"""
    assert prompt.run(evaluation, "begun")[::2] == ["KeyboardInterrupt", "['INTERRUPTED']"]


def test_a_caught_interrupt_is_forgotten(prompt):
    loop = """
model().fit(X, y)
try:
    model().fit(X, y)
except KeyboardInterrupt:
    seen.append(model(max_iter=3).fit(X, y).stop_.name)
"""
    assert prompt.run(loop, "begun")[::2] == ["done", "['MAX_ITER']"]


@pytest.mark.parametrize("second", ["press 1", "the fit has ended"])
def test_a_second_press_falls_on_safe_ground(prompt, second):
    """Within the fit it breaks it off, and the model is as it was; behind it, it is Python's."""
    twice = """
m = model(max_iter=3, callback=None).fit(X, y)
before, names = m.theta_, set(vars(m))
m.set_params(max_iter=10**9, callback=begun)
try:
    m.fit(X, y)
    leave("the fit has ended")
    time.sleep(600)
except KeyboardInterrupt:
    is_whole = np.isfinite(m.simulate(X, y[:4])[4:]).all() and set(vars(m)) == names
    seen.append(bool(is_whole))
    seen.append(m.theta_ is before or m.stop_.name == "INTERRUPTED")
"""
    assert prompt.run(twice, "begun", second)[::2] == ["done", "[True, True]"]


def test_a_second_press_waits_for_the_fit_to_end(prompt):
    """Both arrive while a callback is at work."""
    twice = """
m, at_work = model(max_iter=3, callback=None).fit(X, y), []
before = m.theta_
def slow(iteration):
    leave("at work")
    wait_for("press 2")
    at_work.append("the callback ended")
try:
    m.set_params(max_iter=10**9, callback=slow).fit(X, y)
except KeyboardInterrupt:
    seen.extend([*at_work, m.theta_ is before])
"""
    outcome, _, seen = prompt.run(twice, "at work", "press 1")
    assert (outcome, seen) == ("done", "['the callback ended', True]")


def test_a_fit_that_hangs_is_left_by_a_press_after_a_while(prompt):
    hanging = """
def hang(iteration):
    leave("hanging")
    time.sleep(600)
_interrupt.STUCK, usual = 0.0, _interrupt.STUCK
try:
    model().set_params(callback=hang).fit(X, y)
except KeyboardInterrupt:
    seen.append("left")
_interrupt.STUCK = usual
"""
    assert prompt.run(hanging, "hanging", "press 1")[::2] == ["done", "['left']"]


def test_a_fit_in_a_thread_is_none_of_the_keyboards_business(prompt):
    threaded = """
from threading import Thread
done = []
thread = Thread(target=lambda: done.append(model(max_iter=300).fit(X, y).stop_.name))
try:  # the press may come before `start` returns
    thread.start()
    time.sleep(600)
except KeyboardInterrupt:
    thread.join()
    seen.extend(done)
"""
    assert prompt.run(threaded, "begun")[::2] == ["done", "['MAX_ITER']"]


def test_who_scores_a_truncated_fit_is_told(prompt):
    scored = """
m = model().fit(X, y)
warnings.simplefilter("ignore")
warnings.simplefilter("always", RuntimeWarning)
m.score(X[:20], y[:20])
backtest(m, X[:60], y[:60], steps=3)
ahead_scorer(3, warmup=5)(m, X[:60], y[:60])
"""
    outcome, told, _ = prompt.run(scored, "begun")
    assert outcome == "done"
    assert ["was interrupted after" in text for text in told] == [False, True, True, True]


def test_a_script_ends_at_its_next_fit(tmp_path):
    script = tmp_path / "script.py"
    setup = PROMPT.split("NARX(2, 2, (3,), max_iter=3")[0]
    script.write_text(f"{setup}\nmodel().fit(X, y)\nprint('kept', flush=True)\nmodel().fit(X, y)\n")
    process = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_for(tmp_path / "begun", process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    assert out == "kept\n"
    assert err.splitlines()[-1].startswith("KeyboardInterrupt: an earlier fit was interrupted")
