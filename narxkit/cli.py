"""The command ``narxkit``: it reads arguments, lets a study do the work, and prints.

Everything heavy is imported when it is needed, so that ``narxkit --help`` answers at once.
"""

import argparse
import os
import sys
import warnings
from contextlib import contextmanager
from pathlib import Path

import narxkit

__all__ = ["main"]

WIDTH = 80

ABOUT = """\
Forecast time series with networks that feed their own output back (NARX).

Begin with a shipped series: a network is trained on one year, forecasts every
hour of another, and is compared with what any forecast must beat.
"""
EXAMPLES = """\
examples:
  narxkit forecast solar                        the table, in a few seconds
  narxkit forecast solar --plot forecast.png    with a picture
  narxkit forecast solar --out forecast.csv     with all forecasts in a file
  narxkit forecast --help                       what the table and files hold

Your own series are forecast in Python: from narxkit import NARX
"""
FORECAST = """\
Train a network and the baselines on a shipped series, forecast its test period
from every origin without refitting, and print how well they did.

series:
  solar    hourly irradiance in Colorado, W/m2: trained on 2017, tested on 2023
"""
COLUMNS = """\
the table, one row per model:
  RMSE     root mean squared error 1, 8 and 24 steps ahead, and the mean over
           all horizons, in the unit of the series
  MAE      mean absolute error over all horizons
  skill    1 - mean RMSE / that of a reference, where above 0 is better:
           pers.   persistence: the last value stays
           naive   the better, at each horizon, of persistence and seasonal
                   naive, the value one day ago
  ratio    mean RMSE / that of ridge ARX, the linear model: below 1 is better
  fit      seconds of training

--out writes every forecast of every model, a row for each origin and horizon:
  origin (the last known time), horizon, time (the one forecast), the value
  measured, and a column for each model. A name ending in .gz is compressed.
--plot draws a week of history with one forecast and what really happened, and
  RMSE by horizon beside it. The forecast shown is the network's median one by
  error, of those from midnight. The ending of the name chooses the format.
"""
SKILL = (
    "Skill: 1 - mean RMSE / that of persistence (pers.), or of the better of it and seasonal "
    "naive at each horizon (naive). Ratio: mean RMSE / that of ridge ARX."
)


def main(argv=None):
    """Run the command line.

    Parameters
    ----------
    argv : list of str, default=None
        Arguments; by default those of the process.

    Returns
    -------
    int
        Exit code: 0, or 2 after an error, or 130 after Ctrl-C.

    Examples
    --------
    >>> from narxkit.cli import main
    >>> main(["forecast", "sonar"])
    2
    """
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a terminal without ² shows ? instead
    parser = make_parser()
    args = parser.parse_args(argv)
    if args.command is None:
        parser.print_help()
        return 0
    try:
        with plain_warnings():
            args.command(args)
            sys.stdout.flush()
    except KeyboardInterrupt:
        return complain("interrupted.", code=130)
    except BrokenPipeError:  # such as `narxkit ... | head`; nothing more can be printed
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        reason = error.strerror or str(error)
        return complain(f"cannot use {error.filename}: {reason}." if error.filename else reason)
    except (ImportError, ValueError) as error:
        return complain(error)
    return 0


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def __init__(self, **kwargs):
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs)

    def error(self, message):
        self.exit(complain(f"{message} (see {self.prog} --help)"))


def make_parser():
    """Declare commands and options."""
    parser = Parser(prog="narxkit", description=ABOUT, epilog=EXAMPLES)
    parser.set_defaults(command=None)
    parser.add_argument("--version", action="version", version=f"narxkit {narxkit.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    command = commands.add_parser(
        "forecast",
        help="train on a shipped series, forecast, and compare with baselines",
        description=FORECAST,
        epilog=COLUMNS,
    )
    command.set_defaults(command=forecast)
    command.add_argument("series", metavar="SERIES", help="name of a shipped series")
    command.add_argument("--out", metavar="FILE", type=Path, help="write all forecasts as CSV")
    command.add_argument("--plot", metavar="FILE", type=Path, help="draw forecast and errors")
    command.add_argument(
        "--seed", metavar="N", type=seed, default=0, help="seed of the network (default: 0)"
    )
    return parser


def seed(text):
    """Read a seed."""
    if not text.isdecimal() or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(f"must be an int in the range [0, 2**32). Got {text!r}.")
    return int(text)


def forecast(args):
    """Run the study of a series, print its table, and write its files."""
    from narxkit import study

    task = study.find_task(args.series)
    check_files(args.out, args.plot)
    with progress_shown() as progress:
        result = study.run(task, args.seed, progress)
        if args.out:
            progress(f"writing {args.out}", 0, 1)
            with whole(args.out) as path:
                result.to_csv(path)
        if args.plot:
            progress(f"drawing {args.plot}", 0, 1)
            with whole(args.plot) as path:
                result.plot().savefig(path)
    show_table(result)
    written = [str(path) for path in (args.out, args.plot) if path]
    if written:
        print(f"Written: {', '.join(written)}.")


@contextmanager
def whole(path):
    """A name to write to that becomes `path` when all is written, and vanishes otherwise."""
    part = path.with_name(f".part-{path.name}")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def check_files(out, plot):
    """Refuse files that could not be written, before the work starts."""
    for path in filter(None, (out, plot)):
        if path.is_dir():
            raise ValueError(f"cannot write {path}: it is a folder; give the name of a file.")
        if not path.parent.is_dir():
            raise ValueError(f"cannot write {path}: there is no folder {path.parent}.")
    if plot:
        from narxkit.plotting import load_matplotlib

        known = load_matplotlib("backend_bases").FigureCanvasBase.get_supported_filetypes()
        if plot.suffix.lower().lstrip(".") not in known:
            raise ValueError(f"cannot draw {plot}: give a name that ends in .png, .pdf or .svg.")


def show_table(result):
    """Print the table of a study, 80 columns wide at most."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from narxkit.study import decimals

    table = result.skill_table()
    size = decimals(table["RMSE mean"].min(), digits=3)
    shown = Table(
        title=f"{result.task.title}, {result.task.unit}",
        caption="\n".join(["", SKILL, result.protocol, result.task.why]),
        title_justify="left",
        caption_justify="left",
        title_style="bold",
        caption_style="dim",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        show_edge=False,
    )
    shown.add_column("\nmodel", no_wrap=True)
    for name in table.columns:
        shown.add_column(short_header(name, result.task), justify="right", no_wrap=True)
    for name, row in table.iterrows():
        cells = (f"{value:.{places(column, size)}f}" for column, value in row.items())
        shown.add_row(str(name), *cells, style="bold" if name == result.network else None)
    console = Console(highlight=False)
    console.width = max(console.width, WIDTH)  # cut figures would be worse than broken lines
    console.print(shown)


def short_header(name, task):
    """Two lines for a column of the skill table."""
    if name.startswith("RMSE h="):
        return f"RMSE\n{name.removeprefix('RMSE h=')} {task.step}"
    return {
        "RMSE mean": "RMSE\nmean",
        "MAE": "\nMAE",
        "skill vs persistence": "skill\npers.",
        "skill vs naive": "skill\nnaive",
        "ratio to ridge": "ratio\nridge",
        "fit s": "fit\ns",
    }[name]


def places(column, size):
    """Decimals of a column of the skill table."""
    if column.startswith(("RMSE", "MAE")):
        return size
    return 2 if column == "fit s" else 3


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
    """Warnings as one line each, without the place in the source."""
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_: complain(f"warning: {message}")
        yield


def complain(message, code=2):
    """Print one line on stderr; the exit code."""
    print(f"narxkit: {' '.join(str(message).split())}", file=sys.stderr)
    return code
