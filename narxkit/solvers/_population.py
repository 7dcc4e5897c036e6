"""The common part of population solvers: generations, their logbook, and the polish.

A population finds a basin and does not descend it. So the best individual is polished by a solver
that follows slopes: both share the iterations of the Monitor, of which the population has half, or
all where nothing is polished.

A loss of the user's own has no slope, and what minimises it is not polished. There the polish comes
first: squared errors are descended, in as many iterations as the population then has, and the
population sets out from where that ends. A network that predicts well is near to one that suits any
reasonable loss, and from a random one a population would first have to learn to predict.
"""

from abc import abstractmethod
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ._base import Monitor, Solver, Stop
from .conjugate_gradient import ConjugateGradient
from .gradient_descent import SGD, Adam, RMSprop
from .irprop import IRpropPlus
from .lbfgs import LBFGS
from .levenberg_marquardt import LevenbergMarquardt
from .truncated_newton import TruncatedNewton

POLISHERS = {
    "lm": LevenbergMarquardt,
    "lbfgs": LBFGS,
    "tnc": TruncatedNewton,
    "cg": ConjugateGradient,
    "irprop+": IRpropPlus,
    "adam": Adam,
    "rmsprop": RMSprop,
    "sgd": SGD,
}
MOST_FOR_LM = 1000  # parameters, beyond which J'J costs more than it gains
POPULATION_SHARE = 0.5  # of the iterations, where the rest is polish
LAST_WORDS = (Stop.CALLBACK, Stop.INTERRUPTED, Stop.NOT_FINITE)


class Population(NamedTuple):
    """Parameter vectors, one in each row of a matrix (n, P), and their losses (n,)."""

    thetas: np.ndarray
    losses: np.ndarray

    def part(self, which):
        """Return some of the individuals, by positions."""
        return Population(self.thetas[which], self.losses[which])

    def joined(self, other):
        """Return both populations as one."""
        return Population(*map(np.concatenate, zip(self, other)))

    @property
    def best(self):
        """Position of the lowest loss."""
        return int(np.argmin(self.losses))


class PopulationSolver(Solver):
    """Base of the solvers that move many parameter vectors; a subclass gives `_generations`."""

    requires = ("population_values", "initial")
    choices = {"polish": (*POLISHERS, None), "loss": (None, callable)}

    @property
    def takes_kinks(self):
        """Whether it needs no smooth loss, which a polish by curvature does."""
        return self.polish is None or POLISHERS[self.polish].takes_kinks

    def _solve(self, objective, theta, monitor, rng):
        rng = np.random.default_rng() if rng is None else rng
        polisher = self._polisher(objective, len(theta))
        if self.loss is not None:
            own = objective.with_loss(self.loss, theta)
            if polisher is not None:
                # losses of another kind: nobody watches but the flag
                alone = Monitor(monitor.max_iter, monitor.tol, flag=monitor.flag)
                theta = polisher.solve(objective, theta, alone, rng).theta
            return self._evolve(own, theta, monitor, rng)
        if polisher is None:
            return self._evolve(objective, theta, monitor, rng)
        # rounded up: of one iteration the population has it
        share = monitor.part(int(np.ceil(POPULATION_SHARE * monitor.max_iter)))
        result = self._evolve(objective, theta, share, rng)
        n_left = monitor.max_iter - result.n_iter
        if n_left == 0 or result.stop in LAST_WORDS:
            return result
        rest = monitor.part(n_left, monitor.n_before + result.n_iter, "polish: ")
        return _joined(result, polisher.solve(objective, result.theta, rest, rng))

    def _polisher(self, objective, n_params):
        if self.polish is None:
            return None
        has_equations = hasattr(objective, "normal_equations") and n_params <= MOST_FOR_LM
        return POLISHERS["lbfgs" if self.polish == "lm" and not has_equations else self.polish]()

    def _evolve(self, objective, theta, monitor, rng):
        space = _Space(objective, theta)
        generations = self._generations(space, monitor, rng)
        population = next(generations)
        # where training starts, unless nothing can start from there
        first = 0 if np.isfinite(population.losses[0]) else population.best
        logbook = [space.describe(0, population.losses)]
        stop = monitor.start(space.whole(population.thetas[first]), population.losses[first])
        while stop is None:
            population = next(generations)
            # what a kernel left when it was stopped is no generation
            if monitor.interrupted:
                stop = monitor.stall()
                break
            best = population.part(population.best)
            # copies of one individual, which nothing has left yet, tell nothing
            with np.errstate(invalid="ignore"):  # where all diverge
                is_small = 0 < np.ptp(population.losses) < monitor.tol * abs(best.losses)
            stop = monitor.step(space.whole(best.thetas), best.losses, is_small)
            logbook.append(space.describe(monitor.n_iter, population.losses))
        return replace(monitor.result(stop), logbook=logbook)

    @abstractmethod
    def _generations(self, space, monitor, rng):
        """Yield one population after another; the start is the first individual of the first."""


class _Space:
    """The parameters that move, as rows to be judged, and a count of the judgements."""

    def __init__(self, objective, theta):
        self._objective, self._theta = objective, theta
        self._free = getattr(objective, "free", None)
        self.n_evaluations = 0
        self.start = theta if self._free is None else theta[self._free]

    def whole(self, thetas):
        """Return all parameters, (P,) or (n, P), given those that move."""
        if self._free is None:
            return thetas
        whole = np.tile(self._theta, (*thetas.shape[:-1], 1))
        whole[..., self._free] = thetas
        return whole

    def draw(self, n, rng):
        """Draw n random starts."""
        draws = np.stack([self._objective.initial(rng) for _ in range(n)])
        return draws if self._free is None else draws[:, self._free]

    def judge(self, thetas):
        """Return a population with its losses, infinite where they are not a number."""
        self.n_evaluations += len(thetas)
        whole = np.ascontiguousarray(self.whole(thetas))
        losses = np.asarray(self._objective.population_values(whole), dtype=float)
        return Population(thetas, np.where(np.isnan(losses), np.inf, losses))

    def describe(self, generation, losses):
        """Return an entry of the logbook; mean and spread are those of the finite losses."""
        finite = losses[np.isfinite(losses)]
        return {
            "generation": generation,
            "evaluations": self.n_evaluations,
            "best": float(losses.min()),
            "mean": float(finite.mean()) if len(finite) else np.inf,
            "spread": float(finite.std()) if len(finite) else np.inf,
        }


def _joined(found, polished):
    """Return both runs as one; the second begins where the first ended."""
    validation = found.validation_curve
    if validation is not None:
        validation = validation + polished.validation_curve[1:]
    return replace(
        polished,
        n_iter=found.n_iter + polished.n_iter,
        loss_curve=found.loss_curve + polished.loss_curve[1:],
        validation_curve=validation,
        logbook=found.logbook,
    )
