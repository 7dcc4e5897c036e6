"""The linear model of the taps: least squares and ridge regression, about a mean or a level."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError, lstsq, solve

from narxkit.networks import Taps

FEWEST = 1e-300  # summed weight of no rows at all, whose other sums are 0 too
ROUNDING = 1e-12  # of a tap's mean square: what sums leave of the variance of a constant
MANY, TELLING = 100, 1e-10  # weights, and a penalty that tells apart what the rows do not


def ridge(objective):
    r"""Return the ridge regression of a linear network, as a function of the penalty.

    .. math::

        \min_{w, b} \sum_t (y_t - z_t w - b)^2 + \alpha \sum_i (w_i s_i)^2

    for each output, with :math:`s_i` the standard deviation of tap i. The intercept is eliminated
    and the taps are centred and divided by :math:`s_i`, so that their units do not matter; of
    weights that the rows cannot tell apart the smallest are taken, and a tap that is constant in
    these rows gets none.

    Parameters
    ----------
    objective : Objective
        One-step predictions of a network without hidden layers.

    Returns
    -------
    callable
        ``solve(alpha)`` gives the parameters; all share one pass over the data. An array of shape
        (n_taps,) instead of a number penalises the weights as they are, not times :math:`s_i`.
    """
    network = objective.network
    JtJ, Jte, *_ = objective.normal_equations(np.zeros(network.n_params))
    places = network.unpack(np.arange(network.n_params))
    equations = [
        (w, b, *_centred(JtJ, Jte, w, b)) for w, b in zip(places.coefs[0].T, places.intercepts[0])
    ]

    def solution(alpha):
        theta = np.empty(network.n_params)
        for w, b, products, shared, means, std, unit in equations:
            penalised = products + np.diag(alpha * (unit**2 if np.ndim(alpha) else std > 0))
            theta[w] = lstsq(penalised, shared, cond=ROUNDING, check_finite=False)[0]
            theta[w] /= np.where(std > 0, std, 1.0)
            theta[b] = -Jte[b] / max(JtJ[b, b], FEWEST) - means @ theta[w]
        return theta

    return solution


def levelled_ridge(objective, level):
    r"""Return the ridge regression of the deviations from a level, as a function of the penalty.

    .. math::

        \min_a \sum_t \Big(y_t - m_t - \sum_i a_i (z_{t,i} - m_t)\Big)^2
        + \alpha \sum_i (a_i s_i)^2

    for each output, with :math:`s_i` the root mean square of what :math:`a_i` stands before. So the
    penalty draws towards the level m, not towards the mean of all rows.

    Parameters
    ----------
    objective : Objective
        One-step predictions of a network without hidden layers.
    level : Level
        The level m.

    Returns
    -------
    callable
        ``solve(alpha)`` gives the parameters; all share one pass over the data.
    """
    network = objective.network
    JtJ, Jte, *_ = objective.normal_equations(np.zeros(network.n_params))
    places = network.unpack(np.arange(network.n_params))
    equations = []
    for output, (w, b) in enumerate(zip(places.coefs[0].T, places.intercepts[0])):
        at, (start, directions) = np.append(w, b), level.of(output)
        products = JtJ[np.ix_(at, at)]
        # at zero parameters the residual is -y
        shared = -directions.T @ (Jte[at] + products @ start)
        # what the terms of each square may add up to: products are at most those of lengths
        terms = (np.sqrt(np.diag(products)) @ np.abs(directions)) ** 2
        products = directions.T @ products @ directions
        square = np.diag(products)
        # rounding leaves deviations that are all 0 a square, of either sign
        square = np.where(square > ROUNDING * terms, square, 0.0)
        size = np.sqrt(square / max(JtJ[b, b], FEWEST))
        unit = np.divide(1.0, size, out=np.zeros_like(size), where=size > 0)
        products *= np.outer(unit, unit)
        equations.append((at, start, directions * unit, products, shared * unit))

    def solution(alpha):
        theta = np.empty(network.n_params)
        for at, start, directions, products, shared in equations:
            penalised = products + alpha * np.eye(len(products))
            theta[at] = start + directions @ _solved(penalised, shared, alpha)
        return theta

    return solution


@dataclass(frozen=True)
class Level:
    """The level that outputs are taken less: the mean of the last rows, or zero.

    Attributes
    ----------
    taps : Taps
        With a tap of the level for each output, if it is a mean.
    rows : int
        Rows whose mean it is; 0 for the level 0.
    zero : ndarray of shape (n_outputs,)
        The mean of each output over its deviation: how far below the rows the level 0 lies, in
        standardised units.
    n_modulators : int, default=0
        Inputs at the end of X that the weights of all other taps vary with, as in `PeriodicLinear`.
    """

    taps: Taps
    rows: int
    zero: np.ndarray
    n_modulators: int = 0

    def of(self, output):
        """Return weights and intercept of an output where all a are 0, and how each a moves them.

        Returns
        -------
        start : ndarray of shape (n_features + 1,)
        directions : ndarray of shape (n_features + 1, n_a)
        """
        blocks = self._blocks()
        plain, n = blocks[-1]
        start, directions = np.zeros(n + 1), np.eye(n + 1)[:, :n]
        for begin, constant in blocks:
            for i, (column, *_) in enumerate(self.taps.outputs):
                if self.rows:
                    directions[begin + self._place(column), begin + i] -= 1.0
                else:
                    directions[constant, begin + i] = self.zero[column]
        if not self.rows:
            start[n] = -self.zero[output]
            return start, directions
        start[plain + self._place(output)] = 1.0
        columns = range(self.taps.n_outputs)
        levels = [begin + self._place(column) for begin, _ in blocks for column in columns]
        return start, np.delete(directions, levels, axis=1)

    def _blocks(self):
        """Return where the taps under each modulator begin, and the constant behind them."""
        n_own = self.taps.n_taps - self.n_modulators
        return [(j * (n_own + 1), j * (n_own + 1) + n_own) for j in range(self.n_modulators + 1)]

    def _place(self, column):
        """Return which tap is the level of an output."""
        return self.taps.outputs.index((column, 1, self.rows))


def slopes_of_lines(segments, weight):
    """Return the slope of the least-squares line of each output, from row to row.

    All segments share it, each with a mean of its own.
    """
    slopes = np.zeros(segments.y.shape[1])
    t, starts = np.arange(len(segments), dtype=float), segments.starts
    for output, y in enumerate(segments.y.T):
        w = np.where(np.isfinite(y), weight, 0.0)
        totals = np.bincount(starts, w, minlength=len(t))
        totals[totals == 0] = 1.0
        t_left, y_left = (
            values - (np.bincount(starts, w * values, minlength=len(t)) / totals)[starts]
            for values in (t, np.nan_to_num(y))
        )
        slopes[output] = (w * t_left * y_left).sum() / max((w * t_left**2).sum(), FEWEST)
    return slopes


def with_drift(network, theta, slopes):
    """Return the parameters of a linear network whose rollouts rise by these slopes.

    Its weights of an output sum to 1, so that it repeats any level: a line of slope d goes on under
    the intercept d times the mean lag of its weights.
    """
    theta = theta.copy()
    unpacked = network.unpack(theta)
    lags = [slopes[j] * (first + last) / 2 for j, first, last in network.taps.outputs]
    unpacked.intercepts[0] += np.array(lags) @ unpacked.coefs[0][: len(lags)]
    return theta


def count_targets(objective):
    """Count the measured targets of each output in the rows of an open loop.

    Without one of them an output has no normal equations.
    """
    return np.isfinite(objective.rollouts.segments.y[objective.rollouts.origins]).sum(axis=0)


def name_scarcest(outputs, n_targets):
    """Name the output with the fewest targets, for a sentence: nothing where all have as many."""
    if n_targets.min() == n_targets.max():
        return ""
    i = int(np.argmin(n_targets))
    return f" for output {i if outputs[i] is None else repr(outputs[i])}"


def _solved(products, shared, alpha):
    """Solve normal equations under a penalty; where it is too small for that, by least squares."""
    if len(products) >= MANY and alpha > TELLING * np.trace(products):
        try:
            return solve(products, shared, assume_a="pos", check_finite=False)
        except LinAlgError:
            pass
    return lstsq(products, shared, cond=ROUNDING, check_finite=False)[0]


def _centred(JtJ, Jte, w, b):
    """Multiply the standardised taps with each other and with y; add means, spreads, units.

    The derivative by a weight is its tap and that by an intercept is 1, so J'J holds sums of
    squares, sums and counts; at zero parameters the residual is -y.
    """
    n = max(JtJ[b, b], FEWEST)
    means = JtJ[w, b] / n
    products = JtJ[np.ix_(w, w)] - n * np.outer(means, means)
    square, variance = np.diag(JtJ)[w] / n, np.diag(products) / n
    # rounding leaves a constant tap some variance, which is none
    std = np.sqrt(np.where(variance > ROUNDING * square, variance, 0.0))
    unit = np.divide(1.0, std, out=np.zeros_like(std), where=std > 0)
    shared = means * Jte[b] - Jte[w]
    return products * np.outer(unit, unit), shared * unit, means, std, unit
