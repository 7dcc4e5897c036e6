"""A genetic algorithm: a population that mates, mutates and is selected.

It minimises any loss, also one without slopes. A generation of n parameter vectors, the rows of one
matrix, makes the next one as follows, with all draws of a step at once:

    tournament   each parent is the best of ``tournament_size`` individuals drawn at random
    blend        a pair a, b has the children a + g (b - a) and b - g (b - a), each g uniform in
                 (-1/2, 3/2), so that children may lie beyond their parents (BLX-1/2)
    mutation     some numbers of a child move by s N(0, 1), where s falls geometrically from
                 ``spread`` in the first generation to ``final_spread`` in the last
    elitism      the ``n_elites`` best of the old generation live on unchanged

The operators stand in a toolbox of DEAP (Fortin et al. 2012), and the whole generation is judged by
one call. The best individual is then polished, half of the iterations being kept for that.

When to prefer it. Where slopes fail or there are none: chaotic rollouts, losses with many basins, a
loss of the user's own. On squared errors over short rollouts Levenberg-Marquardt from several
starts is the better use of the same time.

References
----------
Eshelman and Schaffer 1993, "Real-coded genetic algorithms and interval-schemata", Foundations of
Genetic Algorithms 2, 187-202. Fortin, De Rainville, Gardner, Parizeau and Gagne 2012, "DEAP:
evolutionary algorithms made easy", Journal of Machine Learning Research 13, 2171-2175.
"""

from numbers import Integral, Real

import numpy as np

from ._base import PROBABILITY
from ._population import PopulationSolver

BLEND = 0.5  # how far a child may lie beyond its parents, of their distance


class GeneticAlgorithm(PopulationSolver):
    """Genetic algorithm on DEAP, with operators over whole populations.

    Each generation selects by tournaments, blends pairs, mutates, and keeps the best.

    Parameters
    ----------
    population_size : int, default=100
        Individuals in a generation.
    tournament_size : int, default=5
        Individuals that compete to become a parent.
    crossover_probability : float in [0, 1], default=0.9
        Share of pairs that blend.
    mutation_probability : float in [0, 1], default=0.1
        Share of the numbers of a child that mutate.
    spread, final_spread : float, default=0.3, 0.001
        Standard deviation of a mutation in the first and in the last generation; the first
        generation spreads as widely around the start.
    n_elites : int, default=2
        The best individuals, which live on.
    polish : str or None, default="lm"
        The solver that finishes the best individual, by name; "lbfgs" takes the place of "lm"
        where there are no normal equations or more than 1000 parameters. None leaves it as it is.
    loss : callable, default=None
        ``loss(y, y_hat)`` gives a number to be minimised in the place of the squared error, in the
        units of y; arrays are (n,), or (n, n_outputs) of several outputs. It sees the rows that
        have a weight and all outputs measured; penalties are added, as strong beside it as beside
        the squared error of the start. Nothing is polished then: ``polish`` descends the squared
        error first, and the population sets out from there.

    See Also
    --------
    narxkit.solvers.CMAES : Learns which parameters go together.

    References
    ----------
    Fortin, De Rainville, Gardner, Parizeau and Gagne 2012, Journal of Machine Learning Research
    13, 2171-2175.

    Examples
    --------
    The deepest of many basins of Rastrigin's function:

    >>> import numpy as np
    >>> from narxkit.solvers import GeneticAlgorithm, Monitor
    >>> class Rastrigin:
    ...     def population_values(self, thetas):
    ...         return np.sum(thetas**2 + 10 - 10 * np.cos(2 * np.pi * thetas), axis=1)
    ...     def initial(self, rng):
    ...         return rng.uniform(-5, 5, 4)
    >>> solver, rng = GeneticAlgorithm(spread=2.0, polish=None), np.random.default_rng(0)
    >>> solver.solve(Rastrigin(), [3.0, -2.0, 4.0, 1.0], Monitor(), rng).theta.round(1) + 0.0
    array([0., 0., 0., 0.])
    """

    ranges = {
        "population_size": (Integral, 4),
        "tournament_size": (Integral, 1),
        "crossover_probability": PROBABILITY,
        "mutation_probability": PROBABILITY,
        "spread": (Real, 0.0),
        "final_spread": (Real, 0.0),
        "n_elites": (Integral, 1),
    }

    def __init__(
        self,
        population_size=100,
        tournament_size=5,
        crossover_probability=0.9,
        mutation_probability=0.1,
        spread=0.3,
        final_spread=0.001,
        n_elites=2,
        polish="lm",
        loss=None,
    ):
        self.population_size = population_size
        self.tournament_size = tournament_size
        self.crossover_probability = crossover_probability
        self.mutation_probability = mutation_probability
        self.spread = spread
        self.final_spread = final_spread
        self.n_elites = n_elites
        self.polish = polish
        self.loss = loss

    def _generations(self, space, monitor, rng):
        if self.n_elites >= self.population_size:
            raise ValueError(
                f"n_elites={self.n_elites} of population_size={self.population_size} leave no room "
                "for children: give fewer elites or a larger population."
            )
        toolbox = self._toolbox(space, rng)
        population = toolbox.evaluate(toolbox.population())
        while True:
            yield population
            elites = population.part(toolbox.elites(population.losses))
            children = breed(toolbox, population, self._spread(monitor))
            population = elites.joined(toolbox.evaluate(children))

    def _toolbox(self, space, rng):
        from deap.base import Toolbox

        n_children = self.population_size - self.n_elites
        toolbox = Toolbox()
        toolbox.register("population", _spread_out, space, self.population_size, self.spread, rng)
        toolbox.register("evaluate", space.judge)
        toolbox.register("elites", _best, n=self.n_elites)
        toolbox.register("select", _tournaments, n=n_children, size=self.tournament_size, rng=rng)
        toolbox.register("mate", _blend, probability=self.crossover_probability, rng=rng)
        toolbox.register("mutate", _mutate, probability=self.mutation_probability, rng=rng)
        return toolbox

    def _spread(self, monitor):
        share = monitor.n_iter / max(monitor.max_iter - 1, 1)
        return self.spread * (self.final_spread / self.spread) ** share


def breed(toolbox, population, spread):
    """Return the children of a population, not judged yet."""
    parents = population.thetas.take(toolbox.select(population.losses), axis=0)
    return toolbox.mutate(toolbox.mate(parents), spread)


def _spread_out(space, n, spread, rng):
    """Return the start, and around it what training might have started from instead."""
    draws = space.draw(n, rng)
    # a network draws some of its parameters, and begins with the others at one place
    is_drawn = np.ptp(draws, axis=0) > 0
    thetas = np.where(is_drawn, draws, space.start) + spread * rng.normal(size=draws.shape)
    thetas[0] = space.start
    return thetas


def _best(losses, n):
    """Return the positions of the n lowest losses."""
    return np.argsort(losses, kind="stable")[:n]


def _tournaments(losses, n, size, rng):
    """Return the positions of n winners."""
    rivals = rng.integers(len(losses), size=(n, size))
    return rivals[np.arange(n), np.argmin(losses[rivals], axis=1)]


# as DEAP's own, operators work in place on the copies that selection made, row after row in memory


def _blend(thetas, probability, rng):
    """Blend pairs, of one half of the parents with the other; one may stay single."""
    n = len(thetas) // 2
    a, b = thetas[:n], thetas[n : 2 * n]
    share = (1.0 + 2.0 * BLEND) * rng.random(a.shape) - BLEND
    share[rng.random(n) >= probability] = 0.0
    # written as steps, so that where parents agree children have the same bits
    step = share * (b - a)
    a += step
    b -= step
    return thetas


def _mutate(thetas, spread, probability, rng):
    """Move some of the numbers."""
    # how many, and which: a draw for each number to tell whether it moves would cost twice as much
    n_moved = rng.binomial(thetas.size, probability)
    moved = rng.choice(thetas.size, n_moved, replace=False, shuffle=False)
    thetas.reshape(-1)[moved] += spread * rng.standard_normal(n_moved)
    return thetas
