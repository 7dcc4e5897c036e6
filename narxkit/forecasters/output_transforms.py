"""Outputs divided, transformed, adjusted and differenced; forecasts integrated and brought back.

From the outputs y of a segment to the rows w and z that a forecaster is fitted to, and back:

    q_t = y_t / c_t,    w_t = f(q_t) - s_t,    z = (1 - B^d1) (1 - B^d2) ... w,    B w_t = w_{t-1}

Differences are undone one after another, the last one first. That of lag d is a running sum over
every d-th step, which begins with measured rows, so that one cumulative sum does all rollouts.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
import pandas as pd
from scipy.special import boxcox, inv_boxcox

from narxkit._checks import is_count
from narxkit._stored import stored
from narxkit.forecasters.inner import Inner
from narxkit.rows.clock import Clock, is_alike

FLOOR = 0.02  # of the largest divisor: a quotient of less is noise, such as that of a low sun
LOGARITHMS = "log", "boxcox"
POWERS = np.log(1e-8), np.log(1e100)  # of outputs, beside the 1 that Box-Cox subtracts
SAME = 1e-6  # what may be lost on the way there and back, relative to the largest value
SEEN = 0.75  # of the most values in a season, below which its mean is no level


def read_lags(difference):
    """Return the lags of the differences, one after another."""
    is_sequence = np.iterable(difference) and not isinstance(difference, str)
    lags = list(difference) if is_sequence else [None]
    if not all(map(is_count, lags)):
        raise ValueError(
            "difference must be a sequence of ints >= 1, such as [1, 12]. "
            f"Got {difference!r} instead."
        )
    return tuple(map(int, lags))


def offsets(lags):
    """Return how far back the differences of one row reach, row by row.

    Examples
    --------
    >>> offsets([1, 12])
    [0, 1, 12, 13]
    """
    found = {0}
    for lag in lags:
        found |= {offset + lag for offset in found}
    return sorted(found)


# --- division ------------------------------------------------------------------------------------


@stored
@dataclass(frozen=True)
class Division:
    """Division of the outputs by a column of X.

    Attributes
    ----------
    column : int
        Position of the divisor c in X.
    floor : float
        Where c is not above it, the quotient stays as it was and the row has no weight.
    largest : float
        The largest c of the training rows, which has the weight 1.
    memory : int
        Rows in which the last quotient is looked for.
    mean : ndarray of shape (n_outputs,) or None
        The quotient where there is none in these rows: sum of y over sum of c.
    """

    column: int
    floor: float
    largest: float
    memory: int
    mean: np.ndarray | None = None

    @classmethod
    def read(cls, table, name, columns):
        """Read the divisor of the training rows."""
        column = _find(name, columns)
        c = table.X[:, column]
        _refuse_negatives(name, c, table)
        counts = np.where(np.isfinite(c), c, 0.0)
        if table.weight is not None:
            counts = np.where(table.weight > 0, counts, 0.0)
        if not counts.any():
            raise ValueError(
                f"divide_by={name!r} names a column that is zero or missing in all training rows: "
                "give rows in which it is above 0."
            )
        # of a panel the smallest series has its quotients too
        largest = [counts[rows].max() for rows in table.series.values()]
        floor = FLOOR * min(value for value in largest if value > 0)
        # twice as long as in the training rows, for nights and holidays elsewhere may be longer
        memory = 2 * _longest_run(c[table.order] <= floor, table.edges)
        return cls(column, float(floor), float(max(largest)), memory)

    def check(self, table, columns):
        """Refuse rows with a negative divisor."""
        _refuse_negatives(columns[self.column], table.X[:, self.column], table)

    def divisor(self, u):
        """Return the divisor (n, 1) of rows of X."""
        return u[:, [self.column]]

    def is_low(self, u):
        """Return the rows of X (n, 1) in which the quotient stays as it was."""
        return self.divisor(u) <= self.floor

    def weights(self, u):
        """Return the weight of each row: of the square of the divisor, 0 where it is low."""
        c = u[:, self.column]
        return np.where(c > self.floor, (c / self.largest) ** 2, 0.0)

    def divide(self, u, y):
        """Return the quotients of rows that are not low, NaN in others."""
        is_low = self.is_low(u)
        return np.where(is_low, np.nan, y / np.where(is_low, 1.0, self.divisor(u)))

    def with_mean(self, segments, weight):
        """Return the division with the mean quotient of the training rows."""
        u, y = segments.u, segments.y
        counts = np.isfinite(self.divide(u, y)) & (weight > 0)[:, None]
        totals = np.sum(np.broadcast_to(self.divisor(u), y.shape), axis=0, where=counts)
        if not totals.all():
            raise ValueError(
                "no measured row with a weight has a divisor above "
                f"{self.floor:g}, {FLOOR:.0%} of the largest: give measured rows with such ones."
            )
        return replace(self, mean=np.sum(y, axis=0, where=counts) / totals)

    def carried(self, w, segments, mean):
        """Return what was made of quotients, that of low rows as before; else the mean."""
        is_low = self.is_low(segments.u)[:, 0]
        if is_low.any():
            t = np.arange(len(w))
            known = np.where(np.isfinite(w), t[:, None], -1)
            last = np.maximum.accumulate(known, axis=0)[is_low]
            first = np.maximum(segments.starts, t - self.memory)[is_low, None]
            kept = np.take_along_axis(w, np.maximum(last, 0), axis=0)
            w = w.copy()
            w[is_low] = np.where(last >= first, kept, mean)
        return w


def _refuse_negatives(name, c, table):
    if (c < 0).any():
        row = int(np.argmax(c < 0))
        raise ValueError(
            f"divide_by={name!r} must name a column of numbers >= 0, but it is {c[row]:g} in "
            f"{table.label(row)}: clip it at 0, or divide by another column."
        )


def _find(name, columns):
    if not columns:
        raise ValueError(
            f"divide_by={name!r} names a column of X, but there is no X: give X with this column."
        )
    if name not in columns:
        raise ValueError(
            f"divide_by names the column {name!r}, but X has the columns {list(columns)}: correct "
            "the name."
        )
    return list(columns).index(name)


def _longest_run(is_low, edges):
    """Return the length of the longest run of a mask that no edge cuts."""
    t = np.arange(len(is_low))
    starts = np.repeat(edges[:-1], np.diff(edges))
    last = np.maximum.accumulate(np.where(is_low, -1, t))
    return int(np.max(t - np.maximum(last, starts - 1), initial=0))


# --- functions -----------------------------------------------------------------------------------


@stored
@dataclass(frozen=True)
class Function:
    """A function of outputs and its inverse, value by value.

    Attributes
    ----------
    transform : {"log", "boxcox"} or tuple of callable
        Its name, or the functions (forward, inverse) of the user's own.
    lambdas : ndarray of shape (n_outputs,) or None
        Of the Box-Cox transformation.
    """

    transform: str | tuple[Callable, Callable]
    lambdas: np.ndarray | None = None

    @classmethod
    def fit(cls, transform, values, is_training):
        """Make the function, a Box-Cox one by maximum likelihood, for values (n, n_outputs).

        Those of training rows decide; none may be beyond its reach.
        """
        if transform == "boxcox":
            _refuse_no_positives("boxcox", values)
            lambdas = np.array([_fit_lambda(column) for column in values[is_training].T])
            return cls("boxcox", lambdas)
        function = cls(transform if transform == "log" else tuple(transform))
        function.check(values)
        if function.name is None:
            function.check_inverse(values)
        return function

    @property
    def name(self):
        """Its name, None for functions of the user's own."""
        return self.transform if isinstance(self.transform, str) else None

    @cached_property
    def forward(self):
        """Takes arrays (..., n_outputs), in which NaN stays NaN."""
        if self.name is None:
            return partial(_finite, self.transform[0], "forward")
        return _log if self.name == "log" else partial(_boxcox, lambdas=self.lambdas)

    @cached_property
    def inverse(self):
        """Takes what `forward` gives."""
        if self.name is None:
            return partial(_finite, self.transform[1], "inverse")
        return np.exp if self.name == "log" else partial(_inverse_boxcox, lambdas=self.lambdas)

    def check(self, values):
        """Refuse values, NaN where missing, of which there is no result."""
        if self.name is not None:
            _refuse_no_positives(self.name, values)
            return
        bad = np.isfinite(values) & ~np.isfinite(self.forward(values))
        if bad.any():
            raise ValueError(
                "forward of transform=(forward, inverse) gives numbers that are not finite for "
                f"{bad.sum()} of {np.isfinite(values).sum()} values, such as {values[bad][0]:g}: "
                "give functions that take all values of y."
            )

    def check_inverse(self, values):
        """Refuse an inverse that does not bring values back."""
        there, once = np.isfinite(values), self.forward(values)
        x, back = values[there], self.inverse(once)[there]
        wrong = ~(np.abs(back - x) <= SAME * np.max(np.abs(x), initial=0.0))
        if wrong.any():
            i = int(np.argmax(wrong))
            raise ValueError(
                "inverse of transform=(forward, inverse) does not undo forward: "
                f"{wrong.sum()} of {len(x)} values come back as others, such as {x[i]:g} by "
                f"{once[there][i]:g} as {back[i]:g}: give functions that undo each other."
            )


def check_transform(transform):
    """Refuse what names no transformation."""
    is_named = isinstance(transform, str) and transform in LOGARITHMS
    is_pair = isinstance(transform, (tuple, list)) and len(transform) == 2
    is_known = transform is None or is_named or is_pair and all(map(callable, transform))
    if not is_known:
        raise ValueError(
            "transform must be None, 'log', 'boxcox' or a pair (forward, inverse) of functions. "
            f"Got {transform!r} instead."
        )


def _refuse_no_positives(name, values):
    bad = values <= 0
    if bad.any():
        raise ValueError(
            f"transform={name!r} needs outputs above 0, but {bad.any(axis=1).sum()} of "
            f"{np.isfinite(values).any(axis=1).sum()} measured rows are zero or negative, the "
            f"least {np.nanmin(values):g}: give transform=(np.log1p, np.expm1) for zeros, "
            "(np.arcsinh, np.sinh) for negative numbers, add a constant to y, or give NaN for "
            "what is no measurement."
        )


def _log(values):
    # of a start that is fitted: measured outputs are above 0, or refused
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(values)


def _fit_lambda(values):
    from scipy.stats import boxcox_normmax  # heavy, and rarely needed

    x = values[np.isfinite(values)]
    if len(np.unique(x)) < 2:
        return 1.0  # of a constant all are as likely
    with np.errstate(all="ignore"):
        found = float(boxcox_normmax(x, method="mle", ymax=np.inf))
        logs = np.log([x.min(), x.max()])
        # for a narrow range of large numbers powers are likely that floats cannot hold, or tell
        # from 0 or from each other: powers are as far apart as the logarithms, in parts of 1
        least = min(POWERS[0] - np.log(min(np.ptp(logs), 1.0)), 0.0)
    bounds = [sorted(np.array([least, POWERS[1]]) / log) for log in logs if log]
    low, high = np.max(bounds, axis=0)[0], np.min(bounds, axis=0)[1]
    return float(np.clip(found, low, high))


def _boxcox(values, lambdas):
    with np.errstate(divide="ignore", invalid="ignore"):
        return boxcox(values, lambdas)


def _inverse_boxcox(values, lambdas):
    """Invert; below the image of 0 (lambda > 0) is 0, above that of infinity (lambda < 0) inf."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        is_out = 1.0 + lambdas * values <= 0.0
        return np.where(is_out, np.where(lambdas > 0, 0.0, np.inf), inv_boxcox(values, lambdas))


def _finite(function, name, values):
    """Apply a user's function to what is finite."""
    there = np.isfinite(values)
    x = values[there]
    with np.errstate(all="ignore"):
        result = np.asarray(function(x), dtype=float)
    if result.shape != x.shape:
        raise ValueError(
            f"{name} of transform=(forward, inverse) must give one number for each of an array, "
            f"but returns the shape {result.shape} for {x.shape}: give a function of single values."
        )
    out = np.full(values.shape, np.nan)
    out[there] = result
    return out


# --- seasons -------------------------------------------------------------------------------------


@stored
@dataclass(frozen=True)
class Seasons:
    """Additive seasons, fixed to the clock.

    Attributes
    ----------
    periods : tuple of int
        Rows of each season, each a multiple of the one before.
    clock : Clock
        Counts the rows.
    first : Timestamp or Period
        Where it begins to count.
    profile : ndarray of shape (periods[-1], n_outputs) or None
        How far each place of the longest season lies above the level.
    """

    periods: tuple[int, ...]
    clock: Clock
    first: pd.Timestamp | pd.Period
    profile: np.ndarray | None = None

    @classmethod
    def read(cls, table, periods):
        """Read seasons against the clock of the training rows."""
        periods = read_periods(periods)
        clock = _one_clock(table, periods)
        longest = int(np.max(np.diff(table.edges)))
        if longest < 2 * periods[-1]:
            what = "series" if len(table.edges) == len(table.series) + 1 else "segment"
            raise ValueError(
                f"season={list(periods)} needs {2 * periods[-1]} rows, two of the longest season, "
                f"but the longest {what} has {longest}: give more rows or a shorter season."
            )
        return cls(periods, clock, table.times.min())

    def places(self, times):
        """Return the place of each row in the longest season."""
        if times is None:
            raise ValueError(
                f"season={list(self.periods)} is counted by the clock of the rows of fit, and "
                "these rows have no time stamps: give X or y their index."
            )
        if len(times) and not is_alike(self.first, times[0]):
            raise ValueError(
                f"season={list(self.periods)} is counted from {self.first!r}, the first row of "
                f"fit, but these rows begin at {times[0]!r}: give them an index of the same kind."
            )
        return self.clock.count(self.first, times) % self.periods[-1]

    def fit(self, segments, w, weight):
        """Return these seasons with the profile of values (n, n_outputs): means of deviations.

        One after the other, each as the mean, place by place, of what the moving average over one
        season leaves; 0 at a place that no row has.
        """
        places = self.places(segments.times)
        profile = np.zeros((self.periods[-1], w.shape[1]))
        for output, values in enumerate(np.where(weight[:, None] > 0, w, np.nan).T):
            for period in self.periods:
                left = values - profile[places, output]
                left -= _moving_average(left, period, segments)
                self._refuse_nothing_left(left, period)
                means = _means_by_place(left, places % period, period)
                profile[:, output] += np.tile(means, self.periods[-1] // period)
        return replace(self, profile=profile)

    def _refuse_nothing_left(self, left, period):
        if not np.isfinite(left).any():
            raise ValueError(
                f"season={list(self.periods)} finds no {period} rows on end of which enough are "
                "measured and have a weight: fill gaps, or give more rows or a shorter season."
            )

    def of(self, segments):
        """Return the season of each row (n, n_outputs)."""
        return self.profile[self.places(segments.times)]


def _one_clock(table, periods):
    """Return the clock of the longest series, as which all others must count."""
    which = "have none"
    if table.times is not None:
        clock = table.clocks[max(table.series, key=lambda key: len(table.series[key]))]
        which = "have several"
        if all(map(clock.counts_like, table.clocks.values())):
            which = f"are {clock.describe()}"
            if clock.counts:
                return clock
    raise ValueError(
        f"season={list(periods)} is counted by a clock with a fixed step, but the rows {which}: "
        "give X or y a regular index of time stamps, or leave season out."
    )


def read_periods(season):
    """Read a number of rows, or several, as a tuple of seasons that nest."""
    periods = (season,) if is_count(season) else tuple(season) if np.iterable(season) else ()
    if not periods or not all(is_count(period) and period >= 2 for period in periods):
        raise ValueError(
            "season must be a number of rows, an int >= 2, or a sequence of them such as "
            f"(24, 168). Got {season!r} instead."
        )
    periods = tuple(sorted({int(period) for period in periods}))
    uneven = [pair for pair in zip(periods, periods[1:]) if pair[1] % pair[0]]
    if uneven:
        short, long = uneven[0]
        raise ValueError(
            f"each season must be a multiple of the shorter ones, but season holds {list(periods)},"
            f" in which {long} is no multiple of {short}: leave one out."
        )
    return periods


def _moving_average(values, period, segments):
    """Return centred means over one season of what is there, NaN where too little is."""
    # of an even number of rows the first and the last count half
    kernel = np.ones(period + 1 - period % 2)
    kernel[[0, -1]] = 1.0 if period % 2 else 0.5
    half = len(kernel) // 2
    sums, counts = np.zeros(len(values)), np.zeros(len(values))
    there = np.isfinite(values)
    for start, stop in zip(segments.edges[:-1], segments.edges[1:]):
        if stop - start >= len(kernel):
            rows, inside = slice(start, stop), slice(start + half, stop - half)
            sums[inside] = np.convolve(np.where(there, values, 0.0)[rows], kernel, "valid")
            counts[inside] = np.convolve(there[rows], kernel, "valid")
    # what a mean leaves out at random cancels, but one beside a gap is that of a part of the season
    is_level = counts >= max(SEEN * counts.max(), 0.5)
    return np.where(is_level, sums / np.maximum(counts, 0.5), np.nan)


def _means_by_place(values, places, period):
    """Return means of what is there, place by place, less their own mean."""
    there = np.isfinite(values)
    counts = np.bincount(places[there], minlength=period)
    means = np.bincount(places[there], values[there], minlength=period) / np.maximum(counts, 1)
    means -= means[counts > 0].mean() if counts.any() else 0.0
    return np.where(counts > 0, means, 0.0)


# --- all together --------------------------------------------------------------------------------


@stored
@dataclass(frozen=True)
class Chain:
    """Division, function and differences, one after another; any of them may be left out.

    Attributes
    ----------
    division : Division or None
        Comes first.
    function : Function or None
        Comes second.
    seasons : Seasons or None
        Come third.
    regression : Inner or None
        A model of the inputs alone comes fourth.
    lags : tuple of int
        Those of the differences, which come last.
    """

    division: Division | None = None
    function: Function | None = None
    seasons: Seasons | None = None
    regression: Inner | None = None
    lags: tuple[int, ...] = ()

    @property
    def is_empty(self):
        """Whether it leaves all as it is."""
        return all(
            stage is None for stage in (self.division, self.function, self.seasons, self.regression)
        ) and (not self.lags)

    @property
    def n_before(self):
        """Rows before its own that the differences of a row need."""
        return sum(self.lags)

    def has_begun(self, segments):
        """Return the rows from the first one with a z of each segment on, as a mask."""
        t, n = np.arange(len(segments)), len(segments)
        if self.division is None:
            return t - self.n_before >= segments.starts
        is_low = self.division.is_low(segments.u)[:, 0]
        first = np.minimum.accumulate(np.where(is_low, n, t)[::-1])[::-1]
        return t - self.n_before >= first[segments.starts]

    def quotients(self, u, y):
        """Return the outputs divided, NaN in low rows."""
        return y if self.division is None else self.division.divide(u, y)

    def check(self, u, y):
        """Refuse outputs that the function cannot take."""
        if self.function is not None:
            self.function.check(self.quotients(u, y))

    def levels(self, segments, is_filled=True):
        """Return the outputs before the first difference, and after each of them."""
        w = self._transformed(self.quotients(segments.u, segments.y))
        if self.seasons is not None:
            w = w - self.seasons.of(segments)
        if self.regression is not None:
            w = w - self.regression.of_rows(segments)
        if self.division is not None:
            # behind the seasons: by night the level stays, not the season of the evening
            mean = self._transformed(self.division.mean) if is_filled else np.nan
            w = self.division.carried(w, segments, mean)
        levels = [w]
        for lag in self.lags:
            levels.append(_difference(levels[-1], lag, segments.starts))
        return levels

    def _transformed(self, q):
        return q if self.function is None else self.function.forward(q)

    def undo(self, z_hat, levels, rollouts):
        """Bring predictions (n, n_steps, n_outputs) back, from the levels of measured rows on."""
        for lag, level in zip(self.lags[::-1], levels[-2::-1]):
            z_hat = _integrate(z_hat, level[rollouts.origins[:, None] + np.arange(-lag, 0)])
        if self.regression is not None:
            z_hat = z_hat + self.regression.of_rows(rollouts.segments)[rollouts.rows]
        if self.seasons is not None:
            z_hat = z_hat + self.seasons.of(rollouts.segments)[rollouts.rows]
        if self.function is not None:
            with np.errstate(over="ignore"):  # infinite: the rollout has diverged
                z_hat = self.function.inverse(z_hat)
        if self.division is not None:
            z_hat = z_hat * self.division.divisor(rollouts.segments.u)[rollouts.rows]
        return z_hat


def _difference(w, lag, starts):
    z = np.full_like(w, np.nan)
    z[lag:] = w[lag:] - w[:-lag]
    z[np.arange(len(w)) - lag < starts] = np.nan
    return z


def _integrate(z_hat, past):
    """Undo a difference from the rows before each rollout, as many as its lag.

    Examples
    --------
    >>> _integrate(np.array([[[1.0], [1.0], [1.0]]]), np.array([[[10.0], [20.0]]])).ravel()
    array([11., 21., 12.])
    """
    n, steps, p = z_hat.shape
    lag = past.shape[1]
    n_rounds = 1 + -(-steps // lag)
    rows = np.zeros((n, n_rounds * lag, p))
    rows[:, :lag], rows[:, lag : lag + steps] = past, z_hat
    sums = rows.reshape(n, n_rounds, lag, p).cumsum(axis=1)
    return sums.reshape(n, -1, p)[:, lag : lag + steps]
