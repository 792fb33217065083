#include "engine/network.h"

#include "engine/columns.h"

#include <string.h>

static enum op_kind op_kind_of(enum layer_kind k)
{
    switch (k) {
    case LAYER_CONV:
        return OP_CONV;
    case LAYER_MAXPOOL:
        return OP_MAXPOOL;
    case LAYER_ADD:
        return OP_ADD;
    case LAYER_DROPOUT:
        return OP_DROPOUT;
    default:
        return OP_AVGPOOL;
    }
}

static enum status check_layer(const struct layer *l, int index, struct err *e)
{
    if (l->kind == LAYER_MAXPOOL && (l->kernel != 3 || l->stride != 2 || l->pad != 0))
        return err_set(e, ST_USAGE, "%s: %dx%d/%d with padding %d, the engine pools 3x3/2 without padding",
                       l->name, l->kernel, l->kernel, l->stride, l->pad);
    if (l->kind != LAYER_CONV)
        return ST_OK;
    if (l->kernel < 1 || l->kernel > NETWORK_MAX_KERNEL)
        return err_set(e, ST_USAGE, "%s: kernel %d, the engine runs 1 to %d", l->name, l->kernel,
                       NETWORK_MAX_KERNEL);
    if (index > 0 && l->stride != 1)
        return err_set(e, ST_USAGE, "%s: stride %d, the engine runs strides other than 1 in conv1 only",
                       l->name, l->stride);
    return ST_OK;
}

/* How a 3x3 convolution runs is a rule of operation counts, never of timings, so that every machine chooses
 * alike: multiply-adds of channels in vectors of 16, and what the other work is worth in them. */

static double direct_cost(const struct branch *b, const struct shape *map)
{
    return 9.0 * b->cin * panel_channels(b->cout) * map->h * map->w;
}

/* Per pixel 9 * cout columns, each added up outside of the kernels. */
static double columns_cost(const struct branch *b, const struct shape *map)
{
    enum { ADD_COST = 32 };
    const int columns = 9 * b->cout;
    return ((double)b->cin * panel_channels(columns) + ADD_COST * columns) * map->h * map->w;
}

/* A tile of 4x4 outputs, which may hang over the map's edge, costs 36 products per pair of channels, and the
 * transforms with what moving the planes costs. */
static double winograd_cost(const struct branch *b, const struct shape *map, int outputs)
{
    enum { TRANSFORM_COST = 300 };
    const int down = (map->h + WINOGRAD_OUT - 1) / WINOGRAD_OUT,
              across = (map->w + WINOGRAD_OUT - 1) / WINOGRAD_OUT;
    const double transforms = TRANSFORM_COST * (double)(panel_channels(b->cin) + panel_channels(b->cout));
    return (double)down * across * (WINOGRAD_PLANES * (double)b->cin * outputs + transforms);
}

static void choose_method(struct branch *b, const struct shape *map, int stride, bool winograd)
{
    if (b->kernel != 3 || b->pad != 1 || stride != 1)
        return;
    /* Short products of narrow layers run far below the kernels' speed: real channels count here. */
    b->winograd = winograd && winograd_cost(b, map, b->cout) < 9.0 * b->cin * b->cout * map->h * map->w;
    const double best = b->winograd ? winograd_cost(b, map, panel_channels(b->cout)) : direct_cost(b, map);
    b->columns = b->cout <= COLUMNS_COUT_MAX && columns_cost(b, map) < best;
    b->winograd = b->winograd && !b->columns;
}

static void add_branch(struct network *n, struct op *op, const struct layer *l, int index, bool winograd)
{
    struct branch *b = &op->branch[op->branch_count++];
    *b = (struct branch){.layer = index,
                         .cin = l->cin,
                         .cout = l->cout,
                         .c0 = l->out_c0,
                         .kernel = l->kernel,
                         .pad = l->pad,
                         .relu = l->relu,
                         .k_count = l->kernel * l->kernel * l->cin};
    b->weights = n->weight_floats;
    n->weight_floats += (size_t)panel_channels(b->cout) * (size_t)b->k_count;
    const struct shape *map = &n->arch.tensors[l->out];
    choose_method(b, map, l->stride, winograd);
    if (!b->winograd)
        op->transposed_k += b->kernel * b->kernel * b->cout;
}

/* The op a convolution joins as a second branch, or NULL. */
static struct op *sibling(struct network *n, const struct layer *l, int in, int out)
{
    if (l->kind != LAYER_CONV || n->op_count == 0)
        return NULL;
    struct op *last = &n->ops[n->op_count - 1];
    bool same = last->kind == OP_CONV && last->in == in && last->out == out && last->stride == l->stride;
    return same && last->branch_count < BRANCH_MAX ? last : NULL;
}

static void compile_ops(struct network *n, struct network_options options)
{
    int alias[ARCH_MAX_TENSORS];
    for (int t = 0; t < n->tensor_count; t++)
        alias[t] = t;
    for (int i = 0; i < n->arch.layer_count; i++) {
        const struct layer *l = &n->arch.layers[i];
        const int in = alias[l->in], in2 = l->kind == LAYER_ADD ? alias[l->in2] : -1;
        if (l->kind == LAYER_DROPOUT && !options.dropout) {
            alias[l->out] = in;
            continue;
        }
        struct op *op = sibling(n, l, in, l->out);
        if (!op) {
            op = &n->ops[n->op_count++];
            *op = (struct op){.kind = op_kind_of(l->kind),
                              .in = in,
                              .in2 = in2,
                              .out = l->out,
                              .stride = l->stride,
                              .wants_dx = in != 0 && !options.forward_only};
        }
        if (l->kind == LAYER_CONV)
            add_branch(n, op, l, i, options.winograd);
    }
}

static size_t take(size_t *end, size_t floats)
{
    const size_t at = *end;
    *end += floats;
    return at;
}

static void place_biases(struct network *n)
{
    n->param_floats = n->weight_floats;
    for (int i = 0; i < n->op_count; i++)
        for (int b = 0; b < n->ops[i].branch_count; b++)
            n->ops[i].branch[b].biases =
                take(&n->param_floats, (size_t)panel_channels(n->ops[i].branch[b].cout));
}

static size_t forward_plane(const struct branch *b)
{
    return (size_t)panel_channels(b->cout) * (size_t)b->cin;
}

static size_t backward_plane(const struct branch *b)
{
    return (size_t)panel_channels(b->cin) * (size_t)b->cout;
}

static void place_derived(struct network *n)
{
    for (int i = 0; i < n->op_count; i++) {
        struct op *op = &n->ops[i];
        if (op->kind != OP_CONV)
            continue;
        if (op->wants_dx)
            op->transposed = take(&n->derived_floats,
                                  (size_t)panel_channels(op->branch[0].cin) * (size_t)op->transposed_k);
        for (int k = 0; k < op->branch_count; k++) {
            struct branch *b = &op->branch[k];
            if (b->columns)
                b->column_weights =
                    take(&n->derived_floats, (size_t)panel_channels(9 * b->cout) * (size_t)b->cin);
            if (b->winograd)
                b->forward_planes = take(&n->derived_floats, WINOGRAD_PLANES * forward_plane(b));
            if (b->winograd && op->wants_dx)
                b->backward_planes = take(&n->derived_floats, WINOGRAD_PLANES * backward_plane(b));
        }
    }
}

static void note_reader(struct network *n, int tensor, int op)
{
    struct net_tensor *t = &n->tensors[tensor];
    if (t->first_reader < 0)
        t->first_reader = op;
    t->last_reader = op;
}

static int max_int(int a, int b)
{
    return a > b ? a : b;
}

static void describe_tensors(struct network *n)
{
    for (int t = 0; t < n->tensor_count; t++)
        n->tensors[t] = (struct net_tensor){
            .shape = n->arch.tensors[t], .writer = -1, .first_reader = -1, .last_reader = -1};
    for (int i = 0; i < n->op_count; i++) {
        const struct op *op = &n->ops[i];
        struct net_tensor *in = &n->tensors[op->in], *out = &n->tensors[op->out];
        note_reader(n, op->in, i);
        if (op->in2 >= 0)
            note_reader(n, op->in2, i);
        out->writer = i;
        for (int b = 0; b < op->branch_count; b++) {
            const struct branch *br = &op->branch[b];
            in->border = max_int(in->border, br->pad);
            if (op->wants_dx)
                out->grad_border = max_int(out->grad_border, br->kernel - 1 - br->pad);
            out->relu = br->relu;
        }
    }
    for (int i = 0; i < n->op_count; i++) {
        struct op *op = &n->ops[i];
        const int inputs[2] = {op->in, op->in2};
        for (int k = 0; k < 2 && inputs[k] >= 0; k++) {
            op->first[k] = n->tensors[inputs[k]].last_reader == i;
            op->last[k] = n->tensors[inputs[k]].first_reader == i;
        }
    }
}

enum status network_init(struct network *n, const struct arch *a, struct network_options options,
                         struct err *e)
{
    memset(n, 0, sizeof *n);
    n->arch = *a;
    n->tensor_count = a->tensor_count;
    n->logits = a->tensor_count - 1;
    for (int i = 0; i < a->layer_count; i++) {
        enum status s = check_layer(&a->layers[i], i, e);
        if (s != ST_OK)
            return s;
    }
    compile_ops(n, options);
    place_biases(n);
    place_derived(n);
    describe_tensors(n);
    return ST_OK;
}

/* Position of weight (o, k) in a panel layout of `channels` outputs and k_count rows. */
static size_t panel_index(int o, int k, int k_count, int channels)
{
    return panel_start(o, k_count) + (size_t)k * (size_t)panel_width(o, channels) + (size_t)(o % PANEL);
}

void network_pack(const struct branch *b, const float *oihw, float *panels)
{
    memset(panels, 0, sizeof(float) * (size_t)panel_channels(b->cout) * (size_t)b->k_count);
    const int area = b->kernel * b->kernel;
    for (int o = 0; o < b->cout; o++)
        for (int i = 0; i < b->cin; i++)
            for (int tap = 0; tap < area; tap++)
                panels[panel_index(o, tap * b->cin + i, b->k_count, b->cout)] = *oihw++;
}

void network_unpack(const struct branch *b, const float *panels, float *oihw)
{
    const int area = b->kernel * b->kernel;
    for (int o = 0; o < b->cout; o++)
        for (int i = 0; i < b->cin; i++)
            for (int tap = 0; tap < area; tap++)
                *oihw++ = panels[panel_index(o, tap * b->cin + i, b->k_count, b->cout)];
}

/* block[o][i] of one tap turned to out[i][o]: `count` output channels from o0 on, one panel of input channels
 * from i0 on. */
static void transpose_block(const struct branch *b, int tap, int o0, int count, int i0, const float *weights,
                            float *out, size_t out_row)
{
    const size_t width = (size_t)panel_width(o0, b->cout);
    const float *from = weights + panel_start(o0, b->k_count) + (size_t)(tap * b->cin + i0) * width;
    const int inputs = b->cin - i0 < PANEL ? b->cin - i0 : PANEL;
    for (int i = 0; i < inputs; i++)
        for (int o = 0; o < count; o++)
            out[(size_t)o * out_row + (size_t)i] = from[(size_t)i * width + (size_t)o];
}

/* Direct branch: rows (tap, o) of the op's transposed panels. */
static void derive_transposed(const struct op *op, const struct branch *b, int o0, int count,
                              const float *weights, float *out)
{
    int row = o0;
    for (const struct branch *before = op->branch; before < b; before++)
        row += before->winograd ? 0 : before->kernel * before->kernel * before->cout;
    for (int tap = 0; tap < b->kernel * b->kernel; tap++, row += b->cout)
        for (int i0 = 0; i0 < b->cin; i0 += PANEL) {
            const size_t width = (size_t)panel_width(i0, b->cin);
            transpose_block(b, tap, o0, count, i0, weights,
                            out + panel_start(i0, op->transposed_k) + (size_t)row * width, width);
        }
}

static void derive_forward_planes(const struct branch *b, int o0, const struct kernels *k,
                                  const float *weights, float *planes)
{
    const int width = panel_width(o0, b->cout);
    const float *taps = weights + panel_start(o0, b->k_count);
    float *to = planes + panel_start(o0, b->cin);
    for (int i = 0; i < b->cin; i++)
        k->winograd_weights(taps + i * width, (size_t)(b->cin * width), false, width, to + i * width,
                            forward_plane(b));
}

static void derive_backward_planes(const struct branch *b, int o0, int count, const struct kernels *k,
                                   const float *weights, float *planes)
{
    for (int i0 = 0; i0 < b->cin; i0 += PANEL) {
        float taps[9 * PANEL * PANEL] = {0}; /* [tap][o][i] */
        const int width = panel_width(i0, b->cin);
        for (int tap = 0; tap < 9; tap++)
            transpose_block(b, tap, o0, count, i0, weights, taps + tap * PANEL * PANEL, PANEL);
        float *to = planes + panel_start(i0, b->cout) + o0 * width;
        for (int o = 0; o < count; o++)
            k->winograd_weights(taps + o * PANEL, PANEL * PANEL, true, width, to + o * width,
                                backward_plane(b));
    }
}

void network_derive(const struct op *op, const struct branch *b, int o0, const struct kernels *k,
                    const float *params, float *derived)
{
    const int count = b->cout - o0 < PANEL ? b->cout - o0 : PANEL;
    const float *weights = params + b->weights;
    if (b->columns)
        columns_derive(b, weights, derived + b->column_weights);
    if (b->winograd)
        derive_forward_planes(b, o0, k, weights, derived + b->forward_planes);
    if (b->winograd && op->wants_dx)
        derive_backward_planes(b, o0, count, k, weights, derived + b->backward_planes);
    if (!b->winograd && op->wants_dx)
        derive_transposed(op, b, o0, count, weights, derived + op->transposed);
}

void network_derive_all(const struct network *n, const struct kernels *k, const float *params, float *derived)
{
    for (int i = 0; i < n->op_count; i++)
        for (int b = 0; b < n->ops[i].branch_count; b++) {
            const struct branch *branch = &n->ops[i].branch[b];
#pragma omp for schedule(static) nowait
            for (int o0 = 0; o0 < branch->cout; o0 += PANEL)
                network_derive(&n->ops[i], branch, o0, k, params, derived);
        }
}
