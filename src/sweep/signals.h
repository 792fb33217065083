/* The signals a supervisor waits for, as a descriptor to poll: no handlers, no globals. */
#ifndef SWEEP_SIGNALS_H
#define SWEEP_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

#include "base/err.h"

struct signal_source {
    int fd; /* readable when one has arrived */
    sigset_t mask, mask_before;
    struct sigaction child_before;
};

/* Blocks SIGINT, SIGTERM, SIGCHLD and (unless ignored, as under nohup) SIGHUP for the process and makes them
 * readable. */
enum status signal_source_open(struct signal_source *s, struct err *e);
/* Takes the next signal; 0 when there is none. */
int signal_source_next(struct signal_source *s);
/* Drops what has arrived and restores mask and dispositions. */
void signal_source_close(struct signal_source *s);

#endif
