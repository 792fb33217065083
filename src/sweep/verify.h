/* Verification: trains what a database says was trained, and compares every metric bit for bit. Writes
 * nothing. */
#ifndef SWEEP_VERIFY_H
#define SWEEP_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct verify_config {
    const char *db;
    int64_t trial;    /* id; 0 = all done and diverged trials */
    bool from_middle; /* continue from the checkpoint kept of epoch `from_epoch` instead of starting over */
    int from_epoch;
    int threads; /* >= 1 */
};

enum verify_result {
    VERIFY_REPRODUCED,
    VERIFY_DIFFERS,
    VERIFY_IMPOSSIBLE, /* detail says why */
};
const char *verify_result_name(enum verify_result r); /* "reproduced", "differs", "impossible" */

/* One trial's answer. */
struct verification {
    int64_t trial;
    const char *name; /* for people */
    enum verify_result result;
    int first_epoch, epochs; /* trained again from this epoch (1-based) on, so many */
    int compared, different; /* metrics */
    const char *detail;      /* the first difference, or why it is impossible; NULL = reproduced */
};

struct verify_observer {
    void *context;
    /* A trial has been verified. Not ST_OK ends the verification. */
    enum status (*verified)(void *context, const struct verification *v, struct err *e);
    /* An epoch has been trained; may be NULL. */
    void (*epoch)(void *context, const char *name, int epoch, int epochs);
};

struct verify_totals {
    int reproduced, different, impossible;
};

/* ST_OK whatever the result: *out tells. ST_USAGE for a trial that does not exist or has no result, and when
 * no checkpoint of from_epoch is kept (the error lists what is). */
enum status verify_run(const struct verify_config *c, const struct verify_observer *o,
                       struct verify_totals *out, struct err *e);

#endif
