/* One attempt: from the choice of its trial to what its end means. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "sweep/gc.h"
#include "sweep/process.h"
#include "sweep/store_lease.h"
#include "sweep/supervisor.h"

/* Longest predicted first; what has failed waits until the rest had its turn. -1: nothing may start now. */
static int next_trial(const struct supervisor *s, int *pending)
{
    const double now = clock_seconds();
    int best = -1;
    *pending = 0;
    for (int i = 0; i < s->space->trial_count; i++) {
        int trial = s->order[i];
        const struct run_trial *t = &s->trials[trial];
        if (!trial_ready(t))
            continue;
        *pending += 1; /* also what waits for its next attempt: it will want cores */
        if (now >= t->retry_at)
            best = best < 0 || t->failures < s->trials[best].failures ? trial : best;
    }
    return best;
}

static struct slot *free_slot(struct supervisor *s)
{
    struct slot *slot = s->slots;
    while (slot->pid != 0)
        slot++;
    return slot;
}

static void give_back(struct supervisor *s, struct slot *slot)
{
    for (int i = 0; i < slot->core_count; i++)
        s->core_in_use[slot->cores[i]] = false;
    mem_free(slot->log);
    process_share_free(slot->share);
    if (slot->records >= 0)
        close(slot->records);
    s->status.worker[slot - s->slots].active = false;
    memset(slot, 0, sizeof *slot);
    slot->records = -1;
}

/* Forks the worker for a slot whose trial, threads and cores are set. It waits until the trial is claimed. */
static enum status start_process(struct supervisor *s, struct slot *slot, struct err *e)
{
    struct run_trial *t = &s->trials[slot->trial];
    struct worker_task task = {
        .sweep = s->spec->name,
        .name = t->name,
        .axes = t->axes,
        .trial = &s->space->trials[slot->trial],
        .data = s->data,
        .checkpoint = t->checkpoint,
        .shorter = t->shorter,
        .shorter_epochs = t->shorter_epochs,
        .checkpoint_s = s->spec->run.checkpoint_s,
        .keep = s->spec->run.keep,
        .save_retry_s = 5,
    };
    slot->log = mem_printf("%s%" PRId64 ".attempt-%d.log", s->log_stem, t->id, t->attempts + 1);
    slot->share = process_share_create();
    if (!slot->log || !slot->share)
        return err_set(e, ST_NOMEM, "cannot start a worker: out of memory");
    for (int i = 0; i < slot->core_count; i++)
        slot->share->cores[i] = s->cores[slot->cores[i]];
    slot->share->pinned = slot->core_count > 0;
    struct process_config config = {&task, slot->share, slot->log};
    return process_start(&config, &slot->pid, &slot->records, e);
}

/* Claims the trial and lets its worker begin. False: another run was quicker, the slot is free again. */
static bool claim(struct supervisor *s, struct slot *slot)
{
    struct err why = ERR_INIT;
    enum status status;
    do {
        status = store_attempt_begin(s->store, s->trials[slot->trial].id, slot->pid, slot->threads,
                                     &slot->attempt, &why);
    } while (status != ST_BUSY && !supervisor_stored(s, status, &why));
    if (status == ST_BUSY) {
        kill(slot->pid, SIGKILL);
        waitpid(slot->pid, NULL, 0);
        give_back(s, slot);
        return false;
    }
    if (status == ST_OK)
        atomic_store_explicit(&slot->share->threads, slot->threads, memory_order_release);
    return true;
}

static void show_started(struct supervisor *s, const struct slot *slot)
{
    s->status.worker[slot - s->slots] = (struct worker_status){
        .active = true,
        .trial = slot->trial,
        .epoch = 1,
        .epochs = s->space->trials[slot->trial].point.recipe.epochs,
        .val_top1 = (double)NAN,
        .threads = slot->threads,
    };
}

static int running_workers(const struct supervisor *s)
{
    int running = 0;
    for (int i = 0; i < s->packing.workers; i++)
        running += s->slots[i].pid != 0;
    return running;
}

/* The slot's worker runs from now on. */
static void begin(struct supervisor *s, struct slot *slot)
{
    struct run_trial *t = &s->trials[slot->trial];
    double limit = s->spec->budget.trial_wall_s;
    record_reader_init(&slot->reader);
    slot->started_at = slot->settled_at = slot->grown_at = slot->heard_at = clock_seconds();
    slot->stop_at = limit > 0 ? slot->started_at + limit - t->wall_used_s : (double)INFINITY;
    slot->kill_at = (double)INFINITY;
    t->state = TRIAL_RUNNING;
    t->attempts++;
    show_started(s, slot);
}

/* Forks and claims, in this order, so that the claim names the worker: a run that comes later and finds this
 * one gone must know whether its worker still saves. */
static enum status start_in_slot(struct supervisor *s, int trial, int threads, struct err *e)
{
    struct slot *slot = free_slot(s);
    slot->trial = trial;
    slot->threads = threads;
    if (s->packing.pinned && packing_take_cores(s->core_in_use, s->core_count, threads, slot->cores))
        slot->core_count = threads;
    enum status status = start_process(s, slot, e);
    if (status != ST_OK)
        give_back(s, slot);
    else if (claim(s, slot))
        begin(s, slot);
    return status;
}

enum status attempt_start(struct supervisor *s, bool *again, struct err *e)
{
    int pending, trial = -1, running = running_workers(s);
    *again = false;
    if (running < s->packing.workers)
        trial = next_trial(s, &pending);
    if (trial < 0)
        return ST_OK;
    struct packing_request request = s->request;
    request.useful_threads = s->space->trials[trial].point.recipe.lanes;
    int threads = packing_threads(&s->packing, &request, free_cores(s), running, pending);
    if (threads == 0)
        return ST_OK;
    enum status status = trial_look(s, trial, e);
    if (status == ST_OK && s->trials[trial].state == TRIAL_PENDING)
        status = start_in_slot(s, trial, threads, e);
    *again = status == ST_OK;
    return status;
}

/* How much of the trial is done, from epochs and the step within the next. */
static void set_progress(struct slot *slot, double epochs_done, int epochs)
{
    slot->progress = epochs_done / epochs;
    if (!slot->has_progress) { /* what earlier attempts did, or too little to matter */
        slot->settled = slot->progress;
        slot->settled_at = clock_seconds();
        slot->has_progress = true;
    }
}

static void take_progress(struct slot *slot, struct worker_status *w, const struct progress *p)
{
    w->epoch = p->epoch;
    w->step = p->step;
    w->steps = p->steps;
    w->images_per_s = p->images_per_s;
    w->train_loss = p->train_loss;
    set_progress(slot, p->epoch - 1 + (double)p->step / (double)(p->steps > 0 ? p->steps : 1), w->epochs);
}

static void take_epoch(struct supervisor *s, struct slot *slot, struct worker_status *w,
                       const struct record *r)
{
    const struct epoch_metrics *m = &r->as.epoch;
    struct err why = ERR_INIT;
    enum status status;
    do {
        status = store_epoch(s->store, s->trials[slot->trial].id, m, &why);
    } while (!supervisor_stored(s, status, &why));
    slot->gap = status != ST_OK;
    if (m->val.count > 0)
        w->val_top1 = m->val.top1;
    w->epoch = m->epoch < w->epochs ? m->epoch + 1 : w->epochs;
    w->step = 0;
    if (!r->resent) {
        set_progress(slot, m->epoch, w->epochs);
        if (s->observer && s->observer->epoch)
            s->observer->epoch(s->observer->context, &s->space->trials[slot->trial], m);
    }
}

/* Not worth a wait: it has been told, and what is short may be the space it would be recorded in. */
static void take_event(struct supervisor *s, const struct slot *slot, const char *text)
{
    struct err why = ERR_INIT;
    enum status status = store_event(s->store, s->trials[slot->trial].id, slot->attempt, text, &why);
    if (status != ST_OK && status != ST_NOSPACE)
        supervisor_fail(s, status, &why);
}

static void take_record(struct supervisor *s, struct slot *slot, const struct record *r)
{
    struct worker_status *w = &s->status.worker[slot - s->slots];
    const struct run_trial *t = &s->trials[slot->trial];
    slot->heard_at = clock_seconds();
    slot->told_silent = false;
    w->silent_s = 0;
    if (slot->lost || slot->gap)
        return;
    switch (r->kind) {
    case RECORD_STARTED:
        if (r->epochs_done > 0)
            supervisor_notice(s, "%s: continues after epoch %d", t->name, r->epochs_done);
        break;
    case RECORD_PROGRESS:
        take_progress(slot, w, &r->as.progress);
        break;
    case RECORD_EPOCH:
        take_epoch(s, slot, w, r);
        break;
    case RECORD_NOTICE:
        supervisor_notice(s, "%s: %s", t->name, r->as.text);
        take_event(s, slot, r->as.text);
        break;
    case RECORD_DONE:
    case RECORD_DIVERGED:
    case RECORD_STOPPED:
    case RECORD_FAILED:
    case RECORD_KIND_COUNT:
        slot->last = *r;
        break;
    }
}

void attempt_read(struct supervisor *s, struct slot *slot)
{
    struct record r;
    struct err why = ERR_INIT;
    enum record_result result = RECORD_END;
    while (slot->records >= 0 &&
           (result = record_next(&slot->reader, slot->records, &r, &why)) == RECORD_READ)
        take_record(s, slot, &r);
    if (result == RECORD_EMPTY || slot->records < 0)
        return;
    if (result == RECORD_BROKEN) { /* it cannot be trusted any more */
        slot->last = record_with_text(RECORD_FAILED, why.text);
        slot->last.status = ST_FAILED;
        kill(slot->pid, SIGKILL);
    }
    close(slot->records);
    slot->records = -1;
}

/* Ended by SIGTERM outside of training, or by a second interrupt: nothing but the time since the last
 * checkpoint is lost. */
static bool was_stopped(const struct supervisor *s, const struct slot *slot, int wait_status)
{
    if (slot->gap || slot->last.kind == RECORD_STOPPED)
        return true;
    if (!WIFSIGNALED(wait_status) || slot->last.kind != 0)
        return false;
    return WTERMSIG(wait_status) == SIGTERM ||
           (WTERMSIG(wait_status) == SIGKILL && (s->phase == PHASE_KILLING || slot->killed));
}

/* What the end of a process means. */
static void judge(struct supervisor *s, struct slot *slot, int wait_status, struct attempt_end *end,
                  char *message, size_t n)
{
    const struct run_trial *t = &s->trials[slot->trial];
    end->diverged_step = -1;
    if (slot->last.kind == RECORD_DONE) {
        end->state = TRIAL_DONE;
        end->outcome = "done";
        end->has_test = slot->last.as.test.count > 0;
        end->test = slot->last.as.test;
        end->checkpoint = s->spec->run.keep == KEEP_NONE ? NULL : t->checkpoint;
    } else if (slot->last.kind == RECORD_DIVERGED) {
        end->state = TRIAL_DIVERGED;
        end->outcome = "diverged";
        end->message = slot->last.as.text;
        end->diverged_step = slot->last.step;
    } else if (slot->timed_out) {
        snprintf(message, n, "not done within budget.trial_wall (%g s)", s->spec->budget.trial_wall_s);
        end->state = TRIAL_TIMED_OUT;
        end->outcome = "timed_out";
        end->message = message;
    } else if (was_stopped(s, slot, wait_status)) {
        end->state = TRIAL_PENDING;
        end->outcome = "interrupted";
        end->message = s->why;
    } else {
        failure_judge(s, slot, wait_status, end, message, n);
    }
}

static void record_end(struct supervisor *s, struct slot *slot, const struct attempt_end *end)
{
    struct err why = ERR_INIT;
    enum status status;
    do {
        status = store_attempt_end(s->store, s->trials[slot->trial].id, slot->attempt, end, &why);
    } while (status != ST_BUSY && !supervisor_stored(s, status, &why));
    if (status == ST_BUSY)
        attempt_lost(s, slot);
}

/* Another run has the trial now, and its files. */
static void give_up(struct supervisor *s, struct slot *slot)
{
    s->trials[slot->trial].state = TRIAL_RUNNING;
    s->trials[slot->trial].elsewhere = true;
    give_back(s, slot);
}

/* Files nobody needs any more: the state before the result, and the last one of a trial that leads nowhere or
 * of which only results are wanted. */
static void checkpoints_tidy(const struct run_trial *t, enum keep keep)
{
    char *previous = checkpoint_previous_path(t->checkpoint);
    if (previous && !checkpoint_needed(CHECKPOINT_PREVIOUS, t->state, keep))
        unlink(previous);
    if (!checkpoint_needed(CHECKPOINT_LAST, t->state, keep))
        unlink(t->checkpoint);
    mem_free(previous);
}

/* Counts the end and tells people. */
static void announce(struct supervisor *s, const struct slot *slot, const struct attempt_end *end)
{
    const struct run_trial *t = &s->trials[slot->trial];
    if (strcmp(end->outcome, "crashed") == 0 || strcmp(end->outcome, "failed") == 0)
        failure_announce(s, slot, end);
    s->trained += t->state == TRIAL_DONE || t->state == TRIAL_DIVERGED;
    if (t->state != TRIAL_PENDING && s->observer && s->observer->trial_end) {
        s->observer->trial_end(s->observer->context, &s->space->trials[slot->trial],
                               trial_state_name(t->state), end->has_test ? &end->test : NULL, t->wall_used_s,
                               end->message);
    }
}

void attempt_finish(struct supervisor *s, struct slot *slot, int wait_status, double cpu_s,
                    int64_t peak_rss_bytes)
{
    attempt_read(s, slot);
    struct run_trial *t = &s->trials[slot->trial];
    struct attempt_end end = {.cpu_s = cpu_s, .peak_rss_bytes = peak_rss_bytes};
    char message[RECORD_TEXT + 128];
    end.wall_s = clock_seconds() - slot->started_at;
    judge(s, slot, wait_status, &end, message, sizeof message);
    t->state = end.state;
    t->wall_used_s += end.wall_s;
    settle(s, slot);
    if (!slot->lost)
        record_end(s, slot, &end);
    if (slot->lost) {
        give_up(s, slot);
        return;
    }
    if (s->fatal == ST_OK)
        checkpoints_tidy(t, s->spec->run.keep);
    announce(s, slot, &end);
    give_back(s, slot);
}
