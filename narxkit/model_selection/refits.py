"""Models that are fitted again as the origins of a backtest move on."""

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone

from narxkit._checks import is_count
from narxkit.rows.labels import common_index
from narxkit.rows.table import count_rows, take_rows


def check_refit(refit, window):
    """Refuse what is no number of rows, and a window without refits."""
    if refit is not None and not is_count(refit):
        raise ValueError(f"refit must be None or an int >= 1. Got {refit!r} instead.")
    is_expanding = isinstance(window, str) and window == "expanding"
    if not is_expanding and not is_count(window):
        raise ValueError(f"window must be 'expanding' or an int >= 1. Got {window!r} instead.")
    if refit is None and not is_expanding:
        raise ValueError(
            f"window={window} says what a refit learns from, but refit is None: give refit, every "
            "how many rows to fit again."
        )


@dataclass(frozen=True)
class Refits:
    """When a model is fitted again, and to which rows.

    Attributes
    ----------
    model : BaseEstimator
        What is cloned.
    tables : dict
        ``X``, ``y`` and ``segments`` of all rows.
    index : Index
        The labels of the rows.
    moments : ndarray of int of shape (n_rows,)
        The place of each row in time, which the series of a panel share.
    every : int
        Moments from one fit to the next.
    window : int or None
        Moments that a fit learns from, None for all before it.
    begin : int
        The moment of the first fit.
    first : BaseEstimator or None
        The model of the first fit.
    """

    model: BaseEstimator
    tables: dict
    index: pd.Index
    moments: np.ndarray
    every: int
    window: int | None
    begin: int = 0
    first: BaseEstimator | None = field(default=None, repr=False)

    @classmethod
    def read(cls, model, tables, refit, window):
        """Read the labels of the rows."""
        X, y = tables["X"], tables["y"]
        index, _ = common_index(X=X, y=y)
        index = pd.RangeIndex(count_rows(y, "y")) if index is None else index
        moments = np.arange(len(index))
        if isinstance(index, pd.MultiIndex):
            moments = pd.factorize(index.get_level_values(-1), sort=True)[0]
        return cls(model, tables, index, moments, refit, None if window == "expanding" else window)

    def begun(self, origins=None):
        """Fit for the first time, at the earliest of origins or in the middle of the rows."""
        middle = (self.moments.max() + 1) // 2
        begin = int(middle if origins is None else self.moments[origins].min())
        first = self._fitted(begin)
        return replace(self, begin=begin, first=first), first

    def _fitted(self, moment):
        """Return a clone, fitted to the rows up to a moment."""
        is_past = self.moments <= moment
        if self.window is not None:
            is_past &= self.moments > moment - self.window
        rows = np.flatnonzero(is_past)
        X, y, segments = (take_rows(values, rows) for values in self.tables.values())
        labels = {} if segments is None else {"segments": segments}
        return clone(self.model).fit(X, y, **labels)

    def chosen(self, rows, first, steps):
        """Return the rows that are forecast first, of those from the first fit on."""
        first = first[self.moments[rows.table_row[first - 1]] >= self.begin]
        if not len(first):
            raise ValueError(
                f"the first fit takes the first half of the rows, and none of the others has "
                f"{steps} rows ahead of it: give a longer series or fewer steps."
            )
        return first

    def models(self, origins):
        """Yield which of the origins, rows of the table, each model forecasts from, and the model.

        Parameters
        ----------
        origins : ndarray of int of shape (n,)
            Last known rows.

        Yields
        ------
        which : ndarray of int
            Of the origins.
        model : BaseEstimator
            Fitted to the rows before them.
        """
        turns = (self.moments[origins] - self.begin) // self.every
        for turn in np.unique(turns):
            model = self._fitted(self.begin + int(turn) * self.every) if turn else self.first
            yield np.flatnonzero(turns == turn), model
