/* A spec's design space: blocks -> trials. Equal trials (same realised architecture, recipe and seed)
 * are one trial that belongs to several blocks. Pure: reads no data, writes nothing. */
#ifndef SWEEP_SPACE_H
#define SWEEP_SPACE_H

#include "base/hash.h"
#include "metamodel/cost.h"
#include "sweep/spec.h"

struct trial {
    struct point point; /* of the first block that named it */
    uint64_t seed;
    struct cost cost;
    struct derived derived; /* fires, clamps, realised ratios */
    char arch_hash[HASH_TEXT];
    char recipe_hash[HASH_TEXT];
    const char *skip_reason; /* the constraint that excludes it, NULL = runs */
};

/* One appearance of a trial in a block. A block can name one trial more than once, at several positions:
 * other axis values, same realised layers. */
struct membership {
    int block;        /* index into spec.blocks */
    int trial;        /* index into space.trials */
    int position;     /* order within the block, from 0; seeds of one point are neighbours */
    const char *axes; /* JSON object of the values this block sets by list, zip or grid: {"SR":0.125} */
};

struct space {
    struct arena arena;
    int trial_count;
    struct trial *trials; /* in the order in which the blocks name them */
    int membership_count;
    struct membership *memberships;
};

/* The points of a block are every combination of a row of `list`, a step of `zip` and a choice per axis of
 * `grid`; the rows change slowest, the last axis of `grid` fastest. A point starts from the spec's base (from
 * another preset: that preset with spec.base_given), takes the block's `set`, then those values. Errors carry
 * the spec's file:line:column: more than SPEC_MAX_TRIALS trials, and an architecture or recipe that cannot
 * be. Call space_release also after a failure. */
enum status space_build(const struct spec *spec, struct space *out, struct err *e);
void space_release(struct space *s);

#endif
