"""Small files that people really have, each read as it should be, or refused with what helps."""

from pathlib import Path

import pytest

from narxkit.cli import main
from narxkit.files import format_label, read_series

CASES = Path(__file__).resolve().parents[2] / "shared" / "cases"

pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not here")

READ = {  # rows, step, first and last time, columns, what a sentence says, options
    "blank_separated.txt": (150, "step of 0.1", 0, 149, ["c2", "c3"], "'c1'", {"header": False}),
    "currency_percent.csv": (
        120, "weekly", "2020-01-03 00:00", "2022-04-15 00:00", ["Weekly_Sales", "Margin"],
        "'Weekly_Sales' holds numbers with a unit, such as '$12,146.07', read without it.", {},
    ),
    "daily_pageviews.csv": (2964, "daily", "2007-12-10 00:00", "2016-01-20 00:00", ["y"], "", {}),
    "date_and_hr.csv": (
        240, "hourly", "2024-01-01 00:00", "2024-01-10 23:00", ["instant", "temp", "cnt"],
        "columns 'dteday' and 'hr'", {},
    ),
    "elapsed_seconds.csv": (200, "step of 0.1", 0, 199, ["u", "y"], "column 'time'", {}),
    "epoch_float.csv": (240, "hourly", "2023-01-01 00:00", "2023-01-10 23:00", ["value"], "", {}),
    "epoch_ms_open_time.csv": (
        240, "hourly", "2023-01-01 00:00", "2023-01-10 23:00",
        ["open", "high", "low", "close", "volume"], "column 'open_time'", {},
    ),
    "footer_line.csv": (
        120, "monthly", "1990-01-01 00:00", "1999-12-01 00:00", ["Passengers"],
        "Line 122 has no time that can be read; the row is left out.", {},
    ),
    "gbk.csv": (
        240, "hourly", "2024-01-01 00:00", "2024-01-10 23:00", ["负荷(MW)", "温度"],
        "Its text is read as gb18030", {},
    ),
    "interval_of_time.csv": (
        240, "hourly", "2024-01-01 00:00", "2024-01-10 23:00", ["Load"], "in CET", {},
    ),
    "missing_code_200.csv": (
        480, "hourly", "2024-01-01 00:00", "2024-01-20 23:00", ["CO(GT)", "T"],
        "'CO(GT)' is -200 in 31 rows: if that means missing, read it so with missing=-200.", {},
    ),
    "month_year.csv": (
        120, "monthly", "1990-01-01 00:00", "1999-12-01 00:00", ["Passengers"], "", {},
    ),
    "monthly_us_dates.csv": (
        120, "monthly", "1990-01-01 00:00", "1999-12-01 00:00", ["UNRATE"],
        "read as month/day/year, though day.month.year is possible too", {},
    ),
    "one_cell_more.csv": (
        120, "monthly", "1990-01-01 00:00", "1999-12-01 00:00",
        ["Decimal Date", "Average", "Trend", "column 5"],
        "Rows have 5 cells, but the header names 4; the last: 'column 5'.", {},
    ),
    "pipe_in_cells.csv": (
        240, "hourly", "2024-01-01 00:00", "2024-01-10 23:00", ["Actual Total Load (MW)"],
        "'Area' holds text and is left out.", {},
    ),
    "shift_jis.csv": (
        240, "hourly", "2024-01-01 00:00", "2024-01-10 23:00", ["実績(万kW)", "予測(万kW)"],
        "Its text is read as cp932", {},
    ),
    "times_with_dots.csv": (
        240, "hourly", "2024-01-01 00:00", "2024-01-10 23:00", ["CO(GT)", "PT08.S1(CO)"],
        "columns 'Date' and 'Time'", {},
    ),
    "year_month_day_hour.csv": (
        240, "hourly", "2024-01-01 00:00", "2024-01-10 23:00", ["No", "pm2.5"],
        "columns 'year', 'month', 'day' and 'hour'", {},
    ),
}  # fmt: skip
REFUSED = {
    "blank_separated.txt": "add a header line, or read it with --no-header.",
    "two_series_long.csv": "the column 'unique_id' tells several series apart ('A', 'B')",
    "wide_table.csv": "the rows of wide_table.csv look like series, one each ('H1', 'H2', 'H3',",
}


@pytest.mark.parametrize("name", READ)
def test_what_is_read(name):
    n, step, first, last, columns, note, options = READ[name]
    series = read_series(CASES / name, **options)
    labels = list(series.frame.index)
    if not isinstance(labels[0], int):
        labels = list(map(format_label, labels))
    assert (len(labels), labels[0], labels[-1]) == (n, first, last)
    assert list(series.frame) == columns
    assert step in series.notes[0] and note in " ".join(series.notes)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name, capsys):
    assert main(["forecast", str(CASES / name), "--model", "arx", "--horizon", "2"]) == 2
    assert REFUSED[name] in " ".join(capsys.readouterr().err.split())


def test_every_case_is_here():
    names = {path.name for path in CASES.iterdir()} - {"README.md"}
    assert names == READ.keys() | REFUSED.keys()


def test_a_code_that_is_named_is_missing():
    series = read_series(CASES / "missing_code_200.csv", missing=-200)
    values = series.frame["CO(GT)"]
    assert values.isna().sum() == 31 and values.min() > 0.3 and values.max() < 8
    assert "-200 counts as missing, in 31 cells." in series.notes


def test_rows_without_a_column_of_times():
    series = read_series(CASES / "elapsed_seconds.csv", time=False)
    assert list(series.frame) == ["time", "u", "y"] and series.clock is None


def test_monthly_dates_are_forecast_for_the_next_month(capsys):
    path = str(CASES / "monthly_us_dates.csv")
    assert main(["forecast", path, "--horizon", "3", "--model", "arx"]) == 0
    assert "2000-01" in capsys.readouterr().out


@pytest.mark.parametrize(
    "name, options",
    [
        ("blank_separated.txt", ["--no-header", "--target", "c3", "--inputs", "c2"]),
        ("elapsed_seconds.csv", ["--time", "none", "--target", "y", "--inputs", "u"]),
        ("gbk.csv", ["--encoding", "gbk", "--target", "负荷(MW)"]),
        ("missing_code_200.csv", ["--missing", "-200", "--target", "CO(GT)"]),
    ],
)
def test_options_of_reading(name, options, capsys):
    argv = ["forecast", str(CASES / name), *options, "--model", "arx", "--horizon", "4"]
    assert main(argv) == 0
    assert "Forecast by" in capsys.readouterr().out
