/* What each axis of a block does to a result. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/strbuf.h"
#include "report/answers.h"
#include "report/block_results.h"

const struct table_column *effects_columns(int *count)
{
    static const struct table_column columns[] = {
        {.name = "block"},          {.name = "axis"},     {.name = "level"},     {.name = "n"},
        {.name = "mean"},           {.name = "ci95_low"}, {.name = "ci95_high"}, {.name = "effect"},
        {.name = "axis_share_pct"}, {.name = "axis_f"},   {.name = "note"},
    };
    *count = sizeof columns / sizeof *columns;
    return columns;
}

static struct cell number(double v)
{
    return isnan(v) ? cell_null() : cell_real(v);
}

static enum status level_rows(const struct block_results *r, const struct effects *f, const char *block,
                              struct table *t, struct err *e)
{
    enum status st = ST_OK;
    for (size_t k = 0; k < r->axis_count; k++) {
        const struct effects_axis *a = &f->axes[k];
        for (size_t i = 0; i < a->levels && st == ST_OK; i++) {
            const struct summary *l = &a->level[i];
            const char *note = a->confounded       ? "follows from other axes"
                               : r->axis[k].binned ? "binned"
                                                   : NULL;
            const struct cell cells[] = {cell_text(block),
                                         cell_text(r->axis[k].key),
                                         cell_text(r->axis[k].names[i]),
                                         cell_int((int64_t)l->n),
                                         number(l->mean),
                                         number(l->mean - l->half_width),
                                         number(l->mean + l->half_width),
                                         number(a->adjusted[i]),
                                         number(a->share * 100),
                                         number(a->f),
                                         cell_text(note)};
            st = table_row(t, cells, e);
        }
    }
    return st;
}

/* What is no axis's own. */
static enum status rest_rows(const struct effects *f, const char *block, struct table *t, struct err *e)
{
    const struct {
        const char *axis, *note;
        double squares;
    } rows[] = {{"(shared)", "cannot be told apart: 0 in a full grid", f->shared},
                {"(rest)", "seeds and interactions", f->rest}};
    enum status st = ST_OK;
    for (int i = 0; i < 2 && st == ST_OK; i++) {
        const double share = f->total > 0 ? rows[i].squares / f->total * 100 : NAN;
        struct cell cells[11];
        for (int k = 0; k < 11; k++)
            cells[k] = cell_null();
        cells[0] = cell_text(block);
        cells[1] = cell_text(rows[i].axis);
        cells[8] = number(fabs(share) < 1e-9 ? 0 : share);
        cells[10] = cell_text(rows[i].note);
        st = table_row(t, cells, e);
    }
    return st;
}

static enum status block_rows(struct store *s, int64_t id, const char *name, const char *y, struct table *t,
                              struct err *e)
{
    struct block_results r;
    struct effects f = {0};
    block_results_init(&r);
    enum status st = block_results_load(s, id, y, &r, e);
    if (st == ST_OK && r.axis_count > 0) {
        st = block_results_effects(&r, &f, e);
        if (st == ST_OK)
            st = level_rows(&r, &f, name, t, e);
        if (st == ST_OK)
            st = rest_rows(&f, name, t, e);
        effects_release(&f);
    }
    block_results_release(&r);
    return st == ST_OK ? ST_OK : err_prefix(e, "effects");
}

static enum status unknown_block(const char *block, const struct strbuf *known, struct err *e)
{
    return err_set(e, ST_USAGE, "effects: there is no block \"%.80s\"; its blocks are %s", block,
                   known->len ? known->text : "none yet");
}

enum status effects_rows(struct store *s, const char *block, const char *y, struct table *t, struct err *e)
{
    struct store_query *q = NULL;
    struct strbuf known = STRBUF_INIT;
    size_t found = 0;
    enum status st =
        store_query_open(s,
                         "SELECT b.id, b.name, iif((SELECT count(*) FROM sweep) > 1, s.name || '/' || b.name,"
                         " b.name) FROM block b JOIN sweep s ON s.id = b.sweep_id ORDER BY s.id, b.position",
                         &q, e);
    for (bool row = true; st == ST_OK && row;) {
        st = store_query_next(q, &row, e);
        if (st != ST_OK || !row)
            break;
        const char *name = store_query_cell(q, 1).text, *full = store_query_cell(q, 2).text;
        strbuf_printf(&known, "%s%s", known.len ? ", " : "", full);
        if (block && strcmp(block, name) != 0 && strcmp(block, full) != 0)
            continue;
        found++;
        st = block_rows(s, store_query_cell(q, 0).i, full, y ? y : "test_top1", t, e);
    }
    store_query_close(q);
    if (st == ST_OK && block && found == 0)
        st = unknown_block(block, &known, e);
    strbuf_release(&known);
    return st;
}
