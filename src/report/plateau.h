/* Where a curve bends and where it stops to rise, with bootstrap intervals over seeds. Pure arithmetic.
 *
 * Knee: the point furthest above the chord from first to last point, both axes scaled to 0..1 (Satopaa et
 * al., "Finding a kneedle in a haystack", 2011); none if no point lies above it. Plateau: the first point
 * whose mean is within `margin` of the best mean. Both are estimates, and both jump when seeds do: the
 * interval is the percentile bootstrap's (2.5 % and 97.5 %, PLATEAU_DRAWS draws of whole seeds with
 * replacement, the same for all points, counter-based random numbers from a fixed seed). With three seeds
 * such intervals are too narrow rather than too wide; n is always told. */
#ifndef REPORT_PLATEAU_H
#define REPORT_PLATEAU_H

#include <stddef.h>

#include "base/err.h"

enum { PLATEAU_DRAWS = 2000 };

struct place {
    double x;         /* NaN: there is none */
    double low, high; /* 95 % interval; NaN with fewer than two seeds */
    double share;     /* of the draws that put it at x; NaN as above */
};

struct plateau {
    struct place knee, start;
    size_t points, seeds;
};

/* x: ascending, `points` of them; y: y[s * points + p] of seed s, all finite. ST_FAILED with fewer than one
 * seed or three points. */
enum status plateau_estimate(const double *x, const double *y, size_t points, size_t seeds, double margin,
                             struct plateau *out, struct err *e);

#endif
