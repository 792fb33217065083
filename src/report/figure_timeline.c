/* When each attempt ran: attempts at the same time stand in rows of their own, one for each worker. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "report/figures.h"
#include "report/layout.h"
#include "report/rungs.h"
#include "sweep/store_lease.h"

enum { OUTCOMES = 6, RUNNING = 4, END_UNKNOWN };
static const char *const outcomes[OUTCOMES] = {"done",    "diverged",   "interrupted", "crashed or failed",
                                               "running", "end unknown"};

static enum status no_memory(struct err *e)
{
    return err_set(e, ST_NOMEM, "cannot draw a time line: out of memory");
}

static size_t outcome_of(const char *text)
{
    for (size_t i = 0; i < 3; i++)
        if (strcmp(text, outcomes[i]) == 0)
            return i;
    return 3;
}

/* Between these an attempt started, in seconds: the times of start and end are known to the second, between
 * them it lasted exactly so long. */
struct start {
    double earliest, latest;
};

/* `ended`: NaN where no end is recorded. */
static struct start start_of(double started, double ended, double lasted)
{
    struct start s = {started, started + 1};
    if (isnan(ended) || ended + 1 - lasted <= started || ended - lasted >= started + 1) /* a clock was set */
        return s;
    s.earliest = fmax(started, ended - lasted);
    s.latest = fmin(started + 1, ended + 1 - lasted);
    return s;
}

struct bar {
    struct start start;
    double lasted;
    double from, to; /* s since the first start; as drawn, after the one before it in its row */
    size_t row, outcome;
};

struct bars {
    size_t count, rows;
    struct bar *items; /* by start */
    double *busy;      /* of each row: until when; room for a row each */
    double end;
    size_t of[OUTCOMES];
};

/* The row of an attempt, a new one where none is free. Busy rows end as early as they can: a row that ends
 * before the latest start may have become free for it, and the one that ends first has, as a worker takes the
 * next trial when its last one ends. */
static size_t free_row(struct bars *b, const struct start *start)
{
    size_t soonest = 0;
    for (size_t row = 0; row < b->rows; row++) {
        if (b->busy[row] <= start->earliest)
            return row;
        soonest = b->busy[row] < b->busy[soonest] ? row : soonest;
    }
    if (b->rows > 0 && b->busy[soonest] < start->latest)
        return soonest;
    b->busy[b->rows] = 0;
    return b->rows++;
}

/* Puts every attempt into a row, as early as it can have been, with so many rows free at the start. Returns
 * the number of rows. */
static size_t assign_rows(struct bars *b, size_t rows)
{
    b->rows = rows;
    b->end = 0;
    for (size_t row = 0; row < rows; row++)
        b->busy[row] = 0;
    for (size_t i = 0; i < b->count; i++) {
        struct bar *bar = &b->items[i];
        bar->row = free_row(b, &bar->start);
        bar->from = fmax(bar->start.earliest, b->busy[bar->row]);
        bar->to = b->busy[bar->row] = bar->from + bar->lasted;
        b->end = fmax(b->end, bar->to);
    }
    return b->rows;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The most attempts that ran at one time for certain: from the latest start of each to its earliest end. */
static size_t certain_rows(const struct bars *b, double *starts, double *ends)
{
    size_t n = 0, at = 0, most = 0;
    for (size_t i = 0; i < b->count; i++) {
        const struct bar *bar = &b->items[i];
        if (bar->start.latest < bar->start.earliest + bar->lasted) {
            starts[n] = bar->start.latest;
            ends[n++] = bar->start.earliest + bar->lasted;
        }
    }
    qsort(starts, n, sizeof *starts, by_size);
    qsort(ends, n, sizeof *ends, by_size);
    for (size_t i = 0; i < n; i++) {
        while (ends[at] <= starts[i])
            at++;
        most = i + 1 - at > most ? i + 1 - at : most;
    }
    return most;
}

/* The fewest rows that are enough: workers, of which each began at once. */
static enum status arrange(struct bars *b, struct arena *arena, struct err *e)
{
    double *starts = arena_alloc(arena, b->count + 1, sizeof *starts),
           *ends = arena_alloc(arena, b->count + 1, sizeof *ends);
    if (!starts || !ends)
        return no_memory(e);
    const size_t most = assign_rows(b, 0);
    size_t rows = certain_rows(b, starts, ends);
    while (rows < most && assign_rows(b, rows) > rows)
        rows++;
    if (rows >= most)
        assign_rows(b, 0);
    return ST_OK;
}

/* Of attempts without a recorded duration: ended ones are those whose run vanished, and end where they were
 * last known to live; earlier versions recorded when that was noticed, which says nothing. */
static enum status open_attempts(struct store *s, int64_t block, struct store_query **q, struct err *e)
{
    /* clang-format off */
    char *sql = mem_printf(
        "WITH a AS (SELECT a.*, unixepoch(a.started_utc) AS start FROM attempt a WHERE a.trial_id IN"
        " (SELECT trial_id FROM " TRIALS_OF_ALL_RUNGS("%1$" PRId64) ") ORDER BY start, a.id)"
        " SELECT trial_id, number, host, threads, start - (SELECT min(start) FROM a), outcome,"
        " (SELECT count(*) FROM a), started_utc, wall_s, iif(ended_utc IS NULL, unixepoch('now') - start, NULL),"
        " iif(ended_utc IS NULL, (SELECT " LEASE_SEEN_S_SQL " FROM lease l WHERE l.attempt_id = a.id),"
        "  iif(EXISTS (SELECT 1 FROM event v WHERE v.attempt_id = a.id AND v.at_utc > ended_utc),"
        "  unixepoch(ended_utc) - start, 0)), unixepoch(ended_utc) - (SELECT min(start) FROM a) FROM a",
        block);
    /* clang-format on */
    const enum status st = sql ? store_query_open(s, sql, q, e) : no_memory(e);
    mem_free(sql);
    return st;
}

static double number_or_0(struct cell cell)
{
    const double v = cell_number(cell);
    return isnan(v) ? 0 : v;
}

/* Who holds the running trials. */
struct holders {
    struct lease *leases;
    int count;
};

/* How long an attempt lasted, in seconds, and what kind it is. */
static double read_end(struct store_query *q, const struct holders *h, size_t *outcome)
{
    const struct cell ended = store_query_cell(q, 5), wall = store_query_cell(q, 8);
    const bool gone = ended.type != CELL_TEXT &&
                      lease_look_among(h->leases, h->count, store_query_cell(q, 0).i) == LEASE_GONE;
    *outcome = ended.type == CELL_TEXT && wall.type != CELL_NULL ? outcome_of(ended.text)
               : ended.type == CELL_TEXT || gone                 ? END_UNKNOWN
                                                                 : RUNNING;
    const int column = *outcome == RUNNING ? 9 : *outcome == END_UNKNOWN ? 10 : 8;
    return fmax(number_or_0(store_query_cell(q, column)), 0);
}

/* Adds an attempt to the bars and to the data. */
static enum status add_bar(struct store_query *q, const struct holders *h, struct bars *b, struct figure *f,
                           struct err *e)
{
    struct bar *bar = &b->items[b->count++];
    const double started = number_or_0(store_query_cell(q, 4));
    bar->lasted = read_end(q, h, &bar->outcome);
    const bool recorded = bar->outcome != RUNNING && bar->outcome != END_UNKNOWN;
    bar->start = start_of(started, recorded ? cell_number(store_query_cell(q, 11)) : NAN, bar->lasted);
    b->of[bar->outcome]++;
    return figure_row(f,
                      (const struct cell[]){store_query_cell(q, 0), store_query_cell(q, 1),
                                            store_query_cell(q, 2), store_query_cell(q, 3), cell_null(),
                                            cell_null(), cell_null(), store_query_cell(q, 5),
                                            store_query_cell(q, 7),
                                            cell_text(bar->outcome == RUNNING       ? "running"
                                                      : bar->outcome == END_UNKNOWN ? "unknown"
                                                                                    : "recorded")},
                      e);
}

/* What the data say of where a bar is. */
static void fill_data(const struct bars *b, struct figure *f)
{
    for (size_t i = 0; i < b->count; i++) {
        f->rows[i][4] = cell_real(b->items[i].from);
        f->rows[i][5] = cell_real(b->items[i].to);
        f->rows[i][6] = cell_int((int64_t)b->items[i].row + 1);
    }
}

static enum status read_bars(struct store_query *q, const struct holders *h, struct figure *f, struct bars *b,
                             struct err *e)
{
    for (bool row = true;;) {
        enum status st = store_query_next(q, &row, e);
        if (st != ST_OK || !row)
            return st;
        if (!b->items) {
            const size_t all = (size_t)store_query_cell(q, 6).i;
            b->items = arena_alloc(&f->arena, all, sizeof *b->items);
            b->busy = arena_alloc(&f->arena, all + 1, sizeof *b->busy);
            if (!b->items || !b->busy)
                return no_memory(e);
        }
        st = add_bar(q, h, b, f, e);
        if (st != ST_OK)
            return st;
    }
}

/* Bars of one outcome, in the unit of the axis; `pixel`: about as wide. Neighbours that are too narrow to be
 * told apart become one, the narrowest is still seen, and between wide ones there is a gap. */
static enum status define_bars(const struct bars *b, size_t outcome, double unit, double pixel,
                               struct figure *f, struct err *e)
{
    const double narrow = 5 * pixel;
    struct bar *last = arena_alloc(&f->arena, b->rows + 1, sizeof *last); /* of each row; open while to > 0 */
    if (!last)
        return no_memory(e);
    for (size_t i = 0; i <= b->count + b->rows; i++) {
        /* Behind all bars, the open ones are closed. */
        const bool is_bar = i < b->count;
        if (is_bar && b->items[i].outcome != outcome)
            continue;
        const struct bar *bar = is_bar ? &b->items[i] : NULL;
        struct bar *open = &last[is_bar ? bar->row : i - b->count];
        const double from = is_bar ? bar->from / unit : 0, to = is_bar ? bar->to / unit : 0;
        if (is_bar && open->to > 0 && from - open->to < pixel / 2 &&
            (to - from < narrow || open->to - open->from < narrow)) {
            open->to = fmax(open->to, to);
            continue;
        }
        const double width = open->to - open->from, gap = width > narrow ? 1.25 * pixel : 0;
        if (open->to > 0)
            figure_data(f, 3,
                        (const double[]){open->from + gap, open->from + fmax(width - gap, pixel),
                                         (double)open->row + 1},
                        1);
        *open = is_bar ? (struct bar){.from = from, .to = fmax(to, 1e-9), .row = bar->row, .outcome = outcome}
                       : (struct bar){0};
    }
    return ST_OK;
}

/* From one numbered row to the next, so that their numbers have room: 1, 2, 5, 10, 20, ... */
static size_t number_step(double row_pixels)
{
    size_t step = 1;
    for (size_t i = 0; (double)step * row_pixels < FIGURE_ROW - 0.5; i++)
        step = i % 3 == 1 ? step / 2 * 5 : step * 2;
    return step;
}

/* A number for each worker; many of them make the figure higher, and very many the rows thinner. */
static enum status name_rows(const struct bars *b, struct layout *l, struct figure *f, struct err *e)
{
    enum { ROWS_PIXELS = 1600 };
    const char **names = arena_alloc(&f->arena, b->rows, sizeof *names);
    double *y = arena_alloc(&f->arena, b->rows, sizeof *y);
    const double pixels = fmin(FIGURE_ROW, ROWS_PIXELS / (double)b->rows);
    const size_t step = number_step(pixels);
    if (!names || !y)
        return no_memory(e);
    for (size_t i = 0; i < b->rows; i++) {
        y[i] = (double)i + 1;
        names[i] = (i + 1) % step == 0 ? arena_printf(&f->arena, "%zu", i + 1) : "";
        if (!names[i])
            return no_memory(e);
    }
    l->rows = (struct row_names){.count = b->rows, .pixels = pixels, .y = y, .texts = names};
    figure_number(f, "row_pixels", pixels);
    return ST_OK;
}

static enum status draw(const struct bars *b, const struct figure_request *r, struct figure *f, struct err *e)
{
    enum { ABOUT_PIXELS = 450, ROWS_LEAST = 4 }; /* a lone row is no wall */
    const bool hours = b->end > 3 * 3600, minutes = b->end > 180;
    const double unit = hours ? 3600 : minutes ? 60 : 1;
    const char **labels = arena_alloc(&f->arena, OUTCOMES, sizeof *labels);
    double *kinds = arena_alloc(&f->arena, OUTCOMES, sizeof *kinds);
    struct layout l = {.x_title = hours     ? "time since the first start (h)"
                                  : minutes ? "time since the first start (min)"
                                            : "time since the first start (s)",
                       .y_title = "workers"};
    if (!labels || !kinds)
        return no_memory(e);
    l.x = range_around(0, b->end / unit, RANGE_AMOUNT, false);
    strbuf_puts(&f->definitions, "$bars << EOD\n");
    for (size_t o = 0; o < OUTCOMES; o++) {
        if (b->of[o] == 0)
            continue;
        const enum status st = define_bars(b, o, unit, (l.x.high - l.x.low) / ABOUT_PIXELS, f, e);
        if (st != ST_OK)
            return st;
        strbuf_puts(&f->definitions, "\n\n");
        kinds[l.legend_count] = (double)o + 1;
        labels[l.legend_count] = arena_printf(&f->arena, "%s (%zu)", outcomes[o], b->of[o]);
        if (!labels[l.legend_count++])
            return no_memory(e);
    }
    strbuf_puts(&f->definitions, "EOD\n");
    figure_numbers(f, "outcome", kinds, l.legend_count);
    l.legend = labels;
    l.legend_title = "attempts";
    const double room = fmax(ROWS_LEAST - (double)b->rows, 0) / 2;
    l.y = (struct range){0.4 - room, (double)b->rows + 0.6 + room, false};
    const enum status named = name_rows(b, &l, f, e);
    if (named != ST_OK)
        return named;
    l.title = layout_title(&f->arena, r->sweep, r->name);
    l.notes[0] = arena_printf(
        &f->arena, "%zu attempts; starts are known to the second, and drawn as early as they can be%s",
        b->count,
        b->of[END_UNKNOWN] > 0 ? "; end unknown, as their run vanished: until they were last known to live"
                               : "");
    f->points = b->count;
    return l.title && l.notes[0] ? layout_define(&l, f, e) : no_memory(e);
}

enum status figure_timeline(struct store *s, const struct figure_request *r, struct figure *out,
                            char nothing[256], struct err *e)
{
    static const struct table_column columns[] = {
        {.name = "trial"},       {.name = "attempt"}, {.name = "host"}, {.name = "threads"},
        {.name = "start_s"},     {.name = "end_s"},   {.name = "row"},  {.name = "outcome"},
        {.name = "started_utc"}, {.name = "end"}};
    struct store_query *q = NULL;
    struct holders holders = {0};
    struct bars bars = {0};
    out->columns = columns;
    out->column_count = sizeof columns / sizeof *columns;
    enum status st = store_leases(s, &holders.leases, &holders.count, e);
    if (st == ST_OK)
        st = open_attempts(s, r->block, &q, e);
    if (st == ST_OK)
        st = read_bars(q, &holders, out, &bars, e);
    store_query_close(q);
    mem_free(holders.leases);
    if (st == ST_OK && bars.count > 0)
        st = arrange(&bars, &out->arena, e);
    if (st == ST_OK && bars.count > 0) {
        fill_data(&bars, out);
        st = draw(&bars, r, out, e);
    } else if (st == ST_OK)
        snprintf(nothing, 256, "none of its trials has been started");
    return st;
}
