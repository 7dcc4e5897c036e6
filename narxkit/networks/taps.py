"""Lag specifications, and the taps they become.

A tap is one number that the network sees: a column of y or of X, some rows back. The lagged
vector of row t is

    z_t = [ y_{t-l} for every output and its lags,  u_{t-l} for every input and its lags ]

so ``output_lags=2, input_lags=1`` gives ``z_t = [y_{t-1}, y_{t-2}, u_t, u_{t-1}]``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from narxkit._checks import is_int
from narxkit.rows.reach import Reach

MOST_LAGS = 10**6  # more than any network can read; a number of them stands for a tuple


@dataclass(frozen=True)
class Taps:
    """Which column is read how many rows back.

    Parameters
    ----------
    output_lags : tuple of int
        Lags of every output, at least 1 each; empty for a network without feedback.
    input_lags : tuple of tuple of int
        One tuple of lags for each input column; negative lags are leads.
    n_outputs : int, default=1
        Number of columns of y.

    Examples
    --------
    >>> from narxkit.networks import Taps
    >>> taps = Taps(output_lags=(1, 24), input_lags=((0, -1),))
    >>> taps.outputs, taps.inputs, taps.reach.history
    (((0, 1), (0, 24)), ((0, 0), (0, -1)), 24)
    """

    output_lags: tuple[int, ...]
    input_lags: tuple[tuple[int, ...], ...]
    n_outputs: int = 1

    @cached_property
    def outputs(self):
        """(column of y, lag) of each output tap, in the order of the lagged vector."""
        return tuple((j, lag) for j in range(self.n_outputs) for lag in self.output_lags)

    @cached_property
    def inputs(self):
        """(column of X, lag) of each input tap, in the order of the lagged vector."""
        return tuple((i, lag) for i, lags in enumerate(self.input_lags) for lag in lags)

    @property
    def n_taps(self):
        """Length of the lagged vector."""
        return len(self.outputs) + len(self.inputs)

    @property
    def n_inputs(self):
        """Number of columns of X."""
        return len(self.input_lags)

    @cached_property
    def reach(self):
        """The rows and columns that a prediction reads."""
        return Reach(self.outputs, self.inputs)

    def names(self, inputs, outputs):
        """Name the taps, such as ``"ghi[t-1]"``.

        Parameters
        ----------
        inputs, outputs : sequence of str
            Names of the columns of X and of y.

        Returns
        -------
        list of str
            One name for each tap.
        """
        return [
            f"{name[column]}[t{-lag:+d}]" if lag else f"{name[column]}[t]"
            for name, taps in ((outputs, self.outputs), (inputs, self.inputs))
            for column, lag in taps
        ]


def make_taps(input_lags, output_lags, columns=(), n_outputs=1):
    """Read lag specifications.

    Parameters
    ----------
    input_lags : int, sequence of int or dict
        L means lags 0..L; a sequence means exactly those lags, negative ones are leads; a dict
        gives each column its own and must name every column (``[]`` removes one).
    output_lags : int or sequence of int
        K means lags 1..K; a sequence means exactly those lags, at least 1 each.
    columns : sequence
        Names of the input columns; positions for arrays.
    n_outputs : int
        Number of outputs.

    Returns
    -------
    Taps
        What is read of each column.

    Raises
    ------
    ValueError
        When a lag is of the wrong kind or a column has no entry in the dict.

    Examples
    --------
    >>> make_taps({"sun": 1, "rain": [24]}, 2, columns=["sun", "rain"])
    Taps(output_lags=(1, 2), input_lags=((0, 1), (24,)), n_outputs=1)
    """
    outputs = _read_lags(output_lags, "output_lags", first=1)
    if isinstance(input_lags, Mapping):
        inputs = _read_each_column(input_lags, columns)
    else:
        inputs = (_read_lags(input_lags, "input_lags", first=0),) * len(columns)
    return Taps(outputs, inputs, n_outputs)


def _read_each_column(input_lags, columns):
    columns = list(columns)
    missing = [c for c in columns if c not in input_lags]
    unknown = [c for c in input_lags if c not in columns]
    if unknown:
        raise ValueError(
            f"input_lags names the columns {unknown}, but X has the columns {columns}: "
            "correct the names."
        )
    if missing:
        raise ValueError(
            f"input_lags gives no lags for the columns {missing} of X: name every column, "
            f"for example {missing[0]!r}: 1, or {missing[0]!r}: [] to leave it out."
        )
    return tuple(_read_lags(input_lags[c], f"input_lags[{c!r}]", first=0) for c in columns)


def _read_lags(lags, name, first):
    """0..L or 1..K from a number, exactly those from a sequence."""
    if is_int(lags) and lags >= 0:
        _refuse_endless(lags, name)
        return tuple(range(first, int(lags) + 1))
    is_sequence = isinstance(lags, Sequence) and not isinstance(lags, str)
    is_sequence |= isinstance(lags, np.ndarray) and lags.ndim == 1
    _refuse_endless(len(lags) if is_sequence else 0, name)
    if not is_sequence or not all(is_int(lag) for lag in lags):
        kinds = f"an int >= 0 (lags {first}..{'K' if first else 'L'}), a sequence of ints"
        kinds += " or a dict of column: lags" if name == "input_lags" else ""
        raise ValueError(f"{name} must be {kinds}. Got {lags!r} instead.")
    lags = tuple(int(lag) for lag in lags)
    if first and min(lags, default=first) < first:
        raise ValueError(
            f"{name} must be at least {first}: an output is not known at its own time. "
            f"Got {min(lags)}."
        )
    if len(set(lags)) < len(lags):
        raise ValueError(f"{name} holds a lag twice: {list(lags)}. Name each lag once.")
    return lags


def _refuse_endless(n_lags, name):
    if n_lags > MOST_LAGS:
        raise ValueError(
            f"{name} must hold at most {MOST_LAGS:,} lags. Got {n_lags:,}: give the lags that "
            "matter as a sequence."
        )
