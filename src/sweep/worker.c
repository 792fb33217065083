#include "sweep/worker.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/trainer.h"
#include "sweep/protocol.h"
#include "sweep/trial_samples.h"

static const double PROGRESS_INTERVAL_S = 0.25;
static const double LONG_EVALUATION_S = 1;
static const double FIRST_RETRY_S = 0.25; /* after a save without space; each further wait is twice as long */

struct worker {
    const struct worker_task *task;
    struct trainer *trainer;
    struct sample_source sources[SPLIT_COUNT];
    char *previous; /* path of the checkpoint before the last one */
    char *description;
    double sent_at, saved_at;
    int threads;
    bool expendable; /* nothing has been done since the last save */
    bool stopping;   /* asked to, or the supervisor is gone */
};

static struct samples samples_of(struct worker *w, enum split split)
{
    return trial_samples(&w->sources[split], w->task->data, &w->task->trial->point.recipe, split);
}

/* Without a reader there is no reason to go on: save and end. */
static void worker_send(struct worker *w, const struct record *r)
{
    struct err e = ERR_INIT;
    if (record_send(w->task->records, r, &e) != ST_OK && !w->stopping) {
        log_line(LOG_WARN, "%s: stopping", e.text);
        w->stopping = true;
    }
}

/* A message for people; the supervisor puts the trial's name in front. */
static void __attribute__((format(printf, 2, 3))) worker_notice(struct worker *w, const char *format, ...)
{
    struct record r = record_of(RECORD_NOTICE);
    va_list args;
    va_start(args, format);
    vsnprintf(r.as.text, sizeof r.as.text, format, args);
    va_end(args);
    log_line(LOG_WARN, "%s", r.as.text);
    worker_send(w, &r);
}

static bool stop_requested(struct worker *w)
{
    w->stopping = w->stopping || w->task->host.stop_requested(w->task->host.context);
    return w->stopping;
}

static void set_expendable(struct worker *w, bool on)
{
    if (w->expendable != on) {
        w->expendable = on;
        w->task->host.expendable(w->task->host.context, on);
    }
}

/* Waits for `seconds`, or until a request to stop. */
static void pause_unless_stopped(struct worker *w, double seconds)
{
    for (double end = clock_seconds() + seconds; clock_seconds() < end && !stop_requested(w);)
        nanosleep(&(struct timespec){0, 100000000}, NULL);
}

/* Saves the trainer's state, waiting for space on a full disk. ST_INTERRUPTED: there was none before the
 * request to stop. */
static enum status save_as(struct worker *w, const char *path, struct err *e)
{
    enum status status;
    bool reported = false;
    for (double wait_s = FIRST_RETRY_S;; wait_s *= 2) {
        struct err why = ERR_INIT;
        status = trainer_save(w->trainer, path, w->description, &why);
        if (status != ST_NOSPACE) {
            if (status != ST_OK && e)
                *e = why;
            break;
        }
        if (!reported) {
            worker_notice(w, "no space for the checkpoint, training waits until there is: %s", why.text);
            reported = true;
        }
        if (stop_requested(w))
            return err_set(e, ST_INTERRUPTED, "stopped without space for a checkpoint");
        pause_unless_stopped(w, fmin(wait_s, w->task->save_retry_s));
    }
    if (status == ST_OK && reported)
        worker_notice(w, "there is space again, the checkpoint is saved");
    return status;
}

/* Makes the checkpoints' folder again if it is gone, and waits while it must not be written: rights that
 * changed, a file system that became read-only. ST_INTERRUPTED: it still must not at the request to stop. */
static enum status wait_for_folder(struct worker *w, struct err *e)
{
    char *folder = dir_of(w->task->checkpoint), *inside = folder ? mem_printf("%s/.", folder) : NULL;
    if (!inside) {
        mem_free(folder);
        return err_set(e, ST_NOMEM, "%s: out of memory", w->task->name);
    }
    enum status status = ST_OK;
    bool reported = false;
    while (status == ST_OK && access(inside, W_OK | X_OK) != 0) {
        if (errno == ENOENT) {
            status = dir_create(folder, e);
            continue;
        }
        if (errno != EACCES && errno != EROFS)
            break; /* the save will say what is wrong */
        if (!reported) {
            worker_notice(w, "%s cannot be written, training waits until it can: %s", folder,
                          strerror(errno));
            reported = true;
        }
        if (stop_requested(w))
            status = err_set(e, ST_INTERRUPTED, "stopped while %s could not be written", folder);
        pause_unless_stopped(w, FIRST_RETRY_S);
    }
    if (status == ST_OK && reported)
        worker_notice(w, "%s can be written again", folder);
    mem_free(inside);
    mem_free(folder);
    return status;
}

static enum status try_to_save(struct worker *w, struct err *e)
{
    const char *path = w->task->checkpoint;
    enum status status = wait_for_folder(w, e);
    if (status != ST_OK)
        return status;
    if (rename(path, w->previous) != 0 && errno != ENOENT)
        return err_errno(e, "cannot keep the previous checkpoint, %s, as %s", path, w->previous);
    status = save_as(w, path, e);
    w->saved_at = clock_seconds();
    return status;
}

/* If it fails or is interrupted, the previous checkpoint stands. */
static enum status worker_save(struct worker *w, struct err *e)
{
    struct err why = ERR_INIT;
    enum status status = try_to_save(w, &why);
    if (status == ST_FAILED) /* the folder may have gone after it was looked at: once more */
        status = try_to_save(w, &why);
    if (status != ST_OK && e)
        *e = why;
    return status;
}

/* Gives the checkpoint that was just saved another name as well, in place of what had it: a link, or a second
 * file where there are no links. Checkpoints are replaced, never changed, so a link is as good. Takes `path`.
 */
static enum status keep_as(struct worker *w, char *path, struct err *e)
{
    char *name = path ? mem_printf("%s.tmp", path) : NULL;
    enum status status = ST_OK;
    if (!name) {
        status = err_set(e, ST_NOMEM, "%s: out of memory", w->task->name);
    } else {
        unlink(name);
        bool linked = link(w->task->checkpoint, name) == 0 && rename(name, path) == 0;
        unlink(name); /* rename does nothing when both names are of one file already */
        status = linked ? ST_OK : save_as(w, path, e);
    }
    mem_free(name);
    mem_free(path);
    return status;
}

/* The first of equals. */
static bool last_epoch_is_best(const struct trainer *t)
{
    const struct epoch_metrics *history = trainer_history(t);
    int last = trainer_epochs_done(t) - 1;
    for (int i = 0; i < last; i++)
        if (history[i].val.top1 >= history[last].val.top1)
            return false;
    return history[last].val.count > 0;
}

/* With the state at the end of an epoch saved. */
static enum status keep_epoch(struct worker *w, struct err *e)
{
    const struct worker_task *task = w->task;
    enum status status = ST_OK;
    if (task->keep == KEEP_ALL)
        status = keep_as(w, checkpoint_epoch_path(task->checkpoint, trainer_epochs_done(w->trainer)), e);
    if (status == ST_OK && (task->keep == KEEP_ALL || task->keep == KEEP_BEST) &&
        last_epoch_is_best(w->trainer))
        status = keep_as(w, checkpoint_best_path(task->checkpoint), e);
    return status;
}

/* Loads one file. *usable false: there is none, or it is damaged or foreign, which is reported and the file
 * removed. */
static enum status try_checkpoint(struct worker *w, const char *path, bool *usable, struct err *e)
{
    *usable = false;
    if (!file_exists(path))
        return ST_OK;
    struct err why = ERR_INIT;
    enum status status = trainer_load(w->trainer, path, &why);
    if (status == ST_OK) {
        *usable = true;
        return ST_OK;
    }
    if (status != ST_CORRUPT && status != ST_USAGE) {
        *e = why;
        return status;
    }
    worker_notice(w, "checkpoint not usable, going back to the one before: %s", why.text);
    /* Otherwise the next save would put it in the place of the good one. */
    unlink(path);
    return ST_OK;
}

/* A trial with fewer epochs that has led to here is as good as an own checkpoint. One that is not usable
 * stays as it is: it is another trial's. */
static enum status try_shorter(struct worker *w, bool *usable, struct err *e)
{
    const struct worker_task *task = w->task;
    struct err why = ERR_INIT;
    if (*usable || !task->shorter || !file_exists(task->shorter))
        return ST_OK;
    enum status status = trainer_load_shorter(w->trainer, task->shorter, task->shorter_epochs, &why);
    *usable = status == ST_OK;
    if (status == ST_OK || status == ST_CORRUPT || status == ST_USAGE) {
        worker_notice(w, "%s %d epochs%s%s",
                      *usable ? "goes on from the trial with" : "starts over, not from the one with",
                      task->shorter_epochs, *usable ? "" : ": ", *usable ? "" : why.text);
        return ST_OK;
    }
    *e = why;
    return status;
}

/* Continues from the newest good checkpoint, if there is one, and resends its history. */
static enum status worker_resume(struct worker *w, struct err *e)
{
    bool usable;
    enum status status = try_checkpoint(w, w->task->checkpoint, &usable, e);
    if (status == ST_OK && !usable)
        status = try_checkpoint(w, w->previous, &usable, e);
    /* The attempt before may have ended between the save and this. */
    if (status == ST_OK && usable && trainer_epochs_done(w->trainer) > 0 &&
        trainer_steps_done(w->trainer) == 0)
        status = keep_epoch(w, e);
    if (status == ST_OK)
        status = try_shorter(w, &usable, e);
    if (status != ST_OK)
        return status;
    struct record r = record_of(RECORD_STARTED);
    r.epochs_done = trainer_epochs_done(w->trainer);
    worker_send(w, &r);
    for (int i = 0; i < trainer_epochs_done(w->trainer); i++) {
        r = record_of(RECORD_EPOCH);
        r.resent = true;
        r.as.epoch = trainer_history(w->trainer)[i];
        worker_send(w, &r);
    }
    log_line(LOG_INFO, "%s: %s after epoch %d", w->task->name, usable ? "continues" : "starts",
             trainer_epochs_done(w->trainer));
    return ST_OK;
}

/* A fresh trainer with the threads that are wanted now. */
static enum status create_trainer(struct worker *w, struct err *e)
{
    const struct worker_host *host = &w->task->host;
    const struct trial *trial = w->task->trial;
    struct arch arch;
    enum status status = arch_build(&trial->point.design, &arch, e);
    if (status != ST_OK)
        return status;
    trainer_free(w->trainer);
    w->trainer = NULL;
    w->threads = host->threads(host->context);
    host->use_threads(host->context, w->threads);
    struct trainer_config config = {
        .arch = &arch,
        .recipe = &trial->point.recipe,
        .seed = trial->seed,
        .threads = w->threads,
        .train = samples_of(w, SPLIT_TRAIN),
        .val = samples_of(w, SPLIT_VAL),
    };
    return trainer_create(&config, &w->trainer, e);
}

static enum status worker_prepare(struct worker *w, struct err *e)
{
    w->previous = checkpoint_previous_path(w->task->checkpoint);
    w->description = worker_description(w->task);
    if (!w->previous || !w->description)
        return err_set(e, ST_NOMEM, "%s: out of memory", w->task->name);
    enum status status = create_trainer(w, e);
    if (status == ST_OK)
        status = worker_resume(w, e);
    w->saved_at = clock_seconds();
    return status;
}

static bool other_threads_wanted(const struct worker *w)
{
    return w->task->host.threads(w->task->host.context) != w->threads;
}

/* Goes on with another number of threads, from the checkpoint that was just saved. */
static enum status change_threads(struct worker *w, struct err *e)
{
    int before = w->threads;
    enum status status = create_trainer(w, e);
    if (status == ST_OK)
        status = trainer_load(w->trainer, w->task->checkpoint, e);
    log_line(LOG_INFO, "%d threads, before %d", w->threads, before);
    return status;
}

/* Whether the epoch's evaluation takes long enough to be worth a save before it, so that a request to stop
 * need not wait for it. A forward pass is a third of a training step. */
static bool long_evaluation_next(const struct worker *w, const struct progress *p)
{
    return p->step == p->steps &&
           (double)w->task->data->sets[SPLIT_VAL].count > 3 * p->images_per_s * LONG_EVALUATION_S;
}

/* After every update. True: stop here, to save or to end. */
static bool on_step(void *context, const struct progress *p)
{
    struct worker *w = context;
    double now = clock_seconds();
    set_expendable(w, false);
    if (now - w->sent_at >= PROGRESS_INTERVAL_S) {
        struct record r = record_of(RECORD_PROGRESS);
        r.as.progress = *p;
        worker_send(w, &r);
        w->sent_at = now;
    }
    return stop_requested(w) || long_evaluation_next(w, p) || other_threads_wanted(w) ||
           now - w->saved_at >= w->task->checkpoint_s;
}

int64_t worker_diverged_step(const struct trainer *t, const char *why)
{
    int64_t steps = trainer_steps_per_epoch(t), step = steps;
    const char *named = strstr(why, "step ");
    if (named)
        step = strtoll(named + strlen("step "), NULL, 10);
    return trainer_epochs_done(t) * steps + step;
}

static void send_diverged(struct worker *w, const char *why)
{
    struct record r = record_with_text(RECORD_DIVERGED, why);
    r.step = worker_diverged_step(w->trainer, why);
    log_line(LOG_INFO, "%s: diverged: %s", w->task->name, why);
    worker_send(w, &r);
}

static void send_epoch(struct worker *w)
{
    struct record r = record_of(RECORD_EPOCH);
    r.as.epoch = trainer_history(w->trainer)[trainer_epochs_done(w->trainer) - 1];
    log_line(LOG_INFO, "epoch %d: train loss %.4f, validation top-1 %.4f", r.as.epoch.epoch,
             r.as.epoch.train_loss, r.as.epoch.val.top1);
    worker_send(w, &r);
}

/* Until its first update, and in an evaluation right after a save, a request to stop may end the process at
 * once. */
static enum epoch_end run_epoch(struct worker *w, char why[128])
{
    set_expendable(w, true);
    enum epoch_end end = trainer_run_epoch(w->trainer, on_step, w, why);
    set_expendable(w, false);
    return end;
}

/* Trains all epochs. *diverged: that was the end. ST_INTERRUPTED: stopped, state saved. */
static enum status worker_train(struct worker *w, bool *diverged, struct err *e)
{
    *diverged = false;
    while (!trainer_finished(w->trainer)) {
        char why[128] = "";
        enum epoch_end end = run_epoch(w, why);
        if (end == EPOCH_DIVERGED) {
            *diverged = true;
            send_diverged(w, why);
            return ST_OK;
        }
        if (end == EPOCH_FAILED) {
            enum status lost = dataset_failure(w->task->data, e);
            return lost != ST_OK ? lost : err_set(e, ST_NOMEM, "%s", why);
        }
        enum status status = worker_save(w, e);
        if (status == ST_OK && end == EPOCH_DONE)
            status = keep_epoch(w, e);
        if (status != ST_OK)
            return status;
        if (end == EPOCH_DONE)
            send_epoch(w);
        if (stop_requested(w))
            return err_set(e, ST_INTERRUPTED, "stopped on request, state saved");
        if (other_threads_wanted(w) && (status = change_threads(w, e)) != ST_OK)
            return status;
    }
    return ST_OK;
}

/* The test set is read once, when training is over and its result is safe. */
static enum status worker_test(struct worker *w, struct err *e)
{
    struct record r = record_of(RECORD_DONE);
    struct samples test = samples_of(w, SPLIT_TEST);
    if (test.count > 0) {
        set_expendable(w, true);
        enum status status = trainer_evaluate(w->trainer, &test, &r.as.test, NULL, e);
        set_expendable(w, false);
        if (status != ST_OK) {
            enum status lost = dataset_failure(w->task->data, e);
            return lost != ST_OK ? lost : status;
        }
    }
    log_line(LOG_INFO, "%s: done, test top-1 %.4f", w->task->name, r.as.test.top1);
    worker_send(w, &r);
    return ST_OK;
}

/* The last record when the trial did not come to its end. */
static void send_end(struct worker *w, enum status status, const struct err *e)
{
    struct record r;
    if (status == ST_INTERRUPTED) {
        r = record_of(RECORD_STOPPED);
    } else {
        r = record_with_text(RECORD_FAILED, e->text);
        r.status = status;
    }
    log_line(LOG_WARN, "%s", e->text);
    worker_send(w, &r);
}

enum status worker_run(const struct worker_task *task)
{
    struct worker w = {.task = task};
    struct err e = ERR_INIT;
    bool diverged = false;
    enum status status = worker_prepare(&w, &e);
    if (status == ST_OK)
        status = worker_train(&w, &diverged, &e);
    if (status == ST_OK && !diverged)
        status = worker_test(&w, &e);
    if (status != ST_OK)
        send_end(&w, status, &e);
    trainer_free(w.trainer);
    mem_free(w.previous);
    mem_free(w.description);
    return status;
}
