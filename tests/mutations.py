"""Damaged files through the command: it forecasts, or says in one sentence why not.

``python tests/mutations.py --cases 1000`` takes clean files in several dialects, damages each in
one to three ways, and gives them to the command. Every case must end with exit code 0 or 2, with
one line on stderr where it is 2 (and otherwise none but warnings), within 2 GB and 60 seconds of
processor time, which do not depend on what else the machine does. A case is its number:
``--first 731 --cases 1`` runs that one again. ``--keep`` keeps the files of cases that fail.
"""

import argparse
import bz2
import gzip
import io
import json
import lzma
import os
import re
import shutil
import signal
import sys
import tempfile
import warnings
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

SECONDS, GIGABYTES = 60, 2  # of processor time, and of memory
PATIENCE = 1800  # seconds in all, for a case that waits instead of working
N_ROWS = 90
HORIZON = 3


# --- clean files -------------------------------------------------------------------------------


def clean_files():
    """Return files by name, each as its bytes and the options that forecast it."""
    rng = np.random.default_rng(0)
    load = 50 + 10 * np.sin(np.arange(N_ROWS) * 2 * np.pi / 7) + rng.normal(size=N_ROWS)
    table = pd.DataFrame({"load": load.round(2), "wind": rng.normal(size=N_ROWS).round(3)})
    days = table.set_axis(pd.date_range("2024-01-01", periods=N_ROWS, name="date"))
    hours = table.set_axis(pd.date_range("2024-03-30", periods=N_ROWS, freq="h", name="time"))
    months = table.set_axis(pd.date_range("2010-01-01", periods=N_ROWS, freq="MS", name="month"))
    parts = hours.assign(date=hours.index.strftime("%m/%d/%Y"), clock=hours.index.strftime("%H:%M"))
    german = hours.rename(columns={"load": "Last (kW)", "wind": "Windstärke"}).to_csv(
        sep=";", decimal=",", date_format="%d.%m.%Y %H:%M"
    )
    plain = days.to_csv()
    files = {
        "days.csv": plain.encode(),
        "hours.tsv": hours.to_csv(sep="\t", date_format="%Y-%m-%dT%H:%M:%S+01:00").encode(),
        "german.csv": german.encode("cp1252"),
        "months.csv": months.to_csv(date_format="%Y-%m").encode("utf-8-sig"),
        "american.csv": parts[["date", "clock", "load", "wind"]].to_csv(index=False).encode(),
        "rows.txt": table.to_csv(index=False, lineterminator="\r\n").encode(),
        "pipes.csv": days.to_csv(sep="|", quoting=1).encode(),
        "wide.csv": days.to_csv(encoding="utf-16").encode("utf-16"),
        "thousands.csv": (1e4 * days).map("{:,.1f}".format).to_csv().encode(),
        "days.csv.gz": gzip.compress(plain.encode(), mtime=0),
        "days.csv.bz2": bz2.compress(plain.encode()),
        "days.csv.xz": lzma.compress(plain.encode()),
        "days.csv.zip": zipped(plain.encode()),
    }
    try:
        buffer = io.BytesIO()
        days.to_parquet(buffer)
        files["days.parquet"] = buffer.getvalue()
    except ImportError:
        pass
    return files


def zipped(content):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("days.csv", content)
    return buffer.getvalue()


PACKED = {  # by ending: how to unpack and to pack
    ".gz": (gzip.decompress, gzip.compress),
    ".bz2": (bz2.decompress, bz2.compress),
    ".xz": (lzma.decompress, lzma.compress),
    ".zip": (lambda content: zipfile.ZipFile(io.BytesIO(content)).read("days.csv"), zipped),
}


# --- damage ------------------------------------------------------------------------------------

SEPARATORS = [b",", b";", b"\t", b"|", b" ", b":", b"\x1f"]
CELLS = [
    *[
        b"",
        b"NaN",
        b"NA",
        b"null",
        b"#DIV/0!",
        b"-",
        b"\xef\xbb\xbf",
        b"\x00",
        b"\x1b[2J\x07",
        b"'",
    ],
    *[b"1e308", b"-1e308", b"1e999", b"inf", b"-inf", b"1e-320", b"9" * 400, b"0x1F", b"1_000"],
    *[b"1.234,5", b"12,5 %", b"$ 3", b"(5)", "−3".encode(), "٣".encode(), "１２".encode()],
    *[b"=1+1", b"@SUM(A1)", b'"', b'""', b'a"b', b"a\nb", b"\r", b"x" * 100_000, b"\xff\xfe"],
    *["\u202e".encode(), "\U0001f600".encode(), b"true", b"None", b"$x_$", b"[red]", b"-200"],
]
DATES = [
    *[b"0001-01-01", b"9999-12-31", b"1970-01-01", b"1970-01-01 00:00:01", b"2024-02-30"],
    *[b"31.02.2024", b"13/13/2024", b"2024-13-01", b"24:00", b"0", b"-1", b"1e18", b"now", b"nat"],
    *[b"2262-04-11 23:47:17", b"1677-09-21", b"20240101", b"1704067200", b"2024-W01-1", b"25:61"],
    *[b"2024-01-01 00:00:00.000000001", b"2024-01-01T00:00:00+99:00", b"Feb 2024", b"Q1 2024"],
]


def flip_bytes(content, rng):
    content = bytearray(content)
    for place in rng.integers(0, max(1, len(content)), rng.integers(1, 20)):
        if content:
            content[place] ^= 1 << rng.integers(8)
    return bytes(content)


def truncate(content, rng):
    return content[: rng.integers(0, len(content) + 1)]


def cut_out(content, rng):
    first, stop = np.sort(rng.integers(0, len(content) + 1, 2))
    return content[:first] + content[stop:]


def insert(content, rng):
    place = rng.integers(0, len(content) + 1)
    return content[:place] + pick(rng, CELLS + SEPARATORS) + content[place:]


def append_itself(content, rng):
    return content + content


def append_noise(content, rng):
    return content + rng.bytes(int(rng.integers(1, 200)))


def prepend_mark(content, rng):
    return pick(rng, [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\x00", b"PK\x03\x04"]) + content


def empty(content, rng):
    return pick(rng, [b"", b"\n", b" ", b"\n" * 1000, b"\xef\xbb\xbf", b",", b"\x00" * 100])


def keep_header(content, rng):
    return b"\n".join(content.split(b"\n")[: rng.integers(1, 4)])


def drop_header(content, rng):
    return content.partition(b"\n")[2]


def repeat_header(content, rng):
    lines = content.split(b"\n")
    for place in rng.integers(0, len(lines) + 1, rng.integers(1, 4)):
        lines.insert(place, lines[0])
    return b"\n".join(lines)


def drop_lines(content, rng):
    lines = content.split(b"\n")
    kept = rng.random(len(lines)) < rng.choice([0.1, 0.5, 0.9, 0.98])
    return b"\n".join(line for line, is_kept in zip(lines, kept) if is_kept)


def repeat_lines(content, rng):
    lines = content.split(b"\n")
    times = rng.choice([1, 1, 1, 2, 50], len(lines))
    return b"\n".join(line for line, n in zip(lines, times) for _ in range(n))


def shuffle_lines(content, rng):
    header, *lines = content.split(b"\n")
    return b"\n".join([header, *(lines[i] for i in rng.permutation(len(lines)))])


def reverse_lines(content, rng):
    header, *lines = content.split(b"\n")
    return b"\n".join([header, *reversed(lines)])


def change_separator(content, rng):
    return content.replace(separator_of(content), pick(rng, SEPARATORS))


def change_line_ends(content, rng):
    return content.replace(
        b"\n", pick(rng, [b"\r", b"\r\n", b"\n\n", b"\x0b", b"\xe2\x80\xa8", b""])
    )


def replace_cells(content, rng):
    return edit_cells(
        content, rng, lambda cells, i: [*cells[:i], pick(rng, CELLS), *cells[i + 1 :]]
    )


def drop_cells(content, rng):
    return edit_cells(content, rng, lambda cells, i: cells[:i] + cells[i + 1 :])


def repeat_cells(content, rng):
    return edit_cells(content, rng, lambda cells, i: cells[: i + 1] + cells[i:])


def shuffle_cells(content, rng):
    return edit_cells(
        content, rng, lambda cells, i: [cells[j] for j in rng.permutation(len(cells))]
    )


def wrong_dates(content, rng):
    return edit_cells(content, rng, lambda cells, i: [pick(rng, DATES), *cells[1:]])


def one_value(content, rng):
    return re.sub(rb"\d+\.\d+", pick(rng, [b"5.0", b"0.0", b"1e300", b"1e-300", b""]), content)


def edit_cells(content, rng, edit):
    """Return the content with one cell edited, or one in some lines, or one in all of them."""
    lines, separator = content.split(b"\n"), separator_of(content)
    column = int(rng.integers(0, 4))
    share = rng.choice([0.0, 0.1, 1.0])
    chosen = {int(rng.integers(0, len(lines)))} if share == 0 else range(len(lines))
    for row in chosen:
        cells = lines[row].split(separator)
        if rng.random() <= max(share, 1.0 * (share == 0)):
            lines[row] = separator.join(edit(cells, min(column, len(cells) - 1)))
    return b"\n".join(lines)


def separator_of(content):
    first = content.partition(b"\n")[0]
    return max(SEPARATORS[:4], key=first.count)


def pick(rng, choices):
    return choices[int(rng.integers(len(choices)))]


OF_BYTES = [flip_bytes, truncate, cut_out, insert, append_itself, append_noise, prepend_mark, empty]
OF_TEXT = [
    *[keep_header, drop_header, repeat_header, drop_lines, repeat_lines, shuffle_lines],
    *[reverse_lines, change_separator, change_line_ends, replace_cells, drop_cells, repeat_cells],
    *[shuffle_cells, wrong_dates, one_value, insert, truncate, flip_bytes],
]


def make_case(number, files):
    """Return the name of a file, its damaged bytes, the arguments, and the damage in words."""
    rng = np.random.default_rng(number)
    name = list(files)[number % len(files)]
    content, done = files[name], []
    unpack, pack = PACKED.get(Path(name).suffix, (bytes, bytes))
    is_outer = name.endswith(".parquet") or (unpack is not bytes and rng.random() < 0.5)
    content = content if is_outer else unpack(content)
    for _ in range(rng.integers(1, 4)):
        damage = pick(rng, OF_BYTES if is_outer else OF_TEXT + OF_BYTES)
        content = damage(content, rng)
        done.append(damage.__name__)
    content = content if is_outer else pack(content)
    return name, content, arguments(number, name), ", ".join(done)


def arguments(number, name):
    """Return the arguments of the command: most often a quick forecast, written into a file."""
    target = "Last (kW)" if name == "german.csv" else "load"
    series = [name, "--target", target, "--horizon", str(HORIZON)]
    kind = number // 14 % 8
    if kind == 6:
        return ["diagnose", *series]
    if kind == 7:
        return ["forecast", *series, "--inputs", "wind", "--out", "out.csv", "--plot", "out.svg"]
    return ["forecast", *series, "--model", "arx", "--out", "out.csv"]


# --- runs --------------------------------------------------------------------------------------


def start(folder, name, content, argv):
    """Run the command in a copy of this process, which has imported all that is heavy."""
    folder.mkdir()
    (folder / name).write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads, which wait for work
        process = os.fork()
    if process:
        return process
    import resource

    code = 70  # where the command itself fails to end
    try:
        os.chdir(folder)
        for descriptor, stream in ((1, "stdout"), (2, "stderr")):
            os.dup2(os.open(stream, os.O_WRONLY | os.O_CREAT), descriptor)
        most = used_memory() + GIGABYTES * 2**30
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS + 1, SECONDS + 2))
        signal.alarm(PATIENCE)
        code = in_streams_of_its_own(argv)
    finally:
        os._exit(code)


def in_streams_of_its_own(argv):
    from narxkit.cli import main

    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)
    try:
        code = main(argv)
    except SystemExit as end:
        code = end.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def used_memory():
    """Return bytes of data that this process has already."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 2**30
    return 1024 * int(re.search(r"VmData:\s+(\d+)", status.read_text())[1])


def judge(folder, argv, code, seconds, gigabytes):
    """Return the faults of how the command ended, in words; none where all is well."""
    out = (folder / "stdout").read_text(encoding="utf-8", errors="replace")
    lines = (folder / "stderr").read_text(encoding="utf-8", errors="replace").splitlines()
    errors = [line for line in lines if not line.startswith("narxkit: warning: ")]
    faults = {
        f"exit code {code}": code not in (0, 2),
        "not one line for an error": len(errors) != (code == 2),
        "a line that is no sentence of narxkit": any(
            not line.startswith("narxkit: ") or not line.endswith((".", ")")) for line in lines
        ),
        "a defect": any("a defect of narxkit" in line for line in errors),
        "out of memory": any("not enough memory" in line for line in errors),
        f"{seconds:.0f} seconds of processor time": seconds > SECONDS,
        f"{gigabytes:.1f} GB": gigabytes > GIGABYTES,
        "control characters": bool(re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", out)),
        "a part of a file": bool(list(folder.glob(".part-*"))),
        "no forecast": code == 0 and "out.csv" in argv and not is_forecast(folder / "out.csv"),
    }
    return [fault for fault, is_there in faults.items() if is_there]


def is_forecast(path):
    """Tell whether a file holds a number for each step."""
    if not path.exists():
        return False
    table = pd.read_csv(path)
    return len(table) == HORIZON and bool(np.isfinite(table.iloc[:, 1]).all())


def run_cases(numbers, keep=None, n_jobs=2, stream=sys.stdout):
    """Run cases and print how they ended; the number of those that failed."""
    import narxkit.evaluation  # noqa: F401
    import narxkit.report  # noqa: F401  (copies of this process need not import it again)

    files, codes, failures, running = clean_files(), Counter(), 0, {}
    numbers = list(numbers)
    with tempfile.TemporaryDirectory() as root:
        while numbers or running:
            if numbers and len(running) < n_jobs:
                number = numbers.pop(0)
                case = make_case(number, files)
                folder = Path(root, str(number))
                running[start(folder, *case[:3])] = number, folder, case
                continue
            process, status, usage = os.wait4(-1, 0)
            number, folder, case = running.pop(process)
            name, _, argv, damage = case
            code = os.waitstatus_to_exitcode(status)
            codes[code] += 1
            gigabytes = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 2**30
            seconds = usage.ru_utime + usage.ru_stime
            faults = judge(folder, argv, code, seconds, gigabytes)
            if faults:
                failures += 1
                report(stream, number, name, damage, argv, faults, folder)
                if keep:
                    shutil.copytree(folder, Path(keep, str(number)), dirs_exist_ok=True)
                    Path(keep, str(number), "argv.json").write_text(json.dumps(argv))
            shutil.rmtree(folder)
    counts = ", ".join(f"{n:,} with exit code {code}" for code, n in sorted(codes.items()))
    print(f"{sum(codes.values()):,} cases: {counts}; {failures:,} failed.", file=stream)
    return failures


def report(stream, number, name, damage, argv, faults, folder):
    said = (folder / "stderr").read_text(encoding="utf-8", errors="replace")
    print(f"case {number}, {name} ({damage}), {argv[0]}: {'; '.join(faults)}", file=stream)
    print(
        "".join(f"    {line[:300]}\n" for line in said.splitlines()[-8:]), file=stream, flush=True
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cases", type=int, default=1000, help="default: 1000")
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="cases at the same time")
    parser.add_argument("--keep", metavar="FOLDER", help="where cases that fail are kept")
    args = parser.parse_args()
    numbers = range(args.first, args.first + args.cases)
    return int(run_cases(numbers, args.keep, args.jobs) > 0)


if __name__ == "__main__":
    sys.exit(main())
