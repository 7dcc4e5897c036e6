"""AutoNARX on the series of M3 and M4: nothing but the horizon, beside other automatic forecasters.

Every series has one forecast, over the rows that its file keeps for the test, by

- "AutoNARX": ``AutoNARX(horizon=h, random_state=0)`` on an index with a clock;
- "AutoNARX, linear pool": the same with ``networks=False``;
- "ARX": lags of one season; "seasonal naive" and "naive";
- AutoETS, AutoARIMA, AutoTheta and MSTL of statsforecast and LightGBM through skforecast, where
  these are installed, as in the environment that ``make peers`` builds:
  ``.venv-peers/bin/python -m benchmarks competitions``.

Months are those of the file. Its hours and weeks are numbers and become dates from `START` on. The
peers are told their seasons, as they ask for them, as far as a series has two of each (LightGBM,
whose lags they are, three): a year of months, a day and a week of hours, a year of weeks. AutoARIMA
takes weeks without a season, with 52 it does not end; MSTL without a season is AutoETS. LightGBM
learns the differences of weeks and the levels of months and hours: what was better on the last
training rows.

sMAPE and MASE are means over series; the scale of MASE is the mean absolute difference of a season,
12, 24 and 1 rows, on the training rows. The difference of the mean MASE to that of AutoNARX is
positive where AutoNARX is better; its interval has 95 % of the means of series drawn anew, the same
for both. A forecast is far where it is further than ten ranges of the training rows from their
mean. One that is not finite, or an error instead of one, is counted and in no mean. Seconds are
those of the processor for fit and forecast of a series, in one thread; models take turns, series by
series.

--quick takes a few series and forecasts the last training rows: the test rows stay unseen.
"""

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import NamedTuple

import numpy as np
import pandas as pd
from rich.table import Table

from narxkit import ARX, AutoNARX, Persistence, SeasonalNaive

from . import accuracy
from .defaults import written
from .report import short

START = "2000-01-02"  # a Sunday, as weeks end
QUICK_SERIES = 60  # every 60th
FAR = 10.0  # ranges of the training rows
N_RESAMPLES = 10_000
AUTO, LINEAR = "AutoNARX", "AutoNARX, linear pool"
SECONDS = {AUTO: 3.0, LINEAR: 0.3}  # of a series of 1,000 rows
COLUMNS = (
    "set",
    "model",
    "series",
    "rows",
    "smape",
    "mase",
    "difference",
    "difference_low",
    "difference_high",
    "worst_mase",
    "not_finite",
    "far",
    "seconds",
    "seconds_max",
    "failure",
    "target",
    "met",
    "aim",
    "aim_met",
)
HEADINGS = ("sMAPE", "MASE", "less AutoNARX (95 %)", "worst", "not finite", "far", "s a series")


class Series(NamedTuple):
    """Training rows with a clock, and what came after them."""

    y: pd.Series
    future: np.ndarray


@dataclass(frozen=True, eq=False)
class Competition:
    """Series of one step, and how their forecasts are judged.

    Parameters
    ----------
    name, file : str
    step : str
        An offset alias of pandas.
    horizon : int
    season : int
        Rows of the difference that scales MASE.
    seasons : tuple of int
        Those that peers and ARX are told.
    must, aim : float
        Largest mean MASE of AutoNARX.
    below : tuple of str
        Peers whose mean MASE AutoNARX has to stay below, where they are measured.
    arima_season : int
        The season of AutoARIMA.
    differentiation : int or None
        How often LightGBM's series is differenced.
    """

    name: str
    file: str
    step: str
    horizon: int
    season: int
    seasons: tuple
    must: float
    aim: float
    below: tuple = ()
    arima_season: int = 1
    differentiation: int | None = None

    def series(self, quick=False):
        """Read the series; in a quick run some, without their test rows."""
        groups = accuracy.read(self.file).groupby("unique_id", sort=False)
        made = [self.split(rows) for _, rows in groups]
        return [self.shortened(one) for one in made[::QUICK_SERIES]] if quick else made

    def split(self, rows):
        """Make the series of the rows of a long table."""
        y = pd.Series(rows["y"].to_numpy(dtype=float), clock(rows["ds"], self.step))
        is_train = (rows["split"] == "train").to_numpy()
        return Series(y[is_train], y[~is_train].to_numpy())

    def shortened(self, series):
        """Make a series whose future are its last training rows."""
        known = series.y.iloc[: -self.horizon]
        return Series(known, series.y.iloc[-self.horizon :].to_numpy())

    def seasons_in(self, y, times=2):
        """Return the seasons that the series has so many of."""
        return [season for season in self.seasons if len(y) >= times * season]

    def rows(self, quick, announce):
        """Yield one dict per contestant."""
        missing = {one.name: one.missing() for one in CONTESTANTS}
        here = [one for one in CONTESTANTS if not missing[one.name]]
        series = self.series(quick)
        trials = {one.name: [] for one in here}
        for i, one in enumerate(series, 1):
            for contestant in here:
                announce(f"{self.name}, series {i} of {len(series)}, {contestant.name}")
                trials[contestant.name].append(contestant.trial(one, self))
        figures = {name: summary(own, trials[AUTO]) for name, own in trials.items()}
        for contestant in CONTESTANTS:
            yield self.row(contestant.name, figures, missing)

    def row(self, name, figures, missing):
        """Return the figures of a contestant as a row of the file."""
        row = dict.fromkeys(COLUMNS, "") | {"set": self.name, "model": name}
        if missing[name]:
            return row | {"met": f"needs {missing[name]}"}
        row |= {key: cell(value) for key, value in figures[name].items()}
        return row | (self.verdict(name, figures) if name in SECONDS else {})

    def verdict(self, name, figures):
        """Return targets, and whether the figures of AutoNARX keep them."""
        own = figures[name]
        rivals = {peer: figures[peer]["mase"] for peer in self.below if peer in figures}
        limits = {"not_finite": 0, "far": 0, "seconds": SECONDS[name], "mase": self.must}
        kept = [own[key] <= limit for key, limit in limits.items()]
        kept += [own["mase"] < mase for mase in rivals.values()]
        told = [f"{key} <= {limit:g}" for key, limit in limits.items()]
        told += [f"mase < that of {peer}" for peer in rivals]
        return {
            "target": ", ".join(told),
            "met": yes_or_no(all(kept)),
            "aim": f"mase <= {self.aim:g}",
            "aim_met": yes_or_no(own["mase"] <= self.aim),
        }


def clock(ds, step):
    """Return the index of a series: its dates, or dates from `START` on where it has numbers."""
    if pd.api.types.is_integer_dtype(ds):
        return pd.date_range(START, periods=len(ds), freq=step)
    return pd.DatetimeIndex(ds, freq=step)


def cell(value):
    return value if isinstance(value, str) else written(value)


def yes_or_no(value):
    return "yes" if value else "no"


# ---------------------------------------------------------------- contestants
@dataclass(frozen=True)
class Contestant:
    """A forecaster of one series.

    Parameters
    ----------
    name : str
    forecast : callable
        ``forecast(y, competition)`` learns from a series with a clock and gives its next rows.
    needs : tuple of str
        Modules, which are imported before any second counts.
    """

    name: str
    forecast: Callable
    needs: tuple = ()

    def missing(self):
        """Return the first module that is not here, or None."""
        for name in self.needs:
            try:
                import_module(name)
            except ImportError:
                return name.partition(".")[0]
        return None

    def trial(self, series, competition):
        """Forecast a series, with all warnings silenced, and score."""
        y_hat, failure = np.full(len(series.future), np.nan), ""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            start = time.process_time()
            try:
                y_hat = np.asarray(self.forecast(series.y, competition), dtype=float)
            except Exception as error:  # of one series in hundreds: hours of others are not lost
                failure = f"{type(error).__name__}: {error}"
            seconds = time.process_time() - start
        return Trial.of(y_hat, series, competition.season, seconds, failure)


class Trial(NamedTuple):
    """Scores of one forecast."""

    n_rows: int
    smape: float
    mase: float
    is_far: bool
    seconds: float
    failure: str = ""

    @classmethod
    def of(cls, y_hat, series, season, seconds, failure=""):
        y = series.y.to_numpy()
        errors = np.abs(y_hat - series.future)
        sizes = np.abs(y_hat) + np.abs(series.future)
        smape = 200 * np.mean(errors / np.where(sizes == 0, 1, sizes))  # zeros that were forecast
        mase = np.mean(errors) / np.mean(np.abs(y[season:] - y[:-season]))
        is_far = bool((np.abs(y_hat - y.mean()) > FAR * np.ptp(y)).any())
        return cls(len(y), smape, mase, is_far, seconds, failure)


def auto_narx(y, competition, **options):
    model = AutoNARX(horizon=competition.horizon, random_state=0, **options)
    return model.fit(None, y).forecast(competition.horizon)


def arx(y, competition):
    return ARX(output_lags=competition.seasons[0]).fit(None, y).forecast(competition.horizon)


def baseline(kind, y, competition):
    return kind().fit(None, y).forecast(competition.horizon)


def statsforecast(kind, y, competition, season=None):
    """Forecast by a model of one season, by default the first."""
    from statsforecast import models

    season = season or (competition.seasons_in(y) or [1])[0]
    model = getattr(models, kind)(season_length=season)
    return model.forecast(y=y.to_numpy(), h=competition.horizon)["mean"]


def auto_arima(y, competition):
    return statsforecast("AutoARIMA", y, competition, competition.arima_season)


def mstl(y, competition):
    """Forecast with all seasons, and without any by AutoETS."""
    seasons = competition.seasons_in(y)
    return statsforecast("MSTL" if seasons else "AutoETS", y, competition, seasons)


def lightgbm(y, competition):
    from lightgbm import LGBMRegressor
    from skforecast.recursive import ForecasterRecursive

    trees = LGBMRegressor(random_state=0, n_jobs=1, verbose=-1)
    shape = {"lags": lags(y, competition), "differentiation": competition.differentiation}
    model = ForecasterRecursive(trees, **shape)
    model.fit(pd.Series(y.to_numpy()))  # which returns nothing
    return model.predict(competition.horizon)


def lags(y, competition):
    """Return lags of the first season and those around further ones; without, of one horizon."""
    first, *others = competition.seasons_in(y, times=3) or [competition.horizon]
    return [*range(1, first + 1), *(s + d for s in others for d in (-1, 0, 1))]


STATSFORECAST = ("statsforecast.models",)
CONTESTANTS = (
    Contestant(AUTO, auto_narx),
    Contestant(LINEAR, partial(auto_narx, networks=False)),
    Contestant("ARX", arx),
    Contestant("seasonal naive", partial(baseline, SeasonalNaive)),
    Contestant("naive", partial(baseline, Persistence)),
    Contestant("AutoETS", partial(statsforecast, "AutoETS"), STATSFORECAST),
    Contestant("AutoARIMA", auto_arima, STATSFORECAST),
    Contestant("AutoTheta", partial(statsforecast, "AutoTheta"), STATSFORECAST),
    Contestant("MSTL", mstl, STATSFORECAST),
    Contestant("LightGBM", lightgbm, ("skforecast.recursive", "lightgbm")),
)


# ---------------------------------------------------------------- summaries
def summary(trials, auto):
    """Summarise the trials of a contestant, beside those of AutoNARX on the same series."""
    mase, reference = (np.array([trial.mase for trial in own]) for own in (trials, auto))
    finite = mase[np.isfinite(mase)]
    seconds = [trial.seconds for trial in trials]
    difference, low, high = paired(mase - reference) if trials is not auto else (np.nan,) * 3
    return {
        "series": len(trials),
        "rows": np.mean([trial.n_rows for trial in trials]),
        "smape": np.nanmean([trial.smape for trial in trials]) if len(finite) else np.inf,
        "mase": finite.mean() if len(finite) else np.inf,
        "difference": difference,
        "difference_low": low,
        "difference_high": high,
        "worst_mase": max(finite, default=np.inf),
        "not_finite": len(mase) - len(finite),
        "far": sum(trial.is_far for trial in trials),
        "seconds": np.mean(seconds),
        "seconds_max": max(seconds),
        "failure": next((trial.failure for trial in trials if trial.failure), ""),
    }


def paired(differences):
    """Return the mean of the finite ones, and its interval of 95 % when they are drawn anew."""
    there = differences[np.isfinite(differences)]
    if not len(there):
        return (np.nan,) * 3
    drawn = np.random.default_rng(0).choice(there, (N_RESAMPLES, len(there)))
    return there.mean(), *np.quantile(drawn.mean(axis=1), (0.025, 0.975))


def rows_of(parts, columns, quick, announce):
    """Yield the rows of each part of a suite; one without figures where its file is missing."""
    for part in parts:
        try:
            yield from part.rows(quick, announce)
        except FileNotFoundError as missing:
            yield dict.fromkeys(columns, "") | {columns[0]: part.name, "met": f"needs {missing}"}


class CompetitionsSuite:
    """Competitions, one after another, with the verbs of `report.Suite`.

    Parameters
    ----------
    competitions : sequence of Competition
    """

    title = "AutoNARX with nothing but the horizon, means over series"
    packages = ("statsforecast", "skforecast", "lightgbm")

    def __init__(self, competitions):
        self.competitions = tuple(competitions)

    def rows(self, quick, announce):
        """Yield one dict per competition and model."""
        return rows_of(self.competitions, COLUMNS, quick, announce)

    def table(self, rows):
        """Make a table of one line per competition and model."""
        table = Table("set", "model", title=self.title)
        for heading in (*HEADINGS, "met", "aim met"):
            table.add_column(heading, justify="right")
        for row in rows:
            table.add_row(*cells(row))
        return table


def cells(row):
    """Return a row of the file as a line of the table."""
    label = row["set"], row["model"]
    if not row["mase"]:
        return *label, *[""] * len(HEADINGS), row["met"], ""
    difference = row["difference"]
    if difference:
        difference += f" ({row['difference_low']} to {row['difference_high']})"
    counts = row["worst_mase"], row["not_finite"], row["far"]
    verdict = row["met"], row["aim_met"]
    return *label, row["smape"], row["mase"], difference, *counts, short(row["seconds"]), *verdict


SUITE = CompetitionsSuite(
    [
        Competition(
            "M3 monthly",
            "m3_monthly.csv.gz",
            "MS",
            horizon=18,
            season=12,
            seasons=(12,),
            must=0.83,
            aim=0.79,
            below=("AutoTheta", "AutoETS"),
            arima_season=12,
        ),
        Competition(
            "M4 hourly",
            "m4_hourly.csv.gz",
            "h",
            horizon=48,
            season=24,
            seasons=(24, 168),
            must=0.75,
            aim=0.71,
            arima_season=24,
        ),
        Competition(
            "M4 weekly",
            "m4_weekly.csv.gz",
            "W",
            horizon=13,
            season=1,
            seasons=(52,),
            must=2.4,
            aim=2.0,
            differentiation=1,
        ),
    ]
)
