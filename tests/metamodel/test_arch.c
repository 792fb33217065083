/* Realising designs: layers, maps, bypass, pools, ranges, identity. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "metamodel/arch.h"

static struct design preset(const char *name)
{
    struct design d;
    struct err e = ERR_INIT;
    assert_int_equal(design_preset(name, &d, &e), ST_OK);
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

static int layer_index(const struct arch *a, const char *name)
{
    for (int i = 0; i < a->layer_count; i++)
        if (strcmp(a->layers[i].name, name) == 0)
            return i;
    return -1;
}

static struct layer layer_of(const struct arch *a, const char *name)
{
    int index = layer_index(a, name);
    if (index < 0)
        fail_msg("no layer %s", name);
    return a->layers[index];
}

static void assert_map(const struct arch *a, const char *layer, int c, int side)
{
    struct shape s = a->tensors[layer_of(a, layer).out];
    if (s.c != c || s.h != side || s.w != side)
        fail_msg("%s: %d x %d x %d, expected %d x %d x %d", layer, s.c, s.h, s.w, c, side, side);
}

/* What holds for every network: each tensor written before it is read, expand layers fill their tensor
 * exactly, shapes follow from the layer, the last tensor holds the logits. */
static void check_structure(const struct arch *a)
{
    int written[ARCH_MAX_TENSORS] = {0}; /* channels */
    written[0] = a->input.c;
    assert_true(a->layer_count <= ARCH_MAX_LAYERS && a->tensor_count <= ARCH_MAX_TENSORS);
    for (int i = 0; i < a->layer_count; i++) {
        const struct layer *l = &a->layers[i];
        const struct shape *in = &a->tensors[l->in], *out = &a->tensors[l->out];
        assert_int_equal(written[l->in], in->c);
        assert_int_equal(layer_index(a, l->name), i); /* names differ */
        if (l->kind == LAYER_CONV) {
            assert_int_equal(l->cin, in->c);
            assert_int_equal(l->out_c0, written[l->out]);
            assert_int_equal(out->h, (in->h + 2 * l->pad - l->kernel) / l->stride + 1);
            assert_int_equal(out->w, (in->w + 2 * l->pad - l->kernel) / l->stride + 1);
            written[l->out] += l->cout;
        } else {
            assert_int_equal(written[l->out], 0);
            assert_int_equal(out->c, in->c);
            written[l->out] = out->c;
        }
        if (l->kind == LAYER_ADD) {
            assert_int_equal(written[l->in2], out->c);
            assert_memory_equal(&a->tensors[l->in2], out, sizeof *out);
            assert_memory_equal(in, out, sizeof *out);
        } else {
            assert_int_equal(l->in2, -1);
        }
        assert_true(written[l->out] <= out->c);
    }
    const struct shape *logits = &a->tensors[a->tensor_count - 1];
    assert_int_equal(a->layers[a->layer_count - 1].kind, LAYER_AVGPOOL);
    assert_int_equal(a->layers[a->layer_count - 1].out, a->tensor_count - 1);
    assert_true(logits->c == a->classes && logits->h == 1 && logits->w == 1);
    for (int t = 0; t < a->tensor_count; t++)
        assert_int_equal(written[t], a->tensors[t].c);
}

static void test_presets(void **state)
{
    (void)state;
    const char *const *names = design_preset_names();
    assert_string_equal(names[0], "squeezenet-1.0");
    assert_string_equal(names[1], "squeezenet-1.1");
    assert_string_equal(names[2], "small32");
    assert_null(names[3]);
    for (int i = 0; i < 3; i++) {
        struct design d = preset(names[i]);
        struct arch a = build(&d);
        check_structure(&a);
        assert_false(d.explicit_fires || d.macro.pool_floor || d.macro.conv10_relu);
        assert_int_equal(d.macro.conv10_pad, 0);
        assert_int_equal(d.macro.bypass, BYPASS_NONE);
        assert_int_equal(a.layer_count, 31); /* conv1, 3 pools, 8 * 3, dropout, conv10, avgpool */
        assert_int_equal(a.tensor_count, 24);
    }
    struct design d = preset("small32"), same = d;
    struct err e = ERR_INIT;
    assert_int_equal(design_preset("squeezenet", &d, &e), ST_USAGE);
    assert_string_equal(
        e.text, "preset: \"squeezenet\" is unknown, allowed are squeezenet-1.0, squeezenet-1.1, small32");
    assert_memory_equal(&d, &same, sizeof d);
}

/* Table 1: output sizes from an image of 227. The text's 224 gives other ones. */
static void test_maps_of_squeezenet_1_0(void **state)
{
    (void)state;
    struct design d = preset("squeezenet-1.0");
    struct arch a = build(&d);
    static const int widths[] = {128, 128, 256, 256, 384, 384, 512, 512};
    static const int maps[] = {55, 55, 55, 27, 27, 27, 27, 13};
    assert_map(&a, "conv1", 96, 111);
    assert_map(&a, "pool1", 96, 55);
    assert_map(&a, "pool4", 256, 27);
    assert_map(&a, "pool8", 512, 13);
    assert_map(&a, "conv10", 1000, 13);
    for (int i = 0; i < FIRE_COUNT; i++) {
        char name[32];
        snprintf(name, sizeof name, "fire%d.expand3x3", i + 2);
        assert_map(&a, name, widths[i], maps[i]);
    }
    d.macro.input = (struct shape){3, 224, 224};
    a = build(&d);
    assert_map(&a, "conv1", 96, 109);
    assert_map(&a, "fire2.expand1x1", 128, 54);
    assert_map(&a, "fire5.expand1x1", 256, 27);
    assert_map(&a, "conv10", 1000, 13);
    d.macro.conv10_pad = 1;
    a = build(&d);
    assert_map(&a, "conv10", 1000, 15);
    check_structure(&a);
}

static void test_maps_of_the_other_presets(void **state)
{
    (void)state;
    struct design d = preset("squeezenet-1.1");
    struct arch a = build(&d);
    assert_map(&a, "conv1", 64, 113);
    assert_map(&a, "pool1", 64, 56);
    assert_map(&a, "pool3", 128, 28);
    assert_map(&a, "pool5", 256, 14);
    assert_map(&a, "conv10", 1000, 14);
    d = preset("small32");
    a = build(&d);
    assert_map(&a, "conv1", 96, 32);
    assert_map(&a, "pool1", 96, 16);
    assert_map(&a, "pool4", 256, 8);
    assert_map(&a, "pool8", 512, 4);
    assert_map(&a, "avgpool", 10, 1);
    d.macro.input = (struct shape){1, 28, 28};
    a = build(&d);
    assert_int_equal(layer_of(&a, "conv1").cin, 1);
    assert_map(&a, "conv1", 96, 28);
    assert_map(&a, "pool1", 96, 14);
    assert_map(&a, "pool4", 256, 7);
    assert_map(&a, "pool8", 512, 3);
    d.macro.pool_floor = true;
    a = build(&d);
    assert_map(&a, "pool1", 96, 13);
    assert_map(&a, "pool4", 256, 6);
    assert_map(&a, "pool8", 512, 2);
    assert_true(layer_of(&a, "pool8").pool_floor);
    d.macro.input = (struct shape){1, 64, 40};
    a = build(&d);
    struct shape s = a.tensors[layer_of(&a, "pool8").out];
    assert_true(s.h == 7 && s.w == 4); /* floor: 64 31 15 7, 40 19 9 4 */
    check_structure(&a);
}

/* Pool sizes against Caffe's rule as its code states it: ceil, then drop a last window that starts outside.
 */
static void test_pool_sizes(void **state)
{
    (void)state;
    struct design d = preset("small32");
    d.macro.pools = POOL_AFTER_CONV1;
    for (int side = 2; side < 70; side++) {
        int windows =
            0; /* counted one by one: the first window, and each next that is needed to cover the map */
        for (int start = 0; start == 0 || (start < side && start - 2 + 3 < side); start += 2)
            windows++;
        d.macro.input = (struct shape){3, side, side};
        d.macro.pool_floor = false;
        struct arch a = build(&d);
        assert_map(&a, "pool1", 96, windows);
        int whole = 0; /* floor: only windows that fit */
        for (int start = 0; start + 3 <= side; start += 2)
            whole++;
        d.macro.pool_floor = true;
        if (whole > 0) {
            a = build(&d);
            assert_map(&a, "pool1", 96, whole);
        }
    }
}

static void test_order_of_layers(void **state)
{
    (void)state;
    struct design d = preset("squeezenet-1.0");
    struct arch a = build(&d);
    static const char *const start[] = {"conv1",           "pool1",           "fire2.squeeze1x1",
                                        "fire2.expand1x1", "fire2.expand3x3", "fire3.squeeze1x1"};
    static const char *const end[] = {"pool8",   "fire9.squeeze1x1", "fire9.expand1x1", "fire9.expand3x3",
                                      "dropout", "conv10",           "avgpool"};
    for (int i = 0; i < 6; i++)
        assert_string_equal(a.layers[i].name, start[i]);
    for (int i = 0; i < 7; i++)
        assert_string_equal(a.layers[a.layer_count - 7 + i].name, end[i]);
    struct layer l = layer_of(&a, "fire2.expand3x3");
    assert_true(l.kernel == 3 && l.stride == 1 && l.pad == 1 && l.relu && l.out_c0 == 64 && l.cin == 16);
    l = layer_of(&a, "fire2.expand1x1");
    assert_true(l.kernel == 1 && l.stride == 1 && l.pad == 0 && l.relu && l.out_c0 == 0);
    l = layer_of(&a, "conv1");
    assert_true(l.kernel == 7 && l.stride == 2 && l.pad == 0 && l.relu && l.in == 0);
    l = layer_of(&a, "pool1");
    assert_true(l.kind == LAYER_MAXPOOL && l.kernel == 3 && l.stride == 2 && l.pad == 0);
    assert_false(layer_of(&a, "conv10").relu);
    d.macro.conv10_relu = true;
    a = build(&d);
    assert_true(layer_of(&a, "conv10").relu);
    assert_int_equal(layer_of(&a, "dropout").kind, LAYER_DROPOUT);
}

/* A pool after fire9 comes before dropout. */
static void test_every_pool_place(void **state)
{
    (void)state;
    struct design d = preset("small32");
    d.macro.input = (struct shape){3, 64, 64};
    for (int place = 1; place <= 9; place++) {
        d.macro.pools = 1u << place;
        struct arch a = build(&d);
        char pool[32], before[32];
        snprintf(pool, sizeof pool, "pool%d", place);
        snprintf(before, sizeof before, place == 1 ? "conv%d" : "fire%d.expand3x3", place);
        assert_int_equal(layer_index(&a, pool), layer_index(&a, before) + 1);
        assert_int_equal(layer_of(&a, pool).in, layer_of(&a, before).out);
        assert_map(&a, "conv10", 10, 32);
        check_structure(&a);
    }
    d.macro.pools = 0;
    struct arch a = build(&d);
    assert_map(&a, "conv10", 10, 64);
    d.macro.pools = 1u << 9;
    a = build(&d);
    assert_int_equal(layer_of(&a, "dropout").in, layer_of(&a, "pool9").out);
}

static void test_shrunk_to_nothing(void **state)
{
    (void)state;
    struct design d = preset("small32");
    d.macro.pools = 0x3fe;
    struct arch a, untouched;
    memset(&a, 0x5a, sizeof a);
    memcpy(&untouched, &a, sizeof a);
    struct err e = ERR_INIT;
    assert_int_equal(arch_build(&d, &a, &e), ST_USAGE);
    assert_string_equal(e.text,
                        "pool6: the map shrinks to nothing, its input is 1 x 1; use a larger input image, a "
                        "smaller conv1_stride or fewer pools");
    assert_memory_equal(&a, &untouched, sizeof a);
    d = preset("squeezenet-1.0");
    d.macro.input = (struct shape){3, 227, 6};
    assert_int_equal(arch_build(&d, &a, &e), ST_USAGE);
    assert_non_null(strstr(e.text, "conv1: the map shrinks to nothing, its input is 227 x 6"));
}

static void test_one_branch_only(void **state)
{
    (void)state;
    struct design d = preset("squeezenet-1.0");
    d.meta.pct3x3 = 0;
    struct arch a = build(&d);
    check_structure(&a);
    assert_int_equal(layer_index(&a, "fire5.expand3x3"), -1);
    assert_int_equal(layer_of(&a, "fire5.expand1x1").cout, 256);
    assert_int_equal(a.layer_count, 31 - 8);
    d.meta.pct3x3 = 1;
    a = build(&d);
    check_structure(&a);
    assert_int_equal(layer_index(&a, "fire5.expand1x1"), -1);
    assert_int_equal(layer_of(&a, "fire5.expand3x3").cout, 256);
    assert_int_equal(layer_of(&a, "fire5.expand3x3").out_c0, 0);
}

static void test_simple_bypass(void **state)
{
    (void)state;
    struct design d = preset("squeezenet-1.0");
    d.macro.bypass = BYPASS_SIMPLE;
    struct arch a = build(&d);
    check_structure(&a);
    assert_int_equal(a.layer_count, 31 + 4);
    for (int number = 2; number <= 9; number++) {
        char add[32], squeeze[32], expand[32];
        snprintf(add, sizeof add, "fire%d.add", number);
        snprintf(squeeze, sizeof squeeze, "fire%d.squeeze1x1", number);
        snprintf(expand, sizeof expand, "fire%d.expand3x3", number);
        if (number % 2 == 0) {
            assert_int_equal(layer_index(&a, add), -1);
            continue;
        }
        struct layer l = layer_of(&a, add);
        assert_int_equal(l.in, layer_of(&a, expand).out);
        assert_int_equal(l.in2, layer_of(&a, squeeze).in); /* the Fire's own input */
    }
    assert_int_equal(layer_of(&a, "fire5.add").in2, layer_of(&a, "pool4").out);
    assert_int_equal(layer_of(&a, "fire4.squeeze1x1").in, layer_of(&a, "fire3.add").out);
    assert_int_equal(layer_of(&a, "dropout").in, layer_of(&a, "fire9.add").out);
}

static void test_complex_bypass(void **state)
{
    (void)state;
    struct design d = preset("squeezenet-1.0");
    d.macro.bypass = BYPASS_COMPLEX;
    struct arch a = build(&d);
    check_structure(&a);
    assert_int_equal(a.layer_count, 31 + 8 + 4);
    for (int number = 2; number <= 8; number += 2) {
        char add[32], bypass[32], squeeze[32];
        snprintf(add, sizeof add, "fire%d.add", number);
        snprintf(bypass, sizeof bypass, "fire%d.bypass1x1", number);
        snprintf(squeeze, sizeof squeeze, "fire%d.squeeze1x1", number);
        struct layer l = layer_of(&a, bypass);
        assert_true(l.kernel == 1 && l.stride == 1 && l.pad == 0 && !l.relu);
        assert_int_equal(l.in, layer_of(&a, squeeze).in);
        assert_int_equal(l.out, layer_of(&a, add).in2);
        assert_int_equal(layer_index(&a, bypass) + 1, layer_index(&a, add));
    }
    assert_int_equal(layer_of(&a, "pool8").in, layer_of(&a, "fire8.add").out);
    assert_int_equal(layer_index(&a, "fire3.bypass1x1"), -1);
}

/* The widest network there is: eight bypass convolutions and nine pools stay within the bounds of struct
 * arch. */
static void test_largest_network(void **state)
{
    (void)state;
    struct design d = preset("small32");
    d.macro.input = (struct shape){3, 4096, 4096};
    d.macro.bypass = BYPASS_COMPLEX;
    d.macro.pools = 0x3fe;
    d.meta.freq = 1;
    struct arch a = build(&d);
    check_structure(&a);
    assert_int_equal(a.layer_count, 53);
    assert_int_equal(a.tensor_count, 46);
    assert_map(&a, "conv10", 10, 8);
}

static void test_explicit_fires(void **state)
{
    (void)state;
    struct design d = preset("small32");
    d.explicit_fires = true;
    for (int i = 0; i < FIRE_COUNT; i++)
        d.fires[i] = (struct fire){i + 1, 10 * i, 5 * (8 - i)};
    d.meta.base_e = -1; /* not looked at */
    struct arch a = build(&d);
    check_structure(&a);
    assert_memory_equal(a.fires, d.fires, sizeof a.fires);
    struct derived derived;
    assert_int_equal(design_derive(&d, &derived, NULL), ST_OK);
    assert_memory_equal(derived.fires, d.fires, sizeof d.fires);
    assert_true(derived.realised_sr == 36.0 / (280 + 180) && derived.realised_pct3x3 == 180.0 / (280 + 180));
    assert_false(derived.clamped[0]);
    static const struct {
        struct fire fire;
        const char *text;
    } bad[] = {
        {{0, 1, 1}, "fire5.s1x1: 0 is out of range, allowed are whole numbers from 1 to 65536"},
        {{1, -1, 5}, "fire5.e1x1: -1 is out of range, allowed are whole numbers from 0 to 65536"},
        {{1, 5, INT_MIN},
         "fire5.e3x3: -2147483648 is out of range, allowed are whole numbers from 0 to 65536"},
        {{1, 0, 0}, "fire5.e1x1 + e3x3: 0 is out of range, allowed are whole numbers from 1 to 65536"},
        {{1, 65536, 1},
         "fire5.e1x1 + e3x3: 65537 is out of range, allowed are whole numbers from 1 to 65536"},
        {{INT_MAX, 1, 1},
         "fire5.s1x1: 2147483647 is out of range, allowed are whole numbers from 1 to 65536"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct err e = ERR_INIT;
        d.fires[3] = bad[i].fire;
        assert_int_equal(arch_build(&d, &a, &e), ST_USAGE);
        assert_string_equal(e.text, bad[i].text);
    }
}

static void test_macro_out_of_range(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        size_t offset;
        int low, high; /* allowed, in a preset squeezenet-1.0 */
    } fields[] = {
        {"input channels", offsetof(struct macro, input.c), 1, 256},
        {"input height", offsetof(struct macro, input.h), 112, 4096},
        {"input width", offsetof(struct macro, input.w), 112, 4096},
        {"classes", offsetof(struct macro, classes), 1, 65535},
        {"conv1_filters", offsetof(struct macro, conv1_filters), 1, 65536},
        {"conv1_kernel", offsetof(struct macro, conv1_kernel), 1, 64},
        {"conv1_stride", offsetof(struct macro, conv1_stride), 1, 64},
        {"conv1_pad", offsetof(struct macro, conv1_pad), 0, 6},
        {"conv10_pad", offsetof(struct macro, conv10_pad), 0, 1},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        struct design d = preset("squeezenet-1.0");
        d.macro.pools = 0; /* strides up to 64 then still fit */
        int *value = (int *)(void *)((char *)&d.macro + fields[i].offset);
        struct arch a;
        *value = fields[i].low;
        assert_int_equal(arch_build(&d, &a, NULL), ST_OK);
        *value = fields[i].high;
        assert_int_equal(arch_build(&d, &a, NULL), ST_OK);
        const int bad[] = {fields[i].low == 112 ? 0 : fields[i].low - 1, fields[i].high + 1, INT_MIN,
                           INT_MAX};
        for (int k = 0; k < 4; k++) {
            struct err e = ERR_INIT;
            *value = bad[k];
            assert_int_equal(arch_build(&d, &a, &e), ST_USAGE);
            char text[128];
            snprintf(text, sizeof text, "%s: %d is out of range, allowed are whole numbers from %d to %d",
                     fields[i].key, bad[k], fields[i].low == 112 ? 1 : fields[i].low, fields[i].high);
            assert_string_equal(e.text, text);
        }
    }
}

static void test_unknown_places_and_kinds(void **state)
{
    (void)state;
    struct design d = preset("small32");
    struct arch a;
    struct err e = ERR_INIT;
    static const unsigned bad[] = {1, 1u << 10, 1u << 31, UINT_MAX};
    for (int i = 0; i < 4; i++) {
        d.macro.pools = bad[i];
        assert_int_equal(arch_build(&d, &a, &e), ST_USAGE);
        assert_int_equal(strncmp(e.text, "pools: ", 7), 0);
    }
    d = preset("small32");
    d.macro.bypass = (enum bypass)3;
    assert_int_equal(arch_build(&d, &a, &e), ST_USAGE);
    assert_int_equal(strncmp(e.text, "bypass: ", 8), 0);
    d = preset("small32");
    d.meta.sr = 0;
    assert_int_equal(arch_build(&d, &a, &e), ST_USAGE);
    assert_int_equal(strncmp(e.text, "SR: ", 4), 0);
}

static void test_bypass_names(void **state)
{
    (void)state;
    static const char *const names[] = {"none", "simple", "complex"};
    enum bypass b = BYPASS_NONE;
    for (int i = 0; i < 3; i++) {
        assert_string_equal(bypass_name((enum bypass)i), names[i]);
        assert_true(bypass_parse(names[i], &b));
        assert_int_equal(b, i);
    }
    assert_false(bypass_parse("Simple", &b));
    assert_false(bypass_parse("", &b));
    assert_int_equal(b, BYPASS_COMPLEX);
}

static void test_pool_places_as_text(void **state)
{
    (void)state;
    unsigned pools = 0;
    char text[64];
    assert_true(pools_parse("conv1,fire4,fire8", &pools));
    assert_int_equal(pools, POOL_AFTER_CONV1 | 1 << 4 | 1 << 8);
    assert_string_equal(pools_format(pools, text), "conv1,fire4,fire8");
    assert_true(pools_parse(" fire9 , conv1,fire2 ", &pools));
    assert_string_equal(pools_format(pools, text), "conv1,fire2,fire9");
    assert_true(pools_parse("none", &pools));
    assert_int_equal(pools, 0);
    assert_string_equal(pools_format(0, text), "none");
    for (unsigned all = 0; all < 512; all++) {
        unsigned back = 1;
        assert_true(pools_parse(pools_format(all << 1, text), &back));
        assert_int_equal(back, all << 1);
    }
    static const char *const bad[] = {
        "",     "conv1,",     ",conv1",       "conv1 fire4", "fire1", "fire10", "fire", "conv2",
        "conv", "none,conv1", "conv1,,fire4", "conv1,conv1", "Fire4", "fire4x", " "};
    pools = 77;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (pools_parse(bad[i], &pools))
            fail_msg("\"%s\" is taken for pool places", bad[i]);
    assert_int_equal(pools, 77);
}

static void assert_identity(const struct design *x, const struct design *y, bool same)
{
    struct arch a = build(x), b = build(y);
    char h[HASH_TEXT], k[HASH_TEXT];
    arch_hash(&a, h);
    arch_hash(&b, k);
    assert_int_equal(strlen(h), 16);
    assert_int_equal(strcmp(h, k) == 0, same);
}

static void test_equal_layers_have_equal_identity(void **state)
{
    (void)state;
    struct design a = preset("small32"), b = a;
    assert_identity(&a, &b, true);
    b.meta.sr = 0.1251; /* 16.01, 32.03, ...: the same widths */
    b.meta.pct3x3 = 0.5004;
    assert_identity(&a, &b, true);
    b.meta.sr = 0.13; /* 16.64 -> 17 */
    assert_identity(&a, &b, false);
    b = a;
    b.explicit_fires = true;
    struct derived derived;
    assert_int_equal(metaparams_derive(&a.meta, &derived, NULL), ST_OK);
    memcpy(b.fires, derived.fires, sizeof b.fires);
    assert_identity(&a, &b, true);
    b.fires[7].s1x1++;
    assert_identity(&a, &b, false);
    a.meta.freq = 8; /* incr_e without effect */
    b = a;
    b.meta.incr_e = 5;
    assert_identity(&a, &b, true);
    a = preset("squeezenet-1.0"); /* 111 55 27 13: floor and ceil agree */
    b = a;
    b.macro.pool_floor = true;
    assert_identity(&a, &b, true);
    a.macro.input.h = b.macro.input.h = 229; /* 112: they do not */
    assert_identity(&a, &b, false);
    a = preset("small32"); /* all widths equal: complex adds no convolution */
    a.meta = (struct metaparams){96, 0, 1, 0.5, 0.5};
    b = a;
    a.macro.bypass = BYPASS_SIMPLE;
    b.macro.bypass = BYPASS_COMPLEX;
    assert_identity(&a, &b, true);
}

static void test_any_change_of_the_design_changes_identity(void **state)
{
    (void)state;
    struct design base = preset("small32");
    struct design variants[16];
    int n = 0;
    for (int i = 0; i < 16; i++)
        variants[i] = base;
    variants[n++].macro.input.c = 1;
    variants[n++].macro.input.h = 31;
    variants[n++].macro.input.w = 31;
    variants[n++].macro.classes = 100;
    variants[n++].macro.conv1_filters = 95;
    variants[n++].macro.conv1_kernel = 5;
    variants[n++].macro.conv1_stride = 2;
    variants[n++].macro.conv1_pad = 0;
    variants[n++].macro.pools = 1u << 1 | 1u << 4 | 1u << 9;
    variants[n++].macro.pool_floor = true;
    variants[n++].macro.bypass = BYPASS_SIMPLE;
    variants[n++].macro.bypass = BYPASS_COMPLEX;
    variants[n++].macro.conv10_relu = true;
    variants[n++].macro.conv10_pad = 1;
    variants[n++].meta.pct3x3 = 0.25;
    variants[n++].meta.sr = 0.25;
    for (int i = 0; i < n; i++) {
        assert_identity(&base, &variants[i], false);
        for (int k = 0; k < i; k++)
            assert_identity(&variants[k], &variants[i], false);
    }
}

/* Every number of every layer and tensor counts; names and fires (which the layers repeat) do not. */
static void test_any_change_of_a_layer_changes_identity(void **state)
{
    (void)state;
    struct design d = preset("small32");
    d.macro.bypass = BYPASS_COMPLEX;
    struct arch a = build(&d);
    char before[HASH_TEXT], after[HASH_TEXT];
    arch_hash(&a, before);
    static const size_t numbers[] = {
        offsetof(struct layer, in),     offsetof(struct layer, in2),    offsetof(struct layer, out),
        offsetof(struct layer, out_c0), offsetof(struct layer, cin),    offsetof(struct layer, cout),
        offsetof(struct layer, kernel), offsetof(struct layer, stride), offsetof(struct layer, pad)};
    for (int i = 0; i < a.layer_count; i++) {
        for (size_t k = 0; k < sizeof numbers / sizeof numbers[0]; k++) {
            struct arch changed = a;
            *(int *)(void *)((char *)&changed.layers[i] + numbers[k]) += 1;
            arch_hash(&changed, after);
            assert_string_not_equal(before, after);
        }
        struct arch changed = a;
        changed.layers[i].relu = !a.layers[i].relu;
        arch_hash(&changed, after);
        assert_string_not_equal(before, after);
        changed = a;
        changed.layers[i].kind = a.layers[i].kind == LAYER_ADD ? LAYER_CONV : LAYER_ADD;
        arch_hash(&changed, after);
        assert_string_not_equal(before, after);
    }
    for (int t = 0; t < a.tensor_count; t++) {
        for (int k = 0; k < 3; k++) {
            struct arch changed = a;
            *(k == 0 ? &changed.tensors[t].c : k == 1 ? &changed.tensors[t].h : &changed.tensors[t].w) += 1;
            arch_hash(&changed, after);
            assert_string_not_equal(before, after);
        }
    }
    struct arch renamed = a;
    strcpy(renamed.layers[3].name, "other");
    arch_hash(&renamed, after);
    assert_string_equal(before, after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_presets),
        cmocka_unit_test(test_maps_of_squeezenet_1_0),
        cmocka_unit_test(test_maps_of_the_other_presets),
        cmocka_unit_test(test_pool_sizes),
        cmocka_unit_test(test_order_of_layers),
        cmocka_unit_test(test_every_pool_place),
        cmocka_unit_test(test_shrunk_to_nothing),
        cmocka_unit_test(test_one_branch_only),
        cmocka_unit_test(test_simple_bypass),
        cmocka_unit_test(test_complex_bypass),
        cmocka_unit_test(test_largest_network),
        cmocka_unit_test(test_explicit_fires),
        cmocka_unit_test(test_macro_out_of_range),
        cmocka_unit_test(test_unknown_places_and_kinds),
        cmocka_unit_test(test_bypass_names),
        cmocka_unit_test(test_pool_places_as_text),
        cmocka_unit_test(test_equal_layers_have_equal_identity),
        cmocka_unit_test(test_any_change_of_the_design_changes_identity),
        cmocka_unit_test(test_any_change_of_a_layer_changes_identity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
