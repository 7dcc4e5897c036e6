"""A model that was saved, and a table that goes on from where it was trained."""

from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import pandas as pd

from narxkit._naming import fitted_name
from narxkit._words import counted
from narxkit.export import summary
from narxkit.files import label_writer, listed
from narxkit.plotting.base import load_matplotlib
from narxkit.rows.clock import Clock

SHOWN = 7  # horizons of history in a picture


@dataclass(frozen=True, eq=False)
class Continued:
    """A forecast past the end of a table, by a model that was saved.

    Parameters
    ----------
    y_hat : DataFrame
        The forecast of each output, over the labels that follow, and behind each its intervals.
    history : DataFrame
        The measured outputs of the table.
    heading : str
        The model and what it was trained on, in a line.
    notes : tuple of str
        Sentences on how the table goes on from the rows that the model had seen.

    See Also
    --------
    continue_saved : Makes one.

    Examples
    --------
    >>> import pandas as pd
    >>> from narxkit import SeasonalNaive
    >>> from narxkit.evaluation import continue_saved
    >>> days = pd.date_range("2024-01-01", periods=21)
    >>> data = pd.DataFrame({"load": [1.0, 2, 3, 4, 5, 0, 0] * 3}, index=days)
    >>> model = SeasonalNaive(period=7).fit(None, data["load"][:14])
    >>> continue_saved(model, data, 3).heading
    'Forecast by SeasonalNaive, trained on 14 rows up to 2024-01-14'
    """

    y_hat: pd.DataFrame
    history: pd.DataFrame
    heading: str
    notes: tuple

    def plot(self):
        """Draw the forecast after its history.

        Returns
        -------
        Figure
            The figure; ``figure.savefig(path)`` writes it.

        Raises
        ------
        ImportError
            Where matplotlib is missing.
        """
        from narxkit.plotting import ForecastDisplay

        n = self.history.shape[1]
        figure = load_matplotlib("figure").Figure((11, 4 * n), dpi=150, layout="constrained")
        axes = figure.subplots(n, squeeze=False)[:, 0]
        each = self.y_hat.shape[1] // n
        for i, (name, ax) in enumerate(zip(self.history, axes)):
            history = self.history[name].iloc[-SHOWN * len(self.y_hat) :]
            forecast = self.y_hat.iloc[:, i * each : (i + 1) * each]
            ForecastDisplay.from_predictions(
                None, forecast, history=history, target=str(name), ax=ax
            )
        return figure


def continue_saved(model, data, steps=24, name="the data", level=None):
    """Take the rows of a table that a model has not seen, and forecast past their end.

    Parameters
    ----------
    model : Forecaster
        A fitted model, such as `narxkit.load` gives; it is left as it is.
    data : DataFrame
        Numbers, with a DatetimeIndex or row numbers; the columns that the model was trained with,
        and perhaps others. Inputs that are known ahead go on after the last value of the outputs.
    steps : int, default=24
        Steps to forecast.
    name : str, default="the data"
        Name of the table in errors.
    level : float or sequence of float, default=None
        Intervals around the forecast, in per cent.

    Returns
    -------
    Continued
        The forecast.

    Raises
    ------
    ValueError
        When the table has other columns or another kind of times than the model was trained with,
        ends before the last row seen, or is too short after a gap.

    Examples
    --------
    >>> import pandas as pd
    >>> from narxkit import SeasonalNaive
    >>> from narxkit.evaluation import continue_saved
    >>> days = pd.date_range("2024-01-01", periods=21)
    >>> data = pd.DataFrame({"load": [1.0, 2, 3, 4, 5, 0, 0] * 3}, index=days)
    >>> model = SeasonalNaive(period=7).fit(None, data["load"][:14])
    >>> found = continue_saved(model, data, 3)
    >>> found.y_hat["load"].tolist()
    [1.0, 2.0, 3.0]
    >>> found.notes[0]
    'The 14 rows up to 2024-01-14 have been seen before; the 7 rows after them move the model on.'
    """
    about = summary(model)
    rows = _with_times(_columns(data, about, name), about, name)
    outputs, inputs = about["outputs"], about["inputs"]
    last = rows[outputs].dropna(how="all").index
    if not len(last):
        raise ValueError(f"the columns {listed(outputs)} of {name} hold no number.")
    measured, after = rows.loc[: last[-1]], rows.loc[last[-1] :].iloc[1:]
    new, notes = _unseen(measured, about, name)
    model = deepcopy(model)
    if len(new):
        y = new[outputs[0]] if len(outputs) == 1 else new[outputs]
        model.update(new[inputs] if inputs else None, y)
    try:
        y_hat = model.forecast(steps, X=_known_ahead(after, inputs, steps), level=level)
    except ValueError as error:
        _refuse_other_step(rows, about, name, error)
        raise
    y_hat = pd.DataFrame(y_hat)
    y_hat = y_hat.set_axis(outputs, axis=1) if level is None else y_hat
    y_hat = y_hat.rename_axis(data.index.name or "row")
    write = label_writer(rows.index)
    until = "" if about["last"] is None else f" up to {write(about['last'])}"
    heading = f"Forecast by {fitted_name(model)}, trained on {counted(about['rows'], 'row')}{until}"
    return Continued(y_hat, measured[outputs], heading, tuple(notes))


def _columns(data, about, name):
    """Return the columns that a model was trained with, under the names that it knows."""
    if about["series"] is not None:
        raise ValueError(
            f"the model was trained on the series {listed(about['series'])}, and {name} is one "
            "series: use narxkit.load(...).update(X, y) with a MultiIndex (series, time)."
        )
    if about["outputs"] is None or about["inputs"] is None:
        raise ValueError(
            f"the model was trained on arrays, so that it does not know which columns of {name} "
            "are meant: train it on a DataFrame with names."
        )
    names = list(dict.fromkeys([*about["outputs"], *about["inputs"]]))
    missing = [column for column in names if str(column) not in data]
    if missing:
        raise ValueError(
            f"{name} has no column of numbers {str(missing[0])!r}, with which the model was "
            f"trained: it has {listed(data.columns)}; give a file with {listed(names)}."
        )
    return data[[str(column) for column in names]].set_axis(names, axis=1)


def _with_times(rows, about, name):
    """Return rows with times of the kind that the model has seen, or refuse another kind."""
    seen, has_times = about["seen"], isinstance(rows.index, pd.DatetimeIndex)
    if isinstance(seen, pd.Timedelta):
        raise ValueError(
            f"the model was trained on elapsed times, which {name} has not: use "
            "narxkit.load(...).update(X, y) with a TimedeltaIndex."
        )
    if has_times != (seen is not None):
        kinds = {True: "times", False: "row numbers alone"}
        raise ValueError(
            f"{name} has {kinds[has_times]}, and the model was trained on rows with "
            f"{kinds[not has_times]}: "
            + ("read it with time=False." if has_times else "give a file with a column of times.")
        )
    if isinstance(seen, pd.Period):
        return rows.set_axis(rows.index.to_period(seen.freq))
    zone = getattr(seen, "tz", None)
    if has_times and (rows.index.tz is None) != (zone is None):
        here, there = ("none", zone) if rows.index.tz is None else (rows.index.tz, "none")
        raise ValueError(
            f"the time zone of {name} is {here}, and that of the rows that the model was trained "
            f"on is {there}: give times of the same kind."
        )
    return rows if zone is None else rows.tz_convert(zone)


def _unseen(rows, about, name):
    """Return the rows that the model has not seen, and sentences on how they go on from those."""
    seen = about["seen"]
    if seen is None:
        n = counted(len(rows), "row")
        return rows, [f"Without times, the {n} of {name} are taken to follow those seen before."]
    write, new = label_writer(rows.index), rows[rows.index > seen]
    n_old, n_new = counted(len(rows) - len(new), "row"), counted(len(new), "row")
    if rows.index[-1] < seen:
        raise ValueError(
            f"{name} ends at {write(rows.index[-1])}, and the model has seen rows up to "
            f"{write(seen)}: give a file with the rows after that."
        )
    if not len(new):
        return new, [f"{name} ends where the model was trained: the forecast begins there."]
    begin = _after_gaps(new.index, seen)
    if begin is not None:
        n = counted(int((new.index >= begin).sum()), "row")
        return new, [
            f"{name} has a gap before {write(begin)}, behind {write(seen)}, the last row that the "
            f"model has seen: the forecast rests on the {n} from there on alone."
        ]
    if len(new) < len(rows):
        return new, [
            f"The {n_old} up to {write(seen)} have been seen before; the {n_new} after them move "
            "the model on."
        ]
    return new, [f"The {n_new} of {name} follow those seen before and move the model on."]


def _after_gaps(index, seen):
    """Return the first label after the last gap behind the last row seen; None without any."""
    clock = Clock.from_index(index)
    breaks = np.flatnonzero(clock.breaks(index.insert(0, seen)))
    return index[breaks[-1] - 1] if len(breaks) else None


def _known_ahead(after, inputs, steps):
    """Return the inputs that are there in all rows to forecast; None where none is."""
    future = after.iloc[:steps]
    known = [column for column in inputs if len(future) == steps and future[column].notna().all()]
    return future[known] if known else None


def _refuse_other_step(rows, about, name, error):
    """Say that the rows have another step, where that is why they are too few."""
    clock = Clock.from_index(rows.index)
    if clock is not None and about["clock"] not in (None, clock.describe()):
        raise ValueError(
            f"{name} is {clock.describe()}, and the model was trained on rows that are "
            f"{about['clock']}: give rows at that step, and as many as its lags need."
        ) from error
