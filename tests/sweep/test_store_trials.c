/* What a trial's life leaves in the database, and the views on it, read back through plain SQL. */
#include <math.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faulty_vfs.h"
#include "store_fixture.h"
#include "sweep/store_lease.h"

static void test_state_names(void **state)
{
    struct context *c = *state;
    struct err e = ERR_INIT;
    const char *names[] = {"pending", "running",   "done",   "diverged",
                           "failed",  "timed_out", "pruned", "skipped"};
    for (int i = 0; i < TRIAL_STATE_COUNT; i++) {
        enum trial_state now = TRIAL_STATE_COUNT;
        char sql[96];
        assert_string_equal(trial_state_name((enum trial_state)i), names[i]);
        snprintf(sql, sizeof sql, "UPDATE trial SET state = '%s'", names[i]);
        plain_exec(c->path, sql);
        assert_ok(store_trial_state(c->s, c->f.ids[0], &now, &e));
        assert_int_equal(now, i);
    }
    enum trial_state now;
    assert_int_equal(store_trial_state(c->s, 4711, &now, &e), ST_FAILED);
    assert_non_null(strstr(e.text, "no trial 4711"));
}

static void test_attempts(void **state)
{
    struct context *c = *state;
    struct err e = ERR_INIT;
    int64_t trial = c->f.ids[1], first = 0, second = 0, refused = 0;
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    assert_ok(store_attempt_begin(c->s, trial, 1234, 3, &first, &e));
    assert_string_equal(plain_text(c->path, with("SELECT state FROM trial WHERE id = %lld", trial)),
                        "running");
    assert_string_equal(plain_text(c->path, "SELECT host FROM attempt"), host);
    assert_string_equal(plain_text(c->path, "SELECT isa FROM attempt"), engine_isa());
    assert_int_equal(
        plain_int(c->path, "SELECT count(*) FROM attempt WHERE number = 1 AND pid = 1234 AND threads = 3 AND"
                           " started_utc GLOB '20*-*-*T*:*:*Z' AND ended_utc IS NULL AND"
                           " outcome IS NULL"),
        1);
    /* Someone else is at work on it. */
    assert_int_equal(store_attempt_begin(c->s, trial, 99, 1, &refused, &e), ST_BUSY);
    assert_non_null(strstr(e.text, "1234"));
    assert_int_equal(plain_int(c->path, "SELECT count(*) FROM attempt"), 1);

    struct attempt_end end = {.state = TRIAL_PENDING,
                              .outcome = "crashed",
                              .message = "killed by signal 11",
                              .wall_s = 1.25,
                              .cpu_s = 2.5,
                              .peak_rss_bytes = 1LL << 33,
                              .diverged_step = -1};
    assert_ok(store_attempt_end(c->s, trial, first, &end, &e));
    assert_int_equal(plain_int(c->path, "SELECT count(*) FROM attempt WHERE outcome = 'crashed' AND message ="
                                        " 'killed by signal 11' AND wall_s = 1.25 AND cpu_s = 2.5 AND"
                                        " peak_rss_bytes = 8589934592 AND ended_utc GLOB '20*-*-*T*:*:*Z'"),
                     1);
    assert_string_equal(
        plain_text(c->path, with("SELECT state || ' ' || message FROM trial WHERE id = %lld", trial)),
        "pending killed by signal 11");

    assert_ok(store_attempt_begin(c->s, trial, 1235, 3, &second, &e));
    assert_string_equal(plain_text(c->path, with("SELECT message FROM trial WHERE id = %lld", trial)),
                        "NULL");
    end = (struct attempt_end){.state = TRIAL_DONE,
                               .outcome = "done",
                               .wall_s = 4,
                               .diverged_step = -1,
                               .has_test = true,
                               .test = {.count = 200, .loss = 0.1, .top1 = 0.2, .top5 = 0.3},
                               .checkpoint = "a/b.safetensors"};
    assert_ok(store_attempt_end(c->s, trial, second, &end, &e));
    assert_int_equal(
        plain_int(c->path, with("SELECT state = 'done' AND message IS NULL AND diverged_step IS NULL AND"
                                " test_count = 200 AND test_loss = 0.1 AND test_top1 = 0.2 AND test_top5 ="
                                " 0.3 AND checkpoint = 'a/b.safetensors' FROM trial WHERE id = %lld",
                                trial)),
        1);
    assert_string_equal(plain_text(c->path, "SELECT group_concat(number || outcome) FROM attempt"),
                        "1crashed,2done");

    struct trial_history history[2];
    int64_t both[2] = {c->f.ids[0], trial};
    assert_ok(store_trial_histories(c->s, both, 2, history, &e));
    assert_int_equal(history[0].state, TRIAL_PENDING);
    assert_int_equal(history[0].attempts, 0);
    assert_near(history[0].wall_s, 0, 0);
    assert_int_equal(history[1].state, TRIAL_DONE);
    assert_int_equal(history[1].attempts, 2);
    assert_near(history[1].wall_s, 5.25, 0);
}

static void test_attempt_mistakes(void **state)
{
    struct context *c = *state;
    struct err e = ERR_INIT;
    int64_t attempt = 0, none = 0;
    assert_ok(store_attempt_begin(c->s, c->f.ids[0], 1, 1, &attempt, &e));
    char *before = plain_dump(c->path);
    struct attempt_end end = {.state = TRIAL_DONE, .outcome = "done", .diverged_step = -1};
    struct epoch_metrics m = fixture_epoch(1, 1);
    assert_int_equal(store_attempt_end(c->s, c->f.ids[1], attempt, &end, &e), ST_FAILED);
    assert_int_equal(store_attempt_end(c->s, c->f.ids[0], attempt + 7, &end, &e), ST_FAILED);
    assert_int_equal(store_attempt_begin(c->s, 4711, 1, 1, &none, &e), ST_FAILED);
    assert_int_equal(store_epoch(c->s, 4711, &m, &e), ST_FAILED);
    m.epoch = 0;
    assert_int_equal(store_epoch(c->s, c->f.ids[0], &m, &e), ST_FAILED);
    char *after = plain_dump(c->path);
    assert_string_equal(after, before);
    free(before);
    free(after);
}

static void test_diverged(void **state)
{
    struct context *c = *state;
    struct err e = ERR_INIT;
    int64_t attempt = 0;
    struct epoch_metrics m = fixture_epoch(1, 1);
    m.train_loss = NAN;
    m.val.loss = INFINITY;
    struct attempt_end end = {
        .state = TRIAL_DIVERGED, .outcome = "diverged", .message = "loss is NaN", .diverged_step = 0};
    assert_ok(store_attempt_begin(c->s, c->f.ids[0], 1, 1, &attempt, &e));
    assert_ok(store_epoch(c->s, c->f.ids[0], &m, &e));
    assert_ok(store_attempt_end(c->s, c->f.ids[0], attempt, &end, &e));
    assert_int_equal(
        plain_int(c->path,
                  with("SELECT state = 'diverged' AND diverged_step = 0 AND message = 'loss is NaN'"
                       " AND test_count IS NULL AND test_top1 IS NULL AND val_loss IS NULL FROM trial"
                       " WHERE id = %lld",
                       c->f.ids[0])),
        1);
    assert_int_equal(
        plain_int(c->path, "SELECT train_loss IS NULL AND val_loss IS NULL AND train_top1 = 0.1 FROM epoch"),
        1);
    assert_int_equal(plain_int(c->path, "SELECT sum(n) FROM curve"), 0);
}

static void test_epochs(void **state)
{
    struct context *c = *state;
    struct err e = ERR_INIT;
    int64_t trial = c->f.ids[0];
    for (int epoch = 1; epoch <= 3; epoch++) {
        struct epoch_metrics m = fixture_epoch(epoch, 1.0 / 3);
        assert_ok(store_epoch(c->s, trial, &m, &e));
    }
    struct epoch_metrics m = fixture_epoch(2, 1.0 / 3); /* exact: no rounding on the way in or out */
    assert_true(plain_real(c->path, "SELECT lr FROM epoch WHERE epoch = 2") == m.lr);
    assert_true(plain_real(c->path, "SELECT train_loss FROM epoch WHERE epoch = 2") == m.train_loss);
    assert_true(plain_real(c->path, "SELECT train_top1 FROM epoch WHERE epoch = 2") == m.train_top1);
    assert_int_equal(plain_int(c->path, "SELECT val_count FROM epoch WHERE epoch = 2"), 100);
    assert_true(plain_real(c->path, "SELECT val_loss FROM epoch WHERE epoch = 2") == m.val.loss);
    assert_true(plain_real(c->path, "SELECT val_top1 FROM epoch WHERE epoch = 2") == m.val.top1);
    assert_true(plain_real(c->path, "SELECT val_top5 FROM epoch WHERE epoch = 2") == m.val.top5);
    assert_true(plain_real(c->path, "SELECT train_s FROM epoch WHERE epoch = 2") == 3.5);
    assert_true(plain_real(c->path, "SELECT eval_s FROM epoch WHERE epoch = 2") == 2.25);
    m = fixture_epoch(3, 1.0 / 3);
    assert_true(plain_real(c->path, with("SELECT val_top1 FROM trial WHERE id = %lld", trial)) == m.val.top1);
    assert_string_equal(
        plain_text(c->path, with("SELECT printf('%%d %%d %%g %%g', epochs_done, val_count, train_s, eval_s)"
                                 " FROM trial WHERE id = %lld",
                                 trial)),
        "3 100 10.5 6.75");
    /* A second attempt that starts at epoch 2 again. */
    m = fixture_epoch(2, 0.5);
    m.train_s = 100;
    m.val.count = 0;
    assert_ok(store_epoch(c->s, trial, &m, &e));
    assert_int_equal(plain_int(c->path, "SELECT count(*) FROM epoch"), 3);
    assert_true(plain_real(c->path, "SELECT lr FROM epoch WHERE epoch = 2") == 0.01);
    assert_string_equal(
        plain_text(c->path, with("SELECT printf('%%d %%d %%s %%g', epochs_done, val_count,"
                                 " coalesce(val_top1, val_loss, val_top5, '-'), train_s) FROM trial WHERE"
                                 " id = %lld",
                                 trial)),
        "2 0 - 102.5");
}

/* Processes that got the numbers later are not the ones that held the trials. */
static const char all_gone[] = "UPDATE lease SET run_start = 1, worker_start = 1";

static void test_recover(void **state)
{
    struct context *c = *state;
    struct err e = ERR_INIT;
    int64_t attempt = 0, recovered = -1;
    assert_ok(store_recover(c->s, &recovered, &e));
    assert_int_equal(recovered, 0);
    fixture_finish(c->s, c->f.ids[0], 0.5, 0.6);
    assert_ok(store_attempt_begin(c->s, c->f.ids[1], 1, 1, &attempt, &e));
    assert_ok(store_attempt_begin(c->s, c->f.ids[2], 2, 1, &attempt, &e));
    assert_ok(store_recover(c->s, &recovered, &e)); /* their run, this process, lives */
    assert_int_equal(recovered, 0);
    assert_int_equal(plain_int(c->path, "SELECT count(*) FROM lease WHERE run_start > 0"), 2);
    plain_exec(c->path, all_gone);
    assert_ok(store_recover(c->s, &recovered, &e));
    assert_int_equal(recovered, 2);
    assert_int_equal(plain_int(c->path, "SELECT count(*) FROM lease"), 0);
    assert_int_equal(plain_int(c->path, "SELECT count(*) FROM event WHERE text GLOB 'the run ended*'"), 2);
    assert_string_equal(plain_text(c->path, "SELECT group_concat(state) FROM trial WHERE id <= 3"),
                        "done,pending,pending");
    assert_string_equal(plain_text(c->path, "SELECT group_concat(outcome) FROM attempt"),
                        "done,crashed,crashed");
    assert_int_equal(plain_int(c->path, "SELECT count(*) FROM attempt WHERE ended_utc IS NULL"), 0);
    assert_ok(store_recover(c->s, &recovered, &e));
    assert_int_equal(recovered, 0);
    assert_ok(store_attempt_begin(c->s, c->f.ids[1], 3, 1, &attempt, &e));
    assert_int_equal(plain_int(c->path, "SELECT max(number) FROM attempt"), 2);
}

/* When the run of an attempt vanished is not known, but until when it lived at least: its lease has counted.
 */
static void test_lost_attempts_end_when_last_seen(void **state)
{
    struct context *c = *state;
    struct err e = ERR_INIT;
    int64_t attempt = 0, recovered = 0;
    for (int i = 0; i < 3; i++)
        assert_ok(store_attempt_begin(c->s, c->f.ids[i], i + 1, 1, &attempt, &e));
    plain_exec(c->path,
               "UPDATE attempt SET started_utc = '2026-01-01T00:00:50Z';"
               "UPDATE attempt SET started_utc = '2999-01-01T00:00:00Z' WHERE id = 3;" /* another clock */
               "UPDATE lease SET beat = CASE attempt_id WHEN 1 THEN 31 ELSE 0 END");
    plain_exec(c->path, all_gone);
    assert_ok(store_recover(c->s, &recovered, &e));
    assert_int_equal(recovered, 3);
    assert_string_equal(plain_text(c->path, "SELECT group_concat(ended_utc) FROM attempt WHERE id <= 2"),
                        "2026-01-01T00:10:50Z,2026-01-01T00:00:50Z");
    assert_int_equal(plain_int(c->path, "SELECT max(ended_utc) < '2999' FROM attempt"), 1);
    assert_int_equal(plain_int(c->path, "SELECT count(*) FROM attempt WHERE wall_s IS NULL"), 3);
    assert_int_equal(plain_int(c->path, "SELECT count(*) FROM event WHERE at_utc > '2026-01-02'"), 3);
}

static void test_lease_is_broken_once(void **state)
{
    struct context *c = *state;
    struct err e = ERR_INIT;
    struct attempt_end end = {.state = TRIAL_DONE, .outcome = "done", .diverged_step = -1};
    struct lease seen;
    bool freed = false, held = false;
    int64_t trial = c->f.ids[1], first = 0, second = 0;
    assert_ok(store_attempt_begin(c->s, trial, 1, 1, &first, &e));
    assert_ok(store_lease_read(c->s, trial, &seen, &e));
    assert_int_equal(seen.attempt, first);
    assert_int_equal(seen.run.pid, getpid());
    assert_int_equal(seen.worker.pid, 1);
    assert_ok(store_lease_beat(c->s, first, &held, &e));
    assert_true(held);
    assert_ok(store_lease_break(c->s, &seen, &freed, &e)); /* it has beaten since */
    assert_false(freed);
    assert_ok(store_lease_read(c->s, trial, &seen, &e));
    assert_ok(store_lease_break(c->s, &seen, &freed, &e));
    assert_true(freed);
    assert_ok(store_lease_break(c->s, &seen, &freed, &e));
    assert_false(freed);
    /* Who was silent too long learns it, and changes nothing. */
    assert_ok(store_lease_beat(c->s, first, &held, &e));
    assert_false(held);
    assert_ok(store_attempt_begin(c->s, trial, 1, 1, &second, &e));
    assert_int_equal(store_attempt_end(c->s, trial, first, &end, &e), ST_BUSY);
    assert_non_null(strstr(e.text, "taken trial 2 over"));
    assert_ok(store_lease_read(c->s, trial, &seen, &e));
    assert_int_equal(seen.attempt, second);
    assert_ok(store_attempt_end(c->s, trial, second, &end, &e));
    assert_int_equal(plain_int(c->path, "SELECT count(*) FROM lease"), 0);
    assert_int_equal(store_attempt_begin(c->s, trial, 1, 1, &second, &e), ST_BUSY);
    assert_non_null(strstr(e.text, "done already"));
}

/* Tries to start every trial; the exit code is how many it got, 100 after another failure. */
static _Noreturn void claim_all(const struct context *c, int ready)
{
    struct err e = ERR_INIT;
    struct store *s = NULL;
    char go;
    int got = 0;
    faulty_remove(); /* these wait for each other in earnest */
    if (store_open(c->path, &s, &e) != ST_OK || read(ready, &go, 1) != 0)
        _exit(100);
    for (int i = 0; i < FIXTURE_TRIALS; i++) {
        int64_t attempt;
        enum status status = store_attempt_begin(s, c->f.ids[i], 1, 1, &attempt, &e);
        if (status != ST_OK && status != ST_BUSY) {
            print_error("%s\n", e.text);
            _exit(100);
        }
        got += status == ST_OK;
    }
    _exit(got);
}

static void test_claims_are_atomic(void **state)
{
    struct context *c = *state;
    enum { PROCESSES = 8 };
    pid_t pids[PROCESSES];
    int start[2], total = 0;
    plain_exec(c->path, "UPDATE trial SET state = 'pending', skip_reason = NULL");
    store_close(c->s); /* a connection does not survive a fork */
    c->s = NULL;
    assert_int_equal(pipe(start), 0);
    for (int i = 0; i < PROCESSES; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            close(start[1]);
            claim_all(c, start[0]);
        }
    }
    close(start[1]); /* all at once */
    for (int i = 0; i < PROCESSES; i++) {
        int status;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 100);
        total += WEXITSTATUS(status);
    }
    close(start[0]);
    assert_int_equal(total, FIXTURE_TRIALS);
    assert_int_equal(plain_int(c->path, "SELECT count(*) FROM attempt"), FIXTURE_TRIALS);
    assert_int_equal(plain_int(c->path, "SELECT count(DISTINCT trial_id) FROM attempt"), FIXTURE_TRIALS);
}

static void test_events(void **state)
{
    struct context *c = *state;
    struct err e = ERR_INIT;
    int64_t attempt = 0;
    assert_ok(store_attempt_begin(c->s, c->f.ids[1], 1, 1, &attempt, &e));
    assert_ok(store_event(c->s, c->f.ids[1], attempt, "it's \"odd\"", &e));
    assert_ok(store_event(c->s, c->f.ids[1], 0, "without an attempt", &e));
    assert_int_equal(plain_int(c->path, "SELECT count(*) FROM event WHERE trial_id = 2 AND at_utc GLOB"
                                        " '20*-*-*T*:*:*Z'"),
                     2);
    assert_string_equal(plain_text(c->path, "SELECT text FROM event WHERE attempt_id = 1"), "it's \"odd\"");
    assert_int_equal(store_event(c->s, 4711, 0, "of no trial", &e), ST_FAILED);
}

static void test_curve(void **state)
{
    struct context *c = *state;
    fixture_finish(c->s, c->f.ids[0], 0.50, 0.40);
    fixture_finish(c->s, c->f.ids[1], 0.56, 0.48);
    fixture_finish(c->s, c->f.ids[2], 0.75, 0.70);
    fixture_finish(c->s, c->f.ids[4], 0.8125, 0.7);
    fixture_finish(c->s, c->f.ids[5], 0.8125, 0.7);
    assert_string_equal(
        plain_text(c->path, "SELECT group_concat(block || axes || trials || n, ' ') FROM curve"),
        "sr{\"SR\":0.125}22 sr{\"SR\":0.5}21 pct{\"pct3x3\":0.5}21 pct{\"pct3x3\":0.99}22");
    assert_near(plain_real(c->path, "SELECT val_top1 FROM curve WHERE sr = 0.125"), 0.53, 1e-15);
    assert_near(plain_real(c->path, "SELECT val_top1_min FROM curve WHERE sr = 0.125"), 0.50, 0);
    assert_near(plain_real(c->path, "SELECT val_top1_max FROM curve WHERE sr = 0.125"), 0.56, 0);
    /* Two values: |a - b| / sqrt(2). */
    assert_near(plain_real(c->path, "SELECT val_top1_stddev FROM curve WHERE sr = 0.125"), 0.06 / sqrt(2),
                1e-12);
    assert_near(plain_real(c->path, "SELECT test_top1 FROM curve WHERE sr = 0.125"), 0.44, 1e-15);
    assert_near(plain_real(c->path, "SELECT test_top1_stddev FROM curve WHERE sr = 0.125"), 0.08 / sqrt(2),
                1e-12);
    assert_near(plain_real(c->path, "SELECT train_s FROM curve WHERE sr = 0.125"), 2.5, 0);
    assert_near(plain_real(c->path, "SELECT model_mib FROM curve WHERE sr = 0.125"),
                (double)c->f.trials[0].cost.params * 4 / 1048576, 1e-12);
    assert_int_equal(plain_int(c->path, "SELECT macs FROM curve WHERE sr = 0.125"), c->f.trials[0].cost.macs);
    /* One value has no deviation, equal values have exactly none. */
    assert_string_equal(
        plain_text(c->path, "SELECT val_top1_stddev FROM curve WHERE block = 'sr' AND sr = 0.5"), "NULL");
    assert_true(plain_real(c->path, "SELECT val_top1_stddev FROM curve WHERE pct3x3 = 0.99") == 0);
}

/* Sizes: SR 0.125 < pct3x3 0.5 < pct3x3 0.99. */
static void test_leaderboard_and_pareto(void **state)
{
    struct context *c = *state;
    fixture_finish(c->s, c->f.ids[0], 0.50, 0.60);
    fixture_finish(c->s, c->f.ids[1], 0.60, 0.50);
    fixture_finish(c->s, c->f.ids[2], 0.54, 0.90); /* larger and worse on validation */
    fixture_finish(c->s, c->f.ids[4], 0.70, 0.70);
    const char *board =
        "SELECT group_concat(printf('%d:%g/%g n%d %.2f %.2f', rank, sr, pct3x3, n, val_top1, test_top1),"
        " ' ') FROM leaderboard";
    const char *front = "SELECT group_concat(printf('%g/%g', sr, pct3x3), ' ') FROM pareto";
    assert_string_equal(plain_text(c->path, board),
                        "1:0.5/0.99 n1 0.70 0.70 2:0.125/0.5 n2 0.55 0.55 3:0.5/0.5 n1 0.54 0.90");
    assert_string_equal(plain_text(c->path, front), "0.125/0.5 0.5/0.99");
    /* An equal that is larger is not on the front either; without validation the test accuracy counts. */
    plain_exec(c->path, "UPDATE trial SET val_top1 = 0.5");
    assert_string_equal(plain_text(c->path, front), "0.125/0.5");
    plain_exec(c->path, "UPDATE trial SET val_top1 = NULL");
    assert_string_equal(plain_text(c->path, front), "0.125/0.5 0.5/0.5");
    assert_string_equal(
        plain_text(c->path, "SELECT group_concat(printf('%g', sr * pct3x3), ' ') FROM leaderboard"),
        "0.25 0.495 0.0625");
}

static void test_progress(void **state)
{
    struct context *c = *state;
    struct err e = ERR_INIT;
    int64_t attempt = 0;
    struct epoch_metrics m = fixture_epoch(2, 1);
    assert_ok(store_attempt_begin(c->s, c->f.ids[1], 77, 2, &attempt, &e));
    assert_string_equal(
        plain_text(c->path, "SELECT printf('%d %d %s %d %d', trial_id, epochs_done, coalesce(val_top1, '-'),"
                            " attempt, pid) FROM progress"),
        "2 0 - 1 77");
    assert_ok(store_epoch(c->s, c->f.ids[1], &m, &e));
    assert_string_equal(plain_text(c->path, "SELECT printf('%d %d %g %g %d', trial_id, epochs_done, val_top1,"
                                            " epoch_train_s, epochs) FROM progress"),
                        with("2 2 0.22 3.5 %lld", c->f.trials[1].point.recipe.epochs));
}

static void run_all(struct store *s, const struct fixture *f, int pid, double seconds, bool interrupt)
{
    struct err e = ERR_INIT;
    for (int i = 0; i < 2; i++) {
        int64_t attempt = 0;
        assert_ok(store_attempt_begin(s, f->ids[i], pid + i, 1 + pid % 2, &attempt, &e));
        for (int epoch = 1; epoch <= 3; epoch++) {
            struct epoch_metrics m = fixture_epoch(epoch, 1.0 / (3 + i));
            m.train_s = seconds * epoch;
            m.eval_s = seconds;
            if (interrupt && epoch == 3) {
                struct attempt_end end = {.state = TRIAL_PENDING,
                                          .outcome = "interrupted",
                                          .message = "SIGTERM",
                                          .wall_s = seconds,
                                          .diverged_step = -1};
                assert_ok(store_attempt_end(s, f->ids[i], attempt, &end, &e));
                assert_ok(store_attempt_begin(s, f->ids[i], pid + 9, 1, &attempt, &e));
            }
            assert_ok(store_epoch(s, f->ids[i], &m, &e));
        }
        struct attempt_end end = {.state = TRIAL_DONE,
                                  .outcome = "done",
                                  .wall_s = seconds,
                                  .diverged_step = -1,
                                  .has_test = true,
                                  .test = {.count = 200, .loss = 0.1, .top1 = 1.0 / 3, .top5 = 0.3},
                                  .checkpoint = interrupt ? "x/y" : "z"};
        assert_ok(store_attempt_end(s, f->ids[i], attempt, &end, &e));
    }
}

/* The view `metrics` tells results apart, and nothing else: neither when, where, how fast nor in how many
 * attempts. */
static void test_metrics_compare_databases(void **state)
{
    struct context *c = *state;
    struct err e = ERR_INIT;
    struct fixture other;
    scratch_path path;
    char sql[1024];
    snprintf(path, sizeof path, "%s/other.db", c->folder);
    fixture_init(&other);
    struct store *s = fixture_open(&other, path);
    run_all(c->s, &c->f, 100, 0.5, false);
    run_all(s, &other, 201, 7.25, true);
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_open(c->path, &db), SQLITE_OK);
    snprintf(sql, sizeof sql, "ATTACH '%s' AS other", path);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    static const char difference[] =
        "SELECT (SELECT count(*) FROM (SELECT * FROM main.metrics EXCEPT SELECT * FROM other.metrics)),"
        " (SELECT count(*) FROM (SELECT * FROM other.metrics EXCEPT SELECT * FROM main.metrics)),"
        " (SELECT count(*) FROM main.metrics)";
    assert_int_equal(sqlite3_prepare_v2(db, difference, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(statement, 0), 0);
    assert_int_equal(sqlite3_column_int(statement, 1), 0);
    assert_int_equal(sqlite3_column_int(statement, 2), 2 * 3 + 4);
    sqlite3_reset(statement);
    struct epoch_metrics m = fixture_epoch(2, 1.0 / 3);
    m.val.loss = nextafter(m.val.loss, 10); /* one bit */
    assert_ok(store_epoch(s, other.ids[0], &m, &e));
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_int_not_equal(sqlite3_column_int(statement, 0), 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    store_close(s);
}

/* With foreign keys on, as the store and docs/schema.md do it, a deleted trial takes its rows along. */
static void test_delete_cascades(void **state)
{
    struct context *c = *state;
    fixture_finish(c->s, c->f.ids[2], 0.5, 0.6);
    plain_exec(c->path, with("PRAGMA foreign_keys = ON; DELETE FROM trial WHERE id = %lld", c->f.ids[2]));
    assert_int_equal(
        plain_int(c->path, "SELECT (SELECT count(*) FROM epoch) + (SELECT count(*) FROM attempt)"), 0);
    assert_int_equal(plain_int(c->path, "SELECT count(*) FROM block_trial"), FIXTURE_MEMBERS - 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(test_state_names),
        store_test(test_attempts),
        store_test(test_attempt_mistakes),
        store_test(test_diverged),
        store_test(test_epochs),
        store_test(test_recover),
        store_test(test_lost_attempts_end_when_last_seen),
        store_test(test_lease_is_broken_once),
        store_test(test_claims_are_atomic),
        store_test(test_events),
        store_test(test_curve),
        store_test(test_leaderboard_and_pareto),
        store_test(test_progress),
        store_test(test_metrics_compare_databases),
        store_test(test_delete_cascades),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
