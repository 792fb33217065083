/* `firesweep run` under a limit of file size, as `ulimit -f` sets it and a quota behaves: a checkpoint that
 * does not fit waits, nobody dies of SIGXFSZ, and when the limit is raised the run ends as if there had been
 * none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sandbox.h"

/* Checkpoints of about 340 KiB; the database stays below the limit. */
static const char wide[] = "sweep: [{id: wide, list: [{base_e: 32, incr_e: 16, SR: 0.25}]}]\n"
                           "train: {epochs: 2, batch: 80, lr: 0.02}\n"
                           "run: {workers: 1, threads: 1, measure: false}\n";
enum { LIMIT = 200 << 10 };

static void limit(void *context)
{
    (void)context;
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){LIMIT, RLIM_INFINITY});
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
}

static void lift(pid_t pid)
{
    assert_int_equal(prlimit(pid, RLIMIT_FSIZE, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY}, NULL), 0);
}

static void lift_workers(pid_t run)
{
    char path[64];
    int pid, workers = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)run, (int)run);
    FILE *children = fopen(path, "re");
    assert_non_null(children);
    for (; fscanf(children, "%d", &pid) == 1; workers++)
        lift(pid);
    fclose(children);
    assert_int_equal(workers, 1);
}

static void test_checkpoint_waits_for_the_limit(void **state)
{
    pid_t pid = run_start_prepared("wide", "limited", NULL, limit, NULL);
    wait_for_output("limited", "no space for the checkpoint, training waits until there is", pid);
    assert_true(output_holds("limited", "File too large"));
    lift(pid);
    lift_workers(pid);
    assert_int_equal(run_wait(pid), 0);
    assert_true(output_holds("limited", "there is space again, the checkpoint is saved"));
    char *metrics = db_metrics("limited");
    assert_string_equal(metrics, reference_metrics(state));
    free(metrics);
    assert_int_equal(db_int("limited", "SELECT count(*) FROM attempt"), 1);
    assert_int_equal(count_files("limited.checkpoints", ".tmp"), 0);
}

/* What a shell command prints. */
static const char *printed(const char *command)
{
    static char text[4096];
    FILE *f = popen(command, "r");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    assert_int_equal(pclose(f), 0);
    return text;
}

/* Readers share two files with a writer beside the database. Where there is no room for them nobody writes,
 * and the database is read as it is. */
static void test_reading_needs_no_room(void **state)
{
    static const char query[] = FIRESWEEP_PROGRAM " query read.db --columns state --format csv 2>&1";
    char limited[sizeof query + 32];
    (void)state;
    assert_int_equal(run("wide", "read"), 0);
    snprintf(limited, sizeof limited, "ulimit -f 0; %s", query);
    assert_string_equal(printed(limited), "state\ndone\n");
    assert_string_equal(
        printed("ulimit -f 0; " FIRESWEEP_PROGRAM " status read.db --only states --format csv | head -c 6"),
        "trials");
    assert_string_equal(printed(query), "state\ndone\n");
    assert_int_equal(access("read.db-wal", F_OK), -1); /* what could not be made whole is gone again */
}

static int setup(void **state)
{
    return reference_setup_of(state, "wide", wide);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_checkpoint_waits_for_the_limit),
                                       cmocka_unit_test(test_reading_needs_no_room)};
    return cmocka_run_group_tests(tests, setup, reference_teardown);
}
