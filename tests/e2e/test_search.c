/* Searches by the real program: what is trained and what is pruned, that kills and other runs change no
 * decision, and that nothing of a shorter rung shows in results. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"
#include "sandbox.h"

#define SWEEP                                                                 \
    "sweep: [{id: sr, grid: {SR: [0.25, 0.5, 0.75, 1.0], base_e: [4, 8]}}]\n" \
    "seeds: [1, 2]\ntrain: {epochs: 4, batch: 16, lr: 0.02}\nrun: {checkpoint: 0.02s, measure: false}\n"

static const char trained[] = "SELECT count(*) FROM trial WHERE state = 'done'";
static const char pruned[] = "SELECT count(*) FROM trial WHERE state = 'pruned'";

/* All that a search decides, beside the metrics. */
static char *verdicts(const char *db)
{
    static const char sql[] =
        "SELECT v.arch_hash, c.epochs, t.seed, t.state, t.message, r.rung, r.rank, r.promoted FROM rung r"
        " JOIN trial t ON t.id = r.trial_id JOIN variant v ON v.id = t.variant_id"
        " JOIN recipe c ON c.id = t.recipe_id ORDER BY 1, 2, 3";
    struct outcome o = RUN("query", db, "--format", "csv", "--sql", sql);
    assert_int_equal(o.code, 0);
    char *text = strdup(o.out);
    outcome_release(&o);
    return text;
}

struct reference {
    char *metrics, *verdicts;
};
static struct reference reference;

static int search_setup(void **state)
{
    if (sandbox_setup(state) != 0)
        return -1;
    spec_write("half", SWEEP "search: {eta: 2, mode: accuracy}\n");
    if (run("half", "half") != 0)
        return -1;
    reference = (struct reference){db_metrics("half"), verdicts("half.db")};
    return 0;
}

static int search_teardown(void **state)
{
    free(reference.metrics);
    free(reference.verdicts);
    return sandbox_teardown(state);
}

static void assert_same(const char *db)
{
    char path[64];
    snprintf(path, sizeof path, "%s.db", db);
    char *metrics = db_metrics(db), *found = verdicts(path);
    assert_string_equal(metrics, reference.metrics);
    assert_string_equal(found, reference.verdicts);
    free(metrics);
    free(found);
}

/* 8 variants, 2 seeds, rungs of 1, 2 and 4 epochs: 16 + 8 + 4 trials, 8 + 12 pruned. */
static void test_halving(void **state)
{
    (void)state;
    assert_int_equal(db_int("half", trained), 28);
    assert_int_equal(db_int("half", pruned), 20);
    assert_int_equal(db_int("half", "SELECT count(*) FROM trial WHERE state NOT IN ('done', 'pruned')"), 0);
    assert_int_equal(db_int("half", "SELECT count(*) FROM trial t JOIN recipe c ON c.id = t.recipe_id"
                                    " WHERE t.state = 'done' AND t.epochs_done <> c.epochs"),
                     0);
    db_assert_text("half", "SELECT message FROM trial WHERE state = 'pruned' ORDER BY id",
                   "rung 1 of 3 (1 epoch): rank ");
    /* The best by the mean over both seeds went on, by validation. */
    assert_int_equal(
        db_int("half",
               "WITH mean AS (SELECT t.variant_id, avg(t.val_top1) AS score, max(r.promoted) AS on_"
               " FROM rung r JOIN trial t ON t.id = r.trial_id WHERE r.rung = 1 GROUP BY 1)"
               " SELECT min(score) FILTER (WHERE on_) >= max(score) FILTER (WHERE NOT on_) FROM mean"),
        1);
    assert_true(output_holds("half", "rung 1 of 3: 4 of 8 variants go on to 2 epochs"));
    assert_true(output_holds("half", "20 pruned by the search"));
    struct json_object *changes =
        JSON("plan", "half.yaml", "--db", "half.db", "--only", "changes", "--format", "json");
    assert_int_equal(json_int_at(changes, "done"), 4);
    assert_int_equal(json_int_at(changes, "pruned"), 12);
    assert_int_equal(json_int_at(changes, "skipped"), 0);
    assert_int_equal(json_int_at(changes, "epochs"), 0);
    json_object_put(changes);
}

/* Rung trials are seen where trials are, and nowhere else. */
static void test_results_are_of_full_trainings(void **state)
{
    (void)state;
    assert_int_equal(db_int("half", "SELECT count(*) FROM leaderboard"), 2);
    assert_int_equal(db_int("half", "SELECT sum(n) FROM curve"), 4);
    assert_int_equal(db_int("half", "SELECT count(*) FROM pareto WHERE n <> 2"), 0);
    struct json_object *rows = JSON("query", "half.db", "trials", "--where", "rung = 1", "--format", "json");
    assert_int_equal(json_object_array_length(rows), 16);
    json_object_put(rows);
    rows = JSON("query", "half.db", "rungs", "--where", "promoted = 1", "--format", "json");
    assert_null(json_at(json_row(rows, 0), "cost")); /* accuracy alone */
    assert_int_equal(json_object_array_length(rows), 4 + 2);
    json_object_put(rows);
    rows = JSON("status", "half.db", "--format", "json");
    assert_int_equal(json_int_at(rows, "states.pruned"), 20);
    assert_int_equal(json_int_at(rows, "states.outside"), 0);
    assert_int_equal(json_int_at(rows, "states.trials"), 16 + 32);
    struct json_object *sweep = json_row(json_object_object_get(rows, "sweeps"), 0);
    assert_int_equal(json_int_at(sweep, "trials"), 16);
    assert_int_equal(json_int_at(sweep, "shorter_rungs"), 32);
    json_object_put(rows);
    struct outcome o = RUN("query", "half.db", "plateau");
    assert_holds(o.out, "(no rows: no block has");
    assert_holds(o.out, "; pruned trials do not count)\n");
    outcome_release(&o);
    o = RUN("verify", "half.db", "17"); /* of the first rung */
    assert_int_equal(o.code, 0);
    assert_holds(o.out, "(1 epoch)");
    assert_holds(o.out, "reproduced");
    outcome_release(&o);
    o = RUN("status", "half.db", "--watch");
    assert_string_equal(o.out, "48 of 48 trials finished, 0 running, 0 pending\nnothing is left to do\n");
    outcome_release(&o);
    EXPECT_ERROR(2, "half.yaml:9:9: search: ", "extend", "half.db", "--epochs", "8");
}

static void test_again_trains_nothing(void **state)
{
    (void)state;
    const int64_t attempts = db_int("half", "SELECT count(*) FROM attempt");
    assert_int_equal(run("half", "half"), 0);
    assert_int_equal(db_int("half", "SELECT count(*) FROM attempt"), attempts);
    assert_same("half");
}

/* Killed in the first rung, in the second, and in the third. */
static void test_killed_in_a_rung(void **state)
{
    (void)state;
    const int64_t done[] = {5, 18, 25};
    for (size_t i = 0; i < sizeof done / sizeof *done; i++) {
        pid_t pid = run_start("half", "killed", NULL);
        wait_until("killed", trained, done[i], pid);
        assert_int_equal(kill(i == 1 ? pid : -pid, i == 2 ? SIGTERM : SIGKILL), 0);
        assert_int_equal(run_wait(pid) == 0, false);
    }
    assert_int_equal(run("half", "killed"), 0);
    assert_same("killed");
}

static void test_shared_by_two_runs(void **state)
{
    (void)state;
    pid_t one = run_start("half", "shared", NULL);
    wait_until("shared", trained, 1, one);
    pid_t two = run_start("half", "shared", NULL);
    assert_int_equal(run_wait_one(one), 0);
    assert_int_equal(run_wait_one(two), 0);
    assert_same("shared");
    assert_int_equal(db_int("shared", "SELECT count(*) FROM attempt"), 28);
}

/* Small networks stay: whatever nothing of equal or smaller size equals. */
static void test_pareto_and_measured_cost(void **state)
{
    (void)state;
    static const char *const costs[][2] = {{"model_bytes", "v.model_bytes"}, {"latency_ms", "d.latency_ms"}};
    for (size_t i = 0; i < 2; i++) {
        char text[512], sql[1024];
        snprintf(text, sizeof text, SWEEP "search: {eta: 4, mode: pareto, cost: %s}\n", costs[i][0]);
        spec_write(costs[i][0], text);
        assert_int_equal(run(costs[i][0], costs[i][0]), 0);
        snprintf(
            sql, sizeof sql,
            "WITH mean AS (SELECT t.variant_id, avg(t.val_top1) AS score, max(r.promoted) AS goes,"
            " max(%s) AS cost FROM rung r JOIN trial t ON t.id = r.trial_id JOIN variant v"
            " ON v.id = t.variant_id LEFT JOIN deployment d ON d.variant_id = v.id WHERE r.rung = 1"
            " GROUP BY 1) SELECT count(*) FROM mean a WHERE NOT a.goes AND NOT EXISTS (SELECT 1 FROM mean b"
            " WHERE b.cost <= a.cost AND b.score >= a.score AND (b.cost < a.cost OR b.score > a.score))",
            costs[i][1]);
        assert_int_equal(db_int(costs[i][0], sql), 0);
        assert_true(db_int(costs[i][0], pruned) > 0);
        assert_int_equal(db_int(costs[i][0], "SELECT count(*) FROM deployment"), i == 0 ? 0 : 8);
        /* What ranked stands beside the ranks. */
        snprintf(text, sizeof text, "%s.db", costs[i][0]);
        struct json_object *rows = JSON("query", text, "rungs", "--format", "json");
        snprintf(
            sql, sizeof sql,
            "SELECT count(*) FROM rung r JOIN trial t ON t.id = r.trial_id JOIN variant v ON v.id ="
            " t.variant_id LEFT JOIN deployment d ON d.variant_id = v.id WHERE r.rung = 1 AND v.id = %lld"
            " AND %s = %.17g",
            (long long)json_int_at(json_row(rows, 0), "variant"), costs[i][1],
            json_double_at(json_row(rows, 0), "cost_value"));
        assert_string_equal(json_text_at(json_row(rows, 0), "cost"), costs[i][0]);
        assert_true(db_int(costs[i][0], sql) > 0);
        json_object_put(rows);
    }
}

/* A rung's trial goes on from the shorter one where that is the same training, and ends with its results. */
static void test_constant_schedule_continues(void **state)
{
    (void)state;
    spec_write("constant", "sweep: [{id: sr, grid: {SR: [0.25, 0.5]}}]\n"
                           "train: {epochs: 4, batch: 16, lr: 0.02, schedule: constant, warmup: 0}\n"
                           "search: {eta: 2, min_epochs: 2}\n");
    assert_int_equal(run("constant", "constant"), 0);
    assert_true(output_holds("constant", "goes on from the trial with 2 epochs"));
    struct outcome o = RUN("verify", "constant.db");
    assert_int_equal(o.code, 0);
    outcome_release(&o);
}

/* Without the search its victims are wanted again; with it, full trainings that are there stay. */
static void test_search_comes_and_goes(void **state)
{
    (void)state;
    /* A variant this small may diverge: that is an end too. */
    static const char in_full[] = "SELECT count(*) FROM trial t JOIN block_trial m ON m.trial_id = t.id"
                                  " WHERE m.in_spec AND t.state IN ('done', 'diverged')";
    spec_write("gone", SWEEP "search: {eta: 4}\n");
    assert_int_equal(run("gone", "gone"), 0);
    assert_true(db_int("gone", pruned) > 0);
    spec_write("gone", SWEEP);
    assert_int_equal(run("gone", "gone"), 0);
    assert_int_equal(db_int("gone", pruned), 0);
    assert_int_equal(db_int("gone", in_full), 16);
    assert_int_equal(db_int("gone", "SELECT count(*) FROM rung WHERE in_spec"), 0);
    spec_write("gone", SWEEP "search: {eta: 4}\n");
    assert_int_equal(run("gone", "gone"), 0);
    assert_int_equal(db_int("gone", in_full), 16);
    assert_int_equal(db_int("gone", "SELECT count(*) FROM rung WHERE rung = 1 AND promoted"),
                     4); /* two variants */
}

static void test_plan(void **state)
{
    (void)state;
    struct json_object *p = JSON("plan", "half.yaml", "--format", "json");
    struct json_object *rungs = json_at(p, "rungs");
    assert_int_equal(json_object_array_length(rungs), 3);
    assert_int_equal(json_int_at(json_row(rungs, 0), "variants"), 8);
    assert_int_equal(json_int_at(json_row(rungs, 1), "trials"), 8);
    assert_int_equal(json_int_at(json_row(rungs, 2), "train_epochs"), 16);
    assert_int_equal(json_int_at(p, "totals.trials"), 16);
    json_object_put(p);
    struct outcome o = RUN("plan", "half.yaml", "--only", "rungs");
    assert_holds(o.out, "48 epochs instead of 64 (75 %)");
    outcome_release(&o);
    o = RUN("validate", "half.yaml");
    assert_holds(o.out, "16 trials");
    outcome_release(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_halving),
        cmocka_unit_test(test_results_are_of_full_trainings),
        cmocka_unit_test(test_again_trains_nothing),
        cmocka_unit_test(test_killed_in_a_rung),
        cmocka_unit_test(test_shared_by_two_runs),
        cmocka_unit_test(test_pareto_and_measured_cost),
        cmocka_unit_test(test_constant_schedule_continues),
        cmocka_unit_test(test_search_comes_and_goes),
        cmocka_unit_test(test_plan),
    };
    return cmocka_run_group_tests(tests, search_setup, search_teardown);
}
