/* The HTML report: which trials are results, and whose: states, rungs, sweeps, specs and data. */
#include <stdio.h>
#include <string.h>

#include "../base/cmocka_all.h"
#include "page_fixture.h"

static void test_states_and_failures(void **state)
{
    (void)state;
    struct results *r = results_create();
    results_sweep(r, "s", "");
    results_block(r, "b");
    static const char *const states[] = {"done",      "running", "failed", "diverged",
                                         "timed_out", "pending", "skipped"};
    for (int i = 0; i < 7; i++)
        results_trial(r, results_variant(r, 400 * (i + 1)), 1, "{}", states[i], i == 0 ? 0.75 : -1);
    results_sql(r, "UPDATE trial SET message = 'crashed by signal 9' WHERE state = 'failed'");
    results_sql(r, "UPDATE trial SET diverged_step = 77 WHERE state = 'diverged'");
    struct page p = page_write(r, NULL);
    page_assert_contained(&p);
    page_holds(&p, "A sweep was running when this page was written");
    page_holds(&p, "crashed by signal 9");
    page_holds(&p, "<h3>Trials without a result</h3>\n<p>"); /* few: in the open */
    page_holds(&p, "<td class=\"number\">77</td>");
    page_holds(&p, "1 timed out");
    page_holds(&p, "75.00 %");
    assert_int_equal(page_rows(&p, "trials"), 7);
    assert_string_equal(json_object_get_string(page_value(&p, "trials", 3, "state")), "diverged");
    assert_null(page_value(&p, "trials", 3, "test_top1"));
    /* One seed each: means have no spread, and nothing is claimed. */
    assert_null(strstr(p.text, "id=\"paper\""));
    page_release(&p);
    for (int i = 0; i < 3; i++)
        results_trial(r, 1, 10 + i, "{}", "failed", -1);
    p = page_write(r, NULL);
    page_holds(&p, "<details><summary><h3>Trials without a result (6)</h3></summary>");
    page_release(&p);
    results_remove(r);
}

/* A search: two variants in a rung of its own recipe, one of them on to the full training. What is of the
 * shorter rung alone is marked in the data and stands nowhere else. */
static void test_shorter_rungs_are_no_results(void **state)
{
    (void)state;
    struct results *r = results_create();
    results_sweep(r, "s", "");
    results_block(r, "b");
    for (int i = 0; i < 2; i++)
        results_trial(r, results_variant(r, 400 * (i + 1)), 1, "{}", i == 0 ? "done" : "pruned",
                      i == 0 ? 0.5 : -1);
    assert_int_equal(results_recipe(r, 1), 2);
    results_sql(
        r, "INSERT INTO trial(id, variant_id, recipe_id, data_fingerprint, seed, state, val_top1, test_top1) "
           "SELECT id + 2, variant_id, 2, 'f', 1, 'done', 0.875, 0.875 FROM trial;"
           "UPDATE trial SET state = 'failed', val_top1 = NULL, message = 'too short' WHERE id = 4;"
           "INSERT INTO rung SELECT 1, id, iif(id < 3, 2, 1), 2, iif(id < 3, id, id - 2), NULL, NULL, 1 FROM "
           "trial");
    struct page p = page_write(r, NULL);
    page_holds(&p, "<dt>Trials</dt><dd>2 <small>1 done; and 2 of shorter rungs</small>");
    page_holds(&p, "shorter rungs stand, marked");
    page_holds(&p, "</i> 1 done</li><li>");
    page_holds(&p, "</i> 1 pruned</li></ul>");
    assert_null(strstr(p.text, "87.50"));
    /* Why a variant has no result is told all the same. */
    page_holds(&p, "too short");
    assert_int_equal(page_rows(&p, "trials"), 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(json_object_get_int(page_value(&p, "trials", i, "shorter_rung")), i >= 2);
        assert_int_equal(json_object_get_int(page_value(&p, "trials", i, "rung")), i >= 2 ? 1 : 2);
    }
    page_release(&p);

    /* Another sweep asks for the same training: there it is a result. */
    results_sweep(r, "t", "");
    results_block(r, "c");
    results_sql(r, "INSERT INTO block_trial VALUES(2, 3, '{}', 0, 1)");
    p = page_write(r, NULL);
    page_holds(&p, "<dt>Trials</dt><dd>3 <small>2 done; and 1 of shorter rungs</small>");
    page_holds(&p, "87.50");
    assert_int_equal(json_object_get_int(page_value(&p, "trials", 2, "shorter_rung")), 0);
    page_release(&p);
    results_remove(r);
}

/* The best of several sweeps, which may have other data, are named with their sweep. */
static void test_the_best_name_their_sweep(void **state)
{
    (void)state;
    struct results *r = results_create();
    results_sweep(r, "first", "");
    results_block(r, "b");
    results_trial(r, results_variant(r, 1 << 20), 1, "{}", "done", 0.75);
    struct page p = page_write(r, NULL);
    page_holds(&p, "<dd>75.00 % <small>validation top-1, test 75.00 %, 1 MiB</small>");
    page_holds(&p, "<dd>1 MiB <small>validation top-1 75.00 %</small>");
    page_release(&p);
    results_sweep(r, "second <&>", "");
    results_block(r, "b");
    results_trial(r, results_variant(r, 1 << 19), 1, "{}", "done", 0.745);
    p = page_write(r, NULL);
    page_holds(&p, "<dd>75.00 % <small>validation top-1, test 75.00 %, 1 MiB, sweep first</small>");
    page_holds(&p, "<dd>0.5 MiB <small>validation top-1 74.50 %, sweep second &lt;&amp;&gt;</small>");
    page_release(&p);
    results_remove(r);
}

/* Two trials that the spec names no more, one of them in a block of before only: marked in the data, counted
 * apart, and nowhere else. */
static void test_trials_outside_the_spec(void **state)
{
    (void)state;
    struct results *r = results_create();
    results_sweep(r, "s", "");
    results_block(r, "before");
    for (int i = 0; i < 3; i++)
        results_trial(r, results_variant(r, 400 * (i + 1)), 1, "{}", i == 1 ? "failed" : "done",
                      i == 1 ? -1 : 0.875 - 0.125 * i);
    results_sql(r, "UPDATE trial SET message = 'of before' WHERE state = 'failed'");
    results_block(r, "now");
    results_sql(
        r,
        "UPDATE block_trial SET in_spec = 0;"
        "INSERT INTO block_trial SELECT 2, trial_id, axes, position, 1 FROM block_trial WHERE trial_id = 3");
    struct page p = page_write(r, NULL);
    page_holds(&p, "<dt>Variants</dt><dd>1 <small>of 1 sweep</small>");
    page_holds(&p, "<dt>Trials</dt><dd>1 <small>1 done; and 2 outside the spec</small>");
    page_holds(&p, "</i> 1 done</li></ul>");
    page_holds(&p, "2 trials are outside the spec: no sweep asks for them any more.");
    assert_int_equal(occurrences(p.text, "87.50"), 0);
    assert_int_equal(occurrences(p.text, "Trials without a result"), 0);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(json_object_get_int(page_value(&p, "trials", i, "outside")), i < 2);
    assert_null(page_value(&p, "trials", 0, "sweep"));
    assert_null(page_value(&p, "trials", 0, "block"));
    assert_string_equal(json_object_get_string(page_value(&p, "trials", 2, "block")), "now");
    page_release(&p);

    /* Nothing but those: not an empty database. */
    results_sql(r, "UPDATE block_trial SET in_spec = 0");
    p = page_write(r, NULL);
    page_holds(&p, "<dd>0 <small>0 done; and 3 outside the spec</small>");
    assert_null(strstr(p.text, "This database has no trials yet."));
    page_release(&p);
    results_remove(r);
}

/* The same variant, recipe and seeds on other data: told apart by the number of the data. */
static void test_data_are_told_apart(void **state)
{
    (void)state;
    struct results *r = results_create();
    results_sweep(r, "s", "");
    results_block(r, "b");
    const int64_t v = results_variant(r, 400);
    for (int seed = 1; seed <= 2; seed++)
        results_trial(r, v, seed, "{}", "done", 0.5);
    results_sql(r, "UPDATE trial SET data_fingerprint = 'z'");
    for (int seed = 1; seed <= 2; seed++)
        results_trial(r, v, seed, "{}", "done", 0.25);
    struct page p = page_write(r, NULL);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(json_object_get_int(page_value(&p, "trials", i, "data")), i < 2 ? 1 : 2);
    page_release(&p);
    results_remove(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states_and_failures),       cmocka_unit_test(test_shorter_rungs_are_no_results),
        cmocka_unit_test(test_the_best_name_their_sweep), cmocka_unit_test(test_trials_outside_the_spec),
        cmocka_unit_test(test_data_are_told_apart),
    };
    return cmocka_run_group_tests(tests, without_gnuplot, NULL);
}
