/* What a plan's trials are together, and what stands in the way of running them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/plan_internal.h"
#include "engine/calibration.h"
#include "sweep/disk.h"

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

struct section plan_totals_section(const struct plan *p)
{
    return (struct section){.name = "totals",
                            .heading = p->changes.db ? "The whole spec, as if nothing were done" : NULL,
                            SECTION_COLUMNS(total_columns),
                            .record = true,
                            .rows = total_rows,
                            .note = plan_print_notes};
}
