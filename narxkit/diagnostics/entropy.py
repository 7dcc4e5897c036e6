"""Entropy of a series: how evenly it uses the orders, or the frequencies, that it could use.

Both are 1 for white noise (nearly, see each) and smaller the more of a pattern there is. They
describe; whether a series differs from noise by more than chance, tests tell.
"""

from math import factorial, log

import numpy as np

from narxkit.diagnostics._embedding import delay_vectors
from narxkit.diagnostics.values import check_count, read_values

__all__ = ["permutation_entropy", "spectral_entropy"]


def permutation_entropy(y, order=3, delay=1):
    r"""Measure how evenly the orders of neighbouring values occur.

    .. math::

        H = -\frac{1}{\ln m!} \sum_\pi p_\pi \ln p_\pi

    with p_pi the share of windows of m values whose order is pi. Equal values count in the order
    of time.

    Parameters
    ----------
    y : array-like of shape (n,)
        A series.
    order : int, default=3
        m, at least 2; there are m! orders, so n should be far larger.
    delay : int, default=1
        Rows from one value of a window to the next.

    Returns
    -------
    float
        0 for a monotone series, and up to 1 where all orders occur alike.

    Raises
    ------
    ValueError
        When y cannot be read, or a number is out of range.

    See Also
    --------
    spectral_entropy : The same for frequencies.

    References
    ----------
    Bandt and Pompe 2002, "Permutation entropy: a natural complexity measure for time series",
    Physical Review Letters 88, 174102.

    Examples
    --------
    >>> from narxkit.diagnostics import permutation_entropy
    >>> round(permutation_entropy([4, 7, 9, 10, 6, 11, 3], order=3), 3)  # Bandt and Pompe: 1.52 bit
    0.589
    """
    check_count("order", order, 2)
    check_count("delay", delay, 1)
    values = read_values(y, (order - 1) * delay + 2, "y")
    orders = np.argsort(delay_vectors(values, order, delay), axis=1, kind="stable")
    _, counts = np.unique(orders @ order ** np.arange(order), return_counts=True)
    return _entropy(counts) / log(factorial(order))


def spectral_entropy(y):
    r"""Measure how evenly the variance is spread over the frequencies.

    .. math::

        H = -\frac{1}{\ln K} \sum_{k=1}^{K} p_k \ln p_k, \qquad
        p_k \propto \Big|\sum_t y_t e^{-2 \pi i k t / n}\Big|^2, \qquad K = \lfloor n / 2 \rfloor

    Parameters
    ----------
    y : array-like of shape (n,)
        A series.

    Returns
    -------
    float
        0 for a sine, about 1 - 0.42 / ln K for white noise: the periodogram scatters.

    Raises
    ------
    ValueError
        When y cannot be read.

    See Also
    --------
    permutation_entropy : The same for orders.

    References
    ----------
    Inouye, Shinosaki, Sakamoto, Toi, Ukai, Iyama, Katsuda and Hirano 1991, "Quantification of EEG
    irregularity by use of the entropy of the power spectrum", Electroencephalography and Clinical
    Neurophysiology 79, 204-210.

    Examples
    --------
    >>> import numpy as np
    >>> from narxkit.diagnostics import spectral_entropy
    >>> round(spectral_entropy(np.random.default_rng(0).normal(size=1000)), 2)
    0.93
    """
    values = read_values(y, 4, "y")
    power = np.abs(np.fft.rfft(values - values.mean())[1:]) ** 2
    return _entropy(power) / log(len(power))


def _entropy(weights):
    """Return Shannon's entropy of shares in proportion to the weights, in nats."""
    shares = weights[weights > 0] / weights.sum()
    return float(max(0.0, -(shares @ np.log(shares))))
