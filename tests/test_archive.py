"""Saved models: the same bits after a round trip, and files that are none of ours."""

import copy
import io
import json
import os
import pickle
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

import narxkit
from archive_mutations import MARK, Payload, resigned, watch
from narxkit import (
    ARX,
    CMAES,
    NARX,
    TDNN,
    Adam,
    AutoNARX,
    Climatology,
    ElmanRegressor,
    ExponentialSmoothing,
    GRURegressor,
    LevenbergMarquardt,
    LSTMRegressor,
    Persistence,
    SeasonalNaive,
    SmartPersistence,
    TransformedForecaster,
    backtest,
    load,
    prune,
)
from narxkit._stored import STORED
from narxkit.export import archive, summary
from narxkit.export._tree import put_together, take_apart

FIXTURES = Path(__file__).parent / "archives"
N, NEXT = 120, 12  # rows to learn from, and rows of each of two updates


# --- round trips ---------------------------------------------------------------------------------


def rows(index=None, n_outputs=1):
    """Return inputs and positive outputs of three stretches, one after another."""
    n, rng = N + 2 * NEXT, np.random.default_rng(0)
    index = pd.date_range("2024-03-28", periods=n, freq="h", tz="Europe/Berlin", name="time") \
        if index is None else index  # fmt: skip
    X = pd.DataFrame(rng.normal(size=(n, 2)), index=index, columns=["a", "b"])
    X["b"] = np.abs(X["b"]) + 0.1
    waves = 3 + np.sin(np.arange(n)[:, None] / 4 + np.arange(n_outputs)) + 0.2 * X[["a"]].to_numpy()
    y = pd.DataFrame(waves + 0.1 * rng.normal(size=waves.shape), index=index)
    y.columns = [f"y{i}" for i in range(n_outputs)]
    return X, y if n_outputs > 1 else y["y0"]


def cut(values, *stretch):
    """Return a stretch of rows, of each series where there are several."""
    if values is None:
        return None
    if isinstance(getattr(values, "index", None), pd.MultiIndex):
        parts = [part.iloc[slice(*stretch)] for _, part in values.groupby(level=0, sort=False)]
        return pd.concat(parts)
    part = slice(*stretch)
    return values.iloc[part] if hasattr(values, "iloc") else values[part]


def panel():
    X, y = rows()
    return tuple(pd.concat({key: v * f for key, f in (("p", 1.0), (7, 2.0))}) for v in (X, y))


def of_index(index, **kwargs):
    return lambda: (None, rows(index, **kwargs)[1])


def quick(kind=NARX, **params):
    return kind(**{"max_iter": 3, "hidden_layer_sizes": (3,), "random_state": 0} | params)


HOURS = pd.date_range("2024-01-01", periods=2000, freq="h")
IN_SESSION = HOURS[(HOURS.hour > 8) & (HOURS.hour < 16) & (HOURS.day_of_week < 5)][: N + 2 * NEXT]
HOLIDAYS = pd.offsets.CustomBusinessDay(
    holidays=["2024-01-01", "2024-12-25"], weekmask="Mon Tue Wed Thu"
)
many = dict(periods=N + 2 * NEXT)
CASES = {
    # solvers, alone and as objects
    **{
        f"solver={solver}": (quick(solver=solver, max_iter=2), rows)
        for solver in ("lm", "br", "lbfgs", "tnc", "cg", "irprop+", "adam", "rmsprop", "sgd",
                       "ga", "cmaes", "annealing")
    },
    "solver object": (quick(solver=LevenbergMarquardt(damping=np.float32(0.1))), rows),
    "minibatches": (quick(solver=Adam(batch_size=16)), rows),
    # structures, loops, members, penalties
    "loop": (quick(loop=(3, "closed"), washout=1), rows),
    "members": (quick(n_restarts=3, combine="median", n_members=2), rows),
    "off": (quick(alpha="auto", hidden_layer_sizes=()), rows),
    "given penalties": (quick(alpha=0.1, linear_alpha=0.0, linear_term=False), rows),
    "layers": (quick(hidden_layer_sizes=[3, 2], activation="softplus"), rows),
    "lags": (quick(input_lags={"a": range(2), "b": [0, (1, 3)]}, output_lags=(1, (1, 4))), rows),
    "leads": (quick(input_lags=np.array([-1, 0])), rows),
    "early stopping": (quick(early_stopping=True, random_state=np.random.RandomState(1)), rows),
    "bounds": (quick(input_lags={"a": 1, "b": []}, output_range=(0, 4.5)), rows),
    "bound column": (quick(input_lags=1, output_range=("a", np.float64(9.0))), rows),
    "not scaled": (quick(scale=False), rows),
    "two outputs": (quick(), lambda: rows(n_outputs=2)),
    "TDNN": (quick(TDNN, input_lags=2), rows),
    # calendars
    "calendar": (quick(calendar=["hour", "weekend", {"holiday": ("DE", "BY")}]), rows),
    "splines": (quick(calendar={"hour": "spline", "day_of_week": 2}), rows),
    # recurrent networks
    **{kind.__name__: (quick(kind, window=5), rows)
       for kind in (ElmanRegressor, GRURegressor, LSTMRegressor)},
    "two layers": (quick(LSTMRegressor, window=5, hidden_layer_sizes=(3, 2)), rows),
    # baselines
    "ARX": (ARX(calendar=["hour"]), rows),
    "level": (ARX(level=np.int64(4), drift=0.5), lambda: rows(n_outputs=2)),
    "level zero": (ARX(level=0), rows),
    "periodic": (ARX(calendar={"hour": 2}, level=3, periodic=True), rows),
    "Persistence": (Persistence(output_range=(0, None)), rows),
    "SeasonalNaive": (SeasonalNaive(), rows),
    "ExponentialSmoothing": (ExponentialSmoothing(), rows),
    "window": (ExponentialSmoothing(0, np.int32(7), (0, None)), panel),
    "Climatology": (Climatology(by=("hour",)), rows),
    "Climatology of two": (Climatology(by=["day_of_week", "hour"]), rows),
    "SmartPersistence": (SmartPersistence("b", threshold=0.2, memory=4), rows),
    # transforms
    "log": (TransformedForecaster(quick(), transform="log", difference=[1, 2]), rows),
    "boxcox": (TransformedForecaster(ARX(), transform="boxcox"), rows),
    "divided": (TransformedForecaster(quick(GRURegressor, window=5), divide_by="b"), rows),
    "seasons": (TransformedForecaster(quick(), season=[24]), rows),
    "seasons of a panel": (TransformedForecaster(ARX(), season=np.array([6, 24])), panel),
    "seasons of months": (
        TransformedForecaster(ExponentialSmoothing(), "log", [1], season=12),
        of_index(pd.period_range("2000-01", freq="M", **many))),
    "seasons of business days": (
        TransformedForecaster(SeasonalNaive(4), season=4),
        of_index(pd.date_range("2024-01-02", freq=HOLIDAYS, **many))),
    "seasons of elapsed times": (
        TransformedForecaster(ARX(level=2), season=24),
        of_index(pd.timedelta_range("0s", freq="h", **many))),
    # pools
    "AutoNARX": (AutoNARX(6, random_state=0, networks=False), rows),
    "AutoNARX of two": (AutoNARX(2, season=6, random_state=0), lambda: rows(n_outputs=2)),
    "AutoNARX of arrays": (AutoNARX(2, random_state=0), lambda: (None, rows()[1].to_numpy())),
    "AutoNARX of a panel": (AutoNARX(3, divide_by="b", output_range=(0, None)), panel),
    "AutoNARX of systems": (AutoNARX("simulation", networks=False), rows),
    "all transforms": (
        TransformedForecaster(quick(calendar=["hour"]), "log", np.array([24]), "b"), rows),
    # series, clocks and labels
    "panel": (quick(), panel),
    "transformed panel": (TransformedForecaster(quick(), difference=[1]), panel),
    "arrays": (quick(), lambda: tuple(v.to_numpy() for v in rows())),
    "no inputs": (ARX(), lambda: (None, rows()[1])),
    "row numbers": (ARX(), of_index(pd.RangeIndex(5, 5 + 3 * (N + 2 * NEXT), 3))),
    "freq": (ARX(), of_index(pd.date_range("2024-01-31", freq="ME", **many))),
    "no zone": (ARX(), of_index(pd.date_range("2024-01-01", freq="15min", unit="ns", **many))),
    "fixed zone": (ARX(), of_index(pd.date_range("2024-01-01T00+02:00", freq="D", **many))),
    "UTC": (ARX(), of_index(pd.date_range("2024-01-01", freq="D", tz="UTC", **many))),
    "business days": (ARX(), of_index(pd.bdate_range("2024-01-01", **many))),
    "holidays": (ARX(), of_index(pd.date_range("2024-01-02", freq=HOLIDAYS, **many))),
    "sessions": (ARX(), of_index(IN_SESSION)),
    "text": (ARX(), of_index(IN_SESSION.astype(str))),
    "months": (ARX(), of_index(pd.period_range("2000-01", freq="M", **many))),
    "elapsed": (ARX(), of_index(pd.timedelta_range("0s", freq="s", **many))),
}  # fmt: skip


def fitted(name):
    model, make = CASES[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        X, y = make()
        return copy.deepcopy(model).fit(cut(X, 0, N), cut(y, 0, N)), X, y


def answers(model, X, y):
    """Return what every verb answers, from copies: the model stays as it is."""
    stretches = (0, N), (N, N + NEXT), (N + NEXT, N + 2 * NEXT)
    (X0, y0), (X1, y1), (X2, y2) = ((cut(X, *part), cut(y, *part)) for part in stretches)
    given = dict(X=X1) if X is not None else dict(steps=NEXT)
    yield model.forecast(**given)
    yield model.predict_ahead(X0, y0, steps=[1, 3])
    if X is None:
        yield model.simulate(y_init=cut(y, 0, 50), steps=9)
    else:
        yield model.predict(X1)
        yield model.simulate(X0, cut(y, 0, 50))
    yield backtest(model, X0, y0, steps=3)
    model = copy.deepcopy(model).update(X1, y1)
    yield model.forecast(**(dict(X=X2) if X is not None else given))


@pytest.mark.parametrize("name", CASES)
@pytest.mark.filterwarnings("ignore")
def test_every_verb_answers_with_the_same_bits(name, tmp_path):
    model, X, y = fitted(name)
    model.save(tmp_path / "m.narx")
    loaded = load(tmp_path / "m.narx")
    for one, other in zip(answers(model, X, y), answers(loaded, X, y), strict=True):
        if isinstance(one, np.ndarray):
            assert one.dtype == other.dtype and one.tobytes() == other.tobytes()
        elif isinstance(one, pd.Series):
            pd.testing.assert_series_equal(one, other, check_exact=True, check_freq=True)
        else:
            pd.testing.assert_frame_equal(one, other, check_exact=True, check_freq=True)
    # all that is kept, whether a verb reads it or not
    loaded.save(tmp_path / "again.narx")
    assert (tmp_path / "again.narx").read_bytes() == (tmp_path / "m.narx").read_bytes()
    assert set(vars(loaded)) == set(vars(model))


@pytest.fixture(scope="module")
def automatic(tmp_path_factory):
    """A saved model whose types stand in a room of their own."""
    path = tmp_path_factory.mktemp("models") / "format-automatic.narx"
    fitted("AutoNARX")[0].save(path)
    return path


@pytest.mark.parametrize("name", ["climatology", "lstm", "narx", "transformed", "automatic"])
def test_a_process_that_has_imported_nothing_yet_loads_it(name, request):
    """Names of the package are imported when they are asked for, and types are marked then."""
    path = FIXTURES / f"format1-{name}.narx"
    path = request.getfixturevalue("automatic") if name == "automatic" else path
    code = "import sys, narxkit; print(type(narxkit.load(sys.argv[1])).__name__)"
    child = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False
    )
    assert (child.stdout.strip(), child.stderr) == (type(load(path)).__name__, "")


@pytest.mark.parametrize("kind", [ElmanRegressor, GRURegressor, LSTMRegressor])
def test_both_directions_come_back(kind, tmp_path):
    X, y = rows()
    model = quick(kind, bidirectional=True, output_lags=[], input_lags=0, window=4).fit(X, y)
    model.save(tmp_path / "m.narx")
    assert load(tmp_path / "m.narx").simulate(X).tobytes() == model.simulate(X).tobytes()


@pytest.mark.filterwarnings("ignore")
def test_a_network_that_was_pruned_comes_back(tmp_path):
    model, X, y = fitted("given penalties")
    pruned = prune(model, cut(X, 0, N), cut(y, 0, N)).model
    pruned.save(tmp_path / "m.narx")
    loaded = load(tmp_path / "m.narx")
    assert loaded.structure_ == pruned.structure_
    assert loaded.predict_ahead(X, y).tobytes() == pruned.predict_ahead(X, y).tobytes()


@pytest.mark.filterwarnings("ignore")
def test_a_loaded_model_learns_on(tmp_path):
    """All parameters are there: a fit gives what one of the model itself gives."""
    model, X, y = fitted("early stopping")
    model.set_params(warm_start=True).save(tmp_path / "m.narx")
    loaded = load(tmp_path / "m.narx")
    assert loaded.stop_ is model.stop_ and loaded.loop_ == model.loop_
    once, again = (one.fit(X, y).theta_ for one in (model, loaded))
    assert once.tobytes() == again.tobytes()


# --- values --------------------------------------------------------------------------------------

day = pd.Timestamp("2024-02-29 12:00")
offsets = pd.offsets
VALUES = [
    None, True, 0, -(10**30), -0.0, float("nan"), -np.inf, 1e-320, "", "é\ud800\x00", [[], [1]],
    (), (1, (2.0, "a")), {}, {1: "a", (2, None): [3], "b": {}}, {"a", 1}, range(2, 9, 3),
    np.float32(0.1), np.int8(-3), np.bool_(True), np.str_("a"), np.longdouble("0.1"),
    np.datetime64("2024-01", "M"), np.timedelta64(3, "h"), np.complex128(1j),
    np.arange(6.0).reshape(2, 3).T, np.array(3, dtype=">i2"), np.zeros((0, 3)), np.array(["a"]),
    np.array([1, "a", None, (1, 2)], dtype=object).reshape(2, 2), np.array([], dtype=object),
    day, day.as_unit("ns"), day.tz_localize("Asia/Kathmandu"), day.tz_localize("UTC"),
    day.tz_localize("+05:30"), pd.NaT, pd.Timedelta("3h"), pd.Period("2024-05", "Q-NOV"),
    day.date(), day.time(), day.to_pydatetime(), day.to_pydatetime() - day.to_pydatetime(),
    pd.date_range("2024-01-01", periods=3, freq="2h", tz="Europe/Berlin", name="t"),
    pd.DatetimeIndex(["2024-10-27 02:30", "2024-10-27 02:30"]).tz_localize(
        "Europe/Berlin", ambiguous=[True, False]),
    pd.timedelta_range("1s", periods=3, freq="s"), pd.period_range("2024", periods=3, freq="W"),
    pd.RangeIndex(3, 9, 2, name="n"), pd.Index([1.5, 2.5], name=("a", 1)), pd.Index(["a", "b"]),
    pd.Index([1, "a"]), pd.Index([], dtype=object), pd.Index([True, False]),
    pd.MultiIndex.from_product([["a", "b"], [day, day + pd.Timedelta("1h")]], names=["k", None]),
    pd.DataFrame({"a": [1, 2], 3: [0.5, np.nan]}, index=[day, day]), pd.DataFrame(index=[1, 2]),
    offsets.Hour(3), offsets.Day(2), offsets.Week(weekday=4), offsets.BDay(2),
    offsets.MonthEnd(normalize=True), offsets.QuarterEnd(startingMonth=2), offsets.BYearEnd(),
    offsets.DateOffset(months=2, day=30), offsets.DateOffset(days=3), offsets.SemiMonthEnd(),
    offsets.WeekOfMonth(week=2, weekday=4), offsets.LastWeekOfMonth(weekday=0), offsets.Easter(),
    offsets.FY5253Quarter(weekday=3, startingMonth=1, qtr_with_extra_week=4, variation="last"),
    offsets.BusinessHour(start=["09:00", "14:00"], end=["12:00", "18:00"]), HOLIDAYS,
    offsets.CustomBusinessHour(start="08:00", end="12:00", weekmask="Mon Wed"),
    offsets.CustomBusinessMonthBegin(holidays=["2024-01-01"]), offsets.BQuarterEnd(),
    *(narxkit.solvers.Stop), LevenbergMarquardt(damping=2.0),
]  # fmt: skip


def round_trip(value):
    kept = []

    def keep(array):
        kept.append(array.copy(order="K"))
        return len(kept) - 1

    tree = json.loads(json.dumps(take_apart(value, keep), allow_nan=False))
    return put_together(tree, kept.__getitem__)


def same(one, other):
    """Tell whether two values are the same, to the bit and the type."""
    assert type(one) is type(other)
    if isinstance(one, pd.Index):
        pd.testing.assert_index_equal(one, other, exact=True)
        return getattr(one, "freq", None) == getattr(other, "freq", None)
    if isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other, check_exact=True, check_column_type=True)
        return True
    if isinstance(one, np.ndarray | np.generic):
        return one.dtype == other.dtype and np.shape(one) == np.shape(other) and (
            list(one.flat) == list(other.flat) if one.dtype == object
            else np.array_equal(one, other)
        )  # fmt: skip
    if isinstance(one, float):
        return np.float64(one).tobytes() == np.float64(other).tobytes()
    if isinstance(one, pd.offsets.CustomBusinessDay):
        return all(day + i * one == day + i * other for i in range(-99, 99)) and one.n == other.n
    if isinstance(one, LevenbergMarquardt):
        return vars(one) == vars(other)
    return one is other if one is pd.NaT else one == other


@pytest.mark.parametrize(
    "value", VALUES, ids=lambda value: f"{type(value).__name__} {value!r}"[:40]
)
def test_a_value_comes_back_to_the_bit_and_the_type(value):
    back = round_trip(value)
    assert same(value, back)
    if isinstance(value, pd.Timestamp) and value is not pd.NaT:
        assert (back.unit, str(back.tz)) == (value.unit, str(value.tz))


def test_what_is_marked_is_all_of_narxkit():
    assert {kind.__module__.partition(".")[0] for kind in STORED.values()} == {"narxkit"}
    assert {"Taps", "Clock", "Scale", "Stage", "Stop", "CellNetwork", "Chain"} <= set(STORED)
    assert len({kind.__name__ for kind in STORED.values()}) == len(STORED)


# --- what cannot be saved ------------------------------------------------------------------------


class OwnSolver(LevenbergMarquardt):
    """A class that no file can name."""


class OwnNARX(NARX):
    """Another."""


def own(*args):
    return 0.0


UNSAVED = "which no file can hold unless it runs it"
NOT_NEEDED = "for predictions do not need it, and save again."


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (quick(callback=own), f"the parameter callback of NARX is a function, {UNSAVED}: call "
                              f"set_params(callback=None), {NOT_NEEDED}"),
        (quick(solver=CMAES(loss=own)), f"the parameter solver__loss of NARX is a function, "
                              f"{UNSAVED}: call set_params(solver__loss=None), {NOT_NEEDED}"),
        (quick(solver=OwnSolver()), f"the parameter solver of NARX is of the class OwnSolver, "
                              f"{UNSAVED}: call set_params(solver='lm'), {NOT_NEEDED}"),
        (TransformedForecaster(ARX(), (np.sqrt, np.square)),
         f"the parameter transform of TransformedForecaster is a function, {UNSAVED}: fit again "
         "with transform='log' or 'boxcox', which have names."),
        (TransformedForecaster(quick(callback=own)),
         "the parameter forecaster__callback of TransformedForecaster is a function, "
         f"{UNSAVED}: call set_params(forecaster__callback=None) and fit again."),
        (OwnNARX(max_iter=2), "OwnNARX is no class of narxkit, and a file holds none but those, "
         "for it runs nothing when it is read: save models of narxkit's classes, or pickle this "
         "one."),
    ],
    ids=["callback", "loss", "solver", "transform", "inside", "model"],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore")
def test_what_would_have_to_be_run_is_refused(model, sentence, tmp_path):
    path = tmp_path / "m.narx"
    path.write_text("earlier")
    with pytest.raises(ValueError) as caught:
        model.fit(None, rows()[1]).save(path)
    assert str(caught.value) == sentence
    assert path.read_text() == "earlier" and os.listdir(tmp_path) == ["m.narx"]
    if sentence.endswith(NOT_NEEDED):  # the remedy is one
        remedy = sentence.partition("call set_params(")[2].partition(")")[0].split("=")
        model.set_params(**{remedy[0]: eval(remedy[1])}).save(path)
        assert load(path).predict_ahead(None, rows()[1]).tobytes() == (
            model.predict_ahead(None, rows()[1]).tobytes()
        )


def test_a_class_that_nobody_has_marked_is_a_defect(tmp_path):
    model = Persistence().fit(None, [1.0, 2, 3])
    model._units_of_old = model._runner
    with pytest.raises(TypeError, match="_units_of_old of Persistence is of the class Runner"):
        model.save(tmp_path / "m.narx")


def test_labels_of_odd_kinds_are_refused(tmp_path):
    y = pd.concat({pd.Interval(0, 1): rows()[1]})
    with pytest.raises(ValueError, match="with a name or a label of the class Interval, which no"):
        Persistence().fit(None, y).save(tmp_path / "m.narx")


def test_a_zone_and_a_freq_of_ones_own_are_refused(tmp_path):
    class Odd(pd.offsets.Day):
        pass

    dateutil = pytest.importorskip("dateutil.tz")
    for index, sentence in [
        (pd.date_range("2024", periods=9, tz=dateutil.tzlocal()), "the time zone tzlocal"),
        (pd.date_range("2024", periods=9, freq=Odd()), "the freq of the rows is of the class Odd"),
    ]:
        with pytest.raises(ValueError, match=sentence):
            Persistence().fit(None, pd.Series(range(9), index=index)).save(tmp_path / "m.narx")


def test_places_that_take_no_file_are_refused(tmp_path):
    model = Persistence().fit(None, [1.0, 2, 3])
    for path, sentence in [
        (tmp_path, f"cannot save to {tmp_path}: it is a folder; give the name of a file."),
        (tmp_path / "no" / "m.narx", f"cannot save to {tmp_path}/no/m.narx: there is no folder "
                                     f"{tmp_path}/no; create it, or give another."),
    ]:  # fmt: skip
        with pytest.raises(ValueError) as caught:
            model.save(path)
        assert str(caught.value) == sentence
    with pytest.raises(NotFittedError):
        NARX().save(tmp_path / "m.narx")
    assert os.listdir(tmp_path) == []


# --- files that are none of ours -----------------------------------------------------------------


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "m.narx"
    days = pd.date_range("2024-01-01", periods=30, name="day")
    y = pd.Series(np.arange(30.0) % 7, index=days, name="load")
    y.attrs["units"] = {"load": "kW", "wind": "m/s"}
    ARX(output_lags=7).fit(None, y).save(path)
    return path.read_bytes()


def foreign(kind):
    buffer = io.BytesIO()
    if kind in ("zip", "manifest"):
        with zipfile.ZipFile(buffer, "w") as file:
            file.writestr("a.txt" if kind == "zip" else "manifest.json", '{"version": 1}')
    elif kind == "npz":
        np.savez(buffer, theta=np.zeros(3))
    elif kind == "pickle":
        pickle.dump(ARX(), buffer)
    else:
        buffer.write({"text": b"time,load\n1,2\n", "empty": b"", "PK": b"PK\x03\x04"}[kind])
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["zip", "manifest", "npz", "pickle", "text", "empty", "PK"])
def test_a_file_of_another_program_is_refused(kind, tmp_path):
    path = tmp_path / "m.narx"
    path.write_bytes(foreign(kind))
    with pytest.raises(ValueError) as caught:
        load(path)
    assert str(caught.value) == (
        f"{path} is no model that narxkit has saved: give the file that save has written."
    )


def test_what_is_no_file_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "m.narx")
    with pytest.raises(ValueError, match="is a folder: give the file that save has written"):
        load(tmp_path)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(ValueError, match="pipe is no ordinary file: give the file that save"):
            load(tmp_path / "pipe")


def test_a_newer_format_says_what_reads_it(content, tmp_path):
    path = tmp_path / "m.narx"
    path.write_bytes(resigned(members(content), version=2, narxkit="0.9.1"))
    with pytest.raises(ValueError) as caught:
        load(path)
    assert str(caught.value) == (
        f"{path} has version 2 of the format, and narxkit {narxkit.__version__} reads up to 1: "
        "install narxkit 0.9.1 or later."
    )


def members(content):
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        return {name: file.read(name) for name in file.namelist()}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda m: m | {"arrays/0.npy": m["arrays/0.npy"][:-1] + b"x"}, "arrays/0.npy is not what"),
        (lambda m: m | {"arrays/99.npy": b""}, "it does not hold the members that its manifest"),
        (lambda m: m | {"model.json": m["model.json"].replace(b"kW", b"MW")}, "model.json is not"),
    ],
    ids=["array", "member", "text"],
)  # fmt: skip
def test_an_altered_file_is_refused_though_its_zip_is_whole(content, tmp_path, change, why):
    path = tmp_path / "m.narx"
    with zipfile.ZipFile(path, "w") as file:
        for name, data in change(members(content)).items():
            file.writestr(zipfile.ZipInfo(name), data)
    with pytest.raises(ValueError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path} is damaged ({why}")
    assert str(caught.value).endswith("): take a whole copy of it, or save the model again.")


def test_a_bomb_is_not_unpacked(content, tmp_path):
    path = tmp_path / "m.narx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members(content).items():
            file.writestr(name, data + bytes(10**7) * name.endswith("0.npy"))
    with pytest.raises(ValueError, match="its members are packed, or larger than the file"):
        load(path)


def test_an_array_is_no_larger_than_its_member(content, tmp_path):
    parts, path = members(content), tmp_path / "m.narx"
    header = "{'descr': '<f8', 'fortran_order': False, 'shape': (10000000000000,), }"
    array = b"\x93NUMPY\x01\x00\x76\x00" + header.ljust(117).encode() + b"\n" + bytes(80)
    path.write_bytes(resigned(parts | {"arrays/0.npy": array}))
    with pytest.raises(ValueError, match="arrays/0.npy does not hold what its header says"):
        load(path)


def test_a_network_has_as_many_parameters_as_it_reads(content, tmp_path):
    """Kernels would read past a shorter vector."""
    path = tmp_path / "m.narx"
    text = members(content)["model.json"]
    assert text.count(b'["hidden_layer_sizes", {"tuple": []}]') == 2
    parts = members(content) | {
        "model.json": text.replace(b'["hidden_layer_sizes", {"tuple": []}]',
                                   b'["hidden_layer_sizes", {"tuple": [9]}]')
    }  # fmt: skip
    path.write_bytes(resigned(parts))
    with pytest.raises(ValueError, match="a network of 89 parameters has .8,. of them"):
        load(path)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (b'["n_outputs", 1]', b'["n_outputs", 9223372036854775807]', "a network of more param"),
        (b'["output_lags", 7]', b'["output_lags", {"range": [0, 9999999999]}]', "a range has more"),
        (b'{"tuple": []}', b'{"tuple": {"range": [0, 9, 1]}}', "a tuple is made of a list"),
    ],
    ids=["outputs", "range", "tuple"],
)
def test_no_few_letters_stand_for_more_than_the_memory_holds(content, tmp_path, old, new, why):
    path, parts = tmp_path / "m.narx", members(content)
    assert old in parts["model.json"]
    path.write_bytes(resigned(parts | {"model.json": parts["model.json"].replace(old, new)}))
    with pytest.raises(ValueError, match=f"is damaged .{why}"):
        load(path)


@pytest.mark.parametrize(
    "name", ["GaussianProcessRegressor", "main", "hit_rate", "Forecaster", "os"]
)
def test_no_other_class_is_made(content, tmp_path, name):
    path, parts = tmp_path / "m.narx", members(content)
    text = parts["model.json"].replace(
        b'{"estimator": ["ARX"', b'{"estimator": ["%b"' % name.encode()
    )
    path.write_bytes(resigned(parts | {"model.json": text}))
    with pytest.raises(ValueError, match=f"damaged .'{name}' is no estimator of narxkit"):
        load(path)


# --- damages by the hundred ----------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore")
def test_three_hundred_damaged_models_are_refused_or_the_same(tmp_path):
    """More of them: ``python tests/archive_mutations.py``."""
    script = Path(__file__).with_name("archive_mutations.py")
    run = subprocess.run(
        [sys.executable, script, "--cases", "300"],
        cwd=tmp_path, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert run.stdout == "300 cases: 0 failed.\n" and run.returncode == 0, run.stdout + run.stderr


def test_a_payload_would_be_seen(tmp_path, monkeypatch):
    """What the damages must not lead to is noticed where it happens."""
    monkeypatch.chdir(tmp_path)
    happened = []
    watch(happened)
    pickle.loads(pickle.dumps(Payload()))
    assert "os.system" in happened and (tmp_path / MARK).exists()


# --- writing -------------------------------------------------------------------------------------

KILLED = """
import os, resource, signal, sys, zipfile
from narxkit import ARX, load

path, how = sys.argv[1:]
old, new = (ARX(output_lags=k).fit(None, [1.0, 3, 2, 5, 4, 6, 8, 7, 9, 9, 12, 11]) for k in (1, 2))
expected = {k.forecast(3).to_numpy().tobytes() for k in (old, new)}
calls = 0

def counted(function, moment):
    def call(*args, **kwargs):
        global calls
        calls += 1
        if calls == moment:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*args, **kwargs)
    return call

def in_child(do):
    child = os.fork()
    if child == 0:
        try:
            do()
        except BaseException as error:
            print(type(error).__name__, getattr(error, "filename", ""), flush=True)
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

def killed_at(moment):
    zipfile.ZipFile.writestr = counted(zipfile.ZipFile.writestr, moment)
    zipfile.ZipFile.close = counted(zipfile.ZipFile.close, moment)
    os.fsync, os.replace = counted(os.fsync, moment), counted(os.replace, moment)
    new.save(path)

def limited():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
    new.save(path)

old.save(path)
n = len(zipfile.ZipFile(path).namelist())
# some members, the end of the zip, what puts it on the disk, its name, and what puts that there
moments = [*range(1, n, n // 6)][:6] + [n + 1, n + 2, n + 3, n + 4]
for moment in moments if how == "kill" else [0]:
    old.save(path)
    code = in_child((lambda: killed_at(moment)) if how == "kill" else limited)
    is_whole = load(path).forecast(3).to_numpy().tobytes() in expected
    print(code, is_whole, flush=True)
"""


def run_killed(path, how):
    run = subprocess.run(
        # threads of BLAS, of which newer Pythons warn, hold no lock that the child needs
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", KILLED, path, how],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.stderr == ""
    return run.stdout.splitlines()


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")


@needs_fork
def test_a_kill_at_ten_moments_leaves_a_whole_file(tmp_path):
    lines = run_killed(tmp_path / "m.narx", "kill")
    assert lines == ["-9 True"] * 10


@needs_fork
def test_a_full_disk_leaves_the_earlier_file(tmp_path):
    path = tmp_path / "m.narx"
    assert run_killed(path, "limit") == [f"OSError {path}", "1 True"]
    assert os.listdir(tmp_path) == ["m.narx"]


def test_the_same_model_gives_the_same_bytes(content, tmp_path):
    days = pd.date_range("2024-01-01", periods=30, name="day")
    y = pd.Series(np.arange(30.0) % 7, index=days, name="load")
    y.attrs["units"] = {"load": "kW"}
    ARX(output_lags=7).fit(None, y).save(str(tmp_path / "m.narx"))
    assert (tmp_path / "m.narx").read_bytes() == content


# --- what people read ----------------------------------------------------------------------------


def test_the_text_says_what_the_model_was_trained_on(content, tmp_path):
    said = json.loads(members(content)["model.json"])
    assert said.pop("tree") and said.pop("structure")["output_lags"] == [1, 2, 3, 4, 5, 6, 7]
    assert said == {
        "model": "ARX", "clock": "daily", "inputs": [], "outputs": ["load"], "series": None,
        "units": {"load": "kW"}, "rows": 30, "first": "2024-01-01 00:00:00",
        "last": "2024-01-30 00:00:00", "seen": "2024-01-30 00:00:00",
    }  # fmt: skip
    manifest = json.loads(members(content)["manifest.json"])
    assert (manifest["format"], manifest["version"]) == ("narxkit model", archive.VERSION)
    assert manifest["narxkit"] == narxkit.__version__


def test_the_summary_of_other_rows():
    elapsed = summary(fitted("elapsed")[0])
    assert (elapsed["first"], elapsed["seen"]) == (pd.Timedelta(0), pd.Timedelta("119s"))
    arrays = summary(fitted("arrays")[0])
    assert (arrays["inputs"], arrays["outputs"], arrays["first"]) == (None, None, None)
    series = summary(fitted("panel")[0])
    assert (series["series"], series["rows"], series["inputs"]) == (["p", 7], 2 * N, ["a", "b"])


# --- for ever ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.narx")), ids=lambda path: path.stem)
def test_a_model_of_an_earlier_version_answers_as_it_did(path):
    """Files of released versions stay as they are, and load for ever."""
    model, expected = load(path), json.loads(path.with_suffix(".json").read_text())
    np.testing.assert_allclose(model.forecast(6), expected["y_hat"], rtol=1e-9)
    assert type(model).__name__ == expected["model"]


def test_a_parameter_that_is_newer_than_the_file_has_its_default(content, tmp_path):
    path, parts = tmp_path / "m.narx", members(content)
    text = parts["model.json"].replace(b'["calendar", null], ', b"")
    assert text != parts["model.json"]
    path.write_bytes(resigned(parts | {"model.json": text}))
    assert repr(load(path)) == "ARX(output_lags=7)"


def test_there_are_models_of_this_version():
    assert len(list(FIXTURES.glob("*.narx"))) >= 3
