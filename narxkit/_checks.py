"""Checks of the kind of a value."""

from numbers import Integral

import numpy as np


def is_int(value):
    """Return whether a value is a whole number, which True is not."""
    return isinstance(value, Integral) and not isinstance(value, (bool, np.bool_))


def is_count(value):
    """Return whether a value is a whole number from 1 on."""
    return is_int(value) and value >= 1
