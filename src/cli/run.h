/* What `run` and `extend` share. */
#ifndef CLI_RUN_H
#define CLI_RUN_H

#include "cli/output.h"
#include "sweep/run.h"

/* Runs a sweep with its display, prints its results and what to do next; `again` is the command that
 * continues an interrupted run. SIGPIPE is ignored by the caller. */
enum status run_spec(const struct spec *spec, const struct run_config *config, const char *again,
                     const struct output *o, struct err *e);

#endif
