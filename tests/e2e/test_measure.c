/* Deployment columns: a run measures what it finished, `measure` does it again, and questions and figures
 * know the result. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"
#include "sandbox.h"

static const char measured[] = "SELECT count(*) FROM deployment";

static void test_run_measures_in_its_end(void **state)
{
    (void)state;
    spec_write("two", "sweep: [{id: sr, grid: {SR: [0.25, 0.5]}}]\nseeds: [1, 2]\ntrain: {epochs: 1}\n");
    assert_int_equal(run("two", "two"), 0);
    assert_int_equal(db_int("two", "SELECT count(*) FROM trial WHERE state = 'done'"), 4);
    assert_int_equal(db_int("two", measured), 2);
    assert_true(output_holds("two", "measured inference of 2 variants"));
    /* A second run has nothing to do: what is measured stays. */
    char before[64], after[64];
    const char *const sum = "SELECT cast(total(latency_ms) * 1e9 AS INTEGER) FROM deployment";
    snprintf(before, sizeof before, "%lld", (long long)db_int("two", sum));
    assert_int_equal(run("two", "two"), 0);
    snprintf(after, sizeof after, "%lld", (long long)db_int("two", sum));
    assert_string_equal(before, after);
}

static void test_run_without_measuring(void **state)
{
    (void)state;
    spec_write("off",
               "sweep: [{id: sr, grid: {SR: [0.25, 0.5]}}]\ntrain: {epochs: 1}\nrun: {measure: false}\n");
    assert_int_equal(run("off", "off"), 0);
    assert_int_equal(db_int("off", measured), 0);
    assert_false(output_holds("off", "measured"));
    struct outcome o = RUN("plot", "off.db", "pareto", "--x", "latency_ms", "-o", "plots");
    assert_int_equal(o.code, 1);
    assert_holds(o.err, "2 of 2 trials are done, but none has latency_ms and test_top1");
    outcome_release(&o);
    /* One trial's variant, then the rest. */
    o = RUN("measure", "off.db", "2", "--format", "json"); /* a busy machine has it say so */
    assert_int_equal(o.code, 0);
    struct json_object *rows = json_tokener_parse(o.out);
    outcome_release(&o);
    assert_int_equal(json_object_array_length(rows), 1);
    assert_int_equal(json_int_at(json_row(rows, 0), "trial"), 2);
    assert_true(json_double_at(json_row(rows, 0), "latency_ms") > 0);
    assert_true(json_double_at(json_row(rows, 0), "infer_mib") >
                json_double_at(json_row(rows, 0), "infer_activation_mib"));
    json_object_put(rows);
    assert_int_equal(db_int("off", measured), 1);
    o = RUN("measure", "off.db", "--missing");
    assert_int_equal(o.code, 0);
    assert_holds(o.out, "seed 1");
    outcome_release(&o);
    assert_int_equal(db_int("off", measured), 2);
    o = RUN("measure", "off.db", "--missing");
    assert_int_equal(o.code, 0);
    assert_holds(o.err, "nothing to measure");
    outcome_release(&o);
}

static void assert_rows(const char *query, const char *where, size_t count)
{
    struct json_object *rows = JSON("query", "two.db", query, "--where", where, "--format", "json");
    assert_int_equal(json_object_array_length(rows), count);
    json_object_put(rows);
}

/* Follows test_run_measures_in_its_end. */
static void test_questions_and_figures(void **state)
{
    (void)state;
    assert_rows("trials", "latency_ms > 0 and infer_mib < 64", 4);
    assert_rows("trials", "latency_ms > 3600000", 0);
    assert_rows("best", "latency_p95_ms >= latency_ms", 2);
    assert_rows("curve", "infer_img_s > 0", 2);
    assert_rows("deployment", "repetitions >= 5 and cpu_share > 0", 2);
    assert_rows("pareto", "latency_ms = null", 0);
    struct outcome o = RUN("query", "two.db", "trials");
    assert_holds(o.out, "latency_ms");
    outcome_release(&o);
    static const char *const kinds[][4] = {
        {"scatter", "latency_ms", "val_top1", "scatter-val_top1-over-latency_ms"},
        {"pareto", "infer_mib", "val_top1", "pareto-val_top1-over-infer_mib"},
        {"curve", "latency_ms", "val_top1", "curve-val_top1-over-latency_ms"},
        {"curve", "SR", "latency_ms", "curve-latency_ms-over-SR"}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        o = RUN("plot", "two.db", kinds[i][0], "--x", kinds[i][1], "--y", kinds[i][2], "-o", "plots");
        if (o.code != 0)
            fail_msg("%s: %s", kinds[i][0], o.err);
        assert_holds(o.out, kinds[i][3]);
        outcome_release(&o);
    }
}

static void test_mistakes(void **state)
{
    (void)state;
    EXPECT_ERROR(1, "absent.db: no such database", "measure", "absent.db");
    assert_false(exists("absent", ".db"));
    EXPECT_ERROR(2, "TRIAL \"x\" is no id of a trial", "measure", "two.db", "x");
    EXPECT_ERROR(2, "there is no trial 99", "measure", "two.db", "99", "--format", "csv");
    EXPECT_ERROR(2, "--missing chooses the variants", "measure", "two.db", "1", "--missing");
    spec_write("wrong", "run: {measure: sometimes}\n");
    EXPECT_ERROR(2, "wrong.yaml:5:16: run.measure: ", "plan", "wrong.yaml");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run_measures_in_its_end),
        cmocka_unit_test(test_run_without_measuring),
        cmocka_unit_test(test_questions_and_figures),
        cmocka_unit_test(test_mistakes),
    };
    return cmocka_run_group_tests(tests, sandbox_setup, sandbox_teardown);
}
