/* The checkpoints of a worker: which it keeps, which it continues from, and what it does with bad ones. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "worker_fixture.h"

/* Where the files of an epoch and of the best one are. */
static void kept_paths(const struct fixture *f, char best[128], char epochs[EPOCHS][128])
{
    snprintf(best, 128, "%s/c.best.safetensors", f->folder);
    for (int i = 0; i < EPOCHS; i++)
        snprintf(epochs[i], 128, "%s/c.epoch-%d.safetensors", f->folder, i + 1);
}

/* Epochs whose state a file holds; 0 when there is none. */
static int epochs_in(const struct fixture *f, const char *path)
{
    struct arch arch;
    struct trainer *t = NULL;
    struct err e = ERR_INIT;
    const struct trainer_config config = {
        .arch = &arch, .recipe = &f->trial.point.recipe, .seed = f->trial.seed, .threads = 1};
    assert_int_equal(arch_build(&f->trial.point.design, &arch, &e), ST_OK);
    assert_int_equal(trainer_create(&config, &t, &e), ST_OK);
    bool good = trainer_load(t, path, &e) == ST_OK;
    int epochs = good ? trainer_epochs_done(t) : 0;
    trainer_free(t);
    return epochs;
}

static int best_epoch(const struct outcome *o)
{
    int best = 0;
    for (int i = 1; i < EPOCHS; i++)
        best = o->epochs[i].val.top1 > o->epochs[best].val.top1 ? i : best;
    return best + 1;
}

static void test_keeps_epochs_and_the_best(void **state)
{
    struct fixture *f = *state;
    char best[128], epochs[EPOCHS][128];
    kept_paths(f, best, epochs);
    assert_int_equal(run_worker(f), ST_OK);
    assert_false(file_exists(best) || file_exists(epochs[0])); /* unless asked */
    remove_checkpoints(f);
    f->task.keep = KEEP_ALL;
    assert_int_equal(run_worker(f), ST_OK);
    struct outcome o = outcome_of(f);
    for (int i = 0; i < EPOCHS; i++) {
        assert_int_equal(epochs_in(f, epochs[i]), i + 1);
        remove(epochs[i]);
    }
    assert_int_equal(epochs_in(f, best), best_epoch(&o));
    remove(best);
    remove_checkpoints(f);
    f->task.keep = KEEP_BEST;
    assert_int_equal(run_worker(f), ST_OK);
    assert_false(file_exists(epochs[EPOCHS - 1]));
    assert_int_equal(epochs_in(f, best), best_epoch(&o));
    assert_int_equal(epochs_in(f, f->checkpoint), EPOCHS);
}

/* An attempt that ended between a save and the second name of the file: the next one catches up. */
static void test_kept_epoch_is_caught_up(void **state)
{
    struct fixture *f = *state;
    char best[128], epochs[EPOCHS][128];
    kept_paths(f, best, epochs);
    f->task.keep = KEEP_ALL;
    f->stop_after = STEPS + 1; /* asked after the first epoch's save: its state is the last */
    assert_int_equal(run_worker(f), ST_INTERRUPTED);
    assert_int_equal(epochs_in(f, f->checkpoint), 1);
    remove(epochs[0]);
    remove(best);
    f->stop_after = 1;
    assert_int_equal(run_worker(f), ST_INTERRUPTED);
    assert_int_equal(epochs_in(f, epochs[0]), 1);
    assert_int_equal(epochs_in(f, best), 1);
}

/* Where files cannot have two names, a second file is written. */
static void test_kept_without_links(void **state)
{
    struct fixture *f = *state;
    char best[128], epochs[EPOCHS][128];
    kept_paths(f, best, epochs);
    f->task.keep = KEEP_BEST;
    no_links = true;
    assert_int_equal(run_worker(f), ST_OK);
    no_links = false;
    struct outcome o = outcome_of(f);
    assert_true(saves.calls > EPOCHS);
    assert_int_equal(epochs_in(f, best), best_epoch(&o));
}

static void test_second_run_only_reads_the_test_set(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(run_worker(f), ST_OK);
    struct outcome first = outcome_of(f);
    saves.calls = 0;
    assert_int_equal(run_worker(f), ST_OK);
    struct outcome second = outcome_of(f);
    assert_same_outcome(&first, &second);
    assert_int_equal(saves.calls, 0);
    assert_int_equal(f->records[0].epochs_done, EPOCHS);
    assert_true(f->records[1].resent);
}

static void write_file(const char *path, const char *text)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

/* Flips one bit in the middle of a file. */
static void damage(const char *path)
{
    FILE *io = fopen(path, "r+");
    assert_non_null(io);
    assert_int_equal(fseek(io, 0, SEEK_END), 0);
    long middle = ftell(io) / 2;
    assert_int_equal(fseek(io, middle, SEEK_SET), 0);
    int byte = fgetc(io);
    assert_int_equal(fseek(io, middle, SEEK_SET), 0);
    assert_true(fputc(byte ^ 4, io) != EOF);
    assert_int_equal(fclose(io), 0);
}

/* Leaves the checkpoints of a training that was stopped in its third epoch. */
static void stop_in_third_epoch(struct fixture *f)
{
    f->task.checkpoint_s = 0; /* asked after each update, after each save, and at an epoch's end */
    f->stop_after = 2 * (2 * STEPS + 1) + 3;
    assert_int_equal(run_worker(f), ST_INTERRUPTED);
    assert_int_equal(count_kind(f, RECORD_EPOCH), 2);
    f->stop_after = 0;
    f->task.checkpoint_s = 1e9;
}

static void test_damaged_checkpoint_falls_back(void **state)
{
    struct fixture *f = *state;
    struct outcome whole = uninterrupted(f);
    stop_in_third_epoch(f);
    damage(f->checkpoint);
    assert_int_equal(run_worker(f), ST_OK);
    assert_non_null(strstr(first_notice(f), f->checkpoint));
    assert_int_equal(count_kind(f, RECORD_NOTICE), 1);
    struct outcome o = outcome_of(f);
    assert_same_outcome(&whole, &o);
    /* It did not start over: epochs came from the previous file. */
    assert_true(f->records[1].kind == RECORD_STARTED && f->records[1].epochs_done >= 1);
}

static void test_missing_checkpoint_falls_back(void **state)
{
    struct fixture *f = *state;
    struct outcome whole = uninterrupted(f);
    stop_in_third_epoch(f);
    assert_int_equal(remove(f->checkpoint), 0); /* killed between the two renames of a save */
    assert_int_equal(run_worker(f), ST_OK);
    assert_int_equal(count_kind(f, RECORD_NOTICE), 0);
    assert_true(f->records[0].kind == RECORD_STARTED && f->records[0].epochs_done >= 1);
    struct outcome o = outcome_of(f);
    assert_same_outcome(&whole, &o);
}

static void test_no_good_checkpoint_starts_over(void **state)
{
    struct fixture *f = *state;
    struct outcome whole = uninterrupted(f);
    stop_in_third_epoch(f);
    write_file(f->checkpoint, "");
    write_file(f->previous, "this is no checkpoint");
    assert_int_equal(run_worker(f), ST_OK);
    assert_int_equal(count_kind(f, RECORD_NOTICE), 2);
    struct outcome o = outcome_of(f);
    assert_same_outcome(&whole, &o);
}

static void test_checkpoint_of_another_seed_is_not_used(void **state)
{
    struct fixture *f = *state;
    struct outcome whole = uninterrupted(f);
    f->trial.seed = 10;
    assert_int_equal(run_worker(f), ST_OK);
    remove(f->previous);
    f->trial.seed = 9;
    assert_int_equal(run_worker(f), ST_OK);
    assert_non_null(strstr(first_notice(f), "seed"));
    struct outcome o = outcome_of(f);
    assert_same_outcome(&whole, &o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORKER_TEST(test_keeps_epochs_and_the_best),
        WORKER_TEST(test_kept_epoch_is_caught_up),
        WORKER_TEST(test_kept_without_links),
        WORKER_TEST(test_second_run_only_reads_the_test_set),
        WORKER_TEST(test_damaged_checkpoint_falls_back),
        WORKER_TEST(test_missing_checkpoint_falls_back),
        WORKER_TEST(test_no_good_checkpoint_starts_over),
        WORKER_TEST(test_checkpoint_of_another_seed_is_not_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
