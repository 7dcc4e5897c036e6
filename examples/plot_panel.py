"""
=======================
Three series, one model
=======================

How much a currency moves against the euro can be forecast a little, unlike where it moves. One
model learns the weekly mean of absolute daily changes from three currencies at once: the dollar
since 1999, the yuan since 2005 and the franc since it left its cap in 2015.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.base import clone

from narxkit import NARX, Persistence, backtest, skill_table
from narxkit.datasets import load_fx
from narxkit.plotting import ForecastDisplay

rates = load_fx()
starts = {"USD": "1999", "CNY": "2005-05", "CHF": "2015-02"}
daily = {name: 100 * np.log(rates.loc[start:, name]).diff().abs() for name, start in starts.items()}
weekly = {name: change.resample("W-FRI").mean() for name, change in daily.items()}


def panel(first, last):
    """Stack the series of a period under an index (currency, date)."""
    return pd.concat({name: s.loc[first:last] for name, s in weekly.items()}, names=["currency"])


# %%
# Fit and evaluate
# ----------------
# The first level of the index names the series; no lag reaches from one into another, and each has
# a clock of its own. A network for each currency alone has three times the weights, and errs as
# much.
learn, test = panel("1999", "2021"), panel("2022", "2026")
network = NARX(output_lags=13, hidden_layer_sizes=(4,), alpha=10.0, random_state=0)
network.set_params(linear_alpha=0.0, output_range=(0, None)).fit(None, learn)
runs = {"one for all": backtest(network, None, test, steps=8)}
alone = [clone(network).fit(None, learn[[name]]) for name in weekly]
runs["one each"] = pd.concat([backtest(m, None, test[[n]], 8) for m, n in zip(alone, weekly)])
runs["persistence"] = backtest(Persistence().fit(None, learn), None, test, 8)
print("per cent a day, horizons in weeks")
print(skill_table(runs, horizons=[1, 4, 8]).round(3).to_string())

# %%
# Forecast each
# -------------
# New measurements move the state of every series; a forecast continues them all.
network.update(None, panel("2022", "2026-04"))
y_hat, ahead = network.forecast(26), panel("2026-05", "2026-10-23")
_, axes = plt.subplots(3, 1, figsize=(8, 8), layout="constrained", sharex=True)
for name, ax in zip(weekly, axes):
    past = weekly[name].loc["2025-05":"2026-04"]
    ForecastDisplay.from_predictions(
        ahead[name], y_hat[name], history=past, target=f"{name}, mean daily move", unit="%", ax=ax
    )
    ax.label_outer()
