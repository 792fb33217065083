/* The file of speeds: what is kept comes back, what is not ours does no harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/mem.h"
#include "engine/calibration.h"
#include "engine/trainer.h"

static char folder[] = "/tmp/firesweep-calibration-XXXXXX";
static char path[sizeof folder + 32];

static int setup(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/deep/er/speeds.json", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    char command[sizeof folder + 16];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static struct calibration_key some_key(int threads)
{
    return (struct calibration_key){
        .cpu = "A \"processor\"\\ of our own", .isa = "avx2", .numerics = "fp32-9", .threads = threads};
}

static struct speed some_speed(double unit)
{
    struct speed s;
    for (int k = 0; k < WORK_COUNT; k++) {
        s.train[k] = unit / (3 + k);
        s.infer[k] = k % 2 ? 0 : unit / (7 + k);
    }
    return s;
}

static void write_text(const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static void keep(int threads, double unit)
{
    const struct calibration_key key = some_key(threads);
    const struct speed s = some_speed(unit);
    struct err e = ERR_INIT;
    if (calibration_write(path, &key, &s, &e) != ST_OK)
        fail_msg("%s", e.text);
}

static bool kept(int threads, double unit)
{
    const struct calibration_key key = some_key(threads);
    const struct speed expected = some_speed(unit);
    struct speed s;
    bool same = calibration_read(path, &key, &s);
    for (int k = 0; same && k < WORK_COUNT; k++)
        same = s.train[k] == expected.train[k] && s.infer[k] == expected.infer[k];
    return same;
}

static void test_what_is_kept_comes_back(void **state)
{
    (void)state;
    struct speed s;
    struct calibration_key key = some_key(2);
    assert_false(calibration_read(path, &key, &s));
    keep(2, 1e-11);
    assert_true(kept(2, 1e-11));
    keep(4, 3e-11);
    keep(2, 2e-10); /* again */
    assert_true(kept(2, 2e-10) && kept(4, 3e-11));
    key.threads = 3;
    assert_false(calibration_read(path, &key, &s));
    key = some_key(2);
    strcpy(key.isa, "generic");
    assert_false(calibration_read(path, &key, &s));
    key = some_key(2);
    strcpy(key.numerics, "fp32-8");
    assert_false(calibration_read(path, &key, &s));
    key = some_key(2);
    key.cpu[0] = 'B';
    assert_false(calibration_read(path, &key, &s));
}

static void test_bad_files_are_ignored_and_replaced(void **state)
{
    (void)state;
    static const char *const files[] = {
        "",
        "{",
        "no JSON at all",
        "[]",
        "null",
        "{\"version\": 99, \"speeds\": []}",
        "{\"version\": \"1\", \"speeds\": []}",
        "{\"version\": 1}",
        "{\"version\": 1, \"speeds\": {}}",
        "{\"version\": 1, \"speeds\": [null, 1, [], {}, {\"cpu\": 1}]}",
    };
    const struct calibration_key key = some_key(2);
    struct speed s;
    keep(2, 1e-11);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        write_text(files[i]);
        assert_false(calibration_read(path, &key, &s));
        keep(2, 1e-11);
        assert_true(kept(2, 1e-11));
    }
}

/* "[first, other, other, ...]" */
static void repeat_number(const char *first, const char *other, char *out, size_t n)
{
    size_t used = (size_t)snprintf(out, n, "[%s", first);
    for (int k = 1; k < WORK_COUNT; k++)
        used += (size_t)snprintf(out + used, n - used, ", %s", other);
    snprintf(out + used, n - used, "]");
}

/* Our key, but not a speed: wrong count, wrong type, negative, all zero. */
static void test_bad_entries_are_ignored(void **state)
{
    (void)state;
    static const char *const numbers[] = {"[1, 2]", "null", "[]", "[\"1\"]", "7", NULL};
    const struct calibration_key key = {.cpu = "cpu", .isa = "avx2", .numerics = "fp32-9", .threads = 2};
    char text[2048], zeros[256], negative[256];
    struct speed s;
    repeat_number("0", "0", zeros, sizeof zeros);
    repeat_number("-1", "1", negative, sizeof negative);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers + 1; i++) {
        const char *bad = i < 5 ? numbers[i] : i == 5 ? zeros : negative;
        snprintf(text, sizeof text,
                 "{\"version\": 1, \"speeds\": [{\"cpu\": \"cpu\", \"isa\": \"avx2\", \"threads\": 2, "
                 "\"numerics\": \"fp32-9\", \"train\": %s, \"infer\": %s}]}",
                 bad, bad);
        write_text(text);
        assert_false(calibration_read(path, &key, &s));
    }
}

static void test_folders_that_cannot_be(void **state)
{
    (void)state;
    const struct calibration_key key = some_key(2);
    const struct speed s = some_speed(1e-11);
    struct err e = ERR_INIT;
    char below[sizeof path + 16];
    keep(2, 1e-11);
    snprintf(below, sizeof below, "%s/x.json", path); /* below a file */
    assert_int_not_equal(calibration_write(below, &key, &s, &e), ST_OK);
    assert_non_null(strstr(e.text, "speeds.json"));
    assert_true(kept(2, 1e-11));
}

static void test_place_and_key(void **state)
{
    (void)state;
    setenv("HOME", "/home/somebody", 1);
    setenv("XDG_CACHE_HOME", "/cache", 1);
    char *at = calibration_path();
    assert_string_equal(at, "/cache/firesweep/calibration.json");
    mem_free(at);
    setenv("XDG_CACHE_HOME", "relative", 1);
    at = calibration_path();
    assert_string_equal(at, "/home/somebody/.cache/firesweep/calibration.json");
    mem_free(at);
    unsetenv("XDG_CACHE_HOME");
    unsetenv("HOME");
    assert_null(calibration_path());
    struct speed s;
    assert_false(calibration_here(&s));
    setenv("XDG_CACHE_HOME", folder, 1);
    struct calibration_key key;
    calibration_key_init(&key);
    assert_string_equal(key.numerics, engine_numerics());
    assert_string_equal(key.isa, engine_isa());
    assert_true(key.threads >= 1 && key.cpu[0]);
    const struct speed expected = some_speed(1e-10);
    at = calibration_path();
    assert_int_equal(calibration_write(at, &key, &expected, NULL), ST_OK);
    mem_free(at);
    assert_true(calibration_here(&s));
    assert_memory_equal(&s, &expected, sizeof s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_kept_comes_back),
        cmocka_unit_test(test_bad_files_are_ignored_and_replaced),
        cmocka_unit_test(test_bad_entries_are_ignored),
        cmocka_unit_test(test_folders_that_cannot_be),
        cmocka_unit_test(test_place_and_key),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
