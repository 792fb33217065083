/* 3x3 convolutions with a handful of output channels: nine products of single pixels, added up after
 * shifting.
 *
 * A register tile computes 16 channels at least, so a layer with one output channel (pct3x3 = 1 %) would
 * waste 15 sixteenths of it. Here the nine taps are channels of one 1x1 convolution, 9 * cout columns, and
 * the outputs are sums of nine shifted columns. network.c chooses the layers. */
#ifndef ENGINE_COLUMNS_H
#define ENGINE_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/kernels.h"
#include "engine/network.h"

enum { COLUMNS_COUT_MAX = 7 };

/* Floats of scratch memory that a branch needs for `images` images; 0 if it runs otherwise. */
size_t columns_scratch(const struct branch *b, const struct shape *map, int images, bool training);

/* A convolution with padding 1 and stride 1. */
struct columns_conv {
    const struct kernels *kernels;
    struct view x, y; /* at pixel (0, 0) */
    int images, h, w;
    int cin, cout;
    const float *weights; /* panels of 9 * cout columns (tap, o), k = cin */
    const float *bias;
    bool relu;
    float *scratch;
};
void columns_conv(const struct columns_conv *c);

/* dw[ky, kx, cin][cout] (+)= gradient to the weights, in the weights' panels. */
struct columns_gradient {
    const struct kernels *kernels;
    struct view x, dy; /* at pixel (0, 0) */
    int images, h, w;
    int cin, cout;
    float *dw;
    bool accumulate;
    float *scratch;
};
void columns_gradient(const struct columns_gradient *g);

/* The weights of one branch, [tap][cin][cout] in panels, as columns_conv wants them; padding becomes zero. */
void columns_derive(const struct branch *b, const float *weights, float *columns);

#endif
