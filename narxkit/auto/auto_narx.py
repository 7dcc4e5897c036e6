"""AutoNARX: a series and a horizon in, a combination of forecasters out."""

import time
import warnings
from dataclasses import dataclass
from numbers import Integral
from types import SimpleNamespace

import numpy as np
import pandas as pd
from sklearn.utils._param_validation import Interval, StrOptions

from narxkit.auto.judging import errors_of, rolling_folds
from narxkit.auto.pool import Series, is_seasonal, linear_pool
from narxkit.auto.seasons import periods_of
from narxkit.forecasters.base import Forecaster
from narxkit.forecasters.inner import Inner, union_of
from narxkit.rows.columns import ColumnRoles

SHARPEST, FLATTEST = 3.0, 0.5  # powers of the errors that weights go by
ROWS_PER_STEP = 6  # of the horizon, for each power
TINY = 1e-12
LEAST = 1e-3  # weights below are none


@dataclass
class Member:
    """A candidate that has been judged."""

    name: str
    inner: Inner
    seconds: float = 0.0
    error: float = np.inf
    weight: float = 0.0


class AutoNARX(Forecaster):
    _parameter_constraints: dict = {
        "horizon": [Interval(Integral, 1, None, closed="left"), StrOptions({"simulation"})],
        "season": "no_validation",
        "output_range": "no_validation",
    }

    def __init__(self, horizon=1, season="auto", output_range=None):
        self.horizon = horizon
        self.season = season
        self.output_range = output_range

    @property
    def _reads_times(self):
        return any(member.inner.reads_times for member in self._members)

    # ------------------------------------------------------------ fit
    def _read_roles(self, table):
        self._bounds = ColumnRoles.read(
            table, SimpleNamespace(output_range=self.output_range, input_lags=None)
        )
        # all columns are inputs here: what each forecaster reads of them is for it to say
        return ColumnRoles.read(table, SimpleNamespace(output_range=None, calendar=None))

    def _read_clocks(self, table):
        key = max(table.series, key=lambda key: len(table.series[key]))
        y = table.y[table.series[key]][:, 0]
        n = int(np.diff(table.edges).max())
        clocks = set(table.clocks.values()) if table.times is not None else set()
        periods = periods_of(table, key) if self.season == "auto" else self.season
        counts = len(clocks) == 1 and next(iter(clocks)).counts
        log = np.log(y) if (y[np.isfinite(y)] > 0).all() else y
        adjusted = []
        for period in periods if counts else ():
            if is_seasonal(log, period) and (not adjusted or period % adjusted[-1] == 0):
                adjusted.append(period)
        positive = (table.y[np.isfinite(table.y)] > 0).all()
        self._series = Series(n, tuple(periods), tuple(adjusted), bool(positive))
        self.seasons_ = list(periods)
        self._members = []
        for candidate in linear_pool(self._series, **({"input_lags": ()})):
            try:
                inner = Inner(candidate.forecaster, self, table)
            except ValueError:
                continue
            if inner.reach.history + inner.reach.lead + 2 <= n:
                self._members.append(Member(candidate.name, inner))

    def _make_reach(self, columns, n_outputs):
        return union_of(member.inner.reach_outside([]) for member in self._members)

    def _train(self, segments, weight):
        self._y_mean, self._y_std = super()._units(segments.y[weight > 0])
        low, high = np.nanmin(segments.y, axis=0), np.nanmax(segments.y, axis=0)
        self._within = np.where(low >= 0, 0.0, low - (high - low)), high + (high - low)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._judge(segments, weight)
        self._reach = self._make_reach(None, segments.y.shape[1])
        self.max_lag_, self.lead_ = self._reach.history, self._reach.lead

    def _judge(self, segments, weight):
        horizon = self.horizon
        folds = rolling_folds(segments, horizon, 0)
        for member in self._members:
            begin = time.perf_counter()
            try:
                errors = errors_of(member.inner, segments, weight, folds, self._within)
                member.error = float(np.nanmean(errors / self._y_std))
            except ValueError as e: print(member.name,repr(e)[:300])
            member.seconds = time.perf_counter() - begin
        power = np.clip(self._series.n / (ROWS_PER_STEP * horizon), FLATTEST, SHARPEST)
        errors = np.array([member.error for member in self._members])
        if not folds:
            errors[:] = 1.0
        weights = np.where(np.isfinite(errors), np.maximum(errors, TINY) ** -power, 0.0)
        weights /= weights.sum()
        weights[weights < LEAST] = 0.0
        for member, share in zip(self._members, weights / weights.sum()):
            member.weight = float(share)
        self.candidates_ = pd.DataFrame(
            {
                "candidate": [m.name for m in self._members],
                "error": [m.error for m in self._members],
                "weight": [m.weight for m in self._members],
                "seconds": [m.seconds for m in self._members],
            }
        )
        self._members = [member for member in self._members if member.weight]
        for member in self._members:
            member.inner.train(segments, weight)

    def _run(self, rollouts):
        total, weights, bads = 0.0, 0.0, []
        for member in self._members:
            y_hat, bad = member.inner.run(rollouts)
            bads.append(bad)
            there = np.isfinite(y_hat)
            y_hat = np.clip(y_hat, *self._within)
            total += np.where(there, member.weight * y_hat, 0.0)
            weights += there * member.weight
        with np.errstate(invalid="ignore"):
            y_hat = total / weights
        bads = np.stack(bads)
        return rollouts.clip(y_hat), np.where((bads < 0).any(axis=0), -1, bads.max(axis=0))

    def _units(self, y):
        return self._y_mean, self._y_std
