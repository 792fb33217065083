#include "engine/plan.h"

#include "engine/winograd.h"

#include <string.h>

enum { BLOCK_ALIGN = 16, /* floats: one cache line */ BUFFER_MAX = 2 * ARCH_MAX_TENSORS + ARCH_MAX_LAYERS };

/* A buffer and the span of time, first use to last use inclusive, in which it must keep its contents. Op i
 * runs forward at time i and backward at time 2 * op_count - 1 - i. */
struct buffer {
    size_t floats;
    int born, dies;
    ptrdiff_t *offset; /* result */
};

struct buffers {
    int count;
    struct buffer items[BUFFER_MAX];
};

static int backward_time(const struct network *n, int op)
{
    return 2 * n->op_count - 1 - op;
}

static void place_shape(struct place *p, const struct shape *s, int border)
{
    p->border = border;
    p->pixel = (size_t)s->c;
    p->row = (size_t)(s->w + 2 * border) * p->pixel;
    p->image = (size_t)(s->h + 2 * border) * p->row;
}

static void add_buffer(struct buffers *b, size_t floats, int born, int dies, ptrdiff_t *offset)
{
    /* Slack for vector loads past the end, and a whole number of cache lines. */
    size_t padded = (floats + TENSOR_SLACK + BLOCK_ALIGN - 1) / BLOCK_ALIGN * BLOCK_ALIGN;
    b->items[b->count++] = (struct buffer){padded, born, dies, offset};
}

/* When a tensor's values are last needed. The gradient to a convolution's weights needs its input, and
 * masking by ReLU needs the values; a pool remembers all it needs itself. */
static int value_dies(const struct network *n, int tensor, bool training)
{
    const struct net_tensor *t = &n->tensors[tensor];
    int dies = tensor == n->logits ? 2 * n->op_count : t->last_reader;
    for (int i = 0; training && i < n->op_count; i++) {
        const struct op *op = &n->ops[i];
        const bool reads = op->in == tensor || op->in2 == tensor;
        if (reads && op->kind != OP_MAXPOOL && (op->kind == OP_CONV || t->relu) && dies < backward_time(n, i))
            dies = backward_time(n, i);
    }
    return dies;
}

static void add_tensor(struct buffers *b, struct plan *p, const struct network *n, int tensor)
{
    const struct net_tensor *t = &n->tensors[tensor];
    p->value[tensor].offset = p->gradient[tensor].offset = PLAN_NOWHERE;
    if (t->writer < 0 && tensor != 0)
        return; /* replaced by the input of a dropout that is left out */
    place_shape(&p->value[tensor], &t->shape, t->border);
    const int last_op = n->op_count - 1;
    const bool in_stem = t->writer == 0 && p->stem_ops > 0;
    const size_t images = (size_t)(in_stem ? p->stem_images : p->images);
    p->value[tensor].in_stem = in_stem;
    add_buffer(b, images * p->value[tensor].image, t->writer < 0 ? 0 : t->writer,
               value_dies(n, tensor, p->training), &p->value[tensor].offset);
    if (!p->training || tensor == 0)
        return;
    place_shape(&p->gradient[tensor], &t->shape, t->grad_border);
    p->gradient[tensor].in_stem = in_stem;
    /* The loss writes the logits' gradient right after the last op's forward pass. */
    const int first_use = tensor == n->logits ? last_op : backward_time(n, t->last_reader);
    add_buffer(b, images * p->gradient[tensor].image, first_use, backward_time(n, t->writer),
               &p->gradient[tensor].offset);
}

static void add_aside(struct buffers *b, struct plan *p, const struct network *n, int i)
{
    const struct op *op = &n->ops[i];
    p->aside[i] = PLAN_NOWHERE;
    if (!p->training || (op->kind != OP_MAXPOOL && op->kind != OP_DROPOUT))
        return;
    const struct shape *s = &n->tensors[op->out].shape;
    const size_t bytes = (size_t)p->images * (size_t)s->c * (size_t)s->h * (size_t)s->w;
    add_buffer(b, (bytes + sizeof(float) - 1) / sizeof(float), i, backward_time(n, i), &p->aside[i]);
}

static bool lifetimes_meet(const struct buffer *a, const struct buffer *b)
{
    return a->born <= b->dies && b->born <= a->dies;
}

/* Lowest offset at which `b` collides with none of the placed buffers. */
static size_t first_fit(const struct buffers *all, const bool *placed, const struct buffer *b)
{
    size_t at = 0;
    for (bool moved = true; moved;) {
        moved = false;
        for (int i = 0; i < all->count; i++) {
            const struct buffer *o = &all->items[i];
            if (!placed[i] || !lifetimes_meet(o, b))
                continue;
            const size_t start = (size_t)*o->offset;
            if (at < start + o->floats && start < at + b->floats) {
                at = start + o->floats;
                moved = true;
            }
        }
    }
    return at;
}

/* Greedy by size: the largest buffers first, each as low as possible. */
static size_t place_buffers(struct buffers *all)
{
    bool placed[BUFFER_MAX] = {false};
    size_t total = 0;
    for (int round = 0; round < all->count; round++) {
        int next = 0;
        while (placed[next])
            next++;
        for (int i = next + 1; i < all->count; i++)
            if (!placed[i] && all->items[i].floats > all->items[next].floats)
                next = i;
        struct buffer *b = &all->items[next];
        const size_t at = first_fit(all, placed, b);
        *b->offset = (ptrdiff_t)at;
        placed[next] = true;
        if (at + b->floats > total)
            total = at + b->floats;
    }
    return total;
}

/* The most that any operation needs beside its tensors. */
static size_t scratch_floats(const struct plan *p, const struct network *n)
{
    size_t most = 0;
    for (int i = 0; i < n->op_count; i++)
        for (int b = 0; b < n->ops[i].branch_count; b++) {
            const size_t floats = winograd_scratch(&n->ops[i].branch[b], &n->tensors[n->ops[i].out].shape,
                                                   plan_op_images(p, i), p->training);
            most = floats > most ? floats : most;
        }
    return most;
}

/* A convolution of the image and the pool that is its only reader; rounds as large as fit the cache. */
static void plan_stem(struct plan *p, const struct network *n)
{
    enum { STEM_BYTES = 768 << 10 };
    p->stem_images = p->images;
    if (n->op_count < 3 || n->ops[0].kind != OP_CONV || n->ops[1].kind != OP_MAXPOOL)
        return;
    const struct net_tensor *t = &n->tensors[n->ops[0].out];
    if (t->first_reader != 1 || t->last_reader != 1)
        return;
    const size_t bytes = sizeof(float) * (size_t)t->shape.c * (size_t)t->shape.h * (size_t)t->shape.w;
    p->stem_ops = 2;
    if (bytes * (size_t)p->images > STEM_BYTES)
        p->stem_images = STEM_BYTES / bytes > 1 ? (int)(STEM_BYTES / bytes) : 1;
}

enum status plan_init(struct plan *p, const struct network *n, int images, bool training, struct err *e)
{
    memset(p, 0, sizeof *p);
    p->images = images;
    p->training = training;
    plan_stem(p, n);
    struct buffers all = {0};
    double floats = 0;
    for (int t = 0; t < n->tensor_count; t++)
        add_tensor(&all, p, n, t);
    for (int i = 0; i < n->op_count; i++)
        add_aside(&all, p, n, i);
    for (int i = 0; i < all.count; i++)
        floats += (double)all.items[i].floats;
    if (floats > 1e12)
        return err_set(e, ST_NOMEM, "a tile of %d images needs %.0f GiB", images, floats * 4 / 1073741824.0);
    p->scratch = (ptrdiff_t)place_buffers(&all);
    p->floats = (size_t)p->scratch + scratch_floats(p, n);
    return ST_OK;
}

size_t plan_bytes_per_image(const struct network *n, bool training)
{
    struct plan p;
    return plan_init(&p, n, 1, training, NULL) == ST_OK ? p.floats * sizeof(float) : SIZE_MAX;
}

struct view plan_view(const struct place *p, float *block, int first, int c0)
{
    const size_t image = p->in_stem ? 0 : (size_t)first;
    float *data = block + p->offset + image * p->image + (size_t)p->border * (p->row + p->pixel) + c0;
    return (struct view){data, p->pixel, p->row, p->image};
}
