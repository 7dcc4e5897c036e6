"""The clock of a time index: seams, relations, the next labels, and every message."""

import copy
import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from pandas.tseries.frequencies import to_offset
from pandas.tseries.holiday import USFederalHolidayCalendar

from narxkit import ARX, Persistence
from narxkit.rows.calendar import next_labels
from narxkit.rows.clock import Clock, take
from narxkit.rows.labels import check_order, has_clock
from narxkit.rows.timetable import LONGEST_HOLIDAY


def stamps(*args, **kwargs):
    """Return a DatetimeIndex that has forgotten its freq, as after boolean slicing."""
    return pd.DatetimeIndex(pd.date_range(*args, **kwargs), freq=None)


def seams(index):
    return Clock.from_index(index).breaks(index).nonzero()[0].tolist()


def message(call, *args, **kwargs):
    with pytest.raises(ValueError) as error:
        call(*args, **kwargs)
    return str(error.value)


# --- which indexes have a clock ----------------------------------------------------------------


@pytest.mark.parametrize(
    "index",
    [
        pd.RangeIndex(5),
        pd.Index([1, 3, 7]),
        pd.Index([0.5, 1.5]),
        pd.Index(["a", "b"]),
        pd.to_timedelta([1, 2], unit="h"),
        np.arange(3),
        None,
    ],
)
def test_plain_labels_carry_no_clock(index):
    assert not has_clock(index)
    assert Clock.from_index(index) is None
    check_order(index)


@pytest.mark.parametrize("index", [stamps("2020", periods=0), stamps("2020", periods=1)])
def test_an_index_too_short_for_a_step_knows_the_order_only(index):
    clock = Clock.from_index(index)
    assert has_clock(index)
    assert clock.describe() == "irregular"
    assert clock.breaks(index).tolist() == [False] * len(index)


def test_one_row_with_a_freq_knows_its_step():
    assert Clock.from_index(pd.date_range("2020", periods=1, freq="MS")).describe() == "monthly"
    assert Clock.from_index(pd.period_range("2020", periods=1, freq="2h")).describe() == (
        "2-hour periods"
    )


# --- every kind of step, with and without freq --------------------------------------------------

STEPS = {
    "5us": "every 5 microseconds", "100ms": "every 100 milliseconds", "s": "every second",
    "30min": "every 30 minutes", "90min": "every 90 minutes", "h": "hourly",
    "36h": "every 36 hours", "D": "daily", "2D": "every 2 days", "W-SUN": "weekly",
    "2W-TUE": "every 2 weeks",
    "MS": "monthly", "ME": "monthly", "2ME": "every 2 months", "BMS": "monthly", "BME": "monthly",
    "QS-JAN": "quarterly", "QS-FEB": "quarterly", "QE-DEC": "quarterly", "BQE-NOV": "quarterly",
    "YS-JAN": "yearly", "YE-JUN": "yearly", "2YE-DEC": "every 2 years", "B": "trading days",
    "2B": "every 2 trading days",
}  # fmt: skip


@pytest.mark.parametrize("tz", [None, "UTC", "America/New_York"])
@pytest.mark.parametrize("unit", ["us", "ns"])
@pytest.mark.parametrize(("freq", "words"), STEPS.items())
def test_rows_made_by_a_freq_follow_each_other_and_are_continued(freq, words, unit, tz):
    whole = pd.date_range("2017-01-01", periods=60, freq=freq, unit=unit, tz=tz)
    past, future = whole[:50], whole[50:]
    for index in (past, pd.DatetimeIndex(past, freq=None)):
        clock = Clock.from_index(index)
        assert clock.describe() == words
        assert not clock.breaks(whole).any()
        assert clock.relation(past[-1], future[0]) == "follows"
        assert clock.relation(past[-1], past[-1]) == "overlaps"
        assert clock.relation(past[-1], past[3]) == "overlaps"
        after = clock.after(past[-1], 10)
        assert after.equals(future)
        assert after.freq is not None
        assert after.dtype == whole.dtype
        assert len(clock.after(past[-1], 0)) == 0


@pytest.mark.parametrize("freq", [f for f in STEPS if f not in ("2W-TUE", "2YE-DEC")])
def test_the_freq_and_the_rows_tell_the_same_clock(freq):
    index = pd.date_range("2017-01-01", periods=60, freq=freq)
    told, read = (Clock.from_index(i) for i in (index, pd.DatetimeIndex(index, freq=None)))
    # a freq says which days have rows; rows alone leave room for holidays
    assert read.holiday == (LONGEST_HOLIDAY if freq in ("B", "2B") else 0)
    assert told == replace(read, holiday=0)


PERIODS = {
    "h": "hourly periods", "2h": "2-hour periods", "15min": "15-minute periods",
    "s": "1-second periods", "D": "daily periods", "W-SUN": "weekly periods",
    "M": "monthly periods", "2M": "2-month periods", "Q-NOV": "quarterly periods",
    "Y": "yearly periods",
}  # fmt: skip


@pytest.mark.parametrize(("freq", "words"), PERIODS.items())
def test_periods_follow_the_one_that_ends_where_they_begin(freq, words):
    whole = pd.period_range("2017-01-01", periods=30, freq=freq)
    clock = Clock.from_index(whole)
    assert clock.describe() == words
    assert seams(whole.delete(7)) == [7]
    pd.testing.assert_index_equal(clock.after(whole[19], 10), whole[20:])
    assert clock.relation(whole[3], whole[4]) == "follows"
    assert clock.relation(whole[3], whole[5]) == "gap"
    assert clock.relation(whole[3], whole[3]) == "overlaps"


@pytest.mark.filterwarnings("ignore:.*B.*is deprecated:FutureWarning")
def test_business_day_periods():
    index = pd.period_range("2017-01-02", periods=12, freq="B")
    clock = Clock.from_index(index)
    assert clock.describe() == "business-day periods"
    assert not clock.breaks(index).any()
    assert str(clock.after(index[-1], 1)[0]) == "2017-01-18"


def test_long_periods_that_begin_before_the_last_one_ends_overlap():
    clock = Clock.from_index(pd.period_range("2017-01-01", periods=3, freq="2h"))
    last, first = (pd.Period(f"2017-01-01 {hour}:00", "2h") for hour in (10, 11))
    assert clock.relation(last, first) == "overlaps"


# --- seams ---------------------------------------------------------------------------------------


def test_missing_hours_are_seams():
    index = stamps("2017-01-01", periods=100, freq="h").delete([10, 40, 41, 42])
    assert seams(index) == [10, 39]


def test_years_apart_are_one_seam():
    index = stamps("2017", "2018", freq="h", inclusive="left").append(
        stamps("2023", "2024", freq="h", inclusive="left")
    )
    assert seams(index) == [8760]
    clock = Clock.from_index(index)
    assert clock.relation(index[8759], index[8760]) == "gap"


def test_nights_that_are_not_always_the_same_hours_are_seams():
    days = pd.date_range("2017-01-02", periods=5) + pd.to_timedelta([0, 1, 2, 3, 4], unit="h")
    index = pd.DatetimeIndex([s for d in days for s in stamps(d, periods=28, freq="15min")])
    assert Clock.from_index(index).describe() == "every 15 minutes"
    assert seams(index) == [28, 56, 84, 112]


def test_a_missing_month_is_a_seam_and_leap_years_are_none():
    index = stamps("2015-01-01", periods=72, freq="MS")
    assert seams(index) == []
    assert seams(index.delete(14)) == [14]
    assert seams(stamps("2015-01-31", periods=72, freq="ME").delete(13)) == [13]
    assert seams(stamps("1896", periods=20, freq="YS").delete(4)) == [4]
    assert seams(stamps("2015-01-30", periods=400, freq="D").delete(395)) == [395]


def test_months_of_which_many_are_missing_stay_months():
    index = stamps("2015-01-01", periods=20, freq="MS")[[0, 3, 4, 7, 9, 12, 13, 16, 19]]
    clock = Clock.from_index(index)
    assert clock.describe() == "monthly"
    assert seams(index) == [1, 3, 4, 5, 7, 8]
    assert clock.after(index[-1], 1)[0] == pd.Timestamp("2016-09-01")


def test_a_quarter_that_came_a_month_late_leaves_the_quarters():
    index = stamps("2015-01-01", periods=12, freq="QS")
    late = index.delete(5).insert(5, index[5] + pd.DateOffset(months=1))
    clock = Clock.from_index(late)
    assert clock.describe() == "quarterly"
    assert clock.after(late[-1], 2).equals(pd.DatetimeIndex(["2018-01-01", "2018-04-01"]))


def test_the_same_day_of_each_month_is_a_monthly_clock():
    index = pd.DatetimeIndex(["2020-12-30", "2021-01-30", "2021-02-28", "2021-03-30"])
    clock = Clock.from_index(index)
    assert clock.describe() == "monthly"
    assert [str(label.date()) for label in clock.after(index[2], 2)] == ["2021-03-30", "2021-04-30"]


def test_the_last_trading_day_of_a_month_may_be_moved_by_a_holiday():
    index = stamps("2023-01-01", periods=15, freq="BME")
    good_friday = pd.DatetimeIndex(
        [s.replace(day=28) if s.day == 29 and s.month == 3 else s for s in index]
    )
    clock = Clock.from_index(good_friday)
    assert (clock.describe(), good_friday[-1].day) == ("monthly", 28)
    assert str(clock.after(good_friday[-1], 1)[0].date()) == "2024-04-30"


def test_two_rows_make_a_step():
    assert Clock.from_index(pd.DatetimeIndex(["2020-01-01", "2020-01-04"])).describe() == (
        "every 3 days"
    )
    assert Clock.from_index(pd.DatetimeIndex(["2020-01-01", "2020-02-01"])).describe() == "monthly"
    assert Clock.from_index(stamps("2020", periods=2, freq="7min")).describe() == "every 7 minutes"


def test_a_slice_with_a_stride_has_the_longer_step():
    index = pd.date_range("2017", periods=10, freq="h")[::2]
    assert Clock.from_index(index).describe() == "every 2 hours"


def test_a_week_shifted_by_a_holiday_still_follows_and_the_next_is_regular():
    index = stamps("2024-01-05", periods=20, freq="W-FRI")
    moved = pd.DatetimeIndex([*index[:-1], index[-1] - pd.Timedelta(days=1)])
    clock = Clock.from_index(moved)
    assert not clock.breaks(moved).any()
    assert str(clock.after(moved[-1], 1)[0].date()) == "2024-05-24"
    assert clock.relation(moved[-1], pd.Timestamp("2024-05-24")) == "follows"


# --- daylight saving -----------------------------------------------------------------------------


@pytest.mark.parametrize("freq", ["15min", "h", "D", "W-SUN", "MS", "B"])
def test_daylight_saving_is_no_seam(freq):
    n = 9000 if freq == "h" else 400
    index = stamps("2024-03-20", periods=n, freq=freq, tz="Europe/Berlin")
    assert seams(index) == []


def test_two_daily_rows_around_the_shift_are_a_day_apart():
    for day in ("2024-03-31", "2024-10-27"):
        index = stamps(day, periods=2, freq="D", tz="Europe/Berlin")
        assert Clock.from_index(index).describe() == "daily"


def test_midnights_told_in_utc_are_daily():
    index = stamps("2024-03-20", periods=300, freq="D", tz="Europe/Berlin").tz_convert("UTC")
    assert Clock.from_index(index).describe() == "daily"
    assert seams(index) == []


def test_hours_are_continued_in_utc_and_days_on_the_wall():
    hours = stamps("2024-10-26", periods=26, freq="h", tz="Europe/Berlin")
    after = Clock.from_index(hours).after(hours[-1], 3)
    assert [str(label) for label in after] == [
        "2024-10-27 02:00:00+02:00",
        "2024-10-27 02:00:00+01:00",
        "2024-10-27 03:00:00+01:00",
    ]
    days = stamps("2024-10-20 12:00", periods=7, freq="D", tz="Europe/Berlin")
    after = Clock.from_index(days).after(days[-1], 2)
    assert [str(label) for label in after] == [
        "2024-10-27 12:00:00+01:00",
        "2024-10-28 12:00:00+01:00",
    ]


def test_a_daily_hour_that_daylight_saving_skips_is_moved_and_one_that_comes_twice_is_the_first():
    index = stamps("2024-03-24 02:30", periods=7, freq="D", tz="Europe/Berlin")
    after = Clock.from_index(index).after(index[-1], 2)
    assert [str(label) for label in after] == [
        "2024-03-31 03:00:00+02:00",
        "2024-04-01 02:30:00+02:00",
    ]
    assert after.freq is None
    index = stamps("2024-10-20 02:30", periods=7, freq="D", tz="Europe/Berlin")
    after = Clock.from_index(index).after(index[-1], 1)
    assert str(after[0]) == "2024-10-27 02:30:00+02:00"


def test_a_day_without_midnight_is_a_day():
    midnights = stamps("2018-10-30", periods=10, freq="D")
    index = midnights.tz_localize("America/Sao_Paulo", nonexistent="shift_forward")
    assert seams(index) == []


# --- trading days --------------------------------------------------------------------------------


def test_weekends_and_holidays_are_no_seam_but_a_long_hole_is():
    index = stamps("2017-01-02", periods=200, freq="B")
    holidays = index.delete([17, 70, 71, 72, 73, 74, 75])
    clock = Clock.from_index(holidays)
    assert clock.describe() == "trading days"
    assert seams(holidays) == []
    assert seams(index.delete(range(50, 50 + LONGEST_HOLIDAY))) == []
    assert seams(index.delete(range(50, 51 + LONGEST_HOLIDAY))) == [50]
    assert clock.relation(index[49], index[50 + LONGEST_HOLIDAY]) == "follows"
    assert clock.relation(index[49], index[51 + LONGEST_HOLIDAY]) == "gap"


def test_a_week_and_a_day_without_weekend_are_trading_days_and_a_week_alone_is_daily():
    monday = pd.Timestamp("2017-01-02")
    assert Clock.from_index(stamps(monday, periods=6, freq="B")).describe() == "trading days"
    assert Clock.from_index(stamps(monday, periods=5, freq="B")).describe() == "daily"


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ([4, 5, 8, 9], "trading days"),  # from Thursday to Tuesday
        ([5, 8, 9], "trading days"),
        ([5, 8], "every 3 days"),
        ([5, 8, 11], "every 3 days"),
        ([4, 5, 6, 9], "daily"),  # a Saturday
        ([1, 2, 4, 5], "daily"),  # a missing Wednesday
        ([1, 2, 3, 4, 5], "daily"),
    ],
)
def test_one_weekend_without_rows_makes_business_days(days, words):
    index = pd.DatetimeIndex([f"2024-01-{day:02d}" for day in days])
    assert Clock.from_index(index).describe() == words


def test_a_rare_saturday_session_follows_and_is_followed():
    index = stamps("2017-01-02", periods=200, freq="B")
    saturday = index.insert(100, index[99] + pd.Timedelta(days=1))
    assert saturday[100].day_name() == "Saturday"
    clock = Clock.from_index(saturday)
    assert clock.describe() == "trading days"
    assert not clock.breaks(saturday).any()
    assert str(clock.after(saturday[100], 1)[0].day_name()) == "Monday"


def test_two_rows_on_one_trading_day_do_not_follow():
    clock = Clock.from_index(stamps("2017-01-02", periods=20, freq="B"))
    assert clock.relation(pd.Timestamp("2017-02-01"), pd.Timestamp("2017-02-01 16:00")) == "gap"


def test_closed_sundays_make_a_working_week():
    days = stamps("2017-01-02", periods=60, freq="D")
    open_days = days[days.day_of_week != 6]
    clock = Clock.from_index(open_days)
    assert clock.describe() == "trading days (Mon Tue Wed Thu Fri Sat)"
    assert seams(open_days) == []
    assert clock.after(pd.Timestamp("2017-03-04"), 1)[0].day_name() == "Monday"


def test_a_few_missing_days_do_not_make_a_working_week():
    index = stamps("2017-01-02", periods=20, freq="D").delete([6, 13])
    assert Clock.from_index(index).describe() == "daily"
    assert seams(index) == [6, 12]


@pytest.mark.parametrize("freq", ["C", pd.offsets.CDay(holidays=["2017-01-16", "2017-02-20"])])
def test_custom_business_days(freq):
    index = pd.date_range("2017-01-02", periods=10, freq=freq)
    clock = Clock.from_index(index)
    assert clock.describe() == "trading days"
    assert not clock.breaks(index).any()
    expected = pd.date_range("2017-01-02", periods=15, freq=freq)[10:]
    pd.testing.assert_index_equal(clock.after(index[-1], 5), expected)


# --- every offset of pandas ----------------------------------------------------------------------

DAYS = "MON TUE WED THU FRI SAT SUN".split()
MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()
US = USFederalHolidayCalendar()
SUNDAY_TO_THURSDAY = pd.offsets.CDay(weekmask="Sun Mon Tue Wed Thu")
ALIASES = [
    *"ns us ms s min h D B C bh cbh W SMS SME MS ME BMS BME CBMS CBME".split(),
    *"QS QE BQS BQE HYS HYE BHYS BHYE YS YE BYS BYE".split(),
    *"2B 2D 3h 15min 36h 2h30min 2bh 3MS 2QE 2YE 5YE 2SMS SMS-10 SME-20".split(),
    *(f"{n}W-{day}" for n in ("", "2") for day in DAYS),
    *(f"WOM-{n}{day}" for n in (1, 2, 3, 4) for day in DAYS),
    *(f"LWOM-{day}" for day in DAYS),
    *(f"{year}-{month}" for year in "QS QE BQS BQE YS YE BYS BYE".split() for month in MONTHS),
    *(f"RE-{near}-{month}-SAT" for near in "NL" for month in ("JAN", "AUG", "DEC")),
    *(f"REQ-{near}-{month}-MON-4" for near in "NL" for month in ("JAN", "DEC")),
]
OFFSETS = [
    pd.offsets.CDay(calendar=US),
    SUNDAY_TO_THURSDAY,
    pd.offsets.CDay(2, holidays=["2024-01-15"]),
    pd.offsets.CBMonthBegin(calendar=US),
    pd.offsets.CBMonthEnd(calendar=US),
    pd.offsets.BusinessHour(start=["09:00", "13:00"], end=["12:00", "18:00"]),
    pd.offsets.BusinessHour(start="22:00", end="06:00"),
    pd.offsets.CustomBusinessHour(calendar=US, start="08:00", end="17:00"),
    pd.offsets.LastWeekOfMonth(weekday=4),
    pd.offsets.Easter(),
    pd.offsets.Week(),
    pd.offsets.FY5253(weekday=5, startingMonth=8, variation="last"),
    pd.offsets.DateOffset(),
    pd.offsets.DateOffset(years=1),
    pd.offsets.DateOffset(months=1),
    pd.offsets.DateOffset(months=1, day=15),
    pd.offsets.DateOffset(weeks=2),
    pd.offsets.DateOffset(days=1, hours=2),
    pd.offsets.DateOffset(hours=6),
]


def is_known(alias):
    """Tell whether pandas knows an alias: half years came with pandas 3."""
    try:
        return to_offset(alias) is not None
    except ValueError:
        return False


HOURS = [
    pd.offsets.BusinessHour(),
    pd.offsets.BusinessHour(3, start=["09:00", "14:00"], end=["12:00", "16:30"]),
    pd.offsets.BusinessHour(start="22:00", end="03:00"),
    pd.offsets.CustomBusinessHour(holidays=["2024-01-01", "2024-02-06", "2024-03-01"]),
    pd.offsets.CustomBusinessHour(2, start="22:00", end="03:00", holidays=["2024-02-06"]),
    pd.offsets.CustomBusinessHour(weekmask="Sun Mon Tue Wed Thu", holidays=["2024-02-06"]),
]


@pytest.mark.parametrize("offset", HOURS, ids=str)
@pytest.mark.parametrize("unit", ["s", "ns"])
def test_business_hours_of_many_rows_are_those_of_pandas(offset, unit):
    for freq in (offset, "97min"):
        index = stamps("2024-01-01", periods=600, freq=freq, unit=unit)
        expected = pd.DatetimeIndex([label + offset for label in index])
        assert next_labels(index, offset).as_unit(unit).equals(expected.as_unit(unit))


@pytest.mark.parametrize("freq", [*filter(is_known, ALIASES), *OFFSETS], ids=str)
def test_labels_of_forecasts_are_those_of_date_range(freq):
    whole = pd.date_range("2024-01-05 10:00", periods=24, freq=freq)
    past, future = whole[:9], whole[9:]
    model = Persistence().fit(None, pd.Series(range(9), past, dtype=float))
    labels = model.forecast(15).index
    assert labels.equals(future)
    assert labels.freq in (whole.freq, pd.offsets.Day(14), pd.offsets.Day(), pd.offsets.Hour(6))
    assert model.forecast(12).index.equals(pd.date_range(past[-1], periods=13, freq=freq)[1:])
    clock = Clock.from_index(past)
    assert not clock.breaks(whole).any()
    assert np.flatnonzero(clock.breaks(whole[np.arange(24) != 12])).tolist() == [12]
    assert clock.relation(past[-1], future[0]) == "follows"
    assert clock.relation(past[-1], future[1]) == "gap"
    assert clock.relation(past[-1], past[-1]) == "overlaps"


FEW = ["B", "2B", "SMS", "WOM-3FRI", "bh", "CBME", "W-WED", pd.offsets.CDay(calendar=US)]


@pytest.mark.parametrize(("unit", "tz"), [("s", None), ("us", None), ("ns", "America/New_York")])
@pytest.mark.parametrize("freq", FEW, ids=str)
def test_a_freq_survives_all_verbs(freq, unit, tz):
    index = pd.date_range("2024-01-05 10:00", periods=40, freq=freq, tz=tz).as_unit(unit)
    y = pd.Series(np.sin(np.arange(40.0)), index)
    model = pickle.loads(pickle.dumps(ARX().fit(None, y[:9])))
    is_new = np.arange(40) >= 9
    new = y[is_new]  # a mask loses the freq
    assert np.isfinite(model.predict(pd.DataFrame(index=new.index))).all()
    for row in range(3):
        model.update(None, new[row : row + 1])
    assert len(model._history.tails[None].y) == 2
    model.update(None, new[3:10])
    labels = model.forecast(21).index
    assert labels.equals(index[19:])
    assert labels.dtype == index.dtype
    assert model.forecast(X=pd.DataFrame(index=index[19:])).index.freq == index.freq
    ahead = model.predict_ahead(None, y[np.ones(40, dtype=bool)])
    assert np.isfinite(ahead).sum() == 38


@pytest.mark.parametrize("n", [3, 4, 5])
def test_a_short_series_of_business_days_goes_on_after_the_weekend(n):
    days = pd.date_range(end="2024-01-05", periods=n, freq="B")
    model = Persistence().fit(None, pd.Series(1.0, days))
    assert model.forecast(1).index[0] == pd.Timestamp("2024-01-08")
    monday = pd.DatetimeIndex(["2024-01-08"])
    assert model.predict(pd.DataFrame(index=monday)).tolist() == [1.0]
    assert model.update(None, pd.Series([2.0], monday)).forecast(4).index[-1].day_name() == "Friday"


@pytest.mark.parametrize("freq", ["B", "C"])
def test_a_freq_of_business_days_says_that_holidays_have_rows(freq):
    days = pd.date_range("2024-01-01", periods=60, freq=freq)
    friday, tuesday = pd.Timestamp("2024-01-12"), pd.Timestamp("2024-01-16")
    assert Clock.from_index(days).relation(friday, tuesday) == "gap"
    rows = stamps("2024-01-01", periods=60, freq=freq)
    assert Clock.from_index(rows).relation(friday, tuesday) == "follows"


def test_rows_of_a_year_that_miss_no_working_day_have_holidays_too():
    days = stamps("2022-01-03", periods=300, freq="B")
    assert seams(days.delete(150)) == []  # markets close on some day of a year
    clock = Clock.from_index(days)
    assert clock.breaks(days.delete(150)).nonzero()[0].tolist() == [150]


@pytest.mark.parametrize("freq", ["B", "C", pd.offsets.CDay(holidays=["2024-01-15"])])
def test_days_off_are_not_those_of_a_freq(freq):
    days = pd.date_range("2024-01-01", "2024-01-12", freq=freq)  # a Friday
    clock = Clock.from_index(days)
    monday = pd.Timestamp("2024-01-15")
    is_open = "2024-01-15" not in str(getattr(freq, "holidays", ""))
    assert clock.relation(days[-1], monday) == ("follows" if is_open else "gap")
    weekend = pd.date_range("2024-01-13", periods=3)
    assert clock.relation(days[-1], weekend[0]) == "gap"
    model = Persistence().fit(None, pd.Series(np.arange(len(days), dtype=float), days))
    for verb in (model.predict, lambda X: model.forecast(X=X)):
        with pytest.raises(ValueError, match="X begins at 2024-01-13"):
            verb(pd.DataFrame(index=weekend))


def test_business_days_of_a_holiday_calendar_are_exact():
    bank = pd.date_range("2024-01-02", periods=60, freq=pd.offsets.CDay(calendar=US))
    clock = Clock.from_index(bank)
    assert clock.relation(pd.Timestamp("2024-01-12"), pd.Timestamp("2024-01-16")) == "follows"
    assert clock.relation(pd.Timestamp("2024-01-12"), pd.Timestamp("2024-01-17")) == "gap"


@pytest.mark.parametrize("has_freq", [True, False])
@pytest.mark.parametrize("freq", ["B", "SMS", "bh", SUNDAY_TO_THURSDAY])
def test_the_series_of_a_panel_share_a_freq(freq, has_freq):
    index = pd.date_range("2024-01-03", periods=80, freq=freq)
    ends = {"long": 60, "short": 14}
    parts = {"long": index[:60], "short": index[10:14]}
    y = pd.concat(
        {
            key: pd.Series(1.0, part if has_freq else pd.DatetimeIndex(part, freq=None))
            for key, part in parts.items()
        }
    )
    model = ARX(output_lags=2).fit(None, y)
    new = pd.concat({key: pd.Series([1.0], index[end : end + 1]) for key, end in ends.items()})
    for key, end in ends.items():
        assert model.forecast(5).loc[key].index.equals(index[end : end + 5])
        assert len(model.update(None, new.loc[[key]])._history.tails[key].y) == 2


def test_a_series_of_a_panel_with_a_clock_of_its_own_keeps_it():
    hours = pd.date_range("2024-01-01", periods=200, freq="h")
    days = pd.date_range("2024-01-01", periods=6, freq="D")
    y = pd.concat({"hours": pd.Series(1.0, hours), "days": pd.Series(1.0, days)})
    labels = Persistence().fit(None, y).forecast(1).index
    assert [str(label) for _, label in labels] == ["2024-01-09 08:00:00", "2024-01-07 00:00:00"]


@pytest.mark.parametrize("steps", [None, 5])
@pytest.mark.parametrize("input_lags", [1, [-1, 0]])
def test_labels_of_a_forecast_over_inputs_keep_their_freq(input_lags, steps):
    index = pd.date_range("2024-01-05", periods=40, freq="B")
    X, y = pd.DataFrame({"u": np.arange(40.0)}, index), pd.Series(np.arange(40.0), index)
    model = ARX(input_lags=input_lags).fit(X[:30], y[:30])
    labels = model.forecast(steps, X=X[30:]).index
    n = steps or (10 if input_lags == 1 else 9)
    assert labels.equals(index[30 : 30 + n]) and labels.freq == "B"


@pytest.mark.parametrize(
    ("freq", "words"),
    [
        ("WOM-3FRI", "monthly"), ("WOM-1MON", "monthly"),
        (pd.offsets.LastWeekOfMonth(weekday=2), "monthly"),
        ("SMS", "in steps of 'SMS-15'"), ("SME", "in steps of 'SME-15'"),
    ],
)  # fmt: skip
def test_weekdays_of_months_and_half_months_are_read_from_rows(freq, words):
    whole = pd.date_range("2024-01-01", periods=40, freq=freq)
    rows = pd.DatetimeIndex(whole[:30], freq=None)
    clock = Clock.from_index(rows)
    assert clock.describe() == words
    assert clock.after(rows[-1], 10).equals(whole[30:])
    assert seams(rows.delete(9)) == [9]


def test_four_weeks_that_happen_to_be_third_fridays_are_four_weeks():
    index = stamps("2024-01-19", periods=3, freq="28D")
    assert Clock.from_index(index).describe() == "every 4 weeks"


def test_slices_keep_the_freq_and_other_rows_lose_it():
    index = pd.date_range("2024-01-01", periods=9, freq="B")
    assert take(index, np.arange(2, 6)).freq == "B"
    assert take(index, np.arange(9)).equals(index)
    for rows in ([1, 3], [0, 2, 1, 3], [2, 1, 0], [3]):
        assert take(index, np.array(rows)).equals(index[rows])
    assert len(take(index, np.array([], dtype=int))) == 0


SEASONS = {
    "h": 24, "30min": 48, "7min": 1, "D": 7, "2D": 1, "W": 52, "2W": 26, "B": 5, "2B": 1,
    "MS": 12, "BME": 12, "WOM-3FRI": 12, "QE": 4, "YS": 1, "SMS": 24, "bh": 8, "2bh": 4,
    "RE-N-DEC-MON": 1, "REQ-N-DEC-MON-4": 4,
}  # fmt: skip


@pytest.mark.parametrize(("freq", "season"), SEASONS.items())
def test_the_season_of_a_clock(freq, season):
    assert Clock.from_index(pd.date_range("2024-01-01", periods=9, freq=freq)).season() == season


def test_the_season_of_periods_working_weeks_and_no_step():
    assert Clock.from_index(pd.period_range("2024-01", periods=3, freq="M")).season() == 12
    assert Clock.from_index(pd.period_range("2024-01", periods=3, freq="15min")).season() == 96
    six = pd.date_range("2024-01-01", periods=9, freq=pd.offsets.CDay(weekmask="1111110"))
    assert Clock.from_index(six).season() == 6
    assert Clock("order").season() == 1


# --- rows counted --------------------------------------------------------------------------------

COUNTED = [
    *(
        pd.date_range("2024-01-31", periods=90, freq=freq)
        for freq in ("h", "7min", "250ms", "D", "3D", "W", "B", "2B", "C", "MS", "BME", "QE", "YS")
    ),
    pd.period_range("2024-01", periods=90, freq="M"),
    pd.period_range("2024-01", periods=90, freq="2W"),
    pd.date_range("2024-01-31", periods=300, freq="D", tz="Europe/Berlin"),
    pd.date_range("2024-01-31", periods=90, freq="MS", tz="America/New_York"),
]


@pytest.mark.parametrize("index", COUNTED, ids=lambda index: index.freqstr)
def test_rows_are_counted_both_ways(index):
    clock, n = Clock.from_index(index), np.arange(len(index))
    assert clock.counts
    for first in (0, 17, len(index) - 1):
        assert clock.count(index[first], index).tolist() == (n - first).tolist()
        assert clock.count(index[first], index[::7]).tolist() == (n[::7] - first).tolist()
    assert clock.count(index[0], index[:0]).tolist() == []


def test_missing_working_days_are_counted():
    days = pd.bdate_range("2022-01-03", periods=300)
    clock = Clock.from_index(days.delete([30, 31, 90, 150]))
    assert clock.holiday and clock.unit == "trading day"
    for first in (0, 30, 299):
        assert clock.count(days[first], days).tolist() == (np.arange(300) - first).tolist()
    exact = Clock.from_index(days)
    assert clock.counts_like(exact) and clock != exact
    assert not exact.counts_like(Clock.from_index(days[::2]))


def test_a_label_between_two_rows_counts_as_the_nearest():
    hours = pd.date_range("2024-01-01", periods=6, freq="h")
    clock, n = Clock.from_index(hours), np.arange(6)
    for minutes, more in ((0, 0), (29, 0), (30, 1), (59, 1), (-30, 0), (-31, -1)):
        later = hours + pd.Timedelta(minutes=minutes)
        assert clock.count(hours[0], later).tolist() == (n + more).tolist()
    other = hours.tz_localize("UTC").tz_convert("Asia/Kolkata").as_unit("ms")
    assert clock.count(hours[2].tz_localize("UTC"), other).tolist() == (n - 2).tolist()


def test_days_of_23_and_25_hours_are_days():
    for start in ("2024-03-28", "2024-10-24"):
        days = pd.date_range(start, periods=9, freq="D", tz="Europe/Berlin")
        assert Clock.from_index(days).count(days[0], days).tolist() == list(range(9))
        hours = pd.date_range(start, periods=120, freq="h", tz="Europe/Berlin")
        assert Clock.from_index(hours).count(hours[0], hours).tolist() == list(range(120))


@pytest.mark.parametrize("freq", ["SME", "bh"])
def test_rows_without_a_fixed_step_are_not_counted(freq):
    assert not Clock.from_index(pd.date_range("2024-01-01", periods=40, freq=freq)).counts
    assert not Clock("order").counts


# --- no step, or hardly one ----------------------------------------------------------------------


def test_irregular_stamps_know_the_order_only():
    index = pd.DatetimeIndex(["2020-01-01 10:00", "2020-01-01 10:07", "2020-01-01 11:31"])
    clock = Clock.from_index(index)
    assert clock.describe() == "irregular"
    assert not clock.breaks(index).any()
    assert clock.relation(index[2], index[1]) == "overlaps"
    assert clock.relation(index[2], pd.Timestamp("2020-02-01")) == "follows"
    assert message(clock.after, index[2], 3) == (
        "the time stamps have no regular step, so those after 2020-01-01 11:31:00 are not known: "
        "give X with its index, or a regular index."
    )


def test_random_events_are_irregular():
    seconds = np.random.default_rng(0).exponential(60, size=1000).cumsum()
    index = pd.Timestamp("2020") + pd.to_timedelta(seconds, unit="s")
    assert Clock.from_index(index).describe() == "irregular"


def test_jitter_is_no_seam_and_a_hole_is():
    exact = stamps("2020-01-01", periods=1000, freq="15min")
    jitter = np.random.default_rng(0).integers(-20_000, 20_000, size=1000)
    index = (exact + pd.to_timedelta(jitter, unit="ms")).delete(500)
    assert Clock.from_index(index).describe() == "every 15 minutes"
    assert seams(index) == [500]


def test_steps_of_milliseconds_are_exact():
    index = stamps("2024-01-01", periods=20, freq="1029ms", unit="us")
    assert Clock.from_index(index).after(index[-2], 1).equals(index[-1:])


def test_a_row_between_two_steps_does_not_follow():
    clock = Clock.from_index(stamps("2020-01-01", periods=10, freq="h"))
    last = pd.Timestamp("2020-01-01 09:00")
    for minutes, relation in [
        (-30, "overlaps"),
        (0, "overlaps"),
        (30, "gap"),
        (44, "gap"),
        (45, "follows"),
        (75, "follows"),
        (76, "gap"),
        (120, "gap"),
    ]:
        assert clock.relation(last, last + pd.Timedelta(minutes=minutes)) == relation


def test_many_holes_do_not_hide_the_step():
    rows = np.sort(np.random.default_rng(0).choice(5000, size=2000, replace=False))
    index = stamps("2020-01-01", periods=5000, freq="h")[rows]
    assert Clock.from_index(index).describe() == "hourly"
    assert seams(index) == (np.flatnonzero(np.diff(rows) > 1) + 1).tolist()


# --- a clock as a value --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "index",
    [stamps("2017", periods=60, freq=freq) for freq in ("h", "D", "QE", "B")]
    + [
        pd.period_range("2017", periods=3, freq="2h"),
        stamps("2017", periods=1),
        pd.DatetimeIndex(["2021-01-15", "2021-02-15"]),
        pd.date_range("2017", periods=60, freq=pd.offsets.CDay(weekmask="Sun Mon Tue Wed Thu")),
    ],
)
def test_a_clock_is_a_value(index):
    clock = Clock.from_index(index)
    assert pickle.loads(pickle.dumps(clock)) == clock == copy.deepcopy(clock)
    assert hash(clock) == hash(copy.deepcopy(clock))
    with pytest.raises(AttributeError):
        clock.step = 2


def test_labels_of_another_unit_or_zone_are_compared_in_time():
    clock = Clock.from_index(stamps("2017", periods=10, freq="h", unit="ns"))
    assert not clock.breaks(stamps("2017", periods=10, freq="h", unit="s")).any()
    last = pd.Timestamp("2017-01-01 12:00", tz="UTC")
    assert clock.relation(last, pd.Timestamp("2017-01-01 14:00", tz="Europe/Berlin")) == "follows"


# --- labels that cannot be compared --------------------------------------------------------------


def test_mixed_labels_are_refused():
    clock = Clock.from_index(stamps("2020", periods=10, freq="h"))
    stamp, zoned = pd.Timestamp("2020-01-01 09:00"), pd.Timestamp("2020-01-01 10:00", tz="UTC")
    period = pd.Period("2020-01-01 10:00", "h")
    assert message(clock.relation, stamp, zoned) == (
        "the last row seen (2020-01-01 09:00:00) has no time zone, but the first new row "
        "(2020-01-01 10:00:00+00:00) has one: give both a time zone with tz_localize()."
    )
    assert message(clock.relation, zoned, stamp) == (
        "the last row seen (2020-01-01 10:00:00+00:00) has a time zone, but the first new row "
        "(2020-01-01 09:00:00) has none: give both a time zone with tz_localize()."
    )
    assert message(clock.relation, stamp, period) == (
        "the last row seen (2020-01-01 09:00:00) is labelled by a Timestamp, but the new rows "
        "begin with a Period (2020-01-01 10:00): give both the same kind of index, for example "
        "with to_timestamp() or to_period()."
    )
    assert message(clock.relation, period, pd.Period("2020-01-02", "D")) == (
        "the last row seen (2020-01-01 10:00) is a period of 'h', but the new rows begin with one "
        "of 'D' (2020-01-02): give both the same with asfreq()."
    )


# --- order ---------------------------------------------------------------------------------------


def test_an_unsorted_index_is_refused():
    index = stamps("2020-01-01", periods=8, freq="h")[[0, 1, 2, 3, 4, 3, 6, 7]]
    assert message(check_order, index) == (
        "the index of X is not sorted: row 5 (2020-01-01 03:00:00) comes before row 4 "
        "(2020-01-01 04:00:00) in time: sort it with X.sort_index()."
    )
    descending = pd.period_range("2020-01", periods=3, freq="M")[::-1]
    assert message(check_order, descending, name="y") == (
        "the index of y is not sorted: row 1 (2020-02) comes before row 0 (2020-03) in time: "
        "sort it with y.sort_index()."
    )


def test_a_label_that_stands_twice_is_refused():
    days = pd.DatetimeIndex(["2020-01-01", "2020-01-02", "2020-01-02"])
    assert message(check_order, days, "y") == (
        "the index of y is not unique: the time stamp 2020-01-02 00:00:00 appears twice, in rows 1 "
        "and 2: keep one of them, for example y[~y.index.duplicated()]."
    )
    hours = stamps("2020-10-25", periods=5, freq="h")[[0, 1, 2, 2, 3]]
    assert message(check_order, hours) == (
        "the index of X is not unique: the time stamp 2020-10-25 02:00:00 appears twice, in rows 2 "
        "and 3: keep one of them, for example X[~X.index.duplicated()], or, if the clock was set "
        "back there, name its time zone with tz_localize()."
    )


def test_missing_time_stamps_are_refused():
    index = pd.DatetimeIndex(["2020-01-01", None, "2020-01-03", None])
    assert message(check_order, index) == (
        "the index of X has 2 missing time stamps (NaT), the first in row 1: drop these rows with "
        "X[X.index.notna()]."
    )


def test_the_repeated_hour_of_autumn_passes_with_a_time_zone():
    check_order(stamps("2024-10-27", periods=6, freq="h", tz="Europe/Berlin"))
    check_order(stamps("2020", periods=0))
    check_order(pd.period_range("2020", periods=3, freq="h"))
