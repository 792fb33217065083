/* What figures of axes share, and the heat map over two. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "report/figure_axes.h"
#include "report/text.h"

enum status figure_no_memory(struct err *e)
{
    return err_set(e, ST_NOMEM, "cannot draw a figure: out of memory");
}

struct cell figure_number_cell(double v)
{
    return isnan(v) ? cell_null() : cell_real(v);
}

const char *figure_level_name(const char *name)
{
    return strcmp(name, "-") == 0 ? "not set" : name;
}

/* Of an axis that is drawn at least two values have results. */
static void say_too_few(const struct block_results *r, size_t least, char nothing[256])
{
    snprintf(nothing, 256, "it needs %s with results at two values, and the block has %s%.40s%s%s",
             least == 1 ? "an axis" : "two axes", r->axis_count == 0 ? "none" : "only ",
             r->axis_count == 0 ? "" : r->axis[0].key, r->left_out ? "; left out: " : "",
             r->left_out ? r->left_out : "");
}

enum status figure_of_axes(struct store *s, const struct figure_request *r, const char *y, size_t least,
                           figure_draw_axes *draw, struct figure *out, char nothing[256], struct err *e)
{
    struct block_results results;
    block_results_init(&results);
    enum status st = block_results_load(s, r->block, y ? y : "test_top1", &results, e);
    if (st == ST_OK && results.count == 0)
        left_out_nothing(&results.of, NULL, results.metric->name, nothing, 256);
    else if (st == ST_OK && results.axis_count < least)
        say_too_few(&results, least, nothing);
    else if (st == ST_OK)
        st = draw(&results, r, out, e);
    block_results_release(&results);
    return st;
}

enum status figure_axes_finish(struct layout *l, const struct block_results *r,
                               const struct figure_request *request, struct figure *f, struct err *e)
{
    l->title = layout_title(&f->arena, request->sweep, request->name);
    if (r->left_out)
        l->notes[1] = arena_printf(&f->arena, "%s%sleft out: %s", l->notes[1] ? l->notes[1] : "",
                                   l->notes[1] ? "; " : "", r->left_out);
    return l->title && (l->notes[1] || !r->left_out) ? layout_define(l, f, e) : figure_no_memory(e);
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

/* How well a heat map of two axes is filled: how many of its cells have results, and of how many; and what
 * the two account for, as shares of the variance. */
struct crossing {
    size_t filled, cells;
    double share;
};

static enum status count_cells(const struct block_results *r, size_t a, size_t b, struct crossing *out,
                               struct err *e)
{
    const size_t wide = r->axis[a].levels;
    out->filled = 0;
    out->cells = wide * r->axis[b].levels;
    bool *met = mem_calloc(out->cells, sizeof *met);
    if (!met)
        return figure_no_memory(e);
    for (size_t i = 0; i < r->count; i++) {
        const size_t *level = &r->level[i * r->axis_count];
        bool *cell = &met[level[b] * wide + level[a]];
        out->filled += !*cell;
        *cell = true;
    }
    mem_free(met);
    return ST_OK;
}

/* Full maps before others, of them those of the axes that matter most, then large ones; of maps with gaps
 * those with fewer. */
static bool is_better(const struct crossing *a, const struct crossing *b)
{
    if (b->cells == 0)
        return true;
    /* Shares a.filled / a.cells and b.filled / b.cells. */
    const double sa = (double)a->filled * (double)b->cells, sb = (double)b->filled * (double)a->cells;
    return sa > sb || (sa >= sb && (a->share > b->share || (a->share >= b->share && a->cells > b->cells)));
}

/* The axis of this name; axis_count without a name. */
static enum status find_axis(const struct block_results *r, const char *what, const char *name, size_t *out,
                             struct err *e)
{
    *out = 0;
    while (*out < r->axis_count && (!name || strcmp(r->axis[*out].key, name) != 0))
        ++*out;
    if (name && *out == r->axis_count)
        return err_set(e, ST_USAGE, "%s: there is no axis \"%.60s\" with several values", what, name);
    return ST_OK;
}

static double widest_name(const struct block_axis *a)
{
    double widest = 0;
    for (size_t i = 0; i < a->levels; i++)
        widest = fmax(widest, text_pixels(a->names[i], 11));
    return widest;
}

/* Of an axis that follows from others nothing. */
static double share_of(const struct effects *f, size_t axis)
{
    return isnan(f->axes[axis].share) ? 0 : f->axes[axis].share;
}

/* Which axes stand across (0) and up (1): those named, else the pair that makes the fullest map and, of
 * these, the one with the largest shares of the variance (0 where effects cannot be told); longer names stand
 * beside the rows, where they have room. */
static enum status choose_axes(const struct block_results *r, const char *x, const char *y, size_t axis[2],
                               struct err *e)
{
    const size_t n = r->axis_count;
    size_t across = n, up = n;
    struct crossing best = {0};
    enum status st = find_axis(r, "x", x, &across, e);
    if (st == ST_OK)
        st = find_axis(r, "y", y, &up, e);
    if (st == ST_OK && across == up && across < n)
        st = err_set(e, ST_USAGE, "y: \"%s\" stands along x already", y);
    struct effects effects = {0};
    struct err none = ERR_INIT;
    const bool told = st == ST_OK && block_results_effects(r, &effects, &none) == ST_OK;
    for (size_t a = 0; a < n && st == ST_OK; a++)
        for (size_t b = 0; b < n && st == ST_OK; b++) {
            struct crossing c = {.share = told ? share_of(&effects, a) + share_of(&effects, b) : 0};
            if (a == b || (across < n && a != across) || (up < n && b != up) ||
                (across == n && up == n && b < a))
                continue;
            st = count_cells(r, a, b, &c, e);
            if (st != ST_OK || !is_better(&c, &best))
                continue;
            best = c;
            axis[0] = a;
            axis[1] = b;
        }
    effects_release(&effects);
    if (st == ST_OK && across == n && up == n &&
        widest_name(&r->axis[axis[0]]) > widest_name(&r->axis[axis[1]])) {
        const size_t longer = axis[0];
        axis[0] = axis[1];
        axis[1] = longer;
    }
    return st;
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

/* The observations of a cell: how many, whether all are seeds of one point, and a number that tells by which
 * settings of the other axes they were made, in any order and whatever their seeds. */
struct heat_cell {
    size_t n;
    bool one_point;
    uint64_t settings;
};

static uint64_t other_settings(const struct block_results *r, size_t observation, const size_t axis[2])
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a, over levels */
    for (size_t a = 0; a < r->axis_count; a++)
        if (a != axis[0] && a != axis[1])
            hash = (hash ^ (r->level[observation * r->axis_count + a] + 1)) * 1099511628211u;
    return hash;
}

/* `values` and `points` receive those of the cell's observations; room for all. */
static struct heat_cell heat_cell_at(const struct block_results *r, const size_t axis[2], size_t column,
                                     size_t row, double *values, size_t *points)
{
    struct heat_cell cell = {.one_point = true};
    for (size_t k = 0; k < r->count; k++) {
        const size_t *level = &r->level[k * r->axis_count];
        if (level[axis[0]] != column || level[axis[1]] != row)
            continue;
        size_t met = 0;
        while (met < cell.n && points[met] != r->point[k])
            met++;
        cell.settings += met == cell.n ? other_settings(r, k, axis) : 0;
        cell.one_point = cell.one_point && (cell.n == 0 || points[0] == r->point[k]);
        points[cell.n] = r->point[k];
        values[cell.n++] = r->y[k];
    }
    return cell;
}

static enum status heat_cells(const struct block_results *r, const size_t axis[2], struct figure *f,
                              double *low, double *high, bool *unlike, struct err *e)
{
    const struct block_axis *x = &r->axis[axis[0]], *y = &r->axis[axis[1]];
    double *values = arena_alloc(&f->arena, r->count, sizeof *values);
    size_t *points = arena_alloc(&f->arena, r->count, sizeof *points);
    if (!values || !points)
        return figure_no_memory(e);
    uint64_t settings = 0;
    enum status st = heat_columns(r, axis, f, e);
    strbuf_puts(&f->definitions, "$cells << EOD\n");
    for (size_t i = 0; i < x->levels * y->levels && st == ST_OK; i++) {
        const size_t column = i % x->levels, row = i / x->levels;
        const struct heat_cell cell = heat_cell_at(r, axis, column, row, values, points);
        if (cell.n == 0)
            continue;
        const struct summary mean = summarise(values, cell.n);
        *unlike = *unlike || (f->points > 0 && cell.settings != settings);
        settings = cell.settings;
        *low = fmin(*low, mean.mean);
        *high = fmax(*high, mean.mean);
        f->points++;
        figure_data(f, 3, (const double[]){(double)column + 1, (double)row + 1, mean.mean}, 1);
        st = figure_row(f,
                        (const struct cell[]){cell_text(x->names[column]), cell_text(y->names[row]),
                                              cell_int((int64_t)cell.n), figure_number_cell(mean.mean),
                                              figure_number_cell(cell.one_point ? mean.half_width : NAN)},
                        e);
    }
    strbuf_puts(&f->definitions, "EOD\n");
    return st;
}

/* The levels' names at 1, 2, 3, ... of the axes. */
static enum status name_levels(const struct block_axis *across, const struct block_axis *up, struct layout *l,
                               struct figure *f, struct err *e)
{
    const size_t most = across->levels > up->levels ? across->levels : up->levels;
    double *place = arena_alloc(&f->arena, most, sizeof *place);
    const char **x = arena_alloc(&f->arena, across->levels, sizeof *x),
               **y = arena_alloc(&f->arena, up->levels, sizeof *y);
    if (!place || !x || !y)
        return figure_no_memory(e);
    for (size_t i = 0; i < most; i++)
        place[i] = (double)i + 1;
    for (size_t i = 0; i < across->levels; i++)
        x[i] = figure_level_name(across->names[i]);
    for (size_t i = 0; i < up->levels; i++)
        y[i] = figure_level_name(up->names[i]);
    l->ticks = (struct ticks){.title = "", .count = across->levels, .x = place, .texts = x};
    l->rows = (struct row_names){.count = up->levels, .y = place, .texts = y};
    return ST_OK;
}

/* y names an axis, or the column that is averaged. */
static const char *up_axis(const struct figure_request *r)
{
    return r->y && !metric_find(METRIC_TRIAL, r->y) ? r->y : NULL;
}

static enum status draw_heatmap(const struct block_results *r, const struct figure_request *request,
                                struct figure *f, struct err *e)
{
    size_t axis[2] = {0, 1};
    double low = INFINITY, high = -INFINITY;
    bool unlike = false;
    enum status st = choose_axes(r, request->x, up_axis(request), axis, e);
    if (st == ST_OK)
        st = heat_cells(r, axis, f, &low, &high, &unlike, e);
    const struct block_axis *x = &r->axis[axis[0]], *y = &r->axis[axis[1]];
    struct layout l = {.x_title = x->key, .y_title = y->key};
    if (st == ST_OK)
        st = name_levels(x, y, &l, f, e);
    if (st != ST_OK)
        return st;
    l.x = (struct range){0.5, (double)x->levels + 0.5, false};
    l.y = (struct range){0.5, (double)y->levels + 0.5, false};
    figure_count(f, "x_levels", x->levels);
    figure_count(f, "y_levels", y->levels);
    figure_reserve_scale(&l, f, low, high);
    l.notes[0] =
        arena_printf(&f->arena, "%s%s", r->metric->title,
                     r->axis_count > 2 ? ", mean over seeds and the other axes" : ", mean over seeds");
    if (unlike)
        l.notes[1] =
            "not all cells have the same settings of the other axes: differences may be theirs, see effects";
    return figure_axes_finish(&l, r, request, f, e);
}

enum status figure_heatmap(struct store *s, const struct figure_request *r, struct figure *out,
                           char nothing[256], struct err *e)
{
    return figure_of_axes(s, r, up_axis(r) ? NULL : r->y, 2, draw_heatmap, out, nothing, e);
}
