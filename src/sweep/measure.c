#include "sweep/measure.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "sweep/paths.h"
#include "sweep/store_trials.h"

/* One network on a thread of its own: it is pinned, and its arithmetic set, without the process noticing. */
struct job {
    struct arch arch;
    bool winograd;
    int core;
    double seconds;
    struct inference_speed speed;
    struct err error;
    enum status status;
};

static void *work(void *context)
{
    struct job *job = context;
    struct err e = ERR_INIT;
    if (cpu_pin(&job->core, 1, &e) != ST_OK)
        log_line(LOG_WARN, "measured without a core of its own: %s", e.text);
    job->status = inference_measure(&job->arch, job->winograd, job->seconds, &job->speed, &job->error);
    return NULL;
}

static enum status run_job(struct job *job, struct err *e)
{
    pthread_t thread;
    int code = pthread_create(&thread, NULL, work, job);
    if (code != 0) {
        errno = code;
        return err_errno(e, "cannot start a thread to measure on");
    }
    pthread_join(thread, NULL);
    if (job->status != ST_OK)
        *e = job->error;
    return job->status;
}

static enum status measure_trial(struct store *s, const struct measure_config *c, const struct cpu_info *cpu,
                                 struct measurement *m, struct err *e)
{
    struct stored_trial t;
    struct job *job = mem_calloc(1, sizeof *job);
    if (!job)
        return err_set(e, ST_NOMEM, "out of memory");
    enum status status = stored_trial_read(s, m->trial, &t, e);
    if (status == ST_OK && t.state == TRIAL_SKIPPED)
        status = err_set(e, ST_USAGE, "trial %" PRId64 " is skipped, it has nothing to measure", m->trial);
    if (status == ST_OK)
        status = arch_build(&t.point.design, &job->arch, e);
    if (status == ST_OK) {
        job->winograd = t.point.recipe.winograd;
        job->core = cpu->allowed.id[cpu->physical_cores - 1];
        job->seconds = c->seconds;
        status = run_job(job, e);
    }
    if (status == ST_OK)
        status = store_deployment(s, m->trial, &job->speed, job->winograd, cpu->model, e);
    if (status == ST_OK && c->done) {
        m->name = t.name;
        m->speed = job->speed;
        status = c->done(c->context, m, e);
    }
    stored_trial_release(&t);
    mem_free(job);
    return status;
}

static enum status measure_all(struct store *s, const struct measure_config *c, const int64_t *trials,
                               int total, int *count, struct err *e)
{
    struct cpu_info cpu;
    enum status status = ST_OK;
    cpu_detect(&cpu);
    for (int i = 0; i < total && status == ST_OK; i++) {
        struct measurement m = {.trial = trials[i], .number = i + 1, .count = total};
        if (c->stop && c->stop(c->context))
            return err_set(e, ST_INTERRUPTED, "stopped on request, %d of %d variants are measured", i, total);
        status = measure_trial(s, c, &cpu, &m, e);
        *count += status == ST_OK;
    }
    return status;
}

static enum status lock_file(const struct store *s, const char *path, int *fd, struct err *e)
{
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (*fd < 0)
        return err_errno(e, "cannot create %s", path);
    if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
        return ST_OK;
    enum status status = errno == EWOULDBLOCK
                             ? err_set(e, ST_BUSY, "%s: another process measures its variants", store_path(s))
                             : err_errno(e, "cannot lock %s", path);
    close(*fd);
    *fd = -1;
    return status;
}

/* A file whose lock keeps other processes from measuring at the same time; -1 on failure. */
static enum status take_turn(const struct store *s, int *fd, struct err *e)
{
    char *stem = paths_stem(store_path(s));
    char *folder = stem ? mem_printf("%s.logs", stem) : NULL;
    char *path = folder ? mem_printf("%s/measure.lock", folder) : NULL;
    enum status status = ST_NOMEM;
    *fd = -1;
    if (folder && path) {
        status = dir_create(folder, e);
        status = status == ST_OK ? lock_file(s, path, fd, e) : status;
    } else {
        err_set(e, ST_NOMEM, "out of memory");
    }
    mem_free(path);
    mem_free(folder);
    mem_free(stem);
    return status;
}

enum status measure_variants(struct store *s, const struct measure_config *c, int *count, struct err *e)
{
    int64_t *found = NULL;
    int total = c->trial_count, fd = -1;
    *count = 0;
    enum status status =
        c->trials ? ST_OK : store_finished_variants(s, c->sweep, c->measured, &found, &total, e);
    if (status == ST_OK && total > 0)
        status = take_turn(s, &fd, e);
    if (status == ST_OK)
        status = measure_all(s, c, c->trials ? c->trials : found, total, count, e);
    if (fd >= 0)
        close(fd);
    mem_free(found);
    return status;
}
