/* Realising a design: tensors and layers in order of execution. */
#include "metamodel/arch.h"

#include <stdio.h>
#include <string.h>

/* The network built so far. `at` is the tensor that the next layer reads. */
struct builder {
    const struct macro *macro;
    struct arch *arch;
    int at;
    struct err *e;
};

static enum status check_range(const char *key, int value, int low, int high, struct err *e)
{
    if (value >= low && value <= high)
        return ST_OK;
    return err_set(e, ST_USAGE, "%s: %d is out of range, allowed are whole numbers from %d to %d", key, value,
                   low, high);
}

static enum status macro_check(const struct macro *m, struct err *e)
{
    const struct {
        const char *key;
        int value, low, high;
    } ranges[] = {
        {"input channels", m->input.c, 1, CHANNELS_MAX},
        {"input height", m->input.h, 1, SIDE_MAX},
        {"input width", m->input.w, 1, SIDE_MAX},
        {"classes", m->classes, 1, CLASSES_MAX},
        {"conv1_filters", m->conv1_filters, 1, WIDTH_MAX},
        {"conv1_kernel", m->conv1_kernel, 1, KERNEL_MAX},
        {"conv1_stride", m->conv1_stride, 1, KERNEL_MAX},
        {"conv1_pad", m->conv1_pad, 0, m->conv1_kernel > 0 ? m->conv1_kernel - 1 : 0},
        {"conv10_pad", m->conv10_pad, 0, 1},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        enum status st = check_range(ranges[i].key, ranges[i].value, ranges[i].low, ranges[i].high, e);
        if (st != ST_OK)
            return st;
    }
    unsigned places = 0x3fe; /* bits 1..9 */
    if ((m->pools & ~places) != 0) {
        return err_set(e, ST_USAGE,
                       "pools: 0x%x holds an unknown place, allowed are conv1 and fire2 to fire9", m->pools);
    }
    if ((unsigned)m->bypass > BYPASS_COMPLEX) {
        return err_set(e, ST_USAGE, "bypass: %d is unknown, allowed are none, simple, complex",
                       (int)m->bypass);
    }
    return ST_OK;
}

static int tensor_add(struct builder *b, int c, int h, int w)
{
    b->arch->tensors[b->arch->tensor_count] = (struct shape){c, h, w};
    return b->arch->tensor_count++;
}

/* A number of a byte's type: the compiler then sees that the name fits. */
static void fire_layer_name(unsigned char number, const char *part, char out[24])
{
    snprintf(out, 24, "fire%u.%s", number, part);
}

/* A layer that reads the current tensor; the caller sets the rest. */
static struct layer *layer_add(struct builder *b, enum layer_kind kind, const char *name)
{
    struct layer *l = &b->arch->layers[b->arch->layer_count++];
    *l = (struct layer){.kind = kind, .in = b->at, .in2 = -1};
    snprintf(l->name, sizeof l->name, "%s", name);
    return l;
}

/* Windows along one side; 0 if not even one fits. */
static int window_count(int side, int kernel, int stride, int pad, bool round_up)
{
    int room = side + 2 * pad - kernel;
    if (round_up) {
        /* Only a pool, 3x3/2 without pad: its last window starts before side - kernel + stride < side,
         * so Caffe's rule that drops a window which starts outside has nothing to drop. A side of 2
         * gives one clipped window, a side of 1 none. */
        room += stride - 1;
    }
    return room < 0 ? 0 : room / stride + 1;
}

static enum status shrunk(const struct builder *b, const char *name, const struct shape *in,
                          const char *instead)
{
    return err_set(b->e, ST_USAGE,
                   "%s: the map shrinks to nothing, its input is %d x %d; use a larger input image%s", name,
                   in->h, in->w, instead);
}

/* A convolution of the current tensor into `out` (from channel out_c0), or, with out < 0, a new tensor. */
static enum status conv_add(struct builder *b, const char *name, int out, int out_c0, struct layer conv)
{
    struct shape in = b->arch->tensors[b->at];
    int h = window_count(in.h, conv.kernel, conv.stride, conv.pad, false);
    int w = window_count(in.w, conv.kernel, conv.stride, conv.pad, false);
    if (h == 0 || w == 0)
        return shrunk(b, name, &in, ", a smaller conv1_kernel or a larger conv1_pad");
    struct layer *l = layer_add(b, LAYER_CONV, name);
    l->out = out >= 0 ? out : tensor_add(b, conv.cout, h, w);
    l->out_c0 = out_c0;
    l->cin = in.c;
    l->cout = conv.cout;
    l->kernel = conv.kernel;
    l->stride = conv.stride;
    l->pad = conv.pad;
    l->relu = conv.relu;
    return ST_OK;
}

/* The pool after conv1 (place 1) or a Fire (its number), if there is one. */
static enum status pool_add(struct builder *b, int place)
{
    if ((b->macro->pools & 1u << place) == 0)
        return ST_OK;
    char name[24];
    snprintf(name, sizeof name, "pool%d", place);
    struct shape in = b->arch->tensors[b->at];
    bool round_up = !b->macro->pool_floor;
    int h = window_count(in.h, 3, 2, 0, round_up);
    int w = window_count(in.w, 3, 2, 0, round_up);
    if (h == 0 || w == 0)
        return shrunk(b, name, &in, ", a smaller conv1_stride or fewer pools");
    struct layer *l = layer_add(b, LAYER_MAXPOOL, name);
    l->kernel = 3;
    l->stride = 2;
    l->pool_floor = b->macro->pool_floor;
    l->out = tensor_add(b, in.c, h, w);
    b->at = l->out;
    return ST_OK;
}

/* The sum around a Fire that reads tensor `in` and has written tensor `out`. */
static enum status bypass_add(struct builder *b, int number, int in, int out)
{
    struct shape from = b->arch->tensors[in], to = b->arch->tensors[out];
    b->at = out;
    if (b->macro->bypass == BYPASS_NONE || (from.c != to.c && b->macro->bypass == BYPASS_SIMPLE))
        return ST_OK;
    int addend = in;
    char name[24];
    if (from.c != to.c) {
        addend = tensor_add(b, to.c, to.h, to.w);
        fire_layer_name((unsigned char)number, "bypass1x1", name);
        b->at = in;
        enum status st = conv_add(b, name, addend, 0, (struct layer){.cout = to.c, .kernel = 1, .stride = 1});
        if (st != ST_OK)
            return st;
    }
    b->at = out;
    fire_layer_name((unsigned char)number, "add", name);
    struct layer *l = layer_add(b, LAYER_ADD, name);
    l->in2 = addend;
    l->out = tensor_add(b, to.c, to.h, to.w);
    b->at = l->out;
    return ST_OK;
}

static enum status fire_add(struct builder *b, int number, const struct fire *fire)
{
    int in = b->at;
    char name[24];
    fire_layer_name((unsigned char)number, "squeeze1x1", name);
    enum status st =
        conv_add(b, name, -1, 0, (struct layer){.cout = fire->s1x1, .kernel = 1, .stride = 1, .relu = true});
    if (st != ST_OK)
        return st;
    b->at = b->arch->tensor_count - 1;
    struct shape map = b->arch->tensors[b->at];
    int out = tensor_add(b, fire->e1x1 + fire->e3x3, map.h, map.w);
    if (fire->e1x1 > 0) {
        fire_layer_name((unsigned char)number, "expand1x1", name);
        st = conv_add(b, name, out, 0,
                      (struct layer){.cout = fire->e1x1, .kernel = 1, .stride = 1, .relu = true});
    }
    if (st == ST_OK && fire->e3x3 > 0) {
        fire_layer_name((unsigned char)number, "expand3x3", name);
        st = conv_add(b, name, out, fire->e1x1,
                      (struct layer){.cout = fire->e3x3, .kernel = 3, .stride = 1, .pad = 1, .relu = true});
    }
    if (st == ST_OK)
        st = bypass_add(b, number, in, out);
    return st;
}

static enum status head_add(struct builder *b)
{
    struct arch *a = b->arch;
    struct shape map = a->tensors[b->at];
    struct layer *dropout = layer_add(b, LAYER_DROPOUT, "dropout");
    dropout->out = tensor_add(b, map.c, map.h, map.w);
    b->at = dropout->out;
    struct layer conv10 = {.cout = a->classes,
                           .kernel = 1,
                           .stride = 1,
                           .pad = b->macro->conv10_pad,
                           .relu = b->macro->conv10_relu};
    enum status st = conv_add(b, "conv10", -1, 0, conv10);
    if (st != ST_OK)
        return st;
    b->at = a->tensor_count - 1;
    struct layer *average = layer_add(b, LAYER_AVGPOOL, "avgpool");
    average->out = tensor_add(b, a->classes, 1, 1);
    return ST_OK;
}

static enum status network_add(struct builder *b)
{
    const struct macro *m = b->macro;
    struct layer conv1 = {.cout = m->conv1_filters,
                          .kernel = m->conv1_kernel,
                          .stride = m->conv1_stride,
                          .pad = m->conv1_pad,
                          .relu = true};
    b->at = tensor_add(b, m->input.c, m->input.h, m->input.w);
    enum status st = conv_add(b, "conv1", -1, 0, conv1);
    b->at = b->arch->tensor_count - 1;
    if (st == ST_OK)
        st = pool_add(b, 1);
    for (int i = 0; st == ST_OK && i < FIRE_COUNT; i++) {
        st = fire_add(b, i + 2, &b->arch->fires[i]);
        if (st == ST_OK)
            st = pool_add(b, i + 2);
    }
    return st == ST_OK ? head_add(b) : st;
}

enum status arch_build(const struct design *d, struct arch *out, struct err *e)
{
    struct derived derived;
    enum status st = macro_check(&d->macro, e);
    if (st == ST_OK)
        st = design_derive(d, &derived, e);
    if (st != ST_OK)
        return st;
    struct arch arch = {.input = d->macro.input, .classes = d->macro.classes};
    memcpy(arch.fires, derived.fires, sizeof arch.fires);
    struct builder builder = {.macro = &d->macro, .arch = &arch, .e = e};
    st = network_add(&builder);
    if (st == ST_OK)
        *out = arch;
    return st;
}
