"""Checks of the kind of a value."""

from numbers import Integral

import numpy as np


def is_int(value):
    """Tell whether a value is an integer, which True is not."""
    return isinstance(value, Integral) and not isinstance(value, (bool, np.bool_))


def is_count(value):
    """Tell whether a value is a positive integer."""
    return is_int(value) and value >= 1
