"""How well forecasters do from rolling origins inside the training rows."""

from dataclasses import dataclass

import numpy as np

from narxkit.rows.rollouts import Rollouts

N_FOLDS = 6  # fits of each candidate
N_FOLDS_LONG, LONG = 4, 2000  # and of series with so many rows
SHARE, SHARE_LONG = 3, 2  # the origins lie in the last one part in so many of the rows
SHARE_RUN = 4  # a free run is judged over the last one part in so many of the rows
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


def rolling_folds(segments, horizon):
    """Lay folds one after another over the last part of each segment.

    Parameters
    ----------
    segments : Segments
        The training rows.
    horizon : int
        Steps of each rollout.
    Returns
    -------
    list of Fold
        Each judged by rollouts from the end of its head up to that of the next; empty where no
        segment has room for a head and a rollout.
    """
    n_folds = N_FOLDS if len(segments) < LONG else N_FOLDS_LONG
    parts = [[] for _ in range(n_folds)]
    for start, stop in zip(segments.edges[:-1], segments.edges[1:]):
        begin, end = first_origin(start, stop, horizon, n_folds), stop - horizon + 1
        if begin < end:
            heads = np.linspace(begin, end, n_folds + 1).astype(int)
            for part, head, next_head in zip(parts, heads[:-1], heads[1:]):
                part.append((start, head, next_head))
    folds = [_fold(part, horizon) for part in parts]
    return [fold for fold in folds if len(fold.origins)]


def free_run_fold(segments):
    """Return the fold of free runs to the end of each segment, over as many rows as the shortest.

    Parameters
    ----------
    segments : Segments
        The training rows.

    Returns
    -------
    list of Fold
    """
    lengths = np.diff(segments.edges)
    length = int(lengths.max() // SHARE_RUN)
    part = [
        (start, stop - length, stop - length + 1)
        for start, stop in zip(segments.edges[:-1], segments.edges[1:])
        if stop - start >= 2 * length
    ]
    return [_fold(part, length)]


def first_origin(start, stop, horizon, n_folds):
    """Return the first row of a segment that is predicted."""
    n, step = stop - start, max(horizon // 2, 1)
    share = SHARE if n < LONG else SHARE_LONG
    span = max((n_folds - 1) * step, n // share - horizon)
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
    return inner.run(fold.rollouts(segments).lengthened(inner.reach.lead))[0]


class Judge:
    """Judges forecasters from rolling origins.

    Parameters
    ----------
    segments : Segments
        The training rows.
    weight : ndarray of shape (n,)
        Their weights.
    folds : list of Fold
    std : ndarray of shape (n_outputs,)
        Units of the errors.
    bounds : tuple (low, high)
        What forecasts are kept between.
    """

    def __init__(self, segments, weight, folds, std, bounds):
        self.segments, self.folds = segments, folds
        self.std, self.bounds = std, bounds
        self._rows = [fold.rollouts(segments).rows for fold in folds]
        self.y = [segments.y[rows] / std for rows in self._rows]
        self.counts = [
            np.isfinite(y) & (weight[rows] > 0)[..., None] for y, rows in zip(self.y, self._rows)
        ]

    def judge(self, inner, k, weight):
        """Return forecasts and error of a forecaster in a fold; None and infinite where it fails.

        It is fitted to the head under these weights, perhaps of fewer rows than are judged.
        A forecast that is missing counts as the middle of what is possible.
        """
        try:
            y_hat = forecasts_of(inner, self.segments, weight, self.folds[k])
        except ValueError:
            return None, np.inf
        middle = np.broadcast_to(sum(self.bounds) / 2, y_hat.shape)
        y_hat = np.where(np.isfinite(y_hat), np.clip(y_hat, *self.bounds), middle) / self.std
        errors = np.abs(y_hat - self.y[k])[self.counts[k]]
        if not len(errors):
            return y_hat, 0.0
        # means are what squares ask for, medians what absolute errors do: neither alone
        return y_hat, float(np.sqrt(errors.mean() * np.sqrt((errors**2).mean())))
