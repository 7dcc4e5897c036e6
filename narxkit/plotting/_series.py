"""Series to draw: one output, its index, and the axis of time."""

import numpy as np
import pandas as pd

from narxkit._clock import has_clock
from narxkit.plotting._base import INK, SMALL, load_matplotlib
from narxkit.plotting._loops import FRAMES


def as_series(display, name, values, index):
    """A Series as it is, or an array with this index, or with one that counts from 1."""
    if isinstance(values, pd.DataFrame) and values.shape[1] == 1:
        values = values.iloc[:, 0]
    if isinstance(values, pd.Series):
        return values
    values = np.asarray(values, dtype=float)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise ValueError(
            f"{display} draws one series, but {name} has the shape {values.shape}: give one "
            "output at a time."
        )
    index = pd.RangeIndex(1, len(values) + 1) if index is None else index
    if len(index) != len(values):
        raise ValueError(
            f"{name} has {len(values)} values where {len(index)} were given beside it: give as "
            "many, or a Series with its own index."
        )
    return pd.Series(values, index=index)


def as_pair(display, y_true, y_pred):
    """Measured and predicted values of the same rows, as Series; arrays count rows from 0."""
    index = next((y.index for y in (y_true, y_pred) if isinstance(y, FRAMES)), None)
    index = pd.RangeIndex(len(y_true)) if index is None else index
    y_true = as_series(display, "y_true", y_true, index)
    y_pred = as_series(display, "y_pred", y_pred, index)
    if not y_true.index.equals(y_pred.index):
        raise ValueError(
            f"{display} compares the same rows, but the indexes of y_true and y_pred differ: give "
            "y_pred.loc[y_true.index]."
        )
    if (y_true - y_pred).notna().sum() < 2:
        raise ValueError(
            f"{display} needs at least two rows that are measured and predicted: y_true and "
            f"y_pred, of {len(y_true)} rows, share {(y_true - y_pred).notna().sum()}."
        )
    return y_true, y_pred


def as_times(index):
    """What matplotlib can draw over: the beginnings of periods, any other index as it is."""
    return index.to_timestamp() if isinstance(index, pd.PeriodIndex) else index


def points(series):
    """Where on the axes the values stand; rows of several series one after the other."""
    index = series.index
    if isinstance(index, pd.MultiIndex):
        return np.arange(len(series)), series.to_numpy()
    return as_times(index).to_numpy(), series.to_numpy()


def time_name(index, otherwise):
    """What the axis of time is called; without a clock and a name, `otherwise`."""
    if not has_clock(index):
        return otherwise if index.name is None else str(index.name)
    zone = getattr(index, "tz", None)
    return f"{index.name or 'time'}{'' if zone is None else f', {zone}'}"


def tell_time(ax, index):
    """Dates on the axis, as short as they can be, in the zone of the series."""
    if has_clock(index):
        dates, zone = load_matplotlib("dates"), getattr(index, "tz", None)
        locator = dates.AutoDateLocator(tz=zone, minticks=4, maxticks=9)
        ax.xaxis.set_major_locator(locator)
        ax.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator, tz=zone))
        ax.xaxis.get_offset_text().set(color=INK, fontsize=SMALL)
