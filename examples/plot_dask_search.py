"""
=============================
A search on a cluster of dask
=============================

GeneticSearchCV fits by joblib, whose backends reach from threads to clusters. Here dask runs the
fits on a local cluster; with the address of a scheduler the same lines run on many machines.
"""

import sys
import tempfile
from pathlib import Path

from joblib import parallel_config
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from narxkit import Continuous, GeneticSearchCV

try:
    from dask.distributed import Client, LocalCluster
except ImportError:
    print("This example needs dask: pip install 'dask[distributed]'.")
    sys.exit()

# %%
# The search
# ----------
# Any estimator of scikit-learn can be searched. The checkpoint lies where the search runs, not
# where the fits do: after a kill the same call goes on from there.
X, y = load_diabetes(return_X_y=True)
checkpoint = Path(tempfile.mkdtemp()) / "search.json"
search = GeneticSearchCV(
    make_pipeline(StandardScaler(), Ridge()),
    {"ridge__alpha": Continuous(1e-3, 1e3, distribution="log-uniform")},
    population_size=8,
    generations=3,
    checkpoint=checkpoint,
    random_state=0,
)

# %%
# The cluster
# -----------
# Workers are threads of this process here, to begin at once; ``processes=True`` starts others.
with LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None) as it:
    with Client(it), parallel_config("dask"):
        search.fit(X, y)
print(f"{len(search.cv_results_['params'])} configurations, best: {search.best_params_}")

# %%
# The same without it
# -------------------
# What is evaluated, and how it is scored, depends on `random_state` alone.
alone = search.set_params(checkpoint=None).fit(X, y)
print(f"on one core: {alone.best_params_}")
