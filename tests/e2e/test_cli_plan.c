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

/* As if this machine had been measured. */
static void keep_speed(double seconds)
{
    struct calibration_key key;
    struct speed s;
    for (int k = 0; k < WORK_COUNT; k++)
        s.train[k] = s.infer[k] = seconds;
    calibration_key_init(&key);
    char *path = calibration_path();
    assert_int_equal(calibration_write(path, &key, &s, NULL), ST_OK);
    mem_free(path);
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
    }
    const double core_s = json_double_at(plan, "totals.predicted_core_s"),
                 wall_s = json_double_at(plan, "totals.predicted_wall_s");
    assert_int_equal(json_int_at(plan, "totals.workers"), 2);
    assert_true(fabs(core_s - sum) < 1e-9 * sum && fabs(wall_s - sum / 2) < 1e-9 * sum);
    json_object_put(plan);
    struct outcome o = RUN("plan", "timed.yaml");
    assert_int_equal(o.code, 0);
    assert_holds(o.out, "predicted s");
    assert_holds(o.out, "predicted core-hours");
    assert_null(strstr(o.out, "--calibrate"));
    outcome_release(&o);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_a_speed),
        cmocka_unit_test(test_with_a_speed),
        cmocka_unit_test(test_with_a_damaged_file),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
