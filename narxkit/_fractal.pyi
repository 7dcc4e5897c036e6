"""Types of the compiled kernels of the Hurst exponent."""

import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float64]

def toeplitz_forms(x: _Floats, gamma: _Floats, work: _Floats, forms: _Floats) -> None:
    """x'G^-1 x, 1'G^-1 x, 1'G^-1 1 and log det G for a Toeplitz matrix G."""

def rescaled_range(x: _Floats, path: _Floats, s: int) -> float:
    """Mean over boxes of the range of the path, by the standard deviation of x."""

def detrended_variance(path: _Floats, basis: _Floats, box: _Floats) -> float:
    """Mean square of what is left of a path when its trend is taken away box by box."""
