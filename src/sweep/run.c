#include "sweep/run.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "metamodel/cost.h"
#include "sweep/disk.h"
#include "sweep/paths.h"
#include "sweep/supervisor.h"

char *run_database_path(const struct spec *spec, const char *db)
{
    return db ? mem_strdup(db) : mem_printf("results/%s.db", spec->name);
}

static enum status check_data_fits(const struct spec *spec, const struct space *space,
                                   const struct dataset *data, struct err *e)
{
    const struct data_look look = {.image = data->image, .classes = data->classes};
    if (data->sets[SPLIT_TRAIN].count == 0) {
        return err_set(e, ST_USAGE, "%s:%d:%d: data: %s holds no training images", spec->path,
                       spec->data_path_mark.line, spec->data_path_mark.column, spec->data.path);
    }
    return space_check_data(spec, space, &look, e);
}

/* The folder that the database stands in. */
static enum status create_database_folder(struct supervisor *s, const char *db, struct err *e)
{
    const char *slash = strrchr(db, '/');
    if (!slash)
        return ST_OK;
    const char *folder = arena_strndup(&s->arena, db, (size_t)(slash - db) + 1);
    return folder ? dir_create(folder, e) : err_set(e, ST_NOMEM, "%s: out of memory", db);
}

static enum status create_worker_folders(struct supervisor *s, const char *stem, struct err *e)
{
    const char *logs = arena_printf(&s->arena, "%s.logs", stem);
    const char *checkpoints = arena_printf(&s->arena, "%s.checkpoints", stem);
    s->log_stem = arena_printf(&s->arena, "%s.logs/trial-", stem);
    if (!logs || !checkpoints || !s->log_stem)
        return err_set(e, ST_NOMEM, "%s: out of memory", stem);
    enum status status = dir_create(logs, e);
    return status == ST_OK ? dir_create(checkpoints, e) : status;
}

/* With nothing left to start: a trial without a result is no success. */
static enum status judge_results(const struct supervisor *s, const struct run_status *count, struct err *e)
{
    char timed_out[128] = "";
    if (count->timed_out > 0) {
        snprintf(timed_out, sizeof timed_out,
                 "%d of %d trial%s timed out, a higher budget.trial_wall continues %s", count->timed_out,
                 count->total, count->total == 1 ? "" : "s", count->timed_out == 1 ? "it" : "them");
    }
    if (count->failed > 0) {
        return err_set(e, ST_FAILED, "%s%s%d of %d trial%s failed; first failure: %s", timed_out,
                       timed_out[0] ? "; " : "", count->failed, count->total, count->total == 1 ? "" : "s",
                       s->first_failure);
    }
    return timed_out[0] ? err_set(e, ST_FAILED, "%s", timed_out) : ST_OK;
}

/* What the run comes to. */
static enum status conclude(const struct supervisor *s, struct err *e)
{
    struct run_status count;
    supervisor_count(s, &count);
    int left = count.pending + count.running; /* running: in other runs */
    if (s->fatal != ST_OK)
        return s->fatal;
    if (s->phase >= PHASE_STOPPING && left > 0) {
        return err_set(e, ST_INTERRUPTED, "%s: %d of %d trial%s not done; the same command continues", s->why,
                       left, count.total, count.total == 1 ? " is" : "s are");
    }
    if (s->phase == PHASE_DRAINING && count.pending > 0) {
        const int failed = failure_count(s); /* some of them may have attempts left: they are pending, too */
        const int untried = count.pending + count.failed - failed;
        return err_set(e, ST_FAILED, "%s: %d of %d trial%s failed, %d %s not tried; first failure: %s",
                       s->why, failed, count.total, count.total == 1 ? "" : "s", untried,
                       untried == 1 ? "was" : "were", s->first_failure);
    }
    return judge_results(s, &count, e);
}

static void fill_result(const struct supervisor *s, struct run_result *out)
{
    struct run_status count;
    supervisor_count(s, &count);
    *out = (struct run_result){
        .trained = s->trained,
        .total = count.total,
        .done = count.done,
        .failed = count.failed,
        .diverged = count.diverged,
        .skipped = count.skipped,
        .pruned = count.pruned,
        .pending = count.pending + count.running, /* running: in other runs */
        .timed_out = count.timed_out,
        .interrupted = s->phase >= PHASE_STOPPING && s->fatal == ST_OK && count.pending + count.running > 0,
    };
}

/* A sweep that will not fit may still begin: others free space meanwhile, and a full disk is waited for. */
static enum status check_disk(const struct supervisor *s, const char *stem, struct err *e)
{
    const enum keep keep = s->spec->run.keep;
    struct disk_need need = {0};
    for (int i = 0; i < s->space->trial_count; i++)
        if (s->trials[i].state == TRIAL_PENDING)
            disk_need_add(&need, &s->space->trials[i], keep);
    const double free_bytes = disk_free_bytes(stem);
    const enum disk_verdict verdict = disk_judge(&need, keep, s->packing.workers, free_bytes);
    if (verdict == DISK_FULL) {
        return err_set(
            e, ST_NOSPACE,
            "%s.checkpoints: the smallest checkpoint takes about %.1f MiB, and only %.1f MiB of the "
            "disk are free; nothing was trained",
            stem, need.smallest / MIB, free_bytes / MIB);
    }
    if (verdict == DISK_SHORT) {
        supervisor_notice(
            s,
            "the disk is too small for the whole sweep: checkpoints and rows take about %.1f MiB "
            "(run.keep: %s), %.1f MiB are free; when it is full training waits for space",
            disk_need_bytes(&need, keep, s->packing.workers) / MIB, keep_name(keep), free_bytes / MIB);
    }
    return ST_OK;
}

static enum status tell_trials(struct supervisor *s, struct err *e)
{
    if (!s->observer || !s->observer->begin)
        return ST_OK;
    const char **names = arena_alloc(&s->arena, (size_t)s->space->trial_count + 1, sizeof *names);
    if (!names)
        return err_set(e, ST_NOMEM, "%s: out of memory", s->spec->path);
    for (int i = 0; i < s->space->trial_count; i++)
        names[i] = s->trials[i].name;
    s->observer->begin(s->observer->context, s->space, names);
    return ST_OK;
}

/* A random block that did not find all its points must not pass in silence. */
static void tell_short_blocks(const struct supervisor *s)
{
    for (int i = 0; i < s->spec->block_count; i++) {
        char text[700];
        if (s->space->samplings[i].points < s->space->samplings[i].wanted) {
            space_sampling_text(s->spec, s->space, i, text, sizeof text);
            supervisor_notice(s, "block %s has %s", s->spec->blocks[i].id, text);
        }
    }
}

/* Not an error: what earlier runs trained is still marked as the spec now has it. */
static void tell_if_empty(const struct supervisor *s)
{
    struct err why = ERR_INIT;
    if (space_check_trains(s->spec, s->space, &why) != ST_OK)
        supervisor_notice(s, "%s", why.text);
}

/* With the database open. */
static enum status run_trials(struct supervisor *s, const struct run_config *c, const char *stem,
                              struct run_result *out, struct err *e)
{
    enum status status = supervisor_load(s, stem, e);
    if (status == ST_OK)
        status = supervisor_pack(s, c, e);
    forecast_release(&s->forecast);
    if (status == ST_OK)
        status = check_disk(s, stem, e);
    if (status == ST_OK)
        status = tell_trials(s, e);
    if (status == ST_OK) {
        tell_short_blocks(s);
        tell_if_empty(s);
    }
    if (status == ST_OK)
        status = signal_source_open(&s->signals, e);
    if (status != ST_OK)
        return status;
    s->e = e;
    supervise(s);
    supervisor_measure_rest(s);
    signal_source_close(&s->signals);
    fill_result(s, out);
    return conclude(s, e);
}

/* With spec, space and data known to be good. */
static enum status run_on_database(struct supervisor *s, const struct run_config *c, const char *db,
                                   struct run_result *out, struct err *e)
{
    char *stem = paths_stem(db);
    enum status status =
        stem ? create_database_folder(s, db, e) : err_set(e, ST_NOMEM, "%s: out of memory", db);
    if (status == ST_OK) {
        const bool sound = store_check_end(s->check);
        s->check = NULL;
        status = store_open_checked(db, sound, &s->store, e);
    }
    if (status == ST_OK)
        status = create_worker_folders(s, stem, e);
    if (status == ST_OK)
        status = run_trials(s, c, stem, out, e);
    store_close(s->store);
    mem_free(stem);
    return status;
}

static void tell_streaming(struct supervisor *s, const struct dataset *data)
{
    double images = 0, one = (double)data->image.c * data->image.h * data->image.w;
    for (int i = 0; i < SPLIT_COUNT; i++)
        images += (double)data->sets[i].count;
    bool asked = s->spec->data.memory == DATA_STREAM;
    supervisor_notice(
        s,
        "images are streamed: each of the %.0f is decoded whenever it is needed, %s (decoded, all "
        "take %.0f MiB); results are the same as from memory",
        images, asked ? "as data.memory asks" : "because all of them would take more than half of the memory",
        images * one / 1048576);
}

static enum status run_with_data(struct supervisor *s, const struct run_config *c, const char *db,
                                 const struct dataset *data, struct run_result *out, struct err *e)
{
    enum status status = check_data_fits(s->spec, s->space, data, e);
    if (status != ST_OK)
        return status;
    s->data = data;
    if (data->stream)
        tell_streaming(s, data);
    if (data->skipped > 0) {
        supervisor_notice(s, "%zu unreadable images are left out, the first: %s", data->skipped,
                          data->first_skipped);
    }
    return run_on_database(s, c, db, out, e);
}

static enum status load_data(const struct spec *spec, struct dataset *out, struct err *e)
{
    struct data_look look;
    enum status status = spec_check_data(spec, e);
    if (status == ST_OK &&
        dataset_look(&spec->data, &look, NULL) == ST_OK) /* else loading says what is wrong */
        status = image_counts_check(spec, e);
    return status == ST_OK ? dataset_load(&spec->data, out, e) : status;
}

enum status run_sweep(const struct spec *spec, const struct run_config *c, const struct run_observer *o,
                      struct run_result *out, struct err *e)
{
    struct space space;
    struct dataset data = {0};
    *out = (struct run_result){0};
    struct supervisor *s = mem_calloc(1, sizeof *s);
    char *db = run_database_path(spec, c->db);
    if (!s || !db) {
        mem_free(s);
        mem_free(db);
        return err_set(e, ST_NOMEM, "%s: out of memory", spec->path);
    }
    arena_init(&s->arena);
    s->spec = spec;
    s->space = &space;
    s->config = c;
    s->observer = o;
    s->check = store_check_begin(db);
    enum status status = space_build(spec, &space, e);
    status = status == ST_OK ? load_data(spec, &data, e) : status;
    if (status == ST_OK)
        status = run_with_data(s, c, db, &data, out, e);
    store_check_end(s->check);
    dataset_release(&data);
    space_release(&space);
    arena_release(&s->arena);
    mem_free(s);
    mem_free(db);
    return status;
}
