/* Images that change between runs: `run` says so and trains anew, and earlier results stay; `extend` refuses.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "program.h"
#include "sandbox.h"
#include "synthetic.h"

static const char says_so[] = "the data has changed: its fingerprint is ";

static void write_photos(int epochs)
{
    FILE *f = fopen("photos.yaml", "we");
    assert_non_null(f);
    fprintf(f,
            "version: 1\nname: photos\n"
            "data: {format: image-folder, path: photos, val: 10, resize: 12x12}\n"
            "base: {preset: small32, classes: 3, conv1_filters: 8, base_e: 8, incr_e: 4}\n"
            "train: {epochs: %d, batch: 16, schedule: constant, warmup: 0}\nrun: {measure: false}\n",
            epochs);
    assert_int_equal(fclose(f), 0);
}

static void write_numbers(void)
{
    spec_write("numbers",
               "train: {epochs: 1, batch: 80, schedule: constant, warmup: 0}\nrun: {measure: false}\n");
}

/* On the other data: trained anew beside what there was. */
static void assert_trained_anew(const char *name, const char *path, const char *before)
{
    char text[128];
    assert_int_equal(run(name, name), 0);
    snprintf(text, sizeof text, "%s: %s", path, says_so);
    assert_true(output_holds(name, text));
    assert_true(output_holds(name, "results on the earlier data stay in the database, outside the spec"));
    assert_int_equal(db_int(name, "SELECT count(*) FROM trial WHERE state = 'done'"), 2);
    assert_int_equal(db_int(name, "SELECT count(DISTINCT data_fingerprint) FROM trial"), 2);
    assert_int_equal(db_int(name, "SELECT count(*) FROM block_trial WHERE in_spec"), 1);
    char *after = db_metrics(name), folder[64];
    for (const char *line = before; *line; line += strcspn(line, "\n") + 1) {
        char *row = strndup(line, strcspn(line, "\n"));
        assert_non_null(strstr(after, row));
        free(row);
    }
    free(after);
    snprintf(folder, sizeof folder, "%s.checkpoints", name);
    assert_int_equal(count_files(folder, ".safetensors"), 2);
}

static void assert_extend_refuses(const char *name, const char *path)
{
    char db[64], text[128];
    snprintf(db, sizeof db, "%s.db", name);
    snprintf(text, sizeof text, "extend: %s: %s", path, says_so);
    char *before = db_metrics(name);
    struct outcome o = RUN("extend", db, "--epochs", "3");
    assert_int_equal(o.code, 1);
    assert_holds(o.err, text);
    assert_holds(o.err, "firesweep run trains anew");
    outcome_release(&o);
    char *after = db_metrics(name);
    assert_string_equal(before, after);
    free(before);
    free(after);
}

static void assert_verify_refuses(const char *name)
{
    char db[64];
    snprintf(db, sizeof db, "%s.db", name);
    struct outcome o = RUN("verify", db, "1");
    assert_int_equal(o.code, 1);
    assert_holds(o.out, "the data has changed");
    assert_holds(o.err, "could not be verified");
    outcome_release(&o);
}

static void test_idx(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    write_numbers();
    assert_int_equal(run("numbers", "numbers"), 0);
    assert_false(output_holds("numbers", says_so));
    assert_int_equal(run("numbers", "numbers"), 0); /* the same data: not a word */
    assert_false(output_holds("numbers", says_so));
    char *before = db_metrics("numbers");
    assert_int_equal(synthetic_idx("data", 4, 100, 25, 12, 2, &e), ST_OK);
    assert_extend_refuses("numbers", "data");
    assert_verify_refuses("numbers");
    assert_trained_anew("numbers", "data", before);
    assert_verify_refuses("numbers"); /* the trial of the earlier data */
    free(before);

    /* Back again: all is there already. */
    assert_int_equal(synthetic_idx("data", 4, 100, 25, 12, 1, &e), ST_OK);
    assert_int_equal(run("numbers", "numbers"), 0);
    assert_int_equal(db_int("numbers", "SELECT count(*) FROM attempt"), 2);
}

static void test_one_image_of_a_folder(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    assert_int_equal(synthetic_image_folder("photos", 3, 20, 5, 12, 1, &e), ST_OK);
    write_photos(1);
    assert_int_equal(run("photos", "photos"), 0);
    char *before = db_metrics("photos");
    assert_int_equal(rename("photos/train/class00/0003.png", "photos/train/class00/spare"), 0);
    assert_int_equal(link("photos/train/class01/0003.png", "photos/train/class00/0003.png"), 0);
    assert_int_equal(unlink("photos/train/class00/spare"), 0);
    assert_extend_refuses("photos", "photos");
    assert_verify_refuses("photos");
    assert_trained_anew("photos", "photos", before);
    free(before);
    /* One less is seen by its number, before anything runs. */
    assert_int_equal(rename("photos/train/class02/0004.jpg", "spare"), 0);
    struct json_object *plan = JSON("plan", "photos.yaml", "--db", "photos.db", "--format", "json");
    assert_string_equal(json_text_at(plan, "changes.data"), "training images 50 -> 49");
    assert_int_equal(json_int_at(plan, "changes.new"), 1);
    assert_int_equal(json_int_at(plan, "changes.done"), 0);
    json_object_put(plan);
    struct outcome changes = RUN("plan", "photos.yaml", "--db", "photos.db", "--only", "changes");
    assert_holds(changes.out, "images were added or removed");
    outcome_release(&changes);
    assert_int_equal(rename("spare", "photos/train/class02/0004.jpg"), 0);
    plan = JSON("plan", "photos.yaml", "--db", "photos.db", "--format", "json");
    assert_int_equal(json_int_at(plan, "changes.done"), 1);
    json_object_put(plan);
    write_photos(2);
    struct outcome o = RUN("extend", "photos.db", "--epochs", "2"); /* of what there is now */
    assert_int_equal(o.code, 0);
    outcome_release(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_idx),
        cmocka_unit_test(test_one_image_of_a_folder),
    };
    return cmocka_run_group_tests(tests, sandbox_setup, sandbox_teardown);
}
