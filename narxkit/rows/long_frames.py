"""Long frames: one row for each series and time, as many tools keep their panels."""

import numpy as np
import pandas as pd

from narxkit.rows.clock import Clock
from narxkit.rows.labels import as_clock, has_clock, is_elapsed, no_date_among, read_labels

__all__ = ["from_long", "to_long"]

ALIKE = 1.5  # how many times the typical step of one series may be that of another


def from_long(frame, id="unique_id", time="ds", target="y"):
    """Read a long frame, one row for each series and time, into inputs and outputs of a panel.

    Parameters
    ----------
    frame : DataFrame
        A column of names of series, one of times (time stamps, dates as text of ISO 8601, or
        numbers) and one of values, in any order of rows; levels of the index count as columns.
        All other columns are inputs. Frames of polars and others are read where narwhals is there.
    id : str or None, default="unique_id"
        The column of names; None where there is one series.
    time : str, default="ds"
        The column of times.
    target : str, list of str or None, default="y"
        The column of values, or several for several outputs; None where there are inputs alone, as
        in rows to be forecast.

    Returns
    -------
    X : DataFrame or None
        The inputs; None where there are none.
    y : Series, DataFrame or None
        The values; None without `target`. Both have a MultiIndex (series, time), series in the
        order in which they appear and rows of each in that of time; or the times alone for one
        series.

    Raises
    ------
    ValueError
        When a column is missing, a row has no name or no time, a time comes twice in a series, or
        series have different frequencies.

    See Also
    --------
    to_long : Makes a long frame of a forecast.
    PerSeries : One model for each series.
    ScaledPerSeries : One model for all, each series scaled by itself.

    Notes
    -----
    A wide table, one column for each series, is turned by
    ``frame.melt(id_vars="ds", var_name="unique_id", value_name="y")``.

    Examples
    --------
    >>> import pandas as pd
    >>> from narxkit import SeasonalNaive, from_long, to_long
    >>> frame = pd.DataFrame(
    ...     {
    ...         "unique_id": ["a"] * 4 + ["b"] * 4,
    ...         "ds": [*pd.date_range("2024-01-01", periods=4)] * 2,
    ...         "y": [1.0, 2, 1, 2, 30, 40, 30, 40],
    ...     }
    ... )
    >>> X, y = from_long(frame)
    >>> to_long(SeasonalNaive(period=2).fit(X, y).forecast(1))
      unique_id         ds     y
    0         a 2024-01-05   1.0
    1         b 2024-01-05  30.0
    """
    targets = [] if target is None else [target] if isinstance(target, str) else list(target)
    labels = [time] if id is None else [id, time]
    frame = _as_pandas(frame, set(labels))
    _refuse_missing_columns(frame, labels, targets)
    codes, keys = _read_names(frame, id)
    times = _read_times(frame, time)
    order = _order(codes, times)
    if order is not None:
        frame, codes, times = frame.iloc[order], codes[order], times[order]
    rows = np.arange(len(frame)) if order is None else order
    _refuse_twice(codes, keys, times, rows, labels)
    _refuse_two_steps(codes, keys, times)
    index = times.rename(time) if id is None else _panel_index(codes, keys, times, labels)
    inputs = [name for name in frame.columns if name not in {*labels, *targets}]
    X = frame[inputs].set_axis(index, axis=0) if inputs else None
    return X, None if target is None else frame[target].set_axis(index, axis=0)


def to_long(forecast, like=None):
    """Make a long frame of a forecast, one row for each series and time.

    Parameters
    ----------
    forecast : Series or DataFrame
        What ``forecast`` of a panel, or of one series, has answered.
    like : DataFrame, optional
        A frame of the library that the answer shall be of, such as polars; pandas by default.

    Returns
    -------
    DataFrame
        Columns for names of series and times, as they were named in ``fit``, and for the values.

    See Also
    --------
    from_long : Reads a long frame.

    Examples
    --------
    >>> import pandas as pd
    >>> from narxkit import to_long
    >>> index = pd.MultiIndex.from_tuples([("a", 7), ("b", 7)], names=["shop", "week"])
    >>> to_long(pd.Series([1.0, 2.0], index, name="sold"))
      shop  week  sold
    0    a     7   1.0
    1    b     7   2.0
    """
    if isinstance(forecast, pd.Series):
        forecast = forecast.to_frame("y" if forecast.name is None else forecast.name)
    usual = ["unique_id", "ds"][-forecast.index.nlevels :]
    names = [name if name is not None else new for name, new in zip(forecast.index.names, usual)]
    frame = forecast.rename_axis(names).reset_index()
    return frame if like is None or isinstance(like, pd.DataFrame) else _in_library(frame, like)


def _in_library(frame, like):
    """Return a frame of pandas as one of another library."""
    narwhals, zones, columns = _narwhals(like), {}, {}
    for name, values in frame.items():
        zone = getattr(values.dtype, "tz", None)
        if zone is not None:
            zones[str(name)] = str(zone)
            values = values.dt.tz_convert("UTC").dt.tz_localize(None)
        columns[str(name)] = values.to_numpy()
    made = narwhals.from_dict(columns, backend=narwhals.get_native_namespace(like))
    for name, zone in zones.items():
        times = narwhals.col(name).dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
        made = made.with_columns(times)
    return made.to_native()


def _panel_index(codes, keys, times, names):
    places, level = pd.factorize(times, sort=True)
    return pd.MultiIndex([keys, level], [codes, places], names=names)


def _as_pandas(frame, names):
    """Return a frame of pandas, levels of its index that are named among its columns."""
    if isinstance(frame, pd.DataFrame):
        return frame.reset_index() if names & set(frame.index.names) else frame
    columns = _narwhals(frame).from_native(frame, eager_only=True).iter_columns()
    return pd.DataFrame({column.name: _values(column) for column in columns})


def _narwhals(frame):
    """Return narwhals, which knows the frames of other libraries; scikit-learn brings it."""
    try:
        import narwhals
    except ImportError:
        narwhals = None
    if narwhals is None or not narwhals.dependencies.is_into_dataframe(frame):
        raise TypeError(
            "a DataFrame of pandas is needed, or of another library that narwhals knows"
            f"{'' if narwhals else ' (pip install narwhals)'}. Got {type(frame).__name__} instead."
        )
    return narwhals


def _values(column):
    """Return a column of narwhals as pandas has it, its time zone included."""
    zone = getattr(column.dtype, "time_zone", None)
    values = pd.Series(column.to_numpy())
    return values if zone is None else values.dt.tz_localize("UTC").dt.tz_convert(zone)


def _refuse_missing_columns(frame, labels, targets):
    missing = [name for name in (*labels, *targets) if name not in frame.columns]
    if not missing:
        return
    shown = ", ".join(map(repr, frame.columns[:6])) + (", ..." if frame.shape[1] > 6 else "")
    said = f"the frame has no column {missing[0]!r}, but {frame.shape[1]} others ({shown})"
    if len(labels) == 1:
        raise ValueError(f"{said}: name its columns by time and target.")
    id, time = labels
    value = targets[0] if targets else "y"
    label = next(name for name in (time, id, frame.columns[0]) if name in frame.columns)
    name = id if label == time else time
    raise ValueError(
        f"{said}: name its columns by id={id!r}, time={time!r} and target={value!r}; turn a wide "
        f"table, a column for each series or time, by frame.melt(id_vars={label!r}, "
        f"var_name={name!r}, value_name={value!r})."
    )


def _read_names(frame, id):
    """Return the number of the series of each row, and their names in order of appearance."""
    if not len(frame):
        raise ValueError("the frame has no rows: give at least two of each series.")
    if id is None:
        return np.zeros(len(frame), dtype=int), pd.Index([None])
    names = frame[id]
    if isinstance(names.dtype, pd.CategoricalDtype):
        names = names.astype(names.cat.categories.dtype)
    codes, keys = pd.factorize(names)
    _refuse_blank(codes < 0, id, "the name of a series", "name it or leave them out")
    return codes, pd.Index(keys)


def _read_times(frame, time):
    # objects stay objects, which pandas below 3 would look through
    index = pd.Index(frame[time], dtype=frame[time].dtype)
    times = read_labels(index, repr(time))
    _refuse_blank(times.isna(), time, "a time", "leave them out")
    if not (has_clock(times) or is_elapsed(times) or times.dtype.kind in "iuf"):
        label, remedy = no_date_among(times.astype(str))
        raise ValueError(
            f"the column {time!r} holds text, such as {label!r}, and no times: {remedy} first."
        )
    return times


def _refuse_blank(is_blank, column, what, remedy):
    if is_blank.any():
        n, row = int(is_blank.sum()), int(np.argmax(is_blank))
        raise ValueError(
            f"{what} is missing in {n} of {len(is_blank)} rows (column {column!r}), first in row "
            f"{row}: {remedy}, for example by frame.dropna(subset=[{column!r}])."
        )


def _ticks(times):
    """Return times as numbers that can be compared and subtracted."""
    return times.to_numpy() if times.dtype.kind in "iuf" else as_clock(times).asi8


def _order(codes, times):
    """Return rows in the order of series and time; None where they stand so."""
    ticks = _ticks(times)
    step = np.diff(codes)
    if ((step > 0) | ((step == 0) & (ticks[1:] >= ticks[:-1]))).all():
        return None
    return np.lexsort((ticks, codes))


def _refuse_twice(codes, keys, times, rows, labels):
    twice = (codes[1:] == codes[:-1]) & (times[1:] == times[:-1])
    if twice.any():
        at = int(np.argmax(twice))
        whose = f" in the series {keys[codes[at]]!r}" if len(labels) == 2 else ""
        raise ValueError(
            f"the time {times[at]} comes twice{whose}, in rows "
            f"{rows[at]} and {rows[at + 1]} ({int(twice.sum())} of {len(times)} rows are such): "
            f"keep one row of each, for example by frame.drop_duplicates({labels!r})."
        )


def _refuse_two_steps(codes, keys, times):
    """Refuse series whose typical steps differ: a lag would be an hour here and a day there."""
    is_inside = codes[1:] == codes[:-1]
    steps = np.diff(_ticks(times))[is_inside]
    if not len(steps) or steps.min() == steps.max():
        return
    series = codes[1:][is_inside]
    steps = steps[np.lexsort((steps, series))]
    begins = np.flatnonzero(np.diff(series, prepend=-1))
    counts = np.diff(np.append(begins, len(series)))
    typical = steps[begins + counts // 2]
    of = series[begins]
    first, last = int(np.argmin(typical)), int(np.argmax(typical))
    if typical[last] > ALIKE * typical[first]:
        short, long = (_describe_step(of[i], typical[i], codes, times) for i in (first, last))
        raise ValueError(
            f"the series {keys[of[first]]!r} is {short}, and {keys[of[last]]!r} is {long}, but "
            "series of one panel share a frequency: give those of each frequency by themselves, "
            "or bring them to one by groupby and resample."
        )


def _describe_step(code, step, codes, times):
    if times.dtype.kind in "iuf":
        return f"in steps of {step:g}"
    return Clock.from_index(as_clock(times[codes == code])).describe()
