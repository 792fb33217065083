/* Parallel coordinates: a line per point across all axes of its block, to its accuracy. */
#include <math.h>
#include <stdlib.h>

#include "base/num.h"
#include "report/figure_axes.h"

/* How values become heights 0..1 of an axis: names one above the other; many numbers by their size or by
 * their ratios, below points that have none. */
struct scale {
    bool continuous, log, has_unset;
    double low, high;
};

static double value_of(const struct block_results *r, size_t k, size_t point)
{
    double v = NAN;
    const char *text = r->axes.columns[r->column[k]].values[point];
    return text && num_parse_double(text, &v) ? v : NAN;
}

/* By ratios, if values spread more evenly so: their mean is nearer to the middle. */
static bool spread_by_ratio(const struct block_results *r, size_t k, const struct summary *mean,
                            const struct scale *s)
{
    double plain = 0, ratio = 0, n = 0;
    if (!(s->low > 0 && s->high > s->low))
        return false;
    for (size_t p = 0; p < r->axes.point_count; p++) {
        const double v = value_of(r, k, p);
        if (mean[p].n == 0 || isnan(v))
            continue;
        plain += (v - s->low) / (s->high - s->low);
        ratio += log(v / s->low) / log(s->high / s->low);
        n++;
    }
    return fabs(ratio / n - 0.5) < fabs(plain / n - 0.5);
}

static struct scale scale_of(const struct block_results *r, size_t k, const struct summary *mean)
{
    struct scale s = {.continuous = r->axis[k].binned, .low = INFINITY, .high = -INFINITY};
    for (size_t p = 0; p < r->axes.point_count && s.continuous; p++) {
        if (mean[p].n == 0)
            continue;
        const double v = value_of(r, k, p);
        s.has_unset |= isnan(v);
        s.low = fmin(s.low, v);
        s.high = fmax(s.high, v);
    }
    s.log = s.continuous && spread_by_ratio(r, k, mean, &s);
    return s;
}

/* Where a point stands on an axis. */
static double height(const struct block_results *r, const struct scale *s, size_t k, size_t point,
                     size_t observation)
{
    const double highest = s->has_unset ? 0.88 : 1, v = s->continuous ? value_of(r, k, point) : 0;
    if (!s->continuous)
        return (double)r->level[observation * r->axis_count + k] / (double)(r->axis[k].levels - 1);
    if (isnan(v))
        return 1;
    return highest * (s->log ? log(v / s->low) / log(s->high / s->low) : (v - s->low) / (s->high - s->low));
}

/* Labels beside the axes. */
struct labels {
    const char **text;
    double *x, *y;
    size_t count;
};

static enum status add_label(struct labels *l, struct figure *f, size_t axis, double y, double width,
                             const char *text, struct err *e)
{
    l->text[l->count] = text ? text_fit(&f->arena, text, 11, width) : NULL;
    if (!l->text[l->count])
        return figure_no_memory(e);
    l->x[l->count] = (double)axis + 1;
    l->y[l->count++] = y;
    return ST_OK;
}

/* All levels up to eight, else the ends; the ends of a continuous scale. */
static enum status label_axis(const struct block_results *r, const struct scale *s, size_t k, double width,
                              struct labels *l, struct figure *f, struct err *e)
{
    enum { ALL = 8 };
    const struct block_axis *axis = &r->axis[k];
    enum status st = ST_OK;
    if (s->continuous) {
        st = add_label(l, f, k, 0, width, arena_printf(&f->arena, "%.2g", s->low), e);
        if (st == ST_OK)
            st = add_label(l, f, k, s->has_unset ? 0.88 : 1, width, arena_printf(&f->arena, "%.2g", s->high),
                           e);
        return st == ST_OK && s->has_unset ? add_label(l, f, k, 1, width, "-", e) : st;
    }
    for (size_t i = 0; i < axis->levels && st == ST_OK; i++)
        if (axis->levels <= ALL || i == 0 || i + 1 == axis->levels)
            st = add_label(l, f, k, (double)i / (double)(axis->levels - 1), width, axis->brief[i], e);
    return st;
}

static enum status level_labels(const struct block_results *r, const struct scale *scales, struct figure *f,
                                struct err *e)
{
    enum { PLOT = 500, WIDEST = 120, FEWEST = 3 };
    const double width = fmin((double)PLOT / (double)(r->axis_count + 1) - 3, WIDEST);
    size_t room = 0;
    for (size_t k = 0; k < r->axis_count; k++)
        room += r->axis[k].levels + FEWEST;
    struct labels l = {.text = arena_alloc(&f->arena, room, sizeof *l.text),
                       .x = arena_alloc(&f->arena, room, sizeof *l.x),
                       .y = arena_alloc(&f->arena, room, sizeof *l.y)};
    if (!l.text || !l.x || !l.y)
        return figure_no_memory(e);
    enum status st = ST_OK;
    for (size_t k = 0; k < r->axis_count && st == ST_OK; k++)
        st = label_axis(r, &scales[k], k, width, &l, f, e);
    figure_texts(f, "level_text", l.text, l.count);
    figure_numbers(f, "level_x", l.x, l.count);
    figure_numbers(f, "level_y", l.y, l.count);
    figure_count(f, "level_count", l.count);
    return st;
}

static enum status parallel_columns(const struct block_results *r, struct figure *f, struct err *e)
{
    struct table_column *c = arena_alloc(&f->arena, r->axis_count + 2, sizeof *c);
    if (!c)
        return figure_no_memory(e);
    for (size_t k = 0; k < r->axis_count; k++) {
        c[k].name = arena_strdup(&f->arena, r->axis[k].key);
        if (!c[k].name)
            return figure_no_memory(e);
    }
    c[r->axis_count].name = "n";
    c[r->axis_count + 1].name = arena_printf(&f->arena, "%s_mean", r->metric->column);
    f->columns = c;
    f->column_count = (int)r->axis_count + 2;
    return c[r->axis_count + 1].name ? ST_OK : figure_no_memory(e);
}

/* The means of the points, beside the figure. */
static enum status parallel_rows(const struct block_results *r, const struct summary *mean, struct figure *f,
                                 struct err *e)
{
    struct cell *cells = arena_alloc(&f->arena, r->axis_count + 2, sizeof *cells);
    if (!cells)
        return figure_no_memory(e);
    enum status st = parallel_columns(r, f, e);
    for (size_t p = 0; p < r->axes.point_count && st == ST_OK; p++) {
        if (mean[p].n == 0)
            continue;
        for (size_t k = 0; k < r->axis_count; k++)
            cells[k] = cell_text(r->axes.columns[r->column[k]].values[p]);
        cells[r->axis_count] = cell_int((int64_t)mean[p].n);
        cells[r->axis_count + 1] = figure_number_cell(mean[p].mean);
        st = figure_row(f, cells, e);
        f->points++;
    }
    return st;
}

struct ranked {
    double mean;
    size_t point;
};

static int by_mean(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    return x->mean != y->mean ? (x->mean < y->mean ? -1 : 1) : x->point < y->point ? -1 : x->point > y->point;
}

/* One line per point through its values to its mean, the best last and so on top. */
static enum status parallel_lines(const struct block_results *r, const struct summary *mean,
                                  const size_t *first, const struct scale *scales, struct figure *f,
                                  struct err *e)
{
    struct ranked *order = arena_alloc(&f->arena, r->axes.point_count + 1, sizeof *order);
    if (!order)
        return figure_no_memory(e);
    size_t n = 0;
    for (size_t p = 0; p < r->axes.point_count; p++)
        if (mean[p].n > 0)
            order[n++] = (struct ranked){mean[p].mean, p};
    qsort(order, n, sizeof *order, by_mean);
    const double low = order[0].mean, high = order[n - 1].mean;
    strbuf_puts(&f->definitions, "$lines << EOD\n");
    for (size_t i = 0; i < n; i++) {
        const size_t p = order[i].point;
        for (size_t k = 0; k < r->axis_count; k++)
            figure_data(f, 3,
                        (const double[]){(double)k + 1, height(r, &scales[k], k, p, first[p]), mean[p].mean},
                        1);
        const double at = high > low ? (mean[p].mean - low) / (high - low) : 0.5;
        figure_data(f, 3, (const double[]){(double)r->axis_count + 1, at, mean[p].mean}, 1);
        strbuf_puts(&f->definitions, "\n");
    }
    strbuf_puts(&f->definitions, "EOD\n");
    return ST_OK;
}

/* Means of the observations of each point, and one observation of each. */
static enum status point_means(const struct block_results *r, struct figure *f, struct summary **mean,
                               size_t **first, struct err *e)
{
    const size_t n = r->axes.point_count;
    *mean = arena_alloc(&f->arena, n + 1, sizeof **mean);
    *first = arena_alloc(&f->arena, n + 1, sizeof **first);
    if (!*mean || !*first)
        return figure_no_memory(e);
    for (size_t i = 0; i < r->count; i++) {
        struct summary *m = &(*mean)[r->point[i]];
        m->mean = (m->mean * (double)m->n + r->y[i]) / (double)(m->n + 1);
        m->n++;
        (*first)[r->point[i]] = i;
    }
    return ST_OK;
}

static enum status draw_parallel(const struct block_results *r, const struct figure_request *request,
                                 struct figure *f, struct err *e)
{
    struct summary *mean = NULL;
    size_t *first = NULL;
    double low = INFINITY, high = -INFINITY;
    struct scale *scales = arena_alloc(&f->arena, r->axis_count + 1, sizeof *scales);
    const char **names = arena_alloc(&f->arena, r->axis_count + 1, sizeof *names);
    if (!scales || !names)
        return figure_no_memory(e);
    enum status st = point_means(r, f, &mean, &first, e);
    if (st != ST_OK || !mean || !first)
        return st;
    for (size_t p = 0; p < r->axes.point_count; p++) {
        low = mean[p].n > 0 ? fmin(low, mean[p].mean) : low;
        high = mean[p].n > 0 ? fmax(high, mean[p].mean) : high;
    }
    for (size_t k = 0; k < r->axis_count; k++) {
        scales[k] = scale_of(r, k, mean);
        names[k] = r->axis[k].key;
    }
    names[r->axis_count] = request->y ? request->y : "test_top1";
    st = parallel_rows(r, mean, f, e);
    if (st == ST_OK)
        st = parallel_lines(r, mean, first, scales, f, e);
    if (st == ST_OK)
        st = level_labels(r, scales, f, e);
    struct layout l = {.x_title = "", .y_title = ""};
    if (st == ST_OK)
        st = figure_set_ticks(&l, f, names, r->axis_count + 1, e);
    l.x = (struct range){1 - 0.05 * (double)r->axis_count, 1.05 + 1.1 * (double)r->axis_count, false};
    l.y = (struct range){-0.06, 1.06, false};
    figure_count(f, "axis_count", r->axis_count + 1);
    figure_number(f, "line_width", f->points > 100 ? 1 : 1.6);
    figure_reserve_scale(&l, f, low, high);
    l.notes[0] = arena_printf(&f->arena, "one line per point, coloured by its mean of %s", r->metric->title);
    return st == ST_OK ? figure_axes_finish(&l, r, request, f, e) : st;
}

enum status figure_parallel(struct store *s, const struct figure_request *r, struct figure *out,
                            char nothing[256], struct err *e)
{
    return figure_of_axes(s, r, 1, draw_parallel, out, nothing, e);
}
