"""
==============================
A turbine's power in hindsight
==============================

Hourly power of a wind turbine in eastern France, 24 hours ahead. The wind comes from a reanalysis,
which has seen the hours that it describes: this is a hindcast, an upper bound of what a weather
forecast could give, and no forecast that anybody could have made.
"""

from narxkit import ARX, NARX, Persistence, backtest, skill_table
from narxkit.datasets import load_turbine
from narxkit.plotting import ForecastDisplay, HorizonDisplay

data = load_turbine()
learn, test = data.loc[:"2015-06"], data.loc["2015-07":]
power, wind = "power_kw", ["era5_ws100"]

# %%
# Fit, with leads and without
# ---------------------------
# Where an input is known ahead, lags may be negative: a lead of 3 reads the wind three hours after
# the one to forecast. Here leads do more than smooth: the turbine's clock is doubtful, its power
# seems to stand one hour early in winter and two in summer (see the notes of the data).
common = {"output_lags": 24, "output_range": (learn[power].min(), learn[power].max())}
training = {"alpha": 3.0, "linear_alpha": 0.0, "max_iter": 50, "random_state": 0}
near, ahead = [0, 1], [-3, -2, -1, 0, 1]
models = {
    "NARX, leads": NARX(ahead, **common, **training),
    "NARX": NARX(near, **common, **training),
    "ridge, leads": ARX(ahead, **common),
    "ridge ARX": ARX(near, **common),
    "persistence": Persistence(),
}
for model in models.values():
    model.fit(learn[wind], learn[power])

# %%
# A day with a missing hour
# -------------------------
# The warning above counts the rows that missing hours cost in training. In a forecast's history
# they are filled by the model's own one-step prediction; as targets they are left out. A forecast
# with leads of 3 needs the wind of three hours more.
past, day = test.loc[:"2015-11-26"], test.loc["2015-11-27"]
y_hat = {}
for name in ("NARX, leads", "NARX"):
    models[name].update(past[wind], past[power])
    y_hat[name] = models[name].forecast(24, X=test.loc["2015-11-27":, wind])
ForecastDisplay.from_predictions(
    day[power], y_hat, history=past[power][-72:], target="power", unit="kW"
)

# %%
# Evaluate half a year
# --------------------
# Knowing the wind is worth more than the model: leads help the ridge as they help the network.
runs = {name: backtest(m, test[wind], test[power], steps=24) for name, m in models.items()}
HorizonDisplay.from_backtests(runs, unit="kW", step="h")
print(skill_table(runs, interval=True).round(2).T.to_string())
