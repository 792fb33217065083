#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "engine/trainer_internal.h"

/* Draws in the plain order [cout][cin][ky][kx], so that the memory layout has no influence. */
static float draw(struct rng *r, enum init init, int fan_in, bool conv10)
{
    if (conv10)
        return (float)(0.01 * rng_normal(r));
    if (init == INIT_XAVIER)
        return (float)((2 * rng_uniform(r) - 1) * sqrt(3.0 / fan_in));
    return (float)(rng_normal(r) * sqrt(2.0 / fan_in));
}

static void init_branch(struct trainer *t, const struct branch *b)
{
    const bool conv10 = strcmp(t->arch.layers[b->layer].name, "conv10") == 0;
    const int area = b->kernel * b->kernel;
    struct rng r = rng_stream(t->seed, RNG_INIT, (uint64_t)b->layer, 0);
    float *panels = t->params + b->weights;
    for (int o = 0; o < b->cout; o++) {
        float *column = panels + panel_start(o, b->k_count) + (size_t)(o % PANEL);
        const size_t width = (size_t)panel_width(o, b->cout);
        for (int i = 0; i < b->cin; i++)
            for (int tap = 0; tap < area; tap++)
                column[(size_t)(tap * b->cin + i) * width] = draw(&r, t->recipe.init, b->k_count, conv10);
    }
}

void trainer_init_weights(struct trainer *t)
{
    memset(t->params, 0, t->train_net.param_floats * sizeof(float));
    for (int i = 0; i < t->train_net.op_count; i++)
        for (int b = 0; b < t->train_net.ops[i].branch_count; b++)
            init_branch(t, &t->train_net.ops[i].branch[b]);
}
