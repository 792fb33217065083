#include "engine/plan.h"

#include "engine/columns.h"
#include "engine/winograd.h"

#include <string.h>

enum { STAGE_BYTES = 1 << 20 /* of the largest tensor in a round */ };
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

/* First and last time of the pass through a stage that `time` lies in; before and after the passes, the
 * moment itself. */
static void stage_times(const struct plan *p, const struct network *n, int time, int *first, int *last)
{
    *first = *last = time;
    if (time < 0 || time >= 2 * n->op_count)
        return;
    const bool backward = time >= n->op_count;
    const struct stage *s = plan_stage(p, backward ? backward_time(n, time) : time);
    *first = backward ? backward_time(n, s->to - 1) : s->from;
    *last = backward ? backward_time(n, s->from) : s->to - 1;
}

/* What lives within one pass through a stage need only hold a round's images. Everything else holds the
 * tile's, and must not share memory with what other rounds of its first and last stage use. */
static void add_place(struct buffers *b, const struct plan *p, const struct network *n, struct place *place,
                      int born, int dies)
{
    int first, last, born_first, born_last;
    stage_times(p, n, born, &born_first, &born_last);
    stage_times(p, n, dies, &first, &last);
    const bool within = born >= 0 && born_first == first && dies < 2 * n->op_count;
    const int op = born < n->op_count ? born : backward_time(n, born);
    place->images = within ? plan_stage(p, op)->images : p->images;
    add_buffer(b, (size_t)place->images * place->image, within ? born : born_first, within ? dies : last,
               &place->offset);
}

static void add_tensor(struct buffers *b, struct plan *p, const struct network *n, int tensor)
{
    const struct net_tensor *t = &n->tensors[tensor];
    p->value[tensor].offset = p->gradient[tensor].offset = PLAN_NOWHERE;
    if (t->writer < 0 && tensor != 0)
        return; /* replaced by the input of a dropout that is left out */
    place_shape(&p->value[tensor], &t->shape, t->border);
    add_place(b, p, n, &p->value[tensor], t->writer, value_dies(n, tensor, p->training));
    if (!p->training || tensor == 0)
        return;
    place_shape(&p->gradient[tensor], &t->shape, t->grad_border);
    /* The loss writes the logits' gradient right after the last op's forward pass. */
    const int first_use = tensor == n->logits ? n->op_count - 1 : backward_time(n, t->last_reader);
    add_place(b, p, n, &p->gradient[tensor], first_use, backward_time(n, t->writer));
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

/* Lowest offset at which `b` collides with none of the placed buffers, which stand by offset: what is passed
 * once cannot be met again. */
static size_t first_fit(struct buffer *const *placed, int count, const struct buffer *b)
{
    size_t at = 0;
    for (int i = 0; i < count; i++) {
        const struct buffer *o = placed[i];
        const size_t start = (size_t)*o->offset;
        if (at < start + o->floats && start < at + b->floats && lifetimes_meet(o, b))
            at = start + o->floats;
    }
    return at;
}

static void add_placed(struct buffer **placed, int count, struct buffer *b)
{
    int i = count;
    for (; i > 0 && *placed[i - 1]->offset > *b->offset; i--)
        placed[i] = placed[i - 1];
    placed[i] = b;
}

/* Greedy by size: the largest buffers first, each as low as possible. */
static size_t place_buffers(struct buffers *all)
{
    struct buffer *placed[BUFFER_MAX];
    bool done[BUFFER_MAX] = {false};
    size_t total = 0;
    for (int round = 0; round < all->count; round++) {
        int next = 0;
        while (done[next])
            next++;
        for (int i = next + 1; i < all->count; i++)
            if (!done[i] && all->items[i].floats > all->items[next].floats)
                next = i;
        struct buffer *b = &all->items[next];
        const size_t at = first_fit(placed, round, b);
        *b->offset = (ptrdiff_t)at;
        add_placed(placed, round, b);
        done[next] = true;
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
            const struct branch *branch = &n->ops[i].branch[b];
            const struct shape *map = &n->tensors[n->ops[i].out].shape;
            const int images = plan_stage(p, i)->images;
            const size_t floats = winograd_scratch(branch, map, images, p->training) +
                                  columns_scratch(branch, map, images, p->training);
            most = floats > most ? floats : most;
        }
    return most;
}

const struct stage *plan_stage(const struct plan *p, int op)
{
    const struct stage *s = p->stages;
    while (op >= s->to)
        s++;
    return s;
}

static size_t shape_bytes(const struct shape *s)
{
    return sizeof(float) * (size_t)s->c * (size_t)s->h * (size_t)s->w;
}

/* Stages end with a pool. A round is as large as the cache allows, and all rounds as even as can be. */
static void plan_stages(struct plan *p, const struct network *n)
{
    size_t largest = 1;
    for (int i = 0, from = 0; i < n->op_count; i++) {
        const size_t bytes = shape_bytes(&n->tensors[n->ops[i].out].shape);
        largest = bytes > largest ? bytes : largest;
        if (i < n->op_count - 1 && n->ops[i].kind != OP_MAXPOOL)
            continue;
        const int fit = largest < STAGE_BYTES ? (int)(STAGE_BYTES / largest) : 1;
        const int rounds = (p->images + fit - 1) / fit;
        p->stages[p->stage_count++] = (struct stage){from, i + 1, (p->images + rounds - 1) / rounds};
        from = i + 1;
        largest = 1;
    }
}

enum status plan_init(struct plan *p, const struct network *n, int images, bool training, struct err *e)
{
    memset(p, 0, sizeof *p);
    p->images = images;
    p->training = training;
    plan_stages(p, n);
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

int plan_tile_images(const struct network *n, bool training, int most)
{
    enum { TILE_BYTES = 64 << 20, TILE_TARGET = 8 };
    const size_t one = plan_bytes_per_image(n, training);
    size_t fit = one ? TILE_BYTES / one : 1;
    fit = fit > TILE_TARGET ? TILE_TARGET : fit < 1 ? 1 : fit;
    const int tiles = (most + (int)fit - 1) / (int)fit;
    return (most + tiles - 1) / tiles;
}

struct view plan_view(const struct place *p, float *block, int first, int c0)
{
    const size_t image = (size_t)(first % p->images);
    float *data = block + p->offset + image * p->image + (size_t)p->border * (p->row + p->pixel) + c0;
    return (struct view){data, p->pixel, p->row, p->image};
}
