"""CMA-ES: a normal distribution that learns where losses are low.

It minimises any loss, also one without slopes. Each generation draws n parameter vectors from
N(m, s^2 C), and the better half, with weights that fall with their rank, moves the distribution::

    m    towards their weighted mean
    C    by the path of m over the last generations, and by the spread of the better half around m
    s    up where the path is longer than that of a random walk, else down

so that C comes to look like the inverse Hessian, and steps are as long along a valley as short
across it. Only ranks count: a loss of any scale, or any increasing function of it, gives the same
run. The strategy is DEAP's (`deap.cma.Strategy`), with draws from the generator that it is given.

A network on its own output bears only small changes of some weights, and from draws that are all
far worse the distribution would learn the way back, no more. So s is halved until a generation
holds one that is better than the start; after ten times the start is a minimum itself, and s is
again the first, to look for another. It is halved, too, whenever less than the better half of a
generation is finite, which leaves no rank to learn from.

When to prefer it. Up to a few hundred parameters, where slopes fail or there are none: it descends
much farther than a genetic algorithm, at the price of the eigenvectors of C in each generation, so
about P^3 operations. On squared errors over short rollouts Levenberg-Marquardt from several starts
is the better use of the same time.

References
----------
Hansen and Ostermeier 2001, "Completely derandomized self-adaptation in evolution strategies",
Evolutionary Computation 9, 159-195. Fortin, De Rainville, Gardner, Parizeau and Gagne 2012, "DEAP:
evolutionary algorithms made easy", Journal of Machine Learning Research 13, 2171-2175.
"""

from numbers import Integral, Real

from ._population import PopulationSolver

MOST_HALVINGS = 10  # where nothing near the start is better
MOST_PARAMS = 3000  # whose eigenvectors take some ten seconds


class CMAES(PopulationSolver):
    """Covariance matrix adaptation on DEAP.

    Each generation is drawn from ``N(m, s^2 C)``, which its better half moves.

    Parameters
    ----------
    population_size : int, default=50
        Individuals in a generation.
    spread : float, default=0.1
        The first s, at most: how far from the start the answer is sought, in each parameter.
    polish : str or None, default="lm"
        The solver that finishes the best individual, by name, as in `GeneticAlgorithm`.
    loss : callable, default=None
        ``loss(y, y_hat)`` gives a number to be minimised in the place of the squared error, in the
        units of y, as in `GeneticAlgorithm`.

    See Also
    --------
    narxkit.solvers.GeneticAlgorithm : Searches more widely, and descends less far.

    References
    ----------
    Hansen and Ostermeier 2001, Evolutionary Computation 9, 159-195.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.optimize import rosen
    >>> from narxkit.solvers import CMAES, Monitor
    >>> class Rosenbrock:
    ...     def population_values(self, thetas):
    ...         return rosen(thetas.T)
    ...     def initial(self, rng):
    ...         return rng.normal(size=2)
    >>> solver, rng = CMAES(polish=None), np.random.default_rng(0)
    >>> solver.solve(Rosenbrock(), [-1.2, 1.0], Monitor(), rng).theta.round(3)
    array([1., 1.])
    """

    ranges = {"population_size": (Integral, 4), "spread": (Real, 0.0)}

    def __init__(self, population_size=50, spread=0.1, polish="lm", loss=None):
        self.population_size = population_size
        self.spread = spread
        self.polish = polish
        self.loss = loss

    def _generations(self, space, monitor, rng):
        from ._strategy import Strategy

        n_params = len(space.start)
        if n_params > MOST_PARAMS:
            raise ValueError(
                f"CMAES takes the eigenvectors of {n_params:,} parameters in each generation, and "
                f"at most {MOST_PARAMS:,} are allowed: give smaller layers, or the solver 'ga'."
            )
        strategy = Strategy(space.start, self.spread, rng, lambda_=int(self.population_size))
        start = space.judge(space.start[None])
        yield start
        for _ in range(MOST_HALVINGS):
            population = space.judge(strategy.generate())
            if population.losses.min() < start.losses[0]:
                break
            strategy.narrow()
            yield population
        else:
            strategy.sigma = self.spread
            population = space.judge(strategy.generate())
        while True:
            strategy.update(population)
            yield population
            population = space.judge(strategy.generate())
