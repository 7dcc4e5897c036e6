"""Score against size: what a search with two objectives has found."""

import numpy as np

from narxkit.plotting.base import (
    COLOURS,
    GREY,
    Display,
    are_errors,
    load_matplotlib,
    plain_log_ticks,
)

__all__ = ["ParetoDisplay"]


class ParetoDisplay(Display):
    """The front of error, or score, against the number of parameters, above all that was tried.

    Scores that are nowhere above zero are negative errors, as those of scikit-learn's scorers of
    errors: they are drawn as errors, on a logarithmic axis. Both axes then read "less is better".

    Parameters
    ----------
    front : DataFrame
        Columns score and n_params_, a row for each configuration on the front.
    score : array-like of shape (n,), default=None
        Scores of all configurations.
    n_params : array-like of shape (n,), default=None
        Their numbers of parameters.
    unit : str, default=None
        Unit of the scores.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes drawn on.
    figure_ : matplotlib Figure
        Its figure.
    front_line_ : matplotlib Line2D
        The front, as a stair: the best that so many parameters give.
    best_ : matplotlib Line2D
        The best score, a ring around its point.
    evaluated_line_ : matplotlib Line2D or None
        All configurations.
    legend_ : matplotlib Legend
        The names of the three.

    See Also
    --------
    narxkit.GeneticSearchCV : Its attribute ``pareto_front_``.

    Examples
    --------
    >>> import pandas as pd
    >>> from narxkit.plotting import ParetoDisplay
    >>> front = pd.DataFrame({"score": [-2.0, -1.5, -1.4], "n_params_": [5, 12, 40]})
    >>> display = ParetoDisplay(front=front, unit="m/s").plot()
    >>> display.ax_.get_title(loc="left")
    'error, m/s'
    """

    def __init__(self, *, front, score=None, n_params=None, unit=None):
        self.front = front
        self.score = score
        self.n_params = n_params
        self.unit = unit

    @classmethod
    def from_estimator(cls, estimator, *, unit=None, ax=None, **kwargs):
        """Draw the front of a search.

        Parameters
        ----------
        estimator : GeneticSearchCV
            Fitted, with ``objectives=("score", "n_params_")``.
        unit : str, default=None
            Unit of the scores.
        ax : matplotlib Axes, default=None
            Where to draw; by default on a new figure.
        **kwargs : dict
            Properties of the front's line.

        Returns
        -------
        ParetoDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            When the search has no front.
        """
        if not hasattr(estimator, "pareto_front_"):
            raise ValueError(
                f"ParetoDisplay draws pareto_front_, and this {type(estimator).__name__} has none: "
                "fit a GeneticSearchCV with objectives=('score', 'n_params_')."
            )
        results = estimator.cv_results_
        metric = estimator.refit if estimator.multimetric_ else "score"
        display = cls(
            front=estimator.pareto_front_,
            # without a metric to refit by it is not told which one was searched by
            score=results.get(f"mean_test_{metric}"),
            n_params=results["n_params_"],
            unit=unit,
        )
        return display.plot(ax=ax, **kwargs)

    def plot(self, ax=None, **kwargs):
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; by default on a new figure.
        **kwargs : dict
            Properties of the front's line.

        Returns
        -------
        ParetoDisplay
            The display itself.

        Raises
        ------
        ValueError
            When the front is empty.
        """
        if not len(self.front):
            raise ValueError(
                "the front is empty: no configuration has a finite score. See ``cv_results_``."
            )
        ax = self._open(ax)
        front = self.front.sort_values("n_params_")
        sizes, scores = front["n_params_"].to_numpy(float), front["score"].to_numpy(float)
        self._is_error = are_errors(scores)
        self.evaluated_line_ = self._draw_evaluated()
        style = {"color": COLOURS[0], "marker": "o", "ms": 5, "lw": 1.8, "label": "front", **kwargs}
        heights = self._height(scores)
        self.front_line_ = ax.plot(sizes, heights, drawstyle="steps-post", **style)[0]
        best = np.argmax(scores)
        ring = {"mfc": "none", "color": COLOURS[1], "ms": 11, "mew": 1.6, "label": "best"}
        self.best_ = ax.plot(sizes[best], heights[best], "o", **ring)[0]
        self._finish()
        return self

    def _height(self, scores):
        scores = np.asarray(scores, float)
        return -scores if self._is_error else scores

    def _draw_evaluated(self):
        if self.score is None:
            return None
        style = {"color": GREY, "alpha": 0.55, "ms": 3.5, "mew": 0, "label": "tried"}
        heights = self._height(self.score)
        heights = np.where(np.isfinite(heights), heights, np.nan)  # fits that failed or diverged
        return self.ax_.plot(np.asarray(self.n_params, float), heights, "o", **style)[0]

    def _finish(self):
        ax = self.ax_
        ax.margins(x=0.06, y=0.08)
        ax.set_xscale("log")
        ticker = load_matplotlib("ticker")
        ax.xaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
        ax.xaxis.set_major_formatter(ticker.StrMethodFormatter("{x:g}"))
        ax.xaxis.set_minor_locator(ticker.NullLocator())
        if self._is_error and np.all(self.front_line_.get_ydata() > 0):
            ax.set_yscale("log")
            plain_log_ticks(ax)
        name = "error" if self._is_error else "score"
        self._name_axes("parameters", f"{name}, {self.unit}" if self.unit else name)
        self.legend_ = self._legend_above([self.front_line_, self.best_, self.evaluated_line_])
