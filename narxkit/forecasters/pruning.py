r"""Optimal brain surgeon: the weights of a trained network that it can do without.

Near a minimum the loss of taking weight i away, and letting all others make up for it, is

.. math::

    \Delta_i = \frac{\theta_i^2}{2 n \, [H^{-1}]_{ii}}, \qquad
    \delta = - \frac{\theta_i}{[H^{-1}]_{ii}} H^{-1} e_i, \qquad H = J'J + \Pi

with the Gauss-Newton Hessian H of the weights that are left, and the penalty in it (Hassibi and
Stork 1993; Norgaard, Ravn, Poulsen and Hansen 2000, "Neural Networks for Modelling and Control of
Dynamic Systems", for networks of lagged values). The weight of the least loss goes, the others take
the step and a few iterations of Levenberg-Marquardt, and rows that are held out judge what is left.
"""

from copy import deepcopy
from dataclasses import dataclass
from numbers import Real

import numpy as np
import pandas as pd
from scipy.linalg import cho_factor, cho_solve

from narxkit._blas import one_blas_thread
from narxkit._warn import warn
from narxkit._words import counted
from narxkit.forecasters.input_gradient import name_columns
from narxkit.forecasters.network import NetworkForecaster
from narxkit.rows.rollouts import Rollouts
from narxkit.solvers import LevenbergMarquardt, Monitor, interruptible
from narxkit.training.objective import Objective
from narxkit.training.penalty import OFF

PATIENCE = 20  # weights that may go in vain, one after another
REFIT = 20  # iterations after each
ROUGH = 1e-4  # their tol
FLOOR = 1e-10  # of the largest of diag(H), for what the rows do not see
BEFORE = 200  # iterations of the whole network, over the rows that are not held out


@dataclass(frozen=True, repr=False)
class Pruned:
    """A network without the weights that it could do without.

    Parameters
    ----------
    model : estimator
        The pruned one, with zeros in its ``theta_``; ``loss_`` and what else is measured of a
        network are those of the rows that are not held out, and curves those of the whole one.
    kept : ndarray of bool of shape (n_params,)
        The parameters that are left, intercepts among them.
    n_before, n_after : int
        Parameters that were not zero, and those that are left.
    error_before, error_after : float
        Root mean squared error of the held-out rollouts, in standard deviations.
    lost_taps : list of str
        Lagged values that no prediction depends on any more.
    path : DataFrame
        Parameters left, ``n_left``, and the held-out ``error``, one row for each network met.

    Examples
    --------
    >>> from narxkit import NARX, prune
    >>> from narxkit.datasets import make_narendra
    >>> X, y = make_narendra(400, random_state=0)
    >>> model = NARX([1, 2], 3, (5,), alpha=1e-3, random_state=0).fit(X, y)
    >>> pruned = prune(model, X, y)
    >>> pruned.n_after < pruned.n_before, pruned.error_after <= pruned.error_before
    (True, True)
    """

    model: NetworkForecaster
    kept: np.ndarray
    n_before: int
    n_after: int
    error_before: float
    error_after: float
    lost_taps: list
    path: pd.DataFrame

    def __repr__(self):
        lost = f" {', '.join(self.lost_taps)} are read no more." if self.lost_taps else ""
        return (
            f"{self.n_after} of {self.n_before} parameters are left; the held-out error went from "
            f"{self.error_before:.4g} to {self.error_after:.4g} standard deviations.{lost}"
        )


def prune(model, X, y=None, sample_weight=None, segments=None, validation_fraction=0.2):
    """Take the weights from a network that its held-out rollouts can do without.

    Weights go one after another, the one whose loss costs least first, and the others are refitted.
    Of the networks met the smallest is kept whose held-out error is no worse than that of the whole
    one, refitted over the same rows; the search ends after twenty that were worse.

    Parameters
    ----------
    model : estimator
        A fitted network, which is left as it is; of several members the best one is pruned.
    X : array-like of shape (n, n_features) or None
        Inputs.
    y : array-like of shape (n,) or (n, n_outputs)
        Measured outputs.
    sample_weight : array-like of shape (n,), default=None
        Weight of each row's squared error, as in ``fit``: of what is refitted and of what judges.
    segments : array-like of shape (n,), default=None
        Segment labels, as in ``fit``.
    validation_fraction : float, default=0.2
        The last part of each segment, which is held out: it judges, in rollouts of the length that
        the model was trained for.

    Returns
    -------
    Pruned
        The pruned model, sizes and errors before and after, and the taps that were lost. Ctrl-C
        ends the search early and keeps the smallest network so far, with a warning, as ``fit``
        keeps its best weights.

    Raises
    ------
    TypeError
        Where the network has no normal equations.
    ValueError
        Where no row is left to train on or to judge by.

    References
    ----------
    Hassibi and Stork 1993, "Second order derivatives for network pruning: optimal brain surgeon",
    Advances in Neural Information Processing Systems 5, 164-171.

    Examples
    --------
    >>> from narxkit import NARX, prune
    >>> from narxkit.datasets import make_narendra
    >>> X, y = make_narendra(400, random_state=0)
    >>> model = NARX([1, 2], 3, (5,), alpha=1e-3, random_state=0).fit(X, y)
    >>> pruned = prune(model, X, y)
    >>> pruned.n_before, pruned.n_after < 30, "0[t-1]" in pruned.lost_taps
    (41, True, False)
    """
    given = {"y": y, "sample_weight": sample_weight, "segments": segments}
    training, held_out = _objectives(model, X, given, validation_fraction)
    with one_blas_thread(), interruptible(training.flag) as flag:
        surgery = _Surgery(training, model.theta_, _trained(model))
        theta, path = _smallest(surgery, held_out)
    training = training.without_flag()
    if flag[0]:
        warn(
            f"prune: interrupted after {counted(len(path) - 1, 'weight')} of {path[0][0]} "
            f"parameters: the smallest network so far is kept, of {np.count_nonzero(theta)}. Call "
            "it again, with the pruned model, to go on.",
            RuntimeWarning,
        )
    pruned = deepcopy(model)
    pruned.theta_, pruned.members_ = theta, [theta]
    # what was measured of the whole network is not true of this one
    pruned.loss_, pruned.n_effective_params_ = training.value(theta), None
    pruned._measure(training.with_free(theta != 0))
    return Pruned(
        pruned,
        theta != 0,
        n_before=path[0][0],
        n_after=int(np.count_nonzero(theta)),
        error_before=path[0][1],
        error_after=_error(held_out, theta),
        lost_taps=_lost_taps(pruned, training),
        path=pd.DataFrame(path, columns=["n_left", "error"]),
    )


def _objectives(model, X, given, fraction):
    """Lay the rollouts of the model over the rows that train, and over those held out."""
    if not isinstance(fraction, Real) or not 0.0 < fraction < 1.0:
        raise ValueError(f"validation_fraction must be between 0 and 1. Got {fraction!r} instead.")
    network = getattr(model, "structure_", None)
    # an ARX model has such a network inside, and was not trained in rollouts
    if not hasattr(network, "normal_equations") or not isinstance(model, NetworkForecaster):
        is_trained = isinstance(model, NetworkForecaster) and network is not None
        what = type(network).__name__ if is_trained else type(model).__name__
        raise TypeError(
            f"prune needs a fitted network with normal equations, and {what} has none: give a "
            "fitted NARX, TDNN or recurrent network with initial_state='zero'."
        )
    # as they were measured: the door for forecasts fills gaps, which are no targets
    table = model._read(X, **given)
    rows = model._scale.apply(model._roles.segments(table))
    # segments stand series after series, and so do the weights
    weight = table.in_order(table.weight)
    is_held_out, loop = rows.last_block(fraction), model.loop_[-1].loop
    training, held_out = (
        Objective.over(network, rows, loop, 0.0, weight, targets, washout=model._washout)
        for targets in (~is_held_out, is_held_out)
    )
    for objective, name in ((training, "train on"), (held_out, "judge by")):
        if not objective.size:
            raise ValueError(
                f"no row is left to {name}: with validation_fraction={fraction:g} of "
                f"{len(rows)} rows none has its history, a measured target and a weight: give "
                "a longer series or another fraction."
            )
    alpha = 0.0 if model.alpha_ == OFF else model.alpha_
    return training.with_alphas(alpha, model.linear_alpha_), held_out


def _trained(model):
    """Return the parameters that the model has: of one whose network is off, the linear ones."""
    network = model.structure_
    # weights that an earlier pruning took stay away
    is_there = (model.theta_ != 0) | network.groups["intercepts"]
    if model.alpha_ != OFF:
        return is_there
    mask = np.zeros(network.n_params, dtype=bool)
    weights = network.unpack(mask)
    weights.straight[:], weights.intercept[:] = True, True
    return mask & is_there


class _Surgery:
    """A network under the knife: its parameters, and which of them are left.

    The flag of the objective ends refits; what they have reached is a network all the same.
    """

    def __init__(self, objective, theta, kept):
        self._objective, self.kept = objective, kept
        # intercepts shift, and tell nothing of what is read
        self._may_go = kept & ~objective.groups["intercepts"]
        self._refit(np.where(kept, theta, 0.0), BEFORE)

    @property
    def is_over(self):
        """Whether no weight is left, or nobody waits for more."""
        return bool(self._objective.flag[0]) or not self._may_go.any()

    def cut(self):
        """Take the weight that costs least."""
        kept = np.flatnonzero(self.kept)
        # to the end: a part of J'J would take another weight
        objective = self._objective.without_flag()
        JtJ = objective.normal_equations(self.theta)[0][np.ix_(kept, kept)]
        H = JtJ + np.diag(self._objective.penalty[kept])
        H[np.diag_indices_from(H)] += FLOOR * np.diagonal(H).max()
        inverse = cho_solve(cho_factor(H), np.eye(len(kept)))
        # a weight that no prediction sees has the least cost of all, 0
        costs = self.theta[kept] ** 2 / np.diagonal(inverse)
        is_blind = np.diagonal(JtJ) == 0
        costs = np.where(self._may_go[kept], np.where(is_blind, 0.0, costs), np.inf)
        i = int(np.argmin(costs))
        theta = self.theta.copy()
        if not is_blind[i]:
            theta[kept] -= theta[kept[i]] / inverse[i, i] * inverse[i]
        theta[kept[i]] = 0.0
        self.kept, self._may_go = self.kept.copy(), self._may_go.copy()
        self.kept[kept[i]] = self._may_go[kept[i]] = False
        self._refit(theta, 0 if is_blind[i] else REFIT)

    def _refit(self, theta, max_iter):
        free = self._objective.with_free(self.kept)
        monitor = Monitor(max_iter, ROUGH, flag=free.flag)
        self.theta = LevenbergMarquardt().solve(free, theta, monitor).theta


def _smallest(surgery, held_out):
    """Return the last network that is no worse than the first, and all that were met."""
    best = surgery.theta
    path = [(int(surgery.kept.sum()), _error(held_out, best))]
    n_in_vain = 0
    while not surgery.is_over and n_in_vain < PATIENCE:
        surgery.cut()
        path.append((int(surgery.kept.sum()), _error(held_out, surgery.theta)))
        n_in_vain += 1
        if path[-1][1] <= path[0][1]:
            best, n_in_vain = surgery.theta, 0
    return best, path


def _error(held_out, theta):
    """Return the root mean squared error of rollouts without a penalty."""
    return float(np.sqrt(2.0 * held_out.value(theta)))


def _lost_taps(model, objective):
    """Name the taps that no one-step prediction depends on."""
    network, rollouts = model.structure_, objective.rollouts
    one_step = Rollouts.one_step(rollouts.segments, np.unique(rollouts.targets))
    slopes = [
        np.abs(network.input_gradient(model.theta_, one_step, j)).max(axis=(0, 1))
        for j in range(network.n_outputs)
    ]
    roles, n = model._roles, network.taps.n_inputs
    names = name_columns(roles.input_names, roles.outputs)
    taps = network.taps.names(names[:n], names[n:])
    return [tap for tap, slope in zip(taps, np.max(slopes, axis=0)) if slope == 0.0]
