"""How well forecasters do from rolling origins inside the training rows."""

from dataclasses import dataclass

import numpy as np

from narxkit.rows.rollouts import Rollouts

N_FOLDS = 6  # fits of each candidate
SHARE = 3  # the origins lie in the last one part in so many of the rows
PER_HORIZON = 4  # origins in a horizon
FEWEST = 2  # parts of a segment, one of which lies before the first origin
MOST = 100  # rollouts of a fold and segment


@dataclass(frozen=True)
class Fold:
    """Rows to fit to, and the rollouts that follow them.

    Attributes
    ----------
    head : ndarray of int
        Rows to fit to.
    origins : ndarray of int
        The first row that each rollout predicts.
    length : int
        The steps of each.
    """

    head: np.ndarray
    origins: np.ndarray
    length: int

    def rollouts(self, segments):
        """Return the rollouts over the rows."""
        return Rollouts(segments, self.origins, np.full(len(self.origins), self.length))


def rolling_folds(segments, horizon, n_folds=N_FOLDS):
    """Lay folds one after another over the last part of each segment.

    Parameters
    ----------
    segments : Segments
        The training rows.
    horizon : int
        Steps of each rollout.
    n_folds : int, default=6
        Folds; fewer where segments are short.

    Returns
    -------
    list of Fold
        Each judged by rollouts from the end of its head up to that of the next; empty where no
        segment has room for a head and a rollout.
    """
    parts = [[] for _ in range(n_folds)]
    for start, stop in zip(segments.edges[:-1], segments.edges[1:]):
        begin, end = first_origin(start, stop, horizon, n_folds), stop - horizon + 1
        if begin < end:
            heads = np.linspace(begin, end, n_folds + 1).astype(int)
            for part, head, next_head in zip(parts, heads[:-1], heads[1:]):
                part.append((start, head, next_head))
    folds = [_fold(part, horizon) for part in parts]
    return [fold for fold in folds if len(fold.origins)]


def first_origin(start, stop, horizon, n_folds=N_FOLDS):
    """Return the first row of a segment that is predicted."""
    n, step = stop - start, max(horizon // 2, 1)
    span = max((n_folds - 1) * step, n // SHARE - horizon)
    return max(start + n // FEWEST, stop - horizon - span)


def _fold(part, horizon):
    """Return the fold of some (start, head, next head) of segments."""
    strides = [max(horizon // PER_HORIZON, (end - head) // MOST, 1) for _, head, end in part]
    none = [np.empty(0, dtype=int)]
    return Fold(
        np.concatenate(none + [np.arange(start, head) for start, head, _ in part]),
        np.concatenate(
            none + [np.arange(head, end, s) for (_, head, end), s in zip(part, strides)]
        ),
        horizon,
    )


def forecasts_of(inner, segments, weight, fold):
    """Fit a forecaster to the head of a fold and run its rollouts: (n, n_steps, n_outputs)."""
    inner.train(segments, weight, which=fold.head)
    if segments.is_missing.any():
        segments = segments.replace(y=inner.filled(segments))
    return inner.run(fold.rollouts(segments))[0]


def mean_error(y_hat, segments, weight, fold, bounds):
    """Return the mean absolute error of rollouts over measured rows with a weight.

    Parameters
    ----------
    y_hat : ndarray of shape (n, n_steps, n_outputs)
        Forecasts; one that is missing errs by as much as any can.
    segments : Segments
    weight : ndarray of shape (n_rows,)
    fold : Fold
    bounds : tuple (low, high)
        What forecasts are kept between.
    """
    rows = fold.rollouts(segments).rows
    errors = np.abs(np.clip(y_hat, *bounds) - segments.y[rows])
    counts = np.isfinite(segments.y[rows]) & (weight[rows] > 0)[..., None]
    width = np.broadcast_to(bounds[1] - bounds[0], errors.shape)
    return (
        float(np.where(np.isfinite(y_hat), errors, width)[counts].mean()) if counts.any() else 0.0
    )
