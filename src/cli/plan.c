/* firesweep plan: what a sweep would train, and at what cost, before anything is trained. */
#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "cli/commands.h"
#include "cli/plan_internal.h"
#include "engine/calibration.h"
#include "sweep/disk.h"
#include "sweep/run.h"

enum { OPTION_REFERENCE = OPTION_OWN, OPTION_CALIBRATE, OPTION_BUDGET, OPTION_DB };

static const struct poptOption options[] = {
    {"reference", '\0', POPT_ARG_NONE, NULL, OPTION_REFERENCE,
     "Print all keys of a spec, what they take and their defaults (Markdown)", NULL},
    {"calibrate", '\0', POPT_ARG_NONE, NULL, OPTION_CALIBRATE,
     "First measure how fast this machine is (about 20 s, while nothing else runs) and keep it for "
     "predictions; SPEC may be left out",
     NULL},
    {"db", '\0', POPT_ARG_STRING, NULL, OPTION_DB,
     "Results database to compare with (default: results/NAME.db, NAME from the spec, if it exists)", "FILE"},
    {"budget", '\0', POPT_ARG_STRING, NULL, OPTION_BUDGET,
     "Say which trials fit into this time (2h, 1h30m), in the order of the spec, and which do not", "TIME"},
    OUTPUT_FORMAT_OPTION,
    {"only", '\0', POPT_ARG_STRING, NULL, OPTION_ONLY,
     "Print one part: trials, blocks, totals, removed, skipped, aliases, changes, outside, budget or rungs "
     "(csv: trials; changes and outside need --db, budget needs --budget, rungs a spec with search)",
     "PART"},
    POPT_TABLEEND};

/* Arithmetic operations of training one image once: forward, gradient to data, gradient to weights; a
 * multiply-accumulate counts as two. */
enum { OPERATIONS_PER_MAC = 6 };

static double operations_per_image(const struct trial *t)
{
    return (double)OPERATIONS_PER_MAC * (double)t->cost.macs * t->point.recipe.epochs;
}

double plan_predicted_s(const struct plan *p, int trial)
{
    return p->has_speed
               ? forecast_trial_s(&p->forecast, &p->space, &p->speed, trial, p->packing.threads, &p->images)
               : 0;
}

static struct cell known(double value)
{
    return value > 0 ? cell_real(value) : cell_null();
}

/* trials */

static const struct table_column trial_columns[] = {
    {.name = "trial"},
    {.name = "blocks", .title = "block", .flags = TABLE_NOT_JSON},
    {.name = "blocks", .flags = TABLE_NOT_TEXT | TABLE_NOT_CSV | TABLE_JSON_VALUE},
    {.name = "axes", .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "axes", .flags = TABLE_NOT_TEXT | TABLE_JSON_VALUE},
    {.name = "seed"},
    {.name = "epochs"},
    {.name = "params", .title = "parameters"},
    {.name = "MiB", .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "8 bit", .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "6 bit", .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "model_bytes", .flags = TABLE_NOT_TEXT},
    {.name = "model_bytes_8bit", .flags = TABLE_NOT_TEXT},
    {.name = "model_bytes_6bit", .flags = TABLE_NOT_TEXT},
    {.name = "macs", .title = "MACs"},
    {.name = "activation MiB", .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "activation_bytes", .flags = TABLE_NOT_TEXT},
    {.name = "train_activation_bytes", .flags = TABLE_NOT_TEXT},
    {.name = "train_operations_per_image", .flags = TABLE_NOT_TEXT},
    {.name = "worker MiB", .decimals = 1, .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "worker_bytes", .flags = TABLE_NOT_TEXT},
    {.name = "predicted_s", .title = "predicted s", .decimals = 1},
    {.name = "arch_hash", .flags = TABLE_NOT_TEXT},
    {.name = "skip_reason", .title = "skipped by"},
    {.name = "change", .title = "in the database", .flags = TABLE_NOT_JSON | TABLE_NOT_CSV},
    {.name = "change", .flags = TABLE_NOT_TEXT},
    {.name = "epochs_done", .flags = TABLE_NOT_TEXT},
    {.name = "why_new", .flags = TABLE_NOT_TEXT},
};
enum {
    COLUMN_COUNT = sizeof trial_columns / sizeof *trial_columns,
    COLUMN_CHANGE = COLUMN_COUNT - 4,
    COLUMN_SKIPPED = COLUMN_COUNT - 5,
    COLUMN_PREDICTED = COLUMN_COUNT - 7
};

void plan_format_axes(struct strbuf *b, const char *axes)
{
    struct json_object *object = axes ? json_tokener_parse(axes) : NULL;
    if (json_object_is_type(object, json_type_object)) {
        json_object_object_foreach(object, key, value)
        {
            strbuf_printf(b, "%s%s=%s", b->len ? " " : "", key,
                          value ? json_object_get_string(value) : "null");
        }
    }
    json_object_put(object);
}

/* The blocks a trial belongs to, as text and as JSON array, and the axes of the first of them. Ids of blocks
 * are made of letters, digits, '.', '_' and '-'. */
static void collect_memberships(const struct plan *p, int trial, struct strbuf *blocks, struct strbuf *json,
                                const char **axes)
{
    int last = -1;
    *axes = NULL;
    for (int i = p->first_membership[trial]; i >= 0; i = p->next_membership[i]) {
        const struct membership *m = &p->space.memberships[i];
        if (m->block == last)
            continue;
        const char *id = p->spec.blocks[m->block].id;
        strbuf_printf(blocks, "%s%s", blocks->len ? "," : "", id);
        strbuf_printf(json, "%s\"%s\"", json->len ? ", " : "[", id);
        *axes = *axes ? *axes : m->axes;
        last = m->block;
    }
    strbuf_puts(json, "]");
}

static enum status trial_row(const struct plan *p, int index, struct table *t, struct err *e)
{
    const struct trial *trial = &p->space.trials[index];
    const struct cost *c = &trial->cost;
    const double memory = forecast_memory(&p->forecast, index, p->packing.threads, p->images.train);
    struct strbuf blocks = STRBUF_INIT, blocks_json = STRBUF_INIT, axes_text = STRBUF_INIT;
    const char *axes;
    char change[256];
    const struct trial_change *in_db = p->changes.db ? &p->changes.found.trials[index] : NULL;
    collect_memberships(p, index, &blocks, &blocks_json, &axes);
    plan_format_axes(&axes_text, axes);
    const struct cell cells[] = {
        cell_int(index + 1),
        cell_text(blocks.text),
        cell_text(blocks_json.text),
        cell_text(axes_text.len ? axes_text.text : NULL),
        cell_text(axes),
        cell_int((int64_t)trial->seed),
        cell_int(trial->point.recipe.epochs),
        cell_int(c->params),
        cell_real((double)c->model_bytes / MIB),
        cell_real((double)c->model_bytes_8bit / MIB),
        cell_real((double)c->model_bytes_6bit / MIB),
        cell_int(c->model_bytes),
        cell_int(c->model_bytes_8bit),
        cell_int(c->model_bytes_6bit),
        cell_int(c->macs),
        cell_real((double)c->activation_bytes / MIB),
        cell_int(c->activation_bytes),
        cell_int(c->train_activation_bytes),
        cell_real(operations_per_image(trial)),
        known(memory / MIB),
        memory > 0 ? cell_int((int64_t)memory) : cell_null(),
        known(plan_predicted_s(p, index)),
        cell_text(trial->arch_hash),
        cell_text(trial->skip_reason),
        cell_text(plan_change_text(&p->changes, index, change, sizeof change)),
        cell_text(in_db ? change_name(in_db->change) : NULL),
        in_db ? cell_int(in_db->epochs_done) : cell_null(),
        cell_text(in_db ? in_db->why : NULL),
    };
    bool failed = blocks.failed || blocks_json.failed || axes_text.failed;
    enum status st = failed ? err_set(e, ST_NOMEM, "out of memory") : table_row(t, cells, e);
    strbuf_release(&blocks);
    strbuf_release(&blocks_json);
    strbuf_release(&axes_text);
    return st;
}

static enum status trial_rows(const void *context, struct table *t, struct err *e)
{
    const struct plan *p = context;
    enum status st = ST_OK;
    for (int i = 0; i < p->shown && st == ST_OK; i++)
        st = trial_row(p, i, t, e);
    return st;
}

static void trial_note(const void *context, FILE *out)
{
    const struct plan *p = context;
    if (p->shown < p->space.trial_count)
        fprintf(out, "... and %d more: --only trials, or --format csv or json\n",
                p->space.trial_count - p->shown);
}

/* blocks */

static const struct table_column block_columns[] = {
    {.name = "block"},
    {.name = "trials"},
    {.name = "new", .title = "not in a block above"},
    {.name = "skipped"},
};

/* Is the trial in a block before `block`? Memberships come block by block. */
static bool trial_known(const struct plan *p, int trial, int block)
{
    return p->space.memberships[p->first_membership[trial]].block < block;
}

static enum status block_rows(const void *context, struct table *t, struct err *e)
{
    const struct plan *p = context;
    enum status st = ST_OK;
    for (int block = 0; block < p->spec.block_count && st == ST_OK; block++) {
        int trials = 0, new = 0, skipped = 0;
        for (int i = 0; i < p->space.membership_count; i++) {
            const struct membership *m = &p->space.memberships[i];
            if (m->block != block)
                continue;
            trials++;
            new += !trial_known(p, m->trial, block);
            skipped += p->space.trials[m->trial].skip_reason != NULL;
        }
        const struct cell cells[] = {cell_text(p->spec.blocks[block].id), cell_int(trials), cell_int(new),
                                     cell_int(skipped)};
        st = table_row(t, cells, e);
    }
    return st;
}

/* totals */

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
    {.name = "prediction_error_percent", .title = "largest error when checked, %"},
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
        sum->operations += operations_per_image(t);
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
        known(sum.largest_bytes / MIB),
        sum.largest_bytes > 0 ? cell_int((int64_t)sum.largest_bytes) : cell_null(),
        known(core_s),
        known(core_s / 3600),
        known(p->wall_s),
        cell_text(p->wall_s > 0 ? wall : NULL),
        p->wall_s > 0 ? cell_int(PREDICTION_ERROR_PERCENT) : cell_null(),
        cell_real((sum.checkpoint_bytes + sum.rows_bytes) / MIB),
        cell_int((int64_t)sum.checkpoint_bytes),
        cell_int((int64_t)sum.rows_bytes),
        known(p->disk_free_bytes / MIB),
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

/* What only the data tells; a plan does not need it, the run will. */
static void total_note(const void *context, FILE *out)
{
    const struct plan *p = context;
    struct err e = ERR_INIT;
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
    disk_note(p, out);
    if (spec_check_data(&p->spec, &e) == ST_OK)
        return;
    fputs("\nNote: ", out);
    table_print_escaped(out, e.text);
    fputc('\n', out);
}

static enum status write_plan(const struct output *o, const struct plan *p, struct err *e)
{
    struct table_column columns[COLUMN_COUNT];
    memcpy(columns, trial_columns, sizeof columns);
    bool skipped = false;
    for (int i = 0; i < p->space.trial_count; i++)
        skipped |= p->space.trials[i].skip_reason != NULL;
    if (!skipped)
        columns[COLUMN_SKIPPED].flags |= TABLE_NOT_TEXT;
    if (!p->has_speed || p->images.train < 0)
        columns[COLUMN_PREDICTED].flags |= TABLE_NOT_TEXT;
    if (!p->changes.db)
        columns[COLUMN_CHANGE].flags |= TABLE_NOT_TEXT;
    const struct section sections[] = {
        {.name = "trials", .columns = columns, .count = COLUMN_COUNT, .rows = trial_rows, .note = trial_note},
        {.name = "blocks", SECTION_COLUMNS(block_columns), .rows = block_rows},
        {.name = "totals",
         SECTION_COLUMNS(total_columns),
         .record = true,
         .rows = total_rows,
         .note = total_note},
        plan_space_sections[0],
        plan_space_sections[1],
        plan_space_sections[2],
        plan_change_sections[0],
        plan_change_sections[1],
        plan_space_sections[3],
        plan_search_section,
    };
    /* Left out at the end: budget, and with it changes where there is no database. */
    struct section chosen[sizeof sections / sizeof *sections];
    int count = 0;
    for (int i = 0; i < (int)(sizeof sections / sizeof *sections); i++) {
        const bool change = i == 6 || i == 7, budget = i == 8, search = i == 9;
        /* Text for people has the skipped in the list of trials, and no long list of other names. */
        const bool asked = o->only || o->format == TABLE_JSON;
        if (!asked && (i == 4 || (i == 5 && p->shown < p->space.trial_count)))
            continue;
        if ((!change || p->changes.db) && (!budget || p->budget_s > 0) && (!search || p->spec.search.on))
            chosen[count++] = sections[i];
    }
    return output_sections(o, chosen, count, 0, p, e);
}

static enum status print_reference(struct err *e)
{
    char *text = NULL;
    enum status st = spec_reference(&text, e);
    if (st == ST_OK)
        fputs(text, stdout);
    mem_free(text);
    return st;
}

static enum status index_memberships(struct plan *p, struct err *e)
{
    const struct space *s = &p->space;
    p->first_membership = mem_alloc((size_t)s->trial_count + 1, sizeof(int));
    p->next_membership = mem_alloc((size_t)s->membership_count + 1, sizeof(int));
    if (!p->first_membership || !p->next_membership)
        return err_set(e, ST_NOMEM, "out of memory");
    for (int i = 0; i < s->trial_count; i++)
        p->first_membership[i] = -1;
    for (int i = s->membership_count - 1; i >= 0; i--) {
        int *first = &p->first_membership[s->memberships[i].trial];
        p->next_membership[i] = *first;
        *first = i;
    }
    return ST_OK;
}

/* What the machine offers to a run of this spec. */
static struct packing_request pack_request(const struct plan *p)
{
    struct cpu_info cpu;
    const struct image_counts *n = &p->images;
    const struct shape *image = &p->spec.base.design.macro.input;
    const double images = fmax(n->train, 0) + n->val + n->test;
    const bool streamed = p->spec.data.memory == DATA_STREAM;
    cpu_detect(&cpu);
    return (struct packing_request){
        .cores = cpu.physical_cores,
        .workers = p->spec.run.workers,
        .threads = p->spec.run.threads,
        .useful_threads = p->spec.base.recipe.lanes,
        .memory_bytes =
            packing_memory((double)cpu.memory_bytes, streamed ? 0 : images * image->c * image->h * image->w),
    };
}

/* Room for one job a trial. */
static struct forecast_job *jobs_alloc(const struct plan *p, struct err *e)
{
    struct forecast_job *jobs = mem_alloc((size_t)p->space.trial_count + 1, sizeof *jobs);
    if (!jobs)
        err_set(e, ST_NOMEM, "out of memory");
    return jobs;
}

/* As the run divides the machine for these jobs, and how long it then takes. */
static enum status pack_jobs(const struct plan *p, struct forecast_job *jobs, int count, struct packing *out,
                             double *wall_s, struct err *e)
{
    struct packing_request r = pack_request(p);
    return forecast_pack(&p->forecast, &p->space, p->has_speed ? &p->speed : NULL, &p->images, &r, jobs,
                         count, out, wall_s, e);
}

/* With nothing done yet. */
static enum status pack(struct plan *p, struct err *e)
{
    struct forecast_job *jobs = jobs_alloc(p, e);
    int count = 0;
    if (!jobs)
        return ST_NOMEM;
    for (int i = 0; i < p->space.trial_count; i++) {
        if (!p->space.trials[i].skip_reason)
            jobs[count++] = (struct forecast_job){.trial = i, .left = 1};
    }
    const enum status st = pack_jobs(p, jobs, count, &p->packing, &p->wall_s, e);
    mem_free(jobs);
    return st;
}

static enum status look_at_disk(struct plan *p, const char *db, struct err *e)
{
    char *path = run_database_path(&p->spec, db);
    if (!path)
        return err_set(e, ST_NOMEM, "out of memory");
    p->disk_free_bytes = disk_free_bytes(path);
    mem_free(path);
    return ST_OK;
}

static enum status make_forecast(struct plan *p, struct err *e)
{
    p->images = image_counts_of(&p->spec.data);
    enum status st = index_memberships(p, e);
    if (st == ST_OK)
        st = forecast_init(&p->forecast, &p->space, NULL, e);
    return st == ST_OK ? pack(p, e) : st;
}

double plan_left_s(const struct plan *p, int trial)
{
    const int epochs = p->space.trials[trial].point.recipe.epochs;
    if (p->space.trials[trial].skip_reason)
        return 0;
    if (!p->changes.db)
        return plan_predicted_s(p, trial);
    const struct trial_change *c = &p->changes.found.trials[trial];
    const int left = epochs - c->epochs_done;
    return change_trains(c->change) && left > 0 ? plan_predicted_s(p, trial) * left / epochs : 0;
}

/* What is left beside a database. Epochs of a trial take equally long. */
static enum status foretell_rest(struct plan *p, struct err *e)
{
    struct forecast_job *jobs = jobs_alloc(p, e);
    struct packing packing;
    int count = 0;
    if (!jobs)
        return ST_NOMEM;
    for (int i = 0; p->changes.db && i < p->space.trial_count; i++) {
        const struct trial_change *c = &p->changes.found.trials[i];
        const int epochs = p->space.trials[i].point.recipe.epochs, left = epochs - c->epochs_done;
        if (!change_trains(c->change) || left < 0)
            continue;
        p->changes.epochs += left;
        jobs[count++] = (struct forecast_job){.trial = i, .left = (double)left / epochs};
    }
    const enum status st = pack_jobs(p, jobs, count, &packing, &p->changes.remaining_s, e);
    mem_free(jobs);
    return st;
}

static void show_probe(int done, int count)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\rmeasuring the machine's speed: %d of %d networks", done, count);
}

/* A speed that cannot be kept serves this plan only. */
static enum status calibrate(struct plan *p, struct err *e)
{
    struct calibration_key key;
    struct err why = ERR_INIT;
    double scatter = 0;
    calibration_key_init(&key);
    enum status st = predict_calibrate(key.threads, &p->speed, &scatter, show_probe, e);
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
    if (st != ST_OK)
        return st;
    p->has_speed = true;
    char *path = calibration_path();
    if (!path)
        err_set(&why, ST_FAILED, "neither XDG_CACHE_HOME nor HOME names a folder for it");
    else if (calibration_write(path, &key, &p->speed, &why) == ST_OK)
        fprintf(stderr, "The speed of %s (%s, %d threads) is kept in %s\n", key.cpu, key.isa, key.threads,
                path);
    if (scatter > SCATTER_USUAL)
        fprintf(stderr,
                "firesweep: plan: the times scatter by %.0f %%: something else uses this machine and "
                "predictions may be far off; measure again when it is idle\n",
                100 * scatter);
    if (why.text[0])
        fprintf(stderr, "firesweep: plan: the speed measured is not kept: %s\n", why.text);
    mem_free(path);
    return ST_OK;
}

static enum status plan_spec(struct plan *p, const char *path, const char *db, const struct output *o,
                             struct err *e)
{
    enum status st = spec_load(path, &p->spec, e);
    if (st == ST_OK) {
        st = space_build(&p->spec, &p->space, e);
        p->space.trial_count = p->space.named_count; /* shorter rungs of a search: plan_search.c */
        if (st == ST_OK)
            st = make_forecast(p, e);
        if (st == ST_OK)
            st = look_at_disk(p, db, e);
        if (st == ST_OK)
            st = plan_changes_load(&p->changes, db, &p->spec, &p->space, e);
        if (st == ST_OK)
            st = foretell_rest(p, e);
        if (st == ST_OK && p->budget_s > 0)
            st = plan_budget_check(p, e);
        enum { FULL_MAX = 60, SHOWN = 40 }; /* a terminal is for reading */
        const bool cut =
            o->width > 0 && !o->only && o->format == TABLE_TEXT && p->space.trial_count > FULL_MAX;
        p->shown = cut ? SHOWN : p->space.trial_count;
        if (st == ST_OK)
            st = write_plan(o, p, e);
        plan_changes_release(&p->changes);
        space_release(&p->space);
        forecast_release(&p->forecast);
        mem_free(p->first_membership);
        mem_free(p->next_membership);
    }
    spec_release(&p->spec);
    return st;
}

static enum status plan_run(const struct args *a, struct err *e)
{
    struct output o;
    struct plan p = {.has_speed = false};
    enum status st = output_init(&o, a, e);
    if (st == ST_OK && a->value[OPTION_REFERENCE])
        return print_reference(e);
    if (st == ST_OK && !a->positional[0] && !a->value[OPTION_CALIBRATE])
        st = err_set(e, ST_USAGE, "missing argument, expected SPEC, see firesweep plan --help");
    if (st == ST_OK && a->value[OPTION_BUDGET])
        st = plan_budget_parse(a->value[OPTION_BUDGET], &p.budget_s, e);
    if (st == ST_OK && a->value[OPTION_CALIBRATE])
        st = calibrate(&p, e);
    if (st != ST_OK)
        return err_prefix(e, "plan");
    if (!a->positional[0])
        return ST_OK;
    p.has_speed = p.has_speed || calibration_here(&p.speed);
    return plan_spec(&p, a->positional[0], a->value[OPTION_DB], &o, e);
}

const struct command command_plan = {
    .name = "plan",
    .summary = "Trials of a sweep and their cost, without touching the data",
    .positionals = "SPEC",
    .positional_min = 0,
    .positional_max = 1,
    .description =
        "Expands a sweep spec into its trials and says what each one costs: parameters, model "
        "size, multiply-accumulates and peak activation memory per image (inference), and the "
        "arithmetic of training, the memory of a worker, and (after --calibrate) the time on this "
        "machine. Equal trials of several blocks are one trial. Of the data only the names and "
        "sizes of its files are read. Beside a results database (--db, or the default one) it also "
        "says what a run would do: which trials are done, continue or are new and why, and which "
        "recorded ones are outside the spec.",
    .examples = "  firesweep plan experiments/quickstart.yaml\n"
                "  firesweep plan --calibrate\n"
                "  firesweep plan --reference\n"
                "  firesweep plan sweep.yaml --only totals\n"
                "  firesweep plan sweep.yaml --only skipped\n"
                "  firesweep plan sweep.yaml --budget 2h --only budget\n"
                "  firesweep plan sweep.yaml --db results/sweep.db --only changes\n"
                "  firesweep plan sweep.yaml --format csv > trials.csv\n",
    .options = options,
    .run = plan_run,
};
