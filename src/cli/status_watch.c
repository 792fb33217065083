#include "cli/status_watch.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/database.h"
#include "cli/screen.h"
#include "report/summary.h"
#include "report/table.h"
#include "sweep/store.h"

enum { WORKERS_SHOWN = 256, NAME_TEXT = 64, HOST_TEXT = 64, LINE_TEXT = 256, DURATION_TEXT = 32 };
static const int IDLE_LOOKS = 3; /* between two trials nothing runs for a moment */

struct running {
    char name[NAME_TEXT];
    int epochs_done, epochs;
    double val_top1; /* NaN: not known */
};

/* One look. */
struct look {
    int trials, finished, pending, running, alive;
    double eta_s; /* < 0: not known */
    int count;
    struct running workers[WORKERS_SHOWN];
};

/* Whether a worker runs. One on another host is believed. */
static bool is_alive(const struct cell *host, int64_t pid)
{
    char here[HOST_TEXT] = "";
    if (gethostname(here, sizeof here - 1) != 0 || host->type != CELL_TEXT || strcmp(host->text, here) != 0)
        return true;
    return pid <= 0 || kill((pid_t)pid, 0) == 0 || errno != ESRCH;
}

/* Columns of summary_running. */
enum { NAME = 1, EPOCHS_DONE, EPOCHS, VAL_TOP1 = 5, HOST = 8, PID };

static enum status look_at_running(struct store *store, struct look *l, struct err *e)
{
    struct store_query *q = NULL;
    bool row = true;
    enum status st = summary_running(store, &q, e);
    while (st == ST_OK && row) {
        st = store_query_next(q, &row, e);
        if (st != ST_OK || !row)
            break;
        const struct cell name = store_query_cell(q, NAME), top1 = store_query_cell(q, VAL_TOP1),
                          host = store_query_cell(q, HOST);
        l->alive += is_alive(&host, store_query_cell(q, PID).i);
        if (l->count == WORKERS_SHOWN)
            continue;
        struct running *w = &l->workers[l->count++];
        snprintf(w->name, sizeof w->name, "%s", name.type == CELL_TEXT ? name.text : "trial");
        w->epochs_done = (int)store_query_cell(q, EPOCHS_DONE).i;
        w->epochs = (int)store_query_cell(q, EPOCHS).i;
        w->val_top1 = top1.type == CELL_REAL ? top1.r : (double)NAN;
    }
    store_query_close(q);
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
        l->running = (int)store_query_cell(q, 3).i;
        /* Neither sooner than the longest trial nor than all workers together can. */
        if (speed.type == CELL_REAL && speed.r > 0 && l->running > 0)
            l->eta_s = fmax(longest, left / l->running) / speed.r;
    }
    store_query_close(q);
    return st;
}

static enum status take_look(const char *db, struct look *l, struct err *e)
{
    struct store *store = NULL;
    memset(l, 0, sizeof *l);
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

static void format_head(const struct look *l, char out[LINE_TEXT])
{
    char eta[DURATION_TEXT];
    snprintf(out, LINE_TEXT, "%d of %d trials finished, %d running, %d pending%s%s", l->finished, l->trials,
             l->running, l->pending, l->alive > 0 ? ", ETA " : "",
             l->alive > 0 ? format_eta(l->eta_s, eta) : "");
}

static void format_worker(const struct running *w, char out[LINE_TEXT])
{
    char top1[32] = "";
    if (isfinite(w->val_top1))
        snprintf(top1, sizeof top1, ", val top-1 %.1f %%", 100 * w->val_top1);
    snprintf(out, LINE_TEXT, "%s: %d of %d epochs%s", w->name, w->epochs_done, w->epochs, top1);
}

static void draw(struct screen *s, const struct look *l)
{
    char line[LINE_TEXT];
    screen_begin(s);
    format_head(l, line);
    screen_text(s, COLOR_BOLD, line);
    screen_end_line(s);
    for (int i = 0; i < l->count && i < s->height - 3; i++) {
        screen_pad(s, 2);
        format_worker(&l->workers[i], line);
        screen_text(s, COLOR_NONE, line);
        screen_end_line(s);
    }
    screen_end(s);
}

/* Lines for what changed since the last look; the ETA alone is no change. */
static void print_changes(const struct look *before, const struct look *now)
{
    char line[LINE_TEXT];
    if (before->finished != now->finished || before->running != now->running ||
        before->trials != now->trials) {
        format_head(now, line);
        puts(line);
    }
    for (int i = 0; i < now->count; i++) {
        const struct running *w = &now->workers[i];
        bool known = false;
        for (int k = 0; k < before->count; k++)
            known = known || (strcmp(before->workers[k].name, w->name) == 0 &&
                              before->workers[k].epochs_done == w->epochs_done);
        if (known)
            continue;
        format_worker(w, line);
        table_print_escaped(stdout, line);
        putchar('\n');
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
    int idle = 0;
    looks[1] = (struct look){.trials = -1};
    for (int i = 0; st == ST_OK && idle < IDLE_LOOKS; i = 1 - i) {
        st = take_look(db, &looks[i], e);
        if (st == ST_OK && live)
            draw(&screen, &looks[i]);
        else if (st == ST_OK)
            print_changes(&looks[1 - i], &looks[i]);
        if (!live && ferror(stdout)) /* nobody reads any more: output_flush says so */
            break;
        /* Nothing is left or nothing runs. */
        idle = looks[i].alive > 0 ? 0 : looks[i].pending == 0 ? IDLE_LOOKS : idle + 1;
        if (st == ST_OK && idle < IDLE_LOOKS)
            nanosleep(&pauses[looks[i].alive > 0], NULL);
    }
    screen_finish(&screen);
    screen_release(&screen);
    return st;
}
