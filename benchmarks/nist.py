"""Accuracy: Levenberg-Marquardt on NIST's 27 nonlinear regressions.

Digits are those of the worst parameter against the certified values (11 at most), from the far
start (1) and the near start (2).
"""

import sys
from pathlib import Path

from rich.table import Table

from narxkit.solvers import LevenbergMarquardt, Monitor

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

from nist import FOLDER, MODELS, load  # noqa: E402

COLUMNS = ("problem", "start", "digits", "iterations", "stop")
MAX_ITER = 3000
DIGITS = 4
TARGETS = (25, 27)  # of 27 problems, from the far and from the near start


class NistSuite:
    """The 27 problems from both starts, with the verbs of `report.Suite`."""

    title = "Levenberg-Marquardt on NIST StRD, default hyper-parameters"
    packages = ()

    def rows(self, quick, announce):
        """One dict per problem and start; none where the files are not there."""
        for name in MODELS if FOLDER.is_dir() else ():
            announce(name)
            problem = load(name)
            for number, start in enumerate(problem.starts, 1):
                yield dict(zip(COLUMNS, (name, number, *solve(problem, start))))

    def table(self, rows):
        """One line per problem, both starts side by side, and how many reached the target."""
        table = Table("problem", title=self.title)
        for heading in ("digits 1", "iterations 1", "digits 2", "iterations 2"):
            table.add_column(heading, justify="right")
        for far, near in zip(rows[::2], rows[1::2]):
            values = (str(row[key]) for row in (far, near) for key in ("digits", "iterations"))
            table.add_row(far["problem"], *values)
        table.add_section()
        far, near = (verdict(rows[i::2], TARGETS[i]) for i in (0, 1))
        table.add_row(f"{DIGITS} digits or more", far, "", near, "")
        return table


def solve(problem, start):
    """Digits, iterations and ending."""
    monitor = Monitor(max_iter=MAX_ITER, tol=0)
    result = LevenbergMarquardt().solve(problem.objective, start, monitor)
    return round(problem.digits(result.theta), 1), result.n_iter, result.stop.name


def verdict(rows, target):
    reached = sum(row["digits"] >= DIGITS for row in rows)
    return f"{reached} of {len(rows)} (target {target})"


SUITE = NistSuite()
