"""Files as people keep them: what is read, what is mended, and what is said about it."""

import gzip
import sys

import numpy as np
import pandas as pd
import pytest

from narxkit.files import read_series, said
from narxkit.files._rows import LONGEST_FILLED

HOURS = pd.date_range("2024-03-30 20:00", periods=48, freq="h")


@pytest.fixture
def written(tmp_path):
    """Write a text into a file and read it as a series."""

    def write(text, name="load.csv", encoding="utf-8", **kwargs):
        (tmp_path / name).write_bytes(text.encode(encoding))
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
    assert series.notes[0].startswith("load.csv: 4 rows, monthly, from 2024-01-01 to 2024-04-01")


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
    assert [said(t) for t in series.frame.index][1] == "2024-12-31 00:00"


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
    assert "30 rows, yearly, from 1900-01-01 to 1929-01-01" in series.notes[0]


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
    series = written("Zeit;Außenluft °C\n01.02.2024;1,5\n02.02.2024;2,5\n", encoding=encoding)
    assert list(series.frame) == ["Außenluft °C"]


def test_a_compressed_file(tmp_path):
    with gzip.open(tmp_path / "load.csv.gz", "wt") as file:
        file.write(table(HOURS))
    assert len(read_series(tmp_path / "load.csv.gz").frame) == 48


@pytest.mark.parametrize("half", ["a.m.", "am", "AM"])
def test_halves_of_the_day(written, half):
    text = f"time;x\n12/31/2024 11:00 {half};1\n12/31/2024 12:30 {half};2\n"
    labels = written(text).frame.index
    assert [said(label) for label in labels] == ["2024-12-31 00:30", "2024-12-31 11:00"]


@pytest.mark.parametrize(
    "cells", ["01/2005;02/2005;03/2005", "1/2005;2/2005;3/2005", "Jan 2005;Feb 2005;März 2005"]
)
def test_months_without_days(written, cells):
    series = written("Monat\tx\n" + "\n".join(f"{cell}\t1" for cell in cells.split(";")))
    assert "3 rows, monthly, from 2005-01-01 to 2005-03-01" in series.notes[0]


@pytest.mark.parametrize("cells", ["1980Q1;1980Q2;1980Q3", "Q1 1980;Q2 1980;Q3 1980"])
def test_quarters(written, cells):
    series = written("quarter,x\n" + "\n".join(f"{cell},1" for cell in cells.split(";")))
    assert "3 rows, quarterly, from 1980-01-01 to 1980-07-01" in series.notes[0]


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
        "'load' is -9999 in 2 rows: if that means missing, empty these cells.",
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
    assert series.notes[1] == "The time 2024-03-30 21:00 comes twice; its rows are averaged."
    twice = written(table(HOURS) + table(HOURS).removeprefix("time,load"))
    assert twice.frame["load"].tolist() == list(range(48))
    assert twice.notes[2] == (
        "48 times come again, the first 2024-03-30 20:00; rows of the same time are averaged."
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
        "columns should be: add a header line."
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
        "like 2024-12-31 14:00, or name another column with --time."
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
        "2 different rows have the time 2024-03-30 20:00, and 48 rows share theirs in all: if an "
        "hour stands in a column of its own, join it to the date; if there are several places or "
        "meters, keep one of them."
    )


def test_a_column_of_times_that_cannot_be_read_is_told(written):
    sentence = refused(written, "Week,load\n" + "\n".join(f"2015-W{i:02},{i}" for i in range(1, 9)),
                       time="Week")  # fmt: skip
    assert "as '2015-W01' in line 2" in sentence
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
