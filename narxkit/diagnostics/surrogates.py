r"""Surrogates: the series that a linear process would have given, and a test against them.

A surrogate has exactly the values of the series in another order, and its periodogram as nearly as
that allows. So it shares every linear property, mean, variance and autocorrelation, and nothing
else: whatever statistic sets a series apart from all of its surrogates is the work of nonlinearity,
or of a law that changes over time.

Iterated amplitude-adjusted Fourier transform (IAAFT). From a random order of the values, in turn:

    s <- the inverse transform of A exp(i arg F s),  A = |F y|       the spectrum of y
    s <- the sorted values of y, in the order of s                   the values of y

until the order no longer changes. The last step is the second, so that the values are exact.

The transform sees a periodic series: a jump from the last value back to the first is power at all
frequencies, and would make surrogates rougher than the series. `surrogate_test` therefore first
cuts up to a tenth off each end, where value and slope of the ends agree best.

References: Schreiber and Schmitz 1996, "Improved surrogate data for nonlinearity tests", Physical
Review Letters 77, 635-638; Schreiber and Schmitz 2000, "Surrogate time series", Physica D 142,
346-382 (ends: section 4.6); Theiler, Eubank, Longtin, Galdrikian and Farmer 1992, "Testing for
nonlinearity in time series: the method of surrogate data", Physica D 58, 77-94.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.utils import check_random_state

from narxkit.diagnostics._embedding import delay_vectors, neighbours
from narxkit.diagnostics._result import Result, Row
from narxkit.diagnostics.values import check_count, is_constant, read_values

__all__ = ["SurrogateTest", "iaaft", "surrogate_test"]

N_MIN = 100
N_NEIGHBOURS = 4  # whose futures make a prediction
N_ENDS = 10  # a tenth of the rows may go at each end


def iaaft(y, n_surrogates=1, max_iter=100, random_state=None):
    """Draw surrogates by the iterated amplitude-adjusted Fourier transform.

    Parameters
    ----------
    y : array-like of shape (n,)
        A series.
    n_surrogates : int, default=1
        How many.
    max_iter : int, default=100
        The most iterations; long series may still trade places of a few values then.
    random_state : int, RandomState instance or None, default=None
        Seed of the first orders.

    Returns
    -------
    ndarray of shape (n_surrogates, n)
        Each has exactly the values of y, and nearly its periodogram.

    Raises
    ------
    ValueError
        When y cannot be read or a number is no count.

    See Also
    --------
    surrogate_test : A test for nonlinearity.

    References
    ----------
    Schreiber and Schmitz 1996, "Improved surrogate data for nonlinearity tests", Physical Review
    Letters 77, 635-638.

    Examples
    --------
    >>> import numpy as np
    >>> from narxkit.datasets import make_henon
    >>> from narxkit.diagnostics import iaaft
    >>> y = make_henon(500, random_state=0)
    >>> surrogates = iaaft(y, 3, random_state=0)
    >>> bool((np.sort(surrogates, axis=1) == np.sort(y)).all())
    True
    """
    values = read_values(y, N_MIN, "y")
    check_count("n_surrogates", n_surrogates, 1)
    check_count("max_iter", max_iter, 1)
    rng = check_random_state(random_state)
    amplitude, ordered = np.abs(np.fft.rfft(values)), np.sort(values)
    surrogates = np.array([rng.permutation(values) for _ in range(n_surrogates)])
    # series whose order stands still are done and cost no more transforms
    moving = np.arange(n_surrogates)
    for _ in range(max_iter):
        before = surrogates[moving]
        after = _with_values(_with_amplitude(before, amplitude), ordered)
        surrogates[moving] = after
        moving = moving[(after != before).any(axis=1)]
        if not len(moving):
            break
    return surrogates


def _with_amplitude(series, amplitude):
    """Return the series with these absolute values of their transforms, and their own phases."""
    spectrum = np.fft.rfft(series)
    # a frequency without power has no phase, and stays without
    size = np.maximum(np.abs(spectrum), np.finfo(float).tiny)
    return np.fft.irfft(spectrum / size * amplitude, series.shape[1])


def _with_values(series, ordered):
    """Return the ordered values in the order of each series."""
    out = np.empty_like(series)
    np.put_along_axis(out, np.argsort(series, axis=1), ordered[None, :], axis=1)
    return out


@dataclass(frozen=True, repr=False, eq=False)
class SurrogateTest(Result):
    """A series among its surrogates, the result of `surrogate_test`.

    Parameters
    ----------
    statistic : float
        Statistic of the series.
    surrogates : ndarray of shape (n_surrogates,)
        Statistics of its surrogates.
    pvalue : float
        From the rank of the series among them.
    kind : {"prediction", "asymmetry"}
        Which statistic.
    n : int
        Rows after the cut.
    dimension, delay : int
        Values of a state, and rows from one of them to the next, and ahead.

    See Also
    --------
    surrogate_test : The test.

    Examples
    --------
    >>> from narxkit.datasets import make_henon
    >>> from narxkit.diagnostics import surrogate_test
    >>> surrogate_test(make_henon(500, random_state=0)).pvalue
    0.025
    """

    statistic: float
    surrogates: np.ndarray
    pvalue: float
    kind: str
    n: int
    dimension: int
    delay: int

    @property
    def lags(self):
        """The lags that make a state, from the row that is predicted.

        Returns
        -------
        list of int
            delay, 2 delay, ...
        """
        return [self.delay * i for i in range(1, self.dimension + 1)]

    @property
    def is_below_all(self):
        """Whether every surrogate has a larger statistic.

        Returns
        -------
        bool
            For "prediction": no surrogate is as predictable.
        """
        return bool(self.statistic < self.surrogates.min())

    @property
    def explained(self):
        """The share of variance that neighbours predict; below zero they do harm.

        Returns
        -------
        float
            1 - statistic^2, or NaN for the asymmetry.
        """
        return 1 - self.statistic**2 if self.kind == "prediction" else np.nan

    @property
    def sentence(self):
        """The result in one sentence."""
        what = {"prediction": "as predictable", "asymmetry": "as far from reversible"}[self.kind]
        if self.pvalue <= 0.05:
            return (
                f"Hardly a linear surrogate is {what} (p = {self.pvalue:.2g}): the series is "
                "nonlinear, or its law changes over time."
            )
        return f"Linear surrogates are {what} (p = {self.pvalue:.2g}): no nonlinearity is seen."

    @property
    def figures(self):
        """The lines of the table."""
        what = {
            "prediction": "error of neighbours, in standard deviations",
            "asymmetry": "skewness of the steps",
        }[self.kind]
        low, high = self.surrogates.min(), self.surrogates.max()
        return [
            Row(what, f"{self.statistic:.4g}", f"{self.n} rows"),
            Row("that of surrogates", f"{low:.4g} to {high:.4g}", f"of {len(self.surrogates)}"),
            Row("p value", f"{self.pvalue:.3g}", "by rank"),
        ]

    def plot(self, ax=None):
        """Draw the statistic of the series among those of its surrogates.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; by default on a new figure.

        Returns
        -------
        matplotlib Axes
            The axes drawn on.
        """
        from narxkit.diagnostics._draw import COLOURS, GREY, label, open_axes

        ax = open_axes(ax)
        ax.vlines(self.surrogates, 0, 1, color=GREY, lw=0.8)
        ax.vlines(self.statistic, 0, 1.4, color=COLOURS[1], lw=2.6)
        label(ax, (self.statistic, 1.4), "series", COLOURS[1], ha="center")
        label(ax, (np.median(self.surrogates), 1), "surrogates", GREY, ha="center")
        ax.set_ylim(0, 1.8)
        ax.set_yticks([])
        ax.spines["left"].set_visible(False)
        ax.set_xlabel(self.figures[0].name)
        return ax


def surrogate_test(y, kind="prediction", n_surrogates=39, dimension=3, delay=1, random_state=0):
    r"""Test whether a linear process would look the same.

    The null hypothesis: y is a stationary linear Gaussian process, seen through a monotone
    function. The statistic of y is ranked among those of its surrogates. ``"prediction"``, against
    surrogates that are less predictable, is the error of the mean future of four neighbours,

    .. math::

        T = \frac{1}{\sigma} \sqrt{\frac1n \sum_i
            \Big(y_{i+d} - \tfrac14 \sum_{j \in U_i} y_{j+d}\Big)^2},

    and ``"asymmetry"``, two-sided, how steps up differ from steps down: the mean of
    (y_t - y_{t-d})^3 over the 3/2th power of that of (y_t - y_{t-d})^2.

    Parameters
    ----------
    y : array-like of shape (n,)
        A series.
    kind : {"prediction", "asymmetry"}, default="prediction"
        The statistic.
    n_surrogates : int, default=39
        Surrogates; the smallest p value is 1 / (n_surrogates + 1), twice that if two-sided.
    dimension : int, default=3
        Values of a state.
    delay : int, default=1
        d: rows from one of them to the next, and ahead.
    random_state : int, RandomState instance or None, default=0
        Seed of the surrogates.

    Returns
    -------
    SurrogateTest
        Statistics and p value.

    Raises
    ------
    ValueError
        When y cannot be read or an argument is out of range.

    See Also
    --------
    iaaft : The surrogates.

    Notes
    -----
    A variance that changes, as that of returns does, or a trend is no linear stationary process
    either, and is found too; of a random walk give the increments. Searches take O(n log n) for
    each surrogate, and grow with the dimension.

    References
    ----------
    Schreiber and Schmitz 1997, "Discrimination power of measures for nonlinearity in a time
    series", Physical Review E 55, 5443-5447, found the prediction error the strongest of nine.

    Examples
    --------
    >>> import numpy as np
    >>> from narxkit.diagnostics import surrogate_test
    >>> surrogate_test(np.random.default_rng(0).normal(size=500)).pvalue > 0.05
    True
    """
    values = read_values(y, N_MIN, "y")
    if not isinstance(kind, str) or kind not in ("prediction", "asymmetry"):
        raise ValueError(f"kind must be 'prediction' or 'asymmetry'. Got {kind!r} instead.")
    for name, value in (
        ("n_surrogates", n_surrogates), ("dimension", dimension), ("delay", delay)
    ):  # fmt: skip
        check_count(name, value, 1)
    if dimension * delay > len(values) // 4:
        raise ValueError(
            f"dimension times delay must be at most {len(values) // 4}, a quarter of the rows. Got "
            f"{dimension * delay} instead: give a longer series or smaller numbers."
        )
    # before surrogates are drawn: the series itself is measured on the same stretch
    values = _with_matching_ends(values, dimension * delay)
    surrogates = iaaft(values, n_surrogates, random_state=random_state)
    measure = _prediction_error if kind == "prediction" else _asymmetry
    statistic = measure(values, dimension, delay)
    others = np.array([measure(surrogate, dimension, delay) for surrogate in surrogates])
    # the series is one of n + 1 in the rank, so that the test is exact
    below, above = (1 + np.sum(others <= statistic)), (1 + np.sum(others >= statistic))
    rank = below if kind == "prediction" else 2 * min(below, above)
    return SurrogateTest(
        statistic=statistic,
        surrogates=others,
        pvalue=float(min(1.0, rank / (n_surrogates + 1))),
        kind=kind,
        n=len(values),
        dimension=dimension,
        delay=delay,
    )


def _with_matching_ends(values, reach):
    """Return the stretch whose ends match best in value and slope, cut by a tenth at most.

    Of several it is the longest. Where all that varies stands in the ends, or in the first state of
    `reach` rows, whose values are nobody's future, they are not cut off but put together in the
    middle, for surrogates come full circle.
    """
    most = len(values) // N_ENDS
    starts, stops = np.arange(most), np.arange(len(values) - most, len(values))
    jump = values[starts][:, None] - values[stops]
    slip = (values[starts + 1] - values[starts])[:, None] - (values[stops] - values[stops - 1])
    misfit, length = jump**2 + slip**2, stops - starts[:, None]
    # rounded data have many pairs of ends that fit exactly
    longest = np.argmax(np.where(misfit == misfit.min(), length, 0))
    start, stop = np.unravel_index(longest, misfit.shape)
    stretch = values[starts[start] : stops[stop] + 1]
    return np.roll(values, len(values) // 2) if is_constant(stretch[reach:]) else stretch


def _prediction_error(values, dimension, delay):
    """Return the error of the mean future of neighbours, in standard deviations."""
    states = delay_vectors(values[:-delay], dimension, delay)
    rows = np.arange(len(states))
    future = values[rows + dimension * delay]
    # neighbours in time would predict by continuity alone
    near = neighbours(states, rows, rows, dimension * delay, N_NEIGHBOURS)
    return float(np.sqrt(np.mean((future - future[near].mean(axis=1)) ** 2)) / values.std())


def _asymmetry(values, dimension, delay):
    """Return the third moment of the steps, in units of their second."""
    steps = values[delay:] - values[:-delay]
    return float(np.mean(steps**3) / np.mean(steps**2) ** 1.5)
