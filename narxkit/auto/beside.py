"""Columns of X that are known up to the origin alone: they are forecast beside the outputs."""

from types import SimpleNamespace

import numpy as np

from narxkit._stored import stored
from narxkit.forecasters.base import Forecaster
from narxkit.forecasters.inner import Inner
from narxkit.rows.columns import ColumnRoles


@stored
class Beside(Forecaster):
    r"""A forecaster of the outputs y and some columns v of X together, a vector autoregression.

    .. math::

        (\hat y_t, \hat v_t) = f(y_{t-1}, v_{t-1}, y_{t-2}, v_{t-2}, \ldots)

    Behind the origin its own forecasts take the place of both, so that no row of v there is read. A
    missing value of v counts as the last one before it.

    Parameters
    ----------
    forecaster : Forecaster
        The forecaster of all, not fitted, which reads none of the columns as an input.
    columns : sequence
        Names of the columns, or positions.
    """

    _parameter_constraints: dict = {"forecaster": "no_validation", "columns": "no_validation"}

    def __init__(self, forecaster, columns):
        self.forecaster = forecaster
        self.columns = columns

    def _calendar_of(self, table):
        return self.forecaster._calendar_of(table)

    def _read_roles(self, table):
        # all columns are there: what the forecaster reads of them is for it to say
        whole = SimpleNamespace(output_range=None, calendar=self._calendar_of(table))
        return ColumnRoles.read(table, whole)

    def _read_clocks(self, table):
        self._places = [self._roles.columns.index(name) for name in self.columns]
        outputs = [*table.outputs, *self.columns]
        y = _both(table.y, table.X[:, self._places])
        both = table.replace(y=y, outputs=outputs, y_ndim=2)
        self._inner = Inner(self.forecaster, self, both)

    @property
    def _reads_times(self):
        return self._inner.reads_times

    def _make_reach(self, columns, n_outputs):
        # v goes back as far as y, and has its place in no row that is predicted
        reach = self._inner.reach_outside(self._roles.calendar_names)
        return reach.of_first_outputs(n_outputs)

    def _train(self, segments, weight):
        self._y_mean, self._y_std = super()._units(segments.y[weight > 0])
        y = _both(segments.y, segments.u[:, self._places])
        self._inner.train(segments, weight, y)

    def _run(self, rollouts):
        segments = rollouts.segments
        beside = _carried(segments.u[:, self._places], segments.starts)
        y_hat, bad = self._inner.run(rollouts, _both(segments.y, beside))
        return y_hat[..., : segments.y.shape[1]], bad

    def _units(self, y):
        return self._y_mean, self._y_std


def _both(y, beside):
    # kernels read rows of memory
    return np.ascontiguousarray(np.hstack([y, beside]))


def _carried(values, starts):
    """Carry the last value of each column on to the missing ones behind it in its segment."""
    rows = np.arange(len(values))[:, None]
    last = np.maximum.accumulate(np.where(np.isfinite(values), rows, -1), axis=0)
    carried = np.take_along_axis(values, np.maximum(last, 0), axis=0)
    return np.where(last >= starts[:, None], carried, np.nan)
