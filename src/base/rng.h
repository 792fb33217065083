/* Counter-based random numbers: every number is a pure function of
 * (seed, purpose, a, b, index), never of call order or thread.
 * Philox4x32-10: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011. */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

enum rng_purpose {
    RNG_INIT = 1, /* a = parameter tensor */
    RNG_SHUFFLE,  /* a = epoch */
    RNG_AUGMENT,  /* a = epoch, b = sample */
    RNG_DROPOUT,  /* a = epoch, b = sample */
    RNG_SPLIT,    /* the validation split of a data set */
    RNG_SAMPLER,  /* points of a random block */
    RNG_BENCH,
    RNG_TEST,
    RNG_BOOTSTRAP, /* a = draw, b = what is drawn for */
};

struct rng {
    uint32_t key[2];
    uint32_t counter[4]; /* [0] counts blocks of four numbers, the rest is the stream */
    uint32_t block[4];
    unsigned used; /* numbers of `block` already taken, 0..4 */
};

/* A stream. Streams that differ in any argument are independent. a and b: below 2^32. */
struct rng rng_stream(uint64_t seed, enum rng_purpose purpose, uint64_t a, uint64_t b);

/* Four raw numbers at block position `index` of the stream, without changing it. */
void rng_block(const struct rng *r, uint32_t index, uint32_t out[4]);

uint32_t rng_u32(struct rng *r);
uint32_t rng_below(struct rng *r, uint32_t n); /* uniform in [0, n), unbiased; n >= 1 */
double rng_uniform(struct rng *r);             /* [0, 1), 53 bits */
double rng_normal(struct rng *r);              /* mean 0, variance 1 (Box-Muller) */

/* Writes a permutation of 0..n-1 (Fisher-Yates). */
void rng_permutation(struct rng *r, uint32_t *out, size_t n);

#endif
