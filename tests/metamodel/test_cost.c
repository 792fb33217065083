/* Costs against the paper's numbers, and against second ways of counting. */
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "metamodel/cost.h"

static struct design preset(const char *name)
{
    struct design d;
    assert_int_equal(design_preset(name, &d, NULL), ST_OK);
    return d;
}

static struct arch build(const struct design *d)
{
    struct arch a;
    struct err e = ERR_INIT;
    if (arch_build(d, &a, &e) != ST_OK)
        fail_msg("%s", e.text);
    return a;
}

static struct cost cost_of(const struct design *d)
{
    struct arch a = build(d);
    struct cost c;
    arch_cost(&a, &c);
    return c;
}

static int64_t layer_params(const struct arch *a, const char *name)
{
    for (int i = 0; i < a->layer_count; i++) {
        if (strcmp(a->layers[i].name, name) == 0) {
            struct cost c;
            layer_cost(a, i, &c);
            return c.params;
        }
    }
    return -1;
}

/* Table 1 of the paper: parameters before pruning, layer by layer. */
static void test_table_1(void **state)
{
    (void)state;
    static const int64_t fires[FIRE_COUNT] = {11920, 12432, 45344, 49440, 104880, 111024, 188992, 197184};
    struct design d = preset("squeezenet-1.0");
    struct arch a = build(&d);
    assert_int_equal(layer_params(&a, "conv1"), 14208);
    assert_int_equal(layer_params(&a, "conv10"), 513000);
    assert_int_equal(layer_params(&a, "pool1"), 0);
    assert_int_equal(layer_params(&a, "dropout"), 0);
    for (int i = 0; i < FIRE_COUNT; i++)
        assert_int_equal(fire_params(&a, i), fires[i]);
    struct cost c = cost_of(&d);
    assert_int_equal(c.params, 1248424);
    /* biases: 96 + 1000 + 2 * (16 + 128) + 2 * (32 + 256) + 2 * (48 + 384) + 2 * (64 + 512) */
    assert_int_equal(c.weights, 1248424 - 96 - 1000 - 2 * (144 + 288 + 432 + 576));
    assert_int_equal(c.model_bytes, 4993696);
    assert_int_equal(c.model_bytes_8bit, 1248424);
    assert_int_equal(c.model_bytes_6bit, 936318);
}

static void test_other_totals(void **state)
{
    (void)state;
    struct design d = preset("squeezenet-1.1");
    assert_int_equal(cost_of(&d).params, 1235496);
    d = preset("squeezenet-1.0");
    d.macro.bypass = BYPASS_SIMPLE;
    assert_int_equal(cost_of(&d).params, 1248424);
    d.macro.bypass = BYPASS_COMPLEX;
    assert_int_equal(cost_of(&d).params, 1589672);
    struct arch a = build(&d); /* a bypass is no part of its Fire */
    assert_int_equal(layer_params(&a, "fire8.bypass1x1"), 384 * 512 + 512);
    assert_int_equal(fire_params(&a, 6), 188992);
    d = preset("small32");
    /* conv1 3 * 9 * 96 + 96, the Fires of Table 1, conv10 512 * 10 + 10 */
    assert_int_equal(cost_of(&d).params, 2688 + 721216 + 5130);
}

/* Figure 3: sizes along both curves, in MiB. */
static void test_figure_3(void **state)
{
    (void)state;
    static const struct {
        double sr, pct3x3, mib;
    } points[] = {
        {0.125, 0.5, 4.76},  {0.25, 0.5, 7.50},  {0.5, 0.5, 12.99},   {0.75, 0.5, 18.47},  {1, 0.5, 23.95},
        {0.5, 0.01, 5.64},   {0.5, 0.125, 7.36}, {0.5, 0.25, 9.24},   {0.5, 0.375, 11.11}, {0.5, 0.5, 12.99},
        {0.5, 0.625, 14.86}, {0.5, 0.75, 16.74}, {0.5, 0.875, 18.61}, {0.5, 0.99, 20.33},
    };
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        struct design d = preset("squeezenet-1.0");
        d.meta.sr = points[i].sr;
        d.meta.pct3x3 = points[i].pct3x3;
        double mib = (double)cost_of(&d).model_bytes / MIB;
        if (fabs(mib - points[i].mib) > 0.005 + 1e-9) {
            fail_msg("SR %g, pct3x3 %g: %.4f MiB, expected %.2f", points[i].sr, points[i].pct3x3, mib,
                     points[i].mib);
        }
    }
}

/* Multiply-accumulates of SqueezeNet 1.0 from Table 1's maps and filters, not from the layer list. */
static void test_macs_of_squeezenet(void **state)
{
    (void)state;
    static const int64_t sides[] = {55, 55, 55, 27, 27, 27, 27, 13};
    static const int64_t squeeze[] = {16, 16, 32, 32, 48, 48, 64, 64};
    static const int64_t inputs[] = {96, 128, 128, 256, 256, 384, 384, 512};
    int64_t macs = 111 * 111 * 96 * (int64_t)(7 * 7 * 3) + 13 * 13 * (int64_t)512 * 1000;
    for (int i = 0; i < 8; i++) {
        int64_t s = squeeze[i], half = 4 * s; /* SR 0.125, half of the filters of each kind */
        macs += sides[i] * sides[i] * (inputs[i] * s + s * half + 9 * s * half);
    }
    struct design d = preset("squeezenet-1.0");
    assert_int_equal(cost_of(&d).macs, macs);
}

/* Counts one convolution by visiting every output value. */
static int64_t count_visits(const struct arch *a, const struct layer *l, int64_t *weights)
{
    int64_t visits = 0;
    for (int y = 0; y < a->tensors[l->out].h; y++) {
        for (int x = 0; x < a->tensors[l->out].w; x++) {
            for (int filter = 0; filter < l->cout; filter++)
                for (int tap = 0; tap < l->kernel * l->kernel; tap++)
                    visits += a->tensors[l->in].c;
        }
    }
    *weights = 0;
    for (int filter = 0; filter < l->cout; filter++)
        for (int tap = 0; tap < l->kernel * l->kernel; tap++)
            *weights += a->tensors[l->in].c;
    return visits;
}

static int64_t tensor_size(const struct arch *a, int t)
{
    return 4 * (int64_t)a->tensors[t].c * a->tensors[t].h * a->tensors[t].w;
}

static bool touches(const struct layer *l, int t, bool reads)
{
    return reads ? l->in == t || l->in2 == t : l->out == t;
}

/* Plays an inference: tensors are allocated when written, freed behind their last reader. */
static int64_t play_forward(const struct arch *a)
{
    bool live[ARCH_MAX_TENSORS] = {true};
    int64_t now = tensor_size(a, 0), peak = 0;
    for (int i = 0; i < a->layer_count; i++) {
        const struct layer *l = &a->layers[i];
        if (!live[l->out]) {
            live[l->out] = true;
            now += tensor_size(a, l->out);
        }
        peak = now > peak ? now : peak;
        for (int t = 0; t < a->tensor_count; t++) {
            bool needed = !touches(l, t, true);
            for (int k = i + 1; k < a->layer_count; k++)
                needed = needed || touches(&a->layers[k], t, true);
            if (live[t] && !needed) {
                live[t] = false;
                now -= tensor_size(a, t);
            }
        }
    }
    return peak;
}

/* Plays the way back: a gradient is allocated by the first that adds to it, freed behind its tensor's
 * writers. */
static int64_t play_backward(const struct arch *a)
{
    bool live[ARCH_MAX_TENSORS] = {false};
    live[a->tensor_count - 1] = true; /* from the loss */
    int64_t now = tensor_size(a, a->tensor_count - 1), peak = 0;
    for (int i = a->layer_count - 1; i >= 0; i--) {
        const struct layer *l = &a->layers[i];
        assert_true(live[l->out]);
        for (int t = 1; t < a->tensor_count; t++) {
            if (touches(l, t, true) && !live[t]) {
                live[t] = true;
                now += tensor_size(a, t);
            }
        }
        peak = now > peak ? now : peak;
        bool written_before = false;
        for (int k = 0; k < i; k++)
            written_before = written_before || touches(&a->layers[k], l->out, false);
        if (!written_before) {
            live[l->out] = false;
            now -= tensor_size(a, l->out);
        }
    }
    assert_int_equal(now, 0);
    return peak;
}

static void check_against_second_count(const struct design *d)
{
    struct arch a = build(d);
    struct cost total;
    arch_cost(&a, &total);
    int64_t macs = 0, weights = 0, biases = 0, tensors = 0, fires = 0;
    for (int i = 0; i < a.layer_count; i++) {
        const struct layer *l = &a.layers[i];
        int64_t layer_weights = 0, layer_macs = 0;
        struct cost c;
        layer_cost(&a, i, &c);
        if (l->kind == LAYER_CONV) {
            layer_macs = count_visits(&a, l, &layer_weights);
            biases += l->cout;
        }
        assert_int_equal(c.macs, layer_macs);
        assert_int_equal(c.weights, layer_weights);
        assert_int_equal(c.params, layer_weights + (l->kind == LAYER_CONV ? l->cout : 0));
        assert_int_equal(c.model_bytes, 4 * c.params);
        const struct shape *out = &a.tensors[l->out];
        assert_int_equal(c.activation_bytes,
                         4 * (l->kind == LAYER_CONV ? l->cout : out->c) * out->h * out->w);
        assert_int_equal(c.train_activation_bytes, 2 * c.activation_bytes);
        macs += layer_macs;
        weights += layer_weights;
    }
    for (int t = 0; t < a.tensor_count; t++)
        tensors += tensor_size(&a, t);
    for (int i = 0; i < FIRE_COUNT; i++)
        fires += fire_params(&a, i);
    assert_int_equal(total.macs, macs);
    assert_int_equal(total.weights, weights);
    assert_int_equal(total.params, weights + biases);
    assert_int_equal(total.activation_bytes, play_forward(&a));
    assert_int_equal(total.train_activation_bytes, tensors + play_backward(&a));
    if (d->macro.bypass != BYPASS_COMPLEX)
        assert_int_equal(total.params, fires + layer_params(&a, "conv1") + layer_params(&a, "conv10"));
}

static void test_random_designs(void **state)
{
    (void)state;
    struct rng rng = rng_stream(1, RNG_TEST, 0, 0);
    for (int i = 0; i < 100; i++) {
        struct design d = preset("small32");
        d.macro.input = (struct shape){1 + (int)rng_below(&rng, 4), 20 + (int)rng_below(&rng, 20),
                                       20 + (int)rng_below(&rng, 20)};
        d.macro.classes = 1 + (int)rng_below(&rng, 20);
        d.macro.conv1_filters = 1 + (int)rng_below(&rng, 40);
        d.macro.conv1_kernel = 1 + (int)rng_below(&rng, 5);
        d.macro.conv1_stride = 1 + (int)rng_below(&rng, 2);
        d.macro.conv1_pad = (int)rng_below(&rng, (uint32_t)d.macro.conv1_kernel);
        uint32_t first = rng_below(&rng, 10), second = rng_below(&rng, 10); /* 0: no pool */
        d.macro.pools = (1u << first | 1u << second) & 0x3fe;
        d.macro.pool_floor = rng_below(&rng, 2);
        d.macro.bypass = (enum bypass)rng_below(&rng, 3);
        d.macro.conv10_pad = (int)rng_below(&rng, 2);
        d.meta = (struct metaparams){1 + (int)rng_below(&rng, 30), (int)rng_below(&rng, 20),
                                     1 + (int)rng_below(&rng, 8), 1 - rng_uniform(&rng), rng_uniform(&rng)};
        check_against_second_count(&d);
    }
}

static void test_activations_by_hand(void **state)
{
    (void)state;
    struct design d = preset("squeezenet-1.0");
    /* largest at pool1, which reads 96 x 111 x 111 and writes 96 x 55 x 55 */
    assert_int_equal(cost_of(&d).activation_bytes, 4 * 96 * (111 * 111 + 55 * 55));
    d.explicit_fires = true; /* one filter everywhere, on a map of 4 x 4: every tensor has 16 values */
    d.macro = (struct macro){
        .input = {1, 4, 4}, .classes = 1, .conv1_filters = 1, .conv1_kernel = 1, .conv1_stride = 1};
    for (int i = 0; i < FIRE_COUNT; i++)
        d.fires[i] = (struct fire){1, 1, 0};
    struct cost c = cost_of(&d);
    assert_int_equal(c.activation_bytes, 2 * 64);
    /* image, conv1, 8 x (squeeze, expand), dropout, conv10: 20 maps; 1 logit; two gradients at a time */
    assert_int_equal(c.train_activation_bytes, 20 * 64 + 4 + 2 * 64);
    d.macro.bypass = BYPASS_SIMPLE; /* the Fire's input stays live; 8 sums more */
    c = cost_of(&d);
    assert_int_equal(c.activation_bytes, 3 * 64);
    assert_int_equal(c.train_activation_bytes, 28 * 64 + 4 + 3 * 64);
}

static void test_bit_widths_round_up(void **state)
{
    (void)state;
    struct design d = preset("squeezenet-1.0");
    for (int classes = 1; classes <= 8; classes++) {
        d.macro.classes = classes;
        struct cost c = cost_of(&d);
        assert_int_equal(c.model_bytes_8bit, c.params);
        assert_true(8 * c.model_bytes_6bit >= 6 * c.params && 8 * (c.model_bytes_6bit - 1) < 6 * c.params);
    }
}

/* The largest network that the bounds allow: nothing overflows. */
static void test_largest_values(void **state)
{
    (void)state;
    struct design d = {.macro = {.input = {CHANNELS_MAX, SIDE_MAX, SIDE_MAX},
                                 .classes = CLASSES_MAX,
                                 .conv1_filters = WIDTH_MAX,
                                 .conv1_kernel = KERNEL_MAX,
                                 .conv1_stride = 1,
                                 .conv1_pad = KERNEL_MAX - 1,
                                 .bypass = BYPASS_COMPLEX,
                                 .conv10_pad = 1},
                       .explicit_fires = true};
    for (int i = 0; i < FIRE_COUNT; i++) {
        d.fires[i] = (struct fire){WIDTH_MAX, i % 2,
                                   WIDTH_MAX - 1}; /* widths alternate: all bypasses are convolutions */
    }
    struct arch a = build(&d);
    struct cost c;
    arch_cost(&a, &c);
    __extension__ __int128 macs = 0, bytes = 0;
    for (int i = 0; i < a.layer_count; i++) {
        const struct layer *l = &a.layers[i];
        const struct shape *out = &a.tensors[l->out];
        if (l->kind == LAYER_CONV) {
            __extension__ __int128 product = (__int128)l->kernel * l->kernel * l->cin * l->cout;
            macs += product * out->h * out->w;
        }
    }
    for (int t = 0; t < a.tensor_count; t++)
        bytes += (__int128)4 * a.tensors[t].c * a.tensors[t].h * a.tensors[t].w;
    assert_true(macs < INT64_MAX && c.macs == macs);
    assert_true(c.macs > INT64_MAX / 4); /* the bounds are no smaller than they need be */
    assert_true(c.train_activation_bytes > bytes && c.train_activation_bytes < 2 * bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table_1),
        cmocka_unit_test(test_other_totals),
        cmocka_unit_test(test_figure_3),
        cmocka_unit_test(test_macs_of_squeezenet),
        cmocka_unit_test(test_random_designs),
        cmocka_unit_test(test_activations_by_hand),
        cmocka_unit_test(test_bit_widths_round_up),
        cmocka_unit_test(test_largest_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
