"""Damaged and forged models: each is refused in a sentence, or is the model that was saved.

``python tests/archive_mutations.py --cases 20000`` takes saved models, damages each, and loads it.
Half of the cases are forged: what they hold has the right sizes and digests, as if somebody had
written it who knows the format. Those may be another model, of which a verb raises an exception or
takes its time; but none runs anything, and none ends the process. A case is its number: ``--first
731 --cases 1`` runs that one again.
"""

import argparse
import io
import json
import os
import pickle
import random
import signal
import sys
import tempfile
import warnings
import zipfile
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd

import narxkit
from narxkit.export import archive

try:
    import resource
except ImportError:  # Windows
    resource = None

SECONDS = 20  # of a file that is read, after which it counts as hanging
PATIENCE = 2  # seconds of a verb of a forged model, which may have any number of lags
GIGABYTES = 4  # of memory, at most
MARK = "narxkit-was-run"  # a file that a payload makes where it is run
NOT_ALLOWED = {"pickle.find_class", "os.system", "subprocess.Popen", "exec"}
TEXTS = [
    "",
    "NARX",
    "GeneticSearchCV",
    "os.system",
    "__class__",
    "../m",
    "arrays/0.npy",
    "\x1b[31m",
]
NUMBERS = [0, -1, 1, 2**31, 2**63, 10**400, 0.5, 1e308, True, None]
KINDS = ["tuple", "dict", "array", "value", "estimator", "offset", "times", "index", "frame",
         "levels", "objects", "timestamp", "scalar", "random_state", "float", "exec"]  # fmt: skip


class Slow(BaseException):
    """The time is over."""


class Payload:
    """What runs where it is unpickled."""

    def __reduce__(self):
        return os.system, (f"touch {MARK}",)


def models():
    """Return the bytes of a few saved models."""
    for name in narxkit.__all__:
        getattr(narxkit, name)  # what is imported runs code of its own, and is not watched
    hours = pd.date_range("2024-03-30", periods=60, freq="h", tz="Europe/Berlin")
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(60, 2)), index=hours, columns=["a", "b"])
    y = pd.Series(3 + rng.random(60), index=hours, name="y")
    quick = {"max_iter": 2, "hidden_layer_sizes": (2,), "random_state": 0, "alpha": 0.1}
    made = [
        narxkit.NARX(calendar=["hour"], **quick).fit(X, y),
        narxkit.NARX(solver=narxkit.CMAES(), **quick).fit(None, y),
        narxkit.GRURegressor(window=4, **quick).fit(X, y),
        narxkit.TransformedForecaster(narxkit.ARX(), "boxcox", [1]).fit(None, y),
        narxkit.Climatology(by=("hour",)).fit(None, pd.concat({"p": y, "q": y})),
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "m.narx")
        contents = []
        for model in made:
            model.save(path)
            contents.append(path.read_bytes())
    return contents


# --- damages -------------------------------------------------------------------------------------


def mutated(number, contents):
    """Return the bytes of a case, and whether it is forged: signed as if it had been saved."""
    rng = random.Random(number)
    content = rng.choice(contents)
    if rng.random() < 0.5:
        return rng.choice(FORGERIES)(rng, content), True
    for _ in range(rng.randint(1, 3)):
        content = rng.choice(DAMAGES)(rng, content)
    return content, False


def flip(rng, content):
    content = bytearray(content)
    for _ in range(rng.choice([1, 1, 2, 30]) if content else 0):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    return bytes(content)


def truncate(rng, content):
    return content[: rng.randrange(len(content) + 1)]


def remove(rng, content):
    first, last = sorted(rng.randrange(len(content) + 1) for _ in range(2))
    return content[:first] + content[last:]


def repeat(rng, content):
    first, last = sorted(rng.randrange(len(content) + 1) for _ in range(2))
    return content[:last] + content[first:]


def blank(rng, content):
    at = rng.randrange(len(content) + 1)
    n = rng.randint(1, 64)
    return content[:at] + bytes(n) + content[at + n :]


def insert(rng, content):
    at = rng.randrange(len(content) + 1)
    return content[:at] + rng.choice([pickle.dumps(Payload()), rng.randbytes(20)]) + content[at:]


def opened(content):
    """Return the members of an archive; none where it is damaged already."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            return {info.filename: file.read(info) for info in file.infolist()}
    except Exception:
        return {}


def closed(members, compression=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", compression) as file:
        warnings.simplefilter("ignore")  # of names that come twice
        for name, data in members.items() if isinstance(members, dict) else members:
            file.writestr(zipfile.ZipInfo(name), data, compression)
    return buffer.getvalue()


def swap_members(rng, content):
    """Exchange the contents of two members, in a zip that is whole."""
    members = opened(content)
    if len(members) > 1:
        one, other = rng.sample(sorted(members), 2)
        members[one], members[other] = members[other], members[one]
    return closed(members)


def edit_member(rng, content):
    members = opened(content)
    if members:
        name = rng.choice(sorted(members))
        members[name] = rng.choice([flip, truncate, blank, lambda *_: pickle.dumps(Payload())])(
            rng, members[name]
        )
    return closed(members)


def rename_member(rng, content):
    members = opened(content)
    if members:
        name = rng.choice(sorted(members))
        members[rng.choice(["../../evil", "/tmp/evil", "", "x" * 300])] = members.pop(name)
    return closed(members)


def double_member(rng, content):
    members = list(opened(content).items())
    return closed(members + members[-1:])


def pack(rng, content):
    return closed(opened(content), zipfile.ZIP_DEFLATED)


DAMAGES = [
    flip, flip, truncate, remove, repeat, blank, insert, swap_members, edit_member, edit_member,
    rename_member, double_member, pack,
]  # fmt: skip


# --- forgeries: all digests are right ------------------------------------------------------------


def resigned(members, /, **manifest):
    """Close an archive with a manifest of what it holds."""
    members = {name: data for name, data in members.items() if name != archive.MANIFEST}
    sizes = {name: [len(data), sha256(data).hexdigest()] for name, data in members.items()}
    manifest = {
        "format": archive.FORMAT, "version": archive.VERSION, "narxkit": "0.1.0",
        "members": sizes, **manifest,
    }  # fmt: skip
    return closed({archive.MANIFEST: json.dumps(manifest).encode(), **members})


def forge_array(rng, content):
    members = opened(content)
    names = [name for name in members if name.endswith(".npy")]
    shape, kind = (
        rng.choice([(3,), (10**9,), (2**40, 2), (-1,), ()]),
        rng.choice(["<f8", "|O", "<U9"]),
    )
    header = f"{{'descr': {kind!r}, 'fortran_order': {rng.random() < 0.5}, 'shape': {shape}, }}"
    header = header.ljust(117) + "\n"
    version = rng.choice([b"\x01\x00", b"\x01\x00", b"\x02\x00"])
    array = b"\x93NUMPY" + version + len(header).to_bytes(2, "little") + header.encode()
    other = io.BytesIO()
    np.save(other, np.full(rng.choice([(1,), (4,), (2, 2), ()]), rng.choice(NUMBERS[-4:-2])))
    members[rng.choice(names)] = rng.choice(
        [pickle.dumps(Payload()), array, array + bytes(24), other.getvalue(), b"",
         pickle_in_array()]
    )  # fmt: skip
    return resigned(members)


def pickle_in_array():
    buffer = io.BytesIO()
    np.save(buffer, np.array([Payload()], dtype=object), allow_pickle=True)
    return buffer.getvalue()


def forge_tree(rng, content):
    """Change a node of the tree into another value."""
    members = opened(content)
    model = json.loads(members[archive.MODEL])
    for _ in range(rng.randint(1, 3)):
        places = list(nodes(model))
        owner, key = rng.choice(places)
        if isinstance(owner, dict) and rng.random() < 0.3:
            owner[rng.choice(KINDS)] = owner.pop(key)
        elif isinstance(owner, list) and rng.random() < 0.2:
            del owner[key]
        else:
            owner[key] = any_value(rng, rng.choice(places))
    members[archive.MODEL] = json.dumps(model).encode()
    return resigned(members)


def nodes(tree):
    """Yield each node of a tree as its owner and its key there."""
    keys = range(len(tree)) if isinstance(tree, list) else tree
    for key in list(keys) if isinstance(tree, list | dict) else ():
        yield tree, key
        yield from nodes(tree[key])


def any_value(rng, place):
    owner, key = place
    return rng.choice(
        [rng.choice(NUMBERS), rng.choice(TEXTS), copied(owner[key]), [], {},
         {rng.choice(KINDS): [rng.choice(TEXTS), copied(owner[key])]}]
    )  # fmt: skip


def copied(tree):
    return json.loads(json.dumps(tree))


def forge_depth(rng, content):
    members = opened(content)
    n = rng.choice([10, 500, 50_000])
    members[archive.MODEL] = b'{"tree": ' + b'{"tuple": [' * n + b"]}" * n + b"}"
    return resigned(members)


def forge_manifest(rng, content):
    members = opened(content)
    change = {rng.choice(["format", "version", "narxkit", "members"]): rng.choice(
        [*NUMBERS, *TEXTS, [], {}])}  # fmt: skip
    return resigned(members, **change)


FORGERIES = [
    forge_array,
    forge_tree,
    forge_tree,
    forge_tree,
    forge_tree,
    forge_depth,
    forge_manifest,
]


# --- judging -------------------------------------------------------------------------------------


def judged(path, content, is_forged, originals):
    """Return what is wrong with how a case ends, None where all is well."""
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with limited(SECONDS):
                model = narxkit.load(path)
        except ValueError as error:
            text = str(error)
            is_sentence = text.startswith(str(path)) and text.endswith(".") and "\n" not in text
            return None if is_sentence and text.isprintable() else f"no sentence: {text!r}"
        except (Exception, Slow) as error:
            return f"{type(error).__name__}: {error}"
        if not is_forged:
            model.save(path)
            return None if path.read_bytes() in originals else "another model"
        use(model)
    return None


def use(model):
    """Call verbs of a model that nobody has fitted: they must not end the process."""
    X = np.ones((60, 2)) if getattr(model, "n_features_in_", 0) else None
    for verb, arguments in (("forecast", (2,)), ("predict_ahead", (X, np.arange(60.0)))):
        with suppress(Exception, Slow), limited(PATIENCE):
            getattr(model, verb)(*arguments)


@contextmanager
def limited(seconds):
    """Raise where something takes longer, on systems that know alarms."""
    if not hasattr(signal, "alarm"):
        yield
        return
    signal.signal(signal.SIGALRM, end)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


def end(*_):
    raise Slow("it takes too long")


def run_cases(numbers):
    """Run cases, print those that fail, and return how many there are."""
    contents, failures, happened = models(), 0, []
    watch(happened)
    if resource:
        resource.setrlimit(resource.RLIMIT_AS, (GIGABYTES * 2**30,) * 2)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for number in numbers:
            content, is_forged = mutated(number, contents)
            happened.clear()
            fault = judged(Path("m.narx"), content, is_forged, contents)
            ran = set(happened) & NOT_ALLOWED or Path(MARK).exists()
            if fault or ran:
                failures += 1
                print(f"case {number}: {fault or f'something was run: {ran}'}", flush=True)
    return failures


def watch(happened):
    """Note the events of the interpreter that a file must not lead to."""

    def note(event, arguments):
        # a module of narxkit that is imported when it is first asked for is one on the disk
        is_import = event == "exec" and Path(arguments[0].co_filename).exists()
        if event in NOT_ALLOWED and not is_import:
            happened.append(event)

    sys.addaudithook(note)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cases", type=int, default=20_000, help="default: 20000")
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    args = parser.parse_args()
    failures = run_cases(range(args.first, args.first + args.cases))
    print(f"{args.cases:,} cases: {failures:,} failed.")
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
