/* Metaparameters -> the 24 hyperparameters of fire2..fire9.
 * Iandola et al., arXiv:1602.07360, section 5.1. Pure arithmetic, no I/O. */
#ifndef METAMODEL_METAPARAMS_H
#define METAMODEL_METAPARAMS_H

#include <stdbool.h>

#include "base/err.h"

enum { FIRE_COUNT = 8 };    /* fire2..fire9; index i is fire(i+2) */
enum { WIDTH_MAX = 65536 }; /* most filters of any layer: keeps every count and cost far from overflow */

struct metaparams {
    int base_e;    /* expand filters of fire2, >= 1 */
    int incr_e;    /* expand filters added every `freq` Fires, >= 0 */
    int freq;      /* >= 1 */
    double sr;     /* squeeze ratio, 0 < SR <= 1 */
    double pct3x3; /* share of 3x3 among the expand filters, 0 <= pct3x3 <= 1 */
};

struct fire {
    int s1x1; /* filters of the squeeze layer */
    int e1x1; /* 1x1 filters of the expand layer */
    int e3x3; /* 3x3 filters of the expand layer */
};

struct derived {
    struct fire fires[FIRE_COUNT];
    bool clamped[FIRE_COUNT]; /* s1x1 was rounded up to its minimum of 1 */
    double realised_sr;       /* sum of s1x1 over sum of e */
    double realised_pct3x3;   /* sum of e3x3 over sum of e */
};

/* SqueezeNet's values: 128, 128, 2, SR 0.125, pct3x3 0.5. */
struct metaparams metaparams_default(void);

/* e_i = base_e + incr_e * floor(i / freq); e3x3_i = round_half_up(e_i * pct3x3);
 * e1x1_i = e_i - e3x3_i; s1x1_i = max(1, round_half_up(SR * e_i)).
 * Halves are those of the decimal number meant, not of its binary neighbour: 0.35 of 10 is 3.5 and
 * rounds to 4. (The product is lifted by 2^-50 of its value first; exact for ratios of up to ten decimals.)
 * No e_i may exceed WIDTH_MAX. A value out of range is ST_USAGE naming key, value and range;
 * *out is then untouched. */
enum status metaparams_derive(const struct metaparams *m, struct derived *out, struct err *e);

/* The realised ratios of an explicit list, as in struct derived. At least one expand filter in all. */
void fires_realised(const struct fire fires[FIRE_COUNT], double *sr, double *pct3x3);

#endif
