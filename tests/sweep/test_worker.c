/* A worker that nothing befalls but requests: it runs through, is stopped anywhere and continues, changes its
 * threads, ends with a divergence, and describes what it saves. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "base/file.h"
#include "base/mem.h"
#include "worker_fixture.h"

static void test_runs_through(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(run_worker(f), ST_OK);
    assert_int_equal(f->count, 1 + EPOCHS + 1);
    assert_int_equal(f->records[0].kind, RECORD_STARTED);
    assert_int_equal(f->records[0].epochs_done, 0);
    for (int i = 1; i <= EPOCHS; i++) {
        assert_int_equal(f->records[i].kind, RECORD_EPOCH);
        assert_int_equal(f->records[i].as.epoch.epoch, i);
        assert_false(f->records[i].resent);
        assert_int_equal(f->records[i].as.epoch.val.count, VAL);
    }
    assert_int_equal(last_record(f)->kind, RECORD_DONE);
    assert_int_equal(last_record(f)->as.test.count, TEST);
    assert_true(f->tested_expendable);
    assert_true(file_exists(f->checkpoint));
    assert_true(file_exists(f->previous));
    assert_int_equal(saves.calls, EPOCHS);
    assert_true(f->records[EPOCHS].as.epoch.val.top1 > 0.6); /* what it saw was images with labels */
}

static void test_stopped_anywhere_continues_exactly(void **state)
{
    struct fixture *f = *state;
    struct outcome whole = uninterrupted(f);
    /* Early, at an epoch's end, in its evaluation, later, and after the last update. */
    static const int stops[] = {2, STEPS, STEPS + 1, 2 * STEPS + 3, EPOCHS * STEPS};
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
        int stop = stops[i];
        int parts = 0;
        enum status status;
        f->stop_after = stop;
        do {
            /* Each part may get `stop` updates far, so the first values need many parts. */
            status = run_worker(f);
            assert_true(status == ST_OK || status == ST_INTERRUPTED);
            if (status == ST_INTERRUPTED) {
                assert_int_equal(last_record(f)->kind, RECORD_STOPPED);
                assert_true(file_exists(f->checkpoint));
            }
            f->stop_after += stop;
            f->threads = 1 + parts++ % 2;
        } while (status == ST_INTERRUPTED);
        assert_true(parts > 1);
        struct outcome o = outcome_of(f);
        assert_same_outcome(&whole, &o);
        remove_checkpoints(f);
    }
}

static void test_saves_within_an_epoch_change_nothing(void **state)
{
    struct fixture *f = *state;
    struct outcome whole = uninterrupted(f);
    f->task.checkpoint_s = 0; /* after every update */
    assert_int_equal(run_worker(f), ST_OK);
    struct outcome o = outcome_of(f);
    assert_same_outcome(&whole, &o);
    assert_int_equal(saves.calls, EPOCHS * (STEPS + 1));
}

static void test_threads_change_on_the_way(void **state)
{
    struct fixture *f = *state;
    struct outcome whole = uninterrupted(f);
    assert_int_equal(f->changes, 1);
    f->grow_each = 5;
    assert_int_equal(run_worker(f), ST_OK);
    assert_true(f->changes >= 3);
    struct outcome o = outcome_of(f);
    assert_same_outcome(&whole, &o);
}

static void test_gone_supervisor_ends_the_worker(void **state)
{
    struct fixture *f = *state;
    struct outcome whole = uninterrupted(f);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    f->task.records = ends[1];
    assert_int_equal(worker_run(&f->task), ST_INTERRUPTED);
    close(ends[1]);
    assert_true(file_exists(f->checkpoint));
    assert_int_equal(run_worker(f), ST_OK);
    struct outcome o = outcome_of(f);
    assert_same_outcome(&whole, &o);
}

static void test_divergence_is_a_result(void **state)
{
    struct fixture *f = *state;
    f->trial.point.recipe.lr = 1000;
    f->trial.point.recipe.warmup = 0;
    f->trial.point.recipe.weight_decay = 1; /* each update makes the weights a thousand times larger */
    assert_int_equal(run_worker(f), ST_OK);
    assert_int_equal(last_record(f)->kind, RECORD_DIVERGED);
    int64_t step = last_record(f)->step;
    assert_in_range(step, 2, EPOCHS * STEPS);
    assert_true(strlen(last_record(f)->as.text) > 0);

    /* The step counts from the start of the training, wherever the attempt began. */
    remove_checkpoints(f);
    f->stop_after = (int)step - 1;
    assert_int_equal(run_worker(f), ST_INTERRUPTED);
    f->stop_after = 0;
    assert_int_equal(run_worker(f), ST_OK);
    assert_int_equal(last_record(f)->kind, RECORD_DIVERGED);
    assert_int_equal(last_record(f)->step, step);
}

static void test_without_validation_and_test_images(void **state)
{
    struct fixture *f = *state;
    size_t val = f->data.sets[SPLIT_VAL].count, test = f->data.sets[SPLIT_TEST].count;
    f->data.sets[SPLIT_VAL].count = f->data.sets[SPLIT_TEST].count = 0;
    assert_int_equal(run_worker(f), ST_OK);
    assert_int_equal(last_record(f)->kind, RECORD_DONE);
    assert_int_equal(last_record(f)->as.test.count, 0);
    f->data.sets[SPLIT_VAL].count = val;
    f->data.sets[SPLIT_TEST].count = test;
}

static void test_checkpoint_describes_itself(void **state)
{
    struct fixture *f = *state;
    struct arch arch;
    struct err e = ERR_INIT;
    char *text = NULL;
    assert_int_equal(run_worker(f), ST_OK);
    assert_int_equal(checkpoint_describe(f->checkpoint, &arch, &text, &e), ST_OK);
    struct json_object *d = json_tokener_parse(text), *names, *mean, *axes;
    assert_non_null(d);
    assert_string_equal(json_object_get_string(json_object_object_get(d, "tool")), "firesweep");
    assert_string_equal(json_object_get_string(json_object_object_get(d, "sweep")), "sweep");
    assert_string_equal(json_object_get_string(json_object_object_get(d, "trial")), "block SR=0.5 seed 9");
    assert_int_equal(json_object_get_int(json_object_object_get(d, "seed")), 9);
    assert_string_equal(json_object_get_string(json_object_object_get(d, "data_fingerprint")),
                        "0000000000abcdef");
    assert_true(json_object_object_get_ex(d, "class_names", &names));
    assert_int_equal(json_object_array_length(names), CLASSES);
    assert_string_equal(json_object_get_string(json_object_array_get_idx(names, 1)), "\"one\"");
    assert_string_equal(json_object_get_string(json_object_array_get_idx(names, 2)), "zwei ü");
    assert_true(json_object_object_get_ex(d, "mean", &mean));
    assert_int_equal(json_object_array_length(mean), 1);
    assert_true(json_object_get_double(json_object_array_get_idx(mean, 0)) == 0.25);
    assert_true(json_object_object_get_ex(d, "axes", &axes));
    assert_true(json_object_get_double(json_object_object_get(axes, "SR")) == 0.5);
    json_object_put(d);
    mem_free(text);
}

static void test_names(void **state)
{
    (void)state;
    char *name = trial_name_format("fig3a", "{\"SR\":0.125,\"bypass\":\"simple\"}", 3);
    assert_string_equal(name, "fig3a SR=0.125 bypass=simple seed 3");
    mem_free(name);
    name = trial_name_format("base", NULL, UINT64_MAX);
    assert_string_equal(name, "base seed 18446744073709551615");
    mem_free(name);
    char *previous = checkpoint_previous_path("a.b/c.safetensors");
    assert_string_equal(previous, "a.b/c.previous.safetensors");
    mem_free(previous);
    previous = checkpoint_previous_path("plain");
    assert_string_equal(previous, "plain.previous.safetensors");
    mem_free(previous);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORKER_TEST(test_runs_through),
        WORKER_TEST(test_stopped_anywhere_continues_exactly),
        WORKER_TEST(test_saves_within_an_epoch_change_nothing),
        WORKER_TEST(test_threads_change_on_the_way),
        WORKER_TEST(test_gone_supervisor_ends_the_worker),
        WORKER_TEST(test_divergence_is_a_result),
        WORKER_TEST(test_without_validation_and_test_images),
        WORKER_TEST(test_checkpoint_describes_itself),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
