/* Keys of points as text, and the reference of the format. */
#include "../base/cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "sweep/spec_fields.h"

static struct point fresh(void)
{
    struct point p;
    struct err e = ERR_INIT;
    assert_int_equal(point_init(&p, &e), ST_OK);
    return p;
}

/* Every axis key with a text, the one form it is kept in, and a text that is refused. */
static const struct {
    const char *key, *text, *kept, *refused;
} keys[] = {
    {"preset", "squeezenet-1.1", "squeezenet-1.1", "squeezenet"},
    {"base_e", "+64", "64", "0"},
    {"incr_e", "0", "0", "-1"},
    {"freq", "3", "3", "0"},
    {"SR", ".750", "0.75", "1.01"},
    {"pct3x3", "1e0", "1", "2"},
    {"bypass", "complex", "complex", "Complex"},
    {"input", "1x64x48", "1x64x48", "1x64"},
    {"classes", "100", "100", "65536"},
    {"conv1_filters", "64", "64", "1.0"},
    {"conv1_kernel", "7", "7", "65"},
    {"conv1_stride", "2", "2", "0"},
    {"conv1_pad", "0", "0", "-1"},
    {"pools", "fire9, conv1", "conv1,fire9", "conv2"},
    {"pool_rounding", "floor", "floor", "round"},
    {"conv10_relu", "on", "true", "1"},
    {"conv10_pad", "1", "1", "2"},
    {"fires", "1/1/0,2/0/1,3/1/1,4/1/1,5/1/1,6/1/1,7/1/1,65536/1/65535",
     "1/1/0,2/0/1,3/1/1,4/1/1,5/1/1,6/1/1,7/1/1,65536/1/65535", "1/1/0"},
    {"epochs", "7", "7", "100001"},
    {"batch", "1", "1", "0"},
    {"accumulate", "4", "4", "0"},
    {"optimizer", "adam", "adam", "SGD"},
    {"momentum", "0", "0", "1"},
    {"nesterov", "No", "false", "nope"},
    {"beta1", "0.5", "0.5", "1"},
    {"beta2", "0.95", "0.95", "-0.1"},
    {"epsilon", "0.001", "0.001", "0"},
    {"lr", "0.0625", "0.0625", "0"},
    {"schedule", "linear", "linear", "step"},
    {"warmup", "0", "0", "1"},
    {"weight_decay", "1e-4", "0.0001", "-1e-4"},
    {"decay_biases", "TRUE", "true", ""},
    {"clip", "0", "0", "-1"},
    {"smoothing", "-0.0", "0", "1"},
    {"dropout", "0.5", "0.5", "1"},
    {"init", "xavier", "xavier", "normal"},
    {"flip", "false", "false", "horizontal"},
    {"crop_pad", "0", "0", "4096"},
    {"crop_border", "zero", "zero", "edge"},
    {"lanes", "1", "1", "65"},
    {"winograd", "no", "false", "F(4,3)"},
};
enum { KEY_COUNT = sizeof keys / sizeof *keys };

static void test_set_and_get(void **state)
{
    (void)state;
    for (int i = 0; i < KEY_COUNT; i++) {
        struct point p = fresh(), again = fresh();
        struct err e = ERR_INIT;
        char before[POINT_TEXT], text[POINT_TEXT];
        assert_true(point_get(&p, keys[i].key, before, sizeof before));
        if (strcmp(before, keys[i].kept) == 0)
            fail_msg("%s starts as %s: the test needs another value", keys[i].key, before);
        assert_int_equal(point_set(&p, keys[i].key, keys[i].text, &e), ST_OK);
        assert_true(point_get(&p, keys[i].key, text, sizeof text));
        assert_string_equal(text, keys[i].kept);
        /* The kept form reads back to the same value. */
        assert_int_equal(point_set(&again, keys[i].key, text, &e), ST_OK);
        assert_true(point_get(&again, keys[i].key, text, sizeof text));
        assert_string_equal(text, keys[i].kept);
        /* And no other key has moved, save by a preset. */
        for (int k = 0; k < KEY_COUNT && i > 0; k++) {
            struct point untouched = fresh();
            assert_true(point_get(&untouched, keys[k].key, before, sizeof before));
            assert_true(point_get(&p, keys[k].key, text, sizeof text));
            assert_true(k == i || strcmp(text, before) == 0);
        }
    }
}

static void test_refused(void **state)
{
    (void)state;
    for (int i = 0; i < KEY_COUNT; i++) {
        struct point p = fresh();
        struct err e = ERR_INIT;
        char before[POINT_TEXT], after[POINT_TEXT];
        point_get(&p, keys[i].key, before, sizeof before);
        assert_int_equal(point_set(&p, keys[i].key, keys[i].refused, &e), ST_USAGE);
        size_t n = strlen(keys[i].key);
        if (strncmp(e.text, keys[i].key, n) != 0 || e.text[n] != ':' || !strstr(e.text, "allowed: "))
            fail_msg("%s = %s: %s", keys[i].key, keys[i].refused, e.text);
        point_get(&p, keys[i].key, after, sizeof after);
        assert_string_equal(before, after);
    }
}

static void test_unknown(void **state)
{
    (void)state;
    struct point p = fresh();
    struct err e = ERR_INIT;
    char text[POINT_TEXT];
    assert_false(point_get(&p, "val", text, sizeof text));
    assert_int_equal(point_set(&p, "pct3x", "1", &e), ST_USAGE);
    assert_memory_equal(e.text, "unknown key \"pct3x\", did you mean pct3x3?; allowed: preset, base_e", 66);
    assert_int_equal(point_set(&p, "version", "1", &e), ST_USAGE);
    assert_int_equal(point_set(&p, "id", "1", &e), ST_USAGE);
}

/* A short buffer gets what fits. */
static void test_short_buffer(void **state)
{
    (void)state;
    struct point p = fresh();
    char text[6];
    assert_true(point_get(&p, "pools", text, sizeof text));
    assert_string_equal(text, "conv1");
}

static void test_preset_resets(void **state)
{
    (void)state;
    struct point p = fresh();
    struct err e = ERR_INIT;
    char text[POINT_TEXT];
    point_set(&p, "fires", "1/1/1,1/1/1,1/1/1,1/1/1,1/1/1,1/1/1,1/1/1,1/1/1", &e);
    point_set(&p, "epochs", "3", &e);
    assert_true(p.design.explicit_fires);
    point_set(&p, "fires", "derived", &e);
    assert_false(p.design.explicit_fires);
    point_set(&p, "SR", "0.5", &e);
    point_set(&p, "preset", "squeezenet-1.0", &e);
    point_get(&p, "SR", text, sizeof text);
    assert_string_equal(text, "0.125");
    point_get(&p, "epochs", text, sizeof text); /* a preset is an architecture */
    assert_string_equal(text, "3");
    p.preset = NULL;
    point_get(&p, "preset", text, sizeof text);
    assert_string_equal(text, "none");
}

/* One row of a Markdown table per key, with its default where a point has one. */
static void test_reference(void **state)
{
    (void)state;
    char *text;
    struct err e = ERR_INIT;
    struct point p = fresh();
    assert_int_equal(spec_reference(&text, &e), ST_OK);
    for (int i = 0; i < KEY_COUNT; i++) {
        char row[64], value[POINT_TEXT], cell[POINT_TEXT + 8];
        snprintf(row, sizeof row, "\n| `%s` | ", keys[i].key);
        const char *at = strstr(text, row);
        assert_non_null(at);
        assert_null(strstr(at + 1, row));
        point_get(&p, keys[i].key, value, sizeof value);
        snprintf(cell, sizeof cell, " | %s | ", value);
        assert_non_null(strstr(at, cell));
        assert_true(strstr(at, cell) < strchr(at + 1, '\n'));
    }
    assert_non_null(
        strstr(text, "| `checkpoint` | duration | a duration > 0 such as 90, 45s, 30m or 1h30m | 60s | "));
    assert_non_null(strstr(text, "| `SR` | number | 0 < SR <= 1 | 0.125 | "));
    assert_non_null(
        strstr(text, "| `workers` | integer or auto | a whole number from 1 to 256, or auto | auto | "));
    assert_null(strstr(text, "(null)"));
    mem_free(text);
    assert_int_equal(mem_live(), 0);
}

/* A key of `train` applies where it is part of a recipe's identity. */
static void test_what_applies(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct field *f = field_find(SECTION_AXIS, keys[i].key);
        for (int o = OPTIMIZER_SGD; f->section == SECTION_TRAIN && o <= OPTIMIZER_ADAMW; o++) {
            struct point a = fresh(), b;
            struct err e = ERR_INIT;
            char hash_a[HASH_TEXT], hash_b[HASH_TEXT];
            if (strcmp(f->key, "optimizer") == 0)
                continue;
            a.recipe.optimizer = (enum optimizer)o;
            b = a;
            assert_int_equal(point_set(&b, f->key, keys[i].text, &e), ST_OK);
            recipe_hash(&a.recipe, "n", hash_a);
            recipe_hash(&b.recipe, "n", hash_b);
            if (field_applies(f, &a.recipe) != (strcmp(hash_a, hash_b) != 0))
                fail_msg("%s of %s", f->key, optimizer_name((enum optimizer)o));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_and_get),   cmocka_unit_test(test_refused),
        cmocka_unit_test(test_unknown),       cmocka_unit_test(test_short_buffer),
        cmocka_unit_test(test_preset_resets), cmocka_unit_test(test_reference),
        cmocka_unit_test(test_what_applies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
