/* What each axis of a block does to a result. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/strbuf.h"
#include "report/answers.h"
#include "report/block_results.h"
#include "report/compare.h"
#include "report/plateau.h"

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

typedef enum status block_function(struct store *s, int64_t id, const char *name, const char *y,
                                   struct table *t, struct err *e);

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
    return err_set(e, ST_USAGE, "there is no block \"%.80s\"; its blocks are %s", block,
                   known->len ? known->text : "none yet");
}

static enum status each_block(struct store *s, const char *block, const char *y, block_function *rows,
                              struct table *t, struct err *e)
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
        st = rows(s, store_query_cell(q, 0).i, full, y ? y : "test_top1", t, e);
    }
    store_query_close(q);
    if (st == ST_OK && block && found == 0)
        st = unknown_block(block, &known, e);
    strbuf_release(&known);
    return st;
}

enum status effects_rows(struct store *s, const char *block, const char *y, struct table *t, struct err *e)
{
    return each_block(s, block, y, block_rows, t, e);
}

/* Knee and plateau */

#define PLATEAU_MARGIN 0.5 /* percentage points below the best mean */

const struct table_column *plateau_columns(int *count)
{
    static const struct table_column columns[] = {
        {.name = "block"},       {.name = "axis"},         {.name = "points"},    {.name = "n"},
        {.name = "knee"},        {.name = "knee_low"},     {.name = "knee_high"}, {.name = "plateau"},
        {.name = "plateau_low"}, {.name = "plateau_high"}, {.name = "verdict"},
    };
    *count = sizeof columns / sizeof *columns;
    return columns;
}

/* y of a level and a seed; NaN: there is none. */
static double value_at(const struct block_results *r, size_t level, int64_t seed)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->level[i] == level && r->seed[i] == seed)
            return r->y[i];
    return NAN;
}

/* The seeds that all levels have, into y[seed * levels + level] and seeds; their number. */
static size_t shared_seeds(const struct block_results *r, double *y, int64_t *seeds)
{
    const size_t levels = r->axis[0].levels;
    size_t n = 0;
    for (size_t i = 0; i < r->count; i++) {
        bool whole = r->level[i] == 0;
        for (size_t k = 0; k < n; k++)
            whole = whole && seeds[k] != r->seed[i];
        for (size_t l = 0; whole && l < levels; l++) {
            y[n * levels + l] = value_at(r, l, r->seed[i]);
            whole = !isnan(y[n * levels + l]);
        }
        if (whole)
            seeds[n++] = r->seed[i];
    }
    return n;
}

/* The last point against the one at which the plateau starts. */
static void judge(const struct block_results *r, const double *x, const double *y, const struct plateau *p,
                  double *scratch, char *out, size_t size)
{
    const size_t last = p->points - 1;
    size_t start = 0;
    while (start < last && x[start] != p->start.x)
        start++;
    for (size_t s = 0; s < p->seeds; s++)
        scratch[s] = y[s * p->points + last] - y[s * p->points + start];
    const struct summary difference = summarise(scratch, p->seeds);
    char name[160];
    snprintf(name, sizeof name, "%.60s %.60s", r->axis[0].key, r->axis[0].names[start]);
    if (start == last)
        snprintf(out, size, "no plateau: the last point is the only one within %.1f of the best",
                 PLATEAU_MARGIN);
    else
        compare_sentence(&difference, name, r->axis[0].names[last], 1, 1, out, size);
}

static enum status plateau_row(const struct block_results *r, const char *block, const double *x,
                               const double *y, size_t seeds, double *scratch, struct table *t, struct err *e)
{
    struct plateau p;
    char text[400];
    enum status st = plateau_estimate(x, y, r->axis[0].levels, seeds, PLATEAU_MARGIN, &p, e);
    if (st != ST_OK)
        return st;
    judge(r, x, y, &p, scratch, text, sizeof text);
    const struct cell cells[] = {cell_text(block),
                                 cell_text(r->axis[0].key),
                                 cell_int((int64_t)p.points),
                                 cell_int((int64_t)p.seeds),
                                 number(p.knee.x),
                                 number(p.knee.low),
                                 number(p.knee.high),
                                 number(p.start.x),
                                 number(p.start.low),
                                 number(p.start.high),
                                 cell_text(text)};
    return table_row(t, cells, e);
}

/* Only where there is a curve over one axis of at least three numbers, and a seed that all points have. */
static enum status block_plateau(struct store *s, int64_t id, const char *name, const char *y,
                                 struct table *t, struct err *e)
{
    struct block_results r;
    block_results_init(&r);
    enum status st = block_results_load(s, id, y, &r, e);
    const bool curve =
        st == ST_OK && r.axis_count == 1 && r.axis[0].numeric && !r.axis[0].binned && r.axis[0].levels >= 3;
    if (curve) {
        const size_t levels = r.axis[0].levels;
        double x[LEVELS_MAX];
        double *values = mem_alloc(r.count * (levels + 1) + levels, sizeof *values);
        int64_t *seeds = mem_alloc(r.count, sizeof *seeds);
        for (size_t l = 0; l < levels; l++)
            num_parse_double(r.axis[0].names[l], &x[l]);
        const size_t n = values && seeds ? shared_seeds(&r, values + r.count, seeds) : 0;
        if (!values || !seeds)
            st = err_set(e, ST_NOMEM, "out of memory");
        else if (n > 0)
            st = plateau_row(&r, name, x, values + r.count, n, values, t, e);
        mem_free(values);
        mem_free(seeds);
    }
    block_results_release(&r);
    return st == ST_OK ? ST_OK : err_prefix(e, "plateau");
}

enum status plateau_rows(struct store *s, const char *block, const char *y, struct table *t, struct err *e)
{
    return each_block(s, block, y, block_plateau, t, e);
}
