"""Initial conditions that are fitted: simulate(X, "estimate", y=y)."""

import copy

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from narxkit import ARX, NARX, TDNN, Climatology, Persistence, SeasonalNaive
from narxkit.datasets import make_narendra
from narxkit.forecasters.initial_state import fitted_start

RNG = np.random.default_rng(0)
N = 200


def oscillator(n=N, n_outputs=1, seed=0):
    """Return a lightly damped system without noise."""
    rng = np.random.default_rng(seed)
    u, y = rng.normal(size=(n, 1)), np.zeros((n, n_outputs))
    y[:2] = rng.normal(size=(2, n_outputs))
    for t in range(2, n):
        y[t] = 1.95 * y[t - 1] - 0.97 * y[t - 2] + 0.1 * u[t - 1] * np.arange(1, n_outputs + 1)
        y[t] += 0.01 * y[t - 1, ::-1]
    return u, y[:, 0] if n_outputs == 1 else y


def exact(**params):
    """Return a model whose weights are those of the oscillator."""
    return ARX(**{"input_lags": [1], "output_lags": 2, "alphas": [0.0], **params})


@pytest.fixture(scope="module")
def swinging():
    u, y = oscillator()
    return u, y, exact().fit(u, y)


def rms(errors):
    return np.sqrt(np.nanmean(np.square(errors)))


# --- what it is for ------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_a_fitted_start_runs_closer_than_a_measured_one(seed, swinging):
    """Over the whole run, although only a part of it was measured, and with noise."""
    u, y, model = swinging
    measured = y + 0.3 * np.random.default_rng(seed).normal(size=N)
    errors = rms(model.simulate(u, measured[:2]) - y)
    for n in (60, N):
        assert rms(model.simulate(u, "estimate", y=measured[:n]) - y) < 0.5 * errors


def test_a_fitted_start_helps_where_the_system_is_not_linear():
    X, y = make_narendra(1200, amplitude=1.0, random_state=0)
    model = NARX([1], 1, random_state=0).fit(X[:800], y[:800])
    given, fitted = [], []
    for i in range(800, 1000, 5):
        rows = slice(i, i + 100)
        measured = y[rows] + 0.3 * np.random.default_rng(i).normal(size=100)
        given.append(rms(model.simulate(X[rows], measured[:1]) - y[rows]))
        fitted.append(rms(model.simulate(X[rows], "estimate", y=measured) - y[rows]))
    assert rms(fitted) < 0.8 * rms(given)


def test_an_exact_start_stays(swinging):
    u, y, model = swinging
    for n in (3, 50, N):
        free, fitted = model.simulate(u, y[:2]), model.simulate(u, "estimate", y=y[:n])
        assert_allclose(fitted, free, atol=1e-8)
        assert_allclose(fitted[2:], y[2:], atol=1e-8)


# --- what it computes ----------------------------------------------------------------------------


def superposed(model, u, K, p, n):
    """Return the run a + B v of a linear model from its K p first outputs v."""
    starts = np.concatenate([np.zeros((1, K * p)), np.eye(K * p)])
    runs = []
    for v in starts:
        v = v.reshape(K, p)
        free = model.simulate(u, v).reshape(len(u), p)[:n]
        runs.append(np.concatenate([v, free[K:]]))
    a = runs[0]
    return a.ravel(), np.stack([(run - a).ravel() for run in runs[1:]], axis=1)


@pytest.mark.parametrize("n", [3, 20, 60])
@pytest.mark.parametrize("p", [1, 2])
def test_it_is_least_squares(n, p):
    """Of start and run alike, in standardised units, without what is missing."""
    u, y = oscillator(60, p)
    model = exact().fit(u, y)
    y = y.reshape(60, p) * np.arange(1, p + 1) + RNG.normal(size=(60, p))
    y[[0, 7, 12], 0] = np.nan
    a, B = superposed(model, u, 2, p, n)
    there = np.isfinite(y[:n].ravel())
    unit = np.tile(model._scale.y_std, n)[there]
    rhs = (y[:n].ravel() - a)[there] / unit
    v = np.linalg.lstsq(B[there] / unit[:, None], rhs, rcond=None)[0]
    expected = model.simulate(u, v.reshape(2, p))
    fitted = model.simulate(u, "estimate", y=y[:n] if p > 1 else y[:n, 0])
    assert fitted.shape == expected.shape
    assert_allclose(fitted, expected, rtol=1e-4, atol=1e-4)


def test_a_start_that_is_missing_is_found(swinging):
    u, y, model = swinging
    y = y.copy()
    y[:2] = np.nan
    fitted = model.simulate(u, "estimate", y=y[:80])
    assert np.isnan(fitted[:2]).all()
    assert_allclose(fitted[2:], y[2:], atol=1e-6)


def test_it_has_no_echo_and_moves_no_state(swinging):
    u, y, _ = swinging
    model = exact().fit(u[:150], y[:150])
    before = copy.deepcopy(vars(model))
    far = y + 100.0
    fitted = model.simulate(u, "estimate", y=far[:50])
    assert len(fitted) == N and np.isnan(fitted[:2]).all() and np.isfinite(fitted[2:]).all()
    assert not np.isin(fitted, far).any()
    assert vars(model).keys() == before.keys()
    assert_array_equal(model.theta_, before["theta_"])
    assert_array_equal(model._history.tails[None].y, before["_history"].tails[None].y)


def test_each_series_has_its_own():
    keys = ["b", "a", "c"]
    parts = [oscillator(90, seed=seed) for seed in range(3)]
    times = pd.date_range("2024", periods=90, freq="h")
    X = pd.concat([pd.DataFrame({"u": u[:, 0]}, times) for u, _ in parts], keys=keys)
    y = pd.concat([pd.Series(y, times) for _, y in parts], keys=keys)
    model = exact().fit(X, y)
    noisy = y + 0.3 * RNG.normal(size=len(y))
    given = pd.concat([noisy.xs(key)[:n] for key, n in zip(keys, (90, 40, 3))], keys=keys)
    free = pd.Series(model.simulate(X, "estimate", y=given), X.index)
    for key, n in zip(keys, (90, 40, 3)):
        alone = model.simulate(X.xs(key), "estimate", y=noisy.xs(key)[:n])
        assert_array_equal(free.xs(key), alone)


def test_inputs_may_reach_further_back_than_outputs_and_ahead():
    u, y = oscillator()
    model = exact(input_lags=[-2, 1, 6]).fit(u, y)
    measured = y + 0.3 * RNG.normal(size=N)
    with pytest.warns(UserWarning, match="inputs have leads up to 2"):
        fitted = model.simulate(u, "estimate", y=measured)
    assert np.isnan(fitted[:6]).all() and np.isnan(fitted[-2:]).all()
    assert rms(fitted[6:] - y[6:]) < 0.1 * y.std()
    measured[6:] = np.nan  # nothing is left to fit it to
    measured[5] = np.nan
    with pytest.warns(UserWarning, match="inputs have leads"):
        fitted = model.simulate(u, "estimate", y=measured)
        given = model.simulate(u, np.append(measured[:5], np.nanmean(measured)))
    assert_allclose(fitted, given, atol=1e-9)


def test_members_of_an_ensemble_have_one_start():
    u, y = oscillator(120)
    settings = {"hidden_layer_sizes": (2,), "n_restarts": 3, "combine": "mean", "max_iter": 20}
    model = NARX([1], random_state=0, **settings).fit(u, y)
    measured = y + 0.3 * RNG.normal(size=120)
    fitted = model.simulate(u, "estimate", y=measured)
    assert rms(fitted - measured) < rms(model.simulate(u, measured[:2]) - measured)


# --- bounds --------------------------------------------------------------------------------------


def bounded(low, high):
    """Return a model with bounds in columns of X, and the rows of X."""
    u, y = oscillator()
    X = pd.DataFrame({"u": u[:, 0], "low": low, "high": high})
    model = exact(input_lags={"u": [1]}, output_range=("low", "high")).fit(X, y)
    return X, y, model


def start_of(model, X, y):
    segment = model._roles.segment(X.to_numpy(), y[:, None].copy(), None)
    return fitted_start(model._runner, segment, model.max_lag_)[:2, 0]


def test_the_start_is_within_the_bounds():
    X, y, model = bounded(-100.0, 100.0)
    y = y + 0.3 * RNG.normal(size=N)
    free = start_of(model, X, y)
    for low, high in ((free.max() + 0.1, 100.0), (-100.0, free.min() - 0.1)):
        narrow = X.copy()
        narrow.loc[:1, ["low", "high"]] = low, high
        start = start_of(model, narrow, y)
        assert (low <= start).all() and (start <= high).all()
        nearest = low if low > -100.0 else high
        assert_allclose(start.min() if low > -100.0 else start.max(), nearest, atol=1e-3)


def test_where_bounds_leave_no_choice_the_start_is_theirs():
    X, y, model = bounded(np.r_[0.0, np.full(N - 1, np.nan)], np.r_[0.0, np.full(N - 1, np.nan)])
    start = start_of(model, X, y)
    assert start[0] == 0.0 and start[1] != y[1]
    X.loc[:1, ["low", "high"]] = 0.0
    assert_array_equal(start_of(model, X, y), [0.0, 0.0])


def test_runs_that_are_clipped_are_fitted_as_they_run():
    X, y, model = bounded(0.0, np.nan)
    start = [1.0, 1.2]
    truth = model.simulate(X, start)
    y = np.append(start, truth[2:])
    fitted = model.simulate(X, "estimate", y=y + 0.01 * RNG.normal(size=N))
    assert (truth == 0.0).any()
    assert np.nanmin(fitted) >= 0.0 and rms(fitted - truth) < 0.02


# --- divergence and missing inputs ---------------------------------------------------------------


def cubic():
    """Make y_t = y_{t-1} + 0.1 (y_{t-1}^3 - y_{t-1}): beyond 1 it leaves all bounds."""
    y = [np.linspace(-1.3, 1.3, 400)]
    for _ in range(2):
        y.append(y[-1] + 0.1 * (y[-1] ** 3 - y[-1]))
    model = NARX(output_lags=1, hidden_layer_sizes=(20,), activation="relu", linear_term=True)
    model.set_params(random_state=0, max_iter=200)
    return model.fit(None, np.stack(y, axis=1).ravel(), segments=np.repeat(np.arange(400), 3))


def frame(n):
    return pd.DataFrame(index=range(n))


@pytest.mark.filterwarnings("ignore:400 segments")
def test_a_measured_start_that_diverges_gives_way_to_the_mean():
    model = cubic()
    y = 0.5 * np.ones(200)
    truth = model.simulate(frame(200), y[:1])
    y = np.append(y[:1], truth[1:])
    y[0] = 3.0
    with pytest.warns(RuntimeWarning, match="the rollout diverged"):
        model.simulate(frame(200), y[:1])
    fitted = model.simulate(frame(200), "estimate", y=y)
    assert rms((fitted - truth)[50:]) < 0.01


def unstable():
    """Make a model whose y doubles at each step."""
    y = 2.0 ** np.arange(-10, 3)
    return ARX(output_lags=1, alphas=[0.0]).fit(None, y)


def test_where_every_start_diverges_it_is_told():
    model = unstable()
    y = np.ones(60)
    with pytest.warns(RuntimeWarning) as seen:
        fitted = model.simulate(frame(60), "estimate", y=y)
    told = [str(w.message) for w in seen]
    assert told[0] == (
        "y_init='estimate' has nowhere to begin: the free run diverges within the rows of y, from "
        "the measured outputs and from their mean alike, and the measured ones are kept: give "
        "fewer rows of y."
    )
    assert len(told) == 2 and "the rollout diverged at row" in told[1]
    with pytest.warns(RuntimeWarning):
        assert_array_equal(fitted, model.simulate(frame(60), y[:1]))
    y = pd.concat([pd.Series(y)] * 2, keys=["east", "west"])
    with pytest.warns(RuntimeWarning) as seen:
        model.simulate(pd.DataFrame(index=y.index), "estimate", y=y)
    for told, key in zip(seen[::2], ("east", "west"), strict=True):
        assert f"the free run over series {key!r} diverges within" in str(told.message)


def test_trials_that_diverge_are_backed_away_from():
    """The start nearly leaves all bounds at the last row; the best one is far below."""
    model = unstable()
    y = np.zeros(12)
    y[0] = 0.5
    fitted = model.simulate(frame(12), "estimate", y=y)
    assert np.abs(fitted[1:]).max() < 1e-3


def test_after_a_missing_input_nothing_counts(swinging):
    u, y, model = swinging
    measured = y + 0.3 * RNG.normal(size=N)
    u = u.copy()
    u[59] = np.nan
    with pytest.warns(UserWarning, match="a value that the prediction of row 60 needs is missing"):
        fitted = model.simulate(u, "estimate", y=measured)
    assert np.isnan(fitted[60:]).all()
    assert_allclose(fitted[:60], model.simulate(u[:60], "estimate", y=measured[:60]), atol=1e-6)
    u[1], measured[:2] = np.nan, np.nan  # not one residual is left
    with pytest.warns(UserWarning, match="a value that the prediction of row 2 needs"):
        assert np.isnan(model.simulate(u, "estimate", y=measured)).all()


# --- baselines -----------------------------------------------------------------------------------


def test_what_persists_is_the_mean():
    X, y = np.zeros((50, 1)), RNG.normal(size=50)
    model = Persistence().fit(X, y)
    fitted = model.simulate(X, "estimate", y=y[:30])
    assert_allclose(fitted[1:], y[:30].mean(), rtol=1e-6)


def test_what_recurs_is_the_mean_of_each_phase():
    X, y = np.zeros((50, 1)), RNG.normal(size=(50, 2)) * [1.0, 1e4]
    model = SeasonalNaive(5).fit(X, y)
    fitted = model.simulate(X, "estimate", y=y[:30])
    means = y[:30].reshape(6, 5, 2).mean(axis=0)
    assert_allclose(fitted[5:] / [1.0, 1e4], np.tile(means, (9, 1)) / [1.0, 1e4], atol=1e-6)


def test_without_feedback_there_is_nothing_to_fit():
    times = pd.date_range("2024", periods=N, freq="h")
    X = pd.DataFrame({"u": RNG.normal(size=N)}, times)
    y = pd.Series(RNG.normal(size=N), times)
    tdnn = TDNN(hidden_layer_sizes=(2,), max_iter=3, random_state=0)
    for model in (tdnn.fit(X, y), Climatology(by=("hour",)).fit(X, y)):
        assert_array_equal(model.simulate(X, "estimate", y=y[:3]), model.simulate(X))
