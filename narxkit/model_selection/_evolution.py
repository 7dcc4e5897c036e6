"""Evolution of configurations: a genetic algorithm whose every draw comes from one generator.

A child is drawn from the whole population: for each of its cells two tournaments find two parents
(gene pool recombination, Mühlenbein and Voigt 1996, "Gene pool recombination in genetic
algorithms"). A number is drawn between and a little beyond those of the two (BLX-0.5), a choice or
a bit comes from either. Then cells mutate one by one: numbers by a normal step, choices to another
one. With elitism parents and children compete for the next generation. Two objectives are ranked by
fronts, and within a front by crowding (NSGA-II, Deb et al. 2002, IEEE Transactions on Evolutionary
Computation 6, 182-197).

An evaluation costs fits, a child nothing. So there are five for each place, and the one is
evaluated that promises most: a Gaussian process, over genomes, of the ranks of what was evaluated
so far. With 60 evaluations on four small problems of lags, sizes and penalties (none of those of
``benchmarks/genetic_search.py``) this and the gene pool took a sixth to a half off the distance to
the best known configuration, in medians over twenty seeds.

DEAP gives the toolbox, fitnesses, fronts and crowding distances. Its variation operators draw from
the global ``random``; those here are array operations on all children at once.
"""

import enum
from dataclasses import dataclass
from typing import Any

import numpy as np

from narxkit._blas import one_blas_thread

STEP = 0.2  # standard deviation of a mutation, in ranges of the number
BEYOND = 0.5  # how far children may lie beyond their parents, in distances of the two
CHOICES = 5  # children for each place, of which the most promising one is evaluated
LENGTH, NOISE = 0.5, 0.01  # of the Gaussian process: in widths of the cube, and in its variances
MOST = 500  # evaluations that it learns from, the latest
TRIES = 100  # mutations after which a child that is known is let be
# what fits that failed are worth, and an infinite score, ranked first as by scikit-learn: finite,
# or crowding distances would be NaN
FAILED, BEST = -1e300, 1e300


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
        if score >= BEST:
            return np.inf
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


def select(n, shape, rng, size):
    """Return the winners of tournaments among n, the first of which is the best."""
    return rng.integers(n, size=(*shape, size)).min(axis=-1)


def mate(parents, space, rng, rate):
    """Return children of pairs of genomes, parents[:2], or else what parents[2] are."""
    first, second, alone = parents
    beyond = rng.uniform(-BEYOND, 1 + BEYOND, first.shape)
    blended = np.clip(first + beyond * (second - first), 0.0, 1.0)
    either = np.where(rng.random(first.shape) < 0.5, first, second)
    children = np.where(space.is_ordered, blended, either)
    return np.where(rng.random((len(first), 1)) < rate, children, alone)


def mutate(genomes, space, rng, rate):
    """Return genomes some of whose cells have another value."""
    stepped = np.clip(genomes + rng.normal(0.0, STEP, genomes.shape), 0.0, 1.0)
    # a shift by 1 to n - 1 of n values, around the end, is another one; of bits it is a flip
    shifts = 1 + np.floor(rng.random(genomes.shape) * (space.n_values - 1))
    shifted = (genomes + shifts / space.n_values) % 1.0
    changed = np.where(space.is_ordered, stepped, shifted)
    return np.where(rng.random(genomes.shape) < rate, changed, genomes)


def expect(ranked, genomes):
    """Return what genomes promise: from 1 for the first to -1 for the last of ranked ones."""
    ranked = np.asarray(ranked)
    covariance = _kernel(ranked, ranked) + NOISE * np.eye(len(ranked))
    # ranks rather than scores: a diverging candidate is the last one, not a cliff
    weights = np.linalg.solve(covariance, np.linspace(1.0, -1.0, len(ranked)))
    return _kernel(genomes, ranked) @ weights


def _kernel(these, those):
    squares = np.mean((these[:, None] - those) ** 2, axis=2)
    return np.exp(-squares / (2 * LENGTH**2))


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
        children = self._promising(self._bred(CHOICES * self.size))
        children = self._evaluated(self._made_new(children))
        self._settle(self.population + children if self.elitism else children)

    def _bred(self, n):
        """Return n children, each of whose cells has parents of its own."""
        genomes = np.array([individual.genome for individual in self.population])
        cells = np.arange(self.space.n_cells)
        pairs = genomes[self.toolbox.select(len(genomes), (2, n, len(cells))), cells]
        alone = genomes[self.toolbox.select(len(genomes), (n,))]
        children = self.toolbox.mutate(self.toolbox.mate((*pairs, alone)))
        return self.space.snap(children, self.rng)

    def _promising(self, children):
        """Return the most promising one of every few children."""
        known = self.toolbox.rank(list(self.archive.values())[-MOST:])
        with one_blas_thread():  # or rounding, and so the choice, might hang on the machine's load
            expected = expect([individual.genome for individual in known], children)
        expected[[key_of(child) in self.archive for child in children]] = -np.inf
        of_place = expected.reshape(-1, CHOICES)
        return children.reshape(*of_place.shape, -1)[np.arange(len(of_place)), of_place.argmax(1)]

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
