"""Scorers for scikit-learn's searches: forecasts from every row of a fold, or a free run over it.

A fold has rows before it that are history and no targets. Which ones must not depend on the lags
of a candidate, or each would be scored on rows of its own:

- ``warmup=None``: the rows last seen in ``fit``. The fold must follow them, as those of
  `RollingOrigin` and TimeSeriesSplit do, and all of its rows are scored.
- ``warmup=k``: the first k rows of the fold, and of each segment that begins in it, for every
  candidate. This suits folds that do not follow, as those of `BlockedKFold`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from narxkit._checks import is_count, is_int
from narxkit._warn import warn
from narxkit.model_selection.wrappers import unwrap
from narxkit.rows.table import read_outputs

__all__ = ["ahead_scorer", "simulation_scorer"]

METRICS = {  # function and whether greater is better
    "rmse": (root_mean_squared_error, False),
    "mae": (mean_absolute_error, False),
    "r2": (r2_score, True),
}


def ahead_scorer(steps=24, metric="rmse", warmup=None, greater_is_better=None):
    """Make a scorer of forecasts from every row of a fold.

    From each last known row o that has all of its targets o + h in the fold, it forecasts as
    `backtest` does, and scores

    .. math::

        -\\mathrm{mean}_h \\, \\mathrm{RMSE}_h, \\qquad
        \\mathrm{RMSE}_h = \\sqrt{\\mathrm{mean}_o (\\hat y_{o+h} - y_{o+h})^2},

    which is the "RMSE mean" of `skill_table`; other metrics take the place of the RMSE.

    Parameters
    ----------
    steps : int or sequence of int, default=24
        Horizons h: 1..steps, or exactly those of a sequence.
    metric : {"rmse", "mae", "r2"} or callable, default="rmse"
        The metric of each horizon, or a function (y_true, y_pred) of two arrays of shape
        (n,).
    warmup : int, default=None
        None takes the rows last seen in ``fit`` as history and needs folds that follow them;
        plain numbers are taken to follow. A number takes that many first rows of the fold, and of
        each segment that a seam begins in it: at least the largest lag of all candidates.
    greater_is_better : bool, optional
        For a metric of one's own: False for errors, which come out negative.

    Returns
    -------
    callable
        Scorer (estimator, X, y) for ``scoring=`` of GridSearchCV, cross_validate and the like.

    Raises
    ------
    ValueError
        When a parameter is of the wrong kind; on scoring, when the fold does not follow (without
        `warmup`), `warmup` is less than the largest lag or nothing is left to score.

    See Also
    --------
    simulation_scorer : A free run over the fold.
    RollingOrigin : Folds that follow their training rows.
    backtest : The same forecasts as a table.

    Notes
    -----
    Pipelines, transformed targets and searches are scored in original units. Series of a
    MultiIndex are scored together, several outputs one by one, with equal weights. Missing targets
    are left out, and so are predictions that missing inputs or leads leave open; a rollout that
    diverges scores minus infinity. Training rows, as ``return_train_score`` asks for, can be
    scored with a warmup only.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.model_selection import GridSearchCV
    >>> from narxkit import NARX, RollingOrigin, ahead_scorer
    >>> y = np.sin(0.3 * np.arange(200)) + 0.1 * np.random.default_rng(0).normal(size=200)
    >>> X = np.cos(0.3 * np.arange(200))[:, None]
    >>> search = GridSearchCV(
    ...     NARX(hidden_layer_sizes=(), max_iter=20, random_state=0),
    ...     {"output_lags": [1, 8]},
    ...     scoring=ahead_scorer(steps=6),
    ...     cv=RollingOrigin(3, test_size=40),
    ... )
    >>> float(-search.fit(X, y).best_score_) < 0.2
    True
    """
    return AheadScorer(metric, warmup, greater_is_better, steps)


def simulation_scorer(metric="rmse", washout=0, warmup=None, greater_is_better=None):
    """Make a scorer of the free run over a fold, from measured initial conditions.

    Parameters
    ----------
    metric : {"rmse", "mae", "r2"} or callable, default="rmse"
        The metric of the run, or a function (y_true, y_pred) of two arrays of shape (n,).
    washout : int, default=0
        How many first steps of the run are not scored, as those of NARX(washout=...) are not
        trained on.
    warmup : int, default=None
        Where the initial conditions come from, as in `ahead_scorer`: None runs on from the rows
        last seen in ``fit``; a number takes the first rows of the fold and of each segment in it,
        as ``simulate(X, y[:warmup])`` does.
    greater_is_better : bool, optional
        For a metric of one's own: False for errors, which come out negative.

    Returns
    -------
    callable
        Scorer (estimator, X, y) for ``scoring=`` of GridSearchCV, cross_validate and the like.

    Raises
    ------
    ValueError
        As those of `ahead_scorer`.

    See Also
    --------
    ahead_scorer : Forecasts from every row of the fold.

    Notes
    -----
    What `ahead_scorer` says of pipelines, series, outputs, missing values and divergence holds
    here, too.

    Examples
    --------
    >>> from sklearn.model_selection import cross_val_score
    >>> from narxkit import ARX, BlockedKFold, simulation_scorer
    >>> from narxkit.datasets import make_narendra
    >>> import pandas as pd
    >>> X, y = make_narendra(300, noise=0.05, random_state=0)
    >>> X = pd.DataFrame(X, pd.date_range("2024", periods=300, freq="min"))
    >>> scorer = simulation_scorer("r2", warmup=5)
    >>> scores = cross_val_score(ARX(2, 2), X, y, cv=BlockedKFold(3), scoring=scorer)
    >>> bool((scores > 0.5).all())
    True
    """
    return SimulationScorer(metric, warmup, greater_is_better, washout)


@dataclass(frozen=True, repr=False)
class Scorer(ABC):
    """Base of both scorers: the rows that are history, the metric and its sign."""

    metric: str | Callable
    warmup: int | None
    greater_is_better: bool | None
    is_free_run: ClassVar = False

    def __post_init__(self):
        is_own = callable(self.metric)
        if not is_own and not (isinstance(self.metric, str) and self.metric in METRICS):
            raise ValueError(
                f"metric must be one of {list(METRICS)} or a function (y_true, y_pred). "
                f"Got {self.metric!r} instead."
            )
        is_greater = self.greater_is_better
        if not (isinstance(is_greater, bool) if is_own else is_greater is None):
            raise ValueError(
                "greater_is_better must be True or False where the metric is a function, and left "
                f"out where it is one of {list(METRICS)}. Got {is_greater!r} instead."
            )
        if self.warmup is not None and not _is_size(self.warmup):
            raise ValueError(f"warmup must be None or an int >= 0. Got {self.warmup!r} instead.")

    def __call__(self, estimator, X, y):
        """Score a fitted estimator on a fold; greater is better."""
        forecaster, X, inner_y, undo = unwrap(estimator, X, y)
        rows = forecaster._origins(
            X, inner_y, after_state=self.warmup is None, is_free_run=self.is_free_run
        )
        origins, lengths = self._rollouts(rows, self._free_rows(rows))
        y_hat = np.full((len(origins), max(lengths), rows.n_outputs), np.nan)
        for part, values, has_diverged in rows.rollouts(origins, lengths):
            # the worst score, not an error: a search must go on with other candidates
            if has_diverged.any():
                return -np.inf
            y_hat[part, : values.shape[1]] = values
        measured = read_outputs(y)[rows.table_row]
        # beyond the end of a rollout y_hat is NaN, so that any row will do
        at = np.minimum(origins[:, None] + np.arange(max(lengths)), len(measured) - 1)
        return self._mean_score(measured[at], undo(y_hat))

    def _free_rows(self, rows):
        """Return which rows may be predicted: the same ones for candidates of all lags."""
        if self.warmup is not None:
            if self.warmup < rows.max_lag:
                raise ValueError(
                    f"warmup={self.warmup} rows are not the history that lags up to "
                    f"{rows.max_lag} need: give a warmup of at least the largest lag of all "
                    "candidates."
                )
            if rows.has_new_clock:
                warn(
                    "the fold has a clock, but none reached the model in fit, so that lags may "
                    "have crossed holes in the training rows: give a pipeline "
                    "set_output(transform='pandas')."
                )
            return rows.n_history >= self.warmup
        # rows of the fold; those before them come from the state of fit
        is_given = rows.table_row >= 0
        lacking = np.flatnonzero(is_given & (rows.n_history < rows.max_lag))
        if len(lacking):
            raise ValueError(
                f"{rows.label(lacking[0])} of the fold lacks the history that lags up to "
                f"{rows.max_lag} need, for the fold does not follow the rows last seen in fit, or "
                "a seam stands there: give the scorer a warmup of at least the largest lag of all "
                "candidates, and the first rows of each segment of the fold are history instead."
            )
        return is_given

    def _with_room(self, rows, free, steps):
        """Return those of the free rows that so many steps can start from."""
        starts = free & rows.can_run(steps)
        if not starts.any():
            left = max(0, int(np.max(rows.max_steps[free], initial=0)))
            behind = f" after a warmup of {self.warmup}" if self.warmup else ""
            raise ValueError(
                f"{steps} steps do not fit into the fold, which has at most {left} rows to predict "
                f"in a segment{behind}: give larger folds, or a scorer of fewer steps or less "
                "washout."
            )
        return starts

    def _mean_score(self, y, y_hat):
        """Return the mean over horizons and outputs, of arrays (n, steps, n_outputs)."""
        is_own = callable(self.metric)
        score, is_gain = (self.metric, self.greater_is_better) if is_own else METRICS[self.metric]
        scores = []
        for true, predicted in zip(self._parts(y), self._parts(y_hat)):
            # a missing measurement is no error
            there = np.isfinite(true) & np.isfinite(predicted)
            if not there.any(axis=0).all():
                raise ValueError(
                    "nothing is left to score in the fold: all targets of an output are missing, "
                    "or all of its predictions, for lack of inputs: give folds with measured rows."
                )
            scores += [score(t[k], p[k]) for t, p, k in zip(true.T, predicted.T, there.T)]
        return float(np.mean(scores)) if is_gain else -float(np.mean(scores))

    @abstractmethod
    def _rollouts(self, rows, free):
        """Return origins and lengths of the rollouts over the free rows."""

    @abstractmethod
    def _parts(self, values):
        """Split (n, steps, n_outputs) into what is scored together, arrays (n, n_outputs)."""

    def __repr__(self):
        # the fields of a subclass come last, and what they hold first in the call of its maker
        given = {f.name: getattr(self, f.name) for f in reversed(fields(self))}
        texts = {
            name: getattr(value, "__name__", repr(value))
            for name, value in given.items()
            if value is not None
        }
        return f"{self.maker}({', '.join(f'{name}={text}' for name, text in texts.items())})"


@dataclass(frozen=True, repr=False)
class AheadScorer(Scorer):
    """Forecasts of some steps from every row: see `ahead_scorer`."""

    steps: int | Sequence
    maker: ClassVar = "ahead_scorer"

    def __post_init__(self):
        super().__post_init__()
        if not self.horizons or not all(map(is_count, self.horizons)):
            raise ValueError(
                f"steps must be an int >= 1 or a sequence of them. Got {self.steps!r} instead."
            )

    @property
    def horizons(self):
        """The horizons to score."""
        if is_int(self.steps):
            return range(1, self.steps + 1)
        return list(self.steps) if np.iterable(self.steps) else []

    def _rollouts(self, rows, free):
        origins = np.flatnonzero(self._with_room(rows, free, max(self.horizons)))
        return origins, np.full(len(origins), max(self.horizons))

    def _parts(self, values):
        return [values[:, h - 1] for h in self.horizons]


@dataclass(frozen=True, repr=False)
class SimulationScorer(Scorer):
    """One free run over each segment: see `simulation_scorer`."""

    washout: int
    maker: ClassVar = "simulation_scorer"
    is_free_run: ClassVar = True

    def __post_init__(self):
        super().__post_init__()
        if not _is_size(self.washout):
            raise ValueError(f"washout must be an int >= 0. Got {self.washout!r} instead.")

    def _rollouts(self, rows, free):
        starts = self._with_room(rows, free, self.washout + 1)
        free = np.flatnonzero(free)
        # the first free row of each segment is where its run begins
        _, first = np.unique(rows.starts[free], return_index=True)
        origins = free[first]
        origins = origins[starts[origins]]
        return origins, rows.max_steps[origins]

    def _parts(self, values):
        return [values[:, self.washout :].reshape(-1, values.shape[2])]


def _is_size(value):
    return is_int(value) and value >= 0
