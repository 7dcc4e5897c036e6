"""The command ``narxkit``: it reads arguments, lets an evaluation do the work, and prints.

Everything heavy is imported when it is needed, so that ``narxkit --help`` answers at once.
"""

import argparse
import signal
import sys
import threading
import warnings
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import narxkit
from narxkit._atomic import whole
from narxkit._console import (
    complain,
    drop_output,
    flush,
    in_options,
    open_streams,
    plain_warnings,
    progress_shown,
    show_continued,
    show_evaluation,
    show_forecasts,
    show_lines,
    show_many,
    show_result,
    show_table,
)
from narxkit._writing import check_files, check_page, check_save

__all__ = ["main"]

ABOUT = """\
Forecast time series with networks that feed their own output back (NARX).

Begin with a built-in series: a network is trained, forecasts every hour of
another year, and is compared with what any forecast must beat. Then give a
file of your own: models that it suits are combined, tested on its last fifth,
and forecast past the end.
"""
EXAMPLES = """\
examples:
  narxkit datasets                              what is built in
  narxkit forecast solar                        the table, in a few seconds
  narxkit forecast solar --plot forecast.png    with a picture
  narxkit forecast load.csv --target Load       your own file, 24 rows ahead
  narxkit fit load.csv --save load.narx         train a model and keep it
  narxkit forecast new.csv --model load.narx    forecast by the model kept
  narxkit forecast shops.csv --id shop          many series in one table
  narxkit compare wind                          all models side by side
  narxkit diagnose fx                           what there is to forecast
  narxkit forecast --help                       what tables and files hold
"""
SERIES = """\
SERIES is the name of a built-in series (narxkit datasets lists them) or a file:
CSV in the dialect of your country, or Parquet. Of a file
  - the time column is found, or named by --time; its step is inferred;
  - missing, duplicated and non-numeric cells are reported;
  - the last fifth is held out for a test.
"""
MODELS = "auto", "narx", "tdnn", "arx", "elman", "gru", "lstm"
FORECAST = (
    """\
Train a model and the baselines, forecast the test period from every origin
without refitting, and print how well they did. Of your own file, the model then
forecasts past its end: AutoNARX, which combines models by their errors inside
the training rows, finds their seasons and reads the calendar; or the one that
--model names.

"""
    + SERIES
    + """\
A file that narxkit fit has saved in the place of a model forecasts without a
test and without training: rows of SERIES after the last one that it has seen
move it on, and the forecast begins behind them.

Many series in one table, a row for each series and time, are told apart by the
column that --id names. Each gets a model of its own, or all get one (--global),
and all are forecast past their ends, without a test; --out writes one table.
"""
)
COLUMNS = """\
the table, one row per model; the winner has the least mean RMSE. AutoNARX says
below the forecast what it combines, and whether a network lives in it. A model
of one network is called NARX, TDNN, Elman, GRU or LSTM where something passes
its hidden layers, and elsewhere what is left of it: linear (NARX, network off);
of several that leave the same model the first one's row stands for all.
  RMSE     root mean squared error 1, 8 and 24 steps ahead, and the mean over
           all horizons, in the unit of the series
  MAE      mean absolute error over all horizons
  skill    1 - mean RMSE / that of a reference, where above 0 is better:
           pers.   persistence: the last value stays
           naive   the better, at each horizon, of persistence and seasonal
                   naive, the value one season ago
  ratio    mean RMSE / that of ridge ARX, the linear model: below 1 is better
  fit      seconds of training
of returns (fx, stock), one day ahead:
  ratio    RMSE / that of the random walk
  DM, p    Diebold-Mariano test against it: below 0 is better
  hits     signs forecast, beside the band that chance explains

known inputs: --known-future names columns that the file holds for the rows to
forecast too (rows at its end with an empty target). Of other --inputs networks
and ridge ARX read lags of at least the horizon; AutoNARX tries to forecast them
beside the target, and keeps that where it helps. --holidays names a country, as
in --holidays DE, or with a region, as in --holidays DE,BY.

--out of a built-in series writes every forecast of every model, a row for each
origin and horizon: origin (the last known time), horizon, time (the one
forecast), the value measured, and a column for each model. Of a file it writes
the forecast past the end: time, and for each target the forecast and the RMSE
that this horizon had in the test. A name ending in .gz is compressed. Names of
columns that a spreadsheet would run as formulas (=, +, -, @) get an apostrophe.
--level 80,95 adds intervals that hold so many per cent of what comes, each row
by itself, behind each forecast: Load-lo-80, Load-hi-80 and so on in the table
and in the file, bands in the picture. How far forecasts err is told from clones
of the model, each fitted without the rows that it forecasts.
--plot draws history, the forecast, those of the other models behind it, and the
errors beside it. Of a built-in series, the forecast shown is the median one by
error, of those from midnight. The ending of the name chooses the format.
"""
FIT = """\
Test a model and the baselines as narxkit forecast does, train AutoNARX, or the
model that --model names, on all rows of a file, and save it. No program runs
when it is read again:

  narxkit fit load.csv --target Load --save load.narx
  narxkit forecast new.csv --model load.narx

new.csv needs the columns of load.csv, in any order, and rows that go on from
there; it may begin earlier. In Python, narxkit.load("load.narx") is the model.

"""
COMPARE = (
    """\
Train all models that the series allows, forecast the test period from every
origin without refitting, and print them side by side, with the 95 % interval of
the ratio to ridge ARX where the test is long enough for one.

"""
    + SERIES
)
DIAGNOSE = """\
Is the series forecastable, and from what? Print a verdict with the tests it
rests on, the Hurst exponent by six methods, and lags to begin with.

""" + SERIES.replace("held out for a test.", "held out where --model asks for a network.")
DIAGNOSED = """\
The longest stretch without a missing value is analysed; gaps of up to three
rows are bridged by straight lines first. A season is looked for and removed.

inputs: lags are suggested for --inputs from the horizon on, and for
--known-future, known ahead, from 0 on. A horizon is a fifth of the analysed
rows at most. Lags of the target go into narxkit forecast --lags, and all of
them into NARX in Python.

--model fits a network with the suggested lags on the first four fifths and
prints what its residuals on the last fifth still know, and its skill.
--html writes all of it as one page with pictures, which opens offline. A part
that needs more rows than there are is left out, and the others are there.
"""


def main(argv=None):
    """Run the command line.

    Parameters
    ----------
    argv : list of str, default=None
        Arguments; by default those of the process.

    Returns
    -------
    int
        Exit code: 0, or 2 after an error. A signal gives 128 and its number, as in a shell: 130
        after Ctrl-C, 143 after SIGTERM, 141 where the reader of the output has left.

    Examples
    --------
    >>> from narxkit.cli import main
    >>> main(["forecast", "sonar"])
    2
    """
    open_streams()
    try:
        with plain_warnings(), ended_by_signals():
            run_command(argv)
    except KeyboardInterrupt:
        return complain("interrupted.", code=130)
    except Ended as end:
        return complain("ended by a signal.", code=128 + end.args[0])
    except BrokenPipeError:  # such as `narxkit ... | head`; nothing more can be printed
        drop_output()
        return 141
    except OSError as error:
        drop_output()
        reason = f"{error.strerror or str(error).removesuffix('.')}."
        return complain(f"cannot use {error.filename}: {reason}" if error.filename else reason)
    except MemoryError:
        return complain(
            "there is not enough memory: give fewer rows or columns, smaller --lags or --horizon."
        )
    except (ImportError, ValueError) as error:
        return complain(error)
    except Exception as error:
        if sys.flags.dev_mode:
            raise
        return complain(
            f"unexpected {type(error).__name__}, a defect of narxkit: {error}. Please report it "
            "with the command and the file; python -X dev -m narxkit ... shows where it lies."
        )
    return 0


def run_command(argv):
    """Do what the arguments ask for, and see it printed."""
    parser = make_parser()
    try:
        args = parser.parse_args(argv)
        if args.command is None:
            parser.print_help()
        else:
            args.command(args)
    finally:
        flush()


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
        help="train a model on a series or file, test it, and forecast",
        description=FORECAST,
        epilog=COLUMNS,
    )
    command.set_defaults(command=run_forecast)
    add_series(command)
    add_lags(command)
    command.add_argument(
        "--model",
        metavar="M",
        type=model_or_file,
        help=f"{', '.join(MODELS)}, or a file that narxkit fit has saved; by default narx for a "
        "built-in series, and auto for a file; elman, gru and lstm read the same lags and a window "
        "of 24 rows, and take a minute or so",
    )
    command.add_argument(
        "--level",
        metavar="P,P",
        type=levels,
        help="intervals around the forecast of a file, in per cent, such as 80,95",
    )
    command.add_argument("--id", metavar="COLUMN", help="the column that names series of a table")
    command.add_argument(
        "--global", dest="one_for_all", action="store_true", help="one model for all series of --id"
    )
    command.add_argument(
        "--jobs", metavar="N", type=count, help="processes that fit series of --id (1)"
    )
    command.add_argument("--out", metavar="FILE", type=Path, help="write the forecasts as CSV")
    command.add_argument("--plot", metavar="FILE", type=Path, help="draw forecast and errors")

    command = commands.add_parser(
        "fit",
        help="train a model on a file, test it, and save it",
        description=FIT + SERIES,
    )
    command.set_defaults(command=run_fit)
    add_series(command)
    add_lags(command)
    command.add_argument(
        "--model", choices=MODELS, help="what to train; by default auto, which combines models"
    )
    command.add_argument(
        "--save", metavar="FILE", type=Path, required=True, help="where to, such as load.narx"
    )

    command = commands.add_parser(
        "compare",
        help="train all models on a series or file and show them side by side",
        description=COMPARE,
    )
    command.set_defaults(command=run_compare)
    add_series(command)
    add_lags(command)
    command.add_argument(
        "--models",
        metavar="M,M",
        type=models,
        help=f"what to train, of {', '.join(MODELS)}, or all; by default those that take seconds",
    )

    command = commands.add_parser(
        "diagnose",
        help="tell whether a series can be forecast, and from what",
        description=DIAGNOSE,
        epilog=DIAGNOSED,
    )
    command.set_defaults(command=run_diagnose, lags=None, holidays=None)
    add_series(command)
    command.add_argument(
        "--max-lag", metavar="N", type=count, help="largest lag to look at (48, or twice --horizon)"
    )
    command.add_argument("--model", action="store_true", help="fit a network and evaluate it")
    command.add_argument("--html", metavar="FILE", type=Path, help="write a page with pictures")

    command = commands.add_parser("datasets", help="list the built-in series")
    command.set_defaults(command=run_datasets)
    return parser


def add_series(command):
    """Declare what a series is and what is asked of it."""
    command.add_argument("series", metavar="SERIES", help="a built-in series, or a file")
    targets = "columns to forecast, each by itself; diagnose analyses one"
    command.add_argument("--target", metavar="A,B", help=targets)
    command.add_argument("--inputs", metavar="A,B", help="columns to use as inputs")
    command.add_argument("--known-future", metavar="A", help="inputs that are known ahead")
    command.add_argument("--horizon", metavar="N", type=count, help="rows to forecast (24)")
    command.add_argument("--time", metavar="COLUMN", help="column of times of a file, or none")
    command.add_argument("--encoding", metavar="NAME", help="encoding of a file, such as gbk")
    command.add_argument("--missing", metavar="X", action="append", help="code of missing values")
    command.add_argument("--no-header", action="store_true", help="columns are c1, c2, ...")
    command.add_argument(
        "--seed", metavar="N", type=seed, default=0, help="seed of the networks (default: 0)"
    )


def add_lags(command):
    """Declare what models read beside inputs, where it is not what is asked for."""
    command.add_argument(
        "--lags",
        metavar="L",
        type=lags,
        help="lags of the target: 24, or 1,2,24 for just these; auto chooses its own",
    )
    command.add_argument(
        "--holidays", metavar="DE", type=place, help="country of holidays: DE, or DE,BY by region"
    )


def count(text):
    """Read a positive integer."""
    if not text.strip().isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a positive integer. Got {text!r}.")
    return int(text)


def lags(text):
    """Read a number of lags, or just those named."""
    return list(map(count, text.split(","))) if "," in text else count(text)


def levels(text):
    """Read levels of intervals, in per cent."""
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be numbers in per cent, such as 80 or 80,95. Got {text!r}."
        ) from None


def place(text):
    """Read a country, or a country and its region."""
    country, *region = (part.strip() for part in text.split(","))
    if len(region) > 1:
        raise argparse.ArgumentTypeError(
            f"must be a country and at most one region, as in DE,BY. Got {text!r}."
        )
    return (country, *region) if region else country


def models(text):
    """Read the models to train."""
    named = MODELS if text == "all" else tuple(name.strip() for name in text.split(","))
    unknown = [name for name in named if name not in MODELS]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"there is no model {unknown[0]!r}: choose from {', '.join(MODELS)}, or all."
        )
    return named


def model_or_file(text):
    """Read the name of a model, or of a file that holds one."""
    if text not in MODELS and not is_file(text):
        raise argparse.ArgumentTypeError(
            f"there is no model {text!r}: choose from {', '.join(MODELS)}, or name a file that "
            "narxkit fit has saved."
        )
    return text


def seed(text):
    """Read a seed."""
    if not text.isdecimal() or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(f"must be an int in the range [0, 2**32). Got {text!r}.")
    return int(text)


def run_forecast(args):
    """Test a model on a series; forecast past the end of a file."""
    check_files(args.series, args.out, args.plot)
    refuse_options_of_panels(args)
    if args.id is not None:
        forecast_many_series(args)
    elif args.model and args.model not in MODELS:
        forecast_by_saved(args)
    elif is_file(args.series):
        forecast_file(args)
    else:
        forecast_series(args)


def forecast_series(args):
    """Run the evaluation of a built-in series, print its table, and write its files."""
    from narxkit import evaluation

    task = builtin_task(args)
    if args.level:
        raise ValueError(
            f"--level is for forecasts past the end of a file, and {args.series} is a built-in "
            "series: in Python, `backtest` takes levels, too, and has the intervals of a test."
        )
    with progress_shown() as progress:
        result = evaluation.run(task, (args.model or task.default,), args.seed, progress)
        write(args.out, result.to_csv, progress)
        write(args.plot, partial(draw, result.plot), progress)
    show_evaluation(result)
    show_written(args.out, args.plot)


def forecast_file(args):
    """Test on the end of a file, forecast past it, print both, and write the files."""
    from narxkit import evaluation

    tasks = tasks_from_frame(args)
    with progress_shown() as progress:
        options = {"random_state": args.seed, "progress": progress, "rivals": bool(args.plot)}
        options["level"] = args.level
        forecasts = [evaluation.look_ahead(task, args.model, **options) for task in tasks]
        frame = evaluation.side_by_side(forecasts)
        write(args.out, partial(evaluation.write_csv, frame), progress)
        write(args.plot, partial(draw, partial(evaluation.plot_forecasts, forecasts)), progress)
    for found in forecasts:
        show_evaluation(found.evaluation)
        show_lines([""])
    show_forecasts(forecasts, frame)
    show_written(args.out, args.plot)


def forecast_many_series(args):
    """Forecast all series of a table past their ends, and write one file."""
    from narxkit import evaluation
    from narxkit.files import read_panel

    panel = read_panel(args.series, args.id, **reading(args))
    show_lines([*map(in_options, panel.notes), ""])
    with progress_shown() as progress:
        found = evaluation.forecast_many(
            panel.frame,
            target=args.target,
            known_future=names(args.known_future, panel.frame),
            steps=args.horizon or 24,
            model=args.model,
            lags=args.lags,
            one_for_all=args.one_for_all,
            random_state=args.seed,
            n_jobs=args.jobs,
            progress=progress,
            name=panel.name,
            level=args.level,
        )
        rows = found.y_hat.reset_index()
        write(args.out, partial(evaluation.write_csv, rows, index=False), progress)
    show_many(found)
    show_written(args.out)


def refuse_options_of_panels(args):
    """Refuse options that mean something for many series alone, or for one series alone."""
    if args.id is None:
        for option, value in (("--global", args.one_for_all), ("--jobs", args.jobs)):
            if value:
                raise ValueError(
                    f"{option} is for many series in one table: name the column that tells them "
                    "apart by --id COLUMN."
                )
        return
    if not is_file(args.series):
        raise ValueError(
            f"--id is for files of your own: {args.series} is a built-in series, and one alone."
        )
    if args.model and args.model not in MODELS:
        raise ValueError(f"--id trains models, and {args.model} is trained already: leave it out.")
    remedies = {
        "inputs": "name those that are known ahead by --known-future",
        "plot": "draw what --out has written",
        "holidays": "give a column that is 1 on them by --known-future",
    }
    for option, remedy in remedies.items():
        if getattr(args, option):
            raise ValueError(f"--{option} is for one series at a time; with --id {remedy}.")


def forecast_by_saved(args):
    """Forecast past the end of a file by a model that was saved, and write the files."""
    from narxkit import evaluation
    from narxkit.forecasters.base import usual_steps

    refuse_options_of_training(args)
    model = narxkit.load(args.model)
    series, *_ = read_table(args)
    steps = args.horizon or usual_steps(model) or 24
    with progress_shown() as progress:
        found = evaluation.continue_saved(model, series.frame, steps, series.name, args.level)
        write(args.out, partial(evaluation.write_csv, found.y_hat), progress)
        write(args.plot, partial(draw, found.plot), progress)
    show_continued(found)
    show_written(args.out, args.plot)


def refuse_options_of_training(args):
    """Refuse what a model that was saved brings itself."""
    if not is_file(args.series):
        raise ValueError(
            f"{args.model} forecasts rows that go on from where it was trained, and {args.series} "
            "is a built-in series: give a file."
        )
    for option in ("target", "inputs", "known_future", "lags", "holidays"):
        if getattr(args, option):
            raise ValueError(
                f"--{option.replace('_', '-')} is for a model that is yet to be trained: "
                f"{args.model} has its own; leave it out."
            )


def run_fit(args):
    """Test models on a file, train one on all rows, and save it."""
    from narxkit import evaluation

    if not is_file(args.series):
        raise ValueError(
            f"narxkit fit trains on files of your own, and {args.series} is no file: narxkit "
            "forecast evaluates built-in series."
        )
    check_save(args.series, args.save)
    tasks = tasks_from_frame(args)
    if len(tasks) > 1:
        raise ValueError(
            f"a file holds one model, and {len(tasks)} targets need one each: give one --target."
        )
    with progress_shown() as progress:
        fitted = evaluation.fit_chosen(tasks[0], args.model, args.seed, progress)
        fitted.model.save(args.save)
    show_evaluation(fitted.evaluation)
    show_lines(["", fitted.reason, *filter(None, [fitted.about])])
    show_written(args.save)


def run_compare(args):
    """Run an evaluation with all models."""
    from narxkit import evaluation

    if is_file(args.series):
        tasks = [task.test for task in tasks_from_frame(args)]
    else:
        tasks = [builtin_task(args)]
    for task in tasks:
        chosen = {None: task.quick, MODELS: task.learnable}.get(args.models, args.models)
        with progress_shown() as progress:
            result = evaluation.run(task, chosen, args.seed, progress)
        show_evaluation(result, interval=True)


def run_diagnose(args):
    """Diagnose a series, print what was found, and write its page."""
    from narxkit import report

    check_page(args.series, args.html)
    if is_file(args.series):
        series, (target, *more), *inputs = read_table(args)
        if more:
            raise ValueError(f"diagnose analyses one column at a time: give --target {target}.")
        subject = report.subject_from_frame(
            series.frame, target, *inputs, args.horizon, series.name
        )
    else:
        subject = report.builtin_subject(builtin_task(args))
    show_lines([*subject.notes, ""] if subject.notes else [])
    with progress_shown() as progress:
        found = report.diagnose(subject, args.model, args.seed, progress, args.max_lag)
        write_page = partial(report.write_page, found, translate=in_options)
        write(args.html, write_page, progress)
    for title, result in found.parts.items():
        show_result(title, result, map(in_options, found.advice.get(title, ())))
        show_lines([""])
    show_written(args.html)


def run_datasets(args):
    """List the built-in series."""
    from narxkit.evaluation import TASKS

    rows = []
    for task in TASKS.values():
        data = task.read()
        first, last = (f"{label:%Y-%m}" for label in data.index[[0, -1]])
        rows.append([task.name, task.target, task.unit, f"{len(data):,}", f"{first} to {last}"])
        rows.append([f"  {task.title}", "", "", "", ""])
    notes = ["", "narxkit.datasets loads them in Python; its README.md names sources and licences."]
    show_table(None, ["series", "target", "unit", "rows", "from, to"], rows, notes)


def is_file(series):
    """Tell whether a file is meant, rather than the name of a built-in series."""
    return bool(Path(series).suffix) or len(Path(series).parts) > 1 or Path(series).is_dir()


def builtin_task(args):
    """Make the task of a built-in series, with other options."""
    from narxkit import evaluation

    task = evaluation.find_task(args.series)
    of_files = "inputs", "known_future", "holidays", "time", "encoding", "missing", "no_header"
    for option in of_files:
        if getattr(args, option):
            raise ValueError(
                f"--{option.replace('_', '-')} is for files of your own: the columns of "
                f"{args.series} and what is known of them ahead are part of its protocol."
            )
    return task.with_options(args.target, args.horizon, args.lags)


def tasks_from_frame(args):
    """Print what was found in a file, and make a task for each target."""
    from narxkit.evaluation import task_from_frame

    series, targets, inputs, known_future = read_table(args)
    tasks = [
        task_from_frame(
            series.frame,
            target,
            inputs=inputs,
            known_future=known_future,
            horizon=args.horizon or 24,
            lags=args.lags,
            name=series.name,
            holidays=args.holidays,
        )
        for target in targets
    ]
    notes = [note for task in tasks for note in task.notes]
    show_lines([*map(in_options, notes), ""] if notes else [])
    return tasks


def read_table(args):
    """Read a file, print its notes, and return targets, inputs and those known ahead."""
    from narxkit.files import read_series

    series = read_series(args.series, **reading(args))
    show_lines([*map(in_options, series.notes), ""])
    targets, inputs, known_future = (
        names(option, series.frame) for option in (args.target, args.inputs, args.known_future)
    )
    return series, targets or [None], inputs, known_future


def reading(args):
    """Return how a file is to be read."""
    return {
        "time": False if args.time == "none" else args.time,
        "encoding": args.encoding,
        "missing": args.missing or (),
        "header": not args.no_header,
    }


def names(text, frame):
    """Read names of columns, separated by commas; a name may hold commas itself."""
    if text is None or text in frame:
        return [] if text is None else [text]
    return list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def write(path, make, progress):
    """Write a file, if one is asked for."""
    if path:
        progress(f"writing {path}", 0, 1)
        with whole(path) as part:
            make(part)


def draw(plot, path):
    """Draw a picture into a file; a box stands for a letter that its font lacks."""
    figure = plot()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")
        figure.savefig(path)


@contextmanager
def ended_by_signals():
    """Let a request to end unwind the work as Ctrl-C does, so that no half-written file stays."""
    is_main = threading.current_thread() is threading.main_thread()
    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    left = [n for n in numbers if is_main and signal.getsignal(n) is signal.SIG_DFL]  # no nohup

    def end(number, frame):
        for n in left:
            signal.signal(n, signal.SIG_IGN)  # the way out is not cut short
        raise Ended(number)

    for n in left:
        signal.signal(n, end)
    try:
        yield
    finally:
        for n in left:
            signal.signal(n, signal.SIG_DFL)


class Ended(BaseException):
    """A signal asked the command to end."""


def show_written(*paths):
    """Name the files written."""
    written = [str(path) for path in paths if path]
    if written:
        show_lines([f"Written: {', '.join(written)}."], soft_wrap=True)
