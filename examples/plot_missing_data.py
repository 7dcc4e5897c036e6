"""
==============================
Gaps, seams and missing values
==============================

Few recordings are complete. What is left out of training, what is filled before a forecast and
what stays missing is shown on two months of solar irradiance with holes. The warnings are meant to
appear.
"""

import numpy as np

from narxkit import NARX
from narxkit.datasets import load_solar
from narxkit.plotting import ForecastDisplay

data = load_solar().loc["2017-05":"2017-06"]
X, y = data[["clear_sky"]], data["ghi"]
holes = y.copy()
holes.loc["2017-05-10 09:00":"2017-05-10 14:00"] = np.nan  # the sensor failed
dark = X.copy()
dark.loc["2017-05-20 12:00"] = np.nan
cut = data.index.normalize().isin(["2017-06-03", "2017-06-04"])  # two days nobody wrote down

# %%
# Training
# --------
# A missing output is no target, and no history for the rows whose lags reach it. A missing input
# costs the rows that read it. `n_dropped_` counts both. Rows that are not there at all make a
# seam, which the clock shows: no lag crosses it, and the rows after it are history until all lags
# have been seen again.
model = NARX(1, [1, 2, 3, 24], hidden_layer_sizes=(4,), alpha=3.0, output_range=(0, None))
model.set_params(random_state=0, max_iter=50)
training = {
    "complete": (X, y),
    "six hours without output": (X, holes),
    "one hour without input": (dark, y),
    "two days left out": (X[~cut], y[~cut]),
}
for name, (inputs, outputs) in training.items():
    model.fit(inputs[:-48], outputs[:-48])
    print(f"{name}: {model.n_dropped_} rows dropped, loss {model.loss_:.4f}")

# %%
# Forecasting
# -----------
# Outputs missing in the history are replaced by the model's own one-step predictions, and the
# forecast goes on. An input missing ahead cannot be replaced: all after it is missing too.
past, ahead = data.index[-48:-14], data.index[-14:]
known, lost = y[past].copy(), ahead[6]
known.iloc[-6:] = np.nan
model.update(X.loc[past], known)
partly = X.loc[ahead].copy()
partly.loc[lost] = np.nan
y_hat = {"forecast": model.forecast(X=X.loc[ahead]), "input lost": model.forecast(X=partly)}
ForecastDisplay.from_predictions(y[ahead], y_hat, history=known, target="irradiance", unit="W/m²")
