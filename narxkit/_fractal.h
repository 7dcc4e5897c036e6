/* The inner loops of the Hurst kernels that must be vectorised; see _simd.h for how. */
#ifndef NARXKIT_FRACTAL_H
#define NARXKIT_FRACTAL_H

#include "_simd.h"

/* a <- a - c b and b <- b - c a together, then *bx = b'x and *bg = b'g: one pass over all four */
NK_CLONES static void nk_lattice(double c, double *NK_RESTRICT a, double *NK_RESTRICT b,
                                 Py_ssize_t n, const double *NK_RESTRICT x,
                                 const double *NK_RESTRICT g, double *bx, double *bg) {
    static const double zero[4] = {0.0, 0.0, 0.0, 0.0};
    nk_v4 X = NK_LOAD(zero), X1 = X, G = X, G1 = X;
    double sx = 0.0, sg = 0.0;
    Py_ssize_t i = 0;
    for (; i + 8 <= n; i += 8) {
        nk_v4 a0 = NK_LOAD(a + i), a1 = NK_LOAD(a + i + 4);
        nk_v4 b0 = NK_LOAD(b + i), b1 = NK_LOAD(b + i + 4);
        NK_ADD_SCALED(a0, -c, b + i);
        NK_ADD_SCALED(a1, -c, b + i + 4);
        NK_ADD_SCALED(b0, -c, a + i);
        NK_ADD_SCALED(b1, -c, a + i + 4);
        NK_STORE(a + i, a0);
        NK_STORE(a + i + 4, a1);
        NK_STORE(b + i, b0);
        NK_STORE(b + i + 4, b1);
        NK_ADD_PRODUCT(X, b + i, x + i);
        NK_ADD_PRODUCT(X1, b + i + 4, x + i + 4);
        NK_ADD_PRODUCT(G, b + i, g + i);
        NK_ADD_PRODUCT(G1, b + i + 4, g + i + 4);
    }
    for (; i < n; i++) {
        const double old = a[i], next = b[i] - c * old;
        a[i] = old - c * b[i];
        b[i] = next;
        sx += next * x[i];
        sg += next * g[i];
    }
    for (int k = 0; k < 4; k++) {
        sx += NK_LANE(X, k) + NK_LANE(X1, k);
        sg += NK_LANE(G, k) + NK_LANE(G1, k);
    }
    *bx = sx;
    *bg = sg;
}

/* sum_i x_i w_i for any n, summed lane by lane */
NK_CLONES static double nk_product(const double *NK_RESTRICT x, const double *NK_RESTRICT w,
                                   Py_ssize_t n) {
    const Py_ssize_t whole = n - n % NK_LANES;
    double sum = nk_dot(x, w, whole);
    for (Py_ssize_t i = whole; i < n; i++) sum += x[i] * w[i];
    return sum;
}

/* sum_i (x_i - m)^2 over n rows, and the least and the largest of 0 and all y_i - y_0 - i m */
NK_CLONES static double nk_stray(const double *NK_RESTRICT x, const double *NK_RESTRICT y,
                                 double m, Py_ssize_t n, double *least, double *largest) {
    double low[NK_LANES], high[NK_LANES], square[NK_LANES], at[NK_LANES], sum = 0.0;
    for (int k = 0; k < NK_LANES; k++) low[k] = high[k] = square[k] = 0.0, at[k] = k;
    for (Py_ssize_t i = 0; i < n; i += NK_LANES) {
        const int lanes = n - i < NK_LANES ? (int)(n - i) : NK_LANES;
        for (int k = 0; k < lanes; k++) {
            const double from_chord = y[i + k] - y[0] - at[k] * m, deviation = x[i + k] - m;
            low[k] = from_chord < low[k] ? from_chord : low[k];
            high[k] = from_chord > high[k] ? from_chord : high[k];
            square[k] += deviation * deviation;
            at[k] += NK_LANES;
        }
    }
    *least = *largest = 0.0;
    for (int k = 0; k < NK_LANES; k++) {
        *least = low[k] < *least ? low[k] : *least;
        *largest = high[k] > *largest ? high[k] : *largest;
        sum += square[k];
    }
    return sum;
}

/* r <- r - c q */
NK_CLONES static void nk_subtract(double c, const double *NK_RESTRICT q, double *NK_RESTRICT r,
                                  Py_ssize_t n) {
    for (Py_ssize_t i = 0; i < n; i++) r[i] -= c * q[i];
}

#endif
