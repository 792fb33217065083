#include "onnx_reader.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The wire format */

struct bytes {
    const unsigned char *at, *end;
};

struct field {
    unsigned number;
    bool is_bytes;
    uint64_t value;
    struct bytes bytes;
};

static uint64_t take_varint(struct bytes *b)
{
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
        assert_true(b->at < b->end && shift < 64);
        value |= (uint64_t)(*b->at & 0x7f) << shift;
        if (!(*b->at++ & 0x80))
            return value;
    }
}

static bool next_field(struct bytes *b, struct field *out)
{
    if (b->at == b->end)
        return false;
    const uint64_t tag = take_varint(b);
    assert_true((tag & 7) == 0 || (tag & 7) == 2);
    *out = (struct field){.number = (unsigned)(tag >> 3), .is_bytes = (tag & 7) == 2};
    out->value = take_varint(b);
    if (out->is_bytes) {
        assert_true(out->value <= (uint64_t)(b->end - b->at));
        out->bytes = (struct bytes){b->at, b->at + out->value};
        b->at += out->value;
    }
    return true;
}

static void take_text(const struct field *f, char *out, size_t n)
{
    const size_t length = (size_t)(f->bytes.end - f->bytes.at);
    assert_true(f->is_bytes && length < n);
    snprintf(out, n, "%.*s", (int)length, f->bytes.at ? (const char *)f->bytes.at : "");
}

/* Messages; numbers as in onnx.proto */

static void read_attribute(struct bytes b, struct model_attribute *out)
{
    uint64_t type = 0;
    for (struct field f = {0}; next_field(&b, &f);)
        if (f.number == 1)
            take_text(&f, out->name, sizeof out->name);
        else if (f.number == 20)
            type = f.value;
        else if (f.number == 3 || f.number == 8) {
            assert_true(out->count < MODEL_INTS);
            out->values[out->count++] = (int64_t)f.value;
        } else
            fail_msg("unexpected field %u of an attribute", f.number);
    assert_true((type == 2 && out->count == 1) || type == 7);
}

static void read_node(struct bytes b, struct model_node *out)
{
    for (struct field f = {0}; next_field(&b, &f);) {
        char name[MODEL_TEXT];
        if (f.number == 1) {
            assert_true(out->input_count < 3);
            take_text(&f, out->inputs[out->input_count++], MODEL_TEXT);
        } else if (f.number == 2)
            take_text(&f, out->output, MODEL_TEXT);
        else if (f.number == 3)
            take_text(&f, name, sizeof name);
        else if (f.number == 4)
            take_text(&f, out->op, MODEL_TEXT);
        else if (f.number == 5) {
            assert_true(out->attribute_count < 4);
            read_attribute(f.bytes, &out->attributes[out->attribute_count++]);
        } else
            fail_msg("unexpected field %u of a node", f.number);
    }
}

static int64_t elements(const struct model_value *v)
{
    int64_t n = 1;
    for (int i = 0; i < v->dims; i++)
        n *= v->shape[i];
    return n;
}

static void read_constant(struct bytes b, struct model_value *out)
{
    struct bytes raw = {NULL, NULL};
    for (struct field f = {0}; next_field(&b, &f);)
        if (f.number == 1) {
            assert_true(out->dims < 4);
            out->shape[out->dims++] = (int64_t)f.value;
        } else if (f.number == 2)
            assert_int_equal(f.value, 1);
        else if (f.number == 8)
            take_text(&f, out->name, sizeof out->name);
        else if (f.number == 9)
            raw = f.bytes;
        else
            fail_msg("unexpected field %u of a tensor", f.number);
    assert_int_equal(raw.end - raw.at, elements(out) * (int64_t)sizeof(float));
    out->data = malloc((size_t)(raw.end - raw.at) + 1);
    assert_non_null(out->data);
    if (out->data && raw.at)
        memcpy(out->data, raw.at, (size_t)(raw.end - raw.at));
}

/* The one field of a message, which is a message. */
static struct bytes only_message(struct bytes b, unsigned number)
{
    struct field f = {0};
    assert_true(next_field(&b, &f) && f.is_bytes && f.number == number && b.at == b.end);
    return f.bytes;
}

static int read_value_info(struct bytes b, char *name, int64_t *shape)
{
    int dims = 0;
    struct field f = {0};
    assert_true(next_field(&b, &f) && f.number == 1);
    take_text(&f, name, MODEL_TEXT);
    b = only_message(only_message(b, 2), 1); /* type, tensor_type */
    assert_true(next_field(&b, &f) && f.number == 1 && f.value == 1);
    for (b = only_message(b, 2); next_field(&b, &f);) {
        struct field dim = {0};
        assert_true(f.number == 1 && dims < 4 && next_field(&f.bytes, &dim));
        shape[dims++] = dim.number == 1 ? (int64_t)dim.value : -1;
    }
    return dims;
}

static void read_graph(struct bytes b, struct model *m)
{
    for (struct field f = {0}; next_field(&b, &f);) {
        char name[MODEL_TEXT];
        switch (f.number) {
        case 1:
            assert_true(m->node_count < MODEL_NODES);
            read_node(f.bytes, &m->nodes[m->node_count++]);
            break;
        case 2:
            take_text(&f, name, sizeof name);
            break;
        case 5:
            assert_true(m->value_count < MODEL_VALUES);
            read_constant(f.bytes, &m->values[m->value_count++]);
            break;
        case 10:
            take_text(&f, m->note, sizeof m->note);
            break;
        case 11:
            m->input_dims = read_value_info(f.bytes, m->input, m->input_shape);
            break;
        case 12:
            m->output_dims = read_value_info(f.bytes, m->output, m->output_shape);
            break;
        default:
            fail_msg("unexpected field %u of the graph", f.number);
        }
    }
}

static void read_meta(struct bytes b, struct model *m)
{
    assert_true(m->meta_count < 4);
    for (struct field f = {0}; next_field(&b, &f);)
        take_text(&f, m->meta[m->meta_count][f.number - 1], sizeof m->meta[0][0]);
    m->meta_count++;
}

void model_read(const void *bytes, size_t n, struct model *m)
{
    struct bytes b = {bytes, (const unsigned char *)bytes + n};
    *m = (struct model){0};
    for (struct field f = {0}, version = {0}; next_field(&b, &f);)
        if (f.number == 1)
            m->ir_version = (int64_t)f.value;
        else if (f.number == 7)
            read_graph(f.bytes, m);
        else if (f.number == 8) {
            assert_true(next_field(&f.bytes, &version) && version.number == 2);
            m->opset = (int64_t)version.value;
        } else if (f.number == 14)
            read_meta(f.bytes, m);
        else
            assert_true(f.number == 2 || f.number == 3); /* producer */
}

void model_release(struct model *m)
{
    for (int i = 0; i < m->value_count; i++)
        free(m->values[i].data);
    *m = (struct model){0};
}

/* Running */

const struct model_value *model_find(const struct model *m, const char *name)
{
    for (int i = 0; i < m->value_count; i++)
        if (strcmp(m->values[i].name, name) == 0)
            return &m->values[i];
    return NULL;
}

const struct model_node *model_node_of(const struct model *m, const char *output)
{
    for (int i = 0; i < m->node_count; i++)
        if (strcmp(m->nodes[i].output, output) == 0)
            return &m->nodes[i];
    return NULL;
}

static int64_t attribute(const struct model_node *n, const char *name, int i)
{
    for (int k = 0; k < n->attribute_count; k++) {
        if (strcmp(n->attributes[k].name, name) == 0) {
            assert_true(i < n->attributes[k].count);
            return n->attributes[k].values[i];
        }
    }
    fail_msg("%s: no attribute %s", n->output, name);
    return 0;
}

static struct model_value *value_new(struct model *m, const char *name, int dims, const int64_t *shape,
                                     bool with_data)
{
    assert_null(model_find(m, name));
    assert_true(m->value_count < MODEL_VALUES);
    struct model_value *v = &m->values[m->value_count++];
    *v = (struct model_value){.dims = dims};
    snprintf(v->name, sizeof v->name, "%s", name);
    memcpy(v->shape, shape, (size_t)dims * sizeof *shape);
    if (with_data) {
        v->data = calloc((size_t)elements(v) + 1, sizeof *v->data);
        assert_non_null(v->data);
    }
    return v;
}

static bool has_op(const struct model_node *n, const char *op)
{
    return strcmp(n->op, op) == 0;
}

static void run_conv(const struct model_node *n, const struct model_value *x, const struct model_value *w,
                     const struct model_value *bias, const struct model_value *y)
{
    const int64_t k = w->shape[2], stride = attribute(n, "strides", 0), pad = attribute(n, "pads", 0);
    for (int64_t i = 0; i < elements(y); i++) {
        const int64_t column = i % y->shape[3], row = i / y->shape[3] % y->shape[2],
                      o = i / (y->shape[3] * y->shape[2]) % y->shape[1],
                      image = i / (y->shape[3] * y->shape[2] * y->shape[1]);
        double sum = (double)bias->data[o];
        for (int64_t t = 0; t < w->shape[1] * k * k; t++) {
            const int64_t c = t / (k * k), r = row * stride - pad + t / k % k,
                          q = column * stride - pad + t % k;
            if (r >= 0 && r < x->shape[2] && q >= 0 && q < x->shape[3])
                sum += (double)x->data[((image * x->shape[1] + c) * x->shape[2] + r) * x->shape[3] + q] *
                       (double)w->data[o * w->shape[1] * k * k + t];
        }
        y->data[i] = (float)sum;
    }
}

static void run_pool(const struct model_node *n, const struct model_value *x, const struct model_value *y)
{
    const int64_t k = attribute(n, "kernel_shape", 0), stride = attribute(n, "strides", 0);
    for (int64_t i = 0; i < elements(y); i++) {
        const int64_t column = i % y->shape[3], row = i / y->shape[3] % y->shape[2],
                      map = i / (y->shape[3] * y->shape[2]);
        float best = -INFINITY;
        for (int64_t r = row * stride; r < row * stride + k && r < x->shape[2]; r++)
            for (int64_t q = column * stride; q < column * stride + k && q < x->shape[3]; q++)
                best = fmaxf(best, x->data[(map * x->shape[2] + r) * x->shape[3] + q]);
        y->data[i] = best;
    }
}

static void run_concat(const struct model_value *a, const struct model_value *b, const struct model_value *y)
{
    const int64_t map = y->shape[2] * y->shape[3];
    for (int64_t i = 0; i < elements(y); i++) {
        const int64_t at = i % map, c = i / map % y->shape[1], image = i / map / y->shape[1];
        y->data[i] = c < a->shape[1] ? a->data[(image * a->shape[1] + c) * map + at]
                                     : b->data[(image * b->shape[1] + c - a->shape[1]) * map + at];
    }
}

static void run_average(const struct model_value *x, const struct model_value *y)
{
    const int64_t map = x->shape[2] * x->shape[3];
    for (int64_t i = 0; i < elements(y); i++) {
        double sum = 0;
        for (int64_t k = 0; k < map; k++)
            sum += (double)x->data[i * map + k];
        y->data[i] = (float)(sum / (double)map);
    }
}

/* Element by element; b of a channel each, or of x's shape, or NULL. */
static void run_elementwise(const struct model_node *n, const struct model_value *x,
                            const struct model_value *b, const struct model_value *y)
{
    const bool per_channel = b && b->shape[0] == 1 && b->shape[2] == 1 && b->shape[3] == 1;
    for (int64_t i = 0; i < elements(y); i++) {
        const int64_t at = per_channel ? i / (x->shape[2] * x->shape[3]) % x->shape[1] : i;
        const float right = b ? b->data[at] : 0, left = x->data[i];
        y->data[i] = has_op(n, "Sub")   ? left - right
                     : has_op(n, "Div") ? left / right
                     : has_op(n, "Add") ? left + right
                                        : fmaxf(left, 0);
    }
}

/* By the formulas of the operators' documentation. */
static void follow_shape(const struct model_node *n, const struct model_value *const in[3], int64_t *shape)
{
    const struct model_value *x = in[0], *b = in[1], *c = in[2];
    memcpy(shape, x->shape, 4 * sizeof *shape);
    if (has_op(n, "Conv") || has_op(n, "MaxPool")) {
        const bool conv = has_op(n, "Conv");
        for (int i = 0; i < 2; i++) {
            const int64_t k = attribute(n, "kernel_shape", i), stride = attribute(n, "strides", i);
            const int64_t pads = conv ? attribute(n, "pads", i) + attribute(n, "pads", i + 2) : 0;
            const double room = (double)(x->shape[2 + i] + pads - k) / (double)stride + 1;
            shape[2 + i] = (int64_t)(!conv && attribute(n, "ceil_mode", 0) ? ceil(room) : floor(room));
            assert_true(!conv || k == b->shape[2 + i]);
        }
        if (conv) {
            assert_int_equal(x->shape[1], b->shape[1]);
            assert_int_equal(b->shape[0], c->shape[0]);
            shape[1] = b->shape[0];
        }
    } else if (has_op(n, "Concat")) {
        assert_int_equal(attribute(n, "axis", 0), 1);
        assert_memory_equal(&x->shape[2], &b->shape[2], 2 * sizeof *shape);
        shape[1] += b->shape[1];
    } else if (has_op(n, "Add")) {
        assert_memory_equal(x->shape, b->shape, 4 * sizeof *shape);
    } else if (has_op(n, "GlobalAveragePool")) {
        shape[2] = shape[3] = 1;
    } else if (has_op(n, "Flatten")) {
        assert_int_equal(attribute(n, "axis", 0), 1);
        assert_int_equal(shape[2] * shape[3], 1);
    } else {
        assert_true(has_op(n, "Relu") || has_op(n, "Sub") || has_op(n, "Div"));
    }
}

static void run_node(struct model *m, const struct model_node *n, bool with_data)
{
    static const struct model_value none; /* stands in for inputs that a node does not have */
    const struct model_value *in[3] = {&none, &none, &none};
    int64_t shape[4];
    for (int i = 0; i < n->input_count; i++) {
        const struct model_value *found = model_find(m, n->inputs[i]);
        if (!found)
            fail_msg("%s reads %s, which does not exist yet", n->output, n->inputs[i]);
        in[i] = found ? found : &none;
    }
    follow_shape(n, in, shape);
    const struct model_value *y = value_new(m, n->output, has_op(n, "Flatten") ? 2 : 4, shape, with_data);
    if (!with_data)
        return;
    if (has_op(n, "Conv"))
        run_conv(n, in[0], in[1], in[2], y);
    else if (has_op(n, "MaxPool"))
        run_pool(n, in[0], y);
    else if (has_op(n, "Concat"))
        run_concat(in[0], in[1], y);
    else if (has_op(n, "GlobalAveragePool"))
        run_average(in[0], y);
    else if (has_op(n, "Flatten"))
        memcpy(y->data, in[0]->data, (size_t)elements(y) * sizeof *y->data);
    else
        run_elementwise(n, in[0], n->input_count > 1 ? in[1] : NULL, y);
}

const struct model_value *model_run(struct model *m, int count, const float *images)
{
    int64_t shape[4];
    assert_int_equal(m->input_dims, 4);
    memcpy(shape, m->input_shape, sizeof shape);
    assert_int_equal(shape[0], -1);
    shape[0] = count;
    const struct model_value *x = value_new(m, m->input, 4, shape, images);
    if (images)
        memcpy(x->data, images, (size_t)elements(x) * sizeof *images);
    for (int i = 0; i < m->node_count; i++)
        run_node(m, &m->nodes[i], images);
    return model_find(m, m->output);
}
