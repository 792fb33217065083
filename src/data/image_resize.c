#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "data/image_decode.h"

enum { WEIGHT_BITS = 22, WEIGHT_ONE = 1 << WEIGHT_BITS };

/* One direction of a separable filter: output i = sum over k < taps of weight[i * taps + k] * input[first[i]
 * + k]. The weights of one output sum to WEIGHT_ONE. */
struct filter {
    int taps;
    int *first;
    int32_t *weight;
};

static void filter_release(struct filter *f)
{
    mem_free(f->first);
    mem_free(f->weight);
}

/* Turns the integer triangle values of one output into weights that sum to WEIGHT_ONE: the running sum is
 * rounded, so errors do not add up however many there are. */
static void normalise(const int64_t *values, int taps, int32_t *weight)
{
    int64_t sum = 0, running = 0, given = 0;
    for (int k = 0; k < taps; k++)
        sum += values[k];
    sum = sum > 0 ? sum : 1; /* the nearest sample is always within reach: it never is 0 */
    for (int k = 0; k < taps; k++) {
        running += values[k];
        int64_t rounded = (running * WEIGHT_ONE + sum / 2) / sum;
        weight[k] = (int32_t)(rounded - given);
        given = rounded;
    }
}

/* Filter from `in` samples to the `out` samples in the middle of `scaled`. In units of 1 / (2 * scaled) input
 * samples all positions are integers: output i sits at (2 * (i + offset) + 1) * in - scaled, input j at
 * 2 * scaled * j, and the triangle reaches 2 * max(in, scaled) to each side. */
static enum status filter_init(struct filter *f, int in, int scaled, int out, struct err *e)
{
    int64_t step = 2 * (int64_t)scaled, reach = 2 * (int64_t)(in > scaled ? in : scaled);
    int offset = (scaled - out) / 2;
    int wanted = (int)(2 * reach / step) + 2;
    *f = (struct filter){.taps = wanted < in ? wanted : in};
    f->first = mem_alloc((size_t)out, sizeof *f->first);
    f->weight = mem_alloc((size_t)out * (size_t)f->taps, sizeof *f->weight);
    int64_t *values = mem_alloc((size_t)f->taps, sizeof *values);
    if (!f->first || !f->weight || !values) {
        mem_free(values);
        filter_release(f);
        *f = (struct filter){0};
        err_set(e, ST_NOMEM, "out of memory while scaling an image");
        return ST_NOMEM;
    }
    for (int i = 0; i < out; i++) {
        int64_t center = (2 * (int64_t)(i + offset) + 1) * in - scaled;
        int64_t lowest = center - reach < 0 ? 0 : (center - reach) / step;
        int first = (int)(lowest + f->taps > in ? in - f->taps : lowest);
        for (int k = 0; k < f->taps; k++) {
            int64_t value = reach - llabs(step * (first + k) - center);
            values[k] = value > 0 ? value : 0;
        }
        f->first[i] = first;
        normalise(values, f->taps, f->weight + (size_t)i * (size_t)f->taps);
    }
    mem_free(values);
    return ST_OK;
}

/* Weights are >= 0 and sum to WEIGHT_ONE: sums of weighted bytes stay below 2^30 and, rounded, in range. */
static uint8_t round_weighted(int32_t sum)
{
    return (uint8_t)((sum + WEIGHT_ONE / 2) >> WEIGHT_BITS);
}

/* One row, w outputs of c channels. With a constant c the compiler keeps the sums in registers. */
static inline void resize_row(const uint8_t *row, int c, const struct filter *f, int out_w, uint8_t *out)
{
    for (int x = 0; x < out_w; x++) {
        const int32_t *weight = f->weight + (size_t)x * (size_t)f->taps;
        const uint8_t *p = row + (size_t)f->first[x] * (size_t)c;
        int32_t sum[4] = {0};
        for (int k = 0; k < f->taps; k++)
            for (int channel = 0; channel < c; channel++)
                sum[channel] += weight[k] * *p++;
        for (int channel = 0; channel < c; channel++)
            *out++ = round_weighted(sum[channel]);
    }
}

/* in: h x in_w x c -> out: h x out_w x c */
static void resize_rows(const uint8_t *in, int h, int in_w, int c, const struct filter *f, int out_w,
                        uint8_t *out)
{
    for (int y = 0; y < h; y++) {
        const uint8_t *row = in + (size_t)y * (size_t)in_w * (size_t)c;
        uint8_t *to = out + (size_t)y * (size_t)out_w * (size_t)c;
        if (c == 3)
            resize_row(row, 3, f, out_w, to);
        else
            resize_row(row, 1, f, out_w, to);
    }
}

/* in: rows of `pitch` bytes -> out: out_h rows of the same length. Row after row is added to `sums`, pitch of
 * them, so that inner loops are long and read in order. */
static void resize_columns(const uint8_t *in, size_t pitch, const struct filter *f, int out_h, int32_t *sums,
                           uint8_t *out)
{
    for (int y = 0; y < out_h; y++) {
        const int32_t *weight = f->weight + (size_t)y * (size_t)f->taps;
        const uint8_t *p = in + (size_t)f->first[y] * pitch;
        memset(sums, 0, pitch * sizeof *sums);
        for (int k = 0; k < f->taps; k++, p += pitch)
            for (size_t x = 0; x < pitch; x++)
                sums[x] += weight[k] * p[x];
        for (size_t x = 0; x < pitch; x++)
            *out++ = round_weighted(sums[x]);
    }
}

/* The size, at least h x w and with one side equal, that keeps the shape of `in`. */
static void covering_size(const struct image *in, int h, int w, int *scaled_h, int *scaled_w)
{
    int64_t in_h = in->h, in_w = in->w;
    if (h * in_w >= w * in_h) {
        *scaled_h = h;
        *scaled_w = (int)((in_w * h + in_h / 2) / in_h);
    } else {
        *scaled_w = w;
        *scaled_h = (int)((in_h * w + in_w / 2) / in_w);
    }
}

enum status image_resize(const struct image *in, int h, int w, struct image *out, struct err *e)
{
    int scaled_h, scaled_w;
    struct filter across = {0}, down = {0};
    covering_size(in, h, w, &scaled_h, &scaled_w);
    enum status status = image_reserve(out, in->c, h, w, e);
    if (status == ST_OK)
        status = filter_init(&across, in->w, scaled_w, w, e);
    if (status == ST_OK)
        status = filter_init(&down, in->h, scaled_h, h, e);
    size_t pitch = (size_t)w * (size_t)in->c;
    uint8_t *narrow = status == ST_OK ? mem_alloc((size_t)in->h, pitch) : NULL;
    int32_t *sums = narrow ? mem_alloc(pitch, sizeof *sums) : NULL;
    if (sums) {
        resize_rows(in->pixels, in->h, in->w, in->c, &across, w, narrow);
        resize_columns(narrow, pitch, &down, h, sums, out->pixels);
    } else if (status == ST_OK) {
        status = err_set(e, ST_NOMEM, "out of memory while scaling an image");
    }
    mem_free(narrow);
    mem_free(sums);
    filter_release(&across);
    filter_release(&down);
    return status;
}
