"""The conductor: how any network is trained and kept, whatever it is inside.

A subclass names its network in `_make_network`. What is common to all lives here once: which rows
are trained on and held out, penalties given or chosen, restarts in threads, stages, members, early
stopping, warm starts, and what is said of the result.
"""

import sys
from functools import partial
from numbers import Integral, Real

import numpy as np
import pandas as pd
from joblib import Parallel, delayed, effective_n_jobs
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions

from narxkit._blas import one_blas_thread
from narxkit._checks import is_count
from narxkit._naming import fitted_name, what_passes
from narxkit._warn import warn
from narxkit.forecasters.scaled import ScaledForecaster, count_dropped
from narxkit.solvers import (
    SOLVERS,
    BayesianRegularisation,
    Monitor,
    Solver,
    Stop,
    interruptible,
    make_solver,
)
from narxkit.training.alive import NO_LIFE, effective_params, life
from narxkit.training.linear import count_targets, name_scarcest
from narxkit.training.objective import Objective
from narxkit.training.own_loss import Units
from narxkit.training.penalty import EXACT, OFF, Noise, Runs, Search, holds, make_blocks, starts
from narxkit.training.stages import Lesson, n_steps, read_loops, train, untrained

SHORTEST = 20  # steps of the free runs that choose penalties
FIRST_GUESS = 1e-4  # of a penalty that Bayesian regularisation then finds
BRIEF = 10  # stages on the way take a tenth of max_iter, at most
ROUGH = 1e-3  # their tol, and that of the choice of penalties
QUICK_TO_SOLVE = 1000  # parameters, with which Levenberg-Marquardt chooses for other solvers too
ENOUGH_TO_CHOOSE = 50  # iterations, to tell penalties apart
LARGEST_ARRAY = 4e9  # bytes: 22,000 parameters of which J'J is built
CHOOSING = "choosing penalties: "
GROWTH = 1.01  # of a perturbation per step; below it may be that of a unit root or of few rows


class NetworkForecaster(ScaledForecaster):
    """Base class of forecasters around a network: training."""

    _parameter_constraints: dict = {
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
    loop_gain_ = None  # of a network that cannot tell

    def _train(self, segments, weight):
        self._check_members()
        held_out = segments.last_block(self.validation_fraction if self.early_stopping else 0.0)
        training = ~held_out
        network = self._network
        self._check_memory(network.n_params)
        warm = self._warm_start(network)
        # the weights of a warm start are those of its scale
        if warm is None:
            self._fit_scale(segments, training & (weight > 0), self.scale)
        # all that runs looks at it: kernels, solvers and restarts end where it is set
        flag = np.zeros(1, dtype=np.int32)
        make = self._objective_maker(segments, sample_weight=weight, flag=flag)
        # without feedback and state a rollout is so many single steps
        loops = read_loops(self._loop) if network.reach.carries else ("open",)
        lesson = Lesson(make, network, training, held_out, loops, self._washout, self._own_loss)
        self.n_dropped_ = self._count_dropped(segments, weight, lesson.objective("open"), held_out)
        self._check_rollouts(lesson)
        with one_blas_thread(), interruptible(flag):
            try:
                results, *alphas = self._learn(lesson, warm, flag)
            finally:
                flag[0] = 1  # after an error in one restart, the others end too
            results.sort(key=lambda trained: trained.rank)
            self._keep(network, results, *alphas)
            self._look_inside(lesson)
        if self.verbose:
            print(f"{fitted_name(self)}: {what_passes(self)}.", file=sys.stderr)
        # a warm start may be as good as it gets
        has_learned = warm is not None or not results[0].went_nowhere
        self._warn_of_training(loops[-1], results[0].kept, has_learned)

    def _objective_maker(self, segments, **shared):
        """Return a function that lays rollouts of a network over standardised segments."""
        scaled, units = self._scale.apply(segments), Units(segments.y, self._scale.undo)
        # a population shares the threads that restarts leave
        n_threads = max(effective_n_jobs(self.n_jobs) // self.n_restarts, 1)

        def make(network, **rollouts):
            objective = Objective.over(network, scaled, **rollouts, **shared)
            return objective.in_units(units, n_threads)

        return make

    def _check_members(self):
        if self.n_members is not None and self.n_members > self.n_restarts:
            raise ValueError(
                f"n_members={self.n_members} are more than n_restarts={self.n_restarts} can give: "
                "give a larger n_restarts or a smaller n_members."
            )

    # parameters that not every network has: one without feedback has none of them
    @property
    def _loop(self):
        return getattr(self, "loop", "open")

    @property
    def _washout(self):
        return getattr(self, "washout", 0)

    @property
    def _linear_alpha(self):
        return getattr(self, "linear_alpha", 0.0)

    def _read_taps(self, columns, n_outputs):
        taps = self._make_taps(columns, n_outputs)
        if not taps.n_taps:
            missing = (
                "input lags: give at least one lag"
                if columns
                else "inputs: give X, a calendar or output_lags"
            )
            raise ValueError(f"the model has neither output lags nor {missing}.")
        return taps

    def _read_sizes(self, rule="ints >= 1", fewest=0):
        """Return the widths of the hidden layers: an int is one layer, as in scikit-learn's MLP."""
        sizes = self.hidden_layer_sizes
        sizes = tuple(sizes) if np.iterable(sizes) else (sizes,)
        if len(sizes) < fewest or not all(map(is_count, sizes)):
            raise ValueError(
                f"hidden_layer_sizes must hold {rule}. Got {self.hidden_layer_sizes!r} instead."
            )
        return tuple(map(int, sizes))

    def _check_washout(self):
        wanted = read_loops(self._loop)[-1]
        # rollouts of one step have no washout, whatever is given
        if 1 < n_steps(wanted) <= self._washout:
            raise ValueError(
                f"washout={self._washout} leaves nothing of rollouts of loop={wanted} steps: give "
                "a smaller washout or longer rollouts."
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
                f"no rollout can begin: loop={loop!r} needs rows with {self._reach.feedback} "
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
    def _learning_rate(self):
        """The rate of a solver that has one, 0 of any other."""
        return getattr(make_solver(self.solver), "learning_rate", 0.0)

    @property
    def _own_loss(self):
        """The loss of the user's own that the solver minimises, or None."""
        return getattr(make_solver(self.solver), "loss", None)

    @property
    def _finds_penalties(self):
        return isinstance(make_solver(self.solver), BayesianRegularisation)

    def _warm_start(self, network):
        """Return the parameters to go on from, or None."""
        if not self.warm_start or not hasattr(self, "theta_"):
            return None
        if network != self.structure_:
            was, now = self.structure_.describe(), network.describe()
            changes = [f"{k} from {was[k]!r} to {now[k]!r}" for k in was if was[k] != now[k]]
            raise ValueError(
                "warm_start=True goes on from the fitted network, but this is another one, with "
                f"{' and '.join(changes)}: keep what it had or fit a new model."
            )
        is_off = self.alpha_ == OFF != self.alpha  # there is no network to go on from
        return None if is_off else self.theta_

    def _count_dropped(self, segments, weight, objective, held_out):
        """Count the rows that had the history but were lost to missing values; warn once."""
        candidates = segments.reachable(self._reach) & (weight > 0) & ~held_out
        if not candidates.any():
            raise ValueError(
                "no row is left to train on: those with enough history are held out "
                f"(validation_fraction={self.validation_fraction}) or have no weight."
            )
        n_targets, has_window = count_targets(objective), self._reach.window > 0
        if n_targets.min() < 2:
            raise ValueError(
                f"{n_targets.min()} of {candidates.sum()} rows can be trained on"
                f"{name_scarcest(self._roles.outputs, n_targets)}, the others have "
                f"missing values (NaN) in their {'window, ' if has_window else ''}taps or targets, "
                "or no weight: at least 2 are needed; give smaller lags"
                f"{', a smaller window' if has_window else ''} or fill the gaps."
            )
        return count_dropped(int(candidates.sum()), objective.size)

    def _learn(self, lesson, warm, flag):
        """Train under the penalties given, or else under those that the training rows choose.

        What is trained under a penalty that was chosen has to live and to hold: where its free runs
        are worse than those of the linear model, a stronger one follows, and at last none is left
        on.
        """
        # all drawn before the first training, so that the number of threads changes nothing
        seeds = check_random_state(self.random_state).randint(2**31, size=int(self.n_restarts))
        open_loop = lesson.objective("open").without_flag()
        candidates = self._candidates(lesson, warm, open_loop, seeds, flag)
        if flag[0]:
            start, *alphas = candidates[0]
            return [self._untrained(lesson, start, warm, *alphas)], *alphas
        # a single candidate has none to give way to, nor has one under a loss of another kind
        is_judged = len(candidates) > 1 and lesson.loss is None
        runs = Runs(lesson, lesson.last_rows(1.0), self._judged_steps) if is_judged else None
        judged = None
        for start, *alphas in candidates:
            results = self._train_restarts(lesson.penalised(*alphas), start, seeds, warm, flag)
            was_stopped = flag[0] or any(one.result.stop is Stop.CALLBACK for one in results)
            if was_stopped or runs is None or alphas[0] == OFF:
                break
            if self._learning_rate and all(one.went_nowhere for one in results):
                break  # which no penalty mends
            best = min(results, key=lambda trained: trained.rank).theta
            if start is not judged:  # the same linear model until then
                judged, linear = start, runs.errors(lesson.network.linear_part(), start.linear)
            # of a dead network nothing is left that could hold
            is_dead = life(lesson.objective(lesson.wanted).without_flag(), best).is_over
            if not is_dead and holds(runs.errors(lesson.network, best), linear):
                break
        return results, *alphas

    def _candidates(self, lesson, warm, open_loop, seeds, flag):
        """Collect starts, and both penalties to train under, one after another until they hold."""
        given = self._given_alpha(lesson.network, warm)
        candidates, start_with = [], starts(open_loop, seeds)

        def add(alpha, share):
            """Add a candidate: penalties in units of the error variance, and of a share of it."""
            unit = start.variance
            scaled = alpha if alpha == OFF else alpha * unit  # the unit may be 0
            penalty = choice.noise.penalty(open_loop, share * unit)
            candidates.append((start, scaled if given is None else given, penalty))

        for choice in self._choose(lesson, given, warm, seeds[0], flag):
            start = start_with(choice.noise)._replace(found=choice.theta)
            # nothing to choose, or no linear model to fall back on
            if given is not None or not lesson.has_linear_part:
                add(choice.alpha if choice.is_on else 1.0, choice.share)
                return candidates
            for alpha in (choice.alpha, 10.0 * choice.alpha) if choice.is_on else ():
                add(alpha, choice.share)
        add(OFF, 1.0)
        return candidates

    def _choose(self, lesson, given, warm, seed, flag):
        """Ask blocks of the training rows for the penalties that are not given, best first."""
        network = lesson.network
        noises = self._noises(network, warm)
        chooses = given is None or len(noises) > 1
        # nothing is trained on blocks where all is given
        blocks = make_blocks(lesson, self._judged_steps) if chooses else ()
        search = Search(blocks, seed, self._brief_solver(network, flag), flag)
        return search.choose(noises, with_networks=given is None)

    @property
    def _judged_steps(self):
        """Steps of the free runs that choose: two spans of what is fed back, at least."""
        return max(2 * self._reach.feedback, SHORTEST) if self._reach.outputs else 1

    def _given_alpha(self, network, warm):
        """Return the penalty, where it is not for the training rows to choose; None where it is."""
        if self.alpha != "auto":
            return float(self.alpha)
        # the linear weights, all that there are, have a penalty of their own
        if not network.hidden_layer_sizes:
            return 0.0
        if self._finds_penalties:
            return FIRST_GUESS
        return None if warm is None else self.alpha_

    def _noises(self, network, warm):
        """Return the noise that fed-back outputs may carry; one, where none is to choose."""
        if self._linear_alpha != "auto":
            return (Noise(alpha=float(self._linear_alpha)),)
        if self._finds_penalties or not network.linear_feedback.any():
            return (EXACT,)
        return (Noise(), EXACT) if warm is None else (Noise(alpha=self.linear_alpha_),)

    def _brief_solver(self, network, flag):
        """Solve well enough to rank penalties, which are the network's and not its solver's."""
        # through a window each row of J costs as much as a gradient of all of them
        is_quick = network.n_params <= QUICK_TO_SOLVE and not network.reach.window
        is_quick = is_quick and hasattr(network, "normal_equations")
        # lm builds J'J, which grows with the square of the parameters
        solver = make_solver("lm" if is_quick else "lbfgs")

        def solve(objective, theta):
            n_iter = min(self.max_iter, ENOUGH_TO_CHOOSE)
            tol = max(self.tol, ROUGH)
            monitor = Monitor(n_iter, tol, verbose=self.verbose, flag=flag, title=CHOOSING)
            return solver.solve(objective, theta, monitor, np.random.default_rng(0)).theta

        return solve

    def _train_restarts(self, lesson, start, seeds, warm, flag):
        """Train each restart, in threads; without a network, its linear part."""
        if lesson.alphas[0] == OFF:
            return [self._train_linear_part(lesson, start.linear, flag)]
        thetas, first = list(start.thetas), lesson.first
        if warm is not None:
            thetas[0] = warm
            # where the old weights diverge in the rollouts wanted, there is no slope to follow
            is_smooth = lesson.objective(lesson.wanted).is_smooth(warm)
            first = lesson.wanted if is_smooth else lesson.first

        def train_one(theta, seed):
            # other restarts have to learn one step ahead first
            begin_with = first if theta is warm else lesson.first
            revive = partial(lesson.network.revive, start=theta)
            solve = self._solver(np.random.default_rng(seed), flag)
            return train(lesson, theta, solve, begin_with, revive)

        # threads, for kernels leave the GIL and share the rows and the flag
        return Parallel(self.n_jobs, require="sharedmem")(
            delayed(train_one)(theta, seed) for theta, seed in zip(thetas, seeds)
        )

    @staticmethod
    def _untrained(lesson, start, warm, alpha, linear_alpha):
        """Keep the best that there is before the training, and say whose it is."""
        network, is_off = lesson.network, alpha == OFF
        lesson = lesson.penalised(0.0 if is_off else alpha, linear_alpha)
        if warm is not None:
            return untrained(lesson, warm, "those of the fit before")
        if start.found is not None and not is_off:
            kept = "those of the best network of the search for penalties, which has learned from "
            return untrained(lesson, start.found, f"{kept}the earlier rows alone")
        if not network.holds_linear_model:
            return untrained(lesson, start.thetas[0], "random, for no training had begun")
        theta = network.with_linear(np.zeros(network.n_params), start.linear)
        theta = theta if is_off else start.thetas[0]
        return untrained(lesson, theta, "those of the linear model that training begins with")

    def _train_linear_part(self, lesson, linear, flag):
        """Train the linear model that a network stands beside, as it would be trained itself."""
        network, lesson = lesson.network, lesson.of_linear_part()
        trained = train(lesson, linear, self._solver(np.random.default_rng(0), flag))
        # zero weights at the outputs switch the hidden layers off
        whole = network.with_linear(np.zeros(network.n_params), trained.theta)
        return trained._replace(theta=whole, went_nowhere=False)

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
            return solver.solve(self._disturbed(objective, rng), theta, monitor, rng)

        return solve

    def _disturbed(self, objective, rng):
        """Return an objective under what a subclass adds to its slopes or its penalty."""
        return objective

    def _keep(self, network, results, alpha, linear_alpha):
        trained, result = results[0], results[0].result
        # a member that diverges would leave the average, step by step; one has to stay
        stable = [trained for trained in results if np.isfinite(trained.rank)] or results[:1]
        self.members_ = [trained.theta for trained in stable[: self.n_members]]
        self.structure_ = network
        self.alpha_, self.linear_alpha_ = float(alpha), float(linear_alpha)
        # Bayesian regularisation found penalties of its own
        if result.penalty is not None:
            self.alpha_ = float(result.penalty[network.groups["weights"]].max(initial=0.0))
            share = network.linear_feedback
            is_fed_back = share > 0.0
            self.linear_alpha_ = float(
                # the penalty of a weight is that of the noise times its share
                (result.penalty[is_fed_back] / share[is_fed_back]).max(initial=0.0)
            )
        self.theta_ = trained.theta
        self.loss_ = result.loss
        self.loss_curve_ = result.loss_curve
        self.validation_curve_ = result.validation_curve
        is_stalled = result.stop is Stop.STALLED  # one step was tried, at least
        self.n_iter_ = max(result.n_iter, int(is_stalled))
        # another restart may have been the better one, had it gone on
        was_interrupted = any(other.result.stop is Stop.INTERRUPTED for other in results)
        self.stop_ = Stop.INTERRUPTED if was_interrupted else result.stop
        self.n_effective_params_ = result.n_effective_params
        self.logbook_ = None if result.logbook is None else pd.DataFrame(result.logbook)
        self.n_params_ = network.n_params
        self.loop_ = trained.stages

    def _look_inside(self, lesson):
        """Measure what of the networks that predict lives, and whether their loops forget."""
        alpha = 0.0 if self.alpha_ == OFF else self.alpha_  # an infinite penalty of nothing is NaN
        last = lesson.penalised(alpha, self.linear_alpha_).objective(self.loop_[-1].loop)
        # the flag ended the training, and must not end this
        self._measure(last.without_flag())

    def _measure(self, objective):
        is_off = self.alpha_ == OFF
        lives = [NO_LIFE if is_off else life(objective, theta) for theta in self._thetas]
        self.hidden_share_ = max(one.share for one in lives)
        self.is_linear_ = all(one.is_over for one in lives)
        # of large networks that takes a second, which nobody who has pressed Ctrl-C waits for
        is_whole = self.stop_ is not Stop.INTERRUPTED
        if is_whole and self.n_effective_params_ is None and self._builds_JtJ:
            self.n_effective_params_ = effective_params(objective, self.theta_)
        if hasattr(objective, "loop_gain"):
            self.loop_gain_ = max(objective.loop_gain(theta) for theta in self._thetas)

    def _warn_of_training(self, loop, kept, has_learned):
        """Warn at most once: of what broke training off, or else of what it ended with."""
        last = self.loop_[-1].loop
        if self.stop_ is Stop.INTERRUPTED:
            ending = "" if last == loop else f", before any of loop={loop!r}"
            after = f"those after {self.n_iter_} of at most {self.max_iter} iterations of "
            warn(
                f"fit: {self.stop_} They are {kept or f'{after}loop={last!r}{ending}'}. A second "
                "Ctrl-C during a fit breaks it off, and a loop of fits ends where the next one "
                "begins.",
                RuntimeWarning,
            )
        elif last != loop and self.stop_ is not Stop.CALLBACK:
            warn(
                f"training ended with loop={last!r}: longer rollouts diverge, so that "
                f"loop={loop!r} had no loss to reduce. Try a larger alpha, fewer hidden units or "
                "an output_range.",
                RuntimeWarning,
            )
        elif self.stop_ is Stop.NOT_FINITE and self._own_loss is not None:
            warn(
                "no network that was tried has a finite value of the loss of your own: what is "
                "left is where its search began. Let it return a finite number, such as by leaving "
                "out rows where it divides by 0.",
                RuntimeWarning,
            )
        elif self._learning_rate and not has_learned and self.stop_ is not Stop.CALLBACK:
            rate, kind = self._learning_rate, type(make_solver(self.solver))
            smaller = f"{kind.__name__}(learning_rate={min(kind().learning_rate, rate / 10):g})"
            warn(
                f"no iteration with learning_rate={rate:g} came below the loss of the start: what "
                f"is left is {'a linear model' if self.is_linear_ else 'random'}. Give a solver "
                f"with a smaller one, such as {smaller}, or a larger max_iter.",
                RuntimeWarning,
            )
        elif self.loop_gain_ is not None and self.loop_gain_ > GROWTH:
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
        """Return whether the user's own penalty, and nothing else, leaves a linear model."""
        could_bend = self.structure_.can_bend
        is_own = 0 < self.alpha_ == self.alpha  # no "auto", nor what "br" found
        return self.is_linear_ and could_bend and is_own and self.stop_ is not Stop.CALLBACK
