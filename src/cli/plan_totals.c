/* What a plan's trials are together, and what stands in the way of running them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/plan_internal.h"
#include "engine/calibration.h"
#include "sweep/disk.h"

/* Shorter ones take markedly longer than their training and evaluation. */
static const double SHORT_TRIAL_S = 1;

static const struct table_column total_columns[] = {
    {.name = "sweep"},
    {.name = "trials"},
    {.name = "to_train", .title = "trials to train"},
    {.name = "skipped", .title = "trials skipped"},
    {.name = "variants", .title = "variants to train"},
    {.name = "epochs", .title = "epochs to train"},
    {.name = "train_operations_per_image", .flags = TABLE_NOT_TEXT},
    {.name = "train_operations", .flags = TABLE_NOT_TEXT},
    {.name = "GFLOP per image", .title = "training GFLOP per image", .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "TFLOP", .title = "training TFLOP", .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "workers"},
    {.name = "threads_per_worker", .title = "threads per worker"},
    {.name = "worker MiB",
     .title = "largest worker, MiB",
     .decimals = 1,
     .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "largest_worker_bytes", .flags = TABLE_NOT_TEXT},
    {.name = "predicted_core_s", .flags = TABLE_NOT_TEXT},
    {.name = "core-hours",
     .title = "predicted core-hours",
     .decimals = 3,
     .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "predicted_wall_s", .flags = TABLE_NOT_TEXT},
    {.name = "wall", .title = "predicted time, h:mm:ss", .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "prediction_error_percent", .title = "prediction error, up to, %"},
    {.name = "prediction_error_trials", .flags = TABLE_NOT_TEXT},
    {.name = "disk MiB", .title = "disk, about, MiB", .decimals = 1, .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "checkpoint_bytes", .flags = TABLE_NOT_TEXT},
    {.name = "database_bytes", .flags = TABLE_NOT_TEXT},
    {.name = "disk free MiB",
     .title = "disk free, MiB",
     .decimals = 1,
     .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "disk_free_bytes", .flags = TABLE_NOT_TEXT},
};

static int compare_hashes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sums over the trials to train. */
struct totals {
    int64_t trials, variants, epochs;
    double operations, largest_bytes, trial_s, checkpoint_bytes, rows_bytes;
};

static enum status sum_trials(const struct plan *p, struct totals *sum, struct err *e)
{
    const size_t count = (size_t)p->space.trial_count + 1; /* never zero */
    const char **hashes = mem_alloc(count, sizeof *hashes);
    *sum = (struct totals){0};
    for (int i = 0; hashes && i < p->space.trial_count; i++) {
        const struct trial *t = &p->space.trials[i];
        if (t->skip_reason)
            continue;
        hashes[sum->trials++] = t->arch_hash;
        sum->trial_s += plan_predicted_s(p, i);
        sum->epochs += t->point.recipe.epochs;
        sum->operations += plan_operations_per_image(t);
        sum->checkpoint_bytes += disk_kept_bytes(t, p->spec.run.keep) - disk_rows_bytes(t);
        sum->rows_bytes += disk_rows_bytes(t);
        sum->largest_bytes =
            fmax(sum->largest_bytes, forecast_memory(&p->forecast, i, p->packing.threads, p->images.train));
    }
    if (!hashes)
        return err_set(e, ST_NOMEM, "out of memory");
    qsort(hashes, (size_t)sum->trials, sizeof *hashes, compare_hashes);
    for (int64_t i = 0; i < sum->trials; i++)
        sum->variants += i == 0 || strcmp(hashes[i - 1], hashes[i]) != 0;
    mem_free(hashes);
    return ST_OK;
}

struct prediction_error plan_error(const struct plan *p)
{
    const double checked = PREDICTION_ERROR_PERCENT / 100.0;
    const struct prediction_error *found = &p->changes.error;
    if (!p->changes.db || found->trials == 0)
        return (struct prediction_error){0, 1 - checked, 1, 1 + checked};
    /* Around what plan_learn has corrected. */
    return (struct prediction_error){found->trials, found->low / found->typical, 1,
                                     found->high / found->typical};
}

int plan_error_percent(const struct plan *p)
{
    const struct prediction_error error = plan_error(p);
    return (int)ceil(100 * fmax(fabs(error.low - 1), fabs(error.high - 1)) - 1e-9);
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

static void error_note(const struct plan *p, FILE *out)
{
    fputs("\nNote: ", out);
    const struct prediction_error error = plan_error(p);
    if (error.trials > 0) {
        fprintf(out, "%d finished trials of this machine in ", error.trials);
        table_print_escaped(out, p->changes.db);
        fprintf(out,
                " took %.2f times as long (median) as the calibrated speed says. Predictions here are "
                "corrected by "
                "that; those trials took %.2f to %.2f times them%s.\n",
                p->changes.error.typical, error.low, error.high, error.trials >= 20 ? " (nine of ten)" : "");
        if (conditions_ask_time(p))
            fputs(
                "Conditions on train_s go by the calibrated speed alone, so that results never change which "
                "trials a spec asks for.\n",
                out);
        return;
    }
    fprintf(
        out,
        "predictions were within %d %% for 13 networks on a quiet machine (3x32x32, docs/performance.md); "
        "others, and a busy machine, may be further off. This machine's finished trials in a database "
        "tell.\n",
        PREDICTION_ERROR_PERCENT);
}

static enum status total_rows(const void *context, struct table *t, struct err *e)
{
    const struct plan *p = context;
    const double images = p->images.train;
    char wall[32];
    struct totals sum;
    const enum status st = sum_trials(p, &sum, e);
    if (st != ST_OK)
        return st;
    const int64_t seconds = (int64_t)ceil(p->wall_s);
    snprintf(wall, sizeof wall, "%d:%02d:%02d", (int)(seconds / 3600), (int)(seconds / 60 % 60),
             (int)(seconds % 60));
    const double core_s = sum.trial_s * p->packing.threads;
    const struct cell cells[] = {
        cell_text(p->spec.name),
        cell_int(p->space.trial_count),
        cell_int(sum.trials),
        cell_int(p->space.trial_count - sum.trials),
        cell_int(sum.variants),
        cell_int(sum.epochs),
        cell_real(sum.operations),
        images > 0 ? cell_real(sum.operations * images) : cell_null(),
        cell_real(sum.operations / 1e9),
        images > 0 ? cell_real(sum.operations * images / 1e12) : cell_null(),
        cell_int(p->packing.workers),
        cell_int(p->packing.threads),
        plan_known(sum.largest_bytes / MIB),
        sum.largest_bytes > 0 ? cell_int((int64_t)sum.largest_bytes) : cell_null(),
        plan_known(core_s),
        plan_known(core_s / 3600),
        plan_known(p->wall_s),
        cell_text(p->wall_s > 0 ? wall : NULL),
        p->wall_s > 0 ? cell_int(plan_error_percent(p)) : cell_null(),
        p->wall_s > 0 ? cell_int(plan_error(p).trials) : cell_null(),
        cell_real((sum.checkpoint_bytes + sum.rows_bytes) / MIB),
        cell_int((int64_t)sum.checkpoint_bytes),
        cell_int((int64_t)sum.rows_bytes),
        plan_known(p->disk_free_bytes / MIB),
        p->disk_free_bytes >= 0 ? cell_int((int64_t)p->disk_free_bytes) : cell_null(),
    };
    return table_row(t, cells, e);
}

/* Compares what is left to train with what is free. */
static void disk_note(const struct plan *p, FILE *out)
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
        fprintf(out,
                "\nNote: the disk is too small: what is left to train needs about %.1f MiB at its peak "
                "(run.keep: "
                "%s), free are %.1f MiB.\n",
                disk_need_bytes(&need, keep, p->packing.workers) / MIB, keep_name(keep),
                p->disk_free_bytes / MIB);
}

/* What the sweep trains and hardly anybody wants. */
static void space_note(const struct plan *p, FILE *out)
{
    for (char *line = p->notes.text, *end; *line; line = end + 1) {
        end = line + strcspn(line, "\n");
        *end = '\0';
        fputs("\nNote: ", out);
        table_print_escaped(out, line);
        fputc('\n', out);
        *end = '\n';
    }
}

/* What only the data tells; a plan does not need it, the run will. */
static void total_note(const void *context, FILE *out)
{
    const struct plan *p = context;
    if (p->images.train < 0)
        fputs("\nNote: all operations are those per image times the training images, which only the data can "
              "count.\n",
              out);
    if (!p->has_speed)
        fputs(
            "\nNote: times are predicted once the speed of this machine is known: firesweep plan --calibrate "
            "measures it (about 20 s).\n",
            out);
    else if (p->images.train < 0)
        fputs("\nNote: times are predicted once the data is there, or data.train_images is set.\n", out);
    if (p->wall_s > 0)
        error_note(p, out);
    if (p->wall_s > 0 && mean_trial_s(p) < SHORT_TRIAL_S)
        fputs("\nNote: starting a worker and writing its checkpoints takes a trial a few hundredths of a "
              "second, "
              "which is not counted: trials as short as these take markedly longer than predicted.\n",
              out);
    if (p->db && !p->changes.db) {
        fputs("\nNote: ", out);
        table_print_escaped(out, p->db);
        fputs(" is not there yet: nothing is done, and a run makes it.\n", out);
    }
    if (p->spec.search.on)
        fputs("\nNote: this is everything trained in full; the search trains less, see rungs.\n", out);
    disk_note(p, out);
    space_note(p, out);
    if (!p->data_missing.text[0])
        return;
    fputs("\nNote: ", out);
    table_print_escaped(out, p->data_missing.text);
    fputs("; so the images were not compared with the spec\n", out);
}

struct section plan_totals_section(const struct plan *p)
{
    return (struct section){.name = "totals",
                            .heading = p->changes.db ? "The whole spec, as if nothing were done" : NULL,
                            SECTION_COLUMNS(total_columns),
                            .record = true,
                            .rows = total_rows,
                            .note = total_note};
}
