"""AutoNARX: a series and a horizon in, a combination of forecasters out."""

import time
import warnings
from dataclasses import dataclass, replace
from numbers import Integral, Real
from types import SimpleNamespace

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions

from narxkit.auto.judging import forecasts_of, mean_error, rolling_folds
from narxkit.auto.pool import (
    Inputs,
    Series,
    choices_of_inputs,
    is_seasonal,
    linear_pool,
    networks,
    pool_with_inputs,
)
from narxkit.auto.seasons import fields_of, periods_of
from narxkit.forecasters.base import Forecaster
from narxkit.forecasters.inner import Inner, union_of
from narxkit.forecasters.narx import NARX
from narxkit.forecasters.output_transforms import read_periods
from narxkit.rows.columns import ColumnRoles

SHARPEST, FLATTEST = 3.0, 0.5  # powers of the errors that weights go by
ROWS_PER_STEP = 6  # of the horizon, for each power
LEAST = 0.01  # of the weights: what has less is left out
WORSE = 1.05  # than the best linear model: a network that is so in its first fold is left
FOLDS_OF_NETWORKS = 2  # the last ones
FOR_FITS = 0.5  # of a time limit: the rest is for the fits to all rows
TINY = 1e-12


@dataclass(eq=False)
class Member:
    """A candidate, prepared for the training rows, and what was found of it."""

    name: str
    inner: Inner
    error: float = np.inf
    weight: float = 0.0
    seconds: float = 0.0

    @property
    def network(self):
        """The NARX inside, or None."""
        forecaster = self.inner.forecaster
        forecaster = getattr(forecaster, "forecaster", forecaster)
        return forecaster if isinstance(forecaster, NARX) else None

    @property
    def fitted_network(self):
        """The fitted NARX inside, or None."""
        if self.network is None:
            return None
        inner = self.inner.forecaster
        return inner._inner.forecaster if hasattr(inner, "_inner") else inner


class AutoNARX(Forecaster):
    """TODO"""

    _parameter_constraints: dict = {
        "horizon": [Interval(Integral, 1, None, closed="left"), StrOptions({"simulation"})],
        "season": "no_validation",
        "calendar": "no_validation",
        "holidays": "no_validation",
        "divide_by": [str, Integral, None],
        "networks": ["boolean"],
        "output_range": "no_validation",
        "time_limit": [Interval(Real, 0, None, closed="neither"), None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        horizon=1,
        season="auto",
        calendar="auto",
        holidays=None,
        divide_by=None,
        networks=True,
        output_range=None,
        time_limit=None,
        random_state=None,
        verbose=False,
    ):
        self.horizon = horizon
        self.season = season
        self.calendar = calendar
        self.holidays = holidays
        self.divide_by = divide_by
        self.networks = networks
        self.output_range = output_range
        self.time_limit = time_limit
        self.random_state = random_state
        self.verbose = verbose

    @property
    def _reads_times(self):
        return any(member.inner.reads_times for member in self._members)

    # ------------------------------------------------------------ before training
    def _read_roles(self, table):
        self._begin = time.perf_counter()
        self._fields = fields_of(table, self.calendar, self.holidays)
        bounds = SimpleNamespace(output_range=self.output_range)
        self._bounds = ColumnRoles.read(table, bounds)
        # all columns are inputs here: what each forecaster reads of them is for it to say
        whole = SimpleNamespace(output_range=None, calendar=self._fields)
        return ColumnRoles.read(table, whole)

    def _read_clocks(self, table):
        self._table = table
        self._series = self._read_series(table)
        self.seasons_ = list(self._series.periods)
        names = self._roles.columns
        beside = [self.divide_by, *self._bounds.bound_names]
        columns = [name for name in names if name not in beside]
        self._ignored = [name for name in names if name in beside]
        self._choices = choices_of_inputs(self._series, columns, self._fields)
        pool = pool_with_inputs(self._series, [self._whole(one) for one in self._choices])
        self._inputs_of = {candidate.name: inputs for candidate, inputs in pool.items()}
        self._members = self._prepared([*linear_pool(self._series), *pool])
        if not self._members:
            raise ValueError("TODO too short")

    def _whole(self, inputs):
        """Return the choice with every column named: those that divide and bound are not read."""
        if not inputs.lags:
            return replace(inputs, lags={name: () for name in self._roles.columns} or ())
        return replace(inputs, lags=inputs.lags | {name: () for name in self._ignored})

    def _read_series(self, table):
        key = max(table.series, key=lambda key: len(table.series[key]))
        rows = table.series[key]
        y, n = table.y[rows][:, 0], int(np.diff(table.edges).max())
        periods = periods_of(table, key) if self.season == "auto" else ()
        if self.season not in ("auto", None):
            periods = read_periods(self.season)
        measured = table.y[np.isfinite(table.y)]
        is_positive = bool((measured > 0).all()) and self.divide_by is None
        clocks = set(table.clocks.values()) if table.times is not None else set()
        has_count = len(clocks) == 1 and next(iter(clocks)).counts
        values, adjusted = np.log(y) if is_positive else y, []
        for period in periods if has_count and self.divide_by is None else ():
            fits = not adjusted or period % adjusted[-1] == 0
            if fits and is_seasonal(values, period):
                adjusted.append(period)
        around = {} if self.divide_by is None else {"divide_by": self.divide_by}
        return Series(n, tuple(periods), tuple(adjusted), is_positive, around)

    def _prepared(self, candidates):
        """Prepare candidates for the training rows; those that these do not bear are left out."""
        members = []
        for candidate in candidates:
            try:
                inner = Inner(candidate.forecaster, self, self._table)
            except ValueError:
                continue
            if inner.reach.history + inner.reach.lead + 2 <= self._series.n // 2 + 1:
                members.append(Member(candidate.name, inner))
        return members

    def _make_reach(self, columns, n_outputs):
        names = self._roles.calendar_names
        reach = union_of(member.inner.reach_outside(names) for member in self._members)
        # beyond the rows that are known inputs stay as they were
        return replace(reach, inputs=tuple((c, max(lag, 0)) for c, lag in reach.inputs))

    # ------------------------------------------------------------ training
    def _train(self, segments, weight):
        self._y_mean, self._y_std = super()._units(segments.y[weight > 0])
        low, high = np.nanmin(segments.y, axis=0), np.nanmax(segments.y, axis=0)
        self._within = np.where(low >= 0, 0.0, low - (high - low)), high + (high - low)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of candidates: what becomes of them says the table
            self._judge(segments, weight)
        del self._table
        self._reach = self._make_reach(None, segments.y.shape[1])

    def _judge(self, segments, weight):
        self._folds = rolling_folds(segments, self.horizon)
        tried = list(self._members)
        for member in tried:
            if not self._is_late:
                self._measure(member, segments, weight, self._folds)
        if self.networks and self._folds:
            tried += self._try_networks(segments, weight)
        self._weigh(tried)
        self._members = [member for member in tried if member.weight]
        for member in self._members:
            member.inner.train(segments, weight)

    @property
    def _is_late(self):
        if self.time_limit is None:
            return False
        return time.perf_counter() - self._begin > FOR_FITS * self.time_limit

    def _measure(self, member, segments, weight, folds):
        """Return the mean error in each fold, infinite where a model cannot be fitted."""
        begin = time.perf_counter()
        try:
            errors = [
                mean_error(
                    forecasts_of(member.inner, segments, weight, fold) / self._y_std,
                    segments.replace(y=segments.y / self._y_std),
                    weight,
                    fold,
                    [bound / self._y_std for bound in self._within],
                )
                for fold in folds
            ]
        except ValueError:
            errors = [np.inf] * len(folds)
        member.seconds += time.perf_counter() - begin
        member.errors = np.array(errors)
        if errors:
            member.error = float(np.mean(errors))

    def _try_networks(self, segments, weight):
        """Try networks on what has proved itself, and keep those that do as well in a fold."""
        best = min(self._members, key=lambda member: member.error)
        readers = [
            m
            for m in self._members
            if m.name.startswith("ARX of")
            and m.name.split(",")[0] in ("ARX of levels", "ARX of logarithms")
        ]
        best_reader = min(readers, key=lambda member: member.error)
        inputs = self._inputs_of.get(best_reader.name, self._whole(Inputs()))
        log = self._series.log if "logarithms" in best_reader.name else {}
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        pool = networks(self._series, inputs, log, self.horizon, seed)
        folds, tried = self._folds[-FOLDS_OF_NETWORKS:], []
        for member in self._prepared(pool):
            if self._is_late:
                break
            self._measure(member, segments, weight, folds[-1:])
            if member.errors[-1] <= WORSE * best.errors[-1]:
                last = member.errors
                self._measure(member, segments, weight, folds[:-1])
                errors = np.concatenate([member.errors, last])
                # on the same folds, and as hard ones as the others have met
                ratio = errors.mean() / max(best.errors[-len(errors) :].mean(), TINY)
                member.error = float(ratio * best.error)
            else:
                member.error = float(member.errors[-1] / max(best.errors[-1], TINY) * best.error)
                member.is_out = True
            tried.append(member)
        return tried

    def _weigh(self, members):
        power = np.clip(self._series.n / (ROWS_PER_STEP * self.horizon), FLATTEST, SHARPEST)
        errors = np.array([member.error for member in members])
        if not self._folds:
            errors[:] = 1.0
        weights = np.where(np.isfinite(errors), np.maximum(errors, TINY) ** -power, 0.0)
        for i, member in enumerate(members):
            net = member.fitted_network
            if (
                getattr(member, "is_out", False)
                or net is not None
                and net.hidden_layer_sizes != ()
                and net.is_linear_
            ):
                weights[i] = 0.0
        weights /= weights.sum()
        weights[weights < LEAST] = 0.0
        weights /= weights.sum()
        for member, share in zip(members, weights):
            member.weight = float(share)
        unit = self._y_std[0] if len(self._y_std) == 1 else 1.0
        self.candidates_ = pd.DataFrame(
            [(m.name, m.error * unit, m.weight, m.seconds) for m in members],
            columns=["candidate", "error", "weight", "seconds"],
        )

    # ------------------------------------------------------------ rollouts
    def _run(self, rollouts):
        total = weights = 0.0
        bads = []
        for member in self._members:
            y_hat, bad = member.inner.run(_padded(rollouts, member.inner.reach.lead))
            there = np.isfinite(y_hat)
            total += np.where(there, member.weight * np.clip(y_hat, *self._within), 0.0)
            weights += there * member.weight
            bads.append(bad)
        with np.errstate(invalid="ignore"):  # NaN where no forecaster says anything
            y_hat = total / weights
        low, high = self._bounds.bounds(rollouts.segments.u)
        if low is not None:
            bounded = rollouts.replace(segments=rollouts.segments.replace(low=low, high=high))
            y_hat = bounded.clip(y_hat)
        bads = np.stack(bads)
        return y_hat, np.where((bads < 0).any(axis=0), -1, bads.max(axis=0))

    def _units(self, y):
        return self._y_mean, self._y_std


def _padded(rollouts, lead):
    """Return the same rollouts over rows of which each segment is longer by its last inputs."""
    if not lead:
        return rollouts
    segments = rollouts.segments
    number = np.searchsorted(segments.edges, np.arange(len(segments)), side="right") - 1
    rows = np.concatenate(
        [
            np.append(np.arange(start, stop), np.full(lead, stop - 1))
            for start, stop in zip(segments.edges[:-1], segments.edges[1:])
        ]
    )
    y, is_own = segments.y[rows], np.zeros(len(rows), dtype=bool)
    is_own[np.arange(len(segments)) + lead * number] = True
    y[~is_own] = np.nan
    longer = segments.replace(
        u=segments.u[rows],
        y=y,
        edges=segments.edges + lead * np.arange(len(segments.edges)),
        times=None if segments.times is None else segments.times[rows],
    )
    return rollouts.replace(
        segments=longer, origins=rollouts.origins + lead * number[rollouts.origins]
    )
