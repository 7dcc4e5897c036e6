"""Series to draw: one output, its index, and the axis of time."""

import numpy as np
import pandas as pd

from narxkit._words import counted
from narxkit.plotting.base import GREY, INK, LETTER, SMALL, load_matplotlib
from narxkit.plotting.loops import FRAMES
from narxkit.rows.labels import has_clock, read_labels
from narxkit.rows.masks import unmasked

LONGEST_NAME = 24  # letters, of a series of a panel


def as_series(display, name, values, index):
    """Return a Series as it is, or an array with this index, or with one that counts from 1."""
    if isinstance(values, pd.DataFrame) and values.shape[1] == 1:
        values = values.iloc[:, 0]
    if isinstance(values, pd.Series):
        return values.set_axis(read_labels(values.index, name))
    values = np.asarray(unmasked(values), dtype=float)
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
            f"{name} has {counted(len(values), 'value')} where {len(index):,} were given beside "
            "it: give as many, or a Series with its own index."
        )
    return pd.Series(values, index=read_labels(index, name))


def as_pair(display, y_true, y_pred):
    """Pair measured and predicted values as Series; arrays count rows from 0."""
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
            f"y_pred, of {counted(len(y_true), 'row')}, share {(y_true - y_pred).notna().sum()}."
        )
    return y_true, y_pred


def as_times(index):
    """Give matplotlib beginnings of periods, hours of elapsed times, and any other index itself."""
    if isinstance(index, pd.TimedeltaIndex):
        return index / pd.Timedelta(hours=1)
    return index.to_timestamp() if isinstance(index, pd.PeriodIndex) else index


def points(series):
    """Place values on the axes; series one after the other, with a gap (NaN) between."""
    index, values = series.index, series.to_numpy()
    if not isinstance(index, pd.MultiIndex):
        return as_times(index).to_numpy(), values
    # rows of a panel may alternate between series: each is drawn whole
    codes, _, ends = _of_panel(index)
    gaps = ends[:-1]
    rows, values = np.arange(len(values)), values[np.argsort(codes, kind="stable")]
    return np.insert(rows.astype(float), gaps, gaps - 0.5), np.insert(values, gaps, np.nan)


def _of_panel(index):
    """Number the series of each row; return their names and where each ends, too."""
    codes, names = pd.factorize(index.get_level_values(0))
    return codes, names, np.cumsum(np.bincount(codes))


def time_name(index, otherwise):
    """Name the axis of time; without a clock and a name, `otherwise`."""
    if isinstance(index, pd.MultiIndex):
        return f"rows of each {index.names[0] or 'series'}, one after the other"
    if isinstance(index, pd.TimedeltaIndex):
        return f"{index.name or 'elapsed time'}, hours"
    if not has_clock(index):
        return otherwise if index.name is None else str(index.name)
    zone = getattr(index, "tz", None)
    return f"{index.name or 'time'}{'' if zone is None else f', {zone}'}"


def format_time_axis(ax, index):
    """Format dates on the axis, short and in the zone of the series, or names of a panel."""
    if isinstance(index, pd.MultiIndex):
        _format_panel_axis(ax, index)
    elif has_clock(index):
        dates, zone = load_matplotlib("dates"), getattr(index, "tz", None)
        locator = dates.AutoDateLocator(tz=zone, minticks=4, maxticks=9)
        ax.xaxis.set_major_locator(locator)
        ax.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator, tz=zone))
        ax.xaxis.get_offset_text().set(color=INK, fontsize=SMALL)


def _format_panel_axis(ax, index):
    """Draw lines between series, and the names of those with room for them."""
    _, names, ends = _of_panel(index)
    style = {"color": GREY, "lw": min(0.8, 10 / len(ends)), "zorder": 1}
    ax.vlines(ends[:-1] - 0.5, 0, 1, transform=ax.get_xaxis_transform(), **style)
    begins = np.append(0, ends[:-1])
    # points of type in rows of data
    rows_per_letter = len(index) * LETTER * ax.figure.dpi / (72 * ax.bbox.width)
    shown, free = {}, -np.inf
    for name, middle in zip(names, (begins + ends - 1) / 2):
        text = _shorten(str(name))
        half = rows_per_letter * (len(text) + 2) / 2
        if middle - half >= free:
            shown[middle], free = text, middle + half
    ax.set_xticks(list(shown), shown.values())
    ax.tick_params(axis="x", length=0)


def _shorten(name):
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
