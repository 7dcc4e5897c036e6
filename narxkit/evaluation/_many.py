"""Forecasts of many series in one table, past the end of each."""

from dataclasses import dataclass

import pandas as pd

from narxkit._progress import no_progress
from narxkit._words import counted
from narxkit.auto import AutoNARX
from narxkit.forecasters.baselines import ARX
from narxkit.forecasters.per_series import PerSeries
from narxkit.forecasters.scaled_per_series import ScaledPerSeries
from narxkit.rows.clock import Clock

from ._base import CELL_SETTINGS, CELLS, NETWORKS
from ._frame import default_lags, find_target

AUTO = "auto"
MODELS = {**NETWORKS, "arx": ARX}
ARCHITECTURE = "narx"  # of one model for all, where none is named


@dataclass(frozen=True, eq=False)
class ManyForecasts:
    """Forecasts of many series.

    Parameters
    ----------
    y_hat : DataFrame
        The forecast of the target and its intervals, under (series, time); NaN of series that
        cannot be fitted.
    heading : str
        How many series, and by which models, in a line.
    notes : tuple of str
        Sentences on what was left out.
    model : PerSeries or ScaledPerSeries
        What forecasts.

    See Also
    --------
    forecast_many : Makes them.

    Examples
    --------
    >>> import pandas as pd
    >>> from narxkit.evaluation import forecast_many
    >>> days = pd.date_range("2024-01-01", periods=60, name="day")
    >>> load = pd.DataFrame({"load": [1.0, 2, 3, 4, 5, 0, 0] * 8 + [1.0, 2, 3, 4]}, index=days)
    >>> panel = pd.concat({"a": load, "b": 10 * load}, names=["shop"])
    >>> forecast_many(panel, steps=2, model="arx").heading
    'Forecasts of 2 series, an ARX each'
    """

    y_hat: pd.DataFrame
    heading: str
    notes: tuple
    model: PerSeries | ScaledPerSeries


def forecast_many(
    panel,
    target=None,
    known_future=(),
    steps=24,
    model=None,
    lags=None,
    one_for_all=False,
    random_state=0,
    n_jobs=None,
    progress=no_progress,
    name="the data",
    level=None,
):
    """Fit a model to each series of a table, or one to all, and forecast past their ends.

    Parameters
    ----------
    panel : DataFrame
        Columns of numbers under a MultiIndex (series, time).
    target : str, default=None
        The column to forecast; by default the only one that is no input.
    known_future : sequence of str, default=()
        Inputs that are known ahead: they go on after the last value of the target.
    steps : int, default=24
        Steps to forecast.
    model : str, default=None
        ``"auto"``, ``"narx"``, ``"arx"``, ``"tdnn"``, ``"elman"``, ``"gru"`` or ``"lstm"``; by
        default an AutoNARX each, or a NARX for all.
    lags : int or sequence of int, default=None
        Lags of the target; by default a season of the clock.
    one_for_all : bool, default=False
        Whether one model learns from all series, each scaled by itself.
    random_state : int, default=0
        Seed of the networks.
    n_jobs : int, default=None
        Fits at once.
    progress : callable, default=no_progress
        ``progress(text, done, total)``.
    name : str, default="the data"
        Name of the table in errors.
    level : float or sequence of float, default=None
        Intervals that hold so many per cent of what comes: columns beside the forecast.

    Returns
    -------
    ManyForecasts
        The forecasts.

    Raises
    ------
    ValueError
        When a column is not there, inputs end too early, or no series can be fitted.

    Examples
    --------
    >>> import pandas as pd
    >>> from narxkit.evaluation import forecast_many
    >>> days = pd.date_range("2024-01-01", periods=60, name="day")
    >>> load = pd.DataFrame({"load": [1.0, 2, 3, 4, 5, 0, 0] * 8 + [1.0, 2, 3, 4]}, index=days)
    >>> panel = pd.concat({"a": load, "b": 10 * load}, names=["shop"])
    >>> found = forecast_many(panel, steps=2, model="arx", lags=7)
    >>> found.y_hat["load"].round(1).tolist()
    [5.0, 0.0, 50.0, 0.0]
    """
    known_future = list(known_future)
    target = find_target(panel, target, known_future, name)
    measured, after = _split(panel, target)
    forecaster = _forecaster(model, lags, steps, measured, known_future, one_for_all, random_state)
    if one_for_all:
        fitted = ScaledPerSeries(forecaster)
        progress(f"fitting {counted(len(measured), 'row')}", 0, 1)
    else:
        fitted = PerSeries(forecaster, n_jobs=n_jobs, progress=progress)
    X = measured[known_future] if known_future else None
    fitted.fit(X, measured[target])
    future = _known(after, known_future, steps, measured, name)
    y_hat = fitted.forecast(steps, X=future, **({} if level is None else {"level": level}))
    kind, n = type(forecaster).__name__, measured.index.get_level_values(0).nunique()
    article = "an" if kind[0] in "AEL" else "a"
    how = f"one {kind} for all" if one_for_all else f"{article} {kind} each"
    heading = f"Forecasts of {n:,} series, {how}"
    y_hat = pd.DataFrame(y_hat)  # a Series without intervals
    return ManyForecasts(y_hat, heading, tuple(_notes(panel, measured)), fitted)


def _split(panel, target):
    """Return the rows up to the last value of the target in each series, and those after."""
    is_measured = panel[target].notna()
    comes = is_measured[::-1].groupby(level=0, sort=False).cummax()[::-1].astype(bool)
    if not comes.any():
        raise ValueError(f"the column {target!r} holds no number.")
    return panel[comes], panel[~comes]


def _forecaster(model, lags, steps, measured, known_future, one_for_all, random_state):
    """Return the forecaster that is cloned for each series, or learns from all."""
    if model == AUTO and one_for_all:
        raise ValueError(
            "AutoNARX chooses for each series by itself: leave out one_for_all=True, or name "
            "another model."
        )
    if model in (None, AUTO) and not one_for_all:
        return AutoNARX(horizon=steps, random_state=random_state)
    model, options = model or ARCHITECTURE, {}
    if model == "tdnn" and not known_future:
        raise ValueError(
            "a TDNN forecasts from inputs alone: name some by known_future=, or choose narx or arx."
        )
    if model != "tdnn":
        options["output_lags"] = default_lags(_season(measured)) if lags is None else lags
    if model != "arx":
        options["random_state"] = random_state
    if known_future:
        options["input_lags"] = 1
    settings = CELL_SETTINGS if model in CELLS else {}
    return MODELS[model](**options, **settings)


def _season(measured):
    """Return the season of the longest series; 1 where rows are numbered."""
    if not isinstance(measured.index.levels[1], pd.DatetimeIndex):
        return 1
    longest = measured.groupby(level=0).size().idxmax()
    return Clock.from_index(measured.loc[longest].index).season()


def _known(after, known_future, steps, measured, name):
    """Return the inputs of the rows to forecast; None without any."""
    if not known_future:
        return None
    counts = after.groupby(level=0, sort=False).size()
    counts = counts.reindex(measured.index.unique(level=0), fill_value=0)
    short = counts[counts < steps]
    if len(short):
        raise ValueError(
            f"{len(short)} series of {name} have fewer than {steps} rows after their last value of "
            f"the target, the first {short.index[0]!r} with {short.iloc[0]}: add rows that hold "
            "the inputs and an empty target, or take a smaller horizon."
        )
    rows = after[after.index.get_level_values(0).isin(counts.index)]
    return rows.groupby(level=0, sort=False).head(steps)[known_future]


def _notes(panel, measured):
    """Name the series that hold no value of the target at all."""
    empty = panel.index.unique(level=0).difference(measured.index.unique(level=0), sort=False)
    if len(empty):
        verb = "holds" if len(empty) == 1 else "hold"
        yield f"{len(empty)} series {verb} no value to learn from, the first {empty[0]!r}."
