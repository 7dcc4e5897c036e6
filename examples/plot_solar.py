"""
========================
A day of sun, a year on
========================

A NARX network learns hourly solar irradiance in Colorado from the year 2017 and forecasts 2023.
What it knows ahead is the clear sky, computed from the height of the sun.
"""

from narxkit import ARX, NARX, Climatology, SeasonalNaive, backtest, skill_table
from narxkit.datasets import load_solar
from narxkit.plotting import ForecastDisplay, HorizonDisplay, TrainingDisplay

data = load_solar()
data["limit"] = 1.3 * data["ghi_clear"]  # no cloud makes the sky brighter than this
learn, test = data.loc["2017"], data.loc["2023"]
known = ["clear_sky", "limit"]

# %%
# Fit
# ---
# The last 24 hours and the clear sky of this hour and the one before it. The range keeps the night
# dark, in training as in the feedback loop; a column that only bounds is no input.
settings = {
    "input_lags": {"clear_sky": 1},
    "output_lags": 24,
    "output_range": (0, "limit"),
}
model = NARX(**settings, alpha=3.0, max_iter=50, random_state=0)
model.fit(learn[known], learn["ghi"])
TrainingDisplay.from_estimator(model)

# %%
# Forecast one day
# ----------------
# New measurements move the state and leave the weights: then the model continues from there.
week, day = test.loc["2023-04-03":"2023-04-09"], test.loc["2023-04-10"]
model.update(week[known], week["ghi"])
ForecastDisplay.from_estimator(
    model, day[known], day["ghi"], history=week["ghi"], target="irradiance", unit="W/m²"
)

# %%
# Evaluate the year
# -----------------
# One day proves nothing. From every hour of 2023 the next 24 are forecast, without refitting.
models = {
    "NARX": model,
    "ridge ARX": ARX(**settings),
    "seasonal naive": SeasonalNaive(24),
    "climatology": Climatology(),
}
for baseline in list(models.values())[1:]:
    baseline.fit(learn[known], learn["ghi"])
runs = {name: backtest(m, test[known], test["ghi"], steps=24) for name, m in models.items()}
HorizonDisplay.from_backtests(runs, unit="W/m²", step="h")
print(skill_table(runs).round(2).to_string())
