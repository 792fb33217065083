#include "base/rng.h"

#include <math.h>

enum { ROUNDS = 10, BLOCK = 4 };

struct rng rng_stream(uint64_t seed, enum rng_purpose purpose, uint64_t a, uint64_t b)
{
    struct rng r = {
        .key = {(uint32_t)seed, (uint32_t)(seed >> 32)},
        .counter = {0, (uint32_t)a, (uint32_t)b, (uint32_t)purpose},
        .used = BLOCK, /* the first number computes the first block */
    };
    return r;
}

/* One round of Philox4x32 (Salmon et al., section 3.3): two 32x32 -> 64 bit products,
 * their halves crossed over and mixed with the key. */
static void philox_round(uint32_t x[4], uint32_t key0, uint32_t key1)
{
    uint64_t product0 = (uint64_t)0xD2511F53u * x[0];
    uint64_t product1 = (uint64_t)0xCD9E8D57u * x[2];
    uint32_t x1 = x[1], x3 = x[3];
    x[0] = (uint32_t)(product1 >> 32) ^ x1 ^ key0;
    x[1] = (uint32_t)product1;
    x[2] = (uint32_t)(product0 >> 32) ^ x3 ^ key1;
    x[3] = (uint32_t)product0;
}

void rng_block(const struct rng *r, uint32_t index, uint32_t out[4])
{
    uint32_t key0 = r->key[0], key1 = r->key[1];
    out[0] = index;
    out[1] = r->counter[1];
    out[2] = r->counter[2];
    out[3] = r->counter[3];
    for (int i = 0; i < ROUNDS; i++) {
        philox_round(out, key0, key1);
        key0 += 0x9E3779B9u; /* Weyl sequence: golden ratio, sqrt(3) - 1 */
        key1 += 0xBB67AE85u;
    }
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
        while ((uint32_t)product < surplus) {
            product = (uint64_t)rng_u32(r) * n;
        }
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
    for (size_t i = 0; i < n; i++) {
        out[i] = (uint32_t)i;
    }
    for (size_t i = n; i > 1; i--) {
        uint32_t other = rng_below(r, (uint32_t)i);
        uint32_t kept = out[i - 1];
        out[i - 1] = out[other];
        out[other] = kept;
    }
}
