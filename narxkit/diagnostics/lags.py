"""Which lags tell something about the next value: a suggestion and what it rests on.

Four looks at the same candidates, the taps y_{t-k} and u_{t-k}: partial autocorrelation of y,
cross-correlation of prewhitened series, orthogonal least squares with error-reduction ratios, and
the mutual information of what these leave. Least squares and information decide; the correlations,
which each look at one series alone, stand beside them.
"""

from dataclasses import dataclass
from numbers import Integral

import numpy as np
import pandas as pd

from narxkit.diagnostics._evidence import (
    cross_correlation,
    cut,
    error_reduction,
    information_band,
    information_criterion,
    mutual_information,
    nonlinear_taps,
    partial_autocorrelation,
    residual,
)
from narxkit.diagnostics._lag_plot import LagPicture
from narxkit.diagnostics._result import Figure, Result
from narxkit.diagnostics._series import read_series

__all__ = ["LagSuggestion", "suggest_lags"]

TWO_SIDED = 1.959964  # standard errors of a 95 % band
N_MIN = 30  # complete rows
MAX_LAG = 48
ROWS_PER_LAG = 5  # where no max_lag is given
ROWS_PER_TAP = 4  # that can be chosen


@dataclass(frozen=True, repr=False, eq=False)
class LagSuggestion(Result):
    """What `suggest_lags` found.

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
        Share of the variance of y that least squares on the lags of `chosen_by` "ERR" explain, one
        step ahead.
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
    >>> lags.to_frame().query("chosen")[["column", "lag", "chosen_by"]].to_string(index=False)
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
        """What came out, in one sentence."""
        if not self.found:
            return (
                f"Nothing in the last {self.max_lag} rows tells anything about the next y: "
                "output_lags=[1] is the least that a network takes, and not worth its weight."
            )
        n_inputs = sum(map(len, self.input_lags.values()))
        return (
            f"{len(self.output_lags)} lags of y and {n_inputs} of the inputs tell something: "
            f"a linear model on them explains {self.explained:.1%} of the variance one step ahead."
        )

    @property
    def figures(self):
        """The lags, and what each look at the series found."""
        chosen = self.evidence[self.evidence["chosen"]]
        by_information = chosen[chosen["chosen_by"] == "information"]
        lags = [Figure("output_lags", str(self.output_lags), "of y")]
        lags += [
            Figure("input_lags", str(lags), f"of {column}")
            for column, lags in self.input_lags.items()
        ]
        return [
            *lags,
            Figure(
                "error reduction",
                f"{self.explained:.1%}",
                f"of the variance, by least squares on {sum(chosen['chosen_by'] == 'ERR')} taps",
            ),
            Figure(
                "mutual information",
                _names(by_information) or "nothing more",
                "nonlinear: seen in what least squares leave",
            ),
            *self._correlations(),
            Figure("rows", f"{self.n:,}", f"complete; {self.n_dropped:,} more miss a value"),
        ]

    def _correlations(self):
        """Lags beyond the band of the correlations, for y and each input."""
        outputs = self.evidence["kind"] == "output"
        yield Figure(
            "partial autocorrelation",
            self._beyond(self.evidence[outputs], "pacf"),
            f"lags of y beyond {self.band:.3f}, the five largest",
        )
        for column, order in self.orders.items():
            yield Figure(
                "cross-correlation",
                self._beyond(self.evidence[~outputs & (self.evidence["column"] == column)], "ccf"),
                f"lags of {column}, the same; prewhitened by an AR({order})",
            )

    def _beyond(self, rows, kind):
        sizes = rows[kind].abs()
        beyond = rows[sizes > self.band].assign(size=sizes).nlargest(5, "size")["lag"]
        return ", ".join(map(str, sorted(beyond))) or "none"

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
            - "information", the mutual information with what least squares leave, in nats, and
              "information_band";
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
            What was drawn on.
        """
        return LagPicture(self).plot(ax)


def suggest_lags(X, y, max_lag=None, horizon=1, known_ahead=None):
    r"""Suggest lags for a network, with the evidence for them.

    Candidates are y_{t-k} for k = 1..max_lag and u_{t-k} for k = 0..max_lag of each input. They
    are chosen in two steps.

    1. Orthogonal least squares take the candidates one after the other, each time the one with the
       largest error-reduction ratio

       .. math::

           \mathrm{ERR}_i = \frac{(w_i^T y)^2}{w_i^T w_i \; y^T y}

       (w_i: tap i without its part in the taps already taken) and as many of them as give the
       least n log(1 - sum ERR) + k log n + 2 k log p, the extended Bayesian information criterion
       of k taps among p. Seasonal lags are candidates like all others.
    2. Of what they leave, mutual information with each candidate is compared with its largest
       value at 200 shifts too far to matter. A candidate beyond it counts if a cubic of it lowers
       the same criterion; its part is taken away before the next one is judged. So a lag that acts
       by its square is found, and one that tells only how far y strays is not.

    The suggestion is the union. Partial autocorrelations of y and cross-correlations of
    prewhitened series are given beside it and decide nothing.

    Parameters
    ----------
    X : DataFrame, array-like of shape (n, n_inputs) or None
        Inputs; None for a network of y alone.
    y : Series or array-like of shape (n,)
        Output. Rows follow each other at equal distances: jumps of a clock are not looked for.
    max_lag : int, default=None
        The largest lag looked at; by default 48, or a fifth of the rows where they are fewer.
    horizon : int, default=1
        Steps that are to be forecast. Inputs that are not known ahead get lags from there on.
    known_ahead : sequence, default=None
        Columns of X, by name or position, that are known for the time to be forecast; by default
        all are.

    Returns
    -------
    LagSuggestion
        Frozen; ``input_lags`` and ``output_lags`` go into NARX as they are.

    Raises
    ------
    ValueError
        When y or a column of X is constant, infinite or of the wrong shape, their rows differ, a
        lag, horizon or column is out of range, or too few rows are complete.

    See Also
    --------
    narxkit.NARX : Takes the lags.

    Notes
    -----
    A row is used where y and all candidates are there: with gaps strewn over many lags that can be
    few, and the result says how many. Both steps look one step ahead and at one candidate at a
    time beside those chosen: two inputs that act by their product alone, each with mean zero, are
    not seen. What is suggested is a start, to be compared with others by `narxkit.backtest`.

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
    y_name, y, inputs = _read(X, y)
    max_lag = _read_max_lag(max_lag, len(y))
    first = _first_lags(inputs, horizon, known_ahead, max_lag)
    evidence = _candidates(y_name, first, max_lag)
    taps, target = _table(evidence, y, inputs, max_lag)
    orders = _correlate(evidence, y, inputs, max_lag)
    explained = _judge(evidence, taps, target, max_lag)
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
        n_dropped=len(y) - max_lag - len(target),
    )


def _read(X, y):
    """The name of y, its values, and those of each input by name or position."""
    name = getattr(y, "name", None)
    if isinstance(X, pd.DataFrame | pd.Series) and isinstance(y, pd.DataFrame | pd.Series):
        if len(X) == len(y) and not X.index.equals(y.index):
            raise ValueError(
                "X and y have the same number of rows, but their indexes differ: give both for "
                "the same times."
            )
    y = read_series(y, N_MIN, "y", allow_nan=True)
    if X is None:
        return "y" if name is None else name, y, {}
    table = X if isinstance(X, pd.DataFrame) else pd.DataFrame(_as_table(X))
    if len(table) != len(y):
        raise ValueError(
            f"X has {len(table)} rows and y has {len(y)}: give one row of X for each of y."
        )
    if not table.columns.is_unique:
        raise ValueError(f"X has two columns of one name among {list(table)}: rename one of them.")
    inputs = {c: read_series(table[c], N_MIN, f"X[{c!r}]", allow_nan=True) for c in table}
    return "y" if name is None else name, y, inputs


def _as_table(X):
    X = np.asarray(X)
    if X.ndim != 2:
        raise ValueError(
            f"X must be a table of shape (n, n_inputs). Got shape {X.shape} instead: give a "
            "single input as X[:, None]."
        )
    return X


def _read_max_lag(max_lag, n):
    most = n - N_MIN
    if max_lag is None:
        return min(MAX_LAG, n // ROWS_PER_LAG)
    _check_count("max_lag", max_lag)
    if max_lag > most:
        raise ValueError(
            f"max_lag={max_lag} leaves {max(n - max_lag, 0)} of {n} rows with their history, but "
            f"at least {N_MIN} are needed: give a longer series or a max_lag of at most {most}."
        )
    return int(max_lag)


def _check_count(name, value):
    if not isinstance(value, Integral) or isinstance(value, bool | np.bool_) or value < 1:
        raise ValueError(f"{name} must be an int >= 1. Got {value!r} instead.")


def _first_lags(inputs, horizon, known_ahead, max_lag):
    """The smallest lag of each input: 0, or the horizon for what is not known ahead."""
    _check_count("horizon", horizon)
    known = list(inputs if known_ahead is None else known_ahead)
    unknown = [column for column in known if column not in inputs]
    if unknown:
        raise ValueError(
            f"known_ahead names the columns {unknown}, but X has the columns {list(inputs)}: "
            "correct the names."
        )
    first = {column: 0 if column in known else int(horizon) for column in inputs}
    if max(first.values(), default=0) > max_lag:
        raise ValueError(
            f"horizon={horizon} is beyond max_lag={max_lag}, so that inputs not known ahead have "
            "no lag left: give a larger max_lag, or leave them out."
        )
    return first


def _candidates(y_name, first, max_lag):
    """A frame of kind, column and lag of each tap to look at."""
    taps = [("output", y_name, lag) for lag in range(1, max_lag + 1)]
    taps += [("input", c, lag) for c in first for lag in range(first[c], max_lag + 1)]
    return pd.DataFrame(taps, columns=["kind", "column", "lag"])


def _table(candidates, y, inputs, max_lag):
    """Standardised taps (p, n) and centred target (n,) of the rows that miss nothing."""
    n = len(y)
    taps = np.empty((len(candidates), n - max_lag))
    for tap, (kind, column, lag) in zip(taps, candidates.itertuples(index=False)):
        values = y if kind == "output" else inputs[column]
        tap[:] = values[max_lag - lag : n - lag]
    target = y[max_lag:]
    complete = np.isfinite(target) & np.isfinite(taps).all(axis=0)
    if complete.sum() < N_MIN:
        raise ValueError(
            f"{complete.sum()} of {n - max_lag} rows have y and all candidates up to lag "
            f"{max_lag}, the others miss a value (NaN), but at least {N_MIN} are needed: fill the "
            "gaps or give a smaller max_lag."
        )
    taps, target = taps[:, complete], target[complete]
    taps -= taps.mean(axis=1, keepdims=True)
    spread = taps.std(axis=1, keepdims=True)
    taps /= np.where(spread > 0, spread, 1.0)
    return taps, target - target.mean()


def _correlate(evidence, y, inputs, max_lag):
    """Add the correlations to the evidence; the orders of the autoregressions of the inputs."""
    evidence[["pacf", "ccf"]] = np.nan
    is_output, orders = evidence["kind"] == "output", {}
    evidence.loc[is_output, "pacf"] = partial_autocorrelation(y, max_lag)
    for column, u in inputs.items():
        of_input = ~is_output & (evidence["column"] == column)
        correlations, orders[column] = cross_correlation(u, y, max_lag)
        evidence.loc[of_input, "ccf"] = correlations[evidence.loc[of_input, "lag"]]
    return orders


def _judge(evidence, taps, target, max_lag):
    """Add what decides, and the decision, to the evidence; the variance explained by ERR."""
    p, n = taps.shape
    order, ratios = error_reduction(taps, target, min(p, n // ROWS_PER_TAP))
    explained = np.cumsum([row[i] for row, i in zip(ratios, order)])
    worth = np.concatenate([[0.0], information_criterion(explained, n, p, n_weights=1)])
    n_taken = int(np.argmin(worth))
    taken = order[:n_taken]
    evidence["err"] = ratios[n_taken]
    evidence.loc[taken, "err"] = ratios[np.arange(n_taken), taken]
    left = residual(taps[taken], target)
    bins = np.array([cut(tap) for tap in taps])
    evidence["information"] = mutual_information(bins, left)
    evidence["information_band"] = np.nan
    for _, rows in evidence.groupby(["kind", "column"], sort=False):
        band = information_band(bins[rows.index[0]], left, max_lag)
        evidence.loc[rows.index, "information_band"] = band
    found = nonlinear_taps(taps, bins, left, *evidence[["information", "information_band"]].T.values)
    evidence["chosen_by"] = ""
    evidence.loc[found, "chosen_by"] = "information"
    evidence.loc[taken, "chosen_by"] = "ERR"
    evidence.insert(evidence.shape[1] - 1, "chosen", evidence["chosen_by"] != "")
    return float(explained[n_taken - 1]) if n_taken else 0.0


def _lags_of(chosen, kind, column):
    return chosen.loc[(chosen["kind"] == kind) & (chosen["column"] == column), "lag"].tolist()


def _names(rows):
    """Taps such as "u[t-2]"."""
    return ", ".join(f"{column}[t{-lag if lag else ''}]" for column, lag in zip(rows["column"], rows["lag"]))
