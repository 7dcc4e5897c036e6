"""What is tried of a series, in which order, and how it is weighed."""

import time
from copy import deepcopy
from dataclasses import replace

import numpy as np

from narxkit._warn import warn
from narxkit.auto.judging import (
    Judge,
    blocked_folds,
    free_run_fold,
    is_long,
    newest,
    rolling_folds,
)
from narxkit.auto.member import Member
from narxkit.auto.pool import (
    DAY,
    LARGE,
    MOST_BESIDE,
    MOST_STEPS,
    N_FOR_NETWORKS,
    N_STARTS,
    ORDERS,
    SEEN,
    Inputs,
    bears_periodic,
    choices_of_inputs,
    in_detail,
    linear_over_steps,
    linear_pool,
    networks,
    periodic_pool,
    pool_beside,
    pool_with_inputs,
    regressions,
    systems,
    thinned,
)
from narxkit.auto.weights import weights_by_errors, weights_by_fit
from narxkit.forecasters.inner import Inner
from narxkit.solvers import is_searching, raise_if_interrupted

WORSE = 1.05  # than the best linear model: a network that is so in one fold is left
LEVEL = 1.01  # times the least error: a network that has it is as good as any
RIVAL, RIVAL_OF_LONG = 3.0, 1.12  # of the least error: what errs by more has no weight
GAIN = 0.98  # of the error: what a system of a higher order must bring
FEW = 12  # one part in so many of a long series is history before all that is judged
GAIN_BESIDE = 0.99  # and what forecasts columns of X beside the outputs
N_FOLDS_OF_NETWORKS = 2  # of a short series, the last ones
TINY = 1e-12
FOR_FITS = 0.5  # of a time limit: the rest is for the fits to all rows


class Selection:
    """Tries candidates from rolling origins inside the training rows, and weighs them.

    Parameters
    ----------
    owner : AutoNARX
        Whose parameters say what to try.
    series : Series
        What is known of the outputs.
    table : Table
        The training rows as they were read.
    segments : Segments
        The same, cut at the seams.
    weight : ndarray of shape (n,)
        Weights of the rows.
    seed : int
        Of all networks.
    std : ndarray of shape (n_outputs,)
        Units of the errors.
    bounds : tuple (low, high)
        What forecasts are kept between.

    Attributes
    ----------
    members : list of Member
        What was tried, in this order.
    is_system : bool
        Whether models run freely.
    is_long : bool
        Whether there are so many rows that weights are fitted to rollouts.
    judge : Judge
        Who judges it.
    was_interrupted : bool
        Whether Ctrl-C has ended the trials or the last fits.
    """

    was_interrupted = False

    def __init__(self, owner, series, table, segments, weight, seed, std, bounds):
        self.owner, self.series, self.table = owner, series, table
        self.segments, self.weight, self.seed = segments, weight, seed
        self.is_system = owner.horizon == "simulation"
        folds = self._lay_folds()
        self.judge = Judge(segments, weight, folds, std, bounds, self.is_long)
        self.members, self._y_hat = [], {}
        self._begin = time.perf_counter()
        divisor = [owner.divide_by] if owner.divide_by is not None else []
        self._past = list(owner.past_inputs)
        self._ignored = [*divisor, *owner.bound_names, *self._past]
        self._columns = [name for name in owner.columns if name not in self._ignored]

    def _lay_folds(self):
        """Return the folds, and keep how much history there is before the first origin."""
        segments, horizon, self.is_long = self.segments, self.owner.horizon, False
        self._n_history = self.series.n // 2 + 1
        if self.is_system:
            return free_run_fold(segments, self.weight)
        if is_long(segments, horizon):
            each = len(segments) // (len(segments.edges) - 1)
            n_history = max(each // FEW, SEEN * self.series.long + DAY)
            folds = blocked_folds(segments, horizon, n_history, self.series.short)
            if folds:
                self.is_long, self._n_history = True, n_history
                return folds
        return rolling_folds(segments, horizon)

    def run(self):
        """Try all; Ctrl-C ends it with what has been judged by then."""
        try:
            if self.is_system:
                self._try_systems()
            else:
                self._try_linear()
                if self.owner.networks and self.judge.folds and self.series.n >= N_FOR_NETWORKS:
                    self._try_networks()
        except KeyboardInterrupt:
            # another search would score this one, cut short, as whole
            if is_searching() or self.best is None or not np.isfinite(self.best.error):
                raise
            self.was_interrupted = True
            warn(
                f"interrupted after {len(self.members)} candidates: what was judged by then is "
                "combined.",
                RuntimeWarning,
            )
        self._weigh()

    def take(self, members):
        """Take members that were chosen before, under their weights; the first is the floor."""
        # copies, for those that learn on from what they know do so from the same minimum
        self.members = [replace(member, inner=deepcopy(member.inner)) for member in members]

    @property
    def chosen(self):
        """The members with a weight."""
        return [member for member in self.members if member.weight]

    def fit(self):
        """Fit the floor and the members with a weight to all rows; Ctrl-C leaves out the last."""
        wanted, fitted = dict.fromkeys([self.floor, *self.chosen]), []
        rows = newest(self.segments, self.weight) if self.is_system else None
        try:
            for member in wanted:
                member.inner.train(self.segments, self._row_weights(member), which=rows)
                fitted.append(member)
                raise_if_interrupted()
        except KeyboardInterrupt:
            if is_searching() or not any(member.weight for member in fitted):
                raise
            self.was_interrupted = True
            warn(
                f"interrupted after {len(fitted)} of {len(wanted)} fits to all rows, perhaps "
                "within the last of these: they alone are combined.",
                RuntimeWarning,
            )
            self._keep_alone(fitted)

    def _keep_alone(self, fitted):
        """Share the weights of all members among some of them."""
        total = sum(member.weight for member in fitted)
        for member in self.members:
            member.weight = member.weight / total if member in fitted else 0.0

    # ------------------------------------------------------------ what is tried
    def _try_linear(self):
        self._try(linear_pool(self.series))
        choices = choices_of_inputs(self.series, self._columns, self.owner.fields)
        is_periodic = bears_periodic(self.series, self.owner.fields)
        knows_week = len(self.series.periods) > 1 and self.owner.has_own_calendar
        if is_periodic and knows_week and not self._columns:
            choices = []  # lags of a week and weights of the hour say more than a level of both
        pool = pool_with_inputs(self.series, [self._whole(one) for one in [Inputs(), *choices]])
        for candidate, inputs, transforms in pool:
            self._try([candidate], reads=inputs, transforms=transforms)
        plain = [one for one in self.members if one.reads and one.reads.calendar is None]
        if is_periodic and plain:
            best = min(plain, key=lambda member: member.error)
            self._try(periodic_pool(self.series, best.reads))
        self._try_beside()

    def _try_beside(self):
        """Try columns that are known up to the origin alone; of many those that help most."""
        columns, readers = self._past, self._best_readers()
        if not columns or not readers:
            return
        n, read = len(self.members), [(one.reads, one.transforms) for one in readers]
        if len(columns) > MOST_BESIDE:
            errors = {}
            for name in columns:
                tried = self._try(pool_beside(self.series, read[:1], [name])[:1])
                errors[name] = min((member.error for member in tried), default=np.inf)
            columns = sorted(errors, key=errors.get)[:MOST_BESIDE]
        try:
            self._try(pool_beside(self.series, read, columns))
        finally:  # after Ctrl-C, too
            for member in self.members[n:]:
                if member.error > GAIN_BESIDE * readers[0].error:
                    member.error = np.inf  # what is forecast for nothing makes a mean worse

    def _try_networks(self):
        """Try networks on what has proved itself.

        Those trained over several steps cost the most: they are tried where that helps the linear
        model, or where a network trained over one step is as good as any.
        """
        best = self.best
        if not self._best_readers():
            return  # it was late before
        bar = WORSE * best.errors[0]
        self._try_regressions(bar)
        steps = 1 if self.series.n > LARGE else min(self.owner.horizon, MOST_STEPS)
        for reader in self._best_readers():
            read = self.series, reader.reads, reader.transforms
            n_starts = N_STARTS if self.is_long else 1
            tried = self._try(networks(*read, "open", self.seed, n_starts), bar)
            if steps > 1:
                linear = self._try([linear_over_steps(*read, steps)], bar)
                has_gain = any(m.error < reader.error <= WORSE * best.error for m in linear)
                has_network = any(m.error <= LEVEL * best.error and m.lives for m in tried)
                if has_gain or has_network:
                    self._try(networks(*read, steps, self.seed), bar)

    def _try_regressions(self, bar):
        """Try networks of the inputs at their own rows, where there are any."""
        if not self._columns or self.series.around:
            return
        at_own_row = Inputs(dict.fromkeys(self._columns, (0,)), self.owner.fields, "inputs")
        inputs, best = in_detail(self._whole(at_own_row)), self._best_readers()[0]
        self._try(regressions(self.series, inputs, best.transforms, self.seed), bar)

    def _try_systems(self):
        """Try models of higher orders as long as they bring something."""
        least, seeds = np.inf, range(self.seed, self.seed + N_STARTS)
        for order in ORDERS:
            columns, limits = (self._columns, self._ignored), self.owner.output_range
            pool = systems(self.series, order, *columns, limits, seeds)
            tried = self._try(pool)
            error = min((member.error for member in tried), default=np.inf)
            if error > GAIN * least:
                return
            least = min(least, error)

    def _best_readers(self):
        """Return the best of the plain linear models of each transformation, the best one first."""
        best = {}
        for member in sorted(self.members, key=lambda member: member.error):
            if member.reads is not None:
                best.setdefault(str(member.transforms), member)
        return list(best.values())

    def _whole(self, inputs):
        """Return a choice with every column named: those that divide and bound are not read."""
        others = self.owner.columns if not inputs.lags else self._ignored
        return inputs.with_lags(dict(inputs.lags) | {name: () for name in others} or ())

    # ------------------------------------------------------------ how it is judged
    def _try(self, candidates, bar=np.inf, **known):
        """Judge candidates; those that the rows do not bear, or for which it is late, are left."""
        tried = []
        for candidate in candidates:
            if self._is_late or (inner := self._prepared(candidate.forecaster)) is None:
                continue
            member = Member(candidate.name, inner, **known)
            self._measure(member, bar)
            self.members.append(member)
            tried.append(member)
        return tried

    def _prepared(self, forecaster):
        try:
            inner = Inner(forecaster, self.owner, self.table)
        except ValueError:
            return None
        needed = inner.reach.history + inner.reach.lead + 2
        return inner if needed <= self._n_history else None

    def _measure(self, member, bar):
        """Judge a member in the folds, from the last one on, unless it is too bad in that one."""
        begin, y_hats = time.perf_counter(), []
        for k in self._folds_of(member):
            y_hat, error = self.judge.judge(member.inner, k, self._row_weights(member))
            raise_if_interrupted()  # a network that was cut short is not judged
            y_hats.append(y_hat)
            member.errors.append(error)
            if error > bar:
                break
            bar = np.inf
        else:
            member.error = self._error_of(member)
        self._y_hat[member] = y_hats
        member.seconds = time.perf_counter() - begin
        if self.owner.verbose:
            print(
                f"{len(self.members) + 1:4d}  {self.judge.mean(member.errors):.4g}  {member.name}"
            )

    def _folds_of(self, member):
        """Return folds, the last one first: of a short series the last ones for networks."""
        folds = range(len(self.judge.folds))[::-1]
        return folds[:N_FOLDS_OF_NETWORKS] if member.networks and not self.is_long else folds

    def _error_of(self, member):
        """Return the mean error of all folds; of a few the ratio to the best in the same ones."""
        n = len(member.errors)
        if not n:
            return 1.0  # where there are no folds all are the same
        best = self.best
        if best is None or n == len(self.judge.folds):
            return self.judge.mean(member.errors)
        mean = self.judge.mean
        return mean(member.errors) / max(mean(best.errors[:n]), TINY) * best.error

    @property
    def best(self):
        """The member with the least error so far, or None."""
        return min(self.members, key=lambda member: member.error, default=None)

    def _row_weights(self, member):
        """Return weights of the rows to train on: of a large series a network needs not all."""
        is_thinned = member.networks and not self.is_system
        return thinned(self.weight, self.series) if is_thinned else self.weight

    @property
    def _is_late(self):
        limit = self.owner.time_limit
        # the first is the floor, whatever it takes
        return (
            limit is not None
            and bool(self.members)
            and time.perf_counter() - self._begin > FOR_FITS * limit
        )

    # ------------------------------------------------------------ how it is weighed
    def _weigh(self):
        if self.best is None or not np.isfinite(self.best.error):
            raise ValueError(
                f"none of the {len(self.members)} candidates could be judged inside the training "
                "rows: give more rows, with a weight and an output before the last ones."
            )
        most = (RIVAL_OF_LONG if self.is_long else RIVAL) * self.best.error
        rivals = [member for member in self.members if member.error <= most]
        # a network that is off is a linear model, which there are enough of but for a perfect one
        members = [member for member in rivals if not member.is_dead] or rivals
        steps = 1 if self.is_system else self.owner.horizon
        errors = np.array([member.error for member in members])
        weights = weights_by_errors(errors, self.series.n, steps)
        if self.is_long:
            weights = weights_by_fit(*self._judged(members), weights)
        for member, weight in zip(members, weights):
            member.weight = float(weight)

    def tell_lost(self):
        """Warn where gaps have left most candidates without a row to learn from."""
        lost = [one for one in self.members if np.isinf(one.errors).any()]
        if self.segments.is_missing.any() and len(lost) > len(self.members) / 2:
            warn(
                f"{len(lost)} of {len(self.members)} candidates cannot be fitted, because missing "
                "values leave too few rows that have all their lags, and the others forecast "
                "alone: fill the gaps of y."
            )

    @property
    def floor(self):
        """What forecasts where all others have diverged: the first of all, which cannot."""
        return self.members[0]

    @property
    def n_rollouts(self):
        """Rollouts that each member was judged by."""
        return sum(len(fold.origins) for fold in self.judge.folds)

    def _judged(self, members):
        """Return forecasts (N, m) and outputs (N,) of all measured steps of all folds."""
        folds = range(len(self.judge.folds))[::-1]
        counts = [self.judge.counts[k] for k in folds]
        y = np.concatenate([self.judge.y[k][count] for k, count in zip(folds, counts)])
        columns = [
            np.concatenate([y_hat[count] for y_hat, count in zip(self._y_hat[member], counts)])
            for member in members
        ]
        return np.stack(columns, axis=1), y
