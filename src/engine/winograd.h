/* 3x3 convolutions as F(4x4, 3x3): transforms around 36 matrix products. network.c chooses the layers. */
#ifndef ENGINE_WINOGRAD_H
#define ENGINE_WINOGRAD_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/kernels.h"
#include "engine/network.h"

/* Floats of scratch memory that a branch needs for tiles of `images` images; 0 if it runs directly. */
size_t winograd_scratch(const struct branch *b, const struct shape *map, int images, bool training);

/* A 3x3 convolution with padding 1 and stride 1 of a tile of images. */
struct winograd_conv {
    const struct kernels *kernels;
    struct view x, y, mask; /* at pixel (0, 0); x has a zero border of one pixel */
    int images, h, w;
    int cin, cout;
    const float *planes; /* transformed weights: 36 x panels [cin][cout] */
    const float *bias;   /* or NULL */
    unsigned flags;      /* enum conv_flags */
    float *scratch;
};
void winograd_conv(const struct winograd_conv *c);

/* dw[ky, kx, cin][cout] (+)= gradient to the weights, in the weights' panels. Sums over the tile's pixels in
 * the transformed domain, so the images of a tile, unlike in direct convolution, are part of the numerics. */
struct winograd_gradient {
    const struct kernels *kernels;
    struct view x, dy; /* as above; dy needs no border */
    int images, h, w;
    int cin, cout;
    float *dw;
    bool accumulate;
    float *scratch;
};
void winograd_gradient(const struct winograd_gradient *g);

#endif
