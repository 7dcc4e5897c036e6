"""
=================================
Pipelines and transformed targets
=================================

Forecasters are scikit-learn estimators: they stand at the end of a Pipeline or inside a
TransformedTargetRegressor, and `backtest` takes both as they are. Here a ridge and a network
forecast wind speed, as it is and as its logarithm.
"""

import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer, StandardScaler

from narxkit import ARX, NARX, backtest, skill_table
from narxkit.datasets import load_wind
from narxkit.plotting import HorizonDisplay

data = load_wind()
y, index = data["wind_speed"], data.index
X = data[[]].assign(hour=index.hour, day=index.day_of_year)

# %%
# A pipeline
# ----------
# Hour and day of the year become smooth bumps that reach around midnight and New Year. The steps
# of a pipeline drop the index, and with it the clock, unless they are told to answer in pandas.
# The scaler is here to be seen: forecasters standardise their inputs themselves.
knots = np.linspace([0, 1], [24, 366.25], 7)
bumps = SplineTransformer(knots=knots, extrapolation="periodic", include_bias=False)


def pipeline(model):
    """Make a pipeline of splines, scaler and a forecaster, all of them in pandas."""
    return make_pipeline(bumps, StandardScaler(), model).set_output(transform="pandas")


# %%
# A target on another scale
# -------------------------
# The model and its feedback loop see log(1 + speed); `backtest` brings forecasts and measurements
# back to m/s. Does it help? It lowers the mean absolute error of the ridge, and it spoils the
# network a day ahead: measure before you transform.
ridge = pipeline(ARX(0, 24))
network = pipeline(NARX(0, 24, alpha=2.0, linear_alpha=0.0, max_iter=50, random_state=0))
log = {"func": np.log1p, "inverse_func": np.expm1}
models = {
    "ridge ARX": ridge,
    "ridge ARX, log": TransformedTargetRegressor(ridge, **log),
    "NARX": network,
    "NARX, log": TransformedTargetRegressor(network, **log),
}
runs = {}
for name, model in models.items():
    model.fit(X.loc["2017"], y.loc["2017"])
    runs[name] = backtest(model, X.loc["2023"], y.loc["2023"], steps=24)
HorizonDisplay.from_backtests(runs, highlight="NARX", unit="m/s", step="h")
print(skill_table(runs, interval=True).round(3).to_string())
