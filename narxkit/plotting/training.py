"""History of the training of a model."""

import numpy as np

from narxkit._naming import fitted_name
from narxkit.plotting.base import (
    COLOURS,
    GREY,
    SMALL,
    Display,
    are_errors,
    dot,
    load_matplotlib,
    plain_log_ticks,
)

__all__ = ["TrainingDisplay"]


class TrainingDisplay(Display):
    """The loss from the start of training to its end, and why it ended.

    Of a genetic search it is the best score after each generation; scores that are nowhere above
    zero are drawn as errors, as `ParetoDisplay` does.

    Parameters
    ----------
    loss_curve : array-like of shape (n_iter + 1,), default=None
        Loss at the start and after each iteration; None where scores are drawn.
    validation_curve : array-like of shape (n_iter + 1,), default=None
        Held-out loss at the same moments.
    stop : Stop or str, default=None
        Why training ended.
    name : str, default=None
        Name of the model.
    logbook : DataFrame, default=None
        What became of a population, in the columns ``generation`` and ``mean``: its mean loss is
        drawn, and a line where its last generation was polished. Without a `loss_curve` these are
        scores, and the column ``best`` is drawn as well.
    unit : str or None, default="standardised units"
        What the loss is in, or the scores.

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
        The weights that were kept: the lowest held-out loss, or without one the lowest loss; of a
        search the best score.
    stop_text_ : matplotlib Text
        The reason why training ended.

    See Also
    --------
    narxkit.NARX : Its attributes ``loss_curve_``, ``validation_curve_`` and ``stop_``.
    narxkit.GeneticSearchCV : Its attributes ``logbook_`` and ``stop_``.

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
        loss_curve=None,
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
        estimator : NARX, TDNN or other estimator with a ``loss_curve_``, or GeneticSearchCV
            Fitted model, or fitted search.
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
        shared = {
            "stop": getattr(estimator, "stop_", None),
            "name": fitted_name(estimator),
            "logbook": getattr(estimator, "logbook_", None),
            "unit": None,
        }
        if hasattr(estimator, "loss_curve_"):
            has_own_loss = getattr(getattr(estimator, "solver", None), "loss", None) is not None
            shared["loss_curve"] = estimator.loss_curve_
            shared["validation_curve"] = getattr(estimator, "validation_curve_", None)
            shared["unit"] = "that of the solver" if has_own_loss else "standardised units"
        elif shared["logbook"] is None:
            raise ValueError(
                "TrainingDisplay draws loss_curve_ or the logbook_ of a search, and this "
                f"{type(estimator).__name__} has neither: give a fitted network or a fitted "
                "GeneticSearchCV."
            )
        return cls(**shared).plot(ax=ax, **kwargs)

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
        self.validation_line_ = self.population_line_ = self.polish_line_ = None
        if self.loss_curve is None:
            self._draw_search(kwargs)
        else:
            self._draw_training(kwargs)
        self._finish()
        return self

    def _draw_training(self, kwargs):
        self.loss_line_ = self._draw(self.loss_curve, "training", COLOURS[0], kwargs)
        if self.validation_curve is not None:
            self.validation_line_ = self._draw(
                self.validation_curve, "held out", COLOURS[1], kwargs
            )
        if self.logbook is not None:
            self._draw_population(np.asarray(self.logbook["mean"], float))
            self._mark_polish(np.max(self.logbook["generation"]))
        line = self.loss_line_ if self.validation_line_ is None else self.validation_line_
        # the weights that are kept are the best ones met, not the last
        self._mark_best(line, "weights kept", np.nanargmin(line.get_ydata()))
        self._names = "iteration", "loss"

    def _draw_search(self, kwargs):
        best, mean = (np.asarray(self.logbook[name], float) for name in ("best", "mean"))
        is_error = are_errors(best)
        sign = -1.0 if is_error else 1.0
        generations = np.asarray(self.logbook["generation"])
        self.loss_line_ = self._draw(sign * best, "best so far", COLOURS[0], kwargs, generations)
        self._draw_population(sign * mean)
        self._mark_best(self.loss_line_, "configuration kept", np.nanargmax(best))
        self._names = "generation", "error" if is_error else "score"

    def _draw(self, curve, name, colour, kwargs, x=None):
        style = {"color": colour, "lw": 1.8, "label": name, **dot(curve), **kwargs}
        x = np.arange(len(curve)) if x is None else x
        return self.ax_.plot(x, np.asarray(curve, float), **style)[0]

    def _draw_population(self, mean):
        generations = np.asarray(self.logbook["generation"])
        style = {"color": GREY, "lw": 1.0, "label": "mean of the population", "zorder": 1}
        (self.population_line_,) = self.ax_.plot(generations, mean, **style, **dot(mean))

    def _mark_polish(self, last):
        if len(self.loss_curve) - 1 > last:
            style = {"color": GREY, "lw": 1.0, "ls": ":", "label": "polish from here"}
            self.polish_line_ = self.ax_.axvline(last, **style)

    def _mark_best(self, line, name, at):
        x, y = line.get_data()
        (self.best_,) = self.ax_.plot(
            x[[at]], y[[at]], "o", ms=7, color=line.get_color(), label=name, zorder=4
        )

    def _finish(self):
        ax = self.ax_
        curves = [line for line in (self.loss_line_, self.validation_line_) if line is not None]
        lowest = min(np.nanmin(line.get_ydata()) for line in curves)
        # a loss of the user's own may be negative, and an error nothing: no decade holds them
        if lowest > 0 and self._names[1] != "score":
            ax.set_yscale("log")
            plain_log_ticks(ax)
        ax.margins(x=0.02, y=0.08)
        ticker = load_matplotlib("ticker")
        ax.xaxis.set_major_locator(
            ticker.MaxNLocator(integer=True, steps=[1, 2, 5, 10], min_n_ticks=1)
        )
        x, y = self._names
        self._name_axes(x, f"{y}, {self.unit}" if self.unit else y)
        ax.set_title(self.name or "", loc="right", color=GREY, fontsize=SMALL)
        stop = "" if self.stop is None else str(self.stop)
        self.stop_text_ = ax.annotate(
            stop, (0, 0), (0, -44), "axes fraction", "offset points", fontsize=SMALL, color=GREY
        )
        self.legend_ = ax.legend(frameon=False, fontsize=SMALL, labelcolor="linecolor")
