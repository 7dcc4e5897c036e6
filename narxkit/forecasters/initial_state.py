"""The start of a free run, fitted to measured outputs.

A free run begins from the outputs v of the rows before it, as many as the largest lag of an output.
Measured ones carry their noise into the run, and far into that of a slow system. Where more rows of
y are measured, v is estimated from all of them by nonlinear least squares,

    min_v  sum_start ((v_t - y_t) / s)^2  +  sum_later ((y_hat_t(v) - y_t) / s)^2

with s the standard deviation of each output, y_hat(v) the free run from v, and v within the bounds
of the output. The weights stay as they are. SciPy's trust-region reflective method (Branch, Coleman
and Li 1999, SIAM Journal on Scientific Computing 21, 1-23) minimises it by finite differences, one
rollout for each unknown.
"""

import numpy as np
import pandas as pd

from narxkit._warn import warn
from narxkit.rows.clock import Clock, take
from narxkit.rows.labels import as_elapsed, is_elapsed, labels_of, read_index
from narxkit.rows.rollouts import Rollouts
from narxkit.rows.table import read_outputs

DIVERGED = 1e3  # standard deviations: the residual of a step after the run has diverged


def is_estimate(y_init, y):
    """Tell whether initial conditions shall be fitted to y."""
    if isinstance(y_init, str) and y_init != "estimate":
        raise ValueError(
            "y_init must be the measured outputs of the first rows of X, or 'estimate'. "
            f"Got {y_init!r} instead."
        )
    if isinstance(y_init, str) and y is None:
        raise ValueError(
            "y_init='estimate' fits the first outputs to measured ones: give those of the first "
            "rows of X, as many as there are, as simulate(X, 'estimate', y=y)."
        )
    if y is not None and not isinstance(y_init, str):
        raise ValueError(
            "y is what y_init='estimate' fits the first outputs to: give y_init='estimate' with "
            "it, or leave y out."
        )
    return y is not None


def rows_of_steps(history, name, y, steps):
    """Make the rows that a model of y alone runs over: those of its measured outputs, and more.

    Parameters
    ----------
    history : History
        Says how much history a step needs, and knows the clock.
    name : {"y_init", "y"}
        What is given: outputs to start from, or to fit the start to.
    y : array-like of shape (k,) or (k, n_outputs) or None
        Its values.
    steps : int or None
        Free steps; None for the rows of y.

    Returns
    -------
    X : DataFrame of shape (n, 0)
        Rows, series after series, under time stamps where these are known.
    y : array-like
        The measured outputs, under their labels.
    """
    index = labels_of(y, name)
    if index is None:
        k = 0 if y is None else len(read_outputs(y, name, min_samples=0))
        n = count_rows_of_steps(history, name, k, steps)
        return pd.DataFrame(index=pd.RangeIndex(n)), y
    times, series = read_index(index, name, len(index))
    X, known = {}, {}
    for key, rows in series.items():
        n = count_rows_of_steps(history, name, len(rows), steps)
        stamps = times if key is None or times is None else take(times, rows)
        labels = _labels_from(history, key, stamps, n)
        labels = as_elapsed(labels) if is_elapsed(index) else labels
        X[key] = pd.DataFrame(index=labels)
        known[key] = y.iloc[rows].set_axis(labels[: len(rows)], axis=0)
    if None in series:
        return X[None], known[None]
    return pd.concat(X), pd.concat(known)


def count_rows_of_steps(history, name, k, steps):
    """Return how many rows k measured ones and the free steps are together."""
    if steps is None:
        return k
    needed = history.reach.history
    # steps follow all of y_init, but of y the history alone: what follows there is fitted to
    n = steps + (needed if name == "y" else max(k, needed))
    if k > n:
        raise ValueError(
            f"y has {k} rows, but {steps} steps after {needed} of history are {n}: give "
            "more steps, or leave steps out to run over all rows of y."
        )
    return n


def _labels_from(history, key, times, n):
    """Return time stamps from those of the measured rows on or, where none are known, positions."""
    if times is None or not len(times):
        return pd.RangeIndex(n)
    clock = history.clock(key, times) or Clock.from_index(times)
    # one kind of labels for all rows: positions, where the next times are not known
    if n > len(times) and not clock.is_regular:
        return pd.RangeIndex(n)
    return times.append(clock.after(times[-1], n - len(times))) if n > len(times) else times


def fitted_start(runner, segment, begin, series=None):
    """Fit the outputs of a segment that a free run from row `begin` starts from; return all.

    Parameters
    ----------
    runner : Runner
        Runs freely.
    segment : Segments
        Rows with their measured outputs, NaN where there are none.
    begin : int
        First row of the free run.
    series : hashable, default=None
        The key of the series in a warning, where there are several.

    Returns
    -------
    ndarray of shape (n, n_outputs)
        The measured outputs, with the fitted start in its rows.
    """
    run = _Run(runner, segment, begin)
    y = segment.y.copy()
    y[run.start] = run.mean + run.std * _fitted(run, series)
    return y


def _fitted(run, series):
    """Fit the start: from the measured one or, where that run diverges, from the mean."""
    guesses = run.guesses()
    if not run.steps:  # no row to compare with
        return guesses[0]
    start = next((v for v in guesses if not run.diverges(v)), None)
    if start is not None:
        return _minimise(run, start)
    warn(
        "y_init='estimate' has nowhere to begin: the free run"
        f"{'' if series is None else f' over series {series!r}'} diverges within the rows of y, "
        "from the measured outputs and from their mean alike, and the measured ones are kept: give "
        "fewer rows of y.",
        RuntimeWarning,
    )
    return guesses[0]


def _minimise(run, start):
    """Find the start whose run comes closest, over steps with inputs and a measured output."""
    from scipy.optimize import least_squares

    # the same residuals in all iterations, as least_squares needs them
    counts = np.isfinite(run.path(start) - run.measured)
    free = run.low < run.high  # least_squares refuses bounds without room
    fitted = start.copy()

    def residuals(values):
        v = start.copy()
        v[free] = values
        e = (run.path(v) - run.measured)[counts]
        # a start that diverges is as far off as a run may go, and no error
        return np.where(np.isfinite(e), e, DIVERGED)

    if free.any() and counts.any():
        bounds = run.low[free], run.high[free]
        fitted[free] = least_squares(residuals, start[free], bounds=bounds).x
    return fitted


class _Run:
    """Free runs over the rows up to the last measured one, as a function of their start.

    The start, its bounds and the measured outputs from its first row on are in standard deviations.
    """

    def __init__(self, runner, segment, begin):
        K, lead = runner.reach.feedback, runner.reach.lead
        last = np.flatnonzero(np.isfinite(segment.y).any(axis=1))[-1]
        # behind the last measured row there is nothing to compare
        stop = max(begin, min(last + 1, len(segment) - lead))
        self.runner = runner
        self.start, self.begin, self.steps = slice(begin - K, begin), begin, stop - begin
        self.segment = segment.window(0, stop + lead)
        self.mean, self.std = runner.units(segment.y)
        # of these rows, which may be far from the mean of the training
        self.middle = self._scaled(np.nanmean(segment.y, axis=0))
        self.measured = self._scaled(segment.y[self.start.start : stop])
        self.low = self._bound(segment.low, -np.inf)
        self.high = self._bound(segment.high, np.inf)

    def _scaled(self, y):
        return (y - self.mean) / self.std

    def _bound(self, bound, infinite):
        """Return a bound of the start, infinite where there is none."""
        bound = np.full_like(self.segment.y, np.nan) if bound is None else bound
        scaled = self._scaled(bound[self.start])
        return np.where(np.isnan(scaled), infinite, scaled)

    def guesses(self):
        """Return the measured start, the mean in place of what is missing; and the mean alone."""
        middle = np.broadcast_to(self.middle, self.low.shape)
        measured = self.measured[: len(self.low)]
        guesses = np.where(np.isnan(measured), middle, measured), middle
        # least_squares begins within the bounds
        return [np.clip(v, self.low, self.high) for v in guesses]

    def path(self, v):
        """Return the start and the run from it."""
        _, y_hat, _ = self._roll(v)
        return np.concatenate([v, self._scaled(y_hat[0])])

    def diverges(self, v):
        """Return whether the run from a start leaves all bounds."""
        rollouts, _, bad = self._roll(v)
        return self.runner.has_diverged(rollouts, bad)[0]

    def _roll(self, v):
        y = self.segment.y.copy()
        y[self.start] = self.mean + self.std * v
        begin, steps = np.array([self.begin]), np.array([self.steps])
        rollouts = Rollouts(self.segment.replace(y=y), begin, steps)
        return rollouts, *self.runner.run(rollouts)
