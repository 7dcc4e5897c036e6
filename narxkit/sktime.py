"""Forecasters of narxkit among those of sktime: its verbs and horizons, and narxkit's numbers."""

import numpy as np
import pandas as pd
from sklearn.base import clone

from narxkit.forecasters.base import Forecaster
from narxkit.forecasters.baselines import ARX
from narxkit.forecasters.narx import NARX
from narxkit.forecasters.transformed import TransformedForecaster

try:
    from sktime.datatypes import update_data
    from sktime.forecasting.base import BaseForecaster, ForecastingHorizon
except ImportError as error:
    raise ImportError(
        "narxkit.sktime needs the package sktime, which is not installed: pip install "
        "'narxkit[sktime]'."
    ) from error

__all__ = ["SktimeForecaster"]


class SktimeForecaster(BaseForecaster):
    """A forecaster of narxkit with the interface of sktime.

    Its forecasts are those of ``forecast`` of the forecaster, and its quantiles and intervals those
    of ``forecast(quantiles=)``. In-sample horizons are predicted one step ahead from measured rows,
    as by ``predict_ahead``; they have no intervals.

    Parameters
    ----------
    forecaster : Forecaster
        The forecaster, not fitted, such as ``NARX()``, ``AutoNARX()`` or a TransformedForecaster
        around one. Of a panel or a hierarchy sktime fits one to each series.

    Attributes
    ----------
    forecaster_ : Forecaster
        The forecaster, fitted to the rows of y; it continues from the last row given.

    See Also
    --------
    narxkit.PerSeries : A model of each series of a panel, without sktime.

    Notes
    -----
    X is known ahead: ``predict(fh, X)`` reads the rows after the last one of y, up to the last step
    of `fh` and with leads beyond it, those between the steps of `fh` included. Rows before and
    after may be there, and the column of an input may be missing when all of its lags reach back to
    measured rows.

    ``update(y, X, update_params=False)`` moves the state and keeps the weights, as ``update`` of
    narxkit does; with ``update_params=True``, the default of sktime, the forecaster is then fitted
    again to all rows. Rows that come again are passed over, or replace the earlier ones in a new
    fit, so that the growing windows of sktime's splitters can be given as they are.

    Examples
    --------
    >>> import pandas as pd
    >>> from narxkit import SeasonalNaive
    >>> from narxkit.sktime import SktimeForecaster
    >>> index = pd.period_range("2024-01", periods=6, freq="M")
    >>> y = pd.Series([1.0, 2, 3, 1, 2, 3], index=index)
    >>> SktimeForecaster(SeasonalNaive(period=3)).fit(y).predict(fh=[2, 5])
    2024-08    2.0
    2024-11    2.0
    Freq: M, dtype: float64
    """

    _tags = {
        "authors": "narxkit developers",
        "maintainers": "narxkit developers",
        "capability:multivariate": True,
        "capability:exogenous": True,
        "capability:categorical_in_X": False,
        "capability:non_contiguous_X": False,
        "capability:missing_values": True,
        "capability:insample": True,
        "capability:pred_int": True,
        "capability:pred_int:insample": False,
        "capability:update": True,
        "requires-fh-in-fit": False,
        "y_inner_mtype": ["pd.Series", "pd.DataFrame"],
        "X_inner_mtype": "pd.DataFrame",
    }

    def __init__(self, forecaster):
        self.forecaster = forecaster
        super().__init__()

    def __post_init__(self):
        """Say of this instance whether two fits of it give the same numbers."""
        if _is_random(self.forecaster):
            self.set_tags(**{"property:randomness": "stochastic"})

    @classmethod
    def get_test_params(cls, parameter_set="default"):
        """Return parameters for sktime's checks.

        Parameters
        ----------
        parameter_set : str, default="default"
            There is one set only.

        Returns
        -------
        list of dict
            Parameters of the instances that are checked.
        """
        network = NARX(output_lags=1, hidden_layer_sizes=(2,), max_iter=5, random_state=0)
        differenced = TransformedForecaster(ARX(output_lags=1), difference=[1])
        return [{"forecaster": one} for one in (ARX(output_lags=1), network, differenced)]

    # ------------------------------------------------------------ fit and update
    def _fit(self, y, X, fh):
        self._check_forecaster()
        _check_steps(y.index)
        X = None if X is None else X.loc[y.index]
        self.forecaster_ = clone(self.forecaster).fit(X, y)
        # those that sktime remembers are there only where its config says so
        self._cur_y, self._cur_X = y, X
        return self

    def _check_forecaster(self):
        if not isinstance(self.forecaster, Forecaster):
            raise ValueError(
                "The 'forecaster' parameter of SktimeForecaster must be a narxkit forecaster of "
                f"one series, such as ARX() or NARX(). Got {self.forecaster!r} instead."
            )

    def _update(self, y, X=None, update_params=True):
        try:
            self._move(y, None if self._cur_X is None or X is None else X.loc[y.index])
        except BaseException:  # Ctrl-C too
            # sktime has moved it to rows that are refused
            self._set_cutoff_from_y(self._cur_y)
            raise
        return self._fit(self._cur_y, self._cur_X, self._fh) if update_params else self

    def _move(self, y, X):
        """Move the state on by those rows that are new."""
        rows = update_data(self._cur_y, y)
        _check_steps(rows.index)
        is_new = y.index > self._cur_y.index[-1]
        if is_new.any():
            self.forecaster_.update(None if X is None else X[is_new], y[is_new])
        self._cur_y, self._cur_X = rows, update_data(self._cur_X, X)

    # ------------------------------------------------------------ forecasts
    def _predict(self, fh, X):
        steps, parts = self._steps(fh), []
        if steps[0] <= 0:
            parts.append(self._in_sample())
        n_before = sum(map(len, parts))
        if steps[-1] > 0:
            parts.append(self._ahead(steps[-1], X))
        return _take(pd.concat(parts), n_before + steps - 1, fh)

    def _predict_quantiles(self, fh, X, alpha):
        steps = self._steps(fh)
        fans = self._ahead(steps[-1], X, quantiles=alpha)
        # the forecast of each output stands before its quantiles
        fans = fans.iloc[:, np.arange(fans.shape[1]) % (1 + len(alpha)) > 0]
        fans.columns = self._get_columns(method="predict_quantiles", alpha=alpha)
        return _take(fans, steps - 1, fh)

    def _steps(self, fh):
        """Return where the rows of a horizon lie, in order; 0 is the last row given."""
        self._check_cutoff()
        if isinstance(fh.to_pandas(), pd.TimedeltaIndex):
            fh = ForecastingHorizon(fh.to_absolute_index(self.cutoff), is_relative=False)
        try:
            return fh.to_relative(self.cutoff).to_numpy().astype(int)
        except (AssertionError, TypeError, ValueError) as error:
            raise ValueError(
                f"fh holds {fh.to_pandas()[0]!r}, and no steps can be counted to it from "
                f"{self.cutoff[0]!r}, the last row of y: give numbers of steps, such as fh=[1, 2], "
                "or labels of the kind of y's, whose gaps y.asfreq(...) fills with NaN."
            ) from error

    def _check_cutoff(self):
        """Refuse to forecast from a row before the last one given."""
        last = self._cur_y.index[-1]
        if self.cutoff[0] != last:
            raise ValueError(
                f"the cutoff is {self.cutoff[0]}, but rows up to {last} have been given, and "
                "forecasts continue after those: give update later rows, or fit to earlier ones."
            )

    def _in_sample(self):
        """Return predictions of all rows given, one step ahead."""
        y_hat = self._cur_y.copy().astype(float)
        y_hat[:] = self.forecaster_.predict_ahead(self._cur_X, self._cur_y)
        return y_hat

    def _ahead(self, steps, X, quantiles=None):
        """Return forecasts of the next steps."""
        X = self._inputs(X, steps)
        try:
            return self.forecaster_.forecast(int(steps), X=X, quantiles=quantiles)
        except ValueError as error:
            words = str(error).replace("forecast(X=...)", "predict(fh, X=...)")
            raise ValueError(words) from error

    def _inputs(self, X, steps):
        """Return the rows of X that so many steps read."""
        if X is None or self._cur_X is None:
            return None
        if _has_no_frequency(self.cutoff):
            return X[X.index > self.cutoff[0]]  # whether they follow is for the clock to say
        ahead = np.arange(1, steps + self.forecaster_.lead_ + 1)
        rows = ForecastingHorizon(ahead).to_absolute_index(self.cutoff)
        _check_inputs(X, rows, steps)
        return X.loc[rows]


def _has_no_frequency(index):
    return isinstance(index, pd.DatetimeIndex) and index.freq is None


def _check_inputs(X, rows, steps):
    """Refuse inputs that lack rows of a forecast."""
    missing = rows[~rows.isin(X.index)]
    if len(missing):
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise ValueError(
            f"a horizon of {steps} steps needs the {len(rows)} rows of X from {rows[0]} to "
            f"{rows[-1]}, those between the steps of fh included, but X lacks {missing[0]}{more}: "
            "give them in predict(fh, X)."
        )


def _is_random(forecaster):
    """Tell whether a seed of the forecaster is left open."""
    if not isinstance(forecaster, Forecaster):
        return False
    seeds = {k: v for k, v in forecaster.get_params().items() if k.endswith("random_state")}
    return None in seeds.values()


def _check_steps(index):
    """Refuse whole numbers that do not count on by one, as a horizon of sktime does."""
    if not isinstance(index, pd.DatetimeIndex | pd.PeriodIndex):
        jumps = np.flatnonzero(np.diff(index) != 1)
        if len(jumps):
            before, after = index[jumps[0] : jumps[0] + 2]
            raise ValueError(
                f"the index of y jumps from {before} to {after}, but a step of fh is 1: number the "
                "rows on, or give missing ones as NaN, "
                f"y.reindex(range({index[0]}, {index[-1] + 1}))."
            )


def _take(rows, at, fh):
    """Return the rows of a horizon by their places."""
    if at[0] < 0:
        raise ValueError(
            f"fh begins {-at[0]} rows before {rows.index[0]}, the first row that was given: leave "
            "those out."
        )
    rows, labels = rows.iloc[at], fh.to_pandas()
    if not fh.is_relative and (rows.index != labels).any():
        i = np.flatnonzero(rows.index != labels)[0]
        raise ValueError(f"fh holds {labels[i]}, which is no row: the nearest is {rows.index[i]}.")
    return rows
