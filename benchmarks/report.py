"""Tables on the screen and CSV files."""

import csv
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from rich.table import Table
from threadpoolctl import threadpool_info

from .harness import FIGURES, measure

NEEDED = ("numpy", "scipy", "scikit-learn")
SPREAD = ("min", "median", "max")
COLUMNS = (
    "case",
    "reference_name",
    "unit",
    *(f"{kind}_{name}" for kind in ("candidate", "reference", "figure") for name in SPREAD),
    "figure",
    "target",
    "met",
)


class Suite:
    """Cases that make one table and one file.

    Parameters
    ----------
    title : str
        Heading of the table.
    cases : sequence of Case
    packages : sequence of str
        Packages whose versions its file tells, beside those that narxkit needs itself.
    """

    def __init__(self, title, cases, packages=()):
        self.title = title
        self.cases = tuple(cases)
        self.packages = packages

    def rows(self, quick, announce):
        """Measure, one dict per case; a case whose package is missing has no figures."""
        for case in self.cases:
            announce(case.name)
            yield row(measure(case, quick)) if case.is_available else unavailable(case)

    def table(self, rows):
        """One line per case: medians, the figure with its range, the target."""
        table = Table("case", "beside", title=self.title)
        for heading in ("narxkit", "reference", "figure (min to max)", "target", "met"):
            table.add_column(heading, justify="right")
        for row in rows:
            table.add_row(*cells(row))
        return table


def row(outcome):
    """An outcome as a row of the file."""
    case = outcome.case
    spreads = {
        f"{kind}_{name}": f"{getattr(getattr(outcome, kind), name):.4g}"
        for kind in ("candidate", "reference", "figure")
        for name in SPREAD
    }
    met = {True: "yes", False: "no", None: ""}[outcome.is_met]
    return label(case) | spreads | {"met": met}


def unavailable(case):
    return dict.fromkeys(COLUMNS, "") | label(case) | {"met": f"needs {case.needs}"}


def label(case):
    return {
        "case": case.name,
        "reference_name": case.reference,
        "unit": case.unit,
        "figure": case.figure,
        "target": "" if case.target is None else f"{case.target:g}",
    }


def cells(row):
    """A row of the file as a line of the table."""
    unit = row["unit"]
    if not row["figure_median"]:
        return row["case"], row["reference_name"], "", "", "", target(row), row["met"]
    least, middle, most = (short(row[f"figure_{name}"]) for name in SPREAD)
    return (
        row["case"],
        row["reference_name"],
        f"{short(row['candidate_median'])} {unit}",
        f"{short(row['reference_median'])} {unit}",
        f"{middle} {figure_unit(row)} ({least} to {most})",
        target(row),
        row["met"],
    )


def target(row):
    if not row["target"]:
        return ""
    return f"{FIGURES[row['figure']][1]} {row['target']} {figure_unit(row)}"


def figure_unit(row):
    return row["unit"] if row["figure"] in ("value", "excess") else "x"


def short(number):
    """Three digits, without an exponent."""
    number = float(number)
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"


def save(rows, path, packages=()):
    """Write rows, under one comment line that says where and beside what they were measured."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        file.write(f"# {machine(packages)}\n")
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def machine(packages=()):
    """Processor and versions, in one line."""
    pools = threadpool_info()
    blas = {f"{p['internal_api']} {p['version']}" for p in pools if p["user_api"] == "blas"}
    parts = (
        f"{processor()}, {os.cpu_count()} cores, one thread used",
        f"{platform.system()}, Python {platform.python_version()}",
        ", ".join(map(versioned, (*NEEDED, *packages))),
        ", ".join(sorted(blas)),
    )
    return "; ".join(parts)


def versioned(package):
    """A package and its version."""
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"{package} missing"


def processor():
    """The processor's name, where the system tells it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
