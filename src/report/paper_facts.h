/* What Iandola et al., "SqueezeNet" (arXiv:1602.07360v4), report, as numbers to compare with: ImageNet-1k,
 * 227x227. MB are as the paper prints them; values that it only draws were read off the curve, to +-0.5
 * points. */
#ifndef REPORT_PAPER_FACTS_H
#define REPORT_PAPER_FACTS_H

#include <stdbool.h>
#include <stddef.h>

#include "metamodel/arch.h"

/* One point of Figure 3. */
struct paper_point {
    double value; /* SR, or pct3x3 */
    double mb, top5;
    bool read_off;
};

enum paper_curve { PAPER_SR, PAPER_PCT3X3, PAPER_CURVES };

/* Figure 3: base_e = incr_e = 128, freq = 2; along SR with pct3x3 0.5, along pct3x3 with SR 0.5. */
extern const struct paper_point paper_sr[5], paper_pct3x3[9];
/* The points of one of them. */
const struct paper_point *paper_points(enum paper_curve curve, size_t *count);

/* One row of Table 1. */
struct paper_layer {
    const char *name; /* conv1, fire2 ... conv10, total */
    long params, pruned;
};
extern const struct paper_layer paper_table1[11];

/* One row of Table 2; accuracies in percent. */
struct paper_compression {
    const char *network, *method;
    double mb, top1, top5;
};
extern const struct paper_compression paper_table2[7];

/* One row of Table 3. */
struct paper_bypass {
    enum bypass bypass;
    double mb, top1, top5;
};
extern const struct paper_bypass paper_table3[3];

#endif
