"""The labels of rows: which of them are times, whether they are in order and whether they agree.

Labels come from pandas alone: an array has none. `read_labels` brings every way to write down a
time into one form,

- a DatetimeIndex or a PeriodIndex, which carry a clock, stays as it is;
- dates and time stamps in an index of another kind (objects of Python or NumPy, Arrow, categories,
  text in ISO 8601) become a DatetimeIndex;
- elapsed times become a TimedeltaIndex. They are a clock too: counted from 1970 inside, and given
  back as elapsed times.

Numbers carry no clock: jumps of them say nothing, but rows out of order or other numbers than in
the table beside them do. Any other text only says which row is which.
"""

import re
import warnings
from contextlib import contextmanager, suppress

import numpy as np
import pandas as pd

EPOCH = pd.Timestamp(0)  # where elapsed times are counted from
ISO_DATE = r"\d{4}-\d{2}(-\d{2})?([ T].*)?"
ISO_WEEK = r"\d{4}-W\d{2}"
SHORT_DATE = r"\d{1,2}[./-]\d{1,2}[./-]\d{2}"
COMPACT_DATE = r"(19|20)\d{6}"
_DATES = ("datetime", "datetime64", "date")
_NUMBERS = ("integer", "floating", "mixed-integer-float")
_OF_NO_TIME = ("string", "bytes", "boolean", "empty", "mixed-integer", "decimal", "complex")
ROUNDING = 1e-4  # of a step of fractions: what floats and the digits of a file make of it
_OF_ROWS = "sample_weight", "segments", "groups"  # what goes with the rows of X and y
_SHUFFLED = 0.2, 0.8  # the share of backward steps; half of them in a random order


def has_clock(index):
    """Return whether the index carries a clock: a DatetimeIndex or a PeriodIndex.

    Examples
    --------
    >>> has_clock(pd.date_range("2017-01-01", periods=3)), has_clock(pd.RangeIndex(3))
    (True, False)
    """
    return isinstance(index, pd.DatetimeIndex | pd.PeriodIndex)


# --- one form of labels --------------------------------------------------------------------------


def read_labels(index, name="X"):
    """Return labels with their times as a DatetimeIndex, PeriodIndex or TimedeltaIndex.

    Of a MultiIndex (series, time) the second level is read; what holds no times stays as it is.

    Raises
    ------
    ValueError
        If the labels are of several time zones, or objects of which no order is known.

    Examples
    --------
    >>> read_labels(pd.Index(["2024-01-05", "2024-01-06"])).dtype.kind
    'M'
    >>> read_labels(pd.Index(["Monday", "Tuesday"])).tolist()
    ['Monday', 'Tuesday']
    """
    if not isinstance(index, pd.MultiIndex):
        return _read_level(index, name)
    # a panel has each time once in its levels, so that most need no look at all rows
    level = index.levels[-1]
    if _read_level(level, name, is_level=True) is level:
        return index
    others = [index.get_level_values(i) for i in range(index.nlevels - 1)]
    times = _read_level(index.get_level_values(-1), name, is_level=True)
    return pd.MultiIndex.from_arrays([*others, times], names=index.names)


def _read_level(index, name, is_level=False):
    if has_clock(index) or index.dtype.kind in "iufb" or isinstance(index, pd.TimedeltaIndex):
        return index
    if isinstance(index, pd.CategoricalIndex):
        return _read_level(index.astype(index.categories.dtype), name, is_level)
    kind = pd.api.types.infer_dtype(index, skipna=True)
    if kind in _NUMBERS:
        return index.infer_objects()  # numbers of Python among objects
    if kind in _DATES:
        return _as_one_zone(index, name, is_level)
    if kind in ("timedelta", "timedelta64"):
        return pd.TimedeltaIndex(index, name=index.name)
    if kind == "period":
        with suppress(ValueError):  # of several lengths
            return pd.PeriodIndex(index, name=index.name)
    if kind == "string":
        return _read_text(index, name, is_level)
    if kind not in _OF_NO_TIME:
        raise ValueError(
            f"the index of {name} holds labels such as {index.dropna()[0]!r}, whose order in time "
            "is not known: make them time stamps, for example with pd.to_datetime, or plain "
            "numbers."
        )
    return index


def _as_one_zone(index, name, is_level):
    try:
        with _mixed_zones_refused():
            return pd.DatetimeIndex(index, name=index.name)
    except (ValueError, FutureWarning) as error:
        raise ValueError(
            f"the index of {name} holds dates, but they do not make one DatetimeIndex ({error}): "
            "give all of them one time zone or none, for example with "
            f"{_advise_utc(name, is_level)}."
        ) from None


@contextmanager
def _mixed_zones_refused():
    """Make times of several zones an error, of which pandas 2 only warns."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", ".*mixed time zones.*", FutureWarning)
        yield


def _advise_utc(name, is_level):
    if not is_level:
        return f"pd.to_datetime({name}.index, utc=True)"
    series, times = (f"{name}.index.get_level_values({i})" for i in (0, 1))
    return f"{name}.set_axis([{series}, pd.to_datetime({times}, utc=True)])"


def _read_text(index, name, is_level):
    """Return time stamps, where all of the text is of ISO 8601."""
    text = index.dropna()
    # a look at the first label spares most text the pattern
    if (
        not len(text)
        or not text[0][:4].isdigit()
        or not text.astype(str).str.fullmatch(ISO_DATE).all()
    ):
        return index
    try:
        with _mixed_zones_refused():
            times = pd.to_datetime(index, format="ISO8601")
    except (ValueError, FutureWarning) as error:
        # these are dates, and no other text
        if "zone" in str(error):
            return _as_one_zone(index, name, is_level)
        return index
    return times if has_clock(times) else _as_one_zone(times, name, is_level)


def no_date_among(text):
    """Return the first label that is no date of ISO 8601, and how to make the labels times.

    Examples
    --------
    >>> no_date_among(pd.Index(["2024-01-30", "total"]))
    ('total', 'it is no date and others are, so correct it or leave its row out')
    """
    text = text.dropna().astype(str)
    # in UTC, where dates of several zones can stand together
    dates = pd.to_datetime(text, format="ISO8601", errors="coerce", utc=True)
    is_date = dates.notna() & text.str.fullmatch(ISO_DATE).astype(bool)
    label = text[int(np.argmin(is_date))]
    if is_date.any():
        return label, "it is no date and others are, so correct it or leave its row out"
    if re.fullmatch(ISO_WEEK, label):
        return label, "read weeks with pandas.to_datetime(labels + '-1', format='%G-W%V-%u')"
    order = ", with dayfirst=True where the day comes first," if re.match(SHORT_DATE, label) else ""
    return label, f"read them with pandas.to_datetime{order}"


def is_elapsed(index):
    """Return whether rows are labelled by elapsed times.

    Returns
    -------
    bool
    """
    level = index.levels[-1] if isinstance(index, pd.MultiIndex) else index
    return isinstance(level, pd.TimedeltaIndex)


def as_clock(index):
    """Return elapsed times as time stamps from 1970 on; other labels as they are."""
    return EPOCH + index if isinstance(index, pd.TimedeltaIndex) else index


def as_elapsed(index):
    """Undo `as_clock`: time stamps as elapsed times; numbers as they are."""
    return index - EPOCH if isinstance(index, pd.DatetimeIndex) else index


# --- order ---------------------------------------------------------------------------------------


def check_order(index, name="X", labels=None, owner=None):
    """Refuse times with NaT, backwards or twice, and numbers that run backwards.

    Time stamps with a zone are compared in UTC, so the repeated hour of autumn passes. Numbers may
    jump, appear twice and, where the label of the segment changes, begin again. What to do with the
    table is said of its `owner`, where only one series of it has the `name`.

    Raises
    ------
    ValueError
        Naming the first offending row.

    Examples
    --------
    >>> check_order(pd.DatetimeIndex(["2020-01-02", "2020-01-01"]), name="y")
    Traceback (most recent call last):
    ...
    ValueError: the index of y is not sorted: row 1 (2020-01-01 00:00:00) comes before row 0 \
(2020-01-02 00:00:00) in time: sort it with y.sort_index().
    """
    if has_clock(index) or is_elapsed(index):
        _check_times(index, name, owner or name)
    elif _are_numbers(index):
        _check_numbers(index, name, labels, owner or name)


def _are_numbers(index):
    return isinstance(index, pd.Index) and index.dtype.kind in "iuf"


def step_of_numbers(index):
    """Return the step of plain numbers, an int of ints; None where it is not always the same.

    Examples
    --------
    >>> step_of_numbers(pd.Index([1900, 1910, 1920])), step_of_numbers(pd.Index([0, 1, 5]))
    (10, None)
    """
    if not _are_numbers(index) or len(index) < 2:
        return None
    is_whole = index.dtype.kind in "iu" and not index.hasnans
    # floats would lose the last digits of large whole numbers
    numbers = index.to_numpy(np.int64) if is_whole else index.to_numpy(float, na_value=np.nan)
    steps = np.diff(numbers)
    step = (numbers[-1] - numbers[0]) / len(steps)
    # NaN is in no range, so that these negations refuse it
    if not 0 < step < np.inf or not np.ptp(steps) <= (0 if is_whole else ROUNDING * step):
        return None
    return int(steps[0]) if is_whole else float(step)


def numbers_from(start, step, n):
    """Return the labels of n rows that count on in a step; of fractions without what floats round.

    Examples
    --------
    >>> numbers_from(5.9 + 0.1, 0.1, 3).tolist()
    [6.0, 6.1, 6.2]
    """
    if isinstance(step, int):
        return pd.RangeIndex(start, start + n * step, step)
    # twelve digits behind the first one of the step: what floats round comes after them
    digits = 12 - int(np.floor(np.log10(step)))
    return pd.Index([round(start + i * step, digits) for i in range(n)], dtype=float)


def _check_times(index, name, table):
    what = "elapsed time" if is_elapsed(index) else "time stamp"
    if index.hasnans:
        row, n_missing = int(np.argmax(index.isna())), int(index.isna().sum())
        labels = f"{table}.index" if table == name else f"{table}.index.get_level_values(1)"
        raise ValueError(
            f"the index of {name} has {n_missing} missing {what}s (NaT), the first in row {row}: "
            f"drop these rows with {table}[{labels}.notna()]."
        )
    ticks = index.asi8
    if (backwards := ticks[1:] < ticks[:-1]).any():
        row = int(np.argmax(backwards)) + 1
        raise ValueError(
            f"the index of {name} is not sorted: row {row} ({index[row]}) comes before row "
            f"{row - 1} ({index[row - 1]}) in time: "
            f"{_advise_order(index, table, backwards) or f'sort it with {table}.sort_index().'}"
        )
    if (twice := ticks[1:] == ticks[:-1]).any():
        row = int(np.argmax(twice)) + 1
        raise ValueError(
            f"the index of {name} is not unique: the {what} {index[row]} appears twice, in rows "
            f"{row - 1} and {row}: {_advise_twice(index, table, row)}"
        )


def _check_numbers(index, name, labels, table):
    if index.is_monotonic_increasing:
        return
    numbers = index.to_numpy(dtype=float, na_value=np.nan)
    backwards = numbers[1:] < numbers[:-1]
    if labels is not None:
        backwards &= labels[1:] == labels[:-1]
    if backwards.any():
        row = int(np.argmax(backwards)) + 1
        advice = _advise_order(index, table, backwards) or (
            f"sort it with {table}.sort_index(), or tell recordings that follow each other apart "
            "by segments or by a MultiIndex (series, number)."
        )
        raise ValueError(
            f"the index of {name} is not sorted: row {row} ({index[row]}) comes after row "
            f"{row - 1} ({index[row - 1]}): {advice}"
        )


def _advise_order(index, table, backwards):
    """Return the remedy for rows in a random order, or of several series; None for others."""
    low, high = _SHUFFLED
    if _repeat_often(index):
        return _name_series(table)
    if len(index) > 3 and low < np.mean(backwards) < high:
        return (
            "the rows of a time series must keep their order, so split them with "
            "train_test_split(..., shuffle=False) or TimeSeriesSplit, and search with "
            "GridSearchCV: a halving search draws rows at random."
        )
    return None


def _advise_twice(index, table, row):
    if _repeat_often(index):
        return _name_series(table)
    return (
        f"keep one of them, for example {table}[~{table}.index.duplicated()]"
        f"{_hint_zone(index[row])}."
    )


def _repeat_often(index):
    """Return whether so many labels come again that the rows must be of several series."""
    return index.duplicated().sum() > max(3, len(index) / 20)


def _name_series(table):
    return (
        "where the rows are of several series, name those beside the label, in a MultiIndex "
        f"(series, time) such as {table}.set_axis([names, {table}.index]); where they are of one, "
        "keep one row of each label, in their order."
    )


def _hint_zone(label):
    is_naive = isinstance(label, pd.Timestamp) and label.tz is None
    if not is_naive or label == label.normalize():
        return ""
    return ", or, if the clock was set back there, name its time zone with tz_localize()"


# --- agreement -----------------------------------------------------------------------------------


def labels_of(values, name):
    """Return the labels of a Series or DataFrame, read; None for what has none."""
    index = getattr(values, "index", None)
    return read_labels(index, name) if isinstance(index, pd.Index) else None


def common_index(**tables):
    """Return the index that says most, times before plain numbers, and whose it is.

    Raises
    ------
    ValueError
        If two of the tables have as many rows, but other labels.

    Examples
    --------
    >>> days = pd.date_range("2017-01-01", periods=2)
    >>> common_index(X=pd.DataFrame(index=days), y=pd.Series([1.0, 2.0]))[1]
    'X'
    """
    found = {name: labels_of(values, name) for name, values in tables.items()}
    given = [(index, name) for name, index in found.items() if index is not None]
    # the sort is stable: of two that say as much the first one stays first
    given.sort(key=lambda pair: _are_numbers(pair[0]))
    for other, its_name in given[1:]:
        refuse_other_labels(*given[0], other, its_name)
    return given[0] if given else (None, None)


def with_index(values, index):
    """Return a table under an index; as it is, where there is none."""
    if index is None:
        return values
    if isinstance(values, (pd.Series, pd.DataFrame)):
        return values.set_axis(index, axis=0)
    make = pd.Series if np.ndim(values) == 1 else pd.DataFrame
    return make(values, index=index)


def refuse_other_labels(index, name, other, its_name):
    """Raise where two tables have as many rows, but other labels.

    Plain numbers beside times only count the rows: they must be in order.

    Raises
    ------
    ValueError
        Naming the first row that differs.
    """
    if index is None or other is None or len(index) != len(other):
        return
    row = first_difference(index, other)
    if _are_numbers(other) and not _are_numbers(index):
        check_order(other, its_name)
    elif row is not None:
        raise ValueError(
            f"the indexes of {name} and {its_name} differ, first in row {row} ({index[row]} and "
            f"{other[row]}): {_advise_alignment(index, name, other, its_name)}"
        )


def first_difference(index, other):
    """Return the first row in which the labels differ; None where they agree or cannot be compared.

    Numbers say nothing beside times; the longer index is compared as far as the other goes.
    """
    n = min(len(index), len(other))
    index, other = index[:n], other[:n]
    if _are_numbers(index) != _are_numbers(other) or index.equals(other):
        return None
    differ = np.flatnonzero(_differ(index, other))
    return int(differ[0]) if len(differ) else None


def _differ(index, other):
    """Return where labels differ, as a mask: everywhere, where they cannot be compared."""
    with suppress(Exception):  # pandas raises errors of many kinds for labels of two kinds
        return pd.Series(index != other).fillna(True).to_numpy(bool)
    return np.ones(len(index), dtype=bool)


def _advise_alignment(index, name, other, its_name):
    if _share_labels(index, other):
        if its_name in _OF_ROWS:
            return f"give each row its own, for example {its_name}.reindex({name}.index)."
        return (
            f"align them, for example {name}, {its_name} = "
            f"{name}.align({its_name}, join='inner', axis=0)."
        )
    return (
        "they have no label in common: give the same rows of both or, where they are the same, "
        f"their labels to both with {its_name}.set_axis({name}.index)."
    )


def _share_labels(index, other):
    with suppress(Exception):  # as in _differ
        return index.nlevels == other.nlevels and bool(index.isin(other).any())
    return False


def read_segment_labels(segments, n):
    """Return segment labels of n rows as an array.

    Raises
    ------
    ValueError
        If they are not one label for each row.

    Examples
    --------
    >>> read_segment_labels(["a", "a", "b"], 3)
    array(['a', 'a', 'b'], dtype='<U1')
    """
    try:
        labels = np.asarray(segments)
    except ValueError:
        labels = None
    if labels is None or labels.shape != (n,):
        given = "lists of several lengths" if labels is None else f"shape {labels.shape}"
        raise ValueError(
            f"segments must be one label for each row, of shape ({n},). Got {given} instead."
        )
    # asarray forgets what a mask hides
    missing = pd.isna(labels) | np.ma.getmask(segments)
    if missing.any():
        row = int(np.argmax(missing))
        raise ValueError(f"segments has no label (NaN) in row {row}: name each segment.")
    return labels


def read_index(index, owner, n, labels=None):
    """Return time stamps (None without a clock) of n rows, and the rows of each series by its key.

    Parameters
    ----------
    index : pandas.Index or None
        Read by `read_labels`.
    owner : str
        Whose it is.
    n : int
        Number of rows.
    labels : ndarray of shape (n,), optional
        Segment labels: where they change, numbers may begin again.

    Raises
    ------
    ValueError
        If a MultiIndex is not (series, time), or a series is not in the order of its labels.

    Examples
    --------
    >>> panel = pd.MultiIndex.from_tuples([("a", 1), ("b", 1), ("a", 2)])
    >>> {key: rows.tolist() for key, rows in read_index(panel, "y", 3)[1].items()}
    {'a': [0, 2], 'b': [1]}
    """
    if isinstance(index, pd.MultiIndex):
        times, series = index.get_level_values(-1), _read_series(index)
    else:
        times, series = index, {None: np.arange(n)}
    if times is None:
        return None, series
    for key, rows in series.items():
        whose = owner if key is None else f"series {key!r}"
        part = times if key is None else times[rows]
        check_order(part, whose, None if labels is None else labels[rows], owner)
    times = as_clock(times)
    return times if has_clock(times) else None, series


def _read_series(index):
    """Return the rows of each series of a MultiIndex (series, time)."""
    if index.nlevels != 2:
        raise ValueError(f"a MultiIndex must have two levels (series, time). Got {index.nlevels}.")
    if _begins_with_times(index):
        raise ValueError(
            "the levels of a MultiIndex must be (series, time), but the first holds time "
            f"stamps, such as {index.levels[0][0]}: use swaplevel().sort_index() or, where they "
            "name recordings, names that are no times, such as 'run 1'."
        )
    if (index.codes[0] < 0).any():
        raise ValueError(
            f"the series of row {int(np.argmin(index.codes[0]))} has no name (NaN): name it or "
            "leave its rows out."
        )
    # in the order in which the series appear; a name for each row would take as much as the data
    codes, known = pd.factorize(index.codes[0])
    keys = index.levels[0][known]
    # one sort for all: a look at all rows for each series would take rows times series
    rows = np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1])
    return dict(zip(keys, rows))


def _begins_with_times(index):
    """Tell whether the names of series are times; text and numbers may name recordings of a day."""
    first, last = index.levels
    if has_clock(first) or pd.api.types.infer_dtype(first) in _DATES:
        return True
    # beside times, whatever can be read as one is a name
    return not has_clock(last) and not is_elapsed(last) and _could_be_times(first)


def _could_be_times(names):
    """Return whether names can be read as times, also in the form 20240131."""
    if isinstance(names, pd.CategoricalIndex):
        return _could_be_times(names.categories)
    if names.dtype.kind in "iuOT" or isinstance(names.dtype, pd.StringDtype):
        text = names.astype(str)
        if len(text) and text.str.fullmatch(COMPACT_DATE).all():
            return bool(pd.to_datetime(text, format="%Y%m%d", errors="coerce").notna().all())
    try:
        times = _read_level(names, "y")
    except ValueError:  # dates of several zones, or names of an unknown kind
        return pd.api.types.infer_dtype(names) in _DATES
    return has_clock(times) or is_elapsed(times)
