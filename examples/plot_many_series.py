"""
===========
Many series
===========

A long frame of shops goes through one model for all, each shop scaled by itself, and through a
model for each, fitted on a local cluster of dask where that is installed.
"""

import warnings
from contextlib import ExitStack

import numpy as np
import pandas as pd
from joblib import parallel_config

from narxkit import ARX, PerSeries, ScaledPerSeries, SeasonalNaive, backtest, from_long, skill_table

# %%
# A long frame
# ------------
# One row for each shop and day: shops of all sizes share their week, and one has just opened.
rng, days, parts = np.random.default_rng(0), pd.date_range("2024-01-01", periods=180), []
week = np.array([1.0, 0.9, 0.9, 1.0, 1.3, 1.6, 0.4])[days.day_of_week]
for i in range(12):
    noise = pd.Series(0.1 * rng.normal(size=180)).ewm(alpha=0.4, adjust=False).mean()
    sold = 10 ** rng.uniform(1, 4) * week * np.exp(2 * noise)
    parts.append(pd.DataFrame({"unique_id": f"shop {i}", "ds": days, "y": sold}))
X, y = from_long(pd.concat([*parts, parts[0].tail(5).assign(unique_id="new shop")]))

# %%
# One for all, or one each
# ------------------------
# Every four weeks the models learn again from all days so far.
old = y.drop("new shop")
models = {
    "one for all": ScaledPerSeries(ARX(output_lags=14)),
    "one each": PerSeries(ARX(output_lags=14)),
    "naive": PerSeries(SeasonalNaive(period=7)),
}
runs = {name: backtest(model, X, old, steps=7, refit=28) for name, model in models.items()}
print(skill_table(runs, horizons=[1, 7]).round(2).to_string())

# %%
# On a cluster
# ------------
# The same lines run on many machines with the address of a scheduler; ``n_jobs=2`` takes processes.
# A shop that cannot be fitted costs only itself, and the forecast is a long frame again.
with ExitStack() as stack, warnings.catch_warnings(action="ignore"):
    try:
        from dask.distributed import Client, LocalCluster

        cluster = LocalCluster(n_workers=2, processes=False, dashboard_address=None)
        stack.enter_context(Client(stack.enter_context(cluster)))
        stack.enter_context(parallel_config("dask"))
    except ImportError:
        print("Without dask (pip install 'dask[distributed]') the fits run here.")
    model = PerSeries(ARX(output_lags=14)).fit(X, y)
print(f"{model.failed_}\n{model.forecast(14).reset_index().tail(2)}")
