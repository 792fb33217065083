/* Speed of the engine: the machine's limits, whole networks, single layers. All on random data, all times
 * medians. */
#ifndef ENGINE_BENCH_H
#define ENGINE_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "engine/recipe.h"
#include "metamodel/arch.h"

/* The machine's limits, all threads together; the best of several rounds, because other processes only ever
 * slow a measurement down. Float32 operations per second of independent fused multiply-adds (about 50 ms): */
enum status bench_fma_flops(int threads, double *out, struct err *e);
/* Bytes per second read and written copying arrays beyond the caches (about 200 ms): */
enum status bench_copy_bytes(int threads, double *out, struct err *e);

struct bench_network {
    double train_s;                    /* one update of a batch: forward, loss, backward, optimizer */
    double infer_s;                    /* one forward pass of a batch */
    double train_best_s, infer_best_s; /* the fastest of them */
};

/* Trains and evaluates batches of the recipe's size on `threads` threads: two warm-up rounds, then the median
 * of `repeat`. */
enum status bench_network(const struct arch *a, const struct recipe *r, int threads, int repeat,
                          struct bench_network *out, struct err *e);

enum { BENCH_LAYERS_MAX = 64 };

/* One operation of a network: a convolution, or the two expand layers of a Fire, which run as one. Seconds
 * per image and thread; 0 where there is nothing to do (no gradient to the image). */
struct bench_layer {
    char name[24]; /* of its first layer */
    struct shape in, out;
    int kernels[2]; /* kernel sizes of its branches, 0 = none */
    bool winograd;
    int64_t macs; /* direct convolution, per image */
    double forward_s, data_gradient_s, weight_gradient_s;
};

/* Times each convolution of a network with distinct shapes in the tiles that training uses, all threads at
 * once. */
enum status bench_layers(const struct arch *a, const struct recipe *r, int threads, int repeat,
                         struct bench_layer layers[BENCH_LAYERS_MAX], int *count, struct err *e);

#endif
