#include "report/query_front.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "report/front.h"
#include "report/queries.h"
#include "sweep/store_filter.h"
#include "sweep/store_scratch.h"

/* A row of the leaderboard. */
struct ranked {
    const char *sweep;
    int64_t variant, recipe;
};

struct ranking {
    struct arena arena;
    struct ranked *rows;
    struct candidate *candidates;
    size_t count, capacity;
};

static bool reserve(struct ranking *r)
{
    if (r->count < r->capacity)
        return true;
    const size_t larger = r->capacity ? 2 * r->capacity : 64;
    struct ranked *rows = mem_realloc(r->rows, larger, sizeof *rows);
    r->rows = rows ? rows : r->rows;
    struct candidate *candidates = mem_realloc(r->candidates, larger, sizeof *candidates);
    r->candidates = candidates ? candidates : r->candidates;
    r->capacity = rows && candidates ? larger : r->capacity;
    return rows && candidates;
}

/* sweep, variant, recipe, n, val_top1, val_top1_stddev, test_top1, test_top1_stddev, the cost */
static enum status add(struct ranking *r, const struct store_query *q, struct err *e)
{
    const char *sweep = store_query_cell(q, 0).text;
    const bool validated = store_query_cell(q, 4).type == CELL_REAL;
    const double mean = cell_number(store_query_cell(q, validated ? 4 : 6)),
                 cost = cell_number(store_query_cell(q, 8));
    const bool follows = r->count > 0 && strcmp(r->rows[r->count - 1].sweep, sweep) == 0;
    if (isnan(mean) || isnan(cost)) /* on no front */
        return ST_OK;
    const char *name = follows ? r->rows[r->count - 1].sweep : arena_strdup(&r->arena, sweep);
    if (!name || !reserve(r))
        return err_set(e, ST_NOMEM, "out of memory");
    r->rows[r->count] = (struct ranked){name, store_query_cell(q, 1).i, store_query_cell(q, 2).i};
    r->candidates[r->count++] =
        (struct candidate){.cost = cost,
                           .merit = {.n = (size_t)store_query_cell(q, 3).i,
                                     .mean = mean,
                                     .sd = cell_number(store_query_cell(q, validated ? 5 : 7))}};
    return ST_OK;
}

static enum status read_ranking(struct store *s, const struct named_query *query, const char *where,
                                const char *cost, struct ranking *r, struct err *e)
{
    const char *columns = arena_printf(
        &r->arena, "sweep,variant,recipe,n,val_top1,val_top1_stddev,test_top1,test_top1_stddev,%s", cost);
    const struct store_filter f = {.where = where, .others = query->others, .columns = columns, .limit = -1};
    if (!columns)
        return err_set(e, ST_NOMEM, "out of memory");
    struct store_query *q = NULL;
    enum status st = store_query_open_filtered(s, query->sql, &f, &q, e);
    for (bool row = true; st == ST_OK && row;) {
        st = store_query_next(q, &row, e);
        if (st == ST_OK && row)
            st = add(r, q, e);
    }
    store_query_close(q);
    return st;
}

/* The front of the rows of one sweep. */
static enum status write_front(struct ranking *r, size_t first, size_t count, struct store_scratch *front,
                               struct err *e)
{
    double sd;
    size_t freedom;
    enum status st = front_estimate(r->candidates + first, count, true, &sd, &freedom, e);
    for (size_t i = first; i < first + count && st == ST_OK; i++) {
        const struct ranked *row = &r->rows[i];
        const double share = r->candidates[i].probability * 100;
        const struct cell cells[] = {{.type = CELL_TEXT, .text = row->sweep},
                                     {.type = CELL_INT, .i = row->variant},
                                     {.type = CELL_INT, .i = row->recipe},
                                     {.type = isnan(share) ? CELL_NULL : CELL_REAL, .r = share},
                                     {.type = CELL_REAL, .r = r->candidates[i].cost}};
        if (r->candidates[i].on_front)
            st = store_scratch_row(front, cells, e);
    }
    return st;
}

enum status query_front(struct store *s, const struct named_query *query, const char *where, const char *cost,
                        struct err *e)
{
    static const char *const columns[] = {"sweep", "variant", "recipe", "front_pct", "cost"};
    struct ranking r = {.count = 0};
    struct store_scratch *front = NULL;
    arena_init(&r.arena);
    enum status st = read_ranking(s, query, where, cost ? cost : "model_mib", &r, e);
    if (st == ST_OK)
        st = store_scratch_open(s, "front", columns, 5, &front, e);
    for (size_t first = 0, next; first < r.count && st == ST_OK; first = next) {
        for (next = first; next < r.count && strcmp(r.rows[next].sweep, r.rows[first].sweep) == 0;)
            next++;
        st = write_front(&r, first, next - first, front, e);
    }
    store_scratch_close(front);
    mem_free(r.rows);
    mem_free(r.candidates);
    arena_release(&r.arena);
    return st;
}
