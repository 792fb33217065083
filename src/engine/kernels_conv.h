/* Convolution: register tiles of pixels x output channels. Private to kernels.c. */
#ifndef ENGINE_KERNELS_CONV_H
#define ENGINE_KERNELS_CONV_H

#include "engine/kernels.h"
#include "engine/kernels_vector.h"

/* One register tile: its pixels' addresses and what is the same for all of them. */
struct conv_tile {
    const float *x[TILE_PIXELS];
    float *y[TILE_PIXELS];
    const float *mask[TILE_PIXELS];
    const struct conv_job *job;
    const float *weights; /* first row of the block of channels */
    size_t weight_row;    /* floats to the next k: the panel's width */
    int channel;          /* first channel of the block */
};

/* What follows the sums: add, ReLU, mask, store. */
KERNEL_INLINE void conv_tile_finish(const int pixels, const int vectors, const struct conv_tile *t,
                                    vec acc[TILE_PIXELS][TILE_VECTORS])
{
    const struct conv_job *job = t->job;
    const int left = job->channels - t->channel;
    if (job->flags & CONV_RELU) {
        KERNEL_UNROLL
        for (int p = 0; p < pixels; p++) {
            KERNEL_UNROLL
            for (int v = 0; v < vectors; v++)
                acc[p][v] = vec_relu(acc[p][v]);
        }
    }
    if (job->flags & CONV_ACCUMULATE) {
        KERNEL_UNROLL
        for (int p = 0; p < pixels; p++) {
            KERNEL_UNROLL
            for (int v = 0; v < vectors; v++)
                acc[p][v] += vec_load(t->y[p] + t->channel + v * VL);
        }
    }
    if (job->flags & CONV_MASK) {
        KERNEL_UNROLL
        for (int p = 0; p < pixels; p++) {
            KERNEL_UNROLL
            for (int v = 0; v < vectors; v++)
                acc[p][v] = vec_mask_positive(acc[p][v], vec_load(t->mask[p] + t->channel + v * VL));
        }
    }
    if (left >= vectors * VL) {
        KERNEL_UNROLL
        for (int p = 0; p < pixels; p++) {
            KERNEL_UNROLL
            for (int v = 0; v < vectors; v++)
                vec_store(t->y[p] + t->channel + v * VL, acc[p][v]);
        }
    } else {
        KERNEL_UNROLL
        for (int p = 0; p < pixels; p++) {
            KERNEL_UNROLL
            for (int v = 0; v < vectors; v++)
                vec_store_first(t->y[p] + t->channel + v * VL, acc[p][v], left - v * VL);
        }
    }
}

KERNEL_INLINE void conv_tile_run(const int pixels, const int vectors, const struct conv_tile *t)
{
    const struct conv_job *job = t->job;
    vec acc[TILE_PIXELS][TILE_VECTORS];
    KERNEL_UNROLL
    for (int p = 0; p < pixels; p++) {
        KERNEL_UNROLL
        for (int v = 0; v < vectors; v++)
            acc[p][v] = job->bias ? vec_load(job->bias + t->channel + v * VL) : (vec){0};
    }

    const float *w = t->weights;
    const size_t weight_row = t->weight_row;
    for (int s = 0; s < job->segment_count; s++) {
        const float *x[TILE_PIXELS];
        KERNEL_UNROLL
        for (int p = 0; p < pixels; p++)
            x[p] = t->x[p] + job->segments[s].offset;
        const ptrdiff_t length = job->segments[s].length;
        for (ptrdiff_t k = 0; k < length; k++) {
            vec row[TILE_VECTORS];
            KERNEL_UNROLL
            for (int v = 0; v < vectors; v++)
                row[v] = vec_load(w + v * VL);
            KERNEL_UNROLL
            for (int p = 0; p < pixels; p++) {
                vec a = vec_all(x[p][k]);
                KERNEL_UNROLL
                for (int v = 0; v < vectors; v++)
                    acc[p][v] += a * row[v];
            }
            w += weight_row;
        }
    }
    conv_tile_finish(pixels, vectors, t, acc);
}

typedef void conv_tile_fn(const struct conv_tile *t);

/* Every size a remainder can have is a function of its own: odd sizes run at full width too. */
#define CONV_TILE(pixels)                                         \
    static void conv_tile_##pixels##x1(const struct conv_tile *t) \
    {                                                             \
        conv_tile_run(pixels, 1, t);                              \
    }                                                             \
    static void conv_tile_##pixels##x2(const struct conv_tile *t) \
    {                                                             \
        conv_tile_run(pixels, 2, t);                              \
    }
CONV_TILE(1)
CONV_TILE(2)
CONV_TILE(3)
CONV_TILE(4)
CONV_TILE(5)
CONV_TILE(6)
#if defined __AVX512F__
CONV_TILE(7)
CONV_TILE(8)
CONV_TILE(9)
CONV_TILE(10)
CONV_TILE(11)
CONV_TILE(12)
#endif
#undef CONV_TILE

static conv_tile_fn *const conv_tiles[TILE_PIXELS][TILE_VECTORS] = {
    {conv_tile_1x1, conv_tile_1x2},   {conv_tile_2x1, conv_tile_2x2},   {conv_tile_3x1, conv_tile_3x2},
    {conv_tile_4x1, conv_tile_4x2},   {conv_tile_5x1, conv_tile_5x2},   {conv_tile_6x1, conv_tile_6x2},
#if defined __AVX512F__
    {conv_tile_7x1, conv_tile_7x2},   {conv_tile_8x1, conv_tile_8x2},   {conv_tile_9x1, conv_tile_9x2},
    {conv_tile_10x1, conv_tile_10x2}, {conv_tile_11x1, conv_tile_11x2}, {conv_tile_12x1, conv_tile_12x2},
#endif
};

/* Where the next tile begins: pixels come row by row, image by image. */
struct conv_cursor {
    const float *x, *mask;
    float *y;
    int row, column;
};

/* Floats from the last pixel of a row, or of an image, to the first of the next. */
KERNEL_INLINE ptrdiff_t row_jump(const struct view *v, int w, int stride)
{
    return (ptrdiff_t)v->row * stride - (ptrdiff_t)v->pixel * stride * w;
}

KERNEL_INLINE ptrdiff_t image_jump(const struct view *v, int h, int stride)
{
    return (ptrdiff_t)v->image - (ptrdiff_t)v->row * stride * h;
}

/* Addresses of the next `count` pixels. The mask is a view like the others where there is one. */
KERNEL_INLINE void conv_tile_place(struct conv_tile *t, struct conv_cursor *at, int count)
{
    const struct conv_job *job = t->job;
    const bool masked = job->flags & CONV_MASK;
    for (int p = 0; p < count; p++) {
        t->x[p] = at->x;
        t->y[p] = at->y;
        t->mask[p] = at->mask;
        at->x += (size_t)job->stride * job->x.pixel;
        at->y += job->y.pixel;
        at->mask += masked ? job->mask.pixel : 0;
        if (++at->column < job->w)
            continue;
        at->column = 0;
        at->x += row_jump(&job->x, job->w, job->stride);
        at->y += row_jump(&job->y, job->w, 1);
        at->mask += masked ? row_jump(&job->mask, job->w, 1) : 0;
        if (++at->row < job->h)
            continue;
        at->row = 0;
        at->x += image_jump(&job->x, job->h, job->stride);
        at->y += image_jump(&job->y, job->h, 1);
        at->mask += masked ? image_jump(&job->mask, job->h, 1) : 0;
    }
}

/* All channels of the placed pixels. */
KERNEL_INLINE void conv_tile_channels(struct conv_tile *t, int count, int k_count, const float *weights)
{
    const struct conv_job *job = t->job;
    for (int c = 0; c < job->channels;) {
        const int vectors = job->channels - c > VL ? TILE_VECTORS : 1;
        t->channel = c;
        t->weights = weights + panel_start(c, k_count) + c % PANEL;
        t->weight_row = (size_t)panel_width(c, job->channels);
        conv_tiles[count - 1][vectors - 1](t);
        c += vectors * VL;
    }
}

static void conv(const struct conv_job *job)
{
    int k_count = 0;
    for (int s = 0; s < job->segment_count; s++)
        k_count += job->segments[s].length;
    /* Tiles as even as can be: a remainder of one pixel would cost as much as a full tile. */
    const int pixels = job->images * job->h * job->w;
    const int tiles = (pixels + TILE_PIXELS - 1) / TILE_PIXELS;
    const int even = pixels / tiles, larger = pixels % tiles;
    struct conv_tile t = {.job = job};
    struct conv_cursor at = {job->x.data, job->mask.data, job->y.data, 0, 0};
    for (int i = 0; i < tiles; i++) {
        const int count = even + (i < larger);
        conv_tile_place(&t, &at, count);
        conv_tile_channels(&t, count, k_count, job->weights);
    }
}

#endif
