/* One tile's way through the network: forward, loss, backward. */
#ifndef ENGINE_PASS_H
#define ENGINE_PASS_H

#include <stdint.h>

#include "engine/kernels.h"
#include "engine/network.h"
#include "engine/plan.h"

/* What a thread works with. Nothing here is owned. */
struct pass {
    const struct network *network;
    const struct plan *plan;
    const struct kernels *kernels;
    const float *params;
    const float *derived; /* network_derive's */
    float *block;         /* plan->floats floats, 64-byte aligned, this thread's own */
    double dropout;
    uint64_t seed; /* of the dropout stream */
    unsigned epoch;
    int first; /* image of the tile that the running operation starts with (struct stage) */
};

/* Where the next tile's image i goes: h rows, *pitch floats apart, of w * c floats. */
float *pass_image(const struct pass *p, int i, size_t *pitch);
/* After forward: classes values. */
const float *pass_logits(const struct pass *p, int i);
/* Before backward: the caller writes the gradient of the loss to the logits, classes values. */
float *pass_logits_gradient(const struct pass *p, int i);

/* Runs `images` images (at most plan->images). `samples` (training with dropout): the images' numbers, which
 * choose what is dropped. */
void pass_forward(const struct pass *p, int images, const uint32_t *samples);

/* Gradients of all parameters, summed over the tile's images and added to `gradients` (network->param_floats;
 * with `accumulate` false they overwrite it). */
void pass_backward(const struct pass *p, int images, float *gradients, bool accumulate);

#endif
