"""Suggested lags: the true ones of simulated systems, formulas by hand, and every sentence."""

from dataclasses import FrozenInstanceError

import numpy as np
import pandas as pd
import pytest
from scipy.signal import lfilter
from scipy.sparse import csr_matrix
from statsmodels.tsa.stattools import pacf

from narxkit import NARX
from narxkit.datasets import load_solar, load_wind, make_narendra, make_narma10
from narxkit.diagnostics import suggest_lags
from narxkit.diagnostics._lags.evidence import (
    Criterion,
    cross_correlation,
    cut,
    error_reduction,
    information_band,
    mutual_information,
    needed_taps,
    nonlinear_taps,
    partial_autocorrelation,
    residual,
)

nan, inf = np.nan, np.inf
SEEDS = range(3)


def refuses(sentence):
    return pytest.raises(ValueError, match=sentence)


def noise(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def back(x, rows):
    """Return x some rows ago; zeros before the first."""
    return np.concatenate([np.zeros(rows), x[: len(x) - rows]])


def series(n=200, seed=0):
    """Return an input, and an output that follows it by a row."""
    u, e = noise((2, n), seed)
    return u[:, None], back(u, 1) + 0.3 * e


# --- the true lags -------------------------------------------------------------------------------


class TestFindsTheTrueLags:
    @pytest.mark.parametrize("seed", SEEDS)
    def test_of_an_autoregression(self, seed):
        lags = suggest_lags(None, lfilter([1], [1, -0.6, 0.3], noise(1000, seed)), max_lag=24)
        assert lags.output_lags == [1, 2]
        assert lags.input_lags == {}
        assert set(lags.evidence.query("chosen")["chosen_by"]) == {"ERR"}

    @pytest.mark.parametrize("seed", SEEDS)
    def test_of_a_season(self, seed):
        """(1 - 0.5 L)(1 - 0.4 L^24) y = e has lags 1, 24 and 25."""
        polynomial = np.convolve([1, -0.5], [1, *np.zeros(23), -0.4])
        lags = suggest_lags(None, lfilter([1], polynomial, noise(2000, seed)))
        assert lags.output_lags == [1, 24, 25]

    @pytest.mark.parametrize("colour", [0.0, 0.8])
    @pytest.mark.parametrize("seed", SEEDS)
    def test_of_a_delay(self, seed, colour):
        u, e = noise((2, 1000), seed)
        u = lfilter([1], [1, -colour], u)
        y = lfilter([1], [1, -0.7], 0.5 * back(u, 3) + 0.3 * e)
        lags = suggest_lags(u[:, None], y, max_lag=12)
        assert lags.output_lags == [1] and lags.input_lags == {0: [3]}

    @pytest.mark.parametrize("seed", SEEDS)
    def test_of_a_square_that_least_squares_do_not_see(self, seed):
        u, e = noise((2, 1000), seed)
        y = lfilter([1], [1, -0.5], back(u, 2) ** 2 + 0.5 * e)
        lags = suggest_lags(u[:, None], y, max_lag=12)
        assert lags.output_lags == [1] and lags.input_lags == {0: [2]}
        row = lags.evidence.query("kind == 'input' and lag == 2").iloc[0]
        assert row["chosen_by"] == "information"
        assert row["information"] > row["information_band"]
        assert row["err"] < 0.01
        assert lags.explained > 0.9

    @pytest.mark.parametrize("seed", SEEDS)
    def test_of_a_square_of_a_slow_input_and_not_its_neighbours(self, seed):
        u, e = noise((2, 1000), seed)
        u = lfilter([1], [1, -0.8], u)
        y = lfilter([1], [1, -0.5], back(u, 2) ** 2 + 0.5 * e)
        lags = suggest_lags(u[:, None], y, max_lag=12)
        assert lags.output_lags == [1] and lags.input_lags == {0: [2]}

    @pytest.mark.parametrize("seed", SEEDS)
    def test_of_narendras_plant(self, seed):
        """One lag each describe it; beside cubics of them one more input lag still helps."""
        lags = suggest_lags(*make_narendra(1000, random_state=seed), max_lag=6)
        assert lags.output_lags == [1]
        assert lags.input_lags[0][0] == 1 and set(lags.input_lags[0]) <= {1, 2}
        assert lags.explained > 0.99

    @pytest.mark.parametrize("seed", SEEDS)
    def test_of_narma10(self, seed):
        """Both input lags, the first output lag and none beyond the tenth."""
        lags = suggest_lags(*make_narma10(2000, random_state=seed), max_lag=20)
        assert {1, 10} <= set(lags.input_lags[0])
        assert 1 in lags.output_lags and max(lags.output_lags) <= 10

    def test_of_white_noise_there_are_none(self):
        """At most 1 in 20 series of noise beside noise gets a lag."""
        found = [suggest_lags(x[:, None], y, 12).found for x, y in noise((20, 2, 500))]
        assert sum(found) <= 1

    def test_and_says_so_where_there_are_none(self):
        u, y = noise((2, 500))
        lags = suggest_lags(u[:, None], y, max_lag=12)
        assert lags.output_lags == [1] and lags.input_lags == {0: []}
        assert not lags.found and lags.explained == 0
        assert lags.sentence.startswith("Nothing in the last 12 rows tells anything")
        assert not lags.evidence["chosen"].any()

    def test_not_of_how_far_y_strays(self):
        """The size of the noise follows u: seen by mutual information, of no use for the mean."""
        u, e = noise((2, 2000))
        y = lfilter([1], [1, -0.5], e * np.exp(back(u, 2)))
        lags = suggest_lags(u[:, None], y, max_lag=6)
        row = lags.evidence.query("kind == 'input' and lag == 2").iloc[0]
        assert row["information"] > row["information_band"]
        assert lags.input_lags == {0: []}

    def test_of_measured_series(self):
        """The last hour and the day before; of a clear sky, the hour itself."""
        wind, solar = load_wind().loc["2017"], load_solar().loc["2017"]
        lags = suggest_lags(wind[["hour_sin", "hour_cos"]], wind["wind_speed"])
        assert {1, 2, 24} <= set(lags.output_lags)
        assert sum(map(len, lags.input_lags.values())) >= 1
        lags = suggest_lags(solar[["clear_sky"]], solar["ghi"])
        assert 1 in lags.output_lags and 0 in lags.input_lags["clear_sky"]


# --- what can be told about inputs and rows ------------------------------------------------------


def test_networks_take_the_lags():
    X, y = series()
    table = pd.DataFrame({"u": X[:, 0], "other": noise(200, 1)})
    for X in (table, table.to_numpy(), None):
        lags = suggest_lags(X, y, max_lag=5)
        model = NARX(input_lags=lags.input_lags, output_lags=lags.output_lags, max_iter=2)
        model.fit(X, y)
        assert list(model.structure_.taps.output_lags) == lags.output_lags
        assert [*map(list, model.structure_.taps.input_lags)] == [*lags.input_lags.values()]


def test_columns_keep_their_names():
    X, y = series()
    named = pd.DataFrame(X, columns=["wind"])
    lags = suggest_lags(named, pd.Series(y, name="power"), max_lag=4)
    assert lags.input_lags == {"wind": [1]}
    assert set(lags.evidence["column"]) == {"power", "wind"}
    assert suggest_lags(X, y, max_lag=4).input_lags == {0: [1]}


def test_inputs_not_known_ahead_begin_at_the_horizon():
    u, v, e = noise((3, 500))
    X = pd.DataFrame({"known": u, "measured": v})
    y = u + back(v, 2) + back(v, 7) + 0.3 * e
    lags = suggest_lags(X, y, 10, horizon=6, known_ahead=["known"])
    assert lags.input_lags == {"known": [0], "measured": [7]}
    first = lags.evidence.query("kind == 'input'").groupby("column")["lag"].min()
    assert first.to_dict() == {"known": 0, "measured": 6}
    assert suggest_lags(X, y, 10).input_lags == {"known": [0], "measured": [2, 7]}
    one_step = suggest_lags(X, y, 10, known_ahead=["known"])
    assert one_step.input_lags == {"known": [0], "measured": [2, 7]}


@pytest.mark.parametrize("seed", SEEDS)
def test_leads_of_inputs_known_ahead(seed):
    """A plan for two rows on acts now; inputs not known ahead have no lead."""
    u, v, e = noise((3, 500), seed)
    X = pd.DataFrame({"planned": u, "measured": v})
    y = np.roll(u, -2) + back(u, 1) + 0.3 * e
    lags = suggest_lags(X, y, 8, max_lead=4, known_ahead=["planned"])
    assert lags.input_lags == {"planned": [-2, 1], "measured": []}
    first = lags.evidence.query("kind == 'input'").groupby("column")["lag"].min()
    assert first.to_dict() == {"planned": -4, "measured": 1}
    assert (lags.n, lags.n_dropped) == (500 - 8 - 4, 0)
    assert suggest_lags(X, y, 8).input_lags["planned"] == [1]
    model = NARX(input_lags=lags.input_lags, output_lags=lags.output_lags or [1], max_iter=2)
    assert model.fit(X, y).structure_.taps.reach.lead == 2


def test_leads_are_named_and_drawn():
    plt = pytest.importorskip("matplotlib.pyplot")
    u, e = noise((2, 500))
    y = np.roll(u, -3) ** 2 + np.roll(u, -2) ** 2 + 0.5 * e
    lags = suggest_lags(u[:, None], y, 8, max_lead=4)
    assert lags.input_lags == {0: [-3, -2]}
    assert {f.name: f.value for f in lags.figures}["mutual information"] == "X[0][t+3], X[0][t+2]"
    ax = lags.plot()
    assert ax.get_xlim()[0] < -4 and "leads below 0" in ax.get_xlabel()
    assert "-3 to -2" in {text.get_text() for text in ax.texts}
    missed = suggest_lags(noise((300, 1), 1), noise(300, 2), 8, max_lead=4).sentence
    assert "of inputs from" not in missed
    plt.close("all")


def test_lags_reach_twice_a_far_horizon():
    far = suggest_lags(noise(600)[:, None], noise(600, 1), horizon=60, known_ahead=[])
    assert far.max_lag == 120
    assert suggest_lags(None, noise(600)).max_lag == 48
    assert suggest_lags(None, noise(200), horizon=60).max_lag == 40


def test_missing_values_cost_their_rows():
    X, y = series(500)
    y[100], X[200, 0] = nan, nan
    lags = suggest_lags(X, y, max_lag=4)
    assert lags.input_lags == {0: [1]}
    assert (lags.n, lags.n_dropped) == (486, 10)
    assert lags.evidence.drop(columns=["pacf", "ccf"]).notna().all(axis=None)
    assert "10 more miss a value" in repr(lags)


def test_the_largest_lag_is_48_or_a_fifth_of_the_rows():
    assert suggest_lags(*series(300)).max_lag == 48
    assert suggest_lags(*series(100)).max_lag == 20


def test_a_lag_has_to_gain_what_is_asked():
    """Over many rows a hundredth of the variance is beyond doubt; it may be too little to want."""
    u, e = noise((2, 5000))
    y = 0.1 * back(u, 1) + e
    assert suggest_lags(u[:, None], y, 4).input_lags == {0: [1]}
    assert suggest_lags(u[:, None], y, 4, min_gain=0.05).input_lags == {0: []}


def test_small_gains_count_where_rows_are_many():
    """A lag that gains 0.3 % one step ahead can gain more further ahead."""
    u, e = noise((2, 20_000))
    y = 0.06 * back(u, 1) + e
    assert suggest_lags(u[:, None], y, 4).input_lags == {0: [1]}
    assert suggest_lags(u[:, None], y, 4, min_gain=0.005).input_lags == {0: []}


def test_an_exact_system_ends_where_nothing_is_left():
    u = noise(200)
    y = lfilter([0, 1], [1, -0.5], u)
    lags = suggest_lags(u[:, None], y, max_lag=8)
    assert (lags.input_lags, lags.output_lags) == ({0: [1]}, [1])
    assert lags.explained == pytest.approx(1)


# --- the evidence --------------------------------------------------------------------------------


def test_partial_autocorrelation_is_that_of_statsmodels():
    y = lfilter([1], [1, -0.6, 0.3], noise(300))
    expected = pacf(y, nlags=20, method="ldb")[1:]
    np.testing.assert_allclose(partial_autocorrelation(y, 20), expected, rtol=1e-9, atol=1e-12)


def test_cross_correlation_of_prewhitened_series():
    """Beyond its band at the delay alone, although the input is coloured; the order is Akaike's."""
    u, e = noise((2, 2000))
    u = lfilter([1], [1, -0.9], u)
    correlations, order = cross_correlation(u, back(u, 3) + e, 10)
    assert 1 <= order <= 10
    assert np.argmax(np.abs(correlations)) == 3 and correlations[3] > 0.5
    assert np.abs(np.delete(correlations, 3)).max() < 4 / np.sqrt(2000)


def test_cross_correlation_of_white_series_is_the_plain_one():
    u, e = noise((2, 500), seed=3)
    y = back(u, 1) + e
    correlations, order = cross_correlation(u, y, 3)
    assert order == 0
    a, b = (u - u.mean()) / u.std(), (y - y.mean()) / y.std()
    expected = [np.mean(a[: 500 - k] * b[k:]) for k in range(4)]
    np.testing.assert_allclose(correlations, expected, rtol=1e-12)


def test_cross_correlation_of_leads_is_that_of_the_series_turned_round():
    u, y = noise((2, 400))
    correlations, order = cross_correlation(u, y, 3, max_lead=2)
    assert order == 0 and len(correlations) == 6
    lagged = cross_correlation(y, u, 2)[0]
    np.testing.assert_allclose(correlations[:3], lagged[::-1], rtol=1e-12)
    np.testing.assert_allclose(correlations[2:], cross_correlation(u, y, 3)[0], rtol=1e-12)


def by_the_book(taps, target, order):
    """Return error-reduction ratios of taps in this order, by classical Gram-Schmidt."""
    basis, ratios = [], []
    for tap in taps[order]:
        w = tap - sum((tap @ v / (v @ v) * v for v in basis), np.zeros_like(tap))
        g = w @ target / (w @ w)
        ratios.append(g**2 * (w @ w) / (target @ target))
        basis.append(w)
    return ratios


def test_error_reduction_is_that_of_gram_and_schmidt():
    taps = noise((6, 80))
    taps[3] += 0.7 * taps[0]
    target = taps[0] - 0.6 * taps[3] + 0.3 * taps[5] + 0.5 * noise(80, seed=1)
    order, ratios = error_reduction(taps, np.arange(6), target, 6)
    assert sorted(order) == [0, 1, 2, 3, 4, 5]
    found = ratios[np.arange(6), order]
    np.testing.assert_allclose(found, by_the_book(taps, target, order), rtol=1e-9)
    left = residual(taps, target)
    assert 1 - found.sum() == pytest.approx(left @ left / (target @ target))
    assert all(row[best] >= 0.99 * row.max() for row, best in zip(ratios, order))


def test_error_reduction_leaves_out_what_is_a_combination():
    taps = noise((4, 60))
    taps[2] = taps[0] + taps[1]
    order, ratios = error_reduction(taps, np.arange(4), noise(60, seed=1), 4)
    assert len(order) == 3 and len(ratios) == 4
    assert np.isfinite(ratios).all()


def test_equal_ratios_go_to_the_least_lag():
    tap, e = noise((2, 500))
    taps = np.array([tap + 0.01 * e, tap])
    assert error_reduction(taps, np.array([24, 0]), tap, 1)[0] == [1]
    assert error_reduction(taps, np.array([0, 24]), tap, 1)[0] == [0]
    assert error_reduction(taps, np.array([-1, 1]), tap, 1)[0] == [1]
    assert error_reduction(taps, np.array([-1, 2]), tap, 1)[0] == [0]


def test_a_cubic_pays_for_three_weights():
    """A tap that explains 4 % of 300 rows is worth one weight, and not three."""
    taps, e = noise((1, 300)), noise(300, 1)
    taps = (taps - taps.mean()) / taps.std()
    cubic = np.column_stack([np.ones(300), taps[0], taps[0] ** 2, taps[0] ** 3])
    e -= cubic @ np.linalg.lstsq(cubic, e)[0]
    target, criterion = 0.2 * taps[0] + e, Criterion(300, 1, 0.0)
    kept, explained = needed_taps(taps, target, [0], [], criterion)
    assert kept == [0] and explained == pytest.approx(0.04, abs=0.01)
    assert needed_taps(taps, target, [], [0], criterion)[0] == []


def test_the_criterion_is_its_formula():
    criterion = Criterion(n=100, p=20, min_gain=0.01)
    expected = 100 * np.log(0.4) + 5 * np.log(100) + 2 * 3 * np.log(20)
    assert criterion(0.6, n_taps=3, n_weights=5) == pytest.approx(expected)
    many = Criterion(n=100_000, p=20, min_gain=0.01)
    expected = 100_000 * (np.log(0.4) + 3 * 0.01)
    assert many(0.6, n_taps=3, n_weights=5) == pytest.approx(expected)
    assert criterion(0.0, 0, 0) == 0


def test_mutual_information_is_its_formula():
    x, y = noise((2, 500))
    y = x + y
    a, b = cut(x), cut(y)
    expected = 0.0
    for i in range(a.max() + 1):
        for j in range(b.max() + 1):
            both = np.mean((a == i) & (b == j))
            if both:
                expected += both * np.log(both / np.mean(a == i) / np.mean(b == j))
    assert mutual_information([a], y)[0] == pytest.approx(expected)


def test_bins_are_equally_full_and_ties_stay_together():
    np.testing.assert_array_equal(np.bincount(cut(noise(8000))), 1000)
    night = np.concatenate([np.zeros(2000), np.abs(noise(2000))])
    bins = cut(night)
    assert len(set(bins[:2000])) == 1


def test_the_band_of_mutual_information_holds_for_series_with_a_past():
    """Two slow series that have nothing to do with each other: near shifts tell no more than far
    ones; shuffled series would be told apart from them every time."""
    beyond = 0
    for seed in range(20):
        x, y = lfilter([1], [1, -0.95], noise((2, 1000), seed))
        information = mutual_information([cut(x)], y)[0]
        beyond += information > information_band(cut(x), y, 20)
    assert beyond <= 2


def test_a_neighbour_does_not_count_for_the_same_thing_twice():
    u = lfilter([1], [1, -0.8], noise(1000))
    taps = np.array([back(u, k) / u.std() for k in range(5)])
    target = taps[2] ** 2 - np.mean(taps[2] ** 2) + 0.1 * noise(1000, seed=1)
    bins = np.array([cut(tap) for tap in taps])
    band = np.full(5, information_band(bins[0], target, 5))
    information = mutual_information(bins, target)
    assert np.sum(information > band) > 1
    found = nonlinear_taps(taps, bins, target, information, band, Criterion(1000, 5, 0.0))
    assert found == {2: information[2]}


def test_what_stood_in_for_another_is_dropped():
    taps = noise((3, 500))
    taps[0] = taps[1] + taps[2] + 0.5 * taps[0]
    target = taps[1] + taps[2] + 0.1 * noise(500, seed=1)
    kept, explained = needed_taps(taps, target, [0, 1, 2], [], Criterion(500, 3, 0.0))
    assert kept == [1, 2]
    left = residual(taps[[1, 2]], target)
    assert explained == pytest.approx(1 - left @ left / (target @ target))


# --- the result ----------------------------------------------------------------------------------


def test_the_frame_has_one_row_per_candidate():
    X, y = series()
    lags = suggest_lags(X, y, max_lag=6)
    frame = lags.to_frame()
    assert list(frame) == [
        "kind", "column", "lag", "pacf", "ccf", "err",
        "information", "information_band", "chosen", "chosen_by",
    ]  # fmt: skip
    assert frame["lag"].tolist() == [*range(1, 7), *range(7)]
    assert frame["kind"].tolist() == ["output"] * 6 + ["input"] * 7
    assert frame.loc[frame["kind"] == "input", "pacf"].isna().all()
    assert frame.loc[frame["kind"] == "output", "ccf"].isna().all()
    assert frame["chosen"].equals(frame["chosen_by"] != "")
    frame["lag"] = 0
    assert lags.max_lag == 6


def test_it_reads_as_a_table():
    X, y = series()
    lags = suggest_lags(X, y, max_lag=6)
    text = repr(lags)
    assert text.startswith("0 lags of y and 1 lag of the inputs tell something: they explain 9")
    assert "input_lags" in text and "of X[0]" in text
    assert "prewhitened by an AR(" in text
    assert "<table>" in lags._repr_html_()
    with pytest.raises(FrozenInstanceError):
        lags.output_lags = [1]


def test_the_table_names_what_information_chose():
    u, e = noise((2, 600))
    lags = suggest_lags(u[:, None], back(u, 2) ** 2 + 0.5 * e, max_lag=6)
    values = {figure.name: figure.value for figure in lags.figures}
    assert values["mutual information"] == "X[0][t-2]"
    assert values["error reduction"] == "0 taps"


def test_a_long_name_leaves_room_for_the_picture():
    plt = pytest.importorskip("matplotlib.pyplot")
    X, y = series()
    name = "a_name_of_an_input_that_is_much_longer_than_the_lane_that_it_stands_beside_is_high"
    ax = suggest_lags(pd.DataFrame({name: X[:, 0]}), y, max_lag=6).plot()
    ax.figure.draw_without_rendering()
    assert ax.get_window_extent().width > 0.6 * ax.figure.bbox.width
    label = ax.get_yticklabels()[1].get_text()
    assert label.startswith("a_name") and label.endswith("…") and label.count("\n") == 3
    plt.close("all")


def test_the_picture_has_a_lane_for_each_series():
    plt = pytest.importorskip("matplotlib.pyplot")
    u, v, e = noise((3, 500))
    X = pd.DataFrame({"u": u, "v": v})
    y = back(u, 2) ** 2 + back(v, 1) + back(v, 2) + 0.5 * e
    before = plt.rcParams.copy()
    ax = suggest_lags(X, pd.Series(y, name="power"), max_lag=6).plot()
    assert [label.get_text() for label in ax.get_yticklabels()] == ["power", "u", "v"]
    texts = {text.get_text(): text.get_color() for text in ax.texts}
    assert {"2", "1-2", "PACF", "CCF", "MI"} <= set(texts)
    assert texts["2"] != texts["1-2"]
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["chosen by ERR", "chosen by information"]
    _, given = plt.subplots()
    nothing = suggest_lags(None, noise(300), max_lag=5)
    assert nothing.plot(ax=given) is given
    assert given.get_legend() is None
    assert plt.rcParams == before
    plt.close("all")


def test_columns_known_ahead_may_be_named_by_position():
    X = pd.DataFrame(noise((300, 2)), columns=["rain", "sun"])
    y = back(X["sun"].to_numpy(), 2)
    assert suggest_lags(X, y, 8, horizon=4, known_ahead=[1]).input_lags["sun"] == [2]
    missed = suggest_lags(X, y, 8, horizon=4, known_ahead=[])
    assert "in the last 8 rows, of inputs from lag 4 on, tells anything" in missed.sentence


# --- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"max_lag": 0}, r"max_lag must be an int >= 1. Got 0 instead"),
        ({"max_lag": 2.0}, r"max_lag must be an int >= 1. Got 2.0 instead"),
        ({"max_lag": True}, r"max_lag must be an int >= 1. Got True instead"),
        ({"max_lag": 51}, r"max_lag=51 is too much for 200 rows: .* at most 50, a quarter"),
        ({"horizon": 0}, r"horizon must be an int >= 1. Got 0 instead"),
        (
            {"horizon": 9, "max_lag": 8, "known_ahead": []},
            r"horizon=9 is beyond max_lag=8, .* a max_lag of at least 9, a smaller horizon",
        ),
        (
            {"known_ahead": ["rain"]},
            r"known_ahead names the columns \['rain'\], but X has the columns \[0\]",
        ),
        ({"known_ahead": 0}, r"known_ahead must be None or a sequence of columns. Got 0"),
        ({"max_lead": -1}, r"max_lead must be an int >= 0. Got -1 instead"),
        (
            {"max_lag": 48, "max_lead": 3},
            r"max_lag=48 and max_lead=3 are too much for 200 rows: .* both of at most 50 together",
        ),
        ({"min_gain": -1}, r"min_gain must be a float in the range \[0.0, 1.0\). Got -1"),
        ({"min_gain": "much"}, r"min_gain must be a float .* Got 'much'"),
    ],
)
def test_settings_out_of_range_are_refused(settings, sentence):
    with refuses(sentence):
        suggest_lags(*series(), **settings)


def change(y, row, value):
    y = y.copy()
    y[row] = value
    return y


@pytest.mark.parametrize(
    ("X", "y", "sentence"),
    [
        (
            None,
            noise((200, 2)),
            r"y has 2 columns, but lags are suggested for one output: .* once for each, with the "
            r"others in X and not in known_ahead",
        ),
        (None, noise((50, 2, 2)), r"y must be one series .* Got shape \(50, 2, 2\)"),
        (None, [[1, 2], [3]], r"y has rows of different lengths: give the same number"),
        ([[1, 2], [3]], noise(50), r"X has rows of different lengths: give the same number"),
        (noise((50, 2, 2)), noise(50), r"X must be a table .* give a column for each input"),
        (pd.Series(noise(50)), noise(50), r"X must be a table .* a single input as X.to_frame\(\)"),
        (None, noise(20), r"y has 20 rows, but at least 40 are needed"),
        (None, np.ones(50), r"y is constant, at 1"),
        (None, np.full(50, nan), r"y has 0 rows with a value, but at least 40 are needed"),
        (None, change(noise(50), 7, inf), r"y has 1 infinite values, the first in row 7"),
        (None, ["a"] * 50, r"y must hold numbers"),
        (noise(50), noise(50), r"X must be a table .* Got shape \(50,\) .* as X\[:, None\]"),
        (noise((49, 1)), noise(50), r"X has 49 rows and y has 50"),
        (
            None,
            np.r_[1.0, np.zeros(49)],
            r"y is constant, at 0, in the 40 rows that have y",
        ),
        (None, [10**400] * 50, r"y holds integers that are too large for a float"),
        (csr_matrix(noise((50, 1))), noise(50), r"X is sparse: give X.toarray\(\) instead"),
        (None, csr_matrix(noise((50, 1))), r"y is sparse: give y.toarray\(\) instead"),
        (change(noise((50, 2)), (3, 1), -inf), noise(50), r"X\[1\] has 1 infinite values.* row 3"),
        (
            pd.DataFrame(noise((50, 2)), columns=["u", "u"]),
            noise(50),
            r"X has two columns of one name among \['u', 'u'\]",
        ),
        (
            pd.DataFrame(noise((50, 1))),
            pd.Series(noise(50), index=range(1, 51)),
            r"the indexes of X and y differ, first in row 0 \(0 and 1\): align them, for example X",
        ),
        (
            pd.DataFrame(noise((50, 1)), pd.MultiIndex.from_product([["a"], range(50)])),
            pd.Series(noise(50), [f"row {i}" for i in range(50)]),
            r"the indexes of X and y differ, first in row 0",
        ),
    ],
)
def test_series_that_cannot_be_analysed_are_refused(X, y, sentence):
    with refuses(sentence):
        suggest_lags(X, y)


def test_a_constant_input_is_left_out():
    """With a warning, and without the loss of the others or of their names and places."""
    X, y = series(200)
    flat = np.full((200, 1), 21.3)
    alone = suggest_lags(X, y, max_lag=5, known_ahead=[])
    with pytest.warns(UserWarning, match=r"the columns \[0\] of X are constant"):
        lags = suggest_lags(np.c_[flat, X], y, max_lag=5, known_ahead=[])
    assert lags.input_lags == {0: [], **{c + 1: k for c, k in alone.input_lags.items()}}
    assert lags.output_lags == alone.output_lags and lags.explained == alone.explained
    assert "[]" in str(lags) and lags.plot() is not None
    with pytest.warns(UserWarning, match=r"the columns \['flat'\] of X are constant"):
        none = suggest_lags(pd.DataFrame(flat, columns=["flat"]), y, max_lag=5)
    assert none.input_lags == {"flat": []}
    assert none.output_lags == suggest_lags(None, y, max_lag=5).output_lags


def test_what_an_array_masks_is_missing():
    X, y = series(200)
    hidden = np.zeros(X.shape, dtype=bool)
    hidden[50] = True
    masked = suggest_lags(np.ma.masked_array(X, hidden), y, max_lag=5)
    assert masked.n_dropped == suggest_lags(np.where(hidden, nan, X), y, max_lag=5).n_dropped == 6


def test_too_many_gaps_are_refused():
    X, y = series(200)
    y[::9] = nan
    with refuses(r"0 of 190 rows have y and all candidates up to lag 10, .* at least 30"):
        suggest_lags(X, y, max_lag=10)
