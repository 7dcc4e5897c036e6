"""Lag specifications, and the taps they become.

A tap is one number that the network sees: a column of y or of X, some rows back, or its mean over
a window of rows. The lagged vector of row t is

    z_t = [ y_{t-l} for every output and its lags,  u_{t-l} for every input and its lags ]

so ``output_lags=2, input_lags=1`` gives ``z_t = [y_{t-1}, y_{t-2}, u_t, u_{t-1}]``. Among the lags
a pair (first, last) stands for the mean over all lags from the first to the last:
``output_lags=[1, (1, 24)]`` gives ``z_t = [y_{t-1}, (y_{t-1} + ... + y_{t-24}) / 24]``. The pair
stands inside of a sequence: ``output_lags=(1, 24)`` are the lags 1 and 24.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from narxkit._checks import is_int
from narxkit._stored import stored
from narxkit.rows.reach import Reach

Lag = int | tuple[int, int]  # one row, or the mean over the rows from a first lag to a last one
A_LAG = "an int, or a pair (first, last) for the mean over these lags"
MOST_LAGS = 10**6  # more than any network can read; a number of them stands for a tuple


@stored
@dataclass(frozen=True)
class Taps:
    """Which column is read how many rows back.

    Parameters
    ----------
    output_lags : tuple of int or (int, int)
        Lags of every output, at least 1 each; empty for a network without feedback. A pair
        (first, last) is the mean over a window of lags.
    input_lags : tuple of tuple of int or (int, int)
        One tuple of lags for each input column; negative lags are leads.
    n_outputs : int, default=1
        Number of columns of y.

    Examples
    --------
    >>> from narxkit.networks import Taps
    >>> taps = Taps(output_lags=(1, 24), input_lags=((0, -1),))
    >>> taps.outputs, taps.inputs, taps.reach.history
    (((0, 1, 1), (0, 24, 24)), ((0, 0, 0), (0, -1, -1)), 24)
    """

    output_lags: tuple[Lag, ...]
    input_lags: tuple[tuple[Lag, ...], ...]
    n_outputs: int = 1

    @cached_property
    def outputs(self):
        """(column of y, first lag, last lag) of each output tap, as the lagged vector has them."""
        return tuple(
            (j, *_first_and_last(lag)) for j in range(self.n_outputs) for lag in self.output_lags
        )

    @cached_property
    def inputs(self):
        """(column of X, first lag, last lag) of each input tap, as the lagged vector has them."""
        return tuple(
            (i, *_first_and_last(lag)) for i, lags in enumerate(self.input_lags) for lag in lags
        )

    @property
    def output_spans(self):
        """Rows that each output tap is the mean of."""
        return np.array([last - first + 1 for _, first, last in self.outputs], dtype=float)

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
        return Reach(_single_lags(self.outputs), _single_lags(self.inputs))

    def names(self, inputs, outputs):
        """Name the taps, such as ``"ghi[t-1]"``, or ``"ghi[t-24..t-1]"`` for a mean.

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
            f"{name[column]}[{_name_rows(first, last)}]"
            for name, taps in ((outputs, self.outputs), (inputs, self.inputs))
            for column, first, last in taps
        ]


def _first_and_last(lag):
    return (lag, lag) if is_int(lag) else lag


def _single_lags(taps):
    """Return each (column, lag) that taps read, once."""
    # a mean may hold lags that stand alone, too
    rows = ((column, lag) for column, first, last in taps for lag in range(first, last + 1))
    return tuple(dict.fromkeys(rows))


def _name_rows(first, last):
    newest, oldest = (f"t{-lag:+d}" if lag else "t" for lag in (first, last))
    return newest if first == last else f"{oldest}..{newest}"


def make_taps(input_lags, output_lags, columns=(), n_outputs=1):
    """Read lag specifications.

    Parameters
    ----------
    input_lags : int, sequence of int or (int, int), or dict
        L means lags 0..L; a sequence means exactly those lags, negative ones are leads; a pair
        (first, last) in it means one tap, the mean over the lags from first to last; a dict gives
        each column its own and must name every column (``[]`` removes one).
    output_lags : int or sequence of int or (int, int)
        K means lags 1..K; a sequence means exactly those lags, at least 1 each, and pairs as above.
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

    The last value and the mean of the last day:

    >>> make_taps([], [1, (1, 24)]).names([], ["load"])
    ['load[t-1]', 'load[t-24..t-1]']
    """
    outputs = _read_lags(output_lags, "output_lags", first=1)
    if isinstance(input_lags, Mapping):
        inputs = _read_each_column(input_lags, columns)
    else:
        inputs = (_read_lags(input_lags, "input_lags", first=0),) * len(columns)
    return Taps(outputs, inputs, n_outputs)


def largest_lag(lags, name="output_lags"):
    """Return the largest lag that a specification of lags of the output names, 0 without any.

    Parameters
    ----------
    lags : int or sequence of int or (int, int)
        As in `make_taps`.
    name : str, default="output_lags"
        What a refusal calls them.

    Returns
    -------
    int
        Rows back.

    Raises
    ------
    ValueError
        When a lag is of the wrong kind.

    Examples
    --------
    >>> largest_lag(24), largest_lag([1, (2, 48)])
    (24, 48)
    """
    if is_int(lags) and lags >= 0:
        return int(lags)  # however large: they are not laid out
    return max((_first_and_last(lag)[1] for lag in _read_lags(lags, name, first=1)), default=0)


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
    """Read 0..L or 1..K from a number, exactly those from a sequence."""
    if is_int(lags) and lags >= 0:
        _refuse_endless(lags, name)
        return tuple(range(first, int(lags) + 1))
    is_sequence = isinstance(lags, Sequence) and not isinstance(lags, str)
    is_sequence |= isinstance(lags, np.ndarray) and lags.ndim == 1
    # before each is looked at
    _refuse_endless(len(lags) if is_sequence else 0, name)
    if not is_sequence or not all(is_int(lag) or _is_pair(lag) for lag in lags):
        letter = "K" if first else "L"
        kinds = f"an int >= 0 (lags {first}..{letter}) or a sequence, each of it {A_LAG}"
        kinds += "; or a dict of column: lags" if name == "input_lags" else ""
        raise ValueError(f"{name} must be {kinds}. Got {lags!r} instead.")
    lags = tuple(int(lag) if is_int(lag) else _read_window(lag, name) for lag in lags)
    if first:
        _refuse_unknown_outputs(lags, name)
    if len(set(lags)) < len(lags):
        raise ValueError(f"{name} holds a lag twice: {list(lags)}. Name each lag once.")
    return lags


def _refuse_unknown_outputs(lags, name):
    for lag in lags:
        if _first_and_last(lag)[0] < 1:
            means = "" if is_int(lag) else f", the mean over the lags from {lag[0]} to {lag[1]}"
            raise ValueError(
                f"{name} must be at least 1: an output is not known at its own time. Got "
                f"{lag}{means}."
            )


def _is_pair(lag):
    return isinstance(lag, (tuple, list)) and len(lag) == 2 and all(map(is_int, lag))


def _read_window(pair, name):
    """Return (first, last), or the lag where they are the same."""
    first, last = map(int, pair)
    if last < first:
        raise ValueError(
            f"{name} holds {tuple(pair)}, whose last lag comes before its first, but each lag must "
            f"be {A_LAG}: give ({last}, {first})."
        )
    _refuse_endless(last - first + 1, name)
    return first if first == last else (first, last)


def _refuse_endless(n_lags, name):
    if n_lags > MOST_LAGS:
        raise ValueError(
            f"{name} must hold at most {MOST_LAGS:,} lags. Got {n_lags:,}: give the lags that "
            "matter as a sequence."
        )
