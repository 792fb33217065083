#include "sweep/store_lease.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "sweep/store_internal.h"

static const char reading[] = "cannot read who works on the trials";

#define LEASE_COLUMNS                                                                                   \
    "SELECT t.id, l.attempt_id, l.host, l.place, l.run_pid, l.run_start, l.worker_pid, l.worker_start," \
    " l.beat FROM trial t LEFT JOIN lease l ON l.trial_id = t.id WHERE t.state = 'running'"

enum status store_lease_insert(struct store *s, int64_t trial, int64_t attempt, int pid, const char *doing,
                               struct err *e)
{
    struct inserter leases = {"lease", "", NULL};
    struct lease l = {0};
    struct row row = {0};
    lease_sign(&l, pid);
    row_int(&row, "trial_id", trial);
    row_int(&row, "attempt_id", attempt);
    row_text(&row, "host", l.host);
    row_text(&row, "place", l.place);
    row_int(&row, "run_pid", l.run.pid);
    row_int(&row, "run_start", l.run.start);
    row_int(&row, "worker_pid", l.worker.pid);
    row_int(&row, "worker_start", l.worker.start);
    enum status status = inserter_add(&leases, s, &row, doing, e);
    inserter_release(&leases);
    return status;
}

static void take_text(sqlite3_stmt *statement, int column, char out[LEASE_TEXT])
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    snprintf(out, LEASE_TEXT, "%s", text ? text : "");
}

static void take_lease(sqlite3_stmt *statement, struct lease *out)
{
    *out = (struct lease){
        .trial = sqlite3_column_int64(statement, 0),
        .attempt = sqlite3_column_int64(statement, 1),
        .run = {sqlite3_column_int64(statement, 4), sqlite3_column_int64(statement, 5)},
        .worker = {sqlite3_column_int64(statement, 6), sqlite3_column_int64(statement, 7)},
        .beat = sqlite3_column_int64(statement, 8),
    };
    take_text(statement, 2, out->host);
    take_text(statement, 3, out->place);
}

enum status store_lease_read(struct store *s, int64_t trial, struct lease *out, struct err *e)
{
    sqlite3_stmt *statement = NULL;
    *out = (struct lease){.trial = trial};
    enum status status = store_prepare(s, LEASE_COLUMNS " AND t.id = ?1", &statement, reading, e);
    if (status == ST_OK) {
        sqlite3_bind_int64(statement, 1, trial);
        int code = sqlite3_step(statement);
        if (code == SQLITE_ROW)
            take_lease(statement, out);
        else if (code != SQLITE_DONE)
            status = store_error(s, code, reading, e);
    }
    sqlite3_finalize(statement);
    return status;
}

enum status store_leases(struct store *s, struct lease **out, int *count, struct err *e)
{
    sqlite3_stmt *statement = NULL;
    int room = 0, code = SQLITE_DONE;
    *out = NULL;
    *count = 0;
    enum status status = store_prepare(s, LEASE_COLUMNS " ORDER BY t.id", &statement, reading, e);
    while (status == ST_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        if (*count == room) {
            room = room * 2 + 16;
            struct lease *more = mem_realloc(*out, (size_t)room, sizeof *more);
            if (!more) {
                status = store_error(s, SQLITE_NOMEM, reading, e);
                break;
            }
            *out = more;
        }
        take_lease(statement, &(*out)[(*count)++]);
    }
    if (status == ST_OK && code != SQLITE_DONE)
        status = store_error(s, code, reading, e);
    sqlite3_finalize(statement);
    return status;
}

enum status store_lease_beat(struct store *s, int64_t attempt, bool *held, struct err *e)
{
    static const char doing[] = "cannot renew the hold on a trial";
    sqlite3_stmt *statement = NULL;
    *held = true;
    enum status status =
        store_prepare(s, "UPDATE lease SET beat = beat + 1 WHERE attempt_id = ?1", &statement, doing, e);
    if (status == ST_OK) {
        sqlite3_bind_int64(statement, 1, attempt);
        status = store_run(s, statement, doing, e);
    }
    if (status == ST_OK)
        *held = sqlite3_changes(s->db) > 0;
    sqlite3_finalize(statement);
    return status;
}

enum status store_lease_break(struct store *s, const struct lease *seen, bool *freed, struct err *e)
{
    static const char doing[] = "cannot take over the trial of a run that is gone";
    struct lease now = {0};
    enum trial_state state = TRIAL_PENDING;
    *freed = false;
    enum status status = store_begin(s, doing, e);
    if (status != ST_OK)
        return status;
    status = store_trial_state(s, seen->trial, &state, e);
    if (status == ST_OK)
        status = store_lease_read(s, seen->trial, &now, e);
    bool same =
        status == ST_OK && state == TRIAL_RUNNING && now.attempt == seen->attempt && now.beat == seen->beat;
    if (same)
        status = store_trial_free(s, seen->trial, doing, e);
    status = store_end(s, status, doing, e);
    *freed = same && status == ST_OK;
    return status;
}

enum status store_recover(struct store *s, int64_t *recovered, struct err *e)
{
    struct lease *leases;
    int count;
    *recovered = 0;
    enum status status = store_leases(s, &leases, &count, e);
    for (int i = 0; i < count && status == ST_OK; i++) {
        bool freed = false;
        if (lease_look(&leases[i]) == LEASE_GONE)
            status = store_lease_break(s, &leases[i], &freed, e);
        *recovered += freed;
    }
    mem_free(leases);
    return status;
}

enum status store_event(struct store *s, int64_t trial, int64_t attempt, const char *text, struct err *e)
{
    static const char doing[] = "cannot record an event";
    struct inserter events = {"event", "", NULL};
    struct row row = {0};
    row_int(&row, "trial_id", trial);
    if (attempt > 0)
        row_int(&row, "attempt_id", attempt);
    else
        row_null(&row, "attempt_id");
    row_now(&row, "at_utc");
    row_text(&row, "text", text);
    enum status status = inserter_add(&events, s, &row, doing, e);
    inserter_release(&events);
    return status;
}
