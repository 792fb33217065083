/* A worker without space, without memory, or with a trial that cannot be. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "worker_fixture.h"

static void test_full_disk_is_waited_for(void **state)
{
    struct fixture *f = *state;
    struct outcome whole = uninterrupted(f);
    saves.no_space = 3;
    assert_int_equal(run_worker(f), ST_OK);
    assert_int_equal(saves.calls, EPOCHS + 3);
    assert_int_equal(count_kind(f, RECORD_NOTICE),
                     2); /* once when it fills, once when there is space again */
    assert_non_null(strstr(first_notice(f), "no space"));
    struct outcome o = outcome_of(f);
    assert_same_outcome(&whole, &o);
}

static void test_stopped_on_a_full_disk(void **state)
{
    struct fixture *f = *state;
    struct outcome whole = uninterrupted(f);
    saves.no_space = INT_MAX;
    f->stop_after = STEPS + 3; /* while it waits after the first epoch */
    assert_int_equal(run_worker(f), ST_INTERRUPTED);
    assert_int_equal(last_record(f)->kind, RECORD_STOPPED);
    assert_int_equal(count_kind(f, RECORD_EPOCH), 0); /* nothing is safe, so nothing was reported */
    assert_false(file_exists(f->checkpoint));
    saves.no_space = 0;
    f->stop_after = 0;
    assert_int_equal(run_worker(f), ST_OK);
    struct outcome o = outcome_of(f);
    assert_same_outcome(&whole, &o);
}

static void test_failing_save_is_a_failure(void **state)
{
    struct fixture *f = *state;
    char file[160], below[200];
    snprintf(file, sizeof file, "%s/file", f->folder);
    snprintf(below, sizeof below, "%s/c.safetensors", file);
    FILE *no_folder = fopen(file, "w");
    assert_non_null(no_folder);
    assert_int_equal(fclose(no_folder), 0);
    f->task.checkpoint = below;
    assert_int_equal(run_worker(f), ST_FAILED);
    assert_int_equal(last_record(f)->kind, RECORD_FAILED);
    assert_int_equal(last_record(f)->status, ST_FAILED);
    assert_non_null(strstr(last_record(f)->as.text, below));
    assert_int_equal(count_kind(f, RECORD_EPOCH), 0);
}

static void test_missing_folder_is_made(void **state)
{
    struct fixture *f = *state;
    struct outcome whole = uninterrupted(f);
    char missing[160];
    snprintf(missing, sizeof missing, "%s/missing/c.safetensors", f->folder);
    f->task.checkpoint = missing;
    assert_int_equal(run_worker(f), ST_OK);
    struct outcome o = outcome_of(f);
    assert_same_outcome(&whole, &o);
    assert_true(file_exists(missing));
}

static void test_impossible_trial_fails_with_usage(void **state)
{
    struct fixture *f = *state;
    f->trial.point.design.meta.sr = 2;
    assert_int_equal(run_worker(f), ST_USAGE);
    assert_int_equal(last_record(f)->kind, RECORD_FAILED);
    assert_int_equal(last_record(f)->status, ST_USAGE);
    assert_non_null(strstr(last_record(f)->as.text, "SR"));
}

/* Every allocation in turn fails, and all after it: an error, no crash, nothing left allocated. */
static void test_want_of_memory_is_an_error(void **state)
{
    struct fixture *f = *state;
    f->trial.point.recipe.epochs = 1;
    size_t n = 1, before = mem_live();
    enum status status;
    do {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        f->task.records = ends[1];
        mem_fail_after(n);
        status = worker_run(&f->task);
        mem_fail_after(0);
        close(ends[0]);
        close(ends[1]);
        assert_true(status == ST_OK || status == ST_NOMEM);
        assert_int_equal(mem_live(), before);
        remove_checkpoints(f);
        n++;
    } while (status != ST_OK);
    assert_true(n > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORKER_TEST(test_full_disk_is_waited_for),           WORKER_TEST(test_stopped_on_a_full_disk),
        WORKER_TEST(test_failing_save_is_a_failure),         WORKER_TEST(test_missing_folder_is_made),
        WORKER_TEST(test_impossible_trial_fails_with_usage), WORKER_TEST(test_want_of_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
