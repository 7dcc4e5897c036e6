r"""The Hurst exponent: do the moves of a series go on, or are they undone?

The path y of a series of increments x with the exponent H strays like k^H over k rows. At H = 1/2
it is a walk without memory, and no past move tells the next; above, moves go on (persistence);
below, they are undone (anti-persistence). Six methods, one file of `_hurst` for each family:

- `likelihood`: "ml", the exact likelihood of fractional Gaussian noise, the sharpest;
- `scaling`: "rs" and "dfa", how far the path strays in boxes of growing size;
- `spectral`: "gph" and "local_whittle", the slope of the spectrum at its lowest frequencies;
- `wavelet`: "wavelet", the slope of the wavelet spectrum, blind to straight trends.
"""

from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd

from narxkit._warn import warn

from ._hurst.methods import METHODS, Settings, rounding_of
from ._hurst.results import WRONG_KIND, Hurst, HurstTable, RollingHurst
from ._outlier import HEAVY, SEE, find_outlier, without_outliers
from .values import choose, is_row_count

__all__ = ["Hurst", "HurstTable", "RollingHurst", "hurst", "rolling_hurst"]

LIKE_LEVELS, LIKE_DIFFERENCES = 0.95, 0.05  # estimates that tell of the wrong kind
CYCLE, TREND = 0.2, 0.5  # shares of the variance that are worth a note
SWAYED = f"one value carries more than {HEAVY * 100:.0f} % of the variance, and H reflects it"
NOTHING = 5 * (np.nan,), ()  # a row of the rolling table, and its notes


def hurst(x, method="ml", *, kind="increments", order=1, season=None, confidence=0.95):
    r"""Estimate the Hurst exponent of a series, with an interval.

    .. math::

        \mathrm{sd}(y_{t+k} - y_t) \sim k^H, \qquad y_t = x_1 + \dots + x_t

    Parameters
    ----------
    x : array-like of shape (n,)
        The series, in the order of time.
    method : {"ml", "rs", "dfa", "gph", "local_whittle", "wavelet", "all"}, default="ml"
        Likelihood of fractional Gaussian noise; rescaled range with Anis and Lloyd's correction;
        detrended fluctuations; regression of the log-periodogram; local Whittle likelihood; wavelet
        spectrum; or all six in one table.
    kind : {"increments", "levels"}, default="increments"
        Whether x holds increments, such as returns or a stationary measurement, or levels, such as
        prices, whose differences are analysed.
    order : {1, 2, 3}, default=1
        Order of the polynomials that "dfa" takes out.
    season : int, default=None
        Rows of a season; the mean of each of its places is taken away first, and the result says
        so. By default none is.
    confidence : float, default=0.95
        Of the interval.

    Returns
    -------
    Hurst or HurstTable
        Estimate, standard error, interval, p-value of H = 1/2, what was seen over scales; of all
        methods for "all".

    Raises
    ------
    ValueError
        When x has missing values, is constant or too short (64 increments for "ml", "gph" and
        "local_whittle", 128 for the others, two seasons), repeats itself so exactly that a method
        finds no power or range to analyse, or an argument is out of its range.

    Warns
    -----
    UserWarning
        When one value carries more than a third of the variance: estimate, interval and p-value
        are those of x as it is, and tell of this value and of where it stands. The sentence is
        that of x with the mean of all other values in its place, as is ``without_outlier``.

    See Also
    --------
    rolling_hurst : The exponent over time.
    make_fgn : Series of a known exponent.

    Notes
    -----
    "ml" maximises the exact likelihood up to 20,000 increments, in O(n^2), and Whittle's
    approximation above; on series of 4,096 rows the two were 0.03 to 0.17 standard errors apart,
    on two of 20,000 rows 0.02. It is the sharpest by far on fractional Gaussian noise, and biased
    where short memory is added to the long, as in an autoregression: compare with "local_whittle".
    A level of persistence is no proof of long memory: trends, changing means and short memory look
    alike at the scales of a short series.

    Intervals of "ml", "gph" and "local_whittle" come from theory, those of "rs", "dfa" and
    "wavelet" from simulations of exact fractional Gaussian noise of up to 262,144 rows, whose bias
    they also take away. "rs" leaves out boxes in which x is constant, and misleads on sparse
    counts: from 8 % of constant boxes of 50 rows on it excluded 1/2 in 16 to 24 % of series without
    memory or more, and a note says so from 5 % on.

    Means of a season empty the spectrum at its frequencies, which "gph" and "local_whittle" leave
    out, and take the share season / n of the rows along, by which the other intervals are wider:
    the standard errors grow by the root of n / (n - season). Of 400 intervals of 95 % with 2
    seasons of 256 rows, 4 of 168 and 30 of 24, 92 to 98 % held H, by every method.

    References
    ----------
    Beran 1994, "Statistics for Long-Memory Processes"; Weron 2002, "Estimating long-range
    dependence", Physica A 312, 285-299; Robinson 1995, "Gaussian semiparametric estimation of long
    range dependence", Annals of Statistics 23, 1630-1661; Abry and Veitch 1998, "Wavelet analysis
    of long-range-dependent traffic", IEEE Transactions on Information Theory 44, 2-15.

    Examples
    --------
    >>> from narxkit.diagnostics import hurst, make_fgn
    >>> print(hurst(make_fgn(2000, 0.7, random_state=0)).sentence)
    Persistent: H = 0.69, 95 % interval 0.66 to 0.72; moves tend to go on.
    """
    settings = Settings(method, kind, order, season, confidence)
    increments = settings.increments(x)
    results = {name: analyse(increments, name, settings) for name in settings.names}
    outlier = next(iter(results.values())).outlier
    if outlier:
        warn(f"{outlier}, and H reflects it more than x: {SEE}.")
    return HurstTable(results) if method == "all" else results[method]


def rolling_hurst(
    x,
    window,
    step=None,
    method="ml",
    *,
    kind="increments",
    order=1,
    season=None,
    confidence=0.95,
):
    """Estimate the Hurst exponent in windows that move along a series.

    Parameters
    ----------
    x : Series or array-like of shape (n,)
        The series; the index of a Series labels the windows.
    window : int
        Rows of a window.
    step : int, default=None
        Rows from one window to the next; by default a tenth of a window.
    method : str, default="ml"
        As in `hurst`, without "all".
    kind : {"increments", "levels"}, default="increments"
        Whether x holds levels or increments; differences are taken over the whole series.
    order : {1, 2, 3}, default=1
        Order of the polynomials that "dfa" takes out.
    season : int, default=None
        Rows of a season, whose means are taken away over the whole series.
    confidence : float, default=0.95
        Of each interval.

    Returns
    -------
    RollingHurst
        Estimate, standard error, interval and p-value of each window.

    Raises
    ------
    ValueError
        When `hurst` would raise, the series is shorter than a window, or no window can be analysed.

    Warns
    -----
    UserWarning
        When one value carries more than a third of the variance of a window.

    See Also
    --------
    hurst : One exponent of a whole series.

    Notes
    -----
    Windows share rows, so their estimates move together: of windows that overlap by nine tenths,
    ten in a row outside their band are hardly more evidence than one.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from narxkit.diagnostics import make_fgn, rolling_hurst
    >>> days = pd.date_range("2024-01-01", periods=600, name="day")
    >>> x = pd.Series(make_fgn(600, 0.5, random_state=0), index=days)
    >>> rolling_hurst(x, window=200, step=100).windows.index[0]
    Timestamp('2024-07-18 00:00:00')
    """
    settings = Settings(method, kind, order, season, confidence)
    choose("method", method, list(METHODS))
    if not is_row_count(window, settings.n_min):
        raise ValueError(
            f"window must be an int >= {settings.n_min}, in rows, for {method!r}. Got {window!r} "
            "instead."
        )
    step = max(1, window // 10) if step is None else step
    if not is_row_count(step):
        raise ValueError(f"step must be None or an int >= 1. Got {step!r} instead.")
    # differences and season of the whole series: a window of its own would lose a row and half a
    # season
    increments, rounding = settings.increments(x), rounding_of(x)
    n = len(increments)
    if n < window:
        raise ValueError(
            f"x has {n} increments, fewer than a window of {window}: give a longer "
            "series or a smaller window."
        )
    ends, spread = np.arange(window, n + 1, step), settings.spread(method, n)
    rows, notes = [], Counter()
    for end in ends:
        values = increments[end - window : end]
        # a sensor that stands still has no exponent; NaN in its windows, the others stand
        is_constant = np.ptp(values) <= rounding
        row, new_notes = NOTHING if is_constant else row_of(values, method, settings, spread)
        rows.append(row)
        notes.update(new_notes)
    columns = ["estimate", "stderr", "low", "high", "pvalue"]
    frame = pd.DataFrame(rows, index=labels(x, n)[ends - 1], columns=columns)
    H = frame["estimate"].median()
    if np.isnan(H):
        raise ValueError(
            f"none of {len(rows)} windows of {window} rows can be analysed, such as where x is "
            "constant: give larger windows."
        )
    # a note of a window says how many share it: a thousand windows must not warn a thousand times
    notes = {note: f"in {count:,} of {len(rows):,} windows {note}" for note, count in notes.items()}
    if SWAYED in notes:
        warn(f"{notes[SWAYED]}: {SEE}.")
    return RollingHurst(
        windows=frame,
        window=int(window),
        step=int(step),
        confidence=confidence,
        method=method,
        kind=kind,
        n=n,
        season=season,
        order=settings.order_of(method),
        notes=(*notes.values(), *remarks(increments, H, settings)),
    )


def exponent(increments, method, season):
    """Return the result of one method, for callers that warn of outliers themselves."""
    settings = Settings(method, "increments", 1, season, 0.95)
    return analyse(settings.increments(increments), method, settings)


def analyse(increments, name, settings):
    """Return the result of one method, beside that without an outlier where there is one."""
    outlier = find_outlier(increments)
    result = analyse_as_is(increments, name, settings)
    if outlier is None:
        notes = *result.notes, *remarks(increments, result.estimate, settings)
        return replace(result, notes=notes)
    # of levels the increments were analysed: their row i leads to row i + 1
    named = outlier.of_step if settings.kind == "levels" else outlier
    rest = analyse_without_outlier(increments, name, settings)
    return replace(result, outlier=named, without_outlier=rest)


def analyse_without_outlier(increments, name, settings):
    """Return the result with other values in place of outliers; None where nothing is left."""
    rest = without_outliers(increments)
    if np.ptp(rest) <= rounding_of(rest):
        return None
    try:
        result = analyse_as_is(rest, name, settings)
    except ValueError:
        return None
    return replace(result, notes=(*result.notes, *remarks(rest, result.estimate, settings)))


def analyse_as_is(increments, name, settings):
    """Return the result of one method, without remarks on the series."""
    n = len(increments)
    reading, inference, notes = read(increments, name, settings, settings.spread(name, n))
    return Hurst(
        **inference._asdict(),
        confidence=settings.confidence,
        method=name,
        kind=settings.kind,
        n=n,
        season=settings.season,
        order=settings.order_of(name),
        scales=reading.scales,
        fluctuations=reading.fluctuations,
        fitted=reading.fitted,
        interval_from=reading.source,
        notes=notes,
    )


def read(increments, name, settings, spread):
    """Read increments by a method; return reading, inference on H, and notes."""
    method = METHODS[name]
    reading = method.read(increments, **{key: getattr(settings, key) for key in method.options})
    # means of a season that were removed took power along: the spread grows, the estimate stays
    inference = reading.law.wider(spread).read(reading.statistic, settings.confidence)
    if not method.cuts(inference.estimate):
        return reading, inference, reading.notes
    low, high = method.ends
    end = (
        f"H is at the end of what the method can tell ({low:g} to {high:g}), and the interval is "
        "cut there"
    )
    return reading, inference, (*reading.notes, end)


def row_of(increments, name, settings, spread):
    """Return a row of the rolling table and its notes; NaN where there is nothing to analyse."""
    try:
        _, inference, notes = read(increments, name, settings, spread)
    except ValueError:
        return NOTHING
    if find_outlier(increments):
        notes = *notes, SWAYED
    estimate, stderr, interval, pvalue = inference
    return (estimate, stderr, *interval, pvalue), notes


def remarks(x, estimate, settings):
    """List what calls the exponent of a series into question."""
    n, t, x = len(x), np.arange(len(x)) - (len(x) - 1) / 2, x - x.mean()
    square = x @ x
    near_1, near_0 = WRONG_KIND[settings.kind]
    if estimate > LIKE_LEVELS:
        yield near_1
    if estimate < LIKE_DIFFERENCES:
        yield near_0
    # R^2 of a straight line
    trend = (t @ x) ** 2 / (t @ t * square)
    if trend > TREND:
        yield (
            f"a straight trend holds {trend * 100:.0f} % of the variance, and all methods but "
            "'wavelet' and 'dfa' of order 2 read it as persistence"
        )
    # a sine of amplitude a holds a^2 n / 2 of the squares and (a n / 2)^2 of one frequency: its
    # share is 2 power / (n square)
    power = np.abs(np.fft.rfft(x)[1:]) ** 2
    power[: min(10, len(power) - 1)] = 0.0  # slow swings belong to H
    j, share = power.argmax() + 1, 2 * power.max() / (n * square)
    if share > CYCLE:
        yield (
            f"a cycle of {n / j:.3g} rows holds {share * 100:.0f} % of the variance, and its "
            "swings are read as memory: give season= where it is one"
        )


def labels(x, n):
    """Return the index of x, or of its differences."""
    index = x.index if isinstance(x, pd.Series | pd.DataFrame) else pd.RangeIndex(len(x))
    return index.get_level_values(-1)[len(index) - n :]
