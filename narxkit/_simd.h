/* The few inner loops that must be vectorised.
 *
 * A. Elementwise functions and sums over a fixed number of lanes only: without contraction or
 *    reassociation every instruction set gives the same bits, so results do not depend on the
 *    machine's vector width.
 * B. gcc on x86-64 glibc compiles each loop for several instruction sets and picks one when the
 *    module is loaded (target_clones); every other compiler gets plain C.
 * C. NaN goes in, NaN comes out: comparisons are written so that NaN falls through.
 *
 * exp and expm1: x = k ln 2 + r with |r| <= ln 2 / 2 (Cody-Waite, two-part ln 2), a Taylor
 * polynomial of degree 13 for expm1(r) (its remainder is below 1e-17), then 2^k expm1(r) + (2^k - 1).
 * tanh(x) = -e / (e + 2) with e = expm1(-2|x|), the sign put back: at most 3 ulp.
 */
#ifndef NARXKIT_SIMD_H
#define NARXKIT_SIMD_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__GLIBC__)
#define NK_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define NK_CLONES
#endif

#if defined(_MSC_VER)
#define NK_RESTRICT __restrict
#define NK_INLINE static __forceinline
#else
#define NK_RESTRICT restrict
#define NK_INLINE static inline __attribute__((always_inline))
#endif

#define NK_LANES 8      /* widths are padded to a multiple of this */

enum { NK_IDENTITY, NK_TANH, NK_LOGISTIC, NK_RELU, NK_SOFTPLUS };

/* (expm1(r) - r) / r^2 for |r| <= ln 2 / 2, in Estrin's order: a trajectory waits for every result */
NK_INLINE double nk_expm1_tail(double r) {
    const double r2 = r * r, r4 = r2 * r2;
    const double a = (1.0 / 2.0 + r * (1.0 / 6.0)) + r2 * (1.0 / 24.0 + r * (1.0 / 120.0));
    const double b = (1.0 / 720.0 + r * (1.0 / 5040.0))
                   + r2 * (1.0 / 40320.0 + r * (1.0 / 362880.0));
    const double c = (1.0 / 3628800.0 + r * (1.0 / 39916800.0))
                   + r2 * (1.0 / 479001600.0 + r * (1.0 / 6227020800.0));
    return (a + r4 * b) + (r4 * r4) * c;
}

/* x = k ln 2 + r: gives r and 2^k, for -708 <= x <= 0 */
NK_INLINE double nk_reduce(double x, double *power) {
    const double shift = 6755399441055744.0;                    /* 1.5 * 2^52: rounds to integer */
    const double shifted = x * 1.4426950408889634074 + shift;
    const double k = shifted - shift;
    uint64_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits + 1023) << 52;                                 /* the exponent field of 2^k */
    memcpy(power, &bits, sizeof bits);
    return (x - k * 6.93147180369123816490e-01) - k * 1.90821492927058770002e-10;
}

NK_INLINE double nk_tanh_one(double x) {
    double power, t = -2.0 * fabs(x);
    t = t < -44.0 ? -44.0 : t;
    const double r = nk_reduce(t, &power);
    const double linear = power * r + (power - 1.0);
    const double tail = (power * (r * r)) * nk_expm1_tail(r);
    const double y = -(linear + tail) / ((linear + 2.0) + tail);     /* -e / (e + 2) */
    return x < 0.0 ? -y : y;
}

/* exp(-|x|) */
NK_INLINE double nk_exp_neg(double x) {
    double power, t = -fabs(x);
    t = t < -708.0 ? -708.0 : t;
    const double r = nk_reduce(t, &power);
    return (power + power * r) + (power * (r * r)) * nk_expm1_tail(r);
}

NK_CLONES static void nk_tanh(double *NK_RESTRICT x, Py_ssize_t n) {
    for (Py_ssize_t i = 0; i < n; i++) x[i] = nk_tanh_one(x[i]);
}

NK_CLONES static void nk_logistic(double *NK_RESTRICT x, Py_ssize_t n) {
    for (Py_ssize_t i = 0; i < n; i++) {
        const double e = nk_exp_neg(x[i]);
        x[i] = (x[i] < 0.0 ? e : 1.0) / (1.0 + e);
    }
}

static void nk_softplus(double *NK_RESTRICT x, Py_ssize_t n) {
    for (Py_ssize_t i = 0; i < n; i++)
        x[i] = (x[i] < 0.0 ? 0.0 : x[i]) + log1p(exp(-fabs(x[i])));
}

NK_CLONES static void nk_relu(double *NK_RESTRICT x, Py_ssize_t n) {
    for (Py_ssize_t i = 0; i < n; i++) x[i] = x[i] < 0.0 ? 0.0 : x[i];
}

/* x <- f(x) */
static inline void nk_activate(int f, double *x, Py_ssize_t n) {
    switch (f) {
        case NK_TANH: nk_tanh(x, n); break;
        case NK_LOGISTIC: nk_logistic(x, n); break;
        case NK_RELU: nk_relu(x, n); break;
        case NK_SOFTPLUS: nk_softplus(x, n); break;
        default: break;
    }
}

/* g <- g f'(x), with f' written in the activation a = f(x) */
NK_CLONES static void nk_chain(int f, const double *NK_RESTRICT a, double *NK_RESTRICT g,
                               Py_ssize_t n) {
    Py_ssize_t i;
    switch (f) {
        case NK_TANH: for (i = 0; i < n; i++) g[i] *= 1.0 - a[i] * a[i]; break;
        case NK_LOGISTIC: for (i = 0; i < n; i++) g[i] *= a[i] * (1.0 - a[i]); break;
        case NK_RELU: for (i = 0; i < n; i++) g[i] = a[i] > 0.0 ? g[i] : 0.0; break;
        case NK_SOFTPLUS: for (i = 0; i < n; i++) g[i] *= -expm1(-a[i]); break;
        default: break;
    }
}

/* Four lanes: gcc and clang turn the vector type into the widest registers of each clone. */
#if defined(__GNUC__)
typedef double nk_v4 __attribute__((vector_size(32), aligned(8), may_alias));
#define NK_LOAD(p) (*(const nk_v4 *)(p))
#define NK_STORE(p, v) (*(nk_v4 *)(p) = (v))
#define NK_ADD_SCALED(s, x, p) ((s) += (x) * NK_LOAD(p))
#define NK_ADD_PRODUCT(s, p, q) ((s) += NK_LOAD(p) * NK_LOAD(q))
#define NK_LANE(s, i) ((s)[i])
#else
typedef struct { double lane[4]; } nk_v4;
#define NK_LOAD(p) (*(const nk_v4 *)(p))
#define NK_STORE(p, v) (*(nk_v4 *)(p) = (v))
#define NK_ADD_SCALED(s, x, p) do { for (int k_ = 0; k_ < 4; k_++) \
    (s).lane[k_] += (x) * (p)[k_]; } while (0)
#define NK_ADD_PRODUCT(s, p, q) do { for (int k_ = 0; k_ < 4; k_++) \
    (s).lane[k_] += (p)[k_] * (q)[k_]; } while (0)
#define NK_LANE(s, i) ((s).lane[i])
#endif

/* z = b + sum_i x_i W_i, W (n, width) with rows padded to a multiple of NK_LANES; backwards, since
 * x_0 of a trajectory is the output of the step before, the one term that the sum must wait for */
NK_INLINE void nk_affine(const double *NK_RESTRICT x, Py_ssize_t n, const double *NK_RESTRICT W,
                         const double *NK_RESTRICT b, double *NK_RESTRICT z, Py_ssize_t width) {
    Py_ssize_t i, j = 0;
    for (; j + 16 <= width; j += 16) {
        const double *w = W + j;
        nk_v4 s0 = NK_LOAD(b + j), s1 = NK_LOAD(b + j + 4);
        nk_v4 s2 = NK_LOAD(b + j + 8), s3 = NK_LOAD(b + j + 12);
        for (i = 0; i < n; i++, w += width) {
            NK_ADD_SCALED(s0, x[i], w);
            NK_ADD_SCALED(s1, x[i], w + 4);
            NK_ADD_SCALED(s2, x[i], w + 8);
            NK_ADD_SCALED(s3, x[i], w + 12);
        }
        NK_STORE(z + j, s0);
        NK_STORE(z + j + 4, s1);
        NK_STORE(z + j + 8, s2);
        NK_STORE(z + j + 12, s3);
    }
    for (; j < width; j += 8) {
        const double *w = W + j;
        nk_v4 s0 = NK_LOAD(b + j), s1 = NK_LOAD(b + j + 4);
        for (i = 0; i < n; i++, w += width) {
            NK_ADD_SCALED(s0, x[i], w);
            NK_ADD_SCALED(s1, x[i], w + 4);
        }
        NK_STORE(z + j, s0);
        NK_STORE(z + j + 4, s1);
    }
}

/* sum_i x_i w_i, n a multiple of NK_LANES, summed lane by lane */
NK_INLINE double nk_dot(const double *NK_RESTRICT x, const double *NK_RESTRICT w, Py_ssize_t n) {
    static const double zero[4] = {0.0, 0.0, 0.0, 0.0};
    nk_v4 s = NK_LOAD(zero), r = NK_LOAD(zero);
    for (Py_ssize_t i = 0; i < n; i += 8) {
        NK_ADD_PRODUCT(s, x + i, w + i);
        NK_ADD_PRODUCT(r, x + i + 4, w + i + 4);
    }
    return ((NK_LANE(s, 0) + NK_LANE(r, 0)) + (NK_LANE(s, 2) + NK_LANE(r, 2)))
         + ((NK_LANE(s, 1) + NK_LANE(r, 1)) + (NK_LANE(s, 3) + NK_LANE(r, 3)));
}

/* A hidden layer of one row: z = f(b + W'x) for its units, 0 in the padding, which must add
 * nothing to the next layer. tanh stands here as well to spare a call. */
NK_CLONES static void nk_layer(int f, const double *NK_RESTRICT x, Py_ssize_t n,
                               const double *NK_RESTRICT W, const double *NK_RESTRICT b,
                               double *NK_RESTRICT z, Py_ssize_t units, Py_ssize_t width) {
    Py_ssize_t i;
    nk_affine(x, n, W, b, z, width);
    if (f == NK_TANH) {                         /* finite layers leave the 0 of the padded weights: */
        for (i = 0; i < units; i += 4)          /* to write it again delays who reads whole vectors */
            for (int k = 0; k < 4; k++) z[i + k] = nk_tanh_one(z[i + k]);
        return;
    }
    nk_activate(f, z, units);
    for (i = units; i < width; i++) z[i] = 0.0;
}

/* An output of one row: bias + v'z + w'x, what waits for the hidden layer last */
NK_CLONES static double nk_output(double bias, const double *NK_RESTRICT z,
                                  const double *NK_RESTRICT v, Py_ssize_t taps,
                                  const double *NK_RESTRICT x, const double *NK_RESTRICT w,
                                  Py_ssize_t n) {
    return (bias + nk_dot(z, v, taps)) + nk_dot(x, w, n);
}

/* J (n, m) = x d', the derivative of W'x with respect to W */
NK_CLONES static void nk_outer(const double *NK_RESTRICT x, Py_ssize_t n,
                               const double *NK_RESTRICT d, Py_ssize_t m,
                               double *NK_RESTRICT J) {
    for (Py_ssize_t i = 0; i < n; i++)
        for (Py_ssize_t j = 0; j < m; j++) J[i * m + j] = x[i] * d[j];
}

/* out (m) += sum_k c_k S_k, with S_k (m) standing offset_k from S: columns in chunks that stay in
 * registers, so that out is read and written once */
NK_CLONES static void nk_combine(const double *NK_RESTRICT c, const Py_ssize_t *NK_RESTRICT offset,
                                 Py_ssize_t n, const double *S, double *NK_RESTRICT out,
                                 Py_ssize_t m) {
    Py_ssize_t k, j = 0;
    for (; j + 16 <= m; j += 16) {
        nk_v4 s0 = NK_LOAD(out + j), s1 = NK_LOAD(out + j + 4);
        nk_v4 s2 = NK_LOAD(out + j + 8), s3 = NK_LOAD(out + j + 12);
        for (k = 0; k < n; k++) {
            const double *row = S + offset[k] + j;
            NK_ADD_SCALED(s0, c[k], row);
            NK_ADD_SCALED(s1, c[k], row + 4);
            NK_ADD_SCALED(s2, c[k], row + 8);
            NK_ADD_SCALED(s3, c[k], row + 12);
        }
        NK_STORE(out + j, s0);
        NK_STORE(out + j + 4, s1);
        NK_STORE(out + j + 8, s2);
        NK_STORE(out + j + 12, s3);
    }
    for (k = 0; k < n; k++) {
        const double *row = S + offset[k];
        for (Py_ssize_t i = j; i < m; i++) out[i] += c[k] * row[i];
    }
}

/* out_i = W_i'd for the n rows of W (n, width), width a multiple of NK_LANES */
NK_CLONES static void nk_dots(const double *NK_RESTRICT W, Py_ssize_t n, Py_ssize_t width,
                              const double *NK_RESTRICT d, double *NK_RESTRICT out) {
    for (Py_ssize_t i = 0; i < n; i++) out[i] = nk_dot(W + i * width, d, width);
}

#endif
