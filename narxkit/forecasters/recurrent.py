"""Recurrent regressors: Elman, GRU and LSTM networks, with the verbs of all forecasters."""

from numbers import Integral, Real

from sklearn.utils._param_validation import Interval, StrOptions

from narxkit.forecasters.network import NetworkForecaster
from narxkit.networks import BidirectionalNetwork, CellNetwork
from narxkit.solvers import make_solver
from narxkit.training.stages import read_loops

MOST_FOR_JTJ = 2000  # parameters whose sensitivities are carried through time

BODY = r"""
    .. math::

        z_t = (y_{t-1}, \dots, y_{t-K}, u_t, \dots, u_{t-L}), \qquad
        (h_t, c_t) = \mathrm{cell}(z_t, h_{t-1}, c_{t-1}), \qquad
        \hat y_t = h_t V + b + z_t U

    in one or more layers, of which each reads the h of the one below it. The state that a
    prediction starts from is what the `window` rows of measured history before its origin bring
    about, so that rows are the state: ``update``, ``predict_ahead``, ``backtest``, panels and gaps
    work as for `NARX`. From the origin on the network reads its own output.

    Parameters
    ----------
    input_lags : int, sequence of int or dict, default=0
        Inputs that the cells read in every step, as in `NARX`; the state remembers what was before.
    output_lags : int or sequence of int, default=1
        Outputs that they read: K means lags 1..K; a sequence means exactly those lags.
    hidden_layer_sizes : array-like of int, default=(16,)
        Units of each layer.
    window : int, default=24
        Rows of measured history that bring about the state before every prediction, in training and
        in use; where a segment has fewer, from its first row whose lags are there.
{extra}    loop : {"open", "closed"}, int or a sequence of them, default="open"
        What training minimises: the error of the row after each window, of k steps on its own
        output after it, or of one run from the first row that has a history to the segment's end.
        Longer ones begin with shorter ones, as in `NARX`.
    washout : int, default=0
        First steps of each rollout without weight in the loss, as in `NARX`.
    linear_term : bool, default=True
        A direct linear path U from the taps to the output, started from the least-squares ARX fit.
    initial_state : {"zero", "trained"}, default="zero"
        The state that windows begin with. A trained one is for all solvers but "lm" and "br".
    bidirectional : bool, default=False
        Whether each layer has cells that read the rows backwards beside those that read them
        forwards, all of which the next layer and the output read. For regression over known
        stretches: with ``output_lags=[]``, through ``simulate``; see the Notes.
    output_range : tuple (low, high), default=None
        Bounds of the output in y's units, as in `NARX`.
    calendar : sequence, dict or None, default=None
        Fields of the time stamps that are read as inputs, as in `NARX`.
    scale : bool, default=True
        Whether X is standardised inside; y always is.
    solver : str or Solver, default="lbfgs"
        Training algorithm, as in `NARX`. Those of batches ("adam", "rmsprop", "sgd") cut gradients,
        visit every s-th origin in an epoch and let the rate fall where an object says so, such as
        ``Adam(max_grad_norm=1.0, stride=4, schedule="cosine")``; "lm" and "br" take up to 2,000
        parameters.
    alpha : float or "auto", default="auto"
        L2 penalty of all weights but those of the linear term, as in `NARX`: "auto" chooses one by
        free runs through blocks at the end of the training rows, and switches the cells off where
        they do no better there than the linear model that they stand beside: that of the lags
        named, so that a series with a season wants them to reach it, such as ``output_lags=24``.
    l1_ratio : float, default=0.0
        The part of the penalty that is paid for absolute values in the place of squares, for the
        solvers "adam", "rmsprop", "sgd" and "irprop+".
    linear_alpha : "auto" or float, default="auto"
        L2 penalty of the linear feedback, as in `NARX`.
    dropout : float, default=0.0
        Share of the units below the last layer that each training sequence does without, for the
        solvers of batches.
    dtype : {"float64", "float32"}, default="float64"
        Precision of the kernels; parameters and results are double.
    max_iter : int, default=100
        Largest number of iterations, or epochs.
    tol : float, default=1e-5
        Training ends when the loss decreases by less than this fraction three times running.
    early_stopping : bool, default=False
        Whether the last `validation_fraction` of each segment is held out and its loss ends
        training, as in `NARX`.
    validation_fraction : float, default=0.1
        Part of each segment that is held out.
    n_iter_no_change : int, default=10
        Patience of early stopping.
    n_restarts : int, default=1
        Trainings from different initial weights; the best by held-out loss, or else by training
        loss, is kept.
    combine : {"best", "mean", "median"}, default="best"
        What predicts: the best restart, or the mean or median, step by step, of the best
        `n_members` of them, each running on its own output.
    n_members : int or None, default=None
        Restarts that are combined, at most `n_restarts`; by default all.
    warm_start : bool, default=False
        Whether ``fit`` goes on from the weights of the last fit, with its scales and penalties.
    random_state : int, RandomState or None, default=None
        Seed of the initial weights, of batches and of dropout.
    n_jobs : int or None, default=None
        Threads for restarts; the result does not depend on it.
    verbose : bool or int, default=False
        Whether to show a progress line, and in the end what passes the hidden layers, if anything.
    callback : callable, default=None
        ``callback(iteration)`` is called after each iteration; True ends training.

    Attributes
    ----------
    theta_ : ndarray of shape (n_params_,)
        Parameters, in standardised units; ``structure_.unpack(theta_)`` names them.
    structure_ : CellNetwork or BidirectionalNetwork
        What explains them.
    members_ : list of ndarray of shape (n_params_,)
        Parameters of the best `n_members` restarts, the best first, without those that diverge.
    n_params_ : int
        Number of parameters.
    max_lag_ : int
        Rows of history without which nothing is predicted: the largest lag.
    lead_ : int
        Rows after its own that a prediction needs: the largest lead.
    loop_ : list of Stage
        Stages of training, each with its rollout length, loss and iterations.
    loss_ : float
        Loss at the end of the last stage.
    loss_curve_ : list of float
        Loss at the start and after each iteration of the last stage.
    validation_curve_ : list of float or None
        Held-out loss likewise.
    n_iter_ : int
        Iterations done.
    stop_ : Stop
        Why training ended.
    logbook_ : DataFrame or None
        Of each generation of the last stage, where populations trained: ``generation``,
        ``evaluations`` so far, and the ``best``, ``mean`` and ``spread`` of the losses.
    alpha_ : float
        The penalty taken; inf where ``alpha="auto"`` switched the cells off.
    linear_alpha_ : float
        The penalty of the linear feedback taken.
    hidden_share_ : float
        Share of the variance of the output, along the training rollouts, that passes the cells and
        no linear function of the taps gives; of several members or outputs the largest.
    is_linear_ : bool
        Whether nothing passes the cells.
    n_effective_params_ : float or None
        Parameters that the data determine and the penalty does not; None for solvers that build no
        normal equations, and after Ctrl-C.
    loop_gain_ : None
        Not measured of recurrent networks; see `narxkit.diagnostics.memory_profile`.
    n_dropped_ : int
        Rows left out of training because of missing values.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, when X has any.

    See Also
    --------
{others}
    Notes
    -----
    Clock, panels, seams and what is known ahead are as in `NARX`. A missing output inside a window
    is the network's own prediction of it, in training too; a missing input costs the rows whose
    window holds it (`n_dropped_`).

    ``predict`` over k rows equals ``predict_ahead(steps=1..k)`` from the same origin. To feed rows
    one at a time by ``update`` moves the window on, which agrees as far as the memory has faded.

    With ``bidirectional=True``

    .. math::

        \hat y_t = [\overrightarrow{h}_t, \overleftarrow{h}_t] V + b + z_t U

    depends on inputs of later rows as well, to the end of the stretch, so that there is no forecast
    and no state: ``predict``, ``forecast``, ``predict_ahead``, ``update``, ``score``,
    ``input_gradient``, ``backtest`` and `ahead_scorer` are refused. ``simulate(X)`` reads all rows
    of X at once, each series on its own, and `simulation_scorer` scores it, in searches too.
    Training reads each segment as a whole; ``loop=k`` runs of k rows, `window` rows before and
    after each included, which solvers of batches want of long segments. A row whose inputs are
    missing parts the rows before it from those behind it. The solvers "lm" and "br" and a trained
    initial state are for one direction alone.

    References
    ----------
    {reference}

    Examples
    --------
    >>> from narxkit import {name}
    >>> from narxkit.datasets import make_narendra
    >>> X, y = make_narendra(400, random_state=0)
    >>> model = {name}(window=6, alpha=1e-3, random_state=0).fit(X[:300], y[:300])
    >>> error = model.predict(X[300:]) - y[300:]
    >>> bool(error.std() < 0.7 * y.std())
    True

    An output two rows ahead of what brings it about, read in one direction and in both:

    >>> X, y, errors = X[:-2], y[2:], []
    >>> for both in (False, True):
    ...     model = {name}(output_lags=[], bidirectional=both, alpha=1e-3, random_state=0)
    ...     errors.append((model.fit(X[:300], y[:300]).simulate(X[300:]) - y[300:]).std())
    >>> bool(errors[1] < 0.5 * errors[0])
    True
    """
CHRONO = r"""    chrono_t_max : float or None, default=None
        The longest dependency :math:`T_{\max}` that is to be learned, in rows, where it is told
        (chrono initialisation, Tallec and Ollivier 2018): training begins with the biases

        .. math:: b_f = \log T, \quad b_i = -\log T, \qquad T \sim U(1, T_{\max} - 1)

        of an LSTM, drawn for each unit, and :math:`b_k = \log T` of a GRU: these gates keep a state
        for the order of T rows. None begins with :math:`b_f = 1` or :math:`b_k = 1`, which keeps
        0.73 of a state from row to row: that suits series, but forgets inputs of 50 rows before,
        for which `window` has to reach back as far, too.
"""
TALLEC = 'Tallec and Ollivier 2018, "Can recurrent neural networks warp time?", ICLR.'
T_MAX = [Interval(Real, 2, None, closed="left"), None]
OTHERS = {
    "ElmanRegressor": "Cells without gates.",
    "GRURegressor": "Cells with two gates.",
    "LSTMRegressor": "Cells with three gates and a memory of their own.",
    "NARX": "A static network over lagged values.",
}


def describe(name, summary, cell, reference, extra=""):
    """Write the docstring of a class: all three share what is not of their cell.

    Parameters
    ----------
    name : str
        Of the class.
    summary : str
        What it is.
    cell : str
        Its formulas, indented.
    reference : str
        Where it comes from.
    extra : str, default=""
        A parameter that only this class has.

    Returns
    -------
    str
    """
    others = "".join(f"    {k} : {v}\n" for k, v in OTHERS.items() if k != name)
    parts = {"extra": extra, "others": others, "reference": reference, "name": name}
    body = BODY
    for key, text in parts.items():
        # not str.format: the braces of formulas and of choices are text
        body = body.replace("{" + key + "}", text)
    return f"{summary}\n{cell}{body}"


class RecurrentForecaster(NetworkForecaster):
    """Base class of regressors around layers of cells, all of one kind."""

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
        "bidirectional": ["boolean"],
        "output_range": "no_validation",
        "calendar": "no_validation",
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
        chrono_t_max=None,
        loop="open",
        washout=0,
        linear_term=True,
        initial_state="zero",
        bidirectional=False,
        output_range=None,
        calendar=None,
        scale=True,
        solver="lbfgs",
        alpha="auto",
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
        self.chrono_t_max = chrono_t_max
        self.loop = loop
        self.washout = washout
        self.linear_term = linear_term
        self.initial_state = initial_state
        self.bidirectional = bidirectional
        self.output_range = output_range
        self.calendar = calendar
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

    def _make_network(self, columns, n_outputs):
        self._check_washout()
        taps = self._read_taps(columns, n_outputs)
        self._refuse_means(taps)
        given = {
            "taps": taps,
            "cell": self._cell,
            "hidden_layer_sizes": self._read_sizes("at least one layer, and ints >= 1", fewest=1),
            "window": int(self.window),
            "linear_term": self.linear_term,
            "peepholes": self._peepholes,
            "dropout": float(self.dropout),
            "dtype": self.dtype,
            "chrono_t_max": self.chrono_t_max,
        }
        if self.bidirectional:
            self._check_both_ways(taps)
            network = BidirectionalNetwork(**given)
        else:
            network = CellNetwork(**given, trains_state=self.initial_state == "trained")
        self._check_solver(network)
        return network

    @property
    def _loop(self):
        # what reads no output reads each segment as a whole in open loop, too
        is_open = self.bidirectional and read_loops(self.loop) == ("open",)
        return "closed" if is_open else self.loop

    def _refuse_means(self, taps):
        means = [(first, last) for _, first, last in taps.outputs if first < last]
        if means:
            raise ValueError(
                f"output_lags holds the mean over the lags {means[0]}, but a recurrent network "
                "remembers by its state: give single lags and a window, or use NARX."
            )

    def _check_both_ways(self, taps):
        if taps.outputs:
            raise ValueError(
                f"bidirectional=True reads rows whose outputs are not known yet, but output_lags="
                f"{self.output_lags!r} asks for them: give output_lags=[], and the inputs that "
                "tell of the output as X."
            )
        if self.initial_state == "trained":
            raise ValueError(
                "bidirectional=True reads a stretch from a state of zero at both of its ends: give "
                "initial_state='zero'."
            )
        if self._builds_JtJ:
            raise ValueError(
                f"{type(make_solver(self.solver)).__name__} builds normal equations, for which "
                "cells that read both ways have no derivatives: give the solver 'lbfgs' or 'adam', "
                "or bidirectional=False."
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
        if self._builds_JtJ and network.trains_state:
            raise ValueError(
                f"{name} has no derivatives by the {network.n_state} numbers of a trained initial "
                "state: give initial_state='zero', or the solver 'adam' or 'lbfgs'."
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
        has_units = hasattr(objective.network, "draw_masks")  # its linear part has none
        return objective.with_dropout(rng) if self.dropout and has_units else objective


class ElmanRegressor(RecurrentForecaster):
    __doc__ = describe(
        "ElmanRegressor",
        "Recurrent network of Elman: the hidden layer reads its own last state.",
        r"""
    .. math:: h_t = f(z_t W + h_{t-1} R + b)
""",
        'Elman 1990, "Finding structure in time", Cognitive Science 14, 179-211.',
        """    activation : {"tanh", "relu"}, default="tanh"
        The function f.
""",
    )

    _parameter_constraints: dict = {
        **RecurrentForecaster._parameter_constraints,
        "activation": [StrOptions({"tanh", "relu"})],
    }

    def __init__(
        self,
        input_lags=0,
        output_lags=1,
        hidden_layer_sizes=(16,),
        window=24,
        activation="tanh",
        loop="open",
        washout=0,
        linear_term=True,
        initial_state="zero",
        bidirectional=False,
        output_range=None,
        calendar=None,
        scale=True,
        solver="lbfgs",
        alpha="auto",
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
        super().__init__(
            input_lags=input_lags,
            output_lags=output_lags,
            hidden_layer_sizes=hidden_layer_sizes,
            window=window,
            loop=loop,
            washout=washout,
            linear_term=linear_term,
            initial_state=initial_state,
            bidirectional=bidirectional,
            output_range=output_range,
            calendar=calendar,
            scale=scale,
            solver=solver,
            alpha=alpha,
            l1_ratio=l1_ratio,
            linear_alpha=linear_alpha,
            dropout=dropout,
            dtype=dtype,
            max_iter=max_iter,
            tol=tol,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            n_restarts=n_restarts,
            combine=combine,
            n_members=n_members,
            warm_start=warm_start,
            random_state=random_state,
            n_jobs=n_jobs,
            verbose=verbose,
            callback=callback,
        )
        self.activation = activation

    @property
    def _cell(self):
        return self.activation


class GRURegressor(RecurrentForecaster):
    __doc__ = describe(
        "GRURegressor",
        "Recurrent network of gated units.",
        r"""
    .. math::

        r_t = \sigma(z_t W_r + h_{t-1} R_r + b_r), \qquad
        k_t = \sigma(z_t W_k + h_{t-1} R_k + b_k), \\
        n_t = \tanh(z_t W_n + b_n + r_t \circ (h_{t-1} R_n + b_m)), \qquad
        h_t = (1 - k_t) \circ n_t + k_t \circ h_{t-1}
""",
        'Cho et al. 2014, "Learning phrase representations using RNN encoder-decoder", EMNLP.\n'
        f"    {TALLEC}",
        CHRONO,
    )

    _cell = "gru"
    _parameter_constraints: dict = {
        **RecurrentForecaster._parameter_constraints,
        "chrono_t_max": T_MAX,
    }


class LSTMRegressor(RecurrentForecaster):
    __doc__ = describe(
        "LSTMRegressor",
        "Recurrent network of long short-term memory cells.",
        r"""
    .. math::

        i_t, f_t, o_t = \sigma(z_t W + h_{t-1} R + b), \qquad
        g_t = \tanh(z_t W_g + h_{t-1} R_g + b_g), \\
        c_t = f_t \circ c_{t-1} + i_t \circ g_t, \qquad h_t = o_t \circ \tanh(c_t)
""",
        'Hochreiter and Schmidhuber 1997, "Long short-term memory", Neural Computation 9,\n'
        '    1735-1780. Gers, Schraudolph and Schmidhuber 2002, "Learning precise timing with\n'
        '    LSTM recurrent networks", Journal of Machine Learning Research 3, 115-143.\n'
        f"    {TALLEC}",
        """    peepholes : bool, default=False
        Whether the gates see c too: i and f that of the step before, o the new one.
"""
        + CHRONO,
    )

    _cell = "lstm"
    _parameter_constraints: dict = {
        **RecurrentForecaster._parameter_constraints,
        "peepholes": ["boolean"],
        "chrono_t_max": T_MAX,
    }

    def __init__(
        self,
        input_lags=0,
        output_lags=1,
        hidden_layer_sizes=(16,),
        window=24,
        peepholes=False,
        chrono_t_max=None,
        loop="open",
        washout=0,
        linear_term=True,
        initial_state="zero",
        bidirectional=False,
        output_range=None,
        calendar=None,
        scale=True,
        solver="lbfgs",
        alpha="auto",
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
        super().__init__(
            input_lags=input_lags,
            output_lags=output_lags,
            hidden_layer_sizes=hidden_layer_sizes,
            window=window,
            chrono_t_max=chrono_t_max,
            loop=loop,
            washout=washout,
            linear_term=linear_term,
            initial_state=initial_state,
            bidirectional=bidirectional,
            output_range=output_range,
            calendar=calendar,
            scale=scale,
            solver=solver,
            alpha=alpha,
            l1_ratio=l1_ratio,
            linear_alpha=linear_alpha,
            dropout=dropout,
            dtype=dtype,
            max_iter=max_iter,
            tol=tol,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            n_restarts=n_restarts,
            combine=combine,
            n_members=n_members,
            warm_start=warm_start,
            random_state=random_state,
            n_jobs=n_jobs,
            verbose=verbose,
            callback=callback,
        )
        self.peepholes = peepholes

    @property
    def _peepholes(self):
        return self.peepholes
