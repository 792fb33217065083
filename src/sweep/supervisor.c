#include "sweep/supervisor.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

static const double TICK_S = 0.25;
static const double GRACE_S = 30;      /* after the end of a budget, to save */
static const double PATIENCE_S = 120;  /* a worker may be silent for so long: one step may take a while */
static const double SPACE_RETRY_S = 2; /* between tries on a full disk */
static const double START_RETRY_S = 2; /* after a worker could not be started */
static const double SAME_INTERRUPT_S = 0.1; /* one request may come twice: to the process and to its group */

static void signal_workers(struct supervisor *s, int signal_number)
{
    for (int i = 0; i < s->packing.workers; i++)
        if (s->slots[i].pid != 0)
            kill(s->slots[i].pid, signal_number);
}

void supervisor_stop(struct supervisor *s, const char *why)
{
    if (s->phase < PHASE_STOPPING) {
        s->phase = PHASE_STOPPING;
        s->why = why;
        signal_workers(s, SIGTERM);
    }
}

void supervisor_fail(struct supervisor *s, enum status status, const struct err *e)
{
    if (s->fatal != ST_OK)
        return;
    s->fatal = status;
    if (s->e)
        *s->e = *e;
    supervisor_notice(s, "the run stops: %s", e->text);
    supervisor_stop(s, "the run failed");
}

static void on_interrupt(struct supervisor *s, int signal_number)
{
    double now = clock_seconds();
    if (s->phase < PHASE_STOPPING) {
        s->first_interrupt_at = now;
        supervisor_notice(s, "SIG%s: workers save their state and end; a second SIGINT stops at once",
                          sigabbrev_np(signal_number));
        supervisor_stop(s, "stopped on request");
    } else if (signal_number == SIGINT && s->phase == PHASE_STOPPING &&
               now - s->first_interrupt_at > SAME_INTERRUPT_S) {
        supervisor_notice(s, "second SIGINT: workers are killed; their last checkpoints stand");
        s->phase = PHASE_KILLING;
        signal_workers(s, SIGKILL);
    }
}

/* Collects workers that have ended. */
static void reap(struct supervisor *s)
{
    for (int i = 0; i < s->packing.workers; i++) {
        struct slot *slot = &s->slots[i];
        struct rusage used;
        int wait_status;
        if (slot->pid != 0 && wait4(slot->pid, &wait_status, WNOHANG, &used) == slot->pid) {
            double cpu_s = (double)used.ru_utime.tv_sec + (double)used.ru_stime.tv_sec +
                           1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
            attempt_finish(s, slot, wait_status, cpu_s, (int64_t)used.ru_maxrss * 1024);
        }
    }
}

/* Handles what has arrived; true when a child has ended. */
static bool take_signals(struct supervisor *s)
{
    bool ended = false;
    for (int n; (n = signal_source_next(&s->signals)) != 0;)
        if (n == SIGCHLD)
            ended = true;
        else
            on_interrupt(s, n);
    return ended;
}

/* While another program holds the database's lock: requests to stop are heard all the same. */
static bool wait_for_lock(void *context, double waited_s)
{
    static const double NOTICE_S = 2;
    struct supervisor *s = context;
    if (waited_s >= NOTICE_S && !s->waits_for_lock) {
        supervisor_notice(s, "%s is locked by another program, the run waits for it", store_path(s->store));
        s->waits_for_lock = true;
    }
    take_signals(s); /* ended children are found later: reap looks at all of them */
    return s->phase < PHASE_KILLING;
}

/* Lets a while pass, unless the run is stopped. */
static void wait_for_space(struct supervisor *s, const struct err *e)
{
    if (!s->waits_for_space) {
        supervisor_notice(s, "no space for the database, the run waits until there is: %s", e->text);
        s->waits_for_space = true;
    }
    struct pollfd wait = {s->signals.fd, POLLIN, 0};
    for (double end = clock_seconds() + SPACE_RETRY_S; clock_seconds() < end && s->phase < PHASE_STOPPING;) {
        poll(&wait, 1, (int)(TICK_S * 1000));
        take_signals(s); /* ended children are found later: reap looks at all of them */
    }
}

bool supervisor_stored(struct supervisor *s, enum status status, const struct err *e)
{
    if (status == ST_NOSPACE && s->phase < PHASE_STOPPING) {
        wait_for_space(s, e);
        return false;
    }
    if (status != ST_OK) {
        supervisor_fail(s, status, e);
    } else if (s->waits_for_space) {
        supervisor_notice(s, "there is space for the database again");
        s->waits_for_space = false;
    }
    return true;
}

static int running_count(const struct supervisor *s)
{
    int running = 0;
    for (int i = 0; i < s->packing.workers; i++)
        running += s->slots[i].pid != 0;
    return running;
}

/* Starts what can start. A lack of processes, memory or space passes when other workers end. */
static void start_workers(struct supervisor *s)
{
    double now = clock_seconds();
    bool again = s->phase == PHASE_RUNNING && now >= s->retry_start_at;
    while (again && s->phase == PHASE_RUNNING) {
        struct err why = ERR_INIT;
        enum status status = attempt_start(s, &again, &why);
        if (status == ST_OK)
            continue;
        again = false;
        if (status != ST_NOSPACE && running_count(s) == 0) {
            supervisor_fail(s, status, &why);
        } else {
            supervisor_notice(s, "a worker has to wait: %s", why.text);
            s->retry_start_at = now + START_RETRY_S;
        }
    }
}

/* When a worker that is asked to save and end now is killed if it does not: one that hangs must not keep a
 * sweep that nobody watches from going on, or from ending. */
static double end_of_patience(const struct supervisor *s, double now)
{
    return now + (s->config->grace_s > 0 ? s->config->grace_s : GRACE_S);
}

static void check_sweep_budget(struct supervisor *s, double now)
{
    const struct budget *b = &s->spec->budget;
    if (b->wall_s > 0 && now - s->started_at >= b->wall_s && s->phase < PHASE_STOPPING) {
        supervisor_notice(s, "budget.wall (%g s) is used up: workers save their state and end", b->wall_s);
        supervisor_stop(s, "budget.wall is used up");
        for (int i = 0; i < s->packing.workers; i++)
            s->slots[i].kill_at = fmin(s->slots[i].kill_at, end_of_patience(s, now));
    }
    if (b->max_failed > 0 && s->failed >= b->max_failed && s->phase == PHASE_RUNNING) {
        s->phase = PHASE_DRAINING;
        s->why = "budget.max_failed is reached";
        supervisor_notice(s, "%d trial%s failed (budget.max_failed: %d): no further trial starts", s->failed,
                          s->failed == 1 ? "" : "s", b->max_failed);
    }
}

static void check_trial_budget(struct supervisor *s, struct slot *slot, double now)
{
    if (now >= slot->stop_at && !slot->timed_out && s->phase < PHASE_STOPPING) {
        slot->timed_out = true;
        slot->kill_at = end_of_patience(s, now);
        kill(slot->pid, SIGTERM);
    }
    if (now >= slot->kill_at && !slot->killed) {
        slot->killed = true;
        supervisor_notice(
            s, "%s: the worker did not save and end when asked, it is killed; the last checkpoint stands",
            s->trials[slot->trial].name);
        kill(slot->pid, SIGKILL);
    }
}

static void check_budgets(struct supervisor *s)
{
    double now = clock_seconds();
    check_sweep_budget(s, now);
    for (int i = 0; i < s->packing.workers; i++)
        if (s->slots[i].pid != 0)
            check_trial_budget(s, &s->slots[i], now);
}

/* Nothing has come from a worker. One that hangs or was stopped looks like one that is slow: people can tell.
 */
static void check_silence(struct supervisor *s, struct slot *slot, double now)
{
    const double silent_s = now - slot->heard_at;
    const double patience_s = s->config->patience_s > 0 ? s->config->patience_s : PATIENCE_S;
    s->status.worker[slot - s->slots].silent_s = silent_s;
    if (silent_s >= patience_s && !slot->told_silent) {
        slot->told_silent = true;
        supervisor_notice(s, "%s: no news from its worker, process %d, for %.0f s",
                          s->trials[slot->trial].name, (int)slot->pid, silent_s);
    }
}

/* Waits for records, signals, or the next tick. */
static void wait_for_events(struct supervisor *s)
{
    struct pollfd fds[RUN_MAX_WORKERS + 1] = {{s->signals.fd, POLLIN, 0}};
    struct slot *slot_of[RUN_MAX_WORKERS + 1];
    nfds_t count = 1;
    for (int i = 0; i < s->packing.workers; i++) {
        if (s->slots[i].pid != 0 && s->slots[i].records >= 0) {
            slot_of[count] = &s->slots[i];
            fds[count++] = (struct pollfd){s->slots[i].records, POLLIN, 0};
        }
    }
    double left = s->next_tick_at - clock_seconds();
    poll(fds, count, left > 0 ? (int)ceil(left * 1000) : 0);
    const double now = clock_seconds(); /* reading may have to wait for the database */
    for (nfds_t i = 1; i < count; i++)
        if (fds[i].revents != 0)
            attempt_read(s, slot_of[i]);
        else
            check_silence(s, slot_of[i], now);
    if (take_signals(s))
        reap(s);
}

static bool anything_pending(const struct supervisor *s)
{
    for (int i = 0; i < s->space->trial_count; i++)
        if (s->trials[i].state == TRIAL_PENDING)
            return true;
    return false;
}

void supervise(struct supervisor *s)
{
    s->started_at = clock_seconds();
    store_on_busy(s->store, wait_for_lock, s);
    s->next_tick_at = s->started_at;
    for (;;) {
        check_budgets(s);
        supervisor_search(s);
        start_workers(s);
        grow_workers(s);
        bool idle = running_count(s) == 0 && !anything_pending(s);
        look_elsewhere(s, idle);
        beat_leases(s);
        double now = clock_seconds();
        if (now >= s->next_tick_at) {
            reap(s); /* also those whose signal came while the run waited for space */
            supervisor_tick(s);
            s->next_tick_at = now + TICK_S;
        }
        if (running_count(s) == 0 &&
            (s->phase != PHASE_RUNNING || (!anything_pending(s) && elsewhere_count(s) == 0)))
            break;
        wait_for_events(s);
    }
    store_on_busy(s->store, NULL, NULL);
    supervisor_tick(s);
}
