"""Measured and predicted values: over time, against each other, and their differences."""

import numpy as np

from narxkit.plotting.base import COLOURS, GREY, INK, ErrorDisplay
from narxkit.plotting.times import as_pair, format_time_axis, points, time_name

__all__ = ["ErrorHistogramDisplay", "RegressionDisplay", "ResponseDisplay"]


class _PairDisplay(ErrorDisplay):
    """Base of displays of measured and predicted values: names and units."""

    def __init__(self, *, y_true, y_pred, target=None, unit=None):
        self.y_true = y_true
        self.y_pred = y_pred
        self.target = target
        self.unit = unit

    @classmethod
    def from_predictions(cls, y_true, y_pred, *, target=None, unit=None, ax=None, **kwargs):
        """Draw predictions that are there already.

        Parameters
        ----------
        y_true, y_pred : Series or array-like of shape (n,)
            Measured and predicted values of the same rows; NaN where missing.
        target, unit : str, default=None
            Name of the quantity, by default that of ``y_true``, and its unit.
        ax : matplotlib Axes, default=None
            Where to draw; by default on a new figure.
        **kwargs : dict
            Further arguments of `plot`.

        Returns
        -------
        Display
            The display, drawn.

        Raises
        ------
        ValueError
            When they are not one series each, or not of the same rows.
        """
        y_true, y_pred = as_pair(cls.__name__, y_true, y_pred)
        display = cls(y_true=y_true, y_pred=y_pred, target=target, unit=unit)
        return display.plot(ax=ax, **kwargs)

    def _quantity(self):
        name = self.y_true.name if self.target is None else self.target
        return "value" if name is None else str(name)

    def _with_unit(self, name):
        return f"{name}, {self.unit}" if self.unit else name

    def _both(self):
        """Return measured and predicted values of the rows that have both."""
        is_known = (self.y_true - self.y_pred).notna()
        return self.y_true[is_known].to_numpy(), self.y_pred[is_known].to_numpy()


class ResponseDisplay(_PairDisplay):
    r"""Measured and predicted values over time, and the errors between them.

    An error is :math:`e_t = y_t - \hat y_t`, the line from the prediction up or down to what was
    measured.

    Parameters
    ----------
    y_true, y_pred : Series of shape (n,)
        Measured and predicted values of the same rows; NaN where missing.
    target : str, default=None
        Name of the quantity; by default that of `y_true`.
    unit : str, default=None
        Its unit.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes drawn on.
    figure_ : matplotlib Figure
        Its figure.
    true_line_, pred_line_ : matplotlib Line2D
        The measured and the predicted values.
    error_lines_ : matplotlib LineCollection
        The errors.
    legend_ : matplotlib Legend
        Names of the lines.

    See Also
    --------
    RegressionDisplay : Predicted against measured values.
    ForecastDisplay : Forecasts from one origin.

    Examples
    --------
    >>> import pandas as pd
    >>> from narxkit.plotting import ResponseDisplay
    >>> y = pd.Series([3.0, 4, 6, 3], index=pd.RangeIndex(4, name="hour"), name="power")
    >>> display = ResponseDisplay.from_predictions(y, [3.0, 5, 5, 3], unit="kW")
    >>> display.ax_.get_title(loc="left"), display.ax_.get_xlabel()
    ('power, kW', 'hour')
    """

    def plot(self, ax=None, **kwargs):
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; by default on a new figure.
        **kwargs : dict
            Properties of the predicted line.

        Returns
        -------
        ResponseDisplay
            The display itself.
        """
        ax = self._open(ax)
        x, y = points(self.y_true)
        _, y_pred = points(self.y_pred)
        is_known = ~np.isnan(y - y_pred)
        self.error_lines_ = ax.vlines(
            x[is_known], y_pred[is_known], y[is_known], color=COLOURS[1], lw=0.8, label="error",
            zorder=2,
        )  # fmt: skip
        (self.true_line_,) = ax.plot(x, y, color=INK, lw=0.9, label="measured", zorder=4)
        style = {"color": COLOURS[0], "lw": 1.6, "label": "predicted", "zorder": 3} | kwargs
        (self.pred_line_,) = ax.plot(x, y_pred, **style)
        ax.margins(x=0.01, y=0.06)
        format_time_axis(ax, self.y_true.index)
        self._name_axes(time_name(self.y_true.index, "row"), self._with_unit(self._quantity()))
        self.legend_ = self._legend_above([self.true_line_, self.pred_line_, self.error_lines_])
        return self


class RegressionDisplay(_PairDisplay):
    r"""Predicted against measured values, with the line that fits them and their correlation R.

    .. math::

        \hat y \approx a + b y

    by least squares; a perfect prediction lies on the diagonal, a = 0 and b = 1.

    Parameters
    ----------
    y_true, y_pred : Series of shape (n,)
        Measured and predicted values of the same rows; NaN where missing.
    target : str, default=None
        Name of the quantity; by default that of `y_true`.
    unit : str, default=None
        Its unit.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes drawn on.
    figure_ : matplotlib Figure
        Its figure.
    points_ : matplotlib Line2D
        The rows.
    diagonal_, fit_line_ : matplotlib Line2D
        Where predictions are perfect, and the fit.
    slope_, intercept_ : float
        The fit: b, and a in the unit of y.
    r_ : float
        Pearson's correlation of measured and predicted values.
    text_ : matplotlib Text
        The fit and R in words.

    See Also
    --------
    ResponseDisplay : The same values over time.

    Examples
    --------
    >>> from narxkit.plotting import RegressionDisplay
    >>> display = RegressionDisplay.from_predictions([1.0, 2.0, 3.0], [1.0, 1.5, 2.0], unit="kW")
    >>> display.text_.get_text()
    'R = 1.000, fit 0.5 + 0.5 y'
    """

    def plot(self, ax=None, **kwargs):
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; by default on a new figure.
        **kwargs : dict
            Properties of the points.

        Returns
        -------
        RegressionDisplay
            The display itself.
        """
        ax = self._open(ax)
        y, y_pred = self._both()
        style = {"color": COLOURS[0], "ms": 3.5, "mew": 0, "alpha": 0.5, "zorder": 2} | kwargs
        (self.points_,) = ax.plot(y, y_pred, "o", **style)
        self.slope_, self.intercept_, self.r_ = _fit(y, y_pred)
        low, high = min(y.min(), y_pred.min()), max(y.max(), y_pred.max())
        ends = np.array([low, high])
        (self.diagonal_,) = ax.plot(ends, ends, color=GREY, lw=0.8, ls=(0, (2, 2)), zorder=3)
        ends = np.array([y.min(), y.max()])
        fitted = self.intercept_ + self.slope_ * ends
        (self.fit_line_,) = ax.plot(ends, fitted, color=COLOURS[1], lw=1.6, zorder=4)
        # the diagonal is at 45 degrees, whatever the axes' shape
        ax.set_aspect("equal", "datalim")
        ax.margins(0.04)
        quantity = self._quantity()
        sign = "-" if self.slope_ < 0 else "+"
        self.text_ = self._name_axes_and_line(
            self._with_unit(f"{quantity}, measured"),
            self._with_unit(f"{quantity}, predicted"),
            f"R = {self.r_:.3f}, fit {self.intercept_:.3g} {sign} {abs(self.slope_):.3g} y",
        )
        return self


class ErrorHistogramDisplay(_PairDisplay):
    r"""Histogram of errors, beside a normal distribution of the same spread.

    An error is :math:`e_t = y_t - \hat y_t`.

    Parameters
    ----------
    y_true, y_pred : Series of shape (n,)
        Measured and predicted values of the same rows; NaN where missing.
    target : str, default=None
        Name of the quantity; by default that of `y_true`.
    unit : str, default=None
        Its unit.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes drawn on.
    figure_ : matplotlib Figure
        Its figure.
    bars_ : matplotlib BarContainer
        Number of rows by size of their error.
    normal_line_ : matplotlib Line2D or None
        Counts of a normal distribution of the same mean and standard deviation.
    zero_line_ : matplotlib Line2D
        No error.
    text_ : matplotlib Text
        Mean and standard deviation.

    See Also
    --------
    ErrorAutocorrelationDisplay : Whether errors go together over time.

    Examples
    --------
    >>> from narxkit.plotting import ErrorHistogramDisplay
    >>> display = ErrorHistogramDisplay.from_predictions([1.0, 2.0, 4.0], [1.0, 1.5, 3.0], bins=4)
    >>> [int(bar.get_height()) for bar in display.bars_]
    [1, 0, 1, 1]
    """

    def plot(self, ax=None, *, bins=20, **kwargs):
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; by default on a new figure.
        bins : int or sequence of float, default=20
            Number of bars, or their edges.
        **kwargs : dict
            Properties of the bars.

        Returns
        -------
        ErrorHistogramDisplay
            The display itself.
        """
        ax = self._open(ax)
        y, y_pred = self._both()
        errors = y - y_pred
        style = {"color": COLOURS[0], "alpha": 0.75, "edgecolor": "white", "lw": 0.5} | kwargs
        _, edges, self.bars_ = ax.hist(errors, bins, **style)
        size = np.abs(errors).max() or 1.0  # so that no square is too large or too small
        mean, std = size * np.mean(errors / size), size * np.std(errors / size)
        self.normal_line_ = self._draw_normal(edges, mean, std, len(errors)) if std > 0 else None
        self.zero_line_ = ax.axvline(0, color=GREY, lw=0.8, ls=(0, (2, 2)))
        self.text_ = self._name_axes_and_line(
            self._with_unit(f"error of {self._quantity()}"),
            "rows",
            f"normal of mean {mean:.3g} and std {std:.3g}",
        )
        return self

    def _draw_normal(self, edges, mean, std, n):
        x = np.linspace(edges[0], edges[-1], 200)
        density = np.exp(-0.5 * ((x - mean) / std) ** 2) / (std * np.sqrt(2 * np.pi))
        # in rows, as the bars
        counts = n * (edges[1] - edges[0]) * density
        return self.ax_.plot(x, counts, color=COLOURS[1], lw=1.4)[0]


def _fit(x, y):
    """Fit a line by least squares: slope, intercept and correlation."""
    size = max(np.abs(x).max(), np.abs(y).max()) or 1.0
    x, y = x / size, y / size  # so that no square is too large or too small
    dx, dy = x - x.mean(), y - y.mean()
    with np.errstate(invalid="ignore"):  # NaN where all are the same
        slope = dx @ dy / (dx @ dx)
        intercept = size * (y.mean() - slope * x.mean())
        return slope, intercept, dx @ dy / np.sqrt((dx @ dx) * (dy @ dy))
