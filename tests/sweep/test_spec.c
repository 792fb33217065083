/* Good specs: every value arrives, defaults hold, YAML's ways of writing do not matter. */
#include "../base/scratch.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "sweep/space.h"
#include "sweep/spec.h"

#define HEAD "version: 1\nname: t\ndata: {format: idx, path: d}\n"

static void parse(const char *text, struct spec *spec)
{
    struct err e = ERR_INIT;
    if (spec_parse(text, strlen(text), "t.yaml", spec, &e) != ST_OK)
        fail_msg("%s", e.text);
    assert_string_equal(e.text, "");
}

static void check_key(const struct point *p, const char *key, const char *expected)
{
    char text[POINT_TEXT];
    assert_true(point_get(p, key, text, sizeof text));
    if (strcmp(text, expected) != 0)
        fail_msg("%s is %s, expected %s", key, text, expected);
}

static void test_smallest(void **state)
{
    (void)state;
    struct spec s;
    struct recipe recipe = recipe_default();
    parse(HEAD, &s);
    assert_string_equal(s.path, "t.yaml");
    assert_string_equal(s.text, HEAD);
    assert_string_equal(s.name, "t");
    assert_int_equal(s.data.format, DATA_IDX);
    assert_string_equal(s.data.path, "d");
    assert_int_equal(s.data_path_mark.line, 3);
    assert_int_equal(s.data_path_mark.column, 27);
    assert_int_equal(s.data.val, 0);
    assert_int_equal(s.data.val_seed, 1);
    assert_int_equal(s.data.train_limit, 0);
    assert_int_equal(s.data.test_limit, 0);
    assert_int_equal(s.data.resize_h, 0);
    assert_false(s.data.skip_bad);
    assert_int_equal(s.data.memory, DATA_AUTO);
    assert_string_equal(s.base.preset, "small32");
    assert_int_equal(s.base.design.macro.input.c, 1); /* what idx holds, not the preset's 3x32x32 */
    assert_int_equal(s.base.design.macro.input.h, 28);
    assert_int_equal(s.base.design.macro.input.w, 28);
    assert_int_equal(s.base.design.macro.classes, 10);
    assert_int_equal(s.base.design.macro.conv1_filters, 96);
    assert_int_equal(s.base.design.meta.base_e, 128);
    assert_true(s.base.recipe.lr == recipe.lr && s.base.recipe.epochs == recipe.epochs);
    assert_int_equal(s.block_count, 1);
    assert_string_equal(s.blocks[0].id, "base");
    assert_int_equal(s.seed_count, 1);
    assert_int_equal(s.seeds[0], 1);
    assert_int_equal(s.constraints.count, 0);
    assert_int_equal(s.plot_count, 0);
    assert_true(s.budget.wall_s == 0 && s.budget.trial_wall_s == 0 && s.budget.max_failed == 0);
    assert_int_equal(s.run.workers, 0);
    assert_int_equal(s.run.threads, 0);
    assert_int_equal(s.run.retries, 2);
    assert_true(s.run.checkpoint_s == 60);
    spec_release(&s);
    assert_int_equal(mem_live(), 0);
}

static const char full[] =
    "version: 1\n"
    "name: Full_sweep-1.0\n"
    "data: {format: image-folder, path: some/where, val: 5000, val_seed: 9223372036854775807,\n"
    "       train_limit: 100, test_limit: 50, resize: 48x64, skip_bad: on, memory: stream}\n"
    "base:\n"
    "  base_e: 64\n"
    "  preset: squeezenet-1.1\n"
    "  incr_e: 0\n"
    "  freq: 3\n"
    "  SR: 2.5e-1\n"
    "  pct3x3: 0\n"
    "  bypass: complex\n"
    "  classes: 7\n"
    "  conv1_filters: 48\n"
    "  conv1_kernel: 5\n"
    "  conv1_stride: 1\n"
    "  conv1_pad: 2\n"
    "  pools: [conv1, fire9]\n"
    "  pool_rounding: floor\n"
    "  conv10_relu: yes\n"
    "  conv10_pad: 1\n"
    "train: {epochs: 3, batch: 32, accumulate: 2, optimizer: adamw, momentum: 0.5, nesterov: no, beta1: "
    "0.8,\n"
    "        beta2: 0.9, epsilon: 1e-6, lr: 0.125, schedule: cosine, warmup: 0.25, weight_decay: 0.0, \n"
    "        decay_biases: True, clip: 1, smoothing: 0.2, dropout: 0.5, init: xavier, flip: OFF, crop_pad: "
    "2, crop_border: zero,\n"
    "        lanes: 4, winograd: off}\n"
    "sweep:\n"
    "  - {id: first, set: {SR: 0.5}, grid: {bypass: [none, simple], lr: [0.1]}}\n"
    "constraints: [model_bytes <= 5MiB, params<1M, 'macs >= 200 K', ' params  >  1.5e3 ']\n"
    "seeds: [3, 0, 12]\n"
    "budget: {wall: 12h, trial_wall: 1h30m, max_failed: 10}\n"
    "run: {workers: 4, threads: auto, retries: 0, checkpoint: 45s}\n"
    "plots: [{kind: curve, block: first, x: model_mib, y: test_top1}, {kind: learning}]\n";

static void check_full_architecture(const struct spec *s)
{
    static const struct {
        const char *key, *text;
    } expected[] = {
        {"preset", "squeezenet-1.1"},
        {"base_e", "64"},
        {"incr_e", "0"},
        {"freq", "3"},
        {"SR", "0.25"},
        {"pct3x3", "0"},
        {"bypass", "complex"},
        {"input", "3x48x64"},
        {"classes", "7"},
        {"conv1_filters", "48"},
        {"conv1_kernel", "5"},
        {"conv1_stride", "1"},
        {"conv1_pad", "2"},
        {"pools", "conv1,fire9"},
        {"pool_rounding", "floor"},
        {"conv10_relu", "true"},
        {"conv10_pad", "1"},
        {"fires", "derived"},
        {"epochs", "3"},
        {"batch", "32"},
        {"accumulate", "2"},
        {"optimizer", "adamw"},
        {"momentum", "0.5"},
        {"nesterov", "false"},
        {"beta1", "0.8"},
        {"beta2", "0.9"},
        {"epsilon", "1e-06"},
        {"lr", "0.125"},
        {"schedule", "cosine"},
        {"warmup", "0.25"},
        {"weight_decay", "0"},
        {"decay_biases", "true"},
        {"clip", "1"},
        {"smoothing", "0.2"},
        {"dropout", "0.5"},
        {"init", "xavier"},
        {"flip", "false"},
        {"crop_pad", "2"},
        {"crop_border", "zero"},
        {"lanes", "4"},
        {"winograd", "false"},
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        check_key(&s->base, expected[i].key, expected[i].text);
    /* The same through the structures that the engine reads. */
    const struct macro *m = &s->base.design.macro;
    assert_int_equal(m->pools, 1u << 1 | 1u << 9);
    assert_true(m->pool_floor && m->conv10_relu && m->bypass == BYPASS_COMPLEX);
    assert_true(s->base.design.meta.sr == 0.25 && s->base.design.meta.pct3x3 == 0);
    const struct recipe *r = &s->base.recipe;
    assert_true(r->optimizer == OPTIMIZER_ADAMW && r->schedule == SCHEDULE_COSINE && r->init == INIT_XAVIER);
    assert_true(r->crop_zero && r->decay_biases && !r->flip && !r->nesterov);
    assert_true(r->lr == 0.125 && r->epsilon == 1e-6 && r->beta2 == 0.9 && r->clip == 1);
}

static void check_full_rest(const struct spec *s)
{
    assert_int_equal(s->data.format, DATA_IMAGE_FOLDER);
    assert_int_equal(s->data.val, 5000);
    assert_true(s->data.val_seed == 9223372036854775807u);
    assert_int_equal(s->data.train_limit, 100);
    assert_int_equal(s->data.test_limit, 50);
    assert_int_equal(s->data.resize_h, 48);
    assert_int_equal(s->data.resize_w, 64);
    assert_true(s->data.skip_bad);
    assert_int_equal(s->data.memory, DATA_STREAM);
    assert_int_equal(s->base_mark.line, 6);
    static const char *const constraints[] = {"model_bytes <= 5MiB", "params<1M", "macs >= 200 K",
                                              " params  >  1.5e3 "};
    assert_int_equal(s->constraints.count, 4);
    for (int i = 0; i < 4; i++) {
        assert_string_equal(s->constraints.items[i].text, constraints[i]);
        assert_non_null(s->constraints.items[i].holds);
    }
    assert_int_equal(s->seed_count, 3);
    assert_true(s->seeds[0] == 3 && s->seeds[1] == 0 && s->seeds[2] == 12);
    assert_true(s->budget.wall_s == 43200 && s->budget.trial_wall_s == 5400 && s->budget.max_failed == 10);
    assert_true(s->run.workers == 4 && s->run.threads == 0 && s->run.retries == 0 &&
                s->run.checkpoint_s == 45);
    assert_int_equal(s->plot_count, 2);
    assert_string_equal(s->plots[0].kind, "curve");
    assert_string_equal(s->plots[0].block, "first");
    assert_string_equal(s->plots[0].x, "model_mib");
    assert_string_equal(s->plots[0].y, "test_top1");
    assert_string_equal(s->plots[1].kind, "learning");
    assert_null(s->plots[1].block);
    assert_null(s->plots[1].x);
}

static void test_full(void **state)
{
    (void)state;
    struct spec s;
    parse(full, &s);
    check_full_architecture(&s);
    check_full_rest(&s);
    const struct block *b = &s.blocks[0];
    assert_int_equal(b->mark.line, 27);
    assert_int_equal(b->mark.column, 5);
    assert_int_equal(b->set.count, 1);
    assert_string_equal(b->set.items[0].key, "SR");
    assert_string_equal(b->set.items[0].value.text, "0.5");
    assert_int_equal(b->grid_count, 2);
    assert_string_equal(b->grid[0].key, "bypass");
    assert_string_equal(b->grid[0].values[1].text, "simple");
    assert_int_equal(b->grid[0].values[1].mark.column, 55);
    spec_release(&s);
    assert_int_equal(mem_live(), 0);
}

/* Block style, anchors, aliases, comments, a byte order mark, CRLF: all the same spec. */
static void test_styles(void **state)
{
    (void)state;
    static const char *const styles[] = {
        HEAD "base: {SR: 0.5}\nsweep: [{id: a, grid: {pct3x3: [0.25, 0.5]}}, {id: b, zip: {freq: [1, 2]}}]\n",
        "\xef\xbb\xbf# comment\n%YAML 1.1\n---\nversion: 1 # one\n'name': \"t\"\ndata:\n  format: idx\n  "
        "path: d\nbase:\n  SR: .5\n"
        "sweep:\n- id: a\n  grid:\n    pct3x3:\n    - 0.250\n    - 5e-1\n-\n  zip: {freq: [1, 2]}\n  id: b\n",
        "version: 1\r\nname: &n t\r\ndata: {format: idx, path: d}\r\nbase: {SR: 0.5}\r\n"
        "sweep:\r\n  - id: a\r\n    grid: {pct3x3: [0.25, &half 0.5]}\r\n  - id: b\r\n    zip:\r\n      "
        "freq: [1, 2]\r\n",
        "version: 1\nname: t\ndata: {format: idx, path: d}\nbase: {SR: &x 0.5}\n"
        "sweep:\n  - {id: a, grid: &g {pct3x3: [0.25, *x]}}\n  - {id: b, zip: {freq: {from: 1, to: 2, step: "
        "1}}}\n...\n",
        "{\"version\": 1, \"name\": \"t\", \"data\": {\"format\": \"idx\", \"path\": \"d\"}, \"base\": "
        "{\"SR\": 0.5}, \"sweep\":\n"
        "[{\"id\": \"a\", \"grid\": {\"pct3x3\": [0.25, 0.5]}}, {\"id\": \"b\", \"zip\": {\"freq\": [1, "
        "2]}}]}\n",
    };
    for (size_t i = 0; i < sizeof styles / sizeof *styles; i++) {
        struct spec s;
        parse(styles[i], &s);
        assert_string_equal(s.name, "t");
        assert_true(s.base.design.meta.sr == 0.5);
        assert_int_equal(s.block_count, 2);
        assert_string_equal(s.blocks[0].grid[0].values[0].text, "0.25");
        assert_string_equal(s.blocks[0].grid[0].values[1].text, "0.5");
        assert_string_equal(s.blocks[1].id, "b");
        assert_string_equal(s.blocks[1].zip[0].values[0].text, "1");
        assert_string_equal(s.blocks[1].zip[0].values[1].text, "2");
        spec_release(&s);
    }
    assert_int_equal(mem_live(), 0);
}

/* Lists of what may be absent may be empty. */
static void test_empty_lists(void **state)
{
    (void)state;
    struct spec s;
    parse(HEAD "sweep: [{id: a, grid: {SR: [0.5]}, exclude: []}]\nconstraints: []\nexclude: []\nplots: []\n",
          &s);
    assert_int_equal(s.constraints.count + s.exclude.count + s.blocks[0].exclude.count + s.plot_count, 0);
    spec_release(&s);
}

static void test_ranges(void **state)
{
    (void)state;
    static const struct {
        const char *key, *range, *values;
    } table[] = {
        {"SR", "{from: 0.1, to: 0.5, step: 0.1}", "0.1 0.2 0.3 0.4 0.5"},
        {"SR", "{from: 0.1, to: 0.5, step: 0.15}", "0.1 0.25 0.4"},
        {"SR", "{to: 0.25, from: 1, step: -0.25}", "1 0.75 0.5 0.25"},
        {"SR", "{from: 0.5, to: 0.5, step: 0.1}", "0.5"},
        {"lr", "{from: 1e-3, to: 5e-3, step: 2e-3}", "0.001 0.003 0.005"},
        {"lr", "{from: 0.7, to: 0.9, step: 0.1}", "0.7 0.8 0.9"},
        {"base_e", "{from: 32, to: 128, step: 32}", "32 64 96 128"},
        {"base_e", "{from: 3e1, to: 50, step: 10}", "30 40 50"},
        {"epochs", "{from: 1, to: 9, step: 5}", "1 6"},
        {"lr", "{from: 0.1234567890123456789, to: 0.2, step: 0.05}",
         "0.12345678901234568 0.17345678901234568"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct spec s;
        struct strbuf text = STRBUF_INIT, values = STRBUF_INIT;
        strbuf_printf(&text, HEAD "sweep: [{id: a, grid: {%s: %s}}]\n", table[i].key, table[i].range);
        parse(text.text, &s);
        const struct axis *axis = &s.blocks[0].grid[0];
        for (int k = 0; k < axis->count; k++)
            strbuf_printf(&values, "%s%s", k ? " " : "", axis->values[k].text);
        assert_string_equal(values.text, table[i].values);
        strbuf_release(&values);
        strbuf_release(&text);
        spec_release(&s);
    }
    assert_int_equal(mem_live(), 0);
}

static void check_input(const char *data, const char *base, const char *input, const char *classes)
{
    struct spec s;
    struct strbuf text = STRBUF_INIT;
    strbuf_printf(&text, "version: 1\nname: t\ndata: {path: d, %s}\n%s", data, base);
    parse(text.text, &s);
    check_key(&s.base, "input", input);
    check_key(&s.base, "classes", classes);
    strbuf_release(&text);
    spec_release(&s);
}

/* Shape and classes: what the spec says, else what the format fixes, else the preset's. */
static void test_input_defaults(void **state)
{
    (void)state;
    check_input("format: idx", "", "1x28x28", "10");
    check_input("format: idx", "base: {preset: squeezenet-1.0}\n", "1x28x28", "10");
    check_input("format: idx", "base: {classes: 47}\n", "1x28x28", "47");
    check_input("format: idx", "base: {input: 1x32x32}\n", "1x32x32", "10");
    check_input("format: cifar10", "", "3x32x32", "10");
    check_input("format: cifar100", "base: {preset: squeezenet-1.1}\n", "3x32x32", "100");
    check_input("format: image-folder", "", "3x32x32", "10");
    check_input("format: image-folder", "base: {preset: squeezenet-1.1}\n", "3x227x227", "1000");
    check_input("format: image-folder, resize: 64x96", "base: {preset: squeezenet-1.1}\n", "3x64x96", "1000");
    check_input("format: image-folder, resize: 64x64", "base: {input: 1x64x64, classes: 2}\n", "1x64x64",
                "2");
    assert_int_equal(mem_live(), 0);
}

static void test_fires(void **state)
{
    (void)state;
    struct spec s;
    parse(HEAD "base: {fires: [[1,2,3],[2,0,4],[3,4,0],[4,5,6],[5,6,7],[6,7,8],[7,8,9],[8,9,10]]}\n", &s);
    check_key(&s.base, "fires", "1/2/3,2/0/4,3/4/0,4/5/6,5/6/7,6/7/8,7/8/9,8/9/10");
    assert_true(s.base.design.explicit_fires);
    assert_int_equal(s.base.design.fires[1].e1x1, 0);
    assert_int_equal(s.base.design.fires[7].s1x1, 8);
    assert_int_equal(s.base.design.fires[7].e1x1, 9);
    assert_int_equal(s.base.design.fires[7].e3x3, 10);
    spec_release(&s);
    parse(HEAD "base: {pools: []}\n", &s);
    check_key(&s.base, "pools", "none");
    assert_int_equal(s.base.design.macro.pools, 0);
    spec_release(&s);
    parse(HEAD "base: {pools: ' fire8 , conv1 '}\n", &s);
    check_key(&s.base, "pools", "conv1,fire8");
    spec_release(&s);
    assert_int_equal(mem_live(), 0);
}

static void write_spec(const char *path, const char *data)
{
    struct strbuf text = STRBUF_INIT;
    strbuf_printf(&text, "version: 1\nname: t\ndata:\n  format: idx\n  path: \"%s\"\n", data);
    scratch_write(path, text.text);
    strbuf_release(&text);
}

static void test_files(void **state)
{
    scratch_path spec_path, data_path, message;
    struct spec s;
    struct err e = ERR_INIT;
    scratch_name(spec_path, state, "a.yaml");
    write_spec(spec_path, (const char *)*state);
    assert_int_equal(spec_load(spec_path, &s, &e), ST_OK);
    assert_int_equal(spec_check_data(&s, &e), ST_OK);
    spec_release(&s);

    scratch_name(data_path, state, "none");
    write_spec(spec_path, data_path);
    assert_int_equal(spec_load(spec_path, &s, &e), ST_OK);
    assert_int_equal(spec_check_data(&s, &e), ST_USAGE);
    snprintf(message, sizeof message, "%.300s:5:9: data.path: \"", spec_path);
    assert_memory_equal(e.text, message, strlen(message));
    assert_non_null(strstr(e.text, "No such file"));
    spec_release(&s);

    write_spec(spec_path, spec_path);
    assert_int_equal(spec_load(spec_path, &s, &e), ST_OK);
    assert_int_equal(spec_check_data(&s, &e), ST_USAGE);
    assert_non_null(strstr(e.text, ":5:9: data.path: "));
    assert_non_null(strstr(e.text, "is no folder"));
    spec_release(&s);
    assert_int_equal(mem_live(), 0);
}

/* The specs that come with the program: each loads, expands, and asks for figures of its own blocks. */
static void test_experiments(void **state)
{
    (void)state;
    glob_t found = {0};
    assert_int_equal(glob("experiments/*.yaml", 0, NULL, &found), 0);
    assert_int_equal(glob("experiments/*/*.yaml", GLOB_APPEND, NULL, &found), 0);
    assert_true(found.gl_pathc >= 20);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct spec s;
        struct space space = {0};
        struct err e = ERR_INIT;
        if (spec_load(found.gl_pathv[i], &s, &e) != ST_OK || space_build(&s, &space, &e) != ST_OK)
            fail_msg("%s", e.text);
        assert_true(space.trial_count >= 2);
        space_release(&space);
        spec_release(&s);
    }
    globfree(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_smallest),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_styles),
        cmocka_unit_test(test_empty_lists),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_fires),
        cmocka_unit_test(test_input_defaults),
        cmocka_unit_test_setup_teardown(test_files, scratch_setup, scratch_teardown),
        cmocka_unit_test(test_experiments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
