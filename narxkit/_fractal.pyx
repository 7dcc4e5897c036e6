"""Kernels of the Hurst exponent: an exact Gaussian likelihood, ranges and detrended variances.

Design
------
A. n rows; s rows to a box, of which the first n // s are taken; what is left over is not used.
B. One scale to a call: the loop over scales is Python's, and costs nothing beside the rows.
C. Sums run lane by lane in `_fractal.h`, so that every machine gives the same bits.
D. Python checks, allocates and passes outputs and workspace last, marked OUT and WORK.
"""

from libc.math cimport NAN, log, sqrt

cdef extern from "_fractal.h" nogil:
    void nk_lattice(double c, double* a, double* b, Py_ssize_t n, const double* x,
                    const double* g, double* bx, double* bg)
    double nk_product(const double* x, const double* w, Py_ssize_t n)
    void nk_subtract(double c, const double* q, double* r, Py_ssize_t n)
    double nk_stray(const double* x, const double* y, double m, Py_ssize_t n, double* least,
                    double* largest)


def toeplitz_forms(const double[::1] x, const double[::1] gamma, double[:, ::1] work,
                   double[::1] forms):
    """x'G^-1 x, 1'G^-1 x, 1'G^-1 1 and log det G for the Toeplitz matrix G_ij = gamma_|i-j|.

    Durbin and Levinson's recursion predicts x_t from all rows before it,

        c = (gamma_t - sum_j phi_j gamma_{t-j}) / v,    v <- v (1 - c^2),
        phi_j <- phi_j - c phi_{t-j},                   phi_t = c,

    with v the variance of the error e_t. Then x'G^-1 x = sum e_t^2 / v_t and log det = sum log v_t.
    phi is kept in both orders, so that each step is one pass forwards; the sum of phi, which
    predicts the constant 1, moves on by itself. O(n^2) time, O(n) memory.

    gamma : (n + 1,); its last value is not used.
    work : WORK (2, n); forms : OUT (4,).
    """
    cdef Py_ssize_t n = len(x), t
    cdef double* a = &work[0, 0]          # phi_1 ... phi_t
    cdef double* b = &work[1, 0] + n      # phi_t ... phi_1, growing downwards
    cdef const double* g = &gamma[1]
    cdef double v = gamma[0], total = 0.0, predicted = 0.0, explained = 0.0, c, e, one
    cdef double xx = x[0] * x[0] / v, x1 = x[0] / v, ones = 1.0 / v, log_det = log(v)
    with nogil:
        for t in range(1, n):
            c = (gamma[t] - explained) / v
            v *= 1.0 - c * c
            nk_lattice(c, a, b, t - 1, &x[1], g + 1, &predicted, &explained)
            a[t - 1] = c
            b -= 1
            b[0] = c
            total += c * (1.0 - total)
            predicted += c * x[0]
            explained += c * g[0]
            e, one = x[t] - predicted, 1.0 - total
            xx += e * e / v
            x1 += e * one / v
            ones += one * one / v
            log_det += log(v)
    forms[0], forms[1], forms[2], forms[3] = xx, x1, ones, log_det


def rescaled_range(const double[::1] x, const double[::1] path, Py_ssize_t s):
    """Mean over boxes of the range of the path from its chord, by the standard deviation of x.

    path : (n + 1,), sums of x from 0. Boxes in which x is constant are left out; NaN without any.
    """
    cdef Py_ssize_t box, start, n_boxes = 0
    cdef double mean, low, high, square, total = 0.0
    with nogil:
        for box in range(len(x) // s):
            start = box * s
            mean = (path[start + s] - path[start]) / s
            square = nk_stray(&x[start], &path[start], mean, s, &low, &high)
            if square > 0.0:
                total += (high - low) / sqrt(square / s)
                n_boxes += 1
    return total / n_boxes if n_boxes else NAN


def detrended_variance(const double[::1] path, const double[:, ::1] basis, double[::1] box):
    """Mean square of what is left of a path when its trend is taken away box by box.

    basis : (order + 1, s), orthonormal polynomials; box : WORK (s,).
    """
    cdef Py_ssize_t s = basis.shape[1], n_boxes = len(path) // s, k, start, i, j
    cdef double total = 0.0
    with nogil:
        for k in range(n_boxes):
            start = k * s
            for i in range(s):
                box[i] = path[start + i] - path[start]
            for j in range(basis.shape[0]):
                nk_subtract(nk_product(&box[0], &basis[j, 0], s), &basis[j, 0], &box[0], s)
            total += nk_product(&box[0], &box[0], s)
    return total / (n_boxes * s)
