/* Whether a spec's trials stand in the database already. Most runs continue: then one query replaces some
 * statements a trial, and nothing is written. */
#include "sweep/store_internal.h"

#include <string.h>

static const char doing[] = "cannot read the recorded sweep";

/* Memberships of the sweep that are in the spec, and what their trials are. */
static const char members_sql[] =
    "SELECT m.block_id, m.position, m.trial_id, m.axes, v.arch_hash, r.recipe_hash, t.data_fingerprint, "
    "t.seed,"
    " t.state, t.skip_reason, p.base_e, p.incr_e, p.freq, p.sr, p.pct3x3, p.bypass, p.pool_floor"
    " FROM block b JOIN block_trial m ON m.block_id = b.id"
    " LEFT JOIN point p ON p.block_id = m.block_id AND p.axes = m.axes"
    " JOIN trial t ON t.id = m.trial_id JOIN variant v ON v.id = t.variant_id"
    " JOIN recipe r ON r.id = t.recipe_id WHERE b.sweep_id = ?1 AND m.in_spec";

enum {
    BLOCK_ID,
    POSITION,
    TRIAL_ID,
    AXES,
    ARCH_HASH,
    RECIPE_HASH,
    FINGERPRINT,
    SEED,
    STATE,
    SKIP_REASON,
    POINT
};

static bool text_is(sqlite3_stmt *row, int column, const char *expected)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    return text && expected ? strcmp(text, expected) == 0 : text == expected;
}

/* Whether recording the trial would leave its state as it is; see sync_trial. */
static bool state_stays(sqlite3_stmt *row, const struct trial *t)
{
    const bool skipped = text_is(row, STATE, "skipped");
    if (!t->skip_reason)
        return !skipped && !text_is(row, STATE, "pruned");
    return skipped && text_is(row, SKIP_REASON, t->skip_reason);
}

/* Whether the point's row says what point_row would. */
static bool point_stays(sqlite3_stmt *row, const struct design *d)
{
    const struct metaparams *meta = &d->meta;
    bool asked = sqlite3_column_type(row, POINT) == SQLITE_NULL;
    if (!d->explicit_fires)
        asked = sqlite3_column_int(row, POINT) == meta->base_e &&
                sqlite3_column_int(row, POINT + 1) == meta->incr_e &&
                sqlite3_column_int(row, POINT + 2) == meta->freq &&
                sqlite3_column_double(row, POINT + 3) == meta->sr &&
                sqlite3_column_double(row, POINT + 4) == meta->pct3x3;
    return asked && text_is(row, POINT + 5, bypass_name(d->macro.bypass)) &&
           sqlite3_column_int(row, POINT + 6) == d->macro.pool_floor;
}

static bool member_stays(sqlite3_stmt *row, const struct membership *m, const struct trial *t,
                         const char *fingerprint)
{
    return (!m->skip_reason || t->skip_reason) && m->position == sqlite3_column_int(row, POSITION) &&
           text_is(row, AXES, m->axes) && text_is(row, ARCH_HASH, t->arch_hash) &&
           text_is(row, RECIPE_HASH, t->recipe_hash) && text_is(row, FINGERPRINT, fingerprint) &&
           sqlite3_column_int64(row, SEED) == (int64_t)t->seed && state_stays(row, t) &&
           point_stays(row, m->design);
}

/* The first membership of the block with this id, whose memberships are neighbours in the order of their
 * positions; -1 when there is none. `from` is a guess: rows of a block are neighbours too. */
static int first_of_block(const struct space *space, const int64_t *block_ids, int64_t id, int from)
{
    const struct membership *m = space->memberships;
    for (int k = 0; k < space->membership_count; k++) {
        const int i = (from + k) % space->membership_count;
        if (block_ids[m[i].block] == id && (i == 0 || m[i - 1].block != m[i].block))
            return i;
    }
    return -1;
}

static enum status compare_members(struct store *s, sqlite3_stmt *rows, const struct recorded_sweep *sweep,
                                   const struct space *space, int64_t *trial_ids, bool *same, struct err *e)
{
    int first = 0, seen = 0, code;
    *same = true;
    while (*same && (code = sqlite3_step(rows)) == SQLITE_ROW) {
        first = first_of_block(space, sweep->block_ids, sqlite3_column_int64(rows, BLOCK_ID), first);
        const int64_t i = first < 0 ? -1 : first + sqlite3_column_int64(rows, POSITION);
        *same = first >= 0 && i >= first && i < space->membership_count &&
                member_stays(rows, &space->memberships[i], &space->trials[space->memberships[i].trial],
                             sweep->fingerprint);
        if (*same) {
            trial_ids[space->memberships[i].trial] = sqlite3_column_int64(rows, TRIAL_ID);
            seen++;
        }
    }
    if (*same && code != SQLITE_DONE)
        return store_error(s, code, doing, e);
    int expected = 0;
    for (int i = 0; i < space->membership_count; i++) {
        const struct membership *m = &space->memberships[i];
        expected += !m->skip_reason || space->trials[m->trial].skip_reason;
    }
    *same = *same && seen == expected;
    return ST_OK;
}

static enum status has_rungs(struct store *s, int64_t sweep, bool *found, struct err *e)
{
    sqlite3_stmt *statement = NULL;
    int64_t rung;
    enum status status = store_prepare(s, "SELECT rung FROM rung WHERE sweep_id = ?1 AND in_spec LIMIT 1",
                                       &statement, doing, e);
    if (status == ST_OK) {
        sqlite3_bind_int64(statement, 1, sweep);
        status = store_fetch_int(s, statement, found, &rung, doing, e);
    }
    sqlite3_finalize(statement);
    return status;
}

enum status store_recorded(struct store *s, const struct recorded_sweep *sweep, const struct space *space,
                           int64_t *trial_ids, bool *same, struct err *e)
{
    sqlite3_stmt *rows = NULL;
    bool rungs = true;
    *same = false;
    enum status status = has_rungs(s, sweep->id, &rungs, e);
    if (status != ST_OK || rungs || space->named_count < space->trial_count || space->membership_count == 0)
        return status; /* a search: its rungs change as it goes */
    memset(trial_ids, 0, (size_t)space->trial_count * sizeof *trial_ids);
    status = store_prepare(s, members_sql, &rows, doing, e);
    if (status == ST_OK) {
        sqlite3_bind_int64(rows, 1, sweep->id);
        status = compare_members(s, rows, sweep, space, trial_ids, same, e);
    }
    sqlite3_finalize(rows);
    for (int i = 0; i < space->trial_count; i++)
        *same = *same && trial_ids[i] != 0;
    return status;
}
