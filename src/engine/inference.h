/* What a network costs where it is used: one image at a time on one thread, from weights to logits. Random
 * weights and images: neither time nor memory depends on their values. */
#ifndef ENGINE_INFERENCE_H
#define ENGINE_INFERENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "metamodel/arch.h"

/* Bytes that inference with one image holds at its peak, all that is allocated for it: */
struct inference_memory {
    int64_t weight_bytes;     /* parameters, and what is derived from them (transformed 3x3 filters) */
    int64_t activation_bytes; /* the tensors of one image, with borders, and the operations' scratch */
};

struct inference_speed {
    double latency_ms, latency_p95_ms; /* of one image: median and 95th percentile (nearest rank) */
    int repetitions;                   /* they come from */
    double images_per_s;               /* in tiles of so many images, by the median of their times: */
    int tile;
    double cpu_share; /* of the time in which the thread had a core: 1 if nothing disturbed it */
    struct inference_memory memory; /* of one image at a time */
};

/* What inference of one image at a time allocates, without running it. Errors as trainer_create's. */
enum status inference_memory(const struct arch *a, bool winograd, struct inference_memory *out,
                             struct err *e);

/* Runs a network on the calling thread for about `seconds`, of which a tenth warms up; a few
 * repetitions at least, a few hundred at most. `winograd` as in a recipe. ST_NOMEM, ST_USAGE. */
enum status inference_measure(const struct arch *a, bool winograd, double seconds,
                              struct inference_speed *out, struct err *e);

#endif
