"""What the command line shows: tables, progress, warnings and errors.

Tables are 80 columns wide where they fit; into a file goes plain text.
"""

import sys
import warnings
from contextlib import contextmanager

WIDTH = 80
MOST_ROWS = 48

HEADERS = {
    "RMSE": "\nRMSE",
    "RMSE mean": "RMSE\nmean",
    "MAE": "\nMAE",
    "skill vs persistence": "skill\npers.",
    "skill vs naive": "skill\nnaive",
    "ratio to ridge": "ratio\nridge",
    "ratio 2.5 %": "ratio\nlow",
    "ratio 97.5 %": "ratio\nhigh",
    "ratio to random walk": "ratio\nwalk",
    "DM": "\nDM",
    "p": "\np",
    "hits %": "hits\n%",
    "band 2.5 %": "band\nlow",
    "band 97.5 %": "band\nhigh",
    "fit s": "fit\ns",
}
PLACES = {"fit s": 2, "DM": 2, "hits %": 1, "band 2.5 %": 1, "band 97.5 %": 1}


def show_study(study, interval=False):
    """Print the table of a study and the sentences to read it by."""
    from narxkit.study import decimals

    table = study.table(interval)
    if interval:  # makes room for it
        table = table.drop(columns=["MAE", "skill vs persistence"], errors="ignore")
    errors = table.filter(like="RMSE").to_numpy()
    size = decimals(max(errors.min(), 1e-2 * errors.max()), digits=3)
    step = study.task.step
    headers = ["\nmodel", *(_header(name, step) for name in table)]
    places = [size if name.startswith(("RMSE", "MAE")) else PLACES.get(name, 3) for name in table]
    rows = [
        [str(name), *(_number(value, n) for value, n in zip(row, places))]
        for name, row in zip(table.index, table.to_numpy())
    ]
    bold = list(table.index).index(study.chosen)
    show_table(study.task.heading, headers, rows, ["", *study.notes(interval)], bold)


def show_forecasts(outlooks, frame):
    """Print forecasts side by side, the first rows if there are many, and why by these models."""
    from narxkit.study import decimals, heading, label_writer

    shown = frame if len(frame) <= MOST_ROWS else frame.iloc[:24]
    sizes = [decimals(frame[name].abs().max(), digits=4) for name in frame.columns[::2]]
    places = [size for size in sizes for _ in range(2)]
    headers = [frame.index.name, *(c if i % 2 == 0 else "RMSE" for i, c in enumerate(frame))]
    write = label_writer(outlooks[0].study.y.index)
    rows = [
        [write(label), *(_number(value, n) for value, n in zip(row, places))]
        for label, row in zip(shown.index, shown.to_numpy())
    ]
    reasons = [outlook.reason for outlook in outlooks]
    notes = ["", *reasons, "RMSE: the error of forecasts of the same horizon in the test."]
    if len(shown) < len(frame):
        notes.append(f"{len(frame) - len(shown):,} rows follow: --out FILE writes all.")
    show_table(heading(outlooks), headers, rows, notes)


def show_result(title, result, advice=()):
    """Print the sentence of a diagnostic, advice on it, and its figures beside what they mean."""
    from rich.table import Table
    from rich.text import Text

    figures = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(3):
        figures.add_column(overflow="fold")  # a name too long for a line
    for figure in result.figures:
        figures.add_row(*map(Text, figure))
    console = make_console()
    console.print(title, style="bold", markup=False)
    show_lines([result.sentence, *advice, ""])
    console.print(figures)


def show_table(title, headers, rows, notes=(), bold=None):
    """Print a table of text, the first column to the left and the others to the right."""
    from rich import box
    from rich.table import Table

    table = Table(
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        show_edge=False,
    )
    for i, header in enumerate(headers):
        table.add_column(header, justify="right" if i else "left", no_wrap=True)
    for i, row in enumerate(rows):
        table.add_row(*row, style="bold" if i == bold else None)
    widths = (max(map(_width, column)) + 2 for column in zip(headers, *rows))
    console = make_console(sum(widths))
    console.print(title or "", style="bold", markup=False)
    console.print(table)
    show_lines(notes, style="dim")


def show_lines(lines, style=None):
    """Print sentences, each on lines of its own."""
    console = make_console()
    for line in lines:
        console.print(line, style=style, markup=False)


def make_console(needed=0):
    """A console at least as wide as needed: cut figures are worse than broken lines."""
    from rich.console import Console

    console = Console(highlight=False)
    console.width = max(min(console.width, 2 * WIDTH), WIDTH, needed)
    return console


def _width(cell):
    return max(map(len, cell.split("\n")))


def _header(name, step):
    """Two lines for a column."""
    if name.startswith("RMSE h="):
        return f"RMSE\n{name.removeprefix('RMSE h=')} {step}"
    return HEADERS[name]


def _number(value, places):
    return "" if value != value else f"{value:.{places}f}"


@contextmanager
def progress_shown():
    """A bar on stderr while the work proceeds; nothing where stderr is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda text, done, total: None
        return
    columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("reading")
        yield lambda text, done, total: bar.update(
            task, description=text, completed=done, total=total
        )


@contextmanager
def plain_warnings():
    """Warnings as one line each, without the place in the source, the same one once."""
    seen = set()

    def show(message, *_):
        if str(message) not in seen:
            seen.add(str(message))
            complain(f"warning: {message}")

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


def complain(message, code=2):
    """Print one line on stderr; the exit code."""
    print(f"narxkit: {' '.join(str(message).split())}", file=sys.stderr)
    return code
