"""DEAP's strategy of CMA-ES over a matrix of individuals, with draws from a generator.

A module of its own, for DEAP is imported only where it is used.
"""

import numpy as np
from deap import cma


class _Ranked(list):
    """Individuals in the order of their losses, which DEAP would ask each one for."""

    def sort(self, **_):
        """Leave them as they are."""


class Strategy(cma.Strategy):
    """The distribution that individuals are drawn from.

    Parameters
    ----------
    centroid : ndarray of shape (P,)
        Its mean at first.
    sigma : float
        Its standard deviation at first.
    rng : numpy.random.Generator
        Source of all draws; DEAP's own is the global one.
    **params : dict
        Others of `deap.cma.Strategy`.
    """

    def __init__(self, centroid, sigma, rng, **params):
        super().__init__(centroid, sigma, **params)
        self._rng = rng

    def generate(self):
        """Draw a generation, (n, P)."""
        z = self._rng.standard_normal((self.lambda_, self.dim))
        return self.centroid + self.sigma * (z @ self.BD.T)

    def narrow(self):
        """Draw from half as far."""
        self.sigma /= 2

    def update(self, population):
        """Move the distribution to the better half of a population."""
        if np.isfinite(population.losses).sum() < self.mu:
            self.narrow()  # what diverges has no rank to learn from
            return
        order = np.argsort(population.losses, kind="stable")[: self.mu]
        super().update(_Ranked(population.thetas[order]))
