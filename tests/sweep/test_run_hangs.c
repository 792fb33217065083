/* A run whose worker hangs: it is killed some time after a budget is used up, and the sweep goes on or ends.
 * The time is half a minute for people; here it is short. */
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sweep/run.h"
#include "sweep/store.h"
#include "synthetic.h"

/* The first trial, which is the longer one, does not end by itself. */
static const char text[] =
    "version: 1\nname: hangs\n"
    "data: {format: idx, path: data, val: 40}\n"
    "base: {preset: small32, input: 1x12x12, classes: 4, conv1_filters: 8, base_e: 8, incr_e: 4}\n"
    "sweep: [{id: two, list: [{epochs: 90000}, {epochs: 1}]}]\n"
    "train: {batch: 80}\n"
    "run: {workers: 1, threads: 1, measure: false}\n"
    "budget: {%s}\n";

static int setup(void **state)
{
    static char folder[] = "/tmp/firesweep-hangs-XXXXXX";
    struct err e = ERR_INIT;
    *state = folder;
    memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
    if (!mkdtemp(folder) || chdir(folder) != 0)
        return -1;
    return synthetic_idx("data", 4, 40, 10, 12, 1, &e) == ST_OK ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info, (void)type, (void)walk;
    return remove(path);
}

static int teardown(void **state)
{
    return chdir("/") == 0 ? nftw(*state, remove_one, 8, FTW_DEPTH | FTW_PHYS) : -1;
}

/* The number that a query gives. */
static int64_t number(const char *sql)
{
    struct err e = ERR_INIT;
    struct store *s = NULL;
    struct store_query *q = NULL;
    bool row = false;
    int64_t value = -1;
    if (store_open_readonly("hangs.db", &s, &e) == ST_OK && store_query_open(s, sql, &q, &e) == ST_OK &&
        store_query_next(q, &row, &e) == ST_OK && row)
        value = store_query_cell(q, 0).i;
    store_query_close(q);
    store_close(s);
    return value;
}

struct seen {
    pid_t stopped; /* the worker that was made to hang */
    bool killed;   /* the run said so */
    bool silent;   /* and that nothing comes from it */
};

/* After its first epoch the worker answers nothing any more, not even SIGTERM. */
static void hang(void *context, const struct trial *t, const struct epoch_metrics *m)
{
    struct seen *seen = context;
    (void)t, (void)m;
    if (seen->stopped == 0) {
        seen->stopped = (pid_t)number("SELECT pid FROM attempt WHERE ended_utc IS NULL");
        assert_true(seen->stopped > 1);
        assert_int_equal(kill(seen->stopped, SIGSTOP), 0);
    }
}

static void take_notice(void *context, const char *notice)
{
    struct seen *seen = context;
    seen->silent = seen->silent || strstr(notice, ": no news from its worker, process ");
    seen->killed = seen->killed || strstr(notice, "it is killed; the last checkpoint stands");
}

static enum status run_hanging(const char *budget, struct seen *seen, struct run_result *result)
{
    struct err e = ERR_INIT;
    struct spec spec = {0};
    char spec_text[1024];
    const struct run_config config = {.db = "hangs.db", .grace_s = 0.2, .patience_s = 1};
    const struct run_observer observer = {.context = seen, .epoch = hang, .notice = take_notice};
    snprintf(spec_text, sizeof spec_text, text, budget);
    if (spec_parse(spec_text, strlen(spec_text), "hangs.yaml", &spec, &e) != ST_OK)
        fail_msg("%s", e.text);
    *seen = (struct seen){0};
    enum status status = run_sweep(&spec, &config, &observer, result, &e);
    spec_release(&spec);
    assert_true(seen->stopped > 1 && seen->killed);
    assert_int_equal(kill(seen->stopped, 0), -1); /* it is gone */
    return status;
}

/* The other trial has the worker's place then. */
static void test_trial_wall(void **state)
{
    (void)state;
    struct seen seen;
    struct run_result result = {0};
    assert_int_equal(run_hanging("trial_wall: 3s", &seen, &result), ST_FAILED);
    assert_true(seen.silent);
    assert_int_equal(result.timed_out, 1);
    assert_int_equal(result.done, 1);
    assert_int_equal(number("SELECT count(*) FROM attempt WHERE outcome = 'timed_out' AND pid > 0"), 1);
    assert_int_equal(
        number("SELECT count(*) FROM trial WHERE message LIKE 'not done within budget.trial_wall%'"), 1);
    assert_int_equal(number("SELECT count(*) FROM attempt"), 2); /* it is not tried again */
    assert_int_equal(number("SELECT count(*) FROM lease"), 0);
}

/* Nothing else starts; what hung continues in the next run. */
static void test_sweep_wall(void **state)
{
    (void)state;
    struct seen seen;
    struct run_result result = {0};
    assert_int_equal(run_hanging("wall: 3s", &seen, &result), ST_INTERRUPTED);
    assert_int_equal(result.pending, 2);
    assert_int_equal(number("SELECT count(*) FROM attempt WHERE outcome = 'interrupted'"), 1);
    assert_true(number("SELECT max(epochs_done) FROM trial WHERE state = 'pending'") >= 1);
    assert_int_equal(number("SELECT count(*) FROM lease"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_trial_wall, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sweep_wall, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
