"""Forecasters around a network: standardisation, and rollouts in standardised units."""

import warnings
from abc import abstractmethod
from dataclasses import dataclass, replace

import numpy as np

from narxkit._moments import buried, moments
from narxkit._stored import stored
from narxkit._warn import warn
from narxkit.forecasters.base import Forecaster
from narxkit.forecasters.input_gradient import InputGradient, differentiate, name_columns
from narxkit.networks import make_taps

COMBINE = {"mean": np.nanmean, "median": np.nanmedian}
SCALED = 1e-300, 1e300  # standard deviations of columns: room for a thousand of them
AS_GIVEN = 1e-100, 1e100  # and where columns are not divided by them: room for sums of squares


@stored
@dataclass(frozen=True)
class Scale:
    """Means and standard deviations of inputs and outputs.

    A constant input has an infinite one: nothing was learned of its changes, so they count as none.
    """

    u_mean: np.ndarray
    u_std: np.ndarray
    y_mean: np.ndarray
    y_std: np.ndarray

    @classmethod
    def of(cls, inputs, outputs, is_scaled=True):
        """Take the `moments` of inputs and outputs; of inputs not scaled, those of constants."""
        (u_mean, u_std), (y_mean, y_std) = inputs, outputs
        is_constant = u_std == 0
        if not is_scaled:
            u_mean, u_std = np.where(is_constant, u_mean, 0.0), np.ones_like(u_std)
        u_std = np.where(is_constant, np.inf, u_std)
        # a constant output is learned as 0, and comes back as its mean
        return cls(u_mean, u_std, y_mean, np.where(y_std == 0, 1.0, y_std))

    def apply(self, segments):
        """Return segments in standardised units."""
        return segments.replace(
            u=_standardised(segments.u, self.u_mean, self.u_std),
            y=self._y(segments.y),
            low=None if segments.low is None else self._y(segments.low),
            high=None if segments.high is None else self._y(segments.high),
        )

    def _y(self, values):
        return _standardised(values, self.y_mean, self.y_std)

    def undo(self, y_hat):
        """Return outputs in their own units."""
        y_hat = y_hat * self.y_std  # a new array, which the sum may fill
        y_hat += self.y_mean
        return y_hat


def _standardised(values, mean, std):
    values = values - mean  # a new array, which the quotient may fill
    values /= std
    return values


def _check_spread(owner, names, values, std, name_row, limits=SCALED):
    """Refuse columns of a unit that floats do not fit, and warn of what a few numbers bury."""
    smallest, largest = limits
    # constant columns have no unit to judge
    for column in np.flatnonzero(std):
        if not smallest <= std[column] <= largest:
            raise ValueError(
                f"{_column(owner, names[column])} has a standard deviation of "
                f"{float(std[column])!r}, but it must be between {smallest:.0e} and {largest:.0e}: "
                f"give it in another unit{' or scale=True' if limits is AS_GIVEN else ''}."
            )
    for column, row in buried(values, std):
        warn(
            f"{_column(owner, names[column])} is {values[row, column]:g} in {name_row(row)}, "
            "beside which its other values are all alike, so that little can be learned from "
            "them: if it means missing, give NaN."
        )


def _column(owner, name):
    return owner if name is None else f"the column {name!r} of {owner}"


def count_dropped(n_candidates, n_rows):
    """Count the rows that had the history but were lost to missing values; warn once."""
    n_dropped = n_candidates - n_rows
    if n_dropped:
        warn(
            f"{n_dropped} of {n_candidates} rows were left out of training because of missing "
            "values."
        )
    return n_dropped


def combined(runs, average):
    """Average the trajectories of several members, each of which ran on its own output.

    A member that diverges says nothing from there on; all of them have diverged when the last has.
    """
    y_hats, bads = map(np.stack, zip(*runs))
    with warnings.catch_warnings():
        # where all have diverged, NaN is the answer
        warnings.filterwarnings("ignore", "All-NaN slice|Mean of empty slice")
        y_hat = average(y_hats, axis=0)
    return y_hat, np.where((bads < 0).any(axis=0), -1, bads.max(axis=0))


class ScaledForecaster(Forecaster):
    """Base class of forecasters with a `structure_`, its parameters `theta_` and a `_scale`."""

    combine = "best"

    @abstractmethod
    def _make_network(self, columns, n_outputs):
        """Return the network over these input columns."""

    def _make_reach(self, columns, n_outputs):
        self._network = self._make_network(columns, n_outputs)
        return self._network.reach

    def _make_taps(self, columns, n_outputs):
        """Read the lags of inputs and outputs; of the calendar, which stands last, each row's own.

        What comes before is in a lag of the output, and what comes after is known by then, too.
        """
        n_own = len(columns) - len(self._roles.calendar_names)
        lags = getattr(self, "output_lags", [])
        taps = make_taps(self.input_lags, lags, columns[:n_own], n_outputs)
        of_calendar = ((0,),) * (len(columns) - n_own)
        return replace(taps, input_lags=taps.input_lags + of_calendar)

    def _fit_scale(self, segments, rows, is_scaled=True):
        """Standardise by the rows of a mask, and tell where that leaves nothing to learn from."""
        names = self._roles.input_names
        u, y = segments.u[rows], segments.y[rows]
        inputs, outputs = moments(u), moments(y)
        self._scale = Scale.of(inputs, outputs, is_scaled)
        chosen = np.flatnonzero(rows)  # to name rows by their place among all

        def name_row(i):
            return segments.name_row(chosen[i])

        _check_spread("X", names, u, inputs[1], name_row, SCALED if is_scaled else AS_GIVEN)
        _check_spread("y", self._roles.outputs, y, outputs[1], name_row)
        constant = [name for name, std in zip(names, inputs[1]) if std == 0]
        if constant:
            is_of_calendar = set(constant) <= set(self._roles.calendar_names)
            warn(
                f"{'calendar' if is_of_calendar else 'X'} has constant columns in the training "
                f"rows, {constant}: nothing can be learned from them, and later changes are "
                "ignored. Drop them, or train on rows in which they vary."
            )

    def _run(self, rollouts):
        return self._run_under(rollouts)

    def _shocked(self, rollouts, shocks):
        if not self.structure_.takes_shocks:
            return None
        return self._run_under(rollouts, shocks=shocks / self._scale.y_std)[0]

    def _run_under(self, rollouts, **shocks):
        """Run rollouts of all members, each on its own output, perhaps under shocks."""
        scaled = rollouts.replace(segments=self._scale.apply(rollouts.segments))
        runs = [self.structure_.rollout(theta, scaled, **shocks) for theta in self._thetas]
        y_hat, bad = runs[0] if len(runs) == 1 else combined(runs, COMBINE[self.combine])
        y_hat = self._scale.undo(y_hat)
        return rollouts.clip(y_hat), bad  # once more: undoing the scale rounds

    def input_gradient(self, X, y=None, segments=None):
        r"""Differentiate one-step predictions by what came before them.

        .. math::

            \frac{\partial \hat y_t}{\partial u_{t-k}}, \qquad
            \frac{\partial \hat y_t}{\partial y_{t-k}}

        from measured history: for a model over taps at its lags alone, for a recurrent one
        through its state, as far back as its window and the lags of its first row. Of several
        members it is the mean of theirs. A missing output counts as measured at what the model
        predicts for it.

        Parameters
        ----------
        X : array-like of shape (n, n_features) or None
            Inputs.
        y : array-like of shape (n,) or (n, n_outputs)
            Measured outputs.
        segments : array-like of shape (n,), optional
            Segment labels, as in ``fit``.

        Returns
        -------
        InputGradient
            Derivatives by row, output, column and lag, in the units of y over those of the column;
            NaN for rows that are not predicted.

        Examples
        --------
        >>> from narxkit import NARX
        >>> from narxkit.datasets import make_narendra
        >>> X, y = make_narendra(300, random_state=0)
        >>> model = NARX(input_lags=[1], output_lags=1, random_state=0).fit(X, y)
        >>> gradient = model.input_gradient(X, y)
        >>> gradient.columns, gradient.lags, gradient.values.shape
        ([0, 'y'], [0, 1], (300, 1, 2, 2))
        """
        origins = self._origins(X, y, segments)
        rows = np.flatnonzero(origins.segments.known(self._reach))
        scaled, scale = self._scale.apply(origins.segments), self._scale
        by_lag, lags = differentiate(self.structure_, self._thetas, scaled, rows)
        standardised = np.full((len(origins.table), *by_lag.shape[1:]), np.nan)
        standardised[origins.table_row[rows]] = by_lag
        # a constant input has an infinite deviation, and so the slope 0
        units = scale.y_std[:, None] / np.concatenate((scale.u_std, scale.y_std))
        columns = name_columns(self._roles.input_names, self._roles.outputs)
        values = standardised * units[:, :, None]
        return InputGradient(values, standardised, columns, lags, origins.table.index)

    def _units(self, y):
        return self._scale.y_mean, self._scale.y_std

    @property
    def _thetas(self):
        """The parameters that predict."""
        return [self.theta_] if self.combine == "best" else self.members_


class TapWeights:
    """The weights of a multilayer perceptron over taps."""

    @property
    def coefs_(self):
        """Weights of each layer, (n_in, n_out), in standardised units."""
        return self.structure_.unpack(self.theta_).coefs

    @property
    def intercepts_(self):
        """Intercepts of each layer, in standardised units."""
        return self.structure_.unpack(self.theta_).intercepts

    @property
    def linear_coef_(self):
        """Weights (n_taps, n_outputs) of the linear term, or None."""
        return self.structure_.unpack(self.theta_).linear
