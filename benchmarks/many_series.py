"""Many series: how long a thousand take together and one by one, and how well either forecasts.

The panel has 1,000 series of 700 hours, of sizes from 1 to 10,000, each a day's wave with a phase
of its own and autoregressive noise. One model for all is `ScaledPerSeries` around a NARX with 24
lags and all else by default; a model each is `PerSeries` around a NARX by default, and around an
ARX with 24 lags, which takes a few milliseconds a series and so shows what goes around the fits. Of
two processes the main one has the serial share: processor time that it takes itself, of that of all
fits in one process. A speed-up of 1.7 needs a share of at most 0.176. The processes are warm: a
first fit starts them, which takes each 1.3 seconds of processor time.

Memory is what resident memory grows by while a model is fitted and forecasts, after the same with
a few series in the same fresh process, beside the frame that was read.

The series of the M4 hourly half that is ours are forecast 48 hours ahead, by their last 48 training
rows (`PSEUDO`), on which everything may be tried, or by the rows of the test (`M4`): the mean
over series of the mean absolute error over that of a day ago on the training rows.
"""

import sys
import time
import warnings
from functools import cache, partial

import numpy as np
import pandas as pd
from rich.table import Table

from narxkit import (
    ARX,
    NARX,
    AutoNARX,
    PerSeries,
    ScaledPerSeries,
    SeasonalNaive,
    TransformedForecaster,
    from_long,
)

from .accuracy import read
from .harness import Case, constant
from .memory import PROCESS, in_fresh_process, status
from .reading import processor
from .report import Suite, short

N_SERIES, N_ROWS, FEW = 1000, 700, 20
LAGS = 24
DAY, STEPS = 24, 48
QUICK_SERIES = 10  # every tenth
FILE = "m4_hourly.csv.gz"


@cache
def long_frame(n=N_SERIES):
    """Return the panel as a long frame."""
    rng, t = np.random.default_rng(0), np.arange(N_ROWS)
    noise = np.zeros((n, N_ROWS))
    for row in range(1, N_ROWS):
        noise[:, row] = 0.7 * noise[:, row - 1] + rng.normal(size=n)
    phase, size = rng.integers(DAY, size=(n, 1)), 10 ** rng.uniform(0, 4, size=(n, 1))
    values = size * (10 + 3 * np.sin(2 * np.pi * (t + phase) / DAY) + noise)
    return pd.DataFrame(
        {
            "unique_id": np.repeat([f"s{i}" for i in range(n)], N_ROWS),
            "ds": np.tile(pd.date_range("2024-01-01", periods=N_ROWS, freq="h"), n),
            "y": values.ravel(),
        }
    )


def one_for_all():
    return ScaledPerSeries(NARX(output_lags=LAGS, random_state=0))


def one_each(n_jobs=None):
    return PerSeries(ARX(output_lags=LAGS), n_jobs=n_jobs)


def network_each(n_jobs=None):
    return PerSeries(NARX(random_state=0), n_jobs=n_jobs)


def fit(model, n=N_SERIES):
    """Fit a model to the panel."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(*from_long(long_frame(n)))


def seconds(function):
    """A gauge: seconds of one call."""

    def turn():
        start = time.perf_counter()
        function()
        return time.perf_counter() - start

    return turn


def together():
    """One model for all, and one each."""
    return seconds(lambda: fit(one_for_all())), seconds(lambda: fit(one_each()))


def on_two(gauge, make):
    """A model each on two processes and on one, which forecast the same."""
    two, one = (fit(make(n), FEW).forecast(STEPS) for n in (2, None))
    pd.testing.assert_series_equal(two, one)
    return gauge(lambda: fit(make(2))), gauge(lambda: fit(make()))


def memory(make):
    """What fitting and forecasting take at their peak, beside the frame."""
    gauge = in_fresh_process(f"many_series import {make.__name__} as make, growth", "growth(make)")
    return gauge, constant(float(long_frame().memory_usage(deep=True).sum()))


def growth(make):
    """Bytes by which fitting and forecasting raise this process's peak."""
    fit(make(), FEW).forecast(STEPS)
    frame = long_frame()
    (PROCESS / "clear_refs").write_text("5")  # the peak begins anew
    before = status("VmRSS")
    X, y = from_long(frame)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        make().fit(X, y).forecast(STEPS)
    return status("VmHWM") - before


SIZE = f"{N_SERIES:,} series x {N_ROWS} rows"
SUITE = Suite(
    "Many series",
    [
        Case(f"one NARX for all, {SIZE}", "an ARX each", together, 60, unit="s", repeats=1),
        *(
            Case(
                f"{name} each, on two processes",
                "on one",
                partial(on_two, seconds, make),
                1.7,
                "speed-up",
                "s",
                repeats=repeats,
            )
            for name, make, repeats in (("a NARX", network_each, 1), ("an ARX", one_each, 5))
        ),
        Case(
            "the serial share of the ARX, processor time",
            "of one process",
            partial(on_two, processor, one_each),
            0.176,
            "ratio",
            "s",
            repeats=5,
        ),
        *(
            Case(
                f"memory of {name}",
                "the long frame",
                partial(memory, make),
                3,
                "ratio",
                "MB",
                repeats=2,
            )
            for name, make in (("one NARX for all", one_for_all), ("an ARX each", one_each))
        ),
    ],
)


# ---------------------------------------------------------------- M4, hourly
WEEK = 7 * DAY
LAGS_OF_WEEK = [*range(1, DAY + 3), 2 * DAY, *range(WEEK - 1, WEEK + 2)]
LOCAL = {
    "seasonal naive": SeasonalNaive(period=DAY),
    "ARX, one each": ARX(output_lags=LAGS_OF_WEEK),
    "NARX, one each": NARX(output_lags=LAGS_OF_WEEK, random_state=0),
    "AutoNARX, one each": AutoNARX(horizon=STEPS, season=(DAY, WEEK), random_state=0),
}
GLOBAL = {  # daily changes, which the last training rows asked for
    "ARX, one for all": TransformedForecaster(ARX(output_lags=WEEK), difference=[DAY]),
    "NARX, one for all": TransformedForecaster(
        NARX(output_lags=LAGS_OF_WEEK, random_state=0), difference=[DAY]
    ),
}
MODELS = {name: PerSeries(model) for name, model in LOCAL.items()} | {
    name: ScaledPerSeries(model, season=DAY) for name, model in GLOBAL.items()
}
COLUMNS = "model", "series", "MASE", "median", "not_finite", "seconds"


def halves(is_pseudo, every=1):
    """Return training rows and those to forecast of each series, as panels."""
    frame = read(FILE)
    names = frame["unique_id"].unique()[::every]
    frame = frame[frame["unique_id"].isin(names)]
    _, y = from_long(frame[["unique_id", "ds", "y"]])
    n_test = frame.groupby("unique_id", sort=False)["split"].apply(
        lambda part: (part == "test").sum()
    )
    assert (n_test == STEPS).all()
    series = {key: part.droplevel(0) for key, part in y.groupby(level=0, sort=False)}
    end = -STEPS if is_pseudo else None
    learn = {key: part.iloc[:end].iloc[:-STEPS] for key, part in series.items()}
    ahead = {key: part.iloc[:end].iloc[-STEPS:] for key, part in series.items()}
    return pd.concat(learn, names=y.index.names), pd.concat(ahead, names=y.index.names)


def mase(y_hat, ahead, learn):
    """Return the error of each series, over that of a day ago."""
    of_day = learn.groupby(level=0, sort=False).apply(lambda y: y.diff(DAY).abs().mean())
    errors = (y_hat - ahead).abs().groupby(level=0, sort=False).mean()
    return errors / of_day


class CompetitionSuite:
    """Models beside each other on all series, with the verbs of `report.Suite`.

    Parameters
    ----------
    title : str
        Heading of the table.
    is_pseudo : bool
        Whether the last training rows stand for those of the test.
    """

    packages = ()

    def __init__(self, title, is_pseudo):
        self.title = title
        self.is_pseudo = is_pseudo

    def rows(self, quick, announce):
        """One dict per model; none where the file is missing."""
        try:
            learn, ahead = halves(self.is_pseudo, QUICK_SERIES if quick else 1)
        except FileNotFoundError:
            return
        for name, model in MODELS.items():
            announce(name)
            start = time.process_time()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                y_hat = model.fit(None, learn).forecast(STEPS)
            errors = mase(y_hat, ahead, learn)
            took = time.process_time() - start
            yield dict(zip(COLUMNS, (name, *summary(errors), f"{took:.1f}")))

    def table(self, rows):
        """One line per model."""
        table = Table("model", title=self.title)
        for heading in COLUMNS[1:]:
            table.add_column(heading.replace("_", " "), justify="right")
        for row in rows:
            table.add_row(*row.values())
        return table


def summary(errors):
    """Return the number of series, mean and median of their errors, and how many have none."""
    there = errors[np.isfinite(errors)]
    return (
        str(len(errors)),
        short(there.mean()),
        short(there.median()),
        str(len(errors) - len(there)),
    )


M4 = CompetitionSuite("M4 hourly, our half: MASE of 48 hours", is_pseudo=False)
PSEUDO = CompetitionSuite("M4 hourly, our half: MASE of the last 48 training rows", is_pseudo=True)

if __name__ == "__main__":
    from rich.console import Console

    rows = PSEUDO.rows("--quick" in sys.argv, print)
    Console().print(PSEUDO.table(list(rows)))
