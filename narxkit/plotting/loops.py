"""Predictions of rows, by the public verbs of a fitted model."""

import numpy as np
import pandas as pd

FRAMES = (pd.Series, pd.DataFrame)


def predictions(estimator, X, y, loop="open", segments=None):
    """Predict the rows of y.

    Parameters
    ----------
    estimator : estimator
        Fitted; asked for ``predict_ahead`` or ``simulate``.
    X : array-like of shape (n, n_features) or None
        Inputs.
    y : array-like of shape (n,) or (n, n_outputs)
        Measured outputs.
    loop : {"open", "closed"}, default="open"
        One step ahead from measured history, or one free run from the first rows of y.
    segments : array-like of shape (n,), default=None
        Segment labels, for the open loop.

    Returns
    -------
    ndarray of the shape of y
        NaN where history is missing.

    Raises
    ------
    ValueError
        When loop is neither, or a free run is asked for over several segments.
    """
    if loop == "open":
        with_labels = {} if segments is None else {"segments": segments}
        return estimator.predict_ahead(X, y, **with_labels)
    if loop != "closed":
        raise ValueError(f"loop must be 'open' or 'closed'. Got {loop!r} instead.")
    if segments is not None:
        raise ValueError(
            "a free run (loop='closed') goes over one segment, but segments are given: give the "
            "rows of one segment at a time."
        )
    if X is None:
        # simulate takes its rows from X
        X = pd.DataFrame(index=y.index if isinstance(y, FRAMES) else range(len(y)))
    return estimator.simulate(X, y_init=_first_rows(y, estimator.max_lag_))


def _first_rows(y, n):
    """Return the first n rows, of each series where the index is (series, time)."""
    if not isinstance(y, FRAMES):
        return np.asarray(y)[:n]
    if isinstance(y.index, pd.MultiIndex):
        return y.groupby(level=0, sort=False).head(n)
    return y.iloc[:n]
