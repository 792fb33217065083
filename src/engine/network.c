#include "engine/network.h"

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

static void add_branch(struct network *n, struct op *op, const struct layer *l, int index)
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

static void compile_ops(struct network *n, bool dropout)
{
    int alias[ARCH_MAX_TENSORS];
    for (int t = 0; t < n->tensor_count; t++)
        alias[t] = t;
    for (int i = 0; i < n->arch.layer_count; i++) {
        const struct layer *l = &n->arch.layers[i];
        const int in = alias[l->in], in2 = l->kind == LAYER_ADD ? alias[l->in2] : -1;
        if (l->kind == LAYER_DROPOUT && !dropout) {
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
                              .kernel = l->kernel,
                              .stride = l->stride,
                              .pad = l->pad,
                              .wants_dx = in != 0};
        }
        if (l->kind == LAYER_CONV)
            add_branch(n, op, l, i);
    }
}

static void place_biases_and_transposes(struct network *n)
{
    n->param_floats = n->weight_floats;
    for (int i = 0; i < n->op_count; i++) {
        struct op *op = &n->ops[i];
        for (int b = 0; b < op->branch_count; b++) {
            op->branch[b].biases = n->param_floats;
            n->param_floats += (size_t)panel_channels(op->branch[b].cout);
        }
        if (op->kind == OP_CONV && op->wants_dx) {
            op->transposed = n->transposed_floats;
            n->transposed_floats += (size_t)panel_channels(op->branch[0].cin) * (size_t)op->transposed_k;
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

enum status network_init(struct network *n, const struct arch *a, bool dropout, struct err *e)
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
    compile_ops(n, dropout);
    place_biases_and_transposes(n);
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

/* Rows of one tap: transposed[i][row0 + o] = weights[o][tap * cin + i]. */
static void transpose_tap(const struct branch *b, int tap, const float *weights, int row0, int k_total,
                          float *out)
{
    for (int o0 = 0; o0 < b->cout; o0 += PANEL) {
        const int width = panel_width(o0, b->cout);
        const int count = b->cout - o0 < PANEL ? b->cout - o0 : PANEL;
        const float *from = weights + panel_start(o0, b->k_count) + (size_t)(tap * b->cin) * (size_t)width;
        for (int i = 0; i < b->cin; i++) {
            const size_t to_width = (size_t)panel_width(i, b->cin);
            float *to = out + panel_start(i, k_total) + (size_t)(row0 + o0) * to_width + (size_t)(i % PANEL);
            const float *row = from + (size_t)i * (size_t)width;
            for (int o = 0; o < count; o++)
                to[(size_t)o * to_width] = row[o];
        }
    }
}

void network_transpose(const struct op *op, const float *params, float *transposed)
{
    int row = 0;
    for (int b = 0; b < op->branch_count; b++) {
        const struct branch *br = &op->branch[b];
        for (int tap = 0; tap < br->kernel * br->kernel; tap++) {
            transpose_tap(br, tap, params + br->weights, row, op->transposed_k, transposed + op->transposed);
            row += br->cout;
        }
    }
}
