"""Base of tasks and evaluations, and the run of an evaluation."""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from time import perf_counter

import numpy as np
import pandas as pd

from narxkit._moments import moments
from narxkit._naming import fitted_name, is_off, short_name, what_passes, why_off
from narxkit._progress import no_progress
from narxkit._words import counted
from narxkit.auto import AutoNARX
from narxkit.files import label_writer, listed
from narxkit.forecasters.baselines import ARX
from narxkit.forecasters.narx import NARX, TDNN
from narxkit.forecasters.recurrent import ElmanRegressor, GRURegressor, LSTMRegressor
from narxkit.model_selection import backtest
from narxkit.networks import make_taps
from narxkit.rows.clock import Clock
from narxkit.solvers import Stop

from ._bridges import LONGEST_BRIDGED, bridge
from ._csv import write_csv

CELLS = {"elman": ElmanRegressor, "gru": GRURegressor, "lstm": LSTMRegressor}
NETWORKS = {"narx": NARX, "tdnn": TDNN, **CELLS}
# in the order in which they are told
LEARNED = {"auto": AutoNARX, "narx": NARX, "tdnn": TDNN, "arx": ARX, **CELLS}
LEARNED = {model: short_name(kind) for model, kind in LEARNED.items()} | {"arx": "ridge ARX"}
SAME = 1e-6  # of the deviation of the target: what rounding makes of one linear model
CELL_SETTINGS = {"hidden_layer_sizes": (8,), "max_iter": 50}  # a window and penalty by default


@dataclass(frozen=True, eq=False, kw_only=True)
class Task(ABC):
    """A series, what is asked of it, and by which rules.

    Periods are pairs (first, last) of labels, both included, as pandas slices by them:
    ``("2017-01", "2017-10")`` are ten whole months.

    Parameters
    ----------
    name : str
        Its name on the command line.
    title : str
        Its name in tables and plots.
    load : callable
        Gives the series: a DataFrame.
    target : str
        Column to forecast.
    unit : str
        Its unit.
    training, validation, test : tuple
        The periods. With None for `validation` all is trained on the first.
    input_lags : dict, default={}
        Known inputs and their lags, as in NARX.
    output_lags : int or sequence of int, default=24
        Lags of the output, as in NARX.
    settings : dict, default={}
        Parameters of the network beside its lags and range.
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
    is_bridged : bool, default=False
        Whether straight lines are drawn over short gaps of the target where models learn, so that
        the rows after them have a history.
    protocol : str, default=""
        Name of the protocol.
    why : str, default=""
        A sentence on what is known ahead.
    default : str, default="narx"
        The model that forecasts where none is named.
    holidays : str or tuple (country, region), default=None
        Country of holidays that models which learn may read.

    Examples
    --------
    >>> from narxkit.evaluation import TASKS
    >>> solar = TASKS["solar"]
    >>> len(solar.origins(solar.read().loc["2023"]))
    8689
    """

    name: str
    title: str
    load: Callable
    target: str
    unit: str
    training: tuple
    validation: tuple | None
    test: tuple
    input_lags: Mapping = field(default_factory=dict)
    output_lags: int | Sequence = 24
    settings: Mapping = field(default_factory=dict)
    output_range: tuple | None = None
    columns: Mapping = field(default_factory=dict)
    history: int = 48
    steps: int = 24
    step: str = "h"
    is_bridged: bool = False
    protocol: str = ""
    why: str = ""
    default: str = "narx"
    holidays: str | tuple | None = None

    @abstractmethod
    def baselines(self):
        """Make the models to compare with, not fitted.

        Returns
        -------
        dict of str to estimator
            Models by name, "ridge ARX" among them.
        """

    @abstractmethod
    def evaluation(self, *answers):
        """Gather models and backtests as an evaluation.

        Parameters
        ----------
        *answers : y, models, backtests, fit_seconds, chosen, stands_for
            As in `Evaluation`.

        Returns
        -------
        Evaluation
            The evaluation of this task.
        """

    @abstractmethod
    def with_options(self, target=None, horizon=None, lags=None):
        """Make the task with other options; it then follows no named protocol.

        Parameters
        ----------
        target : str, default=None
            Another column to forecast.
        horizon : int, default=None
            Another number of steps.
        lags : int or sequence of int, default=None
            Other lags of the output.

        Returns
        -------
        Task
            The task itself where no option is given.

        Raises
        ------
        ValueError
            When the task cannot grant it.
        """

    @property
    def learnable(self):
        """The models that can learn the task: a TDNN needs inputs."""
        return tuple(model for model in LEARNED if model != "tdnn" or self.input_lags)

    @property
    def quick(self):
        """Those of them that learn in seconds: recurrent networks take longer.

        So may AutoNARX; it is among them where it is the default.
        """
        slow = {*CELLS, "auto"} - {self.default}
        return tuple(model for model in self.learnable if model not in slow)

    @property
    def heading(self):
        """Title, horizon and unit in a line."""
        ahead = f"{self.title}, {self.steps} {self.step} ahead"
        return f"{ahead}, {self.unit}" if self.unit else ahead

    @property
    def fitting(self):
        """First and last label of what the models are fitted on."""
        return self.training[0], (self.validation or self.training)[1]

    @property
    def bridges(self):
        """A sentence on the short gaps that are bridged where models learn; "" without any."""
        y = self.read()[self.target]
        n = int((bridge(y).notna() & y.isna()).sum()) if self.is_bridged else 0
        if not n:
            return ""
        return (
            f"Where models learn, straight lines over {counted(n, 'missing row')}, "
            f"{LONGEST_BRIDGED} at most in a row, serve as the history of other rows."
        )

    @cached_property
    def validation_fraction(self):
        """Part of the fitting period that is validation; a tenth where there is none."""
        if self.validation is None:
            return 0.1
        index = self.load().index
        held_out, whole = (index.slice_indexer(*p) for p in (self.validation, self.fitting))
        # forecasters hold out by rows, and gaps have none
        return len(index[held_out]) / len(index[whole])

    @property
    def features(self):
        """Columns that the models are given: known inputs and bounds."""
        bounds = [bound for bound in self.output_range or () if isinstance(bound, str)]
        return list(dict.fromkeys([*self.input_lags, *bounds]))

    @property
    def calendar(self):
        """Fields of the calendar that networks and ridge ARX read."""
        return None if self.holidays is None else [{"holiday": self.holidays}]

    @property
    def past_inputs(self):
        """Inputs that are not known ahead: models read of them what lies before the origin.

        Examples
        --------
        >>> from narxkit.evaluation import TASKS
        >>> len(TASKS["stock"].past_inputs), TASKS["wind"].past_inputs
        (7, [])
        """
        taps = make_taps(self.input_lags, 0, list(self.input_lags))
        lags = zip(self.input_lags, taps.input_lags)
        return [column for column, its in lags if all(lag >= self.steps for lag in its)]

    def read(self):
        """Read the series, with the columns that the task adds.

        Returns
        -------
        DataFrame
            The series.
        """
        return self.load().assign(**self.columns)

    def origins(self, data):
        """Find the origins of a period: enough history up to them, all targets after them, no seam.

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
        stop = max(0, len(data) - self.steps)
        # every row with `history` rows up to it and `steps` after it
        last = np.arange(min(self.history - 1, stop), stop)
        clock = Clock.from_index(data.index)
        if clock is not None and len(last):
            segment = clock.breaks(data.index).cumsum()  # number of each row's
            # no seam between the first row of history and the last target
            last = last[segment[last - self.history + 1] == segment[last + self.steps]]
        origins = data.index[last]
        if not len(origins):
            raise ValueError(
                f"a test of {len(data)} rows holds no origin with {self.history} rows up to it "
                f"and {self.steps} after it: give a longer period, or a smaller horizon or lags."
            )
        return origins

    def automatic(self, random_state=0):
        """Make the forecaster that chooses models, lags, seasons and calendar itself, not fitted.

        Parameters
        ----------
        random_state : int, default=0
            Seed of its networks.

        Returns
        -------
        AutoNARX
            Which has the range of the other models.
        """
        return AutoNARX(
            self.steps,
            holidays=self.holidays,
            past_inputs=self.past_inputs,
            output_range=self.output_range,
            random_state=random_state,
        )

    def network(self, model="narx", random_state=0):
        """Make the network, not fitted: the one place where its parameters come together.

        Parameters
        ----------
        model : {"narx", "tdnn", "elman", "gru", "lstm"}, default="narx"
            Its kind. Recurrent ones read the same lags beside a linear term, and learn from the
            same rollouts; they choose their penalty from the training rows.
        random_state : int, default=0
            Seed of the initial weights.

        Returns
        -------
        forecaster
            Where it stops early, then by its error on the validation period.

        Raises
        ------
        ValueError
            When the task has no inputs for a TDNN, which reads nothing else.
        """
        shared = {
            "input_lags": dict(self.input_lags),
            "output_range": self.output_range,
            "calendar": self.calendar,
            "validation_fraction": self.validation_fraction,
            "random_state": random_state,
        }
        if model in CELLS:
            # all else of the settings was chosen for a multilayer perceptron
            loop = {name: value for name, value in self.settings.items() if name == "loop"}
            return CELLS[model](output_lags=self.output_lags, **shared, **loop, **CELL_SETTINGS)
        settings = shared | self.settings
        if model == "narx":
            return NARX(output_lags=self.output_lags, **settings)
        if not self.input_lags:
            raise ValueError(
                f"a TDNN forecasts from inputs alone, and {self.name} has none: choose narx or "
                "arx, or name inputs."
            )
        for name in ("loop", "linear_alpha"):  # without feedback it has none
            settings.pop(name, None)
        return TDNN(**settings)

    def ridge(self):
        """Make the linear model with the lags of the network, not fitted.

        Returns
        -------
        ARX
            It chooses its penalty on the validation period.
        """
        return ARX(
            dict(self.input_lags),
            self.output_lags,
            validation_fraction=self.validation_fraction,
            output_range=self.output_range,
            calendar=self.calendar,
        )

    def models(self, learned=("narx",), random_state=0):
        """Make the models that learn and the baselines, not fitted.

        Parameters
        ----------
        learned : sequence of {"auto", "narx", "tdnn", "arx", "elman", "gru", "lstm"}
            The models asked for, a NARX network by default; the ridge "arx" is always among the
            baselines.
        random_state : int, default=0
            Seed of the networks.

        Returns
        -------
        dict of str to estimator
            Models by name, those that are no baselines first.

        Raises
        ------
        ValueError
            When a model is not known or not possible.
        """
        unknown = [model for model in learned if model not in LEARNED]
        if unknown:
            raise ValueError(f"there is no model {unknown[0]!r}: choose from {', '.join(LEARNED)}.")
        made = {
            LEARNED[model]: self.network(model, random_state)
            if model in NETWORKS
            else self.automatic(random_state)
            for model in learned
            if model != "arx"
        }
        return made | self.baselines()


@dataclass(frozen=True, eq=False)
class Evaluation(ABC):
    """Backtests and models of a task.

    Parameters
    ----------
    task : Task
        The task.
    y : Series
        Measured values of the test period.
    models : dict of str to estimator
        Fitted models. A network is called by its name only where it lives, and elsewhere
        ``"linear (NARX, network off)"``; where several that are off have left the same linear
        model, one stands for all: ``"linear (NARX and 2 more, network off)"``.
    backtests : dict of str to DataFrame
        Their forecasts from every origin, as from `narxkit.backtest`.
    fit_seconds : dict of str to float
        Seconds that each fit took.
    chosen : str
        Name of the model that was asked for.
    stands_for : dict of str to list of str, default={}
        The kinds of networks behind a name that stands for several.

    See Also
    --------
    run : Makes one.

    Examples
    --------
    >>> from narxkit.evaluation import TASKS, run
    >>> evaluation = run(TASKS["stock"], learned=("arx",))
    >>> evaluation.n_origins, evaluation.forecast(evaluation.origins[0]).columns.tolist()
    (154, ['y', 'y_hat'])
    """

    task: Task
    y: pd.Series
    models: dict
    backtests: dict
    fit_seconds: dict
    chosen: str
    stands_for: Mapping = field(default_factory=dict)

    @abstractmethod
    def table(self, interval=False):
        """Summarise the errors of all models.

        Parameters
        ----------
        interval : bool, default=False
            Whether to add intervals.

        Returns
        -------
        DataFrame
            A row for each model.
        """

    @abstractmethod
    def notes(self, interval=False):
        """Explain the table and its protocol, and say what came out.

        Parameters
        ----------
        interval : bool, default=False
            Whether the table has intervals.

        Returns
        -------
        list of str
            Sentences, the verdict last.
        """

    @abstractmethod
    def plot(self, figure=None):
        """Draw forecasts and errors.

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
        unit = f" in {task.unit}" if task.unit else ""
        write = label_writer(self.y.index)
        return (
            f"Rolling origin{name}: {task.target}{unit}, fitted on "
            f"{_period(task.fitting, write)}, tested on {_period(task.test, write)} from "
            f"{self.n_origins:,} "
            f"origins, every row with {task.history} {task.step} before it and {task.steps} "
            f"{task.step} after it, without refitting."
        )

    @property
    def of_networks(self):
        """A sentence on each network: what passes its hidden layers, or why nothing does."""
        shares = ((name, what_passes(model)) for name, model in self.models.items())
        return [f"{name}{self._kinds_of(name)}: {share}." for name, share in shares if share]

    @property
    def of_past_inputs(self):
        """A sentence on inputs that are not known ahead; "" without any, or without AutoNARX."""
        past, name = self.task.past_inputs, LEARNED["auto"]
        if not past or name not in self.models:
            return ""
        return (
            f"{listed(past)} {'is' if len(past) == 1 else 'are'} not known ahead: networks and "
            f"ridge ARX read lags of {self.task.steps} {self.task.step} and more, and {name} "
            f"tries to forecast {'it' if len(past) == 1 else 'them'} beside {self.task.target!r}."
        )

    def _kinds_of(self, name):
        """List the kinds behind a name that stands for several, as a clause."""
        *kinds, last = self.stands_for.get(name, [""])
        return f" is one model of {', '.join(kinds)} and {last}" if kinds else ""

    def forecast(self, origin, model=None):
        """Look up one forecast.

        Parameters
        ----------
        origin : label
            The last known row.
        model : str, default=None
            Name of the model; by default the one chosen.

        Returns
        -------
        DataFrame
            Columns ``y`` and ``y_hat`` over the labels ahead.
        """
        run = self.backtests[self.chosen if model is None else model]
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
        first = self.backtests[self.chosen]
        # the label forecast is `horizon` rows past the origin
        rows = self.y.index.get_indexer(first["origin"]) + first["horizon"].to_numpy()
        table = first[["origin", "horizon"]].assign(time=self.y.index[rows])
        table[self.task.target] = first["y"]
        for name, run in self.backtests.items():
            table[name] = run["y_hat"].to_numpy()  # all have the same origins, in one order
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
        # more digits triple the file and are noise
        size = decimals(self.y.std(), digits=5)
        values = [self.task.target, *self.backtests]
        write_csv(self.to_frame().round(dict.fromkeys(values, size)), path, index=False)


def run(task, learned=("narx",), random_state=0, progress=None):
    """Fit the models of a task and forecast its test period from every origin.

    Parameters
    ----------
    task : Task
        The task.
    learned : sequence of {"auto", "narx", "tdnn", "arx", "elman", "gru", "lstm"}
        Models asked for beside the baselines, a NARX network by default; the first is the chosen
        one.
    random_state : int, default=0
        Seed of the networks.
    progress : callable, default=None
        ``progress(text, done, total)`` is called as the work proceeds.

    Returns
    -------
    Evaluation
        Models and forecasts.

    Raises
    ------
    KeyboardInterrupt
        When Ctrl-C cut the training short: half-trained networks are not compared.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from narxkit.evaluation import TASKS, run
    >>> short = {"training": ("2017-05-01", "2017-05-12"), "test": ("2017-05-13", "2017-05-20")}
    >>> evaluation = run(replace(TASKS["solar"], **short, validation=None))
    >>> evaluation.to_frame().columns[:4].tolist()
    ['origin', 'horizon', 'time', 'ghi']
    """
    progress = progress or no_progress
    models = task.models(learned, random_state)
    data = task.read()
    fitting, test = (data.loc[slice(*period)] for period in (task.fitting, task.test))
    # before any fit, which may take long: a test that is too short is refused here
    origins, history = task.origins(test), _bridged(task, fitting)
    backtests, fit_seconds = {}, {}
    for kind, model in models.items():
        start = perf_counter()
        fit(kind, model, task, fitting, progress)
        fit_seconds[kind] = perf_counter() - start
        progress(f"forecasting with {fitted_name(model, kind)}", 0, 1)
        before = history.tail(_n_before(task, model))
        rows = pd.concat([before, test])
        backtests[kind] = _backtest(task, model, rows, origins)
    y = test[task.target]
    # the names after fitting: a network that is off has another one
    _, deviation = moments(y.to_numpy(dtype=float)[:, None])
    kinds = _kinds_by_name(models, backtests, SAME * deviation)
    answers = (
        {name: of_kind[first] for name, (first, *_) in kinds.items()}
        for of_kind in (models, backtests, fit_seconds)
    )
    chosen = next(name for name, those in kinds.items() if LEARNED[learned[0]] in those)
    several = {name: those for name, those in kinds.items() if len(those) > 1}
    return task.evaluation(y, *answers, chosen, several)


def _kinds_by_name(models, backtests, tolerance):
    """Name each fitted model; networks that are off share a name where they are one model."""

    def are_one(kind, other):
        one, another = models[kind], models[other]
        if not (is_off(one) and is_off(another) and why_off(one) == why_off(another)):
            return False
        # each was trained by its own solver, so that rounding differs
        y_hats = (backtests[name]["y_hat"] for name in (kind, other))
        return np.allclose(*y_hats, rtol=0.0, atol=tolerance, equal_nan=True)

    groups = []
    for kind in models:
        group = next((those for those in groups if are_one(kind, those[0])), None)
        if group is None:
            groups.append([kind])
        else:
            group.append(kind)
    return {fitted_name(models[those[0]], _and_more(those)): those for those in groups}


def _and_more(kinds):
    return kinds[0] if len(kinds) == 1 else f"{kinds[0]} and {len(kinds) - 1} more"


def _bridged(task, fitting):
    """Return the rows that a test may follow, as models have learned them."""
    y = fitting[task.target]
    return fitting.assign(**{task.target: bridge(y)}) if task.is_bridged else fitting


def _n_before(task, model):
    """Return how many rows before the test a model reads.

    Where no gaps are bridged, the protocol begins with the test's own rows; but AutoNARX may read
    more of them than lie before the first origin.
    """
    is_enough = not task.is_bridged and model.max_lag_ <= task.history
    return 0 if is_enough else max(task.history, model.max_lag_)


def _backtest(task, model, rows, origins):
    """Forecast from all origins; NaN from those behind a seam that the model reads across.

    What AutoNARX reads is not known before it is fitted, and the origins are.
    """
    X, y, steps = rows[task.features], rows[task.target], task.steps
    if model.max_lag_ <= task.history:
        return backtest(model, X, y, steps, origins)
    possible = backtest(model, X, y, steps).set_index(["origin", "horizon"])
    horizons = np.arange(1, steps + 1)
    wanted = pd.MultiIndex.from_product([origins, horizons], names=possible.index.names)
    ahead = y.index.get_indexer(origins)[:, None] + horizons
    found = possible.reindex(wanted).assign(y=y.to_numpy()[ahead].ravel())
    return found.assign(series=possible["series"].iloc[0]).reset_index()


def fit(name, model, task, data, progress):
    """Fit a model of a task, reporting its iterations where it has any.

    Missing rows that are bridged serve as history and have no weight.

    Raises
    ------
    KeyboardInterrupt
        When Ctrl-C cut the training short.
    """
    X, y = data[task.features], data[task.target]
    history = bridge(y) if task.is_bridged else y
    # bridged rows are read as history, and not learnt
    weight = None if history.equals(y) else y.notna().astype(float)
    params = model.get_params()
    total = params.get("max_iter", 1)

    def report(iteration):
        progress(f"training {name}", iteration.n_iter, total)

    progress(f"training {name}", 0, total)
    with warnings.catch_warnings():
        for start in ("fit: Interrupted", "with alpha="):  # what follows says so itself
            warnings.filterwarnings("ignore", start)
        # AutoNARX would go on with what it has judged by then
        warnings.filterwarnings("error", "interrupted after", RuntimeWarning)
        if "callback" in params:
            model.set_params(callback=report).fit(X, history, sample_weight=weight)
            # a model that is pickled later must not carry the progress bar
            model.set_params(callback=params["callback"])
        else:
            _fit_or_interrupt(model, X, history, weight)
    if getattr(model, "stop_", None) is Stop.INTERRUPTED:
        raise KeyboardInterrupt


def _fit_or_interrupt(model, X, y, weight):
    try:
        model.fit(X, y, sample_weight=weight)
    except RuntimeWarning:
        raise KeyboardInterrupt from None


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
    >>> decimals(52.4, digits=3), decimals(0.295, digits=3), decimals(5000, digits=3)
    (1, 3, 0)
    """
    if not 0 < scale < np.inf:  # of equal values, or a single one
        return digits
    return max(0, digits - 1 - int(np.floor(np.log10(scale))))


def _period(period, write):
    first, last = (label if isinstance(label, str) else write(label) for label in period)
    return first if first == last else f"{first} to {last}"
