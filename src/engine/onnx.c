/* The graph, in the order of the layers. Numbers of fields are those of onnx.proto3 (ONNX 1.8: IR version 7,
 * opset 13). */
#include "engine/onnx.h"

#include <stdarg.h>
#include <stdio.h>

#include "engine/protobuf.h"

enum { IR_VERSION = 7, OPSET = 13, TYPE_FLOAT = 1, ATTRIBUTE_INT = 2, ATTRIBUTE_INTS = 7 };

enum {
    MODEL_IR_VERSION = 1,
    MODEL_PRODUCER = 2,
    MODEL_PRODUCER_VERSION = 3,
    MODEL_GRAPH = 7,
    MODEL_OPSET_IMPORT = 8,
    MODEL_METADATA = 14,
    OPSET_VERSION = 2,
    ENTRY_KEY = 1,
    ENTRY_VALUE = 2,
    GRAPH_NODE = 1,
    GRAPH_NAME = 2,
    GRAPH_INITIALIZER = 5,
    GRAPH_DOC = 10,
    GRAPH_INPUT = 11,
    GRAPH_OUTPUT = 12,
    NODE_INPUT = 1,
    NODE_OUTPUT = 2,
    NODE_NAME = 3,
    NODE_OP = 4,
    NODE_ATTRIBUTE = 5,
    ATTRIBUTE_NAME = 1,
    ATTRIBUTE_I = 3,
    ATTRIBUTE_LIST = 8,
    ATTRIBUTE_TYPE = 20,
    TENSOR_DIM = 1,
    TENSOR_TYPE = 2,
    TENSOR_NAME = 8,
    TENSOR_RAW = 9,
    VALUE_NAME = 1,
    VALUE_TYPE = 2,
    TYPE_TENSOR = 1,
    TYPE_ELEMENT = 1,
    TYPE_SHAPE = 2,
    SHAPE_DIM = 1,
    DIM_VALUE = 1,
    DIM_NAME = 2,
};

enum { NAME = 40 };

struct graph {
    const struct weights *w;
    struct strbuf *out;
    char value[ARCH_MAX_TENSORS][NAME]; /* name of each tensor */
};

/* Nodes */

struct node {
    struct strbuf *out;
    size_t at;
};

static struct node node_begin(struct strbuf *out, const char *op, const char *name)
{
    struct node n = {out, protobuf_begin(out, GRAPH_NODE)};
    protobuf_text(out, NODE_NAME, name);
    protobuf_text(out, NODE_OP, op);
    return n;
}

static void node_end(struct node n, const char *output)
{
    protobuf_text(n.out, NODE_OUTPUT, output);
    protobuf_end(n.out, n.at);
}

static void node_int(struct node n, const char *name, int value)
{
    const size_t at = protobuf_begin(n.out, NODE_ATTRIBUTE);
    protobuf_text(n.out, ATTRIBUTE_NAME, name);
    protobuf_number(n.out, ATTRIBUTE_TYPE, ATTRIBUTE_INT);
    protobuf_number(n.out, ATTRIBUTE_I, (uint64_t)value);
    protobuf_end(n.out, at);
}

/* The same value `count` times: one per side. */
static void node_ints(struct node n, const char *name, int value, int count)
{
    const size_t at = protobuf_begin(n.out, NODE_ATTRIBUTE);
    protobuf_text(n.out, ATTRIBUTE_NAME, name);
    protobuf_number(n.out, ATTRIBUTE_TYPE, ATTRIBUTE_INTS);
    for (int i = 0; i < count; i++)
        protobuf_number(n.out, ATTRIBUTE_LIST, (uint64_t)value);
    protobuf_end(n.out, at);
}

static void node_simple(struct strbuf *out, const char *op, const char *name, const char *a, const char *b,
                        const char *output)
{
    struct node n = node_begin(out, op, name);
    protobuf_text(out, NODE_INPUT, a);
    if (b)
        protobuf_text(out, NODE_INPUT, b);
    node_end(n, output);
}

static void __attribute__((format(printf, 2, 3))) name_format(char out[NAME], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(out, NAME, format, args);
    va_end(args);
}

/* Layers */

static void conv_write(struct graph *g, const struct layer *l)
{
    char weight[NAME], bias[NAME], linear[NAME];
    name_format(weight, "%s.weight", l->name);
    name_format(bias, "%s.bias", l->name);
    name_format(linear, "%s.linear", l->name);
    struct node n = node_begin(g->out, "Conv", l->relu ? linear : l->name);
    protobuf_text(g->out, NODE_INPUT, g->value[l->in]);
    protobuf_text(g->out, NODE_INPUT, weight);
    protobuf_text(g->out, NODE_INPUT, bias);
    node_ints(n, "kernel_shape", l->kernel, 2);
    node_ints(n, "strides", l->stride, 2);
    node_ints(n, "pads", l->pad, 4);
    node_end(n, l->relu ? linear : l->name);
    if (l->relu)
        node_simple(g->out, "Relu", l->name, linear, NULL, l->name);
}

/* The layers that write one tensor; they come in the order of their channels. */
static int writers(const struct arch *a, int tensor, const struct layer *out[2])
{
    int count = 0;
    for (int i = 0; i < a->layer_count && count < 2; i++)
        if (a->layers[i].out == tensor)
            out[count++] = &a->layers[i];
    return count;
}

/* Names the tensor that `l` has written, once all of it is. */
static void conv_finish(struct graph *g, const struct layer *l)
{
    const struct layer *parts[2] = {NULL, NULL};
    if (writers(&g->w->arch, l->out, parts) == 1) {
        name_format(g->value[l->out], "%s", l->name);
    } else if (l == parts[1]) {
        char *name = g->value[l->out];
        name_format(name, "%.*s.concat", (int)(sizeof "fireN" - 1), l->name);
        struct node n = node_begin(g->out, "Concat", name);
        protobuf_text(g->out, NODE_INPUT, parts[0]->name);
        protobuf_text(g->out, NODE_INPUT, parts[1]->name);
        node_int(n, "axis", 1);
        node_end(n, name);
    }
}

static void pool_write(struct graph *g, const struct layer *l)
{
    struct node n = node_begin(g->out, "MaxPool", l->name);
    protobuf_text(g->out, NODE_INPUT, g->value[l->in]);
    node_ints(n, "kernel_shape", l->kernel, 2);
    node_ints(n, "strides", l->stride, 2);
    node_int(n, "ceil_mode", !l->pool_floor); /* the last window is clipped, as ours */
    node_end(n, l->name);
}

static void layer_write(struct graph *g, const struct layer *l)
{
    if (l->kind == LAYER_CONV) {
        conv_write(g, l);
        conv_finish(g, l);
        return;
    }
    if (l->kind == LAYER_DROPOUT) {
        name_format(g->value[l->out], "%s", g->value[l->in]);
        return;
    }
    if (l->kind == LAYER_MAXPOOL)
        pool_write(g, l);
    else if (l->kind == LAYER_ADD)
        node_simple(g->out, "Add", l->name, g->value[l->in], g->value[l->in2], l->name);
    else
        node_simple(g->out, "GlobalAveragePool", l->name, g->value[l->in], NULL, l->name);
    name_format(g->value[l->out], "%s", l->name);
}

/* Tensors and values */

static void tensor_write(struct strbuf *out, const char *name, int dims, const int64_t *shape,
                         const float *data)
{
    const size_t at = protobuf_begin(out, GRAPH_INITIALIZER);
    size_t bytes = sizeof *data;
    for (int i = 0; i < dims; i++) {
        protobuf_number(out, TENSOR_DIM, (uint64_t)shape[i]);
        bytes *= (size_t)shape[i];
    }
    protobuf_number(out, TENSOR_TYPE, TYPE_FLOAT);
    protobuf_text(out, TENSOR_NAME, name);
    protobuf_bytes(out, TENSOR_RAW, data, bytes);
    protobuf_end(out, at);
}

/* An input or output of the graph: [batch, dims...]. */
static void value_write(struct strbuf *out, unsigned field, const char *name, const int *dims, int count)
{
    const size_t value = protobuf_begin(out, field);
    protobuf_text(out, VALUE_NAME, name);
    const size_t type = protobuf_begin(out, VALUE_TYPE), tensor = protobuf_begin(out, TYPE_TENSOR);
    protobuf_number(out, TYPE_ELEMENT, TYPE_FLOAT);
    const size_t shape = protobuf_begin(out, TYPE_SHAPE);
    for (int i = -1; i < count; i++) {
        const size_t dim = protobuf_begin(out, SHAPE_DIM);
        if (i < 0)
            protobuf_text(out, DIM_NAME, "batch");
        else
            protobuf_number(out, DIM_VALUE, (uint64_t)dims[i]);
        protobuf_end(out, dim);
    }
    protobuf_end(out, shape);
    protobuf_end(out, tensor);
    protobuf_end(out, type);
    protobuf_end(out, value);
}

/* The image, normalised if the options say how. */
static void image_write(struct graph *g, const struct onnx_options *o)
{
    name_format(g->value[0], "input");
    if (!o->mean)
        return;
    const int64_t shape[] = {1, g->w->arch.input.c, 1, 1};
    tensor_write(g->out, "input.mean", 4, shape, o->mean);
    tensor_write(g->out, "input.stddev", 4, shape, o->stddev);
    node_simple(g->out, "Sub", "input.centred", "input", "input.mean", "input.centred");
    node_simple(g->out, "Div", "input.normalised", "input.centred", "input.stddev", "input.normalised");
    name_format(g->value[0], "input.normalised");
}

static void graph_write(struct graph *g, const struct onnx_options *o)
{
    const struct arch *a = &g->w->arch;
    const size_t at = protobuf_begin(g->out, MODEL_GRAPH);
    protobuf_text(g->out, GRAPH_NAME, "firesweep");
    protobuf_text(g->out, GRAPH_DOC, o->note);
    value_write(g->out, GRAPH_INPUT, "input", (const int[]){a->input.c, a->input.h, a->input.w}, 3);
    value_write(g->out, GRAPH_OUTPUT, "logits", &a->classes, 1);
    image_write(g, o);
    for (int i = 0; i < a->layer_count; i++) {
        layer_write(g, &a->layers[i]);
        const struct st_tensor *tensors[] = {g->w->weight[i], g->w->bias[i]};
        for (int k = 0; k < 2 && tensors[k]; k++)
            tensor_write(g->out, tensors[k]->name, tensors[k]->dims, tensors[k]->shape, tensors[k]->data);
    }
    struct node n = node_begin(g->out, "Flatten", "logits");
    protobuf_text(g->out, NODE_INPUT, g->value[a->tensor_count - 1]);
    node_int(n, "axis", 1);
    node_end(n, "logits");
    protobuf_end(g->out, at);
}

enum status onnx_encode(const struct weights *w, const struct onnx_options *o, struct strbuf *out,
                        struct err *e)
{
    struct graph g = {.w = w, .out = out};
    protobuf_number(out, MODEL_IR_VERSION, IR_VERSION);
    protobuf_text(out, MODEL_PRODUCER, "firesweep");
    protobuf_text(out, MODEL_PRODUCER_VERSION, o->producer_version);
    const size_t opset = protobuf_begin(out, MODEL_OPSET_IMPORT);
    protobuf_number(out, OPSET_VERSION, OPSET);
    protobuf_end(out, opset);
    for (int i = 0; i < o->meta_count; i++) {
        const size_t at = protobuf_begin(out, MODEL_METADATA);
        protobuf_text(out, ENTRY_KEY, o->meta[i].key);
        protobuf_text(out, ENTRY_VALUE, o->meta[i].value);
        protobuf_end(out, at);
    }
    graph_write(&g, o);
    if (out->failed)
        return err_set(e, ST_NOMEM, "out of memory for the ONNX model");
    if (out->len > INT32_MAX)
        return err_set(e, ST_USAGE, "the model takes %zu bytes, ONNX files hold at most 2 GiB", out->len);
    return ST_OK;
}
