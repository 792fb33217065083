/* What `firesweep run` shows while it runs, on standard error: on a terminal a small block of lines that is
 * drawn anew with each tick, below the lines of finished trials; elsewhere one line per finished epoch and
 * trial. */
#ifndef CLI_RUN_DISPLAY_H
#define CLI_RUN_DISPLAY_H

#include <stdbool.h>

#include "cli/screen.h"
#include "sweep/run.h"

struct run_display {
    struct space space; /* the spec's: names the trials */
    const char *sweep;
    char **names; /* by trial */
    int name_width;
    struct screen screen;
    bool live;                /* draws the block */
    struct run_status status; /* of the last tick */
    int finished;             /* trials, also those that ended since */
};

/* Call run_display_release also after a failure. `spec` must live as long as the display. */
enum status run_display_init(struct run_display *d, const struct spec *spec, struct err *e);
void run_display_release(struct run_display *d);

struct run_observer run_display_observer(struct run_display *d);
/* Replaces the block by a blank line. */
void run_display_end(struct run_display *d);

#endif
