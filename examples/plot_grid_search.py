"""
============================
How many lags? A grid search
============================

GridSearchCV tries lags and penalties of a NARX on the year 2017, split in the order of time. What
is asked of the model, wind speed over the next 24 hours, is asked of every candidate too.
"""

import numpy as np
import pandas as pd
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit

from narxkit import NARX, Persistence, backtest
from narxkit.datasets import load_wind
from narxkit.plotting import HorizonDisplay

data = load_wind()
X, y = data[["hour_sin", "hour_cos", "day_sin", "day_cos"]], data["wind_speed"]


# %%
# The question
# ------------
# `score` would run freely through the whole test block, two months on its own output. A scorer is
# any function of a fitted model, X and y, higher being better: here the error of 24-hour forecasts
# from every hour of the block.
def day_ahead(model, X, y):
    """Minus the root mean squared error over 24 hours."""
    run = backtest(model, X, y, steps=24)
    return -np.sqrt(np.mean((run["y_hat"] - run["y"]) ** 2))


# %%
# The search
# ----------
search = GridSearchCV(
    NARX(input_lags=1, hidden_layer_sizes=(6,), max_iter=30, random_state=0),
    {"output_lags": [2, [1, 2, 3, 24], 24], "alpha": [1e-4, 2.0]},
    scoring=day_ahead,
    cv=TimeSeriesSplit(3, test_size=60 * 24),
)
search.fit(X.loc["2017"], y.loc["2017"])

table = pd.DataFrame(search.cv_results_["params"]).astype(str)
table["RMSE, m/s"] = -search.cv_results_["mean_test_score"]
print(table.pivot(index="output_lags", columns="alpha").round(3).to_string())
print("best:", search.best_params_)

# %%
# The year after
# --------------
# The best candidate was fitted again on all of 2017; `backtest` takes the search as it is.
models = {"chosen": search, "NARX()": NARX(random_state=0), "persistence": Persistence()}
for model in list(models.values())[1:]:
    model.fit(X.loc["2017"], y.loc["2017"])
runs = {name: backtest(m, X.loc["2023"], y.loc["2023"], steps=24) for name, m in models.items()}
HorizonDisplay.from_backtests(runs, unit="m/s", step="h")
