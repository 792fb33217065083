/* Threads for running workers once trials run out: otherwise the last ones would keep one core busy and leave
 * the rest idle. */
#include "sweep/supervisor.h"

static const double INTERVAL_S = 10; /* between two additions to one worker, each of which costs a save */

int free_cores(const struct supervisor *s)
{
    int n = s->core_count;
    for (int i = 0; i < s->packing.workers; i++)
        n -= s->slots[i].pid != 0 ? s->slots[i].threads : 0;
    return n;
}

void settle(struct supervisor *s, struct slot *slot)
{
    double now = clock_seconds();
    if (slot->has_progress && slot->progress > slot->settled) {
        s->operations_done += s->trials[slot->trial].operations * (slot->progress - slot->settled);
        s->thread_s += (now - slot->settled_at) * slot->threads;
    }
    slot->settled = slot->progress;
    slot->settled_at = now;
}

/* Operations a second since the threads last changed. */
static double speed(const struct supervisor *s, const struct slot *slot, double now)
{
    return s->trials[slot->trial].operations * (slot->progress - slot->settled) / (now - slot->settled_at);
}

static void set_threads(struct supervisor *s, struct slot *slot, int threads)
{
    const struct run_trial *t = &s->trials[slot->trial];
    slot->speed_before = speed(s, slot, clock_seconds());
    slot->threads_before = slot->threads;
    settle(s, slot);
    slot->grown_at = slot->settled_at;
    slot->threads = threads;
    s->status.worker[slot - s->slots].threads = threads;
    atomic_store_explicit(&slot->share->threads, threads, memory_order_release);
    supervisor_notice(s, "%s: %d thread%s from now on", t->name, threads, threads == 1 ? "" : "s");
}

static void add_threads(struct supervisor *s, struct slot *slot, int added)
{
    if (slot->core_count > 0) {
        int *taken = slot->cores + slot->core_count;
        if (!packing_take_cores(s->core_in_use, s->core_count, added, taken))
            return;
        for (int i = 0; i < added; i++)
            slot->share->cores[slot->core_count + i] = s->cores[taken[i]];
        slot->core_count += added;
    }
    set_threads(s, slot, slot->threads + added);
}

/* Looks, some time after threads were added, at what that brought. */
static void judge_growth(struct supervisor *s, struct slot *slot, double now)
{
    if (slot->threads_before == 0 || now - slot->grown_at < INTERVAL_S)
        return;
    if (speed(s, slot, now) < slot->speed_before) {
        while (slot->core_count > slot->threads_before)
            s->core_in_use[slot->cores[--slot->core_count]] = false;
        slot->full = true;
        set_threads(s, slot, slot->threads_before);
    }
    slot->threads_before = 0;
}

static bool may_grow(const struct supervisor *s)
{
    if (s->phase != PHASE_RUNNING || s->request.threads > 0 || free_cores(s) <= 0)
        return false;
    for (int i = 0; i < s->space->trial_count; i++)
        if (trial_ready(&s->trials[i]))
            return false;
    return true;
}

void grow_workers(struct supervisor *s)
{
    struct slot *slots[RUN_MAX_WORKERS];
    double remaining_s[RUN_MAX_WORKERS], now = clock_seconds();
    int threads[RUN_MAX_WORKERS], useful[RUN_MAX_WORKERS], added[RUN_MAX_WORKERS], n = 0;
    for (int i = 0; i < s->packing.workers; i++)
        if (s->slots[i].pid != 0)
            judge_growth(s, &s->slots[i], now);
    if (!may_grow(s))
        return;
    for (int i = 0; i < s->packing.workers; i++) {
        struct slot *slot = &s->slots[i];
        double left = slot->pid != 0 && !slot->full ? slot_remaining_s(s, slot, now) : 0;
        if (left > PACKING_GROW_WORTH_S && now - slot->grown_at > INTERVAL_S) {
            slots[n] = slot;
            remaining_s[n] = left;
            threads[n] = slot->threads;
            useful[n++] = s->space->trials[slot->trial].point.recipe.lanes;
        }
    }
    packing_grow(remaining_s, threads, useful, n, free_cores(s), added);
    for (int i = 0; i < n; i++)
        if (added[i] > 0)
            add_threads(s, slots[i], added[i]);
}
