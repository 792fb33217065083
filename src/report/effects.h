/* What each axis does to a result: main effects and a decomposition of the variance. Pure arithmetic.
 *
 * The model is additive: result = mean + one effect per level of every axis + rest, fitted by least squares
 * to all observations (one per trial). What an axis accounts for is the sum of squares that the fit loses
 * without it (type II: given all other axes). In a balanced design (a full grid) these add up, with the rest,
 * to the total. In an unbalanced one they do not: axes then share what cannot be told apart, and `shared`
 * says how much. An axis that follows from others (zip) is tied: nothing is its own, so it has no share
 * either. One that follows from them in part has a share, F and p of the contrasts that can be told from
 * those of the others (`freedom` of them), but no effect for each level. An axis that is set only where
 * another one has certain values (beta2 beside optimizer adamw) is nested: its effects are among the
 * observations that have it, and what it takes to have it is the other axis's. Interactions count as rest,
 * and so widen the intervals. What is within rounding of the results is 0. Linear models: Searle, Linear
 * Models (1971), chapter 5. */
#ifndef REPORT_EFFECTS_H
#define REPORT_EFFECTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "report/statistics.h"

enum { EFFECTS_PARAMETERS = 256 }; /* most levels of all axes together */

/* How far an axis follows from the others. */
enum effects_tie { EFFECTS_FREE, EFFECTS_PARTLY_TIED, EFFECTS_TIED };

#define EFFECTS_NONE ((size_t)-1)
struct effects_factor {
    size_t levels;
    size_t absent; /* of a nested axis: the level that stands for "not set"; else EFFECTS_NONE */
};

struct effects_axis {
    size_t levels;
    struct summary *level; /* of the observations of each level; n 0: the level has none */
    double *adjusted;   /* effect of each level with all other axes held equal: what the additive model says,
                           relative to the mean of all observations that have the axis set (weighted by n they
                           add up to 0); NaN: not to be told, as the axis is not free or not set */
    double *half_width; /* of the 95 % interval of `adjusted`: Student's t with rest_freedom degrees of
                           freedom, its error from the model's rest; NaN also where rest is 0 */
    double centre;      /* what `adjusted` is relative to */
    double squares;     /* of the axis given the others */
    double share;       /* squares / total, 0..1; NaN where total is 0, and of a tied axis */
    size_t freedom;     /* degrees of freedom that are the axis's own: 0 of a tied axis */
    size_t contrasts;   /* what it would have were it free: levels with observations (and set) less one */
    double f;           /* (squares / freedom) / (rest / rest_freedom); NaN where one is 0 */
    double p;           /* of such an f or a higher one, if the axis did nothing; NaN where f is */
    enum effects_tie tie;
};

struct effects {
    size_t count, observations;
    struct effects_axis *axes;
    double mean, total; /* total: sum of squares around the mean */
    double rest;        /* what the additive model leaves: interactions and seeds */
    size_t rest_freedom;
    double shared; /* total - rest - sum of the axes' squares: 0 in a balanced design; negative where axes
                      hide each other's effects */
};

/* y: n finite values; level: for observation i and axis k, level[i * axes + k] in 0..factors[k].levels-1.
 * ST_FAILED with more than EFFECTS_PARAMETERS levels in all. effects_release after success and failure. */
enum status effects_estimate(const double *y, const size_t *level, size_t n,
                             const struct effects_factor *factors, size_t axes, struct effects *out,
                             struct err *e);
void effects_release(struct effects *f);

#endif
