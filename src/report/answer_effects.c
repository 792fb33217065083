/* What each axis of a block does to a result. */
#include <math.h>
#include <stdio.h>

#include "report/answer_blocks.h"
#include "report/answers.h"

const struct table_column *effects_columns(int *count)
{
    static const struct table_column columns[] = {
        {.name = "block", .flags = TABLE_VARYING},
        {.name = "quantity", .flags = TABLE_VARYING},
        {.name = "axis"},
        {.name = "level"},
        {.name = "n"},
        {.name = "mean"},
        {.name = "effect"},
        {.name = "ci95_low"},
        {.name = "ci95_high"},
        {.name = "axis_share_pct"},
        {.name = "axis_f"},
        {.name = "axis_p"},
        {.name = "note"},
        {.name = "block_trials", .flags = TABLE_NOT_TEXT},
        {.name = "block_left_out", .flags = TABLE_NOT_TEXT},
        {.name = "left_out", .flags = TABLE_VARYING | TABLE_OPTIONAL},
    };
    *count = sizeof columns / sizeof *columns;
    return columns;
}

/* What the rows of a block have in common. */
struct answer {
    const struct block_results *r;
    const struct effects *f;
    const char *block;
};

/* What else there is to say of a level; `buffer`: room for the text. */
static const char *note_of(const struct block_axis *axis, const struct effects_axis *a, size_t level,
                           char buffer[96])
{
    if (level == axis->absent)
        return "not set there: told by another axis";
    if (a->tie == EFFECTS_TIED)
        return "follows from other axes";
    if (a->tie == EFFECTS_FREE)
        return axis->binned ? "binned" : NULL;
    snprintf(buffer, 96, "follows from other axes in part: %zu of %zu contrasts its own", a->freedom,
             a->contrasts);
    return buffer;
}

static enum status level_row(const struct answer *x, size_t k, size_t level, struct table *t, struct err *e)
{
    const struct effects_axis *a = &x->f->axes[k];
    const struct block_axis *axis = &x->r->axis[k];
    const double effect = a->adjusted[level], half = a->half_width[level];
    char note[96];
    const struct cell cells[] = {cell_text(x->block),
                                 cell_text(x->r->metric->column),
                                 cell_text(axis->key),
                                 cell_text(axis->names[level]),
                                 cell_int((int64_t)a->level[level].n),
                                 answer_number(a->level[level].mean),
                                 answer_number(effect),
                                 answer_number(effect - half),
                                 answer_number(effect + half),
                                 answer_number(a->share * 100),
                                 answer_number(a->f),
                                 answer_number(a->p),
                                 cell_text(note_of(axis, a, level, note)),
                                 cell_int((int64_t)x->r->of.trials),
                                 cell_int((int64_t)(left_out_total(&x->r->of))),
                                 cell_text(x->r->left_out)};
    return table_row(t, cells, e);
}

/* What is no axis's own. */
static enum status rest_row(const struct answer *x, const char *axis, double squares, const char *note,
                            struct table *t, struct err *e)
{
    const double share = x->f->total > 0 ? squares / x->f->total * 100 : NAN;
    const struct cell none = cell_null();
    const struct cell cells[] = {cell_text(x->block),
                                 cell_text(x->r->metric->column),
                                 cell_text(axis),
                                 none,
                                 none,
                                 none,
                                 none,
                                 none,
                                 none,
                                 answer_number(share),
                                 none,
                                 none,
                                 cell_text(note),
                                 cell_int((int64_t)x->r->of.trials),
                                 cell_int((int64_t)(left_out_total(&x->r->of))),
                                 cell_text(x->r->left_out)};
    return table_row(t, cells, e);
}

static enum status all_rows(const struct answer *x, struct table *t, struct err *e)
{
    enum status st = ST_OK;
    for (size_t k = 0; k < x->r->axis_count; k++)
        for (size_t i = 0; i < x->f->axes[k].levels && st == ST_OK; i++)
            st = level_row(x, k, i, t, e);
    if (st == ST_OK)
        st = rest_row(x, "(shared)", x->f->shared, "cannot be told apart: 0 in a full grid", t, e);
    return st == ST_OK ? rest_row(x, "(rest)", x->f->rest, "seeds and interactions", t, e) : st;
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
            st = all_rows(&(struct answer){&r, &f, name}, t, e);
        effects_release(&f);
    }
    block_results_release(&r);
    return st == ST_OK ? ST_OK : err_prefix(e, "effects");
}

enum status effects_rows(struct store *s, const char *block, const char *y, struct table *t, struct err *e)
{
    return answer_each_block(s, block, y, block_rows, t, e);
}
