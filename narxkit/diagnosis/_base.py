"""All reports on one series, one after the other."""

from dataclasses import dataclass

import pandas as pd

from narxkit.diagnostics import (
    HurstTable,
    LagSuggestion,
    Stochasticity,
    Validity,
    hurst,
    stochasticity,
    suggest_lags,
    validate,
)
from narxkit.narx import NARX
from narxkit.study import ALPHA, HELD_OUT, MAX_ITER

from ._advice import advise_on_lags, advise_on_network
from ._subject import Subject

N_HURST = 10_000  # rows, the last ones


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """What was found out about a series.

    Parameters
    ----------
    subject : Subject
        What was judged.
    stochasticity : Stochasticity
        Whether it can be forecast, and from what.
    hurst : HurstTable
        The Hurst exponent by all methods, of what the report judged: without its season, and of
        increments where there is a unit root.
    lags : LagSuggestion
        Lags to begin with.
    validity : Validity or None
        A network with these lags, judged on rows that it has not seen.
    model : NARX or None
        This network.

    See Also
    --------
    diagnose : Makes it.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from narxkit.diagnosis import diagnose, own_subject
    >>> noise = np.random.default_rng(0).normal(size=400)
    >>> diagnosis = diagnose(own_subject(pd.DataFrame({"noise": noise})))  # doctest: +SKIP
    >>> diagnosis.stochasticity.verdict  # doctest: +SKIP
    'random'
    """

    subject: Subject
    stochasticity: Stochasticity
    hurst: HurstTable
    lags: LagSuggestion
    validity: Validity | None = None
    model: NARX | None = None

    @property
    def parts(self):
        """The results to show, by title."""
        parts = {
            self.subject.heading: self.stochasticity,
            "Hurst exponent": self.hurst,
            "Lags": self.lags,
        }
        return parts if self.validity is None else parts | {"Network": self.validity}

    @property
    def advice(self):
        """Sentences on what the horizon bars and what can be done, by title of the part."""
        advice = {"Lags": advise_on_lags(self.subject)}
        if self.validity is not None:
            advice["Network"] = advise_on_network(self.subject, self.validity)
        return advice


def diagnose(subject, model=False, random_state=0, progress=None, max_lag=None):
    """Gather all reports on a series.

    Parameters
    ----------
    subject : Subject
        The series.
    model : bool, default=False
        Whether to fit a network with the suggested lags on the first four fifths and to judge it on
        the last fifth.
    random_state : int, default=0
        Seed of the surrogates, of the network and of the random orders.
    progress : callable, default=None
        Called with a text, the number of parts done and the number of parts.
    max_lag : int, default=None
        The largest lag looked at, as in `narxkit.diagnostics.suggest_lags`.

    Returns
    -------
    Diagnosis
        The reports.

    Raises
    ------
    ValueError
        When too few rows are complete, or `max_lag` is out of range.

    Examples
    --------
    >>> from narxkit.diagnosis import diagnose, shipped_subject
    >>> from narxkit.study import find_task
    >>> diagnosis = diagnose(shipped_subject(find_task("solar")))  # doctest: +SKIP
    >>> diagnosis.lags.output_lags  # doctest: +SKIP
    [1, 2, 22]
    """
    progress = progress or (lambda text, done, total: None)
    X, y = subject.X, subject.y
    report = stochasticity(
        y,
        random_state=random_state,
        callback=lambda done, total, name: progress(name, done, total),
    )
    progress("Hurst exponents", 0, 1)
    season = report.season.period if report.season else None
    exponents = hurst(report.judged[-N_HURST:], method="all", season=season)
    progress("lags", 0, 1)
    lags = suggest_lags(X, y, max_lag, horizon=subject.horizon, known_ahead=subject.known_ahead)
    if not model:
        return Diagnosis(subject, report, exponents, lags)
    progress("network", 0, 2)
    network = NARX(
        input_lags=lags.input_lags,
        output_lags=lags.output_lags,
        alpha=ALPHA,
        max_iter=MAX_ITER,
        random_state=random_state,
    )
    n = len(y) - len(y) // HELD_OUT
    network.fit(_rows(X, slice(n)), y.iloc[:n])
    progress("validity", 1, 2)
    validity = validate(
        network,
        _rows(X, slice(n, None)),
        y.iloc[n:],
        horizons=subject.horizon,
        season=report.season.period if report.has_season else None,
        random_state=random_state,
    )
    return Diagnosis(subject, report, exponents, lags, validity, network)


def _rows(X: pd.DataFrame | None, part):
    return None if X is None else X.iloc[part]
