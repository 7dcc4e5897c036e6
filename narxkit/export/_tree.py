"""A model as plain data: a tree of JSON, and arrays beside it.

What JSON knows itself (None, bool, int, text, finite float, list) stands as it is. All else is an
object with one key, the kind, and under it simpler values, of which the kind makes the value again:

    (1, 2)                      {"tuple": [1, 2]}
    np.array([0.5])             {"array": "arrays/0.npy"}
    Reach(window=3)             {"value": ["Reach", {"dict": [["outputs", {"tuple": []}], ...]}]}
    NARX(max_iter=5)            {"estimator": ["NARX", {"dict": [["max_iter", 5], ...]}]}

Kinds are those of `KINDS`, and no more. Of classes the names alone are there: an estimator must be
a public one of narxkit, a value of a type that is marked by `stored` where it is written. So a
class that is new gets in by its own place, and a file can name nothing that would run.

A file must load for ever. A parameter or a field that comes later needs a default, which stands
for it in earlier files; what is renamed or goes needs a new version of the format, and a step that
makes the new tree of the old one.
"""

import datetime as dt
import math
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import partial
from inspect import signature
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from pandas.tseries import offsets
from sklearn.base import BaseEstimator

import narxkit
from narxkit._stored import STORED

NUMERIC = "biufcMmUS"  # kinds of dtypes of arrays that hold no objects
ITSELF = type(None), bool, int, str
OFFSET = pd.offsets.BaseOffset
UTC = "UTC"
LONGEST = 10**6  # items of a range, which a few letters name and others lay out


class Kind(NamedTuple):
    """How values of a type are taken apart into simpler ones, and made of them again."""

    of: type | tuple
    apart: Callable
    made: Callable


class Refused(Exception):
    """Where in the model a value stands that cannot be kept, and the value."""


# --- estimators and values -----------------------------------------------------------------------


def find_estimator(name):
    """Return a public estimator of narxkit by its name, or one that lives inside of others."""
    found = getattr(narxkit, name) if name in narxkit.__all__ else STORED.get(name)
    if not (isinstance(found, type) and issubclass(found, BaseEstimator)):
        raise ValueError(f"{name!r} is no estimator of narxkit")
    return found


def _is_ours(kind):
    """Return whether a class is what its name stands for in an archive."""
    name = kind.__name__
    is_public = name in narxkit.__all__ and getattr(narxkit, name) is kind
    return is_public and issubclass(kind, BaseEstimator) or STORED.get(name) is kind


def _apart_estimator(model):
    return [type(model).__name__, dict(vars(model))]


def _make_estimator(name, attributes):
    kind = find_estimator(name)
    model = kind.__new__(kind)
    vars(model).update(**attributes)
    for name, default in _defaults(kind).items():
        vars(model).setdefault(name, default)  # of a parameter that is newer than the file
    _check_parameters(model)
    return model


def _defaults(kind):
    parameters = signature(kind).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not p.empty}


def _check_parameters(model):
    """Refuse parameters of another length than the network has, which kernels would read past."""
    state = vars(model)
    if "structure_" in state:
        structure = state["structure_"]
        # each output has parameters: to count those of 2**63 outputs would take for ever
        n = structure.n_params if structure.n_outputs <= state["theta_"].size else "more"
        for theta in (state["theta_"], *state.get("members_", ())):
            if theta.shape != (n,) or theta.dtype != float:
                raise ValueError(f"a network of {n} parameters has {theta.shape} of them")


def _apart_value(value):
    kind = type(value)
    if isinstance(value, Enum):
        return [kind.__name__, value.name]
    if is_dataclass(value):
        # what follows from the others is made anew
        names = [field.name for field in fields(value) if field.init]
        return [kind.__name__, {name: getattr(value, name) for name in names}]
    return [kind.__name__, value._asdict() if isinstance(value, tuple) else dict(vars(value))]


def _make_value(name, content):
    kind = STORED[name]
    if issubclass(kind, Enum):
        return kind[content]
    if is_dataclass(kind) or issubclass(kind, tuple):
        return kind(**content)
    value = kind.__new__(kind)
    vars(value).update(**content)
    return value


# --- times ---------------------------------------------------------------------------------------


def _zone_name(zone):
    """Return the name of a time zone, or seconds where it has a fixed distance from UTC."""
    if zone is None or str(zone) == UTC:
        return None if zone is None else UTC
    name = getattr(zone, "key", None) or getattr(zone, "zone", None)
    if name is not None:
        return name
    if isinstance(zone, dt.timezone) or getattr(zone, "_minutes", None) is not None:
        return zone.utcoffset(None).total_seconds()
    raise ValueError(
        f"the time zone {zone} is of the class {type(zone).__name__}, which no file can hold: fit "
        "to rows in one of the database, such as after tz_convert('Europe/Berlin')."
    )


def _zone(name):
    if name is None or name == UTC:
        return name
    if not isinstance(name, str):
        return dt.timezone(dt.timedelta(seconds=name))
    ZoneInfo(name)  # refuses what is none of the database, such as a path that pandas would read
    return pd.DatetimeTZDtype(tz=name).tz  # of the class that this pandas makes


def _apart_timestamp(time):
    return [int(time.asm8.view("i8")), time.unit, _zone_name(time.tz)]


def _make_timestamp(number, unit, zone):
    time = pd.Timestamp(np.datetime64(number, unit))
    return time if zone is None else time.tz_localize(UTC).tz_convert(_zone(zone))


def _apart_times(index):
    return [index.asi8, index.unit, _zone_name(index.tz), index.freq, index.name]


def _make_times(numbers, unit, zone, freq, name):
    index = pd.DatetimeIndex(numbers.view(f"M8[{unit}]"))
    index = index if zone is None else index.tz_localize(UTC).tz_convert(_zone(zone))
    return pd.DatetimeIndex(index, freq=freq, name=name)


def _make_elapsed(numbers, unit, freq, name):
    return pd.TimedeltaIndex(numbers.view(f"m8[{unit}]"), freq=freq, name=name)


def _apart_offset(offset):
    kind = type(offset)
    if getattr(offsets, kind.__name__, None) is not kind:
        raise ValueError(
            f"the freq of the rows is of the class {kind.__name__}, which pandas does not have and "
            "no file can hold: fit to rows with one of pandas, or with index.freq = None."
        )
    words = dict(offset.kwds)
    if words.pop("calendar", None) is not None:
        # what it says stands in the days and the holidays
        words["holidays"] = tuple(offset.calendar.holidays)
    return [kind.__name__, offset.n, offset.normalize, words]


def _make_offset(name, n, normalize, words):
    kind = getattr(offsets, name) if name in offsets.__all__ else None
    if not (isinstance(kind, type) and issubclass(kind, OFFSET)):
        raise ValueError(f"{name!r} is no offset of pandas")
    # hours, minutes and the like are never normalised, and have no such parameter
    return kind(n, normalize=normalize, **words) if normalize else kind(n, **words)


# --- arrays and tables ---------------------------------------------------------------------------


def _make_range(kind, *limits, **name):
    items = kind(*limits, **name)
    if len(items) > LONGEST:
        raise ValueError(f"a range has more than {LONGEST:,} items")
    return items


def _make_objects(shape, items):
    array = np.empty(len(items), dtype=object)
    for i, item in enumerate(items):  # all at once, sequences would be spread
        array[i] = item
    return array.reshape(shape)


def _apart_index(index):
    return [np.asarray(index), str(index.dtype), index.name]


def _make_index(values, dtype, name):
    return pd.Index(values, dtype=dtype, name=name)


def _apart_levels(index):
    return [list(index.levels), [np.asarray(codes) for codes in index.codes], list(index.names)]


def _make_levels(levels, codes, names):
    return pd.MultiIndex(levels, codes, names=names, verify_integrity=True)


def _apart_frame(frame):
    return [frame.columns, frame.index, [column.to_numpy() for _, column in frame.items()]]


def _make_frame(columns, index, values):
    frame = pd.DataFrame(dict(enumerate(values)), index=index)
    return frame.set_axis(columns, axis=1)


def _make_random_state(state):
    rng = np.random.RandomState()
    rng.set_state(state)
    return rng


KINDS = {
    "float": Kind(float, lambda x: [repr(x)], float),
    "tuple": Kind(tuple, list, lambda *items: items),
    "set": Kind(set, list, lambda *items: set(items)),
    "dict": Kind(dict, lambda d: [list(pair) for pair in d.items()], lambda *pairs: dict(pairs)),
    "range": Kind(range, lambda r: [r.start, r.stop, r.step], partial(_make_range, range)),
    "date": Kind(dt.date, lambda d: [d.isoformat()], dt.date.fromisoformat),
    "time": Kind(dt.time, lambda t: [t.isoformat()], dt.time.fromisoformat),
    "datetime": Kind(dt.datetime, lambda t: [t.isoformat()], dt.datetime.fromisoformat),
    "duration": Kind(dt.timedelta, lambda d: [d.days, d.seconds, d.microseconds], dt.timedelta),
    "scalar": Kind(np.generic, lambda number: [np.asarray(number)], lambda array: array[()]),
    "nat": Kind(type(pd.NaT), lambda _: [], lambda: pd.NaT),
    "timestamp": Kind(pd.Timestamp, _apart_timestamp, _make_timestamp),
    "timedelta": Kind(
        pd.Timedelta,
        lambda t: [int(t.asm8.view("i8")), t.unit],
        lambda number, unit: pd.Timedelta(np.timedelta64(number, unit)),
    ),
    "period": Kind(
        pd.Period,
        lambda p: [p.ordinal, p.freqstr],
        lambda ordinal, freq: pd.Period(ordinal=ordinal, freq=freq),
    ),
    "offset": Kind(OFFSET, _apart_offset, _make_offset),
    "times": Kind(pd.DatetimeIndex, _apart_times, _make_times),
    "elapsed": Kind(
        pd.TimedeltaIndex,
        lambda index: [index.asi8, index.unit, index.freq, index.name],
        _make_elapsed,
    ),
    "periods": Kind(
        pd.PeriodIndex,
        lambda index: [index.asi8, index.freqstr, index.name],
        lambda numbers, freq, name: pd.PeriodIndex.from_ordinals(numbers, freq=freq, name=name),
    ),
    "numbers": Kind(
        pd.RangeIndex,
        lambda index: [index.start, index.stop, index.step, index.name],
        lambda *limits: _make_range(pd.RangeIndex, *limits[:3], name=limits[3]),
    ),
    "levels": Kind(pd.MultiIndex, _apart_levels, _make_levels),
    "index": Kind(pd.Index, _apart_index, _make_index),
    "frame": Kind(pd.DataFrame, _apart_frame, _make_frame),
    "objects": Kind(np.ndarray, lambda a: [list(a.shape), list(a.ravel())], _make_objects),
    "random_state": Kind(
        np.random.RandomState, lambda rng: [rng.get_state(legacy=False)], _make_random_state
    ),
    "value": Kind((), _apart_value, _make_value),
    "estimator": Kind((), _apart_estimator, _make_estimator),
}
BY_TYPE = {kind.of: name for name, kind in KINDS.items() if isinstance(kind.of, type)}
FAMILIES = {np.generic: "scalar", OFFSET: "offset"}  # of many types each


def take_apart(value, keep, path=""):
    """Return a value as a tree.

    Parameters
    ----------
    value : object
        A model, or a part of one.
    keep : callable
        ``keep(array)`` keeps an array without objects, and names the place.
    path : str
        Where the value stands in the model, as `set_params` has it.

    Returns
    -------
    object
        What JSON can hold.

    Raises
    ------
    Refused
        When there is something that cannot be kept.
    """
    kind = type(value)
    if kind in ITSELF or kind is float and math.isfinite(value):
        return value
    if kind is list:
        return [take_apart(item, keep, path) for item in value]
    if kind is np.ndarray and value.dtype.kind in NUMERIC:
        return {"array": keep(value)}
    name = _kind_of(value)
    if name is None:
        raise Refused(path, value)
    if name == "estimator":
        title, attributes = _apart_estimator(value)
        inside = {
            key: take_apart(part, keep, f"{path}__{key}" if path else key)
            for key, part in attributes.items()
        }
        return {name: [title, {"dict": [[key, part] for key, part in inside.items()]}]}
    return {name: [take_apart(part, keep, path) for part in KINDS[name].apart(value)]}


def _kind_of(value):
    """Return the name of the kind of a value, None where there is none."""
    kind = type(value)
    if kind in BY_TYPE:
        return BY_TYPE[kind]
    if _is_ours(kind):
        return "estimator" if isinstance(value, BaseEstimator) else "value"
    return next((name for family, name in FAMILIES.items() if isinstance(value, family)), None)


def put_together(tree, array):
    """Make the value of a tree again.

    Parameters
    ----------
    tree : object
        What `take_apart` has returned.
    array : callable
        ``array(place)`` returns the array that was kept there.

    Returns
    -------
    object
        The value.

    Raises
    ------
    Exception
        Of many kinds, where the tree is none of `take_apart`.
    """
    if isinstance(tree, list):
        return [put_together(part, array) for part in tree]
    if not isinstance(tree, dict):
        return tree
    ((name, content),) = tree.items()
    if name == "array":
        return array(content)
    if not isinstance(content, list):
        raise ValueError(f"a {name} is made of a list")
    if name == "estimator":
        find_estimator(content[0])  # importing it marks the types of what it holds
    return KINDS[name].made(*put_together(content, array))
