r"""Divergence of neighbouring states: largest Lyapunov exponent, and the states themselves.

A state is a vector of delayed values, (y_{t-(m-1)d}, ... y_{t-d}, y_t). Two states that are near
each other while their times are far apart are followed, and their distance is averaged over pairs:

    S(k) = mean_i ln |y_{i+k} - y_{j(i)+k}|,    j(i) the nearest neighbour of i.

In a chaotic system S rises by lambda per step, the largest Lyapunov exponent, until it meets
S_inf, the mean logarithm of the distance of any two values. The line is fitted from k = (m - 1) d
on, as the pairs turn towards the direction of growth before that, and ends below S_inf, as the
pairs that are already far apart bend S: at S_inf - 2.5 where S climbs by 2 until there, else
where it has climbed by 2, but at S_inf - 1.5 at the latest.

**Diffusion is no chaos.** Neighbours on a random walk part as well, but like a power of time:
S = a + H ln k. Over the same k both laws are fitted, and growth is called exponential only where
the line leaves at most half of the squares that the power law leaves and S climbs by 1 at
least. White noise forgets at once: S jumps to S_inf and leaves no k to fit.

References: Rosenstein, Collins and De Luca 1993, "A practical method for calculating largest
Lyapunov exponents from small data sets", Physica D 65, 117-134; Kantz 1994, "A robust method to
estimate the maximal Lyapunov exponent of a time series", Physics Letters A 185, 77-87, for the
distance of single values in place of that of states; Kennel, Brown and Abarbanel 1992,
"Determining embedding dimension for phase-space reconstruction using a geometrical construction",
Physical Review A 45, 3403-3411; Fraser and Swinney 1986, "Independent coordinates for strange
attractors from mutual information", Physical Review A 33, 1134-1140.
"""

from dataclasses import dataclass
from numbers import Real

import numpy as np
from scipy import stats

from narxkit.diagnostics._embedding import delay_vectors, distinct, neighbours
from narxkit.diagnostics._result import Result, Row
from narxkit.diagnostics.values import check_count, read_values

__all__ = ["FalseNeighbours", "Lyapunov", "embedding_delay", "false_neighbours", "lyapunov"]

N_MIN = 200  # rows: with fewer no neighbour is near
N_STATES = 20_000  # the last states, of which neighbours are taken
N_QUERIES = 2000  # states whose neighbours are followed
N_BATCHES = 20  # of consecutive states, for the standard error
MARGINS = 2.5, 1.5  # of ln distance below S_inf, between which the line ends
CLIMB = 2.0  # of ln distance: a line this long may end further below
N_FIT = 4  # steps that make a line
DISTANCE_RATIO, SIZE_RATIO = 15.0, 2.0  # of Kennel, Brown and Abarbanel


# --- delay and dimension -------------------------------------------------------------------------


def embedding_delay(y, max_delay=None):
    """Choose the delay between the values of a state.

    The first lag at which the autocorrelation falls below 1/e or the mutual information of y_t and
    y_{t-lag} has a minimum, whichever comes first: 1 for maps, a quarter of an oscillation or so
    for finely sampled flows.

    Parameters
    ----------
    y : array-like of shape (n,)
        A series.
    max_delay : int, default=None
        The largest delay to try; by default a twentieth of the rows, at most 500.

    Returns
    -------
    int
        The delay in rows.

    Raises
    ------
    ValueError
        When y cannot be read, or `max_delay` is no count.

    Examples
    --------
    >>> from narxkit.datasets import make_henon, make_lorenz
    >>> from narxkit.diagnostics import embedding_delay
    >>> embedding_delay(make_henon(1000, random_state=0))
    1
    >>> embedding_delay(make_lorenz(5000, random_state=0)[:, 0])
    19
    """
    values = read_values(y, N_MIN, "y")
    if max_delay is None:
        max_delay = min(len(values) // 20, 500)
    check_count("max_delay", max_delay, 1)
    return _delay(values, max_delay)


def _delay(values, max_delay):
    centred = values - values.mean()
    bins = _equal_bins(values)
    # at lag 0 it is the entropy, and falls from there
    last = _information(bins, bins)
    for lag in range(1, max_delay + 1):
        ahead, behind = centred[lag:], centred[:-lag]
        if ahead @ behind < (centred @ centred) / np.e:
            return lag
        information = _information(bins[lag:], bins[:-lag])
        # it rises again: the lag before was the minimum
        if information > last:
            return lag - 1
        last = information
    return max_delay


def _equal_bins(values):
    """Return the bin of each value, out of 16 bins that hold about as many values each."""
    edges = np.quantile(values, np.linspace(0, 1, 17)[1:-1])
    return np.searchsorted(edges, values, side="right")


def _information(a, b):
    """Compute the mutual information of two series of bins."""
    joint = np.bincount(16 * a + b, minlength=256).reshape(16, 16) / len(a)
    independent = np.outer(joint.sum(axis=1), joint.sum(axis=0))
    there = joint > 0
    return float(joint[there] @ np.log(joint[there] / independent[there]))


@dataclass(frozen=True, repr=False, eq=False)
class FalseNeighbours(Result):
    """False neighbours by dimension, the result of `false_neighbours`.

    Parameters
    ----------
    dimension : int or None
        Values of a state from which on at most `tolerance` of the neighbours are false; None where
        no number of values that was tried is enough.
    delay : int
        Rows from one of these values to the next.
    shares : ndarray of shape (max_dimension,)
        Share of false neighbours with 1, 2, ... values.
    tolerance : float
        The share that is borne.
    n : int
        Rows.

    See Also
    --------
    false_neighbours : Find them.

    Examples
    --------
    >>> from narxkit.datasets import make_henon
    >>> from narxkit.diagnostics import false_neighbours
    >>> false_neighbours(make_henon(2000, random_state=0)).dimension
    2
    """

    dimension: int | None
    delay: int
    shares: np.ndarray
    tolerance: float
    n: int

    @property
    def best(self):
        """The dimension, or the one with the fewest false neighbours where none is enough.

        Returns
        -------
        int
            Values of a state.
        """
        return self.dimension or int(np.argmin(self.shares)) + 1

    @property
    def lags(self):
        """The output lags that the states suggest, or None where none are enough.

        Returns
        -------
        list of int or None
            1, 1 + delay, ... for `output_lags`.
        """
        if self.dimension is None:
            return None
        return [1 + self.delay * i for i in range(self.dimension)]

    @property
    def sentence(self):
        """The result in one sentence."""
        if self.dimension is None:
            return (
                f"No state of up to {len(self.shares)} values tells what comes next: at best "
                f"{self.shares.min():.0%} of the neighbours are false."
            )
        plural = "s" if self.dimension > 1 else ""
        return (
            f"{self.dimension} value{plural}, {self.delay} row{'s' if self.delay > 1 else ''} "
            f"apart, make a state: output lags {', '.join(map(str, self.lags))}."
        )

    @property
    def figures(self):
        """The lines of the table."""
        return [
            Row(f"false with {m} value{'s' if m > 1 else ''}", f"{share:.1%}")
            for m, share in enumerate(self.shares, start=1)
        ]

    def plot(self, ax=None):
        """Draw the share of false neighbours by the values of a state.

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

        ax, dimensions = open_axes(ax), np.arange(1, len(self.shares) + 1)
        ax.plot(dimensions, self.shares, "o-", color=COLOURS[0])
        ax.axhline(self.tolerance, color=GREY, lw=0.8, ls=":")
        label(ax, (dimensions[-1], self.tolerance), "borne", GREY, ha="right")
        ax.set_xticks(dimensions)
        ax.set_ylim(0, None)
        ax.set_xlabel(f"values of a state, {self.delay} row{'s' if self.delay > 1 else ''} apart")
        ax.set_ylabel("share of false neighbours")
        return ax


def false_neighbours(y, delay=None, max_dimension=8, tolerance=0.01):
    r"""Count false neighbours, to tell how many lags make a state.

    States of m values are followed by one value more, d rows later. A pair of nearest neighbours
    at distance R was false, near only because a value was left out, if

    .. math::

        |y_{i+md} - y_{j+md}| > 15 R \quad\text{or}\quad
        R^2 + (y_{i+md} - y_{j+md})^2 > (2 \sigma)^2

    with sigma the standard deviation of y. The second rule keeps noise from passing for
    deterministic, since in many dimensions no neighbour is near.

    Parameters
    ----------
    y : array-like of shape (n,)
        A series.
    delay : int, default=None
        d, in rows; by default that of `embedding_delay`.
    max_dimension : int, default=8
        The most values to try.
    tolerance : float, default=0.01
        Share of false neighbours that is borne.

    Returns
    -------
    FalseNeighbours
        The least dimension, the shares, and the lags that follow.

    Raises
    ------
    ValueError
        When y cannot be read or an argument is out of range.

    See Also
    --------
    lyapunov : How fast the states part.

    References
    ----------
    Kennel, Brown and Abarbanel 1992, "Determining embedding dimension for phase-space
    reconstruction using a geometrical construction", Physical Review A 45, 3403-3411.

    Examples
    --------
    >>> from narxkit.datasets import make_henon
    >>> from narxkit.diagnostics import false_neighbours
    >>> false_neighbours(make_henon(2000, random_state=0)).lags
    [1, 2]
    """
    values = read_values(y, N_MIN, "y")
    check_count("max_dimension", max_dimension, 1)
    if not isinstance(tolerance, Real) or not 0 <= tolerance < 1:
        raise ValueError(f"tolerance must be a share in [0, 1). Got {tolerance!r} instead.")
    if 4 * max_dimension > len(values):
        raise ValueError(
            f"states of {max_dimension} values need at least {4 * max_dimension} rows. Got "
            f"{len(values)} instead: give a longer series or a smaller max_dimension."
        )
    delay = _checked_delay(values, delay, max_dimension)
    shares = np.array([_share_of_false(values, m, delay) for m in range(1, max_dimension + 1)])
    enough = np.flatnonzero(shares <= tolerance)
    return FalseNeighbours(
        dimension=int(enough[0]) + 1 if len(enough) else None,
        delay=delay,
        shares=shares,
        tolerance=tolerance,
        n=len(values),
    )


def _checked_delay(values, delay, dimension):
    """Return the delay given or found, short enough that most rows end a state."""
    longest = len(values) // (4 * dimension)
    if delay is None:
        return max(1, min(_delay(values, min(len(values) // 20, 500)), longest))
    check_count("delay", delay, 1)
    if delay > longest:
        raise ValueError(
            f"delay must be at most {longest}, for {len(values)} rows and states of {dimension} "
            f"values. Got {delay} instead: give a longer series or a smaller delay."
        )
    return delay


def _share_of_false(values, dimension, delay):
    """Return the share of false nearest neighbours; 1 where no state has a neighbour."""
    # the last column is the coordinate that a further dimension adds
    vectors = delay_vectors(values, dimension + 1, delay)
    rows = distinct(vectors[:, :-1], N_STATES)
    vectors = vectors[rows]
    queries = _spread(len(rows), N_QUERIES)
    near = neighbours(vectors[:, :-1], rows, queries, delay)[:, 0]
    queries, near = queries[near >= 0], near[near >= 0]
    gap = vectors[queries] - vectors[near]
    distance, beyond = np.linalg.norm(gap[:, :-1], axis=1), np.abs(gap[:, -1])
    # the second criterion of Kennel et al.: in noise the nearest neighbour is not near at all
    is_far = distance**2 + beyond**2 > (SIZE_RATIO * values.std()) ** 2
    return float(np.mean((beyond > DISTANCE_RATIO * distance) | is_far)) if len(near) else 1.0


def _spread(n, n_picked):
    """Pick at most n_picked of n positions, evenly spread."""
    return np.unique(np.linspace(0, n - 1, min(n, n_picked)).astype(int))


# --- the exponent --------------------------------------------------------------------------------


@dataclass(frozen=True, repr=False, eq=False)
class Lyapunov(Result):
    """The largest Lyapunov exponent, the result of `lyapunov`.

    Parameters
    ----------
    estimate : float
        Largest Lyapunov exponent, per unit of time; NaN where fewer than four steps can be fitted.
    stderr : float
        Its standard error, from batches of consecutive states.
    confidence_interval : tuple of two floats
        95 %, Student's.
    is_exponential : bool
        Whether the neighbours part exponentially, rather than like a power of time or at once.
    ratio : float
        Squares that the power law leaves, in those that the line leaves.
    divergence : ndarray of shape (n_steps,)
        S(k) from k = 0 on.
    saturation : float
        S_inf.
    region : tuple of two ints
        First k of the fit, and the one after the last.
    step : float
        Time from one row to the next.
    dimension : int
        Values of a state.
    delay : int
        Rows from one of them to the next.
    theiler : int
        Neighbours are more than so many rows apart.
    n : int
        Rows.

    See Also
    --------
    lyapunov : Find it.

    Examples
    --------
    >>> from narxkit.datasets import make_henon
    >>> from narxkit.diagnostics import lyapunov
    >>> found = lyapunov(make_henon(5000, random_state=0))
    >>> found.is_exponential, round(found.estimate, 1)
    (True, 0.4)
    """

    estimate: float
    stderr: float
    confidence_interval: tuple[float, float]
    is_exponential: bool
    ratio: float
    divergence: np.ndarray
    saturation: float
    region: tuple[int, int]
    step: float
    dimension: int
    delay: int
    theiler: int
    n: int

    @property
    def sentence(self):
        """The result in one sentence."""
        if np.isnan(self.estimate):
            return (
                "Neighbouring states part before an exponent can be read: by noise or diffusion, "
                "or for lack of rows."
            )
        if not self.is_exponential:
            return "Neighbouring states do not part exponentially: no chaos is seen."
        return (
            f"Neighbouring states part exponentially, by a factor e in {1 / self.estimate:.3g} "
            "units of time: chaos."
        )

    @property
    def figures(self):
        """The lines of the table."""
        low, high = self.confidence_interval
        first, stop = self.region
        return [
            Row("largest Lyapunov exponent", f"{self.estimate:.4g}", "per unit of time"),
            Row(
                "standard error",
                f"{self.stderr:.2g}",
                f"95 %: {low:.4g} to {high:.4g}, of the spread alone; few rows add a bias",
            ),
            Row("fitted steps", f"{first} to {stop - 1}", f"of {len(self.divergence)}"),
            Row("power law over line", f"{self.ratio:.3g}", "squares left; chaos from 2 on"),
            Row("values of a state", f"{self.dimension}", f"{self.delay} rows apart"),
            Row("rows between neighbours", f"{self.theiler}", f"at least, of {self.n}"),
        ]

    def plot(self, ax=None):
        """Draw how the distance of neighbours grows, and the fitted line.

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
        times = self.step * np.arange(len(self.divergence))
        ax.plot(times, self.divergence, color=COLOURS[0], lw=1.6)
        ax.axhline(self.saturation, color=GREY, lw=0.8, ls=":")
        label(ax, (times[-1], self.saturation), "any two values", GREY, ha="right", va="bottom")
        if np.isfinite(self.estimate):
            fitted = slice(*self.region)
            middle = times[fitted].mean(), self.divergence[fitted].mean()
            line = middle[1] + self.estimate * (times[fitted] - middle[0])
            ax.plot(times[fitted], line, color=COLOURS[1], lw=2.6, alpha=0.8)
            text = f"{self.estimate:.3g} per {'row' if self.step == 1 else 'unit of time'}"
            label(ax, middle, text, COLOURS[1], ha="left", va="top", shift=(8, -4))
        ax.set_xlabel("time" if self.step != 1 else "rows")
        if self.step == 1:
            ax.xaxis.get_major_locator().set_params(integer=True)
        ax.set_ylabel("mean ln distance of neighbours")
        return ax


def lyapunov(y, dimension=None, delay=None, theiler=None, horizon=None, step=1.0):
    """Estimate the largest Lyapunov exponent.

    The mean slope of ln distance of neighbouring states over time; the head of
    `narxkit.diagnostics.chaos` has formula and rules. An error in the state today grows by a
    factor e in 1 / lambda units of time: that is how far a forecast reaches.

    Parameters
    ----------
    y : array-like of shape (n,)
        A series. Thousands of rows for a map, hundreds of oscillations for a flow.
    dimension : int, default=None
        Values of a state; by default that of `false_neighbours`, or where it finds none the one
        with the fewest false ones.
    delay : int, default=None
        Rows from one of them to the next; by default that of `embedding_delay`.
    theiler : int, default=None
        Neighbours are more than so many rows apart in time; by default the mean period of the
        spectrum, at least the rows that a state covers and at most a tenth of all.
    horizon : int, default=None
        Rows that neighbours are followed; by default a tenth of all.
    step : float, default=1.0
        Time from one row to the next: the exponent is per unit of that time.

    Returns
    -------
    Lyapunov
        Exponent, standard error, and whether the growth is exponential.

    Raises
    ------
    ValueError
        When y cannot be read, or an argument is out of range.

    See Also
    --------
    surrogate_test : Whether a linear process would look the same.

    Notes
    -----
    Neighbours are sought among the last 20,000 distinct states, for 2,000 of them. The standard
    error tells the spread along the path, not the bias of noise in y or of few rows: noise
    flattens S from below. A smooth linear process may part exponentially for a while, so chaos is
    claimed with confidence only where `surrogate_test` finds nonlinearity too.

    How near the estimate comes is a matter of rows. Of 20 series each without noise, all were
    within 2 % of ln 2 for the logistic map from 1,000 rows on, and within 5 % of 0.419 for the
    Henon map with 5,000; with 1,000 16 of 20 were, from 0.392 to 0.441. For 20,000 rows of Lorenz'
    system, every 0.01, the known 0.906 became 0.878 in the median from x (0.774 to 0.959) and 0.840
    from z (0.755 to 0.891), in which the two lobes are one and S bends earlier.

    Examples
    --------
    >>> import numpy as np
    >>> from narxkit.diagnostics import lyapunov
    >>> walk = np.cumsum(np.random.default_rng(0).normal(size=2000))
    >>> lyapunov(walk, dimension=3, delay=1).sentence
    'Neighbouring states do not part exponentially: no chaos is seen.'
    """
    values = read_values(y, N_MIN, "y")
    if not isinstance(step, Real) or not 0 < step < np.inf:
        raise ValueError(f"step must be a time above 0. Got {step!r} instead.")
    for name, value in (("dimension", dimension), ("theiler", theiler), ("horizon", horizon)):
        if value is not None:
            check_count(name, value, 1)
    # 8 is the most that false_neighbours tries
    delay = _checked_delay(values, delay, dimension or 8)
    if dimension is None:
        dimension = false_neighbours(values, delay).best
    tenth, span = len(values) // 10, (dimension - 1) * delay
    # neighbours must not be the same piece of path, nor share a row of their states
    theiler = min(max(_mean_period(values), span), tenth) if theiler is None else theiler
    horizon = tenth if horizon is None else horizon
    longest = len(values) - span - theiler - N_MIN // 2
    if longest < 1:
        raise ValueError(
            f"dimension={dimension} values {delay} rows apart and theiler={theiler} leave nothing "
            f"of {len(values)} rows to follow neighbours on: give smaller ones."
        )
    if horizon > longest:
        raise ValueError(
            f"horizon must be at most {longest}, for {len(values)} rows, states of {span + 1} rows "
            f"and neighbours {theiler} rows apart. Got {horizon} instead."
        )
    logs = _log_distances(values, dimension, delay, theiler, horizon)
    return _fit(
        logs,
        saturation=_saturation(values),
        first=max(1, span),
        step=step,
        dimension=dimension,
        delay=delay,
        theiler=theiler,
        n=len(values),
    )


def _mean_period(values):
    """Return the rows of a mean oscillation: one over the mean frequency of the periodogram."""
    power = np.abs(np.fft.rfft(values - values.mean())) ** 2
    frequency = np.fft.rfftfreq(len(values))
    return int(np.ceil(power.sum() / (frequency @ power)))


def _log_distances(values, dimension, delay, theiler, horizon):
    """Return ln |y_{i+k} - y_{j+k}| of pairs of neighbours, of shape (horizon, n_pairs)."""
    span = (dimension - 1) * delay
    vectors = delay_vectors(values[: len(values) - horizon], dimension, delay)
    rows = distinct(vectors, N_STATES)
    queries = _spread(len(rows), N_QUERIES)
    near = neighbours(vectors[rows], rows, queries, theiler)[:, 0]
    # NaN becomes "too few steps to fit" and no exponent
    if np.sum(near >= 0) < N_BATCHES:  # too few states differ
        return np.full((horizon, N_BATCHES), np.nan)
    i, j = rows[queries[near >= 0]] + span, rows[near[near >= 0]] + span
    # equal values have no log; rounded data cannot tell less than half a step
    finest = _resolution(values) / 2
    return np.array(
        [np.log(np.maximum(np.abs(values[i + k] - values[j + k]), finest)) for k in range(horizon)]
    )


def _resolution(values):
    """Return the smallest step between two different values."""
    return np.diff(np.unique(values)).min()


def _saturation(values):
    """Return the mean ln distance of values at random times."""
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, len(values), (2, 20_000))
    # where neighbours end up once the attractor has folded: the same distance as of strangers
    gap = np.abs(values[a] - values[b])
    return float(np.log(gap[gap > 0]).mean())


def _fit(logs, saturation, first, **settings):
    """Fit the line of the mean logarithms over the steps before they saturate."""
    divergence = logs.mean(axis=1)
    start = divergence[min(first, len(divergence) - 1)]
    # the fit ends where S has climbed enough, between the margins below saturation
    is_over = divergence > np.clip(start + CLIMB, *(saturation - np.array(MARGINS)))
    stop = int(np.argmax(is_over)) if is_over.any() else len(divergence)
    step = settings["step"]
    estimate = stderr = low = high = ratio = np.nan
    if stop - first >= N_FIT:
        k = np.arange(first, stop)
        slopes = _slope(k * step) @ logs[first:stop]  # of each pair; their mean is the slope of S
        # pairs next to each other in time depend on each other: batches hardly do
        batches = [batch.mean() for batch in np.array_split(slopes, N_BATCHES)]
        estimate, stderr = float(slopes.mean()), float(stats.sem(batches))
        half = stderr * stats.t.ppf(0.975, N_BATCHES - 1)
        low, high = estimate - half, estimate + half
        # noise parts like a power of k, chaos like e^{lambda k}: the line must leave half as much
        # as the power law
        of_power, of_line = (_left(x, divergence[first:stop]) for x in (np.log(k), k))
        ratio = of_power / of_line if of_line > 0 else np.inf
    # an exponential that grows by less than e was not seen to be one
    rise = estimate * step * (stop - 1 - first)
    return Lyapunov(
        estimate=estimate,
        stderr=stderr,
        confidence_interval=(low, high),
        is_exponential=bool(low > 0 and ratio >= 2 and rise >= 1),
        ratio=ratio,
        divergence=divergence[: min(len(divergence), 2 * max(stop, 10))],
        saturation=saturation,
        region=(first, max(stop, first)),
        **settings,
    )


def _slope(times):
    """Return the weights of values whose sum is the slope of their least-squares line."""
    centred = times - times.mean()
    return centred / (centred @ centred)


def _left(x, y):
    """Return the squares that a least-squares line over x leaves of y."""
    x, y = x - x.mean(), y - y.mean()
    return float(y @ y - (x @ y) ** 2 / (x @ x))
