"""One model for each series of a panel.

A panel is cut into its series once; each is fitted by itself, in chunks on the workers of joblib,
and what the models answer is put together again under the labels of the panel. A series that cannot
be fitted has no model: its labels are kept, and it forecasts NaN.
"""

import pickle
import threading
import warnings
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pandas as pd
from joblib import Parallel, delayed, effective_n_jobs
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from narxkit._checks import is_count
from narxkit._progress import no_progress
from narxkit._warn import warn
from narxkit._words import counted
from narxkit.forecasters.base import TrainedOn, restored_on_error, usual_steps
from narxkit.forecasters.initial_state import count_rows_of_steps, is_estimate
from narxkit.forecasters.intervals import Wanted
from narxkit.forecasters.origins import ManyOrigins, Origins
from narxkit.forecasters.panels import Panel, PanelForecaster, columns_of
from narxkit.forecasters.runner import Runner
from narxkit.rows.history import History
from narxkit.rows.reach import Reach
from narxkit.rows.segments import Segments
from narxkit.rows.table import names_of_outputs, read_outputs, read_table

CHUNKS = 100  # a task costs a cluster 3 ms, and progress is told in percent
NAMED = 3  # series in a warning


class PerSeries(PanelForecaster):
    """One model for each series of a panel.

    Each series of a MultiIndex (series, time) is fitted by itself, with its own scale, lags that
    are found and state. A series that cannot be fitted is named in a warning and in `failed_`, and
    costs only itself: its forecasts are NaN.

    Parameters
    ----------
    forecaster : Forecaster
        The forecaster, not fitted, of which each series has a clone.
    n_jobs : int, default=None
        Fits at once, on the workers of joblib: processes, or what ``joblib.parallel_config`` names,
        such as ``"threading"`` or ``"dask"``. None means 1 outside of such a context. The weights
        do not depend on it.
    progress : callable, default=None
        ``progress(text, done, total)`` is called as series are fitted.

    Attributes
    ----------
    models_ : dict
        The fitted forecaster of each series by its name.
    failed_ : dict
        Why the others could not be fitted, by name.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, when X has any.

    See Also
    --------
    ScaledPerSeries : One model for all, each series scaled by itself.
    from_long : Makes a panel of a long frame.

    Notes
    -----
    One model for all series learns from all rows, and one each has nothing to share: short series
    that behave alike want the first, long ones of several kinds the second. `backtest` tells.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from narxkit import ARX, PerSeries
    >>> days = pd.date_range("2024-01-01", periods=40, name="day")
    >>> series = {name: pd.Series(rate ** np.arange(40), days) for name, rate in
    ...           {"a": 0.9, "b": 1.1}.items()}
    >>> y = pd.concat(series, names=["series"])
    >>> model = PerSeries(ARX(output_lags=1, alphas=[0.0])).fit(None, y)
    >>> (model.forecast(1) / y.groupby("series").last().to_numpy()).round(3)
    series  day
    a       2024-02-10    0.9
    b       2024-02-10    1.1
    dtype: float64
    """

    def __init__(self, forecaster, n_jobs=None, progress=None):
        self.forecaster = forecaster
        self.n_jobs = n_jobs
        self.progress = progress

    # ------------------------------------------------------------ fit and update
    def fit(self, X, y=None, sample_weight=None, segments=None):
        self._check_parameters()
        panel = Panel.read(X=X, y=y, sample_weight=sample_weight, segments=segments)
        models, failed = self._fitted(panel)
        if not models:
            raise ValueError(_no_model(failed))
        with restored_on_error(self):
            self.models_, self.failed_ = models, failed
            self._remember(panel, *names_of_outputs(y))
        _warn_of_failures(failed, len(panel.series))
        return self

    def _remember(self, panel, outputs, y_ndim):
        """Keep what the models have in common, and the labels of series without one."""
        self._outputs, self._y_ndim = outputs, y_ndim
        self._copy_features(next(iter(self.models_.values())))
        names = [None] if panel.index is None else list(panel.index.names)
        self._unfitted = History(Reach(), names, {})
        self._remember_labels(panel)
        self._trained_on = _trained_on(self.models_, panel)

    def _check_parameters(self):
        self._check_forecaster()
        if self.progress is not None and not callable(self.progress):
            raise ValueError(
                "The 'progress' parameter of PerSeries must be a function (text, done, total) or "
                f"None. Got {self.progress!r} instead."
            )

    def _fitted(self, panel):
        """Return the model of each series, and why there is none of others."""
        chunks = panel.chunks(max(CHUNKS, 4 * effective_n_jobs(self.n_jobs)))
        tasks = (delayed(_fit_chunk)(self.forecaster, chunk) for chunk in chunks)
        progress, n = self.progress or no_progress, len(panel.series)
        models, failed, notes = {}, {}, []
        progress("fitting the series", 0, n)
        with _recorded(notes):
            for found, failures, said in Parallel(self.n_jobs, return_as="generator")(tasks):
                models |= found
                failed |= failures
                notes += said
                progress("fitting the series", len(models) + len(failed), n)
        if notes:
            more = f"the fits of {n} series gave {counted(len(notes), 'warning')}, the first: "
            warn(notes[0] if n == 1 else more + notes[0])
        return models, failed

    def _remember_labels(self, panel):
        """Move on the labels of the series that have no model."""
        without = [key for key in panel.series if key in self.failed_]
        if without:
            index = panel.index[np.concatenate([panel.series[key] for key in without])]
            history = self._unfitted if self._unfitted.tails else None
            table = _labels_alone(index, np.full((len(index), 1), np.nan), history)
            tails = {key: self._moved_on(key, table) for key in without}
            self._unfitted = replace(self._unfitted, tails=self._unfitted.tails | tails)

    def _moved_on(self, key, table):
        return self._unfitted.tail(key, table, *self._unfitted.extended(key, table))

    def update(self, X, y=None):
        panel = self._read(X=X, y=y)
        moved = self._each(panel, lambda model, part: copy(model).update(part["X"], part["y"]))
        self._remember_labels(panel)
        self.models_ = {key: moved.get(key) or model for key, model in self.models_.items()}
        return self

    # ------------------------------------------------------------ predictions
    def predict(self, X):
        panel = self._read(X=X)
        y_hat = np.full((panel.n, len(self._outputs)), np.nan)
        for key, part in self._each(panel, lambda model, part: model.predict(part["X"])).items():
            if part is not None:
                y_hat[panel.series[key]] = columns_of(part)
        return self._shape(y_hat)

    def forecast(self, steps=None, X=None, **options):
        check_is_fitted(self)
        if X is None and steps is None:
            steps = usual_steps(self)
        if X is None and not is_count(steps):
            raise ValueError(f"steps must be an int >= 1 where X is not given. Got {steps!r}.")
        if X is None:
            inputs = dict.fromkeys(self.models_)
            labels = self._labels_without_model(steps)
        else:
            panel = self._read(X=X)
            inputs = {key: panel.part(key)["X"] for key in panel.series if key in self.models_}
            without = [key for key in panel.series if key in self.failed_]
            labels = {key: panel.labels(key)[:steps] for key in without}
        return self._stacked(self._forecasts(inputs, steps, options), labels)

    def _labels_without_model(self, steps):
        """Return the next labels of the series that have no model; one row tells none."""
        labels, unknown = {}, {}
        for key, tail in self._unfitted.tails.items():
            try:
                labels[key] = tail.labels(steps)
            except ValueError as error:
                unknown[key] = error
        if unknown:
            warn(
                f"{len(unknown)} series without a model have no rows in the forecast, for their "
                f"next labels are not known: {_first(unknown)}"
            )
        return labels

    def _forecasts(self, inputs, steps, options):
        """Forecast series; of those that have too few errors for intervals these are NaN."""
        parts, refused, n = {}, {}, len(inputs)
        wanted = Wanted.read(**options)
        progress = self.progress if self.progress and options else no_progress
        progress("forecasting the series", 0, n)
        for key, X in inputs.items():
            model = self.models_[key]
            with _named(key):
                try:
                    parts[key] = model.forecast(steps, X, **options)
                except ValueError as error:
                    if wanted is None or key is None:
                        raise
                    parts[key] = _beside_nothing(model, model.forecast(steps, X), wanted)
                    refused[key] = error
            progress("forecasting the series", len(parts), n)
        if refused:
            warn(f"intervals are NaN of {len(refused)} of {n} series: {_first(refused)}")
        return parts

    def _stacked(self, parts, labels):
        """Put forecasts under one index."""
        if None in parts:
            return parts[None]
        like = next(iter(parts.values()), pd.Series(dtype=float, name=self._outputs[0]))
        parts |= {key: like.iloc[:0].reindex(index) for key, index in labels.items()}
        whole = pd.concat(list(parts.values()))
        keys = pd.Index(list(parts), tupleize_cols=False).repeat([*map(len, parts.values())])
        index = pd.MultiIndex.from_arrays([keys, whole.index], names=self._unfitted.names)
        return whole.set_axis(index, axis=0)

    def simulate(self, X=None, y_init=None, y=None, steps=None):
        check_is_fitted(self)
        name, given = ("y", y) if is_estimate(y_init, y) else ("y_init", y_init)
        next(iter(self.models_.values()))._refuse_no_outputs(name, given)
        panel = self._read(X=X, y=given if X is None else None)
        measured = None if given is None else Panel.read(y=given)
        if measured is not None:
            panel.refuse_lacking(measured, name)
        runs = []
        for key in panel.series:
            start = None if measured is None else measured.part(key)["y"]
            runs.append(columns_of(self._simulated(key, panel.part(key)["X"], name, start, steps)))
        y_hat = np.concatenate(runs)
        if X is not None:
            y_hat[np.concatenate(list(panel.series.values()))] = y_hat.copy()
        return self._shape(y_hat)

    def _simulated(self, key, X, name, start, steps):
        """Run one series; without a model it is NaN over as many rows as others would have."""
        if key in self.failed_:
            like = next(iter(self.models_.values()))._history
            n = count_rows_of_steps(like, name, len(start), steps) if X is None else len(X)
            return np.full((n, len(self._outputs)), np.nan)
        how = {"y_init": "estimate", "y": start} if name == "y" else {"y_init": start}
        with _named(key):
            return self.models_[key].simulate(X, **how, steps=steps)

    def _origins(self, X, y, segments=None, **options):
        """Return measured rows of all series, ready for rollouts from any of them."""
        panel = self._read(X=X, y=y, segments=segments)
        table = _labels_alone(panel.index, read_outputs(y))

        def ask(model, part):
            return model._origins(part["X"], part["y"], part["segments"], **options)

        parts, rows = [], []
        for key, part in self._each(panel, ask).items():
            given = panel.series[key]
            part = _without_model(table, given) if part is None else part
            parts.append(part)
            rows.append(np.where(part.table_row < 0, -1, given[part.table_row]))
        return ManyOrigins(table, parts, np.concatenate(rows))

    # ------------------------------------------------------------ series
    def _read(self, **tables):
        """Cut tables into series, all of which ``fit`` has seen."""
        check_is_fitted(self)
        panel = Panel.read(**tables)
        unknown = [key for key in panel.series if key not in self.models_ | self.failed_]
        if unknown:
            seen = "one series without a name"
            if None not in self.models_:
                seen = f"{len(self.models_)} others, such as {next(iter(self.models_))!r}"
            what = "rows without a series" if unknown[0] is None else f"the series {unknown[0]!r}"
            raise ValueError(
                f"{what} has no model, for fit has seen {seen}: fit again with its rows, or use "
                "ScaledPerSeries, one model for all."
            )
        return panel

    def _each(self, panel, ask):
        """Ask the model of each series about its tables; the answer is None where it has none."""
        answers = dict.fromkeys(panel.series)
        for key in [key for key in panel.series if key in self.models_]:
            with _named(key):
                answers[key] = ask(self.models_[key], panel.part(key))
        return answers


@contextmanager
def _named(key):
    """Name the series in what is wrong with it."""
    try:
        yield
    except ValueError as error:
        if key is None:
            raise
        raise ValueError(f"series {key!r}: {error}") from error


# --- fits ----------------------------------------------------------------------------------------


class _Fits(NamedTuple):
    """Fitted models, reasons of failures and warnings, of the series of one task."""

    models: dict
    failed: dict
    notes: list

    def __reduce__(self):
        # joblib looks at each array of each model by itself, which takes ten times as long
        try:
            return _unpickled, (pickle.dumps(tuple(self)),)
        except Exception:  # of a class of a script, which joblib alone can send
            return _Fits, tuple(self)


def _unpickled(fits):
    return _Fits(*pickle.loads(fits))


def _fit_chunk(forecaster, panel):
    """Fit a model to each series of one task."""
    models, failed, notes = {}, {}, []
    with _recorded(notes):
        for key in panel.series:
            try:
                models[key] = clone(forecaster).fit(**panel.part(key))
            except Exception as error:  # of this series alone: the others go on
                failed[key] = str(error) or type(error).__name__
    return _Fits(models, failed, notes)


@contextmanager
def _recorded(notes):
    """Take the warnings of many fits, which are told together.

    Python keeps one list of filters for all threads: theirs are taken by the one that waits.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    notes += [str(warning.message) for warning in caught if warning.category is not ResourceWarning]


def _no_model(failed):
    (key, reason), *more = failed.items()
    if key is None:
        return reason
    return f"none of {len(more) + 1} series can be fitted; {key!r}, the first: {reason}"


def _warn_of_failures(failed, n):
    if failed:
        more = f" (failed_ names all {len(failed)})" if len(failed) > NAMED else ""
        warn(
            f"{len(failed)} of {n} series could not be fitted and forecast NaN: "
            f"{_first(failed)}{more}"
        )


def _first(reasons):
    """Name the first series and their reasons, for a sentence."""
    return " ".join(f"{key!r}: {reason}" for key, reason in list(reasons.items())[:NAMED])


def _beside_nothing(model, y_hat, wanted):
    """Return a forecast beside intervals that are NaN."""
    values = columns_of(y_hat.to_numpy())
    fans = np.full((len(wanted.columns), *values.shape), np.nan)
    return model._roles.fans(values, fans, wanted.columns, y_hat.index)


def _trained_on(models, panel):
    """Return the rows of all models together."""
    ends = [model._trained_on for model in models.values()]
    if ends[0].first is None:
        return ends[0]._replace(n_rows=panel.n)
    first, last = min(end.first for end in ends), max(end.last for end in ends)
    return TrainedOn(panel.n, first, last, ends[0].units)


def _labels_alone(index, y, history=None):
    """Return outputs under labels, of no forecaster."""
    labels = None if index is None else pd.DataFrame(index=index)
    return read_table(SimpleNamespace(n_features_in_=0), labels, y, history=history)


def _without_model(table, rows):
    """Return the rows of a series, from which all forecasts are NaN."""
    y = table.y[rows]

    def run(rollouts):
        shape = len(rollouts), rollouts.n_steps, y.shape[1]
        return np.full(shape, np.nan), np.full(len(rollouts), -1)

    return Origins(
        Runner(Reach(), run, None),
        table,
        Segments(np.empty((len(y), 0)), y, np.array([0, len(y)])),
        np.arange(len(y)),
        has_new_clock=False,
        check=lambda: None,  # there is always history enough for nothing
        fans=lambda *rollouts: {},
    )
