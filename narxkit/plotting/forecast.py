"""History, forecasts and what really happened, over time."""

import re
from textwrap import fill

import numpy as np
import pandas as pd

from narxkit._naming import fitted_name
from narxkit.plotting.base import GREY, INK, SMALL, Display, dot, line_styles
from narxkit.plotting.times import as_series, format_time_axis, points, time_name
from narxkit.rows.labels import has_clock

__all__ = ["ForecastDisplay"]

FAN = 0.18  # how dense each interval is
LOWER = re.compile(r"(.*)-lo-([0-9.]+)")


class ForecastDisplay(Display):
    """History, one or more forecasts, and what really happened.

    Parameters
    ----------
    y_pred : dict of str to Series
        Forecasts by name.
    y_true : Series, default=None
        Measured values.
    history : Series, default=None
        Measured values up to the origin.
    highlight : str, default=None
        The forecast to draw boldly, in front of the others; by default all of them.
    target : str, default=None
        Name of the quantity; by default that of the series.
    unit : str, default=None
        Its unit.
    intervals : dict of str to dict, default=None
        Of forecasts by name: the lower and the upper ends, two Series, by level in per cent.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes drawn on.
    figure_ : matplotlib Figure
        Its figure.
    history_line_, true_line_ : matplotlib Line2D or None
        The measured values before and after the origin.
    forecast_lines_ : dict of str to matplotlib Line2D
        The forecasts by name.
    bands_ : dict of str to list of matplotlib PolyCollection
        The intervals of forecasts by name, the widest first.
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

    A fan of intervals around a forecast:

    >>> from narxkit import Persistence
    >>> model = Persistence().fit(None, y)
    >>> list(ForecastDisplay.from_estimator(model, steps=1, level=[50]).bands_)
    ['Persistence']
    """

    def __init__(
        self,
        *,
        y_pred,
        y_true=None,
        history=None,
        highlight=None,
        target=None,
        unit=None,
        intervals=None,
    ):
        self.y_pred = y_pred
        self.y_true = y_true
        self.history = history
        self.highlight = highlight
        self.target = target
        self.unit = unit
        self.intervals = intervals

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X=None,
        y=None,
        *,
        steps=None,
        level=None,
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
            Measured values there.
        steps : int, default=None
            Number of steps where there is no X; by default the length of y.
        level : float or sequence of float, default=None
            Intervals in per cent, such as ``[50, 80, 95]``, drawn as a fan behind the forecast.
        history : Series or array-like, default=None
            Measured values up to the last row seen.
        name : str, default=None
            Name of the forecast; by default that of the estimator's class, of a network that is
            off "linear (NARX, network off)".
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
        steps = len(y) if X is None and steps is None else steps
        if level is not None:
            y_pred = estimator.forecast(steps, X=X, level=level)
        elif X is None:
            y_pred = estimator.forecast(steps)
        else:
            y_pred = estimator.predict(X)
            index = getattr(X, "index", None)
            if index is not None and np.ndim(y_pred) == 1:
                y_pred = pd.Series(y_pred, index=index)
        name = fitted_name(estimator) if name is None else name
        return cls.from_predictions(
            y, {name: y_pred}, history=history, target=target, unit=unit, ax=ax, **kwargs
        )

    @classmethod
    def from_predictions(
        cls,
        y_true,
        y_pred,
        *,
        history=None,
        highlight=None,
        target=None,
        unit=None,
        ax=None,
        **kwargs,
    ):
        """Draw forecasts that are there already.

        Parameters
        ----------
        y_true : Series, array-like of shape (n,) or None
            Measured values.
        y_pred : Series, DataFrame, array-like of shape (n,), or dict of such by name
            One forecast or several; a DataFrame as ``forecast(level=...)`` gives it is drawn with
            its intervals.
        history : Series or array-like, default=None
            Measured values up to the origin.
        highlight : str, default=None
            The forecast to draw boldly, in front of the others; by default all of them.
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
            When values are not one series, some have time stamps and others cannot get them, or
            the forecast to highlight is unknown.

        Notes
        -----
        Arrays take the index of ``y_true``, or of a forecast; where none has one they are counted
        in steps from the origin.
        """
        named = y_pred if isinstance(y_pred, dict) else {"forecast": y_pred}
        intervals = {name: _intervals_of(fan) for name, fan in named.items()}
        named = {name: _without(fan, intervals[name]) for name, fan in named.items()}
        ahead = _same_index({"y_true": y_true, **named})
        y_true = ahead.pop("y_true")
        if history is not None:
            if not np.ndim(history):
                raise ValueError(
                    "history must be the measured values up to the origin, such as y[-48:]. Got "
                    f"{history!r} instead."
                )
            history = as_series(
                "ForecastDisplay", "history", history, pd.RangeIndex(1 - len(history), 1)
            )
        _check_one_clock([history, y_true, *ahead.values()])
        display = cls(
            y_pred=ahead,
            y_true=y_true,
            history=history,
            highlight=highlight,
            target=target,
            unit=unit,
            intervals={name: ends for name, ends in intervals.items() if ends},
        )
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

        Raises
        ------
        ValueError
            When the forecast to highlight is unknown.
        """
        if self.highlight not in (None, *self.y_pred):
            known = ", ".join(map(str, self.y_pred))
            raise ValueError(f"highlight must be one of {known}. Got {self.highlight!r} instead.")
        ax = self._open(ax)
        self.history_line_ = self.true_line_ = self.origin_line_ = None
        if self.history is not None:
            self._draw_history()
        if self.y_true is not None:
            (self.true_line_,) = ax.plot(
                *points(self.y_true), color=INK, lw=0.9, marker="o", ms=2.8, label="measured",
                zorder=4,
            )  # fmt: skip
        styles = dict(zip(self._in_front_first(), line_styles(len(self.y_pred))))
        self.bands_ = {
            name: self._draw_bands(ends, styles[name]["color"])
            for name, ends in (self.intervals or {}).items()
        }
        self.forecast_lines_ = {
            name: self._draw_forecast(name, y_pred, styles[name], kwargs)
            for name, y_pred in self.y_pred.items()
        }
        ax.margins(x=0.01, y=0.06)
        index = next(iter(self.y_pred.values())).index
        format_time_axis(ax, index)
        self._add_legend(time_name(index, "steps from the origin"))
        return self

    def _in_front_first(self):
        """Order names by their colours, the same as in HorizonDisplay."""
        first = next(iter(self.y_pred)) if self.highlight is None else self.highlight
        return [first, *(name for name in self.y_pred if name != first)]

    def _draw_forecast(self, name, y_pred, style, kwargs):
        is_bold = self.highlight in (None, name)
        style = {**style, "label": name, "lw": 2.4 if is_bold else 1.0}
        style |= {"zorder": 3 if is_bold else 2} | dot(y_pred)
        return self.ax_.plot(*points(y_pred), **style | kwargs)[0]

    def _draw_bands(self, ends, color):
        """Draw intervals over each other, so that the narrow ones are the darkest."""
        widest_first = sorted(ends.items(), reverse=True)
        pairs = [(points(low), points(high)) for _, (low, high) in widest_first]
        style = {"color": color, "alpha": FAN, "lw": 0, "zorder": 1}
        return [self.ax_.fill_between(x, low, high, **style) for (x, low), (_, high) in pairs]

    def _draw_history(self):
        ax = self.ax_
        x, y = points(self.history)
        (self.history_line_,) = ax.plot(x, y, color=GREY, lw=1.0, label="history")
        self.origin_line_ = ax.axvline(x[-1], color=GREY, lw=0.8, ls=(0, (2, 2)), zorder=1)

    def _quantity(self):
        # the first name there is, the measured values' before others
        series = [self.y_true, self.history, *self.y_pred.values()]
        names = [s.name for s in series if s is not None and s.name is not None]
        target = str(names[0]) if self.target is None and names else self.target or "value"
        return f"{target}, {self.unit}" if self.unit else target

    def _add_legend(self, time):
        """Name the axes and the lines; many lines need rows of their own below y's name."""
        forecasts = [self.forecast_lines_[name] for name in self._in_front_first()]
        lines = [self.history_line_, self.true_line_, *forecasts]
        lines = [line for line in lines if line is not None]
        n_columns = self._columns_of(lines)
        n_rows = -(-len(lines) // n_columns)  # rounded up
        room = n_rows * 1.7 * SMALL if n_rows > 1 else 0
        self._name_axes(time, self._quantity(), pad=8 + room)
        self.legend_ = self._legend_above(lines, n_columns)
        if n_rows > 1:  # nothing stands beside the name
            self._title.set_text(fill(self._quantity(), self._room()))


def _intervals_of(fan):
    """Return the ends of the intervals of a forecast by level, those of ``forecast(level=...)``."""
    ends = {}
    for column in fan.columns if isinstance(fan, pd.DataFrame) else ():
        match = LOWER.fullmatch(str(column))
        if match and f"{match[1]}-hi-{match[2]}" in fan:
            ends[float(match[2])] = fan[column], fan[f"{match[1]}-hi-{match[2]}"]
    return ends


def _without(fan, intervals):
    """Return the forecast without its intervals."""
    taken = {end.name for ends in intervals.values() for end in ends}
    return fan[[name for name in fan if name not in taken]] if taken else fan


def _same_index(values):
    """Give values, of which some may be arrays or None, one index."""
    indexed = (v.index for v in values.values() if isinstance(v, (pd.Series, pd.DataFrame)))
    index = next(indexed, None)
    return {
        name: None if value is None else as_series("ForecastDisplay", name, value, index)
        for name, value in values.items()
    }


def _check_one_clock(series):
    clocks = {has_clock(s.index) for s in series if s is not None}
    if len(clocks) > 1:
        raise ValueError(
            "some of history, y_true and y_pred have time stamps and others do not: give all of "
            "them as Series with time stamps, or none."
        )
