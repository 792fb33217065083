/* The Pareto front of cost and merit, and how sure it is. Pure arithmetic.
 *
 * On the front is what no other candidate beats: none with less cost has as much merit, none of the same cost
 * has more. Measured means have errors, so a front drawn from them is one guess among many. `probability` is
 * the share of FRONT_DRAWS parametric bootstrap fronts a candidate stands on: every mean is drawn anew from a
 * normal distribution around it, with standard deviation s / sqrt(n), s pooled over all candidates with at
 * least two replicates (three seeds of one candidate alone say too little). Counter-based random numbers from
 * a fixed seed: the same data give the same numbers. */
#ifndef REPORT_FRONT_H
#define REPORT_FRONT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "report/statistics.h"

enum { FRONT_DRAWS = 1000 };

struct candidate {
    double cost; /* less is better */
    struct summary merit;
    /* results */
    bool on_front;
    double probability; /* NaN: no candidate has replicates */
};

/* merit.mean and cost are finite; `higher`: more merit is better. Returns in *sd the pooled standard
 * deviation (NaN without replicates) and in *freedom its degrees of freedom. */
enum status front_estimate(struct candidate *c, size_t n, bool higher, double *sd, size_t *freedom,
                           struct err *e);

#endif
