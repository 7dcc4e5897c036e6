"""One model for all series of a panel, each in units of its own."""

from copy import copy
from dataclasses import replace

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from narxkit._checks import is_count
from narxkit._moments import moments
from narxkit._warn import warn
from narxkit.forecasters.initial_state import is_estimate
from narxkit.forecasters.panels import Panel, PanelForecaster, columns_of
from narxkit.rows.clock import Clock
from narxkit.rows.labels import as_clock, has_clock
from narxkit.rows.table import names_of_outputs, read_outputs, take_rows

LEAST_CHANGE = 0.1  # of the standard deviation
GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0


class ScaledPerSeries(PanelForecaster):
    r"""One model for all series of a panel, each series scaled by itself.

    .. math::

        z_{s,t} = (y_{s,t} - m_s) / d_s

    with the mean m of series s over its training rows and the standard deviation d of its changes
    over a season. The forecaster is fitted to z of all series at once and runs on its own z;
    forecasts are brought back to the units of each series. So shops or cells of all sizes train
    together and weigh alike: what cannot be foretold of a series is about as large as its changes,
    however large its season is.

    Parameters
    ----------
    forecaster : Forecaster
        The forecaster, not fitted. It sees z: its ``output_range`` bounds that.
    season : int, "auto" or None, default="auto"
        Rows over which changes are taken; "auto" takes a season of the clock (a day of hours, a
        week of days, a year of months), or 1 where there is none. None scales by the standard
        deviation of the values, and so does a series of less than two seasons.
    max_rows : int or None, default=50_000
        Rows that are learned from. Of a larger panel they are spread evenly over its rows, and the
        others are history; None learns from all.

    Attributes
    ----------
    forecaster_ : Forecaster
        The forecaster, fitted to z.
    scales_ : dict
        m and d of each output, two arrays of shape (n_outputs,), by series; d is 0 of a constant,
        which stays what it is.
    season_ : int or None
        The rows taken.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, when X has any.

    See Also
    --------
    PerSeries : One model for each series.
    TransformedForecaster : Differences and seasons; it goes inside.
    from_long : Makes a panel of a long frame.

    Notes
    -----
    Inputs are not scaled by series: they keep what tells series apart. Weights count in the units
    of each series, and rows of weight 0 do not enter its scale. A series that ``fit`` has not seen
    begins with ``update``, which scales it by the rows given.

    A network of some hundred parameters has learned what it can from `max_rows` rows: ten times as
    many take ten times as long.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from narxkit import ARX, ScaledPerSeries
    >>> wave = pd.Series(np.sin(np.arange(60)), pd.date_range("2024-01-01", periods=60))
    >>> y = pd.concat({"small": wave, "large": 1000 * wave + 5000})
    >>> model = ScaledPerSeries(ARX(output_lags=2, alphas=[0.0])).fit(None, y)
    >>> small, large = model.forecast(1)
    >>> bool(abs(large - (1000 * small + 5000)) < 1e-6)
    True
    """

    def __init__(self, forecaster, season="auto", max_rows=50_000):
        self.forecaster = forecaster
        self.season = season
        self.max_rows = max_rows

    def fit(self, X, y=None, sample_weight=None, segments=None):
        self._check_parameters()
        panel = Panel.read(X=X, y=y)
        values = read_outputs(y, index=panel.index)
        targets = _targets(sample_weight, len(values))
        season = _season(panel) if self.season == "auto" else self.season
        counted = np.where(targets[:, None], values, np.nan)
        scales = {key: _scale(counted[rows], season) for key, rows in panel.series.items()}
        z = _like(y, _scaled(values, panel, scales))
        weight = self._thinned(sample_weight, targets)
        del values, counted, panel  # as large as the data, while the forecaster is fitted
        forecaster = clone(self.forecaster).fit(X, z, weight, segments)
        self.forecaster_, self.scales_, self.season_ = forecaster, scales, season
        self._y_ndim = names_of_outputs(y)[1]
        self._copy_features(forecaster)
        return self

    def _check_parameters(self):
        self._check_forecaster()
        if self.season not in (None, "auto") and not is_count(self.season):
            raise ValueError(
                "The 'season' parameter of ScaledPerSeries must be an int >= 1, 'auto' or None. "
                f"Got {self.season!r} instead."
            )
        if self.max_rows is not None and not is_count(self.max_rows):
            raise ValueError(
                "The 'max_rows' parameter of ScaledPerSeries must be an int >= 1 or None. Got "
                f"{self.max_rows!r} instead."
            )

    def _thinned(self, sample_weight, targets):
        """Return weights that are 0 for all but `max_rows` of the targets."""
        n = np.count_nonzero(targets)
        if self.max_rows is None or n <= self.max_rows:
            return sample_weight
        # multiples of an irrational number: as even as can be, and in step with no season
        places = np.cumsum(targets) * GOLDEN % 1.0
        is_learned = targets & (places < self.max_rows / n)
        return is_learned if sample_weight is None else is_learned * np.asarray(sample_weight)

    def update(self, X, y=None):
        check_is_fitted(self)
        panel = Panel.read(X=X, y=y)
        values = read_outputs(y, index=panel.index)
        new = {key: rows for key, rows in panel.series.items() if key not in self.scales_}
        scales = self.scales_ | {
            key: _scale(values[rows], self.season_) for key, rows in new.items()
        }
        z = _like(y, _scaled(values, panel, scales))
        self.forecaster_ = copy(self.forecaster_).update(X, z)
        self.scales_ = scales
        return self

    def predict(self, X):
        check_is_fitted(self)
        panel = Panel.read(X=X)
        inner, short = self._without_short(panel.series)
        is_asked = np.ones(panel.n, dtype=bool)
        for key in short:
            is_asked[panel.series[key]] = False
        z = columns_of(inner.predict(take_rows(X, is_asked) if short else X))
        y_hat = np.full((panel.n, z.shape[1]), np.nan)
        y_hat[is_asked] = z
        return self._shape(self._undone(y_hat, panel))

    def forecast(self, steps=None, X=None, **options):
        check_is_fitted(self)
        panel = None if X is None else Panel.read(X=X)
        tails = self.forecaster_._history.tails
        inner, short = self._without_short(tails if X is None else panel.series)
        if short and X is not None:
            X = X[~X.index.get_level_values(0).isin(short)]
        z = inner.forecast(steps, X, **options)
        y_hat = self._undone(columns_of(z.to_numpy()), Panel.read(y=z))
        y_hat = _like(z, y_hat.reshape(z.shape))
        if not short:
            return y_hat
        labels = (tails[k].labels(steps) if X is None else panel.labels(k)[:steps] for k in short)
        extra = [(key, label) for key, own in zip(short, labels) for label in own]
        extra = pd.MultiIndex.from_tuples(extra, names=y_hat.index.names)
        return y_hat.reindex(y_hat.index.append(extra))

    def _without_short(self, asked):
        """Return the forecaster without series that it cannot go on from, and these.

        It keeps them where it would have no other, and refuses.
        """
        history = self.forecaster_._history
        short = [key for key in history.short if key in asked]
        if not short or set(short) == set(asked):
            return self.forecaster_, []
        inner = copy(self.forecaster_)
        inner._history = history.without(short)
        n, needed = len(history.tails[short[0]].y), history.reach.history
        warn(
            f"forecasts are NaN of {len(short)} of {len(asked)} series, which have fewer than the "
            f"{needed} rows that lags up to {needed} need; {short[0]!r}, the first, has {n}: give "
            "more rows to update(X, y)."
        )
        return inner, short

    def simulate(self, X=None, y_init=None, y=None, steps=None):
        check_is_fitted(self)
        name, given = ("y", y) if is_estimate(y_init, y) else ("y_init", y_init)
        self.forecaster_._refuse_no_outputs(name, given)
        if X is None and not self.n_features_in_:
            X, (_, given) = self.forecaster_._rows_to_simulate(name, given, steps)
            steps = None
        panel = None if X is None else Panel.read(X=X)
        if panel is not None:
            self._refuse_unknown(panel)
        z = given if X is None or given is None else self._start(panel, name, given)
        how = {"y_init": "estimate", "y": z} if name == "y" else {"y_init": z}
        z_hat = self.forecaster_.simulate(X, **how, steps=steps)
        return self._shape(self._undone(columns_of(z_hat), panel))

    def _start(self, panel, name, y):
        """Return measured outputs of the first rows of a panel as the forecaster sees them."""
        measured = Panel.read(y=y)
        panel.refuse_lacking(measured, name)
        self._refuse_unknown(measured)
        return _like(y, _scaled(read_outputs(y, index=measured.index), measured, self.scales_))

    def _undone(self, z, panel):
        """Bring columns back to the units of each series; several may be of one output each."""
        y_hat = np.empty_like(z)
        for key, rows in panel.series.items():
            mean, std = self.scales_[key]
            n = z.shape[1] // len(mean)
            y_hat[rows] = z[rows] * np.repeat(std, n) + np.repeat(mean, n)
        return y_hat

    def _origins(self, X, y, segments=None, after_state=False, is_free_run=False):
        """Return measured rows, ready for rollouts in the units of each series."""
        check_is_fitted(self)
        panel = Panel.read(X=X, y=y, segments=segments)
        self._refuse_unknown(panel)
        values = read_outputs(y, index=panel.index)
        z = _like(y, _scaled(values, panel, self.scales_))
        rows = self.forecaster_._origins(X, z, segments, after_state, is_free_run)
        mean, std = (np.empty_like(values) for _ in range(2))
        for key, of_series in panel.series.items():
            mean[of_series], std[of_series] = self.scales_[key]
        inner = rows.runner.run

        def run(rollouts):
            z_hat, bad = inner(rollouts)
            first = rows.table_row[rollouts.origins]  # of a row of the table, never of the state
            return z_hat * std[first][:, None] + mean[first][:, None], bad

        return replace(
            rows, table=rows.table.replace(y=values), runner=replace(rows.runner, run=run)
        )

    def _refuse_unknown(self, panel):
        unknown = [key for key in panel.series if key not in self.scales_]
        if unknown:
            raise ValueError(
                f"the scale of the series {unknown[0]!r} is not known, for fit has seen "
                f"{len(self.scales_)} others: give its first rows to update(X, y)."
            )


def _targets(sample_weight, n):
    """Return which rows count; of weights that are wrong all, for the forecaster to refuse."""
    weight = None if sample_weight is None else np.asarray(sample_weight)
    has_one_each = weight is not None and weight.shape == (n,) and weight.dtype.kind in "iufb"
    return weight > 0 if has_one_each else np.ones(n, dtype=bool)


def _season(panel):
    """Return the season of the clock of the longest series; 1 without a clock."""
    longest = max(panel.series, key=lambda key: len(panel.series[key]))
    labels = None if panel.index is None else as_clock(panel.labels(longest))
    return Clock.from_index(labels).season() if has_clock(labels) else 1


def _scale(y, season):
    """Return mean of each output and standard deviation of its changes, 0 of a constant."""
    mean, std = moments(y)
    if season is not None and len(y) >= 2 * season:
        changes = moments(y[season:] - y[:-season])[1]
        # a season that returns exactly would make all else of the panel weigh nothing
        std = np.maximum(changes, LEAST_CHANGE * std)
    return mean, std


def _scaled(values, panel, scales):
    z = np.empty_like(values)
    for key, rows in panel.series.items():
        mean, std = scales[key]
        z[rows] = (values[rows] - mean) / np.where(std > 0, std, 1.0)
    return z


def _like(y, values):
    """Return values under the labels and names of a table."""
    values = values.reshape(np.shape(y))
    if not hasattr(y, "iloc"):
        return values
    is_frame = y.ndim == 2
    names = {"columns": y.columns} if is_frame else {"name": y.name}
    return type(y)(values, index=y.index, **names)
