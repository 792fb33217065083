#include "sweep/store_trials.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "sweep/store_internal.h"
#include "sweep/worker.h"

static const char doing[] = "cannot read a trial";

/* A row whose columns are taken one after the other. */
struct reader {
    sqlite3_stmt *statement;
    int column;
    struct arena *arena;
    bool failed; /* no memory, or a text that is no name of anything */
};

static int64_t take_int(struct reader *r)
{
    return sqlite3_column_int64(r->statement, r->column++);
}

static double take_real(struct reader *r)
{
    int column = r->column++;
    return sqlite3_column_type(r->statement, column) == SQLITE_NULL
               ? (double)NAN
               : sqlite3_column_double(r->statement, column);
}

/* NULL stays NULL. */
static const char *take_text(struct reader *r)
{
    int column = r->column++;
    if (sqlite3_column_type(r->statement, column) == SQLITE_NULL)
        return NULL;
    const char *text = (const char *)sqlite3_column_text(r->statement, column);
    char *copy = text ? arena_strdup(r->arena, text) : NULL;
    r->failed = r->failed || !copy;
    return copy;
}

#define TAKE_NAMED(reader, parse, out)                             \
    do {                                                           \
        const char *text_ = take_text(reader);                     \
        (reader)->failed |= text_ == NULL || !parse(text_, (out)); \
    } while (0)

static void take_macro(struct reader *r, struct macro *m)
{
    m->input.c = (int)take_int(r);
    m->input.h = (int)take_int(r);
    m->input.w = (int)take_int(r);
    m->classes = (int)take_int(r);
    m->conv1_filters = (int)take_int(r);
    m->conv1_kernel = (int)take_int(r);
    m->conv1_stride = (int)take_int(r);
    m->conv1_pad = (int)take_int(r);
    TAKE_NAMED(r, pools_parse, &m->pools);
    m->pool_floor = take_int(r) != 0;
    TAKE_NAMED(r, bypass_parse, &m->bypass);
    m->conv10_relu = take_int(r) != 0;
    m->conv10_pad = (int)take_int(r);
}

static void take_recipe(struct reader *r, struct recipe *c)
{
    c->epochs = (int)take_int(r);
    c->batch = (int)take_int(r);
    c->accumulate = (int)take_int(r);
    TAKE_NAMED(r, optimizer_parse, &c->optimizer);
    c->momentum = take_real(r);
    c->nesterov = take_int(r) != 0;
    c->beta1 = take_real(r);
    c->beta2 = take_real(r);
    c->epsilon = take_real(r);
    c->lr = take_real(r);
    TAKE_NAMED(r, schedule_parse, &c->schedule);
    c->warmup = take_real(r);
    c->weight_decay = take_real(r);
    c->decay_biases = take_int(r) != 0;
    c->clip = take_real(r);
    c->smoothing = take_real(r);
    c->dropout = take_real(r);
    TAKE_NAMED(r, init_parse, &c->init);
    c->flip = take_int(r) != 0;
    c->crop_pad = (int)take_int(r);
    c->crop_zero = take_int(r) != 0;
    c->lanes = (int)take_int(r);
    c->winograd = take_int(r) != 0;
}

static struct eval_metrics take_metrics(struct reader *r)
{
    struct eval_metrics m = {.count = (size_t)take_int(r)};
    m.loss = take_real(r);
    m.top1 = take_real(r);
    m.top5 = take_real(r);
    return m;
}

#define MACRO_COLUMNS                                                                              \
    "v.input_c, v.input_h, v.input_w, v.classes, v.conv1_filters, v.conv1_kernel, v.conv1_stride," \
    " v.conv1_pad, v.pools, v.pool_floor, v.bypass, v.conv10_relu, v.conv10_pad"
#define RECIPE_COLUMNS                                                                             \
    "r.epochs, r.batch, r.accumulate, r.optimizer, r.momentum, r.nesterov, r.beta1, r.beta2,"      \
    " r.epsilon, r.lr, r.schedule, r.warmup, r.weight_decay, r.decay_biases, r.clip, r.smoothing," \
    " r.dropout, r.init, r.flip, r.crop_pad, r.crop_zero, r.lanes, r.winograd"

static const char trial_sql[] =
    "SELECT t.state, t.seed, v.arch_hash, r.recipe_hash, t.data_fingerprint, r.numerics,"
    " coalesce((SELECT a.isa FROM attempt a WHERE a.trial_id = t.id ORDER BY a.number DESC LIMIT 1), ''),"
    " t.checkpoint,"
    " (SELECT s.name FROM trial own JOIN sweep s ON s.id IN (SELECT b.sweep_id FROM block_trial m JOIN block "
    "b"
    "  ON b.id = m.block_id WHERE m.trial_id = ?1 UNION SELECT r.sweep_id FROM rung r WHERE r.trial_id = ?1)"
    "  WHERE own.id = ?1 ORDER BY s.data_fingerprint = own.data_fingerprint DESC, s.id LIMIT 1),"
    " t.epochs_done, coalesce(t.diverged_step, -1), t.test_count IS NOT NULL, t.test_count, t.test_loss,"
    " t.test_top1, t.test_top5, " MACRO_COLUMNS ", " RECIPE_COLUMNS
    " FROM trial t JOIN variant v ON v.id = t.variant_id JOIN recipe r ON r.id = t.recipe_id WHERE t.id = ?1";

static enum trial_state state_of(const char *name)
{
    enum trial_state state = TRIAL_PENDING;
    if (name)
        trial_state_parse(name, &state);
    return state;
}

static void take_trial(struct reader *r, struct stored_trial *t)
{
    t->state = state_of((const char *)sqlite3_column_text(r->statement, r->column++));
    t->seed = (uint64_t)take_int(r);
    t->arch_hash = take_text(r);
    t->recipe_hash = take_text(r);
    t->data_fingerprint = take_text(r);
    t->numerics = take_text(r);
    t->isa = take_text(r);
    t->checkpoint = take_text(r);
    t->sweep = take_text(r);
    t->epochs_done = (int)take_int(r);
    t->diverged_step = take_int(r);
    t->has_test = take_int(r) != 0;
    t->test = take_metrics(r);
    take_macro(r, &t->point.design.macro);
    take_recipe(r, &t->point.recipe);
    t->point.design.explicit_fires = true;
}

/* Compiles a statement over one trial. */
static enum status open_reader(struct store *s, const char *sql, struct stored_trial *t, struct reader *r,
                               struct err *e)
{
    *r = (struct reader){.arena = &t->arena};
    enum status status = store_prepare(s, sql, &r->statement, doing, e);
    if (status == ST_OK)
        sqlite3_bind_int64(r->statement, 1, t->id);
    return status;
}

/* The next row; *row false at the end. */
static enum status next_row(struct store *s, struct reader *r, bool *row, struct err *e)
{
    int code = sqlite3_step(r->statement);
    r->column = 0;
    *row = code == SQLITE_ROW;
    return code == SQLITE_ROW || code == SQLITE_DONE ? ST_OK : store_error(s, code, doing, e);
}

static enum status close_reader(struct store *s, struct reader *r, enum status status, int64_t id,
                                struct err *e)
{
    sqlite3_finalize(r->statement);
    return status == ST_OK && r->failed
               ? err_set(e, ST_CORRUPT, "%s: the rows of trial %" PRId64 " hold values that have no meaning",
                         s->path, id)
               : status;
}

static enum status read_row(struct store *s, struct stored_trial *t, struct err *e)
{
    struct reader r;
    bool row = false;
    enum status status = open_reader(s, trial_sql, t, &r, e);
    if (status == ST_OK)
        status = next_row(s, &r, &row, e);
    if (status == ST_OK && row)
        take_trial(&r, t);
    else if (status == ST_OK)
        status = err_set(e, ST_USAGE, "%s: there is no trial %" PRId64, s->path, t->id);
    return close_reader(s, &r, status, t->id, e);
}

static enum status read_fires(struct store *s, struct stored_trial *t, struct err *e)
{
    static const char sql[] = "SELECT f.fire, f.s1x1, f.e1x1, f.e3x3 FROM fire f JOIN trial t"
                              " ON t.variant_id = f.variant_id WHERE t.id = ?1 AND f.fire BETWEEN 2 AND 9";
    struct reader r;
    bool row = true;
    enum status status = open_reader(s, sql, t, &r, e);
    while (status == ST_OK && row) {
        status = next_row(s, &r, &row, e);
        if (status == ST_OK && row) {
            struct fire *fire = &t->point.design.fires[take_int(&r) - 2];
            fire->s1x1 = (int)take_int(&r);
            fire->e1x1 = (int)take_int(&r);
            fire->e3x3 = (int)take_int(&r);
        }
    }
    return close_reader(s, &r, status, t->id, e);
}

static enum status read_epochs(struct store *s, struct stored_trial *t, struct err *e)
{
    static const char sql[] =
        "SELECT epoch, lr, train_loss, train_top1, val_count, val_loss, val_top1, val_top5, train_s, eval_s"
        " FROM epoch WHERE trial_id = ?1 AND epoch <= (SELECT epochs_done FROM trial WHERE id = ?1)"
        " ORDER BY epoch";
    struct reader r;
    bool row = true;
    t->epochs = arena_alloc(&t->arena, (size_t)t->epochs_done + 1, sizeof *t->epochs);
    if (!t->epochs)
        return store_error(s, SQLITE_NOMEM, doing, e);
    enum status status = open_reader(s, sql, t, &r, e);
    while (status == ST_OK && row) {
        status = next_row(s, &r, &row, e);
        if (status == ST_OK && row && t->epoch_count < t->epochs_done) {
            struct epoch_metrics *m = &t->epochs[t->epoch_count++];
            m->epoch = (int)take_int(&r);
            m->lr = take_real(&r);
            m->train_loss = take_real(&r);
            m->train_top1 = take_real(&r);
            m->val = take_metrics(&r);
            m->train_s = take_real(&r);
            m->eval_s = take_real(&r);
        }
    }
    return close_reader(s, &r, status, t->id, e);
}

#define BLOCK_NAME STORE_BLOCK_NAME("s.name", "b.name")

/* By the first point that names it. */
static enum status read_name(struct store *s, sqlite3_stmt *statement, int64_t id, struct arena *arena,
                             const char **out, struct err *e)
{
    sqlite3_bind_int64(statement, 1, id);
    int code = sqlite3_step(statement);
    if (code != SQLITE_ROW) {
        return code == SQLITE_DONE ? err_set(e, ST_USAGE, "%s: there is no trial %" PRId64, s->path, id)
                                   : store_error(s, code, doing, e);
    }
    const char *block = (const char *)sqlite3_column_text(statement, 1);
    const char *axes = (const char *)sqlite3_column_text(statement, 2);
    char *name =
        trial_name_format(block ? block : "trial", axes, (uint64_t)sqlite3_column_int64(statement, 0));
    const bool shorter = block && sqlite3_column_type(statement, 3) != SQLITE_NULL; /* a rung of a search */
    char *with_epochs = name && shorter ? trial_name_rung(name, sqlite3_column_int(statement, 3)) : NULL;
    const char *whole = shorter ? with_epochs : name;
    *out = whole ? arena_strdup(arena, whole) : NULL;
    mem_free(with_epochs);
    mem_free(name);
    sqlite3_reset(statement);
    return *out ? ST_OK : store_error(s, SQLITE_NOMEM, doing, e);
}

enum status store_trial_names(struct store *s, const int64_t *ids, int count, struct arena *arena,
                              const char **names, struct err *e)
{
    static const char sql[] =
        "SELECT t.seed, " BLOCK_NAME ", m.axes, iif(m.trial_id = t.id, NULL, c.epochs) FROM trial t"
        " JOIN recipe c ON c.id = t.recipe_id LEFT JOIN block_trial m ON m.trial_id = iif(EXISTS"
        "  (SELECT 1 FROM block_trial own WHERE own.trial_id = t.id), t.id,"
        "  (SELECT full_trial_id FROM rung WHERE trial_id = t.id ORDER BY in_spec DESC LIMIT 1))"
        " LEFT JOIN block b ON b.id = m.block_id LEFT JOIN sweep s ON s.id = b.sweep_id WHERE t.id = ?1"
        " ORDER BY m.in_spec DESC, b.sweep_id, b.position, m.position LIMIT 1";
    sqlite3_stmt *statement = NULL;
    enum status status = store_prepare(s, sql, &statement, doing, e);
    for (int i = 0; i < count && status == ST_OK; i++)
        status = read_name(s, statement, ids[i], arena, &names[i], e);
    sqlite3_finalize(statement);
    return status;
}

enum status stored_trial_read(struct store *s, int64_t id, struct stored_trial *out, struct err *e)
{
    memset(out, 0, sizeof *out);
    arena_init(&out->arena);
    out->id = id;
    enum status status = read_row(s, out, e);
    if (status == ST_OK)
        status = read_fires(s, out, e);
    if (status == ST_OK)
        status = read_epochs(s, out, e);
    return status == ST_OK ? store_trial_names(s, &id, 1, &out->arena, &out->name, e) : status;
}

void stored_trial_release(struct stored_trial *t)
{
    arena_release(&t->arena);
}

enum status store_spec_text(struct store *s, const char *sweep, char **path, char **text, struct err *e)
{
    int64_t id = 0;
    sqlite3_stmt *statement = NULL;
    enum status status = store_sweep_id(s, sweep, &id, e);
    if (status == ST_OK) {
        status =
            store_prepare(s, "SELECT spec_path, spec_text FROM sweep WHERE id = ?1", &statement, doing, e);
    }
    if (status == ST_OK) {
        sqlite3_bind_int64(statement, 1, id);
        int code = sqlite3_step(statement);
        char *out[2] = {NULL, NULL};
        for (int i = 0; i < 2 && code == SQLITE_ROW; i++) {
            const char *value = (const char *)sqlite3_column_text(statement, i);
            out[i] = value ? mem_strdup(value) : NULL;
        }
        if (!out[0] || !out[1]) {
            status = store_error(s, code == SQLITE_ROW ? SQLITE_NOMEM : code, doing, e);
            mem_free(out[0]);
            mem_free(out[1]);
        } else {
            *path = out[0];
            *text = out[1];
        }
    }
    sqlite3_finalize(statement);
    return status;
}

enum status store_trial_ids(struct store *s, unsigned states, int64_t **ids, int *count, struct err *e)
{
    struct strbuf sql = STRBUF_INIT;
    sqlite3_stmt *statement = NULL;
    int room = 0, code = SQLITE_DONE;
    *ids = NULL;
    *count = 0;
    strbuf_puts(&sql, "SELECT t.id FROM trial t WHERE t.state IN (''");
    for (int i = 0; i < TRIAL_STATE_COUNT; i++)
        if (states & 1U << i)
            strbuf_printf(&sql, ", '%s'", trial_state_name((enum trial_state)i));
    strbuf_puts(&sql, ") ORDER BY t.data_fingerprint, t.id");
    enum status status = sql.failed ? store_error(s, SQLITE_NOMEM, doing, e)
                                    : store_prepare(s, sql.text, &statement, doing, e);
    while (status == ST_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        if (*count == room) {
            room = room * 2 + 64;
            int64_t *more = mem_realloc(*ids, (size_t)room, sizeof *more);
            if (!more) {
                status = store_error(s, SQLITE_NOMEM, doing, e);
                break;
            }
            *ids = more;
        }
        (*ids)[(*count)++] = sqlite3_column_int64(statement, 0);
    }
    if (status == ST_OK && code != SQLITE_DONE)
        status = store_error(s, code, doing, e);
    sqlite3_finalize(statement);
    strbuf_release(&sql);
    return status;
}

static void copy_hash(sqlite3_stmt *statement, int column, char out[HASH_TEXT])
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    snprintf(out, HASH_TEXT, "%s", text ? text : "");
}

static void take_known(sqlite3_stmt *statement, struct known_trial *t)
{
    *t = (struct known_trial){
        .id = sqlite3_column_int64(statement, 0),
        .state = state_of((const char *)sqlite3_column_text(statement, 1)),
        .epochs_done = sqlite3_column_int(statement, 2),
        .seed = (uint64_t)sqlite3_column_int64(statement, 3),
        .timed_out_s = sqlite3_column_double(statement, 4),
        .ours = sqlite3_column_int(statement, 5) != 0,
    };
    copy_hash(statement, 6, t->arch_hash);
    copy_hash(statement, 7, t->recipe_hash);
    copy_hash(statement, 8, t->data_fingerprint);
}

enum status store_known_trials(struct store *s, const char *sweep, struct known_trial **out, int *count,
                               struct err *e)
{
    static const char sql[] =
        "SELECT t.id, t.state, t.epochs_done, t.seed, CASE t.state WHEN 'timed_out' THEN"
        "  (SELECT total(wall_s) FROM attempt WHERE trial_id = t.id) ELSE 0.0 END,"
        " t.id IN (SELECT m.trial_id FROM block_trial m JOIN block b ON b.id = m.block_id"
        "  JOIN sweep s ON s.id = b.sweep_id WHERE s.name = ?1),"
        " v.arch_hash, r.recipe_hash, t.data_fingerprint"
        " FROM trial t JOIN variant v ON v.id = t.variant_id JOIN recipe r ON r.id = t.recipe_id ORDER BY "
        "t.id";
    sqlite3_stmt *statement = NULL;
    int room = 0, code = SQLITE_DONE;
    *out = NULL;
    *count = 0;
    enum status status = store_prepare(s, sql, &statement, doing, e);
    if (status == ST_OK)
        sqlite3_bind_text(statement, 1, sweep, -1, SQLITE_STATIC);
    while (status == ST_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        if (*count == room) {
            room = room * 2 + 64;
            struct known_trial *more = mem_realloc(*out, (size_t)room, sizeof *more);
            if (!more) {
                status = store_error(s, SQLITE_NOMEM, doing, e);
                break;
            }
            *out = more;
        }
        take_known(statement, &(*out)[(*count)++]);
    }
    if (status == ST_OK && code != SQLITE_DONE)
        status = store_error(s, code, doing, e);
    sqlite3_finalize(statement);
    return status;
}

enum status store_known_sweeps(struct store *s, struct arena *arena, struct known_sweep **out, int *count,
                               struct err *e)
{
    struct reader r = {.arena = arena};
    bool row = true, found = false;
    int64_t total = 0;
    *count = 0;
    enum status status = store_prepare(s, "SELECT count(*) FROM sweep", &r.statement, doing, e);
    if (status == ST_OK)
        status = store_fetch_int(s, r.statement, &found, &total, doing, e);
    sqlite3_finalize(r.statement);
    r.statement = NULL;
    *out = arena_alloc(arena, (size_t)total + 1, sizeof **out);
    if (status == ST_OK) {
        status = *out ? store_prepare(s,
                                      "SELECT name, spec_path, spec_text, data_fingerprint FROM sweep"
                                      " ORDER BY id",
                                      &r.statement, doing, e)
                      : store_error(s, SQLITE_NOMEM, doing, e);
    }
    while (status == ST_OK && *out && row && *count < total) {
        status = next_row(s, &r, &row, e);
        if (status == ST_OK && row) {
            struct known_sweep *sweep = &(*out)[(*count)++];
            sweep->name = take_text(&r);
            sweep->spec_path = take_text(&r);
            sweep->spec_text = take_text(&r);
            sweep->data_fingerprint = take_text(&r);
        }
    }
    sqlite3_finalize(r.statement);
    return status == ST_OK && r.failed ? store_error(s, SQLITE_NOMEM, doing, e) : status;
}
