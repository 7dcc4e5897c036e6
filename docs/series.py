"""Write ``series.md``: what ``narxkit compare`` prints for every built-in series."""

import contextlib
import io
from pathlib import Path

from narxkit.cli import main
from narxkit.evaluation import TASKS

HEAD = """\
# The built-in series, model beside model

What `narxkit compare SERIES --models all` prints; `python docs/series.py` writes this page anew.
The multilayer perceptrons are trained over rollouts of 24 hours (`loop=24`), those of wind and
markets one step ahead, recurrent networks likewise, and all run freely from every origin, under
penalties chosen by blocks of the fitting period; where nothing passes the hidden layers, the row is
called linear. `AutoNARX`, the default for files of your own, is told the horizon and the bounds of
the output alone: lags, seasons, calendar and models are its own choice. Where a year lies between
fitting and test, it has no forecast before it has seen the rows that it reads, such as a week, and
rows are compared where all models have a forecast. One seed each: what ten seeds scatter by stands
in `benchmarks/results/rolling.csv` and `recurrent.csv`. All figures are from the test period, on
which nothing was chosen. Known ahead is what each table says; a **hindcast** is given something
that nobody knows ahead, and says so. Protocols S0, S1, W1, T1, T2 and FX: `narxkit/evaluation`.
Seconds are those of one run on a shared machine.
"""


def write(path):
    parts = [HEAD]
    for name, task in TASKS.items():
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            main(["compare", name, "--models", "all"])
        lines = (line.rstrip() for line in printed.getvalue().splitlines())
        parts.append(f"## {name}: {task.title}\n\n```text\n" + "\n".join(lines) + "\n```\n")
    path.write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    write(Path(__file__).with_name("series.md"))
