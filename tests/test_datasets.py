"""The data are what their provenance says, and the simulated systems obey their equations."""

import hashlib
import importlib.util
import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import narxkit.datasets
from narxkit.datasets import (
    clear_sky,
    load_solar,
    make_mackey_glass,
    make_narendra,
    make_narma10,
)

FOLDER = Path(narxkit.datasets.__file__).parent
SHARED = Path(__file__).parents[2] / "shared"
YARDSTICK = SHARED / "protocol" / "rolling_origin_baselines.py"
PLACE = {"latitude": 40.53, "longitude": -108.54, "utc_offset": -7}
MAKERS = [make_narendra, make_mackey_glass, make_narma10]


@pytest.fixture(scope="module")
def solar():
    return load_solar()


# --- the solar series --------------------------------------------------------------------------


def test_every_data_file_has_the_checksum_of_its_readme():
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    files = sorted(FOLDER.glob("*.csv*"))
    assert files
    for file in files:
        section = readme.split(f"## {file.name}")[1].split("\n## ")[0]
        stated = re.search(r"sha256 \| `([0-9a-f]{64})`", section).group(1)
        assert hashlib.sha256(file.read_bytes()).hexdigest() == stated


def test_solar_has_two_whole_years_and_one_gap(solar):
    assert solar.shape == (17_520, 10)
    assert solar.index.name == "time" and solar.index.tz is None
    assert solar.index[0] == pd.Timestamp("2017-01-01 00:00")
    assert solar.index[-1] == pd.Timestamp("2023-12-31 23:00")
    jumps = pd.Series(solar.index[1:] - solar.index[:-1]).value_counts()
    assert jumps.to_dict() == {pd.Timedelta("1h"): 17_518, pd.Timedelta("1826 days 01:00:00"): 1}
    assert list(solar.index.year.value_counts().sort_index()) == [8_760, 8_760]


def test_solar_is_complete_and_within_physical_bounds(solar):
    assert set(solar.dtypes.astype(str)) == {"float64"}
    assert not solar.isna().any(axis=None)
    irradiance = solar[["ghi", "dni", "dhi", "ghi_clear", "clear_sky"]]
    assert irradiance.min().min() == 0 and irradiance.max().max() < 1_361
    assert solar["rh"].between(0, 100).all() and solar["wind_speed"].ge(0).all()
    assert solar["temp_air"].between(-40, 45).all() and solar["pressure"].between(750, 850).all()


def test_solar_names_units_source_licence_credit_and_place(solar):
    units = solar.attrs["units"]
    assert list(units) == list(solar.columns)
    assert (units["ghi"], units["temp_air"], units["wind_speed"]) == ("W/m2", "C", "m/s")
    assert "NSRDB" in solar.attrs["source"] and "NREL" in solar.attrs["credit"]
    assert solar.attrs["licence"] == "CC BY 3.0 US"
    assert solar.attrs["location"] == {**PLACE, "elevation": 2168}


def test_each_load_is_a_fresh_copy(solar):
    changed = load_solar()
    changed.iloc[:, :] = -1.0
    changed.attrs["units"]["ghi"] = "nonsense"
    again = load_solar()
    pd.testing.assert_frame_equal(again, solar)
    assert again.attrs == solar.attrs


# --- the clear sky -----------------------------------------------------------------------------


def slow_clear_sky(stamp):
    """The formulas of the docstring for one hour, with the math module."""
    total = 0.0
    for moment in (stamp, stamp + pd.Timedelta("30min")):
        hour = moment.hour + moment.minute / 60
        day = (moment - pd.Timestamp(moment.year, 1, 1)).days
        g = math.tau * (day + (hour - 12) / 24) / 365
        d = (0.006918 - 0.399912 * math.cos(g) + 0.070257 * math.sin(g)
             - 0.006758 * math.cos(2 * g) + 0.000907 * math.sin(2 * g))  # fmt: skip
        e = 229.18 * (0.000075 + 0.001868 * math.cos(g) - 0.032077 * math.sin(g)
                      - 0.014615 * math.cos(2 * g) - 0.040849 * math.sin(2 * g))  # fmt: skip
        solar_minutes = 60 * hour + 4 * PLACE["longitude"] - 60 * PLACE["utc_offset"] + e
        w = math.tau * (solar_minutes / 1440 - 0.5)
        phi = math.radians(PLACE["latitude"])
        height = math.sin(phi) * math.sin(d) + math.cos(phi) * math.cos(d) * math.cos(w)
        total += 1098 * height * math.exp(-0.057 / height) if height > 0 else 0.0
    return total / 2


@pytest.mark.parametrize(
    "stamp",
    ["2017-01-01 00:00", "2017-03-20 07:00", "2017-06-21 04:00", "2017-06-21 12:00",
     "2017-12-21 16:00", "2023-02-28 09:00", "2023-10-05 18:00", "2023-12-31 23:00"],
)  # fmt: skip
def test_clear_sky_column_by_slow_computation(solar, stamp):
    expected = solar.attrs["clear_sky_scale"] * slow_clear_sky(pd.Timestamp(stamp))
    assert solar["clear_sky"][stamp] == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_clear_sky_scale_is_the_least_squares_factor_of_2017(solar):
    sky = clear_sky(solar.index[:8_760], **PLACE).to_numpy()
    factor = np.linalg.lstsq(sky[:, None], solar["ghi_clear"].to_numpy()[:8_760])[0][0]
    assert solar.attrs["clear_sky_scale"] == pytest.approx(factor, rel=1e-12)


def test_clear_sky_column_follows_the_clear_sky_of_the_file(solar):
    assert np.corrcoef(solar["clear_sky"], solar["ghi_clear"])[0, 1] > 0.995


@pytest.mark.skipif(not YARDSTICK.exists(), reason="the protocol's script is not here")
def test_clear_sky_column_equals_the_protocols(solar, monkeypatch):
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.setenv(name, "1")  # the script sets them: put back what was there
    spec = importlib.util.spec_from_file_location("yardstick", YARDSTICK)
    yardstick = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(yardstick)
    task = next(t for t in yardstick.load_tasks(SHARED / "data" / "ship") if t.name == "S0")
    assert task.time.equals(solar.index)
    np.testing.assert_allclose(solar["clear_sky"], task.X[:, 0], rtol=1e-9, atol=1e-9)


def test_clear_sky_of_an_aware_index_is_that_of_its_standard_time():
    aware = pd.date_range("2023-06-21", periods=48, freq="h", tz="America/Denver")
    standard = aware.tz_convert("Etc/GMT+7").tz_localize(None)
    there = clear_sky(aware, **PLACE)
    assert there.index.equals(aware)
    np.testing.assert_array_equal(there, clear_sky(standard, **PLACE))


def test_clear_sky_keeps_stamps_and_answers_for_any_minutes():
    half_hours = pd.date_range("2023-05-01", periods=48, freq="30min", name="when")
    at_once = clear_sky(half_hours, **PLACE, minutes=(0,))
    assert at_once.name == "clear_sky" and at_once.index.equals(half_hours)
    hourly = clear_sky(half_hours[::2], **PLACE)
    np.testing.assert_allclose(hourly, at_once.to_numpy().reshape(-1, 2).mean(axis=1))


def test_the_sun_is_highest_at_noon_and_mirrors_across_the_equator():
    june = pd.date_range("2023-06-21", periods=24 * 60, freq="min")
    day = clear_sky(june, 0.0, 0.0, 0, minutes=(0,))
    assert day.idxmax().hour == 12 and day.iloc[0] == 0
    north, south = (clear_sky(june, latitude, 0.0, 0).max() for latitude in (60.0, -60.0))
    assert north > 4 * south > 0


# --- the simulated systems ---------------------------------------------------------------------


@pytest.mark.parametrize("amplitude", [1.0, 2.0])
def test_narendra_obeys_its_equation(amplitude):
    X, y = make_narendra(3_000, amplitude=amplitude, random_state=0)
    u = X[:, 0]
    np.testing.assert_allclose(y[1:], y[:-1] / (1 + y[:-1] ** 2) + u[:-1] ** 3, atol=1e-12)
    assert X.shape == (3_000, 1) and y.shape == (3_000,) and y[0] == 0
    assert 0.99 * amplitude < np.abs(u).max() <= amplitude
    assert abs(u.mean()) < 0.1 * amplitude


def test_narendra_noise_is_added_to_the_output_and_not_fed_back():
    X, clean = make_narendra(20_000, random_state=1)
    X_noisy, noisy = make_narendra(20_000, noise=0.5, random_state=1)
    np.testing.assert_array_equal(X, X_noisy)
    assert np.std(noisy - clean) == pytest.approx(0.5, rel=0.03)
    assert abs(np.corrcoef((noisy - clean)[1:], (noisy - clean)[:-1])[0, 1]) < 0.03


@pytest.mark.parametrize("tau", [17, 30])
def test_mackey_glass_obeys_its_equation(tau):
    y = make_mackey_glass(20_000, tau=tau, keep_every=1, random_state=0)
    d = round(tau / 0.1)
    now, delayed = y[d:-1], y[: -d - 1]
    step = 0.1 * (0.2 * delayed / (1 + delayed**10) - 0.1 * now)
    np.testing.assert_allclose(y[d + 1 :], now + step, rtol=0, atol=1e-14)


def test_mackey_glass_keeps_every_tenth_step_and_discards_the_first_values():
    fine = make_mackey_glass(20_000, keep_every=1, discard=0, random_state=3)
    np.testing.assert_array_equal(make_mackey_glass(1_000, random_state=3), fine[9::10][1_000:])
    squashed = make_mackey_glass(1_000, squash=True, random_state=3)
    np.testing.assert_array_equal(squashed, np.tanh(fine[9::10][1_000:] - 1))


def test_mackey_glass_is_chaotic_and_bounded():
    y = make_mackey_glass(5_000, random_state=0)
    assert 0.2 < y.min() < 0.5 and 1.2 < y.max() < 1.4
    assert not np.allclose(y, make_mackey_glass(5_000, random_state=1), atol=0.1)


@pytest.mark.parametrize("discard", [0, 50])
def test_narma10_obeys_its_equation(discard):
    X, y = make_narma10(2_000, discard=discard, random_state=0)
    u = X[:, 0]
    past = np.lib.stride_tricks.sliding_window_view(y, 10)[:-1].sum(axis=1)
    expected = 0.3 * y[9:-1] + 0.05 * y[9:-1] * past + 1.5 * u[:-10] * u[9:-1] + 0.1
    np.testing.assert_allclose(y[10:], expected, rtol=0, atol=1e-14)
    assert X.shape == (2_000, 1) and 0 <= u.min() < u.max() <= 0.5
    if discard == 0:
        np.testing.assert_array_equal(y[:10], 0)


class Loud(np.random.RandomState):
    """Draws the largest inputs ``n_loud`` times and is itself again afterwards."""

    def __init__(self, n_loud):
        super().__init__(0)
        self.n_loud = n_loud

    def uniform(self, low, high, size):
        self.n_loud -= 1
        return np.full(size, high) if self.n_loud >= 0 else super().uniform(low, high, size)


def test_narma10_draws_a_diverging_input_anew():
    X, y = make_narma10(500, random_state=Loud(3))
    X_calm, y_calm = make_narma10(500, random_state=np.random.RandomState(0))
    np.testing.assert_array_equal(X, X_calm)
    np.testing.assert_array_equal(y, y_calm)


def test_narma10_says_when_every_draw_diverges():
    with pytest.raises(ValueError, match="NARMA-10 diverged in 100 draws of 550 rows: lower"):
        make_narma10(500, random_state=Loud(1_000))


@pytest.mark.parametrize("n_samples", [1, 5, 10, 11])
@pytest.mark.parametrize("make", MAKERS)
def test_short_series_have_the_length_asked_for(make, n_samples):
    parts = make(n_samples, random_state=0)
    for part in parts if isinstance(parts, tuple) else (parts,):
        assert len(part) == n_samples and np.isfinite(part).all()


@pytest.mark.parametrize("make", MAKERS)
def test_same_seed_same_bits(make):
    def values(seed):
        parts = make(300, random_state=seed)
        return np.column_stack(parts) if isinstance(parts, tuple) else parts

    np.testing.assert_array_equal(values(7), values(7))
    np.testing.assert_array_equal(values(7), values(np.random.RandomState(7)))
    assert not np.array_equal(values(7), values(8))


# --- bad arguments -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: make_narendra(0),
            "The 'n_samples' parameter of make_narendra must be an int in the range [1, inf). "
            "Got 0 instead.",
        ),
        (
            lambda: make_narendra(amplitude=0),
            "The 'amplitude' parameter of make_narendra must be a float in the range (0, inf). "
            "Got 0 instead.",
        ),
        (
            lambda: make_narendra(noise=-0.1),
            "The 'noise' parameter of make_narendra must be a float in the range [0, inf). "
            "Got -0.1 instead.",
        ),
        (
            lambda: make_narma10(2.5),
            "The 'n_samples' parameter of make_narma10 must be an int in the range [1, inf). "
            "Got 2.5 instead.",
        ),
        (
            lambda: make_mackey_glass(discard=-1),
            "The 'discard' parameter of make_mackey_glass must be an int in the range [0, inf). "
            "Got -1 instead.",
        ),
        (
            lambda: make_mackey_glass(tau=float("nan")),
            "The 'tau' parameter of make_mackey_glass must be a float in the range (0, inf). "
            "Got nan instead.",
        ),
        (
            lambda: make_mackey_glass(tau=17.03),
            "tau must be a whole number of steps, but 17.03 is 170.3 of 0.1: "
            "change 'tau' or 'step' of make_mackey_glass.",
        ),
        (
            lambda: clear_sky(pd.DatetimeIndex(["2023-01-01"]), 91, 0, 0),
            "The 'latitude' parameter of clear_sky must be a float in the range [-90, 90]. "
            "Got 91 instead.",
        ),
        (
            lambda: clear_sky(pd.DatetimeIndex(["2023-01-01"]), 0, 0, "UTC"),
            "The 'utc_offset' parameter of clear_sky must be a float in the range [-14, 14]. "
            "Got 'UTC' instead.",
        ),
        (
            lambda: clear_sky(pd.DatetimeIndex(["2023-01-01"]), 0, 0, 0, minutes=()),
            "'minutes' of clear_sky is empty: give at least one, for example (0, 30).",
        ),
        (
            lambda: clear_sky(pd.RangeIndex(3), 0, 0, 0),
            "clear_sky needs a DatetimeIndex, but got RangeIndex: "
            "convert with pandas.DatetimeIndex or PeriodIndex.to_timestamp.",
        ),
    ],
)
def test_bad_arguments_get_a_sentence(call, sentence):
    with pytest.raises((TypeError, ValueError), match=f"^{re.escape(sentence)}$"):
        call()
