#include "cli/run_display.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "report/table.h"
#include "sweep/worker.h"

enum { DURATION_TEXT = 32, LINE_TEXT = 1024, BAR = 24, BAR_WIDTH_MIN = 60, HEAD_LINES = 2 };
/* Columns of a worker's line: what stands behind its name, without img/s; and the least and most of a name.
 */
enum { WORKER_REST = 46, NAME_WIDTH_MIN = 30, NAME_WIDTH_MAX = 120 };

static const double SILENT_S = 10; /* after it, say for how long a worker has said nothing */

static const char *format_duration(double seconds, char out[DURATION_TEXT])
{
    int64_t s = seconds < 0 || !isfinite(seconds) ? 0 : (int64_t)(seconds + 0.5);
    if (s < 3600)
        snprintf(out, DURATION_TEXT, "%" PRId64 ":%02d", s / 60, (int)(s % 60));
    else
        snprintf(out, DURATION_TEXT, "%" PRId64 ":%02d:%02d", s / 3600, (int)(s / 60 % 60), (int)(s % 60));
    return out;
}

/* Names */

static void on_begin(void *context, const struct space *space, const char *const *names)
{
    struct run_display *d = context;
    d->trials = space->trials;
    d->trial_count = space->trial_count;
    d->names = names;
    for (int i = 0; d->live && i < d->trial_count; i++) {
        int width = names[i] ? table_text_width(names[i]) : 0;
        d->name_width = width > d->name_width ? width : d->name_width;
    }
}

static const char *trial_name(const struct run_display *d, const struct trial *t)
{
    const char *name = d->names ? d->names[t - d->trials] : NULL;
    return name ? name : "trial";
}

/* The block */

static double share_done(const struct run_status *s)
{
    double done = s->total - s->pending - s->running;
    for (int i = 0; i < RUN_MAX_WORKERS; i++) {
        const struct worker_status *w = &s->worker[i];
        if (w->active && w->epochs > 0 && w->steps > 0)
            done += (w->epoch - 1 + (double)w->step / (double)w->steps) / w->epochs;
    }
    return s->total > 0 ? fmin(1, fmax(0, done / s->total)) : 1;
}

static void draw_count(struct screen *s, enum screen_color color, int n, const char *what)
{
    if (n > 0)
        screen_field(s, color, "   %d %s", n, what);
}

static void draw_head(struct run_display *d)
{
    const struct run_status *r = &d->status;
    struct screen *s = &d->screen;
    char bar[BAR + 1], elapsed[DURATION_TEXT], eta[DURATION_TEXT];
    double share = share_done(r);
    int filled = (int)(share * BAR);
    memset(bar, '#', (size_t)filled);
    memset(bar + filled, '-', (size_t)(BAR - filled));
    bar[BAR] = '\0';
    screen_text(s, COLOR_BOLD, d->sweep);
    if (s->width >= BAR_WIDTH_MIN)
        screen_field(s, COLOR_NONE, "  [%s]", bar);
    screen_field(s, COLOR_NONE, " %3d %%   %s", (int)(share * 100), format_duration(r->elapsed_s, elapsed));
    if (r->eta_s >= 0)
        screen_field(s, COLOR_NONE, "   ETA %s", format_duration(r->eta_s, eta));
    screen_end_line(s);
    screen_field(s, COLOR_NONE, "%d of %d trial%s done", r->done, r->total, r->total == 1 ? "" : "s");
    draw_count(s, COLOR_YELLOW, r->diverged, "diverged");
    draw_count(s, COLOR_RED, r->failed, "failed");
    draw_count(s, COLOR_RED, r->timed_out, "timed out");
    draw_count(s, COLOR_DIM, r->skipped, "skipped");
    draw_count(s, COLOR_DIM, r->pruned, "pruned");
    draw_count(s, COLOR_DIM, r->pending, "pending");
    screen_end_line(s);
}

/* A name that is too long loses its beginning: its end, axes and seed, tells trials apart. */
static const char *fit_name(const char *name, int width, char out[4 * NAME_WIDTH_MAX])
{
    if (table_text_width(name) <= width)
        return name;
    while (*name && table_text_width(name) > width - 1)
        do
            name++;
        while (((unsigned char)*name & 0xC0) == 0x80);
    snprintf(out, 4 * NAME_WIDTH_MAX, "\xE2\x80\xA6%s", name);
    return out;
}

static int name_room(const struct run_display *d)
{
    const int room = d->screen.width - WORKER_REST;
    const int most = room < NAME_WIDTH_MIN ? NAME_WIDTH_MIN : room > NAME_WIDTH_MAX ? NAME_WIDTH_MAX : room;
    return d->name_width < most ? d->name_width : most;
}

static void draw_worker(struct run_display *d, const struct worker_status *w)
{
    struct screen *s = &d->screen;
    bool known = w->trial >= 0 && w->trial < d->trial_count;
    int left = 2, digits = snprintf(NULL, 0, "%d", w->epochs);
    screen_pad(s, left);
    char cut[4 * NAME_WIDTH_MAX];
    const int width = name_room(d);
    screen_text(s, COLOR_NONE, fit_name(known ? trial_name(d, &d->trials[w->trial]) : "trial", width, cut));
    left += width + 2;
    screen_pad(s, left);
    int percent = w->steps > 0 ? (int)(100 * w->step / w->steps) : 0;
    screen_field(s, COLOR_NONE, "epoch %*d/%d %3d %%", digits, w->epoch, w->epochs, percent);
    if (w->silent_s >= SILENT_S)
        screen_field(s, COLOR_YELLOW, "  no news for %.0f s", w->silent_s);
    if (w->images_per_s > 0)
        screen_field(s, COLOR_NONE, "  loss %.4g", w->train_loss);
    if (isfinite(w->val_top1))
        screen_field(s, COLOR_GREEN, "  val %4.1f %%", 100 * w->val_top1);
    if (w->images_per_s > 0)
        screen_field(s, COLOR_DIM, "  %.0f img/s", w->images_per_s);
    screen_end_line(s);
}

static void draw_block(struct run_display *d)
{
    int room = d->screen.height - HEAD_LINES - 2,
        hidden = 0; /* a block as tall as the screen could not be redrawn */
    draw_head(d);
    for (int i = 0; i < RUN_MAX_WORKERS; i++) {
        if (!d->status.worker[i].active)
            continue;
        if (room-- > 0)
            draw_worker(d, &d->status.worker[i]);
        else
            hidden++;
    }
    if (hidden > 0) {
        screen_field(&d->screen, COLOR_DIM, "  and %d more workers", hidden);
        screen_end_line(&d->screen);
    }
}

/* One line for good: above the block, or as a line of the log. */
static void show_line(struct run_display *d, enum screen_color color, const char *text)
{
    screen_begin(&d->screen);
    if (d->live)
        screen_lasting_line(&d->screen, color, text);
    else
        screen_log_line(&d->screen, text);
    if (d->live && d->status.total > 0)
        draw_block(d);
    screen_end(&d->screen);
}

/* Events */

static void show_start(struct run_display *d)
{
    const struct run_status *s = &d->status;
    const int left = s->pending + s->running;
    char text[LINE_TEXT], how[80] = "";
    if (left > 0)
        snprintf(how, sizeof how, ", %d at a time with %d thread%s each", s->workers, s->threads_per_worker,
                 s->threads_per_worker == 1 ? "" : "s");
    snprintf(text, sizeof text, "%s: %d of %d trial%s to train%s", d->sweep, left, s->total,
             s->total == 1 ? "" : "s", how);
    show_line(d, COLOR_NONE, text);
}

static void on_tick(void *context, const struct run_status *status)
{
    struct run_display *d = context;
    bool first = d->status.total == 0;
    d->status = *status;
    d->finished = status->total - status->pending - status->running;
    if (!d->live && first)
        show_start(d);
    screen_begin(&d->screen);
    if (d->live)
        draw_block(d);
    screen_end(&d->screen); /* also lines that could not be written before */
}

static void on_epoch(void *context, const struct trial *t, const struct epoch_metrics *m)
{
    struct run_display *d = context;
    if (d->live) /* the block has it */
        return;
    char val[64] = "";
    if (m->val.count > 0)
        snprintf(val, sizeof val, ", val loss %.5g, val top-1 %.2f %%", m->val.loss, 100 * m->val.top1);
    char text[LINE_TEXT];
    snprintf(text, sizeof text, "%s: epoch %d/%d, train loss %.5g, train top-1 %.2f %%%s, %.1f s",
             trial_name(d, t), m->epoch, t->point.recipe.epochs, m->train_loss, 100 * m->train_top1, val,
             m->train_s + m->eval_s);
    show_line(d, COLOR_NONE, text);
}

static enum screen_color outcome_color(const char *outcome)
{
    if (strcmp(outcome, "done") == 0)
        return COLOR_GREEN;
    return strcmp(outcome, "diverged") == 0 ? COLOR_YELLOW : COLOR_RED;
}

static void on_trial_end(void *context, const struct trial *t, const char *outcome,
                         const struct eval_metrics *test, double wall_s, const char *message)
{
    struct run_display *d = context;
    char metrics[80] = "", duration[DURATION_TEXT], text[LINE_TEXT];
    if (test)
        snprintf(metrics, sizeof metrics, ", test %.2f %%, top-5 %.2f %%", 100 * test->top1,
                 100 * test->top5);
    d->finished++;
    snprintf(text, sizeof text, "[%d/%d] %s: %s%s, %s%s%s", d->finished, d->trial_count, trial_name(d, t),
             outcome, metrics, format_duration(wall_s, duration), message ? ": " : "",
             message ? message : "");
    show_line(d, outcome_color(outcome), text);
}

static void on_notice(void *context, const char *text)
{
    show_line(context, COLOR_YELLOW, text);
}

struct run_observer run_display_observer(struct run_display *d)
{
    return (struct run_observer){.context = d,
                                 .begin = on_begin,
                                 .tick = on_tick,
                                 .epoch = on_epoch,
                                 .trial_end = on_trial_end,
                                 .notice = on_notice};
}

void run_display_init(struct run_display *d, const struct spec *spec)
{
    *d = (struct run_display){.sweep = spec->name};
    d->live = screen_init(&d->screen);
}

void run_display_end(struct run_display *d)
{
    screen_begin(&d->screen);
    if (d->live)
        screen_lasting_line(&d->screen, COLOR_NONE, "");
    screen_end(&d->screen);
}

void run_display_release(struct run_display *d)
{
    screen_finish(&d->screen);
    screen_release(&d->screen);
}
