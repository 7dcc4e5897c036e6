"""Trading and working hours: what follows across nights, weekends and holidays, what does not."""

import pickle

import numpy as np
import pandas as pd
import pytest

from narxkit import ARX, Persistence, SeasonalNaive
from narxkit.rows.clock import Clock
from narxkit.rows.timetable import LONGEST_HOLIDAY


def year(freq, tz=None):
    """Return the time stamps of 2024, without freq."""
    whole = pd.date_range("2024-01-01", "2024-12-31 23:59", freq=freq, tz=tz)
    return pd.DatetimeIndex(whole, freq=None)


def between(index, first, last):
    minutes = index.hour * 60 + index.minute
    edges = [int(hour) * 60 + int(minute) for hour, minute in (first, last)]
    return (minutes >= edges[0]) & (minutes <= edges[1])


def hours(index, *spans):
    """Return the rows within spans of the day such as "09:30-16:00"."""
    parts = [[edge.split(":") for edge in span.split("-")] for span in spans]
    return index[np.logical_or.reduce([between(index, *part) for part in parts])]


def weekdays(index, n=5):
    return index[index.day_of_week < n]


def new_york(tz=None):
    return hours(weekdays(year("30min", tz)), "9:30-16:00")


def forex():
    h = year("h")
    day, hour = h.day_of_week, h.hour
    return h[(day < 4) | ((day == 4) & (hour <= 21)) | ((day == 6) & (hour >= 22))]


def shop():
    h = year("h")
    return hours(weekdays(h), "8:00-18:00").union(hours(h[h.day_of_week == 5], "9:00-13:00"))


WORDS = {
    "every 30 minutes from 09:30 to 16:00 (Mon Tue Wed Thu Fri)": new_york(),
    "hourly from 08:00 to 17:00 (Mon Tue Wed Thu Fri)": hours(weekdays(year("h")), "8:00-17:00"),
    "hourly from 00:00 to 23:00 (Mon Tue Wed Thu Fri)": weekdays(year("h")),
    "hourly from 00:00 to 23:00 (Mon Tue Wed Thu Fri Sat)": weekdays(year("h"), 6),
    "hourly from 00:00 to 05:00 and 22:00 to 23:00": hours(year("h"), "0:00-5:00", "22:00-23:00"),
    "every 5 minutes from 09:30 to 11:30 and 13:00 to 15:00 (Mon Tue Wed Thu Fri)": hours(
        weekdays(year("5min")), "9:30-11:30", "13:00-15:00"
    ),
    "every 7 hours from 07:00 to 21:00": year("h")[year("h").hour.isin([7, 14, 21])],
    "hourly in the same hours of every week (Mon Tue Wed Thu Fri Sun)": forex(),
    "hourly in the same hours of every week (Mon Tue Wed Thu Fri Sat)": shop(),
}
SEASONS = [14, 10, 24, 24, 8, 50, 3, 120, 60]


@pytest.mark.parametrize(("words", "season"), [*zip(WORDS, SEASONS, strict=True)])
def test_hours_that_are_always_absent_are_no_gap(words, season):
    index = WORDS[words]
    rows = int(0.9 * len(index))
    clock = Clock.from_index(index[:rows])
    assert clock.describe() == words
    assert clock.season() == season
    assert not clock.breaks(index).any()
    assert clock.after(index[rows - 1], len(index) - rows).equals(index[rows:])
    assert pickle.loads(pickle.dumps(clock)) == clock and hash(clock)
    morning = len(index) // 2 // season * season + 1
    assert clock.breaks(index.delete(morning)).sum() == 1


@pytest.mark.parametrize(
    ("n", "words"),
    [
        (20, "hourly"),
        (30, "hourly from 08:00 to 17:00"),
        (50, "hourly from 08:00 to 17:00"),
        (51, "hourly from 08:00 to 17:00 (Mon Tue Wed Thu Fri)"),
    ],
)
def test_three_days_make_a_timetable_and_a_week_makes_a_weekend(n, words):
    office = hours(weekdays(year("h")), "8:00-17:00")
    assert Clock.from_index(office[:n]).describe() == words


def test_hours_that_touch_have_no_freq():
    h = year("h")
    index = hours(h, "9:00-11:00").union(hours(h, "11:00-13:00") + pd.Timedelta(minutes=30))
    clock = Clock.from_index(index)
    assert clock.describe() == "hourly from 09:00 to 11:00 and 11:30 to 13:30"
    assert clock.after(index[99], 50).equals(index[100:150])


def test_whole_hours_have_a_freq():
    office = hours(weekdays(year("h")), "8:00-17:00")
    after = Clock.from_index(office[:100]).after(office[99], 20)
    assert after.freq == pd.offsets.BusinessHour(start="08:00", end="18:00")
    assert after.equals(office[100:120])
    assert Clock.from_index(new_york()).after(office[99], 3).freq is None


@pytest.fixture(scope="module")
def clock():
    return Clock.from_index(new_york())


@pytest.mark.parametrize(
    ("last", "first", "relation"),
    [
        ("2024-07-01 12:00", "2024-07-01 12:30", "follows"),
        ("2024-07-01 12:00", "2024-07-01 13:00", "gap"),  # within a session
        ("2024-07-01 16:00", "2024-07-02 09:30", "follows"),  # a night
        ("2024-07-05 16:00", "2024-07-08 09:30", "follows"),  # a weekend
        ("2024-07-03 13:00", "2024-07-05 09:30", "follows"),  # an early close, a holiday
        ("2024-07-01 16:00", "2024-07-02 10:00", "gap"),  # a late opening
        ("2024-07-01 12:00", "2024-07-01 12:05", "gap"),
        ("2024-07-01 12:00", "2024-07-01 12:35", "follows"),  # jitter
        ("2024-07-05 16:00", "2024-07-06 10:00", "follows"),  # a rare Saturday
        ("2024-07-06 10:00", "2024-07-06 10:30", "follows"),
        ("2024-07-06 13:00", "2024-07-08 09:30", "follows"),
        ("2024-07-01 16:00", "2024-07-01 09:30", "overlaps"),
        ("2024-07-01 16:00", "2024-07-11 09:30", "follows"),  # seven working days
        ("2024-07-01 16:00", "2024-07-12 09:30", "gap"),
        ("1969-07-01 16:00", "1969-07-02 09:30", "follows"),
    ],
)
def test_what_follows(clock, last, first, relation):
    assert clock.relation(pd.Timestamp(last), pd.Timestamp(first)) == relation


def test_holidays_are_as_long_as_those_of_trading_days(clock):
    index = new_york()
    days = index.normalize().unique()[100 : 100 + LONGEST_HOLIDAY + 1]
    assert not clock.breaks(index[~index.normalize().isin(days[:-1])]).any()
    assert clock.breaks(index[~index.normalize().isin(days)]).sum() == 1


def test_where_trading_goes_on_past_midnight_only_whole_days_may_be_missing():
    index = weekdays(year("h"))
    clock = Clock.from_index(index)
    wednesday, night = index.normalize() == "2024-07-03", slice(3000, 3003)
    assert not clock.breaks(index[~wednesday]).any()
    assert index[night][-1].hour == 2
    assert clock.breaks(index.delete(range(night.start, night.stop))).sum() == 1


def test_early_closes_holidays_and_lost_rows_do_not_hide_the_hours():
    index = new_york()
    is_short = index.normalize().isin(pd.to_datetime(["2024-07-03", "2024-11-29", "2024-12-24"]))
    is_away = index.normalize().isin(pd.to_datetime(["2024-01-15", "2024-07-04", "2024-12-25"]))
    index = index[~is_away & ~(is_short & (index.hour >= 13))]
    clock = Clock.from_index(index)
    assert clock.timetable == Clock.from_index(new_york()).timetable
    assert not clock.breaks(index).any()
    lost = np.random.default_rng(0).choice(len(index), 100, replace=False)
    assert Clock.from_index(index.delete(lost)).timetable == clock.timetable


@pytest.mark.parametrize("n", [300, 700, 2900, 3000])
def test_the_wall_clock_keeps_the_hours_over_daylight_saving(n):
    index = new_york("America/New_York")
    clock = Clock.from_index(index[:n])
    assert clock.after(index[n - 1], 400).equals(index[n : n + 400])
    assert not clock.breaks(index).any()
    in_utc = index[n].tz_convert("UTC")
    assert clock.relation(index[n - 1], in_utc) == "follows"


@pytest.mark.parametrize("freq", ["h", "15min", "5min"])
@pytest.mark.parametrize("span", ["0:00-23:59", "0:00-5:45", "1:00-2:45"])
def test_labels_leave_out_the_hour_of_spring_and_repeat_that_of_autumn(freq, span):
    index = hours(year(freq, "Europe/Berlin"), span)
    index = index[index.day_of_week != 5]  # the clock is set on Sundays
    assert not Clock.from_index(index).breaks(index).any()
    for change in ("2024-03-31 01:00", "2024-10-27 01:00"):
        near = np.flatnonzero(np.abs(index - pd.Timestamp(change, tz="UTC")) < pd.Timedelta("3h"))
        clock = Clock.from_index(index[: near[0]])
        for row in near[1:]:
            last, after = index[row - 1], index[row:]
            assert clock.after(last, 1).equals(after[:1])
            assert clock.after(last, 100).equals(after[:100])
            assert clock.relation(last, after[0]) == "follows"


def test_a_forecast_over_a_change_of_the_clock_has_all_its_labels():
    index = hours(year("15min", "Europe/Berlin"), "0:00-5:45")
    past = index[index <= "2024-03-31 01:45"]
    y_hat = Persistence().fit(None, pd.Series(1.0, past)).forecast(5)
    assert y_hat.index.equals(index[len(past) : len(past) + 5])


@pytest.mark.parametrize("hours_later", [0, -5, 1, -2])
def test_a_weekend_that_begins_an_hour_later_in_winter_is_none_the_less_one(hours_later):
    wall = forex() + pd.Timedelta(hours=hours_later)
    summer = pd.date_range("2024-03-10 07:00", "2024-11-03 06:00", freq="h")
    index = wall.where(~wall.isin(summer), wall - pd.Timedelta(hours=1)).unique()
    clock = Clock.from_index(index)
    assert clock.unit == "session" and clock.season() in (119, 120)
    assert not clock.breaks(index).any()


MARKETS = {
    "New York": ("America/New_York", "9:30-16:00"),
    "London": ("Europe/London", "8:00-16:30"),
    "Berlin": ("Europe/Berlin", "9:00-17:30"),
    "Sydney": ("Australia/Sydney", "10:00-16:00"),
}


def market(place, freq, tz):
    """Return two years of a market in its own time, told in another zone."""
    zone, span = MARKETS[place]
    whole = pd.date_range("2023-01-01", "2024-12-31", freq=freq, tz=zone)
    return hours(weekdays(pd.DatetimeIndex(whole, freq=None)), span).tz_convert(tz)


@pytest.mark.parametrize("tz", [None, "UTC", "Asia/Tokyo"])
@pytest.mark.parametrize("freq", ["h", "30min", "5min"])
@pytest.mark.parametrize("place", MARKETS)
def test_the_hours_of_a_market_told_in_another_zone_move_with_its_clock(place, freq, tz):
    index = market(place, freq, tz)
    for month in (2, 3, 5, 9, 10, 11):
        row = index.searchsorted(pd.Timestamp(2024, month, 28, tz=tz))
        clock = Clock.from_index(index[:row])
        assert not clock.breaks(index).any()
        after = clock.after(index[row - 1], 10 * clock.season())
        assert after.equals(index[row : row + len(after)])
        assert clock.relation(index[row - 1], index[row]) == "follows"
    assert clock.breaks(index.delete(row - row % clock.season() + 2)).sum() == 1


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("New York", "every 30 minutes from 09:30 to 16:00 New York time (Mon Tue Wed Thu Fri)"),
        ("Berlin", "every 30 minutes from 08:00 to 16:30 London time (Mon Tue Wed Thu Fri)"),
    ],
)
def test_hours_of_another_zone_are_told_with_its_name(place, words):
    clock = Clock.from_index(market(place, "30min", None))
    assert clock.describe() == words
    assert pickle.loads(pickle.dumps(clock)) == clock and hash(clock)


def test_a_zone_needs_a_change_of_its_clock():
    index = market("New York", "h", "UTC")
    winter, spring = index[:40], index[(index > "2023-02-01") & (index < "2023-03-15")]
    assert Clock.from_index(winter).timetable.zone is None
    assert Clock.from_index(spring).timetable.zone == "America/New_York"


def test_weekends_of_another_zone_move_with_its_clock():
    wall = forex() - pd.Timedelta(hours=5)  # from Sunday 17:00 to Friday 16:00
    index = wall.tz_localize("America/New_York").tz_convert(None)
    clock = Clock.from_index(index[:5000])
    assert not clock.breaks(index).any()
    assert clock.after(index[4999], 1000).equals(index[5000:6000])


def test_lost_rows_do_not_hide_the_zone_and_make_none():
    utc, local = market("New York", "30min", "UTC"), new_york()
    lost = np.random.default_rng(0).choice(3000, 120, replace=False)
    assert Clock.from_index(utc.delete(lost)).timetable.zone == "America/New_York"
    assert Clock.from_index(local.delete(lost)).timetable == Clock.from_index(local).timetable


def test_a_forecast_crosses_a_change_of_the_clock_of_the_market():
    index = market("New York", "h", None)
    row = index.searchsorted(pd.Timestamp("2024-03-08 18:00"))
    y_hat = Persistence().fit(None, pd.Series(1.0, index[:row])).forecast(20)
    assert y_hat.index.equals(index[row : row + 20])


def daylight(latitude=50):
    h = year("h")
    declination = 0.41 * np.sin(2 * np.pi * (h.day_of_year - 81) / 365)
    angle = np.arccos(-np.tan(np.radians(latitude)) * np.tan(declination))
    return h[np.abs(h.hour - 12.3) < 12 / np.pi * angle]


NO_TIMETABLES = {
    "daylight": (daylight(), "hourly"),
    "daylight of spring": (daylight()[1000:2200], "hourly"),
    "daylight in the south": (daylight(-35), "hourly"),
    "random holes": (
        year("h").delete(np.random.default_rng(0).choice(8784, 900, replace=False)),
        "hourly",
    ),
    "one outage": (year("h").delete(range(100, 300)), "hourly"),
    "three hours of four": (
        year("h")[np.sort(np.random.default_rng(0).choice(8784, 6600, replace=False))],
        "hourly",
    ),
}


@pytest.mark.parametrize("name", NO_TIMETABLES)
def test_hours_that_are_sometimes_absent_are_gaps(name):
    index, words = NO_TIMETABLES[name]
    clock = Clock.from_index(index)
    assert clock.describe() == words
    apart = np.diff(index.asi8)
    assert clock.breaks(index).sum() == (apart > np.median(apart)).sum() > 0


def test_all_verbs_cross_the_night():
    index = new_york()[:500]
    y = pd.Series(np.sin(np.arange(500.0)), index)
    model = ARX(output_lags=20).fit(None, y[:420])
    assert model.n_dropped_ == 0
    assert np.isfinite(model.predict_ahead(None, y)).sum() == 480
    assert model.forecast(80).index.equals(index[420:])
    assert np.isfinite(model.predict(pd.DataFrame(index=index[420:]))).all()
    for row in range(420, 440):
        model.update(None, y[row : row + 1])
    assert model.forecast(60).index.equals(index[440:])
    naive = SeasonalNaive().fit(None, y[:420])
    assert naive.period_ == 14
    assert naive.forecast(1).tolist() == [y.iloc[406]]


def test_the_series_of_a_panel_have_hours_of_their_own():
    office, market = hours(weekdays(year("h")), "8:00-17:00")[:80], new_york()[:90]
    y = pd.concat({"office": pd.Series(1.0, office), "market": pd.Series(1.0, market)})
    labels = Persistence().fit(None, y).forecast(1).index
    assert [str(label) for _, label in labels] == ["2024-01-11 08:00:00", "2024-01-09 12:30:00"]
