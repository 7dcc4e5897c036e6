"""The pool: what is tried of a series, from the seasonal naive up to networks.

Linear models come first. They read levels, logarithms, changes, or what is left of a season, and
their penalties draw them towards a mean, a level or nothing: their errors are diverse, and so their
mean is better than any. What reads inputs comes next, then what has weights that vary by the hour;
networks last, of what has proved itself.
"""

from dataclasses import dataclass, field, replace
from itertools import product
from math import gcd

import numpy as np

from narxkit._stored import stored
from narxkit.auto.beside import Beside
from narxkit.forecasters.base import Forecaster
from narxkit.forecasters.baselines import ARX, SeasonalNaive
from narxkit.forecasters.exponential_smoothing import ExponentialSmoothing
from narxkit.forecasters.narx import NARX, TDNN
from narxkit.forecasters.transformed import TransformedForecaster

ALPHAS = (0.1, 1.0, 10.0, 30.0, 100.0)
STRONG = 100.0  # a penalty that leaves little but the level
MANY, EASE = 500, 100.0  # rows, from which on penalties are so many times smaller
N_RECENT = 13  # lags of the rows just before: a year of months and one, or half a day of hours
N_WITHOUT_SEASON = 4
DAY = 24  # rows of a season that are all read
AROUND = 2  # rows on each side of a season ago
LEVEL = 12  # rows whose mean is the level, where no short season says otherwise
SEEN = 3  # times that a season has to be seen
ROWS_PER_LAG = 2.5
ROWS_PER_SEASON = 5  # where each lag of a season has a weight of its own
CRITICAL = 1.645  # of the autocorrelation at the season, 90 %
HARMONICS_OF_WEIGHTS = 2  # of the hour
ALPHAS_OF_WEIGHTS = (3.0, 10.0)  # where they vary with it, about a short level and a long one
LEADS = 3  # rows ahead that inputs are read, too
N_FOR_LEADS = 500
N_FOR_NETWORKS = 200
SIZE = 6  # hidden units
ALPHAS_OPEN = (0.3, 3.0, 30.0)  # of networks trained over one step
ALPHAS_AHEAD = (30.0, 300.0)  # and over several
MOST_STEPS = 24  # of training rollouts
SIZE_OF_REGRESSION = 16  # hidden units of a network of inputs alone
ALPHAS_OF_REGRESSION = (0.1, 3.0)
HARMONICS = {"hour": 4, "day_of_week": 3}  # of the calendar that it reads
ORDERS = (1, 2, 4, 8)  # lags of inputs and outputs of a system
SYSTEM_NETWORKS = ((6, 0.1), (10, 1e-3), (10, 1e-6))  # hidden units, penalty
N_STARTS = 3  # of each: free runs have many minima
LARGE = 20_000  # rows, from which on only the cheapest of each kind are tried
MOST_BESIDE = 4  # columns that are forecast beside the outputs
MOST_TARGETS = 10_000  # rows that a network is trained on, spread over all
MAX_ITER = 50
LINEAR_ALPHA = 1.0


@dataclass(frozen=True)
class Candidate:
    """A forecaster that is tried.

    Attributes
    ----------
    name : str
        What it is, for a table.
    forecaster : Forecaster
        Not fitted.
    """

    name: str
    forecaster: Forecaster


@stored
@dataclass(frozen=True)
class Inputs:
    """What a model reads beside the outputs.

    Attributes
    ----------
    lags : sequence or dict
        Lags of the columns of X, as in NARX.
    calendar : list, dict or None
        Fields of the time stamps.
    name : str
        What to call them, behind "reading".
    """

    lags: tuple | dict = ()
    calendar: list | dict | None = None
    name: str = ""

    @property
    def parameters(self):
        """Parameters of the models."""
        return {"input_lags": self.lags, "calendar": self.calendar}

    def with_lags(self, lags):
        """Return the same with other lags."""
        return replace(self, lags=lags)

    def named(self, name):
        """Return a name that says what is read, too."""
        return f"{name}, reading {self.name}" if self.name else name


@stored
@dataclass(frozen=True)
class Series:
    """What is known of the outputs before anything is fitted.

    Attributes
    ----------
    n : int
        Rows of the longest segment.
    periods : tuple of int
        Rows of its seasons, the shortest first.
    adjusted : tuple of int
        Those of them that an autocorrelation tells, and a clock counts.
    is_positive : bool
        Whether all outputs are above 0, and nothing divides them.
    around : dict
        Parameters of all transformations, such as what divides the outputs.
    """

    n: int
    periods: tuple[int, ...]
    adjusted: tuple[int, ...]
    is_positive: bool
    around: dict = field(default_factory=dict)

    @property
    def short(self):
        """Rows of the shortest season, 1 without any."""
        return self.periods[0] if self.periods else 1

    @property
    def long(self):
        """Rows of the longest season, 1 without any."""
        return self.periods[-1] if self.periods else 1

    @property
    def level(self):
        """Rows whose mean is the level."""
        rows = self.short if 1 < self.short <= DAY else LEVEL
        return max(min(rows, self.n // SEEN), 2)

    @property
    def ease(self):
        """How many times smaller penalties are than those of a short series."""
        return EASE if self.n >= MANY else 1.0

    @property
    def log(self):
        """The transformation of outputs that have a logarithm."""
        return {"transform": "log"} if self.is_positive else {}

    @property
    def scale(self):
        """What the outputs are read as."""
        return "logarithms" if self.is_positive else "levels"

    def recent(self, n):
        """Return lags of the rows just before, for n rows to learn from."""
        most = N_RECENT if self.periods else N_WITHOUT_SEASON
        return [lag for lag in range(1, most + 1) if lag < n / SEEN] or [1]

    def lags(self, n):
        """Return lags of the rows just before and of those a season ago, for n rows."""
        most = self.short + 1 if 1 < self.short <= DAY else N_RECENT
        lags = set(range(1, (most if self.periods else N_WITHOUT_SEASON) + 1))
        for period in self.periods:
            lags |= set(range(max(period - AROUND, 1), period + AROUND + 1))
        return sorted(lag for lag in lags if lag < n / ROWS_PER_LAG) or [1]

    def transformed(self, forecaster, **transforms):
        """Put a forecaster into what divides and transforms the outputs."""
        transforms = self.around | transforms
        return TransformedForecaster(forecaster, **transforms) if transforms else forecaster


def linear_pool(series):
    """Return linear models of the outputs alone.

    Parameters
    ----------
    series : Series

    Returns
    -------
    list of Candidate
        The seasonal naive first.
    """
    n, long, log, of, ease = series.n, series.long, series.log, series.scale, series.ease
    lags, recent, level = series.lags(n), series.recent(n), series.level
    season = {"season": series.adjusted} if series.adjusted else {}
    adjusted = f"adjusted {of}" if season else of
    alone = Inputs()
    pool = [
        Candidate("seasonal naive" if long > 1 else "last value", SeasonalNaive(long)),
        Candidate(
            f"theta of {adjusted}", series.transformed(ExponentialSmoothing(), **log, **season)
        ),
        Candidate(
            f"ARX of {of} about their level",
            series.transformed(arx(lags, alone, 1.0 / ease, level=level), **log),
        ),
        Candidate(
            f"ARX of {of} about their level, with drift",
            series.transformed(arx(lags, alone, 10.0 / ease, level=level, drift=0.5), **log),
        ),
        Candidate(
            f"ARX of {adjusted} about their level, with drift, recent lags",
            series.transformed(
                arx(recent, alone, STRONG / ease, level=level, drift=0.5), **log, **season
            ),
        ),
        Candidate(
            f"ARX of changes of {of}",
            series.transformed(arx(series.lags(n - 1), alone, 1.0), difference=[1], **log),
        ),
    ]
    if DAY < series.short < n / ROWS_PER_SEASON:
        every = [*range(1, series.short + AROUND + 1)]
        for what, transforms in {of: log, "levels": {}}.items():
            model = series.transformed(arx(every, alone), **transforms)
            pool.append(Candidate(f"ARX of {what}, all lags of a season", model))
    if season:
        model = series.transformed(arx(recent, alone), **log, **season)
        pool.append(Candidate(f"ARX of {adjusted}", model))
    if long > 1 and n > 2 * long + 2 * LEVEL:
        model = series.transformed(arx(lags, alone, 1.0 / ease, level=long), **log)
        pool.append(Candidate(f"ARX of {of} about the level of a season", model))
        changes = arx(series.recent(n - long), alone, STRONG / ease, level=0)
        model = series.transformed(changes, difference=[long], **log)
        pool.append(Candidate(f"ARX of changes over a season of {of}", model))
    return pool


def bears_periodic(series, fields):
    """Tell whether there is an hour to read, and rows enough for weights that vary with it.

    What is divided by a clear sky counts nothing by night, which would leave those hours free.
    """
    has_hour = fields is not None and "hour" in fields and series.short > 1
    return has_hour and series.n >= MANY and not series.around


def periodic_pool(series, inputs):
    """Return linear models whose weights vary with the hour, about the levels of both seasons.

    Parameters
    ----------
    series : Series
        One that `bears_periodic` weights.
    inputs : Inputs
        What the best linear model reads that reads no calendar.

    Returns
    -------
    list of Candidate
    """
    lags, pool, of = series.lags(series.n), [], series.scale
    varying = replace(inputs, calendar={"hour": HARMONICS_OF_WEIGHTS})
    levels = {"their level": series.level}
    if series.long > series.level:
        levels["the level of a season"] = series.long
    for (which, level), alpha in zip(levels.items(), ALPHAS_OF_WEIGHTS):
        model = arx(lags, varying, alpha / series.ease, level=level, periodic=True)
        name = f"ARX of {of} about {which}, with weights by the hour"
        pool.append(Candidate(inputs.named(name), series.transformed(model, **series.log)))
    return pool


def arx(output_lags, inputs, alphas=ALPHAS, **parameters):
    """Return a linear model, under one penalty or one of several."""
    alphas = list(np.atleast_1d(alphas))
    return ARX(output_lags=output_lags, alphas=alphas, **inputs.parameters, **parameters)


def choices_of_inputs(series, columns, fields):
    """Return what models may read beside the outputs, the least first.

    Parameters
    ----------
    series : Series
    columns : list
        Columns of X to read.
    fields : list, dict or None
        Of the calendar.

    Returns
    -------
    list of Inputs
    """
    lags = {}
    if columns:
        lags = {"inputs": (0,), "inputs and those before": (0, 1, 2)}
        if series.n >= N_FOR_LEADS:
            lags["inputs before and ahead"] = tuple(range(-LEADS, LEADS + 1))
    choices = [Inputs(dict.fromkeys(columns, which), None, name) for name, which in lags.items()]
    if fields is not None:
        choices += [Inputs(one.lags, fields, f"{one.name} and the calendar") for one in choices] + [
            Inputs((), fields, "the calendar")
        ]
    return choices


def in_detail(inputs):
    """Return the same inputs with more harmonics of the calendar."""
    if not isinstance(inputs.calendar, list):
        return inputs
    fields = {}
    for one in inputs.calendar:
        fields |= one if isinstance(one, dict) else {one: HARMONICS.get(one)}
    return replace(inputs, calendar=fields)


def pool_with_inputs(series, choices):
    """Return linear models that read inputs, with what they read and transform.

    Parameters
    ----------
    series : Series
    choices : list of Inputs

    Returns
    -------
    list of (Candidate, Inputs, dict)
    """
    lags, pool = series.lags(series.n), []
    scales = {"levels": {}} if series.n > LARGE else {"levels": {}, series.scale: series.log}
    for inputs in choices:
        for of, log in scales.items():
            model = series.transformed(arx(lags, inputs), **log)
            pool.append((Candidate(inputs.named(f"ARX of {of}"), model), inputs, log))
    return pool


def pool_beside(series, readers, columns):
    """Return linear models that forecast columns of X beside the outputs.

    Parameters
    ----------
    series : Series
    readers : list of (Inputs, dict)
        What the best linear models read and transform, the best one first.
    columns : list
        Columns that are known up to the origin alone.

    Returns
    -------
    list of Candidate
    """
    choices = {", recent lags": series.recent(series.n), "": series.lags(series.n)}
    if series.n > LARGE:
        choices.popitem()
        readers = readers[:1]
    pool = []
    for which, lags in choices.items():
        for inputs, transforms in readers:
            of = "logarithms" if transforms else "levels"
            model = series.transformed(Beside(arx(lags, inputs), columns), **transforms)
            name = f"ARX of {of} and of {' and '.join(map(str, columns))} beside them{which}"
            pool.append(Candidate(inputs.named(name), model))
    return pool


def networks(series, inputs, transforms, loop, random_state, n_starts=1):
    """Return NARX networks of several penalties, or linear models trained over several steps.

    Parameters
    ----------
    series : Series
    inputs : Inputs
        What the best linear model reads.
    transforms : dict
        What it transforms.
    loop : "open" or int
        The rollouts that training minimises.
    random_state : int
        Seed.
    n_starts : int
        Initial weights of each, whose median forecasts: much of one alone is chance.

    Returns
    -------
    list of Candidate
    """
    lags, pool = series.lags(series.n), []
    of = "logarithms" if transforms else "levels"
    steps = "one step" if loop == "open" else f"{loop} steps"
    for alpha in ALPHAS_OPEN if loop == "open" else ALPHAS_AHEAD:
        model = NARX(
            output_lags=lags,
            hidden_layer_sizes=(SIZE,),
            alpha=alpha,
            linear_alpha=0.0,
            loop=loop,
            max_iter=MAX_ITER,
            n_restarts=n_starts,
            combine="median",
            random_state=random_state,
            **inputs.parameters,
        )
        name = f"NARX of {of}, {SIZE} hidden units, alpha {alpha:g}, trained over {steps}"
        pool.append(Candidate(inputs.named(name), series.transformed(model, **transforms)))
    return pool


def linear_over_steps(series, inputs, transforms, loop):
    """Return the linear model of the same rows, trained over several steps."""
    model = NARX(
        output_lags=series.lags(series.n),
        hidden_layer_sizes=(),
        linear_alpha=LINEAR_ALPHA,
        loop=loop,
        max_iter=MAX_ITER,
        **inputs.parameters,
    )
    of = "logarithms" if transforms else "levels"
    name = inputs.named(f"linear model of {of}, trained over {loop} steps")
    return Candidate(name, series.transformed(model, **transforms))


def regressions(series, inputs, transforms, random_state):
    """Return networks of the inputs at their own rows, with a linear model of what they leave.

    Parameters
    ----------
    series : Series
    inputs : Inputs
        The inputs, with the calendar in detail.
    transforms : dict
        What the best linear model transforms.
    random_state : int
        Seed.

    Returns
    -------
    list of Candidate
    """
    of, alone = "logarithms" if transforms else "levels", Inputs()
    pool = []
    for alpha in ALPHAS_OF_REGRESSION:
        network = TDNN(
            hidden_layer_sizes=(SIZE_OF_REGRESSION,),
            alpha=alpha,
            max_iter=MAX_ITER,
            random_state=random_state,
            **inputs.parameters,
        )
        for lags, which in (
            (series.recent(series.n), "recent lags"),
            (series.lags(series.n), "all lags"),
        ):
            model = arx(lags, alone)
            name = (
                f"ARX of what a network of {SIZE_OF_REGRESSION} hidden units, alpha {alpha:g}, "
                f"leaves of {of}, {which}"
            )
            model = series.transformed(model, regression=network, **transforms)
            pool.append(Candidate(inputs.named(name), model))
    return pool


def systems(series, order, columns, ignored, output_range, seeds):
    """Return models of one order that run freely on their inputs: a linear one, then networks.

    What a network has learned from some rows is where it starts from with all of them: the minimum
    that was judged is the one that is kept.

    Parameters
    ----------
    series : Series
    order : int
        Lags of inputs and outputs.
    columns, ignored : list
        Columns of X to read, and the others.
    output_range : tuple (low, high) or None
        What bounds the outputs, and what is fed back.
    seeds : sequence of int
        Of the networks of each size and penalty.

    Returns
    -------
    list of Candidate
        None where there are too few rows.
    """
    if order >= series.n / (SEEN * ROWS_PER_LAG):
        return []
    lags = dict.fromkeys(columns, order) | {name: () for name in ignored} or ()
    known = {"input_lags": lags, "output_lags": order, "output_range": output_range}
    pool = [Candidate(f"ARX of order {order}", series.transformed(ARX(**known)))]
    for (size, alpha), seed in product(SYSTEM_NETWORKS, seeds):
        model = NARX(
            hidden_layer_sizes=(size,),
            alpha=alpha,
            linear_alpha=0.0,
            loop="closed",
            warm_start=True,
            random_state=seed,
            **known,
        )
        name = f"NARX of order {order}, {size} hidden units, alpha {alpha:g}, closed loop"
        pool.append(Candidate(f"{name}, start {seed - seeds[0] + 1}", series.transformed(model)))
    return pool


def thinned(weight, series):
    """Return weights of at most 10,000 rows spread over all, so that all times of a day are met."""
    step = -(-int((weight > 0).sum()) // MOST_TARGETS)
    while gcd(step, series.long) > 1:
        step += 1
    thin = np.where(np.arange(len(weight)) % step, 0.0, weight)
    return thin if thin.any() else weight


def is_seasonal(y, period):
    """Tell whether the autocorrelation at a period is beyond what chance makes of those before."""
    y = y[np.isfinite(y)]
    if len(y) < SEEN * period:
        return False
    left = y - y.mean()
    total = left @ left
    if not total > 0:
        return False
    rho = np.array([left[lag:] @ left[:-lag] for lag in range(1, period + 1)]) / total
    return bool(abs(rho[-1]) > CRITICAL * np.sqrt((1 + 2 * (rho[:-1] ** 2).sum()) / len(y)))
