"""Simulated systems with known equations: what a model should find, it can be held against."""

import numpy as np
from sklearn.utils import check_random_state

from ._checks import check_integer, check_real

NARMA_DRAWS = 100


def make_narendra(n_samples=1000, *, amplitude=2.0, noise=0.0, random_state=None):
    """A first-order plant of Narendra and Parthasarathy under a uniform random input.

    ::

        s_t = s_{t-1} / (1 + s_{t-1}^2) + u_{t-1}^3,   s_0 = 0
        y_t = s_t + e_t

    u is uniform in [-amplitude, amplitude] and e is normal measurement noise. One output lag and
    input lag 1 describe it completely: ``output_lags=1, input_lags=[1]``.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of rows.
    amplitude : float, default=2.0
        Largest absolute value of the input.
    noise : float, default=0.0
        Standard deviation of e. The noise is not fed back: with it, a model trained one step ahead
        is biased, and one trained on its own output is not.
    random_state : int, RandomState instance or None, default=None
        Seed of input and noise; an int gives the same series each time.

    Returns
    -------
    X : ndarray of shape (n_samples, 1)
        The input u.
    y : ndarray of shape (n_samples,)
        The output.

    Raises
    ------
    ValueError
        If ``n_samples`` is below 1, ``amplitude`` is not positive or ``noise`` is negative.

    References
    ----------
    .. [1] K. S. Narendra and K. Parthasarathy, "Identification and control of dynamical systems
       using neural networks", IEEE Transactions on Neural Networks 1 (1), 4-27, 1990, example 3.

    Examples
    --------
    >>> from narxkit.datasets import make_narendra
    >>> X, y = make_narendra(500, random_state=0)
    >>> X.shape, y.shape
    ((500, 1), (500,))
    >>> abs(y[1:] - y[:-1] / (1 + y[:-1] ** 2) - X[:-1, 0] ** 3).max() < 1e-12
    np.True_
    """
    n_samples = check_integer("make_narendra", "n_samples", n_samples, 1)
    amplitude = check_real("make_narendra", "amplitude", amplitude, 0, open_low=True)
    noise = check_real("make_narendra", "noise", noise, 0)
    rng = check_random_state(random_state)

    u = rng.uniform(-amplitude, amplitude, n_samples)
    states = [0.0]
    for push in (u[:-1] ** 3).tolist():
        s = states[-1]
        states.append(s / (1 + s * s) + push)
    return u[:, None], np.array(states) + noise * rng.standard_normal(n_samples)


def make_mackey_glass(
    n_samples=1000,
    *,
    tau=17,
    step=0.1,
    keep_every=10,
    discard=1000,
    squash=False,
    random_state=None,
):
    """The chaotic series of Mackey and Glass, by Euler's method.

    ::

        y <- y + step (0.2 y_d / (1 + y_d^10) - 0.1 y),   y_d = y, tau time units ago

    The history before the start is 1.2 plus uniform noise in [-0.1, 0.1]. Every ``keep_every``-th
    step is kept, by default one value per time unit, and the first ``discard`` values are thrown
    away. tau = 17 is mildly chaotic, tau = 30 strongly; below about 16.8 the series is periodic.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of values returned.
    tau : float, default=17
        Delay in time units, a whole number of steps.
    step : float, default=0.1
        Length of Euler's step in time units.
    keep_every : int, default=10
        Steps from one value to the next.
    discard : int, default=1000
        Values thrown away before the first one returned.
    squash : bool, default=False
        Return tanh(y - 1), the form on which echo state networks are compared.
    random_state : int, RandomState instance or None, default=None
        Seed of the history; an int gives the same series each time.

    Returns
    -------
    ndarray of shape (n_samples,)
        The series; there is no input.

    Raises
    ------
    ValueError
        If a number is out of range, or ``tau`` is not a whole number of steps.

    References
    ----------
    .. [1] M. C. Mackey and L. Glass, "Oscillation and chaos in physiological control systems",
       Science 197, 287-289, 1977.
    .. [2] H. Jaeger, "The 'echo state' approach to analysing and training recurrent neural
       networks", GMD Report 148, 2001.

    Examples
    --------
    >>> from narxkit.datasets import make_mackey_glass
    >>> y = make_mackey_glass(2000, tau=17, random_state=0)
    >>> y.shape
    (2000,)
    >>> bool(0.2 < y.min() and y.max() < 1.4)
    True
    """
    n_samples = check_integer("make_mackey_glass", "n_samples", n_samples, 1)
    keep_every = check_integer("make_mackey_glass", "keep_every", keep_every, 1)
    discard = check_integer("make_mackey_glass", "discard", discard, 0)
    step = check_real("make_mackey_glass", "step", step, 0, 1, open_low=True)
    delay = _whole_steps(check_real("make_mackey_glass", "tau", tau, 0, open_low=True), step)

    rng = check_random_state(random_state)
    path = (1.2 + rng.uniform(-0.1, 0.1, delay + 1)).tolist()  # the last one is y at time 0
    for _ in range((discard + n_samples) * keep_every):
        y, delayed = path[-1], path[-1 - delay]
        path.append(y + step * (0.2 * delayed / (1 + delayed**10) - 0.1 * y))
    y = np.array(path[delay + keep_every :: keep_every][discard:])
    return np.tanh(y - 1) if squash else y


def _whole_steps(tau, step):
    delay = round(tau / step)
    if delay < 1 or abs(delay * step - tau) > 1e-9 * tau:
        raise ValueError(
            f"tau must be a whole number of steps, but {tau:g} is {tau / step:g} of {step:g}: "
            "change 'tau' or 'step' of make_mackey_glass."
        )
    return delay


def make_narma10(n_samples=1000, *, discard=50, random_state=None):
    """The tenth-order nonlinear moving-average benchmark NARMA-10.

    ::

        y_t = 0.3 y_{t-1} + 0.05 y_{t-1} (y_{t-1} + ... + y_{t-10}) + 1.5 u_{t-10} u_{t-1} + 0.1

    u is uniform in [0, 0.5]; the series starts at 0 and its first ``discard`` rows are thrown away.
    Output lags 1 to 10 and input lags 1 and 10 describe it completely:
    ``output_lags=10, input_lags=[1, 10]``.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of rows.
    discard : int, default=50
        Rows thrown away before the first one returned.
    random_state : int, RandomState instance or None, default=None
        Seed of the input; an int gives the same series each time.

    Returns
    -------
    X : ndarray of shape (n_samples, 1)
        The input u.
    y : ndarray of shape (n_samples,)
        The output.

    Raises
    ------
    ValueError
        If a number is out of range, or every draw of the input diverges (see Notes).

    Notes
    -----
    The system is stable only for most inputs: a run of large u drives y beyond recall. A series
    that leaves [0, 2] is therefore drawn anew from the same generator, at most 100 times.

    References
    ----------
    .. [1] A. F. Atiya and A. G. Parlos, "New results on recurrent network training: unifying the
       algorithms and accelerating convergence", IEEE Transactions on Neural Networks 11 (3),
       697-709, 2000.

    Examples
    --------
    >>> from narxkit.datasets import make_narma10
    >>> X, y = make_narma10(500, random_state=0)
    >>> X.shape, y.shape
    ((500, 1), (500,))
    """
    n_samples = check_integer("make_narma10", "n_samples", n_samples, 1)
    discard = check_integer("make_narma10", "discard", discard, 0)
    rng = check_random_state(random_state)
    for _ in range(NARMA_DRAWS):
        u = rng.uniform(0, 0.5, discard + n_samples)
        y = _narma10(u)
        if y is not None:
            return u[discard:, None], y[discard:]
    raise ValueError(
        f"NARMA-10 diverged in {NARMA_DRAWS} draws of {discard + n_samples} rows: "
        "lower 'n_samples' of make_narma10 and join several series with `segments`."
    )


def _narma10(u):
    """The output under the input u, or None where it leaves [0, 2]."""
    y = [0.0] * 10
    for push in (1.5 * u[:-10] * u[9:-1] + 0.1).tolist():
        y.append(0.3 * y[-1] + 0.05 * y[-1] * sum(y[-10:]) + push)
        if y[-1] > 2:
            return None
    return np.array(y[: len(u)])
