"""Many steps ahead: the evaluation of a series with a season."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd

from narxkit.auto import AutoNARX
from narxkit.forecasters.baselines import Climatology, Persistence, SeasonalNaive, SmartPersistence
from narxkit.model_selection import skill_table
from narxkit.networks import largest_lag
from narxkit.plotting import ForecastDisplay, HorizonDisplay
from narxkit.plotting.base import load_matplotlib

from ._base import NETWORKS, Evaluation, Task

SKILL = "Skill: 1 - mean RMSE / that of"
NAIVE = "the better of persistence and seasonal naive at each horizon (naive)"
BOTH = "persistence (pers.), or of the better of it and seasonal naive at each horizon (naive)"
RATIO = "Ratio: mean RMSE / that of ridge ARX."
INTERVAL = (
    " Its 95 % interval (low, high) comes from {n} blocks of {block} origins, drawn with "
    "replacement 2,000 times."
)
MIN_BLOCKS = 10
LONGEST_NAME = 60  # letters, of a quantity in a picture
ROUNDING = 1e-12  # of the largest output: smaller errors are none
LEVEL = 1.0005  # errors that differ by less are the same to one decimal of a per cent


@dataclass(frozen=True, eq=False, kw_only=True)
class HorizonTask(Task):
    """A series to forecast many steps ahead.

    Parameters
    ----------
    season : int, default=24
        Period of the seasonal naive; 1 where there is none.
    climate : tuple of str, default=("month", "hour")
        Fields that the climatology averages by; no climatology where empty.
    clear_sky : dict, default={}
        Parameters of SmartPersistence; none where it is empty.
    block : int, default=168
        Origins in a block of the bootstrap.

    See Also
    --------
    Task : The other parameters.

    Examples
    --------
    >>> from narxkit.evaluation import TASKS
    >>> list(TASKS["wind"].baselines())
    ['persistence', 'seasonal naive', 'climatology', 'ridge ARX']
    """

    season: int = 24
    climate: tuple = ("month", "hour")
    clear_sky: Mapping = field(default_factory=dict)
    block: int = 168

    def baselines(self):
        """Make the models to compare with, not fitted."""
        bounds = {"output_range": self.output_range}
        models = {"persistence": Persistence(**bounds)}
        if self.clear_sky:
            models["smart persistence"] = SmartPersistence(**self.clear_sky, **bounds)
        if self.season > 1:
            models["seasonal naive"] = SeasonalNaive(self.season, **bounds)
        if self.climate:
            models["climatology"] = Climatology(self.climate, **bounds)
        return models | {"ridge ARX": self.ridge()}

    def with_options(self, target=None, horizon=None, lags=None):
        """Make the task with other options; it then follows no named protocol."""
        if target not in (None, self.target):
            raise ValueError(
                f"{self.name} forecasts {self.target!r}: its inputs and bounds are chosen for it."
            )
        options = {"steps": horizon, "output_lags": lags}
        options = {name: option for name, option in options.items() if option is not None}
        if not options:
            return self
        # an origin has as many rows before it as lags read
        history = max(self.history, largest_lag(options.get("output_lags", 1), "lags"))
        return replace(self, protocol="", history=history, **options)

    def evaluation(self, *answers):
        """Gather models and backtests as an evaluation."""
        return HorizonEvaluation(self, *answers)

    def validation_task(self):
        """Make the task whose test is the validation period: choices are made there.

        Returns
        -------
        HorizonTask
            Fitted on the training period alone; its climatology leaves out the month, which the
            training period need not hold.

        Examples
        --------
        >>> from narxkit.evaluation import TASKS
        >>> validation_task = TASKS["solar"].validation_task()
        >>> validation_task.fitting, validation_task.test
        (('2017-01', '2017-10'), ('2017-11', '2017-12'))
        """
        climate = tuple(part for part in self.climate if part != "month")
        return replace(self, validation=None, test=self.validation, climate=climate)


@dataclass(frozen=True, eq=False)
class HorizonEvaluation(Evaluation):
    """Backtests and models of a `HorizonTask`.

    See Also
    --------
    run : Makes one.
    Evaluation : The parameters.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from narxkit.evaluation import TASKS, run
    >>> may = {"training": ("2017-05-01", "2017-05-12"), "validation": None}
    >>> evaluation = run(replace(TASKS["solar"], **may, test=("2017-05-13", "2017-05-20")))
    >>> evaluation.n_origins
    121
    >>> list(evaluation.table().index)[1:4]
    ['persistence', 'smart persistence', 'seasonal naive']
    """

    def table(self, interval=False):
        """Summarise the errors of all models and their skill."""
        horizons = sorted({1, -(-self.task.steps // 3), self.task.steps})
        table = skill_table(
            self._compared,
            horizons,
            fit_seconds=self.fit_seconds,
            interval=interval and self.n_blocks >= MIN_BLOCKS,
            block=self.task.block,
        )
        # models without any forecast come back as rows of NaN
        return table.reindex(list(self.backtests))

    @property
    def _compared(self):
        """Backtests with a forecast: targets are compared that all models have, and a network that
        diverged from every origin would leave none."""
        some = {k: run for k, run in self.backtests.items() if run["y_hat"].notna().any()}
        return some or self.backtests

    @property
    def n_blocks(self):
        """Blocks of origins that the bootstrap draws from."""
        return -(-self.n_origins // self.task.block)

    def notes(self, interval=False):
        """Explain the table and its protocol, and say what came out."""
        task = self.task
        of_models = *self.of_networks, self.of_past_inputs, self.verdict
        notes = self._measures(interval), self.protocol, task.why, task.bridges, *of_models
        return [note for note in notes if note]

    def _measures(self, interval):
        """Describe the columns; beside an interval there is no room for a second skill."""
        has_interval = interval and self.n_blocks >= MIN_BLOCKS
        if self.task.season == 1:
            skill = "" if has_interval else f"{SKILL} persistence. "
        else:
            skill = f"{SKILL} {NAIVE if has_interval else BOTH}. "
        blocks = INTERVAL.format(n=self.n_blocks, block=self.task.block) if has_interval else ""
        return skill + RATIO + blocks

    @cached_property
    def errors(self):
        """Mean over the horizons of the root mean squared error of each model, the least first.

        Of equal ones, as of a constant series, what may hold a network comes last.
        """
        errors = self.table()["RMSE mean"].dropna()
        errors = errors.where(errors > ROUNDING * self.y.abs().max(), 0.0)
        kinds = AutoNARX, *NETWORKS.values()
        is_network = np.array([isinstance(self.models.get(k), kinds) for k in errors.index], bool)
        # a stable sort leaves networks behind what is as good and simpler
        return pd.concat([errors[~is_network], errors[is_network]]).sort_values(kind="stable")

    @property
    def ranked(self):
        """Names of the models that can be relied on to forecast, the best first.

        A model is left out where it lacks forecasts that others have: it diverged, or met a month
        it had never seen. With inputs that is counted against ridge ARX, as missing inputs cost
        both of them forecasts that no model of the target alone loses.
        """
        n = {name: int(run["y_hat"].notna().sum()) for name, run in self.backtests.items()}
        least = n["ridge ARX"] if self.task.input_lags else max(n.values())
        return [name for name in self.errors.index if n[name] >= least]

    @property
    def verdict(self):
        """The best model, in one sentence."""
        errors = self.errors
        best, second = errors.index[:2]
        other = self.chosen if self.chosen in errors.index[1:] else second
        lead = "On the mean over the horizons"
        if errors[other] <= LEVEL * errors[best]:
            return f"{lead} {best} and {other} are level."
        return f"{lead} {best} is best; {other} {errs(errors[other], errors[best])}."

    def typical_origin(self):
        """Find the origin of a typical forecast of the chosen model.

        Returns
        -------
        label
            Of the origins just before midnight, or else of all, the one whose forecast has the
            median error.
        """
        run = self.backtests[self.chosen]
        squares = (run["y_hat"] - run["y"]) ** 2
        errors = squares.groupby(run["origin"].to_numpy()).mean().dropna()
        before = self._before_midnight().intersection(errors.index)
        ranked = errors.loc[before if len(before) else errors.index].sort_values()
        # of an even number, too, the error of one forecast and not a mean of two
        return ranked.index[len(ranked) // 2]

    def _before_midnight(self):
        index = self.y.index
        if not isinstance(index, pd.DatetimeIndex):
            return index[:0]
        return index[:-1][np.diff(index.normalize()) > pd.Timedelta(0)]

    def plot(self, figure=None):
        """Draw a week of history with one typical forecast, and the errors by horizon beside it."""
        origin = self.typical_origin()
        forecasts = {name: self.forecast(origin, name)["y_hat"] for name in self.backtests}
        title = f"{self.caption}: {self.chosen}, a forecast of median error in the test"
        return self.draw(forecasts, title, origin, self.forecast(origin)["y"], figure)

    @property
    def caption(self):
        """Title, horizon and unit in a line, for a picture."""
        return replace(self.task, title=as_text(self.task.title)).heading

    def draw(self, forecasts, title, origin, y_true=None, figure=None, highlight=None):
        """Draw forecasts of several models from one origin, and the errors by horizon beside them.

        Parameters
        ----------
        forecasts : dict of str to Series
            Forecasts by model.
        title : str
            The title, in a line.
        origin : label
            The last known row.
        y_true : Series, default=None
            Measured values.
        figure : matplotlib Figure, default=None
            Where to draw; by default on a new one.
        highlight : str, default=None
            The forecast that stands out; by default that of the chosen model.

        Returns
        -------
        Figure
            The figure.
        """
        left, right = two_panels(figure)
        stop = self.y.index.get_loc(origin) + 1
        ForecastDisplay.from_predictions(
            y_true,
            forecasts,
            history=self.y.iloc[max(0, stop - self.n_shown) : stop],
            highlight=highlight or self.chosen,
            target=as_text(self.task.target),
            unit=self.task.unit,
            ax=left,
        )
        self.plot_errors(right)
        return with_title(left.figure, title)

    @property
    def n_shown(self):
        """Rows of history beside a forecast: a week of days, or seven times the forecast."""
        return 7 * (self.task.season if self.task.season > 1 else self.task.steps)

    def plot_errors(self, ax):
        """Draw the errors by horizon.

        Parameters
        ----------
        ax : matplotlib Axes
            Where to draw.
        """
        task = self.task
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Data has no positive values")
            display = HorizonDisplay.from_backtests(
                self._compared,
                highlight=self.chosen if self.chosen in self._compared else None,
                unit=task.unit or None,
                step=task.step,
                ax=ax,
            )
        if not (display.rmse.to_numpy() > 0).any():
            ax.set_yticks([])  # there is no logarithm to read
        if task.steps == 1:
            ax.set_xticks([1])


def errs(error, least):
    """Write how much larger an error is than the least, such as "errs by 5.0 % more"."""
    if error <= LEVEL * least:
        return "errs no more"
    if error > 10 * least:
        return "errs more than ten times as much"
    return f"errs by {100 * (error / least - 1):.1f} % more"


def as_text(name):
    """Escape dollars in a name: between them matplotlib would set formulas."""
    name = str(name)
    name = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
    return " ".join(name.split()).replace("$", r"\$")


def with_title(figure, title):
    """Put a line above a figure."""
    figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    return figure


def two_panels(figure=None):
    """Make a wide panel and a narrow one, on a new figure unless one is given."""
    if figure is None:
        # not a figure of pyplot, which keeps each until it is closed
        figure = load_matplotlib("figure").Figure((11, 4), dpi=150, layout="constrained")
        figure.get_layout_engine().set(wspace=0.06)
    return figure.subplots(1, 2, width_ratios=(1.8, 1))
