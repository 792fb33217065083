/* Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 3.3), inline,
 * so that rng.c makes one block with it and a kernel many at once. */
#ifndef BASE_PHILOX_H
#define BASE_PHILOX_H

#include <stdint.h>

enum { PHILOX_ROUNDS = 10, PHILOX_WORDS = 4 };

/* Makes the words of `count` counters random in place: word w of counter i is w<w>[i]. */
static inline void philox(int count, uint32_t *restrict w0, uint32_t *restrict w1, uint32_t *restrict w2,
                          uint32_t *restrict w3, const uint32_t key[2])
{
    uint32_t key0 = key[0], key1 = key[1];
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        /* Two 32x32 -> 64 bit products, their halves crossed over and mixed with the key. */
        for (int i = 0; i < count; i++) {
            const uint64_t product0 = (uint64_t)0xD2511F53u * w0[i];
            const uint64_t product1 = (uint64_t)0xCD9E8D57u * w2[i];
            w0[i] = (uint32_t)(product1 >> 32) ^ w1[i] ^ key0;
            w1[i] = (uint32_t)product1;
            w2[i] = (uint32_t)(product0 >> 32) ^ w3[i] ^ key1;
            w3[i] = (uint32_t)product0;
        }
        key0 += 0x9E3779B9u; /* Weyl sequence: golden ratio, sqrt(3) - 1 */
        key1 += 0xBB67AE85u;
    }
}

#endif
