/* What `firesweep run` shows while it runs, on standard error: on a terminal a small block of lines that is
 * drawn anew with each tick, below the lines of finished trials; elsewhere one line per finished epoch and
 * trial. The run never waits for it (screen.h). */
#ifndef CLI_RUN_DISPLAY_H
#define CLI_RUN_DISPLAY_H

#include <stdbool.h>

#include "cli/screen.h"
#include "sweep/run.h"

struct run_display {
    const char *sweep;
    const struct trial *trials; /* the run's, while it runs, as their names */
    const char *const *names;
    int trial_count, name_width;
    struct screen screen;
    bool live;                /* draws the block */
    struct run_status status; /* of the last tick */
    int finished;             /* trials, also those that ended since */
};

/* `spec` must live as long as the display. */
void run_display_init(struct run_display *d, const struct spec *spec);
/* Waits until everything is written; a signal ends that with the process. */
void run_display_release(struct run_display *d);

struct run_observer run_display_observer(struct run_display *d);
/* Replaces the block by a blank line. */
void run_display_end(struct run_display *d);

#endif
