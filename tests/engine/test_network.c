/* Whole networks: logits against a naive double-precision implementation, gradients against the directional
 * derivative of that implementation's loss, for every kind of layer and every instruction set. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "engine/loss.h"
#include "engine/pass.h"
#include "reference.h"

enum { IMAGES = 3, SEED = 5, EPOCH = 2 };
static const double smoothing = 0.1;

struct net_case {
    const char *label, *pools;
    struct shape input;
    int conv1_filters, conv1_kernel, conv1_stride, conv1_pad;
    bool pool_floor, conv10_relu;
    enum bypass bypass;
    int conv10_pad;
    double dropout;
    struct fire fires[FIRE_COUNT];
    int winograd_layers; /* how many must choose it; 0: switched off */
};

#define FIRES_PLAIN                                                                      \
    {                                                                                    \
        {2, 3, 5}, {3, 4, 4}, {4, 9, 7}, {1, 8, 8}, {5, 20, 4}, {2, 1, 23}, {3, 16, 17}, \
        {                                                                                \
            4, 15, 18                                                                    \
        }                                                                                \
    }
#define FIRES_EQUAL                                                                      \
    {                                                                                    \
        {2, 4, 4}, {3, 3, 5}, {4, 9, 7}, {2, 8, 8}, {5, 20, 4}, {2, 1, 23}, {3, 16, 17}, \
        {                                                                                \
            4, 15, 18                                                                    \
        }                                                                                \
    }

#define FIRES_WIDE                                                                                      \
    {                                                                                                   \
        {16, 15, 33}, {20, 0, 48}, {31, 17, 40}, {16, 8, 49}, {24, 16, 48}, {33, 16, 48}, {16, 16, 64}, \
        {                                                                                               \
            17, 31, 65                                                                                  \
        }                                                                                               \
    }

/* A few 3x3 filters on many channels: columns.h */
#define FIRES_NARROW                                                                          \
    {                                                                                         \
        {33, 7, 1}, {20, 3, 2}, {17, 9, 3}, {40, 0, 4}, {19, 40, 5}, {64, 1, 6}, {50, 16, 7}, \
        {                                                                                     \
            64, 15, 1                                                                         \
        }                                                                                     \
    }

static const struct net_case cases[] = {
    {"narrow", "conv1,fire4", {3, 11, 9}, 21, 3, 1, 1, false, false, BYPASS_NONE, 0, 0, FIRES_NARROW, 0},
    {"rounds", "conv1,fire3", {3, 68, 61}, 70, 3, 1, 1, false, false, BYPASS_NONE, 0, 0, FIRES_NARROW, 0},
    {"plain", "conv1,fire4,fire8", {3, 12, 12}, 9, 3, 1, 1, false, false, BYPASS_NONE, 0, 0, FIRES_PLAIN, 0},
    {"odd map, floor",
     "conv1,fire4",
     {1, 15, 13},
     17,
     3,
     1,
     1,
     true,
     false,
     BYPASS_NONE,
     0,
     0,
     FIRES_PLAIN,
     0},
    {"strided stem", "conv1,fire3", {3, 25, 23}, 33, 7, 2, 0, false, true, BYPASS_NONE, 1, 0, FIRES_PLAIN, 0},
    {"stem 5x5/3", "fire2", {2, 31, 28}, 5, 5, 3, 2, false, false, BYPASS_NONE, 1, 0, FIRES_PLAIN, 0},
    {"simple bypass", "fire4", {3, 9, 10}, 8, 3, 1, 1, false, false, BYPASS_SIMPLE, 0, 0, FIRES_EQUAL, 0},
    {"complex bypass",
     "conv1,fire6",
     {3, 9, 10},
     11,
     3,
     1,
     1,
     false,
     true,
     BYPASS_COMPLEX,
     0,
     0,
     FIRES_EQUAL,
     0},
    {"dropout", "conv1,fire9", {3, 8, 8}, 9, 3, 1, 1, false, false, BYPASS_NONE, 0, 0.3, FIRES_PLAIN, 0},
    {"dropout after bypass",
     "conv1",
     {3, 8, 8},
     9,
     3,
     1,
     1,
     false,
     false,
     BYPASS_COMPLEX,
     0,
     0.5,
     FIRES_EQUAL,
     0},
    {"one kind of filter",
     "none",
     {3, 8, 8},
     9,
     3,
     1,
     1,
     false,
     false,
     BYPASS_NONE,
     0,
     0,
     {{2, 0, 5}, {3, 4, 0}, {4, 0, 16}, {1, 8, 8}, {5, 24, 0}, {2, 1, 23}, {3, 0, 33}, {4, 33, 0}},
     0},
    {"winograd", "conv1,fire4", {3, 24, 24}, 16, 3, 1, 1, false, false, BYPASS_NONE, 0, 0, FIRES_WIDE, 8},
    {"winograd, odd maps",
     "conv1,fire4",
     {3, 27, 21},
     16,
     3,
     1,
     1,
     false,
     false,
     BYPASS_NONE,
     0,
     0.2,
     FIRES_WIDE,
     8},
    {"winograd, bypass",
     "fire4",
     {3, 13, 14},
     16,
     3,
     1,
     1,
     false,
     false,
     BYPASS_COMPLEX,
     0,
     0,
     FIRES_WIDE,
     8},
};

/* A network with random weights, held both by the engine and by the reference. */
struct fixture {
    const struct net_case *c;
    struct arch arch;
    struct network net;
    struct plan plan;
    struct reference_weights reference, direction;
    float *params, *derived, *gradients, *block;
    double *image[IMAGES];
    double *keep[IMAGES]; /* dropout factors, channels first; NULL without dropout */
    int label[IMAGES];
    uint32_t sample[IMAGES];
    struct pass pass;
};

static void build_arch(struct fixture *f)
{
    struct design d = {.explicit_fires = true};
    struct err e = ERR_INIT;
    const struct net_case *c = f->c;
    d.macro = (struct macro){.input = c->input,
                             .classes = 7,
                             .conv1_filters = c->conv1_filters,
                             .conv1_kernel = c->conv1_kernel,
                             .conv1_stride = c->conv1_stride,
                             .conv1_pad = c->conv1_pad,
                             .pool_floor = c->pool_floor,
                             .bypass = c->bypass,
                             .conv10_relu = c->conv10_relu,
                             .conv10_pad = c->conv10_pad};
    assert_true(pools_parse(c->pools, &d.macro.pools));
    memcpy(d.fires, c->fires, sizeof d.fires);
    if (arch_build(&d, &f->arch, &e) != ST_OK)
        fail_msg("%s: %s", c->label, e.text);
    const struct network_options options = {.dropout = c->dropout > 0, .winograd = c->winograd_layers > 0};
    assert_int_equal(network_init(&f->net, &f->arch, options, &e), ST_OK);
    int layers = 0, narrow = 0;
    for (int i = 0; i < f->net.op_count; i++)
        for (int b = 0; b < f->net.ops[i].branch_count; b++) {
            layers += f->net.ops[i].branch[b].winograd;
            narrow += f->net.ops[i].branch[b].columns;
        }
    assert_int_equal(layers, c->winograd_layers);
    if (strcmp(c->label, "narrow") == 0 || strcmp(c->label, "rounds") == 0)
        assert_true(narrow >= 6);
}

/* Random weights, rounded to float, and a random direction. */
static void fill_weights(struct fixture *f, struct rng *r)
{
    reference_weights_init(&f->reference, &f->arch);
    reference_weights_init(&f->direction, &f->arch);
    for (int i = 0; i < f->net.op_count; i++)
        for (int b = 0; b < f->net.ops[i].branch_count; b++) {
            const struct branch *br = &f->net.ops[i].branch[b];
            const int count = br->cout * br->k_count;
            float *oihw = mem_alloc((size_t)count, sizeof(float));
            for (int k = 0; k < count; k++) {
                oihw[k] = (float)(rng_normal(r) * sqrt(2.0 / br->k_count));
                f->reference.weight[br->layer][k] = oihw[k];
                f->direction.weight[br->layer][k] = rng_normal(r);
            }
            network_pack(br, oihw, f->params + br->weights);
            mem_free(oihw);
            for (int o = 0; o < br->cout; o++) {
                f->params[br->biases + (size_t)o] = (float)(0.1 * rng_normal(r) + 0.05);
                f->reference.bias[br->layer][o] = f->params[br->biases + (size_t)o];
                f->direction.bias[br->layer][o] = rng_normal(r);
            }
        }
}

/* What the dropout layer does to image i, worked out from the documented stream. */
static void fill_keep(struct fixture *f, int i)
{
    const struct layer *dropout = f->arch.layers;
    while (dropout->kind != LAYER_DROPOUT)
        dropout++;
    const struct shape s = f->arch.tensors[dropout->in];
    const int n = s.c * s.h * s.w;
    f->keep[i] = mem_alloc((size_t)n, sizeof(double));
    const struct rng stream = rng_stream(SEED, RNG_DROPOUT, EPOCH, f->sample[i]);
    for (int k = 0; k < n; k++) {
        uint32_t block[4];
        rng_block(&stream, (uint32_t)(k / 8), block);
        const uint32_t half = block[k % 8 / 2] >> (k % 2 ? 16 : 0) & 0xffff;
        const int channel = k % s.c, pixel = k / s.c;
        f->keep[i][channel * s.h * s.w + pixel] = half >= f->c->dropout * 65536 ? 1 / (1 - f->c->dropout) : 0;
    }
}

static void fill_images(struct fixture *f, struct rng *r)
{
    const struct shape s = f->arch.input;
    for (int i = 0; i < IMAGES; i++) {
        f->image[i] = mem_alloc((size_t)(s.c * s.h * s.w), sizeof(double));
        for (int k = 0; k < s.c * s.h * s.w; k++)
            f->image[i][k] = (float)rng_normal(r);
        f->label[i] = (int)rng_below(r, (uint32_t)f->arch.classes);
        f->sample[i] = 1000u + (uint32_t)i;
        if (f->c->dropout > 0)
            fill_keep(f, i);
    }
}

static void fixture_init(struct fixture *f, const struct net_case *c, const struct kernels *kernels)
{
    struct err e = ERR_INIT;
    *f = (struct fixture){.c = c};
    build_arch(f);
    assert_int_equal(plan_init(&f->plan, &f->net, IMAGES, true, &e), ST_OK);
    if (strcmp(c->label, "rounds") == 0)
        assert_int_equal(f->plan.stages[0].images, 1);
    f->params = mem_aligned((f->net.param_floats + TENSOR_SLACK) * sizeof(float));
    f->gradients = mem_aligned((f->net.param_floats + TENSOR_SLACK) * sizeof(float));
    f->derived = mem_aligned((f->net.derived_floats + TENSOR_SLACK) * sizeof(float));
    f->block = mem_aligned(f->plan.floats * sizeof(float));
    /* Whatever a tile left behind must not matter. */
    memset(f->block, 0xff, f->plan.floats * sizeof(float));
    struct rng r = rng_stream(SEED, RNG_TEST, (uint64_t)(c - cases), 0);
    fill_weights(f, &r);
    fill_images(f, &r);
    network_derive_all(&f->net, kernels, f->params, f->derived);
    f->pass = (struct pass){&f->net,  &f->plan,   kernels, f->params, f->derived,
                            f->block, c->dropout, SEED,    EPOCH,     0};
}

static void fixture_release(struct fixture *f)
{
    mem_free(f->params);
    mem_free(f->gradients);
    mem_free(f->derived);
    mem_free(f->block);
    for (int i = 0; i < IMAGES; i++) {
        mem_free(f->image[i]);
        mem_free(f->keep[i]);
    }
    reference_weights_release(&f->reference);
    reference_weights_release(&f->direction);
}

static void load_images(struct fixture *f)
{
    const struct shape s = f->arch.input;
    for (int i = 0; i < IMAGES; i++) {
        size_t pitch;
        float *to = pass_image(&f->pass, i, &pitch);
        for (int y = 0; y < s.h; y++)
            for (int x = 0; x < s.w; x++)
                for (int c = 0; c < s.c; c++)
                    to[(size_t)y * pitch + (size_t)(x * s.c + c)] =
                        (float)f->image[i][(c * s.h + y) * s.w + x];
    }
}

static void check_logits(struct fixture *f)
{
    for (int i = 0; i < IMAGES; i++) {
        double want[16];
        reference_logits(&f->arch, &f->reference, f->image[i], f->keep[i], want);
        double largest = 0;
        for (int c = 0; c < f->arch.classes; c++)
            largest = fmax(largest, fabs(want[c]));
        for (int c = 0; c < f->arch.classes; c++)
            if (!(fabs(pass_logits(&f->pass, i)[c] - want[c]) <= 1e-4 * largest + 1e-6))
                fail_msg("%s, %s: image %d logit %d is %.9g, wanted %.9g", f->c->label, f->pass.kernels->name,
                         i, c, (double)pass_logits(&f->pass, i)[c], want[c]);
    }
}

/* Mean loss of the reference with its weights moved by `step` along the direction. */
static double moved_loss(struct fixture *f, double step)
{
    struct reference_weights moved;
    double sum = 0;
    reference_weights_init(&moved, &f->arch);
    for (int l = 0; l < f->arch.layer_count; l++) {
        const struct layer *layer = &f->arch.layers[l];
        if (layer->kind != LAYER_CONV)
            continue;
        for (int k = 0; k < layer->cout * layer->cin * layer->kernel * layer->kernel; k++)
            moved.weight[l][k] = f->reference.weight[l][k] + step * f->direction.weight[l][k];
        for (int k = 0; k < layer->cout; k++)
            moved.bias[l][k] = f->reference.bias[l][k] + step * f->direction.bias[l][k];
    }
    for (int i = 0; i < IMAGES; i++) {
        double logits[16];
        reference_logits(&f->arch, &moved, f->image[i], f->keep[i], logits);
        sum += reference_loss(logits, f->arch.classes, f->label[i], smoothing);
    }
    reference_weights_release(&moved);
    return sum;
}

/* The engine's gradient along the direction, and the sizes of the terms it is made of. */
static double slope(struct fixture *f, double *scale)
{
    double sum = 0;
    *scale = 0;
    for (int i = 0; i < f->net.op_count; i++)
        for (int b = 0; b < f->net.ops[i].branch_count; b++) {
            const struct branch *br = &f->net.ops[i].branch[b];
            const int count = br->cout * br->k_count;
            float *oihw = mem_alloc((size_t)count, sizeof(float));
            network_unpack(br, f->gradients + br->weights, oihw);
            for (int k = 0; k < count; k++) {
                sum += oihw[k] * f->direction.weight[br->layer][k];
                *scale += pow(oihw[k] * f->direction.weight[br->layer][k], 2);
            }
            for (int o = 0; o < br->cout; o++)
                sum += f->gradients[br->biases + (size_t)o] * f->direction.bias[br->layer][o];
            mem_free(oihw);
        }
    *scale = sqrt(*scale);
    return sum;
}

static void check_gradient(struct fixture *f)
{
    for (int i = 0; i < IMAGES; i++)
        loss_softmax(pass_logits(&f->pass, i), f->arch.classes, f->label[i], smoothing,
                     pass_logits_gradient(&f->pass, i));
    pass_backward(&f->pass, IMAGES, f->gradients, false);
    const double step = 1e-7;
    double scale;
    const double want = (moved_loss(f, step) - moved_loss(f, -step)) / (2 * step), got = slope(f, &scale);
    if (!(fabs(got - want) <= 1e-4 * (scale + fabs(want))))
        fail_msg("%s, %s: directional derivative %.9g, the reference's is %.9g (terms about %.3g)",
                 f->c->label, f->pass.kernels->name, got, want, scale);
}

static void run_isa(const char *isa)
{
    const struct kernels *k = kernels_named(isa);
    for (size_t n = 0; k && n < sizeof cases / sizeof cases[0]; n++) {
        struct fixture f;
        fixture_init(&f, &cases[n], k);
        load_images(&f);
        pass_forward(&f.pass, IMAGES, f.sample);
        check_logits(&f);
        check_gradient(&f);
        fixture_release(&f);
    }
}

static void test_generic(void **state)
{
    (void)state;
    run_isa("generic");
}

static void test_avx2(void **state)
{
    (void)state;
    if (!kernels_named("avx2"))
        skip();
    run_isa("avx2");
}

static void test_avx512(void **state)
{
    (void)state;
    if (!kernels_named("avx512"))
        skip();
    run_isa("avx512");
}

/* The plan for evaluation reuses memory; results must not change. */
static void test_inference_plan(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof cases / sizeof cases[0]; n++) {
        struct fixture f;
        struct err e = ERR_INIT;
        if (cases[n].dropout > 0)
            continue;
        fixture_init(&f, &cases[n], kernels_named("generic"));
        const size_t training = f.plan.floats;
        assert_int_equal(plan_init(&f.plan, &f.net, IMAGES, false, &e), ST_OK);
        assert_true(f.plan.floats < training);
        load_images(&f);
        pass_forward(&f.pass, IMAGES, NULL);
        check_logits(&f);
        fixture_release(&f);
    }
}

static void test_loss(void **state)
{
    (void)state;
    const float logits[4] = {1.0f, -2.0f, 3.0f, 3.0f};
    const double wide[4] = {1, -2, 3, 3};
    float gradient[4];
    struct loss l = loss_softmax(logits, 4, 0, 0.2, gradient);
    assert_float_equal(l.value, reference_loss(wide, 4, 0, 0.2), 1e-9);
    assert_int_equal(l.rank, 2);
    double sum = 0;
    for (int c = 0; c < 4; c++)
        sum += gradient[c];
    assert_float_equal(sum, 0, 1e-6);
    /* Of equal logits the lower class is ahead: a dead network scores chance, not 100 %. */
    assert_int_equal(loss_softmax(logits, 4, 2, 0, NULL).rank, 0);
    assert_int_equal(loss_softmax(logits, 4, 3, 0, NULL).rank, 1);
    const float broken[2] = {NAN, NAN};
    assert_int_equal(loss_softmax(broken, 2, 0, 0, NULL).rank, 2);
    assert_true(isnan(loss_softmax(broken, 2, 0, 0, NULL).value));
    const float large[2] = {1000.0f, -1000.0f};
    assert_float_equal(loss_softmax(large, 2, 1, 0, NULL).value, 2000, 1e-9);
}

static void test_unsupported(void **state)
{
    (void)state;
    struct fixture f = {.c = &cases[0]};
    struct err e = ERR_INIT;
    build_arch(&f);
    f.arch.layers[2].stride = 2;
    assert_int_equal(network_init(&f.net, &f.arch, (struct network_options){0}, &e), ST_USAGE);
    assert_non_null(strstr(e.text, "stride 2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_generic), cmocka_unit_test(test_avx2),
                                       cmocka_unit_test(test_avx512),  cmocka_unit_test(test_inference_plan),
                                       cmocka_unit_test(test_loss),    cmocka_unit_test(test_unsupported)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
