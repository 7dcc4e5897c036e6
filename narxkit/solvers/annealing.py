"""Simulated annealing: random steps, of which worse ones are taken less and less.

It minimises any loss, also one without slopes. Several chains walk side by side. In each of
``n_steps`` steps of an iteration every chain tries theta + s N(0, 1) and goes there with the
probability::

    min(1, exp(-(loss(trial) - loss(theta)) / T))

T falls geometrically from iteration to iteration, s is adapted so that about a third of the trials
is taken (Corana et al. 1987), and from one temperature to the next the chains are drawn anew with
the weights ``exp(-(1/T' - 1/T) loss)``, so that those in poor basins give way to those in better
ones (population annealing, Hukushima and Iba 2003). T is in units of the loss at the start, for a
loss has no natural size.

When to prefer it. Where slopes fail or there are none, and the loss has few parameters; beyond some
tens of them CMA-ES, which learns directions, descends farther.

References
----------
Kirkpatrick, Gelatt and Vecchi 1983, "Optimization by simulated annealing", Science 220, 671-680.
Corana, Marchesi, Martini and Ridella 1987, ACM Transactions on Mathematical Software 13, 262-280.
Hukushima and Iba 2003, "Population annealing and its application to a spin glass", AIP Conference
Proceedings 690, 200-206.
"""

from numbers import Integral, Real

import numpy as np

from ._population import Population, PopulationSolver

TAKEN = 0.3  # share of trials that the spread is adapted to
ADAPTATION = 0.5  # exponent by which it follows
LEAST_FACTOR = 0.1


class Annealing(PopulationSolver):
    """Simulated annealing of several chains.

    Each iteration lowers the temperature, draws the chains anew by their losses, and lets each take
    ``n_steps`` Metropolis steps.

    Parameters
    ----------
    n_chains : int, default=20
        Chains, which are judged together.
    n_steps : int, default=10
        Steps of each chain at a temperature.
    temperature, final_temperature : float, default=0.1, 1e-5
        T in the first and in the last iteration, in units of the loss at the start.
    spread : float, default=0.3
        The first s.
    polish : str or None, default="lm"
        The solver that finishes the best individual, by name, as in `GeneticAlgorithm`.
    loss : callable, default=None
        ``loss(y, y_hat)`` gives a number to be minimised in the place of the squared error, in the
        units of y, as in `GeneticAlgorithm`.

    See Also
    --------
    narxkit.solvers.CMAES : Learns which parameters go together.

    References
    ----------
    Kirkpatrick, Gelatt and Vecchi 1983, Science 220, 671-680.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.optimize import rosen
    >>> from narxkit.solvers import Annealing, Monitor
    >>> class Rosenbrock:
    ...     def population_values(self, thetas):
    ...         return rosen(thetas.T)
    ...     def initial(self, rng):
    ...         return rng.normal(size=2)
    >>> solver, rng = Annealing(polish=None), np.random.default_rng(0)
    >>> solver.solve(Rosenbrock(), [-1.2, 1.0], Monitor(), rng).theta.round(1)
    array([1., 1.])
    """

    ranges = {
        "n_chains": (Integral, 1),
        "n_steps": (Integral, 1),
        "temperature": (Real, 0.0),
        "final_temperature": (Real, 0.0),
        "spread": (Real, 0.0),
    }

    def __init__(
        self,
        n_chains=20,
        n_steps=10,
        temperature=0.1,
        final_temperature=1e-5,
        spread=0.3,
        polish="lm",
        loss=None,
    ):
        self.n_chains = n_chains
        self.n_steps = n_steps
        self.temperature = temperature
        self.final_temperature = final_temperature
        self.spread = spread
        self.polish = polish
        self.loss = loss

    def _generations(self, space, monitor, rng):
        chains = space.judge(np.tile(space.start, (self.n_chains, 1)))
        yield chains
        unit, spread, T = _size(chains.losses[0]), self.spread, np.inf
        while True:
            cooler = unit * self._temperature(monitor)
            chains = chains.part(_drawn(chains.losses, 1.0 / cooler - 1.0 / T, rng))
            T, lowest, n_taken = cooler, chains.part([chains.best]), 0
            for _ in range(self.n_steps):
                chains, is_taken = _step(space, chains, spread, T, rng)
                n_taken += is_taken.sum()
                # the lowest point met may be left again
                if chains.losses.min() < lowest.losses[0]:
                    lowest = chains.part([chains.best])
            taken = n_taken / (self.n_steps * self.n_chains)
            spread *= max(taken / TAKEN, LEAST_FACTOR) ** ADAPTATION
            yield lowest.joined(chains)

    def _temperature(self, monitor):
        share = monitor.n_iter / max(monitor.max_iter - 1, 1)
        return self.temperature * (self.final_temperature / self.temperature) ** share


def _size(loss):
    """Return the size of a loss, 1 where it has none."""
    return abs(loss) if np.isfinite(loss) and loss != 0 else 1.0


def _drawn(losses, sharpness, rng):
    """Return positions of chains, drawn by the weights ``exp(-sharpness loss)``."""
    lowest = losses.min()
    if not np.isfinite(lowest):
        return np.arange(len(losses))
    weights = np.exp(-sharpness * (losses - lowest))
    # evenly spaced points on the summed weights: each chain as often as its weight says, or nearly
    at = (np.arange(len(losses)) + rng.random()) / len(losses)
    return np.searchsorted(np.cumsum(weights) / weights.sum(), at).clip(max=len(losses) - 1)


def _step(space, chains, spread, T, rng):
    """Let each chain try a step; return the chains, and which of them went."""
    trials = space.judge(chains.thetas + spread * rng.normal(size=chains.thetas.shape))
    with np.errstate(invalid="ignore"):  # from one divergence to another
        rise = trials.losses - chains.losses
    is_taken = rise <= T * rng.exponential(size=len(rise))
    thetas = np.where(is_taken[:, None], trials.thetas, chains.thetas)
    return Population(thetas, np.where(is_taken, trials.losses, chains.losses)), is_taken
