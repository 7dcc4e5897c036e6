"""How well forecasters do from rolling origins inside the training rows."""

from dataclasses import dataclass
from math import gcd

import numpy as np

from narxkit.rows.rollouts import Rollouts

N_FOLDS = 6  # fits of each candidate
SHARE = 3  # the origins lie in the last one part in so many of the rows
FEWEST = 2  # parts of a segment, one of which lies before the first origin
N_FOLDS_LONG, N_BLOCKS = 4, 12  # of a long series, whose blocks take turns
LONG, ENOUGH = 2000, 120  # rows and horizons, from which on a series is long
SHARE_RUN = 4  # a free run is judged over the last one part in so many of the rows
MOST_OF_RUN = 16_000  # rows of a segment that free runs learn from: more cost much and tell little
PER_HORIZON = 4  # origins in a horizon
MOST = 100  # rollouts of a fold and segment


@dataclass(frozen=True)
class Fold:
    """Rows to fit to, and the rollouts that follow them.

    Attributes
    ----------
    head : ndarray of int
        Rows to fit to.
    left_out : ndarray of int
        Rows among them that do not count: the rollouts forecast them.
    origins : ndarray of int
        The first row that each rollout predicts.
    length : int
        The steps of each.
    """

    head: np.ndarray
    left_out: np.ndarray
    origins: np.ndarray
    length: int

    def rollouts(self, segments):
        """Return the rollouts over the rows."""
        return Rollouts(segments, self.origins, np.full(len(self.origins), self.length))


def is_long(segments, horizon):
    """Tell whether the series have so many rows that blocks of them can be left out."""
    return len(segments) >= max(LONG, ENOUGH * horizon) * (len(segments.edges) - 1)


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
    parts = [[] for _ in range(N_FOLDS)]
    for start, stop in zip(segments.edges[:-1], segments.edges[1:]):
        begin, end = first_origin(start, stop, horizon), stop - horizon + 1
        if begin < end:
            heads = np.linspace(begin, end, N_FOLDS + 1).astype(int)
            for part, head, next_head in zip(parts, heads[:-1], heads[1:]):
                part.append((start, head, next_head))
    folds = [_fold(part, horizon) for part in parts]
    return [fold for fold in folds if len(fold.origins)]


def blocked_folds(segments, horizon, n_history, period):
    """Leave out blocks of the rows in turn, so that all times of a year are learned and judged.

    Parameters
    ----------
    segments : Segments
        The training rows.
    horizon : int
        Steps of each rollout.
    n_history : int
        Rows of each segment that are never left out: what a rollout may read before it.
    period : int
        Rows of a season; rollouts that are shorter begin at all its rows.

    Returns
    -------
    list of Fold
        Each judged by rollouts inside of every fourth block of each segment; empty where the blocks
        are too short.
    """
    parts = [[] for _ in range(N_FOLDS_LONG)]
    for start, stop in zip(segments.edges[:-1], segments.edges[1:]):
        edges = np.linspace(min(start + n_history, stop), stop, N_BLOCKS + 1).astype(int)
        for k, (begin, end) in enumerate(zip(edges[:-1], edges[1:])):
            parts[k % N_FOLDS_LONG].append((begin, end))
    folds = [_fold_of_blocks(segments, blocks, horizon, period) for blocks in parts]
    return folds if all(len(fold.origins) for fold in folds) else []


def free_run_fold(segments, weight):
    """Return the fold of free runs to the end of each segment, over a quarter of the longest one.

    Segments of less than twice that are left out. Of long ones the last rows before are learned
    from.

    Parameters
    ----------
    segments : Segments
        The training rows.
    weight : ndarray of shape (n,)
        Their weights.

    Returns
    -------
    list of Fold
    """
    lengths = np.diff(segments.edges)
    length = int(lengths.max() // SHARE_RUN)
    part = [
        (_begin_of_run(start, stop - length, weight), stop - length, stop - length + 1)
        for start, stop in zip(segments.edges[:-1], segments.edges[1:])
        if stop - start >= 2 * length
    ]
    return [_fold(part, length)]


def newest(segments, weight):
    """Return the last rows of each segment, as many as free runs learn from."""
    edges = zip(segments.edges[:-1], segments.edges[1:])
    return _joined(np.arange(_begin_of_run(start, stop, weight), stop) for start, stop in edges)


def _begin_of_run(start, stop, weight):
    """Return the first of the rows of a segment that free runs learn from: the last that count."""
    counted = start + np.flatnonzero(weight[start:stop])
    end = counted[-1] + 1 if len(counted) else stop
    return max(start, end - MOST_OF_RUN)


def first_origin(start, stop, horizon):
    """Return the first row of a segment that is predicted."""
    n, step = stop - start, max(horizon // 2, 1)
    span = max((N_FOLDS - 1) * step, n // SHARE - horizon)
    return max(start + n // FEWEST, stop - horizon - span)


def _fold(part, horizon):
    """Return the fold of some (start, head, next head) of segments."""
    return Fold(
        _joined(np.arange(start, head) for start, head, _ in part),
        _joined([]),
        _joined(_origins(head, end, horizon, MOST) for _, head, end in part),
        horizon,
    )


def _fold_of_blocks(segments, blocks, horizon, period):
    """Return the fold that forecasts these (begin, end) of the rows."""
    # a head ends with rows that count: by its last ones penalties are chosen
    behind = _joined(np.arange(*block) for block in blocks if block[1] in segments.edges)
    most = MOST * N_FOLDS_LONG // N_BLOCKS
    return Fold(
        np.setdiff1d(np.arange(len(segments)), behind),
        _joined(np.arange(*block) for block in blocks),
        _joined(_origins(begin, end - horizon + 1, horizon, most, period) for begin, end in blocks),
        horizon,
    )


def _origins(begin, end, horizon, most, period=1):
    """Return origins from one row up to another, at most so many."""
    step = max(horizon // PER_HORIZON, -(-(end - begin) // most), 1)
    while horizon < period and gcd(step, period) > 1:
        step += 1  # in step with a season, short rollouts would meet the same rows of it
    return np.arange(begin, end, step)


def _joined(parts):
    return np.concatenate([np.empty(0, dtype=int), *parts])


def forecasts_of(inner, segments, weight, fold):
    """Fit a forecaster to the head of a fold and run its rollouts: (n, n_steps, n_outputs)."""
    weight = weight.copy()
    weight[fold.left_out] = 0.0
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
    is_long : bool
        Whether weights will be fitted to the forecasts, by squares.
    """

    def __init__(self, segments, weight, folds, std, bounds, is_long):
        self.segments, self.folds = segments, folds
        self.std, self.bounds, self.is_long = std, bounds, is_long
        self._rows = [fold.rollouts(segments).rows for fold in folds]
        self.y = [segments.y[rows] / std for rows in self._rows]
        self.counts = [self._which_count(*one, weight) for one in zip(folds, self.y, self._rows)]

    def mean(self, errors):
        """Return the mean of errors of folds, from the last one on, by what counts in each."""
        sizes = [np.count_nonzero(count) for count in self.counts[::-1][: len(errors)]]
        if not any(sizes):  # where nothing is judged all are the same that can be fitted
            return 1.0 if np.isfinite(errors).all() else np.inf
        errors, sizes = zip(*[pair for pair in zip(errors, sizes) if pair[1]])
        return float(np.average(errors, weights=sizes))

    def _which_count(self, fold, y, rows, weight):
        """Tell which outputs are judged: measured ones, behind a measured row where there is one.

        Behind a long gap every forecaster has lost the level.
        """
        measured = np.isfinite(y) & (weight[rows] > 0)[..., None]
        behind = measured & np.isfinite(self.segments.y[fold.origins - 1])[:, None]
        return behind if behind.any() else measured

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
        return y_hat, self._mean(errors)

    def _mean(self, errors):
        """Return their root mean square, of short series its geometric mean with the mean error.

        Means are what squares ask for, medians what absolute errors do. Few errors say little of
        their squares.
        """
        squares = np.sqrt((errors**2).mean())
        return float(squares if self.is_long else np.sqrt(errors.mean() * squares))
