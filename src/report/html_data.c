/* The page's data: one JSON object with every trial, recipe, variant and learning curve. */
#include "report/html_columns.h"
#include "report/html_private.h"
#include "report/queries.h"
#include "report/rungs.h"
#include "report/settings.h"
#include "sweep/spec_fields.h"
#include "sweep/store_where.h"

/* A trial's block is the first that names it. Trainings of shorter rungs and trials that no spec names any
 * more are marked: the page shows them in its table, and counts and draws them nowhere. */
/* clang-format off */
#define PLACES \
    "WITH place AS (SELECT m.trial_id, m.block_id, m.axes, s.name AS sweep," \
    "  " STORE_BLOCK_NAME("s.name", "b.name") " AS block," \
    "  row_number() OVER (PARTITION BY m.trial_id ORDER BY b.sweep_id, b.position," \
    "  m.position) AS nr" \
    "  FROM block_trial m JOIN block b ON b.id = m.block_id JOIN sweep s ON s.id = b.sweep_id" \
    "  WHERE m.in_spec)"
/* Data are numbered as their first trials come. */
static const char trials_sql[] =
    PLACES ", data AS (SELECT data_fingerprint, row_number() OVER (ORDER BY min(id)) AS number FROM trial GROUP BY 1)"
    " SELECT t.id AS trial, coalesce(p.sweep, " SWEEPS_OF_RUNGS("t.id") ") AS sweep, p.block,"
    " t.variant_id AS variant, t.recipe_id AS recipe, d.number AS data, t.seed, t.state, "
    ALSO("a", "at.id = t.id") ", t.epochs_done AS epochs, t.val_top1, t.val_top5, t.val_loss, t.test_top1,"
    " t.test_top5, t.test_loss, t.train_s, t.eval_s, t.diverged_step,"
    " coalesce(t.message, t.skip_reason) AS message, " RUNG_OF("t.id", "rung") " AS rung, "
    SHORTER_RUNG("t.id") " AS shorter_rung, " OUTSIDE_SPEC("t.id") " AS outside"
    " FROM trial t JOIN asked a ON a.trial_id = t.id JOIN data d USING (data_fingerprint)"
    " LEFT JOIN place p ON p.trial_id = t.id AND p.nr = 1"
    " ORDER BY t.id";
/* What a trial goes by, its own name first, where that is more than its block and its variant's values. */
static const char names_sql[] =
    PLACES ", name AS (SELECT m.trial_id, m.nr, m.sweep, m.block, " SETTINGS_OF_POINT("p")
    "  FROM place m" JOIN_POINT("m", "p") ")"
    " SELECT n.trial_id AS trial, n.sweep, n.block, n.base_e, n.incr_e, n.freq, n.sr, n.pct3x3, n.bypass,"
    "  n.pool_rounding FROM name n WHERE n.trial_id IN (SELECT m.trial_id FROM name m"
    "  JOIN place shown ON shown.trial_id = m.trial_id AND shown.nr = 1 JOIN trial t ON t.id = m.trial_id"
    "  JOIN variant v ON v.id = t.variant_id WHERE m.block <> shown.block"
    "  OR (m.base_e, m.incr_e, m.freq, m.sr, m.pct3x3, m.bypass, m.pool_rounding = 'floor')"
    "   IS NOT (v.base_e, v.incr_e, v.freq, v.sr, v.pct3x3, v.bypass, v.pool_floor))"
    " GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 ORDER BY n.trial_id, min(n.nr)";
static const char recipes_sql[] =
    "SELECT r.id AS recipe, " SETTINGS_OF_RECIPE("r") ", r.recipe_hash FROM recipe r ORDER BY r.id";
/* clang-format on */

enum { COLUMNS_MOST = 64 };

static enum status put_rows(struct html_columns *t, struct store_query *q, bool row, struct err *e)
{
    enum status status = ST_OK;
    while (status == ST_OK && row) {
        for (int i = 0; status == ST_OK && i < store_query_columns(q); i++) {
            html_json_cell(html_columns_cell(t), store_query_cell(q, i));
            status = html_columns_end(t, e);
        }
        if (status == ST_OK)
            status = store_query_next(q, &row, e);
    }
    return status;
}

/* "name": the rows as html_columns_write has them */
static enum status write_query(struct html_page *p, const char *name, const char *sql, struct err *e)
{
    struct store_query *q = NULL;
    struct html_columns *t = NULL;
    const char *names[COLUMNS_MOST];
    bool row = false;
    enum status status = html_query_row(p, sql, &q, &row, e);
    const int columns = status == ST_OK ? store_query_columns(q) : 0;
    for (int i = 0; i < columns && i < COLUMNS_MOST; i++)
        names[i] = store_query_column(q, i);
    if (status == ST_OK) {
        t = html_columns_create(columns);
        status = t ? put_rows(t, q, row, e) : err_set(e, ST_NOMEM, "out of memory");
    }
    if (status == ST_OK) {
        fprintf(p->out, "\"%s\":", name);
        html_columns_write(t, names, p->out);
        fputs(",\n", p->out);
    }
    html_columns_free(t);
    store_query_close(q);
    return status;
}

static void write_choices(struct html_page *p, const struct field *f)
{
    char allowed[200];
    fputs(",\"allowed\":", p->out);
    html_json(p->out, field_allowed(f, allowed, sizeof allowed));
    for (int i = 0; f->choice && f->choice(i); i++) {
        fputs(i ? "," : ",\"values\":[", p->out);
        html_json(p->out, f->choice(i));
    }
    fputs(f->choice ? "]" : "", p->out);
}

/* "name":{"type":...,"unit":...,"allowed":text,"values":[texts]} of columns that are more than plain numbers
 */
static void write_names(struct html_page *p, const struct expression_scope *scope)
{
    static const char *const types[] = {[EXPRESSION_NUMBER] = "number",
                                        [EXPRESSION_TRUTH] = "truth",
                                        [EXPRESSION_WORDS] = "text",
                                        [EXPRESSION_ANYTHING] = "any"};
    static const char *const units[] = {[UNIT_ANY] = "any", [UNIT_PLAIN] = "plain", [UNIT_BYTES] = "bytes",
                                        [UNIT_MIB] = "MiB", [UNIT_TIME] = "time",   [UNIT_MS] = "ms"};
    bool first = true;
    for (int i = 0; i < scope->count; i++) {
        const struct expression_name *n = &scope->names[i];
        const struct field *f =
            n->type == EXPRESSION_NUMBER || n->type == EXPRESSION_TRUTH ? NULL : store_where_field(n->name);
        if (n->type == EXPRESSION_NUMBER && n->unit == UNIT_PLAIN)
            continue;
        fputs(first ? "" : ",", p->out);
        html_json(p->out, n->name);
        fprintf(p->out, ":{\"type\":\"%s\",\"unit\":\"%s\"", types[n->type], units[n->unit]);
        if (f)
            write_choices(p, f);
        fputc('}', p->out);
        first = false;
    }
}

/* The page's filter takes columns for what the command's does. */
static enum status write_scope(struct html_page *p, struct err *e)
{
    struct store_query *q = NULL;
    struct expression_scope scope;
    struct arena arena;
    arena_init(&arena);
    const struct named_query *trials = NULL;
    enum status status = named_query_find("trials", &trials, e);
    if (status == ST_OK)
        status = store_query_open(p->store, trials->sql, &q, e);
    if (status == ST_OK)
        status = store_where_scope(q, &arena, &scope, e);
    if (status == ST_OK) {
        fputs("\"names\":{", p->out);
        write_names(p, &scope);
        fputs("},\n", p->out);
    }
    store_query_close(q);
    arena_release(&arena);
    return status;
}

enum status html_data(struct html_page *p, struct err *e)
{
    fputc('{', p->out);
    enum status status = write_scope(p, e);
    if (status == ST_OK)
        status = write_query(p, "trials", trials_sql, e);
    if (status == ST_OK)
        status = write_query(p, "others", names_sql, e);
    if (status == ST_OK)
        status = write_query(p, "recipes", recipes_sql, e);
    if (status == ST_OK)
        status = html_variants(p, e);
    fputs(",\n", p->out);
    if (status == ST_OK)
        status = html_epochs(p, e);
    if (status == ST_OK && fflush(p->data) != 0)
        status = err_set(e, ST_NOMEM, "out of memory");
    fprintf(p->out, ",\n\"figures\":[%.*s]", p->data_size > 0 ? (int)p->data_size - 1 : 0, p->data_text);
    fputc('}', p->out);
    return status;
}
