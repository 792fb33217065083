/* Does an axis change the order of what the other axes describe? Short against long schedules, one learning
 * rate against another. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "report/answer_blocks.h"
#include "report/answers.h"
#include "report/ranks.h"

#define ALPHA 0.05

const struct table_column *ranks_columns(int *count)
{
    static const struct table_column columns[] = {
        {.name = "block"},
        {.name = "axis"},
        {.name = "a"},
        {.name = "b"},
        {.name = "points"},
        {.name = "pairs"},
        {.name = "rho"},
        {.name = "p_value"},
        {.name = "verdict"},
        {.name = "block_trials", .flags = TABLE_NOT_TEXT},
        {.name = "block_left_out", .flags = TABLE_NOT_TEXT},
        {.name = "left_out", .flags = TABLE_VARYING | TABLE_OPTIONAL},
    };
    *count = sizeof columns / sizeof *columns;
    return columns;
}

/* One observation as seen from an axis: where it stands on the others (`rest`), and with which seed. */
struct placed {
    const size_t *level; /* on all axes */
    size_t axes, axis;
    int64_t seed;
    double y;
};

static int compare_rest(const struct placed *a, const struct placed *b)
{
    for (size_t k = 0; k < a->axes; k++)
        if (k != a->axis && a->level[k] != b->level[k])
            return a->level[k] < b->level[k] ? -1 : 1;
    return 0;
}

/* By the other axes, then by seed, then by the axis: what is compared stands side by side. */
static int by_rest(const void *pa, const void *pb)
{
    const struct placed *a = pa, *b = pb;
    const int rest = compare_rest(a, b);
    if (rest != 0)
        return rest;
    if (a->seed != b->seed)
        return a->seed < b->seed ? -1 : 1;
    const size_t la = a->level[a->axis], lb = b->level[b->axis];
    return (la > lb) - (la < lb);
}

/* Means at two levels of the axis of each point that both have, over the seeds that both have. */
struct sides {
    double *a, *b;
    size_t points, pairs;
};

/* Adds the point v[0..n), all of one rest. */
static void add_point(const struct placed *v, size_t n, size_t la, size_t lb, struct sides *s)
{
    double a = 0, b = 0;
    size_t pairs = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = i + 1; k < n && v[k].seed == v[i].seed; k++)
            if (v[i].level[v[i].axis] == la && v[k].level[v[k].axis] == lb) {
                a += v[i].y;
                b += v[k].y;
                pairs++;
            }
    if (pairs == 0)
        return;
    s->a[s->points] = a / (double)pairs;
    s->b[s->points++] = b / (double)pairs;
    s->pairs += pairs;
}

static void collect(const struct placed *v, size_t n, size_t la, size_t lb, struct sides *s)
{
    s->points = s->pairs = 0;
    for (size_t first = 0, i = 1; i <= n; i++)
        if (i == n || compare_rest(&v[i], &v[first]) != 0) {
            add_point(&v[first], i - first, la, lb, s);
            first = i;
        }
}

static void judge(const struct rank_agreement *r, char *out, size_t size)
{
    if (isnan(r->rho))
        snprintf(out, size, "no order: all values of one side are equal");
    else if (r->n == 2)
        snprintf(out, size, "%s", r->rho > 0 ? "both in the same order" : "the two change places");
    else if (r->rho >= 1)
        snprintf(out, size, "all %zu in the same order", r->n);
    else
        snprintf(out, size, "%s", r->p <= ALPHA ? "the orders agree" : "no agreement shown");
}

static enum status pair_row(const struct block_results *of, size_t k, const char *block, size_t la, size_t lb,
                            const struct sides *s, struct table *t, struct err *e)
{
    const struct block_axis *axis = &of->axis[k];
    struct rank_agreement r;
    char verdict[80];
    if (s->points < 2)
        return ST_OK;
    const enum status st = rank_agreement(s->a, s->b, s->points, &r, e);
    if (st != ST_OK)
        return st;
    judge(&r, verdict, sizeof verdict);
    const struct cell cells[] = {cell_text(block),
                                 cell_text(axis->key),
                                 cell_text(axis->names[la]),
                                 cell_text(axis->names[lb]),
                                 cell_int((int64_t)s->points),
                                 cell_int((int64_t)s->pairs),
                                 answer_number(r.rho),
                                 answer_number(r.p),
                                 cell_text(verdict),
                                 cell_int((int64_t)of->of.trials),
                                 cell_int((int64_t)(left_out_total(&of->of))),
                                 cell_text(of->left_out)};
    return table_row(t, cells, e);
}

/* All pairs of levels of one axis. */
static enum status axis_rows(const struct block_results *r, size_t axis, const char *block, struct placed *v,
                             struct sides *s, struct table *t, struct err *e)
{
    enum status st = ST_OK;
    for (size_t i = 0; i < r->count; i++)
        v[i] = (struct placed){&r->level[i * r->axis_count], r->axis_count, axis, r->seed[i], r->y[i]};
    qsort(v, r->count, sizeof *v, by_rest);
    for (size_t a = 0; a < r->axis[axis].levels; a++)
        for (size_t b = a + 1; b < r->axis[axis].levels && st == ST_OK; b++) {
            collect(v, r->count, a, b, s);
            st = pair_row(r, axis, block, a, b, s, t, e);
        }
    return st;
}

/* Points in bins are not the same points: such a block has no pairs. */
static bool has_pairs(const struct block_results *r)
{
    for (size_t k = 0; k < r->axis_count; k++)
        if (r->axis[k].binned)
            return false;
    return r->axis_count >= 2;
}

static enum status block_ranks(struct store *s, int64_t id, const char *name, const char *y, struct table *t,
                               struct err *e)
{
    struct block_results r;
    block_results_init(&r);
    enum status st = block_results_load(s, id, y, &r, e);
    if (st == ST_OK && has_pairs(&r)) {
        struct placed *v = mem_alloc(r.count, sizeof *v);
        struct sides sides = {.a = mem_alloc(r.count, sizeof(double)),
                              .b = mem_alloc(r.count, sizeof(double))};
        if (!v || !sides.a || !sides.b)
            st = err_set(e, ST_NOMEM, "out of memory");
        for (size_t k = 0; k < r.axis_count && st == ST_OK; k++)
            st = axis_rows(&r, k, name, v, &sides, t, e);
        mem_free(v);
        mem_free(sides.a);
        mem_free(sides.b);
    }
    block_results_release(&r);
    return st == ST_OK ? ST_OK : err_prefix(e, "ranks");
}

enum status ranks_rows(struct store *s, const char *block, const char *y, struct table *t, struct err *e)
{
    return answer_each_block(s, block, y, block_ranks, t, e);
}
