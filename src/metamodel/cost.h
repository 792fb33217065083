/* What a variant costs, exactly and before any training. */
#ifndef METAMODEL_COST_H
#define METAMODEL_COST_H

#include <stdint.h>

#include "metamodel/arch.h"

/* Activations, per image, float32, nothing in place (sum, dropout and pools write tensors of their own):
 * - A tensor is live from the first layer that writes it to the last that reads it, both included; the image
 *   from the first layer on, the logits to the last. Inference needs the largest sum of tensors live at one
 * layer.
 * - Training keeps every tensor, and on its way back needs the gradients that are live at one layer: a
 * tensor's gradient is live at the same layers as the tensor, in reverse; the image has none.
 * Multiply-accumulates count every tap of the window, those in the zero border too. */
struct cost {
    int64_t params;                             /* biases included */
    int64_t weights;                            /* parameters without biases */
    int64_t macs;                               /* multiply-accumulates of the convolutions, per image */
    int64_t model_bytes;                        /* float32: 4 * params */
    int64_t model_bytes_8bit, model_bytes_6bit; /* ceil(params * bits / 8) */
    int64_t activation_bytes;       /* inference, per image: largest sum of tensors live at once, float32 */
    int64_t train_activation_bytes; /* training, per image: all activations kept, and the largest sum of live
                                       gradients */
};

/* One layer. activation_bytes: what it writes (an expand layer: its own channels); train_activation_bytes:
 * that and its gradient, so twice as much. */
void layer_cost(const struct arch *a, int layer, struct cost *out);
void arch_cost(const struct arch *a, struct cost *out);
/* Parameters of fire index 0..7 (squeeze, both expands; a bypass convolution is not counted). */
int64_t fire_params(const struct arch *a, int fire);

#define MIB (1024.0 * 1024.0)

#endif
