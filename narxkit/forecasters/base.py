"""The verbs that every forecaster has, built on one idea: the rollout.

A rollout starts at an origin with measured history and runs on its own output. `Forecaster` turns
what users ask for into rollouts and their answers back into rows; what a subclass must know is how
what it reads (`_make_reach`), how to train (`_train`) and how to run rollouts (`_run`).
"""

from abc import ABCMeta, abstractmethod
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from narxkit._checks import is_count
from narxkit._moments import moments
from narxkit._stored import stored
from narxkit._warn import warn, warn_of_interruption
from narxkit.forecasters.initial_state import fitted_start, is_estimate, rows_of_steps
from narxkit.forecasters.intervals import Forecast, Runs, Wanted, calibrate
from narxkit.forecasters.origins import Origins
from narxkit.forecasters.runner import Runner, warn_of_divergence
from narxkit.rows.clock import take
from narxkit.rows.columns import ColumnRoles
from narxkit.rows.history import History, refuse_seams
from narxkit.rows.labels import as_elapsed, first_difference, labels_of
from narxkit.rows.rollouts import Rollouts
from narxkit.rows.table import (
    advise_asfreq,
    count_rows,
    describe_seams,
    read_outputs,
    read_table,
    refuse_infinite,
)


@stored
class TrainedOn(NamedTuple):
    """The rows that a model was fitted to: their number, first and last label, units by column."""

    n_rows: int
    first: pd.Timestamp | pd.Timedelta | pd.Period | int | float | None
    last: pd.Timestamp | pd.Timedelta | pd.Period | int | float | None
    units: dict

    @classmethod
    def of(cls, table, X, y):
        """Take it from a table, and units from the `attrs` of the frames that it was read from."""
        labels = table.index if table.times is None else table.times
        labels = as_elapsed(labels) if table.is_elapsed else labels
        if isinstance(labels, pd.MultiIndex):
            labels = labels.get_level_values(-1)
        ends = (None, None) if labels is None else (labels.min(), labels.max())
        units = {**_units(X), **_units(y)}
        columns = [*(table.columns or ()), *table.outputs]
        return cls(len(table), *ends, {c: units[c] for c in columns if c in units})


class Verbs(RegressorMixin, BaseEstimator, metaclass=ABCMeta):
    """Base class of what has the verbs of a forecaster, for one series or for each of a panel.

    A subclass has `_y_ndim` once it is fitted: how y was given.
    """

    @abstractmethod
    def _origins(self, X, y, segments=None, after_state=False, is_free_run=False):
        """Return measured rows, ready for rollouts from any of them."""

    def predict_ahead(self, X, y=None, steps=1, segments=None):
        r"""Predict every row some steps ahead, from measured history.

        Row t holds the prediction of y_t from outputs up to t - steps and inputs up to t (plus
        leads). Only the arguments are used, never the fitted state.

        Parameters
        ----------
        X : array-like of shape (n, n_features) or None
            Inputs.
        y : array-like of shape (n,) or (n, n_outputs)
            Measured outputs; a missing one is replaced by the model's one-step prediction.
        steps : int or sequence of int, default=1
            How many steps ahead; a sequence adds a last axis.
        segments : array-like of shape (n,), optional
            Segment labels, as in ``fit``.

        Returns
        -------
        ndarray of the shape of y, or (\*y.shape, len(steps))
            NaN where the rollout lacks history.
        """
        horizons = read_horizons(steps)
        ahead = self._shape(self._origins(X, y, segments).ahead(horizons))
        return ahead if np.iterable(steps) else ahead[..., 0]

    def save(self, path):
        """Write the fitted model to a file, from which `narxkit.load` brings it back.

        Parameters
        ----------
        path : str or path
            The file, such as ``"solar.narx"``; one that is there is replaced in one step.

        Raises
        ------
        ValueError
            When a parameter is a function or an object of a class of your own.
        OSError
            When the file cannot be written; an earlier one then stays.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> import narxkit
        >>> model = narxkit.ARX(output_lags=1, alphas=[0.0]).fit(None, [1.0, 2, 4, 8, 16])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.save(Path(folder) / "m.narx")
        ...     narxkit.load(Path(folder) / "m.narx").forecast(2).round().tolist()
        [32.0, 64.0]
        """
        from narxkit.export import save  # rarely needed

        save(self, path)

    def _shape(self, values):
        return values[:, 0] if self._y_ndim == 1 else values

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.target_tags.multi_output = True
        return tags


class Forecaster(Verbs):
    """Base class of all forecasters: ``fit`` and the verbs that need a fitted model."""

    _reads_times = False  # of the rows that are predicted

    @abstractmethod
    def _make_reach(self, columns, n_outputs):
        """Return what a prediction of a model with these input columns reads."""

    def _calendar_of(self, table):
        """Return the fields of the time stamps of a table that it reads, or None."""
        return getattr(self, "calendar", None)

    def _read_roles(self, table):
        """Read how the columns are used; a subclass that has others read them does it here."""
        return ColumnRoles.read(table, self)

    def _read_clocks(self, table):
        """Read nothing; a subclass whose reach follows from the clocks does it here."""

    def _check_outputs(self, X, y):
        """Refuse no outputs; a subclass that cannot take all numbers does it here."""

    @abstractmethod
    def _train(self, segments, weight):
        """Learn from `segments`; `weight` has one number per row."""

    @abstractmethod
    def _run(self, rollouts):
        """Return predictions (n, n_steps, n_outputs) and the first bad step of each rollout."""

    @property
    def _y_ndim(self):
        return self._roles.y_ndim

    @property
    def _runner(self):
        return Runner(self._reach, self._run, self._units)

    # ------------------------------------------------------------ fit and update
    def fit(self, X, y=None, sample_weight=None, segments=None):
        """Fit the model.

        Parameters
        ----------
        X : array-like of shape (n, n_features) or None
            Inputs; None, or a frame with an index and no columns, for a model of y alone.
        y : array-like of shape (n,) or (n, n_outputs)
            Outputs; NaN where missing.
        sample_weight : array-like of shape (n,), optional
            Weight of each row's squared error; 0 makes a row history only.
        segments : array-like of shape (n,), optional
            One label per row; no lag crosses a change of label.

        Returns
        -------
        self
            The fitted model. Ctrl-C ends the training of a network early and keeps the best
            weights so far, with a warning and ``stop_`` INTERRUPTED; the next fit in the same
            script, or the same statement at a prompt or in a notebook, then raises
            KeyboardInterrupt where it begins, so that a loop of fits ends. A second Ctrl-C breaks
            the fit off with KeyboardInterrupt, and so does the first one in a search of
            scikit-learn, which would score the truncated fit as a whole one; the model then is
            as it was before.

        Raises
        ------
        ValueError
            When there are too few rows, values are infinite or no numbers, time stamps are
            unsorted or repeated, plain numbers of an index are unsorted, tables side by side
            have other labels than each other, or a parameter is out of its range.
        """
        self._validate_params()
        with restored_on_error(self):
            table = read_table(self, X, y, sample_weight=sample_weight, segments=segments)
            self._prepare(table)
            rows = self._roles.segments(table)
            self._check_rows(rows, table)
            self._warn_of_short_segments(table, rows)
            # segments stand series after series, and so do the weights
            weight = np.ones(len(rows)) if table.weight is None else table.in_order(table.weight)
            self._train(rows, weight)
            names = [None] if table.index is None else list(table.index.names)
            # an empty one: rows of an earlier fit are no history of these
            self._history = History(self._reach, names, {})
            self._remember(table)
            self._trained_on = TrainedOn.of(table, X, y)
            # intervals ask for errors on rows that no weight was fitted to: for fits without them
            self._fitted_to, self._calibration = table.kept(), None
        return self

    def _prepare(self, table):
        """Read from the training rows what a prediction will read, before anything is learned."""
        self._roles = self._read_roles(table)
        self._read_clocks(table)
        self._read_reach()
        self._roles.check(table)

    def _read_reach(self):
        """Read which rows a prediction needs; again after training where that chooses lags."""
        self._reach = self._make_reach(self._roles.input_names, self._roles.n_outputs)
        self.max_lag_, self.lead_ = self._reach.history, self._reach.lead

    def _take_choices(self, fitted):
        """Take over what a fitted forecaster of these parameters has chosen among candidates.

        Training then fits that alone. Most choose nothing that costs more than the fit.
        """

    def update(self, X, y=None):
        """Take new measurements: move the state, keep the weights.

        Parameters
        ----------
        X : array-like of shape (n, n_features) or None
            Inputs of the rows after the last one seen.
        y : array-like of shape (n,) or (n, n_outputs)
            Their measured outputs; a missing one is replaced by the model's one-step prediction.

        Returns
        -------
        self
            The same model, its state moved on. After a gap, and for a series not seen before, the
            state begins with the new rows.

        Raises
        ------
        ValueError
            When the rows begin before the last one seen.
        """
        self._refuse_both_ways()
        table = self._labelled(self._read(X, y=y))
        calibration = self._calibration_after(table)
        self._remember(table)
        self._calibration = calibration
        return self

    def _calibration_after(self, table):
        """Return what is known of the errors after new rows, where it was asked for before."""
        if vars(self).get("_calibration") is None:
            return None
        self._check_outputs(table.X, table.y)
        return self._calibration.moved_on(self._runner, self._filled_segment, self._bend, table)

    def _filled_segment(self, X, y, times):
        segment = self._roles.segment(X, y, times)
        return segment.replace(y=self._filled(segment))

    def _remember(self, table):
        """Move the state of every series, or of none where one is refused."""
        self._check_outputs(table.X, table.y)
        tails = dict(self._history.tails)
        for key in table.series:
            X, y, times = self._history.extended(key, table)
            y = self._filled(self._roles.segment(X, y, times))
            tails[key] = self._history.tail(key, table, X, y, times)
        self._history = replace(self._history, tails=tails)

    # ------------------------------------------------------------ predictions from the state
    def predict(self, X):
        """Continue from the last row seen, feeding back the model's own output.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Inputs of the rows that follow the last row seen.

        Returns
        -------
        ndarray of shape (n,) or (n, n_outputs)
            Predictions; NaN for the last rows where inputs have leads.

        Raises
        ------
        ValueError
            When a clock shows that X does not follow the last row seen, or a series is unknown.
        """
        self._refuse_both_ways()
        table = self._labelled(self._read_inputs("predict", X))
        y_hat = self._continue(table)
        self._warn_of_leads()
        return self._shape(y_hat)

    def forecast(
        self, steps=None, X=None, level=None, quantiles=None, n_paths=None, random_state=0
    ):
        """Forecast the next steps, as pandas with the time stamps that follow.

        Parameters
        ----------
        steps : int, optional
            Number of steps; may be left out where X is given, and of AutoNARX, which then takes
            its horizon, also inside of others.
        X : DataFrame or array-like of shape (n, n_features), optional
            Inputs of the steps. Columns of which only lags of at least `steps` are used may be
            missing; without X, all must be such.
        level : float or sequence of float, optional
            Intervals that hold so many per cent of what comes, each number of steps by itself, such
            as ``[80, 95]``: columns ``NAME-lo-80``, ``NAME-hi-80`` and so on behind the forecast.
        quantiles : float or sequence of float, optional
            Quantiles between 0 and 1: columns ``NAME-q-0.1`` and so on.
        n_paths : int, optional
            Number of sample paths, of all outputs together: columns ``NAME-path-0`` and so on. At
            each step they are spread as the intervals are.
        random_state : int, RandomState or None, default=0
            Seed of the paths.

        Returns
        -------
        Series or DataFrame
            Named and indexed like y; without a clock the index counts on. Dates of every kind (in
            objects, Arrow, categories or text of ISO 8601) come back as a DatetimeIndex, elapsed
            times as a TimedeltaIndex. A DataFrame where more than the forecast is asked for: the
            columns of each output one after another, those of one without a name as of ``"y"``.

        Raises
        ------
        ValueError
            When inputs are missing (naming columns and rows) or do not follow the last row seen, a
            level or quantile is out of range, or there are too few errors to tell it from.

        Notes
        -----
        How far forecasts err is told from rows that no weight was fitted to: the first call with
        `level`, `quantiles` or `n_paths` fits up to five clones, each without a part of the
        training rows, which it then forecasts. Of each number of steps the last 10,000 errors of a
        series count, and from then on ``update`` adds those of new rows. Errors are scaled where
        their size depends on the season or on the level of the forecast, and added under the
        transformation of a TransformedForecaster.

        Examples
        --------
        >>> import pandas as pd
        >>> from narxkit import Persistence, SeasonalNaive
        >>> y = pd.Series([1.0, 2, 3, 1, 2, 3], index=pd.date_range("2024", periods=6), name="y")
        >>> SeasonalNaive(period=3).fit(None, y).forecast(2)
        2024-01-07    1.0
        2024-01-08    2.0
        Freq: D, Name: y, dtype: float64

        A walk, which gets less certain with each step:

        >>> import numpy as np
        >>> y = np.random.default_rng(0).normal(size=300).cumsum()
        >>> fan = Persistence().fit(None, y).forecast(4, level=80)
        >>> fan.columns.tolist()
        ['y', 'y-lo-80', 'y-hi-80']
        >>> (fan["y-hi-80"] - fan["y-lo-80"]).round(1).tolist()
        [2.6, 3.9, 4.5, 5.2]
        """
        self._refuse_both_ways()
        wanted = Wanted.read(level, quantiles, n_paths, random_state)
        if steps is None and X is None:
            steps = usual_steps(self)
            if steps is None:
                raise ValueError("forecast needs a number of steps, or X with their inputs.")
        if steps is not None and not is_count(steps):
            raise ValueError(f"steps must be an int >= 1. Got {steps!r} instead.")
        table = self._future(steps, X)
        y_hat = self._continue(table)
        # the last rows of each series are there for the leads of those before them
        lead = self._reach.lead
        series = {key: rows[: len(rows) - lead] for key, rows in table.series.items()}
        fans = None if wanted is None else self._fans(table, series, y_hat, wanted)
        index = table.index
        if lead:
            keep = np.sort(np.concatenate(list(series.values())))
            y_hat, index = y_hat[keep], take(index, keep)
            fans = fans if fans is None else fans[:, keep]
        if fans is None:
            return self._roles.frame(y_hat, index)
        return self._roles.fans(y_hat, fans, wanted.columns, index)

    # ------------------------------------------------------------ how sure they are
    def _bend(self, y, X):
        """Bring outputs (n, ..., n_outputs) of rows of X to the scale on which errors are added."""
        return y

    def _unbend(self, values, X):
        """Bring what is on the scale of errors back."""
        return values

    def _limits(self, X):
        """Return lower and upper bounds (n, n_outputs) of the outputs, or two times None."""
        return self._roles.bounds(X)

    def _shocked(self, rollouts, shocks):
        """Run rollouts under shocks (n, n_steps, n_outputs) that are fed back.

        None of a subclass whose forecasts are not fed back.
        """

    def _paths(self, table, key, shocks):
        """Return paths of the rows of a series under shocks, or None."""
        n, steps, _ = shocks.shape
        past, segment = self._continued(table, key)
        return self._shocked(Rollouts(segment, np.full(n, past), np.full(n, steps)), shocks)

    def _fans(self, table, series, y_hat, wanted):
        """Return quantiles and paths (n, n_rows, n_outputs) around forecasts."""
        steps = max(map(len, series.values()))
        calibration = self._calibrated(steps)
        calibration.check(series, steps, wanted)
        rng = check_random_state(wanted.random_state)
        fans = np.full((len(wanted.columns), *y_hat.shape), np.nan)
        for key, rows in series.items():
            X = table.X[rows]
            forecast = Forecast(self._bend(y_hat[rows], X), table.times_of(rows))
            fan = calibration.fan(key, forecast, wanted, rng, partial(self._paths, table, key))
            fans[:, rows] = self._in_bounds(fan, y_hat[rows], forecast.y_hat, X)
        return fans

    def _fans_along(self, origins, first, y_hat, level):
        """Return intervals around rollouts (n, steps, n_outputs) from many origins, by suffix.

        Each from the errors that were known at its origin, as if every row before had been given
        to ``update``.
        """
        wanted, table = Wanted.read(level), origins.table
        (n, steps, p), place = y_hat.shape, origins.table_row
        calibration = self._calibrated(steps)
        calibration.check(table.series, steps, wanted)
        ahead = place[(first[:, None] + np.arange(steps)).ravel()]
        X, flat = table.X[ahead], np.reshape(y_hat, (-1, p))
        bent = self._bend(flat, X)
        rows = table.X[place]
        y, y_one_step = (self._bend(v, rows) for v in (table.y[place], origins.one_step()))
        runs = Runs(first, bent.reshape(y_hat.shape), y, y_one_step)
        fans = calibration.along(table, runs, wanted).reshape(len(wanted.quantiles), -1, p)
        fans = self._in_bounds(fans, flat, bent, X).reshape(-1, n, steps, p)
        return dict(zip(wanted.quantiles, fans))

    def _in_bounds(self, values, y_hat, bent, X):
        """Bring values around forecasts back to the units of y, and within bounds.

        A forecast that is not on the scale of errors, such as by night, is never in doubt.
        """
        values = np.where(np.isnan(bent), y_hat, self._unbend(values, X))
        low, high = self._limits(X)
        if low is not None:
            bounded = np.fmin(np.fmax(values, low), high)  # a bound may be missing
            values = np.where(np.isnan(values), np.nan, bounded)  # and errors, of a short series
        return values

    def _calibrated(self, steps):
        """Return what is known of the errors, so many steps ahead: computed when first asked."""
        known = vars(self).get("_calibration")
        if known is None or known.steps < steps:
            if "_fitted_to" not in vars(self):
                raise ValueError(
                    f"this {type(self).__name__} does not have the rows that it was fitted to, "
                    "which tell how far it errs: fit it again with this version of narxkit."
                )
            known = calibrate(self, self._fitted_to, self._history, self._bend, steps)
            self._calibration = known
        return known

    def score(self, X, y=None, sample_weight=None):
        """Return R2 of ``predict(X)``, the continuation from the last row seen.

        Parameters
        ----------
        X : array-like of shape (n, n_features) or None
            Inputs of the rows that follow the last row seen.
        y : array-like of shape (n,) or (n, n_outputs)
            Their measured outputs; rows that are missing or cannot be predicted are left out.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows.

        Returns
        -------
        float
            R2. For rows used in ``fit`` it is a wrong question; where a clock shows that, it
            raises and names ``predict_ahead``: cross-validate with TimeSeriesSplit, without gap.
        """
        self._refuse_both_ways()
        table = self._labelled(self._read(X, y=y, sample_weight=sample_weight))
        warn_of_interruption(self)
        # what is to be predicted must not be read
        y_hat = self._continue(table.replace(y=None))
        self._warn_of_leads()
        ok = np.isfinite(table.y).all(axis=1) & np.isfinite(y_hat).all(axis=1)
        weight = None if table.weight is None else table.weight[ok]
        return r2_score(table.y[ok], y_hat[ok], sample_weight=weight)

    def _continue(self, table):
        """Return predictions of the rows of `table`, each series from its own state."""
        y_hat = np.full((len(table), self._roles.n_outputs), np.nan)
        for key, rows in table.series.items():
            past, segment = self._continued(table, key)
            name_row = partial(self._history.name_row, key, table)
            y_hat[rows] = self._free_run(segment, past, name_row)
        return y_hat

    def _continued(self, table, key):
        """Return how many rows of a series were seen before, and all of them with the new ones."""
        reads_times = self._reads_times or self._roles.calendar is not None
        past, *columns = self._history.continued(key, table, table.series[key], reads_times)
        segment = self._roles.segment(*columns)
        # a lead may have kept the last outputs of the tail from being filled until now
        y = self._filled(segment, past)
        return past, segment if y is segment.y else segment.replace(y=y)

    def _free_run(self, segment, past, name_row):
        """Return the one rollout over all rows after the first `past`."""
        y_hat = np.full((len(segment) - past, self._roles.n_outputs), np.nan)
        steps = len(y_hat) - self._reach.lead
        if steps > 0:
            rollouts = Rollouts(segment, np.array([past]), np.array([steps]))
            values, bad = self._run(rollouts)
            y_hat[:steps] = values[0]
            wrong = np.flatnonzero(np.isnan(values[0]).any(axis=1))
            if len(wrong):
                row = past + int(wrong[0])
                # NaN for want of a value is no divergence
                if self._runner.has_diverged(rollouts, bad).any():
                    warn_of_divergence(name_row(row))
                else:
                    cell = segment.first_missing(self._reach, past, row)
                    self._warn_of_missing(name_row, row, cell)
        return y_hat

    def _future(self, steps, X):
        """Return the rows to forecast; what is neither needed nor given is NaN."""
        if not self.n_features_in_:
            index = labels_of(X, "X")
            steps = count_rows(X, "X") if steps is None and index is None else steps
            # of X a model of y alone takes the labels
            X = None if index is None else pd.DataFrame(index=index)
        if X is None:
            self._refuse_missing(steps, self._roles.columns)
            return self._history.future(steps + self._reach.lead, self.n_features_in_)
        if isinstance(X, pd.DataFrame) and self._roles.is_named:
            columns = self._roles.columns
            missing = [name for name in columns if name not in X]
            self._refuse_missing(len(X) if steps is None else steps, missing)
            if missing:
                # NaN in columns that no lag reaches in so few steps
                X = X.reindex(columns=[*columns, *(name for name in X if name not in columns)])
        table = self._labelled(self._read(X))
        if table.index is None and None not in self._history.tails:
            raise ValueError(
                "X has no index, but the model has seen the series "
                f"{list(self._history.tails)}: give X a MultiIndex (series, time)."
            )
        if table.index is None:
            self._history.tails[None].labels(1)  # says why there are no labels
        return table if steps is None else self._first_rows(table, steps)

    def _first_rows(self, table, steps):
        n = steps + self._reach.lead
        shortest = min(len(rows) for rows in table.series.values())
        if shortest < n:
            names = self._roles.input_names
            raise ValueError(
                f"{steps} steps need {n} rows of {f'the columns {names} of ' if names else ''}X, "
                f"but it has {shortest}: give more rows or fewer steps."
            )
        return table.first(n)

    def _refuse_missing(self, steps, missing):
        """Refuse missing columns, but for those whose lags all reach back to measured rows."""
        names, bounds = self._roles.input_names, self._roles.bound_names
        early = {names[column] for column, lag in self._reach.inputs if lag < steps}
        needed = [c for c in missing if c in bounds or c in early]
        if needed:
            n = steps + self._reach.lead
            last = next(iter(self._history.tails.values())).last_label
            raise ValueError(
                f"{steps} steps need the columns {needed} of X in the {n} rows after "
                f"{'the last row seen' if last is None else last}: give them as forecast(X=...), "
                "or use lags of at least the number of steps for a column that is not known ahead."
            )

    # ------------------------------------------------------------ predictions from arguments alone
    def simulate(self, X=None, y_init=None, y=None, steps=None):
        """Run freely over X from given or fitted initial conditions.

        Parameters
        ----------
        X : array-like of shape (n, n_features), optional
            Inputs, including those of the first rows; left out for a model of y alone, which is
            given `steps`.
        y_init : array-like of shape (k,) or (k, n_outputs), or "estimate", optional
            Measured outputs of the first k rows of X, at least as many as the largest lag. For a
            MultiIndex (series, time) it carries that index too and says which rows are whose.
            "estimate" fits the outputs that the lags of the first free step need, so that they and
            the run from them come closest to `y`, by least squares in standardised units and
            within `output_range`, for each series its own.
        y : array-like of shape (k,) or (k, n_outputs), optional
            For "estimate": measured outputs of the first k rows of X, more than the largest lag;
            NaN where missing.
        steps : int, optional
            Free steps of a model of y alone, which has no X: n is their number and that of the rows
            before them. For "estimate" it may be left out, and the run goes over the rows of `y`.

        Returns
        -------
        ndarray of shape (n,) or (n, n_outputs)
            Free run; NaN before the first free step and, with leads, in the last rows. Without X it
            holds series after series.

        Raises
        ------
        ValueError
            When the initial outputs are too few, too many or of other rows than the first of X, or
            a clock shows that X jumps; when both X and steps are given, or neither.

        Examples
        --------
        An oscillator whose first outputs were measured badly:

        >>> import numpy as np
        >>> from narxkit import ARX
        >>> y = np.cos(0.3 * np.arange(300))
        >>> model = ARX(output_lags=2, alphas=[0.0]).fit(None, y)
        >>> measured = y + 0.1 * np.random.default_rng(0).normal(size=300)
        >>> off = model.simulate(y_init=measured[:2], steps=298) - y
        >>> fitted = model.simulate(y_init="estimate", y=measured) - y
        >>> bool(np.nanstd(fitted) < 0.2 * np.nanstd(off))
        True
        """
        self._check_fitted()
        is_fitted = is_estimate(y_init, y)
        given = ("y", y) if is_fitted else ("y_init", y_init)
        self._refuse_no_outputs(*given)
        if X is None and not self.n_features_in_:
            X, given = self._rows_to_simulate(*given, steps)
        elif steps is not None and X is not None:
            raise ValueError(
                "steps is for a model of y alone; here X says how many rows there are: give "
                f"simulate(X, y_init) without steps. Got steps={steps!r}."
            )
        table = self._read_inputs("simulate", X)
        y_hat = np.full((len(table), self._roles.n_outputs), np.nan)
        for key, rows in table.series.items():
            refuse_seams(table, key)
            initial = self._read_initial(*given, key, table)
            # a fitted start is as early as it can be, so that it meets all that was measured
            begin = self.max_lag_ if is_fitted else max(len(initial), self.max_lag_)
            measured = np.full((len(rows), y_hat.shape[1]), np.nan)
            measured[: len(initial)] = initial
            self._check_outputs(table.X[rows], measured)
            times = None if table.times is None else table.times[rows]
            segment = self._roles.segment(table.X[rows], measured, times)
            if is_fitted:
                start = fitted_start(self._runner, segment, begin, key)
            else:
                start = self._filled(segment, begin)
            segment = segment.replace(y=start)
            name_row = partial(_name_row, table, rows)
            y_hat[rows[begin:]] = self._free_run(segment, begin, name_row)
        self._warn_of_leads()
        return self._shape(y_hat)

    def _refuse_no_outputs(self, name, y):
        if y is not None and not np.iterable(y):
            raise ValueError(
                f"{name} must hold the measured outputs of the first rows of X, of shape (k,) or "
                f"(k, {self._roles.n_outputs}). Got {y!r} instead."
            )

    def _rows_to_simulate(self, name, y, steps):
        """Make a frame of rows without inputs, and put the measured outputs under its labels."""
        if steps is None and name == "y_init":
            raise ValueError(
                "simulate needs a number of steps for a model of y alone: give "
                "simulate(y_init=y[:k], steps=24), or use forecast(steps) for the steps after the "
                "last row seen."
            )
        if steps is not None and not is_count(steps):
            raise ValueError(f"steps must be an int >= 1. Got {steps!r} instead.")
        X, y = rows_of_steps(self._history, name, y, steps)
        return X, (name, y)

    def _read_initial(self, name, y, key, table):
        """Read the outputs of the first rows of a series: `y_init`, or the `y` to fit them to."""
        p, n = self._roles.n_outputs, len(table.series[key])
        lags = self.max_lag_ if self._reach.outputs else 0
        if y is not None and key is not None:
            index = labels_of(y, name)
            if not isinstance(index, pd.MultiIndex) or key not in index.get_level_values(0):
                raise ValueError(lacks_series(name, key))
            # under the labels as read, as X has them: text of dates is times there
            y = y.set_axis(index, axis=0).xs(key, level=0)
        self._check_initial_rows(name, y, table, key)
        initial = np.empty((0, p)) if y is None else read_outputs(y, name, min_samples=0)
        if len(initial) and initial.shape[1:] != (p,):
            raise ValueError(f"{name} has {initial.shape[1]} columns, but the model has {p}.")
        needed = lags + (name == "y")  # one row more, for the start to be fitted to
        if not needed <= len(initial) <= n:
            raise ValueError(
                f"{name} has {len(initial)} rows, but "
                f"{'an estimate for ' if name == 'y' else ''}lags up to {lags} "
                f"{'needs' if name == 'y' else 'need'} the measured outputs of the first rows of "
                f"X, from {needed} to {n} of them: give {name} of such a length."
            )
        refuse_infinite(initial, name)
        if name == "y":
            _refuse_nothing_measured(initial)
        return initial.reshape(-1, p)

    def _check_initial_rows(self, name, y, table, key):
        """Refuse labels other than those of the first rows of X, where both have labels."""
        if isinstance(y, pd.DataFrame):
            self._roles.check_outputs(list(y.columns), name)
        given, labels = labels_of(y, name), table.row_labels(table.series[key])
        if given is None or labels is None:
            return
        row = first_difference(given, labels)
        if row is not None:
            raise ValueError(
                f"{name} holds the outputs of other rows than the first of X: row {row} is "
                f"{given[row]} there and {labels[row]} in X: give y.loc[X.index[:k]]. "
                "Values without labels are given as an array."
            )

    # ------------------------------------------------------------ rollouts over measured rows
    def _read_inputs(self, verb, X):
        """Read rows of which the inputs are given."""
        self._check_fitted()
        if X is None and self.n_features_in_:
            raise ValueError(
                f"{verb} needs X, and this {type(self).__name__} was fitted with it: give its "
                f"columns {self._roles.columns} in the rows that {verb} runs over, or use "
                "forecast(steps) for the next steps, which may leave out those it need not know."
            )
        if X is None:
            raise ValueError(
                f"{verb} needs X, and this {type(self).__name__} was fitted without it: use "
                "forecast(steps) for the next steps, or give a frame of the rows' index without "
                "columns."
            )
        return self._read(X)

    def _read(self, X, **columns):
        """Read rows for a fitted model, like those of ``fit``."""
        self._check_fitted()
        if columns.get("y", X) is None:
            alone = "" if self.n_features_in_ else " A model of y alone takes them after X=None."
            raise ValueError(f"y is None, but measured outputs are needed: give them.{alone}")
        table = read_table(self, X, **columns, history=self._history)
        self._roles.check(table)
        if self._reads_times:
            self._roles.check_labels(table)
        return table

    def _check_fitted(self):
        """Refuse a model that is not fitted: scikit-learn's look at all attributes takes longer."""
        if "_history" not in vars(self):
            check_is_fitted(self)

    def _refuse_both_ways(self):
        """Refuse what cannot forecast, for it reads the rows after its own as well."""
        self._check_fitted()
        if self._reach.both_ways:
            raise ValueError(
                f"this {type(self).__name__} was fitted with bidirectional=True and reads the rows "
                "after the one that it predicts, so that it has no forecast: give all rows of a "
                "stretch to simulate(X), score by "
                f"scoring=simulation_scorer(warmup={self.max_lag_}), or fit with "
                "bidirectional=False."
            )

    def _labelled(self, table):
        """Return a table whose rows have labels that can be compared with those of the state."""
        if any(tail.times is not None for tail in self._history.tails.values()):
            self._roles.check_labels(table)
        return self._history.labelled(table)

    def _origins(self, X, y, segments=None, after_state=False, is_free_run=False):
        """Return measured rows, ready for rollouts from any of them.

        The one door for everything that judges forecasts. With `after_state`, the rows of a series
        that follow the last ones seen have those as their history. With `is_free_run`, each rollout
        goes to the end of its segment.
        """
        if not is_free_run:
            self._refuse_both_ways()
        table = self._read(X, y=y, segments=segments)
        self._check_outputs(table.X, table.y)
        if after_state:
            rows, table_row = self._after_state(self._labelled(table))
        else:
            rows, table_row = self._roles.segments(table), table.order
        tails = self._history.tails.values()
        return Origins(
            self._runner,
            table,
            rows.replace(y=self._filled(rows)),
            table_row,
            has_new_clock=table.times is not None and all(tail.times is None for tail in tails),
            check=partial(self._check_rows, rows, table),
            fans=self._fans_along,
        )

    def _after_state(self, table):
        """Put each series of a table behind its tail; return the table's row of each row, or -1."""
        columns, cuts, place = [], [], []
        for key, rows in table.series.items():
            tail = self._history.tails.get(key)
            times = None if table.times is None else table.times[rows]
            part, past = (table.X[rows], table.y[rows], times), 0
            if tail is not None and tail.relation(table, rows) == "follows":
                part, past = tail.followed_by(table, rows), len(tail.y)
            columns.append(part)
            cut = np.concatenate([np.zeros(past, dtype=bool), table.cuts[key]])
            # the first new row follows the tail, and the first row of all begins a segment: in
            # this order, for without a tail both are one
            cut[past], cut[0] = False, True
            cuts.append(cut)
            place += [np.full(past, -1), rows]
        X, y, times = zip(*columns)
        times = None if any(t is None for t in times) else times[0].append(list(times[1:]))
        rows = self._roles.segment(np.concatenate(X), np.concatenate(y), times)
        edges = np.append(np.flatnonzero(np.concatenate(cuts)), len(rows))
        return rows.replace(edges=edges), np.concatenate(place)

    def _filled(self, segments, stop=None):
        """Fill the outputs: each missing one before row `stop` by its one-step prediction.

        Successive missing rows are one rollout: each is predicted from those before it.
        """
        reach, missing = self._reach, np.isnan(segments.y)
        # without feedback nothing reads the outputs
        if not reach.outputs or not missing[:stop].any():
            return segments.y
        y = segments.y.copy()
        for start, length in segments.gaps(reach):
            if stop is not None and start >= stop:
                break
            # no further back than is read: a gap costs its own length, not that of all rows
            first = max(start - reach.memory, segments.starts_of(start))
            window = segments.replace(y=y).window(first, start + length + reach.lead)
            values, _ = self._run(Rollouts(window, np.array([start - first]), np.array([length])))
            rows = slice(start, start + length)
            # of a row that misses some outputs the measured ones stay
            y[rows] = np.where(missing[rows], values[0], y[rows])
        if stop is not None:
            y[stop:] = segments.y[stop:]  # a gap may reach beyond it
        return y

    def _check_rows(self, segments, table):
        longest = int(np.max(np.diff(segments.edges)))
        # two rows to learn from: one has no deviation
        needed = self._reach.history + self._reach.lead + 2
        if longest < needed:
            is_whole = len(segments.edges) == 2
            what = "y" if is_whole else "the longest segment of y"
            need, fewer = self._describe_reach()
            longer = "give a longer series" if is_whole else "give longer segments"
            remedy = describe_seams(table, fewer) or f"{longer} or {fewer}"
            raise ValueError(f"{what} has {longest} rows, but {need} at least {needed}: {remedy}.")
        _refuse_nothing_measured(segments.y)

    def _describe_reach(self):
        """Say what needs rows of history, and what would need fewer."""
        leads = f" and leads up to {self._reach.lead}" if self._reach.lead else ""
        return f"lags up to {self._reach.history}{leads} need", "smaller lags"

    def _warn_of_short_segments(self, table, segments):
        """Name the series that hold nothing to learn from, or the rows lost to many segments."""
        needed = self._reach.history + self._reach.lead + 1
        longest = {
            key: np.diff(np.append(np.flatnonzero(table.cuts[key]), len(rows))).max()
            for key, rows in table.series.items()
        }
        short = [key for key, n in longest.items() if n < needed]
        n_segments = len(segments.edges) - 1
        n_reachable = int(segments.reachable(self._reach).sum())
        if short:
            warn(
                f"the series {short} have no segment of {needed} rows, as the lags need, and are "
                "not trained on."
            )
        elif n_reachable < len(segments) / 2 and n_segments > 1:
            # pandas has no asfreq for a panel, nor for elapsed times
            has_asfreq = None in table.series and not table.is_elapsed
            such = advise_asfreq(table.clocks.get(None), table.times) if has_asfreq else ""
            warn(
                f"{n_segments} segments, cut by gaps, labels or series, leave "
                f"{n_reachable} of {len(segments)} rows with the history that lags need: fill "
                f"gaps with rows of missing values (NaN){such}, or use smaller lags."
            )

    # ------------------------------------------------------------ answers and warnings
    def _units(self, y):
        """Return mean and deviation of each output: of measured ones, where none are known."""
        mean, std = moments(y)
        return mean, np.where(std > 0, std, 1.0)

    def _warn_of_missing(self, name_row, row, cell):
        feedback = "predictions are NaN from there on"
        alone = "predictions of rows that need such a value are NaN"
        warn(
            f"a value that the prediction of {name_row(row)} needs is missing"
            f"{self._name_cell(name_row, *cell) if cell else ''}: "
            f"{feedback if self._reach.carries and not self._reach.both_ways else alone}."
        )

    def _name_cell(self, name_row, row, column, is_input):
        if is_input:
            what = f"the column {self._roles.input_names[column]!r} of X"
        else:
            name = self._roles.outputs[column]
            what = "y" if name is None else f"the output {name!r}"
        return f", that of {what} in {name_row(row)}"

    def _warn_of_leads(self):
        lead = self._reach.lead
        if lead:
            warn(
                f"inputs have leads up to {lead}, so the last {lead} rows of X cannot be "
                "predicted and are NaN: give later rows of X to predict them."
            )


def lacks_series(name, key):
    """Say that measured outputs leave out a series that runs."""
    return (
        f"{name} lacks the series {key!r} of X: give its first rows too, under a MultiIndex "
        "(series, time) like that of X."
    )


def read_horizons(steps):
    """Return numbers of steps ahead as an array."""
    horizons = list(steps) if np.iterable(steps) else [steps]
    if not horizons or not all(map(is_count, horizons)):
        raise ValueError(f"steps must be an int >= 1 or a sequence of them. Got {steps!r} instead.")
    return np.array(horizons)


def _units(data):
    """Return the units of the columns of a frame that knows them."""
    units = getattr(data, "attrs", {}).get("units", {})
    return units if isinstance(units, dict) else {}


def _name_row(table, rows, i):
    return table.label(rows[i])


def _refuse_nothing_measured(y):
    if np.isnan(y).all(axis=0).any():
        raise ValueError("y holds a column of missing values (NaN) only: give measured ones.")


@contextmanager
def restored_on_error(estimator):
    """Leave the estimator as it was where a call is refused or broken off."""
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:  # Ctrl-C too
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


def usual_steps(model):
    """Return the horizon that AutoNARX was made for, also inside of others; else None.

    Examples
    --------
    >>> from narxkit import ARX, AutoNARX, PerSeries
    >>> usual_steps(PerSeries(AutoNARX(horizon=6))), usual_steps(ARX())
    (6, None)
    """
    while hasattr(model, "forecaster"):
        model = model.forecaster
    horizon = getattr(model, "horizon", None)
    return horizon if is_count(horizon) else None
