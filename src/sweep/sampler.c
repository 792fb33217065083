#include "sweep/sampler.h"

#include <string.h>

#include "base/rng.h"

enum { SOBOL_BITS = 32, DEGREE_MAX = 7 };

/* A primitive polynomial of degree s over GF(2), its inner coefficients as the bits of a, and the first s
 * direction integers m. Dimension 0 is van der Corput's sequence and needs none. */
static const struct {
    unsigned char s, a, m[DEGREE_MAX];
} table[SOBOL_DIMENSIONS - 1] = {
    {1, 0, {1}},
    {2, 1, {1, 3}},
    {3, 1, {1, 3, 1}},
    {3, 2, {1, 1, 1}},
    {4, 1, {1, 1, 3, 3}},
    {4, 4, {1, 3, 5, 13}},
    {5, 2, {1, 1, 5, 5, 17}},
    {5, 4, {1, 1, 5, 5, 5}},
    {5, 7, {1, 1, 7, 11, 19}},
    {5, 11, {1, 1, 5, 1, 1}},
    {5, 13, {1, 1, 1, 3, 11}},
    {5, 14, {1, 3, 5, 5, 31}},
    {6, 1, {1, 3, 3, 9, 7, 49}},
    {6, 13, {1, 1, 1, 15, 21, 21}},
    {6, 16, {1, 3, 1, 13, 27, 49}},
    {6, 19, {1, 1, 1, 15, 7, 5}},
    {6, 22, {1, 3, 1, 15, 13, 25}},
    {6, 25, {1, 1, 5, 5, 19, 61}},
    {7, 1, {1, 3, 7, 11, 23, 15, 103}},
    {7, 4, {1, 3, 7, 13, 13, 15, 69}},
    {7, 7, {1, 1, 3, 13, 7, 35, 63}},
    {7, 8, {1, 3, 5, 9, 1, 25, 53}},
    {7, 14, {1, 3, 1, 13, 9, 35, 107}},
    {7, 19, {1, 3, 1, 5, 27, 61, 31}},
    {7, 21, {1, 1, 5, 11, 19, 41, 61}},
    {7, 28, {1, 3, 5, 3, 3, 13, 69}},
    {7, 31, {1, 1, 7, 13, 1, 19, 1}},
    {7, 32, {1, 3, 7, 5, 13, 19, 59}},
    {7, 37, {1, 1, 3, 9, 25, 29, 41}},
    {7, 41, {1, 3, 5, 13, 23, 1, 55}},
    {7, 42, {1, 3, 7, 3, 13, 59, 17}},
};

double sampler_random(uint64_t seed, uint32_t key, uint32_t index)
{
    struct rng r = rng_stream(seed, RNG_SAMPLER, key, index);
    return rng_uniform(&r);
}

/* Direction numbers v[j] = m[j] / 2^(j+1) as 32-bit fractions, by the recurrence of Joe and Kuo's equation
 * (2). */
static void directions(int dimension, uint32_t v[SOBOL_BITS])
{
    const int s = dimension > 0 ? table[dimension - 1].s : SOBOL_BITS;
    memset(v, 0, SOBOL_BITS * sizeof *v);
    for (int j = 0; j < s; j++)
        v[j] = (dimension > 0 ? (uint32_t)table[dimension - 1].m[j] : 1u) << (SOBOL_BITS - 1 - j);
    for (int j = s; j < SOBOL_BITS; j++) {
        v[j] = v[j - s] ^ (v[j - s] >> s);
        for (int k = 1; k < s; k++)
            if ((table[dimension - 1].a >> (s - 1 - k)) & 1)
                v[j] ^= v[j - k];
    }
}

double sampler_sobol(uint64_t seed, uint32_t key, int dimension, uint32_t index)
{
    struct rng r = rng_stream(seed, RNG_SAMPLER, key, 0);
    uint32_t v[SOBOL_BITS], x = rng_u32(&r);
    directions(dimension, v);
    for (int j = 0; index >> j; j++) {
        if ((index >> j) & 1)
            x ^= v[j];
        if (j == SOBOL_BITS - 1)
            break;
    }
    return ((double)x + 0.5) * 0x1p-32;
}

void sampler_strata(uint64_t seed, uint32_t key, uint32_t round, uint32_t n, uint32_t *strata)
{
    struct rng r = rng_stream(seed, RNG_SAMPLER, key, round);
    rng_permutation(&r, strata, n);
}

double sampler_lhs(uint64_t seed, uint32_t key, uint32_t round, uint32_t n, const uint32_t *strata,
                   uint32_t index)
{
    /* The place within a stratum: from another key than the permutation's. */
    struct rng r = rng_stream(seed, RNG_SAMPLER, ~key, round * n + index);
    return (strata[index] + rng_uniform(&r)) / n;
}
