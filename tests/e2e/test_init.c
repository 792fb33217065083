/* `firesweep init` and `validate`: a spec to start from that is right, and all that is wrong with another. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "program.h"
#include "sandbox.h"
#include "synthetic.h"

static void test_starter_specs_are_right(void **state)
{
    (void)state;
    static const char *const presets[] = {"small32", "squeezenet-1.0", "squeezenet-1.1"};
    for (int i = 0; i < 3; i++) {
        char file[32];
        snprintf(file, sizeof file, "start-%d.yaml", i);
        struct outcome o = RUN("init", "--preset", presets[i], "-o", file);
        assert_int_equal(o.code, 0);
        outcome_release(&o);
        o = RUN("validate", file, "--no-data");
        assert_int_equal(o.code, 0);
        assert_holds(o.out, "fine: 6 trials"); /* SR 0.5 at full width stands in both blocks */
        outcome_release(&o);
        struct json_object *plan = JSON("plan", file, "--format", "json");
        assert_int_equal(json_int_at(plan, "totals.trials"), 6);
        json_object_put(plan);
        o = RUN("init", "--preset", presets[i], "-o", "-");
        assert_holds(o.out, presets[i]);
        assert_holds(o.out, "# A sweep spec");
        outcome_release(&o);
    }
}

static void test_never_overwrites(void **state)
{
    (void)state;
    struct outcome o = RUN("init");
    assert_int_equal(o.code, 0);
    assert_string_equal(o.out, "sweep.yaml\n");
    outcome_release(&o);
    /* Two specs are two sweeps. */
    o = RUN("init", "-o", "other one.yaml");
    assert_int_equal(o.code, 0);
    outcome_release(&o);
    o = RUN("init", "-o", "narrow.yaml");
    assert_int_equal(o.code, 0);
    outcome_release(&o);
    struct json_object *narrow = JSON("plan", "narrow.yaml", "--format", "json"),
                       *other = JSON("plan", "other one.yaml", "--format", "json");
    assert_string_equal(json_text_at(narrow, "totals.sweep"), "narrow");
    assert_string_equal(json_text_at(other, "totals.sweep"), "sweep");
    json_object_put(narrow);
    json_object_put(other);
    text_write("sweep.yaml", "mine");
    EXPECT_ERROR(1, "sweep.yaml exists", "init");
    struct stat s;
    assert_int_equal(stat("sweep.yaml", &s), 0);
    assert_int_equal(s.st_size, 4);
    assert_int_equal(symlink("nowhere", "link.yaml"), 0);
    EXPECT_ERROR(1, "link.yaml exists", "init", "-o", "link.yaml");
    EXPECT_ERROR(1, "no/folder", "init", "-o", "no/folder/x.yaml");
    EXPECT_ERROR(2, "squeezenet-1.0", "init", "--preset", "vgg");
}

static const char bad_spec[] = "version: 1\n"
                               "name: bad\n"
                               "data: {format: idxx, path: absent, val: -3}\n"
                               "base: {preset: small32, SR: 1.5, foo: 2}\n"
                               "sweep:\n"
                               "  - {id: one, grid: {SR: [0.5, 2, x]}}\n"
                               "  - id: two\n"
                               "    grid: {pct3x3: [0.5, 7], lr: [0.1]}\n"
                               "  - {id: two, zip: {base_e: [1, 2], incr_e: [1]}}\n"
                               "train: {epochs: 0, batch: many}\n"
                               "constraints: [\"size <= 3\"]\n"
                               "plots:\n"
                               "  - {kind: pie}\n"
                               "  - {kind: heatmap, x: params}\n"
                               "  - {kind: edf, x: fun}\n"
                               "  - {kind: timeline, y: macs}\n"
                               "  - {kind: curve, x: SR}\n";

static void test_all_problems_with_positions(void **state)
{
    (void)state;
    static const struct {
        int line, column;
        const char *text;
    } expected[] = {
        {3, 16, "data.format: \"idxx\" is unknown"},
        {3, 28, "data.path: \"absent\": No such file"},
        {3, 41, "data.val: \"-3\" is out of range"},
        {4, 29, "base.SR: \"1.5\" is out of range"},
        {4, 34, "base: unknown key \"foo\""},
        {6, 32, "\"2\" is out of range"},
        {6, 35, "\"x\""},
        {8, 26, "sweep.two.grid.pct3x3: \"7\" is out of range"},
        {9, 10, "two is also the id of the block in line 7"},
        {9, 37, "sweep.block-3.zip.incr_e: has 1 value but base_e has 2"},
        {10, 17, "train.epochs: \"0\" is out of range"},
        {10, 27, "train.batch: \"many\" is not a whole number"},
        {11, 16, "constraints: \"size\" is unknown"},
        {13, 12, "\"pie\" is unknown"},
        {14, 24, "plots.heatmap.x: \"params\" is no axis"},
        {15, 20, "plots.edf.x: unknown column \"fun\"; known are model_mib"},
        {16, 25, "plots.timeline.y: timeline takes no y"},
    };
    enum { EXPECTED = sizeof expected / sizeof *expected };
    text_write("bad.yaml", bad_spec);
    struct outcome o = RUN("validate", "bad.yaml", "--format", "json");
    assert_int_equal(o.code, 1);
    assert_holds(o.err, "validate: 17 problems");
    struct json_object *answer = json_tokener_parse(o.out), *rows = json_at(answer, "problems");
    assert_int_equal(json_object_array_length(rows), EXPECTED);
    assert_int_equal(json_object_array_length(json_at(answer, "notes")), 0);
    for (size_t i = 0; i < EXPECTED; i++) {
        assert_int_equal(json_int_at(json_row(rows, i), "line"), expected[i].line);
        assert_int_equal(json_int_at(json_row(rows, i), "column"), expected[i].column);
        assert_holds(json_text_at(json_row(rows, i), "problem"), expected[i].text);
    }
    json_object_put(answer);
    outcome_release(&o);
    o = RUN("validate", "bad.yaml");
    assert_int_equal(o.code, 1);
    assert_holds(o.out, "bad.yaml:10:27: train.batch: ");
    outcome_release(&o);
}

/* Keys that are missing do not hide the other problems. */
static void test_missing_keys(void **state)
{
    (void)state;
    static const struct {
        const char *text, *places, *count;
    } table[] = {
        {"version: 1\nbananas: 1\nbase: {SR: 3}\ndata: {path: x}\nsweep:\n  - {grid: {lr: [-1]}}\n"
         "  - {id: r, random: {seed: 1}, params: {SR: [2]}}\nplots: [{x: SR}, {kind: pie}]\n",
         "1:1 name, 2:1 unknown key \"bananas\"; allowed, 3:12 base.SR, 4:7 data.format, 6:5 sweep[0].id, "
         "6:18 sweep.block-1.grid.lr, 7:21 sweep.r.random.n, 7:46 sweep.r.params.SR, 8:9 plots[0].kind, "
         "8:25 plots[1].kind, ",
         "validate: 10 problems"},
        {"base: {SR: 3}\nsearch: {eta: 1}\nrun: {keep: best}\n",
         "1:1 version, 1:1 name, 1:1 data, 1:12 base.SR, 2:15 search.eta, ", "validate: 5 problems"},
        /* A key under a wrong name is not missing, too; and entries count as in the file. */
        {"version: 1\nnmae: x\ndata: {format: idx, pth: d}\nsweep:\n  - x\n  - {ID: a}\n"
         "  - {id: b, random: {N: 2, seed: 1}, params: {SR: [1]}}\n  - {id: c, lhs: {n: 2}, params: {SR: "
         "[1]}}\n",
         "2:1 unknown key \"nmae\", did you mean name?; allowed, 3:21 data, 5:5 sweep[0], 6:6 sweep[1], "
         "7:22 sweep.b.random, 8:13 sweep.c.lhs, ",
         "validate: 6 problems"},
        {"version: 1\nname: x\nname: x\ndata: {format: idx, path: d, path: e}\ntrain: {lr: 0}\n",
         "3:1 name, 4:30 data.path, 5:13 train.lr, ", "validate: 3 problems"},
        /* Where a block or figure begins, its first key does, too. */
        {"version: 1\nname: t\ndata: {format: idx, path: d}\nsweep:\n  - id: one\n    params:\n      SR: "
         "[0.5]\n"
         "  - id: two\n    random: {n: 2}\n  - id: big\n    grid:\n      epochs: {from: 1, to: 1001, step: "
         "1}\n"
         "      batch: {from: 1, to: 1001, step: 1}\nconstraints: [SR > ]\nplots:\n  - kind: heatmap\n    x: "
         "params\n"
         "  - kind: timeline\n    y: macs\ntrain: {lr: 0}\n",
         "5:5 sweep.one.random, 8:5 sweep.two.params, 10:5 sweep, 14:19 constraints, 17:8 plots.heatmap.x, "
         "19:8 plots.timeline.y, 20:13 train.lr, ",
         "validate: 7 problems"},
        {"version: 1\nname: x\ndata: {format: idx, path: d}\nconstraints:\n  - params < 1M\n    and SRR < "
         "1\n  - SR > 2 or\n"
         "train: {lr: 0}\n",
         "6:9 constraints, 7:14 constraints, 8:13 train.lr, ", "validate: 3 problems"},
        {"version: 1\nname: x\ndata: 3\ntrain: {epoch: 3}\n", "3:7 data, 4:9 train, ",
         "validate: 2 problems"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char found[1024] = "", *rest = NULL;
        text_write("gaps.yaml", table[i].text);
        struct outcome o = RUN("validate", "gaps.yaml", "--no-data");
        for (char *line = strtok_r(o.out, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
            char place[16], key[64];
            assert_int_equal(sscanf(line, "gaps.yaml:%15[0-9:] %63[^:]", place, key), 2);
            place[strlen(place) - 1] = '\0'; /* its last colon */
            snprintf(found + strlen(found), sizeof found - strlen(found), "%s %s, ", place, key);
        }
        assert_string_equal(found, table[i].places);
        assert_holds(o.err, table[i].count);
        assert_null(strstr(o.err, "at least"));
        outcome_release(&o);
    }
}

/* What is said of a list counts the values that were wrong, too, and follows from nothing that was left out.
 */
static void test_lists_with_wrong_values(void **state)
{
    (void)state;
    text_write("lists.yaml", "version: 1\nname: lists\ndata: {format: idx, path: data}\nsweep:\n"
                             "  - {id: a, zip: {base_e: [8, 0, 32, -1], incr_e: [8, 16, 32]}}\n"
                             "  - {id: b, zip: {base_e: [8, 0, 32], incr_e: [8, 16, 32]}}\n"
                             "  - {id: c, random: {n: 2}, params: {SR: {uniform: [0.1, 2]}}}\n");
    struct outcome o = RUN("validate", "lists.yaml");
    assert_int_equal(o.code, 1);
    assert_string_equal(
        o.out, "lists.yaml:5:31: sweep.a.zip.base_e: \"0\" is out of range, allowed: a whole number from 1 "
               "to 65536\n"
               "lists.yaml:5:38: sweep.a.zip.base_e: \"-1\" is out of range, allowed: a whole number from 1 "
               "to 65536\n"
               "lists.yaml:5:43: sweep.a.zip.incr_e: has 3 values but base_e has 4, allowed: equal lengths\n"
               "lists.yaml:6:31: sweep.b.zip.base_e: \"0\" is out of range, allowed: a whole number from 1 "
               "to 65536\n"
               "lists.yaml:7:58: sweep.c.params.SR: \"2\" is out of range, allowed: 0 < SR <= 1\n");
    assert_holds(o.err, "validate: 5 problems");
    outcome_release(&o);
}

/* One mistake is one problem: what only follows from it is not told. */
static void test_what_follows_is_not_told(void **state)
{
    (void)state;
    static const struct {
        const char *sweep, *problems; /* the places and texts, one a line; what is allowed is left out */
    } table[] = {
        {"sweep: [{id: r, random: {nn: 4}, params: {SR: {uniform: [0.1, 0.2]}}}]\n"
         "plots: [{kind: curve, block: r, x: SR}]\n",
         "one.yaml:4:26: sweep.r.random: unknown key \"nn\"\n"},
        {"sweep: [{id: a}, {id: b, grid: {input: [1x2x2]}}]\nplots: [{kind: edf, block: b}, {kind: edf, "
         "block: "
         "c}]\n",
         "one.yaml:4:41: sweep.b.grid.input: crop_pad: 4 is out of range for images of 2x2\n"
         "one.yaml:5:51: plots.edf.block: there is no block c\n"},
        {"sweep: {id: a, grid: {SR: [0.1, 0.2]}}\nplots: [{kind: curve, block: a}]\n",
         "one.yaml:4:8: sweep: a mapping where a list of blocks is needed\n"},
        {"sweep: [{id: a, set: {fires: [[1,2,3],[1,2,3],[1,2,3],[1,2,3],[1,2,3],[1,2,3],[1,2,3],[1,2,3]]}, "
         "grid: "
         "{SR: [0.1, 0.2]}}]\n",
         "one.yaml:4:105: sweep.a.grid.SR: has no effect beside explicit `fires`\n"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char text[512], found[1024] = "", *rest = NULL;
        snprintf(text, sizeof text, "version: 1\nname: one\ndata: {format: idx, path: data}\n%s",
                 table[i].sweep);
        text_write("one.yaml", text);
        struct outcome o = RUN("validate", "one.yaml", "--no-data");
        for (char *line = strtok_r(o.out, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
            char *end = strstr(line, "; allowed"), *other = strstr(line, ", allowed"),
                 *colon = strstr(line, ": allowed");
            end = end ? end : other ? other : colon;
            snprintf(found + strlen(found), sizeof found - strlen(found), "%.*s\n",
                     (int)(end ? (size_t)(end - line) : strlen(line)), line);
        }
        assert_string_equal(found, table[i].problems);
        outcome_release(&o);
    }
}

static void test_nothing_left(void **state)
{
    (void)state;
    text_write("none.yaml", "version: 1\nname: none\ndata: {format: idx, path: .}\n"
                            "sweep:\n  - {id: a, grid: {SR: [0.25, 0.5]}}\nexclude: [SR < 0.7]\n");
    struct outcome o = RUN("validate", "none.yaml", "--no-data");
    assert_int_equal(o.code, 1);
    assert_string_equal(
        o.out,
        "none.yaml:6:11: constraints or exclude leave out all 2 trials, the first by \"exclude: SR < 0.7\": "
        "nothing to train; `firesweep plan --only skipped` lists them\n");
    assert_holds(o.err, "validate: 1 problem");
    outcome_release(&o);
    o = RUN("plan", "none.yaml"); /* lists them, and says so */
    assert_int_equal(o.code, 0);
    assert_holds(o.out, "Note: none.yaml:6:11: constraints or exclude leave out all 2 trials");
    outcome_release(&o);
    text_write("none.yaml",
               "version: 1\nname: none\ndata: {format: idx, path: .}\nconstraints: [params < 1]\n");
    o = RUN("validate", "none.yaml", "--no-data");
    assert_string_equal(o.out,
                        "none.yaml:4:15: constraints or exclude leave out the only trial, by \"params < "
                        "1\": nothing to train\n");
    outcome_release(&o);
}

/* Blocks that fail for the reason of the base are not told apart from it, and a wrong format says nothing of
 * the files. */
static void test_one_reason_is_one_problem(void **state)
{
    (void)state;
    text_write("same.yaml", "version: 1\nname: same\ndata: {format: mnist, path: data}\n"
                            "base: {input: 1x12x12, classes: 4, conv1_kernel: 33, conv1_pad: 0}\n"
                            "sweep: [{id: a, grid: {SR: [0.5]}}]\n");
    struct outcome o = RUN("validate", "same.yaml");
    assert_holds(o.out, "same.yaml:3:16: data.format: \"mnist\" is unknown");
    assert_holds(o.out, "same.yaml:4:50: base.conv1_kernel: conv1: the map shrinks to nothing");
    assert_holds(o.err, "validate: 2 problems");
    outcome_release(&o);
}

/* What `plan` says first is what validate says first. */
static void test_one_problem(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "version: 1\nname: [x\n",
        "version: 1\nbase: {SR: 3}\n",
        "version: 1\nname: x\ndata: {format: idx, path: data}\nsweep:\n  - grid: {SR: [0.5]}\n",
        ("version: 1\nname: x\ndata: {format: idx, path: data}\n"
         "base: {input: 1x4x4, preset: squeezenet-1.0}\n"),
        "",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        text_write("one.yaml", texts[i]);
        struct outcome plan = RUN("plan", "one.yaml"), o = RUN("validate", "one.yaml");
        assert_int_equal(plan.code, 2);
        assert_int_equal(o.code, 1);
        o.out[strcspn(o.out, "\n")] = '\0'; /* the first line */
        assert_true(strlen(o.out) > 0);
        assert_holds(plan.err, o.out);
        outcome_release(&plan);
        outcome_release(&o);
    }
}

static void test_status(void **state)
{
    (void)state;
    spec_write("good", "seeds: [1, 2]\n");
    struct outcome o = RUN("validate", "good.yaml");
    assert_int_equal(o.code, 0);
    assert_string_equal(o.out, "good.yaml: fine: 2 trials\n");
    outcome_release(&o);
    struct json_object *answer = JSON("validate", "good.yaml", "--format", "json");
    assert_int_equal(json_object_array_length(json_at(answer, "problems")), 0);
    assert_int_equal(json_object_array_length(json_at(answer, "notes")), 0);
    json_object_put(answer);
    EXPECT_ERROR(1, "absent.yaml", "validate", "absent.yaml");
    EXPECT_ERROR(2, "missing argument", "validate");
    EXPECT_ERROR(2, "--format", "validate", "good.yaml", "--format", "xml");
}

/* The data has images of 1x12x12 in 4 classes: as run would say, but before anything is loaded. */
static void test_data_that_does_not_fit(void **state)
{
    (void)state;
    static const struct {
        const char *base, *place, *message;
    } wrong[] = {
        {"input: 1x12x12, classes: 10", "4:33: base.classes",
         "1x12x12 (CxHxW) in 10 classes, but data holds images of 1x12x12 in 4"},
        {"input: 1x28x28, classes: 4", "4:15: base.input",
         "1x28x28 (CxHxW) in 4 classes, but data holds images of 1x12x12 in 4"},
        {"preset: small32, input: 1x12x12", "3:16: data.format",
         "1x12x12 (CxHxW) in 10 classes, but data holds images of 1x12x12 in 4"},
        {"input: 3x12x12, classes: 4", "4:15: base.input",
         "3x12x12 (CxHxW) in 4 classes, but data holds images of 1x12x12 in 4"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char text[256];
        snprintf(text, sizeof text, "version: 1\nname: fit\ndata: {format: idx, path: data}\nbase: {%s}\n",
                 wrong[i].base);
        text_write("fit.yaml", text);
        EXPECT_ERROR(2, wrong[i].message, "plan", "fit.yaml");
        EXPECT_ERROR(2, wrong[i].message, "run", "fit.yaml", "--db", "fit.db");
        struct outcome o = RUN("validate", "fit.yaml");
        assert_int_equal(o.code, 1);
        char start[128];
        snprintf(start, sizeof start, "fit.yaml:%s: the networks are for images of ", wrong[i].place);
        assert_holds(o.out, start);
        assert_holds(o.out, wrong[i].message);
        outcome_release(&o);
        o = RUN("validate", "fit.yaml", "--no-data");
        assert_string_equal(o.out, "fit.yaml: fine: 1 trial; the data was not looked at\n");
        outcome_release(&o);
    }
    text_write("fit.yaml", "version: 1\nname: fit\ndata: {format: idx, path: data}\n"
                           "base: {input: 1x12x12, classes: 4}\n"
                           "sweep:\n  - {id: a, grid: {classes: [4, 5]}}\n");
    EXPECT_ERROR(2,
                 "fit.yaml:6:33: sweep.a.grid.classes: the networks are for images of 1x12x12 (CxHxW) in 5",
                 "plan", "fit.yaml");
    /* Two names of one network: the first is left out, so the mistake is where the other one is made. */
    text_write("fit.yaml", "version: 1\nname: fit\ndata: {format: idx, path: data}\n"
                           "base: {input: 1x12x12, classes: 4, base_e: 8, incr_e: 0}\n"
                           "sweep:\n  - {id: a, grid: {classes: [5], SR: [0.5]}}\n"
                           "  - {id: b, grid: {classes: [5], SR: [0.51]}}\n"
                           "exclude: [SR = 0.5]\n");
    EXPECT_ERROR(2, "fit.yaml:7:30: sweep.b.grid.classes: the networks are for", "plan", "fit.yaml");
    text_write("fit.yaml", "version: 1\nname: fit\ndata: {format: cifar10, path: data}\n");
    struct outcome o = RUN("validate", "fit.yaml");
    assert_int_equal(o.code, 1);
    assert_holds(o.out, "fit.yaml:3:31: data: cannot read data/data_batch_1.bin: No such file");
    outcome_release(&o);
    o = RUN("plan", "fit.yaml");
    assert_int_equal(o.code, 0);
    assert_holds(o.out, "Note: cannot read data/data_batch_1.bin: No such file or directory; so the images "
                        "were not compared");
    outcome_release(&o);
}

static void expect_no_training_images(const char *format, const char *path, const char *input, int images,
                                      const char *place)
{
    char text[256], message[160];
    snprintf(text, sizeof text,
             "version: 1\nname: none\ndata: {format: %s, path: %s, val: %d}\n"
             "base: {input: %s, classes: 4}\n",
             format, path, images, input);
    text_write("none.yaml", text);
    snprintf(message, sizeof message,
             "none.yaml:3:%s: data.val: %d leaves none of the %d training images of %s, allowed: 0 to %d",
             place, images, images, path, images - 1);
    EXPECT_ERROR(2, message, "plan", "none.yaml");
    EXPECT_ERROR(2, message, "run", "none.yaml", "--db", "none.db");
    struct outcome o = RUN("validate", "none.yaml");
    assert_int_equal(o.code, 1);
    assert_int_equal(strncmp(o.out, message, strlen(message)), 0);
    assert_string_equal(o.out + strlen(message), "\n"); /* nor does a batch exceed the images that are left */
    outcome_release(&o);
}

/* Validation that would take all images is an error of the spec, at its place. */
static void test_val_that_leaves_no_training_images(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    assert_int_equal(synthetic_image_folder("folder", 4, 2, 1, 12, 1, &e), ST_OK);
    expect_no_training_images("idx", "data", "1x12x12", 400, "38");
    expect_no_training_images("image-folder", "folder", "3x12x12", 8, "49");
    /* What else is wrong with the spec does not hide it, and what is wrong with the files comes first. */
    text_write("none.yaml", "version: 1\nname: none\ndata: {format: idx, path: data, val: 400}\n"
                            "base: {input: 1x12x12, classes: 4, SR: 7}\n");
    struct outcome o = RUN("validate", "none.yaml");
    assert_holds(o.out, "none.yaml:3:38: data.val: 400 leaves none");
    assert_holds(o.out, "base.SR: ");
    outcome_release(&o);
    text_write("none.yaml", "version: 1\nname: none\ndata: {format: cifar10, path: data, val: 50000}\n");
    EXPECT_ERROR(1, "data_batch_1.bin: No such file", "run", "none.yaml", "--db", "none.db");
}

static void test_short_random_block(void **state)
{
    (void)state;
    /* Nothing drawn is one problem, and nothing follows from it. */
    spec_write("short",
               "sweep: [{id: few, random: {n: 4}, params: {freq: [1, 2]}}]\nconstraints: [params < 9]\n");
    struct outcome none = RUN("validate", "short.yaml");
    assert_int_equal(none.code, 1);
    assert_holds(none.out, "short.yaml:5:27: block few: 0 of 4 points; of 10000 candidates 10000 removed by");
    assert_holds(none.err, "validate: 1 problem");
    outcome_release(&none);
    spec_write("short", "sweep: [{id: few, random: {n: 4}, params: {freq: {choice: [1, 2]}}}]\n");
    struct outcome o = RUN("validate", "short.yaml");
    assert_int_equal(o.code, 0);
    assert_holds(o.out, "short.yaml: fine: 2 trials\nNote: block few has 2 of 4 points; of ");
    outcome_release(&o);
    struct json_object *answer = JSON("validate", "short.yaml", "--format", "json");
    assert_int_equal(json_object_array_length(json_at(answer, "problems")), 0);
    assert_holds(json_text_at(json_row(json_at(answer, "notes"), 0), "note"),
                 "block few has 2 of 4 points; of ");
    json_object_put(answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_starter_specs_are_right),
        cmocka_unit_test(test_never_overwrites),
        cmocka_unit_test(test_what_follows_is_not_told),
        cmocka_unit_test(test_all_problems_with_positions),
        cmocka_unit_test(test_missing_keys),
        cmocka_unit_test(test_lists_with_wrong_values),
        cmocka_unit_test(test_nothing_left),
        cmocka_unit_test(test_one_problem),
        cmocka_unit_test(test_one_reason_is_one_problem),
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_data_that_does_not_fit),
        cmocka_unit_test(test_val_that_leaves_no_training_images),
        cmocka_unit_test(test_short_random_block),
    };
    return cmocka_run_group_tests(tests, sandbox_setup, sandbox_teardown);
}
