/* What is to be done, from spec, data and database, and how the machine is divided for it. */
#include <dirent.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "engine/calibration.h"
#include "sweep/gc.h"
#include "sweep/store_trials.h"
#include "sweep/supervisor.h"
#include "sweep/worker.h"

/* Whether a state from an earlier run is not the end. */
static bool runs_again(const struct supervisor *s, const struct run_trial *t)
{
    double limit = s->spec->budget.trial_wall_s;
    return t->state == TRIAL_FAILED ||
           (t->state == TRIAL_TIMED_OUT && (limit <= 0 || t->wall_used_s < limit));
}

/* What this run may have to train: what waits, and what other runs train, which may come back. */
static bool may_run(const struct run_trial *t)
{
    return t->state == TRIAL_PENDING || t->elsewhere;
}

/* Name, length and files of a trial that this run may have to do with: in large sweeps most are done, and a
 * search continues from the files of those that are. */
static enum status describe_trial(struct supervisor *s, int i, const struct membership *m, const char *stem,
                                  struct err *e)
{
    const struct trial *trial = &s->space->trials[i];
    struct run_trial *t = &s->trials[i];
    char fingerprint[HASH_TEXT];
    if (!may_run(t) && trial->rung == 0)
        return ST_OK;
    hash_text(s->data->fingerprint, fingerprint);
    char *name = space_trial_name(s->spec, trial, m);
    t->name = name ? arena_strdup(&s->arena, name) : NULL;
    t->axes = m ? m->axes : NULL;
    t->operations = trial_operations(trial, s->data);
    t->length = t->left * t->operations;
    char *checkpoint = paths_checkpoint(stem, trial->arch_hash, trial->recipe_hash, fingerprint, trial->seed);
    t->checkpoint = checkpoint ? arena_strdup(&s->arena, checkpoint) : NULL;
    mem_free(checkpoint);
    mem_free(name);
    return t->name && t->checkpoint ? ST_OK : err_set(e, ST_NOMEM, "%s: out of memory", s->spec->path);
}

/* What earlier runs left of a trial, and whether it runs now. */
static void take_history(struct supervisor *s, int i, const struct trial_history *h, int *again)
{
    struct run_trial *t = &s->trials[i];
    const bool excluded = s->space->trials[i].skip_reason; /* whatever came of it before the condition */
    t->state = excluded ? TRIAL_SKIPPED : h->state;
    t->attempts = h->attempts;
    t->wall_used_s = h->wall_s;
    t->elsewhere = t->state == TRIAL_RUNNING;
    if (t->state == TRIAL_PRUNED) /* a search decides anew, by the same results; without one it is wanted */
        t->state = TRIAL_PENDING;
    if (runs_again(s, t)) {
        *again += t->state == TRIAL_FAILED;
        t->state = TRIAL_PENDING;
    }
}

/* The numbers of epochs that recipes of the database have, most first; arena memory. */
static enum status read_lengths(struct supervisor *s, int **lengths, int *count, struct err *e)
{
    struct store_query *query;
    bool row = true;
    int room = 0;
    enum status status =
        store_query_open(s->store, "SELECT DISTINCT epochs FROM recipe ORDER BY epochs DESC", &query, e);
    *lengths = NULL;
    *count = 0;
    while (status == ST_OK && row) {
        status = store_query_next(query, &row, e);
        if (status == ST_OK && row && *count == room) {
            room = 2 * room + 16;
            int *more = arena_alloc(&s->arena, (size_t)room, sizeof *more);
            if (!more) {
                status = err_set(e, ST_NOMEM, "%s: out of memory", s->spec->path);
                break;
            }
            memcpy(more, *lengths ? *lengths : more, (size_t)*count * sizeof *more);
            *lengths = more;
        }
        if (status == ST_OK && row)
            (*lengths)[(*count)++] = (int)store_query_cell(query, 0).i;
    }
    store_query_close(query);
    return status;
}

/* The longest earlier training that begins exactly like this trial's, if its final state is still there. */
static enum status find_shorter(struct supervisor *s, int i, const char *stem, const int *lengths, int count,
                                struct err *e)
{
    struct run_trial *t = &s->trials[i];
    const struct trial *trial = &s->space->trials[i];
    struct recipe recipe = trial->point.recipe;
    char hash[HASH_TEXT], fingerprint[HASH_TEXT];
    if (t->state != TRIAL_PENDING || recipe_extension_obstacle(&recipe) || file_exists(t->checkpoint))
        return ST_OK;
    hash_text(s->data->fingerprint, fingerprint);
    for (int k = 0; k < count && !t->shorter; k++) {
        recipe.epochs = lengths[k];
        if (recipe.epochs >= trial->point.recipe.epochs)
            continue;
        recipe_hash(&recipe, engine_numerics(), hash);
        char *path = paths_checkpoint(stem, trial->arch_hash, hash, fingerprint, trial->seed);
        if (path && file_exists(path)) {
            t->shorter = arena_strdup(&s->arena, path);
            t->shorter_epochs = recipe.epochs;
        }
        bool failed = !path || (file_exists(path) && !t->shorter);
        mem_free(path);
        if (failed)
            return err_set(e, ST_NOMEM, "%s: out of memory", s->spec->path);
    }
    return ST_OK;
}

/* Whether a file is the superseded state of a trial that is at its end. */
static bool is_superseded(const struct supervisor *s, const char *file)
{
    struct checkpoint_name name;
    char fingerprint[HASH_TEXT];
    if (!checkpoint_name_parse(file, &name) || name.kind != CHECKPOINT_PREVIOUS)
        return false;
    hash_text(s->data->fingerprint, fingerprint);
    for (int i = 0; i < s->space->trial_count; i++) {
        const struct trial *t = &s->space->trials[i];
        if (t->seed == name.seed && strcmp(t->arch_hash, name.arch_hash) == 0 &&
            strcmp(t->recipe_hash, name.recipe_hash) == 0 && strcmp(fingerprint, name.data_fingerprint) == 0)
            return !checkpoint_needed(CHECKPOINT_PREVIOUS, s->trials[i].state, s->spec->run.keep);
    }
    return false;
}

/* A run may have been killed after it recorded a trial's end and before it removed what that supersedes.
 * There are few such files, and few others of the kind: each trial under way has one. */
static void remove_superseded(const struct supervisor *s, const char *stem)
{
    char *folder = mem_printf("%s.checkpoints", stem);
    DIR *d = folder ? opendir(folder) : NULL;
    for (struct dirent *entry; d && (entry = readdir(d));)
        if (is_superseded(s, entry->d_name))
            unlinkat(dirfd(d), entry->d_name, 0);
    if (d)
        closedir(d);
    mem_free(folder);
}

static int longer_first(const void *a, const void *b, void *context)
{
    const int *x = a, *y = b;
    const struct run_trial *trials = context;
    double p = trials[*x].length, q = trials[*y].length;
    return p != q ? (p < q) - (p > q) : (*x > *y) - (*x < *y);
}

static struct image_counts count_images(const struct dataset *data)
{
    return (struct image_counts){(double)data->sets[SPLIT_TRAIN].count, (double)data->sets[SPLIT_VAL].count,
                                 (double)data->sets[SPLIT_TEST].count};
}

/* Memory of all trials that may run and, where this machine's speed is known for each of them, how long they
 * take. */
static enum status forecast_trials(struct supervisor *s, struct err *e)
{
    const struct image_counts images = count_images(s->data);
    bool *wanted = mem_alloc((size_t)s->space->trial_count + 1, sizeof *wanted);
    if (!wanted)
        return err_set(e, ST_NOMEM, "%s: out of memory", s->spec->path);
    for (int i = 0; i < s->space->trial_count; i++)
        wanted[i] = may_run(&s->trials[i]);
    enum status status = forecast_init(&s->forecast, s->space, wanted, e);
    bool known = s->has_speed = status == ST_OK && calibration_here(&s->speed);
    for (int i = 0; i < s->space->trial_count && status == ST_OK; i++) {
        s->trials[i].memory_bytes = forecast_memory(&s->forecast, i, 1, images.train);
        known = known && (!wanted[i] || s->forecast.work_of[i] >= 0);
    }
    mem_free(wanted);
    for (int i = 0; i < s->space->trial_count && known; i++) {
        struct run_trial *t = &s->trials[i];
        t->length = t->left * forecast_trial_s(&s->forecast, s->space, &s->speed, i, 1, &images);
    }
    return status;
}

static enum status load_all(struct supervisor *s, const int64_t *ids, const char *stem, struct err *e)
{
    int again = 0, *lengths, length_count;
    const struct membership **first = space_first_memberships(s->space);
    struct trial_history *histories =
        arena_alloc(&s->arena, (size_t)s->space->trial_count + 1, sizeof *histories);
    if (!first || !histories) {
        mem_free(first);
        return err_set(e, ST_NOMEM, "%s: out of memory", s->spec->path);
    }
    enum status status = store_trial_histories(s->store, ids, s->space->trial_count, histories, e);
    if (status == ST_OK)
        status = read_lengths(s, &lengths, &length_count, e);
    for (int i = 0; i < s->space->trial_count && status == ST_OK; i++) {
        s->order[i] = i;
        s->trials[i].id = ids[i];
        take_history(s, i, &histories[i], &again);
        int epochs = s->space->trials[i].point.recipe.epochs, left = epochs - histories[i].epochs_done;
        s->trials[i].left = left > 0 ? (double)left / epochs : 0;
        status = describe_trial(s, i, first[i], stem, e);
        if (status == ST_OK)
            status = find_shorter(s, i, stem, lengths, length_count, e);
    }
    if (status == ST_OK)
        remove_superseded(s, stem);
    if (again > 0)
        supervisor_notice(s, "%d trial%s that failed in an earlier run %s tried again", again,
                          again == 1 ? "" : "s", again == 1 ? "is" : "are");
    if (status == ST_OK)
        status = forecast_trials(s, e);
    qsort_r(s->order, (size_t)s->space->trial_count, sizeof *s->order, longer_first, s->trials);
    mem_free(first);
    return status == ST_OK ? supervisor_search_init(s, e) : status;
}

/* The sweep ran before on other data. */
static enum status judge_other_data(const struct supervisor *s, const char *now, const char *before,
                                    struct err *e)
{
    const char *path = s->spec->data.path;
    if (s->config->same_data) {
        return err_set(
            e, ST_FAILED,
            "%s: the data has changed: its fingerprint is %s, and %s when sweep %s last ran; trainings "
            "cannot go on with other images, firesweep run trains anew",
            path, now, before, s->spec->name);
    }
    supervisor_notice(
        s,
        "%s: the data has changed: its fingerprint is %s, and %s when sweep %s last ran (other files, or "
        "other keys of data); all trials are trained anew, results on the earlier data stay in the "
        "database, outside the spec",
        path, now, before, s->spec->name);
    return ST_OK;
}

static enum status compare_data(struct supervisor *s, struct err *e)
{
    char now[HASH_TEXT];
    struct known_sweep *sweeps = NULL;
    int count = 0;
    hash_text(s->data->fingerprint, now);
    enum status status = store_known_sweeps(s->store, &s->arena, &sweeps, &count, e);
    for (int i = 0; i < count && status == ST_OK; i++)
        if (strcmp(sweeps[i].name, s->spec->name) == 0 && strcmp(sweeps[i].data_fingerprint, now) != 0)
            status = judge_other_data(s, now, sweeps[i].data_fingerprint, e);
    return status;
}

enum status supervisor_load(struct supervisor *s, const char *stem, struct err *e)
{
    size_t count = (size_t)s->space->trial_count + 1; /* never zero */
    int64_t recovered = 0;
    int64_t *ids = arena_alloc(&s->arena, count, sizeof *ids);
    s->trials = arena_alloc(&s->arena, count, sizeof *s->trials);
    s->order = arena_alloc(&s->arena, count, sizeof *s->order);
    if (!ids || !s->trials || !s->order)
        return err_set(e, ST_NOMEM, "%s: out of memory", s->spec->path);
    enum status status = compare_data(s, e);
    if (status == ST_OK)
        status = store_sync(s->store, s->spec, s->space, s->data, ids, e);
    if (status == ST_OK)
        status = store_recover(s->store, &recovered, e);
    if (recovered > 0) {
        supervisor_notice(s, "%" PRId64 " trial%s of a run that ended without notice continue%s from %s",
                          recovered, recovered == 1 ? "" : "s", recovered == 1 ? "s" : "",
                          recovered == 1 ? "its checkpoint" : "their checkpoints");
    }
    return status == ST_OK ? load_all(s, ids, stem, e) : status;
}

/* Whether a quota, not the affinity, limits the cores: then the kernel places work better than a fixed list.
 */
static bool quota_limits(const struct cpu_info *cpu)
{
    cpu_set_t mask;
    return sched_getaffinity(0, sizeof mask, &mask) != 0 || CPU_COUNT(&mask) > cpu->allowed.count;
}

static enum status choose_packing(struct supervisor *s, struct err *e)
{
    const struct image_counts images = count_images(s->data);
    struct forecast_job *jobs = mem_alloc((size_t)s->space->trial_count + 1, sizeof *jobs);
    double wall_s;
    int count = 0;
    if (!jobs)
        return err_set(e, ST_NOMEM, "%s: out of memory", s->spec->path);
    for (int i = 0; i < s->space->trial_count; i++)
        if (may_run(&s->trials[i]))
            jobs[count++] = (struct forecast_job){.trial = i, .left = s->trials[i].left};
    enum status status = forecast_pack(&s->forecast, s->space, s->has_speed ? &s->speed : NULL, &images,
                                       &s->request, jobs, count, &s->packing, &wall_s, e);
    mem_free(jobs);
    return status;
}

enum status supervisor_pack(struct supervisor *s, const struct run_config *c, struct err *e)
{
    struct cpu_info cpu;
    struct run_status count;
    cpu_detect(&cpu);
    supervisor_count(s, &count);
    s->core_count = cpu.physical_cores;
    memcpy(s->cores, cpu.allowed.id, sizeof s->cores);
    s->request = (struct packing_request){
        .cores = s->core_count,
        .workers = c->workers > 0 ? c->workers : s->spec->run.workers,
        .threads = c->threads > 0 ? c->threads : s->spec->run.threads,
        .useful_threads = s->spec->base.recipe.lanes,
        .memory_bytes = packing_memory((double)cpu.memory_bytes, (double)dataset_memory(s->data)),
    };
    enum status status = choose_packing(s, e);
    if (status != ST_OK)
        return status;
    if (quota_limits(&cpu) || count.running > 0) /* other runs are on the same cores */
        s->packing.pinned = false;
    s->slots = arena_alloc(&s->arena, (size_t)s->packing.workers, sizeof *s->slots);
    if (!s->slots)
        return err_set(e, ST_NOMEM, "%s: out of memory", s->spec->path);
    for (int i = 0; i < s->packing.workers; i++)
        s->slots[i].records = -1;
    return ST_OK;
}
