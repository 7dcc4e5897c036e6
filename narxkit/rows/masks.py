"""Masked arrays of NumPy, read as values of which some are missing."""

import numpy as np


def unmasked(values):
    """Fill what a masked array, or a list of them, hides with NaN; all else stays as it is.

    Examples
    --------
    >>> unmasked(np.ma.masked_equal([1, 2, 3], 2))
    array([ 1., nan,  3.])
    """
    if isinstance(values, (list, tuple)) and any(map(np.ma.isMaskedArray, values)):
        # np.asarray would take the data of each, hidden ones too
        values = np.ma.array(values)
    if not isinstance(values, np.ma.MaskedArray):
        return values
    if values.dtype.kind in "iub":  # no NaN among integers
        values = values.astype(float)
    elif values.dtype.kind in "SU":
        values = values.astype(object)
    return values.filled(np.nan) if values.dtype.kind in "fcO" else values.data
