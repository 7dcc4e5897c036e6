"""
=====================================
How large a network? An evolved front
=====================================

GeneticSearchCV evolves whole configurations of a NARX: sets of lags, the size of the hidden layer
and the penalty. It is asked for two things at once: small errors of wind speed over the next eight
hours, and few parameters.
"""

import warnings

from narxkit import NARX, Continuous, GeneticSearchCV, Integer, RollingOrigin, Subset, ahead_scorer
from narxkit.datasets import load_wind
from narxkit.plotting import ParetoDisplay

data = load_wind()
X, y = data[["temp_air"]], data["wind_speed"]
learn = slice("2017-01", "2017-03")

# %%
# The space
# ---------
# A subset is a bit for each candidate, so that any set of lags can be crossed with any other;
# penalties are drawn by their logarithm.
space = {
    "output_lags": Subset([1, 2, 3, 6, 12, 23, 24, 25], min=1),
    "input_lags": {"temp_air": Subset([0, 1, 3, 24])},
    "hidden_layer_sizes": Integer(2, 12),
    "alpha": Continuous(1e-4, 100, distribution="log-uniform"),
}

# %%
# The search
# ----------
# Folds follow in time, and forecasts from every hour of each are scored. A run that is killed goes
# on, with ``checkpoint="wind.json"``, and ends as it would have. Candidates that are unstable warn
# of it; here their scores tell.
warnings.simplefilter("ignore")
search = GeneticSearchCV(
    NARX(max_iter=15, random_state=0),
    space,
    scoring=ahead_scorer(steps=8),
    cv=RollingOrigin(2, test_size=20 * 24),
    population_size=12,
    generations=4,
    objectives=("score", "n_params_"),
    random_state=0,
)
search.fit(X.loc[learn], y.loc[learn])
print(search.logbook_.round(3))

# %%
# The front
# ---------
# No configuration that was tried has both a smaller error and fewer parameters than one of these.
print(search.pareto_front_[["n_params_", "score"]].round(3))
print("best:", search.best_params_)
ParetoDisplay.from_estimator(search, unit="m/s")
