"""Reading files: clean tables as `narxkit.files` and as pandas alone read them."""

import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from narxkit.files import read_series

from .harness import Case
from .report import Suite

LONG = 262_080, 12  # rows and columns beside the time: five years of ten minutes
WIDE = 300, 2_596


def table(path, n_rows, n_columns, freq, form="%Y-%m-%d %H:%M:%S", **how):
    """Write a table of floats over time, and return what it holds."""
    values = np.random.default_rng(0).normal(scale=100, size=(n_rows, n_columns)).round(4)
    frame = pd.DataFrame(values, columns=[f"x{i}" for i in range(n_columns)])
    frame.index = pd.date_range("2020-01-01", periods=n_rows, freq=freq, name="time")
    frame.set_axis(frame.index.strftime(form).rename("time")).to_csv(path, **how)
    return frame


def processor(function):
    """A gauge: seconds of processor time of a call."""

    def turn():
        start = time.process_time()
        function()
        return time.process_time() - start

    return turn


def reading(n_rows, n_columns, freq, **how):
    """narxkit and pandas on one file, which narxkit reads exactly."""
    folder = tempfile.TemporaryDirectory()
    path = Path(folder.name) / "table.csv"
    frame = table(path, n_rows, n_columns, freq, **how)
    pd.testing.assert_frame_equal(
        read_series(path).frame, frame, check_freq=False, check_index_type=False
    )
    options = {"sep": how.get("sep", ","), "decimal": how.get("decimal", ".")}

    def alone(keep=folder):  # the folder lives as long as the gauge
        frame = pd.read_csv(path, **options, date_format=how.get("form"), parse_dates=[0])
        assert frame["time"].dtype.kind == "M"

    return processor(lambda: read_series(path)), processor(alone)


GERMAN = {"form": "%d.%m.%Y %H:%M", "sep": ";", "decimal": ","}
SUITE = Suite(
    "Reading clean files, processor time",
    [
        Case(
            "262,080 rows x 13 columns",
            "pandas.read_csv(parse_dates=[0])",
            partial(reading, *LONG, "10min"),
            target=10,
            figure="ratio",
            repeats=7,
        ),
        Case(
            "262,080 rows x 13 columns, 31.12.2024 23:50;1,5",
            "pandas.read_csv with separator, decimal sign and date format",
            partial(reading, *LONG, "10min", **GERMAN),
            target=10,
            figure="ratio",
            repeats=5,
        ),
        Case(
            "300 rows x 2,597 columns",
            "pandas.read_csv(parse_dates=[0])",
            partial(reading, *WIDE, "h"),
            target=10,
            figure="ratio",
            repeats=7,
        ),
    ],
)
