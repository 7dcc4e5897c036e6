"""Memory: what an iteration of training takes beyond its data and J'J."""

import subprocess
import sys
import tracemalloc
from functools import partial
from pathlib import Path

from threadpoolctl import threadpool_limits

from .harness import Case, constant
from .report import Suite
from .speed import ROWS, iterate, training_problem

ROOT = Path(__file__).resolve().parents[1]
PROCESS = Path("/proc/self")  # Linux only
DOUBLE = 8


def traced_peak(function):
    """Bytes that a call holds at its peak, as Python and NumPy allocate them."""
    tracemalloc.start()
    function()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def allocated(n_rows):
    """A gauge: bytes of an iteration beyond the data and one J'J."""
    objective, theta = training_problem(n_rows)
    normal_matrix = DOUBLE * objective.n_params**2
    return lambda: traced_peak(lambda: iterate(objective, theta)) - normal_matrix


def resident(n_rows):
    """The same as the growth of resident memory in a fresh process: BLAS's buffers count too."""
    return in_fresh_process("memory import growth", f"growth({n_rows})")


def in_fresh_process(imports, call):
    """A gauge: the bytes that a call of a module of benchmarks answers there."""
    command = f"from benchmarks.{imports}; print({call})"

    def gauge():
        answer = subprocess.run(
            [sys.executable, "-c", command], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
        )
        return int(answer.stdout)

    return gauge


def growth(n_rows):
    """Bytes by which an iteration raises this process's peak, beyond the data and one J'J."""
    objective, theta = training_problem(n_rows)
    (PROCESS / "clear_refs").write_text("5")  # the peak begins anew
    before = status("VmRSS")
    with threadpool_limits(1):
        iterate(objective, theta)
    return status("VmHWM") - before - DOUBLE * objective.n_params**2


def status(field):
    """A field of the process's status, in bytes."""
    for line in (PROCESS / "status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return 1024 * int(line.split()[1])
    raise LookupError(f"the status of the process has no field {field}.")


def beside_jacobian(gauge, n_rows):
    """An iteration, and the Jacobian that it never stores."""
    n_params = training_problem(1)[0].n_params
    return gauge(n_rows), constant(DOUBLE * n_rows * n_params)


def beside_fewer_rows(gauge):
    """An iteration over ten times the rows, and over the rows."""
    return gauge(10 * ROWS), gauge(ROWS)


def cases(kind, gauge):
    """Two claims: little memory, and no more of it for more rows."""
    return [
        Case(
            f"{kind} memory of an iteration, 8,760 rows",
            "its whole Jacobian",
            partial(beside_jacobian, gauge, ROWS),
            target=16,
            unit="MB",
            repeats=3,
        ),
        Case(
            f"{kind} memory of an iteration, 87,600 rows",
            "8,760 rows",
            partial(beside_fewer_rows, gauge),
            target=1.05,
            figure="ratio",
            unit="MB",
            repeats=3,
        ),
    ]


SUITE = Suite(
    "Memory of training beyond the data and J'J, 741 weights",
    cases("allocated", allocated) + (cases("resident", resident) if PROCESS.exists() else []),
)
