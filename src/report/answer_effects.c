/* What each axis of a block does to a result. */
#include <math.h>

#include "report/answer_blocks.h"
#include "report/answers.h"

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

static enum status level_rows(const struct block_results *r, const struct effects *f, const char *block,
                              struct table *t, struct err *e)
{
    enum status st = ST_OK;
    for (size_t k = 0; k < r->axis_count; k++) {
        const struct effects_axis *a = &f->axes[k];
        for (size_t i = 0; i < a->levels && st == ST_OK; i++) {
            const struct summary *l = &a->level[i];
            const char *note = i == r->axis[k].absent ? "not set there: told by another axis"
                               : a->confounded        ? "follows from other axes"
                               : r->axis[k].binned    ? "binned"
                                                      : NULL;
            const struct cell cells[] = {cell_text(block),
                                         cell_text(r->axis[k].key),
                                         cell_text(r->axis[k].names[i]),
                                         cell_int((int64_t)l->n),
                                         answer_number(l->mean),
                                         answer_number(l->mean - l->half_width),
                                         answer_number(l->mean + l->half_width),
                                         answer_number(a->adjusted[i]),
                                         answer_number(a->share * 100),
                                         answer_number(a->f),
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
        cells[8] = answer_number(fabs(share) < 1e-9 ? 0 : share);
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

enum status effects_rows(struct store *s, const char *block, const char *y, struct table *t, struct err *e)
{
    return answer_each_block(s, block, y, block_rows, t, e);
}
