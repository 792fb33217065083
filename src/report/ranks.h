/* Do two conditions put things into the same order? Pure arithmetic. */
#ifndef REPORT_RANKS_H
#define REPORT_RANKS_H

#include <stddef.h>

#include "base/err.h"

enum { RANKS_EXACT = 9 }; /* up to so many things all orders are tried */

struct rank_agreement {
    size_t n;
    double rho; /* Spearman's, -1..1; NaN when n < 2 or one side has a single value */
    double p;   /* probability of a rho at least this high if one side's order were by chance: all n! orders
                   up to RANKS_EXACT, beyond that Student's t; NaN where rho is */
};

/* Spearman's rank correlation of n pairs of finite values (Spearman 1904): the correlation of their ranks,
 * equal values sharing the mean of theirs. ST_NOMEM. */
enum status rank_agreement(const double *a, const double *b, size_t n, struct rank_agreement *out,
                           struct err *e);

#endif
