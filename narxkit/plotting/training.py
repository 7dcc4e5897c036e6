"""History of the training of a model."""

import numpy as np

from narxkit._naming import fitted_name
from narxkit.plotting.base import COLOURS, GREY, SMALL, Display, load_matplotlib, plain_log_ticks

__all__ = ["TrainingDisplay"]


class TrainingDisplay(Display):
    """The loss from the start of training to its end, and why it ended.

    Parameters
    ----------
    loss_curve : array-like of shape (n_iter + 1,)
        Loss at the start and after each iteration.
    validation_curve : array-like of shape (n_iter + 1,), default=None
        Held-out loss at the same moments.
    stop : Stop or str, default=None
        Why training ended.
    name : str, default=None
        Name of the model.
    logbook : DataFrame, default=None
        What became of a population, in the columns ``generation`` and ``mean``: its mean loss is
        drawn, and a line where its last generation was polished.
    unit : str, default="standardised units"
        What the loss is in.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes drawn on.
    figure_ : matplotlib Figure
        Its figure.
    loss_line_, validation_line_ : matplotlib Line2D or None
        The two curves.
    population_line_, polish_line_ : matplotlib Line2D or None
        The mean loss of the population, and where its polish begins.
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

    def __init__(
        self,
        *,
        loss_curve,
        validation_curve=None,
        stop=None,
        name=None,
        logbook=None,
        unit="standardised units",
    ):
        self.loss_curve = loss_curve
        self.validation_curve = validation_curve
        self.stop = stop
        self.name = name
        self.logbook = logbook
        self.unit = unit

    @classmethod
    def from_estimator(cls, estimator, *, ax=None, **kwargs):
        """Draw how a model was trained, a network under its name only where it lives.

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
        has_own_loss = getattr(getattr(estimator, "solver", None), "loss", None) is not None
        display = cls(
            loss_curve=estimator.loss_curve_,
            validation_curve=getattr(estimator, "validation_curve_", None),
            stop=getattr(estimator, "stop_", None),
            name=fitted_name(estimator),
            logbook=getattr(estimator, "logbook_", None),
            unit="that of the solver" if has_own_loss else "standardised units",
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
        self.population_line_ = self.polish_line_ = None
        if self.logbook is not None:
            self._draw_population()
        self._mark_best()
        self._finish()
        return self

    def _draw_population(self):
        generations = np.asarray(self.logbook["generation"])
        mean = np.asarray(self.logbook["mean"], float)
        style = {"color": GREY, "lw": 1.0, "label": "mean of the population", "zorder": 1}
        (self.population_line_,) = self.ax_.plot(generations, mean, **style)
        last = generations[-1]
        if len(self.loss_curve) - 1 > last:
            style = {"color": GREY, "lw": 1.0, "ls": ":", "label": "polish from here"}
            self.polish_line_ = self.ax_.axvline(last, **style)

    def _draw(self, curve, name, colour, kwargs):
        style = {"color": colour, "lw": 1.8, "label": name, **kwargs}
        return self.ax_.plot(np.arange(len(curve)), np.asarray(curve, float), **style)[0]

    def _mark_best(self):
        line = self.loss_line_ if self.validation_line_ is None else self.validation_line_
        x, y = line.get_data()
        # the weights that are kept are the best ones met, not the last
        best = int(np.nanargmin(y))
        (self.best_,) = self.ax_.plot(
            x[[best]], y[[best]], "o", ms=7, color=line.get_color(), label="weights kept", zorder=4
        )

    def _finish(self):
        ax = self.ax_
        # a loss of the user's own may be negative, which no decade holds
        curves = [self.loss_curve, [] if self.validation_curve is None else self.validation_curve]
        if np.nanmin(np.concatenate(curves)) >= 0:
            ax.set_yscale("log")
            plain_log_ticks(ax)
        ax.margins(x=0.02, y=0.08)
        ticker = load_matplotlib("ticker")
        ax.xaxis.set_major_locator(ticker.MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
        self._name_axes("iteration", f"loss, {self.unit}")
        ax.set_title(self.name or "", loc="right", color=GREY, fontsize=SMALL)
        stop = "" if self.stop is None else str(self.stop)
        self.stop_text_ = ax.annotate(
            stop, (0, 0), (0, -44), "axes fraction", "offset points", fontsize=SMALL, color=GREY
        )
        self.legend_ = ax.legend(frameon=False, fontsize=SMALL, labelcolor="linecolor")
