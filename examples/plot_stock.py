"""
=======================================
A stock index and the markets before it
=======================================

Does yesterday in seven other markets tell anything about today in Istanbul? Daily returns of 2009
to July 2010 are learnt, the half year after is forecast one day ahead. The forecast to beat is a
return of zero.
"""

import matplotlib.pyplot as plt
import pandas as pd

from narxkit import ARX, NARX, diebold_mariano, hit_rate
from narxkit.datasets import load_stock

data = 100 * load_stock()  # returns in per cent
index, others = "ISE_TL", ["SP", "DAX", "FTSE", "NIKKEI", "BOVESPA", "EU", "EM"]
test = data.loc["2010-08":, index]

# %%
# Fit
# ---
# Lag 1 only: on the same date New York and Sao Paulo close after Istanbul. Of the penalties 1, 10,
# 100 and 1000, the last three did equally well on the four months before August 2010: they leave of
# the network its linear term, as fit warns. 1e-4 is far too weak for 400 days of returns.
models = {
    "NARX, alpha=10": NARX([1], 1, alpha=10.0, linear_alpha=0.0, random_state=0),
    "NARX, alpha=1e-4": NARX([1], 1, alpha=1e-4, linear_alpha=0.0, random_state=0),
    "ridge ARX": ARX([1], 1),
}
learn = data.loc[:"2010-07"]
y_hat = {}
for name, model in models.items():
    model.fit(learn[others], learn[index])
    ahead = pd.Series(model.predict_ahead(data[others], data[index]), data.index)
    y_hat[name] = ahead.loc[test.index]

# %%
# Evaluate
# --------
# A rising market is right about the sign more often than not by always saying "up": that is chance
# here. The linear forecasts know more signs than a coin, and the ridge more than "up". By squared
# errors nothing here beats a return of zero, the random walk, by more than luck would. And whoever
# trades in the morning is too late, for Istanbul opens at a price that has seen New York.
up = (learn[index] > 0).mean()
for name, forecast in y_hat.items():
    print(name)
    print("   against a coin:   ", hit_rate(test, forecast))
    print("   against always up:", hit_rate(test, forecast, chance=up))
    print("   against zero:     ", diebold_mariano(forecast - test, -test))

saved = pd.DataFrame({name: test**2 - (f - test) ** 2 for name, f in y_hat.items()}).cumsum()
_, ax = plt.subplots(figsize=(8, 4), layout="constrained")
ax.plot(saved, label=saved.columns)
ax.axhline(0, color="grey", lw=0.8)
ax.set_title("squared error saved against a return of zero, summed, in squared per cent")
ax.legend()
