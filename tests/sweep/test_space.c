/* Specs to trials: order, identity, cost, constraints. */
#include "../base/cmocka_all.h"

#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "engine/trainer.h"
#include "sweep/space.h"

#define HEAD "version: 1\nname: t\ndata: {format: idx, path: d}\n"
#define FOLDER "version: 1\nname: t\ndata: {format: image-folder, path: d}\n"

struct expanded {
    struct spec spec;
    struct space space;
};

static void expand(const char *text, struct expanded *x)
{
    struct err e = ERR_INIT;
    if (spec_parse(text, strlen(text), "t.yaml", &x->spec, &e) != ST_OK ||
        space_build(&x->spec, &x->space, &e) != ST_OK)
        fail_msg("%s", e.text);
}

static void release(struct expanded *x)
{
    space_release(&x->space);
    spec_release(&x->spec);
    assert_int_equal(mem_live(), 0);
}

static const struct trial *trial_at(const struct expanded *x, int membership)
{
    return &x->space.trials[x->space.memberships[membership].trial];
}

/* One expected membership. */
struct row {
    const char *block, *axes;
    int trial;
    uint64_t seed;
};

static void check_rows(const struct expanded *x, const struct row *rows, int count)
{
    int position = 0;
    assert_int_equal(x->space.membership_count, count);
    for (int i = 0; i < count; i++) {
        const struct membership *m = &x->space.memberships[i];
        position = i > 0 && m->block != m[-1].block ? 0 : position;
        if (strcmp(x->spec.blocks[m->block].id, rows[i].block) != 0 || strcmp(m->axes, rows[i].axes) != 0 ||
            m->trial != rows[i].trial || trial_at(x, i)->seed != rows[i].seed || m->position != position)
            fail_msg("membership %d: block %s position %d trial %d seed %d axes %s", i,
                     x->spec.blocks[m->block].id, m->position, m->trial, (int)trial_at(x, i)->seed, m->axes);
        position++;
    }
}
#define CHECK_ROWS(x, rows) check_rows(x, rows, (int)(sizeof(rows) / sizeof *(rows)))

static void test_base_only(void **state)
{
    (void)state;
    struct expanded x;
    static const struct row rows[] = {{"base", "{}", 0, 1}};
    expand(HEAD, &x);
    CHECK_ROWS(&x, rows);
    assert_int_equal(x.space.trial_count, 1);
    release(&x);
}

/* Two blocks share SR 0.5 with pct3x3 0.5; seeds are neighbours. */
static void test_union(void **state)
{
    (void)state;
    struct expanded x;
    static const struct row rows[] = {
        {"a", "{\"SR\":0.25}", 0, 7},    {"a", "{\"SR\":0.25}", 1, 3},     {"a", "{\"SR\":0.5}", 2, 7},
        {"a", "{\"SR\":0.5}", 3, 3},     {"b", "{\"pct3x3\":0.01}", 4, 7}, {"b", "{\"pct3x3\":0.01}", 5, 3},
        {"b", "{\"pct3x3\":0.5}", 2, 7}, {"b", "{\"pct3x3\":0.5}", 3, 3},
    };
    expand(HEAD "base: {pct3x3: 0.5}\nseeds: [7, 3]\nsweep:\n  - {id: a, grid: {SR: [0.25, 0.50]}}\n"
                "  - {id: b, set: {SR: 0.5}, grid: {pct3x3: [0.01, 0.5]}}\n",
           &x);
    CHECK_ROWS(&x, rows);
    assert_int_equal(x.space.trial_count, 6);
    assert_string_equal(x.space.trials[0].arch_hash, x.space.trials[1].arch_hash);
    assert_string_equal(x.space.trials[0].recipe_hash, x.space.trials[5].recipe_hash);
    assert_string_not_equal(x.space.trials[0].arch_hash, x.space.trials[2].arch_hash);
    release(&x);
}

/* Rows slowest, then zip, then grid with its last axis fastest. */
static void test_order(void **state)
{
    (void)state;
    struct expanded x;
    static const struct row rows[] = {
        {"a", "{\"bypass\":\"simple\",\"base_e\":8,\"incr_e\":4,\"freq\":1,\"SR\":0.5}", 0, 1},
        {"a", "{\"bypass\":\"simple\",\"base_e\":8,\"incr_e\":4,\"freq\":1,\"SR\":1}", 1, 1},
        {"a", "{\"bypass\":\"simple\",\"base_e\":8,\"incr_e\":4,\"freq\":2,\"SR\":0.5}", 2, 1},
        {"a", "{\"bypass\":\"simple\",\"base_e\":8,\"incr_e\":4,\"freq\":2,\"SR\":1}", 3, 1},
        {"a", "{\"bypass\":\"simple\",\"base_e\":16,\"incr_e\":6,\"freq\":1,\"SR\":0.5}", 4, 1},
        {"a", "{\"bypass\":\"simple\",\"base_e\":16,\"incr_e\":6,\"freq\":1,\"SR\":1}", 5, 1},
        {"a", "{\"bypass\":\"simple\",\"base_e\":16,\"incr_e\":6,\"freq\":2,\"SR\":0.5}", 6, 1},
        {"a", "{\"bypass\":\"simple\",\"base_e\":16,\"incr_e\":6,\"freq\":2,\"SR\":1}", 7, 1},
        {"a", "{\"pools\":\"conv1,fire4\",\"base_e\":8,\"incr_e\":4,\"freq\":1,\"SR\":0.5}", 8, 1},
        {"a", "{\"pools\":\"conv1,fire4\",\"base_e\":8,\"incr_e\":4,\"freq\":1,\"SR\":1}", 9, 1},
        {"a", "{\"pools\":\"conv1,fire4\",\"base_e\":8,\"incr_e\":4,\"freq\":2,\"SR\":0.5}", 10, 1},
        {"a", "{\"pools\":\"conv1,fire4\",\"base_e\":8,\"incr_e\":4,\"freq\":2,\"SR\":1}", 11, 1},
        {"a", "{\"pools\":\"conv1,fire4\",\"base_e\":16,\"incr_e\":6,\"freq\":1,\"SR\":0.5}", 12, 1},
        {"a", "{\"pools\":\"conv1,fire4\",\"base_e\":16,\"incr_e\":6,\"freq\":1,\"SR\":1}", 13, 1},
        {"a", "{\"pools\":\"conv1,fire4\",\"base_e\":16,\"incr_e\":6,\"freq\":2,\"SR\":0.5}", 14, 1},
        {"a", "{\"pools\":\"conv1,fire4\",\"base_e\":16,\"incr_e\":6,\"freq\":2,\"SR\":1}", 15, 1},
    };
    expand(HEAD "sweep:\n  - id: a\n    set: {epochs: 2}\n    grid: {freq: [1, 2], SR: [0.5, 1.0]}\n"
                "    zip: {base_e: [8, 16], incr_e: [4, 6]}\n"
                "    list: [{bypass: simple}, {pools: [conv1, fire4]}]\n",
           &x);
    CHECK_ROWS(&x, rows);
    for (int i = 0; i < x.space.trial_count; i++)
        assert_int_equal(x.space.trials[i].point.recipe.epochs, 2);
    const struct trial *last = &x.space.trials[15];
    assert_int_equal(last->point.design.meta.base_e, 16);
    assert_int_equal(last->point.design.meta.incr_e, 6);
    assert_int_equal(last->point.design.macro.pools, 1u << 1 | 1u << 4);
    assert_int_equal(last->point.design.macro.bypass, BYPASS_NONE);
    /* base_e 16, incr_e 6, freq 2, SR 1, pct3x3 0.5: fire9 has 16 + 6 * 3 = 34 filters. */
    assert_int_equal(last->derived.fires[7].e1x1, 17);
    assert_int_equal(last->derived.fires[7].e3x3, 17);
    assert_int_equal(last->derived.fires[7].s1x1, 34);
    release(&x);
}

/* The sizes of Figure 3 (MiB) and the parameters of Table 1: facts of the paper. */
static void test_paper(void **state)
{
    (void)state;
    struct expanded x;
    static const double mib[] = {4.76, 7.50, 12.99, 18.47, 23.95, 5.64, 9.24, 12.99, 16.74, 20.33};
    expand(FOLDER
           "base: {preset: squeezenet-1.0}\nsweep:\n  - {id: a, grid: {SR: [0.125, 0.25, 0.5, 0.75, 1.0]}}\n"
           "  - {id: b, set: {SR: 0.5}, grid: {pct3x3: [0.01, 0.25, 0.5, 0.75, 0.99]}}\n"
           "  - {id: presets, grid: {preset: [squeezenet-1.0, squeezenet-1.1]}}\n",
           &x);
    assert_int_equal(x.space.membership_count, 12);
    assert_int_equal(x.space.trial_count, 10); /* without SR 0.5 twice and v1.0 twice */
    for (int i = 0; i < 10; i++)
        assert_true(fabs((double)trial_at(&x, i)->cost.model_bytes / MIB - mib[i]) < 0.005);
    assert_int_equal(trial_at(&x, 0)->cost.params, 1248424);
    assert_int_equal(trial_at(&x, 10)->cost.params, 1248424);
    assert_int_equal(trial_at(&x, 11)->cost.params, 1235496);
    assert_ptr_equal(trial_at(&x, 10), trial_at(&x, 0));
    assert_string_equal(trial_at(&x, 11)->point.preset, "squeezenet-1.1");
    release(&x);
}

/* Equal realised layers and recipes are one trial, however they are asked for. */
static void test_equal_trials(void **state)
{
    (void)state;
    struct expanded x;
    static const struct row rows[] = {
        /* SR * e rounds to the same widths: e is 64, 128, 192, 256 */
        {"near", "{\"SR\":0.5}", 0, 1},
        {"near", "{\"SR\":0.501}", 0, 1},
        /* base_e 64, incr_e 64, freq 2, SR 0.5, pct3x3 0.5 written out */
        {"fires",
         "{\"fires\":\"32/32/32,32/32/32,64/64/64,64/64/64,96/96/96,96/96/96,128/128/128,128/128/128\"}", 0,
         1},
        /* sgd does not look at beta1 */
        {"betas", "{\"beta1\":0.8}", 0, 1},
        {"betas", "{\"beta1\":0.9}", 0, 1},
        {"rates", "{\"lr\":0.01}", 1, 1},
        {"rates", "{\"lr\":0.04}", 0, 1},
        {"same", "{}", 0, 1},
    };
    expand(
        HEAD
        "base: {base_e: 64, incr_e: 64, SR: 0.5}\ntrain: {lr: 0.04}\nsweep:\n"
        "  - {id: near, grid: {SR: [0.5, 0.501]}}\n"
        "  - {id: fires, list: [{fires: [[32,32,32],[32,32,32],[64,64,64],[64,64,64],[96,96,96],[96,96,96],"
        "[128,128,128],[128,128,128]]}]}\n"
        "  - {id: betas, grid: {beta1: [0.8, 0.9]}}\n"
        "  - {id: rates, grid: {lr: [1e-2, 4.0e-2]}}\n"
        "  - {id: same}\n",
        &x);
    CHECK_ROWS(&x, rows);
    assert_int_equal(x.space.trial_count, 2);
    assert_string_equal(x.space.trials[0].arch_hash, x.space.trials[1].arch_hash);
    assert_string_not_equal(x.space.trials[0].recipe_hash, x.space.trials[1].recipe_hash);
    release(&x);
}

/* Another preset keeps what the base and the data format say, not what the base's preset said. */
static void test_preset_axis(void **state)
{
    (void)state;
    struct expanded x;
    expand(HEAD "base: {preset: squeezenet-1.0, SR: 0.25, conv1_filters: 40}\n"
                "sweep:\n  - {id: a, grid: {SR: [0.5], preset: [small32, squeezenet-1.1]}}\n  - {id: b, set: "
                "{preset: small32}}\n",
           &x);
    assert_int_equal(x.space.membership_count, 3);
    const struct design *small = &trial_at(&x, 0)->point.design, *v11 = &trial_at(&x, 1)->point.design;
    assert_true(small->meta.sr == 0.5 &&
                v11->meta.sr == 0.5);                 /* the block's, though the preset stands behind it */
    assert_int_equal(small->macro.conv1_filters, 40); /* the base's */
    assert_int_equal(small->macro.conv1_kernel, 3);   /* small32's */
    assert_int_equal(small->macro.conv1_stride, 1);
    assert_int_equal(small->macro.input.c, 1); /* the data format's */
    assert_int_equal(v11->macro.input.h, 28);
    assert_int_equal(v11->macro.classes, 10);
    assert_int_equal(v11->macro.conv1_stride, 2);
    assert_int_equal(v11->macro.conv1_filters, 40);
    assert_true(trial_at(&x, 2)->point.design.meta.sr == 0.25); /* the base's again */
    assert_string_equal(x.space.memberships[2].axes, "{}");
    release(&x);
}

static void test_constraints(void **state)
{
    (void)state;
    struct expanded x;
    /* squeezenet-1.0 with SR 0.125 has 1248424 parameters, 4993696 bytes */
    static const struct {
        const char *text;
        bool skipped;
    } table[] = {
        {"params <= 1248424", false}, {"params < 1248424", true},   {"params >= 1248424", false},
        {"params > 1248424", true},   {"params > 1248423", false},  {"model_bytes <= 4993696", false},
        {"model_bytes < 5MB", false}, {"model_bytes < 4MiB", true}, {"macs < 100M", true},
        {"macs > 100M", false},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct strbuf text = STRBUF_INIT;
        strbuf_printf(
            &text, FOLDER "base: {preset: squeezenet-1.0}\nconstraints: ['params > 5', '%s', 'macs < 1K']\n",
            table[i].text);
        expand(text.text, &x);
        const char *expected = table[i].skipped ? table[i].text : "macs < 1K";
        assert_int_equal(x.space.trial_count, 1);
        assert_string_equal(x.space.trials[0].skip_reason, expected);
        strbuf_release(&text);
        release(&x);
    }
    expand(FOLDER "constraints: ['params < 1M', 'macs > 1K']\nsweep: [{id: a, grid: {SR: [0.125, 1]}}]\n",
           &x);
    assert_int_equal(x.space.trial_count, 2);
    assert_null(x.space.trials[0].skip_reason); /* 0.73 M parameters */
    assert_string_equal(x.space.trials[1].skip_reason, "params < 1M");
    release(&x);
}

/* A condition excludes a point, not what has its layers: neither other names nor other blocks lose them, nor
 * do they take the point along. */
static void test_excluded_points(void **state)
{
    (void)state;
    struct expanded x;
    expand(FOLDER "base: {base_e: 8, incr_e: 0}\nconstraints: ['SR > 0.11']\nsweep:\n"
                  "  - {id: a, grid: {SR: [0.1, 0.12, 0.5]}, exclude: ['SR = 0.5']}\n"
                  "  - {id: b, grid: {SR: [0.5]}}\n",
           &x);
    assert_int_equal(x.space.trial_count, 2);
    assert_true(x.space.trials[0].point.design.meta.sr == 0.12); /* named by what may be */
    assert_null(x.space.trials[0].skip_reason);
    assert_null(x.space.trials[1].skip_reason);
    static const char *const reasons[] = {"SR > 0.11", NULL, "exclude: SR = 0.5", NULL};
    for (int i = 0; i < 4; i++) {
        const char *reason = x.space.memberships[i].skip_reason;
        assert_true(reasons[i] ? reason && strcmp(reason, reasons[i]) == 0 : reason == NULL);
    }
    const struct membership **first = space_first_memberships(&x.space);
    assert_ptr_equal(first[0], &x.space.memberships[1]);
    assert_ptr_equal(first[1], &x.space.memberships[3]);
    mem_free(first);
    release(&x);
}

/* Conditions whose numbers do not exist for a point are errors, not silently true or false. */
static void test_faults(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } table[] = {
        {"constraints: ['incr_e = 0 or base_e / incr_e < 2']\n", NULL},
        {"constraints: ['params > 5', 'base_e / incr_e < 2']\n",
         "t.yaml:5:30: constraints: \"base_e / incr_e\" divides by zero at the point {\"incr_e\":0} of block "
         "a, allowed: conditions with an answer for every point, such as `incr_e = 0 or ...` before"},
        {"constraints: ['not (1 < base_e / incr_e)']\n", "t.yaml:5:25: constraints: \"base_e / incr_e\""},
        {"exclude: ['params * 1e306 > 1']\n",
         "t.yaml:5:12: exclude: \"params * 1e306\" gives a number beyond all bounds at the point {"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct strbuf text = STRBUF_INIT;
        struct expanded x = {.space = {.trial_count = 0}};
        struct err e = ERR_INIT;
        strbuf_printf(&text, FOLDER "sweep: [{id: a, grid: {incr_e: [64, 0]}}]\n%s", table[i].text);
        assert_int_equal(spec_parse(text.text, text.len, "t.yaml", &x.spec, &e), ST_OK);
        assert_int_equal(space_build(&x.spec, &x.space, &e), table[i].expected ? ST_USAGE : ST_OK);
        if (table[i].expected && strncmp(e.text, table[i].expected, strlen(table[i].expected)) != 0)
            fail_msg("%s", e.text);
        strbuf_release(&text);
        release(&x);
    }
}

static void test_derived(void **state)
{
    (void)state;
    struct expanded x;
    /* SR 0.125 of 2 filters is 0.25, rounded to 0 and clamped to 1; of 4 filters 0.5, rounded to 1. */
    expand(HEAD "base: {base_e: 2, incr_e: 2, freq: 4, SR: 0.125, pct3x3: 0.5}\n", &x);
    const struct derived *d = &x.space.trials[0].derived;
    for (int i = 0; i < FIRE_COUNT; i++) {
        assert_int_equal(d->fires[i].s1x1, 1);
        assert_int_equal(d->fires[i].e3x3, i < 4 ? 1 : 2);
        assert_int_equal(d->clamped[i], i < 4);
    }
    assert_true(fabs(d->realised_sr - 8.0 / 24) < 1e-12);
    release(&x);
    expand(HEAD "base: {fires: '1/1/3,1/1/3,1/1/3,1/1/3,1/1/3,1/1/3,1/1/3,1/1/3'}\n", &x);
    d = &x.space.trials[0].derived;
    assert_true(d->realised_sr == 0.25 && d->realised_pct3x3 == 0.75);
    assert_int_equal(d->fires[3].e3x3, 3);
    assert_false(d->clamped[0]);
    release(&x);
}

/* A trial from its axes alone: a second, slow way to the same identity. */
static void check_by_axes(const struct expanded *x, const struct membership *m)
{
    struct point point = x->spec.base;
    struct err e = ERR_INIT;
    struct arch arch;
    char arch_text[HASH_TEXT], recipe_text[HASH_TEXT];
    struct json_object *axes = json_tokener_parse(m->axes);
    assert_non_null(axes);
    struct json_object_iterator at = json_object_iter_begin(axes), end = json_object_iter_end(axes);
    for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
        struct json_object *value = json_object_iter_peek_value(&at);
        assert_int_equal(
            point_set(&point, json_object_iter_peek_name(&at), json_object_get_string(value), &e), ST_OK);
    }
    json_object_put(axes);
    assert_int_equal(arch_build(&point.design, &arch, &e), ST_OK);
    arch_hash(&arch, arch_text);
    recipe_hash(&point.recipe, engine_numerics(), recipe_text);
    const struct trial *trial = &x->space.trials[m->trial];
    assert_string_equal(trial->arch_hash, arch_text);
    assert_string_equal(trial->recipe_hash, recipe_text);
    assert_int_equal(trial->seed, x->spec.seeds[m->position % x->spec.seed_count]);
}

static void test_many(void **state)
{
    (void)state;
    struct expanded x;
    expand(HEAD
           "seeds: [1, 2]\nsweep:\n"
           "  - {id: a, grid: {SR: {from: 0.01, to: 1, step: 0.01}, base_e: {from: 1, to: 9, step: 2}, flip: "
           "[yes, no]}}\n"
           "  - {id: b, grid: {SR: {from: 1, to: 0.05, step: -0.05}, base_e: [3, 5, 7], lr: [0.04, 0.02]}}\n",
           &x);
    assert_int_equal(x.space.membership_count, 2 * (100 * 5 * 2 + 20 * 3 * 2));
    for (int i = 0; i < x.space.membership_count; i++)
        check_by_axes(&x, &x.space.memberships[i]);
    for (int i = 0; i < x.space.trial_count; i++) {
        for (int k = 0; k < i; k++) {
            const struct trial *a = &x.space.trials[i], *b = &x.space.trials[k];
            assert_true(a->seed != b->seed || strcmp(a->arch_hash, b->arch_hash) != 0 ||
                        strcmp(a->recipe_hash, b->recipe_hash) != 0);
        }
    }
    release(&x);
}

/* 2^64 points, which 64 bits count as none: refused before anything is built. */
static void test_limit(void **state)
{
    (void)state;
    struct spec spec;
    struct space space;
    struct err e = ERR_INIT;
    static const char text[] = HEAD "seeds: [1, 2]\nsweep:\n  - id: a\n    grid:\n"
                                    "      epochs: {from: 1, to: 65536, step: 1}\n"
                                    "      batch: {from: 1, to: 65536, step: 1}\n"
                                    "      freq: {from: 1, to: 65536, step: 1}\n"
                                    "      incr_e: {from: 1, to: 65536, step: 1}\n";
    assert_int_equal(spec_parse(text, sizeof text - 1, "t.yaml", &spec, &e), ST_OK);
    assert_int_equal(space_build(&spec, &space, &e), ST_USAGE);
    assert_non_null(strstr(e.text, "t.yaml:6:5: sweep: with block a there are more than 1000000 trials"));
    assert_int_equal(space.trial_count, 0);
    space_release(&space);
    spec_release(&spec);
    assert_int_equal(mem_live(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base_only),    cmocka_unit_test(test_union),
        cmocka_unit_test(test_order),        cmocka_unit_test(test_paper),
        cmocka_unit_test(test_equal_trials), cmocka_unit_test(test_preset_axis),
        cmocka_unit_test(test_constraints),  cmocka_unit_test(test_excluded_points),
        cmocka_unit_test(test_faults),       cmocka_unit_test(test_derived),
        cmocka_unit_test(test_many),         cmocka_unit_test(test_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
