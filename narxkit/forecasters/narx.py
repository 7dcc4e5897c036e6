"""NARX and TDNN: multilayer perceptrons over lagged values, trained by any solver."""

from numbers import Integral, Real

from sklearn.utils._param_validation import Interval, StrOptions

from narxkit.forecasters.network import NetworkForecaster
from narxkit.forecasters.scaled import TapWeights
from narxkit.networks import ACTIVATIONS
from narxkit.networks.tapped_mlp import shared_mlp


class _TappedNetwork(TapWeights, NetworkForecaster):
    """Base class of NARX and TDNN: a multilayer perceptron over taps."""

    _parameter_constraints: dict = {
        **NetworkForecaster._parameter_constraints,
        "hidden_layer_sizes": ["array-like", Interval(Integral, 0, None, closed="left")],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "linear_term": ["boolean"],
    }

    def _tapped_mlp(self, taps):
        return shared_mlp(taps, self._read_sizes(), self.activation, self.linear_term)


class NARX(_TappedNetwork):
    r"""Nonlinear autoregressive network with exogenous inputs.

    .. math::

        \hat y_t = f(y_{t-1}, \dots, y_{t-K}, u_t, \dots, u_{t-L}; \theta)

    with f a multilayer perceptron, by default beside a linear term. Predictions feed back the
    network's own output (closed loop, parallel). Training minimises the squared error of one-step
    predictions from measured history (open loop, series-parallel), or of rollouts of k steps or as
    long as the data allow on its own output: what is trained is then what is deployed.

    Parameters
    ----------
    input_lags : int, sequence of int or dict, default=2
        L means lags 0..L; a sequence means exactly those lags, negative ones are leads, and a pair
        (first, last) in it the mean over these lags, as one tap. A dict gives each column of X its
        own (``[]`` leaves one out).
    output_lags : int or sequence of int, default=2
        K means lags 1..K; a sequence means exactly those lags, and a pair (first, last) in it the
        mean over these lags: ``[1, 2, (1, 24)]`` reads two outputs and the mean of the last 24,
        ``(1, 24)`` just the lags 1 and 24.
    hidden_layer_sizes : array-like of int, default=(10,)
        Widths of the hidden layers; ``()`` gives a linear model.
    activation : {"identity", "tanh", "logistic", "relu", "softplus"}, default="tanh"
        Activation of the hidden layers.
    loop : {"open", "closed"}, int or a sequence of them, default="open"
        Rollout length that training minimises: one step from measured history, as long as the data
        allow, or k steps from every few rows (7 for k = 24). Training over longer rollouts begins
        in open loop and goes on from there; a sequence such as (5, 20, "closed") names stages on
        the way, the last is what is wanted.
    washout : int, default=0
        First steps of each rollout that are run and have no weight in the loss, of training rows
        and of held-out ones: what noise in the measured history does to them is not for the
        weights to mend. Less than k; shorter rollouts on the way to longer ones have none. In open
        loop, where all of the history is measured, it means nothing; in closed loop rollouts that
        are no longer are left out.
    linear_term : bool, default=True
        A direct path from the taps to the output, started from the least-squares ARX fit: the
        network learns what the linear model misses, and extrapolates like it.
    output_range : tuple (low, high), default=None
        Bounds of the output in y's units, each a number (one per output), a column name of X
        (an input only if a dict `input_lags` names it) or None. Outputs are clipped, before any is
        fed back.
    calendar : sequence, dict or None, default=None
        Fields of the time stamps that are read as inputs, known ahead from the clock alone, each at
        its own row: "minute" (of the hour), "hour" (the time of the day), "day_of_week", "week",
        "day_of_year" and "month" (of the year), "weekend" and "holiday", such as ``["hour",
        "day_of_week", {"holiday": "DE"}]``. A dict gives a field a number of harmonics, or
        "spline"; and holidays their country, or ``("DE", "BY")`` with a region.
    scale : bool, default=True
        Whether X is standardised inside; y always is.
    solver : str or Solver, default="lm"
        Training algorithm: "lm" (Levenberg-Marquardt), "br" (the same with Bayesian
        regularisation, which finds the penalty itself), "lbfgs", "tnc" (truncated Newton), "cg"
        (conjugate gradients), "irprop+", "adam", "rmsprop", "sgd"; "ga" (genetic algorithm),
        "cmaes" and "annealing", which move many networks at once, in the threads that `n_restarts`
        leave of `n_jobs`, and polish the best; or an object of `narxkit.solvers` with parameters of
        its own, such as ``CMAES(loss=cost)`` with a loss of your own.
    alpha : float or "auto", default="auto"
        L2 penalty of the weights w of the layers: the loss is
        :math:`(SSE + \alpha |w|^2 + \alpha_v |v|^2) / (2 n)` in standardised units, with v and
        :math:`\alpha_v` of `linear_alpha`; intercepts and all else of the linear term are free.
        "auto" tries penalties one step ahead, whatever `loop` is, judges them by free runs through
        blocks at the end of the training rows, and switches the network off where it does no better
        there, beyond chance, than the linear model that it stands beside. Without a linear term
        nothing can be switched off: the penalty is then the error variance, where no other does
        better. Bayesian regularisation finds its penalties by itself, and begins with those given.
    linear_alpha : "auto" or float, default="auto"
        L2 penalty of the weights that lead the outputs fed back straight to the outputs, with
        hidden layers beside them and without. "auto" takes the larger of :math:`10 \sigma^2`, with
        :math:`\sigma^2` the variance of the errors of one step (of the linear model, or what a
        network that was chosen leaves of it), and what n targets cost that are read with such
        errors (at most of variance 1e-4), :math:`n \sigma^2`, since in a free run they are; and 0
        where free runs through blocks of the training rows are better without, by more than chance.
    max_iter : int, default=200
        Largest number of iterations.
    tol : float, default=1e-7
        Training ends when the loss decreases by less than this fraction three times running.
    early_stopping : bool, default=False
        Whether the last `validation_fraction` of each segment is held out, and training ends
        when its loss has not improved for `n_iter_no_change` iterations and the training loss no
        longer falls by a tenth over as many; the best weights are kept.
    validation_fraction : float, default=0.1
        Part of each segment, at its end, that is held out.
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
        Whether ``fit`` goes on from the weights of the last fit, with its scales and penalties;
        where the network was switched off, everything begins anew.
    random_state : int, RandomState or None, default=None
        Seed of the initial weights.
    n_jobs : int or None, default=None
        Threads for restarts; the result does not depend on it.
    verbose : bool or int, default=False
        Whether to show a progress line, and in the end what passes the hidden layers, if anything.
    callback : callable, default=None
        ``callback(iteration)`` is called after each iteration with one `narxkit.solvers.Iteration`
        (fields ``n_iter``, ``loss``, ``validation_loss``, ``theta``); True ends training. While
        penalties are chosen it is not called; Ctrl-C ends that too.

    Attributes
    ----------
    theta_ : ndarray of shape (n_params_,)
        Parameters, in standardised units.
    structure_ : TappedMLP
        What explains them.
    members_ : list of ndarray of shape (n_params_,)
        Parameters of the best `n_members` restarts, the best first, without those that diverge.
    coefs_, intercepts_ : list of ndarray
        Weights and intercepts of each layer.
    linear_coef_ : ndarray of shape (n_taps, n_outputs) or None
        Weights of the linear term.
    n_params_ : int
        Number of parameters.
    max_lag_ : int
        Rows of history that a prediction needs.
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
        The penalty taken: as given, chosen, or found by "br"; inf where ``alpha="auto"`` switched
        the network off: what is left is the model of ``hidden_layer_sizes=()``.
    linear_alpha_ : float
        The penalty of the linear feedback taken.
    hidden_share_ : float
        Share of the variance of the output, along the training rollouts, that passes the hidden
        layers and no linear function of the taps gives; of several members or outputs the largest.
    is_linear_ : bool
        Whether nothing passes the hidden layers: a share of at most 1e-12, which rounding leaves.
        Where a penalty given does that, fit warns.
    n_effective_params_ : float or None
        Parameters that the data determine and the penalty does not; None for solvers that build no
        normal equations, and after Ctrl-C.
    loop_gain_ : float
        The largest growth per step of a small perturbation of the fed-back output along the
        training rollouts, with a warning from 1.01 on; see Notes.
    n_dropped_ : int
        Rows with enough history that were left out of training because of missing values.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, when X has any.

    See Also
    --------
    TDNN : The same without feedback.
    narxkit.model_selection.backtest : Forecasts from many origins.
    narxkit.model_selection.simulation_scorer : A score with a washout of the same meaning.

    Notes
    -----
    Clock. A DatetimeIndex or PeriodIndex, of X or else of y, tells which row follows which: a jump
    of it ends a segment that no lag crosses, and ``predict`` refuses rows that do not follow the
    last one seen. A ``freq`` says exactly which row follows. Time zones and daylight saving are
    understood; weekends and holidays of trading days, and the nights of trading and working hours,
    are no jump. Dates in an index of another kind (objects, Arrow, text of ISO 8601) and elapsed
    times are a clock too. Rows without a clock are taken to follow, and plain numbers must be in
    order; labels of X, y, weights and segments must agree.

    Missing values (NaN). In training a missing output costs its own row as a target and, like a
    missing input, the rows that need it (`n_dropped_`). Before a forecast a missing output is
    replaced by the model's one-step prediction; a missing input gives NaN from there on.

    Several series. A MultiIndex (series, time) holds one series under each key; each has its own
    clock and state. Several recordings of one system may also be told apart by `segments`.

    Known ahead. Every column of X counts as known for all rows it is asked for. One that is not
    needs lags of at least the number of steps, or belongs into y.

    Calendar. Fields are read from the wall clock of the index, in the time zone of the rows of
    ``fit``: those of data in UTC turn with the people of a place after
    ``index.tz_convert("Europe/Berlin")``. They are columns behind those of X with the lag 0 alone,
    whatever `input_lags` says. Of k harmonics, ``hour_sin, hour_cos, hour_sin2, ...``, there are as
    many as the values of the training rows can tell apart, by default at most 6 of "minute" and
    "hour" and 3 of the others, or a level for each row where at most 12 make a cycle, as months
    make a year. "spline" gives a level at up to 12 places of the cycle and curves between them.
    Holidays come from the optional package ``holidays``, installed by
    ``pip install 'narxkit[holidays]'``. A field that changes within a step of the clock is refused,
    and so are rows without time stamps, or with a time zone where those of ``fit`` have none.

    Stability. A small perturbation d of the last K outputs follows the tangent of the loop,

    .. math::

        d_t = \sum_k \frac{\partial \hat y_t}{\partial y_{t-k}} \, d_{t-k}, \qquad
        g = \Big( \frac{\lVert (d_n, \dots, d_{n-K+1}) \rVert}
        {\lVert (d_0, \dots, d_{1-K}) \rVert} \Big)^{1/n}

    in standardised units, along the rollouts of the last stage of training one after another; in
    open loop along the measured rows. `loop_gain_` is the largest g over the segments (those of
    less than 1000 steps are joined) and over the members that predict: the exponential of the
    largest Lyapunov exponent, for a linear model the modulus of its largest pole. Below 1 an error
    is forgotten; above 1 it grows until the network bends it back or the rollout diverges, which
    only a chaotic system should do. Where `output_range` clips all K outputs nothing is left of a
    perturbation, and the gain is 0. Below 1.01 fit is silent: there a unit root and chance lie.

    Pipelines. Inputs and outputs are standardised inside, so that no scaler is needed; one that
    is there needs ``set_output(transform="pandas")`` to keep names and clock. ``backtest`` takes
    whole pipelines, ``forecast`` the transformed X: ``p[-1].forecast(X=p[:-1].transform(X))``.

    References
    ----------
    Lin, Horne, Tino and Giles 1996, "Learning long-term dependencies in NARX recurrent neural
    networks", IEEE Transactions on Neural Networks 7, 1329-1338. Narendra and Parthasarathy 1990,
    IEEE Transactions on Neural Networks 1, 4-27.

    Examples
    --------
    >>> from narxkit import NARX
    >>> from narxkit.datasets import make_narendra
    >>> X, y = make_narendra(600, random_state=0)
    >>> model = NARX(input_lags=[1], output_lags=1, random_state=0).fit(X[:500], y[:500])
    >>> bool(abs(model.predict(X[500:]) - y[500:]).max() < 0.05)
    True

    A week, known ahead from the clock:

    >>> import pandas as pd
    >>> days = pd.date_range("2024-01-01", periods=67)
    >>> y = pd.Series(1.0 * (days.day_of_week >= 5), days)
    >>> model = NARX(hidden_layer_sizes=(), calendar=["day_of_week"]).fit(None, y)
    >>> model.forecast(3).round().abs()
    2024-03-08    0.0
    2024-03-09    1.0
    2024-03-10    1.0
    Freq: D, dtype: float64
    """

    _parameter_constraints: dict = {
        "input_lags": "no_validation",
        "output_lags": "no_validation",
        "loop": "no_validation",
        "washout": [Interval(Integral, 0, None, closed="left")],
        "linear_alpha": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"})],
        "output_range": "no_validation",
        "calendar": "no_validation",
        **_TappedNetwork._parameter_constraints,
    }

    def __init__(
        self,
        input_lags=2,
        output_lags=2,
        hidden_layer_sizes=(10,),
        activation="tanh",
        loop="open",
        washout=0,
        linear_term=True,
        output_range=None,
        calendar=None,
        scale=True,
        solver="lm",
        alpha="auto",
        linear_alpha="auto",
        max_iter=200,
        tol=1e-7,
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
        self.activation = activation
        self.loop = loop
        self.washout = washout
        self.linear_term = linear_term
        self.output_range = output_range
        self.calendar = calendar
        self.scale = scale
        self.solver = solver
        self.alpha = alpha
        self.linear_alpha = linear_alpha
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
        return self._tapped_mlp(self._read_taps(columns, n_outputs))


class TDNN(_TappedNetwork):
    r"""Time-delay neural network: a NARX without feedback.

    .. math::

        \hat y_t = f(u_t, \dots, u_{t-L}; \theta)

    Parameters
    ----------
    input_lags : int, sequence of int or dict, default=2
        L means lags 0..L; a sequence means exactly those lags, negative ones are leads, and a pair
        (first, last) in it the mean over these lags, as one tap. A dict gives each column of X its
        own (``[]`` leaves one out).
    hidden_layer_sizes : array-like of int, default=(10,)
        Widths of the hidden layers; ``()`` gives a linear model.
    activation : {"identity", "tanh", "logistic", "relu", "softplus"}, default="tanh"
        Activation of the hidden layers.
    linear_term : bool, default=True
        A direct path from the taps to the output, started from the least-squares ARX fit: the
        network learns what the linear model misses, and extrapolates like it.
    output_range : tuple (low, high), default=None
        Bounds of the output in y's units, each a number (one per output), a column name of X
        (an input only if a dict `input_lags` names it) or None. Outputs are clipped, before any is
        fed back.
    calendar : sequence, dict or None, default=None
        Fields of the time stamps that are read as inputs, known ahead from the clock alone, each at
        its own row: "minute" (of the hour), "hour" (the time of the day), "day_of_week", "week",
        "day_of_year" and "month" (of the year), "weekend" and "holiday", such as ``["hour",
        "day_of_week", {"holiday": "DE"}]``. A dict gives a field a number of harmonics, or
        "spline"; and holidays their country, or ``("DE", "BY")`` with a region.
    scale : bool, default=True
        Whether X is standardised inside; y always is.
    solver : str or Solver, default="lm"
        Training algorithm: "lm" (Levenberg-Marquardt), "br" (the same with Bayesian
        regularisation, which finds the penalty itself), "lbfgs", "tnc" (truncated Newton), "cg"
        (conjugate gradients), "irprop+", "adam", "rmsprop", "sgd"; "ga" (genetic algorithm),
        "cmaes" and "annealing", which move many networks at once, in the threads that `n_restarts`
        leave of `n_jobs`, and polish the best; or an object of `narxkit.solvers` with parameters of
        its own, such as ``CMAES(loss=cost)`` with a loss of your own.
    alpha : float or "auto", default="auto"
        L2 penalty of the weights: the loss is (SSE + alpha |w|^2) / (2 n) in standardised units.
        Intercepts and the linear term are free. "auto" tries penalties on blocks at the end of the
        training rows, and switches the network off where it does no better there, beyond chance,
        than the linear model that it stands beside. Without a linear term nothing can be switched
        off: the penalty is then the error variance, where no other does better. Bayesian
        regularisation finds its penalties by itself, and begins with those given.
    max_iter : int, default=200
        Largest number of iterations.
    tol : float, default=1e-7
        Training ends when the loss decreases by less than this fraction three times running.
    early_stopping : bool, default=False
        Whether the last `validation_fraction` of each segment is held out, and training ends
        when its loss has not improved for `n_iter_no_change` iterations and the training loss no
        longer falls by a tenth over as many; the best weights are kept.
    validation_fraction : float, default=0.1
        Part of each segment, at its end, that is held out.
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
        Whether ``fit`` goes on from the weights of the last fit, with its scales and penalties;
        where the network was switched off, everything begins anew.
    random_state : int, RandomState or None, default=None
        Seed of the initial weights.
    n_jobs : int or None, default=None
        Threads for restarts; the result does not depend on it.
    verbose : bool or int, default=False
        Whether to show a progress line, and in the end what passes the hidden layers, if anything.
    callback : callable, default=None
        ``callback(iteration)`` is called after each iteration with one `narxkit.solvers.Iteration`
        (fields ``n_iter``, ``loss``, ``validation_loss``, ``theta``); True ends training. While
        penalties are chosen it is not called; Ctrl-C ends that too.

    Attributes
    ----------
    theta_ : ndarray of shape (n_params_,)
        Parameters, in standardised units.
    structure_ : TappedMLP
        What explains them.
    members_ : list of ndarray of shape (n_params_,)
        Parameters of the best `n_members` restarts, the best first, without those that diverge.
    coefs_, intercepts_ : list of ndarray
        Weights and intercepts of each layer.
    linear_coef_ : ndarray of shape (n_taps, n_outputs) or None
        Weights of the linear term.
    n_params_ : int
        Number of parameters.
    max_lag_ : int
        Rows of history that a prediction needs.
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
        The penalty taken: as given, chosen, or found by "br"; inf where ``alpha="auto"`` switched
        the network off: what is left is the model of ``hidden_layer_sizes=()``.
    hidden_share_ : float
        Share of the variance of the output, along the training rollouts, that passes the hidden
        layers and no linear function of the taps gives; of several members or outputs the largest.
    is_linear_ : bool
        Whether nothing passes the hidden layers: a share of at most 1e-12, which rounding leaves.
        Where a penalty given does that, fit warns.
    n_effective_params_ : float or None
        Parameters that the data determine and the penalty does not; None for solvers that build no
        normal equations, and after Ctrl-C.
    loop_gain_ : float
        Growth of a perturbation of the fed-back output: 0, since there is none.
    n_dropped_ : int
        Rows with enough history that were left out of training because of missing values.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names, when X has any.

    See Also
    --------
    NARX : With feedback of the output; it explains the parameters and attributes at length.

    References
    ----------
    Waibel, Hanazawa, Hinton, Shikano and Lang 1989, "Phoneme recognition using time-delay neural
    networks", IEEE Transactions on Acoustics, Speech, and Signal Processing 37, 328-339.

    Examples
    --------
    >>> import numpy as np
    >>> from narxkit import TDNN
    >>> u = np.random.default_rng(0).normal(size=300)
    >>> y = np.tanh(u[1:] + 0.5 * u[:-1])
    >>> model = TDNN(input_lags=1, random_state=0).fit(u[1:201, None], y[:200])
    >>> bool(model.score(u[201:, None], y[200:]) > 0.99)
    True
    """

    _parameter_constraints: dict = {
        "input_lags": "no_validation",
        "output_range": "no_validation",
        "calendar": "no_validation",
        **_TappedNetwork._parameter_constraints,
    }

    def __init__(
        self,
        input_lags=2,
        hidden_layer_sizes=(10,),
        activation="tanh",
        linear_term=True,
        output_range=None,
        calendar=None,
        scale=True,
        solver="lm",
        alpha="auto",
        max_iter=200,
        tol=1e-7,
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
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.linear_term = linear_term
        self.output_range = output_range
        self.calendar = calendar
        self.scale = scale
        self.solver = solver
        self.alpha = alpha
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
        taps = self._make_taps(columns, n_outputs)
        if not taps.n_taps:
            raise ValueError(
                "TDNN predicts from inputs alone, and there are none: give X with input_lags, or a "
                "calendar, or use NARX."
            )
        return self._tapped_mlp(taps)
