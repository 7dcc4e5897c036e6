"""Solvers: they minimise an objective over a flat parameter vector, and know no network.

A solver is a small object of hyper-parameters with one verb, ``solve(objective, theta, monitor,
rng)``; :mod:`narxkit.solvers._base` holds the contract.
"""

from sklearn.base import clone

from ._base import Iteration, Monitor, Solver, SolverResult, Stop
from ._interrupt import interruptible, is_searching, raise_if_interrupted, remember_interrupt
from ._population import POLISHERS
from .annealing import Annealing
from .bayesian_regularisation import BayesianRegularisation
from .cmaes import CMAES
from .conjugate_gradient import ConjugateGradient
from .genetic_algorithm import GeneticAlgorithm
from .gradient_descent import SGD, Adam, RMSprop
from .irprop import IRpropPlus
from .lbfgs import LBFGS
from .levenberg_marquardt import LevenbergMarquardt
from .truncated_newton import TruncatedNewton

__all__ = [
    "CMAES",
    "LBFGS",
    "SGD",
    "SOLVERS",
    "Adam",
    "Annealing",
    "BayesianRegularisation",
    "ConjugateGradient",
    "GeneticAlgorithm",
    "IRpropPlus",
    "Iteration",
    "LevenbergMarquardt",
    "Monitor",
    "RMSprop",
    "Solver",
    "SolverResult",
    "Stop",
    "TruncatedNewton",
    "interruptible",
    "is_searching",
    "make_solver",
    "raise_if_interrupted",
    "remember_interrupt",
]

SOLVERS = {
    **POLISHERS,
    "br": BayesianRegularisation,
    "ga": GeneticAlgorithm,
    "cmaes": CMAES,
    "annealing": Annealing,
}


def make_solver(solver):
    """Make a solver from its name, or copy the one given.

    Parameters
    ----------
    solver : str or Solver
        A key of ``SOLVERS`` for the default hyper-parameters, or a solver object.

    Returns
    -------
    Solver
        A new object; the one given is never used itself.

    Raises
    ------
    ValueError
        If the name is not known, or the object is not a solver.

    Examples
    --------
    >>> from narxkit.solvers import LevenbergMarquardt, make_solver
    >>> make_solver("lm")
    LevenbergMarquardt()
    >>> make_solver(LevenbergMarquardt(damping=0.01))
    LevenbergMarquardt(damping=0.01)
    """
    if isinstance(solver, Solver):
        return clone(solver)
    if isinstance(solver, str) and solver in SOLVERS:
        return SOLVERS[solver]()
    known = ", ".join(repr(name) for name in sorted(SOLVERS))
    raise ValueError(f"solver must be one of {known} or a solver object. Got {solver!r} instead.")
