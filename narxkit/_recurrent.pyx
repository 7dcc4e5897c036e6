"""Kernels of the recurrent cells: LSTM, GRU and Elman networks, in double and in single precision.

    (h_t, c_t) = cell(x_t, h_{t-1}, c_{t-1}),    y_hat_t = h_t V + b + x_t U

with y_hat_t clipped to [low_t, high_t] where there are bounds, and x_t holding earlier outputs.

Design
------
A. One alphabet.  N sequences of T steps, m numbers in x, p outputs, L layers, H units of a layer,
   P parameters, S steps with targets, B sequences worked on together.
B. Parameters are one flat vector of doubles.  `CellPlan.parts` names its blocks and their offsets:
   for each layer the rows for h, the row of biases, the rows for x, so that a layer is one matrix
   on the concatenated [h | 1 | x], then peepholes, and last V, b and U.
       lstm        i, f, o = sigmoid, g = tanh of the sums;  c = f c_0 + i g,  h = o tanh(c)
                   columns i f g o; peepholes (3, H) from c_0 to i and to f, from c to o
       gru         r, z = sigmoid of the sums, n = tanh(n + r m), h = (1 - z) n + z h_0
                   columns m r z for h, m r z n for the biases, r z n for x
       tanh, relu  h = f(the sums)
C. `x` comes prepared, sequence after sequence.  Only the first numbers of x, the output taps, may
   be replaced, by the network's own earlier outputs where `own` says so.  So a window of measured
   rows, a missing output in it, steps on own outputs and one long run are the same sweep.
D. A block of sequences goes forwards through all its steps and then backwards, so that what is
   kept stays in the cache.  Its products go through BLAS, one for each step on [h | 1 | x]; weight
   gradients are added up over many steps at once.  One or two sequences, for which BLAS is slow
   to begin, go through hand-written products.  Blocks depend on shapes and on the kind of BLAS
   alone, so the same call gives the same bits.
E. Weights are packed for a call: units padded to vectors of 64 bytes, rows that are no multiple of
   2 KB apart, since such rows would share the same few lines of the cache.  Padded units stay 0.
F. Layers of a step stand innermost: the feedback of an output passes all of them.
G. One source for both precisions, fused over the type of x; sums of squares and the gradient over
   all blocks are double in both.
H. Python checks, allocates and passes outputs last; they are marked OUT.  Inside there is no
   Python object, no allocation, no lock, and `stop` is looked at in every step.
"""

from functools import cache

import numpy as np
from threadpoolctl import threadpool_info

cimport numpy as cnp
from libc.math cimport INFINITY, NAN, fabs, isfinite, isnan, sqrt
from libc.string cimport memcpy, memset
from scipy.linalg.cython_blas cimport dgemm, dgemv, dsyrk, sgemm

cnp.import_array()

cdef extern from "_simd_cells.h" nogil:
    void nk_lstm_d(Py_ssize_t B, Py_ssize_t H, double* G, Py_ssize_t ldg, const double* c_0,
                   double* c_1, double* t_1, double* h_1, Py_ssize_t ldh, const double* peepholes)
    void nk_lstm_f(Py_ssize_t B, Py_ssize_t H, float* G, Py_ssize_t ldg, const float* c_0,
                   float* c_1, float* t_1, float* h_1, Py_ssize_t ldh, const float* peepholes)
    void nk_gru_d(Py_ssize_t B, Py_ssize_t H, double* G, Py_ssize_t ldg, const double* h_0,
                  double* h_1, Py_ssize_t ldh)
    void nk_gru_f(Py_ssize_t B, Py_ssize_t H, float* G, Py_ssize_t ldg, const float* h_0,
                  float* h_1, Py_ssize_t ldh)
    void nk_elman_d(Py_ssize_t B, Py_ssize_t H, int is_relu, double* G, Py_ssize_t ldg,
                    double* h_1, Py_ssize_t ldh)
    void nk_elman_f(Py_ssize_t B, Py_ssize_t H, int is_relu, float* G, Py_ssize_t ldg,
                    float* h_1, Py_ssize_t ldh)
    void nk_lstm_back_d(Py_ssize_t B, Py_ssize_t H, const double* G, Py_ssize_t ldg,
                        const double* c_0, const double* c_1, const double* t_1,
                        const double* dh_1, double* dc_1, double* D, const double* peepholes,
                        double* dP)
    void nk_lstm_back_f(Py_ssize_t B, Py_ssize_t H, const float* G, Py_ssize_t ldg,
                        const float* c_0, const float* c_1, const float* t_1,
                        const float* dh_1, float* dc_1, float* D, const float* peepholes,
                        float* dP)
    void nk_gru_back_d(Py_ssize_t B, Py_ssize_t H, const double* G, Py_ssize_t ldg,
                       const double* h_0, Py_ssize_t ldh, double* dh_1, double* D)
    void nk_gru_back_f(Py_ssize_t B, Py_ssize_t H, const float* G, Py_ssize_t ldg,
                       const float* h_0, Py_ssize_t ldh, float* dh_1, float* D)
    void nk_elman_back_d(Py_ssize_t B, Py_ssize_t H, int is_relu, const double* G, Py_ssize_t ldg,
                         const double* dh_1, double* D)
    void nk_elman_back_f(Py_ssize_t B, Py_ssize_t H, int is_relu, const float* G, Py_ssize_t ldg,
                         const float* dh_1, float* D)
    void nk_axpy_d(Py_ssize_t m, double a, const double* x, double* y)
    void nk_axpy_f(Py_ssize_t m, float a, const float* x, float* y)
    double nk_inner_d(Py_ssize_t m, const double* x, const double* w)
    float nk_inner_f(Py_ssize_t m, const float* x, const float* w)
    void nk_row_d(Py_ssize_t n, Py_ssize_t m, int add, const double* z, const double* W,
                  Py_ssize_t ldw, double* g)
    void nk_row_f(Py_ssize_t n, Py_ssize_t m, int add, const float* z, const float* W,
                  Py_ssize_t ldw, float* g)

ctypedef fused real:
    double
    float

CELLS = {"lstm": 0, "gru": 1, "tanh": 2, "relu": 3}
DIVERGED = 1e3          # standard deviations: a run on its own output that leaves them has diverged

cdef enum:
    LSTM, GRU, TANH, RELU
    MAX_LAYERS = 32
    CHUNK = 128         # rows of a product for the gradient of the weights
    SMALL = 1000000     # multiplications that OpenBLAS's kernels for small products take
    FEW = 2             # sequences: products by hand, which BLAS is slow to begin
    LINE = 64           # bytes of a line of the cache, and of the widest vector
    KEPT = 1 << 26      # bytes kept of a block

cdef double LIMIT = DIVERGED


cdef struct Layer:
    int H                   # units
    int n                   # numbers that come from below
    Py_ssize_t at           # offset of its weights in theta
    Py_ssize_t state        # offset of its h in a state; c follows
    Py_ssize_t mask         # offset of its units in the masks of dropout


cdef struct Net:
    int cell
    int L
    int m                   # numbers in x
    int p                   # outputs
    int n_y                 # output taps, first in x
    int gates               # of the sums of a unit
    int gates_h             # the first ones: what h reaches
    int gates_x             # the last ones: what x reaches
    int n_c                 # 1 where there is a c beside h
    bint peepholes
    bint bare               # without V, b and U: the outputs are the last h
    Py_ssize_t P
    Py_ssize_t V, b, U      # offsets in theta; U is -1 where there is no linear term
    Py_ssize_t n_state
    Py_ssize_t n_masks
    Layer layer[MAX_LAYERS]
    const Py_ssize_t* lag       # of each output tap
    const Py_ssize_t* column    # of each output tap


# How weights and rows are laid out in one precision, in numbers of that precision
cdef struct PaddedLayer:
    Py_ssize_t H            # padded units
    Py_ssize_t rows         # of its matrix: h, 1, x
    Py_ssize_t ldz          # from one row [h | 1 | x] to the next
    Py_ssize_t ldg          # from one row of gates to the next, and of the matrix
    Py_ssize_t W            # offset of its matrix
    Py_ssize_t P            # offset of its peepholes


cdef struct Padded:
    PaddedLayer layer[MAX_LAYERS]
    Py_ssize_t V, b, U      # offsets; V (p, H) and U (p, ldu) have a row for each output
    Py_ssize_t ldu
    Py_ssize_t size


cdef class CellPlan:
    """What the kernels must know of a network: sizes, offsets into theta, output taps.

    Parameters
    ----------
    cell : str
        A key of `CELLS`.
    n_inputs : int
        Numbers in x.
    hidden : tuple of int
        Units of each layer.
    n_outputs : int
        Outputs.
    linear : bool, default=False
        Whether x reaches the outputs directly as well.
    peepholes : bool, default=False
        Whether the gates of an LSTM see its c.
    outputs : tuple of (int, int), default=()
        (column, lag) of each output tap; these come first in x.
    head : bool, default=True
        Whether there are V and b; without, the outputs are h of the last layer, for networks that
        are put together of several, such as bidirectional ones.
    """

    cdef Net net
    cdef Padded doubles, floats
    cdef Py_ssize_t[::1] _lag, _column
    cdef readonly tuple args, parts

    def __init__(self, cell, n_inputs, hidden, n_outputs, linear=False, peepholes=False,
                 outputs=(), head=True):
        cdef Net* net = &self.net
        if cell not in CELLS:
            raise ValueError(f"{cell!r} is no cell: choose from {', '.join(CELLS)}.")
        if not 1 <= len(hidden) <= MAX_LAYERS:
            raise ValueError(f"between 1 and {MAX_LAYERS} layers are supported, not {len(hidden)}.")
        if peepholes and cell != "lstm":
            raise ValueError(f"peepholes belong to an LSTM: a cell {cell!r} has none.")
        last = hidden[len(hidden) - 1]
        if not head and (n_outputs != last or linear or outputs):
            raise ValueError(f"without a head the outputs are the {last} units of the last layer, "
                             "with no linear term and no feedback.")
        self.args = (cell, n_inputs, hidden, n_outputs, linear, peepholes, outputs, head)
        net.cell, net.L, net.m, net.p = CELLS[cell], len(hidden), n_inputs, n_outputs
        net.n_y, net.peepholes, net.n_c = len(outputs), peepholes, cell == "lstm"
        net.bare = not head
        net.gates, net.gates_h, net.gates_x = {"lstm": (4, 4, 4), "gru": (4, 3, 3)}.get(
            cell, (1, 1, 1))
        self.parts = self._lay_theta(hidden, linear)
        self._lag = np.array([lag for _, lag in outputs] + [0], dtype=np.intp)
        self._column = np.array([j for j, _ in outputs] + [0], dtype=np.intp)
        net.lag, net.column = &self._lag[0], &self._column[0]
        lay_weights(net, &self.doubles, LINE // sizeof(double))
        lay_weights(net, &self.floats, LINE // sizeof(float))

    def _lay_theta(self, hidden, linear):
        """Set all offsets; the blocks of theta as (name, layer, offset, shape), -1 for no layer."""
        cdef Net* net = &self.net
        cdef Py_ssize_t at = 0
        parts, below = [], net.m
        for l, H in enumerate(hidden):
            net.layer[l].H, net.layer[l].n, net.layer[l].at = H, below, at
            net.layer[l].state, net.layer[l].mask = net.n_state, net.n_masks
            net.n_state += (1 + net.n_c) * H
            net.n_masks += H if l < net.L - 1 else 0
            for name, shape in [("recurrent", (H, net.gates_h * H)), ("bias", (net.gates * H,)),
                                ("inward", (below, net.gates_x * H)),
                                ("peepholes", (3, H))][:3 + net.peepholes]:
                parts.append((name, l, at, shape))
                at += int(np.prod(shape))
            below = H
        net.V, net.b, net.U, net.P = at, at, -1, at
        if net.bare:
            return tuple(parts)
        net.b = net.V + below * net.p
        net.U = net.b + net.p if linear else -1
        net.P = net.b + net.p + (net.m * net.p if linear else 0)
        parts += [("outward", -1, net.V, (below, net.p)), ("intercept", -1, net.b, (net.p,))]
        if linear:
            parts.append(("straight", -1, net.U, (net.m, net.p)))
        return tuple(parts)

    def __reduce__(self):
        return CellPlan, self.args

    @property
    def n_params(self):
        return self.net.P

    @property
    def n_state(self):
        return self.net.n_state

    @property
    def n_masks(self):
        return self.net.n_masks


cdef Py_ssize_t pad(Py_ssize_t n, Py_ssize_t lanes) noexcept nogil:
    return (n + lanes - 1) // lanes * lanes


cdef Py_ssize_t apart(Py_ssize_t n, Py_ssize_t lanes) noexcept nogil:
    """Whole lines of the cache for n numbers, a distance that is no multiple of 2 KB."""
    n = pad(n, lanes)
    return n if n % (32 * lanes) else n + lanes


cdef void lay_weights(const Net* net, Padded* at, Py_ssize_t lanes) noexcept nogil:
    cdef int l
    cdef PaddedLayer* layer
    at.size = 0
    for l in range(net.L):
        layer = &at.layer[l]
        layer.H = pad(net.layer[l].H, lanes)
        layer.rows = layer.H + 1 + net.layer[l].n
        layer.ldz, layer.ldg = apart(layer.rows, lanes), apart(net.gates * layer.H, lanes)
        layer.W = at.size
        layer.P = layer.W + layer.rows * layer.ldg
        at.size = layer.P + (3 * layer.H if net.peepholes else 0)
    at.V = at.b = at.U = at.size
    if net.bare:
        return
    at.b = at.V + net.p * at.layer[net.L - 1].H
    at.ldu = pad(net.m, lanes)
    at.U = at.b + pad(net.p, lanes)
    at.size = at.U + (net.p * at.ldu if net.U >= 0 else 0)


cdef inline double* carry(real* w, double* theta, int gates, Py_ssize_t H, Py_ssize_t padded,
                          bint back) noexcept nogil:
    """A row of gates from theta to w, or added to it from there; where the next one stands."""
    cdef Py_ssize_t j
    cdef int _
    for _ in range(gates):
        for j in range(H):
            if back:
                theta[j] += w[j]
            else:
                w[j] = <real>theta[j]
        theta += H
        w += padded
    return theta


cdef void exchange(real* w, double* theta, const Net* net, const Padded* at,
                   bint back) noexcept nogil:
    """w = theta, padded; or, `back`, theta += w."""
    cdef int l, i, j
    cdef Py_ssize_t H, padded
    cdef double* t
    cdef real* row
    for l in range(net.L):
        H, padded = net.layer[l].H, at.layer[l].H
        t, row = theta + net.layer[l].at, w + at.layer[l].W
        for i in range(H):
            t = carry(row + i * at.layer[l].ldg, t, net.gates_h, H, padded, back)
        row += padded * at.layer[l].ldg
        t = carry(row, t, net.gates, H, padded, back)
        row += at.layer[l].ldg + (net.gates - net.gates_x) * padded
        for i in range(net.layer[l].n):
            t = carry(row + i * at.layer[l].ldg, t, net.gates_x, H, padded, back)
        if net.peepholes:
            carry(w + at.layer[l].P, t, 3, H, padded, back)
    for j in range(0 if net.bare else net.p):
        for i in range(net.layer[net.L - 1].H):
            carry(w + at.V + j * at.layer[net.L - 1].H + i, theta + net.V + i * net.p + j, 1, 1, 1,
                  back)
        carry(w + at.b + j, theta + net.b + j, 1, 1, 1, back)
        for i in range(net.m if net.U >= 0 else 0):
            carry(w + at.U + j * at.ldu + i, theta + net.U + i * net.p + j, 1, 1, 1, back)


cdef inline void pack(real* w, const double* theta, const Net* net,
                      const Padded* at) noexcept nogil:
    memset(w, 0, at.size * sizeof(real))
    exchange(w, <double*>theta, net, at, False)


# ---------------------------------------------------------------- sequences
cdef struct Data:
    const void* x
    const void* y
    const void* weight
    const void* low
    const void* high
    const void* shocks
    const void* state
    const void* masks
    const unsigned char* own
    const Py_ssize_t* starts        # rows of tables, or NULL
    const Py_ssize_t* begins
    const Py_ssize_t* ends
    Py_ssize_t N, T, first, S


cdef inline Py_ssize_t row_of(const Data* data, Py_ssize_t i, Py_ssize_t t) noexcept nogil:
    """The row of x and of the bounds in step t of sequence i."""
    return data.starts[i] + t if data.starts != NULL else i * data.T + t


cdef inline Py_ssize_t target_of(const Data* data, Py_ssize_t i, Py_ssize_t t) noexcept nogil:
    """The row of y and of the weights in step t of sequence i."""
    return data.starts[i] + t if data.starts != NULL else i * data.S + t - data.first


cdef const void* readable(name, array, int kind, tuple shape) except? NULL:
    """The first byte of an array; NULL without one."""
    if array is None:
        return NULL
    if not fits(array, kind, shape, False):
        raise ValueError(
            f"{name} must be a contiguous array of shape {shape} and dtype "
            f"{cnp.PyArray_DescrFromType(kind)}, not {np.shape(array)} and "
            f"{getattr(array, 'dtype', type(array).__name__)}.")
    return cnp.PyArray_DATA(array)      # which is not NULL for an empty array either


cdef inline Py_ssize_t begin_of(const Data* data, Py_ssize_t i) noexcept nogil:
    return data.begins[i] if data.begins != NULL else 0


cdef inline Py_ssize_t end_of(const Data* data, Py_ssize_t i) noexcept nogil:
    return data.ends[i] if data.ends != NULL else data.T


cdef bint fits(array, int kind, tuple shape, bint writable):
    """Whether kernels may read, or write to, the memory of an array."""
    if not cnp.PyArray_Check(array) or array.shape != shape:
        return False
    if not cnp.PyArray_EquivTypenums(cnp.PyArray_TYPE(array), kind):
        return False
    return cnp.PyArray_ISCARRAY(array) if writable else cnp.PyArray_ISCARRAY_RO(array)


cdef class Windows:
    """Sequences of prepared rows, as the kernels of cells read them.

    All arrays of numbers have the type of x, which decides the precision of the kernels. Arrays of
    all sequences are copied by nobody: with `starts`, windows are rows of tables, one after
    another, and may overlap.

    Parameters
    ----------
    plan : CellPlan
        The network that they are for.
    x : ndarray of shape (N, T, m), or (n, m) with `starts`; double or single precision
        What the network reads in each step, output taps first. What stands outside the steps of a
        sequence, and where an own output takes its place, is not read.
    begins, ends : ndarray of intp of shape (N,), optional
        The steps of each sequence; all of them without.
    first : int, default=0
        The first step whose outputs are wanted: S = T - first of them.
    y : ndarray of shape (N, S, p), or (n, p) with `starts`, optional
        Targets; NaN where there is none.
    weight : ndarray of shape (N, S), or (n,) with `starts`, optional
        Weights of their squared errors; 1 without.
    own : ndarray of uint8 of shape (N, T, p), optional
        The outputs that later steps read as the network's own; none without.
    low, high : ndarray of shape (N, T, p), or (n, p) with `starts`, optional
        Bounds of the outputs; NaN where there is none.
    shocks : ndarray of shape (N, T, p), optional
        What is added to the outputs before they are clipped and fed back.
    state : ndarray of shape (N, n_state), optional
        The state before the first step of each; zero without.
    masks : ndarray of shape (N, n_masks), optional
        What the units of all layers but the last are multiplied by on their way up.
    starts : ndarray of intp of shape (N,), optional
        The row of step 0 of each sequence in the tables; one that has not begun may stand outside.
    steps : int, optional
        With `starts`, T.
    """

    cdef Data data
    cdef Py_ssize_t m, p, n_state, n_masks     # of the network
    cdef readonly bint single
    cdef tuple _kept        # what the addresses point to

    def __init__(self, CellPlan plan, x, begins=None, ends=None, first=0, y=None, weight=None,
                 own=None, low=None, high=None, shocks=None, state=None, masks=None, starts=None,
                 steps=None):
        cdef Data* data = &self.data
        cdef Py_ssize_t p = plan.net.p
        if not cnp.PyArray_Check(x) or x.dtype not in (np.float64, np.float32):
            raise ValueError("x must be an array of dtype float64 or float32, not "
                             f"{getattr(x, 'dtype', type(x).__name__)}.")
        self.m, self.p = plan.net.m, p
        self.n_state, self.n_masks = plan.net.n_state, plan.net.n_masks
        self.single = x.dtype == np.float32
        self._kept = x, begins, ends, y, weight, own, low, high, shocks, state, masks, starts
        N, T = x.shape[:2] if starts is None else (len(starts), steps)
        if not 0 <= first <= T:
            raise ValueError(f"outputs from step {first} on need as many steps, not {T}.")
        rows = (N, T) if starts is None else x.shape[:1]
        targets = (N, T - first) if starts is None else rows
        kind = cnp.NPY_FLOAT if self.single else cnp.NPY_DOUBLE
        data.N, data.T, data.first, data.S = N, T, first, T - first
        data.x = readable("x", x, kind, (*rows, plan.net.m))
        data.y = readable("y", y, kind, (*targets, p))
        data.weight = readable("weight", weight, kind, targets)
        data.own = <const unsigned char*>readable("own", own, cnp.NPY_UINT8, (N, T, p))
        data.low = readable("low", low, kind, (*rows, p))
        data.high = readable("high", high, kind, (*rows, p))
        data.shocks = readable("shocks", shocks, kind, (N, T, p))
        data.state = readable("state", state, kind, (N, plan.net.n_state))
        data.masks = readable("masks", masks, kind, (N, plan.net.n_masks))
        data.starts = <const Py_ssize_t*>readable("starts", starts, cnp.NPY_INTP, (N,))
        data.begins = <const Py_ssize_t*>readable("begins", begins, cnp.NPY_INTP, (N,))
        data.ends = <const Py_ssize_t*>readable("ends", ends, cnp.NPY_INTP, (N,))
        if (low is None) != (high is None):
            raise ValueError("low and high bounds come together.")
        self._check_steps(len(x))

    cdef _check_steps(self, Py_ssize_t n):
        """Sequences stay within their steps and, of tables, within their n rows."""
        cdef const Data* data = &self.data
        cdef Py_ssize_t i, begin, end
        for i in range(data.N):
            begin, end = begin_of(data, i), end_of(data, i)
            if not 0 <= begin <= end <= data.T:
                raise ValueError(
                    f"sequences must begin and end, in this order, within {data.T} steps.")
            if data.starts != NULL and begin < end and not (
                    0 <= data.starts[i] + begin and data.starts[i] + end <= n):
                raise ValueError(f"sequences must stay within the {n} rows of their tables.")

    @property
    def shape(self):
        return self.data.N, self.data.T


# ---------------------------------------------------------------- a block's work
cdef struct Workspace:
    # of each layer: rows [h_{t-1} | 1 | x_t], gates, c, tanh(c), derivatives by h, c and sums
    void* Z[MAX_LAYERS]
    void* G[MAX_LAYERS]
    void* C[MAX_LAYERS]
    void* tanh_C[MAX_LAYERS]
    void* dH[MAX_LAYERS]
    void* dC[MAX_LAYERS]
    void* D[MAX_LAYERS]
    void* y_hat             # (T, B, p)
    void* adjoint           # (T, B, p)
    unsigned char* free     # (T, B, p): 0 where clipped
    void* dx                # (B, numbers from below)
    void* dstate            # (B, n_state)
    void* end               # (B, n_state)
    void* w                 # packed weights
    void* dw                # and their derivatives
    Py_ssize_t* begins      # (B,)
    Py_ssize_t* ends
    Py_ssize_t* bad
    Py_ssize_t every        # steps between kept ones: 1, or 0 where they are not kept
    Py_ssize_t steps        # of D


@cache
def _multiplies_few_rows_fast():
    """Whether BLAS has kernels for small products, which do not copy the weights each time."""
    small = ("SkylakeX", "Cooperlake", "SapphireRapids")
    return any(pool.get("architecture") in small for pool in threadpool_info())


cdef Py_ssize_t chunk_of(const Net* net, const Padded* at) except -1:
    """Rows of a product for the gradient of the weights: fewer, if half of them make it small."""
    cdef Py_ssize_t rows = CHUNK, small, columns
    cdef int l
    for l in range(net.L if _multiplies_few_rows_fast() else 0):
        columns = at.layer[l].H * net.gates_h
        small = at.layer[l].rows
        if net.cell == GRU:
            small = max(at.layer[l].H, small - at.layer[l].H)
        small = SMALL // (small * columns)
        if small >= CHUNK // 2:
            rows = min(rows, small)
    return rows


cdef class _Workspace:
    """Memory for B sequences worked on together."""

    cdef Workspace work
    cdef object _memory

    def __init__(self, CellPlan plan, Windows windows, Py_ssize_t B, bint keep, bint back=False,
                 bint by_row=False):
        cdef const Net* net = &plan.net
        cdef const Padded* at = &plan.floats if windows.single else &plan.doubles
        cdef Workspace* work = &self.work
        cdef Py_ssize_t size = 4 if windows.single else 8, T = windows.data.T, used, widest = 0
        cdef Py_ssize_t kept = T if keep else 1
        cdef int l, turn
        cdef char* base = NULL
        work.every = keep
        work.steps = T if by_row else max(1, min(T, chunk_of(net, at) // B))
        for turn in range(2):           # the first adds up, the second hands out
            used = 0
            for l in range(net.L):
                H = at.layer[l].H
                work.Z[l] = take(base, &used, (kept + 1) * B * at.layer[l].ldz * size)
                work.G[l] = take(base, &used, kept * B * at.layer[l].ldg * size)
                work.C[l] = take(base, &used, net.n_c * (kept + 1) * B * H * size)
                work.tanh_C[l] = take(base, &used, net.n_c * kept * B * H * size)
                work.dH[l] = take(base, &used, back * B * H * size)
                work.dC[l] = take(base, &used, back * net.n_c * B * H * size)
                work.D[l] = take(base, &used, back * work.steps * B * at.layer[l].ldg * size)
                widest = max(widest, net.layer[l].n)
            work.y_hat = take(base, &used, T * B * net.p * size)
            work.adjoint = take(base, &used, back * T * B * net.p * size)
            work.free = <unsigned char*>take(base, &used, T * B * net.p)
            work.dx = take(base, &used, back * B * widest * size)
            work.dstate = take(base, &used, back * B * net.n_state * size)
            work.end = take(base, &used, B * net.n_state * size)
            work.w = take(base, &used, at.size * size)
            work.dw = take(base, &used, back * (B if by_row else 1) * at.size * size)
            work.begins = <Py_ssize_t*>take(base, &used, B * sizeof(Py_ssize_t))
            work.ends = <Py_ssize_t*>take(base, &used, B * sizeof(Py_ssize_t))
            work.bad = <Py_ssize_t*>take(base, &used, B * sizeof(Py_ssize_t))
            if not turn:
                base = self._allocate(used)

    cdef char* _allocate(self, Py_ssize_t n):
        cdef unsigned char[::1] memory = np.empty(n + LINE, dtype=np.uint8)
        cdef size_t start = <size_t>&memory[0]
        self._memory = memory
        return <char*>&memory[0] + (LINE - start % LINE) % LINE


cdef void* take(char* base, Py_ssize_t* used, Py_ssize_t n) noexcept nogil:
    """The next n bytes, on a line of the cache of their own."""
    cdef char* here = base + used[0] if base != NULL else NULL
    used[0] += pad(n, LINE)
    return here


cdef Py_ssize_t block_of(CellPlan plan, Windows windows, Py_ssize_t wanted,
                         bint keep) except -1:
    """Sequences in a block, unless told: few, which stay in the cache, if BLAS is fast on few.

    What is kept of them takes 64 MB at most, or as much as one sequence does.
    """
    cdef const Padded* at = &plan.floats if windows.single else &plan.doubles
    cdef Py_ssize_t B = wanted, size = 4 if windows.single else 8, numbers = 1
    cdef int l
    for l in range(plan.net.L):
        numbers += at.layer[l].ldz + at.layer[l].ldg + 2 * plan.net.n_c * at.layer[l].H
    if not B:
        B = (32 if plan.net.layer[0].H <= 16 else 8) if _multiplies_few_rows_fast() else 128
        if keep:
            B = min(B, KEPT // (numbers * size * max(1, windows.data.T)))
    return max(1, min(B, windows.data.N))


cdef inline Py_ssize_t blocks(Py_ssize_t N, Py_ssize_t B) noexcept nogil:
    return (N + B - 1) // B


# ---------------------------------------------------------------- products
cdef inline void gemm(char* of_a, char* of_b, int m, int n, int k, const real* A, Py_ssize_t lda,
                      const real* B, Py_ssize_t ldb, real beta, real* C,
                      Py_ssize_t ldc) noexcept nogil:
    """BLAS's own, by columns: C = A B + beta C."""
    cdef int a = <int>lda, b = <int>ldb, c = <int>ldc
    cdef real one = 1.0
    if real is float:
        sgemm(of_a, of_b, &m, &n, &k, &one, <float*>A, &a, <float*>B, &b, &beta, C, &c)
    else:
        dgemm(of_a, of_b, &m, &n, &k, &one, <double*>A, &a, <double*>B, &b, &beta, C, &c)


cdef inline void forth(Py_ssize_t B, Py_ssize_t n, Py_ssize_t m, const real* Z, Py_ssize_t ldz,
                       const real* W, Py_ssize_t ldw, bint add, real* G,
                       Py_ssize_t ldg) noexcept nogil:
    """G (B, m) = Z (B, n) W, or added to it; m is padded."""
    cdef Py_ssize_t b
    if B > FEW:
        gemm("N", "N", <int>m, <int>B, <int>n, W, ldw, Z, ldz, <real>add, G, ldg)
        return
    for b in range(B):
        if real is float:
            nk_row_f(n, m, add, Z + b * ldz, W, ldw, G + b * ldg)
        else:
            nk_row_d(n, m, add, Z + b * ldz, W, ldw, G + b * ldg)


cdef inline void back(Py_ssize_t B, Py_ssize_t n, Py_ssize_t m, const real* D, Py_ssize_t ldd,
                      const real* W, Py_ssize_t ldw, bint add, real* dZ,
                      Py_ssize_t ldz) noexcept nogil:
    """dZ (B, n) = D (B, m) W', or added to it."""
    cdef Py_ssize_t b, i
    if B > FEW:
        gemm("T", "N", <int>n, <int>B, <int>m, W, ldw, D, ldd, <real>add, dZ, ldz)
        return
    for b in range(B):
        for i in range(n):
            dZ[b * ldz + i] = ((dZ[b * ldz + i] if add else 0.0)
                               + inner(m, W + i * ldw, D + b * ldd))


cdef inline void outer(Py_ssize_t R, Py_ssize_t n, Py_ssize_t m, const real* Z, Py_ssize_t ldz,
                       const real* D, Py_ssize_t ldd, real* dW, Py_ssize_t ldw) noexcept nogil:
    """dW (n, m) += Z (R, n)' D (R, m)."""
    gemm("N", "T", <int>m, <int>n, <int>R, D, ldd, Z, ldz, <real>1.0, dW, ldw)


cdef inline real inner(Py_ssize_t m, const real* x, const real* w) noexcept nogil:
    if real is float:
        return nk_inner_f(m, x, w)
    else:
        return nk_inner_d(m, x, w)


cdef inline void axpy(Py_ssize_t m, real a, const real* x, real* y) noexcept nogil:
    if real is float:
        nk_axpy_f(m, a, x, y)
    else:
        nk_axpy_d(m, a, x, y)


# ---------------------------------------------------------------- forwards
cdef inline real* row_z(const real* w, const Padded* at, const Workspace* work, int l, Py_ssize_t B,
                        Py_ssize_t t) noexcept nogil:
    """The rows [h_{t-1} | 1 | x_t] of a layer."""
    cdef Py_ssize_t slot = t if work.every else t & 1
    return <real*>work.Z[l] + slot * B * at.layer[l].ldz


cdef inline real* row_c(const real* w, const Padded* at, const Workspace* work, int l, Py_ssize_t B,
                        Py_ssize_t t) noexcept nogil:
    """c_{t-1} of a layer."""
    cdef Py_ssize_t slot = t if work.every else t & 1
    return <real*>work.C[l] + slot * B * at.layer[l].H


cdef void read(const real* w, const Net* net, const Padded* at, const Data* data,
               const Workspace* work, Py_ssize_t i, Py_ssize_t B, Py_ssize_t t) noexcept nogil:
    """1 and x of step t into the rows of the first layer, own outputs in their places."""
    cdef Py_ssize_t b, s, ldz = at.layer[0].ldz
    cdef int k
    cdef real* z = row_z(w, at, work, 0, B, t) + at.layer[0].H
    cdef const real* y_hat = <const real*>work.y_hat
    cdef const real* x
    for b in range(B):
        z[0] = 1.0
        if work.begins[b] <= t < work.ends[b]:
            x = <const real*>data.x + row_of(data, i + b, t) * net.m
            for k in range(net.m):
                z[1 + k] = x[k]
            for k in range(net.n_y if data.own != NULL else 0):
                s = t - net.lag[k]
                if s >= work.begins[b] and data.own[((i + b) * data.T + s) * net.p + net.column[k]]:
                    z[1 + k] = y_hat[(s * B + b) * net.p + net.column[k]]
        else:
            memset(z + 1, 0, net.m * sizeof(real))
        z += ldz


cdef void climb(const real* w, const Net* net, const Padded* at, const Data* data,
                const Workspace* work, Py_ssize_t i, Py_ssize_t B, Py_ssize_t t,
                int l) noexcept nogil:
    """1 and the units below, through the mask of dropout, into the rows of layer l."""
    cdef Py_ssize_t b, j, H = net.layer[l].n, ldz = at.layer[l].ldz, below = at.layer[l - 1].ldz
    cdef real* z = row_z(w, at, work, l, B, t) + at.layer[l].H
    cdef const real* h = row_z(w, at, work, l - 1, B, t + 1)
    cdef const real* mask
    for b in range(B):
        z[0] = 1.0
        if data.masks != NULL:
            mask = <const real*>data.masks + (i + b) * net.n_masks + net.layer[l - 1].mask
            for j in range(H):
                z[1 + j] = h[j] * mask[j]
        else:
            memcpy(z + 1, h, H * sizeof(real))
        z += ldz
        h += below


cdef void set_states(const real* w, const Net* net, const Padded* at, const Data* data,
                     const Workspace* work, Py_ssize_t i, Py_ssize_t B,
                     Py_ssize_t t) noexcept nogil:
    """The states before step t: given ones where a sequence begins, zero before and long after.

    A sequence that has ended runs on for one step, since its last states are still needed.
    """
    cdef Py_ssize_t b, H
    cdef int l
    cdef real* h
    cdef real* c = NULL
    cdef const real* state
    cdef real* end
    for b in range(B):
        if work.begins[b] < t < work.ends[b]:
            continue
        for l in range(net.L):
            H = net.layer[l].H
            h = row_z(w, at, work, l, B, t) + b * at.layer[l].ldz
            if net.n_c:
                c = row_c(w, at, work, l, B, t) + b * at.layer[l].H
            if t <= work.begins[b] or t > work.ends[b]:
                memset(h, 0, at.layer[l].H * sizeof(real))
                if net.n_c:
                    memset(c, 0, at.layer[l].H * sizeof(real))
            if t == work.begins[b] and data.state != NULL:
                state = <const real*>data.state + (i + b) * net.n_state + net.layer[l].state
                memcpy(h, state, H * sizeof(real))
                if net.n_c:
                    memcpy(c, state + H, H * sizeof(real))
            if t == work.ends[b]:
                end = <real*>work.end + b * net.n_state + net.layer[l].state
                memcpy(end, h, H * sizeof(real))
                if net.n_c:
                    memcpy(end + H, c, H * sizeof(real))


cdef void advance(const real* w, const Net* net, const Padded* at, const Workspace* work, int l,
                  Py_ssize_t B, Py_ssize_t t) noexcept nogil:
    """Step t of a layer, whose rows are there."""
    cdef Py_ssize_t b, H = at.layer[l].H, ldz = at.layer[l].ldz, ldg = at.layer[l].ldg
    cdef Py_ssize_t slot = t * work.every
    cdef const real* W = w + at.layer[l].W
    cdef const real* peepholes = w + at.layer[l].P if net.peepholes else NULL
    cdef real* z = row_z(w, at, work, l, B, t)
    cdef real* h = row_z(w, at, work, l, B, t + 1)
    cdef real* G = <real*>work.G[l] + slot * B * ldg
    cdef real* c_0
    cdef real* c_1
    cdef real* tanh_c
    if net.cell == GRU:                 # m does not see x, n does not see h
        forth(B, at.layer[l].rows - H, 3 * H, z + H, ldz, W + H * ldg + H, ldg, False, G + H, ldg)
        for b in range(B):
            memcpy(G + b * ldg, W + H * ldg, H * sizeof(real))
        forth(B, H, 3 * H, z, ldz, W, ldg, True, G, ldg)
    else:
        forth(B, at.layer[l].rows, net.gates * H, z, ldz, W, ldg, False, G, ldg)
    if net.cell == LSTM:
        c_0, c_1 = row_c(w, at, work, l, B, t), row_c(w, at, work, l, B, t + 1)
        tanh_c = <real*>work.tanh_C[l] + slot * B * H
        if real is float:
            nk_lstm_f(B, H, G, ldg, c_0, c_1, tanh_c, h, ldz, peepholes)
        else:
            nk_lstm_d(B, H, G, ldg, c_0, c_1, tanh_c, h, ldz, peepholes)
    elif net.cell == GRU:
        if real is float:
            nk_gru_f(B, H, G, ldg, z, h, ldz)
        else:
            nk_gru_d(B, H, G, ldg, z, h, ldz)
    else:
        if real is float:
            nk_elman_f(B, H, net.cell == RELU, G, ldg, h, ldz)
        else:
            nk_elman_d(B, H, net.cell == RELU, G, ldg, h, ldz)


cdef inline bint clip(const real* low, const real* high, real* y_hat) noexcept nogil:
    """Put y_hat between the bounds (NaN: no bound); whether that moved it."""
    if y_hat[0] < low[0]:
        y_hat[0] = low[0]
        return True
    if y_hat[0] > high[0]:
        y_hat[0] = high[0]
        return True
    return False


cdef inline void head(const real* w, const Net* net, const Padded* at, const real* h,
                      const real* x, real* y_hat) noexcept nogil:
    """y_hat (p) of one row."""
    cdef Py_ssize_t H = at.layer[net.L - 1].H
    cdef int j
    if net.bare:
        memcpy(y_hat, h, net.p * sizeof(real))
        return
    for j in range(net.p):
        y_hat[j] = w[at.b + j] + inner(H, h, w + at.V + j * H)
        if net.U >= 0:
            y_hat[j] += inner(net.m, x, w + at.U + j * at.ldu)


cdef void answer(const real* w, const Net* net, const Padded* at, const Data* data,
                 const Workspace* work, Py_ssize_t i, Py_ssize_t B, Py_ssize_t t) noexcept nogil:
    """The outputs of step t, clipped; a sequence on its own output ends with its first bad one."""
    cdef Py_ssize_t b, place
    cdef int j
    cdef const real* h = row_z(w, at, work, net.L - 1, B, t + 1)
    cdef const real* x = row_z(w, at, work, 0, B, t) + at.layer[0].H + 1
    cdef real* y_hat = <real*>work.y_hat + t * B * net.p
    cdef unsigned char* free = work.free + t * B * net.p
    for b in range(B):
        head(w, net, at, h, x, y_hat)
        for j in range(net.p):
            free[j] = 1
            if not work.begins[b] <= t < work.ends[b]:
                continue
            if data.shocks != NULL:
                y_hat[j] += (<const real*>data.shocks)[((i + b) * data.T + t) * net.p + j]
            if data.low != NULL:
                place = row_of(data, i + b, t) * net.p + j
                free[j] = not clip(<const real*>data.low + place, <const real*>data.high + place,
                                   y_hat + j)
            if not fabs(y_hat[j]) <= LIMIT and not net.bare:
                if work.bad[b] < 0:
                    work.bad[b] = t
                if data.own != NULL:
                    work.ends[b] = t
        y_hat += net.p
        free += net.p
        h += at.layer[net.L - 1].ldz
        x += at.layer[0].ldz


cdef inline void fill(real* x, Py_ssize_t n, real value) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        x[i] = value


cdef bint sweep(const real* w, const Net* net, const Padded* at, const Data* data, Workspace* work,
                Py_ssize_t i, Py_ssize_t B, const int* stop, Py_ssize_t* t_0,
                Py_ssize_t* t_1) noexcept nogil:
    """B sequences from the i-th on, through all their steps t_0 <= t < t_1; False when stopped."""
    cdef Py_ssize_t b, t
    cdef int l
    t_0[0], t_1[0] = data.T, 0
    for b in range(B):
        work.begins[b], work.ends[b] = begin_of(data, i + b), end_of(data, i + b)
        work.bad[b] = -1
        t_0[0], t_1[0] = min(t_0[0], work.begins[b]), max(t_1[0], work.ends[b])
    fill(<real*>work.end, B * net.n_state, NAN)
    for t in range(t_0[0], t_1[0]):
        if stop[0]:
            return False
        set_states(w, net, at, data, work, i, B, t)
        read(w, net, at, data, work, i, B, t)
        for l in range(net.L):
            if l:
                climb(w, net, at, data, work, i, B, t, l)
            advance(w, net, at, work, l, B, t)
        if t >= data.first or data.own != NULL:
            answer(w, net, at, data, work, i, B, t)
    set_states(w, net, at, data, work, i, B, t_1[0])
    return True


# ---------------------------------------------------------------- backwards
cdef void leave(const real* w, real* dw, const Net* net, const Padded* at, const Workspace* work,
                Py_ssize_t B, Py_ssize_t t, bint by_row) noexcept nogil:
    """From the derivatives by the outputs of step t to those by h, V, b and U."""
    cdef Py_ssize_t _, H = at.layer[net.L - 1].H
    cdef int j
    cdef real d
    cdef const real* h = row_z(w, at, work, net.L - 1, B, t + 1)
    cdef const real* x = row_z(w, at, work, 0, B, t) + at.layer[0].H + 1
    cdef real* adjoint = <real*>work.adjoint + t * B * net.p
    cdef real* dh = <real*>work.dH[net.L - 1]
    cdef const unsigned char* free = work.free + t * B * net.p
    for _ in range(B):
        for j in range(net.p):
            d = adjoint[j] = adjoint[j] if free[j] else 0.0
            if d == 0.0:
                continue
            if net.bare:
                dh[j] += d
                continue
            axpy(H, d, w + at.V + j * H, dh)
            axpy(H, d, h, dw + at.V + j * H)
            dw[at.b + j] += d
            if net.U >= 0:
                axpy(net.m, d, x, dw + at.U + j * at.ldu)
        adjoint += net.p
        free += net.p
        dh += H
        h += at.layer[net.L - 1].ldz
        x += at.layer[0].ldz
        if by_row:
            dw += at.size


cdef void retreat(const real* w, real* dw, const Net* net, const Padded* at, const Workspace* work,
                  int l, Py_ssize_t B, Py_ssize_t t, bint by_row) noexcept nogil:
    """Step t of a layer backwards, as far as the sums of its gates."""
    cdef Py_ssize_t b, k, H = at.layer[l].H, ldz = at.layer[l].ldz, ldg = at.layer[l].ldg
    cdef Py_ssize_t part = 1 if by_row and net.peepholes else B
    cdef const real* G = <const real*>work.G[l] + t * B * ldg
    cdef const real* z = row_z(w, at, work, l, B, t)
    cdef const real* peepholes = w + at.layer[l].P if net.peepholes else NULL
    cdef real* D = <real*>work.D[l] + t % work.steps * B * ldg
    cdef real* dH = <real*>work.dH[l]
    cdef real* dC = <real*>work.dC[l]
    cdef real* dP
    cdef const real* c_0
    cdef const real* c_1
    cdef const real* tanh_c
    if net.cell == LSTM:
        c_0, c_1 = row_c(w, at, work, l, B, t), row_c(w, at, work, l, B, t + 1)
        tanh_c = <const real*>work.tanh_C[l] + t * B * H
        for k in range(B // part):
            b = k * part
            dP = dw + b * at.size * by_row + at.layer[l].P
            if real is float:
                nk_lstm_back_f(part, H, G + b * ldg, ldg, c_0 + b * H, c_1 + b * H, tanh_c + b * H,
                               dH + b * H, dC + b * H, D + b * ldg, peepholes, dP)
            else:
                nk_lstm_back_d(part, H, G + b * ldg, ldg, c_0 + b * H, c_1 + b * H, tanh_c + b * H,
                               dH + b * H, dC + b * H, D + b * ldg, peepholes, dP)
    elif net.cell == GRU:
        if real is float:
            nk_gru_back_f(B, H, G, ldg, z, ldz, dH, D)
        else:
            nk_gru_back_d(B, H, G, ldg, z, ldz, dH, D)
    else:
        if real is float:
            nk_elman_back_f(B, H, net.cell == RELU, G, ldg, dH, D)
        else:
            nk_elman_back_d(B, H, net.cell == RELU, G, ldg, dH, D)


cdef void hand_down(const real* w, const Net* net, const Padded* at, const Data* data,
                    const Workspace* work, Py_ssize_t i, int l, Py_ssize_t B, Py_ssize_t t,
                    int n) noexcept nogil:
    """From the sums of the gates to the first n numbers from below: units of the layer below, or
    x, into dx."""
    cdef Py_ssize_t b, j, H = at.layer[l].H, ldg = at.layer[l].ldg
    cdef Py_ssize_t skipped = (net.gates - net.gates_x) * H
    cdef const real* W = w + at.layer[l].W + (H + 1) * ldg + skipped
    cdef const real* D = <const real*>work.D[l] + t % work.steps * B * ldg + skipped
    cdef real* dx = <real*>work.dx
    cdef real* below
    cdef const real* mask
    if l and data.masks == NULL:
        back(B, n, net.gates_x * H, D, ldg, W, ldg, True, <real*>work.dH[l - 1],
             at.layer[l - 1].H)
        return
    back(B, n, net.gates_x * H, D, ldg, W, ldg, False, dx, n)
    for b in range(B if l else 0):
        below = <real*>work.dH[l - 1] + b * at.layer[l - 1].H
        mask = <const real*>data.masks + (i + b) * net.n_masks + net.layer[l - 1].mask
        for j in range(n):
            below[j] += mask[j] * dx[b * n + j]


cdef void feed_back(const real* w, const Net* net, const Padded* at, const Data* data,
                    const Workspace* work, Py_ssize_t i, Py_ssize_t B, Py_ssize_t t, int n,
                    real* dx_out) noexcept nogil:
    """The derivatives by x of step t, dx (B, n), to the own outputs that stood there, or out."""
    cdef Py_ssize_t b, s
    cdef int j, k
    cdef const real* d = <const real*>work.adjoint + t * B * net.p
    cdef real* adjoint = <real*>work.adjoint
    cdef real* dx = <real*>work.dx
    cdef real* out
    for b in range(B):
        for j in range(net.p if net.U >= 0 else 0):
            axpy(n, d[j], w + at.U + j * at.ldu, dx)
        for k in range(net.n_y if data.own != NULL else 0):
            s = t - net.lag[k]
            if s >= work.begins[b] and data.own[((i + b) * data.T + s) * net.p + net.column[k]]:
                adjoint[(s * B + b) * net.p + net.column[k]] += dx[k]
                dx[k] = 0.0
        if dx_out != NULL and work.begins[b] <= t < work.ends[b]:
            out = dx_out + ((i + b) * data.T + t) * net.m
            for k in range(n):
                out[k] += dx[k]
        d += net.p
        dx += n


cdef void begin(const real* w, const Net* net, const Padded* at, const Workspace* work, int l,
                Py_ssize_t B, Py_ssize_t t) noexcept nogil:
    """Where a sequence begins with step t, its derivatives by h and c are those by its state."""
    cdef Py_ssize_t b, H = at.layer[l].H, units = net.layer[l].H
    cdef real* out
    for b in range(B):
        if work.begins[b] == t:
            out = <real*>work.dstate + b * net.n_state + net.layer[l].state
            memcpy(out, <real*>work.dH[l] + b * H, units * sizeof(real))
            memset(<real*>work.dH[l] + b * H, 0, H * sizeof(real))
            if net.n_c:
                memcpy(out + units, <real*>work.dC[l] + b * H, units * sizeof(real))
                memset(<real*>work.dC[l] + b * H, 0, H * sizeof(real))


cdef void weigh(const real* w, real* dw, const Net* net, const Padded* at, const Workspace* work,
                int l, Py_ssize_t B, Py_ssize_t t, Py_ssize_t n, bint by_row) noexcept nogil:
    """dw += [h | 1 | x]' D over the n steps from t on; `by_row` for each sequence alone."""
    cdef Py_ssize_t b, r, H = at.layer[l].H, ldz = at.layer[l].ldz, ldg = at.layer[l].ldg
    cdef Py_ssize_t rows = at.layer[l].rows, R = n * B, part = B if by_row else 1
    cdef const real* z = row_z(w, at, work, l, B, t)
    cdef const real* D = <const real*>work.D[l] + t % work.steps * B * ldg
    cdef real* dW
    for b in range(part):
        dW = dw + b * at.size + at.layer[l].W
        if net.cell == GRU:
            outer(R // part, H, 3 * H, z, part * ldz, D, part * ldg, dW, ldg)
            outer(R // part, rows - H, 3 * H, z + H, part * ldz, D + H, part * ldg,
                  dW + H * ldg + H, ldg)
            for r in range(R // part):
                axpy(H, <real>1.0, D + r * part * ldg, dW + H * ldg)
        else:
            outer(R // part, rows, net.gates * H, z, part * ldz, D, part * ldg, dW, ldg)
        z += ldz
        D += ldg


cdef void unwind(const real* w, real* dw, const Net* net, const Padded* at, const Data* data,
                 const Workspace* work, Py_ssize_t i, Py_ssize_t B, Py_ssize_t t_0, Py_ssize_t t_1,
                 bint wants_state, real* dx_out, bint by_row) noexcept nogil:
    """Backwards through the steps t_1 > t >= t_0 of a sweep, from the adjoints of its outputs."""
    cdef Py_ssize_t t, last
    cdef int l, n
    cdef int n_dx = net.m if dx_out != NULL else (net.n_y if data.own != NULL else 0)
    for l in range(net.L):
        memset(work.dH[l], 0, B * at.layer[l].H * sizeof(real))
        if net.n_c:
            memset(work.dC[l], 0, B * at.layer[l].H * sizeof(real))
    last = t_1
    for t in range(t_1 - 1, t_0 - 1, -1):
        if t >= data.first or data.own != NULL:
            leave(w, dw, net, at, work, B, t, by_row)
        for l in range(net.L - 1, -1, -1):
            retreat(w, dw, net, at, work, l, B, t, by_row)
            if t > t_0 or wants_state:
                back(B, at.layer[l].H, net.gates_h * at.layer[l].H,
                     <const real*>work.D[l] + t % work.steps * B * at.layer[l].ldg,
                     at.layer[l].ldg, w + at.layer[l].W, at.layer[l].ldg, net.cell == GRU,
                     <real*>work.dH[l], at.layer[l].H)
                begin(w, net, at, work, l, B, t)
            n = net.layer[l].n if l else n_dx
            if n:
                hand_down(w, net, at, data, work, i, l, B, t, n)
            if t % work.steps == 0 or t == t_0:
                weigh(w, dw, net, at, work, l, B, t, last - t, by_row)
        if n_dx:
            feed_back(w, net, at, data, work, i, B, t, n_dx, dx_out)
        if t % work.steps == 0:
            last = t


# ---------------------------------------------------------------- what is asked of a block
cdef double residuals(const real* w, const Net* net, const Data* data, const Workspace* work,
                      Py_ssize_t i, Py_ssize_t B, bint back) noexcept nogil:
    """Sum of squared errors of a block, infinite where a run on its own output diverges; `back`
    sets the adjoints to half its derivative by the outputs."""
    cdef double sse = 0.0
    cdef Py_ssize_t b, s, t
    cdef int j
    cdef real e, weight
    cdef const real* y_hat
    cdef real* adjoint
    if back:
        memset(work.adjoint, 0, data.T * B * net.p * sizeof(real))
    for b in range(B):
        if data.own != NULL and work.bad[b] >= 0:
            return INFINITY
        for t in range(max(data.first, work.begins[b]), work.ends[b]):
            s = target_of(data, i + b, t)
            weight = (<const real*>data.weight)[s] if data.weight != NULL else 1.0
            y_hat = <const real*>work.y_hat + (t * B + b) * net.p
            adjoint = <real*>work.adjoint + (t * B + b) * net.p
            for j in range(net.p):
                e = y_hat[j] - (<const real*>data.y)[s * net.p + j]
                if isnan((<const real*>data.y)[s * net.p + j]) or weight == 0.0:
                    continue
                sse += <double>weight * e * e
                if back:
                    adjoint[j] = weight * e
    return sse if isfinite(sse) else INFINITY


cdef double add_errors(real* w, const Net* net, const Padded* at, const double* theta,
                       const Data* data, Workspace* work, Py_ssize_t B,
                       const int* stop) noexcept nogil:
    """Sum of squared errors over all sequences."""
    cdef double sse = 0.0
    cdef Py_ssize_t i, k, n, t_0, t_1
    pack(w, theta, net, at)
    for k in range(blocks(data.N, B)):
        i = k * B
        n = min(B, data.N - i)
        if not sweep(w, net, at, data, work, i, n, stop, &t_0, &t_1):
            return NAN
        sse += residuals(w, net, data, work, i, n, False)
        if not isfinite(sse):
            return INFINITY
    return sse


cdef double add_gradients(real* w, const Net* net, const Padded* at, const double* theta,
                          const Data* data, Workspace* work, Py_ssize_t B, const int* stop,
                          const real* adjoint, double* g, real* dstate,
                          real* dx) noexcept nogil:
    """The gradient over all sequences: of half the sum of squared errors, which is returned, or,
    with an adjoint (N, S, p), of its product with the outputs."""
    cdef double sse = 0.0
    cdef Py_ssize_t i, k, b, t, n, t_0, t_1
    cdef real* dw = <real*>work.dw
    pack(w, theta, net, at)
    for k in range(blocks(data.N, B)):
        i = k * B
        n = min(B, data.N - i)
        if not sweep(w, net, at, data, work, i, n, stop, &t_0, &t_1):
            return NAN
        if adjoint == NULL:
            sse += residuals(w, net, data, work, i, n, True)
            if not isfinite(sse):
                return INFINITY
        else:
            memset(work.adjoint, 0, data.T * n * net.p * sizeof(real))
            for b in range(n):
                for t in range(max(data.first, work.begins[b]), work.ends[b]):
                    memcpy(<real*>work.adjoint + (t * n + b) * net.p,
                           adjoint + ((i + b) * data.S + t - data.first) * net.p,
                           net.p * sizeof(real))
        memset(dw, 0, at.size * sizeof(real))
        memset(work.dstate, 0, n * net.n_state * sizeof(real))
        unwind(w, dw, net, at, data, work, i, n, t_0, t_1, dstate != NULL, dx, False)
        exchange(dw, g, net, at, True)
        if dstate != NULL:
            memcpy(dstate + i * net.n_state, work.dstate, n * net.n_state * sizeof(real))
    return sse


cdef bint run_all(const real* w, const Net* net, const Padded* at, const Data* data,
                  Workspace* work, Py_ssize_t B, const int* stop, real* y_hat, Py_ssize_t* bad,
                  real* end) noexcept nogil:
    """Outputs, first bad steps and last states of all sequences; False when stopped."""
    cdef Py_ssize_t i, k, b, t, n, t_0, t_1
    cdef int j
    cdef real* out
    for k in range(blocks(data.N, B)):
        i = k * B
        n = min(B, data.N - i)
        if not sweep(w, net, at, data, work, i, n, stop, &t_0, &t_1):
            return False
        memcpy(end + i * net.n_state, work.end, n * net.n_state * sizeof(real))
        for b in range(n):
            bad[i + b] = work.bad[b]
            for t in range(data.first, data.T):
                out = y_hat + ((i + b) * data.S + t - data.first) * net.p
                for j in range(net.p):
                    out[j] = NAN
                    if work.begins[b] <= t < work.ends[b]:
                        out[j] = (<const real*>work.y_hat)[(t * n + b) * net.p + j]
                        if not fabs(out[j]) <= LIMIT and not net.bare:
                            out[j] = NAN
    return True


# ---------------------------------------------------------------- the kernels
cdef check(CellPlan plan, Windows windows, const double[::1] theta, needs_targets):
    if len(theta) != plan.net.P:
        raise ValueError(f"the network has {plan.net.P} parameters, not {len(theta)}.")
    if (windows.m != plan.net.m or windows.p != plan.net.p or windows.n_state != plan.net.n_state
            or windows.n_masks != plan.net.n_masks):
        raise ValueError("the windows are those of another network.")
    if needs_targets and windows.data.y == NULL and windows.data.N * windows.data.S:
        raise ValueError("windows without targets have no errors.")


cdef void* writable(array, Windows windows, tuple shape) except? NULL:
    """The first byte of an output of the windows' precision."""
    cdef int kind = cnp.NPY_FLOAT if windows.single else cnp.NPY_DOUBLE
    if not fits(array, kind, shape, True):
        raise ValueError(f"an output must be contiguous, of shape {shape} and of dtype "
                         f"{cnp.PyArray_DescrFromType(kind)}.")
    return cnp.PyArray_DATA(array)


def run(CellPlan plan, const double[::1] theta, Windows windows, const int[::1] stop, y_hat,
        Py_ssize_t[::1] bad, end, Py_ssize_t block=0):
    """Outputs of all sequences, and their last states, which are what a rollout begins with.

    y_hat : OUT (N, S, p), NaN outside a sequence, in a bad step, and after it on own output.
    bad : OUT (N,), first step that is not finite or leaves 1e3, -1 where there is none.
    end : OUT (N, n_state), NaN after a bad step on own output.
    Returns False when stopped.
    """
    cdef Py_ssize_t N = windows.data.N, B = block_of(plan, windows, block, False)
    cdef _Workspace space = _Workspace(plan, windows, B, False)
    cdef void* out = writable(y_hat, windows, (N, windows.data.S, plan.net.p))
    cdef void* last = writable(end, windows, (N, plan.net.n_state))
    cdef Workspace* work = &space.work
    cdef bint done
    check(plan, windows, theta, False)
    if len(bad) != N:
        raise ValueError(f"{N} sequences need as many first bad steps, not {len(bad)}.")
    if not N:
        return True
    with nogil:
        if windows.single:
            pack(<float*>work.w, &theta[0], &plan.net, &plan.floats)
            done = run_all(<const float*>work.w, &plan.net, &plan.floats, &windows.data, work, B,
                           &stop[0], <float*>out, &bad[0], <float*>last)
        else:
            pack(<double*>work.w, &theta[0], &plan.net, &plan.doubles)
            done = run_all(<const double*>work.w, &plan.net, &plan.doubles, &windows.data, work, B,
                           &stop[0], <double*>out, &bad[0], <double*>last)
    return done


def sums_of_squares(CellPlan plan, const double[:, ::1] thetas, Windows windows,
                    const int[::1] stop, double[::1] sse, Py_ssize_t block=0):
    """Sum of squared errors of every parameter vector.

    sse : OUT (len(thetas),); infinite where a run on its own output diverges or where it is not
        finite, NaN when stopped.
    """
    cdef Py_ssize_t k, B = block_of(plan, windows, block, False)
    cdef _Workspace space = _Workspace(plan, windows, B, False)
    cdef Workspace* work = &space.work
    if len(sse) != len(thetas):
        raise ValueError(f"{len(thetas)} parameter vectors need as many sums, not {len(sse)}.")
    for k in range(len(thetas)):
        check(plan, windows, thetas[k], True)
    with nogil:
        for k in range(len(thetas)):
            if windows.single:
                sse[k] = add_errors(<float*>work.w, &plan.net, &plan.floats, &thetas[k, 0],
                                    &windows.data, work, B, &stop[0])
            else:
                sse[k] = add_errors(<double*>work.w, &plan.net, &plan.doubles, &thetas[k, 0],
                                    &windows.data, work, B, &stop[0])


def gradient(CellPlan plan, const double[::1] theta, Windows windows, const int[::1] stop,
             double[::1] g, dstate=None, dx=None, adjoint=None, Py_ssize_t block=0):
    """Sum of squared errors (returned: infinite where a run on its own output diverges, NaN when
    stopped) and half its gradient, by backpropagation through time.

    With an `adjoint` (N, S, p), the gradient of its product with the outputs, and 0 is returned.

    g : OUT (P,), J'e.
    dstate : OUT (N, n_state), the same by the state before each sequence, unless None.
    dx : OUT (N, T, m), the same by x, 0 where an own output took its place, unless None.
    """
    cdef Py_ssize_t N = windows.data.N, B = block_of(plan, windows, block, True)
    cdef _Workspace space = _Workspace(plan, windows, B, True, True)
    cdef Workspace* work = &space.work
    cdef void* by_state = NULL
    cdef void* by_x = NULL
    cdef const void* outer_adjoint = NULL
    cdef double sse
    check(plan, windows, theta, adjoint is None)
    if len(g) != plan.net.P:
        raise ValueError(f"the gradient has {plan.net.P} elements, not {len(g)}.")
    g[:] = 0.0
    if dstate is not None:
        by_state = writable(dstate, windows, (N, plan.net.n_state))
    if dx is not None:
        by_x = writable(dx, windows, (N, windows.data.T, plan.net.m))
        dx[:] = 0.0
    if adjoint is not None:
        outer_adjoint = readable(
            "adjoint", adjoint, cnp.NPY_FLOAT if windows.single else cnp.NPY_DOUBLE,
            (N, windows.data.S, plan.net.p))
    with nogil:
        if windows.single:
            sse = add_gradients(<float*>work.w, &plan.net, &plan.floats, &theta[0], &windows.data,
                                work, B, &stop[0], <const float*>outer_adjoint, &g[0],
                                <float*>by_state, <float*>by_x)
        else:
            sse = add_gradients(<double*>work.w, &plan.net, &plan.doubles, &theta[0],
                                &windows.data, work, B, &stop[0], <const double*>outer_adjoint,
                                &g[0], <double*>by_state, <double*>by_x)
    return sse


# ---------------------------------------------------------------- rows of the Jacobian, in double
cdef struct Rows:
    # rows of J (n, P) and of e (n,), gathered until they are added to J'J and J'e or stored
    double* J
    double* e
    Py_ssize_t n, size
    double* JtJ
    double* Jte
    double* all_J           # or (N, S, p, P), where they are stored
    double* all_e


cdef inline void keep_row(const Net* net, const Data* data, const Rows* rows, Py_ssize_t row,
                          Py_ssize_t i, Py_ssize_t t, int j) noexcept nogil:
    """A gathered row to where it is stored, if it is."""
    cdef Py_ssize_t place = (i * data.S + t - data.first) * net.p + j
    if rows.all_J != NULL:
        memcpy(rows.all_J + place * net.P, rows.J + row * net.P, net.P * sizeof(double))
        rows.all_e[place] = rows.e[row]


cdef void add_rows(const Net* net, Rows* rows) noexcept nogil:
    """J'J += and J'e += the rows gathered; only the upper triangle, as BLAS sees it."""
    cdef int P = <int>net.P, n = <int>rows.n, one = 1
    cdef double unit = 1.0
    if n and rows.JtJ != NULL:
        dsyrk("U", "N", &P, &n, &unit, rows.J, &P, &unit, rows.JtJ, &P)
        dgemv("N", &P, &n, &unit, rows.J, &P, rows.e, &one, &unit, rows.Jte, &one)
    rows.n = 0


cdef double root_weight(const Net* net, const Data* data, const Workspace* work, Py_ssize_t i,
                        Py_ssize_t b, Py_ssize_t B, Py_ssize_t t, int j,
                        double* e) noexcept nogil:
    """The root of the weight of output j in step t of a sequence, 0 where it does not count, and
    its residual times that."""
    cdef Py_ssize_t s
    cdef double target, weight
    e[0] = 0.0
    if t < data.first or not work.begins[b] <= t < work.ends[b]:
        return 0.0
    s = target_of(data, i + b, t)
    target = (<const double*>data.y)[s * net.p + j]
    weight = (<const double*>data.weight)[s] if data.weight != NULL else 1.0
    if isnan(target) or weight == 0.0:
        return 0.0
    weight = sqrt(weight)
    e[0] = weight * ((<const double*>work.y_hat)[(t * B + b) * net.p + j] - target)
    return weight


cdef bint rows_backwards(const double* w, const Net* net, const Padded* at, const Data* data,
                         Workspace* work, Py_ssize_t i, Py_ssize_t B, Py_ssize_t t_0,
                         Py_ssize_t t_1, const int* stop, Rows* rows) noexcept nogil:
    """The rows of a block by backpropagation from each output alone, all sequences together."""
    cdef Py_ssize_t b, t
    cdef int j
    cdef double weight
    cdef double* adjoint = <double*>work.adjoint
    cdef double* dw = <double*>work.dw
    cdef bint counts
    for t in range(max(t_0, data.first), t_1):
        for j in range(net.p):
            if stop[0]:
                return False
            memset(adjoint, 0, (t + 1) * B * net.p * sizeof(double))
            counts = False
            for b in range(B):
                weight = root_weight(net, data, work, i, b, B, t, j, rows.e + b)
                adjoint[(t * B + b) * net.p + j] = weight
                counts = counts or weight != 0.0
            if not counts:
                continue
            memset(dw, 0, B * at.size * sizeof(double))
            unwind(w, dw, net, at, data, work, i, B, t_0, t + 1, False, NULL, True)
            memset(rows.J, 0, B * net.P * sizeof(double))
            for b in range(B):
                exchange(dw + b * at.size, rows.J + b * net.P, net, at, True)
                if root_weight(net, data, work, i, b, B, t, j, rows.e + b) != 0.0:
                    keep_row(net, data, rows, b, i + b, t, j)
            rows.n = B
            add_rows(net, rows)
    return True


# Forwards, a sequence alone: S (n_state, width) is the derivative of the state by theta and, where
# the width is larger than P, by the state at the beginning; A is that of the sums of a layer's
# gates, S_y (K, p, width) those of the last outputs.
cdef struct Tangent:
    Py_ssize_t width
    double* S
    double* A
    double* S_y
    Py_ssize_t K


cdef class _Tangent:
    """Memory for them."""

    cdef Tangent tangent
    cdef double[::1] S, A, S_y

    def __init__(self, CellPlan plan, Py_ssize_t width):
        cdef const Net* net = &plan.net
        K = max(plan._lag) + 1
        self.S, self.S_y = np.empty(net.n_state * width), np.empty(K * net.p * width)
        self.A = np.empty(net.gates * max(plan.args[2]) * width)
        self.tangent.S, self.tangent.A, self.tangent.S_y = &self.S[0], &self.A[0], &self.S_y[0]
        self.tangent.width, self.tangent.K = width, K


cdef void by_own_row(const Net* net, const Padded* at, const Workspace* work, Tangent* tangent,
                     int l, Py_ssize_t t) noexcept nogil:
    """A += the derivative of the sums by the weights of the layer itself: the row [h | 1 | x]."""
    cdef double* A = tangent.A
    cdef Py_ssize_t H = net.layer[l].H, P = tangent.width, i, j, q, place
    cdef Py_ssize_t skipped = net.gates - net.gates_x
    cdef const double* z = <const double*>work.Z[l] + t * at.layer[l].ldz
    place = net.layer[l].at
    for i in range(H):
        for q in range(net.gates_h):
            for j in range(H):
                A[(q * H + j) * P + place] += z[i]
                place += 1
    for q in range(net.gates * H):
        A[q * P + place] += 1.0
        place += 1
    z += at.layer[l].H + 1
    for i in range(net.layer[l].n):
        for q in range(skipped, net.gates):
            for j in range(H):
                A[(q * H + j) * P + place] += z[i]
                place += 1


cdef void by_rows_below(const double* w, const Net* net, const Padded* at, const Data* data,
                        const Workspace* work, Tangent* tangent, Py_ssize_t i, int l,
                        Py_ssize_t t) noexcept nogil:
    """A of a layer's sums: through the state before, and through what comes from below."""
    cdef Py_ssize_t H = net.layer[l].H, padded = at.layer[l].H, ldg = at.layer[l].ldg
    cdef Py_ssize_t P = tangent.width
    cdef Py_ssize_t q, j, k
    cdef const double* W = w + at.layer[l].W
    cdef const double* inward = W + (padded + 1) * ldg
    cdef const double* mask = NULL
    cdef double* A = tangent.A
    cdef const double* S_x
    memset(A, 0, net.gates * H * P * sizeof(double))
    for q in range(net.gates_h):
        gemm("N", "T", <int>P, <int>H, <int>H, tangent.S + net.layer[l].state * P, P,
             W + q * padded, ldg, <double>0.0, A + q * H * P, P)
    if l and data.masks != NULL:
        mask = <const double*>data.masks + i * net.n_masks + net.layer[l - 1].mask
    for q in range(net.gates - net.gates_x, net.gates):
        if l and mask == NULL:
            gemm("N", "T", <int>P, <int>H, net.layer[l].n,
                 tangent.S + net.layer[l - 1].state * P, P, inward + q * padded, ldg, <double>1.0,
                 A + q * H * P, P)
            continue
        for k in range(net.layer[l].n if l else net.n_y):
            if l:
                S_x = tangent.S + (net.layer[l - 1].state + k) * P
            else:
                S_x = by_fed(net, data, work, tangent, i, t, k)
            for j in range(H if S_x != NULL else 0):
                nk_axpy_d(P, inward[k * ldg + q * padded + j] * (mask[k] if mask != NULL else 1.0),
                          S_x, A + (q * H + j) * P)
    by_own_row(net, at, work, tangent, l, t)


cdef inline const double* by_fed(const Net* net, const Data* data, const Workspace* work,
                                 const Tangent* tangent, Py_ssize_t i, Py_ssize_t t,
                                 Py_ssize_t k) noexcept nogil:
    """The derivative of the own output that stands in x_k of step t; NULL where none does."""
    cdef Py_ssize_t s = t - net.lag[k]
    if (data.own == NULL or s < work.begins[0]
            or not data.own[(i * data.T + s) * net.p + net.column[k]]):
        return NULL
    return tangent.S_y + (s % tangent.K * net.p + net.column[k]) * tangent.width


cdef void carry_state(const double* w, const Net* net, const Padded* at, const Workspace* work,
                      Tangent* tangent, int l, Py_ssize_t t) noexcept nogil:
    """S of a layer one step on, from A."""
    cdef Py_ssize_t H = net.layer[l].H, P = tangent.width, padded = at.layer[l].H, j, k, place
    cdef const double* G = <const double*>work.G[l] + t * at.layer[l].ldg
    cdef const double* p = w + at.layer[l].P
    cdef const double* h = <const double*>work.Z[l] + t * at.layer[l].ldz
    cdef const double* c = <const double*>work.C[l] + t * padded
    cdef const double* tanh_c = <const double*>work.tanh_C[l] + t * padded
    cdef double* A = tangent.A
    cdef double* S = tangent.S + net.layer[l].state * P
    cdef double* S_c
    cdef double i, f, g, o, m, r, z, n, by_i, by_f, by_g, by_o, by_c, old, new
    for j in range(H):
        if net.cell == LSTM:
            S_c = S + H * P
            i, f, g, o = G[j], G[padded + j], G[2 * padded + j], G[3 * padded + j]
            by_i, by_f = g * i * (1.0 - i), c[j] * f * (1.0 - f)
            by_g, by_o = i * (1.0 - g * g), tanh_c[j] * o * (1.0 - o)
            by_c, old, new = o * (1.0 - tanh_c[j] * tanh_c[j]), f, 0.0
            if net.peepholes:
                place = net.layer[l].at + H * 4 * H + 4 * H + net.layer[l].n * 4 * H + j
                A[j * P + place] += c[j]
                A[(H + j) * P + place + H] += c[j]
                A[(3 * H + j) * P + place + 2 * H] += c[padded + j]     # the new c
                old += by_i * p[j] + by_f * p[padded + j]
                new = p[2 * padded + j]
            for k in range(P):
                S_c[j * P + k] = (old * S_c[j * P + k] + by_i * A[j * P + k]
                                  + by_f * A[(H + j) * P + k] + by_g * A[(2 * H + j) * P + k])
                S[j * P + k] = (by_c * S_c[j * P + k]
                                + by_o * (A[(3 * H + j) * P + k] + new * S_c[j * P + k]))
        elif net.cell == GRU:
            m, r, z, n = G[j], G[padded + j], G[2 * padded + j], G[3 * padded + j]
            by_g = (1.0 - z) * (1.0 - n * n)
            by_i, by_f, by_o = by_g * r, by_g * m * r * (1.0 - r), (h[j] - n) * z * (1.0 - z)
            for k in range(P):
                S[j * P + k] = (z * S[j * P + k] + by_i * A[j * P + k] + by_f * A[(H + j) * P + k]
                                + by_o * A[(2 * H + j) * P + k] + by_g * A[(3 * H + j) * P + k])
        else:
            by_g = 1.0 - G[j] * G[j] if net.cell == TANH else G[j] > 0.0
            for k in range(P):
                S[j * P + k] = by_g * A[j * P + k]


cdef void carry_outputs(const double* w, const Net* net, const Padded* at, const Data* data,
                        const Workspace* work, Tangent* tangent, Py_ssize_t i,
                        Py_ssize_t t) noexcept nogil:
    """S_y of step t."""
    cdef int l = net.L - 1, j
    cdef Py_ssize_t P = tangent.width, H = net.layer[l].H, k
    cdef const double* h = <const double*>work.Z[l] + (t + 1) * at.layer[l].ldz
    cdef const double* x = <const double*>work.Z[0] + t * at.layer[0].ldz + at.layer[0].H + 1
    cdef double* S_y
    cdef const double* S_x
    for j in range(net.p):
        S_y = tangent.S_y + (t % tangent.K * net.p + j) * P
        memset(S_y, 0, P * sizeof(double))
        if not work.free[t * net.p + j]:
            continue
        for k in range(H):
            nk_axpy_d(P, w[at.V + j * at.layer[l].H + k],
                      tangent.S + (net.layer[l].state + k) * P, S_y)
            S_y[net.V + k * net.p + j] += h[k]
        S_y[net.b + j] += 1.0
        for k in range(net.m if net.U >= 0 else 0):
            S_y[net.U + k * net.p + j] += x[k]
            S_x = by_fed(net, data, work, tangent, i, t, k) if k < net.n_y else NULL
            if S_x != NULL:
                nk_axpy_d(P, w[at.U + j * at.ldu + k], S_x, S_y)


cdef void carry_on(const double* w, const Net* net, const Padded* at, const Data* data,
                   const Workspace* work, Tangent* tangent, Py_ssize_t i,
                   Py_ssize_t t) noexcept nogil:
    """S and, where there are outputs, S_y of step t."""
    cdef int l
    for l in range(net.L):
        by_rows_below(w, net, at, data, work, tangent, i, l, t)
        carry_state(w, net, at, work, tangent, l, t)
    if t >= data.first or data.own != NULL:
        carry_outputs(w, net, at, data, work, tangent, i, t)


cdef bint rows_forwards(const double* w, const Net* net, const Padded* at, const Data* data,
                        const Workspace* work, Tangent* tangent, Py_ssize_t i, const int* stop,
                        Rows* rows) noexcept nogil:
    """The rows of one sequence by sensitivities that go with the state."""
    cdef Py_ssize_t t
    cdef int j
    cdef double weight
    memset(tangent.S, 0, net.n_state * net.P * sizeof(double))
    for t in range(work.begins[0], work.ends[0]):
        if stop[0]:
            return False
        carry_on(w, net, at, data, work, tangent, i, t)
        for j in range(net.p):
            weight = root_weight(net, data, work, i, 0, 1, t, j, rows.e + rows.n)
            if weight == 0.0:
                continue
            memset(rows.J + rows.n * net.P, 0, net.P * sizeof(double))
            nk_axpy_d(net.P, weight, tangent.S_y + (t % tangent.K * net.p + j) * net.P,
                      rows.J + rows.n * net.P)
            keep_row(net, data, rows, rows.n, i, t, j)
            rows.n += 1
            if rows.n == rows.size:
                add_rows(net, rows)
    return True


cdef bint goes_forwards(const Net* net, const Data* data) noexcept nogil:
    """Whether sensitivities along the path cost less than going back from each output.

    Per step and parameter: about 2 gates H^2 operations, or 6 for each output that is to come.
    """
    cdef Py_ssize_t forwards = 0
    cdef int l
    for l in range(net.L):
        forwards += 2 * net.gates * net.layer[l].H * (net.layer[l].H
                                                      + (net.layer[l].n if l else 0))
    return 3 * data.S * net.p > forwards


cdef double differentiate(CellPlan plan, const double[::1] theta, Windows windows,
                          const int[::1] stop, Rows* rows, forwards, Py_ssize_t block) except? -1:
    """All rows of J into `rows`; the sum of squared errors."""
    cdef const Net* net = &plan.net
    cdef const Data* data = &windows.data
    cdef const Padded* at = &plan.doubles
    cdef bint ahead = goes_forwards(net, data) if forwards is None else forwards
    cdef Py_ssize_t P = net.P, N = data.N, i, k, n, t_0 = 0, t_1 = 0
    cdef Py_ssize_t B = 1 if ahead else min(block_of(plan, windows, block, True), 16)
    check(plan, windows, theta, True)
    if windows.single:
        raise ValueError("a Jacobian needs x in double precision, float64.")
    if net.bare:
        raise ValueError("a Jacobian needs the outputs of a network with a head.")
    cdef _Workspace space = _Workspace(plan, windows, B, True, not ahead, not ahead)
    cdef Workspace* work = &space.work
    cdef double* w = <double*>work.w
    cdef double[:, ::1] J = np.empty((max(B, 64), P))
    cdef double[::1] e = np.empty(max(B, 64))
    cdef _Tangent carried
    cdef Tangent tangent
    cdef double sse = 0.0
    cdef bint done
    rows.J, rows.e, rows.n, rows.size = &J[0, 0], &e[0], 0, len(e)
    if ahead:
        carried = _Tangent(plan, P)
        tangent = carried.tangent
    with nogil:
        pack(w, &theta[0], net, at)
        for k in range(blocks(N, B)):
            i, n = k * B, min(B, N - k * B)
            done = sweep(w, net, at, data, work, i, n, &stop[0], &t_0, &t_1)
            if done:
                sse += residuals(w, net, data, work, i, n, False)
            if not isfinite(sse):
                return INFINITY
            if done and ahead:
                done = rows_forwards(w, net, at, data, work, &tangent, i, &stop[0], rows)
            elif done:
                done = rows_backwards(w, net, at, data, work, i, n, t_0, t_1, &stop[0], rows)
            if not done:
                return NAN
        add_rows(net, rows)
    return sse


def normal_equations(CellPlan plan, const double[::1] theta, Windows windows,
                     const int[::1] stop, double[:, ::1] JtJ, double[::1] Jte, forwards=None,
                     Py_ssize_t block=0):
    """Sum of squared errors (returned: infinite where a run on its own output diverges, NaN when
    stopped), J'J and J'e, block by block; in double precision only.

    Rows of J come from backpropagation, or `forwards` from sensitivities that go with the state,
    which cost less for long runs; without that word, from what costs less.

    JtJ : OUT (P, P), full and symmetric.
    Jte : OUT (P,).
    """
    cdef Py_ssize_t P = plan.net.P, i, k
    cdef Rows rows
    cdef double sse
    if JtJ.shape[0] != P or JtJ.shape[1] != P or len(Jte) != P:
        raise ValueError(f"J'J and J'e of {P} parameters have shapes ({P}, {P}) and ({P},).")
    JtJ[:] = 0.0
    Jte[:] = 0.0
    rows.JtJ, rows.Jte, rows.all_J, rows.all_e = &JtJ[0, 0], &Jte[0], NULL, NULL
    sse = differentiate(plan, theta, windows, stop, &rows, forwards, block)
    for i in range(P):
        for k in range(i):
            JtJ[k, i] = JtJ[i, k]
    return sse


def residuals_and_jacobian(CellPlan plan, const double[::1] theta, Windows windows,
                           const int[::1] stop, double[:, :, ::1] e, double[:, :, :, ::1] J,
                           forwards=None, Py_ssize_t block=0):
    """Weighted residuals and their whole Jacobian, for tests and intervals; the sum of squared
    errors is returned as by `normal_equations`.

    e : OUT (N, S, p), 0 where no target counts.
    J : OUT (N, S, p, P), likewise.
    """
    cdef Rows rows
    cdef tuple shape = (windows.data.N, windows.data.S, plan.net.p)
    if (np.shape(e), np.shape(J)) != (shape, (*shape, plan.net.P)):
        raise ValueError(f"e has shape {shape}, and J one more axis, of {plan.net.P} parameters.")
    e[:] = 0.0
    J[:] = 0.0
    rows.JtJ, rows.Jte, rows.all_J, rows.all_e = NULL, NULL, NULL, NULL
    if e.size:
        rows.all_J, rows.all_e = &J[0, 0, 0, 0], &e[0, 0, 0]
    return differentiate(plan, theta, windows, stop, &rows, forwards, block)


def linearise(CellPlan plan, const double[::1] theta, Windows windows, double[::1] y_hat,
              double[::1] end, double[:, ::1] d_y, double[:, ::1] d_end):
    """The last step of one sequence, and its derivatives: of a single step, what a filter needs.

    y_hat : OUT (p,), clipped and not judged; end : OUT (n_state,).
    d_y : OUT (p, P + n_state), by theta and by the state before the sequence.
    d_end : OUT (n_state, P + n_state), likewise.
    """
    cdef const Net* net = &plan.net
    cdef Py_ssize_t width = net.P + net.n_state, t, k, t_0 = 0, t_1 = 0
    cdef int go = 0
    check(plan, windows, theta, False)
    if windows.single or windows.data.N != 1 or net.bare:
        raise ValueError("one sequence in double precision, of a network with a head, is needed.")
    shapes = (net.p,), (net.n_state,), (net.p, width), (net.n_state, width)
    if tuple(map(np.shape, (y_hat, end, d_y, d_end))) != shapes:
        raise ValueError(f"y_hat, end and their derivatives have shapes {shapes}.")
    if not begin_of(&windows.data, 0) < end_of(&windows.data, 0) or not windows.data.S:
        raise ValueError("a sequence without a last step, or without its output, has none.")
    cdef _Workspace space = _Workspace(plan, windows, 1, True)
    cdef _Tangent carried = _Tangent(plan, width)
    cdef Tangent* tangent = &carried.tangent
    cdef double* w = <double*>space.work.w
    with nogil:
        pack(w, &theta[0], net, &plan.doubles)
        sweep(<const double*>w, net, &plan.doubles, &windows.data, &space.work, 0, 1, &go, &t_0,
              &t_1)
        memset(tangent.S, 0, net.n_state * width * sizeof(double))
        for k in range(net.n_state):
            tangent.S[k * width + net.P + k] = 1.0
        for t in range(t_0, t_1):
            carry_on(w, net, &plan.doubles, &windows.data, &space.work, tangent, 0, t)
        memcpy(&y_hat[0], <double*>space.work.y_hat + (t_1 - 1) * net.p, net.p * sizeof(double))
        memcpy(&end[0], space.work.end, net.n_state * sizeof(double))
        memcpy(&d_y[0, 0], tangent.S_y + (t_1 - 1) % tangent.K * net.p * width,
               net.p * width * sizeof(double))
        memcpy(&d_end[0, 0], tangent.S, net.n_state * width * sizeof(double))


# ---------------------------------------------------------------- row by row
cdef class Stream:
    """A network that is fed row by row and carries its state: packed weights and a state.

    Parameters
    ----------
    plan : CellPlan
        The network.
    theta : ndarray of shape (P,)
        Parameters.
    dtype : numpy.float64 or numpy.float32
        Precision.
    state : ndarray of shape (n_state,), optional
        The state to begin with; zero without.
    """

    cdef CellPlan plan
    cdef _Workspace space
    cdef Data data          # of no sequence: there is no mask
    cdef Py_ssize_t turn    # which of two workspaces holds the state
    cdef bint single

    def __init__(self, CellPlan plan, const double[::1] theta, dtype=np.float64, state=None):
        cdef Windows one = Windows(plan, np.zeros((1, 1, plan.net.m), dtype))
        check(plan, one, theta, False)
        memset(&self.data, 0, sizeof(Data))
        self.plan, self.single, self.turn = plan, one.single, 0
        self.space = _Workspace(plan, one, 1, False)
        if one.single:
            pack(<float*>self.space.work.w, &theta[0], &plan.net, &plan.floats)
        else:
            pack(<double*>self.space.work.w, &theta[0], &plan.net, &plan.doubles)
        self.state = np.zeros(plan.net.n_state) if state is None else state

    @property
    def dtype(self):
        return np.dtype(np.float32 if self.single else np.float64)

    @property
    def state(self):
        state = np.empty(self.plan.net.n_state, dtype=self.dtype)
        self._exchange(state, False)
        return state

    @state.setter
    def state(self, state):
        state = np.array(state, dtype=self.dtype)
        if state.shape != (self.plan.net.n_state,):
            raise ValueError(f"the state has shape ({self.plan.net.n_state},), not {state.shape}.")
        self._exchange(state, True)

    def _exchange(self, state, bint put):
        cdef float[::1] singles
        cdef double[::1] doubles
        cdef Workspace* work = &self.space.work
        if self.single:
            singles = state
            exchange_state(<float*>work.w, &self.plan.net, &self.plan.floats, work, self.turn,
                           &singles[0], put)
        else:
            doubles = state
            exchange_state(<double*>work.w, &self.plan.net, &self.plan.doubles, work, self.turn,
                           &doubles[0], put)

    def walk(self, x, y_hat):
        """Go on by the rows of x.

        x : (T, m), in the precision of the stream.
        y_hat : OUT (T, p), not clipped.
        """
        cdef CellPlan plan = self.plan
        cdef Workspace* work = &self.space.work
        cdef Py_ssize_t T = len(x)
        cdef int kind = cnp.NPY_FLOAT if self.single else cnp.NPY_DOUBLE
        if not (fits(x, kind, (T, plan.net.m), False)
                and fits(y_hat, kind, (T, plan.net.p), True)):
            raise ValueError(f"a stream needs contiguous rows of {plan.net.m} numbers, and as many "
                             f"of {plan.net.p} for its outputs, of dtype {self.dtype}.")
        cdef const void* rows = cnp.PyArray_DATA(x)
        cdef void* out = cnp.PyArray_DATA(y_hat)
        with nogil:
            if self.single:
                walk_rows(<const float*>work.w, &plan.net, &plan.floats, &self.data, work,
                          self.turn, T, <const float*>rows, <float*>out)
            else:
                walk_rows(<const double*>work.w, &plan.net, &plan.doubles, &self.data, work,
                          self.turn, T, <const double*>rows, <double*>out)
        self.turn = (self.turn + T) & 1


cdef void exchange_state(real* w, const Net* net, const Padded* at, const Workspace* work,
                         Py_ssize_t t, real* state, bint put) noexcept nogil:
    """From a state to the rows before step t, or back."""
    cdef Py_ssize_t H
    cdef int l, k
    cdef real* row
    for l in range(net.L):
        H = net.layer[l].H
        for k in range(1 + net.n_c):
            row = row_c(w, at, work, l, 1, t) if k else row_z(w, at, work, l, 1, t)
            if put:
                memset(row, 0, at.layer[l].H * sizeof(real))
                memcpy(row, state, H * sizeof(real))
            else:
                memcpy(state, row, H * sizeof(real))
            state += H


cdef void walk_rows(const real* w, const Net* net, const Padded* at, const Data* data,
                    const Workspace* work, Py_ssize_t turn, Py_ssize_t T, const real* x,
                    real* y_hat) noexcept nogil:
    cdef Py_ssize_t t
    cdef int l, k
    cdef real* z
    for t in range(turn, turn + T):
        z = row_z(w, at, work, 0, 1, t) + at.layer[0].H
        z[0] = 1.0
        for k in range(net.m):
            z[1 + k] = x[k]
        for l in range(net.L):
            if l:
                climb(w, net, at, data, work, 0, 1, t, l)
            advance(w, net, at, work, l, 1, t)
        head(w, net, at, row_z(w, at, work, net.L - 1, 1, t + 1), z + 1, y_hat)
        x += net.m
        y_hat += net.p
