"""Simulated systems with known equations: what a model should find, it can be held against."""

import numpy as np
from scipy.signal import lfilter
from sklearn.utils import check_random_state

from ._checks import check_integer, check_real

NARMA_DRAWS = 100


def make_narendra(n_samples=1000, *, amplitude=2.0, noise=0.0, random_state=None):
    """Simulate a first-order plant of Narendra and Parthasarathy under a uniform random input.

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
    """Simulate the chaotic series of Mackey and Glass by Euler's method.

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
    """Simulate the tenth-order nonlinear moving-average benchmark NARMA-10.

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
    """Return the output under the input u, or None where it leaves [0, 2]."""
    y = [0.0] * 10
    for push in (1.5 * u[:-10] * u[9:-1] + 0.1).tolist():
        y.append(0.3 * y[-1] + 0.05 * y[-1] * sum(y[-10:]) + push)
        if y[-1] > 2:
            return None
    return np.array(y[: len(u)])


def make_lorenz(
    n_samples=1000,
    *,
    sigma=10.0,
    rho=28.0,
    beta=8 / 3,
    step=0.01,
    keep_every=1,
    discard=1000,
    random_state=None,
):
    """Simulate the chaotic system of Lorenz (1963) by the classical Runge-Kutta method.

    ::

        dx/dt = sigma (y - x)
        dy/dt = x (rho - z) - y
        dz/dt = x y - beta z

    It starts at (1, 1, 1) plus uniform noise in [-0.1, 0.1] on each coordinate. Every
    ``keep_every``-th step is kept, by default one every 0.01 time units, and the first ``discard``
    values are thrown away. With the default sigma, rho and beta two neighbouring paths part by a
    factor e in about 1.1 time units.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of rows.
    sigma : float, default=10
        Prandtl number.
    rho : float, default=28
        Rayleigh number in units of its critical value.
    beta : float, default=8/3
        Shape of the convection cells.
    step : float, default=0.01
        Length of the Runge-Kutta step in time units, at most 0.05.
    keep_every : int, default=1
        Steps from one row to the next.
    discard : int, default=1000
        Rows thrown away before the first one returned.
    random_state : int, RandomState instance or None, default=None
        Seed of the start; an int gives the same series each time.

    Returns
    -------
    ndarray of shape (n_samples, 3)
        The coordinates x, y and z; there is no input. A scalar series is one column of it.

    Raises
    ------
    ValueError
        If a number is out of range, or the path diverges because ``step`` is too long.

    Notes
    -----
    Rounding errors grow as any others do: computed to another precision, the path is a different
    one after some 40 time units.

    References
    ----------
    .. [1] E. N. Lorenz, "Deterministic nonperiodic flow", Journal of the Atmospheric Sciences 20
       (2), 130-141, 1963.

    Examples
    --------
    >>> from narxkit.datasets import make_lorenz
    >>> path = make_lorenz(2000, random_state=0)
    >>> path.shape
    (2000, 3)
    >>> bool(abs(path[:, 0]).max() < 20 and path[:, 2].min() > 0)
    True
    """
    n_samples = check_integer("make_lorenz", "n_samples", n_samples, 1)
    sigma = check_real("make_lorenz", "sigma", sigma, 0, open_low=True)
    rho = check_real("make_lorenz", "rho", rho, 0, open_low=True)
    beta = check_real("make_lorenz", "beta", beta, 0, open_low=True)
    step = check_real("make_lorenz", "step", step, 0, 0.05, open_low=True)
    keep_every = check_integer("make_lorenz", "keep_every", keep_every, 1)
    discard = check_integer("make_lorenz", "discard", discard, 0)

    def slope(x, y, z):
        return sigma * (y - x), x * (rho - z) - y, x * y - beta * z

    rng = check_random_state(random_state)
    path = [tuple((1 + rng.uniform(-0.1, 0.1, 3)).tolist())]
    for _ in range((discard + n_samples) * keep_every):
        path.append(_runge_kutta(slope, path[-1], step))
    path = np.array(path[keep_every::keep_every][discard:])
    if not np.isfinite(path).all():
        raise ValueError(
            f"The Lorenz system diverged with steps of {step:g}: lower 'step' of make_lorenz."
        )
    return path


def _runge_kutta(slope, point, step):
    """Return the point one step later, by the classical method of fourth order."""
    x, y, z = point
    half, sixth = step / 2, step / 6
    ax, ay, az = slope(x, y, z)
    bx, by, bz = slope(x + half * ax, y + half * ay, z + half * az)
    cx, cy, cz = slope(x + half * bx, y + half * by, z + half * bz)
    dx, dy, dz = slope(x + step * cx, y + step * cy, z + step * cz)
    return (
        x + sixth * (ax + 2 * (bx + cx) + dx),
        y + sixth * (ay + 2 * (by + cy) + dy),
        z + sixth * (az + 2 * (bz + cz) + dz),
    )


def make_henon(n_samples=1000, *, a=1.4, b=0.3, noise=0.0, discard=100, random_state=None):
    """Simulate the chaotic map of Henon, as a series with two lags.

    ::

        s_t = 1 - a s_{t-1}^2 + b s_{t-2}
        y_t = s_t + e_t

    The first two values of s are uniform in [-0.1, 0.1], the first ``discard`` values are thrown
    away, and e is normal measurement noise. Output lags 1 and 2 describe it completely:
    ``output_lags=2``. The map's second coordinate is b s_{t-1}.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of values returned.
    a : float, default=1.4
        Strength of the quadratic term. With b = 0.3 the map diverges for a above about 1.43.
    b : float, default=0.3
        Contraction of areas, at most 1 in absolute value.
    noise : float, default=0.0
        Standard deviation of e, which is not fed back.
    discard : int, default=100
        Values thrown away before the first one returned.
    random_state : int, RandomState instance or None, default=None
        Seed of start and noise; an int gives the same series each time.

    Returns
    -------
    ndarray of shape (n_samples,)
        The series; there is no input.

    Raises
    ------
    ValueError
        If a number is out of range, or the map diverges with these ``a`` and ``b``.

    References
    ----------
    .. [1] M. Henon, "A two-dimensional mapping with a strange attractor", Communications in
       Mathematical Physics 50, 69-77, 1976.

    Examples
    --------
    >>> from narxkit.datasets import make_henon
    >>> y = make_henon(500, random_state=0)
    >>> y.shape
    (500,)
    >>> abs(y[2:] - 1 + 1.4 * y[1:-1] ** 2 - 0.3 * y[:-2]).max() < 1e-12
    np.True_
    """
    n_samples = check_integer("make_henon", "n_samples", n_samples, 1)
    a = check_real("make_henon", "a", a, 0, open_low=True)
    b = check_real("make_henon", "b", b, -1, 1)
    noise = check_real("make_henon", "noise", noise, 0)
    discard = check_integer("make_henon", "discard", discard, 0)
    rng = check_random_state(random_state)

    states = rng.uniform(-0.1, 0.1, 2).tolist()
    for _ in range(discard + n_samples - 2):
        states.append(1 - a * states[-1] * states[-1] + b * states[-2])
    states = np.array(states[: discard + n_samples][discard:])
    if not np.isfinite(states).all():
        raise ValueError(
            f"The Henon map diverged with a = {a:g} and b = {b:g}: lower 'a' of make_henon."
        )
    return states + noise * rng.standard_normal(n_samples)


def make_wiener_hammerstein(n_samples=1000, *, amplitude=3.0, noise=0.0, random_state=None):
    """Simulate a linear filter, a saturation and a second linear filter in a row.

    ::

        v_t = 1.2 v_{t-1} - 0.52 v_{t-2} + 0.32 u_{t-1}
        w_t = tanh(v_t)
        s_t = 0.8 s_{t-1} + 0.2 w_{t-1}
        y_t = s_t + e_t

    u is uniform in [-amplitude, amplitude] and e is normal measurement noise; v and s start at 0.
    The first filter has poles 0.6 +- 0.4i, and both have gain 1 at frequency zero: a constant input
    u leads to tanh(u). Without noise tanh can be inverted, and output lags 1 to 3 and input lag 2
    describe the system completely: ``output_lags=3, input_lags=[2]``.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of rows.
    amplitude : float, default=3.0
        Largest absolute value of the input. The larger, the more it saturates.
    noise : float, default=0.0
        Standard deviation of e, which is not fed back.
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

    Notes
    -----
    The structure is the textbook's; the filters and the saturation are our own choice and not those
    of the measured Wiener-Hammerstein benchmarks.

    References
    ----------
    .. [1] M. Schoukens and K. Tiels, "Identification of block-oriented nonlinear systems starting
       from linear approximations: a survey", Automatica, 2017,
       https://doi.org/10.1016/j.automatica.2017.06.044.

    Examples
    --------
    >>> from narxkit.datasets import make_wiener_hammerstein
    >>> X, y = make_wiener_hammerstein(500, random_state=0)
    >>> X.shape, y.shape
    ((500, 1), (500,))
    >>> bool(abs(y).max() < 1)
    True
    """
    owner = "make_wiener_hammerstein"
    n_samples = check_integer(owner, "n_samples", n_samples, 1)
    amplitude = check_real(owner, "amplitude", amplitude, 0, open_low=True)
    noise = check_real(owner, "noise", noise, 0)
    rng = check_random_state(random_state)

    u = rng.uniform(-amplitude, amplitude, n_samples)
    v = lfilter([0, 0.32], [1, -1.2, 0.52], u)
    s = lfilter([0, 0.2], [1, -0.8], np.tanh(v))
    return u[:, None], s + noise * rng.standard_normal(n_samples)
