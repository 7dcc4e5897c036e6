"""Evidence for a tap: correlations, error reduction, mutual information.

Throughout, ``taps`` is an array of shape (p, n) with one standardised candidate in each row, and a
target of shape (n,) has mean zero.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import lstsq
from scipy.special import xlogy

SINGULAR = 1e-10  # a tap with less of its square outside the chosen ones says nothing new
TIE = 0.01  # ratios that differ by less are equal
EXACT = 1e-12  # of the variance left: nothing to explain
N_SHIFTS = 200  # far shifts that the band of mutual information rests on
MAX_BINS = 8
ROWS_PER_CELL = 20  # of the table of bins by bins, on average
FAR = 4.0  # standard deviations at which a cubic ends


def partial_autocorrelation(y, max_lag):
    """Estimate Yule-Walker's partial autocorrelations by Durbin and Levinson.

    Missing values leave their products out.

    Parameters
    ----------
    y : ndarray of shape (n,)
        A series.
    max_lag : int
        The largest lag.

    Returns
    -------
    ndarray of shape (max_lag,)
        At lags 1..max_lag.
    """
    return _autoregression(y, max_lag)[1][1:]


def cross_correlation(u, y, max_lag, max_lead=0):
    """Correlate y with u, both filtered by the autoregression that makes u white.

    The order of the autoregression is Akaike's, at most `max_lag`. What is left is Box and
    Jenkins' estimate, up to a factor, of the response of y to an impulse of u.

    Parameters
    ----------
    u, y : ndarray of shape (n,)
        Input and output, NaN where missing.
    max_lag, max_lead : int
        The largest lag and lead.

    Returns
    -------
    correlations : ndarray of shape (max_lead + 1 + max_lag,)
        Of u_{t-k} and y_t, for k = -max_lead..max_lag.
    order : int
        Order of the autoregression.
    """
    # the variance that each order leaves is the product of 1 - pacf^2; the bound keeps the log
    # finite for an exact recursion
    shares = 1 - np.minimum(_autoregression(u, max_lag)[1][1:] ** 2, 1 - EXACT)
    akaike = np.isfinite(u).sum() * np.cumsum(np.log(shares)) + 2 * np.arange(1, max_lag + 1)
    order = int(np.argmin([0.0, *akaike]))
    whitener = np.concatenate([[1.0], -_autoregression(u, order)[0]]) if order else [1.0]
    # y through the same filter: white u makes the correlation the impulse response, up to a factor
    a, b = (np.convolve(x - np.nanmean(x), whitener, "valid") for x in (u, y))
    there = [np.isfinite(x).astype(float) for x in (a, b)]
    a, b = (np.where(known, x - x[known > 0].mean(), 0.0) for x, known in zip((a, b), there))
    scale = np.sqrt(a @ a / there[0].sum() * (b @ b) / there[1].sum())
    # pairs with a missing member are zero in the sums and missing in the counts
    sums, counts = (_products(*pair, max_lag, max_lead) for pair in ((a, b), there))
    return sums / counts / scale, order


def _products(a, b, max_lag, max_lead):
    """Return sums over t of a_{t-k} b_t, k = -max_lead..max_lag; NaN in place of zero."""
    leads = [a[k:] @ b[: len(b) - k] for k in range(max_lead, 0, -1)]
    sums = np.array(leads + [a[: len(a) - k] @ b[k:] for k in range(max_lag + 1)])
    return np.where(sums == 0, np.nan, sums)


def _autoregression(x, order):
    """Fit the Yule-Walker autoregression; return coefficients and partial autocorrelations."""
    from statsmodels.tsa.stattools import acovf, levinson_durbin

    # "conservative" divides by the pairs that are there
    missing = "none" if np.isfinite(x).all() else "conservative"
    covariances = acovf(x, fft=True, missing=missing, nlag=order)
    _, coefs, partial, *_ = levinson_durbin(covariances, nlags=order, isacov=True)
    return coefs, partial


def error_reduction(taps, lags, target, n_max):
    r"""Order taps by orthogonal least squares: the one that reduces the error most first.

    .. math::

        \mathrm{ERR}_i = \frac{(w_i^T y)^2}{w_i^T w_i \; y^T y}

    with w_i what Gram and Schmidt leave of tap i beside the taps chosen before. All products of
    the w are kept in a matrix that each choice changes by one of rank one, so the series itself is
    passed through once. Of ratios within 1 % of the largest, as those of a clear sky on successive
    days, the one with the least lag counts as the largest.

    Parameters
    ----------
    taps : ndarray of shape (p, n)
        Candidates.
    lags : ndarray of shape (p,)
        Their lags; negative ones are leads, which count as a little further away.
    target : ndarray of shape (n,)
        The y of the formula.
    n_max : int
        The most taps to choose.

    Returns
    -------
    order : list of int
        The taps chosen; fewer than `n_max` where the others are combinations of them.
    ratios : ndarray of shape (len(order) + 1, p)
        Ratios of all candidates before each choice, and after the last.

    References
    ----------
    Billings, Chen and Korenberg 1989, "Identification of MIMO non-linear systems using a
    forward-regression orthogonal estimator", International Journal of Control 49, 2157-2189.
    """
    products, shared, total = taps @ taps.T, taps @ target, target @ target
    # of equals the nearest lag wins, and a lead only over farther lags
    far = np.where(lags < 0, 0.5 - lags, lags)
    least = SINGULAR * np.diag(products)
    order, ratios = [], []
    while True:
        # what each tap has left beside the taps chosen: w_i'w_i
        squares = np.diag(products).copy()
        # a combination of taps chosen before has only rounding left, and its ratio would be noise
        is_new = squares > least
        ratios.append(np.where(is_new, shared**2 / np.where(is_new, squares, 1) / total, 0.0))
        explained = sum(row[i] for row, i in zip(ratios, order))
        if len(order) == n_max or not is_new.any() or explained > 1 - EXACT:
            return order, np.array(ratios)
        largest = np.flatnonzero(ratios[-1] >= (1 - TIE) * ratios[-1].max())
        best = int(largest[np.argmin(far[largest])])
        # Gram-Schmidt on the products, a Cholesky step with a pivot: O(p^2) for a tap, whatever n
        w = products[best] / np.sqrt(squares[best])
        shared = shared - w * shared[best] / np.sqrt(squares[best])
        products -= np.outer(w, w)
        order.append(best)


@dataclass(frozen=True)
class Criterion:
    r"""The extended Bayesian information criterion, with a least gain for each tap.

    .. math::

        n \log(1 - R^2) + \max(k \log n + 2 m \log p, \; n m g)

    for m taps with k weights. The term in log p pays for the choice of m taps among p: without it
    the best of 200 taps of pure noise would be taken more often than not. The last one keeps out
    what is significant only because rows are many: however many, m taps have to lower the variance
    by m shares g of it. The criterion of no tap is zero.

    Attributes
    ----------
    n, p : int
        Rows and candidates.
    min_gain : float
        The g of the formula.

    References
    ----------
    Chen and Chen 2008, "Extended Bayesian information criteria for model selection with large
    model spaces", Biometrika 95, 759-771.
    """

    n: int
    p: int
    min_gain: float

    def __call__(self, explained, n_taps, n_weights):
        """Evaluate the criterion for models of this R^2, number of taps and number of weights."""
        fit = self.n * np.log(np.maximum(1 - explained, EXACT))
        # BIC pays for weights, the second part for the search among p candidates
        price = n_weights * np.log(self.n) + 2 * n_taps * np.log(self.p)
        return fit + np.maximum(price, n_taps * self.n * self.min_gain)


def residual(taps, target):
    """Return the residual of the target after least squares on some taps."""
    return target - taps.T @ _least_squares(taps @ taps.T, taps @ target)


def _least_squares(products, shared):
    return lstsq(products, shared, cond=SINGULAR, check_finite=False)[0]


def cut(values):
    """Assign values to equally full bins."""
    # b^2 cells share the rows: as many bins as leave enough rows to a cell
    n_bins = int(np.clip(np.sqrt(len(values) / ROWS_PER_CELL), 3, MAX_BINS))
    edges = np.quantile(values, np.arange(1, n_bins) / n_bins)
    return np.searchsorted(np.unique(edges), values, side="right")


def mutual_information(bins, target):
    r"""Estimate the mutual information of binned taps and a target, in nats.

    .. math::

        I = \sum_{ab} p_{ab} \log \frac{p_{ab}}{p_a p_b}

    with p the shares of rows in the bins. Bins are equally full, 3 to 8 of them; the estimate is
    above zero even where there is nothing to see, and only its band makes it evidence.

    Parameters
    ----------
    bins : ndarray of shape (p, n)
        Bins of the taps.
    target : ndarray of shape (n,)
        Values.

    Returns
    -------
    ndarray of shape (p,)
        One estimate for each tap.
    """
    # one number for a pair of bins, so that one bincount makes the joint distribution
    shifted = MAX_BINS * cut(target)
    of_target = _entropy(shifted)
    return np.array([_entropy(tap) + of_target - _entropy(shifted + tap) for tap in bins])


def _entropy(bins):
    shares = np.bincount(bins) / len(bins)
    return -xlogy(shares, shares).sum()


def information_band(bins, target, reach):
    """Return the largest mutual information at shifts of the target too far to matter.

    Rotation by a shift keeps what either series knows of its own past and of its season, which
    shuffling would destroy. Up to 200 shifts are drawn, always the same ones.
    """
    n = len(target)
    # nearer shifts hold what lags may explain, and n - k is a shift by k backwards
    far = np.arange(reach + 1, n - reach)
    shifts = np.random.default_rng(0).permutation(far)[:N_SHIFTS]
    return mutual_information((np.roll(bins, shift) for shift in shifts), target).max()


def powers(tap):
    """Return a tap, its square and its cube, centred, the last two clipped at 4 deviations."""
    # a cube of one wild value would be the whole regressor
    z = np.clip(tap, -FAR, FAR)
    table = np.array([tap, z**2, z**3])
    return table - table.mean(axis=1, keepdims=True)


def nonlinear_taps(taps, bins, target, information, band, criterion):
    """Find taps that mutual information detects and that a cubic makes use of.

    The tap furthest beyond its band comes first. It counts where a cubic of it lowers the
    information criterion; then what the cubic explains is subtracted, and the information of the
    others measured anew, so that a neighbour does not count for the same thing twice. A tap that
    tells only how far y strays, and not where to, is seen but does not count.

    Parameters
    ----------
    taps, bins : ndarray of shape (p, n)
        Candidates and their bins.
    target : ndarray of shape (n,)
        Residuals of a linear model.
    information, band : ndarray of shape (p,)
        Mutual information of each tap with the target, and what it has to exceed.
    criterion : Criterion
        Decides.

    Returns
    -------
    dict of int to float
        The taps that count, and the information of each when it was taken.
    """
    rest, counting = np.flatnonzero(information > band), {}
    while len(rest):
        # the strongest first: its neighbours are seen by what they share with it
        best = rest[np.argmax((information - band)[rest])]
        rest = rest[rest != best]
        left = residual(powers(taps[best]), target)
        explained = 1 - left @ left / (target @ target)
        # zero is the criterion of no tap
        if criterion(explained, n_taps=1, n_weights=3) < 0:
            counting[int(best)] = information[best]
            target, information = left, mutual_information(bins, left)
            rest = np.setdiff1d(np.flatnonzero(information > band), [*counting])
    return counting


def needed_taps(taps, target, linear, nonlinear, criterion):
    """Find the taps that a model of all of them cannot do without.

    Some enter as they are, others by their powers. The one that is missed least is dropped as long
    as that lowers the information criterion.

    Parameters
    ----------
    taps : ndarray of shape (p, n)
        Candidates.
    target : ndarray of shape (n,)
        Values.
    linear, nonlinear : list of int
        The taps of either kind; one that is in both enters by its powers.
    criterion : Criterion
        Decides.

    Returns
    -------
    kept : list of int
        The taps that are kept.
    explained : float
        Share of the variance that they explain.
    """
    parts = {i: taps[[i]] for i in linear} | {i: powers(taps[i]) for i in nonlinear}
    owner = np.repeat([*parts], [len(part) for part in parts.values()])
    table = np.concatenate([taps[:0], *parts.values()])
    products, shared, total = table @ table.T, table @ target, target @ target

    def explained(kept):
        at = np.isin(owner, kept)
        return shared[at] @ _least_squares(products[np.ix_(at, at)], shared[at]) / total

    def worth(kept):
        n_weights = sum(len(parts[i]) for i in kept)
        return criterion(explained(kept), len(kept), n_weights)

    kept = [*parts]
    while kept:
        # backwards from the union: a tap that others replace goes first
        fewer = min(([i for i in kept if i != j] for j in kept), key=worth)
        if worth(fewer) > worth(kept):
            break
        kept = fewer
    return kept, float(explained(kept))
