"""Correct digits and iterations of Levenberg-Marquardt on NIST's 27 nonlinear regressions.

    python benchmarks/nist.py [--out benchmarks/results/nist.csv]

Digits are those of the worst parameter against the certified values (11 at most), from the far
start (1) and the near start (2).
"""

import argparse
import csv
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from narxkit.solvers import LevenbergMarquardt, Monitor

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests"))

from nist import FOLDER, MODELS, load  # noqa: E402

COLUMNS = ("problem", "start", "digits", "iterations", "stop")
MAX_ITER = 3000


def measure():
    """One row per problem and start."""
    for name in MODELS:
        problem = load(name)
        for number, start in enumerate(problem.starts, 1):
            monitor = Monitor(max_iter=MAX_ITER, tol=0)
            result = LevenbergMarquardt().solve(problem.objective, start, monitor)
            digits = round(problem.digits(result.theta), 1)
            yield dict(zip(COLUMNS, (name, number, digits, result.n_iter, result.stop.name)))


def show(rows):
    """Print the table: one line per problem, both starts side by side."""
    table = Table("problem", title="Levenberg-Marquardt on NIST StRD, default hyper-parameters")
    for heading in ("digits 1", "iterations 1", "digits 2", "iterations 2"):
        table.add_column(heading, justify="right")
    for far, near in zip(rows[::2], rows[1::2]):
        cells = (str(row[key]) for row in (far, near) for key in ("digits", "iterations"))
        table.add_row(far["problem"], *cells)
    table.add_section()
    reached = [sum(row["digits"] >= 4 for row in rows[start::2]) for start in (0, 1)]
    table.add_row("4 digits or more", f"{reached[0]} of 27", "", f"{reached[1]} of 27", "")
    Console().print(table)


def save(rows, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE / "results" / "nist.csv")
    out = parser.parse_args().out
    if not FOLDER.is_dir():
        sys.exit(f"The NIST files are not in {FOLDER}.")
    rows = list(measure())
    show(rows)
    save(rows, out)


if __name__ == "__main__":
    main()
