"""Evolution of configurations: a genetic algorithm whose every draw comes from one generator.

Parents are found by tournaments, numbers of a child are drawn between and a little beyond those of
its parents (BLX-0.5), choices and bits come from either, and cells mutate one by one: numbers by a
normal step, choices to another one. With elitism parents and children compete for the next
generation. Two objectives are ranked by fronts, and within a front by crowding (NSGA-II, Deb et al.
2002, IEEE Transactions on Evolutionary Computation 6, 182-197).

DEAP gives the toolbox, fitnesses, fronts and crowding distances. Its variation operators draw from
the global ``random``; those here are array operations on all children at once.
"""

import enum
from dataclasses import dataclass
from typing import Any

import numpy as np

STEP = 0.2  # standard deviation of a mutation, in ranges of the number
BEYOND = 0.5  # how far children may lie beyond their parents, in distances of the two
TRIES = 100  # mutations after which a child that is known is let be
FAILED = -1e300  # what fits that failed are worth: finite, or crowding distances would be NaN


class SearchStop(enum.Enum):
    """Reason for the end of a search; ``str(stop)`` is the sentence."""

    GENERATIONS = "The number of generations was reached."
    PATIENCE = "The best score did not improve for `patience` generations."
    TIME = "The time limit was reached."
    THRESHOLD = "The best score reached the threshold."
    EXHAUSTED = "No configuration was found that is not evaluated yet."
    CALLBACK = "The callback asked to stop."
    INTERRUPTED = "Interrupted; the configurations so far were kept."

    def __str__(self):
        return self.value


@dataclass(eq=False)
class Individual:
    """A configuration and, once it is evaluated, the row of its results and its fitness."""

    genome: np.ndarray
    row: int
    fitness: Any = None

    @property
    def score(self):
        """The score, or NaN where its fits failed."""
        score = self.fitness.values[0]
        return score if score > FAILED else np.nan


def make_toolbox(space, rng, weights, rates, tournament_size):
    """Register the operators.

    Parameters
    ----------
    space : Space
    rng : numpy.random.Generator
        Where all draws come from.
    weights : tuple of float
        Of the objectives: 1.0 to be maximised, -1.0 to be minimised.
    rates : tuple of float
        Probabilities of crossover, for a child, and of mutation, for a cell.
    tournament_size : int
        How many individuals compete to be a parent.

    Returns
    -------
    deap.base.Toolbox
        With ``fitness``, ``select``, ``mate``, ``mutate`` and ``rank``.
    """
    from deap import base

    crossover, mutation = rates
    toolbox = base.Toolbox()
    # a class of its own rather than a global one of deap.creator
    toolbox.register("fitness", type("Fitness", (base.Fitness,), {"weights": weights}))
    toolbox.register("select", select, rng=rng, size=tournament_size)
    toolbox.register("mate", mate, space=space, rng=rng, rate=crossover)
    toolbox.register("mutate", mutate, space=space, rng=rng, rate=mutation)
    toolbox.register("rank", rank_by_score if len(weights) == 1 else rank_by_fronts)
    return toolbox


def rank_by_score(individuals):
    """Return individuals from the best to the worst."""
    return sorted(individuals, key=lambda individual: -individual.fitness.wvalues[0])


def rank_by_fronts(individuals):
    """Return individuals by fronts, and those of a front from the loneliest to the most crowded."""
    from deap.tools import sortNondominated
    from deap.tools.emo import assignCrowdingDist

    ranked = []
    for front in sortNondominated(individuals, len(individuals)):
        assignCrowdingDist(front)
        ranked += sorted(front, key=lambda individual: -individual.fitness.crowding_dist)
    return ranked


def first_front(individuals):
    """Return individuals that no other one dominates."""
    from deap.tools import sortNondominated

    individuals = list(individuals)
    return sortNondominated(individuals, len(individuals), first_front_only=True)[0]


def select(ranked, k, rng, size):
    """Return the genomes of the winners of k tournaments."""
    winners = rng.integers(len(ranked), size=(k, size)).min(axis=1)
    return np.array([ranked[winner].genome for winner in winners])


def mate(first, second, space, rng, rate):
    """Return a child of each pair of genomes, or the first of them."""
    beyond = rng.uniform(-BEYOND, 1 + BEYOND, first.shape)
    blended = np.clip(first + beyond * (second - first), 0.0, 1.0)
    either = np.where(rng.random(first.shape) < 0.5, first, second)
    children = np.where(space.is_ordered, blended, either)
    return np.where(rng.random((len(first), 1)) < rate, children, first)


def mutate(genomes, space, rng, rate):
    """Return genomes some of whose cells have another value."""
    stepped = np.clip(genomes + rng.normal(0.0, STEP, genomes.shape), 0.0, 1.0)
    # a shift by 1 to n - 1 of n values, around the end, is another one; of bits it is a flip
    shifts = 1 + np.floor(rng.random(genomes.shape) * (space.n_values - 1))
    shifted = (genomes + shifts / space.n_values) % 1.0
    changed = np.where(space.is_ordered, stepped, shifted)
    return np.where(rng.random(genomes.shape) < rate, changed, genomes)


class Evolution:
    """A population that is evaluated, generation by generation.

    Parameters
    ----------
    space : Space
    toolbox : deap.base.Toolbox
        Of `make_toolbox`.
    rng : numpy.random.Generator
    evaluate : callable
        ``evaluate(keys)`` yields the values of the objectives, one configuration after another.
    size : int
        Of the population.
    elitism : bool
        Whether parents compete with their children.

    Attributes
    ----------
    archive : dict of tuple to Individual
        All individuals by their genomes, in the order of their evaluation.
    population : list of Individual
        From the best to the worst.
    """

    def __init__(self, space, toolbox, rng, evaluate, size, elitism):
        self.space, self.toolbox, self.rng = space, toolbox, rng
        self.evaluate, self.size, self.elitism = evaluate, size, elitism
        self.archive, self.population = {}, []

    def begin(self, given):
        """Evaluate the first generation: given genomes, and as many others as there is room for."""
        genomes = [*given, *self.space.sample(max(self.size - len(given), 0), self.rng)]
        self._settle(self._evaluated(self._made_new(genomes)))

    def advance(self):
        """Evaluate children of the population, and let the best of them go on."""
        first, second = (self.toolbox.select(self.population, self.size) for _ in range(2))
        children = self.toolbox.mutate(self.toolbox.mate(first, second))
        children = self._evaluated(self._made_new(self.space.snap(children, self.rng)))
        self._settle(self.population + children if self.elitism else children)

    def _settle(self, pool):
        # one configuration counts once, or copies of the best would fill the population
        self.population = self.toolbox.rank(dict.fromkeys(pool))[: self.size]

    def _made_new(self, genomes):
        """Mutate those that are known until they are not: no evaluation is to be wasted."""
        known, new = set(self.archive), []
        for genome in genomes:
            for _ in range(TRIES):
                if key_of(genome) not in known:
                    break
                genome = self.space.snap(self.toolbox.mutate(genome[None]), self.rng)[0]
            known.add(key_of(genome))
            new.append(key_of(genome))
        return new

    def _evaluated(self, keys):
        """Return individuals of genomes; those that are known are not evaluated again."""
        fresh = [key for key in dict.fromkeys(keys) if key not in self.archive]
        # in this order, for then the evaluation is run to its end
        for values, key in zip(self.evaluate(fresh), fresh):
            individual = Individual(np.array(key), len(self.archive), self.toolbox.fitness(values))
            self.archive[key] = individual
        return [self.archive[key] for key in keys]


def key_of(genome):
    """Return a genome as a key of dicts, which JSON writes and reads without a loss."""
    return tuple(genome.tolist())
