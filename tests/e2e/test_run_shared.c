/* Several runs on one database: they share the trials, each is trained once, and whoever is left finishes. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sandbox.h"

static const char *const one_worker[] = {"--workers", "1", "--threads", "1", NULL};

/* All of them, whoever ends first. */
static void all_end_well(const char *db, const pid_t *pids, int count)
{
    for (int i = 0; i < count; i++) {
        int code = run_wait_one(pids[i]);
        if (code != 0)
            fail_msg("exit code %d:\n%s", code, output(db));
    }
}

/* No trial had a second attempt, and nobody was in anybody's way. */
static void assert_each_once(const char *db, int trials)
{
    assert_int_equal(db_int(db, "SELECT count(*) FROM attempt"), trials);
    assert_int_equal(db_int(db, "SELECT count(DISTINCT trial_id) FROM attempt WHERE outcome = 'done'"),
                     trials);
    assert_false(output_holds(db, "locked"));
}

static void test_two_runs_share(void **state)
{
    pid_t pids[2];
    pids[0] = run_start("four", "two", one_worker);
    wait_until("two", "SELECT count(*) FROM lease", 1, pids[0]);
    pids[1] = run_start("four", "two", one_worker);
    wait_until("two", "SELECT count(*) FROM lease", 2, pids[0]); /* both at work at the same time */
    assert_int_equal(db_int("two", "SELECT count(DISTINCT run_pid) FROM lease"), 2);
    all_end_well("two", pids, 2);
    assert_each_once("two", 4);
    assert_complete("two", reference_metrics(state));
}

static void test_eight_runs_each_trial_once(void **state)
{
    (void)state;
    pid_t pids[8];
    spec_write("twelve", "sweep:\n"
                         "  - {id: grid, grid: {SR: [0.25, 0.5, 1.0], pct3x3: [0.25, 0.5, 0.75, 1.0]}}\n"
                         "train: {epochs: 2, batch: 16}\nrun: {checkpoint: 0.02s}\n");
    for (int i = 0; i < 8; i++) /* the database does not exist yet: they create it together, too */
        pids[i] = run_start("twelve", "eight", one_worker);
    all_end_well("eight", pids, 8);
    assert_each_once("eight", 12);
    assert_int_equal(db_int("eight", "SELECT count(*) FROM trial WHERE state = 'done'"), 12);
    assert_int_equal(db_int("eight", "SELECT count(*) FROM lease"), 0);
    assert_int_equal(count_files("eight.checkpoints", ".safetensors"), 12);
    assert_int_equal(run("twelve", "alone"), 0);
    char *together = db_metrics("eight"), *alone = db_metrics("alone");
    assert_string_equal(together, alone);
    free(together);
    free(alone);
}

static void test_run_takes_over_from_a_killed_one(void **state)
{
    pid_t first = run_start("four", "heir", one_worker);
    wait_until("heir", "SELECT count(*) FROM epoch", 1, first);
    pid_t worker = (pid_t)db_int("heir", "SELECT worker_pid FROM lease");
    stop_process(worker, first); /* it outlives its run: its trial is not free before it has ended */
    pid_t second = run_start("four", "heir", one_worker);
    wait_until("heir", "SELECT count(*) FROM lease", 2, second);
    assert_int_equal(kill(first, SIGKILL), 0);
    assert_int_equal(run_wait_one(first), 128 + SIGKILL);
    wait_for_output("heir", "waiting for them", second);
    assert_int_equal(db_int("heir", "SELECT count(*) FROM trial WHERE state = 'done'"), 3);
    assert_int_equal(kill(worker, SIGKILL), 0);
    assert_int_equal(run_wait(second), 0);
    assert_true(output_holds("heir", "taken over from process"));
    assert_int_equal(db_int("heir", "SELECT count(*) FROM attempt WHERE outcome = 'crashed'"), 1);
    assert_complete("heir", reference_metrics(state));
}

static void test_waiting_run_can_be_interrupted(void **state)
{
    (void)state;
    spec_write("long", "train: {epochs: 1000, batch: 16}\n");
    pid_t first = run_start("long", "long", one_worker);
    wait_until("long", "SELECT count(*) FROM epoch", 1, first);
    pid_t second = run_start("long", "long", one_worker);
    wait_for_output("long", "waiting for them", second);
    assert_int_equal(kill(second, SIGTERM), 0);
    assert_int_equal(run_wait_one(second), 1);
    assert_true(output_holds("long", "1 of 1 trial is not done"));
    assert_int_equal(db_int("long", "SELECT count(*) FROM lease"), 1); /* the first goes on */
    assert_int_equal(kill(first, SIGTERM), 0);
    assert_int_equal(run_wait(first), 1);
    assert_int_equal(db_int("long", "SELECT count(*) FROM attempt"), 1);
    db_assert_text("long", "SELECT outcome FROM attempt", "interrupted");
}

static void test_failure_elsewhere_is_told(void **state)
{
    (void)state;
    spec_write("crash", "train: {epochs: 1000, batch: 16}\nrun: {retries: 0}\n");
    pid_t first = run_start("crash", "crash", one_worker);
    wait_until("crash", "SELECT count(*) FROM epoch", 1, first);
    pid_t second = run_start("crash", "crash", one_worker);
    wait_for_output("crash", "waiting for them", second);
    assert_int_equal(kill((pid_t)db_int("crash", "SELECT worker_pid FROM lease"), SIGSEGV), 0);
    assert_int_equal(run_wait_one(first), 1);
    assert_int_equal(run_wait(second), 1);
    assert_int_equal(db_int("crash", "SELECT count(*) FROM attempt"), 1); /* it has failed, for both */
    db_assert_text("crash", "SELECT state FROM trial", "failed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_runs_share),
        cmocka_unit_test(test_eight_runs_each_trial_once),
        cmocka_unit_test(test_run_takes_over_from_a_killed_one),
        cmocka_unit_test(test_waiting_run_can_be_interrupted),
        cmocka_unit_test(test_failure_elsewhere_is_told),
    };
    return cmocka_run_group_tests(tests, reference_setup, reference_teardown);
}
