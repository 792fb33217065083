/* Gradient to a convolution's weights: register tiles of input x output channels, summed over pixels.
 * Private to kernels.c. */
#ifndef ENGINE_KERNELS_WEIGHT_GRADIENT_H
#define ENGINE_KERNELS_WEIGHT_GRADIENT_H

#include "engine/kernels.h"
#include "engine/kernels_vector.h"

enum { TILE_ROWS = TILE_PIXELS /* k rows of a tile */, BIAS_VECTORS = 8 };

/* A tile of `rows` k values x `vectors` of output channels, over a block of images. */
struct gradient_tile {
    const struct weight_gradient_job *job;
    const float *x;  /* row and first k, pixel (0, 0) of the block's first image */
    const float *dy; /* first channel, likewise */
    int images;
    float *dw; /* first k row, first channel */
    size_t weight_row;
    int left; /* channels from the tile's first to the last */
    bool accumulate;
};

KERNEL_INLINE void gradient_tile_run(const int rows, const int vectors, const struct gradient_tile *t)
{
    const struct weight_gradient_job *job = t->job;
    vec acc[TILE_ROWS][TILE_VECTORS];
    KERNEL_UNROLL
    for (int r = 0; r < rows; r++) {
        KERNEL_UNROLL
        for (int v = 0; v < vectors; v++)
            acc[r][v] = t->accumulate ? vec_load(t->dw + (size_t)r * t->weight_row + v * VL) : (vec){0};
    }

    const size_t x_pixel = job->x.pixel * (size_t)job->stride, dy_pixel = job->dy.pixel;
    const int w = job->w;
    for (int image = 0; image < t->images; image++) {
        for (int i = 0; i < job->h; i++) {
            const float *x =
                t->x + (size_t)image * job->x.image + (size_t)i * (size_t)job->stride * job->x.row;
            const float *dy = t->dy + (size_t)image * job->dy.image + (size_t)i * job->dy.row;
            for (int j = 0; j < w; j++) {
                vec d[TILE_VECTORS];
                KERNEL_UNROLL
                for (int v = 0; v < vectors; v++)
                    d[v] = vec_load(dy + v * VL);
                KERNEL_UNROLL
                for (int r = 0; r < rows; r++) {
                    vec a = vec_all(x[r]);
                    KERNEL_UNROLL
                    for (int v = 0; v < vectors; v++)
                        acc[r][v] += a * d[v];
                }
                x += x_pixel;
                dy += dy_pixel;
            }
        }
    }
    /* Channels beyond the last read something else's values: they stay zero. */
    KERNEL_UNROLL
    for (int v = 0; v < vectors; v++) {
        const ivec valid = vec_lanes() < (t->left - v * VL);
        KERNEL_UNROLL
        for (int r = 0; r < rows; r++)
            vec_store(t->dw + (size_t)r * t->weight_row + v * VL, vec_select(valid, acc[r][v], (vec){0}));
    }
}

typedef void gradient_tile_fn(const struct gradient_tile *t);

#define GRADIENT_TILE(rows)                                             \
    static void gradient_tile_##rows##x1(const struct gradient_tile *t) \
    {                                                                   \
        gradient_tile_run(rows, 1, t);                                  \
    }                                                                   \
    static void gradient_tile_##rows##x2(const struct gradient_tile *t) \
    {                                                                   \
        gradient_tile_run(rows, 2, t);                                  \
    }
GRADIENT_TILE(1)
GRADIENT_TILE(2)
GRADIENT_TILE(3)
GRADIENT_TILE(4)
GRADIENT_TILE(5)
GRADIENT_TILE(6)
#if defined __AVX512F__
GRADIENT_TILE(7)
GRADIENT_TILE(8)
GRADIENT_TILE(9)
GRADIENT_TILE(10)
GRADIENT_TILE(11)
GRADIENT_TILE(12)
#endif
#undef GRADIENT_TILE

static gradient_tile_fn *const gradient_tiles[TILE_ROWS][TILE_VECTORS] = {
    {gradient_tile_1x1, gradient_tile_1x2},   {gradient_tile_2x1, gradient_tile_2x2},
    {gradient_tile_3x1, gradient_tile_3x2},   {gradient_tile_4x1, gradient_tile_4x2},
    {gradient_tile_5x1, gradient_tile_5x2},   {gradient_tile_6x1, gradient_tile_6x2},
#if defined __AVX512F__
    {gradient_tile_7x1, gradient_tile_7x2},   {gradient_tile_8x1, gradient_tile_8x2},
    {gradient_tile_9x1, gradient_tile_9x2},   {gradient_tile_10x1, gradient_tile_10x2},
    {gradient_tile_11x1, gradient_tile_11x2}, {gradient_tile_12x1, gradient_tile_12x2},
#endif
};

/* All k rows of one block of channels. */
KERNEL_INLINE void gradient_block(struct gradient_tile *t, int c, int first_image)
{
    const struct weight_gradient_job *job = t->job;
    const int k_count = job->kernel_rows * job->row_length;
    const int vectors = job->channels - c > VL ? TILE_VECTORS : 1;
    float *block = job->dw + panel_start(c, k_count) + c % PANEL;
    const int tiles = (job->row_length + TILE_ROWS - 1) / TILE_ROWS;
    const int even = job->row_length / tiles, larger = job->row_length % tiles;
    t->weight_row = (size_t)panel_width(c, job->channels);
    t->left = job->channels - c;
    t->dy = job->dy.data + (size_t)first_image * job->dy.image + c;
    for (int ky = 0, k = 0; ky < job->kernel_rows; ky++) {
        const float *x = job->x.data + (size_t)first_image * job->x.image + (size_t)ky * job->x.row;
        for (int i = 0; i < tiles; i++) {
            const int rows = even + (i < larger);
            t->x = x;
            t->dw = block + (size_t)k * t->weight_row;
            gradient_tiles[rows - 1][vectors - 1](t);
            x += rows;
            k += rows;
        }
    }
}

/* Sum of dy over pixels for `vectors` vectors of channels: chains enough to hide an addition's latency. */
KERNEL_INLINE void bias_gradient_run(const struct weight_gradient_job *job, const int vectors, int c)
{
    vec sum[BIAS_VECTORS];
    KERNEL_UNROLL
    for (int v = 0; v < vectors; v++)
        sum[v] = job->accumulate ? vec_load(job->db + c + v * VL) : (vec){0};
    for (int image = 0; image < job->images; image++)
        for (int i = 0; i < job->h; i++) {
            const float *dy = job->dy.data + (size_t)image * job->dy.image + (size_t)i * job->dy.row + c;
            for (int j = 0; j < job->w; j++, dy += job->dy.pixel) {
                KERNEL_UNROLL
                for (int v = 0; v < vectors; v++)
                    sum[v] += vec_load(dy + v * VL);
            }
        }
    KERNEL_UNROLL
    for (int v = 0; v < vectors; v++) {
        const ivec valid = vec_lanes() < (job->channels - c - v * VL);
        vec_store(job->db + c + v * VL, vec_select(valid, sum[v], (vec){0}));
    }
}

static void bias_gradient(const struct weight_gradient_job *job)
{
    int c = 0;
    for (; job->channels - c >= BIAS_VECTORS * VL; c += BIAS_VECTORS * VL)
        bias_gradient_run(job, BIAS_VECTORS, c);
    for (; c < job->channels; c += VL)
        bias_gradient_run(job, 1, c);
}

static void weight_gradient(const struct weight_gradient_job *job)
{
    /* Blocks of images keep what a channel block reads in the first-level cache; few pixels would not
     * pay for loading and storing the accumulators. */
    enum { BLOCK_PIXELS = 256 };
    const int pixels = job->h * job->w;
    const int block = pixels >= BLOCK_PIXELS ? 1 : (BLOCK_PIXELS + pixels - 1) / pixels;
    for (int first = 0; first < job->images; first += block) {
        const int images = job->images - first < block ? job->images - first : block;
        struct gradient_tile t = {.job = job, .images = images, .accumulate = job->accumulate || first > 0};
        for (int c = 0; c < job->channels;) {
            gradient_block(&t, c, first);
            c += job->channels - c > VL ? TILE_CHANNELS : VL;
        }
    }
}

#endif
