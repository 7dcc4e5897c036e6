"""Intervals: how often they hold what comes, how wide they are, and their scores.

Three systems are simulated, of which the law of what comes is known: an autoregression, a GARCH
process and a nonlinear system with an input. Of each, so many records of 2,000 rows are learned;
from each of 20 origins behind the last row 50 continuations are drawn, 1,000 for each fit, with the
rows between the origins given to ``update``. A coverage is met within 2 points.

The real series are learned as their protocols say (S0, W1, T1) and tested from every origin of
the test period; the CRPS is that of the levels 10, 20, ... 90. By night the irradiance is never in
doubt, and all intervals hold it: S0 counts the hours with a clear sky above 0. Of the hourly series
of M4 each is forecast once. Here a coverage is met within 4 points, of M4 in the mean over the
horizons.

Beside them stand the intervals that MAPIE gives to the same forecasts, and those of skforecast for
the linear model of the same lags, both from the errors on the last third of the training rows.
"""

import time
import warnings
from importlib.util import find_spec
from typing import NamedTuple

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from rich.table import Table
from sklearn.base import BaseEstimator, RegressorMixin

from narxkit import ARX, NARX, backtest, coverage, interval_score, skill_table
from narxkit.evaluation import TASKS
from narxkit.model_selection import interval_scores

from .defaults import accuracy, written

N_ROWS, N_BEFORE = 2000, 200  # of a record, and rows that it forgets its start in
N_FITS, N_ORIGINS, N_FUTURES, BETWEEN = 40, 20, 50, 25
LEVELS, STEPS = (80, 95), 24
FINE = (*range(10, 100, 10), 95)
HORIZONS = 1, 6, 24
N_JOBS = 2
N_PEER_ORIGINS, N_BOOT = 200, 250
SEASON, AHEAD = 24, 48  # of the hourly series of M4
SIMULATED, REAL = 2.0, 4.0  # points that a coverage may stray


# ---------------------------------------------------------------- simulated systems
class System(NamedTuple):
    """A system, step by step: ``step(state, u, e)`` gives the next output and state."""

    step: object
    state: tuple
    has_input: bool = False


def autoregression(state, u, e):
    y = 0.8 * state[0] + e
    return y, (y,)


def garch(state, u, e):
    variance = 0.05 + 0.1 * state[0] ** 2 + 0.85 * state[1]
    y = np.sqrt(variance) * e
    return y, (y, variance)


def narx(state, u, e):
    y = 0.6 * np.sin(1.5 * state[0]) - 0.3 * state[1] + 0.5 * u + 0.4 * state[0] * u + 0.2 * e
    return y, (y, state[0])


SYSTEMS = {
    "AR(1)": System(autoregression, (0.0,)),
    "GARCH(1,1)": System(garch, (0.0, 1.0)),
    "NARX": System(narx, (0.0, 0.0), has_input=True),
}
MODELS = {
    "AR(1)": {"ARX": lambda: ARX(output_lags=1), "NARX": lambda: NARX(random_state=0)},
    "GARCH(1,1)": {"ARX": lambda: ARX(output_lags=1)},
    "NARX": {
        "ARX": lambda: ARX(input_lags=1),
        "NARX": lambda: NARX(input_lags=1, random_state=0),
    },
}


def record(system, n, rng):
    """Return inputs or None, outputs, and the state after each row."""
    total = n + N_BEFORE
    u, e = rng.uniform(-1, 1, size=total), rng.normal(size=total)
    state, y, states = system.state, np.empty(total), []
    for t in range(total):
        y[t], state = system.step(state, u[t], e[t])
        states.append(state)
    X = u[N_BEFORE:, None] if system.has_input else None
    return X, y[N_BEFORE:], states[N_BEFORE:]


def futures(system, state, u, rng):
    """Return continuations (N_FUTURES, steps) from a state."""
    state = tuple(np.full(N_FUTURES, part) for part in state)
    paths = np.empty((N_FUTURES, len(u)))
    for k in range(len(u)):
        paths[:, k], state = system.step(state, u[k], rng.normal(size=N_FUTURES))
    return paths


def simulated_fit(name, make, seed):
    """Fit one record; return what its intervals hold of what may come: a frame like a backtest."""
    rng, system = np.random.default_rng(seed), SYSTEMS[name]
    X, y, states = record(system, N_ROWS + N_ORIGINS * BETWEEN + STEPS, rng)
    model, runs = make(), []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(None if X is None else X[:N_ROWS], y[:N_ROWS])
        for at in range(N_ROWS, N_ROWS + N_ORIGINS * BETWEEN, BETWEEN):
            inputs = None if X is None else X[at : at + STEPS]
            fan = model.forecast(STEPS, X=inputs, level=LEVELS)
            u = np.zeros(STEPS) if X is None else inputs[:, 0]
            paths = futures(system, states[at - 1], u, rng)
            runs.append(as_backtest(fan, paths))
            rows = slice(at, at + BETWEEN)
            model.update(None if X is None else X[rows], y[rows])
    return pd.concat(runs, ignore_index=True)


def as_backtest(fan, paths):
    """Put the intervals of one forecast beside each of several futures."""
    n, steps = paths.shape
    runs = pd.DataFrame({"horizon": np.tile(np.arange(1, steps + 1), n), "y": paths.ravel()})
    for i, name in enumerate(fan):
        column = "y_hat" if not i else f"y_hat-{name.split('-', 1)[1]}"
        runs[column] = np.tile(fan[name].to_numpy(), n)
    return runs


def simulated_rows(name, label, make, n_fits):
    """Coverage of all fits together, and how much it differs from fit to fit."""
    fits = Parallel(n_jobs=N_JOBS)(
        delayed(simulated_fit)(name, make, seed) for seed in range(n_fits)
    )
    shares = np.stack([coverage(runs).to_numpy() for runs in fits])
    error = pd.DataFrame(
        shares.std(axis=0, ddof=1) / np.sqrt(n_fits), fits[0]["horizon"].unique(), LEVELS
    )
    runs = pd.concat(fits, ignore_index=True)
    return scored(name, label, runs, SIMULATED, error=error)


# ---------------------------------------------------------------- scores as rows of the file
def scored(name, label, runs, within, unit="", error=None, crps="", seconds=""):
    """One row of the file for each level and horizon, and for the mean over the horizons."""
    held, scores = coverage(runs), interval_score(runs)
    width = interval_scores.by_horizon(runs, lambda y, low, high, level: high - low)
    rows = []
    for level in LEVELS:
        for h in (*[h for h in HORIZONS if h in held.index], "mean"):
            share, score, wide = (
                table[level].mean() if h == "mean" else table.loc[h, level]
                for table in (held, scores, width)
            )
            # of M4 the horizons are not asked for one by one
            judged = within is not None and (h != "mean") == (name != "M4 hourly")
            rows.append(
                {
                    "set": name,
                    "model": label,
                    "unit": unit,
                    "level": level,
                    "horizon": h,
                    "coverage": f"{share:.1f}",
                    "standard_error": "" if error is None or h == "mean"
                    else f"{error.loc[h, level]:.1f}",
                    "width": written(wide),
                    "score": written(score),
                    "crps": crps if h == "mean" and level == LEVELS[0] else "",
                    "seconds": seconds if h == "mean" and level == LEVELS[0] else "",
                    "target": f"{level} +- {within:g}" if judged else "",
                    "met": ("yes" if abs(share - level) <= within else "no") if judged else "",
                }
            )  # fmt: skip
    return rows


# ---------------------------------------------------------------- real series
def real_rows(name, quick):
    """A network and the linear model of the protocol, over its test period."""
    task = TASKS[name]
    data = task.read()
    fitting, test = (data.loc[slice(*period)] for period in (task.fitting, task.test))
    made = task.models(("narx",), 0)
    for kind in ("ridge ARX",) if quick else ("ridge ARX", "NARX"):
        model = made[kind]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(inputs_of(task, fitting), fitting[task.target])
            start = time.process_time()
            runs = backtest(
                model, inputs_of(task, test), test[task.target], STEPS,
                task.origins(test), level=FINE,
            )  # fmt: skip
            seconds = time.process_time() - start
        runs = in_doubt(task, data, runs)
        crps = skill_table({kind: runs}, horizons=[1])["CRPS"].item()
        shown = written(crps), f"{seconds:.1f}"
        yield from scored(task.protocol, kind, runs, REAL, task.unit, None, *shown)
        if kind == "ridge ARX":
            yield from peer_rows(task, data, fitting, test, model, runs)


def inputs_of(task, rows):
    return rows[task.features] if task.features else None


def in_doubt(task, data, runs):
    """Leave out hours of the night, in which no forecast errs."""
    if task.protocol != "S0":
        return runs
    rows = data.index.get_indexer(runs["origin"]) + runs["horizon"].to_numpy()
    return runs[data["clear_sky"].to_numpy()[rows] > 0]


def hourly_rows(quick):
    """Each hourly series of M4, forecast once, by the linear model of a week."""
    runs = [
        delayed(hourly_run)(series)
        for _, series in accuracy.read("m4_hourly.csv.gz").groupby("unique_id", sort=False)
    ]
    runs = pd.concat(Parallel(n_jobs=N_JOBS)(runs[:: 20 if quick else 1]), ignore_index=True)
    return scored("M4 hourly", "ARX", runs, REAL)


def hourly_run(series):
    """The intervals of one series, in units of its seasonal differences."""
    y, future = (
        series["y"][series["split"] == part].to_numpy(dtype=float) for part in ("train", "test")
    )
    unit = np.mean(np.abs(y[SEASON:] - y[:-SEASON]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = ARX(output_lags=[*range(1, 25), 168]).fit(None, y / unit)
        return as_backtest(model.forecast(len(future), level=LEVELS), future[None] / unit)


# ---------------------------------------------------------------- peers
class AsGiven(RegressorMixin, BaseEstimator):
    """A forecast that is a column already, as MAPIE asks for a model."""

    def fit(self, X, y):
        self.fitted_ = True
        return self

    def predict(self, X):
        return np.asarray(X)[:, 0]


def peer_rows(task, data, fitting, test, model, runs):
    """Intervals of other packages, from the errors on the last third of the fitting period."""
    n = 2 * len(fitting) // 3
    head = type(model)(**model.get_params()).fit(
        inputs_of(task, fitting.iloc[:n]), fitting[task.target].iloc[:n]
    )
    late = fitting.iloc[n - head.max_lag_ :]
    known = backtest(head, inputs_of(task, late), late[task.target], STEPS)
    known = in_doubt(task, data, known)
    if find_spec("mapie"):
        yield from scored(task.protocol, "MAPIE, split conformal", mapie(known, runs), None)
    if find_spec("skforecast") and not task.input_lags:
        for method in ("bootstrapping", "conformal"):
            found = skforecast(task, fitting[task.target], test[task.target], model, method)
            yield from scored(task.protocol, f"skforecast, {method}", found, None)


def mapie(known, runs):
    """Split conformal intervals around the same forecasts, horizon by horizon."""
    from mapie.regression import SplitConformalRegressor

    parts = []
    for h, part in runs.groupby("horizon"):
        past = known[known["horizon"] == h].dropna()
        levels = [level / 100 for level in LEVELS]
        conformal = SplitConformalRegressor(
            AsGiven().fit(None, None), confidence_level=levels, prefit=True
        )
        conformal.conformalize(past[["y_hat"]].to_numpy(), past["y"].to_numpy())
        there = part.dropna(subset=["y_hat"])
        _, ends = conformal.predict_interval(there[["y_hat"]].to_numpy())
        found = there[["horizon", "y", "y_hat"]].copy()
        for i, level in enumerate(LEVELS):
            found[[f"y_hat-lo-{level}", f"y_hat-hi-{level}"]] = ends[:, :, i]
        parts.append(found)
    return pd.concat(parts, ignore_index=True)


def skforecast(task, y, future, model, method):
    """Intervals of the linear model of the same lags, from some origins of the test period."""
    from skforecast.recursive import ForecasterRecursive
    from sklearn.linear_model import Ridge

    lags, n = task.output_lags, 2 * len(y) // 3
    whole = pd.concat([y, future]).reset_index(drop=True).interpolate().to_numpy()
    forecaster = ForecasterRecursive(Ridge(model.alpha_), lags=lags)
    # errors of a fit to the head, on the rows behind it; then the fit to all rows
    forecaster.fit(pd.Series(whole[:n]))
    late = np.column_stack([whole[n - k : len(y) - k] for k in range(1, lags + 1)])
    residuals = whole[n : len(y)], forecaster.estimator.predict(late)
    forecaster.fit(pd.Series(whole[: len(y)]), store_in_sample_residuals=True)
    forecaster.set_out_sample_residuals(*residuals)
    first = np.linspace(len(y), len(whole) - STEPS, N_PEER_ORIGINS).astype(int)
    runs = []
    for at in first:
        fan = None
        for level in LEVELS:
            window = pd.Series(whole[at - lags : at], range(at - lags, at))
            ends = forecaster.predict_interval(
                steps=STEPS, last_window=window, method=method, n_boot=N_BOOT,
                interval=[0.5 - level / 200, 0.5 + level / 200], use_in_sample_residuals=False,
            ).reset_index(drop=True)  # fmt: skip
            ends.columns = ["y", f"y-lo-{level}", f"y-hi-{level}"]
            fan = ends if fan is None else fan.join(ends.iloc[:, 1:])
        runs.append(as_backtest(fan, whole[None, at : at + STEPS]))
    return pd.concat(runs, ignore_index=True)


# ---------------------------------------------------------------- the suite
class IntervalSuite:
    """Coverage, widths and scores, with the verbs of `report.Suite`."""

    title = "Intervals: coverage, width and score"
    packages = ("mapie", "skforecast")

    def rows(self, quick, announce):
        """One dict per set, model, level and horizon; a quick run has fewer fits and series."""
        for name, models in MODELS.items():
            for label, make in models.items():
                announce(f"{name} by {label}")
                yield from simulated_rows(name, label, make, 4 if quick else N_FITS)
        for name in ("solar", "wind", "turbine"):
            announce(name)
            yield from real_rows(name, quick)
        announce("M4 hourly")
        try:
            yield from hourly_rows(quick)
        except FileNotFoundError:
            return

    def table(self, rows):
        """One line per set, model and level: coverage at the horizons, and means over all."""
        table = Table("set", "model", "level", title=self.title)
        for heading in ("coverage h=1", "h=6", "h=24", "mean", "width", "score", "CRPS", "met"):
            table.add_column(heading, justify="right")
        groups = {}
        for row in rows:
            groups.setdefault((row["set"], row["model"], row["level"]), []).append(row)
        for (name, model, level), group in groups.items():
            by_horizon = {row["horizon"]: row for row in group}
            cells = [by_horizon[h]["coverage"] if h in by_horizon else "" for h in HORIZONS]
            mean = by_horizon["mean"]
            met = {row["met"] for row in group} - {""}
            sentence = "" if not met else "no" if "no" in met else "yes"
            plain = (mean[key] for key in ("coverage", "width", "score", "crps"))
            table.add_row(name, model, str(level), *cells, *map(str, plain), sentence)
        return table


SUITE = IntervalSuite()
