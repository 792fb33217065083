#include "report/paper.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "report/settings.h"

const char *paper_axis_name(enum paper_axis a)
{
    static const char *const names[] = {"SR", "pct3x3", "bypass"};
    return names[a];
}

void paper_init(struct paper *p)
{
    memset(p, 0, sizeof *p);
    arena_init(&p->arena);
}

void paper_release(struct paper *p)
{
    arena_release(&p->arena);
    mem_free(p->series);
    paper_init(p);
}

static enum status no_memory(struct err *e)
{
    return err_set(e, ST_NOMEM, "cannot read the measured curves: out of memory");
}

/* Columns of a row. GROUP tells series apart. */
enum {
    COLUMN_GROUP,
    COLUMN_VALUE,
    COLUMN_SEED,
    COLUMN_TOP1,
    COLUMN_VARIANT,
    COLUMN_MODEL_BYTES,
    COLUMN_SWEEP,
    COLUMN_PATH,
    COLUMN_SHAPE,
    COLUMN_BASE_E,
    COLUMN_INCR_E,
    COLUMN_FREQ,
    COLUMN_SR,
    COLUMN_PCT3X3,
    COLUMN_EPOCHS,
    COLUMN_BATCH,
    COLUMN_LR,
    COLUMN_STATE
};

/* Trials of one axis in the order of their series (narrow and short ones first), values and seeds. The axis
 * must vary alone: the paper's curves have the other ratio at 0.5 and no bypass. A trial stands at every
 * point that asks for it, also where several round to its layers. */
/* clang-format off */
static char *series_sql(enum paper_axis axis)
{
    static const char *const value[] = {"p.sr", "p.pct3x3",
                                        "CASE p.bypass WHEN 'none' THEN 0 WHEN 'simple' THEN 1 ELSE 2 END"};
    static const char *const fixed[] = {"p.pct3x3 = 0.5 AND p.bypass = 'none'",
                                        "p.sr = 0.5 AND p.bypass = 'none'", "p.sr IS NOT NULL"};
    static const char *const apart[] = {"''", "''", "p.sr || ' ' || p.pct3x3"};
    return mem_printf(
        "SELECT t.data_fingerprint || ' ' || r.recipe_hash || ' ' || v.input_c || ' ' || v.input_h || ' ' ||"
        "  v.input_w || ' ' || v.classes || ' ' || v.conv1_filters || ' ' || v.conv1_kernel || ' ' ||"
        "  v.conv1_stride || ' ' || v.conv1_pad || ' ' || v.pools || ' ' || p.pool_floor || ' ' ||"
        "  v.conv10_relu || ' ' || v.conv10_pad || ' ' || p.base_e || ' ' || p.incr_e || ' ' || p.freq ||"
        "  ' ' || %s AS series,"
        " %s AS value, t.seed, t.test_top1, v.id, v.model_bytes, p.sweep, p.data_path,"
        " v.input_c || 'x' || v.input_h || 'x' || v.input_w || ', ' || v.classes || ' classes',"
        " p.base_e, p.incr_e, p.freq, p.sr, p.pct3x3, r.epochs, r.batch, r.lr, t.state"
        " FROM trial t JOIN recipe r ON r.id = t.recipe_id JOIN variant v ON v.id = t.variant_id"
        " JOIN (SELECT m.trial_id, p.base_e, p.incr_e, p.freq, p.sr, p.pct3x3, p.bypass, p.pool_floor,"
        "  min(s.name) AS sweep, s.data_path FROM block_trial m" JOIN_POINT("m", "p")
        "  JOIN block b ON b.id = m.block_id JOIN sweep s ON s.id = b.sweep_id"
        "  WHERE m.in_spec AND p.base_e IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6, 7, 8) p ON p.trial_id = t.id"
        " WHERE t.state IN ('done', 'diverged', 'failed', 'timed_out') AND %s"
        " ORDER BY p.base_e, p.incr_e, r.epochs, series, value, t.seed",
        apart[axis], value[axis], fixed[axis]);
}
/* clang-format on */

static double real_of(const struct store_query *q, int column)
{
    return cell_number(store_query_cell(q, column));
}

static int int_of(const struct store_query *q, int column)
{
    const struct cell c = store_query_cell(q, column);
    return c.type == CELL_INT ? (int)c.i : 0;
}

/* The rows of one series as they come; moved into the paper when the next one begins. */
struct reading {
    struct paper *paper;
    enum paper_axis axis;
    char *group; /* of the series being read; NULL before the first */
    struct paper_series series;
    size_t measure_capacity;
    struct paper_measure *measures;
    size_t seed_capacity;
};

static void *grow(void *p, size_t *capacity, size_t size)
{
    const size_t larger = *capacity ? 2 * *capacity : 8;
    void *moved = mem_realloc(p, larger, size);
    if (moved)
        *capacity = larger;
    return moved;
}

static void reading_forget(struct reading *r)
{
    for (size_t i = 0; i < r->series.count; i++) {
        mem_free(r->measures[i].seeds);
        mem_free(r->measures[i].top1);
    }
    r->series.count = 0;
    r->seed_capacity = 0;
    mem_free(r->group);
    r->group = NULL;
}

/* A copy of n elements in the arena; n may be 0. */
static void *keep(struct arena *a, const void *from, size_t n, size_t size)
{
    void *to = arena_alloc(a, n + 1, size);
    return to && n > 0 ? memcpy(to, from, n * size) : to;
}

static bool keep_measure(struct arena *a, const struct paper_measure *from, struct paper_measure *to)
{
    *to = *from;
    to->summary = summarise(from->top1, from->n);
    to->seeds = keep(a, from->seeds, from->n, sizeof *to->seeds);
    to->top1 = keep(a, from->top1, from->n, sizeof *to->top1);
    return to->seeds && to->top1;
}

bool paper_is_enough(const struct paper_series *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++)
        n += s->measures[i].n > 0 && !s->measures[i].again;
    return n >= (s->axis == PAPER_AXIS_BYPASS ? PAPER_BYPASS_POINTS : PAPER_CURVE_POINTS);
}

/* Ends a series: into the paper if it has enough points. */
static enum status reading_end(struct reading *r, struct err *e)
{
    struct paper *p = r->paper;
    r->series.measures = r->measures;
    if (paper_is_enough(&r->series)) {
        if (p->count == p->capacity) {
            struct paper_series *larger = grow(p->series, &p->capacity, sizeof *larger);
            if (!larger)
                return no_memory(e);
            p->series = larger;
        }
        struct paper_series *s = &p->series[p->count];
        *s = r->series;
        s->measures = arena_alloc(&p->arena, s->count, sizeof *s->measures);
        bool kept = s->measures;
        for (size_t i = 0; kept && i < s->count; i++)
            kept = keep_measure(&p->arena, &r->measures[i], &s->measures[i]);
        if (!kept)
            return no_memory(e);
        p->count++;
    }
    reading_forget(r);
    return ST_OK;
}

static const char *text_of(const struct store_query *q, int column)
{
    const struct cell c = store_query_cell(q, column);
    return c.type == CELL_TEXT ? c.text : "";
}

/* The last part of a path: "data/cifar10/" is "cifar10". */
static const char *last_part(struct arena *a, const char *path)
{
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/')
        end--;
    size_t start = end;
    while (start > 0 && path[start - 1] != '/')
        start--;
    return arena_strndup(a, path + start, end - start);
}

static enum status reading_begin(struct reading *r, const struct store_query *q, const char *group,
                                 struct err *e)
{
    struct arena *a = &r->paper->arena;
    r->group = mem_strdup(group);
    r->series = (struct paper_series){.axis = r->axis,
                                      .sweep = arena_strdup(a, text_of(q, COLUMN_SWEEP)),
                                      .data = last_part(a, text_of(q, COLUMN_PATH)),
                                      .shape = arena_strdup(a, text_of(q, COLUMN_SHAPE)),
                                      .base_e = int_of(q, COLUMN_BASE_E),
                                      .incr_e = int_of(q, COLUMN_INCR_E),
                                      .freq = int_of(q, COLUMN_FREQ),
                                      .sr = real_of(q, COLUMN_SR),
                                      .pct3x3 = real_of(q, COLUMN_PCT3X3),
                                      .epochs = int_of(q, COLUMN_EPOCHS),
                                      .batch = int_of(q, COLUMN_BATCH),
                                      .lr = real_of(q, COLUMN_LR)};
    return r->group && r->series.sweep && r->series.data && r->series.shape ? ST_OK : no_memory(e);
}

/* The measure that a row of this value belongs to, a new one if it is the first; NULL: no memory. */
static struct paper_measure *measure_of(struct reading *r, const struct store_query *q, double value)
{
    if (r->series.count > 0 && r->measures[r->series.count - 1].value == value)
        return &r->measures[r->series.count - 1];
    if (r->series.count == r->measure_capacity) {
        struct paper_measure *larger = grow(r->measures, &r->measure_capacity, sizeof *larger);
        if (!larger)
            return NULL;
        r->measures = larger;
    }
    r->seed_capacity = 0;
    struct paper_measure *m = &r->measures[r->series.count++];
    *m = (struct paper_measure){.value = value,
                                .variant = store_query_cell(q, COLUMN_VARIANT).i,
                                .model_bytes = store_query_cell(q, COLUMN_MODEL_BYTES).i};
    for (const struct paper_measure *other = r->measures; other < m; other++)
        m->again |= other->variant == m->variant;
    return m;
}

static enum status seed_add(struct reading *r, struct paper_measure *m, const struct store_query *q,
                            struct err *e)
{
    const struct cell state = store_query_cell(q, COLUMN_STATE);
    const double top1 = real_of(q, COLUMN_TOP1);
    if (strcmp(state.text, "done") != 0 || isnan(top1)) {
        m->lost++;
        return ST_OK;
    }
    if (m->n == r->seed_capacity) {
        size_t capacity = r->seed_capacity;
        int64_t *seeds = grow(m->seeds, &capacity, sizeof *seeds);
        m->seeds = seeds ? seeds : m->seeds;
        double *values = seeds ? grow(m->top1, &r->seed_capacity, sizeof *values) : NULL;
        m->top1 = values ? values : m->top1;
        if (!values)
            return no_memory(e);
    }
    m->seeds[m->n] = store_query_cell(q, COLUMN_SEED).i;
    m->top1[m->n++] = top1;
    return ST_OK;
}

static enum status read_row(struct reading *r, const struct store_query *q, struct err *e)
{
    const struct cell group = store_query_cell(q, COLUMN_GROUP);
    const double value = real_of(q, COLUMN_VALUE);
    enum status st = ST_OK;
    if (!r->group || strcmp(r->group, group.text) != 0) {
        st = r->group ? reading_end(r, e) : ST_OK;
        if (st == ST_OK)
            st = reading_begin(r, q, group.text, e);
    }
    if (st != ST_OK)
        return st;
    struct paper_measure *m = measure_of(r, q, value);
    return m ? seed_add(r, m, q, e) : no_memory(e);
}

static enum status read_axis(struct paper *p, struct store *s, enum paper_axis axis, struct err *e)
{
    struct reading r = {.paper = p, .axis = axis};
    struct store_query *q = NULL;
    char *sql = series_sql(axis);
    enum status st = sql ? store_query_open(s, sql, &q, e) : no_memory(e);
    for (bool row = true; st == ST_OK && row;) {
        st = store_query_next(q, &row, e);
        if (st == ST_OK && row)
            st = read_row(&r, q, e);
    }
    if (st == ST_OK && r.group)
        st = reading_end(&r, e);
    store_query_close(q);
    mem_free(sql);
    reading_forget(&r);
    mem_free(r.measures);
    return st;
}

enum status paper_load(struct paper *p, struct store *s, struct err *e)
{
    enum status st = ST_OK;
    for (int axis = 0; axis < PAPER_AXES && st == ST_OK; axis++)
        st = read_axis(p, s, (enum paper_axis)axis, e);
    return st;
}

const struct paper_measure *paper_at(const struct paper_series *s, double value)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->measures[i].n > 0 && fabs(s->measures[i].value - value) < 1e-9)
            return &s->measures[i];
    return NULL;
}

static bool same_network(const struct paper_series *a, const struct paper_series *b)
{
    return strcmp(a->data, b->data) == 0 && a->base_e == b->base_e;
}

static bool same_recipe(const struct paper_series *a, const struct paper_series *b)
{
    return a->epochs == b->epochs && a->lr == b->lr && a->batch == b->batch;
}

/* What differs among the series of an axis is said of each of them. */
const char *paper_series_label(const struct paper *p, const struct paper_series *s, struct arena *a)
{
    bool epochs = false, lr = false, batch = false, sweep = false;
    for (size_t i = 0; i < p->count; i++) {
        const struct paper_series *other = &p->series[i];
        if (other == s || other->axis != s->axis)
            continue;
        epochs = epochs || other->epochs != s->epochs;
        lr = lr || other->lr != s->lr;
        batch = batch || other->batch != s->batch;
        sweep = sweep || (same_network(other, s) && same_recipe(other, s));
    }
    struct strbuf text = STRBUF_INIT;
    strbuf_printf(&text, "%s, base_e %d", s->data, s->base_e);
    if (epochs)
        strbuf_printf(&text, ", %d epochs", s->epochs);
    if (lr)
        strbuf_printf(&text, ", lr %g", s->lr);
    if (batch)
        strbuf_printf(&text, ", batch %d", s->batch);
    if (sweep)
        strbuf_printf(&text, ", sweep %s", s->sweep);
    const char *label = text.failed ? NULL : arena_strdup(a, text.text);
    strbuf_release(&text);
    return label;
}
