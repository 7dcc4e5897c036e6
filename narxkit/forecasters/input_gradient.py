"""How a prediction depends on what came before it, by lag and column."""

from typing import NamedTuple

import numpy as np

from narxkit.rows.rollouts import Rollouts


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

    Examples
    --------
    >>> from narxkit import TDNN
    >>> import numpy as np
    >>> u = np.sin(np.arange(60.0))
    >>> model = TDNN(input_lags=1, hidden_layer_sizes=()).fit(u[1:, None], u[:-1])
    >>> gradient = model.input_gradient(u[1:, None], u[:-1])
    >>> gradient.columns, gradient.lags, gradient.values[5, 0, 0].round(3)
    ([0, 'y'], [0, 1], array([-0.,  1.]))
    """

    values: np.ndarray
    standardised: np.ndarray
    columns: list
    lags: list


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
