"""Tests of whether a forecast is better than another, or than a coin, by more than chance.

Arrays in, frozen results out: `diebold_mariano` compares the errors of two forecasts, `hit_rate`
counts the signs that one of them got right. Both answer for one horizon at a time.
"""

from dataclasses import dataclass
from numbers import Real

import numpy as np
from scipy import stats

from narxkit._checks import is_count
from narxkit.rows.labels import common_index
from narxkit.rows.table import read_outputs, refuse_infinite

__all__ = ["DieboldMariano", "HitRate", "diebold_mariano", "hit_rate"]


@dataclass(frozen=True)
class DieboldMariano:
    """The result of `diebold_mariano`.

    Parameters
    ----------
    estimate : float
        Mean difference of the losses; below zero the first forecast was the better one.
    stderr : float
        Its standard error, with Harvey's correction.
    statistic : float
        Their quotient.
    pvalue : float
        Two-sided, from Student's t with n - 1 degrees of freedom.
    n : int
        Pairs of errors.
    horizon : int
        Horizon of the forecasts.
    weights : {"equal", "bartlett"}
        Weights of the autocovariances in the variance.

    See Also
    --------
    diebold_mariano : The test.

    Examples
    --------
    >>> from narxkit import diebold_mariano
    >>> diebold_mariano([1.0, -2.0, 1.0, 2.0], [2.0, -3.0, 1.0, 3.0]).estimate
    -3.25
    """

    estimate: float
    stderr: float
    statistic: float
    pvalue: float
    n: int
    horizon: int
    weights: str

    def __repr__(self):
        which = "first" if self.estimate < 0 else "second"
        verdict = (
            f"the {which} forecast is better" if self.pvalue < 0.05 else "no forecast is better"
        )
        weights = ", Bartlett's weights" if self.weights == "bartlett" else ""
        return (
            f"Diebold-Mariano {self.statistic:.2f}, p = {self.pvalue:.2g}: {verdict} beyond "
            f"chance at 5 % (horizon {self.horizon}, {self.n} errors{weights})"
        )


def diebold_mariano(errors, other_errors, horizon=1, power=2):
    r"""Test whether two forecasts are equally good.

    .. math::

        d_t = |e_t|^p - |e'_t|^p, \qquad
        DM = \frac{\bar d}{\sqrt{V n / ((n - h)(n - h + 1))}}, \qquad
        V = \gamma_0 + 2 \sum_{k=1}^{h-1} w_k \gamma_k

    with gamma_k the autocovariances of d, for an h-step forecast that misses nothing errs
    dependently over h - 1 steps. The factor beside V is Harvey's small-sample correction of V / n
    in one fraction: for h = 1 this is Student's paired t test. The weights w_k are 1; where that
    gives no positive V, they are Bartlett's 1 - k / h, which always do, and the result says so.

    Parameters
    ----------
    errors, other_errors : array-like of shape (n,)
        Errors of the two forecasts for the same targets, in the order of time and at the same
        distance; a NaN leaves its pair out.
    horizon : int, default=1
        Horizon h of both forecasts, in rows.
    power : float, default=2
        The power p of the loss: 2 for squared errors, 1 for absolute ones.

    Returns
    -------
    DieboldMariano
        Statistic, negative where the first forecast is the better one, and two-sided p-value.
        Forecasts that err alike everywhere have statistic 0 and p-value 1.

    Raises
    ------
    ValueError
        When the errors are no numbers, not of one length, with other labels than each other,
        infinite, or too few for the horizon.

    See Also
    --------
    hit_rate : Signs instead of sizes.
    skill_table : Bootstrap intervals over all horizons.

    Notes
    -----
    Where one model contains the other, as a regression contains the random walk, the statistic is
    not Student's, and the larger model is found better too rarely. Where the losses depend on each
    other over more than h - 1 rows, as in days of sun and days of cloud, differences are found too
    often: give a larger `horizon`, or use the blocks of `skill_table`.

    References
    ----------
    Diebold and Mariano 1995, "Comparing predictive accuracy", Journal of Business and Economic
    Statistics 13, 253-263; Harvey, Leybourne and Newbold 1997, "Testing the equality of prediction
    mean squared errors", International Journal of Forecasting 13, 281-291.

    Examples
    --------
    >>> import numpy as np
    >>> from narxkit import diebold_mariano
    >>> rng = np.random.default_rng(0)
    >>> good, bad = rng.normal(size=300), 1.5 * rng.normal(size=300)
    >>> diebold_mariano(good, bad)
    Diebold-Mariano -4.94, p = 1.3e-06: the first forecast is better beyond chance at 5 %
    (horizon 1, 300 errors)
    """
    if not is_count(horizon):
        raise ValueError(f"horizon must be an int >= 1. Got {horizon!r} instead.")
    if not isinstance(power, Real) or not 0 < power < np.inf:
        raise ValueError(f"power must be a number above 0. Got {power!r} instead.")
    e, other = _pair(errors, other_errors, "errors", "other_errors")
    d = np.abs(e) ** power - np.abs(other) ** power
    is_there = np.isfinite(d)
    n = int(is_there.sum())
    if n <= horizon:
        raise ValueError(
            f"there are {n} pairs of errors, but a horizon of {horizon} needs at least "
            f"{horizon + 1}: give more of them."
        )
    mean = d[is_there].mean()
    variance, weights = _long_run_variance(np.where(is_there, d - mean, 0.0), n, horizon)
    # Harvey, Leybourne and Newbold's factor: in small samples the plain variance is too small
    stderr = np.sqrt(variance * n / ((n - horizon) * (n - horizon + 1)))
    with np.errstate(divide="ignore"):
        statistic = np.divide(mean, stderr) if mean else 0.0
    pvalue = 2 * stats.t.sf(abs(statistic), n - 1)
    numbers = map(float, (mean, stderr, statistic, pvalue))
    return DieboldMariano(*numbers, n, int(horizon), weights)


def _long_run_variance(d, n, horizon):
    """Estimate the long-run variance of values that depend on each other over h - 1 rows."""
    lags = np.arange(1, min(horizon, len(d)))
    # errors h steps ahead share noise over h - 1 rows, and no more
    gamma = np.array([d @ d, *(d[lag:] @ d[:-lag] for lag in lags)]) / n
    equal = gamma[0] + 2 * gamma[1:].sum()
    # equal weights may give a negative variance; Bartlett's never do
    if equal > 0 or not gamma[0]:
        return equal, "equal"
    return gamma[0] + 2 * (1 - lags / horizon) @ gamma[1:], "bartlett"


@dataclass(frozen=True)
class HitRate:
    """The result of `hit_rate`.

    Parameters
    ----------
    estimate : float
        Share of signs that were forecast rightly.
    band : tuple of float
        Lowest and highest share that chance explains: 95 % of lucky guesses lie in it.
    pvalue : float
        Two-sided, exact: below 0.05 if and only if the share is outside of the band.
    n : int
        Signs that counted.
    chance : float
        Share of hits of a guess.

    See Also
    --------
    hit_rate : The count.

    Examples
    --------
    >>> from narxkit import hit_rate
    >>> hit_rate([1, -1, 2, 1], [0.5, -0.1, -0.3, 0.1]).estimate
    0.75
    """

    estimate: float
    band: tuple[float, float]
    pvalue: float
    n: int
    chance: float

    def __repr__(self):
        low, high = self.band
        if self.estimate < low:
            place = "below"
        elif self.estimate > high:
            place = "above"
        else:
            place = "inside"
        return (
            f"Hit rate {100 * self.estimate:.1f} % of {self.n}, {place} the 95 % band of chance, "
            f"{100 * low:.1f} to {100 * high:.1f} % (p = {self.pvalue:.2g})"
        )


def hit_rate(returns, forecasts, chance=0.5):
    r"""Return the share of returns whose sign was forecast, and the band that chance explains.

    .. math::

        \hat p = \frac{1}{n} \sum_t [\operatorname{sign} \hat r_t = \operatorname{sign} r_t],
        \qquad n \hat p \sim \mathrm{Binomial}(n, p_0)

    for guesses; the band holds the shares whose two-sided exact p-value, twice the smaller tail,
    is at least 5 %. For large n it is p_0 -+ 1.96 sqrt(p_0 (1 - p_0) / n).

    Parameters
    ----------
    returns : array-like of shape (n,)
        Returns, or other changes, as they came.
    forecasts : array-like of shape (n,)
        As they were forecast. Pairs with a zero or a NaN on either side say nothing about the
        sign and are left out.
    chance : float, default=0.5
        Share of hits p_0 of a guess. Where returns drift, always naming the commoner sign hits
        more than half of them without any skill: give its share.

    Returns
    -------
    HitRate
        The share, its band under chance and a p-value.

    Raises
    ------
    ValueError
        When no pair has two signs, or the arrays hold no numbers, are not of one length, with other
        labels than each other, or infinite.

    See Also
    --------
    diebold_mariano : Sizes of errors instead of signs.

    Notes
    -----
    The band takes hits as independent: forecast steps that overlap (more than one row ahead, from
    every row) make it too narrow; take every h-th.

    References
    ----------
    Pesaran and Timmermann 1992, "A simple nonparametric test of predictive performance", Journal
    of Business and Economic Statistics 10, 461-465.

    Examples
    --------
    >>> import numpy as np
    >>> from narxkit import hit_rate
    >>> returns, guesses = np.random.default_rng(0).normal(size=(2, 2000))
    >>> hit_rate(returns, guesses)
    Hit rate 49.4 % of 2000, inside the 95 % band of chance, 47.8 to 52.2 % (p = 0.58)
    """
    if not isinstance(chance, Real) or not 0 < chance < 1:
        raise ValueError(f"chance must be a float in the range (0.0, 1.0). Got {chance!r} instead.")
    r, r_hat = _pair(returns, forecasts, "returns", "forecasts")
    # a zero has no sign: such pairs are left out
    product = np.sign(r) * np.sign(r_hat)
    n = int(np.count_nonzero(np.abs(product) == 1))
    if not n:
        raise ValueError("no pair of return and forecast has two signs: all are zero or missing.")
    hits = int(np.count_nonzero(product == 1))
    counts = np.arange(n + 1)
    guess = stats.binom(n, chance)
    # two-sided for every count: the band is where it is not below 5 %, so that both agree
    pvalues = np.minimum(1.0, 2 * np.minimum(guess.cdf(counts), guess.sf(counts - 1)))
    inside = np.flatnonzero(pvalues >= 0.05)
    band = float(inside[0] / n), float(inside[-1] / n)
    return HitRate(hits / n, band, float(pvalues[hits]), n, float(chance))


def _pair(first, second, *names):
    """Read two series of one length and one index, without infinite values."""
    given = dict(zip(names, (first, second)))
    index, _ = common_index(**given)
    pair = [read_outputs(v, name, index, min_samples=0) for name, v in given.items()]
    shapes = [np.shape(values) for values in given.values()]
    if len(shapes[0]) != 1 or shapes[0] != shapes[1]:
        raise ValueError(
            f"{names[0]} and {names[1]} must be series of one length. Got the shapes {shapes[0]} "
            f"and {shapes[1]}."
        )
    for values, name in zip(pair, names):
        refuse_infinite(values, name, index)
    return [values[:, 0] for values in pair]
