/* Kernels: the arithmetic of the engine, replaceable behind one table per instruction set.
 *
 * Tensors are float32, channels last (NHWC), of a few images (a tile). A kernel sees a tensor as a
 * `struct view`: a pointer to pixel (0, 0) of the first image, and strides. Around the
 * pixels there may be a zero border, so that convolution loops carry no branches.
 *
 * Weights live in panels of PANEL output channels: [panel][k][width], where k runs over (ky, kx, cin) and the
 * width is PANEL, or PANEL / 2 for a last panel that needs no more. Channels beyond cout are zero. The
 * layout is the same for every instruction set.
 *
 * Kernels do not allocate, fail, or know OpenMP. For one output they add products in one fixed order (k
 * ascending; for weight gradients pixels ascending), so with FMA every vector length gives the same bits. */
#ifndef ENGINE_KERNELS_H
#define ENGINE_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { PANEL = 32, HALF_PANEL = PANEL / 2 };

/* Readable floats a tensor must have after its last element: vector loads may run over it. */
enum { TENSOR_SLACK = 32 };

/* Output channels with padding: whole panels, the last one perhaps half. */
static inline int panel_channels(int channels)
{
    return (channels + HALF_PANEL - 1) / HALF_PANEL * HALF_PANEL;
}

/* Start of the panel that holds output channel `c` (a multiple of HALF_PANEL inside it adds to this), and its
 * width. */
static inline size_t panel_start(int c, int k_count)
{
    return (size_t)(c / PANEL) * PANEL * (size_t)k_count;
}

static inline int panel_width(int c, int channels)
{
    int left = panel_channels(channels) - c / PANEL * PANEL;
    return left >= PANEL ? PANEL : HALF_PANEL;
}

/* Some channels of a tensor's tile. Strides in floats. */
struct view {
    float *data;  /* first channel of pixel (0, 0) of image 0 */
    size_t pixel; /* to the next column: the tensor's channels */
    size_t row;
    size_t image;
};

/* A run of consecutive channels, relative to an output pixel's base in the input. */
struct segment {
    ptrdiff_t offset; /* floats */
    int length;
};

enum conv_flags {
    CONV_RELU = 1,       /* y = max(y, 0) */
    CONV_ACCUMULATE = 2, /* add to what y holds */
    CONV_MASK = 4,       /* then zero where mask <= 0 (the gradient of ReLU) */
};

/* y[pixel][c] = bias[c] + sum over segments s and k: x[pixel base + s.offset + k] * w[s, k][c]
 * for all images, h x w pixels; the base of output pixel (i, j) is input pixel (i * stride, j * stride).
 * The forward convolution, and with transposed weights the gradient to the data. */
struct conv_job {
    struct view x, y, mask; /* mask: same pixels as y, used with CONV_MASK */
    int images, h, w;
    int stride;
    int channels;         /* of y */
    const float *weights; /* panels, k_count = sum of the segments' lengths */
    const float *bias;    /* panel_channels(channels) values, or NULL */
    int segment_count;
    const struct segment *segments;
    unsigned flags;
};

/* dw[k][c] (+)= sum over images and pixels: x[pixel base + row(k) + k] * dy[pixel][c], and
 * db[c] (+)= sum of dy[pixel][c]: the gradient to a convolution's weights, in the weights' own panels.
 * Padding channels of dw and db must be zero before and stay zero. k = (ky, kx, cin) where the kernel_w * cin
 * floats of one kernel row are consecutive in x. */
struct weight_gradient_job {
    struct view x, dy;
    int images, h, w; /* of dy */
    int stride;
    int kernel_rows; /* kernel height */
    int row_length;  /* kernel width * cin */
    int channels;    /* of dy */
    float *dw, *db;
    bool accumulate; /* false: overwrite */
};

/* Max pooling with clipped windows. `arg` is [image][pixel][channel], the winner's place (ky * kernel + kx)
 * in its window. */
struct pool_job {
    struct view x, y; /* backward: dx and dy */
    int images;
    int in_h, in_w, out_h, out_w;
    int kernel, stride, pad;
    int channels;
    uint8_t *arg; /* written forward (NULL: not wanted), read backward; TENSOR_SLACK bytes beyond its end are
                     read too */
    struct view mask; /* backward with masked: zero dx where mask <= 0 */
    bool masked;
};

struct kernels {
    const char *name;
    int vector_floats;
    void (*conv)(const struct conv_job *job);
    void (*weight_gradient)(const struct weight_gradient_job *job);
    void (*maxpool_forward)(const struct pool_job *job);
    void (*maxpool_backward)(
        const struct pool_job *job); /* overwrites dx; windows must not overlap the border */
    /* Runs `rounds` x 24 x 8 independent-chain vector FMAs and returns their count x vector_floats x 2
     * operations. */
    double (*fma_peak)(long rounds);
};

/* The table to use on this processor; FIRESWEEP_ISA=generic|avx2|avx512 overrides. ST_USAGE for an unknown
 * name or one that the processor or the build does not have. */
enum status kernels_select(const struct kernels **out, struct err *e);
/* The table of that name, or NULL if the processor or the build does not have it (tests run all of them). */
const struct kernels *kernels_named(const char *name);

#endif
