"""How the columns of X and y are used: inputs, bounds of the output, names."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from narxkit._stored import stored
from narxkit.rows.calendar_fields import Calendar, read_calendar
from narxkit.rows.segments import Segments


@stored
@dataclass(frozen=True)
class ColumnRoles:
    """Which columns of X are inputs, which are bounds, and how y was given.

    Attributes
    ----------
    columns : list
        Names of the columns of X, or their positions.
    is_named : bool
        Whether they are names.
    inputs : ndarray of int
        Positions of the columns that taps may read.
    low, high : int, ndarray of shape (n_outputs,) or None
        Bounds of the outputs: the position of a column, numbers, or none.
    outputs : list
        Names of the outputs, None where they have none.
    y_ndim : int
        1 or 2: how y was given.
    is_elapsed : bool
        Whether the rows are labelled by elapsed times.
    calendar : Calendar or None
        What makes inputs of the time stamps, which stand behind those of X.
    """

    columns: list
    is_named: bool
    inputs: np.ndarray
    low: int | np.ndarray | None
    high: int | np.ndarray | None
    outputs: list
    y_ndim: int
    is_elapsed: bool = False
    calendar: Calendar | None = None

    @classmethod
    def read(cls, table, estimator):
        """Read the columns; one of X that bounds the output is an input only if lags name it."""
        columns = list(range(table.X.shape[1])) if table.columns is None else table.columns
        lags = getattr(estimator, "input_lags", None)
        named = lags if isinstance(lags, Mapping) else ()
        low, high = _read_range(estimator.output_range, columns, table.y.shape[1])
        bounds = [columns[bound] for bound in (low, high) if isinstance(bound, int)]
        inputs = [i for i, c in enumerate(columns) if c not in bounds or c in named]
        is_named = table.columns is not None
        inputs = np.array(inputs, dtype=int)
        outputs = table.outputs, table.y_ndim
        calendar = read_calendar(getattr(estimator, "calendar", None), table)
        roles = cls(columns, is_named, inputs, low, high, *outputs, table.is_elapsed, calendar)
        roles._refuse_shared_names()
        return roles

    def _refuse_shared_names(self):
        shared = [name for name in self.calendar_names if name in self.columns]
        if shared:
            raise ValueError(
                f"calendar makes the columns {shared}, but X has them too: leave them out of X or "
                "out of calendar, or rename those of X."
            )

    @property
    def n_outputs(self):
        return len(self.outputs)

    @property
    def input_names(self):
        return [*(self.columns[i] for i in self.inputs), *self.calendar_names]

    @property
    def calendar_names(self):
        return self.calendar.names if self.calendar else []

    @property
    def bound_names(self):
        return [self.columns[bound] for bound in (self.low, self.high) if isinstance(bound, int)]

    def bounds(self, X):
        """Return lower and upper bounds (n, n_outputs) of the rows of X, or two times None."""
        if self.low is None and self.high is None:
            return None, None
        return self._bound(self.low, X), self._bound(self.high, X)

    def _bound(self, bound, X):
        """Return a column of X, one number per output, or NaN for no bound."""
        values = X[:, [bound]] if isinstance(bound, int) else np.nan if bound is None else bound
        # kernels read rows of memory, which a broadcast number has none of
        return np.ascontiguousarray(np.broadcast_to(values, (len(X), self.n_outputs)))

    def check(self, table):
        """Refuse other columns than those of ``fit``, and bounds the wrong way round."""
        if self.is_named and table.columns is not None and table.columns != self.columns:
            raise ValueError(
                f"X has the columns {table.columns}, but the model was fitted with "
                f"{self.columns}: give the same columns in the same order."
            )
        if table.y is not None:
            self.check_outputs(table.outputs)
        if self.calendar:
            self.calendar.check(table)
        self._check_bounds(table)

    def check_labels(self, table):
        """Refuse elapsed times after a fit on other times, and the other way round."""
        if table.times is not None and table.is_elapsed != self.is_elapsed:
            kinds = {True: "elapsed times", False: "time stamps"}
            raise ValueError(
                f"the rows are labelled by {kinds[table.is_elapsed]}, but the last rows seen by "
                f"{kinds[self.is_elapsed]}: give both the same kind of index, for example by "
                "adding the moment of the start."
            )

    def check_outputs(self, outputs, name="y"):
        """Refuse other outputs than those of ``fit``."""
        # arrays have no names, and one output is the same under any
        is_named = self.n_outputs > 1 and None not in [*outputs, *self.outputs]
        if len(outputs) != self.n_outputs or is_named and outputs != self.outputs:
            given = f"the columns {outputs}" if is_named else f"{len(outputs)} columns"
            raise ValueError(
                f"{name} has {given}, but the model was fitted with "
                f"{self.outputs if is_named else self.n_outputs}: give the same outputs in the "
                "same order."
            )

    def _check_bounds(self, table):
        low, high = self.bounds(table.X)
        wrong = np.argwhere(low > high) if low is not None else ()
        if len(wrong):
            row, output = wrong[0]
            raise ValueError(
                f"output_range must have low <= high, but in {table.label(row)} low is "
                f"{low[row, output]:g} and high {high[row, output]:g}: correct the bounds."
            )

    def segments(self, table):
        """Return the rows of a table, cut into segments."""
        return self._with_calendar(table.segments(self.inputs, *self.bounds(table.X)))

    def segment(self, X, y, times):
        """Return rows that follow each other, as one segment."""
        u = np.ascontiguousarray(X[:, self.inputs])
        rows = Segments(u, y, np.array([0, len(y)]), *self.bounds(X), times)
        return self._with_calendar(rows)

    def _with_calendar(self, rows):
        if not self.calendar:
            return rows
        return rows.replace(u=np.hstack([rows.u, self.calendar.columns(rows.times)]))

    def frame(self, values, index):
        """Return predictions as a Series, or a DataFrame of several outputs."""
        if self.y_ndim == 1:
            return pd.Series(values[:, 0], index=index, name=self.outputs[0])
        names = self.outputs if self.outputs[0] is not None else range(self.n_outputs)
        return pd.DataFrame(values, index=index, columns=list(names))

    def fans(self, y_hat, fans, suffixes, index):
        """Return predictions, and beside each output what stands around it, by suffix."""
        names = self.outputs
        if None in names:
            names = ["y"] if self.n_outputs == 1 else [f"y{j}" for j in range(self.n_outputs)]
        columns = [f"{name}{suffix}" for name in names for suffix in ("", *suffixes)]
        values = np.concatenate([y_hat[None], fans]).transpose(1, 2, 0).reshape(len(y_hat), -1)
        # to make texts of thousands of names would take longer than thousands of paths
        return pd.DataFrame(values, index=index, columns=pd.Index(columns, dtype=object))


def _read_range(output_range, columns, n_outputs):
    """Return bounds as the position of a column, an array of one number per output, or None."""
    if output_range is None:
        return None, None
    try:
        low, high = output_range
    except (TypeError, ValueError):
        raise ValueError(
            f"output_range must be a pair (low, high). Got {output_range!r} instead."
        ) from None
    low, high = (_read_bound(bound, columns, n_outputs) for bound in (low, high))
    if isinstance(low, np.ndarray) and isinstance(high, np.ndarray) and np.any(low > high):
        raise ValueError(
            f"output_range must be (low, high) with low <= high. Got {output_range!r} instead."
        )
    return low, high


def _read_bound(bound, columns, n_outputs):
    if bound is None:
        return None
    if isinstance(bound, str):
        if bound not in columns:
            raise ValueError(
                f"output_range names the column {bound!r}, but X has the columns {columns}: "
                "correct the name."
            )
        return columns.index(bound)
    try:
        return np.broadcast_to(np.asarray(bound, dtype=float), n_outputs)
    except (TypeError, ValueError):
        raise ValueError(
            "each bound of output_range must be a number, one number per output "
            f"({n_outputs}), a column name of X or None. Got {bound!r} instead."
        ) from None
