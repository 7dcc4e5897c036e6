"""Networks: immutable structures that explain a flat parameter vector, and their kernels."""

from narxkit.networks.tapped_mlp import ACTIVATIONS, TappedMLP, Weights

__all__ = ["ACTIVATIONS", "TappedMLP", "Weights"]
