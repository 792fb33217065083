/* What is left of a search, as `status --watch` tells it: by what is to be expected, not by all rungs in
 * full. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "report/queries.h"
#include "report/summary.h"
#include "results.h"
#include "sweep/store_trials.h"

/* Eight variants, rungs of 1, 2 and 4 epochs. Trial i of the full rung is id i, of the first i + 8, of the
 * second i + 16. An epoch of any of them takes 100 operations. */
static struct results *a_search(void)
{
    struct results *r = results_create();
    results_sweep(r, "s", "");
    results_block(r, "b");
    results_sql(r, "UPDATE sweep SET data_fingerprint = 'f', train_images = 30, val_images = 10;"
                   "UPDATE recipe SET epochs = 4");
    for (int i = 0; i < 8; i++) {
        char axes[32];
        snprintf(axes, sizeof axes, "{\"SR\":%d}", i);
        results_trial(r, results_variant(r, 400), 1, axes, "pending", -1);
    }
    for (int rung = 1; rung < 3; rung++) {
        char sql[256];
        snprintf(
            sql, sizeof sql,
            "INSERT INTO trial(id, variant_id, recipe_id, data_fingerprint, seed, state) SELECT id + %d, "
            "variant_id, %d, 'f', 1, 'pending' FROM trial WHERE id <= 8",
            8 * rung, (int)results_recipe(r, rung));
        results_sql(r, sql);
    }
    results_sql(
        r, "UPDATE variant SET macs = 1;"
           "INSERT INTO rung SELECT 1, id, iif(id <= 8, 3, (id - 1) / 8), 3, (id - 1) % 8 + 1, NULL, NULL, 1 "
           "FROM trial");
    return r;
}

static void expect_left(const struct results *r, int trials, int finished, double left, double longest)
{
    struct store *s = NULL;
    struct store_query *q = NULL;
    struct err e = ERR_INIT;
    bool row = false;
    assert_int_equal(store_open_readonly(results_path(r), &s, &e), ST_OK);
    if (summary_left(s, &q, &e) != ST_OK || store_query_next(q, &row, &e) != ST_OK || !row)
        fail_msg("%s", e.text);
    assert_int_equal(store_query_cell(q, 0).i, trials);
    assert_int_equal(store_query_cell(q, 1).i, finished);
    assert_true(store_query_cell(q, 4).r == left);
    assert_true(store_query_cell(q, 5).r == longest);
    store_query_close(q);
    store_close(s);
}

static void test_what_a_search_has_left(void **state)
{
    (void)state;
    struct results *r = a_search();
    /* 8 x 1 epoch, 4 x 2 and 2 x 4 are to come, not 8 x (1 + 2 + 4). */
    expect_left(r, 24, 0, 24 * 100, 100);
    results_sql(r, "UPDATE trial SET state = 'done', epochs_done = 1 WHERE id BETWEEN 9 AND 16");
    expect_left(r, 24, 8, 16 * 100, 100);
    /* Decided: four went on. */
    results_sql(r,
                "UPDATE rung SET rank = trial_id, promoted = trial_id < 13 WHERE rung = 1;"
                "UPDATE trial SET state = 'pruned' WHERE id % 8 NOT BETWEEN 1 AND 4 AND state = 'pending'");
    expect_left(r, 24, 16, 4 * 2 * 100 + 4 * 2 * 100, 200);
    /* One of the second rung is halfway. */
    results_sql(r, "UPDATE trial SET state = 'running', epochs_done = 1 WHERE id = 17");
    expect_left(r, 24, 16, 15 * 100, 200);
    /* The last rung is sure. */
    results_sql(r, "UPDATE trial SET state = 'done', epochs_done = 2 WHERE id BETWEEN 17 AND 20;"
                   "UPDATE rung SET rank = trial_id, promoted = trial_id < 19 WHERE rung = 2;"
                   "UPDATE trial SET state = 'pruned' WHERE id IN (3, 4)");
    expect_left(r, 24, 22, 8 * 100, 400);
    results_remove(r);
}

/* A trial of a shorter rung has the name of its full training; none of a search is outside the spec. */
static void test_names_of_shorter_rungs(void **state)
{
    (void)state;
    struct results *r = a_search();
    struct store *s = NULL;
    struct store_query *q = NULL;
    struct err e = ERR_INIT;
    bool row = false;
    results_sql(r, "UPDATE trial SET state = 'failed' WHERE id IN (2, 10, 18)");
    assert_int_equal(store_open_readonly(results_path(r), &s, &e), ST_OK);
    assert_int_equal(summary_failures(s, &q, &e), ST_OK);
    static const char *const names[] = {"b SR=1 seed 1", "b SR=1 seed 1 (1 epoch)",
                                        "b SR=1 seed 1 (2 epochs)"};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(store_query_next(q, &row, &e), ST_OK);
        assert_string_equal(store_query_cell(q, 1).text, names[i]);
    }
    store_query_close(q);
    q = NULL;
    assert_int_equal(summary_outside(s, &q, &e), ST_OK);
    assert_int_equal(store_query_next(q, &row, &e), ST_OK);
    assert_int_equal(store_query_cell(q, 0).i, 0);
    store_query_close(q);
    store_close(s);
    results_remove(r);
}

/* Rows of a named query in which the sweep is `s`. */
static int rows_of_sweep(struct store *s, const char *query)
{
    const struct store_filter f = {.where = "sweep = s", .columns = "sweep", .limit = -1};
    struct store_query *q = NULL;
    struct err e = ERR_INIT;
    bool row = true;
    int rows = 0;
    if (named_query_open_filtered(s, query, &f, NULL, &q, &e) != ST_OK)
        fail_msg("%s", e.text);
    while (store_query_next(q, &row, &e) == ST_OK && row) {
        assert_string_equal(store_query_cell(q, 0).text, "s");
        rows++;
    }
    store_query_close(q);
    return rows;
}

/* Trials of shorter rungs are of the sweep that searches, as long as its spec wants them. */
static void test_sweep_of_shorter_rungs(void **state)
{
    (void)state;
    struct results *r = a_search();
    struct store *s = NULL;
    struct err e = ERR_INIT;
    results_sql(r, "UPDATE trial SET state = 'failed' WHERE id IN (2, 10, 18);"
                   "UPDATE rung SET in_spec = 0 WHERE trial_id = 16;"
                   "INSERT INTO epoch(trial_id, epoch, val_count) SELECT id, 1, 0 FROM trial");
    assert_int_equal(store_open_readonly(results_path(r), &s, &e), ST_OK);
    assert_int_equal(rows_of_sweep(s, "trials"), 23);
    assert_int_equal(rows_of_sweep(s, "failures"), 3);
    assert_int_equal(rows_of_sweep(s, "epochs"), 23);
    store_close(s);
    results_remove(r);
}

static void expect_first_name(struct store *s,
                              enum status (*summary)(struct store *, struct store_query **, struct err *),
                              const char *name)
{
    struct store_query *q = NULL;
    struct err e = ERR_INIT;
    bool row = false;
    assert_int_equal(summary(s, &q, &e), ST_OK);
    assert_int_equal(store_query_next(q, &row, &e), ST_OK);
    assert_true(row);
    assert_string_equal(store_query_cell(q, 1).text, name);
    store_query_close(q);
}

/* Two sweeps with a block of the same name and the same point: the sweep tells their trials apart, wherever
 * a trial is named. */
static void test_names_in_a_database_of_several_sweeps(void **state)
{
    (void)state;
    static const char *const names[] = {"one/b SR=1 seed 1", "two/b SR=1 seed 1"};
    struct results *r = results_create();
    struct store *s = NULL;
    struct err e = ERR_INIT;
    for (int i = 0; i < 2; i++) {
        results_sweep(r, i == 0 ? "one" : "two", "");
        results_block(r, "b");
        results_trial(r, results_variant(r, 400 + i), 1, "{\"SR\":1}", i == 0 ? "running" : "failed", -1);
    }
    results_sql(r, "INSERT INTO event(trial_id, at_utc, text) VALUES(2, '2026-01-01T00:00:00Z', 'x')");
    assert_int_equal(store_open_readonly(results_path(r), &s, &e), ST_OK);
    expect_first_name(s, summary_running, names[0]);
    expect_first_name(s, summary_failures, names[1]);
    expect_first_name(s, summary_events, names[1]);
    const char *stored[2]; /* as verify and measure name them */
    struct arena arena;
    arena_init(&arena);
    assert_int_equal(store_trial_names(s, (const int64_t[]){1, 2}, 2, &arena, stored, &e), ST_OK);
    assert_string_equal(stored[0], names[0]);
    assert_string_equal(stored[1], names[1]);
    arena_release(&arena);
    store_close(s);
    results_remove(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_a_search_has_left),
        cmocka_unit_test(test_names_of_shorter_rungs),
        cmocka_unit_test(test_sweep_of_shorter_rungs),
        cmocka_unit_test(test_names_in_a_database_of_several_sweeps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
