"""How a prediction depends on what came before it, by lag and column."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from narxkit._words import counted
from narxkit.rows.rollouts import Rollouts

MOST_SHOWN = 10  # columns, of those in a repr
LARGEST = "largest, standardised"


class InputGradient(NamedTuple):
    """Derivatives of one-step predictions.

    Parameters
    ----------
    values : ndarray of shape (n, n_outputs, n_columns, n_lags)
        Derivative of each output of each row by each column at each lag, in the units of the output
        over those of the column; NaN for rows that are not predicted.
    standardised : ndarray of the same shape
        The same in standard deviations of both.
    columns : list
        The inputs, then the outputs.
    lags : list of int
        Rows back; negative ones are leads.
    index : pandas.Index or None, default=None
        Labels of the rows, where they have any.

    Examples
    --------
    >>> from narxkit import TDNN
    >>> import numpy as np
    >>> u = np.sin(np.arange(60.0))
    >>> model = TDNN(input_lags=1, hidden_layer_sizes=()).fit(u[1:, None], u[:-1])
    >>> gradient = model.input_gradient(u[1:, None], u[:-1])
    >>> gradient.columns, gradient.lags, gradient.values[5, 0, 0].round(3)
    ([0, 'y'], [0, 1], array([-0.,  1.]))
    >>> gradient
    Derivatives of 1 output in 59 rows, 58 of them predicted, by 2 columns at lags from 0 to 1.
    <BLANKLINE>
      column  largest, standardised  at lag
           0                   1.01       1
           y                      0       0
    """

    values: np.ndarray
    standardised: np.ndarray
    columns: list
    lags: list
    index: pd.Index | None = None

    def __repr__(self):
        n, p, n_columns, _ = self.values.shape
        is_there = np.isfinite(self.values).all(axis=(1, 2, 3))
        lines = [
            f"Derivatives of {counted(p, 'output')} in {counted(n, 'row')}, {is_there.sum():,} of "
            f"them predicted, by {counted(n_columns, 'column')} at lags from {self.lags[0]} to "
            f"{self.lags[-1]}."
        ]
        if is_there.any():
            lines += ["", *(f"  {line}" for line in self._describe_largest(is_there))]
        return "\n".join(lines)

    def _describe_largest(self, rows):
        """Write the largest standardised derivative of each column, as root mean square of rows."""
        sizes = np.sqrt(np.mean(self.standardised[rows] ** 2, axis=(0, 1)))
        largest = pd.DataFrame(
            {
                "column": self.columns,
                LARGEST: sizes.max(axis=1),
                "at lag": np.take(self.lags, sizes.argmax(axis=1)),
            }
        ).sort_values(LARGEST, ascending=False, kind="stable")
        text = largest.head(MOST_SHOWN).to_string(index=False, float_format="{:.3g}".format)
        rest = counted(len(largest) - MOST_SHOWN, "column")
        return [*text.split("\n"), *([f"and {rest} more"] if len(largest) > MOST_SHOWN else [])]

    def to_frame(self):
        """Gather the derivatives, in units of the outputs over those of the columns.

        Returns
        -------
        DataFrame
            A row for each row, and columns by "output", "column" and "lag".
        """
        n, p = self.values.shape[:2]
        levels = [self.columns[-p:], self.columns, self.lags]
        columns = pd.MultiIndex.from_product(levels, names=["output", "column", "lag"])
        return pd.DataFrame(self.values.reshape(n, -1), self.index, columns)


def differentiate(network, thetas, segments, rows):
    """Differentiate one-step predictions of some rows, in the units of the segments.

    Parameters
    ----------
    network : Network
        The network.
    thetas : sequence of ndarray
        Parameters, of which the mean is taken.
    segments : Segments
        Measured rows.
    rows : ndarray of int
        Those to predict.

    Returns
    -------
    values : ndarray of shape (n, n_outputs, n_inputs + n_outputs, n_lags)
        Derivatives by the inputs and then the outputs.
    lags : list of int
        Rows back.
    """
    taps, reach, p = network.taps, network.reach, network.n_outputs
    rollouts = Rollouts.one_step(segments, rows)
    of_outputs = [(taps.n_inputs + j, first, last) for j, first, last in taps.outputs]
    by_taps = np.stack(
        [
            np.mean([network.input_gradient(theta, rollouts, j) for theta in thetas], axis=0)
            for j in range(p)
        ],
        axis=1,
    )
    # the lags of a window's first step reach back from there
    lags = list(range(-reach.lead, reach.history + by_taps.shape[2]))
    values = np.zeros((len(rows), p, taps.n_inputs + p, len(lags)))
    for j in range(p):
        _add_by_lag(by_taps[:, j], [*of_outputs, *taps.inputs], reach.lead, values[:, j])
    return values, lags


def name_columns(inputs, outputs):
    """Name inputs and outputs so that each is told from the others.

    Examples
    --------
    >>> name_columns([0, 1], [None, None]), name_columns(["y"], [None])
    ([0, 1, 'y0', 'y1'], ['y', 'output y'])
    """
    numbers = range(len(outputs)) if len(outputs) > 1 else [""]
    names = [f"y{i}" if name is None else name for i, name in zip(numbers, outputs)]
    return [*inputs, *(f"output {name}" if name in inputs else name for name in names)]


def _add_by_lag(by_taps, taps, lead, by_lag):
    """Add what each tap of each step passes to the lags that it reads, counted from the last."""
    n_steps = by_taps.shape[1]
    for k, (column, first, last) in enumerate(taps):
        # a mean passes the same part on to each of its rows; the last step has lag 0
        share = by_taps[:, ::-1, k] / (last - first + 1)
        for lag in range(first, last + 1):
            by_lag[:, column, lead + lag : lead + lag + n_steps] += share
