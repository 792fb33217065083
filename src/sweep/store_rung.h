/* A search in the database: results of rungs, decisions. */
#ifndef SWEEP_STORE_RUNG_H
#define SWEEP_STORE_RUNG_H

#include "sweep/store.h"

/* Last validation top-1 of trials that are done; NaN for others. */
enum status store_val_top1(struct store *s, const int64_t *trials, int count, double *out, struct err *e);

/* What a decision means for one trial. */
struct rung_decision {
    int64_t trial;
    int rank;            /* > 0: of the decided rung, with this rank; then `goes_on` */
    bool goes_on;        /* of the decided rung: promoted; of a later one: it is to be trained */
    const char *message; /* of a later rung, when it is not: why */
};

/* Records a decision of a sweep's search in one transaction. Trials that are pruned and are pending become
 * `pruned`, unless a sweep without a search asks for them too; those that go on and were pruned are pending
 * again. What has been trained stays. Recording the same again changes nothing. */
enum status store_decide(struct store *s, const char *sweep, const struct rung_decision *decisions, int count,
                         struct err *e);

#endif
