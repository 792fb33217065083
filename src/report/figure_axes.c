/* Figures of axes: a heat map over two, the effects of each, parallel coordinates over all. */
#include <math.h>
#include <string.h>

#include "report/block_results.h"
#include "report/figures.h"
#include "report/lines.h"

static enum status no_memory(struct err *e)
{
    return err_set(e, ST_NOMEM, "cannot draw a figure: out of memory");
}

static struct cell number(double v)
{
    return isnan(v) ? cell_null() : cell_real(v);
}

typedef enum status draw_function(const struct block_results *r, const struct figure_request *request,
                                  struct figure *f, struct err *e);

/* Loads a block and draws it if it has results and `least` axes. */
static enum status with_results(struct store *s, const struct figure_request *r, size_t least,
                                draw_function *draw, struct figure *out, char nothing[256], struct err *e)
{
    struct block_results results;
    block_results_init(&results);
    enum status st = block_results_load(s, r->block, r->y ? r->y : "test_top1", &results, e);
    if (st == ST_OK && results.count == 0)
        snprintf(nothing, 256, "none of its %zu trials has such a result yet", results.trials);
    else if (st == ST_OK && results.axis_count < least)
        snprintf(nothing, 256, "it needs %s, and only %zu of the block's axes take several values",
                 least == 1 ? "an axis" : "two axes", results.axis_count);
    else if (st == ST_OK)
        st = draw(&results, r, out, e);
    block_results_release(&results);
    return st;
}

static enum status finish(struct layout *l, const struct block_results *r,
                          const struct figure_request *request, struct figure *f, struct err *e)
{
    l->title = layout_title(&f->arena, request->sweep, request->name);
    if (r->count < r->trials && !l->notes[1])
        l->notes[1] = arena_printf(&f->arena, "left out: %zu of %zu trials, which have no result",
                                   r->trials - r->count, r->trials);
    return l->title ? layout_define(l, f, e) : no_memory(e);
}

/* Room at the right for a scale of colours, where otherwise the legend is. */
static void reserve_scale(struct layout *l, struct figure *f, double low, double high)
{
    static const char *const wide[] = {"000000000"};
    l->legend_title = "";
    l->legend_count = 1;
    l->legend = wide;
    if (!(high > low)) {
        low -= 0.5;
        high += 0.5;
    }
    figure_number(f, "scale_min", low);
    figure_number(f, "scale_max", high);
}

/* Heat map */

/* The two axes to show: the wanted one and the one with the most levels, or the two with the most. */
static enum status choose_axes(const struct block_results *r, const char *wanted, size_t axis[2],
                               struct err *e)
{
    size_t order[2] = {SIZE_MAX, SIZE_MAX};
    for (size_t k = 0; wanted && k < r->axis_count; k++)
        if (strcmp(r->axis[k].key, wanted) == 0)
            order[0] = k;
    if (wanted && order[0] == SIZE_MAX)
        return err_set(e, ST_USAGE, "x: there is no axis \"%.60s\" with several values", wanted);
    for (int i = 0; i < 2; i++)
        for (size_t k = 0; k < r->axis_count; k++) {
            if (i == 0 && wanted)
                break;
            if ((i == 1 && k == order[0]) ||
                (order[i] != SIZE_MAX && r->axis[order[i]].levels >= r->axis[k].levels))
                continue;
            order[i] = k;
        }
    axis[0] = order[0];
    axis[1] = order[1];
    return ST_OK;
}

static enum status heat_columns(const struct block_results *r, const size_t axis[2], struct figure *f,
                                struct err *e)
{
    struct table_column *c = arena_alloc(&f->arena, 5, sizeof *c);
    if (!c)
        return no_memory(e);
    c[0].name = arena_strdup(&f->arena, r->axis[axis[0]].key);
    c[1].name = arena_strdup(&f->arena, r->axis[axis[1]].key);
    c[2].name = "n";
    c[3].name = arena_printf(&f->arena, "%s_mean", r->metric->column);
    c[4].name = arena_printf(&f->arena, "%s_ci95", r->metric->column);
    f->columns = c;
    f->column_count = 5;
    return c[0].name && c[1].name && c[3].name && c[4].name ? ST_OK : no_memory(e);
}

static enum status heat_cells(const struct block_results *r, const size_t axis[2], struct figure *f,
                              double *low, double *high, struct err *e)
{
    const struct block_axis *x = &r->axis[axis[0]], *y = &r->axis[axis[1]];
    double *values = arena_alloc(&f->arena, r->count, sizeof *values);
    if (!values)
        return no_memory(e);
    enum status st = heat_columns(r, axis, f, e);
    strbuf_puts(&f->definitions, "$cells << EOD\n");
    for (size_t i = 0; i < x->levels * y->levels && st == ST_OK; i++) {
        const size_t column = i % x->levels, row = i / x->levels;
        size_t n = 0;
        for (size_t k = 0; k < r->count; k++)
            if (r->level[k * r->axis_count + axis[0]] == column &&
                r->level[k * r->axis_count + axis[1]] == row)
                values[n++] = r->y[k];
        if (n == 0)
            continue;
        const struct summary mean = summarise(values, n);
        *low = fmin(*low, mean.mean);
        *high = fmax(*high, mean.mean);
        f->points++;
        figure_data(f, 3, (const double[]){(double)column + 1, (double)row + 1, mean.mean}, 1);
        st = figure_row(f,
                        (const struct cell[]){cell_text(x->names[column]), cell_text(y->names[row]),
                                              cell_int((int64_t)n), number(mean.mean),
                                              number(mean.half_width)},
                        e);
    }
    strbuf_puts(&f->definitions, "EOD\n");
    return st;
}

/* Level names beside the y axis, cut to its margin. */
static enum status define_y_levels(const struct block_axis *y, struct figure *f, struct err *e)
{
    const char **texts = arena_alloc(&f->arena, y->levels, sizeof *texts);
    for (size_t i = 0; texts && i < y->levels; i++) {
        texts[i] = text_fit(&f->arena, y->brief[i], 11, 50);
        if (!texts[i])
            return no_memory(e);
    }
    if (!texts)
        return no_memory(e);
    figure_texts(f, "y_level", texts, y->levels);
    figure_count(f, "y_levels", y->levels);
    return ST_OK;
}

static enum status set_ticks(struct layout *l, struct figure *f, const char *const *names, size_t count,
                             struct err *e)
{
    double *x = arena_alloc(&f->arena, count, sizeof *x);
    if (!x)
        return no_memory(e);
    for (size_t i = 0; i < count; i++)
        x[i] = (double)i + 1;
    l->ticks = (struct ticks){.title = "", .count = count, .x = x, .texts = names};
    return ST_OK;
}

static enum status draw_heatmap(const struct block_results *r, const struct figure_request *request,
                                struct figure *f, struct err *e)
{
    size_t axis[2] = {0, 1};
    double low = INFINITY, high = -INFINITY;
    enum status st = choose_axes(r, request->x, axis, e);
    if (st == ST_OK)
        st = heat_cells(r, axis, f, &low, &high, e);
    if (st == ST_OK)
        st = define_y_levels(&r->axis[axis[1]], f, e);
    const struct block_axis *x = &r->axis[axis[0]];
    struct layout l = {.x_title = x->key, .y_title = r->axis[axis[1]].key};
    if (st == ST_OK)
        st = set_ticks(&l, f, x->names, x->levels, e);
    if (st != ST_OK)
        return st;
    l.x = (struct range){0.5, (double)x->levels + 0.5, false};
    l.y = (struct range){0.5, (double)r->axis[axis[1]].levels + 0.5, false};
    figure_count(f, "x_levels", x->levels);
    reserve_scale(&l, f, low, high);
    l.notes[0] =
        arena_printf(&f->arena, "%s%s", r->metric->title,
                     r->axis_count > 2 ? ", mean over seeds and the other axes" : ", mean over seeds");
    return finish(&l, r, request, f, e);
}

enum status figure_heatmap(struct store *s, const struct figure_request *r, struct figure *out,
                           char nothing[256], struct err *e)
{
    return with_results(s, r, 2, draw_heatmap, out, nothing, e);
}

/* Effects */

static enum status effect_rows(const struct block_results *r, const struct effects *fx, struct figure *f,
                               struct err *e)
{
    static const char *const tails[] = {"mean", "stddev", "ci95", "effect"};
    struct table_column *c = arena_alloc(&f->arena, 8, sizeof *c);
    if (!c)
        return no_memory(e);
    c[0].name = "axis";
    c[1].name = "level";
    c[2].name = "n";
    for (int i = 0; i < 4; i++) {
        c[3 + i].name = arena_printf(&f->arena, "%s_%s", r->metric->column, tails[i]);
        if (!c[3 + i].name)
            return no_memory(e);
    }
    c[7].name = "axis_share_pct";
    f->columns = c;
    f->column_count = 8;
    for (size_t k = 0; k < r->axis_count; k++)
        for (size_t i = 0; i < r->axis[k].levels; i++) {
            const struct effects_axis *a = &fx->axes[k];
            const struct cell cells[] = {cell_text(r->axis[k].key),        cell_text(r->axis[k].names[i]),
                                         cell_int((int64_t)a->level[i].n), number(a->level[i].mean),
                                         number(a->level[i].sd),           number(a->level[i].half_width),
                                         number(a->adjusted[i]),           number(a->share * 100)};
            const enum status st = figure_row(f, cells, e);
            if (st != ST_OK)
                return st;
        }
    return ST_OK;
}

/* Level by level, a gap between axes. */
static enum status effect_points(const struct block_results *r, const struct effects *fx, struct figure *f,
                                 struct layout *l, struct err *e)
{
    size_t all = 0, n = 0;
    for (size_t k = 0; k < r->axis_count; k++)
        all += r->axis[k].levels;
    struct line_point *points = arena_alloc(&f->arena, all, sizeof *points);
    double *places = arena_alloc(&f->arena, all, sizeof *places),
           *merit = arena_alloc(&f->arena, r->axis_count, sizeof *merit);
    const char **texts = arena_alloc(&f->arena, all, sizeof *texts),
               **labels = arena_alloc(&f->arena, r->axis_count, sizeof *labels);
    if (!points || !places || !merit || !texts || !labels)
        return no_memory(e);
    for (size_t k = 0; k < r->axis_count; k++) {
        const struct effects_axis *a = &fx->axes[k];
        merit[k] = a->share;
        labels[k] = a->confounded ? arena_printf(&f->arena, "%s: tied", r->axis[k].key)
                    : isnan(a->share)
                        ? r->axis[k].key
                        : arena_printf(&f->arena, "%.0f %%  %s", a->share * 100, r->axis[k].key);
        if (!labels[k])
            return no_memory(e);
        for (size_t i = 0; i < r->axis[k].levels; i++, n++) {
            places[n] = (double)(n + k) + 1;
            texts[n] = r->axis[k].brief[i];
            points[n] = (struct line_point){k, places[n], a->level[i]};
        }
    }
    l->ticks = (struct ticks){.title = "", .count = n, .x = places, .texts = texts};
    lines_ranges(l, points, n, RANGE_AMOUNT, r->metric->percent ? RANGE_PERCENT : RANGE_AMOUNT, true);
    l->x = (struct range){0.4, places[n - 1] + 0.6, false};
    const enum status st = lines_define(f, l, points, n, labels, merit, r->axis_count, e);
    l->legend_count = l->legend_count ? l->legend_count : 1; /* a lone axis has a name too */
    return st;
}

static enum status draw_effects(const struct block_results *r, const struct figure_request *request,
                                struct figure *f, struct err *e)
{
    struct effects fx;
    struct layout l = {
        .x_title = "levels of the axes", .y_title = r->metric->title, .legend_title = "share of variance"};
    enum status st = block_results_effects(r, &fx, e);
    if (st == ST_OK)
        st = effect_rows(r, &fx, f, e);
    if (st == ST_OK)
        st = effect_points(r, &fx, f, &l, e);
    if (st == ST_OK) {
        figure_number(f, "overall", fx.mean);
        l.notes[0] = "mean of all trials at a level; bars: 95 % confidence interval of the mean (Student t)";
        const bool told = fx.total > 0;
        if (told)
            l.notes[1] = arena_printf(
                &f->arena, "seeds and interactions: %.0f %% of the variance; shared by axes: %.0f %%",
                fx.rest / fx.total * 100,
                fabs(fx.shared) < 0.005 * fx.total ? 0 : fx.shared / fx.total * 100);
        st = told && !l.notes[1] ? no_memory(e) : finish(&l, r, request, f, e);
    }
    effects_release(&fx);
    return st;
}

enum status figure_effects(struct store *s, const struct figure_request *r, struct figure *out,
                           char nothing[256], struct err *e)
{
    return with_results(s, r, 1, draw_effects, out, nothing, e);
}

/* Parallel coordinates */

/* Where an observation's point stands on an axis: 0..1 by its level. */
static double level_height(const struct block_results *r, size_t observation, size_t k)
{
    return (double)r->level[observation * r->axis_count + k] / (double)(r->axis[k].levels - 1);
}

/* Names of levels beside each axis: all up to eight, else the ends. */
static enum status level_labels(const struct block_results *r, struct figure *f, struct err *e)
{
    enum { ALL = 8, PLOT = 500, WIDEST = 120 };
    const double width = fmin((double)PLOT / (double)(r->axis_count + 1) - 8, WIDEST);
    size_t n = 0, room = 0;
    for (size_t k = 0; k < r->axis_count; k++)
        room += r->axis[k].levels;
    const char **texts = arena_alloc(&f->arena, room, sizeof *texts);
    double *x = arena_alloc(&f->arena, room, sizeof *x), *y = arena_alloc(&f->arena, room, sizeof *y);
    if (!texts || !x || !y)
        return no_memory(e);
    for (size_t k = 0; k < r->axis_count; k++)
        for (size_t i = 0; i < r->axis[k].levels; i++) {
            if (r->axis[k].levels > ALL && i > 0 && i + 1 < r->axis[k].levels)
                continue;
            texts[n] = text_fit(&f->arena, r->axis[k].brief[i], 11, width);
            if (!texts[n])
                return no_memory(e);
            x[n] = (double)k + 1;
            y[n++] = (double)i / (double)(r->axis[k].levels - 1);
        }
    figure_texts(f, "level_text", texts, n);
    figure_numbers(f, "level_x", x, n);
    figure_numbers(f, "level_y", y, n);
    figure_count(f, "level_count", n);
    return ST_OK;
}

static enum status parallel_columns(const struct block_results *r, struct figure *f, struct err *e)
{
    struct table_column *c = arena_alloc(&f->arena, r->axis_count + 2, sizeof *c);
    if (!c)
        return no_memory(e);
    for (size_t k = 0; k < r->axis_count; k++) {
        c[k].name = arena_strdup(&f->arena, r->axis[k].key);
        if (!c[k].name)
            return no_memory(e);
    }
    c[r->axis_count].name = "n";
    c[r->axis_count + 1].name = arena_printf(&f->arena, "%s_mean", r->metric->column);
    f->columns = c;
    f->column_count = (int)r->axis_count + 2;
    return c[r->axis_count + 1].name ? ST_OK : no_memory(e);
}

/* One line per point of the block, drawn through its levels to its mean. */
static enum status parallel_lines(const struct block_results *r, const struct summary *mean,
                                  const size_t *first, double low, double high, struct figure *f,
                                  struct err *e)
{
    struct cell *cells = arena_alloc(&f->arena, r->axis_count + 2, sizeof *cells);
    if (!cells)
        return no_memory(e);
    enum status st = parallel_columns(r, f, e);
    strbuf_puts(&f->definitions, "$lines << EOD\n");
    for (size_t p = 0; p < r->axes.point_count && st == ST_OK; p++) {
        if (mean[p].n == 0)
            continue;
        for (size_t k = 0; k < r->axis_count; k++) {
            figure_data(f, 3, (const double[]){(double)k + 1, level_height(r, first[p], k), mean[p].mean}, 1);
            cells[k] = cell_text(r->axes.columns[r->column[k]].values[p]);
        }
        const double height = high > low ? (mean[p].mean - low) / (high - low) : 0.5;
        figure_data(f, 3, (const double[]){(double)r->axis_count + 1, height, mean[p].mean}, 1);
        strbuf_puts(&f->definitions, "\n");
        cells[r->axis_count] = cell_int((int64_t)mean[p].n);
        cells[r->axis_count + 1] = number(mean[p].mean);
        st = figure_row(f, cells, e);
        f->points++;
    }
    strbuf_puts(&f->definitions, "EOD\n");
    return st;
}

/* Means of the observations of each point, and one observation of each. */
static enum status point_means(const struct block_results *r, struct figure *f, struct summary **mean,
                               size_t **first, struct err *e)
{
    const size_t n = r->axes.point_count;
    *mean = arena_alloc(&f->arena, n + 1, sizeof **mean);
    *first = arena_alloc(&f->arena, n + 1, sizeof **first);
    if (!*mean || !*first)
        return no_memory(e);
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
    const char **names = arena_alloc(&f->arena, r->axis_count + 1, sizeof *names);
    if (!names)
        return no_memory(e);
    enum status st = point_means(r, f, &mean, &first, e);
    if (st != ST_OK || !mean || !first)
        return st;
    for (size_t p = 0; st == ST_OK && p < r->axes.point_count; p++)
        if (mean[p].n > 0) {
            low = fmin(low, mean[p].mean);
            high = fmax(high, mean[p].mean);
        }
    if (st == ST_OK)
        st = parallel_lines(r, mean, first, low, high, f, e);
    if (st == ST_OK)
        st = level_labels(r, f, e);
    if (st != ST_OK)
        return st;
    for (size_t k = 0; k < r->axis_count; k++)
        names[k] = r->axis[k].key;
    names[r->axis_count] = request->y ? request->y : "test_top1";
    struct layout l = {.x_title = "", .y_title = ""};
    st = set_ticks(&l, f, names, r->axis_count + 1, e);
    l.x = (struct range){1 - 0.05 * (double)r->axis_count, 1.05 + 1.1 * (double)r->axis_count, false};
    l.y = (struct range){-0.06, 1.06, false};
    figure_count(f, "axis_count", r->axis_count + 1);
    reserve_scale(&l, f, low, high);
    l.notes[0] = arena_printf(&f->arena, "one line per point, coloured by its mean of %s", r->metric->title);
    return st == ST_OK ? finish(&l, r, request, f, e) : st;
}

enum status figure_parallel(struct store *s, const struct figure_request *r, struct figure *out,
                            char nothing[256], struct err *e)
{
    return with_results(s, r, 1, draw_parallel, out, nothing, e);
}
