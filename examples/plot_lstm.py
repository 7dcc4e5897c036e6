"""
============================================
Wind by an LSTM: how long should memory be?
============================================

A recurrent network reads one row after another and carries a state, so that it has no lags to
choose but a window: the rows of measured history that bring its state about before a forecast.
GridSearchCV chooses the window and the units, from a pandas frame, by what is asked of the model.
"""

import pandas as pd
from sklearn.model_selection import GridSearchCV

from narxkit import ARX, LSTMRegressor, RollingOrigin, ahead_scorer, backtest
from narxkit.datasets import load_wind
from narxkit.diagnostics import memory_profile
from narxkit.plotting import HorizonDisplay

data = load_wind()
X, y = data[["hour_sin", "hour_cos", "day_sin", "day_cos"]], data["wind_speed"]

# %%
# The search
# ----------
# Every candidate is trained on rollouts of 8 hours on its own output and asked for forecasts of 24
# hours from every hour of two months that it was not trained on.
search = GridSearchCV(
    LSTMRegressor(loop=8, alpha=100.0, dtype="float32", max_iter=15, random_state=0),
    {"window": [6, 24], "hidden_layer_sizes": [(4,), (8,)]},
    scoring=ahead_scorer(steps=24),
    cv=RollingOrigin(1, test_size=60 * 24),
)
search.fit(X.loc["2017"], y.loc["2017"])

table = pd.DataFrame(search.cv_results_["params"]).astype(str)
table["RMSE, m/s"] = -search.cv_results_["mean_test_score"]
print(table.pivot(index="window", columns="hidden_layer_sizes").round(3).to_string())

# %%
# What it remembers
# -----------------
# The size of the derivative of a forecast by what was measured k hours before.
memory = memory_profile(search.best_estimator_, X.loc["2017-06"], y.loc["2017-06"])
print(memory.sentence)
memory.plot()

# %%
# A later year
# ------------
# Beside it stands the linear model of the same 24 hours.
models = {"LSTM": search, "ARX(24)": ARX(1, 24).fit(X.loc["2017"], y.loc["2017"])}
runs = {name: backtest(m, X.loc["2023"], y.loc["2023"], steps=24) for name, m in models.items()}
HorizonDisplay.from_backtests(runs, unit="m/s", step="h")
