#include "metamodel/cost.h"

#include <stdio.h>
#include <string.h>

enum { FLOAT_BYTES = 4 };

static int64_t shape_bytes(const struct shape *s)
{
    return (int64_t)FLOAT_BYTES * s->c * s->h * s->w;
}

static int64_t packed_bytes(int64_t params, int bits)
{
    return (params * bits + 7) / 8;
}

static void cost_set_parameters(struct cost *c, int64_t weights, int64_t biases)
{
    c->weights = weights;
    c->params = weights + biases;
    c->model_bytes = FLOAT_BYTES * c->params;
    c->model_bytes_8bit = packed_bytes(c->params, 8);
    c->model_bytes_6bit = packed_bytes(c->params, 6);
}

void layer_cost(const struct arch *a, int layer, struct cost *out)
{
    const struct layer *l = &a->layers[layer];
    struct shape written = a->tensors[l->out];
    *out = (struct cost){.params = 0};
    if (l->kind == LAYER_CONV) {
        int64_t weights = (int64_t)l->kernel * l->kernel * l->cin * l->cout;
        cost_set_parameters(out, weights, l->cout);
        out->macs = weights * written.h * written.w;
        written.c = l->cout;
    }
    out->activation_bytes = shape_bytes(&written);
    out->train_activation_bytes = 2 * out->activation_bytes;
}

/* The largest sum of tensors from `first` on that are live at one layer: from the first layer that writes
 * them (the image: from the start) to the last one that reads them (the logits: to the end). */
static int64_t largest_live_bytes(const struct arch *a, int first)
{
    int born[ARCH_MAX_TENSORS], died[ARCH_MAX_TENSORS];
    int64_t live[ARCH_MAX_LAYERS] = {0}, largest = 0;
    for (int t = 0; t < a->tensor_count; t++) {
        born[t] = a->layer_count;
        died[t] = -1;
    }
    for (int i = 0; i < a->layer_count; i++) {
        const struct layer *l = &a->layers[i];
        born[l->out] = i < born[l->out] ? i : born[l->out];
        died[l->in] = i;
        if (l->in2 >= 0)
            died[l->in2] = i;
    }
    born[0] = 0;
    died[a->tensor_count - 1] = a->layer_count - 1;
    for (int t = first; t < a->tensor_count; t++)
        for (int i = born[t]; i <= died[t]; i++)
            live[i] += shape_bytes(&a->tensors[t]);
    for (int i = 0; i < a->layer_count; i++)
        largest = live[i] > largest ? live[i] : largest;
    return largest;
}

void arch_cost(const struct arch *a, struct cost *out)
{
    *out = (struct cost){.params = 0};
    int64_t params = 0, weights = 0;
    for (int i = 0; i < a->layer_count; i++) {
        struct cost layer;
        layer_cost(a, i, &layer);
        params += layer.params;
        weights += layer.weights;
        out->macs += layer.macs;
    }
    cost_set_parameters(out, weights, params - weights);
    int64_t all = 0;
    for (int t = 0; t < a->tensor_count; t++)
        all += shape_bytes(&a->tensors[t]);
    out->activation_bytes = largest_live_bytes(a, 0);
    out->train_activation_bytes = all + largest_live_bytes(a, 1); /* the image has no gradient */
}

int64_t fire_params(const struct arch *a, int fire)
{
    static const char *const parts[] = {"squeeze1x1", "expand1x1", "expand3x3"};
    int64_t params = 0;
    for (int i = 0; i < a->layer_count; i++) {
        for (int part = 0; part < 3; part++) {
            char name[24];
            snprintf(name, sizeof name, "fire%d.%s", fire + 2, parts[part]);
            if (strcmp(a->layers[i].name, name) == 0) {
                struct cost cost;
                layer_cost(a, i, &cost);
                params += cost.params;
            }
        }
    }
    return params;
}
