/* A trial's life: attempts and epochs. */
#include "sweep/store_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sweep/lease.h"

static enum status history_read(struct store *s, sqlite3_stmt *statement, int64_t trial,
                                struct trial_history *out, const char *doing, struct err *e)
{
    sqlite3_bind_int64(statement, 1, trial);
    int code = sqlite3_step(statement);
    enum status status = ST_OK;
    if (code == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(statement, 0);
        if (name) {
            trial_state_parse(name, &out->state);
            out->attempts = sqlite3_column_int(statement, 1);
            out->wall_s = sqlite3_column_double(statement, 2);
            out->epochs_done = sqlite3_column_int(statement, 3);
        } else {
            status = store_error(s, SQLITE_NOMEM, doing, e);
        }
    } else if (code == SQLITE_DONE) {
        status = err_set(e, ST_FAILED, "%s: there is no trial %" PRId64, s->path, trial);
    } else {
        status = store_error(s, code, doing, e);
    }
    sqlite3_reset(statement);
    return status;
}

enum status store_trial_histories(struct store *s, const int64_t *trials, int count,
                                  struct trial_history *out, struct err *e)
{
    static const char doing[] = "cannot read the trials";
    static const char sql[] = "SELECT t.state, (SELECT count(*) FROM attempt WHERE trial_id = t.id),"
                              " (SELECT total(wall_s) FROM attempt WHERE trial_id = t.id), t.epochs_done "
                              "FROM trial t WHERE t.id = ?1";
    sqlite3_stmt *statement = NULL;
    /* One transaction, unless there is one: locks and pages are taken once, not once a trial. */
    const bool own = count > 1 && sqlite3_get_autocommit(s->db);
    enum status status = own ? store_exec(s, "BEGIN", doing, e) : ST_OK;
    if (status == ST_OK)
        status = store_prepare(s, sql, &statement, doing, e);
    for (int i = 0; i < count && status == ST_OK; i++)
        status = history_read(s, statement, trials[i], &out[i], doing, e);
    sqlite3_finalize(statement);
    return own ? store_end(s, status, doing, e) : status;
}

enum status store_trial_state(struct store *s, int64_t trial, enum trial_state *out, struct err *e)
{
    struct trial_history history = {.state = TRIAL_PENDING};
    enum status status = store_trial_histories(s, &trial, 1, &history, e);
    if (status == ST_OK)
        *out = history.state;
    return status;
}

enum status store_trial_message(struct store *s, int64_t trial, char *out, size_t n, struct err *e)
{
    static const char doing[] = "cannot read a trial's message";
    sqlite3_stmt *statement = NULL;
    out[0] = '\0';
    enum status status = store_prepare(s, "SELECT message FROM trial WHERE id = ?1", &statement, doing, e);
    if (status == ST_OK) {
        sqlite3_bind_int64(statement, 1, trial);
        int code = sqlite3_step(statement);
        const char *text = code == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
        snprintf(out, n, "%s", text ? text : "");
        status = code == SQLITE_ROW || code == SQLITE_DONE ? ST_OK : store_error(s, code, doing, e);
    }
    sqlite3_finalize(statement);
    return status;
}

/* A statement about one trial. */
static enum status for_trial(struct store *s, const char *sql, int64_t trial, const char *doing,
                             struct err *e)
{
    sqlite3_stmt *statement = NULL;
    enum status status = store_prepare(s, sql, &statement, doing, e);
    if (status == ST_OK) {
        sqlite3_bind_int64(statement, 1, trial);
        status = store_run(s, statement, doing, e);
    }
    sqlite3_finalize(statement);
    return status;
}

enum status store_trial_free(struct store *s, int64_t trial, const char *doing, struct err *e)
{
    static const char *const sql[] = {
        "INSERT INTO event(trial_id, attempt_id, at_utc, text) SELECT trial_id, id, " STORE_NOW ","
        " 'the run ended without recording this attempt: the trial waits again'"
        " FROM attempt WHERE trial_id = ?1 AND ended_utc IS NULL",
        "UPDATE attempt SET ended_utc = min(" STORE_NOW ", coalesce((SELECT strftime('%Y-%m-%dT%H:%M:%SZ',"
        "  started_utc, " LEASE_SEEN_S_SQL " || ' seconds') FROM lease WHERE attempt_id = attempt.id),"
        "  started_utc)), outcome = 'crashed',"
        " message = 'the run ended without recording this attempt' WHERE trial_id = ?1 AND ended_utc IS NULL",
        "DELETE FROM lease WHERE trial_id = ?1",
        "UPDATE trial SET state = 'pending' WHERE id = ?1 AND state = 'running'",
    };
    enum status status = ST_OK;
    for (size_t i = 0; i < sizeof sql / sizeof *sql && status == ST_OK; i++)
        status = for_trial(s, sql[i], trial, doing, e);
    return status;
}

/* Says who runs a trial that was to be started. */
static enum status running_already(struct store *s, int64_t trial, const char *doing, struct err *e)
{
    sqlite3_stmt *statement = NULL;
    enum status status = store_prepare(s,
                                       "SELECT number, pid, host FROM attempt WHERE trial_id = ?1"
                                       " ORDER BY number DESC LIMIT 1",
                                       &statement, doing, e);
    if (status != ST_OK)
        return status;
    sqlite3_bind_int64(statement, 1, trial);
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        const char *host = (const char *)sqlite3_column_text(statement, 2);
        status = err_set(e, ST_BUSY, "%s: trial %" PRId64 " is running already: attempt %d, process %d on %s",
                         s->path, trial, sqlite3_column_int(statement, 0), sqlite3_column_int(statement, 1),
                         host ? host : "an unknown host");
    } else if (code == SQLITE_DONE) {
        status = err_set(e, ST_BUSY, "%s: trial %" PRId64 " is running already", s->path, trial);
    } else {
        status = store_error(s, code, doing, e);
    }
    sqlite3_finalize(statement);
    return status;
}

static enum status next_attempt_number(struct store *s, int64_t trial, int64_t *number, const char *doing,
                                       struct err *e)
{
    sqlite3_stmt *statement = NULL;
    bool found;
    enum status status = store_prepare(
        s, "SELECT coalesce(max(number), 0) + 1 FROM attempt WHERE trial_id = ?1", &statement, doing, e);
    if (status == ST_OK) {
        sqlite3_bind_int64(statement, 1, trial);
        status = store_fetch_int(s, statement, &found, number, doing, e);
    }
    sqlite3_finalize(statement);
    return status;
}

static enum status attempt_insert(struct store *s, int64_t trial, int pid, int threads, int64_t *attempt,
                                  const char *doing, struct err *e)
{
    char host[256] = "";
    int64_t number = 0;
    struct inserter attempts = {"attempt", "", NULL};
    struct row row = {0};
    enum status status = next_attempt_number(s, trial, &number, doing, e);
    if (status != ST_OK)
        return status;
    if (gethostname(host, sizeof host - 1) != 0)
        strcpy(host, "unknown");
    row_int(&row, "trial_id", trial);
    row_int(&row, "number", number);
    row_int(&row, "pid", pid);
    row_text(&row, "host", host);
    row_int(&row, "threads", threads);
    row_text(&row, "isa", engine_isa());
    row_now(&row, "started_utc");
    status = inserter_add(&attempts, s, &row, doing, e);
    inserter_release(&attempts);
    if (status == ST_OK)
        *attempt = sqlite3_last_insert_rowid(s->db);
    return status;
}

enum status store_attempt_begin(struct store *s, int64_t trial, int pid, int threads, int64_t *attempt,
                                struct err *e)
{
    static const char doing[] = "cannot record the start of a trial";
    enum trial_state state = TRIAL_PENDING;
    struct row row = {0};
    enum status status = store_begin(s, doing, e);
    if (status != ST_OK)
        return status;
    status = store_trial_state(s, trial, &state, e);
    if (status == ST_OK && state == TRIAL_RUNNING)
        status = running_already(s, trial, doing, e);
    if (status == ST_OK && (state == TRIAL_DONE || state == TRIAL_DIVERGED)) {
        status = err_set(e, ST_BUSY, "%s: trial %" PRId64 " is %s already", s->path, trial,
                         trial_state_name(state));
    }
    if (status == ST_OK) {
        row_text(&row, "state", trial_state_name(TRIAL_RUNNING));
        row_null(&row, "message");
        status = store_update(s, "trial", &row, trial, doing, e);
    }
    if (status == ST_OK)
        status = attempt_insert(s, trial, pid, threads, attempt, doing, e);
    if (status == ST_OK)
        status = store_lease_insert(s, trial, *attempt, pid, doing, e);
    return store_end(s, status, doing, e);
}

/* Validation metrics have no value without a validation split. */
static void val_values(const struct eval_metrics *val, struct row *row)
{
    row_int(row, "val_count", (int64_t)val->count);
    if (val->count == 0) {
        row_null(row, "val_loss");
        row_null(row, "val_top1");
        row_null(row, "val_top5");
        return;
    }
    row_real(row, "val_loss", val->loss);
    row_real(row, "val_top1", val->top1);
    row_real(row, "val_top5", val->top5);
}

static enum status epoch_insert(struct store *s, int64_t trial, const struct epoch_metrics *m,
                                const char *doing, struct err *e)
{
    struct inserter epochs = {
        "epoch",
        "ON CONFLICT(trial_id, epoch) DO UPDATE SET lr = excluded.lr, train_loss = excluded.train_loss,"
        " train_top1 = excluded.train_top1, val_count = excluded.val_count, val_loss = excluded.val_loss,"
        " val_top1 = excluded.val_top1, val_top5 = excluded.val_top5, train_s = excluded.train_s,"
        " eval_s = excluded.eval_s",
        NULL};
    struct row row = {0};
    row_int(&row, "trial_id", trial);
    row_int(&row, "epoch", m->epoch);
    row_real(&row, "lr", m->lr);
    row_real(&row, "train_loss", m->train_loss);
    row_real(&row, "train_top1", m->train_top1);
    val_values(&m->val, &row);
    row_real(&row, "train_s", m->train_s);
    row_real(&row, "eval_s", m->eval_s);
    enum status status = inserter_add(&epochs, s, &row, doing, e);
    inserter_release(&epochs);
    return status;
}

/* Seconds are summed over the epochs up to this one: later rows are of an attempt that lost its checkpoint.
 */
static enum status trial_follow(struct store *s, int64_t trial, const struct epoch_metrics *m,
                                const char *doing, struct err *e)
{
    static const char seconds[] = "UPDATE trial SET (train_s, eval_s) = (SELECT sum(train_s), sum(eval_s) "
                                  "FROM epoch WHERE trial_id = ?1"
                                  " AND epoch <= ?2) WHERE id = ?1";
    sqlite3_stmt *statement = NULL;
    struct row row = {0};
    row_int(&row, "epochs_done", m->epoch);
    val_values(&m->val, &row);
    enum status status = store_update(s, "trial", &row, trial, doing, e);
    if (status == ST_OK)
        status = store_prepare(s, seconds, &statement, doing, e);
    if (status == ST_OK) {
        sqlite3_bind_int64(statement, 1, trial);
        sqlite3_bind_int(statement, 2, m->epoch);
        status = store_run(s, statement, doing, e);
    }
    sqlite3_finalize(statement);
    return status;
}

enum status store_epoch(struct store *s, int64_t trial, const struct epoch_metrics *m, struct err *e)
{
    static const char doing[] = "cannot record an epoch";
    enum status status = store_begin(s, doing, e);
    if (status != ST_OK)
        return status;
    status = epoch_insert(s, trial, m, doing, e);
    if (status == ST_OK)
        status = trial_follow(s, trial, m, doing, e);
    return store_end(s, status, doing, e);
}

static void trial_end_row(const struct attempt_end *end, struct row *row)
{
    row_text(row, "state", trial_state_name(end->state));
    row_text(row, "message", end->message);
    row_text(row, "checkpoint", end->checkpoint);
    if (end->diverged_step >= 0)
        row_int(row, "diverged_step", end->diverged_step);
    else
        row_null(row, "diverged_step");
    if (end->has_test) {
        row_int(row, "test_count", (int64_t)end->test.count);
        row_real(row, "test_loss", end->test.loss);
        row_real(row, "test_top1", end->test.top1);
        row_real(row, "test_top5", end->test.top5);
    } else {
        row_null(row, "test_count");
        row_null(row, "test_loss");
        row_null(row, "test_top1");
        row_null(row, "test_top5");
    }
}

/* The attempt exists, is one of this trial, and nobody has ended it: a trial that seemed to be left alone may
 * have been taken over. */
static enum status attempt_check(struct store *s, int64_t trial, int64_t attempt, const char *doing,
                                 struct err *e)
{
    sqlite3_stmt *statement = NULL;
    bool found = false;
    int64_t open = 0;
    enum status status = store_prepare(
        s, "SELECT ended_utc IS NULL FROM attempt WHERE id = ?1 AND trial_id = ?2", &statement, doing, e);
    if (status == ST_OK) {
        sqlite3_bind_int64(statement, 1, attempt);
        sqlite3_bind_int64(statement, 2, trial);
        status = store_fetch_int(s, statement, &found, &open, doing, e);
    }
    sqlite3_finalize(statement);
    if (status == ST_OK && !found) {
        status = err_set(e, ST_FAILED, "%s: %s: trial %" PRId64 " has no attempt with id %" PRId64, s->path,
                         doing, trial, attempt);
    } else if (status == ST_OK && !open) {
        status = err_set(e, ST_BUSY, "%s: %s: another run has taken trial %" PRId64 " over", s->path, doing,
                         trial);
    }
    return status;
}

enum status store_attempt_end(struct store *s, int64_t trial, int64_t attempt, const struct attempt_end *end,
                              struct err *e)
{
    static const char doing[] = "cannot record the end of a trial";
    struct row attempt_row = {0}, trial_row = {0};
    row_now(&attempt_row, "ended_utc");
    row_text(&attempt_row, "outcome", end->outcome);
    row_text(&attempt_row, "message", end->message);
    row_real(&attempt_row, "wall_s", end->wall_s);
    row_real(&attempt_row, "cpu_s", end->cpu_s);
    row_int(&attempt_row, "peak_rss_bytes", end->peak_rss_bytes);
    trial_end_row(end, &trial_row);
    enum status status = store_begin(s, doing, e);
    if (status != ST_OK)
        return status;
    status = attempt_check(s, trial, attempt, doing, e);
    if (status == ST_OK)
        status = store_update(s, "attempt", &attempt_row, attempt, doing, e);
    if (status == ST_OK)
        status = store_update(s, "trial", &trial_row, trial, doing, e);
    if (status == ST_OK)
        status = for_trial(s, "DELETE FROM lease WHERE trial_id = ?1", trial, doing, e);
    return store_end(s, status, doing, e);
}

enum status store_checkpoints_gone(struct store *s, const int64_t *trials, int count, struct err *e)
{
    static const char doing[] = "cannot record that checkpoints are gone";
    sqlite3_stmt *statement = NULL;
    enum status status = store_begin(s, doing, e);
    if (status != ST_OK)
        return status;
    status = store_prepare(s, "UPDATE trial SET checkpoint = NULL WHERE id = ?1", &statement, doing, e);
    for (int i = 0; i < count && status == ST_OK; i++) {
        sqlite3_bind_int64(statement, 1, trials[i]);
        status = store_run(s, statement, doing, e);
    }
    sqlite3_finalize(statement);
    return store_end(s, status, doing, e);
}
