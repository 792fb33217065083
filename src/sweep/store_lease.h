/* Several runs on one database: who holds which trial, and what happened to trials. A trial that is running
 * has a lease, begun by store_attempt_begin and ended by store_attempt_end. */
#ifndef SWEEP_STORE_LEASE_H
#define SWEEP_STORE_LEASE_H

#include "sweep/lease.h"
#include "sweep/store.h"

/* The lease of a running trial; attempt 0 when nobody holds it. */
enum status store_lease_read(struct store *s, int64_t trial, struct lease *out, struct err *e);
/* The leases of all running trials; mem_free. */
enum status store_leases(struct store *s, struct lease **out, int *count, struct err *e);
/* Says that the run which holds an attempt still lives. *held false: somebody has taken the trial over. */
enum status store_lease_beat(struct store *s, int64_t attempt, bool *held, struct err *e);
/* Frees a trial whose holder is gone: it becomes pending and its attempt "crashed". *freed false: the lease
 * is not the one that was seen, somebody else was quicker. */
enum status store_lease_break(struct store *s, const struct lease *seen, bool *freed, struct err *e);

/* What happened to a trial, for people: a damaged checkpoint, a wait for space. `attempt` 0: none. */
enum status store_event(struct store *s, int64_t trial, int64_t attempt, const char *text, struct err *e);

#endif
