/* `firesweep run` under a limit of address space, as `ulimit -v` and prlimit set it: whatever the limit, an
 * error that says so; attempts without memory are recorded, the rest is trained, and without the limit the
 * same command continues. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "sandbox.h"

static const size_t mib = 1 << 20;

/* A small network and one that is too large for what the limit leaves. */
static const char two[] = "sweep: [{id: two, list: [{base_e: 8}, {base_e: 256, incr_e: 128}]}]\n"
                          "train: {epochs: 1, batch: 8}\n"
                          "run: {workers: 1, threads: 1, retries: 0, measure: false}\n";

static void limit(void *context)
{
    const struct rlimit bytes = {*(const size_t *)context, *(const size_t *)context};
    setrlimit(RLIMIT_AS, &bytes);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
}

static int run_limited(const char *spec, const char *db, size_t bytes)
{
    return run_wait(run_start_prepared(spec, db, NULL, limit, &bytes));
}

static void test_one_trial_has_no_memory(void **state)
{
    (void)state;
    FILE *f = fopen("two.yaml", "we");
    assert_non_null(f);
    fprintf(f,
            "version: 1\nname: two\n"
            "data: {format: idx, path: data, val: 8, train_limit: 8, test_limit: 8}\n"
            "base: {preset: small32, input: 1x12x12, classes: 4, conv1_filters: 8, base_e: 8, incr_e: 4}\n%s",
            two);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(run("two", "free"), 0);
    char *expected = db_metrics("free");

    assert_int_equal(run_limited("two", "limited", 80 * mib), 1);
    assert_int_equal(db_int("limited", "SELECT count(*) FROM trial WHERE state = 'done'"), 1);
    assert_int_equal(db_int("limited", "SELECT count(*) FROM trial WHERE state = 'failed'"), 1);
    db_assert_text("limited", "SELECT message FROM attempt WHERE outcome <> 'done'", "out of memory");
    db_assert_text("limited", "SELECT message FROM trial WHERE state = 'failed'", "out of memory");
    assert_true(output_holds("limited", "out of memory"));

    assert_int_equal(run("two", "limited"), 0);
    char *metrics = db_metrics("limited");
    assert_string_equal(metrics, expected);
    assert_int_equal(db_int("limited", "SELECT count(*) FROM attempt"), 3);
    free(metrics);
    free(expected);
}

/* From a limit that the program itself just fits in to one that is enough: never a crash. */
static void test_any_limit(void **state)
{
    (void)state;
    spec_write("any", "train: {epochs: 1, batch: 80}\nrun: {threads: 1, retries: 0, measure: false}\n");
    assert_int_equal(run("any", "whole"), 0);
    char *expected = db_metrics("whole");
    int code = 1, refused = 0;
    for (size_t bytes = 16 * mib; code != 0; bytes += 2 * mib) {
        assert_true(bytes < 1024 * mib);
        remove("any.out");
        code = run_limited("any", "any", bytes);
        if (code > 2 && code != 127) /* 127: the loader finds no room for the program's libraries */
            fail_msg("with %zu MiB: exit code %d: %s", bytes / mib, code, output("any"));
        refused += code == 1;
        assert_true(code == 0 || strlen(output("any")) > 0);
    }
    assert_true(refused > 0);
    char *metrics = db_metrics("any");
    assert_string_equal(metrics, expected);
    free(metrics);
    free(expected);
}

int main(void)
{
#ifdef WITH_SANITIZER
    print_message("skipped: sanitizers reserve terabytes of address space\n");
    return 77;
#endif
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_trial_has_no_memory),
        cmocka_unit_test(test_any_limit),
    };
    return cmocka_run_group_tests(tests, sandbox_setup, sandbox_teardown);
}
