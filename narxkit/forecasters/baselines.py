"""Baselines with the same verbs: what every network must beat.

Each answers to ``predict``, ``forecast``, ``predict_ahead``, ``simulate`` and ``update`` like the
networks do, and takes the same ``output_range``.
"""

from abc import abstractmethod
from dataclasses import replace
from numbers import Integral, Real

import numpy as np
import pandas as pd
from sklearn.utils._param_validation import Interval

from narxkit._blas import one_blas_thread
from narxkit.forecasters.base import Forecaster
from narxkit.forecasters.scaled import ScaledForecaster, TapWeights, count_dropped
from narxkit.networks.periodic_linear import PeriodicLinear
from narxkit.networks.tapped_mlp import shared_mlp
from narxkit.networks.taps import MOST_LAGS
from narxkit.rows.reach import Reach, of_outputs
from narxkit.training.linear import (
    Level,
    count_targets,
    levelled_ridge,
    name_scarcest,
    ridge,
    slopes_of_lines,
    with_drift,
)
from narxkit.training.objective import Objective

WITHOUT_CLOCK = 24  # rows of a season: hours, the commonest step


class _Lookup(Forecaster):
    """A forecast that is looked up, not computed: no weights, nothing fed back."""

    def _train(self, segments, weight):
        """Learn nothing; a subclass that averages does it here."""

    def _run(self, rollouts):
        y_hat = rollouts.clip(self._look_up(rollouts.segments, rollouts.origins, rollouts.rows))
        is_asked = rollouts.is_step[..., None]
        # no step is bad: what is looked up cannot diverge
        return np.where(is_asked, y_hat, np.nan), np.full(len(rollouts), -1)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True  # X is not read
        return tags

    @abstractmethod
    def _look_up(self, segments, origins, rows):
        """Return values (n, steps, n_outputs) for the rows after each origin."""


class Persistence(_Lookup):
    """The last measured value stays.

    .. math::

        \\hat y_{o+h} = y_o

    Parameters
    ----------
    output_range : tuple (low, high), default=None
        Bounds of the output, each a number, a column name of X or None.

    Attributes
    ----------
    max_lag_ : int
        Rows of history that a prediction needs.
    lead_ : int
        Rows after its own that a prediction needs: the largest lead.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, when X has any.

    See Also
    --------
    SeasonalNaive : The value one season ago.

    Examples
    --------
    >>> from narxkit import Persistence
    >>> Persistence().fit(None, [1.0, 2.0, 4.0]).forecast(2).tolist()
    [4.0, 4.0]
    """

    _parameter_constraints: dict = {"output_range": "no_validation"}

    def __init__(self, output_range=None):
        self.output_range = output_range

    def _make_reach(self, columns, n_outputs):
        return of_outputs([1], n_outputs)

    def _look_up(self, segments, origins, rows):
        return np.repeat(segments.y[origins - 1][:, None], rows.shape[1], axis=1)


class SeasonalNaive(_Lookup):
    """The value one season ago; further ahead, the last season again and again.

    .. math::

        \\hat y_{o+h} = y_{o+h-mP}, \\quad m = \\lceil h / P \\rceil

    Parameters
    ----------
    period : int, default=None
        Length P of the season, in rows. By default that of the clock: a day of steps below a day,
        a week of days, a year of weeks, months or quarters; 1 where such a season is no whole
        number of rows, as for years; 24 where the rows have no clock, or one without a step. A
        series must be longer than its season.
    output_range : tuple (low, high), default=None
        Bounds of the output, each a number, a column name of X or None.

    Attributes
    ----------
    period_ : int
        Length of the season, in rows. In a panel, that of the longest series with a clock.
    max_lag_ : int
        Rows of history that a prediction needs.
    lead_ : int
        Rows after its own that a prediction needs: the largest lead.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, when X has any.

    See Also
    --------
    Climatology : The mean of the same hour and month.

    Examples
    --------
    >>> from narxkit import SeasonalNaive
    >>> SeasonalNaive(period=2).fit(None, [1.0, 2.0, 3.0, 4.0]).forecast(3).tolist()
    [3.0, 4.0, 3.0]
    """

    _parameter_constraints: dict = {
        "period": [Interval(Integral, 1, None, closed="left"), None],
        "output_range": "no_validation",
    }

    def __init__(self, period=None, output_range=None):
        self.period = period
        self.output_range = output_range

    def _read_clocks(self, table):
        self.period_ = _season(table) if self.period is None else self.period

    def _make_reach(self, columns, n_outputs):
        return of_outputs([self.period_], n_outputs)

    def _describe_reach(self):
        is_of_clock = self.period is None and self.period_ != WITHOUT_CLOCK
        which = "the clock's season" if is_of_clock else "a season"
        return f"{which} of {self.period_} rows needs", "a smaller period"

    def _look_up(self, segments, origins, rows):
        phase = np.arange(rows.shape[1]) % self.period_
        return segments.y[origins[:, None] - self.period_ + phase]


def _season(table):
    """Return the season of the longest series whose clock has a step, else 24 rows."""
    regular = [key for key, clock in table.clocks.items() if clock.is_regular]
    if not regular:
        return WITHOUT_CLOCK
    return table.clocks[max(regular, key=lambda key: len(table.series[key]))].season()


class Climatology(_Lookup):
    """The mean of the training values of the same month and hour, or other calendar fields.

    Parameters
    ----------
    by : tuple of str, default=("month", "hour")
        Fields of the time stamps that are averaged over alike, such as ``"month"``, ``"hour"``,
        ``"day_of_week"`` or ``"day_of_year"``.
    output_range : tuple (low, high), default=None
        Bounds of the output, each a number, a column name of X or None.

    Attributes
    ----------
    means_ : DataFrame
        Mean of each output for every combination of the fields seen.
    max_lag_ : int
        Rows of history that a prediction needs.
    lead_ : int
        Rows after its own that a prediction needs: the largest lead.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, when X has any.

    See Also
    --------
    SeasonalNaive : The value one season ago.

    Examples
    --------
    >>> import pandas as pd
    >>> from narxkit import Climatology
    >>> days = pd.date_range("2024-01-01", periods=14)
    >>> y = pd.Series([0.0, 0, 0, 0, 0, 7, 7] * 2, index=days)
    >>> Climatology(by=("day_of_week",)).fit(None, y).forecast(6).tolist()
    [0.0, 0.0, 0.0, 0.0, 0.0, 7.0]
    """

    _parameter_constraints: dict = {"by": ["array-like"], "output_range": "no_validation"}
    _reads_times = True  # the calendar of the rows predicted is looked up

    def __init__(self, by=("month", "hour"), output_range=None):
        self.by = by
        self.output_range = output_range

    def _read_clocks(self, table):
        if not np.iterable(self.by) or not all(isinstance(field, str) for field in self.by):
            raise ValueError(
                "by must be a sequence of names of fields, such as ('month', 'hour'). "
                f"Got {self.by!r} instead."
            )
        if table.is_elapsed:
            raise ValueError(
                f"Climatology averages by {', '.join(self.by)}, and the rows are labelled by "
                "elapsed times, which have no calendar: add the time stamp of the start to their "
                "index."
            )

    def _make_reach(self, columns, n_outputs):
        return Reach()  # the calendar alone, no row before

    def _train(self, segments, weight):
        fields = self._fields(segments.times)
        weights = np.isfinite(segments.y) * weight[:, None]
        if not (totals := weights.sum(axis=0)).all():
            raise ValueError(
                f"no measured row has a weight{name_scarcest(self._roles.outputs, totals)}: give "
                "one to some of them, or leave such an output out."
            )
        # a missing value has the weight 0, but 0 times NaN is NaN
        sums = pd.DataFrame(np.nan_to_num(segments.y) * weights).groupby(fields).sum()
        self.means_ = sums / pd.DataFrame(weights).groupby(fields).sum()

    def _fields(self, times):
        if times is None:
            raise ValueError(
                f"Climatology averages by {', '.join(self.by)}, and the rows have no time stamps: "
                "give X or y a DatetimeIndex."
            )
        # a field has a value for each row; methods, and names such as freq, have not
        unknown = [f for f in self.by if np.shape(getattr(times, f, None)) != times.shape]
        if unknown or not len(self.by):
            raise ValueError(
                f"by must name fields of a {type(times).__name__}, such as 'month' or 'hour'. "
                f"Got {self.by!r} instead."
            )
        return [np.asarray(getattr(times, field)) for field in self.by]

    def _look_up(self, segments, origins, rows):
        fields = self._fields(segments.times)
        # labels as groupby has made them: of one field no MultiIndex
        keys = pd.MultiIndex.from_arrays(fields) if len(fields) > 1 else pd.Index(fields[0])
        # NaN for what the training rows have not had, such as a month
        return self.means_.reindex(keys).to_numpy()[rows]


class SmartPersistence(_Lookup):
    """The last clear-sky index stays: cloudiness persists, the sun moves on.

    .. math::

        \\hat y_{o+h} = k_o \\, c_{o+h}, \\qquad k_o = y_s / c_s, \\quad
        s = \\max \\{ t : o - M < t \\le o, \\; c_t > \\theta, \\; y_t \\text{ measured} \\}

    with c the clear sky, theta the `threshold` and M the `memory`: by night the index of the
    evening is kept.

    Parameters
    ----------
    clear_sky : str or int, default="clear_sky"
        The column of X with the output under a clear sky, in units of y, known ahead; a position
        for arrays. Other columns are not read.
    threshold : float, default=50
        The index is taken from rows with a clear sky above it, in units of y: below, with the sun
        at the horizon, the quotient is noise.
    memory : int, default=48
        Rows in which the index is looked for, and so the history that a prediction needs. More
        than the longest night; with two days a lost day is bridged. Where all these rows are dark
        or missing, the index is the mean one of the training rows.
    output_range : tuple (low, high), default=None
        Bounds of the output, each a number, a column name of X or None.

    Attributes
    ----------
    index_ : ndarray of shape (n_outputs,)
        Mean index of the training rows above the threshold: sum of y over sum of clear sky.
    max_lag_ : int
        Rows of history that a prediction needs.
    lead_ : int
        Rows after its own that a prediction needs: the largest lead.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, when X has any.

    See Also
    --------
    Persistence : The last value, not the last index.
    narxkit.datasets.clear_sky : A clear sky from the sun's height alone.

    References
    ----------
    Pedro and Coimbra 2012, "Assessment of forecasting techniques for solar power production with
    no exogenous inputs", Solar Energy 86, 2017-2028.

    Examples
    --------
    >>> from narxkit import SmartPersistence
    >>> X = [[0], [400], [800], [0], [0], [500], [900]]
    >>> model = SmartPersistence(clear_sky=0, memory=2).fit(X[:4], [0, 300, 400, 0])
    >>> model.predict(X[4:]).tolist()
    [0.0, 250.0, 450.0]
    """

    _parameter_constraints: dict = {
        "clear_sky": [str, Integral],
        "threshold": [Interval(Real, 0, None, closed="left")],
        "memory": [Interval(Integral, 1, None, closed="left")],
        "output_range": "no_validation",
    }

    def __init__(self, clear_sky="clear_sky", threshold=50, memory=48, output_range=None):
        self.clear_sky = clear_sky
        self.threshold = threshold
        self.memory = memory
        self.output_range = output_range

    @property
    def input_lags(self):
        """Lags of the clear sky, which may be a bound of the output too."""
        return {self.clear_sky: range(self.memory + 1)}

    def _make_reach(self, columns, n_outputs):
        if self.clear_sky not in columns:
            raise ValueError(
                f"clear_sky names the column {self.clear_sky!r}, but X has the columns "
                f"{list(columns)}: correct the name."
            )
        at = list(columns).index(self.clear_sky)
        clear = tuple((at, lag) for lag in range(self.memory + 1))
        return replace(of_outputs(range(1, self.memory + 1), n_outputs), inputs=clear)

    def _describe_reach(self):
        return f"a memory of {self.memory} rows needs", "a smaller memory"

    def _train(self, segments, weight):
        clear = self._clear_sky(segments)
        counts = weight[:, None] * np.isfinite(self._index(segments))
        if not (totals := counts.sum(axis=0)).all():
            raise ValueError(
                f"no measured row{name_scarcest(self._roles.outputs, totals)} has a clear sky "
                f"above the threshold of {self.threshold}, which is in units of y; the highest "
                f"is {np.max(clear, initial=0, where=clear > 0):g}: give rows of daylight or "
                "a lower threshold."
            )
        sums = [(np.nan_to_num(values) * counts).sum(axis=0) for values in (segments.y, clear)]
        # in a mean of quotients those of a low sun, which are noisy, would count as much as others
        self.index_ = sums[0] / sums[1]

    def _clear_sky(self, segments):
        """Return the clear sky (n, 1): the one column that taps read."""
        column, _ = self._reach.inputs[0]
        return segments.u[:, [column]]

    def _index(self, segments):
        """Return the clear-sky index (n, n_outputs), NaN where it is dark or y is missing."""
        clear = self._clear_sky(segments)
        is_day = clear > self.threshold
        # 1 in place of a dark sky: the quotient is NaN there without a warning
        return np.where(is_day, segments.y, np.nan) / np.where(is_day, clear, 1.0)

    def _look_up(self, segments, origins, rows):
        index = self._index(segments)
        # the last row with an index up to each row; -1, which is never remembered, before any
        seen = np.where(np.isfinite(index), np.arange(len(index))[:, None], -1)
        last = np.maximum.accumulate(seen)[origins - 1]
        is_remembered = last >= origins[:, None] - self._reach.history
        kept = np.where(is_remembered, np.take_along_axis(index, last, axis=0), self.index_)
        return kept[:, None] * self._clear_sky(segments)[rows]


class ARX(TapWeights, ScaledForecaster):
    """Linear autoregression with exogenous inputs, by ridge regression on standardised taps.

    .. math::

        \\hat y_t = b + \\sum_i w_i z_{t,i}, \\qquad
        \\min_{w, b} \\sum_t (y_t - \\hat y_t)^2 + \\alpha \\sum_i (w_i s_i)^2

    with s_i the standard deviation of tap i. Of `alphas` the one with the smallest one-step error
    on the last block of each segment is chosen, and the model fitted again on all rows.

    Parameters
    ----------
    input_lags : int, sequence of int or dict, default=2
        As in NARX.
    output_lags : int or sequence of int, default=2
        As in NARX.
    alphas : array-like of float, default=(0.01, 0.1, 1, 10, 100, 1000, 10000)
        Penalties to choose from.
    validation_fraction : float, default=0.1
        Part of each segment, at its end, that is held out.
    output_range : tuple (low, high), default=None
        Bounds of the output in y's units, each a number (one per output), a column name of X
        (an input only if a dict `input_lags` names it) or None. Outputs are clipped, before any is
        fed back.
    calendar : sequence, dict or None, default=None
        Fields of the time stamps that are read as inputs, as in NARX.
    level : int, default=None
        The outputs, among the taps and as targets, are taken less the mean of the last `level`
        rows before the one predicted, or less 0 for ``level=0``; the model then has no intercept,

        .. math:: \\hat y_t - m_t = \\sum_k a_k (y_{t-k} - m_t) + \\dots

        and the penalty draws the forecast towards that level. A level of more rows than the lags
        needs as many of history. By default it is drawn towards the mean of the training rows.
    drift : float, default=0
        Free runs rise by this share of the slope of the least-squares line through the training
        rows; only where `level` is at least 1, and the weights are not periodic.
    periodic : bool, default=False
        The weights vary with the standardised columns c of the `calendar`,

        .. math:: w_i \\to w_i + \\sum_j c_{t,j} v_{ij}

        such as the sines and cosines of ``calendar={"hour": 3}``: a morning follows from the hours
        before otherwise than an evening. All of them are penalised.

    Attributes
    ----------
    alpha_ : float
        Penalty chosen.
    coef_ : ndarray of shape (n_weights, n_outputs)
        Weights of the taps, in standardised units; with a `level`, that of the mean is among them.
        Where they are periodic, the v of each column of the calendar come first, among them that of
        the column itself.
    n_dropped_ : int
        Rows with enough history that were left out of training because of missing values.
    max_lag_ : int
        Rows of history that a prediction needs.
    lead_ : int
        Rows after its own that a prediction needs: the largest lead.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, when X has any.

    See Also
    --------
    NARX : With a network beside the linear term.

    References
    ----------
    Hoerl and Kennard 1970, "Ridge regression", Technometrics 12, 55-67.

    Examples
    --------
    >>> import numpy as np
    >>> from narxkit import ARX
    >>> y = 0.9 ** np.arange(60)
    >>> model = ARX(output_lags=1, alphas=[1e-8]).fit(None, y[:50])
    >>> bool(np.allclose(model.forecast(10), y[50:], rtol=1e-3))
    True

    A line goes on, where the level is that of the last rows:

    >>> model = ARX(output_lags=1, level=4, drift=1.0).fit(None, 2.0 * np.arange(30))
    >>> model.forecast(3).round(6).tolist()
    [60.0, 62.0, 64.0]
    """

    _parameter_constraints: dict = {
        "input_lags": "no_validation",
        "output_lags": "no_validation",
        "alphas": ["array-like"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "output_range": "no_validation",
        "calendar": "no_validation",
        "level": [Interval(Integral, 0, MOST_LAGS, closed="both"), None],
        "drift": [Interval(Real, None, None, closed="neither")],
        "periodic": ["boolean"],
    }

    def __init__(
        self,
        input_lags=2,
        output_lags=2,
        alphas=(1e-2, 1e-1, 1.0, 1e1, 1e2, 1e3, 1e4),
        validation_fraction=0.1,
        output_range=None,
        calendar=None,
        level=None,
        drift=0.0,
        periodic=False,
    ):
        self.input_lags = input_lags
        self.output_lags = output_lags
        self.alphas = alphas
        self.validation_fraction = validation_fraction
        self.output_range = output_range
        self.calendar = calendar
        self.level = level
        self.drift = drift
        self.periodic = periodic

    def _make_network(self, columns, n_outputs):
        n_modulators = len(self._roles.calendar_names) if self.periodic else 0
        if self.periodic and not n_modulators:
            raise ValueError(
                "periodic=True lets the weights vary with the calendar, but calendar is "
                f"{self.calendar!r}: name its fields, such as calendar={{'hour': 3}}."
            )
        if self.periodic and self.drift:
            raise ValueError(
                f"drift={self.drift!r} needs weights that stay, but periodic=True lets them vary: "
                "leave one of both out."
            )
        if self.drift and not self.level:
            raise ValueError(
                f"drift={self.drift!r} needs a level that rises, but level is {self.level!r}: give "
                "a level of at least 1 row, or no drift."
            )
        taps = self._make_taps(columns, n_outputs)
        if self.level:
            tap = 1 if self.level == 1 else (1, int(self.level))
            lags = taps.output_lags
            taps = replace(taps, output_lags=lags if tap in lags else (*lags, tap))
        return PeriodicLinear(taps, n_modulators) if self.periodic else shared_mlp(taps, ())

    def _describe_reach(self):
        if self.level != self._reach.history:
            return super()._describe_reach()
        return f"a level of {self.level} rows needs", "a smaller level"

    def _train(self, segments, weight):
        if not len(self.alphas) or not all(
            isinstance(a, Real) and 0 <= a < np.inf for a in self.alphas
        ):
            raise ValueError(
                "The 'alphas' parameter of ARX must hold at least one float, each in the range "
                f"[0.0, inf). Got {self.alphas!r} instead."
            )
        self.structure_ = self._network
        self._fit_scale(segments, weight > 0)
        # least squares know no bounds: the model is clipped where it predicts
        free = self._scale.apply(segments.replace(low=None, high=None))
        last = segments.last_block(self.validation_fraction)
        first, held_out, whole = (
            Objective.over(self.structure_, free, sample_weight=weight, targets=targets)
            for targets in (~last, last, None)
        )
        if not (n_targets := count_targets(whole)).all():
            raise ValueError(
                "no row has all its taps and its target"
                f"{name_scarcest(self._roles.outputs, n_targets)}: too many values are missing. "
                "Fill gaps, give measured rows a weight, or leave such an output out."
            )
        candidates = segments.reachable(self._reach) & (weight > 0)
        self.n_dropped_ = count_dropped(int(candidates.sum()), whole.size)
        with one_blas_thread():
            self.alpha_ = self._choose(first, held_out)
            self.theta_ = self._ridge(whole)(self.alpha_)
        if self.drift:
            slopes = self.drift * slopes_of_lines(free, weight)
            self.theta_ = with_drift(self.structure_, self.theta_, slopes)

    def _ridge(self, objective):
        if self.level is None:
            return ridge(objective)
        zero = self._scale.y_mean / self._scale.y_std
        n_modulators = getattr(self.structure_, "n_modulators", 0)
        level = Level(self.structure_.taps, int(self.level), zero, n_modulators)
        return levelled_ridge(objective, level)

    def _choose(self, training, held_out):
        can_solve = count_targets(training).all() and held_out.size
        # without rows to learn from, or to judge by, nothing can be compared
        if len(self.alphas) == 1 or not can_solve:
            return self.alphas[0]
        solve = self._ridge(training)
        return min(self.alphas, key=lambda alpha: held_out.value(solve(alpha)))

    @property
    def coef_(self):
        """Weights of the taps (n_taps, n_outputs), in standardised units."""
        return self.coefs_[0]
