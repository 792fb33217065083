#include "sweep/store_rung.h"

#include <math.h>

#include "sweep/store_internal.h"

static const char reading[] = "cannot read a rung's results", deciding[] = "cannot record a rung's decision";

enum status store_val_top1(struct store *s, const int64_t *trials, int count, double *out, struct err *e)
{
    sqlite3_stmt *statement = NULL;
    enum status status = store_prepare(
        s, "SELECT val_top1 FROM trial WHERE id = ?1 AND state = 'done' AND val_top1 IS NOT NULL", &statement,
        reading, e);
    for (int i = 0; i < count && status == ST_OK; i++) {
        sqlite3_bind_int64(statement, 1, trials[i]);
        const int code = sqlite3_step(statement);
        out[i] = code == SQLITE_ROW ? sqlite3_column_double(statement, 0) : (double)NAN;
        if (code != SQLITE_ROW && code != SQLITE_DONE)
            status = store_error(s, code, reading, e);
        sqlite3_reset(statement);
    }
    sqlite3_finalize(statement);
    return status;
}

enum decision_statement { RANK, PRUNE, REVIVE, STATEMENTS };

/* Parameters: trial, sweep, rank, goes on, message. */
static const char *const decision_sql[STATEMENTS] = {
    [RANK] = "UPDATE rung SET rank = ?3, promoted = ?4 WHERE trial_id = ?1 AND sweep_id = ?2"
             " AND (rank IS NOT ?3 OR promoted IS NOT ?4) AND ?5 IS NULL",
    [PRUNE] = "UPDATE trial SET state = 'pruned', message = ?5 WHERE id = ?1"
              " AND (state = 'pending' OR state = 'pruned' AND message IS NOT ?5) AND ?3 = 0 AND ?4 = 0"
              " AND NOT EXISTS (SELECT 1 FROM block_trial m JOIN block b ON b.id = m.block_id"
              "  WHERE m.trial_id = ?1 AND m.in_spec AND b.sweep_id <> ?2"
              "  AND NOT EXISTS (SELECT 1 FROM rung r WHERE r.trial_id = ?1 AND r.sweep_id = b.sweep_id"
              "   AND r.in_spec))",
    [REVIVE] = "UPDATE trial SET state = 'pending', message = NULL WHERE id = ?1 AND state = 'pruned'"
               " AND ?2 AND ?3 = 0 AND ?4 AND ?5 IS NULL",
};

static enum status decide_one(struct store *s, sqlite3_stmt *statement, int64_t sweep,
                              const struct rung_decision *d, struct err *e)
{
    sqlite3_bind_int64(statement, 1, d->trial);
    sqlite3_bind_int64(statement, 2, sweep);
    sqlite3_bind_int(statement, 3, d->rank);
    sqlite3_bind_int(statement, 4, d->goes_on);
    sqlite3_bind_text(statement, 5, d->message, -1, SQLITE_STATIC);
    return store_run(s, statement, deciding, e);
}

enum status store_decide(struct store *s, const char *sweep, const struct rung_decision *decisions, int count,
                         struct err *e)
{
    sqlite3_stmt *statements[STATEMENTS] = {NULL};
    int64_t id = 0;
    enum status status = store_sweep_id(s, sweep, &id, e);
    for (int i = 0; i < STATEMENTS && status == ST_OK; i++)
        status = store_prepare(s, decision_sql[i], &statements[i], deciding, e);
    if (status == ST_OK)
        status = store_begin(s, deciding, e);
    if (status == ST_OK) {
        for (int i = 0; i < count && status == ST_OK; i++) {
            const struct rung_decision *d = &decisions[i];
            const enum decision_statement which = d->rank > 0 ? RANK : d->goes_on ? REVIVE : PRUNE;
            status = decide_one(s, statements[which], id, d, e);
        }
        status = store_end(s, status, deciding, e);
    }
    for (int i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(statements[i]);
    return status;
}
