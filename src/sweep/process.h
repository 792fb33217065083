/* One worker as a process: forked from the supervisor, so that the data is shared memory. */
#ifndef SWEEP_PROCESS_H
#define SWEEP_PROCESS_H

#include <stdatomic.h>
#include <sys/types.h>

#include "base/cpu.h"
#include "base/err.h"
#include "sweep/worker.h"

/* What supervisor and worker share in memory: the supervisor may change the threads while the worker runs. */
struct process_share {
    int cores[CPU_MAX]; /* ids, one for each thread, when pinned; written before `threads` */
    bool pinned;
    _Atomic int threads;
};
/* NULL if no memory. */
struct process_share *process_share_create(void);
void process_share_free(struct process_share *s); /* NULL is fine */

struct process_config {
    struct worker_task *task; /* `records` and `host` are filled in in the new process */
    struct process_share *share;
    const char *log; /* file that receives the worker's standard output and error; created */
};

/* Starts a worker, which begins once share->threads is not 0. *records is the reading end of its pipe
 * (non-blocking, close-on-exec), the caller's to close. In the worker: default signal dispositions, but
 * SIGTERM asks it to save and end, SIGINT and SIGHUP are left to the supervisor; it gets SIGTERM when the
 * supervisor dies; all other descriptors are closed. */
enum status process_start(const struct process_config *c, pid_t *pid, int *records, struct err *e);

/* How a process ended, for people: "exit code 3", "killed by signal 9 (SIGKILL), as when memory runs out".
 * Returns out. */
char *process_end_text(int wait_status, char *out, size_t n);

/* The last non-empty line of a log file, cut to n - 1 bytes; "" if there is none. Returns out. */
char *process_last_line(const char *log, char *out, size_t n);

#endif
