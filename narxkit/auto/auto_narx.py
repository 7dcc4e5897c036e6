"""AutoNARX: a series and a horizon in, a combination of forecasters out."""

import warnings
from dataclasses import replace
from numbers import Integral, Real
from types import SimpleNamespace

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions

from narxkit._warn import warn
from narxkit.auto.pool import Series, is_seasonal
from narxkit.auto.seasons import SEEN, fields_of, periods_of
from narxkit.auto.selection import Selection
from narxkit.auto.weights import weighted_mean, weighted_median
from narxkit.forecasters.base import Forecaster
from narxkit.forecasters.inner import union_of
from narxkit.forecasters.output_transforms import Division, read_periods
from narxkit.rows.columns import ColumnRoles
from narxkit.rows.reach import of_outputs
from narxkit.solvers import raise_if_interrupted, remember_interrupt

FEWEST = 6  # rows to learn from, beside a horizon
FEWEST_OF_SYSTEM = 16  # rows, the last quarter of which is run freely


class AutoNARX(Forecaster):
    r"""Forecast without knowing the craft: a pool of models, judged and combined by their errors.

    .. math::

        \hat y_{o+h} = \sum_m w_m \, \hat y^{(m)}_{o+h}, \qquad
        w_m \propto e_m^{-p}, \quad p = \min(\max(n / 6H, 1/2), 3)

    with e the error of a model over rollouts of H = `horizon` steps from rolling origins inside
    the training rows, each fitted to the rows before (the geometric mean of mean absolute and root
    mean squared errors), and n the rows. Long series, of 2,000 rows and 120 horizons (in panels in
    the mean over the segments), are judged by the root mean squared error over blocks that are left
    out in turn, so that all times of a year are learned and judged, and the weights are those of
    least squares over these rollouts, none below zero, drawn to the former ones.

    The pool: the seasonal naive as the floor; linear models of levels, logarithms, changes,
    seasonally adjusted series and deviations from a level, with what helps of inputs, their lags
    and leads and the calendar, and with weights that vary with the hour; networks of the inputs
    with a linear model of what they leave; and NARX networks of several penalties and rollout
    lengths, as far as they are level with the best linear model. Whether a network is in the end
    among them, `describe` says.

    Parameters
    ----------
    horizon : int or "simulation", default=1
        Steps ahead that forecasts are for; `predict` may go beyond, the rollouts go on.
        "simulation" is for systems that run freely on their inputs: models of several orders,
        sizes, penalties and starts are judged by free runs to the end of the training rows, go on
        to learn from all of them, of each segment the last 16,000, and are asked by ``simulate``;
        their weighted median answers, which one that goes astray does not carry along.
    season : "auto", int, sequence of int or None, default="auto"
        Rows of the seasons. "auto" takes those of the clock (a day and a week, a week and a year,
        or a year) as far as they are seen three times, and without a clock what
        `narxkit.diagnostics.find_season` finds.
    calendar : "auto", sequence, dict or None, default="auto"
        Fields of the time stamps that models may read, as in NARX. "auto" offers the hour of steps
        below a day and the day of the week of steps up to a day.
    holidays : str or tuple (country, region), default=None
        Country of holidays that the calendar holds, such as "DE"; with ``calendar="auto"`` only.
    divide_by : str or int, default=None
        A column of X that divides the outputs, as in TransformedForecaster: a clear sky, installed
        capacity, working hours.
    past_inputs : sequence of str or int, default=()
        Columns of X that are known up to the origin alone, such as a temperature that was measured:
        linear models forecast them beside the outputs, as far as that helps. All others are taken
        to be known for the rows to forecast.
    networks : bool, default=True
        Whether networks are tried; linear models alone take a fraction of the time.
    output_range : tuple (low, high), default=None
        Bounds of the output, each a number, a column name of X or None.
    time_limit : float, default=None
        Seconds after which no further candidate is tried; the last fits may exceed them.
    random_state : int, RandomState or None, default=None
        Seed of the networks.
    verbose : bool or int, default=False
        Whether to print a line for each candidate.

    Attributes
    ----------
    candidates_ : DataFrame
        What was tried: ``candidate``, ``error`` (in the units of y; of several outputs in standard
        deviations), ``weight``, ``network_lives`` and ``seconds``.
    seasons_ : list of int
        Rows of the seasons.
    max_lag_ : int
        Rows of history that a prediction needs.
    lead_ : int
        0: beyond the rows of X that are known, models with leads take the inputs to stay.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, when X has any.

    See Also
    --------
    NARX : One network, with lags and penalties of your own.
    TransformedForecaster : Logarithms, seasons and differences around any forecaster.
    PerSeries : One model for each of many series.

    Notes
    -----
    Everything is chosen inside the rows given to ``fit``, so that it may be cross-validated. As
    long as no `time_limit` cuts it, the same `random_state` gives the same forecasts. Forecasts
    stay within one range of the training outputs beyond the least and the largest, and above 0
    where no output was below. Ctrl-C while candidates are tried keeps those that were judged, and
    during the last fits those that were made, with a warning; the next fit in the same script or
    statement then ends, and so does a search of scikit-learn around this one. The first intervals
    refit what was chosen, under the same weights, which takes about as long as ``fit``.

    References
    ----------
    Bates and Granger 1969, "The combination of forecasts", Operational Research Quarterly 20,
    451-468. Assimakopoulos and Nikolopoulos 2000 for the Theta method among the candidates.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from narxkit import AutoNARX
    >>> t = np.arange(120)
    >>> y = pd.Series(
    ...     np.exp(5 + 0.01 * t + 0.2 * np.sin(np.pi * t / 6)),
    ...     index=pd.date_range("2010-01", periods=120, freq="MS"),
    ... )
    >>> model = AutoNARX(horizon=12, networks=False).fit(None, y[:108])
    >>> error = (model.forecast(12) / y[108:] - 1).abs().max()
    >>> model.seasons_, bool(error < 0.02)
    ([12], True)
    """

    _parameter_constraints: dict = {
        "horizon": [Interval(Integral, 1, None, closed="left"), StrOptions({"simulation"})],
        "season": "no_validation",
        "calendar": "no_validation",
        "holidays": "no_validation",
        "divide_by": [str, Integral, None],
        "past_inputs": "no_validation",
        "networks": ["boolean"],
        "output_range": "no_validation",
        "time_limit": [Interval(Real, 0, None, closed="neither"), None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        horizon=1,
        season="auto",
        calendar="auto",
        holidays=None,
        divide_by=None,
        past_inputs=(),
        networks=True,
        output_range=None,
        time_limit=None,
        random_state=None,
        verbose=False,
    ):
        self.horizon = horizon
        self.season = season
        self.calendar = calendar
        self.holidays = holidays
        self.divide_by = divide_by
        self.past_inputs = past_inputs
        self.networks = networks
        self.output_range = output_range
        self.time_limit = time_limit
        self.random_state = random_state
        self.verbose = verbose

    # ------------------------------------------------------------ what was chosen
    def describe(self):
        """Say in two sentences what was chosen and why, and whether a network lives in it.

        Returns
        -------
        str
            The sentences.
        """
        self._check_fitted()
        best, floor = max(self._members, key=lambda member: member.weight), self._floor
        against = ""
        if self.horizon != "simulation" and 0 < floor.error < np.inf:
            against = f", with {best.error / floor.error:.2f} times the error of the {floor.name}"
        return (
            f"{len(self._members)} of {len(self.candidates_)} candidates are combined by their "
            f"errors {self._judged}; the most weight, {best.weight:.0%}, has the "
            f"{best.name}{against}. {self._say_whether_networks_live()}"
        )

    def _say_whether_networks_live(self):
        best = self._best_alive
        if best is None:
            tried = "no network was tried" if not self._n_networks else "none was good enough"
            return f"No network lives in it: {tried}."
        weight = sum(member.weight for member in self._members if member.lives)
        return f"A network lives in {weight:.0%} of the weight; the best is the {best.name}."

    @property
    def _best_alive(self):
        """The best member in which a network lives, or None."""
        alive = [member for member in self._members if member.lives]
        return min(alive, key=lambda member: member.error, default=None)

    @property
    def best_network_(self):
        """The best single model in which a network lives, fitted to all rows; None without one."""
        self._check_fitted()
        best = self._best_alive
        if best is None:
            return None
        return best.inner.continuing(self._history.names, self._history.tails)

    # ------------------------------------------------------------ before training
    @property
    def columns(self):
        """The columns of X."""
        return self._roles.columns

    @property
    def bound_names(self):
        """The columns of X that bound the output."""
        return self._bounds.bound_names

    @property
    def has_own_calendar(self):
        """Whether it has chosen the fields of the calendar itself, without holidays."""
        return isinstance(self.calendar, str) and self.holidays is None

    @property
    def fields(self):
        """The fields of the calendar that models may read."""
        return self._fields

    @property
    def _reads_times(self):
        return any(member.inner.reads_times for member in self._members)

    def _read_roles(self, table):
        self._fields = self._calendar_of(table)
        self._bounds = ColumnRoles.read(table, SimpleNamespace(output_range=self.output_range))
        # all columns are inputs here: what each forecaster reads of them is for it to say
        whole = SimpleNamespace(output_range=None, calendar=self._fields)
        return ColumnRoles.read(table, whole)

    def _calendar_of(self, table):
        return fields_of(table, self.calendar, self.holidays)

    def _read_clocks(self, table):
        self._members, self._table, self._given = [], table, []
        self._series = self._read_series(table)
        self.seasons_ = list(self._series.periods)

    def _read_series(self, table):
        key = max(table.series, key=lambda key: len(table.series[key]))
        n, y = int(np.diff(table.edges).max()), table.y[table.series[key]][:, 0]
        self._refuse_short(n)
        self._check_past_inputs()
        periods = self._read_season(table, key, n)
        is_positive = self.divide_by is None and bool(np.nanmin(table.y, initial=np.inf) > 0)
        around = {}
        if self.divide_by is not None:
            # refuses a column that cannot divide, which every candidate would else be left for
            Division.read(table, self.divide_by, self._roles.columns)
            around = {"divide_by": self.divide_by}
        values = np.log(y) if is_positive else y
        adjusted = _adjusted(values, periods) if _is_counted(table) and not around else ()
        return Series(n, periods, adjusted, is_positive, around)

    def _refuse_short(self, n):
        is_system = self.horizon == "simulation"
        needed = FEWEST_OF_SYSTEM if is_system else FEWEST + self.horizon
        more = "" if is_system else f", {FEWEST} more than are forecast"
        remedy = "" if is_system else " or a smaller horizon"
        if n < needed:
            raise ValueError(
                f"horizon={self.horizon!r} needs at least {needed} rows{more}, but the longest "
                f"segment of y has {n}: give a longer series{remedy}."
            )

    def _check_past_inputs(self):
        if isinstance(self.past_inputs, str):
            raise ValueError(
                f"past_inputs must be a sequence of columns. Got {self.past_inputs!r} instead."
            )
        used = [self.divide_by, *self.bound_names]
        for name in self.past_inputs:
            if name not in self.columns or name in used:
                raise ValueError(
                    f"past_inputs name {name!r}, which is no column of X that could be read: it "
                    f"has {self.columns}, and those that divide or bound the output must be known "
                    "ahead."
                )
        if self.past_inputs and self.horizon == "simulation":
            raise ValueError(
                "past_inputs are read up to an origin, and a free run over all rows has none: give "
                "a horizon, or leave them out."
            )

    def _read_season(self, table, key, n):
        if self.season is None or self.season == 1:
            return ()
        if isinstance(self.season, str) and self.season == "auto":
            return tuple(periods_of(table, key))
        periods = read_periods(self.season)
        if SEEN * periods[-1] > n:
            raise ValueError(
                f"season={self.season!r} must be seen {SEEN} times, in {SEEN * periods[-1]} rows, "
                f"but the longest segment of y has {n}: give a longer series, a shorter season or "
                "season=None."
            )
        return periods

    def _make_reach(self, columns, n_outputs):
        if not self._members:  # before any is chosen
            return of_outputs([1], n_outputs)
        names = self._roles.calendar_names
        members = {*self._members, self._floor}
        reach = union_of(member.inner.reach_outside(names) for member in members)
        # beyond the rows that are known inputs stay as they were
        return replace(reach, inputs=tuple((c, max(lag, 0)) for c, lag in reach.inputs))

    # ------------------------------------------------------------ training
    def _train(self, segments, weight):
        raise_if_interrupted()  # a loop of fits ends where the next one begins
        self._y_mean, self._y_std = super()._units(segments.y[weight > 0])
        low, high = np.nanmin(segments.y, axis=0), np.nanmax(segments.y, axis=0)
        if (low == high).any():
            warn("y is constant in the training rows: forecasts will repeat it.")
        self._within = np.where(low >= 0, 0.0, low - (high - low)), high + (high - low)
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        selection = Selection(
            self, self._series, self._table, segments, weight, seed, self._y_std, self._within
        )
        del self._table
        with warnings.catch_warnings():
            # of candidates: what becomes of them says the table
            warnings.filterwarnings("ignore", "(?!interrupted after)")
            if self._given:
                selection.take(self._given)
            else:
                selection.run()
            selection.fit()
        if not self._given:
            selection.tell_lost()
        del self._given
        self._keep(selection)
        if selection.was_interrupted:
            remember_interrupt()

    def _take_choices(self, fitted):
        # a model that was saved holds the floor twice where it has a weight
        others = [member for member in fitted._members if member.name != fitted._floor.name]
        self._given = [fitted._floor, *others]

    def _keep(self, selection):
        self._members, self._floor = selection.chosen, selection.floor
        self._n_networks = sum(bool(member.networks) for member in selection.members)
        self._judged = (
            f"over {selection.n_rollouts} rollouts behind {len(selection.judge.folds)} fits inside "
            "the training rows"
        )
        unit = self._y_std[0] if len(self._y_std) == 1 else 1.0
        self.candidates_ = pd.DataFrame(
            [(m.name, m.error * unit, m.weight, m.lives, m.seconds) for m in selection.members],
            columns=["candidate", "error", "weight", "network_lives", "seconds"],
        )
        self._read_reach()

    # ------------------------------------------------------------ rollouts
    def _limits(self, X):
        low, high = self._bounds.bounds(X)
        least = np.where(self._within[0] == 0.0, 0.0, -np.inf) + np.zeros((len(X), 1))
        return (least, np.full_like(least, np.inf)) if low is None else (np.fmax(low, least), high)

    def _run(self, rollouts):
        runs = (
            member.inner.run(rollouts.lengthened(member.inner.reach.lead))
            for member in self._members
        )
        combine = weighted_median if self.horizon == "simulation" else weighted_mean
        y_hat, bads = combine(runs, [member.weight for member in self._members], self._within)
        if (bads >= 0).all(axis=0).any():  # all have diverged, or miss what they read
            floor, bad = self._floor.inner.run(rollouts)
            y_hat = np.where(np.isfinite(y_hat), y_hat, floor)
            bads = np.append(bads, bad[None], axis=0)
        return self._clip(y_hat, rollouts), np.where((bads < 0).any(axis=0), -1, bads.max(axis=0))

    def _clip(self, y_hat, rollouts):
        low, high = self._bounds.bounds(rollouts.segments.u)
        if low is None:
            return y_hat
        segments = rollouts.segments.replace(low=low, high=high)
        return rollouts.replace(segments=segments).clip(y_hat)

    def _units(self, y):
        return self._y_mean, self._y_std


def _is_counted(table):
    """Tell whether one clock counts the rows of all series."""
    clocks = set(table.clocks.values()) if table.times is not None else set()
    return len(clocks) == 1 and next(iter(clocks)).counts


def _adjusted(y, periods):
    """Return the seasons that the autocorrelation tells, each a multiple of the one before."""
    found = []
    for period in periods:
        if (not found or period % found[-1] == 0) and is_seasonal(y, period):
            found.append(period)
    return tuple(found)
