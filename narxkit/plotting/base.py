"""Base of the displays: a quiet style, axes with names, and matplotlib when it is needed."""

from importlib import import_module
from textwrap import fill

import numpy as np

from narxkit.plotting.loops import predictions

INK, GREY, PALE = "#222222", "#767676", "#dddddd"
# Okabe and Ito's palette: told apart by the colour-blind too
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#b5658f", "#c98700", "#3a9bdc")
DASHES = ("-", "--", ":", "-.")
SMALL = 9.0  # points, for labels inside the axes
LETTER = 0.5 * SMALL  # points, the width of a mean one
LEGEND_COLUMNS = 4
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


def open_axes(ax=None):
    """Quieten axes, by default those of a new figure."""
    if ax is None:
        _, ax = load_matplotlib().subplots(layout="constrained")
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(GREY)
    ax.tick_params(which="both", colors=GREY, labelcolor=INK, labelsize=SMALL)
    return ax


class Display:
    """Base of the displays: axes in a quiet style."""

    def _open(self, ax):
        self.ax_ = open_axes(ax)
        self.figure_ = self.ax_.figure
        return self.ax_

    def _name_axes(self, x, y, pad=8):
        """Name the axes; y stands level above its axis, where it is read without a turn."""
        style, room = {"color": INK, "fontsize": SMALL}, self._room()
        self.ax_.set_xlabel(fill(x, room), **style)
        self._title = self.ax_.set_title(fill(y, room), loc="left", pad=pad, **style)

    def _name_axes_and_line(self, x, y, words):
        """Name the axes, and between them and y's name the line in the second colour."""
        self._name_axes(x, y, pad=8 + 1.5 * SMALL)
        style = {"color": COLOURS[1], "fontsize": SMALL}
        return self.ax_.annotate(words, (0, 1), (0, 7), "axes fraction", "offset points", **style)

    def _room(self, part=0.75):
        """Count the letters that fit over a part of the axes' share of the figure."""
        spec, figure = self.ax_.get_subplotspec(), self.figure_
        # a panel's share of the figure: text is not clipped at its axes
        share = 1.0 if spec is None else len(spec.colspan) / spec.get_gridspec().ncols
        return max(20, int(part * share * figure.bbox.width * 72 / figure.dpi / LETTER))

    def _columns_of(self, handles):
        """Count the columns of a legend that fit over the axes."""
        lengths = [len(str(handle.get_label())) + 5 for handle in handles]
        room = self._room(part=0.8)  # what names of y's axis leave
        for n_columns in range(LEGEND_COLUMNS, 1, -1):
            n_rows = -(-len(lengths) // n_columns)
            columns = (lengths[i : i + n_rows] for i in range(0, len(lengths), n_rows))
            if sum(map(max, columns)) <= room:
                return n_columns
        return 1

    def _legend_above(self, handles, n_columns=LEGEND_COLUMNS):
        """Name the lines in their colours, at the right end of the title's line."""
        handles = [handle for handle in handles if handle is not None]
        # letters, and a dash before each
        beside = sum(len(str(handle.get_label())) + 5 for handle in handles)
        self._title.set_text(fill(self._title.get_text(), max(20, self._room() - beside)))
        return self.ax_.legend(
            handles=handles,
            loc="lower right",
            bbox_to_anchor=(1.0, 1.0),
            ncols=n_columns,
            frameon=False,
            fontsize=SMALL,
            labelcolor="linecolor",
            handlelength=1.4,
            columnspacing=1.2,
            borderaxespad=0.2,
        )


class ErrorDisplay(Display):
    """Base of displays of predictions and their errors: a model to take them from."""

    @classmethod
    def from_estimator(cls, estimator, X, y, *, loop="open", ax=None, **kwargs):
        """Draw the predictions of a fitted model, or their errors.

        Parameters
        ----------
        estimator : estimator
            Fitted; asked for ``predict_ahead(X, y)``, or in closed loop for ``simulate``.
        X : array-like of shape (n, n_features) or None
            Inputs.
        y : Series or array-like of shape (n,)
            Measured outputs.
        loop : {"open", "closed"}, default="open"
            Predictions one step ahead from measured history, or a free run from the first rows.
        ax : matplotlib Axes, default=None
            Where to draw; by default on a new figure.
        **kwargs : dict
            Further arguments of `from_predictions`.

        Returns
        -------
        Display
            The display, drawn.
        """
        y_pred = predictions(estimator, X, y, loop)
        return cls.from_predictions(y_true=y, y_pred=y_pred, ax=ax, **kwargs)


def are_errors(scores):
    """Tell whether scores are negative errors, as those of scikit-learn's: nowhere above zero."""
    return bool(np.nanmax(scores) <= 0)


def plain_log_ticks(ax):
    """Put ticks such as 50, 100, 200 on the logarithmic axis."""
    ticker = load_matplotlib("ticker")
    low, high = ax.get_ylim()
    finest = (limit for limit in _TICKS if high < limit * low)
    locator = ticker.LogLocator(subs=_TICKS[next(finest, np.inf)])
    # within less than a decade powers of ten leave one tick or none
    if high < FEW_TICKS * low:
        locator = ticker.MaxNLocator(6, steps=[1, 2, 5, 10])
    ax.yaxis.set_major_locator(locator)
    ax.yaxis.set_major_formatter(ticker.StrMethodFormatter("{x:g}"))
    ax.yaxis.set_minor_locator(ticker.NullLocator())
    ax.grid(axis="y", color=PALE, lw=0.6)
    ax.set_axisbelow(True)


def dot(values):
    """Mark a line of one point as a dot."""
    return {"marker": "o"} if len(values) == 1 else {}


def line_styles(n):
    """Return colours, and behind the last one the same in dashes, dots and both.

    Parameters
    ----------
    n : int
        Lines to tell apart; of more than 24 some look alike.

    Returns
    -------
    list of dict
        Properties of each line.

    Examples
    --------
    >>> line_styles(7)[0], line_styles(7)[6]
    ({'color': '#0072b2', 'ls': '-'}, {'color': '#0072b2', 'ls': '--'})
    """
    rounds = (divmod(i, len(COLOURS)) for i in range(n))
    return [{"color": COLOURS[at], "ls": DASHES[k % len(DASHES)]} for k, at in rounds]
