#include "engine/pass.h"

#include "engine/pass_conv.h"

#include <string.h>

#include "base/rng.h"

static void clear_border(const struct pass *p, const struct place *place, const struct shape *s, int images)
{
    const size_t b = (size_t)place->border;
    if (b == 0)
        return;
    float *first = plan_view(place, p->block, p->first, 0).data - b * (place->row + place->pixel);
    for (int i = 0; i < images; i++) {
        /* A row's right border and the next one's left border are neighbours. */
        float *image = first + (size_t)i * place->image, *row = image + b * place->row;
        memset(image, 0, (b * place->row + b * place->pixel) * sizeof(float));
        for (int r = 1; r < s->h; r++) {
            row += place->row;
            memset(row - b * place->pixel, 0, 2 * b * place->pixel * sizeof(float));
        }
        row += place->row;
        memset(row - b * place->pixel, 0, (b * place->row + b * place->pixel) * sizeof(float));
    }
}

float *pass_image(const struct pass *p, int i, size_t *pitch)
{
    const struct view v = pass_value(p, 0, 0);
    *pitch = v.row;
    return v.data + (size_t)i * v.image;
}

const float *pass_logits(const struct pass *p, int i)
{
    const struct view v = pass_value(p, p->network->logits, 0);
    return v.data + (size_t)i * v.image;
}

float *pass_logits_gradient(const struct pass *p, int i)
{
    const struct view v = pass_gradient(p, p->network->logits, 0);
    return v.data + (size_t)i * v.image;
}

/* Flags of an op's contribution to the gradient of its k-th input; clears the border if it is the first. */
static unsigned contribution(const struct pass *p, const struct op *op, int k, int images)
{
    const int tensor = k == 0 ? op->in : op->in2;
    const struct net_tensor *t = &p->network->tensors[tensor];
    if (op->first[k])
        clear_border(p, &p->plan->gradient[tensor], &t->shape, images);
    return (op->first[k] ? 0u : CONV_ACCUMULATE) | (op->last[k] && t->relu ? CONV_MASK : 0u);
}

/* What the op keeps of the round's images, a byte for each of its outputs. */
static uint8_t *aside(const struct pass *p, const struct op *op)
{
    const ptrdiff_t offset = p->plan->aside[op - p->network->ops];
    const struct shape *out = &p->network->tensors[op->out].shape;
    const size_t bytes = (size_t)out->c * (size_t)out->h * (size_t)out->w;
    return offset == PLAN_NOWHERE ? NULL : (uint8_t *)(p->block + offset) + (size_t)p->first * bytes;
}

static struct pool_job pool_job(const struct pass *p, const struct op *op, int images)
{
    const struct shape *in = &p->network->tensors[op->in].shape, *out = &p->network->tensors[op->out].shape;
    return (struct pool_job){.images = images,
                             .in_h = in->h,
                             .in_w = in->w,
                             .out_h = out->h,
                             .out_w = out->w,
                             .channels = in->c,
                             .arg = aside(p, op),
                             .relu = p->network->tensors[op->in].relu};
}

static void pool_forward(const struct pass *p, const struct op *op, int images)
{
    struct pool_job job = pool_job(p, op, images);
    job.x = pass_value(p, op->in, 0);
    job.y = pass_value(p, op->out, 0);
    p->kernels->maxpool_forward(&job);
}

static void pool_backward(const struct pass *p, const struct op *op, int images)
{
    struct pool_job job = pool_job(p, op, images);
    contribution(p, op, 0, images); /* nothing to add to, and masked already: winners are positive */
    job.x = pass_gradient(p, op->in, 0);
    job.y = pass_gradient(p, op->out, 0);
    p->kernels->maxpool_backward(&job);
}

/* An elementwise operation on the rows of a tile; views without data are left out. */
struct rows {
    struct view to, from, add, mask;
    const uint8_t *keep; /* [image][pixel][channel], or NULL */
    float scale;
    const struct shape *shape;
    int images;
};

static float *row_of(const struct view *v, size_t image, size_t row)
{
    return v->data ? v->data + image * v->image + row * v->row : NULL;
}

static void run_rows(const struct pass *p, const struct rows *r)
{
    const size_t n = (size_t)r->shape->w * (size_t)r->shape->c, height = (size_t)r->shape->h;
    for (size_t i = 0; i < (size_t)r->images; i++)
        for (size_t y = 0; y < height; y++)
            p->kernels->row(&(struct row_job){.to = row_of(&r->to, i, y),
                                              .from = row_of(&r->from, i, y),
                                              .add = row_of(&r->add, i, y),
                                              .mask = row_of(&r->mask, i, y),
                                              .keep = r->keep ? r->keep + (i * height + y) * n : NULL,
                                              .scale = r->scale,
                                              .n = n});
}

static void add_forward(const struct pass *p, const struct op *op, int images)
{
    run_rows(p, &(struct rows){.to = pass_value(p, op->out, 0),
                               .from = pass_value(p, op->in, 0),
                               .add = pass_value(p, op->in2, 0),
                               .shape = &p->network->tensors[op->out].shape,
                               .images = images});
}

/* How an elementwise operation hands its gradient on to its k-th input. */
static void pass_on(const struct pass *p, const struct op *op, int k, int images, const uint8_t *keep)
{
    const int input = k == 0 ? op->in : op->in2;
    const unsigned flags = contribution(p, op, k, images);
    const struct view none = {0}, dx = pass_gradient(p, input, 0);
    run_rows(p, &(struct rows){.to = dx,
                               .from = pass_gradient(p, op->out, 0),
                               .add = flags & CONV_ACCUMULATE ? dx : none,
                               .mask = flags & CONV_MASK ? pass_value(p, input, 0) : none,
                               .keep = keep,
                               .scale = (float)(1 / (1 - p->dropout)),
                               .shape = &p->network->tensors[op->out].shape,
                               .images = images});
}

static void add_backward(const struct pass *p, const struct op *op, int images)
{
    pass_on(p, op, 0, images, NULL);
    pass_on(p, op, 1, images, NULL);
}

/* out = in * keep / (1 - rate) */
static void dropout_forward(const struct pass *p, const struct op *op, int images, const uint32_t *samples)
{
    const struct shape *s = &p->network->tensors[op->out].shape;
    const size_t n = (size_t)s->c * (size_t)s->h * (size_t)s->w;
    const uint32_t threshold = (uint32_t)(p->dropout * 65536 + 0.5);
    uint8_t *keep = aside(p, op);
    for (int i = 0; i < images; i++) {
        const struct rng stream = rng_stream(p->seed, RNG_DROPOUT, p->epoch, samples[p->first + i]);
        p->kernels->dropout_keep(&(struct dropout_job){
            .stream = &stream, .threshold = threshold, .keep = keep + (size_t)i * n, .n = n});
    }
    run_rows(p, &(struct rows){.to = pass_value(p, op->out, 0),
                               .from = pass_value(p, op->in, 0),
                               .keep = keep,
                               .scale = (float)(1 / (1 - p->dropout)),
                               .shape = s,
                               .images = images});
}

static void dropout_backward(const struct pass *p, const struct op *op, int images)
{
    pass_on(p, op, 0, images, aside(p, op));
}

static void average_forward(const struct pass *p, const struct op *op, int images)
{
    const struct shape *s = &p->network->tensors[op->in].shape;
    const struct view x = pass_value(p, op->in, 0), y = pass_value(p, op->out, 0);
    const float scale = 1.0f / (float)(s->h * s->w);
    for (int i = 0; i < images; i++) {
        float *to = y.data + (size_t)i * y.image;
        for (int c = 0; c < s->c; c++) {
            float sum = 0;
            for (int r = 0; r < s->h; r++)
                for (int k = 0; k < s->w; k++)
                    sum += x.data[(size_t)i * x.image + (size_t)r * x.row + (size_t)k * x.pixel + (size_t)c];
            to[c] = sum * scale;
        }
    }
}

static void average_backward(const struct pass *p, const struct op *op, int images)
{
    const struct shape *s = &p->network->tensors[op->in].shape;
    const struct view dx = pass_gradient(p, op->in, 0), dy = pass_gradient(p, op->out, 0),
                      x = pass_value(p, op->in, 0);
    const bool masked = contribution(p, op, 0, images) & CONV_MASK;
    const float scale = 1.0f / (float)(s->h * s->w);
    for (int i = 0; i < images; i++)
        for (int r = 0; r < s->h; r++)
            for (int k = 0; k < s->w; k++) {
                const size_t image = (size_t)i, row = (size_t)r, column = (size_t)k;
                const float *from = dy.data + image * dy.image;
                const float *mask = x.data + image * x.image + row * x.row + column * x.pixel;
                float *to = dx.data + image * dx.image + row * dx.row + column * dx.pixel;
                for (int c = 0; c < s->c; c++)
                    to[c] = masked && !(mask[c] > 0) ? 0 : from[c] * scale;
            }
}

static void run_forward(const struct pass *p, int from, int to, int images, const uint32_t *samples)
{
    const struct network *n = p->network;
    for (int i = from; i < to; i++) {
        const struct op *op = &n->ops[i];
        clear_border(p, &p->plan->value[op->out], &n->tensors[op->out].shape, images);
        switch (op->kind) {
        case OP_CONV:
            pass_conv_forward(p, op, images);
            break;
        case OP_MAXPOOL:
            pool_forward(p, op, images);
            break;
        case OP_ADD:
            add_forward(p, op, images);
            break;
        case OP_DROPOUT:
            dropout_forward(p, op, images, samples);
            break;
        case OP_AVGPOOL:
            average_forward(p, op, images);
            break;
        }
    }
}

/* One round after the other through a stage; `first` says where each begins. */
static int round_images(const struct stage *s, int first, int images)
{
    return images - first < s->images ? images - first : s->images;
}

void pass_forward(const struct pass *p, int images, const uint32_t *samples)
{
    clear_border(p, &p->plan->value[0], &p->network->tensors[0].shape, images);
    for (const struct stage *s = p->plan->stages; s < p->plan->stages + p->plan->stage_count; s++) {
        struct pass round = *p;
        for (; round.first < images; round.first += s->images)
            run_forward(&round, s->from, s->to, round_images(s, round.first, images), samples);
    }
}

static void run_backward(const struct pass *p, int from, int to, int images, float *gradients,
                         bool accumulate)
{
    for (int i = to - 1; i >= from; i--) {
        const struct op *op = &p->network->ops[i];
        switch (op->kind) {
        case OP_CONV:
            pass_conv_weight_gradient(p, op, images, gradients, accumulate);
            if (op->wants_dx)
                pass_conv_data_gradient(p, op, images, contribution(p, op, 0, images));
            break;
        case OP_MAXPOOL:
            pool_backward(p, op, images);
            break;
        case OP_ADD:
            add_backward(p, op, images);
            break;
        case OP_DROPOUT:
            dropout_backward(p, op, images);
            break;
        case OP_AVGPOOL:
            average_backward(p, op, images);
            break;
        }
    }
}

void pass_backward(const struct pass *p, int images, float *gradients, bool accumulate)
{
    const int logits = p->network->logits;
    clear_border(p, &p->plan->gradient[logits], &p->network->tensors[logits].shape, images);
    for (const struct stage *s = p->plan->stages + p->plan->stage_count - 1; s >= p->plan->stages; s--) {
        struct pass round = *p;
        for (; round.first < images; round.first += s->images)
            run_backward(&round, s->from, s->to, round_images(s, round.first, images), gradients,
                         accumulate || round.first > 0);
    }
}
