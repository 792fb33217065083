/* What a plan has to say beside its numbers: a line each, for people below the totals, for programs a
 * section. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "cli/plan_internal.h"
#include "engine/calibration.h"
#include "sweep/disk.h"
#include "sweep/space_notes.h"

/* Shorter ones take markedly longer than their training and evaluation. */
static const double SHORT_TRIAL_S = 1;

static void note(struct plan *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A line more; the line breaks of a file's name are none. */
static void note(struct plan *p, const char *format, ...)
{
    char text[NOTE_TEXT];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    for (char *c = text; *c; c++)
        *c = (char)(*c == '\n' ? ' ' : *c);
    strbuf_printf(&p->notes, "%s\n", text);
}

/* The mean of a trial's predicted seconds; 0 when not known. */
static double mean_trial_s(const struct plan *p)
{
    double sum = 0;
    int count = 0;
    for (int i = 0; i < p->space.trial_count; i++) {
        if (p->space.trials[i].skip_reason)
            continue;
        sum += plan_predicted_s(p, i);
        count++;
    }
    return count > 0 ? sum / count : 0;
}

/* Whether a condition of the spec speaks of train_s. */
static bool conditions_ask_time(const struct plan *p)
{
    for (int i = 0; i < p->space.trial_count; i++)
        if (!isnan(p->space.trials[i].train_s))
            return true;
    return false;
}

static void note_error(struct plan *p)
{
    const struct prediction_error error = plan_error(p);
    if (error.trials == 0) {
        note(p,
             "predictions were within %d %% for 13 networks on a quiet machine (3x32x32, "
             "docs/performance.md); others, and a busy machine, may be further off. This machine's finished "
             "trials in a database tell.",
             PREDICTION_ERROR_PERCENT);
        return;
    }
    note(p,
         "%d finished trials of this machine in %s took %.2f times as long (median) as the calibrated speed "
         "says. Predictions here are corrected by that; those trials took %.2f to %.2f times them%s.",
         error.trials, p->changes.db, p->changes.error.typical, error.low, error.high,
         error.trials >= 20 ? " (nine of ten)" : "");
    if (conditions_ask_time(p))
        note(p, "conditions on train_s go by the calibrated speed alone, so that results never change which "
                "trials a spec asks for.");
}

/* What only the data and a measured machine tell. */
static void note_predictions(struct plan *p)
{
    if (p->images.train < 0)
        note(p,
             "all operations are those per image times the training images, which only the data can count.");
    if (!p->has_speed)
        note(p, "times are predicted once the speed of this machine is known: firesweep plan --calibrate "
                "measures it (about 20 s).");
    else if (p->images.train < 0)
        note(p, "times are predicted once the data is there, or data.train_images is set.");
    if (p->wall_s > 0)
        note_error(p);
    if (p->wall_s > 0 && mean_trial_s(p) < SHORT_TRIAL_S)
        note(p, "starting a worker and writing its checkpoints takes a trial a few hundredths of a second, "
                "which is not counted: trials as short as these take markedly longer than predicted.");
}

/* Compares what is left to train with what is free. */
static void note_disk(struct plan *p)
{
    struct disk_need need = {0};
    const enum keep keep = p->spec.run.keep;
    for (int i = 0; i < p->space.trial_count; i++) {
        const bool trains = p->changes.db ? change_trains(p->changes.found.trials[i].change)
                                          : !p->space.trials[i].skip_reason;
        if (trains)
            disk_need_add(&need, &p->space.trials[i], keep);
    }
    if (disk_judge(&need, keep, p->packing.workers, p->disk_free_bytes) != DISK_ENOUGH)
        note(p,
             "the disk is too small: what is left to train needs about %.1f MiB at its peak (run.keep: %s), "
             "free are %.1f MiB.",
             disk_need_bytes(&need, keep, p->packing.workers) / MIB, keep_name(keep),
             p->disk_free_bytes / MIB);
}

enum status plan_find_notes(struct plan *p, struct err *e)
{
    note_predictions(p);
    if (p->db && !p->changes.db)
        note(p, "%s is not there yet: nothing is done, and a run makes it.", p->db);
    if (p->spec.search.on)
        note(p, "this is everything trained in full; the search trains less, see rungs.");
    struct err nothing = ERR_INIT;
    if (space_check_trains(&p->spec, &p->space, &nothing) != ST_OK)
        note(p, "%s", nothing.text);
    note_disk(p);
    space_notes(&p->spec, &p->space, p->images.train, &p->notes);
    if (p->data_missing.text[0])
        note(p, "%s; so the images were not compared with the spec", p->data_missing.text);
    return p->notes.failed ? err_set(e, ST_NOMEM, "out of memory") : ST_OK;
}

void plan_print_notes(const void *context, FILE *out)
{
    const struct plan *p = context;
    char text[NOTE_TEXT];
    for (const char *at = p->notes.text; space_note_next(&at, text);) {
        fputs("\nNote: ", out);
        table_print_escaped(out, text);
        fputc('\n', out);
    }
}

static enum status rows(const void *context, struct table *t, struct err *e)
{
    const struct plan *p = context;
    return output_notes(p->notes.text, t, e);
}

const struct section plan_notes_section = {
    .name = "notes", .columns = &output_note_column, .count = 1, .may_be_empty = true, .rows = rows};
