"""Kernels of the tapped multilayer perceptron.

    a_0 = z_t,    a_l = f(a_{l-1} W_l + b_l),    y_hat_t = a_{L-1} W_L + b_L + z_t V

with y_hat_t clipped to [low_t, high_t] where there are bounds.

Design
------
A. One alphabet.  n rows, m inputs, p outputs, T taps, L layers of weights, P parameters,
   K rows of history, B rows or trajectories worked on together, S steps.
B. Parameters are one flat vector: W_1, b_1, ..., W_L, b_L, V, each in C order with the shapes of
   scikit-learn's MLP; V (T, p) is the linear term.  `Plan` knows the offsets.
C. Many rows or trajectories go through BLAS, block by block; a single trajectory, which time
   makes sequential, goes through hand-written loops over weights padded to whole vectors.
   Blocks depend on the shapes alone, so the same call gives the same bits.
D. Only where the output taps read from differs: the measured y in open loop, the trajectory's
   own path in a rollout.  `gather` takes the address of "row t" and never knows.  A tap may be
   the mean over some rows, always added from the newest to the oldest, so that a mean is the same
   number in every kernel.
E. Python checks, allocates and passes outputs last; they are marked OUT.  Inside there is no
   Python object, no allocation, no lock: kernels may run in several threads on one `Plan`.
F. Training on rollouts differentiates along the path: forwards for J'J (sensitivities), backwards
   for the gradient (through time).  Both take the rows of all rollouts one after another.
G. Long kernels look at `stop` once per block and return early when it is set.
"""

import numpy as np

from libc.math cimport INFINITY, NAN, exp, fabs, isnan, log, sqrt
from cpython.pyport cimport PY_SSIZE_T_MAX
from libc.string cimport memcpy, memmove, memset
from scipy.linalg.cython_blas cimport dgemm, dgemv, dsyrk

cdef extern from "_simd.h" nogil:
    const int NK_LANES
    void nk_activate(int f, double* x, Py_ssize_t n)
    void nk_chain(int f, const double* a, double* g, Py_ssize_t n)
    void nk_layer(int f, const double* x, Py_ssize_t n, const double* W, const double* b,
                  double* z, Py_ssize_t units, Py_ssize_t width)
    double nk_output(double bias, const double* z, const double* v, Py_ssize_t taps,
                     const double* x, const double* w, Py_ssize_t n)
    void nk_outer(const double* x, Py_ssize_t n, const double* d, Py_ssize_t m, double* J)
    void nk_combine(const double* c, const Py_ssize_t* offset, Py_ssize_t n, const double* S,
                    double* out, Py_ssize_t m)
    void nk_dots(const double* W, Py_ssize_t n, Py_ssize_t width, const double* d, double* out)

ACTIVATIONS = {"identity": 0, "tanh": 1, "logistic": 2, "relu": 3, "softplus": 4}
DIVERGED = 1e3          # standard deviations: a rollout that leaves them has diverged
FEW = NK_LANES          # trajectories from which on they take each step together, through BLAS

cdef enum:
    BLOCK = 256         # rows or trajectories worked on together
    MAX_LAYERS = 32

cdef double LIMIT = DIVERGED


cdef struct Net:
    int f                       # activation
    int L                       # layers of weights
    int T                       # taps
    int p                       # outputs
    int m                       # inputs
    int n_y                     # output taps, first in the lagged vector
    int width                   # widest hidden layer
    int hidden                  # sum of the hidden layers
    Py_ssize_t P                # parameters
    Py_ssize_t V                # offset of the linear term, -1 if there is none
    int size[MAX_LAYERS + 1]    # T, hidden layers, p
    Py_ssize_t W[MAX_LAYERS]    # offset of each layer's weights
    Py_ssize_t b[MAX_LAYERS]    # offset of each layer's intercepts
    const Py_ssize_t* tap       # offset of each tap's newest row from "row t" of its array
    const Py_ssize_t* first     # lag of that row
    const Py_ssize_t* span      # rows of each tap, of which it is the mean
    const Py_ssize_t* mean      # the taps of more than one row
    int n_means                 # their number
    int n_fed                   # outputs, each at one lag, that output taps are made of
    const Py_ssize_t* fed       # of each row of each output tap: which of them it is
    const Py_ssize_t* lag       # of each of them
    const Py_ssize_t* column    # of each of them
    int K                       # largest lag of an output


def _as_array(numbers):
    """Integers and a last 0, so that there is always a first."""
    return np.array([*numbers, 0], dtype=np.intp)


cdef class Plan:
    """What the kernels must know of a network: sizes, offsets into theta, taps.

    Parameters
    ----------
    sizes : tuple of int
        Taps, hidden layers, outputs.
    activation : str
        A key of `ACTIVATIONS`.
    linear : bool
        Whether taps reach the output directly as well.
    outputs, inputs : tuple of (int, int, int)
        (column, first lag, last lag) of each output tap and of each input tap.
    n_inputs : int
        Columns of u.
    """

    cdef Net net
    cdef Py_ssize_t[::1] _tap, _first, _span, _mean, _fed, _lag, _column
    cdef readonly tuple args
    cdef readonly Py_ssize_t history, lead

    def __init__(self, sizes, activation, linear, outputs, inputs, n_inputs):
        cdef Net* net = &self.net
        cdef Py_ssize_t at = 0
        cdef int l
        if len(sizes) > MAX_LAYERS + 1:
            raise ValueError(f"at most {MAX_LAYERS - 1} hidden layers are supported.")
        self.args = (sizes, activation, linear, outputs, inputs, n_inputs)
        net.f = ACTIVATIONS[activation]
        net.L = len(sizes) - 1
        net.T, *hidden, net.p = sizes
        net.m, net.n_y = n_inputs, len(outputs)
        net.width, net.hidden = max(hidden, default=0), sum(hidden)
        for l in range(net.L + 1):
            net.size[l] = sizes[l]
        for l in range(net.L):
            net.W[l] = at
            net.b[l] = at + <Py_ssize_t>net.size[l] * net.size[l + 1]
            at = net.b[l] + net.size[l + 1]
        net.V = at if linear else -1
        net.P = at + net.T * net.p if linear else at
        taps = [j - first * net.p for j, first, _ in outputs]
        self._tap = _as_array(taps + [i - first * net.m for i, first, _ in inputs])
        self._first = _as_array([first for _, first, _ in outputs + inputs])
        self._span = _as_array([last - first + 1 for _, first, last in outputs + inputs])
        self._mean = _as_array([k for k in range(net.T) if self._span[k] > 1])
        rows = [(j, lag) for j, first, last in outputs for lag in range(first, last + 1)]
        fed = {row: f for f, row in enumerate(dict.fromkeys(rows))}
        self._fed = _as_array([fed[row] for row in rows])
        self._lag = _as_array([lag for _, lag in fed])
        self._column = _as_array([j for j, _ in fed])
        net.tap, net.first, net.span = &self._tap[0], &self._first[0], &self._span[0]
        net.mean, net.n_means = &self._mean[0], <int>len(self._mean) - 1
        net.fed, net.n_fed = &self._fed[0], len(fed)
        net.lag, net.column = &self._lag[0], &self._column[0]
        net.K = max([0] + [lag for _, lag in fed])
        self.history = max([0] + [last for _, _, last in outputs + inputs])
        self.lead = max([0] + [-first for _, first, _ in inputs])

    def __reduce__(self):
        return Plan, self.args

    @property
    def n_params(self):
        return self.net.P


cdef class Measured:
    """Inputs u (n, m), outputs y (n, p) and their bounds (n, p) or None, as kernels read them."""

    cdef const double[:, ::1] _u, _y, _low, _high       # keep the memory alive
    cdef const double* u
    cdef const double* y
    cdef const double* low
    cdef const double* high
    cdef readonly Py_ssize_t n

    def __init__(self, const double[:, ::1] u, const double[:, ::1] y,
                 const double[:, ::1] low=None, const double[:, ::1] high=None):
        self._u, self._y, self._low, self._high = u, y, low, high
        self.n = min(len(u), len(y)) if u.shape[1] else len(y)
        self.u = &u[0, 0] if u.shape[0] and u.shape[1] else NULL
        self.y = &y[0, 0] if self.n else NULL
        self.low = &low[0, 0] if low is not None and self.n else NULL
        self.high = &high[0, 0] if high is not None and self.n else NULL

    def __reduce__(self):
        low = None if self._low is None else np.asarray(self._low)
        high = None if self._high is None else np.asarray(self._high)
        return Measured, (np.asarray(self._u), np.asarray(self._y), low, high)


cdef class Trajectories:
    """Rollouts over measured rows, as kernels read them.

    Parameters
    ----------
    data : Measured
        The rows.
    origins : ndarray of int of shape (n,)
        First predicted row of each rollout.
    lengths : ndarray of int of shape (n,)
        Steps of each; kernels of single steps do not read them.
    weight : ndarray of shape (data.n,) or None
        Weight of each row's squared error; None for 1.
    washout : int
        First steps of each rollout that have no weight.
    """

    cdef const Py_ssize_t[::1] _origins, _lengths       # keep the memory alive
    cdef const double[::1] _weight
    cdef const Py_ssize_t* origins
    cdef const Py_ssize_t* lengths
    cdef const double* weight
    cdef Py_ssize_t first, end, shortest                # rows and steps of any of them
    cdef readonly Measured data
    cdef readonly Py_ssize_t n, n_steps, longest, washout
    cdef readonly bint is_falling                       # no rollout is longer than the one before

    def __init__(self, Measured data, const Py_ssize_t[::1] origins, const Py_ssize_t[::1] lengths,
                 const double[::1] weight=None, Py_ssize_t washout=0):
        cdef Py_ssize_t i
        if len(lengths) != len(origins):
            raise ValueError(f"{len(origins)} rollouts need as many lengths, not {len(lengths)}.")
        if weight is not None and len(weight) != data.n:
            raise ValueError(f"{data.n} rows need as many weights, not {len(weight)}.")
        self.data, self.washout, self.is_falling = data, washout, True
        self._origins, self._lengths, self._weight = origins, lengths, weight
        self.n = len(origins)
        self.origins = &origins[0] if self.n else NULL
        self.lengths = &lengths[0] if self.n else NULL
        self.weight = &weight[0] if weight is not None and data.n else NULL
        self.first = self.shortest = PY_SSIZE_T_MAX
        for i in range(self.n):
            self.n_steps += lengths[i]
            self.first = min(self.first, origins[i])
            self.end = max(self.end, origins[i] + lengths[i])
            self.shortest = min(self.shortest, lengths[i])
            self.longest = max(self.longest, lengths[i])
            self.is_falling &= i == 0 or lengths[i] <= lengths[i - 1]

    def __reduce__(self):
        weight = None if self._weight is None else np.asarray(self._weight)
        arrays = np.asarray(self._origins), np.asarray(self._lengths), weight
        return Trajectories, (self.data, *arrays, self.washout)

    cdef check(self, Plan plan, Py_ssize_t least=1):
        """Refuse data of another network, and rollouts of fewer steps or without their history or
        leads."""
        cdef Py_ssize_t i
        check_columns(plan, self.data)
        if (self.first >= plan.history and self.shortest >= least
                and self.end + plan.lead <= self.data.n or not self.n):
            return
        for i in range(self.n):
            if (self.origins[i] < plan.history or self.lengths[i] < least
                    or self.origins[i] + self.lengths[i] + plan.lead > self.data.n):
                raise IndexError(f"rollout {i} does not fit: origin {self.origins[i]}, "
                                 f"{self.lengths[i]} steps.")


cdef check_columns(Plan plan, Measured data):
    if data._u.shape[1] != plan.net.m or data._y.shape[1] != plan.net.p:
        raise ValueError("the data do not have the columns of the network.")


cdef check(Plan plan, Measured data, const Py_ssize_t[::1] rows):
    """The data fit the network, and every row has its history and its leads inside them."""
    cdef Py_ssize_t i
    check_columns(plan, data)
    for i in range(len(rows)):
        if rows[i] < plan.history or rows[i] + plan.lead >= data.n:
            raise IndexError(f"row {rows[i]} of {data.n} lacks history or leads.")


# ---------------------------------------------------------------- one row
cdef inline int pad(int n) noexcept nogil:
    return (n + NK_LANES - 1) // NK_LANES * NK_LANES


cdef inline void gather(const Net* net, const double* y, const double* u, double* z) noexcept nogil:
    """z = the lagged vector, from the addresses of row t of y and of u."""
    cdef int i
    for i in range(net.n_y):
        z[i] = y[net.tap[i]]
    for i in range(net.n_y, net.T):
        z[i] = u[net.tap[i]]
    if net.n_means:
        average(net, y, y, u, 0, z)


cdef void average(const Net* net, const double* own, const double* measured, const double* u,
                  Py_ssize_t s, double* z) noexcept nogil:
    """Fill in the taps that are means; outputs of the last s rows come from the own path."""
    cdef Py_ssize_t i, k, l, stride
    cdef const double* row
    cdef double total
    for i in range(net.n_means):
        k = net.mean[i]
        stride = net.p if k < net.n_y else net.m
        total = 0.0
        for l in range(net.span[k]):
            row = u if k >= net.n_y else own if net.first[k] + l <= s else measured
            total += row[net.tap[k] - l * stride]
        z[k] = total / net.span[k]


cdef inline const double* by_rows(const Net* net, const double* C, double* c) noexcept nogil:
    """The derivative (n_fed) by the outputs that the output taps are made of, from that by the
    taps, C (n_y); c: a workspace for it where some are means."""
    cdef Py_ssize_t k, l
    cdef const Py_ssize_t* fed = net.fed
    if net.n_fed == net.n_y and not net.n_means:
        return C
    memset(c, 0, net.n_fed * sizeof(double))
    for k in range(net.n_y):
        for l in range(net.span[k]):
            c[fed[l]] += C[k] / net.span[k]
        fed += net.span[k]
    return c


cdef inline int gather_block(const Net* net, Measured data, const Py_ssize_t* rows, Py_ssize_t B,
                             double* Z) noexcept nogil:
    """The lagged vectors Z (B, T) of some rows; returns B."""
    cdef Py_ssize_t i
    for i in range(B):
        gather(net, data.y + rows[i] * net.p, data.u + rows[i] * net.m, Z + i * net.T)
    return <int>B


cdef inline bint clip(const double* low, const double* high, double* y_hat) noexcept nogil:
    """Put y_hat between the bounds (NaN: no bound); whether that moved it."""
    if y_hat[0] < low[0]:
        y_hat[0] = low[0]
        return True
    if y_hat[0] > high[0]:
        y_hat[0] = high[0]
        return True
    return False


cdef Py_ssize_t packed_size(const Net* net) noexcept nogil:
    cdef Py_ssize_t n = 0
    cdef int l
    for l in range(net.L - 1):
        n += <Py_ssize_t>(net.size[l] + 1) * pad(net.size[l + 1])
    n += <Py_ssize_t>net.p * (pad(net.size[net.L - 1]) + 1)
    return n + <Py_ssize_t>net.p * pad(net.T)


cdef void pack(const Net* net, const double* theta, double* w) noexcept nogil:
    """Weights for `forward_row`: rows padded with zeros, the output layer and V transposed."""
    cdef int l, i, j, width, last = net.size[net.L - 1]
    memset(w, 0, packed_size(net) * sizeof(double))
    for l in range(net.L - 1):
        width = net.size[l + 1]
        for i in range(net.size[l]):
            memcpy(w, theta + net.W[l] + <Py_ssize_t>i * width, width * sizeof(double))
            w += pad(width)
        memcpy(w, theta + net.b[l], width * sizeof(double))
        w += pad(width)
    for j in range(net.p):
        for i in range(last):
            w[i] = theta[net.W[net.L - 1] + <Py_ssize_t>i * net.p + j]
        w += pad(last)
        w[0] = theta[net.b[net.L - 1] + j]
        w += 1
        if net.V >= 0:
            for i in range(net.T):
                w[i] = theta[net.V + <Py_ssize_t>i * net.p + j]
        w += pad(net.T)


cdef inline void forward_row(const Net* net, const double* w, const double* z, double* a,
                             double* y_hat, double* A, Py_ssize_t B, Py_ssize_t r) noexcept nogil:
    """y_hat (p) of one lagged vector; a: two padded layers to work on.  A, if not NULL, keeps the
    hidden layers as `forward` does, of row r of B."""
    cdef const double* x = z
    cdef double* swap = a + pad(net.width)
    cdef int l, j, width, last = pad(net.size[net.L - 1])
    cdef int taps = pad(net.T) if net.V >= 0 else 0
    for l in range(net.L - 1):
        width = pad(net.size[l + 1])
        nk_layer(net.f, x, net.size[l], w, w + net.size[l] * width, a, net.size[l + 1], width)
        w += <Py_ssize_t>(net.size[l] + 1) * width
        if A != NULL:
            memcpy(A + r * net.size[l + 1], a, net.size[l + 1] * sizeof(double))
            A += B * net.size[l + 1]
        x = a
        a, swap = swap, a
    for j in range(net.p):
        y_hat[j] = nk_output(w[last], z, w + last + 1, taps, x, w, last)
        w += last + 1 + pad(net.T)


# ---------------------------------------------------------------- a block of rows
cdef inline void matmul(int B, int n_in, int n_out, const double* A, const double* W, double beta,
                        double* C) noexcept nogil:
    """C (B, n_out) = A (B, n_in) W + beta C."""
    cdef double one = 1.0
    if n_in:
        dgemm("N", "N", &n_out, &B, &n_in, &one, <double*>W, &n_out, <double*>A, &n_in, &beta, C,
              &n_out)


cdef inline void matmul_transposed(int B, int n_in, int n_out, const double* G, const double* W,
                                   double* C) noexcept nogil:
    """C (B, n_in) = G (B, n_out) W'."""
    cdef double one = 1.0, zero = 0.0
    dgemm("T", "N", &n_in, &B, &n_out, &one, <double*>W, &n_out, <double*>G, &n_out, &zero, C,
          &n_in)


cdef inline void add_outer(int B, int n_in, int n_out, const double* A, const double* G,
                           double* dW) noexcept nogil:
    """dW (n_in, n_out) += A (B, n_in)' G (B, n_out)."""
    cdef double one = 1.0
    if n_in:
        dgemm("N", "T", &n_out, &n_in, &B, &one, <double*>G, &n_out, <double*>A, &n_in, &one, dW,
              &n_out)


cdef void forward(const Net* net, const double* theta, int B, const double* Z, double* A,
                  double* y_hat) noexcept nogil:
    """y_hat (B, p) of the lagged vectors Z (B, T); A keeps the hidden layers one after another."""
    cdef const double* x = Z
    cdef double* out
    cdef int l, i, width
    for l in range(net.L):
        width = net.size[l + 1]
        out = A if l < net.L - 1 else y_hat
        for i in range(B):
            memcpy(out + <Py_ssize_t>i * width, theta + net.b[l], width * sizeof(double))
        matmul(B, net.size[l], width, x, theta + net.W[l], 1.0, out)
        if l < net.L - 1:
            nk_activate(net.f, out, <Py_ssize_t>B * width)
            A += <Py_ssize_t>B * width
        x = out
    if net.V >= 0:
        matmul(B, net.T, net.p, Z, theta + net.V, 1.0, y_hat)


cdef double residuals(const Net* net, Measured data, int B, const Py_ssize_t* rows,
                      const double* weight, double* y_hat, double* root,
                      const Py_ssize_t* steps=NULL, Py_ssize_t washout=0) noexcept nogil:
    """SSE of a block.  y_hat (B, p) becomes sqrt(w) (y_hat - y), 0 where y is missing; root (B, p)
    becomes its derivative by the unclipped output: sqrt(w), or 0 where missing or clipped.  Rows
    whose steps in a rollout are fewer than the washout have no weight."""
    cdef double sse = 0.0, w
    cdef Py_ssize_t i, j, at
    for i in range(B):
        w = 1.0 if weight == NULL else sqrt(weight[rows[i]])
        if steps != NULL and steps[i] < washout:
            w = 0.0
        for j in range(net.p):
            at = rows[i] * net.p + j
            root[j] = w
            if data.low != NULL and clip(data.low + at, data.high + at, y_hat + j):
                root[j] = 0.0
            if isnan(data.y[at]):
                root[j] = y_hat[j] = 0.0
            else:
                y_hat[j] = w * (y_hat[j] - data.y[at])
            sse += y_hat[j] * y_hat[j]
        y_hat += net.p
        root += net.p
    return sse


cdef void backward(const Net* net, const double* theta, int B, const double* Z, const double* A,
                   double* G, double* spare, double* gradient) noexcept nogil:
    """gradient += the derivative of sum(G y_hat); G (B, p) and spare hold the widest layer."""
    cdef int l, i, j, width
    cdef const double* x
    cdef const double* a = A + <Py_ssize_t>B * net.hidden
    if net.V >= 0:
        add_outer(B, net.T, net.p, Z, G, gradient + net.V)
    for l in range(net.L - 1, -1, -1):
        width = net.size[l + 1]
        a -= <Py_ssize_t>B * (net.size[l] if l else 0)
        x = a if l else Z
        add_outer(B, net.size[l], width, x, G, gradient + net.W[l])
        for i in range(B):
            for j in range(width):
                gradient[net.b[l] + j] += G[<Py_ssize_t>i * width + j]
        if l:
            matmul_transposed(B, net.size[l], width, G, theta + net.W[l], spare)
            nk_chain(net.f, a, spare, <Py_ssize_t>B * net.size[l])
            G, spare = spare, G


cdef void by_taps(const Net* net, const double* theta, int B, int j, const double* root,
                  const double* G, double* C) noexcept nogil:
    """C (B, n_y) = root[:, j] d y_hat[:, j] / d output taps; G: by the first hidden layer."""
    cdef Py_ssize_t i, k, direct = net.W[0] if net.L == 1 else net.V
    if net.L > 1:
        matmul_transposed(B, net.n_y, net.size[1], G, theta + net.W[0], C)
    else:
        memset(C, 0, <Py_ssize_t>B * net.n_y * sizeof(double))
    if direct >= 0:
        for i in range(B):
            for k in range(net.n_y):
                C[i * net.n_y + k] += root[i * net.p + j] * theta[direct + k * net.p + j]


cdef void jacobian(const Net* net, const double* theta, int B, int j, const double* Z,
                   const double* A, const double* root, double* G, double* spare,
                   double* J, double* C) noexcept nogil:
    """J (B, P) = root[:, j] d y_hat[:, j] / d theta, and, if not NULL, C (B, n_y) likewise by the
    output taps; G and spare hold the widest layer."""
    cdef int l, n_in, width
    cdef Py_ssize_t i, k
    cdef double one
    cdef Py_ssize_t P = net.P
    cdef const double* x
    cdef const double* a = A + <Py_ssize_t>B * net.hidden
    for l in range(net.L - 1, -1, -1):
        n_in, width = net.size[l], net.size[l + 1]
        a -= <Py_ssize_t>B * (n_in if l else 0)
        x = a if l else Z
        for i in range(B):
            if l == net.L - 1:
                if width > 1:
                    memset(J + i * P + net.W[l], 0, (<Py_ssize_t>n_in + 1) * width * sizeof(double))
                one = root[i * net.p + j]
                for k in range(n_in):
                    J[i * P + net.W[l] + k * width + j] = one * x[i * n_in + k]
                J[i * P + net.b[l] + j] = one
                for k in range(n_in if l else 0):
                    spare[i * n_in + k] = one * theta[net.W[l] + k * width + j]
            else:
                nk_outer(x + i * n_in, n_in, G + i * width, width,
                         J + i * P + net.W[l])
                memcpy(J + i * P + net.b[l], G + i * width, width * sizeof(double))
        if l:
            if l < net.L - 1:
                matmul_transposed(B, n_in, width, G, theta + net.W[l], spare)
            nk_chain(net.f, a, spare, <Py_ssize_t>B * n_in)
            G, spare = spare, G
    if C != NULL:
        by_taps(net, theta, B, j, root, G, C)
    if net.V >= 0:
        for i in range(B):
            if net.p > 1:
                memset(J + i * P + net.V, 0, <Py_ssize_t>net.T * net.p * sizeof(double))
            one = root[i * net.p + j]
            for k in range(net.T):
                J[i * P + net.V + k * net.p + j] = one * Z[i * net.T + k]


# ---------------------------------------------------------------- open loop: one step from a row
def _rows_at_once(Plan plan):
    """Rows in a block: few, so that what belongs to them stays in the cache, and 2 MB at most."""
    return max(32, min(2**18 // (plan.net.P * plan.net.p), 128))


def open_loop(Plan plan, const double[::1] theta, Measured data, const Py_ssize_t[::1] rows,
              double[:, ::1] y_hat):
    """One-step predictions of `rows` from measured history.

    y_hat : OUT (len(rows), p), clipped.
    """
    cdef const Net* net = &plan.net
    cdef int B
    cdef Py_ssize_t at, i, j, k, n = len(rows)
    cdef double[::1] Z = np.empty(BLOCK * net.T + 1), A = np.empty(BLOCK * net.hidden + 1)
    check(plan, data, rows)
    with nogil:
        at = 0
        while at < n:
            B = gather_block(net, data, &rows[at], min(BLOCK, n - at), &Z[0])
            forward(net, &theta[0], B, &Z[0], &A[0], &y_hat[at, 0])
            if data.low != NULL:
                for i in range(B):
                    for j in range(net.p):
                        k = rows[at + i] * net.p + j
                        clip(data.low + k, data.high + k, &y_hat[at + i, j])
            at += B


def population_values(Plan plan, const double[:, ::1] thetas, Trajectories runs,
                      const int[::1] stop, double[::1] sse):
    """Sum of squared errors of every parameter vector; taps are gathered once for all.

    sse : OUT (len(thetas),); NaN when stopped.
    """
    cdef const Net* net = &plan.net
    cdef int B
    cdef Py_ssize_t at, k, n = runs.n
    cdef double[::1] Z = np.empty(BLOCK * net.T + 1), A = np.empty(BLOCK * net.hidden + 1)
    cdef double[::1] e = np.empty(BLOCK * net.p), root = np.empty(BLOCK * net.p)
    cdef Measured data = runs.data
    runs.check(plan)
    sse[:] = 0.0
    with nogil:
        at = 0
        while at < n:
            if stop[0]:
                sse[:] = NAN
                break
            B = gather_block(net, data, runs.origins + at, min(BLOCK, n - at), &Z[0])
            for k in range(len(thetas)):
                forward(net, &thetas[k, 0], B, &Z[0], &A[0], &e[0])
                sse[k] += residuals(net, data, B, runs.origins + at, runs.weight, &e[0], &root[0])
            at += B


def gradient(Plan plan, const double[::1] theta, Trajectories runs, const int[::1] stop,
             double[::1] g):
    """Sum of squared errors (returned, NaN when stopped) and half its gradient.

    g : OUT (P,), J'e.
    """
    cdef const Net* net = &plan.net
    cdef int B, widest = max(net.width, net.p)
    cdef Py_ssize_t at, i, n = runs.n
    cdef double sse = 0.0
    cdef double[::1] Z = np.empty(BLOCK * net.T + 1), A = np.empty(BLOCK * net.hidden + 1)
    cdef double[::1] e = np.empty(BLOCK * widest), root = np.empty(BLOCK * net.p)
    cdef double[::1] spare = np.empty(BLOCK * widest)
    cdef Measured data = runs.data
    runs.check(plan)
    g[:] = 0.0
    with nogil:
        at = 0
        while at < n:
            if stop[0]:
                sse = NAN
                break
            B = gather_block(net, data, runs.origins + at, min(BLOCK, n - at), &Z[0])
            forward(net, &theta[0], B, &Z[0], &A[0], &e[0])
            sse += residuals(net, data, B, runs.origins + at, runs.weight, &e[0], &root[0])
            for i in range(B * net.p):
                e[i] *= root[i]
            backward(net, &theta[0], B, &Z[0], &A[0], &e[0], &spare[0], &g[0])
            at += B
    return sse


def residuals_and_jacobian(Plan plan, const double[::1] theta, Trajectories runs,
                           double[:, ::1] e, double[:, :, ::1] J):
    """Weighted residuals and their whole Jacobian, for tests and intervals.

    e : OUT (len(rows), p).
    J : OUT (p, len(rows), P).
    """
    cdef const Net* net = &plan.net
    cdef int B, j, widest = max(net.width, net.p)
    cdef Py_ssize_t at, n = runs.n
    cdef double[::1] Z = np.empty(BLOCK * net.T + 1), A = np.empty(BLOCK * net.hidden + 1)
    cdef double[::1] root = np.empty(BLOCK * net.p)
    cdef double[::1] G = np.empty(BLOCK * widest), spare = np.empty(BLOCK * widest)
    cdef Measured data = runs.data
    runs.check(plan)
    with nogil:
        at = 0
        while at < n:
            B = gather_block(net, data, runs.origins + at, min(BLOCK, n - at), &Z[0])
            forward(net, &theta[0], B, &Z[0], &A[0], &e[at, 0])
            residuals(net, data, B, runs.origins + at, runs.weight, &e[at, 0], &root[0])
            for j in range(net.p):
                jacobian(net, &theta[0], B, j, &Z[0], &A[0], &root[0], &G[0], &spare[0],
                         &J[j, at, 0], NULL)
            at += B


def normal_equations(Plan plan, const double[::1] theta, Trajectories runs, const int[::1] stop,
                     double[:, ::1] JtJ, double[::1] Jte):
    """Sum of squared errors (returned, NaN when stopped), J'J and J'e, block by block.

    JtJ : OUT (P, P), full and symmetric.
    Jte : OUT (P,).
    """
    cdef const Net* net = &plan.net
    cdef int B, P = <int>net.P, size = _rows_at_once(plan), widest = max(net.width, net.p), one = 1
    cdef int j, p = net.p
    cdef Py_ssize_t at, i, k, n = runs.n
    cdef double sse = 0.0, unit = 1.0
    cdef double[::1] Z = np.empty(size * net.T + 1), A = np.empty(size * net.hidden + 1)
    cdef double[::1] e = np.empty(size * p), root = np.empty(size * p)
    cdef double[::1] G = np.empty(size * widest), spare = np.empty(size * widest)
    cdef double[:, ::1] J = np.empty((size, P))
    cdef Measured data = runs.data
    runs.check(plan)
    JtJ[:] = 0.0
    Jte[:] = 0.0
    with nogil:
        at = 0
        while at < n:
            if stop[0]:
                sse = NAN
                break
            B = gather_block(net, data, runs.origins + at, min(size, n - at), &Z[0])
            forward(net, &theta[0], B, &Z[0], &A[0], &e[0])
            sse += residuals(net, data, B, runs.origins + at, runs.weight, &e[0], &root[0])
            for j in range(p):
                jacobian(net, &theta[0], B, j, &Z[0], &A[0], &root[0], &G[0], &spare[0], &J[0, 0],
                         NULL)
                dsyrk("U", "N", &P, &B, &unit, &J[0, 0], &P, &unit, &JtJ[0, 0], &P)
                dgemv("N", &P, &B, &unit, &J[0, 0], &P, &e[j], &p, &unit, &Jte[0], &one)
            at += B
        for i in range(P):
            for k in range(i):
                JtJ[k, i] = JtJ[i, k]
    return sse


# ---------------------------------------------------------------- rollouts
def rollout(Plan plan, const double[::1] theta, Trajectories runs, double[:, :, ::1] path,
            Py_ssize_t[::1] bad, const double[:, :, ::1] shocks=None):
    """Trajectories that start with measured history and feed back their own output; from `FEW` on
    none may be longer than the one before.

    shocks : (n, S, p), added to each output before it is clipped and fed back.
    path : OUT (n, K + S, p), the history followed by the predictions, NaN after a trajectory's
        length and from its first bad step.
    bad : OUT, first step that is not finite or leaves 1e3, -1 where there is none.
    """
    cdef Py_ssize_t i, s, K = plan.history
    cdef Py_ssize_t p = plan.net.p, S = path.shape[1] - K
    cdef const double* shock = NULL
    runs.check(plan, 0)
    if shocks is not None and runs.n * S * p:
        if shocks.shape[0] != runs.n or shocks.shape[1] != S or shocks.shape[2] != p:
            raise IndexError(f"{runs.n} rollouts of {S} steps need as many shocks.")
        shock = &shocks[0, 0, 0]
    if runs.longest > S or not (runs.is_falling or runs.n < NK_LANES):
        raise IndexError(f"rollouts of up to {runs.longest} steps must have room for them, here "
                         f"{S}, and none may be longer than the one before.")
    for i in range(runs.n):
        bad[i] = -1
        memcpy(&path[i, 0, 0], runs.data.y + (runs.origins[i] - K) * p, K * p * sizeof(double))
        for s in range(runs.lengths[i] * p, S * p):
            (&path[i, 0, 0] + K * p)[s] = NAN
    if runs.n < NK_LANES:
        roll_each(plan, theta, runs, path, bad, shock)
    else:
        roll_together(plan, theta, runs, path, bad, shock)


cdef inline void accept(const Net* net, Measured data, Py_ssize_t row, Py_ssize_t s,
                        double* y_hat, Py_ssize_t* bad, const double* shock) noexcept nogil:
    """Add shocks, if not NULL, and clip the outputs of step s; NaN from the first bad step on."""
    cdef Py_ssize_t j
    for j in range(net.p):
        if shock != NULL:
            y_hat[j] += shock[j]
        if data.low != NULL:
            clip(data.low + row * net.p + j, data.high + row * net.p + j, y_hat + j)
        if bad[0] < 0 and not fabs(y_hat[j]) <= LIMIT:
            bad[0] = s
    if bad[0] >= 0:
        for j in range(net.p):
            y_hat[j] = NAN


cdef inline const double* at_step(const double* shock, Py_ssize_t row, Py_ssize_t p) noexcept nogil:
    return NULL if shock == NULL else shock + row * p


cdef roll_each(Plan plan, const double[::1] theta, Trajectories runs, double[:, :, ::1] path,
               Py_ssize_t[::1] bad, const double* shock):
    """Few trajectories: one after another, step by step."""
    cdef const Net* net = &plan.net
    cdef Measured data = runs.data
    cdef Py_ssize_t i, s, t, K = plan.history, S = path.shape[1] - K
    cdef double[::1] w = np.empty(packed_size(net)), z = np.zeros(pad(net.T) + NK_LANES)
    cdef double[::1] a = np.zeros(2 * pad(net.width) + NK_LANES)
    cdef double* y
    with nogil:
        pack(net, &theta[0], &w[0])
        for i in range(runs.n):
            y = &path[i, 0, 0] + K * net.p
            for s in range(runs.lengths[i]):
                t = runs.origins[i] + s
                gather(net, y, data.u + t * net.m, &z[0])
                forward_row(net, &w[0], &z[0], &a[0], y, NULL, 0, 0)
                accept(net, data, t, s, y, &bad[i], at_step(shock, i * S + s, net.p))
                y += net.p


cdef roll_together(Plan plan, const double[::1] theta, Trajectories runs, double[:, :, ::1] path,
                   Py_ssize_t[::1] bad, const double* shock):
    """Many trajectories: a block of them takes each step together.  Lengths decrease, so those
    that are still running come first."""
    cdef const Net* net = &plan.net
    cdef Measured data = runs.data
    cdef int B, n_running
    cdef Py_ssize_t at, i, s, t, K = plan.history, S = path.shape[1] - K, N = runs.n
    cdef double[::1] Z = np.empty(BLOCK * net.T + 1), A = np.empty(BLOCK * net.hidden + 1)
    cdef double[::1] y_hat = np.empty(BLOCK * net.p)
    cdef double* y
    with nogil:
        at = 0
        while at < N:
            B = n_running = <int>min(BLOCK, N - at)
            for s in range(runs.lengths[at]):
                while runs.lengths[at + n_running - 1] <= s:
                    n_running -= 1
                for i in range(n_running):
                    t = runs.origins[at + i] + s
                    gather(net, &path[at + i, K + s, 0], data.u + t * net.m, &Z[0] + i * net.T)
                forward(net, &theta[0], n_running, &Z[0], &A[0], &y_hat[0])
                for i in range(n_running):
                    y = &path[at + i, K + s, 0]
                    memcpy(y, &y_hat[0] + i * net.p, net.p * sizeof(double))
                    accept(net, data, runs.origins[at + i] + s, s, y, &bad[at + i],
                           at_step(shock, (at + i) * S + s, net.p))
            at += B


# ---------------------------------------------------------------- closed loop: training on rollouts
# A walk takes the rows of all rollouts one after another: row r of a block is step s of a rollout,
# and the prediction of `lag` steps before stands `lag` rows before.

cdef struct Walk:
    const Py_ssize_t* origins   # first predicted row of each rollout
    const Py_ssize_t* lengths   # its steps
    Py_ssize_t i                # the rollout it is in
    Py_ssize_t s                # the step to come
    Py_ssize_t washout          # first steps of each rollout that have no weight


cdef bint roll_block(const Net* net, const double* w, Measured data, Walk* walk, Py_ssize_t B,
                     double* z, double* a, double* Z, double* A, double* y_hat, Py_ssize_t* rows,
                     Py_ssize_t* steps, double* free) noexcept nogil:
    """Walk on by B rows; False where a rollout diverges.

    Z (B, T) and A, if not NULL, rows (B,) and steps (B,) are filled; y_hat (B, p), clipped, follows
    the predictions before; free (B, p) is 1, or 0 where clipped.  z, a: padded, for one row.
    """
    cdef Py_ssize_t r, t, j, at
    cdef int k
    cdef const double* measured
    cdef const double* u
    for r in range(B):
        if walk.s == walk.lengths[walk.i]:
            walk.i, walk.s = walk.i + 1, 0
        t = walk.origins[walk.i] + walk.s
        rows[r], steps[r] = t, walk.s
        measured, u = data.y + t * net.p, data.u + t * net.m
        for k in range(net.n_y):
            z[k] = (<const double*>y_hat if net.first[k] <= walk.s else measured)[net.tap[k]]
        for k in range(net.n_y, net.T):
            z[k] = u[net.tap[k]]
        if net.n_means:
            average(net, y_hat, measured, u, walk.s, z)
        if Z != NULL:
            memcpy(Z + r * net.T, z, net.T * sizeof(double))
        forward_row(net, w, z, a, y_hat, A, B, r)
        for j in range(net.p):
            at = t * net.p + j
            free[j] = not (data.low != NULL and clip(data.low + at, data.high + at, y_hat + j))
            if not fabs(y_hat[j]) <= LIMIT:
                return False
        y_hat += net.p
        free += net.p
        walk.s += 1
    return True


cdef inline double* aligned(double* x) noexcept nogil:
    """The next address that a whole vector may stand at without crossing a line of the cache."""
    return <double*>((<size_t>x + 63) // 64 * 64)


cdef class _Workspace:
    """Room for `size` rows of a walk, with `before` predictions kept from the rows before; taps Z
    and hidden layers A only where it keeps them.  One array for all: a short call would spend most
    of its time on making a dozen."""

    cdef double[::1] _numbers
    cdef Py_ssize_t[::1] _indices
    cdef double* w
    cdef double* z
    cdef double* a
    cdef double* Z
    cdef double* A
    cdef double* path
    cdef double* y_hat
    cdef double* e
    cdef double* root
    cdef double* free
    cdef Py_ssize_t* rows
    cdef Py_ssize_t* steps

    def __init__(self, Plan plan, Py_ssize_t size, Py_ssize_t before=0, bint keeps=True):
        cdef const Net* net = &plan.net
        cdef Py_ssize_t p = net.p, one_row = pad(net.T) + 2 * pad(net.width) + 2 * NK_LANES
        cdef Py_ssize_t kept = size * (net.T + net.hidden) if keeps else 0
        cdef Py_ssize_t n = one_row + packed_size(net) + (before + 4 * size) * p + kept
        self._numbers = np.zeros(n + NK_LANES)
        self._indices = np.empty(2 * size, dtype=np.intp)
        self.z = aligned(&self._numbers[0])
        self.a = self.z + pad(net.T) + NK_LANES
        self.w = self.z + one_row
        self.path = self.w + packed_size(net)
        self.y_hat = self.path + before * p
        self.e = self.y_hat + size * p
        self.root, self.free = self.e + size * p, self.e + 2 * size * p
        self.Z = self.e + 3 * size * p if keeps else NULL
        self.A = self.Z + size * net.T if keeps else NULL
        self.rows = &self._indices[0]
        self.steps = self.rows + size


cdef bint walk_on(const Net* net, _Workspace work, Measured data, Walk* walk, Py_ssize_t B,
                  const double* weight, double* sse) noexcept nogil:
    """The next B rows into the workspace, with residuals e and their root weights; False where a
    rollout diverges."""
    if not roll_block(net, work.w, data, walk, B, work.z, work.a, work.Z,
                      work.A, work.y_hat, work.rows, work.steps, work.free):
        return False
    memcpy(work.e, work.y_hat, B * net.p * sizeof(double))
    # what is clipped already moves no more: root is the weight alone
    sse[0] += residuals(net, data, <int>B, work.rows, weight, work.e, work.root,
                        work.steps, walk.washout)
    return True


cdef inline void keep_path(const Net* net, _Workspace work, Py_ssize_t B) noexcept nogil:
    """After a block of B rows, what the taps of the next one reach back to."""
    memmove(work.path, work.path + B * net.p, net.K * net.p * sizeof(double))


def closed_values(Plan plan, const double[:, ::1] thetas, Trajectories runs, const int[::1] stop,
                  double[::1] sse):
    """Sum of squared errors of every parameter vector over rollouts.

    sse : OUT (len(thetas),); infinite where a rollout diverges, NaN when stopped.
    """
    cdef const Net* net = &plan.net
    cdef Py_ssize_t left, k, B
    cdef Py_ssize_t n = runs.n_steps
    cdef Measured data = runs.data
    cdef _Workspace work = _Workspace(plan, BLOCK, net.K, keeps=False)
    cdef Walk walk
    runs.check(plan)
    sse[:] = 0.0
    if not n:
        return
    with nogil:
        for k in range(len(thetas)):
            pack(net, &thetas[k, 0], work.w)
            walk = Walk(runs.origins, runs.lengths, 0, 0, runs.washout)
            left = n
            while left:
                B = min(left, BLOCK)
                if stop[0]:
                    sse[k] = NAN
                    break
                if not walk_on(net, work, data, &walk, B, runs.weight, &sse[k]):
                    sse[k] = INFINITY
                    break
                keep_path(net, work, B)
                left -= B


def closed_normal_equations(Plan plan, const double[::1] theta, Trajectories runs,
                            const int[::1] stop, double[:, ::1] JtJ, double[::1] Jte):
    """Sum of squared errors (returned: infinite where a rollout diverges, NaN when stopped), J'J
    and J'e over rollouts, block by block.

    The sensitivities S of the outputs by the parameters go with the path (real-time recurrent
    learning):  S_t = D_t + sum_k C_{t,k} S_{t - lag_k},  0 where the output was clipped, with D the
    derivative for fixed taps and C that by the output taps, of which only those on the path move.

    JtJ : OUT (P, P), full and symmetric.
    Jte : OUT (P,).
    """
    cdef const Net* net = &plan.net
    cdef int P = <int>net.P, p = net.p, one = 1, B, j
    cdef Py_ssize_t size = _rows_at_once(plan), K = net.K, r, i, k, left
    cdef Py_ssize_t n = runs.n_steps
    cdef Measured data = runs.data
    cdef double sse = 0.0, unit = 1.0
    cdef _Workspace work = _Workspace(plan, size, K)
    cdef _Sensitivity S = _Sensitivity(plan, size)
    cdef double[:, ::1] J = np.empty((size, P))
    cdef double* weighted
    cdef Walk walk
    runs.check(plan)
    JtJ[:] = 0.0
    Jte[:] = 0.0
    if not n:
        return 0.0
    with nogil:
        pack(net, &theta[0], work.w)
        walk = Walk(runs.origins, runs.lengths, 0, 0, runs.washout)
        left = n
        while left:
            B = <int>min(left, size)
            if stop[0]:
                sse = NAN
                break
            if not walk_on(net, work, data, &walk, B, runs.weight, &sse):
                sse = INFINITY
                break
            differentiate(net, &theta[0], work, S, B)
            for j in range(p):
                weighted = &S.S[j, K, 0]
                if not are_ones(work.root + j, B, p):
                    for r in range(B):
                        weigh(work.root[r * p + j], &S.S[j, K + r, 0], P, &J[r, 0])
                    weighted = &J[0, 0]
                dsyrk("U", "N", &P, &B, &unit, weighted, &P, &unit, &JtJ[0, 0], &P)
                dgemv("N", &P, &B, &unit, weighted, &P, work.e + j, &p, &unit, &Jte[0], &one)
            keep_sensitivities(net, S, B)
            keep_path(net, work, B)
            left -= B
        for i in range(P):
            for k in range(i):
                JtJ[k, i] = JtJ[i, k]
    return sse


def closed_residuals_and_jacobian(Plan plan, const double[::1] theta, Trajectories runs,
                                  double[:, ::1] e, double[:, :, ::1] J):
    """Weighted residuals over rollouts and their whole Jacobian, for tests and intervals.

    e : OUT (sum of lengths, p).
    J : OUT (p, sum of lengths, P).
    """
    cdef const Net* net = &plan.net
    cdef Py_ssize_t size = 64, K = net.K, at = 0, r, j, B
    cdef Py_ssize_t n = runs.n_steps
    cdef Measured data = runs.data
    cdef double sse = 0.0
    cdef _Workspace work = _Workspace(plan, size, K)
    cdef _Sensitivity S = _Sensitivity(plan, size)
    cdef Walk walk
    runs.check(plan)
    if not n:
        return
    pack(net, &theta[0], work.w)
    walk = Walk(runs.origins, runs.lengths, 0, 0, runs.washout)
    while at < n:
        B = min(n - at, size)
        if not walk_on(net, work, data, &walk, B, runs.weight, &sse):
            raise FloatingPointError(f"a rollout diverges within its steps {at} to {at + B}.")
        differentiate(net, &theta[0], work, S, <int>B)
        for j in range(net.p):
            for r in range(B):
                e[at + r, j] = work.e[r * net.p + j]
                weigh(work.root[r * net.p + j], &S.S[j, K + r, 0], net.P, &J[j, at + r, 0])
        keep_sensitivities(net, S, B)
        keep_path(net, work, B)
        at += B


cdef class _Sensitivity:
    """S (p, K + size, P), with the K rows before a block, and what computing it takes."""

    cdef double[:, :, ::1] S
    cdef double[:, ::1] C
    cdef double[::1] G, spare, c, fed
    cdef Py_ssize_t[::1] offset

    def __init__(self, Plan plan, Py_ssize_t size):
        cdef const Net* net = &plan.net
        widest = max(net.width, net.p)
        self.S = np.empty((net.p, net.K + size, net.P))
        self.C = np.empty((net.p, size * net.n_y + 1))
        self.G, self.spare = np.empty(size * widest), np.empty(size * widest)
        self.c, self.fed = np.empty(net.n_fed + 1), np.empty(net.n_fed + 1)
        self.offset = np.empty(net.n_fed + 1, dtype=np.intp)


cdef void differentiate(const Net* net, const double* theta, _Workspace work, _Sensitivity S,
                        int B) noexcept nogil:
    """The sensitivities of the B rows in the workspace."""
    cdef Py_ssize_t K = net.K, P = net.P, r, k, n, plane = S.S.shape[1] * P
    cdef const double* c
    cdef int j
    for j in range(net.p):
        jacobian(net, theta, B, j, work.Z, work.A, work.free, &S.G[0], &S.spare[0],
                 &S.S[j, K, 0], &S.C[j, 0])
    for r in range(B):
        n = 0
        for k in range(net.n_fed):
            if net.lag[k] <= work.steps[r]:
                S.offset[n] = net.column[k] * plane - net.lag[k] * P
                n += 1
        if not n:
            continue
        for j in range(net.p):
            n = 0
            c = by_rows(net, &S.C[j, r * net.n_y], &S.fed[0])
            for k in range(net.n_fed):
                if net.lag[k] <= work.steps[r]:
                    S.c[n] = c[k]
                    n += 1
            nk_combine(&S.c[0], &S.offset[0], n, &S.S[0, K + r, 0], &S.S[j, K + r, 0], P)


cdef inline void keep_sensitivities(const Net* net, _Sensitivity S, Py_ssize_t B) noexcept nogil:
    cdef int j
    for j in range(net.p):
        memmove(&S.S[j, 0, 0], &S.S[j, B, 0], net.K * net.P * sizeof(double))


cdef inline bint are_ones(const double* x, Py_ssize_t n, Py_ssize_t stride) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        if x[i * stride] != 1.0:
            return False
    return True


cdef inline void weigh(double weight, const double* S, Py_ssize_t P, double* J) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(P):
        J[i] = weight * S[i]


def closed_gradient(Plan plan, const double[::1] theta, Trajectories runs, const int[::1] stop,
                    double[::1] g):
    """Sum of squared errors over rollouts (returned: infinite where one diverges, NaN when
    stopped) and half its gradient, by backpropagation through time.

    g : OUT (P,), J'e.
    """
    cdef const Net* net = &plan.net
    cdef Py_ssize_t i = 0, B, N = runs.n
    cdef Py_ssize_t n = runs.n_steps
    cdef Measured data = runs.data
    cdef Py_ssize_t size = max(runs.longest, BLOCK)
    cdef double sse = 0.0
    cdef _Workspace work = _Workspace(plan, size)
    cdef double[::1] adjoint = np.empty(size * net.p), G = np.empty(size * (net.hidden + net.p))
    cdef double[::1] d = np.zeros(2 * pad(net.width) + NK_LANES), dz = np.empty(net.T + 1)
    cdef double[::1] fed = np.empty(net.n_fed + 1)
    cdef Walk walk
    runs.check(plan)
    g[:] = 0.0
    if not n:
        return 0.0
    with nogil:
        pack(net, &theta[0], work.w)
        while i < N:
            if stop[0]:
                sse = NAN
                break
            walk = Walk(runs.origins + i, runs.lengths + i, 0, 0, runs.washout)
            B = 0
            while i < N and B + runs.lengths[i] <= size:         # whole rollouts
                B += runs.lengths[i]
                i += 1
            if not walk_on(net, work, data, &walk, B, runs.weight, &sse):
                sse = INFINITY
                break
            unroll_block(net, work, B, &adjoint[0], &G[0], &d[0], &dz[0], &fed[0])
            accumulate(net, <int>B, work.Z, work.A, &G[0], &g[0])
    return sse


cdef void unroll_block(const Net* net, _Workspace work, Py_ssize_t B, double* adjoint, double* G,
                       double* d, double* dz, double* fed) noexcept nogil:
    """Backwards in time: G holds the derivative of SSE / 2 by the pre-activations of each layer,
    hidden layers one after another and the outputs last; adjoint (B, p) that by the path."""
    cdef Py_ssize_t r, i, k, p = net.p, at
    cdef int j, l, n_in, width, L = net.L, last = pad(net.size[L - 1])
    cdef const double* w = work.w
    cdef const double* c
    cdef const double* out
    cdef double* g
    cdef const double* a
    cdef double* here
    cdef double* below
    cdef double* top = G + B * net.hidden
    for l in range(L - 1):
        w += <Py_ssize_t>(net.size[l] + 1) * pad(net.size[l + 1])
    out = w                                                 # the output layer, as `pack` lays it
    for i in range(B * p):
        adjoint[i] = work.e[i] * work.root[i]
    for r in range(B - 1, -1, -1):
        g = top + r * p
        for j in range(p):
            g[j] = adjoint[r * p + j] * work.free[r * p + j]
        here, below = d, d + pad(net.width)
        memset(here, 0, last * sizeof(double) if L > 1 else 0)
        w = out
        for i in range(net.n_y):
            dz[i] = 0.0
        for j in range(p):
            if L > 1:
                for i in range(net.size[L - 1]):
                    here[i] += g[j] * w[i]
            for i in range(net.n_y):
                dz[i] += g[j] * (w[last + 1 + i] if L > 1 else w[i])
            w += last + 1 + pad(net.T)
        w = out
        at = net.hidden
        for l in range(L - 2, -1, -1):                      # the hidden layer of size[l + 1] units
            n_in, width = net.size[l], net.size[l + 1]
            at -= width
            w -= <Py_ssize_t>(n_in + 1) * pad(width)
            a = work.A + B * at + r * width
            nk_chain(net.f, a, here, width)
            memcpy(G + B * at + r * width, here, width * sizeof(double))
            if l:
                nk_dots(w, n_in, pad(width), here, below)
                memset(below + n_in, 0, (pad(n_in) - n_in) * sizeof(double))
                here, below = below, here
            elif work.steps[r]:
                add_dots(w, net.n_y, pad(width), here, dz)
        c = by_rows(net, dz, fed)
        for k in range(net.n_fed):
            if net.lag[k] <= work.steps[r]:
                adjoint[(r - net.lag[k]) * p + net.column[k]] += c[k]


cdef inline void add_dots(const double* W, Py_ssize_t n, Py_ssize_t width, const double* d,
                          double* out) noexcept nogil:
    cdef Py_ssize_t i
    cdef double dot
    for i in range(n):
        nk_dots(W + i * width, 1, width, d, &dot)
        out[i] += dot


cdef void accumulate(const Net* net, int B, const double* Z, const double* A, const double* G,
                     double* gradient) noexcept nogil:
    """gradient += the derivative by the parameters, from those by the pre-activations."""
    cdef Py_ssize_t at = 0, i, j
    cdef int l, n_in, width
    cdef const double* x = Z
    cdef const double* g
    if net.V >= 0:
        add_outer(B, net.T, net.p, Z, G + <Py_ssize_t>B * net.hidden, gradient + net.V)
    for l in range(net.L):
        n_in, width = net.size[l], net.size[l + 1]
        g = G + B * at
        add_outer(B, n_in, width, x, g, gradient + net.W[l])
        for i in range(B):
            for j in range(width):
                gradient[net.b[l] + j] += g[i * width + j]
        x = A + B * at
        at += width


# ---------------------------------------------------------------- the loop's tangent
def loop_gain(Plan plan, const double[::1] theta, Trajectories runs, Py_ssize_t passes):
    """Growth per step of a small perturbation of the fed-back output (returned), infinite where a
    rollout diverges, 0 where the perturbation dies.

    The perturbation d of the last K outputs is handed on from rollout to rollout:
        d_t = sum_k C_{t,k} d_{t - lag_k},    C = d y_hat / d output taps, 0 where clipped.
    After `passes` passes over all rollouts that turn it into the direction that grows most,
    `passes` more are measured.
    """
    cdef const Net* net = &plan.net
    cdef int B, j
    cdef Py_ssize_t size = _rows_at_once(plan), Kp = net.K * net.p, i, left
    cdef Py_ssize_t n = runs.n_steps
    cdef Measured data = runs.data
    cdef double growth = 0.0
    cdef _Workspace work = _Workspace(plan, size, net.K)
    cdef double[:, ::1] J = np.empty((size, net.P)), C = np.empty((net.p, size * net.n_y + 1))
    cdef double[::1] d = 1.0 / np.arange(Kp + net.p, 0, -1.0)       # oldest first, and the next
    cdef double[::1] G = np.empty(size * max(net.width, net.p)), spare = np.empty_like(G)
    cdef double[::1] fed = np.empty(net.n_fed + 1)
    cdef Walk walk
    runs.check(plan)
    if not n or not Kp:
        return 0.0
    with nogil:
        pack(net, &theta[0], work.w)
        normalise(&d[0], Kp)
        for i in range(2 * passes):
            if i == passes:
                growth = 0.0
            walk = Walk(runs.origins, runs.lengths, 0, 0, 0)
            left = n
            while left and -INFINITY < growth < INFINITY:
                B = <int>min(left, size)
                if roll_block(net, work.w, data, &walk, B, work.z, work.a, work.Z,
                              work.A, work.y_hat, work.rows, work.steps,
                              work.free):
                    for j in range(net.p):
                        jacobian(net, &theta[0], B, j, work.Z, work.A, work.free,
                                 &G[0], &spare[0], &J[0, 0], &C[j, 0])
                    growth += perturb(net, B, C, &d[0], &fed[0])
                    keep_path(net, work, B)
                else:
                    growth = INFINITY
                left -= B
            if not -INFINITY < growth < INFINITY:
                break
    return exp(growth / (passes * n))


cdef double perturb(const Net* net, int B, const double[:, ::1] C, double* d,
                    double* fed) noexcept nogil:
    """Take d, the last K outputs' perturbation, B rows on; the logarithm of its growth."""
    cdef double growth = 0.0
    cdef double* new = d + net.K * net.p
    cdef const double* c
    cdef Py_ssize_t r, k
    cdef int j
    for r in range(B):
        for j in range(net.p):
            new[j] = 0.0
            c = by_rows(net, &C[j, r * net.n_y], fed)
            for k in range(net.n_fed):
                new[j] += c[k] * new[net.column[k] - net.lag[k] * net.p]
        memmove(d, d + net.p, net.K * net.p * sizeof(double))
        growth += log(normalise(d, net.K * net.p))
    return growth


cdef inline double normalise(double* d, Py_ssize_t n) noexcept nogil:
    """Scale d to the norm 1, unless it is 0; its norm before."""
    cdef double square = 0.0, norm
    cdef Py_ssize_t i
    for i in range(n):
        square += d[i] * d[i]
    norm = sqrt(square)
    for i in range(n if norm > 0.0 else 0):
        d[i] /= norm
    return norm
