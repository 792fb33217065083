/* The paper's curves and ours in one figure: both rise from their smallest network, so that shapes can be
 * compared although images and sizes differ. */
#include <math.h>
#include <stdint.h>

#include "base/file.h"
#include "report/figure.h"
#include "report/gnuplot.h"
#include "report/lines.h"
#include "report/paper.h"

static enum status no_memory(struct err *e)
{
    return err_set(e, ST_NOMEM, "cannot draw the paper's curves: out of memory");
}

static const struct table_column columns[] = {
    {.name = "source"},
    {.name = "value"},
    {.name = "n"},
    {.name = "gain_points"},
    {.name = "half_width_points"},
};

struct building {
    struct figure *f;
    size_t lines, points;
    const char **labels;
    double *merit;
    struct line_point *point;
};

static enum status add_point(struct building *b, double value, size_t n, double gain, double half_width,
                             struct err *e)
{
    const struct cell cells[] = {cell_text(b->labels[b->lines]), cell_real(value),
                                 n > 0 ? cell_int((int64_t)n) : cell_null(), cell_real(gain),
                                 isnan(half_width) ? cell_null() : cell_real(half_width)};
    b->point[b->points++] =
        (struct line_point){b->lines, value, {.n = n, .mean = gain, .half_width = half_width}};
    return figure_row(b->f, cells, e);
}

static enum status add_paper(struct building *b, enum paper_curve curve, struct err *e)
{
    const struct paper_point *p = curve == PAPER_SR ? paper_sr : paper_pct3x3;
    const size_t count = curve == PAPER_SR ? sizeof paper_sr / sizeof *p : sizeof paper_pct3x3 / sizeof *p;
    enum status st = ST_OK;
    b->labels[b->lines] = "paper: ImageNet";
    for (size_t i = 0; i < count && st == ST_OK; i++)
        st = add_point(b, p[i].value, 0, p[i].top5 - p[0].top5, NAN, e);
    b->merit[b->lines++] = INFINITY;
    return st;
}

/* The first point with results: others gain over it. */
static const struct paper_measure *smallest(const struct paper_series *s)
{
    const struct paper_measure *m = s->measures;
    while (m->n == 0)
        m++;
    return m;
}

static enum status add_series(struct building *b, const struct paper *p, const struct paper_series *s,
                              struct err *e)
{
    const struct paper_measure *first = smallest(s);
    enum status st = ST_OK;
    double most = 0;
    b->labels[b->lines] = paper_series_label(p, s, &b->f->arena);
    if (!b->labels[b->lines])
        return no_memory(e);
    for (const struct paper_measure *m = first; m < s->measures + s->count && st == ST_OK; m++) {
        if (m->n == 0)
            continue;
        const struct summary d = paper_difference(s, first, m);
        /* Without a seed that all points have: what there is of each. */
        const double gain = 100 * (d.n > 0 ? d.mean : m->summary.mean - first->summary.mean);
        most = fmax(most, gain);
        st = add_point(b, m->value, d.n > 0 ? d.n : m->n, gain, m == first ? NAN : 100 * d.half_width, e);
    }
    b->merit[b->lines++] = most;
    return st;
}

static enum status add_all(struct building *b, const struct paper *p, enum paper_curve curve, struct err *e)
{
    enum status st = add_paper(b, curve, e);
    for (size_t i = 0; i < p->count && st == ST_OK; i++)
        if (p->series[i].axis == (enum paper_axis)curve)
            st = add_series(b, p, &p->series[i], e);
    return st;
}

/* How many seeds our points have; the paper's are of line 0. NULL: no memory. */
static const char *seeds_note(const struct building *b)
{
    size_t least = SIZE_MAX, most = 0;
    for (size_t i = 0; i < b->points; i++) {
        if (b->point[i].line > 0) {
            const size_t n = b->point[i].y.n;
            least = n < least ? n : least;
            most = n > most ? n : most;
        }
    }
    if (most == 1)
        return "ours: test top-1, one seed a point, so no error bars";
    const char *bars = "bars: 95 % confidence interval of the gain, paired by seed";
    if (least == most)
        return arena_printf(&b->f->arena, "ours: test top-1, n = %zu seeds; %s", most, bars);
    return arena_printf(&b->f->arena, "ours: test top-1, n = %zu to %zu seeds; %s", least, most, bars);
}

/* Names that have no room would be cut so that they look alike: then the numbers of the table of series. */
static enum status number_series(struct building *b, const struct paper *p, enum paper_curve curve,
                                 const char **title, struct err *e)
{
    bool fit = true;
    *title = "";
    for (size_t i = 0; i < b->lines; i++)
        fit = fit && legend_fits(b->labels[i]);
    if (fit)
        return ST_OK;
    *title = "series of the table";
    for (size_t i = 0, line = 1; i < p->count; i++) {
        if (p->series[i].axis != (enum paper_axis)curve)
            continue;
        b->labels[line] = arena_printf(&b->f->arena, "series %zu", i + 1);
        if (!b->labels[line++])
            return no_memory(e);
    }
    return ST_OK;
}

static enum status define(struct building *b, const struct paper *p, enum paper_curve curve, struct err *e)
{
    const char *seeds = seeds_note(b), *title;
    if (number_series(b, p, curve, &title, e) != ST_OK)
        return ST_NOMEM;
    if (!seeds)
        return no_memory(e);
    struct layout l = {
        .title =
            curve == PAPER_SR ? "Figure 3, left: squeeze ratio" : "Figure 3, right: share of 3x3 filters",
        .notes = {seeds,
                  "the paper: top-5, base_e 128, 227x227 pixels, one run a point, some read off its figure"},
        .x_title =
            curve == PAPER_SR ? "SR (squeeze ratio)" : "pct3x3 (share of 3x3 filters in the expand layers)",
        .y_title = "accuracy gained over the smallest value, points",
        .legend_title = title,
    };
    struct line_point *apart = arena_alloc(&b->f->arena, b->points, sizeof *apart);
    if (!apart)
        return no_memory(e);
    lines_ranges(&l, b->point, b->points, RANGE_AMOUNT, RANGE_AMOUNT, true);
    lines_dodge(&l.x, b->point, b->points, apart);
    enum status st = lines_define(b->f, &l, apart, b->points, b->labels, b->merit, b->lines, e);
    return st == ST_OK ? layout_define(&l, b->f, e) : st;
}

/* Without a series `points` stays 0. */
static enum status build(const struct paper *p, enum paper_curve curve, struct figure *out, struct err *e)
{
    size_t lines = 1, points = sizeof paper_pct3x3 / sizeof *paper_pct3x3;
    for (size_t i = 0; i < p->count; i++)
        if (p->series[i].axis == (enum paper_axis)curve) {
            lines++;
            points += p->series[i].count;
        }
    if (lines == 1)
        return ST_OK;
    struct building b = {.f = out,
                         .labels = arena_alloc(&out->arena, lines, sizeof *b.labels),
                         .merit = arena_alloc(&out->arena, lines, sizeof *b.merit),
                         .point = arena_alloc(&out->arena, points, sizeof *b.point)};
    if (!b.labels || !b.merit || !b.point)
        return no_memory(e);
    out->columns = columns;
    out->column_count = sizeof columns / sizeof *columns;
    enum status st = add_all(&b, p, curve, e);
    return st == ST_OK ? define(&b, p, curve, e) : st;
}

static enum status draw(struct paper *p, enum paper_curve curve, struct gnuplot *g, const char *dir,
                        const char **paths, int *count, struct err *e)
{
    const char *name = curve == PAPER_SR ? "squeeze-ratio" : "pct3x3";
    const char *image = arena_printf(&p->arena, "%s/paper-%s.%s", dir, name, gnuplot_suffix(g));
    const char *data = arena_printf(&p->arena, "%s/paper-%s.csv", dir, name);
    struct figure f;
    figure_init(&f);
    enum status st = image && data ? build(p, curve, &f, e) : no_memory(e);
    if (st == ST_OK && f.points > 0)
        st = figure_save_data(&f, data, e);
    if (st == ST_OK && f.points > 0) {
        paths[(*count)++] = data;
        st = gnuplot_draw(g, "curve", &f, image, e);
        if (st == ST_OK)
            paths[(*count)++] = image;
    }
    figure_release(&f);
    return st;
}

enum status paper_draw(struct paper *p, const char *dir, const char *image, const char *templates,
                       const char *paths[PAPER_PATHS], int *count, struct err *e)
{
    struct gnuplot g;
    *count = 0;
    enum status st = gnuplot_init(&g, image, templates, e);
    if (st == ST_OK)
        st = dir_create(dir, e);
    for (int curve = 0; curve < PAPER_CURVES && st == ST_OK; curve++)
        st = draw(p, (enum paper_curve)curve, &g, dir, paths, count, e);
    return st;
}
