"""The verbs that every forecaster has, built on one idea: the rollout.

A rollout starts at an origin with measured history and runs on its own output. `Forecaster` turns
what users ask for into rollouts and their answers back into rows; what a subclass must know is how
to train (`_train`), which taps it reads (`_make_taps`) and how to run rollouts (`_run`).
"""

import warnings
from abc import ABCMeta, abstractmethod
from dataclasses import dataclass, replace
from numbers import Integral

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils.validation import check_is_fitted

from narxkit._validation import Table, read_table
from narxkit.taps import Segments

ROLLOUT_CELLS = 2**22  # numbers in the paths of one batch of rollouts: 32 MB


@dataclass(frozen=True)
class Layout:
    """Which columns of X are inputs, which are bounds, and how y was given."""

    columns: list
    inputs: np.ndarray
    low: object
    high: object
    outputs: list
    y_ndim: int

    @classmethod
    def read(cls, table, columns, output_range, named):
        """`named` are the columns that the lag specification names: bounds that are inputs too."""
        p = table.y.shape[1]
        low, high = _read_range(output_range, columns, p)
        bounds = {c for c in (low, high) if isinstance(c, int)}
        inputs = [i for i, c in enumerate(columns) if i not in bounds or c in named]
        return cls(columns, np.array(inputs, dtype=int), low, high, table.outputs, table.y_ndim)

    @property
    def n_outputs(self):
        return len(self.outputs)

    def bounds(self, X):
        """Lower and upper bounds (n, n_outputs) of the rows of X, or two times None."""
        if self.low is None and self.high is None:
            return None, None
        shape = (len(X), self.n_outputs)
        return tuple(
            np.full(shape, np.nan)
            if bound is None
            else np.ascontiguousarray(
                np.broadcast_to(X[:, [bound]] if isinstance(bound, int) else bound, shape)
            )
            for bound in (self.low, self.high)
        )

    def frame(self, values, index):
        """Predictions as a Series, or a DataFrame of several outputs."""
        if self.y_ndim == 1:
            return pd.Series(values[:, 0], index=index, name=self.outputs[0])
        names = self.outputs if self.outputs[0] is not None else range(self.n_outputs)
        return pd.DataFrame(values, index=index, columns=list(names))


@dataclass(frozen=True)
class Tail:
    """The last rows of a series: what a prediction continues from."""

    X: np.ndarray
    y: np.ndarray
    last: object  # label of the last row; None where there is no clock
    n_seen: int  # label of the next row where there is none


class Forecaster(RegressorMixin, BaseEstimator, metaclass=ABCMeta):
    """Base class of all forecasters: ``fit`` and the verbs that need a fitted model."""

    @abstractmethod
    def _make_taps(self, columns, n_outputs):
        """The taps of a model with these input columns."""

    @abstractmethod
    def _train(self, segments, weight):
        """Learn from `segments`; `weight` has one number per row."""

    @abstractmethod
    def _run(self, segments, origins, lengths):
        """Rollouts: predictions (n, max(lengths), n_outputs) and each one's first bad step."""

    # ------------------------------------------------------------ fit and update
    def fit(self, X, y, sample_weight=None, segments=None):
        """Fit the model.

        Parameters
        ----------
        X : array-like of shape (n, n_features) or None
            Inputs; None for a model of y alone.
        y : array-like of shape (n,) or (n, n_outputs)
            Outputs; NaN where missing.
        sample_weight : array-like of shape (n,), optional
            Weight of each row's squared error; 0 makes a row history only.
        segments : array-like of shape (n,), optional
            One label per row; no lag crosses a change of label.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            When there are too few rows, values are infinite, the index is unsorted or holds a
            label twice, or a parameter is out of its range.
        """
        self._validate_params()
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None."
            )
        table = read_table(
            self, X, y, sample_weight=sample_weight, segments=segments, reset=True
        )
        self._clock = table.clock
        self._layout = self._read_layout(table)
        columns = [self._layout.columns[i] for i in self._layout.inputs]
        self._taps = self._make_taps(columns, self._layout.n_outputs)
        self.max_lag_ = self._taps.max_lag
        rows = self._segments(table)
        self._check_length(rows)
        weight = np.ones(len(table)) if table.weight is None else table.weight[table.order]
        self._train(rows, weight)
        self._state = {}
        self._remember(table)
        return self

    def update(self, X, y):
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

        Raises
        ------
        ValueError
            When the rows begin before the last one seen. After a gap the state starts anew.
        """
        check_is_fitted(self, "_state")
        table = read_table(self, X, y)
        self._check_outputs(table)
        self._remember(table)
        return self

    def _read_layout(self, table):
        columns = list(getattr(self, "feature_names_in_", range(table.X.shape[1])))
        lags = getattr(self, "input_lags", None)
        named = set(lags) if isinstance(lags, dict) else set()
        return Layout.read(table, columns, getattr(self, "output_range", None), named)

    def _segments(self, table):
        low, high = self._layout.bounds(table.X)
        if low is not None:
            _check_range(low, high, table)
        return table.segments(self._layout.inputs, low, high)

    def _check_length(self, segments):
        longest = int(np.max(np.diff(segments.edges)))
        needed = self._taps.max_lag + self._taps.lead + 2
        if longest < needed:
            where = "y has" if len(segments.edges) == 2 else "the longest segment of y has"
            raise ValueError(
                f"{where} {longest} rows, but lags up to {self._taps.max_lag}"
                f"{f' and leads up to {self._taps.lead}' if self._taps.lead else ''} need at "
                f"least {needed}: give a longer series or smaller lags."
            )

    def _check_outputs(self, table):
        if table.y.shape[1] != self._layout.n_outputs:
            raise ValueError(
                f"y has {table.y.shape[1]} columns, but {type(self).__name__} was fitted with "
                f"{self._layout.n_outputs}: give the same outputs."
            )

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
        check_is_fitted(self, "_state")
        if X is None or not self.n_features_in_:
            raise ValueError(
                f"predict needs X, and this {type(self).__name__} was "
                f"{'fitted without' if not self.n_features_in_ else 'fitted with'} it: "
                "use forecast(steps) for the next steps."
            )
        table = read_table(self, X)
        y_hat = self._continue(table)
        self._warn_of_leads(table)
        return self._shape(y_hat)

    def forecast(self, steps=None, X=None):
        """Forecast the next steps, as pandas with the time stamps that follow.

        Parameters
        ----------
        steps : int, optional
            Number of steps; may be left out where X is given.
        X : DataFrame or array-like of shape (n, n_features), optional
            Inputs of the steps. Columns of which only lags of at least `steps` are used may be
            missing; without X, all must be such.

        Returns
        -------
        Series or DataFrame
            Named and indexed like y; without a clock the index counts on.

        Raises
        ------
        ValueError
            When inputs are missing (naming columns and rows) or do not follow the last row seen.

        Examples
        --------
        >>> import pandas as pd
        >>> from narxkit import SeasonalNaive
        >>> y = pd.Series([1.0, 2, 3, 1, 2, 3], index=pd.date_range("2024", periods=6), name="y")
        >>> SeasonalNaive(period=3).fit(None, y).forecast(2)
        2024-01-07    1.0
        2024-01-08    2.0
        Freq: D, Name: y, dtype: float64
        """
        check_is_fitted(self, "_state")
        table = self._future(self._read_steps(steps, X), X)
        lead = self._taps.lead
        keep = np.concatenate([rows[: len(rows) - lead] for rows in table.series.values()])
        values = self._continue(table)[keep]
        return self._layout.frame(values, table.index[keep])

    def score(self, X, y, sample_weight=None):
        """R2 of ``predict(X)``, the continuation from the last row seen.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Inputs of the rows that follow the last row seen.
        y : array-like of shape (n,) or (n, n_outputs)
            Their measured outputs; rows that are missing or cannot be predicted are left out.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows.

        Returns
        -------
        float
            R2. For rows used in ``fit`` it is a wrong question; where a clock shows that, it
            raises and names ``predict_ahead``.
        """
        y_hat = self.predict(X)
        y = np.asarray(y, dtype=float).reshape(y_hat.shape)
        ok = np.isfinite(y) & np.isfinite(y_hat)
        ok = ok if ok.ndim == 1 else ok.all(axis=1)
        weight = None if sample_weight is None else np.asarray(sample_weight)[ok]
        return r2_score(y[ok], y_hat[ok], sample_weight=weight)

    def _continue(self, table):
        """Predictions of the rows of `table`, each series from its own state."""
        y_hat = np.full((len(table), self._layout.n_outputs), np.nan)
        for key, rows in table.series.items():
            tail = self._tail_of(key)
            self._check_follows(tail, table, rows)
            past = len(tail.y)
            segments = self._one_segment(
                np.concatenate([tail.X, table.X[rows]]),
                np.concatenate([tail.y, np.full((len(rows), y_hat.shape[1]), np.nan)]),
                self._all_times(tail, table, rows),
            )
            y_hat[rows] = self._run_once(segments, past, table, rows)
        return y_hat

    def _run_once(self, segments, past, table, rows):
        """The one rollout over all rows after the first `past`."""
        y_hat = np.full((len(segments) - past, self._layout.n_outputs), np.nan)
        steps = len(y_hat) - self._taps.lead
        if steps > 0:
            values, bad = self._run(segments, np.array([past]), np.array([steps]))
            y_hat[:steps] = values[0]
            if bad[0] >= 0 or not np.isfinite(values).all():
                first = int(np.argmax(~np.isfinite(values[0]).all(axis=1)))
                self._warn_of_bad(segments, past + first, table.label(rows[first]))
        return y_hat

    def _one_segment(self, X, y, times=None):
        low, high = self._layout.bounds(X)
        u = np.ascontiguousarray(X[:, self._layout.inputs])
        return Segments(u, y, np.array([0, len(y)]), low, high, times)

    @staticmethod
    def _all_times(tail, table, rows):
        """Time stamps of tail and rows; those of the tail do not matter to any rollout."""
        if table.times is None:
            return None
        times = table.times[rows]
        return times[:1].repeat(len(tail.y)).append(times)

    def _tail_of(self, key):
        if key not in self._state:
            name = "the rows" if key is None else f"series {key!r}"
            known = [k for k in self._state if k is not None]
            raise ValueError(
                f"{name} cannot be continued, for {type(self).__name__} has seen "
                f"{f'the series {known}' if known else 'a single series'}: use "
                "simulate(X, y_init) to run from given initial conditions."
            )
        tail = self._state[key]
        if len(tail.y) < self.max_lag_:
            raise ValueError(
                f"the last segment seen has {len(tail.y)} rows, but lags up to {self.max_lag_} "
                f"need {self.max_lag_} of history: give more rows to update(X, y)."
            )
        return tail

    def _check_follows(self, tail, table, rows):
        if tail.last is None or table.times is None:
            return
        times = table.times[rows]
        relation = self._clock.relation(tail.last, times[0])
        if relation == "overlaps":
            raise ValueError(
                f"X begins at {times[0]}, but rows up to {tail.last} have been seen, and predict "
                "continues after them: use predict_ahead(X, y) for rows with measured outputs, "
                "or simulate(X, y_init) to run from given initial conditions."
            )
        if relation == "gap":
            raise ValueError(
                f"X begins at {times[0]}, but the last row seen is {tail.last} and the clock is "
                f"{self._clock.describe()}: give the rows in between to update(X, y), or use "
                "simulate(X, y_init)."
            )
        self._refuse_seams(table, rows)

    def _refuse_seams(self, table, rows):
        """One free run has no seam."""
        if table.times is None or table.clock is None:
            return
        breaks = np.flatnonzero(table.clock.breaks(table.times[rows]))
        if len(breaks):
            at = rows[breaks[0]]
            raise ValueError(
                f"X jumps at {table.label(at)}, which does not follow the row before it (the "
                f"clock is {table.clock.describe()}): a free run has no history there; give rows "
                "without a gap."
            )

    # ------------------------------------------------------------ the future's rows
    def _read_steps(self, steps, X):
        if steps is None and X is None:
            raise ValueError("forecast needs a number of steps, or X with their inputs.")
        if steps is not None and (not isinstance(steps, Integral) or steps < 1):
            raise ValueError(f"steps must be an int >= 1. Got {steps!r} instead.")
        return steps

    def _future(self, steps, X):
        """The rows to forecast as a table; what is not needed and not given is NaN."""
        if X is None or not self.n_features_in_:
            self._refuse_missing(steps, self._layout.columns)
            return self._blank(steps)
        if isinstance(X, pd.DataFrame) and hasattr(self, "feature_names_in_"):
            missing = [c for c in self.feature_names_in_ if c not in X.columns]
            self._refuse_missing(steps or len(X), missing)
            X = X.reindex(columns=[*X.columns, *missing])[
                [*self.feature_names_in_, *X.columns.difference(self.feature_names_in_)]
            ]
        table = read_table(self, X)
        if table.index is None or (table.times is None and None in table.series):
            table = replace(table, index=self._numbers(None, len(table)))
        if steps is None:
            return table
        return self._first_steps(table, steps)

    def _first_steps(self, table, steps):
        n = steps + self._taps.lead
        for rows in table.series.values():
            if len(rows) < n:
                columns = [self._layout.columns[i] for i in self._layout.inputs]
                raise ValueError(
                    f"{steps} steps need {n} rows of the columns {columns} of X, but it has "
                    f"{len(rows)}: give more rows or fewer steps."
                )
        keep = np.sort(np.concatenate([rows[:n] for rows in table.series.values()]))
        place = {old: new for new, old in enumerate(keep)}
        return replace(
            table,
            X=table.X[keep],
            index=table.index[keep],
            times=None if table.times is None else table.times[keep],
            series={k: np.array([place[r] for r in rows[:n]]) for k, rows in table.series.items()},
        )

    def _refuse_missing(self, steps, missing):
        """Columns may be missing whose lags all reach back to measured rows."""
        used = [self._layout.columns[i] for i in self._layout.inputs]
        shortest = {used[i]: min(lags) for i, lags in enumerate(self._taps.input_lags) if lags}
        bounds = {self._layout.columns[c] for c in (self._layout.low, self._layout.high)
                  if isinstance(c, int)}
        needed = [c for c in missing if c in bounds or shortest.get(c, steps) < steps]
        if needed:
            n = steps + self._taps.lead
            last = next(iter(self._state.values())).last
            rows = f"the {n} rows after " + ("the last row seen" if last is None else f"{last}")
            raise ValueError(
                f"{steps} steps need the columns {needed} of X in {rows}: give them as "
                "forecast(X=...), or use lags of at least the number of steps for a column that "
                "is not known ahead."
            )

    def _blank(self, steps):
        """Future rows of which nothing is known, for every series."""
        n = steps + self._taps.lead
        stamps = [self._stamps(tail, n) for tail in self._state.values()]
        series = {key: np.arange(n) + i * n for i, key in enumerate(self._state)}
        times = None if stamps[0] is None else stamps[0].append(stamps[1:])
        if None in self._state:
            index = self._numbers(None, n) if times is None else stamps[0]
        else:
            level = times
            if level is None:
                level = np.concatenate([self._numbers(key, n) for key in self._state])
            index = pd.MultiIndex.from_arrays([np.repeat(list(self._state), n), level])
        return Table(
            X=np.full((n * len(series), self.n_features_in_), np.nan),
            y=None, y_ndim=1, outputs=None, index=index, times=times, clock=self._clock,
            series=series,
        )  # fmt: skip

    def _stamps(self, tail, n):
        return None if tail.last is None or self._clock is None else self._clock.after(tail.last, n)

    def _numbers(self, key, n):
        start = self._state[key].n_seen if key in self._state else 0
        return pd.RangeIndex(start, start + n)

    # ------------------------------------------------------------ predictions from arguments alone
    def predict_ahead(self, X, y, steps=1, segments=None):
        """Predict every row some steps ahead, from measured history.

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
        ndarray of the shape of y, or (\\*y.shape, len(steps))
            NaN where the rollout lacks history.
        """
        check_is_fitted(self, "_state")
        horizons = np.atleast_1d(np.asarray(steps))
        if horizons.dtype.kind not in "iu" or horizons.ndim > 1 or not len(horizons) or (
            horizons.min() < 1
        ):
            raise ValueError(f"steps must be an int >= 1 or a sequence of them. Got {steps!r}.")
        table = read_table(self, X, y, segments=segments)
        self._check_outputs(table)
        rows = self._measured(table)
        origins = np.flatnonzero(rows.reachable(self._taps))
        if not len(origins):
            self._check_length(rows)
        lengths = np.minimum(horizons.max(), rows.stops[origins] - self._taps.lead - origins)
        ahead = np.full((len(table), self._layout.n_outputs, len(horizons)), np.nan)
        order = table.order
        for part, y_hat in self._rollouts(rows, origins, lengths, table):
            for i, h in enumerate(horizons):
                reached = lengths[part] >= h
                ahead[order[origins[part][reached] + h - 1], :, i] = y_hat[reached, h - 1]
        ahead = ahead[:, 0] if table.y_ndim == 1 else ahead
        return ahead if np.ndim(steps) else ahead[..., 0]

    def simulate(self, X, y_init=None):
        """Run freely over X from given initial conditions.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            Inputs, including those of the first rows.
        y_init : array-like of shape (k,) or (k, n_outputs), optional
            Measured outputs of the first k rows of X, at least as many as the largest output
            lag. For a MultiIndex (series, time) it carries the same index and says which rows
            are whose.

        Returns
        -------
        ndarray of shape (n,) or (n, n_outputs)
            Free run; NaN before the first free step and, with leads, in the last rows.
        """
        check_is_fitted(self, "_state")
        table = read_table(self, X)
        y_hat = np.full((len(table), self._layout.n_outputs), np.nan)
        for key, rows in table.series.items():
            self._refuse_seams(table, rows)
            initial = self._read_initial(y_init, key, len(rows))
            y = np.full((len(rows), y_hat.shape[1]), np.nan)
            y[: len(initial)] = initial
            times = None if table.times is None else table.times[rows]
            segments = self._one_segment(table.X[rows], y, times)
            begin = max(len(initial), self.max_lag_)
            segments = segments.replace(y=self._filled(segments, stop=len(initial)))
            y_hat[rows[begin:]] = self._run_once(segments, begin, table, rows[begin:])
        self._warn_of_leads(table)
        return self._shape(y_hat)

    def _read_initial(self, y_init, key, n):
        p, needed = self._layout.n_outputs, self._taps.max_output_lag
        if y_init is None:
            initial = np.empty((0, p))
        else:
            if key is not None:
                y_init = y_init.xs(key, level=0)
            initial = np.asarray(y_init, dtype=float).reshape(len(y_init), -1)
            if initial.shape[1] != p:
                raise ValueError(f"y_init has {initial.shape[1]} columns, but the model has {p}.")
        if not needed <= len(initial) <= n:
            raise ValueError(
                f"y_init has {len(initial)} rows, but output lags up to {needed} need the "
                f"measured outputs of at least the first {needed} of the {n} rows of X: give "
                "y_init of that length."
            )
        return initial

    def _rollouts(self, segments, origins, lengths, table):
        """Batches (slice, predictions) of rollouts that share a batch's memory."""
        cells = (self.max_lag_ + int(np.max(lengths, initial=1))) * self._layout.n_outputs
        size = max(1, ROLLOUT_CELLS // cells)
        for at in range(0, len(origins), size):
            part = slice(at, at + size)
            y_hat, bad = self._run(segments, origins[part], lengths[part])
            for i in np.flatnonzero(bad >= 0):
                row = origins[part][i] + bad[i]
                if not self._lacks_values(segments, row, origins[part][i]):
                    self._warn_of_divergence(table.label(table.order[row]))
                    break
            yield part, y_hat

    def _measured(self, table):
        """Segments of a table whose missing outputs are replaced by one-step predictions."""
        rows = self._segments(table)
        return rows.replace(y=self._filled(rows))

    def _filled(self, segments, stop=None):
        """The outputs, each missing one replaced by the model's own one-step prediction.

        Successive missing rows are one rollout: each is predicted from those before it.
        """
        missing = np.isnan(segments.y)
        gaps = missing.any(axis=1) & segments.reachable(self._taps)
        gaps[stop:] = False
        if not gaps.any():
            return segments.y
        y = segments.y.copy()
        whole = missing.all(axis=1)
        for start, length in _runs(gaps, segments.edges, together=whole):
            first = start - self._taps.max_lag
            window = _window(segments.replace(y=y), first, start + length + self._taps.lead)
            values, _ = self._run(window, np.array([start - first]), np.array([length]))
            rows = slice(start, start + length)
            y[rows] = np.where(missing[rows], values[0], y[rows])
        return y

    # ------------------------------------------------------------ the state
    def _remember(self, table):
        """Take the last rows of each series into the state."""
        for key, rows in table.series.items():
            X, y = table.X[rows], table.y[rows]
            times = None if table.times is None else table.times[rows]
            start = np.flatnonzero(table._cuts(rows))[-1]
            n_seen = _next_number(table.index, rows)
            old = self._state.get(key)
            if old is not None:
                n_seen = old.n_seen + len(rows)
                joins = self._joins(old, times)
                if joins and start == 0:
                    X, y = np.concatenate([old.X, X]), np.concatenate([old.y, y])
            segment = self._one_segment(X[start:], y[start:], self._padded(times, len(y) - start))
            y = self._filled(segment)
            n = self.max_lag_
            last = None if times is None else times[-1]
            begin = max(0, len(y) - n)
            self._state[key] = Tail(X[start:][begin:], y[begin:], last, n_seen)

    def _joins(self, tail, times):
        """Whether new rows follow the state directly."""
        if tail.last is None or times is None:
            return True
        relation = self._clock.relation(tail.last, times[0])
        if relation == "overlaps":
            raise ValueError(
                f"the new rows begin at {times[0]}, but rows up to {tail.last} have been seen: "
                "give update only rows after those."
            )
        return relation == "follows"

    @staticmethod
    def _padded(times, n):
        """Time stamps for n rows of which the last have them."""
        if times is None:
            return None
        return times[:1].repeat(max(0, n - len(times))).append(times[-n:])

    # ------------------------------------------------------------ answers and warnings
    def _shape(self, values):
        return values[:, 0] if self._layout.y_ndim == 1 else values

    def _warn_of_leads(self, table):
        lead = self._taps.lead
        if lead:
            warnings.warn(
                f"inputs have leads up to {lead}, so the last {lead} rows of X cannot be "
                "predicted and are NaN: give later rows of X to predict them.",
                UserWarning,
                stacklevel=3,
            )

    def _lacks_values(self, segments, row, origin):
        """Whether a prediction is NaN because something it needs is."""
        taps = self._taps
        if any(np.isnan(segments.u[row - lag, i]) for i, lag in taps.inputs):
            return True
        return any(
            np.isnan(segments.y[row - lag, j]) for j, lag in taps.outputs if row - lag < origin
        )

    def _warn_of_bad(self, segments, row, label):
        if self._lacks_values(segments, row, row):
            if self._taps.output_lags:
                tail = "predictions are NaN from there on"
            else:
                tail = "predictions that need it are NaN"
            warnings.warn(
                f"an input or measured output that {label} needs is missing: {tail}.",
                UserWarning,
                stacklevel=4,
            )
        else:
            self._warn_of_divergence(label)

    @staticmethod
    def _warn_of_divergence(label):
        warnings.warn(
            f"the rollout diverged at {label}: it left 1000 standard deviations of the training "
            "outputs, and is NaN from there on.",
            RuntimeWarning,
            stacklevel=5,
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.target_tags.multi_output = True
        return tags


def _window(segments, start, stop):
    """Some rows of one segment, as a segment of their own."""
    cut = slice(start, stop)
    return Segments(
        u=segments.u[cut],
        y=segments.y[cut],
        edges=np.array([0, stop - start]),
        low=None if segments.low is None else segments.low[cut],
        high=None if segments.high is None else segments.high[cut],
        times=None if segments.times is None else segments.times[cut],
    )


def _runs(mask, edges, together):
    """(start, length) of the runs of True; rows that are not `together` stand alone."""
    rows = np.flatnonzero(mask)
    begins = np.ones(len(rows), dtype=bool)
    begins[1:] = (np.diff(rows) > 1) | ~together[rows[1:]] | ~together[rows[:-1]]
    begins |= np.isin(rows, edges)
    starts = np.flatnonzero(begins)
    lengths = np.diff(np.append(starts, len(rows)))
    return zip(rows[starts].tolist(), lengths.tolist())


def _next_number(index, rows):
    """The number that follows the label of the last row, where labels are numbers."""
    if isinstance(index, pd.MultiIndex):
        index = index.get_level_values(1)
    if index is not None and pd.api.types.is_integer_dtype(index.dtype):
        return int(index[rows[-1]]) + 1
    return len(rows)


def _read_range(output_range, columns, n_outputs):
    """Bounds as the position of a column, an array of one number per output, or None."""
    if output_range is None:
        return None, None
    try:
        low, high = output_range
    except (TypeError, ValueError):
        raise ValueError(
            f"output_range must be a pair (low, high). Got {output_range!r} instead."
        ) from None
    low, high = (_read_bound(bound, columns, n_outputs) for bound in (low, high))
    if isinstance(low, np.ndarray) and isinstance(high, np.ndarray) and np.any(low > high):
        raise ValueError(
            f"output_range must be (low, high) with low <= high. Got {output_range!r} instead."
        )
    return low, high


def _read_bound(bound, columns, n_outputs):
    if bound is None:
        return None
    if isinstance(bound, str):
        if bound not in columns:
            raise ValueError(
                f"output_range names the column {bound!r}, but X has the columns {columns}: "
                "correct the name."
            )
        return columns.index(bound)
    try:
        return np.broadcast_to(np.asarray(bound, dtype=float), n_outputs)
    except (TypeError, ValueError):
        raise ValueError(
            "each bound of output_range must be a number, one number per output "
            f"({n_outputs}), a column name of X or None. Got {bound!r} instead."
        ) from None


def _check_range(low, high, table):
    wrong = np.argwhere(low > high)
    if len(wrong):
        row, output = wrong[0]
        raise ValueError(
            f"output_range must have low <= high, but in {table.label(row)} low is "
            f"{low[row, output]:g} and high {high[row, output]:g}: correct the bounds."
        )
