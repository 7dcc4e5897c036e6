"""
==============================
What is there to be forecast?
==============================

Sun, wind, a stock index and the dollar price of the euro, before any model is fitted: what a season
explains, what memory is left, and a verdict. Returns of markets come out close to random.
"""

import matplotlib.pyplot as plt
import numpy as np

from narxkit.datasets import load_fx, load_solar, load_stock, load_wind
from narxkit.diagnostics import rolling_hurst, stochasticity

returns = np.log(load_fx()["USD"]).diff().iloc[1:]
series = {
    "solar irradiance": load_solar()["ghi"].loc["2023-05":"2023-08"],
    "wind speed": load_wind()["wind_speed"].loc["2023-05":"2023-08"],
    "stock returns": load_stock()["ISE_TL"],
    "euro returns": returns.iloc[-3000:],
}

# %%
# Evaluate
# --------
# Each verdict is a sentence with the numbers that it rests on. The season is taken away first: H is
# that of what is left.
reports = {name: stochasticity(y) for name, y in series.items()}
for name, report in reports.items():
    print(f"{name}\n   {report.sentence}")

# %%
# Compare
# -------
# Sun and wind keep a memory beside their season. The intervals of the returns hold 1/2, where
# the past tells nothing of the direction of what comes.
_, ax = plt.subplots(figsize=(7, 2.8), layout="constrained")
for row, report in enumerate(reports.values()):
    low, high = report.hurst.confidence_interval
    ax.plot([low, high], [row, row], color="#0072b2", lw=2)
    ax.plot(report.hurst.estimate, row, "o", color="#0072b2")
ax.axvline(0.5, color="#767676", ls=":")
ax.set_yticks(range(4), [f"{name}:\n{report.verdict}" for name, report in reports.items()])
ax.set(xlabel="Hurst exponent with its 95 % interval, 1/2: no memory", ylim=(3.5, -0.5))

# %%
# Has it ever been otherwise?
# ---------------------------
# Windows of two years of daily returns of the euro. A band of 95 % leaves 1/2 now and then by
# chance alone.
rolling = rolling_hurst(returns, window=500, step=50)
print(rolling.sentence)
rolling.plot()
