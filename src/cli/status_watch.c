#include "cli/status_watch.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/mem.h"
#include "cli/database.h"
#include "cli/output.h"
#include "cli/screen.h"
#include "report/summary.h"
#include "report/table.h"
#include "sweep/store_lease.h"

enum { WORKERS_SHOWN = 256, LINE_TEXT = 256, DURATION_TEXT = 32 };
static const int IDLE_LOOKS = 3; /* between two trials nothing runs for a moment */

struct running {
    int64_t trial;
    const char *name; /* whole, in the look's arena */
    int epochs_done, epochs;
    double val_top1; /* NaN: not known */
};

/* One look. */
struct look {
    int trials, finished, pending;
    int alive,
        gone;     /* of those that are recorded as running: their run is at work, or ended without a word */
    double eta_s; /* < 0: not known */
    int count;
    struct running workers[WORKERS_SHOWN];
    struct arena names;
};

/* Columns of summary_running. */
enum { TRIAL, NAME, EPOCHS_DONE, EPOCHS, VAL_TOP1 = 5 };

static enum status look_at_worker(const struct store_query *q, struct look *l, struct err *e)
{
    struct running *w = &l->workers[l->count];
    const struct cell name = store_query_cell(q, NAME), top1 = store_query_cell(q, VAL_TOP1);
    w->trial = store_query_cell(q, TRIAL).i;
    w->name = arena_strdup(&l->names, name.type == CELL_TEXT ? name.text : "trial");
    if (!w->name)
        return err_set(e, ST_NOMEM, "out of memory");
    w->epochs_done = (int)store_query_cell(q, EPOCHS_DONE).i;
    w->epochs = (int)store_query_cell(q, EPOCHS).i;
    w->val_top1 = top1.type == CELL_REAL ? top1.r : (double)NAN;
    l->count++;
    return ST_OK;
}

/* What runs elsewhere, where it cannot be seen, is believed to. */
static enum status look_at_running(struct store *store, struct look *l, struct err *e)
{
    struct store_query *q = NULL;
    struct lease *leases = NULL;
    int lease_count = 0;
    bool row = true;
    enum status st = store_leases(store, &leases, &lease_count, e);
    if (st == ST_OK)
        st = summary_running(store, &q, e);
    while (st == ST_OK && (st = store_query_next(q, &row, e)) == ST_OK && row) {
        if (lease_look_among(leases, lease_count, store_query_cell(q, TRIAL).i) == LEASE_GONE) {
            l->gone++;
            continue;
        }
        l->alive++;
        if (l->count < WORKERS_SHOWN)
            st = look_at_worker(q, l, e);
    }
    store_query_close(q);
    mem_free(leases);
    return st;
}

static enum status look_at_rest(struct store *store, struct look *l, struct err *e)
{
    struct store_query *q = NULL;
    bool row = false;
    enum status st = summary_left(store, &q, e);
    if (st == ST_OK)
        st = store_query_next(q, &row, e);
    if (st == ST_OK && row) {
        const double left = store_query_cell(q, 4).r, longest = store_query_cell(q, 5).r;
        const struct cell speed = store_query_cell(q, 6);
        l->trials = (int)store_query_cell(q, 0).i;
        l->finished = (int)store_query_cell(q, 1).i;
        l->pending = (int)store_query_cell(q, 2).i;
        /* Neither sooner than the longest trial nor than all workers together can. */
        if (speed.type == CELL_REAL && speed.r > 0 && l->alive > 0)
            l->eta_s = fmax(longest, left / l->alive) / speed.r;
    }
    store_query_close(q);
    return st;
}

static enum status take_look(const char *db, struct look *l, struct err *e)
{
    struct store *store = NULL;
    arena_release(&l->names);
    memset(l, 0, sizeof *l);
    arena_init(&l->names);
    l->eta_s = -1;
    enum status st = database_open(db, &store, e);
    if (st == ST_OK)
        st = look_at_running(store, l, e);
    if (st == ST_OK)
        st = look_at_rest(store, l, e);
    store_close(store);
    return st;
}

static const char *format_eta(double seconds, char out[DURATION_TEXT])
{
    const long s = seconds < 0 ? 0 : (long)(seconds + 0.5);
    snprintf(out, DURATION_TEXT, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    return seconds < 0 ? "not known yet" : out;
}

/* What matters most comes first: narrow terminals cut the end. */
static void format_head(const struct look *l, char out[LINE_TEXT])
{
    char eta[DURATION_TEXT], gone[64] = "";
    if (l->gone > 0)
        snprintf(gone, sizeof gone, ", %d interrupted", l->gone);
    snprintf(out, LINE_TEXT, "%d of %d trial%s finished%s%s, %d running%s, %d pending", l->finished,
             l->trials, l->trials == 1 ? "" : "s", l->alive > 0 ? ", ETA " : "",
             l->alive > 0 ? format_eta(l->eta_s, eta) : "", l->alive, gone, l->pending);
}

/* Why nothing more is to be seen. */
static void format_end(const struct look *l, char out[LINE_TEXT])
{
    if (l->gone > 0)
        snprintf(
            out, LINE_TEXT,
            "the run is gone without an end (killed, or its machine was started again); the same firesweep "
            "run continues what is left");
    else if (l->pending > 0)
        snprintf(out, LINE_TEXT, "no run is at work; the same firesweep run continues what is left");
    else
        snprintf(out, LINE_TEXT, l->trials > 0 ? "nothing is left to do" : "no sweep is recorded");
}

static void print_worker(const struct running *w)
{
    table_print_escaped(stdout, w->name);
    printf(": %d of %d epochs", w->epochs_done, w->epochs);
    if (isfinite(w->val_top1))
        printf(", val top-1 %.1f %%", 100 * w->val_top1);
    putchar('\n');
}

/* A narrow terminal cuts the name, not how far its training is. */
static void draw_worker(struct screen *s, const struct running *w)
{
    char line[LINE_TEXT];
    screen_pad(s, 2);
    snprintf(line, sizeof line, "%d of %d epochs", w->epochs_done, w->epochs);
    screen_text(s, COLOR_NONE, line);
    if (isfinite(w->val_top1))
        screen_field(s, COLOR_GREEN, ", val %.1f %%", 100 * w->val_top1);
    screen_text(s, COLOR_NONE, ": ");
    screen_text(s, COLOR_NONE, w->name);
    screen_end_line(s);
}

static void draw(struct screen *s, const struct look *l)
{
    char line[LINE_TEXT];
    screen_begin(s);
    format_head(l, line);
    screen_text(s, COLOR_BOLD, line);
    screen_end_line(s);
    for (int i = 0; i < l->count && i < s->height - 3; i++)
        draw_worker(s, &l->workers[i]);
    screen_end(s);
}

/* Lines for what changed since the last look; the ETA alone is no change. */
static void print_changes(const struct look *before, const struct look *now)
{
    char line[LINE_TEXT];
    if (before->finished != now->finished || before->alive != now->alive || before->gone != now->gone ||
        before->trials != now->trials) {
        format_head(now, line);
        puts(line);
    }
    for (int i = 0; i < now->count; i++) {
        const struct running *w = &now->workers[i];
        bool known = false;
        for (int k = 0; k < before->count; k++)
            known = known || (before->workers[k].trial == w->trial &&
                              before->workers[k].epochs_done == w->epochs_done);
        if (!known)
            print_worker(w);
    }
    fflush(stdout);
}

enum status status_watch(const char *db, struct err *e)
{
    static const struct timespec pauses[2] = {{0, 200000000}, {1, 0}};
    struct look looks[2];
    struct screen screen;
    const bool live = screen_init(&screen);
    enum status st = ST_OK;
    char end[LINE_TEXT] = "";
    int idle = 0;
    looks[0] = (struct look){.trials = 0};
    looks[1] = (struct look){.trials = -1};
    for (int i = 0; st == ST_OK && idle < IDLE_LOOKS; i = 1 - i) {
        st = take_look(db, &looks[i], e);
        if (st == ST_OK && live)
            draw(&screen, &looks[i]);
        else if (st == ST_OK)
            print_changes(&looks[1 - i], &looks[i]);
        if (!live && ferror(stdout)) /* nobody reads any more: output_flush says so */
            break;
        const bool left = looks[i].pending + looks[i].gone > 0 || looks[i].trials == 0; /* a new one */
        idle = looks[i].alive > 0 ? 0 : left ? idle + 1 : IDLE_LOOKS;
        if (st == ST_OK && idle >= IDLE_LOOKS)
            format_end(&looks[i], end);
        if (st == ST_OK && idle < IDLE_LOOKS)
            nanosleep(&pauses[looks[i].alive > 0], NULL);
    }
    arena_release(&looks[0].names);
    arena_release(&looks[1].names);
    screen_finish(&screen);
    screen_release(&screen);
    if (end[0]) {
        output_message(live ? stderr : stdout, end, 0);
        fputc('\n', live ? stderr : stdout);
    }
    return st;
}
