"""Plots of forecasts, of errors by horizon and of training, in scikit-learn's Display form.

A display keeps arrays; its class methods take them from a model or from backtests, and ``plot``
draws them onto any axes and keeps the artists. The global style of matplotlib is never touched,
and matplotlib itself is imported when something is drawn.
"""

from importlib import import_module

import numpy as np
import pandas as pd
from scipy.optimize import isotonic_regression

__all__ = ["ForecastDisplay", "HorizonDisplay", "TrainingDisplay"]

INK, GREY, PALE = "#222222", "#767676", "#dddddd"
# Okabe and Ito's palette: told apart by the colour-blind too
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#b5658f", "#c98700", "#3a9bdc")
SMALL = 9.0  # points, for labels inside the axes
# leading digits of the ticks of a logarithmic axis, while high / low is below the key
_TICKS = {1e3: (1, 2, 5), np.inf: (1,)}
FEW_TICKS = 8  # below this ratio a logarithmic axis is ticked like a linear one


def load_matplotlib(module="pyplot"):
    """Import a module of matplotlib.

    Parameters
    ----------
    module : str, default="pyplot"
        Its name inside the package.

    Returns
    -------
    module

    Raises
    ------
    ImportError
        Where matplotlib is missing; the sentence says how to get it.
    """
    try:
        return import_module(f"matplotlib.{module}")
    except ImportError as error:
        raise ImportError(
            "plots need matplotlib, which is not installed: pip install 'narxkit[plot]'."
        ) from error


class _Display:
    """What the displays share: axes in a quiet style."""

    def _open(self, ax):
        if ax is None:
            _, ax = load_matplotlib().subplots(layout="constrained")
        self.ax_, self.figure_ = ax, ax.figure
        ax.spines[["top", "right"]].set_visible(False)
        ax.spines[["left", "bottom"]].set_color(GREY)
        ax.tick_params(which="both", colors=GREY, labelcolor=INK, labelsize=SMALL)
        return ax

    def _name_axes(self, x, y):
        """Name the axes; y stands level above its axis, where it is read without a turn."""
        self.ax_.set_xlabel(x, color=INK, fontsize=SMALL)
        self.ax_.set_title(y, color=INK, fontsize=SMALL, loc="left", pad=8)


class ForecastDisplay(_Display):
    """History, one or more forecasts, and what really happened.

    Parameters
    ----------
    y_pred : dict of str to Series
        Forecasts by name.
    y_true : Series, default=None
        What really happened.
    history : Series, default=None
        Measured values up to the origin.
    target : str, default=None
        Name of the quantity; by default that of the series.
    unit : str, default=None
        Its unit.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What was drawn on.
    figure_ : matplotlib Figure
        Its figure.
    history_line_, true_line_ : matplotlib Line2D or None
        The measured values before and after the origin.
    forecast_lines_ : dict of str to matplotlib Line2D
        The forecasts by name.
    origin_line_ : matplotlib Line2D or None
        The end of the history.
    legend_ : matplotlib Legend
        Names of the lines.

    See Also
    --------
    HorizonDisplay : How the error grows with the horizon.

    Examples
    --------
    >>> import pandas as pd
    >>> from narxkit.plotting import ForecastDisplay
    >>> days = pd.date_range("2024-03-01", periods=9, name="day")
    >>> y = pd.Series([3.0, 4, 6, 3, 4, 6, 3, 5, 6], index=days, name="power")
    >>> display = ForecastDisplay.from_predictions(y[6:], [3, 4, 6], history=y[:6], unit="kW")
    >>> display.ax_.get_title(loc="left"), display.ax_.get_xlabel()
    ('power, kW', 'day')
    """

    def __init__(self, *, y_pred, y_true=None, history=None, target=None, unit=None):
        self.y_pred = y_pred
        self.y_true = y_true
        self.history = history
        self.target = target
        self.unit = unit

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X=None,
        y=None,
        *,
        steps=None,
        history=None,
        name=None,
        target=None,
        unit=None,
        ax=None,
        **kwargs,
    ):
        """Draw what a fitted model forecasts after the last row that it has seen.

        Parameters
        ----------
        estimator : estimator
            Fitted; asked for ``predict(X)``, or without X for ``forecast(steps)``.
        X : DataFrame or array-like of shape (n, n_features), default=None
            Inputs of the rows that follow the last row seen.
        y : Series or array-like of shape (n,), default=None
            What really happened there.
        steps : int, default=None
            Number of steps where there is no X; by default the length of y.
        history : Series or array-like, default=None
            Measured values up to the last row seen.
        name : str, default=None
            Name of the forecast; by default that of the estimator's class.
        target, unit : str, default=None
            Name of the quantity, and its unit.
        ax : matplotlib Axes, default=None
            Where to draw; by default on a new figure.
        **kwargs : dict
            Properties of the forecast line.

        Returns
        -------
        ForecastDisplay
            The display, drawn.
        """
        if X is None:
            y_pred = estimator.forecast(len(y) if steps is None else steps)
        else:
            y_pred = estimator.predict(X)
            index = getattr(X, "index", None)
            if index is not None and np.ndim(y_pred) == 1:
                y_pred = pd.Series(y_pred, index=index)
        name = type(estimator).__name__ if name is None else name
        return cls.from_predictions(
            y, {name: y_pred}, history=history, target=target, unit=unit, ax=ax, **kwargs
        )

    @classmethod
    def from_predictions(
        cls, y_true, y_pred, *, history=None, target=None, unit=None, ax=None, **kwargs
    ):
        """Draw forecasts that are there already.

        Parameters
        ----------
        y_true : Series, array-like of shape (n,) or None
            What really happened.
        y_pred : Series, array-like of shape (n,), or dict of such by name
            One forecast or several.
        history : Series or array-like, default=None
            Measured values up to the origin.
        target, unit : str, default=None
            Name of the quantity, and its unit.
        ax : matplotlib Axes, default=None
            Where to draw; by default on a new figure.
        **kwargs : dict
            Properties of the forecast lines.

        Returns
        -------
        ForecastDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            When values are not one series, or some have time stamps and others cannot get them.

        Notes
        -----
        Arrays take the index of ``y_true``, or of a forecast; where none has one they are counted
        in steps from the origin.
        """
        named = y_pred if isinstance(y_pred, dict) else {"forecast": y_pred}
        ahead = _same_index({"y_true": y_true, **named})
        y_true = ahead.pop("y_true")
        if history is not None:
            history = _as_series("history", history, pd.RangeIndex(1 - len(history), 1))
        _check_one_clock([history, y_true, *ahead.values()])
        display = cls(y_pred=ahead, y_true=y_true, history=history, target=target, unit=unit)
        return display.plot(ax=ax, **kwargs)

    def plot(self, ax=None, **kwargs):
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; by default on a new figure.
        **kwargs : dict
            Properties of the forecast lines.

        Returns
        -------
        ForecastDisplay
            The display itself.
        """
        ax = self._open(ax)
        self.history_line_ = self.true_line_ = self.origin_line_ = None
        if self.history is not None:
            self._draw_history()
        if self.y_true is not None:
            (self.true_line_,) = ax.plot(
                *_points(self.y_true), color=INK, lw=0.9, marker="o", ms=2.8, label="measured",
                zorder=4,
            )  # fmt: skip
        self.forecast_lines_ = {
            name: ax.plot(
                *_points(y_pred),
                **{"color": colour, "lw": 2.4, "label": name, "zorder": 3} | _dot(y_pred) | kwargs,
            )[0]
            for (name, y_pred), colour in zip(self.y_pred.items(), _cycle(len(self.y_pred)))
        }
        ax.margins(x=0.01, y=0.06)
        index = next(iter(self.y_pred.values())).index
        _tell_time(ax, index)
        self._name_axes(_time_name(index), self._quantity())
        self._add_legend()
        return self

    def _draw_history(self):
        ax = self.ax_
        x, y = _points(self.history)
        (self.history_line_,) = ax.plot(x, y, color=GREY, lw=1.0, label="history")
        self.origin_line_ = ax.axvline(x[-1], color=GREY, lw=0.8, ls=(0, (2, 2)), zorder=1)

    def _quantity(self):
        series = [self.y_true, self.history, *self.y_pred.values()]
        names = [s.name for s in series if s is not None and s.name is not None]
        target = str(names[0]) if self.target is None and names else self.target or "value"
        return f"{target}, {self.unit}" if self.unit else target

    def _add_legend(self):
        lines = [self.history_line_, self.true_line_, *self.forecast_lines_.values()]
        self.legend_ = self.ax_.legend(
            handles=[line for line in lines if line is not None],
            loc="lower right",
            bbox_to_anchor=(1.0, 1.0),
            ncols=4,
            frameon=False,
            fontsize=SMALL,
            labelcolor="linecolor",
            handlelength=1.4,
            columnspacing=1.2,
            borderaxespad=0.2,
        )


class HorizonDisplay(_Display):
    r"""Root mean squared error by horizon, each model's name at the end of its line.

    .. math::

        \mathrm{RMSE}_h = \sqrt{\mathrm{mean}_o (\hat y_{o+h} - y_{o+h})^2}

    The axis of errors is logarithmic: equal distances are equal ratios, as skill is.

    Parameters
    ----------
    rmse : DataFrame of shape (n_horizons, n_models)
        Errors; the index holds the horizons.
    highlight : str, default=None
        The model to draw boldly; by default the first.
    unit : str, default=None
        Unit of the errors.
    step : str, default="steps"
        Unit of the horizons.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What was drawn on.
    figure_ : matplotlib Figure
        Its figure.
    lines_ : dict of str to matplotlib Line2D
        Errors by name of the model.
    labels_ : dict of str to matplotlib Annotation
        Names beside the ends of the lines.

    See Also
    --------
    narxkit.skill_table : The same errors as a table.

    Examples
    --------
    >>> from narxkit import Persistence, SeasonalNaive, backtest
    >>> from narxkit.plotting import HorizonDisplay
    >>> y = [1.0, 2.0, 3.0, 1.0, 2.0, 3.0, 1.0, 2.0, 4.0]
    >>> models = {"seasonal naive": SeasonalNaive(period=3), "persistence": Persistence()}
    >>> runs = {k: backtest(m.fit(None, y), None, y, steps=2) for k, m in models.items()}
    >>> display = HorizonDisplay.from_backtests(runs)
    >>> list(display.lines_)
    ['seasonal naive', 'persistence']
    """

    def __init__(self, *, rmse, highlight=None, unit=None, step="steps"):
        self.rmse = rmse
        self.highlight = highlight
        self.unit = unit
        self.step = step

    @classmethod
    def from_backtests(
        cls, backtests, *, highlight=None, unit=None, step="steps", ax=None, **kwargs
    ):
        """Draw the errors of several backtests.

        Parameters
        ----------
        backtests : dict of str to DataFrame
            Answers of `narxkit.backtest` by name; targets that all of them forecast are compared.
        highlight : str, default=None
            The model to draw boldly; by default the first.
        unit : str, default=None
            Unit of the errors.
        step : str, default="steps"
            Unit of the horizons.
        ax : matplotlib Axes, default=None
            Where to draw; by default on a new figure.
        **kwargs : dict
            Properties of all lines.

        Returns
        -------
        HorizonDisplay
            The display, drawn.
        """
        rmse = _rmse_by_horizon(backtests)
        return cls(rmse=rmse, highlight=highlight, unit=unit, step=step).plot(ax=ax, **kwargs)

    def plot(self, ax=None, **kwargs):
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; by default on a new figure.
        **kwargs : dict
            Properties of all lines.

        Returns
        -------
        HorizonDisplay
            The display itself.

        Raises
        ------
        ValueError
            When the model to highlight is unknown.
        """
        first = self.rmse.columns[0] if self.highlight is None else self.highlight
        if first not in self.rmse.columns:
            known = ", ".join(map(str, self.rmse.columns))
            raise ValueError(f"highlight must be one of {known}. Got {first!r} instead.")
        ax = self._open(ax)
        names = [first, *(name for name in self.rmse.columns if name != first)]
        colours = dict(zip(names, _cycle(len(names))))
        self.lines_ = {
            name: self._draw(name, colours[name], name == first, kwargs)
            for name in self.rmse.columns
        }
        ax.set_yscale("log")
        ax.margins(x=0.02, y=0.06)
        _plain_log_ticks(ax)
        ax.xaxis.set_major_locator(
            load_matplotlib("ticker").MaxNLocator(5, integer=True, steps=[1, 2, 3, 6, 10])
        )
        self._name_axes(f"horizon, {self.step}", f"RMSE, {self.unit}" if self.unit else "RMSE")
        self._label_lines(first)
        return self

    def _draw(self, name, colour, bold, kwargs):
        style = {"color": colour, "label": name, "lw": 2.6 if bold else 1.3}
        style["zorder"] = 3 if bold else 2
        errors = self.rmse[name]
        style |= _dot(errors)
        return self.ax_.plot(errors.index, errors.to_numpy(), **{**style, **kwargs})[0]

    def _label_lines(self, first):
        """Write each name at the right end of its line, none over another."""
        last = self.rmse.iloc[-1]
        order = list(last.round(9).to_frame("last").assign(mean=self.rmse.mean())
                     .sort_values(["last", "mean"]).index)  # fmt: skip
        height = self.ax_.bbox.height * 72 / self.figure_.dpi
        low, high = np.log(self.ax_.get_ylim())
        wanted = (np.log(last[order].to_numpy()) - low) / (high - low) * height
        self.labels_ = {
            name: self.ax_.annotate(
                str(name),
                (self.rmse.index[-1], last[name]),
                (7, shift),
                textcoords="offset points",
                color=self.lines_[name].get_color(),
                fontsize=SMALL,
                fontweight="bold" if name == first else "normal",
                va="center",
                annotation_clip=False,
            )
            for name, shift in zip(order, _spread(wanted, 1.3 * SMALL) - wanted)
        }


class TrainingDisplay(_Display):
    """The loss from the start of training to its end, and why it ended.

    Parameters
    ----------
    loss_curve : array-like of shape (n_iter + 1,)
        Loss at the start and after each iteration.
    validation_curve : array-like of shape (n_iter + 1,), default=None
        Held-out loss at the same moments.
    stop : Stop or str, default=None
        Why training ended.

    Attributes
    ----------
    ax_ : matplotlib Axes
        What was drawn on.
    figure_ : matplotlib Figure
        Its figure.
    loss_line_, validation_line_ : matplotlib Line2D or None
        The two curves.
    best_ : matplotlib Line2D
        The weights that were kept: the lowest held-out loss, or without one the lowest loss.
    stop_text_ : matplotlib Text
        The reason why training ended.

    See Also
    --------
    narxkit.NARX : Its attributes ``loss_curve_``, ``validation_curve_`` and ``stop_``.

    Examples
    --------
    >>> from narxkit import NARX
    >>> from narxkit.datasets import make_narendra
    >>> from narxkit.plotting import TrainingDisplay
    >>> X, y = make_narendra(400, random_state=0)
    >>> model = NARX(early_stopping=True, max_iter=30, random_state=0).fit(X, y)
    >>> display = TrainingDisplay.from_estimator(model)
    >>> len(display.loss_line_.get_ydata()) == model.n_iter_ + 1
    True
    """

    def __init__(self, *, loss_curve, validation_curve=None, stop=None):
        self.loss_curve = loss_curve
        self.validation_curve = validation_curve
        self.stop = stop

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, **kwargs):
        """Draw how a model was trained.

        Parameters
        ----------
        estimator : NARX, TDNN or other estimator with a ``loss_curve_``
            Fitted model.
        ax : matplotlib Axes, default=None
            Where to draw; by default on a new figure.
        **kwargs : dict
            Properties of both curves.

        Returns
        -------
        TrainingDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            When the model was not trained in iterations.
        """
        if not hasattr(estimator, "loss_curve_"):
            raise ValueError(
                f"TrainingDisplay draws loss_curve_, and this {type(estimator).__name__} has "
                "none: give a fitted network."
            )
        display = cls(
            loss_curve=estimator.loss_curve_,
            validation_curve=getattr(estimator, "validation_curve_", None),
            stop=getattr(estimator, "stop_", None),
        )
        return display.plot(ax=ax, **kwargs)

    def plot(self, ax=None, **kwargs):
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; by default on a new figure.
        **kwargs : dict
            Properties of both curves.

        Returns
        -------
        TrainingDisplay
            The display itself.
        """
        self._open(ax)
        self.loss_line_ = self._draw(self.loss_curve, "training", COLOURS[0], kwargs)
        self.validation_line_ = None
        if self.validation_curve is not None:
            self.validation_line_ = self._draw(
                self.validation_curve, "held out", COLOURS[1], kwargs
            )
        self._mark_best()
        self._finish()
        return self

    def _draw(self, curve, name, colour, kwargs):
        style = {"color": colour, "lw": 1.8, "label": name, **kwargs}
        return self.ax_.plot(np.arange(len(curve)), np.asarray(curve, float), **style)[0]

    def _mark_best(self):
        line = self.loss_line_ if self.validation_line_ is None else self.validation_line_
        x, y = line.get_data()
        best = int(np.nanargmin(y))
        (self.best_,) = self.ax_.plot(
            x[[best]], y[[best]], "o", ms=7, color=line.get_color(), label="weights kept", zorder=4
        )

    def _finish(self):
        ax = self.ax_
        ax.set_yscale("log")
        _plain_log_ticks(ax)
        ax.margins(x=0.02, y=0.08)
        ticker = load_matplotlib("ticker")
        ax.xaxis.set_major_locator(ticker.MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
        self._name_axes("iteration", "loss, standardised units")
        stop = "" if self.stop is None else str(self.stop)
        self.stop_text_ = ax.annotate(
            stop, (0, 0), (0, -44), "axes fraction", "offset points", fontsize=SMALL, color=GREY
        )
        self.legend_ = ax.legend(frameon=False, fontsize=SMALL, labelcolor="linecolor")


def _same_index(values):
    """Series of one index, for values of which some may be bare arrays or None."""
    indexed = (v.index for v in values.values() if isinstance(v, (pd.Series, pd.DataFrame)))
    index = next(indexed, None)
    return {
        name: None if value is None else _as_series(name, value, index)
        for name, value in values.items()
    }


def _as_series(name, values, index):
    """A Series as it is, or an array with this index, or with one that counts from 1."""
    if isinstance(values, pd.DataFrame) and values.shape[1] == 1:
        values = values.iloc[:, 0]
    if isinstance(values, pd.Series):
        return values
    values = np.asarray(values, dtype=float)
    if values.ndim != 1:
        raise ValueError(
            f"ForecastDisplay draws one series, but {name} has the shape {values.shape}: give "
            "one output at a time."
        )
    index = pd.RangeIndex(1, len(values) + 1) if index is None else index
    if len(index) != len(values):
        raise ValueError(
            f"{name} has {len(values)} values where {len(index)} were given beside it: give as "
            "many, or a Series with its own index."
        )
    return pd.Series(values, index=index)


def _check_one_clock(series):
    clocks = {_has_clock(s.index) for s in series if s is not None}
    if len(clocks) > 1:
        raise ValueError(
            "some of history, y_true and y_pred have time stamps and others do not: give all of "
            "them as Series with time stamps, or none."
        )


def _has_clock(index):
    return isinstance(index, (pd.DatetimeIndex, pd.PeriodIndex))


def _points(series):
    index = series.index
    index = index.to_timestamp() if isinstance(index, pd.PeriodIndex) else index
    return index.to_numpy(), series.to_numpy()


def _time_name(index):
    if not _has_clock(index):
        return "steps from the origin" if index.name is None else str(index.name)
    zone = getattr(index, "tz", None)
    return f"{index.name or 'time'}{'' if zone is None else f', {zone}'}"


def _tell_time(ax, index):
    """Dates on the axis, as short as they can be, in the zone of the series."""
    if _has_clock(index):
        dates, zone = load_matplotlib("dates"), getattr(index, "tz", None)
        locator = dates.AutoDateLocator(tz=zone, minticks=4, maxticks=9)
        ax.xaxis.set_major_locator(locator)
        ax.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator, tz=zone))
        ax.xaxis.get_offset_text().set(color=INK, fontsize=SMALL)


def _plain_log_ticks(ax):
    """Numbers such as 50, 100, 200 on the logarithmic axis."""
    ticker = load_matplotlib("ticker")
    low, high = ax.get_ylim()
    finest = (limit for limit in _TICKS if high < limit * low)
    locator = ticker.LogLocator(subs=_TICKS[next(finest, np.inf)])
    if high < FEW_TICKS * low:
        locator = ticker.MaxNLocator(6, steps=[1, 2, 5, 10])
    ax.yaxis.set_major_locator(locator)
    ax.yaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_minor_locator(ticker.NullLocator())
    ax.grid(axis="y", color=PALE, lw=0.6)
    ax.set_axisbelow(True)


def _dot(values):
    """A line of one point is seen as a dot."""
    return {"marker": "o"} if len(values) == 1 else {}


def _cycle(n):
    return [COLOURS[i % len(COLOURS)] for i in range(n)]


def _rmse_by_horizon(backtests):
    """Errors over the targets that all of them forecast."""
    errors = {}
    for name, run in backtests.items():
        keys = run[["series", "origin", "horizon"]].astype({"series": str})
        targets = pd.MultiIndex.from_frame(keys)
        errors[name] = (run["y_hat"] - run["y"]).set_axis(targets)
    squares = pd.concat(errors, axis=1, join="inner").dropna() ** 2
    return np.sqrt(squares.groupby(level="horizon").mean())


def _spread(wanted, gap):
    """The ascending positions nearest to those wanted that stand at least `gap` apart."""
    room = gap * np.arange(len(wanted))
    return isotonic_regression(wanted - room).x + room
