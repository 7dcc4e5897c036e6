"""
===================================
The euro tomorrow, or an R2 of 0.99
===================================

Dollars per euro one day ahead, learnt from 1999 to 2018 and tested since 2019. Three models and
the random walk, whose forecast is the last rate: on levels all of them look splendid.
"""

import numpy as np
import pandas as pd
from sklearn.metrics import r2_score

from narxkit import NARX, diebold_mariano, hit_rate
from narxkit.datasets import load_fx
from narxkit.plotting import ForecastDisplay

rate = load_fx()["USD"]
rate, walk, change = rate[1:], rate.shift()[1:], np.log(rate).diff()[1:]

# %%
# Fit
# ---
# On levels, on levels without the linear term, and on log returns. Beside a free linear term
# levels leave the hidden layers nothing under this penalty, as fit warns.
settings = {"output_lags": 5, "alpha": 10.0, "linear_alpha": 0.0, "random_state": 0}
level = NARX(**settings).fit(None, rate[:"2018"])
plain = NARX(**settings, linear_term=False).fit(None, rate[:"2018"])
returns = NARX(**settings).fit(None, change[:"2018"])

ahead = pd.DataFrame(
    {
        "random walk": walk,
        "levels": level.predict_ahead(None, rate),
        "levels, no linear term": plain.predict_ahead(None, rate),
        "returns": walk * np.exp(returns.predict_ahead(None, change)),
    },
    rate.index,
)

# %%
# Look
# ----
# What looks like a good forecast is the rate of the day before, one day late.
month = rate["2022-09"]
shown = {name: ahead.loc[month.index, name] for name in ahead.columns[1:3]}
ForecastDisplay.from_predictions(month, shown, target="exchange rate", unit="USD per EUR")

# %%
# Evaluate
# --------
# Next to an R2 of the random walk that rounds to 0.99 no other R2 means anything, not even that of
# a model that is worse beyond doubt. Nothing is better, and no hit rate leaves the band of chance.
test, ahead = rate["2019":], ahead["2019":]
for name, y_hat in ahead.items():
    print(f"{name}\n   R2 of the levels {r2_score(test, y_hat):.3f}")
    if name != "random walk":
        print("  ", hit_rate(change[test.index], np.log(y_hat / walk[test.index])))
        print("  ", diebold_mariano(y_hat - test, ahead["random walk"] - test))
