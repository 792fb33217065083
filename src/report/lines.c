#include "report/lines.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SUMMARY_COLUMNS = 4, IDENTITY_COLUMNS = 2 };

static enum status no_memory(struct err *e)
{
    return err_set(e, ST_NOMEM, "cannot prepare a figure: out of memory");
}

enum status lines_columns(struct figure *f, const struct axes *a, const char *x, const struct metric *y,
                          bool identified, struct err *e)
{
    static const char *const parts[] = {"mean", "stddev", "ci95"};
    struct table_column *columns =
        arena_alloc(&f->arena, a->key_count + 1 + SUMMARY_COLUMNS + IDENTITY_COLUMNS, sizeof *columns);
    if (!columns)
        return no_memory(e);
    size_t next = 0;
    for (size_t k = 0; k < a->key_count; k++)
        columns[next++].name = arena_strdup(&f->arena, a->columns[k].key);
    if (x)
        columns[next++].name = x;
    columns[next++].name = "n";
    for (size_t i = 0; i < 3; i++)
        columns[next++].name = arena_printf(&f->arena, "%s_%s", y->column, parts[i]);
    if (identified) {
        columns[next++].name = "variant";
        columns[next++].name = "recipe";
    }
    for (size_t i = 0; i < next; i++)
        if (!columns[i].name)
            return no_memory(e);
    f->columns = columns;
    f->column_count = (int)next;
    return ST_OK;
}

static struct cell number_or_null(double v)
{
    return isnan(v) ? cell_null() : cell_real(v);
}

enum status lines_row(struct figure *f, const struct axes *a, size_t point, struct cell x,
                      const struct summary *y, const struct line_identity *identity, struct err *e)
{
    const size_t behind = SUMMARY_COLUMNS + (identity ? IDENTITY_COLUMNS : 0);
    struct cell *cells = arena_alloc(&f->arena, a->key_count + 1 + behind, sizeof *cells);
    if (!cells)
        return no_memory(e);
    size_t next = 0;
    for (size_t k = 0; k < a->key_count; k++)
        cells[next++] = cell_text(a->columns[k].values[point]);
    if (next + behind < (size_t)f->column_count)
        cells[next++] = x;
    cells[next++] = cell_int((int64_t)y->n);
    cells[next++] = number_or_null(y->mean);
    cells[next++] = number_or_null(y->sd);
    cells[next++] = number_or_null(y->half_width);
    if (identity) {
        cells[next++] = cell_int(identity->variant);
        cells[next] = cell_int(identity->recipe);
    }
    return figure_row(f, cells, e);
}

static bool is_in_part(const struct axis_column *c, enum axes_part part)
{
    switch (part) {
    case AXES_ALONG:
        return c->role == AXIS_PRIMARY || c->role == AXIS_TIED;
    case AXES_SERIES:
        return c->role == AXIS_SERIES;
    default:
        return c->role != AXIS_CONSTANT;
    }
}

/* Whether every point sets all axes of a part. */
static bool is_whole(const struct axes *a, enum axes_part part)
{
    for (size_t k = 0; k < a->key_count; k++)
        for (size_t p = 0; is_in_part(&a->columns[k], part) && p < a->point_count; p++)
            if (!a->columns[k].values[p])
                return false;
    return true;
}

const char *lines_label(struct axes *a, enum axes_part part, size_t point, struct arena *arena)
{
    if (is_whole(a, part))
        return axes_label(a, part, point);
    const char *text = "";
    for (size_t k = 0; k < a->key_count && text; k++) {
        const struct axis_column *c = &a->columns[k];
        if (is_in_part(c, part) && c->values[point])
            text = arena_printf(arena, "%s%s%s=%s", text, *text ? ", " : "", c->key, c->values[point]);
    }
    return text && !*text ? "base" : text;
}

const char *lines_label_title(struct axes *a, enum axes_part part)
{
    return is_whole(a, part) ? axes_title(a, part) : "values set";
}

/* Without an interval a bar of no height, which the symbol hides: gnuplot draws one that is no number at the
 * border. */
static double bar(const struct summary *y)
{
    return isnan(y->half_width) ? 0 : y->half_width;
}

/* Where the points of each line are: those of line i are at[first[i]] to at[first[i + 1] - 1], in their
 * order. */
static void sort_points(const struct line_point *points, size_t count, size_t lines, size_t *first,
                        size_t *at)
{
    for (size_t i = 0; i < count; i++)
        first[points[i].line + 1]++;
    for (size_t k = 0; k < lines; k++)
        first[k + 1] += first[k];
    for (size_t i = 0; i < count; i++)
        at[first[points[i].line]++] = i;
    /* Every start has become an end, which is the next one's start. */
    memmove(first + 1, first, lines * sizeof *first);
    first[0] = 0;
}

enum status lines_define(struct figure *f, struct layout *l, const struct line_point *points, size_t count,
                         const char *const *labels, const double *merit, size_t lines, struct err *e)
{
    size_t *order = arena_alloc(&f->arena, lines + 1, sizeof *order),
           *first = arena_alloc(&f->arena, lines + 1, sizeof *first),
           *at = arena_alloc(&f->arena, count + 1, sizeof *at);
    bool *chosen = arena_alloc(&f->arena, lines + 1, sizeof *chosen);
    const char **legend = arena_alloc(&f->arena, lines + 1, sizeof *legend);
    if (!order || !first || !at || !chosen || !legend)
        return no_memory(e);
    size_t named = legend_choose(merit, lines, chosen, order);
    sort_points(points, count, lines, first, at);
    strbuf_puts(&f->definitions, "$points << EOD\n");
    for (size_t k = 0; k < lines; k++) {
        legend[k] = labels[order[k]];
        for (size_t i = first[order[k]]; i < first[order[k] + 1]; i++) {
            const struct line_point *p = &points[at[i]];
            figure_data(f, 3, (const double[]){p->x, p->y.mean, bar(&p->y)}, 1);
        }
        strbuf_puts(&f->definitions, "\n\n");
    }
    strbuf_puts(&f->definitions, "EOD\n");
    figure_count(f, "series_count", lines);
    figure_count(f, "named_count", named);
    l->legend = legend;
    l->legend_count = lines > 1 ? named : 0;
    f->points = count;
    return ST_OK;
}

void lines_ranges(struct layout *l, const struct line_point *points, size_t count, enum range_kind x,
                  enum range_kind y, bool bars)
{
    double x_low = INFINITY, x_high = -INFINITY, y_low = INFINITY, y_high = -INFINITY;
    for (size_t i = 0; i < count; i++) {
        double half = bars && !isnan(points[i].y.half_width) ? points[i].y.half_width : 0;
        x_low = fmin(x_low, points[i].x);
        x_high = fmax(x_high, points[i].x);
        y_low = fmin(y_low, points[i].y.mean - half);
        y_high = fmax(y_high, points[i].y.mean + half);
    }
    l->x = range_around(x_low, x_high, x, true);
    l->y = range_around(y_low, y_high, y, false);
}

/* Whether the bars of two points would lie on each other. `pixel`: as a fraction of the axis. */
static bool collide(const struct range *x, const struct line_point *a, const struct line_point *b,
                    double pixel)
{
    enum { NEAR = 3 };
    return a->line != b->line && !isnan(a->y.half_width) && !isnan(b->y.half_width) &&
           fabs(range_fraction(x, a->x) - range_fraction(x, b->x)) < NEAR * pixel &&
           fabs(a->y.mean - b->y.mean) < a->y.half_width + b->y.half_width;
}

bool lines_dodge(const struct range *x, const struct line_point *from, size_t count, struct line_point *to)
{
    enum { MOST = 1000, STEP = 6, SPREAD = 30 };
    const double pixel = 1.0 / 450;
    bool any = false;
    memcpy(to, from, count * sizeof *to);
    for (size_t i = 0; i < count && count <= MOST; i++) {
        size_t before = 0, others = 0;
        for (size_t k = 0; k < count; k++)
            if (collide(x, &from[i], &from[k], pixel)) {
                others++;
                before += from[k].line < from[i].line;
            }
        if (others == 0)
            continue;
        const double step = fmin(STEP, SPREAD / (double)others) * pixel;
        const double moved = ((double)before - (double)others / 2) * step;
        to[i].x = x->log ? from[i].x * pow(x->high / x->low, moved) : from[i].x + moved * (x->high - x->low);
        any = true;
    }
    return any;
}

static int by_variant(const void *a, const void *b)
{
    const struct line_identity *p = a, *q = b;
    return (p->variant > q->variant) - (p->variant < q->variant);
}

bool lines_share_variants(struct line_identity *ids, size_t n)
{
    bool shared = false;
    qsort(ids, n, sizeof *ids, by_variant);
    for (size_t i = 1; i < n; i++)
        shared = shared || ids[i].variant == ids[i - 1].variant;
    return shared;
}

const char *lines_number(const struct line_identity *id, bool recipe, struct arena *arena)
{
    return recipe ? arena_printf(arena, "variant %" PRId64 ", recipe %" PRId64, id->variant, id->recipe)
                  : arena_printf(arena, "variant %" PRId64, id->variant);
}
