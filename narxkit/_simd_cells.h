/* Vector functions of the recurrent cells, for double and for float.
 *
 * A. The loops stand once, in `_cell_loops.h`, and are compiled for both types; here is what differs.
 * B. As in `_simd.h`: elementwise, or sums over a fixed number of lanes, so that a result does not
 *    depend on the instruction set; NaN goes in, NaN comes out.
 * C. The sigmoid is 1 / (1 + exp(-x)): one made from tanh has no digit left where it is small.
 * D. gcc splits vector types before it clones, so that the products of a row, which live in
 *    registers, are compiled for each instruction set by name, and chosen at run time.
 */
#ifndef NARXKIT_SIMD_CELLS_H
#define NARXKIT_SIMD_CELLS_H

#include "_simd.h"

/* ---- double: 1 ulp or so */
NK_INLINE double nk_sigmoid_d(double x) {
    double power, t = -x;
    t = t < -708.0 ? -708.0 : t;
    t = t > 708.0 ? 708.0 : t;
    const double r = nk_reduce(t, &power);
    const double e = (power + power * r) + (power * (r * r)) * nk_expm1_tail(r);
    return 1.0 / (1.0 + e);
}

NK_INLINE double nk_tanh_d(double x) { return nk_tanh_one(x); }

/* ---- float: exp by Cephes' polynomial, tanh as a ratio of polynomials */
NK_INLINE float nk_sigmoid_f(float x) {
    const float shift = 12582912.0f;                            /* 1.5 * 2^23: rounds to integer */
    float t = -x, power;
    uint32_t bits;
    t = t < -87.0f ? -87.0f : t;
    t = t > 87.0f ? 87.0f : t;
    const float shifted = t * 1.44269504f + shift, k = shifted - shift;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits + 127) << 23;                                  /* the exponent field of 2^k */
    memcpy(&power, &bits, sizeof power);
    const float r = (t - k * 0.693359375f) + k * 2.12194440e-4f;
    const float p = ((((1.9875691500e-4f * r + 1.3981999507e-3f) * r + 8.3334519073e-3f) * r
                      + 4.1665795894e-2f) * r + 1.6666665459e-1f) * r + 5.0000001201e-1f;
    return 1.0f / (1.0f + power * ((p * (r * r) + r) + 1.0f));
}

NK_INLINE float nk_tanh_f(float x) {
    float t = x;
    t = t < -7.90531110763549805f ? -7.90531110763549805f : t;
    t = t > 7.90531110763549805f ? 7.90531110763549805f : t;
    const float s = t * t;
    const float p = (((((-2.76076847742355e-16f * s + 2.00018790482477e-13f) * s
                        - 8.60467152213735e-11f) * s + 5.12229709037114e-08f) * s
                      + 1.48572235717979e-05f) * s + 6.37261928875436e-04f) * s
                  + 4.89352455891786e-03f;
    const float q = ((1.19825839466702e-06f * s + 1.18534705686654e-04f) * s
                     + 2.26843463243900e-03f) * s + 4.89352518554385e-03f;
    return t * p / q;
}

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__GLIBC__)
#define NK_TARGETS 1
#endif

/* Arrays of a row do not overlap; gcc heeds `restrict` in arguments only */
#if defined(__clang__)
#define NK_IVDEP _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define NK_IVDEP _Pragma("GCC ivdep")
#elif defined(_MSC_VER)
#define NK_IVDEP __pragma(loop(ivdep))
#else
#define NK_IVDEP
#endif

#define NK_REAL double
#define NK_NAME(name) name##_d
#include "_cell_loops.h"
#undef NK_REAL
#undef NK_NAME

#define NK_REAL float
#define NK_NAME(name) name##_f
#include "_cell_loops.h"
#undef NK_REAL
#undef NK_NAME

#endif
