/* One line per variant over epochs. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/figures.h"
#include "report/learning.h"
#include "report/lines.h"
#include "report/text.h"

static enum status no_memory(struct err *e)
{
    return err_set(e, ST_NOMEM, "cannot draw learning curves: out of memory");
}

static enum status define_data(const struct learning *c, struct figure *f, struct err *e)
{
    enum status status = lines_columns(f, &c->axes, "epoch", c->metric, true, e);
    for (size_t i = 0; i < c->count && status == ST_OK; i++) {
        const struct learning_epoch *p = &c->epochs[i];
        status = lines_row(f, &c->axes, p->point, cell_int(p->epoch), &p->y, &c->trained[p->point], e);
    }
    return status;
}

/* The values of a line's axes; or, where those of many axes would be cut so that they look alike, numbers. */
static enum status define_labels(struct learning *c, struct figure *f, struct layout *l, const char **labels,
                                 struct err *e)
{
    const size_t lines = c->axes.point_count;
    struct line_identity *ids = arena_alloc(&f->arena, lines, sizeof *ids);
    bool fit = true;
    if (!ids)
        return no_memory(e);
    for (size_t i = 0; i < lines; i++) {
        labels[i] = lines_label(&c->axes, AXES_ALL, i, &f->arena);
        const char *brief = labels[i] && fit ? text_brief(&f->arena, labels[i]) : labels[i];
        if (!brief)
            return no_memory(e);
        fit = fit && legend_fits(brief);
        ids[i] = c->trained[i];
    }
    l->legend_title = fit ? lines_label_title(&c->axes, AXES_ALL) : "number in the database";
    const bool recipes = !fit && lines_share_variants(ids, lines);
    for (size_t i = 0; i < lines && !fit; i++)
        if (!(labels[i] = lines_number(&c->trained[i], recipes, &f->arena)))
            return no_memory(e);
    return l->legend_title ? ST_OK : no_memory(e);
}

/* More lines than CROWD cannot be followed: their quartiles tell what they do. More than DRAWN take long to
 * draw and show no more than a choice of them from the best to the worst. */
enum { CROWD = 40, DRAWN = 300, DRAWN_BEST = 12 };

/* The points of a crowd, which has them over several epochs. */
static bool is_crowded(const struct learning *c)
{
    bool several = false;
    for (size_t i = 1; i < c->count; i++)
        several = several || c->epochs[i].epoch != c->epochs[0].epoch;
    return several && c->axes.point_count > CROWD;
}

static int by_epoch(const void *a, const void *b)
{
    const struct learning_epoch *p = a, *q = b;
    if (p->epoch != q->epoch)
        return p->epoch < q->epoch ? -1 : 1;
    return (p->y.mean > q->y.mean) - (p->y.mean < q->y.mean);
}

/* $quartiles: "epoch 25% 50% 75%" of the lines that have the epoch; `crowded` says whether there are any. */
static enum status define_quartiles(const struct learning *c, struct figure *f, struct err *e)
{
    const bool crowded = is_crowded(c);
    struct learning_epoch *sorted = arena_alloc(&f->arena, c->count, sizeof *sorted);
    double *values = arena_alloc(&f->arena, c->count, sizeof *values);
    if (!sorted || !values)
        return no_memory(e);
    figure_count(f, "crowded", crowded);
    strbuf_puts(&f->definitions, "$quartiles << EOD\n");
    for (size_t i = 0; i < c->count; i++)
        sorted[i] = c->epochs[i];
    qsort(sorted, c->count, sizeof *sorted, by_epoch);
    for (size_t first = 0, next; crowded && first < c->count; first = next) {
        for (next = first; next < c->count && sorted[next].epoch == sorted[first].epoch; next++)
            values[next - first] = sorted[next].y.mean;
        const double row[] = {(double)sorted[first].epoch, quantile_of_sorted(values, next - first, 0.25),
                              quantile_of_sorted(values, next - first, 0.5),
                              quantile_of_sorted(values, next - first, 0.75)};
        figure_data(f, 4, row, 1);
    }
    strbuf_puts(&f->definitions, crowded ? "EOD\n" : "0 0 0 0\nEOD\n");
    return ST_OK;
}

/* What is drawn. */
struct drawn {
    size_t count, lines;
    struct line_point *points;
    const char **labels;
    double *merit;
};

struct ranked_line {
    size_t line;
    double merit;
};

static int by_merit(const void *a, const void *b)
{
    const struct ranked_line *p = a, *q = b;
    if (p->merit != q->merit)
        return p->merit > q->merit ? -1 : 1;
    return (p->line > q->line) - (p->line < q->line);
}

/* Leaves of too many lines the best and a choice of all from the best to the worst, in their order. */
static enum status thin_lines(struct drawn *d, struct arena *arena, struct err *e)
{
    enum { GONE = -1 };
    const size_t n = d->lines;
    struct ranked_line *ranked = arena_alloc(arena, n, sizeof *ranked);
    int64_t *place = arena_alloc(arena, n, sizeof *place);
    if (!ranked || !place)
        return no_memory(e);
    for (size_t i = 0; i < n; i++) {
        ranked[i] = (struct ranked_line){i, d->merit[i]};
        place[i] = n <= DRAWN ? 0 : GONE;
    }
    qsort(ranked, n, sizeof *ranked, by_merit);
    for (size_t i = 0; n > DRAWN && i < DRAWN; i++)
        place[ranked[i < DRAWN_BEST ? i : i * (n - 1) / (DRAWN - 1)].line] = 0;
    d->lines = 0;
    for (size_t i = 0; i < n; i++) {
        if (place[i] == GONE)
            continue;
        d->labels[d->lines] = d->labels[i];
        d->merit[d->lines] = d->merit[i];
        place[i] = (int64_t)d->lines++;
    }
    size_t kept = 0;
    for (size_t i = 0; i < d->count; i++)
        if (place[d->points[i].line] != GONE) {
            d->points[kept] = d->points[i];
            d->points[kept].line = (size_t)place[d->points[i].line];
            kept++;
        }
    d->count = kept;
    return ST_OK;
}

/* A line per point; the last epoch tells which are the best. */
static enum status define_lines(struct learning *c, struct figure *f, struct layout *l, struct err *e)
{
    size_t lines = c->axes.point_count;
    struct line_point *points = arena_alloc(&f->arena, c->count, sizeof *points);
    double *merit = arena_alloc(&f->arena, lines, sizeof *merit);
    const char **labels = arena_alloc(&f->arena, lines, sizeof *labels);
    if (!points || !merit || !labels)
        return no_memory(e);
    double last = 1;
    for (size_t i = 0; i < c->count; i++) {
        const struct learning_epoch *p = &c->epochs[i];
        points[i] = (struct line_point){p->point, (double)p->epoch, p->y};
        merit[p->point] = c->metric->lower_is_better ? -p->y.mean : p->y.mean;
        last = fmax(last, (double)p->epoch);
    }
    lines_ranges(l, points, c->count, RANGE_AMOUNT, c->metric->percent ? RANGE_PERCENT : RANGE_AMOUNT, false);
    double room = last > 1 ? (last - 1) * 0.02 : 0.5;
    l->x = (struct range){1 - room, last + room, false};
    figure_count(f, "epoch_count", (size_t)last);
    enum status status = define_labels(c, f, l, labels, e);
    struct drawn d = {c->count, lines, points, labels, merit};
    if (status == ST_OK)
        status = define_quartiles(c, f, e);
    if (status == ST_OK)
        status = thin_lines(&d, &f->arena, e);
    return status == ST_OK ? lines_define(f, l, d.points, d.count, d.labels, d.merit, d.lines, e) : status;
}

static enum status define_notes(const struct learning *c, struct figure *f, struct layout *l, struct err *e)
{
    size_t least = c->epochs[0].y.n, most = least, lines = c->axes.point_count;
    for (size_t i = 0; i < c->count; i++) {
        size_t n = c->epochs[i].y.n;
        least = n < least ? n : least;
        most = n > most ? n : most;
    }
    const char *seeds = "one seed per line";
    if (most > 1)
        seeds = least == most ? arena_printf(&f->arena, "mean of n = %zu seeds", most)
                              : arena_printf(&f->arena, "mean of n = %zu to %zu seeds", least, most);
    const char *best = "";
    if (lines > 1 && l->legend_count < lines)
        best = arena_printf(&f->arena, "; the best %zu of %zu lines are named", l->legend_count, lines);
    if (best && lines > DRAWN)
        best = arena_printf(&f->arena, "%s, and %d drawn", best, DRAWN);
    l->notes[0] = seeds && best ? arena_printf(&f->arena, "%s%s", seeds, best) : NULL;
    const char *crowd = is_crowded(c) ? "thick: median, dotted: quartiles of all lines at each epoch" : "";
    const char *left_out = left_out_text(&c->of, &f->arena);
    l->notes[1] = crowd;
    if (left_out && *left_out)
        l->notes[1] = arena_printf(&f->arena, "%s%sleft out: %s", crowd, *crowd ? "; " : "", left_out);
    return l->notes[0] && l->notes[1] && left_out ? ST_OK : no_memory(e);
}

static enum status draw(struct learning *c, const struct figure_request *r, struct figure *f, struct err *e)
{
    struct layout l = {.x_title = "epoch", .y_title = c->metric->title};
    l.title = layout_title(&f->arena, r->sweep, r->name);
    enum status status = l.title ? define_data(c, f, e) : no_memory(e);
    if (status == ST_OK)
        status = define_lines(c, f, &l, e);
    if (status == ST_OK)
        status = define_notes(c, f, &l, e);
    return status == ST_OK ? layout_define(&l, f, e) : status;
}

enum status figure_learning(struct store *s, const struct figure_request *r, struct figure *out,
                            char nothing[256], struct err *e)
{
    if (r->x && strcmp(r->x, "epoch") != 0)
        return err_set(e, ST_USAGE, "x: a learning curve stands over \"epoch\", not over \"%s\"", r->x);
    struct learning c;
    learning_init(&c);
    enum status status = learning_load(s, r->block, r->y, &c, e);
    if (status == ST_OK && c.count > 0)
        status = draw(&c, r, out, e);
    else if (status == ST_OK)
        left_out_nothing(&c.of, NULL, c.metric->name, nothing, 256);
    learning_release(&c);
    return status;
}
