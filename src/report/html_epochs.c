/* Learning curves for the page: the epochs of every trial, thinned to what the page can bear. Losses and
 * accuracies are whole ten-thousandths: four decimals, and half the bytes. */
#include "report/html_private.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "report/rungs.h"

enum { SERIES = 4, POINTS_MOST = 200, POINTS_LEAST = 8 };
enum { POINTS_ALL = 120000 }; /* of all trials together: about 3 MB */

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

static void write_series(const struct curve *c, int series, FILE *out)
{
    bool any = false;
    for (size_t i = 0; i < c->count; i++)
        any = any || !isnan(c->points[i].y[series]);
    fputs(any ? ",[" : ",0", out);
    for (size_t i = 0; any && i < c->count; i++) {
        const double y = c->points[i].y[series];
        if (isnan(y) || fabs(y) > 1e9)
            fputs(i ? ",null" : "null", out);
        else
            fprintf(out, "%s%" PRId64, i ? "," : "", (int64_t)llround(1e4 * y));
    }
    fputs(any ? "]" : "", out);
}

/* "id":[[epochs],[train_loss],[val_loss],[train_top1],[val_top1]], 0 for a series without values */
static void write_curve(struct html_page *p, int64_t trial, struct curve *c, size_t most, bool first)
{
    thin(c, most);
    fprintf(p->out, "%s\"%" PRId64 "\":[[", first ? "\n" : ",\n", trial);
    for (size_t i = 0; i < c->count; i++)
        fprintf(p->out, "%s%" PRId64, i ? "," : "", c->points[i].epoch);
    fputc(']', p->out);
    for (int s = 0; s < SERIES; s++)
        write_series(c, s, p->out);
    fputc(']', p->out);
    c->count = 0;
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

static enum status write_curves(struct html_page *p, const struct choice *choice, struct err *e)
{
    char sql[1024];
    struct curve c = {0};
    struct store_query *q = NULL;
    bool row = false, first = true;
    snprintf(
        sql, sizeof sql,
        EPOCHS
        " WHERE p.trial_id IN (SELECT id FROM trial WHERE epochs_done > 0 ORDER BY"
        " " SHORTER_RUNG(
            "trial.id") ", coalesce(val_top1, test_top1, -1) DESC, id LIMIT %d) ORDER BY p.trial_id, p.epoch",
        (int)(POINTS_ALL / POINTS_LEAST));
    enum status status = html_query_row(p, choice->best ? sql : all_sql, &q, &row, e);
    while (status == ST_OK && row) {
        const int64_t trial = store_query_cell(q, 0).i;
        status = take(&c, q, e);
        if (status == ST_OK)
            status = store_query_next(q, &row, e);
        if (status == ST_OK && (!row || store_query_cell(q, 0).i != trial)) {
            write_curve(p, trial, &c, choice->points, first);
            first = false;
        }
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
    struct choice c = {0};
    enum status status = choose(p, &c, e);
    if (status != ST_OK)
        return status;
    fputs("\"epochs\":{\"series\":[\"train_loss\",\"val_loss\",\"train_top1\",\"val_top1\"],\"note\":",
          p->out);
    write_note(p, &c);
    fputs(",\"trials\":{", p->out);
    status = write_curves(p, &c, e);
    fputs("}}", p->out);
    return status;
}
