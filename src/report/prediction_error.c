#include "report/prediction_error.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "engine/calibration.h"
#include "engine/trainer.h"
#include "sweep/store_trials.h"

enum { LOOKED_AT = 200 }; /* trials, evenly among all: a large database is not to delay a plan */

/* A finished trial of this machine, and how much longer it took than predicted. */
struct timed {
    int64_t trial;
    int threads;
    double measured_s, epochs, images;
    double ratio;
};

struct timings {
    struct timed *items;
    size_t count, capacity;
};

static enum status add(struct timings *t, const struct timed *item, struct err *e)
{
    if (t->count == t->capacity) {
        const size_t larger = t->capacity ? 2 * t->capacity : 64;
        struct timed *items = mem_realloc(t->items, larger, sizeof *items);
        if (!items)
            return err_set(e, ST_NOMEM, "out of memory");
        t->items = items;
        t->capacity = larger;
    }
    t->items[t->count++] = *item;
    return ST_OK;
}

static double number(const struct store_query *q, int column)
{
    return cell_number(store_query_cell(q, column));
}

static bool text_is(const struct store_query *q, int column, const char *text)
{
    const struct cell cell = store_query_cell(q, column);
    return cell.type == CELL_TEXT && strcmp(cell.text, text) == 0;
}

/* All of its attempts were here, on a number of threads that did not change (more processor time than the
 * first threads had says that it grew), and its time is known. */
static bool take_row(const struct store_query *q, const char *host, struct timed *out)
{
    *out = (struct timed){.trial = store_query_cell(q, 0).i,
                          .measured_s = number(q, 1),
                          .epochs = number(q, 2),
                          .images = number(q, 3),
                          .threads = (int)store_query_cell(q, 4).i};
    const bool here = text_is(q, 5, host) && text_is(q, 6, host) && text_is(q, 7, engine_isa()) &&
                      text_is(q, 8, engine_isa());
    return here && out->threads > 0 && out->measured_s > 0 && out->epochs > 0 && out->images > 0;
}

static enum status read_timings(struct store *s, struct timings *t, struct err *e)
{
    static const char sql[] =
        "SELECT t.id, t.train_s, t.epochs_done,"
        " (SELECT max(w.train_images) FROM sweep w WHERE w.data_fingerprint = t.data_fingerprint),"
        " CASE WHEN min(a.threads) = max(a.threads) AND NOT max(coalesce(a.cpu_s > 1.1 * a.threads * a.wall_s"
        " + 1, 0)) THEN max(a.threads) ELSE 0 END, min(a.host), max(a.host), min(a.isa), max(a.isa)"
        " FROM trial t JOIN attempt a ON a.trial_id = t.id WHERE t.state = 'done' GROUP BY t.id ORDER BY "
        "t.id";
    char host[HOST_NAME_MAX + 1] = "";
    struct store_query *q = NULL;
    if (gethostname(host, sizeof host - 1) != 0)
        return ST_OK;
    enum status st = store_query_open(s, sql, &q, e);
    for (bool more = true; st == ST_OK;) {
        struct timed item;
        st = store_query_next(q, &more, e);
        if (st != ST_OK || !more)
            break;
        st = take_row(q, host, &item) ? add(t, &item, e) : ST_OK;
    }
    store_query_close(q);
    return st;
}

/* Keeps LOOKED_AT of them. */
static void thin_out(struct timings *t)
{
    if (t->count <= LOOKED_AT)
        return;
    for (size_t i = 0; i < LOOKED_AT; i++)
        t->items[i] = t->items[i * t->count / LOOKED_AT];
    t->count = LOOKED_AT;
}

/* NaN ratio: the engine cannot build the trial any more. */
static enum status compare(struct store *s, const struct speed *speed, struct timed *item, struct err *e)
{
    struct stored_trial trial;
    struct arch arch;
    struct workload work;
    enum status st = stored_trial_read(s, item->trial, &trial, e);
    item->ratio = NAN;
    if (st == ST_OK && arch_build(&trial.point.design, &arch, NULL) == ST_OK &&
        workload_init(&work, &arch, &trial.point.recipe, NULL) == ST_OK)
        item->ratio =
            item->measured_s / (item->epochs * predict_epoch_s(speed, &work, item->threads, item->images, 0));
    stored_trial_release(&trial);
    return st;
}

static int by_ratio(const void *a, const void *b)
{
    const double x = ((const struct timed *)a)->ratio, y = ((const struct timed *)b)->ratio;
    return (x > y) - (x < y);
}

static void summarise(struct timings *t, struct prediction_error *out)
{
    size_t known = 0;
    for (size_t i = 0; i < t->count; i++)
        if (isfinite(t->items[i].ratio))
            t->items[known++] = t->items[i];
    if (known < PREDICTION_ERROR_LEAST)
        return;
    qsort(t->items, known, sizeof *t->items, by_ratio);
    const size_t outside = known / 20; /* on either side */
    out->trials = (int)known;
    out->low = t->items[outside].ratio;
    out->typical = known % 2 ? t->items[known / 2].ratio
                             : (t->items[known / 2 - 1].ratio + t->items[known / 2].ratio) / 2;
    out->high = t->items[known - 1 - outside].ratio;
}

enum status prediction_error_find(struct store *s, struct prediction_error *out, struct err *e)
{
    struct timings t = {0};
    struct speed speed;
    *out = (struct prediction_error){0, 1, 1, 1};
    if (!calibration_here(&speed))
        return ST_OK;
    enum status st = read_timings(s, &t, e);
    thin_out(&t);
    for (size_t i = 0; i < t.count && st == ST_OK; i++)
        st = compare(s, &speed, &t.items[i], e);
    if (st == ST_OK && t.count > 0)
        summarise(&t, out);
    mem_free(t.items);
    return st;
}
