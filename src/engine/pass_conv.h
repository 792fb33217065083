/* The convolutions of a pass: which kernel, on which views. Private to the pass. */
#ifndef ENGINE_PASS_CONV_H
#define ENGINE_PASS_CONV_H

#include "engine/pass.h"

/* Channels c0.. of a tensor's values or gradient. */
static inline struct view pass_value(const struct pass *p, int tensor, int c0)
{
    return plan_view(&p->plan->value[tensor], p->block, p->first, c0);
}

static inline struct view pass_gradient(const struct pass *p, int tensor, int c0)
{
    return plan_view(&p->plan->gradient[tensor], p->block, p->first, c0);
}

void pass_conv_forward(const struct pass *p, const struct op *op, int images);
void pass_conv_weight_gradient(const struct pass *p, const struct op *op, int images, float *gradients,
                               bool accumulate);
/* `flags`: CONV_ACCUMULATE, CONV_MASK for the whole op's contribution to its input's gradient. */
void pass_conv_data_gradient(const struct pass *p, const struct op *op, int images, unsigned flags);

#endif
