/* Winograd's minimal filtering F(4x4, 3x3): 36 products for the 16 outputs of a tile where direct convolution
 * needs 144. Lavin and Gray, "Fast algorithms for convolutional neural networks", arXiv:1509.09308. The
 * products are matrix products, one per plane, and run in the convolution kernel; here are the transforms
 * around them. Private to kernels.c. */
#ifndef ENGINE_KERNELS_WINOGRAD_H
#define ENGINE_KERNELS_WINOGRAD_H

#include "engine/kernels.h"
#include "engine/kernels_vector.h"

enum { OUT = WINOGRAD_OUT, IN = WINOGRAD_IN };

/* One-dimensional transforms; the matrices are those of the paper's section 4.3. */

/* B^T d */
KERNEL_INLINE void winograd_input_1d(const vec d[IN], vec out[IN])
{
    const vec even = d[4] - 4.0f * d[2], odd = d[3] - 4.0f * d[1];
    const vec inner = d[4] - d[2], outer = d[3] - d[1];
    out[0] = 4.0f * d[0] + (d[4] - 5.0f * d[2]);
    out[1] = even + odd;
    out[2] = even - odd;
    out[3] = inner + 2.0f * outer;
    out[4] = inner - 2.0f * outer;
    out[5] = 4.0f * d[1] + (d[5] - 5.0f * d[3]);
}

/* A^T m */
KERNEL_INLINE void winograd_output_1d(const vec m[IN], vec out[OUT])
{
    const vec a = m[1] + m[2], b = m[1] - m[2], c = m[3] + m[4], d = m[3] - m[4];
    out[0] = m[0] + a + c;
    out[1] = b + 2.0f * d;
    out[2] = a + 4.0f * c;
    out[3] = b + 8.0f * d + m[5];
}

/* A d */
KERNEL_INLINE void winograd_output_gradient_1d(const vec d[OUT], vec out[IN])
{
    const vec a = d[0] + d[2], b = d[1] + d[3], c = d[0] + 4.0f * d[2], e = 2.0f * d[1] + 8.0f * d[3];
    out[0] = d[0];
    out[1] = a + b;
    out[2] = a - b;
    out[3] = c + e;
    out[4] = c - e;
    out[5] = d[3];
}

/* G g */
KERNEL_INLINE void winograd_weights_1d(const vec g[3], vec out[IN])
{
    const vec a = (g[0] + g[2]) * (-1.0f / 6), b = g[1] * (1.0f / 6);
    const vec c = g[0] * (1.0f / 24) + g[2] * (1.0f / 6), d = g[1] * (1.0f / 12);
    out[0] = g[0] * 0.25f;
    out[1] = a - b;
    out[2] = a + b;
    out[3] = c + d;
    out[4] = c - d;
    out[5] = g[2];
}

/* G^T u */
KERNEL_INLINE void winograd_weight_gradient_1d(const vec u[IN], vec out[3])
{
    const vec a = u[1] + u[2], b = u[2] - u[1], c = u[3] + u[4], d = u[3] - u[4];
    out[0] = 0.25f * u[0] - a * (1.0f / 6) + c * (1.0f / 24);
    out[1] = b * (1.0f / 6) + d * (1.0f / 12);
    out[2] = (c - a) * (1.0f / 6) + u[5];
}

/* Where a tile lies: its first output pixel, and how many of its rows and columns exist. */
struct winograd_tile {
    size_t image;
    int row, column;
};

KERNEL_INLINE struct winograd_tile winograd_tile(const struct winograd_job *job, int number)
{
    const int across = (job->w + OUT - 1) / OUT, down = (job->h + OUT - 1) / OUT;
    const int in_image = number % (across * down);
    return (struct winograd_tile){(size_t)(number / (across * down)), in_image / across * OUT,
                                  in_image % across * OUT};
}

/* Loads size x size pixels of one channel vector; those outside rows x columns are zero. */
KERNEL_INLINE void winograd_load(const int size, const float *from, const struct view *v, int rows,
                                 int columns, vec d[IN][IN])
{
    if (rows >= size && columns >= size) {
        KERNEL_UNROLL
        for (int i = 0; i < size; i++) {
            KERNEL_UNROLL
            for (int j = 0; j < size; j++)
                d[i][j] = vec_load(from + (size_t)i * v->row + (size_t)j * v->pixel);
        }
        return;
    }
    KERNEL_UNROLL
    for (int i = 0; i < size; i++) {
        KERNEL_UNROLL
        for (int j = 0; j < size; j++)
            d[i][j] = i < rows && j < columns ? vec_load(from + (size_t)i * v->row + (size_t)j * v->pixel)
                                              : (vec){0};
    }
}

/* Writes one channel vector of a tile to its 36 planes. The last vector may run over into the next tile,
 * which is written later, or into the slack behind the plane. */
KERNEL_INLINE void winograd_store_planes(const struct winograd_job *job, int slot, int c, int i,
                                         const vec row[IN])
{
    float *to =
        job->planes + (size_t)(i * IN) * job->plane + (size_t)slot * (size_t)job->channels + (size_t)c;
    KERNEL_UNROLL
    for (int j = 0; j < IN; j++)
        vec_store(to + (size_t)j * job->plane, row[j]);
}

/* planes = B^T d B of the 6x6 input pixels around each tile. */
static void winograd_input(const struct winograd_job *job)
{
    for (int slot = 0; slot < job->tile_count; slot++) {
        const struct winograd_tile t = winograd_tile(job, job->first_tile + slot);
        const float *from = job->data.data + t.image * job->data.image +
                            (ptrdiff_t)(t.row - 1) * (ptrdiff_t)job->data.row +
                            (ptrdiff_t)(t.column - 1) * (ptrdiff_t)job->data.pixel;
        for (int c = 0; c < job->channels; c += VL) {
            vec d[IN][IN], half[IN][IN];
            winograd_load(IN, from + c, &job->data, job->h + 2 - t.row, job->w + 2 - t.column, d);
            KERNEL_UNROLL
            for (int j = 0; j < IN; j++) {
                const vec column[IN] = {d[0][j], d[1][j], d[2][j], d[3][j], d[4][j], d[5][j]};
                vec out[IN];
                winograd_input_1d(column, out);
                KERNEL_UNROLL
                for (int i = 0; i < IN; i++)
                    half[i][j] = out[i];
            }
            KERNEL_UNROLL
            for (int i = 0; i < IN; i++) {
                vec out[IN];
                winograd_input_1d(half[i], out);
                winograd_store_planes(job, slot, c, i, out);
            }
        }
    }
}

/* planes = A d A^T of the 4x4 output gradients of each tile. */
static void winograd_output_gradient(const struct winograd_job *job)
{
    for (int slot = 0; slot < job->tile_count; slot++) {
        const struct winograd_tile t = winograd_tile(job, job->first_tile + slot);
        const float *from = job->data.data + t.image * job->data.image + (size_t)t.row * job->data.row +
                            (size_t)t.column * job->data.pixel;
        for (int c = 0; c < job->channels; c += VL) {
            vec d[IN][IN], half[IN][OUT];
            winograd_load(OUT, from + c, &job->data, job->h - t.row, job->w - t.column, d);
            KERNEL_UNROLL
            for (int j = 0; j < OUT; j++) {
                const vec column[OUT] = {d[0][j], d[1][j], d[2][j], d[3][j]};
                vec out[IN];
                winograd_output_gradient_1d(column, out);
                KERNEL_UNROLL
                for (int i = 0; i < IN; i++)
                    half[i][j] = out[i];
            }
            KERNEL_UNROLL
            for (int i = 0; i < IN; i++) {
                vec out[IN];
                winograd_output_gradient_1d(half[i], out);
                winograd_store_planes(job, slot, c, i, out);
            }
        }
    }
}

/* One output pixel's vector: what the convolution kernel does after its sums. */
KERNEL_INLINE void winograd_finish(const struct winograd_job *job, const struct winograd_tile *t, int i,
                                   int j, int c, vec v)
{
    const size_t row = (size_t)(t->row + i), column = (size_t)(t->column + j);
    float *y =
        job->data.data + t->image * job->data.image + row * job->data.row + column * job->data.pixel + c;
    if (job->bias)
        v += vec_load(job->bias + c);
    if (job->flags & CONV_RELU)
        v = vec_relu(v);
    if (job->flags & CONV_ACCUMULATE)
        v += vec_load(y);
    if (job->flags & CONV_MASK)
        v = vec_mask_positive(v, vec_load(job->mask.data + t->image * job->mask.image + row * job->mask.row +
                                          column * job->mask.pixel + c));
    vec_store_first(y, v, job->channels - c);
}

/* data = A^T m A of the planes, then bias, ReLU, sum, mask as in conv. */
static void winograd_output(const struct winograd_job *job)
{
    for (int slot = 0; slot < job->tile_count; slot++) {
        const struct winograd_tile t = winograd_tile(job, job->first_tile + slot);
        const int rows = job->h - t.row, columns = job->w - t.column;
        for (int c = 0; c < job->channels; c += VL) {
            const float *from = job->planes + (size_t)slot * (size_t)job->channels + (size_t)c;
            vec half[OUT][IN];
            KERNEL_UNROLL
            for (int j = 0; j < IN; j++) {
                vec m[IN], out[OUT];
                KERNEL_UNROLL
                for (int i = 0; i < IN; i++)
                    m[i] = vec_load(from + (size_t)(i * IN + j) * job->plane);
                winograd_output_1d(m, out);
                KERNEL_UNROLL
                for (int i = 0; i < OUT; i++)
                    half[i][j] = out[i];
            }
            KERNEL_UNROLL
            for (int i = 0; i < OUT; i++) {
                vec out[OUT];
                winograd_output_1d(half[i], out);
                KERNEL_UNROLL
                for (int j = 0; j < OUT; j++)
                    if (i < rows && j < columns)
                        winograd_finish(job, &t, i, j, c, out[j]);
            }
        }
    }
}

/* u = G g G^T for `width` columns of nine rows of weights, `tap` floats apart, each to 36 planes. */
static void winograd_weights(const float *taps, size_t tap, bool flipped, int width, float *planes,
                             size_t plane)
{
    for (int c = 0; c < width; c += VL) {
        vec half[IN][3];
        KERNEL_UNROLL
        for (int j = 0; j < 3; j++) {
            vec g[3], out[IN];
            KERNEL_UNROLL
            for (int i = 0; i < 3; i++) {
                const int number = flipped ? 8 - (i * 3 + j) : i * 3 + j;
                g[i] = vec_load(taps + (size_t)number * tap + c);
            }
            winograd_weights_1d(g, out);
            KERNEL_UNROLL
            for (int i = 0; i < IN; i++)
                half[i][j] = out[i];
        }
        KERNEL_UNROLL
        for (int i = 0; i < IN; i++) {
            vec out[IN];
            winograd_weights_1d(half[i], out);
            KERNEL_UNROLL
            for (int j = 0; j < IN; j++)
                vec_store(planes + (size_t)(i * IN + j) * plane + c, out[j]);
        }
    }
}

/* Nine rows of weight gradients (+)= G^T u G; columns from `channels` on become zero, whatever the planes
 * hold there. */
static void winograd_weight_gradient(const float *planes, size_t plane, int channels, bool accumulate,
                                     float *taps, size_t tap)
{
    for (int c = 0; c < panel_channels(channels); c += VL) {
        const ivec valid = vec_lanes() < (channels - c);
        vec half[3][IN];
        KERNEL_UNROLL
        for (int j = 0; j < IN; j++) {
            vec u[IN], out[3];
            KERNEL_UNROLL
            for (int i = 0; i < IN; i++)
                u[i] = vec_load(planes + (size_t)(i * IN + j) * plane + c);
            winograd_weight_gradient_1d(u, out);
            KERNEL_UNROLL
            for (int i = 0; i < 3; i++)
                half[i][j] = out[i];
        }
        KERNEL_UNROLL
        for (int i = 0; i < 3; i++) {
            vec out[3];
            winograd_weight_gradient_1d(half[i], out);
            KERNEL_UNROLL
            for (int j = 0; j < 3; j++) {
                float *to = taps + (size_t)(i * 3 + j) * tap + c;
                if (accumulate)
                    out[j] += vec_load(to);
                vec_store(to, vec_select(valid, out[j], (vec){0}));
            }
        }
    }
}

#endif
