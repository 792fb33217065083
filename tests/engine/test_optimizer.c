/* Optimizers against a plain implementation in double precision, over several updates, for every kind and
 * flag. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "engine/optimizer.h"

enum { PARAMETERS = 103, UPDATES = 12 }; /* no multiple of any vector length */

/* One update of one parameter as the papers write it, state in doubles. */
struct reference {
    double w, velocity, first, second;
};

static void reference_update(const struct recipe *r, double lr, int t, double decay, double g,
                             struct reference *p)
{
    if (r->optimizer == OPTIMIZER_ADAMW)
        p->w -= lr * decay * p->w;
    else
        g += decay * p->w;
    if (r->optimizer == OPTIMIZER_SGD) {
        p->velocity = r->momentum * p->velocity + g;
        p->w -= lr * (r->nesterov ? g + r->momentum * p->velocity : p->velocity);
        return;
    }
    p->first = r->beta1 * p->first + (1 - r->beta1) * g;
    p->second = r->beta2 * p->second + (1 - r->beta2) * g * g;
    double corrected_first = p->first / (1 - pow(r->beta1, t));
    double corrected_second = p->second / (1 - pow(r->beta2, t));
    p->w -= lr * corrected_first / (sqrt(corrected_second) + r->epsilon);
}

struct setting {
    enum optimizer optimizer;
    bool nesterov;
    double momentum, decay;
    float g_scale;
};

static void check_setting(const struct setting *setting)
{
    struct recipe r = recipe_default();
    r.optimizer = setting->optimizer;
    r.momentum = setting->momentum;
    r.nesterov = setting->nesterov;
    float w[PARAMETERS], g[PARAMETERS], first[PARAMETERS] = {0}, second[PARAMETERS] = {0};
    float *const slots[2] = {first, second};
    struct reference reference[PARAMETERS] = {{0}};
    struct rng rng = rng_stream(5, RNG_TEST, (uint64_t)setting->optimizer, 0);
    for (int i = 0; i < PARAMETERS; i++) {
        w[i] = (float)rng_normal(&rng);
        reference[i].w = (double)w[i];
    }
    for (int t = 1; t <= UPDATES; t++) {
        double lr = 0.05 / t;
        for (int i = 0; i < PARAMETERS; i++) {
            g[i] = (float)rng_normal(&rng);
            reference_update(&r, lr, t, setting->decay, (double)(setting->g_scale * g[i]), &reference[i]);
        }
        optimizer_update(&r, lr, t, setting->decay, setting->g_scale, PARAMETERS, w, g, slots);
        for (int i = 0; i < PARAMETERS; i++) {
            if (!(fabs((double)w[i] - reference[i].w) < 2e-6 * t)) {
                fail_msg("optimizer %d, update %d, parameter %d: %.9g, expected %.9g", (int)r.optimizer, t, i,
                         (double)w[i], reference[i].w);
            }
        }
    }
}

static void test_against_reference(void **state)
{
    (void)state;
    static const struct setting settings[] = {
        {OPTIMIZER_SGD, false, 0, 0, 1},         {OPTIMIZER_SGD, true, 0, 0, 1},
        {OPTIMIZER_SGD, false, 0.9, 0, 1},       {OPTIMIZER_SGD, true, 0.9, 0, 1},
        {OPTIMIZER_SGD, false, 0.9, 0.01, 1},    {OPTIMIZER_SGD, true, 0.9, 0.01, 1},
        {OPTIMIZER_SGD, true, 0.9, 0.01, 0.25f}, {OPTIMIZER_SGD, false, 0.5, 0.1, 0.25f},
        {OPTIMIZER_ADAM, true, 0.9, 0, 1},       {OPTIMIZER_ADAM, true, 0.9, 0.1, 1},
        {OPTIMIZER_ADAM, true, 0.9, 0.1, 0.25f}, {OPTIMIZER_ADAMW, true, 0.9, 0, 1},
        {OPTIMIZER_ADAMW, true, 0.9, 0.1, 1},    {OPTIMIZER_ADAMW, true, 0.9, 0.1, 0.25f},
    };
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        check_setting(&settings[i]);
}

/* Numbers small enough to check on paper: w = 1, g = 2, 1; lr 0.5, momentum 0.5, decay 0.5 (all exact in
 * binary). */
static void test_sgd_by_hand(void **state)
{
    (void)state;
    struct recipe r = recipe_default();
    r.momentum = 0.5;
    r.nesterov = false;
    float w = 1, g = 2, velocity = 0;
    float *const slots[2] = {&velocity, NULL};
    optimizer_update(&r, 0.5, 1, 0.5, 1, 1, &w, &g, slots);
    assert_true(velocity == 2.5f); /* 0.5 * 0 + (2 + 0.5 * 1) */
    assert_true(w == -0.25f);      /* 1 - 0.5 * 2.5 */
    g = 1;
    optimizer_update(&r, 0.5, 2, 0.5, 1, 1, &w, &g, slots);
    assert_true(velocity == 2.125f); /* 1.25 + (1 - 0.125) */
    assert_true(w == -1.3125f);
    r.nesterov = true;
    w = 1, g = 2, velocity = 0;
    optimizer_update(&r, 0.5, 1, 0.5, 1, 1, &w, &g, slots);
    assert_true(velocity == 2.5f);
    assert_true(w == -0.875f); /* 1 - 0.5 * (2.5 + 0.5 * 2.5) */
}

/* Adam's first step is lr in the gradient's direction, whatever its size; AdamW shrinks by lr * decay
 * besides. */
static void test_first_adam_step_by_hand(void **state)
{
    (void)state;
    struct recipe r = recipe_default();
    r.optimizer = OPTIMIZER_ADAM;
    float w[2] = {1, 1}, g[2] = {1e-3f, -50}, first[2] = {0}, second[2] = {0};
    float *const slots[2] = {first, second};
    optimizer_update(&r, 0.125, 1, 0, 1, 2, w, g, slots);
    assert_true(fabsf(w[0] - 0.875f) < 1e-5f);
    assert_true(fabsf(w[1] - 1.125f) < 1e-5f);
    r.optimizer = OPTIMIZER_ADAMW;
    w[0] = w[1] = 1;
    memset(first, 0, sizeof first);
    memset(second, 0, sizeof second);
    optimizer_update(&r, 0.125, 1, 0.5, 1, 2, w, g, slots);
    assert_true(fabsf(w[0] - 0.8125f) < 1e-5f);
    assert_true(fabsf(w[1] - 1.0625f) < 1e-5f);
}

static void test_zero_gradient_keeps_weights(void **state)
{
    (void)state;
    for (int k = 0; k < 3; k++) {
        struct recipe r = recipe_default();
        r.optimizer = (enum optimizer)k;
        float w[5] = {1, -2, 0, 3e-30f, 7}, g[5] = {0}, first[5] = {0}, second[5] = {0}, before[5];
        float *const slots[2] = {first, second};
        memcpy(before, w, sizeof w);
        r.epsilon = 1e-12;
        for (int t = 1; t <= 3; t++)
            optimizer_update(&r, 0.1, t, 0, 1, 5, w, g, slots);
        assert_memory_equal(w, before, sizeof w);
    }
}

/* Wherever a range is cut, the bits are the same: threads may share the work. */
static void test_any_split_gives_the_same_bits(void **state)
{
    (void)state;
    for (int k = 0; k < 4; k++) {
        struct recipe r = recipe_default();
        r.optimizer = (enum optimizer)(k % 3);
        r.nesterov = k != 3;
        float g[PARAMETERS], whole[3][PARAMETERS], parts[3][PARAMETERS];
        struct rng rng = rng_stream(6, RNG_TEST, (uint64_t)k, 0);
        for (int i = 0; i < PARAMETERS; i++) {
            g[i] = (float)rng_normal(&rng);
            for (int s = 0; s < 3; s++)
                whole[s][i] = parts[s][i] = (float)rng_uniform(&rng);
        }
        float *const slots[2] = {whole[1], whole[2]};
        optimizer_update(&r, 0.1, 3, 0.01, 0.7f, PARAMETERS, whole[0], g, slots);
        size_t at = 0;
        for (size_t n = 1; at < PARAMETERS; at += n, n = 2 * n + 1) {
            size_t part = at + n > PARAMETERS ? PARAMETERS - at : n;
            float *const part_slots[2] = {parts[1] + at, parts[2] + at};
            optimizer_update(&r, 0.1, 3, 0.01, 0.7f, part, parts[0] + at, g + at, part_slots);
        }
        assert_memory_equal(whole, parts, sizeof whole);
    }
}

static void test_slots(void **state)
{
    (void)state;
    struct recipe r = recipe_default();
    assert_int_equal(optimizer_slots(&r), 1);
    r.optimizer = OPTIMIZER_ADAM;
    assert_int_equal(optimizer_slots(&r), 2);
    r.optimizer = OPTIMIZER_ADAMW;
    assert_int_equal(optimizer_slots(&r), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_reference),
        cmocka_unit_test(test_sgd_by_hand),
        cmocka_unit_test(test_first_adam_step_by_hand),
        cmocka_unit_test(test_zero_gradient_keeps_weights),
        cmocka_unit_test(test_any_split_gives_the_same_bits),
        cmocka_unit_test(test_slots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
