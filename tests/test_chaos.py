"""Chaos: published exponents, what must not pass for chaos, and surrogates."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from scipy.signal import lfilter

from narxkit.datasets import load_solar, make_henon, make_lorenz, make_mackey_glass
from narxkit.diagnostics import embedding_delay, false_neighbours, iaaft, lyapunov, surrogate_test
from narxkit.diagnostics._embedding import delay_vectors, neighbours


def noise(n=1000, seed=0):
    return np.random.default_rng(seed).normal(size=n)


def logistic(n, x=0.3):
    values = [x]
    for _ in range(n + 99):
        values.append(4 * values[-1] * (1 - values[-1]))
    return np.array(values[-n:])


SETTINGS = [{}, {"dimension": 3, "delay": 1}, {"dimension": 2, "delay": 1}]


# --- states --------------------------------------------------------------------------------------


def test_neighbours_are_those_of_brute_force():
    vectors = delay_vectors(noise(300), 3, 2)
    times = np.arange(len(vectors))
    found = neighbours(vectors, times, times, apart=20, n_neighbours=3)
    distance = np.linalg.norm(vectors[:, None] - vectors, axis=2)
    distance[np.abs(times[:, None] - times) <= 20] = np.inf
    np.testing.assert_array_equal(found, np.argsort(distance, axis=1)[:, :3])


def test_where_nothing_is_apart_there_are_no_neighbours():
    vectors = delay_vectors(noise(50), 2, 1)
    times = np.arange(len(vectors))
    assert (neighbours(vectors, times, times, apart=100) == -1).all()


def test_delays():
    assert embedding_delay(logistic(1000)) == 1
    assert embedding_delay(noise()) == 1
    assert 10 <= embedding_delay(make_lorenz(10_000, random_state=0)[:, 0]) <= 20
    assert embedding_delay(np.arange(300.0), max_delay=4) == 4


@pytest.mark.parametrize(
    "y, dimension, lags",
    [
        (logistic(2000), 1, [1]),
        (make_henon(2000, random_state=0), 2, [1, 2]),
        (make_lorenz(5000, keep_every=5, random_state=0)[:, 0], 3, [1, 5, 9]),
        (noise(2000), None, None),
    ],
    ids=["logistic", "henon", "lorenz", "noise"],
)
def test_false_neighbours(y, dimension, lags):
    found = false_neighbours(y)
    assert found.dimension == dimension and found.lags == lags
    assert len(found.to_frame()) == len(found.shares) == 8
    told = "No state of up to 8 values tells" if lags is None else ", ".join(map(str, lags))
    assert told in found.sentence


def test_draws_the_shares_of_false_neighbours():
    found = false_neighbours(make_henon(500, random_state=0))
    (line, borne) = found.plot().lines
    assert (line.get_ydata() == found.shares).all() and found.best == found.dimension == 2
    assert set(borne.get_ydata()) == {found.tolerance}
    assert false_neighbours(noise()).best == np.argmin(false_neighbours(noise()).shares) + 1


# --- exponents -----------------------------------------------------------------------------------


class TestLyapunov:
    def test_neighbours_in_time_are_left_out(self, monkeypatch):
        asked = []

        def spy(vectors, times, queries, apart, n_neighbours=1):
            asked.append(apart)
            return neighbours(vectors, times, queries, apart, n_neighbours)

        monkeypatch.setattr("narxkit.diagnostics.chaos.neighbours", spy)
        y = make_lorenz(3000, random_state=0)[:, 0]
        assert lyapunov(y, dimension=3).theiler == asked[-1] > 100
        assert lyapunov(y, dimension=3, theiler=7).theiler == asked[-1] == 7

    def test_a_unit_of_time_changes_the_exponent_and_nothing_else(self):
        y = make_henon(2000, random_state=0)
        rows, hours = lyapunov(y), lyapunov(y, step=0.01)
        assert hours.estimate == pytest.approx(100 * rows.estimate)
        assert rows.is_exponential and hours.is_exponential and hours.ratio == rows.ratio
        assert lyapunov(make_henon(2000, random_state=0) * 5).estimate == pytest.approx(
            rows.estimate, rel=0.02
        )

    @pytest.mark.parametrize("start", [0.3, 0.41, 0.77])
    def test_logistic_map(self, start):
        found = lyapunov(logistic(5000, start))
        assert found.is_exponential and found.dimension == 1
        assert found.estimate == pytest.approx(np.log(2), rel=0.02)

    @pytest.mark.parametrize("seed", range(3))
    def test_henon_map(self, seed):
        found = lyapunov(make_henon(5000, random_state=seed))
        assert found.is_exponential and found.estimate == pytest.approx(0.419, rel=0.05)

    def test_intervals_hold_the_exponent_of_the_henon_map(self):
        found = [lyapunov(make_henon(5000, random_state=seed)) for seed in range(8)]
        low, high = np.array([result.confidence_interval for result in found]).T
        assert np.sum((low <= 0.419) & (0.419 <= high)) >= 7

    @pytest.mark.parametrize("seed", range(3))
    def test_lorenz_system_per_unit_of_time(self, seed):
        found = lyapunov(make_lorenz(20_000, random_state=seed)[:, 0], step=0.01)
        assert found.is_exponential and found.estimate == pytest.approx(0.906, rel=0.1)

    def test_mackey_glass(self):
        found = lyapunov(make_mackey_glass(5000, random_state=0))
        assert found.is_exponential and 0.003 < found.estimate < 0.009  # published: 0.006 or so

    @pytest.mark.parametrize(
        "make",
        [
            noise,
            lambda n, seed: noise(n, seed).cumsum(),
            lambda n, seed: noise(n, seed).cumsum().cumsum(),
            lambda n, seed: lfilter([1], [1, -0.99], noise(n, seed)),
            lambda n, seed: lfilter([1], [1, -1.98, 0.985], noise(n, seed)),
            lambda n, seed: np.random.default_rng(seed).standard_t(3, size=n).cumsum(),
            lambda n, seed: np.sin(np.arange(n) / 4) + 0.2 * noise(n, seed),
        ],
        ids=["noise", "walk", "smooth walk", "AR(1)", "AR(2)", "heavy walk", "sine"],
    )
    @pytest.mark.parametrize("settings", SETTINGS)
    def test_what_is_no_chaos(self, make, settings):
        assert not any(lyapunov(make(1500, seed), **settings).is_exponential for seed in range(5))

    def test_a_walk_follows_the_power_law(self):
        walk = noise(5000).cumsum()
        found = lyapunov(walk, dimension=3, delay=1)
        assert found.ratio < 1 and not found.is_exponential
        k = np.arange(1, found.region[1])
        slope = np.polyfit(np.log(k), found.divergence[1 : found.region[1]], 1)[0]
        assert slope == pytest.approx(0.5, abs=0.1)  # Hurst's exponent of a walk

    def test_nights_of_equal_values(self):
        found = lyapunov(load_solar()["ghi"][:3000])
        assert not found.is_exponential and np.isfinite(found.divergence).all()

    def test_interval_holds_the_estimate(self):
        found = lyapunov(logistic(2000))
        low, high = found.confidence_interval
        assert low < found.estimate < high
        assert high - low == pytest.approx(2 * 2.093 * found.stderr, rel=1e-3)

    def test_sentences(self):
        assert "by a factor e in 1.4" in lyapunov(logistic(5000)).sentence
        assert "before an exponent can be read" in lyapunov(noise()).sentence
        walk = lyapunov(noise(2000).cumsum(), dimension=3, delay=1)
        assert walk.sentence.endswith("do not part exponentially: no chaos is seen.")
        with pytest.raises(FrozenInstanceError):
            walk.estimate = 1.0
        assert len(walk.to_frame()) == 6

    def test_draws_the_divergence(self):
        ax = lyapunov(logistic(2000)).plot()
        assert ax.get_xlabel() == "rows" and len(ax.lines) == 3
        assert lyapunov(noise(), step=0.5).plot(ax=ax) is ax and ax.get_xlabel() == "time"

    @pytest.mark.parametrize(
        "call, sentence",
        [
            (lambda y: lyapunov(y[:150]), "y has 150 rows, but at least 200 are needed"),
            (lambda y: lyapunov(np.zeros(300)), "y is constant, at 0"),
            (lambda y: lyapunov(np.r_[y, np.inf]), "y has 1 missing or infinite values"),
            (lambda y: lyapunov(y, dimension=0), "dimension must be an int >= 1. Got 0 instead."),
            (lambda y: lyapunov(y, theiler=1.5), "theiler must be an int >= 1. Got 1.5 instead."),
            (lambda y: lyapunov(y, step=0), "step must be a time above 0. Got 0 instead."),
            (lambda y: lyapunov(y, step="h"), "step must be a time above 0. Got 'h' instead."),
            (
                lambda y: lyapunov(y, 3, 400),
                "delay must be at most 83, for 1000 rows and states of",
            ),
            (lambda y: lyapunov(y, 1, 1, 5, 950), "horizon must be at most 895, for 1000 rows,"),
            (lambda y: false_neighbours(y, tolerance=1), r"tolerance must be a share in \[0, 1\)"),
            (lambda y: false_neighbours(y, 0), "delay must be an int >= 1. Got 0 instead."),
            (lambda y: embedding_delay(y, True), "max_delay must be an int >= 1. Got True instead"),
        ],
    )
    def test_refuses(self, call, sentence):
        with pytest.raises(ValueError, match=sentence):
            call(noise())


# --- surrogates ----------------------------------------------------------------------------------


class TestSurrogates:
    def test_have_the_values_and_nearly_the_spectrum(self):
        y = lfilter([1], [1, -0.8], noise(1024)) ** 3
        surrogates = iaaft(y, 5, random_state=0)
        assert (np.sort(surrogates, axis=1) == np.sort(y)).all()
        wanted = np.abs(np.fft.rfft(y))
        error = np.linalg.norm(np.abs(np.fft.rfft(surrogates)) - wanted, axis=1)
        assert (error < 0.15 * np.linalg.norm(wanted)).all()
        shuffled = np.abs(np.fft.rfft(np.random.default_rng(0).permutation(y))) - wanted
        assert (error < 0.2 * np.linalg.norm(shuffled)).all()

    def test_come_closer_with_every_iteration(self):
        y = lfilter([1], [1, -0.8], noise(512)) ** 3
        wanted = np.abs(np.fft.rfft(y))
        errors = [np.linalg.norm(np.abs(np.fft.rfft(iaaft(y, 1, k, random_state=0)[0])) - wanted)
                  for k in (1, 3, 10, 50)]  # fmt: skip
        assert errors == sorted(errors, reverse=True)

    def test_frequencies_that_a_shuffle_lacks_are_no_fault(self):
        """Of whole numbers a transform can be zero where that of the series is not."""
        y = np.resize([1.0, -1.0, 1.0, -1.0, 0.0, 0.0], 120)
        with np.errstate(all="raise"):
            surrogates = iaaft(y, 300, random_state=0)
        assert (np.sort(surrogates, axis=1) == np.sort(y)).all()

    def test_are_repeatable_and_differ(self):
        y = noise(200)
        one, again = iaaft(y, 2, random_state=3), iaaft(y, 2, random_state=3)
        np.testing.assert_array_equal(one, again)
        assert (one[0] != one[1]).any()

    @pytest.mark.parametrize("kind", ["prediction", "asymmetry"])
    def test_size_on_a_linear_process(self, kind):
        pvalues = [
            surrogate_test(lfilter([1], [1, -0.6], noise(400, seed)), kind, 19).pvalue
            for seed in range(60)
        ]
        assert np.mean(np.array(pvalues) <= 0.1) < 0.25

    @pytest.mark.parametrize("kind, least", [("prediction", 0.025), ("asymmetry", 0.05)])
    def test_chaos_is_found(self, kind, least):
        found = surrogate_test(make_henon(600, random_state=0), kind)
        assert found.pvalue == pytest.approx(least) and "nonlinear" in found.sentence
        assert np.isnan(found.explained) == (kind == "asymmetry")

    def test_noise_is_not(self):
        found = surrogate_test(noise(500))
        assert found.pvalue > 0.05 and found.explained < 0
        assert "no nonlinearity is seen" in found.sentence
        assert len(found.to_frame()) == 3 and found.plot().get_ylim()[1] > 1

    def test_ends_are_cut_where_they_agree(self):
        found = surrogate_test(np.arange(500) / 50 + noise(500), n_surrogates=3)
        assert 400 <= found.n <= 500

    @pytest.mark.parametrize(
        "call, sentence",
        [
            (lambda y: iaaft(y[:50]), "y has 50 rows, but at least 100 are needed"),
            (lambda y: iaaft(y, 0), "n_surrogates must be an int >= 1. Got 0 instead."),
            (lambda y: iaaft(y, 1, 0), "max_iter must be an int >= 1. Got 0 instead."),
            (lambda y: surrogate_test(y, "x"), "kind must be 'prediction' or 'asymmetry'. Got 'x'"),
            (
                lambda y: surrogate_test(y, dimension=9, delay=40),
                "dimension times delay must be at",
            ),
        ],
    )
    def test_refuses(self, call, sentence):
        with pytest.raises(ValueError, match=sentence):
            call(noise())


@pytest.mark.parametrize("settings", [{"dimension": 300}, {"theiler": 500}])
def test_states_that_leave_no_rows_are_refused(settings):
    with pytest.raises(ValueError, match="leave nothing of 400 rows to follow neighbours on"):
        lyapunov(np.random.default_rng(0).normal(size=400), **settings)


@pytest.mark.filterwarnings("error")
def test_states_without_neighbours_are_no_chaos():
    y = np.zeros(600)
    y[-1] = 1.0
    result = lyapunov(y)
    assert np.isnan(result.estimate) and not result.is_exponential
