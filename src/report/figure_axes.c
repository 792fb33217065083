/* Figures of axes: a heat map over two, the effects of each. */
#include <math.h>
#include <string.h>

#include "report/figure_axes.h"
#include "report/lines.h"

enum status figure_no_memory(struct err *e)
{
    return err_set(e, ST_NOMEM, "cannot draw a figure: out of memory");
}

struct cell figure_number_cell(double v)
{
    return isnan(v) ? cell_null() : cell_real(v);
}

/* Loads a block and draws it if it has results and `least` axes. */
enum status figure_of_axes(struct store *s, const struct figure_request *r, size_t least,
                           figure_draw_axes *draw, struct figure *out, char nothing[256], struct err *e)
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

enum status figure_axes_finish(struct layout *l, const struct block_results *r,
                               const struct figure_request *request, struct figure *f, struct err *e)
{
    l->title = layout_title(&f->arena, request->sweep, request->name);
    if (r->count < r->trials && !l->notes[1])
        l->notes[1] = arena_printf(&f->arena, "left out: %zu of %zu trials, which have no result",
                                   r->trials - r->count, r->trials);
    return l->title ? layout_define(l, f, e) : figure_no_memory(e);
}

/* Room at the right for a scale of colours, where otherwise the legend is. */
void figure_reserve_scale(struct layout *l, struct figure *f, double low, double high)
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
        return figure_no_memory(e);
    c[0].name = arena_strdup(&f->arena, r->axis[axis[0]].key);
    c[1].name = arena_strdup(&f->arena, r->axis[axis[1]].key);
    c[2].name = "n";
    c[3].name = arena_printf(&f->arena, "%s_mean", r->metric->column);
    c[4].name = arena_printf(&f->arena, "%s_ci95", r->metric->column);
    f->columns = c;
    f->column_count = 5;
    return c[0].name && c[1].name && c[3].name && c[4].name ? ST_OK : figure_no_memory(e);
}

static enum status heat_cells(const struct block_results *r, const size_t axis[2], struct figure *f,
                              double *low, double *high, struct err *e)
{
    const struct block_axis *x = &r->axis[axis[0]], *y = &r->axis[axis[1]];
    double *values = arena_alloc(&f->arena, r->count, sizeof *values);
    if (!values)
        return figure_no_memory(e);
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
                                              cell_int((int64_t)n), figure_number_cell(mean.mean),
                                              figure_number_cell(mean.half_width)},
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
            return figure_no_memory(e);
    }
    if (!texts)
        return figure_no_memory(e);
    figure_texts(f, "y_level", texts, y->levels);
    figure_count(f, "y_levels", y->levels);
    return ST_OK;
}

enum status figure_set_ticks(struct layout *l, struct figure *f, const char *const *names, size_t count,
                             struct err *e)
{
    double *x = arena_alloc(&f->arena, count, sizeof *x);
    if (!x)
        return figure_no_memory(e);
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
        st = figure_set_ticks(&l, f, x->names, x->levels, e);
    if (st != ST_OK)
        return st;
    l.x = (struct range){0.5, (double)x->levels + 0.5, false};
    l.y = (struct range){0.5, (double)r->axis[axis[1]].levels + 0.5, false};
    figure_count(f, "x_levels", x->levels);
    figure_reserve_scale(&l, f, low, high);
    l.notes[0] =
        arena_printf(&f->arena, "%s%s", r->metric->title,
                     r->axis_count > 2 ? ", mean over seeds and the other axes" : ", mean over seeds");
    return figure_axes_finish(&l, r, request, f, e);
}

enum status figure_heatmap(struct store *s, const struct figure_request *r, struct figure *out,
                           char nothing[256], struct err *e)
{
    return figure_of_axes(s, r, 2, draw_heatmap, out, nothing, e);
}

/* Effects */

static enum status effect_rows(const struct block_results *r, const struct effects *fx, struct figure *f,
                               struct err *e)
{
    static const char *const tails[] = {"mean", "stddev", "ci95", "effect"};
    struct table_column *c = arena_alloc(&f->arena, 8, sizeof *c);
    if (!c)
        return figure_no_memory(e);
    c[0].name = "axis";
    c[1].name = "level";
    c[2].name = "n";
    for (int i = 0; i < 4; i++) {
        c[3 + i].name = arena_printf(&f->arena, "%s_%s", r->metric->column, tails[i]);
        if (!c[3 + i].name)
            return figure_no_memory(e);
    }
    c[7].name = "axis_share_pct";
    f->columns = c;
    f->column_count = 8;
    for (size_t k = 0; k < r->axis_count; k++)
        for (size_t i = 0; i < r->axis[k].levels; i++) {
            const struct effects_axis *a = &fx->axes[k];
            const struct cell cells[] = {
                cell_text(r->axis[k].key),          cell_text(r->axis[k].names[i]),
                cell_int((int64_t)a->level[i].n),   figure_number_cell(a->level[i].mean),
                figure_number_cell(a->level[i].sd), figure_number_cell(a->level[i].half_width),
                figure_number_cell(a->adjusted[i]), figure_number_cell(a->share * 100)};
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
        return figure_no_memory(e);
    for (size_t k = 0; k < r->axis_count; k++) {
        const struct effects_axis *a = &fx->axes[k];
        merit[k] = a->share;
        labels[k] = a->confounded ? arena_printf(&f->arena, "%s: tied", r->axis[k].key)
                    : isnan(a->share)
                        ? r->axis[k].key
                        : arena_printf(&f->arena, "%.0f %%  %s", a->share * 100, r->axis[k].key);
        if (!labels[k])
            return figure_no_memory(e);
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
        st = told && !l.notes[1] ? figure_no_memory(e) : figure_axes_finish(&l, r, request, f, e);
    }
    effects_release(&fx);
    return st;
}

enum status figure_effects(struct store *s, const struct figure_request *r, struct figure *out,
                           char nothing[256], struct err *e)
{
    return figure_of_axes(s, r, 1, draw_effects, out, nothing, e);
}
