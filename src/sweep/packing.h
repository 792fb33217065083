/* How many workers run side by side, with how many threads, on which cores, and when all will be done. Pure.
 */
#ifndef SWEEP_PACKING_H
#define SWEEP_PACKING_H

#include <stdbool.h>
#include <stdint.h>

enum { PACKING_MAX_WORKERS = 256 };

struct packing_request {
    int cores;           /* physical cores this process may use, >= 1 */
    int pending;         /* trials to run, >= 0 */
    int workers;         /* wanted, 0 = auto */
    int threads;         /* wanted per worker, 0 = auto */
    int useful_threads;  /* more than these do not speed up one trial (its lanes), >= 1 */
    double memory_bytes; /* for all workers, 0 = not known */
    double worker_bytes; /* most that one of them needs, 0 = not known */
};

struct packing {
    int workers; /* most that run at once, 1 .. PACKING_MAX_WORKERS */
    int threads; /* of each while trials are plenty, >= 1 */
    bool pinned; /* every thread gets a core of its own. Not when the plan leaves cores unused: another sweep
                    on the same machine would choose the same ones */
};

/* Bytes for all workers on a machine (or cgroup) of machine_bytes, 0 = not known: without the data, and
 * without a fifth for everything else. */
double packing_memory(double machine_bytes, double data_bytes);

/* Without predictions. Auto workers: as many as cores, memory and trials allow, because trials side by side
 * need no barrier; auto threads: the cores divided among the workers. Never more workers than trials. Thread
 * counts do not change results.
 */
struct packing packing_plan(const struct packing_request *r);

/* Threads for the worker that starts next, the longest of `pending` trials, when `running` workers leave
 * `free_cores` cores: with auto threads the free cores are divided among the workers that can start now, so
 * threads grow when trials run out. 0 when nothing can start now. */
int packing_threads(const struct packing *p, const struct packing_request *r, int free_cores, int running,
                    int pending);

/* Shares free cores among n running workers when nothing waits any more: each core goes to the worker that
 * would end last without it. remaining_s[i] with threads[i] threads, more than useful[i] threads do not help;
 * added[i] receives the further ones. */
void packing_grow(const double *remaining_s, const int *threads, const int *useful, int n, int free_cores,
                  int *added);

/* Time left below which a worker is not disturbed by further threads. */
#define PACKING_GROW_WORTH_S 10.0

/* The trials that wait, 0 .. count - 1, longest first, and what is predicted of them. */
struct packing_trials {
    const void *context;
    int count;
    double (*seconds)(const void *context, int trial, int threads); /* while all cores are busy */
    double (*memory)(const void *context, int trial, int threads);  /* bytes of its worker */
    int (*useful)(const void *context, int trial);                  /* threads, as in the request */
};

/* Seconds until all are done: each starts as soon as packing_threads lets it, and threads grow at the end
 * when they are not fixed, as the run does it. */
double packing_makespan(const struct packing_request *r, const struct packing *p,
                        const struct packing_trials *t);

/* The packing with the shortest makespan among all numbers of workers that memory allows, and that makespan;
 * more workers where fewer promise less than 5 % or 2 s. With very many trials (32 for each core) only the
 * largest number is looked at. request.worker_bytes is not used. */
struct packing packing_choose(const struct packing_request *r, const struct packing_trials *t,
                              double *makespan_s);

/* Takes `n` free entries of `in_use` (cores of them; they become true) and writes their indices, ascending.
 * False, taking nothing, when fewer are free. */
bool packing_take_cores(bool *in_use, int cores, int n, int *taken);

/* Seconds until everything is done. running_s: remaining time of each running worker; pending_ops: operations
 * of the waiting trials, longest first; slots: workers at once; ops_per_s: speed of one worker, > 0. The
 * waiting trials go to the worker that is free first. */
double packing_remaining_s(const double *running_s, int running, const double *pending_ops, int pending,
                           int slots, double ops_per_s);

#endif
