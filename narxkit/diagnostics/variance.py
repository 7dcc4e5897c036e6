"""Variance ratios: does the variance of a sum of steps grow like their number?"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from narxkit.diagnostics._result import Result, Row
from narxkit.diagnostics.values import check_count, read_values

__all__ = ["VarianceRatio", "variance_ratio"]

MARGIN = 1.1  # by which a band goes beyond the first and the last span


@dataclass(frozen=True, repr=False, eq=False)
class VarianceRatio(Result):
    """Variance ratios by span, the result of `variance_ratio`.

    Parameters
    ----------
    spans : tuple of int
        Numbers of steps q that were summed, ascending.
    estimate : ndarray of shape (n_spans,)
        Variance ratios: 1 for uncorrelated steps, above it they persist, below it they revert.
    stderr : ndarray of shape (n_spans,)
        Their standard errors where steps are uncorrelated, of whatever changing variance.
    statistic : ndarray of shape (n_spans,)
        (estimate - 1) / stderr.
    pvalues : ndarray of shape (n_spans,)
        Two-sided, of each span alone.
    pvalue : float
        Of all spans together.
    n : int
        Steps.

    See Also
    --------
    variance_ratio : The test.

    Examples
    --------
    >>> import numpy as np
    >>> from narxkit.diagnostics import variance_ratio
    >>> variance_ratio(np.random.default_rng(0).normal(size=500)).spans
    (2, 4, 8, 16)
    """

    spans: tuple[int, ...]
    estimate: np.ndarray
    stderr: np.ndarray
    statistic: np.ndarray
    pvalues: np.ndarray
    pvalue: float
    n: int

    @property
    def sentence(self):
        """The result in one sentence."""
        if self.pvalue > 0.05:
            return f"The steps are uncorrelated as far as variances tell (p = {self.pvalue:.2g})."
        furthest = np.argmax(np.abs(self.statistic))
        does = "persist" if self.statistic[furthest] > 0 else "revert"
        return (
            f"The steps {does}: over {self.spans[furthest]} of them the variance is "
            f"{self.estimate[furthest]:.3g} times what uncorrelated ones would have "
            f"(p = {self.pvalue:.2g})."
        )

    @property
    def figures(self):
        """The lines of the table."""
        return [
            *(
                Row(f"over {q} steps", f"{ratio:.4g}", f"z = {z:.2f}, p = {p:.2g}")
                for q, ratio, z, p in zip(self.spans, self.estimate, self.statistic, self.pvalues)
            ),
            Row("p value", f"{self.pvalue:.2g}", f"of all spans together, {self.n} steps"),
        ]

    def plot(self, ax=None):
        """Draw the ratios, and the band in which 95 % of those of uncorrelated steps lie.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; by default on a new figure.

        Returns
        -------
        matplotlib Axes
            The axes drawn on.
        """
        from narxkit.diagnostics._draw import COLOURS, GREY, PALE, label, open_axes

        ax = open_axes(ax)
        half = stats.norm.ppf(0.975) * np.pad(self.stderr, 1, "edge")
        wide = [self.spans[0] / MARGIN, *self.spans, self.spans[-1] * MARGIN]
        ax.fill_between(wide, 1 - half, 1 + half, color=PALE, lw=0)
        ax.axhline(1, color=GREY, lw=0.8)
        ax.plot(self.spans, self.estimate, "o-", color=COLOURS[0])
        label(ax, (self.spans[-1], 1), "uncorrelated steps, 95 %", GREY, ha="right")
        ax.set_xscale("log", base=2)
        ax.set_xticks(self.spans, [str(q) for q in self.spans])
        ax.set_xlabel("steps")
        ax.set_ylabel("variance ratio")
        return ax


def variance_ratio(x, spans=(2, 4, 8, 16), kind="increments"):
    r"""Test whether steps are uncorrelated, whatever their changing variance.

    .. math::

        VR(q) = \frac{\sum_t (x_t + \dots + x_{t-q+1} - q \bar x)^2 / m}
                     {\sum_t (x_t - \bar x)^2 / (n - 1)}, \qquad
        m = q (n - q + 1)(1 - q / n)

    is 1 + 2 sum_j (1 - j/q) rho_j in expectation. Its standard error does not take the variance of
    steps to be constant:

    .. math::

        se^2 = \sum_{j=1}^{q-1} \Big(2 \frac{q - j}{q}\Big)^2
            \frac{\sum_t (x_t - \bar x)^2 (x_{t-j} - \bar x)^2}{[\sum_t (x_t - \bar x)^2]^2}

    Parameters
    ----------
    x : array-like of shape (n,)
        Steps, or the levels that they lead to.
    spans : sequence of int, default=(2, 4, 8, 16)
        The q to try, each at least 2 and at most half the number of steps.
    kind : {"increments", "levels"}, default="increments"
        Whether x holds levels or increments.

    Returns
    -------
    VarianceRatio
        Ratios, z and p values. The p value of all spans together is Sidak's for the largest z,
        1 - (1 - p)^m, an upper bound as in Chow and Denning.

    Raises
    ------
    ValueError
        When x cannot be read or an argument is out of range.

    References
    ----------
    Lo and MacKinlay 1988, "Stock market prices do not follow random walks: evidence from a simple
    specification test", Review of Financial Evaluations 1, 41-66; Chow and Denning 1993, "A simple
    multiple variance ratio test", Journal of Econometrics 58, 385-401.

    Examples
    --------
    >>> import numpy as np
    >>> from narxkit.diagnostics import variance_ratio
    >>> walk = np.cumsum(np.random.default_rng(0).normal(size=1000))
    >>> variance_ratio(walk, kind="levels").pvalue > 0.05
    True
    """
    if not isinstance(kind, str) or kind not in ("increments", "levels"):
        raise ValueError(f"kind must be 'increments' or 'levels'. Got {kind!r} instead.")
    if not np.iterable(spans) or isinstance(spans, str) or not len(spans):
        raise ValueError(
            f"spans must be a sequence of numbers of steps, such as (2, 4). Got {spans!r} instead."
        )
    for q in spans:
        check_count("each of spans", q, 2)
    spans = tuple(sorted(set(spans)))
    steps = read_values(x, 2 * max(spans) + (kind == "levels"))
    if kind == "levels":
        steps = read_values(np.diff(steps), 2 * max(spans), "the increments of x")
    centred = steps - steps.mean()
    estimate = np.array([_ratio(centred, q) for q in spans])
    stderr = np.array([_standard_error(centred, q) for q in spans])
    statistic = (estimate - 1) / stderr
    pvalues = 2 * stats.norm.sf(np.abs(statistic))
    return VarianceRatio(
        spans=spans,
        estimate=estimate,
        stderr=stderr,
        statistic=statistic,
        pvalues=pvalues,
        # Sidak over the spans, by expm1 and log1p where p is tiny
        pvalue=float(-np.expm1(len(spans) * np.log1p(-min(pvalues.min(), 1 - 1e-16)))),
        n=len(steps),
    )


def _ratio(centred, q):
    """Return the variance of sums of q steps, per step, relative to that of single ones."""
    n = len(centred)
    path = np.concatenate([[0.0], np.cumsum(centred)])
    sums = path[q:] - path[:-q]
    # Lo and MacKinlay's m = q (n - q + 1)(1 - q / n) makes it unbiased with overlapping sums
    return (sums @ sums / (q * (n - q + 1) * (1 - q / n))) / (centred @ centred / (n - 1))


def _standard_error(centred, q):
    """Return the standard error of the ratio for uncorrelated steps of changing variance."""
    squares = centred**2
    products = np.array([squares[j:] @ squares[:-j] for j in range(1, q)])
    # VR(q) = 1 + sum_j weights_j rho_j, each rho_j with the variance products_j / squares^2,
    # whatever the variances of steps
    weights = 2 * (q - np.arange(1, q)) / q
    return np.sqrt(weights**2 @ products) / squares.sum()
