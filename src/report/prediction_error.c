#include "report/prediction_error.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "engine/calibration.h"
#include "engine/trainer.h"
#include "report/figures.h"

/* Of the figure's data file. */
enum { COLUMN_TRIAL = 0, COLUMN_PREDICTED = 4, COLUMN_MEASURED = 5 };

struct ratio {
    int64_t trial;
    double value; /* measured / predicted */
};

struct ratios {
    struct ratio *items;
    size_t count, capacity;
};

struct numbers {
    int64_t *items;
    size_t count, capacity;
};

static enum status no_memory(struct err *e)
{
    return err_set(e, ST_NOMEM, "out of memory");
}

static enum status add_number(struct numbers *n, int64_t number, struct err *e)
{
    if (n->count == n->capacity) {
        const size_t larger = n->capacity ? 2 * n->capacity : 64;
        int64_t *items = mem_realloc(n->items, larger, sizeof *items);
        if (!items)
            return no_memory(e);
        n->items = items;
        n->capacity = larger;
    }
    n->items[n->count++] = number;
    return ST_OK;
}

/* The numbers in a query's first column; with four more columns, only where the second and third are `host`,
 * the fourth and fifth `isa`. */
static enum status read_numbers(struct store *s, const char *sql, const char *host, const char *isa,
                                struct numbers *out, struct err *e)
{
    struct store_query *q = NULL;
    enum status st = store_query_open(s, sql, &q, e);
    for (bool more = true; st == ST_OK;) {
        st = store_query_next(q, &more, e);
        if (st != ST_OK || !more)
            break;
        bool here = true;
        for (int i = 1; i < 5 && host; i++) {
            const struct cell cell = store_query_cell(q, i);
            here = here && cell.type == CELL_TEXT && strcmp(cell.text, i < 3 ? host : isa) == 0;
        }
        st = here ? add_number(out, store_query_cell(q, 0).i, e) : ST_OK;
    }
    store_query_close(q);
    return st;
}

static int by_number(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* All attempts of these trials ran on this machine with the instruction set in use; in order of number. */
static enum status find_here(struct store *s, struct numbers *out, struct err *e)
{
    char host[HOST_NAME_MAX + 1] = "";
    if (gethostname(host, sizeof host - 1) != 0)
        return ST_OK;
    return read_numbers(s,
                        "SELECT trial_id, min(host), max(host), min(isa), max(isa) FROM attempt"
                        " GROUP BY trial_id ORDER BY trial_id",
                        host, engine_isa(), out, e);
}

static enum status add_ratio(struct ratios *r, int64_t trial, double value, struct err *e)
{
    if (r->count == r->capacity) {
        const size_t larger = r->capacity ? 2 * r->capacity : 64;
        struct ratio *items = mem_realloc(r->items, larger, sizeof *items);
        if (!items)
            return no_memory(e);
        r->items = items;
        r->capacity = larger;
    }
    r->items[r->count++] = (struct ratio){trial, value};
    return ST_OK;
}

static enum status add_block(struct store *s, int64_t block, const struct numbers *here, struct ratios *r,
                             struct err *e)
{
    const struct figure_request request = {.block = block, .sweep = "", .name = ""};
    char nothing[256] = "";
    struct figure f;
    figure_init(&f);
    enum status st = figure_predicted(s, &request, &f, nothing, e);
    for (size_t i = 0; i < f.row_count && st == ST_OK; i++) {
        const struct cell *row = f.rows[i];
        const int64_t trial = row[COLUMN_TRIAL].i;
        const double predicted = row[COLUMN_PREDICTED].r, measured = row[COLUMN_MEASURED].r;
        const bool counts = here->count && predicted > 0 && isfinite(measured / predicted) &&
                            bsearch(&trial, here->items, here->count, sizeof trial, by_number);
        st = counts ? add_ratio(r, trial, measured / predicted, e) : ST_OK;
    }
    figure_release(&f);
    return st;
}

static int by_trial(const void *a, const void *b)
{
    const struct ratio *x = a, *y = b;
    return (x->trial > y->trial) - (x->trial < y->trial);
}

static int by_value(const void *a, const void *b)
{
    const struct ratio *x = a, *y = b;
    return (x->value > y->value) - (x->value < y->value);
}

/* A trial of several blocks counts once. */
static void drop_repeated(struct ratios *r)
{
    size_t kept = 0;
    qsort(r->items, r->count, sizeof *r->items, by_trial);
    for (size_t i = 0; i < r->count; i++) {
        if (i == 0 || r->items[i].trial != r->items[i - 1].trial)
            r->items[kept++] = r->items[i];
    }
    r->count = kept;
}

static void summarise(struct ratios *r, struct prediction_error *out)
{
    drop_repeated(r);
    if (r->count < PREDICTION_ERROR_LEAST)
        return;
    qsort(r->items, r->count, sizeof *r->items, by_value);
    const size_t outside = r->count / 20; /* on either side */
    out->trials = (int)r->count;
    out->low = r->items[outside].value;
    out->high = r->items[r->count - 1 - outside].value;
}

enum status prediction_error_find(struct store *s, struct prediction_error *out, struct err *e)
{
    struct numbers here = {0}, blocks = {0};
    struct ratios r = {0};
    struct speed speed;
    *out = (struct prediction_error){0, 1, 1};
    if (!calibration_here(&speed))
        return ST_OK;
    enum status st = find_here(s, &here, e);
    if (st == ST_OK && here.count >= PREDICTION_ERROR_LEAST)
        st = read_numbers(s, "SELECT id FROM block ORDER BY id", NULL, NULL, &blocks, e);
    for (size_t i = 0; i < blocks.count && st == ST_OK; i++)
        st = add_block(s, blocks.items[i], &here, &r, e);
    if (st == ST_OK && r.count > 0)
        summarise(&r, out);
    mem_free(here.items);
    mem_free(blocks.items);
    mem_free(r.items);
    return st;
}
