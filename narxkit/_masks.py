"""Masked arrays of NumPy, read as values of which some are missing."""

import numpy as np


def unmasked(values):
    """Fill what a masked array hides with NaN; all else stays as it is.

    Examples
    --------
    >>> unmasked(np.ma.masked_equal([1, 2, 3], 2))
    array([ 1., nan,  3.])
    """
    if not isinstance(values, np.ma.MaskedArray):
        return values
    if values.dtype.kind in "iub":
        values = values.astype(float)
    return values.filled(np.nan) if values.dtype.kind in "fcO" else values.data
