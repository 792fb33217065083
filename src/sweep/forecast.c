#include "sweep/forecast.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Code, libraries, stacks and the records of a worker. */
enum { PROCESS_BYTES = 16 << 20 };

static bool same_work(const struct trial *a, const struct trial *b)
{
    return strcmp(a->arch_hash, b->arch_hash) == 0 && strcmp(a->recipe_hash, b->recipe_hash) == 0;
}

/* The index of the trial's work, which is added; -1 when there is none. */
static int add_work(struct forecast *f, const struct trial *t)
{
    struct arch arch;
    if (arch_build(&t->point.design, &arch, NULL) != ST_OK ||
        workload_init(&f->works[f->work_count], &arch, &t->point.recipe, NULL) != ST_OK)
        return -1;
    return f->work_count++;
}

enum status forecast_init(struct forecast *f, const struct space *space, const bool *wanted, struct err *e)
{
    const size_t count = (size_t)space->trial_count + 1; /* never zero */
    *f = (struct forecast){.works = mem_alloc(count, sizeof *f->works),
                           .work_of = mem_alloc(count, sizeof *f->work_of)};
    if (!f->works || !f->work_of)
        return err_set(e, ST_NOMEM, "out of memory");
    /* The seeds of a point are neighbours. */
    for (int i = 0, last = -1; i < space->trial_count; i++) {
        const struct trial *t = &space->trials[i];
        f->work_of[i] = -1;
        if (wanted && !wanted[i])
            continue;
        f->work_of[i] = last >= 0 && same_work(&space->trials[last], t) ? f->work_of[last] : add_work(f, t);
        last = i;
    }
    return ST_OK;
}

void forecast_release(struct forecast *f)
{
    mem_free(f->works);
    mem_free(f->work_of);
    *f = (struct forecast){0};
}

static const struct workload *work_of(const struct forecast *f, int trial)
{
    return f->work_of[trial] < 0 ? NULL : &f->works[f->work_of[trial]];
}

double forecast_memory(const struct forecast *f, int trial, int threads, double train_images)
{
    const struct workload *w = work_of(f, trial);
    return w ? workload_memory(w, threads, train_images > 0 ? train_images : 0) + PROCESS_BYTES : 0;
}

double forecast_trial_s(const struct forecast *f, const struct space *space, const struct speed *speed,
                        int trial, int threads, const struct image_counts *images)
{
    const struct workload *w = work_of(f, trial);
    if (!w || images->train < 0)
        return 0;
    return forecast_work_s(speed, w, space->trials[trial].point.recipe.epochs, threads, images);
}

double forecast_work_s(const struct speed *speed, const struct workload *w, int epochs, int threads,
                       const struct image_counts *images)
{
    return epochs * predict_epoch_s(speed, w, threads, images->train, images->val) +
           predict_eval_s(speed, w, threads, images->test);
}

static int longer_first(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

double forecast_wall_s(double *trial_s, int count, int workers)
{
    qsort(trial_s, (size_t)count, sizeof *trial_s, longer_first);
    return packing_remaining_s(NULL, 0, trial_s, count, workers, 1);
}

/* The trials of a packing; seconds are computed once for each number of threads that comes up. */
struct jobs {
    const struct forecast *f;
    const struct space *space;
    const struct speed *speed;
    const struct image_counts *images;
    struct forecast_job *items;
    int count, known_threads;
    double *known_s; /* [count][known_threads], 0 = not computed yet */
};

static double job_seconds(const void *context, int i, int threads)
{
    const struct jobs *j = context;
    double *known = threads <= j->known_threads
                        ? &j->known_s[(size_t)i * (size_t)j->known_threads + (size_t)threads - 1]
                        : NULL;
    if (known && *known > 0)
        return *known;
    const struct forecast_job *job = &j->items[i];
    const double s = job->left * forecast_trial_s(j->f, j->space, j->speed, job->trial, threads, j->images);
    if (known)
        *known = s;
    return s;
}

static double job_memory(const void *context, int i, int threads)
{
    const struct jobs *j = context;
    return forecast_memory(j->f, j->items[i].trial, threads, j->images->train);
}

static int job_useful(const void *context, int i)
{
    const struct jobs *j = context;
    return j->space->trials[j->items[i].trial].point.recipe.lanes;
}

static int longer_job_first(const void *a, const void *b)
{
    const struct forecast_job *x = a, *y = b;
    return x->seconds != y->seconds ? (x->seconds < y->seconds) - (x->seconds > y->seconds)
                                    : (x->trial > y->trial) - (x->trial < y->trial);
}

/* Longest first. What the engine cannot run takes no time. */
static void sort_jobs(struct jobs *j)
{
    for (int i = 0; i < j->count; i++) {
        struct forecast_job *job = &j->items[i];
        job->seconds = job->left * forecast_trial_s(j->f, j->space, j->speed, job->trial, 1, j->images);
    }
    qsort(j->items, (size_t)j->count, sizeof *j->items, longer_job_first);
}

static double largest_job(const struct jobs *j)
{
    double largest = 0;
    for (int i = 0; i < j->count; i++) {
        const double bytes = job_memory(j, i, 1);
        largest = bytes > largest ? bytes : largest;
    }
    return largest;
}

enum status forecast_pack(const struct forecast *f, const struct space *space, const struct speed *speed,
                          const struct image_counts *images, struct packing_request *r,
                          struct forecast_job *jobs, int count, struct packing *out, double *wall_s,
                          struct err *e)
{
    struct jobs j = {.f = f,
                     .space = space,
                     .speed = speed,
                     .images = images,
                     .items = jobs,
                     .count = count,
                     .known_threads = r->useful_threads < r->cores ? r->useful_threads : r->cores};
    const struct packing_trials trials = {&j, count, job_seconds, job_memory, job_useful};
    r->pending = r->pending > count ? r->pending : count;
    r->worker_bytes = largest_job(&j);
    *wall_s = 0;
    j.known_threads = j.known_threads > 1 ? j.known_threads : 1;
    if (count == 0 || !speed || images->train < 0) {
        *out = packing_plan(r);
        return ST_OK;
    }
    j.known_s = mem_calloc((size_t)count * (size_t)j.known_threads, sizeof *j.known_s);
    if (!j.known_s)
        return err_set(e, ST_NOMEM, "out of memory");
    sort_jobs(&j);
    *out = packing_choose(r, &trials, wall_s);
    mem_free(j.known_s);
    return ST_OK;
}
