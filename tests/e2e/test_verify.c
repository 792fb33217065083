/* `firesweep verify`: what was trained reproduces, what was changed does not, and why something cannot be
 * told. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "program.h"
#include "sandbox.h"
#include "synthetic.h"

static struct json_object *verify(const char *db, int code, char *message, size_t n)
{
    struct outcome o = RUN("verify", db, "--format", "json");
    assert_int_equal(o.code, code);
    struct json_object *rows = json_tokener_parse(o.out);
    assert_non_null(rows);
    snprintf(message, n, "%s", o.err);
    outcome_release(&o);
    return rows;
}

static void test_all_trials_reproduce(void **state)
{
    (void)state;
    char message[512];
    spec_write("good", "sweep:\n"
                       "  - id: rates\n"
                       "    list: [{lr: 0.02}, {lr: 1000, weight_decay: 1}]\n"
                       "train: {epochs: 2, batch: 16, flip: true, dropout: 0.2, crop_pad: 1}\n");
    assert_int_equal(run("good", "good"), 0);
    char *before = db_metrics("good");
    struct json_object *rows = verify("good.db", 0, message, sizeof message);
    assert_int_equal(json_object_array_length(rows), 2);
    for (size_t i = 0; i < 2; i++)
        assert_string_equal(json_text_at(json_row(rows, i), "result"), "reproduced");
    /* Two epochs of seven metrics, four of the test, and that it did not diverge. */
    assert_int_equal(json_int_at(json_row(rows, 0), "metrics"), 2 * 7 + 4 + 1);
    assert_string_equal(message, "");
    json_object_put(rows);
    char *after = db_metrics("good");
    assert_string_equal(before, after);
    free(before);
    free(after);
    struct outcome o = RUN("verify", "good.db", "1", "--threads", "2");
    assert_int_equal(o.code, 0);
    assert_holds(o.out, "reproduced");
    outcome_release(&o);
}

static void test_a_changed_metric_is_found(void **state)
{
    (void)state;
    char message[512];
    spec_write("changed", "seeds: [1, 2]\ntrain: {epochs: 2, batch: 16}\n");
    assert_int_equal(run("changed", "changed"), 0);
    db_change("changed",
              "UPDATE epoch SET train_loss = train_loss * (1 + 4e-16) WHERE trial_id = 2 AND epoch = 2");
    struct json_object *rows = verify("changed.db", 1, message, sizeof message);
    assert_string_equal(json_text_at(json_row(rows, 0), "result"), "reproduced");
    assert_string_equal(json_text_at(json_row(rows, 1), "result"), "differs");
    assert_int_equal(json_int_at(json_row(rows, 1), "different"), 1);
    assert_holds(json_text_at(json_row(rows, 1), "detail"), "epoch 2: train_loss");
    assert_holds(message, "1 of 2 trials do not reproduce");
    json_object_put(rows);
    db_change("changed", "DELETE FROM epoch WHERE trial_id = 1 AND epoch = 1");
    rows = verify("changed.db", 1, message, sizeof message);
    assert_string_equal(json_text_at(json_row(rows, 0), "result"), "differs");
    assert_string_equal(json_text_at(json_row(rows, 0), "detail"), "epoch 1: it was not recorded");
    json_object_put(rows);
}

/* Rows that say something else about a divergence, or no number, in words. */
static void test_divergence_is_told_in_words(void **state)
{
    (void)state;
    char message[512];
    spec_write("words", "sweep:\n"
                        "  - id: rates\n"
                        "    list: [{lr: 0.02}, {lr: 1000, weight_decay: 1}]\n"
                        "train: {epochs: 2, batch: 16}\n");
    assert_int_equal(run("words", "words"), 0);
    const int diverged = (int)db_int("words", "SELECT id FROM trial WHERE state = 'diverged'");
    db_change("words", "UPDATE trial SET diverged_step = diverged_step + 1 WHERE state = 'diverged';"
                       "UPDATE epoch SET train_loss = NULL WHERE epoch = 2");
    struct json_object *rows = verify("words.db", 1, message, sizeof message);
    const size_t at = diverged == 1 ? 0 : 1;
    assert_holds(json_text_at(json_row(rows, at), "detail"), "it was recorded as diverged at step ");
    assert_holds(json_text_at(json_row(rows, 1 - at), "detail"),
                 "epoch 2: train_loss was recorded as no number and is ");
    assert_holds(message, "2 of 2 trials do not reproduce\n");
    json_object_put(rows);
}

static void test_what_cannot_be_verified_says_why(void **state)
{
    (void)state;
    char message[512];
    struct err e = ERR_INIT;
    spec_write("other", "train: {epochs: 1, batch: 16}\n");
    assert_int_equal(run("other", "other"), 0);
    db_change("other", "UPDATE recipe SET numerics = 'fp32-0'");
    struct json_object *rows = verify("other.db", 1, message, sizeof message);
    assert_string_equal(json_text_at(json_row(rows, 0), "result"), "impossible");
    assert_holds(json_text_at(json_row(rows, 0), "detail"), "arithmetic fp32-0");
    assert_holds(message, "1 of 1 trial could not be verified\n");
    json_object_put(rows);

    spec_write("other2", "train: {epochs: 1, batch: 16}\n");
    assert_int_equal(run("other2", "other2"), 0);
    db_change("other2", "UPDATE attempt SET isa = iif(isa = 'generic', 'avx2', 'generic')");
    rows = verify("other2.db", 1, message, sizeof message);
    assert_holds(json_text_at(json_row(rows, 0), "detail"), "fused multiply-add");
    json_object_put(rows);
    db_change("other2", "UPDATE attempt SET isa = ''");

    assert_int_equal(rename("data", "data.good"), 0);
    rows = verify("other2.db", 1, message, sizeof message);
    assert_holds(json_text_at(json_row(rows, 0), "detail"), "No such file");
    json_object_put(rows);
    assert_int_equal(synthetic_idx("data", 4, 100, 25, 12, 2, &e), ST_OK);
    rows = verify("other2.db", 1, message, sizeof message);
    assert_holds(json_text_at(json_row(rows, 0), "detail"), "the data has changed: data has fingerprint");
    json_object_put(rows);
    assert_int_equal(rename("data", "data.other"), 0);
    assert_int_equal(rename("data.good", "data"), 0);
    rows = verify("other2.db", 0, message, sizeof message);
    json_object_put(rows);

    EXPECT_ERROR(2, "there is no trial 7", "verify", "other2.db", "7");
    EXPECT_ERROR(2, "is no id of a trial", "verify", "other2.db", "one");
    db_change("other2", "UPDATE trial SET state = 'pending'");
    EXPECT_ERROR(2, "is pending; only done and diverged", "verify", "other2.db", "1");
}

static void test_continues_from_a_kept_checkpoint(void **state)
{
    (void)state;
    spec_write("middle", "train: {epochs: 3, batch: 16}\n");
    assert_int_equal(run("middle", "middle"), 0);
    struct outcome o = RUN("verify", "middle.db", "1", "--from-epoch", "3", "--format", "json");
    assert_int_equal(o.code, 0); /* the final weights: only the test is repeated */
    struct json_object *rows = json_tokener_parse(o.out);
    assert_int_equal(json_int_at(json_row(rows, 0), "epochs"), 0);
    assert_int_equal(json_int_at(json_row(rows, 0), "metrics"), 3 * 7 + 4 + 1);
    json_object_put(rows);
    outcome_release(&o);
    o = RUN("verify", "middle.db", "1", "--from-epoch", "2", "--format", "json");
    assert_int_equal(o.code, 1);
    assert_holds(o.out, "no checkpoint after epoch 2 is kept; there are those after epoch 3");
    outcome_release(&o);
}

/* An index that does not say what its table does is found before anything is compared. */
static void test_damaged_index(void **state)
{
    (void)state;
    spec_write("index", "train: {epochs: 1, batch: 16}\n");
    assert_int_equal(run("index", "index"), 0);
    db_change("index", "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql ="
                       " 'CREATE INDEX trial_by_state ON trial(seed)' WHERE name = 'trial_by_state'");
    struct outcome o = RUN("verify", "index.db");
    assert_int_equal(o.code, 1);
    assert_holds(o.err,
                 "verify: index.db: the database is damaged (row 1 missing from index trial_by_state)");
    outcome_release(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_trials_reproduce),
        cmocka_unit_test(test_a_changed_metric_is_found),
        cmocka_unit_test(test_divergence_is_told_in_words),
        cmocka_unit_test(test_what_cannot_be_verified_says_why),
        cmocka_unit_test(test_continues_from_a_kept_checkpoint),
        cmocka_unit_test(test_damaged_index),
    };
    return cmocka_run_group_tests(tests, sandbox_setup, sandbox_teardown);
}
