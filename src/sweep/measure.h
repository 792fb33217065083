/* Measures what finished variants cost where they are used: one image at a time, one thread, one core.
 *
 * Once a variant, not per seed or recipe, and after training: while other workers of a sweep use the
 * machine, times would say more about them than about the network. */
#ifndef SWEEP_MEASURE_H
#define SWEEP_MEASURE_H

#include "engine/inference.h"
#include "sweep/store_deployment.h"

#define MEASURE_VARIANT_S 0.5    /* about that long each; small networks have their repetitions sooner */
#define MEASURE_QUIET_SHARE 0.97 /* of the time with a core; below that something disturbed it */

struct measurement {
    int64_t trial;     /* by which the variant was found */
    const char *name;  /* of that trial, for people */
    int number, count; /* of so many variants */
    struct inference_speed speed;
};

struct measure_config {
    const char *sweep; /* only its variants; NULL = all of the database */
    const int64_t
        *trials; /* these trials' variants, whatever their state; NULL = all with a finished trial */
    int trial_count;
    enum measured measured; /* without `trials`: also those that were measured already? */
    double seconds;         /* for each */
    void *context;
    bool (*stop)(void *context); /* asked before each; NULL = never */
    /* A variant has been measured and recorded; may be NULL. Not ST_OK ends the rest. */
    enum status (*done)(void *context, const struct measurement *m, struct err *e);
};

/* Measures on a thread of its own, pinned to the last core that this process may use. One process at a time
 * measures the variants of a database: ST_BUSY when another one does. ST_INTERRUPTED when `stop` said so,
 * ST_USAGE for an unknown trial. *count: so many were measured. */
enum status measure_variants(struct store *s, const struct measure_config *c, int *count, struct err *e);

#endif
