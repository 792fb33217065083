/* Effects: what every level of every axis does with the others held equal, axis below axis, as many as there
 * are. */
#include <math.h>
#include <string.h>

#include "base/num.h"
#include "report/figure_axes.h"

static enum status effect_data(const struct block_results *r, const struct effects *fx, struct figure *f,
                               struct err *e)
{
    static const char *const tails[] = {"mean", "stddev", "effect", "effect_ci95"};
    struct table_column *c = arena_alloc(&f->arena, 9, sizeof *c);
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
    c[8].name = "axis_p";
    f->columns = c;
    f->column_count = 9;
    for (size_t k = 0; k < r->axis_count; k++)
        for (size_t i = 0; i < r->axis[k].levels; i++) {
            const struct effects_axis *a = &fx->axes[k];
            const struct cell cells[] = {cell_text(r->axis[k].key),
                                         cell_text(r->axis[k].names[i]),
                                         cell_int((int64_t)a->level[i].n),
                                         figure_number_cell(a->level[i].mean),
                                         figure_number_cell(a->level[i].sd),
                                         figure_number_cell(a->adjusted[i]),
                                         figure_number_cell(a->half_width[i]),
                                         figure_number_cell(a->share * 100),
                                         figure_number_cell(a->p)};
            const enum status st = figure_row(f, cells, e);
            if (st != ST_OK)
                return st;
        }
    return ST_OK;
}

/* Whether a level has a place in an order, so that a line may lead to it: numbers and bins of them do. */
static bool is_ordered(const struct block_axis *a, size_t level)
{
    double number;
    return level != a->absent &&
           (a->binned ? strcmp(a->names[level], "-") != 0 : num_parse_double(a->names[level], &number));
}

/* Rows of the figure, from the top: of every axis its name and then its levels. */
struct effect_rows {
    size_t count;
    double *y;
    const char **texts;
    bool *heading;
};

static enum status start_rows(const struct block_results *r, struct effect_rows *rows, struct figure *f,
                              struct err *e)
{
    size_t all = r->axis_count;
    for (size_t k = 0; k < r->axis_count; k++)
        all += r->axis[k].levels;
    *rows = (struct effect_rows){.y = arena_alloc(&f->arena, all, sizeof *rows->y),
                                 .texts = arena_alloc(&f->arena, all, sizeof *rows->texts),
                                 .heading = arena_alloc(&f->arena, all, sizeof *rows->heading)};
    return rows->y && rows->texts && rows->heading ? ST_OK : figure_no_memory(e);
}

static void add_row(struct effect_rows *rows, const char *text, bool heading)
{
    const double last = rows->count > 0 ? rows->y[rows->count - 1] : 0;
    rows->y[rows->count] = last - (heading && rows->count > 0 ? 1.4 : 1);
    rows->texts[rows->count] = text;
    rows->heading[rows->count++] = heading;
}

/* "85 %", "0.3 %", "<0.1 %": shares below one percent are not nothing. */
static const char *share_text(double share, struct arena *arena)
{
    const double percent = share * 100;
    if (fabs(percent) < 0.05)
        return percent > 1e-7 ? "<0.1 %" : "0 %";
    return arena_printf(arena, fabs(percent) < 9.95 ? "%.1f %%" : "%.0f %%", percent);
}

/* "SR: 85 %", "lr: tied", "epochs: 12 %, partly tied" */
static const char *axis_heading(const struct block_axis *axis, const struct effects_axis *a,
                                struct arena *arena)
{
    if (a->tie == EFFECTS_TIED)
        return arena_printf(arena, "%s: tied", axis->key);
    if (isnan(a->share))
        return axis->key;
    const char *share = share_text(a->share, arena);
    return share ? arena_printf(arena, "%s: %s%s", axis->key, share,
                                a->tie == EFFECTS_PARTLY_TIED ? ", partly tied" : "")
                 : NULL;
}

/* $points, a block "mean half_width y" for each axis, in which a blank line ends a line. */
static enum status effect_points(const struct block_results *r, const struct effects *fx, struct figure *f,
                                 struct layout *l, struct err *e)
{
    struct effect_rows rows;
    const struct summary all = summarise(r->y, r->count);
    double low = all.max, high = all.min;
    enum status st = start_rows(r, &rows, f, e);
    strbuf_puts(&f->definitions, "$points << EOD\n");
    for (size_t k = 0; k < r->axis_count && st == ST_OK; k++) {
        const struct block_axis *axis = &r->axis[k];
        const struct effects_axis *a = &fx->axes[k];
        const char *heading = axis_heading(axis, a, &f->arena);
        if (!heading)
            return figure_no_memory(e);
        add_row(&rows, heading, true);
        for (size_t i = 0; i < axis->levels; i++) {
            /* Tied to others, or not set: there is only the plain mean. */
            const double at = isnan(a->adjusted[i]) ? a->level[i].mean : a->centre + a->adjusted[i],
                         half = isnan(a->half_width[i]) ? 0 : a->half_width[i];
            low = fmin(low, at - half);
            high = fmax(high, at + half);
            add_row(&rows, figure_level_name(axis->brief[i]), false);
            if (i > 0 && !(is_ordered(axis, i - 1) && is_ordered(axis, i)))
                strbuf_puts(&f->definitions, "\n");
            figure_data(f, 3, (const double[]){at, half, rows.y[rows.count - 1]}, 1);
            f->points++;
        }
        strbuf_puts(&f->definitions, "\n\n");
    }
    strbuf_puts(&f->definitions, "EOD\n");
    if (st != ST_OK)
        return st;
    figure_count(f, "axis_count", r->axis_count);
    l->rows =
        (struct row_names){.count = rows.count, .y = rows.y, .texts = rows.texts, .heading = rows.heading};
    /* Bars with little behind them reach far: not farther beyond the results than these reach. */
    const double span = all.max - all.min, least = all.min - span, most = all.max + span;
    l->notes[0] = low < least || high > most
                      ? "mean at a level with the other axes held equal; bars: 95 % interval of its effect "
                        "(Student t), cut where they reach far beyond all results"
                      : "mean at a level with the other axes held equal; bars: 95 % interval of its effect "
                        "(Student t)";
    l->x = range_around(fmax(low, least), fmin(high, most), r->metric->percent ? RANGE_PERCENT : RANGE_AMOUNT,
                        false);
    l->y = (struct range){rows.y[rows.count - 1] - 0.8, -0.4, false};
    return ST_OK;
}

static enum status draw_effects(const struct block_results *r, const struct figure_request *request,
                                struct figure *f, struct err *e)
{
    struct effects fx;
    struct layout l = {.x_title = r->metric->title, .y_title = ""};
    enum status st = block_results_effects(r, &fx, e);
    if (st == ST_OK)
        st = effect_data(r, &fx, f, e);
    if (st == ST_OK)
        st = effect_points(r, &fx, f, &l, e);
    if (st == ST_OK) {
        figure_number(f, "overall", fx.mean);
        const bool told = fx.total > 0;
        bool tied = false;
        for (size_t k = 0; k < fx.count; k++)
            tied = tied || fx.axes[k].tie != EFFECTS_FREE;
        const char *rest = told ? share_text(fx.rest / fx.total, &f->arena) : NULL,
                   *shared = told ? share_text(fx.shared / fx.total, &f->arena) : NULL;
        if (rest && shared)
            l.notes[1] = arena_printf(&f->arena,
                                      "beside an axis its share of the variance; seeds and interactions: "
                                      "%s; shared by axes: %s%s",
                                      rest, shared, tied ? "; of tied axes: plain means" : "");
        st = told && !l.notes[1] ? figure_no_memory(e) : figure_axes_finish(&l, r, request, f, e);
    }
    effects_release(&fx);
    return st;
}

enum status figure_effects(struct store *s, const struct figure_request *r, struct figure *out,
                           char nothing[256], struct err *e)
{
    return figure_of_axes(s, r, r->y, 1, draw_effects, out, nothing, e);
}
