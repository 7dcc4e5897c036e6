"""Results of `hurst` and `rolling_hurst`."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from narxkit.diagnostics._outlier import Outlier
from narxkit.diagnostics._result import Result, Row

from .methods import AT_LONG_TIMES, METHODS

WRONG_KIND = {  # notes on an estimate near 1, and near 0
    "increments": (
        "H is near 1, as that of levels, such as prices, for whose differences give "
        "kind='levels', or of strong short memory, as that of an autoregression, for which "
        "compare 'local_whittle'",
        "H is near 0, as that of differences: if x was differenced, give it as it was before",
    ),
    "levels": (
        "H is near 1, though differences were analysed: they have strong short memory, for which "
        "compare 'local_whittle'",
        "H is near 0: x looks like increments already, or like levels that return to a "
        "mean; give kind='increments'",
    ),
}


@dataclass(frozen=True, repr=False, eq=False)
class Hurst(Result):
    """The Hurst exponent by one method, the result of `hurst`.

    Parameters
    ----------
    estimate : float
        H.
    stderr : float
        Its standard error.
    confidence_interval : tuple of float
        Low and high.
    pvalue : float
        Two-sided, of H = 1/2.
    confidence : float
        Level of the interval.
    method : str
        Which of the methods.
    kind : {"increments", "levels"}
        Whether x was given as increments or levels.
    n : int
        Increments it was computed on.
    season : int or None
        Rows of the season whose means were subtracted first.
    order : int or None
        Order of the polynomials of "dfa".
    scales : ndarray of shape (k,)
        Boxes, octaves or periods, in rows.
    fluctuations : ndarray of shape (k,)
        The values there: F(s) of "rs" and "dfa", else roots of the spectrum.
    fitted : ndarray of shape (k,)
        The line fitted to them.
    interval_from : str
        Where the interval comes from.
    notes : tuple of str
        Notes on the figures.
    outlier : Outlier or None
        Row and share of the variance of a value that carries more than a third of it.
    without_outlier : Hurst or None
        The same with the mean of all others in its place; None where these cannot be analysed.

    See Also
    --------
    hurst : Where it comes from.

    Examples
    --------
    >>> from narxkit.diagnostics import hurst, make_fgn
    >>> result = hurst(make_fgn(2000, 0.7, random_state=0))
    >>> result.confidence_interval[0] < 0.7 < result.confidence_interval[1]
    True
    """

    estimate: float
    stderr: float
    confidence_interval: tuple
    pvalue: float
    confidence: float
    method: str
    kind: str
    n: int
    season: int | None
    order: int | None
    scales: np.ndarray
    fluctuations: np.ndarray
    fitted: np.ndarray
    interval_from: str
    notes: tuple = ()
    outlier: Outlier | None = None
    without_outlier: "Hurst | None" = None

    @property
    def is_cut(self):
        """Whether H is at an end of what the method can tell, where its interval is cut."""
        return bool(METHODS[self.method].cuts(self.estimate))

    @property
    def sentence(self):
        """The result in one sentence."""
        low, high = self.confidence_interval
        between = f"{self.confidence * 100:g} % interval {low:.2f} to {high:.2f}"
        between += ", cut there" if self.is_cut else ""
        if self.outlier:
            return set_aside(self.outlier, f"H = {self.estimate:.2f}", self.without_outlier)
        if low <= 0.5 <= high:
            return f"No long memory is seen: H = {self.estimate:.2f}, {between} with 1/2 inside."
        kind, moves = ("Persistent", "go on") if low > 0.5 else ("Anti-persistent", "be undone")
        return f"{kind}: H = {self.estimate:.2f}, {between}; moves tend to {moves}."

    @property
    def figures(self):
        """Lines of the table, a list of Row."""
        low, high = self.confidence_interval
        return [
            Row("Hurst exponent", f"{self.estimate:.3f}", "1/2: no memory"),
            Row("standard error", f"{self.stderr:.3f}", f"from {self.interval_from}"),
            Row(f"{self.confidence * 100:g} % interval", f"{low:.3f} to {high:.3f}"),
            Row("p-value", f"{self.pvalue:.2g}", "of H = 1/2, two-sided"),
            Row("method", self.method, method_name(self)),
            Row("computed on", computed_on(self)),
            *(Row("note", "", note) for note in self.notes),
        ]

    def plot(self, ax=None):
        """Draw what was seen over scales, and what was fitted to it.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; by default on a new figure.

        Returns
        -------
        matplotlib Axes
            The axes drawn on.
        """
        from .plots import plot_scales

        return plot_scales(self, ax)


@dataclass(frozen=True, repr=False, eq=False)
class HurstTable(Result):
    """The Hurst exponent by all methods, the result of `hurst`.

    Parameters
    ----------
    results : dict of str to Hurst
        By name of the method.

    See Also
    --------
    hurst : Where it comes from.

    Notes
    -----
    On fractional Gaussian noise all methods tell the same H. Where the intervals of "ml" and
    "local_whittle" share no value, x is something else: the sentence is then that of
    "local_whittle", which looks at long times alone, and a note says what misleads the likelihood.

    Examples
    --------
    >>> from narxkit.diagnostics import hurst, make_fgn
    >>> table = hurst(make_fgn(2000, 0.7, random_state=0), method="all")
    >>> list(table.to_frame().columns)
    ['estimate', 'stderr', 'low', 'high', 'pvalue']
    """

    results: dict

    @property
    def sentence(self):
        """The result in one sentence."""
        ml, whittle = self.results["ml"], self.results["local_whittle"]
        if ml.outlier:
            return set_aside(ml.outlier, "H", self.without_outlier)
        if self.is_split:
            return (
                f"{whittle.sentence[:-1]} (local Whittle); the likelihood says "
                f"{ml.estimate:.2f}, misled by {self._misled_by[0]}."
            )
        estimates = [result.estimate for result in self.results.values()]
        return (
            f"{ml.sentence[:-1]} (likelihood); all methods say "
            f"{min(estimates):.2f} to {max(estimates):.2f}."
        )

    @property
    def without_outlier(self):
        """The table without the outlier; None where there is none, or nothing else."""
        rest = {name: result.without_outlier for name, result in self.results.items()}
        return None if None in rest.values() else HurstTable(rest)

    @property
    def is_split(self):
        """Whether the intervals of "ml" and "local_whittle" share no value."""
        (low, high), (least, most) = (
            np.clip(self.results[name].confidence_interval, *METHODS["ml"].ends)
            for name in ("ml", "local_whittle")
        )
        return bool(high < least or most < low)

    @property
    def _misled_by(self):
        """Cause of a likelihood that differs from long times: in short, and an example."""
        if self.results["ml"].estimate > self.results["local_whittle"].estimate:
            return "memory over few rows", "as that of an autoregression"
        return "noise over few rows", "as that of measurement, or by a mean that moves"

    @property
    def notes(self):
        """Notes on the figures, and the methods that make them."""
        notes = {}
        for name, result in self.results.items():
            for note in result.notes:
                is_misled = self.is_split and name not in AT_LONG_TIMES
                if not (is_misled and note in WRONG_KIND[result.kind]):
                    notes.setdefault(note, []).append(name)
        if self.is_split:
            short, example = self._misled_by
            notes[
                f"their intervals share no value: x is no fractional Gaussian noise, and 'ml' is "
                f"misled by {short}, {example}; trust 'local_whittle' and 'gph', which look at "
                "long times and are misled least"
            ] = ["ml", "local_whittle"]
        return notes

    @property
    def figures(self):
        """Lines of the table, a list of Row."""
        lines = [
            Row(
                name,
                f"{r.estimate:.3f} ({r.confidence_interval[0]:.3f} to "
                f"{r.confidence_interval[1]:.3f})",
                f"{method_name(r)}; p = {r.pvalue:.2g} of H = 1/2",
            )
            for name, r in self.results.items()
        ]
        lines.append(Row("computed on", "", computed_on(self.results["ml"])))
        for note, names in self.notes.items():
            who = "all" if len(names) == len(self.results) else ", ".join(names)
            lines.append(Row("note", who, note))
        return lines

    def to_frame(self):
        """Gather the numbers.

        Returns
        -------
        DataFrame
            One row per method: estimate, standard error, interval, p-value of H = 1/2.
        """
        rows = {
            name: (r.estimate, r.stderr, *r.confidence_interval, r.pvalue)
            for name, r in self.results.items()
        }
        columns = ["estimate", "stderr", "low", "high", "pvalue"]
        return pd.DataFrame.from_dict(rows, "index", columns=columns).rename_axis("method")

    def plot(self, ax=None):
        """Draw estimate and interval of every method beside 1/2.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; by default on a new figure.

        Returns
        -------
        matplotlib Axes
            The axes drawn on.
        """
        from .plots import plot_table

        return plot_table(self, ax)


@dataclass(frozen=True, repr=False, eq=False)
class RollingHurst(Result):
    """The Hurst exponent in moving windows, the result of `rolling_hurst`.

    Parameters
    ----------
    windows : DataFrame
        One row per window, at the label of its last row: estimate, stderr, low, high, pvalue; NaN
        where the window cannot be analysed, as when it is constant.
    window, step : int
        Rows of a window, and from one to the next.
    confidence : float
        Level of each interval.
    method : str
        Which of the methods.
    kind : {"increments", "levels"}
        Whether x was given as increments or levels.
    n : int
        Increments it was computed on.
    season : int or None
        Rows of the season whose means were subtracted first.
    order : int or None
        Order of the polynomials of "dfa".
    notes : tuple of str
        Notes on the figures, the median of H and the whole series.

    See Also
    --------
    rolling_hurst : Where it comes from.

    Examples
    --------
    >>> from narxkit.diagnostics import make_fgn, rolling_hurst
    >>> rolling = rolling_hurst(make_fgn(1000, 0.7, random_state=0), window=250, step=250)
    >>> len(rolling.windows)
    4
    """

    windows: pd.DataFrame
    window: int
    step: int
    confidence: float
    method: str
    kind: str
    n: int
    season: int | None
    order: int | None
    notes: tuple = ()

    @property
    def cut_at(self):
        """The ends of what the method can tell that H reaches, where intervals are cut."""
        return METHODS[self.method].cuts(self.windows["estimate"])

    @property
    def sentence(self):
        """The result in one sentence."""
        H = self.windows["estimate"].dropna()
        outside = np.mean(self.windows.loc[H.index, "pvalue"] < 1.0 - self.confidence)
        return (
            f"H of {self.window:,} rows goes from {H.min():.2f} to {H.max():.2f}; "
            f"{outside * 100:.0f} % of {len(H):,} windows exclude 1/2, where "
            f"{(1 - self.confidence) * 100:.2g} % would without memory."
        )

    @property
    def figures(self):
        """Lines of the table, a list of Row."""
        H = self.windows["estimate"]
        return [
            Row("median of H", f"{H.median():.3f}", f"by {method_name(self)}"),
            Row("least", f"{H.min():.3f}", f"in the window that ends at {H.idxmin()}"),
            Row("greatest", f"{H.max():.3f}", f"in the window that ends at {H.idxmax()}"),
            Row("standard error", f"{self.windows['stderr'].median():.3f}", "of each, median"),
            Row("windows", f"{len(H):,}", f"of {self.window:,} rows, {self.step:,} apart"),
            Row("computed on", "", computed_on(self)),
            *(Row("note", "", note) for note in self.notes),
        ]

    def plot(self, ax=None):
        """Draw the exponent over time with its band.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; by default on a new figure.

        Returns
        -------
        matplotlib Axes
            The axes drawn on.
        """
        from .plots import plot_rolling

        return plot_rolling(self, ax)


def set_aside(outlier, what, rest):
    """Write the sentence on a series of which one value carries the variance."""
    whose = f"{str(outlier).capitalize()}, and {what} reflects it more than the series"
    if rest is None:
        return f"{whose}: there is nothing else to analyse."
    sentence = rest.sentence[0].lower() + rest.sentence[1:]
    return f"{whose}; with the mean of all others in its place, {sentence}"


def computed_on(result):
    """Describe the values analysed."""
    words = f"{result.n:,} increments"
    if result.kind == "levels":
        words += ", the differences of x"
    if result.season is not None:
        words += f", means of a season of {result.season} rows subtracted"
    return words


def method_name(result):
    """Name the method in words, with the order of its polynomials."""
    return METHODS[result.method].name + (f" of order {result.order}" if result.order else "")
