"""A candidate of the pool, prepared for the training rows, and what was found of it."""

from dataclasses import dataclass, field

import numpy as np

from narxkit._stored import stored
from narxkit.auto.pool import Inputs
from narxkit.forecasters.inner import Inner
from narxkit.forecasters.network import NetworkForecaster


@stored
@dataclass(eq=False)
class Member:
    """A forecaster and its part in the whole.

    Attributes
    ----------
    name : str
        What it is, for a table.
    inner : Inner
        The forecaster.
    reads : Inputs or None
        What a plain linear model reads beside the outputs; None for all others.
    transforms : dict or None
        What a plain linear model transforms.
    errors : list of float
        In the folds, from the last one on.
    error : float
        What it is weighed by; infinite where it was too bad in the last fold.
    weight : float
        Its part in the forecasts.
    seconds : float
        That judging it took.
    """

    name: str
    inner: Inner
    reads: Inputs | None = None
    transforms: dict | None = None
    errors: list = field(default_factory=list)
    error: float = np.inf
    weight: float = 0.0
    seconds: float = 0.0

    @property
    def networks(self):
        """The networks inside; hidden layers may be off, or missing."""
        return [one for one in self.inner.parts if isinstance(one, NetworkForecaster)]

    @property
    def lives(self):
        """Whether a network lives in it."""
        return any(not network.is_linear_ for network in self.networks)

    @property
    def is_dead(self):
        """Whether it holds hidden layers, all of which are off."""
        has_layers = any(network.hidden_layer_sizes != () for network in self.networks)
        return has_layers and not self.lives
