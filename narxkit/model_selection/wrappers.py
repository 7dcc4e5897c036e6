"""Wrappers of a forecaster: pipelines, transformed targets, searches."""

import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from narxkit._warn import warn_of_interruption
from narxkit.forecasters.base import Forecaster
from narxkit.forecasters.panels import PanelForecaster
from narxkit.rows.labels import common_index, with_index
from narxkit.rows.table import read_outputs


def unwrap(model, X, y):
    """Return the forecaster inside a Pipeline or TransformedTargetRegressor, and what it sees.

    Returns
    -------
    forecaster : Forecaster
    X, y : array-like
        As they reach it, with their index.
    undo : callable
        Brings outputs (..., n_outputs) back to original units.
    """
    index, _ = common_index(X=X, y=y)
    if hasattr(model, "best_estimator_"):
        return unwrap(model.best_estimator_, X, y)
    if isinstance(model, Pipeline):
        check_is_fitted(model)
        if X is not None and len(model.steps) > 1:
            X = model[:-1].transform(X)
            # transformers may return X as an array: y goes on to carry the labels
            y = with_index(y, index)
        return unwrap(model.steps[-1][1], X, y)
    if isinstance(model, TransformedTargetRegressor):
        check_is_fitted(model)
        forward, back = model.transformer_.transform, model.transformer_.inverse_transform
        # the forecaster inside was fitted to transformed outputs, and reads such history
        values = read_outputs(y).reshape(np.shape(y))
        inner = _where_finite(forward, values.reshape(len(values), -1)).reshape(values.shape)
        forecaster, X, inner, undo = unwrap(model.regressor_, X, with_index(inner, index))

        def undo_both(values):
            return _where_finite(back, undo(values))

        return forecaster, X, inner, undo_both
    if not isinstance(model, Forecaster | PanelForecaster):
        raise ValueError(
            "model must be a fitted forecaster, or a Pipeline, TransformedTargetRegressor or "
            f"search of one. Got {type(model).__name__} instead."
        )
    warn_of_interruption(model)
    return model, X, y, _unchanged


def _unchanged(values):
    return values


def _where_finite(transform, values):
    """Return a transformation of outputs (..., n_outputs) that leaves missing ones missing."""
    flat = values.reshape(-1, values.shape[-1])
    missing = ~np.isfinite(flat)
    # transformers refuse NaN: a value that is there stands in, and is taken out again
    stand_in = np.take_along_axis(flat, np.argmin(missing, axis=0)[None], axis=0)
    stand_in = np.where(np.isfinite(stand_in), stand_in, 1.0)  # of a column without a value
    out = np.asarray(transform(np.where(missing, stand_in, flat)), dtype=float)
    return np.where(missing, np.nan, out).reshape(values.shape)
