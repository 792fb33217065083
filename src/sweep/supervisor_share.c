/* Several runs on one database: which trials the others hold, taking over what they left, and showing them
 * that this one lives. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "sweep/store_lease.h"
#include "sweep/supervisor.h"

static const double LOOK_S = 0.5; /* between looks at the trials of other runs */

/* Counts a failure that another run has recorded. */
static enum status adopt_failure(struct supervisor *s, const struct run_trial *t, struct err *e)
{
    char message[400];
    enum status status = store_trial_message(s->store, t->id, message, sizeof message, e);
    if (status == ST_OK && s->failed++ == 0)
        snprintf(s->first_failure, sizeof s->first_failure, "%s: %s", t->name, message);
    return status;
}

/* Whether a failure or a timeout is of an attempt that another run made meanwhile: then it stands. One that
 * is older is what this run tries again. */
static bool ended_elsewhere(const struct run_trial *t, const struct trial_history *h)
{
    switch (h->state) {
    case TRIAL_PENDING:
    case TRIAL_RUNNING:
        return false;
    case TRIAL_FAILED:
    case TRIAL_TIMED_OUT:
        return t->elsewhere || h->attempts > t->attempts;
    default:
        return true;
    }
}

/* A trial that somebody holds, or held. */
static enum status look_at_lease(struct supervisor *s, struct run_trial *t, struct err *e)
{
    struct lease lease;
    bool freed = false;
    enum status status = store_lease_read(s->store, t->id, &lease, e);
    bool left = status == ST_OK && lease_left(&lease, &t->watch, clock_seconds());
    if (left)
        status = store_lease_break(s->store, &lease, &freed, e);
    if (status != ST_OK)
        return status;
    t->elsewhere = !freed;
    t->state = freed ? TRIAL_PENDING : TRIAL_RUNNING;
    if (freed) {
        supervisor_notice(s, "%s: taken over from process %" PRId64 " on %s, which is gone", t->name,
                          lease.run.pid, lease.host);
    } else {
        s->other = lease;
    }
    return ST_OK;
}

enum status trial_look(struct supervisor *s, int trial, struct err *e)
{
    struct run_trial *t = &s->trials[trial];
    struct trial_history h;
    enum status status = store_trial_histories(s->store, &t->id, 1, &h, e);
    if (status != ST_OK)
        return status;
    if (h.state == TRIAL_RUNNING) {
        status = look_at_lease(s, t, e);
    } else if (ended_elsewhere(t, &h)) {
        t->elsewhere = false;
        t->state = h.state;
        status = h.state == TRIAL_FAILED ? adopt_failure(s, t, e) : ST_OK;
    } else {
        t->elsewhere = false;
        t->state = TRIAL_PENDING;
    }
    t->attempts = h.attempts;
    t->wall_used_s = h.wall_s;
    return status;
}

int elsewhere_count(const struct supervisor *s)
{
    int count = 0;
    for (int i = 0; i < s->space->trial_count; i++)
        count += s->trials[i].elsewhere;
    return count;
}

void look_elsewhere(struct supervisor *s, bool idle)
{
    double now = clock_seconds();
    if (now < s->next_look_at || s->phase != PHASE_RUNNING)
        return;
    struct err why = ERR_INIT;
    enum status status = ST_OK;
    for (int i = 0; i < s->space->trial_count && status == ST_OK; i++)
        if (s->trials[i].elsewhere)
            status = trial_look(s, i, &why);
    if (status != ST_OK && status != ST_NOSPACE) /* for space the next look waits, too */
        supervisor_fail(s, status, &why);
    int count = elsewhere_count(s);
    if (idle && count > 0 && !s->told_other) {
        supervisor_notice(s,
                          "%d trial%s left, held by other runs (process %" PRId64 " on %s): waiting for them",
                          count, count == 1 ? " is" : "s are", s->other.run.pid, s->other.host);
        s->told_other = true;
    }
    s->next_look_at = now + LOOK_S;
}

void attempt_lost(struct supervisor *s, struct slot *slot)
{
    slot->lost = true;
    supervisor_notice(s, "%s: another run took the trial over while this one was silent",
                      s->trials[slot->trial].name);
}

void beat_leases(struct supervisor *s)
{
    double now = clock_seconds();
    if (now < s->next_beat_at)
        return;
    s->next_beat_at = now + LEASE_BEAT_S;
    for (int i = 0; i < s->packing.workers; i++) {
        struct slot *slot = &s->slots[i];
        bool held = true;
        /* A failure passes, or shows at the next write that matters. */
        if (slot->pid != 0 && !slot->lost &&
            store_lease_beat(s->store, slot->attempt, &held, NULL) == ST_OK && !held) {
            attempt_lost(s, slot);
            kill(slot->pid, SIGKILL);
        }
    }
}
