/* Accuracy against model size with the metaparameter on the upper axis, as Figure 3 of the SqueezeNet paper.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/block_results.h"
#include "report/curve.h"
#include "report/figures.h"
#include "report/lines.h"
#include "report/text.h"

static enum status no_memory(struct err *e)
{
    return err_set(e, ST_NOMEM, "cannot draw a curve: out of memory");
}

static enum status define_data(const struct curve *c, struct figure *f, struct err *e)
{
    enum status status =
        lines_columns(f, &c->axes, c->x_metric ? c->x_metric->column : NULL, c->y_metric, false, e);
    for (size_t i = 0; i < c->count && status == ST_OK; i++) {
        const struct curve_point *p = &c->points[i];
        status = lines_row(f, &c->axes, p->point, cell_real(p->x), &p->y, NULL, e);
    }
    return status;
}

/* How points belong together. */
enum curve_shape {
    SHAPE_LINES,
    SHAPE_CLOUD, /* they differ in many axes at once, as those of a random block, and have no order that a
                    line could follow */
    SHAPE_LIST,  /* each sets what it likes, and stands for itself */
};

static enum curve_shape shape_of(const struct curve *c, const struct figure_request *r, bool random)
{
    enum { FOLLOWED = 3, LISTED = 12 }; /* so few points of a list have a name each */
    int varying = 0;
    bool unset = false;
    for (size_t k = 0; k < c->axes.key_count; k++)
        varying += c->axes.columns[k].role != AXIS_CONSTANT;
    /* Drawn points follow from each other by chance only. */
    if (random && c->x_kind == CURVE_METRIC && varying > 1)
        return c->count > LISTED ? SHAPE_CLOUD : SHAPE_LIST;
    /* One line through all, or hardly two points on any. */
    if (c->x_kind == CURVE_METRIC && varying > FOLLOWED &&
        (c->series_count == 1 || 2 * c->series_count > c->count) && c->count > LISTED)
        return SHAPE_CLOUD;
    for (size_t p = 0; c->axes.primary >= 0 && p < c->axes.point_count; p++)
        unset = unset || !c->axes.columns[c->axes.primary].values[p];
    return unset && (c->x_kind == CURVE_METRIC || !r->x) ? SHAPE_LIST : SHAPE_LINES;
}

static int by_point(const void *a, const void *b)
{
    const struct curve_point *p = a, *q = b;
    return (p->point > q->point) - (p->point < q->point);
}

/* Makes every point of a list a line of its own; or, where size tells nothing apart, a category. */
static enum status list_points(struct curve *c, struct figure *f, struct err *e)
{
    qsort(c->points, c->count, sizeof *c->points, by_point);
    const bool sized = c->x_kind == CURVE_METRIC;
    c->x_kind = sized ? CURVE_METRIC : CURVE_CATEGORY;
    c->series_count = sized ? c->count : 1;
    for (size_t i = 0; i < c->count; i++) {
        c->points[i].series = sized ? i : 0;
        c->points[i].x = sized ? c->points[i].x : (double)i + 1;
        c->series[i] = lines_label(&c->axes, AXES_ALL, c->points[i].point, &f->arena);
        if (!c->series[i])
            return no_memory(e);
    }
    return ST_OK;
}

/* Makes all points one line, which is not drawn. */
static void cloud_points(struct curve *c)
{
    c->series_count = 1;
    c->series[0] = "";
    for (size_t i = 0; i < c->count; i++)
        c->points[i].series = 0;
}

/* Bars of so many points would hide them. */
static bool has_bars(const struct curve *c)
{
    enum { BARS_MOST = 200 };
    return c->count <= BARS_MOST;
}

static enum status define_lines(const struct curve *c, struct figure *f, struct layout *l, bool *dodged,
                                struct err *e)
{
    struct line_point *points = arena_alloc(&f->arena, c->count, sizeof *points),
                      *apart = arena_alloc(&f->arena, c->count, sizeof *apart);
    double *merit = arena_alloc(&f->arena, c->series_count, sizeof *merit);
    if (!points || !apart || !merit)
        return no_memory(e);
    for (size_t s = 0; s < c->series_count; s++)
        merit[s] = NAN;
    for (size_t i = 0; i < c->count; i++) {
        const struct curve_point *p = &c->points[i];
        points[i] = (struct line_point){p->series, p->x, p->y};
        merit[p->series] = fmax(merit[p->series], c->y_metric->lower_is_better ? -p->y.mean : p->y.mean);
        if (!has_bars(c))
            points[i].y.half_width = NAN;
    }
    lines_ranges(l, points, c->count, c->x_metric && c->x_metric->percent ? RANGE_PERCENT : RANGE_AMOUNT,
                 c->y_metric->percent ? RANGE_PERCENT : RANGE_AMOUNT, true);
    if (c->x_kind == CURVE_CATEGORY) {
        double last = 1;
        for (size_t i = 0; i < c->count; i++)
            last = fmax(last, c->points[i].x);
        l->x = (struct range){0.5, last + 0.5, false};
    }
    *dodged = lines_dodge(&l->x, points, c->count, apart);
    return lines_define(f, l, apart, c->count, c->series, merit, c->series_count, e);
}

/* Labels of the primary axis: at every point of a lone curve, or at every category. */
static enum status define_ticks(struct curve *c, enum curve_shape shape, struct figure *f, struct layout *l,
                                struct err *e)
{
    double *x = arena_alloc(&f->arena, c->count + 1, sizeof *x);
    const char **texts = arena_alloc(&f->arena, c->count + 1, sizeof *texts);
    if (!x || !texts)
        return no_memory(e);
    l->ticks = (struct ticks){.x = x, .texts = texts, .above = c->x_kind == CURVE_METRIC};
    bool wanted = c->x_kind == CURVE_CATEGORY || (c->x_kind == CURVE_METRIC && c->series_count == 1);
    figure_count(f, "joined", shape == SHAPE_LINES && c->x_kind != CURVE_CATEGORY);
    figure_count(f, "point_count", c->count);
    if (c->axes.primary < 0 || !wanted || shape == SHAPE_CLOUD)
        return ST_OK;
    size_t n = 0;
    /* Ascending, as the points of a series are; categories that only later series have come where they
     * belong. */
    for (size_t i = 0; i < c->count; i++) {
        double place = c->points[i].x;
        size_t at = n;
        while (at > 0 && x[at - 1] > place)
            at--;
        if (c->x_kind == CURVE_CATEGORY && at > 0 && x[at - 1] == place)
            continue;
        const char *text = shape == SHAPE_LIST
                               ? c->series[i]
                               : lines_label(&c->axes, AXES_ALONG, c->points[i].point, &f->arena);
        if (!text)
            return no_memory(e);
        memmove(&x[at + 1], &x[at], (n - at) * sizeof *x);
        memmove(&texts[at + 1], &texts[at], (n - at) * sizeof *texts);
        x[at] = place;
        texts[at] = text;
        n++;
    }
    l->ticks.count = n;
    return ST_OK;
}

static const char *seeds_note(const struct curve *c, struct figure *f)
{
    static const char interval[] = "95 % confidence interval of the mean (Student t)";
    size_t least = c->points[0].y.n, most = least;
    for (size_t i = 0; i < c->count; i++) {
        size_t n = c->points[i].y.n;
        least = n < least ? n : least;
        most = n > most ? n : most;
    }
    if (most == 1)
        return "one seed per point, so no error bars";
    const char *range = least == most ? "" : arena_printf(&f->arena, "%zu to ", least);
    if (!range)
        return NULL;
    if (!has_bars(c))
        return arena_printf(&f->arena,
                            "mean of n = %s%zu seeds; intervals of so many points are in the data only",
                            range, most);
    return arena_printf(&f->arena, "mean of n = %s%zu seeds; bars%s: %s", range, most,
                        least == most ? "" : " where n > 1", interval);
}

/* Whether a series has two points, which a line joins. */
static bool has_lines(const struct curve *c)
{
    for (size_t i = 1; i < c->count; i++)
        if (c->points[i].series == c->points[i - 1].series)
            return true;
    return false;
}

/* What stands below the title: how many seeds, what the bars are; then what else needs saying. */
static enum status define_notes(struct curve *c, enum curve_shape shape, bool dodged, struct figure *f,
                                struct layout *l, struct err *e)
{
    struct strbuf more = STRBUF_INIT;
    const char *left_out = left_out_text(&c->of, &f->arena);
    more.failed = more.failed || !left_out;
    if (left_out && *left_out)
        strbuf_printf(&more, "left out: %s; ", left_out);
    if (shape == SHAPE_CLOUD)
        strbuf_puts(&more, "points differ in several axes, so no line joins them; ");
    if (!isnan(c->common_x))
        strbuf_printf(&more, "model size of all points: %.3g MiB; ", c->common_x);
    if (l->legend_count > 0 && l->legend_count < c->series_count)
        strbuf_printf(&more, "the best %zu of %zu %s are named; ", l->legend_count, c->series_count,
                      shape == SHAPE_LIST ? "points" : "lines");
    if (dodged)
        strbuf_puts(&more, "points of one place are moved apart sideways; ");
    /* With several series the upper axis cannot say what runs along them. */
    if (shape == SHAPE_LINES && c->series_count > 1 && c->x_kind == CURVE_METRIC && c->axes.primary >= 0) {
        enum { VALUES_PIXELS = 420 };
        const char *values = axes_primary_values(&c->axes), *key = axes_title(&c->axes, AXES_ALONG);
        more.failed = more.failed || !values || !key;
        if (values && text_pixels(values, 11) > VALUES_PIXELS)
            values = arena_printf(&f->arena, "%zu values", c->axes.columns[c->axes.primary].id_count);
        strbuf_printf(&more, has_lines(c) ? "along each line %s: %s; " : "%s of the points: %s; ",
                      key ? key : "", values ? values : "");
    }
    l->notes[0] = seeds_note(c, f);
    if (more.len > 0)
        l->notes[1] = arena_strndup(&f->arena, more.text, more.len - strlen("; "));
    bool failed = more.failed || !l->notes[0] || (more.len > 0 && !l->notes[1]);
    strbuf_release(&more);
    return failed ? no_memory(e) : ST_OK;
}

/* The keys of the primary and tied axes, explained when it is one metaparameter. */
static const char *along_title(struct curve *c, struct figure *f)
{
    static const struct {
        const char *key, *meaning;
    } known[] = {
        {"SR", "squeeze ratio"},
        {"pct3x3", "share of 3x3 filters in the expand layers"},
        {"base_e", "expand filters of fire2"},
        {"incr_e", "expand filters added every freq Fires"},
        {"freq", "Fires from one increment to the next"},
        {"lr", "peak learning rate"},
    };
    const char *keys = axes_title(&c->axes, AXES_ALONG);
    for (size_t i = 0; keys && i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].key, keys) == 0)
            return arena_printf(&f->arena, "%s (%s)", keys, known[i].meaning);
    return keys;
}

static enum status define_titles(struct curve *c, enum curve_shape shape, const struct figure_request *r,
                                 struct figure *f, struct layout *l, struct err *e)
{
    const char *along = shape == SHAPE_LIST ? lines_label_title(&c->axes, AXES_ALL) : along_title(c, f);
    /* The curve's arena goes before the figure is drawn, but layout_define copies. */
    l->title = layout_title(&f->arena, r->sweep, r->name);
    l->x_title = c->x_metric ? c->x_metric->title : along;
    l->y_title = c->y_metric->title;
    l->legend_title = shape == SHAPE_LIST ? lines_label_title(&c->axes, AXES_ALL)
                                          : axes_title(&c->axes, AXES_SERIES); /* lines have values only */
    l->ticks.title = l->ticks.count > 0 ? along : NULL;
    return along && l->title && l->legend_title ? ST_OK : no_memory(e);
}

static enum status draw(struct curve *c, const struct figure_request *r, bool random, struct figure *f,
                        struct err *e)
{
    struct layout l = {.title = ""};
    const enum curve_shape shape = shape_of(c, r, random);
    bool dodged = false;
    enum status status = define_data(c, f, e);
    if (status == ST_OK && shape == SHAPE_LIST)
        status = list_points(c, f, e);
    if (shape == SHAPE_CLOUD)
        cloud_points(c);
    if (status == ST_OK)
        status = define_lines(c, f, &l, &dodged, e);
    if (status == ST_OK)
        status = define_ticks(c, shape, f, &l, e);
    if (status == ST_OK)
        status = define_titles(c, shape, r, f, &l, e);
    if (status == ST_OK)
        status = define_notes(c, shape, dodged, f, &l, e);
    return status == ST_OK ? layout_define(&l, f, e) : status;
}

enum status figure_curve(struct store *s, const struct figure_request *r, struct figure *out,
                         char nothing[256], struct err *e)
{
    struct curve c;
    curve_init(&c);
    const char *y = r->y ? r->y : "test_top1";
    enum status status = curve_load(s, r->block, r->x, y, &c, e);
    if (status == ST_OK && c.count > 0)
        status = draw(&c, r, block_is_random(s, r->block), out, e);
    else if (status == ST_OK)
        left_out_nothing(&c.of, c.x_metric && r->x ? c.x_metric->name : NULL, y, nothing, 256);
    curve_release(&c);
    return status;
}
