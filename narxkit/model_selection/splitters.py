"""Splitters in the order of time, for scikit-learn's searches and cross-validation.

Rows with a MultiIndex (series, time) are split by their time, all series at the same moments.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import indexable

from narxkit._checks import is_count, is_int
from narxkit.forecasters.baselines import Persistence
from narxkit.rows.labels import common_index, labels_of, refuse_other_labels
from narxkit.rows.table import count_rows, read_table

__all__ = ["BlockedKFold", "RollingOrigin"]


@dataclass(frozen=True)
class RollingOrigin(BaseCrossValidator):
    """Folds whose test rows follow their training rows, later and later.

    The last fold ends with the last row; each earlier one ends `step` rows before the next.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds.
    test_size : int, default=None
        Test rows of a fold. None shares the rows after `min_train_size` (after
        n // (n_splits + 1) rows and what division leaves, as TimeSeriesSplit does) among the
        folds.
    step : int, default=None
        Rows from one fold to the next; None means `test_size`, so that no row is tested twice.
    min_train_size : int, default=None
        Fewest training rows, those of the first fold; None asks for one.
    window : int, default=None
        Most training rows: the last ones are taken, a sliding window. None takes all, a window
        that expands.
    gap : int, default=0
        Rows left out between training and test rows. The test rows then no longer follow, and
        scorers need a `warmup`.

    See Also
    --------
    BlockedKFold : Folds that train on the rows after the test rows, too.
    ahead_scorer : Forecasts from every row of a fold.

    Notes
    -----
    Searches of scikit-learn cannot split ``X=None``: for a series without inputs give them a frame
    without columns, ``pd.DataFrame(index=y.index)``.

    Examples
    --------
    >>> import numpy as np
    >>> from narxkit import RollingOrigin
    >>> for train, test in RollingOrigin(3, test_size=2, window=4).split(np.zeros(10)):
    ...     print(train, test)
    [0 1 2 3] [4 5]
    [2 3 4 5] [6 7]
    [4 5 6 7] [8 9]
    """

    n_splits: int = 5
    test_size: int | None = None
    step: int | None = None
    min_train_size: int | None = None
    window: int | None = None
    gap: int = 0

    def __post_init__(self):
        _check_count("n_splits", self.n_splits)
        for name in ("test_size", "step", "min_train_size", "window"):
            if getattr(self, name) is not None:
                _check_count(name, getattr(self, name))
        if not is_int(self.gap) or self.gap < 0:
            raise ValueError(f"gap must be an int >= 0. Got {self.gap!r} instead.")
        least, most = self.min_train_size, self.window
        if least is not None and most is not None and most < least:
            raise ValueError(
                f"window={most} gives no fold min_train_size={least} rows: give a larger window or "
                "a smaller min_train_size."
            )

    def split(self, X, y=None, groups=None):
        """Generate the folds.

        Parameters
        ----------
        X : array-like of shape (n, n_features) or None
            Inputs; None to split y alone.
        y : array-like of shape (n,) or (n, n_outputs), optional
            Outputs; they may carry the index.
        groups : object
            Ignored, exists for compatibility.

        Yields
        ------
        train : ndarray of int
            Training rows.
        test : ndarray of int
            Test rows, after all of them.
        """
        X, y = indexable(X, y)
        moment = _moments(X, y)
        n = int(moment.max(initial=-1)) + 1
        size = self._test_size(n)
        step = size if self.step is None else self.step
        # folds are laid out from the end: the last rows are always tested
        first = n - size - (self.n_splits - 1) * step
        least = self.min_train_size or 1
        if first - self.gap < least:
            raise ValueError(
                f"{self.n_splits} folds of {size} test rows, {step} rows apart, after at least "
                f"{least} training rows and a gap of {self.gap} need "
                f"{n - first + self.gap + least} rows, but there are {n}: give more rows, or fewer "
                "or smaller folds."
            )
        for start in range(first, n - size + 1, step):
            end = start - self.gap
            begin = 0 if self.window is None else max(0, end - self.window)
            yield (
                # of a panel all series at those times, or one would tell another's future
                np.flatnonzero((moment >= begin) & (moment < end)),
                np.flatnonzero((moment >= start) & (moment < start + size)),
            )

    def _test_size(self, n):
        if self.test_size is not None:
            return self.test_size
        if self.min_train_size is None:
            return max(1, n // (self.n_splits + 1))  # as TimeSeriesSplit
        rest = n - self.gap - self.min_train_size
        if self.step is None:
            return max(1, rest // self.n_splits)
        return max(1, rest - (self.n_splits - 1) * self.step)

    def get_n_splits(self, X=None, y=None, groups=None):
        """Count the folds.

        Parameters
        ----------
        X, y, groups : object
            Ignored, exist for compatibility.

        Returns
        -------
        int
            Number of folds.
        """
        return self.n_splits


@dataclass(frozen=True)
class BlockedKFold(BaseCrossValidator):
    """Blocks of successive rows, each the test once; all other rows train.

    More rows train than with `RollingOrigin`, and every season is tested; rows after the test block
    train, too. The hole that a block leaves in the training rows must be a seam, which no lag
    crosses:

    - With a clock, a DatetimeIndex or PeriodIndex of X or y, it is one by itself. All steps of a
      pipeline must hand the clock on: ``set_output(transform="pandas")``.
    - Without, give labels of the blocks to both the splitter and ``fit``:
      ``search.fit(X, y, groups=labels, segments=labels)`` with ``labels = cv.segments(X, y)``. No
      lag then crosses the border of any block, nor does it where the search fits all rows again.

    Where neither shows the hole, `split` raises. Test blocks do not follow the training rows, so
    that `predict` and ``score`` refuse them: use scorers with a `warmup`. With an int as its
    ``random_state``, an estimator starts every fold from the same weights.

    Parameters
    ----------
    n_splits : int, default=5
        Number of blocks, at least 2.

    See Also
    --------
    RollingOrigin : Folds that train on earlier rows only.
    ahead_scorer : Forecasts from every row of a block.
    simulation_scorer : A free run over each block.

    Examples
    --------
    >>> import pandas as pd
    >>> from narxkit import BlockedKFold
    >>> y = pd.Series(0.0, pd.date_range("2024", periods=6, freq="h"))
    >>> for train, test in BlockedKFold(3).split(None, y):
    ...     print(train, test)
    [2 3 4 5] [0 1]
    [0 1 4 5] [2 3]
    [0 1 2 3] [4 5]
    """

    n_splits: int = 5

    __metadata_request__split: ClassVar = {"groups": True}

    def __post_init__(self):
        if not is_int(self.n_splits) or self.n_splits < 2:
            raise ValueError(f"n_splits must be an int >= 2. Got {self.n_splits!r} instead.")

    def split(self, X, y=None, groups=None):
        """Generate the folds.

        Parameters
        ----------
        X : array-like of shape (n, n_features) or None
            Inputs; None to split y alone.
        y : array-like of shape (n,) or (n, n_outputs), optional
            Outputs; they may carry the index.
        groups : array-like of shape (n,), optional
            Segment labels that ``fit`` is given too, such as those of `segments`.

        Yields
        ------
        train : ndarray of int
            Training rows: all others.
        test : ndarray of int
            The rows of one block.
        """
        X, y, groups = indexable(X, y, groups)
        block = self.segments(X, y)
        refuse_other_labels(*common_index(X=X, y=y), labels_of(groups, "groups"), "groups")
        for i in range(self.n_splits):
            train = np.flatnonzero(block != i)
            _refuse_hidden_hole(X, y, train, groups)
            yield train, np.flatnonzero(block == i)

    def segments(self, X, y=None):
        """Label the rows by their block, for ``fit(segments=...)`` where there is no clock.

        Parameters
        ----------
        X : array-like of shape (n, n_features) or None
            Inputs.
        y : array-like of shape (n,) or (n, n_outputs), optional
            Outputs; they may carry the index.

        Returns
        -------
        ndarray of int, shape (n,)
            Number of each row's block.
        """
        moment = _moments(X, y)
        n = int(moment.max(initial=-1)) + 1
        if n < self.n_splits:
            raise ValueError(
                f"{self.n_splits} blocks need at least as many rows, but there are {n}: give more "
                "rows or a smaller n_splits."
            )
        # as KFold: where rows do not divide, the first blocks are longer by one
        sizes = [len(part) for part in np.array_split(np.arange(n), self.n_splits)]
        return np.repeat(np.arange(self.n_splits), sizes)[moment]

    def get_n_splits(self, X=None, y=None, groups=None):
        """Count the folds.

        Parameters
        ----------
        X, y, groups : object
            Ignored, exist for compatibility.

        Returns
        -------
        int
            Number of folds.
        """
        return self.n_splits


def _check_count(name, value):
    if not is_count(value):
        raise ValueError(f"{name} must be an int >= 1. Got {value!r} instead.")


def _moments(X, y):
    """Return the rank of each row in time: its position or, in a panel, that of its time stamp."""
    if X is None and y is None:
        raise ValueError("X and y are None, but rows are needed to split: give one of them.")
    index, _ = common_index(X=X, y=y)
    if isinstance(index, pd.MultiIndex):
        # equal time stamps have equal rank
        return pd.factorize(index.get_level_values(-1), sort=True)[0]
    return _positions(X, y)


def _positions(X, y):
    return np.arange(count_rows(y, "y") if X is None else count_rows(X, "X"))


def _read_groups(groups):
    groups = np.asarray(groups)
    if groups.ndim != 1:
        raise ValueError("groups must be one label for each row, an array of shape (n,).")
    return groups


def _refuse_hidden_hole(X, y, train, groups):
    """Raise where training rows jump without a seam that ``fit`` would see."""
    index, _ = common_index(X=X, y=y)
    rank = _positions(X, y)
    if isinstance(index, pd.MultiIndex):
        # in a panel rows follow within their own series
        rank = pd.Series(rank).groupby(index.codes[0]).cumcount().to_numpy()
    rows = np.zeros(len(train)) if index is None else pd.Series(0.0, index[train])
    labels = None if groups is None else _read_groups(groups)[train]
    # the same reader that fit uses, so that both see the same seams
    table = read_table(Persistence(), None, rows, segments=labels)
    for key, members in table.series.items():
        is_hidden = (np.diff(rank[train[members]]) > 1) & ~table.cuts[key][1:]
        if is_hidden.any():
            before, after = train[members][np.argmax(is_hidden) :][:2]
            clock = table.clocks.get(key)
            reason = (
                "X and y have no clock that shows it"
                if clock is None
                else f"their clock ({clock.describe()}) does not show it"
            )
            raise ValueError(
                f"the test block leaves a hole in the training rows, from row {before} to row "
                f"{after}, and {reason}, so lags would cross it: give X and y an index with a "
                f"clock of one step, such as pd.date_range('2000', periods={len(rank)}, freq='h'), "
                "or labels=cv.segments(X, y) both as groups=labels here and as segments=labels in "
                "fit."
            )
