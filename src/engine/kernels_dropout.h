/* Which values dropout keeps. Private to kernels.c. */
#ifndef ENGINE_KERNELS_DROPOUT_H
#define ENGINE_KERNELS_DROPOUT_H

#include <string.h>

#include "base/philox.h"
#include "engine/kernels.h"

/* Half words of random numbers against the threshold: block b of the stream decides keep[8 b] to keep[8 b +
 * 7], the lower half of each word first. Many blocks at once, in loops that the compiler turns into vectors.
 */
static void dropout_keep(const struct dropout_job *job)
{
    enum { BLOCKS = 16, BYTES = 2 * PHILOX_WORDS };
    for (size_t k = 0; k < job->n; k += BLOCKS * BYTES) {
        uint32_t x[PHILOX_WORDS][BLOCKS];
        for (int i = 0; i < BLOCKS; i++) {
            x[0][i] = (uint32_t)(k / BYTES) + (uint32_t)i;
            for (int w = 1; w < PHILOX_WORDS; w++)
                x[w][i] = job->stream->counter[w];
        }
        philox(BLOCKS, x[0], x[1], x[2], x[3], job->stream->key);
        uint8_t keep[BLOCKS][BYTES];
        for (int i = 0; i < BLOCKS; i++)
            for (int w = 0; w < PHILOX_WORDS; w++) {
                keep[i][2 * w] = (x[w][i] & 0xffff) >= job->threshold;
                keep[i][2 * w + 1] = x[w][i] >> 16 >= job->threshold;
            }
        memcpy(job->keep + k, keep, job->n - k < sizeof keep ? job->n - k : sizeof keep);
    }
}

#endif
