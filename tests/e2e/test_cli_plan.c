/* firesweep plan with and without a known speed of the machine. Nothing is measured here. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "engine/calibration.h"
#include "program.h"
#include "speed.h"

static const char spec_text[] = "version: 1\n"
                                "name: timed\n"
                                "data: {format: cifar10, path: nowhere, val: 5000}\n"
                                "base: {preset: small32, base_e: 16, incr_e: 16}\n"
                                "sweep: [{id: sr, grid: {SR: [0.25, 0.5, 1.0]}}]\n"
                                "seeds: [1, 2]\n"
                                "run: {workers: 2, threads: 1}\n"
                                "train: {epochs: 3}\n";

static char folder[] = "/tmp/firesweep-plan-XXXXXX";

static int setup(void **state)
{
    (void)state;
    if (!mkdtemp(folder) || chdir(folder) != 0 || setenv("XDG_CACHE_HOME", folder, 1) != 0)
        return -1;
    FILE *f = fopen("timed.yaml", "w");
    if (!f)
        return -1;
    fputs(spec_text, f);
    return fclose(f);
}

static int teardown(void **state)
{
    (void)state;
    char command[sizeof folder + 16];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return chdir("/") == 0 ? system(command) : -1;
}

static void test_without_a_speed(void **state)
{
    (void)state;
    EXPECT_ERROR(
        2,
        "plan: --only: \"nonsense\" is unknown, allowed are trials, blocks, totals, removed, skipped, "
        "aliases, changes, outside, budget, rungs, notes",
        "plan", "timed.yaml", "--only", "nonsense");
    struct json_object *plan = JSON("plan", "timed.yaml", "--format", "json");
    struct json_object *trials = json_at(plan, "trials");
    for (size_t i = 0; i < 6; i++) {
        assert_null(json_at(json_row(trials, i), "predicted_s"));
        assert_true(json_int_at(json_row(trials, i), "worker_bytes") > 16 << 20);
    }
    assert_true(json_int_at(json_row(trials, 5), "worker_bytes") ==
                json_int_at(plan, "totals.largest_worker_bytes"));
    json_object_put(plan);
    struct outcome o = RUN("plan", "timed.yaml");
    assert_int_equal(o.code, 0);
    assert_holds(o.out, "worker MiB");
    assert_holds(o.out, "firesweep plan --calibrate");
    assert_null(strstr(o.out, "predicted s"));
    outcome_release(&o);
}

static void test_with_a_speed(void **state)
{
    (void)state;
    keep_speed(1e-11);
    struct json_object *plan = JSON("plan", "timed.yaml", "--format", "json");
    struct json_object *trials = json_at(plan, "trials");
    double sum = 0, before = 0;
    for (size_t i = 0; i < 6; i++) {
        const double s = json_double_at(json_row(trials, i), "predicted_s");
        assert_true(i % 2 ? s == before : s > before); /* two seeds of each */
        before = s;
        sum += s;
        assert_true(fabs(json_double_at(json_row(trials, i), "predicted_low_s") - 0.95 * s) < 1e-9 * s);
        assert_true(fabs(json_double_at(json_row(trials, i), "predicted_high_s") - 1.05 * s) < 1e-9 * s);
    }
    const double core_s = json_double_at(plan, "totals.predicted_core_s"),
                 wall_s = json_double_at(plan, "totals.predicted_wall_s");
    assert_int_equal(json_int_at(plan, "totals.workers"), 2);
    assert_int_equal(json_int_at(plan, "totals.prediction_error_percent"), 5);
    assert_int_equal(json_int_at(plan, "totals.prediction_error_trials"), 0);
    assert_true(fabs(core_s - sum) < 1e-9 * sum && fabs(wall_s - sum / 2) < 1e-9 * sum);
    assert_holds(json_text_at(json_row(json_at(plan, "notes"), 0), "note"), "predictions were within 5 %");
    json_object_put(plan);
    struct outcome o = RUN("plan", "timed.yaml");
    assert_int_equal(o.code, 0);
    assert_holds(o.out, "predicted s");
    assert_null(strstr(o.out, " 0.0 ")); /* short trials: significant digits, not decimals */
    assert_holds(o.out, "predicted core-hours");
    assert_holds(o.out, "activation MiB, training");
    assert_holds(o.out, "predictions were within 5 % for 13 networks");
    assert_null(strstr(o.out, "--calibrate"));
    outcome_release(&o);
}

/* A prediction leaves out what a trial takes besides training: of short ones it says so. */
static void test_short_trials(void **state)
{
    (void)state;
    const char *const note = "starting a worker and writing its checkpoints";
    keep_speed(1e-9);
    struct outcome o = RUN("plan", "timed.yaml", "--only", "totals");
    assert_null(strstr(o.out, note));
    outcome_release(&o);
    keep_speed(1e-14);
    o = RUN("plan", "timed.yaml", "--only", "totals");
    assert_holds(o.out, note);
    outcome_release(&o);
}

/* A plan for a database that is still to be made says that it is not there. */
static void test_database_not_there(void **state)
{
    (void)state;
    const char *const note = "other.db is not there yet: nothing is done";
    struct outcome o = RUN("plan", "timed.yaml", "--db", "other.db");
    assert_int_equal(o.code, 0);
    assert_holds(o.out, note);
    outcome_release(&o);
    o = RUN("plan", "timed.yaml"); /* its default one needs no mention */
    assert_null(strstr(o.out, "is not there"));
    outcome_release(&o);
    EXPECT_ERROR(2, "compares with a results database, and other.db is not there", "plan", "timed.yaml",
                 "--db", "other.db", "--only", "changes");
}

/* A damaged file is as good as none, and no reason to fail. */
static void test_with_a_damaged_file(void **state)
{
    (void)state;
    char *path = calibration_path();
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("{\"version\": 1, \"speeds\": [", f);
    assert_int_equal(fclose(f), 0);
    mem_free(path);
    struct outcome o = RUN("plan", "timed.yaml");
    assert_int_equal(o.code, 0);
    assert_string_equal(o.err, "");
    assert_holds(o.out, "firesweep plan --calibrate");
    outcome_release(&o);
}

static char *read_doc(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", FIRESWEEP_DOCS, name);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    char *text = calloc(1, 1 << 18);
    assert_non_null(text);
    assert_true(fread(text, 1, (1 << 18) - 1, f) > 0);
    assert_int_equal(fclose(f), 0);
    return text;
}

/* The committed reference is what the program prints. */
static void test_reference_is_current(void **state)
{
    (void)state;
    char *text = read_doc("spec.md");
    struct outcome o = RUN("plan", "--reference");
    assert_int_equal(o.code, 0);
    if (strcmp(o.out, text) != 0)
        fail_msg("docs/spec.md is not current: firesweep plan --reference > docs/spec.md");
    outcome_release(&o);
    free(text);
}

static void write_spec(const char *name, const char *text, size_t n)
{
    FILE *f = fopen(name, "w");
    assert_non_null(f);
    assert_true(fwrite(text, 1, n, f) == n);
    assert_int_equal(fclose(f), 0);
}

/* Every spec in the text on design spaces is one. */
static void test_examples_run(void **state)
{
    (void)state;
    static const int trials[] = {45, 40, 15};
    char *text = read_doc("design-space.md");
    int count = 0;
    for (char *p = text; (p = strstr(p, "```yaml\n")) != NULL; count++) {
        p += strlen("```yaml\n");
        char *end = strstr(p, "```");
        assert_non_null(end);
        assert_true(count < 3);
        write_spec("example.yaml", p, (size_t)(end - p));
        struct json_object *plan = JSON("plan", "example.yaml", "--format", "json");
        assert_int_equal(json_int_at(plan, "totals.trials"), count < 3 ? trials[count] : -1);
        json_object_put(plan);
        p = end + 3;
    }
    assert_int_equal(count, 3);
    free(text);
}

/* So are those of a search: in the text, and the one to start from. */
static void test_search_examples_run(void **state)
{
    (void)state;
    char *text = read_doc("search.md"), *p = strstr(text, "```yaml\n");
    char *end = p ? strstr(p + 8, "```") : NULL;
    assert_non_null(end);
    write_spec("example.yaml", p + 8, (size_t)(end - p - 8));
    free(text);
    const char *const specs[] = {"example.yaml", FIRESWEEP_DOCS "/../experiments/search.yaml"};
    for (int i = 0; i < 2; i++) {
        struct json_object *plan = JSON("plan", specs[i], "--format", "json");
        struct json_object *rungs = json_at(plan, "rungs");
        assert_int_equal(json_object_array_length(rungs), 3);
        assert_int_equal(json_int_at(json_row(rungs, 0), "variants"), i == 0 ? 200 : 30);
        assert_int_equal(json_int_at(json_row(rungs, 0), "epochs"), 2);
        json_object_put(plan);
    }
}

/* A point has its other names once, whatever the seeds. */
static void test_aliases_of_a_point(void **state)
{
    (void)state;
    const char *text =
        "version: 1\nname: twice\ndata: {format: cifar10, path: nowhere, val: 5000}\n"
        "base: {preset: small32, base_e: 16, incr_e: 16}\n"
        "sweep: [{id: a, grid: {SR: [0.25, 0.5]}}, {id: b, set: {SR: 0.5}, grid: {pct3x3: [0.5]}}]\n"
        "seeds: [4, 2, 3]\n";
    write_spec("twice.yaml", text, strlen(text));
    struct json_object *aliases = JSON("plan", "twice.yaml", "--only", "aliases", "--format", "json");
    assert_int_equal(json_object_array_length(aliases), 1);
    assert_int_equal(json_int_at(json_row(aliases, 0), "trial"), 4); /* that of seed 4 */
    assert_string_equal(json_text_at(json_row(aliases, 0), "block"), "b");
    json_object_put(aliases);
}

static const char searched[] =
    "version: 1\nname: searched\ndata: {format: cifar10, path: nowhere, val: 5000}\n"
    "base: {preset: small32, base_e: 16, incr_e: 16}\n"
    "sweep:\n"
    "  - {id: sr, grid: {SR: [0.25, 0.251, 0.5, 1.0], freq: [2, 4]}, exclude: [freq == 4]}\n"
    "  - {id: few, random: {n: 9}, params: {freq: [1, 2, 3]}}\n"
    "constraints: [\"SR < 0.9\", \"freq != 3\"]\n";

/* What conditions removed, by condition; other names of a trial. */
static void test_removed(void **state)
{
    (void)state;
    write_spec("searched.yaml", searched, strlen(searched));
    struct json_object *plan = JSON("plan", "searched.yaml", "--format", "json");
    struct json_object *removed = json_at(plan, "removed"), *skipped = json_at(plan, "skipped");
    assert_int_equal(json_object_array_length(removed), 4);
    assert_string_equal(json_object_get_string(json_at(json_row(removed, 0), "condition")), "SR < 0.9");
    assert_int_equal(json_int_at(json_row(removed, 0), "trials"), 2);
    assert_string_equal(json_object_get_string(json_at(json_row(removed, 1), "condition")),
                        "exclude: freq == 4");
    assert_int_equal(json_int_at(json_row(removed, 1), "trials"), 2);
    assert_string_equal(json_object_get_string(json_at(json_row(removed, 2), "condition")), "freq != 3");
    assert_int_equal(json_int_at(json_row(removed, 2), "trials"), 0);
    assert_in_range(json_int_at(json_row(removed, 2), "candidates"), 3000, 3800);
    assert_int_equal(json_object_array_length(skipped), 4);
    /* SR 0.251 is another name of 0.25, not another trial. */
    struct json_object *blocks = json_at(plan, "blocks");
    assert_int_equal(json_int_at(json_row(blocks, 0), "trials"), 6);
    assert_int_equal(json_int_at(json_row(blocks, 0), "new"), 6);
    assert_int_equal(json_int_at(json_row(blocks, 0), "skipped"), 4);
    struct json_object *aliases = json_at(plan, "aliases");
    assert_true(json_object_array_length(aliases) >= 1);
    assert_string_equal(json_object_get_string(json_at(json_row(aliases, 0), "axes")), "SR=0.251 freq=2");
    assert_string_equal(json_object_get_string(json_at(json_row(aliases, 0), "same_as")), "SR=0.25 freq=2");
    json_object_put(plan);
    struct outcome o = RUN("plan", "searched.yaml");
    assert_int_equal(o.code, 0);
    assert_holds(o.out, "Note: block few has 2 of 9 points; of 10040 candidates ");
    outcome_release(&o);
}

/* What hardly anybody means is said by plan and validate alike. */
static void test_notes(void **state)
{
    (void)state;
    const char *text =
        "version: 1\nname: idle\ndata: {format: image-folder, path: nowhere, train_images: 100}\n"
        "sweep: [{id: a, grid: {beta2: [0.9, 0.99], batch: [50, 101]}}]\n";
    static const char
        beta[] = "idle.yaml:4:24: sweep.a.grid.beta2: has no effect, as no trial of this block has",
        batch[] = "idle.yaml:4:56: sweep.a.grid.batch: 101 is more than the 100 training images: each "
                  "step takes all of them";
    write_spec("idle.yaml", text, strlen(text));
    struct outcome o = RUN("plan", "idle.yaml");
    assert_int_equal(o.code, 0);
    assert_holds(o.out, beta);
    assert_holds(o.out, batch);
    outcome_release(&o);
    struct json_object *answer = JSON("validate", "idle.yaml", "--no-data", "--format", "json");
    assert_int_equal(json_object_array_length(json_at(answer, "notes")), 1);
    assert_holds(json_text_at(json_row(json_at(answer, "notes"), 0), "note"), beta);
    json_object_put(answer);
}

/* --budget: nothing fits into no time, everything into a long one; in between a beginning of the list. */
static void test_budget(void **state)
{
    (void)state;
    struct outcome o = RUN("plan", "timed.yaml", "--budget", "soon");
    assert_int_equal(o.code, 2);
    assert_holds(o.err, "not a time, allowed: more than 0, such as 90s");
    outcome_release(&o);
    setenv("XDG_CACHE_HOME", "/nonexistent", 1);
    o = RUN("plan", "timed.yaml", "--budget", "2h");
    assert_int_equal(o.code, 1);
    assert_holds(o.err, "--budget needs predicted times: firesweep plan --calibrate");
    outcome_release(&o);
    setenv("XDG_CACHE_HOME", folder, 1);
    keep_speed(1e-9);
    static const char none[] = "version: 1\nname: none\ndata: {format: cifar10, path: nowhere, val: 10, "
                               "train_images: 100, test_images: 10}\nconstraints: ['params < 1']\n";
    write_spec("none.yaml", none, strlen(none));
    o = RUN("plan", "none.yaml", "--budget", "2h");
    assert_holds(o.out, "Note: nothing is left to train.");
    outcome_release(&o);
    struct json_object *plan = JSON("plan", "timed.yaml", "--budget", "1000h", "--format", "json");
    assert_int_equal(json_int_at(plan, "budget.fit"), 6);
    assert_int_equal(json_int_at(plan, "budget.left_out"), 0);
    struct json_object *trials = json_at(plan, "trials");
    const double first = json_object_get_double(json_at(json_row(trials, 0), "predicted_s")),
                 third = json_object_get_double(json_at(json_row(trials, 2), "predicted_s"));
    json_object_put(plan);
    char time[32];
    snprintf(time, sizeof time, "%.6fs", first + third / 2); /* two seeds side by side, then not the third */
    plan = JSON("plan", "timed.yaml", "--budget", time, "--format", "json");
    assert_int_equal(json_int_at(plan, "budget.fit"), 2);
    assert_int_equal(json_int_at(plan, "budget.last_fitting_trial"), 2);
    assert_int_equal(json_int_at(plan, "budget.left_out"), 4);
    json_object_put(plan);
}

/* With a search, rungs fit or do not: 27 points of 1, 9 of 3 and 3 of 9 epochs on two workers. */
static void test_budget_of_a_search(void **state)
{
    (void)state;
    static const char text[] =
        "version: 1\nname: halved\ndata: {format: cifar10, path: nowhere, val: 5000}\n"
        "base: {preset: small32, base_e: 16, incr_e: 16}\n"
        "sweep: [{id: r, random: {n: 27}, params: {SR: {uniform: [0.1, 1]}}}]\n"
        "search: {method: successive_halving, eta: 3, min_epochs: 1}\nrun: {workers: 2, threads: 1}\n"
        "train: {epochs: 9}\n";
    write_spec("halved.yaml", text, strlen(text));
    keep_speed(1e-9);
    struct json_object *plan = JSON("plan", "halved.yaml", "--budget", "1000h", "--format", "json");
    struct json_object *rungs = json_at(plan, "rungs");
    double end[3], full = 0;
    for (size_t i = 0; i < 3; i++)
        end[i] = json_double_at(json_row(rungs, i), "predicted_end_s");
    for (size_t i = 0; i < 27; i++)
        full += json_double_at(json_row(json_at(plan, "trials"), i), "predicted_s");
    assert_true(end[0] > full / 9 / 2 && end[0] < full / 9 / 2 * 1.1);
    assert_true(fabs(end[1] - end[0] - 5 * full / 81) < 1e-6 * full); /* 9 on 2 workers: five rounds */
    assert_true(fabs(end[2] - end[1] - 2 * full / 27) < 1e-6 * full);
    assert_int_equal(json_int_at(plan, "budget.rungs"), 3);
    assert_int_equal(json_int_at(plan, "budget.rungs_fit"), 3);
    assert_true(fabs(json_double_at(plan, "budget.all_wall_s") - end[2]) < 1e-9 * end[2]);
    json_object_put(plan);
    char time[32];
    snprintf(time, sizeof time, "%.6fs", (end[1] + end[2]) / 2);
    struct json_object *budget =
        JSON("plan", "halved.yaml", "--budget", time, "--only", "budget", "--format", "json");
    struct outcome o = RUN("plan", "halved.yaml", "--only", "totals");
    assert_holds(o.out, "everything trained in full; the search trains less");
    outcome_release(&o);
    assert_int_equal(json_int_at(budget, "rungs_fit"), 2);
    assert_true(fabs(json_double_at(budget, "fit_wall_s") - end[1]) < 1e-9 * end[1]);
    json_object_put(budget);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reference_is_current),
        cmocka_unit_test(test_examples_run),
        cmocka_unit_test(test_search_examples_run),
        cmocka_unit_test(test_removed),
        cmocka_unit_test(test_without_a_speed),
        cmocka_unit_test(test_with_a_speed),
        cmocka_unit_test(test_with_a_damaged_file),
        cmocka_unit_test(test_notes),
        cmocka_unit_test(test_budget),
        cmocka_unit_test(test_budget_of_a_search),
        cmocka_unit_test(test_short_trials),
        cmocka_unit_test(test_aliases_of_a_point),
        cmocka_unit_test(test_database_not_there),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
