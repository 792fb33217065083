#include "report/learning.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct learning_value {
    size_t point;
    int64_t epoch;
    double y;
};

void learning_init(struct learning *l)
{
    memset(l, 0, sizeof *l);
    axes_init(&l->axes);
}

void learning_release(struct learning *l)
{
    axes_release(&l->axes);
    mem_free(l->values);
    mem_free(l->trained_room);
    learning_init(l);
}

static enum status no_memory(struct err *e)
{
    return err_set(e, ST_NOMEM, "cannot build learning curves: out of memory");
}

enum status learning_add(struct learning *l, const char *axes, int64_t epoch, double y, struct err *e)
{
    if (!isfinite(y))
        return ST_OK;
    if (l->value_count == l->value_capacity) {
        size_t capacity = l->value_capacity ? 2 * l->value_capacity : 256;
        struct learning_value *larger = mem_realloc(l->values, capacity, sizeof *larger);
        if (!larger)
            return no_memory(e);
        l->values = larger;
        l->value_capacity = capacity;
    }
    struct learning_value *value = &l->values[l->value_count];
    *value = (struct learning_value){.epoch = epoch, .y = y};
    enum status status = axes_point(&l->axes, axes, &value->point, e);
    if (status == ST_OK)
        l->value_count++;
    return status;
}

static int by_point_and_epoch(const void *a, const void *b)
{
    const struct learning_value *p = a, *q = b;
    if (p->point != q->point)
        return p->point < q->point ? -1 : 1;
    return (p->epoch > q->epoch) - (p->epoch < q->epoch);
}

enum status learning_finish(struct learning *l, struct err *e)
{
    size_t n = l->value_count;
    axes_analyse(&l->axes, NULL);
    l->epochs = arena_alloc(&l->axes.arena, n + 1, sizeof *l->epochs);
    double *scratch = mem_alloc(n + 1, sizeof *scratch);
    if (!l->epochs || !scratch) {
        mem_free(scratch);
        return no_memory(e);
    }
    if (n > 0)
        qsort(l->values, n, sizeof *l->values, by_point_and_epoch);
    for (size_t first = 0, next; first < n; first = next) {
        for (next = first; next < n && by_point_and_epoch(&l->values[first], &l->values[next]) == 0; next++)
            scratch[next - first] = l->values[next].y;
        l->epochs[l->count++] = (struct learning_epoch){.point = l->values[first].point,
                                                        .epoch = l->values[first].epoch,
                                                        .y = summarise(scratch, next - first)};
    }
    mem_free(scratch);
    return ST_OK;
}

/* What the point of the value that was added last is. */
static enum status identify(struct learning *l, const struct line_identity *identity, struct err *e)
{
    if (l->axes.point_count > l->trained_capacity) {
        const size_t capacity = 2 * l->axes.point_count + 32;
        struct line_identity *larger = mem_realloc(l->trained_room, capacity, sizeof *larger);
        if (!larger)
            return no_memory(e);
        l->trained_room = larger;
        l->trained_capacity = capacity;
    }
    if (l->value_count > 0)
        l->trained_room[l->values[l->value_count - 1].point] = *identity;
    l->trained = l->trained_room;
    return ST_OK;
}

/* Columns: axes, state, epoch and y (NULL unless done), first row of its trial, variant, recipe. */
static enum status read_rows(struct store_query *q, struct learning *l, struct err *e)
{
    for (;;) {
        bool row;
        enum status status = store_query_next(q, &row, e);
        if (status != ST_OK || !row)
            return status;
        struct cell axes = store_query_cell(q, 0), epoch = store_query_cell(q, 2), y = store_query_cell(q, 3);
        if (store_query_cell(q, 4).i == 1) {
            const char *state = store_query_cell(q, 1).text;
            left_out_count(&l->of, state, strcmp(state, trial_state_name(TRIAL_DONE)) == 0);
        }
        double value = y.type == CELL_REAL ? y.r : y.type == CELL_INT ? (double)y.i : NAN;
        if (epoch.type == CELL_INT)
            status = learning_add(l, axes.type == CELL_TEXT ? axes.text : "", epoch.i, value, e);
        if (status == ST_OK && epoch.type == CELL_INT && isfinite(value))
            status =
                identify(l, &(struct line_identity){store_query_cell(q, 5).i, store_query_cell(q, 6).i}, e);
        if (status != ST_OK)
            return status;
    }
}

static enum status load(struct store *s, int64_t block, const struct metric *metric, struct learning *out,
                        struct err *e)
{
    char *sql = mem_printf(
        "SELECT m.axes, t.state, p.epoch, %s,"
        " row_number() OVER (PARTITION BY t.id ORDER BY p.epoch), t.variant_id, t.recipe_id"
        " FROM block_trial m JOIN trial t ON t.id = m.trial_id"
        " LEFT JOIN epoch p ON p.trial_id = t.id AND t.state = 'done'"
        " WHERE m.block_id = %" PRId64 " AND m.in_spec AND NOT EXISTS (SELECT 1 FROM block_trial o WHERE"
        " o.block_id = m.block_id AND o.trial_id = m.trial_id AND o.in_spec AND o.position < m.position)"
        " ORDER BY m.position, t.id, p.epoch",
        metric->sql, block);
    if (!sql)
        return no_memory(e);
    struct store_query *q = NULL;
    out->metric = metric;
    enum status status = store_query_open(s, sql, &q, e);
    mem_free(sql);
    if (status == ST_OK)
        status = read_rows(q, out, e);
    store_query_close(q);
    return status == ST_OK ? learning_finish(out, e) : status;
}

enum status learning_load(struct store *s, int64_t block, const char *y, struct learning *out, struct err *e)
{
    const struct metric *metric = metric_find(METRIC_EPOCH, y ? y : "val_top1");
    if (!metric)
        return metric_unknown(METRIC_EPOCH, "y", y, NULL, e);
    enum status status = load(s, block, metric, out, e);
    if (status != ST_OK || y || out->count > 0 || left_out_done(&out->of) == 0)
        return status;
    learning_release(out);
    return load(s, block, metric_find(METRIC_EPOCH, "train_top1"), out, e);
}
