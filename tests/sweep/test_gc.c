/* Which checkpoints are needed, what their names say, and whether the disk is large enough. */
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

#include "../base/scratch.h"
#include "base/mem.h"
#include "sweep/disk.h"
#include "sweep/gc.h"

#define ARCH "0123456789abcdef"
#define RECIPE "fedcba9876543210"
#define DATA "00000000000000ff"

/* The name that a path ends in. */
static void assert_parses(char *path, enum checkpoint_kind kind, int epoch)
{
    struct checkpoint_name n;
    const char *slash = strrchr(path, '/');
    assert_non_null(slash);
    assert_true(checkpoint_name_parse(slash + 1, &n));
    assert_string_equal(n.arch_hash, ARCH);
    assert_string_equal(n.recipe_hash, RECIPE);
    assert_string_equal(n.data_fingerprint, DATA);
    assert_true(n.seed == UINT64_MAX);
    assert_int_equal(n.kind, kind);
    assert_int_equal(n.epoch, epoch);
    mem_free(path);
}

static void test_names_are_read_back(void **state)
{
    (void)state;
    char *last = paths_checkpoint("some/where", ARCH, RECIPE, DATA, UINT64_MAX);
    assert_parses(checkpoint_previous_path(last), CHECKPOINT_PREVIOUS, 0);
    assert_parses(checkpoint_best_path(last), CHECKPOINT_BEST, 0);
    assert_parses(checkpoint_epoch_path(last, 12), CHECKPOINT_EPOCH, 12);
    assert_parses(mem_printf("%s.tmp", last), CHECKPOINT_PARTIAL, 0);
    assert_parses(last, CHECKPOINT_LAST, 0);
}

static void test_other_names_are_not_ours(void **state)
{
    (void)state;
    static const char *const names[] = {
        "",
        "notes.txt",
        "my.safetensors",
        ARCH "-" RECIPE "-" DATA "-s1.safetensors.bak",
        ARCH "-" RECIPE "-" DATA "-s1.copy.safetensors",
        ARCH "-" RECIPE "-" DATA "-s01.safetensors",
        ARCH "-" RECIPE "-" DATA "-s-1.safetensors",
        ARCH "-" RECIPE "-" DATA "-s18446744073709551616.safetensors",
        ARCH "-" RECIPE "-" DATA "-s1.epoch-0.safetensors",
        ARCH "-" RECIPE "-" DATA "-s1.epoch-.safetensors",
        ARCH "-" RECIPE "-" DATA "-s1",
        ARCH "-" RECIPE "-s1.safetensors",
        "0123456789ABCDEF-" RECIPE "-" DATA "-s1.safetensors",
        ARCH "0-" RECIPE "-" DATA "-s1.safetensors",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct checkpoint_name n;
        if (checkpoint_name_parse(names[i], &n))
            fail_msg("\"%s\" was taken for a checkpoint", names[i]);
    }
}

static void test_what_may_go_on_keeps_all(void **state)
{
    (void)state;
    static const enum trial_state open[] = {TRIAL_PENDING,   TRIAL_RUNNING, TRIAL_FAILED,
                                            TRIAL_TIMED_OUT, TRIAL_SKIPPED, TRIAL_PRUNED};
    for (size_t i = 0; i < sizeof open / sizeof *open; i++) {
        for (int kind = 0; kind < CHECKPOINT_KIND_COUNT; kind++)
            for (int keep = KEEP_LAST; keep <= KEEP_NONE; keep++)
                assert_true(checkpoint_needed((enum checkpoint_kind)kind, open[i], (enum keep)keep));
    }
}

static void test_what_is_done_keeps_what_was_asked(void **state)
{
    (void)state;
    static const struct {
        enum keep keep;
        const char *done, *diverged; /* by kind: last, previous, best, epoch, partial */
    } table[] = {
        {KEEP_LAST, "10000", "00000"},
        {KEEP_BEST, "10100", "00100"},
        {KEEP_ALL, "10110", "00110"},
        {KEEP_NONE, "00000", "00000"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        for (int kind = 0; kind < CHECKPOINT_KIND_COUNT; kind++) {
            enum checkpoint_kind k = (enum checkpoint_kind)kind;
            assert_int_equal(checkpoint_needed(k, TRIAL_DONE, table[i].keep), table[i].done[kind] == '1');
            assert_int_equal(checkpoint_needed(k, TRIAL_DIVERGED, table[i].keep),
                             table[i].diverged[kind] == '1');
        }
    }
}

/* 1000 bytes of weights and as many of momentum; the rest is a header, and 3072 + 192 * epochs of rows. */
static struct trial trial_of(int epochs)
{
    struct trial t = {.cost = {.model_bytes = 1000}};
    t.point.recipe.optimizer = OPTIMIZER_SGD;
    t.point.recipe.epochs = epochs;
    return t;
}

static void test_disk(void **state)
{
    (void)state;
    const double file = 2000 + 16384, rows = 3072 + 10 * 192;
    const struct trial ten = trial_of(10), one = trial_of(1);
    assert_true(disk_checkpoint_bytes(&ten) == file);
    assert_true(disk_kept_bytes(&ten, KEEP_NONE) == rows);
    assert_true(disk_kept_bytes(&ten, KEEP_LAST) == file + rows);
    assert_true(disk_kept_bytes(&ten, KEEP_BEST) == 2 * file + rows);
    assert_true(disk_kept_bytes(&ten, KEEP_ALL) == 10 * file + rows);
    struct disk_need need = {0};
    disk_need_add(&need, &ten, KEEP_LAST);
    disk_need_add(&need, &one, KEEP_LAST);
    const double rows_one = 3072 + 192, all = 2 * file + rows + rows_one + 3 * 2 * file;
    assert_true(disk_need_bytes(&need, KEEP_LAST, 3) == all);
    assert_int_equal(disk_judge(&need, KEEP_LAST, 3, -1), DISK_ENOUGH);
    assert_int_equal(disk_judge(&need, KEEP_LAST, 3, all), DISK_ENOUGH);
    assert_int_equal(disk_judge(&need, KEEP_LAST, 3, all - 1), DISK_SHORT);
    assert_int_equal(disk_judge(&need, KEEP_LAST, 3, file + rows_one), DISK_SHORT);
    assert_int_equal(disk_judge(&need, KEEP_LAST, 3, file + rows_one - 1), DISK_FULL);
    const struct disk_need nothing = {0};
    assert_int_equal(disk_judge(&nothing, KEEP_LAST, 3, 0), DISK_ENOUGH);
}

static void test_free_space_of_what_is_not_there_yet(void **state)
{
    (void)state;
    const double here = disk_free_bytes("."), later = disk_free_bytes("no-folder/nor/file.db");
    assert_true(here > 0 && later > 0);
    assert_true(disk_free_bytes("/no-folder/file.db") > 0);
    /* Others write meanwhile, but not half of the disk. */
    assert_true(later > here / 2 && later < here * 2);
}

/* A folder has taken the place of one of two files. */
static void test_what_cannot_be_removed_stays(void **state)
{
    scratch_path path;
    scratch_name(path, state, "stuck");
    assert_int_equal(mkdir(path, 0700), 0);
    struct gc_file files[] = {
        {.name = "stuck", .fate = GC_REMOVE, .parts = {.kind = CHECKPOINT_PREVIOUS}, .trial = 1},
        {.name = "gone", .fate = GC_REMOVE, .parts = {.kind = CHECKPOINT_PREVIOUS}, .trial = 1},
    };
    struct gc g = {.folder = *state, .files = files, .count = 2};
    struct err e = ERR_INIT;
    assert_int_equal(gc_remove(&g, "none.db", &e), ST_FAILED);
    assert_non_null(strstr(e.text, "/stuck: "));
    assert_int_equal(files[0].fate, GC_STUCK);
    assert_int_equal(files[1].fate, GC_REMOVE); /* gone is as good as removed */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_cannot_be_removed_stays, scratch_setup, scratch_teardown),
        cmocka_unit_test(test_names_are_read_back),
        cmocka_unit_test(test_other_names_are_not_ours),
        cmocka_unit_test(test_what_may_go_on_keeps_all),
        cmocka_unit_test(test_what_is_done_keeps_what_was_asked),
        cmocka_unit_test(test_disk),
        cmocka_unit_test(test_free_space_of_what_is_not_there_yet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
