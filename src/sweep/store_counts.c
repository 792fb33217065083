/* Counts over trials. */
#include "sweep/store_internal.h"

#include <string.h>

static const char doing[] = "cannot count the trials", finding[] = "cannot find a sweep";

static enum status unknown_sweep(struct store *s, const char *name, struct err *e)
{
    sqlite3_stmt *statement = NULL;
    enum status status =
        store_prepare(s, "SELECT group_concat(quote(name), ', ') FROM sweep", &statement, finding, e);
    if (status != ST_OK)
        return status;
    int code = sqlite3_step(statement);
    const char *known = code == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
    status = code == SQLITE_ROW ? err_set(e, ST_USAGE, "%s: there is no sweep '%s'; there are: %s", s->path,
                                          name, known ? known : "none")
                                : store_error(s, code, finding, e);
    sqlite3_finalize(statement);
    return status;
}

enum status store_sweep_id(struct store *s, const char *name, int64_t *id, struct err *e)
{
    sqlite3_stmt *statement = NULL;
    bool found = false;
    enum status status = store_prepare(s, "SELECT id FROM sweep WHERE name = ?1", &statement, finding, e);
    if (status == ST_OK) {
        sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
        status = store_fetch_int(s, statement, &found, id, finding, e);
    }
    sqlite3_finalize(statement);
    return status == ST_OK && !found ? unknown_sweep(s, name, e) : status;
}

static const char counts_of_all[] = "SELECT state, count(*) FROM trial WHERE ?1 = 0 GROUP BY state";
static const char counts_of_sweep[] =
    "SELECT state, count(*) FROM trial WHERE id IN (SELECT m.trial_id FROM block_trial m JOIN block b"
    " ON b.id = m.block_id WHERE b.sweep_id = ?1 AND m.in_spec"
    " UNION SELECT r.trial_id FROM rung r WHERE r.sweep_id = ?1 AND r.in_spec) GROUP BY state";

enum status store_counts(struct store *s, const char *sweep, int64_t counts[TRIAL_STATE_COUNT], struct err *e)
{
    sqlite3_stmt *statement = NULL;
    int64_t id = 0;
    int code;
    enum status status = sweep ? store_sweep_id(s, sweep, &id, e) : ST_OK;
    if (status == ST_OK)
        status = store_prepare(s, sweep ? counts_of_sweep : counts_of_all, &statement, doing, e);
    if (status != ST_OK)
        return status;
    memset(counts, 0, TRIAL_STATE_COUNT * sizeof *counts);
    sqlite3_bind_int64(statement, 1, id);
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(statement, 0);
        enum trial_state state;
        if (name && trial_state_parse(name, &state))
            counts[state] = sqlite3_column_int64(statement, 1);
    }
    status = code == SQLITE_DONE ? ST_OK : store_error(s, code, doing, e);
    sqlite3_finalize(statement);
    return status;
}
