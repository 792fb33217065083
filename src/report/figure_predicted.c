/* Predicted against measured time: how far the model of plan (engine/predict.h) was from what training took.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "engine/calibration.h"
#include "report/figures.h"
#include "report/lines.h"
#include "report/rungs.h"
#include "sweep/store_trials.h"

enum { BAND_PERCENT = 10, THREAD_COUNTS = 8 };

struct timed {
    double predicted, measured; /* s of training, without evaluation */
    size_t line;
};

struct timings {
    size_t done, count, capacity, elsewhere; /* elsewhere: by a machine of another name */
    struct timed *items;
    int threads[THREAD_COUNTS]; /* of each line */
    size_t lines;
};

/* One row of the query. */
struct timed_row {
    int64_t trial, variant, recipe;
    const char *axes, *host;
    int threads; /* 0: not known, or not the same all the time */
    double measured, epochs, images;
};

static enum status no_memory(struct err *e)
{
    return err_set(e, ST_NOMEM, "cannot draw a figure: out of memory");
}

/* Trials of one architecture and recipe are neighbours. Workers that got more threads on their way have used
 * more processor time than their first threads had. */
static enum status open_rows(struct store *s, int64_t block, struct store_query **q, struct err *e)
{
    /* clang-format off */
    char *sql = mem_printf(
        "SELECT t.id, t.variant_id, t.recipe_id, min(m.axes), t.train_s, t.epochs_done, w.train_images,"
        " (SELECT CASE WHEN min(a.threads) = max(a.threads) AND NOT max(coalesce(a.cpu_s > 1.1 * a.threads *"
        " a.wall_s + 1, 0)) THEN max(a.threads) ELSE 0 END FROM attempt a WHERE a.trial_id = t.id),"
        " (SELECT max(a.host) FROM attempt a WHERE a.trial_id = t.id)"
        " FROM " TRIALS_OF_ALL_RUNGS("%1$" PRId64) " m JOIN trial t ON t.id = m.trial_id"
        " JOIN sweep w ON w.id = (SELECT sweep_id FROM block WHERE id = %1$" PRId64 ")"
        " WHERE t.state = 'done' GROUP BY t.id ORDER BY t.variant_id, t.recipe_id, t.id",
        block);
    /* clang-format on */
    const enum status st = sql ? store_query_open(s, sql, q, e) : no_memory(e);
    mem_free(sql);
    return st;
}

static const char *cell_words(struct cell cell)
{
    return cell.type == CELL_TEXT ? cell.text : "";
}

static struct timed_row take_row(const struct store_query *q)
{
    return (struct timed_row){
        .trial = store_query_cell(q, 0).i,
        .variant = store_query_cell(q, 1).i,
        .recipe = store_query_cell(q, 2).i,
        .axes = cell_words(store_query_cell(q, 3)),
        .measured = cell_number(store_query_cell(q, 4)),
        .epochs = cell_number(store_query_cell(q, 5)),
        .images = cell_number(store_query_cell(q, 6)),
        .threads = (int)store_query_cell(q, 7).i,
        .host = cell_words(store_query_cell(q, 8)),
    };
}

/* What training an epoch asks for, compiled anew where the network or the recipe is another than before. */
struct worker_model {
    struct store *store;
    int64_t variant, recipe;
    bool known;
    struct workload work;
};

static enum status find_work(struct worker_model *m, const struct timed_row *row, struct err *e)
{
    if (m->variant == row->variant && m->recipe == row->recipe)
        return ST_OK;
    struct stored_trial trial;
    struct arch arch;
    enum status st = stored_trial_read(m->store, row->trial, &trial, e);
    if (st == ST_OK)
        m->known = arch_build(&trial.point.design, &arch, NULL) == ST_OK &&
                   workload_init(&m->work, &arch, &trial.point.recipe, NULL) == ST_OK;
    stored_trial_release(&trial);
    m->variant = row->variant;
    m->recipe = row->recipe;
    return st;
}

/* The line of a number of threads; beyond the last all share it. */
static size_t line_of(struct timings *t, int threads)
{
    size_t i = 0;
    while (i < t->lines && t->threads[i] != threads)
        i++;
    if (i == t->lines && t->lines < THREAD_COUNTS)
        t->threads[t->lines++] = threads;
    return i < t->lines ? i : t->lines - 1;
}

static struct timed *next_item(struct timings *t)
{
    if (t->count == t->capacity) {
        const size_t larger = t->capacity ? 2 * t->capacity : 64;
        struct timed *items = mem_realloc(t->items, larger, sizeof *items);
        if (!items)
            return NULL;
        t->items = items;
        t->capacity = larger;
    }
    return &t->items[t->count++];
}

static enum status add_row(struct timings *t, const struct timed_row *row, double predicted, struct figure *f,
                           struct err *e)
{
    char here[256] = "";
    struct timed *item = next_item(t);
    const char *axes = figure_axes_words(&f->arena, row->axes);
    if (!item || !axes)
        return no_memory(e);
    *item = (struct timed){predicted, row->measured, line_of(t, row->threads)};
    if (gethostname(here, sizeof here - 1) == 0 && strcmp(here, row->host) != 0)
        t->elsewhere++;
    const struct cell cells[] = {cell_int(row->trial),
                                 cell_text(axes),
                                 cell_text(row->host),
                                 cell_int(row->threads),
                                 cell_real(predicted),
                                 cell_real(row->measured),
                                 cell_real((predicted / row->measured - 1) * 100)};
    return figure_row(f, cells, e);
}

static enum status read_rows(struct store *s, struct store_query *q, const struct speed *speed,
                             struct figure *f, struct timings *t, struct err *e)
{
    struct worker_model model = {.store = s, .variant = -1};
    for (bool more = true;;) {
        enum status st = store_query_next(q, &more, e);
        if (st != ST_OK || !more)
            return st;
        const struct timed_row row = take_row(q);
        t->done++;
        if (row.threads < 1 || !(row.measured > 0) || !(row.epochs > 0) || !(row.images > 0))
            continue;
        st = find_work(&model, &row, e);
        if (st == ST_OK && model.known)
            st = add_row(t, &row,
                         row.epochs * predict_epoch_s(speed, &model.work, row.threads, row.images, 0), f, e);
        if (st != ST_OK)
            return st;
    }
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* "median error -2.1 %, 180 of 200 trials within 10 %" */
static const char *error_note(const struct timings *t, struct arena *arena)
{
    double *error = arena_alloc(arena, t->count, sizeof *error);
    size_t within = 0;
    if (!error)
        return NULL;
    for (size_t i = 0; i < t->count; i++) {
        error[i] = (t->items[i].predicted / t->items[i].measured - 1) * 100;
        within += fabs(error[i]) <= BAND_PERCENT;
    }
    qsort(error, t->count, sizeof *error, by_value);
    const double median = (error[(t->count - 1) / 2] + error[t->count / 2]) / 2;
    return arena_printf(arena, "%zu of %zu trials within %d %% (the band); median error %+.1f %%", within,
                        t->count, BAND_PERCENT, median);
}

/* The line of equal times, and the outline of what lies within BAND_PERCENT of it, cut to the drawn square:
 * gnuplot does not clip areas alike on all axes and in all formats. */
static void define_band(double low, double high, struct figure *f)
{
    const double more = 1 + BAND_PERCENT / 100.0, less = 1 - BAND_PERCENT / 100.0;
    const double outline[6][2] = {
        {low, low}, /* from the lower left corner along the upper edge */
        {low, fmin(low * more, high)},
        {fmax(high / more, low), high},
        {high, high}, /* and back along the lower one */
        {high, fmax(high * less, low)},
        {fmin(low / less, high), low},
    };
    strbuf_puts(&f->definitions, "$band << EOD\n");
    figure_data(f, 2, outline[0], 6);
    strbuf_puts(&f->definitions, "EOD\n$equal << EOD\n");
    figure_data(f, 2, (const double[]){low, low, high, high}, 2);
    strbuf_puts(&f->definitions, "EOD\n");
}

/* One range for both axes, so that the line of equal times is the diagonal. */
static void set_ranges(const struct timings *t, struct layout *l, struct figure *f)
{
    double low = INFINITY, high = 0;
    for (size_t i = 0; i < t->count; i++) {
        low = fmin(low, fmin(t->items[i].predicted, t->items[i].measured));
        high = fmax(high, fmax(t->items[i].predicted, t->items[i].measured));
    }
    if (high / low >= 10) /* errors are relative: small times would all seem right beside large ones */
        l->x = (struct range){low / 1.15, high * 1.15, true};
    else
        l->x = range_around(low, high, RANGE_AMOUNT, false);
    l->y = l->x;
    define_band(l->x.low, l->x.high, f);
}

static enum status draw_points(const struct timings *t, struct layout *l, struct figure *f, struct err *e)
{
    struct line_point *points = arena_alloc(&f->arena, t->count, sizeof *points);
    const char *labels[THREAD_COUNTS];
    double merit[THREAD_COUNTS];
    if (!points)
        return no_memory(e);
    for (size_t i = 0; i < t->count; i++)
        points[i] = (struct line_point){
            t->items[i].line, t->items[i].measured, {1, t->items[i].predicted, NAN, NAN, 0, 0}};
    for (size_t i = 0; i < t->lines; i++) {
        merit[i] = -t->threads[i];
        labels[i] = arena_printf(&f->arena, "%d thread%s", t->threads[i], t->threads[i] == 1 ? "" : "s");
        if (!labels[i])
            return no_memory(e);
    }
    l->legend_title = "a dot per trial";
    figure_count(f, "point_count", t->count);
    return lines_define(f, l, points, t->count, labels, merit, t->lines, e);
}

static enum status draw(const struct timings *t, const struct figure_request *r, struct figure *f,
                        struct err *e)
{
    struct layout l = {.x_title = "measured training time (s)", .y_title = "predicted training time (s)"};
    set_ranges(t, &l, f);
    enum status st = draw_points(t, &l, f, e);
    if (st != ST_OK)
        return st;
    const size_t left = t->done - t->count;
    struct strbuf second = STRBUF_INIT;
    if (t->elsewhere > 0)
        strbuf_printf(&second, "%zu ran elsewhere", t->elsewhere);
    if (left > 0)
        strbuf_printf(&second, "%sleft out: %zu of %zu, whose threads changed or whose time is not known",
                      second.len > 0 ? "; " : "", left, t->done);
    l.notes[0] = error_note(t, &f->arena);
    l.notes[1] = second.len > 0 ? arena_strdup(&f->arena, second.text) : NULL;
    l.title = layout_title(&f->arena, r->sweep, r->name);
    const bool failed = second.failed || !l.notes[0] || !l.title || (second.len > 0 && !l.notes[1]);
    strbuf_release(&second);
    return failed ? no_memory(e) : layout_define(&l, f, e);
}

enum status figure_predicted(struct store *s, const struct figure_request *r, struct figure *out,
                             char nothing[256], struct err *e)
{
    static const struct table_column columns[] = {
        {.name = "trial"},       {.name = "axes"},    {.name = "host"},     {.name = "threads"},
        {.name = "predicted_s"}, {.name = "train_s"}, {.name = "error_pct"}};
    struct speed speed;
    if (r->x || r->y)
        return err_set(e, ST_USAGE, "has no other columns than predicted and measured seconds");
    if (!calibration_here(&speed)) {
        snprintf(nothing, 256, "this machine's speed has not been measured: firesweep plan SPEC --calibrate");
        return ST_OK;
    }
    struct timings t = {0};
    struct store_query *q = NULL;
    out->columns = columns;
    out->column_count = sizeof columns / sizeof *columns;
    enum status st = open_rows(s, r->block, &q, e);
    if (st == ST_OK)
        st = read_rows(s, q, &speed, out, &t, e);
    store_query_close(q);
    if (st == ST_OK && t.count > 0)
        st = draw(&t, r, out, e);
    else if (st == ST_OK && t.done > 0)
        snprintf(nothing, 256, "none of its %zu finished trials has a time on a known number of threads",
                 t.done);
    else if (st == ST_OK)
        snprintf(nothing, 256, "none of its trials is done yet");
    mem_free(t.items);
    return st;
}
