"""Means over windows of rows among the lags: what they read, and that all verbs know them."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from narxkit import ARX, NARX, TDNN, backtest
from narxkit.datasets import make_narendra

LAGS = {"output_lags": [1, (1, 6), (2, 13)], "input_lags": {"u": [0, (0, 3)], "v": [(-2, 1)]}}


def make_frame(n=260, seed=0):
    """Two inputs and an output that remembers its mean."""
    rng = np.random.default_rng(seed)
    index = pd.date_range("2026", periods=n, freq="h")
    X = pd.DataFrame({"u": rng.normal(size=n), "v": rng.normal(size=n)}, index)
    y = np.zeros(n)
    for t in range(4, n):
        y[t] = 0.8 * y[t - 4 : t].mean() + np.tanh(X["u"].iloc[t]) + 0.3 * rng.normal()
    return X, pd.Series(y, index, name="y")


@pytest.fixture(scope="module")
def data():
    return make_frame()


@pytest.fixture(scope="module")
def fitted(data):
    X, y = data
    return NARX(**LAGS, hidden_layer_sizes=(4,), alpha=0.1, random_state=0, max_iter=30).fit(X, y)


def test_a_window_is_the_mean_that_pandas_makes(data):
    """A linear model of windows is one of columns that hold the means."""
    X, y = data
    model = NARX(output_lags=[1, (2, 7)], input_lags={"u": [(1, 4)], "v": [(-2, 1)]},
                 hidden_layer_sizes=(), linear_alpha=0.0).fit(X, y)  # fmt: skip
    means = pd.DataFrame(
        {
            "last": y.shift(1),
            "before": y.shift(2).rolling(6).mean(),
            "u": X["u"].shift(1).rolling(4).mean(),
            "v": X["v"].shift(-2).rolling(4).mean(),
        }
    )
    rows = slice(7, len(y) - 2)
    twin = TDNN(input_lags=0, hidden_layer_sizes=(), alpha=0.0).fit(means[rows], y[rows])
    assert_allclose(
        model.predict_ahead(X, y)[rows], twin.predict_ahead(means[rows], y[rows]), rtol=1e-9
    )


def test_a_model_of_means_is_found(data):
    """Without noise, least squares gives the weights of the system back, and its path."""
    rng = np.random.default_rng(1)
    u, y = rng.normal(size=300), np.zeros(300)
    for t in range(8, 300):
        y[t] = 0.5 * y[t - 1] - 0.9 * y[t - 8 : t - 1].mean() + u[t - 2 : t + 1].mean()
    X = u[:, None]
    model = ARX(input_lags=[(0, 2)], output_lags=[1, (2, 8)], alphas=[0.0]).fit(X[:200], y[:200])
    assert_allclose(model.predict(X[200:]), y[200:], atol=1e-9)
    free = model.simulate(X, y_init=y[:8])
    assert np.isnan(free[:8]).all()
    assert_allclose(free[8:], y[8:], atol=1e-8)


def test_longer_rollouts_train_means(data, fitted):
    """What is trained over five steps errs less over five steps, on the rows of training."""
    X, y = data
    longer = NARX(**{**fitted.get_params(), "loop": 5, "alpha": 1e-3}).fit(X, y)
    open_loop = NARX(**{**fitted.get_params(), "alpha": 1e-3}).fit(X, y)
    assert not longer.is_linear_

    def squared_error(model):
        ahead = model.predict_ahead(X, y, steps=range(1, 6))
        return np.nanmean((ahead - y.to_numpy()[:, None]) ** 2)

    assert squared_error(longer) < squared_error(open_loop)


def test_predict_is_the_path_of_predict_ahead(data, fitted):
    """From the same origin, to rounding; an update moves on as measured rows do."""
    X, y = data
    model = NARX(**LAGS, hidden_layer_sizes=(4,), alpha=0.1, random_state=0, max_iter=30)
    model.fit(X[:200], y[:200])
    with pytest.warns(UserWarning, match="leads up to 2"):
        path = model.predict(X[200:230])
    steps = np.arange(1, 29)
    ahead = model.predict_ahead(X, y, steps=steps)
    assert_allclose(path[:28], ahead[200 + np.arange(28), np.arange(28)], rtol=1e-12, atol=1e-12)
    assert np.isnan(path[28:]).all()
    model.update(X[200:210], y[200:210])
    with pytest.warns(UserWarning, match="leads up to 2"):
        path = model.predict(X[210:225])
    assert_allclose(path[:13], ahead[210 + np.arange(13), np.arange(13)], rtol=1e-12)


@pytest.mark.parametrize("shift, factor", [(1e3, 1.0), (0.0, 1e-3), (-50.0, 20.0)])
def test_shift_and_scale_change_forecasts_by_that_alone(data, fitted, shift, factor):
    X, y = data
    moved = fitted.__class__(**fitted.get_params()).fit(X, y * factor + shift)
    given = fitted.predict_ahead(X, y, steps=6)
    assert_allclose((moved.predict_ahead(X, y * factor + shift, steps=6) - shift) / factor, given,
                    rtol=1e-6, atol=1e-6)  # fmt: skip


def test_a_missing_value_costs_the_rows_whose_means_need_it(data):
    """Of an output those of its lags, of an input those of its window."""
    X, y = data
    y = y.copy()
    y.iloc[100] = np.nan
    model = NARX(output_lags=[(1, 6)], input_lags=[0], hidden_layer_sizes=(2,), random_state=0)
    with pytest.warns(UserWarning, match="rows were left out of training"):
        model.fit(X, y)
    assert model.n_dropped_ == 6 + 1
    X = X.copy()
    X.iloc[50, 0] = np.nan
    model = NARX(output_lags=[1], input_lags={"u": [(0, 3)], "v": []}, hidden_layer_sizes=(2,))
    with pytest.warns(UserWarning, match="rows were left out of training"):
        model.fit(X, data[1])
    assert model.n_dropped_ == 4


def test_no_window_crosses_a_seam(data):
    X, y = data
    segments = np.repeat([0, 1], [100, len(y) - 100])
    model = ARX(input_lags=[0], output_lags=[(1, 5)]).fit(X, y, segments=segments)
    ahead = model.predict_ahead(X, y, segments=segments)
    assert_array_equal(np.flatnonzero(np.isnan(ahead)), [*range(5), *range(100, 105)])


def test_a_backtest_runs_means_from_every_origin(data, fitted):
    """As predict_ahead does."""
    X, y = data
    origins = np.array([150, 200])
    table = backtest(fitted, X, y, 10, origins)
    ahead = fitted.predict_ahead(X, y, steps=range(1, 11))
    rows = origins[:, None] + 1 + np.arange(10)
    assert_allclose(
        table["y_hat"].to_numpy().reshape(2, 10), ahead[rows, np.arange(10)], rtol=1e-12
    )


def test_penalty_of_noise_falls_with_the_span():
    """The mean of k noisy outputs carries a k-th of their noise."""
    X, y = make_narendra(300, random_state=0)
    model = NARX([0], [1, (1, 4)], (3,), alpha=0.1, linear_alpha=2.0, random_state=0).fit(X, y)
    share = model.structure_.linear_feedback
    assert_array_equal(np.sort(share[share > 0]), [0.25, 1.0])
    assert model.linear_alpha_ == 2.0
