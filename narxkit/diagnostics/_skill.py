"""Errors by horizon, of a model and of naive forecasts of the same rows."""

import numpy as np
import pandas as pd

from narxkit.diagnostics._series import is_int


def skill_by_horizon(model, X, y, segments, parts, horizons, season):
    """Root mean squared errors by horizon, over rows that all forecasts reach."""
    if season is not None and not is_int(season):
        raise ValueError(f"season must be None or an int >= 1, in rows. Got {season!r} instead.")
    with_labels = {} if segments is None else {"segments": segments}
    ahead = np.asarray(model.predict_ahead(X, y, steps=horizons, **with_labels), dtype=float)
    measured = y.groupby(parts)
    lines = {}
    for h, y_hat in zip(horizons, ahead.reshape(len(y), -1).T):
        forecasts = {"model": y_hat, "persistence": measured.shift(h)}
        if season is not None:
            forecasts["seasonal naive"] = measured.shift(season * -(-h // season))
        errors = pd.DataFrame(forecasts, index=y.index).sub(y, axis=0).dropna()
        if len(errors):
            lines[h] = {"rows": len(errors)} | np.sqrt((errors**2).mean()).to_dict()
    frame = pd.DataFrame.from_dict(lines, orient="index")
    return frame.rename_axis(index="horizon") if len(frame) else None


def read_horizons(horizons):
    steps = range(1, horizons + 1) if is_int(horizons) else horizons
    if not np.iterable(steps) or not len(steps) or not all(map(is_int, steps)):
        raise ValueError(
            f"horizons must be an int >= 1 or a sequence of them. Got {horizons!r} instead."
        )
    return sorted(set(steps))
