"""Measured series, read from the files beside this module; README.md tells where they come from."""

from copy import deepcopy
from pathlib import Path

import pandas as pd

from ._sun import clear_sky

FOLDER = Path(__file__).parent
SOLAR_FILE = "nsrdb_colorado_2017_2023_hourly.csv.gz"
SOLAR_PLACE = {"latitude": 40.53, "longitude": -108.54, "utc_offset": -7}
SOLAR_ATTRS = {
    "units": {
        "ghi": "W/m2",
        "dni": "W/m2",
        "dhi": "W/m2",
        "ghi_clear": "W/m2",
        "temp_air": "C",
        "wind_speed": "m/s",
        "rh": "%",
        "pressure": "mbar",
        "dew_point": "C",
        "clear_sky": "W/m2",
    },
    "source": "National Solar Radiation Database (NSRDB), location 401182, "
    "versions 3.2.2 (2017) and 4.0.1 (2023)",
    "licence": "CC BY 3.0 US",
    "credit": "National Renewable Energy Laboratory (NREL), U.S. Department of Energy",
    "location": {**SOLAR_PLACE, "elevation": 2168},
}


def load_solar():
    """Two years of hourly solar irradiance and weather in north-western Colorado.

    Satellite-derived irradiance and reanalysis weather of the National Solar Radiation Database at
    40.53 N, 108.54 W, 2168 m: the years 2017 and 2023, 8,760 hours each and none missing. The five
    years between them are a natural seam: no lag may cross it. The usual split trains on 2017 and
    tests on 2023.

    Returns
    -------
    DataFrame
        Shape (17520, 10), float64, a fresh copy at each call. The DatetimeIndex "time" is local
        standard time (UTC-7, no daylight saving) without a time zone; a row is the mean of the
        values at :00 and :30 of the hour that begins at its stamp. Columns:

        - ghi, dni, dhi: global horizontal, direct normal and diffuse horizontal irradiance, W/m2;
        - ghi_clear: global horizontal irradiance had the sky been cloudless, W/m2. It knows the
          haze and the vapour of the very hour, so it is not available ahead of time;
        - temp_air, dew_point: C; wind_speed: m/s; rh: relative humidity, %; pressure: mbar;
        - clear_sky: Haurwitz' clear sky from the sun's height alone (`clear_sky`), W/m2, times one
          factor, sum(ghi_clear h) / sum(h^2) with Haurwitz' h over 2017. It can be computed for
          any hour to come: the known input of an honest forecast.

        ``attrs`` holds "units" (column to unit), "source", "licence", "credit", "location" and
        "clear_sky_scale", the factor.

    See Also
    --------
    clear_sky : The formula behind the column of that name, for any place and time.

    References
    ----------
    .. [1] M. Sengupta et al., "The National Solar Radiation Data Base (NSRDB)", Renewable and
       Sustainable Energy Reviews 89, 51-60, 2018.

    Examples
    --------
    >>> from narxkit.datasets import load_solar
    >>> data = load_solar()
    >>> data.loc["2023-06-21 10:00":"2023-06-21 12:00", ["ghi", "clear_sky", "temp_air"]].round(1)
                            ghi  clear_sky  temp_air
    time
    2023-06-21 10:00:00   918.0      931.8      25.0
    2023-06-21 11:00:00  1004.5     1012.6      26.0
    2023-06-21 12:00:00  1034.5     1040.5      26.8
    >>> data.attrs["units"]["ghi"]
    'W/m2'
    """
    data = pd.read_csv(FOLDER / SOLAR_FILE, index_col="time", parse_dates=["time"], dtype=float)
    scale = _add_clear_sky(data)
    data.attrs = deepcopy(SOLAR_ATTRS)
    data.attrs["clear_sky_scale"] = scale
    return data


def _add_clear_sky(data):
    """Add the column, fitted to ``ghi_clear`` over 2017; return the factor."""
    sky = clear_sky(data.index, **SOLAR_PLACE)
    first = data.index.year == 2017
    seen, computed = data["ghi_clear"][first], sky[first]
    scale = float((seen * computed).sum() / (computed**2).sum())
    data["clear_sky"] = scale * sky
    return scale
