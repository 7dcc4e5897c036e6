"""Growth of errors with the horizon."""

import numpy as np
import pandas as pd
from scipy.optimize import isotonic_regression

from narxkit.plotting.base import SMALL, Display, dot, line_styles, load_matplotlib, plain_log_ticks

__all__ = ["HorizonDisplay"]


class HorizonDisplay(Display):
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
        The axes drawn on.
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
        styles = dict(zip(names, line_styles(len(names))))
        self.lines_ = {
            name: self._draw(name, styles[name], name == first, kwargs)
            for name in self.rmse.columns
        }
        ax.set_yscale("log")
        ax.margins(x=0.02, y=0.06)
        plain_log_ticks(ax)
        ax.xaxis.set_major_locator(
            load_matplotlib("ticker").MaxNLocator(5, integer=True, steps=[1, 2, 3, 6, 10])
        )
        self._name_axes(f"horizon, {self.step}", f"RMSE, {self.unit}" if self.unit else "RMSE")
        self._label_lines(first)
        return self

    def _draw(self, name, style, bold, kwargs):
        style = {**style, "label": name, "lw": 2.6 if bold else 1.3, "zorder": 3 if bold else 2}
        errors = self.rmse[name]
        style |= dot(errors)
        return self.ax_.plot(errors.index, errors.to_numpy(), **{**style, **kwargs})[0]

    def _label_lines(self, first):
        """Write each name at the right end of its line, none over another."""
        last = self.rmse.iloc[-1]
        order = list(last.round(9).to_frame("last").assign(mean=self.rmse.mean())
                     .sort_values(["last", "mean"]).index)  # fmt: skip
        height = self.ax_.bbox.height * 72 / self.figure_.dpi
        ends = np.clip(last[order].to_numpy(), *self.ax_.get_ylim())  # no error has no logarithm
        low, high = np.log(self.ax_.get_ylim())
        wanted = (np.log(ends) - low) / (high - low) * height
        self.labels_ = {
            name: self.ax_.annotate(
                str(name),
                (self.rmse.index[-1], end),
                (7, shift),
                textcoords="offset points",
                color=self.lines_[name].get_color(),
                fontsize=SMALL,
                fontweight="bold" if name == first else "normal",
                va="center",
                annotation_clip=False,
            )
            for name, end, shift in zip(order, ends, _spread(wanted, 1.3 * SMALL) - wanted)
        }


def _rmse_by_horizon(backtests):
    """Compute errors over the targets that all of them forecast."""
    errors = {}
    for name, run in backtests.items():
        keys = run[["series", "origin", "horizon"]].astype({"series": str})
        targets = pd.MultiIndex.from_frame(keys)
        errors[name] = (run["y_hat"] - run["y"]).set_axis(targets)
    # one set of targets, or a model would win by leaving out the hard ones
    squares = pd.concat(errors, axis=1, join="inner").dropna() ** 2
    return np.sqrt(squares.groupby(level="horizon").mean())


def _spread(wanted, gap):
    """Spread ascending positions to stand at least `gap` apart."""
    # with the gaps taken off, the nearest ascending positions are an isotonic regression
    room = gap * np.arange(len(wanted))
    return isotonic_regression(wanted - room).x + room
