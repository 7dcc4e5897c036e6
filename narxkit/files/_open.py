"""Files as text: what may be read, unpacked within bounds, in the encoding that it is in."""

import bz2
import gzip
import io
import lzma
import re
import stat
import tarfile
import zipfile
import zlib
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from contextlib import contextmanager
from functools import partial

from narxkit._words import printable

from ._formatting import listed

MOST_UNPACKED = 2**27  # bytes that any compressed file may hold
MOST_PACKED = 100  # times its size, beyond that; text is packed 3 to 30 times
CHUNK = 2**20
PACKED = {".gz", ".bz2", ".xz", ".zip", ".zst", ".tar"}
DAMAGE = (  # what damaged files raise while they are unpacked
    OSError, EOFError, ValueError, RuntimeError, NotImplementedError,
    lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
EMPTY = "{} is empty: give a table with a header line."
SAMPLE = 100_000  # bytes that tell the encoding
HIGH = rb"[\x80-\xff]"
# Encodings, and what their letters look like in bytes: Korean before Chinese, whose common
# characters include its bytes, and Western last, which can be anything.
LETTERS = {
    "cp932": rb"[\x88-\x97][\x40-\x7e\x80-\xfc]|\x82[\x9f-\xf1]|[\x81\x83][\x40-\x96]",
    "cp949": rb"[\xb0-\xc8][\xa1-\xfe]",
    "gb18030": rb"[\xb0-\xd7][\xa1-\xfe]|[\xa1\xa3][\xa1-\xfe]",
    "big5": rb"[\xa1\xa4-\xc6][\x40-\x7e\xa1-\xfe]",
    "cp1251": rb"[\xa8\xb8\xc0-\xff]{3,}",
}
LEAST_LETTERS = 0.8  # of the bytes that are no ASCII


def refuse_odd(path):
    """Refuse what is no ordinary file of a table: folders, pipes, devices, spreadsheets."""
    if path.suffix.lower() in (".xlsx", ".xls", ".ods"):
        name = printable(path.name)
        raise ValueError(f"{name} is a spreadsheet: save it as CSV and give that file.")
    mode, size = path.stat().st_mode, path.stat().st_size
    if stat.S_ISDIR(mode):
        raise ValueError(f"{printable(path)} is a folder: give a file in it.")
    if not stat.S_ISREG(mode):
        raise ValueError(f"{printable(path)} is no ordinary file: save its rows and give that.")
    if not size:  # as of endless files of the system, too
        raise ValueError(EMPTY.format(printable(path.name)))


def read_text(path, encoding=None):
    """Read the text of a file, and note its encoding."""
    name, content = printable(path.name), _unpacked(path)
    if encoding is None:
        encoding = _find_encoding(content)
        notes = _note_encoding(encoding)
        errors = "replace" if encoding == "cp1252" else "strict"  # five of its bytes mean nothing
    else:
        notes, errors = [], "strict"
    try:
        text = content.decode(encoding, errors=errors)
    except LookupError as error:
        raise ValueError(
            f"there is no encoding {encoding!r}: give one that Python knows, such as "
            "encoding=utf-8, encoding=cp1252 or encoding=gb18030."
        ) from error
    except UnicodeError as error:
        line = content.count(b"\n", 0, getattr(error, "start", 0)) + 1
        raise ValueError(
            f"line {line} of {name} is no {encoding}: give another encoding with encoding=NAME."
        ) from error
    # a binary file in which every byte happens to be a letter
    if "\x00" in text:
        at = text.index("\x00")
        where = f"line {text.count(chr(10), 0, at) + 1} holds bytes of zero" if at > 4096 else ""
        raise ValueError(
            f"{name} is no text file{where and f' ({where})'}: save the table as CSV and give "
            "that file."
        )
    return text.removeprefix("\ufeff"), notes


def _unpacked(path):
    """Read the bytes of a file, of a compressed one up to a bound."""
    suffix = path.suffix.lower()
    if suffix not in PACKED:
        with path.open("rb") as file:
            # no more than its size now: a log that grows would never end
            return file.read(path.stat().st_size)
    try:
        if suffix == ".zip":
            return _of_zip(path)
        with OPENERS[suffix](path) as file:
            content = _read(file, path)
        return _of_tar(content, path) if ".tar" in path.suffixes[-2:] else content
    except ImportError as error:
        raise ImportError(
            f"{printable(path.name)} needs a package to be unpacked ({error}): unpack it and "
            "give that file."
        ) from error
    except _Refusal as error:
        raise ValueError(str(error)) from error
    except DAMAGE as error:
        if getattr(error, "errno", None) is not None:  # not there, or no right to read it
            raise
        raise ValueError(
            f"{printable(path.name)} cannot be unpacked ({printable(error) or 'it ends early'}): "
            f"it is damaged, or no {suffix} file of one table."
        ) from error


class _Refusal(Exception):
    """A file that is not damaged, but cannot be read all the same."""


def _of_zip(path):
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        with archive.open(_only(names, path)) as file:
            return _read(file, path)


def _of_tar(content, path):
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
        names = [member.name for member in archive if member.isfile()]
        with archive.extractfile(_only(names, path)) as file:
            return _read(file, path)


def _only(names, path):
    """Return the name of the one file in an archive."""
    names = [name for name in names if not name.startswith("__MACOSX/")]  # Finder's notes
    if len(names) != 1:
        raise _Refusal(
            f"{printable(path.name)} holds {len(names)} files ({listed(names)}): unpack it and "
            "give one of them."
        )
    return names[0]


@contextmanager
def _open_zstandard(path):
    try:
        from compression import zstd  # from Python 3.14 on
    except ImportError:
        import zstandard as zstd
    try:
        with zstd.open(path, "rb") as file:
            yield file
    except zstd.ZstdError as error:
        raise ValueError(str(error)) from error


OPENERS = {
    ".gz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
    ".zst": _open_zstandard,
    ".tar": partial(open, mode="rb"),
}


def _read(handle, path):
    size = path.stat().st_size
    # a small file may unpack to terabytes
    most, parts, n = max(MOST_UNPACKED, MOST_PACKED * size), [], 0
    while part := handle.read(CHUNK):
        parts.append(part)
        n += len(part)
        if n > most:
            raise _Refusal(
                f"{printable(path.name)} has {size:,} bytes and unpacks to more than {most:,}: if "
                "that is a table, unpack it and give that file."
            )
    return b"".join(parts)


def _find_encoding(content):
    """Find the encoding of a text by its mark, its zeros and its letters."""
    if content[:2] in (BOM_UTF16_LE, BOM_UTF16_BE):
        return "utf-16"
    for start, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        # Western text in UTF-16 without a mark has a zero in every other byte
        zeros = content[start:2000:2]
        if len(zeros) > 8 and zeros.count(0) > 0.9 * len(zeros):
            return encoding
    try:
        # hardly any text in another encoding is valid UTF-8 by chance
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        return _by_letters(content[max(0, error.start - SAMPLE // 2) :][:SAMPLE])
    return "utf-8"


def _by_letters(sample):
    """Find the encoding by letters; one of two bytes must make a word somewhere.

    One such letter alone is rather a Western sign beside another, as in ``W/m²]``.
    """
    n_high = len(re.findall(HIGH, sample))
    # the encoding in which most bytes above 127 are letters
    shares = {}
    for encoding, letters in LETTERS.items():
        found = b"".join(re.findall(letters, sample))
        has_word = encoding == "cp1251" or re.search(b"(?:%b){2}" % letters, sample)
        shares[encoding] = len(re.findall(HIGH, found)) / n_high if has_word else 0.0
    best = max(shares, key=shares.get)
    return best if shares[best] >= LEAST_LETTERS else "cp1252"


def _note_encoding(encoding):
    if encoding.startswith("utf"):
        return []
    return [f"Its text is read as {encoding}; name another encoding with encoding=NAME."]
