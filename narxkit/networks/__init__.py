"""Networks: immutable structures that explain a flat parameter vector, and their kernels."""

from narxkit.networks.base import Network
from narxkit.networks.both_ways import BidirectionalNetwork
from narxkit.networks.cells import CELLS, CellLayers, CellNetwork, CellWeights
from narxkit.networks.tapped_mlp import ACTIVATIONS, TappedMLP, Weights
from narxkit.networks.taps import Taps, largest_lag, make_taps

__all__ = [
    "ACTIVATIONS",
    "CELLS",
    "BidirectionalNetwork",
    "CellLayers",
    "CellNetwork",
    "CellWeights",
    "Network",
    "TappedMLP",
    "Taps",
    "Weights",
    "largest_lag",
    "make_taps",
]
