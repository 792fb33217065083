/* Figures of single results: every trial as a dot, the Pareto front, the distribution of a result. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "report/figures.h"
#include "report/front.h"
#include "report/left_out.h"
#include "report/lines.h"
#include "report/text.h"
#include "sweep/spec_fields.h"

/* One variant trained by one recipe: its replicates averaged; or, for a scatter, one trial. */
struct group {
    const char *name; /* "SR=0.5, lr=0.1" */
    int64_t trial;
    struct line_identity trained;
    double x;
    struct summary y, merit; /* merit: what a front chooses by */
};

struct groups {
    size_t count, capacity;
    struct left_out of; /* the trials of the block */
    struct group *items;
    const struct metric *x, *y, *merit; /* merit NULL: y */
};

static enum status no_memory(struct err *e)
{
    return err_set(e, ST_NOMEM, "cannot draw a figure: out of memory");
}

static struct group *next_group(struct groups *g)
{
    if (g->count == g->capacity) {
        const size_t larger = g->capacity ? 2 * g->capacity : 64;
        struct group *items = mem_realloc(g->items, larger, sizeof *items);
        if (!items)
            return NULL;
        g->items = items;
        g->capacity = larger;
    }
    g->items[g->count] = (struct group){0};
    return &g->items[g->count++];
}

/* A number that SQL gave as mean, n and sum of squares around the mean. */
static struct summary summary_of(double mean, int64_t n, double squares)
{
    struct summary s = {(size_t)n, mean, NAN, NAN, mean, mean};
    if (n >= 2) {
        s.sd = sqrt(fmax(squares, 0) / (double)(n - 1));
        s.half_width = student_t_quantile(0.975, (size_t)n - 1) * s.sd / sqrt((double)n);
    }
    return s;
}

static enum status read_groups(struct store_query *q, struct groups *g, struct arena *arena, struct err *e)
{
    for (bool row = true;;) {
        const enum status st = store_query_next(q, &row, e);
        if (st != ST_OK || !row)
            return st;
        const double x = cell_number(store_query_cell(q, 2)), y = cell_number(store_query_cell(q, 3));
        if (!isfinite(x) || !isfinite(y))
            continue;
        struct group *item = next_group(g);
        const struct cell axes = store_query_cell(q, 1);
        if (item) {
            item->name = figure_axes_words(arena, axes.type == CELL_TEXT ? axes.text : "");
            item->trial = store_query_cell(q, 0).i;
            item->trained = (struct line_identity){store_query_cell(q, 6).i, store_query_cell(q, 10).i};
            item->x = x;
            item->y = summary_of(y, store_query_cell(q, 4).i, cell_number(store_query_cell(q, 5)));
            const double merit = cell_number(store_query_cell(q, 7));
            item->merit = isnan(merit) ? item->y
                                       : summary_of(merit, store_query_cell(q, 8).i,
                                                    cell_number(store_query_cell(q, 9)));
        }
        if (!item || !item->name)
            return no_memory(e);
    }
}

/* The trials of a block by each of their names, with columns x and y (and merit z), as the common table
 * `named`. mem_free; NULL: no memory. */
static char *named_sql(const struct groups *g, int64_t block)
{
    return mem_printf("WITH named AS (SELECT t.id, t.state, m.position, m.axes, t.variant_id, t.recipe_id,"
                      " t.data_fingerprint, %s AS x, %s AS y, %s AS z FROM block_trial m"
                      " JOIN trial t ON t.id = m.trial_id JOIN variant v ON v.id = t.variant_id"
                      " WHERE m.block_id = %" PRId64 " AND m.in_spec)",
                      g->x->sql, g->y->sql, g->merit ? g->merit->sql : "NULL", block);
}

/* What can be drawn of them; neither NULL nor beyond all bounds. */
#define USABLE "state = 'done' AND abs(x) < 9e999 AND abs(y) < 9e999"

static enum status count_trials(struct store *s, const char *named, struct groups *g, struct err *e)
{
    struct store_query *q = NULL;
    char *sql = mem_printf("%s SELECT state, max(coalesce(" USABLE ", 0)) FROM named GROUP BY id", named);
    bool row = true;
    enum status st = sql ? store_query_open(s, sql, &q, e) : no_memory(e);
    while (st == ST_OK && (st = store_query_next(q, &row, e)) == ST_OK && row)
        left_out_count(&g->of, store_query_cell(q, 0).text, store_query_cell(q, 1).i == 1);
    store_query_close(q);
    mem_free(sql);
    return st;
}

/* Whether the block has an axis of this name, and one of numbers. */
static enum status check_axis(struct store *s, int64_t block, const char *key, struct err *e)
{
    struct store_query *q = NULL;
    char *sql = mem_printf("SELECT count(json_type(axes, '$.%s')),"
                           " total(json_type(axes, '$.%s') IN ('integer', 'real'))"
                           " FROM block_trial WHERE block_id = %" PRId64 " AND in_spec",
                           key, key, block);
    bool row;
    enum status st = sql ? store_query_open(s, sql, &q, e) : no_memory(e);
    if (st == ST_OK)
        st = store_query_next(q, &row, e);
    if (st == ST_OK && store_query_cell(q, 0).i == 0)
        st = err_set(e, ST_USAGE, "x: there is no axis \"%s\" in the block", key);
    else if (st == ST_OK && store_query_cell(q, 1).r < 1)
        st = err_set(e, ST_USAGE,
                     "x: the values of the axis \"%s\" are not numbers; heatmap and effects can show them",
                     key);
    store_query_close(q);
    mem_free(sql);
    return st;
}

static enum status find_column(const char *what, const char *name, const struct metric **out, struct err *e)
{
    *out = metric_find(METRIC_TRIAL, name);
    return *out ? ST_OK : metric_unknown(METRIC_TRIAL, what, name, NULL, e);
}

/* A column, or an axis of the block, whose key is one of the table's, so that it is safe within SQL. */
static enum status find_column_or_axis(struct store *s, int64_t block, const char *name, struct arena *arena,
                                       const struct metric **out, struct err *e)
{
    *out = metric_find(METRIC_TRIAL, name);
    if (*out)
        return ST_OK;
    const struct field *field = field_find(SECTION_AXIS, name);
    if (!field)
        return metric_unknown(METRIC_TRIAL, "x", name, "of the block, such as SR", e);
    const enum status st = check_axis(s, block, field->key, e);
    if (st != ST_OK)
        return st;
    const char *key = field->key;
    struct metric *axis = arena_alloc(arena, 1, sizeof *axis);
    const char *sql = arena_printf(arena,
                                   "iif(json_type(m.axes, '$.%s') IN ('integer', 'real'),"
                                   " json_extract(m.axes, '$.%s'), NULL)",
                                   key, key);
    if (!axis || !sql)
        return no_memory(e);
    *axis = (struct metric){.name = key, .sql = sql, .column = key, .title = key};
    *out = axis;
    return ST_OK;
}

/* Done trials of a block, each once and by its first name that has an x, ascending in x; `each`: one by one,
 * else averaged over seeds. */
static enum status load_groups(struct store *s, int64_t block, bool each, struct groups *g,
                               struct arena *arena, struct err *e)
{
    const char *by = each ? "id" : "variant_id, recipe_id, data_fingerprint";
    char *named = named_sql(g, block), *sql = NULL;
    if (named)
        sql =
            mem_printf(/* bare columns are of the row that min() found */
                       "%s, one AS (SELECT *, min(position) AS place FROM named WHERE " USABLE
                       " GROUP BY id),"
                       " mean AS (SELECT *, first_value(axes) OVER (PARTITION BY %s ORDER BY place) AS name,"
                       " avg(y) OVER (PARTITION BY %s) AS centre, avg(z) OVER (PARTITION BY %s) AS middle "
                       "FROM one)"
                       " SELECT min(id), name, avg(x), centre, count(*), sum((y - centre) * (y - centre)), "
                       "variant_id,"
                       " middle, count(z), sum((z - middle) * (z - middle)), recipe_id FROM mean GROUP BY %s"
                       " ORDER BY 3, 4, 1",
                       named, by, by, by, by);
    struct store_query *q = NULL;
    enum status st = sql ? store_query_open(s, sql, &q, e) : no_memory(e);
    mem_free(sql);
    if (st == ST_OK)
        st = read_groups(q, g, arena, e);
    store_query_close(q);
    if (st == ST_OK)
        st = count_trials(s, named, g, e);
    mem_free(named);
    return st;
}

static void say_nothing(const struct groups *g, char nothing[256])
{
    const bool measured = strcmp(g->x->name, "model_mib") != 0; /* the default, which every variant has */
    left_out_nothing(&g->of, measured ? g->x->name : NULL, g->y->name, nothing, 256);
}

static enum range_kind kind_of(const struct metric *m)
{
    return m->percent ? RANGE_PERCENT : RANGE_AMOUNT;
}

/* With the bars of the front; c NULL: without any. */
static void set_ranges(const struct groups *g, const struct candidate *c, struct layout *l)
{
    double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
    for (size_t i = 0; i < g->count; i++) {
        const bool bar = c && c[i].on_front && !isnan(g->items[i].y.half_width);
        const double half = bar ? g->items[i].y.half_width : 0;
        low[0] = fmin(low[0], g->items[i].x);
        high[0] = fmax(high[0], g->items[i].x);
        low[1] = fmin(low[1], g->items[i].y.mean - half);
        high[1] = fmax(high[1], g->items[i].y.mean + half);
    }
    l->x = range_around(low[0], high[0], kind_of(g->x), true);
    l->y = range_around(low[1], high[1], kind_of(g->y), false);
}

static struct cell number(double v)
{
    return isnan(v) ? cell_null() : cell_real(v);
}

static enum status set_columns(struct figure *f, const struct table_column *columns, int count, struct err *e)
{
    struct table_column *copy = arena_alloc(&f->arena, (size_t)count, sizeof *copy);
    if (!copy)
        return no_memory(e);
    memcpy(copy, columns, (size_t)count * sizeof *copy);
    f->columns = copy;
    f->column_count = count;
    return ST_OK;
}

/* Notes end with what is left out. */
static enum status finish(struct layout *l, const struct groups *g, const struct figure_request *r,
                          struct figure *f, struct err *e)
{
    const char *left_out = left_out_text(&g->of, &f->arena);
    l->title = layout_title(&f->arena, r->sweep, r->name);
    if (left_out && *left_out)
        l->notes[1] = arena_printf(&f->arena, "%s%sleft out: %s", l->notes[1] ? l->notes[1] : "",
                                   l->notes[1] ? "; " : "", left_out);
    return l->title && left_out && (!*left_out || l->notes[1]) ? layout_define(l, f, e) : no_memory(e);
}

static enum status draw_scatter(const struct groups *g, const struct figure_request *r, struct figure *f,
                                struct err *e)
{
    const struct table_column columns[] = {
        {.name = "trial"}, {.name = "axes"}, {.name = g->x->column}, {.name = g->y->column}};
    struct layout l = {.x_title = g->x->title, .y_title = g->y->title};
    enum status st = set_columns(f, columns, 4, e);
    strbuf_puts(&f->definitions, "$points << EOD\n");
    for (size_t i = 0; i < g->count && st == ST_OK; i++) {
        const struct group *p = &g->items[i];
        figure_data(f, 2, (const double[]){p->x, p->y.mean}, 1);
        st = figure_row(f,
                        (const struct cell[]){cell_int(p->trial), cell_text(p->name), cell_real(p->x),
                                              cell_real(p->y.mean)},
                        e);
    }
    strbuf_puts(&f->definitions, "EOD\n");
    figure_count(f, "point_count", g->count);
    f->points = g->count;
    set_ranges(g, NULL, &l);
    l.notes[0] = arena_printf(&f->arena, "%zu trials, one dot each", g->count);
    return st == ST_OK ? finish(&l, g, r, f, e) : st;
}

enum status figure_scatter(struct store *s, const struct figure_request *r, struct figure *out,
                           char nothing[256], struct err *e)
{
    struct groups g = {0};
    enum status st = find_column_or_axis(s, r->block, r->x ? r->x : "model_mib", &out->arena, &g.x, e);
    if (st == ST_OK)
        st = find_column("y", r->y ? r->y : "test_top1", &g.y, e);
    if (st == ST_OK)
        st = load_groups(s, r->block, true, &g, &out->arena, e);
    if (st == ST_OK && g.count > 0)
        st = draw_scatter(&g, r, out, e);
    else if (st == ST_OK)
        say_nothing(&g, nothing);
    mem_free(g.items);
    return st;
}

static enum status front_rows(const struct groups *g, const struct candidate *c, struct figure *f,
                              struct err *e)
{
    const char *y = g->y->column;
    const struct table_column columns[] = {
        {.name = "variant"},
        {.name = "recipe"},
        {.name = "axes"},
        {.name = g->x->column},
        {.name = "n"},
        {.name = arena_printf(&f->arena, "%s_mean", y)},
        {.name = arena_printf(&f->arena, "%s_stddev", y)},
        {.name = arena_printf(&f->arena, "%s_ci95", y)},
        {.name = "on_front"},
        {.name = "front_probability"},
        {.name = g->merit ? arena_printf(&f->arena, "%s_mean", g->merit->column) : ""}};
    if (!columns[5].name || !columns[6].name || !columns[7].name || !columns[10].name)
        return no_memory(e);
    enum status st = set_columns(f, columns, g->merit ? 11 : 10, e);
    for (size_t i = 0; i < g->count && st == ST_OK; i++) {
        const struct group *p = &g->items[i];
        const struct cell cells[] = {cell_int(p->trained.variant),
                                     cell_int(p->trained.recipe),
                                     cell_text(p->name),
                                     cell_real(p->x),
                                     cell_int((int64_t)p->y.n),
                                     number(p->y.mean),
                                     number(p->y.sd),
                                     number(p->y.half_width),
                                     cell_int(c[i].on_front),
                                     number(c[i].probability),
                                     number(p->merit.mean)};
        st = figure_row(f, cells, e);
    }
    return st;
}

/* What the legend calls a point of the front: long names would all look alike when they are cut. */
static const char *front_label(double probability, const char *name, struct arena *arena)
{
    return !name || isnan(probability) ? name : arena_printf(arena, "%.0f %%  %s", probability * 100, name);
}

/* Whether names of the front have no room in a legend. */
static bool long_names(const struct groups *g, const struct candidate *c, struct arena *arena)
{
    bool fit = true;
    for (size_t i = 0; i < g->count && fit; i++) {
        const char *label = c[i].on_front ? front_label(c[i].probability, g->items[i].name, arena) : "";
        label = label ? text_brief(arena, label) : NULL;
        fit = !label || legend_fits(label);
    }
    return !fit;
}

/* Whether the number of a variant names several points of the figure. */
static bool share_variants(const struct groups *g, struct arena *arena)
{
    struct line_identity *ids = arena_alloc(arena, g->count, sizeof *ids);
    for (size_t i = 0; ids && i < g->count; i++)
        ids[i] = g->items[i].trained;
    return !ids || lines_share_variants(ids, g->count);
}

/* Off the front, and perhaps on it all the same. */
static bool is_possible(const struct candidate *c)
{
    return !c->on_front && c->probability >= 0.05;
}

/* The front's points are the lines of the legend, the others and the stairs come beside. */
static enum status front_points(const struct groups *g, const struct candidate *c, struct figure *f,
                                struct layout *l, struct err *e)
{
    struct line_point *points = arena_alloc(&f->arena, g->count, sizeof *points);
    const char **labels = arena_alloc(&f->arena, g->count, sizeof *labels);
    double *merit = arena_alloc(&f->arena, g->count, sizeof *merit);
    if (!points || !labels || !merit)
        return no_memory(e);
    const bool numbered = long_names(g, c, &f->arena), recipes = numbered && share_variants(g, &f->arena);
    size_t n = 0;
    strbuf_puts(&f->definitions, "$others << EOD\n");
    for (size_t i = 0; i < g->count; i++) {
        const struct group *p = &g->items[i];
        if (!c[i].on_front) {
            figure_data(f, 3, (const double[]){p->x, p->y.mean, is_possible(&c[i])}, 1);
            continue;
        }
        points[n] = (struct line_point){n, p->x, p->y};
        merit[n] = g->y->lower_is_better ? -p->y.mean : p->y.mean;
        labels[n] = front_label(
            c[i].probability, numbered ? lines_number(&p->trained, recipes, &f->arena) : p->name, &f->arena);
        if (!labels[n++])
            return no_memory(e);
    }
    if (n == g->count) /* gnuplot draws no empty block */
        strbuf_puts(&f->definitions, "NaN NaN 0\n");
    strbuf_puts(&f->definitions, "EOD\n$stairs << EOD\n");
    for (size_t i = 0; i < n; i++)
        figure_data(f, 2, (const double[]){points[i].x, points[i].y.mean}, 1);
    strbuf_puts(&f->definitions, "EOD\n");
    const enum status st = lines_define(f, l, points, n, labels, merit, n, e);
    l->legend_count = l->legend_count ? l->legend_count : 1; /* a lone point has a name too */
    f->points = g->count;
    return st;
}

static enum status draw_pareto(const struct groups *g, const struct figure_request *r, struct figure *f,
                               struct err *e)
{
    struct candidate *c = arena_alloc(&f->arena, g->count, sizeof *c);
    struct layout l = {.x_title = g->x->title, .y_title = g->y->title};
    double sd;
    size_t freedom;
    if (!c)
        return no_memory(e);
    for (size_t i = 0; i < g->count; i++)
        c[i] = (struct candidate){.cost = g->items[i].x, .merit = g->items[i].merit};
    enum status st = front_estimate(c, g->count, !g->y->lower_is_better, &sd, &freedom, e);
    if (st == ST_OK)
        st = front_rows(g, c, f, e);
    if (st == ST_OK)
        st = front_points(g, c, f, &l, e);
    if (st != ST_OK)
        return st;
    set_ranges(g, c, &l);
    l.legend_title = isnan(sd) ? "on the front" : "probability to be on it";
    bool possible = false;
    for (size_t i = 0; i < g->count; i++)
        possible = possible || is_possible(&c[i]);
    const char *chosen = g->merit ? "chosen by validation, drawn at test; " : "",
               *bars = "bars: 95 % interval of the mean (Student t)";
    l.notes[0] = arena_printf(&f->arena, "%s%s", chosen, isnan(sd) ? "one seed a point" : bars);
    l.notes[1] =
        isnan(sd)
            ? "how sure the front is cannot be told, as no point has two seeds"
            : arena_printf(&f->arena, "probability: %d bootstrap draws, pooled sd%s", FRONT_DRAWS,
                           possible ? "; hollow: off the front of the means, but with 5 % or more" : "");
    if (!l.notes[0] || !l.notes[1])
        return no_memory(e);
    return finish(&l, g, r, f, e);
}

/* What is measured on the test images is chosen by the same on the validation images, as everywhere: the test
 * set would otherwise be used to select. Without validation there is nothing else to choose by. */
static enum status choose_merit(struct store *s, int64_t block, struct groups *g, struct err *e)
{
    static const char *const pairs[][2] = {
        {"test_top1", "val_top1"}, {"test_top5", "val_top5"}, {"test_loss", "val_loss"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (strcmp(g->y->name, pairs[i][0]) == 0)
            g->merit = metric_find(METRIC_TRIAL, pairs[i][1]);
    if (!g->merit)
        return ST_OK;
    struct store_query *q = NULL;
    char *sql = mem_printf("SELECT count(%s) FROM block_trial m JOIN trial t ON t.id = m.trial_id"
                           " WHERE m.block_id = %" PRId64 " AND m.in_spec AND t.state = 'done'",
                           g->merit->sql, block);
    bool row;
    enum status st = sql ? store_query_open(s, sql, &q, e) : no_memory(e);
    if (st == ST_OK)
        st = store_query_next(q, &row, e);
    if (st == ST_OK && store_query_cell(q, 0).i == 0)
        g->merit = NULL;
    store_query_close(q);
    mem_free(sql);
    return st;
}

enum status figure_pareto(struct store *s, const struct figure_request *r, struct figure *out,
                          char nothing[256], struct err *e)
{
    struct groups g = {0};
    enum status st = metric_find_cost("x", r->x ? r->x : "model_mib", &g.x, e);
    if (st == ST_OK)
        st = find_column("y", r->y ? r->y : "test_top1", &g.y, e);
    if (st == ST_OK)
        st = choose_merit(s, r->block, &g, e);
    if (st == ST_OK)
        st = load_groups(s, r->block, false, &g, &out->arena, e);
    if (st == ST_OK && g.count > 0)
        st = draw_pareto(&g, r, out, e);
    else if (st == ST_OK)
        say_nothing(&g, nothing);
    mem_free(g.items);
    return st;
}

static int by_mean(const void *a, const void *b)
{
    const struct group *p = a, *q = b;
    if (p->y.mean != q->y.mean)
        return p->y.mean < q->y.mean ? -1 : 1;
    return (p->trial > q->trial) - (p->trial < q->trial);
}

static enum status draw_edf(struct groups *g, const struct figure_request *r, struct figure *f, struct err *e)
{
    const struct table_column columns[] = {
        {.name = "axes"}, {.name = "n"}, {.name = g->y->column}, {.name = "share_at_most_pct"}};
    struct layout l = {.x_title = g->y->title, .y_title = "points with at most this (%)"};
    enum status st = set_columns(f, columns, 4, e);
    qsort(g->items, g->count, sizeof *g->items, by_mean);
    l.x = range_around(g->items[0].y.mean, g->items[g->count - 1].y.mean, kind_of(g->y), false);
    l.y = range_around(0, 100, RANGE_PERCENT, false);
    strbuf_puts(&f->definitions, "$points << EOD\n");
    figure_data(f, 2, (const double[]){l.x.low, 0}, 1);
    for (size_t i = 0; i < g->count && st == ST_OK; i++) {
        const struct group *p = &g->items[i];
        const double share = 100 * (double)(i + 1) / (double)g->count;
        figure_data(f, 2, (const double[]){p->y.mean, share}, 1);
        st = figure_row(f,
                        (const struct cell[]){cell_text(p->name), cell_int((int64_t)p->y.n),
                                              cell_real(p->y.mean), cell_real(share)},
                        e);
    }
    figure_data(f, 2, (const double[]){l.x.high, 100}, 1);
    strbuf_puts(&f->definitions, "EOD\n");
    f->points = g->count;
    double *values = arena_alloc(&f->arena, g->count, sizeof *values);
    if (!values)
        return no_memory(e);
    for (size_t i = 0; i < g->count; i++)
        values[i] = g->items[i].y.mean;
    l.notes[0] = arena_printf(
        &f->arena, "distribution over %zu points, each the mean of its seeds; median %.4g%s", g->count,
        quantile_of_sorted(values, g->count, 0.5), g->count % 2 == 0 ? " (mean of the middle two)" : "");
    return st == ST_OK ? finish(&l, g, r, f, e) : st;
}

enum status figure_edf(struct store *s, const struct figure_request *r, struct figure *out, char nothing[256],
                       struct err *e)
{
    struct groups g = {.x = metric_find(METRIC_TRIAL, "model_mib")};
    enum status st = find_column("x", r->x ? r->x : "test_top1", &g.y, e);
    if (st == ST_OK)
        st = load_groups(s, r->block, false, &g, &out->arena, e);
    if (st == ST_OK && g.count > 0)
        st = draw_edf(&g, r, out, e);
    else if (st == ST_OK)
        say_nothing(&g, nothing);
    mem_free(g.items);
    return st;
}
