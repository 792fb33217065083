/* Edited specs: what plan says before anything runs, and what extend does. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "program.h"
#include "sandbox.h"
#include "speed.h"

static void assert_change(struct json_object *plan, size_t trial, const char *change, const char *why)
{
    struct json_object *row = json_row(json_at(plan, "trials"), trial);
    assert_string_equal(json_text_at(row, "change"), change);
    if (why)
        assert_string_equal(json_text_at(row, "why_new"), why);
    else
        assert_null(json_at(row, "why_new"));
}

static void test_plan_without_a_database(void **state)
{
    (void)state;
    spec_write("fresh", "train: {epochs: 1}\n");
    struct json_object *plan = JSON("plan", "fresh.yaml", "--db", "fresh.db", "--format", "json"), *changes;
    assert_false(json_object_object_get_ex(plan, "changes", &changes));
    json_object_put(plan);
    EXPECT_ERROR(2, "changes", "plan", "fresh.yaml", "--only", "changes");
}

/* What finished trials took corrects a speed that is far off, in all that plan foretells. */
static void test_plan_learns_from_finished_trials(void **state)
{
    (void)state;
    char folder[512];
    assert_non_null(getcwd(folder, sizeof folder));
    setenv("XDG_CACHE_HOME", folder, 1);
    spec_write("learn", "sweep: [{id: sr, grid: {SR: [0.25, 0.5, 1.0]}}]\nseeds: [1, 2]\n"
                        "train: {epochs: 2, batch: 16}\nrun: {threads: 1, measure: false}\n");
    assert_int_equal(run("learn", "learn"), 0);
    keep_speed(1e-14); /* a thousand times too fast, or more */
    struct json_object *alone = JSON("plan", "learn.yaml", "--db", "none.db", "--format", "json");
    struct json_object *plan = JSON("plan", "learn.yaml", "--db", "learn.db", "--format", "json");
    assert_int_equal(json_int_at(plan, "totals.prediction_error_trials"), 6);
    double predicted = 0;
    for (size_t i = 0; i < 6; i++) {
        struct json_object *row = json_row(json_at(plan, "trials"), i);
        const double s = json_double_at(row, "predicted_s");
        assert_true(json_double_at(row, "predicted_low_s") <= s &&
                    s <= json_double_at(row, "predicted_high_s"));
        assert_true(s > 10 * json_double_at(json_row(json_at(alone, "trials"), i), "predicted_s"));
        predicted += s;
    }
    const double took =
        (double)db_int("learn", "SELECT cast(sum(train_s) * 1e6 AS INTEGER) FROM trial") / 1e6;
    assert_true(predicted > took / 20 && predicted < took * 20);
    assert_true(json_double_at(plan, "totals.predicted_wall_s") >
                10 * json_double_at(alone, "totals.predicted_wall_s"));
    json_object_put(alone);
    json_object_put(plan);
    /* Which trials a spec asks for does not hang on what a database holds. */
    const char *const alone_note = "conditions on train_s go by the calibrated speed alone";
    struct outcome o = RUN("plan", "learn.yaml", "--db", "learn.db", "--only", "totals");
    assert_holds(o.out, "corrected by that");
    assert_null(strstr(o.out, alone_note));
    outcome_release(&o);
    spec_write("learn", "sweep: [{id: sr, grid: {SR: [0.25, 0.5, 1.0]}}]\nseeds: [1, 2]\n"
                        "train: {epochs: 2, batch: 16}\nrun: {threads: 1, measure: false}\n"
                        "constraints: [train_s < 0.001]\n");
    o = RUN("plan", "learn.yaml", "--db", "learn.db", "--only", "totals");
    assert_holds(o.out, alone_note);
    outcome_release(&o);
    plan = JSON("plan", "learn.yaml", "--db", "learn.db", "--format", "json");
    assert_int_equal(json_int_at(plan, "totals.trials"), 6);
    json_object_put(plan);
    unsetenv("XDG_CACHE_HOME");
}

static void test_plan_tells_added_and_removed_points(void **state)
{
    (void)state;
    spec_write("points", "sweep: [{id: sr, grid: {SR: [0.25, 0.5]}}]\ntrain: {epochs: 2, batch: 16}\n");
    assert_int_equal(run("points", "points"), 0);
    spec_write("points", "sweep: [{id: sr, grid: {SR: [0.5, 1.0]}}]\nseeds: [1, 2]\n"
                         "train: {epochs: 2, batch: 16}\n");
    char *before = db_metrics("points");
    struct json_object *plan = JSON("plan", "points.yaml", "--db", "points.db", "--format", "json");
    assert_change(plan, 0, "done", NULL);
    assert_change(plan, 1, "new", "new seed");
    assert_change(plan, 2, "new", "new point");
    assert_int_equal(json_int_at(plan, "changes.done"), 1);
    assert_int_equal(json_int_at(plan, "changes.new"), 3);
    assert_int_equal(json_int_at(plan, "changes.outside"), 1);
    assert_int_equal(json_int_at(plan, "changes.epochs"), 6);
    struct json_object *outside = json_row(json_at(plan, "outside"), 0);
    assert_string_equal(json_text_at(outside, "name"), "sr SR=0.25 seed 1");
    assert_string_equal(json_text_at(outside, "why"), "its point is not in the spec");
    json_object_put(plan);
    char *after = db_metrics("points");
    assert_string_equal(before, after);
    free(before);
    free(after);
    /* And the run does what the plan said. */
    assert_int_equal(run("points", "points"), 0);
    assert_int_equal(db_int("points", "SELECT count(*) FROM attempt"), 2 + 3);
    assert_int_equal(db_int("points", "SELECT count(*) FROM curve"), 2);
    struct json_object *status = JSON("status", "points.db", "--format", "json");
    assert_int_equal(json_int_at(status, "states.trials"), 5);
    assert_int_equal(json_int_at(status, "states.outside"), 1);
    assert_int_equal(json_object_array_length(json_at(status, "events")), 0);
    json_object_put(status);
    plan = JSON("plan", "points.yaml", "--db", "points.db", "--format", "json");
    assert_int_equal(json_int_at(plan, "changes.done"), 4);
    assert_int_equal(json_int_at(plan, "changes.epochs"), 0);
    json_object_put(plan);
    struct outcome o = RUN("plan", "points.yaml", "--db", "points.db");
    assert_holds(o.out, "The whole spec, as if nothing were done\n");
    outcome_release(&o);
    o = RUN("plan", "points.yaml", "--db", "points.db", "--only", "changes");
    assert_holds(o.out, "as many images as when the sweep was last run, but they were not compared: run");
    outcome_release(&o);
}

static void test_plan_tells_what_else_changed(void **state)
{
    (void)state;
    spec_write("recipe", "train: {epochs: 2, batch: 16}\n");
    assert_int_equal(run("recipe", NULL), 0);
    spec_write("recipe", "train: {epochs: 2, batch: 8, lr: 0.02}\n");
    struct json_object *plan = JSON("plan", "recipe.yaml", "--format", "json"); /* finds results/recipe.db */
    assert_change(plan, 0, "new", "batch 16 -> 8, lr 0.04 -> 0.02");
    assert_string_equal(json_text_at(json_row(json_at(plan, "outside"), 0), "why"),
                        "batch 16 -> 8, lr 0.04 -> 0.02");
    assert_string_equal(json_text_at(plan, "changes.db"), "results/recipe.db");
    json_object_put(plan);
    /* Of several recipes of the same layers, the nearest is meant. */
    static const char rates[] =
        "sweep: [{id: lr, grid: {lr: [0.01, 0.03]}}]\ntrain: {epochs: %d, batch: 80}\n";
    char text[128];
    snprintf(text, sizeof text, rates, 1);
    spec_write("rates", text);
    assert_int_equal(run("rates", NULL), 0);
    snprintf(text, sizeof text, rates, 2);
    spec_write("rates", text);
    plan = JSON("plan", "rates.yaml", "--format", "json");
    for (size_t i = 0; i < 2; i++) {
        assert_change(plan, i, "new", "epochs 1 -> 2");
        assert_string_equal(json_text_at(json_row(json_at(plan, "outside"), i), "why"), "epochs 1 -> 2");
    }
    json_object_put(plan);
    FILE *f = fopen("recipe.yaml", "w");
    assert_non_null(f);
    fputs("version: 1\nname: recipe\ndata: {format: idx, path: data, val: 40}\n"
          "base: {preset: small32, input: 1x12x12, classes: 4, conv1_filters: 8, base_e: 8, incr_e: 4, SR: "
          "1.0}\n"
          "train: {epochs: 2, batch: 16}\n",
          f);
    assert_int_equal(fclose(f), 0);
    plan = JSON("plan", "recipe.yaml", "--format", "json");
    assert_change(plan, 0, "new", "data.val 80 -> 40");
    assert_string_equal(json_text_at(plan, "changes.data"), "data.val 80 -> 40");
    json_object_put(plan);
}

static void test_plan_tells_where_a_trial_continues(void **state)
{
    (void)state;
    spec_write("stopped", "train: {epochs: 40, batch: 16}\nrun: {workers: 1}\nseeds: [1, 2]\n");
    pid_t pid = run_start("stopped", "stopped", NULL);
    wait_until("stopped", "SELECT max(epochs_done) FROM trial", 2, pid);
    signal_until_output("stopped", "save their state", pid, 15);
    assert_int_equal(run_wait(pid), 1);
    int64_t done = db_int("stopped", "SELECT max(epochs_done) FROM trial");
    struct json_object *plan = JSON("plan", "stopped.yaml", "--db", "stopped.db", "--format", "json");
    assert_int_equal(json_int_at(plan, "changes.continues"), 1);
    assert_int_equal(json_int_at(plan, "changes.waiting"), 1);
    assert_int_equal(json_int_at(plan, "changes.epochs"), 80 - done);
    json_object_put(plan);
}

/* The rows of `metrics` of trials with so many epochs, in the order of the view. */
static char *metrics_of_length(const char *db, int epochs)
{
    char query[700], path[64];
    snprintf(path, sizeof path, "%s.db", db);
    snprintf(query, sizeof query,
             "SELECT group_concat(quote(arch_hash) || seed || state || quote(epoch) || printf('%%!.17g "
             "%%!.17g %%!.17g "
             "%%!.17g', epoch_lr, epoch_train_loss, epoch_val_loss, test_loss), x'0a') FROM (SELECT * FROM "
             "metrics "
             "WHERE recipe_hash IN (SELECT recipe_hash FROM recipe WHERE epochs = %d))",
             epochs);
    struct outcome o = RUN("query", path, "--sql", query, "--format", "json");
    assert_int_equal(o.code, 0);
    char *text = strdup(o.out);
    outcome_release(&o);
    return text;
}

static const char extendable[] =
    "sweep: [{id: sr, grid: {SR: [0.25, 0.5]}}]\n"
    "train: {epochs: %d, batch: 16, schedule: %s, warmup: %s, dropout: 0.2, flip: "
    "true, optimizer: adam, lr: 0.003}\n";

static void write_extendable(const char *name, int epochs, const char *schedule, const char *warmup)
{
    char text[512];
    snprintf(text, sizeof text, extendable, epochs, schedule, warmup);
    spec_write(name, text);
}

static void test_extended_equals_longer_from_the_start(void **state)
{
    (void)state;
    write_extendable("long", 5, "constant", "0");
    assert_int_equal(run("long", "long"), 0);
    char *expected = metrics_of_length("long", 5);
    assert_non_null(strstr(expected, "done"));
    write_extendable("short", 2, "constant", "0");
    assert_int_equal(run("short", "short"), 0);

    struct outcome o = RUN("extend", "short.db", "--epochs", "3", "--format", "json"); /* from the database */
    assert_int_equal(o.code, 0);
    assert_holds(o.err, "goes on from the trial with 2 epochs");
    outcome_release(&o);
    o = RUN("extend", "short.yaml", "--db", "short.db", "--epochs", "5", "--format",
            "json"); /* from the spec */
    assert_int_equal(o.code, 0);
    assert_holds(o.err, "goes on from the trial with 3 epochs");
    outcome_release(&o);
    char *extended = metrics_of_length("short", 5);
    assert_string_equal(extended, expected);
    assert_int_equal(db_int("short", "SELECT count(*) FROM trial WHERE state = 'done'"), 6);
    assert_int_equal(db_int("short", "SELECT count(*) FROM block_trial WHERE in_spec"), 2);
    free(extended);
    free(expected);
    /* An edited spec is as good. */
    write_extendable("short", 7, "constant", "0");
    assert_int_equal(run("short", "short"), 0);
    assert_true(output_holds("short", "goes on from the trial with 5 epochs"));
    o = RUN("verify", "short.db", "5");
    assert_int_equal(o.code, 0);
    outcome_release(&o);
}

static void test_what_cannot_be_extended_says_why(void **state)
{
    (void)state;
    static const char *const schedules[][3] = {
        {"linear", "0", "schedule linear falls to zero"},
        {"cosine", "0", "schedule cosine falls to zero"},
        {"triangular", "0.1", "schedule triangular peaks"},
        {"constant", "0.1", "the warm-up is a share of all updates"},
    };
    for (size_t i = 0; i < sizeof schedules / sizeof *schedules; i++) {
        write_extendable("no", 1, schedules[i][0], schedules[i][1]);
        EXPECT_ERROR(2, schedules[i][2], "extend", "no.yaml", "--epochs", "3");
        EXPECT_ERROR(2, "a spec with more epochs trains new trials", "extend", "no.yaml", "--epochs", "3");
    }
    write_extendable("no", 1, "linear", "0");
    assert_int_equal(run("no", "no"), 0);
    EXPECT_ERROR(2, "schedule linear", "extend", "no.db", "--epochs", "3");
    assert_int_equal(db_int("no", "SELECT count(*) FROM trial"), 2);

    spec_write("axis", "sweep: [{id: n, grid: {epochs: [1, 2]}}]\ntrain: {schedule: constant, warmup: 0}\n");
    EXPECT_ERROR(2, "axis.yaml:5:", "extend", "axis.yaml", "--epochs", "3");
    write_extendable("same", 2, "constant", "0");
    EXPECT_ERROR(2, "no such database", "extend", "same.yaml", "--epochs", "3");
    assert_int_equal(run("same", "same"), 0);
    EXPECT_ERROR(2, "have 2 epochs already", "extend", "same.db", "--epochs", "2");
    EXPECT_ERROR(2, "--epochs is missing", "extend", "same.db");
    write_extendable("same", 3, "constant", "0");
    EXPECT_ERROR(1, "2 of 2 trials are not finished", "extend", "same.yaml", "--db", "same.db", "--epochs",
                 "4");
}

static void test_watch_follows_a_sweep_to_its_end(void **state)
{
    (void)state;
    spec_write("watched", "sweep: [{id: sr, grid: {SR: [0.25, 0.5]}}]\ntrain: {epochs: 30, batch: 16}\n"
                          "run: {workers: 1, threads: 1}\n");
    pid_t pid = run_start("watched", "watched", NULL);
    wait_until("watched", "SELECT max(epochs_done) FROM trial", 1, pid);
    struct outcome o = RUN("status", "watched.db", "--watch");
    assert_int_equal(run_wait(pid), 0);
    assert_int_equal(o.code, 0);
    assert_string_equal(o.err, "");
    assert_holds(o.out, "0 of 2 trials finished, ETA 0:00:");
    assert_holds(o.out, ", 1 running, 1 pending\n");
    assert_holds(o.out, "seed 1: ");
    assert_holds(o.out, " of 30 epochs, val top-1 ");
    outcome_release(&o);
    assert_int_equal(db_int("watched", "SELECT count(*) FROM trial WHERE state = 'done'"), 2);
    o = RUN("status", "watched.db", "--watch");
    assert_int_equal(o.code, 0);
    assert_string_equal(o.out, "2 of 2 trials finished, 0 running, 0 pending\nnothing is left to do\n");
    outcome_release(&o);
    EXPECT_ERROR(2, "--watch shows lines of its own", "status", "watched.db", "--watch", "--format", "json");
}

/* Workers are told apart by their trials, and long names stay whole: what differs stands at their end. */
static void test_watch_tells_long_names_apart(void **state)
{
    (void)state;
    spec_write("longnames",
               "sweep: [{id: a-block-with-a-name-of-more-than-sixty-three-letters-which-nothing-forbids,"
               " grid: {SR: [0.25]}}]\nseeds: [1, 2]\ntrain: {epochs: 60, batch: 16}\n"
               "run: {workers: 2, threads: 1}\n");
    pid_t pid = run_start("longnames", "longnames", NULL);
    wait_until("longnames", "SELECT min(epochs_done) FROM trial", 1, pid);
    struct outcome o = RUN("status", "longnames.db", "--watch");
    assert_int_equal(run_wait(pid), 0);
    assert_int_equal(o.code, 0);
    assert_holds(o.out, "which-nothing-forbids SR=0.25 seed 1: ");
    assert_holds(o.out, "which-nothing-forbids SR=0.25 seed 2: ");
    outcome_release(&o);
}

/* A supervisor that is gone leaves rows that say running, and another process may have its worker's number.
 */
static void test_status_of_a_run_that_is_gone(void **state)
{
    (void)state;
    char sql[160];
    spec_write("gone", "train: {epochs: 2000, batch: 16}\n");
    pid_t pid = run_start("gone", "gone", NULL);
    wait_until("gone", "SELECT max(epochs_done) FROM trial", 1, pid);
    struct json_object *status = JSON("status", "gone.db", "--format", "json");
    assert_int_equal(json_int_at(status, "states.running"), 1);
    assert_int_equal(json_int_at(status, "states.interrupted"), 0);
    assert_string_equal(json_text_at(json_row(json_at(status, "running"), 0), "run"), "at work");
    json_object_put(status);
    assert_int_equal(kill(-pid, 9), 0);
    assert_int_equal(run_wait(pid), 128 + 9);
    snprintf(sql, sizeof sql, "UPDATE attempt SET pid = %d; UPDATE lease SET run_pid = %d, worker_pid = %d",
             (int)getpid(), (int)getpid(), (int)getpid());
    db_change("gone", sql);
    status = JSON("status", "gone.db", "--format", "json");
    assert_int_equal(json_int_at(status, "states.trials"), 1);
    assert_int_equal(json_int_at(status, "states.running"), 0);
    assert_int_equal(json_int_at(status, "states.interrupted"), 1);
    assert_string_equal(json_text_at(json_row(json_at(status, "running"), 0), "run"), "gone");
    json_object_put(status);
    struct outcome o = RUN("status", "gone.db");
    assert_holds(o.out, "Interrupted: their run is gone");
    outcome_release(&o);
    o = RUN("status", "gone.db", "--watch");
    assert_int_equal(o.code, 0);
    assert_string_equal(o.out,
                        "0 of 1 trial finished, 0 running, 1 interrupted, 0 pending\n"
                        "the run is gone without an end (killed, or its machine was started again); the same "
                        "firesweep run continues what is left\n");
    outcome_release(&o);
}

/* A run that was asked to stop leaves trials that wait. */
static void test_watch_ends_when_nobody_runs(void **state)
{
    (void)state;
    spec_write("idle", "train: {epochs: 2000, batch: 16}\n");
    pid_t pid = run_start("idle", "idle", NULL);
    wait_until("idle", "SELECT max(epochs_done) FROM trial", 1, pid);
    assert_int_equal(kill(pid, 15), 0);
    assert_int_equal(run_wait(pid), 1);
    struct outcome o = RUN("status", "idle.db", "--watch");
    assert_int_equal(o.code, 0);
    assert_holds(o.out, "0 of 1 trial finished, 0 running, 1 pending\nno run is at work; the same");
    outcome_release(&o);
}

/* An interrupted attempt, a crashed one, and what a run said: the newest stand last. */
static void test_status_tells_what_happened(void **state)
{
    (void)state;
    spec_write("eventful", "train: {epochs: 60, batch: 16}\nrun: {checkpoint: 0.01s, threads: 1}\n");
    pid_t pid = run_start("eventful", "eventful", NULL);
    wait_until("eventful", "SELECT max(epochs_done) FROM trial", 1, pid);
    kill(pid, SIGINT);
    assert_int_equal(run_wait(pid), 1);
    pid = run_start("eventful", "eventful", NULL);
    wait_until("eventful", "SELECT count(*) FROM attempt WHERE ended_utc IS NULL AND number = 2", 1, pid);
    wait_for_output("eventful", "continues after epoch", pid);
    pid_t worker = (pid_t)db_int("eventful", "SELECT pid FROM attempt WHERE number = 2");
    assert_true(worker > 0);
    kill(worker, SIGKILL);
    assert_int_equal(run_wait(pid), 0);
    struct json_object *events = JSON("status", "eventful.db", "--only", "events", "--format", "json");
    /* Times have whole seconds, so only what follows from what is certain. */
    int interrupted = 0, crashed = 0, ended = 0;
    for (size_t i = 0; i < json_object_array_length(events); i++) {
        struct json_object *row = json_row(events, i);
        const char *text = json_text_at(row, "text"), *kind = json_text_at(row, "kind");
        assert_string_equal(json_text_at(row, "name"), "base seed 1");
        interrupted += strcmp(text, "goes on after attempt 1, which was interrupted") == 0;
        crashed += strcmp(text, "goes on after attempt 2, which crashed") == 0;
        ended += strcmp(kind, "ended") == 0 && strstr(text, "crashed: ") != NULL;
    }
    assert_int_equal(interrupted, 1);
    assert_int_equal(crashed, 1);
    assert_int_equal(ended, 1);
    json_object_put(events);
}

/* A random block whose conditions leave fewer points than were asked for. */
static void test_run_says_when_points_are_missing(void **state)
{
    (void)state;
    spec_write("scarce", "sweep: [{id: few, random: {n: 9}, params: {freq: {choice: [1, 2, 3]}}}]\n"
                         "constraints: [freq != 3]\ntrain: {epochs: 1}\n");
    assert_int_equal(run("scarce", "scarce"), 0);
    assert_true(output_holds("scarce", "block few has 2 of 9 points"));
    assert_int_equal(db_int("scarce", "SELECT count(*) FROM trial WHERE state = 'done'"), 2);
}

/* Trials that a later condition excludes count as skipped, whatever came of them, and are not tried again. */
static void test_run_skips_what_is_excluded_later(void **state)
{
    (void)state;
    const char *const rest = "sweep: [{id: sr, grid: {SR: [0.25, 0.5, 1.0]}}]\ntrain: {epochs: 1}\n"
                             "run: {measure: false}\n";
    char edited[256];
    spec_write("excluded", rest);
    assert_int_equal(run("excluded", "excluded"), 0);
    db_change("excluded", "UPDATE trial SET state = 'failed', message = 'made up' WHERE id = 3");
    snprintf(edited, sizeof edited, "%sconstraints: [SR < 0.4]\n", rest);
    spec_write("excluded", edited);
    assert_int_equal(run("excluded", "excluded"), 0);
    assert_true(output_holds("excluded", "1 of 3 trials done, 2 skipped; results"));
    assert_int_equal(db_int("excluded", "SELECT count(*) FROM attempt"), 3);
    struct json_object *plan = JSON("plan", "excluded.yaml", "--db", "excluded.db", "--format", "json");
    assert_change(plan, 0, "done", NULL);
    assert_change(plan, 1, "skipped", NULL);
    assert_change(plan, 2, "skipped", NULL);
    json_object_put(plan);
    struct json_object *status = JSON("status", "excluded.db", "--format", "json");
    assert_int_equal(json_int_at(json_row(json_at(status, "sweeps"), 0), "done"), 1);
    json_object_put(status);
    spec_write("excluded", rest);
    assert_int_equal(run("excluded", "excluded"), 0);
    assert_true(output_holds("excluded", "1 trial that failed in an earlier run is tried again"));
    assert_true(output_holds("excluded", "3 of 3 trials done; results"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plan_without_a_database),
        cmocka_unit_test(test_plan_learns_from_finished_trials),
        cmocka_unit_test(test_plan_tells_added_and_removed_points),
        cmocka_unit_test(test_plan_tells_what_else_changed),
        cmocka_unit_test(test_plan_tells_where_a_trial_continues),
        cmocka_unit_test(test_extended_equals_longer_from_the_start),
        cmocka_unit_test(test_what_cannot_be_extended_says_why),
        cmocka_unit_test(test_watch_follows_a_sweep_to_its_end),
        cmocka_unit_test(test_watch_tells_long_names_apart),
        cmocka_unit_test(test_status_of_a_run_that_is_gone),
        cmocka_unit_test(test_watch_ends_when_nobody_runs),
        cmocka_unit_test(test_status_tells_what_happened),
        cmocka_unit_test(test_run_says_when_points_are_missing),
        cmocka_unit_test(test_run_skips_what_is_excluded_later),
    };
    return cmocka_run_group_tests(tests, sandbox_setup, sandbox_teardown);
}
