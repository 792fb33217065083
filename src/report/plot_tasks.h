/* Which figures a plot command means: every sweep and block of the database times the kinds asked for. */
#ifndef REPORT_PLOT_TASKS_H
#define REPORT_PLOT_TASKS_H

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "report/figures.h"
#include "report/plot.h"
#include "sweep/store.h"

struct plot_task {
    const char *kind;
    struct figure_request figure;
};

struct plot_tasks {
    struct arena arena;
    size_t count, capacity;
    struct plot_task *items; /* sweep by sweep; within one as the spec requests them, or block by block */
};

void plot_tasks_init(struct plot_tasks *t);
void plot_tasks_release(struct plot_tasks *t);

/* ST_USAGE for a block that no sweep has, listing them; ST_FAILED for a database without sweeps. */
enum status plot_tasks_collect(struct store *s, const struct plot_options *o, struct plot_tasks *out,
                               struct err *e);

#endif
