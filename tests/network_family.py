"""One class of tests that every kind of network passes.

A kind joins in `test_network_family.py` by one class with one line: the estimator. What only some
have (a fed-back output, a window, precision) is read from its parameters.
"""

import copy
import pickle
import signal
import warnings
from inspect import signature

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from narxkit import (
    CMAES,
    Annealing,
    GeneticAlgorithm,
    RollingOrigin,
    ahead_scorer,
    backtest,
)
from narxkit.diagnostics import memory_profile
from narxkit.forecasters.network import NetworkForecaster
from narxkit.solvers import Stop

N, LAST = 90, 120  # rows of training, and all
WINDOW = 5
SMALL = {
    "input_lags": 1,
    "output_lags": 2,
    "hidden_layer_sizes": (3,),
    "window": WINDOW,
    "alpha": 1e-3,  # no choice, whose outcome may jump
    "linear_alpha": 1e-3,
    "max_iter": 8,
    "random_state": 0,
}
POPULATIONS = (
    GeneticAlgorithm(population_size=8),
    CMAES(population_size=6),
    Annealing(n_chains=4, n_steps=2),
)
HOURS = pd.date_range("2024-01-01", periods=LAST, freq="h")


def make_data(n_outputs=1, n=LAST, seed=0):
    """Two inputs, and outputs that saturate in what they and their own past push."""
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(n, 2)), np.zeros((n, n_outputs))
    for t in range(2, n):
        push = np.tanh(X[t, 0]) * (1.0 + X[t - 1, 1])
        y[t] = 0.6 * y[t - 1] - 0.3 * y[t - 2, ::-1] + push + 0.05 * rng.normal(size=n_outputs)
    X = pd.DataFrame(X, HOURS[:n], columns=["a", "b"])
    if n_outputs == 1:
        return X, pd.Series(y[:, 0], X.index, name="y")
    return X, pd.DataFrame(y, X.index, columns=[f"y{j}" for j in range(n_outputs)])


def as_panel(table):
    """Two series: the rows, and the same backwards under the same labels."""
    backwards = table.iloc[::-1].set_axis(table.index)
    return pd.concat({"forth": table, "back": backwards})


def diagonal(ahead, first, k):
    """Of horizons 1..k the path from one origin."""
    return np.array([ahead[first + h, ..., h] for h in range(k)])


def caught(call):
    """The answer of a call, and the sentences of its warnings."""
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        answer = call()
    return answer, [str(one.message) for one in record]


class NetworkFamily:
    """Promises of all networks; a subclass gives `regressor`."""

    regressor = None
    params = {}  # beside those of all

    # ------------------------------------------------------------ what a kind has
    @classmethod
    def make(cls, **params):
        """A small one; of the defaults those that the kind has."""
        own = {name: value for name, value in SMALL.items() if cls.has(name)}
        return cls.regressor(**{**own, **cls.params, **params})

    @classmethod
    def has(cls, name):
        return name in signature(cls.regressor).parameters

    @property
    def feeds_back(self):
        return self.has("output_lags") and bool(self.make().output_lags)

    @property
    def window(self):
        return WINDOW if self.has("window") else 0

    def only(self, name):
        """Skip what asks for a parameter that the kind does not have."""
        if not self.has(name):
            pytest.skip(f"{self.regressor.__name__} has no {name}")

    def only_with_feedback(self):
        if not self.feeds_back:
            pytest.skip("reads no output")

    @pytest.fixture(scope="class")
    @classmethod
    def data(cls):
        return make_data()

    @pytest.fixture(scope="class")
    @classmethod
    def fitted(cls, data):
        """Shared: nothing may change it."""
        X, y = data
        return cls.make().fit(X[:N], y[:N])

    @pytest.fixture
    def model(self, fitted):
        """One that a test may move."""
        return copy.deepcopy(fitted)

    # ------------------------------------------------------------ an estimator
    def test_pickle_copy_and_clone(self, data, fitted):
        X, y = data
        expected = fitted.predict(X[N:])
        for twin in (pickle.loads(pickle.dumps(fitted)), copy.deepcopy(fitted), copy.copy(fitted)):
            assert_array_equal(twin.predict(X[N:]), expected)
            assert twin.structure_ == fitted.structure_
        blank = clone(fitted)
        assert blank.get_params() == fitted.get_params()
        with pytest.raises(NotFittedError):
            blank.predict(X[N:])
        assert_array_equal(blank.fit(X[:N], y[:N]).theta_, fitted.theta_)

    def test_fitted_attributes(self, fitted):
        assert isinstance(fitted, NetworkForecaster)
        assert fitted.theta_.shape == (fitted.n_params_,) and np.isfinite(fitted.theta_).all()
        assert_array_equal(fitted.members_[0], fitted.theta_)
        assert fitted.structure_.n_params == fitted.n_params_
        assert fitted.max_lag_ == (2 if self.feeds_back else 1) and fitted.lead_ == 0
        assert fitted.loss_ == min(fitted.loss_curve_) < fitted.loss_curve_[0]
        assert len(fitted.loss_curve_) == fitted.n_iter_ + 1 <= 9
        assert fitted.validation_curve_ is None and fitted.stop_ in Stop
        assert [stage.loop for stage in fitted.loop_] == ["open"]
        assert fitted.alpha_ == 1e-3 and fitted.n_dropped_ == 0 and fitted.n_features_in_ == 2
        assert list(fitted.feature_names_in_) == ["a", "b"]
        assert not fitted.is_linear_ and 0.0 < fitted.hidden_share_ < 1.0

    def test_parts_of_theta_have_names(self, fitted):
        """Its groups share the parameters out; what `unpack` names is all of them."""
        groups = fitted.structure_.groups
        assert_array_equal(sum(mask.astype(int) for mask in groups.values()), 1)
        positions = np.arange(fitted.n_params_, dtype=float)
        seen = flatten(fitted.structure_.unpack(positions))
        assert_array_equal(np.sort(seen), positions)

    # ------------------------------------------------------------ the same bits
    @pytest.mark.parametrize("solver", ["lbfgs", "adam", "irprop+"])
    def test_the_same_bits_for_any_number_of_jobs(self, data, solver):
        X, y = (table[:60] for table in data)
        given = {"solver": solver, "n_restarts": 3, "combine": "mean", "max_iter": 4}
        first, again, threads = (
            self.make(n_jobs=n_jobs, **given).fit(X, y) for n_jobs in (1, 1, 2)
        )
        for other in (again, threads):
            assert_array_equal(other.theta_, first.theta_)
            assert_array_equal(other.members_, first.members_)
            assert other.loss_curve_ == first.loss_curve_
        assert len({member.tobytes() for member in first.members_}) == 3

    @pytest.mark.parametrize("alpha", ["auto", 1e-3])
    def test_a_refit_has_the_same_bits(self, data, alpha):
        """Whatever an estimator was fitted on before."""
        X, y = data
        model = self.make(alpha=alpha, max_iter=4).fit(X[:60], y[:60])
        first, penalty = model.theta_.copy(), model.alpha_
        model.fit(X[40:], 2.0 * y[40:]).fit(X[:60], y[:60])
        assert_array_equal(model.theta_, first)
        assert model.alpha_ == penalty

    # ------------------------------------------------------------ units
    @pytest.mark.parametrize("shift, factor", [(1e3, 1.0), (0.0, 1e-3), (-50.0, 20.0)])
    def test_units_of_y_change_forecasts_by_that_alone(self, data, fitted, shift, factor):
        X, y = data
        moved = self.make().fit(X[:N], y[:N] * factor + shift)
        assert_allclose((moved.predict(X[N:]) - shift) / factor, fitted.predict(X[N:]), atol=1e-6)

    def test_units_of_X_do_not_matter(self, data, fitted):
        X, y = data
        other = X * [1e-2, 40.0] + [3.0, -100.0]
        moved = self.make().fit(other[:N], y[:N])
        assert_allclose(moved.predict(other[N:]), fitted.predict(X[N:]), atol=1e-6)

    # ------------------------------------------------------------ verbs
    @pytest.mark.parametrize("combine", ["best", "mean"])
    def test_predict_is_the_path_of_predict_ahead(self, data, combine):
        X, y = data
        model = self.make(combine=combine, n_restarts=2, max_iter=4).fit(X[:N], y[:N])
        k = LAST - N
        path = diagonal(model.predict_ahead(X, y, steps=range(1, k + 1)), N, k)
        assert_allclose(model.predict(X[N:]), path, rtol=0, atol=1e-12)
        assert_allclose(model.forecast(X=X[N:]).to_numpy(), path, rtol=0, atol=1e-12)
        assert model.score(X[N:], y[N:]) == pytest.approx(1 - np.mean((path - y[N:]) ** 2)
                                                          / y[N:].var(ddof=0))  # fmt: skip

    def test_steps_do_not_depend_on_those_beside_them(self, data, fitted):
        X, y = data
        several = fitted.predict_ahead(X, y, steps=[1, 4, 9])
        for i, h in enumerate((1, 4, 9)):
            assert_allclose(fitted.predict_ahead(X, y, steps=h), several[:, i], atol=1e-12)

    def test_update_row_by_row(self, data, model):
        """The state is the last rows, however they came."""
        X, y = data
        at_once = copy.deepcopy(model).update(X[N:-9], y[N:-9])
        ahead = model.predict_ahead(X, y, steps=range(1, 10))
        for t in range(N, LAST - 9):
            one_step = model.predict(X[t : t + 1])[0]
            assert one_step == pytest.approx(ahead[t, 0], abs=1e-12)
            model.update(X[t : t + 1], y[t : t + 1])
        assert_array_equal(model.predict(X[-9:]), at_once.predict(X[-9:]))
        assert_allclose(model.predict(X[-9:]), diagonal(ahead, LAST - 9, 9), rtol=0, atol=1e-12)

    def test_simulate_from_measured_outputs(self, data, fitted):
        X, y = data
        k = 12  # more than the lags and the window
        ahead = fitted.predict_ahead(X, y, steps=range(1, 20))
        run = fitted.simulate(X[: k + 19], y[:k])
        assert np.isnan(run[:k]).all()
        assert_allclose(run[k:], diagonal(ahead, k, 19), rtol=0, atol=1e-12)

    def test_fitted_initial_outputs_of_a_run(self, data, fitted):
        """Of a free run without its start the start is found again."""
        self.only_with_feedback()
        X, y = data
        truth = fitted.simulate(X[:40], y[:2])
        run = fitted.simulate(X[:40], y_init="estimate", y=truth)
        assert_allclose(run, truth, atol=1e-5)
        off = fitted.simulate(X[:40], y[:2] + [1.0, -1.0])
        assert np.nanstd(off - truth) > 0.01

    def test_a_model_of_y_alone(self, data):
        self.only_with_feedback()
        y = data[1]
        model = self.make().fit(None, y[:N])
        ahead = model.predict_ahead(None, y, steps=range(1, 9))
        assert_allclose(model.forecast(8), diagonal(ahead, N, 8), rtol=0, atol=1e-12)
        assert model.forecast(8).index.equals(y.index[N : N + 8])
        assert np.isfinite(model.simulate(y_init=y[:10], steps=5)[10:]).all()

    def test_leads(self, data):
        X, y = data
        model = self.make(input_lags=[-2, 0]).fit(X[:N], y[:N])
        assert model.lead_ == 2
        ahead = model.predict_ahead(X, y, steps=range(1, 6))
        path, told = caught(lambda: model.predict(X[N : N + 7]))
        assert np.isnan(path[5:]).all() and len(told) == 1 and "leads up to 2" in told[0]
        assert_allclose(path[:5], diagonal(ahead, N, 5), rtol=0, atol=1e-12)
        model.update(X[N : N + 3], y[N : N + 3])
        path, _ = caught(lambda: model.predict(X[N + 3 : N + 10]))
        assert_allclose(path[:5], diagonal(ahead, N + 3, 5), rtol=0, atol=1e-12)

    # ------------------------------------------------------------ seams and panels
    def test_a_jump_a_label_and_a_series_are_the_same_seam(self, data):
        X, y = (table.drop(table.index[50:60]) for table in data)
        labels = np.repeat(["first", "second"], [50, LAST - 60])
        several = [labels, X.index]
        fits = [
            self.make().fit(X, y),
            self.make().fit(X.to_numpy(), y.to_numpy(), segments=labels),
            self.make().fit(X.set_axis(several), y.set_axis(several)),
        ]
        for other in fits[1:]:
            assert_array_equal(other.theta_, fits[0].theta_)
            assert other.n_dropped_ == 0

    def test_nothing_crosses_a_seam(self, data, fitted):
        """Neither a lag nor a window: each segment is predicted as if it stood alone."""
        X, y = data
        labels = np.repeat([0, 1], [50, LAST - 50])
        ahead = fitted.predict_ahead(X, y, steps=[1, 3], segments=labels)
        parts = slice(50), slice(50, None)
        halves = [fitted.predict_ahead(X[i], y[i], steps=[1, 3]) for i in parts]
        assert_allclose(ahead, np.concatenate(halves), rtol=0, atol=1e-12)
        other_X, other_y = X.copy(), y.copy()
        other_X[:50], other_y[:50] = 7.0, -3.0
        weight = np.repeat([0.0, 1.0], [50, LAST - 50])
        given = {"sample_weight": weight, "segments": labels}
        trained = [self.make().fit(*pair, **given) for pair in ((X, y), (other_X, other_y))]
        assert_array_equal(trained[0].theta_, trained[1].theta_)

    @pytest.mark.parametrize("k", [3, 12])
    def test_after_a_gap_the_state_begins_anew(self, data, model, k):
        """Also with fewer rows than a window has."""
        X, y = (table[N + 5 :] for table in data)
        model.update(X[:k], y[:k])
        ahead = model.predict_ahead(X, y, steps=range(1, 11))
        path = model.predict(X[k : k + 10])
        assert_allclose(path, diagonal(ahead, k, 10), rtol=0, atol=1e-12)

    def test_series_of_a_panel_go_on_from_their_own_state(self, data):
        X, y = map(as_panel, data)
        train = X.index.get_level_values(1) < HOURS[N]
        model = self.make(max_iter=4).fit(X[train], y[train])
        predicted = pd.Series(model.predict(X[~train]), X[~train].index)
        for key in ("forth", "back"):
            ahead = model.predict_ahead(X.loc[key], y.loc[key], steps=range(1, LAST - N + 1))
            path = diagonal(ahead, N, LAST - N)
            assert_allclose(predicted[key], path, rtol=0, atol=1e-12)
        assert not np.allclose(predicted["forth"], predicted["back"])

    # ------------------------------------------------------------ missing values
    def test_a_missing_output_of_a_history_is_the_one_step_prediction(self, data, model):
        """Those that follow one another are one run."""
        X, y = data
        holey, filled = y.copy(), y.copy()
        holey.iloc[[N + 1, N + 6, N + 7]] = np.nan
        for t, k in ((N + 1, 1), (N + 6, 2)):
            ahead = model.predict_ahead(X, filled, steps=range(1, k + 1))
            filled.iloc[t : t + k] = diagonal(ahead, t, k)
        ahead = [model.predict_ahead(X, each, steps=[1, 4]) for each in (holey, filled)]
        assert_allclose(*ahead, rtol=0, atol=1e-12)
        moved = [
            copy.deepcopy(model).update(X[N:-20], each[N:-20]).predict(X[-20:])
            for each in (holey, filled)
        ]
        assert_allclose(*moved, rtol=0, atol=1e-12)

    def test_what_a_missing_output_costs_in_training(self, data):
        """Its own row; of a static network the rows whose lags hold it too."""
        X, y = data
        y = y.copy()
        y.iloc[40] = np.nan
        model, told = caught(lambda: self.make().fit(X[:N], y[:N]))
        costs = 3 if self.feeds_back and not self.window else 1
        assert model.n_dropped_ == costs
        n = N - model.max_lag_
        assert told == [f"{costs} of {n} rows were left out of training because of missing values."]

    def test_what_a_missing_input_costs_in_training(self, data):
        """The rows whose lags or window hold it."""
        X, y = data
        X = X.copy()
        X.iloc[40, 1] = np.nan
        model, told = caught(lambda: self.make().fit(X[:N], y[:N]))
        assert model.n_dropped_ == 2 + self.window
        assert len(told) == 1 and "were left out of training" in told[0]

    def test_a_missing_input_gives_nan_from_there_on_with_one_warning(self, data, model):
        X, y = data
        holey = X.copy()
        holey.iloc[N + 7, 0] = np.nan
        whole = model.predict(X[N:])
        path, told = caught(lambda: model.predict(holey[N:]))
        assert_array_equal(path[:7], whole[:7])
        row = f"row 7 ({HOURS[N + 7]})"
        label = f"a value that the prediction of {row} needs is missing, "
        label += f"that of the column 'a' of X in {row}: "
        if self.feeds_back or self.window:
            assert np.isnan(path[7:]).all()
            assert told == [label + "predictions are NaN from there on."]
        else:
            assert np.flatnonzero(np.isnan(path)).tolist() == [7, 8]
            assert told == [label + "predictions of rows that need such a value are NaN."]
        _, told = caught(lambda: model.update(holey[N : N + 9], y[N : N + 9]))
        assert told == []

    def test_a_missing_input_is_named_where_it_is(self, data):
        """In the window or the lags before the rows to predict, or in those themselves."""
        X, y = data
        back = 4 if self.window else 1
        X = X.copy()
        X.iloc[N - back, 1] = np.nan
        model, _ = caught(lambda: self.make().fit(X[:N], y[:N]))
        place = f"the column 'b' of X in row {-back} of those seen before ({HOURS[N - back]}): "
        _, told = caught(lambda: model.predict(X[N:]))
        assert f"of row 0 ({HOURS[N]}) needs is missing, that of {place}" in told[0]
        if self.feeds_back:
            _, told = caught(lambda: model.simulate(X[N - 6 :], y[N - 6 : N]))
            row = f"the column 'b' of X in row {6 - back} ({HOURS[N - back]}): predictions are NaN"
            assert f"of row 6 ({HOURS[N]}) needs is missing, that of {row}" in told[0]

    def test_predict_ahead_is_nan_where_lags_or_window_need_a_missing_input(self, data, fitted):
        X, y = data
        whole = fitted.predict_ahead(X, y, steps=3)
        X = X.copy()
        X.iloc[50, 0] = np.nan
        ahead, told = caught(lambda: fitted.predict_ahead(X, y, steps=3))
        last = 51 + (2 + self.window if self.feeds_back or self.window else 0)
        lost = np.arange(50, last + 1)
        assert_array_equal(np.flatnonzero(np.isnan(ahead) & ~np.isnan(whole)), lost)
        kept = np.setdiff1d(np.arange(LAST), lost)
        assert_array_equal(ahead[kept], whole[kept])
        assert told == []

    # ------------------------------------------------------------ weights
    def test_weight_0_makes_a_row_history_only(self, data):
        """Its error counts for nothing, and what comes after still reads it."""
        X, y = data
        weight = np.ones(N)
        weight[:50] = 0.0
        model = self.make().fit(X[:N], y[:N], sample_weight=weight)
        other_X, other_y = X.copy(), y.copy()
        other_X[:30], other_y[:30] = 5.0, -4.0  # behind all lags and windows of the others
        other = self.make().fit(other_X[:N], other_y[:N], sample_weight=weight)
        assert_array_equal(other.theta_, model.theta_)
        other_X.iloc[49] = 5.0
        other = self.make().fit(other_X[:N], other_y[:N], sample_weight=weight)
        assert not np.array_equal(other.theta_, model.theta_)

    def test_a_weight_multiplies_the_squared_error(self, data):
        """Two is twice the segment."""
        X, y = (table[:50].to_numpy() for table in data)
        twice = np.concatenate([X, X]), np.concatenate([y, y])
        model = self.make(max_iter=5).fit(*twice, segments=np.repeat([0, 1], 50))
        weighted = self.make(max_iter=5).fit(X, y, sample_weight=np.full(50, 2.0))
        assert_allclose(weighted.theta_, model.theta_, atol=1e-6)
        plain = self.make(max_iter=5).fit(X, y)
        assert not np.allclose(weighted.theta_, plain.theta_, atol=1e-6)

    def test_the_loss_is_the_weighted_mean_of_the_squared_errors(self, data):
        X, y = data
        weight = np.random.default_rng(0).uniform(0.1, 2.0, N)
        model = self.make(alpha=0.0, **self.free()).fit(X[:N], y[:N], sample_weight=weight)
        rows = slice(model.max_lag_, N)
        errors = (model.predict_ahead(X[:N], y[:N]) - y[:N])[rows] / y[:N].to_numpy().std()
        expected = weight[rows] @ errors**2 / weight[rows].sum() / 2
        assert model.loss_ == pytest.approx(expected, rel=1e-9)

    @classmethod
    def free(cls):
        """Without a penalty of the linear feedback."""
        return {"linear_alpha": 0.0} if cls.has("linear_alpha") else {}

    # ------------------------------------------------------------ how training ends
    @pytest.mark.parametrize("solver", ["lbfgs", "adam", "irprop+"])
    def test_a_callback_ends_training(self, data, solver):
        """And keeps the best weights so far, which are those of as short a training."""
        X, y = data
        seen = []

        def enough(iteration):
            seen.append(iteration)
            return len(seen) == 3

        model = self.make(solver=solver, max_iter=50, tol=0.0, callback=enough).fit(X[:N], y[:N])
        assert model.stop_ is Stop.CALLBACK and model.n_iter_ == 3
        short = self.make(solver=solver, max_iter=3, tol=0.0).fit(X[:N], y[:N])
        assert_array_equal(short.theta_, model.theta_)

    def test_a_press_of_ctrl_c_keeps_the_best_so_far(self, data):
        X, y = data
        seen = []

        def press(iteration):
            seen.append(iteration)
            if len(seen) == 3:
                signal.raise_signal(signal.SIGINT)

        given = {"max_iter": 50, "tol": 0.0, "solver": "irprop+"}
        model, told = caught(lambda: self.make(callback=press, **given).fit(X[:N], y[:N]))
        assert model.stop_ is Stop.INTERRUPTED and 1 <= model.n_iter_ <= 3
        assert len(told) == 1 and told[0].startswith("fit: ")
        assert model.loss_ == min(model.loss_curve_)
        assert np.isfinite(model.predict(X[N:])).all()

    def test_an_error_leaves_the_model_as_it_was(self, data, model):
        X, y = data
        before = model.predict(X[N:])

        def break_off(iteration):
            raise KeyboardInterrupt

        model.set_params(callback=break_off, n_restarts=2)
        with pytest.raises(KeyboardInterrupt):
            model.fit(X[:N], -y[:N])
        assert_array_equal(model.predict(X[N:]), before)

    def test_early_stopping_scores_the_last_block(self, data):
        """With the training rows as its history, window and all."""
        X, y = data
        given = {"early_stopping": True, "validation_fraction": 0.2, "alpha": 0.0, "max_iter": 15}
        model = self.make(**given, **self.free()).fit(X[:100], y[:100])
        errors = (model.predict_ahead(X[:100], y[:100]) - y[:100])[80:] / y[:80].to_numpy().std()
        best = int(np.argmin(model.validation_curve_))
        assert model.validation_curve_[best] == pytest.approx(np.mean(errors**2) / 2, rel=1e-9)
        assert model.loss_ == model.loss_curve_[best]
        y = y.copy()
        y[80:100] += 50.0
        other = self.make(**given, **self.free()).fit(X[:100], y[:100])
        assert other.loss_curve_[: best + 1] == model.loss_curve_[: best + 1]

    def test_a_warm_start_goes_on(self, data):
        X, y = data
        cold = self.make(max_iter=4).fit(X[:N], y[:N])
        warm = self.make(max_iter=4, warm_start=True).fit(X[:N], y[:N])
        assert_array_equal(warm.theta_, cold.theta_)
        warm.fit(X[:N], y[:N])
        assert warm.loss_curve_[0] == pytest.approx(cold.loss_, rel=1e-9)
        assert warm.loss_ < cold.loss_
        for name, value in (("hidden_layer_sizes", (2,)), ("window", 7)):
            if self.has(name):
                other = copy.deepcopy(warm).set_params(**{name: value})
                with pytest.raises(ValueError, match=f"this is another one, with .*{name} from"):
                    other.fit(X[:N], y[:N])

    # ------------------------------------------------------------ bounds, outputs, precision
    def test_output_range_in_the_loop(self, data):
        """Every step is clipped before the next reads it: as feeding the clipped ones back does."""
        self.only("output_range")
        X, y = data
        low, high = np.quantile(y[:N], [0.3, 0.6])
        model = self.make(output_range=(low, high)).fit(X[:N], y[:N])
        path = model.predict(X[N:])
        assert path.min() == low and path.max() == high
        fed = pd.concat([y[:N], pd.Series(path, X.index[N:])])
        if not self.window:
            assert_allclose(model.predict_ahead(X, fed)[N:], path, atol=1e-9)

    def test_two_outputs(self):
        X, y = make_data(n_outputs=2)
        model = self.make().fit(X[:N], y[:N])
        ahead = model.predict_ahead(X, y, steps=range(1, 8))
        assert ahead.shape == (LAST, 2, 7) and model.predict(X[N:]).shape == (LAST - N, 2)
        assert_allclose(model.predict(X[N : N + 7]), diagonal(ahead, N, 7), rtol=0, atol=1e-12)
        forecast = model.forecast(X=X[N:])
        assert list(forecast.columns) == ["y0", "y1"] and forecast.index.equals(X.index[N:])
        holey, filled = y.copy(), y.copy()
        holey.iloc[95, 1] = np.nan
        filled.iloc[95, 1] = model.predict_ahead(X, holey)[95, 1]
        ahead = [model.predict_ahead(X, each, steps=[1, 3]) for each in (holey, filled)]
        assert_allclose(*ahead, rtol=0, atol=1e-12)

    def test_single_precision(self, data, fitted):
        """Near the double one, the same each time, and in double outside."""
        self.only("dtype")
        X, y = data
        model = self.make(dtype="float32", max_iter=3).fit(X[:N], y[:N])
        double = self.make(max_iter=3).fit(X[:N], y[:N])
        assert_allclose(model.predict(X[N:]), double.predict(X[N:]), atol=1e-2)
        assert not np.array_equal(model.theta_, double.theta_)
        ahead = model.predict_ahead(X, y, steps=range(1, 31))
        assert ahead.dtype == model.theta_.dtype == np.float64
        assert_allclose(model.predict(X[N:]), diagonal(ahead, N, 30), rtol=0, atol=1e-5)
        again = self.make(dtype="float32", max_iter=3).fit(X[:N], y[:N])
        assert_array_equal(again.theta_, model.theta_)

    # ------------------------------------------------------------ loops
    @pytest.mark.parametrize("loop", [3, "closed", (1, 3)])
    def test_longer_rollouts_reduce_their_own_loss(self, data, loop):
        self.only("loop")
        X, y = data
        given = {"loop": loop, "alpha": 1e-4, "max_iter": 15}
        model = self.make(**given).fit(X[:N], y[:N])
        wanted = loop if np.isscalar(loop) else loop[-1]
        assert model.loop_[-1].loop == wanted
        assert model.loss_ == min(model.loss_curve_) < model.loss_curve_[0]
        assert_array_equal(self.make(**given).fit(X[:N], y[:N]).theta_, model.theta_)

    @pytest.mark.parametrize("solver", POPULATIONS, ids=lambda solver: type(solver).__name__)
    @pytest.mark.parametrize("loop", ["open", 3, "closed"])
    def test_populations_train_in_every_loop(self, data, solver, loop):
        """And in as many threads as there are, bit for bit."""
        given = {"solver": solver, "max_iter": 6}
        if loop != "open":
            self.only("loop")
            given["loop"] = loop
        X, y = (table[:60] for table in data)
        model, threads = (self.make(n_jobs=n_jobs, **given).fit(X, y) for n_jobs in (1, 2))
        assert model.loop_[-1].loop == loop
        assert model.loss_ == min(model.loss_curve_) < model.loss_curve_[0]
        generations = model.logbook_["generation"]
        assert 1 <= generations.iloc[-1] < model.n_iter_ <= 6  # the rest is polish
        assert np.isfinite(model.predict(data[0][60:])).all()
        assert_array_equal(threads.theta_, model.theta_)

    def test_the_loss_of_a_closed_loop_is_that_of_one_run(self, data):
        """From the first row with its lags on, window or not, each on its own output."""
        self.only("loop")
        X, y = data
        given = {"loop": "closed", "alpha": 0.0, "max_iter": 10}
        model = self.make(**given, **self.free()).fit(X[:N], y[:N])
        assert [stage.loop for stage in model.loop_][-1] == "closed"
        run = model.simulate(X[:N], y[: model.max_lag_])[model.max_lag_ :]
        errors = (run - y[model.max_lag_ : N]) / y[:N].to_numpy().std()
        assert model.loss_ == pytest.approx(np.mean(errors**2) / 2, rel=1e-6)

    # ------------------------------------------------------------ tools around it
    def test_a_pipeline_with_frames_and_a_backtest(self, data, fitted):
        X, y = data
        scaler = StandardScaler().set_output(transform="pandas")
        pipe = make_pipeline(scaler, self.make()).fit(X[:N], y[:N])
        assert_allclose(pipe.predict(X[N:]), fitted.predict(X[N:]), atol=1e-6)
        origins = HOURS[N + 10 : LAST - 4 : 3]
        table = backtest(pipe, X[N:], y[N:], 4, origins)
        assert np.isfinite(table["y_hat"]).all() and set(table["horizon"]) == {1, 2, 3, 4}
        alone = backtest(fitted, X[N:], y[N:], 4, origins)
        assert_allclose(table["y_hat"], alone["y_hat"], atol=1e-6)
        rows, steps = HOURS.get_indexer(alone["origin"]), alone["horizon"].to_numpy()
        ahead = fitted.predict_ahead(X, y, steps=range(1, 5))
        assert_allclose(alone["y_hat"], ahead[rows + steps, steps - 1], rtol=0, atol=1e-12)

    def test_a_clipped_output_has_no_derivative(self, data):
        X, y = data
        model = self.make(output_range=(-0.1, 0.1)).fit(X, y)
        ahead = model.predict_ahead(X, y)
        is_clipped = np.abs(ahead) == 0.1
        gradient = model.input_gradient(X, y).values[:, 0]
        is_there = np.isfinite(gradient).all(axis=(1, 2))
        assert is_clipped.any() and not gradient[is_clipped & is_there].any()
        assert gradient[~is_clipped & is_there].any()

    def test_a_search_over_sizes_and_windows(self, data):
        X, y = (table[:60] for table in data)
        grid = {"hidden_layer_sizes": [(2,), (3,)]}
        if self.has("window"):
            grid["window"] = [2, 6]
        search = GridSearchCV(
            self.make(max_iter=2), grid, cv=RollingOrigin(2, test_size=8), scoring=ahead_scorer(2)
        ).fit(X, y)
        scores = search.cv_results_["mean_test_score"]
        assert np.isfinite(scores).all() and len(set(scores)) == len(scores)
        assert search.best_estimator_.get_params()["hidden_layer_sizes"] in [(2,), (3,)]

    # ------------------------------------------------------------ how it depends on the past
    def test_input_gradient_is_the_difference_of_predictions(self, data, fitted):
        X, y = data
        gradient, t = fitted.input_gradient(X, y), 70
        memory = fitted.structure_.reach.memory
        assert gradient.columns == ["a", "b", "y"] and gradient.lags == list(range(memory + 1))
        for i, column in enumerate(gradient.columns):
            for k, lag in enumerate(gradient.lags):
                moved = []
                for e in (1e-5, -1e-5):
                    tables = X.copy(), y.copy()
                    if column == "y":
                        tables[1].iloc[t - lag] += e
                    else:
                        tables[0].iloc[t - lag, i] += e
                    moved.append(fitted.predict_ahead(*tables)[t])
                slope = (moved[0] - moved[1]) / 2e-5
                assert gradient.values[t, 0, i, k] == pytest.approx(slope, abs=1e-7), (column, lag)
        unpredicted = np.isnan(gradient.values).all(axis=(1, 2, 3))
        assert_array_equal(np.flatnonzero(unpredicted), np.arange(fitted.max_lag_))

    def test_input_gradient_reads_as_a_table(self, data, fitted):
        X, y = data
        gradient = fitted.input_gradient(X, y)
        n, lags = LAST - fitted.max_lag_, gradient.lags
        assert repr(gradient).startswith(
            f"Derivatives of 1 output in {LAST} rows, {n} of them predicted, by 3 columns at lags "
            f"from 0 to {lags[-1]}.\n\n  column  largest, standardised  at lag\n"
        )
        norms = memory_profile(fitted, X, y).norms
        first = norms.max().idxmax()
        cells = repr(gradient).splitlines()[3].split()
        assert cells == [first, f"{norms[first].max():.3g}", str(norms[first].idxmax())]
        frame = gradient.to_frame()
        assert frame.index.equals(X.index) and frame.columns.names == ["output", "column", "lag"]
        assert_array_equal(frame["y", "b"].to_numpy(), gradient.values[:, 0, 1])

    def test_memory_profile(self, data, fitted):
        X, y = data
        profile = memory_profile(fitted, X, y)
        gradient = fitted.input_gradient(X, y)
        expected = np.sqrt(np.nanmean(gradient.standardised**2, axis=(0, 1)))
        assert_allclose(profile.norms.to_numpy(), expected.T)
        assert profile.n == LAST - fitted.max_lag_
        assert list(profile.norms.columns) == ["a", "b", "y"]
        ax = profile.plot()
        assert len(ax.lines) >= 3 and ax.get_yscale() == "log"
        ax.figure.clear()


def flatten(parts):
    """All numbers of named parts, as one vector."""
    if parts is None:
        return np.empty(0)
    if isinstance(parts, np.ndarray):
        return parts.ravel()
    each = parts.values() if isinstance(parts, dict) else parts
    return np.concatenate([np.empty(0), *map(flatten, each)])
