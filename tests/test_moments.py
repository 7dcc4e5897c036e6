"""Statistics: constants have no spread, and no size is too large or too small."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest

from narxkit import ARX, NARX, TDNN
from narxkit._moments import buried, moments

CONSTANTS = [21.3, 0.1, -1 / 3, 0.0, 101325.0, 1e-300, 1e300, -7.7e-300, 2.5e299]
MODELS = {
    "arx": ARX(),
    "narx": NARX(max_iter=10, random_state=0),
    "unscaled": NARX(max_iter=10, scale=False, random_state=0),
    "rollouts": NARX(loop=6, max_iter=5, random_state=0),
    "tdnn": TDNN(alpha=1e-4, max_iter=10, random_state=0),
}


def plant(n, seed=0):
    """Return one input, and an output that follows it and its own last value."""
    rng = np.random.default_rng(seed)
    u, y = rng.normal(size=(n, 1)), np.zeros(n)
    for t in range(1, n):
        y[t] = 0.8 * y[t - 1] + np.tanh(u[t, 0]) + 0.1 * rng.normal()
    return u, y


class TestMoments:
    @pytest.mark.parametrize("n_columns", [1, 2, 4])
    @pytest.mark.parametrize("n", [10, 50, 8760, 100_000, 1_000_000])
    def test_constants_are_seen_as_such(self, n, n_columns):
        for start in range(0, len(CONSTANTS), n_columns):
            row = np.resize(CONSTANTS[start : start + n_columns], n_columns)
            mean, std = moments(np.broadcast_to(row, (n, n_columns)))
            assert mean.tolist() == row.tolist()
            assert std.tolist() == [0.0] * n_columns

    def test_every_other_decimal_too(self):
        cents = np.arange(0.01, 1000, 0.37).round(2)
        mean, std = moments(np.tile(cents, (8760, 1))[:, :500])
        assert mean.tolist() == cents[:500].tolist() and not std.any()

    def test_the_smallest_difference_is_a_spread(self):
        x = np.full((1000, 1), 21.3)
        x[500] = np.nextafter(21.3, 22)
        assert moments(x)[1][0] == pytest.approx(np.spacing(21.3) * np.sqrt(999) / 1000)

    def test_of_ordinary_numbers(self):
        x = np.random.default_rng(0).normal(5.0, 3.0, size=(1000, 3))
        mean, std = moments(x)
        np.testing.assert_allclose(mean, x.mean(axis=0), rtol=1e-13)
        np.testing.assert_allclose(std, x.std(axis=0), rtol=1e-13)

    @pytest.mark.parametrize("power", [-900, -300, 300, 900])
    def test_scale_with_the_numbers_to_the_bit(self, power):
        x = np.random.default_rng(0).normal(size=(200, 2))
        for scaled, plain in zip(moments(x * 2.0**power), moments(x)):
            assert (scaled == plain * 2.0**power).all()

    def test_missing_values_are_left_out(self):
        x = np.array([[1.0, np.nan], [np.nan, np.nan], [3.0, np.nan]])
        mean, std = moments(x)
        assert mean.tolist() == [2.0, 0.0] and std.tolist() == [1.0, 0.0]

    def test_the_widest_range_does_not_overflow(self):
        mean, std = moments(np.array([[-1.5e308], [1.5e308]]))
        assert mean[0] == 0.0 and std[0] == 1.5e308

    def test_the_memory_is_that_of_one_copy_of_the_data(self):
        x = np.random.default_rng(0).normal(size=(100_000, 4))
        tracemalloc.start()
        try:
            moments(x)
            assert tracemalloc.get_traced_memory()[1] < 1.5 * x.nbytes
        finally:
            tracemalloc.stop()


class TestBuried:
    @pytest.mark.parametrize("row", [0, 500, 999])
    @pytest.mark.parametrize("value", [1e9, -1e200])
    def test_one_cell_buries_the_others(self, row, value):
        x = np.random.default_rng(0).normal(size=(1000, 2))
        x[row, 1] = value
        assert buried(x, moments(x)[1]) == [(1, row)]

    @pytest.mark.parametrize("seed", range(10))
    def test_heavy_tails_bury_nothing(self, seed):
        rng = np.random.default_rng(seed)
        tails = [rng.standard_t(3, 2000), rng.lognormal(0, 2, 2000), rng.gamma(0.05, 1.0, 2000)]
        x = np.column_stack(tails)
        assert buried(x, moments(x)[1]) == []

    def test_a_rare_event_is_no_outlier(self):
        x = np.zeros((1000, 1))
        x[7] = 1.0
        assert buried(x, moments(x)[1]) == []


@pytest.mark.parametrize("change", [0.1, 1e-6, 1e6])
@pytest.mark.parametrize("name", MODELS)
def test_a_column_that_was_constant_says_nothing_later(name, change):
    u, y = plant(8760 if name in ("arx", "tdnn") else 1000)
    X = np.column_stack([u, np.full(len(u), 21.3)])
    with pytest.warns(UserWarning, match=r"X has constant columns in the training rows, \[1\]: "):
        model = MODELS[name].fit(X[:-24], y[:-24])
    expected, ahead = model.predict(X[-24:]), X[-24:].copy()
    ahead[:, 1] += change
    assert np.isfinite(expected).all()
    np.testing.assert_array_equal(model.predict(ahead), expected)


@pytest.mark.parametrize("name", MODELS)
def test_a_constant_output_leaves_the_other_alone(name):
    u, y = plant(8760 if name in ("arx", "tdnn") else 1000)
    both = np.column_stack([y, np.full(len(y), 21.3)])
    model = MODELS[name].fit(u[:-24], both[:-24])
    alone = np.corrcoef(model.predict(u[-24:])[:, 0], y[-24:])[0, 1]
    np.testing.assert_allclose(model.predict(u[-24:])[:, 1], 21.3, atol=0.05)
    assert alone > 0.8
    measured = np.column_stack([y[-24:], np.full(24, 21.4)])  # it changes after all
    after = model.update(u[-24:], measured).predict(u[-24:])
    assert np.isfinite(after).all() and abs(after[:, 1] - 21.3).max() < 0.2


@pytest.mark.parametrize("power", [-600, 600])
@pytest.mark.parametrize("name", set(MODELS) - {"unscaled"})
def test_units_of_any_size_give_the_same_bits(name, power):
    u, y = plant(300)
    plain = MODELS[name].fit(u[:280], y[:280]).predict(u[280:])
    unit = 2.0**power
    scaled = MODELS[name].fit(unit * u[:280], unit * y[:280]).predict(unit * u[280:])
    np.testing.assert_array_equal(scaled, unit * plain)


@pytest.mark.parametrize(
    ("params", "factors", "sentence"),
    [
        ({}, (1, 1e307), r"y has a standard deviation of .*e\+307, .* in another unit\."),
        ({}, (1e-306, 1), "the column 0 of X has a standard deviation of .*e-30"),
        ({"scale": False}, (1e200, 1), r"between 1e-100 and 1e\+100: .* unit or scale=True\."),
        ({"scale": False}, (1e-200, 1), "the column 0 of X has a standard deviation of .*e-20"),
    ],
)
def test_units_that_floats_do_not_fit_are_refused(params, factors, sentence):
    u, y = plant(100)
    with pytest.raises(ValueError, match=sentence):
        NARX(**params).fit(factors[0] * u, factors[1] * y)


@pytest.mark.parametrize("name", ["arx", "narx"])
def test_one_cell_that_takes_a_column_over_is_told(name):
    u, y = plant(300)
    u[7] = 1e200
    with pytest.warns(UserWarning, match=r"the column 0 of X is 1e\+200 in row 7, beside which"):
        MODELS[name].fit(u, y)
    u, y = plant(300)
    y[9] = -1e12
    with pytest.warns(UserWarning, match=r"y is -1e\+12 in row 9, beside which"):
        MODELS[name].fit(u, y)


@pytest.mark.parametrize("name", ["arx", "narx"])
def test_such_a_cell_is_named_by_its_row_of_the_table_and_its_series(name):
    u, y = plant(100)
    index = pd.MultiIndex.from_product([pd.timedelta_range(0, periods=50, freq="h"), ["e", "w"]])
    X = pd.DataFrame(u, index.swaplevel(), ["u"])  # the series alternate
    X.iloc[7, 0] = 1e200
    sentence = r"of X is 1e\+200 in row 7 \(w, 0 days 03:00:00\), beside which"
    with pytest.warns(UserWarning, match=sentence):
        MODELS[name].fit(X, pd.Series(y, X.index), sample_weight=np.arange(100) > 3)


def test_a_tap_that_is_constant_where_it_is_read_gets_no_weight():
    u, y = plant(400)
    X = np.column_stack([u, np.full(400, 21.3)])
    X[0, 1] = 22.0  # history only
    model = ARX(input_lags=0, output_lags=1, alphas=[0.0]).fit(X, y)
    alone = ARX(input_lags=0, output_lags=1, alphas=[0.0]).fit(u, y)
    np.testing.assert_allclose(model.coef_[:, 0], [*alone.coef_[:, 0], 0.0], atol=1e-9)
