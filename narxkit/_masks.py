"""Masked arrays of NumPy, read as values of which some are missing."""

import numpy as np


def unmasked(values):
    """Fill what a masked array, or a list of them, hides with NaN; all else stays as it is.

    Examples
    --------
    >>> unmasked(np.ma.masked_equal([1, 2, 3], 2))
    array([ 1., nan,  3.])
    """
    if isinstance(values, list | tuple) and any(map(np.ma.isMaskedArray, values)):
        values = np.ma.array(values)
    if not isinstance(values, np.ma.MaskedArray):
        return values
    if values.dtype.kind in "mM":
        return values.data
    return values.astype(float if values.dtype.kind in "iubf" else object).filled(np.nan)
