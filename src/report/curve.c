#include "report/curve.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

struct replicate {
    size_t point;
    double x, y; /* y NaN: no result */
};

void curve_init(struct curve *c)
{
    memset(c, 0, sizeof *c);
    c->common_x = NAN;
    axes_init(&c->axes);
}

void curve_release(struct curve *c)
{
    axes_release(&c->axes);
    mem_free(c->replicates);
    curve_init(c);
}

static enum status no_memory(struct err *e)
{
    return err_set(e, ST_NOMEM, "cannot build a curve: out of memory");
}

enum status curve_add(struct curve *c, const char *axes, const char *state, bool again, double x, double y,
                      struct err *e)
{
    if (c->replicate_count == c->replicate_capacity) {
        size_t capacity = c->replicate_capacity ? 2 * c->replicate_capacity : 64;
        struct replicate *larger = mem_realloc(c->replicates, capacity, sizeof *larger);
        if (!larger)
            return no_memory(e);
        c->replicates = larger;
        c->replicate_capacity = capacity;
    }
    const bool done = strcmp(state, trial_state_name(TRIAL_DONE)) == 0;
    struct replicate r = {.x = x, .y = done && isfinite(x) && isfinite(y) ? y : NAN};
    enum status status = axes_point(&c->axes, axes, &r.point, e);
    if (status != ST_OK)
        return status;
    c->replicates[c->replicate_count++] = r;
    if (!again)
        left_out_count(&c->of, state, !isnan(r.y));
    return ST_OK;
}

static int by_point(const void *a, const void *b)
{
    const struct replicate *p = a, *q = b;
    return (p->point > q->point) - (p->point < q->point);
}

/* Averages the n replicates of one point; false if none has a result. scratch: 2 n numbers. */
static bool average(const struct replicate *r, size_t n, double *scratch, struct curve_point *out)
{
    double *x = scratch, *y = scratch + n;
    size_t results = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(r[i].y))
            continue;
        x[results] = r[i].x;
        y[results++] = r[i].y;
    }
    *out = (struct curve_point){
        .point = r[0].point, .x = summarise(x, results).mean, .y = summarise(y, results)};
    return results > 0;
}

static enum status average_points(struct curve *c, struct err *e)
{
    size_t n = c->replicate_count;
    c->point_count = c->axes.point_count;
    c->points = arena_alloc(&c->axes.arena, c->point_count + 1, sizeof *c->points);
    double *scratch = mem_alloc(2 * n + 1, sizeof *scratch);
    if (!c->points || !scratch) {
        mem_free(scratch);
        return no_memory(e);
    }
    if (n > 0)
        qsort(c->replicates, n, sizeof *c->replicates, by_point);
    for (size_t first = 0, next; first < n; first = next) {
        for (next = first + 1; next < n && c->replicates[next].point == c->replicates[first].point;)
            next++;
        if (average(&c->replicates[first], next - first, scratch, &c->points[c->count]))
            c->count++;
    }
    mem_free(scratch);
    return ST_OK;
}

/* The number of a series, a new one if the label is new; LOOKUP_NONE: no memory. */
static size_t series_of(struct curve *c, struct lookup *by_label, const char *label)
{
    const uint64_t hash = hash_bytes(label, strlen(label));
    struct lookup_walk walk = {0};
    for (size_t s; (s = lookup_next(by_label, hash, &walk)) != LOOKUP_NONE;)
        if (strcmp(c->series[s], label) == 0)
            return s;
    if (!lookup_put(by_label, &c->axes.arena, hash, c->series_count))
        return LOOKUP_NONE;
    c->series[c->series_count] = label;
    return c->series_count++;
}

/* Gives every point the number of its series, in order of first appearance. */
static enum status assign_series(struct curve *c, struct err *e)
{
    struct lookup by_label = {0};
    c->series_count = 0;
    c->series = arena_alloc(&c->axes.arena, c->count + 1, sizeof *c->series);
    if (!c->series)
        return no_memory(e);
    for (size_t i = 0; i < c->count; i++) {
        const char *label = axes_label(&c->axes, AXES_SERIES, c->points[i].point);
        c->points[i].series = label ? series_of(c, &by_label, label) : LOOKUP_NONE;
        if (c->points[i].series == LOOKUP_NONE)
            return no_memory(e);
    }
    return ST_OK;
}

/* Whether no series has two points of different x while some series has two points. */
static enum status x_tells_nothing(struct curve *c, bool *out, struct err *e)
{
    const struct curve_point **first =
        arena_alloc(&c->axes.arena, c->series_count + 1, sizeof(struct curve_point *));
    if (!first)
        return no_memory(e);
    *out = false;
    for (size_t i = 0; i < c->count; i++) {
        const struct curve_point *p = &c->points[i], **of = &first[p->series];
        if (*of && (*of)->x != p->x) {
            *out = false;
            return ST_OK;
        }
        *out = *out || *of;
        *of = *of ? *of : p;
    }
    return ST_OK;
}

static double common_x(const struct curve *c)
{
    for (size_t i = 1; i < c->count; i++)
        if (c->points[i].x != c->points[0].x)
            return NAN;
    return c->count > 0 ? c->points[0].x : NAN;
}

static enum status use_axis(struct curve *c, struct err *e)
{
    double *x = mem_alloc(c->point_count + 1, sizeof *x);
    if (!x)
        return no_memory(e);
    c->x_metric = NULL;
    c->x_kind = axes_positions(&c->axes, c->axes.primary, x) ? CURVE_AXIS : CURVE_CATEGORY;
    for (size_t i = 0; i < c->count; i++)
        c->points[i].x = x[c->points[i].point];
    mem_free(x);
    return ST_OK;
}

static int by_series_and_x(const void *a, const void *b)
{
    const struct curve_point *p = a, *q = b;
    if (p->series != q->series)
        return p->series < q->series ? -1 : 1;
    if (p->x != q->x)
        return p->x < q->x ? -1 : 1;
    return (p->point > q->point) - (p->point < q->point);
}

const struct metric *curve_x_metric(const char *x)
{
    const struct metric *m = x ? metric_find(METRIC_TRIAL, x) : NULL;
    return m ? m : metric_find(METRIC_TRIAL, "model_mib");
}

enum status curve_finish(struct curve *c, const char *x, const struct metric *y, struct err *e)
{
    const char *axis = x && !metric_find(METRIC_TRIAL, x) ? x : NULL;
    c->x_kind = CURVE_METRIC;
    c->x_metric = curve_x_metric(x);
    c->y_metric = y;
    if (c->replicate_count == 0)
        return ST_OK;
    if (!axes_analyse(&c->axes, axis)) {
        axes_analyse(&c->axes, NULL);
        const char *known = axes_title(&c->axes, AXES_ALL);
        return metric_unknown(METRIC_TRIAL, "x", x, known, e);
    }
    enum status status = average_points(c, e);
    if (status == ST_OK)
        status = assign_series(c, e);
    if (status != ST_OK)
        return status;
    bool fallback = false;
    if (!x && c->axes.primary >= 0)
        status = x_tells_nothing(c, &fallback, e);
    if (status != ST_OK)
        return status;
    if (fallback)
        c->common_x = common_x(c);
    if (axis || fallback)
        status = use_axis(c, e);
    if (status == ST_OK && c->count > 0)
        qsort(c->points, c->count, sizeof *c->points, by_series_and_x);
    return status;
}

static enum status read_rows(struct store_query *q, struct curve *c, struct err *e)
{
    for (;;) {
        bool row;
        enum status status = store_query_next(q, &row, e);
        if (status != ST_OK || !row)
            return status;
        const struct cell axes = store_query_cell(q, 0), state = store_query_cell(q, 1);
        const bool again = store_query_cell(q, 4).i == 1;
        const double x = cell_number(store_query_cell(q, 2)), y = cell_number(store_query_cell(q, 3));
        status = curve_add(c, axes.type == CELL_TEXT ? axes.text : "",
                           state.type == CELL_TEXT ? state.text : "", again, x, y, e);
        if (status != ST_OK)
            return status;
    }
}

enum status curve_load(struct store *s, int64_t block, const char *x, const char *y, struct curve *out,
                       struct err *e)
{
    const struct metric *y_metric = metric_find(METRIC_TRIAL, y);
    if (!y_metric)
        return metric_unknown(METRIC_TRIAL, "y", y, NULL, e);
    char *sql = mem_printf(
        "SELECT m.axes, t.state, %s, %s, EXISTS (SELECT 1 FROM block_trial o WHERE"
        "  o.trial_id = m.trial_id AND o.block_id = m.block_id AND o.in_spec AND o.position < m.position)"
        " FROM block_trial m JOIN trial t ON t.id = m.trial_id"
        " JOIN variant v ON v.id = t.variant_id WHERE m.block_id = %" PRId64
        " AND m.in_spec ORDER BY m.position",
        curve_x_metric(x)->sql, y_metric->sql, block);
    if (!sql)
        return no_memory(e);
    struct store_query *q = NULL;
    enum status status = store_query_open(s, sql, &q, e);
    mem_free(sql);
    if (status == ST_OK)
        status = read_rows(q, out, e);
    store_query_close(q);
    return status == ST_OK ? curve_finish(out, x, y_metric, e) : status;
}
