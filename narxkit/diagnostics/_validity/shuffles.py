"""Correlations of residuals with their past and with inputs, and the same of shuffled residuals.

If a model has learnt all there is, its residuals are alike and independent: any order of them is as
likely as the one that was seen. What a correlation is by chance is therefore known, exactly and
whatever their distribution, by residuals in random order (a permutation test).

Errors several steps ahead, and those of a free run, have a memory of their own that is no fault,
and a random order would not have it. What they have to do with the inputs by chance is shown by
series of the same autocorrelations, and what correlation they keep beyond the steps ahead by series
with those of the nearer lags alone.

Rows are laid out on a line on which every segment is followed by as many empty places as there are
lags, and a missing value is an empty place too. An empty place holds zero: it adds nothing to a sum
of products, so that no pair crosses a seam or uses what was not measured.
"""

import numpy as np

BLOCK = 100_000  # numbers of shuffled residuals at a time


class PaddedRows:
    """Rows laid out with room between segments.

    Parameters
    ----------
    e : ndarray of shape (n,)
        Residuals; NaN where missing.
    U : ndarray of shape (n, p)
        Inputs; NaN where missing.
    segment : ndarray of int, shape (n,)
        Number of the segment of each row, ascending.
    n_lags : int
        The largest lag.
    others : ndarray of shape (n, q), default=None
        Residuals of other outputs; NaN where missing.

    Attributes
    ----------
    has_square : ndarray of bool, shape (p,)
        Which inputs have squares that vary; those of two values as often as each other do not.
    has_strength : bool
        Whether the squares of the residuals vary.
    """

    def __init__(self, e, U, segment, n_lags, others=None):
        # n_lags empty places before each segment, the first too, so that t - k is never outside
        place = np.arange(len(e)) + n_lags * (1 + segment)
        is_known = np.isfinite(e)
        self.n_lags = n_lags
        self.at = place[is_known]
        self.e = _standardised(e[is_known, None])[:, 0]
        self.has_strength = bool(_standardised(self.e[:, None] ** 2).any())
        others = np.empty((len(e), 0)) if others is None else others
        # squares are about the mean of the column; NaN must not become the square of a mean
        squares = _standardised(_standardised(U, missing=np.nan) ** 2)
        self.has_square = squares.any(axis=0)
        columns = _standardised(U), squares[:, self.has_square], _standardised(others)
        self.u, u2, of_others = (_placed(column, place) for column in columns)
        self.lagged_u, self.lagged_u2 = map(self._lagged, (self.u, u2))
        self.lagged_others = self._lagged(of_others)[:, 1:].copy()
        # sums of products of ones count the pairs of each lag
        ones = self._laid_out(np.ones((1, len(self.e))))
        self.n_pairs = self._sums_of_pairs(ones, ones)[0]

    def correlations(self, E):
        """Return all correlations of B residual series.

        Parameters
        ----------
        E : ndarray of shape (B, n_known)
            Standardised residuals, or the same in another order.

        Returns
        -------
        dict of str to ndarray of shape (B, n_lags, n_columns)
            By the name of the test; from lag 0 with inputs alone, else from lag 1. Those of
            phi_ee have a column for the residuals' own past and one for each other output. A test
            of what does not vary is absent.
        """
        n, line = E.shape[1], self._laid_out(E)
        found = {"phi_ee": self._sums_of_pairs(line, line)[..., None] / n}
        if self.lagged_others.size:
            cross = self._with_inputs(E, self.lagged_others) / n
            found["phi_ee"] = np.concatenate([found["phi_ee"], cross], axis=2)
        if self.u.shape[1]:
            found["phi_ue"] = self._with_inputs(E, self.lagged_u) / n
            found["phi_e(eu)"] = self._with_products(line) / n
        if self.has_square.any():
            found["phi_u2e"] = self._with_inputs(E, self.lagged_u2) / n
        if self.has_strength:
            squares = E**2 - 1
            # a random order changes no mean, so that one scale does for all rows
            squares /= np.sqrt(np.mean(squares[0] ** 2))
            of_squares = self._laid_out(squares)
            found["phi_e2e2"] = self._sums_of_pairs(of_squares, of_squares)[..., None] / n
            if self.has_square.any():
                found["phi_u2e2"] = self._with_inputs(squares, self.lagged_u2) / n
        return found

    @property
    def memory(self):
        """The autocorrelations of the residuals, from lag 1 on."""
        line = self._laid_out(self.e[None])
        return self._sums_of_pairs(line, line)[0] / len(self.e)

    def by_chance(self, n_series, draw):
        """Yield correlations of drawn residuals, block by block; `draw` makes them of copies."""
        # in blocks, as all series of a long record with all lags would not fit into memory
        size = max(1, BLOCK // len(self.u))
        for start in range(0, n_series, size):
            n = min(size, n_series - start)
            yield self.correlations(draw(np.tile(self.e, (n, 1))))

    def _laid_out(self, E):
        line = np.zeros((len(E), len(self.u)))
        line[:, self.at] = E
        return line

    def _sums_of_pairs(self, a, b):
        """Return sums over t of a_t b_{t-k}, of shape (B, n_lags), k from 1."""
        # lags are few, and vecdot keeps no array of products
        lags = range(1, self.n_lags + 1)
        return np.stack([np.vecdot(a[:, k:], b[:, :-k]) for k in lags], axis=1)

    def _with_products(self, line):
        """Return sums over t of e_t (e u)_{t-k}, of shape (B, n_lags, p), k from 1."""
        return np.stack([self._sums_of_pairs(line, line * u) for u in self.u.T], axis=-1)

    def _lagged(self, u):
        """Return columns k rows before each known residual, (n_known, n_lags + 1, p)."""
        return np.stack([u[self.at - k] for k in range(self.n_lags + 1)], axis=1)

    def _with_inputs(self, E, lagged):
        """Return sums over t of e_t u_{t-k}, of shape (B, n_lags + 1, p), for the lags k given."""
        # one matrix product for all lags, columns and series
        return (E @ lagged.reshape(E.shape[1], -1)).reshape(len(E), *lagged.shape[1:])


def in_random_order(E, rng):
    """Shuffle residuals, which takes their memory."""
    return rng.permuted(E, axis=1)


def with_random_phases(E, rng):
    """Return residuals of the same autocorrelations that are independent of the inputs.

    The moduli of the Fourier transform are kept and its phases drawn (Theiler et al. 1992).
    """
    moduli = np.abs(np.fft.rfft(E))
    phases = np.exp(2j * np.pi * rng.random(moduli.shape))
    return _of_size_1(np.fft.irfft(moduli * phases, E.shape[1]))


def with_memory(E, rng, autocorrelations):
    """Return residuals in random order with the autocorrelations of the first lags alone."""
    n, k = E.shape[1], len(autocorrelations)
    # autocorrelations on a circle, zero beyond the lags given: their transform is the spectrum
    circle = np.r_[1.0, autocorrelations, np.zeros(n - 2 * k - 1), autocorrelations[::-1]]
    roots = np.sqrt(np.maximum(np.fft.rfft(circle).real, 0.0))  # an estimate may have no spectrum
    return _of_size_1(np.fft.irfft(roots * np.fft.rfft(in_random_order(E, rng)), n))


def _of_size_1(E):
    E = E - E.mean(axis=1, keepdims=True)
    return E / np.sqrt(np.mean(E**2, axis=1, keepdims=True))


def _placed(columns, place):
    """Place columns on the padded rows, 0 where these are empty."""
    line = np.zeros((place[-1] + 1, columns.shape[1]))
    line[place] = columns
    return line


def _standardised(values, missing=0.0):
    """Return columns of mean 0 and standard deviation 1; constant ones are 0."""
    size = np.nanmax(np.abs(values), axis=0, initial=0.0)
    values = values / np.where(size > 0, size, 1.0)  # so that no square is too large or too small
    centred = values - np.nanmean(values, axis=0)
    std = np.sqrt(np.nanmean(centred**2, axis=0))
    is_constant = std <= 1e-12
    scaled = centred / np.where(is_constant, 1.0, std)
    scaled[:, is_constant] *= 0
    return np.where(np.isnan(scaled), missing, scaled)
