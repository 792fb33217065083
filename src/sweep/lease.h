/* Who works on a trial: a run and its worker, and whether they still live. Several runs share a database by
 * the leases in it (docs/schema.md, table lease). */
#ifndef SWEEP_LEASE_H
#define SWEEP_LEASE_H

#include <stdbool.h>
#include <stdint.h>

/* A process, named so that another one that gets its number later is not taken for it. */
struct process_name {
    int64_t pid;
    int64_t start; /* as process_started */
};

enum { LEASE_TEXT = 256 };
struct lease {
    int64_t trial, attempt; /* rows; attempt 0: a running trial without a lease, nobody works on it */
    char host[LEASE_TEXT];  /* for people */
    char place[LEASE_TEXT]; /* where the process numbers mean something: one boot of one machine or container
                             */
    struct process_name run, worker;
    int64_t beat; /* counts up while the run lives */
};

enum lease_life {
    LEASE_GONE,    /* run and worker have ended, the trial is free */
    LEASE_ALIVE,   /* the run or its worker live: the worker may outlive its run to save its state */
    LEASE_UNKNOWN, /* they are elsewhere: only the beat can tell */
};

/* When a process started, in clock ticks since the machine did; 0 when it has ended, even if its parent does
 * not know yet; -1 when that is not ours to see. */
int64_t process_started(int64_t pid);

/* Fills host, place, run (this process) and worker. */
void lease_sign(struct lease *l, int64_t worker_pid);
enum lease_life lease_look(const struct lease *l);
/* The same for one of the running trials whose leases these are, in the order of trials (store_leases);
 * LEASE_UNKNOWN when it is none of them. */
enum lease_life lease_look_among(const struct lease *leases, int count, int64_t trial);

/* How long a run that cannot be seen is believed to live without a beat, and how often runs beat. Told by
 * the watcher's own monotonic clock: no clock on the wall, here or there, matters. */
#define LEASE_PATIENCE_S 120.0
#define LEASE_BEAT_S 20
/* How long somebody worked on a trial at least, in seconds: the first beat of a run's trials may come at
 * once. As SQL of a row of the table lease. */
#define LEASE_SEEN_S_SQL "(" LEASE_TEXT(LEASE_BEAT_S) " * max(beat - 1, 0))"
#define LEASE_TEXT(number) LEASE_TEXT_OF(number)
#define LEASE_TEXT_OF(number) #number

/* The last beat that was seen and when; zero at first. */
struct lease_watch {
    int64_t attempt, beat;
    double since;
};
/* Whether nobody works on the trial any more. `now`: clock_seconds(). */
bool lease_left(const struct lease *l, struct lease_watch *w, double now);

#endif
