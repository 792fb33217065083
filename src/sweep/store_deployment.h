/* What variants cost where they are used, as measured: one row a variant. */
#ifndef SWEEP_STORE_DEPLOYMENT_H
#define SWEEP_STORE_DEPLOYMENT_H

#include "engine/inference.h"
#include "sweep/store.h"

/* Variants with a finished trial, each by one of its trials (the first that is done). */
enum measured { MEASURED_NONE, MEASURED_ANY };
/* MEASURED_NONE: only those that no measurement is recorded of. `sweep`: only those of trials that the
 * current spec of this sweep names; NULL: of all. mem_free. */
enum status store_finished_variants(struct store *s, const char *sweep, enum measured measured,
                                    int64_t **trials, int *count, struct err *e);

/* Records a measurement of a trial's variant, in place of an earlier one. `cpu`: the processor's name. */
enum status store_deployment(struct store *s, int64_t trial, const struct inference_speed *speed,
                             bool winograd, const char *cpu, struct err *e);

/* The latency of a trial's variant in ms; NaN when it was not measured. */
enum status store_latency(struct store *s, int64_t trial, double *latency_ms, struct err *e);

#endif
