r"""Is a model right? Tests of what its residuals still know of their past and of the inputs.

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

A model that was trained over rollouts is evaluated by the errors of such rollouts, of which less
can be asked (Ljung 1999, section 16.6). Errors k steps ahead share the noise of k - 1 rows, so that
phi_ee counts from lag k on; errors of a free run have whatever memory the noise has, so that phi_ee
says nothing of the model. Independent of the inputs they are all the same: phi_ue and phi_u2e stay.
"""

from itertools import zip_longest

import numpy as np
import pandas as pd

from narxkit._naming import fitted_name, is_off, what_passes
from narxkit._warn import warn_of_interruption
from narxkit._words import counted
from narxkit.diagnostics._result import Row
from narxkit.diagnostics._validity.forecastable_rows import ForecastableRows
from narxkit.diagnostics._validity.naive_comparison import read_horizons, skill_by_horizon
from narxkit.diagnostics._validity.residual_rows import (
    check_residuals,
    constant_columns,
    number_segments,
    read_inputs,
    read_output_columns,
    refuse_infinite_residuals,
)
from narxkit.diagnostics._validity.residual_tests import (
    FEWEST_SHUFFLES,
    CorrelationTest,
    measure_normality,
    run_tests,
    run_tests_of_rollouts,
)
from narxkit.diagnostics._validity.shuffles import PaddedRows
from narxkit.diagnostics._validity.table import ValidityTable
from narxkit.diagnostics._validity.verdict import Validity, n_steps_of
from narxkit.diagnostics.seasons import periods_of_clock
from narxkit.diagnostics.values import check_count, is_row_count
from narxkit.plotting.loops import predictions
from narxkit.rows.labels import common_index
from narxkit.rows.masks import unmasked

__all__ = ["CorrelationTest", "Validity", "ValidityTable", "validate", "validate_residuals"]

N_LAGS = 20  # by default, where no season is longer
BEYOND = 4  # lags beyond a season: what is a little late is seen too
SHORT, WORK = 100, 2_000_000  # lags that are always cheap; lags times residuals that are


def validate(
    model,
    X,
    y,
    *,
    loop=None,
    segments=None,
    n_lags=None,
    horizons=24,
    season=None,
    n_shuffles=999,
    random_state=0,
):
    """Validate a fitted model by its residuals and by its skill.

    Parameters
    ----------
    model : estimator
        Fitted; asked for ``predict_ahead``, and in closed loop for ``simulate``.
    X : array-like of shape (n, n_features) or None
        Inputs of the rows to validate on: best such as the model was not fitted to. To its own
        training rows a model has fitted some of the noise, and the tests are too kind. Of inputs
        that are constant here no test can ask; a note says so.
    y : array-like of shape (n,) or (n, n_outputs)
        Measured outputs.
    loop : {"open", "closed"}, int or None, default=None
        Residuals of predictions one step ahead, or so many, or of a free run from the first rows of
        each segment. None means what the model was trained for. Several steps ahead and in a free
        run fewer tests are asked; see the notes.
    segments : array-like of shape (n,), default=None
        Segment labels; no lag and no horizon crosses from one to the next, nor a jump of the clock,
        nor from series to series.
    n_lags : int, default=None
        The largest lag, in rows. None means 20, or four more than a season where that is more:
        `season`, or else what the clock suggests (a day of hours); k - 1 more for residuals k steps
        ahead; at most a quarter of the residuals, and of a season above 100 rows 2,000,000 /
        (number of residuals). A note names a `season` that the lags do not reach.
    horizons : int or sequence of int, default=24
        Steps ahead at which errors are compared: 1 to this number, or these. Notes name those
        that the rows are too few for.
    season : int, default=None
        Rows of a season, for the seasonal naive forecast and for `n_lags`; persistence, the
        historical mean and the drift are compared with in any case.
    n_shuffles : int, default=999
        Random orders that make the bands of chance; at least 139, or no test of seven can fail at
        5 % over all of them.
    random_state : int, RandomState instance or None, default=0
        Seed of these orders.

    Returns
    -------
    Validity, or ValidityTable of several outputs
        The verdict, each test and the errors by horizon.

    Raises
    ------
    ValueError
        When rows are too few, or none can be compared at any horizon, residuals are constant, a
        parameter is out of its range, or `model` refuses the rows.

    See Also
    --------
    validate_residuals : The same from residuals.
    narxkit.backtest : Forecasts from many origins.

    Notes
    -----
    Several steps ahead, and in a free run, a right model passes phi_ue and phi_u2e, for what noise
    does has nothing to do with the inputs; their p-values are shares of series with random phases,
    which have the autocorrelations of the residuals. Errors k steps ahead of a right model are
    correlated up to lag k - 1; phi_ee asks for lags from k on, against series with the correlations
    of the nearer lags alone. Of 150 right models each (300 and 1,000 rows, 6 and 24 steps, white
    and AR(1) inputs) these tests rejected 3 to 8 %, in a free run 3 to 10 %. Whether the one-step
    errors are white, loop="open" tells.

    Residuals of missing rows are left out, with all pairs that need them. A row that the model had
    all rows and values to predict, and of which its prediction is not finite, is counted as lost:
    that is a fault, as it shows in no error. p-values are exact for
    residuals that are alike and independent, also of those of other outputs: where outputs share
    their noise, phi_ee rejects less often than it could. Where only the strength of residuals
    changes (phi_u2e2 and phi_e2e2 fail), p-values of the other tests are too small.

    The historical mean is that of the rows analysed, from the first one to the origin, and no
    later one: what is to be beaten where a series has no memory, as returns have none. There the
    mean squared error of persistence is twice that of the mean, and any model looks skilful beside
    it. The drift is the last value and h times the mean step of these rows: what is to be beaten
    where a series grows steadily, as the readings of a meter do.

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
    Evaluations 21 (2008), 1509-1531. Rollouts: L. Ljung, "System Identification", second edition
    (1999), section 16.6: of an output-error model the test of independence from the inputs counts,
    that of whiteness examines its noise model. Random phases: J. Theiler et al., "Testing for
    nonlinearity in time series: the method of surrogate data", Physica D 58 (1992), 77-94.

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
    >>> network = NARX(input_lags=1, output_lags=1, alpha=0.1, random_state=0)
    >>> validate(network.fit(X[train], y[train]), X[test], y[test]).failures
    []
    """
    if isinstance(model, type) or not hasattr(model, "predict_ahead"):
        given = f"the class {model.__name__}" if isinstance(model, type) else type(model).__name__
        raise ValueError(
            f"model must be a fitted forecaster of narxkit. Got {given} instead: validate "
            "the residuals of any other with validate_residuals."
        )
    X, y = unmasked(X), unmasked(y)
    if _is_flat(X):
        raise ValueError(
            f"X must have the shape (n, n_features). Got shape {np.shape(X)} instead: the order is "
            "validate(model, X, y)."
        )
    outputs, steps = read_output_columns(y), read_horizons(horizons)
    if season is not None and not is_row_count(season):
        raise ValueError(f"season must be None or an int >= 1, in rows. Got {season!r} instead.")
    # one output is a Series from here on, whatever it was given as
    y = outputs[0] if len(outputs) == 1 else y
    loop = _read_loop(loop, model)
    warn_of_interruption(model)
    outputs, U, parts = _rows(outputs, segments, y=y, X=X)
    y_hat, ahead = (
        np.asarray(predicted, dtype=float).reshape(len(parts), len(outputs), -1)
        for predicted in _predicted(model, X, y, loop, segments, parts, steps)
    )
    forecastable = ForecastableRows(model, U, outputs, parts)
    # rows that lack history are no loss of the model
    must_reach = forecastable.runs() if loop == "closed" else forecastable.reaches(n_steps_of(loop))
    about = {"loop": loop, "model": _named(model), "name": fitted_name(model)}
    known = [
        {"y": y} | about | _residuals(y, y_hat[:, i, 0], must_reach) for i, y in enumerate(outputs)
    ]
    _check(known)
    for i, y in enumerate(outputs):
        known[i] |= skill_by_horizon(ahead[:, i], y, parts, steps, season, forecastable)
    return _validate_outputs(known, U, parts, season, n_lags, n_shuffles, random_state)


def validate_residuals(
    residuals, X=None, y=None, *, segments=None, n_lags=None, n_shuffles=999, random_state=0
):
    """Validate the residuals of any model.

    Parameters
    ----------
    residuals : array-like of shape (n,) or (n, n_outputs)
        Measured less predicted values, in the order of time; NaN where missing.
    X : array-like of shape (n, n_features), default=None
        Inputs of the same rows, in the same order; where both have time stamps or series, these
        must agree. Without inputs the residuals' own past is tested.
    y : array-like of shape (n,) or (n, n_outputs), default=None
        Measured values, for pictures of the response.
    segments : array-like of shape (n,), default=None
        Segment labels; no lag crosses from one to the next, nor a jump of the clock, nor from
        series to series.
    n_lags : int, default=None
        The largest lag, in rows; None means the same as in `validate`.
    n_shuffles : int, default=999
        Random orders that make the bands of chance; at least 139, or no test of seven can fail at
        5 % over all of them.
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
    outputs = read_output_columns(residuals, "residuals")
    measured = [] if y is None else read_output_columns(y)
    n, n_measured = len(outputs[0]), len(measured[0]) if measured else len(outputs[0])
    if n_measured != n:
        raise ValueError(
            f"y has {counted(n_measured, 'row')}, but residuals have {n}: give the same rows."
        )
    if measured and len(measured) != len(outputs):
        raise ValueError(
            f"y and residuals must have the same outputs. Got {len(measured)} and {len(outputs)} "
            "instead."
        )
    for of_output in measured:
        refuse_infinite_residuals(of_output, "y holds", "an output is missing")
    columns, U, parts = _rows(outputs + measured, segments, residuals=residuals, X=X, y=y)
    pairs = zip_longest(columns[: len(outputs)], columns[len(outputs) :])
    known = [{"residuals": e, "y": y} for e, y in pairs]
    _check(known)
    return _validate_outputs(known, U, parts, None, n_lags, n_shuffles, random_state)


def _rows(columns, segments, **tables):
    """Return columns under one index, inputs, and the number of each row's segment."""
    n = len(columns[0])
    U = read_inputs(tables["X"], n)
    index, owner = common_index(**tables)
    if index is not None:
        columns = [column.set_axis(index) for column in columns]
    return columns, U, number_segments(index, owner, segments, n)


def _is_flat(X):
    """Tell whether inputs have one dimension; rows of several lengths have none."""
    try:
        return X is not None and np.ndim(X) == 1
    except ValueError:
        return False


def _named(model):
    """Name the model, and of a network what passes its hidden layers."""
    name, what = fitted_name(model), what_passes(model)
    if is_off(model):
        return Row("model", "network off", f"{name}: {what}")
    return Row("model", name, what)


def _read_loop(loop, model):
    """Read the rollouts to validate, by default those of the training; 1 step is "open"."""
    if loop is None:
        stages = getattr(model, "loop_", None)
        loop = stages[-1].loop if stages else "open"
    if not is_row_count(loop) and not (isinstance(loop, str) and loop in ("open", "closed")):
        raise ValueError(
            f"loop must be None, 'open', 'closed' or an int >= 1, in steps. Got {loop!r} instead."
        )
    return "open" if loop == 1 else loop


def _predicted(model, X, y, loop, segments, parts, steps):
    """Yield the predictions that residuals are taken from, and the forecasts by horizon."""
    with_labels = {} if segments is None else {"segments": segments}
    if loop == "closed":
        yield _free_runs(model, X, y, parts)
    else:
        yield model.predict_ahead(X, y, steps=int(n_steps_of(loop)), **with_labels)
    yield model.predict_ahead(X, y, steps=steps, **with_labels)


def _free_runs(model, X, y, parts):
    """Simulate each segment that is longer than the history it begins with."""
    y_hat = np.full(np.shape(y), np.nan)
    for part in np.unique(parts):
        rows = np.flatnonzero(parts == part)
        # a segment no longer than the history has nothing to simulate
        if len(rows) > model.max_lag_:
            of_part = (None if table is None else _take(table, rows) for table in (X, y))
            y_hat[rows] = predictions(model, *of_part, "closed")
    return y_hat


def _take(table, rows):
    return (
        table.iloc[rows] if isinstance(table, pd.Series | pd.DataFrame) else np.asarray(table)[rows]
    )


def _residuals(y, y_hat, must_reach):
    """Return residuals, NaN where they are not finite, and the number that the model has lost."""
    e = y - y_hat
    is_lost = ~np.isfinite(e)
    n_lost = int((must_reach & y.notna() & is_lost).sum())
    return {"residuals": e.mask(is_lost), "n_lost": n_lost}


def _check(known):
    """Refuse outputs of which the residuals cannot be analysed."""
    for of_output in known:
        e = of_output["residuals"]
        check_residuals(e, f" of {e.name}" if len(known) > 1 else "", of_output.get("n_lost", 0))


def _validate_outputs(known, U, parts, *options):
    """Test the residuals of each output; `parts` numbers the segments."""
    residuals = [of_output["residuals"] for of_output in known]
    names = [str(e.name) for e in residuals]
    E = pd.concat(residuals, axis=1, keys=names)
    results = {}
    for name, of_output in zip(names, known):
        loop = of_output.get("loop", "open")
        tests, notes = _tests(E[name], E.drop(columns=name), U, parts, loop, *options)
        notes = of_output.pop("notes", []) + notes
        results[name] = Validity(**of_output, **tests, notes=notes)
    return ValidityTable(results) if len(results) > 1 else results.popitem()[1]


def _tests(e, others, U, parts, loop, season, n_lags, n_shuffles, random_state):
    """Run all tests of one output's residuals, and note what cannot be tested."""
    n, steps = int(e.notna().sum()), n_steps_of(loop)
    n_lags = _reach(n, season or _period(e.index), steps) if n_lags is None else n_lags
    if not is_row_count(n_lags) or n_lags > n // 2:
        raise ValueError(
            f"n_lags must be an int from 1 to {n // 2}, half of the {n} residuals. Got {n_lags!r} "
            "instead."
        )
    check_count("n_shuffles", n_shuffles, FEWEST_SHUFFLES)
    constant = list(U.columns[constant_columns(U)])
    U = U.drop(columns=constant)
    order, names = np.argsort(parts, kind="stable"), (list(U), list(others))
    # the rows of a segment side by side, as the padding wants them
    e, U, others = (rows.to_numpy()[order] for rows in (e, U, others))
    line = PaddedRows(e, U, parts[order], n_lags, others)
    found = {"memory": line.memory, "normality": measure_normality(line.e)}
    # residuals of rollouts have a memory of their own, so that whiteness is not asked
    if loop == "open":
        found["tests"], found["ljung_box"] = run_tests(line, *names, n_shuffles, random_state)
    else:
        found["tests"] = run_tests_of_rollouts(line, *names, n_shuffles, random_state, steps)
    notes = _unreached(season, n_lags) + _untested(line, names[0], constant)
    return found, notes + _of_memory(steps, n_lags)


def _reach(n, season, steps=1):
    """Choose the largest lag: beyond the season, if there are enough of n residuals."""
    most = min(n // 4, max(SHORT, WORK // n))
    # errors k steps ahead share noise over k - 1 lags, where no verdict rests
    shared = steps - 1 if np.isfinite(steps) else 0  # lags of one noise
    if season is None or season > most:
        return min(N_LAGS + shared, most)
    return min(max(N_LAGS + shared, season + BEYOND), most)


def _of_memory(steps, n_lags):
    """Note where the residuals' own memory is no part of the verdict."""
    if steps <= n_lags:
        return []
    if np.isinf(steps):
        why = "errors of a free run have the memory of the noise; loop='open' asks for it"
    else:
        why = (
            f"errors {steps} steps ahead share noise over {steps - 1} rows, and the lags reach "
            f"{n_lags}: give n_lags={steps + N_LAGS} and at least {2 * (steps + N_LAGS)} residuals"
        )
    return [Row("not tested", "the residuals' own past", why)]


def _period(index):
    """Return the rows of the first season that the clock suggests, if any."""
    return next(iter(periods_of_clock(index.get_level_values(-1).unique())), None)


def _unreached(season, n_lags):
    """Note a season that is longer than the lags."""
    if season is None or season <= n_lags:
        return []
    needed = season + BEYOND
    why = f"the lags reach {n_lags}: give n_lags={needed} and at least {2 * needed:,} residuals"
    return [Row("not tested", f"the season of {season:,} rows", why)]


def _untested(line, inputs, constant):
    """Note what does not vary, so that nothing can correlate with it."""
    squares = [f"{name} squared" for name, varies in zip(inputs, line.has_square) if not varies]
    if not line.has_strength:
        squares.append("residuals squared")
    whys = {"constant or missing": constant, "two values, equally often": squares}
    return [
        Row("not tested", ", ".join(names), f"{why}: nothing can go with it")
        for why, names in whys.items()
        if names
    ]
