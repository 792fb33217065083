/* Max pooling, 3x3 windows with stride 2. Private to kernels.c. */
#ifndef ENGINE_KERNELS_POOL_H
#define ENGINE_KERNELS_POOL_H

#include "engine/kernels.h"
#include "engine/kernels_vector.h"

enum { POOL_NOBODY = 255, POOL_SIDE = 3, POOL_STRIDE = 2 };

KERNEL_INLINE void pool_store_places(uint8_t *arg, ivec place, int left)
{
    if (left >= VL)
        vec_store_bytes(arg, place);
    else
        for (int i = 0; i < left; i++)
            arg[i] = (uint8_t)place[i];
}

/* Takes v and its place where v is larger. NaN is larger than everything, so that it reaches the loss; the
 * bits of what a ReLU leaves, no negative number, are ordered like that by themselves. */
KERNEL_INLINE void pool_take(const bool relu, vec v, int place, vec *best, ivec *winner)
{
#if defined __AVX512F__
    if (relu) {
        const __mmask16 larger = _mm512_cmpgt_epu32_mask((__m512i)v, (__m512i)*best);
        *best = (vec)_mm512_max_epu32((__m512i)v, (__m512i)*best);
        *winner = (ivec)_mm512_mask_mov_epi32((__m512i)*winner, larger, (__m512i)vec_all_int(place));
        return;
    }
#endif
    ivec larger = (ivec)((uvec)v > (uvec)*best);
    if (!relu)
        larger = (v > *best) | vec_is_nan(v);
    *best = vec_select(larger, v, *best);
    *winner = ivec_select(larger, vec_all_int(place), *winner);
}

/* One window: first pixels of its rows, and floats to its columns. A row or column beyond the border is the
 * first one again, whose values have been met when it is their turn and win nothing. */
struct pool_window {
    const float *row[POOL_SIDE];
    size_t column[POOL_SIDE];
};

/* Maximum and place of its first occurrence, for all channels. */
KERNEL_INLINE void pool_maximum(const bool relu, const struct pool_window *w, int channels, float *y,
                                uint8_t *arg)
{
    for (int c = 0; c < channels; c += VL) {
        const int left = channels - c;
        vec best = vec_load(w->row[0] + c);
        ivec winner = {0};
        KERNEL_UNROLL
        for (int place = 1; place < POOL_SIDE * POOL_SIDE; place++)
            pool_take(relu, vec_load(w->row[place / POOL_SIDE] + w->column[place % POOL_SIDE] + c), place,
                      &best, &winner);
        vec_store_first(y + c, best, left);
        if (!arg)
            continue;
        if (relu)
            winner = ivec_select(best > (vec){0}, winner, vec_all_int(POOL_NOBODY));
        pool_store_places(arg + c, winner, left);
    }
}

static void maxpool_forward(const struct pool_job *job)
{
    uint8_t *arg = job->arg;
    const size_t row = job->x.row, pixel = job->x.pixel;
    for (int image = 0; image < job->images; image++)
        for (int i = 0; i < job->out_h; i++) {
            const float *x = job->x.data + (size_t)image * job->x.image + (size_t)(i * POOL_STRIDE) * row;
            float *y = job->y.data + (size_t)image * job->y.image + (size_t)i * job->y.row;
            const size_t third = i * POOL_STRIDE + 2 < job->in_h ? 2 * row : 0;
            for (int j = 0; j < job->out_w; j++) {
                const struct pool_window w = {{x, x + row, x + third},
                                              {0, pixel, j * POOL_STRIDE + 2 < job->in_w ? 2 * pixel : 0}};
                if (job->relu)
                    pool_maximum(true, &w, job->channels, y, arg);
                else
                    pool_maximum(false, &w, job->channels, y, arg);
                x += POOL_STRIDE * pixel;
                y += job->y.pixel;
                arg = arg ? arg + job->channels : NULL;
            }
        }
}

/* Two by two pixels of the input, and the windows they lie in: [above or at][left or at]. The pixel at
 * (0, 0) lies in all four, the one at (1, 1) in one. */
struct pool_block {
    const uint8_t *arg[2][2];
    const float *dy[2][2];
    int absent[2][2]; /* not 0: no such window; its pointers are those of another */
    float *dx[2][2];  /* a pixel beyond the border is another, which is written after it */
};

static void pool_block_place(const struct pool_job *job, int image, int i, int j, struct pool_block *b)
{
    for (int k = 0; k < 2; k++)
        for (int l = 0; l < 2; l++) {
            const int row = i - 1 + k, column = j - 1 + l;
            const bool exists = row >= 0 && row < job->out_h && column >= 0 && column < job->out_w;
            const size_t r = exists ? (size_t)row : 0, c = exists ? (size_t)column : 0, n = (size_t)image;
            const size_t pixel = (n * (size_t)job->out_h + r) * (size_t)job->out_w + c;
            b->absent[k][l] = exists ? 0 : POOL_NOBODY;
            b->arg[k][l] = job->arg + pixel * (size_t)job->channels;
            b->dy[k][l] = job->y.data + n * job->y.image + r * job->y.row + c * job->y.pixel;
        }
    const size_t down = i * POOL_STRIDE + 1 < job->in_h ? job->x.row : 0;
    const size_t right = j * POOL_STRIDE + 1 < job->in_w ? job->x.pixel : 0;
    float *dx = job->x.data + (size_t)image * job->x.image + (size_t)(i * POOL_STRIDE) * job->x.row +
                (size_t)(j * POOL_STRIDE) * job->x.pixel;
    b->dx[0][0] = dx;
    b->dx[0][1] = dx + right;
    b->dx[1][0] = dx + down;
    b->dx[1][1] = dx + down + right;
}

/* sum + dy where the window's winner is at `place`. */
KERNEL_INLINE vec pool_add_won(vec sum, ivec winner, int place, vec dy)
{
#if defined __AVX512F__
    const __mmask16 won = _mm512_cmpeq_epi32_mask((__m512i)winner, (__m512i)vec_all_int(place));
    return (vec)_mm512_mask_add_ps((__m512)sum, won, (__m512)sum, (__m512)dy);
#else
    return sum + (vec)((ivec)dy & (winner == vec_all_int(place)));
#endif
}

/* dx of four pixels: each the sum over the windows it won, in reading order. Gathering writes each value
 * once and reads each window once. */
KERNEL_INLINE void pool_gather(const bool interior, const struct pool_block *b, int channels)
{
    for (int c = 0; c < channels; c += VL) {
        ivec winner[2][2];
        vec dy[2][2];
        KERNEL_UNROLL
        for (int k = 0; k < 4; k++) {
            winner[k / 2][k % 2] = vec_load_bytes(b->arg[k / 2][k % 2] + c);
            if (!interior)
                winner[k / 2][k % 2] |= vec_all_int(b->absent[k / 2][k % 2]);
            dy[k / 2][k % 2] = vec_load(b->dy[k / 2][k % 2] + c);
        }
        KERNEL_UNROLL
        for (int pixel = 3; pixel >= 0; pixel--) {
            const int y = pixel / 2, x = pixel % 2;
            vec sum = {0};
            KERNEL_UNROLL
            for (int k = y; k < 2; k++) {
                KERNEL_UNROLL
                for (int l = x; l < 2; l++) {
                    const int ky = y + 2 * (1 - k), kx = x + 2 * (1 - l);
                    sum = pool_add_won(sum, winner[k][l], ky * POOL_SIDE + kx, dy[k][l]);
                }
            }
            vec_store_first(b->dx[y][x] + c, sum, channels - c);
        }
    }
}

static void maxpool_backward(const struct pool_job *job)
{
    for (int image = 0; image < job->images; image++)
        for (int i = 0; i * POOL_STRIDE < job->in_h; i++)
            for (int j = 0; j * POOL_STRIDE < job->in_w; j++) {
                struct pool_block b;
                pool_block_place(job, image, i, j, &b);
                if (i > 0 && i < job->out_h && j > 0 && j < job->out_w)
                    pool_gather(true, &b, job->channels);
                else
                    pool_gather(false, &b, job->channels);
            }
}

#endif
