/* What a plan foretells: how the machine is divided, how long it takes, what is left beside a database. */
#include <math.h>

#include "base/cpu.h"
#include "base/mem.h"
#include "cli/plan_internal.h"
#include "sweep/disk.h"
#include "sweep/run.h"

double plan_predicted_s(const struct plan *p, int trial)
{
    return p->has_speed
               ? forecast_trial_s(&p->forecast, &p->space, &p->speed, trial, p->packing.threads, &p->images)
               : 0;
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
        if (s->memberships[i].skip_reason && !s->trials[s->memberships[i].trial].skip_reason)
            continue; /* another point has the trial */
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
    for (int i = 0; i < p->space.trial_count; i++)
        if (!p->space.trials[i].skip_reason)
            jobs[count++] = (struct forecast_job){.trial = i, .left = 1};
    const enum status st = pack_jobs(p, jobs, count, &p->packing, &p->wall_s, e);
    mem_free(jobs);
    return st;
}

enum status plan_look_at_disk(struct plan *p, const char *db, struct err *e)
{
    char *path = run_database_path(&p->spec, db);
    if (!path)
        return err_set(e, ST_NOMEM, "out of memory");
    p->disk_free_bytes = disk_free_bytes(path);
    mem_free(path);
    return ST_OK;
}

enum status plan_forecast(struct plan *p, struct err *e)
{
    p->images = image_counts_of(&p->spec.data);
    enum status st = index_memberships(p, e);
    if (st == ST_OK)
        st = forecast_init(&p->forecast, &p->space, NULL, e);
    return st == ST_OK ? pack(p, e) : st;
}

enum status plan_learn(struct plan *p, struct err *e)
{
    const double typical = p->changes.error.typical;
    if (!p->has_speed || !p->changes.db || p->changes.error.trials == 0)
        return ST_OK;
    for (int i = 0; i < WORK_COUNT; i++) {
        p->speed.train[i] *= typical;
        p->speed.infer[i] *= typical;
    }
    return pack(p, e);
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
enum status plan_foretell_rest(struct plan *p, struct err *e)
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
