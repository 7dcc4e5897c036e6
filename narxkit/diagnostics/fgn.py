r"""Fractional Gaussian noise: increments of the one self-similar Gaussian process.

Fractional Brownian motion B is the Gaussian process with stationary increments whose variance over
k steps is k^{2H}; fractional Gaussian noise is x_t = B_t - B_{t-1}, with the autocovariance

    gamma(k) = (|k + 1|^{2H} - 2 |k|^{2H} + |k - 1|^{2H}) / 2

and the spectral density, up to a factor that does not matter here,

    f(l) = (1 - cos l) sum_j |l + 2 pi j|^{-2H-1}.

H = 1/2 is white noise. Above it gamma decays like k^{2H-2}, too slowly to be summed: persistence
without a scale. Below it steps tend to be undone.

Samples are exact: the covariance is embedded in a circulant matrix, whose eigenvalues, all of them
positive for every H, are one Fourier transform; a second transform colours white noise with their
roots. O(n log n).

Reference: Davies and Harte 1987, "Tests for Hurst effect", Biometrika 74, 95-101; Craigmile 2003,
"Simulating a class of stationary Gaussian processes using the Davies-Harte algorithm", Journal of
Time Series Analysis 24, 505-511, proves that the eigenvalues are positive.
"""

from numbers import Real

import numpy as np
from sklearn.utils import check_random_state

from .values import check_count

__all__ = ["make_fbm", "make_fgn"]


def make_fgn(n, hurst, *, n_series=None, random_state=None):
    r"""Draw fractional Gaussian noise, exactly.

    Its mean is 0, its variance 1 and its autocovariance

    .. math::

        \gamma(k) = \tfrac12 (|k + 1|^{2H} - 2 |k|^{2H} + |k - 1|^{2H})

    Parameters
    ----------
    n : int
        Length.
    hurst : float
        H, between 0 and 1.
    n_series : int, default=None
        How many independent series to draw; None draws one.
    random_state : int, RandomState instance or None, default=None
        Seed of the draw.

    Returns
    -------
    ndarray of shape (n,) or (n_series, n)
        The noise.

    Raises
    ------
    ValueError
        When an argument is out of its range.

    See Also
    --------
    make_fbm : Its running sum.
    hurst : The way back from a series to H.

    References
    ----------
    Davies and Harte 1987, "Tests for Hurst effect", Biometrika 74, 95-101.

    Examples
    --------
    >>> from narxkit.diagnostics import make_fgn
    >>> x = make_fgn(10_000, 0.8, random_state=0)
    >>> x.shape
    (10000,)
    """
    check_count("n", n)
    check_exponent(hurst)
    if n_series is not None:
        check_count("n_series", n_series)
    rng = check_random_state(random_state)
    m, shape = _next_fast(n), () if n_series is None else (n_series,)
    gamma = autocovariance(m, hurst)
    eigenvalues = np.fft.rfft(np.concatenate([gamma, gamma[-2:0:-1]])).real  # of 2 m rows
    noise = rng.standard_normal((*shape, 2 * m))
    # the transform of white noise is white: each of its values is scaled by a root
    spectrum = np.fft.rfft(noise) * np.sqrt(np.maximum(eigenvalues, 0.0))
    return np.fft.irfft(spectrum, 2 * m)[..., :n].copy()


def make_fbm(n, hurst, *, n_series=None, random_state=None):
    """Draw fractional Brownian motion at the times 1 ... n, exactly.

    The running sum of fractional Gaussian noise: Gaussian, from 0 at time 0, with the variance
    k^2H over any k steps.

    Parameters
    ----------
    n : int
        Length.
    hurst : float
        H, between 0 and 1.
    n_series : int, default=None
        How many independent series to draw; None draws one.
    random_state : int, RandomState instance or None, default=None
        Seed of the draw.

    Returns
    -------
    ndarray of shape (n,) or (n_series, n)
        The levels.

    Raises
    ------
    ValueError
        When an argument is out of its range.

    See Also
    --------
    make_fgn : Its increments.

    Examples
    --------
    >>> import numpy as np
    >>> from narxkit.diagnostics import make_fbm, make_fgn
    >>> levels = make_fbm(500, 0.3, random_state=0)
    >>> np.allclose(np.diff(levels), make_fgn(500, 0.3, random_state=0)[1:])
    True
    """
    return np.cumsum(make_fgn(n, hurst, n_series=n_series, random_state=random_state), axis=-1)


def autocovariance(n, hurst):
    """Return gamma(0) ... gamma(n).

    Written as k^2H ((1 + 1/k)^2H + (1 - 1/k)^2H - 2) / 2, by expm1 and log1p, it keeps ten digits
    at a lag of a million, where the differences of its definition keep four.
    """
    gamma = np.empty(n + 1)
    gamma[0] = 1.0
    if n:
        gamma[1] = 2.0 ** (2 * hurst - 1) - 1.0
        k = np.arange(2.0, n + 1)
        up, down = (np.expm1(2 * hurst * np.log1p(side / k)) for side in (1.0, -1.0))
        gamma[2:] = k ** (2 * hurst) * (up + down) / 2
    return gamma


def spectral_density(frequencies, hurst):
    """Return f at frequencies between 0 and pi: the sum over aliases is Hurwitz' zeta function."""
    from scipy.special import zeta

    # sum over k of |l + 2 pi k|^{-2H-1} is two zeta functions, of l and of 2 pi - l
    turn = frequencies / (2 * np.pi)
    aliases = zeta(2 * hurst + 1, turn) + zeta(2 * hurst + 1, 1.0 - turn)
    return 2.0 * np.sin(frequencies / 2) ** 2 * aliases


def fourier_frequencies(n):
    """Return 2 pi j / n for 1 <= j < n / 2."""
    return 2 * np.pi * np.arange(1, (n + 1) // 2) / n


def periodogram(x):
    """Return |sum_t x_t e^{-i l t}|^2 / n at the Fourier frequencies."""
    return np.abs(np.fft.rfft(x)[1 : (len(x) + 1) // 2]) ** 2 / len(x)


def check_exponent(hurst):
    """Refuse an exponent that is not between 0 and 1."""
    if not isinstance(hurst, Real) or not 0.0 < hurst < 1.0:
        raise ValueError(f"hurst must be a number between 0 and 1. Got {hurst!r} instead.")


def _next_fast(n):
    from scipy.fft import next_fast_len

    return next_fast_len(int(n), real=True)
