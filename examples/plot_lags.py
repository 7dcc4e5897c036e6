"""
==========================
Which lags does wind need?
==========================

How far back should a network look? Orthogonal least squares and mutual information are asked about
the hourly wind speed of Colorado in 2017, its hour of the day, and the air's temperature, which is
not known ahead.
"""

from narxkit import NARX, backtest, skill_table
from narxkit.datasets import load_wind
from narxkit.diagnostics import suggest_lags
from narxkit.plotting import HorizonDisplay

data = load_wind().loc["2017"]
hour = ["hour_sin", "hour_cos"]  # from the clock alone
X, y = data[[*hour, "temp_air"]], data["wind_speed"]
learn, check = slice("2017-10"), slice("2017-11", "2017-12")

# %%
# Ask for lags
# ------------
# Of temperature, only lags of a day and more can be used 24 hours ahead. The table says what was
# chosen, and what else was seen: a correlation beyond its band is no reason to take a lag, when
# others tell the same.
lags = suggest_lags(X.loc[learn], y.loc[learn], max_lag=48, horizon=24, known_ahead=hour)
print(lags)

# %%
# See the evidence
# ----------------
# Partial autocorrelations and prewhitened cross-correlations stand above each line, mutual
# information with what least squares leave hangs below; grey is what chance can do. The last hours
# count, and the same hours of the day before. The temperature of the day before tells the hour as
# well as the clock does, whose waves are not taken.
lags.plot()

# %%
# Try them
# --------
# The suggestion goes into a network as it is. On the two months that follow it leads the
# default lags, and comes near all of the last day with a third fewer taps: a start, and not the
# last word. Under this penalty its hidden layers are left with nothing, as fit warns.
choices = {
    "suggested": {"input_lags": lags.input_lags, "output_lags": lags.output_lags},
    "default": {"input_lags": {"hour_sin": 2, "hour_cos": 2, "temp_air": []}},
    "last day": {"input_lags": {"hour_sin": 1, "hour_cos": 1, "temp_air": []}, "output_lags": 24},
}
runs = {}
for name, choice in choices.items():
    model = NARX(**choice, alpha=2.0, linear_alpha=0.0, max_iter=50, random_state=0)
    model.set_params(output_range=(0, None)).fit(X.loc[learn], y.loc[learn])
    runs[name] = backtest(model, X.loc[check], y.loc[check], steps=24)
HorizonDisplay.from_backtests(runs, unit="m/s", step="h")
print(skill_table(runs).round(3).T.to_string())
