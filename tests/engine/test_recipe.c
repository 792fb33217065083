/* Recipes: defaults, ranges, names, identity, and the schedules against values worked out by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/recipe.h"

static void assert_close(double value, double expected)
{
    if (!(fabs(value - expected) <= 1e-12 * fmax(1.0, fabs(expected))))
        fail_msg("%.17g, expected %.17g", value, expected);
}

static void test_defaults(void **state)
{
    (void)state;
    struct recipe r = recipe_default();
    struct err e = ERR_INIT;
    assert_int_equal(recipe_check(&r, &e), ST_OK);
    assert_int_equal(r.epochs, 10);
    assert_int_equal(r.batch, 128);
    assert_int_equal(r.accumulate, 1);
    assert_int_equal(r.optimizer, OPTIMIZER_SGD);
    assert_true(r.nesterov);
    assert_true(r.momentum == 0.9 && r.lr == 0.04 && r.warmup == 0.15 && r.weight_decay == 5e-4);
    assert_true(r.beta1 == 0.9 && r.beta2 == 0.999 && r.epsilon == 1e-8);
    assert_true(r.clip == 2 && r.smoothing == 0.1 && r.dropout == 0);
    assert_int_equal(r.schedule, SCHEDULE_TRIANGULAR);
    assert_int_equal(r.init, INIT_HE);
    assert_true(r.flip && !r.crop_zero && !r.decay_biases);
    assert_int_equal(r.crop_pad, 4);
    assert_int_equal(r.lanes, 8);
}

/* The message must name the key first. */
static void assert_refused(const struct recipe *r, const char *key)
{
    struct err e = ERR_INIT;
    if (recipe_check(r, &e) != ST_USAGE || e.status != ST_USAGE || strncmp(e.text, key, strlen(key)) != 0 ||
        e.text[strlen(key)] != ':' || !strstr(e.text, "allowed"))
        fail_msg("%s: got \"%s\"", key, e.text);
}

static void test_counts_out_of_range(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        size_t offset;
        int low, high;
    } counts[] = {
        {"epochs", offsetof(struct recipe, epochs), 1, RECIPE_EPOCHS_MAX},
        {"batch", offsetof(struct recipe, batch), 1, RECIPE_BATCH_MAX},
        {"accumulate", offsetof(struct recipe, accumulate), 1, RECIPE_ACCUMULATE_MAX},
        {"crop_pad", offsetof(struct recipe, crop_pad), 0, RECIPE_CROP_PAD_MAX},
        {"lanes", offsetof(struct recipe, lanes), 1, 64},
    };
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct recipe r = recipe_default();
        int *value = (int *)(void *)((char *)&r + counts[i].offset);
        const int bad[] = {counts[i].low - 1, counts[i].high + 1, INT32_MIN, INT32_MAX};
        for (size_t k = 0; k < 4; k++) {
            *value = bad[k];
            assert_refused(&r, counts[i].key);
        }
        *value = counts[i].low;
        assert_int_equal(recipe_check(&r, NULL), ST_OK);
        *value = counts[i].high;
        assert_int_equal(recipe_check(&r, NULL), ST_OK);
    }
}

static void test_reals_out_of_range(void **state)
{
    (void)state;
    const double below_one = nextafter(1, 0), above_one = nextafter(1, 2), tiny = 5e-324;
    const struct {
        const char *key;
        size_t offset;
        double low, high, below, above; /* allowed, allowed, not allowed, not allowed */
    } reals[] = {
        {"momentum", offsetof(struct recipe, momentum), 0, below_one, -tiny, 1},
        {"beta1", offsetof(struct recipe, beta1), 0, below_one, -tiny, 1},
        {"beta2", offsetof(struct recipe, beta2), 0, below_one, -tiny, 1},
        {"epsilon", offsetof(struct recipe, epsilon), 1e-12, 1, 0.99e-12, above_one},
        {"lr", offsetof(struct recipe, lr), tiny, 1000, 0, 1000.1},
        {"warmup", offsetof(struct recipe, warmup), 0, below_one, -tiny, 1},
        {"weight_decay", offsetof(struct recipe, weight_decay), 0, 1000, -tiny, 1000.1},
        {"clip", offsetof(struct recipe, clip), 0, 1e9, -tiny, 1.1e9},
        {"smoothing", offsetof(struct recipe, smoothing), 0, below_one, -tiny, 1},
        {"dropout", offsetof(struct recipe, dropout), 0, below_one, -tiny, 1},
    };
    for (size_t i = 0; i < sizeof reals / sizeof reals[0]; i++) {
        struct recipe r = recipe_default();
        double *value = (double *)(void *)((char *)&r + reals[i].offset);
        const double bad[] = {reals[i].below, reals[i].above, (double)NAN, (double)INFINITY,
                              -(double)INFINITY};
        for (size_t k = 0; k < 5; k++) {
            *value = bad[k];
            assert_refused(&r, reals[i].key);
        }
        *value = reals[i].low;
        assert_int_equal(recipe_check(&r, NULL), ST_OK);
        *value = reals[i].high;
        assert_int_equal(recipe_check(&r, NULL), ST_OK);
    }
}

static void test_messages(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct recipe r = recipe_default();
    r.momentum = 1;
    recipe_check(&r, &e);
    assert_string_equal(e.text, "momentum: 1 is out of range, allowed is 0 <= momentum < 1");
    r = recipe_default();
    r.lr = (double)NAN;
    recipe_check(&r, &e);
    assert_string_equal(e.text, "lr: nan is out of range, allowed is 0 < lr <= 1000");
    r = recipe_default();
    r.lanes = 65;
    recipe_check(&r, &e);
    assert_string_equal(e.text, "lanes: 65 is out of range, allowed are whole numbers from 1 to 64");
}

static void test_kinds_out_of_range(void **state)
{
    (void)state;
    struct recipe r = recipe_default();
    r.optimizer = (enum optimizer)3;
    assert_refused(&r, "optimizer");
    r = recipe_default();
    r.schedule = (enum schedule)4;
    assert_refused(&r, "schedule");
    r = recipe_default();
    r.init = (enum init)2;
    assert_refused(&r, "init");
}

static void test_names(void **state)
{
    (void)state;
    static const char *const optimizers[] = {"sgd", "adam", "adamw"};
    static const char *const schedules[] = {"linear", "constant", "cosine", "triangular"};
    static const char *const inits[] = {"he", "xavier"};
    enum optimizer o = OPTIMIZER_ADAMW;
    enum schedule s = SCHEDULE_LINEAR;
    enum init n = INIT_XAVIER;
    for (int i = 0; i < 3; i++) {
        assert_string_equal(optimizer_name((enum optimizer)i), optimizers[i]);
        assert_true(optimizer_parse(optimizers[i], &o));
        assert_int_equal(o, i);
    }
    for (int i = 0; i < 4; i++) {
        assert_string_equal(schedule_name((enum schedule)i), schedules[i]);
        assert_true(schedule_parse(schedules[i], &s));
        assert_int_equal(s, i);
    }
    for (int i = 0; i < 2; i++) {
        assert_string_equal(init_name((enum init)i), inits[i]);
        assert_true(init_parse(inits[i], &n));
        assert_int_equal(n, i);
    }
    assert_false(optimizer_parse("SGD", &o));
    assert_false(optimizer_parse("", &o));
    assert_false(schedule_parse("linear ", &s));
    assert_false(init_parse("unknown", &n));
    assert_int_equal(o, OPTIMIZER_ADAMW); /* untouched */
    assert_string_equal(optimizer_name((enum optimizer)9), "unknown");
}

static void test_hash_differs_for_every_field(void **state)
{
    (void)state;
    struct recipe variants[25];
    int n = 0;
    for (int i = 0; i < 25; i++)
        variants[i] = recipe_default();
    n++; /* 0: the default */
    variants[n++].epochs = 11;
    variants[n++].batch = 64;
    variants[n++].accumulate = 2;
    variants[n++].optimizer = OPTIMIZER_ADAM;
    variants[n++].optimizer = OPTIMIZER_ADAMW;
    variants[n++].momentum = 0.8;
    variants[n++].nesterov = false;
    variants[n++].lr = nextafter(0.04, 1);
    variants[n++].schedule = SCHEDULE_COSINE;
    variants[n++].warmup = 0;
    variants[n++].weight_decay = 0;
    variants[n++].decay_biases = true;
    variants[n++].clip = 0;
    variants[n++].smoothing = 0;
    variants[n++].dropout = 0.5;
    variants[n++].init = INIT_XAVIER;
    variants[n++].flip = false;
    variants[n++].crop_pad = 2;
    variants[n++].crop_zero = true;
    variants[n++].lanes = 4;
    variants[n++].winograd = false;
    for (int k = 0; k < 3; k++)
        variants[n + k].optimizer = OPTIMIZER_ADAM;
    variants[n++].beta1 = 0.8;
    variants[n++].beta2 = 0.99;
    variants[n++].epsilon = 1e-6;
    assert_int_equal(n, 25);
    char hashes[26][HASH_TEXT];
    for (int i = 0; i < n; i++) {
        recipe_hash(&variants[i], "v1", hashes[i]);
        assert_int_equal(strlen(hashes[i]), 16);
    }
    recipe_hash(&variants[0], "v2", hashes[n]); /* the engine's arithmetic counts too */
    for (int i = 0; i <= n; i++) {
        for (int k = 0; k < i; k++)
            if (strcmp(hashes[i], hashes[k]) == 0)
                fail_msg("variants %d and %d have equal hashes", k, i);
    }
}

static void assert_same_identity(const struct recipe *a, const struct recipe *b)
{
    char x[HASH_TEXT], y[HASH_TEXT];
    recipe_hash(a, "v1", x);
    recipe_hash(b, "v1", y);
    assert_string_equal(x, y);
}

static void test_hash_ignores_what_has_no_influence(void **state)
{
    (void)state;
    struct recipe a = recipe_default(), b = recipe_default();
    assert_same_identity(&a, &b);
    b.beta1 = 0.5; /* of adam */
    b.beta2 = 0.5;
    b.epsilon = 1;
    assert_same_identity(&a, &b);
    a.optimizer = b.optimizer = OPTIMIZER_ADAMW;
    b.beta1 = a.beta1, b.beta2 = a.beta2, b.epsilon = a.epsilon;
    b.momentum = 0; /* of sgd */
    b.nesterov = false;
    assert_same_identity(&a, &b);
    a = b = recipe_default();
    a.momentum = b.momentum = 0;
    b.nesterov = false;
    assert_same_identity(&a, &b);
    a = b = recipe_default();
    a.weight_decay = 0;
    b.weight_decay = -0.0;
    b.decay_biases = true;
    assert_same_identity(&a, &b);
    a = b = recipe_default();
    a.crop_pad = b.crop_pad = 0;
    b.crop_zero = true;
    assert_same_identity(&a, &b);
}

/* Ten updates, two of them warm-up, peak rate 1. */
static void test_schedules_by_hand(void **state)
{
    (void)state;
    static const double linear[] = {0.5, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1};
    static const double constant[] = {0.5, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    static const double triangular[] = {0.5, 1, 1, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125};
    const double root = sqrt(0.5), near = sqrt((2 + sqrt(2)) / 4), far = sqrt((2 - sqrt(2)) / 4);
    const double cosine[] = {0.5,
                             1,
                             1,
                             (1 + near) / 2,
                             (1 + root) / 2,
                             (1 + far) / 2,
                             0.5,
                             (1 - far) / 2,
                             (1 - root) / 2,
                             (1 - near) / 2};
    const double *const expected[] = {linear, constant, cosine, triangular};
    for (int k = 0; k < 4; k++) {
        struct recipe r = recipe_default();
        r.lr = 1;
        r.warmup = 0.2;
        r.schedule = (enum schedule)k;
        for (int step = 0; step < 10; step++)
            assert_close(recipe_lr(&r, step, 10), expected[k][step]);
    }
}

static void test_schedules_without_warmup(void **state)
{
    (void)state;
    struct recipe r = recipe_default();
    r.lr = 0.04;
    r.warmup = 0;
    for (int step = 0; step < 8; step++) {
        r.schedule = SCHEDULE_LINEAR;
        assert_close(recipe_lr(&r, step, 8), 0.04 * (8 - step) / 8);
        r.schedule = SCHEDULE_TRIANGULAR;
        assert_close(recipe_lr(&r, step, 8), 0.04 * (8 - step) / 8);
        r.schedule = SCHEDULE_CONSTANT;
        assert_close(recipe_lr(&r, step, 8), 0.04);
        r.schedule = SCHEDULE_COSINE;
        assert_close(recipe_lr(&r, step, 8), 0.02 * (1 + cos(acos(-1.0) * step / 8)));
    }
}

/* For any length and warm-up, also where it is no whole number of steps: positive, never above the peak,
 * rising, then falling, and the last triangular step is the last before zero. */
static void test_schedules_properties(void **state)
{
    (void)state;
    static const double warmups[] = {0, 0.001, 0.15, 0.5, 0.85, 0.999};
    static const int64_t lengths[] = {1, 2, 3, 7, 100, 3910, 170000};
    for (int k = 0; k < 4; k++) {
        for (size_t i = 0; i < sizeof warmups / sizeof warmups[0]; i++) {
            for (size_t j = 0; j < sizeof lengths / sizeof lengths[0]; j++) {
                struct recipe r = recipe_default();
                r.schedule = (enum schedule)k;
                r.warmup = warmups[i];
                int64_t steps = lengths[j];
                double previous = 0;
                bool falling = false;
                for (int64_t step = 0; step < steps; step++) {
                    double rate = recipe_lr(&r, step, steps);
                    assert_true(rate > 0 && rate <= r.lr * (1 + 1e-15));
                    if (k != SCHEDULE_LINEAR) { /* linear may fall and rise at once during its warm-up */
                        assert_true(!falling || rate <= previous);
                        falling = falling || rate < previous;
                    }
                    previous = rate;
                }
            }
        }
    }
    struct recipe r = recipe_default(); /* 0.15 * 3910 = 586.5 */
    assert_close(recipe_lr(&r, 3909, 3910), 0.04 / (3910 - 586.5));
    assert_close(recipe_lr(&r, 0, 3910), 0.04 / 586.5);
    assert_close(recipe_lr(&r, 585, 3910), 0.04 * 586 / 586.5);
    assert_close(recipe_lr(&r, 586, 3910), 0.04);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_counts_out_of_range),
        cmocka_unit_test(test_reals_out_of_range),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_kinds_out_of_range),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_hash_differs_for_every_field),
        cmocka_unit_test(test_hash_ignores_what_has_no_influence),
        cmocka_unit_test(test_schedules_by_hand),
        cmocka_unit_test(test_schedules_without_warmup),
        cmocka_unit_test(test_schedules_properties),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
