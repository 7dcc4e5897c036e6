"""Models as files: a zip of JSON and arrays, which runs nothing when it is read.

    manifest.json     format, its version, narxkit's version; size and SHA-256 of each member
    model.json        what the model is and was trained on, to be read by people; its tree
    arrays/0.npy ...  arrays without objects

Nothing is packed, so that no member can be larger than the file. All is checked before it is used:
names, sizes and digests of the members, and of each array that its header says what is there.
"""

import hashlib
import io
import json
import math
import os
import zipfile
from inspect import signature
from pathlib import Path

import numpy as np
from sklearn.utils.validation import check_is_fitted

import narxkit
from narxkit._atomic import whole
from narxkit._words import printable

from ._tree import NUMERIC, Refused, put_together, take_apart

__all__ = ["load", "save", "summary"]

FORMAT = "narxkit model"
VERSION = 1
MANIFEST, MODEL = "manifest.json", "model.json"
NAMED = 30 + len(MANIFEST)  # bytes of a zip up to the end of the name of its first member
ENCRYPTED = 1  # a flag of a member
COPIES = "_inner__", "forecaster___", "models___"  # where forecasters inside of others stand
LONGEST = 200  # letters of what is wrong with a file
# what a damaged tree may raise, by the classes of numpy, pandas and our own that it is given to
DAMAGES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
)


def save(model, path):
    """Write a fitted model to a file.

    Parameters
    ----------
    model : Forecaster
        The model.
    path : str or path
        The file; one that is there is replaced in one step.

    Raises
    ------
    ValueError
        When a parameter is a function or an object of a class of your own.
    OSError
        When the file cannot be written; an earlier one then stays.

    See Also
    --------
    load : Brings it back.

    Notes
    -----
    The same model gives the same bytes.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from narxkit import Persistence
    >>> from narxkit.export import load, save
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(Persistence().fit(None, [1.0, 2.0, 3.0]), Path(folder) / "m.narx")
    ...     load(Path(folder) / "m.narx").forecast(2).tolist()
    [3.0, 3.0]
    """
    check_is_fitted(model)
    path = Path(path)
    _refuse_place(path)
    members = _members(model)
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "narxkit": narxkit.__version__,
        "members": {name: [len(data), _digest(data)] for name, data in members.items()},
    }
    with whole(path) as part, zipfile.ZipFile(part, "w") as archive:
        for name, data in {MANIFEST: _json(manifest), **members}.items():
            archive.writestr(zipfile.ZipInfo(name), data)  # dated 1980, whenever it is written


def _members(model):
    """Return the members of an archive by name, the model first."""
    arrays = []

    def keep(array):
        buffer = io.BytesIO()
        np.lib.format.write_array(buffer, array, version=(1, 0), allow_pickle=False)
        arrays.append(buffer.getvalue())
        return _place(len(arrays) - 1)

    try:
        tree = take_apart(model, keep)
    except Refused as error:
        raise ValueError(_refusal(model, *error.args)) from None
    text = _json({**_plain(summary(model)), "tree": tree})
    return {MODEL: text, **{_place(i): data for i, data in enumerate(arrays)}}


def _place(i):
    return f"arrays/{i}.npy"


def _json(value):
    return json.dumps(value, allow_nan=False).encode()


def _digest(data):
    return hashlib.sha256(data).hexdigest()


def _refuse_place(path):
    if path.is_dir():
        raise ValueError(f"cannot save to {path}: it is a folder; give the name of a file.")
    if path.exists() and not path.is_file():
        raise ValueError(f"cannot save to {path}: it is no ordinary file.")
    if not path.parent.is_dir():
        raise ValueError(
            f"cannot save to {path}: there is no folder {path.parent}; create it, or give another."
        )


def _refusal(model, path, value):
    """Write the sentence for what an archive cannot hold."""
    owner = type(model).__name__
    if not path:
        return (
            f"{owner} is no class of narxkit, and a file holds none but those, for it runs nothing "
            "when it is read: save models of narxkit's classes, or pickle this one."
        )
    # a forecaster inside of another is a copy, fitted, of the one given
    is_copy = path.startswith(COPIES)
    for name in COPIES:
        path = path.replace(name, "forecaster__", 1) if path.startswith(name) else path
    first, *rest = path.split("__")
    name = "__".join([first, *rest])
    kind = type(value).__name__
    what = "a function" if callable(value) else f"of the class {kind}"
    if first not in model.get_params(deep=False):
        if callable(value) or type(value).__module__.startswith("narxkit."):
            raise TypeError(f"{path} of {owner} is {what}: a defect, which narxkit._stored mends")
        return (
            f"{owner} was fitted to rows with a name or a label of the class {kind}, which no file "
            "can hold: fit it to rows that are named by texts, numbers or times."
        )
    start = f"the parameter {name} of {owner} is {what}, which no file can hold unless it runs it"
    if name.endswith("transform"):
        return f"{start}: fit again with transform='log' or 'boxcox', which have names."
    change = f"set_params({name}={_default(model, name)!r})"
    if is_copy or len(rest) and first == "forecaster":
        return f"{start}: call {change} and fit again."
    return f"{start}: call {change}, for predictions do not need it, and save again."


def _default(model, name):
    """Return the default of a parameter, which may be one of an object inside."""
    *owners, last = name.split("__")
    for owner in owners:
        model = getattr(model, owner)
    return signature(type(model)).parameters[last].default


def summary(model):
    """Say what a fitted model is and what it was trained on.

    Parameters
    ----------
    model : Forecaster
        The model.

    Returns
    -------
    dict
        ``model``, ``structure``, ``clock``, names of ``inputs`` and ``outputs`` (None where they
        have none), keys of ``series`` (None of one alone), ``units`` by column, number of ``rows``
        of the fit with the ``first`` and ``last`` label, and ``seen``, the last label up to now.

    See Also
    --------
    save : Keeps it in the file, for people who open that.

    Examples
    --------
    >>> import pandas as pd
    >>> from narxkit import Persistence
    >>> from narxkit.export import summary
    >>> days = pd.date_range("2024-01-01", periods=5)
    >>> model = Persistence().fit(None, pd.Series(range(5), index=days, name="load"))
    >>> summary(model)["outputs"], summary(model)["seen"]
    (['load'], Timestamp('2024-01-05 00:00:00'))
    """
    if "models_" in vars(model):
        return _summary_of_many(model)
    if "forecaster_" in vars(model):
        return {**summary(model.forecaster_), "model": type(model).__name__}
    roles, tails, trained = model._roles, model._history.tails, model._trained_on
    tail = next(iter(tails.values()))
    structure = getattr(model, "structure_", None)
    return {
        "model": type(model).__name__,
        "structure": None if structure is None else structure.describe(),
        "clock": None if tail.clock is None else tail.clock.describe(),
        "inputs": list(roles.columns) if roles.is_named or not roles.columns else None,
        "outputs": None if None in roles.outputs else list(roles.outputs),
        "series": None if None in tails else list(tails),
        "units": trained.units,
        "rows": trained.n_rows,
        "first": trained.first,
        "last": trained.last,
        "seen": tail.last_label,
    }


def _summary_of_many(model):
    """Say it of a model for each series, by what all of them have in common."""
    parts = {key: summary(part) for key, part in model.models_.items()}
    trained, series = model._trained_on, [*model.models_, *model.failed_]
    of_all = {"rows": trained.n_rows, "first": trained.first, "last": trained.last}
    seen = [part["seen"] for part in parts.values()]
    return {
        **next(iter(parts.values())),
        "model": type(model).__name__,
        "series": None if None in series else series,
        **of_all,
        "seen": None if None in seen else max(seen),
    }


def _plain(value):
    """Return what people can read, where JSON has no such thing."""
    if isinstance(value, dict):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    value = value.item() if isinstance(value, np.generic) else value
    is_known = value is None or isinstance(value, bool | int | str)
    return value if is_known or isinstance(value, float) and math.isfinite(value) else str(value)


# --- reading -------------------------------------------------------------------------------------


def load(path):
    """Read a model from a file that ``save`` has written.

    Reading runs nothing that the file says: it holds numbers, texts and names of narxkit's own
    classes.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    Forecaster
        The fitted model: it goes on from the last row seen, with the same bits.

    Raises
    ------
    ValueError
        When the file is none of narxkit's, is damaged, or needs a newer narxkit.
    OSError
        When it is not there or may not be read.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import narxkit
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     narxkit.Persistence().fit(None, [1.0, 2.0, 3.0]).save(Path(folder) / "m.narx")
    ...     narxkit.load(Path(folder) / "m.narx")
    Persistence()
    """
    path = Path(path)
    # a pipe would wait for ever, and a device never end
    if path.exists() and not path.is_file():
        what = "a folder" if path.is_dir() else "no ordinary file"
        raise ValueError(f"{printable(path)} is {what}: give the file that save has written.")
    with open(path, "rb") as file:
        return _read(file, printable(path))


def _read(file, name):
    """Read a model, or say in a sentence why not."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if not _is_ours(file.read(NAMED)):
        raise _foreign(name)
    try:
        with zipfile.ZipFile(file) as archive:
            members = _Members(archive, size)
            return _model(members)
    except (_Foreign, _Newer) as error:
        raise ValueError(f"{name} {error}") from None
    except DAMAGES as error:
        why = " ".join(printable(error).split())[:LONGEST] or type(error).__name__
        raise ValueError(
            f"{name} is damaged ({why.rstrip('.')}): take a whole copy of it, or save the model "
            "again."
        ) from error


def _is_ours(begin):
    """Tell whether a file begins as a zip does of which the manifest is the first member."""
    return begin.startswith(b"PK\x03\x04") and begin.endswith(MANIFEST.encode())


def _foreign(name):
    return ValueError(f"{name} {_Foreign()}")


class _Foreign(Exception):
    """A file of another program."""

    def __str__(self):
        return "is no model that narxkit has saved: give the file that save has written."


class _Newer(Exception):
    """A file of a newer narxkit."""

    def __str__(self):
        version, writer = self.args
        return (
            f"has version {version} of the format, and narxkit {narxkit.__version__} reads up to "
            f"{VERSION}: install narxkit {printable(writer)} or later."
        )


class _Members:
    """Members of an archive, of which each is checked before it is used.

    Parameters
    ----------
    archive : ZipFile
        The archive.
    size : int
        Bytes of its file.
    """

    def __init__(self, archive, size):
        self._archive, infos = archive, archive.infolist()
        # what is not packed is no larger than the file, unless members share their bytes
        if sum(info.file_size for info in infos) > size or not all(map(_is_plain, infos)):
            raise ValueError("its members are packed, or larger than the file")
        manifest = json.loads(archive.read(MANIFEST))
        if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
            raise _Foreign
        version = manifest["version"]
        if version > VERSION:
            raise _Newer(version, manifest["narxkit"])
        self._expected = dict(manifest["members"])
        if sorted([MANIFEST, *self._expected]) != sorted(info.filename for info in infos):
            raise ValueError("it does not hold the members that its manifest names")

    def read(self, name):
        """Return the bytes of a member."""
        data = self._archive.read(name)
        if self._expected[name] != [len(data), _digest(data)]:
            raise ValueError(f"{name} is not what was saved")
        return data

    def array(self, name):
        """Return the array of a member, no larger than the member."""
        buffer = io.BytesIO(self.read(name))
        if np.lib.format.read_magic(buffer) != (1, 0):
            raise ValueError(f"{name} is an array of another version")
        shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(buffer)
        data = buffer.read()
        if dtype.kind not in NUMERIC or math.prod(shape) * dtype.itemsize != len(data):
            raise ValueError(f"{name} does not hold what its header says")
        array = np.frombuffer(data, dtype).reshape(shape, order="F" if is_fortran else "C")
        return array.copy(order="K")


def _is_plain(info):
    is_packed = info.compress_type != zipfile.ZIP_STORED or info.flag_bits & ENCRYPTED
    return not is_packed and info.compress_size == info.file_size


def _model(members):
    model = put_together(json.loads(members.read(MODEL))["tree"], members.array)
    if not hasattr(model, "predict"):
        raise ValueError("it holds no model")
    return model
