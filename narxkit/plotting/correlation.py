"""Correlations of errors with earlier ones and with inputs, lag by lag, and the band of chance."""

import numpy as np
import pandas as pd

from narxkit.plotting.base import COLOURS, GREY, PALE, Display, ErrorDisplay, load_matplotlib
from narxkit.plotting.times import as_pair

__all__ = ["ErrorAutocorrelationDisplay", "InputErrorCorrelationDisplay"]

Z95 = 1.959964  # of a normal distribution, two-sided
OF_EACH, OF_ALL = "95 % band of each lag", "95 % band of all lags together"


class CorrelationDisplay(Display):
    """Correlations by lag: a bar for each, in a second colour where it leaves the band.

    Parameters
    ----------
    correlation : Series of shape (n_lags,)
        Correlations; the index holds the lags.
    band : float
        The band of chance.
    title : str
        Name of the correlated series.
    band_name : str
        Description of the band.
    """

    def __init__(self, *, correlation, band, title, band_name=OF_EACH):
        self.correlation = correlation
        self.band = band
        self.title = title
        self.band_name = band_name

    def plot(self, ax=None, **kwargs):
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; by default on a new figure.
        **kwargs : dict
            Properties of the bars.

        Returns
        -------
        CorrelationDisplay
            The display itself.
        """
        ax = self._open(ax)
        lags, values = self.correlation.index.to_numpy(), self.correlation.to_numpy()
        self.band_ = ax.axhspan(-self.band, self.band, color=PALE, lw=0, zorder=0)
        ax.axhline(0, color=GREY, lw=0.8, zorder=1)
        is_out = np.abs(values) > self.band
        colours = np.where(is_out, COLOURS[1], COLOURS[0])
        self.bars_ = ax.bar(lags, values, **{"width": 0.5, "color": colours, "zorder": 2} | kwargs)
        # the band stays visible where nothing leaves it
        reach = max(1.15 * np.nanmax(np.abs(values)), 1.6 * self.band)
        ax.set_ylim(-min(reach, 1.05), min(reach, 1.05))
        ticker = load_matplotlib("ticker")
        ax.xaxis.set_major_locator(ticker.MaxNLocator(8, integer=True, steps=[1, 2, 4, 5, 10]))
        self._name_axes(f"lag, rows; grey: {self.band_name}", self.title)
        return self


class _ErrorCorrelationDisplay(ErrorDisplay, CorrelationDisplay):
    """Base of correlations of errors: the errors, and the band of each lag."""

    @classmethod
    def _errors(cls, y_true, y_pred, n_lags):
        y_true, y_pred = as_pair(cls.__name__, y_true, y_pred)
        check_lags(cls.__name__, n_lags, len(y_true))
        return (y_true - y_pred).to_numpy()

    @classmethod
    def _of(cls, x, errors, lags, title):
        correlation = pd.Series(correlations(x, errors, lags), pd.Index(lags, name="lag"))
        return cls(correlation=correlation, band=band_of_each(errors), title=title)


class ErrorAutocorrelationDisplay(_ErrorCorrelationDisplay):
    r"""Correlation of errors with those of the rows before.

    .. math::

        r_k = \frac{\sum_t e_t e_{t-k}}{\sum_t e_t^2}, \quad e_t = y_t - \hat y_t

    with the mean of the errors subtracted. Those of a model that has learnt all that the past tells
    stay within the band at 95 of 100 lags.

    Parameters
    ----------
    correlation : Series of shape (n_lags,)
        Correlations; the index holds the lags.
    band : float
        The band of chance.
    title : str
        Name of the correlated series.
    band_name : str, default="95 % band of each lag"
        Description of the band.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes drawn on.
    figure_ : matplotlib Figure
        Its figure.
    bars_ : matplotlib BarContainer
        The correlations.
    band_ : matplotlib patch
        The band.

    See Also
    --------
    InputErrorCorrelationDisplay : Correlation of errors with an input.
    narxkit.diagnostics.validate : Tests with a band for all lags together.

    Examples
    --------
    >>> from narxkit.plotting import ErrorAutocorrelationDisplay
    >>> y = [1.0, -1.0] * 10
    >>> display = ErrorAutocorrelationDisplay.from_predictions(y, [0.0] * 20, n_lags=2)
    >>> display.correlation.round(2).to_dict()
    {1: -0.95, 2: 0.9}
    """

    @classmethod
    def from_predictions(cls, y_true, y_pred, *, n_lags=20, ax=None, **kwargs):
        """Draw the autocorrelation of errors that are there already.

        Parameters
        ----------
        y_true, y_pred : Series or array-like of shape (n,)
            Measured and predicted values of rows that follow each other; NaN where missing.
        n_lags : int, default=20
            The largest lag, in rows.
        ax : matplotlib Axes, default=None
            Where to draw; by default on a new figure.
        **kwargs : dict
            Properties of the bars.

        Returns
        -------
        ErrorAutocorrelationDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            When they are not one series each, not of the same rows, or fewer than the lags need.

        Notes
        -----
        The band is 1.96 over the square root of the number of errors. Pairs with a missing value
        are left out.
        """
        errors = cls._errors(y_true, y_pred, n_lags)
        display = cls._of(errors, errors, range(1, n_lags + 1), "autocorrelation of errors")
        return display.plot(ax=ax, **kwargs)


class InputErrorCorrelationDisplay(_ErrorCorrelationDisplay):
    r"""Correlation of errors with an input of the rows before and after.

    .. math::

        r_k = \frac{\sum_t u_{t-k} e_t}{\sqrt{\sum_t u_t^2 \sum_t e_t^2}}, \quad
        e_t = y_t - \hat y_t

    with both means subtracted. At lags from 0 on, those of a model that has learnt all that this
    input tells stay within the band at 95 of 100. Negative lags tell of later inputs: they leave
    the band where the output acts back on the input, which is no fault of the model.

    Parameters
    ----------
    correlation : Series of shape (n_lags,)
        Correlations; the index holds the lags.
    band : float
        The band of chance.
    title : str
        Name of the correlated series.
    band_name : str, default="95 % band of each lag"
        Description of the band.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes drawn on.
    figure_ : matplotlib Figure
        Its figure.
    bars_ : matplotlib BarContainer
        The correlations.
    band_ : matplotlib patch
        The band.

    See Also
    --------
    ErrorAutocorrelationDisplay : Correlation of errors with earlier ones.
    narxkit.diagnostics.validate : Tests with a band for all lags together.

    Examples
    --------
    >>> import numpy as np
    >>> from narxkit.plotting import InputErrorCorrelationDisplay
    >>> u = np.random.default_rng(0).normal(size=200)
    >>> y = np.r_[0.0, u[:-1]]                                  # the input of the row before
    >>> display = InputErrorCorrelationDisplay.from_predictions(u, y, np.zeros(200), n_lags=5)
    >>> int(display.correlation.idxmax())
    1
    """

    @classmethod
    def from_estimator(cls, estimator, X, y, *, column=0, loop="open", ax=None, **kwargs):
        """Draw the correlation of a fitted model's errors with one of its inputs.

        Parameters
        ----------
        estimator : estimator
            Fitted; asked for ``predict_ahead(X, y)``, or in closed loop for ``simulate``.
        X : array-like of shape (n, n_features)
            Inputs.
        y : Series or array-like of shape (n,)
            Measured outputs.
        column : int or str, default=0
            The input, by position or by name.
        loop : {"open", "closed"}, default="open"
            Predictions one step ahead from measured history, or a free run from the first rows.
        ax : matplotlib Axes, default=None
            Where to draw; by default on a new figure.
        **kwargs : dict
            Further arguments of `from_predictions`.

        Returns
        -------
        InputErrorCorrelationDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            When there is no such input.
        """
        u = _column(X, column)
        return super().from_estimator(estimator, X, y, loop=loop, ax=ax, u=u, **kwargs)

    @classmethod
    def from_predictions(cls, u, y_true, y_pred, *, n_lags=20, ax=None, **kwargs):
        """Draw the correlation of an input with errors that are there already.

        Parameters
        ----------
        u : Series or array-like of shape (n,)
            The input.
        y_true, y_pred : Series or array-like of shape (n,)
            Measured and predicted values of rows that follow each other; NaN where missing.
        n_lags : int, default=20
            The largest lag, in rows, to both sides.
        ax : matplotlib Axes, default=None
            Where to draw; by default on a new figure.
        **kwargs : dict
            Properties of the bars.

        Returns
        -------
        InputErrorCorrelationDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            When they are not one series each, not of the same rows, or fewer than the lags need.

        Notes
        -----
        The band is 1.96 over the square root of the number of errors. Pairs with a missing value
        are left out.
        """
        errors = cls._errors(y_true, y_pred, n_lags)
        name = getattr(u, "name", None)
        u = np.asarray(u, dtype=float)
        if u.shape != errors.shape:
            raise ValueError(
                f"{cls.__name__} draws one input with a value for each of the {len(errors)} rows "
                f"of y_true, but u has the shape {u.shape}: give one column of X."
            )
        title = f"correlation of errors with {'the input' if name is None else name}"
        display = cls._of(u, errors, range(-n_lags, n_lags + 1), title)
        return display.plot(ax=ax, **kwargs)


def correlations(x, e, lags):
    """Correlate e with x of k rows before, for each lag k; missing values drop their pairs."""
    # zero adds nothing to a sum of products
    x, e = (np.nan_to_num(values - np.nanmean(values)) for values in (x, e))
    scale, n = np.sqrt((x @ x) * (e @ e)), len(e)
    products = [x[: n - k] @ e[k:] if k >= 0 else x[-k:] @ e[: n + k] for k in lags]
    return np.array(products) / (scale if scale > 0 else 1.0)


def band_of_each(errors):
    """Return the 95 % band of the correlation of white errors at one lag."""
    return Z95 / np.sqrt(np.isfinite(errors).sum())


def check_lags(display, n_lags, n):
    """Refuse lags that no row has."""
    if not isinstance(n_lags, int | np.integer) or not 1 <= n_lags < n:
        raise ValueError(
            f"n_lags must be an int from 1 to {n - 1}, fewer than the {n} rows that {display} "
            f"draws. Got {n_lags!r} instead."
        )


def _column(X, column):
    """Return a column of X as a Series, by position or by name."""
    if X is None:
        raise ValueError("InputErrorCorrelationDisplay draws an input, but X is None: give X.")
    X = X if isinstance(X, pd.DataFrame) else pd.DataFrame(np.asarray(X))
    if column in X.columns:
        return X[column]
    if isinstance(column, int) and 0 <= column < X.shape[1]:
        return X.iloc[:, column]
    known = ", ".join(map(str, X.columns))
    raise ValueError(f"X has no column {column!r}: it has {known}.")
