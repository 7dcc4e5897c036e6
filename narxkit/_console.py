"""Output of the command line: tables, progress, warnings and errors.

Tables are 80 columns wide where they fit; into a file goes plain text.
"""

import os
import re
import sys
import warnings
from contextlib import contextmanager, suppress
from math import isfinite
from textwrap import fill

from narxkit._progress import no_progress
from narxkit._words import printable

WIDTH = 80
MODEL_WIDTH = 15  # of a column of models
OFF = ", network off)"
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
# What callers in Python can do, in what a user of the command can
REMEDIES = (
    (
        r"loop_gain_ is (\S+): a small error of the output that is fed back grows .*",
        r"a small error that is fed back grows by a factor of \1 with each step. A chaotic system "
        r"or a growing series does that; of any other fewer lags make it smaller.",
    ),
    (
        r"training ended with loop=.*",
        "the network is trained on short rollouts only, as long ones diverge: fewer lags may help.",
    ),
    (
        r"fill gaps with rows of missing values \(NaN\)(, such as .*? makes)?, or use",
        "fill the gaps in the file, or give",
    ),
    (
        r"the backtests have no target in common: .*",
        "no row of the test has both a value and a forecast of each model: too many values are "
        "missing at the end.",
    ),
    (
        r"^.*(SVD did not converge|[Ss]ingular matrix).*$",
        "least squares do not converge: the numbers are too large, too small or too far apart; "
        "give them in another unit.",
    ),
    (r"if the clock is that of a week, use y\.asfreq.*? or else ", ""),
    (r"numbers in place of times where", "--time none where"),
    (
        r"of X in the (\d+) rows after (.*?): give them as forecast\(X=\.\.\.\), or use lags .*",
        r"in the \1 rows after \2: add rows with them and an empty target to the end of the file.",
    ),
    (r"keep one row of each, for example by frame\.drop_duplicates.*", "keep one row of each."),
    (r", or bring them to one by groupby and resample", ", in a file of their own"),
    (r"calendar\['holiday'\] names", "--holidays names"),
    (r"calendar names the field 'holiday', which", "--holidays names days, a field that"),
    (r"holidays=.* are looked up by day", "--holidays are looked up by day"),
    (
        r"give X or y (a DatetimeIndex or a PeriodIndex|such an index), or (cal\w+|holidays)=None",
        "give a file with a column of times, or leave out --holidays",
    ),
    (r"give more rows to update\(X, y\), or rows of missing values \(NaN\) .*", "give more rows."),
)
# Parameters as sentences of the library name them; one without "=" must be no English word
PARAMETER = re.compile(
    r"\bheader=False\b|\btime=False\b|\bone_for_all=True\b|\b(known_future|max_lag)\b=?"
    r"|\b(encoding|horizon|id|inputs|lags|level|missing|out|plot|target|time)="
)
SWITCHES = {
    "one_for_all=True": "--global",
    "header=False": "--no-header",
    "time=False": "--time none",
}
MOST_WRITTEN = 1e15  # beyond, a number is written with its power of ten
LONGEST_LINE = 2000  # letters of an error, such as one that names thousands of columns
PLACES = {"fit s": 2, "DM": 2, "hits %": 1, "band 2.5 %": 1, "band 97.5 %": 1}


def show_evaluation(evaluation, interval=False):
    """Print the table of an evaluation and the sentences to read it by."""
    from narxkit.evaluation import decimals

    table = evaluation.table(interval)
    if "ratio 2.5 %" in table:  # makes room for the interval
        table = table.drop(columns=["MAE", "skill vs persistence"], errors="ignore")
    errors = table.filter(like="RMSE")
    size = decimals(max(errors.min().min(), 1e-2 * errors.max().max()), digits=3)
    step = evaluation.task.step
    headers = ["\nmodel", *(_header(name, step) for name in table)]
    places = [size if name.startswith(("RMSE", "MAE")) else PLACES.get(name, 3) for name in table]
    rows = [
        [_in_lines(str(name)), *(_number(value, n) for value, n in zip(row, places))]
        for name, row in zip(table.index, table.to_numpy())
    ]
    bold = list(table.index).index(evaluation.chosen)
    show_table(evaluation.task.heading, headers, rows, ["", *evaluation.notes(interval)], bold)


def show_forecasts(forecasts, frame):
    """Print forecasts side by side, the first rows if there are many, and why by these models."""
    from narxkit.evaluation import decimals, heading
    from narxkit.files import label_writer

    shown = frame if len(frame) <= MOST_ROWS else frame.iloc[:24]
    # a forecast, its intervals and its error, target by target
    each = frame.shape[1] // len(forecasts)
    sizes = [decimals(frame[name].abs().max(), digits=4) for name in frame.columns[::each]]
    places = [size for size in sizes for _ in range(each)]
    last = each - 1
    headers = [frame.index.name, *(c if i % each < last else "RMSE" for i, c in enumerate(frame))]
    write = label_writer(forecasts[0].evaluation.y.index)
    rows = [
        [write(label), *(_number(value, n) for value, n in zip(row, places))]
        for label, row in zip(shown.index, shown.to_numpy())
    ]
    why = [sentence for each in forecasts for sentence in (each.reason, each.about) if sentence]
    notes = ["", *why, "RMSE: the error of forecasts of the same horizon in the test."]
    if len(shown) < len(frame):
        notes.append(f"{len(frame) - len(shown):,} rows follow: --out FILE writes all.")
    show_table(heading(forecasts), headers, rows, notes)


def show_continued(found):
    """Print the forecast of a saved model, the first rows if there are many."""
    from narxkit.files import label_writer

    write = label_writer(found.history.index)
    _show_rows(found, [found.y_hat.index.name], lambda label: [write(label)])


def show_many(found):
    """Print the forecasts of many series, the first rows if there are many."""
    from narxkit.files import label_writer

    write = label_writer(found.y_hat.index.levels[1])
    _show_rows(found, found.y_hat.index.names, lambda label: [label[0], write(label[1])])


def _show_rows(found, names, cells_of):
    """Print forecasts under labels that make cells of some columns."""
    from narxkit.evaluation import decimals

    frame = found.y_hat
    shown = frame if len(frame) <= MOST_ROWS else frame.iloc[:24]
    places = [decimals(frame[name].abs().max(), digits=4) for name in frame]
    rows = [
        [*cells_of(label), *(_number(value, n) for value, n in zip(row, places))]
        for label, row in zip(shown.index, shown.to_numpy())
    ]
    notes = ["", *found.notes]
    if len(shown) < len(frame):
        notes.append(f"{len(frame) - len(shown):,} rows follow: --out FILE writes all.")
    show_table(found.heading, [*names, *frame], rows, notes)


def show_result(title, result, advice=()):
    """Print the sentence of a diagnostic, advice on it, and its figures beside what they mean."""
    from rich.table import Table

    figures = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(3):
        figures.add_column(overflow="fold")  # a name too long for a line
    for figure in result.figures:
        figures.add_row(*map(plain, figure))
    show_lines([title], style="bold")
    show_lines([result.sentence, *advice, ""])
    _print(make_console(), figures)


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
    headers, *rows = [[plain(cell) for cell in row] for row in (headers, *rows)]
    for i, header in enumerate(headers):
        table.add_column(header, justify="right" if i else "left", no_wrap=True)
    for i, row in enumerate(rows):
        table.add_row(*row, style="bold" if i == bold else None)
    widths = (max(map(_width, column)) + 2 for column in zip(headers, *rows))
    console = make_console(sum(widths))
    _print(console, plain(title or ""), style="bold")
    _print(console, table)
    show_lines(notes, style="dim")


def show_lines(lines, style=None, **kwargs):
    """Print sentences, each on lines of its own."""
    console = make_console()
    for line in lines:
        _print(console, plain(line), style=style, **kwargs)


def plain(text):
    """Write what would command a terminal, in a name or a cell of a file, as an escape.

    Parameters
    ----------
    text : object
        The text to be shown.

    Returns
    -------
    str
        The text, on its lines, without control characters.

    Examples
    --------
    >>> print(plain("load\x1b]0;title\x07"))
    load\\x1b]0;title\\x07
    """
    return "\n".join(map(printable, str(text).split("\n")))


def make_console(needed=0):
    """Make a console at least as wide as needed: cut figures are worse than broken lines."""
    from rich.console import Console

    class Plain(Console):
        def on_broken_pipe(self):
            raise  # to main, which knows the exit code

    console = Plain(highlight=False, markup=False, emoji=False)  # names may look like either
    console.width = max(min(console.width, 2 * WIDTH), WIDTH, needed)
    return console


def _print(console, renderable, **kwargs):
    with _named_output():
        console.print(renderable, **kwargs)


def flush():
    """See that all is printed."""
    with _named_output():
        sys.stdout.flush()


@contextmanager
def _named_output():
    """Name standard output in an error that comes from it."""
    try:
        yield
    except OSError as error:
        error.filename = "standard output"
        raise


def drop_output():
    """Drop what standard output cannot take, or Python tries again, and complains, at its end."""
    try:
        sys.stdout.flush()
    except OSError:
        with suppress(OSError):  # it is no file
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def open_streams():
    """Open streams that the caller closed, and print ``?`` for letters that the output lacks.

    A file that is opened later would take the number of a closed stream, and be written to.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a terminal without ² shows ? instead


def _width(cell):
    return max(map(len, cell.split("\n")))


def _in_lines(name):
    """Break the name of networks that are off, so that their table stays narrow."""
    if not name.endswith(OFF):
        return name
    kinds = fill(name.removesuffix(OFF) + ",", MODEL_WIDTH, subsequent_indent=" ")
    return f"{kinds}\n{OFF[1:]}"


def _header(name, step):
    """Return the two header lines of a column."""
    if name.startswith("RMSE h="):
        n = name.removeprefix("RMSE h=")
        if n == "1" and step in ("rows", "steps"):
            step = step[:-1]
        return f"RMSE\n{n} {step}"
    return HEADERS[name]


def _number(value, places):
    if not isfinite(value):
        return ""
    return f"{value:.{places}f}" if abs(value) < MOST_WRITTEN else f"{value:.4g}"


@contextmanager
def progress_shown():
    """Show a bar on stderr while the work proceeds; nothing where stderr is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield no_progress
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("reading")

        def show(text, done, total):
            bar.update(task, description=plain(text), completed=done, total=total)

        yield show


@contextmanager
def plain_warnings():
    """Print each warning once, as one line without the place in the source."""
    seen = set()

    def show(message, *_):
        if str(message) not in seen:
            seen.add(str(message))
            complain(f"warning: {message}")

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


def complain(message, code=2):
    """Print one line on stderr, in words of the command, and return the exit code."""
    line = in_options(" ".join(str(message).split()))
    if len(line) > LONGEST_LINE:
        line = f"{line[: LONGEST_LINE // 2]} ... {line[-LONGEST_LINE // 2 :]}"
    with suppress(OSError):  # nowhere is left to say it
        print(f"narxkit: {plain(line)}", file=sys.stderr)
    return code


def in_options(sentence):
    """Write a sentence of the library in words of the command.

    Parameters
    ----------
    sentence : str
        An error, a warning or a note.

    Returns
    -------
    str
        The same with options for parameters, and with what a user of the command can do.

    Examples
    --------
    >>> in_options("add a header line, or read it with header=False.")
    'add a header line, or read it with --no-header.'
    """
    for pattern, words in REMEDIES:
        sentence = re.sub(pattern, words, sentence)
    return PARAMETER.sub(_option, sentence)


def _option(match):
    """Write a parameter of the library as the option of the command: "--max-lag " of "max_lag="."""
    parameter = match[0]
    option = "--" + parameter.replace("_", "-").replace("=", " ")
    return SWITCHES.get(parameter, option)
