/* How far predicted times are from those that finished trials took. */
#ifndef REPORT_PREDICTION_ERROR_H
#define REPORT_PREDICTION_ERROR_H

#include "base/err.h"
#include "sweep/store.h"

enum { PREDICTION_ERROR_LEAST = 5 }; /* trials; fewer tell too little */

/* Nine of ten trials took `low` to `high` times their predicted time of training, half of them at most
 * `typical` times (the median). */
struct prediction_error {
    int trials; /* 0: not known */
    double low, typical, high;
};

/* From the finished trials that a database has of this machine (its name, the instruction set in use), with
 * the machine's kept speed (engine/calibration.h); of each the threads that it had. Looks at 200 of them at
 * most, evenly among all. `trials` is 0 when there are fewer than PREDICTION_ERROR_LEAST or the speed is not
 * known. */
enum status prediction_error_find(struct store *s, struct prediction_error *out, struct err *e);

#endif
