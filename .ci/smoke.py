"""A short forecast from an installed narxkit."""

from pathlib import Path

import numpy as np

import narxkit
from narxkit.datasets import load_solar

data = load_solar().iloc[: 24 * 30]
X, y = data[["clear_sky", "temp_air"]], data["ghi"]
model = narxkit.NARX(input_lags=1, output_lags=24, max_iter=10, random_state=0)
forecast = model.fit(X[:-24], y[:-24]).forecast(X=X[-24:])

assert np.isfinite(forecast).all() and forecast.index.equals(y.index[-24:])
print(f"narxkit {narxkit.__version__} in {Path(narxkit.__file__).parent}")
print(forecast.round(0).to_string())
