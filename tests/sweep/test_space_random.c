/* Random blocks: reproducible, extendable, valid points; conditions and what they remove. */
#include "../base/cmocka_all.h"

#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "sweep/space.h"

#define HEAD "version: 1\nname: t\ndata: {format: idx, path: d}\nbase: {base_e: 16, incr_e: 16}\n"

struct expanded {
    struct spec spec;
    struct space space;
};

static enum status try_expand(const char *text, struct expanded *x, struct err *e)
{
    x->space = (struct space){.trial_count = 0};
    enum status st = spec_parse(text, strlen(text), "t.yaml", &x->spec, e);
    return st == ST_OK ? space_build(&x->spec, &x->space, e) : st;
}

static void release(struct expanded *x)
{
    space_release(&x->space);
    spec_release(&x->spec);
    assert_int_equal(mem_live(), 0);
}

static void expand(const char *text, struct expanded *x)
{
    struct err e = ERR_INIT;
    if (try_expand(text, x, &e) != ST_OK)
        fail_msg("%s", e.text);
}

static double axis(const struct expanded *x, int membership, const char *key)
{
    struct json_object *axes = json_tokener_parse(x->space.memberships[membership].axes), *value;
    assert_non_null(axes);
    const double number = json_object_object_get_ex(axes, key, &value) ? json_object_get_double(value) : NAN;
    json_object_put(axes);
    return number;
}

static const char two[] = HEAD "sweep: [{id: a, random: {n: %d, seed: %d, sampler: %s}, params: {%s}}]\n%s";
#define SR_FREQ "SR: {loguniform: [0.05, 1.0]}, freq: {choice: [1, 2, 4]}"
#define FREQ_SR "freq: {choice: [1, 2, 4]}, SR: {loguniform: [0.05, 1.0]}"

static void expand_two(struct expanded *x, int n, int seed, const char *sampler, const char *params,
                       const char *rest)
{
    struct strbuf text = STRBUF_INIT;
    strbuf_printf(&text, two, n, seed, sampler, params, rest);
    expand(text.text, x);
    strbuf_release(&text);
}

static bool same_points(const struct expanded *a, const struct expanded *b, int n)
{
    for (int i = 0; i < n; i++)
        if (strcmp(a->space.trials[i].arch_hash, b->space.trials[i].arch_hash) != 0)
            return false;
    return true;
}

static void test_reproducible(void **state)
{
    (void)state;
    static const char *const samplers[] = {"random", "sobol", "lhs"};
    for (int i = 0; i < 3; i++) {
        struct expanded a, b;
        expand_two(&a, 20, 7, samplers[i], SR_FREQ, "");
        assert_int_equal(a.space.trial_count, 20);
        expand_two(&b, 20, 7, samplers[i], FREQ_SR, ""); /* the order of keys does not matter */
        assert_true(same_points(&a, &b, 20));
        space_release(&b.space);
        spec_release(&b.spec);
        expand_two(&b, 20, 8, samplers[i], SR_FREQ, "");
        assert_false(same_points(&a, &b, 20));
        space_release(&b.space);
        spec_release(&b.spec);
        expand_two(&b, 40, 7, samplers[i], SR_FREQ, ""); /* the first points stay, but for a hypercube */
        assert_int_equal(same_points(&a, &b, 20), i < 2);
        space_release(&b.space);
        spec_release(&b.spec);
        release(&a);
    }
}

/* Points under a constraint are those without it, less the ones that it removes, and more in their place. */
static void test_constraint_keeps_the_rest(void **state)
{
    (void)state;
    struct expanded all, some;
    expand_two(&all, 40, 7, "random", SR_FREQ, "");
    expand_two(&some, 40, 7, "random", SR_FREQ, "constraints: ['SR < 0.4']\n");
    assert_int_equal(some.space.trial_count, 40);
    int next = 0;
    for (int i = 0; i < 40; i++)
        if (all.space.trials[i].point.design.meta.sr < 0.4)
            assert_string_equal(all.space.trials[i].arch_hash, some.space.trials[next++].arch_hash);
    assert_in_range(next, 10, 39);
    const struct sampling *s = &some.space.samplings[0];
    assert_true(s->removed[0] >= 40 - next);
    assert_true(s->tried == s->points + s->removed[0] + s->repeated + s->unbuildable);
    for (int i = 0; i < 40; i++)
        assert_null(some.space.trials[i].skip_reason);
    space_release(&all.space);
    spec_release(&all.spec);
    release(&some);
}

static void test_distributions(void **state)
{
    (void)state;
    struct expanded x;
    expand(
        HEAD
        "sweep: [{id: a, random: {n: 200, seed: 3}, params: {\n"
        "  SR: {uniform: [0.25, 0.75]}, pct3x3: {uniform: [0.1, 0.7], step: 0.3},\n"
        "  base_e: {int: [8, 40], step: 16}, conv1_filters: {int: [3, 5]},\n"
        "  lr: {loguniform: [0.001, 0.1]}, batch: {loguniform: [1, 100]}, flip: {choice: [true, false]}}}]\n",
        &x);
    assert_int_equal(x.space.trial_count, 200);
    double logs = 0;
    int steps[3] = {0}, widths[3] = {0}, filters[3] = {0}, flips = 0, small = 0;
    for (int i = 0; i < 200; i++) {
        const double sr = axis(&x, i, "SR"), pct = axis(&x, i, "pct3x3"), lr = axis(&x, i, "lr");
        assert_true(sr >= 0.25 && sr <= 0.75 && lr >= 0.001 && lr <= 0.1);
        assert_true(pct == 0.1 || pct == 0.4 || pct == 0.7);
        steps[(int)lround(pct * 10) / 3]++;
        const int base_e = (int)axis(&x, i, "base_e"), conv1 = (int)axis(&x, i, "conv1_filters");
        assert_true(base_e == 8 || base_e == 24 || base_e == 40);
        widths[(base_e - 8) / 16]++;
        assert_in_range(conv1, 3, 5);
        filters[conv1 - 3]++;
        const int batch = (int)axis(&x, i, "batch");
        assert_in_range(batch, 1, 100);
        small += batch <= 10;
        flips += x.space.trials[i].point.recipe.flip;
        logs += log10(lr) / 200;
        assert_true(x.space.trials[i].point.recipe.lr == lr);
    }
    assert_true(fabs(logs + 2) < 0.2); /* the middle of the logarithms: five deviations are 0.2 */
    assert_in_range(small, 90, 145);   /* log 21 / log 201 = 0.57 of the whole numbers' intervals */
    assert_in_range(flips, 65, 135);
    for (int i = 0; i < 3; i++) {
        assert_in_range(steps[i], 34, 100);
        assert_in_range(widths[i], 34, 100);
        assert_in_range(filters[i], 34, 100);
    }
    release(&x);
}

/* 0.9 - 0.8 is a little less than 0.1: a step as wide as the interval has both its ends all the same. */
static void test_step_as_wide_as_the_interval(void **state)
{
    (void)state;
    static const char *const intervals[] = {"[0.8, 0.9], step: 0.1", "[0.55, 0.6], step: 0.05",
                                            "[0.7, 0.8], step: 0.1"};
    static const double ends[][2] = {{0.8, 0.9}, {0.55, 0.6}, {0.7, 0.8}};
    for (size_t k = 0; k < 3; k++) {
        struct expanded x;
        char text[256];
        snprintf(text, sizeof text,
                 HEAD "sweep: [{id: a, random: {n: 40}, params: {lr: {uniform: [0.01, 0.1]}, dropout: "
                      "{uniform: %s}}}]\n",
                 intervals[k]);
        expand(text, &x);
        int low = 0;
        for (int i = 0; i < 40; i++) {
            const double dropout = axis(&x, i, "dropout");
            assert_true(dropout == ends[k][0] || dropout == ends[k][1]);
            low += dropout == ends[k][0];
        }
        assert_in_range(low, 8, 32);
        release(&x);
    }
}

/* `when`: a parameter is drawn only where its condition holds, whatever the order in the file. */
static void test_when(void **state)
{
    (void)state;
    struct expanded x;
    int with = 0;
    expand(HEAD "sweep: [{id: a, set: {momentum: 0.5}, random: {n: 60}, params: {\n"
                "  lr: {uniform: [0.01, 0.1]},\n"
                "  beta1: {uniform: [0.8, 0.95], when: 'optimizer in [adam, adamw]'},\n"
                "  nesterov: {choice: [true, false], when: 'beta1 < 0.85'},\n"
                "  optimizer: {choice: [sgd, adam, adamw]}}}]\n",
           &x);
    for (int i = 0; i < x.space.trial_count; i++) {
        const struct recipe *r = &x.space.trials[i].point.recipe;
        const bool drawn = !isnan(axis(&x, i, "beta1"));
        assert_int_equal(drawn, r->optimizer != OPTIMIZER_SGD);
        assert_true(r->momentum == 0.5);
        assert_int_equal(strstr(x.space.memberships[i].axes, "nesterov") != NULL, drawn && r->beta1 < 0.85);
        with += drawn;
    }
    assert_in_range(with, 20, 55);
    release(&x);
}

/* However many points are asked for: where there are no more, the search ends after as many candidates. */
static void test_far_too_few(void **state)
{
    (void)state;
    struct expanded x;
    expand(HEAD "sweep: [{id: a, random: {n: 100000}, params: {freq: [1, 2, 4, 8]}}]\n", &x);
    assert_int_equal(x.space.samplings[0].points, 4);
    assert_int_equal(x.space.samplings[0].tried, SPACE_TRIES_LEAST + 4 * SPACE_TRIES_PER_POINT);
    release(&x);
}

/* A finite space: all its points, and a statement of what became of the other candidates. */
static void test_too_few(void **state)
{
    (void)state;
    struct expanded x;
    char text[700];
    expand(HEAD "sweep: [{id: a, random: {n: 64}, params: {freq: [1, 2, 4, 8]}, exclude: ['freq == 4']}]\n"
                "constraints: ['freq <= 4']\nseeds: [1, 2]\n",
           &x);
    assert_int_equal(x.space.trial_count, 4); /* freq 1 and 2, two seeds */
    const struct sampling *s = &x.space.samplings[0];
    assert_int_equal(s->points, 2);
    assert_int_equal(s->tried, SPACE_TRIES_LEAST + 2 * SPACE_TRIES_PER_POINT);
    assert_true(s->removed[0] > 2000 && s->removed[1] > 2000);
    space_sampling_text(&x.spec, &x.space, 0, text, sizeof text);
    assert_non_null(strstr(text, "2 of 64 points; of 10040 candidates "));
    assert_non_null(strstr(text, " removed by freq <= 4, "));
    assert_non_null(strstr(text, " removed by exclude: freq == 4, "));
    assert_non_null(strstr(text, " equal to an earlier one"));
    release(&x);
}

static void test_none(void **state)
{
    (void)state;
    struct expanded x;
    struct err e = ERR_INIT;
    assert_int_equal(try_expand(HEAD "sweep:\n  - {id: a, random: {n: 3}, params: {freq: [1, 2]}}\n"
                                     "constraints: ['params < 10']\n",
                                &x, &e),
                     ST_USAGE);
    assert_string_equal(e.text, "t.yaml:6:21: block a: 0 of 3 points; of 10000 candidates 10000 removed by "
                                "params < 10");
    release(&x);
}

/* What cannot be built is no point, and is counted. */
static void test_unbuildable(void **state)
{
    (void)state;
    struct expanded x;
    expand(HEAD "sweep: [{id: a, random: {n: 10}, params: {conv1_kernel: {int: [1, 40]}, conv1_pad: {int: "
                "[0, 5]}}}]\n",
           &x);
    assert_int_equal(x.space.trial_count, 10);
    assert_true(x.space.samplings[0].unbuildable > 0);
    assert_true(strlen(x.space.samplings[0].unbuildable_why) > 10);
    release(&x);
}

/* A block's exclude is its own: another block may want the point. */
static void test_exclude(void **state)
{
    (void)state;
    struct expanded x;
    expand(HEAD "sweep:\n  - {id: a, grid: {freq: [1, 2, 4]}, exclude: ['freq > 1']}\n"
                "  - {id: b, grid: {freq: [2]}}\nexclude: ['SR > 0.9', 'min_channels < 2']\n",
           &x);
    assert_int_equal(x.space.trial_count, 3);
    assert_null(x.space.trials[0].skip_reason);
    assert_null(x.space.trials[1].skip_reason);
    assert_string_equal(x.space.trials[2].skip_reason, "exclude: freq > 1");
    release(&x);
}

/* Conditions on costs and choices see what a trial has. */
static void test_costs(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool holds;
    } table[] = {
        {"params == 1248424 and model_bytes == 4993696", true},
        {"model_bytes_8bit == 1248424 and model_bytes_6bit == 936318", true},
        {"model_bytes <= 4.9MiB", true},
        {"min_channels == 16", true},
        {"realised_SR == 0.125 and realised_pct3x3 == 0.5", true},
        {"pools == ''conv1,fire4,fire8'' and input == ''3x227x227''", true},
        {"preset in [squeezenet-1.0]", false}, /* a minus: such names need quotes */
        {"preset == ''squeezenet-1.0'' and bypass == none", true},
        {"activation_bytes < train_activation_bytes", true},
        {"epochs * macs > 1G", true},
        {"not conv10_relu or conv10_pad in [0, 1]", true},
        {"params > 2M", false},
        {"not nesterov", false},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct strbuf text = STRBUF_INIT;
        struct expanded x;
        struct err e = ERR_INIT;
        strbuf_printf(&text,
                      "version: 1\nname: t\ndata: {format: image-folder, path: d}\n"
                      "base: {preset: squeezenet-1.0}\nconstraints: ['%s']\n",
                      table[i].text);
        enum status st = try_expand(text.text, &x, &e);
        if (i == 6)
            assert_int_equal(st, ST_USAGE);
        else if (st != ST_OK || (x.space.trials[0].skip_reason == NULL) != table[i].holds)
            fail_msg("%s: %s", table[i].text, e.text);
        strbuf_release(&text);
        release(&x);
    }
}

/* A `when` without an answer is an error of the spec, not of a candidate. */
static void test_when_fault(void **state)
{
    (void)state;
    struct expanded x;
    struct err e = ERR_INIT;
    const char *text = HEAD "sweep: [{id: a, random: {n: 4}, params: {incr_e: {int: [0, 0]}, lr: {uniform: "
                            "[0.1, 1], when: '1 / incr_e > 0'}}}]\n";
    assert_int_equal(try_expand(text, &x, &e), ST_USAGE);
    assert_non_null(
        strstr(e.text, "when: \"1 / incr_e\" divides by zero at the point {\"incr_e\":0} of block a"));
    release(&x);
}

/* Time is known where the machine has been measured only. */
static void test_time_unknown(void **state)
{
    (void)state;
    struct expanded x;
    struct err e = ERR_INIT;
    setenv("XDG_CACHE_HOME", "/nonexistent", 1);
    assert_int_equal(try_expand(HEAD "constraints: [train_s < 2h]\n", &x, &e), ST_USAGE);
    assert_string_equal(e.text,
                        "t.yaml:5:15: constraints: train_s, the predicted time of a trial, needs the speed "
                        "of this machine, which is not known, allowed: after firesweep plan --calibrate");
    release(&x);
}

static void test_memory(void **state)
{
    (void)state;
    static const char text[] = HEAD
        "sweep: [{id: a, random: {n: 8, sampler: lhs}, params: {SR: {uniform: [0.1, 1]}, \n"
        "lr: {uniform: [0.1, 1], when: 'SR < 0.5'}}, exclude: ['SR > 0.9']}]\nconstraints: [params < 1G]\n";
    size_t n = 1;
    for (;; n++) {
        struct expanded x;
        struct err e = ERR_INIT;
        mem_fail_after(n);
        enum status st = try_expand(text, &x, &e);
        mem_fail_after(0);
        release(&x);
        if (st == ST_OK)
            break;
        assert_int_equal(st, ST_NOMEM);
    }
    assert_true(n > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reproducible),
        cmocka_unit_test(test_constraint_keeps_the_rest),
        cmocka_unit_test(test_distributions),
        cmocka_unit_test(test_when),
        cmocka_unit_test(test_step_as_wide_as_the_interval),
        cmocka_unit_test(test_too_few),
        cmocka_unit_test(test_far_too_few),
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_unbuildable),
        cmocka_unit_test(test_exclude),
        cmocka_unit_test(test_costs),
        cmocka_unit_test(test_when_fault),
        cmocka_unit_test(test_time_unknown),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
