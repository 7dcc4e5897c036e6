"""A forecaster inside another one, whose columns, rows and rollouts it shares."""

from copy import copy
from dataclasses import replace
from functools import partial

import numpy as np
from sklearn.base import clone

from narxkit._stored import stored
from narxkit.rows.clock import take
from narxkit.rows.history import History
from narxkit.rows.reach import Reach
from narxkit.rows.rollouts import Rollouts


@stored
class Inner:
    """A forecaster that reads the rows of another one.

    Parameters
    ----------
    forecaster : Forecaster
        The forecaster, which is cloned.
    owner : Forecaster
        The one outside, which has read the columns.
    table : Table
        Its training rows.
    """

    def __init__(self, forecaster, owner, table):
        self.forecaster = inner = clone(forecaster)
        inner._validate_params()
        inner.n_features_in_ = owner.n_features_in_
        if hasattr(owner, "feature_names_in_"):
            inner.feature_names_in_ = owner.feature_names_in_
        inner._prepare(table)

    @property
    def reach(self):
        """Rows and columns that a prediction reads, in the columns of the forecaster inside."""
        return self.forecaster._reach

    @property
    def roles(self):
        """How the forecaster inside uses the columns."""
        return self.forecaster._roles

    @property
    def calendar_names(self):
        """The fields of the calendar that it reads."""
        return self.roles.calendar_names

    @property
    def reads_times(self):
        """Whether predicted rows need time stamps."""
        return self.forecaster._reads_times or self.roles.calendar is not None

    @property
    def parts(self):
        """The forecaster, or those inside of a transformed one."""
        inside = getattr(self.forecaster, "inside", None)
        return [self.forecaster] if inside is None else inside

    def inputs(self, calendar_names):
        """Return columns of the one outside and their lags: what is read, and bounds of the output.

        All columns of X are inputs there, and these fields of the calendar stand behind them.
        """
        roles, n = self.roles, len(self.roles.columns)
        of_calendar = [n + calendar_names.index(name) for name in roles.calendar_names]
        place = [*map(int, roles.inputs), *of_calendar]
        inputs = {(place[column], lag) for column, lag in self.reach.inputs}
        return inputs | {(bound, 0) for bound in (roles.low, roles.high) if isinstance(bound, int)}

    def reach_outside(self, calendar_names):
        """Return what a prediction reads, in the columns of the one outside."""
        return replace(self.reach, inputs=tuple(sorted(self.inputs(calendar_names))))

    def rows(self, segments, y=None, which=None):
        """Return the rows that the forecaster inside sees, perhaps some of them, under other y."""
        X, times = segments.u[:, : len(self.roles.columns)], segments.times
        y, edges, name_row = segments.y if y is None else y, segments.edges, segments.name_row
        if which is not None:
            starts = segments.starts_of(which)
            edges = np.append(np.flatnonzero(np.diff(starts, prepend=-1)), len(which))
            X, y, name_row = X[which], y[which], partial(_name_of, which, name_row)
            times = None if times is None else take(times, which)
        return self.roles.segment(X, y, times).replace(edges=edges, name_row=name_row)

    def train(self, segments, weight, y=None, which=None):
        """Train on these rows, or on some of them."""
        weight = weight if which is None else weight[which]
        self.forecaster._train(self.rows(segments, y, which), weight)

    def take_choices(self, fitted):
        """Take over what a fitted one has chosen: training then fits that alone."""
        self.forecaster._take_choices(fitted.forecaster)

    def run(self, rollouts, y=None):
        """Run rollouts over rows of the one outside."""
        return self.forecaster._run(rollouts.replace(segments=self.rows(rollouts.segments, y)))

    def of_rows(self, segments):
        """Return what a model of inputs alone says of each row (n, n_outputs)."""
        rows = np.arange(len(segments))
        return self.run(Rollouts(segments, rows, np.ones(len(rows), dtype=np.intp)))[0][:, 0]

    def filled(self, segments):
        """Return the outputs, each missing one as the forecaster inside predicts it."""
        return self.forecaster._filled(self.rows(segments))

    def units(self, y):
        """Return mean and deviation of each output."""
        return self.forecaster._units(y)

    def describe_reach(self):
        """Say what needs rows of history, and what would need fewer."""
        return self.forecaster._describe_reach()

    def continuing(self, names, tails):
        """Return the forecaster, which goes on from these last rows of each series."""
        inner = copy(self.forecaster)
        inner._history = History(self.reach, names, tails)
        inner.max_lag_, inner.lead_ = self.reach.history, self.reach.lead
        return inner


def union_of(reaches):
    """Return the reach of several forecasters that run side by side."""
    reaches = list(reaches)
    return Reach(
        outputs=tuple(sorted({pair for reach in reaches for pair in reach.outputs})),
        inputs=tuple(sorted({pair for reach in reaches for pair in reach.inputs})),
        window=max(reach.window for reach in reaches),
        both_ways=any(reach.both_ways for reach in reaches),
        carry=max(reach.carry for reach in reaches),
    )


def _name_of(rows, name_row, row):
    return name_row(rows[row])
