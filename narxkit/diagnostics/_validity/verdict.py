"""The verdict on residuals: sentence, figures and pictures."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from narxkit._words import counted
from narxkit.diagnostics._result import Result, Row
from narxkit.diagnostics.values import is_row_count
from narxkit.plotting.base import load_matplotlib
from narxkit.plotting.correlation import OF_ALL, CorrelationDisplay
from narxkit.plotting.horizon import HorizonDisplay
from narxkit.plotting.response import ErrorHistogramDisplay, RegressionDisplay, ResponseDisplay

from .residual_tests import OF_INPUTS, SIZE, Normality, Portmanteau

TITLES = {
    "phi_ee": "residuals and earlier ones{whose}",
    "phi_ue": "residuals and {u}",
    "phi_u2e": "residuals and {u} squared",
    "phi_e(eu)": "residuals and earlier ones x {u}",
    "phi_u2e2": "squares of residuals and {u}",
    "phi_e2e2": "squares of residuals and earlier ones",
}
WIDTH, HEIGHT = 12, 2.9  # inches: of all pictures, and of a row of them
REMEDIES = {
    "phi_ue": (
        "they go with {u} of {k}",
        "let input_lags reach lag {k}, or, if they do, try a nonlinear model or more hidden units",
    ),
    "phi_u2e": (
        "they go with the square of {u} of {k}",
        "try a nonlinear model or more hidden units, with input_lags that reach lag {k}",
    ),
    "phi_ee": (
        "they go with those{whose} of {k}",
        "let output_lags reach lag {k}, or, if they do, look for a missing input",
    ),
    "phi_e(eu)": (
        "they go with the product of residual and {u} of {k}",
        "let output_lags and input_lags reach lag {k}, or, if they do, try more hidden units or a "
        "nonlinear model",
    ),
}
OF_ROLLOUTS = {  # a fault at one lag goes round the loop, so that no lag can be named
    "phi_ue": (
        "they go with {u} of {k}",
        "what the loop makes of {u} is wrong: try input_lags and output_lags that reach farther, a "
        "nonlinear model or more hidden units",
    ),
    "phi_u2e": (
        "they go with the square of {u} of {k}",
        "the loop misses a curvature: try a nonlinear model or more hidden units",
    ),
    "phi_ee": (
        "they go with those{whose} of {k}, which were known when they were forecast",
        "try output_lags that reach farther, or look for a missing input",
    ),
}
AT_MANY_LAGS = (
    "they go with those before, a little at many lags",
    "try more output_lags or look for a missing input",
)
OF_LEVEL = (
    "their level moves",
    "refit on newer rows, or give a trend or the missing input",
)
FEWEST, MOST = 10, 20  # lags that tell whether a level moves
CLOSE = 0.5  # of how far the test of an input is beyond its band
BIASED = 3.29  # standard errors of the mean: one right model in a thousand
WORSE = 10  # times the error of a naive forecast: from there on per cents say little
STRENGTHS = {
    "phi_u2e2": "goes with the square of {u} of {k}",
    "phi_e2e2": "goes with that of {k}",
}


@dataclass(frozen=True, repr=False, eq=False)
class Validity(Result):
    r"""Whether residuals are white, test by test, and what to do where they are not.

    Parameters
    ----------
    residuals : Series of shape (n,)
        Measured less predicted values; NaN where there is none.
    y : Series of shape (n,) or None
        Measured values.
    tests : dict of str to CorrelationTest
        By name.
    ljung_box : Portmanteau or None
        Statistic, p-value and number of lags, of residuals one step ahead.
    normality : Normality
        Statistic, p-value, skewness and excess kurtosis. No part of the verdict: squared error
        asks for no distribution, intervals may.
    skill : DataFrame or None
        Root mean squared errors by horizon, of the model and of naive forecasts of the same rows.
    naive_pvalues : DataFrame or None
        How likely each naive forecast is this much better by chance, by horizon: one-sided, by
        Diebold and Mariano's test, and 1 where there are fewer than 30 rows for each step. The
        verdict names one if it is better at 5 % over all of them (Bonferroni).
    loop : {"open", "closed"} or int
        Whether the residuals are of predictions one step ahead, or of a free run, or so many steps
        ahead.
    memory : ndarray of shape (n_lags,)
        Autocorrelations of the residuals, from lag 1 on.
    n_lost : int
        Rows without a residual because the model's prediction is not finite, where it had all that
        it needs.
    lost : Series or None
        The same of the forecasts that `skill` compares, by horizon.
    model : Row or None
        Name of the model, and of a network how much passes its hidden layers.
    name : str
        Its name in pictures.
    notes : list of Row
        Comparisons and tests that were not possible, and why.

    Attributes
    ----------
    pvalues : Series
        p-values by test.
    failures : list of str
        Tests that fail, at 5 % over all of them together (Holm).
    is_white : bool
        Whether no test of the residuals themselves fails; their strength may change.
    has_fault : bool
        Whether a test fails, the model loses rows, the mean is more than 3.29 standard errors from
        0, or a naive forecast is better.

    See Also
    --------
    validate : Makes it from a model.
    validate_residuals : Makes it from residuals.

    Notes
    -----
    The sentence names a remedy for the failing test whose largest correlation is furthest beyond
    its band, as a multiple of it; for Ljung and Box's only where no other has one. Where that is
    phi_ee or Ljung and Box's, and nine in ten of the correlations at the first lags, up to 20, are
    positive and hardly fall off, the level of the residuals moves, and no lag of the output mends
    it.

    The variance of the mean is that of independent residuals times :math:`1 + 2 \sum_k r_k`, with
    the correlations of phi_ee up to the last one before the first that is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> from narxkit.diagnostics import validate_residuals
    >>> rng = np.random.default_rng(0)
    >>> u, noise = rng.normal(size=(2, 400))
    >>> result = validate_residuals(noise + 0.5 * np.roll(u, 3), u[:, None])
    >>> result.failures
    ['phi_ue']
    >>> print(result.sentence)
    The residuals are not white: they go with input 0 of 3 rows before (phi_ue, p = 0.001): let
    input_lags reach lag 3, or, if they do, try a nonlinear model or more hidden units.
    """

    residuals: pd.Series
    y: pd.Series | None
    tests: dict = field(default_factory=dict)
    ljung_box: Portmanteau | None = None
    normality: Normality = None
    skill: pd.DataFrame | None = None
    naive_pvalues: pd.DataFrame | None = None
    loop: str | int = "open"
    memory: np.ndarray = ()
    n_lost: int = 0
    lost: pd.Series | None = None
    model: Row | None = None
    name: str = "model"
    notes: list = field(default_factory=list)

    @property
    def pvalues(self):
        """Each test's p-value."""
        by_test = {name: test.pvalue for name, test in self.tests.items()}
        of_all = {} if self.ljung_box is None else {"Ljung-Box": self.ljung_box.pvalue}
        return pd.Series(by_test | of_all, name="p", dtype=float)

    @property
    def failures(self):
        """Tests that fail at 5 % over all of them together, by Holm's steps."""
        ordered = self.pvalues.sort_values(kind="stable")
        # Holm: the smallest p against 5 % / m, the next against 5 % / (m - 1), until one passes
        fails = ordered.to_numpy() <= SIZE / np.arange(len(ordered), 0, -1)
        return list(ordered.index[np.logical_and.accumulate(fails)])

    @property
    def is_white(self):
        """Whether no test but those of the residuals' strength fails."""
        return not set(self.failures) - set(STRENGTHS)

    @property
    def has_fault(self):
        """Whether a test fails, rows are lost, the mean is not 0, or a naive forecast is better."""
        return bool(self.failures or self._loss() or self._bias() or self._better_naive())

    @property
    def sentence(self):
        """The verdict."""
        return f"{self._verdict()}{self._loss()}{self._bias()}{self._better_naive()}."

    def _verdict(self):
        failures = self.failures
        if self.loop != "open":
            return self._verdict_on_rollouts()
        if not failures:
            n = int(self.residuals.notna().sum())
            return (
                f"The residuals are white: none of {len(self.pvalues)} tests finds in {n:,} of "
                "them what a model could still learn"
            )
        if self.is_white:
            name = next(name for name in STRENGTHS if name in failures)
            why = _fill(STRENGTHS[name], self.tests[name])
            return (
                f"The residuals are white, but their strength {why} ({self._p(name)}): forecasts "
                "stand, intervals must not be of one width"
            )
        name = self._furthest()
        why, remedy = (_fill(words, self.tests.get(name)) for words in self._words(name))
        why = f"The residuals are not white: {why} ({self._p(name)}{self._also(name)})"
        return f"{why}: {remedy}{self._rival(name)}"

    def _verdict_on_rollouts(self):
        """Write whether errors several steps ahead or of a free run are those of a right model."""
        whose = f"residuals {_of_rollouts(self.loop)}"
        if not self.tests:
            return (
                f"No test can ask of the {whose}: they have the memory of the noise, and there is "
                "no input that varies; see the errors by horizon"
            )
        if not self.failures:
            n, n_tests = int(self.residuals.notna().sum()), counted(len(self.tests), "test")
            return f"The {whose} are independent of {self._asked()}, by {n_tests} on {n:,} of them"
        name = self._furthest()
        why, remedy = (_fill(words, self.tests[name]) for words in OF_ROLLOUTS[name])
        return f"The {whose} are not right: {why} ({self._p(name)}{self._also(name)}): {remedy}"

    def _asked(self):
        """Name the references that the residuals of rollouts were held against."""
        asked = ["the inputs"] if set(OF_INPUTS) & set(self.tests) else []
        if "phi_ee" in self.tests:
            asked.append(f"those of {_rows(self.loop)} and farther")
        return " and of ".join(asked)

    def _also(self, name):
        """Name the other tests that fail."""
        others = [other for other in self.failures if other != name]
        return f", and {', '.join(others)}" if others else ""

    def _furthest(self):
        """Find the failing test furthest beyond its band, of those with a remedy."""
        # by distance, not by p: p-values of permutations share one floor
        excess = {name: self.tests[name].excess for name in REMEDIES if name in self.failures}
        return max(excess, key=excess.get, default="Ljung-Box")

    def _rival(self, name):
        """Name the lag of the output that may be missing as well, where an input is named."""
        if name != "phi_ue" or "phi_ee" not in self.failures:
            return ""
        past, lag = self.tests["phi_ee"], self.tests["phi_ee"].peak[1]
        if lag == 1 or past.excess < CLOSE * self.tests[name].excess:  # lag 1 is seldom missing
            return ""
        return f"; or let output_lags reach lag {lag}, and keep what leaves less"

    def _words(self, name):
        """Explain why residuals are not white by this test, and what to do."""
        if name in ("phi_ee", "Ljung-Box") and _level_moves(self._memory()):
            return OF_LEVEL
        return REMEDIES.get(name, AT_MANY_LAGS)

    def _memory(self):
        """Return correlations with the residuals' own past, from lag 1 on."""
        return np.asarray(self.memory)

    def _p(self, name):
        return f"{name}, p = {self.pvalues[name]:.3f}"

    # each of the next three is a clause of the sentence, empty where there is no such fault

    def _loss(self):
        n_known = int(self.residuals.notna().sum())
        whose = f"predictions {_of_rollouts(self.loop)}"
        if not is_row_count(self.loop):
            whose = {"open": "one-step predictions", "closed": "values of the free run"}[self.loop]
        losses = [(self.n_lost, n_known + self.n_lost, whose)] if self.n_lost else []
        for h in self._worst_horizon():
            n_rows, n_lost = self._compared().loc[h]
            loss = n_lost, n_rows + n_lost, f"forecasts {_steps(h)} ahead"
            losses = [loss] if self.loop == "open" else [*losses, loss]
        lost = " and ".join(f"{n_lost:,} of {n:,} {what}" for n_lost, n, what in losses)
        is_one = len(losses) == 1 and losses[0][0] == 1
        end = "is not finite and counts" if is_one else "are not finite and count"
        return f"; but {lost} {end} in no error" if lost else ""

    def _compared(self):
        """Count rows compared and rows that the model has lost, by horizon."""
        rows = pd.Series(dtype=int) if self.skill is None else self.skill["rows"]
        lost = 0 * rows if self.lost is None else self.lost
        rows = rows.reindex(lost.index, fill_value=0)
        return pd.DataFrame({"rows": rows, "lost": lost}, dtype=int)

    def _worst_horizon(self):
        """Find the horizon that loses the largest share of its rows: a list of one, or none."""
        compared = self._compared()
        share = compared["lost"] / compared.sum(axis=1)
        return [share.idxmax()] if share.any() else []

    def _bias(self):
        mean, _, error = _moments(self.residuals)
        # errors that depend on each other count for fewer
        error *= np.sqrt(_inflation(self._memory()))
        if abs(mean) <= BIASED * error:
            return ""
        return (
            f"; but their mean, {mean:.3g}, is {abs(mean / error):.2g} standard errors from 0: "
            "the model is biased"
        )

    def _better_naive(self):
        if self.naive_pvalues is None:
            return ""
        pvalues = self.naive_pvalues.stack()
        # Bonferroni: every horizon and naive forecast had its chance
        if pvalues.min() > SIZE / len(pvalues):
            return ""
        h, name = pvalues.idxmin()
        return f"; {_steps(h)} ahead a naive forecast is better ({name}, p = {pvalues.min():.2g})"

    @property
    def figures(self):
        """The model, residuals, each test, normality, skill and notes."""
        mean, std, _ = _moments(self.residuals)
        return [
            *([] if self.model is None else [self.model]),
            Row(
                "residuals", f"{self.residuals.notna().sum():,}", "measured and predicted rows"
            ),
            Row("mean", f"{mean:.4g}", "0 is unbiased, in the unit of y"),
            Row("standard deviation", f"{std:.4g}", "in the unit of y"),
            *self._fit_figures(),
            *map(self._figure, self.tests.values()),
            *self._ljung_box_figures(),
            Row(
                "normality", f"p = {self.normality.pvalue:.3f}",
                f"Anderson-Darling; skewness {self.normality.skewness:.2f}, excess kurtosis "
                f"{self.normality.excess_kurtosis:.2f}; no part of the verdict",
            ),
            *self._skill_figures(),
            *self.notes,
        ]  # fmt: skip

    def _fit_figures(self):
        """Yield the fit of the rollouts in per cent, as system identification counts it."""
        if self.loop == "open" or self.y is None:
            return []
        known = self.residuals.dropna()
        fit = 1 - np.sqrt(np.mean(known**2)) / self.y[self.residuals.notna()].std(ddof=0)
        meaning = f"{_of_rollouts(self.loop)}: 1 - RMSE / standard deviation of y"
        return [Row("fit", f"{fit:.1%}", meaning)]

    def _ljung_box_figures(self):
        if self.ljung_box is None:
            return []
        Q, pvalue, n_lags = self.ljung_box
        return [Row("Ljung-Box", f"p = {pvalue:.3f}", f"Q = {Q:.4g} over {counted(n_lags, 'lag')}")]

    def _figure(self, test):
        _, lag, value = test.peak
        what = _fill(TITLES[test.name], test)
        return Row(
            test.name,
            f"p = {test.pvalue:.3f}",
            f"{what}: largest {value:.3f} at lag {lag}, band {test.band:.3f}",
        )

    def _skill_figures(self):
        """Yield the nearest and the farthest horizon, and the one that loses the most rows."""
        compared = self._compared()
        chosen = {*compared.index[:1], *compared.index[-1:], *self._worst_horizon()}
        return [self._skill_figure(h, *compared.loc[h]) for h in sorted(chosen)]

    def _skill_figure(self, h, n_rows, n_lost):
        name, lost = f"skill, {_steps(h)} ahead", f", {n_lost:,} without a finite forecast"
        rows = f"{counted(n_rows, 'row')}{lost if n_lost else ''}"
        if not n_rows:
            return Row(name, "none", rows)
        model, *naive = self.skill.loc[h].drop("rows").items()
        of_naive = ", ".join(f"{name} {rmse:.4g}" for name, rmse in naive)
        value = _skill(model[1], min(rmse for _, rmse in naive))
        value += " where finite" if n_lost else ""
        return Row(name, value, f"{rows}: RMSE {model[1]:.4g}; {of_naive}")

    def plot(self, unit=None):
        """Draw all pictures on one figure.

        The response, each test with its column of the largest correlation, regression, histogram
        and errors by horizon, as far as they are known.

        Parameters
        ----------
        unit : str, default=None
            Unit of y.

        Returns
        -------
        Figure
            The figure of matplotlib.
        """
        pictures = self._pictures(unit)
        size = WIDTH, HEIGHT * len(lay_out(pictures))
        figure = load_matplotlib().figure(figsize=size, layout="constrained")
        draw_pictures(figure, pictures)
        return figure

    def _pictures(self, unit):
        """Return the pictures by name, as functions of the axes."""
        pictures = {}
        if self.y is not None:
            pair = {"y_true": self.y, "y_pred": self.y - self.residuals, "unit": unit}
            pictures["response"] = ResponseDisplay(**pair).plot
        pictures |= {name: self._display(test).plot for name, test in self.tests.items()}
        if self.y is not None:
            pictures["regression"] = RegressionDisplay(**pair).plot
        zero = 0 * self.residuals
        target = None if self.y is None else self.y.name
        pictures["histogram"] = ErrorHistogramDisplay(
            y_true=self.residuals, y_pred=zero, target=target, unit=unit
        ).plot
        if self.skill is not None and len(self.skill):
            rmse = self.skill.drop(columns="rows").rename(columns={"model": self.name})
            pictures["skill"] = HorizonDisplay(rmse=rmse, unit=unit).plot
        return pictures

    def _display(self, test):
        column, _, _ = test.peak
        title = f"{_fill(TITLES[test.name], test)}: p = {test.pvalue:.3f}"
        return CorrelationDisplay(
            correlation=test.correlations[column], band=test.band, title=title, band_name=OF_ALL
        )


def n_steps_of(loop):
    """Return the number of steps of a rollout, infinite in a free run."""
    return {"open": 1, "closed": np.inf}.get(loop, loop)


def _of_rollouts(loop):
    return f"{_steps(loop)} ahead" if is_row_count(loop) else "of the free run"


def _skill(model, naive):
    if naive <= 0:
        return "none beside an exact naive forecast"
    times = model / naive
    return f"{1 - times:.1%}" if times < WORSE else f"none, {times:.3g} times the error"


def _moments(residuals):
    """Return mean, standard deviation and standard error of the mean, at any scale."""
    known = residuals.dropna()
    size = known.abs().max()
    # residuals near the ends of the floats would have infinite squares
    known = known / size
    return size * known.mean(), size * known.std(ddof=0), size * known.sem()


def _inflation(memory):
    """Return the variance of the mean in units of that of independent values."""
    positive = np.logical_and.accumulate(memory > 0)
    return 1 + 2 * memory[positive].sum()


def _level_moves(memory):
    """Tell whether correlations are positive and decay far more slowly than those of an AR(1)."""
    memory = memory[:MOST]
    if len(memory) < FEWEST or np.mean(memory > 0) < 0.9:
        return False
    # an AR(1) has lost its memory in the far half; a level that moves has not
    near, far = np.array_split(memory, 2)
    of_ar1 = memory[0] ** np.arange(len(near) + 1, len(memory) + 1)
    return far.mean() > max(0.6 * near.mean(), 2 * of_ar1.mean())


def lay_out(pictures):
    """Lay out names in rows of three, the response as wide as all of them."""
    small = [name for name in pictures if name != "response"]
    while len(small) % 3:
        small.append(".")  # an empty place of the mosaic
    rows = [small[i : i + 3] for i in range(0, len(small), 3)]
    return [["response"] * 3, *rows] if "response" in pictures else rows


def draw_pictures(figure, pictures):
    """Draw all of them onto a figure or a part of one."""
    axes = figure.subplot_mosaic(lay_out(pictures))
    for name, draw_onto in pictures.items():
        draw_onto(axes[name])


def _fill(template, test):
    """Fill a sentence with the column and the lag of the test's peak; Ljung-Box has none."""
    if test is None:
        return template
    column, lag, _ = test.peak
    whose = "" if column == "e" else f" of {column}"
    return template.format(u=column, k=_rows(lag) if "of {k}" in template else lag, whose=whose)


def _rows(lag):
    return "the same row" if lag == 0 else f"{counted(lag, 'row')} before"


def _steps(h):
    return counted(h, "step")
