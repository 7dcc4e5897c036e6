"""Measured series, read from the files beside this module; README.md tells where they come from."""

from copy import deepcopy
from pathlib import Path

import numpy as np
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
WIND_COLUMNS = ["wind_speed", "temp_air", "rh", "pressure", "dew_point"]
TURBINE_FILE = "la_haute_borne_R80711_2014_2015_hourly.csv.gz"
TURBINE_ATTRS = {
    "units": {
        "power_kw": "kW",
        "wind_speed_nacelle": "m/s",
        "temp_air": "C",
        "pitch_deg": "degree",
        "era5_ws100": "m/s",
        "era5_t2m_k": "K",
        "era5_u100": "m/s",
        "era5_v100": "m/s",
    },
    "source": "La Haute Borne wind farm, turbine R80711 (Senvion MM82), and the ERA5 reanalysis",
    "licence": "Licence Ouverte 2.0 (turbine), Copernicus licence (ERA5)",
    "credit": "ENGIE; contains modified Copernicus Climate Change Service information",
    "location": {"latitude": 48.4569, "longitude": 5.5847, "elevation": 411},
    "rated_power": 2050,
}
FX_FILE = "ecb_fx_daily_1999_2026.csv.gz"
FX_ATTRS = {
    "source": "European Central Bank, euro foreign exchange reference rates",
    "licence": "free reuse of unmodified rates where the source is named",
    "credit": "European Central Bank (ECB)",
}
STOCK_FILE = "istanbul_stock_daily.csv"
STOCK_ATTRS = {
    "source": "UCI Machine Learning Repository, Istanbul Stock Exchange",
    "licence": "CC BY 4.0",
    "credit": "Oguz Akbilgic",
}
SP500_ATTRS = {
    "units": {
        "open": "index points",
        "high": "index points",
        "low": "index points",
        "close": "index points",
        "adj_close": "index points",
        "volume": "shares",
    },
    "source": "S&P 500 index, arch.data.sp500 of the package arch",
    "licence": "not stated by the package; not shipped with narxkit",
    "credit": "Kevin Sheppard (arch)",
}


def load_solar():
    """Load two years of hourly solar irradiance and weather in north-western Colorado.

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
    load_wind : The wind of the same place and hours.

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
    data = _read(SOLAR_FILE, "time")
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


def load_wind():
    """Load two years of hourly wind speed in north-western Colorado, with what is known ahead.

    Wind speed and weather of the National Solar Radiation Database, the same place, hours and seam
    as `load_solar`: 2017 and 2023. The usual split trains on 2017 and tests on 2023.

    Returns
    -------
    DataFrame
        Shape (17520, 9), float64, a fresh copy at each call. The DatetimeIndex "time" is local
        standard time (UTC-7, no daylight saving) without a time zone; a row is the mean of the
        values at :00 and :30 of the hour that begins at its stamp. Columns:

        - wind_speed: m/s, the target;
        - temp_air, dew_point: C; rh: relative humidity, %; pressure: mbar. Observed with the wind,
          so a forecast that is given them for the hours to come is a hindcast;
        - hour_sin, hour_cos: sine and cosine of 2 pi hour / 24; day_sin, day_cos: sine and cosine
          of 2 pi (day of the year) / 365.25. They follow from the clock alone: the known inputs of
          an honest forecast.

        ``attrs`` holds "units" (column to unit), "source", "licence", "credit" and "location".

    See Also
    --------
    load_solar : The irradiance of the same place and hours.

    References
    ----------
    .. [1] M. Sengupta et al., "The National Solar Radiation Data Base (NSRDB)", Renewable and
       Sustainable Energy Reviews 89, 51-60, 2018.

    Examples
    --------
    >>> from narxkit.datasets import load_wind
    >>> data = load_wind()
    >>> columns = ["wind_speed", "hour_sin", "day_cos"]
    >>> data.loc["2023-03-01 05:00":"2023-03-01 07:00", columns].round(3)
                         wind_speed  hour_sin  day_cos
    time
    2023-03-01 05:00:00        1.70     0.966    0.513
    2023-03-01 06:00:00        2.10     1.000    0.513
    2023-03-01 07:00:00        2.75     0.966    0.513
    """
    data = _read(SOLAR_FILE, "time")[WIND_COLUMNS]
    _add_calendar(data)
    data.attrs = deepcopy(SOLAR_ATTRS)
    units = data.attrs["units"]
    data.attrs["units"] = {column: units.get(column, "1") for column in data.columns}
    return data


def _add_calendar(data):
    """Add sine and cosine of the hour and of the day of the year."""
    turns = {"hour": data.index.hour / 24, "day": data.index.day_of_year / 365.25}
    for name, turn in turns.items():
        data[f"{name}_sin"] = np.sin(2 * np.pi * turn)
        data[f"{name}_cos"] = np.cos(2 * np.pi * turn)


def load_turbine():
    """Load two years of hourly power of a wind turbine in eastern France, and a reanalysis.

    Turbine R80711 of the wind farm La Haute Borne (Senvion MM82, 2,050 kW, hub at 80 m) in 2014 and
    2015, and the wind of the ERA5 reanalysis there. The usual split trains until June 2015 and
    tests from July.

    Returns
    -------
    DataFrame
        Shape (17520, 8), float64, a fresh copy at each call. The DatetimeIndex "time" is in UTC and
        says so (but see Notes): ``data.tz_convert("Europe/Paris")`` gives local time,
        ``data.tz_localize(None)`` drops the zone. No hour is left out. Columns:

        - power_kw: active power, kW, slightly negative at rest, when the turbine draws power;
        - wind_speed_nacelle: m/s; temp_air: C; pitch_deg: pitch of the blades, degrees. These and
          the power are means of the ten-minute values of the hour that begins at the stamp; 80
          hours (0.5 %) with fewer than four of the six are missing, as NaN;
        - era5_ws100: wind speed 100 m above ground, m/s; era5_u100, era5_v100: its eastward and
          northward part, m/s; era5_t2m_k: temperature 2 m above ground, K. Values at the stamp,
          none missing. A reanalysis has seen the hours that it describes: a forecast that is given
          them is a hindcast.

        ``attrs`` holds "units" (column to unit), "source", "licence", "credit", "location" and
        "rated_power" in kW.

    Notes
    -----
    The turbine's clock is doubtful. The source calls its stamps French local time, and so they were
    converted to UTC; but against ERA5 wind and temperature the turbine is early by one hour in
    winter and by two in summer, as if the stamps had been UTC from the start. Turbine columns agree
    with one another and ERA5 columns too; across the two, a row pairs the turbine with the
    reanalysis of one or two hours before.

    The hours 01:00 of 2014-03-30 and 2015-03-29, where the clocks change, are in the source twice
    with different values; the file has one of the two records for each ten minutes, and which one
    is an accident of sorting.

    References
    ----------
    .. [1] ENGIE, "La Haute Borne", open data, https://opendata-renewables.engie.com.
    .. [2] H. Hersbach et al., "The ERA5 global reanalysis", Quarterly Journal of the Royal
       Meteorological Society 146, 1999-2049, 2020.

    Examples
    --------
    >>> from narxkit.datasets import load_turbine
    >>> data = load_turbine()
    >>> data.loc["2015-07-01 10:00":"2015-07-01 12:00", ["power_kw", "era5_ws100"]]
                               power_kw  era5_ws100
    time
    2015-07-01 10:00:00+00:00   204.422       4.855
    2015-07-01 11:00:00+00:00   193.910       4.874
    2015-07-01 12:00:00+00:00    90.543       4.464
    >>> int(data["power_kw"].isna().sum())
    80
    """
    data = _read(TURBINE_FILE, "time").tz_localize("UTC")
    data.attrs = deepcopy(TURBINE_ATTRS)
    return data


def load_fx():
    """Load daily exchange rates of the euro since 1999, as published by the ECB.

    Reference rates of 18 currencies from 1999-01-04 to 2026-10-30. The forecast to beat is the
    last rate.

    Returns
    -------
    DataFrame
        Shape (7126, 18), float64, a fresh copy at each call. The DatetimeIndex "date" has the days
        on which rates were published (working days of the TARGET calendar), without a time zone:
        weekends and holidays are left out, so it has no fixed frequency. A column is named by its
        currency's ISO code and holds units of that currency per euro: 1.1172 in USD says that one
        euro costs 1.1172 dollars. CNY begins on 2005-04-01 and is NaN before; nothing else is
        missing.

        ``attrs`` holds "units" (column to unit), "source", "licence" and "credit".

    References
    ----------
    .. [1] European Central Bank, "Euro foreign exchange reference rates",
       https://www.ecb.europa.eu/stats/eurofxref/.

    Examples
    --------
    >>> from narxkit.datasets import load_fx
    >>> data = load_fx()
    >>> data.loc["2026-10-28":, ["USD", "JPY", "GBP"]]
                   USD     JPY      GBP
    date
    2026-10-28  1.1133  175.86  0.83785
    2026-10-29  1.1130  175.92  0.83578
    2026-10-30  1.1172  175.68  0.83380
    >>> data.attrs["units"]["USD"]
    'USD per EUR'
    """
    data = _read(FX_FILE, "date")
    units = {currency: f"{currency} per EUR" for currency in data.columns}
    data.attrs = {"units": units, **FX_ATTRS}
    return data


def load_stock():
    """Load daily returns of the Istanbul stock exchange and seven other indices, 2009 to 2011.

    Returns
    -------
    DataFrame
        Shape (536, 9), float64, a fresh copy at each call. The DatetimeIndex "date" has the trading
        days of Istanbul from 2009-01-05 to 2011-02-22, without a time zone and without a fixed
        frequency. Values are daily returns as fractions: 0.01 is one per cent. Columns:

        - ISE_TL, ISE_USD: the Istanbul index, in Turkish lira and in US dollars;
        - SP, DAX, FTSE, NIKKEI, BOVESPA: S&P 500 and the indices of Germany, the United Kingdom,
          Japan and Brazil;
        - EU, EM: the European and the emerging markets index of MSCI.

        Exchanges close at different hours: on the same date New York closes after Istanbul, so
        only its return of the day before is known there. ``attrs`` holds "units" (column to unit),
        "source", "licence" and "credit".

    References
    ----------
    .. [1] O. Akbilgic, H. Bozdogan and M. E. Balaban, "A novel Hybrid RBF Neural Networks model as
       a forecaster", Statistics and Computing, 2013, https://doi.org/10.1007/s11222-013-9375-7.

    Examples
    --------
    >>> from narxkit.datasets import load_stock
    >>> data = load_stock()
    >>> data.loc["2011-02-21":, ["ISE_TL", "SP", "DAX"]].round(4)
                ISE_TL      SP     DAX
    date
    2011-02-21 -0.0131 -0.0207 -0.0142
    2011-02-22 -0.0072  0.0000 -0.0005
    """
    data = _read(STOCK_FILE, "date")
    data.attrs = {"units": dict.fromkeys(data.columns, "1"), **STOCK_ATTRS}
    return data


def load_sp500():
    """Load twenty years of the S&P 500 index by the day, from the optional package arch.

    The series is not shipped: it is read from the installed package ``arch``.

    Returns
    -------
    DataFrame
        In arch 8.0 of shape (5031, 6), float64, a fresh copy at each call. The DatetimeIndex "date"
        has the trading days of New York from 1999-01-04 to 2018-12-31, without a time zone and
        without a fixed frequency. Columns open, high, low, close and adj_close are index points,
        volume is in shares.

        ``attrs`` holds "units" (column to unit), "source", "licence" and "credit".

    Raises
    ------
    ImportError
        If ``arch`` is not installed.

    Examples
    --------
    >>> from narxkit.datasets import load_sp500
    >>> data = load_sp500()  # doctest: +SKIP
    >>> data["close"].iloc[-1]  # doctest: +SKIP
    2506.850098
    """
    try:
        from arch.data import sp500
    except ImportError as error:
        raise ImportError(
            "load_sp500 reads its series from the package 'arch', which cannot be imported: "
            "install it with `pip install arch`."
        ) from error
    data = sp500.load().astype(float).rename_axis("date")
    data.columns = [name.lower().replace(" ", "_") for name in data.columns]
    data.attrs = deepcopy(SP500_ATTRS)
    return data


def _read(file, clock):
    """Return the numbers of a data file on its DatetimeIndex."""
    return pd.read_csv(FOLDER / file, index_col=clock, parse_dates=[clock], dtype=float)
