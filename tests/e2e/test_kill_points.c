/* `firesweep run` killed at exactly one point: before each single system call that changes a checkpoint or
 * the database, or makes it safe. The same command must then end with the metrics of a run that was left
 * alone.
 *
 *   test_e2e_kill_points [all]    all: every call, which takes minutes; else a few of them, evenly spread */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox.h"
#include "trap.h"

/* Two networks, two epochs; every kind of checkpoint is written. */
static const char tiny[] = "sweep: [{id: sr, grid: {SR: [0.25, 0.5]}}]\n"
                           "train: {epochs: 2, batch: 80, lr: 0.02, dropout: 0.3}\n"
                           "run: {workers: 1, threads: 1, keep: all, measure: false}\n";
enum { TRIALS = 2, SPREAD = 4 };
static bool all_points;

/* Counts the calls for files whose path holds a text, and gives its verdict on one of them. */
struct killer {
    const char *files;
    enum trap_verdict verdict;
    int at; /* 0 = none */
    int count;
    char last[160]; /* the call that was judged */
};

static enum trap_verdict kill_at(void *context, const struct trap_call *c)
{
    struct killer *k = context;
    if (!strstr(c->path, k->files) || ++k->count != k->at)
        return TRAP_GO_ON;
    const char *slash = strrchr(c->path, '/');
    snprintf(k->last, sizeof k->last, "%s of %s", c->name, slash ? slash + 1 : c->path);
    return k->verdict;
}

/* Runs the sweep on a database; returns the exit code. */
static int run_trapped(const char *db, struct killer *k)
{
    struct trap trap = {.judge = kill_at, .context = k};
    trap_open(&trap);
    return trap_wait(&trap, run_start_prepared("tiny", db, NULL, trap_arm, &trap));
}

static void remove_run(const char *db)
{
    char command[160];
    snprintf(command, sizeof command, "rm -rf %s.db %s.db-* %s.checkpoints %s.logs %s.out", db, db, db, db,
             db);
    assert_int_equal(system(command), 0);
}

/* All trials are done once, as in `expected`, and nothing is left of what was under way. */
static void assert_whole(const char *db, const char *expected, const struct killer *k)
{
    char folder[64];
    char *metrics = db_metrics(db);
    if (strcmp(metrics, expected) != 0)
        fail_msg("killed before call %d, %s: metrics differ\n%s\n%s", k->at, k->last, expected, metrics);
    free(metrics);
    assert_int_equal(db_int(db, "SELECT count(*) FROM attempt WHERE outcome = 'done'"), TRIALS);
    assert_int_equal(db_int(db, "SELECT count(*) FROM attempt WHERE ended_utc IS NULL"), 0);
    assert_int_equal(db_int(db, "SELECT count(*) FROM lease"), 0);
    snprintf(folder, sizeof folder, "%s.checkpoints", db);
    assert_int_equal(count_files(folder, ".tmp"), 0);
    assert_int_equal(count_files(folder, ".previous"), 0);
    assert_int_equal(count_files(folder, ".safetensors"), TRIALS * (1 + 1 + 2)); /* last, best, epochs */
    assert_false(exists(db, ".db-journal"));
}

/* Kills before call n, runs again. Returns whether there was such a call. */
static bool kill_and_continue(struct killer k, int n, const char *expected)
{
    k.at = n;
    int code = run_trapped("killed", &k);
    bool killed = k.count >= n;
    if (killed && k.verdict == TRAP_KILL_GROUP)
        assert_int_equal(code, 128 + SIGKILL);
    code = run("tiny", "killed");
    if (code != 0)
        fail_msg("killed before call %d, %s: exit code %d, then\n%s", n, k.last, code, output("killed"));
    assert_whole("killed", expected, &k);
    remove_run("killed");
    return killed;
}

/* Every call, or `most` of them, evenly spread. How many there are depends a little on the clock. */
static void kill_at_points(const char *files, enum trap_verdict verdict, int most, const char *expected)
{
    struct killer k = {.files = files, .verdict = verdict};
    assert_int_equal(run_trapped("counted", &k), 0);
    remove_run("counted");
    const int calls = k.count, points = all_points || calls < most ? calls : most;
    int killed = 0;
    assert_true(calls > 10);
    k = (struct killer){.files = files, .verdict = verdict};
    for (int i = 0; i < points; i++)
        killed += kill_and_continue(k, 1 + (int)((long)i * calls / points), expected);
    assert_true(killed >= points - points / 10);
}

static int setup(void **state)
{
    return reference_setup_of(state, "tiny", tiny);
}

static void test_all_killed_in_a_checkpoint(void **state)
{
    kill_at_points(".checkpoints", TRAP_KILL_GROUP, 5 * SPREAD, reference_metrics(state));
}

static void test_worker_killed_in_a_checkpoint(void **state)
{
    kill_at_points(".checkpoints", TRAP_KILL, SPREAD, reference_metrics(state));
}

static void test_all_killed_in_a_commit(void **state)
{
    kill_at_points(".db", TRAP_KILL_GROUP, 4 * SPREAD, reference_metrics(state));
}

static void test_supervisor_killed_in_a_commit(void **state)
{
    kill_at_points(".db", TRAP_KILL, SPREAD, reference_metrics(state));
}

int main(int argc, char **argv)
{
    all_points = argc > 1 && strcmp(argv[1], "all") == 0;
    if (!trap_available()) {
        print_message("skipped: seccomp notifications are not allowed here\n");
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_killed_in_a_checkpoint),
        cmocka_unit_test(test_worker_killed_in_a_checkpoint),
        cmocka_unit_test(test_all_killed_in_a_commit),
        cmocka_unit_test(test_supervisor_killed_in_a_commit),
    };
    return cmocka_run_group_tests(tests, setup, reference_teardown);
}
