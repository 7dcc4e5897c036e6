"""Search spaces: the values of parameters, and a configuration as a point of the unit cube.

A configuration is a genome, a vector of cells in [0, 1]: one cell for a number or a choice, one for
each candidate of a subset. So that equal configurations have equal genomes, cells are snapped to
the centre of the value that they stand for.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, floor, isfinite, log
from numbers import Real
from typing import Any, ClassVar

import numpy as np

from narxkit._checks import is_int

__all__ = ["Categorical", "Continuous", "Integer", "Subset"]

DISTRIBUTIONS = ("uniform", "log-uniform")
DIGITS = 12  # of a number: a value that is given and read back is the same


class Dimension(ABC):
    """Values that a parameter may have, over one or more cells of a genome."""

    n_cells = 1
    is_ordered: ClassVar = False  # whether neighbouring cells are neighbouring values

    @property
    @abstractmethod
    def n_values(self):
        """Number of values that a cell stands for."""

    @abstractmethod
    def decode(self, cells):
        """Return the value that cells stand for.

        Parameters
        ----------
        cells : array-like of shape (n_cells,)
            Numbers in [0, 1].

        Returns
        -------
        object
            The value.
        """

    @abstractmethod
    def encode(self, value):
        """Return the cells of a value.

        Parameters
        ----------
        value : object
            One that the parameter may have; others are refused.

        Returns
        -------
        list of float
            The cells.
        """

    def snap(self, cells, rng):
        """Return the one genome of the value that cells stand for.

        Parameters
        ----------
        cells : array-like of shape (n_cells,)
            Numbers in [0, 1].
        rng : numpy.random.Generator
            For what cells leave open.

        Returns
        -------
        sequence of float
            The cells of the value.
        """
        return self.encode(self.decode(cells))

    def _refuse(self, value):
        raise ValueError(f"{value!r} is not in {self!r}")


def _step(cell, n):
    """Return which of n equal parts of [0, 1] a cell is in."""
    return min(int(cell * n), n - 1)


def _is_sequence(values):
    """Return whether values have positions, which those of sets and dicts lack."""
    has_positions = hasattr(values, "__getitem__") and hasattr(values, "__len__")
    return has_positions and not isinstance(values, str | dict)


def _count_different(candidates):
    """Return how many candidates differ."""
    try:
        return len(set(candidates))
    except TypeError as error:
        raise ValueError(
            "candidates of Subset must be hashable, such as numbers, names or tuples. "
            f"Got {candidates!r} instead."
        ) from error


@dataclass(frozen=True)
class Categorical(Dimension):
    """One of several choices, which have no order.

    Parameters
    ----------
    choices : sequence
        Values of any kind, such as names, tuples, None or estimators.

    See Also
    --------
    GeneticSearchCV : The search that uses it.

    Examples
    --------
    >>> from narxkit import Categorical
    >>> Categorical(["lm", "br"]).decode([0.7])
    'br'
    """

    choices: Sequence

    def __post_init__(self):
        if not _is_sequence(self.choices) or not len(self.choices):
            raise ValueError(
                f"choices of Categorical must be a sequence of one or more values. "
                f"Got {self.choices!r} instead."
            )

    @property
    def n_values(self):
        """Number of choices."""
        return len(self.choices)

    def decode(self, cells):
        return self.choices[_step(cells[0], len(self.choices))]

    def encode(self, value):
        for i, choice in enumerate(self.choices):
            if choice is value or np.array_equal(choice, value):
                return [(i + 0.5) / len(self.choices)]
        self._refuse(value)

    def snap(self, cells, rng):
        # not by the value: a choice may be any kind of object
        n = len(self.choices)
        return [(_step(cells[0], n) + 0.5) / n]


@dataclass(frozen=True)
class Number(Dimension):
    """Base of numbers between two bounds."""

    lower: Real
    upper: Real
    distribution: str = "uniform"
    is_ordered: ClassVar = True
    noun: ClassVar = "finite numbers"

    def __post_init__(self):
        name = type(self).__name__
        if not self._is_valid(self.lower) or not self._is_valid(self.upper):
            raise ValueError(
                f"bounds of {name} must be {self.noun}. Got {self.lower!r} and {self.upper!r} "
                "instead."
            )
        if not self.lower < self.upper:
            raise ValueError(
                f"{name}({self.lower}, {self.upper}) is empty: lower must be less than upper."
            )
        if self.distribution not in DISTRIBUTIONS:
            raise ValueError(
                f"distribution of {name} must be 'uniform' or 'log-uniform'. "
                f"Got {self.distribution!r} instead."
            )
        if self._is_log and self.lower <= 0:
            raise ValueError(
                f"{name} has no logarithm of {self.lower}: give a lower bound above 0, or "
                "distribution='uniform'."
            )

    @property
    def _is_log(self):
        return self.distribution == "log-uniform"

    def _place(self, cell, lower, upper):
        if self._is_log:
            return exp(log(lower) + cell * (log(upper) - log(lower)))
        return lower + cell * (upper - lower)

    def _cell(self, value, lower, upper):
        if self._is_log:
            value, lower, upper = log(value), log(lower), log(upper)
        return (value - lower) / (upper - lower)

    def encode(self, value):
        if not self._is_valid(value) or not self.lower <= value <= self.upper:
            self._refuse(value)
        return self._encode(value)


class Integer(Number):
    """A whole number between two bounds, both included.

    Parameters
    ----------
    lower, upper : int
        The bounds.
    distribution : {"uniform", "log-uniform"}, default="uniform"
        Whether numbers or their logarithms are spread evenly.

    See Also
    --------
    GeneticSearchCV : The search that uses it.

    Examples
    --------
    >>> from narxkit import Integer
    >>> Integer(2, 12).decode([0.99])
    12
    """

    noun = "ints"

    def _is_valid(self, value):
        return is_int(value)

    @property
    def n_values(self):
        """Number of whole numbers."""
        return self.upper - self.lower + 1

    def decode(self, cells):
        return min(floor(self._place(cells[0], self.lower, self.upper + 1)), self.upper)

    def _encode(self, value):
        return [self._cell(value + 0.5, self.lower, self.upper + 1)]


class Continuous(Number):
    """A number between two bounds.

    Parameters
    ----------
    lower, upper : float
        The bounds.
    distribution : {"uniform", "log-uniform"}, default="uniform"
        Whether numbers or their logarithms are spread evenly.

    See Also
    --------
    GeneticSearchCV : The search that uses it.

    Examples
    --------
    >>> from narxkit import Continuous
    >>> Continuous(1e-4, 100, distribution="log-uniform").decode([0.5])
    0.1
    """

    n_values = 1  # of no use here: numbers mutate by steps

    def _is_valid(self, value):
        return isinstance(value, Real) and not isinstance(value, bool) and isfinite(value)

    def decode(self, cells):
        value = float(f"{self._place(cells[0], self.lower, self.upper):.{DIGITS}g}")
        return min(max(value, float(self.lower)), float(self.upper))

    def _encode(self, value):
        return [self._cell(value, self.lower, self.upper)]


@dataclass(frozen=True)
class Subset(Dimension):
    """Some of several candidates, such as a set of lags.

    Parameters
    ----------
    candidates : sequence
        What may be chosen; a chosen subset is a list in this order.
    min : int, default=0
        Fewest candidates to choose.

    See Also
    --------
    GeneticSearchCV : The search that uses it.

    Examples
    --------
    >>> from narxkit import Subset
    >>> Subset([1, 2, 24], min=1).decode([0.9, 0.1, 0.6])
    [1, 24]
    """

    candidates: Sequence
    min: int = 0

    n_values = 2

    def __post_init__(self):
        if not _is_sequence(self.candidates):
            raise ValueError(
                f"candidates of Subset must be a sequence. Got {self.candidates!r} instead."
            )
        n = len(self.candidates)
        if n == 0 or _count_different(self.candidates) < n:
            raise ValueError(
                "candidates of Subset must be one or more values that differ. "
                f"Got {self.candidates!r} instead."
            )
        if not is_int(self.min) or not 0 <= self.min <= n:
            raise ValueError(
                f"min of Subset must be an int from 0 to the number of candidates, {n}. "
                f"Got {self.min!r} instead."
            )

    @property
    def n_cells(self):
        """Number of candidates."""
        return len(self.candidates)

    def decode(self, cells):
        return [value for value, cell in zip(self.candidates, cells) if cell >= 0.5]

    def encode(self, value):
        if not np.iterable(value) or not set(value) <= set(self.candidates):
            self._refuse(value)
        if len(set(value)) < self.min:
            self._refuse(value)
        return [0.75 if candidate in value else 0.25 for candidate in self.candidates]

    def snap(self, cells, rng):
        chosen = np.asarray(cells) >= 0.5
        # where there are too few, others are drawn
        lacking = self.min - np.count_nonzero(chosen)
        if lacking > 0:
            chosen[rng.choice(np.flatnonzero(~chosen), lacking, replace=False)] = True
        return np.where(chosen, 0.75, 0.25)


@dataclass(frozen=True)
class Gene:
    """A dimension, the parameter that it belongs to, and its key where that one is a dict."""

    parameter: str
    key: Any
    dimension: Dimension
    cells: slice


class Space:
    """A search space: configurations as genomes, the rows of arrays.

    Parameters
    ----------
    param_space : dict
        Parameters and their dimensions, or dicts of them.

    Attributes
    ----------
    n_cells : int
        Length of a genome.
    is_ordered : ndarray of bool, shape (n_cells,)
        Whether a cell is that of a number.
    n_values : ndarray of int, shape (n_cells,)
        How many values a cell stands for.
    """

    def __init__(self, param_space):
        self.param_space = _read_space(param_space)
        self.genes = []
        self.n_cells = 0
        for name, value in self.param_space.items():
            for key, dimension in value.items() if isinstance(value, dict) else [(None, value)]:
                if isinstance(dimension, Dimension):
                    self._append(name, key, dimension)
        counts = [gene.dimension.n_cells for gene in self.genes]
        self.is_ordered = np.repeat([gene.dimension.is_ordered for gene in self.genes], counts)
        self.n_values = np.repeat([gene.dimension.n_values for gene in self.genes], counts)

    def _append(self, name, key, dimension):
        end = self.n_cells + dimension.n_cells
        self.genes.append(Gene(name, key, dimension, slice(self.n_cells, end)))
        self.n_cells = end

    def sample(self, n, rng):
        """Draw genomes that are spread evenly over each cell (a Latin hypercube)."""
        rows = rng.permuted(np.tile(np.arange(n)[:, None], (1, self.n_cells)), axis=0)
        return self.snap((rows + rng.random(rows.shape)) / n, rng)

    def snap(self, genomes, rng):
        """Return the genomes of the configurations that points of the cube stand for."""
        snapped = np.empty(np.shape(genomes))
        for row, genome in zip(snapped, genomes):
            for gene in self.genes:
                row[gene.cells] = gene.dimension.snap(genome[gene.cells], rng)
        return snapped

    def decode(self, genome):
        """Return the configuration of a genome, for ``set_params``."""
        params = {
            name: dict(value) if isinstance(value, dict) else value
            for name, value in self.param_space.items()
        }
        for gene in self.genes:
            place = params if gene.key is None else params[gene.parameter]
            name = gene.parameter if gene.key is None else gene.key
            place[name] = gene.dimension.decode(genome[gene.cells])
        return params

    def encode(self, params, name):
        """Return the genome of a configuration, which is called by a name where it is refused."""
        if not isinstance(params, dict) or set(params) != set(self.param_space):
            raise ValueError(
                f"{name} must be a dict of the parameters of param_space, "
                f"{', '.join(self.param_space)}. Got {params!r} instead."
            )
        for parameter, inside in self.param_space.items():
            if isinstance(inside, dict) and not _has_constants_of(params[parameter], inside):
                raise ValueError(
                    f"{name} has {parameter}={params[parameter]!r}, which is outside of "
                    f"param_space: {inside!r}."
                )
        genome = np.empty(self.n_cells)
        for gene in self.genes:
            value = params[gene.parameter]
            try:
                genome[gene.cells] = gene.dimension.encode(
                    value if gene.key is None else value[gene.key]
                )
            except (ValueError, KeyError, TypeError) as error:
                raise ValueError(
                    f"{name} has {gene.parameter}={value!r}, which is outside of param_space: "
                    f"{gene.dimension!r}."
                ) from error
        return genome


def _has_constants_of(value, inside):
    """Return whether a dict has the keys of a dict of dimensions, and what is fixed in it."""
    if not isinstance(value, dict) or set(value) != set(inside):
        return False
    return all(
        isinstance(constant, Dimension) or np.array_equal(value[key], constant)
        for key, constant in inside.items()
    )


def _read_space(param_space):
    if not isinstance(param_space, dict) or not param_space:
        raise ValueError(
            "param_space must be a dict of one or more parameters and what they may be, such as "
            f"{{'alpha': Continuous(1e-4, 100, distribution='log-uniform')}}. "
            f"Got {param_space!r} instead."
        )
    for name, value in param_space.items():
        inside = list(value.values()) if isinstance(value, dict) else [value]
        if not any(isinstance(dimension, Dimension) for dimension in inside):
            raise ValueError(
                f"param_space[{name!r}] must be a Categorical, Integer, Continuous or Subset, or a "
                f"dict with them, as lags by column are. Got {value!r} instead."
            )
    return dict(param_space)


def refuse_unknown(param_space, estimator):
    """Raise where a space names a parameter that the estimator lacks."""
    known = estimator.get_params()
    for name in param_space:
        # parameters of objects that the space itself brings are known once they are there
        if name in known or any(name.startswith(f"{other}__") for other in param_space):
            continue
        beside = name.rpartition("__")[0]
        choices = [other for other in known if other.rpartition("__")[0] == beside]
        raise ValueError(
            f"{name!r} of param_space is no parameter of this {type(estimator).__name__}: choose "
            f"from {', '.join(sorted(choices or known))}."
        )
