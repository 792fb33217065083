/* Parallel coordinates: a line per point down all axes of its block, which lie one below the other so that
 * their values have room, to its accuracy. */
#include <math.h>
#include <stdlib.h>

#include "base/num.h"
#include "report/figure_axes.h"
#include "report/text.h"

/* How values become places 0..1 along an axis: levels side by side, each as wide as its points need to be
 * told apart; many numbers by their size or by their ratios, and points that have none behind them. */
#define BEFORE_UNSET 0.88
#define LEVEL_FILL 0.6 /* of the room of a level, what its points take */
struct scale {
    bool continuous, log, has_unset;
    double low, high;
    size_t *points, *placed; /* of each level: its points, and those that have their place already */
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

static double level_centre(const struct block_axis *axis, size_t level)
{
    return ((double)level + 0.5) / (double)axis->levels;
}

/* Where a point stands on an axis. Points of a level stand beside each other, in the order in which they
 * come: one line would hide all others. */
static double place(const struct block_results *r, const struct scale *s, size_t k, size_t point,
                    size_t observation)
{
    const double highest = s->has_unset ? BEFORE_UNSET : 1, v = s->continuous ? value_of(r, k, point) : 0;
    if (!s->continuous) {
        const size_t level = r->level[observation * r->axis_count + k];
        const double n = (double)s->points[level], at = ((double)s->placed[level]++ + 0.5) / n - 0.5;
        return level_centre(&r->axis[k], level) + at * LEVEL_FILL / (double)r->axis[k].levels;
    }
    if (isnan(v))
        return 1;
    return highest * (s->log ? log(v / s->low) / log(s->high / s->low) : (v - s->low) / (s->high - s->low));
}

/* Labels below the axes. */
struct labels {
    const char **text;
    double *x, *y, *line; /* y: of the axis; line: 0 or 1, how far below it */
    size_t count, axes;   /* axes: all, with that of the results */
    bool two_lines;       /* of some axis */
    bool cut;             /* a level has no room for its label */
};

/* What an axis may be labelled with, before it is known what has room: n texts, ascending. */
struct marks {
    size_t n;
    double *x;
    const char **text;
};

enum { LEVEL_FONT = 11, LEVEL_WIDTH = 130, LEVEL_GAP = 8, MARKS_LEAST = 16 };
/* About the pixels of an axis beside the longest names. */
enum { AXIS_PIXELS = 400 };

static enum status add_marks(struct labels *l, size_t axis, const struct marks *m, struct figure *f,
                             struct err *e)
{
    double *half = arena_alloc(&f->arena, m->n + 1, sizeof *half);
    int *row = arena_alloc(&f->arena, m->n + 1, sizeof *row);
    const char **text = arena_alloc(&f->arena, m->n + 1, sizeof *text);
    bool complete = half && row && text;
    for (size_t i = 0; i < m->n; i++)
        complete = complete && m->text[i];
    if (!complete || !texts_fit(&f->arena, m->text, m->n, LEVEL_FONT, LEVEL_WIDTH, text))
        return figure_no_memory(e);
    for (size_t i = 0; i < m->n; i++)
        half[i] = (text_pixels(text[i], LEVEL_FONT) + LEVEL_GAP) / 2 / AXIS_PIXELS;
    labels_place(m->x, half, m->n, 2, row);
    for (size_t i = 0; i < m->n; i++) {
        l->cut = l->cut || (row[i] < 0 && axis + 1 < l->axes); /* numbers of the results explain themselves */
        if (row[i] < 0)
            continue;
        l->text[l->count] = text[i];
        l->x[l->count] = m->x[i];
        l->line[l->count] = row[i];
        l->y[l->count++] = (double)(l->axes - axis);
        l->two_lines = l->two_lines || row[i] > 0;
    }
    return ST_OK;
}

/* The ends and the middle of a continuous scale, or all levels. */
static void mark_axis(const struct block_results *r, const struct scale *s, size_t k, struct marks *m,
                      struct arena *arena)
{
    const struct block_axis *axis = &r->axis[k];
    const double highest = s->has_unset ? BEFORE_UNSET : 1;
    m->n = 0;
    for (int i = 0; s->continuous && i < 3; i++) {
        const double share = i / 2.0;
        const double v = s->log ? s->low * pow(s->high / s->low, share) : s->low + share * (s->high - s->low);
        m->x[m->n] = share * highest;
        m->text[m->n++] = arena_printf(arena, fabs(v) < 100 ? "%.2g" : "%.0f", v);
    }
    if (s->continuous && s->has_unset) {
        m->x[m->n] = 1;
        m->text[m->n++] = figure_level_name("-");
    }
    for (size_t i = 0; !s->continuous && i < axis->levels; i++) {
        m->x[m->n] = level_centre(axis, i);
        m->text[m->n++] = figure_level_name(axis->brief[i]);
    }
}

/* Numbers along the axis of results. */
static void mark_results(double low, double high, struct marks *m, struct arena *arena)
{
    const struct range range = {low, high, false};
    m->n = 0;
    if (!(high > low)) {
        m->x[m->n] = 0.5;
        m->text[m->n++] = arena_printf(arena, "%.4g", low);
        return;
    }
    const double step = range_step(&range, AXIS_PIXELS), first = ceil(low / step);
    for (int n = 0; n < MARKS_LEAST && (first + n) * step <= high; n++) {
        m->x[m->n] = range_fraction(&range, (first + n) * step);
        m->text[m->n++] = arena_printf(arena, "%g", (first + n) * step);
    }
}

static enum status level_labels(const struct block_results *r, const struct scale *scales, double low,
                                double high, struct figure *f, struct labels *out, struct err *e)
{
    size_t most = MARKS_LEAST, room = MARKS_LEAST;
    for (size_t k = 0; k < r->axis_count; k++) {
        most = r->axis[k].levels > most ? r->axis[k].levels : most;
        room += r->axis[k].levels + MARKS_LEAST;
    }
    struct marks m = {.x = arena_alloc(&f->arena, most, sizeof *m.x),
                      .text = arena_alloc(&f->arena, most, sizeof *m.text)};
    struct labels l = {.text = arena_alloc(&f->arena, room, sizeof *l.text),
                       .x = arena_alloc(&f->arena, room, sizeof *l.x),
                       .y = arena_alloc(&f->arena, room, sizeof *l.y),
                       .line = arena_alloc(&f->arena, room, sizeof *l.line),
                       .axes = r->axis_count + 1};
    if (!m.x || !m.text || !l.text || !l.x || !l.y || !l.line)
        return figure_no_memory(e);
    enum status st = ST_OK;
    for (size_t k = 0; k < r->axis_count && st == ST_OK; k++) {
        mark_axis(r, &scales[k], k, &m, &f->arena);
        st = add_marks(&l, k, &m, f, e);
    }
    mark_results(low, high, &m, &f->arena);
    if (st == ST_OK)
        st = add_marks(&l, r->axis_count, &m, f, e);
    *out = l;
    figure_texts(f, "level_text", l.text, l.count);
    figure_numbers(f, "level_x", l.x, l.count);
    figure_numbers(f, "level_y", l.y, l.count);
    figure_numbers(f, "level_line", l.line, l.count);
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

/* One line per point through its values to its mean, the best last and so on top; of very many points some,
 * evenly from the worst to the best. */
static enum status parallel_lines(const struct block_results *r, const struct summary *mean,
                                  const size_t *first, const struct scale *scales, struct figure *f,
                                  size_t *drawn, struct err *e)
{
    enum { LINES_MOST = 500 };
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
    *drawn = n < LINES_MOST ? n : LINES_MOST;
    for (size_t i = 0; i < *drawn; i++)
        order[i] = order[n <= LINES_MOST ? i : i * (n - 1) / (LINES_MOST - 1)];
    for (size_t i = 0; i < *drawn; i++)
        for (size_t k = 0; k < r->axis_count; k++)
            scales[k].points[r->level[first[order[i].point] * r->axis_count + k]]++;
    for (size_t i = 0; i < *drawn; i++) {
        const size_t p = order[i].point;
        for (size_t k = 0; k < r->axis_count; k++)
            figure_data(f, 3,
                        (const double[]){place(r, &scales[k], k, p, first[p]),
                                         (double)(r->axis_count + 1 - k), mean[p].mean},
                        1);
        const double at = high > low ? (mean[p].mean - low) / (high - low) : 0.5;
        figure_data(f, 3, (const double[]){at, 1, mean[p].mean}, 1);
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

/* Names of the axes, from the top; the last is that of the results. */
static enum status name_axes(const struct block_results *r, bool two_lines, struct layout *l,
                             struct figure *f, struct err *e)
{
    enum { PIXELS = 42, LINE_PIXELS = 14 }; /* from axis to axis, and more for a second line of labels */
    const size_t n = r->axis_count + 1;
    const char **names = arena_alloc(&f->arena, n, sizeof *names);
    double *y = arena_alloc(&f->arena, n, sizeof *y);
    if (!names || !y)
        return figure_no_memory(e);
    for (size_t k = 0; k < n; k++) {
        names[k] = k < r->axis_count ? r->axis[k].key : r->metric->title;
        y[k] = (double)(n - k);
    }
    l->rows = (struct row_names){
        .count = n, .pixels = PIXELS + (two_lines ? LINE_PIXELS : 0), .y = y, .texts = names};
    l->x = (struct range){-0.1, 1.1, false};
    l->y = (struct range){0.95, (double)n + 0.15, false};
    figure_count(f, "axis_count", n);
    return ST_OK;
}

static enum status draw_parallel(const struct block_results *r, const struct figure_request *request,
                                 struct figure *f, struct err *e)
{
    struct summary *mean = NULL;
    size_t *first = NULL;
    double low = INFINITY, high = -INFINITY;
    struct labels labels = {.count = 0};
    size_t drawn = 0;
    struct layout l = {.x_title = "", .y_title = ""};
    struct scale *scales = arena_alloc(&f->arena, r->axis_count + 1, sizeof *scales);
    if (!scales)
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
        scales[k].points = arena_alloc(&f->arena, r->axis[k].levels, sizeof *scales[k].points);
        scales[k].placed = arena_alloc(&f->arena, r->axis[k].levels, sizeof *scales[k].placed);
        if (!scales[k].points || !scales[k].placed)
            return figure_no_memory(e);
    }
    st = parallel_rows(r, mean, f, e);
    if (st == ST_OK)
        st = parallel_lines(r, mean, first, scales, f, &drawn, e);
    if (st == ST_OK)
        st = level_labels(r, scales, low, high, f, &labels, e);
    if (st == ST_OK)
        st = name_axes(r, labels.two_lines, &l, f, e);
    figure_number(f, "line_width", f->points > 100 ? 1 : 1.6);
    figure_number(f, "scale_min", high > low ? low : low - 0.5);
    figure_number(f, "scale_max", high > low ? high : high + 0.5);
    static const char one[] = "one line per point, coloured by its mean, which is where it ends; those of a "
                              "level side by side, the highest right";
    l.notes[0] = drawn < f->points
                     ? arena_printf(&f->arena, "%s; %zu of %zu points, from the worst to the best", one,
                                    drawn, f->points)
                     : one;
    l.notes[1] = labels.cut ? "some levels have no room for their names, which are in the data" : NULL;
    if (!l.notes[0])
        return figure_no_memory(e);
    return st == ST_OK ? figure_axes_finish(&l, r, request, f, e) : st;
}

enum status figure_parallel(struct store *s, const struct figure_request *r, struct figure *out,
                            char nothing[256], struct err *e)
{
    return figure_of_axes(s, r, r->y, 1, draw_parallel, out, nothing, e);
}
