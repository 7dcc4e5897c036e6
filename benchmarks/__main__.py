"""Measure narxkit beside its references: tables on the screen and a CSV file for each.

Medians are compared of measurements that take turns, on one thread; a figure is followed by its
range. A target that is missed is shown and is no error.
"""

import argparse
from pathlib import Path

from rich.console import Console
from rich.live import Live
from threadpoolctl import threadpool_limits

from . import (
    accuracy,
    auto,
    cell_defaults,
    cells,
    competitions,
    defaults,
    evolution,
    genetic_search,
    hurst,
    interrupt,
    intervals,
    long_memory,
    many_series,
    memory,
    nist,
    peers,
    reading,
    recurrent,
    report,
    rolling,
    shelf,
    speed,
    startup,
    stochasticity,
    validity,
    yardsticks,
)

SUITES = {
    "speed": speed.SUITE,
    "memory": memory.SUITE,
    "startup": startup.SUITE,
    "reading": reading.SUITE,
    "nist": nist.SUITE,
    "shelf": shelf.SUITE,
    "interrupt": interrupt.SUITE,
    "intervals": intervals.SUITE,
    "cells": cells.SUITE,
    "rolling": rolling.SUITE,
    "accuracy": accuracy.SUITE,
    "defaults-monthly": defaults.MONTHLY,
    "defaults-hourly": defaults.HOURLY,
    "defaults-plants": defaults.PLANTS,
    "defaults-series": defaults.SERIES,
    "defaults-cells": cell_defaults.SUITE,
    "genetic-search": genetic_search.SUITE,
    "resumed": genetic_search.RESUMED,
    "competitions": competitions.SUITE,
    "yardsticks": yardsticks.SUITE,
    "auto": auto.SUITE,
    "validity": validity.SUITE,
    "hurst": hurst.COVERAGE,
    "hurst-speed": hurst.SPEED,
    "stochasticity": stochasticity.VERDICTS,
    "stochasticity-speed": stochasticity.SPEED,
    "recurrent": recurrent.SUITE,
    "recurrent-free-runs": recurrent.FREE_RUNS,
    "long-memory": long_memory.SUITE,
    "depth": long_memory.DEPTH,
    "many-series": many_series.SUITE,
    "many-series-m4": many_series.M4,
    "evolution-speed": evolution.THROUGHPUT,
    "evolution": evolution.WORTH,
}
PEERS = peers.SUITES  # measured only when asked for: they need packages that narxkit does not
HERE = Path(__file__).resolve().parent


def main(arguments=None):
    options = read(arguments)
    console = Console()
    console.print(report.machine(), style="dim", highlight=False)
    with threadpool_limits(1):
        for name, suite in chosen(options.names).items():
            run(suite, options.quick, options.out / f"{name}.csv", console)


def chosen(names):
    """Suites by name: all of narxkit's own without names; "peers" are all beside other packages."""
    wanted = [name for n in names or SUITES for name in (PEERS if n == "peers" else [n])]
    return {name: (SUITES | PEERS)[name] for name in wanted}


def run(suite, quick, path, console):
    """Measure one suite, show its table and write its file."""
    with Live(console=console, auto_refresh=False, transient=True) as line:  # without a thread
        rows = list(suite.rows(quick, lambda name: line.update(f"{name} ...", refresh=True)))
    if not rows:
        console.print(f"{suite.title}: left out, its files are not here.")
        return
    console.print(suite.table(rows))
    report.save(rows, path, suite.packages)


def read(arguments):
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__.splitlines()[0]
    )
    names = [*SUITES, "peers", *PEERS]
    what = f"what to measure: {', '.join(names)} ({', '.join(SUITES)})"
    parser.add_argument("names", nargs="*", metavar="name", help=what)
    parser.add_argument("--out", type=Path, default=HERE, help="folder of the CSV files")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in names]
    if unknown:
        parser.error(f"there is no {unknown[0]!r}: choose from {', '.join(names)}.")
    return options


if __name__ == "__main__":
    main()
