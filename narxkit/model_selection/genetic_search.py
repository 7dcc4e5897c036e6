"""Genetic search over the parameters of any estimator, as a search of scikit-learn's kind."""

import time
from numbers import Integral, Real

import numpy as np
import pandas as pd
from joblib import Parallel
from sklearn.base import _fit_context, clone, is_classifier
from sklearn.model_selection import check_cv
from sklearn.model_selection._search import BaseSearchCV
from sklearn.model_selection._validation import (
    _insert_error_scores,
    _warn_or_raise_about_fit_failures,
)
from sklearn.utils import indexable
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_method_params

from narxkit._blas import one_blas_thread
from narxkit._words import counted
from narxkit.model_selection._checkpoint import Checkpoint, digest, without_addresses
from narxkit.model_selection._evaluation import SIZE, Evaluations, Folds
from narxkit.model_selection._evolution import (
    Evolution,
    SearchStop,
    first_front,
    make_toolbox,
    rank_by_score,
)
from narxkit.model_selection.search_space import Space, refuse_unknown
from narxkit.solvers import is_searching

__all__ = ["GeneticSearchCV"]

LOGBOOK = ("generation", "evaluations", "best", "mean", "spread")
OF_THE_RUN = (  # parameters that decide which configurations are evaluated, and how
    "estimator",
    "param_space",
    "scoring",
    "cv",
    "population_size",
    "crossover_probability",
    "mutation_probability",
    "tournament_size",
    "elitism",
    "objectives",
    "warm_start_configs",
    "error_score",
    "return_train_score",
)


class GeneticSearchCV(BaseSearchCV):
    """Genetic search over the parameters of an estimator, scored by cross-validation.

    A population of configurations evolves: the better ones are crossed and mutated, and the most
    promising of what comes of it, by a Gaussian process of what is known, are fitted and scored on
    the folds. It suits large spaces of mixed kinds: sets of lags, sizes, penalties, choices. No
    configuration is evaluated twice. All draws come from `random_state`, and the same
    configurations are evaluated for any `n_jobs` and backend.

    Parameters
    ----------
    estimator : estimator
        Any estimator of scikit-learn's kind; it is cloned.
    param_space : dict
        Parameters and what they may be: `Categorical`, `Integer`, `Continuous` or `Subset`, or a
        dict with them where a parameter is a dict, as lags by column are: ``{"input_lags":
        {"temp_air": Subset([0, 1, 24])}}``. ``step__parameter`` reaches into pipelines.
    scoring : str, callable, list, tuple or dict, default=None
        As in GridSearchCV. Of several metrics the one that `refit` names is searched by, or else
        the first.
    cv : int, cross-validation generator or iterable, default=None
        As in GridSearchCV; rows are split once, for all configurations alike.
    population_size : int, default=50
        Configurations of a generation.
    generations : int, default=10
        Generations, the first one included: `population_size` times so many configurations are
        evaluated at most, unless `warm_start_configs` are more than the population.
    crossover_probability : float, default=0.8
        Probability that a child has several parents, rather than one.
    mutation_probability : float, default=0.1
        Probability that a number, a choice or a candidate of a subset mutates. Children that are
        known already mutate until they are not.
    tournament_size : int, default=3
        Individuals of which the best becomes a parent.
    elitism : bool, default=True
        Whether parents compete with their children for the next generation; if not, it is made of
        the children.
    keep_top_k : int, default=1
        Configurations in `hof_`.
    objectives : "score" or ("score", "n_params_"), default="score"
        The second asks for a front of the score against the number of parameters of the fitted
        estimator, by NSGA-II.
    warm_start_configs : list of dict, default=None
        Configurations of the first generation, such as ``best_params_`` of another search; all of
        them are evaluated.
    patience : int, default=None
        Generations without a better score after which the search ends.
    time_limit : float, default=None
        Seconds after which no generation begins, those before a checkpoint included.
    threshold : float, default=None
        Score at which the search ends.
    checkpoint : str or path, default=None
        File that keeps the search: one that was killed and is started again goes on from there,
        and ends with the same result, bit for bit, where fits of a configuration are
        repeatable (the estimator's own ``random_state`` is an int). More `generations` go on, too.
        A file of another problem is refused, but functions are known by their names alone: delete
        the file where the body of a scorer or of a loss changes.
        The file is JSON and runs nothing when it is read; the one before it is kept as
        ``<file>.bak``.
    refit : bool, str or callable, default=True
        As in GridSearchCV.
    n_jobs : int, default=None
        Fits at a time, by joblib's current backend.
    pre_dispatch : int or str, default="2*n_jobs"
        Fits that are handed out at a time.
    error_score : "raise" or numeric, default=np.nan
        Score of a fit that failed.
    return_train_score : bool, default=False
        Whether ``cv_results_`` has scores of the training rows.
    random_state : int, RandomState instance or None, default=None
        Where all draws come from; NumPy's and Python's global generators are left alone.
    verbose : int, default=0
        1 writes a line per generation to stderr, more what GridSearchCV prints of each fit.
    callback : callable, default=None
        ``callback(generation)`` is called with the row of `logbook_`, a dict; True ends the search.

    Attributes
    ----------
    cv_results_ : dict of ndarray
        As of GridSearchCV, a row for each configuration in the order of evaluation; with two
        objectives also ``n_params_``, the mean over the folds.
    best_estimator_ : estimator
        Fitted to all rows with the best parameters, if `refit`.
    best_params_ : dict
        The configuration of the best score.
    best_score_ : float
        Its mean over the folds.
    best_index_ : int
        Its row in ``cv_results_``.
    hof_ : list of dict
        The `keep_top_k` best configurations, the best first.
    pareto_front_ : DataFrame
        Columns score, n_params_ and params, from the smallest to the largest: configurations that
        no other one beats in both. Only with two objectives.
    logbook_ : DataFrame
        A row per generation: configurations evaluated in it, and the best, the mean and the spread
        (standard deviation) of the scores of the population after it, of those that are finite.
    stop_ : SearchStop
        Why the search ended; ``str(stop_)`` is a sentence.
    scorer_ : callable or dict
        What scored.
    n_splits_ : int
        Number of folds.
    refit_time_ : float
        Seconds of the last fit.
    multimetric_ : bool
        Whether there are several metrics.

    See Also
    --------
    Categorical, Integer, Continuous, Subset : What parameters may be.
    RollingOrigin : Folds in the order of time.
    ahead_scorer : Forecasts from every row of a fold.
    narxkit.plotting.ParetoDisplay : Draws the front.
    narxkit.plotting.TrainingDisplay : Draws the logbook.

    Notes
    -----
    Ctrl-C ends the search, not the program: the best configuration so far is fitted to all rows.
    Inside another search it raises, for a truncated search must not be scored as a whole one.

    Examples
    --------
    >>> from narxkit import NARX, Continuous, GeneticSearchCV, RollingOrigin, Subset, ahead_scorer
    >>> from narxkit.datasets import make_narendra
    >>> X, y = make_narendra(200, random_state=0)
    >>> search = GeneticSearchCV(
    ...     NARX(hidden_layer_sizes=(), random_state=0),
    ...     {
    ...         "output_lags": Subset([1, 2, 3], min=1),
    ...         "alpha": Continuous(1e-4, 10, distribution="log-uniform"),
    ...     },
    ...     scoring=ahead_scorer(steps=3),
    ...     cv=RollingOrigin(2, test_size=40),
    ...     population_size=4,
    ...     generations=2,
    ...     random_state=0,
    ... )
    >>> search.fit(X, y).logbook_["evaluations"].tolist()
    [4, 4]
    """

    _parameter_constraints: dict = {
        **BaseSearchCV._parameter_constraints,
        "param_space": "no_validation",  # read with sentences of its own
        "population_size": [Interval(Integral, 2, None, closed="left")],
        "generations": [Interval(Integral, 1, None, closed="left")],
        "crossover_probability": [Interval(Real, 0, 1, closed="both")],
        "mutation_probability": [Interval(Real, 0, 1, closed="both")],
        "tournament_size": [Interval(Integral, 1, None, closed="left")],
        "elitism": ["boolean"],
        "keep_top_k": [Interval(Integral, 1, None, closed="left")],
        "objectives": [StrOptions({"score"}), tuple, list],
        "warm_start_configs": [list, None],
        "patience": [Interval(Integral, 1, None, closed="left"), None],
        "time_limit": [Interval(Real, 0, None, closed="neither"), None],
        "threshold": [Real, None],
        "checkpoint": "no_validation",
        "random_state": ["random_state"],
        "callback": [callable, None],
    }

    def __init__(
        self,
        estimator,
        param_space,
        *,
        scoring=None,
        cv=None,
        population_size=50,
        generations=10,
        crossover_probability=0.8,
        mutation_probability=0.1,
        tournament_size=3,
        elitism=True,
        keep_top_k=1,
        objectives="score",
        warm_start_configs=None,
        patience=None,
        time_limit=None,
        threshold=None,
        checkpoint=None,
        refit=True,
        n_jobs=None,
        pre_dispatch="2*n_jobs",
        error_score=np.nan,
        return_train_score=False,
        random_state=None,
        verbose=0,
        callback=None,
    ):
        super().__init__(
            estimator=estimator,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.param_space = param_space
        self.population_size = population_size
        self.generations = generations
        self.crossover_probability = crossover_probability
        self.mutation_probability = mutation_probability
        self.tournament_size = tournament_size
        self.elitism = elitism
        self.keep_top_k = keep_top_k
        self.objectives = objectives
        self.warm_start_configs = warm_start_configs
        self.patience = patience
        self.time_limit = time_limit
        self.threshold = threshold
        self.checkpoint = checkpoint
        self.random_state = random_state
        self.callback = callback

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, **params):
        """Search, and fit the best configuration to all rows.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Inputs; without any, a frame that has an index and no columns.
        y : array-like of shape (n,) or (n, n_outputs), default=None
            Outputs.
        **params : dict of str to object
            Passed to ``fit`` of the estimator, the scorer and the splitter, as by GridSearchCV.

        Returns
        -------
        GeneticSearchCV
            The search itself.

        Raises
        ------
        ValueError
            When X is None, when the space is empty or names a parameter that the estimator lacks,
            when all fits of the first generation fail, or when the checkpoint is of another
            problem.
        """
        space, given = self._read_space()
        folds, fit_params = self._make_folds(X, y, params)
        rng = _make_generator(self.random_state)
        checkpoint = Checkpoint(self.checkpoint, self._problem(folds, params), rng)
        evolution, found = self._make_evolution(space, folds, checkpoint, rng)
        with found.parallel:
            logbook, stop = self._evolve(evolution, found, given)
        checkpoint.save()
        self._keep(evolution, found)
        self.logbook_, self.stop_ = pd.DataFrame(logbook, columns=LOGBOOK), stop
        if self.refit:
            self._refit(folds, fit_params)
        return self

    def _read_space(self):
        """Return the space, and genomes of given configurations."""
        space = Space(self.param_space)
        refuse_unknown(self.param_space, self.estimator)
        if self._objectives not in (("score",), ("score", SIZE)):
            raise ValueError(
                f"objectives must be 'score' or ('score', 'n_params_'). Got {self.objectives!r} "
                "instead."
            )
        given = enumerate(self.warm_start_configs or [])
        return space, [space.encode(params, f"warm_start_configs[{i}]") for i, params in given]

    @property
    def _objectives(self):
        return (self.objectives,) if isinstance(self.objectives, str) else tuple(self.objectives)

    def _make_folds(self, X, y, params):
        """Return what evaluates a configuration, and the arguments of ``fit``."""
        if X is None:
            raise ValueError(
                "X is None, which scikit-learn cannot split into folds: give a frame without "
                "columns, pd.DataFrame(index=y.index)."
            )
        scorer, _ = self._get_scorers()
        X, y = indexable(X, y)
        routed = self._get_routed_params_for_fit(_check_method_params(X, params=params))
        splitter = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        n_splits = splitter.get_n_splits(X, y, **routed.splitter.split)
        # once: a splitter that draws gives all configurations the same folds
        splits = list(splitter.split(X, y, **routed.splitter.split))
        if len(splits) != n_splits or not splits:
            raise ValueError(
                f"cv announces {counted(n_splits, 'fold')} and gives {len(splits)}: give a "
                "splitter that gives at least one, and as many as it announces."
            )
        options = {
            "scorer": scorer,
            "fit_params": routed.estimator.fit,
            "score_params": routed.scorer.score,
            "return_train_score": self.return_train_score,
            "error_score": self.error_score,
            "verbose": self.verbose,
        }
        has_sizes = SIZE in self._objectives
        folds = Folds(clone(self.estimator), X, y, splits, options, has_sizes)
        return folds, routed.estimator.fit

    def _problem(self, folds, params):
        """Describe what is evaluated, and in which order, so that another problem is refused."""
        if self.checkpoint is None:
            return {}
        seed = self.random_state
        return {
            **{name: without_addresses(getattr(self, name)) for name in OF_THE_RUN},
            "parameters of the estimator": without_addresses(self.estimator.get_params()),
            "metric": repr(self.refit if isinstance(self.refit, str) else None),
            # a generator has moved on when a program is started again; the file has its state
            "random_state": str(seed) if isinstance(seed, Integral) else type(seed).__name__,
            "choice of folds": digest(folds.splits),
            "X": digest(folds.X),
            "y": digest(folds.y),
            **{name: digest(value) for name, value in params.items()},
        }

    def _make_evolution(self, space, folds, checkpoint, rng):
        """Return the population, which is not evaluated yet, and what evaluates it."""
        parallel = Parallel(
            n_jobs=self.n_jobs, pre_dispatch=self.pre_dispatch, return_as="generator"
        )
        found = Evaluations(folds, space, checkpoint, parallel, self._searched_by)
        toolbox = make_toolbox(
            space,
            rng,
            weights=(1.0, -1.0)[: len(self._objectives)],
            rates=(self.crossover_probability, self.mutation_probability),
            tournament_size=self.tournament_size,
        )
        return Evolution(space, toolbox, rng, found, self.population_size, self.elitism), found

    def _searched_by(self, scores):
        """Return the score that is searched by, of a fold."""
        if not isinstance(scores, dict):
            return scores
        if callable(self.scoring):
            # only now it shows that it gives several metrics
            self._check_refit_for_multimetric(scores)
        return scores[self.refit] if isinstance(self.refit, str) else next(iter(scores.values()))

    def _evolve(self, evolution, found, given):
        """Let generations follow until something asks to stop; return logbook and reason."""
        logbook, stop = [], None
        try:
            while stop is None:
                if logbook:
                    evolution.advance()
                else:
                    evolution.begin(given)
                    self._refuse_failures(found)
                found.checkpoint.save()
                logbook.append(_log(evolution, len(logbook) + 1, logbook))
                stop = self._reason_to_stop(logbook, found.seconds)
                self._show(logbook[-1], len(evolution.archive))
        except KeyboardInterrupt:
            # another search would score this one, cut short, as whole
            if not evolution.archive or is_searching(apart_from="narxkit."):
                raise
            stop = SearchStop.INTERRUPTED
        return logbook, stop

    def _refuse_failures(self, found):
        """Raise where nothing can be fitted; single failures are told at the end."""
        if all(out["fit_error"] for out in found.outs):
            _warn_or_raise_about_fit_failures(found.outs, self.error_score)

    def _reason_to_stop(self, logbook, seconds):
        last, best = logbook[-1], [row["best"] for row in logbook]
        if self.callback is not None and self.callback(last):
            return SearchStop.CALLBACK
        if self.threshold is not None and last["best"] >= self.threshold:
            return SearchStop.THRESHOLD
        if len(logbook) >= self.generations:
            return SearchStop.GENERATIONS
        if last["evaluations"] == 0:
            return SearchStop.EXHAUSTED
        if self.patience is not None and len(best) - 1 - best.index(best[-1]) >= self.patience:
            return SearchStop.PATIENCE
        if self.time_limit is not None and seconds >= self.time_limit:
            return SearchStop.TIME
        return None

    def _show(self, row, n_configurations):
        if not self.verbose:
            return
        from rich.console import Console

        Console(stderr=True, highlight=False, soft_wrap=True).print(
            f"generation {row['generation']}/{self.generations}  "
            f"{counted(n_configurations, 'configuration')}  best {row['best']:.6g}  "
            f"mean {row['mean']:.6g}  spread {row['spread']:.3g}"
        )

    def _keep(self, evolution, found):
        """Set what BaseSearchCV sets, from the evaluations."""
        results = self._results(found)
        # those of an earlier search would stand beside the results of this one
        for name in ("best_estimator_", "best_score_", "pareto_front_"):
            vars(self).pop(name, None)
        self.multimetric_ = isinstance(found.outs[0]["test_scores"], dict)
        metric = self.refit if self.multimetric_ else "score"
        scorer = found.folds.options["scorer"]
        self.scorer_ = getattr(scorer, "_scorers", scorer)  # of several metrics a dict
        self.n_splits_ = len(found.folds.splits)
        if self.refit or not self.multimetric_:
            self.best_index_ = self._select_best_index(self.refit, metric, results)
            if not callable(self.refit):
                self.best_score_ = results[f"mean_test_{metric}"][self.best_index_]
            self.best_params_ = results["params"][self.best_index_]
        ranked = rank_by_score(evolution.archive.values())
        self.hof_ = [found.params[individual.row] for individual in ranked[: self.keep_top_k]]
        if found.folds.has_sizes:
            self.pareto_front_ = _front(evolution, found.params)
        self.cv_results_ = results

    def _results(self, found):
        if callable(self.scoring):
            _insert_error_scores(found.outs, self.error_score)
        _warn_or_raise_about_fit_failures(found.outs, self.error_score)
        sizes = {SIZE: found.sizes()} if found.folds.has_sizes else {}
        return self._format_results(found.params, len(found.folds.splits), found.outs, sizes)

    def _refit(self, folds, fit_params):
        # parameters may be estimators, which are not to be shared with the results
        best = clone(folds.estimator).set_params(**clone(self.best_params_, safe=False))
        begin = time.time()
        with one_blas_thread():
            best.fit(*((folds.X,) if folds.y is None else (folds.X, folds.y)), **fit_params)
        self.refit_time_ = time.time() - begin
        self.best_estimator_ = best
        if hasattr(best, "feature_names_in_"):
            self.feature_names_in_ = best.feature_names_in_


def _make_generator(random_state):
    """Return a generator that leaves the global ones alone."""
    if isinstance(random_state, np.random.RandomState):
        random_state = random_state.randint(2**31, size=4)
    return np.random.default_rng(random_state)


def _log(evolution, generation, logbook):
    """Return the row of a generation."""
    scores = np.array([individual.score for individual in evolution.population])
    scores = scores[~np.isnan(scores)]
    best, finite = scores.max() if len(scores) else np.nan, scores[np.isfinite(scores)]
    mean, spread = (finite.mean(), finite.std()) if len(finite) else (np.nan, np.nan)
    if logbook:
        # without elitism the best may be lost to the population
        best = np.fmax(best, logbook[-1]["best"])
    n_new = len(evolution.archive) - sum(row["evaluations"] for row in logbook)
    return dict(zip(LOGBOOK, (generation, n_new, float(best), float(mean), float(spread))))


def _front(evolution, params):
    """Return the configurations that no other one dominates, the smallest first."""
    front = [one for one in first_front(evolution.archive.values()) if not np.isnan(one.score)]
    front = pd.DataFrame(
        {
            "score": [individual.score for individual in front],
            SIZE: [individual.fitness.values[1] for individual in front],
            "params": [params[individual.row] for individual in front],
        }
    )
    return front.drop_duplicates(["score", SIZE]).sort_values(SIZE, ignore_index=True)
