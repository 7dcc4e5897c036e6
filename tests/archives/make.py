"""Write the models of this version that later ones must load: ``python tests/archives/make.py``.

Once a version is released its files stay as they are; a new format gets files beside them.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd

import narxkit
from narxkit.export.archive import VERSION

HERE = Path(__file__).parent
STEPS = 6
QUICK = {"max_iter": 20, "hidden_layer_sizes": (2,), "random_state": 0}


def series(**options):
    index = pd.date_range("2024-03-25", periods=150, name="time", **options)
    rng = np.random.default_rng(0)
    y = 3 + np.sin(np.arange(150) / 4) + 0.1 * rng.normal(size=150)
    return pd.Series(y, index=index, name="load")


def models():
    hours, days = series(freq="h", tz="Europe/Berlin"), series(freq="B")
    narx = narxkit.NARX(calendar=["hour", "weekend"], loop=4, n_restarts=2, combine="mean", **QUICK)
    yield "narx", narx.fit(None, hours)
    yield "lstm", narxkit.LSTMRegressor(window=4, solver="adam", **QUICK).fit(None, days)
    transformed = narxkit.TransformedForecaster(narxkit.ARX(), "boxcox", [1])
    yield "transformed", transformed.fit(None, pd.concat({"p": days, "q": 2 * days}))
    yield "climatology", narxkit.Climatology(by=("hour",)).fit(None, hours)


def main():
    for name, model in models():
        path = HERE / f"format{VERSION}-{name}.narx"
        model.save(path)
        expected = {"model": type(model).__name__, "y_hat": model.forecast(STEPS).tolist()}
        path.with_suffix(".json").write_text(json.dumps(expected) + "\n")


if __name__ == "__main__":
    main()
