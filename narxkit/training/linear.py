"""The linear model of the taps, by least squares and by ridge regression."""

import numpy as np
from scipy.linalg import lstsq

FEWEST = 1e-300  # summed weight of no rows at all, whose other sums are 0 too
ROUNDING = 1e-12  # of a tap's mean square: what sums leave of the variance of a constant


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

    def solve(alpha):
        theta = np.empty(network.n_params)
        for w, b, products, shared, means, std, unit in equations:
            penalised = products + np.diag(alpha * (unit**2 if np.ndim(alpha) else std > 0))
            theta[w] = lstsq(penalised, shared, cond=ROUNDING, check_finite=False)[0]
            theta[w] /= np.where(std > 0, std, 1.0)
            theta[b] = -Jte[b] / max(JtJ[b, b], FEWEST) - means @ theta[w]
        return theta

    return solve


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
