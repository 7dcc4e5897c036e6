"""Forecasters around forecasters that take a panel apart: its series, and the verbs they share."""

from abc import ABCMeta, abstractmethod
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.metrics import r2_score

from narxkit.forecasters.base import Forecaster, read_horizons
from narxkit.rows.labels import common_index, read_index
from narxkit.rows.table import count_rows, read_outputs, take_rows


class PanelForecaster(RegressorMixin, BaseEstimator, metaclass=ABCMeta):
    """Base class of what has the verbs of a forecaster, and forecasters of one series each inside.

    A final class sets `_y_ndim` in ``fit``: how y was given.
    """

    @abstractmethod
    def predict(self, X):
        """Continue each series from the last row seen."""

    @abstractmethod
    def _origins(self, X, y, segments=None, after_state=False, is_free_run=False):
        """Return measured rows of all series, ready for rollouts from any of them."""

    def _check_forecaster(self):
        if not isinstance(self.forecaster, Forecaster):
            raise ValueError(
                f"The 'forecaster' parameter of {type(self).__name__} must be a forecaster such as "
                f"ARX() or NARX(). Got {self.forecaster!r} instead."
            )
        self.forecaster._validate_params()

    def predict_ahead(self, X, y=None, steps=1, segments=None):
        r"""Predict every row some steps ahead, from measured history.

        Parameters
        ----------
        X : array-like of shape (n, n_features) or None
            Inputs.
        y : array-like of shape (n,) or (n, n_outputs)
            Measured outputs.
        steps : int or sequence of int, default=1
            How many steps ahead; a sequence adds a last axis.
        segments : array-like of shape (n,), optional
            Segment labels, as in ``fit``.

        Returns
        -------
        ndarray of the shape of y, or (\*y.shape, len(steps))
            NaN where the rollout lacks history, and of series without a model.
        """
        horizons = read_horizons(steps)
        ahead = self._shape(self._origins(X, y, segments).ahead(horizons))
        return ahead if np.iterable(steps) else ahead[..., 0]

    def score(self, X, y=None, sample_weight=None):
        """Return R2 of ``predict(X)``, the continuation of each series.

        Parameters
        ----------
        X : array-like of shape (n, n_features) or None
            Inputs of the rows that follow the last ones seen.
        y : array-like of shape (n,) or (n, n_outputs)
            Their measured outputs; rows that are missing or cannot be predicted are left out.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows.

        Returns
        -------
        float
            R2 over the rows of all series.
        """
        index, _ = common_index(X=X, y=y)
        rows = pd.DataFrame(index=index) if X is None else X
        y, y_hat = read_outputs(y, index=index), columns_of(self.predict(rows))
        ok = np.isfinite(y).all(axis=1) & np.isfinite(y_hat).all(axis=1)
        weight = None if sample_weight is None else np.asarray(sample_weight)[ok]
        return r2_score(y[ok], y_hat[ok], sample_weight=weight)

    def _copy_features(self, fitted):
        """Take number and names of features from a forecaster inside."""
        for name in ("n_features_in_", "feature_names_in_"):
            vars(self).pop(name, None)  # of an earlier fit
            if hasattr(fitted, name):
                setattr(self, name, getattr(fitted, name))

    def _shape(self, values):
        return values[:, 0] if self._y_ndim == 1 else values

    def save(self, path):
        """Write the fitted models to one file, from which `narxkit.load` brings them back.

        Parameters
        ----------
        path : str or path
            The file, such as ``"shops.narx"``; one that is there is replaced in one step.

        Raises
        ------
        ValueError
            When a parameter is a function or an object of a class of your own.
        OSError
            When the file cannot be written; an earlier one then stays.
        """
        from narxkit.export import save  # rarely needed

        save(self, path)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.target_tags.multi_output = True
        return tags


@dataclass(frozen=True)
class Panel:
    """Tables cut into series.

    Attributes
    ----------
    index : Index or None
        Their labels.
    series : dict
        The rows of each series by its name; None without a MultiIndex.
    tables : dict
        The tables by name, None where one is not given.
    """

    index: pd.Index | None
    series: dict
    tables: dict

    @classmethod
    def read(cls, **tables):
        """Read the labels that X and y share."""
        X, y = tables.get("X"), tables.get("y")
        if X is None and y is None:
            raise ValueError("y is None, but measured outputs are needed: give them.")
        index, owner = common_index(**{k: v for k, v in (("X", X), ("y", y)) if v is not None})
        n = count_rows(y, "y") if X is None else count_rows(X, "X")
        for name, values in tables.items():
            if values is not None and count_rows(values, name) != n:
                raise ValueError(
                    f"{name} has {count_rows(values, name)} rows, and the table beside it {n}: "
                    "give the same rows of both."
                )
        return cls(index, read_index(index, owner, n)[1], tables)

    @property
    def n(self):
        """Number of rows."""
        return sum(map(len, self.series.values()))

    @cached_property
    def _labels(self):
        return self.index.get_level_values(-1)

    def labels(self, key):
        """Return the labels of a series, without its name."""
        return self._labels[self.series[key]]

    def part(self, key):
        """Return the tables of one series, without its name."""
        if key is None:
            return self.tables
        rows, labels = self.series[key], self.labels(key)
        return {name: _one(values, rows, labels) for name, values in self.tables.items()}

    def chunks(self, n):
        """Return the panel in about n parts of as many series each."""
        size = -(-len(self.series) // n)
        keys = list(self.series)
        for at in range(0, len(keys), size):
            yield self._chunk(keys[at : at + size])

    def _chunk(self, keys):
        """Return a panel of some series, whose labels have lost the names: a worker needs none."""
        rows = np.concatenate([self.series[key] for key in keys])
        edges = np.cumsum([0] + [len(self.series[key]) for key in keys])
        series = {key: slice(*edge) for key, edge in zip(keys, zip(edges[:-1], edges[1:]))}
        labels = None if keys == [None] else self._labels[rows]
        tables = {name: _one(values, rows, labels) for name, values in self.tables.items()}
        return Panel(labels, series, tables)


def _one(values, rows, labels):
    """Return some rows; under labels without the names of series where the table has both."""
    part = take_rows(values, rows)
    has_series = isinstance(getattr(part, "index", None), pd.MultiIndex)
    return part.set_axis(labels, axis=0) if has_series else part


def columns_of(values):
    """Return outputs as columns, also where there is one."""
    return values.reshape(len(values), -1)
