#include "data/digest.h"

#include <math.h>

#include "base/hash.h"
#include "data/image_set.h"

enum { VALUES = 256 };

/* Numbers are hashed as little-endian bytes: the fingerprint does not depend on the machine. */
static void hash_number(struct hasher *h, uint64_t v)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(v >> (8 * i));
    hasher_add(h, bytes, sizeof bytes);
}

enum status digest_init(struct digest *g, struct shape image, int classes, struct err *e)
{
    *g = (struct digest){.image = image, .hasher = hasher_create()};
    if (!g->hasher)
        return err_set(e, ST_NOMEM, "out of memory for the fingerprint of the data");
    hash_number(g->hasher, (uint64_t)image.c);
    hash_number(g->hasher, (uint64_t)image.h);
    hash_number(g->hasher, (uint64_t)image.w);
    hash_number(g->hasher, (uint64_t)classes);
    return ST_OK;
}

void digest_set(struct digest *g, size_t count)
{
    hash_number(g->hasher, count);
}

static void count_values(struct digest *g, const uint8_t *pixels, size_t images)
{
    size_t n = images * (size_t)g->image.h * (size_t)g->image.w, c = (size_t)g->image.c;
    for (size_t channel = 0; channel < c; channel++) {
        const uint8_t *p = pixels + channel;
        for (size_t i = 0; i < n; i++)
            g->counts[channel][p[i * c]]++;
    }
}

void digest_pixels(struct digest *g, enum split split, const uint8_t *pixels, size_t images)
{
    hasher_add(g->hasher, pixels, images * shape_bytes(g->image));
    if (split == SPLIT_TRAIN)
        count_values(g, pixels, images);
}

void digest_labels(struct digest *g, const uint16_t *labels, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t bytes[2] = {(uint8_t)labels[i], (uint8_t)(labels[i] >> 8)};
        hasher_add(g->hasher, bytes, sizeof bytes);
    }
}

/* Mean and standard deviation of value / 255 from exact integer sums. */
static void mean_and_deviation(const uint64_t counts[VALUES], float *mean, float *stddev)
{
    __extension__ typedef unsigned __int128 wide;
    uint64_t n = 0, sum = 0;
    wide squares = 0;
    for (uint64_t v = 0; v < VALUES; v++) {
        n += counts[v];
        sum += counts[v] * v;
        squares += (wide)counts[v] * (v * v);
    }
    double count = (double)n, spread = (double)(squares * n - (wide)sum * sum); /* n^2 x variance */
    *mean = (float)((double)sum / (count * 255.0));
    *stddev = (float)(sqrt(spread) / (count * 255.0));
    if (*stddev < 1.0f / 255.0f)
        *stddev = 1.0f / 255.0f; /* a constant channel must not become infinite */
}

void digest_finish(const struct digest *g, struct dataset *d)
{
    for (int c = 0; c < g->image.c; c++) {
        mean_and_deviation(g->counts[c], &d->mean[c], &d->stddev[c]);
        for (int v = 0; v < VALUES; v++)
            d->normalised[c][v] = (float)((v / 255.0 - (double)d->mean[c]) / (double)d->stddev[c]);
    }
    d->fingerprint = hasher_value(g->hasher);
}

void digest_release(struct digest *g)
{
    hasher_free(g->hasher);
    g->hasher = NULL;
}

enum status digest_loaded(struct dataset *d, struct err *e)
{
    struct digest g;
    enum status status = digest_init(&g, d->image, d->classes, e);
    if (status != ST_OK)
        return status;
    for (int s = 0; s < SPLIT_COUNT; s++) {
        const struct image_set *set = &d->sets[s];
        digest_set(&g, set->count);
        if (set->count > 0) {
            digest_pixels(&g, (enum split)s, set->pixels, set->count);
            digest_labels(&g, set->labels, set->count);
        }
    }
    digest_finish(&g, d);
    digest_release(&g);
    return ST_OK;
}
