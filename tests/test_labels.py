"""Labels: times of every kind are times, rows keep their order, tables beside each other agree."""

import datetime as dt
from functools import partial

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    TimeSeriesSplit,
    cross_val_score,
    train_test_split,
)

from narxkit import (
    ARX,
    NARX,
    BlockedKFold,
    Climatology,
    Persistence,
    RollingOrigin,
    SeasonalNaive,
    ahead_scorer,
    backtest,
)
from narxkit.diagnostics import hurst, suggest_lags, validate
from narxkit.plotting import ForecastDisplay
from narxkit.rows.labels import read_labels

DAYS = pd.date_range("2024-01-29", periods=60, freq="D")
RNG = np.random.default_rng(0)
X = pd.DataFrame(RNG.normal(size=(60, 2)), DAYS, ["a", "b"])
Y = pd.Series(np.cumsum(RNG.normal(size=60)), DAYS, name="y")
NUMBERED = X.reset_index(drop=True), Y.reset_index(drop=True)
PARTS = slice(0, 50), slice(50, 60)
HOLED = pd.date_range("2024-01-29", periods=205, freq="D").delete(range(30, 35))


def arx():
    return ARX(input_lags=[1], output_lags=2)


# --- times of every kind -------------------------------------------------------------------------


def as_arrow(index, kind):
    pytest.importorskip("pyarrow")
    return pd.Index(pd.array(index, dtype=kind))


KINDS = {
    "dates": lambda index: pd.Index([stamp.date() for stamp in index], dtype=object),
    "datetimes": lambda index: pd.Index(list(index.to_pydatetime()), dtype=object),
    "both": lambda index: pd.Index([index[0].date(), *index[1:].to_pydatetime()], dtype=object),
    "datetime64 objects": lambda index: pd.Index(list(index.to_numpy()), dtype=object),
    "time stamps": lambda index: pd.Index(list(index), dtype=object),
    "time stamps of arrow": lambda index: as_arrow(index, "timestamp[ns][pyarrow]"),
    "dates of arrow": lambda index: as_arrow([stamp.date() for stamp in index], "date32[pyarrow]"),
    "categories": pd.CategoricalIndex,
    "categories of dates": lambda index: pd.CategoricalIndex([stamp.date() for stamp in index]),
    "text": lambda index: index.strftime("%Y-%m-%d"),
    "text with hours": lambda index: pd.Index(index.strftime("%Y-%m-%dT%H:%M:%S"), dtype=object),
}


def relabelled(values, kind):
    return values.set_axis(KINDS[kind](values.index), axis=0)


@pytest.mark.parametrize("kind", KINDS)
class TestTimesOfEveryKind:
    def test_are_a_clock_in_every_verb(self, kind):
        data = [relabelled(v, kind) for v in (X, Y)]
        (X_seen, y_seen), (X_next, y_next) = ([v.iloc[rows] for v in data] for rows in PARTS)
        model, expected = arx().fit(X_seen, y_seen), arx().fit(X[:50], Y[:50])
        forecast = model.forecast(X=X_next)
        same = {"check_freq": False, "check_index_type": False}
        pd.testing.assert_series_equal(forecast, expected.forecast(X=X[50:]), **same)
        assert isinstance(forecast.index, pd.DatetimeIndex)
        assert_array_equal(model.predict(X_next), expected.predict(X[50:]))
        assert_array_equal(model.simulate(*data), expected.simulate(X, Y))
        assert model.score(X_next, y_next) == expected.score(X[50:], Y[50:])
        with pytest.raises(ValueError, match="X begins at 2024-03-20 00:00:00, but the last row"):
            model.predict(X_next[1:])
        with pytest.raises(ValueError, match="give update only rows after those"):
            model.update(X_seen[-3:], y_seen[-3:])
        origins = backtest(model, *data, 5)["origin"]
        assert_array_equal(origins, backtest(expected, X, Y, 5)["origin"])
        moved = model.update(X_next, y_next).forecast(X=X[-1:].shift(1, freq="D"))
        assert moved.index[0] == DAYS[-1] + DAYS.freq

    def test_newest_first_are_refused(self, kind):
        X_bad, y_bad = (relabelled(v, kind)[::-1] for v in (X, Y))
        sentence = (
            r"the index of {} is not sorted: row 1 \(2024-03-27 00:00:00\) comes before row 0"
        )
        for call in (
            lambda: arx().fit(X_bad, y_bad),
            lambda: arx().fit(X, Y).predict(X_bad),
            lambda: arx().fit(X, Y).predict_ahead(X_bad, y_bad),
        ):
            with pytest.raises(ValueError, match=sentence.format("X")):
                call()
        for call in (
            lambda: Persistence().fit(None, y_bad),
            lambda: suggest_lags(None, y_bad, horizon=1),
        ):
            with pytest.raises(ValueError, match=sentence.format("y")):
                call()
        with pytest.raises(ValueError, match=sentence.format("x")):
            hurst(y_bad)

    def test_jumps_are_seams(self, kind):
        y = relabelled(Y.drop(DAYS[30:35]), kind)
        expected = arx().set_params(input_lags=0).fit(None, Y.drop(DAYS[30:35]))
        assert_array_equal(arx().set_params(input_lags=0).fit(None, y).theta_, expected.theta_)
        with pytest.warns(UserWarning, match="the clock of x jumps 1 time, first from 2024-02-27"):
            hurst(relabelled(pd.concat([Y] * 5).iloc[:200].set_axis(HOLED), kind), method="dfa")

    def test_are_read_in_a_panel(self, kind):
        y, plain = (pd.concat([v, v + 1], keys=["e", "w"]) for v in (relabelled(Y, kind), Y))
        forecast = Persistence().fit(None, y).forecast(2)
        expected = Persistence().fit(None, plain).forecast(2)
        pd.testing.assert_series_equal(forecast, expected, check_index_type=False)
        with pytest.raises(ValueError, match="the index of series 'e' is not sorted"):
            Persistence().fit(None, y[::-1].sort_index(level=0, ascending=False)[60:])


@pytest.mark.parametrize("hours", [["+09:00", "+00:00"], ["Asia/Tokyo", "UTC"]])
def test_a_panel_of_several_zones_is_led_to_one(hours):
    """The remedy of the sentence works as it stands there."""
    if "UTC" in hours:
        times = [Y.index[i].tz_localize(hours[i // 30]) for i in range(60)]
    else:
        times = [f"{Y.index[i].isoformat()}{hours[i // 30]}" for i in range(60)]
    y = Y.set_axis([["e"] * 60, pd.Index(times, dtype=object)])
    with pytest.raises(ValueError, match="do not make one DatetimeIndex") as error:
        Persistence().fit(None, y)
    remedy = str(error.value).split("for example with ")[1].rstrip(".")
    mended = eval(remedy, {"y": y, "pd": pd})
    label = Persistence().fit(None, mended).forecast(1).index[0]
    assert label == ("e", DAYS[59].tz_localize("UTC") + DAYS.freq)


def test_a_panel_without_some_times_is_led_to_the_rest():
    y = Y.set_axis([["e"] * 60, [*DAYS[:59], pd.NaT]])
    with pytest.raises(ValueError, match="the index of series 'e' has 1 missing .* in row 59") as e:
        Persistence().fit(None, y)
    remedy = str(e.value).split("drop these rows with ")[1].rstrip(".")
    assert len(eval(remedy, {"y": y})) == 59


class Moment:
    """A time stamp of a calendar that pandas does not know, as those of cftime."""

    def __init__(self, day):
        self.day = day

    def __repr__(self):
        return f"Moment({self.day})"


@pytest.mark.parametrize(
    "index, sentence",
    [
        (
            [pd.Timestamp("2024", tz="UTC"), *pd.date_range("2025", periods=7, tz="Asia/Tokyo")],
            "the index of y holds dates, but they do not make one DatetimeIndex .* one time zone",
        ),
        (
            [pd.Timestamp("2024"), *pd.date_range("2025", periods=7, tz="Asia/Tokyo")],
            "the index of y holds dates, but they do not make one DatetimeIndex",
        ),
        (
            ["2024-03-31 00:00+01:00", *["2024-03-31 03:00+02:00"] * 7],
            "the index of y holds dates, but they do not make one DatetimeIndex",
        ),
        (
            [*pd.period_range("2024", periods=7, freq="M"), pd.Period("2025", "Y")],
            r"such as Period\('2024-01', 'M'\), whose order in time is not known",
        ),
        (
            [Moment(day) for day in range(8)],
            r"the index of y holds labels such as Moment\(0\), whose order in time is not known",
        ),
        ([dt.time(hour) for hour in range(8)], r"such as datetime.time\(0, 0\), whose order"),
        (pd.interval_range(0, 8), r"such as Interval\(0, 1, closed='right'\), whose order"),
        ([*DAYS[:7], pd.NaT], "the index of y has 1 missing time stamps"),
    ],
)
def test_labels_that_make_no_clock_are_refused(index, sentence):
    index = index if isinstance(index, pd.Index) else pd.Index(index, dtype=object)
    with pytest.raises(ValueError, match=sentence):
        Persistence().fit(None, Y[:8].set_axis(index))
    if index.hasnans:  # it is the series then that has them
        return
    try:
        panel = pd.MultiIndex.from_arrays([["a"] * 8, index])
    except ValueError:  # pandas before 3 sorts the levels, and cannot sort periods of two lengths
        return
    with pytest.raises(ValueError, match=sentence):
        Persistence().fit(None, Y[:8].set_axis(panel))


@pytest.mark.parametrize(
    "labels, remedy",
    [
        (["30.01.2024", "31.01.2024"], ".*pandas.to_datetime, with dayfirst=True where the day"),
        (["1/2/24", "2/2/24"], ".*pandas.to_datetime, with dayfirst=True where the day"),
        (["Monday", "Tuesday"], ".*read them with pandas.to_datetime to have gaps and order"),
        (["2023-W01", "2023-W02"], r".*\(labels \+ '-1', format='%G-W%V-%u'\) to have gaps"),
        (["total", "2024-01-30"], ".*: it is no date and others are, so correct it or leave its"),
        (["2024-02-30", "2024-01-30"], ".*: it is no date and others are, so correct it"),
    ],
)
def test_text_that_is_no_date_of_iso_8601_is_warned_of(labels, remedy):
    """The first label that is none is named, wherever it stands."""
    sentence = f"the row labels of y are text, such as '{labels[0]}', and taken to{remedy}"
    rows = [*labels[1:], *labels] if "others are" in remedy else [*labels, labels[1]]
    for index in (rows, [["e"] * 3, rows]):
        with pytest.warns(UserWarning, match=sentence):
            Persistence().fit(None, Y[:3].set_axis(index))


def test_weeks_are_read_as_the_warning_says():
    labels = pd.Index(["2023-W01", "2023-W02"])
    times = pd.to_datetime(labels + "-1", format="%G-W%V-%u")
    assert times.tolist() == [pd.Timestamp("2023-01-02"), pd.Timestamp("2023-01-09")]


@pytest.mark.parametrize("level", [pd.Index(DAYS.date), DAYS], ids=["dates", "time stamps"])
def test_levels_the_wrong_way_round_are_refused(level):
    y = pd.concat([Y, Y]).set_axis([level.append(level), ["e"] * 60 + ["w"] * 60])
    with pytest.raises(ValueError, match=r"must be \(series, time\), but the first holds time"):
        Persistence().fit(None, y)


SWAPPED = {
    **KINDS,
    "numbers": lambda index: index.strftime("%Y%m%d").astype(int),
    "compact text": lambda index: index.strftime("%Y%m%d"),
    "elapsed times": lambda index: index - index[0],
    "periods": lambda index: index.to_period("D"),
}


@pytest.mark.parametrize("kind", SWAPPED)
def test_names_of_series_that_are_times_are_refused(kind):
    """Each day would be taken for a series, and the series for its times."""
    y = pd.concat([Y, Y]).set_axis([SWAPPED[kind](DAYS.append(DAYS)), [0] * 60 + [1] * 60])
    with pytest.raises(ValueError, match=r"must be \(series, time\), but the first holds time"):
        ARX().fit(None, y.sort_index())


def test_series_may_be_named_by_numbers_and_by_the_day_of_a_recording():
    for names in ([20240, 20241299], ["2024-01-05", "2024-01-06"], [20240105, 20240106]):
        forecast = Persistence().fit(None, pd.concat([Y, Y], keys=names)).forecast(1)
        assert forecast.index.get_level_values(0).tolist() == names
    forecast = Persistence().fit(None, pd.concat([NUMBERED[1]], keys=["20249999"])).forecast(1)
    assert forecast.index[0] == ("20249999", 60)


def test_other_labels_stay_as_they_are():
    for index in (
        pd.Index(["a", "b"]),
        pd.RangeIndex(3),
        pd.Index([1.5, None]),
        pd.Index([True, False]),
        pd.Index([2019, "b"], dtype=object),
        pd.Index(["1999", "2000"]),
        pd.Index([None, None], dtype=object),
    ):
        assert read_labels(index) is index


def test_steps_of_a_model_of_y_alone_need_rows_but_no_columns():
    model = Persistence().fit(None, Y[:50])
    with pytest.raises(ValueError, match="^3 steps need 3 rows of X, but it has 2: give more rows"):
        model.forecast(3, X=pd.DataFrame(index=DAYS[50:52]))


class TestElapsedTimes:
    """A TimedeltaIndex is a clock that counts from the start of a recording."""

    HOURS = pd.timedelta_range(0, periods=60, freq="h")

    def test_are_forecast_as_elapsed_times(self):
        y = Y.set_axis(self.HOURS).rename_axis("since")
        expected = pd.timedelta_range(self.HOURS[50], periods=3, freq="h", name="since")
        for index in (self.HOURS[:50], pd.Index(self.HOURS[:50].to_pytimedelta(), dtype=object)):
            model = Persistence().fit(None, y[:50].set_axis(index.rename("since")))
            pd.testing.assert_index_equal(model.forecast(3).index, expected, exact=False)
            with pytest.raises(ValueError, match="the clock is hourly: give the rows in between"):
                model.predict(pd.DataFrame(index=self.HOURS[55:]))
        panel = pd.concat([y, y], keys=["e", "w"])
        model = Persistence().fit(None, panel[panel.index.get_level_values(1) < expected[0]])
        assert model.forecast(3).index.get_level_values(1).equals(expected.append(expected))

    def test_are_not_compared_with_time_stamps(self):
        y = Y.set_axis(24 * self.HOURS)
        elapsed, stamped = (Persistence().fit(None, v[:50]) for v in (y, Y))
        sentence = "the rows are labelled by {}, but the last rows seen by {}: give both the same"
        with pytest.raises(ValueError, match=sentence.format("time stamps", "elapsed times")):
            elapsed.update(None, Y[50:])
        with pytest.raises(ValueError, match=sentence.format("elapsed times", "time stamps")):
            stamped.score(None, y[50:])
        assert_array_equal(elapsed.predict_ahead(None, Y), stamped.predict_ahead(None, y))

    def test_are_in_order_and_jumps_are_seams(self):
        with pytest.raises(ValueError, match="the index of y is not sorted"):
            Persistence().fit(None, Y.set_axis(self.HOURS)[::-1])
        y = Y.drop(DAYS[30:35])
        expected = ARX(output_lags=2).fit(None, y)
        model = ARX(output_lags=2).fit(None, y.set_axis(self.HOURS.delete(range(30, 35))))
        assert_array_equal(model.theta_, expected.theta_)
        run = backtest(model, None, Y.set_axis(self.HOURS), 3, [self.HOURS[40]])
        assert (run["origin"] == self.HOURS[40]).all() and len(run) == 3

    def test_are_named_as_they_were_given(self):
        X_since, y = X.set_axis(self.HOURS), Y.set_axis(self.HOURS)
        model = ARX(input_lags=[0], output_lags=2).fit(X_since[:50], y[:50])
        twice, swapped = [0, 1, 1, *range(3, 60)], [0, 2, 1, *range(3, 60)]
        missing = y.set_axis(self.HOURS.where(np.arange(60) != 3))
        for call, sentence in (
            (lambda: Persistence().fit(None, y.iloc[swapped]), "row 2 (0 days 01:00:00) comes"),
            (lambda: Persistence().fit(None, y.iloc[twice]), "duplicated()]."),
            (lambda: Persistence().fit(None, missing), "1 missing elapsed times (NaT)"),
            (lambda: hurst(y.iloc[twice]), "the elapsed time 0 days 01:00:00 "),
            (lambda: model.predict(X_since), "X begins at 0 days 00:00:00, but rows up to 2 days "),
            (lambda: model.predict(X_since[55:]), "but the last row seen is 2 days 01:00:00 and"),
            (lambda: model.update(X_since, y), "begin at 0 days 00:00:00, but rows up to 2 days"),
            (lambda: model.forecast(3), "in the 3 rows after 2 days 01:00:00: give"),
        ):
            with pytest.raises(ValueError) as error:
                call()
            assert sentence in str(error.value) and "1970" not in str(error.value)
        later = X_since[50:].reset_index(drop=True)
        later.iloc[3] = np.nan
        with pytest.warns(UserWarning, match=r"of row 3 \(2 days 05:00:00\) needs is missing"):
            model.predict(later)
        alone = ARX(output_lags=1).fit(None, y[:50])
        with pytest.warns(UserWarning, match=r"of row 1 \(0 days 01:00:00\) needs is missing"):
            alone.simulate(y_init=y[:1] * np.nan, steps=3)
        jumping = pd.timedelta_range(0, periods=85, freq="h").delete(range(30, 35))
        with pytest.warns(UserWarning, match="first from 1 days 05:00:00 to 1 days 11:00:00"):
            hurst(pd.Series(np.random.default_rng(0).normal(size=80), jumping))


# --- labels that disagree ------------------------------------------------------------------------

LATER = Y.shift(1, freq="D")
OTHERS = {
    "time stamps": (X, Y, LATER, "2024-01-29 00:00:00 and 2024-01-30 00:00:00"),
    "numbers": (*NUMBERED, NUMBERED[1].set_axis(range(1, 61)), "0 and 1"),
    "text": tuple(v.set_axis([f"{c}{i}" for i in range(60)], axis=0) for v, c in
                  zip((X, Y, Y), "aab")) + ("a0 and b0",),
    "series": tuple(pd.concat([v], keys=[k]) for v, k in ((X, "e"), (Y, "e"), (Y, "w"))) + (
        r"\('e', Timestamp\('2024-01-29 00:00:00'\)\) and \('w', ",),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:the row labels of X are text")
@pytest.mark.parametrize("kind", OTHERS)
class TestLabelsThatDisagree:
    def test_of_X_and_y_are_refused(self, kind):
        X, y, other, rows = OTHERS[kind]
        sentence = rf"the indexes of X and y differ, first in row 0 \({rows}"
        model = arx().fit(X, y)
        for verb in (arx().fit, model.predict_ahead, model.score, model.update):
            with pytest.raises(ValueError, match=sentence):
                verb(X, other)
        with pytest.raises(ValueError, match=sentence):
            backtest(model, X, other)
        with pytest.raises(ValueError, match="the indexes of y and X differ, first in row 0"):
            validate(model, X, other)
        with pytest.raises(ValueError, match=sentence):
            ahead_scorer(2, warmup=2)(model, X, other)
        with pytest.raises(ValueError, match=sentence):
            list(RollingOrigin(2).split(X, other))
        with pytest.raises(ValueError, match="the indexes of X and groups differ, first in row 0"):
            list(BlockedKFold(2).split(X, y, groups=pd.Series(0, other.index)))
        assert np.isfinite(arx().fit(X, other.to_numpy()).theta_).all()  # an array has no labels

    def test_of_weights_and_segments_are_refused(self, kind):
        X, y, other, rows = OTHERS[kind]
        ones = pd.Series(1.0, other.index)
        for name in ("sample_weight", "segments"):
            sentence = rf"the indexes of X and {name} differ, first in row 0 \({rows}"
            with pytest.raises(ValueError, match=sentence):
                arx().fit(X, y, **{name: ones})
            arx().fit(X, y, **{name: ones.to_numpy()})
        if kind == "time stamps":
            for name in ("sample_weight", "segments"):
                sentence = rf"give each row its own, for example {name}.reindex\(X.index\)"
                with pytest.raises(ValueError, match=sentence):
                    arx().fit(X, y, **{name: ones})
        model = arx().fit(X, y)
        for call in (model.predict_ahead, partial(backtest, model), partial(validate, model)):
            with pytest.raises(ValueError, match="the indexes of . and segments differ, first in"):
                call(X, y, segments=ones)

    def test_of_initial_outputs_are_refused(self, kind):
        X, y, other, _ = OTHERS[kind]
        model = arx().fit(X, y)
        sentence = "holds the outputs of other rows than the first of X: row 0 is|lacks the series"
        with pytest.raises(ValueError, match=f"y_init {sentence}"):
            model.simulate(X, other[:5])
        with pytest.raises(ValueError, match=f"y {sentence}"):
            model.simulate(X, "estimate", y=other)
        if kind != "series":
            assert_array_equal(model.simulate(X, y[:5]), model.simulate(X, y[:5].to_numpy()))


def test_the_first_row_that_differs_is_named_with_the_remedy():
    index = [*range(7), 9, 8, *range(9, 60)]
    with pytest.raises(ValueError, match=r"in row 7 \(7 and 9\): align them, for example X, y = X"):
        arx().fit(NUMBERED[0], NUMBERED[1].set_axis(index))
    with pytest.raises(ValueError, match=r"no label in common: .* with y.set_axis\(X.index\)"):
        arx().fit(NUMBERED[0], NUMBERED[1].set_axis(range(100, 160)))


def test_labels_that_cannot_be_compared_differ():
    months, names = pd.period_range("2024", periods=60, freq="M"), pd.Index([b"a"] * 60)
    with pytest.raises(ValueError, match="the indexes of X and y differ, first in row 0"):
        arx().fit(X.set_axis(months), Y.set_axis(names))
    three = pd.MultiIndex.from_product([["e"], ["f"], DAYS])
    with pytest.raises(ValueError, match="no label in common"):
        arx().fit(X.set_axis(three), Y.set_axis(three.droplevel(1)))
    missing = Y.set_axis(pd.Index([None, *range(59)], dtype="Int64"))
    with pytest.raises(ValueError, match="differ, first in row 0 .0 and <NA>"):
        arx().fit(NUMBERED[0], missing)


def test_plain_numbers_beside_times_only_count_the_rows():
    expected = arx().fit(X, Y).theta_
    for index in (pd.RangeIndex(60), pd.RangeIndex(100, 160), pd.Index([*range(59), 70])):
        assert_array_equal(arx().fit(X, Y.set_axis(index)).theta_, expected)
        assert_array_equal(arx().fit(X.set_axis(index), Y).theta_, expected)
    with pytest.raises(
        ValueError, match=r"the index of y is not sorted: row 3 \(\d+\) comes after"
    ):
        arx().fit(X, NUMBERED[1].sample(frac=1, random_state=0))


def test_the_same_times_written_otherwise_agree():
    expected = arx().fit(X, Y).theta_
    for kind in KINDS:
        assert_array_equal(arx().fit(X, relabelled(Y, kind)).theta_, expected)
    utc, berlin = X.tz_localize("UTC"), Y.tz_localize("UTC").tz_convert("Europe/Berlin")
    assert_array_equal(arx().fit(utc, berlin).theta_, expected)


# --- order ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [(X, Y), NUMBERED], ids=["time stamps", "numbers"])
def test_shuffled_rows_are_led_to_the_order_they_had(data):
    """Sorting a random sample would leave holes."""
    X_train, X_test, y_train, y_test = train_test_split(*data, random_state=0)
    sentence = (
        "the rows of a time series must keep their order, so split them with "
        r"train_test_split\(..., shuffle=False\) or TimeSeriesSplit, and search with GridSearchCV: "
        "a halving search draws rows at random.$"
    )
    for call in (
        lambda: arx().fit(X_train, y_train),
        lambda: Persistence().fit(None, y_train),
        lambda: arx().fit(*data).predict(X_test),
        lambda: hurst(y_train),
    ):
        with pytest.raises(ValueError, match=f"is not sorted: row .*{sentence}"):
            call()


@pytest.mark.parametrize(
    "index",
    [
        range(59, -1, -1),
        [*range(30), *range(30)],
        np.arange(60)[::-1] / 7,
        pd.Index(range(59, -1, -1), dtype=object),
        pd.CategoricalIndex(range(59, -1, -1)),
        pd.Index(range(59, -1, -1), dtype="Int64"),
    ],
    ids=str,
)
def test_numbers_that_run_backwards_are_refused(index):
    y = Y.set_axis(index)
    with pytest.raises(
        ValueError, match=r"the index of y is not sorted: row \d+ \([\d.]+\) comes after"
    ):
        Persistence().fit(None, y)
    panel = pd.concat([y], keys=["e"])
    with pytest.raises(ValueError, match="the index of series 'e' is not sorted: row"):
        Persistence().fit(None, panel)


def test_what_to_do_with_one_series_is_said_of_the_table():
    panel = pd.concat([Y, Y], keys=["e", "w"])
    for bad, remedy in (
        (panel[::-1], r"sort it with y.sort_index\(\)"),
        (
            panel.iloc[[*range(60), *range(60, 120), 3]].sort_index(),
            r"y\[~y.index.duplicated\(\)\]",
        ),
    ):
        with pytest.raises(ValueError, match=f"the index of series '[ew]' is not .*{remedy}"):
            Persistence().fit(None, bad)


def test_numbers_may_jump_stand_twice_and_begin_again_in_a_segment():
    for index in ([*range(30), *range(40, 70)], np.repeat(range(30), 2), np.arange(60) / 3):
        assert Persistence().fit(None, Y.set_axis(index)).max_lag_ == 1
    again, segments = Y.set_axis([*range(30), *range(30)]), np.repeat(["a", "b"], 30)
    expected = arx().fit(X.to_numpy(), Y.to_numpy(), segments=segments).theta_
    assert_array_equal(arx().fit(X.to_numpy(), again, segments=segments).theta_, expected)


COUNTED = {
    "decades": (range(1900, 2500, 10), [2500, 2510, 2520]),
    "tenths": (np.arange(60) / 10, [6.0, 6.1, 6.2]),
    "tenths from a far start": (
        1.7e9 + np.arange(60) / 10,
        [1.7e9 + 6.0, 1.7e9 + 6.1, 1.7e9 + 6.2],
    ),
    "tenths in single": (np.arange(60, dtype=np.float32) / 10, [6.0, 6.1, 6.2]),
    "thirds": (np.arange(60) / 3, [20, 61 / 3, 62 / 3]),
    "nullable": (pd.array(range(0, 120, 2), dtype="Int64"), [120, 122, 124]),
    "objects": (pd.Index(range(0, 120, 2), dtype=object), [120, 122, 124]),
    "ones": (range(7, 67), [67, 68, 69]),
    "with a jump": ([*range(30), *range(40, 70)], [70, 71, 72]),
    "with a jump of tenths": (np.delete(np.arange(61) / 10, 30), [60, 61, 62]),
    "twice each": (np.repeat(range(30), 2), [30, 31, 32]),
}


@pytest.mark.parametrize("kind", COUNTED)
def test_numbers_count_on_in_their_step(kind):
    """Also after an update, and in each series of a panel; where they jump, by one."""
    index, expected = COUNTED[kind]
    y = Y.set_axis(index)
    labels = Persistence().fit(None, y).forecast(3).index
    np.testing.assert_allclose(labels, expected, rtol=1e-7 if "single" in kind else 2e-15)
    assert (labels.dtype.kind == "f") == isinstance(expected[1], float)
    panel = Persistence().fit(None, pd.concat([y, NUMBERED[1]], keys=["e", "w"])).forecast(3)
    np.testing.assert_allclose(panel.index.get_level_values(1), [*expected, 60, 61, 62], rtol=1e-7)
    if "jump" not in kind and "twice" not in kind:
        updated = Persistence().fit(None, y.iloc[:50]).update(None, y.iloc[50:]).forecast(3)
        np.testing.assert_allclose(updated.index, expected, rtol=1e-7)


@pytest.mark.parametrize("order", ["one after the other", "side by side"])
def test_a_long_table_is_led_to_a_multiindex(order):
    """Not to dropping all series but the first."""
    y = pd.concat([Y, Y])
    y = y if order == "one after the other" else y.sort_index()
    sentence = r"name those beside the label, in a MultiIndex .* y.set_axis\(\[names, y.index\]\)"
    with pytest.raises(ValueError, match=sentence):
        Persistence().fit(None, y)
    names = np.repeat(["e", "w"], 60) if order == "one after the other" else ["e", "w"] * 60
    assert len(Persistence().fit(None, y.set_axis([names, y.index])).forecast(1)) == 2


def test_folds_that_do_not_follow_are_led_to_TimeSeriesSplit():
    for cv, which in ((KFold(3), "TimeSeriesSplit or RollingOrigin"), (
        TimeSeriesSplit(3, gap=2), "TimeSeriesSplit or RollingOrigin, without gap")):  # fmt: skip
        with pytest.raises(ValueError, match=f"; cross-validate with {which}.$"):
            cross_val_score(arx(), X, Y, cv=cv, error_score="raise")
    search = GridSearchCV(arx(), {"output_lags": [1, 2]}, cv=TimeSeriesSplit(3)).fit(*NUMBERED)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


# --- a model of y alone --------------------------------------------------------------------------


class TestForecastOfYAlone:
    """The frame that is given as X says which rows are forecast."""

    def test_reads_the_index_of_X(self):
        model = Persistence().fit(None, Y[:50])
        pd.testing.assert_series_equal(
            model.forecast(X=X[50:]), model.forecast(10), check_freq=False
        )
        assert len(model.forecast(3, X=X[50:])) == 3
        with pytest.raises(ValueError, match="X begins at 2024-03-20 00:00:00, but the last row"):
            model.forecast(X=X[51:])
        with pytest.raises(ValueError, match="X begins at 2024-01-29 00:00:00, but rows up to"):
            model.forecast(X=X)

    def test_reads_the_series_of_X(self):
        panel = pd.concat([Y[:50], Y[:50] + 1], keys=["e", "w"])
        model = Persistence().fit(None, panel)
        future = pd.concat([X[50:]], keys=["w"])
        forecast = model.forecast(X=future)
        assert forecast.index.equals(future.index) and (forecast == Y.iloc[49] + 1).all()
        with pytest.raises(ValueError, match="series 'n' cannot be continued"):
            model.forecast(X=pd.concat([X[50:]], keys=["n"]))

    @pytest.mark.filterwarnings("ignore:X does not have valid feature names")
    def test_needs_rows_and_the_labels_of_their_series(self):
        alone, panel = (Persistence().fit(None, v) for v in (Y, pd.concat([Y], keys=["e"])))
        for nothing in (X[:0], [], np.empty((0, 2))):
            with pytest.raises(ValueError, match="X has no rows: give at least one"):
                alone.forecast(X=nothing)
        assert len(panel.forecast(X=X.to_numpy())) == 60  # counted for each series
        driven = arx().fit(*(pd.concat([v], keys=["e"]) for v in (X, Y)))
        for steps in (None, 3):
            with pytest.raises(
                ValueError, match=r"X has no index, but the model has seen .*\['e'\]"
            ):
                driven.forecast(steps, X=X.to_numpy())

    def test_counts_the_rows_of_an_array(self):
        model = Persistence().fit(None, NUMBERED[1])
        assert_array_equal(model.forecast(X=X[:4].to_numpy()).index, range(60, 64))
        clocked = Persistence().fit(None, Y)
        assert clocked.forecast(X=NUMBERED[0][:4]).index.equals(clocked.forecast(4).index)


class TestSimulateWithoutX:
    """A model of y alone is told how many steps it shall run."""

    def test_equals_the_run_over_a_frame_without_columns(self):
        model = ARX(output_lags=2).fit(None, Y)
        expected = model.simulate(pd.DataFrame(index=DAYS), Y[:5])
        for y_init in (Y[:5], Y[:5].to_numpy(), Y[:5].tolist(), NUMBERED[1][:5]):
            assert_array_equal(model.simulate(y_init=y_init, steps=55), expected)
        assert np.isnan(expected[:5]).all() and np.isfinite(expected[5:]).all()

    def test_estimates_its_start(self):
        model = ARX(output_lags=2).fit(None, Y)
        expected = model.simulate(pd.DataFrame(index=DAYS), "estimate", y=Y)
        assert_array_equal(model.simulate(y_init="estimate", y=Y), expected)
        assert_array_equal(model.simulate(y_init="estimate", y=Y, steps=58), expected)
        assert len(model.simulate(y_init="estimate", y=Y[:20], steps=58)) == 60
        with pytest.raises(ValueError, match="y has 60 rows, but 3 steps after 2 of history are 5"):
            model.simulate(y_init="estimate", y=Y, steps=3)

    def test_runs_series_after_series(self):
        panel = pd.concat([Y, Y + 1], keys=["e", "w"])
        model = ARX(output_lags=2).fit(None, panel)
        y_init = pd.concat([Y[:3], Y[:4] + 1], keys=["e", "w"])
        one_by_one = [model.simulate(y_init=y_init[key].to_numpy(), steps=5) for key in "ew"]
        assert_array_equal(model.simulate(y_init=y_init, steps=5), np.concatenate(one_by_one))
        several = ARX(output_lags=2).fit(None, pd.concat([Y, -Y], axis=1, keys=["p", "q"]))
        assert several.simulate(y_init=np.ones((2, 2)), steps=5).shape == (7, 2)

    def test_goes_on_with_the_time_stamps_of_its_start(self):
        hours = pd.date_range("2024-01-01", periods=96, freq="h")
        y = pd.Series(hours.hour * 1.0, hours)
        model = Climatology(("hour",)).fit(None, y)
        assert_array_equal(model.simulate(y_init=y[3:4], steps=4), [np.nan, 4, 5, 6, 7])
        assert_array_equal(SeasonalNaive(2).fit(None, y).simulate(y_init=[1.0, 2.0], steps=3)[2:],
                           [1, 2, 1])  # fmt: skip

    @pytest.mark.parametrize("steps", [0, -1, 2.5, "24", True])
    def test_needs_a_number_of_steps(self, steps):
        model = Persistence().fit(None, Y)
        with pytest.raises(ValueError, match="steps must be an int >= 1"):
            model.simulate(y_init=Y[:3], steps=steps)
        with pytest.raises(ValueError, match=r"or use forecast\(steps\) for the steps after the"):
            model.simulate(y_init=Y[:3])

    def test_has_steps_or_X(self):
        for model, X_given in ((arx().fit(X, Y), X), (Persistence().fit(None, Y), X[[]])):
            with pytest.raises(
                ValueError, match="steps is for a model of y alone; here X says how"
            ):
                model.simulate(X_given, Y[:3], steps=9)
        sentence = (
            r"simulate needs X, and this ARX was fitted with it: give its columns \['a', 'b'\]"
        )
        for steps in (None, 4):
            with pytest.raises(ValueError, match=sentence):
                arx().fit(X, Y).simulate(y_init=Y[:3], steps=steps)


def test_the_history_of_a_picture_is_a_series():
    pytest.importorskip("matplotlib")
    with pytest.raises(ValueError, match=r"history must be the measured values .* Got 48 instead"):
        ForecastDisplay.from_estimator(Persistence().fit(None, Y), steps=3, history=48)


def test_pictures_draw_elapsed_times_in_hours():
    plt = pytest.importorskip("matplotlib.pyplot")
    y = Y.set_axis(24 * TestElapsedTimes.HOURS)
    model = Persistence().fit(None, y[:50])
    display = ForecastDisplay.from_estimator(model, y=y[50:], history=y[:50])
    plt.close(display.figure_)
    assert_array_equal(display.true_line_.get_xdata(), 24.0 * np.arange(50, 60))
    assert display.ax_.get_xlabel() == "elapsed time, hours"


@pytest.mark.parametrize("kind", KINDS)
def test_pictures_draw_times_of_every_kind(kind):
    plt = pytest.importorskip("matplotlib.pyplot")
    model = Persistence().fit(None, relabelled(Y[:50], kind))
    seen, true = relabelled(Y[:50], kind), relabelled(Y[50:], kind)
    display = ForecastDisplay.from_estimator(model, y=true, history=seen)
    drawn = display.true_line_.get_xdata(orig=True)
    plt.close(display.figure_)
    assert_array_equal(np.asarray(drawn, dtype="datetime64[ns]"), DAYS[50:].to_numpy())


def test_a_network_reads_labels_like_every_forecaster():
    model = NARX(input_lags=[1], hidden_layer_sizes=(2,), max_iter=3, random_state=0)
    dated = [relabelled(v, "dates") for v in (X, Y)]
    assert_array_equal(model.fit(*dated).predict_ahead(*dated), model.fit(X, Y).predict_ahead(X, Y))
