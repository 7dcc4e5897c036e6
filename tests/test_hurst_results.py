"""Results of the Hurst exponent: notes, sentences, pictures, windows."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.signal import lfilter

from narxkit.diagnostics import hurst, make_fbm, make_fgn, rolling_hurst
from narxkit.diagnostics._hurst import wavelet
from narxkit.diagnostics._hurst.methods import METHODS
from narxkit.diagnostics._hurst.simulated_law import simulated_law
from narxkit.diagnostics._outlier import find_outlier


# ---------------------------------------------------------------- results
def test_levels_are_analysed_by_their_differences():
    x = make_fgn(600, 0.7, random_state=0)
    levels = hurst(np.r_[3.0, 3.0 + x.cumsum()], kind="levels")
    assert levels.estimate == pytest.approx(hurst(x).estimate, abs=1e-4)
    assert levels.n == 600


@pytest.mark.parametrize("method", METHODS)
def test_units_and_offsets_do_not_matter(method):
    x = make_fgn(400, 0.7, random_state=0)
    moved = hurst(1e6 * x + 1e7, method)
    assert moved.estimate == pytest.approx(hurst(x, method).estimate, abs=1e-4)


def test_a_wrong_kind_is_said():
    path = make_fbm(1000, 0.7, random_state=0)
    for method in METHODS:
        assert any("as that of levels" in note for note in hurst(path, method).notes), method
        result = hurst(np.diff(path), method, kind="levels")
        assert any("looks like increments already" in note for note in result.notes), method
    assert not hurst(path, kind="levels").notes


def test_a_season_is_taken_away_when_asked_and_told_when_not():
    x = make_fgn(960, 0.7, random_state=0)
    seasonal = x + 3 * np.sin(2 * np.pi * np.arange(960) / 24)
    told = hurst(seasonal)
    assert any("a cycle of 24 rows holds" in note for note in told.notes)
    freed = hurst(seasonal, season=24)
    assert freed.season == 24 and not freed.notes
    assert freed.estimate == pytest.approx(hurst(x, season=24).estimate, abs=1e-4)
    assert "means of a season of 24 rows subtracted" in str(freed)
    assert not hurst(x).notes


def test_slow_swings_are_no_season():
    t, noise = np.arange(1000) / 1000, make_fgn(1000, 0.5, random_state=0)
    slow, fast = (hurst(noise + 2 * np.sin(2 * np.pi * k * t)).notes for k in (10, 11))
    assert not any("a cycle of" in note for note in slow)
    assert any("a cycle of 90.9 rows holds" in note for note in fast)


def test_sparse_counts_are_told_to_the_rescaled_range():
    rng = np.random.default_rng(0)
    sparse, dense = (rng.poisson(rate, 3000).astype(float) for rate in (0.02, 0.2))
    (note,) = hurst(sparse, "rs").notes
    assert note.startswith("x is constant in more than 5 % of the boxes of 50 rows")
    assert not hurst(dense, "rs").notes and not hurst(sparse, "dfa").notes
    windows = rolling_hurst(sparse, 1000, step=1000, method="rs")
    assert windows.notes[0] == f"in 3 of 3 windows {note}"


# ---------------------------------------------------------------- methods that disagree
def autoregression(n, weight):
    return lfilter([1.0], [1.0, -weight], np.random.default_rng(0).normal(size=n + 500))[500:]


def noted(table):
    """Return notes of a table and the methods that say so."""
    return {f.meaning: f.value for f in table.figures if f.name == "note"}


def test_memory_over_few_rows_is_held_against_the_likelihood():
    table = hurst(autoregression(4000, 0.6), "all")
    assert table.is_split
    assert table.sentence.startswith(table.results["local_whittle"].sentence[:-1])
    assert table.sentence.endswith(
        f"(local Whittle); the likelihood says {table.results['ml'].estimate:.2f}, misled by "
        "memory over few rows."
    )
    (who,) = (who for note, who in noted(table).items() if "as that of an autoregression;" in note)
    assert who == "ml, local_whittle"


def test_noise_over_few_rows_is_held_against_the_likelihood():
    x = make_fgn(4000, 0.95, random_state=0) + np.random.default_rng(1).normal(size=4000)
    table = hurst(x, "all")
    assert table.is_split and table.sentence.endswith("misled by noise over few rows.")


def test_methods_agree_on_noise_and_on_levels():
    x = make_fgn(2000, 0.7, random_state=0)
    for table in (hurst(x, "all"), hurst(x.cumsum(), "all")):
        assert not table.is_split and "all methods say" in table.sentence


def test_notes_on_the_kind_do_not_go_in_circles():
    x = autoregression(4000, 0.9)
    as_increments, as_levels = (hurst(x, "all", kind=kind) for kind in ("increments", "levels"))
    assert as_increments.is_split and as_increments.results["ml"].estimate > 0.95
    assert not any("kind=" in note for note in noted(as_increments))
    advice = {note: who for note, who in noted(as_levels).items() if "kind=" in note}
    (note,) = advice
    assert note.endswith("give kind='increments'") and advice[note] == "gph, local_whittle"


def test_differences_that_were_differenced_are_told():
    twice = np.diff(make_fgn(1000, 0.3, random_state=0))
    assert any("if x was differenced" in note for note in hurst(twice).notes)
    smooth = np.cumsum(autoregression(1000, 0.97))
    assert any("though differences were analysed" in n for n in hurst(smooth, kind="levels").notes)


# ---------------------------------------------------------------- ends of a method
@pytest.mark.parametrize("method, high", [("rs", 0.99), ("dfa", 0.99), ("wavelet", 0.99)])
def test_an_interval_that_is_cut_is_told(method, high):
    walk = np.random.default_rng(0).normal(size=2000).cumsum()
    result = hurst(walk, method)
    assert result.is_cut and result.estimate == result.confidence_interval[1] == high
    assert ", cut there" in result.sentence
    assert (
        "H is at the end of what the method can tell (0.01 to 0.99), and the interval is cut there"
        in result.notes
    )
    assert result.plot().texts[0].get_text().endswith(", cut where the method ends")
    inside = hurst(np.diff(walk), method)
    assert not inside.is_cut and "cut" not in str(inside)


def test_lines_belong_to_the_estimate_where_it_is_cut():
    walk = np.random.default_rng(0).normal(size=2000).cumsum()
    for method, name in (("rs", "rs"), ("dfa", "dfa1"), ("wavelet", "wavelet")):
        result = hurst(walk, method)
        slope = np.polyfit(np.log(result.scales), np.log(result.fitted), 1)[0]
        steepest = simulated_law(name, 2000).mean[-1]
        assert slope == pytest.approx(steepest - 0.5 * (method == "wavelet"))


def test_lines_are_the_regressions_where_nothing_is_cut():
    x = make_fgn(2000, 0.7, random_state=0)
    for method in ("rs", "dfa"):
        result = hurst(x, method)
        line = np.polyfit(np.log(result.scales), np.log(result.fluctuations), 1)
        np.testing.assert_allclose(np.log(result.fitted), np.polyval(line, np.log(result.scales)))
    octaves, _, line, _ = wavelet.wavelet_line(x)
    fitted = hurst(x, "wavelet").fitted
    np.testing.assert_allclose(2 * np.log2(fitted), np.polyval(line, octaves))


def test_pictures_tell_where_a_method_ends():
    walk = np.random.default_rng(0).normal(size=2000).cumsum()
    table = hurst(walk, "all")
    texts = [text.get_text() for text in table.plot().texts]
    cut = [name for name, result in table.results.items() if result.is_cut]
    assert cut == ["ml", "rs", "dfa", "wavelet"] and texts.count("or above") == 4
    rolling = rolling_hurst(walk, 500)
    assert rolling.cut_at == [0.999]
    end = "the method ends here, and cuts the band"
    assert end in [text.get_text() for text in rolling.plot().texts]
    quiet = rolling_hurst(np.diff(walk), 500)
    assert end not in [text.get_text() for text in quiet.plot().texts]


def test_a_trend_is_told():
    x = make_fgn(500, 0.5, random_state=0) + 0.02 * np.arange(500)
    assert any("a straight trend holds" in note for note in hurst(x).notes)


def test_sentences_say_what_the_interval_says():
    sentences = [hurst(make_fgn(1000, h, random_state=1)).sentence for h in (0.2, 0.5, 0.8)]
    assert sentences[0].startswith("Anti-persistent: H = 0.")
    assert sentences[1].startswith("No long memory is seen: H = 0.")
    assert sentences[2].startswith("Persistent: H = 0.")


def test_results_are_frozen_and_readable():
    x = make_fgn(500, 0.6, random_state=0)
    for result in (hurst(x), hurst(x, "all"), rolling_hurst(x, 200)):
        with pytest.raises(AttributeError):
            result.method = "rs"
        assert repr(result).startswith(result.sentence)
        assert "<table>" in result._repr_html_()
    assert "detrended fluctuations of order 2" in str(hurst(x, "dfa", order=2))
    assert "detrended fluctuations of order 2" in str(hurst(x, "all", order=2))
    assert "detrended fluctuations of order 2" in str(rolling_hurst(x, 200, method="dfa", order=2))
    low, high = hurst(x, confidence=0.5).confidence_interval
    wide = hurst(x).confidence_interval
    assert wide[0] < low < high < wide[1]


def test_results_say_what_they_were_computed_on():
    path, season = make_fgn(501, 0.6, random_state=0).cumsum(), {"kind": "levels", "season": 24}
    words = "500 increments, the differences of x, means of a season of 24 rows subtracted"
    rolling = rolling_hurst(path, 200, method="dfa", order=2, **season)
    for result in (hurst(path, **season), hurst(path, "all", **season), rolling):
        (line,) = (f for f in result.figures if f.name == "computed on")
        assert words in (line.value, line.meaning)
    assert (rolling.kind, rolling.n, rolling.season, rolling.order) == ("levels", 500, 24, 2)
    assert rolling_hurst(path, 200).order is None


def test_results_are_equal_to_themselves_alone():
    x = make_fgn(300, 0.6, random_state=0)
    for judge in (hurst, lambda x: hurst(x, "all"), lambda x: rolling_hurst(x, 200)):
        result = judge(x)
        assert result == result and result != judge(x[::-1]) and {result}


@pytest.mark.parametrize("method", METHODS)
def test_scales_fluctuations_and_fit_go_together(method):
    result = hurst(make_fgn(1000, 0.7, random_state=0), method)
    assert len(result.scales) == len(result.fluctuations) == len(result.fitted) >= 5
    seen, fitted = np.log(result.fluctuations), np.log(result.fitted)
    assert abs(np.mean(seen - fitted)) < 0.5
    ax = result.plot()
    assert ax.get_xscale() == ax.get_yscale() == "log"
    assert f"H = {result.estimate:.2f}" in ax.texts[0].get_text()


def test_all_methods_make_one_table_and_one_plot():
    table = hurst(make_fgn(1000, 0.7, random_state=0), "all")
    frame = table.to_frame()
    assert list(frame.index) == list(METHODS)
    assert ((frame["low"] < frame["estimate"]) & (frame["estimate"] < frame["high"])).all()
    labels = [label.get_text() for label in table.plot().get_yticklabels()]
    assert labels == list(METHODS)[::-1]


def test_windows_keep_the_index_and_the_numbers():
    days = pd.date_range("2024-01-01", periods=500, name="day")
    x = pd.Series(make_fgn(500, 0.6, random_state=0), index=days)
    rolling = rolling_hurst(x, 200, step=100)
    windows = rolling.windows
    assert list(windows.index) == [days[199], days[299], days[399], days[499]]
    alone = hurst(x[100:300])
    assert windows["estimate"].iloc[1] == alone.estimate
    assert tuple(windows[["low", "high"]].iloc[1]) == alone.confidence_interval
    ax = rolling.plot()
    assert ax.get_xlabel() == "day" and len(ax.collections) == 1
    levels = rolling_hurst(x.cumsum(), 200, step=100, kind="levels").windows
    assert levels.index[0] == days[200]
    assert len(rolling_hurst(x.to_numpy(), 200).windows) == 16


def test_a_constant_window_is_missing():
    x = np.r_[make_fgn(200, 0.5, random_state=0), np.zeros(200), make_fgn(200, 0.5, random_state=1)]
    estimates = rolling_hurst(x, 200, step=200).windows["estimate"]
    assert list(estimates.isna()) == [False, True, False]


def test_a_window_constant_but_for_rounding_is_missing():
    noise = np.random.default_rng(0).normal(size=(2, 300))
    walk, line = noise.cumsum(axis=1), 0.1 * np.arange(300)
    x = np.r_[walk[0], walk[0, -1] + line, walk[0, -1] + line[-1] + walk[1]]
    estimates = rolling_hurst(x, 200, step=100, kind="levels").windows["estimate"]
    assert list(np.flatnonzero(estimates.isna())) == [3]
    with pytest.raises(ValueError, match=r"diff\(x\) is constant, at 0.1: "):
        hurst(1000 + line, kind="levels")


def test_a_window_that_a_method_cannot_analyse_is_missing():
    x = np.r_[make_fgn(200, 0.5, random_state=0), np.tile([1.0, 2.0, 3.0, 4.0], 50)]
    estimates = rolling_hurst(x, 200, step=200, method="gph").windows["estimate"]
    assert list(estimates.isna()) == [False, True]


def test_windows_of_levels_are_told():
    rolling = rolling_hurst(make_fbm(1500, 0.5, random_state=0), 500)
    assert any("as that of levels" in note for note in rolling.notes)
    assert any("windows H is at the end of what" in note for note in rolling.notes)
    assert all(note in str(rolling) for note in rolling.notes)
    assert not rolling_hurst(make_fgn(1500, 0.5, random_state=0), 500).notes


def test_windows_of_a_panel_of_one_series_are_labelled_by_its_clock():
    days = pd.date_range("2024-01-01", periods=300, name="day")
    y = pd.concat({"a": pd.Series(make_fgn(300, 0.5, random_state=0), days)}, names=["plant"])
    rolling = rolling_hurst(y, 100)
    assert rolling.windows.index[0] == days[99]
    assert rolling.plot().get_xlabel() == "day"


@pytest.mark.parametrize("periods", ["period", "zone", "numbers"])
def test_rolling_plots_draw_any_index(periods):
    index = {
        "period": pd.period_range("2020-01", periods=300, freq="M"),
        "zone": pd.date_range("2020-01-01", periods=300, tz="Europe/Zurich"),
        "numbers": pd.RangeIndex(300),
    }[periods]
    ax = rolling_hurst(pd.Series(make_fgn(300, 0.5, random_state=0), index), 100).plot()
    ax.figure.canvas.draw()
    assert ax.lines


# ---------------------------------------------------------------- sentences
LONG = make_fgn(300, 0.5, random_state=0)


@pytest.mark.parametrize(
    "x, options, sentence",
    [
        (LONG[:50], {}, "x has 50 rows, but at least 64 are needed: give a longer series."),
        (
            LONG[:100],
            {"method": "all"},
            "x has 100 rows, but at least 128 are needed: give a longer series.",
        ),
        (
            LONG[:64],
            {"kind": "levels"},
            "x has 64 rows, but at least 65 are needed: give a longer series.",
        ),
        (
            np.r_[LONG, np.nan],
            {},
            "x has 1 missing or infinite values, the first in row 300: fill or drop them, or give "
            "the longest stretch without them.",
        ),
        (np.full(100, 2.0), {}, "x is constant, at 2: there is nothing to analyse."),
        (
            np.arange(100.0),
            {"kind": "levels"},
            "diff(x) is constant, at 1: there is nothing to analyse.",
        ),
        (
            np.tile([1.0, 5.0, 2.0], 100),
            {"season": 3},
            "x is nothing but its season of 3 rows: there is nothing to analyse without it.",
        ),
        (
            LONG,
            {"season": 200},
            "x has 300 rows, but at least 400 are needed: give a longer series.",
        ),
        (
            np.tile([1.0, 2.0, 3.0, 4.0], 100),
            {"method": "all"},
            "x has power at 0 of its 36 lowest frequencies, but 'gph' and 'local_whittle' need 5: "
            "give another series or another method.",
        ),
        (
            np.tile([1.0, -1.0], 100),
            {"method": "wavelet"},
            "x has no power at octave 2, but 'wavelet' needs some at each: give another series or "
            "another method.",
        ),
        (
            np.r_[np.zeros(129), 1.0],
            {"method": "rs"},
            "x is constant in all boxes of 16 rows: there is no range to analyse.",
        ),
        (LONG, {"season": 1}, "season must be None or an int >= 2, in rows. Got 1 instead."),
        (
            LONG,
            {"method": "hurst"},
            "method must be one of 'ml', 'rs', 'dfa', 'gph', 'local_whittle', 'wavelet', 'all'. "
            "Got 'hurst' instead.",
        ),
        (LONG, {"kind": "x"}, "kind must be one of 'increments', 'levels'. Got 'x' instead."),
        (LONG, {"order": 4}, "order must be one of 1, 2, 3. Got 4 instead."),
        (LONG, {"order": True}, "order must be one of 1, 2, 3. Got True instead."),
        (LONG, {"confidence": 95}, "confidence must be a number between 0 and 1. Got 95 instead."),
    ],
)
def test_what_cannot_be_analysed_is_said(x, options, sentence):
    with pytest.raises(ValueError) as error:
        hurst(x, **options)
    assert str(error.value) == sentence


@pytest.mark.parametrize(
    "window, options, sentence",
    [
        (50, {}, "window must be an int >= 64, in rows, for 'ml'. Got 50 instead."),
        (
            100,
            {"method": "rs"},
            "window must be an int >= 128, in rows, for 'rs'. Got 100 instead.",
        ),
        (100.0, {}, "window must be an int >= 64, in rows, for 'ml'. Got 100.0 instead."),
        (100, {"step": 0}, "step must be None or an int >= 1. Got 0 instead."),
        (
            100,
            {"method": "all"},
            "method must be one of 'ml', 'rs', 'dfa', 'gph', 'local_whittle', 'wavelet'. Got 'all' "
            "instead.",
        ),
        (
            400,
            {},
            "x has 300 increments, fewer than a window of 400: give a longer series or a smaller "
            "window.",
        ),
    ],
)
def test_windows_that_cannot_be_are_told(window, options, sentence):
    with pytest.raises(ValueError) as error:
        rolling_hurst(LONG, window, **options)
    assert str(error.value) == sentence


def test_constant_windows_alone_are_told():
    with pytest.raises(ValueError) as error:
        rolling_hurst(np.repeat([1.0, 2.0, 3.0], 100), 100, step=100)
    assert str(error.value) == (
        "none of 3 windows of 100 rows can be analysed, such as where x is constant: give larger "
        "windows."
    )


def test_windows_without_an_exponent_are_not_counted():
    x = np.random.default_rng(0).normal(size=400)
    x[100:260] = 0.0
    windows = rolling_hurst(x, 100).windows["estimate"]
    assert windows.isna().any()
    assert f"of {windows.notna().sum()} windows" in rolling_hurst(x, 100).sentence


# ---------------------------------------------------------------- outliers
def with_outlier(n, hurst, row, size):
    x = make_fgn(n, hurst, random_state=1)
    x[row] += size
    return x


@pytest.mark.parametrize("row", [0, 1, 200, 399])
@pytest.mark.parametrize("method", METHODS)
def test_one_value_does_not_decide_the_verdict_wherever_it_stands(method, row):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        small = hurst(with_outlier(400, 0.5, row, 5), method)
    assert small.outlier is None and small.sentence.startswith("No long memory is seen")
    for size in (30, 1e3, 1e6):
        with pytest.warns(UserWarning, match=f"^the value in row {row} carries .* of a sensor"):
            result = hurst(with_outlier(400, 0.5, row, size), method)
        assert result.outlier.row == row
        assert "mean of all others in its place, no long memory is seen" in result.sentence
        assert not any("kind=" in note for note in result.notes)


@pytest.mark.parametrize("row", [0, 300, 599])
def test_memory_is_seen_behind_an_outlier(row):
    for method, x in (("ml", (600, 0.8, row, 1e6)), ("all", (600, 0.8, row, 1e6))):
        with pytest.warns(UserWarning, match="and H reflects it more than x") as told:
            result = hurst(with_outlier(*x), method)
        assert len(told) == 1
        assert "in its place, persistent: H = 0." in result.sentence
    clean = hurst(make_fgn(600, 0.8, random_state=1))
    assert result.results["ml"].without_outlier.estimate == pytest.approx(clean.estimate, abs=0.02)


def test_steps_to_an_outlier_and_back_are_one():
    levels = make_fbm(400, 0.5, random_state=0)
    levels[100] += 1e3
    with pytest.warns(UserWarning, match="^the step to row 100 carries (49|50) %"):
        result = hurst(levels, kind="levels")
    assert "in its place, no long memory is seen" in result.sentence


@pytest.mark.parametrize("method", METHODS)
def test_nothing_but_an_outlier(method):
    with pytest.warns(UserWarning, match="row 3"):
        result = hurst(np.arange(400) == 3.0, method)
    assert result.without_outlier is None
    assert result.sentence.endswith("more than the series: there is nothing else to analyse.")


def test_windows_that_an_outlier_sways_are_counted():
    with pytest.warns(UserWarning, match="^in 1 of 3 windows one value carries more than 33 %"):
        rolling = rolling_hurst(with_outlier(600, 0.5, 250, 1e3), 200, 200)
    assert any(note.startswith("in 1 of 3 windows one value") for note in rolling.notes)


def test_heavy_tails_are_seldom_outliers():
    """Of series of 1,000 rows with 3 degrees of freedom one in 25 has such a value."""
    rng = np.random.default_rng(0)
    tails = rng.standard_t(3, size=(200, 1000))
    innovations, strengths, garch = rng.normal(size=(1000, 200)), np.ones(200), []
    for e in innovations:
        garch.append(np.sqrt(strengths) * e)
        strengths = 0.02 + 0.1 * garch[-1] ** 2 + 0.88 * strengths
    assert sum(find_outlier(x) is not None for x in tails) <= 16
    assert not any(find_outlier(x) for x in np.transpose(garch))
