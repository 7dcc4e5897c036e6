"""Lags that tell something about the next value: a suggestion and its evidence.

Four looks at the same candidates, the taps y_{t-k} and u_{t-k}: partial autocorrelation of y,
cross-correlation of prewhitened series, orthogonal least squares with error-reduction ratios, and
the mutual information of what these leave. Least squares and information decide; the correlations,
which each look at one series alone, stand beside them.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from narxkit.diagnostics._lags.data import (
    check_min_gain,
    first_lags,
    leave_out_constants,
    list_candidates,
    read_both,
    read_max_lag,
    tabulate,
)
from narxkit.diagnostics._lags.evidence import (
    Criterion,
    cross_correlation,
    cut,
    error_reduction,
    information_band,
    mutual_information,
    needed_taps,
    nonlinear_taps,
    partial_autocorrelation,
    residual,
)
from narxkit.diagnostics._lags.plot import LagPicture, column_name
from narxkit.diagnostics._result import Result, Row

__all__ = ["LagSuggestion", "suggest_lags"]

TWO_SIDED = 1.959964  # standard errors of a 95 % band
ROWS_PER_TAP = 4  # that can be chosen


@dataclass(frozen=True, repr=False, eq=False)
class LagSuggestion(Result):
    """Lags and the evidence for them, the result of `suggest_lags`.

    Parameters
    ----------
    input_lags : dict
        Lags of each column of X, by name or position, as NARX takes them; ``[]`` leaves a column
        out. Empty without X.
    output_lags : list of int
        Lags of y, as NARX takes them.
    evidence : DataFrame
        One row for each candidate; see `to_frame`.
    found : bool
        Whether any lag tells something; without one, ``output_lags`` is ``[1]``.
    explained : float
        Share of the variance of y that these lags explain one step ahead, in the rows looked at,
        linearly or as cubics.
    band : float
        Correlations of white noise stay below it 95 times in 100.
    orders : dict
        Order of the autoregression that prewhitens each column of X.
    n : int
        Rows that least squares and mutual information were computed on.
    n_dropped : int
        Rows that have the history but miss a value.

    See Also
    --------
    suggest_lags : Where it comes from.

    Examples
    --------
    >>> from narxkit.datasets import make_narendra
    >>> from narxkit.diagnostics import suggest_lags
    >>> lags = suggest_lags(*make_narendra(500, random_state=0), max_lag=4)
    >>> lags.input_lags, lags.output_lags
    ({0: [1, 2]}, [1])
    """

    input_lags: dict
    output_lags: list
    evidence: pd.DataFrame
    found: bool
    explained: float
    band: float
    orders: dict
    n: int
    n_dropped: int

    @property
    def max_lag(self):
        """The largest lag looked at."""
        return int(self.evidence["lag"].max())

    @property
    def sentence(self):
        """The result in one sentence."""
        if not self.found:
            inputs = self.evidence[self.evidence["kind"] == "input"]
            late = inputs.groupby("column")["lag"].min().max() if len(inputs) else 0
            of_inputs = f", of inputs from lag {late} on," if late > 0 else ""
            return (
                f"Nothing in the last {self.max_lag} rows{of_inputs} tells anything about the next "
                "y: "
                "output_lags=[1] is the least that a network takes, and not worth its weight."
            )
        n_inputs = sum(map(len, self.input_lags.values()))
        return (
            f"{_count(len(self.output_lags))} of y and {_count(n_inputs)} of the inputs tell "
            f"something: they explain {self.explained:.1%} of the variance one step ahead."
        )

    @property
    def figures(self):
        """The lags, and what each look at the series found."""
        by = {
            kind: self.evidence[self.evidence["chosen_by"] == kind]
            for kind in ("ERR", "information")
        }
        lags = [Row("output_lags", str(self.output_lags), "of y")]
        lags += [
            Row("input_lags", str(lags), f"of {column_name(column)}")
            for column, lags in self.input_lags.items()
        ]
        return [
            *lags,
            Row("error reduction", f"{len(by['ERR'])} taps", "taken by least squares"),
            Row("mutual information", _names(by["information"]), "seen in what these leave"),
            *self._correlations(),
            Row("rows", f"{self.n:,}", f"complete; {self.n_dropped:,} more miss a value"),
        ]

    def _correlations(self):
        """Yield the lags beyond the band of the correlations, for y and each input."""
        outputs = self.evidence["kind"] == "output"
        yield Row(
            "partial autocorrelation",
            self._beyond(self.evidence[outputs], "pacf"),
            f"lags of y beyond {self.band:.3f}, the five largest",
        )
        for column, order in self.orders.items():
            yield Row(
                "cross-correlation",
                self._beyond(self.evidence[~outputs & (self.evidence["column"] == column)], "ccf"),
                f"lags of {column_name(column)}, the same; prewhitened by an AR({order})",
            )

    def _beyond(self, rows, kind):
        sizes = rows[kind].abs().set_axis(rows["lag"])
        return ", ".join(map(str, sorted(sizes[sizes > self.band].nlargest(5).index))) or "none"

    def to_frame(self):
        """Give the evidence, one row per candidate.

        Returns
        -------
        DataFrame
            With the columns

            - "kind" ("output" or "input"), "column" and "lag";
            - "pacf", of outputs, and "ccf", of inputs, prewhitened; to compare with `band`;
            - "err", the error-reduction ratio: of a tap that least squares took, when it was
              taken, of another one beside all that were;
            - "information", the mutual information with what least squares leave, in nats, or
              for a tap that counts when it was found to; and "information_band";
            - "chosen", and "chosen_by" ("ERR", "information" or "").
        """
        return self.evidence.copy()

    def plot(self, ax=None):
        """Draw the evidence over the lags.

        Each series has a lane: correlations rise above its line, mutual information hangs below,
        both as square roots and beside their bands; lags that are suggested are marked.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; by default on a new figure.

        Returns
        -------
        matplotlib Axes
            The axes drawn on.
        """
        return LagPicture(self).plot(ax)


def suggest_lags(X, y, max_lag=None, *, max_lead=0, horizon=1, known_ahead=None, min_gain=0.001):
    r"""Suggest lags for a network, with the evidence for them.

    Candidates are y_{t-k} for k = 1..max_lag and u_{t-k} for k = -max_lead..max_lag of each input.
    They are chosen in three steps.

    1. Orthogonal least squares take one candidate after the other, each time the one with the
       largest error-reduction ratio

       .. math::

           \mathrm{ERR}_i = \frac{(w_i^T y)^2}{w_i^T w_i \; y^T y}

       (w_i: tap i without its part in the taps already taken; of ratios within 1 % of the largest
       the one with the least lag), and as many of them as give the least

       .. math::

           n \log(1 - R^2) + \max(k \log n + 2 m \log p, \; n m g)

       for m taps among p with k weights: the extended Bayesian information criterion, which over
       many rows also asks of each tap that it lower the variance left by a share g, `min_gain`.
       Seasonal lags are candidates like all others.
    2. Of what they leave, mutual information with each candidate is compared with its largest
       value at 200 shifts too far to matter. A candidate beyond it counts if a cubic of it lowers
       the same criterion; its part is removed before the next one is analysed. So a lag that acts
       by its square is found, and one that tells only how far y strays is not.
    3. The union, those of step 2 as cubics, is one model, and what it can do without by the same
       criterion is dropped: taps that stood in for others.

    Partial autocorrelations of y and cross-correlations of prewhitened series are given beside it
    and decide nothing.

    Parameters
    ----------
    X : DataFrame, array-like of shape (n, n_inputs) or None
        Inputs; None for a network of y alone.
    y : Series or array-like of shape (n,)
        Output. Rows follow each other at equal distances: jumps of a clock are not looked for.
    max_lag : int, default=None
        The largest lag looked at; by default 48 or twice the horizon, whichever is more, but at
        most a fifth of the rows.
    max_lead : int, default=0
        The largest lead looked at, of inputs that are known ahead: what is planned for the rows
        after its own can tell something too. NARX takes a lead as a negative lag, and then needs so
        many rows of X more.
    horizon : int, default=1
        Steps that are to be forecast. Inputs that are not known ahead get lags from there on.
    known_ahead : sequence, default=None
        Columns of X, by name or position, that are known for the time to be forecast; by default
        all are.
    min_gain : float, default=0.001
        The share by which a lag has to lower the variance that is left one step ahead, however many
        the rows. What gains little there can gain much several steps ahead.

    Returns
    -------
    LagSuggestion
        Frozen; ``input_lags`` and ``output_lags`` go into NARX as they are.

    Raises
    ------
    ValueError
        When y is constant, y or a column of X is infinite or of the wrong shape, their rows or
        labels differ, a lag, horizon or column is out of range, or too few rows are complete.

    Warns
    -----
    UserWarning
        When a column of X is constant: it gets no lags.

    See Also
    --------
    narxkit.NARX : Takes the lags.

    Notes
    -----
    A row is used where y and all candidates are there: with gaps strewn over many lags that can be
    few, and the result says how many. All steps look one step ahead and at one candidate at
    a time beside those chosen: two inputs that act by their product alone, each with mean zero, are
    not seen. What is suggested is a start, to be compared with others by `narxkit.backtest`.

    Of several outputs each is asked for by itself, with the others in `X` and not in `known_ahead`;
    a network of all of them takes one ``output_lags``, the union of theirs.

    References
    ----------
    Billings, Chen and Korenberg 1989, "Identification of MIMO non-linear systems using a
    forward-regression orthogonal estimator", International Journal of Control 49, 2157-2189; Chen
    and Chen 2008, "Extended Bayesian information criteria for model selection with large model
    spaces", Biometrika 95, 759-771; Box and Jenkins 1970, "Time series analysis: forecasting and
    control", chapter 11.

    Examples
    --------
    The square of an input, two rows ago, is seen by mutual information alone:

    >>> import numpy as np
    >>> from narxkit import NARX
    >>> from narxkit.diagnostics import suggest_lags
    >>> u, e = np.random.default_rng(0).normal(size=(2, 600))
    >>> y = np.roll(u, 2) ** 2 + 0.5 * e
    >>> lags = suggest_lags(u[:, None], y, max_lag=6)
    >>> lags.input_lags, lags.output_lags
    ({0: [2]}, [])
    >>> model = NARX(input_lags=lags.input_lags, output_lags=lags.output_lags)
    """
    y_name, y, inputs = read_both(X, y)
    max_lag = read_max_lag(max_lag, max_lead, len(y), horizon)
    first = first_lags(inputs, horizon, known_ahead, max_lag, max_lead)
    varying = leave_out_constants(inputs)
    evidence = list_candidates(y_name, {c: first[c] for c in varying}, max_lag)
    check_min_gain(min_gain)
    taps, target = tabulate(evidence, y, varying, max_lag, max_lead)
    orders = _correlate(evidence, y, varying, max_lag, max_lead)
    explained = _assess(evidence, taps, target, max_lag + max_lead, min_gain)
    chosen = evidence[evidence["chosen"]]
    return LagSuggestion(
        input_lags={column: _lags_of(chosen, "input", column) for column in inputs},
        output_lags=_lags_of(chosen, "output", y_name) if len(chosen) else [1],
        evidence=evidence,
        found=len(chosen) > 0,
        explained=explained,
        band=float(TWO_SIDED / np.sqrt(np.isfinite(y).sum())),
        orders=orders,
        n=len(target),
        n_dropped=len(y) - max_lag - max_lead - len(target),
    )


def _correlate(evidence, y, inputs, max_lag, max_lead):
    """Add the correlations to the evidence; return the inputs' autoregressive orders."""
    evidence[["pacf", "ccf"]] = np.nan
    is_output, orders = evidence["kind"] == "output", {}
    evidence.loc[is_output, "pacf"] = partial_autocorrelation(y, max_lag)
    for column, u in inputs.items():
        of_input = ~is_output & (evidence["column"] == column)
        correlations, orders[column] = cross_correlation(u, y, max_lag, max_lead)
        evidence.loc[of_input, "ccf"] = correlations[evidence.loc[of_input, "lag"] + max_lead]
    return orders


def _assess(evidence, taps, target, reach, min_gain):
    """Add scores and decisions to the evidence; return the share of variance explained."""
    p, n = taps.shape
    criterion = Criterion(n, p, min_gain)
    taken, evidence["err"] = _take(taps, evidence["lag"].to_numpy(), target, criterion)
    left = residual(taps[taken], target)
    bins = np.array([cut(tap) for tap in taps])
    information = mutual_information(bins, left)
    band = np.empty(p)
    for _, rows in evidence.groupby(["kind", "column"], sort=False):
        # one band for each series: its memory is in it, and lags share it
        band[rows.index] = information_band(bins[rows.index[0]], left, reach)
    found = nonlinear_taps(taps, bins, left, information, band, criterion)
    kept, explained = needed_taps(taps, target, taken, [*found], criterion)
    # of a tap that counts as it was when it was taken, not beside itself
    information[[*found]] = [*found.values()]
    by = np.full(p, "", dtype=object)
    by[[i for i in kept if i in found]] = "information"
    # a tap that both found is attributed to the simpler
    by[[i for i in kept if i in taken]] = "ERR"
    evidence["information"], evidence["information_band"] = information, band
    evidence["chosen"], evidence["chosen_by"] = by != "", by
    return explained


def _take(taps, lags, target, criterion):
    """Select taps by orthogonal least squares; return them and the ratios of all candidates."""
    n_max = min(criterion.p, criterion.n // ROWS_PER_TAP)
    order, ratios = error_reduction(taps, lags, target, n_max)
    when, steps = np.arange(len(order)), np.arange(len(order) + 1)
    explained = np.concatenate([[0.0], np.cumsum(ratios[when, order])])
    n_taken = int(np.argmin(criterion(explained, steps, steps)))
    taken, at_the_end = order[:n_taken], ratios[n_taken]
    # a tap that was taken has nothing left at the end: its ratio is that at its choice
    at_the_end[taken] = ratios[when[:n_taken], taken]
    return taken, at_the_end


def _lags_of(chosen, kind, column):
    return chosen.loc[(chosen["kind"] == kind) & (chosen["column"] == column), "lag"].tolist()


def _names(rows):
    """Format taps such as "u[t-2]"."""
    shifts = [f"{-lag:+d}" if lag else "" for lag in rows["lag"]]
    taps = [f"{column_name(c)}[t{shift}]" for c, shift in zip(rows["column"], shifts)]
    return ", ".join(taps) or "none"


def _count(n_lags):
    return "1 lag" if n_lags == 1 else f"{n_lags} lags"
