/* The command line from a spec to its results: plan, run, status, query, eval, plot. One sweep is trained for
 * all. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "program.h"
#include "synthetic.h"

/* Four variants, one of them in both blocks, one too large; two seeds: eight trials, six to train. */
static const char spec_text[] =
    "version: 1\n"
    "name: tiny\n"
    "data: {format: idx, path: data, val: 80}\n"
    "base: {preset: small32, input: 1x12x12, classes: 4, conv1_filters: 8, base_e: 8, incr_e: 4}\n"
    "sweep:\n"
    "  - {id: sr, grid: {SR: [0.25, 0.5, 1.0]}}\n"
    "  - {id: pct, set: {SR: 0.5}, grid: {pct3x3: [0.25, 0.5]}}\n"
    "seeds: [1, 2]\n"
    "constraints: [\"params <= 5500\"]\n"
    "train: {epochs: 2, batch: 16, lr: 0.02}\n";

/* The spec with one text in place of another. */
static void write_changed_spec(const char *path, const char *from, const char *to)
{
    const char *at = strstr(spec_text, from);
    FILE *f = fopen(path, "w");
    assert_non_null(at);
    assert_non_null(f);
    fprintf(f, "%.*s%s%s", (int)(at - spec_text), spec_text, to, at + strlen(from));
    assert_int_equal(fclose(f), 0);
}

static int group_setup(void **state)
{
    struct err e = ERR_INIT;
    if (folder_enter(state, "cli") != 0)
        return -1;
    if (synthetic_idx("data", 4, 100, 25, 12, 1, &e) != ST_OK ||
        synthetic_idx("large", 4, 2, 2, 16, 1, &e) != ST_OK)
        return -1;
    if (synthetic_image_folder("photos", 4, 3, 2, 12, 1, &e) != ST_OK)
        return -1;
    text_write("tiny.yaml", spec_text);
    struct outcome o = RUN("run", "tiny.yaml", "--db", "tiny.db", "--format", "json");
    int code = o.code;
    if (code != 0)
        print_error("%s", o.err);
    text_write("run.json", o.out);
    text_write("run.log", o.err);
    outcome_release(&o);
    return code;
}

/* plan */

static void test_plan_counts_trials_and_operations(void **state)
{
    (void)state;
    struct json_object *plan = JSON("plan", "tiny.yaml", "--format", "json");
    struct json_object *trials = json_at(plan, "trials");
    assert_int_equal(json_object_array_length(trials), 8);
    assert_int_equal(json_int_at(plan, "totals.trials"), 8);
    assert_int_equal(json_int_at(plan, "totals.to_train"), 6);
    assert_int_equal(json_int_at(plan, "totals.skipped"), 2);
    assert_int_equal(json_int_at(plan, "totals.variants"), 3);
    assert_int_equal(json_int_at(plan, "totals.epochs"), 12);
    double operations = 0;
    int shared = 0;
    for (size_t i = 0; i < 8; i++) {
        struct json_object *trial = json_row(trials, i);
        bool skipped = json_int_at(trial, "params") > 5500;
        assert_int_equal(json_object_is_type(json_at(trial, "skip_reason"), json_type_string), skipped);
        /* Two epochs, three passes, two operations a multiply-accumulate. */
        assert_true(json_double_at(trial, "train_operations_per_image") ==
                    2.0 * 6 * (double)json_int_at(trial, "macs"));
        operations += skipped ? 0 : 12.0 * (double)json_int_at(trial, "macs");
        shared += json_object_array_length(json_at(trial, "blocks")) == 2;
        assert_true(json_object_is_type(json_at(trial, "axes"), json_type_object));
    }
    assert_int_equal(shared, 2); /* SR 0.5 with pct3x3 0.5, both seeds */
    assert_true(json_double_at(plan, "totals.train_operations_per_image") == operations);
    assert_true(json_double_at(json_row(trials, 0), "axes.SR") == 0.25);
    json_object_put(plan);
}

static void test_plan_prints_the_reference(void **state)
{
    (void)state;
    struct outcome o = RUN("plan", "--reference");
    assert_int_equal(o.code, 0);
    assert_holds(o.out, "pct3x3");
    assert_holds(o.out, "weight_decay");
    outcome_release(&o);
}

static void test_plan_does_not_need_the_data(void **state)
{
    (void)state;
    write_changed_spec("moved.yaml", "path: data", "path: none");
    struct outcome o = RUN("plan", "moved.yaml");
    assert_int_equal(o.code, 0);
    assert_holds(o.out, "sr,pct");
    assert_holds(o.out, "params <= 5500");
    assert_holds(o.out, "Note: moved.yaml:3:"); /* the run will need it */
    outcome_release(&o);
    EXPECT_ERROR(2, "moved.yaml:3:", "run", "moved.yaml", "--db", "moved.db");
    assert_int_equal(access("moved.db", F_OK), -1);
}

static void test_mistakes_in_a_spec_have_a_place(void **state)
{
    (void)state;
    write_changed_spec("wrong.yaml", "epochs", "epoch_");
    EXPECT_ERROR(2, "firesweep: wrong.yaml:10:9: ", "plan", "wrong.yaml");
    EXPECT_ERROR(2, "firesweep: wrong.yaml:10:9: ", "run", "wrong.yaml");
}

/* run */

static void test_run_prints_results(void **state)
{
    (void)state;
    char *text = text_read("run.json"), *log = text_read("run.log");
    struct json_object *results = json_tokener_parse(text);
    assert_int_equal(json_object_array_length(results), 4); /* points: two of sr, two of pct */
    for (size_t i = 0; i < 4; i++) {
        struct json_object *row = json_row(results, i);
        assert_int_equal(json_int_at(row, "n"), 2);
        assert_int_equal(json_int_at(row, "model_bytes"), 4 * json_int_at(row, "params"));
        double val = json_double_at(row, "val_top1"), test = json_double_at(row, "test_top1");
        assert_true(val >= 0 && val <= 1 && test >= 0 && test <= 1);
    }
    assert_string_equal(json_text_at(json_row(results, 0), "variant"), "sr SR=0.25");
    assert_holds(log, "tiny: 6 of 8 trials to train");
    assert_holds(log, "sr SR=0.25 seed 1: epoch 2/2, train loss ");
    assert_holds(log, "] pct pct3x3=0.25 seed 2: done, test ");
    assert_holds(log, "\n6 of 8 trials done, 2 skipped; results are in tiny.db\n");
    assert_holds(log, "  firesweep plot tiny.db\n");
    assert_null(strchr(log, '\x1b')); /* no terminal, no sequences */
    json_object_put(results);
    free(text);
    free(log);
}

static void test_run_again_trains_nothing(void **state)
{
    (void)state;
    char *text = text_read("run.json");
    struct outcome o = RUN("run", "--db", "tiny.db", "--format", "json", "tiny.yaml");
    assert_int_equal(o.code, 0);
    assert_string_equal(o.out, text);
    assert_null(strstr(o.err, "epoch"));
    outcome_release(&o);
    o = RUN("run", "--db", "tiny.db", "tiny.yaml");
    assert_holds(
        o.out,
        "variant          seeds  params      MiB  million MACs  val top-1 %  val top-5 %  test top-1 %");
    assert_holds(o.out, "\npct pct3x3=0.25      2    ");
    outcome_release(&o);
    free(text);
}

/* status and query */

static void test_status(void **state)
{
    (void)state;
    struct json_object *status = JSON("status", "tiny.db", "--format", "json");
    assert_int_equal(json_int_at(status, "states.trials"), 8);
    assert_int_equal(json_int_at(status, "states.done"), 6);
    assert_int_equal(json_int_at(status, "states.skipped"), 2);
    assert_int_equal(json_int_at(status, "states.pending"), 0);
    assert_string_equal(json_text_at(json_row(json_at(status, "sweeps"), 0), "sweep"), "tiny");
    assert_int_equal(json_int_at(json_row(json_at(status, "sweeps"), 0), "trials"), 8);
    assert_int_equal(json_int_at(json_row(json_at(status, "sweeps"), 0), "done"), 6);
    assert_int_equal(json_object_array_length(json_at(status, "running")), 0);
    assert_int_equal(json_object_array_length(json_at(status, "failures")), 0);
    json_object_put(status);
    struct outcome o = RUN("status", "tiny.db", "--format", "csv");
    assert_string_equal(o.out, "trials,pending,running,interrupted,done,diverged,failed,timed_out,pruned,"
                               "skipped,outside\n8,0,0,0,6,0,0,0,0,2,0\n");
    outcome_release(&o);
    o = RUN("status", "tiny.db");
    assert_holds(o.out, "trials  pending  running  interrupted  done");
    assert_null(strstr(o.out, "Failures"));
    outcome_release(&o);
}

/* A trial that does not get the time it needs: people want to know the reason. */
static void test_status_tells_what_failed(void **state)
{
    (void)state;
    text_write("slow.yaml",
               "version: 1\nname: slow\ndata: {format: idx, path: data}\n"
               "base: {preset: small32, input: 1x12x12, classes: 4, conv1_filters: 8, base_e: 8}\n"
               "train: {epochs: 1000, batch: 16}\nbudget: {trial_wall: 0.001s}\n");
    struct outcome o = RUN("run", "slow.yaml", "--db", "slow.db");
    assert_int_equal(o.code, 1);
    assert_holds(o.err, "1 of 1 trial timed out, a higher budget.trial_wall continues it\n");
    assert_holds(o.err, "[1/1] base seed 1: timed_out, ");
    assert_holds(o.err, "0 of 1 trial done, 1 timed out; results are in slow.db\n");
    assert_holds(o.err, "  firesweep status slow.db    says what failed and why\n");
    assert_string_equal(o.out, "");
    outcome_release(&o);
    struct json_object *failures = JSON("status", "slow.db", "--only", "failures", "--format", "json");
    assert_int_equal(json_object_array_length(failures), 1);
    assert_string_equal(json_text_at(json_row(failures, 0), "state"), "timed_out");
    assert_string_equal(json_text_at(json_row(failures, 0), "name"), "base seed 1");
    assert_string_equal(json_text_at(json_row(failures, 0), "message"),
                        "not done within budget.trial_wall (0.001 s)");
    json_object_put(failures);
    o = RUN("status", "slow.db");
    assert_holds(o.out, "\nFailures\ntrial  name         state");
    outcome_release(&o);
}

static void test_query(void **state)
{
    (void)state;
    struct json_object *rows = JSON("query", "tiny.db", "--format", "json");
    assert_int_equal(json_object_array_length(rows), 8); /* trials by default */
    json_object_put(rows);
    rows = JSON("query", "tiny.db", "fires", "--format", "json");
    assert_int_equal(json_object_array_length(rows), 4 * 8);
    json_object_put(rows);
    rows = JSON("query", "--list", "--format", "json");
    for (size_t i = 0; i < json_object_array_length(rows); i++) {
        if (strcmp(json_text_at(json_row(rows, i), "name"), "compare") == 0)
            continue; /* needs two variants */
        struct outcome o =
            RUN("query", "tiny.db", json_text_at(json_row(rows, i), "name"), "--format", "csv");
        assert_int_equal(o.code, 0);
        outcome_release(&o);
    }
    json_object_put(rows);
    struct outcome o = RUN("query", "--sql", "SELECT 1 AS a, NULL AS b, 'x,\"y' AS c, 0.1 AS d", "tiny.db",
                           "--format", "csv");
    assert_string_equal(o.out, "a,b,c,d\n1,,\"x,\"\"y\",0.1\n");
    outcome_release(&o);
}

static void test_query_filters(void **state)
{
    (void)state;
    struct outcome o =
        RUN("query", "tiny.db", "trials", "--where", "state = 'done'", "--sort", "model_mib:desc,trial",
            "--limit", "2", "--columns", "seed,lr,state", "--format", "csv");
    assert_int_equal(o.code, 0);
    assert_int_equal(strncmp(o.out, "seed,lr,state\n1,", 16), 0);
    outcome_release(&o);
    o = RUN("query", "tiny.db", "fires", "--limit", "1", "--columns", "fire,s1x1", "--format", "markdown");
    assert_holds(o.out, "| fire | s1x1 |\n|---:|---:|\n| 2 | ");
    outcome_release(&o);
    EXPECT_ERROR(2, "--where: character 6: \"lrr\" is unknown, did you mean lr?", "query", "tiny.db",
                 "--where", "(not lrr)");
    EXPECT_ERROR(2, "narrow named queries", "query", "tiny.db", "--sql", "SELECT 1", "--limit", "1");
    EXPECT_ERROR(2, "--limit", "query", "tiny.db", "--limit", "many");
    o = RUN("query", "tiny.db", "effects", "--where", "n > 0 and axis = SR", "--sort", "mean:desc", "--limit",
            "1", "--columns", "axis,level,n", "--format", "csv");
    assert_int_equal(o.code, 0);
    assert_int_equal(strncmp(o.out, "axis,level,n\nSR,0", 17), 0);
    outcome_release(&o);
    EXPECT_ERROR(2, "\"effct\" is unknown, did you mean effect?", "query", "tiny.db", "effects", "--where",
                 "effct > 1");
    EXPECT_ERROR(2, "--where: character 1: \"swep\" is unknown, did you mean sweep?", "query", "tiny.db",
                 "compare", "variant > 0", "1", "--where", "swep = 1");
    EXPECT_ERROR(2, "compare A: \"SRR = 1\": character 1: \"SRR\" is unknown", "query", "tiny.db", "compare",
                 "SRR = 1", "2");
}

/* For people: why there is nothing, and what a table means. */
static void test_query_says_why_and_what(void **state)
{
    (void)state;
    static const struct {
        const char *query, *option, *value, *holds;
    } cases[] = {{"trials", "--where", "SR > 2", "(no rows: none meets --where)\n"},
                 {"trials", "--limit", "0", "(no rows: --limit 0)\n"},
                 {"failures", "--limit", "9", "(no rows: no trial failed, diverged or timed out)\n"},
                 {"plateau", "--limit", "9",
                  "(no rows: no block has one axis of three numbers or more, and a seed that all its points "
                  "share)\n"},
                 {"effects", "--limit", "9", "effect: of the level with all"},
                 {"pareto", "--x", "macs", "variant  "}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct outcome o = RUN("query", "tiny.db", cases[i].query, cases[i].option, cases[i].value);
        assert_int_equal(o.code, 0);
        assert_holds(o.out, cases[i].holds);
        outcome_release(&o);
    }
    struct outcome o = RUN("query", "tiny.db", "failures", "--format", "csv");
    assert_int_equal(strncmp(o.out, "trial,state,", 12), 0);
    outcome_release(&o);
    EXPECT_ERROR(2, "--x: \"lr\" is no cost, allowed: model_mib, params", "query", "tiny.db", "pareto", "--x",
                 "lr");
    EXPECT_ERROR(2, "x: \"val_loss\" is no cost, allowed: model_mib", "plot", "tiny.db", "pareto", "--x",
                 "val_loss");
    EXPECT_ERROR(2, "--x belongs to the query pareto", "query", "tiny.db", "effects", "--x", "macs");
}

/* The learning rate of an epoch is a result: it has all its digits only where programs read it. */
static void test_query_epochs_are_legible(void **state)
{
    (void)state;
    struct outcome o = RUN("query", "tiny.db", "epochs", "--columns", "lr");
    size_t longest = 0, length = 0;
    for (const char *s = o.out; *s; s++) {
        length = *s == '\n' ? 0 : length + 1;
        longest = length > longest ? length : longest;
    }
    assert_int_equal(o.code, 0);
    assert_in_range(longest, 2, 9);
    outcome_release(&o);
    o = RUN("query", "tiny.db", "epochs", "--columns", "lr", "--format", "csv", "--limit", "1");
    assert_in_range(strlen(o.out), strlen("lr\n") + 9, 40);
    outcome_release(&o);
}

/* The first and the last trial's variants; and both against a mistake. */
static void test_query_compare_and_effects(void **state)
{
    (void)state;
    struct json_object *rows = JSON("query", "tiny.db", "compare", "1", "variant = 2", "--format", "json");
    assert_string_equal(json_text_at(json_row(rows, 0), "quantity"), "test_top1_pct");
    assert_true(json_double_at(json_row(rows, 0), "n") >= 1);
    assert_string_equal(json_text_at(json_row(rows, 0), "side_a"), "SR 0.25");
    assert_string_equal(json_text_at(json_row(rows, 0), "side_b"), "SR 0.5");
    json_object_put(rows);
    EXPECT_ERROR(2, "\"1\" and \"variant = 1\" are one variant with one recipe, 1/1", "query", "tiny.db",
                 "compare", "1", "variant = 1");
    struct outcome o = RUN("query", "tiny.db", "effects", "--format", "csv");
    assert_int_equal(o.code, 0);
    assert_holds(
        o.out, "block,quantity,axis,level,n,mean,effect,ci95_low,ci95_high,axis_share_pct,axis_f,axis_p,note,"
               "block_trials,block_left_out,left_out\n");
    assert_holds(o.out, ",(rest),");
    outcome_release(&o);
    /* Columns for other programs are shown to people who ask for them. */
    o = RUN("query", "tiny.db", "effects");
    assert_null(strstr(o.out, "block_trials"));
    outcome_release(&o);
    o = RUN("query", "tiny.db", "effects", "--columns", "axis,block_trials", "--limit", "1");
    assert_holds(o.out, "axis  block_trials\n");
    outcome_release(&o);
    /* What both have in common; or rows of the answer. */
    o = RUN("query", "tiny.db", "compare", "SR = 0.25", "2", "--where", "sweep = tiny", "--format", "csv");
    assert_holds(o.out, ",SR 0.25,SR 0.5\n");
    outcome_release(&o);
    o = RUN("query", "tiny.db", "compare", "1", "2", "--where", "quantity = train_s", "--format", "csv");
    assert_holds(o.out, "side_b\ntrain_s,");
    outcome_release(&o);
    EXPECT_ERROR(2, "no finished variant meets \"1\" and --where;", "query", "tiny.db", "compare", "1", "2",
                 "--where", "sweep = other");
    EXPECT_ERROR(2, "no finished variant meets \"4711\"", "query", "tiny.db", "compare", "1", "4711");
    EXPECT_ERROR(2, "it must be one", "query", "tiny.db", "compare", "1", "variant > 0");
    EXPECT_ERROR(2, "compare needs two variants", "query", "tiny.db", "compare", "1");
    EXPECT_ERROR(2, "there is no block \"nope\"", "query", "tiny.db", "effects", "--block", "nope");
    EXPECT_ERROR(2, "unknown column \"fun\"", "query", "tiny.db", "effects", "--y", "fun");
    EXPECT_ERROR(2, "\"train_s\" is no accuracy, allowed: test_top1", "query", "tiny.db", "plateau", "--y",
                 "train_s");
    EXPECT_ERROR(2, "y: edf takes no y", "plot", "tiny.db", "edf", "--y", "val_loss");
    EXPECT_ERROR(2, "tiny.db is a database: TRIAL is missing", "eval", "tiny.db", "--data", "x");
    EXPECT_ERROR(2, "none.db is not there", "plan", "tiny.yaml", "--db", "none.db", "--only", "changes");
    EXPECT_ERROR(2, "needs --budget", "plan", "tiny.yaml", "--only", "budget");
    o = RUN("status", "tiny.db", "--format", "markdown");
    assert_int_equal(o.code, 0);
    assert_holds(o.out, "|\n\n**Sweeps**\n\n| sweep |");
    outcome_release(&o);
    o = RUN("query", "tiny.db", "curve", "--format", "json");
    assert_holds(o.out, "\"axes\": {\"");
    outcome_release(&o);
}

/* Nothing that writes, attaches or loads gets through --sql. */
static void test_query_only_reads(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "ATTACH 'other.db' AS o",
        "INSERT INTO sweep(name) VALUES('x')",
        "UPDATE trial SET seed = 9",
        "DROP TABLE trial",
        "CREATE TABLE x(a)",
        "CREATE TEMP TABLE x(a)",
        "VACUUM",
        "VACUUM INTO 'copy.db'",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA user_version = 7",
        "BEGIN",
        "SELECT load_extension('libm.so.6')",
        "WITH x AS (SELECT 1) DELETE FROM trial",
        "EXPLAIN DELETE FROM trial",
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct outcome o = RUN("query", "tiny.db", "--sql", refused[i]);
        if (o.code != 2 || o.out[0])
            fail_msg("%s: exit code %d: %s", refused[i], o.code, o.err);
        outcome_release(&o);
    }
    assert_int_not_equal(access("other.db", F_OK), 0);
    assert_int_not_equal(access("copy.db", F_OK), 0);
}

static void test_query_mistakes(void **state)
{
    (void)state;
    EXPECT_ERROR(2, "leaderboard", "query", "tiny.db", "worst");
    EXPECT_ERROR(2, "syntax error", "query", "tiny.db", "--sql", "SELEC");
    EXPECT_ERROR(2, "no such column", "query", "tiny.db", "--sql", "SELECT flavour FROM trial");
    EXPECT_ERROR(2, "reading", "query", "tiny.db", "--sql", "DELETE FROM trial");
    EXPECT_ERROR(2, "one statement", "query", "tiny.db", "--sql", "SELECT 1; SELECT 2");
    EXPECT_ERROR(2, "two queries", "query", "tiny.db", "trials", "--sql", "SELECT 1");
    EXPECT_ERROR(2, "tiny.yaml", "query", "tiny.yaml");
    EXPECT_ERROR(2, "this is a sweep spec", "run", "tiny.yaml", "--db", "tiny.yaml");
    /* A spec in the place of a database, and the other way round. */
    EXPECT_ERROR(
        2,
        "status: tiny.yaml: this is a sweep spec, a results database is wanted; its own will be results/"
        "tiny.db, first: firesweep run tiny.yaml",
        "status", "tiny.yaml");
    EXPECT_ERROR(2, "status: tiny.yaml: this is a sweep spec", "status", "tiny.yaml", "--watch");
    EXPECT_ERROR(2, "this is a sweep spec", "measure", "tiny.yaml");
    EXPECT_ERROR(2, "this is a sweep spec", "gc", "tiny.yaml");
    EXPECT_ERROR(2, "this is a sweep spec", "verify", "tiny.yaml");
    EXPECT_ERROR(2, "tiny.db:1:1: this is a SQLite database, a sweep spec (YAML) is wanted", "plan",
                 "tiny.db");
}

/* A query without end stops when nobody reads. */
static void test_query_into_a_full_disk_ends(void **state)
{
    (void)state;
    static const char *const endless[] = {
        "query", "tiny.db", "--format",
        "csv",   "--sql",   "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n",
        NULL};
    struct outcome o = program_run_to("/dev/full", endless);
    assert_int_equal(o.code, 1);
    assert_holds(o.err, "standard output");
    outcome_release(&o);
}

/* eval */

static char *checkpoint_of(const char *where, double *test_top1, double *val_top1)
{
    char sql[160];
    snprintf(sql, sizeof sql, "SELECT checkpoint, test_top1, val_top1 FROM trial WHERE state = 'done' AND %s",
             where);
    struct json_object *rows = JSON("query", "tiny.db", "--format", "json", "--sql", sql);
    struct json_object *row = json_row(rows, 0);
    char *path = strdup(json_text_at(row, "checkpoint"));
    *test_top1 = json_double_at(row, "test_top1");
    *val_top1 = json_double_at(row, "val_top1");
    json_object_put(rows);
    return path;
}

static void test_eval_repeats_the_run(void **state)
{
    (void)state;
    double test_top1, val_top1;
    char *path = checkpoint_of("seed = 2", &test_top1, &val_top1);
    struct json_object *metrics = JSON("eval", path, "--data", "data", "--format", "json", "--threads", "3");
    assert_int_equal(json_int_at(metrics, "n"), 100);
    assert_true(json_double_at(metrics, "top1") == test_top1);
    assert_true(json_double_at(metrics, "top5") == 1); /* four classes */
    assert_true(json_double_at(metrics, "loss") > 0);
    assert_string_equal(json_text_at(metrics, "split"), "test");
    json_object_put(metrics);
    metrics = JSON("eval", path, "--data", "data", "--data-format", "idx", "--split", "val", "--val", "80",
                   "--format", "json");
    assert_int_equal(json_int_at(metrics, "n"), 80);
    assert_true(json_double_at(metrics, "top1") == val_top1);
    json_object_put(metrics);
    free(path);
}

/* The data, the validation images among them, are those of the trial's sweep; the checkpoint is found. */
static void test_eval_of_a_trial(void **state)
{
    (void)state;
    struct json_object *rows = JSON("query", "tiny.db", "trials", "--where", "seed = 2", "--limit", "1",
                                    "--columns", "trial,test_top1,val_top1", "--format", "json");
    struct json_object *row = json_object_array_get_idx(rows, 0);
    char id[24];
    snprintf(id, sizeof id, "%d", (int)json_int_at(row, "trial"));
    struct json_object *test = JSON("eval", "tiny.db", id, "--format", "json"),
                       *val = JSON("eval", "tiny.db", id, "--split", "val", "--format", "json"),
                       *few = JSON("eval", "tiny.db", id, "--test-limit", "40", "--format", "json"),
                       *copy = JSON("eval", "tiny.db", id, "--data", "data", "--format", "json");
    assert_true(json_double_at(test, "top1") == json_double_at(row, "test_top1"));
    assert_true(json_double_at(val, "top1") == json_double_at(row, "val_top1"));
    assert_int_equal(json_int_at(test, "n"), 100);
    assert_int_equal(json_int_at(val, "n"), 80);
    assert_int_equal(json_int_at(few, "n"), 40);
    assert_true(json_double_at(copy, "loss") == json_double_at(test, "loss"));
    json_object_put(test);
    json_object_put(val);
    json_object_put(few);
    json_object_put(copy);
    EXPECT_ERROR(2, "no id of a trial", "eval", "tiny.db", "one");
    EXPECT_ERROR(2, "999", "eval", "tiny.db", "999");
    EXPECT_ERROR(2, "does not exist", "eval", "tiny.db", id, "--data", "nowhere");
    json_object_put(rows);
}

static void test_eval_predictions_agree_with_the_metrics(void **state)
{
    (void)state;
    double test_top1, val_top1;
    char *path = checkpoint_of("seed = 1", &test_top1, &val_top1);
    struct outcome metrics = RUN("eval", path, "--data", "data", "--predictions", "predictions.csv"),
                   direct = RUN("eval", path, "--data", "data", "--predictions", "-");
    assert_holds(metrics.out, "images      100\n");
    char *csv = text_read("predictions.csv");
    assert_string_equal(csv, direct.out);
    int rows = 0, right = 0;
    char *line = strchr(csv, '\n');
    assert_int_equal(strncmp(csv, "index,file,label,label_name,predicted,predicted_name,probability\n", 65),
                     0);
    for (; line && line[1]; line = strchr(line + 1, '\n')) {
        int index, label, label_name, predicted, predicted_name;
        double probability;
        assert_int_equal(sscanf(line + 1, "%d,,%d,%d,%d,%d,%lf", &index, &label, &label_name, &predicted,
                                &predicted_name, &probability),
                         6);
        assert_int_equal(index, rows);
        assert_int_equal(label, label_name); /* idx: classes have no names but their numbers */
        assert_int_equal(predicted, predicted_name);
        assert_true(probability >= 0.25 && probability <= 1); /* the largest of four */
        right += label == predicted;
        rows++;
    }
    assert_int_equal(rows, 100);
    assert_true(right / 100.0 == test_top1);
    outcome_release(&metrics);
    outcome_release(&direct);
    free(csv);
    free(path);
}

/* What is said of some of the images is what was said of them among all: `index` leads from one to the other.
 */
static void test_eval_predictions_keep_their_index(void **state)
{
    (void)state;
    double test_top1, val_top1;
    char *path = checkpoint_of("seed = 1", &test_top1, &val_top1);
    struct outcome all = RUN("eval", path, "--data", "data", "--predictions", "-"),
                   some = RUN("eval", path, "--data", "data", "--predictions", "-", "--test-limit", "40");
    int rows = 0, last = -1, index;
    char *rest = NULL;
    strtok_r(some.out, "\n", &rest); /* the header */
    for (char *line; (line = strtok_r(NULL, "\n", &rest)); rows++) {
        char whole[200];
        snprintf(whole, sizeof whole, "\n%s\n", line);
        assert_holds(all.out, whole);
        assert_int_equal(sscanf(line, "%d,", &index), 1);
        assert_true(index > last);
        last = index;
    }
    assert_int_equal(rows, 40);
    assert_true(last > 40);
    outcome_release(&all);
    outcome_release(&some);
    free(path);
}

static void test_eval_refuses_what_does_not_fit(void **state)
{
    (void)state;
    double test_top1, val_top1;
    char *path = checkpoint_of("seed = 1", &test_top1, &val_top1);
    EXPECT_ERROR(2, "16x16", "eval", path, "--data", "large");
    EXPECT_ERROR(2, "network takes 1x12x12", "eval", path, "--data", "photos");
    EXPECT_ERROR(2, "say --data-format", "eval", path, "--data", ".");
    EXPECT_ERROR(2, "does not exist", "eval", path, "--data", "nowhere");
    EXPECT_ERROR(2, "needs --val", "eval", path, "--data", "data", "--split", "val");
    EXPECT_ERROR(1, "tiny.yaml", "eval", "tiny.yaml", "--data", "data");
    EXPECT_ERROR(1, "no/where", "eval", path, "--data", "data", "--predictions", "no/where/p.csv");
    free(path);
}

/* The probability is the softmax of the logits at the predicted class. */
static void test_eval_logits(void **state)
{
    (void)state;
    double test_top1, val_top1;
    char *path = checkpoint_of("seed = 1", &test_top1, &val_top1);
    struct outcome o = RUN("eval", path, "--data", "data", "--predictions", "-", "--logits");
    assert_int_equal(o.code, 0);
    int rows = 0;
    for (char *line = strchr(o.out, '\n'); line && line[1]; line = strchr(line + 1, '\n'), rows++) {
        int predicted;
        double probability, logit[4], sum = 0;
        assert_int_equal(sscanf(line + 1, "%*d,,%*d,%*d,%d,%*d,%lf,%lf %lf %lf %lf", &predicted, &probability,
                                &logit[0], &logit[1], &logit[2], &logit[3]),
                         6);
        for (int c = 0; c < 4; c++)
            sum += exp(logit[c] - logit[predicted]);
        assert_true(fabs(1 / sum - probability) < 1e-6);
    }
    assert_int_equal(rows, 100);
    outcome_release(&o);
    EXPECT_ERROR(2, "--logits goes with --predictions", "eval", path, "--data", "data", "--logits");
    free(path);
}

/* plot */

static void test_plot_prints_what_it_wrote(void **state)
{
    (void)state;
    EXPECT_ERROR(2, "curve", "plot", "tiny.db", "pie");
    if (system("command -v gnuplot > /dev/null") != 0)
        skip();
    struct outcome o = RUN("plot", "tiny.db", "curve", "-o", "figures", "--image", "svg");
    assert_int_equal(o.code, 0);
    assert_holds(o.out, "figures/tiny-sr-curve.svg\nfigures/tiny-sr-curve.csv\n");
    assert_int_equal(access("figures/tiny-sr-curve.svg", R_OK), 0);
    assert_int_equal(access("figures/tiny-pct-curve.csv", R_OK), 0);
    outcome_release(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plan_counts_trials_and_operations),
        cmocka_unit_test(test_plan_prints_the_reference),
        cmocka_unit_test(test_plan_does_not_need_the_data),
        cmocka_unit_test(test_mistakes_in_a_spec_have_a_place),
        cmocka_unit_test(test_run_prints_results),
        cmocka_unit_test(test_run_again_trains_nothing),
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_status_tells_what_failed),
        cmocka_unit_test(test_query),
        cmocka_unit_test(test_query_filters),
        cmocka_unit_test(test_query_says_why_and_what),
        cmocka_unit_test(test_query_epochs_are_legible),
        cmocka_unit_test(test_query_compare_and_effects),
        cmocka_unit_test(test_query_only_reads),
        cmocka_unit_test(test_query_mistakes),
        cmocka_unit_test(test_query_into_a_full_disk_ends),
        cmocka_unit_test(test_eval_repeats_the_run),
        cmocka_unit_test(test_eval_logits),
        cmocka_unit_test(test_eval_of_a_trial),
        cmocka_unit_test(test_eval_predictions_agree_with_the_metrics),
        cmocka_unit_test(test_eval_predictions_keep_their_index),
        cmocka_unit_test(test_eval_refuses_what_does_not_fit),
        cmocka_unit_test(test_plot_prints_what_it_wrote),
    };
    return cmocka_run_group_tests(tests, group_setup, folder_leave);
}
