/* The supervisor's loop over one opened database: starts workers, records what they send, decides what their
 * ends mean. */
#ifndef SWEEP_SUPERVISOR_H
#define SWEEP_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cpu.h"
#include "sweep/forecast.h"
#include "sweep/lease.h"
#include "sweep/packing.h"
#include "sweep/process.h"
#include "sweep/protocol.h"
#include "sweep/run.h"
#include "sweep/signals.h"
#include "sweep/store.h"

/* A trial as the supervisor sees it; one for each of the space. */
struct run_trial {
    int64_t id; /* row in the database */
    enum trial_state state;
    const char *name; /* for people; of the supervisor's arena, as the rest; NULL of a trial that has ended */
    const char *axes; /* JSON object, or NULL */
    const char *checkpoint; /* path */
    const char *shorter;    /* checkpoint of the same trial with fewer epochs, to start from, or NULL */
    int shorter_epochs;
    double operations;   /* multiply-adds x 2 of its whole training and evaluation */
    double length;       /* predicted seconds, or operations, of what is left: for comparing trials */
    double left;         /* share of its epochs that the database does not hold */
    double memory_bytes; /* of its worker with one thread, without the data; 0 = not known */
    double wall_used_s;  /* of all its attempts so far */
    int attempts;        /* so far, in any run */
    int failures;        /* attempts in this run that crashed or failed */
    double retry_at;     /* the next attempt does not start before */
    bool waits;          /* in a search: pending, but the rung before its own is not decided */
    bool elsewhere;      /* running, but held by another run */
    struct lease_watch watch;
};

/* A running worker. */
struct slot {
    pid_t pid;       /* 0: free */
    int trial;       /* index */
    int64_t attempt; /* row in the database */
    int records;     /* pipe, -1 after its end */
    struct record_reader reader;
    int threads;
    int core_count;     /* == threads when pinned, else 0 */
    int cores[CPU_MAX]; /* indices into the supervisor's cores */
    struct process_share *share;
    double grown_at;     /* threads were last added */
    int threads_before;  /* and how many there were, 0 once it is known that it helped */
    double speed_before; /* operations a second then */
    bool full;           /* further threads did not help */
    char *log;
    double started_at;
    double stop_at;  /* end of the trial's wall budget, INFINITY if none */
    double kill_at;  /* when patience after a stop request ends, INFINITY if it does not */
    double heard_at; /* the worker last said anything */
    bool told_silent;
    bool timed_out, killed;
    bool lost; /* another run has taken the trial over */
    bool gap;  /* an epoch could not be recorded: what follows is not, the next attempt sends all again */
    bool has_progress; /* `progress` is known */
    double progress;   /* how much of the trial's operations is done, 0..1 */
    double settled;    /* that much of it is in the supervisor's sums or was done by earlier attempts */
    double settled_at;
    struct record last; /* the final record, kind 0 before it has come */
};

enum run_phase {
    PHASE_RUNNING,
    PHASE_DRAINING, /* too many failures, or all alike: what runs may end, nothing new starts */
    PHASE_STOPPING, /* workers were asked to save and end */
    PHASE_KILLING,  /* workers were killed */
};

/* Where a search stands; rungs 0: there is none. */
struct search_state {
    int rungs, rung; /* the rung that is trained, 1-based: those before it are decided */
    bool *alive;     /* by contender: takes part in that rung */
    double retry_at; /* not before that time: what a decision needs was not there */
};

struct supervisor {
    const struct spec *spec;
    const struct space *space;
    const struct dataset *data;
    const struct run_config *config;
    const struct run_observer *observer;
    struct store_check *check; /* of the database, until it is opened */
    struct store *store;
    struct arena arena;
    struct run_trial *trials;
    const char *log_stem;     /* folder and beginning of log files: "<stem>.logs/trial-" */
    struct forecast forecast; /* from supervisor_load to supervisor_pack */
    struct speed speed;
    bool has_speed;
    struct packing_request request;
    struct packing packing;
    struct slot *slots; /* packing.workers of them */
    struct signal_source signals;
    const char *why; /* the phase, for people */
    double started_at, first_interrupt_at, next_tick_at, retry_start_at, next_look_at, next_beat_at;
    double operations_done, thread_s; /* what workers did in this run and the thread-seconds it took */
    struct lease other;               /* the last one of another run that was seen */
    struct run_status status;
    struct err *e; /* the first failure that ends the run goes here */
    int *order;    /* trials, longest first */
    struct search_state search;
    enum run_phase phase;
    enum status fatal;
    int cores[CPU_MAX], core_count; /* ids */
    int trained, failed;            /* in this run */
    int troubled, same_failures;    /* trials with an attempt that failed; those for first_reason */
    char first_failure[512], first_reason[512];
    bool core_in_use[CPU_MAX];
    bool waits_for_space; /* of the database */
    bool waits_for_lock;  /* and said so */
    bool told_other;
};

/* Runs until nothing is left to start and all workers have ended. The result is in phase, trials and fatal.
 */
void supervise(struct supervisor *s);

/* supervisor_load.c */

/* Brings the database up to the spec and reads what is left to do. `stem`: beginning of the paths beside it.
 */
enum status supervisor_load(struct supervisor *s, const char *stem, struct err *e);
/* Divides cores among workers, for the pending trials. */
enum status supervisor_pack(struct supervisor *s, const struct run_config *c, struct err *e);

/* supervisor_attempt.c */

/* Starts the next trial in a free slot, unless another run has it. *again: there may be more to start now. */
enum status attempt_start(struct supervisor *s, bool *again, struct err *e);
/* Reads all records that have arrived. */
void attempt_read(struct supervisor *s, struct slot *slot);
/* The process ended: records how and what it means for the trial, and frees the slot. */
void attempt_finish(struct supervisor *s, struct slot *slot, int wait_status, double cpu_s,
                    int64_t peak_rss_bytes);

/* supervisor_failures.c */

#define LOG_LINE_MARK "; last log line: " /* what stands between a reason and the end of a log */

/* An attempt crashed, or failed with an error that its worker told. Writes the message; sets the end's
 * outcome, message and state: again, or not. */
void failure_judge(struct supervisor *s, struct slot *slot, int wait_status, struct attempt_end *end,
                   char *message, size_t n);
/* Tells people of it; of a trial that has failed for good also the end of its log. When the first trials of a
 * run fail alike, nothing further starts. */
void failure_announce(struct supervisor *s, const struct slot *slot, const struct attempt_end *end);
/* Trials of a run that failed, or have failed so far: with an attempt that did. */
int failure_count(const struct supervisor *s);

/* supervisor_share.c */

/* Reads where a trial that this run does not train stands, which other runs change, too. What they left
 * without an end is taken over: it is pending again. */
enum status trial_look(struct supervisor *s, int trial, struct err *e);
/* Looks at all trials that other runs hold, now and then. `idle`: there is nothing else to do. */
void look_elsewhere(struct supervisor *s, bool idle);
int elsewhere_count(const struct supervisor *s);
/* Whether a trial may be started now. */
static inline bool trial_ready(const struct run_trial *t)
{
    return t->state == TRIAL_PENDING && !t->waits;
}
/* Shows other runs, now and then, that this one lives. */
void beat_leases(struct supervisor *s);
/* Nothing that the worker sends is recorded from now on. */
void attempt_lost(struct supervisor *s, struct slot *slot);

/* supervisor_search.c */

/* With the trials loaded: all but the first rung's wait. Nothing to do without a search. */
enum status supervisor_search_init(struct supervisor *s, struct err *e);
/* Decides every rung whose trials have all come to an end: which variants go on, and that the others' longer
 * trials are pruned. */
void supervisor_search(struct supervisor *s);
/* Share of the waiting trials of a trial's rung that will be trained, as far as can be told. */
double search_share(const struct supervisor *s, int trial);

/* supervisor_measure.c */

/* Measures the sweep's finished variants that were not measured yet (measure.h), on the machine that no
 * worker of this run uses now. Statuses as measure_variants'. */
enum status supervisor_measure(struct supervisor *s, struct err *e);
/* The same at the end of a run, if its spec wants it; what goes wrong is told and does not count. */
void supervisor_measure_rest(struct supervisor *s);

/* supervisor_grow.c */

/* When no trial waits any more, gives free cores to running workers whose end is far, and takes them back
 * when that did not help (a busy machine, threads that share a core). */
void grow_workers(struct supervisor *s);
/* Cores that no worker uses. */
int free_cores(const struct supervisor *s);
/* Adds what a worker has done since the last time to the supervisor's sums. */
void settle(struct supervisor *s, struct slot *slot);

/* supervisor_status.c */

/* Twice the multiply-accumulates of a trial from start to end: a backward pass is two forward ones. */
double trial_operations(const struct trial *t, const struct dataset *data);
/* Seconds until a running worker is done, by its own speed, else by that of all; -1 when nothing is known
 * yet. */
double slot_remaining_s(const struct supervisor *s, const struct slot *slot, double now);
/* Counts trials, computes the time left, and tells the observer. */
void supervisor_tick(struct supervisor *s);
void supervisor_count(const struct supervisor *s, struct run_status *out);
void supervisor_notice(const struct supervisor *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* supervisor.c, for the files above */

/* Asks all workers to save and end; further calls do nothing. */
void supervisor_stop(struct supervisor *s, const char *why);
/* A failure that ends the run: recorded once, then workers are stopped. */
void supervisor_fail(struct supervisor *s, enum status status, const struct err *e);
/* What to do after a write to the database. True: nothing more; a failure was recorded with supervisor_fail.
 * False: the disk was full, a while has passed, the write is to be tried again. */
bool supervisor_stored(struct supervisor *s, enum status status, const struct err *e);

#endif
