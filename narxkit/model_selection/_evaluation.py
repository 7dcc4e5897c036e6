"""Evaluation of configurations by cross-validation: each once, one after another, kept as it comes.

A configuration and a fold make one task of joblib. Results are taken in the order of the tasks
while others are at work, so that neither order nor scores depend on how many work at a time.
"""

import time
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from joblib import delayed
from sklearn.base import clone
from sklearn.model_selection._validation import _fit_and_score

from narxkit._blas import one_blas_thread
from narxkit.model_selection._evolution import BEST, FAILED

SIZE = "n_params_"
# of meta-estimators
INSIDE = ("best_estimator_", "regressor_", "classifier_", "estimator_", "forecaster_")


@dataclass(frozen=True)
class Folds:
    """Data, how they are split, and how a configuration is fitted and scored.

    Parameters
    ----------
    estimator : estimator
    X, y : array-like or None
    splits : list of tuple of ndarray
        Training and test rows of each fold.
    options : dict
        Further arguments of scikit-learn's ``_fit_and_score``.
    has_sizes : bool
        Whether parameters of fitted estimators are counted.
    """

    estimator: Any
    X: Any
    y: Any
    splits: list
    options: dict
    has_sizes: bool

    def tasks(self, params):
        """Yield the fits of a configuration, one for each fold."""
        for train, test in self.splits:
            yield delayed(fit_and_score)(
                clone(self.estimator),
                self.X,
                self.y,
                has_sizes=self.has_sizes,
                train=train,
                test=test,
                parameters=params,
                **self.options,
            )


def fit_and_score(estimator, X, y, has_sizes, **options):
    """Fit to one fold and score it, with the same bits wherever this runs."""
    with one_blas_thread():
        found = _fit_and_score(
            estimator, X, y, return_times=True, return_n_test_samples=True, **options
        )
    if has_sizes:  # the estimator was fitted in place; a failed one has no size
        found[SIZE] = np.nan if found["fit_error"] else count_params(estimator)
    return found


def count_params(model):
    """Return ``n_params_`` of a fitted estimator, or of the one that pipelines and such wrap."""
    inner = model
    while not hasattr(inner, SIZE):
        if hasattr(inner, "steps"):
            inner = inner.steps[-1][1]
            continue
        names = [name for name in INSIDE if hasattr(inner, name)]
        if not names:
            raise ValueError(
                "objectives=('score', 'n_params_') needs the number of parameters of each fitted "
                f"candidate, but {type(inner).__name__} has no n_params_: choose "
                "objectives='score', or an estimator that has it."
            )
        inner = getattr(inner, names[0])
    return int(inner.n_params_)


class Evaluations:
    """Configurations, and what fits to the folds have given of each.

    Parameters
    ----------
    folds : Folds
    space : Space
    checkpoint : Checkpoint
        Knows what was evaluated before, and keeps what is.
    parallel : joblib.Parallel
        One that returns generators.
    score_of : callable
        ``score_of(test_scores)`` picks the metric that is searched by.

    Attributes
    ----------
    seconds : float
        Time up to the end of the last evaluation, that before a checkpoint included.
    """

    def __init__(self, folds, space, checkpoint, parallel, score_of):
        self.folds, self.space, self.checkpoint = folds, space, checkpoint
        self.parallel, self.score_of = parallel, score_of
        self._kept, self.seconds = [], 0.0
        known = list(checkpoint.records.values())
        self._begin = time.monotonic() - (known[-1]["seconds"] if known else 0.0)

    def __call__(self, keys):
        """Yield the values of the objectives, one configuration after another."""
        known = self.checkpoint.records
        fresh = [key for key in keys if key not in known]
        with closing(self._fitted(fresh)) as fitted:
            for key in keys:
                yield self._keep(known[key] if key in known else next(fitted))
            # joblib is done when its generator is run to the end
            next(fitted, None)

    def _fitted(self, keys):
        """Yield records of configurations as they are evaluated."""
        if not keys:
            return
        tasks = chain.from_iterable(self.folds.tasks(self.space.decode(key)) for key in keys)
        with closing(self.parallel(tasks)) as outs:
            for key, folds in zip(keys, zip(*[outs] * len(self.folds.splits))):
                seconds = time.monotonic() - self._begin
                record = {"genome": key, "seconds": seconds, "folds": list(folds)}
                self.checkpoint.append(record)
                yield record
            next(outs, None)

    def _keep(self, record):
        # in one step, which Ctrl-C cannot cut in two
        self._kept.append((self.space.decode(record["genome"]), record["folds"]))
        self.seconds = record["seconds"]
        scores = [self.score_of(fold["test_scores"]) for fold in record["folds"]]
        values = [_or_failed(np.mean(scores))]
        if self.folds.has_sizes:
            values.append(-_or_failed(-np.mean([fold[SIZE] for fold in record["folds"]])))
        return values

    @property
    def params(self):
        """Configurations in the order of evaluation."""
        return [params for params, _ in self._kept]

    @property
    def outs(self):
        """Scores and times, those of all folds of a configuration after one another."""
        return [fold for _, folds in self._kept for fold in folds]

    def sizes(self):
        """Return the mean number of parameters of each configuration."""
        return np.array([np.mean([fold[SIZE] for fold in folds]) for _, folds in self._kept])


def _or_failed(value):
    """Return a value within bounds, or the worst one where fits failed or diverged."""
    return FAILED if np.isnan(value) else float(np.clip(value, FAILED, BEST))
