/* Max pooling. Private to kernels.c. */
#ifndef ENGINE_KERNELS_POOL_H
#define ENGINE_KERNELS_POOL_H

#include "engine/kernels.h"
#include "engine/kernels_vector.h"

/* The part of a window that lies inside the input: [first, end) of kernel positions. */
struct pool_span {
    int first, end;
};

KERNEL_INLINE struct pool_span pool_span(int start, int kernel, int size)
{
    struct pool_span s = {start < 0 ? -start : 0, kernel};
    if (start + s.end > size)
        s.end = size - start;
    return s;
}

/* One window: maximum and place of its first occurrence, for all channels. */
KERNEL_INLINE void pool_window(const struct pool_job *job, const float *x, struct pool_span rows,
                               struct pool_span columns, float *y, uint8_t *arg)
{
    for (int c = 0; c < job->channels; c += VL) {
        const int left = job->channels - c;
        vec best = vec_load(x + (size_t)rows.first * job->x.row + (size_t)columns.first * job->x.pixel + c);
        ivec place = vec_all_int(rows.first * job->kernel + columns.first);
        for (int ky = rows.first; ky < rows.end; ky++)
            for (int kx = columns.first; kx < columns.end; kx++) {
                const vec v = vec_load(x + (size_t)ky * job->x.row + (size_t)kx * job->x.pixel + c);
                /* NaN wins too, so that it reaches the loss. */
                const ivec better = (v > best) | vec_is_nan(v), here = vec_all_int(ky * job->kernel + kx);
                best = vec_select(better, v, best);
                place = (better & here) | (~better & place);
            }
        vec_store_first(y + c, best, left);
        if (!arg)
            continue;
        if (left >= VL)
            vec_store_bytes(arg + c, place);
        else
            for (int i = 0; i < left; i++)
                arg[c + i] = (uint8_t)place[i];
    }
}

static void maxpool_forward(const struct pool_job *job)
{
    for (int image = 0; image < job->images; image++)
        for (int i = 0; i < job->out_h; i++)
            for (int j = 0; j < job->out_w; j++) {
                const int top = i * job->stride - job->pad, left = j * job->stride - job->pad;
                const float *x = job->x.data + (ptrdiff_t)((size_t)image * job->x.image) +
                                 top * (ptrdiff_t)job->x.row + left * (ptrdiff_t)job->x.pixel;
                float *y = job->y.data + (size_t)image * job->y.image + (size_t)i * job->y.row +
                           (size_t)j * job->y.pixel;
                const size_t pixel =
                    ((size_t)image * (size_t)job->out_h + (size_t)i) * (size_t)job->out_w + (size_t)j;
                pool_window(job, x, pool_span(top, job->kernel, job->in_h),
                            pool_span(left, job->kernel, job->in_w), y,
                            job->arg ? job->arg + pixel * (size_t)job->channels : NULL);
            }
}

/* dx of one input pixel: the sum over the windows it won, in order. Gathering writes each value once. */
KERNEL_INLINE void pool_gather(const struct pool_job *job, int image, int row, int column, float *dx,
                               const float *mask)
{
    const int s = job->stride, k = job->kernel;
    /* Windows o with o * stride - pad <= row < o * stride - pad + kernel. */
    const int i0 = row + job->pad - k + 1 > 0 ? (row + job->pad - k + s) / s : 0;
    const int j0 = column + job->pad - k + 1 > 0 ? (column + job->pad - k + s) / s : 0;
    const int i1 = (row + job->pad) / s, j1 = (column + job->pad) / s;
    for (int c = 0; c < job->channels; c += VL) {
        const int left = job->channels - c;
        vec sum = {0};
        for (int i = i0; i <= i1 && i < job->out_h; i++)
            for (int j = j0; j <= j1 && j < job->out_w; j++) {
                const int place = (row + job->pad - i * s) * k + column + job->pad - j * s;
                const size_t pixel =
                    ((size_t)image * (size_t)job->out_h + (size_t)i) * (size_t)job->out_w + (size_t)j;
                const uint8_t *arg = job->arg + pixel * (size_t)job->channels + c;
                const float *dy = job->y.data + (size_t)image * job->y.image + (size_t)i * job->y.row +
                                  (size_t)j * job->y.pixel + c;
                const ivec won = vec_load_bytes(arg) == place;
                sum += (vec)((ivec)vec_load(dy) & won);
            }
        if (job->masked)
            sum = vec_mask_positive(sum, vec_load(mask + c));
        vec_store_first(dx + c, sum, left);
    }
}

static void maxpool_backward(const struct pool_job *job)
{
    for (int image = 0; image < job->images; image++)
        for (int i = 0; i < job->in_h; i++)
            for (int j = 0; j < job->in_w; j++) {
                const size_t n = (size_t)image, r = (size_t)i, c = (size_t)j;
                float *dx = job->x.data + n * job->x.image + r * job->x.row + c * job->x.pixel;
                const float *mask = job->masked ? job->mask.data + n * job->mask.image + r * job->mask.row +
                                                      c * job->mask.pixel
                                                : NULL;
                pool_gather(job, image, i, j, dx, mask);
            }
}

#endif
