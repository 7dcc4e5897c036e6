"""A forecaster of transformed outputs, with the verbs of any other.

What it runs is the forecaster inside; its own are the rows before that and after. So histories,
seams, labels, panels, backtests and scorers are those of `Forecaster`, in the units of y.
"""

from dataclasses import replace
from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import get_tags

from narxkit.forecasters.base import Forecaster
from narxkit.forecasters.inner import Inner
from narxkit.forecasters.output_transforms import (
    Chain,
    Division,
    Function,
    Seasons,
    check_transform,
    offsets,
    read_lags,
)

FARTHEST = 1e3  # standard deviations of y in the training rows, beyond which a rollout diverges


class TransformedForecaster(Forecaster):
    r"""A forecaster of outputs divided, transformed, seasonally adjusted and differenced, in turn.

    .. math::

        w_t = f(y_t / c_t) - s_{t \bmod P}, \qquad
        z_t = \prod_i (1 - B^{d_i}) \, w_t, \qquad B w_t = w_{t-1}

    with c the column `divide_by`, f the `transform`, s the `season` and d the lags of `difference`.
    The forecaster is fitted to z and runs on its own z; its rollouts are brought back to y,

    .. math::

        \hat y_t = c_t \, f^{-1}(\hat w_t + s_{t \bmod P}), \qquad
        \hat w_t = \hat z_t + w_{t-1} + w_{t-12} - w_{t-13}
        \quad \text{for } d = 1, 12,

    with measured w up to the origin and own forecasts behind it. X goes on to the forecaster
    as it is, and its ``output_range`` bounds z. Without all of them every verb gives its very bits.

    Parameters
    ----------
    forecaster : Forecaster
        The forecaster, not fitted; a Pipeline goes around a TransformedForecaster, not inside.
    transform : {"log", "boxcox"} or tuple (forward, inverse), default=None
        The logarithm; the Box-Cox transformation :math:`(y^\lambda - 1) / \lambda`, its lambda by
        maximum likelihood over the training rows, as far as floats hold the powers; or two
        functions of one array of numbers that undo each other value by value. The first two need
        outputs above 0.
    difference : sequence of int, default=()
        Lags of differences, one after another: ``[1, 12]`` are the changes from month to month of
        the changes from year to year. They stay inside a segment, and that to a missing row is
        missing.
    divide_by : str or int, default=None
        A column of X to divide y by, known ahead: a clear sky, installed capacity, working hours;
        a position for arrays. Each row has the square of it, relative to the largest, as its weight
        beside `sample_weight`, so that squared errors are those of y. Where it is not above 2 % of
        the largest (of a panel, of the series where that is smallest) the quotient stays as it was
        in the row before, less its `season`, and the row has no weight; the forecast is the product
        all the same, 0 where the column is 0.
    season : int or sequence of int, default=None
        Rows of a season, or of several of which each is a multiple of the one before, such as
        ``(24, 168)``: the mean deviation of each place of it from the moving average over one
        season, which is taken out. The clock, which must have a fixed step, counts the rows from
        the first one of fit on: so hours by the day of UTC, which daylight saving leaves alone,
        days and months by the wall clock, and trading days without weekends.
    regression : Forecaster, default=None
        A model of the inputs and the calendar at their own rows, such as ``TDNN(input_lags=0)`` or
        ``ARX(input_lags=0, output_lags=[])``: it is fitted first, and the forecaster to what it
        leaves (a regression with autoregressive errors).

    Attributes
    ----------
    forecaster_ : Forecaster
        The forecaster, fitted to z; it continues from the z of the rows last seen.
    lambda_ : ndarray of shape (n_outputs,)
        Of the Box-Cox transformation; only with ``transform="boxcox"``.
    max_lag_ : int
        Rows of history that a prediction needs: those of the forecaster, and the sum of the lags of
        `difference`.
    lead_ : int
        Rows after its own that a prediction needs: the largest lead.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, when X has any.

    See Also
    --------
    SmartPersistence : The last clear-sky index stays.
    sklearn.compose.TransformedTargetRegressor : Transforms y of any regressor, without differences.

    Notes
    -----
    The inverse of a mean is not the mean of inverses. Where errors are symmetric on the transformed
    scale, forecasts under ``"log"`` and ``"boxcox"`` are medians of y, below its mean where the
    distribution is skewed to the right. What lies below the image of 0 under a Box-Cox
    transformation with a positive lambda comes back as 0.

    A missing output is filled by the one-step prediction in the units of y before anything is
    differenced, so that a gap is bridged by the level on its other side; in training, the
    differences that it enters are missing.

    The low rows of `divide_by` look for the last quotient in twice as many rows as the longest run
    of them in training has; where there is none, it is the mean one, sum of y over sum of column.
    In training, segments begin with their first row that is not low.

    References
    ----------
    Box and Cox 1964, "An analysis of transformations", Journal of the Royal Statistical Society B
    26, 211-252.

    Examples
    --------
    A trend and a season that grow by a factor each year:

    >>> import numpy as np
    >>> from narxkit import ARX, TransformedForecaster
    >>> t = np.arange(144)
    >>> y = np.exp(5 + 0.01 * t + 0.2 * np.sin(np.pi * t / 6))
    >>> model = TransformedForecaster(ARX(), transform="log", difference=[1, 12])
    >>> model.fit(None, y[:120]).max_lag_
    15
    >>> bool(np.allclose(model.forecast(24), y[120:]))
    True
    """

    _parameter_constraints: dict = {
        "forecaster": "no_validation",
        "transform": "no_validation",
        "difference": "no_validation",
        "divide_by": [str, Integral, None],
        "season": "no_validation",
        "regression": "no_validation",
    }
    output_range = None  # the forecaster has its own, of what it forecasts

    def __init__(
        self,
        forecaster,
        transform=None,
        difference=(),
        divide_by=None,
        season=None,
        regression=None,
    ):
        self.forecaster = forecaster
        self.transform = transform
        self.difference = difference
        self.divide_by = divide_by
        self.season = season
        self.regression = regression

    @property
    def transform(self):
        """The parameter, which ``get_params`` tells: this is no transformer, whose method it is."""
        # pipelines and checks of scikit-learn go by the mere presence of the name
        raise AttributeError(
            "TransformedForecaster is no transformer: read its parameter transform by "
            "get_params()['transform']."
        )

    @transform.setter
    def transform(self, transform):
        vars(self)["transform"] = transform

    def get_params(self, deep=True):
        """Return the parameters.

        Parameters
        ----------
        deep : bool, default=True
            Whether to add those of the forecaster, as ``forecaster__<name>``.

        Returns
        -------
        dict
            Names and values.
        """
        params = {name: vars(self)[name] for name in self._get_param_names()}
        if deep and isinstance(self.forecaster, BaseEstimator):
            inner = self.forecaster.get_params()
            params |= {f"forecaster__{name}": value for name, value in inner.items()}
        return params

    @property
    def forecaster_(self):
        """The forecaster, fitted to transformed rows and continuing from those last seen."""
        self._check_fitted()
        tails = {key: self._inner_tail(tail) for key, tail in self._history.tails.items()}
        return self._inner.continuing(self._history.names, tails)

    @property
    def inside(self):
        """The forecaster and the regression that are fitted here."""
        inners = (self._inner, self._chain.regression)
        return [inner.forecaster for inner in inners if inner is not None]

    @property
    def calendar(self):
        """That of the forecaster, which rows need time stamps for here, too."""
        return self._calendar

    def _read_roles(self, table):
        self._calendar = self._calendar_of(table)
        return super()._read_roles(table)

    def _calendar_of(self, table):
        inside = (one for one in (self.forecaster, self.regression) if isinstance(one, Forecaster))
        both = [one._calendar_of(table) for one in inside]
        given = [calendar for calendar in both if calendar is not None]
        if len(given) > 1 and given[0] != given[1]:
            raise ValueError(
                f"the forecaster has calendar={given[0]!r} and the regression "
                f"calendar={given[1]!r}: give both the same, or one of them none."
            )
        return given[0] if given else None

    @property
    def _reads_times(self):
        regression = self._chain.regression
        has_times = regression is not None and regression.reads_times
        return has_times or self._chain.seasons is not None or self._inner.reads_times

    # ------------------------------------------------------------ fit
    def _read_clocks(self, table):
        self._check_forecaster()
        check_transform(vars(self)["transform"])
        lags, division = read_lags(self.difference), None
        if self.divide_by is not None:
            division = Division.read(table, self.divide_by, self._roles.columns)
        seasons = None if self.season is None else Seasons.read(table, self.season)
        regression = self._read_regression(table)
        self._chain = Chain(division=division, seasons=seasons, regression=regression, lags=lags)
        self._inner = inner = Inner(self.forecaster, self, table)
        if self._leaves_all:
            # bounds of z, which fitted starts of simulate stay between, are those of y
            self._roles = replace(self._roles, low=inner.roles.low, high=inner.roles.high)

    def _read_regression(self, table):
        """Prepare the model of inputs alone, which may read no output and no other row."""
        if self.regression is None:
            return None
        is_forecaster = isinstance(self.regression, Forecaster)
        inner = Inner(self.regression, self, table) if is_forecaster else None
        if inner is None or inner.reach.carries or inner.reach.history or inner.reach.lead:
            raise ValueError(
                "regression must be a forecaster of the inputs and the calendar at their own rows, "
                "such as TDNN(input_lags=0) or ARX(input_lags=0, output_lags=[]). Got "
                f"{self.regression!r} instead."
            )
        return inner

    @property
    def _leaves_all(self):
        """Whether nothing is divided, transformed, adjusted or differenced."""
        return vars(self)["transform"] is None and self._chain.is_empty

    def _check_forecaster(self):
        if not isinstance(self.forecaster, Forecaster):
            raise ValueError(
                "The 'forecaster' parameter of TransformedForecaster must be a forecaster such as "
                f"ARX() or NARX(). Got {self.forecaster!r} instead. A Pipeline goes around a "
                "TransformedForecaster, not inside."
            )

    def _make_reach(self, columns, n_outputs):
        inner, division, back = self._inner.reach, self._chain.division, offsets(self._chain.lags)
        outputs = {(column, lag + d) for column, lag in inner.outputs for d in back}
        outputs |= {(column, d) for column in range(n_outputs) for d in back[1:]}
        # those of the calendar stand behind those of X, here too
        inputs = self._inner.inputs(self._roles.calendar_names)
        lags = {0, *(lag for _, lag in outputs)}
        if division is not None:
            inputs |= {(division.column, lag) for lag in lags}
        if self._chain.regression is not None:
            read = self._chain.regression.inputs(self._roles.calendar_names)
            inputs |= {(column, lag) for column, _ in read for lag in lags}
        return replace(
            inner,
            outputs=tuple(sorted(outputs)),
            inputs=tuple(sorted(inputs)),
            carry=inner.carry + (0 if division is None else division.memory),
        )

    def _describe_reach(self):
        need, fewer = self._inner.describe_reach()
        if not self._chain.lags:
            return need, fewer
        need = need.removesuffix("s").removesuffix(" need")
        return (
            f"{need} and differences of {self._chain.n_before} rows need",
            f"{fewer} or differences",
        )

    def _train(self, segments, weight):
        self._fit_chain(segments, weight)
        self._y_mean, self._y_std = super()._units(segments.y[weight > 0])
        if self._chain.division is not None:
            weight = weight * self._chain.division.weights(segments.u)
        z = self._chain.levels(segments, is_filled=False)[-1]
        rows = np.flatnonzero(self._chain.has_begun(segments))
        if not len(rows):
            raise ValueError(
                f"differences of {self._chain.n_before} rows leave no row to train on in any "
                "segment: give longer segments or smaller lags of difference."
            )
        self._inner.train(segments, weight, z, rows)
        self._read_reach()  # AutoNARX inside has chosen its lags by now

    def _take_choices(self, fitted):
        self._inner.take_choices(fitted._inner)
        if self._chain.regression is not None:
            self._chain.regression.take_choices(fitted._chain.regression)

    def _fit_chain(self, segments, weight):
        """Fit the mean quotient, the function and the seasons to the training rows."""
        chain = self._chain
        if chain.division is not None:
            division = chain.division.with_mean(segments, weight)
            chain = replace(chain, division=division)
            weight = weight * division.weights(segments.u)
        transform = vars(self)["transform"]
        if transform is not None:
            q = chain.quotients(segments.u, segments.y)
            function = Function.fit(transform, q, weight > 0)
            chain = replace(chain, function=function)
        if chain.seasons is not None:
            w, *_ = replace(chain, seasons=None, lags=()).levels(segments, is_filled=False)
            chain = replace(chain, seasons=chain.seasons.fit(segments, w, weight))
        if chain.regression is not None:
            w, *_ = replace(chain, regression=None, lags=()).levels(segments, is_filled=False)
            chain.regression.train(segments, weight, w)
        self._chain = chain
        vars(self).pop("lambda_", None)  # of an earlier fit
        if chain.function is not None and chain.function.lambdas is not None:
            self.lambda_ = chain.function.lambdas

    # ------------------------------------------------------------ rollouts
    def _read(self, X, **columns):
        table = super()._read(X, **columns)
        if self._chain.division is not None:
            self._chain.division.check(table, self._roles.columns)
        return table

    def _check_outputs(self, X, y):
        self._chain.check(X, y)

    def _run(self, rollouts):
        segments, chain = rollouts.segments, self._chain
        levels = chain.levels(segments)
        z_hat, bad = self._inner.run(rollouts, levels[-1])
        if self._leaves_all:
            return z_hat, bad
        y_hat = chain.undo(z_hat, levels, rollouts)
        return self._end_diverged(y_hat, z_hat, bad, rollouts)

    def _end_diverged(self, y_hat, z_hat, bad, rollouts):
        """End rollouts where they leave all bounds in the units of y, if not before."""
        within = np.abs(y_hat - self._y_mean) <= FARTHEST * self._y_std
        ends = ~within.all(axis=2) & rollouts.is_step
        first = np.argmax(ends, axis=1)
        # what the forecaster itself has not predicted is for it to tell
        is_own = ends.any(axis=1) & np.isfinite(z_hat).all(axis=2)[np.arange(len(first)), first]
        if self._reach.carries:
            ends = np.arange(y_hat.shape[1]) >= first[:, None]
        y_hat[is_own[:, None] & ends] = np.nan
        return y_hat, np.where(is_own, first, bad)

    def _units(self, y):
        return self._inner.units(y) if self._leaves_all else super()._units(y)

    def _bend(self, y, X):
        chain = self._chain
        if chain.function is None:
            return y
        if chain.division is not None:
            # what is low has no quotient
            c = np.where(chain.division.is_low(X), np.nan, chain.division.divisor(X))
            y = y / c.reshape(len(X), *[1] * (y.ndim - 1))
        return chain.function.forward(y)

    def _unbend(self, values, X):
        chain = self._chain
        if chain.function is None:
            return values
        with np.errstate(over="ignore"):
            values = chain.function.inverse(values)
        return values if chain.division is None else values * chain.division.divisor(X)

    def _inner_tail(self, tail):
        """Return the last rows of a series as the forecaster inside has them."""
        segment, reach = self._roles.segment(tail.X, tail.y, tail.times), self._inner.reach
        z, n = self._chain.levels(segment)[-1], len(tail.y)
        n_kept = max(reach.memory + reach.lead, 1)
        # too short a tail is so for both
        at = max(self._reach.history - reach.history, n - n_kept)
        at = min(at, n - 1)  # one row, for its time stamp
        times = None if tail.times is None else tail.times[at:]
        return replace(tail, X=tail.X[at:], y=z[at:], times=times)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        if isinstance(self.forecaster, Forecaster):
            tags.regressor_tags = get_tags(self.forecaster).regressor_tags
        if np.size(self.difference):
            # scikit-learn scores it on rows that are no series: their differences are noise
            tags.regressor_tags.poor_score = True
        return tags
