"""
============================
Forecasters inside of sktime
============================

SktimeForecaster gives any model here the interface of sktime: its searches and evaluations run over
narxkit's forecasts and intervals, and a horizon is what sktime means by it.
"""

import sys

from narxkit import ARX
from narxkit.datasets import load_solar

try:
    from sktime.forecasting.model_evaluation import evaluate
    from sktime.forecasting.model_selection import ForecastingGridSearchCV
    from sktime.performance_metrics.forecasting import MeanAbsoluteError
    from sktime.performance_metrics.forecasting.probabilistic import EmpiricalCoverage
    from sktime.split import ExpandingWindowSplitter

    from narxkit.sktime import SktimeForecaster
except ImportError:
    print("This example needs sktime: pip install 'narxkit[sktime]'.")
    sys.exit()

# %%
# A forecast
# ----------
# Solar irradiance of every hour, with the clear sky and the temperature known ahead. X holds all
# rows up to the last step, and those between the steps too.
data = load_solar()["2017-04":"2017-06"]
X, y = data[["clear_sky", "temp_air"]], data["ghi"]
model = SktimeForecaster(ARX(input_lags=1, output_lags=24))
model.fit(y["2017-04":"2017-05"], X)
print(model.predict(fh=[6, 12, 18], X=X).round())
print(model.predict_interval(fh=[6, 12, 18], X=X, coverage=0.8).round())

# %%
# A search
# --------
# Parameters of the model inside are named as in scikit-learn.
cv = ExpandingWindowSplitter(fh=range(1, 25), initial_window=24 * 30, step_length=24 * 7)
grid = {"forecaster__output_lags": [2, 24]}
search = ForecastingGridSearchCV(model, cv, grid, scoring=MeanAbsoluteError())
search.fit(y["2017-04":"2017-05"], X["2017-04":"2017-05"])
print(search.best_params_)

# %%
# An evaluation
# -------------
# Forecasts of June, a day each, with the state moved on and the weights kept.
cv = ExpandingWindowSplitter(fh=range(1, 25), initial_window=24 * 61, step_length=24)
scores = [MeanAbsoluteError(), EmpiricalCoverage(coverage=0.8)]
runs = evaluate(search.best_forecaster_, cv, y, X, scoring=scores, strategy="no-update_params")
print(runs.filter(like="test_").astype(float).mean().round(2).to_string())
