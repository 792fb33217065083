/* Learning curves for the page: the epochs of every trial, thinned to what the page can bear. Losses and
 * accuracies are whole ten-thousandths, each as its difference to the one before. */
#include "report/html_columns.h"
#include "report/html_private.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "report/rungs.h"

enum { SERIES = 4, POINTS_MOST = 200, POINTS_LEAST = 8 };
enum { POINTS_ALL = 120000 }; /* of all trials together: about 1.3 MB */

struct curve_point {
    int64_t epoch;
    double y[SERIES];
};

/* The epochs of the trial that is being read. */
struct curve {
    size_t count, capacity;
    struct curve_point *points;
};

static enum status take(struct curve *c, const struct store_query *q, struct err *e)
{
    if (c->count == c->capacity) {
        const size_t capacity = c->capacity ? 2 * c->capacity : 64;
        struct curve_point *points = mem_realloc(c->points, capacity, sizeof *points);
        if (!points)
            return err_set(e, ST_NOMEM, "out of memory");
        c->points = points;
        c->capacity = capacity;
    }
    struct curve_point *p = &c->points[c->count++];
    p->epoch = store_query_cell(q, 1).i;
    for (int i = 0; i < SERIES; i++) {
        const struct cell y = store_query_cell(q, 2 + i);
        p->y[i] = y.type == CELL_REAL ? y.r : (double)NAN;
    }
    return ST_OK;
}

/* Keeps the first, the last, and what lies at even distances between. */
static void thin(struct curve *c, size_t most)
{
    if (c->count <= most)
        return;
    for (size_t i = 0; i < most; i++)
        c->points[i] = c->points[i * (c->count - 1) / (most - 1)];
    c->count = most;
}

/* The difference to the number before: the sign is the lowest bit, five bits a digit, the lowest first, and
 * 32 says that more follow. Curves are steady: most take two digits. */
static void write_difference(int64_t difference, FILE *out)
{
    uint64_t rest = difference < 0 ? (uint64_t)-difference << 1 | 1 : (uint64_t)difference << 1;
    for (; rest >= 32; rest >>= 5)
        fputc(html_columns_digit((unsigned)(rest & 31) | 32), out);
    fputc(html_columns_digit((unsigned)rest), out);
}

static void write_epochs(const struct curve *c, FILE *out)
{
    int64_t before = 0;
    for (size_t i = 0; i < c->count; i++) {
        write_difference(c->points[i].epoch - before, out);
        before = c->points[i].epoch;
    }
}

/* "." is no number; nothing at all where no epoch has one. */
static void write_series(const struct curve *c, int series, FILE *out)
{
    int64_t before = 0;
    bool any = false;
    for (size_t i = 0; i < c->count; i++)
        any = any || !isnan(c->points[i].y[series]);
    for (size_t i = 0; any && i < c->count; i++) {
        const double y = c->points[i].y[series];
        if (isnan(y) || fabs(y) > 1e9) {
            fputc('.', out);
            continue;
        }
        write_difference((int64_t)llround(1e4 * y) - before, out);
        before = (int64_t)llround(1e4 * y);
    }
}

/* A row: trial, epochs, train_loss, val_loss, train_top1, val_top1 */
static enum status put_curve(struct html_columns *t, int64_t trial, struct curve *c, size_t most,
                             struct err *e)
{
    thin(c, most);
    fprintf(html_columns_cell(t), "%" PRId64, trial);
    enum status status = html_columns_end(t, e);
    for (int s = -1; status == ST_OK && s < SERIES; s++) {
        FILE *cell = html_columns_cell(t);
        fputc('"', cell);
        if (s < 0)
            write_epochs(c, cell);
        else
            write_series(c, s, cell);
        fputc('"', cell);
        status = html_columns_end(t, e);
    }
    c->count = 0;
    return status;
}

/* Which trials, and how many points each. With so many trials that the least would be too much, those of the
 * best variants. */
struct choice {
    int64_t trials;  /* with epochs */
    int64_t longest; /* epochs */
    size_t points;
    bool best;
};

static enum status choose(struct html_page *p, struct choice *c, struct err *e)
{
    struct store_query *q = NULL;
    bool row = false;
    enum status status = html_query_row(
        p, "SELECT count(*), coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM epoch GROUP BY trial_id)",
        &q, &row, e);
    if (status == ST_OK && row) {
        c->trials = store_query_cell(q, 0).i;
        c->longest = store_query_cell(q, 1).i;
        const int64_t each = c->trials > 0 ? POINTS_ALL / c->trials : POINTS_MOST;
        c->best = each < POINTS_LEAST && c->longest > each;
        c->points = (size_t)(each > POINTS_MOST ? POINTS_MOST : each < POINTS_LEAST ? POINTS_LEAST : each);
    }
    store_query_close(q);
    return status;
}

#define EPOCHS "SELECT p.trial_id, p.epoch, p.train_loss, p.val_loss, p.train_top1, p.val_top1 FROM epoch p"
static const char all_sql[] = EPOCHS " ORDER BY p.trial_id, p.epoch";

static enum status put_curves(struct html_page *p, const struct choice *choice, struct html_columns *t,
                              struct err *e)
{
    char sql[1024];
    struct curve c = {0};
    struct store_query *q = NULL;
    bool row = false;
    snprintf(
        sql, sizeof sql,
        EPOCHS
        " WHERE p.trial_id IN (SELECT id FROM trial WHERE epochs_done > 0 ORDER BY"
        " NOT " IN_BLOCK(
            "trial.id") ", coalesce(val_top1, test_top1, -1) DESC, id LIMIT %d) ORDER BY p.trial_id, p.epoch",
        (int)(POINTS_ALL / POINTS_LEAST));
    enum status status = html_query_row(p, choice->best ? sql : all_sql, &q, &row, e);
    while (status == ST_OK && row) {
        const int64_t trial = store_query_cell(q, 0).i;
        status = take(&c, q, e);
        if (status == ST_OK)
            status = store_query_next(q, &row, e);
        if (status == ST_OK && (!row || store_query_cell(q, 0).i != trial))
            status = put_curve(t, trial, &c, choice->points, e);
    }
    store_query_close(q);
    mem_free(c.points);
    return status;
}

static void write_note(struct html_page *p, const struct choice *c)
{
    char text[300] = "";
    if (c->best)
        snprintf(text, sizeof text,
                 "Learning curves of the best %d trials, with at most %zu of their epochs; all are in the "
                 "database.",
                 POINTS_ALL / POINTS_LEAST, c->points);
    else if (c->longest > (int64_t)c->points)
        snprintf(text, sizeof text, "Curves show at most %zu of %" PRId64 " epochs; all are in the database.",
                 c->points, c->longest);
    if (*text && c->best)
        strbuf_printf(p->left_out, "%s\n", text);
    html_json(p->out, text);
}

enum status html_epochs(struct html_page *p, struct err *e)
{
    static const char *const names[] = {"trial",    "epochs",     "train_loss",
                                        "val_loss", "train_top1", "val_top1"};
    struct choice c = {0};
    struct html_columns *t = html_columns_create(2 + SERIES);
    enum status status = t ? choose(p, &c, e) : err_set(e, ST_NOMEM, "out of memory");
    if (status == ST_OK)
        status = put_curves(p, &c, t, e);
    if (status == ST_OK) {
        fputs("\"epochs\":{\"note\":", p->out);
        write_note(p, &c);
        fputs(",\"curves\":", p->out);
        html_columns_write(t, names, p->out);
        fputc('}', p->out);
    }
    html_columns_free(t);
    return status;
}
