"""Recurrent regressors: Elman, GRU and LSTM networks, with the verbs of all forecasters."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from narxkit._checks import is_count
from narxkit.forecasters.network import NetworkForecaster
from narxkit.networks import CellNetwork, make_taps
from narxkit.solvers import make_solver

MOST_FOR_JTJ = 2000  # parameters whose sensitivities are carried through time

FORMULA = r"""
    .. math::

        z_t = (y_{t-1}, \dots, y_{t-K}, u_t, \dots, u_{t-L}), \qquad
        (h_t, c_t) = \mathrm{cell}(z_t, h_{t-1}, c_{t-1}), \qquad
        \hat y_t = h_t V + b + z_t U
"""


class RecurrentForecaster(NetworkForecaster):
    """Base class of regressors of recurrent cells."""

    _cell = "gru"
    _peepholes = False
    _parameter_constraints: dict = {
        **NetworkForecaster._parameter_constraints,
        "input_lags": "no_validation",
        "output_lags": "no_validation",
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "window": [Interval(Integral, 1, None, closed="left")],
        "loop": "no_validation",
        "washout": [Interval(Integral, 0, None, closed="left")],
        "linear_term": ["boolean"],
        "initial_state": [StrOptions({"zero", "trained"})],
        "output_range": "no_validation",
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "l1_ratio": [Interval(Real, 0, 1, closed="both")],
        "linear_alpha": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"})],
        "dtype": [StrOptions({"float64", "float32"})],
    }

    def __init__(
        self,
        input_lags=0,
        output_lags=1,
        hidden_layer_sizes=(16,),
        window=24,
        loop="open",
        washout=0,
        linear_term=True,
        initial_state="zero",
        output_range=None,
        scale=True,
        solver="adam",
        alpha=1e-2,
        l1_ratio=0.0,
        linear_alpha="auto",
        dropout=0.0,
        dtype="float64",
        max_iter=100,
        tol=1e-5,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        n_restarts=1,
        combine="best",
        n_members=None,
        warm_start=False,
        random_state=None,
        n_jobs=None,
        verbose=False,
        callback=None,
    ):
        self.input_lags = input_lags
        self.output_lags = output_lags
        self.hidden_layer_sizes = hidden_layer_sizes
        self.window = window
        self.loop = loop
        self.washout = washout
        self.linear_term = linear_term
        self.initial_state = initial_state
        self.output_range = output_range
        self.scale = scale
        self.solver = solver
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.linear_alpha = linear_alpha
        self.dropout = dropout
        self.dtype = dtype
        self.max_iter = max_iter
        self.tol = tol
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.n_restarts = n_restarts
        self.combine = combine
        self.n_members = n_members
        self.warm_start = warm_start
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.callback = callback

    @property
    def _loop(self):
        return self.loop

    @property
    def _washout(self):
        return self.washout

    @property
    def _linear_alpha(self):
        return self.linear_alpha

    def _make_network(self, columns, n_outputs):
        taps = make_taps(self.input_lags, self.output_lags, columns, n_outputs)
        self._check_taps(taps)
        sizes = self.hidden_layer_sizes
        sizes = tuple(sizes) if np.iterable(sizes) else (sizes,)
        if not sizes or not all(map(is_count, sizes)):
            raise ValueError(
                "hidden_layer_sizes must hold at least one layer, and ints >= 1. Got "
                f"{self.hidden_layer_sizes!r} instead."
            )
        network = CellNetwork(
            taps,
            self._cell,
            tuple(map(int, sizes)),
            window=int(self.window),
            linear_term=self.linear_term,
            peepholes=self._peepholes,
            trains_state=self.initial_state == "trained",
            dropout=float(self.dropout),
            dtype=self.dtype,
        )
        self._check_solver(network)
        return network

    def _check_taps(self, taps):
        if not taps.n_taps:
            raise ValueError(
                "the model has neither output lags nor input lags: give at least one lag."
            )
        means = [(first, last) for _, first, last in taps.outputs if first < last]
        if means:
            raise ValueError(
                f"output_lags holds the mean over the lags {means[0]}, but a recurrent network "
                "remembers by its state: give single lags and a window, or use NARX."
            )

    def _check_solver(self, network):
        solver = make_solver(self.solver)
        name = type(solver).__name__
        if self.dropout and not solver.takes_batches:
            raise ValueError(
                f"dropout={self.dropout:g} disturbs every slope, and {name} relies on slopes that "
                "are those of the loss: give dropout=0, or a solver of batches such as 'adam'."
            )
        if self.dropout and len(network.hidden_layer_sizes) == 1:
            raise ValueError(
                f"dropout={self.dropout:g} leaves out units between layers, and there is only one "
                "layer: give dropout=0, or more layers."
            )
        if self.l1_ratio and not solver.takes_kinks:
            raise ValueError(
                f"l1_ratio={self.l1_ratio:g} penalises absolute values, at whose kinks {name} "
                "stops: give l1_ratio=0, or one of the solvers 'adam', 'rmsprop', 'sgd' and "
                "'irprop+'."
            )
        if self._builds_JtJ and network.n_params > MOST_FOR_JTJ:
            raise ValueError(
                f"{name} carries the derivatives of the state by all {network.n_params:,} weights "
                f"through time, and at most {MOST_FOR_JTJ:,} are allowed: give smaller layers, or "
                "the solver 'adam' or 'lbfgs'."
            )

    def _disturbed(self, objective, rng):
        if self.l1_ratio:
            objective = objective.with_l1_ratio(float(self.l1_ratio))
        return objective.with_dropout(rng) if self.dropout else objective

    def _describe_reach(self):
        leads = f" and leads up to {self._reach.lead}" if self._reach.lead else ""
        return f"lags up to {self._reach.history}{leads} need", "smaller lags"


class GRURegressor(RecurrentForecaster):
    """Gated recurrent units."""


class LSTMRegressor(RecurrentForecaster):
    """Long short-term memory."""

    _cell = "lstm"


class ElmanRegressor(RecurrentForecaster):
    """Elman."""

    _cell = "tanh"
