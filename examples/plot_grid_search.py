"""
============================
How many lags? A grid search
============================

GridSearchCV tries lags and penalties of a NARX on the year 2017, split in the order of time. What
is asked of the model, wind speed over the next 24 hours, is asked of every candidate too.
"""

import pandas as pd
from sklearn.model_selection import GridSearchCV

from narxkit import NARX, BlockedKFold, Persistence, RollingOrigin, ahead_scorer, backtest
from narxkit.datasets import load_wind
from narxkit.plotting import HorizonDisplay

data = load_wind()
X, y = data[["hour_sin", "hour_cos", "day_sin", "day_cos"]], data["wind_speed"]

# %%
# The search
# ----------
# `score` would run freely through the whole test block, two months on its own output. The scorer
# asks for 24-hour forecasts from every hour of the block instead, and takes the hours before it as
# history: candidates of all lags forecast the same hours.
search = GridSearchCV(
    NARX(1, hidden_layer_sizes=(6,), linear_alpha=0.0, max_iter=30, random_state=0),
    {"output_lags": [2, [1, 2, 3, 24], 24], "alpha": [1e-4, 0.3]},
    scoring=ahead_scorer(steps=24),
    cv=RollingOrigin(3, test_size=60 * 24),
)
search.fit(X.loc["2017"], y.loc["2017"])

table = pd.DataFrame(search.cv_results_["params"]).astype(str)
table["RMSE, m/s"] = -search.cv_results_["mean_test_score"]
print(table.pivot(index="output_lags", columns="alpha").round(3).to_string())
print("best:", search.best_params_)

# %%
# Every season
# ------------
# Those three blocks lie in the second half of the year. `BlockedKFold` tests every fifth of it and
# trains on the four others; no lag crosses the hole, and the first 24 hours of a block are history.
search.set_params(cv=BlockedKFold(5), scoring=ahead_scorer(steps=24, warmup=24))
search.fit(X.loc["2017"], y.loc["2017"])
print(f"best in all seasons: {search.best_params_}, {-search.best_score_:.3f} m/s")

# %%
# A later year
# ------------
# The best candidate was fitted again on all of 2017; `backtest` takes the search as it is.
models = {"chosen": search, "NARX()": NARX(random_state=0), "persistence": Persistence()}
for model in list(models.values())[1:]:
    model.fit(X.loc["2017"], y.loc["2017"])
runs = {name: backtest(m, X.loc["2023"], y.loc["2023"], steps=24) for name, m in models.items()}
HorizonDisplay.from_backtests(runs, unit="m/s", step="h")
