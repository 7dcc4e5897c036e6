/* Loops of the recurrent cells over NK_REAL; `_simd_cells.h` includes this once for each type.
 *
 * B rows are worked on together, H is the padded number of hidden units, a multiple of a vector of
 * 64 bytes. G (B, ldg) holds the gates side by side, each H wide: first their sums, then their
 * activations. h and its derivative stand in rows of their own strides.
 */

#define NK_VECTOR ((Py_ssize_t)(64 / sizeof(NK_REAL)))

/* ---------------------------------------------------------------- gates, forwards
 * Gates of all rows first, then what waits for them: in one loop the processor sees one row at a
 * time, and the chain from a gate through c and tanh(c) to h leaves it idle. A loop for each case,
 * so that the constants of the activations stay in registers from row to row.
 *
 * i, f, o = sigmoid, g = tanh;   c = f c_0 + i g,   t = tanh(c),   h = o t */
NK_CLONES static void NK_NAME(nk_lstm_plain)(Py_ssize_t B, Py_ssize_t H, NK_REAL *G,
                                             Py_ssize_t ldg, const NK_REAL *c_0, NK_REAL *c_1,
                                             NK_REAL *t_1, NK_REAL *h_1, Py_ssize_t ldh) {
    H &= -NK_VECTOR;                    /* whole vectors: nothing is left over */
    for (Py_ssize_t b = 0; b < B; b++) {
        NK_REAL *NK_RESTRICT i = G + b * ldg, *NK_RESTRICT f = i + H;
        NK_REAL *NK_RESTRICT g = f + H, *NK_RESTRICT o = g + H;
        NK_IVDEP
        for (Py_ssize_t j = 0; j < H; j++) {
            i[j] = NK_NAME(nk_sigmoid)(i[j]);
            f[j] = NK_NAME(nk_sigmoid)(f[j]);
            g[j] = NK_NAME(nk_tanh)(g[j]);
            o[j] = NK_NAME(nk_sigmoid)(o[j]);
        }
    }
    for (Py_ssize_t b = 0; b < B; b++) {
        const NK_REAL *NK_RESTRICT i = G + b * ldg, *NK_RESTRICT f = i + H;
        const NK_REAL *NK_RESTRICT g = f + H, *NK_RESTRICT o = g + H;
        const NK_REAL *NK_RESTRICT before = c_0 + b * H;
        NK_REAL *NK_RESTRICT c = c_1 + b * H, *NK_RESTRICT t = t_1 + b * H;
        NK_REAL *NK_RESTRICT h = h_1 + b * ldh;
        NK_IVDEP
        for (Py_ssize_t j = 0; j < H; j++) {
            c[j] = f[j] * before[j] + i[j] * g[j];
            t[j] = NK_NAME(nk_tanh)(c[j]);
            h[j] = o[j] * t[j];
        }
    }
}

/* peepholes (3, H): i and f see c_0, o sees c */
NK_CLONES static void NK_NAME(nk_lstm_peepholes)(Py_ssize_t B, Py_ssize_t H, NK_REAL *G,
                                                 Py_ssize_t ldg, const NK_REAL *c_0,
                                                 NK_REAL *c_1, NK_REAL *t_1, NK_REAL *h_1,
                                                 Py_ssize_t ldh,
                                                 const NK_REAL *NK_RESTRICT p) {
    H &= -NK_VECTOR;                    /* whole vectors: nothing is left over */
    for (Py_ssize_t b = 0; b < B; b++) {
        NK_REAL *NK_RESTRICT i = G + b * ldg, *NK_RESTRICT f = i + H, *NK_RESTRICT g = f + H;
        const NK_REAL *NK_RESTRICT before = c_0 + b * H;
        NK_IVDEP
        for (Py_ssize_t j = 0; j < H; j++) {
            i[j] = NK_NAME(nk_sigmoid)(i[j] + p[j] * before[j]);
            f[j] = NK_NAME(nk_sigmoid)(f[j] + p[H + j] * before[j]);
            g[j] = NK_NAME(nk_tanh)(g[j]);
        }
    }
    for (Py_ssize_t b = 0; b < B; b++) {
        const NK_REAL *NK_RESTRICT i = G + b * ldg, *NK_RESTRICT f = i + H;
        const NK_REAL *NK_RESTRICT g = f + H, *NK_RESTRICT before = c_0 + b * H;
        NK_REAL *NK_RESTRICT o = G + b * ldg + 3 * H;
        NK_REAL *NK_RESTRICT c = c_1 + b * H, *NK_RESTRICT t = t_1 + b * H;
        NK_REAL *NK_RESTRICT h = h_1 + b * ldh;
        NK_IVDEP
        for (Py_ssize_t j = 0; j < H; j++) {
            c[j] = f[j] * before[j] + i[j] * g[j];
            o[j] = NK_NAME(nk_sigmoid)(o[j] + p[2 * H + j] * c[j]);
            t[j] = NK_NAME(nk_tanh)(c[j]);
            h[j] = o[j] * t[j];
        }
    }
}

static void NK_NAME(nk_lstm)(Py_ssize_t B, Py_ssize_t H, NK_REAL *G, Py_ssize_t ldg,
                             const NK_REAL *c_0, NK_REAL *c_1, NK_REAL *t_1, NK_REAL *h_1,
                             Py_ssize_t ldh, const NK_REAL *peepholes) {
    if (peepholes == NULL)
        NK_NAME(nk_lstm_plain)(B, H, G, ldg, c_0, c_1, t_1, h_1, ldh);
    else
        NK_NAME(nk_lstm_peepholes)(B, H, G, ldg, c_0, c_1, t_1, h_1, ldh, peepholes);
}

/* r, z = sigmoid, n = tanh(n + r m);   h = n + z (h_0 - n) */
NK_CLONES static void NK_NAME(nk_gru)(Py_ssize_t B, Py_ssize_t H, NK_REAL *G, Py_ssize_t ldg,
                                      const NK_REAL *h_0, NK_REAL *h_1, Py_ssize_t ldh) {
    H &= -NK_VECTOR;                    /* whole vectors: nothing is left over */
    for (Py_ssize_t b = 0; b < B; b++) {
        NK_REAL *NK_RESTRICT r = G + b * ldg + H, *NK_RESTRICT z = r + H;
        NK_IVDEP
        for (Py_ssize_t j = 0; j < H; j++) {
            r[j] = NK_NAME(nk_sigmoid)(r[j]);
            z[j] = NK_NAME(nk_sigmoid)(z[j]);
        }
    }
    for (Py_ssize_t b = 0; b < B; b++) {
        const NK_REAL *NK_RESTRICT m = G + b * ldg, *NK_RESTRICT r = m + H;
        const NK_REAL *NK_RESTRICT z = r + H, *NK_RESTRICT before = h_0 + b * ldh;
        NK_REAL *NK_RESTRICT n = G + b * ldg + 3 * H, *NK_RESTRICT h = h_1 + b * ldh;
        NK_IVDEP
        for (Py_ssize_t j = 0; j < H; j++) {
            n[j] = NK_NAME(nk_tanh)(n[j] + r[j] * m[j]);
            h[j] = n[j] + z[j] * (before[j] - n[j]);
        }
    }
}

NK_CLONES static void NK_NAME(nk_elman)(Py_ssize_t B, Py_ssize_t H, int is_relu, NK_REAL *G,
                                        Py_ssize_t ldg, NK_REAL *h_1, Py_ssize_t ldh) {
    H &= -NK_VECTOR;                    /* whole vectors: nothing is left over */
    for (Py_ssize_t b = 0; b < B; b++) {
        NK_REAL *NK_RESTRICT a = G + b * ldg, *NK_RESTRICT h = h_1 + b * ldh;
        if (is_relu)
            NK_IVDEP
            for (Py_ssize_t j = 0; j < H; j++) h[j] = a[j] = a[j] < 0 ? 0 : a[j];
        else
            NK_IVDEP
            for (Py_ssize_t j = 0; j < H; j++) h[j] = a[j] = NK_NAME(nk_tanh)(a[j]);
    }
}

/* ---------------------------------------------------------------- gates, backwards
 * From the derivatives by h and by c, D (B, ldg) = those by the sums of the gates; dc becomes that
 * by c_0, and dP (3, H) gains that by the peepholes. */
NK_CLONES static void NK_NAME(nk_lstm_back)(Py_ssize_t B, Py_ssize_t H, const NK_REAL *G,
                                            Py_ssize_t ldg, const NK_REAL *c_0,
                                            const NK_REAL *c_1, const NK_REAL *t_1,
                                            const NK_REAL *dh_1, NK_REAL *dc_1, NK_REAL *D,
                                            const NK_REAL *peepholes, NK_REAL *dP) {
    H &= -NK_VECTOR;                    /* whole vectors: nothing is left over */
    for (Py_ssize_t b = 0; b < B; b++) {
        const NK_REAL *NK_RESTRICT i = G + b * ldg, *NK_RESTRICT f = i + H;
        const NK_REAL *NK_RESTRICT g = f + H, *NK_RESTRICT o = g + H;
        const NK_REAL *NK_RESTRICT before = c_0 + b * H, *NK_RESTRICT t = t_1 + b * H;
        const NK_REAL *NK_RESTRICT c = c_1 + b * H, *NK_RESTRICT dh = dh_1 + b * H;
        const NK_REAL *NK_RESTRICT p = peepholes;
        NK_REAL *NK_RESTRICT dc = dc_1 + b * H, *NK_RESTRICT d = dP;
        NK_REAL *NK_RESTRICT di = D + b * ldg, *NK_RESTRICT df = di + H;
        NK_REAL *NK_RESTRICT dg = df + H, *NK_RESTRICT dO = dg + H;
        if (peepholes == NULL)
            NK_IVDEP
            for (Py_ssize_t j = 0; j < H; j++) {
                const NK_REAL by_c = dc[j] + dh[j] * o[j] * (1 - t[j] * t[j]);
                dO[j] = dh[j] * t[j] * (o[j] * (1 - o[j]));
                di[j] = by_c * g[j] * (i[j] * (1 - i[j]));
                df[j] = by_c * before[j] * (f[j] * (1 - f[j]));
                dg[j] = by_c * i[j] * (1 - g[j] * g[j]);
                dc[j] = by_c * f[j];
            }
        else
            NK_IVDEP
            for (Py_ssize_t j = 0; j < H; j++) {
                dO[j] = dh[j] * t[j] * (o[j] * (1 - o[j]));
                const NK_REAL by_c = dc[j] + dh[j] * o[j] * (1 - t[j] * t[j])
                                   + dO[j] * p[2 * H + j];
                di[j] = by_c * g[j] * (i[j] * (1 - i[j]));
                df[j] = by_c * before[j] * (f[j] * (1 - f[j]));
                dg[j] = by_c * i[j] * (1 - g[j] * g[j]);
                dc[j] = by_c * f[j] + di[j] * p[j] + df[j] * p[H + j];
                d[j] += di[j] * before[j];
                d[H + j] += df[j] * before[j];
                d[2 * H + j] += dO[j] * c[j];
            }
    }
}

/* dh becomes the part of the derivative by h_0 that does not pass the gates */
NK_CLONES static void NK_NAME(nk_gru_back)(Py_ssize_t B, Py_ssize_t H, const NK_REAL *G,
                                           Py_ssize_t ldg, const NK_REAL *h_0, Py_ssize_t ldh,
                                           NK_REAL *dh_1, NK_REAL *D) {
    H &= -NK_VECTOR;                    /* whole vectors: nothing is left over */
    for (Py_ssize_t b = 0; b < B; b++) {
        const NK_REAL *NK_RESTRICT m = G + b * ldg, *NK_RESTRICT r = m + H;
        const NK_REAL *NK_RESTRICT z = r + H, *NK_RESTRICT n = z + H;
        const NK_REAL *NK_RESTRICT before = h_0 + b * ldh;
        NK_REAL *NK_RESTRICT dh = dh_1 + b * H;
        NK_REAL *NK_RESTRICT dm = D + b * ldg, *NK_RESTRICT dr = dm + H;
        NK_REAL *NK_RESTRICT dz = dr + H, *NK_RESTRICT dn = dz + H;
        NK_IVDEP
        for (Py_ssize_t j = 0; j < H; j++) {
            const NK_REAL by_n = dh[j] * (1 - z[j]) * (1 - n[j] * n[j]);
            dn[j] = by_n;
            dm[j] = by_n * r[j];
            dr[j] = by_n * m[j] * (r[j] * (1 - r[j]));
            dz[j] = dh[j] * (before[j] - n[j]) * (z[j] * (1 - z[j]));
            dh[j] *= z[j];
        }
    }
}

NK_CLONES static void NK_NAME(nk_elman_back)(Py_ssize_t B, Py_ssize_t H, int is_relu,
                                             const NK_REAL *G, Py_ssize_t ldg,
                                             const NK_REAL *dh_1, NK_REAL *D) {
    H &= -NK_VECTOR;                    /* whole vectors: nothing is left over */
    for (Py_ssize_t b = 0; b < B; b++) {
        const NK_REAL *NK_RESTRICT a = G + b * ldg, *NK_RESTRICT dh = dh_1 + b * H;
        NK_REAL *NK_RESTRICT d = D + b * ldg;
        if (is_relu)
            NK_IVDEP
            for (Py_ssize_t j = 0; j < H; j++) d[j] = a[j] > 0 ? dh[j] : 0;
        else
            NK_IVDEP
            for (Py_ssize_t j = 0; j < H; j++) d[j] = dh[j] * (1 - a[j] * a[j]);
    }
}

/* ---------------------------------------------------------------- sums
 * y (m) += a x */
NK_CLONES static void NK_NAME(nk_axpy)(Py_ssize_t m, NK_REAL a, const NK_REAL *NK_RESTRICT x,
                                       NK_REAL *NK_RESTRICT y) {
    for (Py_ssize_t j = 0; j < m; j++) y[j] += a * x[j];
}

/* x'w over m elements, lane by lane: the lanes of a vector of 64 bytes, then its halves */
NK_CLONES static NK_REAL NK_NAME(nk_inner)(Py_ssize_t m, const NK_REAL *NK_RESTRICT x,
                                           const NK_REAL *NK_RESTRICT w) {
    NK_REAL s[64 / sizeof(NK_REAL)] = {0}, rest = 0;
    Py_ssize_t j = 0;
    for (; j + NK_VECTOR <= m; j += NK_VECTOR)
        for (int k = 0; k < NK_VECTOR; k++) s[k] += x[j + k] * w[j + k];
    for (; j < m; j++) rest += x[j] * w[j];
    for (int half = NK_VECTOR / 2; half; half /= 2)
        for (int k = 0; k < half; k++) s[k] += s[k + half];
    return s[0] + rest;
}

/* g (m) = sum_i z_i W_i (+ g where `add`), W (n, ldw); m a multiple of a vector of 64 bytes */
#define NK_ROW_BODY(BYTES)                                                                       \
    typedef NK_REAL vec __attribute__((vector_size(BYTES), aligned(sizeof(NK_REAL)), may_alias)); \
    enum { V = BYTES / sizeof(NK_REAL) };                                                        \
    Py_ssize_t j = 0;                                                                            \
    for (; j + 8 * V <= m; j += 8 * V) {                                                         \
        const NK_REAL *w = W + j;                                                                \
        const vec zero = {0};                                                                    \
        vec s[8];                                                                                \
        for (int k = 0; k < 8; k++) s[k] = add ? *(const vec *)(g + j + k * V) : zero;           \
        for (Py_ssize_t i = 0; i < n; i++, w += ldw)                                             \
            for (int k = 0; k < 8; k++) s[k] += z[i] * *(const vec *)(w + k * V);                \
        for (int k = 0; k < 8; k++) *(vec *)(g + j + k * V) = s[k];                              \
    }                                                                                            \
    for (; j + 4 * V <= m; j += 4 * V) {                                                         \
        const NK_REAL *w = W + j;                                                                \
        const vec zero = {0};                                                                    \
        vec s[4];                                                                                \
        for (int k = 0; k < 4; k++) s[k] = add ? *(const vec *)(g + j + k * V) : zero;           \
        for (Py_ssize_t i = 0; i < n; i++, w += ldw)                                             \
            for (int k = 0; k < 4; k++) s[k] += z[i] * *(const vec *)(w + k * V);                \
        for (int k = 0; k < 4; k++) *(vec *)(g + j + k * V) = s[k];                              \
    }                                                                                            \
    for (; j < m; j += V) {                                                                      \
        const NK_REAL *w = W + j;                                                                \
        const vec zero = {0};                                                                    \
        vec s = add ? *(const vec *)(g + j) : zero;                                              \
        for (Py_ssize_t i = 0; i < n; i++, w += ldw) s += z[i] * *(const vec *)w;                \
        *(vec *)(g + j) = s;                                                                     \
    }

#define NK_ROW_ARGS Py_ssize_t n, Py_ssize_t m, int add, const NK_REAL *NK_RESTRICT z,            \
                    const NK_REAL *NK_RESTRICT W, Py_ssize_t ldw, NK_REAL *NK_RESTRICT g

#ifdef NK_TARGETS
__attribute__((target("avx512f"))) static void NK_NAME(nk_row_512)(NK_ROW_ARGS) {
    NK_ROW_BODY(64)
}
__attribute__((target("avx2"))) static void NK_NAME(nk_row_256)(NK_ROW_ARGS) { NK_ROW_BODY(32) }
#endif

static void NK_NAME(nk_row)(NK_ROW_ARGS) {
#ifdef NK_TARGETS
    if (__builtin_cpu_supports("avx512f")) {
        NK_NAME(nk_row_512)(n, m, add, z, W, ldw, g);
        return;
    }
    if (__builtin_cpu_supports("avx2")) {
        NK_NAME(nk_row_256)(n, m, add, z, W, ldw, g);
        return;
    }
#endif
#ifdef __GNUC__
    NK_ROW_BODY(16)
#else
    if (!add) memset(g, 0, m * sizeof(NK_REAL));
    for (Py_ssize_t i = 0; i < n; i++)
        for (Py_ssize_t j = 0; j < m; j++) g[j] += z[i] * W[i * ldw + j];
#endif
}

#undef NK_ROW_BODY
#undef NK_ROW_ARGS
#undef NK_VECTOR
