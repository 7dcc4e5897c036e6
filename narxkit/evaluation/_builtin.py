"""The tasks of the built-in series: the one place of their protocols and of their settings.

Solar, wind and turbine follow a rolling origin over 24 hours, exchange rates and stocks look one
trading day ahead. Nothing was chosen on a test period. The penalties of the networks over 24 hours
are those of the same recipes in ``benchmarks/rolling.py``, chosen by the mean error over the hours
on blocks left out of the training and validation periods, among values under which networks live
and die; where a linear model is better there, the penalty is one that leaves nothing else, and the
tables say so. On wind speed training one step ahead was better on the blocks than over 24. The
penalties of the markets are chosen while they are fitted (``alpha="auto"``): on twelve blocks, of
which every fourth makes a fold, no network under a penalty from 1 to 1000 was better than the
linear model.
"""

from dataclasses import replace
from functools import partial

import numpy as np

from narxkit.datasets import load_fx, load_solar, load_stock, load_turbine, load_wind

from ._horizon import HorizonTask
from ._returns import ReturnsTask


def _solar_limit(data):
    return 1.3 * data["ghi_clear"]


def _lowest_power(data):
    # up to the end of validation, for nothing of the test may bound its own forecasts
    return data.loc[:"2015-06", "power_kw"].min()


def _highest_power(data):
    return data.loc[:"2015-06", "power_kw"].max()


def log_returns(load):
    """Read a series of prices as returns in per cent: 100 times the steps of their logarithm."""
    prices = load()
    returns = 100 * np.log(prices).diff().iloc[1:]  # the first has none before it
    returns.attrs = {**prices.attrs, "units": dict.fromkeys(returns.columns, "%")}
    return returns


def percent(load):
    """Read a series of returns in per cent."""
    returns = load()
    scaled = 100 * returns
    scaled.attrs = {**returns.attrs, "units": dict.fromkeys(returns.columns, "%")}
    return scaled


ROLLOUTS = {"hidden_layer_sizes": (6,), "linear_alpha": 0.0, "loop": 24, "max_iter": 50}
LINEAR = 300.0  # a penalty that switches these networks off, on blocks as well
SOLAR = HorizonTask(
    name="solar",
    title="Solar irradiance in Colorado",
    load=load_solar,
    target="ghi",
    unit="W/m²",
    input_lags={"clear_sky": 1},
    settings=ROLLOUTS | {"alpha": LINEAR},
    output_range=(0, "limit"),
    columns={"limit": _solar_limit},
    clear_sky={"clear_sky": "clear_sky"},
    training=("2017-01", "2017-10"),
    validation=("2017-11", "2017-12"),
    test=("2023", "2023"),
    protocol="S0",
    why=(
        "Known ahead is clear_sky, from the sun's height alone, because ghi_clear carries the "
        "haze of the very day; it only bounds the output of all models, at 1.3 ghi_clear."
    ),
)
SOLAR_HINDCAST = replace(
    SOLAR,
    name="solar-hindcast",
    title="Solar irradiance in Colorado, a hindcast",
    input_lags={"ghi_clear": 1},
    clear_sky={"clear_sky": "ghi_clear"},
    protocol="S1",
    why=(
        "A hindcast: ghi_clear of the hours ahead is taken as known, which carries the haze and "
        "vapour of the very day."
    ),
)
WIND = HorizonTask(
    name="wind",
    title="Wind speed in Colorado",
    load=load_wind,
    target="wind_speed",
    unit="m/s",
    input_lags=dict.fromkeys(["hour_sin", "hour_cos", "day_sin", "day_cos"], 1),
    settings=ROLLOUTS | {"alpha": 0.3, "loop": "open"},
    output_range=(0, None),
    training=("2017-01", "2017-10"),
    validation=("2017-11", "2017-12"),
    test=("2023", "2023"),
    protocol="W1",
    why="Known ahead are the hour and the day of the year.",
)
TURBINE = HorizonTask(
    name="turbine",
    title="Power of a wind turbine in France",
    load=load_turbine,
    target="power_kw",
    unit="kW",
    settings=ROLLOUTS | {"alpha": 300.0},
    output_range=("lowest", "highest"),
    columns={"lowest": _lowest_power, "highest": _highest_power},
    training=("2014-01", "2015-04"),
    validation=("2015-05", "2015-06"),
    test=("2015-07", "2015-12"),
    protocol="T1",
    why="Nothing is known ahead. Bounds of the output are those of the power before July 2015.",
)
TURBINE_HINDCAST = replace(
    TURBINE,
    name="turbine-hindcast",
    title="Power of a wind turbine in France, a hindcast",
    input_lags={"era5_ws100": 1},
    settings=ROLLOUTS | {"alpha": LINEAR},
    protocol="T2",
    why=(
        "A hindcast: the wind of the ERA5 reanalysis in the hours ahead is taken as known, though "
        "a reanalysis is made afterwards. The turbine's clock runs an hour or two early beside it."
    ),
)
MARKET = {"steps": 1, "history": 6, "output_lags": 5, "step": "d"}
FX = ReturnsTask(
    name="fx",
    title="US dollars per euro",
    load=partial(log_returns, load_fx),
    target="USD",
    unit="%",
    training=("1999", "2016"),
    validation=("2017", "2018"),
    test=("2019", "2026"),
    protocol="FX",
    why="Forecast is the logarithmic return of the next day from those of the last five.",
    **MARKET,
)
STOCK = ReturnsTask(
    name="stock",
    title="Istanbul stock index, in lira",
    load=partial(percent, load_stock),
    target="ISE_TL",
    unit="%",
    input_lags=dict.fromkeys(["SP", "DAX", "FTSE", "NIKKEI", "BOVESPA", "EU", "EM"], [1]),
    training=("2009-01", "2009-12"),
    validation=("2010-01", "2010-06"),
    test=("2010-07", "2011-02"),
    why=(
        "Forecast is the return of the next day from its last five and from yesterday's returns "
        "of seven other indices."
    ),
    **MARKET,
)

TASKS = {
    task.name: task for task in (SOLAR, SOLAR_HINDCAST, WIND, TURBINE, TURBINE_HINDCAST, FX, STOCK)
}


def find_task(name):
    """Find the task of a built-in series.

    Parameters
    ----------
    name : str
        Name of the series.

    Returns
    -------
    Task
        Its task.

    Raises
    ------
    ValueError
        When there is none of this name; the sentence lists those there are.

    Examples
    --------
    >>> from narxkit.evaluation import find_task
    >>> find_task("solar").target
    'ghi'
    """
    if name not in TASKS:
        raise ValueError(
            f"there is no series {name!r}: the built-in ones are {', '.join(TASKS)}; a file of "
            "your own is named with its ending, .csv or .parquet."
        )
    return TASKS[name]
