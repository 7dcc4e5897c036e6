r"""Is a model right? What its residuals still know of their past and of the inputs.

A model that has learnt all there is leaves residuals :math:`e_t = y_t - \hat y_t` that are alike
and independent, of each other and of the inputs. Correlations by lag k look for what is left, with
all means taken away (Billings and Voon):

===========  =============================================  =======================================
test         correlation of                                 what leaves it
===========  =============================================  =======================================
phi_ee       :math:`e_t` and :math:`e_{t-k}`, k >= 1        lags of the output, or noise with memory
phi_ue       :math:`e_t` and :math:`u_{t-k}`, k >= 0        lags of the input
phi_u2e      :math:`e_t` and :math:`u_{t-k}^2`, k >= 0      an even function of the input
phi_e(eu)    :math:`e_t` and :math:`e_{t-k} u_{t-k}`, k >= 1  a product of input and noise or output
phi_u2e2     :math:`e_t^2` and :math:`u_{t-k}^2`, k >= 0    noise as strong as the input says
phi_e2e2     :math:`e_t^2` and :math:`e_{t-k}^2`, k >= 1    noise that changes its strength
===========  =============================================  =======================================

Each test asks for the largest of its correlations, over all lags and inputs: its p-value is the
share of residual series in random order whose largest is at least as large. It is exact for
residuals that are alike and independent, whatever their distribution and however the inputs go
together in time.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd

from narxkit._clock import Clock, check_order
from narxkit.diagnostics._result import Figure, Result
from narxkit.diagnostics._series import is_int
from narxkit.diagnostics._shuffles import Line
from narxkit.plotting._base import load_matplotlib
from narxkit.plotting._loops import predictions
from narxkit.plotting.correlation import OF_ALL, CorrelationDisplay
from narxkit.plotting.horizon import HorizonDisplay
from narxkit.plotting.response import ErrorHistogramDisplay, RegressionDisplay, ResponseDisplay

__all__ = ["CorrelationTest", "Validity", "validate", "validate_residuals"]

SIZE = 0.05  # of each test, and of the verdict over all of them
FEWEST = 20  # residuals
TITLES = {
    "phi_ee": "residuals and earlier ones",
    "phi_ue": "residuals and {u}",
    "phi_u2e": "residuals and {u} squared",
    "phi_e(eu)": "residuals and earlier ones x {u}",
    "phi_u2e2": "squares of residuals and {u}",
    "phi_e2e2": "squares of residuals and earlier ones",
}
# in the order in which a remedy is named: first what is simplest to mend
REMEDIES = {
    "phi_ue": (
        "they go with {u} of {k}",
        "let input_lags reach lag {k}, or, if they do, try more hidden units",
    ),
    "phi_u2e": (
        "they go with the square of {u} of {k}",
        "try more hidden units, with input_lags that reach lag {k}",
    ),
    "phi_ee": (
        "they go with those of {k}",
        "let output_lags reach lag {k}, or, if they do, look for a missing input",
    ),
    "Ljung-Box": (
        "they go with those before, a little at many lags",
        "try more output_lags or look for a missing input",
    ),
    "phi_e(eu)": (
        "they go with the product of residual and {u} of {k}",
        "let output_lags and input_lags reach lag {k}, with more hidden units",
    ),
}
STRENGTHS = {
    "phi_u2e2": "goes with the square of {u} of {k}",
    "phi_e2e2": "goes with that of {k}",
}


@dataclass(frozen=True, eq=False)
class CorrelationTest:
    """One test: correlations by lag, what chance keeps within, and a p-value for all of them.

    Parameters
    ----------
    name : str
        The test, such as "phi_ue".
    correlations : DataFrame of shape (n_lags, n_columns)
        Correlations; the index holds the lags, the columns are the inputs, or "e" alone.
    band : float
        What 95 of 100 series in random order keep within at all lags and columns.
    pvalue : float
        Share of series in random order with a correlation as large as the largest, at any lag and
        in any column.

    See Also
    --------
    validate : Makes them.

    Examples
    --------
    >>> import numpy as np
    >>> from narxkit.diagnostics import validate_residuals
    >>> test = validate_residuals(np.random.default_rng(0).normal(size=300)).tests["phi_ee"]
    >>> bool(test.correlations.abs().max().max() < test.band) is (test.pvalue > 0.05)
    True
    """

    name: str
    correlations: pd.DataFrame
    band: float
    pvalue: float

    @property
    def peak(self):
        """Column, lag and value of the largest correlation."""
        lag, column = self.correlations.abs().stack().idxmax()
        return column, int(lag), float(self.correlations.loc[lag, column])

    def _fill(self, template):
        """Fill a sentence with the column and the lag of the peak."""
        column, lag, _ = self.peak
        return template.format(u=column, k=_rows(lag) if "of {k}" in template else lag)


class Portmanteau(NamedTuple):
    """Ljung and Box's statistic, and the share of series in random order that reach it."""

    statistic: float
    pvalue: float
    n_lags: int


class Normality(NamedTuple):
    """Anderson and Darling's statistic of a normal distribution, and what differs from one."""

    statistic: float
    pvalue: float
    skewness: float
    excess_kurtosis: float


@dataclass(frozen=True, repr=False, eq=False)
class Validity(Result):
    """Whether residuals are white, test by test, and what to do where they are not.

    Parameters
    ----------
    residuals : Series of shape (n,)
        Measured less predicted values; NaN where there is none.
    y : Series of shape (n,) or None
        Measured values.
    tests : dict of str to CorrelationTest
        By name.
    ljung_box : Portmanteau
        Statistic, p-value and number of lags.
    normality : Normality
        Statistic, p-value, skewness and excess kurtosis. No part of the verdict: squared error
        asks for no distribution, intervals may.
    skill : DataFrame or None
        Root mean squared errors by horizon, of the model and of naive forecasts of the same rows.
    loop : {"open", "closed"}
        Whether the residuals are of predictions one step ahead, or of a free run.

    Attributes
    ----------
    pvalues : Series
        p-values by test.
    failures : list of str
        Tests that fail, at 5 % over all of them together (Holm).
    is_white : bool
        Whether no test of the residuals themselves fails; their strength may change.

    See Also
    --------
    validate : Makes it from a model.
    validate_residuals : Makes it from residuals.

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
    input_lags reach lag 3, or, if they do, try more hidden units.
    """

    residuals: pd.Series
    y: pd.Series | None
    tests: dict = field(default_factory=dict)
    ljung_box: Portmanteau = None
    normality: Normality = None
    skill: pd.DataFrame | None = None
    loop: str = "open"

    @property
    def pvalues(self):
        """Each test's p-value."""
        by_test = {name: test.pvalue for name, test in self.tests.items()}
        return pd.Series(by_test | {"Ljung-Box": self.ljung_box.pvalue}, name="p")

    @property
    def failures(self):
        """Tests that fail at 5 % over all of them together, by Holm's steps."""
        ordered = self.pvalues.sort_values(kind="stable")
        fails = ordered.to_numpy() <= SIZE / np.arange(len(ordered), 0, -1)
        return list(ordered.index[np.logical_and.accumulate(fails)])

    @property
    def is_white(self):
        """Whether no test but those of the residuals' strength fails."""
        return not set(self.failures) - set(STRENGTHS)

    @property
    def sentence(self):
        """The verdict."""
        return f"{self._verdict()}{self._naive_is_better()}."

    def _verdict(self):
        failures = self.failures
        whose = "residuals" if self.loop == "open" else "residuals of the free run"
        if not failures:
            n = int(self.residuals.notna().sum())
            return (
                f"The {whose} are white: none of {len(self.pvalues)} tests finds in {n:,} of "
                "them what a model could still learn"
            )
        if self.is_white:
            name = next(name for name in STRENGTHS if name in failures)
            why = self.tests[name]._fill(STRENGTHS[name])
            return (
                f"The {whose} are white, but their strength {why} ({self._p(name)}): forecasts "
                "stand, intervals must not be of one width"
            )
        name = next(name for name in REMEDIES if name in failures)
        fill = self.tests[name]._fill if name in self.tests else str
        why, remedy = map(fill, REMEDIES[name])
        others = [other for other in failures if other != name]
        also = f", and {', '.join(others)}" if others else ""
        noise = (
            "" if self.loop == "open" else "; noise inside the loop would do it too: see "
            "loop='open'"
        )  # fmt: skip
        return f"The {whose} are not white: {why} ({self._p(name)}{also}): {remedy}{noise}"

    def _p(self, name):
        return f"{name}, p = {self.pvalues[name]:.3f}"

    def _naive_is_better(self):
        if self.skill is None:
            return ""
        naive = self.skill.drop(columns=["rows", "model"])
        worse = self.skill.index[naive.lt(self.skill["model"], axis=0).any(axis=1)]
        if worse.empty:
            return ""
        name = naive.loc[worse[0]].idxmin()
        return f"; {name} forecasts {_steps(worse[0])} ahead better"

    @property
    def figures(self):
        """Residuals, each test, normality, and skill."""
        known = self.residuals.dropna()
        lines = [
            Figure("residuals", f"{len(known):,}", "measured and predicted rows"),
            Figure("mean", f"{known.mean():.4g}", "0 is unbiased, in the unit of y"),
            Figure("standard deviation", f"{known.std(ddof=0):.4g}", "in the unit of y"),
            *map(self._figure, self.tests.values()),
            Figure(
                "Ljung-Box", f"p = {self.ljung_box.pvalue:.3f}",
                f"Q = {self.ljung_box.statistic:.4g} over {self.ljung_box.n_lags} lags",
            ),
            Figure(
                "normality", f"p = {self.normality.pvalue:.3f}",
                f"Anderson-Darling; skewness {self.normality.skewness:.2f}, excess kurtosis "
                f"{self.normality.excess_kurtosis:.2f}; no part of the verdict",
            ),
        ]  # fmt: skip
        return lines + ([] if self.skill is None else self._skill_figures())

    def _figure(self, test):
        column, lag, value = test.peak
        what = TITLES[test.name].format(u=column)
        return Figure(
            test.name,
            f"p = {test.pvalue:.3f}",
            f"{what}: largest {value:.3f} at lag {lag}, band {test.band:.3f}",
        )

    def _skill_figures(self):
        naive = [name for name in self.skill.columns if name not in ("rows", "model")]
        chosen = {self.skill.index[0], *self.skill.index[-1:]}
        return [
            Figure(
                f"skill, {_steps(h)} ahead",
                f"{1 - self.skill.loc[h, 'model'] / self.skill.loc[h, naive].min():.1%}",
                f"RMSE {self.skill.loc[h, 'model']:.4g}; "
                + ", ".join(f"{name} {self.skill.loc[h, name]:.4g}" for name in naive),
            )
            for h in sorted(chosen)
        ]

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
        wide = ["response"] if self.y is not None else []
        small = [name for name in pictures if name not in wide]
        small += ["."] * (-len(small) % 3)
        rows = [wide * 3] * bool(wide) + [small[i : i + 3] for i in range(0, len(small), 3)]
        figure, axes = load_matplotlib().subplot_mosaic(
            rows, figsize=(12, 2.9 * len(rows)), layout="constrained"
        )
        for name, draw in pictures.items():
            draw(axes[name])
        return figure

    def _pictures(self, unit):
        """What can be drawn, by name: functions of the axes."""
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
            rmse = self.skill.drop(columns="rows")
            pictures["skill"] = HorizonDisplay(rmse=rmse, unit=unit).plot
        return pictures

    def _display(self, test):
        column, _, _ = test.peak
        title = f"{TITLES[test.name].format(u=column)}: p = {test.pvalue:.3f}"
        return CorrelationDisplay(
            correlation=test.correlations[column], band=test.band, title=title, band_name=OF_ALL
        )


def validate(
    model,
    X,
    y,
    *,
    loop="open",
    segments=None,
    n_lags=None,
    horizons=24,
    season=None,
    n_shuffles=999,
    random_state=0,
):
    """Judge a fitted model by its residuals and by its skill.

    Parameters
    ----------
    model : estimator
        Fitted; asked for ``predict_ahead``, and in closed loop for ``simulate``.
    X : array-like of shape (n, n_features) or None
        Inputs of the rows to judge by: best such as the model was not fitted to. To its own
        training rows a model has fitted some of the noise, and the tests are too kind.
    y : array-like of shape (n,)
        Measured outputs.
    loop : {"open", "closed"}, default="open"
        Residuals of predictions one step ahead, or of a free run from the first rows. In a free run
        those of a right model are white only if all noise is noise of measurement.
    segments : array-like of shape (n,), default=None
        Segment labels; no lag and no horizon crosses from one to the next, nor a jump of the clock,
        nor from series to series.
    n_lags : int, default=None
        The largest lag, in rows; None means 20, or a quarter of the residuals if these are few.
    horizons : int or sequence of int, default=24
        Steps ahead at which errors are compared: 1 to this number, or these.
    season : int, default=None
        Rows of a season, for the seasonal naive forecast; None compares with persistence alone.
    n_shuffles : int, default=999
        Random orders that tell what is chance.
    random_state : int, RandomState instance or None, default=0
        Seed of these orders.

    Returns
    -------
    Validity
        The verdict, each test and the errors by horizon.

    Raises
    ------
    ValueError
        When rows are too few, residuals are constant, a parameter is out of its range, or `model`
        refuses the rows.

    See Also
    --------
    validate_residuals : The same from residuals.
    narxkit.backtest : Forecasts from many origins.

    Notes
    -----
    Residuals of missing rows are left out, with all pairs that need them. p-values are exact for
    residuals that are alike and independent. Where only their strength changes (phi_u2e2 and
    phi_e2e2 fail), those of the other tests are too small.

    References
    ----------
    S. A. Billings and W. S. F. Voon, "Correlation based model validity tests for non-linear
    models", International Journal of Control 44 (1986), 235-244; S. A. Billings and Q. M. Zhu,
    "Nonlinear model validation using correlation tests", International Journal of Control 60
    (1994), 1107-1120. Their tau of phi_e(eu) is k - 1 here, the input is centred before it is
    squared, and sums are divided by n times the standard deviations of e and of u (or their
    squares). phi_e2e2 is the test of A. I. McLeod and W. K. Li, "Diagnostic checking ARMA time
    series models using squared-residual autocorrelations", Journal of Time Series Analysis 4
    (1983), 269-273.

    Examples
    --------
    A system with the square of its input, and noise inside; a linear model misses the square:

    >>> import numpy as np
    >>> from narxkit import ARX, NARX
    >>> from narxkit.diagnostics import validate
    >>> u, noise = np.random.default_rng(0).normal(size=(2, 1500))
    >>> y = np.zeros(1500)
    >>> for t in range(1, 1500):
    ...     y[t] = 0.5 * y[t - 1] + u[t - 1] + 0.3 * u[t - 1] ** 2 + 0.2 * noise[t]
    >>> X, train, test = u[:, None], slice(1000), slice(1000, None)
    >>> linear = ARX(input_lags=1, output_lags=1).fit(X[train], y[train])
    >>> validate(linear, X[test], y[test]).failures
    ['phi_u2e', 'phi_u2e2']
    >>> network = NARX(input_lags=1, output_lags=1, random_state=0).fit(X[train], y[train])
    >>> validate(network, X[test], y[test]).failures
    []
    """
    y = _read_output(y)
    y_hat = np.asarray(predictions(model, X, y, loop, segments), dtype=float).reshape(len(y))
    parts = _segments(y.index, segments)
    skill = _skill(model, X, y, segments, parts, _horizons(horizons), season)
    return _judge(
        y - y_hat, X, y, parts, n_lags, n_shuffles, random_state, skill=skill, loop=loop
    )  # fmt: skip


def validate_residuals(
    residuals, X=None, y=None, *, segments=None, n_lags=None, n_shuffles=999, random_state=0
):
    """Judge residuals of any model.

    Parameters
    ----------
    residuals : array-like of shape (n,)
        Measured less predicted values, in the order of time; NaN where missing.
    X : array-like of shape (n, n_features), default=None
        Inputs of the same rows; without them the residuals' own past is tested.
    y : array-like of shape (n,), default=None
        Measured values, for pictures of the response.
    segments : array-like of shape (n,), default=None
        Segment labels; no lag crosses from one to the next, nor a jump of the clock, nor from
        series to series.
    n_lags : int, default=None
        The largest lag, in rows; None means 20, or a quarter of the residuals if these are few.
    n_shuffles : int, default=999
        Random orders that tell what is chance.
    random_state : int, RandomState instance or None, default=0
        Seed of these orders.

    Returns
    -------
    Validity
        The verdict and each test.

    Raises
    ------
    ValueError
        When rows are too few or not the same, residuals are constant, or a parameter is out of its
        range.

    See Also
    --------
    validate : The same from a model, with its skill.

    Examples
    --------
    >>> import numpy as np
    >>> from narxkit.diagnostics import validate_residuals
    >>> print(validate_residuals(np.random.default_rng(0).normal(size=500)).sentence)
    The residuals are white: none of 3 tests finds in 500 of them what a model could still learn.
    """
    e = _read_output(residuals, "residuals")
    y = y if y is None else _read_output(y).set_axis(e.index) if len(y) == len(e) else y
    if y is not None and len(y) != len(e):
        raise ValueError(f"y has {len(y)} rows, but residuals have {len(e)}: give the same rows.")
    return _judge(e, X, y, _segments(e.index, segments), n_lags, n_shuffles, random_state)


def _judge(e, X, y, parts, n_lags, n_shuffles, random_state, **known):
    """All tests of residuals; `parts` numbers their segments."""
    U = _read_inputs(X, len(e))
    n = _check_residuals(e)
    n_lags = min(20, n // 4) if n_lags is None else n_lags
    if not is_int(n_lags) or n_lags > n // 2:
        raise ValueError(
            f"n_lags must be an int from 1 to {n // 2}, half of the {n} residuals. Got {n_lags!r} "
            "instead."
        )
    if not is_int(n_shuffles) or n_shuffles < 1 / SIZE - 1:
        raise ValueError(f"n_shuffles must be an int of at least 19. Got {n_shuffles!r} instead.")
    order = np.argsort(parts, kind="stable")
    line = Line(e.to_numpy()[order], U.to_numpy()[order], parts[order], n_lags)
    tests, ljung_box = _tests(line, list(U.columns), n_shuffles, _generator(random_state))
    return Validity(e, y, tests, ljung_box, _normality(line.e), **known)


def _tests(line, columns, n_shuffles, rng):
    """The correlation tests and Ljung and Box's, of a line of residuals."""
    found = line.correlations(line.e[None])
    chance = [
        _largest(line, correlations) for correlations in line.shuffled(n_shuffles, rng)
    ]  # fmt: skip
    tests = {
        name: _test(name, found[name][0], columns, np.concatenate([c[name] for c in chance]))
        for name in TITLES
        if name in found
    }
    Q, others = _ljung_box(line, found)[0], np.concatenate([c["Ljung-Box"] for c in chance])
    return tests, Portmanteau(float(Q), _share(others, Q), line.n_lags)


def _largest(line, correlations):
    """What the tests ask for: the largest correlation of each series, and Ljung and Box's Q."""
    largest = {name: np.abs(r).max(axis=(1, 2)) for name, r in correlations.items()}
    return largest | {"Ljung-Box": _ljung_box(line, correlations)}


def _test(name, correlations, columns, chance):
    n_lags = len(correlations)
    first = 0 if name in ("phi_ue", "phi_u2e", "phi_u2e2") else 1
    frame = pd.DataFrame(
        correlations,
        pd.RangeIndex(first, first + n_lags, name="lag"),
        columns if len(columns) and name not in ("phi_ee", "phi_e2e2") else ["e"],
    )
    band = np.sort(chance)[-int(SIZE * (len(chance) + 1))]
    return CorrelationTest(name, frame, float(band), _share(chance, np.abs(correlations).max()))


def _ljung_box(line, correlations):
    """Q = n (n + 2) sum over k of r_k^2 / (number of pairs k apart)."""
    n, n_pairs = len(line.e), line.n_pairs
    r = correlations["phi_ee"][..., 0]
    return n * (n + 2) * np.sum(r**2 / np.maximum(n_pairs, 1), axis=1)


def _share(chance, value):
    """Share of values at least as large, the value itself among them."""
    return (1 + int(np.sum(chance >= value * (1 - 1e-12)))) / (len(chance) + 1)


def _normality(e):
    from statsmodels.stats.diagnostic import normal_ad

    statistic, pvalue = normal_ad(e)
    return Normality(
        float(statistic), float(pvalue), float(np.mean(e**3)), float(np.mean(e**4) - 3)
    )


# --- skill -------------------------------------------------------------------------------------


def _skill(model, X, y, segments, parts, horizons, season):
    """Root mean squared errors by horizon, over rows that all forecasts reach."""
    if season is not None and not is_int(season):
        raise ValueError(f"season must be None or an int >= 1, in rows. Got {season!r} instead.")
    with_labels = {} if segments is None else {"segments": segments}
    ahead = np.asarray(model.predict_ahead(X, y, steps=horizons, **with_labels), dtype=float)
    measured = y.groupby(parts)
    lines = {}
    for h, y_hat in zip(horizons, ahead.reshape(len(y), -1).T):
        forecasts = {"model": y_hat, "persistence": measured.shift(h)}
        if season is not None:
            forecasts["seasonal naive"] = measured.shift(season * -(-h // season))
        errors = pd.DataFrame(forecasts, index=y.index).sub(y, axis=0).dropna()
        if len(errors):
            lines[h] = {"rows": len(errors)} | np.sqrt((errors**2).mean()).to_dict()
    frame = pd.DataFrame.from_dict(lines, orient="index")
    return frame.rename_axis(index="horizon") if len(frame) else None


def _horizons(horizons):
    steps = range(1, horizons + 1) if is_int(horizons) else horizons
    if not np.iterable(steps) or not len(steps) or not all(map(is_int, steps)):
        raise ValueError(
            f"horizons must be an int >= 1 or a sequence of them. Got {horizons!r} instead."
        )
    return sorted(set(steps))


# --- what comes in -----------------------------------------------------------------------------


def _read_output(values, name="y"):
    """One series of floats, with its index or one that counts rows from 0."""
    shape = np.shape(values)
    if len(shape) == 2 and shape[1] != 1 or len(shape) not in (1, 2):
        raise ValueError(
            f"{name} must be one output of shape (n,). Got shape {shape} instead: judge outputs "
            "one at a time, from their residuals with validate_residuals."
        )
    if isinstance(values, pd.DataFrame):
        values = values.iloc[:, 0]
    if isinstance(values, pd.Series):
        return values.astype(float)
    return pd.Series(np.asarray(values, dtype=float).reshape(len(values)))


def _read_inputs(X, n):
    """Inputs as a frame of floats with names as text."""
    if X is None:
        return pd.DataFrame(np.empty((n, 0)))
    named = isinstance(X, pd.DataFrame)
    U = X.astype(float) if named else pd.DataFrame(np.asarray(X, dtype=float))
    if len(U) != n:
        raise ValueError(f"X has {len(U)} rows, but {n} are judged: give the same rows.")
    if np.isinf(U.to_numpy()).any():
        raise ValueError("X holds infinite values: give NaN where an input is missing.")
    return U.set_axis([str(c) if named else f"input {c}" for c in U.columns], axis=1)


def _check_residuals(e):
    """The number of residuals, if they can be judged."""
    known = e.dropna().to_numpy()
    if np.isinf(known).any():
        raise ValueError("residuals hold infinite values: give NaN where a prediction is missing.")
    if len(known) < FEWEST:
        raise ValueError(
            f"{len(known)} of {len(e)} rows have a residual, but at least {FEWEST} are needed: "
            "give more rows."
        )
    if np.ptp(known) <= 1e-12 * np.abs(known).max():
        raise ValueError(f"all residuals are {known[0]:g}: there is nothing to judge.")
    return len(known)


def _segments(index, labels):
    """The number of each row's segment: series, then jumps of its clock, then labels."""
    n = len(index)
    keys = [pd.factorize(index.get_level_values(0))[0]] if index.nlevels > 1 else [np.zeros(n, int)]
    times = index.get_level_values(-1) if index.nlevels > 1 else index
    begins = np.zeros(n, dtype=bool)
    if labels is not None and len(labels) != n:
        raise ValueError(f"segments have {len(labels)} labels, but {n} rows are judged.")
    for key in np.unique(keys[0]):
        rows = np.flatnonzero(keys[0] == key)
        begins[rows[0]] = True
        begins[rows] |= _jumps(times[rows])
        if labels is not None:
            own = pd.factorize(np.asarray(labels)[rows], use_na_sentinel=False)[0]
            begins[rows[1:]] |= own[1:] != own[:-1]
    order = np.argsort(keys[0], kind="stable")
    parts = np.empty(n, dtype=int)
    parts[order] = np.cumsum(begins[order]) - 1
    return parts


def _jumps(times):
    """Where the clock, if there is one, jumps."""
    check_order(times, "y")
    clock = Clock.from_index(times)
    return np.zeros(len(times), dtype=bool) if clock is None else clock.breaks(times)


def _generator(random_state):
    """A new generator of numpy, from a seed, an old one or another new one."""
    if isinstance(random_state, np.random.RandomState):
        random_state = random_state.randint(2**31)
    return np.random.default_rng(random_state)


def _rows(lag):
    return "the same row" if lag == 0 else f"{lag} row{'s' if lag > 1 else ''} before"


def _steps(h):
    return f"{h} step{'s' if h > 1 else ''}"
