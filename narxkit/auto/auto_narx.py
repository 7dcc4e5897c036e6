"""AutoNARX: a series and a horizon in, a combination of forecasters out."""

import time
import warnings
from dataclasses import dataclass, field, replace
from numbers import Integral, Real
from types import SimpleNamespace

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions

from narxkit._stored import stored
from narxkit.auto.judging import Judge, rolling_folds
from narxkit.auto.pool import (
    MOST_STEPS,
    Inputs,
    Series,
    choices_of_inputs,
    is_seasonal,
    linear_over_steps,
    linear_pool,
    networks,
    pool_with_inputs,
)
from narxkit.auto.seasons import fields_of, periods_of
from narxkit.auto.weights import ENOUGH, weights_by_errors, weights_by_fit
from narxkit.forecasters.base import Forecaster
from narxkit.forecasters.inner import Inner, union_of
from narxkit.forecasters.narx import NARX
from narxkit.forecasters.output_transforms import read_periods
from narxkit.rows.columns import ColumnRoles

WORSE = 1.05  # than the best linear model: a network that is so in one fold is left
FOR_FITS = 0.5  # of a time limit: the rest is for the fits to all rows


@stored
@dataclass(eq=False)
class Member:
    """A candidate, prepared for the training rows, and what was found of it."""

    name: str
    inner: Inner
    reads: tuple | None = None
    errors: list = field(default_factory=list)
    y_hat: list = field(default_factory=list)
    weight: float = 0.0
    seconds: float = 0.0

    @property
    def error(self):
        """The mean over folds, infinite before any."""
        return float(np.mean(self.errors)) if self.errors else np.inf

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

    @property
    def lives(self):
        """Whether a network lives in it."""
        net = self.fitted_network
        return net is not None and not net.is_linear_

    @property
    def is_dead(self):
        """Whether it is a network in which none lives."""
        net = self.fitted_network
        return net is not None and net.hidden_layer_sizes != () and net.is_linear_


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
        choices = [Inputs(), *self._choices]
        pool = pool_with_inputs(self._series, [self._whole(one) for one in choices])
        self._members = self._prepared(linear_pool(self._series))
        for candidate, *reads in pool:
            for member in self._prepared([candidate]):
                member.reads = reads
                self._members.append(member)
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
        folds = rolling_folds(segments, self.horizon)
        judge = Judge(segments, weight, folds, self._y_std, self._within)
        for member in self._members:
            if not self._is_late:
                self._measure(member, judge)
        if self.networks and folds:
            self._try_networks(judge)
        self._weigh(judge)
        self._members = [member for member in self._members if member.weight]
        for member in self._members:
            member.inner.train(segments, weight)

    @property
    def _is_late(self):
        if self.time_limit is None:
            return False
        return time.perf_counter() - self._begin > FOR_FITS * self.time_limit

    def _measure(self, member, judge, bar=np.inf):
        """Judge a member in all folds, from the last one on, unless it is too bad in that one."""
        begin, n = time.perf_counter(), len(judge.folds)
        for k in reversed(range(n)):
            y_hat, error = judge.judge(member.inner, k)
            member.y_hat.append(y_hat)
            member.errors.append(error)
            if error > bar:
                break
            bar = np.inf
        member.seconds += time.perf_counter() - begin

    def _try_networks(self, judge):
        """Try networks on what the best of the plain linear models reads and transforms.

        Those trained over several steps cost the most: they are tried where that helps the linear
        model, or where a network trained over one step is as good as any.
        """
        best = min(self._members, key=lambda member: member.error)
        bar, steps = WORSE * best.errors[0], min(self.horizon, MOST_STEPS)
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        for reader in self._best_readers():
            inputs, transforms = reader.reads
            tried = self._try(networks(self._series, inputs, transforms, "open", seed), judge, bar)
            if steps > 1:
                linear = linear_over_steps(self._series, inputs, transforms, steps)
                has_gain = self._try([linear], judge, bar)[0].error < reader.error
                has_network = any(m.error <= best.error and m.lives for m in tried)
                if has_gain and reader.error <= WORSE * best.error or has_network:
                    pool = networks(self._series, inputs, transforms, steps, seed)
                    self._try(pool, judge, bar)

    def _best_readers(self):
        """Return the best of the plain linear models of each transformation."""
        best = {}
        for member in sorted(self._members, key=lambda member: member.error):
            if member.reads:
                best.setdefault(str(member.reads[1]), member)
        return list(best.values())

    def _try(self, candidates, judge, bar):
        members = self._prepared(candidates)
        for member in members:
            if not self._is_late:
                self._measure(member, judge, bar)
                self._members.append(member)
        return members

    def _weigh(self, judge):
        members, n = self._members, len(judge.folds)
        judged = [m for m in members if len(m.errors) == n and np.isfinite(m.errors).all()]
        judged = [m for m in judged if m.network is None or not m.is_dead] or members
        errors = np.array([m.error if n else 1.0 for m in judged])
        weights = weights_by_errors(errors, self._series.n, self.horizon)
        if n and self._n_horizons(judge) >= ENOUGH:
            weights = self._fit_weights(judged, judge, weights)
        for member, share in zip(judged, weights):
            member.weight = float(share)
        unit = self._y_std[0] if len(self._y_std) == 1 else 1.0
        self.candidates_ = pd.DataFrame(
            [(m.name, m.error * unit, m.weight, m.seconds) for m in members],
            columns=["candidate", "error", "weight", "seconds"],
        )

    def _n_horizons(self, judge):
        rows = sum(fold.origins.max() - fold.origins.min() for fold in judge.folds)
        return rows / self.horizon

    def _fit_weights(self, members, judge, prior):
        counts = [c[..., :] for c in judge.counts[::-1]]
        y = np.concatenate([y[c] for y, c in zip(judge.y[::-1], counts)])
        columns = [np.concatenate([y_hat[c] for y_hat, c in zip(m.y_hat, counts)]) for m in members]
        return weights_by_fit(np.stack(columns, axis=1), y, prior)

    # ------------------------------------------------------------ rollouts
    def _limits(self, X):
        low, high = self._bounds.bounds(X)
        least = np.where(self._within[0] == 0.0, 0.0, -np.inf) + np.zeros((len(X), 1))
        return (least, np.full_like(least, np.inf)) if low is None else (np.fmax(low, least), high)

    def _run(self, rollouts):
        total = weights = 0.0
        bads = []
        for member in self._members:
            y_hat, bad = member.inner.run(rollouts.lengthened(member.inner.reach.lead))
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
