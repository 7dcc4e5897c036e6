"""Checks of arguments, in scikit-learn's sentence."""

from numbers import Integral, Real


def check_integer(owner, name, value, low):
    """Return the integer ``value``, which must be at least ``low``."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < low:
        refuse(owner, name, f"an int in the range [{low}, inf)", value)
    return int(value)


def check_real(owner, name, value, low, high=float("inf"), *, open_low=False):
    """Return the number ``value`` as a float; it must lie between ``low`` and ``high``."""
    inside = isinstance(value, Real) and low <= value <= high and abs(value) != float("inf")
    if not inside or isinstance(value, bool) or (open_low and value == low):
        left, right = "(" if open_low else "[", ")" if high == float("inf") else "]"
        refuse(owner, name, f"a float in the range {left}{low}, {high}{right}", value)
    return float(value)


def refuse(owner, name, rule, value):
    raise ValueError(f"The {name!r} parameter of {owner} must be {rule}. Got {value!r} instead.")
