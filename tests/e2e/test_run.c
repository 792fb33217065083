/* `firesweep run` when nobody interferes: what it writes, what it does not do twice, what it refuses. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox.h"
#include "synthetic.h"

static void test_complete_run_records_everything(void **state)
{
    (void)state;
    spec_write_four("four", 8);
    assert_int_equal(run("four", "whole"), 0);
    char *metrics = db_metrics("whole");
    assert_complete("whole", metrics);
    free(metrics);
    assert_int_equal(db_int("whole", "SELECT count(*) FROM epoch"), 4 * 8);
    assert_int_equal(db_int("whole", "SELECT count(*) FROM epoch WHERE val_count = 80 AND val_loss > 0"),
                     4 * 8);
    assert_int_equal(db_int("whole", "SELECT count(*) FROM attempt WHERE wall_s > 0 AND cpu_s > 0 AND"
                                     " peak_rss_bytes > 1000000 AND pid > 0"),
                     4);
    assert_int_equal(db_int("whole", "SELECT count(*) FROM trial WHERE checkpoint IS NOT NULL"), 4);
    assert_int_equal(count_files("whole.logs", ".attempt-1.log"), 4);
    /* SR 0.5 with pct3x3 0.5 is in both blocks and was trained once. */
    assert_int_equal(db_int("whole", "SELECT count(*) FROM block_trial"), 5);
}

static void test_second_run_trains_nothing(void **state)
{
    (void)state;
    spec_write_four("four", 8);
    assert_int_equal(run("four", "twice"), 0);
    char *metrics = db_metrics("twice");
    assert_int_equal(run("four", "twice"), 0);
    assert_complete("twice", metrics);
    assert_int_equal(db_int("twice", "SELECT count(*) FROM attempt"), 4);
    free(metrics);
}

static void test_workers_and_threads_change_nothing(void **state)
{
    (void)state;
    static const char *const packings[][5] = {
        {"--workers", "1", "--threads", "1", NULL},
        {"--workers", "1", "--threads", "2", NULL},
        {"--workers", "2", "--threads", "1", NULL},
        {"--workers", "4", "--threads", "3", NULL}, /* more than there are cores, perhaps */
    };
    char *expected = NULL;
    spec_write_four("two-epochs", 2);
    for (size_t i = 0; i < sizeof packings / sizeof *packings; i++) {
        char db[16];
        snprintf(db, sizeof db, "packing%zu", i);
        assert_int_equal(run_wait(run_start("two-epochs", db, packings[i])), 0);
        assert_int_equal(db_int(db, "SELECT min(threads) FROM attempt"), atoi(packings[i][3]));
        expected = expected ? expected : db_metrics(db);
        assert_complete(db, expected);
    }
    free(expected);
}

static void test_edited_spec_adds_and_leaves(void **state)
{
    (void)state;
    spec_write("edited", "sweep: [{id: sr, grid: {SR: [0.25, 0.5]}}]\ntrain: {epochs: 2, batch: 16}\n");
    assert_int_equal(run("edited", "edited"), 0);
    spec_write("edited", "sweep: [{id: sr, grid: {SR: [0.5, 1.0]}}]\ntrain: {epochs: 2, batch: 16}\n"
                         "constraints: [\"params <= 1K\"]\n");
    assert_int_equal(run("edited", "edited"), 0); /* the constraint excludes both: nothing to train */
    assert_int_equal(db_int("edited", "SELECT count(*) FROM attempt"), 2);
    assert_int_equal(db_int("edited", "SELECT count(*) FROM trial WHERE state = 'skipped'"), 1);
    spec_write("edited", "sweep: [{id: sr, grid: {SR: [0.5, 1.0]}}]\ntrain: {epochs: 2, batch: 16}\n");
    assert_int_equal(run("edited", "edited"), 0);
    assert_int_equal(db_int("edited", "SELECT count(*) FROM attempt"), 3);
    assert_int_equal(db_int("edited", "SELECT count(*) FROM trial WHERE state = 'done'"), 3);
}

static void test_divergence_is_recorded_and_the_sweep_goes_on(void **state)
{
    (void)state;
    spec_write("diverging", "sweep:\n"
                            "  - id: rates\n"
                            "    list: [{lr: 0.02}, {lr: 1000, weight_decay: 1}, {lr: 0.01}]\n"
                            "train: {epochs: 3, batch: 16}\n"
                            "run: {workers: 1}\n");
    assert_int_equal(run("diverging", "diverging"), 0);
    assert_int_equal(db_int("diverging", "SELECT count(*) FROM trial WHERE state = 'done'"), 2);
    assert_int_equal(db_int("diverging", "SELECT count(*) FROM trial WHERE state = 'diverged'"), 1);
    assert_true(db_int("diverging", "SELECT diverged_step FROM trial WHERE state = 'diverged'") >= 1);
    db_assert_text("diverging", "SELECT message FROM trial WHERE state = 'diverged'", "not finite");
    assert_int_equal(db_int("diverging", "SELECT count(*) FROM attempt WHERE outcome = 'diverged'"), 1);
    assert_int_equal(count_files("diverging.checkpoints", ".safetensors"), 2);
    assert_int_equal(run("diverging", "diverging"), 0); /* a divergence is not tried again */
    assert_int_equal(db_int("diverging", "SELECT count(*) FROM attempt"), 3);
}

/* Nothing was written. */
static void assert_untouched(const char *db)
{
    assert_false(exists(db, ".db"));
    assert_false(exists(db, ".logs"));
    assert_false(exists(db, ".checkpoints"));
}

static void test_default_database(void **state)
{
    (void)state;
    spec_write("default", "train: {epochs: 1}\n");
    assert_int_equal(run("default", NULL), 0);
    assert_int_equal(db_int("results/default", "SELECT count(*) FROM trial WHERE state = 'done'"), 1);
    assert_int_equal(count_files("results/default.checkpoints", ".safetensors"), 1);
}

static void test_bad_spec_leaves_no_database(void **state)
{
    (void)state;
    spec_write("bad", "train: {epochs: many}\n");
    assert_int_equal(run("bad", NULL), 2);
    assert_false(exists("results", ""));
    spec_write("bad", "sweep: [{id: sr, grid: {SR: [0.5, 7]}}]\n");
    assert_int_equal(run("bad", "bad"), 2);
    assert_true(output_holds("bad", "bad.yaml:"));
    assert_true(output_holds("bad", "SR"));
    assert_untouched("bad");
}

/* A spec whose data section is the given one. */
static void write_data_spec(const char *name, const char *data, const char *base)
{
    char path[64];
    snprintf(path, sizeof path, "%s.yaml", name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "version: 1\nname: %s\ndata: {%s}\nbase: {preset: small32, %s}\ntrain: {epochs: 1}\n", name,
            data, base);
    assert_int_equal(fclose(f), 0);
}

/* The sweep `photos`, two variants, on an image folder kept in memory or streamed. */
static void write_photos_spec(const char *memory, int epochs, int retries)
{
    FILE *f = fopen("photos.yaml", "w");
    assert_non_null(f);
    fprintf(f,
            "version: 1\nname: photos\n"
            "data: {format: image-folder, path: photos, val: 30, resize: 12x12, memory: %s}\n"
            "base: {preset: small32, classes: 3, conv1_filters: 8, base_e: 8, incr_e: 4}\n"
            "sweep: [{id: sr, grid: {SR: [0.25, 0.5]}}]\n"
            "train: {epochs: %d, batch: 16, lr: 0.02, flip: true, crop_pad: 2}\n"
            "run: {retries: %d}\n",
            memory, epochs, retries);
    assert_int_equal(fclose(f), 0);
}

/* Results from streamed images are those from images in memory, and a second run has nothing to do. */
static void test_streaming_changes_nothing(void **state)
{
    (void)state;
    assert_int_equal(synthetic_image_folder("photos", 3, 40, 10, 25, 1, NULL), ST_OK);
    write_photos_spec("load", 3, 0);
    assert_int_equal(run("photos", "loaded"), 0);
    assert_false(output_holds("loaded", "streamed"));
    write_photos_spec("stream", 3, 0);
    assert_int_equal(run("photos", "streamed"), 0);
    assert_true(output_holds("streamed", "images are streamed: each of the 150 is decoded"));
    assert_true(output_holds("streamed", "as data.memory asks"));
    char *expected = db_metrics("loaded"), *metrics = db_metrics("streamed");
    assert_string_equal(metrics, expected);
    free(expected);
    free(metrics);
    assert_int_equal(db_int("streamed", "SELECT count(*) FROM epoch WHERE val_count = 30"), 6);
    write_photos_spec("auto", 3, 0); /* another spec text, the same trials */
    assert_int_equal(run("photos", "streamed"), 0);
    assert_int_equal(db_int("streamed", "SELECT count(*) FROM attempt"), 2);
}

static void test_lost_image_is_named(void **state)
{
    (void)state;
    assert_int_equal(synthetic_image_folder("photos", 3, 40, 10, 25, 1, NULL), ST_OK);
    write_photos_spec("stream", 2000, 0);
    pid_t pid = run_start("photos", "lost", NULL);
    wait_until("lost", "SELECT count(*) FROM epoch", 1, pid);
    assert_int_equal(remove("photos/train/class01/0007.png"), 0);
    assert_int_equal(run_wait(pid), 1);
    assert_true(output_holds("lost", "photos/train/class01/0007.png: No such file"));
    assert_int_equal(db_int("lost", "SELECT count(*) FROM trial WHERE state = 'failed'"), 2);
    db_assert_text("lost", "SELECT message FROM trial", "photos/train/class01/0007.png");
}

/* What a worker told may pass, so it is tried again, but not at once. */
static void test_image_that_comes_back(void **state)
{
    (void)state;
    assert_int_equal(synthetic_image_folder("photos", 3, 40, 10, 25, 1, NULL), ST_OK);
    write_photos_spec("stream", 60, 2);
    pid_t pid = run_start("photos", "back", NULL);
    wait_until("back", "SELECT count(*) FROM epoch", 1, pid);
    assert_int_equal(rename("photos/train/class01/0007.png", "away.png"), 0);
    wait_for_output("back", ": failed, will be tried again in 5 s (1 of 2): ", pid);
    assert_int_equal(rename("away.png", "photos/train/class01/0007.png"), 0);
    assert_int_equal(run_wait(pid), 0);
    assert_false(output_holds("back", "crashed"));
    assert_int_equal(db_int("back", "SELECT count(*) FROM trial WHERE state = 'done'"), 2);
    assert_true(db_int("back", "SELECT count(*) FROM attempt WHERE outcome = 'failed' AND message LIKE"
                               " '%class01/0007.png: No such file%'") >= 1);
}

static void test_missing_or_broken_data_leaves_no_database(void **state)
{
    (void)state;
    write_data_spec("nodata", "format: idx, path: nowhere", "input: 1x12x12, classes: 4");
    assert_int_not_equal(run("nodata", "nodata"), 0);
    assert_true(output_holds("nodata", "nowhere"));
    assert_untouched("nodata");

    assert_int_equal(mkdir("empty", 0777), 0);
    write_data_spec("nodata", "format: idx, path: empty", "input: 1x12x12, classes: 4");
    assert_int_not_equal(run("nodata", "nodata"), 0);
    assert_untouched("nodata");
}

static void test_data_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    write_data_spec("misfit", "format: idx, path: data", "input: 3x32x32, classes: 10");
    assert_int_equal(run("misfit", "misfit"), 2);
    assert_true(output_holds("misfit", "misfit.yaml:"));
    assert_true(output_holds("misfit", "3x32x32"));
    assert_true(output_holds("misfit", "1x12x12"));
    assert_true(output_holds("misfit", "10 classes"));
    assert_true(output_holds("misfit", "4 classes"));
    assert_untouched("misfit");
}

static void test_foreign_file_is_left_alone(void **state)
{
    (void)state;
    FILE *f = fopen("foreign.db", "w");
    assert_non_null(f);
    fputs("this is somebody's text, not a database, and long enough to have a header", f);
    assert_int_equal(fclose(f), 0);
    spec_write("foreign", "train: {epochs: 1}\n");
    assert_int_equal(run("foreign", "foreign"), 1);
    assert_true(output_holds("foreign", "foreign.db"));
    assert_false(exists("foreign", ".logs"));
    assert_false(exists("foreign", ".checkpoints"));
}

static void test_trial_wall(void **state)
{
    (void)state;
    spec_write("slow", "train: {epochs: 60, batch: 16}\nrun: {threads: 1}\nbudget: {trial_wall: 0.1s}\n"
                       "on_finish: [sh, -c, 'echo told $FIRESWEEP_OUTCOME, $FIRESWEEP_MESSAGE; kill $$']\n");
    assert_int_equal(run("slow", "slow"), 1);
    assert_int_equal(db_int("slow", "SELECT count(*) FROM trial WHERE state = 'timed_out'"), 1);
    assert_true(output_holds("slow", "told failed, 1 of 1 trial timed out, a higher budget.trial_wall"));
    assert_true(output_holds("slow", "on_finish: sh was killed by signal 15 (SIGTERM)\n"));
    db_assert_text("slow", "SELECT outcome FROM attempt", "timed_out");
    db_assert_text("slow", "SELECT message FROM trial", "trial_wall");
    assert_int_equal(run("slow", "slow"), 1); /* it has had its time */
    assert_int_equal(db_int("slow", "SELECT count(*) FROM attempt"), 1);
    spec_write("slow", "train: {epochs: 60, batch: 16}\nrun: {threads: 1}\n");
    assert_int_equal(run("slow", "slow"), 0); /* more time: it continues */
    assert_int_equal(db_int("slow", "SELECT count(*) FROM attempt"), 2);
    assert_int_equal(db_int("slow", "SELECT count(*) FROM trial WHERE state = 'done'"), 1);
}

static void test_on_finish_is_told(void **state)
{
    (void)state;
    spec_write("hooked",
               "train: {epochs: 1}\non_finish: [\"sh\", \"-c\", \"echo \\\"$0|$1|$FIRESWEEP_OUTCOME|"
               "$FIRESWEEP_DB|$FIRESWEEP_DONE/$FIRESWEEP_TOTAL\\\" > told\", \"a b\", \"$(x); 'y'\"]\n");
    assert_int_equal(run("hooked", "hooked"), 0);
    char text[128] = "";
    FILE *f = fopen("told", "r");
    assert_non_null(f);
    assert_non_null(fgets(text, sizeof text, f));
    fclose(f);
    assert_string_equal(text, "a b|$(x); 'y'|done|hooked.db|1/1\n");

    spec_write("hooked", "train: {epochs: 300, batch: 16}\nbudget: {wall: 0.2s}\n"
                         "on_finish: [sh, -c, 'echo hook saw $FIRESWEEP_OUTCOME; exit 3']\n");
    assert_int_equal(run("hooked", "hooked"), 1);
    assert_true(output_holds("hooked", "hook saw interrupted"));
    assert_true(output_holds("hooked", "on_finish: sh ended with exit code 3"));
    spec_write("hooked", "train: {epochs: 1}\non_finish: [/no/such/program]\n");
    assert_int_equal(run("hooked", "hooked"), 0); /* a failing hook does not fail the sweep */
    assert_true(output_holds("hooked", "on_finish: there is no program /no/such/program"));
    spec_write("hooked", "on_finish: [[a]]\n");
    assert_int_equal(run("hooked", "hooked"), 2);
}

static void test_sweep_wall_stops_like_an_interrupt(void **state)
{
    (void)state;
    spec_write("short", "train: {epochs: 300, batch: 16}\nbudget: {wall: 0.5s}\n");
    assert_int_equal(run("short", "short"), 1);
    assert_true(output_holds("short", "budget.wall"));
    assert_int_equal(db_int("short", "SELECT count(*) FROM trial WHERE state = 'pending'"), 1);
    db_assert_text("short", "SELECT outcome FROM attempt", "interrupted");
    assert_int_equal(count_files("short.checkpoints", ".safetensors") > 0, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_complete_run_records_everything),
        cmocka_unit_test(test_second_run_trains_nothing),
        cmocka_unit_test(test_workers_and_threads_change_nothing),
        cmocka_unit_test(test_edited_spec_adds_and_leaves),
        cmocka_unit_test(test_streaming_changes_nothing),
        cmocka_unit_test(test_lost_image_is_named),
        cmocka_unit_test(test_image_that_comes_back),
        cmocka_unit_test(test_divergence_is_recorded_and_the_sweep_goes_on),
        cmocka_unit_test(test_bad_spec_leaves_no_database),
        cmocka_unit_test(test_default_database),
        cmocka_unit_test(test_missing_or_broken_data_leaves_no_database),
        cmocka_unit_test(test_data_that_does_not_fit_is_refused),
        cmocka_unit_test(test_foreign_file_is_left_alone),
        cmocka_unit_test(test_trial_wall),
        cmocka_unit_test(test_on_finish_is_told),
        cmocka_unit_test(test_sweep_wall_stops_like_an_interrupt),
    };
    return cmocka_run_group_tests(tests, sandbox_setup, sandbox_teardown);
}
