"""Ctrl-C: how long a fit goes on after it, for every solver, and what is left then.

Every fit would go on for hours; it runs in a process of its own and is interrupted from here, a
second or more after it began. Restarts run in two threads: the first goes on where a short fit
ended, the others begin one step ahead.
"""

import multiprocessing
import os
import signal
import time
import warnings

import numpy as np
from rich.table import Table

from narxkit import NARX
from narxkit.datasets import make_narendra
from narxkit.solvers import SOLVERS, Stop

COLUMNS = (
    "solver",
    "loop",
    "restarts",
    "hidden",
    "wait_median_s",
    "wait_max_s",
    "as_promised",
    "met",
)
ROWS = 20_000
FOREVER = 10**6  # iterations
REPEATS = 3
FIRST, APART = 1.0, 0.137  # seconds into the fit
TARGET = 0.5  # seconds
HEADINGS = ("restarts", "hidden", "median wait, s", f"longest (<= {TARGET})", "as promised", "met")
KINDS = (  # loop, restarts, hidden units: 116 weights or 908, whose kernels take a second
    ("open", 1, 12),
    ("closed", 1, 12),
    ("closed", 4, 12),
    ("open", 1, 100),
    ("closed", 1, 100),
)


def interrupted_fits(connection, solver, loop, n_restarts, hidden, n_rows):
    """The process that is interrupted: tells when a fit begins, and what its end is like."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    warnings.simplefilter("ignore", RuntimeWarning)
    u, y = make_narendra(n_rows, random_state=0)
    model = NARX(2, 4, (hidden,), loop=loop, solver=solver, tol=0, random_state=0)
    model.set_params(alpha=1e-4, linear_alpha=0.0)  # what is endless is training, not choosing
    model.set_params(max_iter=2).fit(u, y)  # from here rollouts are smooth
    model.set_params(max_iter=FOREVER, warm_start=True, n_restarts=n_restarts, n_jobs=2)
    while connection.recv():
        connection.send("begun")
        exec("model.fit(u, y)")  # a statement of its own, as at a prompt
        connection.send(time.monotonic())
        connection.send(is_as_promised(model, u, y))


def is_as_promised(model, u, y):
    """Whether the fit says that it was interrupted, kept its best, and can predict.

    Interrupted before it first knew its loss, it keeps its start.
    """
    return bool(
        model.stop_ is Stop.INTERRUPTED
        and not model.loss_ > min(model.loss_curve_)
        and np.isfinite(model.simulate(u[:50], y[:4])[4:]).all()
    )


def measure(solver, loop, n_restarts, hidden, repeats=REPEATS, n_rows=ROWS, first=FIRST):
    """Seconds from each interrupt to the end of its fit, and whether all ends were as promised."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    arguments = (theirs, solver, loop, n_restarts, hidden, n_rows)
    process = context.Process(target=interrupted_fits, args=arguments)
    process.start()
    theirs.close()  # so that the end of the process is seen
    waits, promised = [], []
    for i in range(repeats):
        ours.send(True)
        ours.recv()
        time.sleep(first + APART * i)
        sent = time.monotonic()
        os.kill(process.pid, signal.SIGINT)
        waits.append(ours.recv() - sent)
        promised.append(ours.recv())
    ours.send(False)
    process.join()
    return waits, all(promised)


class InterruptSuite:
    """Every solver in open and closed loop, with the verbs of `report.Suite`."""

    title = f"Ctrl-C during a fit, {ROWS:,} rows, 4 + 3 taps"
    packages = ()

    def rows(self, quick, announce):
        """One dict per solver and loop."""
        for solver in SOLVERS:
            for kind in KINDS:
                announce(", ".join(map(str, (solver, *kind))))
                waits, is_kept = measure(solver, *kind, 1 if quick else REPEATS)
                is_met = is_kept and max(waits) <= TARGET
                figures = (f"{np.median(waits):.3f}", f"{max(waits):.3f}")
                words = ("yes" if flag else "no" for flag in (is_kept, is_met))
                yield dict(zip(COLUMNS, (solver, *map(str, kind), *figures, *words)))

    def table(self, rows):
        """One line per solver and loop."""
        table = Table("solver", "loop", title=self.title)
        for heading in HEADINGS:
            table.add_column(heading, justify="right")
        for row in rows:
            table.add_row(*row.values())
        return table


SUITE = InterruptSuite()
