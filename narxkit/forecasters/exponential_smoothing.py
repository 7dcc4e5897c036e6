"""Simple exponential smoothing with drift: a linear model of one parameter."""

from dataclasses import replace
from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import Interval

from narxkit.forecasters.scaled import ScaledForecaster, TapWeights
from narxkit.networks import make_taps
from narxkit.networks.tapped_mlp import shared_mlp
from narxkit.networks.taps import MOST_LAGS
from narxkit.training.linear import count_targets, name_scarcest, slopes_of_lines, with_drift
from narxkit.training.objective import Objective

SMOOTHINGS = np.linspace(0.05, 1.0, 20)
TAIL = 1e-3  # of the weights, beyond which rows are too old to count
MOST = int(np.ceil(np.log(TAIL) / np.log(1.0 - SMOOTHINGS[0])))
SHARE = 3  # the weights reach back at most one part in so many of the longest segment


class ExponentialSmoothing(TapWeights, ScaledForecaster):
    r"""Simple exponential smoothing, with a drift of half the slope of the trend: the Theta method.

    .. math::

        \hat y_t = \sum_{k=1}^K w_k (y_{t-k} + k d), \qquad
        w_k \propto (1 - s)^{k-1}, \quad \sum_{k=1}^K w_k = 1,

    with own forecasts in place of y behind the origin. Of the smoothings s = 0.05, 0.1, ..., 1 the
    one with the smallest squared error of one step is taken, the same for all outputs; d is `drift`
    times the slope of the least-squares line through the training rows. Columns of X are not read.

    Parameters
    ----------
    drift : float, default=0.5
        Share of the slope that forecasts rise by. One half makes it the Theta method; 0 leaves
        exponential smoothing.
    window : int, default=None
        Rows K that are smoothed over. By default as many as have a weight above 0.001 under the
        smallest smoothing, 135, but no more than a third of the longest segment.
    output_range : tuple (low, high), default=None
        Bounds of the output, each a number, a column name of X or None.

    Attributes
    ----------
    smoothing_ : float
        The smoothing chosen.
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
    ARX : Weights of their own for each lag.
    TransformedForecaster : Takes a season out before.

    References
    ----------
    Assimakopoulos and Nikolopoulos 2000, "The theta model: a decomposition approach to
    forecasting", International Journal of Forecasting 16, 521-530. Hyndman and Billah 2003,
    "Unmasking the Theta method", International Journal of Forecasting 19, 287-290.

    Examples
    --------
    >>> from narxkit import ExponentialSmoothing
    >>> model = ExponentialSmoothing(drift=1.0).fit(None, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0])
    >>> model.forecast(3).round(6).tolist()
    [9.0, 10.0, 11.0]
    """

    _parameter_constraints: dict = {
        "drift": [Interval(Real, None, None, closed="neither")],
        "window": [Interval(Integral, 1, MOST_LAGS, closed="both"), None],
        "output_range": "no_validation",
    }

    def __init__(self, drift=0.5, window=None, output_range=None):
        self.drift = drift
        self.window = window
        self.output_range = output_range

    def _read_roles(self, table):
        roles = super()._read_roles(table)
        return replace(roles, inputs=roles.inputs[:0])  # X is not read

    def _read_clocks(self, table):
        longest = int(np.max(np.diff(table.edges)))
        self._n_lags = int(self.window or max(min(longest // SHARE, MOST), 1))

    def _make_network(self, columns, n_outputs):
        return shared_mlp(make_taps([], self._n_lags, columns, n_outputs), ())

    def _describe_reach(self):
        return f"a window of {self._n_lags} rows needs", "a smaller window"

    def _train(self, segments, weight):
        self.structure_ = self._network
        self._fit_scale(segments, weight > 0)
        free = self._scale.apply(segments.replace(low=None, high=None))
        whole = Objective.over(self.structure_, free, sample_weight=weight)
        if not (n_targets := count_targets(whole)).all():
            raise ValueError(
                "no row has its window and its target"
                f"{name_scarcest(self._roles.outputs, n_targets)}: too many values are missing. "
                "Fill gaps, or give a smaller window."
            )
        slopes = self.drift * slopes_of_lines(free, weight)
        thetas = [with_drift(self.structure_, self._smooth(s), slopes) for s in SMOOTHINGS]
        best = int(np.argmin([whole.value(theta) for theta in thetas]))
        self.smoothing_, self.theta_ = float(SMOOTHINGS[best]), thetas[best]

    def _smooth(self, smoothing):
        """Return the parameters under one smoothing: geometric weights that sum to 1."""
        weights = (1.0 - smoothing) ** np.arange(self._n_lags)
        theta = np.zeros(self.structure_.n_params)
        coefs = self.structure_.unpack(theta).coefs[0]
        for output, lags in enumerate(np.split(np.arange(len(coefs)), coefs.shape[1])):
            coefs[lags, output] = weights / weights.sum()
        return theta

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True  # X is not read
        return tags
