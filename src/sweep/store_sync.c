/* store_sync: a spec's sweep, blocks, variants, recipes and trials become rows, in one transaction. */
#include "sweep/store_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

static const char doing[] = "cannot record the sweep";

/* The statements that run once a row. */
enum sync_statement {
    FIND_BLOCK,    /* name, sweep -> id */
    FIND_VARIANT,  /* arch_hash -> id */
    FIND_RECIPE,   /* recipe_hash -> id */
    FIND_TRIAL,    /* data, variant, recipe, seed -> id */
    SKIP_TRIAL,    /* reason, id: a constraint excludes it; what has been trained stays */
    UNSKIP_TRIAL,  /* -, id: no constraint excludes it any more */
    UNPRUNE_TRIAL, /* -, id: no search chooses among the trials any more */
    IS_SKIPPED,    /* -, id -> 1 or 0 */
    SYNC_STATEMENTS,
};

static const char *const sync_sql[SYNC_STATEMENTS] = {
    [FIND_BLOCK] = "SELECT id FROM block WHERE name = ?1 AND sweep_id = ?2",
    [FIND_VARIANT] = "SELECT id FROM variant WHERE arch_hash = ?1",
    [FIND_RECIPE] = "SELECT id FROM recipe WHERE recipe_hash = ?1",
    [FIND_TRIAL] = "SELECT id FROM trial WHERE data_fingerprint = ?1 AND variant_id = ?2 AND recipe_id = ?3"
                   " AND seed = ?4",
    [SKIP_TRIAL] = "UPDATE trial SET state = 'skipped', skip_reason = ?1 WHERE id = ?2 AND (state IN "
                   "('pending', 'pruned')"
                   " OR state = 'skipped' AND skip_reason IS NOT ?1)",
    [UNSKIP_TRIAL] =
        "UPDATE trial SET state = 'pending', skip_reason = ?1 WHERE id = ?2 AND state = 'skipped'",
    [IS_SKIPPED] = "SELECT state = 'skipped' FROM trial WHERE id = ?2 AND ?1 IS NULL",
    [UNPRUNE_TRIAL] = "UPDATE trial SET state = 'pending', message = ?1 WHERE id = ?2 AND state = 'pruned'",
};

struct sync {
    struct store *s;
    sqlite3_stmt *statements[SYNC_STATEMENTS];
    struct inserter blocks, variants, fires, recipes, trials, points, members, rungs;
    char fingerprint[HASH_TEXT];
    const char *last_recipe; /* most trials have the recipe of the one before */
    int64_t last_recipe_id;
    int64_t sweep;
    int64_t *block_ids; /* by index into spec.blocks */
};

static enum status sync_init(struct sync *y, struct store *s, const struct spec *spec,
                             const struct dataset *data, struct err *e)
{
    *y = (struct sync){
        .s = s,
        .blocks = {"block", "ON CONFLICT(sweep_id, name) DO UPDATE SET position = excluded.position", NULL},
        .variants = {"variant", "", NULL},
        .fires = {"fire", "", NULL},
        .recipes = {"recipe", "", NULL},
        .trials = {"trial", "", NULL},
        .points =
            {"point",
             "ON CONFLICT(block_id, axes) DO UPDATE SET base_e = excluded.base_e, incr_e = excluded.incr_e,"
             " freq = excluded.freq, sr = excluded.sr, pct3x3 = excluded.pct3x3, bypass = excluded.bypass,"
             " pool_floor = excluded.pool_floor",
             NULL},
        .members = {"block_trial",
                    "ON CONFLICT(block_id, trial_id, axes) DO UPDATE SET position = excluded.position,"
                    " in_spec = excluded.in_spec",
                    NULL},
        .rungs =
            {"rung",
             "ON CONFLICT(sweep_id, trial_id) DO UPDATE SET rung = excluded.rung, rungs = excluded.rungs,"
             " full_trial_id = excluded.full_trial_id, in_spec = 1",
             NULL},
    };
    hash_text(data->fingerprint, y->fingerprint);
    y->block_ids = mem_calloc((size_t)spec->block_count + 1, sizeof *y->block_ids);
    if (!y->block_ids)
        return store_error(s, SQLITE_NOMEM, doing, e);
    enum status status = ST_OK;
    for (int i = 0; i < SYNC_STATEMENTS && status == ST_OK; i++)
        status = store_prepare(s, sync_sql[i], &y->statements[i], doing, e);
    return status;
}

static void sync_release(struct sync *y)
{
    for (int i = 0; i < SYNC_STATEMENTS; i++)
        sqlite3_finalize(y->statements[i]);
    inserter_release(&y->blocks);
    inserter_release(&y->variants);
    inserter_release(&y->fires);
    inserter_release(&y->recipes);
    inserter_release(&y->trials);
    inserter_release(&y->points);
    inserter_release(&y->members);
    inserter_release(&y->rungs);
    mem_free(y->block_ids);
}

/* Runs a statement of the table above with a text (may be NULL) and up to three numbers; *id is its first
 * column. */
static enum status sync_find(struct sync *y, enum sync_statement which, const char *text,
                             const int64_t *numbers, int count, bool *found, int64_t *id, struct err *e)
{
    sqlite3_stmt *statement = y->statements[which];
    int code = sqlite3_bind_text(statement, 1, text, -1, SQLITE_STATIC);
    for (int i = 0; i < count && code == SQLITE_OK; i++)
        code = sqlite3_bind_int64(statement, i + 2, numbers[i]);
    return code == SQLITE_OK ? store_fetch_int(y->s, statement, found, id, doing, e)
                             : store_error(y->s, code, doing, e);
}

static enum status sync_insert(struct sync *y, struct inserter *inserter, const struct row *row, int64_t *id,
                               struct err *e)
{
    enum status status = inserter_add(inserter, y->s, row, doing, e);
    if (status == ST_OK && id)
        *id = sqlite3_last_insert_rowid(y->s->db);
    return status;
}

/* Brings the sweep's row up to date. A row that says the same already is not touched, so that running a spec
 * again changes nothing. */
static enum status sync_sweep(struct sync *y, const struct spec *spec, const struct dataset *data,
                              struct err *e)
{
    static const char suffix[] =
        "ON CONFLICT(name) DO UPDATE SET spec_path = excluded.spec_path, spec_text = excluded.spec_text,"
        " data_format = excluded.data_format, data_path = excluded.data_path,"
        " data_fingerprint = excluded.data_fingerprint, image_c = excluded.image_c, image_h = "
        "excluded.image_h,"
        " image_w = excluded.image_w, classes = excluded.classes, train_images = excluded.train_images,"
        " val_images = excluded.val_images, test_images = excluded.test_images,"
        " skipped_images = excluded.skipped_images, tool_version = excluded.tool_version,"
        " updated_utc = excluded.updated_utc"
        " WHERE spec_path IS NOT excluded.spec_path OR spec_text IS NOT excluded.spec_text"
        " OR data_format IS NOT excluded.data_format OR data_path IS NOT excluded.data_path"
        " OR data_fingerprint IS NOT excluded.data_fingerprint OR skipped_images IS NOT "
        "excluded.skipped_images"
        " OR tool_version IS NOT excluded.tool_version";
    struct inserter sweeps = {"sweep", suffix, NULL};
    struct row row = {0};
    sweep_row(spec, data, y->fingerprint, &row);
    enum status status = sync_insert(y, &sweeps, &row, NULL, e);
    inserter_release(&sweeps);
    return status == ST_OK ? store_sweep_id(y->s, spec->name, &y->sweep, e) : status;
}

static enum status sync_blocks(struct sync *y, const struct spec *spec, struct err *e)
{
    enum status status = ST_OK;
    for (int i = 0; i < spec->block_count && status == ST_OK; i++) {
        struct row row = {0};
        bool found = false;
        row_int(&row, "sweep_id", y->sweep);
        row_text(&row, "name", spec->blocks[i].id);
        row_int(&row, "position", i);
        status = sync_insert(y, &y->blocks, &row, NULL, e);
        if (status == ST_OK)
            status = sync_find(y, FIND_BLOCK, spec->blocks[i].id, &y->sweep, 1, &found, &y->block_ids[i], e);
    }
    return status;
}

static enum status sync_variant(struct sync *y, const struct trial *trial, int64_t *id, struct err *e)
{
    bool found = false;
    struct arch arch;
    char pools[64];
    struct row row = {0};
    enum status status = sync_find(y, FIND_VARIANT, trial->arch_hash, NULL, 0, &found, id, e);
    if (status != ST_OK || found)
        return status;
    status = arch_build(&trial->point.design, &arch, e);
    if (status != ST_OK)
        return err_prefix(e, "%s: %s", y->s->path, doing);
    variant_row(trial, pools_format(trial->point.design.macro.pools, pools), &row);
    status = sync_insert(y, &y->variants, &row, id, e);
    for (int fire = 0; fire < FIRE_COUNT && status == ST_OK; fire++) {
        struct row values = {0};
        fire_row(trial, &arch, fire, *id, &values);
        status = sync_insert(y, &y->fires, &values, NULL, e);
    }
    return status;
}

static enum status sync_recipe(struct sync *y, const struct trial *trial, int64_t *id, struct err *e)
{
    bool found = y->last_recipe && strcmp(y->last_recipe, trial->recipe_hash) == 0;
    enum status status = ST_OK;
    *id = y->last_recipe_id;
    if (!found)
        status = sync_find(y, FIND_RECIPE, trial->recipe_hash, NULL, 0, &found, id, e);
    if (status == ST_OK && !found) {
        struct row row = {0};
        recipe_row(trial, &row);
        status = sync_insert(y, &y->recipes, &row, id, e);
    }
    y->last_recipe = trial->recipe_hash;
    y->last_recipe_id = *id;
    return status;
}

static enum status sync_trial(struct sync *y, const struct trial *trial, int64_t *id, struct err *e)
{
    int64_t key[3] = {0, 0, (int64_t)trial->seed};
    bool found = false;
    if (trial->seed > INT64_MAX) {
        return err_set(e, ST_USAGE, "seeds: %" PRIu64 " is too large, at most %" PRId64, trial->seed,
                       INT64_MAX);
    }
    enum status status = sync_variant(y, trial, &key[0], e);
    if (status == ST_OK)
        status = sync_recipe(y, trial, &key[1], e);
    if (status == ST_OK)
        status = sync_find(y, FIND_TRIAL, y->fingerprint, key, 3, &found, id, e);
    if (status != ST_OK)
        return status;
    if (found) {
        int64_t none;
        status = sync_find(y, trial->skip_reason ? SKIP_TRIAL : UNSKIP_TRIAL, trial->skip_reason, id, 1,
                           &found, &none, e);
        return status == ST_OK && trial->rung == 0
                   ? sync_find(y, UNPRUNE_TRIAL, NULL, id, 1, &found, &none, e)
                   : status;
    }
    struct row row = {0};
    row_int(&row, "variant_id", key[0]);
    row_int(&row, "recipe_id", key[1]);
    row_text(&row, "data_fingerprint", y->fingerprint);
    row_int(&row, "seed", key[2]);
    row_text(&row, "state", trial_state_name(trial->skip_reason ? TRIAL_SKIPPED : TRIAL_PENDING));
    row_text(&row, "skip_reason", trial->skip_reason);
    return sync_insert(y, &y->trials, &row, id, e);
}

/* The points of the sweep's blocks; seeds of one point are neighbours. */
static enum status sync_points(struct sync *y, const struct space *space, struct err *e)
{
    enum status status = ST_OK;
    for (int i = 0; i < space->membership_count && status == ST_OK; i++) {
        const struct membership *member = &space->memberships[i];
        struct row row = {0};
        if (i > 0 && member->design == member[-1].design)
            continue;
        point_row(member, y->block_ids[member->block], &row);
        status = sync_insert(y, &y->points, &row, NULL, e);
    }
    return status;
}

/* A point that a condition excludes is part of the spec only as one that was not trained: neither under
 * the results of another point with its layers, nor under those from before the condition. */
static enum status member_counts(struct sync *y, const struct membership *member, const struct trial *trial,
                                 int64_t id, int64_t *counts, struct err *e)
{
    bool found = false;
    *counts = member->skip_reason == NULL;
    return member->skip_reason && trial->skip_reason
               ? sync_find(y, IS_SKIPPED, NULL, &id, 1, &found, counts, e)
               : ST_OK;
}

/* All memberships of the sweep leave the spec, and those that the spec names come back. */
static enum status sync_members(struct sync *y, const struct space *space, const int64_t *trial_ids,
                                struct err *e)
{
    char leave[160];
    snprintf(
        leave, sizeof leave,
        "UPDATE block_trial SET in_spec = 0 WHERE block_id IN (SELECT id FROM block WHERE sweep_id = %" PRId64
        ")",
        y->sweep);
    enum status status = store_exec(y->s, leave, doing, e);
    for (int i = 0; i < space->membership_count && status == ST_OK; i++) {
        const struct membership *member = &space->memberships[i];
        struct row row = {0};
        int64_t counts;
        status =
            member_counts(y, member, &space->trials[member->trial], trial_ids[member->trial], &counts, e);
        if (status != ST_OK || !counts)
            continue;
        row_int(&row, "block_id", y->block_ids[member->block]);
        row_int(&row, "trial_id", trial_ids[member->trial]);
        row_text(&row, "axes", member->axes);
        row_int(&row, "position", member->position);
        row_int(&row, "in_spec", 1);
        status = sync_insert(y, &y->members, &row, NULL, e);
    }
    return status;
}

/* The same for the rungs of a search. */
static enum status sync_rungs(struct sync *y, const struct space *space, const int64_t *trial_ids,
                              struct err *e)
{
    char leave[96];
    snprintf(leave, sizeof leave, "UPDATE rung SET in_spec = 0 WHERE sweep_id = %" PRId64 " AND in_spec",
             y->sweep);
    enum status status = store_exec(y->s, leave, doing, e);
    for (int i = 0; i < space->trial_count && status == ST_OK; i++) {
        const struct trial *trial = &space->trials[i];
        struct row row = {0};
        if (trial->rung == 0)
            continue;
        row_int(&row, "sweep_id", y->sweep);
        row_int(&row, "trial_id", trial_ids[i]);
        row_int(&row, "rung", trial->rung);
        row_int(&row, "rungs", trial->rungs);
        row_int(&row, "full_trial_id", trial_ids[trial->full]);
        row_int(&row, "in_spec", 1);
        status = sync_insert(y, &y->rungs, &row, NULL, e);
    }
    return status;
}

static enum status sync_trials(struct sync *y, const struct space *space, int64_t *trial_ids, struct err *e)
{
    enum status status = ST_OK;
    for (int i = 0; i < space->trial_count && status == ST_OK; i++)
        status = sync_trial(y, &space->trials[i], &trial_ids[i], e);
    if (status == ST_OK)
        status = sync_points(y, space, e);
    if (status == ST_OK)
        status = sync_members(y, space, trial_ids, e);
    return status == ST_OK ? sync_rungs(y, space, trial_ids, e) : status;
}

static enum status sync_all(struct sync *y, const struct spec *spec, const struct space *space,
                            const struct dataset *data, int64_t *trial_ids, struct err *e)
{
    bool recorded = false;
    enum status status = sync_sweep(y, spec, data, e);
    if (status == ST_OK)
        status = sync_blocks(y, spec, e);
    if (status == ST_OK) {
        const struct recorded_sweep sweep = {y->sweep, y->block_ids, y->fingerprint};
        status = store_recorded(y->s, &sweep, space, trial_ids, &recorded, e);
    }
    return status == ST_OK && !recorded ? sync_trials(y, space, trial_ids, e) : status;
}

enum status store_sync(struct store *s, const struct spec *spec, const struct space *space,
                       const struct dataset *data, int64_t *trial_ids, struct err *e)
{
    struct sync sync;
    enum status status = sync_init(&sync, s, spec, data, e);
    if (status == ST_OK)
        status = store_begin(s, doing, e);
    if (status == ST_OK) {
        status = sync_all(&sync, spec, space, data, trial_ids, e);
        status = store_end(s, status, doing, e);
    }
    sync_release(&sync);
    return status;
}
