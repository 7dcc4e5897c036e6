"""Cases: what is measured, beside what, and the bound it must keep."""

import importlib.util
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "MB": 1e6}
FIGURES = {
    "value": (lambda candidate, reference: candidate, "<="),
    "excess": (lambda candidate, reference: candidate - reference, "<="),
    "ratio": (lambda candidate, reference: candidate / reference, "<="),
    "speed-up": (lambda candidate, reference: reference / candidate, ">="),
}
QUICK = 3  # turns
TURN = 0.02  # seconds


@dataclass(frozen=True)
class Case:
    """One claim, measured beside a reference in the same run.

    Parameters
    ----------
    name : str
        What is measured.
    reference : str
        What it is measured beside.
    setup : callable
        ``setup()`` gives two gauges, of the candidate and of the reference: functions without
        arguments that do the work once and return a number in seconds or bytes. Where both
        compute the same, `setup` checks that they do.
    target : float or None
        Bound of the figure, None where there is none; in `unit`, or times for a ratio.
    figure : {"value", "excess", "ratio", "speed-up"}
        The candidate itself, less the reference, divided by it, or the reference divided by it.
        A speed-up has to reach the target, all others have to stay within it.
    unit : str
        A key of `UNITS`.
    repeats : int
        How many times candidate and reference take turns.
    needs : str
        A package without which the case is left out.
    """

    name: str
    reference: str
    setup: Callable
    target: float | None = None
    figure: str = "value"
    unit: str = "ms"
    repeats: int = 21
    needs: str = "narxkit"

    @property
    def is_available(self):
        return importlib.util.find_spec(self.needs) is not None


@dataclass(frozen=True)
class Spread:
    """The least, the median and the greatest of repeated measurements."""

    min: float
    median: float
    max: float

    @classmethod
    def of(cls, samples):
        return cls(min(samples), median(samples), max(samples))


@dataclass(frozen=True)
class Outcome:
    """Measurements of a case, in its unit, and the figure of each turn."""

    case: Case
    candidate: Spread
    reference: Spread
    figure: Spread

    @property
    def is_met(self):
        """Whether the median figure keeps the target; None where there is no target."""
        target, (_, sense) = self.case.target, FIGURES[self.case.figure]
        if target is None:
            return None
        return self.figure.median <= target if sense == "<=" else self.figure.median >= target


def measure(case, quick=False):
    """Let candidate and reference take turns, after one turn that does not count."""
    candidate, reference = case.setup()
    candidate(), reference()
    turns = range(min(case.repeats, QUICK) if quick else case.repeats)
    scale = UNITS[case.unit]
    pairs = [(candidate() / scale, reference() / scale) for _ in turns]
    figure, _ = FIGURES[case.figure]
    figures = [figure(*pair) for pair in pairs]
    return Outcome(case, *(Spread.of(samples) for samples in (*zip(*pairs), figures)))


def stopwatch(function, per=1, clock="perf_counter"):
    """A gauge: seconds of a call by a clock of `time`, divided by the `per` items it works on.

    A turn is as many calls as fill `TURN` seconds, at least one, and counts their median: what a
    short call costs just after other work is not its usual cost.
    """
    now = getattr(time, clock)

    def call():
        start = now()
        function()
        return now() - start

    def turn():
        calls = [call()]
        while sum(calls) < TURN:
            calls.append(call())
        return median(calls) / per

    return turn


def constant(number):
    """A gauge of what needs no measuring, such as the size of an array."""
    return lambda: number
