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

import numpy as np
import pandas as pd

from narxkit.diagnostics._residual_rows import (
    check_residuals,
    number_segments,
    read_inputs,
    read_outputs,
)
from narxkit.diagnostics._residual_tests import (
    FEWEST_SHUFFLES,
    CorrelationTest,
    judge_normality,
    run_tests,
)
from narxkit.diagnostics._series import check_count, is_int
from narxkit.diagnostics._shuffles import Line
from narxkit.diagnostics._skill import read_horizons, skill_by_horizon
from narxkit.diagnostics._validity import Validity
from narxkit.diagnostics._validity_table import ValidityTable
from narxkit.plotting._loops import predictions

__all__ = ["CorrelationTest", "Validity", "ValidityTable", "validate", "validate_residuals"]


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
    y : array-like of shape (n,) or (n, n_outputs)
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
        Rows of a season, for the seasonal naive forecast; persistence and the historical mean are
        compared with in any case.
    n_shuffles : int, default=999
        Random orders that tell what is chance; at least 139, or no test of seven can fail at 5 %
        over all of them.
    random_state : int, RandomState instance or None, default=0
        Seed of these orders.

    Returns
    -------
    Validity, or ValidityTable of several outputs
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
    residuals that are alike and independent, also of those of other outputs: where outputs share
    their noise, phi_ee rejects less often than it could. Where only the strength of residuals
    changes (phi_u2e2 and phi_e2e2 fail), p-values of the other tests are too small.

    The historical mean is that of the series' judged rows from the first one to the origin, and no
    later one: what is to be beaten where a series has no memory, as returns have none. There the
    mean squared error of persistence is twice that of the mean, and any model looks skilful beside
    it.

    References
    ----------
    S. A. Billings and W. S. F. Voon, "Correlation based model validity tests for non-linear
    models", International Journal of Control 44 (1986), 235-244; S. A. Billings and Q. M. Zhu,
    "Nonlinear model validation using correlation tests", International Journal of Control 60
    (1994), 1107-1120. Their tau of phi_e(eu) is k - 1 here, the input is centred before it is
    squared, and sums are divided by n times the standard deviations of e and of u (or their
    squares). phi_e2e2 is the test of A. I. McLeod and W. K. Li, "Diagnostic checking ARMA time
    series models using squared-residual autocorrelations", Journal of Time Series Analysis 4
    (1983), 269-273. The historical mean: J. Y. Campbell and S. B. Thompson, "Predicting excess
    stock returns out of sample: can anything beat the historical average?", Review of Financial
    Studies 21 (2008), 1509-1531.

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
    if isinstance(model, type) or not hasattr(model, "predict_ahead"):
        raise ValueError(
            f"model must be a fitted forecaster of narxkit. Got {model!r} instead: judge the "
            "residuals of any other with validate_residuals."
        )
    outputs, steps = read_outputs(y), read_horizons(horizons)
    if season is not None and not is_int(season):
        raise ValueError(f"season must be None or an int >= 1, in rows. Got {season!r} instead.")
    y = outputs[0] if len(outputs) == 1 else y
    parts = number_segments(outputs[0].index, segments)
    with_labels = {} if segments is None else {"segments": segments}
    y_hat, ahead = (
        np.asarray(predicted, dtype=float).reshape(len(parts), len(outputs), -1)
        for predicted in (
            predictions(model, X, y, loop, segments),
            model.predict_ahead(X, y, steps=steps, **with_labels),
        )
    )
    residuals = [y - y_hat[:, i, 0] for i, y in enumerate(outputs)]
    known = [
        {"y": y, "loop": loop} | skill_by_horizon(ahead[:, i], y, parts, steps, season)
        for i, y in enumerate(outputs)
    ]
    return _judge(residuals, known, X, parts, n_lags, n_shuffles, random_state)


def validate_residuals(
    residuals, X=None, y=None, *, segments=None, n_lags=None, n_shuffles=999, random_state=0
):
    """Judge residuals of any model.

    Parameters
    ----------
    residuals : array-like of shape (n,) or (n, n_outputs)
        Measured less predicted values, in the order of time; NaN where missing.
    X : array-like of shape (n, n_features), default=None
        Inputs of the same rows; without them the residuals' own past is tested.
    y : array-like of shape (n,) or (n, n_outputs), default=None
        Measured values, for pictures of the response.
    segments : array-like of shape (n,), default=None
        Segment labels; no lag crosses from one to the next, nor a jump of the clock, nor from
        series to series.
    n_lags : int, default=None
        The largest lag, in rows; None means 20, or a quarter of the residuals if these are few.
    n_shuffles : int, default=999
        Random orders that tell what is chance; at least 139, or no test of seven can fail at 5 %
        over all of them.
    random_state : int, RandomState instance or None, default=0
        Seed of these orders.

    Returns
    -------
    Validity, or ValidityTable of several outputs
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
    residuals = read_outputs(residuals, "residuals")
    outputs = [None] * len(residuals) if y is None else read_outputs(y)
    index = residuals[0].index
    if y is not None and len(y) != len(index):
        raise ValueError(
            f"y has {len(y)} rows, but residuals have {len(index)}: give the same rows."
        )
    if len(outputs) != len(residuals):
        raise ValueError(
            f"y and residuals must have the same outputs. Got {len(outputs)} and {len(residuals)} "
            "instead."
        )
    known = [{"y": y if y is None else y.set_axis(index)} for y in outputs]
    parts = number_segments(index, segments)
    return _judge(residuals, known, X, parts, n_lags, n_shuffles, random_state)


def _judge(residuals, known, X, parts, *options):
    """The verdict on each output, of which more may be known; `parts` numbers the segments."""
    U = read_inputs(X, len(parts))
    names = [str(e.name) for e in residuals]
    E = pd.concat(residuals, axis=1, keys=names)
    for name, e in E.items():
        check_residuals(e, f" of {name}" if len(names) > 1 else "")
    results = {
        name: Validity(e, **of_output, **_tests(e, E.drop(columns=name), U, parts, *options))
        for name, e, of_output in zip(names, residuals, known)
    }
    return ValidityTable(results) if len(results) > 1 else results.popitem()[1]


def _tests(e, others, U, parts, n_lags, n_shuffles, random_state):
    """All tests of one output's residuals."""
    n = int(e.notna().sum())
    n_lags = min(20, n // 4) if n_lags is None else n_lags
    if not is_int(n_lags) or n_lags > n // 2:
        raise ValueError(
            f"n_lags must be an int from 1 to {n // 2}, half of the {n} residuals. Got {n_lags!r} "
            "instead."
        )
    check_count("n_shuffles", n_shuffles, FEWEST_SHUFFLES)
    order = np.argsort(parts, kind="stable")
    names = list(U), list(others)
    e, U, others = (rows.to_numpy()[order] for rows in (e, U, others))
    line = Line(e, U, parts[order], n_lags, others)
    tests, ljung_box = run_tests(line, *names, n_shuffles, random_state)
    return {"tests": tests, "ljung_box": ljung_box, "normality": judge_normality(line.e)}
