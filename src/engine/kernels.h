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
#include "base/rng.h"

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
    float *dw, *db;  /* db may be NULL: not wanted */
    bool accumulate; /* false: overwrite */
};

/* Winograd's F(4x4, 3x3) cuts a map into tiles of 4x4 output pixels, row by row, image after image; a tile's
 * 6x6 values in the transformed domain lie in 36 planes. Value q of tile `slot` (counted from first_tile) and
 * channel c is planes[q * plane + slot * channels + c]; `plane` leaves TENSOR_SLACK floats behind the last
 * tile. */
enum { WINOGRAD_OUT = 4, WINOGRAD_IN = 6, WINOGRAD_PLANES = WINOGRAD_IN * WINOGRAD_IN };

struct winograd_job {
    struct view data, mask; /* the map: channels, strides; its input side has a border of one pixel, zeroed */
    int h, w;               /* of the map; padding 1 and stride 1, so input and output are of one size */
    int channels;
    int first_tile, tile_count;
    float *planes;
    size_t plane;
    const float *bias; /* output only: as in struct conv_job */
    unsigned flags;
};

/* Max pooling, 3x3 windows with stride 2 and no padding (the only one of SqueezeNet); a third row or column
 * may lie beyond the border. `arg` is [image][pixel][channel], the winner's place (ky * 3 + kx) in its
 * window; with `relu` (the input is the output of a ReLU: positive, +0 or NaN) a window without a positive
 * value has no winner, so that its gradient ends there. */
struct pool_job {
    struct view x, y; /* backward: dx and dy */
    int images;
    int in_h, in_w, out_h, out_w;
    int channels;
    uint8_t *arg; /* written forward (NULL: not wanted), read backward; TENSOR_SLACK bytes beyond its end are
                     read too */
    bool relu;    /* forward */
};

/* to[k] = from[k] * (keep[k] ? scale : 0) + add[k], then zero where mask[k] <= 0, for n floats; without what
 * is NULL. `to` may be any of the others. Reads up to TENSOR_SLACK floats, and bytes of keep, beyond the row.
 */
struct row_job {
    float *to;
    const float *from, *add, *mask;
    const uint8_t *keep;
    float scale;
    size_t n;
};

/* keep[k] is 1 with probability 1 - threshold / 65536, else 0, by the numbers of the stream from its first
 * on. */
struct dropout_job {
    const struct rng *stream;
    uint32_t threshold;
    uint8_t *keep;
    size_t n;
};

struct kernels {
    const char *name;
    int vector_floats;
    void (*conv)(const struct conv_job *job);
    void (*weight_gradient)(const struct weight_gradient_job *job); /* writes dw only */
    void (*bias_gradient)(const struct weight_gradient_job *job);   /* writes db only */
    void (*maxpool_forward)(const struct pool_job *job);
    void (*maxpool_backward)(const struct pool_job *job); /* overwrites dx */
    void (*row)(const struct row_job *job);
    void (*dropout_keep)(const struct dropout_job *job);
    /* data -> planes: B^T d B of the input around each tile; A d A^T of an output's gradient. planes -> data:
     * A^T m A, then what conv does after its sums. */
    void (*winograd_input)(const struct winograd_job *job);
    void (*winograd_output_gradient)(const struct winograd_job *job);
    void (*winograd_output)(const struct winograd_job *job);
    /* G g G^T for `width` (a multiple of HALF_PANEL) columns of the nine rows taps[i * tap], written to
     * planes[q * plane]; flipped turns the filter by 180 degrees. And the way back for the gradients of
     * `channels` columns, G^T u G: the padding up to panel_channels becomes zero. */
    void (*winograd_weights)(const float *taps, size_t tap, bool flipped, int width, float *planes,
                             size_t plane);
    void (*winograd_weight_gradient)(const float *planes, size_t plane, int channels, bool accumulate,
                                     float *taps, size_t tap);
    /* Runs `rounds` x 24 x 8 independent-chain vector FMAs and returns their count x vector_floats x 2
     * operations. */
    double (*fma_peak)(long rounds);
};

/* The table to use on this processor; FIRESWEEP_ISA=generic|avx2|avx512 overrides. ST_USAGE for an unknown
 * name or one that the processor or the build does not have. */
enum status kernels_select(const struct kernels **out, struct err *e);
/* Makes the calling thread treat denormal numbers as zero (x86; elsewhere it does nothing): a dying network
 * is full of them, and each costs a hundred times an ordinary number. Every thread that computes calls it, so
 * results do not depend on threads. */
void kernels_flush_denormals(void);
/* The table of that name, or NULL if the processor or the build does not have it (tests run all of them). */
const struct kernels *kernels_named(const char *name);

#endif
