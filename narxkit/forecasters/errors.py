r"""Errors of forecasts, and how their spread depends on steps, season, level and late errors.

With e the error of a row h steps ahead, the spread is

.. math::

    s = m_h \, g(x) \, (1 + b_h (L_o - 1))

where m is the mean absolute error of h steps, g the factor of the place of the season or of the
level of the forecast, and L how large errors of one step were lately, up to the origin: a mean with
geometric weights, 1 on the average. What does not make errors more likely that were left out of the
fit is left out of the product.
"""

import warnings
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd

from narxkit._stored import stored

N_BINS = 10  # of levels of the forecast
DECAY = 0.9  # of the weight of late errors, row by row
GAIN = 0.001  # of the mean log-likelihood, from which on the spread depends on something
BARELY = 0.05  # of the mean spread: where forecasts err less, such as by night, that tells nothing
ENOUGH = 20  # trajectories from the same place of the season, to draw from them alone


@stored
@dataclass(frozen=True)
class Errors:
    """Errors of one series, by the row that was predicted and the steps that it was ahead.

    Attributes
    ----------
    errors : ndarray of shape (n, steps, n_outputs)
        NaN where there is none.
    y_hat : ndarray of shape (n, steps, n_outputs)
        The forecasts, on the scale of the errors.
    numbers : ndarray of int, shape (n,)
        The rows, counted by the clock.
    period : int
        Rows of a season, 1 without any.
    """

    errors: np.ndarray
    y_hat: np.ndarray
    numbers: np.ndarray
    period: int

    def followed_by(self, errors, y_hat, numbers, size):
        """Return these and new ones, no more than the last `size`."""
        parts = ((self.errors, errors), (self.y_hat, y_hat), (self.numbers, numbers))
        return Errors(*(np.concatenate(pair)[-size:] for pair in parts), self.period)

    @cached_property
    def scale(self):
        """How the spread depends on steps, season and level, output by output."""
        n_outputs = self.errors.shape[2]
        return [
            Spread.fit(self.errors[..., j], self.y_hat[..., j], self.numbers % self.period)
            for j in range(n_outputs)
        ]

    def spread(self, y_hat, numbers, before):
        """Return the spread (n, steps, n_outputs) of forecasts of rows, and where it tells."""
        places = numbers % self.period
        parts = [one.of(y_hat[..., j], places, before[..., j]) for j, one in enumerate(self.scale)]
        return tuple(np.stack(part, axis=-1) for part in zip(*parts))

    def _sizes_of_one_step(self, errors, y_hat, numbers):
        """Return absolute errors (n, n_outputs) of one step over what level and place expect."""
        columns = zip(self.scale, errors.T, y_hat.T)
        places = numbers % self.period
        return np.stack([one.sizes_of_one_step(*pair, places) for one, *pair in columns], axis=-1)

    def spread_of_one_step(self, y_hat, numbers):
        """Return the spread (n, n_outputs) of errors of one step in rows to come."""
        y_hat, numbers = y_hat[:, None], numbers[:, None]
        return self.spread(y_hat, numbers, self.late[-1:, None])[0][:, 0]

    @cached_property
    def late(self):
        """How large errors of one step were lately, up to each row, output by output."""
        none = np.empty((0, self.errors.shape[2]))
        return self.late_with(none, none, np.empty(0, dtype=int))

    def late_with(self, errors, y_hat, numbers):
        """Return it (n, n_outputs) for these rows and later ones, of which errors are given."""
        errors = np.concatenate([self.errors[:, 0], errors])
        y_hat = np.concatenate([self.y_hat[:, 0], y_hat])
        sizes = self._sizes_of_one_step(errors, y_hat, np.concatenate([self.numbers, numbers]))
        return np.stack([late_errors(column) for column in sizes.T], axis=-1)

    @cached_property
    def scaled(self):
        """Errors over their spread, NaN where that is next to nothing."""
        steps = self.errors.shape[1]
        before = np.stack([at_origins(late, steps) for late in self.late.T], axis=-1)
        spread, tells = self.spread(self.y_hat, self.numbers[:, None], before)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(tells, self.errors / spread, np.nan)

    @cached_property
    def ordered(self):
        """The scaled errors in order, NaN last, and how many there are of each."""
        return np.sort(self.scaled, axis=0), np.isfinite(self.scaled).sum(axis=0)

    def n_errors(self, steps):
        """Return the least number of errors of any step and output that is in doubt."""
        counts = self.ordered[1][:steps]
        is_sure = np.isfinite(self.errors[:, :steps]).any(axis=0) & (counts == 0)
        return int(np.min(counts, initial=len(self.errors), where=~is_sure))

    def quantiles(self, q):
        """Return quantiles (len(q), steps, n_outputs) of the scaled errors."""
        z, counts = self.ordered
        at = np.multiply.outer(q, counts + 1.0) - 1.0
        at = np.clip(at, 0.0, np.maximum(counts - 1.0, 0.0))
        low = at.astype(int)
        high = np.minimum(low + 1, np.maximum(counts - 1, 0))
        below, above = (np.take_along_axis(z, i, axis=0) for i in (low, high))
        # nothing is known of what is never in doubt: its spread is next to nothing
        return np.where(counts > 0, below + (at - low) * (above - below), 0.0)

    def trajectories(self, ahead, number):
        """Return scaled errors (n, steps, n_outputs) of rows in turn, 0 where they tell nothing.

        `ahead` says of each row how many steps less 1 it is ahead: 0, 1, 2 ... are the errors of
        whole rollouts, and 0, 0, 0 ... those of one step from row to row. Where the spread depends
        on season or level they begin at the same place of the season as row `number`, if there are
        enough of such.
        """
        n = max(len(self.errors) - len(ahead) + 1, 0)
        rows = np.arange(n)[:, None] + np.arange(len(ahead))
        # no rollout crosses a seam, so that such a diagonal holds what is missing
        rows = rows[np.isfinite(self.errors[rows, ahead]).all(axis=(1, 2))]
        same = (self.numbers[rows[:, 0]] - number) % self.period == 0
        if any(one.varies for one in self.scale) and same.sum() >= ENOUGH:
            rows = rows[same]
        return np.nan_to_num(self.scaled[rows, ahead])


@dataclass(frozen=True)
class Spread:
    """The mean absolute error by steps ahead, times factors by place or level and by late errors.

    Attributes
    ----------
    by_step : ndarray of shape (steps,)
        Mean absolute errors.
    factors : ndarray of shape (n_groups,)
        Of each place of the season, or between edges of the level; a single 1 where neither
        matters.
    edges : ndarray of shape (n_groups - 1,) or None
        Levels of the forecast; None of a season.
    slopes : ndarray of shape (steps,)
        By how much the spread grows where errors have lately been twice as large; 0 where that
        does not matter.
    """

    by_step: np.ndarray
    factors: np.ndarray
    edges: np.ndarray | None
    slopes: np.ndarray

    @property
    def varies(self):
        """Whether season or level matter."""
        return len(self.factors) > 1

    @classmethod
    def fit(cls, errors, y_hat, places):
        """Choose what the spread depends on by the likelihood of errors that were not read.

        Of a Laplace distribution, on blocks of rows that take turns.
        """
        sizes = np.abs(errors)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a mean of nothing, far ahead in few rows
            by_step = np.nan_to_num(np.nanmean(sizes, axis=0))
        with np.errstate(invalid="ignore"):
            sizes = np.where(by_step > 0, sizes / by_step, np.nan)
        rows = _Sizes(sizes, y_hat, places)
        plain = cls(by_step, np.ones(1), np.empty(0), np.zeros(len(by_step)))
        turn = np.arange(len(errors)) * 2 * N_BINS // max(len(errors), 1) % 2 == 1
        if not all(np.isfinite(sizes[part]).any() for part in (turn, ~turn)):
            return plain
        losses = {
            (kind, is_late): GAIN * ((kind != "none") + is_late)
            + sum(rows.loss(plain.made(rows, part, kind, is_late), ~part) for part in (turn, ~turn))
            for kind in ("none", "season", "level")[:: 1 + (places.max() == 0)]
            for is_late in (False, True)
        }
        return plain.made(rows, np.ones_like(turn), *min(losses, key=losses.get))

    def made(self, rows, part, kind, is_late):
        """Return the spread that some rows have by nothing, season or level, and by late errors."""
        spread = self
        if kind != "none":
            edges = rows.edges if kind == "level" else None
            n = int(rows.places.max()) + 1 if edges is None else len(edges) + 1
            spread = replace(spread, factors=np.ones(n), edges=edges)
            group = spread.group(rows.y_hat, rows.places[:, None])
            there = np.isfinite(rows.sizes) & part[:, None]
            spread = replace(spread, factors=_factors(rows.sizes[there], group[there], n))
        if not is_late:
            return spread
        sizes, before = rows.late(spread)
        return replace(spread, slopes=_slopes(sizes[part], before[part]))

    def group(self, y_hat, places):
        """Return the number of the factor of each forecast."""
        if self.edges is None:
            return np.minimum(np.broadcast_to(places, y_hat.shape), len(self.factors) - 1)
        return np.searchsorted(self.edges, y_hat, side="right")

    def factor(self, y_hat, places):
        """Return by how much forecasts of a level, at places of the season, err more than all."""
        return self.factors[self.group(y_hat, places)]

    def of(self, y_hat, places, before):
        """Return the spread of forecasts, and whether it is more than next to nothing.

        `before` is how large errors were lately, up to the origin of each forecast.
        """
        factors, steps = self.factor(y_hat, places), y_hat.shape[-1]
        late = _late_factor(before, self.slopes[:steps])
        return self.by_step[:steps] * factors * late, factors > BARELY

    def sizes_of_one_step(self, errors, y_hat, places):
        """Return absolute errors of one step over the spread by level and place, NaN by night."""
        factors = self.factor(y_hat, places)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(factors > BARELY, np.abs(errors) / (self.by_step[0] * factors), np.nan)


def late_errors(sizes):
    """Return how large errors were lately, up to each row: 1 as in the mean."""
    return pd.Series(sizes).ewm(alpha=1 - DECAY, ignore_na=True).mean().fillna(1.0).to_numpy()


def at_origins(late, steps):
    """Return it (n, steps) at the origins from which each row is so many steps ahead."""
    ages = np.arange(len(late))[:, None] - 1 - np.arange(steps)
    return np.where(ages >= 0, late[np.maximum(ages, 0)], 1.0)


def _late_factor(before, slopes):
    return np.maximum(1.0 + slopes * (before - 1.0), BARELY)


def _slopes(sizes, before):
    """Return the slopes of lines through (1, 1), by least squares, between 0 and 1."""
    x = np.where(np.isfinite(sizes), before - 1.0, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        slopes = np.nansum(x * (sizes - 1.0), axis=0) / np.nansum(x**2, axis=0)
    return np.clip(np.nan_to_num(slopes), 0.0, 1.0)


def _factors(sizes, groups, n):
    """Return the mean of each group; of few numbers it is drawn towards that of all."""
    counts = np.bincount(groups, minlength=n)
    return (np.bincount(groups, sizes, minlength=n) + sizes.mean()) / (counts + 1)


class _Sizes(NamedTuple):
    """Absolute errors (n, steps) over their mean, their forecasts, and places of the rows."""

    sizes: np.ndarray
    y_hat: np.ndarray
    places: np.ndarray

    @property
    def edges(self):
        """Levels of the forecast with as many errors between any two of them."""
        y_hat = self.y_hat[np.isfinite(self.sizes)]
        return np.unique(np.quantile(y_hat, np.arange(1, N_BINS) / N_BINS))

    def late(self, spread):
        """Return sizes over factors, and how large those of one step were before each origin."""
        factors = spread.factor(self.y_hat, self.places[:, None])
        with np.errstate(divide="ignore", invalid="ignore"):
            sizes = np.where(factors > BARELY, self.sizes / factors, np.nan)
        return sizes, at_origins(late_errors(sizes[:, 0]), sizes.shape[1])

    def loss(self, spread, part):
        """Return the mean loss of some rows under a spread."""
        _, before = self.late(spread)
        factors = spread.factor(self.y_hat, self.places[:, None])
        given = np.maximum(factors, BARELY) * _late_factor(before, spread.slopes)
        losses = np.log(given) + self.sizes / given
        return float(np.nansum(losses[part])) / np.isfinite(self.sizes).sum()
