"""NARX and TDNN: multilayer perceptrons over lagged values, trained by any solver."""

from dataclasses import asdict
from functools import partial

import numpy as np
from joblib import Parallel, delayed
from sklearn.utils import check_random_state

from narxkit._alive import effective_params, life
from narxkit._blas import one_blas_thread
from narxkit._linear import count_targets, name_scarcest
from narxkit._penalty import EXACT, OFF, Noise, Runs, Search, make_blocks
from narxkit._penalty import start as begin
from narxkit._validation import Integral, Interval, Real, StrOptions
from narxkit._warn import warn
from narxkit.networks import ACTIVATIONS, TappedMLP
from narxkit.objective import Objective
from narxkit.solvers import (
    SOLVERS,
    BayesianRegularisation,
    Monitor,
    Solver,
    Stop,
    interruptible,
    make_solver,
)
from narxkit.tapped import TappedForecaster, count_dropped
from narxkit.taps import is_count, make_taps
from narxkit.training import Lesson, n_steps, read_loops, train

SHORTEST, FEWEST_ROWS = 20, 5  # steps or rows that choose penalties, or two spans of the lags
FIRST_GUESS = 1e-4  # of a penalty that Bayesian regularisation then finds
BRIEF = 10  # stages on the way take a tenth of max_iter, at most
ROUGH = 1e-3  # their tol
QUICK_TO_SOLVE = 1000  # parameters, with which Levenberg-Marquardt chooses for other solvers too
ENOUGH_TO_CHOOSE = 50  # iterations, to tell penalties apart
LARGEST_ARRAY = 4e9  # bytes: 22,000 parameters of which J'J is built
CHOOSING = "choosing penalties: "
GROWTH = 1.01  # of a perturbation per step; below it may be that of a unit root or of few rows


class _TappedNetwork(TappedForecaster):
    """What NARX and TDNN share: training."""

    _parameter_constraints: dict = {
        "hidden_layer_sizes": ["array-like", Interval(Integral, 0, None, closed="left")],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "linear_term": ["boolean"],
        "scale": ["boolean"],
        "solver": [StrOptions(set(SOLVERS)), Solver],
        "alpha": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"})],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "n_restarts": [Interval(Integral, 1, None, closed="left")],
        "combine": [StrOptions({"best", "mean", "median"})],
        "n_members": [None, Interval(Integral, 1, None, closed="left")],
        "warm_start": ["boolean"],
        "random_state": ["random_state"],
        "n_jobs": [
            None,
            Interval(Integral, None, -1, closed="right"),
            Interval(Integral, 1, None, closed="left"),
        ],
        "verbose": ["verbose"],
        "callback": [None, callable],
    }
    _loop = "open"
    _washout = 0
    _linear_alpha = 0.0

    def _train(self, segments, weight):
        self._check_members()
        held_out = segments.last_block(self.validation_fraction if self.early_stopping else 0.0)
        training = ~held_out
        network = self._network()
        start = self._warm_start(network)
        if start is None:
            self._fit_scale(segments, training & (weight > 0), self.scale)
        flag = np.zeros(1, dtype=np.int32)
        make = partial(
            Objective, segments=self._scale.apply(segments), sample_weight=weight, flag=flag
        )
        loops = read_loops(self._loop) if network.taps.output_lags else ("open",)
        lesson = Lesson(make, network, training, held_out, loops, self._washout)
        self.n_dropped_ = self._count_dropped(segments, weight, lesson.objective("open"), held_out)
        self._check_rollouts(lesson)
        with one_blas_thread(), interruptible(flag):
            try:
                results, *alphas = self._learn(lesson, start, flag)
            finally:
                flag[0] = 1  # after an error in one restart, the others end too
            results.sort(key=lambda trained: trained.rank)
            self._keep(network, results, *alphas)
            self._look_inside(lesson)
        self._warn_of_training(loops[-1])

    def _check_members(self):
        if self.n_members is not None and self.n_members > self.n_restarts:
            raise ValueError(
                f"n_members={self.n_members} are more than n_restarts={self.n_restarts} can give: "
                "give a larger n_restarts or a smaller n_members."
            )

    def _check_rollouts(self, lesson):
        loop = lesson.wanted
        training, validation = lesson.objective(loop), lesson.held_out(loop)
        if not training.size and self._washout and training.longest:
            raise ValueError(
                f"washout={self._washout} leaves no residual: the longest rollout of loop={loop!r} "
                f"has {training.longest} steps, and none has a measured target with a weight "
                "behind the washout: give a smaller washout or longer segments."
            )
        if not training.size:
            raise ValueError(
                f"no rollout can begin: loop={loop!r} needs rows with {self._taps.max_output_lag} "
                "rows of history without missing outputs: give a longer series, smaller lags or "
                "loop='open'."
            )
        if validation is not None and not validation.size:
            raise ValueError(
                f"the last {self.validation_fraction:.0%} of each segment, held out for early "
                "stopping, hold no row with its history, a measured target and a weight"
                f"{f' behind the washout of {self._washout} steps' if self._washout else ''}: give "
                "a larger validation_fraction or a longer series."
            )

    def _network(self):
        sizes = self.hidden_layer_sizes
        sizes = tuple(sizes) if np.iterable(sizes) else (sizes,)
        if not all(map(is_count, sizes)):
            raise ValueError(
                f"hidden_layer_sizes must hold ints >= 1. Got {self.hidden_layer_sizes!r} instead."
            )
        network = TappedMLP(self._taps, tuple(map(int, sizes)), self.activation, self.linear_term)
        self._check_memory(network.n_params)
        return network

    def _check_memory(self, n_params):
        """Refuse what no memory holds: J'J, where the solver builds it, or the parameters."""
        what, size, remedy = "they", 8 * n_params, "smaller layers"
        if self._builds_JtJ:
            what, size = "J'J", 8 * n_params**2
            remedy = "smaller layers, or a solver without J'J such as 'lbfgs' or 'adam'"
        if size > LARGEST_ARRAY:
            raise ValueError(
                f"hidden_layer_sizes={self.hidden_layer_sizes!r} make {n_params:,} parameters, and "
                f"{what} would take {size / 1e9:,.1f} GB of memory, where at most "
                f"{LARGEST_ARRAY / 1e9:.0f} are allowed: give {remedy}."
            )

    @property
    def _builds_JtJ(self):
        return "normal_equations" in make_solver(self.solver).requires

    @property
    def _finds_penalties(self):
        return isinstance(make_solver(self.solver), BayesianRegularisation)

    def _warm_start(self, network):
        """The parameters to go on from, or None."""
        if not self.warm_start or not hasattr(self, "theta_"):
            return None
        if network != self.structure_:
            was, now = _parts(self.structure_), _parts(network)
            changes = [f"{k} from {was[k]!r} to {now[k]!r}" for k in was if was[k] != now[k]]
            raise ValueError(
                "warm_start=True goes on from the fitted network, but this is another one, with "
                f"{' and '.join(changes)}: keep what it had or fit a new model."
            )
        is_off = self.alpha_ == OFF != self.alpha  # there is no network to go on from
        return None if is_off else self.theta_

    def _count_dropped(self, segments, weight, objective, held_out):
        """Rows that had the history but were lost to missing values; warn once."""
        candidates = segments.reachable(self._taps) & (weight > 0) & ~held_out
        if not candidates.any():
            raise ValueError(
                "no row is left to train on: those with enough history are held out "
                f"(validation_fraction={self.validation_fraction}) or have no weight."
            )
        n_targets = count_targets(objective)
        if n_targets.min() < 2:
            raise ValueError(
                f"{n_targets.min()} of {candidates.sum()} rows can be trained on"
                f"{name_scarcest(self._layout.outputs, n_targets)}, the others have "
                "missing values (NaN) in their taps or targets, or no weight: at least 2 are "
                "needed; give smaller lags or fill the gaps."
            )
        return count_dropped(int(candidates.sum()), len(objective.rows))

    def _learn(self, lesson, start, flag):
        """Train under the penalties given, or else under those that the training rows choose.

        What is trained under a penalty that was chosen has to hold: where its free runs are worse
        than those of its linear start, a stronger one follows.
        """
        seeds = check_random_state(self.random_state).randint(2**31, size=int(self.n_restarts))
        network, steps = lesson.network, self._judged_steps(lesson.network.taps)
        given, noises = self._given_alpha(network, start), self._noises(network, start)
        chooses = given is None or len(noises) > 1
        blocks = make_blocks(lesson, steps) if chooses else ()
        search = Search(blocks, seeds[0], self._brief_solver(network.n_params, flag), flag)
        choice = search.choose(noises, search.linear if given is not None else search.network)
        open_loop = lesson.objective("open")
        (linear,), unit = begin(open_loop, choice.noise, seeds[:1])

        def train(alpha, variance):
            alphas = alpha, choice.noise.penalty(open_loop, variance)
            penalised = lesson.penalised(*alphas)
            return self._train_restarts(penalised, choice.noise, seeds, start, flag), *alphas

        if given is not None:
            return train(given, unit)
        left = choice.share * unit
        if not network.holds_linear_model:
            return train((choice.strength if choice.is_on else 1.0) * left, left)
        runs = Runs(lesson, lesson.last_rows(1.0), steps)
        bound = runs.errors(linear).mean()
        for stronger in (choice.strength, 10.0 * choice.strength) if choice.is_on else ():
            results, *alphas = train(stronger * left, left)
            best = min(results, key=lambda trained: trained.rank).theta
            was_stopped = flag[0] or any(one.result.stop is Stop.CALLBACK for one in results)
            if was_stopped or runs.errors(best).mean() <= bound:
                return results, *alphas
        return train(OFF, unit)

    @staticmethod
    def _judged_steps(taps):
        """Steps of the free runs that choose; without feedback, rows that are judged together."""
        return max(2 * taps.max_lag, SHORTEST if taps.output_lags else FEWEST_ROWS)

    def _given_alpha(self, network, start):
        """The penalty, where it is not for the training rows to choose; None where it is."""
        if self.alpha != "auto":
            return float(self.alpha)
        if not network.hidden_layer_sizes:
            return 0.0
        if self._finds_penalties:
            return FIRST_GUESS
        return None if start is None else self.alpha_

    def _noises(self, network, start):
        """What the outputs may carry that are fed back; one, where there is nothing to choose."""
        if self._linear_alpha != "auto":
            return (Noise(alpha=float(self._linear_alpha)),)
        if self._finds_penalties or not network.linear_feedback.any():
            return (EXACT,)
        return (Noise(), EXACT) if start is None else (Noise(alpha=self.linear_alpha_),)

    def _brief_solver(self, n_params, flag):
        """Solve well enough to rank penalties, which are the network's and not its solver's."""
        solver = make_solver("lm" if n_params <= QUICK_TO_SOLVE else self.solver)

        def solve(objective, theta):
            n_iter = min(self.max_iter, ENOUGH_TO_CHOOSE)
            monitor = Monitor(n_iter, self.tol, verbose=self.verbose, flag=flag, title=CHOOSING)
            return solver.solve(objective, theta, monitor, np.random.default_rng(0)).theta

        return solve

    def _train_restarts(self, lesson, noise, seeds, start, flag):
        """One training for each restart, in threads; without a network, of its linear part."""
        if lesson.alphas[0] == OFF:
            return [self._train_linear_part(lesson, noise, flag)]
        starts, _ = begin(lesson.objective("open"), noise, seeds)
        generators = [np.random.default_rng(seed) for seed in seeds]
        first = "open"
        if start is not None:
            starts[0] = start
            first = lesson.wanted if lesson.objective(lesson.wanted).is_smooth(start) else "open"

        def train_one(theta, rng):
            begin_with = first if theta is start else "open"
            solve = self._solver(rng, flag)
            return train(lesson, theta, solve, begin_with, _reviver(lesson.network, theta))

        return Parallel(self.n_jobs, require="sharedmem")(
            delayed(train_one)(theta, rng) for theta, rng in zip(starts, generators)
        )

    def _train_linear_part(self, lesson, noise, flag):
        """Train the linear model that a network stands beside, as it would be trained itself."""
        network, lesson = lesson.network, lesson.of_linear_part()
        (theta,), _ = begin(lesson.objective("open"), noise, [0])
        trained = train(lesson, theta, self._solver(np.random.default_rng(0), flag))
        whole = network.with_linear(np.zeros(network.n_params), trained.theta)
        return trained._replace(theta=whole)

    def _solver(self, rng, flag):
        """Solve one stage of a training."""
        solver = make_solver(self.solver)

        def solve(objective, theta, validate, is_brief):
            monitor = Monitor(
                max_iter=-(-self.max_iter // BRIEF) if is_brief else self.max_iter,
                tol=max(self.tol, ROUGH) if is_brief else self.tol,
                n_iter_no_change=self.n_iter_no_change,
                validate=validate,
                callback=self.callback,
                verbose=self.verbose,
                flag=flag,
            )
            return solver.solve(objective, theta, monitor, rng)

        return solve

    def _keep(self, network, results, alpha, linear_alpha):
        trained, result = results[0], results[0].result
        stable = [trained for trained in results if np.isfinite(trained.rank)] or results[:1]
        self.members_ = [trained.theta for trained in stable[: self.n_members]]
        self.structure_ = network
        self.alpha_, self.linear_alpha_ = float(alpha), float(linear_alpha)
        if result.penalty is not None:
            self.alpha_ = float(result.penalty[network.groups["weights"]].max(initial=0.0))
            self.linear_alpha_ = float(result.penalty[network.linear_feedback].max(initial=0.0))
        self.theta_ = trained.theta
        self.loss_ = result.loss
        self.loss_curve_ = result.loss_curve
        self.validation_curve_ = result.validation_curve
        is_stalled = result.stop is Stop.STALLED  # one step was tried, at least
        self.n_iter_ = max(result.n_iter, int(is_stalled))
        was_interrupted = any(other.result.stop is Stop.INTERRUPTED for other in results)
        self.stop_ = Stop.INTERRUPTED if was_interrupted else result.stop
        self.n_effective_params_ = result.n_effective_params
        self.n_params_ = network.n_params
        self.loop_ = trained.stages

    def _look_inside(self, lesson):
        """What of the networks that predict lives, and whether their loops forget."""
        alpha = 0.0 if self.alpha_ == OFF else self.alpha_
        last = lesson.penalised(alpha, self.linear_alpha_).objective(self.loop_[-1].loop)
        objective = last.without_flag()
        lives = [life(objective, theta) for theta in self._thetas]
        self.hidden_share_ = max(one.share for one in lives)
        self.is_linear_ = all(one.is_over for one in lives)
        if self.n_effective_params_ is None and self._builds_JtJ:
            self.n_effective_params_ = effective_params(objective, self.theta_)
        self.loop_gain_ = max(objective.loop_gain(theta) for theta in self._thetas)

    def _warn_of_training(self, loop):
        """At most one warning: of what broke training off, or else of what it ended with."""
        last = self.loop_[-1].loop
        if self.stop_ is Stop.INTERRUPTED:
            ending = "" if last == loop else f", before any of loop={loop!r}"
            warn(
                f"fit: {self.stop_} They are those after {self.n_iter_} of at most {self.max_iter} "
                f"iterations of loop={last!r}{ending}. A second Ctrl-C during a fit breaks it off, "
                "and a loop of fits ends where the next one begins.",
                RuntimeWarning,
            )
        elif last != loop and self.stop_ is not Stop.CALLBACK:
            warn(
                f"training ended with loop={last!r}: longer rollouts diverge, so that "
                f"loop={loop!r} had no loss to reduce. Try a larger alpha, fewer hidden units or "
                "an output_range.",
                RuntimeWarning,
            )
        elif self.loop_gain_ > GROWTH:
            smaller = "a larger alpha, longer rollouts (loop=k), fewer hidden units"
            linear = "fewer lags, a larger linear_alpha"
            warn(
                f"loop_gain_ is {self.loop_gain_:.3g}: a small error of the output that is fed "
                "back grows by this factor with each step. "
                f"{'A growing series' if self.is_linear_ else 'A chaotic system'} does that; for "
                f"any other try {linear if self.is_linear_ else smaller} or an output_range.",
                RuntimeWarning,
            )
        elif self._was_switched_off_by_alpha():
            warn(
                f"with alpha={self.alpha:g} nothing passes the hidden layers: what is left is a "
                "linear model. Give a smaller alpha, or alpha='auto', which chooses one from the "
                "training rows."
            )

    def _was_switched_off_by_alpha(self):
        """Whether the user's own penalty, and nothing else, leaves a linear model."""
        could_bend = self.structure_.hidden_layer_sizes and self.activation != "identity"
        is_own = 0 < self.alpha_ == self.alpha  # no "auto", nor what "br" found
        return self.is_linear_ and could_bend and is_own and self.stop_ is not Stop.CALLBACK


def _parts(network):
    """What makes two networks differ, by name."""
    parts = asdict(network)
    return {**parts.pop("taps"), **parts}


def _reviver(network, start):
    """Gives hidden units back to a network that has lost them.

    Under a penalty that suits rollouts, one step ahead the linear term can be all that is worth its
    weight. The hidden units are then gone, on a saddle that training leaves by rounding alone; so
    they begin anew as they did at the start, with no weight at the output.
    """
    hidden = np.zeros(network.n_params, dtype=bool)
    weights = network.unpack(hidden)
    for layer in (*weights.coefs[:-1], *weights.intercepts[:-1]):
        layer[:] = True

    def revive(theta):
        return np.where(hidden, start, theta) if network.is_linear(theta) else theta

    return revive


class NARX(_TappedNetwork):
    r"""Nonlinear autoregressive network with exogenous inputs.

    .. math::

        \hat y_t = f(y_{t-1}, \dots, y_{t-K}, u_t, \dots, u_{t-L}; \theta)

    with f a multilayer perceptron, by default beside a linear term. Predictions feed back the
    network's own output (closed loop, parallel). Training minimises the squared error of one-step
    predictions from measured history (open loop, series-parallel), or of rollouts of k steps or as
    long as the data allow on its own output: what is trained is then what is deployed.

    Parameters
    ----------
    input_lags : int, sequence of int or dict, default=2
        L means lags 0..L; a sequence means exactly those lags, negative ones are leads. A dict
        gives each column of X its own (``[]`` leaves one out).
    output_lags : int or sequence of int, default=2
        K means lags 1..K; a sequence means exactly those lags.
    hidden_layer_sizes : array-like of int, default=(10,)
        Widths of the hidden layers; ``()`` gives a linear model.
    activation : {"identity", "tanh", "logistic", "relu", "softplus"}, default="tanh"
        Activation of the hidden layers.
    loop : {"open", "closed"}, int or a sequence of them, default="open"
        Rollout length that training minimises: one step from measured history, as long as the data
        allow, or k steps from every few rows (7 for k = 24). Training over longer rollouts begins
        in open loop and goes on from there; a sequence such as (5, 20, "closed") names stages on
        the way, the last is what is wanted.
    washout : int, default=0
        First steps of each rollout that are run and have no weight in the loss, of training rows
        and of held-out ones: what noise in the measured history does to them is not for the
        weights to mend. Less than k; shorter rollouts on the way to longer ones have none. In open
        loop, where all of the history is measured, it means nothing; in closed loop rollouts that
        are no longer are left out.
    linear_term : bool, default=True
        A direct path from the taps to the output, started from the least-squares ARX fit: the
        network learns what the linear model misses, and extrapolates like it.
    output_range : tuple (low, high), default=None
        Bounds of the output in y's units, each a number (one per output), a column name of X
        (an input only if a dict `input_lags` names it) or None. Outputs are clipped, in the loop
        as well.
    scale : bool, default=True
        Whether X is standardised inside; y always is.
    solver : str or Solver, default="lm"
        Training algorithm: "lm" (Levenberg-Marquardt), "br" (the same with Bayesian
        regularisation, which finds the penalty itself), "lbfgs", "tnc" (truncated Newton), "cg"
        (conjugate gradients), "irprop+", "adam", "rmsprop", "sgd"; or an object of
        `narxkit.solvers` with parameters of its own.
    alpha : float or "auto", default="auto"
        L2 penalty of the weights w of the layers: the loss is
        :math:`(SSE + \alpha |w|^2 + \alpha_v |v|^2) / (2 n)` in standardised units, with v and
        :math:`\alpha_v` of `linear_alpha`; intercepts and all else of the linear term are free.
        "auto" tries penalties on blocks at the end of the training rows, and switches the network
        off where it does no better there, beyond chance, than the linear model that it stands
        beside. Without a linear term nothing can be switched off: the penalty is then the error
        variance, where no other does better. Bayesian regularisation finds its penalties by itself,
        and begins with those given.
    linear_alpha : "auto" or float, default="auto"
        L2 penalty of the weights that lead the outputs fed back straight to the outputs, with
        hidden layers beside them and without. "auto" takes the larger of :math:`10 \sigma^2`, with
        :math:`\sigma^2` the variance of the errors of one step (of the linear model, or what a
        network that was chosen leaves of it), and what n targets cost that are read with such
        errors (at most of variance 1e-4), :math:`n \sigma^2`, since in a free run they are; and 0
        where free runs through blocks of the training rows are better without, by more than chance.
    max_iter : int, default=200
        Largest number of iterations.
    tol : float, default=1e-7
        Training ends when the loss decreases by less than this fraction three times running.
    early_stopping : bool, default=False
        Whether the last `validation_fraction` of each segment is held out, and training ends
        when its loss has not improved for `n_iter_no_change` iterations; the best weights are
        kept.
    validation_fraction : float, default=0.1
        Part of each segment that is held out.
    n_iter_no_change : int, default=10
        Patience of early stopping.
    n_restarts : int, default=1
        Trainings from different initial weights; the best by held-out loss, or else by training
        loss, is kept.
    combine : {"best", "mean", "median"}, default="best"
        What predicts: the best restart, or the mean or median, step by step, of the best
        `n_members` of them, each running on its own output.
    n_members : int or None, default=None
        Restarts that are combined, at most `n_restarts`; by default all.
    warm_start : bool, default=False
        Whether ``fit`` goes on from the weights of the last fit, with its scales and penalties;
        where the network was switched off, everything begins anew.
    random_state : int, RandomState or None, default=None
        Seed of the initial weights.
    n_jobs : int or None, default=None
        Threads for restarts; the result does not depend on it.
    verbose : bool or int, default=False
        Whether to show a progress line.
    callback : callable, default=None
        ``callback(iteration)`` is called after each iteration with one `narxkit.solvers.Iteration`
        (fields ``n_iter``, ``loss``, ``validation_loss``, ``theta``); True ends training.

    Attributes
    ----------
    theta_ : ndarray of shape (n_params_,)
        Parameters, in standardised units.
    structure_ : TappedMLP
        What explains them.
    members_ : list of ndarray of shape (n_params_,)
        Parameters of the best `n_members` restarts, the best first, without those that diverge.
    coefs_, intercepts_ : list of ndarray
        Weights and intercepts of each layer.
    linear_coef_ : ndarray of shape (n_taps, n_outputs) or None
        Weights of the linear term.
    n_params_ : int
        Number of parameters.
    max_lag_ : int
        Rows of history that a prediction needs.
    loop_ : list of Stage
        Stages of training, each with its rollout length, loss and iterations.
    loss_ : float
        Loss at the end of the last stage.
    loss_curve_ : list of float
        Loss at the start and after each iteration of the last stage.
    validation_curve_ : list of float or None
        Held-out loss likewise.
    n_iter_ : int
        Iterations done.
    stop_ : Stop
        Why training ended.
    alpha_ : float
        The penalty taken: as given, chosen, or found by "br"; inf where ``alpha="auto"`` switched
        the network off: what is left is the model of ``hidden_layer_sizes=()``.
    linear_alpha_ : float
        The penalty of the linear feedback taken.
    hidden_share_ : float
        Share of the variance of the output, along the training rollouts, that passes the hidden
        layers and no linear function of the taps gives; of several members or outputs the largest.
    is_linear_ : bool
        Whether nothing passes the hidden layers: a share of at most 1e-12, which rounding leaves.
        Where a penalty given does that, fit warns.
    n_effective_params_ : float or None
        Parameters that the data determine and the penalty does not; None for solvers that build no
        normal equations.
    loop_gain_ : float
        The largest growth per step of a small perturbation of the fed-back output along the
        training rollouts, with a warning from 1.01 on; see Notes.
    n_dropped_ : int
        Rows left out of training because of missing values.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, when X has any.

    See Also
    --------
    TDNN : The same without feedback.
    narxkit.model_selection.backtest : Forecasts from many origins.
    narxkit.model_selection.simulation_scorer : A score with a washout of the same meaning.

    Notes
    -----
    Clock. A DatetimeIndex or PeriodIndex, of X or else of y, tells which row follows which: a jump
    of it ends a segment that no lag crosses, and ``predict`` refuses rows that do not follow the
    last one seen. A ``freq`` says exactly which row follows. Time zones and daylight saving are
    understood; weekends and holidays of trading days, and the nights of trading and working hours,
    are no jump. Dates in an index of another kind (objects, Arrow, text of ISO 8601) and elapsed
    times are a clock too. Rows without a clock are taken to follow, and plain numbers must be in
    order; labels of X, y, weights and segments must agree.

    Missing values (NaN). In training a missing output costs its own row as a target and, like a
    missing input, the rows that need it (`n_dropped_`). Before a forecast a missing output is
    replaced by the model's one-step prediction; a missing input gives NaN from there on.

    Several series. A MultiIndex (series, time) holds one series under each key; each has its own
    clock and state. Several recordings of one system may also be told apart by `segments`.

    Known ahead. Every column of X counts as known for all rows it is asked for. One that is not
    needs lags of at least the number of steps, or belongs into y.

    Stability. A small perturbation d of the last K outputs follows the tangent of the loop,

    .. math::

        d_t = \sum_k \frac{\partial \hat y_t}{\partial y_{t-k}} \, d_{t-k}, \qquad
        g = \Big( \frac{\lVert (d_n, \dots, d_{n-K+1}) \rVert}
        {\lVert (d_0, \dots, d_{1-K}) \rVert} \Big)^{1/n}

    in standardised units, along the rollouts of the last stage of training one after another; in
    open loop along the measured rows. `loop_gain_` is the largest g over the segments (those of
    less than 1000 steps are joined) and over the members that predict: the exponential of the
    largest Lyapunov exponent, for a linear model the modulus of its largest pole. Below 1 an error
    is forgotten; above 1 it grows until the network bends it back or the rollout diverges, which
    only a chaotic system should do. Where `output_range` clips all K outputs nothing is left of a
    perturbation, and the gain is 0. Below 1.01 fit is silent: there a unit root and chance lie.

    Pipelines. Inputs and outputs are standardised inside, so that no scaler is needed; one that
    is there needs ``set_output(transform="pandas")`` to keep names and clock. ``backtest`` takes
    whole pipelines, ``forecast`` the transformed X: ``p[-1].forecast(X=p[:-1].transform(X))``.

    References
    ----------
    Lin, Horne, Tino and Giles 1996, "Learning long-term dependencies in NARX recurrent neural
    networks", IEEE Transactions on Neural Networks 7, 1329-1338. Narendra and Parthasarathy 1990,
    IEEE Transactions on Neural Networks 1, 4-27.

    Examples
    --------
    >>> from narxkit import NARX
    >>> from narxkit.datasets import make_narendra
    >>> X, y = make_narendra(600, random_state=0)
    >>> model = NARX(input_lags=[1], output_lags=1, random_state=0).fit(X[:500], y[:500])
    >>> bool(abs(model.predict(X[500:]) - y[500:]).max() < 0.05)
    True
    """

    _parameter_constraints: dict = {
        "input_lags": "no_validation",
        "output_lags": "no_validation",
        "loop": "no_validation",
        "washout": [Interval(Integral, 0, None, closed="left")],
        "linear_alpha": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"})],
        "output_range": "no_validation",
        **_TappedNetwork._parameter_constraints,
    }

    def __init__(
        self,
        input_lags=2,
        output_lags=2,
        hidden_layer_sizes=(10,),
        activation="tanh",
        loop="open",
        washout=0,
        linear_term=True,
        output_range=None,
        scale=True,
        solver="lm",
        alpha="auto",
        linear_alpha="auto",
        max_iter=200,
        tol=1e-7,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        n_restarts=1,
        combine="best",
        n_members=None,
        warm_start=False,
        random_state=None,
        n_jobs=None,
        verbose=False,
        callback=None,
    ):
        self.input_lags = input_lags
        self.output_lags = output_lags
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.loop = loop
        self.washout = washout
        self.linear_term = linear_term
        self.output_range = output_range
        self.scale = scale
        self.solver = solver
        self.alpha = alpha
        self.linear_alpha = linear_alpha
        self.max_iter = max_iter
        self.tol = tol
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.n_restarts = n_restarts
        self.combine = combine
        self.n_members = n_members
        self.warm_start = warm_start
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.callback = callback

    @property
    def _loop(self):
        return self.loop

    @property
    def _washout(self):
        return self.washout

    @property
    def _linear_alpha(self):
        return self.linear_alpha

    def _make_taps(self, columns, n_outputs):
        wanted = read_loops(self.loop)[-1]
        if 1 < n_steps(wanted) <= self.washout:
            raise ValueError(
                f"washout={self.washout} leaves nothing of rollouts of loop={wanted} steps: give a "
                "smaller washout or longer rollouts."
            )
        taps = make_taps(self.input_lags, self.output_lags, columns, n_outputs)
        if not taps.n_taps:
            raise ValueError(
                "the model has neither output lags nor input lags: give at least one lag."
            )
        return taps


class TDNN(_TappedNetwork):
    r"""Time-delay neural network: a NARX without feedback.

    .. math::

        \hat y_t = f(u_t, \dots, u_{t-L}; \theta)

    Parameters
    ----------
    input_lags : int, sequence of int or dict, default=2
        L means lags 0..L; a sequence means exactly those lags, negative ones are leads. A dict
        gives each column of X its own (``[]`` leaves one out).
    hidden_layer_sizes : array-like of int, default=(10,)
        Widths of the hidden layers; ``()`` gives a linear model.
    activation : {"identity", "tanh", "logistic", "relu", "softplus"}, default="tanh"
        Activation of the hidden layers.
    linear_term : bool, default=True
        A direct path from the taps to the output, started from the least-squares ARX fit: the
        network learns what the linear model misses, and extrapolates like it.
    output_range : tuple (low, high), default=None
        Bounds of the output in y's units, each a number (one per output), a column name of X
        (an input only if a dict `input_lags` names it) or None. Outputs are clipped.
    scale : bool, default=True
        Whether X is standardised inside; y always is.
    solver : str or Solver, default="lm"
        Training algorithm: "lm" (Levenberg-Marquardt), "br" (the same with Bayesian
        regularisation, which finds the penalty itself), "lbfgs", "tnc" (truncated Newton), "cg"
        (conjugate gradients), "irprop+", "adam", "rmsprop", "sgd"; or an object of
        `narxkit.solvers` with parameters of its own.
    alpha : float or "auto", default="auto"
        L2 penalty of the weights: the loss is (SSE + alpha |w|^2) / (2 n) in standardised units.
        Intercepts and the linear term are free. "auto" tries penalties on blocks at the end of the
        training rows, and switches the network off where it does no better there, beyond chance,
        than the linear model that it stands beside. Without a linear term nothing can be switched
        off: the penalty is then the error variance, where no other does better. Bayesian
        regularisation finds its penalties by itself, and begins with those given.
    max_iter : int, default=200
        Largest number of iterations.
    tol : float, default=1e-7
        Training ends when the loss decreases by less than this fraction three times running.
    early_stopping : bool, default=False
        Whether the last `validation_fraction` of each segment is held out, and training ends
        when its loss has not improved for `n_iter_no_change` iterations; the best weights are
        kept.
    validation_fraction : float, default=0.1
        Part of each segment that is held out.
    n_iter_no_change : int, default=10
        Patience of early stopping.
    n_restarts : int, default=1
        Trainings from different initial weights; the best by held-out loss, or else by training
        loss, is kept.
    combine : {"best", "mean", "median"}, default="best"
        What predicts: the best restart, or the mean or median, step by step, of the best
        `n_members` of them, each running on its own output.
    n_members : int or None, default=None
        Restarts that are combined, at most `n_restarts`; by default all.
    warm_start : bool, default=False
        Whether ``fit`` goes on from the weights of the last fit, with its scales and penalties;
        where the network was switched off, everything begins anew.
    random_state : int, RandomState or None, default=None
        Seed of the initial weights.
    n_jobs : int or None, default=None
        Threads for restarts; the result does not depend on it.
    verbose : bool or int, default=False
        Whether to show a progress line.
    callback : callable, default=None
        ``callback(iteration)`` is called after each iteration with one `narxkit.solvers.Iteration`
        (fields ``n_iter``, ``loss``, ``validation_loss``, ``theta``); True ends training.

    Attributes
    ----------
    theta_ : ndarray of shape (n_params_,)
        Parameters, in standardised units.
    structure_ : TappedMLP
        What explains them.
    members_ : list of ndarray of shape (n_params_,)
        Parameters of the best `n_members` restarts, the best first, without those that diverge.
    coefs_, intercepts_ : list of ndarray
        Weights and intercepts of each layer.
    linear_coef_ : ndarray of shape (n_taps, n_outputs) or None
        Weights of the linear term.
    n_params_ : int
        Number of parameters.
    max_lag_ : int
        Rows of history that a prediction needs.
    loop_ : list of Stage
        Stages of training, each with its rollout length, loss and iterations.
    loss_ : float
        Loss at the end of the last stage.
    loss_curve_ : list of float
        Loss at the start and after each iteration of the last stage.
    validation_curve_ : list of float or None
        Held-out loss likewise.
    n_iter_ : int
        Iterations done.
    stop_ : Stop
        Why training ended.
    alpha_ : float
        The penalty taken: as given, chosen, or found by "br"; inf where ``alpha="auto"`` switched
        the network off: what is left is the model of ``hidden_layer_sizes=()``.
    hidden_share_ : float
        Share of the variance of the output, along the training rollouts, that passes the hidden
        layers and no linear function of the taps gives; of several members or outputs the largest.
    is_linear_ : bool
        Whether nothing passes the hidden layers: a share of at most 1e-12, which rounding leaves.
        Where a penalty given does that, fit warns.
    n_effective_params_ : float or None
        Parameters that the data determine and the penalty does not; None for solvers that build no
        normal equations.
    loop_gain_ : float
        Growth of a perturbation of the fed-back output: 0, since there is none.
    n_dropped_ : int
        Rows left out of training because of missing values.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, when X has any.

    See Also
    --------
    NARX : With feedback of the output; it explains the parameters and attributes at length.

    References
    ----------
    Waibel, Hanazawa, Hinton, Shikano and Lang 1989, "Phoneme recognition using time-delay neural
    networks", IEEE Transactions on Acoustics, Speech, and Signal Processing 37, 328-339.

    Examples
    --------
    >>> import numpy as np
    >>> from narxkit import TDNN
    >>> u = np.random.default_rng(0).normal(size=300)
    >>> y = np.tanh(u[1:] + 0.5 * u[:-1])
    >>> model = TDNN(input_lags=1, random_state=0).fit(u[1:201, None], y[:200])
    >>> bool(model.score(u[201:, None], y[200:]) > 0.99)
    True
    """

    _parameter_constraints: dict = {
        "input_lags": "no_validation",
        "output_range": "no_validation",
        **_TappedNetwork._parameter_constraints,
    }

    def __init__(
        self,
        input_lags=2,
        hidden_layer_sizes=(10,),
        activation="tanh",
        linear_term=True,
        output_range=None,
        scale=True,
        solver="lm",
        alpha="auto",
        max_iter=200,
        tol=1e-7,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        n_restarts=1,
        combine="best",
        n_members=None,
        warm_start=False,
        random_state=None,
        n_jobs=None,
        verbose=False,
        callback=None,
    ):
        self.input_lags = input_lags
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.linear_term = linear_term
        self.output_range = output_range
        self.scale = scale
        self.solver = solver
        self.alpha = alpha
        self.max_iter = max_iter
        self.tol = tol
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.n_restarts = n_restarts
        self.combine = combine
        self.n_members = n_members
        self.warm_start = warm_start
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.callback = callback

    def _make_taps(self, columns, n_outputs):
        taps = make_taps(self.input_lags, [], columns, n_outputs)
        if not taps.n_taps:
            raise ValueError(
                "TDNN predicts from inputs alone, and there are none: give X with input_lags, or "
                "use NARX."
            )
        return taps
