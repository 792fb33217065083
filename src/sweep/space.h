/* A spec's design space: blocks -> trials. Equal trials (same realised architecture, recipe and seed)
 * are one trial that belongs to several blocks. Writes nothing and reads no data, but for conditions on
 * train_s: these need the speed of this machine and the names and sizes of the data's files. */
#ifndef SWEEP_SPACE_H
#define SWEEP_SPACE_H

#include "base/hash.h"
#include "metamodel/cost.h"
#include "sweep/spec.h"

struct trial {
    struct point point; /* of the first point that no condition excludes, else of the first */
    uint64_t seed;
    struct cost cost;
    struct derived derived; /* fires, clamps, realised ratios */
    char arch_hash[HASH_TEXT];
    char recipe_hash[HASH_TEXT];
    int min_channels;        /* see conditions_min_channels */
    double train_s;          /* predicted, where a condition asks for it; NaN otherwise */
    const char *skip_reason; /* the condition (its `reason`) that excludes the first of its points, where all
                                are excluded; NULL = runs */
    int rung, rungs; /* of a search, 1-based; the last rung's are the trials of blocks; 0 = no search */
    int full;        /* in a search: index of the last rung's trial of this point and seed */
    int contender;   /* in a search: number of its variant and recipe, the same in all rungs */
};

/* One appearance of a trial in a block. A block can name one trial more than once, at several positions:
 * other axis values, same realised layers. */
struct membership {
    int block;        /* index into spec.blocks */
    int trial;        /* index into space.trials */
    int position;     /* order within the block, from 0; seeds of one point are neighbours */
    const char *axes; /* JSON object of the values this block sets by list, zip or grid: {"SR":0.125} */
    const struct design *design; /* as the point asked for it; the trial has that of the first point */
    const char *skip_reason; /* the condition that excludes this point, also where another one has the same
                                layers and runs; NULL: none */
};

/* How the points of a random block were found. */
struct sampling {
    int wanted, points;          /* 0: the block is not random */
    int64_t tried;               /* candidates, each of which is a point or counted below */
    int64_t *removed;            /* by each rule, see space_rule */
    int64_t repeated;            /* equal to an earlier point of the block: layers and recipe */
    int64_t unbuildable;         /* no network or recipe can be so */
    const char *unbuildable_why; /* of the first */
};

struct space {
    struct arena arena;
    int trial_count;
    struct trial
        *trials;     /* in the order in which the blocks name them; then those of shorter rungs, by rung */
    int named_count; /* so many are named by blocks: all, without a search */
    int contender_count; /* of a search */
    int membership_count;
    struct membership *memberships;
    struct sampling *samplings; /* of each block of the spec */
};

/* The points of a block are every combination of a row of `list`, a step of `zip` and a choice per axis of
 * `grid`; the rows change slowest, the last axis of `grid` fastest. A point starts from the spec's base (from
 * another preset: that preset with spec.base_given), takes the block's `set`, then those values. Errors carry
 * the spec's file:line:column: more than SPEC_MAX_TRIALS trials, and an architecture or recipe that cannot
 * be. Call space_release also after a failure. */
enum status space_build(const struct spec *spec, struct space *out, struct err *e);
/* ST_USAGE when conditions exclude every trial: what trains has nothing to do, what plans tells why. */
enum status space_check_trains(const struct spec *spec, const struct space *space, struct err *e);
/* ST_USAGE when a trial's network is for images of another size, colours or number of classes than the data
 * has (an unknown number of channels suits all). */
enum status space_check_data(const struct spec *spec, const struct space *space, const struct data_look *data,
                             struct err *e);
/* Random blocks: candidate i is a function of the block's seed, sampler, keys and distributions, and of i;
 * the first n that are valid (all conditions hold, no earlier point is equal) are the points, so a larger n
 * only adds points (lhs: a hypercube has n strata, so another n makes other points; further hypercubes follow
 * when candidates are removed). After SPACE_TRIES_LEAST + SPACE_TRIES_PER_POINT * (points so far) candidates
 * a block has fewer points; none at all is an error. */
enum { SPACE_TRIES_LEAST = 10000, SPACE_TRIES_PER_POINT = 20 };

/* The conditions of a block by number: the spec's constraints, its exclude, the block's exclude; NULL behind
 * the last. */
const struct condition *space_rule(const struct spec *spec, int block, int rule);

/* "12 of 64 points; of 10240 candidates 7960 removed by params < 1M, 2268 equal to an earlier one". */
enum { SAMPLING_TEXT = 900 }; /* holds it */
void space_sampling_text(const struct spec *spec, const struct space *space, int block, char *out, size_t n);

/* "explore SR=0.1 seed 3", with " (2 epochs)" behind it in a shorter rung; `m`: first membership of the trial
 * or, in a shorter rung, of its full one; NULL if there is none. mem_free, NULL if no memory. */
char *space_trial_name(const struct spec *spec, const struct trial *t, const struct membership *m);
/* The membership that names each trial: its first one that no condition excludes, else its first; in a
 * shorter rung that of its full trial; NULL where there is none. space->trial_count entries, mem_free; NULL
 * if no memory. */
const struct membership **space_first_memberships(const struct space *space);

void space_release(struct space *s);

#endif
