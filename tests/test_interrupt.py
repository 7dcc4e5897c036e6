"""Ctrl-C, sent for real to a process: who keeps what, and where what is around a fit ends.

One child process plays the prompt: it runs statements one after another, as a terminal or a
notebook does. Signals go to its whole group, as those of a terminal.
"""

import json
import os
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
from sklearn.model_selection import GridSearchCV, cross_val_score

signal.signal(signal.SIGINT, signal.default_int_handler)
sign = Path(sys.argv[1])
X, y = make_narendra(400, random_state=0)
seen = []

def begun(iteration):
    sign.touch()

def model(**settings):
    endless = {"solver": "adam", "max_iter": 10**6, "tol": 0.0, "random_state": 0}
    return NARX(2, 2, (3,), callback=begun, **endless | settings)

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
        ended = time.monotonic()
    told = [str(w.message) for w in caught]
    print(json.dumps([outcome, ended, told, repr(seen)]), flush=True)
    seen.clear()
"""


class Prompt:
    """A child process that runs statements."""

    def __init__(self, folder):
        self.sign = folder / "begun"
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROMPT, str(self.sign)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, statement, *presses):
        """Outcome, seconds since the first press, warnings and `seen`; presses once begun."""
        self.sign.unlink(missing_ok=True)
        self.process.stdin.write(json.dumps(statement) + "\n")
        self.process.stdin.flush()
        pressed = []
        for delay in presses:
            self._wait_for_sign()
            time.sleep(delay)
            pressed.append(time.monotonic())
            os.killpg(self.process.pid, signal.SIGINT)
        outcome, ended, told, seen = json.loads(self.process.stdout.readline())
        return outcome, ended - pressed[0] if pressed else None, told, seen

    def _wait_for_sign(self):
        end = time.monotonic() + 60
        while not self.sign.exists():
            assert self.process.poll() is None and time.monotonic() < end
            time.sleep(0.01)

    def close(self):
        self.process.stdin.close()
        self.process.wait(60)


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
    assert prompt.run(AFTERWARDS)[::3] == ("done", WHOLE)


def test_a_lone_fit_keeps_its_best_and_says_so(prompt):
    lone = """
m = model().fit(X, y)
seen.append(m.stop_.name)
seen.append(bool(np.isfinite(m.simulate(X, y[:4])[4:]).all()))
"""
    outcome, wait, told, seen = prompt.run(lone, 0.05)
    assert (outcome, len(told)) == ("done", 1)
    assert "of at most 1000000 iterations of loop='open'" in told[0]
    assert seen == "['INTERRUPTED', True]"
    assert wait < 5


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
    outcome, wait, told, _ = prompt.run(f"seen.append({search})", 0.05)
    assert (outcome, told) == ("KeyboardInterrupt", [])
    assert wait < 5


def test_a_loop_of_fits_ends_where_the_next_begins(prompt):
    loop = """
for alpha in (1e-4, 1e-3, 1e-2):
    m = model(alpha=alpha).fit(X, y)
    seen.append(m.stop_.name)
    m.predict_ahead(X, y)
"""
    outcome, wait, told, seen = prompt.run(loop, 0.05)
    assert (outcome, len(told), seen) == ("KeyboardInterrupt", 1, "['INTERRUPTED']")
    assert wait < 5


def test_functions_around_fits_are_of_the_statement_that_calls_them(prompt):
    study = """
def one():
    seen.append(model().fit(X, y).stop_.name)

def two():
    one()
    one()

two()
"""
    assert prompt.run(study, 0.05)[::3] == ("KeyboardInterrupt", "['INTERRUPTED']")


def test_a_caught_interrupt_is_forgotten(prompt):
    loop = """
model().fit(X, y)
try:
    model().fit(X, y)
except KeyboardInterrupt:
    seen.append(model(max_iter=3).fit(X, y).stop_.name)
"""
    assert prompt.run(loop, 0.05)[::3] == ("done", "['MAX_ITER']")


@pytest.mark.parametrize("apart", [0.03, 0.5])
def test_a_second_press_falls_on_safe_ground(prompt, apart):
    """Within the fit it breaks it off, and the model is as it was; behind it, it is Python's."""
    twice = """
m = model(max_iter=3).fit(X, y)
before, names = m.theta_, set(vars(m))
m.set_params(max_iter=10**6)
sign.unlink()
try:
    m.fit(X, y)
    time.sleep(60)
except KeyboardInterrupt:
    is_whole = np.isfinite(m.simulate(X, y[:4])[4:]).all() and set(vars(m)) == names
    seen.append(bool(is_whole))
    seen.append(m.theta_ is before or m.stop_.name == "INTERRUPTED")
"""
    outcome, wait, _, seen = prompt.run(twice, 0.05, apart)
    assert (outcome, seen) == ("done", "[True, True]")
    assert wait < 5 + apart


def test_a_second_press_waits_for_the_fit_to_end(prompt):
    """Both arrive while a callback is at work."""
    twice = """
m, at_work = model(max_iter=3).fit(X, y), []
before = m.theta_
def slow(iteration):
    if iteration.n_iter == 2:
        sign.touch()
        until = time.monotonic() + 0.4
        while time.monotonic() < until:
            pass
        at_work.append("the callback ended")
sign.unlink()
try:
    m.set_params(max_iter=10**6, callback=slow).fit(X, y)
except KeyboardInterrupt:
    seen.extend([*at_work, m.theta_ is before])
"""
    outcome, _, _, seen = prompt.run(twice, 0.05, 0.1)
    assert (outcome, seen) == ("done", "['the callback ended', True]")


def test_a_fit_that_hangs_is_left_two_seconds_after_the_first_press(prompt):
    hanging = """
def hang(iteration):
    sign.touch()
    time.sleep(60)
try:
    model().set_params(callback=hang).fit(X, y)
except KeyboardInterrupt:
    seen.append("left")
"""
    outcome, wait, _, seen = prompt.run(hanging, 0.05, 2.2)
    assert (outcome, seen) == ("done", "['left']")
    assert wait < 7


def test_a_fit_in_a_thread_is_none_of_the_keyboards_business(prompt):
    threaded = """
from threading import Thread
done = []
thread = Thread(target=lambda: done.append(model(max_iter=300).fit(X, y).stop_.name))
thread.start()
try:
    time.sleep(60)
except KeyboardInterrupt:
    thread.join()
    seen.extend(done)
"""
    assert prompt.run(threaded, 0.0)[::3] == ("done", "['MAX_ITER']")


def test_who_scores_a_truncated_fit_is_told(prompt):
    scored = """
m = model().fit(X, y)
warnings.simplefilter("ignore")
warnings.simplefilter("always", RuntimeWarning)
m.score(X[:20], y[:20])
backtest(m, X[:60], y[:60], steps=3)
ahead_scorer(3, warmup=5)(m, X[:60], y[:60])
"""
    outcome, _, told, _ = prompt.run(scored, 0.05)
    assert outcome == "done"
    assert ["was interrupted after" in text for text in told] == [False, True, True, True]


def test_a_script_ends_at_its_next_fit(tmp_path):
    script = tmp_path / "script.py"
    sign = tmp_path / "begun"
    setup = PROMPT.split("NARX(2, 2, (3,), max_iter=3")[0]
    script.write_text(f"{setup}\nmodel().fit(X, y)\nprint('kept', flush=True)\nmodel().fit(X, y)\n")
    process = subprocess.Popen(
        [sys.executable, str(script), str(sign)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not sign.exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert out == "kept\n"
    assert err.splitlines()[-1].startswith("KeyboardInterrupt: an earlier fit was interrupted")
