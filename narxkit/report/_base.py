"""All reports on one series, one after the other; one that fails takes no other with it."""

from dataclasses import dataclass

import pandas as pd

from narxkit._progress import no_progress
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
from narxkit.evaluation import HELD_OUT, MAX_ITER
from narxkit.forecasters.narx import NARX
from narxkit.solvers import Stop

from ._advice import advise_on_lags, advise_on_network
from ._subject import Subject

N_HURST = 10_000  # rows, the last ones
FEWEST_HELD_OUT = 40  # rows of a network, of a short series
LEFT_OUT = "Left out: "


@dataclass(frozen=True)
class Failure:
    """A part that could not be computed, in the place of its result.

    Parameters
    ----------
    sentence : str
        Why.

    Examples
    --------
    >>> from narxkit.report import Failure
    >>> Failure("Left out: y has 144 rows, but at least 250 are needed.").figures
    ()
    """

    sentence: str
    figures = ()


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """Reports on a series.

    A part that fails is a `Failure`, and the others are there.

    Parameters
    ----------
    subject : Subject
        The values analysed.
    stochasticity : Stochasticity or Failure
        Whether it can be forecast, and from what.
    hurst : HurstTable or Failure
        The Hurst exponent by all methods, of what the report analysed: without its season, and of
        increments where there is a unit root; without a report, of the series as it is.
    lags : LagSuggestion or Failure
        Lags to begin with.
    validity : Validity, Failure or None
        A network with these lags, evaluated on rows that it has not seen.
    model : NARX or None
        This network.

    See Also
    --------
    diagnose : Makes it.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from narxkit.report import diagnose, subject_from_frame
    >>> noise = np.random.default_rng(0).normal(size=400)
    >>> diagnosis = diagnose(subject_from_frame(pd.DataFrame({"noise": noise})))  # doctest: +SKIP
    >>> diagnosis.stochasticity.verdict  # doctest: +SKIP
    'random'
    """

    subject: Subject
    stochasticity: Stochasticity | Failure
    hurst: HurstTable | Failure
    lags: LagSuggestion | Failure
    validity: Validity | Failure | None = None
    model: NARX | None = None

    @property
    def parts(self):
        """The results to show, by title."""
        is_raw = isinstance(self.stochasticity, Failure)
        of_what = ", season and trend included" if is_raw else ""
        parts = {
            self.subject.heading: self.stochasticity,
            f"Hurst exponent{of_what}": self.hurst,
            "Lags": self.lags,
        }
        return parts if self.validity is None else parts | {"Network": self.validity}

    @property
    def advice(self):
        """Sentences on what the horizon bars and what can be done, by title of the part."""
        advice = {"Lags": advise_on_lags(self.subject)}
        if isinstance(self.validity, Validity):
            advice["Network"] = advise_on_network(self.subject, self.validity)
        return advice


def diagnose(subject, model=False, random_state=0, progress=None, max_lag=None):
    """Gather all reports on a series.

    Parameters
    ----------
    subject : Subject
        The series.
    model : bool, default=False
        Whether to fit a network with the suggested lags on the first four fifths and to
        validate it on the last fifth, or on more of a short series.
    random_state : int, default=0
        Seed of the surrogates, of the network and of the random orders.
    progress : callable, default=None
        ``progress(text, done, total)`` is called as the work proceeds.
    max_lag : int, default=None
        The largest lag looked at, as in `narxkit.diagnostics.suggest_lags`.

    Returns
    -------
    Diagnosis
        The reports.

    Raises
    ------
    ValueError
        When `max_lag` is out of range, or no part can be computed.
    KeyboardInterrupt
        When Ctrl-C cut the training short: a half-trained network is not evaluated.

    Examples
    --------
    >>> from narxkit.report import diagnose, builtin_subject
    >>> from narxkit.evaluation import find_task
    >>> diagnosis = diagnose(builtin_subject(find_task("solar")))  # doctest: +SKIP
    >>> diagnosis.lags.output_lags  # doctest: +SKIP
    [1, 2, 22]
    """
    progress = progress or no_progress
    X, y = subject.X, subject.y
    report = _tried(y, stochasticity, y, random_state=random_state, progress=progress)
    season = getattr(report, "season", None)  # a failure has none
    season = season.period if season else None
    progress("Hurst exponents", 0, 1)
    # without trend and season, which would be read as memory
    analysed = y.to_numpy() if isinstance(report, Failure) else report.analysed
    exponents = _tried(y, hurst, analysed[-N_HURST:], method="all", season=season)
    progress("lags", 0, 1)
    options = {"horizon": subject.horizon, "known_ahead": subject.known_ahead}
    # a max_lag that was asked for is not left out silently: its error is raised
    if max_lag is None:
        lags = _tried(y, suggest_lags, X, y, **options)
    else:
        lags = suggest_lags(X, y, max_lag, **options)
    failures = [part for part in (report, exponents, lags) if isinstance(part, Failure)]
    # nothing to show: the first reason is that of all
    if len(failures) == 3:
        raise ValueError(failures[0].sentence.removeprefix(LEFT_OUT))
    if not model:
        return Diagnosis(subject, report, exponents, lags)
    if isinstance(lags, Failure):
        validity, network = Failure(f"{LEFT_OUT}there are no lags to train a network with."), None
    else:
        has_season = not isinstance(report, Failure) and report.has_season
        validity, network = _validate_network(
            subject, lags, season if has_season else None, random_state, progress
        )
    return Diagnosis(subject, report, exponents, lags, validity, network)


def _validate_network(subject, lags, season, random_state, progress):
    """Fit and validate a network with these lags; return both, or a failure and None."""
    X, y = subject.X, subject.y
    # the last rows, as a forecast would meet them
    n = len(y) - _n_held_out(len(y), lags)
    network = NARX(
        input_lags=lags.input_lags,
        output_lags=lags.output_lags,
        max_iter=MAX_ITER,
        random_state=random_state,
    )
    progress("network", 0, 2)
    fitted = _tried(y, network.fit, _rows(X, slice(n)), y.iloc[:n])
    if isinstance(fitted, Failure):
        return fitted, None
    # Ctrl-C ends the command, not one part of it
    if network.stop_ is Stop.INTERRUPTED:
        raise KeyboardInterrupt
    progress("validity", 1, 2)
    validity = _tried(
        y,
        validate,
        network,
        _rows(X, slice(n, None)),
        y.iloc[n:],
        horizons=subject.horizon,
        season=season,
        random_state=random_state,
    )
    return validity, None if isinstance(validity, Failure) else network


def _n_held_out(n, lags):
    """Return a fifth of the rows; of a short series enough to validate, half at most."""
    of_inputs = [lag for some in lags.input_lags.values() for lag in some]
    longest = max([0, *lags.output_lags, *of_inputs])
    # history first: the held-out rows begin a segment of their own
    return max(n // HELD_OUT, min(longest + FEWEST_HELD_OUT, n // 2))


def _tried(series, report, *args, **kwargs):
    """Call a function; where it refuses, return a failure that names the series."""
    try:
        return report(*args, **kwargs)
    # any other error is a fault of the program, which no report should hide
    except ValueError as error:
        sentence = str(error)
        if sentence.startswith(("x ", "y ")):
            sentence = f"{series.name!r}{sentence[1:]}"
        return Failure(f"{LEFT_OUT}{sentence}")


def _rows(X: pd.DataFrame | None, part):
    return None if X is None else X.iloc[part]
