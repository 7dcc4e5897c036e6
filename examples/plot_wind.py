"""
=========================
Wind speed, the next 24 h
=========================

Wind is hard: a day ahead little more is known than the hour and the season. A NARX network learns
hourly wind speed in Colorado from 2017 and is evaluated on 2023 beside a ridge regression on the
same lags, the climatology and persistence.
"""

from narxkit import ARX, NARX, Climatology, Persistence, backtest, skill_table
from narxkit.datasets import load_wind
from narxkit.plotting import ForecastDisplay, HorizonDisplay

data = load_wind()
learn, test = data.loc["2017"], data.loc["2023"]
known = ["hour_sin", "hour_cos", "day_sin", "day_cos"]  # from the clock alone

# %%
# Fit
# ---
# A one-step model learns noise with ease and pays for it when it runs on its own output. A strong
# penalty `alpha` keeps the network smooth; it was chosen on November and December of 2017.
settings = {"input_lags": 1, "output_lags": 24, "output_range": (0, None)}
penalties = {"alpha": 2.0, "linear_alpha": 0.0}  # the linear term is free
models = {
    "NARX": NARX(**settings, **penalties, max_iter=50, random_state=0),
    "ridge ARX": ARX(**settings),
    "climatology": Climatology(),
    "persistence": Persistence(),
}
for model in models.values():
    model.fit(learn[known], learn["wind_speed"])

# %%
# Forecast one day
# ----------------
# The state moves on to the last evening in June; the forecast takes its time from there.
past, day = test.loc["2023-06-28":"2023-06-30"], test.loc["2023-07-01"]
y_hat = {}
for name in ("NARX", "climatology"):
    models[name].update(past[known], past["wind_speed"])
    y_hat[name] = models[name].forecast(X=day[known])
ForecastDisplay.from_predictions(
    day["wind_speed"], y_hat, history=past["wind_speed"], target="wind speed", unit="m/s"
)

# %%
# Evaluate the year
# -----------------
# The network leads most at one hour; further on all models come near the climatology. The interval
# of the ratio to the ridge, from weeks drawn anew, tells whether the lead may be luck.
runs = {
    name: backtest(model, test[known], test["wind_speed"], steps=24)
    for name, model in models.items()
}
HorizonDisplay.from_backtests(runs, unit="m/s", step="h")
print(skill_table(runs, interval=True).round(3).T.to_string())
