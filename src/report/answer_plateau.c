/* Knee and plateau of each curve. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "report/answer_blocks.h"
#include "report/answers.h"
#include "report/compare.h"
#include "report/plateau.h"

#define PLATEAU_MARGIN 0.5 /* percentage points below the best mean */

const struct table_column *plateau_columns(int *count)
{
    static const struct table_column columns[] = {
        {.name = "block"},
        {.name = "axis"},
        {.name = "points"},
        {.name = "n"},
        {.name = "knee"},
        {.name = "knee_low"},
        {.name = "knee_high"},
        {.name = "plateau"},
        {.name = "plateau_low"},
        {.name = "plateau_high"},
        {.name = "verdict"},
        {.name = "block_trials", .flags = TABLE_NOT_TEXT},
        {.name = "block_left_out", .flags = TABLE_NOT_TEXT},
        {.name = "left_out", .flags = TABLE_VARYING | TABLE_OPTIONAL},
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
    /* The axis is named once, where the sentence begins. */
    const bool last_first = verdict_above(&difference, 0) != VERDICT_NOT_SHOWN;
    const char *values[] = {r->axis[0].names[start], r->axis[0].names[last]};
    char name[160];
    snprintf(name, sizeof name, "%.60s %.60s", r->axis[0].key, values[last_first]);
    values[last_first] = name;
    if (start == last)
        snprintf(out, size, "no plateau: the last point is the only one within %.1f of the best",
                 PLATEAU_MARGIN);
    else
        compare_sentence(&difference, values[0], values[1], 1, 1, out, size);
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
                                 answer_number(p.knee.x),
                                 answer_number(p.knee.low),
                                 answer_number(p.knee.high),
                                 answer_number(p.start.x),
                                 answer_number(p.start.low),
                                 answer_number(p.start.high),
                                 cell_text(text),
                                 cell_int((int64_t)r->of.trials),
                                 cell_int((int64_t)(left_out_total(&r->of))),
                                 cell_text(r->left_out)};
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
    const struct metric *m = y ? metric_find(METRIC_TRIAL, y) : NULL;
    if (m && !m->percent) /* the margin is one of percentage points, and the best the highest */
        return err_set(
            e, ST_USAGE,
            "plateau: --y: \"%s\" is no accuracy, allowed: test_top1, test_top5, val_top1, val_top5", y);
    return answer_each_block(s, block, y, block_plateau, t, e);
}
