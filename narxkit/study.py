"""Studies of the shipped series: every model forecasts a test period from every origin.

A `Task` is data: a series, what is known ahead of it, the periods to learn from and to be tested
on, and a network. `run` fits the network and the baselines of a task, forecasts from every origin
of the test period without refitting, and answers with a `Study`: its table, its plot, its file.

The protocol is that of a rolling origin. Choices are made on the validation period
(`Task.rehearsal`), everything is refitted on training and validation together, and nothing is
chosen on the test period.
"""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from time import perf_counter

import numpy as np
import pandas as pd

from narxkit.baselines import ARX, Climatology, Persistence, SeasonalNaive
from narxkit.datasets import load_solar
from narxkit.model_selection import backtest, skill_table
from narxkit.narx import NARX
from narxkit.plotting import ForecastDisplay, HorizonDisplay, load_matplotlib
from narxkit.solvers import Stop

__all__ = ["TASKS", "Study", "Task", "decimals", "find_task", "run", "solar_network"]


@dataclass(frozen=True, eq=False)
class Task:
    """A series, what is asked of it, and by which rules.

    Periods are pairs (first, last) of time stamps, both included, as pandas slices by them:
    ``("2017-01", "2017-10")`` are ten whole months.

    Parameters
    ----------
    name : str
        What the command line calls it.
    title : str
        What a table or plot calls it.
    load : callable
        Gives the series: a DataFrame with a DatetimeIndex.
    target : str
        Column to forecast.
    unit : str
        Its unit.
    network : callable
        ``network(random_state)`` gives the network, not fitted.
    input_lags : dict
        Known inputs and their lags, as in NARX, for the ridge.
    training, validation, test : tuple of str
        The periods. With None for `validation` all is trained on the first.
    output_range : tuple (low, high), default=None
        Bounds of the output, the same for all models.
    columns : dict of str to callable, default={}
        Columns to add to the series, each a function of it, as in ``DataFrame.assign``.
    history : int, default=48
        Rows of the test period up to the first origin, itself included.
    steps : int, default=24
        Horizons.
    step : str, default="h"
        Unit of a step.
    season : int, default=24
        Period of the seasonal naive and lags of the ridge.
    climate : tuple of str, default=("month", "hour")
        What the climatology averages by.
    protocol : str, default=""
        Name of the protocol.
    why : str, default=""
        A sentence on what is known ahead.

    Examples
    --------
    >>> from narxkit.study import TASKS
    >>> solar = TASKS["solar"]
    >>> len(solar.origins(solar.read().loc["2023"]))
    8689
    """

    name: str
    title: str
    load: Callable
    target: str
    unit: str
    network: Callable
    input_lags: Mapping
    training: tuple
    validation: tuple | None
    test: tuple
    output_range: tuple | None = None
    columns: Mapping = field(default_factory=dict)
    history: int = 48
    steps: int = 24
    step: str = "h"
    season: int = 24
    climate: tuple = ("month", "hour")
    protocol: str = ""
    why: str = ""

    @property
    def fitting(self):
        """First and last time stamp of what the models are fitted on."""
        return self.training[0], (self.validation or self.training)[1]

    @property
    def validation_fraction(self):
        """Part of the fitting period that is validation; a tenth where there is none."""
        if self.validation is None:
            return 0.1
        index = self.load().index
        held_out, whole = (index.slice_indexer(*p) for p in (self.validation, self.fitting))
        return len(index[held_out]) / len(index[whole])

    @property
    def features(self):
        """Columns that the models are given: known inputs and bounds."""
        bounds = [bound for bound in self.output_range or () if isinstance(bound, str)]
        return list(dict.fromkeys([*self.input_lags, *bounds]))

    def read(self):
        """Read the series, with the columns that the task adds.

        Returns
        -------
        DataFrame
            The series.
        """
        return self.load().assign(**self.columns)

    def origins(self, data):
        """Find the origins of a period: enough history up to them, all targets after them.

        Parameters
        ----------
        data : Series or DataFrame
            The period.

        Returns
        -------
        Index
            Labels of the last known rows.

        Raises
        ------
        ValueError
            When the period is too short for any.
        """
        origins = data.index[self.history - 1 : max(0, len(data) - self.steps)]
        if not len(origins):
            raise ValueError(
                f"a test of {len(data)} rows holds no origin with {self.history} rows up to it "
                f"and {self.steps} after it: give a longer period."
            )
        return origins

    def models(self, random_state=0):
        """Make the network and the baselines, not fitted.

        Parameters
        ----------
        random_state : int, default=0
            Seed of the network.

        Returns
        -------
        dict of str to estimator
            Models by name, the network first. The ridge chooses its penalty on the validation
            period.
        """
        network = self.network(random_state)
        bounds = {"output_range": self.output_range}
        ridge = {"output_lags": self.season, "validation_fraction": self.validation_fraction}
        return {
            type(network).__name__: network,
            "persistence": Persistence(**bounds),
            "seasonal naive": SeasonalNaive(self.season, **bounds),
            "climatology": Climatology(self.climate, **bounds),
            "ridge ARX": ARX(dict(self.input_lags), **ridge, **bounds),
        }

    def rehearsal(self):
        """Make the task whose test is the validation period: choices are made there.

        Returns
        -------
        Task
            Fitted on the training period alone; its climatology leaves out the month, which the
            training period need not hold.

        Examples
        --------
        >>> from narxkit.study import TASKS
        >>> rehearsal = TASKS["solar"].rehearsal()
        >>> rehearsal.fitting, rehearsal.test
        (('2017-01', '2017-10'), ('2017-11', '2017-12'))
        """
        climate = tuple(part for part in self.climate if part != "month")
        return replace(self, validation=None, test=self.validation, climate=climate)


@dataclass(frozen=True, eq=False)
class Study:
    """What came out of a task.

    Parameters
    ----------
    task : Task
        What was asked.
    y : Series
        Measured values of the test period.
    models : dict of str to estimator
        Fitted models, the network first.
    backtests : dict of str to DataFrame
        Their forecasts from every origin, as from `narxkit.backtest`.
    fit_seconds : dict of str to float
        Seconds that each fit took.

    See Also
    --------
    run : Makes one.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from narxkit.study import TASKS, run
    >>> may = {"training": ("2017-05-01", "2017-05-12"), "validation": None}
    >>> study = run(replace(TASKS["solar"], **may, test=("2017-05-13", "2017-05-20")))
    >>> study.n_origins
    121
    >>> list(study.skill_table().index)
    ['NARX', 'persistence', 'seasonal naive', 'climatology', 'ridge ARX']
    """

    task: Task
    y: pd.Series
    models: dict
    backtests: dict
    fit_seconds: dict

    @property
    def network(self):
        """Name of the network among the models."""
        return next(iter(self.models))

    @property
    def origins(self):
        """Labels of the last known rows."""
        return self.task.origins(self.y)

    @property
    def n_origins(self):
        """Number of origins."""
        return len(self.origins)

    @property
    def protocol(self):
        """The rules in one sentence."""
        task = self.task
        name = f" {task.protocol}" if task.protocol else ""
        return (
            f"Rolling origin{name}: {task.target} in {task.unit}, fitted on "
            f"{_period(task.fitting)}, tested on {_period(task.test)} from {self.n_origins:,} "
            f"origins, every row with {task.history} {task.step} before it and {task.steps} "
            f"{task.step} after it, without refitting."
        )

    def skill_table(self):
        """Summarise the errors of all models and their skill.

        Returns
        -------
        DataFrame
            As from `narxkit.skill_table`.
        """
        horizons = sorted({1, -(-self.task.steps // 3), self.task.steps})
        return skill_table(self.backtests, horizons, fit_seconds=self.fit_seconds)

    def typical_origin(self):
        """Find the origin of a typical forecast of the network.

        Returns
        -------
        label
            Of the origins just before midnight, or else of all, the one whose forecast has the
            median error.
        """
        run = self.backtests[self.network]
        squares = (run["y_hat"] - run["y"]) ** 2
        errors = squares.groupby(run["origin"].to_numpy()).mean()
        midnight = np.diff(self.y.index.normalize()) > pd.Timedelta(0)
        before = self.y.index[:-1][midnight].intersection(errors.index)
        ranked = errors.loc[before if len(before) else errors.index].sort_values()
        return ranked.index[len(ranked) // 2]

    def forecast(self, origin, model=None):
        """Look up one forecast.

        Parameters
        ----------
        origin : label
            The last known row.
        model : str, default=None
            Name of the model; by default the network.

        Returns
        -------
        DataFrame
            Columns ``y`` and ``y_hat`` over the time stamps ahead.
        """
        run = self.backtests[self.network if model is None else model]
        rows = run.loc[run["origin"] == origin, ["y", "y_hat"]]
        after = self.y.index.get_loc(origin) + 1
        return rows.set_index(self.y.index[after : after + len(rows)])

    def to_frame(self):
        """Gather all forecasts, a column for each model.

        Returns
        -------
        DataFrame
            A row for each origin and horizon; columns ``origin`` (the last known time),
            ``horizon``, ``time`` (the time forecast), the target as measured, and the models.
        """
        first = self.backtests[self.network]
        rows = self.y.index.get_indexer(first["origin"]) + first["horizon"].to_numpy()
        table = first[["origin", "horizon"]].assign(time=self.y.index[rows])
        table[self.task.target] = first["y"]
        for name, run in self.backtests.items():
            table[name] = run["y_hat"].to_numpy()
        return table

    def to_csv(self, path):
        """Write all forecasts into a file, rounded to five digits of a usual value.

        Parameters
        ----------
        path : str or path
            The file; it is compressed where its name ends in ``.gz``.

        See Also
        --------
        to_frame : The columns.
        """
        size = decimals(self.y.std(), digits=5)
        values = [self.task.target, *self.backtests]
        self.to_frame().round(dict.fromkeys(values, size)).to_csv(path, index=False)

    def plot(self, figure=None):
        """Draw a week of history with one typical forecast, and the errors by horizon beside it.

        Parameters
        ----------
        figure : matplotlib Figure, default=None
            Where to draw; by default on a new one.

        Returns
        -------
        Figure
            The figure; ``figure.savefig(path)`` writes it.

        Raises
        ------
        ImportError
            Where matplotlib is missing.
        """
        if figure is None:
            figure = load_matplotlib("figure").Figure((11, 4), dpi=150, layout="constrained")
            figure.get_layout_engine().set(wspace=0.06)
        left, right = figure.subplots(1, 2, width_ratios=(1.8, 1))
        self._plot_forecast(left)
        unit, step = self.task.unit, self.task.step
        HorizonDisplay.from_backtests(
            self.backtests, highlight=self.network, unit=unit, step=step, ax=right
        )
        return figure

    def _plot_forecast(self, ax):
        origin = self.typical_origin()
        rows = self.forecast(origin)
        stop = self.y.index.get_loc(origin) + 1
        ForecastDisplay.from_predictions(
            rows["y"],
            {f"{self.network} forecast": rows["y_hat"]},
            history=self.y.iloc[max(0, stop - 7 * self.task.season) : stop],
            target=self.task.target,
            unit=self.task.unit,
            ax=ax,
        )


def run(task, random_state=0, progress=None):
    """Fit the models of a task and forecast its test period from every origin.

    Parameters
    ----------
    task : Task
        What is asked.
    random_state : int, default=0
        Seed of the network.
    progress : callable, default=None
        ``progress(text, done, total)`` is called as the work proceeds.

    Returns
    -------
    Study
        Models and forecasts.

    Raises
    ------
    KeyboardInterrupt
        When Ctrl-C cut the training short: half-trained networks are not compared.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from narxkit.study import TASKS, run
    >>> short = {"training": ("2017-05-01", "2017-05-12"), "test": ("2017-05-13", "2017-05-20")}
    >>> study = run(replace(TASKS["solar"], **short, validation=None))
    >>> study.to_frame().columns[:4].tolist()
    ['origin', 'horizon', 'time', 'ghi']
    """
    progress = progress or (lambda text, done, total: None)
    data = task.read()
    fitting, test = (data.loc[slice(*period)] for period in (task.fitting, task.test))
    origins = task.origins(test)
    models = task.models(random_state)
    backtests, fit_seconds = {}, {}
    for name, model in models.items():
        start = perf_counter()
        _fit(name, model, fitting[task.features], fitting[task.target], progress)
        fit_seconds[name] = perf_counter() - start
        progress(f"forecasting with {name}", 0, 1)
        backtests[name] = backtest(
            model, test[task.features], test[task.target], task.steps, origins
        )
    return Study(task, test[task.target], models, backtests, fit_seconds)


def _fit(name, model, X, y, progress):
    """Fit a model, reporting its iterations where it has any."""
    params = model.get_params()
    total = params.get("max_iter", 1)

    def report(iteration):
        progress(f"training {name}", iteration.n_iter, total)

    progress(f"training {name}", 0, total)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "fit: Interrupted")  # what follows says so itself
        if "callback" in params:
            model.set_params(callback=report).fit(X, y).set_params(callback=params["callback"])
        else:
            model.fit(X, y)
    if getattr(model, "stop_", None) is Stop.INTERRUPTED:
        raise KeyboardInterrupt


def decimals(scale, digits):
    """Count the decimals that give numbers of this size so many digits.

    Parameters
    ----------
    scale : float
        Size of the numbers.
    digits : int
        Significant digits wanted.

    Returns
    -------
    int
        Decimals, 0 or more.

    Examples
    --------
    >>> from narxkit.study import decimals
    >>> decimals(52.4, digits=3), decimals(0.295, digits=3), decimals(5000, digits=3)
    (1, 3, 0)
    """
    if not 0 < scale < np.inf:
        return digits
    return max(0, digits - 1 - int(np.floor(np.log10(scale))))


def _period(period):
    first, last = period
    return first if first == last else f"{first} to {last}"


def solar_network(random_state=0):
    """Make the network of the solar task: the one place of its hyper-parameters.

    They are the defaults of NARX with a day of output lags, and training ends early by the
    one-step error on the validation months, November and December of 2017.

    Parameters
    ----------
    random_state : int, default=0
        Seed of the initial weights.

    Returns
    -------
    NARX
        Not fitted.

    Examples
    --------
    >>> from narxkit.study import solar_network
    >>> solar_network(random_state=3).output_lags
    24
    """
    return NARX(
        input_lags={"clear_sky": 1},
        output_lags=24,
        output_range=(0, "limit"),
        early_stopping=True,
        validation_fraction=61 / 365,
        random_state=random_state,
    )


def _solar_limit(data):
    return 1.3 * data["ghi_clear"]


SOLAR = Task(
    name="solar",
    title="Solar irradiance in Colorado, 24 hours ahead",
    load=load_solar,
    target="ghi",
    unit="W/m²",
    network=solar_network,
    input_lags={"clear_sky": 1},
    output_range=(0, "limit"),
    columns={"limit": _solar_limit},
    training=("2017-01", "2017-10"),
    validation=("2017-11", "2017-12"),
    test=("2023", "2023"),
    protocol="S0",
    why=(
        "Known ahead is clear_sky, from the sun's height alone, because ghi_clear carries the "
        "haze of the very day; it only bounds the output of all models, at 1.3 ghi_clear."
    ),
)

TASKS = {task.name: task for task in (SOLAR,)}


def find_task(name):
    """Find the task of a shipped series.

    Parameters
    ----------
    name : str
        Name of the series.

    Returns
    -------
    Task
        Its task.

    Raises
    ------
    ValueError
        When there is none of this name; the sentence lists those there are.

    Examples
    --------
    >>> from narxkit.study import find_task
    >>> find_task("solar").target
    'ghi'
    """
    if name not in TASKS:
        raise ValueError(
            f"there is no series {name!r}: the shipped ones are {', '.join(TASKS)}. "
            "Your own data are forecast in Python: from narxkit import NARX."
        )
    return TASKS[name]
