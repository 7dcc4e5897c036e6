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
        In the folds, from the last one on; fewer than there are where it was too bad for more.
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
    weight: float = 0.0
    seconds: float = 0.0

    @property
    def error(self):
        """The mean over folds, infinite before any."""
        return float(np.mean(self.errors)) if self.errors else np.inf

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
