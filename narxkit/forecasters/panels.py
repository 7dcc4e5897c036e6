"""Forecasters around forecasters that take a panel apart: its series, and the verbs they share."""

from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from sklearn.metrics import r2_score

from narxkit.forecasters.base import Forecaster, Verbs, lacks_series
from narxkit.rows.labels import common_index, read_index
from narxkit.rows.table import count_rows, read_outputs, take_rows


class PanelForecaster(Verbs):
    """Base class of forecasters of panels, around forecasters of one series each or of all."""

    @abstractmethod
    def fit(self, X, y=None, sample_weight=None, segments=None):
        """Fit one model to all series, or one to each.

        Parameters
        ----------
        X : array-like of shape (n, n_features) or None
            Inputs.
        y : array-like of shape (n,) or (n, n_outputs)
            Outputs; they or X have a MultiIndex (series, time).
        sample_weight : array-like of shape (n,), optional
            Weight of each row's squared error.
        segments : array-like of shape (n,), optional
            One label per row; no lag crosses a change of label.

        Returns
        -------
        self
            The fitted model.

        Raises
        ------
        ValueError
            As ``fit`` of the forecaster; of one model for each series when none can be fitted.
        """

    @abstractmethod
    def update(self, X, y=None):
        """Take new measurements: move the state of each series, keep the weights.

        Parameters
        ----------
        X : array-like of shape (n, n_features) or None
            Inputs of the rows after the last ones seen.
        y : array-like of shape (n,) or (n, n_outputs)
            Their measured outputs; series that are not among them stay where they are.

        Returns
        -------
        self
            The same model, its state moved on.

        Raises
        ------
        ValueError
            When a series is not known that needs to be, or its rows begin before the last one seen;
            then no series has moved.
        """

    @abstractmethod
    def predict(self, X):
        """Continue each series from the last row seen.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Inputs of the rows that follow; of models of y alone a frame of their index.

        Returns
        -------
        ndarray of shape (n,) or (n, n_outputs)
            Predictions in the order of the rows of X; NaN of series without a model.
        """

    @abstractmethod
    def forecast(self, steps=None, X=None, **options):
        """Forecast the next steps of each series, as pandas with the labels that follow.

        Parameters
        ----------
        steps : int, optional
            Number of steps; may be left out where X is given.
        X : DataFrame, optional
            Inputs of the steps, under a MultiIndex (series, time); just its series are forecast.
        **options : dict
            Whatever else ``forecast`` of the forecaster takes.

        Returns
        -------
        Series or DataFrame
            Series after series under a MultiIndex (series, time), named like y; those without a
            model come last, and are NaN.

        Raises
        ------
        ValueError
            When inputs are missing or do not follow the last row seen, or a series is unknown.
        """

    @abstractmethod
    def simulate(self, X=None, y_init=None, y=None, steps=None):
        """Run each series freely over X from given or fitted initial conditions.

        Parameters
        ----------
        X : array-like of shape (n, n_features), optional
            Inputs, including those of the first rows of each series; left out for models of y
            alone, which are given `steps`.
        y_init : array-like of shape (k,) or (k, n_outputs), or "estimate", optional
            Measured outputs of the first rows of each series, under a MultiIndex (series, time).
            "estimate" fits those that the first free step needs to `y`.
        y : array-like of shape (k,) or (k, n_outputs), optional
            For "estimate": measured outputs of the first rows of each series.
        steps : int, optional
            Free steps of models of y alone.

        Returns
        -------
        ndarray of shape (n,) or (n, n_outputs)
            Free runs in the order of the rows of X, or series after series; NaN before the first
            free step of each and of series without a model.

        Raises
        ------
        ValueError
            As ``simulate`` of the forecaster, or when a series is unknown.
        """

    def _check_forecaster(self):
        if not isinstance(self.forecaster, Forecaster):
            raise ValueError(
                f"The 'forecaster' parameter of {type(self).__name__} must be a forecaster such as "
                f"ARX() or NARX(). Got {self.forecaster!r} instead."
            )
        self.forecaster._validate_params()

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

    def refuse_lacking(self, measured, name):
        """Refuse measured outputs that leave out a series."""
        for key in self.series:
            if key not in measured.series:
                raise ValueError(lacks_series(name, key))

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
