"""What the defaults of NARX are worth: they alone, side by side with others, ten seeds each.

Every set is learned by

- "now": the lags of the set, and nothing else;
- "before": the same with the former default of the penalty, 1e-4 (stages of training as now);
- "br": the same with Bayesian regularisation, where it is not too slow;
- "linear": the same without hidden layers, which no seed changes;
- "ridge ARX": ridge regression on the same lags, where a set names one.

The sets are the monthly series of M3 and the hourly ones of M4 (MASE of one forecast over the test
rows, from lags of one season), simulated plants in free run, and series in free run or from a
rolling origin.

The error of a seed is the mean over the series of a set. Forecasts that are not finite are counted,
and left out of that mean; where none is finite, the error is infinite. Seconds are those of the
processor for a fit in one thread; settings take turns, series by series.
"""

import time
import warnings
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.util import module_from_spec, spec_from_file_location
from typing import NamedTuple

import numpy as np
from rich.table import Table
from sklearn.base import BaseEstimator, clone

from narxkit import ARX, NARX, backtest
from narxkit.evaluation import TASKS

from . import accuracy
from .accuracy import FOLDER, WASHOUT, free_run_error, rms
from .report import short

SYSTEMS = FOLDER.parents[1] / "protocol" / "plants.py"
SEEDS = range(10)
QUICK_SEEDS, QUICK_SERIES = 2, 20  # two seeds, every 20th series
RIDGE = "ridge ARX"
SETTINGS = {
    "now": {},
    "before": {"alpha": 1e-4, "linear_alpha": 0.0},
    "br": {"solver": "br"},
    "linear": {"hidden_layer_sizes": ()},
}
WITHOUT_BR = tuple(name for name in SETTINGS if name != "br")
UNSEEDED = ("linear", RIDGE)
WORST_MASE = 30.0  # of any series and seed
COLUMNS = (
    "set",
    "test",
    "unit",
    "setting",
    "series",
    "seeds",
    "error",
    "min",
    "max",
    "errors",
    "ratio_to_linear",
    "worst",
    "not_finite",
    "network_lives",
    "fit_s",
    "fit_ratio",
    "target",
    "met",
)
HEADINGS = (
    "error (min to max)",
    "to linear",
    "worst",
    "not finite",
    "lives",
    "fit s",
    "x before",
    "target",
    "met",
)


@dataclass(frozen=True, eq=False)
class Problem:
    """A record to learn, and how it is judged.

    Parameters
    ----------
    fitting : tuple (X, y)
        Training rows.
    tests : dict of callable
        ``test(model)`` gives an error, infinite where the model diverges.
    parameters : dict
        Of `NARX`, beside a setting.
    ridge : ARX, default=None
        To compare with, not fitted.
    """

    fitting: tuple
    tests: dict
    parameters: dict
    ridge: BaseEstimator | None = None

    def model(self, setting, seed):
        """The model of a setting, not fitted."""
        if setting == RIDGE:
            return clone(self.ridge)
        return NARX(random_state=seed, **self.parameters, **SETTINGS[setting])

    def trial(self, setting, seed):
        """Fit, with all warnings silenced, and test."""
        model = self.model(setting, seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            start = time.process_time()
            model.fit(*self.fitting)
            seconds = time.process_time() - start
            errors = {name: test(model) for name, test in self.tests.items()}
        return Trial(errors, seconds, lives(model))


class Trial(NamedTuple):
    """Errors by test, seconds of the fit, and whether a network lives in it, None if unknown."""

    errors: dict
    seconds: float
    lives: bool | None


def lives(model):
    """Whether anything passes the hidden layers, as far as the model says so."""
    is_linear = getattr(model, "is_linear_", None)
    return None if is_linear is None else not is_linear


@dataclass(frozen=True, eq=False)
class Set:
    """Problems that are summarised together.

    Parameters
    ----------
    name, unit : str
    problems : list of Problem
        All with the same tests.
    limits : dict of dict
        By test, the largest value of each figure: the target of a network.
    centre : callable, default=np.median
        Of the errors of the seeds.
    settings : sequence of str
        What learns them.
    """

    name: str
    unit: str
    problems: list
    limits: dict = field(default_factory=dict)
    centre: callable = np.median
    settings: tuple = tuple(SETTINGS)

    @property
    def contestants(self):
        """The settings, and the ridge where there is one."""
        return (*self.settings, *[RIDGE] * (self.problems[0].ridge is not None))

    def trials(self, seeds, announce):
        """By setting, a list for each seed of the trials of all problems."""
        trials = {name: [] for name in self.contestants}
        for seed in seeds:
            turns = [name for name in trials if name not in UNSEEDED or seed == seeds[0]]
            for name in turns:
                trials[name].append([])
            for i, problem in enumerate(self.problems, 1):
                announce(f"{self.name}, seed {seed}, series {i} of {len(self.problems)}")
                for name in turns:
                    trials[name][-1].append(problem.trial(name, seed))
        return trials

    def rows(self, quick, announce):
        """One dict per test and setting."""
        trials = self.trials(SEEDS[: QUICK_SEEDS if quick else None], announce)
        for test in self.problems[0].tests:
            figures = {name: summary(rounds, test, self.centre) for name, rounds in trials.items()}
            for name in figures:
                yield self.row(test, name, figures)

    def row(self, test, setting, figures):
        """Figures of a setting, beside those of others, as a row of the file."""
        own = dict(figures[setting])
        for ratio, figure, base in (
            ("ratio_to_linear", "error", "linear"),
            ("fit_ratio", "fit_s", "before"),
        ):
            with np.errstate(invalid="ignore"):  # both may be infinite
                own[ratio] = np.divide(own[figure], figures[base][figure])
        limits = {} if setting in UNSEEDED else self.limits.get(test, {})
        is_met = all(own[name] <= limit for name, limit in limits.items())
        label = {"set": self.name, "test": test, "unit": self.unit, "setting": setting}
        cells = label | {name: written(value) for name, value in own.items()}
        cells["target"] = ", ".join(f"{name} <= {limit:g}" for name, limit in limits.items())
        cells["met"] = ("yes" if is_met else "no") if limits else ""
        return {name: cells[name] for name in COLUMNS}


def summary(rounds, test, centre):
    """Some numbers on the trials of all problems, seed by seed."""
    errors = np.array([[trial.errors[test] for trial in one] for one in rounds])
    seconds = np.array([[trial.seconds for trial in one] for one in rounds])
    alive = [trial.lives for one in rounds for trial in one]
    by_seed = [mean_of_finite(one) for one in errors]
    return {
        "series": errors.shape[1],
        "seeds": errors.shape[0],
        "error": centre(by_seed),
        "min": min(by_seed),
        "max": max(by_seed),
        "errors": by_seed,
        "worst": max(errors[np.isfinite(errors)], default=np.inf),
        "not_finite": np.count_nonzero(~np.isfinite(errors)),
        "network_lives": None if None in alive else np.mean(alive),
        "fit_s": np.median(seconds.mean(axis=1)),
    }


def mean_of_finite(errors):
    """Infinite where none is finite."""
    finite = errors[np.isfinite(errors)]
    return finite.mean() if len(finite) else np.inf


def written(value):
    """Numbers as a cell: four digits, nothing for what is not known."""
    if value is None or np.isnan(value).any():
        return ""
    return " ".join(f"{number:.4g}" for number in np.atleast_1d(value))


class DefaultsSuite:
    """Sets, one after another, with the verbs of `report.Suite`.

    Parameters
    ----------
    title : str
        Heading of the table.
    makers : dict of callable
        ``makers[name]()`` gives a `Set`; FileNotFoundError says that its file is not here.
    """

    packages = ()

    def __init__(self, title, makers):
        self.title = title
        self.makers = makers

    def rows(self, quick, announce):
        """One dict per set, test and setting; without figures where a file is missing."""
        for name, make in self.makers.items():
            try:
                made = make()
            except FileNotFoundError as missing:
                yield dict.fromkeys(COLUMNS, "") | {"set": name, "met": f"needs {missing}"}
                continue
            if quick:
                made = replace(made, problems=made.problems[::QUICK_SERIES])
            yield from made.rows(quick, announce)

    def table(self, rows):
        """One line per set, test and setting."""
        table = Table("set", "test", "setting", title=self.title)
        for heading in HEADINGS:
            table.add_column(heading, justify="right")
        for row in rows:
            table.add_row(*cells(row))
        return table


def cells(row):
    """A row of the file as a line of the table."""
    label = row["set"], row["test"], row["setting"]
    if not row["error"]:
        return *label, *[""] * (len(HEADINGS) - 1), row["met"]
    error = " ".join(filter(None, (row["error"], row["unit"])))
    if row["min"] != row["max"]:
        error += f" ({row['min']} to {row['max']})"
    plain = ("ratio_to_linear", "worst", "not_finite", "network_lives")
    seconds = (row[name] and short(row[name]) for name in ("fit_s", "fit_ratio"))
    return *label, error, *(row[name] for name in plain), *seconds, row["target"], row["met"]


# ---------------------------------------------------------------- competitions
def competition(name, file, season, ratio):
    """All series of a file, one forecast each over the rows that it keeps for the test."""
    problems = []
    for _, series in accuracy.read(file).groupby("unique_id", sort=False):
        y, future = (
            series["y"][series["split"] == part].to_numpy(dtype=float) for part in ("train", "test")
        )
        test = partial(mase, y=y, future=future, season=season)
        lags = {"output_lags": season}
        problems.append(Problem((None, y), {"MASE": test}, lags, ARX(**lags)))
    limits = {"ratio_to_linear": ratio, "worst": WORST_MASE, "not_finite": 0}
    return Set(name, "", problems, {"MASE": limits}, np.mean, WITHOUT_BR)


def mase(model, y, future, season):
    """Mean absolute error of a forecast, over that of a season ago on the training rows."""
    scale = np.mean(np.abs(y[season:] - y[:-season]))
    error = np.mean(np.abs(model.forecast(len(future)).to_numpy() - future)) / scale
    return error if np.isfinite(error) else np.inf


# ---------------------------------------------------------------- plants
def plants():
    """The module of the simulated plants."""
    if not SYSTEMS.exists():
        raise FileNotFoundError(SYSTEMS.name)
    spec = spec_from_file_location("plants", SYSTEMS)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def narendra(name, n_rows, noise, limit):
    """Free runs over a plant measured without noise; 1 is the spread of its output."""
    plant = plants().narendra
    X, y = plant(2000, 1)

    def free_run(model):
        return free_run_error(model, X, y, skip=10) / np.std(y)

    parameters = {"input_lags": [1], "output_lags": 2}
    problem = Problem(plant(n_rows, 0, noise), {"free run": free_run}, parameters)
    return Set(name, "of spread", [problem], {"free run": {"error": limit}})


def levitation(name, limit=None, **options):
    """Free run over the last rows of a magnet over a coil."""
    X, y = plants().levitation()
    n, lags = 3400, 2

    def free_run(model):
        return free_run_error(model, X[n - lags :], y[n - lags :])

    parameters = {"input_lags": [1, 2], "output_lags": lags, **options}
    problem = Problem((X[:n], y[:n]), {"free run": free_run}, parameters)
    limits = {} if limit is None else {"free run": {"error": limit}}
    return Set(name, "", [problem], limits)


# ---------------------------------------------------------------- series
def of_accuracy(make, tests, **parameters):
    """A series of `accuracy` with other parameters than its recipe's."""
    series = make()
    tests = {test: series.tests[test] for test in tests}
    return Set(series.name, series.unit, [Problem(series.fitting, tests, parameters)])


def rolling_origin(name):
    """A task of `narxkit.evaluation`, with the lags and the range of its outputs."""
    task = TASKS[name]
    fitting, test = (task.read().loc[slice(*period)] for period in (task.fitting, task.test))
    parameters = {
        "input_lags": dict(task.input_lags),
        "output_lags": task.output_lags,
        "output_range": task.output_range,
    }
    problem = Problem(
        (fitting[task.features], fitting[task.target]),
        {"rolling origin": partial(rolling_error, task=task, data=test)},
        parameters,
        task.ridge(),
    )
    return Set(f"{task.protocol}, {name}", task.unit, [problem])


def rolling_error(model, task, data):
    """Mean over the horizons of the RMSE of all origins."""
    X, y = data[task.features], data[task.target]
    answers = backtest(model, X, y, task.steps, task.origins(data))
    answers = answers[answers["y"].notna()]
    errors = answers["y_hat"] - answers["y"]
    return np.mean([rms(one) for _, one in errors.groupby(answers["horizon"])])


MONTHLY = DefaultsSuite(
    "Defaults, monthly series (mean of ten seeds)",
    {"M3 monthly": partial(competition, "M3 monthly", "m3_monthly.csv.gz", 12, 1.01)},
)
HOURLY = DefaultsSuite(
    "Defaults, hourly series (mean of ten seeds)",
    {"M4 hourly": partial(competition, "M4 hourly", "m4_hourly.csv.gz", 24, 1.03)},
)
PLANTS = DefaultsSuite(
    "Defaults, simulated plants in free run (median of ten seeds)",
    {
        name: partial(make, name, **options)
        for name, (make, options) in {
            "Narendra, clean": (narendra, {"n_rows": 3000, "noise": 0.0, "limit": 0.10}),
            "Narendra, noisy": (narendra, {"n_rows": 600, "noise": 0.1, "limit": 0.27}),
            "levitation, open": (levitation, {"loop": "open"}),
            "levitation, closed": (levitation, {"loop": "closed", "limit": 0.10}),
            "levitation, closed, early stopping": (
                levitation,
                {"loop": "closed", "early_stopping": True, "limit": 0.10},
            ),
        }.items()
    },
)
SERIES = DefaultsSuite(
    "Defaults, series in free run or from a rolling origin (median of ten seeds)",
    {
        "Mackey-Glass": partial(of_accuracy, accuracy.mackey_glass, ["84 steps"], output_lags=18),
        "Silverbox": partial(
            of_accuracy,
            accuracy.silverbox,
            [f"{record}, after {WASHOUT} samples" for record in ("multisine", "arrow")],
            input_lags=3,
            output_lags=3,
        ),
        "S0, solar": partial(rolling_origin, "solar"),
        "W1, wind": partial(rolling_origin, "wind"),
    },
)
