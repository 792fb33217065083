/* A second, naive implementation of a network, in double precision and plain loops, to test the engine
 * against. Images and activations are channels-first. */
#ifndef TESTS_ENGINE_REFERENCE_H
#define TESTS_ENGINE_REFERENCE_H

#include <stddef.h>

#include "metamodel/arch.h"

/* Weights of every convolution layer: weight[layer] is [cout][cin][k][k], bias[layer] is [cout]; NULL for
 * other layers. */
struct reference_weights {
    double *weight[ARCH_MAX_LAYERS];
    double *bias[ARCH_MAX_LAYERS];
};

void reference_weights_init(struct reference_weights *w, const struct arch *a); /* zeros */
void reference_weights_release(struct reference_weights *w);

/* Logits (classes values) of one image [c][h][w]. `keep` (may be NULL) multiplies the dropout layer's input,
 * [c][h][w]. */
void reference_logits(const struct arch *a, const struct reference_weights *w, const double *image,
                      const double *keep, double *logits);

/* Cross-entropy against the smoothed target. */
double reference_loss(const double *logits, int classes, int label, double smoothing);

#endif
