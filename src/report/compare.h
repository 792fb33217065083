/* Two results compared over the seeds they share. Pure arithmetic, for queries, figures and verdicts. */
#ifndef REPORT_COMPARE_H
#define REPORT_COMPARE_H

#include <stddef.h>
#include <stdint.h>

#include "report/statistics.h"

/* One replicate: the value of a seed. */
struct replicate_value {
    int64_t seed;
    double value;
};

struct comparison {
    struct summary a, b;       /* of the shared seeds only */
    struct summary difference; /* b - a, seed by seed: n, mean, and half_width of the 95 % interval (Student
                                  t); half_width NaN with fewer than two shared seeds */
};

/* Pairs by seed: a seed that only one side has plays no role, nor does a value that is not finite; of equal
 * seeds within a side the first counts. Either order. Pairing takes what a seed does to both sides out of the
 * difference. `scratch`: room for 3 * na numbers. */
struct comparison compare_paired(const struct replicate_value *a, size_t na, const struct replicate_value *b,
                                 size_t nb, double *scratch);

/* What an interval of a difference says of the claim "it exceeds `margin`" (use 0 for "there is a gain"). */
enum verdict { VERDICT_HOLDS, VERDICT_DOES_NOT_HOLD, VERDICT_NOT_SHOWN };
const char *verdict_name(enum verdict v); /* "holds", "does not hold", "not shown" */
/* Holds when the whole interval lies above the margin, does not hold when the whole lies below, else not
 * shown; also not shown without an interval. */
enum verdict verdict_above(const struct summary *difference, double margin);
/* The claim "it gains at most `margin`": holds when the whole interval lies below the margin, does not hold
 * when the whole lies above it. */
enum verdict verdict_at_most(const struct summary *difference, double margin);

/* The sentence for people: "no difference shown between A and B: -0.1 [-0.5, +0.3], n = 5", "B is higher than
 * A: +1.2 [+0.8, +1.6], n = 5", or what is missing: with one seed there is no interval, and nothing is shown.
 * Never "equal", unless all seeds have the very same number: absence of evidence is not shown to be evidence.
 * `scale` multiplies the numbers (100 for shares in percent points), `decimals` are shown, more where all of
 * the numbers would be 0. Writes at most `size` bytes, terminated; returns out. */
char *compare_sentence(const struct summary *difference, const char *a, const char *b, double scale,
                       int decimals, char *out, size_t size);

#endif
