"""Lag specifications, the taps they become, and segments that no tap leaves."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from narxkit.networks import Taps, largest_lag, make_taps
from narxkit.rows.segments import Segments
from narxkit.rows.table import Table


# ---------------------------------------------------------------- lag specifications
@pytest.mark.parametrize(
    "lags, expected",
    [
        (0, ()),
        (1, (1,)),
        (3, (1, 2, 3)),
        (np.int64(2), (1, 2)),
        ([], ()),
        ([1], (1,)),
        ([5, 1], (5, 1)),
        ((1, 24), (1, 24)),
        (range(2, 5), (2, 3, 4)),
        (np.array([1, 3]), (1, 3)),
    ],
    ids=repr,
)
def test_output_lags(lags, expected):
    """K means 1..K; a sequence means exactly those, in its order, as plain ints."""
    taps = make_taps([], lags)
    assert taps.output_lags == expected
    assert all(type(lag) is int for lag in taps.output_lags)


@pytest.mark.parametrize(
    "lags, expected",
    [
        (0, (0,)),
        (2, (0, 1, 2)),
        (np.int32(1), (0, 1)),
        ([], ()),
        ([0], (0,)),
        ([3, 0], (3, 0)),
        ([-2, 0, 4], (-2, 0, 4)),
        (range(-1, 2), (-1, 0, 1)),
        (np.array([24]), (24,)),
    ],
    ids=repr,
)
def test_input_lags(lags, expected):
    """L means 0..L; a sequence means exactly those, negative ones being leads, for every column."""
    assert make_taps(lags, 1, columns=["a", "b"]).input_lags == (expected, expected)


def test_a_dict_gives_each_column_its_own_lags():
    """In the order of the columns, not of the dict; [] leaves a column out."""
    taps = make_taps({"rain": [24], "wind": [], "sun": 1}, 2, columns=["sun", "rain", "wind"])
    assert taps.input_lags == ((0, 1), (24,), ())
    assert taps.inputs == ((0, 0, 0), (0, 1, 1), (1, 24, 24))


def test_columns_of_arrays_are_keyed_by_position():
    """0, 1, ... where there are no names."""
    assert make_taps({0: 1, 1: [2]}, 1, columns=range(2)).input_lags == ((0, 1), (2,))


def test_without_columns_there_are_no_inputs():
    """X=None: the input lags have nothing to apply to."""
    for lags in (2, [0, 1], {}):
        taps = make_taps(lags, 2)
        assert taps.input_lags == () and taps.n_inputs == 0 and taps.n_taps == 2


# ---------------------------------------------------------------- errors
EACH = "each of it an int, or a pair (first, last) for the mean over these lags"


@pytest.mark.parametrize(
    "lags",
    [-1, 1.0, "2", None, True, [1.0], [1, (1,)], [(1, "24")], [True], ["1"], [None], {1, 2},
     {"y": 1}],
    ids=repr,
)  # fmt: skip
def test_output_lags_of_the_wrong_kind(lags):
    """The sentence names what is allowed and what came."""
    message = f"output_lags must be an int >= 0 (lags 1..K) or a sequence, {EACH}. "
    message += f"Got {lags!r} instead."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make_taps(1, lags, columns=["u"])


@pytest.mark.parametrize("lags", [-1, 0.5, "2", None, False, [0, 1.5], {1, 2}], ids=repr)
def test_input_lags_of_the_wrong_kind(lags):
    """The sentence offers a dict as well."""
    message = (
        f"input_lags must be an int >= 0 (lags 0..L) or a sequence, {EACH}; or a dict of column: "
        f"lags. Got {lags!r} instead."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make_taps(lags, 1, columns=["u"])


def test_lags_of_the_wrong_kind_within_a_dict():
    """The sentence names the column."""
    message = (
        f"input_lags['sun'] must be an int >= 0 (lags 0..L) or a sequence, {EACH}. Got 1.5 instead."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make_taps({"sun": 1.5}, 1, columns=["sun"])


@pytest.mark.parametrize("lags", [np.array(2), np.array([[1, 2]]), pd.Series([1, 2])], ids=repr)
def test_containers_that_are_no_sequence_of_ints(lags):
    """Refused by the same sentence, whatever they are."""
    with pytest.raises(ValueError, match="^output_lags must be an int >= 0"):
        make_taps(1, lags, columns=["u"])


@pytest.mark.parametrize("lags, lowest", [([0, 1], 0), ([-3], -3)], ids=repr)
def test_output_lags_below_one(lags, lowest):
    """An output cannot be read before it is there."""
    message = (
        f"output_lags must be at least 1: an output is not known at its own time. Got {lowest}."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make_taps(1, lags)


def test_lags_named_twice():
    """In outputs, inputs and columns alike."""
    for spec, name in [
        (dict(input_lags=0, output_lags=[1, 2, 1]), "output_lags"),
        (dict(input_lags=[1, 2, 1], output_lags=1), "input_lags"),
        (dict(input_lags={"u": [1, 2, 1]}, output_lags=1), "input_lags['u']"),
    ]:
        message = f"{name} holds a lag twice: [1, 2, 1]. Name each lag once."
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            make_taps(**spec, columns=["u"])


def test_column_missing_from_the_dict():
    """The sentence names the columns and both remedies."""
    message = (
        "input_lags gives no lags for the columns ['rain', 'wind'] of X: name every column, "
        "for example 'rain': 1, or 'rain': [] to leave it out."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make_taps({"sun": 1}, 1, columns=["sun", "rain", "wind"])


def test_column_unknown_to_x():
    """The sentence lists those that X has."""
    message = (
        "input_lags names the columns ['snow'], but X has the columns ['sun']: correct the names."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make_taps({"sun": 1, "snow": 1}, 1, columns=["sun"])


# ---------------------------------------------------------------- taps
@pytest.mark.parametrize(
    "taps, max_lag, max_output_lag, lead",
    [
        (Taps((), ()), 0, 0, 0),
        (Taps((1, 2), ()), 2, 2, 0),
        (Taps((), ((0, 3),)), 3, 0, 0),
        (Taps((5, 1), ((0, 3), (7,))), 7, 5, 0),
        (Taps((2,), ((-3, 0), (-1,))), 2, 2, 3),
        (Taps((), ((-3, -2),)), 0, 0, 3),
        (Taps((), ((), (4,))), 4, 0, 0),
    ],
    ids=str,
)
def test_history_and_lead(taps, max_lag, max_output_lag, lead):
    """Rows that a prediction needs before and after its own."""
    reach = taps.reach
    assert (reach.history, reach.feedback, reach.lead) == (max_lag, max_output_lag, lead)


def test_order_of_the_lagged_vector():
    """Output after output, then input after input, each in the order of its lags."""
    taps = Taps((2, 1), ((0,), (), (-1, 3)), n_outputs=2)
    assert taps.outputs == ((0, 2, 2), (0, 1, 1), (1, 2, 2), (1, 1, 1))
    assert taps.inputs == ((0, 0, 0), (2, -1, -1), (2, 3, 3))
    assert taps.n_taps == 7 and taps.n_inputs == 3


def test_names_of_taps():
    """A column and its time, in the order of the lagged vector."""
    taps = Taps((1, 24), ((0, 2), (), (-3,)), n_outputs=2)
    assert taps.names(["sun", "rain", "wind"], ["ghi", "load"]) == [
        "ghi[t-1]",
        "ghi[t-24]",
        "load[t-1]",
        "load[t-24]",
        "sun[t]",
        "sun[t-2]",
        "wind[t+3]",
    ]


def test_a_window_is_one_tap():
    """A pair among the lags, for outputs, inputs and leads; a lag that reads itself is a lag."""
    taps = make_taps({"sun": [0, [-2, 1]], "rain": []}, [1, (2, 24), (3, 3)], ["sun", "rain"])
    assert taps == Taps((1, (2, 24), 3), ((0, (-2, 1)), ()))
    assert taps.outputs == ((0, 1, 1), (0, 2, 24), (0, 3, 3))
    assert taps.inputs == ((0, 0, 0), (0, -2, 1))
    assert taps.n_taps == 5 and (taps.output_spans == [1, 23, 1]).all()
    reach = taps.reach
    assert (reach.history, reach.feedback, reach.lead) == (24, 24, 2)
    assert reach.outputs == tuple((0, lag) for lag in range(1, 25))
    assert taps.names(["sun", "rain"], ["ghi"]) == [
        "ghi[t-1]",
        "ghi[t-24..t-2]",
        "ghi[t-3]",
        "sun[t]",
        "sun[t-1..t+2]",
    ]


@pytest.mark.parametrize(
    "lags, message",
    [
        (
            [1, (5, 2)],
            "holds (5, 2), whose last lag comes before its first, but each lag must be an int, or "
            "a pair (first, last) for the mean over these lags: give (2, 5).",
        ),
        (
            [(0, 3)],
            "must be at least 1: an output is not known at its own time. Got (0, 3), the mean over "
            "the lags from 0 to 3.",
        ),
        ([(1, 2, 3)], f"must be an int >= 0 (lags 1..K) or a sequence, {EACH}. Got ["),
        ([(1, 2.5)], f"must be an int >= 0 (lags 1..K) or a sequence, {EACH}. Got ["),
        ([(1, 3), (1, 3)], "holds a lag twice: [(1, 3), (1, 3)]. Name each lag once."),
        ([(1, 10**7)], "must hold at most 1,000,000 lags. Got 10,000,000"),
    ],
    ids=repr,
)
def test_windows_that_are_none(lags, message):
    """Each with its own sentence."""
    with pytest.raises(ValueError, match="^output_lags " + re.escape(message)):
        make_taps(1, lags, columns=["u"])


def test_a_pair_is_a_mean_only_inside_of_a_sequence():
    """By itself it is two lags, as any tuple."""
    assert make_taps([], (1, 24)).outputs == ((0, 1, 1), (0, 24, 24))
    assert make_taps([], [(1, 24)]).outputs == ((0, 1, 24),)


def test_the_largest_lag():
    assert [largest_lag(lags) for lags in (0, 3, 10**30, [], [5, 2], [1, (2, 48)])] == [
        0, 3, 10**30, 0, 5, 48
    ]  # fmt: skip
    with pytest.raises(ValueError, match=r"^lags must be an int >= 0 .* instead\.$"):
        largest_lag(2.5, "lags")


def test_taps_are_frozen_and_compare_by_value():
    """They can be shared and used as keys."""
    taps = make_taps(1, 2, ["u"])
    assert taps == Taps((1, 2), ((0, 1),), 1) and hash(taps) == hash(Taps((1, 2), ((0, 1),), 1))
    with pytest.raises(AttributeError):
        taps.output_lags = ()


# ---------------------------------------------------------------- segments
def make_segments(edges, n_inputs=1):
    n = edges[-1]
    rows = np.arange(float(n))[:, None]
    return Segments(np.repeat(rows, n_inputs, axis=1), rows.copy(), np.array(edges))


def test_edges_bound_every_row():
    """`starts` and `stops` repeat the segment of each row; empty segments have no rows."""
    segments = make_segments([0, 3, 3, 7])
    assert len(segments) == 7
    assert_array_equal(segments.starts, [0, 0, 0, 3, 3, 3, 3])
    assert_array_equal(segments.stops, [3, 3, 3, 7, 7, 7, 7])


@pytest.mark.parametrize(
    "taps, rows",
    [
        (Taps((1, 2), ()), [2, 5, 6, 7]),
        (Taps((), ((-1, 0),)), [0, 1, 3, 4, 5, 6]),
        (Taps((1,), ((-2,),)), [4, 5]),
        (Taps((4,), ()), [7]),
        (Taps((5,), ()), []),
        (Taps((), ()), range(8)),
    ],
    ids=str,
)
def test_reachable_rows_have_all_taps_in_their_segment(taps, rows):
    """No lag and no lead crosses an edge."""
    segments = make_segments([0, 3, 8])
    assert_array_equal(np.flatnonzero(segments.reachable(taps.reach)), list(rows))


def test_known_rows_have_all_taps_there():
    """A missing value costs the rows that read it, and no others."""
    segments = make_segments([0, 5, 12], n_inputs=2)
    segments.y[6] = np.nan
    segments.u[9, 0] = np.nan
    segments.u[11, 1] = np.nan  # column 1 is read one row ahead
    taps = Taps((1, 3), ((0,), (-1,)))
    assert_array_equal(np.flatnonzero(segments.reachable(taps.reach)), [3, 8, 9, 10])
    assert_array_equal(np.flatnonzero(segments.known(taps.reach)), [3, 8])
    second = Taps((2,), ()).reach
    assert_array_equal(np.flatnonzero(segments.known(second)), [2, 3, 4, 7, 9, 10, 11])


@pytest.mark.parametrize(
    "window, u, y, found",
    [
        (0, [], [], None),
        (0, [5], [], None),  # read by the prediction of no row after the sixth
        (0, [6, 7], [5], (6, 0, True)),
        (0, [], [5], (5, 0, False)),
        (0, [], [4, 7], None),  # one too old, and one that the run predicts itself
        (3, [2], [], None),
        (3, [3], [], (3, 0, True)),  # the lag of the first row of the window
        (3, [7], [], (7, 0, True)),
        (3, [], [1, 2, 3, 4, 5, 6], (2, 0, False)),  # read by the first row of the window
    ],
    ids=str,
)  # fmt: skip
def test_the_value_that_is_missing(window, u, y, found):
    """Of what the rows from 7 on need to predict row 7: inputs at lags 0 and 1, outputs at 1, 2."""
    taps = Taps((1, 2), ((0, 1),))
    reach = replace(taps.reach, window=window)
    inputs, outputs = np.zeros((10, 1)), np.zeros((10, 1))
    inputs[u], outputs[y] = np.nan, np.nan
    segments = Segments(inputs, outputs, np.array([0, 10]))
    assert segments.first_missing(reach, 7, 7) == found
    assert segments.known(reach)[7] == (found is None)


def test_a_missing_target_leaves_its_own_row_known():
    """Only taps count."""
    segments = make_segments([0, 4])
    segments.y[3] = np.nan
    assert segments.known(Taps((1,), ()).reach)[3]


def test_known_without_missing_values_is_reachable():
    """The short way gives the same mask."""
    segments, taps = make_segments([0, 5, 12]), Taps((2,), ((-1, 1),))
    assert_array_equal(segments.known(taps.reach), segments.reachable(taps.reach))


@pytest.mark.parametrize(
    "taps, gaps",
    [
        (Taps((), ()), [(0, 1), (2, 2), (5, 1), (6, 1), (8, 1)]),
        (Taps((1,), ()), [(2, 2), (5, 1), (8, 1)]),
        (Taps((), ((-1,),)), [(0, 1), (2, 2), (6, 1), (8, 1)]),
        (Taps((9,), ()), []),
    ],
    ids=str,
)
def test_gaps_are_runs_of_missing_outputs(taps, gaps):
    """(start, length) of each, cut at edges, without the rows that cannot be predicted."""
    segments = make_segments([0, 6, 12])
    segments.y[[0, 2, 3, 5, 6, 8]] = np.nan
    assert segments.gaps(taps.reach) == gaps


@pytest.mark.parametrize("partial, gaps", [(3, [(2, 1), (3, 1), (4, 1)]), (4, [(2, 2), (4, 1)])])
def test_a_row_that_misses_some_outputs_is_a_gap_of_its_own(partial, gaps):
    """Its other outputs are measured, and no free run may overwrite them."""
    y = np.zeros((8, 2))
    y[2:5] = np.nan
    y[partial, 0] = 1.0
    segments = Segments(np.empty((8, 0)), y, np.array([0, 8]))
    assert segments.gaps(Taps((1,), (), 2).reach) == gaps


def test_nothing_missing_makes_no_gaps():
    """An empty list."""
    assert make_segments([0, 6]).gaps(Taps((1,), ()).reach) == []


def test_window_is_a_segment_of_its_own():
    """Every array is cut alike; what is None stays None."""
    segments = make_segments([0, 6, 12]).replace(
        high=np.full((12, 1), 9.0), times=pd.date_range("2024-01-01", periods=12, freq="h")
    )
    window = segments.window(7, 10)
    assert_array_equal(window.y[:, 0], [7, 8, 9])
    assert_array_equal(window.u[:, 0], [7, 8, 9])
    assert_array_equal(window.edges, [0, 3])
    assert window.low is None and window.high.shape == (3, 1)
    assert list(window.times) == list(segments.times[7:10])


def test_replace_changes_a_copy():
    """Segments stay as they were made."""
    segments = make_segments([0, 4])
    assert segments.starts is segments.starts
    other = segments.replace(edges=np.array([0, 2, 4]), y=-segments.y)
    assert_array_equal(other.starts, [0, 0, 2, 2])
    assert_array_equal(segments.starts, [0, 0, 0, 0])
    assert other.u is segments.u and segments.y[3, 0] == 3.0
    with pytest.raises(AttributeError):
        segments.y = None


def test_rows_between_are_those_of_each_segment():
    """A segment whose first row lies behind its last has none."""
    segments = make_segments([0, 3, 7])
    mask = segments.between(np.array([1, 4]), np.array([3, 6]))
    assert np.flatnonzero(mask).tolist() == [1, 2, 4, 5] and mask.dtype == bool
    assert segments.between(np.array([0, 3]), np.array([3, 7])).all()
    assert not segments.between(np.array([5, 7]), np.array([3, 7])).any()
    rows = np.arange(7)
    assert_array_equal(segments.starts_of(rows), segments.starts)


def test_a_table_in_order_is_not_copied():
    y = np.arange(6.0)[:, None]
    rows = {"a": np.array([0, 1, 2]), "b": np.array([3, 4, 5])}
    fields = {"y_ndim": 1, "columns": None, "outputs": [None], "index": None, "times": None}
    table = Table(np.empty((6, 0)), y, clocks={}, series=rows, **fields)
    assert np.shares_memory(table.segments([]).y, y)
    mixed = table.replace(series={"a": np.array([0, 2, 4]), "b": np.array([1, 3, 5])})
    assert mixed.segments([]).y[:, 0].tolist() == [0, 2, 4, 1, 3, 5]
    late = table.replace(series={"b": rows["b"], "a": rows["a"]})
    assert late.segments([]).y[:, 0].tolist() == [3, 4, 5, 0, 1, 2]
