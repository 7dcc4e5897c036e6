"""AutoNARX from many origins, beside models that know what the series is made of.

- Airline passengers, 24 months ahead, from rows 84, 90, ... 120: all learn anew from the rows
  before each origin. Beside AutoNARX stands exponential smoothing with a multiplicative season, of
  statsmodels where that is installed. The error is the mean over origins of the RMSE of the months.
- The load of ``../shared/protocol/plants.py``, simulated in steps of 15 minutes: 96 steps ahead,
  from every hour of the last five months of 2024, learned once from the rows before. Temperature
  and holidays are known ahead. Beside AutoNARX stands a regression by least squares on the very
  terms that made the load, which carries its last residual on as the truth does: little can be
  better. The error is the mean over horizons of the RMSE of all origins.

Seconds are those of the processor: of a fit, and of all forecasts together.

--quick takes two origins of the passengers, and of the load two months of training rows and a few
origins in the third.
"""

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from importlib.util import find_spec

import numpy as np
import pandas as pd
from rich.table import Table

from narxkit import AutoNARX, backtest

from .competitions import AUTO, LINEAR, rows_of, yes_or_no
from .defaults import plants, written
from .report import short

# G. E. P. Box, G. M. Jenkins: Time Series Analysis, Forecasting and Control, series G.
# Passengers of international airlines, January 1949 to December 1960, in thousands.
PASSENGERS = (
    112, 118, 132, 129, 121, 135, 148, 148, 136, 119, 104, 118,
    115, 126, 141, 135, 125, 149, 170, 170, 158, 133, 114, 140,
    145, 150, 178, 163, 172, 178, 199, 199, 184, 162, 146, 166,
    171, 180, 193, 181, 183, 218, 230, 242, 209, 191, 172, 194,
    196, 196, 236, 235, 229, 243, 264, 272, 237, 211, 180, 201,
    204, 188, 235, 227, 234, 264, 302, 293, 259, 229, 203, 229,
    242, 233, 267, 269, 270, 315, 364, 347, 312, 274, 237, 278,
    284, 277, 317, 313, 318, 374, 413, 405, 355, 306, 271, 306,
    315, 301, 356, 348, 355, 422, 465, 467, 404, 347, 305, 336,
    340, 318, 362, 348, 363, 435, 491, 505, 404, 359, 310, 337,
    360, 342, 406, 396, 420, 472, 548, 559, 463, 407, 362, 405,
    417, 391, 419, 461, 472, 535, 622, 606, 508, 461, 390, 432,
)  # fmt: skip
FIRST_ROWS = range(84, 121, 6)  # of what is forecast
MONTHS = 24
QUARTERS = 96  # of an hour
LOAD = slice(None, "2024-07"), slice("2024-08", "2024-12")  # learned, and forecast
QUICK_LOAD = slice("2024-05", "2024-06"), slice("2024-07", "2024-07")
PHI = 0.97  # of the load's errors, a step
COLUMNS = (
    "series",
    "model",
    "unit",
    "origins",
    "rmse",
    "ratio",
    "fit_s",
    "forecast_s",
    "target",
    "met",
    "aim",
    "aim_met",
)


@dataclass
class Stopwatch:
    """Seconds of the processor, of fits and of forecasts."""

    fits: list = field(default_factory=list)
    forecasts: list = field(default_factory=list)

    def fit(self, function, *args):
        return self._call(self.fits, function, *args)

    def forecast(self, function, *args):
        return self._call(self.forecasts, function, *args)

    @staticmethod
    def _call(seconds, function, *args):
        start = time.process_time()
        answer = function(*args)
        seconds.append(time.process_time() - start)
        return answer


@dataclass(frozen=True, eq=False)
class Contest:
    """Models on one series, the last of which is the yardstick.

    Parameters
    ----------
    name, unit : str
    errors : callable
        ``errors(run, quick, watch)`` gives the errors of a model, one row per origin.
    runs : dict of callable
        What `errors` calls, by model.
    axis : int
        Of the errors whose RMSE are averaged: 1 over steps, 0 over origins.
    figure : "rmse" or "ratio"
        What has to be kept.
    must, aim : float
        The largest figure of AutoNARX.
    needs : str
        The package of the yardstick.
    """

    name: str
    unit: str
    errors: Callable
    runs: dict
    axis: int
    figure: str
    must: float
    aim: float
    needs: str = "narxkit"

    def rows(self, quick, announce):
        """Yield one dict per model; a yardstick whose package is missing has no figures."""
        *_, yardstick = self.runs
        is_missing = find_spec(self.needs) is None
        figures = {}
        for name, run in self.runs.items():
            if not (name == yardstick and is_missing):
                announce(f"{self.name}, {name}")
                figures[name] = self.measure(run, quick)
        for name in self.runs:
            label = {"series": self.name, "model": name, "unit": self.unit}
            row = dict.fromkeys(COLUMNS, "") | label
            if name in figures:
                yield row | self.judge(name, figures[name], figures.get(yardstick))
            else:
                yield row | {"met": f"needs {self.needs}"}

    def measure(self, run, quick):
        """Return the figures of a model, with all warnings silenced."""
        watch = Stopwatch()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            errors = self.errors(run, quick, watch)
        return {
            "origins": len(errors),
            "rmse": np.mean(np.sqrt(np.mean(errors**2, axis=self.axis))),
            "fit_s": np.mean(watch.fits),
            "forecast_s": np.sum(watch.forecasts),
        }

    def judge(self, name, own, yardstick):
        """Return figures as cells, beside those of the yardstick and the targets of AutoNARX."""
        own = own | {"ratio": own["rmse"] / yardstick["rmse"] if yardstick else np.nan}
        row = {key: written(value) for key, value in own.items()}
        value = own[self.figure]
        if name not in (AUTO, LINEAR) or np.isnan(value):
            return row
        return row | {
            "target": f"{self.figure} <= {self.must:g}",
            "met": yes_or_no(value <= self.must),
            "aim": f"{self.figure} <= {self.aim:g}",
            "aim_met": yes_or_no(value <= self.aim),
        }


# ---------------------------------------------------------------- airline passengers
def passengers():
    """Return the series with its months."""
    months = pd.date_range("1949-01", periods=len(PASSENGERS), freq="MS")
    return pd.Series(PASSENGERS, months, dtype=float)


def errors_of_passengers(run, quick, watch):
    """Let a model learn anew for each origin."""
    y = passengers()
    rows = []
    for first in FIRST_ROWS[:: 3 if quick else 1][: 2 if quick else None]:
        model = watch.fit(run, y.iloc[:first])
        y_hat = watch.forecast(model.forecast, MONTHS)
        rows.append(np.asarray(y_hat) - y.iloc[first : first + MONTHS].to_numpy())
    return np.array(rows)


def auto_on_passengers(y, **options):
    return AutoNARX(horizon=MONTHS, random_state=0, **options).fit(None, y)


def exponential_smoothing(y):
    """Fit a linear trend and a multiplicative season."""
    from statsmodels.tsa.holtwinters import ExponentialSmoothing

    return ExponentialSmoothing(y, trend="add", seasonal="mul", seasonal_periods=12).fit()


# ---------------------------------------------------------------- load
@dataclass(frozen=True)
class Record:
    """The load, the rows that are learned from, and the origins."""

    data: pd.DataFrame
    fitting: pd.DataFrame
    origins: pd.DatetimeIndex

    @property
    def ahead(self):
        """Rows of the forecasts, one line per origin."""
        first = self.data.index.get_indexer(self.origins) + 1
        return first[:, None] + np.arange(QUARTERS)


@cache
def load(quick):
    """Return the record; an origin is a full hour, and the last row that is known."""
    data = plants().load_15_minutes()
    learned, asked = QUICK_LOAD if quick else LOAD
    hours = data.loc[asked].iloc[:-QUARTERS].asfreq("h").index
    return Record(data, data.loc[learned], hours[:: 25 if quick else 1])  # all hours of the day


def errors_of_load(run, quick, watch):
    record = load(quick)
    y = record.data["load_mw"].to_numpy()
    return run(record, watch) - y[record.ahead]


def auto_on_load(record, watch, **options):
    """Fit AutoNARX, and forecast from all origins without another fit."""
    model = AutoNARX(horizon=QUARTERS, random_state=0, **options)
    names = ["temp_c", "holiday"]
    watch.fit(model.fit, record.fitting[names], record.fitting["load_mw"])
    X, y = record.data[names], record.data["load_mw"]
    answers = watch.forecast(backtest, model, X, y, QUARTERS, record.origins)
    return answers["y_hat"].to_numpy().reshape(-1, QUARTERS)


def least_squares(record, watch):
    """Fit the terms of the truth, and carry the last residual as its errors go on."""
    y, terms = record.fitting["load_mw"], terms_of_load(record.fitting)
    coefs = watch.fit(np.linalg.lstsq, terms, y, None)[0]
    explained = terms_of_load(record.data) @ coefs
    residuals = (record.data["load_mw"].to_numpy() - explained)[record.ahead[:, 0] - 1]
    return explained[record.ahead] + residuals[:, None] * PHI ** np.arange(1, QUARTERS + 1)


def terms_of_load(data):
    """Return the terms of `load_15_minutes`: bumps of the day by work or not, degrees of both."""
    t = data.index
    hour = (t.hour + t.minute / 60).to_numpy()
    work = ((t.day_of_week < 5) & (data["holiday"] == 0)).to_numpy(dtype=float)
    temp = data["temp_c"].to_numpy()
    busy = [np.ones(len(t)), bump(hour, 9, 2.5), bump(hour, 18.5, 2.5), bump(hour, 13, 3)]
    free = [np.ones(len(t)), bump(hour, 11, 3), bump(hour, 19, 2.5)]
    degrees = [np.maximum(15 - temp, 0), np.maximum(temp - 22, 0)]
    return np.column_stack(
        [work * one for one in busy] + [(1 - work) * one for one in free] + degrees
    )


def bump(hour, at, width):
    return np.exp(-(((hour - at) / width) ** 2))


class YardsticksSuite:
    """Contests, one after another, with the verbs of `report.Suite`.

    Parameters
    ----------
    contests : sequence of Contest
    """

    title = "AutoNARX from many origins, beside models that know the form"
    packages = ("statsmodels",)

    def __init__(self, contests):
        self.contests = tuple(contests)

    def rows(self, quick, announce):
        """Yield one dict per series and model."""
        return rows_of(self.contests, COLUMNS, quick, announce)

    def table(self, rows):
        """Make a table of one line per series and model."""
        table = Table("series", "model", title=self.title)
        for heading in ("origins", "RMSE", "ratio", "fit s", "forecasts s", "target", "met", "aim"):
            table.add_column(heading, justify="right")
        for row in rows:
            table.add_row(*cells(row))
        return table


def cells(row):
    """Return a row of the file as a line of the table."""
    label, verdict = (row["series"], row["model"]), (row["target"], row["met"])
    if not row["rmse"]:
        return *label, *[""] * 5, *verdict, ""
    seconds = (short(row[name]) for name in ("fit_s", "forecast_s"))
    figures = row["origins"], f"{row['rmse']} {row['unit']}".strip(), row["ratio"], *seconds
    aim = f"{row['aim']}: {row['aim_met']}" if row["aim"] else ""
    return *label, *figures, *verdict, aim


SUITE = YardsticksSuite(
    [
        Contest(
            "airline passengers",
            "thousand",
            errors_of_passengers,
            {
                AUTO: auto_on_passengers,
                LINEAR: partial(auto_on_passengers, networks=False),
                "ETS, multiplicative season": exponential_smoothing,
            },
            axis=1,
            figure="rmse",
            must=25.0,
            aim=22.0,
            needs="statsmodels",
        ),
        Contest(
            "load of 15 minutes",
            "MW",
            errors_of_load,
            {
                AUTO: auto_on_load,
                LINEAR: partial(auto_on_load, networks=False),
                "least squares of the truth's terms": least_squares,
            },
            axis=0,
            figure="ratio",
            must=1.3,
            aim=1.1,
        ),
    ]
)
