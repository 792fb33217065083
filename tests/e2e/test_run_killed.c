/* `firesweep run` when things go wrong: killed workers, a killed supervisor, interrupts, damaged checkpoints.
 * After each, the same command must end with metrics that are equal, bit for bit, to those of a run left
 * alone. */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "sandbox.h"

static const char all_epochs[] = "SELECT count(*) FROM epoch";
static const char running_pid[] =
    "SELECT max(a.pid) FROM attempt a JOIN epoch e USING (trial_id) WHERE a.ended_utc IS NULL";

static void test_killed_worker_is_tried_again(void **state)
{
    pid_t sweep = run_start("four", "worker", NULL);
    wait_until("worker", running_pid, 1, sweep);
    pid_t worker = (pid_t)db_int("worker", running_pid);
    assert_int_equal(kill(worker, SIGKILL), 0);
    assert_int_equal(run_wait(sweep), 0);
    assert_complete("worker", reference_metrics(state));
    assert_int_equal(db_int("worker", "SELECT count(*) FROM attempt WHERE outcome = 'crashed'"), 1);
    db_assert_text("worker", "SELECT message FROM attempt WHERE outcome = 'crashed'", "SIGKILL");
    assert_int_equal(count_files("worker.logs", ".attempt-2.log"), 1);
}

static void test_aborted_worker_is_tried_again(void **state)
{
    pid_t sweep = run_start("four", "abort", NULL);
    wait_until("abort", running_pid, 1, sweep);
    assert_int_equal(kill((pid_t)db_int("abort", running_pid), SIGABRT), 0);
    assert_int_equal(run_wait(sweep), 0);
    db_assert_text("abort", "SELECT message FROM attempt WHERE outcome = 'crashed'", "SIGABRT");
    assert_complete("abort", reference_metrics(state));
}

static void test_stopped_worker_continues_at_once(void **state)
{
    pid_t sweep = run_start("four", "polite", NULL);
    wait_until("polite", running_pid, 1, sweep);
    assert_int_equal(kill((pid_t)db_int("polite", running_pid), SIGTERM), 0);
    assert_int_equal(run_wait(sweep), 0);
    assert_complete("polite", reference_metrics(state));
    assert_int_equal(db_int("polite", "SELECT count(*) FROM attempt WHERE outcome = 'interrupted'"), 1);
}

static void test_killed_supervisor(void **state)
{
    pid_t sweep = run_start("four", "supervisor", NULL);
    wait_until("supervisor", all_epochs, 3, sweep);
    assert_int_equal(kill(sweep, SIGKILL), 0);
    /* Returns when the orphaned workers have ended too: they notice. */
    assert_int_equal(run_wait(sweep), 128 + SIGKILL);
    assert_true(db_int("supervisor", "SELECT count(*) FROM trial WHERE state = 'running'") >= 1);
    assert_int_equal(run("four", "supervisor"), 0);
    assert_int_equal(db_int("supervisor", "SELECT count(*) FROM trial WHERE state = 'running'"), 0);
    assert_true(db_int("supervisor", "SELECT count(*) FROM attempt WHERE outcome = 'crashed'") >= 1);
    assert_complete("supervisor", reference_metrics(state));
}

static void test_run_follows_a_killed_one_at_once(void **state)
{
    pid_t sweep = run_start("four", "heir", NULL);
    wait_until("heir", all_epochs, 3, sweep);
    assert_int_equal(kill(sweep, SIGKILL), 0);
    /* The workers of the first may still be saving: the second has to wait for them. */
    int code = run("four", "heir");
    if (code != 0)
        fail_msg("exit code %d:\n%s", code, output("heir"));
    assert_complete("heir", reference_metrics(state));
}

static void test_group_killed_again_and_again(void **state)
{
    int kills = 0;
    for (int64_t epochs = 1; epochs < 32; epochs += 6) {
        pid_t sweep = run_start("four", "group", NULL);
        wait_until("group", all_epochs, epochs, sweep);
        assert_int_equal(kill(-sweep, SIGKILL), 0);
        assert_int_equal(run_wait(sweep), 128 + SIGKILL);
        kills++;
    }
    assert_int_equal(kills, 6);
    assert_int_equal(run("four", "group"), 0);
    assert_complete("group", reference_metrics(state));
}

static void assert_interrupted(const char *db)
{
    assert_int_equal(db_int(db, "SELECT count(*) FROM trial WHERE state = 'running'"), 0);
    assert_true(db_int(db, "SELECT count(*) FROM trial WHERE state = 'pending'") >= 1);
    assert_true(db_int(db, "SELECT count(*) FROM attempt WHERE outcome = 'interrupted'") >= 1);
    assert_int_equal(db_int(db, "SELECT count(*) FROM attempt WHERE outcome IS NULL OR outcome = 'crashed'"),
                     0);
    assert_int_equal(db_int(db, "SELECT count(*) FROM lease"), 0);
}

static void interrupt_and_continue(const char *db, int signal_number, bool group, const char *metrics)
{
    pid_t sweep = run_start("four", db, NULL);
    wait_until(db, all_epochs, 4, sweep);
    assert_int_equal(kill(group ? -sweep : sweep, signal_number), 0);
    assert_int_equal(run_wait(sweep), 1);
    assert_interrupted(db);
    assert_int_equal(run("four", db), 0);
    assert_complete(db, metrics);
}

static void test_interrupts_save_and_continue(void **state)
{
    interrupt_and_continue("term", SIGTERM, false, reference_metrics(state));
    interrupt_and_continue("int", SIGINT, false, reference_metrics(state));
    interrupt_and_continue("hup", SIGHUP, false, reference_metrics(state));
    interrupt_and_continue("ctrl-c", SIGINT, true, reference_metrics(state));
    interrupt_and_continue("timeout", SIGTERM, true, reference_metrics(state));
}

static void test_interrupted_with_other_packing(void **state)
{
    static const char *const one[] = {"--workers", "1", "--threads", "2", NULL};
    static const char *const many[] = {"--workers", "3", "--threads", "1", NULL};
    pid_t sweep = run_start("four", "repacked", one);
    wait_until("repacked", all_epochs, 4, sweep);
    assert_int_equal(kill(sweep, SIGTERM), 0);
    assert_int_equal(run_wait(sweep), 1);
    assert_true(
        output_holds("repacked", "  firesweep run four.yaml --db repacked.db --workers 1 --threads 2  "));
    assert_int_equal(run_wait(run_start("four", "repacked", many)), 0);
    assert_complete("repacked", reference_metrics(state));
}

static void test_second_interrupt_stops_at_once(void **state)
{
    pid_t sweep = run_start("four", "impatient", NULL);
    wait_until("impatient", running_pid, 1, sweep);
    pid_t worker = (pid_t)db_int("impatient", running_pid);
    stop_process(worker, sweep); /* it will not save */
    assert_int_equal(kill(sweep, SIGINT), 0);
    wait_for_output("impatient", "SIGINT", sweep);
    /* Requests that follow the first within a moment count as the same, so the second one is repeated. */
    signal_until_output("impatient", "second SIGINT: ", sweep, SIGINT);
    assert_int_equal(run_wait(sweep), 1);
    assert_interrupted("impatient");
    assert_int_equal(run("four", "impatient"), 0);
    assert_complete("impatient", reference_metrics(state));
}

/* Also while another program keeps the database locked. */
static void test_requests_are_heard_under_a_lock(void **state)
{
    sqlite3 *other = NULL;
    pid_t sweep = run_start("four", "locked", NULL);
    wait_until("locked", running_pid, 1, sweep);
    assert_int_equal(sqlite3_open("locked.db", &other), SQLITE_OK);
    sqlite3_busy_timeout(other, 10000);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    wait_for_output("locked", "is locked by another program", sweep);
    assert_int_equal(kill(sweep, SIGINT), 0);
    wait_for_output("locked", "SIGINT", sweep);
    signal_until_output("locked", "second SIGINT: ", sweep, SIGINT);
    assert_int_equal(run_wait(sweep), 1);
    sqlite3_close(other);
    assert_int_equal(run("four", "locked"), 0);
    assert_complete("locked", reference_metrics(state));
}

/* The database taken away: the run ends and says where its content is; put back, nothing is missing. */
static void test_database_removed_while_in_use(void **state)
{
    pid_t sweep = run_start("four", "gone", NULL);
    wait_until("gone", "SELECT count(*) FROM epoch", 3, sweep);
    assert_int_equal(unlink("gone.db"), 0);
    assert_int_equal(run_wait(sweep), 1);
    assert_true(output_holds("gone", "gone.db.rescued"));
    assert_false(exists("gone", ".db-wal"));
    assert_int_equal(rename("gone.db.rescued", "gone.db"), 0);
    assert_int_equal(run("four", "gone"), 0);
    assert_complete("gone", reference_metrics(state));
}

/* Checkpoints and logs taken away: training goes on without an earlier checkpoint. */
static void test_folders_removed_while_in_use(void **state)
{
    pid_t sweep = run_start("four", "homeless", NULL);
    wait_until("homeless", "SELECT count(*) FROM epoch", 1, sweep);
    assert_int_equal(rename("homeless.checkpoints", "away.checkpoints"), 0);
    assert_int_equal(rename("homeless.logs", "away.logs"), 0);
    assert_int_equal(run_wait(sweep), 0);
    assert_complete("homeless", reference_metrics(state));
    assert_int_equal(db_int("homeless", "SELECT count(*) FROM attempt WHERE outcome <> 'done'"), 0);
}

/* Kills every attempt of a sweep of one worker until it gives up. */
static void kill_all_attempts(const char *db, pid_t sweep, int attempts, int signal_number)
{
    char sql[96];
    for (int number = 1; number <= attempts; number++) {
        snprintf(sql, sizeof sql, "SELECT max(pid) FROM attempt WHERE number = %d AND ended_utc IS NULL",
                 number);
        wait_until(db, sql, 1, sweep);
        assert_int_equal(kill((pid_t)db_int(db, sql), signal_number), 0);
    }
}

static void test_trial_that_always_crashes_fails(void **state)
{
    (void)state;
    spec_write("crashing", "train: {epochs: 60, batch: 16}\nrun: {retries: 1, threads: 1}\n");
    pid_t sweep = run_start("crashing", "crashing", NULL);
    kill_all_attempts("crashing", sweep, 2, SIGSEGV);
    assert_int_equal(run_wait(sweep), 1);
    assert_int_equal(db_int("crashing", "SELECT count(*) FROM trial WHERE state = 'failed'"), 1);
    assert_int_equal(db_int("crashing", "SELECT count(*) FROM attempt WHERE outcome = 'crashed'"), 2);
    db_assert_text("crashing", "SELECT message FROM trial", "signal 11 (SIGSEGV)");
    assert_true(output_holds("crashing", "SIGSEGV"));
    assert_int_equal(run("crashing", "crashing"), 0); /* asked again, it is tried again */
    assert_int_equal(db_int("crashing", "SELECT count(*) FROM trial WHERE state = 'done'"), 1);
}

static void test_too_many_failures_end_the_run(void **state)
{
    (void)state;
    spec_write("failing", "sweep: [{id: sr, grid: {SR: [0.25, 0.5, 1.0]}}]\ntrain: {epochs: 60, batch: 16}\n"
                          "run: {retries: 0, workers: 1, threads: 1}\nbudget: {max_failed: 1}\n");
    pid_t sweep = run_start("failing", "failing", NULL);
    kill_all_attempts("failing", sweep, 1, SIGKILL);
    assert_int_equal(run_wait(sweep), 1);
    assert_true(output_holds("failing", "1 trial failed (budget.max_failed: 1): no further trial starts"));
    assert_int_equal(db_int("failing", "SELECT count(*) FROM trial WHERE state = 'failed'"), 1);
    assert_int_equal(db_int("failing", "SELECT count(*) FROM trial WHERE state = 'pending'"), 2);
    assert_int_equal(db_int("failing", "SELECT count(*) FROM attempt"), 1);
}

/* Kills the first three trials of a sweep of five, each after its first epoch, so that there is a log. */
static void kill_first_three(const char *db, const char *retries)
{
    char text[256];
    snprintf(text, sizeof text,
             "sweep: [{id: sr, grid: {SR: [0.25, 0.5, 0.6, 0.75, 1.0]}}]\n"
             "train: {epochs: 100, batch: 16}\nrun: {%sworkers: 1, threads: 1}\n",
             retries);
    spec_write(db, text);
    pid_t sweep = run_start(db, db, NULL);
    for (int i = 1; i <= 3; i++) {
        char sql[200];
        snprintf(sql, sizeof sql,
                 "SELECT a.pid FROM attempt a JOIN trial t ON t.id = a.trial_id WHERE a.ended_utc IS NULL"
                 " AND t.epochs_done >= 1 AND (SELECT count(*) FROM attempt) = %d",
                 i);
        wait_until(db, sql, 1, sweep);
        assert_int_equal(kill((pid_t)db_int(db, sql), SIGSEGV), 0);
    }
    assert_int_equal(run_wait(sweep), 1);
    assert_true(output_holds(db, "the first 3 trials all failed alike, so no further trial starts"));
    assert_true(output_holds(db, "3 of 5 trials failed, 2 were not tried; first failure: sr SR="));
    assert_true(output_holds(db, "SIGSEGV"));
    snprintf(text, sizeof text, "the end of its log, %s.logs/trial-", db);
    assert_true(output_holds(db, text));
    assert_true(output_holds(db, "seed 1: starts after epoch 0"));
    snprintf(text, sizeof text, "firesweep status %s.db    says what failed and why", db);
    assert_true(output_holds(db, text));
    assert_int_equal(db_int(db, "SELECT count(*) FROM attempt"), 3);
}

static void test_first_failures_that_are_alike_end_the_run(void **state)
{
    (void)state;
    kill_first_three("alike", "retries: 0, ");
    assert_int_equal(db_int("alike", "SELECT count(*) FROM trial WHERE state = 'failed'"), 3);
    assert_int_equal(db_int("alike", "SELECT count(*) FROM trial WHERE state = 'pending'"), 2);
}

/* Also while attempts are left: those trials wait for the next run. */
static void test_first_crashes_that_are_alike_end_the_run(void **state)
{
    (void)state;
    kill_first_three("crashes", "");
    assert_int_equal(db_int("crashes", "SELECT count(*) FROM attempt WHERE outcome = 'crashed'"), 3);
    assert_int_equal(db_int("crashes", "SELECT count(*) FROM trial WHERE state = 'pending'"), 5);
    assert_true(output_holds("crashes", "worker crashed, will be tried again (1 of 2): killed by signal 11"));
}

/* Overwrites the middle of every checkpoint in a folder whose name does (or does not) hold ".previous". */
static int damage_checkpoints(const char *folder, bool previous)
{
    int damaged = 0;
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (struct dirent *entry; (entry = readdir(d));) {
        char path[512];
        if (!strstr(entry->d_name, ".safetensors") ||
            (strstr(entry->d_name, ".previous") != NULL) != previous)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        FILE *f = fopen(path, "r+");
        assert_non_null(f);
        assert_int_equal(fseek(f, 0, SEEK_END), 0);
        assert_int_equal(fseek(f, ftell(f) / 2, SEEK_SET), 0);
        fputs("damaged", f);
        assert_int_equal(fclose(f), 0);
        damaged++;
    }
    closedir(d);
    return damaged;
}

static void test_damaged_checkpoints(void **state)
{
    pid_t sweep = run_start("four", "damaged", NULL);
    wait_until("damaged", "SELECT max(epochs_done) FROM trial WHERE state = 'running'", 2, sweep);
    assert_int_equal(kill(sweep, SIGTERM), 0);
    assert_int_equal(run_wait(sweep), 1);
    assert_true(damage_checkpoints("damaged.checkpoints", false) >= 1);
    pid_t again = run_start("four", "damaged", NULL);
    wait_for_output("damaged", "checkpoint not usable", again);
    assert_int_equal(kill(again, SIGTERM), 0);
    run_wait(again);
    assert_int_equal(run("four", "damaged"), 0);
    db_assert_text("damaged", "SELECT text FROM event WHERE attempt_id IS NOT NULL", "checkpoint not usable");
    assert_complete("damaged", reference_metrics(state));
}

static void test_all_checkpoints_damaged_starts_over(void **state)
{
    pid_t sweep = run_start("four", "lost", NULL);
    wait_until("lost", "SELECT max(epochs_done) FROM trial WHERE state = 'running'", 2, sweep);
    assert_int_equal(kill(-sweep, SIGKILL), 0);
    run_wait(sweep);
    damage_checkpoints("lost.checkpoints", false);
    damage_checkpoints("lost.checkpoints", true);
    assert_int_equal(run("four", "lost"), 0);
    assert_complete("lost", reference_metrics(state));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_killed_worker_is_tried_again),
        cmocka_unit_test(test_aborted_worker_is_tried_again),
        cmocka_unit_test(test_stopped_worker_continues_at_once),
        cmocka_unit_test(test_killed_supervisor),
        cmocka_unit_test(test_run_follows_a_killed_one_at_once),
        cmocka_unit_test(test_group_killed_again_and_again),
        cmocka_unit_test(test_interrupts_save_and_continue),
        cmocka_unit_test(test_interrupted_with_other_packing),
        cmocka_unit_test(test_second_interrupt_stops_at_once),
        cmocka_unit_test(test_requests_are_heard_under_a_lock),
        cmocka_unit_test(test_folders_removed_while_in_use),
        cmocka_unit_test(test_database_removed_while_in_use),
        cmocka_unit_test(test_trial_that_always_crashes_fails),
        cmocka_unit_test(test_too_many_failures_end_the_run),
        cmocka_unit_test(test_first_failures_that_are_alike_end_the_run),
        cmocka_unit_test(test_first_crashes_that_are_alike_end_the_run),
        cmocka_unit_test(test_damaged_checkpoints),
        cmocka_unit_test(test_all_checkpoints_damaged_starts_over),
    };
    return cmocka_run_group_tests(tests, reference_setup, reference_teardown);
}
