"""Files as people keep them: what is read, what is mended, and what is reported about it."""

import bz2
import gzip
import io
import lzma
import os
import re
import sys
import tarfile
import tracemalloc
import zipfile
from decimal import Decimal
from itertools import product

import numpy as np
import pandas as pd
import pytest

from narxkit.cli import main
from narxkit.files import _cells, _open, format_label, read_series
from narxkit.files._gaps import LONGEST_FILLED

HOURS = pd.date_range("2024-03-30 20:00", periods=48, freq="h")


@pytest.fixture
def written(tmp_path):
    """Write a text into a file and read it as a series."""

    def write(text, name="load.csv", encoding_of_file="utf-8", **kwargs):
        (tmp_path / name).write_bytes(text.encode(encoding_of_file))
        return read_series(tmp_path / name, **kwargs)

    return write


def refused(written, text, **kwargs):
    with pytest.raises(ValueError) as error:
        written(text, **kwargs)
    return str(error.value)


def table(index, how="%Y-%m-%d %H:%M", sign=",", header="time,load"):
    lines = [f"{label:{how}}{sign}{i}" for i, label in enumerate(index)]
    return "\n".join([header.replace(",", sign), *lines])


# --- dialects ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "how, order",
    [
        ("%Y-%m-%d %H:%M", ""),
        ("%Y-%m-%dT%H:%M:%S", ""),
        ("%Y/%m/%d %H:%M", ""),
        ("%Y.%m.%d %Hh%M", "year-month-day"),
        ("%d.%m.%Y %H:%M", "day.month.year"),
        ("%d.%m.%y %H:%M", "day.month.year"),
        ("%d/%m/%Y %Hh%M", "day.month.year"),
        ("%d.%m.%Y %H:%M Uhr", "day.month.year"),
        ("%m/%d/%Y %I:%M %p", "month/day/year"),
        ("%Y%m%d%H%M", ""),
        ("%d-%b-%Y %H:%M", "day.month.year"),
        ("Mo %d.%m.%Y %H:%M", "day.month.year"),
        ("Monday %d.%m.%Y %H:%M", "day.month.year"),
        ("%d.%m.%Y %H:%M - 23:59", "day.month.year"),
    ],
)
@pytest.mark.parametrize("sign", ["\t", ";", "|", ","])
def test_dates_of_many_countries(written, how, order, sign):
    series = written(table(HOURS, how, sign))
    assert list(series.frame.index) == list(HOURS)
    assert series.frame["load"].tolist() == list(range(48))
    assert series.notes == (
        "load.csv: 48 rows, hourly, from 2024-03-30 20:00 to 2024-04-01 19:00 (column 'time'"
        + (f", read as {order})." if order else ")."),
    )


@pytest.mark.parametrize(
    "words",
    [
        "1. Januar 2024;2. Februar 2024;3. März 2024;4. Mai 2024;5. Oktober 2024;6. Dezember 2024",
        "1 janvier 2024;2 février 2024;3 mars 2024;4 mai 2024;5 octobre 2024;6 décembre 2024",
        "1 de enero de 2024;2 de febrero de 2024;3 de marzo de 2024;4 de mayo de 2024;"
        "5 de octubre de 2024;6 de diciembre de 2024",
        "1 gen 2024;2 feb 2024;3 mar 2024;4 mag 2024;5 ott 2024;6 dic 2024",
        "Jan 1, 2024;Feb 2, 2024;March 3, 2024;May 4, 2024;Oct 5, 2024;December 6, 2024",
    ],
)
def test_months_as_words(written, words):
    text = "\n".join(["date;x", *(f"{word};1" for word in words.split(";"))])
    days = ["2024-01-01", "2024-02-02", "2024-03-03", "2024-05-04", "2024-10-05", "2024-12-06"]
    assert [str(day.date()) for day in written(text).frame.index] == days


def test_months_alone(written):
    series = written("Monat;x\nJan 2024;1\nFeb 2024;2\nMär 2024;3\nApr 2024;4\n")
    assert series.notes[0].startswith("load.csv: 4 rows, monthly, from 2024-01 to 2024-04")


def test_ambiguous_dates_are_read_by_the_evener_steps(written):
    days = pd.date_range("2024-01-01", periods=12)  # every day could be a month
    for how, order in (("%d/%m/%Y", "day.month.year"), ("%m/%d/%Y", "month/day/year")):
        series = written(table(days, how))
        assert series.frame.index.equals(days.as_unit(series.frame.index.unit))
        assert f"read as {order}" in series.notes[0]


@pytest.mark.parametrize("header", ["Datum;Uhrzeit;Last", "Date;Time;Last"])
def test_a_date_and_a_clock_time_in_two_columns(written, header):
    lines = [f"{t:%d.%m.%Y};{t:%H:%M};{i}" for i, t in enumerate(HOURS)]
    series = written("\n".join([header, *lines]))
    assert list(series.frame) == ["Last"]
    assert list(series.frame.index) == list(HOURS)
    assert f"columns {header.split(';')[0]!r} and {header.split(';')[1]!r}" in series.notes[0]


def test_24_00_is_the_end_of_the_day(written):
    series = written("Zeit;x\n30.12.2024 23:00;1\n30.12.2024 24:00;2\n31.12.2024 01:00;3\n")
    assert [format_label(t) for t in series.frame.index][1] == "2024-12-31 00:00"


def test_offsets_become_utc(written):
    text = "time,x\n2024-03-31T01:00+01:00,1\n2024-03-31T03:00+02:00,2\n2024-03-31T04:00+02:00,3"
    series = written(text)
    assert str(series.frame.index.tz) == "UTC"
    assert "3 rows, hourly," in series.notes[0] and "as UTC" in series.notes[0]


@pytest.mark.parametrize("stamp", [1704067200, 1704067200000])
def test_seconds_since_1970(written, stamp):
    step = 3600 * 10 ** (3 * (stamp > 1e12))
    series = written("timestamp,x\n" + "\n".join(f"{stamp + i * step},{i}" for i in range(9)))
    assert series.notes[0].startswith("load.csv: 9 rows, hourly, from 2024-01-01 00:00 to")


@pytest.mark.parametrize("sign", [".", ","])
def test_days_as_spreadsheets_count_them(written, sign):
    days = (HOURS - pd.Timestamp("1899-12-30")) / pd.Timedelta("1D")
    cells = [f"{day:.5f}".replace(".", sign) for day in days]
    series = written("Date;x\n" + "\n".join(f"{cell};1" for cell in cells))
    assert list(series.frame.index) == list(HOURS)


def test_a_number_with_a_name_of_times_in_it_is_no_time(written):
    lines = [f"{t:%d.%m.%Y %H:%M},{1900 + i}" for i, t in enumerate(HOURS)]
    series = written("\n".join(["MTU,Day-ahead load", *lines]))
    assert "column 'MTU'" in series.notes[0] and list(series.frame) == ["Day-ahead load"]


def test_rows_may_end_in_one_separator_more(written):
    series = written(table(HOURS, sign=";").replace("\n", ";\n").replace(";;", ";", 1))
    assert list(series.frame)[0] == "load" and len(series.frame) == 48


def test_thousands_between_commas(written):
    series = written('time,x\n2024-01-01,"14,380"\n2024-01-02,"15,120"\n')
    assert series.frame["x"].tolist() == [14380, 15120]


def test_years(written):
    series = written("year,spots\n" + "\n".join(f"{1900 + i},{i}" for i in range(30)))
    assert "30 rows, yearly, from 1900 to 1929" in series.notes[0]


@pytest.mark.parametrize(
    "cells, numbers",
    [
        (["1,5", "-2,25", "3"], [1.5, -2.25, 3]),
        (["1.234,5", "12.345.678,0", "3"], [1234.5, 12345678, 3]),
        (["1'234,5", "0,1", "3"], [1234.5, 0.1, 3]),
        (["1 234,5", "0,1", "3"], [1234.5, 0.1, 3]),
        (["1.5", "-2e3", "3"], [1.5, -2000, 3]),
        (["1,234.5", "12,345", "0.25"], [1234.5, 12345, 0.25]),
    ],
)
def test_numbers_of_many_countries(written, cells, numbers):
    lines = [f"2024-01-0{i + 1};{cell}" for i, cell in enumerate(cells)]
    series = written("\n".join(["time;x", *lines]))
    assert series.frame["x"].tolist() == numbers
    has_comma = "Numbers are read with a decimal comma." in series.notes
    assert has_comma == (numbers[1] in (-2.25, 12345678, 0.1))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_encodings(written, encoding):
    series = written(
        "Zeit;Außenluft °C\n01.02.2024;1,5\n02.02.2024;2,5\n", encoding_of_file=encoding
    )
    assert list(series.frame) == ["Außenluft °C"]


def test_a_compressed_file(tmp_path):
    with gzip.open(tmp_path / "load.csv.gz", "wt") as file:
        file.write(table(HOURS))
    assert len(read_series(tmp_path / "load.csv.gz").frame) == 48


@pytest.mark.parametrize("half", ["a.m.", "am", "AM"])
def test_halves_of_the_day(written, half):
    text = f"time;x\n12/31/2024 11:00 {half};1\n12/31/2024 12:30 {half};2\n"
    labels = written(text).frame.index
    assert [format_label(label) for label in labels] == ["2024-12-31 00:30", "2024-12-31 11:00"]


@pytest.mark.parametrize(
    "cells", ["01/2005;02/2005;03/2005", "1/2005;2/2005;3/2005", "Jan 2005;Feb 2005;März 2005"]
)
def test_months_without_days(written, cells):
    series = written("Monat\tx\n" + "\n".join(f"{cell}\t1" for cell in cells.split(";")))
    assert "3 rows, monthly, from 2005-01 to 2005-03" in series.notes[0]


@pytest.mark.parametrize("cells", ["1980Q1;1980Q2;1980Q3", "Q1 1980;Q2 1980;Q3 1980"])
def test_quarters(written, cells):
    series = written("quarter,x\n" + "\n".join(f"{cell},1" for cell in cells.split(";")))
    assert "3 rows, quarterly, from 1980Q1 to 1980Q3" in series.notes[0]


@pytest.mark.parametrize("header, first", [("date;hour;load", 0), ("Datum;Stunde;Last", 1)])
def test_hours_in_a_column_of_their_own(written, header, first):
    lines = [f"{t:%Y-%m-%d};{t.hour + first};{i}" for i, t in enumerate(HOURS)]
    series = written("\n".join([header, *lines]))
    assert "48 rows, hourly," in series.notes[0]
    assert series.frame.index[0] == HOURS[0] + pd.Timedelta(hours=first)


@pytest.mark.parametrize(
    "cells, numbers, note",
    [  # 14.380 may be fourteen and a bit, or fourteen thousand
        (["14.380", "15.120"], [14.38, 15.12],
         "Numbers such as '14.380' in 'x' are read as 14.380; if thousands are meant, write them "
         "without '.'."),
        (["985", "1.038"], [985, 1038], "Numbers such as '1.038' in 'x' are read as thousands."),
        (["985", "1,038"], [985, 1038], "Numbers such as '1,038' in 'x' are read as thousands."),
    ],
)  # fmt: skip
def test_numbers_that_may_be_thousands(written, cells, numbers, note):
    series = written("\n".join(["time;x", *(f"2024-01-0{i};{c}" for i, c in enumerate(cells, 1))]))
    assert series.frame["x"].tolist() == numbers
    assert series.notes[1:] == (note,)


@pytest.mark.parametrize("cell", ["-1,5", "\u22121,5", "1,5-", "(1,5)"])
def test_negative_numbers(written, cell):
    series = written(f"time;x\n2024-01-01;{cell}\n2024-01-02;2,5\n")
    assert series.frame["x"].tolist() == [-1.5, 2.5]


def test_truths_are_numbers(written):
    series = written("time;x;holiday\n2024-01-01;1;TRUE\n2024-01-02;2;false\n")
    assert series.frame["holiday"].tolist() == [1, 0]


def test_separators_inside_quotes_separate_nothing(written):
    text = '"Time, local","Load; total | MW"\n2024-01-01,1\n2024-01-02,2\n'
    assert list(written(text).frame) == ["Load; total | MW"]


@pytest.mark.parametrize(
    "preamble",
    ["sep=;\n", "# Export 2.1\n# MEZ\n", "Lastgang Kunde 4711\nErstellt am: heute\n\n"],
)
def test_lines_before_the_header_are_skipped(written, preamble):
    series = written(preamble + table(HOURS, "%d.%m.%Y %H:%M", ";").replace(";7\n", ";kaputt\n"))
    assert list(series.frame) == ["load"] and len(series.frame) == 48
    line = 9 + preamble.count("\n")
    assert series.notes[1].startswith(f"Line {line}: 'load' holds 'kaputt'")


def test_an_order_of_days_and_months_in_doubt_is_told(written):
    series = written(table(pd.date_range("2024-01-01", periods=12), "%d/%m/%Y"))
    assert "read as day.month.year, though month/day/year is possible too" in series.notes[0]


def test_a_stand_in_for_missing_values_is_told(written):
    series = written(table(HOURS).replace(",7\n", ",-9999\n").replace(",8\n", ",-9999\n"))
    assert series.notes[1:] == (
        "'load' is -9999 in 2 rows: if that means missing, read it so with missing=-9999.",
    )


# --- the time column ---------------------------------------------------------------------------


def test_the_time_column_is_found_by_what_it_holds(written):
    text = "load,Ablesung\n" + "\n".join(f"{i},{t:%d.%m.%Y %H:%M}" for i, t in enumerate(HOURS))
    assert "column 'Ablesung'" in written(text).notes[0]


def test_the_time_column_is_the_one_named(written):
    lines = [f"{t},{t + pd.Timedelta('1h')},{i}" for i, t in enumerate(HOURS)]
    series = written("\n".join(["time,valid,x", *lines]), time="valid")
    assert series.frame.index[0] == HOURS[1]


def test_a_name_is_no_proof(written):
    text = "holiday,stamp\n" + "\n".join(f"{i % 2},{t}" for i, t in enumerate(HOURS))
    assert "column 'stamp'" in written(text).notes[0]


def test_without_times_rows_follow_each_other(written):
    series = written("a;b\n1;2\n3;4\n5;6\n")
    assert isinstance(series.frame.index, pd.RangeIndex) and series.clock is None
    assert series.notes == (
        "load.csv: 3 rows; it has no column of times, so the rows are taken to follow each other.",
    )


# --- what is mended ----------------------------------------------------------------------------


def test_text_in_a_cell_is_told_with_its_line(written):
    series = written(table(HOURS).replace(",7\n", ",broken\n"))
    assert np.isnan(series.frame["load"].iloc[7])
    assert series.notes[1:] == (
        "Line 9: 'load' holds 'broken' instead of a number; it counts as missing.",
    )
    series = written(table(HOURS).replace(",7\n", ",broken\n").replace(",9\n", ",x\n"))
    assert series.notes[1:] == (
        "'load' holds text in 2 cells, in line 9 'broken' instead of a number; they count as "
        "missing.",
    )


@pytest.mark.parametrize("mark", ["", "NA", "n/a", "NaN", "-", "null", "#N/A"])
def test_marks_of_missing_values_need_no_word(written, mark):
    series = written(table(HOURS).replace(",7\n", f",{mark}\n"))
    assert np.isnan(series.frame["load"].iloc[7]) and len(series.notes) == 1


def test_an_infinite_number_counts_as_missing(written):
    series = written(table(HOURS).replace(",7\n", ",inf\n"))
    assert np.isnan(series.frame["load"].iloc[7])
    assert series.notes[1] == (
        "Line 9: 'load' holds 'inf' instead of a number; it counts as missing."
    )


def test_columns_of_text_and_empty_ones_are_left_out(written):
    lines = [f"{t},{i},Ulm,west," for i, t in enumerate(HOURS)]
    series = written("\n".join(["time,load,place,wing,note", *lines]))
    assert list(series.frame) == ["load"]
    assert series.notes[1:] == (
        "Column 'note' is empty and left out.",
        "'place', 'wing' hold text and are left out.",
    )


def test_rows_out_of_order_are_sorted(written):
    head, *lines = table(HOURS).splitlines()
    series = written("\n".join([head, *lines[::-1]]))
    assert series.frame["load"].tolist() == list(range(48))
    assert series.notes[1:] == ("The rows were not in the order of time and are sorted.",)


def test_times_that_come_twice_are_averaged(written):
    text = table(HOURS).replace("2024-03-30 22:00,2", "2024-03-30 21:00,2")
    series = written(text)
    assert series.frame["load"].iloc[1] == 1.5
    assert series.notes[1] == "The time 2024-03-30 21:00 appears twice; its rows are averaged."
    twice = written(table(HOURS) + table(HOURS).removeprefix("time,load"))
    assert twice.frame["load"].tolist() == list(range(48))
    assert twice.notes[2] == (
        "48 times are repeated, the first 2024-03-30 20:00; rows of the same time are averaged."
    )


def test_missing_rows_are_put_in(written):
    series = written(table(HOURS.delete(3)))
    assert len(series.frame) == 48 and np.isnan(series.frame["load"].iloc[3])
    assert series.notes[1:] == (
        "The row of 2024-03-30 23:00 is missing; it is filled in as missing values.",
    )
    series = written(table(HOURS.delete([3, 4, 9])))
    assert series.frame["load"].isna().to_numpy().nonzero()[0].tolist() == [3, 4, 9]
    assert series.notes[1:] == (
        "3 rows are missing, the first 2024-03-30 23:00; they are filled in as missing values.",
    )


def test_a_long_gap_stays(written):
    later = HOURS + pd.Timedelta(hours=48 + LONGEST_FILLED + 1)
    series = written(table(HOURS.append(later)))
    assert len(series.frame) == 96 and not series.frame["load"].isna().any()
    assert series.notes[1:] == (
        f"A gap of {LONGEST_FILLED + 1} rows after 2024-04-01 19:00: no forecast reaches across "
        "it.",
    )
    both = written(table(HOURS.delete(5).append(later)))
    assert len(both.frame) == 96 and both.frame["load"].isna().sum() == 1
    assert [note[:10] for note in both.notes[1:]] == ["The row of", "A gap of 2"]


def test_weekends_of_a_market_are_no_gap(written):
    series = written(table(pd.bdate_range("2024-01-01", periods=60).delete(7)))
    assert "59 rows, trading days," in series.notes[0] and len(series.notes) == 1


def test_a_jittering_clock_is_left_alone(written):
    jitter = pd.to_timedelta(np.random.default_rng(0).integers(-200, 200, 48), unit="s")
    times = (HOURS + jitter).delete([7, 8, 9])
    series = written(table(times, "%Y-%m-%d %H:%M:%S"))
    assert len(series.frame) == 45
    assert series.notes[-1] == (
        "Not all times are on one grid (hourly): no forecast reaches across a gap."
    )


def test_a_row_without_a_time_is_left_out(written):
    series = written(table(HOURS).replace("2024-03-30 23:00", "31.02."))
    assert "Line 5 has no time that can be read; the row is left out." in series.notes
    lost = written(table(HOURS).replace("2024-03-30 2", "2024-13-30 2"))
    assert "4 rows have no time that can be read, the first in line 2; they are left out." in (
        lost.notes
    )


def test_empty_lines_do_no_harm(written):
    series = written(table(HOURS).replace("\n", "\n\n"))
    assert len(series.frame) == 48 and len(series.notes) == 1


# --- what is refused ---------------------------------------------------------------------------


def test_an_empty_file(written):
    assert refused(written, "") == "load.csv is empty: give a table with a header line."


def test_a_header_alone(written):
    sentence = refused(written, "time,load\n")
    assert sentence == "load.csv has a header and no rows: nothing to forecast from."


def test_no_header(written):
    sentence = refused(written, "2024-01-01,5\n2024-01-02,6\n")
    assert sentence == (
        "the first line of load.csv holds values, '2024-01-01', '5', where the names of the "
        "columns should be: add a header line, or read it with header=False."
    )


def test_a_line_with_too_many_cells(written):
    sentence = refused(written, "time,load\n2024-01-01,5\n2024-01-02,6,7\n")
    assert sentence == (
        "load.csv cannot be read: line 3 has 3 cells, but the header has 2: correct the line."
    )


def test_times_that_are_none(written):
    sentence = refused(written, "time,load\nearly,5\nlate,6\n", time="time")
    assert sentence == (
        "load.csv: the times in column 'time' cannot be read, as 'early' in line 2: write them "
        "like 2024-12-31 14:00, name another column with time=NAME, or none with time=False."
    )


def test_a_time_column_that_is_not_there(written):
    sentence = refused(written, table(HOURS), time="Zeit")
    assert sentence == "load.csv has no column 'Zeit': it has 'time', 'load'."


def test_no_numbers(written):
    sentence = refused(written, "time,place\n2024-01-01,Ulm\n2024-01-02,Bonn\n")
    assert sentence == (
        "load.csv has no column of numbers beside its times: it has 'place', as 'Ulm' in line 2."
    )


def test_several_places_in_one_file(written):
    lines = [f"{t},{i},{place}" for i, t in enumerate(HOURS) for place in ("north", "south")]
    lines = [line.replace(",", f",{k}", 1) for k, line in enumerate(lines)]
    sentence = refused(written, "\n".join(["time,load,region", *lines]))
    assert sentence == (
        "the column 'region' tells several series apart ('north', 'south'), which share times such "
        "as 2024-03-30 20:00: keep the rows of one, or give each a column of its own, in pandas "
        "frame.pivot(index='time', columns='region', values='load').to_csv('wide.csv'); in Python "
        "forecasters take them all, indexed by frame.set_index(['region', 'time']); named by "
        "id='region', all are forecast at once."
    )


def test_many_rows_of_one_time_that_nothing_tells_apart(written):
    lines = [f"{t},{2 * i + k}.5" for i, t in enumerate(HOURS) for k in range(2)]
    assert refused(written, "\n".join(["time,load", *lines])) == (
        "2 different rows have the time 2024-03-30 20:00, and 48 rows share theirs in all: if an "
        "hour stands in a column of its own, join it to the date; if there are several places or "
        "meters, keep one of them."
    )


def test_a_column_of_times_that_cannot_be_read_is_told(written):
    sentence = refused(written, "Week,load\n" + "\n".join(f"2015-X{i:02},{i}" for i in range(1, 9)),
                       time="Week")  # fmt: skip
    assert "as '2015-X01' in line 2" in sentence
    sentence = refused(written, "Date,load\n" + "\n".join(f"first of {i},{i}" for i in range(9)))
    assert sentence.startswith("load.csv: the times in column 'Date' cannot be read, as 'first of")


def test_only_times(written):
    sentence = refused(written, "time\n2024-01-01\n2024-01-02\n")
    assert sentence == (
        "load.csv has no column of numbers beside its times: it has no other column."
    )


def test_a_binary_file(tmp_path):
    (tmp_path / "load.csv").write_bytes(b"PK\x03\x04\x00\x00")
    with pytest.raises(ValueError) as error:
        read_series(tmp_path / "load.csv")
    assert str(error.value) == (
        "load.csv is no text file: save the table as CSV and give that file."
    )


def test_a_folder(tmp_path):
    with pytest.raises(ValueError) as error:
        read_series(tmp_path)
    assert str(error.value) == f"{tmp_path} is a folder: give a file in it."


def test_a_spreadsheet(tmp_path):
    with pytest.raises(ValueError) as error:
        read_series(tmp_path / "load.xlsx")
    assert str(error.value) == ("load.xlsx is a spreadsheet: save it as CSV and give that file.")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_series(tmp_path / "nowhere.csv")


def test_one_thing_is_told_as_one(written):
    assert written("time,x\n2024-01-01,5\n").notes[0].startswith("load.csv: 1 row, ")
    days = table(pd.date_range("2024-01-01", periods=9))
    assert "7 counts as missing, in 1 cell." in written(days, missing=7).notes
    assert "7 counts as missing, in 2 cells." in written(f"{days}\n2024-01-10,7", missing=7).notes
    steps = "t,x\n" + "\n".join(f"{i},{i}" for i in range(30) if i != 7)
    assert "1 missing row is filled in as missing values." in written(steps).notes
    assert "and 1 row shares its in all: if" in refused(
        written, "time,x\n2024-01-01,1\n2024-01-01,2\n2024-01-02,3\n"
    )


def test_what_pandas_cannot_read_has_a_remedy(written):
    sentence = refused(written, table(HOURS) + '\n2024-04-01 20:00,"5\n')
    assert sentence.endswith("): correct the line, or save the table again.")


# --- Parquet -----------------------------------------------------------------------------------


@pytest.mark.parametrize("keep", ["index", "column"])
def test_parquet(tmp_path, keep):
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame({"load": np.arange(48.0)}, index=HOURS.rename("when"))
    (frame if keep == "index" else frame.reset_index()).to_parquet(tmp_path / "load.parquet")
    series = read_series(tmp_path / "load.parquet")
    assert series.frame["load"].tolist() == list(range(48))
    assert list(series.frame.index) == list(HOURS)
    assert series.notes == (
        "load.parquet: 48 rows, hourly, from 2024-03-30 20:00 to 2024-04-01 19:00 (column 'when').",
    )


def test_a_broken_parquet_file(tmp_path):
    pytest.importorskip("pyarrow")
    (tmp_path / "load.parquet").write_text("no parquet")
    with pytest.raises(ValueError, match="load.parquet cannot be read as Parquet: "):
        read_series(tmp_path / "load.parquet")


def test_parquet_without_pyarrow(tmp_path, monkeypatch):
    (tmp_path / "load.parquet").write_text("no parquet")
    for name in ("pyarrow", "fastparquet"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError) as error:
        read_series(tmp_path / "load.parquet")
    assert str(error.value) == (
        "reading Parquet needs pyarrow, which is not installed: pip install 'narxkit[parquet]', "
        "or give a CSV file."
    )


# --- dates, times and their columns: kinds that people met --------------------------------------


def spelled(labels, how, header="time,x"):
    """Return a table whose times are written by a format or a function."""
    spell = how if callable(how) else lambda label: label.strftime(how)
    return "\n".join([header, *(f"{spell(label)},{i}.25" for i, label in enumerate(labels))])


@pytest.mark.parametrize("sign", "/.-")
@pytest.mark.parametrize(
    "freq, since",
    [
        ("MS", "monthly, from 1990-01 to"),
        ("QS", "quarterly, from 1990Q1 to"),
        ("h", "hourly, from 1990-01-01 00:00 to"),
    ],
)
def test_the_order_that_gives_a_calendar_step_wins(written, sign, freq, since):
    labels = pd.date_range("1990-01-01", periods=60, freq=freq)
    for form, order in (("%d{0}%m{0}%Y", "day.month.year"), ("%m{0}%d{0}%Y", "month/day/year")):
        how = form.format(sign) + (" %H:%M" if freq == "h" else "")
        series = written(spelled(labels, how))
        assert list(series.frame.index) == list(labels)
        assert since in series.notes[0] and f"read as {order}" in series.notes[0]


@pytest.mark.parametrize("how", ["%d.%m.%Y", "%m/%d/%Y", "%d-%m-%y"])
def test_a_daily_file_stays_daily(written, how):
    labels = pd.date_range("1999-12-20", periods=40)
    series = written(spelled(labels, how))
    assert list(series.frame.index) == list(labels) and "possible" not in series.notes[0]


def test_newest_first_is_no_reason_for_another_order(written):
    labels = pd.date_range("1990-01-01", periods=36, freq="MS")[::-1]
    series = written(spelled(labels, "%m/%d/%Y"))
    assert "36 rows, monthly," in series.notes[0]


@pytest.mark.parametrize(
    "how",
    [
        "%b-%y",
        "%b %y",
        "%b. %y",
        "%b-%Y",
        "%B %Y",
        "%Y %b",
        "%y-%b",
        "%Y%b",
        "%YM%m",
        "%Y-%m",
        "%Y%m",
    ],
)
def test_months_and_years(written, how):
    labels = pd.date_range("1949-01-01", periods=144, freq="MS")  # '49 is 1949
    series = written(spelled(labels, how, "Month,x"))
    assert "144 rows, monthly, from 1949-01 to 1960-12" in series.notes[0]


def test_years_with_decimals(written):
    for at in (0, 0.5):  # of a month
        text = spelled(range(60), lambda i: f"{1949 + (i + at) / 12:.3f}")  # noqa: B023
        assert "60 rows, monthly, from 1949-01 to 1953-12" in written(text).notes[0]


@pytest.mark.parametrize("unit, per_second", [("s", 1), ("ms", 1e3), ("us", 1e6), ("ns", 1e9)])
@pytest.mark.parametrize("kind", [int, float])
@pytest.mark.parametrize("name", ["timestamp", "open_time", "openTime", "Time"])
def test_epochs(written, unit, per_second, kind, name):
    text = spelled(HOURS, lambda t: kind(t.timestamp() * per_second), f"{name},x")
    series = written(text)
    assert list(series.frame.index) == list(HOURS), unit
    assert list(series.frame) == ["x"]


def test_hours_without_signs_are_no_epoch(written):
    series = written(spelled(HOURS, "%Y%m%d%H", "MESS_DATUM,x"))
    assert list(series.frame.index) == list(HOURS)


@pytest.mark.parametrize(
    "header, how, first",
    [
        ("Year,Month,Day,Hour,x", "%Y,%m,%d,%H", 0),
        ("No,year,month,day,hour,x", "7,%Y,%m,%d,%H", 0),
        ("Jahr,Monat,Tag,Stunde,x", "%Y,%m,%d,%H", 0),
        ("Year,Month,Day,Hour,Minute,x", "%Y,%m,%d,%H,00", 0),
        ("dteday,hr,x", "%Y-%m-%d,%H", 0),
        ("Date,Hour,x", "%m/%d/%Y,%H", 0),
        ("Date,Time,x", "%d/%m/%Y,%H.%M.%S", 0),
        ("Date,HHMM,x", "%Y-%m-%d,%H%M", 0),
        ("Date,HE,x", lambda t: f"{t:%m/%d/%Y},{t.hour + 1}", 1),
        ("Date,HE,x", lambda t: f"{t:%m/%d/%Y},HE{t.hour + 1:02}", 1),
        ("Date,hour_ending,x", lambda t: f"{t:%m/%d/%Y},{t.hour + 1}", 1),
        ("Date,Hour Ending,x", lambda t: f"{t:%m/%d/%Y},{t.hour + 1:02}:00", 1),
    ],
)
def test_dates_and_hours_in_columns_of_their_own(written, header, how, first):
    series = written(spelled(HOURS, how, header))
    assert list(series.frame.index) == list(HOURS + pd.Timedelta(hours=first))
    assert list(series.frame)[-1] == "x" and "Hour" not in series.frame and "hr" not in series.frame


def test_days_and_months_in_columns_of_their_own(written):
    days = pd.date_range("2024-01-01", periods=40)
    assert list(written(spelled(days, "%Y,%m,%d", "Year,Month,Day,x")).frame.index) == list(days)
    months = pd.date_range("2020-01-01", periods=40, freq="MS")
    assert list(written(spelled(months, "%Y,%m", "Year,Month,x")).frame.index) == list(months)


def test_days_of_the_year(written):
    series = written(spelled(HOURS, "%Y,%j,%H", "Year,DOY,Hour,x"))
    assert list(series.frame.index) == list(HOURS)


def test_half_hours_of_a_market(written):
    labels = pd.date_range("2024-01-01", periods=144, freq="30min")
    text = spelled(labels, lambda t: f"{t:%d-%b-%Y},{2 * t.hour + t.minute // 30 + 1}",
                   "SettlementDate,SettlementPeriod,x")  # fmt: skip
    assert list(written(text).frame.index) == list(labels)


@pytest.mark.parametrize("zone", [" (CET)", " UTC", " EST"])
def test_intervals_and_their_zone(written, zone):
    end = pd.Timedelta("1h")
    series = written(
        spelled(HOURS, lambda t: f"{t:%d/%m/%Y %H:%M}{zone} - {t + end:%d/%m/%Y %H:%M}{zone}")
    )
    assert list(series.frame.index) == list(HOURS)
    assert f", in {zone.strip(' ()')})." in series.notes[0]


def test_two_zones_are_one_clock(written):
    wall = pd.date_range("2024-03-30 12:00", periods=30, freq="h", tz="Europe/Berlin")
    series = written(spelled(wall, lambda t: f"{t:%d/%m/%Y %H:%M} ({t.tzname()})"))
    assert series.frame.index.equals(wall.tz_convert("UTC").as_unit(series.frame.index.unit))
    assert "hourly" in series.notes[0] and "as UTC" in series.notes[0]


@pytest.mark.parametrize("how", ["%m.%Y", "%Y.%m", "%m/%Y", "%m-%Y"])
@pytest.mark.parametrize("value", ["{},5", "1.234,{} €", "{}.25", "{}"])
def test_the_dots_of_months_are_no_decimal_signs(written, how, value):
    months = pd.date_range("2010-01-01", periods=30, freq="MS")
    lines = [f"{month:{how}};{value.format(i)}" for i, month in enumerate(months)]
    series = written("\n".join(["Monat;Wert", *lines]))
    assert list(series.frame.index) == list(months)
    first = {"{},5": 0.5, "1.234,{} €": 1234.0, "{}.25": 0.25, "{}": 0.0}[value]
    assert list(series.frame) == ["Wert"] and series.frame["Wert"].iloc[0] == first
    assert "30 rows, monthly, from 2010-01 to 2012-06" in series.notes[0]


def test_months_without_a_zero_in_front_by_their_order(written):
    lines = [f"{1 + i % 12}.{2010 + i // 12};{i},5" for i in range(9, 40)]
    assert written("\n".join(["x;Wert", *lines])).clock.describe() == "monthly"
    shuffled = "\n".join(
        ["time,x", *(f"{t},{1 + 7 * i % 12}.20{i:02}" for i, t in enumerate(HOURS))]
    )
    assert written(shuffled).frame["x"].iloc[1] == 8.2001


@pytest.mark.parametrize(
    "write, freq, step",
    [
        ("{0:%G-W%V}", "W-MON", "weekly"),
        ("{0:%GW%V}", "W-MON", "weekly"),
        ("{0:%G-W%V}-1", "W-MON", "weekly"),
        ("KW {0:%V}/{0:%G}", "W-MON", "weekly"),
        ("{0:%YM%m}", "MS", "monthly"),
        ("{0:%Y-M%m}", "MS", "monthly"),
        ("{0:%Y:%m}", "MS", "monthly"),
        ("{0:%m/%Y}", "MS", "monthly"),
        ("{0:%m-%Y}", "MS", "monthly"),
        ("{0.year}-{0.month}", "MS", "monthly"),
        ("Q{0.quarter} {0.year}", "QS", "quarterly"),
        ("{0.year}-Q{0.quarter}", "QS", "quarterly"),
        ("{0.year}:{0.quarter}", "QS", "quarterly"),
        ("{0.year}-{0.quarter}", "QS", "quarterly"),
    ],
)
@pytest.mark.parametrize("header", ["Date", "x"])
def test_weeks_months_and_quarters_in_one_column(written, write, freq, step, header):
    times = pd.date_range("2014-10-01", periods=80, freq=freq)
    series = written("\n".join([f"{header},n", *(f"{write.format(t)},{t.day}" for t in times)]))
    assert list(series.frame.index) == list(times) and list(series.frame) == ["n"]
    assert f"80 rows, {step}, from" in series.notes[0]
    assert series.notes[0].endswith(f"(column '{header}').")  # in no order of day and month


def test_halves_of_years_and_weeks_that_a_year_has_not(written):
    halves = written("t,n\n" + "\n".join(f"{2000 + i // 2}-S{1 + i % 2},{i}" for i in range(9)))
    assert [f"{t:%Y-%m-%d}" for t in halves.frame.index[:3]] == [
        "2000-01-01", "2000-07-01", "2001-01-01",
    ]  # fmt: skip
    weeks = written("week,n\n" + "\n".join(f"2014-W{i},{i}" for i in range(40, 54)))
    assert "Line 15 has no time that can be read; the row is left out." in weeks.notes


@pytest.mark.parametrize(
    "header, write, freq, step",
    [
        ("Year,Month", "{0.year},{0:%B}", "MS", "monthly"),
        ("Jahr,Monat", "{0.year},{0:%b}.", "MS", "monthly"),
        ("year,month", "{0.year},{0.month}", "MS", "monthly"),
        ("Month,Year", "{0:%b},{0.year}", "MS", "monthly"),
        ("Year,Period", "{0.year},M{0:%m}", "MS", "monthly"),
        ("Year,Quarter", "{0.year},{0.quarter}", "QS", "quarterly"),
        ("Year,Quarter", "{0.year},Q{0.quarter}", "QS", "quarterly"),
        ("Year,Period", "{0.year},Q{0.quarter}", "QS", "quarterly"),
        ("Year,Quarter,Month", "{0.year},{0.quarter},{0:%b}", "MS", "monthly"),
        ("Year,Week", "{0:%G},{0:%V}", "W-MON", "weekly"),
        ("Year,Week", "{0:%G},W{0:%V}", "W-MON", "weekly"),
        ("Year,Month,Week", "{0:%G},{0.month},{0:%V}", "W-MON", "weekly"),
        ("year,month,day", "{0.year},{0:%b},{0.day}", "D", "daily"),
    ],
)
def test_years_and_their_parts_in_columns_of_their_own(written, header, write, freq, step):
    times = pd.date_range("2014-12-01", periods=120, freq=freq)
    lines = [f"{write.format(t)},{i}" for i, t in enumerate(times)]
    series = written("\n".join([f"{header},n", *lines]))
    assert list(series.frame.index) == list(times)
    assert series.frame["n"].tolist() == list(range(120))
    assert f"120 rows, {step}, from" in series.notes[0]


def test_yearly_averages_among_months_are_left_out(written):
    rows = [f"{2000 + i},M{m:02},{m}" for i in range(9) for m in range(1, 14)]
    series = written("\n".join(["year,period,value", *rows]))
    assert series.clock.describe() == "monthly" and len(series.frame) == 108
    assert "9 rows have no time that can be read, the first in line 14; they are left out." in (
        series.notes
    )


@pytest.mark.parametrize("value", ["{},5", "{}.5", "{}"])
def test_the_dots_of_clock_times_are_no_decimal_signs(written, value):
    lines = [f"{t:%d.%m.%Y;%H.%M};{value.format(i % 2)}" for i, t in enumerate(HOURS)]
    series = written("\n".join(["Datum;Zeit;Wert", *lines]))
    assert list(series.frame.index) == list(HOURS) and list(series.frame) == ["Wert"]
    assert series.frame["Wert"].iloc[1] == (1 if value == "{}" else 1.5)


# --- time elapsed -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["time", "t", "Time [s]", "seconds"])
@pytest.mark.parametrize("step", [0.1, 1, 20])
def test_elapsed_time(written, name, step):
    series = written(spelled(range(50), lambda i: f"{step * i:g}", f"{name},x"))
    assert isinstance(series.frame.index, pd.RangeIndex) and series.clock is None
    assert list(series.frame) == ["x"] and len(series.frame) == 50
    assert (
        f"50 rows, a step of {step:g}, from 0 to {49 * step:g} (column {name!r})."
        in series.notes[0]
    )


def test_missing_rows_of_elapsed_time(written):
    series = written(spelled([i for i in range(50) if i not in (3, 4)], str))
    assert np.flatnonzero(series.frame["x"].isna()).tolist() == [3, 4]
    assert series.notes[1:] == ("2 missing rows are filled in as missing values.",)
    uneven = written(spelled([0, 1.5, 2, 7.25, 9], str))
    assert len(uneven.frame) == 5 and uneven.notes[1:] == (
        "Its steps differ, from 0.5 to 5.25; the rows are taken to follow each other.",
    )
    far = written(spelled([*range(10), *range(1000, 1010)], str))
    assert len(far.frame) == 20 and far.notes[1:] == (
        "A gap of 990 rows after 9: the next is taken to follow.",
    )


def test_row_numbers_of_pandas_are_no_values(written):
    assert list(written(spelled(range(9), str, ",x")).frame) == ["x"]
    lines = [f"{i},{t},{i % 5}" for i, t in enumerate(HOURS)]
    series = written("\n".join([",time,x", *lines]))
    assert list(series.frame) == ["x"] and list(series.frame.index) == list(HOURS)
    assert series.notes[1:] == ("The first column has no name and counts rows; it is left out.",)


@pytest.mark.parametrize(
    "name, is_time", [("Month", True), ("day", True), ("Day ahead", False), ("%", False)]
)
def test_months_that_are_counted(written, name, is_time):
    series = written(spelled(range(1, 37), str, f"{name},x"))
    assert list(series.frame) == (["x"] if is_time else [name, "x"])


def test_no_column_of_times(written):
    series = written(table(HOURS, header="time,load"), time=False)
    assert series.clock is None and list(series.frame) == ["load"]
    assert "no column is taken for times" in series.notes[0]


@pytest.mark.parametrize("name", ["t", "time", "timestamp", "seconds", "elapsed", "sec since 1970"])
@pytest.mark.parametrize("unit", [1, 1000, 1e9])
def test_seconds_since_1970_under_any_name_of_times(written, name, unit):
    start = int(1704067200 * unit)
    lines = [f"{i},{start + int(i * 3600 * unit)}" for i in range(9)]
    series = written("\n".join([f"x,{name}", *lines]))
    assert series.notes[0].startswith("load.csv: 9 rows, hourly, from 2024-01-01 00:00 to")


def test_large_counts_are_told_in_full(written):
    lines = [f"{10_000_000 + 7 * i},{i % 5}" for i in range(9)]
    series = written("\n".join(["t,x", *lines, "11234567,4"]))
    assert "from 10000000 to 11234567 (column 't')" in series.notes[0]
    lines = [f"{5 * i / 3 + 1e6},{i % 5}" for i in range(9)]
    assert (
        "a step of 1.666666667, from 1000000 to 1000013.333"
        in (written("\n".join(["t,x", *lines])).notes[0])
    )


# --- cells, lines and encodings -----------------------------------------------------------------


@pytest.mark.parametrize("code", ["-200", "-99.9", "9999", "9999.9", "-999", "-9999.0"])
def test_values_that_recur_where_no_other_lies_are_told(written, code):
    lines = [f"{t},{code if i % 9 == 4 else i % 7 + 0.5}" for i, t in enumerate(HOURS)]
    text = "\n".join(["time,x", *lines])
    number = f"{float(code):.10g}"
    assert written(text).notes[1:] == (
        f"'x' is {number} in 5 rows: if that means missing, read it so with missing={number}.",
    )
    series = written(text, missing=float(code))
    assert series.frame["x"].isna().sum() == 5 and series.frame["x"].between(0.5, 6.5).sum() == 43
    assert series.notes[1:] == (f"{float(code):g} counts as missing, in 5 cells.",)


def test_values_that_recur_among_others_are_no_codes(written):
    rows = [
        f"{t},{max(0, i - 30)},{i % 2},{i % 24 == 0 and 500},-99.9" for i, t in enumerate(HOURS)
    ]
    text = "\n".join(["time,rain,flag,peak,constant", *rows]).replace("False", "20")
    assert len(written(text).notes) == 1


def test_codes_of_missing_values_that_are_text(written):
    series = written(
        table(HOURS).replace(",7\n", ",***\n").replace(",9\n", ",-1\n"), missing=["***", "-1"]
    )
    assert np.flatnonzero(series.frame["load"].isna()).tolist() == [7, 9]
    assert "'***' counts as missing." in series.notes


@pytest.mark.parametrize(
    "cells, numbers",
    [
        (['"$12,146.07"', '"$1,473.31"', "-$5.00"], [12146.07, 1473.31, -5]),
        (["19.8%", "14.1 %", "7%"], [19.8, 14.1, 7]),
        (['"1.234,50 €"', '"2,25 €"', '"-3,00 €"'], [1234.5, 2.25, -3]),
        (["EUR 1.5", "EUR 2.25", "EUR 3"], [1.5, 2.25, 3]),
        (["1.5 kW", "2.25 kW", "3 kW"], [1.5, 2.25, 3]),
        (["1.5°C", "2.25°C", "-3°C"], [1.5, 2.25, -3]),
    ],
)
def test_money_percents_and_units(written, cells, numbers):
    series = written("\n".join(["time,x", *(f"2024-01-0{i + 1},{c}" for i, c in enumerate(cells))]))
    assert series.frame["x"].tolist() == numbers
    example = cells[0].strip('"')
    note = f"'x' holds numbers with a unit, such as {example!r}, read without it."
    assert note in series.notes


def test_a_number_with_a_word_is_no_unit(written):
    series = written(table(HOURS).replace(",7\n", ",7 broken\n"))
    assert np.isnan(series.frame["load"].iloc[7]) and "'7 broken'" in series.notes[1]


def test_lines_behind_the_last_row_are_left_out(written):
    tail = "\nSource: an office, 2024, downloaded"
    assert written(table(HOURS) + tail).notes[1:] == (
        f"Line 50, {tail[1:]!r}, is no row of the table and is left out.",
    )
    two = written(table(HOURS) + "\n" + tail + "\n(c)\n")
    assert len(two.frame) == 48 and two.notes[1:] == (
        f"The last 2 lines, from line 51 on ({tail[1:]!r}), are no rows of the table and are left "
        "out.",
    )
    total = written(table(HOURS) + "\nTotal: all hours,1128\n")  # as many cells as a row
    assert total.notes[1:] == ("Line 50 has no time that can be read; the row is left out.",)


def test_lines_of_units_below_the_header(written):
    series = written(table(HOURS).replace("load\n", "load\nUTC,MW\n"))
    assert series.notes[1:] == (
        "Line 2 holds no values but 'UTC', 'MW', as units do; it is left out.",
    )


def test_lines_of_another_table_above_the_header(written):
    site = "Source,City,Latitude,Elevation\nNSRDB,Golden,39.73,1829\n"
    series = written(site + table(HOURS))
    assert list(series.frame) == ["load"] and len(series.frame) == 48


def test_rows_with_other_numbers_of_cells(written):
    rows = table(HOURS, header="time,load").replace("\n", ",5\n")
    assert written(rows + ",5").notes[1:] == ()  # the header has one more, too
    text = "\n".join(["time,a,b", *(f"{t},{i},{i}" for i, t in enumerate(HOURS))])
    assert written(text.replace(",7,7\n", ",7\n")).notes[1:] == (
        "Line 9 has fewer cells than the 3 columns; the others count as missing.",
    )
    assert written(text.replace("a,b", "a")).notes[1:] == (
        "Rows have 3 cells, but the header names 2; the last: 'column 3'.",
    )
    assert "line 9 has 4 cells, but the header has 3" in refused(
        written, text.replace(",7,7\n", ",7,7,7\n")
    )
    assert "line 2 has more cells than the header has names, 3" in refused(
        written, text.replace(",0,0\n", ",0,0,0\n")
    )


def test_separators_within_cells_separate_nothing(written):
    bars = [f"{t:%d/%m/%Y %H:%M},BZN|FR,{i}" for i, t in enumerate(HOURS)]
    assert list(written("\n".join(["MTU,Area,Load", *bars])).frame) == ["Load"]
    commas = [f"{t};a, b;{i},5" for i, t in enumerate(HOURS)]
    series = written("\n".join(["time;note;x", *commas]))
    assert series.frame["x"].tolist() == [i + 0.5 for i in range(48)]


def test_blanks_between_cells(written):
    text = "\n".join(f"  {i / 10:6.4f}   {np.sin(i):9.6f} {i % 5:4d}" for i in range(40))
    assert "or read it with header=False." in refused(written, text)
    series = written(text, header=False)
    assert list(series.frame) == ["c2", "c3"] and "a step of 0.1" in series.notes[0]
    assert written("# t u y\n" + text).frame["y"].tolist() == [i % 5 for i in range(40)]
    aligned = "\n".join(
        ["Date       Time   Load", *(f"{t:%Y-%m-%d  %H:%M}  {i:5d}" for i, t in enumerate(HOURS))]
    )
    assert list(written(aligned).frame.index) == list(HOURS)
    assert refused(written, aligned.replace("Load", "Load in MW")) == (
        "load.csv is separated by blanks, and its header has 5 names for 3 columns: write names "
        "without blanks, or separate by commas."
    )


def test_columns_of_one_name_are_told_apart(written):
    lines = [f"{t},{i},{i + 1},{i + 2}" for i, t in enumerate(HOURS)]
    assert list(written("\n".join(["time,x,x,x.1", *lines])).frame) == ["x", "x.1", "x.1.1"]


@pytest.mark.parametrize(
    "encoding, names",
    [
        ("gb18030", "时间,负荷(MW),温度"),
        ("cp932", "日時,実績(万kW),気温"),
        ("cp949", "일시,전력수요(MWh),기온"),
        ("big5", "時間,負荷量,溫度"),
        ("cp1251", "Дата,Нагрузка,Температура"),
        ("cp1252", "Zeit,Größe,Außenluft °C"),
        ("utf-16-le", "Zeit,Größe,Außenluft °C"),
    ],
)
def test_encodings_are_found_told_or_named(written, encoding, names):
    text = "\n".join([names, *(f"{t},{i},{i}.5" for i, t in enumerate(HOURS))])
    for options in ({}, {"encoding": encoding}):
        series = written(text, encoding_of_file=encoding, **options)
        assert list(series.frame) == names.split(",")[1:]
        told = f"Its text is read as {encoding}; name another encoding with encoding=NAME."
        assert (told in series.notes) == (not options and encoding[:3] != "utf")


@pytest.mark.parametrize("name", ["GHI [W/m²]", "Temp [°C]", "Price (€/MWh)", "PM10 µg/m³", "À É"])
def test_western_signs_are_no_asian_letters(written, name):
    series = written(table(HOURS, sign=";", header=f"time,{name}"), encoding_of_file="cp1252")
    assert list(series.frame) == [name]


def test_encodings_that_do_not_fit(written):
    text = table(HOURS, header="Zeit,Größe")
    assert refused(written, text, encoding_of_file="cp1252", encoding="utf-8") == (
        "line 1 of load.csv is no utf-8: give another encoding with encoding=NAME."
    )
    for name in ("foo", "hex"):
        assert refused(written, text, encoding=name).startswith(f"there is no encoding {name!r}: ")


@pytest.mark.parametrize(
    "footer", ["", "\nSource: the plant", '\nSource: the "plant"\nend of file']
)
def test_a_last_cell_of_several_lines_is_no_footer(written, footer):
    text = 'time,load,note\n2024-01-01,1,\n2024-01-02,2,\n2024-01-03,3,"pump off\nfrom noon on"'
    series = written(text + footer)
    assert series.frame["load"].tolist()[:3] == [1, 2, 3]
    text = text.replace("from noon on", "from noon\non; see\nthe log").replace(",", ";")
    assert written(text + footer).frame["load"].tolist()[:3] == [1, 2, 3]


@pytest.mark.parametrize(
    "cells, mixed",
    [
        (["€803.77", "$799.81"], "'EUR', '$'"),
        (["12 USD", "13 CHF", "14 USD"], "'USD', 'CHF'"),
        (["79.98%", "0.80377"], "'%' and numbers without it"),
        (["79.98 %", "1,000.5", "5 %"], "'%' and numbers without it"),
        (["5 %", "$5", "6 %"], "'%', '$'"),
    ],
)
def test_units_that_differ_are_not_mixed(written, cells, mixed):
    lines = [f'{t},{i},"{cells[i % len(cells)]}"' for i, t in enumerate(HOURS)]
    note = f"'price' mixes {mixed}: convert it to one unit."
    series = written("\n".join(["time,load,price", *lines]))
    assert list(series.frame) == ["load"] and note in series.notes
    assert "'price' holds text and is left out." in series.notes


@pytest.mark.parametrize(
    "cells, values",
    [
        (["€803.50", "803.50 EUR"], [803.5, 803.5]),
        (["$5", "6", "0"], [5, 6, 0]),
        (["5%", "0", "0.0"], [5, 0, 0]),
        (["-$5", "($6)", "$7"], [-5, -6, 7]),
    ],
)
def test_one_unit_written_in_several_ways(written, cells, values):
    lines = [f"{t},{cells[i % len(cells)]}" for i, t in enumerate(HOURS)]
    frame = written("\n".join(["time,price", *lines])).frame
    assert frame["price"].tolist()[: len(values)] == values


def test_a_table_of_mixed_units_alone_says_so(written):
    lines = [f"{t},{'€' if i % 2 else '$'}{i}" for i, t in enumerate(HOURS)]
    assert refused(written, "\n".join(["time,price", *lines])) == (
        "load.csv has no column of numbers beside its times: it has 'price', as '$0' in line 2. "
        "'price' mixes '$', 'EUR': convert it to one unit."
    )


@pytest.mark.parametrize("unit", ["", " €", " kWh", " m³", "°C"])
def test_thousands_in_doubt_with_and_without_a_unit(written, unit):
    lines = [f"{t};{5 + i % 3}.{100 + i}{unit}" for i, t in enumerate(HOURS)]
    series = written("\n".join(["time;x", *lines]))
    assert series.frame["x"].iloc[0] == 5.1
    assert (
        "Numbers such as '5.100' in 'x' are read as 5.100; if thousands are meant, write them "
        "without '.'." in series.notes
    )
    series = written("\n".join(["time;x", *lines, f"2024-04-01 20:00;500{unit}"]))
    assert series.frame["x"].iloc[0] == 5100


@pytest.mark.parametrize(
    "night, hour, zone",
    [
        ("2023-10-29", 2, "Europe/Berlin"),
        ("2023-10-29", 1, "Europe/Lisbon"),
        ("2023-11-05", 1, "America/New_York"),
        ("2024-04-07", 2, "Australia/Sydney"),
    ],
)
def test_the_hour_that_comes_again_at_the_end_of_summer_time(written, night, hour, zone):
    start = pd.Timestamp(night, tz=zone) - pd.Timedelta("3D")
    times = pd.date_range(start, periods=600, freq="15min")
    text = table(times.tz_localize(None))
    note = next(note for note in written(text).notes if "are repeated" in note)
    assert note == (
        f"4 times are repeated, the first {night} 0{hour}:00; rows of the same time are averaged. "
        "This is the hour that comes again at the end of summer time, so two hours become one: "
        "give times in UTC or with their offset, as 2024-10-27T02:30+02:00, to keep both."
    )
    hours = table(times[::4].tz_localize(None))
    assert any("end of summer time" in note for note in written(hours).notes)


def test_other_times_that_come_again_are_not_of_summer_time(written):
    text = table(pd.date_range("2023-10-29", periods=48, freq="h"))
    for time in ("2023-10-29 09:00", "2023-10-30 02:00"):
        note = next(n for n in written(f"{text}\n{time},7").notes if "appears twice" in n)
        assert note == f"The time {time} appears twice; its rows are averaged."


# --- several series -----------------------------------------------------------------------------


@pytest.mark.parametrize("keys", [("A", "B"), (1, 2, 3)])
def test_a_long_table_is_led_to_its_series(written, keys):
    lines = [
        f"{key},{t},{i % 9}" for key in keys for i, t in enumerate(HOURS[: 48 - 9 * len(keys)])
    ]
    sentence = refused(written, "\n".join(["unique_id,ds,y", *lines]))
    assert sentence.startswith("the column 'unique_id' tells several series apart ('")
    assert "frame.pivot(index='ds', columns='unique_id', values='y').to_csv('wide.csv')" in sentence
    assert "frame.set_index(['unique_id', 'ds'])" in sentence


def test_a_text_beside_an_hour_that_comes_twice_is_no_series(written):
    lines = [f"{t},{i},{'CEST' if i < 24 else 'CET'}" for i, t in enumerate(HOURS)]
    series = written(
        "\n".join(["time,load,zone", *lines]).replace("2024-03-31 20:00", "2024-03-31 19:00")
    )
    assert "The time 2024-03-31 19:00 appears twice; its rows are averaged." in series.notes


@pytest.mark.parametrize("names", [[f"V{i}" for i in range(2, 12)], list(range(1990, 2000))])
def test_a_wide_table_has_to_be_turned(written, names):
    rows = [f"H{k}," + ",".join(str(k * i) for i in range(10)) for k in range(6)]
    text = "\n".join(["V1," + ",".join(map(str, names)), *rows])
    assert refused(written, text) == (
        "the rows of load.csv look like series, one each ('H0', 'H1', 'H2', ...), with their "
        f"values in the columns from '{names[0]}' to '{names[-1]}': turn the table, so that each "
        "is a column, in pandas pandas.read_csv('load.csv', index_col='V1')"
        f".loc[:, '{names[0]}':].T.to_csv('turned.csv', "
        + ("index_label='time')." if 1990 in names else "index=False).")
    )
    assert len(written(text, time=False).frame) == 6


def followed(written, tmp_path, monkeypatch, text):
    """Follow the code that a refusal prints, and read the file that it writes."""
    code = re.search(
        r"(pandas|frame)\.(?!set_index).*?\.to_csv\('(.*?)'.*?\)", refused(written, text)
    )
    monkeypatch.chdir(tmp_path)
    exec(code[0], {"pandas": pd, "frame": pd.read_csv("load.csv")})
    return read_series(tmp_path / code[2])


@pytest.mark.parametrize(
    "names, label, is_yearly",
    [
        ([f"V{i}" for i in range(2, 12)], "V1", False),
        ([f"V{i}" for i in range(2, 12)], "", False),
        (range(1990, 2000), "country", True),
    ],
)
@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_the_advice_for_wide_tables(written, tmp_path, monkeypatch, names, label, is_yearly, sign):
    rows = [sign.join([f"H{k}", *(f"{k * i}.5" for i in range(10))]) for k in range(6)]
    text = "\n".join([sign.join([label, *map(str, names)]), *rows])
    text = text.replace(".5", ",5") if sign == ";" else text
    series = followed(written, tmp_path, monkeypatch, text)
    assert list(series.frame) == [f"H{k}" for k in range(6)]
    assert series.frame["H3"].tolist() == [3 * i + 0.5 for i in range(10)]
    assert (series.clock is not None and series.clock.describe() == "yearly") == is_yearly


@pytest.mark.parametrize("label", ["", "x", "time", "t"])
@pytest.mark.parametrize("step", ["V{}", "t{}", "step {}", "Day_{}"])
def test_labels_that_count_steps_are_no_series(written, label, step):
    rows = [step.format(i + 2) + "," + ",".join(str(k * i) for k in range(8)) for i in range(9)]
    text = "\n".join([label + "," + ",".join(f"H{k}" for k in range(8)), *rows])
    frame = written(text).frame
    assert list(frame) == [f"H{k}" for k in range(8)] and frame["H2"].tolist() == [*range(0, 18, 2)]


@pytest.mark.parametrize(
    "keys",
    [
        {"store": ["north", "south"]},
        {"store": [1, 2, 3], "item": [1, 2]},
        {"country": ["A", "B"], "store": ["x", "y"], "product": [7, 8]},
    ],
)
@pytest.mark.parametrize("header", ["date", "day,hour", "id,date"])
def test_the_advice_for_long_tables(written, tmp_path, monkeypatch, keys, header):
    names = [" ".join(map(str, series)) for series in product(*keys.values())]
    lines = []
    for i, t in enumerate(HOURS):
        for k, name in enumerate(names):
            time = {"date": f"{t}", "day,hour": f"{t:%Y-%m-%d,%H}", "id,date": f"{len(lines)},{t}"}
            lines.append(f"{time[header]},{name.replace(' ', ',')},{10 * i + k}")
    text = "\n".join([",".join([header, *keys, "sales"]), *lines])
    sentence = refused(written, text)
    which = ", ".join(map(repr, keys))
    what = f"column {which} tells" if len(keys) == 1 else f"columns {which} tell"
    assert sentence.startswith(f"the {what} several series apart ('{names[0]}', '{names[1]}'")
    series = followed(written, tmp_path, monkeypatch, text)
    assert list(series.frame.index) == list(HOURS)
    assert list(series.frame) == names
    assert series.frame[names[1]].tolist() == [10 * i + 1 for i in range(48)]


def test_hours_of_a_day_in_columns_are_told(written):
    days = pd.date_range("2024-01-01", periods=9)
    rows = [f"{t:%Y-%m-%d}," + ",".join(str(i + h) for h in range(24)) for i, t in enumerate(days)]
    note = written("\n".join(["Date," + ",".join(map(str, range(1, 25))), *rows])).notes[-1]
    assert note.startswith("The columns from '1' to '24' look like the hours of a day;")


# --- wrong dates and gaps -----------------------------------------------------------------------


@pytest.mark.parametrize("wrong", ["1970-01-01 00:00:00", "2099-12-31 23:59:59"])
def test_one_wrong_date_is_left_out_and_told(written, wrong):
    seconds = pd.date_range("2024-01-01", periods=300, freq="s")
    text = table(seconds, "%Y-%m-%d %H:%M:%S").replace("2024-01-01 00:01:40", wrong)
    tracemalloc.start()
    series = written(text)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6  # the grid between the two would take gigabytes
    assert len(series.frame) == 300 and np.flatnonzero(series.frame["load"].isna()).tolist() == [
        100
    ]
    time = format_label(pd.Timestamp(wrong))
    assert (
        f"Line 102 has the time {time}, far from all others (2024-01-01 00:00 "
        "to 2024-01-01 00:04:59); the row is left out."
    ) in series.notes


def test_a_wrong_date_in_the_middle_of_nowhere_keeps_memory_flat(written):
    """Two halves that lie a century apart at steps of a second: a seam, not a grid."""
    seconds = pd.date_range("1924-01-01", periods=60, freq="s")
    halves = seconds.append(seconds + pd.Timedelta(days=36525))
    series = written(table(halves.delete(3), "%Y-%m-%d %H:%M:%S"))
    assert len(series.frame) == 120
    assert "A gap of 3,155,759,940 rows after 1924-01-01 00:00:59" in series.notes[-1]


def test_many_long_gaps_are_one_sentence(written):
    days = pd.date_range("2024-01-01", periods=4, freq="400D")
    later = [day + pd.to_timedelta(np.arange(24 + i), unit="h") for i, day in enumerate(days)]
    labels = later[0].append([*later[1:], later[3] + pd.Timedelta("500D")])
    series = written(table(labels))
    assert len(series.frame) == len(labels)
    assert series.notes[-1] == (
        "4 gaps of more than 200 rows, the longest of 11,973 rows after 2027-04-16 02:00: no "
        "forecast reaches across them."
    )


@pytest.mark.parametrize("freq", ["MS", "ME", "QS", "W-SUN", "D", "2h", "15min", "s"])
def test_missing_rows_of_every_clock_are_put_in(written, freq):
    labels = pd.date_range("2024-01-07", periods=40, freq=freq)
    series = written(table(labels.delete([5, 6, 20]), "%Y-%m-%d %H:%M:%S"))
    assert list(series.frame.index) == list(labels)
    assert np.flatnonzero(series.frame["load"].isna()).tolist() == [5, 6, 20]


# --- damaged files ------------------------------------------------------------------------------

PACK = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


def zipped(**members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__in__", "/"), content)
    return buffer.getvalue()


def tarred(**members):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def refused_bytes(path, content):
    path.write_bytes(content)
    with pytest.raises(ValueError) as error:
        read_series(path)
    assert str(error.value).isprintable()
    return str(error.value)


@pytest.mark.parametrize("ending", [*PACK, ".zip"])
def test_damaged_compressed_files(tmp_path, ending):
    path, content = tmp_path / f"load.csv{ending}", table(HOURS).encode()
    packed = zipped(load=content) if ending == ".zip" else PACK[ending](content)
    path.write_bytes(packed)
    assert len(read_series(path).frame) == 48
    middle = len(packed) // 2
    flipped = packed[:middle] + bytes([packed[middle] ^ 255]) + packed[middle + 1 :]
    for damaged in (packed[:middle], flipped, content):
        sentence = refused_bytes(path, damaged)
        assert sentence.startswith(f"load.csv{ending} cannot be unpacked (")
        assert sentence.endswith(f"): it is damaged, or no {ending} file of one table.")


def test_archives_of_several_files(tmp_path):
    content = table(HOURS)
    assert refused_bytes(tmp_path / "load.zip", zipped(a=content, b=content)) == (
        "load.zip holds 2 files ('a', 'b'): unpack it and give one of them."
    )
    (tmp_path / "load.zip").write_bytes(zipped(a=content, __MACOSX__in__a="notes of the Finder"))
    assert len(read_series(tmp_path / "load.zip").frame) == 48


@pytest.mark.parametrize("ending", ["", ".gz", ".bz2", ".xz"])
def test_archives_of_tar(tmp_path, ending):
    path, content = tmp_path / f"load.tar{ending}", table(HOURS).encode()
    pack = PACK.get(ending, bytes)
    path.write_bytes(pack(tarred(load=content)))
    assert len(read_series(path).frame) == 48
    assert refused_bytes(path, pack(tarred(a=content, b=content))) == (
        f"load.tar{ending} holds 2 files ('a', 'b'): unpack it and give one of them."
    )
    for damaged in (pack(content), pack(tarred(load=content)[:700])):
        assert refused_bytes(path, damaged).startswith(f"load.tar{ending} cannot be unpacked (")


def test_zstandard_by_whichever_package_has_it(tmp_path, monkeypatch):
    class Zstandard:  # stands in for a package that tests do not need
        class ZstdError(Exception):
            pass

        @staticmethod
        def open(path, mode):
            content = path.read_bytes()
            if not content.startswith(b"(\xb5/\xfd"):
                raise Zstandard.ZstdError("unknown frame")
            return io.BytesIO(content[4:])

    monkeypatch.setitem(sys.modules, "compression.zstd", None)
    monkeypatch.setitem(sys.modules, "zstandard", Zstandard)
    path = tmp_path / "load.csv.zst"
    path.write_bytes(b"(\xb5/\xfd" + table(HOURS).encode())
    assert len(read_series(path).frame) == 48
    assert refused_bytes(path, b"time,x") == (
        "load.csv.zst cannot be unpacked (unknown frame): it is damaged, or no .zst file of one "
        "table."
    )


@pytest.mark.parametrize("ending", PACK)
def test_small_files_that_unpack_to_huge_ones(tmp_path, ending, monkeypatch):
    monkeypatch.setattr("narxkit.files._open.MOST_UNPACKED", 1000)
    content = PACK[ending](b"1,2\n" * 300_000)
    sentence = refused_bytes(tmp_path / f"load.csv{ending}", content)
    assert sentence == (
        f"load.csv{ending} has {len(content):,} bytes and unpacks to more than "
        f"{max(1000, 100 * len(content)):,}: if that is a table, unpack it and give that file."
    )


def test_a_package_that_unpacks_is_missing(tmp_path, monkeypatch):
    for name in ("zstandard", "compression.zstd"):
        monkeypatch.setitem(sys.modules, name, None)
    (tmp_path / "load.csv.zst").write_bytes(b"\x28\xb5\x2f\xfd")
    with pytest.raises(ImportError, match="load.csv.zst needs a package to be unpacked .*: unpack"):
        read_series(tmp_path / "load.csv.zst")


def test_zeros_in_a_text(tmp_path):
    content = table(HOURS).encode() * 9
    assert refused_bytes(tmp_path / "load.csv", content + b"\0" * 512) == (
        "load.csv is no text file (line 433 holds bytes of zero): save the table as CSV and give "
        "that file."
    )


@pytest.mark.parametrize("content", [b"1" * 200_000, b"," * 200_000, b"x" * 200_000 + b",y\n1,2\n"])
def test_lines_without_end(tmp_path, content):
    assert refused_bytes(tmp_path / "load.csv", content).startswith("load.csv ")


def test_rows_of_few_cells_below_very_many_names(tmp_path):
    content = b",".join(b"x%d" % i for i in range(20_000)) + b"\n1,2" * 1_000
    assert refused_bytes(tmp_path / "load.csv", content) == (
        "load.csv is no table: it has 20,000 columns, and most of its 1,000 lines have far fewer "
        "cells: correct the header."
    )


@pytest.mark.parametrize("end", ["\r", "\r\n", "\n\r\n"])
def test_ends_of_lines(written, end):
    mixed = table(HOURS).replace("\n", end, 40)
    assert len(written(mixed).frame) == 48


@pytest.mark.skipif(sys.platform != "linux", reason="pipes, /dev and /proc are those of Linux")
def test_what_is_no_ordinary_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    for path in (tmp_path / "pipe.csv", "/dev/zero"):
        with pytest.raises(ValueError, match="is no ordinary file: save its rows and give that."):
            read_series(path)
    with pytest.raises(ValueError, match="empty"):  # as files of the system that never end
        read_series("/proc/self/environ")


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    (tmp_path / "load.csv.gz").write_bytes(gzip.compress(b"time,x"))

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied", "load.csv.gz")

    monkeypatch.setitem(_open.OPENERS, ".gz", refuse)
    with pytest.raises(PermissionError):
        read_series(tmp_path / "load.csv.gz")


def test_nothing_from_outside_commands_the_terminal(written):
    name, column = "lo\x1b[31mad.csv", "x\x1b[2J\u202e"
    series = written(table(HOURS, header=f"time,{column}").replace(",7\n", ",\x07\n"), name)
    assert series.name == "lo\\x1b[31mad.csv"
    assert list(series.frame) == ["x\\x1b[2J\\u202e"]
    assert all(note.isprintable() for note in series.notes)
    for text in ("", "time\n", "time,load\n2024-01-01,5\n2024-01-02,6,7\n", "\0", "a,b\n\x1b,c\n"):
        assert refused(written, text, name=name).isprintable()


def test_tables_of_parquet_that_have_odd_columns(tmp_path):
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame(
        {"load": pd.array([1, None, 3], dtype="Int64"), "rate": [Decimal("1.5")] * 3},
        index=pd.Index(["2024-01-01", "2024-01-02", "2024-01-03"], name="load"),
    )
    frame.to_parquet(tmp_path / "load.parquet")
    series = read_series(tmp_path / "load.parquet", time="load.1")
    assert series.frame["rate"].tolist() == [1.5] * 3
    np.testing.assert_array_equal(series.frame["load"], [1, np.nan, 3])
    (tmp_path / "cut.parquet").write_bytes((tmp_path / "load.parquet").read_bytes()[:-100])
    with pytest.raises(ValueError, match="cut.parquet cannot be read as Parquet: "):
        read_series(tmp_path / "cut.parquet")


# --- speed: the fast way and the careful one agree ----------------------------------------------


@pytest.mark.parametrize("sign", ".,")
@pytest.mark.parametrize(
    "more, is_told", [("2.125", True), ("0.125", False), ("1234.125", False), ("2.25", False)]
)
def test_three_decimals_throughout(written, sign, more, is_told):
    cells = [f"{5 + i % 90}.125" for i in range(2000)]
    times = pd.date_range("2024-01-01", periods=2001, freq="h")
    lines = [f"{t};{cell.replace('.', sign)}" for t, cell in zip(times, [*cells, more])]
    series = written("\n".join(["time;x", *lines]))
    assert series.frame["x"].tolist() == [*map(float, cells), float(more)]
    doubt = (
        f"Numbers such as '5{sign}125' in 'x' are read as 5.125; if thousands are meant, write "
        f"them without {sign!r}."
    )
    assert (doubt in series.notes) == is_told
    small = written("\n".join(["time;x", *lines[:-1], f"{times[-1]};985"]))
    assert small.frame["x"].iloc[[0, -1]].tolist() == [5125, 985]


@pytest.mark.parametrize("sign, decimal", [(",", "."), (";", ","), ("\t", ".")])
def test_the_fast_way_reads_what_the_careful_one_reads(written, sign, decimal, monkeypatch):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(scale=100, size=(60, 5)).round(2), columns=list("abcde"))
    frame = frame.mask(rng.random(frame.shape) < 0.1).assign(n=range(60), flag=frame["a"] > 0)
    frame.insert(0, "time", pd.date_range("2024-01-01", periods=60, freq="h"))
    text = frame.to_csv(index=False, sep=sign, decimal=decimal, na_rep="NA")
    fast = written(text)
    np.testing.assert_array_equal(fast.frame, frame.drop(columns="time").astype(float))
    parse = _cells._parse
    monkeypatch.setattr(_cells, "_parse", lambda *a, **k: parse(*a, **k | {"dtype": _cells.TEXT}))
    careful = written(text)
    pd.testing.assert_frame_equal(fast.frame, careful.frame)
    assert fast.notes == careful.notes


@pytest.mark.parametrize("option", ["--encoding", "--missing"])
def test_options_of_reading_are_refused_for_built_in_series(capsys, option):
    assert main(["forecast", "solar", option, "x"]) == 2
    assert f"{option} is for files of your own" in " ".join(capsys.readouterr().err.split())


def test_the_command_names_its_options(tmp_path, capsys):
    (tmp_path / "load.csv").write_text("1,2\n3,4\n")
    assert main(["forecast", str(tmp_path / "load.csv")]) == 2
    assert capsys.readouterr().err.endswith("add a header line, or read it with --no-header.\n")
    (tmp_path / "load.csv").write_text("a,b\n1,2\n")
    assert main(["forecast", str(tmp_path / "load.csv"), "--encoding", "foo"]) == 2
    assert "such as --encoding utf-8, --encoding cp1252" in capsys.readouterr().err


def test_row_numbers_that_a_filter_left_in_parquet_are_no_column(tmp_path):
    pytest.importorskip("pyarrow")
    times = pd.date_range("2024-01-01", periods=20, freq="h")
    frame = pd.DataFrame({"hour": times, "load": np.arange(20.0)})
    frame[frame["load"] != 3].iloc[::-1].to_parquet(tmp_path / "load.parquet")
    series = read_series(tmp_path / "load.parquet")
    assert list(series.frame) == ["load"] and series.frame["load"].iloc[-1] == 19
