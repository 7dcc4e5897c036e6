"""How well forecasters do from rolling origins inside the training rows."""

from dataclasses import dataclass

import numpy as np

from narxkit.rows.rollouts import Rollouts

N_FOLDS = 6  # fits of each candidate
SHARE = 3  # the origins lie in the last one part in so many of the rows
PER_HORIZON = 4  # origins in a horizon
FEWEST = 2  # parts of a segment that the rows before the first origin make


@dataclass(frozen=True)
class Fold:
    """Rows to fit to, and the rollouts that follow them.

    Attributes
    ----------
    head : ndarray of int
        Rows to fit to.
    origins : ndarray of int
        The first row that each rollout predicts.
    lengths : ndarray of int
        The steps of each.
    """

    head: np.ndarray
    origins: np.ndarray
    lengths: np.ndarray


def rolling_folds(segments, horizon, history, n_folds=N_FOLDS):
    """Lay folds one after another over the last part of each segment.

    Parameters
    ----------
    segments : Segments
        The training rows.
    horizon : int
        Steps of each rollout.
    history : int
        Rows of history that candidates need.
    n_folds : int
        Folds; fewer where segments are short.

    Returns
    -------
    list of Fold
        Each judged by rollouts from the end of its head up to that of the next; empty where no
        segment has room for a head and a rollout.
    """
    parts = [[] for _ in range(n_folds)]
    for start, stop in zip(segments.edges[:-1], segments.edges[1:]):
        last, begin = stop - horizon, first_origin(start, stop, horizon, n_folds)
        if begin < start + history + 1 or last < begin:
            continue
        heads = np.linspace(begin, last + 1, n_folds + 1).astype(int)
        for part, head, end in zip(parts, heads[:-1], heads[1:]):
            part.append((start, head, end))
    return [fold for part in parts if (fold := _fold(segments, part, horizon))]


def first_origin(start, stop, horizon, n_folds=N_FOLDS):
    """Return the first row to be predicted from in a segment."""
    n, step = stop - start, max(horizon // 2, 1)
    span = max((n_folds - 1) * step, n // SHARE - horizon)
    return max(start + n // FEWEST, stop - horizon - span)


def _fold(segments, part, horizon):
    """Return the fold of some (start, head, end) of segments, or None where none has an origin."""
    stride = max(horizon // PER_HORIZON, 1)
    heads = [np.arange(start, head) for start, head, _ in part]
    origins = [np.arange(head, end, stride) for _, head, end in part]
    if not sum(map(len, origins)):
        return None
    origins = np.concatenate(origins)
    return Fold(np.concatenate(heads), origins, np.full(len(origins), horizon))


def errors_of(member, segments, weight, folds, bounds):
    """Return the absolute errors (n_rollouts, n_steps, n_outputs) of a forecaster, fold after fold.

    It is fitted to the head of each, and infinite where it cannot be.

    Parameters
    ----------
    member : Member
    segments : Segments
        The training rows.
    weight : ndarray of shape (n,)
        Weights of the rows.
    folds : list of Fold
    bounds : tuple (low, high)
        What forecasts are kept between.
    """
    errors = []
    for fold in folds:
        member.train(segments, weight, which=fold.head)
        rollouts = Rollouts(segments, fold.origins, fold.lengths)
        y_hat = np.clip(member.run(rollouts)[0], *bounds)
        errors.append(np.abs(y_hat - segments.y[rollouts.rows]))
    return np.concatenate(errors)
