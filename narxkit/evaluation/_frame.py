"""A series of the user: a hold-out test first, then the forecast past its end."""

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache, partial

import numpy as np
import pandas as pd
from sklearn.base import clone

from narxkit._naming import fitted_name, is_off
from narxkit._progress import no_progress
from narxkit._words import counted
from narxkit.auto import AutoNARX
from narxkit.files import label_writer, listed
from narxkit.forecasters.base import Forecaster
from narxkit.forecasters.intervals import read_levels
from narxkit.networks import largest_lag
from narxkit.plotting.base import load_matplotlib
from narxkit.rows.clock import Clock
from narxkit.rows.timetable import DAY, HOUR, WEEK

from ._base import LEARNED, NETWORKS, fit, run
from ._bridges import note_blanks
from ._horizon import HorizonEvaluation, HorizonTask, errs

MAX_ITER = 100
HELD_OUT = 5  # one row in so many, at the end
MOST_LAGS = 24
SHORTEST = 10  # rows to learn from, beyond the lags

_NAMES = {HOUR: "h", 60: "min", DAY: "d", WEEK: "wk", 1: "s"}


@dataclass(frozen=True, eq=False)
class FrameTask:
    """A hold-out test of a user's series, and what is known past its end.

    Parameters
    ----------
    test : HorizonTask
        The last fifth of the series held out, fitted on what comes before.
    known_future : list of str
        Inputs that are known ahead.
    rows_after : DataFrame
        Rows of the data after the last value of the target.
    unread : list of str, default=[]
        Columns of the data that are neither the target nor an input.

    See Also
    --------
    task_from_frame : Makes one.

    Examples
    --------
    >>> import pandas as pd
    >>> from narxkit.evaluation import task_from_frame
    >>> days = pd.date_range("2024-01-01", periods=100)
    >>> data = pd.DataFrame({"load": range(100)}, index=days)
    >>> task_from_frame(data, "load", horizon=7).test.test
    (Timestamp('2024-03-21 00:00:00'), Timestamp('2024-04-09 00:00:00'))
    """

    test: HorizonTask
    known_future: list
    rows_after: pd.DataFrame
    unread: list = field(default_factory=list)

    @property
    def notes(self):
        """Sentences on blank cells of the target, rows after its last value, and other columns."""
        y = self.test.read()[self.test.target]
        write = label_writer(y.index)
        notes = note_blanks(y, f"the {len(y):,} rows from its first value to its last", write)
        n = len(self.rows_after)
        if n and not self.known_future:
            notes.append(
                f"{y.name!r} ends at {write(y.index[-1])}, {counted(n, 'row')} before the end of "
                f"{self.test.name}: the forecast begins there."
            )
        if self.unread:
            one = _quoted(self.unread[0])
            notes.append(
                f"{y.name!r} is forecast without {listed(self.unread)}: give inputs={one} to have "
                f"a column read, or known_future={one} where it is known for the rows to forecast."
            )
        return notes

    def future(self):
        """Find the inputs of the rows to forecast.

        Returns
        -------
        DataFrame or None
            The inputs known ahead, over the labels that follow; None where there are none.

        Raises
        ------
        ValueError
            When one is missing, naming it and the rows, or no label is known to follow.
        """
        name, horizon, index = self.test.name, self.test.steps, self.test.read().index
        clock = Clock.from_index(index)
        write = label_writer(index)
        if clock is not None and not clock.is_regular:
            raise ValueError(
                f"the times of {name} have no regular step, so that those after "
                f"{write(index[-1])} are not known: give rows at even steps, such as the mean of "
                "each hour or day."
            )
        if not self.known_future:
            return None
        if clock is None:
            due = pd.RangeIndex(index[-1] + 1, index[-1] + 1 + horizon)  # row numbers count on
        else:
            due = clock.after(index[-1], horizon).rename(index.name)
        rows = self.rows_after.reindex(due)[self.known_future]
        # steps up to the first row that lacks an input
        n = int(rows.notna().all(axis=1).cummin().sum())
        if n == horizon:
            return rows
        column = rows.columns[rows.iloc[n].isna()][0]
        fewer = f", give horizon={n}" if n else ""
        raise ValueError(
            f"the forecast from {write(due[0])} to {write(due[-1])} needs the input {column!r} in "
            f"each of its {horizon} rows, and {name} lacks it from {write(due[n])} on: add rows "
            f"with {column!r} and an empty target{fewer}, or leave it out of known_future."
        )


class _Chosen:
    """A model that a test has chosen, or the user, and why; a subclass has the fields."""

    @property
    def forecaster(self):
        """Name of the model that forecasts, as it was fitted on all rows."""
        return self._name(self.evaluation.chosen)

    def _name(self, tested):
        """Return the name that a model of the test has on all rows."""
        return self.names.get(tested, tested)

    @property
    def reason(self):
        """Reason for this model, and by how much it won or lost the test, in a sentence."""
        errors, chosen = self.evaluation.errors, self.evaluation.chosen
        best, target = errors.index[0], self.evaluation.task.target
        start = f"{target!r} is forecast by {self.forecaster}, {self._why}"
        if chosen != best and (self.is_named or self._is_automatic):
            # a model without any forecast has no error in the table
            how = errs(errors[chosen], errors[best]) if chosen in errors else "diverged in it"
            return f"{start}; {best} won the test, {chosen} {how}."
        if self.is_named:
            return f"{start}; it won the test too{self._otherwise}."
        if chosen == best:
            return f"{start}{self._otherwise}."
        return f"{start}, as those of {best} do{self._otherwise}."

    @property
    def _otherwise(self):
        """A clause where a network lived in the test and is off on all rows, or the reverse."""
        tested = self.evaluation.chosen
        if self.forecaster == tested:
            return ""
        was = "was off" if is_off(self.evaluation.models[tested]) else "lived"
        return f"; in the test its network {was}"

    @property
    def _is_automatic(self):
        return self.evaluation.chosen == LEARNED["auto"]

    @property
    def _why(self):
        """Reason for this model, in few words."""
        if self.is_named:
            return "as asked"
        if self.evaluation.chosen == self.evaluation.errors.index[0]:
            return "the winner of the test"
        if self._is_automatic:
            return "as no other is named"
        return "the best in the test of those whose forecasts do not break off"


@dataclass(frozen=True, eq=False)
class Fitted(_Chosen):
    """A model of a test, fitted on all rows.

    Parameters
    ----------
    evaluation : HorizonEvaluation
        The hold-out test that went before.
    model : Forecaster
        Its chosen model, fitted.
    is_named : bool, default=False
        Whether the model was asked for by name; else it is the best in the test.
    names : dict of str to str, default={}
        What it is called once it is fitted on all rows.

    See Also
    --------
    fit_chosen : Makes one.

    Examples
    --------
    >>> import pandas as pd
    >>> from narxkit.evaluation import fit_chosen, task_from_frame
    >>> days = pd.date_range("2024-01-01", periods=60)
    >>> task = task_from_frame(pd.DataFrame({"load": [1.0, 2, 3] * 20}, index=days), horizon=2)
    >>> fit_chosen(task, model="arx").forecaster
    'ridge ARX'
    """

    evaluation: HorizonEvaluation
    model: Forecaster
    is_named: bool = False
    names: Mapping = field(default_factory=dict)

    @property
    def about(self):
        """Sentences on what AutoNARX has chosen on all rows; "" of any other model."""
        return _describe(self.model)


@dataclass(frozen=True, eq=False)
class Forecast(_Chosen):
    """A forecast past the end of a series.

    Parameters
    ----------
    evaluation : HorizonEvaluation
        The hold-out test that went before; its chosen model makes the forecast.
    y_hat : Series
        The forecast, over the labels that follow.
    rivals : dict of str to Series, default={}
        Forecasts of the other models of the test, to be drawn beside it.
    is_named : bool, default=False
        Whether the model was asked for by name; else it is the best in the test.
    names : dict of str to str, default={}
        What models of the test are called once they are fitted on all rows: a network that was
        off in the test may live then, and one that lived may be off.
    fan : DataFrame, default=None
        Ends of intervals around the forecast, ``<target>-lo-80`` and so on.
    about : str, default=""
        Sentences on what AutoNARX has chosen on all rows; "" of any other model.

    See Also
    --------
    look_ahead : Makes one.

    Examples
    --------
    >>> import pandas as pd
    >>> from narxkit.evaluation import look_ahead, task_from_frame
    >>> days = pd.date_range("2024-01-01", periods=100)
    >>> data = pd.DataFrame({"load": [1.0, 2, 3, 4, 5, 0, 0] * 14 + [1, 2]}, index=days)
    >>> forecast = look_ahead(task_from_frame(data, "load", horizon=3), model="arx")
    >>> forecast.to_frame()["load"].round(1)
    2024-04-10    3.0
    2024-04-11    4.0
    2024-04-12    5.0
    Freq: D, Name: load, dtype: float64
    >>> forecast.heading
    'Forecast by ridge ARX, fitted on all rows up to 2024-04-09'
    """

    evaluation: HorizonEvaluation
    y_hat: pd.Series
    rivals: Mapping = field(default_factory=dict)
    is_named: bool = False
    names: Mapping = field(default_factory=dict)
    fan: pd.DataFrame | None = None
    about: str = ""

    @property
    def heading(self):
        """The models that forecast, in a line."""
        return heading([self])

    @property
    def rmse(self):
        """Root mean squared error of the chosen model by horizon, on the hold-out rows."""
        run = self.evaluation.backtests[self.evaluation.chosen]
        squares = (run["y_hat"] - run["y"]) ** 2
        return np.sqrt(squares.groupby(run["horizon"]).mean())

    def to_frame(self):
        """Put the forecast and its usual error side by side.

        Returns
        -------
        DataFrame
            Columns named like the target, its intervals, and ``"<target> RMSE"``, the error that
            forecasts of the same horizon had on the hold-out rows.
        """
        target = self.evaluation.task.target
        errors = self.rmse.reindex(np.arange(1, len(self.y_hat) + 1)).to_numpy()
        return self._with_intervals.assign(**{f"{target} RMSE": errors})

    @property
    def _with_intervals(self):
        forecast = self.y_hat.to_frame(self.evaluation.task.target)
        return forecast if self.fan is None else forecast.join(self.fan)

    def plot(self, figure=None):
        """Draw the forecast after its history, and the errors by horizon beside it.

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
        evaluation = self.evaluation
        title = f"{evaluation.caption}: forecast by {self.forecaster}, {self._why}"
        forecasts = {evaluation.chosen: self._with_intervals, **self.rivals}
        forecasts = {self._name(k): forecasts[k] for k in evaluation.backtests if k in forecasts}
        origin = evaluation.y.index[-1]
        return evaluation.draw(forecasts, title, origin, figure=figure, highlight=self.forecaster)


def task_from_frame(
    data,
    target=None,
    inputs=(),
    known_future=(),
    horizon=24,
    lags=None,
    name="the data",
    holidays=None,
):
    """Make a task of a series of the user.

    The last fifth is held out. The lags and the season follow from the step of the clock: a day of
    hours, a week of days, a year of months.

    Parameters
    ----------
    data : DataFrame
        Numbers, with a DatetimeIndex or row numbers.
    target : str, default=None
        Column to forecast; by default the only one.
    inputs : sequence of str, default=()
        Other columns that the forecast may rest on. Of those that are not known ahead networks and
        ridge ARX read lags of at least the horizon; AutoNARX tries to forecast them beside the
        target.
    known_future : sequence of str, default=()
        Inputs that are known ahead; `data` must hold them in the rows to forecast, after the last
        value of the target.
    horizon : int, default=24
        Steps to forecast.
    lags : int or sequence of int, default=None
        Lags of the output; by default a season, 24 at most, and the season itself. AutoNARX
        chooses its own.
    name : str, default="the data"
        Name of the series in errors.
    holidays : str or tuple (country, region), default=None
        Country of holidays that models which learn may read, such as "DE".

    Returns
    -------
    FrameTask
        The task.

    Raises
    ------
    ValueError
        When columns are not there or the series is too short.

    See Also
    --------
    look_ahead : Tests and forecasts.
    narxkit.files.read_series : Reads files.

    Examples
    --------
    >>> import pandas as pd
    >>> from narxkit.evaluation import task_from_frame
    >>> hours = pd.date_range("2024-01-01", periods=1000, freq="h")
    >>> task = task_from_frame(pd.DataFrame({"load": range(1000)}, index=hours))
    >>> task.test.season, task.test.output_lags
    (24, 24)
    """
    inputs = list(dict.fromkeys([*inputs, *known_future]))
    target = find_target(data, target, inputs, name)
    last = data[target].last_valid_index()
    if last is None:
        raise ValueError(f"the column {target!r} of {name} holds no number.")
    known = data.loc[data[target].first_valid_index() : last]
    clock = Clock.from_index(known.index)
    season, step = _season(clock, len(known)), _step_name(clock)
    lags = default_lags(season) if lags is None else lags
    # what is not known ahead is read from before the origin, at every step
    input_lags = {c: [0, 1] if c in known_future else [horizon, horizon + 1] for c in inputs}
    # the baselines and lags of unknown inputs need rows, too
    unknown = horizon + 1 if set(inputs) - set(known_future) else 1
    history = max(largest_lag(lags, "lags"), season, unknown)
    # at least `horizon` origins, so that one luck does not choose the model
    n_test = max(len(known) // HELD_OUT, history + 2 * horizon - 1)
    n_training = len(known) - n_test
    if n_training < history + max(SHORTEST, horizon):
        raise ValueError(
            f"{name} has {len(known)} rows of {target!r}, but a forecast of {horizon} steps with a "
            f"season or lags of {history} needs at least "
            f"{n_test + history + max(SHORTEST, horizon)} to learn from and to be tested on: "
            "give a longer series, a smaller horizon or smaller lags."
        )
    test = HorizonTask(
        name=name,
        title=str(target),
        load=known.copy,
        target=target,
        unit="",
        training=(known.index[0], known.index[n_training - 1]),
        validation=None,
        test=(known.index[n_training], known.index[-1]),
        input_lags=input_lags,
        output_lags=lags,
        settings={"max_iter": MAX_ITER},
        history=history,
        steps=horizon,
        step=step,
        is_bridged=True,
        season=season,
        climate=_climate(clock, known.index[:n_training]),
        # a block holds whole forecasts and a week of days, so that its errors leave the next alone
        block=max(horizon, 7 * season),
        default="auto",
        holidays=holidays,
    )
    # slices of labels hold both ends: the last row of the target goes again
    unread = [column for column in data if column not in (target, *inputs)]
    return FrameTask(test, list(known_future), data.loc[last:].iloc[1:], unread)


def find_target(data, target=None, inputs=(), name="the data"):
    """Find the column to forecast, beside its inputs.

    Parameters
    ----------
    data : DataFrame
        Numbers.
    target : str, default=None
        The column; by default the only one that is no input.
    inputs : sequence of str, default=()
        Other columns that the forecast may rest on.
    name : str, default="the data"
        Name of the table in errors.

    Returns
    -------
    str
        The column.

    Raises
    ------
    ValueError
        When a column is not there, several could be meant, or the target is an input.

    Examples
    --------
    >>> import pandas as pd
    >>> from narxkit.evaluation import find_target
    >>> find_target(pd.DataFrame({"load": [1.0], "wind": [2.0]}), inputs=["wind"])
    'load'
    """
    left = [column for column in data if column not in inputs]
    if target is None and not left:
        raise ValueError(
            f"{name} has no column to forecast: all of its columns, {listed(data.columns)}, are "
            "inputs; leave one of them out."
        )
    if target is None and len(left) != 1:
        raise ValueError(
            f"{name} has {len(left)} columns that could be forecast, {listed(left)}: name one, as "
            f"in target={_quoted(left[0])}."
        )
    target = left[0] if target is None else target
    unknown = [column for column in (target, *inputs) if column not in data]
    if unknown:
        raise ValueError(
            f"{name} has no column of numbers {unknown[0]!r}: it has {listed(data.columns)}."
        )
    if target in inputs:
        raise ValueError(
            f"{target!r} is the target and cannot be an input: its lags are used anyhow."
        )
    return target


def look_ahead(task, model=None, random_state=0, progress=None, rivals=False, level=None):
    """Test models on the held-out rows, then fit one on all rows and forecast past the end.

    Parameters
    ----------
    task : FrameTask
        The task.
    model : {"auto", "narx", "tdnn", "arx", "elman", "gru", "lstm"}, default=None
        The model to forecast with, tested beside the baselines. By default AutoNARX: it has
        combined models by many forecasts, and a baseline that wins one test may be lucky. Where
        it breaks off, the winner of the test forecasts.
    random_state : int, default=0
        Seed of the networks.
    progress : callable, default=None
        ``progress(text, done, total)`` is called as the work proceeds.
    rivals : bool, default=False
        Whether the other models are fitted on all rows and forecast too.
    level : float or sequence of float, default=None
        Intervals around the forecast, in per cent.

    Returns
    -------
    Forecast
        The forecast and its test.

    Raises
    ------
    ValueError
        When inputs that are known ahead are missing, or there are too few rows for a level.
    KeyboardInterrupt
        When Ctrl-C cut the training short.

    Examples
    --------
    >>> import pandas as pd
    >>> from narxkit.evaluation import look_ahead, task_from_frame
    >>> days = pd.date_range("2024-01-01", periods=60)
    >>> task = task_from_frame(pd.DataFrame({"load": [1.0, 2, 3] * 20}, index=days), horizon=2)
    >>> look_ahead(task, model="arx").reason
    "'load' is forecast by ridge ARX, as asked; it won the test too."
    """
    progress = progress or no_progress
    # first of all, so that missing inputs are known before a network is trained
    future = task.future()
    read_levels(level)  # and so is a level out of range
    evaluation = run(task.test, (model or task.test.default,), random_state, progress)
    # one fit for each model, for the forecast, its name and its picture
    forecast = cache(partial(_forecast, evaluation, future=future, progress=progress))
    names = [evaluation.chosen, *([] if model else evaluation.ranked)]
    # unless its forecast diverges on all rows
    chosen = next((name for name in names if np.isfinite(forecast(name)[1]).all()), names[0])
    others = [name for name in evaluation.models if name != chosen] if rivals else []  # a fit each
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what rivals lack is seen in the picture
        drawn = {name: forecast(name)[1] for name in others}
    called = {name: forecast(name)[0] for name in (chosen, *others)}
    evaluation = replace(evaluation, chosen=chosen)
    _, y_hat, fitted = forecast(chosen)
    fan = None
    if level is not None:
        progress(f"intervals of {called[chosen]}", 0, 1)
        fan = fitted.forecast(evaluation.task.steps, X=future, level=level).iloc[:, 1:]
    about = _describe(fitted)
    return Forecast(evaluation, y_hat, drawn, model is not None, called, fan, about)


def fit_chosen(task, model=None, random_state=0, progress=None):
    """Test models on the held-out rows, then fit one on all rows.

    Parameters
    ----------
    task : FrameTask
        The task.
    model : {"auto", "narx", "tdnn", "arx", "elman", "gru", "lstm"}, default=None
        The model to fit; by default AutoNARX, as in `look_ahead`.
    random_state : int, default=0
        Seed of the networks.
    progress : callable, default=None
        ``progress(text, done, total)`` is called as the work proceeds.

    Returns
    -------
    Fitted
        The model and its test.

    Raises
    ------
    KeyboardInterrupt
        When Ctrl-C cut the training short.

    Examples
    --------
    >>> import pandas as pd
    >>> from narxkit.evaluation import fit_chosen, task_from_frame
    >>> days = pd.date_range("2024-01-01", periods=60)
    >>> task = task_from_frame(pd.DataFrame({"load": [1.0, 2, 3] * 20}, index=days), horizon=2)
    >>> fit_chosen(task, model="arx").model.forecast(2).round(1).tolist()
    [1.0, 2.0]
    """
    progress = progress or no_progress
    evaluation = run(task.test, (model or task.test.default,), random_state, progress)
    called, fitted = _fit_on_all(evaluation, evaluation.chosen, progress)
    return Fitted(evaluation, fitted, model is not None, {evaluation.chosen: called})


def _forecast(evaluation, name, future, progress):
    """Fit a model of the test again, on all rows; return its name then, its forecast, and it."""
    name, model = _fit_on_all(evaluation, name, progress)
    return name, model.forecast(evaluation.task.steps, X=future), model


def _describe(model):
    return model.describe() if isinstance(model, AutoNARX) else ""


def _fit_on_all(evaluation, name, progress):
    """Fit a model of the test again, on all rows; return its name then, and the model."""
    test, data = evaluation.task, evaluation.task.read()
    model = clone(evaluation.models[name])  # the fitted one stays with its test
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".* were left out of training")  # the test said so
        fit(f"{name} on all rows", model, test, data, progress)
    is_network = type(model) in NETWORKS.values()
    return fitted_name(model) if is_network else name, model


def heading(forecasts):
    """Say which models forecast, and from which rows, in a line.

    Parameters
    ----------
    forecasts : sequence of Forecast
        The forecasts.

    Returns
    -------
    str
        The line.

    Examples
    --------
    >>> import pandas as pd
    >>> from narxkit.evaluation import heading, look_ahead, task_from_frame
    >>> months = pd.date_range("2020-01-01", periods=60, freq="MS")
    >>> data = pd.DataFrame({"a": [1.0, 2, 3] * 20, "b": [3.0, 2, 1] * 20}, index=months)
    >>> tasks = [task_from_frame(data, target, horizon=2) for target in ("a", "b")]
    >>> heading([look_ahead(task, model="arx") for task in tasks])
    'Forecast by ridge ARX, fitted on all rows up to 2024-12'
    """
    models = " and ".join(dict.fromkeys(forecast.forecaster for forecast in forecasts))
    ends = [forecast.evaluation.y.index for forecast in forecasts]
    last = {label_writer(index)(index[-1]) for index in ends}
    until = f" up to {last.pop()}" if len(last) == 1 else ""  # targets may end at different rows
    return f"Forecast by {models}, fitted on all rows{until}"


def side_by_side(forecasts):
    """Gather the forecasts of several targets.

    Parameters
    ----------
    forecasts : sequence of Forecast
        The forecasts.

    Returns
    -------
    DataFrame
        Their columns over all their labels, each name once: where a target is called like the
        error of another one, that error is called ``"<target> RMSE of the test"``.

    Examples
    --------
    >>> import pandas as pd
    >>> from narxkit.evaluation import look_ahead, task_from_frame, side_by_side
    >>> days = pd.date_range("2024-01-01", periods=60)
    >>> data = pd.DataFrame({"a": [1.0, 2, 3] * 20, "b": [3.0, 2, 1] * 20}, index=days)
    >>> tasks = [task_from_frame(data, target, horizon=2) for target in ("a", "b")]
    >>> list(side_by_side([look_ahead(task, model="arx") for task in tasks]))
    ['a', 'a RMSE', 'b', 'b RMSE']
    """
    frames = [forecast.to_frame() for forecast in forecasts]
    # targets keep their names, and errors give way
    taken = {frame.columns[0] for frame in frames}
    for frame in frames:
        beside = []
        for column in frame.columns[1:]:
            beside.append(_unused(column, taken))
            taken.add(beside[-1])
        frame.columns = [frame.columns[0], *beside]
    table = pd.concat(frames, axis=1).sort_index()
    return table.rename_axis(_unused(table.index.name or "row", taken))


def _unused(name, taken):
    """Return a name that is not taken yet, near to the one given."""
    while name in taken:
        name = f"{name} of the test" if name.endswith(" RMSE") else f"{name}_"
    return name


def plot_forecasts(forecasts):
    """Draw several forecasts below each other.

    Parameters
    ----------
    forecasts : sequence of Forecast
        The forecasts.

    Returns
    -------
    Figure
        The figure.

    Examples
    --------
    >>> import pandas as pd
    >>> from narxkit.evaluation import look_ahead, task_from_frame, plot_forecasts
    >>> data = pd.DataFrame({"load": [1.0, 2, 3] * 20})
    >>> len(plot_forecasts([look_ahead(task_from_frame(data, horizon=2), model="arx")]).axes)
    2
    """
    n = len(forecasts)
    figure = load_matplotlib("figure").Figure((11, 4 * n), dpi=150, layout="constrained")
    figure.get_layout_engine().set(wspace=0.06)
    for forecast, part in zip(forecasts, np.ravel(figure.subfigures(n, 1))):
        forecast.plot(part)
    return figure


def _season(clock, n):
    """Return the rows of a season; 1 for none, or where fewer than four are seen."""
    season = 1 if clock is None else clock.season()
    # a test and three seasons to learn from
    return season if 4 * season <= n else 1


def default_lags(season):
    """Return lags of the target that hold a season."""
    if season == 1:
        return 5
    return season if season <= MOST_LAGS else [*range(1, MOST_LAGS + 1), season]


def _climate(clock, index):
    """Return the fields of the calendar that the training rows hold in full."""
    if clock is None or clock.unit not in ("second", "session", "month"):
        return ()
    # months that were never seen have no mean
    is_year = index[-1] - index[0] >= pd.Timedelta(days=364)
    month = ("month",) if is_year else ()
    if clock.unit == "month":
        return month if clock.step < 12 else ()  # years know one month alone
    if clock.step > DAY:
        return month
    if clock.step == DAY:
        return (*month, "day_of_week")
    return (*month, "hour") if clock.step % HOUR == 0 else (*month, "hour", "minute")


def _step_name(clock):
    if clock is None:
        return "rows"
    if clock.unit in ("second", "session"):
        return _NAMES.get(clock.step, "steps")
    return {("month", 1): "mo", ("month", 12): "y", ("trading day", 1): "d"}.get(
        (clock.unit, clock.step), "steps"
    )


def _quoted(name):
    return f'"{name}"' if re.search(r"[^\w.-]", str(name)) else str(name)
