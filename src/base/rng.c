#include "base/rng.h"

#include <math.h>

#include "base/philox.h"

enum { BLOCK = PHILOX_WORDS };

struct rng rng_stream(uint64_t seed, enum rng_purpose purpose, uint64_t a, uint64_t b)
{
    struct rng r = {
        .key = {(uint32_t)seed, (uint32_t)(seed >> 32)},
        .counter = {0, (uint32_t)a, (uint32_t)b, (uint32_t)purpose},
        .used = BLOCK, /* the first number computes the first block */
    };
    return r;
}

void rng_block(const struct rng *r, uint32_t index, uint32_t out[4])
{
    out[0] = index;
    out[1] = r->counter[1];
    out[2] = r->counter[2];
    out[3] = r->counter[3];
    philox(1, &out[0], &out[1], &out[2], &out[3], r->key);
}

uint32_t rng_u32(struct rng *r)
{
    if (r->used >= BLOCK) {
        rng_block(r, r->counter[0]++, r->block);
        r->used = 0;
    }
    return r->block[r->used++];
}

/* Lemire's multiply-and-shift; the few products that would favour some results are rejected. */
uint32_t rng_below(struct rng *r, uint32_t n)
{
    uint64_t product = (uint64_t)rng_u32(r) * n;
    if ((uint32_t)product < n) {
        uint32_t surplus = (uint32_t)-n % n; /* 2^32 mod n */
        while ((uint32_t)product < surplus)
            product = (uint64_t)rng_u32(r) * n;
    }
    return (uint32_t)(product >> 32);
}

double rng_uniform(struct rng *r)
{
    uint64_t high = rng_u32(r) >> 5, low = rng_u32(r) >> 6;
    return (double)(high << 26 | low) * 0x1p-53;
}

double rng_normal(struct rng *r)
{
    double radius = sqrt(-2.0 * log(1.0 - rng_uniform(r))); /* 1 - u: never log(0) */
    return radius * cos(6.283185307179586 * rng_uniform(r));
}

void rng_permutation(struct rng *r, uint32_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (uint32_t)i;
    for (size_t i = n; i > 1; i--) {
        uint32_t other = rng_below(r, (uint32_t)i);
        uint32_t kept = out[i - 1];
        out[i - 1] = out[other];
        out[other] = kept;
    }
}
