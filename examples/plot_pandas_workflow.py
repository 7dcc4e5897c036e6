"""
======================================
Day by day: forecast, measure, move on
======================================

A model is fitted once. Then, midnight by midnight, it forecasts the day to come, and in the evening
it takes the day's measurements. The clock shows local time; the week is the one in March whose
Sunday has 23 hours.
"""

import pandas as pd

from narxkit import NARX, SeasonalNaive
from narxkit.datasets import load_solar
from narxkit.plotting import ForecastDisplay

data = load_solar().tz_localize("UTC-07:00").tz_convert("America/Denver")
data["limit"] = 1.3 * data["ghi_clear"]  # no cloud makes the sky brighter than this
known = ["clear_sky", "limit"]
week = data.loc["2023-03-06":"2023-03-12"]

# %%
# Fit once
# --------
# The year 2017, of which the last tenth is held out to end training in time. Then `update` starts
# the state anew in 2023: years lie between, and no lag may cross them.
learn, past = data.loc["2017"], data.loc["2023-03-03":"2023-03-05"]
settings = {"output_range": (0, "limit"), "early_stopping": True, "random_state": 0}
models = {
    "NARX": NARX({"clear_sky": 1}, 24, alpha=1e-4, **settings),
    "same as the day before": SeasonalNaive(24),
}
for model in models.values():
    model.fit(learn[known], learn["ghi"])
    model.update(past[known], past["ghi"])

# %%
# A week in a loop
# ----------------
# `forecast` answers as pandas, on the clock of the inputs. Rows that do not follow the last one
# seen would be refused, so no day is skipped and none is taken twice.
days = {name: [] for name in models}
for _, day in week.groupby(week.index.date):
    for name, model in models.items():
        days[name].append(model.forecast(X=day[known]))
        model.update(day[known], day["ghi"])
y_hat = pd.DataFrame({name: pd.concat(parts) for name, parts in days.items()})

# %%
# The yield of each day
# ---------------------
table = pd.concat([week["ghi"].rename("measured"), y_hat], axis=1).groupby(week.index.date)
print("kWh/m² a day")
print((table.sum() / 1000).round(2).assign(hours=table.size()).to_string())
ForecastDisplay.from_predictions(
    week["ghi"], y_hat["NARX"], history=past["ghi"], target="irradiance", unit="W/m²"
)
