#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "sweep/supervisor.h"

double trial_operations(const struct trial *t, const struct dataset *data)
{
    double epochs = t->point.recipe.epochs, train = (double)data->sets[SPLIT_TRAIN].count,
           val = (double)data->sets[SPLIT_VAL].count, test = (double)data->sets[SPLIT_TEST].count;
    return (double)t->cost.macs * (epochs * (6 * train + 2 * val) + 2 * test);
}

void supervisor_notice(const struct supervisor *s, const char *format, ...)
{
    if (!s->observer || !s->observer->notice)
        return;
    char text[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    s->observer->notice(s->observer->context, text);
}

void supervisor_count(const struct supervisor *s, struct run_status *out)
{
    int count[TRIAL_STATE_COUNT] = {0};
    for (int i = 0; i < s->space->trial_count; i++)
        count[s->trials[i].state]++;
    out->total = s->space->trial_count;
    out->done = count[TRIAL_DONE];
    out->failed = count[TRIAL_FAILED];
    out->diverged = count[TRIAL_DIVERGED];
    out->skipped = count[TRIAL_SKIPPED];
    out->pruned = count[TRIAL_PRUNED];
    out->running = count[TRIAL_RUNNING];
    out->pending = count[TRIAL_PENDING];
    out->timed_out = count[TRIAL_TIMED_OUT];
}

/* Operations that a running worker has done and that are in no sum yet. */
static double unsettled(const struct supervisor *s, const struct slot *slot)
{
    return slot->has_progress ? s->trials[slot->trial].operations * (slot->progress - slot->settled) : 0;
}

/* Operations a second of one thread, over this run; 0 before anything is known. */
static double thread_speed(const struct supervisor *s, double now)
{
    double operations = s->operations_done, seconds = s->thread_s;
    for (int i = 0; i < s->packing.workers; i++) {
        const struct slot *slot = &s->slots[i];
        if (slot->pid != 0 && unsettled(s, slot) > 0) {
            operations += unsettled(s, slot);
            seconds += (now - slot->settled_at) * slot->threads;
        }
    }
    return seconds > 0 ? operations / seconds : 0;
}

double slot_remaining_s(const struct supervisor *s, const struct slot *slot, double now)
{
    double own = unsettled(s, slot) / (now - slot->settled_at);
    double speed = own > 0 ? own : thread_speed(s, now) * slot->threads;
    return speed > 0 ? s->trials[slot->trial].operations * (1 - slot->progress) / speed : -1;
}

static double remaining_s(const struct supervisor *s, double now)
{
    double speed = thread_speed(s, now), running_s[RUN_MAX_WORKERS];
    int running = 0, pending = 0;
    double *waiting = mem_alloc((size_t)s->space->trial_count + 1, sizeof *waiting);
    if (speed <= 0 || !waiting) {
        mem_free(waiting);
        return -1;
    }
    for (int i = 0; i < s->packing.workers; i++)
        if (s->slots[i].pid != 0)
            running_s[running++] = slot_remaining_s(s, &s->slots[i], now);
    for (int i = 0; i < s->space->trial_count; i++) {
        const struct run_trial *t = &s->trials[s->order[i]];
        if (t->state == TRIAL_PENDING)
            waiting[pending++] = t->waits ? t->operations * search_share(s, s->order[i]) : t->operations;
    }
    double seconds = packing_remaining_s(running_s, running, waiting, pending, s->packing.workers,
                                         speed * s->packing.threads);
    mem_free(waiting);
    return seconds;
}

void supervisor_tick(struct supervisor *s)
{
    double now = clock_seconds();
    struct run_status *status = &s->status;
    supervisor_count(s, status);
    status->workers = s->packing.workers;
    status->threads_per_worker = s->packing.threads;
    status->elapsed_s = now - s->started_at;
    status->eta_s = remaining_s(s, now);
    if (s->observer && s->observer->tick)
        s->observer->tick(s->observer->context, status);
}
