/* Points of the unit cube for random blocks, one coordinate at a time. Every coordinate is a pure function of
 * (seed, key, index) and what the sampler is: the order of keys and of calls does not matter. */
#ifndef SWEEP_SAMPLER_H
#define SWEEP_SAMPLER_H

#include <stdint.h>

/* The direction numbers are those that S. Joe and F. Y. Kuo published ("Constructing Sobol sequences with
 * better two-dimensional projections", SIAM J. Sci. Comput. 30, 2008; their table new-joe-kuo-6.21201), for
 * this many dimensions. */
enum { SOBOL_DIMENSIONS = 32 };

/* All in [0, 1). `key` tells one parameter from another. */

/* Independent numbers. */
double sampler_random(uint64_t seed, uint32_t key, uint32_t index);

/* Number `index` of a Sobol sequence's dimension (0 .. SOBOL_DIMENSIONS - 1), shifted digitally (exclusive
 * or) by a number made from seed and key: of every 2^k aligned numbers one lies in each 2^-k of the interval.
 */
double sampler_sobol(uint64_t seed, uint32_t key, int dimension, uint32_t index);

/* Number `index` of a Latin hypercube of n points: strata[i] is a permutation of 0 .. n - 1, which
 * sampler_strata makes; round: 0 for the first hypercube, 1 for the next, ... */
void sampler_strata(uint64_t seed, uint32_t key, uint32_t round, uint32_t n, uint32_t *strata);
double sampler_lhs(uint64_t seed, uint32_t key, uint32_t round, uint32_t n, const uint32_t *strata,
                   uint32_t index);

#endif
