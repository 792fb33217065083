/* Max pooling. Private to kernels.c. */
#ifndef ENGINE_KERNELS_POOL_H
#define ENGINE_KERNELS_POOL_H

#include "engine/kernels.h"
#include "engine/kernels_vector.h"

enum { POOL_NOBODY = 255, POOL_WINDOW_MAX = POOL_KERNEL_MAX * POOL_KERNEL_MAX };

/* The pixels of one window that lie inside the input, in reading order. */
struct pool_window {
    const float *x[POOL_WINDOW_MAX];
    int place[POOL_WINDOW_MAX]; /* ky * kernel + kx */
    int count;
};

static void pool_window_place(const struct pool_job *job, int image, int i, int j, struct pool_window *w)
{
    const int top = i * job->stride - job->pad, left = j * job->stride - job->pad;
    w->count = 0;
    for (int ky = 0; ky < job->kernel; ky++)
        for (int kx = 0; kx < job->kernel; kx++) {
            const int y = top + ky, x = left + kx;
            if (y < 0 || y >= job->in_h || x < 0 || x >= job->in_w)
                continue;
            w->place[w->count] = ky * job->kernel + kx;
            w->x[w->count++] = job->x.data + (size_t)image * job->x.image + (size_t)y * job->x.row +
                               (size_t)x * job->x.pixel;
        }
}

KERNEL_INLINE void pool_store_places(uint8_t *arg, ivec place, int left)
{
    if (left >= VL)
        vec_store_bytes(arg, place);
    else
        for (int i = 0; i < left; i++)
            arg[i] = (uint8_t)place[i];
}

/* Where v is larger. NaN is larger than everything, so that it reaches the loss; the bits of what a ReLU
 * leaves, no negative number, are ordered like that by themselves. */
KERNEL_INLINE ivec pool_larger(const bool relu, vec v, vec best)
{
    if (relu)
        return (ivec)((uvec)v > (uvec)best);
    return (v > best) | vec_is_nan(v);
}

/* Maximum and place of its first occurrence, for all channels. `count` is a constant where it is common, so
 * that the loop over the window unrolls. */
KERNEL_INLINE void pool_maximum(const struct pool_job *job, const struct pool_window *w, const bool relu,
                                const int count, float *y, uint8_t *arg)
{
    for (int c = 0; c < job->channels; c += VL) {
        const int left = job->channels - c;
        vec best = vec_load(w->x[0] + c);
        ivec place = vec_all_int(w->place[0]);
        for (int k = 1; k < count; k++) {
            const vec v = vec_load(w->x[k] + c);
            const ivec better = pool_larger(relu, v, best);
            best = vec_select(better, v, best);
            place = ivec_select(better, vec_all_int(w->place[k]), place);
        }
        vec_store_first(y + c, best, left);
        if (!arg)
            continue;
        if (relu)
            place = ivec_select(best > (vec){0}, place, vec_all_int(POOL_NOBODY));
        pool_store_places(arg + c, place, left);
    }
}

static void maxpool_forward(const struct pool_job *job)
{
    uint8_t *arg = job->arg;
    for (int image = 0; image < job->images; image++)
        for (int i = 0; i < job->out_h; i++)
            for (int j = 0; j < job->out_w; j++) {
                struct pool_window w;
                pool_window_place(job, image, i, j, &w);
                float *y = job->y.data + (size_t)image * job->y.image + (size_t)i * job->y.row +
                           (size_t)j * job->y.pixel;
                if (w.count == 9 && job->relu)
                    pool_maximum(job, &w, true, 9, y, arg);
                else
                    pool_maximum(job, &w, job->relu, w.count, y, arg);
                arg = arg ? arg + job->channels : NULL;
            }
}

/* The windows that one input pixel lies in, in reading order, and its place in each. */
struct pool_readers {
    const uint8_t *arg[POOL_WINDOW_MAX];
    const float *dy[POOL_WINDOW_MAX];
    int place[POOL_WINDOW_MAX];
    int count;
};

/* Windows along one axis, first .. last, that hold coordinate `at`. */
struct pool_span {
    int first, last;
};

/* The spans of the coordinates one after another: o holds `at` if o * stride <= at + pad < o * stride +
 * kernel. */
static void pool_span_next(const struct pool_job *job, int at, int windows, struct pool_span *s)
{
    const int padded = at + job->pad;
    while (s->first * job->stride + job->kernel <= padded)
        s->first++;
    while (s->last + 1 < windows && (s->last + 1) * job->stride <= padded)
        s->last++;
}

static void pool_readers_place(const struct pool_job *job, int image, int row, struct pool_span rows,
                               int column, struct pool_span columns, struct pool_readers *r)
{
    r->count = 0;
    for (int i = rows.first; i <= rows.last; i++)
        for (int j = columns.first; j <= columns.last; j++) {
            const size_t pixel =
                ((size_t)image * (size_t)job->out_h + (size_t)i) * (size_t)job->out_w + (size_t)j;
            r->arg[r->count] = job->arg + pixel * (size_t)job->channels;
            r->dy[r->count] = job->y.data + (size_t)image * job->y.image + (size_t)i * job->y.row +
                              (size_t)j * job->y.pixel;
            r->place[r->count++] =
                (row + job->pad - i * job->stride) * job->kernel + column + job->pad - j * job->stride;
        }
}

/* dx of one input pixel: the sum over the windows it won, in order. Gathering writes each value once. */
KERNEL_INLINE void pool_gather(const struct pool_job *job, const struct pool_readers *r, const int count,
                               float *dx)
{
    for (int c = 0; c < job->channels; c += VL) {
        vec sum = {0};
        for (int k = 0; k < count; k++) {
            const ivec won = vec_load_bytes(r->arg[k] + c) == vec_all_int(r->place[k]);
            sum += (vec)((ivec)vec_load(r->dy[k] + c) & won);
        }
        vec_store_first(dx + c, sum, job->channels - c);
    }
}

static void maxpool_backward(const struct pool_job *job)
{
    for (int image = 0; image < job->images; image++) {
        struct pool_span rows = {0, -1};
        for (int i = 0; i < job->in_h; i++) {
            struct pool_span columns = {0, -1};
            pool_span_next(job, i, job->out_h, &rows);
            for (int j = 0; j < job->in_w; j++) {
                struct pool_readers r;
                pool_span_next(job, j, job->out_w, &columns);
                pool_readers_place(job, image, i, rows, j, columns, &r);
                float *dx = job->x.data + (size_t)image * job->x.image + (size_t)i * job->x.row +
                            (size_t)j * job->x.pixel;
                if (r.count == 1)
                    pool_gather(job, &r, 1, dx);
                else if (r.count == 2)
                    pool_gather(job, &r, 2, dx);
                else if (r.count == 4)
                    pool_gather(job, &r, 4, dx);
                else
                    pool_gather(job, &r, r.count, dx);
            }
        }
    }
}

#endif
